//! Failed requests against the pool's own rate of failure.
//!
//! The statistic: over the newest 2 to 30 minutes but one (see `trail`), the surprise of the failures given the
//! attempts and the base rate; the longest of seven windows decides. The base rate is a mean over three days of what
//! lies at least half an hour back. A window is bad only if its rate is also `ratio` times the base rate and `excess`
//! of the attempts above it: at a million requests an hour everything is significant and little matters.
//!
//! - A window of fewer than `least` attempts says nothing, whatever its rate: three failures of three requests at night are
//!   no page. Where nothing but failures came since the last success, those count however far apart they are: a pool that
//!   is asked every five minutes and fails each time is told after `least` of them.
//! - A doubling at high volume is one as soon as it is worth `excess` of all requests.
//! - Failures that come in clumps have a shape of 2: their deviation is 0.7 of the mean, whatever the volume. What a
//!   pool's own noise reaches is learned (`calm`), so that a pool of nervous clients gets a higher limit.
//!
//! What fools it: a rise slower than a day becomes the base rate. Cold start: a pool without history is taken to fail
//! once in a thousand, and no pool is taken to fail less often.

use serde::{Deserialize, Serialize};

use super::{
    Evidence, Step, blocks,
    calm::Calm,
    latch::{Latch, Say},
    surprise::surprise,
    trail::Trail,
};
use crate::model::{
    time::{DAY, Minute},
    unusual::Failing,
};

const LENGTHS: [u16; 7] = [2, 3, 5, 8, 12, 20, 30];
const LONGEST: u16 = 30;
/// A part of this of what is known is forgotten each minute: a memory of three days.
const FORGOTTEN: f64 = 1.0 / 4_320.0;
/// Before anything is known: half a failure in five hundred attempts.
const PRIOR: (f64, f64) = (0.5, 500.0);
/// No pool is taken to fail less often: the first failure of a faultless week is no incident.
const LEAST_RATE: f64 = 0.001;
const SHAPE: f64 = 2.0;
/// Nats. By chance once in some ten years of minutes, were the model exact.
const LEAST_SURPRISE: f64 = 10.0;

/// Client or server errors of one pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Failures {
    trail: Trail<2>,
    failed: f64,
    tried: f64,
    /// Failures since anything succeeded, and the minute of the first.
    lost: (f64, Minute),
    calm: Calm,
    latch: Latch,
}

impl Failures {
    pub(super) fn new() -> Self {
        Self {
            trail: Trail::new(LONGEST),
            failed: 0.0,
            tried: 0.0,
            lost: (0.0, Minute(0)),
            calm: Calm::default(),
            latch: Latch::default(),
        }
    }

    /// `failed` of `tried` requests in this minute; throttled ones are not tries.
    pub(super) fn push(&mut self, minute: Minute, failed: f64, tried: f64, worth: Failing) -> Step {
        if let Some([failed, tried]) = self.trail.push(minute, [failed, tried])
            && self.latch.may_learn(minute, DAY)
        {
            self.failed += failed - FORGOTTEN * self.failed;
            self.tried += tried - FORGOTTEN * self.tried;
        }
        self.count_lost(minute, failed, tried);
        let (few, many) = PRIOR;
        let base = ((self.failed + few) / (self.tried + many)).max(LEAST_RATE);
        let needed = (worth.ratio * base).max(base + worth.excess.factor());
        let least = LEAST_SURPRISE;
        let limit = self.calm.limit(blocks(worth.rare));
        let limit = limit.map_or(least, |limit| limit.max(least));
        let (mut highest, mut worst) = (0.0_f64, None::<Evidence>);
        let windows = self
            .trail
            .windows(minute, LONGEST, &LENGTHS, |[failed, _]| *failed);
        for window in windows {
            let [failed, tried] = window.rest;
            let score = surprise(failed, base * tried, SHAPE * window.minutes());
            if failed <= base * tried {
                continue;
            }
            highest = highest.max(score);
            let is_worse = worst.as_ref().is_none_or(|worst| worst.score < score);
            let [_, all] = window.whole;
            if worth.least <= all && needed * tried < failed && is_worse {
                worst = Some(Evidence {
                    seen: failed / tried,
                    usual: base,
                    minutes: window.length,
                    score,
                    limit,
                    is_young: self.calm.is_young(),
                });
            }
        }
        let is_lost = worth.least <= self.lost.0 && minute != self.lost.1;
        if is_lost && 0.0 < failed {
            worst = worst.filter(|it| limit <= it.score).or(Some(Evidence {
                seen: 1.0,
                usual: base,
                minutes: self.lost_minutes(minute),
                score: limit,
                limit,
                is_young: self.calm.is_young(),
            }));
        }
        let bad = worst.filter(|worst| limit <= worst.score);
        if self.latch.since().is_none() {
            self.calm.note(minute, highest);
        }
        let say = match worst {
            Some(_) if bad.is_some() => Say::Bad,
            Some(worst) if limit / 2.0 <= worst.score => Say::Between,
            // Nobody asks: that is no sign of health.
            _ if is_lost => Say::Between,
            _ => Say::Calm,
        };
        let near = worst.filter(|_| say == Say::Between);
        Step {
            turn: self.latch.step(minute, say),
            bad,
            near,
        }
    }

    fn count_lost(&mut self, minute: Minute, failed: f64, tried: f64) {
        if failed < tried {
            self.lost = (0.0, minute);
        } else if 0.0 < failed {
            let (before, since) = self.lost;
            let since = if 0.0 < before { since } else { minute };
            self.lost = (before + failed, since);
        }
    }

    fn lost_minutes(&self, minute: Minute) -> u16 {
        let minutes = minute.since(self.lost.1) + 1;
        u16::try_from(minutes).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::units::Share;

    /// The first minute in which people are told, after two days of `usual` (failed and tried) in each minute.
    fn first(usual: (f64, f64), minutes: i64, each: impl Fn(i64) -> (f64, f64)) -> Option<i64> {
        let mut failures = Failures::new();
        let worth = Failing {
            ratio: 1.5,
            excess: Share::from_basis_points(100).unwrap(),
            least: 20.0,
            rare: 30 * DAY,
        };
        for minute in -2 * DAY..0 {
            failures.push(Minute(minute), usual.0, usual.1, worth);
        }
        (0..minutes).find(|minute| {
            let (failed, tried) = each(*minute);
            let step = failures.push(Minute(*minute), failed, tried, worth);
            step.turn == Some(true)
        })
    }

    #[test]
    fn three_failures_of_three_requests_at_night_are_no_page() {
        let night = |minute: i64| {
            let failed = if (60..63).contains(&minute) { 1.0 } else { 0.0 };
            (failed, failed)
        };
        assert_eq!(first((0.0, 40.0), 180, night), None);
        let at_once = |minute: i64| if minute == 60 { (3.0, 3.0) } else { (0.0, 0.0) };
        assert_eq!(first((0.0, 40.0), 180, at_once), None);
    }

    #[test]
    fn a_quiet_pool_that_fails_every_request_is_told() {
        // Of twenty requests in twenty minutes the last four failed.
        assert_eq!(first((0.0, 1.0), 60, |_| (1.0, 1.0)), Some(3));
        let rarely = |minute: i64| {
            if minute % 5 == 0 {
                (1.0, 1.0)
            } else {
                (0.0, 0.0)
            }
        };
        assert_eq!(first((0.0, 0.2), 200, rarely), Some(95));
    }

    #[test]
    fn a_tripling_at_high_volume_is_told() {
        let told = first((20.0, 2_000.0), 30, |_| (60.0, 2_000.0));
        assert!(told.is_some_and(|it| it <= 8), "{told:?}");
    }
}
