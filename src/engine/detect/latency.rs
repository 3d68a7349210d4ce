//! Answers that are slower than their length explains.
//!
//! The statistic: mean latency against time to first token + time a token x mean output length. The two are fitted to
//! the pool itself by least squares of relative errors with a memory of three days; the logarithm of seen over expected
//! is a residual, scaled by its own deviation at this volume (`noise`). Over the newest 2 to 20 minutes but one, the mean
//! residual must be a factor that users notice (the rule's factor), over at least ten requests, and its sum more than the
//! pool's own calm reaches (`calm`). Why this one: longer answers take longer and nothing is wrong; a fixed limit in
//! milliseconds fits no two pools.
//!
//! Where the length never varies the two can't be told apart; their sum can, and that is all that is used.
//! What fools it: a slow-down that creeps over days becomes usual; a pool whose mix of models' features changes (thinking,
//! images) at equal length. Cold start: half an hour to fit, and a deviation of a third until an hour is known.

use serde::{Deserialize, Serialize};

use super::{
    Evidence, Step, blocks,
    calm::Calm,
    latch::{Latch, Say},
    noise::Noise,
    trail::Trail,
};
use crate::model::{
    time::{DAY, Minute},
    unusual::Beyond,
};

const LENGTHS: [u16; 5] = [2, 3, 5, 10, 20];
const LONGEST: u16 = 20;
/// Minutes with few answers may be sparse: the newest twenty may lie this far apart.
const WITHIN: u16 = 30;
const YOUNG_MINUTES: u16 = 30;
const YOUNG_DEVIATION: f64 = 0.3;
const LEAST_SCORE: f64 = 5.0;
/// Fewer answers prove nothing.
const LEAST_REQUESTS: f64 = 10.0;
/// A residual teaches at most this much, so that an incident teaches little.
const CLIP: f64 = 0.3;
/// An alert ends below this part of the factor's logarithm.
const CALM_PART: f64 = 0.7;

/// The latency of one pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Latency {
    line: Line,
    seen: u16,
    noise: Noise,
    /// Residual, residual in deviations, requests.
    trail: Trail<3>,
    calm: Calm,
    latch: Latch,
}

/// One minute with answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answers {
    pub(super) requests: f64,
    /// Mean output tokens.
    pub(super) length: f64,
    /// Mean milliseconds.
    pub(super) millis: f64,
}

impl Latency {
    pub(super) fn new() -> Self {
        Self {
            line: Line::default(),
            seen: 0,
            noise: Noise::default(),
            trail: Trail::new(LONGEST),
            calm: Calm::default(),
            latch: Latch::default(),
        }
    }

    pub(super) fn push(&mut self, minute: Minute, answers: Answers, worth: Beyond) -> Option<Step> {
        let Answers {
            requests,
            length,
            millis,
        } = answers;
        let weight = requests / (requests + 5.0); // five answers know half of what many know
        if self.seen < YOUNG_MINUTES {
            self.seen += 1;
            self.line.learn(length, millis, weight);
            return None;
        }
        let usual = self.line.at(length);
        let residual = (millis / usual).ln();
        if !residual.is_finite() {
            return None;
        }
        let deviation = self.noise.deviation(requests, YOUNG_DEVIATION);
        self.trail
            .push(minute, [residual, residual / deviation, requests]);
        let slow = worth.factor.ln();
        let limit = self.calm.limit(blocks(worth.rare));
        let limit = limit.map_or(LEAST_SCORE, |limit| limit.max(LEAST_SCORE));
        let (mut highest, mut worst) = (0.0_f64, None::<Evidence>);
        let windows = self
            .trail
            .windows(minute, WITHIN, &LENGTHS, |[residual, ..]| *residual);
        for window in windows {
            let [residual, deviations, requests] = window.rest;
            let mean = residual / window.minutes();
            let score = deviations / window.minutes().sqrt();
            if requests < LEAST_REQUESTS || mean <= 0.0 || score <= highest {
                continue;
            }
            highest = score;
            if slow < mean {
                worst = Some(Evidence {
                    seen: usual * mean.exp(),
                    usual,
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
        if self.latch.may_learn(minute, DAY) {
            let clipped = usual * residual.clamp(-CLIP, CLIP).exp();
            self.line.learn(length, clipped, weight);
            self.noise.learn(requests, residual, YOUNG_DEVIATION);
        }
        let say = match bad {
            Some(_) => Say::Bad,
            None if residual < CALM_PART * slow => Say::Calm,
            None => Say::Between,
        };
        Some(Step {
            turn: self.latch.step(minute, say),
            bad,
            near: None,
        })
    }
}

/// `first + a_token * length`, by weighted least squares of relative errors that forgets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Line {
    // Sums of weight times 1, length, length squared, millis, length times millis.
    ones: f64,
    lengths: f64,
    squares: f64,
    millis: f64,
    products: f64,
    first: f64,
    a_token: f64,
}

impl Line {
    /// A memory of three days.
    const FORGOTTEN: f64 = 1.0 / 4_320.0;
    /// Keeps lengths that hardly vary solvable, and moves no other line.
    const RIDGE: f64 = 1.001;

    fn at(&self, length: f64) -> f64 {
        self.a_token.mul_add(length, self.first)
    }

    fn learn(&mut self, length: f64, millis: f64, weight: f64) {
        // Relative to what is expected, but never so little that one fast answer outweighs all.
        let scale = self.at(length).max(0.2 * millis);
        let weight = weight / (scale * scale);
        if !(weight.is_finite() && 0.0 < weight) {
            return;
        }
        for (sum, value) in [
            (&mut self.ones, 1.0),
            (&mut self.lengths, length),
            (&mut self.squares, length * length),
            (&mut self.millis, millis),
            (&mut self.products, length * millis),
        ] {
            *sum += weight * value - Self::FORGOTTEN * *sum;
        }
        let squares = Self::RIDGE * self.squares;
        let determinant = self.ones * squares - self.lengths * self.lengths;
        let mean = self.millis / self.ones;
        let solved = (0.0 < determinant).then(|| {
            let first = (self.millis * squares - self.products * self.lengths) / determinant;
            let a_token = (self.ones * self.products - self.lengths * self.millis) / determinant;
            (first, a_token)
        });
        // Neither part can be negative: what would be is none, and the other explains all.
        (self.first, self.a_token) = match solved {
            Some((first, a_token)) if 0.0 <= first && 0.0 <= a_token => (first, a_token),
            Some((first, _)) if first < 0.0 => (0.0, self.products / self.squares),
            Some(_) | None => (mean, 0.0),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_token_and_each_token_are_told_apart() {
        let mut line = Line::default();
        for minute in 0..2_000_u32 {
            let length = 50.0 + f64::from(minute % 37) * 10.0;
            line.learn(length, 400.0 + 12.0 * length, 1.0);
        }
        assert!((line.first - 400.0).abs() < 20.0, "{line:?}");
        assert!((line.a_token - 12.0).abs() < 0.2, "{line:?}");
    }

    #[test]
    fn a_constant_length_has_a_latency_all_the_same() {
        let mut line = Line::default();
        for _ in 0..500 {
            line.learn(100.0, 900.0, 1.0);
        }
        assert!((line.at(100.0) - 900.0).abs() < 5.0, "{line:?}");
    }
}
