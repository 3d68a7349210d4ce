//! What was decided and has not left is looked at again: rules change while it waits, troubles end, numbers grow old.

use bedrock_ops_alert::{
    act::plan::may_leave,
    model::{
        action::{Effect, Intent, IntentState},
        alert::AlertState,
        book::Record,
        order::Command,
        outcome::Outcome,
        policy::Mode,
        rule::Category,
        time::Minute,
        units::{Amount, QuotaKind},
    },
};

use super::{
    Stage,
    flap::words,
    residency::{east, lead},
    shortage, sonnet, verdict,
};

fn step(stage: &mut Stage, state: AlertState) {
    let verdict = verdict(&sonnet(), Category::Quota, state, stage.now);
    stage.step(&[verdict], &[]);
}

fn request(stage: &Stage) -> Intent {
    let requests = stage.effects("request-quota");
    assert_eq!(requests.len(), 1);
    requests.first().copied().unwrap().clone()
}

fn context(intent: &Intent) -> String {
    match &intent.effect {
        Effect::RequestQuota { context, .. } => context.clone(),
        _ => String::new(),
    }
}

fn outcome(stage: &mut Stage, outcome: &Outcome) {
    let tried = request(stage).begun(stage.now);
    stage.book.apply(vec![Record::Intent(tried.clone())]);
    let after = tried.after(outcome, stage.now);
    stage.book.apply(vec![Record::Intent(after)]);
}

/// A request that AWS did not take: two are open in the Region.
fn not_taken() -> Stage {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    step(&mut stage, AlertState::Alerting);
    let full = Outcome::NotYet {
        why: "AWS takes two requests a Region".to_owned(),
        wait_minutes: 60,
    };
    outcome(&mut stage, &full);
    assert_eq!(request(&stage).state.name(), "planned");
    stage
}

/// Tried, no answer, and not there by two looks.
fn in_doubt() -> Stage {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    step(&mut stage, AlertState::Alerting);
    let lost = Outcome::InDoubt {
        why: "no answer".to_owned(),
    };
    outcome(&mut stage, &lost);
    for _ in 0..2 {
        stage.later(20);
        let after = request(&stage).after(&Outcome::Absent, stage.now);
        stage.book.apply(vec![Record::Intent(after)]);
    }
    assert_eq!(request(&stage).state.name(), "planned");
    stage
}

fn goes(stage: &Stage) -> bool {
    may_leave(stage.inputs(&[], &[]), &request(stage))
}

#[test]
fn what_waits_rests_once_its_incident_is_over_and_goes_on_when_it_comes_back() {
    let mut stage = not_taken();
    assert!(goes(&stage));
    stage.later(15);
    step(&mut stage, AlertState::Normal);
    assert!(!goes(&stage), "it may be over for good");
    stage.later(60);
    step(&mut stage, AlertState::Normal);
    assert_eq!(
        words(&stage),
        ["warning", "resolved"],
        "and nobody hears of a delay"
    );
    stage.later(30);
    shortage(&mut stage);
    step(&mut stage, AlertState::Alerting);
    assert!(goes(&stage));
    assert_eq!(request(&stage).state.name(), "planned");
}

#[test]
fn what_waits_is_withdrawn_once_its_incident_cannot_come_back() {
    let mut stage = not_taken();
    stage.later(15);
    step(&mut stage, AlertState::Normal);
    stage.later(181);
    stage.step(&[], &[]);
    let state = request(&stage).state;
    let IntentState::Refused { why, .. } = &state else {
        panic!("{state:?}");
    };
    assert_eq!(
        why,
        "its incident ended at 2026-03-02 12:15 UTC and did not come back within 3 hours"
    );
    stage.later(1).step(&[], &[]);
    insta::assert_snapshot!("withdrawn", stage.message("[not done]"));
    assert_eq!(words(&stage), ["warning", "resolved", "not done"]);
    // Nor does AWS's "not yet" count as a refusal of the next one.
    stage.later(600);
    shortage(&mut stage);
    step(&mut stage, AlertState::Alerting);
    assert_eq!(stage.effects("request-quota").len(), 2);
}

#[test]
fn what_a_rule_of_residency_bars_by_now_is_withdrawn() {
    for mode in [Mode::File, Mode::Propose] {
        let mut stage = if mode == Mode::File {
            not_taken()
        } else {
            let mut stage = Stage::new(mode);
            shortage(&mut stage);
            step(&mut stage, AlertState::Alerting);
            stage
        };
        let waiting = request(&stage);
        lead(&mut stage, &sonnet(), &["us-east-1", "us-west-2"]);
        assert!(goes(&stage));
        stage.policy.residency = vec![east()];
        assert!(!goes(&stage), "even before the next plan");
        let approve = Command::Approve {
            action: waiting.id.clone(),
            value: None,
        };
        if mode == Mode::Propose {
            let why = stage.say(None, approve).unwrap_err();
            assert!(why.contains("residency-east does not allow"), "{why}");
        }
        stage.later(5);
        stage.step(&[], &[]);
        let state = request(&stage).state;
        assert!(
            matches!(&state, IntentState::Refused { why, .. } if why.contains("residency-east")),
            "{state:?}"
        );
        stage.later(1).step(&[], &[]);
        let told = stage.message("[not done]");
        assert!(told.contains("residency-east does not allow"), "{told}");
    }
}

#[test]
fn nothing_that_aws_may_have_is_withdrawn() {
    let mut stage = in_doubt();
    step(&mut stage, AlertState::Normal);
    stage.later(600).step(&[], &[]);
    assert!(goes(&stage), "it is settled by the next try");
    let before = request(&stage);
    assert_eq!(before.state.name(), "planned");
    assert_eq!(before.worded, None, "it may be there with these words");
    lead(&mut stage, &sonnet(), &["us-east-1", "us-west-2"]);
    stage.policy.residency = vec![east()];
    assert!(!goes(&stage));
    stage.step(&[], &[]);
    assert_eq!(request(&stage).state.name(), "held");
    stage.later(1).step(&[], &[]);
    let told = stage.message("[not done]");
    assert!(told.contains("It may have happened"), "{told}");
}

#[test]
fn what_a_person_let_go_after_the_end_goes() {
    let mut stage = Stage::new(Mode::Propose);
    shortage(&mut stage);
    step(&mut stage, AlertState::Alerting);
    stage.later(40);
    step(&mut stage, AlertState::Normal);
    stage.later(600).step(&[], &[]);
    let action = request(&stage).id;
    let value = Amount::new(1_800_000.0);
    let approve = Command::Approve { action, value };
    stage.say(None, approve).unwrap();
    assert!(goes(&stage));
    stage.later(600).step(&[], &[]);
    assert!(goes(&stage));
    insta::assert_snapshot!("approved_late", context(&request(&stage)));
}

#[test]
fn what_a_person_let_go_before_the_end_ends_with_its_incident() {
    let mut stage = Stage::new(Mode::Propose);
    shortage(&mut stage);
    step(&mut stage, AlertState::Alerting);
    let action = request(&stage).id;
    let approve = Command::Approve {
        action,
        value: None,
    };
    stage.later(1).say(None, approve).unwrap();
    stage.later(40);
    step(&mut stage, AlertState::Normal);
    stage.later(181).step(&[], &[]);
    assert_eq!(request(&stage).state.name(), "refused");
}

#[test]
fn what_a_person_asked_for_stays_whatever_ends() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    stage.policy.budgets.requests_per_day = 0;
    step(&mut stage, AlertState::Alerting);
    let ask = Command::Ask {
        pool: sonnet(),
        kind: QuotaKind::Tpm,
        value: Amount::new(2_000_000.0).unwrap(),
    };
    stage.say(Some("a launch"), ask).unwrap();
    stage.later(40);
    step(&mut stage, AlertState::Normal);
    stage.later(600).step(&[], &[]);
    assert!(goes(&stage));
}

#[test]
fn words_that_waited_are_made_anew_before_they_leave() {
    let mut stage = not_taken();
    let first = request(&stage);
    stage.later(30);
    shortage(&mut stage);
    step(&mut stage, AlertState::Alerting);
    assert_eq!(request(&stage), first, "not yet");
    stage.later(90);
    let from = Minute::of(stage.now).plus(-120);
    stage.feed(&sonnet(), from, &[(600.0, 250.0, 990_000.0); 120]);
    step(&mut stage, AlertState::Alerting);
    let again = request(&stage);
    assert_eq!(again.revision, first.revision + 1);
    assert_eq!(again.worded, Some(stage.now));
    insta::assert_snapshot!("worded_anew", context(&again));
    stage.later(1);
    step(&mut stage, AlertState::Alerting);
    assert_eq!(request(&stage), again, "once an hour");
}
