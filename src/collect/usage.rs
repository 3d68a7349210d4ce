//! Reading the use of pools: which minutes, in which requests, and what an answer proves.
//!
//! Whole targets go into a request, all nine series of each, so that a target is added up as soon as its request is
//! answered and memory holds one request's points only. CloudWatch bills each series of each request, so long ranges are
//! cut into stretches of a day at most: short enough for many series a request, long enough to be billed rarely.

mod ask;
pub mod backfill;

use std::collections::{BTreeMap, BTreeSet};

use self::ask::{Asker, MAX_QUERIES, total_query};
use self::backfill::FRESH_DAYS;
use super::Gathered;
use super::burndown;
use super::sum::{Measure, Tally};
use crate::cloud::Cloud;
use crate::model::book::Book;
use crate::model::catalog::PoolId;
use crate::model::history::Resolution;
use crate::model::ids::{Scope, TargetId};
use crate::model::series::{Reading, SETTLE_MINUTES, Sample, Signal};
use crate::model::time::{DAY, Minute, Timestamp};

/// No read goes back further than CloudWatch keeps minutes. A start that lies 15 days back or more is answered with
/// nothing and without error, and requests leave a while after `now`: hence the margin.
pub(super) const LONGEST_MINUTES: i64 = 15 * DAY - 10;

/// The longest stretch of one request.
const STRETCH_MINUTES: i64 = DAY;

/// Datapoints that one request may answer with.
const MAX_POINTS: i64 = 100_800;

/// Minutes over which [`throttles_of_account`] looks: throttles of one minute may be published several minutes later.
const ALARM_MINUTES: i64 = 15;

/// Reads these pools of one scope and sums their targets.
///
/// A pool's first read goes back to the midnight two days ago, which is what judging looks at first; what was before is for
/// the back-fill. Every later one begins 15 minutes before the minute to which it was read, since
/// datapoints come late. With each reading comes the minute up to which the pool is now read, exclusive: where part of an
/// answer was missing that is the first missing minute, so that the next read closes the gap. A pool of which nothing
/// could be read is left out. Pools of other scopes and pools without targets are ignored.
pub async fn read(
    cloud: &dyn Cloud,
    scope: &Scope,
    pools: &[PoolId],
    book: &Book,
    now: Timestamp,
) -> Gathered<Vec<(Reading, Minute)>> {
    let until = Minute::of(now);
    let mut targets: BTreeMap<&PoolId, Vec<&TargetId>> = BTreeMap::new();
    for target in book.targets.values() {
        targets.entry(&target.pool).or_default().push(&target.id);
    }
    let asked: BTreeSet<&PoolId> = pools.iter().filter(|pool| pool.scope == *scope).collect();
    // Pools that begin at the same minute share requests and evidence.
    let mut groups: BTreeMap<Minute, Vec<PoolRead<'_>>> = BTreeMap::new();
    for pool in asked {
        let Some(targets) = targets.remove(pool) else {
            continue;
        };
        let read = PoolRead::new(pool, targets, book, until);
        if read.reading.from < until {
            groups.entry(read.reading.from).or_default().push(read);
        }
    }
    let mut asker = Asker::new(cloud, scope);
    let mut found = Vec::new();
    for (from, mut group) in groups {
        read_group(&mut asker, &mut group, (from, until), now).await;
        found.extend(group.into_iter().filter_map(PoolRead::finish));
    }
    found.sort_by(|(a, _), (b, _)| a.pool.cmp(&b.pool));
    Gathered {
        found,
        faults: asker.into_faults(),
    }
}

/// The cheap wake-up: the throttled requests of the whole account in the last minutes, by minute. One series a call.
/// Nothing with a fault means that it could not be told.
pub(super) async fn throttles_of_account(
    cloud: &dyn Cloud,
    scope: &Scope,
    now: Timestamp,
) -> Gathered<Vec<(Minute, f64)>> {
    let until = Minute::of(now);
    let mut asker = Asker::new(cloud, scope);
    let query = total_query(Measure::Throttles);
    let stretch = (until.plus(-ALARM_MINUTES), until);
    let found = asker.values(&query, stretch).await;
    Gathered {
        found,
        faults: asker.into_faults(),
    }
}

/// One pool while it is read.
#[derive(Debug)]
struct PoolRead<'a> {
    targets: Vec<&'a TargetId>,
    rate: f64,
    reading: Reading,
    is_first: bool,
    /// The end of what was asked for and at least in part answered.
    until: Minute,
    /// The first minute that another read may still get.
    lost_from: Option<Minute>,
    /// Whether any of its targets was answered.
    is_answered: bool,
}

impl<'a> PoolRead<'a> {
    fn new(pool: &PoolId, targets: Vec<&'a TargetId>, book: &Book, until: Minute) -> Self {
        let oldest = until.plus(-LONGEST_MINUTES);
        let fresh = Resolution::Minute.stretch_of(until) - FRESH_DAYS;
        let fresh = Resolution::Minute.first_minute(fresh);
        let read_through = book.read_through.get(pool).copied();
        let from = read_through.map_or(fresh, |minute| {
            minute.min(until).plus(-SETTLE_MINUTES).max(oldest)
        });
        let known_rate = book.pools.get(pool).and_then(|pool| pool.burndown);
        Self {
            targets,
            // An unknown rate is charged at the highest known one: early warning, and nothing is filed on it.
            rate: known_rate.unwrap_or_else(burndown::highest),
            reading: Reading {
                pool: pool.clone(),
                from,
                signals: Signal::ALL.map(|signal| (signal, Vec::new())).into(),
                by_target: BTreeMap::new(),
            },
            is_first: read_through.is_none(),
            until: from,
            lost_from: None,
            is_answered: false,
        }
    }

    fn append(&mut self, tally: Tally, evidence: &[bool], now: Timestamp) {
        let summed = tally.finish(evidence, now);
        for (signal, samples) in summed.signals {
            let all: &mut Vec<Sample> = self.reading.signals.entry(signal).or_default();
            all.extend(samples);
        }
        for (target, took) in summed.by_target {
            let sum = self.reading.by_target.entry(target).or_default();
            sum.demand += took.demand;
            sum.charged += took.charged;
        }
        self.lost_from = self.lost_from.or(summed.lost_from);
    }

    /// The reading and the minute to which it reaches. A series that keeps failing holds the pool back by a day at most,
    /// after the back-fill had its second chance: it would otherwise be read back to its 15th day each time.
    fn finish(self) -> Option<(Reading, Minute)> {
        let floor = self.until.plus(-DAY);
        let through = match self.lost_from {
            None => self.until,
            Some(lost) if self.is_first => lost.min(self.until),
            Some(lost) => lost.max(floor).min(self.until),
        };
        self.is_answered.then_some((self.reading, through))
    }
}

/// Reads pools that begin at the same minute, a stretch at a time, oldest first, until the end or until it is no use.
async fn read_group(
    asker: &mut Asker<'_>,
    group: &mut [PoolRead<'_>],
    (from, until): (Minute, Minute),
    now: Timestamp,
) {
    let mut start = from;
    while start < until && !asker.is_stopped() {
        let end = until.min(start.plus(STRETCH_MINUTES));
        read_stretch(asker, group, (start, end), now).await;
        start = end;
    }
}

async fn read_stretch(
    asker: &mut Asker<'_>,
    group: &mut [PoolRead<'_>],
    (start, end): (Minute, Minute),
    now: Timestamp,
) {
    let minutes = usize::try_from(end.since(start)).unwrap_or(0);
    let mut evidence = vec![false; minutes];
    let mut tallies: Vec<Tally> = group
        .iter()
        .map(|pool| Tally::new(start, minutes, pool.rate))
        .collect();
    let members: Vec<(usize, &TargetId)> = (0_usize..)
        .zip(group.iter())
        .flat_map(|(index, pool)| pool.targets.iter().map(move |target| (index, *target)))
        .collect();
    let mut is_answered = vec![false; group.len()];
    let mut with_total = true; // once a stretch is enough
    for batch in members.chunks(targets_a_request(end.since(start))) {
        let ids: Vec<&TargetId> = batch.iter().map(|(_, target)| *target).collect();
        let answer = asker
            .targets(&ids, with_total, (start, end), &mut evidence)
            .await;
        with_total &= answer.is_none();
        let mut answers = answer.unwrap_or_default().into_iter();
        for (index, target) in batch {
            let of_target = answers.next();
            if let (Some(seen), true) = (is_answered.get_mut(*index), of_target.is_some()) {
                *seen = true;
            }
            if let Some(tally) = tallies.get_mut(*index) {
                tally.add(target, &of_target.unwrap_or_default());
            }
        }
    }
    for ((pool, tally), is_answered) in group.iter_mut().zip(tallies).zip(is_answered) {
        pool.append(tally, &evidence, now);
        pool.until = end;
        pool.is_answered |= is_answered;
    }
}

/// Whole targets that fit into a request, beside the account total: by its series and by its datapoints.
fn targets_a_request(minutes: i64) -> usize {
    let by_points = usize::try_from(MAX_POINTS / minutes.max(1)).unwrap_or(MAX_QUERIES);
    let queries = by_points.min(MAX_QUERIES);
    (queries.saturating_sub(1) / Measure::ALL.len()).max(1)
}

#[cfg(test)]
mod tests;
