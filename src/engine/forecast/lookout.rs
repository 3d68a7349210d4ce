//! One quota of one pool, looked out for: the forecaster and the watch, kept in step.
//!
//! A fit each whole quarter of an hour, chances anew whenever the quota or the limit changes, the rule each minute.
//! Of a fit only the chances stay: a fit takes longer to keep than to make again, and is asked for now and then.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde::{Deserialize, Serialize};

use super::{
    Exhaustion, Forecast, Forecaster, Growth,
    fit::Fit,
    history::QUARTER,
    rise::Rise,
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
    recalled: Recalled,
}

/// What was reckoned and follows from the rest: it may be forgotten, and so it is no part of what makes two equal.
#[derive(Clone, Debug, Default)]
struct Recalled {
    seen: Fingerprint,
    chances: Option<Chances>,
    /// Chances as of minutes that may still change, from an earlier look at them.
    foreseen: [Option<Chances>; FORESEEN],
}

impl PartialEq for Recalled {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

/// Whole quarters of an hour among the minutes that may still change, which a look ahead passes.
const FORESEEN: usize = 2;

/// What came since the state was taken up: two states that began as one and have the same fingerprint are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
struct Fingerprint {
    now: u64,
    /// As of the origin of the forecast.
    origin: u64,
    last: Option<Minute>,
}

impl Fingerprint {
    fn push(&mut self, seen: &Seen) {
        let quarter = |minute: Minute| minute.0.div_euclid(QUARTER);
        if self.last.map(quarter) != Some(quarter(seen.minute)) {
            self.origin = self.now; // also where the last minutes of a quarter were left out
        }
        self.last = Some(seen.minute);
        let mut hash = DefaultHasher::new();
        let wanted = match seen.wanted {
            Sample::Value(value) => Some(value.to_bits()),
            Sample::NoData | Sample::Unobserved => None, // both are gaps
        };
        (self.now, seen.minute, wanted).hash(&mut hash);
        self.now = hash.finish();
        if seen.minute.plus(1).0.rem_euclid(QUARTER) == 0 {
            self.origin = self.now;
        }
    }
}

/// The chances, what they are of, and as of when. `None` in it is an answer, too: too little is known.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Chances {
    origin: Option<Minute>,
    seen: u64,
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
            self.watch.see(seen, quota, self.forecaster.day());
        }
    }

    /// The chances against the quota as it was last given, as of the last whole quarter of an hour.
    #[must_use]
    pub fn known_chances(&self) -> Option<&Exhaustion> {
        self.recalled.chances.as_ref()?.exhaustion.as_ref()
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
        if self.growth != growth {
            self.growth = growth.to_vec();
            (self.recalled.chances, self.recalled.foreseen) = (None, [None; FORESEEN]);
        }
        self.recalled.seen.push(seen);
        self.forecaster.advance(seen.minute, seen.wanted, growth)
    }

    /// The chances against this quota: reckoned anew when the forecast or the limit is another. `fit` where it is at hand.
    fn chances(&mut self, quota: f64, fit: Option<Fit>) -> Chances {
        let (origin, limit) = (self.forecaster.origin(), self.watch.limit(quota));
        let recalled = &mut self.recalled;
        let seen = recalled.seen.origin;
        let is_of = |it: &&Chances| {
            it.origin == origin && it.seen == seen && it.limit.to_bits() == limit.to_bits()
        };
        let mut known = recalled
            .chances
            .iter()
            .chain(recalled.foreseen.iter().flatten());
        if let Some(known) = known.find(is_of).copied() {
            recalled.chances = Some(known);
            return known;
        }
        let fit = fit.or_else(|| self.forecaster.fit(&self.growth));
        let is_by_the_minute = self.forecaster.day().is_none();
        let rise = fit
            .as_ref()
            .and_then(|fit| fit.rise)
            .filter(|_| is_by_the_minute);
        let forecast = fit.map(|fit| self.forecaster.forecast_of(fit));
        let chances = Chances {
            origin,
            seen,
            limit,
            exhaustion: forecast.and_then(|it| it.exhaustion(limit)),
            rise,
        };
        self.recalled.chances = Some(chances);
        self.recalled.foreseen.rotate_right(1);
        self.recalled.foreseen[0] = Some(chances);
        chances
    }

    /// Remembers what a copy of this state reckoned when it looked at minutes that may still change: where they come again
    /// as they were, it need not be reckoned again.
    pub fn remember(&mut self, ahead: &Self) {
        self.recalled.foreseen = ahead.recalled.foreseen;
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
