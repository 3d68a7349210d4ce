//! What the busy minutes are forecast to reach, against a quota that counts by the minute.

use super::exhaustion::{DAYS, Outlook, Passing};
use crate::model::{
    outlook::Exhaustion,
    time::{DAY, HOUR},
};

/// Logarithms of the sustained level of the busiest minutes, one an hour.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Peaks {
    /// A week of them, by the fit alone: what the chances go by.
    pub(super) hours: Vec<f64>,
    /// The next day, by all that is forecast: what the hour goes by. The fit is smooth, so that it puts the peak of the day
    /// where it is broadest; what was there yesterday and a week ago has it where it is.
    pub(super) day: Vec<f64>,
}

impl Peaks {
    /// Of a quota in the same unit as the peaks; positive.
    pub(super) fn exhaustion(&self, outlook: &Outlook<'_>, quota: f64) -> Exhaustion {
        let quota = quota.ln();
        let days: Vec<_> = (0..DAYS).map(|day| self.day(outlook, day, quota)).collect();
        let chances = outlook.exhaustion(&[days], outlook.week_p95(highest(&self.hours)));
        let today = passings(outlook, 0, &self.day, quota);
        let hour = outlook.exhaustion(&[vec![today]], chances.week_p95);
        Exhaustion {
            if_within_day: hour.if_within_day.or(chances.if_within_day),
            ..chances
        }
    }

    /// How the quota may be passed on this day up to each of its hours; beyond the path, in all of it.
    fn day(&self, outlook: &Outlook<'_>, day: u8, quota: f64) -> Vec<Passing> {
        let start = i64::from(day) * DAY;
        let Some(hours) = self.hours(day) else {
            let twin = highest(self.hours(day % 7).unwrap_or(&[]));
            let above = outlook.beyond(day, twin) - quota;
            return vec![outlook.passing(day, start + DAY, above, outlook.errors.1)];
        };
        passings(outlook, day, hours, quota)
    }

    fn hours(&self, day: u8) -> Option<&[f64]> {
        let from = 24 * usize::from(day);
        self.hours.get(from..from + 24)
    }
}

/// How the quota may be passed up to each of the hours of this day.
fn passings(outlook: &Outlook<'_>, day: u8, hours: &[f64], quota: f64) -> Vec<Passing> {
    let start = i64::from(day) * DAY;
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

fn highest(peaks: &[f64]) -> f64 {
    peaks.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::forecast::{
            busy::Error,
            trend::{Level, Trend},
        },
        model::time::Minute,
    };

    /// Half of the quota, and twice of it in this hour of each day.
    fn busy_at(hour: usize, hours: usize) -> Vec<f64> {
        let level = |at: usize| if at % 24 == hour { 200.0 } else { 50.0_f64 };
        (0..hours).map(|at| level(at).ln()).collect()
    }

    fn exhaustion(week: usize, day: Vec<f64>) -> Exhaustion {
        let levels = [0.125, 0.375, 0.625, 0.875, 1.125].map(|at| Level {
            day: 20_000.0 + at,
            log: 3.0,
        });
        let trend = Trend::of(&levels, 20_002.0).unwrap();
        let error = Error {
            bias: 0.0,
            deviation: 0.1,
        };
        let outlook = Outlook {
            origin: Minute(20_002 * DAY),
            trend: &trend,
            errors: (error, error),
        };
        let peaks = Peaks {
            hours: busy_at(week, 168),
            day,
        };
        peaks.exhaustion(&outlook, 100.0)
    }

    #[test]
    fn the_hour_goes_by_the_day_and_the_chances_by_the_week() {
        let told = exhaustion(15, busy_at(3, 24));
        assert_eq!(told.if_within_day, Some(3 * HOUR + HOUR / 2));
        let fit = exhaustion(15, busy_at(15, 24));
        assert_eq!(fit.if_within_day, Some(15 * HOUR + HOUR / 2));
        let chances = Exhaustion {
            if_within_day: None,
            ..told
        };
        let same = Exhaustion {
            if_within_day: None,
            ..fit
        };
        assert_eq!(chances, same);
    }

    #[test]
    fn a_day_that_names_no_hour_leaves_that_of_the_week() {
        let told = exhaustion(15, vec![f64::NEG_INFINITY; 24]);
        assert_eq!(told.if_within_day, Some(15 * HOUR + HOUR / 2));
    }
}
