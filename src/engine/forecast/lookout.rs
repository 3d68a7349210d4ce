//! One quota of one pool, looked out for: the forecaster and the watch, kept in step.
//!
//! A fit each whole quarter of an hour, chances anew whenever the quota or the limit changes, the rule each minute.

use super::{
    Exhaustion, Forecast, Forecaster, Growth,
    warning::{Warning, Watch},
};
use crate::model::{rule::WarningRule, series::Sample, time::Minute};

/// The state of one quota of one pool. `forecaster` and `watch` are to be kept; the rest follows from them.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Lookout {
    forecaster: Forecaster,
    watch: Watch,
    forecast: Option<Forecast>,
    /// The chances, and the limit they are of.
    chances: Option<(f64, Exhaustion)>,
}

/// One minute of one quota.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Which minute.
    pub minute: Minute,
    /// What callers wanted, in the unit of the quota (see [`super::demand`]).
    pub wanted: Sample,
    /// Refused requests.
    pub throttles: Sample,
    /// The quota in this minute; `None` where it is not known, blocked or not positive.
    pub quota: Option<f64>,
}

impl Lookout {
    /// What was kept, taken up again.
    #[must_use]
    pub fn resume(forecaster: Forecaster, watch: Watch, growth: &[Growth]) -> Self {
        Self {
            forecast: forecaster.forecast(growth),
            forecaster,
            watch,
            chances: None,
        }
    }

    /// What is to be kept.
    #[must_use]
    pub const fn kept(&self) -> (&Forecaster, &Watch) {
        (&self.forecaster, &self.watch)
    }

    /// Takes in one minute. Minutes come in order; those that are left out are gaps.
    pub fn push(&mut self, seen: &Seen, rule: &WarningRule, growth: &[Growth]) -> Option<Warning> {
        let had = self.forecaster.origin();
        self.forecaster.push(seen.minute, seen.wanted, growth);
        if self.forecaster.origin() != had {
            self.forecast = self.forecaster.forecast(growth);
            self.chances = None;
        }
        let quota = seen.quota.filter(|it| 0.0 < *it)?;
        self.appraise(quota);
        let chances = self.chances.as_ref().map(|(_, chances)| chances);
        let said = (seen.wanted, seen.throttles);
        self.watch.push(rule, seen.minute, said, quota, chances)
    }

    /// The chances against this quota: reckoned anew when the forecast or the limit is another.
    fn appraise(&mut self, quota: f64) {
        let limit = self.watch.limit(quota);
        let is_of = |(of, _): &(f64, Exhaustion)| of.to_bits() == limit.to_bits();
        if !self.chances.as_ref().is_some_and(is_of) {
            let exhaustion = self.forecast.as_ref().and_then(|it| it.exhaustion(limit));
            self.chances = exhaustion.map(|it| (limit, it));
        }
    }

    /// The chances against the quota as it was last given.
    #[must_use]
    pub fn chances(&self) -> Option<&Exhaustion> {
        self.chances.as_ref().map(|(_, chances)| chances)
    }

    /// What three of the last five minutes reached, in the unit of the quota.
    #[must_use]
    pub const fn used(&self) -> Option<f64> {
        self.watch.used()
    }

    /// What is forecast, as of the last whole quarter of an hour.
    #[must_use]
    pub const fn forecast(&self) -> Option<&Forecast> {
        self.forecast.as_ref()
    }

    /// When this quota is exhausted, asked now; a new quota is answered at once.
    #[must_use]
    pub fn exhaustion(&self, quota: f64) -> Option<Exhaustion> {
        self.forecast.as_ref()?.exhaustion(self.watch.limit(quota))
    }
}
