//! The same time yesterday and the same time last week: simple forecasts beside the fit's own.
//!
//! The statistic: what each quarter was a day (a week) ago, and the same times how much more there is now than there was
//! then: the ratio of the last three days to those a day (a week) before them, and what the last day, four hours, hour and
//! quarter say beyond it, each believed for about as long as it has held. Near ahead the median of the fit and of the two
//! at the level of now counts; from some hours on that of all five, since today's level comes to count less; some days
//! ahead the fit and a part of last week, since yesterday knows no weekdays.
//! Why medians: they err in different ways. The fit smooths and carries growth on, yesterday follows what drifts, last week
//! has to the quarter what is scheduled. What is far off is outvoted, so that no weight has to be learned from the little
//! that is known.
//!
//! What fools it: an incident at this time both yesterday and a week ago. Cold start: below eight days there is the fit
//! alone.

use super::{
    fit::{Sums, WINDOWS, believed, steps},
    history::{DAY, QUARTER, WEEK},
};

/// Hours ahead at which what was counts half without the level of now.
const LEVEL_HOURS: f64 = 4.0;
/// How much of last week counts far ahead.
const LAST_WEEK: f64 = 0.4;
/// Hours ahead at which that has taken over by half.
const FAR_HOURS: f64 = 96.0;

/// A day and a week ago, as of one origin; nothing while one of them is not known.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seasonal(Option<[Naive; 2]>);

/// One season ago, and what is to be made of it.
#[derive(Clone, Debug, PartialEq)]
struct Naive {
    /// From the quarter a season ago on; `NaN` for gaps.
    values: Vec<f64>,
    /// What each window says beyond the next longer one, of how much more there is now.
    steps: [f64; WINDOWS.len()],
}

/// A bucket to forecast.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// Minutes from the origin to its first.
    pub(super) from: i64,
    /// Minutes of it.
    pub(super) step: i64,
    /// Hours to its middle.
    pub(super) ahead: f64,
}

/// What is expected of a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Expected {
    pub(super) median: f64,
    /// Standard deviation of what the forecasts say, between their square roots; `None` where the fit stands alone.
    pub(super) dissent: Option<f64>,
}

impl Seasonal {
    /// Of quarters oldest first, and the usual level, which is positive.
    pub(super) fn of(quarters: &[f64], level: f64) -> Self {
        let naive = |season| Naive::of(quarters, level, season);
        Self(naive(DAY).zip(naive(WEEK)).map(|(day, week)| [day, week]))
    }

    /// What the fit's own forecast becomes.
    pub(super) fn beside(&self, own: f64, bucket: Bucket) -> Expected {
        let alone = Expected {
            median: own,
            dissent: None,
        };
        let Some(naive) = &self.0 else {
            return alone;
        };
        let [day, week] = naive.each_ref().map(|it| it.value(bucket));
        if day.is_nan() || week.is_nan() {
            return alone;
        }
        let [day_level, week_level] = naive.each_ref().map(|it| it.level(bucket.ahead));
        let (today, this_week) = (day * day_level, week * week_level);
        let near = median([own, today, this_week]);
        let all = [own, today, this_week, day, week];
        let later = median(all);
        let far = own + LAST_WEEK * (this_week - own);
        let median = near + (later - near) * bucket.ahead / (LEVEL_HOURS + bucket.ahead);
        let squared = bucket.ahead * bucket.ahead;
        Expected {
            median: median + (far - median) * squared / (FAR_HOURS * FAR_HOURS + squared),
            dissent: Some(deviation(all.map(f64::sqrt))),
        }
    }
}

/// Standard deviation around their mean.
fn deviation(values: [f64; 5]) -> f64 {
    let mean = values.iter().sum::<f64>() / 5.0;
    let squares = values.map(|it| (it - mean) * (it - mean));
    (squares.iter().sum::<f64>() / 5.0).sqrt()
}

/// The middle one of an odd number.
fn median<const N: usize>(mut values: [f64; N]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(N / 2).copied().unwrap_or(f64::NAN)
}

impl Naive {
    /// `None` where there is less than a day to compare with.
    fn of(quarters: &[f64], level: f64, season: usize) -> Option<Self> {
        let then = quarters.len().checked_sub(season)?;
        if then < DAY {
            return None;
        }
        let [.., longest] = WINDOWS;
        let pairs = quarters.get(season..)?.iter().zip(quarters);
        let recent = pairs.skip(then.saturating_sub(longest));
        let known = recent.map(|(&now, &then)| (if then.is_nan() { then } else { now }, then));
        Some(Self {
            values: quarters.get(then..)?.to_vec(),
            steps: steps(&Sums::of(known), then.min(longest), level),
        })
    }

    /// How much more there is so many hours ahead than there was a season before. What three days say lasts.
    fn level(&self, ahead: f64) -> f64 {
        let [shorter @ .., days] = &self.steps;
        let steps = shorter.iter().zip(WINDOWS);
        let level = steps.fold(1.0 + days, |level, (step, window)| {
            level + step * believed(window, ahead)
        });
        level.max(0.0)
    }

    /// The mean of these minutes a season ago; `NaN` for a gap.
    fn value(&self, bucket: Bucket) -> f64 {
        let Bucket { from, step, .. } = bucket;
        if QUARTER < step {
            let quarters = from.div_euclid(QUARTER)..(from + step).div_euclid(QUARTER);
            let known = quarters
                .map(|it| self.quarter(it))
                .filter(|it| !it.is_nan());
            let (sum, count) = known.fold((0.0, 0.0), |(sum, count), it| (sum + it, count + 1.0));
            return sum / count;
        }
        // Between the middles of two quarters; nothing lies before the middle of the first.
        let middles = (2 * from + step - QUARTER).max(0);
        let before = middles.div_euclid(2 * QUARTER);
        let (one, next) = (self.quarter(before), self.quarter(before + 1));
        if one.is_nan() || next.is_nan() {
            return if one.is_nan() { next } else { one };
        }
        #[expect(clippy::cast_precision_loss, reason = "below thirty")]
        let share = middles.rem_euclid(2 * QUARTER) as f64 / (2 * QUARTER) as f64;
        one + (next - one) * share
    }

    fn quarter(&self, number: i64) -> f64 {
        let place = usize::try_from(number).ok();
        let place = place.and_then(|it| it.checked_rem(self.values.len()));
        let value = place.and_then(|it| self.values.get(it));
        value.copied().unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten an hour, and a job of thirty at the same quarter each day; `level` times as much by day.
    fn quarters(days: usize, level: impl Fn(usize) -> f64) -> Vec<f64> {
        let of_day = |at: usize| if at % DAY == 40 { 30.0 } else { 10.0 };
        (0..days * DAY)
            .map(|at| of_day(at) * level(at / DAY))
            .collect()
    }

    fn at(quarter: i64) -> Bucket {
        let from = quarter * QUARTER;
        let (step, ahead) = (QUARTER, if quarter < 4 { 0.5 } else { 10.0 });
        Bucket { from, step, ahead }
    }

    #[test]
    fn what_two_agree_on_outvotes_a_fit_that_is_far_off() {
        let seasonal = Seasonal::of(&quarters(15, |_| 1.0), 10.0);
        for own in [1.0, 90.0] {
            let job = seasonal.beside(own, at(40)).median;
            assert!((job - 30.0).abs() < 2.0, "{own}: {job}");
        }
    }

    #[test]
    fn forecasts_that_agree_are_not_apart_and_others_are() {
        let seasonal = Seasonal::of(&quarters(15, |_| 1.0), 10.0);
        let dissent = |own| seasonal.beside(own, at(60)).dissent.unwrap();
        assert!(dissent(10.0) < 0.05, "{}", dissent(10.0));
        assert!(dissent(10.0) < dissent(20.0) && dissent(20.0) < dissent(40.0));
        assert!(dissent(10.0) < dissent(2.0));
    }

    #[test]
    fn a_new_level_is_the_level_of_what_was() {
        let doubled = Seasonal::of(&quarters(15, |day| if day < 14 { 1.0 } else { 2.0 }), 10.0);
        let soon = doubled.beside(0.0, at(1)).median;
        assert!((14.0..26.0).contains(&soon), "{soon}");
    }

    #[test]
    fn a_week_or_a_gap_leaves_the_fit_alone() {
        let mut gap = quarters(15, |_| 1.0);
        gap[14 * DAY + 40..][..2].fill(f64::NAN);
        let seasons = [
            Seasonal::of(&quarters(7, |_| 1.0), 10.0),
            Seasonal::of(&gap, 10.0),
        ];
        for (seasonal, quarter) in seasons.iter().zip([10, 40]) {
            let alone = seasonal.beside(7.0, at(quarter));
            assert!((alone.median - 7.0).abs() < 1e-9);
            assert_eq!(alone.dissent, None);
        }
    }

    #[test]
    fn a_longer_bucket_is_the_mean_of_its_quarters() {
        let seasonal = Seasonal::of(&quarters(15, |_| 1.0), 10.0);
        let hour = Bucket {
            from: 40 * QUARTER,
            step: 60,
            ahead: 10.5,
        };
        let hour = seasonal.beside(90.0, hour).median;
        assert!((hour - 15.0).abs() < 2.0, "{hour}");
    }
}
