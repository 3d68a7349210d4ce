//! Collecting: one round an account and Region, side by side. What has come in by the end of the patience is judged;
//! a round that still runs goes on beside the cycle, and its finds are taken in by a later one.

mod rounds;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::task::JoinError;

use self::rounds::Change;
pub(super) use self::rounds::Rounds;
use super::{
    Cycle, CycleError,
    judging::{takers, used},
    targets::is_of_tags,
};
use crate::{
    cloud::{Fault, FaultClass},
    collect::{
        PoolReading, Wanted,
        cadence::Plan,
        round::{Find, Start, Watch, round},
    },
    engine::{permits::ways_out, residency::Law},
    model::{
        book::{Key, Record},
        catalog::Family,
        desk::DeskReading,
        ids::{Region, Scope, TargetId},
        policy::{Account, Heat},
        series::PoolSeries,
        time::{HOUR, Minute, Timestamp},
    },
    runtime::shared::Failing,
};

/// Hours that are held at most until they become durable together, of all signals: those of 200 pools that are read again
/// and again, or of some five whose first days came in.
const MOST_HELD: usize = 400;

/// Hours that a reading touches, at most.
fn hours_of(read: &PoolReading) -> usize {
    let minutes = read.reading.until().since(read.reading.from);
    usize::try_from(minutes / HOUR + 2).unwrap_or(usize::MAX)
}

/// What a cycle took in.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// Whether anything new is known.
    pub(super) is_new: bool,
    /// What the desk said.
    pub(super) desk: Vec<DeskReading>,
    /// Minutes that are not durable yet, and so not known.
    held: Vec<PoolReading>,
}

impl Collected {
    /// Whether these minutes must not be held beside those that are: they would be too many, or change what was not
    /// written yet.
    fn is_full_for(&self, read: &[PoolReading]) -> bool {
        let held = |it: &PoolReading| {
            self.held
                .iter()
                .any(|held| held.reading.pool == it.reading.pool)
        };
        let hours = |reads: &[PoolReading]| reads.iter().map(hours_of).sum::<usize>();
        let is_some = !self.held.is_empty();
        is_some && (MOST_HELD < hours(&self.held) + hours(read) || read.iter().any(held))
    }
}

/// What woke the cycle while it waited for rounds.
enum Woken {
    Find(Scope, Find),
    Over(Box<Result<(Scope, Watch), JoinError>>),
    OutOfPatience,
}

impl Cycle {
    /// Starts a round wherever none runs, and takes in what the rounds find.
    pub(super) async fn collect(&mut self, now: Timestamp) -> Result<Collected, CycleError> {
        self.start_rounds(now);
        let mut collected = Collected::default();
        let patience = self.patience;
        let patience = async {
            match patience {
                Some(patience) => tokio::time::sleep(patience).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(patience);
        while !self.rounds.busy.is_empty() {
            let woken = tokio::select! {
                biased;
                Some((scope, find)) = self.rounds.finds.recv() => Woken::Find(scope, find),
                Some(over) = self.rounds.running.join_next() => Woken::Over(Box::new(over)),
                () = &mut patience => Woken::OutOfPatience,
            };
            match woken {
                Woken::Find(scope, find) => self.take_in(&scope, find, &mut collected, now).await?,
                Woken::Over(over) => match *over {
                    Ok((scope, watch)) => self.round_over(scope, watch, now),
                    Err(broken) => self.round_broke(&broken, now),
                },
                Woken::OutOfPatience => break,
            }
        }
        // A round that is over may have left finds behind.
        while let Ok((scope, find)) = self.rounds.finds.try_recv() {
            self.take_in(&scope, find, &mut collected, now).await?;
        }
        self.keep_readings(&mut collected, now).await?;
        self.tell_slow(now);
        Ok(collected)
    }

    fn start_rounds(&mut self, now: Timestamp) {
        let plan = Arc::new(self.plan_of_reads(now));
        let accounts = self.settings.accounts.iter();
        let homes: BTreeSet<Scope> = accounts.filter_map(Account::asked_at).collect();
        let mut ways = self.ways_out(&plan);
        for (scope, watch) in std::mem::take(&mut self.rounds.idle) {
            // The past can wait for a month with money left, and for room on the disk: days that are over go on into the
            // history, where they take a tenth of what they take in the ledger.
            let may_fill = !self.is_budget_spent() && !self.saves_room();
            let missing = if may_fill {
                self.missing(&scope, now)
            } else {
                Vec::new()
            };
            let start = Start {
                scope: scope.clone(),
                book: self.shared.book().catalog_of(&scope),
                plan: Arc::clone(&plan),
                free: self.free_requests(&scope, now),
                cadence: self.settings.cadence,
                missing,
                may_fill,
                is_home: homes.contains(&scope),
                turns: Arc::clone(&self.rounds.turns),
                wanted: self.wanted(&scope, &mut ways),
                feed: self.feed(&scope, now),
                now,
            };
            let (cloud, sender) = (self.cloud.clone(), self.rounds.sender.clone());
            let place = scope.clone();
            let task = self
                .rounds
                .running
                .spawn(async move { (place, round(watch, start, cloud, sender).await) });
            self.rounds.busy.insert(scope, (now, task.id()));
        }
    }

    /// Ways out of the pools that are short or hot, where callers are named.
    fn ways_out(&self, plan: &Plan) -> BTreeMap<Scope, Vec<TargetId>> {
        let policy = &self.settings.policy;
        if policy.callers.is_empty() {
            return BTreeMap::new();
        }
        let hot = plan.heat.iter().filter(|(_, heat)| **heat == Heat::Hot);
        let short = hot.map(|(pool, _)| pool).chain(&plan.pinned).cloned();
        let book = self.shared.book();
        let law = Law {
            rules: &policy.residency,
            book: &book,
        };
        ways_out(law, &policy.callers, &short.collect())
    }

    fn wanted(&self, scope: &Scope, ways: &mut BTreeMap<Scope, Vec<TargetId>>) -> Wanted {
        let ways = ways.remove(scope).unwrap_or_default();
        let callers = self.settings.policy.callers.get(&scope.account);
        Wanted {
            ways,
            callers: callers.cloned().unwrap_or_default(),
        }
    }

    fn round_over(&mut self, scope: Scope, watch: Watch, now: Timestamp) {
        self.note("round", &scope, &[], now);
        self.leave(scope, watch);
    }

    fn leave(&mut self, scope: Scope, watch: Watch) {
        if !self.rounds.over(scope.clone(), watch) {
            self.forget_place(&scope);
        }
    }

    /// A round panicked: its place starts afresh, and the others never notice.
    fn round_broke(&mut self, broken: &JoinError, now: Timestamp) {
        let mut busy = self.rounds.busy.iter();
        let scope = busy.find(|(_, (_, task))| *task == broken.id());
        let Some(scope) = scope.map(|(scope, _)| scope.clone()) else {
            return;
        };
        tracing::error!(event = "round.panicked", account = %scope.account, region = %scope.region, %now, %broken, "a round of collecting broke off");
        let fault = Fault {
            operation: "collect:Round",
            code: "Panicked".to_owned(),
            message: "a fault of this program broke it off, and it begins afresh; the log has the place: please report it"
                .to_owned(),
            class: FaultClass::Lost,
        };
        self.note("round", &scope, &[fault], now);
        self.leave(scope, Watch::default());
    }

    fn tell_slow(&self, now: Timestamp) {
        for (scope, (since, _)) in &self.rounds.busy {
            let fault = Fault {
                operation: "collect:Round",
                code: "StillRunning".to_owned(),
                message: format!(
                    "what was begun at {since} has not been answered yet; its data grows old"
                ),
                class: FaultClass::Lost,
            };
            self.note("round", scope, &[fault], now);
        }
    }

    async fn take_in(
        &mut self,
        scope: &Scope,
        find: Find,
        collected: &mut Collected,
        now: Timestamp,
    ) -> Result<(), CycleError> {
        match find {
            Find::Records(records) => {
                if records
                    .iter()
                    .any(|it| matches!(it, Record::QuotaChange(_)))
                {
                    // Thresholds follow the quota at once: its pools are judged again.
                    let book = self.shared.book();
                    let pools = book.pools_in(scope).map(|pool| pool.id.clone());
                    self.unjudged.extend(pools);
                }
                let has_tags = records.iter().any(is_of_tags);
                self.has_new_targets |= records.iter().any(is_of_targets);
                collected.is_new |= self.commit(records, now).await?;
                if has_tags {
                    self.take_tags();
                }
            }
            Find::Readings(read) => {
                if collected.is_full_for(&read) {
                    self.keep_readings(collected, now).await?;
                }
                collected.held.extend(read);
            }
            Find::Ran(hour) => {
                let records = self.ran(scope, &hour);
                let is_new = self.commit(records, now).await?;
                self.is_ran_news |= is_new;
                collected.is_new |= is_new;
            }
            Find::History(stretches) => {
                self.keep_readings(collected, now).await?;
                collected.is_new |= self.take_in_history(scope, stretches, now).await?;
            }
            Find::Lacking(pool, since) => self.fill_again(&pool, since, now).await?,
            Find::Desk(readings) => collected.desk.extend(readings),
            Find::Regions(regions) => self.take_in_regions(scope, &regions, now),
            Find::News(news) => {
                tracing::warn!(event = news.event(), account = %scope.account, region = %scope.region, %now, "{news}");
            }
            Find::Stage { name, faults } => self.note(name, scope, &faults, now),
        }
        Ok(())
    }

    fn take_in_regions(&mut self, home: &Scope, regions: &[Region], now: Timestamp) {
        let mut watched = regions.to_vec();
        if !watched.contains(&home.region) {
            watched.push(home.region.clone()); // or nobody would ask any more
        }
        let Change { come, gone } = self.rounds.watch(&home.account, &watched);
        if !come.is_empty() {
            let come = listed(&come);
            tracing::info!(event = "regions.come", account = %home.account, %now, "now watched as well: {come}");
        }
        if !gone.is_empty() {
            for region in &gone {
                self.forget_place(&Scope {
                    account: home.account.clone(),
                    region: region.clone(),
                });
            }
            let gone = listed(&gone);
            tracing::warn!(event = "regions.gone", account = %home.account, %now, "the account no longer has these Regions, they are not watched any more: {gone}");
        }
    }

    /// How it went in a Region that is not watched any more is neither a failure nor old.
    pub(super) fn forget_place(&self, scope: &Scope) {
        let mut health = self.shared.health_mut();
        health.failing.retain(|(_, place), _| place != scope);
        health.last_success.retain(|(_, place), _| place != scope);
    }

    /// Makes the minutes durable that are held, of all accounts and Regions together: a commit costs a wait for the disk,
    /// however little is in it.
    async fn keep_readings(
        &mut self,
        collected: &mut Collected,
        now: Timestamp,
    ) -> Result<(), CycleError> {
        let held = std::mem::take(&mut collected.held);
        collected.is_new |= self.keep_minutes(&held, now).await?;
        self.add_up(&held, now).await
    }

    /// Makes these minutes durable.
    pub(super) async fn keep_minutes(
        &mut self,
        held: &[PoolReading],
        now: Timestamp,
    ) -> Result<bool, CycleError> {
        let mut records = Vec::new();
        for read in held {
            let reading = &read.reading;
            self.takers.insert(reading.pool.clone(), takers(reading));
            if reading.pool.family != Family::Account {
                self.used.insert(reading.pool.clone(), used(reading)); // its targets are models, and lead nowhere
            }
            self.unjudged.insert(reading.pool.clone());
            records.extend(self.note_uses(reading));
            let book = self.shared.book();
            let known = book.series.get(&reading.pool);
            let mut updates = match known {
                Some(series) => series.updates(reading),
                None => PoolSeries::default().updates(reading),
            };
            let read_before = book.read_through.get(&reading.pool).copied();
            if let Some(first) = begins(known, read_before) {
                updates.retain(|hour, _| first <= *hour);
            }
            let hours = updates.into_iter();
            records.extend(hours.map(|(hour, it)| Record::Hour(reading.pool.clone(), hour, it)));
            records.extend(read.records(&book));
        }
        self.keeping.note(&records);
        self.commit(records, now).await
    }

    pub(super) fn note(
        &self,
        stage: &'static str,
        scope: &Scope,
        faults: &[Fault],
        now: Timestamp,
    ) {
        let mut health = self.shared.health_mut();
        let key = (stage, scope.clone());
        let before = health.failing.get(&key);
        let since = before.map_or(now, |it| it.since);
        let Some(failing) = Failing::of(faults, since) else {
            health.failing.remove(&key);
            health.last_success.insert(key, now);
            return;
        };
        if before.map(|it| &it.why) != Some(&failing.why) {
            let error_class = failing.first.class.name();
            tracing::warn!(event = "collect.failed", stage, account = %scope.account, region = %scope.region, error_class, %now, "{}", failing.why);
        }
        health.failing.insert(key, failing);
    }
}

/// The first hour of a pool whose first read brought nothing whole: the next one begins a quarter of an hour earlier, as
/// every read does. Those minutes belong to a day that was never read; with them it would be taken for one that was, and
/// never be back-filled.
fn begins(known: Option<&PoolSeries>, read_before: Option<Minute>) -> Option<Minute> {
    let hour = read_before?.hour();
    let is_any_earlier = known.is_some_and(|it| it.held().any(|(_, held)| held < hour));
    (!is_any_earlier).then_some(hour)
}

fn listed(regions: &[Region]) -> String {
    let names: Vec<&str> = regions.iter().map(Region::as_str).collect();
    names.join(", ")
}

/// Whether a target came, went or moved to another pool.
const fn is_of_targets(record: &Record) -> bool {
    matches!(record, Record::Target(_) | Record::Remove(Key::Target(..)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::series::{Sample, Signal};

    #[test]
    fn a_pool_of_which_nothing_is_known_begins_where_its_first_read_did() {
        let midnight = Minute(20_000 * 1_440);
        assert_eq!(begins(None, None), None, "a first read goes where it goes");
        assert_eq!(begins(None, Some(midnight)), Some(midnight));
        let mut series = PoolSeries::default();
        series.restore(Signal::Invocations, midnight, [Sample::NoData; 60]);
        assert_eq!(
            begins(Some(&series), Some(midnight.plus(7))),
            Some(midnight)
        );
        let later = midnight.plus(60);
        assert_eq!(
            begins(Some(&series), Some(later)),
            None,
            "late minutes come in"
        );
    }
}
