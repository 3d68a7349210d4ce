//! What AWS Support hears once it is over, and when.

use bedrock_ops_alert::model::{alert::AlertState, policy::Mode, rule::Category, time::Minute};

use super::{Stage, sonnet, verdict};

/// A case of ours about throttling far below every quota, taken by AWS; and what resolves its incident.
fn investigated() -> Stage {
    let mut stage = Stage::new(Mode::File);
    let from = Minute::of(stage.now).plus(-8);
    stage.feed(&sonnet(), from, &[(100.0, 40.0, 100_000.0); 8]);
    throttled(&mut stage, AlertState::Alerting);
    stage.perform_all();
    stage
}

fn throttled(stage: &mut Stage, state: AlertState) {
    let now = verdict(&sonnet(), Category::Throttle, state, stage.now);
    stage.step(&[now], &[]);
}

/// What comes back within three hours is the same incident: Support would be told that it is over, and work on the case of
/// a problem that goes on would end.
#[test]
fn support_hears_that_it_is_over_once_it_can_not_come_back() {
    let mut stage = investigated();
    stage.later(40);
    throttled(&mut stage, AlertState::Normal);
    assert!(!stage.book.incidents.values().next().unwrap().is_open());
    stage.later(179).step(&[], &[]);
    assert_eq!(stage.effects("comment").len(), 0, "it may come back");
    stage.later(1);
    assert!(
        bedrock_ops_alert::act::plan::is_due(stage.inputs(&[], &[])),
        "nothing else would bring it"
    );
    stage.step(&[], &[]);
    assert_eq!(stage.effects("comment").len(), 1);
    assert!(!bedrock_ops_alert::act::plan::is_due(
        stage.inputs(&[], &[])
    ));
    stage.later(600).step(&[], &[]);
    assert_eq!(stage.effects("comment").len(), 1, "said once");
}

#[test]
fn what_came_back_is_over_three_hours_after_its_last_end() {
    let mut stage = investigated();
    for state in [AlertState::Normal, AlertState::Alerting, AlertState::Normal] {
        stage.later(100);
        throttled(&mut stage, state);
    }
    assert_eq!(stage.book.incidents.len(), 1);
    stage.later(179).step(&[], &[]);
    assert_eq!(stage.effects("comment").len(), 0);
    stage.later(1).step(&[], &[]);
    assert_eq!(stage.effects("comment").len(), 1);
}
