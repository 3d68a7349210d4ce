//! Who takes most of a short quota stands in its messages, in one line.

use std::collections::BTreeMap;

use bedrock_ops_alert::model::{
    alert::AlertState,
    book::Record,
    catalog::{Target, TargetKind},
    ids::TargetId,
    policy::Mode,
    rule::Category,
    series::{Reading, Sample, Signal, TargetReading, TargetUse},
    time::Minute,
    uses::RecentUse,
};

use super::{Stage, shortage, sonnet, verdict};

/// A shortage in whose last hour each target took so many tokens a minute.
fn told(taken: &[(&str, f64)]) -> Vec<String> {
    let mut stage = Stage::new(Mode::Observe);
    shortage(&mut stage);
    let from = Minute::of(stage.now).plus(-60);
    let by_target = taken.iter().map(|(id, tokens)| {
        let used = TargetUse {
            demand: 1.0,
            charged: *tokens,
            throttled: if *id == "abc123" { 0.5 } else { 0.0 },
        };
        (
            TargetId::new(*id),
            TargetReading::of(from, 60, vec![used; 60]),
        )
    });
    let signals = [
        Signal::Invocations,
        Signal::Throttles,
        Signal::ChargedTokens,
    ];
    let reading = Reading {
        pool: sonnet(),
        from,
        signals: signals.map(|it| (it, vec![Sample::Value(1.0); 60])).into(),
        by_target: by_target.collect(),
    };
    let mut recent = RecentUse::default();
    recent.take_in(&reading);
    stage.recent = BTreeMap::from([(sonnet(), recent)]);
    let named = Target {
        id: TargetId::new("abc123"),
        kind: TargetKind::ApplicationProfile {
            name: "search-prod".to_owned(),
        },
        pool: sonnet(),
        first_seen: stage.now,
    };
    stage.book.apply(vec![Record::Target(named)]);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    let message = stage.message("[warning]");
    let lines = message.lines().filter(|it| it.starts_with("Who took"));
    lines.map(str::to_owned).collect()
}

#[test]
fn the_five_that_take_most_stand_in_one_line_with_their_shares() {
    let all = [
        ("abc123", 500.0),
        ("us.anthropic.claude-sonnet-4-6", 300.0),
        ("c", 100.0),
        ("d", 50.0),
        ("e", 30.0),
        ("f", 12.0),
        ("g", 8.0),
    ];
    assert_eq!(
        told(&all),
        [
            "Who took the tokens of the last hour: `search-prod` (abc123) 50 %, \
             `us.anthropic.claude-sonnet-4-6` 30 %, `c` 10 %, `d` 5 %, `e` 3 %, 2 others 2 %. \
             Throttled were: `search-prod` (abc123) 29 times (50 % of its requests)."
        ]
    );
}

#[test]
fn of_one_target_alone_nothing_is_said() {
    assert!(told(&[("abc123", 500.0)]).is_empty());
    assert!(told(&[]).is_empty());
}
