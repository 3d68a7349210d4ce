//! Back-fill: what CloudWatch still knows of the time before a pool was watched, and of what was lost since.
//!
//! CloudWatch keeps minutes for 15 days, five minutes for 63 and hours for 455. A start or a period that does not fit is
//! answered with nothing and without error, which would look like 15 days without traffic: so no stretch begins before
//! its first whole day that is kept for sure.
//!
//! What is missing is told by what is held, and by nothing else: so a back-fill that was killed goes on where it was, what
//! was read is not paid for twice, and a stretch that was found damaged is simply missing again.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map},
    ops::Range,
};

use super::{Asker, Measure, Tally, targets_a_request};
use crate::cloud::{Cloud, Fault};
use crate::collect::{
    burndown,
    endpoint::Endpoint,
    sum::{Summed, share_by_the_hour},
};
use crate::model::book::Book;
use crate::model::catalog::PoolId;
use crate::model::history::{Bucket, Resolution, Stretch, StretchKey};
use crate::model::ids::{Scope, TargetId};
use crate::model::series::{Depth, Reading, Signal};
use crate::model::time::{DAY, HOUR, Minute, Timestamp};
use crate::model::uses::{self, UseDay};

/// The last days are read as they go by, and are still changing: the back-fill ends where they begin. It is the midnight
/// two days ago.
pub const FRESH_DAYS: i64 = 2;

/// Requests after which the rest of a back-fill waits for the next round: at one round a minute far below the rates that
/// CloudWatch allows, and 20 targets are done within a quarter of an hour.
const MOST_REQUESTS: usize = 10;

/// Reads that left gaps after which a stretch is kept as it is: a series that always fails must not be paid for for ever.
const MOST_TRIES: u8 = 3;

/// Pools that are read together: a day of them all is in memory until it is handed over.
const MOST_POOLS: usize = 28;

/// Minutes between the decision to read and the last request of it, at most. A day that CloudWatch forgets meanwhile is
/// not asked for.
const LEEWAY: i64 = HOUR;

/// The day that this minute lies in, counted from 1970.
const fn day_of(minute: Minute) -> i64 {
    Resolution::Minute.stretch_of(minute)
}

/// The first day before `now` of which CloudWatch keeps this resolution from its first minute on.
const fn first_kept(resolution: Resolution, now: Minute) -> i64 {
    let days = match resolution {
        Resolution::Minute => 15,
        Resolution::FiveMinutes => 63,
        Resolution::Hour => 455,
    };
    day_of(now.plus(LEEWAY)) + 1 - days
}

/// The days for which this resolution is asked for at `now`, the end exclusive. Hours begin where CloudWatch forgets, five
/// minutes with the first whole week, and each ends where the finer one begins.
fn days(resolution: Resolution, now: Minute) -> Range<i64> {
    let first = first_kept(resolution, now);
    match resolution {
        Resolution::Minute => first..day_of(now) - FRESH_DAYS,
        Resolution::FiveMinutes => {
            let week = resolution.stretch_days();
            let whole = first.div_euclid(week) + i64::from(first.rem_euclid(week) != 0);
            whole * week..first_kept(Resolution::Minute, now)
        }
        Resolution::Hour => first..days(Resolution::FiveMinutes, now).start,
    }
}

/// The stretches of this pool that are held nowhere and that CloudWatch still has: minutes first, newest first.
///
/// `held` are the stretches of the history; `is_known` tells of a day whether its minutes are held elsewhere. Where a
/// day is held at a finer resolution, it is not asked for again at a coarser one.
#[must_use]
pub fn missing(
    pool: &PoolId,
    held: &BTreeSet<(Resolution, i64)>,
    is_known: impl Fn(i64) -> bool,
    now: Minute,
) -> Vec<StretchKey> {
    let mut missing = Vec::new();
    for resolution in Resolution::ALL {
        let asked = days(resolution, now);
        let finer = Resolution::ALL.into_iter().filter(|it| *it < resolution);
        let is_covered = |day: i64| {
            let mut finer = finer.clone();
            is_known(day) || finer.any(|it| held.contains(&(it, day.div_euclid(it.stretch_days()))))
        };
        let length = resolution.stretch_days();
        let numbers = asked.start.div_euclid(length)..=(asked.end - 1).div_euclid(length);
        for number in numbers
            .rev()
            .filter(|it| !held.contains(&(resolution, *it)))
        {
            let own = (number * length).max(asked.start)..((number + 1) * length).min(asked.end);
            if own.into_iter().any(|day| !is_covered(day)) {
                missing.push(StretchKey {
                    pool: pool.clone(),
                    resolution,
                    number,
                });
            }
        }
    }
    missing
}

/// The days that were filled, or could have been: from the first of which CloudWatch has anything to where the fresh ones
/// begin.
pub(super) fn known(now: Timestamp) -> (Minute, Minute) {
    let now = Minute::of(now);
    let days = first_kept(Resolution::Hour, now)..day_of(now) - FRESH_DAYS;
    (Minute(days.start * DAY), Minute(days.end * DAY))
}

/// Whether this stretch of the history has minutes from the day `since` on, and CloudWatch still has all of it: it can be
/// read again without a loss.
#[must_use]
pub fn can_be_read_again(
    (resolution, number): (Resolution, i64),
    since: i64,
    now: Timestamp,
) -> bool {
    let length = resolution.stretch_days();
    let asked = days(resolution, Minute::of(now));
    since < (number + 1) * length && asked.contains(&(number * length))
}

/// The minutes of a stretch that CloudWatch can be asked for at `now`: all of it, but for its days that CloudWatch no
/// longer has and those that are still changing.
fn range(resolution: Resolution, number: i64, now: Minute) -> (Minute, Minute) {
    let length = resolution.stretch_days();
    let first = (number * length).max(first_kept(resolution, now));
    let end = ((number + 1) * length).min(day_of(now) - FRESH_DAYS);
    (Minute(first * DAY), Minute(end * DAY))
}

/// How often stretches were read and had gaps. It can be lost.
pub type Tries = BTreeMap<StretchKey, u8>;

/// A stretch that was read back, and what its minutes say of the targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Filled {
    /// The stretch.
    pub stretch: Stretch,
    /// Who took what on that day; `None` where it is older than is kept, coarser than minutes, or of a single target.
    pub uses: Option<UseDay>,
}

/// A back-fill of one scope in one round: the stretches of one time after another, so that what was read is on disk before
/// more is read. A day of one pool is a megabyte while it is on its way.
#[derive(Debug)]
pub struct Backfill<'a> {
    asker: Asker<'a>,
    /// Requests that are left.
    left: usize,
    groups: btree_map::IntoIter<(Resolution, i64), Vec<PoolFill<'a>>>,
    tries: &'a mut Tries,
    now: Timestamp,
}

impl<'a> Backfill<'a> {
    /// Of what is wanted, and how often it was tried. The finest and newest comes first, for as many pools as go into the
    /// requests of one round.
    pub fn new(
        cloud: &'a dyn Cloud,
        scope: &'a Scope,
        (wanted, tries): (&'a [StretchKey], &'a mut Tries),
        book: &'a Book,
        now: Timestamp,
    ) -> Self {
        Self {
            groups: groups(wanted, book, tries).into_iter(),
            asker: Asker::new(cloud, scope, 0),
            left: MOST_REQUESTS,
            tries,
            now,
        }
    }

    /// Reads the stretches of the next time; `None` at the end of the round. One whose answer had gaps is not given back,
    /// but for the third time.
    pub async fn next(&mut self) -> Option<Vec<Filled>> {
        while 0 < self.left && !self.asker.is_stopped() {
            let ((resolution, number), pools) = self.groups.next()?;
            let number = -number; // newest first
            let (from, until) = range(resolution, number, Minute::of(self.now));
            let slots = until.since(from) / resolution.minutes();
            if slots <= 0 {
                continue;
            }
            let room = targets_a_request(Depth::Deep, slots);
            let pools = self.fitting(pools, room);
            if pools.is_empty() {
                return None;
            }
            let asked: usize = pools.iter().map(|pool| pool.targets.len()).sum();
            self.left = self.left.saturating_sub(asked.div_ceil(room));
            self.asker.every(resolution.minutes());
            let (which, span) = ((resolution, number), (from, until));
            let read = read_group(&mut self.asker, pools, which, span, self.now).await;
            return Some(self.kept(read));
        }
        None
    }

    /// The pools that go into the requests that are left. One that is too big for any round is read alone.
    fn fitting(&self, pools: Vec<PoolFill<'a>>, room: usize) -> Vec<PoolFill<'a>> {
        let mut targets = 0;
        let fitting = pools.into_iter().take(MOST_POOLS).take_while(|pool| {
            let is_first = targets == 0 && self.left == MOST_REQUESTS;
            targets += pool.targets.len();
            is_first || targets.div_ceil(room) <= self.left
        });
        fitting.collect()
    }

    fn kept(&mut self, read: Vec<(Filled, bool)>) -> Vec<Filled> {
        let mut found = Vec::new();
        for (filled, is_whole) in read {
            let key = &filled.stretch.key;
            let tried = self.tries.entry(key.clone()).or_insert(0);
            *tried += 1;
            if is_whole || MOST_TRIES <= *tried {
                self.tries.remove(key);
                found.push(filled);
            }
        }
        found
    }

    /// What failed.
    #[must_use]
    pub fn into_faults(self) -> Vec<Fault> {
        self.asker.into_faults()
    }
}

/// One pool of a group.
#[derive(Debug)]
struct PoolFill<'a> {
    pool: &'a PoolId,
    targets: Vec<&'a TargetId>,
    rate: f64,
    tried: u8,
}

/// What is wanted, by resolution and time, the newest first: pools that want the same share requests and evidence. What
/// was tried most often comes last.
fn groups<'a>(
    wanted: &'a [StretchKey],
    book: &'a Book,
    tries: &Tries,
) -> BTreeMap<(Resolution, i64), Vec<PoolFill<'a>>> {
    let mut targets: BTreeMap<&PoolId, Vec<&TargetId>> = BTreeMap::new();
    for target in book.targets.values() {
        targets.entry(&target.pool).or_default().push(&target.id);
    }
    let mut groups: BTreeMap<(Resolution, i64), Vec<PoolFill<'a>>> = BTreeMap::new();
    for key in wanted {
        let Some(targets) = targets.get(&key.pool) else {
            continue;
        };
        let rate = book.pools.get(&key.pool).and_then(|pool| pool.burndown);
        let group = groups.entry((key.resolution, -key.number)).or_default();
        group.push(PoolFill {
            pool: &key.pool,
            targets: targets.clone(),
            rate: rate.unwrap_or_else(burndown::highest),
            tried: tries.get(key).copied().unwrap_or(0),
        });
    }
    for group in groups.values_mut() {
        group.sort_by_key(|fill| fill.tried);
    }
    groups
}

/// Reads one stretch of these pools. With each comes whether its answer was whole; one that was not answered at all is
/// left out.
async fn read_group(
    asker: &mut Asker<'_>,
    pools: Vec<PoolFill<'_>>,
    (resolution, number): (Resolution, i64),
    (from, until): (Minute, Minute),
    now: Timestamp,
) -> Vec<(Filled, bool)> {
    let step = resolution.minutes();
    let slots = usize::try_from(until.since(from) / step).unwrap_or(0);
    let mut evidence = vec![false; slots];
    let mut tallies: Vec<Tally> = pools
        .iter()
        .map(|fill| Tally::new(from, slots, Depth::Deep, fill.pool.family, fill.rate))
        .collect();
    let mut lacking = vec![false; pools.len()];
    let members: Vec<(usize, &TargetId)> = pools
        .iter()
        .enumerate()
        .flat_map(|(index, fill)| fill.targets.iter().map(move |target| (index, *target)))
        .collect();
    for batch in members.chunks(targets_a_request(Depth::Deep, until.since(from) / step)) {
        let ids: Vec<&TargetId> = batch.iter().map(|(_, target)| *target).collect();
        let answer = asker
            .targets(&ids, Depth::Deep, (from, until), &mut evidence)
            .await;
        let mut answers = answer.into_iter().flatten();
        for (index, target) in batch {
            let of_target = answers.next();
            match (of_target, tallies.get_mut(*index), lacking.get_mut(*index)) {
                (Some(points), Some(tally), _) => tally.add(target, &points),
                (_, _, Some(lacks)) => *lacks = true,
                (_, _, None) => {} // as many as there are pools
            }
        }
    }
    let endpoints = pools.iter().map(|fill| Endpoint::of(fill.pool.family));
    for endpoint in endpoints.collect::<BTreeSet<_>>() {
        if !evidence.contains(&false) {
            break;
        }
        // What no target had may still be proved to be zero: by traffic of the account that is not theirs.
        let traffic = Measure::of_traffic(endpoint);
        for (minute, _) in asker.total(traffic, endpoint, (from, until)).await {
            let index = usize::try_from(minute.since(from) / step).ok();
            if let Some(seen) = index.and_then(|index| evidence.get_mut(index)) {
                *seen = true;
            }
        }
    }
    let read = pools.into_iter().zip(tallies).zip(lacking);
    let answered = read.filter(|(_, lacks)| !lacks);
    let stretches = answered.map(|((fill, tally), _)| {
        let summed = tally.finish(&evidence, now);
        filled(fill.pool, summed, (resolution, number), from, now)
    });
    stretches.collect()
}

/// What was read of a pool as a stretch, and whether its answer was whole.
fn filled(
    pool: &PoolId,
    summed: Summed,
    (resolution, number): (Resolution, i64),
    from: Minute,
    now: Timestamp,
) -> (Filled, bool) {
    let is_whole = summed.lost.is_empty();
    let key = StretchKey {
        pool: pool.clone(),
        resolution,
        number,
    };
    let skipped = from.since(key.first_minute()) / resolution.minutes();
    let mut signals = summed.signals;
    if resolution == Resolution::Minute {
        share_by_the_hour(&mut signals, from);
    }
    let reading = Reading {
        pool: pool.clone(),
        from,
        signals,
        by_target: summed.by_target,
    };
    let uses = uses_of(&key, &reading, Minute::of(now));
    let signals = reading.signals.into_iter();
    let signals: BTreeMap<Signal, Vec<Bucket>> = signals
        .map(|(signal, samples)| {
            let samples = samples.into_iter();
            let known = samples.map(|sample| Bucket::added_up(signal, sample, resolution));
            (signal, padded(known, skipped, resolution))
        })
        .collect();
    let stretch = Stretch { key, signals };
    (Filled { stretch, uses }, is_whole)
}

fn uses_of(key: &StretchKey, reading: &Reading, now: Minute) -> Option<UseDay> {
    let is_kept = uses::day_of(now) - uses::KEPT_DAYS <= key.number;
    let is_shared = 2 <= reading.by_target.len();
    let is_of_minutes = key.resolution == Resolution::Minute;
    (is_of_minutes && is_kept && is_shared)
        .then(|| UseDay::of_whole_hours(reading, key.number, reading.until()))
        .filter(|day| !day.hours.is_empty())
}

/// All buckets of a stretch: unobserved ones before and after what was read.
fn padded(
    known: impl Iterator<Item = Bucket>,
    skipped: i64,
    resolution: Resolution,
) -> Vec<Bucket> {
    let skipped = usize::try_from(skipped).unwrap_or(0);
    let length = usize::try_from(resolution.buckets()).unwrap_or(0);
    let before = std::iter::repeat_n(Bucket::default(), skipped);
    let after = std::iter::repeat(Bucket::default());
    before.chain(known).chain(after).take(length).collect()
}

#[cfg(test)]
mod tests;
