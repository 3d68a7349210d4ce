//! Walks through what was measured as if it came in minute by minute, and looks closely only where something happens.
//!
//! An hour in which no rule of a pool begins or ends an alert, by one judgement over all of it, has no minute in which
//! one would have: minutes are judged in order whatever the call covers. Only the other hours are judged and planned
//! minute by minute. Nothing looks ahead: each judgement ends where its minutes do, and the planner's book holds no more.

use std::collections::{BTreeMap, BTreeSet};

use super::walk::{By, Step, Walk};
use crate::{
    engine::{self, Taught, learned::Learned},
    model::{
        alert::{AlertState, Track, Verdict},
        book::{Book, Record},
        catalog::PoolId,
        ids::{QuotaCode, RuleName, Scope},
        incident::AlertKey,
        quota::{Quota, QuotaChange},
        series::{PoolSeries, Sample, Signal},
        time::{HOUR, Minute},
    },
};

/// All that is known beforehand, of which each minute sees only what came before it.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Pools, catalogs and the quotas as they were at the start; and the series as a whole.
    pub book: Book,
    /// Quotas that changed, each with its first minute, in order.
    pub changes: Vec<(Minute, Quota)>,
}

/// A replay of measured minutes.
#[derive(Debug)]
pub struct Replay {
    /// What is known at the minute that was reached.
    pub walk: Walk,
    /// Sees whole hours, for the rules alone.
    ahead: Book,
    changes: Vec<(Minute, Quota)>,
    by: By,
}

impl Replay {
    /// From this minute on. What was measured before is known and learned from, and was not judged.
    #[must_use]
    pub fn new(past: Past, mut by: By, start: Minute) -> Self {
        let mut book = past.book.clone();
        let mut tracks = BTreeMap::new();
        for pool in past.book.pools.keys() {
            by.rules.prepare(pool);
            for rule in by.rules.of(pool).iter() {
                let key = AlertKey {
                    rule: rule.name.clone(),
                    pool: pool.clone(),
                };
                tracks.insert(key, unjudged(start));
            }
        }
        book.series = BTreeMap::new();
        for (pool, series) in &past.book.series {
            let known = book.series.entry(pool.clone()).or_default();
            let before = series.held().filter(|(_, hour)| *hour < start);
            let before: Vec<(Signal, Minute)> = before.collect();
            for (signal, hour) in before {
                put(series, known, signal, hour, start);
            }
        }
        book.tracks.clone_from(&tracks);
        let mut ahead = past.book;
        ahead.tracks = tracks;
        // What a quota became before the start is what it is there.
        let (before, changes): (Vec<_>, Vec<_>) =
            past.changes.into_iter().partition(|(at, _)| *at < start);
        for (_, quota) in before {
            let key = (quota.scope.clone(), quota.code.clone());
            ahead.quotas.insert(key.clone(), quota.clone());
            book.quotas.insert(key, quota);
        }
        Self {
            walk: Walk::new(book, by.clone(), start),
            ahead,
            changes,
            by,
        }
    }

    /// Replays `from..until`. `is_close` says of which pools and hours each minute is to be shown; `see` is shown each
    /// minute that was judged closely, by its end.
    pub fn run(
        &mut self,
        from: Minute,
        until: Minute,
        is_close: impl Fn(&PoolId, Minute) -> bool,
        mut see: impl FnMut(Minute, &Step, &Walk),
    ) {
        let pools: Vec<PoolId> = self.ahead.pools.keys().cloned().collect();
        let mut at = from;
        while at < until {
            let end = at.hour().plus(HOUR).min(until);
            let (close, open): (Vec<&PoolId>, Vec<&PoolId>) = pools.iter().partition(|pool| {
                is_close(pool, at)
                    || self.walk.is_in_trouble(pool)
                    || self.has_change(&pool.scope, at, end)
            });
            let mut close: BTreeSet<PoolId> = close.into_iter().cloned().collect();
            let mut calm = Vec::new();
            for (pool, hour) in self.calm(&open, end) {
                match hour {
                    Some(hour) => calm.push((pool, hour)),
                    None => drop(close.insert(pool.clone())),
                }
            }
            if !close.is_empty() {
                self.minutes(at, end, &close, &mut see);
            }
            for (pool, (verdicts, learned)) in calm {
                self.reach(pool, at, end);
                self.walk.read_up_to(pool, end);
                self.walk.taught.insert(pool.clone(), learned);
                for it in verdicts {
                    self.note(&it.rule, &it.pool, it.track);
                }
            }
            for pool in &close {
                self.follow(pool);
            }
            at = end;
        }
    }

    /// The verdicts of pools over an hour in which nothing begins or ends, and what the pools have taught after it. `None`:
    /// something may; what the walk knows of the pool is as before then.
    fn calm<'p>(
        &mut self,
        pools: &[&'p PoolId],
        end: Minute,
    ) -> Vec<(&'p PoolId, Option<CalmHour>)> {
        for pool in pools {
            for read in [
                Record::ReadThrough((*pool).clone(), end),
                Record::ReadInFull((*pool).clone(), end),
                Record::ReadInDepth((*pool).clone(), end),
            ] {
                self.ahead.take_in(read);
            }
        }
        let (by, ahead, known) = (&self.by, &self.ahead, &self.walk.taught);
        let judge = |pool: &'p PoolId| {
            let due = BTreeSet::from([pool.clone()]);
            let learned = known.get(pool).cloned().unwrap_or_default();
            let mut taught = Taught::from([(pool.clone(), learned)]);
            let (rules, calendar, now) = (&by.rules, &by.calendar, end.start());
            let verdicts = engine::judge_some(rules, calendar, ahead, &mut taught, &due, now);
            let is_calm = |it: &Verdict| it.past.is_empty() && !it.state.is_on();
            let learned = taught.remove(pool).unwrap_or_default();
            let is_calm = verdicts.iter().all(is_calm);
            (pool, is_calm.then_some((verdicts, learned)))
        };
        // Two cores are what there is at the least; pools know nothing of one another here.
        let (left, right) = pools.split_at(pools.len() / 2);
        let judge_all = |these: &[&'p PoolId]| these.iter().map(|it| judge(it)).collect::<Vec<_>>();
        if left.is_empty() {
            return judge_all(right);
        }
        std::thread::scope(|scope| {
            let other = scope.spawn(|| judge_all(left));
            let own = judge_all(right);
            let mut all = match other.join() {
                Ok(judged) => judged,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            all.extend(own);
            all
        })
    }

    fn minutes(
        &mut self,
        at: Minute,
        end: Minute,
        close: &BTreeSet<PoolId>,
        see: &mut impl FnMut(Minute, &Step, &Walk),
    ) {
        let beside = self.beside(close);
        for minute in at.until(end) {
            let next = minute.plus(1);
            for (_, quota) in self.changes.iter().filter(|(at, _)| *at == minute) {
                let key = (quota.scope.clone(), quota.code.clone());
                let before = self.walk.book.quotas.get(&key);
                let change = QuotaChange {
                    scope: quota.scope.clone(),
                    code: quota.code.clone(),
                    old: before.and_then(|it| it.applied),
                    new: quota.applied,
                    at: minute.start(),
                };
                for book in [&mut self.walk.book, &mut self.ahead] {
                    book.take_in(Record::Quota(quota.clone()));
                    book.take_in(Record::QuotaChange(change.clone()));
                }
            }
            for pool in close.iter().chain(&beside) {
                self.reach(pool, minute, next);
            }
            let step = self.walk.step(close, next);
            see(next, &step, &self.walk);
        }
    }

    /// Pools that drain a quota of these: sizes are of all that drains it.
    fn beside(&self, close: &BTreeSet<PoolId>) -> Vec<PoolId> {
        let codes = |id: &PoolId| -> Vec<(Scope, QuotaCode)> {
            let pool = self.ahead.pools.get(id);
            let mappings = pool.into_iter().flat_map(|it| it.mappings.values());
            let codes = mappings.filter_map(|it| it.code());
            codes.map(|code| (id.scope.clone(), code.clone())).collect()
        };
        let drained: BTreeSet<_> = close.iter().flat_map(codes).collect();
        let others = self.ahead.pools.keys().filter(|id| !close.contains(*id));
        let others = others.filter(|id| codes(id).iter().any(|code| drained.contains(code)));
        others.cloned().collect()
    }

    /// Shows the walk what was measured of a pool in these minutes, which lie in one hour.
    fn reach(&mut self, pool: &PoolId, at: Minute, end: Minute) {
        let Some(series) = self.ahead.series.get(pool) else {
            return;
        };
        let known = self.walk.book.series.entry(pool.clone()).or_default();
        for signal in Signal::ALL {
            put(series, known, signal, at.hour(), end);
        }
    }

    fn has_change(&self, scope: &Scope, at: Minute, end: Minute) -> bool {
        let mut changes = self.changes.iter();
        changes.any(|(minute, quota)| quota.scope == *scope && (at..end).contains(minute))
    }

    fn note(&mut self, rule: &RuleName, pool: &PoolId, track: Track) {
        let key = AlertKey {
            rule: rule.clone(),
            pool: pool.clone(),
        };
        self.ahead.tracks.insert(key.clone(), track);
        self.walk.book.tracks.insert(key, track);
    }

    /// Judging goes on from where the walk stands.
    fn follow(&mut self, pool: &PoolId) {
        for rule in self.by.rules.of(pool).iter() {
            let key = AlertKey {
                rule: rule.name.clone(),
                pool: pool.clone(),
            };
            if let Some(track) = self.walk.book.tracks.get(&key) {
                self.ahead.tracks.insert(key, *track);
            }
        }
    }
}

/// What rules said of an hour, and what its pool has taught after it.
type CalmHour = (Vec<Verdict>, Learned);

/// Copies the minutes of an hour before `end`.
fn put(from: &PoolSeries, into: &mut PoolSeries, signal: Signal, hour: Minute, end: Minute) {
    let Some(mut block) = from.block(signal, hour) else {
        return;
    };
    for (minute, slot) in hour.until(hour.plus(HOUR)).zip(&mut block) {
        if end <= minute {
            *slot = Sample::Unobserved;
        }
    }
    into.restore(signal, hour, block);
}

const fn unjudged(start: Minute) -> Track {
    Track {
        state: AlertState::NoData,
        since: start,
        through: start.plus(-1),
        began: None,
        last_bad: None,
    }
}

#[cfg(test)]
mod tests;
