//! Requests that carry more tokens than they did: longer contexts, a lost prompt cache, longer answers. They use up TPM
//! while the number of requests stays as it was.
//!
//! The statistic: tokens a request over the newest 2 to 30 minutes but one, against the hour before and the usual
//! high of this hour of day (`profile`), whichever is more. The logarithm of the ratio in deviations of its own noise at
//! this volume (`noise`) says whether it is chance; the factor, and what the pool's calm reaches (`calm`), whether it is
//! news. What fools it: a new caller with long requests is told, rightly; a fall is not told, since nobody is hurt.
//! Cold start: one day, and the first hour of noise.

use serde::{Deserialize, Serialize};

use super::{
    Evidence, Step, blocks,
    calm::Calm,
    latch::{Latch, Say},
    noise::Noise,
    profile::Profile,
    trail::{Sums, Trail},
};
use crate::model::{
    time::{HOUR, Minute},
    unusual::Beyond,
};

const LENGTHS: [u16; 6] = [2, 3, 5, 8, 15, 30];
const LONGEST: u16 = 30;
const BEFORE: u16 = 60;
const LEAST_BEFORE: f64 = 10.0;
const WITHIN: u16 = LONGEST + BEFORE + 15;
const YOUNG_DEVIATION: f64 = 0.5;
const LEAST_SCORE: f64 = 5.0;
const LEAST_NOTED: f64 = 3.0;
/// An alert ends below this many times the usual high.
const CALM_FACTOR: f64 = 1.3;

/// Tokens a request of one pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Tokens {
    /// Requests, tokens.
    trail: Trail<2>,
    profile: Profile,
    noise: Noise,
    calm: Calm,
    latch: Latch,
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self {
            trail: Trail::new(LONGEST + BEFORE),
            profile: Profile::new(HOUR),
            noise: Noise::default(),
            calm: Calm::default(),
            latch: Latch::default(),
        }
    }

    /// `tokens` of `requests` answered requests, at least one.
    pub(super) fn push(
        &mut self,
        minute: Minute,
        requests: f64,
        tokens: f64,
        worth: Beyond,
    ) -> Option<Step> {
        let each = tokens / requests;
        self.trail.push(minute, [requests, tokens]);
        let range = self.profile.push(minute, tokens, requests)?;
        let sums = self.trail.sums(minute, WITHIN, |row| row);
        let limit = self.calm.limit(blocks(worth.rare)).unwrap_or(0.0);
        let needed = worth.factor.ln().max(limit);
        let (mut highest, mut worst) = (0.0_f64, None::<Evidence>);
        let windows = self
            .trail
            .windows(minute, WITHIN, &LENGTHS, |[requests, tokens]| {
                tokens / requests
            });
        for window in windows {
            let Some(before) = before(&sums, window.length) else {
                break;
            };
            let [requests, tokens] = window.rest;
            let usual = range.high.max(before);
            let rise = (tokens / requests / usual).ln();
            let deviation = self
                .noise
                .deviation(requests / window.minutes(), YOUNG_DEVIATION);
            let deviations = rise * window.minutes().sqrt() / deviation;
            if LEAST_NOTED <= deviations {
                highest = highest.max(rise);
            }
            let is_worse = worst.as_ref().is_none_or(|worst| worst.score < rise);
            if LEAST_SCORE <= deviations && needed < rise && is_worse {
                worst = Some(Evidence {
                    seen: tokens / requests,
                    usual,
                    minutes: window.length,
                    score: rise,
                    limit: needed,
                    is_young: self.profile.is_young() || self.calm.is_young(),
                });
            }
        }
        if self.latch.since().is_none() {
            self.calm.note(minute, highest);
            if let Some(before) = before(&sums, 1) {
                let residual = (each / before).ln();
                if residual.is_finite() {
                    self.noise.learn(requests, residual, YOUNG_DEVIATION);
                }
            }
        }
        let say = match worst {
            Some(_) => Say::Bad,
            None if each < CALM_FACTOR * range.high => Say::Calm,
            None => Say::Between,
        };
        Some(Step {
            turn: self.latch.step(minute, say),
            bad: worst,
            near: None,
        })
    }
}

/// Tokens a request in the hour before a window.
fn before(sums: &Sums<2>, length: u16) -> Option<f64> {
    let ([requests, tokens], rows) = sums.of(length, length + BEFORE);
    (LEAST_BEFORE <= rows && 0.0 < requests).then_some(tokens / requests)
}
