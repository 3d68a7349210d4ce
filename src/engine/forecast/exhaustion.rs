//! When a quota runs out: the distribution of the time to its first sustained exhaustion.
//!
//! The statistic: each day ahead has a chance of being the first on which what the quota counts passes it (`peaks`: the
//! busy minutes; `sums`: the tokens of the day). That is log-normal around the forecast path plus the mean error of such
//! forecasts, with their spread. Part of that spread is shared by all days (the level is wrong) and grows with the
//! uncertainty of the trend; the rest is each day's own. Given the shared part the days are independent, so the chance of
//! having passed the quota is one less the product of the chances of not doing so; it is averaged over seven values of the
//! shared part. Within a day it rises with the hours, so that the hour of the day is right, not only the date.
//! Beyond the week the same weekday is carried on with the trend.
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
pub(super) const DAYS: u8 = 30;
/// The part of the variance of a day's own forecast error that all days share.
const SHARED: f64 = 0.3;
/// Hours until the errors of a day ahead have taken over from those of an hour ahead.
const SOON: u8 = 12;
/// Middles of seven equal parts of a standard normal distribution.
const NODES: [f64; 7] = [-1.465, -0.792, -0.366, 0.0, 0.366, 0.792, 1.465];
/// What a standard normal passes once in twenty.
const ONE_IN_TWENTY: f64 = 1.645;

/// What is forecast, and how wrong such forecasts were.
#[derive(Debug)]
pub(super) struct Outlook<'a> {
    pub(super) origin: Minute,
    pub(super) trend: &'a Trend,
    /// An hour and a day ahead.
    pub(super) errors: (Error, Error),
}

/// One point of the distribution: so many minutes ahead, so probable.
type Point = (i64, f64);

/// How the quota may be passed on one day up to one of its hours.
#[derive(Debug)]
pub(super) struct Passing {
    /// Ahead.
    minutes: i64,
    /// By how much the highest level is expected above the quota, in deviations of a day's own part.
    over: f64,
    /// A deviation of the shared part in the same unit.
    shared: f64,
}

impl Passing {
    /// The chance, given how many of its deviations the shared part is above its mean.
    fn chance(&self, shared: f64) -> f64 {
        normal(self.over + self.shared * shared)
    }
}

impl Outlook<'_> {
    /// That a level is passed so many minutes ahead, on this day: by how much the forecast is above it (the difference of
    /// their logarithms), and the error of such a forecast.
    pub(super) fn passing(&self, day: u8, minutes: i64, above: f64, error: Error) -> Passing {
        let drift = self.trend.deviation(self.start() + f64::from(day) + 0.5);
        let own = error.deviation * (1.0 - SHARED).sqrt();
        Passing {
            minutes,
            over: (above + error.bias) / own,
            shared: (SHARED * error.deviation * error.deviation + drift * drift).sqrt() / own,
        }
    }

    /// The error of what is forecast so many hours ahead.
    pub(super) fn error(&self, hours: usize) -> Error {
        let (near, far) = self.errors;
        let share = u8::try_from(hours).map_or(1.0, |it| f64::from(it) / f64::from(SOON));
        let share = share.min(1.0);
        Error {
            bias: near.bias + (far.bias - near.bias) * share,
            deviation: near.deviation + (far.deviation - near.deviation) * share,
        }
    }

    /// The logarithm of a later day's level: that of the same weekday within the week, with the trend between them.
    pub(super) fn beyond(&self, day: u8, twin: f64) -> f64 {
        let at = |day: u8| self.trend.at(self.start() + f64::from(day) + 0.5);
        twin + at(day) - at(day % 7)
    }

    /// What is passed once in twenty, where this is the highest that is forecast for the week (a logarithm).
    pub(super) fn week_p95(&self, highest: f64) -> f64 {
        let (_, far) = self.errors;
        let drift = self.trend.deviation(self.start() + 6.5);
        let deviation = far.deviation.hypot(drift);
        (highest + far.bias + ONE_IN_TWENTY * deviation).exp()
    }

    /// By the ways in which the quota may be passed, day by day; of several that are as probable, the mean.
    pub(super) fn exhaustion(&self, ways: &[Vec<Vec<Passing>>], week_p95: f64) -> Exhaustion {
        let curve = mean(ways.iter().map(|days| curve(days)));
        let by = |minutes: i64| {
            let before = curve.iter().take_while(|it| it.0 <= minutes);
            before.last().map_or(0.0, |it| it.1)
        };
        let when = |probability: f64| {
            curve
                .iter()
                .find(|it| probability <= it.1)
                .map(|it| (it.0 - HOUR / 2).max(0))
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
            week_p95,
        }
    }

    /// Days since 1970 at the origin.
    #[expect(clippy::cast_precision_loss, reason = "minutes of this age")]
    fn start(&self) -> f64 {
        self.origin.0 as f64 / DAY as f64
    }
}

/// The mean of distributions over the same minutes.
fn mean(curves: impl ExactSizeIterator<Item = Vec<Point>>) -> Vec<Point> {
    let weight = u32::try_from(curves.len()).map_or(1.0, |it| f64::from(it).recip());
    let mut mean: Vec<Point> = Vec::new();
    for curve in curves {
        if mean.is_empty() {
            mean = curve.iter().map(|it| (it.0, 0.0)).collect();
        }
        for (sum, point) in mean.iter_mut().zip(curve) {
            sum.1 += point.1 * weight;
        }
    }
    mean
}

/// The cumulative distribution: hourly for a week, then daily.
fn curve(days: &[Vec<Passing>]) -> Vec<Point> {
    let minutes = days.iter().flatten().map(|it| (it.minutes, 0.0));
    let mut curve: Vec<Point> = minutes.collect();
    for shared in NODES {
        let mut survival = 1.0;
        let mut ahead = curve.iter_mut();
        for day in days {
            let mut highest: f64 = 0.0;
            for (passing, point) in day.iter().zip(ahead.by_ref().take(day.len())) {
                highest = highest.max(passing.chance(shared));
                point.1 += (1.0 - survival * (1.0 - highest)) / 7.0;
            }
            survival *= 1.0 - highest;
        }
    }
    curve
}

/// The cumulative normal distribution (Abramowitz and Stegun 26.2.17, absolute error below 1e-7).
fn normal(x: f64) -> f64 {
    if x.is_nan() || x < -6.0 {
        return 0.0; // no level at all passes nothing; below one in a billion nobody counts
    }
    let t = (1.0 + 0.231_641_9 * x.abs()).recip();
    let series = t
        * (0.319_381_53
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = (-x * x / 2.0).exp() * series / std::f64::consts::TAU.sqrt();
    if 0.0 < x { 1.0 - tail } else { tail }
}
