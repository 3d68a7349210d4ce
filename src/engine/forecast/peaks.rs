//! What the busy minutes are forecast to reach, against a quota that counts by the minute.

use super::exhaustion::{DAYS, Outlook, Passing};
use crate::model::{
    outlook::Exhaustion,
    time::{DAY, HOUR},
};

/// Logarithms of the sustained level of the busiest minutes, one an hour, a week of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Peaks(pub(super) Vec<f64>);

impl Peaks {
    /// Of a quota in the same unit as the peaks; positive.
    pub(super) fn exhaustion(&self, outlook: &Outlook<'_>, quota: f64) -> Exhaustion {
        let quota = quota.ln();
        let days: Vec<_> = (0..DAYS).map(|day| self.day(outlook, day, quota)).collect();
        outlook.exhaustion(&days, outlook.week_p95(highest(&self.0)))
    }

    /// How the quota may be passed on this day up to each of its hours; beyond the path, in all of it.
    fn day(&self, outlook: &Outlook<'_>, day: u8, quota: f64) -> Vec<Passing> {
        let start = i64::from(day) * DAY;
        let Some(hours) = self.hours(day) else {
            let twin = highest(self.hours(day % 7).unwrap_or(&[]));
            let above = outlook.beyond(day, twin) - quota;
            return vec![outlook.passing(day, start + DAY, above, outlook.errors.1)];
        };
        let mut highest = f64::NEG_INFINITY;
        (0_i64..)
            .zip(hours)
            .zip(24 * usize::from(day)..)
            .map(|((hour, peak), ahead)| {
                highest = highest.max(*peak);
                let minutes = start + (hour + 1) * HOUR;
                outlook.passing(day, minutes, highest - quota, outlook.error(ahead))
            })
            .collect()
    }

    fn hours(&self, day: u8) -> Option<&[f64]> {
        let from = 24 * usize::from(day);
        self.0.get(from..from + 24)
    }
}

fn highest(peaks: &[f64]) -> f64 {
    peaks.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}
