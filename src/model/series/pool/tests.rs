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
    for (hour, whole) in updates {
        series.replace(hour, whole);
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

#[test]
fn days_that_are_let_go_leave_nothing_behind() {
    let mut series = PoolSeries::default();
    series.absorb(&reading(100 * DAY, &[Sample::Value(1.0); 3 * 1_440]));
    series.forget_before(102);
    assert_eq!(series.first_minute(), Some(Minute(102 * DAY)));
    series.forget_before(105);
    assert_eq!(series, PoolSeries::default());
}
