//! Failed requests against the pool's own rate of failure.
//!
//! The statistic: over the newest 2 to 30 minutes but one (see `trail`), the surprise of the failures given the
//! attempts and the base rate; the longest of seven windows decides. The base rate is a mean over three days of what
//! lies at least half an hour back. A window is bad only if its rate is also `ratio` times the base rate and `excess`
//! of the attempts above it: at a million requests an hour everything is significant and little matters.
//!
//! - Two failures of three requests at night fall into one minute, or into two of which one is left out: no page.
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
    calm: Calm,
    latch: Latch,
}

impl Failures {
    pub(super) fn new() -> Self {
        Self {
            trail: Trail::new(LONGEST),
            failed: 0.0,
            tried: 0.0,
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
            if needed * tried < failed && is_worse {
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
        let bad = worst.filter(|worst| limit <= worst.score);
        if self.latch.since().is_none() {
            self.calm.note(minute, highest);
        }
        let say = match worst {
            Some(_) if bad.is_some() => Say::Bad,
            Some(worst) if limit / 2.0 <= worst.score => Say::Between,
            _ => Say::Calm,
        };
        let near = worst.filter(|_| say == Say::Between);
        Step {
            turn: self.latch.step(minute, say),
            bad,
            near,
        }
    }
}
