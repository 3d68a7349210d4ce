//! What each pool has taught, beside the book: learned from the history when it is missing, a few pools a cycle.
//!
//! It follows from what was measured, so that it may be lost. `notes` keeps it all the same: learning two weeks of a
//! thousand pools again takes minutes of a core.

use std::{collections::BTreeSet, sync::Arc};

use super::{Cycle, CycleError, keeping::Recalled};
use crate::{
    collect::backfill,
    engine::{
        self, Taught,
        learned::{LEARNED_DAYS, Learned, SHAPE},
    },
    model::{
        book::Book,
        calendar::Calendar,
        card::Card,
        catalog::{Family, PoolId},
        history::Resolution,
        rule::Rules,
        series::{PoolSeries, Signal},
        time::{DAY, HOUR, Minute, Timestamp},
    },
    runtime::shared::{FAN_STEP, FAN_STEPS, Outlook},
    store::notes,
};

/// Pools that are learned in one cycle, to bound its length.
const MOST_POOLS: usize = 8;

/// What was learned is kept at least so often: so much is judged again after a crash.
const KEEP_EVERY_MINUTES: i64 = 6 * HOUR;

/// While pools are learned one after another, at most so often.
const KEEP_AFTER_MINUTES: i64 = 10;

/// What is learned, and how much of it is kept.
#[derive(Debug, Default)]
pub(super) struct Learning {
    pub(super) taught: Taught,
    /// Pools that are judged by what was read since the start alone, until their history is whole. Not kept: after a
    /// restart they begin anew, or are whole.
    young: BTreeSet<PoolId>,
    is_recalled: bool,
    /// The minute of the last copy.
    kept: Option<Minute>,
    /// Whether pools were learned since.
    is_dirty: bool,
    /// Whether more pools may be due: a copy waits until they are learned.
    is_busy: bool,
}

impl Learning {
    /// What this pool has taught is not the whole truth: it is judged by it until its history is whole again.
    pub(super) fn learn_again(&mut self, pool: &PoolId) {
        if self.taught.contains_key(pool) {
            self.young.insert(pool.clone());
        }
    }
}

impl Cycle {
    /// Once, at the start: what was kept.
    async fn recall_taught(&mut self, now: Timestamp) -> Result<(), CycleError> {
        if std::mem::replace(&mut self.learning.is_recalled, true) {
            return Ok(());
        }
        let history = Arc::clone(&self.shared.history);
        match self.off_thread(move || history.notes()).await? {
            Ok(None) => {}
            Ok(Some(bytes)) => match notes::open::<Learned>(SHAPE, &bytes) {
                Ok(rows) => self.learning.taught = rows.into_iter().collect(),
                Err(why) => {
                    tracing::warn!(event = "learned.unreadable", %now, "what pools have taught can't be read: {why}; it is learned again from the history");
                }
            },
            Err(error) => self.tell_trouble(&error, now),
        }
        // The copy is as old as what it knows: counted from the start, one that is killed each hour would keep none.
        let known = self.learning.taught.values().filter_map(Learned::next);
        let now = Minute::of(now);
        self.learning.kept = Some(known.max().map_or(now, |known| known.min(now))); // a clock may have been set back
        Ok(())
    }

    /// Keeps what was learned, when enough of it is new.
    pub(super) async fn keep_taught(&mut self, now: Timestamp) -> Result<(), CycleError> {
        let minute = Minute::of(now);
        let age = self.learning.kept.map(|kept| minute.since(kept));
        let is_old = age.is_none_or(|age| KEEP_EVERY_MINUTES <= age);
        let is_rested = age.is_none_or(|age| KEEP_AFTER_MINUTES <= age);
        let is_due = self.learning.is_dirty && !self.learning.is_busy && is_rested;
        if self.learning.taught.is_empty() || !(is_old || is_due) {
            return Ok(());
        }
        self.write_taught(now).await
    }

    pub(super) async fn write_taught(&mut self, now: Timestamp) -> Result<(), CycleError> {
        if self.learning.taught.is_empty() {
            return Ok(());
        }
        self.learning.kept = Some(Minute::of(now));
        self.learning.is_dirty = false;
        let Learning { taught, young, .. } = &self.learning;
        let whole = taught.iter().filter(|(pool, _)| !young.contains(*pool));
        let sealed = notes::seal(SHAPE, whole);
        let history = Arc::clone(&self.shared.history);
        let keep = move || sealed.and_then(|bytes| history.keep_notes(&bytes));
        if let Err(error) = self.off_thread(keep).await? {
            self.tell_trouble(&error, now);
        }
        Ok(())
    }

    /// Learns what is missing of the pools that are to be judged, as far as a cycle allows. Until its history is read, or is
    /// as long as it will get, a pool is judged by what there is: refusals need no past, and a back-fill may be held back
    /// for weeks.
    pub(super) async fn learn(&mut self, now: Timestamp) -> Result<(), CycleError> {
        self.recall_taught(now).await?;
        self.drop_torn();
        let due: Vec<PoolId> = {
            let book = self.shared.book();
            let Learning { taught, young, .. } = &self.learning;
            let is_due = |id: &&PoolId| {
                book.pools.contains_key(*id)
                    && (!taught.contains_key(*id) || young.contains(*id))
                    && self.is_whole(id, Minute::of(now))
            };
            let due = self.unjudged.iter().filter(is_due);
            due.take(MOST_POOLS).cloned().collect()
        };
        self.learning.is_busy = !due.is_empty();
        for pool in due {
            if let Some(learned) = self.learned_of(&pool, now).await? {
                self.learning.young.remove(&pool);
                self.learning.taught.insert(pool, learned);
                self.learning.is_dirty = true;
            }
        }
        let Learning { taught, young, .. } = &mut self.learning;
        for pool in &self.unjudged {
            if !taught.contains_key(pool) {
                taught.insert(pool.clone(), Learned::default());
                young.insert(pool.clone());
            }
        }
        Ok(())
    }

    /// After days away the minutes in between are in no memory: such a pool is learned again, once its history is whole.
    fn drop_torn(&mut self) {
        let book = self.shared.book();
        let Learning { taught, .. } = &mut self.learning;
        for pool in &self.unjudged {
            let first = book.series.get(pool).and_then(PoolSeries::first_minute);
            let next = taught.get(pool).and_then(Learned::next);
            if next.zip(first).is_some_and(|(next, first)| next < first) {
                taught.remove(pool);
            }
        }
    }

    /// What is to come against the quotas of these pools, for people; anew with each whole quarter of an hour.
    pub(super) fn look_ahead(&self, pools: &BTreeSet<PoolId>) {
        for pool in pools {
            let Some(learned) = self.learning.taught.get(pool) else {
                continue;
            };
            for ahead in learned.outlooks() {
                let key = (pool.clone(), ahead.kind);
                let Some(exhaustion) = ahead.exhaustion else {
                    self.shared.health_mut().outlooks.remove(&key);
                    continue;
                };
                let known = self
                    .shared
                    .health()
                    .outlooks
                    .get(&key)
                    .map(|it| it.exhaustion);
                if known == Some(exhaustion) {
                    continue;
                }
                // Not under the lock: it takes a while, and the page waits for it.
                let forecast = ahead.forecast();
                let fan = forecast.map_or(Vec::new(), |it| it.fan(FAN_STEP, FAN_STEPS));
                let card = Card {
                    coverage: ahead.coverage().collect(),
                    warnings: ahead.warnings,
                };
                let outlook = Outlook {
                    exhaustion,
                    fan,
                    card,
                };
                self.shared.health_mut().outlooks.insert(key, outlook);
            }
        }
    }

    /// Whether no minute is missing in the history of this pool that CloudWatch still has.
    pub(super) fn is_whole(&self, pool: &PoolId, now: Minute) -> bool {
        if pool.family == Family::Account {
            return self.is_account_whole(&pool.scope, now);
        }
        let book = self.shared.book();
        let series = book.series.get(pool);
        let is_known = |day: i64| {
            let (first, end) = (Minute(day * DAY), Minute((day + 1) * DAY));
            series.is_some_and(|it| it.has_any(Signal::Invocations, first, end))
        };
        let held = self.shared.history.held(pool);
        let missing = backfill::missing(pool, &held, is_known, now);
        missing.iter().all(|it| it.resolution != Resolution::Minute)
    }

    /// What the history teaches of one pool; `None` where it could not be read.
    async fn learned_of(
        &self,
        pool: &PoolId,
        now: Timestamp,
    ) -> Result<Option<Learned>, CycleError> {
        let first = Resolution::Minute.stretch_of(Minute::of(now)) - LEARNED_DAYS;
        let past = match self.minutes_of(pool.clone(), first).await? {
            Ok(past) => past,
            Err(error) => {
                self.tell_trouble(&error, now);
                return Ok(None);
            }
        };
        let scope = self.shared.book().catalog_of(&pool.scope);
        let settings = &self.settings;
        let (rules, calendar) = (settings.rules.clone(), settings.calendar.clone());
        let pool = pool.clone();
        let learn = move || learn(&rules, &calendar, &scope, &pool, &past);
        self.off_thread(learn).await
    }
}

/// What these minutes teach of a pool.
fn learn(
    rules: &Rules,
    calendar: &Calendar,
    book: &Book,
    pool: &PoolId,
    past: &Recalled,
) -> Option<Learned> {
    let pool = book.pools.get(pool)?;
    let learned = past
        .until
        .map(|until| engine::learn(rules, calendar, book, pool, &past.minutes, until));
    Some(learned.unwrap_or_default())
}
