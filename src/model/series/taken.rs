//! What one target took of its pool, as a reading tells it.

use std::collections::BTreeMap;

use crate::model::{time::Minute, uses::RECENT_MINUTES};

/// Requests and tokens that one target took.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct TargetUse {
    /// Requests that got through plus throttled ones.
    pub demand: f64,
    /// Charged tokens.
    pub charged: f64,
    /// Of the requests those that were throttled.
    pub throttled: f64,
}

impl TargetUse {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            demand: self.demand + other.demand,
            charged: self.charged + other.charged,
            throttled: self.throttled + other.throttled,
        }
    }

    /// So many times it.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            demand: self.demand * factor,
            charged: self.charged * factor,
            throttled: self.throttled * factor,
        }
    }
}

/// What one target took of its pool over the stretch of a reading. All are lower bounds when minutes are missing.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TargetReading {
    /// Over all of it.
    pub total: TargetUse,
    /// In its last minutes, at most [`RECENT_MINUTES`], one by one up to the end of the reading. Empty means nothing in
    /// any of them.
    pub tail: Vec<TargetUse>,
    /// By the hour, by its first minute; hours in which it took nothing are left out.
    pub hours: BTreeMap<Minute, TargetUse>,
}

impl TargetReading {
    /// Of a stretch of so many minutes; `used` has them one by one from `from` on, and may end early.
    #[must_use]
    pub fn of(from: Minute, minutes: usize, mut used: Vec<TargetUse>) -> Self {
        let nothing = TargetUse::default();
        let mut reading = Self::default();
        for (offset, it) in (0_i64..).zip(&used) {
            if *it != nothing {
                reading.total = reading.total.plus(*it);
                let hour = reading.hours.entry(from.plus(offset).hour()).or_default();
                *hour = hour.plus(*it);
            }
        }
        used.resize(minutes, nothing);
        let tail = used.split_off(minutes - minutes.min(recent()));
        if tail.iter().any(|it| *it != nothing) {
            reading.tail = tail;
        }
        reading
    }

    /// Adds the stretch of so many minutes that follows at once.
    pub fn append(&mut self, next: Self, minutes: usize) {
        self.total = self.total.plus(next.total);
        for (hour, it) in next.hours {
            let sum = self.hours.entry(hour).or_default();
            *sum = sum.plus(it);
        }
        if self.tail.is_empty() && next.tail.is_empty() {
            return;
        }
        let length = minutes.min(recent());
        let mut later = next.tail;
        later.resize(length, TargetUse::default()); // all of it, or nothing
        self.tail.append(&mut later);
        let old = self.tail.len().saturating_sub(recent());
        self.tail.drain(..old);
    }
}

fn recent() -> usize {
    usize::try_from(RECENT_MINUTES).unwrap_or(usize::MAX)
}
