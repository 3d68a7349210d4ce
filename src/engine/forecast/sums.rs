//! What the tokens of each UTC day are forecast to come to, against a quota that counts by the day.

use super::{
    busy::Error,
    daily::total,
    exhaustion::{DAYS, Outlook, Passing},
};
use crate::model::{outlook::Exhaustion, time::DAY};

/// The tokens to come.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sums {
    /// Charged since 00:00 UTC.
    pub(super) so_far: f64,
    /// Minutes until the end of each hour, and the logarithm of what is forecast from the end of the one before it (the
    /// first: from now) until then. A week of them.
    pub(super) hours: Vec<(i64, f64)>,
    /// How many of them belong to today; at least one, at most 24.
    pub(super) today: usize,
}

/// What each day ahead adds to the variance of the error of a day's sum, up to a week: levels wander. Over the days of
/// labelled traffic chances of a week come true as often as they say with 0.5 to 0.6 (`examples/daily.rs`).
const WANDERS: f64 = 0.5;

/// Middles of five equal parts of what may be.
const MIDDLES: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];

/// What a standard normal passes once in ten.
const ONE_IN_TEN: f64 = 1.2816;

/// The error of a sum so many days ahead.
fn later(error: Error, day: u8) -> Error {
    let variance = 1.0 + WANDERS * f64::from(day.min(7));
    Error {
        deviation: error.deviation * variance.sqrt(),
        ..error
    }
}

/// One UTC day, or the rest of today.
#[derive(Debug)]
struct Day<'a> {
    hours: &'a [(i64, f64)],
    /// Hours between now and its first one.
    ahead: usize,
}

impl Day<'_> {
    fn total(&self) -> f64 {
        let logs: Vec<f64> = self.hours.iter().map(|it| it.1).collect();
        total(Some(&logs))
    }
}

impl Sums {
    /// Of a quota of tokens a day; positive. What it really is may be less, by any factor up to `e^doubt` alike: the chances
    /// are the means of those against five values in between.
    pub(super) fn exhaustion(&self, outlook: &Outlook<'_>, quota: f64, doubt: f64) -> Exhaustion {
        let against = |quota: f64| -> Vec<_> {
            let days = (0..DAYS).map(|day| self.passings(outlook, day, quota));
            days.collect()
        };
        let ways: Vec<_> = if 0.0 < doubt {
            let middles = MIDDLES.iter();
            middles
                .map(|it| against(quota * (-doubt * it).exp()))
                .collect()
        } else {
            vec![against(quota)]
        };
        let highest = (0..7)
            .map(|day| self.twin(day))
            .fold(f64::NEG_INFINITY, f64::max);
        outlook.exhaustion(&ways, outlook.week_p95(highest))
    }

    /// What its day comes to by the end of each of `steps` steps of so many hours: one in ten lies below, a half, nine in
    /// ten.
    pub(super) fn fan(&self, outlook: &Outlook<'_>, step: usize, steps: usize) -> Vec<[f64; 3]> {
        let ends = (1..=steps).map(|at| at * step - 1);
        let known = ends.filter_map(|end| {
            let day = (0..=7).rev().find(|day| self.start_of(*day) <= end)?;
            let from = self.start_of(day);
            let hours = self.hours.get(from..=end)?;
            let sum: f64 = hours.iter().map(|it| it.1.exp()).sum();
            let error = later(outlook.error(end), day);
            let so_far = if day == 0 { self.so_far } else { 0.0 };
            let at =
                |deviations: f64| so_far + sum * (error.bias + deviations * error.deviation).exp();
            Some([at(-ONE_IN_TEN), at(0.0), at(ONE_IN_TEN)])
        });
        known.collect()
    }

    /// Hours between now and the first one of this day.
    fn start_of(&self, day: u8) -> usize {
        match usize::from(day) {
            0 => 0,
            later => self.today + 24 * (later - 1),
        }
    }

    /// How the quota may be passed on this day up to each of its hours; beyond the path, in all of it.
    fn passings(&self, outlook: &Outlook<'_>, day: u8, quota: f64) -> Vec<Passing> {
        let left = if day == 0 { quota - self.so_far } else { quota };
        let left = left.max(0.0).ln(); // nothing left is passed for certain
        let Some(Day { hours, ahead }) = self.day(day) else {
            let twin = self.twin(day);
            let minutes = self.midnight() + i64::from(day) * DAY;
            let above = outlook.beyond(day, twin) - left;
            return vec![outlook.passing(day, minutes, above, later(outlook.errors.1, day))];
        };
        let mut sum = 0.0;
        let hours = hours.iter().zip(ahead..);
        hours
            .map(|(&(minutes, log), ahead)| {
                sum += log.exp();
                let error = later(outlook.error(ahead), day);
                outlook.passing(day, minutes, sum.ln() - left, error)
            })
            .collect()
    }

    /// The logarithm of the total of the same weekday within the path.
    fn twin(&self, day: u8) -> f64 {
        let of = self.day(day % 7);
        let total = of.map_or(f64::NAN, |it| it.total());
        if day.is_multiple_of(7) {
            (self.so_far + total.exp()).ln()
        } else {
            total
        }
    }

    /// Minutes until 00:00 UTC.
    fn midnight(&self) -> i64 {
        let last = self.today.checked_sub(1).and_then(|at| self.hours.get(at));
        last.map_or(0, |it| it.0)
    }

    /// `None` where it does not lie wholly within the path.
    fn day(&self, day: u8) -> Option<Day<'_>> {
        let (from, until) = (self.start_of(day), self.start_of(day + 1));
        let hours = self.hours.get(from..until)?;
        Some(Day { hours, ahead: from })
    }
}
