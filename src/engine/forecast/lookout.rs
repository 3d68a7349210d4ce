//! One quota of one pool, looked out for: the forecaster and the watch, kept in step.
//!
//! A fit each whole quarter of an hour, chances anew whenever the quota or the limit changes, the rule each minute.
//! Of a fit only the chances stay: a fit takes longer to keep than to make again, and is asked for now and then.

use serde::{Deserialize, Serialize};

use super::{
    Exhaustion, Forecast, Forecaster, Growth,
    fit::Fit,
    recalled::{Chances, Of, Recalled},
    warning::{Warning, Watch},
};
use crate::model::{
    card::Coverage, rule::WarningRule, series::Sample, time::Minute, units::QuotaKind,
};

/// The state of one quota of one pool. `forecaster` and `watch` are to be kept; the rest follows from them.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Lookout {
    forecaster: Forecaster,
    watch: Watch,
    #[serde(skip)]
    growth: Vec<Growth>,
    #[serde(skip)]
    doubt: f32,
    #[serde(skip)]
    recalled: Recalled,
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
    /// By how much the quota may be less than that: the logarithm of the ratio, 0 where it is known.
    pub doubt: f32,
}

impl Lookout {
    /// For a quota of this kind; by default one that counts by the minute.
    #[must_use]
    pub fn of(kind: QuotaKind) -> Self {
        Self {
            forecaster: Forecaster::of(kind),
            ..Self::default()
        }
    }

    /// What was kept, taken up again.
    #[must_use]
    pub fn resume(forecaster: Forecaster, watch: Watch, growth: &[Growth]) -> Self {
        Self {
            forecaster,
            watch,
            growth: growth.to_vec(),
            ..Self::default()
        }
    }

    /// What is to be kept.
    #[must_use]
    pub const fn kept(&self) -> (&Forecaster, &Watch) {
        (&self.forecaster, &self.watch)
    }

    /// Takes in one minute. Minutes come in order; those that are left out are gaps.
    pub fn push(&mut self, seen: &Seen, rule: &WarningRule, growth: &[Growth]) -> Option<Warning> {
        let fit = self.advance(seen, growth);
        let quota = seen.quota.filter(|it| 0.0 < *it)?;
        let used = self.watch.see(seen, quota, self.forecaster.day());
        let chances = self.chances(quota, fit);
        let (exhaustion, rise) = (chances.exhaustion()?, chances.rise);
        let rise = rise.as_ref();
        self.watch
            .judge(rule, seen.minute, (used?, quota), exhaustion, rise)
    }

    /// Takes in one minute of the past without a word, at a tenth of the cost of [`Self::push`], for the first days that
    /// are read and for an outage: the same state, but that nothing was told and no risk has stood yet. So what is true
    /// now is told once the present is pushed.
    pub fn catch_up(&mut self, seen: &Seen, growth: &[Growth]) {
        self.advance(seen, growth);
        if let Some(quota) = seen.quota.filter(|it| 0.0 < *it) {
            self.watch.see(seen, quota, self.forecaster.day());
        }
    }

    /// The chances against the quota as it was last given, as of the last whole quarter of an hour.
    #[must_use]
    pub fn known_chances(&self) -> Option<Exhaustion> {
        self.recalled.last()?.exhaustion()
    }

    /// What three of the last five minutes reached, in the unit of the quota; of one that counts by the day, what a whole day
    /// takes.
    #[must_use]
    pub const fn used(&self) -> Option<f64> {
        self.watch.used()
    }

    /// When the quota, as it is now, was exhausted last.
    #[must_use]
    pub const fn exhausted(&self) -> Option<Minute> {
        self.watch.exhausted()
    }

    /// How often what came lay inside the bands that were given for it, by how many hours ahead they were.
    pub fn coverage(&self) -> impl Iterator<Item = Coverage> {
        self.forecaster.coverage()
    }

    fn advance(&mut self, seen: &Seen, growth: &[Growth]) -> Option<Fit> {
        let is_same_doubt = (self.doubt - seen.doubt).abs() < f32::EPSILON;
        if self.growth != growth || !is_same_doubt {
            self.growth = growth.to_vec();
            self.doubt = seen.doubt;
            self.recalled.forget();
        }
        self.recalled.seen.push(seen);
        self.forecaster.advance(seen.minute, seen.wanted, growth)
    }

    /// The chances against this quota: reckoned anew when the forecast or the limit is another. `fit` where it is at hand.
    fn chances(&mut self, quota: f64, fit: Option<Fit>) -> Chances {
        let of = Of {
            origin: self.forecaster.origin(),
            seen: self.recalled.seen.origin,
            limit: self.watch.limit(quota),
        };
        if let Some(known) = self.recalled.find(of) {
            return known;
        }
        let fit = fit.or_else(|| self.forecaster.fit(&self.growth));
        let is_by_the_minute = self.forecaster.day().is_none();
        let rise = fit
            .as_ref()
            .and_then(|fit| fit.rise)
            .filter(|_| is_by_the_minute);
        let forecast = fit.map(|fit| self.forecaster.forecast_of(fit));
        let doubt = f64::from(self.doubt);
        let exhaustion = forecast.and_then(|it| it.exhaustion_in_doubt(of.limit, doubt));
        let chances = Chances::new(of, exhaustion, rise);
        self.recalled.put(chances);
        chances
    }

    /// Remembers what a copy of this state reckoned when it looked at minutes that may still change: where they come again
    /// as they were, it need not be reckoned again.
    pub fn remember(&mut self, ahead: &Self) {
        self.recalled.take_over(&ahead.recalled);
    }

    /// What is forecast, as of the last whole quarter of an hour.
    #[must_use]
    pub fn forecast(&self) -> Option<Forecast> {
        self.forecaster.forecast(&self.growth)
    }

    /// When this quota is exhausted, asked now; a new quota is answered at once.
    #[must_use]
    pub fn exhaustion(&self, quota: f64) -> Option<Exhaustion> {
        let doubt = f64::from(self.doubt);
        self.forecast()?
            .exhaustion_in_doubt(self.watch.limit(quota), doubt)
    }
}
