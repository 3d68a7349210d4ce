//! When people are told that a quota will not do. One rule for all pools; its numbers come from `alert-rules/`.
//!
//! Use is the level that three of the last five minutes reach, as a share of the limit; of a quota that counts by the day,
//! what the fuller one of yesterday and today so far took. Four ways to a warning:
//! - *ahead*: use is well under way, and once the next 24 hours are over the rest of the week still has fair chances of
//!   exhaustion. Leaving out the day ahead keeps bursts away: they raise the chances of the hours to come, not of the
//!   days. Asking for use keeps away what the trend makes of a quiet night;
//! - *near*: use is close to the limit and the week is at risk. A share alone cries wolf at pools that live near their
//!   quota;
//! - *climb*: a launch, where the quota counts by the minute. Demand is some times what is usual now, has risen through each part of the last hour and a half,
//!   and reaches the limit within hours at this pace. Steady, because a jump is the business of the detectors and as
//!   often as not over soon; and against what is usual, because each morning climbs;
//! - *soon*: the day is at high risk, and that has stood for a while. Tomorrow's peak, or a ramp of an hour. Only this
//!   one says when, and only this one pages.
//!
//! The first three are one notice: whichever it was, people know of the quota, and are reminded after some days while it
//! is still so. *Soon* is told once in the quiet time by itself. After the quota was exhausted people know, too: the
//! throttling is its own alert and the request is on its way, so that nothing is said for the quiet time. A new value of
//! the quota begins anew.
//!
//! What fools it: a quota that is refilled evenly lets demand pass it for some minutes. How far is learned from what
//! went through (see [`Watch::limit`]), so that the first days at the limit are warned of and later ones are not.

use serde::{Deserialize, Serialize};

use super::{Seen, busy::Sustained, daily::Daily, rise::Rise};
use crate::model::{
    outlook::{Exhaustion, Way},
    rule::{Chance, WarningRule},
    series::Sample,
    time::{HOUR, Minute},
};

/// Minutes looked at for exhaustion, and how many of them must be throttled.
const MINUTES: u8 = 0b1_1111;
const THROTTLED: u32 = 3;
/// Refusals are those of a daily quota from this share of it on: burndown is reckoned to some percent.
const DAY_USED_UP: f64 = 0.95;

/// A warning about one quota.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warning {
    /// The last minute that was known.
    pub minute: Minute,
    /// Which way.
    pub way: Way,
    /// What three of the last five minutes reached.
    pub used: f64,
    /// The quota.
    pub quota: f64,
    /// What was forecast.
    pub exhaustion: Exhaustion,
}

/// What is remembered of one quota of one pool.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Watch {
    quota: Option<f64>,
    /// What three of the last five minutes reached.
    used: Option<f64>,
    sustained: Sustained,
    /// The last five minutes, the newest in the lowest bit.
    throttled: u8,
    /// The highest level of three of five minutes that went through without a throttle.
    proven: f64,
    exhausted: Option<Minute>,
    /// Since when the day is at risk.
    risky: Option<Minute>,
    noticed: Told,
    soon: Told,
}

/// When a warning was told.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
struct Told(Option<Minute>);

impl Told {
    /// Whether it is to be told (again), and remembers it if so.
    fn tell(&mut self, minute: Minute, again: i64) -> bool {
        let is_news = self.0.is_none_or(|at| again <= minute.since(at));
        if is_news {
            self.0 = Some(minute);
        }
        is_news
    }
}

impl Watch {
    /// Takes in one minute and the quota then, and where it counts by the day what is known of that; the level that three of
    /// the last five minutes reach, or that a whole day takes.
    pub(super) fn see(&mut self, seen: &Seen, quota: f64, day: Option<&Daily>) -> Option<f64> {
        if self.quota.map(f64::to_bits) != Some(quota.to_bits()) {
            *self = Self {
                quota: Some(quota),
                ..Self::default()
            };
        }
        let sustained = self.sustained.push(seen.wanted.value());
        self.used = day.map_or(sustained, Daily::level);
        // What went through today proves something of today, and what is refused in the morning something of the minute.
        let counted = day.map_or(sustained, Daily::so_far)?;
        let is_used_up = day.is_none() || DAY_USED_UP * self.limit(quota) <= counted;
        self.throttle(seen.minute, seen.throttles, counted, is_used_up);
        self.used
    }

    /// What the level that was seen in this minute means by the chances as of then.
    pub(super) fn judge(
        &mut self,
        rule: &WarningRule,
        minute: Minute,
        (used, quota): (f64, f64),
        exhaustion: Exhaustion,
        rise: Option<&Rise>,
    ) -> Option<Warning> {
        let is_risky = rule.soon.chance.factor() <= exhaustion.within_day;
        self.risky = is_risky.then(|| self.risky.unwrap_or(minute));
        if self
            .exhausted
            .is_some_and(|at| minute.since(at) < rule.quiet_minutes)
        {
            return None;
        }
        let limit = self.limit(quota);
        let is_climbing = rule.climb.zip(rise).is_some_and(|(climb, rise)| {
            #[expect(clippy::cast_precision_loss, reason = "minutes of some hours")]
            let hours = climb.within_minutes as f64 / HOUR as f64;
            climb.use_share.factor() <= used / limit
                && rise.climbs(limit, climb.usual.factor(), hours)
        });
        let way = self.way(rule, minute, used / limit, &exhaustion, is_climbing)?;
        Some(Warning {
            minute,
            way,
            used,
            quota,
            exhaustion,
        })
    }

    /// What three of the last five minutes reached, as far as that is known.
    pub(super) const fn used(&self) -> Option<f64> {
        self.used
    }

    /// When this quota was exhausted last.
    pub(super) const fn exhausted(&self) -> Option<Minute> {
        self.exhausted
    }

    /// What demand has to pass for a sustained exhaustion: the quota, or more where more has been seen to go through
    /// without a throttle. Bedrock's quotas may be refilled evenly and then take some minutes above them; how much is
    /// learned, not assumed.
    #[must_use]
    pub fn limit(&self, quota: f64) -> f64 {
        let is_same = self.quota.map(f64::to_bits) == Some(quota.to_bits());
        quota.max(if is_same { self.proven } else { 0.0 })
    }

    fn throttle(&mut self, minute: Minute, throttles: Sample, used: f64, is_used_up: bool) {
        // Not known is not free of throttles.
        let is_throttled = throttles.value().is_none_or(|it| 0.0 < it);
        self.throttled = (self.throttled << 1 | u8::from(is_throttled)) & MINUTES;
        let throttled = self.throttled.count_ones();
        if throttled == 0 {
            self.proven = self.proven.max(used);
        }
        if is_used_up && THROTTLED <= throttled && throttles.value().is_some_and(|it| 0.0 < it) {
            self.exhausted = Some(minute);
        }
    }

    fn way(
        &mut self,
        rule: &WarningRule,
        minute: Minute,
        share: f64,
        seen: &Exhaustion,
        is_climbing: bool,
    ) -> Option<Way> {
        let at = |needs: Chance, chance: f64| {
            needs.use_share.factor() <= share && needs.chance.factor() <= chance
        };
        let notice = [
            (Way::Ahead, at(rule.ahead, seen.after_day)),
            (Way::Near, at(rule.near, seen.within_week)),
            (Way::Climb, is_climbing),
        ];
        let notice = notice.into_iter().find(|(_, is_so)| *is_so);
        if let Some((way, _)) = notice
            && self.noticed.tell(minute, rule.again_minutes)
        {
            return Some(way);
        }
        let has_stood = self
            .risky
            .is_some_and(|since| rule.soon.minutes <= minute.since(since));
        let is_news = has_stood && self.soon.tell(minute, rule.quiet_minutes);
        is_news.then_some(Way::Soon)
    }
}
