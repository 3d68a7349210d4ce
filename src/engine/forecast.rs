//! Forecast of one quantity of one pool (wanted requests, or the tokens they would be charged) and of the time at which
//! it exhausts a quota. Pure and incremental: the same minutes in the same order give the same state and the same
//! numbers, however often it is stored and read back between.
//!
//! - `history`: quarter-hour means of fifteen days, two bytes each;
//! - `shape`: the shape of a day; `trend`: level, growth, weekdays; `fit`: what is to be expected from them, from last
//!   week and from the last hours;
//! - `spread`, `busy`: how wrong the own forecasts of the mean and of the busy minutes were;
//! - `exhaustion`: the distribution of the time to exhaustion;
//! - `warning`: when people are told; `alarm`: for how long that stands; `lookout`: all of it for one quota, kept in step.
//!
//! Beats: a minute costs some additions; each hour the own errors are learned, each six hours the trend is fitted.
//! What is forecast is the fit as of the last whole quarter of an hour. A new quota needs no new fit.
//! Does not belong here: what a verdict leads to, and anything about errors or latency.

use crate::model::{
    series::{PoolSeries, Sample, Signal},
    time::{HOUR, Minute},
    units::QuotaKind,
};

mod alarm;
mod busy;
mod exhaustion;
mod fit;
mod history;
mod lookout;
mod shape;
mod spread;
mod trend;
pub mod warning;

pub use crate::model::outlook::{Exhaustion, Way};
pub use alarm::Alarm;
pub use lookout::{Lookout, Seen};

use super::{
    strip::Strip,
    yardstick::{Use, minute_use},
};
use busy::{Busy, Error};
use exhaustion::{Outlook, PATH_HOURS};
use fit::Fit;
use history::{History, QUARTER};
use spread::{Spread, Widths};
use trend::Trend;

/// Days that must be known before chances are given: a shape, and one day to compare it with.
const LEAST_DAYS: usize = 2;
/// Minutes between two fits of the trend.
const TREND_BEAT: i64 = 6 * HOUR;

/// Growth that people know of before it shows: from this minute on demand is `factor` times what it would be.
///
/// Before that minute the forecast beyond it is raised; after it the past before it is, so that the shape and the trend
/// carry on, and what does not come true is taken back like any other error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// The first minute of it.
    pub from: Minute,
    /// Positive; 1.4 is 40 % more.
    pub factor: f64,
}

/// The state of one quantity: plain data, about 5 KB once fifteen days are known.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Forecaster {
    history: History,
    busy: Busy,
    spread: Spread,
    trend: Option<Trend>,
}

impl Forecaster {
    /// Takes in one minute. Minutes that were left out are gaps, and a gap is never a zero; a minute of the past is
    /// passed over.
    pub fn push(&mut self, minute: Minute, sample: Sample, growth: &[Growth]) {
        if !self.history.push(minute, sample) {
            return;
        }
        if !self.busy.push(minute, sample.value()) {
            return;
        }
        if self.trend.is_none() || minute.plus(1).0.rem_euclid(TREND_BEAT) == 0 {
            self.trend = fit::trend(&self.history, growth);
        }
        if let Some(forecast) = self.forecast(growth) {
            self.spread.hour(self.history.last(), &forecast.fit);
            self.busy.forecast(&forecast.peaks);
        }
    }

    /// The end of the last whole quarter of an hour: the origin of every forecast.
    fn origin(&self) -> Option<Minute> {
        self.history.end().map(|end| Minute(end * QUARTER))
    }

    /// What is to be expected, as of the last whole quarter of an hour. `None` below one day of data, or when all of the
    /// last week was nothing.
    #[must_use]
    pub fn forecast(&self, growth: &[Growth]) -> Option<Forecast> {
        let fit = Fit::of(&self.history, self.trend.as_ref()?, growth)?;
        let ratio = self.busy.ratio();
        let quarters = |hour: i64| (0..4).map(move |at| hour * HOUR + at * QUARTER);
        let peak = |hour: i64| {
            let means = quarters(hour).map(|ahead| fit.median(fit.origin.plus(ahead), QUARTER));
            means.fold(0.0, f64::max).ln() + ratio
        };
        Some(Forecast {
            peaks: (0..).take(PATH_HOURS).map(peak).collect(),
            widths: self.spread.widths(),
            errors: self.busy.errors(),
            fit,
        })
    }
}

/// A forecast: as of one minute, of one quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    fit: Fit,
    widths: Widths,
    /// Logarithms of the sustained level of the busiest minutes, one an hour.
    peaks: Vec<f64>,
    errors: (Error, Error),
}

/// Quantiles of one bucket, in the unit of the quantity per minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantiles {
    /// One in ten lies below.
    pub p10: f64,
    /// Half lie below.
    pub p50: f64,
    /// Nine in ten lie below.
    pub p90: f64,
}

impl Forecast {
    /// The minute from which on nothing was known.
    #[must_use]
    pub const fn origin(&self) -> Minute {
        self.fit.origin
    }

    /// Quantiles of the mean over each of `steps` buckets of `step` minutes from `from` on.
    #[must_use]
    pub fn quantiles(&self, from: Minute, step: i64, steps: usize) -> Vec<Quantiles> {
        let scale = self.fit.level.sqrt();
        (0..)
            .take(steps)
            .map(|bucket| {
                let at = from.plus(step * bucket);
                let p50 = self.fit.median(at, step);
                let ahead = at.plus(step / 2).since(self.fit.origin);
                let (root, width) = (p50.sqrt(), scale * self.widths.at(ahead));
                Quantiles {
                    p10: (root - width).max(0.0).powi(2),
                    p50,
                    p90: (root + width).powi(2),
                }
            })
            .collect()
    }

    /// When a quota in the unit of the quantity per minute is exhausted. `None` for a quota that is not positive, and
    /// while less than two days are known.
    #[must_use]
    pub fn exhaustion(&self, quota: f64) -> Option<Exhaustion> {
        let outlook = Outlook {
            origin: self.fit.origin,
            peaks: &self.peaks,
            trend: &self.fit.trend,
            errors: self.errors,
        };
        let is_old = LEAST_DAYS * history::DAY <= self.fit.known;
        (is_old && 0.0 < quota).then(|| outlook.exhaustion(quota))
    }
}

/// What callers wanted in this minute, in the unit of a quota of this kind; a lower bound proves nothing and is unobserved.
#[must_use]
pub fn demand(kind: QuotaKind, series: &PoolSeries, minute: Minute) -> Sample {
    use Signal::{ChargedTokens, InputTokens, Invocations, OutputTokens, Throttles};
    let signals = [
        Invocations,
        Throttles,
        ChargedTokens,
        InputTokens,
        OutputTokens,
    ];
    let strip = Strip::cut(series, minute, minute.plus(1), signals);
    wanted(kind, &strip, minute)
}

/// As [`demand`], of minutes that are at hand.
pub(super) fn wanted(kind: QuotaKind, strip: &Strip, minute: Minute) -> Sample {
    match minute_use(kind, strip, minute) {
        Use::Exactly(value) => Sample::Value(value),
        Use::AtLeast(_) | Use::Unknown => Sample::Unobserved,
    }
}

#[cfg(test)]
mod tests;
