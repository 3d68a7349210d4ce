//! How much a residual scatters, by the number of requests behind it: the mean of three answers scatters more than that
//! of a thousand.
//!
//! The statistic: the mean absolute residual, clipped at three deviations, in four classes of volume, over two days of
//! minutes. A class that is young borrows from its neighbours.

use serde::{Deserialize, Serialize};

use crate::engine::packed::narrow;

/// Deviation of a normal distribution by its mean absolute deviation.
const NORMAL: f64 = 1.2533;
/// Two days of minutes.
const MEMORY: u16 = 2_880;
/// A class speaks for itself from here on.
const LEAST: u16 = 60;
/// No residual is so regular that a fiftieth is news.
const FLOOR: f64 = 0.02;
const CLIP: f64 = 3.0;

/// Deviations by class of volume: below 4, 16, 64 requests, and above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Noise {
    classes: [Class; 4],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Class {
    mean: f32,
    seen: u16,
}

impl Noise {
    /// The deviation of a residual over so many requests; `young` where too little is known.
    pub(super) fn deviation(&self, requests: f64, young: f64) -> f64 {
        let class = class_of(requests);
        let near = [class, class.saturating_sub(1), class + 1];
        let known = near
            .iter()
            .filter_map(|class| self.classes.get(*class))
            .find(|class| LEAST <= class.seen);
        known.map_or(young, |class| (NORMAL * f64::from(class.mean)).max(FLOOR))
    }

    /// Learns a residual.
    pub(super) fn learn(&mut self, requests: f64, residual: f64, young: f64) {
        let size = residual.abs().min(CLIP * self.deviation(requests, young));
        if let Some(class) = self.classes.get_mut(class_of(requests)) {
            class.seen = (class.seen + 1).min(MEMORY);
            class.mean += narrow((size - f64::from(class.mean)) / f64::from(class.seen));
        }
    }
}

fn class_of(requests: f64) -> usize {
    [4.0, 16.0, 64.0]
        .iter()
        .filter(|edge| **edge <= requests)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_counts_scatter_more() {
        let mut noise = Noise::default();
        for _ in 0..200 {
            noise.learn(2.0, 0.8, 0.3);
            noise.learn(500.0, 0.1, 0.3);
        }
        assert!(noise.deviation(500.0, 0.3) < 0.2);
        assert!(0.5 < noise.deviation(2.0, 0.3));
        assert!(
            (noise.deviation(5.0, 0.3) - noise.deviation(2.0, 0.3)).abs() < 1e-9,
            "borrowed"
        );
        assert!((Noise::default().deviation(5.0, 0.3) - 0.3).abs() < 1e-9);
    }
}
