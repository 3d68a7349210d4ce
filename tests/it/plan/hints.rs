//! Hints in what people hear and in what is filed.

use bedrock_ops_alert::model::{
    alert::AlertState,
    hint::Clue,
    policy::Mode,
    reason::Reason,
    rule::{Category, Severity},
    time::Minute,
};

use super::{Stage, noon, sonnet, verdict};

/// 300 requests a minute; from 20 minutes before noon on 40 are refused, and then 500 more are tried each minute.
fn storm(stage: &mut Stage) {
    let mut minutes = vec![(300.0, 40.0, 400_000.0)];
    minutes.extend([(300.0, 500.0, 400_000.0); 19]);
    stage.feed(&sonnet(), Minute::of(noon()).plus(-20), &minutes);
}

#[test]
fn that_more_quota_is_not_the_answer_is_said_first_and_stands_in_the_request() {
    let mut stage = Stage::new(Mode::File);
    storm(&mut stage);
    stage.step(
        &[verdict(
            &sonnet(),
            Category::Quota,
            AlertState::Alerting,
            noon(),
        )],
        &[],
    );
    insta::assert_snapshot!("hinted", stage.message("[warning]"));
    let [request] = stage.effects("request-quota")[..] else {
        panic!("what is filed does not change: {:?}", stage.decisions());
    };
    let Some(Reason::Hint(hint)) = request.reasons.first() else {
        panic!("{:?}", request.reasons);
    };
    assert!(matches!(hint.clue, Clue::Retries(_)), "{hint:?}");
}

#[test]
fn hints_stay_when_a_later_look_finds_nothing_and_are_new_when_it_grows_worse() {
    let mut stage = Stage::new(Mode::Observe);
    let mut on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, noon());
    stage.step(&[on.clone()], &[]);
    let hints = |stage: &Stage| stage.book.incidents.values().next().unwrap().hints.clone();
    assert_eq!(hints(&stage), [], "nothing was refused");
    storm(&mut stage);
    on.severity = Severity::Critical;
    stage.step(&[on.clone()], &[]);
    let found = hints(&stage);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        stage
            .message("[critical]")
            .contains("More quota is probably not")
    );
    // Ten hours on, the pattern is out of sight.
    on = verdict(
        &sonnet(),
        Category::Quota,
        AlertState::Alerting,
        stage.later(600).now,
    );
    on.severity = Severity::Critical;
    stage.step(&[on], &[]);
    assert_eq!(hints(&stage), found);
}
