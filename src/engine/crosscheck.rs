//! The charged tokens of a day, twice: as CloudWatch says (`EstimatedTPMQuotaUsage`), and as the documented formula says
//! at the burndown rate that we take for the model. Pure.
//!
//! A rate that is wrong understates use silently wherever the formula has to speak, and it is wrong from one day to the
//! next when AWS changes it. The two sums are taken over the same settled minutes, so that gaps and late datapoints move
//! neither against the other. What fools it: a model whose targets publish no figure of their own is held against
//! itself, and never drifts.

use crate::model::{
    series::{PoolSeries, Sample, Signal},
    time::{DAY, Minute},
    units::grouped,
};

/// From this share on the two sums are too far apart for rounding or a late datapoint.
const MOST_DRIFT: f64 = 0.02;
/// So near a whole rate has to come to explain CloudWatch's sum.
const FIT: f64 = 0.005;
/// Whole rates that are tried.
const RATES: std::ops::RangeInclusive<u8> = 1..=50;
/// Fewer minutes with output prove nothing.
const LEAST_MINUTES: u32 = 30;

/// Both sums of one day of one pool.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossCheck {
    /// The first minute of the UTC day.
    pub day: Minute,
    /// Minutes of the day that both sums are over: those in which everything they need was observed.
    pub minutes: u32,
    /// Tokens, as CloudWatch says.
    pub estimated: f64,
    /// Tokens, as the formula says.
    pub own: f64,
    /// The rate that the formula took.
    pub rate: f64,
    /// The whole rate that would explain CloudWatch's sum, where there is one.
    pub likely: Option<u8>,
}

impl CrossCheck {
    /// The check of a UTC day at this rate; `None` where too little of it is known or used.
    #[must_use]
    pub fn of(series: &PoolSeries, rate: f64, day: Minute) -> Option<Self> {
        let end = day.plus(DAY);
        let of = |signal| series.window(signal, day, end).map(Sample::value);
        let charged = of(Signal::ChargedTokens);
        let tokens = of(Signal::InputTokens)
            .zip(of(Signal::CacheWriteTokens))
            .zip(of(Signal::OutputTokens));
        let (mut minutes, mut with_output) = (0_u32, 0_u32);
        let (mut estimated, mut unweighted, mut output) = (0.0, 0.0, 0.0);
        for (charged, ((input, writes), out)) in charged.zip(tokens) {
            if let (Some(charged), Some(input), Some(writes), Some(out)) =
                (charged, input, writes, out)
            {
                minutes += 1;
                with_output += u32::from(0.0 < out);
                estimated += charged;
                unweighted += input + writes;
                output += out;
            }
        }
        if with_output < LEAST_MINUTES {
            return None;
        }
        let near = |rate: &u8| {
            let by_rate = unweighted + output * f64::from(*rate);
            (by_rate - estimated).abs() <= FIT * estimated
        };
        Some(Self {
            day,
            minutes,
            estimated,
            own: unweighted + output * rate,
            rate,
            likely: RATES.into_iter().find(near),
        })
    }

    /// How far CloudWatch's sum lies from the formula's: 0.5 is half as much again, negative is less.
    #[must_use]
    pub fn drift(&self) -> f64 {
        self.estimated / self.own - 1.0 // the sum is positive: there was output
    }

    /// Whether that is more than rounding explains.
    #[must_use]
    pub fn is_off(&self) -> bool {
        MOST_DRIFT <= self.drift().abs()
    }

    /// Whether both found the same: then the second needs not be told.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        self.is_off() == other.is_off() && self.likely == other.likely
    }

    /// What a person should know, as a sentence fragment.
    #[must_use]
    pub fn told(&self) -> String {
        let likely = self.likely.map_or_else(
            || "no whole rate explains it".to_owned(),
            |rate| format!("a rate of {rate} would explain it"),
        );
        format!(
            "CloudWatch charged {estimated} tokens on {day}, and the formula with {rate} a token of output comes to {own} ({drift:+.1} %); {likely} ({minutes} of 1,440 minutes compared)",
            estimated = grouped(self.estimated),
            own = grouped(self.own),
            day = self.day.start().strftime("%Y-%m-%d"),
            rate = self.rate,
            drift = 100.0 * self.drift(),
            minutes = grouped(f64::from(self.minutes)),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::engine::tests::pool_id;
    use crate::model::series::Reading;

    const DAY_ONE: Minute = Minute(20_000 * DAY);

    /// A day of 1,000 input, 50 cache-write and 200 output tokens a minute, charged at this rate.
    fn day(rate: f64, minutes: usize) -> PoolSeries {
        let mut series = PoolSeries::default();
        let of = |value: f64| vec![Sample::Value(value); minutes];
        series.absorb(&Reading {
            pool: pool_id(),
            from: DAY_ONE,
            signals: BTreeMap::from([
                (Signal::InputTokens, of(1_000.0)),
                (Signal::CacheWriteTokens, of(50.0)),
                (Signal::OutputTokens, of(200.0)),
                (Signal::ChargedTokens, of(1_050.0 + 200.0 * rate)),
            ]),
            by_target: BTreeMap::new(),
        });
        series
    }

    fn check(series: &PoolSeries, rate: f64) -> CrossCheck {
        CrossCheck::of(series, rate, DAY_ONE).unwrap()
    }

    #[test]
    fn a_right_rate_drifts_nowhere_and_a_wrong_one_is_named() {
        let right = check(&day(5.0, 1_440), 5.0);
        assert!(!right.is_off() && right.drift().abs() < 1e-12, "{right:?}");
        let wrong = check(&day(10.0, 1_440), 5.0);
        assert!(wrong.is_off());
        assert_eq!(wrong.likely, Some(10));
        insta::assert_snapshot!(wrong.told(), @"CloudWatch charged 4,392,000 tokens on 2024-10-04, and the formula with 5 a token of output comes to 2,952,000 (+48.8 %); a rate of 10 would explain it (1,440 of 1,440 minutes compared)");
        // An unknown rate was taken for the highest one: that is off as well, to the other side.
        let unknown = check(&day(10.0, 1_440), 15.0);
        assert!(unknown.drift() < 0.0 && unknown.is_off());
        assert!(unknown.says_the_same_as(&wrong) && !unknown.says_the_same_as(&right));
    }

    #[test]
    fn between_whole_rates_nothing_is_guessed_and_below_two_percent_nothing_is_off() {
        let between = check(&day(7.4, 1_440), 5.0);
        assert!(between.is_off());
        assert_eq!(between.likely, None);
        assert!(!check(&day(5.1, 1_440), 5.0).is_off());
    }

    #[test]
    fn gaps_move_neither_sum_and_too_little_proves_nothing() {
        let mut gappy = day(5.0, 1_440);
        let hour = DAY_ONE.plus(60);
        gappy.restore(Signal::ChargedTokens, hour, [Sample::Unobserved; 60]);
        gappy.restore(Signal::OutputTokens, hour.plus(60), [Sample::NoData; 60]);
        let check = check(&gappy, 5.0);
        assert_eq!(check.minutes, 1_320);
        assert!(!check.is_off(), "{check:?}");
        assert_eq!(CrossCheck::of(&day(10.0, 29), 5.0, DAY_ONE), None);
        assert_eq!(CrossCheck::of(&PoolSeries::default(), 5.0, DAY_ONE), None);
    }
}
