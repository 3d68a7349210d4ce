//! While writes are stopped: nothing is planned for AWS's desks, and messages say so.

use bedrock_ops_alert::model::{
    action::IntentState,
    alert::AlertState,
    order::{Command, Stop},
    policy::Mode,
    rule::Category,
};

use super::{Stage, flap::words, shortage, sonnet, verdict};

pub(super) fn stop() -> Stop {
    Stop {
        by: Some("Kim".to_owned()),
        since: Some("2026-03-02T11:50:00Z".to_owned()),
        why: Some("a wrong quota table".to_owned()),
        place: "/var/lib/bedrock-ops-alert/store.stop-writes".to_owned(),
    }
}

#[test]
fn nothing_is_filed_or_proposed_and_people_hear_why() {
    for mode in [Mode::Propose, Mode::File] {
        let mut stage = Stage::new(mode);
        stage.stop = Some(stop());
        shortage(&mut stage);
        let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
        stage.step(std::slice::from_ref(&on), &[]);
        assert!(stage.effects("request-quota").is_empty());
        assert_eq!(words(&stage), ["warning"]);
        insta::assert_snapshot!("stopped", stage.message("[warning]"));
        let why = stage.decisions().join("; ");
        assert!(
            why.contains("nothing is filed, else this would ask for"),
            "{why}"
        );
        stage.stop = None;
        stage.later(1).step(&[on], &[]);
        assert_eq!(
            stage.effects("request-quota").len(),
            1,
            "it goes on by itself"
        );
    }
}

#[test]
fn what_was_planned_is_taken_back_when_its_incident_is_over_before_writes_go_on() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    stage.stop = Some(stop());
    stage.later(10).step(&[], &[]);
    let state = |stage: &Stage| {
        stage
            .effects("request-quota")
            .first()
            .unwrap()
            .state
            .clone()
    };
    assert!(
        matches!(state(&stage), IntentState::Planned { .. }),
        "it waits"
    );
    let over = verdict(
        &sonnet(),
        Category::Quota,
        AlertState::Normal,
        stage.later(30).now,
    );
    stage.step(&[over], &[]);
    assert!(
        matches!(state(&stage), IntentState::Refused { .. }),
        "{:?}",
        state(&stage)
    );
}

#[test]
fn a_stop_needs_a_reason_and_nothing_is_approved_under_it() {
    let mut stage = Stage::new(Mode::Propose);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    assert!(
        stage
            .say(None, Command::StopWrites)
            .unwrap_err()
            .contains("needs a reason")
    );
    assert!(
        stage
            .say(None, Command::ResumeWrites)
            .unwrap_err()
            .contains("not stopped")
    );
    stage
        .say(Some("a wrong quota table"), Command::StopWrites)
        .unwrap();
    stage.stop = Some(stop());
    let action = stage.effects("request-quota").first().unwrap().id.clone();
    let why = stage
        .say(
            None,
            Command::Approve {
                action,
                value: None,
            },
        )
        .unwrap_err();
    assert!(why.contains("resume them first"), "{why}");
    assert!(
        stage
            .say(Some("again"), Command::StopWrites)
            .unwrap_err()
            .contains("already")
    );
    stage.say(None, Command::ResumeWrites).unwrap();
}

#[test]
fn nothing_is_approved_while_the_mode_is_observe_and_what_was_never_begun_ends_with_its_incident() {
    let mut stage = Stage::new(Mode::Propose);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    let action = stage.effects("request-quota").first().unwrap().id.clone();
    let approve = |stage: &mut Stage| {
        let action = action.clone();
        stage.say(
            None,
            Command::Approve {
                action,
                value: None,
            },
        )
    };
    stage.policy.mode = Mode::Observe;
    let why = approve(&mut stage).unwrap_err();
    assert!(why.contains("the mode is observe"), "{why}");
    stage.policy.mode = Mode::Propose;
    approve(&mut stage).unwrap();
    stage.policy.mode = Mode::Observe;
    let over = verdict(
        &sonnet(),
        Category::Quota,
        AlertState::Normal,
        stage.later(30).now,
    );
    stage.step(&[over], &[]);
    let state = &stage.effects("request-quota").first().unwrap().state;
    assert!(matches!(state, IntentState::Refused { .. }), "{state:?}");
}
