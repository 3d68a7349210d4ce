//! What people say of incidents and proposals, and what they hear because of it.

use bedrock_ops_alert::model::{
    action::{Effect, IntentState},
    alert::{AlertState, Verdict},
    ids::{ActionId, IncidentId, SilenceId},
    order::{Answer, Command, End},
    policy::Mode,
    rule::{Category, Severity},
    selector::{Selector, Written},
    time::{Minute, Timestamp, after},
    units::Amount,
};

use super::{Stage, flap::words, shortage, sonnet, verdict};

fn selector(model: &str) -> Selector {
    Selector::read(&Written {
        models: vec![model.to_owned()],
        ..Written::default()
    })
    .unwrap()
}

fn silence(stage: &mut Stage, model: &str, minutes: i64, holds_requests: bool) -> Answer {
    let command = Command::Silence {
        selector: selector(model),
        from: None,
        end: End::After(minutes),
        holds_requests,
    };
    stage.say(Some("a load test"), command).unwrap()
}

fn on(now: Timestamp, severity: Severity) -> Verdict {
    Verdict {
        severity,
        ..verdict(&sonnet(), Category::Latency, AlertState::Alerting, now)
    }
}

fn off(now: Timestamp) -> Verdict {
    let mut it = verdict(&sonnet(), Category::Latency, AlertState::Normal, now);
    it.track.since = Minute::of(now);
    it
}

fn only_incident(stage: &Stage) -> IncidentId {
    stage.book.incidents.keys().next().unwrap().clone()
}

#[test]
fn a_silence_needs_a_reason_an_end_and_something_to_match() {
    let mut stage = Stage::new(Mode::Observe);
    let command = |model: Option<&str>, minutes| Command::Silence {
        selector: model.map_or_else(Selector::default, selector),
        from: None,
        end: End::After(minutes),
        holds_requests: false,
    };
    let why = Some("a load test");
    insta::assert_snapshot!(stage.say(None, command(Some("*"), 60)).unwrap_err(), @"a silence needs a reason: whoever reads it later was not there");
    insta::assert_snapshot!(stage.say(why, command(None, 60)).unwrap_err(), @"a silence must say what it is for: a rule, category, account, region, family, model or pool; `*` as the pool means all");
    insta::assert_snapshot!(stage.say(why, command(Some("*"), 0)).unwrap_err(), @"a silence lasts from a minute to 366 days, and ends after it begins");
    assert!(stage.say(why, command(Some("*"), 367 * 1_440)).is_err());
    assert!(stage.book.silences.is_empty());
    let answer = stage.say(why, command(Some("*sonnet*"), 60)).unwrap();
    insta::assert_snapshot!(answer.what, @"silence by Kim on model *sonnet* until 2026-03-02T13:00:00Z: it fits 1 of 1 pools and 0 of 0 open incidents");
}

#[test]
fn what_is_silenced_is_judged_and_told_once_when_the_silence_ends() {
    let mut stage = Stage::new(Mode::Observe);
    silence(&mut stage, "*sonnet*", 60, false);
    stage.step(&[on(stage.now, Severity::Warning)], &[]);
    let now = stage.later(10).now;
    stage.step(&[on(now, Severity::Critical)], &[]);
    let incident = stage.book.incidents.values().next().unwrap();
    assert_eq!(
        incident.severity,
        Severity::Critical,
        "it is judged all the same"
    );
    assert_eq!((incident.told, stage.effects("notify").len()), (None, 0));
    for _ in 0..4 {
        let now = stage.later(10).now;
        stage.step(&[on(now, Severity::Critical)], &[]);
    }
    assert!(stage.effects("notify").is_empty());
    // Nothing new is needed: time alone ends it.
    stage.later(10).step(&[], &[]);
    assert_eq!(words(&stage), ["critical"]);
    insta::assert_snapshot!("silence_over", stage.message("[critical]"));
    stage.later(1).step(&[], &[]);
    assert_eq!(words(&stage), ["critical"], "told once");
}

#[test]
fn what_began_and_ended_under_a_silence_is_told_to_nobody_and_written_down() {
    let mut stage = Stage::new(Mode::Observe);
    silence(&mut stage, "*sonnet*", 120, false);
    stage.step(&[on(stage.now, Severity::Warning)], &[]);
    let now = stage.later(40).now;
    stage.step(&[off(now)], &[]);
    stage.later(90).step(&[], &[]);
    assert!(stage.effects("notify").is_empty());
    let last = stage
        .decisions()
        .last()
        .copied()
        .unwrap_or_default()
        .to_owned();
    assert!(
        last.starts_with("it was over before the silence sil-"),
        "{last}"
    );
    stage.later(200).step(&[], &[]);
    assert!(stage.book.handlings.is_empty());
}

/// Whoever heard that it began hears that it is over, though it ended while nobody was to be told.
#[test]
fn an_end_under_a_silence_is_told_after_it_to_those_who_knew() {
    let mut stage = Stage::new(Mode::Observe);
    stage.step(&[on(stage.now, Severity::Warning)], &[]);
    let id = silence(&mut stage, "*sonnet*", 600, false).subject;
    let now = stage.later(40).now;
    stage.step(&[off(now)], &[]);
    assert_eq!(words(&stage), ["warning"]);
    let expired = Command::Expire {
        silence: SilenceId::new(id),
    };
    stage.later(20).say(None, expired.clone()).unwrap();
    stage.later(1).step(&[], &[]);
    assert_eq!(words(&stage), ["warning", "resolved"]);
    insta::assert_snapshot!("silence_ended_early", stage.message("[resolved]"));
    assert!(stage.say(None, expired).unwrap_err().contains("ended at"));
}

#[test]
fn what_people_knew_before_the_silence_is_told_after_it_even_when_nothing_changed() {
    let mut stage = Stage::new(Mode::Observe);
    stage.step(&[on(stage.now, Severity::Warning)], &[]);
    silence(&mut stage, "*sonnet*", 60, false);
    for _ in 0..6 {
        let now = stage.later(10).now;
        stage.step(&[on(now, Severity::Warning)], &[]);
    }
    assert_eq!(words(&stage), ["warning", "warning"]);
    assert!(
        stage
            .message("[warning]")
            .contains("Nothing changed meanwhile")
    );
}

/// A silence is about messages: what policy files goes on, unless the silence says otherwise.
#[test]
fn a_silence_stops_no_request_unless_it_says_so() {
    for (holds_requests, expected) in [(false, 1), (true, 0)] {
        let mut stage = Stage::new(Mode::File);
        shortage(&mut stage);
        silence(&mut stage, "*", 60, holds_requests);
        let short = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
        stage.step(std::slice::from_ref(&short), &[]);
        assert_eq!(
            stage.effects("request-quota").len(),
            expected,
            "{holds_requests}"
        );
        assert!(stage.effects("notify").is_empty());
        let why = stage.decisions().join("; ");
        assert_eq!(
            why.contains("nothing is asked until"),
            holds_requests,
            "{why}"
        );
    }
}

#[test]
fn who_acknowledges_is_told_once_and_ends_the_reminders_until_it_gets_worse() {
    let mut stage = Stage::new(Mode::Observe);
    stage.step(&[on(stage.now, Severity::Warning)], &[]);
    let ack = Command::Acknowledge {
        incident: only_incident(&stage),
        minutes: None,
    };
    stage.say(Some("the vendor knows"), ack.clone()).unwrap();
    assert_eq!(words(&stage), ["warning", "acknowledged"]);
    insta::assert_snapshot!("acknowledged", stage.message("[acknowledged]"));
    for _ in 0..30 {
        let now = stage.later(60).now;
        stage.step(&[on(now, Severity::Warning)], &[]);
    }
    assert_eq!(words(&stage).len(), 2, "no reminder in 30 hours");
    let now = stage.later(10).now;
    stage.step(&[on(now, Severity::Critical)], &[]);
    assert_eq!(words(&stage).last().map(String::as_str), Some("critical"));
    for _ in 0..5 {
        let now = stage.later(60).now;
        stage.step(&[on(now, Severity::Critical)], &[]);
    }
    assert_eq!(
        words(&stage).len(),
        4,
        "reminded again: {:?}",
        words(&stage)
    );
    let now = stage.later(40).now;
    stage.step(&[off(now)], &[]);
    assert_eq!(words(&stage).last().map(String::as_str), Some("resolved"));
    let late = stage.say(None, ack).unwrap_err();
    assert!(late.contains("nothing to look after"), "{late}");
}

#[test]
fn a_snooze_ends_by_itself_and_says_so() {
    let mut stage = Stage::new(Mode::Observe);
    stage.step(&[on(stage.now, Severity::Warning)], &[]);
    let snooze = Command::Acknowledge {
        incident: only_incident(&stage),
        minutes: Some(600),
    };
    stage.say(None, snooze).unwrap();
    for _ in 0..9 {
        let now = stage.later(60).now;
        stage.step(&[on(now, Severity::Warning)], &[]);
    }
    assert_eq!(words(&stage), ["warning", "snoozed"]);
    let now = stage.later(60).now;
    stage.step(&[on(now, Severity::Warning)], &[]);
    assert_eq!(words(&stage).last().map(String::as_str), Some("warning"));
    assert!(stage.message("[warning]").contains("(snooze over)"));
    assert_eq!(words(&stage).len(), 3);
}

fn proposed(stage: &mut Stage) -> (ActionId, Verdict) {
    shortage(stage);
    let short = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(std::slice::from_ref(&short), &[]);
    let id = stage.effects("request-quota").first().unwrap().id.clone();
    (id, short)
}

/// Pitfall: requests without a person's approval; and a no that is asked again a minute later is no answer.
#[test]
fn what_a_person_rejected_is_not_proposed_again_unless_it_gets_worse() {
    let mut stage = Stage::new(Mode::Propose);
    let (action, short) = proposed(&mut stage);
    let reject = Command::Reject { action };
    stage.say(Some("the launch moved"), reject).unwrap();
    let notes = stage.later(1).step(std::slice::from_ref(&short), &[]);
    assert!(!notes.is_empty());
    assert!(
        stage
            .message("[not done]")
            .contains("rejected by Kim: the launch moved")
    );
    stage.later(1).step(std::slice::from_ref(&short), &[]);
    assert_eq!(
        stage.effects("request-quota").len(),
        1,
        "{:#?}",
        stage.decisions()
    );
    let worse = Verdict {
        severity: Severity::Critical,
        ..short
    };
    stage.later(1).step(&[worse], &[]);
    assert_eq!(
        stage.effects("request-quota").len(),
        2,
        "{:#?}",
        stage.decisions()
    );
}

/// Pitfall: the requested value is what a formula says, whatever people know; and never above what they allow.
#[test]
fn another_value_is_asked_within_the_bounds_of_the_mandate() {
    let mut stage = Stage::new(Mode::Propose);
    stage.policy.budgets.highest_value = Amount::new(2_500_000.0);
    let (action, _) = proposed(&mut stage);
    let with = |value: f64| Command::Approve {
        action: action.clone(),
        value: Amount::new(value),
    };
    for refused in [1_000_000.0, 2_500_001.0, 3_000_001.0] {
        let why = stage.say(None, with(refused)).unwrap_err();
        assert!(why.contains("nothing was decided"), "{why}");
    }
    stage
        .say(Some("the launch is bigger"), with(2_400_000.0))
        .unwrap();
    let [request] = stage.effects("request-quota")[..] else {
        panic!("one request");
    };
    assert!(matches!(request.state, IntentState::Planned { .. }));
    let Effect::RequestQuota {
        desired, context, ..
    } = &request.effect
    else {
        panic!("{:?}", request.effect);
    };
    assert_eq!(*desired, Amount::new(2_400_000.0).unwrap());
    let head: Vec<&str> = context.lines().take(5).collect();
    insta::assert_snapshot!(head.join("\n"), @r"
    Quota increase: Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.6 (L-15B8E632)
    Account 111122223333, Region us-east-1
    Requested: 2,400,000. Applied now: 1,000,000. Default: 500,000.
    A person set this value; 1,500,000 was worked out as follows.
    How the number came about: peak demand 900,000 x 1.3 / 80 % = 1,462,500, rounded up to 1,500,000; applied now 1,000,000, default 500,000.
    ");
    let again = stage.say(None, with(2_000_000.0)).unwrap_err();
    assert!(again.contains("does not wait for approval"), "{again}");
}

#[test]
fn silences_that_ended_long_ago_are_let_go() {
    let mut stage = Stage::new(Mode::Observe);
    silence(&mut stage, "*", 60, false);
    stage.now = after(stage.now, 29 * 1_440);
    stage.step(&[], &[]);
    assert_eq!(stage.book.silences.len(), 1);
    stage.later(2 * 1_440).step(&[], &[]);
    assert!(stage.book.silences.is_empty());
}
