//! Forecast of one quantity of one pool (wanted requests, or the tokens they would be charged) and of the time at which
//! it exhausts a quota. Pure and incremental: the same minutes in the same order give the same state and the same
//! numbers, however often it is stored and read back between.
//!
//! - `history`: quarter-hour means of fifteen days, two bytes each;
//! - `shape`: the shape of a day; `trend`: level, growth, weekdays; `yesterday`: what the last day had beyond them;
//!   `moves`: how last week went on from here; `fit`: what is to be expected from all of them, from last week and from
//!   the last hours; `seasonal`: yesterday and last week as they were, which outvote it; `rise`: how demand rose in the last;
//! - `spread`: how wrong the own forecasts of the mean were;
//! - `gauge`: what a quota counts, the busy minutes (`busy`) or the sum of a UTC day (`daily`), and how wrong the own
//!   forecasts of that were;
//! - `peaks`, `sums`: what that is forecast to come to; `exhaustion`: the distribution of the time to exhaustion;
//! - `warning`: when people are told; `alarm`: for how long that stands; `tally`: what came of it; `lookout`: all of it for
//!   one quota, kept in step; `recalled`: the chances it reckoned last.
//!
//! Beats: a minute costs some additions; each hour the own errors are learned, each six hours the trend is fitted.
//! What is forecast is the fit as of the last whole quarter of an hour. A new quota needs no new fit.
//! Does not belong here: what a verdict leads to, and anything about errors or latency.

use serde::{Deserialize, Serialize};

use crate::model::{
    card::Coverage,
    series::{PoolSeries, Sample, Signal},
    time::{HOUR, Minute},
    units::QuotaKind,
};

mod alarm;
mod busy;
mod daily;
mod exhaustion;
mod fit;
mod gauge;
mod history;
mod lookout;
mod moves;
mod peaks;
mod recalled;
mod rise;
mod seasonal;
mod shape;
mod spread;
mod sums;
mod tally;
mod trend;
pub mod warning;
mod yesterday;

pub use crate::model::outlook::{Exhaustion, Way};
pub use alarm::Alarm;
pub use lookout::{Lookout, Seen};
pub use tally::Tally;

use super::{
    strip::Strip,
    yardstick::{Use, minute_use},
};
use daily::Daily;
use fit::Fit;
use gauge::{Gauge, Path};
use history::{History, QUARTER};
use moves::Moves;
use spread::{Spread, Widths};
use trend::Trend;

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

/// The state of one quantity: plain data, about 4.5 KB once fifteen days are known.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Forecaster {
    history: History,
    gauge: Gauge,
    spread: Spread,
    trend: Option<Trend>,
    moves: Moves,
}

impl Forecaster {
    /// Of a quota of this kind; by default of one that counts by the minute.
    #[must_use]
    pub fn of(kind: QuotaKind) -> Self {
        Self {
            gauge: Gauge::of(kind),
            ..Self::default()
        }
    }

    /// Takes in one minute. Minutes that were left out are gaps, and a gap is never a zero; a minute of the past is
    /// passed over.
    pub fn push(&mut self, minute: Minute, sample: Sample, growth: &[Growth]) {
        self.advance(minute, sample, growth);
    }

    /// As [`Self::push`]; at the end of an hour, the fit that its errors will be learned by.
    fn advance(&mut self, minute: Minute, sample: Sample, growth: &[Growth]) -> Option<Fit> {
        if !self.history.push(minute, sample) || !self.gauge.push(minute, sample.value()) {
            return None;
        }
        if self.trend.is_none() || minute.plus(1).0.rem_euclid(TREND_BEAT) == 0 {
            self.trend = fit::trend(&self.history, growth);
        }
        let mut fit = self.fit(growth)?;
        fit.learn(&mut self.moves, self.history.hour());
        self.spread.hour(self.history.last(), &fit);
        self.gauge.put_by(&fit);
        Some(fit)
    }

    /// The end of the last whole quarter of an hour: the origin of every forecast.
    fn origin(&self) -> Option<Minute> {
        self.history.end().map(|end| Minute(end * QUARTER))
    }

    /// What is to be expected, as of the last whole quarter of an hour. `None` below one day of data, or when all of the
    /// last week was nothing.
    #[must_use]
    pub fn forecast(&self, growth: &[Growth]) -> Option<Forecast> {
        self.fit(growth).map(|fit| self.forecast_of(fit))
    }

    fn forecast_of(&self, fit: Fit) -> Forecast {
        Forecast {
            path: self.gauge.path(&fit),
            widths: self.spread.widths(),
            fit,
        }
    }

    /// What is known of the days, for a quota that counts by them.
    const fn day(&self) -> Option<&Daily> {
        match &self.gauge {
            Gauge::Day(daily) => Some(daily),
            Gauge::Minute(_) => None,
        }
    }

    /// How often what came lay inside the bands that were given for it.
    fn coverage(&self) -> impl Iterator<Item = Coverage> {
        self.spread.coverage()
    }

    fn fit(&self, growth: &[Growth]) -> Option<Fit> {
        Fit::of(&self.history, self.trend.as_ref()?, &self.moves, growth)
    }
}

/// A forecast: as of one minute, of one quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    fit: Fit,
    widths: Widths,
    path: Path,
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
        (0..)
            .take(steps)
            .map(|bucket| {
                let at = from.plus(step * bucket);
                let expected = self.fit.expected(at, step);
                let ahead = at.plus(step / 2).since(self.fit.origin);
                let width = self.widths.half(ahead, expected, self.fit.level);
                let (p50, root) = (expected.median, expected.median.sqrt());
                Quantiles {
                    p10: (root - width).max(0.0).powi(2),
                    p50,
                    p90: (root + width).powi(2),
                }
            })
            .collect()
    }

    /// What is to come in each of `steps` steps of `step` minutes (whole hours), from the origin on, in the unit of the
    /// quota: the mean a minute, or where the quota counts by the day, what its UTC day comes to by the end of the step.
    #[must_use]
    pub fn fan(&self, step: i64, steps: usize) -> Vec<Quantiles> {
        let days = self.path.fan(&self.fit, step, steps);
        let days = days.map(|days| {
            days.into_iter()
                .map(|[p10, p50, p90]| Quantiles { p10, p50, p90 })
                .collect()
        });
        days.unwrap_or_else(|| self.quantiles(self.origin(), step, steps))
    }

    /// When a quota is exhausted, in the unit of the quantity a minute, or a day for one that counts by the day. `None` for
    /// a quota that is not positive, while less than two days are known, and while too little is known of a day that is
    /// counted.
    #[must_use]
    pub fn exhaustion(&self, quota: f64) -> Option<Exhaustion> {
        self.exhaustion_in_doubt(quota, 0.0)
    }

    /// As [`Self::exhaustion`], of a quota that may be less by a factor of up to `e^doubt`, any of them alike.
    #[must_use]
    pub fn exhaustion_in_doubt(&self, quota: f64, doubt: f64) -> Option<Exhaustion> {
        let is_known = self.fit.is_old() && 0.0 < quota;
        is_known.then(|| self.path.exhaustion(&self.fit, quota, doubt))?
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
