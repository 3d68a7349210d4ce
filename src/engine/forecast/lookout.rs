//! One quota of one pool, looked out for: the forecaster and the watch, kept in step.
//!
//! A fit each whole quarter of an hour, chances anew whenever the quota or the limit changes, the rule each minute.
//! Of a fit only the chances stay: a fit takes longer to keep than to make again, and is asked for now and then.

use serde::{Deserialize, Serialize};

use super::{
    Exhaustion, Forecast, Forecaster, Growth,
    fit::{Fit, Rise},
    warning::{Warning, Watch},
};
use crate::model::{card::Coverage, rule::WarningRule, series::Sample, time::Minute};

/// The state of one quota of one pool. `forecaster` and `watch` are to be kept; the rest follows from them.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Lookout {
    forecaster: Forecaster,
    watch: Watch,
    #[serde(skip)]
    growth: Vec<Growth>,
    #[serde(skip)]
    chances: Option<Chances>,
}

/// The chances, what they are of, and as of when. `None` in it is an answer, too: too little is known.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Chances {
    origin: Option<Minute>,
    limit: f64,
    exhaustion: Option<Exhaustion>,
    rise: Option<Rise>,
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
            forecaster,
            watch,
            growth: growth.to_vec(),
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
        let fit = self.advance(seen, growth);
        let quota = seen.quota.filter(|it| 0.0 < *it)?;
        let used = self.watch.see(seen, quota);
        let chances = self.chances(quota, fit);
        let (Some(exhaustion), rise) = (chances.exhaustion, chances.rise) else {
            return None;
        };
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
            self.watch.see(seen, quota);
        }
    }

    /// The chances against the quota as it was last given, as of the last whole quarter of an hour.
    #[must_use]
    pub fn known_chances(&self) -> Option<&Exhaustion> {
        self.chances.as_ref()?.exhaustion.as_ref()
    }

    /// What three of the last five minutes reached, in the unit of the quota.
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
        if self.growth != growth {
            self.growth = growth.to_vec();
        }
        self.forecaster.advance(seen.minute, seen.wanted, growth)
    }

    /// The chances against this quota: reckoned anew when the forecast or the limit is another. `fit` where it is at hand.
    fn chances(&mut self, quota: f64, fit: Option<Fit>) -> Chances {
        let (origin, limit) = (self.forecaster.origin(), self.watch.limit(quota));
        let is_of = |it: &&Chances| it.origin == origin && it.limit.to_bits() == limit.to_bits();
        if let Some(known) = self.chances.as_ref().filter(is_of) {
            return *known;
        }
        let fit = fit.or_else(|| self.forecaster.fit(&self.growth));
        let rise = fit.as_ref().and_then(|fit| fit.rise);
        let forecast = fit.map(|fit| self.forecaster.forecast_of(fit));
        let chances = Chances {
            origin,
            limit,
            exhaustion: forecast.and_then(|it| it.exhaustion(limit)),
            rise,
        };
        self.chances = Some(chances);
        chances
    }

    /// What is forecast, as of the last whole quarter of an hour.
    #[must_use]
    pub fn forecast(&self) -> Option<Forecast> {
        self.forecaster.forecast(&self.growth)
    }

    /// When this quota is exhausted, asked now; a new quota is answered at once.
    #[must_use]
    pub fn exhaustion(&self, quota: f64) -> Option<Exhaustion> {
        self.forecast()?.exhaustion(self.watch.limit(quota))
    }
}
