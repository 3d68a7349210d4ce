//! Promise P5 in coarser buckets.

use super::*;
use crate::model::{
    catalog::Family,
    ids::{AccountId, ModelId, Region, Scope},
    series::Reading,
};

const U: Sample = Sample::Unobserved;
const N: Sample = Sample::NoData;

fn v(value: f64) -> Sample {
    Sample::Value(value)
}

fn pool() -> PoolId {
    PoolId {
        scope: Scope {
            account: AccountId::new("111122223333"),
            region: Region::new("us-east-1"),
        },
        family: Family::Geo,
        model: ModelId::new("m"),
    }
}

/// Day 0 with these first minutes of each signal.
fn day(signals: &[(Signal, &[Sample])]) -> Stretch {
    let mut series = PoolSeries::default();
    for (signal, samples) in signals {
        series.absorb(&Reading {
            pool: pool(),
            from: Minute(0),
            signals: BTreeMap::from([(*signal, samples.to_vec())]),
            by_target: BTreeMap::new(),
        });
    }
    Stretch::of_day(&pool(), &series, 0).unwrap()
}

fn first(stretch: &Stretch, signal: Signal, resolution: Resolution) -> Bucket {
    stretch.coarser(signal, resolution)[0]
}

#[test]
fn a_sum_knows_how_many_of_its_minutes_were_observed() {
    let five = |samples: &[Sample]| {
        let day = day(&[(Signal::Throttles, samples)]);
        let it = first(&day, Signal::Throttles, Resolution::FiveMinutes);
        (it.value, it.peak, it.known)
    };
    let whole = [v(1.0), v(0.0), v(7.0), v(0.0), v(2.0)];
    assert_eq!(five(&whole), (v(10.0), v(7.0), 5));
    // A lower bound, and it says so.
    assert_eq!(five(&[v(1.0), U, v(7.0), N, v(2.0)]), (v(10.0), v(7.0), 3));
    // Nothing known is never zero.
    assert_eq!(five(&[N, U, U, U, U]), (N, U, 0));
    assert_eq!(five(&[U, U, U, U, U, v(3.0)]), (U, U, 0));
}

#[test]
fn latency_is_weighed_by_its_own_minutes_and_kept_in_tenths() {
    let latency = [v(100.04), v(200.0), v(900.0), N, U];
    let invocations = [v(3.0), v(1.0), U, v(0.0), v(5.0)];
    let day = day(&[
        (Signal::Latency, &latency),
        (Signal::Invocations, &invocations),
    ]);
    assert_eq!(day.signals[&Signal::Latency][0].value, v(100.0));
    let five = first(&day, Signal::Latency, Resolution::FiveMinutes);
    assert_eq!((five.value, five.peak, five.known), (v(125.0), v(900.0), 2));
    assert_eq!(
        first(&day, Signal::Latency, Resolution::Minute).value,
        v(100.0)
    );
}

/// A mean of means without the requests behind them would be a number that never was.
#[test]
fn latency_without_invocations_is_not_known() {
    let day = day(&[(Signal::Latency, &[v(100.0), v(200.0)])]);
    let five = first(&day, Signal::Latency, Resolution::FiveMinutes);
    assert_eq!((five.value, five.known), (U, 0));
}

#[test]
fn a_sum_of_cloudwatch_has_no_peak_and_neither_has_what_is_made_of_it() {
    let bucket = Bucket::added_up(Signal::Invocations, v(50.0), Resolution::FiveMinutes);
    assert_eq!((bucket.peak, bucket.known), (U, 5));
    assert_eq!(
        Bucket::added_up(Signal::Invocations, N, Resolution::Hour).known,
        0
    );
    let mut buckets = vec![bucket; 2_016];
    buckets[1].peak = v(20.0);
    let week = Stretch {
        key: StretchKey {
            pool: pool(),
            resolution: Resolution::FiveMinutes,
            number: 0,
        },
        signals: BTreeMap::from([(Signal::Invocations, buckets)]),
    };
    let hour = first(&week, Signal::Invocations, Resolution::Hour);
    assert_eq!((hour.value, hour.peak, hour.known), (v(600.0), U, 60));
}

#[test]
fn what_is_better_known_is_laid_over_what_is_less() {
    let minutes = [v(1.0); 60];
    let full = day(&[(Signal::Invocations, &minutes)]);
    let part = day(&[(Signal::Invocations, &minutes[..59])]);
    let hours = |sum| Stretch {
        key: StretchKey {
            pool: pool(),
            resolution: Resolution::Hour,
            number: 0,
        },
        signals: BTreeMap::from([(
            Signal::Invocations,
            vec![Bucket::added_up(Signal::Invocations, v(sum), Resolution::Hour); 672],
        )]),
    };
    let laid = |finer: &Stretch| {
        let mut hours = hours(61.0);
        hours.overlay(finer);
        let buckets = &hours.signals[&Signal::Invocations];
        (buckets[0].value, buckets[1].value)
    };
    assert_eq!(laid(&full), (v(60.0), v(61.0)));
    assert_eq!(laid(&part), (v(61.0), v(61.0)));
}

#[test]
fn stretches_of_minutes_fill_whole_stretches_of_hours() {
    for pair in Resolution::ALL.windows(2) {
        assert_eq!(pair[1].stretch_days() % pair[0].stretch_days(), 0);
    }
    for resolution in Resolution::ALL {
        for minute in [-1, 0, 1, 29_000_000] {
            let number = resolution.stretch_of(Minute(minute));
            let first = resolution.first_minute(number);
            assert!(first.0 <= minute && minute < first.0 + resolution.stretch_days() * DAY);
        }
    }
}

#[test]
fn percentiles_are_kept_within_their_own_noise_and_once_for_all() {
    let kept = |millis: f64| match Signal::LatencyP90.rounded(v(millis)) {
        Sample::Value(kept) => kept,
        Sample::NoData | Sample::Unobserved => f64::NAN,
    };
    for millis in [0.0, 0.4, 63.6, 64.0, 127.4, 480.0, 1_234.5, 65_535.0, 9e15] {
        let once = kept(millis);
        assert!(
            (once - millis).abs() <= (millis / 64.0).max(0.5),
            "{millis}: {once}"
        );
        assert_eq!(kept(once).to_bits(), once.to_bits(), "{millis}");
    }
}
