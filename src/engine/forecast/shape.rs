//! The shape of a day: how each quarter of an hour relates to the mean of its day.
//!
//! The statistic: of each whole day back from now the quarters divided by the mean of that day; per quarter their mean
//! without the tenth of the weight at either end, the newest day weighing most (half as much a week back), then smoothed
//! over five quarters. Ratios, so that growth does not blur the shape; a mean and not a median, because a job that runs
//! every other night is part of what is to be expected, and trimmed, because an incident is not.
//! What fools it: below a week of days one day is more than a tenth, and what is left of its incident stays in the shape.
//! Cold start: below one whole day every quarter is 1.
#![expect(
    clippy::indexing_slicing,
    reason = "slots are taken modulo the length of a day"
)]

use super::history::{DAY, QUARTER};

/// Days until a day weighs half.
const HALF_LIFE: f64 = 7.0;
/// Weights of a quarter and its neighbours, two on each side.
const SMOOTH: [f64; 5] = [1.0, 2.0, 3.0, 2.0, 1.0];
/// What is left out of the days of a quarter at either end, by weight.
const CUT: f64 = 0.1;
/// Quarters that must be known for a day to count.
const LEAST_KNOWN: f64 = 48.0;

/// One ratio a quarter of the day; their mean is 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape([f64; DAY]);

impl Shape {
    /// Of quarters that end at quarter `end`.
    pub(super) fn of(quarters: &[f64], end: i64) -> Self {
        let first_slot = slot(end);
        let fade = 0.5_f64.powf(HALF_LIFE.recip());
        let mut weight = 1.0;
        let mut days = Vec::new();
        for day in quarters.rchunks_exact(DAY) {
            let known = day.iter().filter(|it| !it.is_nan());
            let (sum, count) = known.fold((0.0, 0.0), |(sum, count), it| (sum + it, count + 1.0));
            if LEAST_KNOWN < count && 0.0 < sum {
                days.push((day, count / sum, weight));
            }
            weight *= fade;
        }
        let mut ratios = Vec::with_capacity(days.len());
        let raw: [f64; DAY] = std::array::from_fn(|slot| {
            let at = (slot + DAY - first_slot) % DAY;
            ratios.clear();
            ratios.extend(
                days.iter()
                    .map(|&(day, scale, weight)| (scale * day[at], weight)),
            );
            ratios.retain(|it| !it.0.is_nan());
            trimmed(&mut ratios).unwrap_or(1.0)
        });
        let smooth = |at: usize| -> f64 {
            let around = SMOOTH.iter().enumerate();
            around
                .map(|(by, weight)| weight * raw[(at + DAY + by - 2) % DAY])
                .sum()
        };
        let mut shape: [f64; DAY] = std::array::from_fn(smooth);
        let mean = shape.iter().sum::<f64>() / 96.0;
        for ratio in &mut shape {
            *ratio = if 0.0 < mean { *ratio / mean } else { 1.0 };
        }
        Self(shape)
    }

    /// At the quarter with this number.
    pub(super) fn quarter(&self, quarter: i64) -> f64 {
        self.0[slot(quarter)]
    }

    /// At this minute, between the middles of the quarters.
    pub(super) fn minute(&self, minute: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "15")]
        let at = minute / QUARTER as f64 - 0.5;
        #[expect(clippy::cast_possible_truncation, reason = "minutes of this age")]
        let before = at.floor() as i64;
        let share = at - at.floor();
        self.quarter(before) * (1.0 - share) + self.quarter(before + 1) * share
    }
}

/// The weighted mean without [`CUT`] of the weight at either end; `None` of nothing.
fn trimmed(ratios: &mut [(f64, f64)]) -> Option<f64> {
    ratios.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = ratios.iter().map(|it| it.1).sum();
    let (least, most) = (CUT * total, (1.0 - CUT) * total);
    let (mut seen, mut sum, mut weight) = (0.0_f64, 0.0, 0.0);
    for &(ratio, of) in &*ratios {
        let from = seen.max(least);
        seen += of;
        let part = (seen.min(most) - from).max(0.0);
        (sum, weight) = (sum + part * ratio, weight + part);
    }
    (0.0 < weight).then(|| sum / weight)
}

/// The slot of the day of the quarter with this number.
fn slot(quarter: i64) -> usize {
    usize::try_from(quarter.rem_euclid(96)).unwrap_or(0) // 0..96
}
