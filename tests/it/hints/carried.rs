//! Who carries a rise, or is missing: targets with a week behind them, and a Monday noon that is not like the others.

use std::collections::BTreeMap;

use bedrock_ops_alert::model::{
    catalog::TargetKind,
    ids::TargetId,
    incident::{AlertKey, Incident, Member},
    reason::Reason,
    rule::{Category, Severity},
    series::{Reading, Sample, Signal, TargetReading, TargetUse},
    time::{DAY, Minute},
    unusual::Trouble,
    uses::{RecentUse, UseDay, day_of},
};

use super::*;

/// Requests a minute and tokens a request of a target.
type Rate = (f64, f64);

/// What these targets took, minute by minute; some of the first minutes may not be known.
fn reading(
    from: Minute,
    minutes: i64,
    lost: i64,
    rates: &dyn Fn(Minute) -> BTreeMap<String, Rate>,
) -> Reading {
    let mut used: BTreeMap<String, Vec<TargetUse>> = BTreeMap::new();
    let length = usize::try_from(minutes).unwrap();
    for (index, at) in from.until(from.plus(minutes)).enumerate() {
        for (target, (demand, each)) in rates(at) {
            let own = used.entry(target);
            let own = own.or_insert_with(|| vec![TargetUse::default(); length]);
            own[index] = TargetUse {
                demand,
                charged: demand * each,
                throttled: 0.0,
            };
        }
    }
    let samples = (0..minutes).map(|it| {
        if it < lost {
            Sample::Unobserved
        } else {
            Sample::Value(1.0) // how many is not looked at, only that all are known
        }
    });
    let samples: Vec<Sample> = samples.collect();
    let signals = [
        Signal::Invocations,
        Signal::Throttles,
        Signal::ChargedTokens,
    ];
    Reading {
        pool: geo(),
        from,
        signals: signals.map(|it| (it, samples.clone())).into(),
        by_target: used
            .into_iter()
            .map(|(target, used)| {
                let it = TargetReading::of(from, length, used);
                (TargetId::new(target), it)
            })
            .collect(),
    }
}

fn at_rates(rates: &[(&str, Rate)]) -> BTreeMap<String, Rate> {
    let rates = rates.iter();
    rates
        .map(|(name, rate)| ((*name).to_owned(), *rate))
        .collect()
}

/// A pool with this past and this noon, of which so many days back are known.
fn world(
    days: i64,
    usual: &dyn Fn(Minute) -> BTreeMap<String, Rate>,
    now: &dyn Fn(Minute) -> BTreeMap<String, Rate>,
) -> World {
    let mut world = World::new(|_| CALM, |_| CALM);
    let today = day_of(noon());
    for day in today - days..today {
        let from = Minute(day * DAY);
        let past = UseDay::of_whole_hours(&reading(from, DAY, 0, usual), day, from.plus(DAY));
        world.book.apply(vec![Record::UseDay(geo(), day, past)]);
    }
    let mut recent = RecentUse::default();
    recent.take_in(&reading(noon().plus(-20), 40, 0, now));
    world.recent.insert(geo(), recent);
    let profile = |name: &str| TargetKind::ApplicationProfile {
        name: name.to_owned(),
    };
    world.target("us.anthropic.claude-sonnet-4-6", TargetKind::SystemProfile);
    world.target("abc123", profile("search-prod"));
    world.target("def456", profile("chat"));
    world.target("ghi789", profile("batch"));
    world
}

fn of_trouble(trouble: Trouble) -> Incident {
    let mut incident = of_category(Category::Anomaly);
    let key = AlertKey {
        rule: bedrock_ops_alert::model::ids::RuleName::new("unusual"),
        pool: geo(),
    };
    let reason = Reason::Trouble {
        trouble,
        minute: last_bad(),
        seen: 2.0,
        usual: 1.0,
        minutes: 20,
        is_young: false,
    };
    let member = Member {
        severity: Severity::Warning,
        is_on: true,
        last_bad: Some(last_bad()),
        rule_hash: String::new(),
        reasons: vec![reason],
    };
    incident.members.insert(key, member);
    incident
}

const CALM_RATES: [(&str, Rate); 4] = [
    ("us.anthropic.claude-sonnet-4-6", (3_000.0, 1_000.0)),
    ("abc123", (400.0, 1_000.0)),
    ("def456", (1_000.0, 1_000.0)),
    ("ghi789", (600.0, 1_000.0)),
];

fn usual(_: Minute) -> BTreeMap<String, Rate> {
    at_rates(&CALM_RATES)
}

fn changed(name: &str, rate: Rate) -> BTreeMap<String, Rate> {
    let mut rates = at_rates(&CALM_RATES);
    rates.insert(name.to_owned(), rate);
    rates
}

#[test]
fn one_profile_carries_the_rise() {
    let now = |_| {
        let mut rates = changed("abc123", (4_500.0, 1_000.0));
        rates.insert("def456".to_owned(), (1_500.0, 1_000.0));
        rates.insert("ghi789".to_owned(), (900.0, 1_000.0));
        rates.insert(
            "us.anthropic.claude-sonnet-4-6".to_owned(),
            (3_100.0, 1_000.0),
        );
        rates
    };
    let world = world(7, &usual, &now);
    let requests = world.told(&of_trouble(Trouble::TrafficUp));
    let tokens = world.told(&Incident {
        kind: Some(QuotaKind::Tpm),
        ..short_of_tokens()
    });
    insta::assert_snapshot!("carried", format!("{requests}\n---\n{tokens}"));
}

#[test]
fn a_rise_of_everybody_is_that_of_nobody_in_particular() {
    let now = |_| at_rates(&CALM_RATES.map(|(name, (rate, each))| (name, (rate + 700.0, each))));
    let world = world(7, &usual, &now);
    insta::assert_snapshot!("spread", world.told(&of_trouble(Trouble::TrafficUp)));
}

#[test]
fn who_is_missing_has_a_name_even_when_it_is_gone() {
    let mut world = world(7, &usual, &|_| {
        let mut rates = changed("abc123", (450.0, 1_000.0));
        rates.remove("us.anthropic.claude-sonnet-4-6");
        rates.remove("def456");
        rates
    });
    let key = (geo().scope, TargetId::new("def456"));
    world.book.targets.remove(&key);
    insta::assert_snapshot!("missing", world.told(&of_trouble(Trouble::TrafficDown)));
}

#[test]
fn longer_requests_are_told_by_whose_they_are_not_by_who_asks_more() {
    let now = |_| {
        let mut rates = changed("abc123", (400.0, 9_000.0));
        rates.insert("def456".to_owned(), (1_800.0, 1_000.0));
        rates
    };
    let world = world(7, &usual, &now);
    insta::assert_snapshot!("longer", world.told(&of_trouble(Trouble::TokensUp)));
}

#[test]
fn a_profile_that_is_new_carries_all_that_it_takes() {
    let mut world = world(7, &usual, &|_| changed("new000", (5_000.0, 1_000.0)));
    let name = "evil`\u{202e}\n*bold* <!channel>".to_owned();
    world.target("new000", TargetKind::ApplicationProfile { name });
    let told = world.told(&of_trouble(Trouble::TrafficUp));
    assert!(
        !told.contains('\u{202e}') && told.lines().count() == 2,
        "{told}"
    );
    insta::assert_snapshot!("new", told);
}

#[test]
fn nothing_is_told_of_a_past_that_is_short_or_a_change_that_is_small() {
    let doubled = |_: Minute| changed("abc123", (4_500.0, 1_000.0));
    let up = of_trouble(Trouble::TrafficUp);
    // Monday: yesterday and the day before were the weekend.
    for (days, is_told) in [(0, false), (3, false), (4, true)] {
        let told = world(days, &usual, &doubled).told(&up);
        assert_eq!(told.contains("carried by"), is_told, "{days} days: {told}");
    }
    let little = |_: Minute| changed("abc123", (1_300.0, 1_000.0));
    assert_eq!(world(7, &usual, &little).told(&up), "", "18 % more");
    assert_eq!(
        world(7, &usual, &doubled).told(&of_trouble(Trouble::TrafficDown)),
        ""
    );
    let mut alone = world(7, &usual, &doubled);
    alone
        .book
        .targets
        .retain(|(_, id), _| id.as_str() == "abc123");
    assert_eq!(alone.told(&up), "", "nobody else could carry it");
}

#[test]
fn minutes_in_which_somebody_is_not_accounted_for_are_on_neither_side() {
    let doubled = |_: Minute| changed("abc123", (4_500.0, 1_000.0));
    let up = of_trouble(Trouble::TrafficUp);
    for (lost, is_told) in [(37, true), (38, false)] {
        let mut world = world(7, &usual, &doubled);
        let mut recent = RecentUse::default();
        recent.take_in(&reading(noon().plus(-20), 40, lost, &doubled));
        world.recent.insert(geo(), recent);
        let told = world.told(&up);
        assert_eq!(told.contains("carried by"), is_told, "{lost} lost: {told}");
        assert!(
            !is_told || told.contains("+4,100 requests a minute"),
            "{told}"
        );
    }
}

#[test]
fn of_a_thousand_profiles_the_largest_have_a_past_and_what_is_said_of_others_is_a_lower_bound() {
    let many = |_: Minute| {
        let small = (0..1_000).map(|it| (format!("small{it:04}"), (1.0, 1_000.0)));
        let mut rates: BTreeMap<String, Rate> = small.collect();
        rates.extend(at_rates(&CALM_RATES));
        rates
    };
    let now = |at: Minute| {
        let mut rates = many(at);
        rates.insert("small0999".to_owned(), (4_001.0, 1_000.0));
        rates
    };
    let mut world = world(7, &many, &now);
    let name = "small".to_owned();
    world.target("small0999", TargetKind::ApplicationProfile { name });
    let named: usize = world.book.uses.values().map(|it| it.targets.len()).sum();
    assert_eq!(named, 7 * 8);
    // It took 1 request a minute; all that is known is that it took 996 at most, with the other small ones.
    insta::assert_snapshot!("bounded", world.told(&of_trouble(Trouble::TrafficUp)));
}

#[test]
fn usual_is_read_off_between_hours_so_that_a_steep_morning_is_no_rise() {
    // 1,000 more each hour: at 12:10 that is 12,167, and the whole of noon has 12,500.
    let climb = |at: Minute| {
        let requests = f64::from(i32::try_from(at.0.rem_euclid(DAY)).unwrap()) * 1_000.0 / 60.0;
        at_rates(&[("abc123", (requests, 1_000.0)), ("def456", (10.0, 1_000.0))])
    };
    let now = |at: Minute| {
        let mut rates = climb(at);
        rates.insert("def456".to_owned(), (4_010.0, 1_000.0));
        rates
    };
    let told = world(7, &climb, &now).told(&of_trouble(Trouble::TrafficUp));
    assert!(
        told.contains("100 % of the rise (+4,000 requests a minute)"),
        "{told}"
    );
}

#[test]
fn the_weekend_is_held_against_the_weekend() {
    let day = |at: Minute| {
        let is_weekend = matches!(day_of(at).rem_euclid(7), 2 | 3);
        let rate = if is_weekend { 10.0 } else { 4_000.0 };
        at_rates(&[("abc123", (rate, 1.0)), ("def456", (rate, 1.0))])
    };
    // The same Monday: as busy as each Monday, and nothing beyond it.
    let told = world(7, &day, &day).told(&of_trouble(Trouble::TrafficUp));
    assert_eq!(told, "");
}
