//! For how long a warning stands. Telling it is one thing (`warning`), taking it back is another: a chance that has just
//! fallen under its line may be over it again in a quarter of an hour.
//!
//! A warning stands until its chance has been below half of what it took for a while, or until the quota is another one:
//! then its chances are another matter, too. Where no chance is known it stands.

use serde::{Deserialize, Serialize};

use super::{Lookout, warning::Warning};
use crate::model::{outlook::Way, rule::WarningRule, time::Minute};

/// What stands against one quota of one pool.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Alarm {
    standing: Option<Standing>,
    /// The last minute at risk.
    risky: Option<Minute>,
    /// Since when the chance has been too low.
    calm: Option<Minute>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Standing {
    /// The most urgent way that was told.
    way: Way,
    quota: f64,
    /// When people were told last, and which way led to that.
    told: (Minute, Way),
}

impl Alarm {
    /// Takes in what was told in this minute, and what the lookout sees in it.
    pub fn step(
        &mut self,
        (minute, told): (Minute, Option<Warning>),
        lookout: &Lookout,
        quota: Option<f64>,
        rule: &WarningRule,
        clear_minutes: i64,
    ) {
        if let Some(Warning { way, quota, .. }) = told {
            let known = self.standing.filter(|it| way < it.way);
            self.standing = Some(Standing {
                way: known.map_or(way, |it| it.way),
                quota,
                told: (minute, way),
            });
            self.calm = None;
        }
        let Some(standing) = self.standing else {
            return;
        };
        if quota.is_some_and(|quota| quota.to_bits() != standing.quota.to_bits()) {
            *self = Self::default();
            return;
        }
        let Some(chances) = lookout.known_chances() else {
            return;
        };
        if told.is_some() || least(rule, standing.way) / 2.0 <= chances.chance(standing.way) {
            (self.risky, self.calm) = (Some(minute), None);
            return;
        }
        let since = *self.calm.get_or_insert(minute);
        if clear_minutes <= minute.since(since) {
            *self = Self::default();
        }
    }

    /// Whether anything stands.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.standing.is_some()
    }

    /// Whether it stands, and its chance in this minute was what it takes to stand.
    #[must_use]
    pub fn is_at_risk(&self, minute: Minute) -> bool {
        self.risky == Some(minute)
    }

    /// When people were told last of what stands, and which way led to that: not the most urgent one, maybe.
    #[must_use]
    pub fn told(&self) -> Option<(Minute, Way)> {
        self.standing.map(|it| it.told)
    }

    /// What stands, with the numbers of this minute; `None` also where those are not known.
    #[must_use]
    pub fn warning(&self, minute: Minute, lookout: &Lookout) -> Option<Warning> {
        let Standing { way, quota, .. } = self.standing?;
        Some(Warning {
            minute,
            way,
            used: lookout.used()?,
            quota,
            exhaustion: lookout.known_chances()?,
        })
    }
}

fn least(rule: &WarningRule, way: Way) -> f64 {
    match way {
        Way::Ahead => rule.ahead.chance.factor(),
        // A climb was told by its pace: it stands for as long as the week is at risk.
        Way::Near | Way::Climb => rule.near.chance.factor(),
        Way::Soon => rule.soon.chance.factor(),
    }
}
