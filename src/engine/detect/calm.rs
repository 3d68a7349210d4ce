//! What a statistic reaches while nothing is wrong.
//!
//! The statistic: the largest value of each block of six hours, 28 blocks (a week). A limit is what the pool's own
//! blocks reach once in so many, by a Gumbel distribution through the median and the quartiles, and never less than the
//! second largest block: what happened twice within the week is not news. Why this one: a threshold in deviations says
//! nothing of how often it is passed, since traffic has no normal distribution; maxima have a limit law whatever the
//! traffic's own. Quartiles ignore incidents in up to a quarter of the blocks, and minutes of a standing alert are left out.
//!
//! What fools it: something that comes once a week in only one block passes for unusual. Cold start: with fewer than
//! [`LEAST`] blocks there is no limit, and the caller's own least value stands alone.

use serde::{Deserialize, Serialize};

use super::trail::short;
use crate::{
    engine::packed::narrow,
    model::time::{HOUR, Minute},
};

const BLOCK: i64 = 6 * HOUR;
const KEPT: u8 = 28;
/// Two days.
const LEAST: u8 = 8;
/// A block counts from so many minutes on.
const LEAST_MINUTES: u16 = 60;

/// The maxima of past blocks, and the block under way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Calm {
    /// Oldest first; only the last ones while not all are known.
    maxima: [f32; KEPT as usize],
    kept: u8,
    block: i32,
    highest: f32,
    seen: u16,
    /// What follows from the maxima; `None` while young.
    known: Option<Known>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Known {
    mode: f32,
    scale: f32,
    second: f32,
}

impl Calm {
    /// Takes note of a value at least 0 of a minute without an alert.
    pub(super) fn note(&mut self, minute: Minute, value: f64) {
        let block = short(Minute(minute.0.div_euclid(BLOCK)));
        if block != self.block {
            if LEAST_MINUTES <= self.seen {
                self.keep();
            }
            (self.block, self.highest, self.seen) = (block, 0.0, 0);
        }
        self.seen = self.seen.saturating_add(1);
        self.highest = self.highest.max(narrow(value));
    }

    fn keep(&mut self) {
        self.maxima.rotate_left(1);
        let [.., newest] = &mut self.maxima;
        *newest = self.highest;
        self.kept = self.kept.saturating_add(1).min(KEPT);
        if LEAST <= self.kept {
            self.known = self.fit();
        }
    }

    fn fit(&self) -> Option<Known> {
        let newest = self.maxima.iter().rev().take(self.kept.into());
        let mut sorted: Vec<f64> = newest.copied().map(f64::from).collect();
        sorted.sort_by(f64::total_cmp);
        let quartiles = Quartiles::of(&sorted)?;
        let scale = quartiles.gumbel_scale();
        Some(Known {
            mode: narrow(quartiles.gumbel_mode(scale)),
            scale: narrow(scale),
            second: narrow(sorted.iter().rev().nth(1).copied()?),
        })
    }

    /// Whether there is no limit yet.
    pub(super) const fn is_young(&self) -> bool {
        self.known.is_none()
    }

    /// What is reached once in `rare` blocks; `None` while young.
    pub(super) fn limit(&self, rare: f64) -> Option<f64> {
        let known = self.known?;
        let [mode, scale, second] = [known.mode, known.scale, known.second].map(f64::from);
        Some(second.max(mode + scale * rare.ln()))
    }
}

/// The quartiles of maxima, and the Gumbel distribution through them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quartiles {
    low: f64,
    middle: f64,
    high: f64,
}

impl Quartiles {
    // A quantile p of a Gumbel distribution lies -ln(-ln p) scales above its mode.
    const LOW: f64 = -0.326_634;
    const MIDDLE: f64 = 0.366_513;
    const HIGH: f64 = 1.245_899;

    /// Of an ascending slice; `None` for an empty one.
    pub(super) fn of(sorted: &[f64]) -> Option<Self> {
        Some(Self {
            low: quantile(sorted, 1)?,
            middle: quantile(sorted, 2)?,
            high: quantile(sorted, 3)?,
        })
    }

    /// What is reached in one of so many blocks lies `scale * ln(blocks)` above the mode.
    pub(super) fn gumbel_scale(&self) -> f64 {
        (self.high - self.low) / (Self::HIGH - Self::LOW)
    }

    /// The mode, so that the median is kept whatever the scale.
    pub(super) fn gumbel_mode(&self, scale: f64) -> f64 {
        self.middle - Self::MIDDLE * scale
    }
}

/// The `quarter`-th quartile of an ascending slice, between neighbours; `None` for an empty one.
fn quantile(sorted: &[f64], quarter: usize) -> Option<f64> {
    let place = quarter * sorted.len().checked_sub(1)?;
    let low = sorted.get(place / 4)?;
    let high = sorted.get((place / 4 + 1).min(sorted.len() - 1))?;
    let part = [0.0, 0.25, 0.5, 0.75];
    Some(low + part.get(place % 4)? * (high - low))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calm_of(maxima: &[f64]) -> Calm {
        let mut calm = Calm::default();
        for (block, max) in (1..).zip(maxima.iter().chain([&0.0])) {
            for minute in 0..BLOCK {
                calm.note(
                    Minute(block * BLOCK + minute),
                    if minute == 7 { *max } else { 0.0 },
                );
            }
        }
        calm
    }

    #[test]
    fn an_incident_in_the_past_moves_little() {
        let quiet = [4.0, 5.0, 6.0, 5.0, 4.0, 5.5, 4.5, 5.0, 6.0, 5.0];
        let mut shaken = quiet;
        shaken[3] = 900.0;
        let (quiet, shaken) = (calm_of(&quiet), calm_of(&shaken));
        let (quiet, shaken) = (quiet.limit(60.0).unwrap(), shaken.limit(60.0).unwrap());
        assert!((6.0..10.0).contains(&quiet), "{quiet}");
        assert!((6.0..12.0).contains(&shaken), "{shaken}");
    }

    #[test]
    fn what_came_twice_is_the_limit() {
        let calm = calm_of(&[1.0, 1.0, 1.0, 8.0, 1.0, 1.0, 1.0, 9.0, 1.0, 1.0]);
        assert!((8.0 - calm.limit(60.0).unwrap()).abs() < 1e-6);
    }

    #[test]
    fn a_day_is_young() {
        let calm = calm_of(&[1.0; 4]);
        assert!(calm.is_young());
        assert_eq!(calm.limit(60.0), None);
    }

    #[test]
    fn quartiles_lie_between_neighbours() {
        assert_eq!(quantile(&[1.0, 2.0, 3.0], 2), Some(2.0));
        assert_eq!(quantile(&[1.0, 2.0], 1), Some(1.25));
        assert_eq!(quantile(&[], 1), None);
    }
}
