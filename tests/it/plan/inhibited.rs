//! One trouble told once: what is a part of another incident waits for it.

use bedrock_ops_alert::{
    config,
    model::{
        alert::{AlertState, Verdict},
        handling::Hold,
        ids::RuleName,
        policy::Mode,
        rule::{Category, Severity},
        series::SETTLE_MINUTES,
        time::{Minute, Timestamp},
    },
};

use super::{Stage, flap::words, sonnet, verdict};

fn stage() -> Stage {
    let mut stage = Stage::new(Mode::Observe);
    stage.policy.inhibits = config::builtin_inhibits().unwrap();
    stage
}

/// The shipped rule of this category.
fn rule(category: Category) -> RuleName {
    RuleName::new(match category {
        Category::Quota => "tpm-share-critical",
        Category::Throttle => "throttles",
        Category::Anomaly => "traffic-down",
        other => other.name(),
    })
}

fn on(category: Category, severity: Severity, now: Timestamp) -> Verdict {
    Verdict {
        severity,
        rule: rule(category),
        ..verdict(&sonnet(), category, AlertState::Alerting, now)
    }
}

fn off(category: Category, now: Timestamp) -> Verdict {
    let mut it = verdict(&sonnet(), category, AlertState::Normal, now);
    it.track.since = Minute::of(now);
    it.rule = rule(category);
    it
}

/// A quota that will be used up some day refuses nothing yet.
#[test]
fn a_forecast_hides_neither_refusals_nor_lost_traffic_nor_slow_answers() {
    let told = |category: Category, quota: &str| {
        let mut stage = stage();
        let now = stage.now;
        let mut ahead = on(Category::Quota, Critical, now);
        ahead.rule = RuleName::new(quota);
        stage.step(&[ahead, on(category, Critical, now)], &[]);
        words(&stage).len()
    };
    for category in [Category::Throttle, Category::Anomaly, Category::Latency] {
        assert_eq!(told(category, "tpm-forecast"), 2, "{}", category.name());
        assert_eq!(
            told(category, "tpm-share-critical"),
            1,
            "{}",
            category.name()
        );
    }
}

use Severity::{Critical, Warning};

/// Refusals and slow answers of one pool in the same minutes: one message, and the rest is shown.
#[test]
fn slow_answers_beside_refusals_are_shown_and_told_when_they_go_on_alone() {
    let mut stage = stage();
    // Whatever their order: what may be a part comes after what it may be a part of.
    let both = |now| {
        [
            on(Category::Latency, Critical, now),
            on(Category::Throttle, Critical, now),
        ]
    };
    stage.step(&both(stage.now), &[]);
    assert_eq!(stage.book.incidents.len(), 2);
    assert_eq!(words(&stage), ["critical"]);
    assert!(
        stage
            .message("[critical]")
            .starts_with("[critical] throttle")
    );
    let held = stage
        .book
        .handlings
        .values()
        .find_map(|it| it.held.clone())
        .unwrap();
    let Hold::Inhibited { by, rule } = held.hold else {
        panic!("{held:?}");
    };
    assert_eq!(rule, "errors-beside-refusals");
    assert!(stage.book.incidents[&by].told.is_some());
    let now = stage.later(40).now;
    stage.step(
        &[
            off(Category::Throttle, now),
            on(Category::Latency, Critical, now),
        ],
        &[],
    );
    assert_eq!(words(&stage), ["critical", "critical", "resolved"]);
    let told = stage.message("[critical] latency");
    insta::assert_snapshot!("goes_on", told);
}

#[test]
fn what_ends_with_its_cause_is_told_to_nobody_and_written_down() {
    let mut stage = stage();
    let now = stage.now;
    stage.step(
        &[
            on(Category::Throttle, Critical, now),
            on(Category::Latency, Critical, now),
        ],
        &[],
    );
    let now = stage.later(40).now;
    stage.step(
        &[off(Category::Throttle, now), off(Category::Latency, now)],
        &[],
    );
    stage.later(1).step(&[], &[]);
    assert_eq!(words(&stage), ["critical", "resolved"]);
    let why = stage.decisions().join("; ");
    assert!(
        why.contains("of which it was a part, was: nobody was told"),
        "{why}"
    );
}

/// Pitfall: a 3 h anomaly hides a throttle; a level is a minimum.
#[test]
fn nothing_milder_hides_what_is_worse() {
    let mut stage = stage();
    let now = stage.now;
    stage.step(
        &[
            on(Category::Throttle, Warning, now),
            on(Category::Latency, Critical, now),
        ],
        &[],
    );
    assert_eq!(
        words(&stage).len(),
        2,
        "the consequence is worse than its cause"
    );
    // And what becomes the worse of the two is told then.
    let mut stage = self::stage();
    stage.step(
        &[
            on(Category::Throttle, Warning, now),
            on(Category::Latency, Warning, now),
        ],
        &[],
    );
    assert_eq!(words(&stage).len(), 1);
    let now = stage.later(5).now;
    stage.step(
        &[
            on(Category::Throttle, Warning, now),
            on(Category::Latency, Critical, now),
        ],
        &[],
    );
    assert_eq!(words(&stage), ["warning", "critical"]);
}

#[test]
fn what_was_told_before_stays_told_and_what_was_bad_at_another_time_is_another_trouble() {
    let mut stage = stage();
    let now = stage.now;
    stage.step(&[on(Category::Latency, Critical, now)], &[]);
    let now = stage.later(5).now;
    stage.step(
        &[
            on(Category::Throttle, Critical, now),
            on(Category::Latency, Critical, now),
        ],
        &[],
    );
    let now = stage.later(40).now;
    stage.step(
        &[
            on(Category::Throttle, Critical, now),
            off(Category::Latency, now),
        ],
        &[],
    );
    assert_eq!(words(&stage), ["critical", "critical", "resolved"]);
    // Another pool, and another hour.
    let mut stage = self::stage();
    let now = stage.now;
    stage.step(&[on(Category::Throttle, Critical, now)], &[]);
    let now = stage.later(SETTLE_MINUTES + 60).now;
    stage.step(&[on(Category::Latency, Critical, now)], &[]);
    assert_eq!(words(&stage), ["critical", "critical"]);
    let mut stage = self::stage();
    let other = super::pool_id("anthropic.claude-haiku-4-5");
    stage.add_pool(&other);
    let now = stage.now;
    let slow = Verdict {
        severity: Critical,
        ..verdict(&other, Category::Latency, AlertState::Alerting, now)
    };
    stage.step(&[on(Category::Throttle, Critical, now), slow], &[]);
    assert_eq!(words(&stage), ["critical", "critical"]);
}
