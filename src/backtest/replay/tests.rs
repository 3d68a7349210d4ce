//! The short cut over calm hours changes nothing, and nothing looks ahead.

use std::collections::BTreeMap;

use super::*;
use crate::{
    backtest::table,
    config::{self, Overrides},
    model::{
        action::Intent,
        incident::Incident,
        policy::{Mode, Route, Settings},
        rule::Severity,
        time::{DAY, Timestamp},
        units::{Amount, QuotaKind},
    },
};

const START: Minute = Minute(20_458 * DAY);

fn settings() -> Settings {
    let mut settings = config::parse("", "none.toml", &Overrides::default()).unwrap();
    settings.policy.mode = Mode::File;
    let everybody = crate::model::ids::ReceiverName::new("everybody");
    let route = Route::all(everybody, Severity::Info);
    settings.policy.routes.push(route);
    settings
}

/// Three pools over so many hours: calm stretches, bursts over the quota, errors, silence, gaps; two of the pools share
/// their quota, and one quota is raised on the way.
fn past(seed: u64, hours: usize) -> Past {
    let mut draws = fastrand::Rng::with_seed(seed);
    let mut source = table::empty();
    for (name, quota) in [("one", 1_000), ("two", 1_000), ("three", 700)] {
        let mut text = String::from(
            "minute,invocations,throttles,server_errors,charged_tokens,latency,quota_tpm,quota_rpm\n",
        );
        let mut stretch = (0, 0);
        for minute in 0..hours * 60 {
            if stretch.0 == 0 {
                stretch = (draws.usize(1..90), draws.u8(0..10));
            }
            stretch.0 -= 1;
            let noise = draws.i64(-20..20);
            let (use_of, refused, failed) = match stretch.1 {
                0..=4 => (300 + noise, 0, 0),
                5 => (820 + noise, 0, 0),
                6 => (990, 30 + noise / 2, 0),
                7 => (400 + noise, 0, 20 + noise / 2),
                8 => (0, 0, 0),
                _ => continue, // no row: not observed
            };
            let quota = if minute < hours * 40 {
                quota
            } else {
                quota * 2
            };
            text.push_str(&format!(
                "{minute},{},{refused},{failed},{use_of},2000,{quota},500\n",
                use_of / 10
            ));
        }
        let how = table::Reading {
            file: name,
            pool: table::pool_id(&format!("111122223333/us-east-1/geo/{name}")).unwrap(),
            start: START.start(),
            quotas: &[(QuotaKind::Tpd, Amount::new(400_000.0).unwrap())],
        };
        table::read(text.as_bytes(), &how, &mut source).unwrap();
    }
    // "two" drains the quota of "one".
    let pools = &mut source.past.book.pools;
    let id = |name: &str| table::pool_id(&format!("111122223333/us-east-1/geo/{name}")).unwrap();
    let mappings = pools[&id("one")].mappings.clone();
    pools.get_mut(&id("two")).unwrap().mappings = mappings;
    source.past
}

type Outcome = (BTreeMap<Timestamp, Vec<Intent>>, Vec<Incident>);

fn outcome(past: Past, hours: i64, is_close: bool) -> Outcome {
    let settings = settings();
    let mut replay = Replay::new(past, By::from(&settings), START);
    let mut intents: BTreeMap<Timestamp, Vec<Intent>> = BTreeMap::new();
    replay.run(
        START,
        START.plus(hours * HOUR),
        |_, _| is_close,
        |until, step, _| {
            if !step.intents.is_empty() {
                intents.insert(until.start(), step.intents.clone());
            }
        },
    );
    (intents, replay.walk.book.incidents.into_values().collect())
}

/// Tells the first difference only.
fn assert_same(left: &Outcome, right: &Outcome, what: &str) {
    for (a, b) in left.1.iter().zip(&right.1) {
        assert_eq!(a, b, "{what}");
    }
    assert_eq!(left.1.len(), right.1.len(), "{what}");
    for (a, b) in left.0.iter().zip(&right.0) {
        assert_eq!(a, b, "{what}");
    }
    assert_eq!(left.0.len(), right.0.len(), "{what}");
}

#[test]
fn calm_hours_at_once_and_minute_by_minute_come_to_the_same() {
    let mut incidents = 0;
    let mut asked = 0;
    for seed in 0..3 {
        let short = outcome(past(seed, 30), 30, false);
        let long = outcome(past(seed, 30), 30, true);
        assert_same(&short, &long, &format!("seed {seed}"));
        incidents += short.1.len();
        let all = short.0.values().flatten();
        asked += all.filter(|it| it.effect.name() != "notify").count();
    }
    assert!(
        10 < incidents && 0 < asked,
        "{incidents} incidents, {asked} asked"
    );
}

#[test]
fn what_comes_later_changes_nothing_before_it() {
    let whole = past(7, 24);
    let mut cut = whole.clone();
    for series in cut.book.series.values_mut() {
        let late: Vec<_> = series
            .held()
            .filter(|(_, hour)| START.plus(12 * HOUR) <= *hour)
            .collect();
        late.into_iter()
            .for_each(|(signal, hour)| series.forget(signal, hour));
    }
    let mut settings = settings();
    settings.policy.mode = Mode::File;
    assert_same(&outcome(whole, 12, false), &outcome(cut, 12, false), "cut");
}

#[test]
fn what_a_quota_became_before_the_start_holds_from_the_start() {
    let past = past(7, 60);
    let late = START.plus(50 * 60); // the quota is raised after 40 hours
    let raised: Vec<Quota> = past
        .changes
        .iter()
        .map(|(_, quota)| quota.clone())
        .collect();
    assert!(!raised.is_empty());
    let replay = Replay::new(past, By::from(&settings()), late);
    for quota in raised {
        let key = (quota.scope.clone(), quota.code.clone());
        assert_eq!(replay.walk.book.quotas.get(&key), Some(&quota));
        assert_eq!(replay.ahead.quotas.get(&key), Some(&quota));
    }
}
