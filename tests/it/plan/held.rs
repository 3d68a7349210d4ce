//! What was given up, or planned in another mode, waits for a person's word; and blocks its quota no longer than until then.

use bedrock_ops_alert::model::{
    action::{Intent, IntentState},
    alert::{AlertState, Verdict},
    book::Record,
    ids::ActionId,
    order::Command,
    policy::Mode,
    rule::Category,
    time::Minute,
};

use super::{Stage, shortage, sonnet, verdict};

fn short(stage: &Stage) -> Verdict {
    verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now)
}

/// A shortage whose request was sent and never found.
fn given_up(effect: &str) -> (Stage, ActionId) {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    stage.step(&[short(&stage)], &[]);
    let mut intent = stage.effects(effect).swap_remove(0).clone();
    intent.attempts = 3;
    intent.revision += 1;
    intent.state = IntentState::Held {
        why: "tried 3 times, and never found afterwards".to_owned(),
        at: stage.now,
    };
    let id = intent.id.clone();
    stage.book.apply(vec![Record::Intent(intent)]);
    stage.later(5);
    let on = short(&stage);
    stage.step(&[on], &[]);
    (stage, id)
}

fn state<'a>(stage: &'a Stage, id: &ActionId) -> &'a IntentState {
    &stage.book.intents.get(id).unwrap().state
}

fn requests(stage: &Stage) -> Vec<&Intent> {
    stage.effects("request-quota")
}

/// An hour of more demand, and what the plan makes of it.
fn goes_on(stage: &mut Stage, minutes: i64) {
    stage.later(minutes);
    let from = Minute::of(stage.now).plus(-8);
    stage.feed(&sonnet(), from, &[(600.0, 90.0, 2_400_000.0); 8]);
    let on = short(stage);
    stage.step(&[on], &[]);
}

#[test]
fn what_was_given_up_is_tried_once_more_when_approved() {
    let (mut stage, id) = given_up("request-quota");
    insta::assert_snapshot!("given_up", stage.message("[not done]"));
    let approve = Command::Approve {
        action: id.clone(),
        value: None,
    };
    stage.say(None, approve.clone()).unwrap();
    assert!(matches!(state(&stage, &id), IntentState::Planned { .. }));
    let why = stage.say(None, approve).unwrap_err();
    assert!(why.contains("does not wait for approval"), "{why}");
    stage.perform_all();
    goes_on(&mut stage, 60);
    assert_eq!(stage.book.asks.len(), 1, "and is followed");
    assert_eq!(requests(&stage).len(), 1);
}

#[test]
fn what_was_given_up_blocks_its_quota_until_it_is_settled() {
    let (mut stage, id) = given_up("request-quota");
    goes_on(&mut stage, 60);
    assert_eq!(requests(&stage).len(), 1, "it may be open at AWS");
    let noted = stage.decisions().join("\n");
    assert!(
        noted.contains(&format!("`reject {id}` settles it")),
        "{noted}"
    );
    let reject = Command::Reject { action: id.clone() };
    stage.say(Some("nothing is there"), reject).unwrap();
    assert!(
        matches!(state(&stage, &id), IntentState::Refused { why, .. } if why.ends_with("nothing is there"))
    );
    let days = stage.policy.cooldown_minutes / 1_440 + 1;
    for _ in 0..days {
        goes_on(&mut stage, 1_440);
    }
    assert_eq!(
        requests(&stage).len(),
        1,
        "nothing is proposed again for an incident about which a person said no"
    );
    stage
        .book
        .handlings
        .values_mut()
        .for_each(|it| it.rejected = None);
    goes_on(&mut stage, 1_440);
    assert_eq!(
        requests(&stage).len(),
        2,
        "and later incidents are asked for"
    );
}

/// Nothing is filed by it, so neither mode nor switch stand in its way.
#[test]
fn a_message_that_was_given_up_is_sent_again_on_a_word() {
    let (mut stage, id) = given_up("notify");
    stage.policy.mode = Mode::Observe;
    let approve = Command::Approve {
        action: id.clone(),
        value: None,
    };
    stage.say(None, approve).unwrap();
    let intent = stage.book.intents.get(&id).unwrap();
    assert!(intent.due(stage.now).is_some());
    let (mut stage, id) = given_up("notify");
    stage
        .say(None, Command::Reject { action: id.clone() })
        .unwrap();
    assert!(matches!(state(&stage, &id), IntentState::Refused { .. }));
    assert!(
        stage
            .book
            .handlings
            .values()
            .all(|it| it.rejected.is_none()),
        "whoever gives up on a message says nothing about its incident"
    );
}

/// The mode is read with each reload: what was planned under another one is not sent behind the back of whoever took the
/// right to file away.
#[test]
fn what_was_planned_in_mode_file_waits_for_a_word_in_mode_propose() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let on = short(&stage);
    stage.step(&[on], &[]);
    let planned = requests(&stage)[0].clone();
    assert!(matches!(planned.state, IntentState::Planned { .. }));
    assert!(planned.lacks_word(Mode::Propose) && !planned.lacks_word(Mode::File));
    stage.policy.mode = Mode::Propose;
    stage.later(1).step(&[], &[]);
    assert!(
        matches!(state(&stage, &planned.id), IntentState::Proposed { expires } if stage.now < *expires)
    );
    insta::assert_snapshot!("waits_for_word", stage.message("[waits for you]"));
    let approve = Command::Approve {
        action: planned.id.clone(),
        value: None,
    };
    stage.say(None, approve).unwrap();
    stage.later(1).step(&[], &[]);
    let intent = stage.book.intents.get(&planned.id).unwrap();
    assert_eq!(intent.approved_by.as_deref(), Some("Kim"));
    assert!(matches!(intent.state, IntentState::Planned { .. }));
    assert!(!intent.lacks_word(Mode::Propose));
}
