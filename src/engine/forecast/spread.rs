//! How wrong the own forecasts were: the spread of the next ones.
//!
//! The statistic: each hour the forecast for a quarter 1, 2, 4 and 8 hours ahead is put by, each third hour that for 24,
//! 48, 96 and 168 hours ahead, and compared with what came. Per horizon the mean absolute error is kept, an hour's weight falling by 1 %. Errors are
//! taken between square roots, in parts of the root of the usual level: that lies between "in percent" (which explodes
//! at night) and "in requests" (which hides the day). Four fifths of the errors lie within 1.6 mean absolute errors, for
//! normal and for Laplace errors alike, so no distribution has to be believed in.
//!
//! What fools it: the first week after a calm one. Cold start: priors with the weight of six hours, wider for longer
//! horizons.
#![expect(clippy::cast_precision_loss, reason = "hours of at most a week")]

use serde::{Deserialize, Serialize};

use super::{fit::Fit, history::QUARTER};
use crate::{
    engine::packed::{narrow, packed, unpacked},
    model::time::HOUR,
};

/// Horizons in hours, and at each how many hours: errors of days ahead resemble those of the hours beside them.
const HORIZONS: [(u8, u8); 8] = [
    (1, 1),
    (2, 1),
    (4, 1),
    (8, 1),
    (24, 3),
    (48, 3),
    (96, 3),
    (168, 3),
];
/// What an hour's error weighs an hour later.
const FADE: f32 = 0.99;
/// Weight of the prior in hours.
const PRIOR_HOURS: f64 = 6.0;
/// Mean absolute errors on each side that hold four fifths.
const FOUR_FIFTHS: f64 = 1.6;

/// The errors so far.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Spread {
    horizons: [Horizon; HORIZONS.len()],
    /// Packed forecasts that wait for what comes, one ring a horizon, one after the other.
    waiting: Vec<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
struct Horizon {
    errors: f32,
    weight: f32,
}

impl Spread {
    /// The end of an hour: `last` is the mean of its last quarter, `fit` what is forecast from here on.
    pub(super) fn hour(&mut self, last: f64, fit: &Fit) {
        let length = HORIZONS.map(|(hours, beat)| usize::from(hours / beat));
        if self.waiting.is_empty() {
            self.waiting = vec![packed(f64::NAN); length.iter().sum()];
        }
        let hour = fit.origin.0.div_euclid(HOUR);
        let mut rings = self.waiting.as_mut_slice();
        for (horizon, (hours, beat)) in self.horizons.iter_mut().zip(HORIZONS) {
            let Some((ring, rest)) = rings.split_at_mut_checked(usize::from(hours / beat)) else {
                return;
            };
            rings = rest;
            if hour.rem_euclid(i64::from(beat)) != 0 {
                continue;
            }
            let place = (hour / i64::from(beat)).rem_euclid(i64::from(hours / beat));
            let Some(waits) = usize::try_from(place).ok().and_then(|at| ring.get_mut(at)) else {
                continue;
            };
            let error = (last.sqrt() - unpacked(*waits).sqrt()).abs() / fit.level.sqrt();
            if error.is_finite() {
                let (fade, beat) = (FADE.powi(i32::from(beat)), f32::from(beat));
                horizon.errors = horizon.errors * fade + beat * narrow(error);
                horizon.weight = horizon.weight * fade + beat;
            }
            let ahead = i64::from(hours) * HOUR - QUARTER;
            *waits = packed(fit.median(fit.origin.plus(ahead), QUARTER));
        }
    }

    /// Half the width of the band that holds four fifths, between square roots, in parts of the root of the usual level.
    pub(super) fn widths(&self) -> Widths {
        let width = |(horizon, (hours, _)): (&Horizon, (u8, u8))| {
            let hours = f64::from(hours);
            let prior = 0.06 + 0.03 * hours.ln();
            let (errors, weight) = (f64::from(horizon.errors), f64::from(horizon.weight));
            let mean = (errors + PRIOR_HOURS * prior) / (weight + PRIOR_HOURS);
            (hours, FOUR_FIFTHS * mean)
        };
        Widths(self.horizons.iter().zip(HORIZONS).map(width).collect())
    }
}

/// Widths by hours ahead.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Widths(Vec<(f64, f64)>);

impl Widths {
    /// At so many minutes ahead, between the horizons by their logarithm.
    pub(super) fn at(&self, minutes: i64) -> f64 {
        let hours = (minutes as f64 / 60.0).max(0.05);
        let mut nearer = (0.05, self.0.first().map_or(0.0, |it| NOW * it.1));
        for &farther in &self.0 {
            if hours <= farther.0 {
                let share = (hours / nearer.0).ln() / (farther.0 / nearer.0).ln();
                return nearer.1 + share * (farther.1 - nearer.1);
            }
            nearer = farther;
        }
        nearer.1
    }
}

/// The width of the next minutes, in parts of the width an hour ahead.
const NOW: f64 = 0.8;
