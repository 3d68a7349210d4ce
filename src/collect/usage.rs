//! Reading the use of pools: which minutes, in which requests, and what an answer proves.
//!
//! Whole targets go into a request, all series of each that the depth of the read asks for, so that a target is added up
//! as soon as its request is answered and memory holds one request's points only. CloudWatch bills each series of each
//! request, so long ranges are cut into stretches of a day at most: short enough for many series a request, long enough
//! to be billed rarely. Pools that were left behind are caught up with in shorter ones, and last.

mod ask;
pub mod backfill;
mod chances;
pub(super) mod past;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use self::ask::{Asker, MAX_QUERIES};
use self::backfill::FRESH_DAYS;
use self::chances::ask_all;
use super::Gathered;
use super::burndown;
use super::endpoint::Endpoint;
use super::sum::{DELAY_MINUTES, Lost, Measure, Tally, share_by_the_hour, signals_up_to};
use crate::cloud::Cloud;
use crate::model::book::{Book, Record};
use crate::model::catalog::PoolId;
use crate::model::history::Resolution;
use crate::model::ids::{Scope, TargetId};
use crate::model::series::{Depth, Reading, SETTLE_MINUTES, Sample};
use crate::model::time::{DAY, HOUR, Minute, Timestamp};

/// No read goes back further than CloudWatch keeps minutes. A start that lies 15 days back or more is answered with
/// nothing and without error, and requests leave a while after `now`: hence the margin.
pub(super) const LONGEST_MINUTES: i64 = 15 * DAY - 10;

/// The longest stretch of one request.
const STRETCH_MINUTES: i64 = DAY;

/// The longest stretch where a pool was left behind: whatever failed before may fail again, and then what is whole up to
/// there is kept. A day at once would be an eighth of the price, and of a thousand targets it would never be whole.
const CATCH_UP_MINUTES: i64 = 3 * HOUR;

/// Datapoints that one request may answer with.
const MAX_POINTS: i64 = 100_800;

/// Minutes over which [`throttles_of_account`] looks: throttles of one minute may be published several minutes later.
const ALARM_MINUTES: i64 = 15;

/// What was read of one pool.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolReading {
    /// Its minutes.
    pub reading: Reading,
    /// The minute up to which its quick signals are now read, exclusive.
    pub through: Minute,
    /// The same for what a full read reads; `None` after a quick one.
    pub in_full: Option<Minute>,
    /// The same for all signals; `None` after any but a deep read.
    pub in_depth: Option<Minute>,
    /// Whether one of its targets publishes no `EstimatedTPMQuotaUsage`, so that a quick read can't tell its tokens. A
    /// quick read does not find out.
    pub is_by_formula: bool,
}

impl PoolReading {
    /// How far the pool is read now. A pool of an older release was always read in full; the first quick read writes down
    /// how far that was.
    #[must_use]
    pub fn records(&self, book: &Book) -> Vec<Record> {
        let pool = &self.reading.pool;
        let in_full = self.in_full.or_else(|| {
            let is_old = !book.read_in_full.contains_key(pool);
            book.read_through.get(pool).copied().filter(|_| is_old)
        });
        let in_full = in_full.map(|minute| Record::ReadInFull(pool.clone(), minute));
        let in_depth = self.in_depth;
        let in_depth = in_depth.map(|minute| Record::ReadInDepth(pool.clone(), minute));
        let through = Record::ReadThrough(pool.clone(), self.through);
        let deeper = in_full.into_iter().chain(in_depth);
        deeper.chain([through]).collect()
    }
}

/// Reads these pools of one scope, each as deep as said, and sums their targets. `free` requests may be spent on single
/// series, see [`Cloud::metric_statistics`]; what is left of them is left there.
///
/// A pool's first read is a deep one and goes back to the midnight two days ago, which is what judging looks at first; what
/// was before is for the back-fill. Every later one begins 15 minutes before the minute to which it was read that deep,
/// since datapoints come late. Where part of an answer was missing, the pool is read up to the first missing minute, so
/// that the next read closes the gap. A pool of which nothing could be read is left out. Pools of other scopes and pools
/// without targets are ignored.
pub async fn read(
    cloud: &dyn Cloud,
    scope: &Scope,
    pools: &[(PoolId, Depth)],
    book: &Book,
    free: &mut u32,
    now: Timestamp,
) -> Gathered<Vec<PoolReading>> {
    let until = Minute::of(now);
    let mut targets: BTreeMap<&PoolId, Vec<&TargetId>> = BTreeMap::new();
    for target in book.targets.values() {
        targets.entry(&target.pool).or_default().push(&target.id);
    }
    let own = pools.iter().filter(|(pool, _)| pool.scope == *scope);
    let asked: BTreeMap<&PoolId, Depth> = own.map(|(pool, depth)| (pool, *depth)).collect();
    // Pools that begin at the same minute share requests and evidence. Those that are far behind come last: a read that
    // fails too often ends, and nobody else is to pay for it.
    let mut groups: BTreeMap<(Reverse<Minute>, Depth), Vec<PoolRead<'_>>> = BTreeMap::new();
    for (pool, depth) in asked {
        let Some(targets) = targets.remove(pool) else {
            continue;
        };
        let read = PoolRead::new(pool, depth, targets, book, until);
        let from = read.reading.from;
        if from < until {
            let group = groups.entry((Reverse(from), read.depth));
            group.or_default().push(read);
        }
    }
    let mut asker = Asker::new(cloud, scope, *free);
    let mut found = Vec::new();
    for ((Reverse(from), depth), mut group) in groups {
        read_group(&mut asker, &mut group, depth, (from, until), now).await;
        found.extend(group.into_iter().filter_map(PoolRead::finish));
    }
    found.sort_by(|a, b| a.reading.pool.cmp(&b.reading.pool));
    *free = asker.free();
    Gathered {
        found,
        faults: asker.into_faults(),
    }
}

/// The cheap wake-up: the throttled requests of the whole account in the last minutes, by minute. One series, and by the
/// call that is free as long as there are free ones. Nothing with a fault means that it could not be told.
pub(super) async fn throttles_of_account(
    cloud: &dyn Cloud,
    scope: &Scope,
    now: Timestamp,
) -> Gathered<Vec<(Minute, f64)>> {
    let until = Minute::of(now);
    let mut asker = Asker::new(cloud, scope, 0);
    let stretch = (until.plus(-ALARM_MINUTES), until);
    let found = asker
        .total(Measure::Throttles, Endpoint::Runtime, stretch)
        .await;
    Gathered {
        found,
        faults: asker.into_faults(),
    }
}

/// One pool while it is read.
#[derive(Debug)]
struct PoolRead<'a> {
    depth: Depth,
    targets: Vec<&'a TargetId>,
    rate: f64,
    reading: Reading,
    is_first: bool,
    /// How far the pool was read before, by depth.
    known: BTreeMap<Depth, Minute>,
    /// The end of what was asked for and at least in part answered.
    until: Minute,
    /// The first minute that another read may still get, by its depth.
    lost: Lost,
    is_by_formula: bool,
    /// Whether any of its targets was answered.
    is_answered: bool,
}

impl<'a> PoolRead<'a> {
    fn new(
        pool: &PoolId,
        depth: Depth,
        targets: Vec<&'a TargetId>,
        book: &Book,
        until: Minute,
    ) -> Self {
        let oldest = until.plus(-LONGEST_MINUTES);
        let fresh = Resolution::Minute.stretch_of(until) - FRESH_DAYS;
        let fresh = Resolution::Minute.first_minute(fresh);
        let known = book.known_until(pool, depth);
        let depth = if known.is_none() { Depth::Deep } else { depth };
        let from = known.map_or(fresh, |minute| {
            minute.min(until).plus(-SETTLE_MINUTES).max(oldest)
        });
        let known_rate = book.pools.get(pool).and_then(|pool| pool.burndown);
        let signals = signals_up_to(depth, pool.family);
        Self {
            depth,
            targets,
            // An unknown rate is charged at the highest known one: early warning, and nothing is filed on it.
            rate: known_rate.unwrap_or_else(burndown::highest),
            reading: Reading {
                pool: pool.clone(),
                from,
                signals: signals.map(|signal| (signal, Vec::new())).collect(),
                by_target: BTreeMap::new(),
            },
            known: Depth::ALL
                .into_iter()
                .filter_map(|depth| Some((depth, book.known_until(pool, depth)?)))
                .collect(),
            is_first: !book.read_through.contains_key(pool),
            until: from,
            lost: Lost::new(),
            is_by_formula: false,
            is_answered: false,
        }
    }

    fn append(&mut self, tally: Tally, evidence: &[bool], now: Timestamp) {
        let minutes = evidence.len();
        let summed = tally.finish(evidence, now);
        for (signal, samples) in summed.signals {
            let all: &mut Vec<Sample> = self.reading.signals.entry(signal).or_default();
            all.extend(samples);
        }
        for (target, took) in summed.by_target {
            let sum = self.reading.by_target.entry(target).or_default();
            sum.append(took, minutes);
        }
        for (depth, minute) in summed.lost {
            self.lost.entry(depth).or_insert(minute);
        }
        self.is_by_formula |= summed.is_by_formula;
    }

    /// The reading and how far it reaches. A series that keeps failing holds the pool back by a day at most, after the
    /// back-fill had its second chance: it would otherwise be read back to its 15th day each time. Series that only reads
    /// in full read do not hold back the others.
    fn finish(mut self) -> Option<PoolReading> {
        share_by_the_hour(&mut self.reading.signals, self.reading.from);
        let up_to = |depth| {
            let lost = self.lost.range(..=depth).map(|(_, minute)| *minute);
            let Some(lost) = lost.min() else {
                return self.until;
            };
            if self.is_first {
                return lost.min(self.until);
            }
            // What was read once stays read: what a read lacks of it is read again by the next one anyway.
            let known = self.known.get(&depth).copied();
            let lost = known.map_or(lost, |known| lost.max(known));
            lost.max(self.until.plus(-DAY)).min(self.until)
        };
        let read = |depth| (depth <= self.depth).then(|| up_to(depth));
        // Until the first read is whole it is begun anew, for all series.
        let quick = if self.is_first {
            Depth::Deep
        } else {
            Depth::Quick
        };
        self.is_answered.then(|| PoolReading {
            through: up_to(quick),
            in_full: read(Depth::Full),
            in_depth: read(Depth::Deep),
            is_by_formula: self.is_by_formula,
            reading: self.reading,
        })
    }
}

/// Reads pools that begin at the same minute, a stretch at a time, oldest first, until the end or until it is no use.
async fn read_group(
    asker: &mut Asker<'_>,
    group: &mut [PoolRead<'_>],
    depth: Depth,
    (from, until): (Minute, Minute),
    now: Timestamp,
) {
    let is_first = group.iter().any(|pool| pool.is_first);
    let longest = if is_first {
        STRETCH_MINUTES
    } else {
        CATCH_UP_MINUTES
    };
    let mut start = from;
    while start < until && !asker.is_stopped() {
        let end = until.min(start.plus(longest));
        read_stretch(asker, group, depth, (start, end), now).await;
        start = end;
    }
}

async fn read_stretch(
    asker: &mut Asker<'_>,
    group: &mut [PoolRead<'_>],
    depth: Depth,
    (start, end): (Minute, Minute),
    now: Timestamp,
) {
    let minutes = usize::try_from(end.since(start)).unwrap_or(0);
    let mut evidence = vec![false; minutes];
    let mut tallies: Vec<Tally> = group
        .iter()
        .map(|pool| Tally::new(start, minutes, depth, pool.reading.pool.family, pool.rate))
        .collect();
    let members: Vec<(usize, &TargetId)> = (0_usize..)
        .zip(group.iter())
        .flat_map(|(index, pool)| pool.targets.iter().map(move |target| (index, *target)))
        .collect();
    let mut is_answered = vec![false; group.len()];
    let ids: Vec<&TargetId> = members.iter().map(|(_, target)| *target).collect();
    let answers = ask_all(asker, &ids, depth, (start, end), &mut evidence).await;
    for ((index, target), of_target) in members.into_iter().zip(answers) {
        if let (Some(seen), true) = (is_answered.get_mut(index), of_target.is_some()) {
            *seen = true;
        }
        if let Some(tally) = tallies.get_mut(index) {
            tally.add(target, &of_target.unwrap_or_default());
        }
    }
    let endpoints = group.iter().map(|it| Endpoint::of(it.reading.pool.family));
    for endpoint in endpoints.collect::<BTreeSet<_>>() {
        if !needs_evidence(&evidence, start, now) {
            break;
        }
        let traffic = Measure::of_traffic(endpoint);
        for (minute, _) in asker.total(traffic, endpoint, (start, end)).await {
            let index = usize::try_from(minute.since(start)).ok();
            if let Some(seen) = index.and_then(|index| evidence.get_mut(index)) {
                *seen = true;
            }
        }
    }
    for ((pool, tally), is_answered) in group.iter_mut().zip(tallies).zip(is_answered) {
        pool.append(tally, &evidence, now);
        pool.until = end;
        pool.is_answered |= is_answered;
    }
}

/// Whether there is a published minute in which none of the targets had data: then it takes the total of the account to
/// tell whether nobody asked for anything, or the Region's metrics stand still.
fn needs_evidence(evidence: &[bool], start: Minute, now: Timestamp) -> bool {
    (1_i64..).zip(evidence).any(|(end, has_data)| {
        let is_published = start.plus(end + DELAY_MINUTES).start() <= now;
        is_published && !has_data
    })
}

/// Whole targets that fit into a request: by their series and by their datapoints. Those of the runtime endpoint have
/// most of both.
fn targets_a_request(depth: Depth, minutes: i64) -> usize {
    let by_points = usize::try_from(MAX_POINTS / minutes.max(1)).unwrap_or(MAX_QUERIES);
    let series = Measure::up_to(depth, Endpoint::Runtime).count();
    (by_points.min(MAX_QUERIES) / series).max(1)
}

#[cfg(test)]
mod tests;
