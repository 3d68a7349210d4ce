//! Where requests ran, by the log of model invocations: what each UTC day came to, and which of its hours were read.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ids::{Region, TargetId},
    time::{DAY, HOUR, Minute},
};

/// Days that are kept: a year with a month to ask about it.
pub const KEPT_DAYS: i64 = 400;
/// Ways that a day names; what goes further ways is added up as [`OTHERS`].
pub const MOST_WAYS: usize = 2_000;
/// Stands for the targets that a day does not name. No target is written like this.
pub const OTHERS: &str = "(others)";

/// What went one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Count {
    /// Requests that were answered.
    pub requests: u64,
    /// Requests that failed; whether anything was processed is not known.
    pub failed: u64,
    /// Input tokens, without those from or to a cache.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// Input tokens read from a cache.
    pub cache_read: u64,
    /// Input tokens written to a cache.
    pub cache_write: u64,
}

impl Count {
    /// Takes in what else went this way.
    pub const fn add(&mut self, more: &Self) {
        self.requests = self.requests.saturating_add(more.requests);
        self.failed = self.failed.saturating_add(more.failed);
        self.input = self.input.saturating_add(more.input);
        self.output = self.output.saturating_add(more.output);
        self.cache_read = self.cache_read.saturating_add(more.cache_read);
        self.cache_write = self.cache_write.saturating_add(more.cache_write);
    }
}

/// What was called, and where it ran; `None` where the log does not say it.
pub type Way = (TargetId, Option<Region>);

/// One hour, as the log was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RanHour {
    /// Its first minute.
    pub hour: Minute,
    /// What went which way.
    pub ways: BTreeMap<Way, Count>,
    /// Bytes of log that were read for it.
    pub bytes_scanned: u64,
}

/// A UTC day of one account and Region.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RanDay {
    /// The hours that were read, `0..24`; of the others nothing is known.
    pub hours: BTreeSet<u8>,
    /// What went which way in these hours.
    pub ways: BTreeMap<Way, Count>,
    /// Bytes of log that were read for them.
    pub bytes_scanned: u64,
}

/// The day that an hour lies in, counted from 1970, and its number in it.
#[must_use]
pub fn place(hour: Minute) -> (i64, u8) {
    let of_day = hour.0.rem_euclid(DAY) / HOUR;
    (hour.0.div_euclid(DAY), u8::try_from(of_day).unwrap_or(0)) // below 24
}

impl RanDay {
    /// Adds an hour of this day, unless it was added before. Whether it was new.
    pub fn add(&mut self, read: &RanHour) -> bool {
        if !self.hours.insert(place(read.hour).1) {
            return false;
        }
        self.bytes_scanned = self.bytes_scanned.saturating_add(read.bytes_scanned);
        for ((target, ran_in), count) in &read.ways {
            let way = (target.clone(), ran_in.clone());
            let is_named = self.ways.contains_key(&way) || self.ways.len() < MOST_WAYS;
            let way = if is_named {
                way
            } else {
                (TargetId::new(OTHERS), ran_in.clone())
            };
            self.ways.entry(way).or_default().add(count);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(number: i64, targets: usize) -> RanHour {
        let way = |it: usize| (TargetId::new(format!("t{it}")), Some(Region::new("r")));
        let count = Count {
            requests: 2,
            ..Count::default()
        };
        RanHour {
            hour: Minute(20_000 * DAY + number * HOUR),
            ways: (0..targets).map(|it| (way(it), count)).collect(),
            bytes_scanned: 10,
        }
    }

    #[test]
    fn an_hour_is_added_once() {
        let mut day = RanDay::default();
        assert!(day.add(&hour(3, 1)));
        assert!(!day.add(&hour(3, 1)));
        assert!(day.add(&hour(23, 1)));
        assert_eq!(day.hours, [3, 23].into());
        assert_eq!(day.bytes_scanned, 20);
        let requests: Vec<u64> = day.ways.values().map(|it| it.requests).collect();
        assert_eq!(requests, [4]);
        assert_eq!(place(Minute(-1)), (-1, 23));
    }

    #[test]
    fn what_a_day_does_not_name_is_added_up() {
        let mut day = RanDay::default();
        day.add(&hour(0, MOST_WAYS + 3));
        assert_eq!(day.ways.len(), MOST_WAYS + 1);
        let others = (TargetId::new(OTHERS), Some(Region::new("r")));
        assert_eq!(day.ways[&others].requests, 6);
    }
}
