//! Keeping history: days that are over leave the ledger for the history, what is missing there is read again, and old
//! minutes become hours.
//!
//! `memory` says which minutes are in memory beside that.
//!
//! History is not decided upon: when its disk fails, that is told and watching goes on. The days stay in the ledger then.

mod memory;

pub(super) use self::memory::Recalled;
pub(in crate::runtime) use self::memory::read_minutes;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::task::{self, JoinHandle};

use super::{Cycle, CycleError};
use crate::{
    act::plan::{Past, outlived},
    cloud::{Fault, FaultClass},
    collect::backfill::{self, FRESH_DAYS},
    model::{
        book::{Book, Key, Record},
        catalog::{Family, PoolId},
        history::{Resolution, Stretch, StretchKey},
        ids::Scope,
        series::{Depth, KEPT_MINUTES, SETTLE_MINUTES, Signal},
        time::{DAY, HOUR, Minute, Timestamp},
    },
    store::{Audit, History, StoreError, history::roll_up},
};

/// Days of pools that leave the ledger in one cycle, to bound its length.
const MOST_DAYS: usize = 32;
/// Those that leave it together: each is a megabyte until it is written, and twice that where some of it is held already.
const DAYS_AT_ONCE: usize = 8;

/// What keeping remembers. All of it can be lost.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    /// The days of each pool of which the ledger holds hours.
    in_ledger: BTreeMap<PoolId, BTreeSet<i64>>,
    /// The hour in which old minutes were last rolled up.
    rolled: Option<Minute>,
    /// Per scope how much was missing at most, for telling how far the back-fill is.
    most_missing: BTreeMap<Scope, usize>,
    /// Scopes in which nothing was missing in this hour, with so many pools.
    complete: BTreeMap<Scope, (Minute, usize)>,
    is_recalled: bool,
    is_audited: bool,
    /// Older minutes that plans asked for. Read anew when the days in the book change.
    pub(super) past: Past,
    /// Those of them of which the history still lacks minutes that CloudWatch has.
    pub(super) filling: BTreeSet<PoolId>,
    /// The check of all history, while it runs: once, beside the cycles after the first, which shall be over soon.
    audit: Option<JoinHandle<Result<Audit, StoreError>>>,
}

impl Keeping {
    /// Over the book as the ledger holds it, before anything else is added.
    pub(super) fn of(book: &Book) -> Self {
        let in_ledger = book.series.iter().map(|(pool, series)| {
            let days = series.held().map(|(_, hour)| day_of(hour));
            (pool.clone(), days.collect())
        });
        Self {
            in_ledger: in_ledger.collect(),
            ..Self::default()
        }
    }

    /// Takes note of records that became durable.
    pub(super) fn note(&mut self, records: &[Record]) {
        for record in records {
            if let Record::Hour(pool, hour, _) = record {
                let days = self.in_ledger.entry(pool.clone()).or_default();
                days.insert(day_of(*hour));
            }
        }
    }
}

const fn day_of(minute: Minute) -> i64 {
    Resolution::Minute.stretch_of(minute)
}

const fn day(pool: PoolId, number: i64) -> StretchKey {
    StretchKey {
        pool,
        resolution: Resolution::Minute,
        number,
    }
}

impl Cycle {
    /// What the back-fill read is durable in the history, and then known.
    pub(super) async fn take_in_history(
        &mut self,
        scope: &Scope,
        stretches: Vec<Stretch>,
        now: Timestamp,
    ) -> Result<bool, CycleError> {
        let history = Arc::clone(&self.shared.history);
        let (stretches, result) = self
            .off_thread(move || {
                let result = history.append(&stretches);
                (stretches, result)
            })
            .await?;
        if let Err(error) = result {
            self.tell_trouble(&error, now);
            return Ok(false);
        }
        let minutes = stretches
            .iter()
            .filter(|it| it.key.resolution == Resolution::Minute);
        for stretch in minutes {
            self.restore(stretch, now);
            // Plans see it from the next one on.
            self.keeping.past.remove(&stretch.key.pool);
            self.unjudged.insert(stretch.key.pool.clone());
        }
        self.keeping.complete.remove(scope);
        self.accounts.older.insert(scope.clone());
        Ok(true)
    }

    /// What the history of this scope lacks and CloudWatch still has. Looked for once an hour, and while there is something.
    pub(super) fn missing(&mut self, scope: &Scope, now: Timestamp) -> Vec<StretchKey> {
        let now = Minute::of(now);
        let book = self.shared.book();
        let pools = book.reads_in(scope).map(|(pool, _)| pool);
        // What is added up is asked of nobody.
        let pools: Vec<&PoolId> = pools.filter(|it| it.family != Family::Account).collect();
        let state = (now.hour(), pools.len());
        if self.keeping.complete.get(scope) == Some(&state) {
            return Vec::new();
        }
        let missing: Vec<StretchKey> = pools
            .iter()
            .flat_map(|pool| {
                let series = book.series.get(*pool);
                let is_known = |day: i64| {
                    let (first, end) = (Minute(day * DAY), Minute((day + 1) * DAY));
                    series.is_some_and(|it| it.has_any(Signal::Invocations, first, end))
                };
                backfill::missing(pool, &self.shared.history.held(pool), is_known, now)
            })
            .collect();
        let most = self.keeping.most_missing.entry(scope.clone()).or_default();
        if missing.is_empty() {
            self.keeping.complete.insert(scope.clone(), state);
            if 0 < std::mem::take(most) {
                tracing::info!(event = "backfill.done", account = %scope.account, region = %scope.region, %now, "the history before the start is read, as far as CloudWatch has it");
            }
        } else {
            let before = *most;
            *most = before.max(missing.len());
            if 0 < before {
                let done = *most - missing.len();
                tracing::info!(event = "backfill", account = %scope.account, region = %scope.region, %now, "history before the start: {} {done} of {most} stretches", bar(done, *most));
            }
        }
        missing
    }

    /// Lets go of what was filled of a pool without one of its targets, from the day `since` on, as far as CloudWatch still
    /// has it: it is missing then, and read again.
    pub(super) async fn fill_again(
        &mut self,
        pool: &PoolId,
        since: i64,
        now: Timestamp,
    ) -> Result<(), CycleError> {
        let held = self.shared.history.held(pool).into_iter();
        let again = held.filter(|it| backfill::can_be_read_again(*it, since, now));
        let keys: Vec<StretchKey> = again
            .map(|(resolution, number)| StretchKey {
                pool: pool.clone(),
                resolution,
                number,
            })
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let stretches = keys.len();
        tracing::info!(event = "backfill.again", %pool, %now, stretches, "a target of this pool was listed late: its history is read again, with it");
        let history = Arc::clone(&self.shared.history);
        let result = self.off_thread(move || history.forget(&keys)).await?;
        self.tell_result(&result, now);
        self.keeping.complete.remove(&pool.scope);
        self.learning.learn_again(pool);
        Ok(())
    }

    /// Lets days that are over leave the ledger, and once an hour lets history grow older.
    pub(super) async fn keep(&mut self, now: Timestamp) -> Result<(), CycleError> {
        self.hear_audit(now).await?;
        if !std::mem::replace(&mut self.keeping.is_audited, true) {
            let history = Arc::clone(&self.shared.history);
            self.keeping.audit = Some(task::spawn_blocking(move || history.audit()));
        }
        self.move_days(now).await?;
        let hour = Minute::of(now).hour();
        if self
            .keeping
            .rolled
            .is_some_and(|rolled| hour.since(rolled) < HOUR)
        {
            return Ok(());
        }
        self.keeping.rolled = Some(hour);
        self.forget(hour);
        let gone = outlived(&self.shared.book(), now);
        if !gone.is_empty() {
            let records = gone.len();
            tracing::info!(event = "book.forgotten", %now, records, "incidents of long ago are forgotten, with what was said about them");
        }
        self.commit(gone, now).await?;
        let history = Arc::clone(&self.shared.history);
        let result = self.off_thread(move || roll_up(&*history, hour)).await?;
        self.tell_result(&result, now);
        Ok(())
    }

    /// What was damaged is told where it is found. It is missing from then on, and read again.
    async fn hear_audit(&mut self, now: Timestamp) -> Result<(), CycleError> {
        let Some(audit) = self.keeping.audit.take_if(|it| it.is_finished()) else {
            return Ok(());
        };
        match audit.await? {
            Ok(audit) => {
                let (sound, bytes) = (audit.stretches.values().sum::<u64>(), audit.bytes);
                let damaged = audit.damage.len();
                tracing::info!(event = "history.checked", %now, sound, damaged, bytes, "the history is read and checked");
                self.keeping.complete.clear();
            }
            Err(error) => self.tell_trouble(&error, now),
        }
        Ok(())
    }

    /// Days before the fresh ones that no read can change any more: durable in the history first, then gone from the
    /// ledger. Killed in between, both hold them, and they are moved once more.
    async fn move_days(&mut self, now: Timestamp) -> Result<(), CycleError> {
        let days = self.days_over(Minute::of(now));
        for days in days.chunks(DAYS_AT_ONCE) {
            if !self.move_some(days, now).await? {
                break;
            }
        }
        Ok(())
    }

    /// Whether the history took them.
    async fn move_some(
        &mut self,
        days: &[(PoolId, i64)],
        now: Timestamp,
    ) -> Result<bool, CycleError> {
        let stretches: Vec<Stretch> = {
            let book = self.shared.book();
            let stretch =
                |(pool, day): &(PoolId, i64)| Stretch::of_day(pool, book.series.get(pool)?, *day);
            days.iter().filter_map(stretch).collect()
        };
        let removals: Vec<Record> = stretches.iter().flat_map(removals).collect();
        let history = Arc::clone(&self.shared.history);
        let append = move || {
            let whole: Result<Vec<_>, _> = stretches
                .into_iter()
                .map(|it| completed(&*history, it))
                .collect();
            history.append(&whole?)
        };
        let result = self.off_thread(append).await?;
        self.tell_result(&result, now);
        if result.is_err() {
            return Ok(false);
        }
        let ledger = Arc::clone(&self.ledger);
        // Not applied to the book, which lets its minutes go by `first_day`.
        self.off_thread(move || ledger.commit(&removals)).await??;
        for (pool, day) in days {
            if let Some(left) = self.keeping.in_ledger.get_mut(pool) {
                left.remove(day);
            }
        }
        Ok(true)
    }

    fn days_over(&self, now: Minute) -> Vec<(PoolId, i64)> {
        let book = self.shared.book();
        let fresh = day_of(now) - FRESH_DAYS;
        // A pool that is not read any more does not hold its days back for ever.
        let old = day_of(now.plus(DAY - KEPT_MINUTES));
        let in_ledger = self.keeping.in_ledger.iter();
        let over = in_ledger.flat_map(|(pool, days)| {
            // What is read seldom may still change as well.
            let through = read_whole(&book, pool);
            let settled = through.map_or(old, |through| day_of(through.plus(-SETTLE_MINUTES)));
            let end = settled.max(old).min(fresh);
            days.range(..end).map(|day| (pool.clone(), *day))
        });
        over.take(MOST_DAYS).collect()
    }

    pub(super) async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CycleError> {
        if self.shared.history.waits_for_disk() {
            Ok(task::spawn_blocking(work).await?)
        } else {
            Ok(work())
        }
    }

    fn tell_result(&self, result: &Result<(), StoreError>, now: Timestamp) {
        match result {
            Ok(()) => self.each_scope(|scope| self.note("history", scope, &[], now)),
            Err(error) => self.tell_trouble(error, now),
        }
    }

    /// The history is one for all: its trouble is told in every account and Region.
    pub(super) fn tell_trouble(&self, error: &StoreError, now: Timestamp) {
        let cause = std::error::Error::source(error);
        let message = cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
        let fault = Fault {
            operation: "store:History",
            code: "NotKept".to_owned(),
            message,
            class: FaultClass::Lost,
        };
        self.each_scope(|scope| self.note("history", scope, std::slice::from_ref(&fault), now));
    }

    pub(super) fn each_scope(&self, tell: impl Fn(&Scope)) {
        self.rounds.scopes().for_each(tell);
    }
}

/// A day over what the history holds of it already: a read after a clock that was set back has only a part of it.
fn completed(history: &dyn History, day: Stretch) -> Result<Stretch, StoreError> {
    Ok(match history.stretch(&day.key)? {
        Some(mut held) => {
            held.overlay(&day);
            held
        }
        None => day,
    })
}

/// How far all signals of a pool are read. Stores of older releases know of none that is read deep.
fn read_whole(book: &Book, pool: &PoolId) -> Option<Minute> {
    let deep = book.known_until(pool, Depth::Deep);
    deep.or_else(|| book.known_until(pool, Depth::Full))
}

/// What takes the hours of this day out of the ledger.
fn removals(stretch: &Stretch) -> impl Iterator<Item = Record> {
    let pool = &stretch.key.pool;
    let hours: BTreeSet<Minute> = stretch.hours().map(|(_, hour, _)| hour).collect();
    let hours = hours.into_iter();
    hours.map(move |hour| Record::Remove(Key::Hour(pool.clone(), hour)))
}

/// Ten characters that fill up.
fn bar(done: usize, all: usize) -> String {
    let filled = (10 * done / all.max(1)).min(10);
    format!("[{}{}]", "#".repeat(filled), "-".repeat(10 - filled))
}
