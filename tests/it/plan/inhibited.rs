//! One trouble told once: what is a part of another incident waits for it.

use bedrock_ops_alert::{
    config,
    model::{
        action::Effect,
        alert::{AlertState, Verdict},
        book::Record,
        desk::{DeskReading, Investigation},
        handling::Hold,
        ids::{ActionId, CaseId, DisplayId, IncidentId, Marker, RuleName},
        order::{Command, End},
        policy::Mode,
        receiver::Phase,
        rule::{Category, Severity},
        selector::{Selector, Written},
        series::SETTLE_MINUTES,
        time::{Minute, Timestamp},
    },
};

use super::{Stage, flap::words, scope, sonnet, verdict};

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

/// A case of ours about this incident, upon which AWS asks something.
fn case_that_waits(stage: &mut Stage, incident: &IncidentId) -> DeskReading {
    let case = CaseId::new("case-1");
    let action = ActionId::new("act-1");
    stage.book.apply(vec![Record::Investigation(Investigation {
        case: case.clone(),
        marker: Marker::of(&action),
        action,
        incident: incident.clone(),
        scope: scope(),
        display: None,
        opened: stage.now,
        status: "opened".to_owned(),
        told_waiting: false,
        waiting: None,
        polled: stage.now,
        ended: None,
        twin: None,
    })]);
    DeskReading::Case {
        case,
        display: DisplayId::new("170000000001"),
        status: "pending-customer-action".to_owned(),
        is_answered: true,
    }
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

/// A question of AWS that nobody hears is a request that nobody grants.
#[test]
fn what_waits_for_a_person_waits_for_no_other_incident() {
    let mut stage = stage();
    let both = |now| {
        [
            on(Category::Throttle, Critical, now),
            on(Category::Latency, Critical, now),
        ]
    };
    stage.step(&both(stage.now), &[]);
    let held = stage.book.handlings.values().find(|it| it.held.is_some());
    let incident = held.unwrap().incident.clone();
    let asks = case_that_waits(&mut stage, &incident);
    let now = stage.later(5).now;
    stage.step(&both(now), std::slice::from_ref(&asks));
    // What was held back comes first, so that whoever reads it knows what AWS asks about.
    assert_eq!(words(&stage), ["critical", "critical", "aws waits for you"]);
    assert!(
        stage
            .message("[aws waits for you]")
            .contains("170000000001")
    );
    assert_eq!(stage.book.handlings[&incident].held, None);
    let now = stage.later(5).now;
    stage.step(&both(now), &[asks]);
    assert_eq!(words(&stage).len(), 3, "told once");
}

/// A pager hears nothing of what is past; what AWS asks is not.
#[test]
fn what_waits_for_a_person_reaches_a_pager_after_the_end_of_an_incident_nobody_knew_of() {
    let mut stage = stage();
    let now = stage.now;
    stage.step(
        &[
            on(Category::Throttle, Critical, now),
            on(Category::Latency, Critical, now),
        ],
        &[],
    );
    let held = stage.book.handlings.values().find(|it| it.held.is_some());
    let incident = held.unwrap().incident.clone();
    let asks = case_that_waits(&mut stage, &incident);
    let now = stage.later(40).now;
    let both = [off(Category::Throttle, now), off(Category::Latency, now)];
    stage.step(&both, &[]);
    stage.later(1).step(&[], &[asks]);
    let told = stage.effects("notify").into_iter();
    let phases: Vec<Phase> = told
        .filter(|it| it.incident == incident)
        .filter_map(|it| match &it.effect {
            Effect::Notify { notice, .. } => notice.as_ref().map(|it| it.phase),
            _ => None,
        })
        .collect();
    assert_eq!(phases, [Phase::Note]);
}

/// A silence is a person's word, and holds.
#[test]
fn what_waits_for_a_person_is_silent_where_a_person_wants_silence() {
    let mut stage = stage();
    stage.step(&[on(Category::Latency, Critical, stage.now)], &[]);
    let incident = stage.book.incidents.keys().next().unwrap().clone();
    let end = End::After(60);
    let all = Selector::read(&Written {
        categories: vec!["latency".to_owned()],
        ..Written::default()
    });
    let command = Command::Silence {
        selector: all.unwrap(),
        from: None,
        end,
        holds_requests: false,
    };
    stage.say(Some("planned work"), command).unwrap();
    let asks = case_that_waits(&mut stage, &incident);
    let now = stage.later(5).now;
    stage.step(&[on(Category::Latency, Critical, now)], &[asks]);
    assert_eq!(words(&stage), ["critical"]);
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
