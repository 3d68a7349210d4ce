//! What is let go and what is kept of a pool's minutes.

use super::*;
use crate::model::{
    catalog::{Family, PoolId},
    ids::{AccountId, ModelId, Region, Scope},
};

fn reading(from: i64, samples: &[Sample]) -> Reading {
    let scope = Scope {
        account: AccountId::new("111122223333"),
        region: Region::new("us-east-1"),
    };
    let model = ModelId::new("amazon.nova-pro-v1:0");
    Reading {
        pool: PoolId {
            scope,
            family: Family::OnDemand,
            model,
        },
        from: Minute(from),
        signals: BTreeMap::from([(Signal::Throttles, samples.to_vec())]),
        by_target: BTreeMap::new(),
    }
}

fn absorb(series: &mut PoolSeries, reading: &Reading) -> usize {
    let updates = series.updates(reading);
    let count = updates.len();
    for ((signal, hour), block) in updates {
        series.restore(signal, hour, block);
    }
    count
}

#[test]
fn late_data_replaces_and_silence_does_not() {
    let mut series = PoolSeries::default();
    let first = [Sample::Value(1.0), Sample::NoData, Sample::Unobserved];
    assert_eq!(
        absorb(&mut series, &reading(58, &first)),
        1,
        "the third minute, of the next hour, says nothing"
    );
    let second = [Sample::Unobserved, Sample::Value(2.0), Sample::Value(3.0)];
    assert_eq!(absorb(&mut series, &reading(58, &second)), 2);
    let third = [Sample::NoData, Sample::NoData];
    assert_eq!(
        absorb(&mut series, &reading(58, &third)),
        0,
        "nor does less evidence"
    );
    let window: Vec<Sample> = series
        .window(Signal::Throttles, Minute(57), Minute(62))
        .collect();
    let value = Sample::Value;
    assert_eq!(
        window,
        [
            Sample::Unobserved,
            value(1.0),
            value(2.0),
            value(3.0),
            Sample::Unobserved
        ]
    );
    assert_eq!(
        absorb(&mut series, &reading(58, &second)),
        0,
        "the same again changes nothing"
    );
}

/// Five days of a rhythm, with a gap and silence in it.
fn days() -> PoolSeries {
    let mut series = PoolSeries::default();
    let samples: Vec<Sample> = (0..5 * DAY)
        .map(|minute| match minute % 97 {
            0..7 => Sample::Unobserved,
            7..11 => Sample::NoData,
            rest => Sample::Value(f64::from(u32::try_from(rest * (minute % 31)).unwrap())),
        })
        .collect();
    series.absorb(&reading(100 * DAY, &samples));
    series
}

#[test]
fn quarters_are_the_same_before_and_after_their_minutes_are_let_go() {
    let (whole, mut condensed) = (days(), days());
    condensed.condense(102, &[Signal::Throttles]);
    condensed.condense(103, &[Signal::Throttles]);
    assert_eq!(condensed.first_minute(), Some(Minute(103 * DAY)));
    for start in (100 * DAY..105 * DAY).step_by(15).map(Minute) {
        let [was, is] = [&whole, &condensed].map(|it| it.quarter(Signal::Throttles, start));
        assert_eq!(was, is, "{start}");
    }
    let unknown = condensed.quarter(Signal::Throttles, Minute(99 * DAY));
    assert_eq!(unknown, Quarter::default());
    condensed.trim(101);
    let gone = condensed.quarter(Signal::Throttles, Minute(100 * DAY + 90));
    assert_eq!(gone, Quarter::default());
    assert_ne!(
        whole.quarter(Signal::Throttles, Minute(100 * DAY + 90)),
        gone
    );
}

#[test]
fn hours_that_come_after_their_day_was_let_go_complete_it() {
    let whole = days();
    let mut pieces = PoolSeries::default();
    for place in [5, 3, 4, 20] {
        for hour in (0..24).filter(|hour| hour % 6 == place % 6 || place == 20) {
            let hour = Minute(100 * DAY + hour * HOUR);
            let block = whole.block(Signal::Throttles, hour).unwrap();
            pieces.restore(Signal::Throttles, hour, block);
        }
        pieces.condense(101, &[Signal::Throttles]);
    }
    for start in (100 * DAY..101 * DAY).step_by(15).map(Minute) {
        assert_eq!(
            pieces.quarter(Signal::Throttles, start),
            whole.quarter(Signal::Throttles, start),
            "{start}"
        );
    }
}

#[test]
fn what_nobody_asks_for_leaves_nothing_behind() {
    let mut series = days();
    series.condense(105, &[]);
    assert_eq!(series, PoolSeries::default());
}

/// Bytes of the quarters, with what the allocator takes for each list.
fn quarters_take(series: &PoolSeries) -> usize {
    let heap = |packed: &Packed<QUARTERS>| match packed {
        Packed::Zeros => 0,
        Packed::Bytes(bytes) => bytes.len() + 16,
    };
    let days = series.days.iter().flat_map(|days| &days.0);
    let of_day = |(_, day): &(i64, DayOfQuarters)| heap(&day.peaks) + heap(&day.lacking);
    days.map(|day| size_of::<(i64, DayOfQuarters)>() + of_day(day))
        .sum()
}

#[test]
fn what_judging_remembers_of_a_busy_pool_takes_less_than_16_kilobytes() {
    let mut series = PoolSeries::default();
    let levels = [
        (Signal::Invocations, 900),
        (Signal::InputTokens, 4_000_000),
        (Signal::OutputTokens, 30_000),
        (Signal::Latency, 500_000),
    ];
    for (signal, level) in levels {
        let mut noise = 7_u32;
        let samples = (0..15 * DAY).map(|minute| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let rhythm = u32::try_from(minute % DAY).unwrap() + 200;
            let value = f64::from((noise >> 8) % level) * f64::from(rhythm) / 1_640.0;
            Sample::Value(if signal == Signal::Latency {
                value.round() / 10.0
            } else {
                value.round()
            })
        });
        let mut reading = reading(100 * DAY, &[]);
        reading.signals = BTreeMap::from([(signal, samples.collect())]);
        series.absorb(&reading);
    }
    let signals = levels.map(|(signal, _)| signal);
    series.condense(113, &signals);
    let bytes = quarters_take(&series);
    assert!((4_000..16 * 1_024).contains(&bytes), "{bytes}");
}
