//! The slow part: level, growth a day and the days of the week, with how well each is known.
//!
//! The statistic: a Bayesian linear regression of the logarithm of six-hour levels (without the shape of the day) on a
//! level, a slope and seven weekdays. The priors say that growth of more than some percent a day and weekdays that
//! differ by more than a half are rare; what the data say beyond that is learned. Residuals beyond two deviations
//! lose weight (Huber), so that an incident or a launch moves neither slope nor weekday for good.
//! Why this one: with two weeks of data weekday and growth can't be told apart by eye (a quiet weekend looks like a
//! fall). A joint regression gives each its share *and* the covariance, from which the spread of a forecast a month
//! ahead follows.
//!
//! What fools it: a step (it becomes growth for some days, until the residual levels of the fit take it over). Weeks
//! of local time: the days are UTC days. Cold start: below a day there is no trend; below two weeks the priors rule,
//! and the spread says so.

#![expect(
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "arrays of nine terms, and counts below a thousand"
)]

/// Level, slope, seven weekdays.
const TERMS: usize = 9;
/// Standard deviation of the prior of growth: 3 % a day.
const GROWTH_PRIOR: f64 = 0.03;
/// Standard deviation of the prior of a weekday: about a half up or down.
const WEEKDAY_PRIOR: f64 = 0.45;
/// What a weekday that was not seen yet is in doubt by. Most differ by less than the few that the prior has to let through:
/// with its deviation here, a pool of five days would hardly be warned of the sixth.
const WEEKDAY_DOUBT: f64 = 0.3;
/// Standard deviation of the prior of the level, around the newest level; as good as none.
const LEVEL_PRIOR: f64 = 5.0;
/// What a day deviates from its trend before anything is known: 12 %, with the weight of four days.
const NOISE_PRIOR: f64 = 0.12;
const NOISE_PRIOR_DAYS: f64 = 4.0;
/// Half-life of a level's weight in days.
const HALF_LIFE: f64 = 14.0;
/// Growth goes on as it is for this many days and then flattens: of `h` days ahead `h * D / (D + h)` count.
const DAMPING: f64 = 14.0;
/// Residuals beyond so many deviations lose weight.
const HUBER: f64 = 2.0;
/// Levels of one day are far from independent: each counts for a quarter of a day.
const PER_DAY: f64 = 4.0;
/// Rounds of reweighting.
const ROUNDS: usize = 3;
/// Estimates the standard deviation of a normal distribution from the median absolute deviation.
const NORMAL: f64 = 1.4826;

use serde::{Deserialize, Serialize};

use crate::engine::packed::narrow;

type Row = [f64; TERMS];
type Square = [[f64; TERMS]; TERMS];

/// A level of about six hours.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Level {
    /// Days since 1970, at its middle.
    pub(super) day: f64,
    /// Natural logarithm.
    pub(super) log: f64,
}

/// The fitted trend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Trend {
    terms: [f32; TERMS],
    doubt: Doubt,
    /// Days since 1970 at which it was fitted.
    day: f64,
}

impl Trend {
    /// `levels` oldest first; `None` for less than a day of them.
    pub(super) fn of(levels: &[Level], day: f64) -> Option<Self> {
        let newest = levels.last()?.log;
        if (levels.len() as f64) < PER_DAY {
            return None;
        }
        let rows: Vec<Row> = levels.iter().map(|it| row(it.day, it.day - day)).collect();
        let age = |level: &Level| 0.5_f64.powf((day - level.day) / HALF_LIFE);
        let ages: Vec<f64> = levels.iter().map(age).collect();
        let mut weights = vec![1.0; levels.len()];
        let mut noise = NOISE_PRIOR;
        let mut fitted = None;
        for _ in 0..ROUNDS {
            let (mut squares, mut products) = prior();
            let weighed = weights.iter().zip(&ages);
            for ((level, row), (weight, age)) in levels.iter().zip(&rows).zip(weighed) {
                add(
                    &mut squares,
                    &mut products,
                    row,
                    level.log - newest,
                    weight * age / (PER_DAY * noise * noise),
                );
            }
            let factor = cholesky(&squares)?;
            let mut terms = solve(&factor, &products);
            terms[0] += newest;
            let residuals: Vec<f64> = levels
                .iter()
                .zip(&rows)
                .map(|(level, row)| (level.log - dot(row, &terms)).abs())
                .collect();
            noise = noise_of(&residuals);
            for (weight, residual) in weights.iter_mut().zip(&residuals) {
                *weight = (HUBER * noise / residual.max(f64::MIN_POSITIVE)).min(1.0);
            }
            fitted = Some((terms, squares));
        }
        let (terms, mut squares) = fitted?;
        for (term, row) in squares.iter_mut().enumerate().skip(2) {
            row[term] += WEEKDAY_DOUBT.powi(-2) - WEEKDAY_PRIOR.powi(-2);
        }
        Some(Self {
            terms: terms.map(narrow),
            doubt: Doubt::of(&cholesky(&squares)?),
            day,
        })
    }

    /// The logarithm of the level at this day, the day of the week in it.
    pub(super) fn at(&self, day: f64) -> f64 {
        let term = |at: usize| f64::from(self.terms[at]);
        term(0) + term(1) * self.grown(day) + term(2 + weekday(day))
    }

    /// Standard deviation of [`Self::at`].
    pub(super) fn deviation(&self, day: f64) -> f64 {
        let [still, grows, grows_twice] = self.doubt.0[weekday(day)].map(f64::from);
        let grown = self.grown(day);
        let variance = still + grown * (grows + grown * grows_twice);
        variance.max(0.0).sqrt()
    }

    /// The days of growth that count, from the fit to this day.
    fn grown(&self, day: f64) -> f64 {
        let ahead = (day - self.day).max(0.0);
        (day - self.day).min(ahead * DAMPING / (DAMPING + ahead))
    }
}

/// What is left of the covariance: per weekday the variance of the logarithm as a polynomial of the days of growth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Doubt([[f32; 3]; 7]);

impl Doubt {
    fn of(factor: &Square) -> Self {
        let covariance: Square = std::array::from_fn(|term| {
            let mut unit = [0.0; TERMS];
            unit[term] = 1.0;
            solve(factor, &unit)
        });
        let of = |a: usize, b: usize| covariance[a][b];
        Self(std::array::from_fn(|weekday| {
            let day = 2 + weekday;
            [
                of(0, 0) + of(day, day) + 2.0 * of(0, day),
                2.0 * (of(0, 1) + of(1, day)),
                of(1, 1),
            ]
            .map(narrow)
        }))
    }
}

/// What each term weighs on this day, `ahead` days of growth after the fit.
fn row(day: f64, ahead: f64) -> Row {
    let mut row = [0.0; TERMS];
    (row[0], row[1]) = (1.0, ahead);
    row[2 + weekday(day)] = 1.0;
    row
}

fn weekday(day: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "a day of this age")]
    let day = day.floor() as i64;
    usize::try_from(day.rem_euclid(7)).unwrap_or(0) // 0..7
}

/// The priors as the sums that the data are added to.
fn prior() -> (Square, Row) {
    let mut squares = [[0.0; TERMS]; TERMS];
    for (term, row) in squares.iter_mut().enumerate() {
        let deviation = match term {
            0 => LEVEL_PRIOR,
            1 => GROWTH_PRIOR,
            _ => WEEKDAY_PRIOR,
        };
        row[term] = (deviation * deviation).recip();
    }
    (squares, [0.0; TERMS])
}

fn add(squares: &mut Square, products: &mut Row, row: &Row, value: f64, weight: f64) {
    for (term, &x) in row.iter().enumerate().filter(|(_, x)| **x != 0.0) {
        for (sum, &y) in squares[term].iter_mut().zip(row) {
            *sum += weight * x * y;
        }
        products[term] += weight * x * value;
    }
}

/// The robust deviation of the residuals, shrunk to its prior.
fn noise_of(residuals: &[f64]) -> f64 {
    let mut sorted = residuals.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(NOISE_PRIOR);
    let days = residuals.len() as f64 / PER_DAY;
    let seen = NORMAL * median;
    let sum = NOISE_PRIOR_DAYS * NOISE_PRIOR * NOISE_PRIOR + days * seen * seen;
    (sum / (NOISE_PRIOR_DAYS + days)).sqrt()
}

fn dot(a: &Row, b: &Row) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The lower factor; `None` when the matrix is not positive definite, which the priors rule out for finite data.
fn cholesky(squares: &Square) -> Option<Square> {
    let mut lower = [[0.0; TERMS]; TERMS];
    for i in 0..TERMS {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            let rest = squares[i][j] - known;
            lower[i][j] = match i == j {
                true if 0.0 < rest => rest.sqrt(),
                true => return None,
                false => rest / lower[j][j],
            };
        }
    }
    Some(lower)
}

fn solve(lower: &Square, products: &Row) -> Row {
    let mut x = *products;
    for i in 0..TERMS {
        let known: f64 = (0..i).map(|k| lower[i][k] * x[k]).sum();
        x[i] = (x[i] - known) / lower[i][i];
    }
    for i in (0..TERMS).rev() {
        let known: f64 = (i + 1..TERMS).map(|k| lower[k][i] * x[k]).sum();
        x[i] = (x[i] - known) / lower[i][i];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(days: i32, log: impl Fn(f64) -> f64) -> Vec<Level> {
        (0..4 * days)
            .map(|at| {
                let day = 20_000.0 + (f64::from(at) + 0.5) / 4.0;
                Level { day, log: log(day) }
            })
            .collect()
    }

    #[test]
    fn growth_and_weekdays_are_told_apart() {
        let weekend = |day: f64| {
            if day.floor().rem_euclid(7.0) < 2.0 {
                -0.5
            } else {
                0.0
            }
        };
        let truth = |day: f64| 0.03 * (day - 20_000.0) + weekend(day);
        let trend = Trend::of(&levels(21, truth), 20_021.0).unwrap();
        for day in 20_021..20_028 {
            let day = f64::from(day) + 0.5;
            let error = trend.at(day) - truth(day);
            assert!(error.abs() < 0.12, "{error} on day {day}");
        }
    }

    #[test]
    fn an_incident_moves_little() {
        let calm = Trend::of(&levels(14, |_| 5.0), 20_014.0).unwrap();
        let shaken = levels(14, |day| {
            if (20_009.0..20_009.5).contains(&day) {
                7.0
            } else {
                5.0
            }
        });
        let shaken = Trend::of(&shaken, 20_014.0).unwrap();
        let moved = (shaken.at(20_017.5) - calm.at(20_017.5)).abs();
        assert!(moved < 0.1, "{moved}");
    }

    #[test]
    fn a_weekday_that_was_not_seen_is_in_doubt_by_about_a_third() {
        let young = Trend::of(&levels(5, |_| 5.0), 20_005.0).unwrap();
        let (seen, not_yet) = (young.deviation(20_004.5), young.deviation(20_005.5));
        assert!(seen < not_yet, "{seen} {not_yet}");
        assert!((WEEKDAY_DOUBT..0.36).contains(&not_yet), "{not_yet}");
    }

    #[test]
    fn what_is_far_or_young_is_less_sure() {
        let old = Trend::of(&levels(21, |_| 5.0), 20_021.0).unwrap();
        let young = Trend::of(&levels(3, |_| 5.0), 20_003.0).unwrap();
        assert!(old.deviation(20_022.5) < old.deviation(20_028.5));
        assert!(old.deviation(20_022.5) < young.deviation(20_004.5));
        assert!(Trend::of(&levels(3, |_| 5.0)[..3], 20_001.0).is_none());
    }
}
