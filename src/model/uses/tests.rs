use std::collections::BTreeMap;

use super::*;
use crate::model::{
    catalog::{Family, PoolId},
    ids::{AccountId, ModelId, Region, Scope},
    series::TargetReading,
};

fn id(name: &str) -> TargetId {
    TargetId::new(name)
}

const fn took(demand: f64, charged: f64) -> TargetUse {
    TargetUse {
        demand,
        charged,
        throttled: demand / 8.0,
    }
}

/// A reading of so many minutes in which each target took so much a minute; `known` says of which all is known.
fn reading(
    from: i64,
    minutes: usize,
    targets: &[(&str, TargetUse)],
    known: impl Fn(usize) -> bool,
) -> Reading {
    let scope = Scope {
        account: AccountId::new("111122223333"),
        region: Region::new("us-east-1"),
    };
    let sample = |it| {
        if known(it) {
            Sample::Value(1.0)
        } else {
            Sample::Unobserved
        }
    };
    let samples: Vec<Sample> = (0..minutes).map(sample).collect();
    let signals = [
        Signal::Invocations,
        Signal::Throttles,
        Signal::ChargedTokens,
    ];
    Reading {
        pool: PoolId {
            scope,
            family: Family::Geo,
            model: ModelId::new("m"),
        },
        from: Minute(from),
        signals: signals.map(|it| (it, samples.clone())).into(),
        by_target: targets
            .iter()
            .map(|(name, each)| {
                let used = vec![*each; minutes];
                (id(name), TargetReading::of(Minute(from), minutes, used))
            })
            .collect(),
    }
}

#[test]
fn a_reading_of_two_stretches_is_as_one_of_both() {
    let minutes = |range: std::ops::Range<i32>| {
        let each = range.map(|it| took(f64::from(it % 7), 0.0));
        each.collect::<Vec<_>>()
    };
    for cut in [0_i32, 1, 59, 61, 180, 199, 200] {
        let whole = TargetReading::of(Minute(-90), 200, minutes(0..200));
        let first = usize::try_from(cut).unwrap();
        let mut parts = TargetReading::of(Minute(-90), first, minutes(0..cut));
        let next = Minute(-90 + i64::from(cut));
        let rest = TargetReading::of(next, 200 - first, minutes(cut..200));
        parts.append(rest, 200 - first);
        assert_eq!(parts, whole, "cut at {cut}");
    }
    let mut silent = TargetReading::of(Minute(0), 10, vec![took(1.0, 1.0); 10]);
    silent.append(TargetReading::of(Minute(10), 500, Vec::new()), 500);
    assert!(
        silent.tail.iter().all(|it| *it == took(0.0, 0.0)),
        "long ago"
    );
}

#[test]
fn an_hour_names_the_largest_by_requests_or_by_tokens_and_loses_nothing() {
    let mut targets: BTreeMap<TargetId, TargetUse> = (0..1_000)
        .map(|it| (id(&format!("small-{it:04}")), took(60.0, 60.0)))
        .collect();
    targets.insert(id("many"), took(6_000.0, 60.0));
    targets.insert(id("long"), took(60.0, 6_000.0));
    targets.insert(id("idle"), took(0.0, 0.0));
    let mut day = UseDay::default();
    day.set(3, 60, targets.iter().map(|(id, it)| (id, *it)).collect());
    assert_eq!(day.targets.len(), MOST_NAMED);
    let taken = day.taken(3).unwrap();
    assert!(taken.named.contains_key(&id("many")) && taken.named.contains_key(&id("long")));
    let named = taken.named.values();
    let total = named.fold(taken.others, |sum, it| sum.plus(*it));
    let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
    assert!(
        near(total.demand, 1_101.0) && near(total.charged, 1_101.0),
        "{total:?}"
    );
    assert_eq!(day.taken(4), None);
}

#[test]
fn what_is_read_again_replaces_what_was_known_and_what_is_unknown_replaces_nothing() {
    let mut recent = RecentUse::default();
    recent.take_in(&reading(
        600,
        20,
        &[("a", took(1.0, 1.0)), ("b", took(5.0, 5.0))],
        |_| true,
    ));
    // The next read: five minutes on; `b` is gone, `a` took more, and three of the minutes are not known.
    recent.take_in(&reading(605, 20, &[("a", took(2.0, 2.0))], |it| 3 <= it));
    assert_eq!(recent.known_in(Minute(600), Minute(625)), 25);
    let sums = recent.sums(Minute(600), Minute(625));
    assert_eq!(sums[&id("a")], took(8.0 + 2.0 * 17.0, 8.0 + 2.0 * 17.0));
    assert_eq!(sums[&id("b")], took(40.0, 40.0));
    recent.take_in(&reading(5_000, 20, &[("a", took(1.0, 1.0))], |_| true));
    assert_eq!(recent.known_in(Minute(0), Minute(5_000)), 0, "long ago");
    assert_eq!(recent.sums(Minute(0), Minute(6_000)).len(), 1);
}

#[test]
fn an_hour_is_written_down_when_it_is_over_and_never_by_fewer_minutes() {
    let targets = [("a", took(2.0, 4.0)), ("b", took(1.0, 1.0))];
    let mut recent = RecentUse::default();
    recent.take_in(&reading(600, 59, &targets, |_| true));
    assert!(
        recent.write_down(Minute(659), |_| None).is_empty(),
        "not yet"
    );
    recent.take_in(&reading(645, 16, &targets, |it| it < 12));
    let first = recent.write_down(Minute(661), |_| None);
    assert_eq!(first[&0].hours[&10].minutes, 59);
    // What comes late is taken in, be it a minute or a number.
    let more = [("a", took(3.0, 4.0)), ("b", took(1.0, 1.0))];
    recent.take_in(&reading(647, 16, &more, |_| true));
    let second = recent.write_down(Minute(663), |day| first.get(&day));
    assert_eq!(second[&0].hours[&10].minutes, 60);
    let mean = took((47.0 * 2.0 + 13.0 * 3.0) / 60.0, 4.0);
    assert_eq!(second[&0].taken(10).unwrap().named[&id("a")], mean);
    assert!(
        recent
            .write_down(Minute(663), |day| second.get(&day))
            .is_empty()
    );
    // After a restart fewer minutes of it are known.
    let mut late = RecentUse::default();
    late.take_in(&reading(625, 40, &[("a", took(9.0, 9.0))], |_| true));
    assert!(
        late.write_down(Minute(665), |day| second.get(&day))
            .is_empty()
    );
    let by_half = late.write_down(Minute(665), |_| None);
    assert_eq!(by_half[&0].hours[&10].minutes, 35);
    assert_eq!(
        by_half[&0].taken(10).unwrap().named[&id("a")],
        took(9.0, 9.0)
    );
}

#[test]
fn whole_hours_of_a_long_reading_come_with_the_rest_of_the_day() {
    let gap = 3 * 60 + 7;
    let long = reading(
        30,
        6 * 60,
        &[("a", took(1.0, 1.0)), ("b", took(1.0, 1.0))],
        |it| it != gap,
    );
    let made = UseDay::of_whole_hours(&long, 0, Minute(6 * 60));
    let hours: Vec<u8> = made.hours.keys().copied().collect();
    assert_eq!(
        hours,
        [1, 2, 4, 5],
        "the first is not whole, and one has a gap"
    );
    let mut old = UseDay::default();
    let c = id("c");
    old.set(1, 60, [(&c, took(60.0, 60.0))].into());
    old.set(3, 30, [(&c, took(30.0, 30.0))].into());
    let day = made.completed(&old);
    assert_eq!(day.hours.len(), 5);
    assert!(
        !day.taken(1).unwrap().named.contains_key(&c),
        "what is read whole is right"
    );
    assert_eq!(day.taken(3).unwrap().named[&c], took(1.0, 1.0));
}
