//! When a quota runs out: the distribution of the time to its first sustained exhaustion.
//!
//! The statistic: each day ahead has a chance of being the first on which the sustained level (see `busy`) passes the
//! quota: its highest peak is log-normal around the forecast path plus the mean error of such forecasts, with their
//! spread. Part of that spread is shared by all days (the level is wrong) and grows with the uncertainty of the trend;
//! the rest is each day's own. Given the shared part the days are independent, so the chance of having passed the quota
//! is one less the product of the chances of not doing so; it is averaged over seven values of the shared part. Within a
//! day it rises with the peaks so far, so that the hour of the day is right, not only the date.
//! Beyond the week the highest peak of the same weekday is carried on with the trend.
//!
//! What fools it: bursts and launches that no trend announces; the near hours see them through the last quarter's level.

use super::{busy::Error, trend::Trend};
use crate::model::{
    outlook::Exhaustion,
    time::{DAY, HOUR, Minute},
};

/// Hours of the path.
pub(super) const PATH_HOURS: usize = 168;
/// Days looked ahead.
const DAYS: usize = 30;
/// The part of the variance of a day's highest peak that all days share.
const SHARED: f64 = 0.3;
/// Hours until the errors of a day ahead have taken over from those of an hour ahead.
const SOON: f64 = 12.0;
/// Middles of seven equal parts of a standard normal distribution.
const NODES: [f64; 7] = [-1.465, -0.792, -0.366, 0.0, 0.366, 0.792, 1.465];

/// What the distribution is made of.
#[derive(Debug)]
pub(super) struct Outlook<'a> {
    pub(super) origin: Minute,
    /// Logarithms of the forecast peaks, one an hour, [`PATH_HOURS`] of them.
    pub(super) peaks: &'a [f64],
    pub(super) trend: &'a Trend,
    /// An hour and a day ahead.
    pub(super) errors: (Error, Error),
}

/// What a standard normal passes once in twenty.
const ONE_IN_TWENTY: f64 = 1.645;

/// One point of the distribution: so many minutes ahead, so probable.
type Point = (i64, f64);

impl Outlook<'_> {
    /// Of a quota in the same unit as the peaks; positive.
    pub(super) fn exhaustion(&self, quota: f64) -> Exhaustion {
        let curve = self.curve(quota.ln());
        let by = |minutes: i64| {
            let before = curve.iter().take_while(|it| it.0 <= minutes);
            before.last().map_or(0.0, |it| it.1)
        };
        let when = |probability: f64| {
            curve
                .iter()
                .find(|it| probability <= it.1)
                .map(|it| it.0 - HOUR / 2)
        };
        let median_if = |probability: f64| {
            (0.0 < probability)
                .then(|| when(probability / 2.0))
                .flatten()
        };
        let (within_day, within_week) = (by(DAY), by(7 * DAY));
        Exhaustion {
            origin: self.origin,
            p10: when(0.1),
            p50: when(0.5),
            p90: when(0.9),
            within_hour: by(HOUR),
            within_day,
            within_week,
            within_month: curve.last().map_or(0.0, |it| it.1),
            after_day: if within_day < 1.0 {
                (within_week - within_day) / (1.0 - within_day)
            } else {
                0.0
            },
            if_within_day: median_if(within_day),
            if_within_week: median_if(within_week),
            week_p95: self.week_p95(),
        }
    }

    /// The level of the busiest minutes of the path that is passed once in twenty.
    fn week_p95(&self) -> f64 {
        let highest = self.peaks.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (_, far) = self.errors;
        let drift = self.trend.deviation(self.start() + 6.5);
        let deviation = far.deviation.hypot(drift);
        (highest + far.bias + ONE_IN_TWENTY * deviation).exp()
    }

    /// The cumulative distribution: hourly for a week, then daily.
    fn curve(&self, quota: f64) -> Vec<Point> {
        let mut curve: Vec<Point> = Vec::new();
        for shared in NODES {
            let mut survival = 1.0;
            let mut at = 0;
            for day in 0..DAYS {
                let mut highest: f64 = 0.0;
                for (minutes, passes) in self.day(day, quota, shared) {
                    highest = highest.max(passes);
                    let passed = (1.0 - survival * (1.0 - highest)) / 7.0;
                    match curve.get_mut(at) {
                        Some(point) => point.1 += passed,
                        None => curve.push((minutes, passed)),
                    }
                    at += 1;
                }
                survival *= 1.0 - highest;
            }
        }
        curve
    }

    /// The chance of passing the quota on this day up to each of its hours, given the shared part.
    fn day(&self, day: usize, quota: f64, shared: f64) -> impl Iterator<Item = Point> {
        let days = f64::from(u8::try_from(day).unwrap_or(u8::MAX));
        let drift = self.trend.deviation(self.start() + days + 0.5);
        let hours = self.peaks.get(24 * day..24 * day + 24);
        let beyond = hours.is_none().then(|| self.beyond(day)).into_iter();
        let hours = hours.unwrap_or(&[]).iter().copied();
        let start = i64::try_from(day).unwrap_or(i64::MAX).saturating_mul(DAY);
        let (ends, step) = if beyond.len() == 0 {
            (start + HOUR, HOUR)
        } else {
            (start + DAY, DAY)
        };
        let mut highest = f64::NEG_INFINITY;
        (0_i64..).zip(hours.chain(beyond)).map(move |(hour, peak)| {
            highest = highest.max(peak);
            let error = self.error(day, hour);
            let all = (SHARED * error.deviation * error.deviation + drift * drift).sqrt();
            let own = error.deviation * (1.0 - SHARED).sqrt();
            let over = (highest + error.bias + all * shared - quota) / own;
            (ends + hour * step, normal(over))
        })
    }

    /// The error of a peak in this hour of this day.
    fn error(&self, day: usize, hour: i64) -> Error {
        let (near, far) = self.errors;
        if day > 0 {
            return far;
        }
        let share = (f64::from(i32::try_from(hour).unwrap_or(24)) / SOON).min(1.0);
        Error {
            bias: near.bias + (far.bias - near.bias) * share,
            deviation: near.deviation + (far.deviation - near.deviation) * share,
        }
    }

    /// The highest peak of a day beyond the path: that of the same weekday within it, with the trend between them.
    fn beyond(&self, day: usize) -> f64 {
        let twin = day % 7;
        let peaks = self.peaks.get(24 * twin..24 * twin + 24).unwrap_or(&[]);
        let highest = peaks.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let at = |day: usize| {
            self.trend
                .at(self.start() + f64::from(u8::try_from(day).unwrap_or(u8::MAX)) + 0.5)
        };
        highest + at(day) - at(twin)
    }

    /// Days since 1970 at the origin.
    #[expect(clippy::cast_precision_loss, reason = "minutes of this age")]
    fn start(&self) -> f64 {
        self.origin.0 as f64 / DAY as f64
    }
}

/// The cumulative normal distribution (Abramowitz and Stegun 26.2.17, absolute error below 1e-7).
fn normal(x: f64) -> f64 {
    if x.is_nan() {
        return 0.0; // no level at all passes nothing
    }
    let t = (1.0 + 0.231_641_9 * x.abs()).recip();
    let series = t
        * (0.319_381_53
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = (-x * x / 2.0).exp() * series / std::f64::consts::TAU.sqrt();
    if 0.0 < x { 1.0 - tail } else { tail }
}
