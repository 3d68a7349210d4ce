//! Yesterday: what the last day had at this time beyond the shape, and how much of such differences comes back.
//!
//! The statistic: of each whole day back from now the ratios to the base, divided by the ratio of that day as a whole,
//! less one. Over the last nine days those of a day are regressed on those of the day before and of the day before
//! that, weighted by the base, newer days more (half two days back), and shrunk to none. The shape of the day is a mean
//! of two weeks; where the rhythm drifts (a job that starts later each day, a sunrise) yesterday is nearer the truth,
//! and the regression finds out. Where days differ by chance the weight goes to nothing. The level is left out: the last
//! hours say it better.
//!
//! What fools it: an incident yesterday, by its weight, until the same time tomorrow. Cold start: below two whole days the
//! weight is nothing.
#![expect(
    clippy::indexing_slicing,
    reason = "slots of a day, and days that were counted"
)]

use super::history::DAY;

/// Days that are looked at.
const DAYS: usize = 9;
/// Days until a day weighs half.
const HALF_LIFE: f64 = 2.0;
/// Weight of the prior, that nothing comes back: this much squared difference of quarters at the usual level.
const PRIOR: f64 = 0.6;
/// Differences are kept within these.
const DIFFERENCE: (f64, f64) = (-1.0, 2.0);

/// The differences of the last day, and how much of them is expected.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Yesterday {
    /// From the quarter a day ago on; `NaN` for gaps.
    differences: [f64; DAY],
    /// After one day and after two.
    weights: [f64; 2],
}

impl Yesterday {
    /// Of at least a day of quarters, their base, and the usual level, which is positive.
    pub(super) fn of(quarters: &[f64], base: &[f64], level: f64) -> Self {
        let days = quarters
            .rchunks_exact(DAY)
            .zip(base.rchunks_exact(DAY))
            .take(DAYS);
        let days: Vec<_> = days
            .map(|(quarters, base)| (differences(quarters, base), base))
            .collect();
        let first = weight(&days, 1, level);
        Self {
            differences: days.first().map_or([f64::NAN; DAY], |it| it.0),
            weights: [first, weight(&days, 2, level).min(first)],
        }
    }

    /// What it adds to the ratio to the base, so many quarters from now.
    pub(super) fn adds(&self, quarter: usize) -> f64 {
        let difference = self.differences[quarter % DAY];
        let [first, second] = self.weights;
        let weight = match quarter / DAY {
            0 => first,
            1 => second,
            _ if first <= 0.0 => 0.0,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_possible_wrap,
                reason = "days of a forecast"
            )]
            days => second * (second / first).powi(days as i32 - 1),
        };
        if difference.is_nan() {
            0.0
        } else {
            weight * difference
        }
    }
}

/// The ratios of a day to its base beyond that of the whole day.
fn differences(quarters: &[f64], base: &[f64]) -> [f64; DAY] {
    let known = quarters.iter().zip(base).filter(|(it, _)| !it.is_nan());
    let (sum, of) = known.fold((0.0, 0.0), |(sum, of), (it, base)| (sum + it, of + base));
    let day = sum / of;
    std::array::from_fn(|at| {
        if 0.0 < day && 0.0 < base[at] {
            (quarters[at] / base[at] / day - 1.0).clamp(DIFFERENCE.0, DIFFERENCE.1)
        } else {
            f64::NAN
        }
    })
}

/// How much of the differences came back so many days later. Newest day first.
fn weight(days: &[([f64; DAY], &[f64])], later: usize, level: f64) -> f64 {
    let (mut products, mut squares) = (0.0, PRIOR * level);
    let fade = 0.5_f64.powf(HALF_LIFE.recip());
    let mut age = 1.0;
    for ((came, base), (was, _)) in days.iter().zip(days.iter().skip(later)) {
        age *= fade;
        for ((came, was), base) in came.iter().zip(was).zip(*base) {
            if !came.is_nan() && !was.is_nan() {
                products += age * base * came * was;
                squares += age * base * was * was;
            }
        }
    }
    (products / squares).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nine days of a base of one, with a bump of a half that starts `drift` quarters later each day, at random where
    /// that is `None`.
    fn days(drift: Option<usize>) -> Vec<f64> {
        let starts = [40, 11, 63, 25, 80, 3, 52, 31, 70];
        let starts = (0..DAYS).map(|day| drift.map_or(starts[day], |drift| 30 + drift * day));
        starts
            .flat_map(|start| {
                (0..DAY).map(move |at| {
                    if (start..start + 12).contains(&at) {
                        1.5
                    } else {
                        1.0
                    }
                })
            })
            .collect()
    }

    #[test]
    fn a_rhythm_that_drifts_comes_back_and_chance_does_not() {
        let base = vec![1.0; DAYS * DAY];
        let slow = Yesterday::of(&days(Some(1)), &base, 1.0);
        let last = 30 + DAYS - 1;
        assert!(0.3 < slow.adds(last + 6), "{}", slow.adds(last + 6));
        assert!(slow.adds(last + 6 + DAY) < slow.adds(last + 6));
        assert!(slow.adds(last - 6) < 0.0);
        let chance = Yesterday::of(&days(None), &base, 1.0);
        assert!(chance.adds(70 + 6) < 0.1, "{}", chance.adds(70 + 6));
    }

    #[test]
    fn a_day_of_another_level_is_no_difference() {
        let base = vec![1.0; 3 * DAY];
        let levels = [1.0, 3.0, 0.2];
        let quarters: Vec<f64> = levels.iter().flat_map(|it| [*it; DAY]).collect();
        let yesterday = Yesterday::of(&quarters, &base, 1.4);
        assert!((0..2 * DAY).all(|at| yesterday.adds(at).abs() < 1e-9));
    }

    #[test]
    fn one_day_and_gaps_add_nothing() {
        let day = Yesterday::of(&days(Some(1))[..DAY], &[1.0; DAY], 1.0);
        assert!((0..DAY).all(|at| day.adds(at).abs() < 1e-9));
        let gaps = Yesterday::of(&[f64::NAN; 2 * DAY], &[1.0; 2 * DAY], 1.0);
        assert!((0..DAY).all(|at| gaps.adds(at).abs() < 1e-9));
    }
}
