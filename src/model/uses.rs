//! Who takes what of a pool: by the minute lately, and by the hour for a week, so that a change has names.
//!
//! Who carries a change is worked out in `engine::shift`. Here is what it rests on: [`RecentUse`] in memory, of every
//! target of a pool; [`UseDay`] in the ledger, of the largest ones of each hour and all others together.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ids::TargetId,
    series::{Reading, SETTLE_MINUTES, Sample, Signal, TargetUse},
    time::{DAY, HOUR, Minute},
};

/// Targets that an hour names; with the others together, a thousand profiles take no more room than these.
pub const MOST_NAMED: usize = 8;
/// Whole days that are kept beside the one that goes on: each day of the week once.
pub const KEPT_DAYS: i64 = 7;
/// Minutes that are held one by one: an hour, the time until its minutes have settled, and what is read seldom.
pub const RECENT_MINUTES: i64 = 180;
/// So long after its end an hour still changes: late datapoints are read for a quarter of an hour, by reads that are a
/// quarter of an hour apart at most.
const LATE_MINUTES: i64 = 2 * SETTLE_MINUTES;
/// An hour of which fewer minutes are known is not written down.
const LEAST_KNOWN: u8 = 30;

/// What was taken of a pool in an hour.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct UseHour {
    /// Minutes in which all targets are accounted for, `1..=60`; the sums are over these.
    pub minutes: u8,
    /// The largest: their place in [`UseDay::targets`], and what each took.
    pub named: Vec<(u16, TargetUse)>,
    /// All others together.
    pub others: TargetUse,
}

/// What was taken of a pool on a UTC day. An hour that is not known well enough is left out.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct UseDay {
    /// All targets that an hour names.
    pub targets: Vec<TargetId>,
    /// By the hour of the day, `0..24`.
    pub hours: BTreeMap<u8, UseHour>,
}

/// What each target takes a minute, and what the targets take that have no name there.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Taken {
    /// By target.
    pub named: BTreeMap<TargetId, TargetUse>,
    /// All others together.
    pub others: TargetUse,
}

/// The day that a minute lies in, counted from 1970.
#[must_use]
pub const fn day_of(minute: Minute) -> i64 {
    minute.0.div_euclid(DAY)
}

/// The hour of the day that a minute lies in.
#[must_use]
pub fn hour_of(minute: Minute) -> u8 {
    u8::try_from(minute.0.rem_euclid(DAY) / HOUR).unwrap_or(0) // below 24
}

impl UseDay {
    /// Writes down an hour: the sums of its targets over so many minutes.
    pub fn set(&mut self, hour: u8, minutes: u8, taken: BTreeMap<&TargetId, TargetUse>) {
        let total = taken
            .values()
            .fold(TargetUse::default(), |sum, it| sum.plus(*it));
        let share = |part: f64, whole: f64| if 0.0 < whole { part / whole } else { 0.0 };
        let weight = |it: &TargetUse| {
            let requests = share(it.demand, total.demand);
            requests.max(share(it.charged, total.charged))
        };
        let mut by_size: Vec<(&TargetId, TargetUse)> = taken
            .into_iter()
            .filter(|(_, it)| *it != TargetUse::default())
            .collect();
        // A stable sort: of equal ones the first name.
        by_size.sort_by(|a, b| weight(&b.1).total_cmp(&weight(&a.1)));
        let rest = by_size.split_off(by_size.len().min(MOST_NAMED));
        let named = by_size
            .into_iter()
            .map(|(target, it)| (self.place(target), it));
        let hour_use = UseHour {
            minutes,
            named: named.collect(),
            others: rest
                .into_iter()
                .fold(TargetUse::default(), |sum, (_, it)| sum.plus(it)),
        };
        self.hours.insert(hour, hour_use);
    }

    /// An hour names few, so that a day names at most 24 times as many.
    fn place(&mut self, target: &TargetId) -> u16 {
        let known = self.targets.iter().position(|it| it == target);
        let place = known.unwrap_or_else(|| {
            self.targets.push(target.clone());
            self.targets.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }

    /// Means a minute of this hour; `None` where it is not known.
    #[must_use]
    pub fn taken(&self, hour: u8) -> Option<Taken> {
        let row = self.hours.get(&hour).filter(|it| 0 < it.minutes)?;
        let a_minute = 1.0 / f64::from(row.minutes);
        let mut taken = Taken {
            others: row.others.times(a_minute),
            ..Taken::default()
        };
        for (place, it) in &row.named {
            let target = self.targets.get(usize::from(*place))?;
            taken.named.insert(target.clone(), it.times(a_minute));
        }
        Some(taken)
    }

    /// What this target took in this hour as one of the largest; `None` where the hour is not known.
    #[must_use]
    pub fn took(&self, hour: u8, target: &TargetId) -> Option<TargetUse> {
        let row = self.hours.get(&hour).filter(|it| 0 < it.minutes)?;
        let is_its = |place: u16| self.targets.get(usize::from(place)) == Some(target);
        let mut own = row.named.iter().filter(|(place, _)| is_its(*place));
        Some(own.next().map_or_else(TargetUse::default, |(_, it)| *it))
    }

    /// This day with the hours of another copy of it that it lacks.
    #[must_use]
    pub fn completed(mut self, other: &Self) -> Self {
        for (hour, row) in &other.hours {
            if self.hours.contains_key(hour) {
                continue;
            }
            let targets: Vec<(u16, TargetUse)> = row
                .named
                .iter()
                .filter_map(|(place, it)| {
                    let target = other.targets.get(usize::from(*place))?;
                    Some((self.place(target), *it))
                })
                .collect();
            let row = UseHour {
                named: targets,
                ..row.clone()
            };
            self.hours.insert(*hour, row);
        }
        self
    }

    /// The hours of this day that a reading has from beginning to end and of which every minute is known.
    #[must_use]
    pub fn of_whole_hours(reading: &Reading, day: i64, until: Minute) -> Self {
        let mut made = Self::default();
        let first = Minute(day * DAY);
        for hour in 0_u8..24 {
            let (from, end) = (
                first.plus(i64::from(hour) * HOUR),
                first.plus(i64::from(hour + 1) * HOUR),
            );
            let is_within = reading.from <= from && end <= until;
            if is_within && from.until(end).all(|minute| is_known(reading, minute)) {
                let taken = reading.by_target.iter().filter_map(|(target, it)| {
                    let of_hour = it.hours.get(&from)?;
                    Some((target, *of_hour))
                });
                made.set(hour, 60, taken.collect());
            }
        }
        made
    }
}

/// Whether all targets are accounted for in this minute, requests and tokens.
fn is_known(reading: &Reading, minute: Minute) -> bool {
    let Ok(index) = usize::try_from(minute.since(reading.from)) else {
        return false;
    };
    [
        Signal::Invocations,
        Signal::Throttles,
        Signal::ChargedTokens,
    ]
    .into_iter()
    .all(|signal| {
        let samples = reading.signals.get(&signal);
        let sample = samples.and_then(|it| it.get(index));
        matches!(sample, Some(Sample::Value(_)))
    })
}

/// The last minutes of a pool with more than one target, target by target.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RecentUse {
    /// Those in which all targets are accounted for.
    known: BTreeSet<Minute>,
    /// What was taken in them; targets that took nothing are left out.
    by_target: BTreeMap<TargetId, BTreeMap<Minute, TargetUse>>,
}

impl RecentUse {
    /// Takes in the last minutes of a reading; what it knows replaces what was known before.
    pub fn take_in(&mut self, reading: &Reading) {
        let until = reading.until();
        let oldest = until.plus(-RECENT_MINUTES);
        self.known.retain(|minute| oldest <= *minute);
        let from = reading.from.max(oldest);
        let news: BTreeSet<Minute> = from
            .until(until)
            .filter(|minute| is_known(reading, *minute))
            .collect();
        for minutes in self.by_target.values_mut() {
            minutes.retain(|minute, _| oldest <= *minute && !news.contains(minute));
        }
        for (target, it) in &reading.by_target {
            let tail = i64::try_from(it.tail.len()).unwrap_or(0); // minutes of a few hours
            let minutes = until.plus(-tail).until(until).zip(&it.tail);
            let taken = minutes
                .filter(|(at, taken)| news.contains(at) && **taken != TargetUse::default())
                .map(|(at, taken)| (at, *taken));
            let mut taken = taken.peekable();
            if taken.peek().is_some() {
                let own = self.by_target.entry(target.clone()).or_default();
                own.extend(taken);
            }
        }
        self.by_target.retain(|_, minutes| !minutes.is_empty());
        self.known.extend(news);
    }

    /// How many minutes are known from one up to and without another.
    #[must_use]
    pub fn known_in(&self, from: Minute, until: Minute) -> usize {
        if until <= from {
            return 0;
        }
        self.known.range(from..until).count()
    }

    /// What each target took in the known minutes from one up to and without another, in all.
    #[must_use]
    pub fn sums(&self, from: Minute, until: Minute) -> BTreeMap<&TargetId, TargetUse> {
        if until <= from {
            return BTreeMap::new();
        }
        let sums = self.by_target.iter().map(|(target, minutes)| {
            let own = minutes.range(from..until);
            let sum = own.fold(TargetUse::default(), |sum, (_, it)| sum.plus(*it));
            (target, sum)
        });
        sums.filter(|(_, sum)| *sum != TargetUse::default())
            .collect()
    }

    /// Writes down the hours that are over, as far as they are known: again while late minutes come in, and never by fewer
    /// minutes than before, as after a restart. Returns the days that changed.
    pub fn write_down<'a>(
        &self,
        until: Minute,
        day: impl Fn(i64) -> Option<&'a UseDay>,
    ) -> BTreeMap<i64, UseDay> {
        let mut changed: BTreeMap<i64, UseDay> = BTreeMap::new();
        let hours: BTreeSet<Minute> = self.known.iter().map(|it| it.hour()).collect();
        for from in hours {
            let end = from.plus(HOUR);
            let minutes = u8::try_from(self.known_in(from, end)).unwrap_or(u8::MAX); // 60 at most
            if until < end || minutes < LEAST_KNOWN {
                continue;
            }
            let (number, hour) = (day_of(from), hour_of(from));
            let held = changed.get(&number).or_else(|| day(number));
            let old = held.and_then(|it| it.hours.get(&hour));
            let is_settled = end.plus(LATE_MINUTES) <= until;
            let is_known =
                |old: &UseHour| minutes < old.minutes || (minutes == old.minutes && is_settled);
            if old.is_some_and(is_known) {
                continue;
            }
            let mut made = held.cloned().unwrap_or_default(); // the first hour of its day
            made.set(hour, minutes, self.sums(from, end));
            if held != Some(&made) {
                changed.insert(number, made);
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests;
