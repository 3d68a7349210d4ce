//! An account whose support plan has no API: told once, with the words to send by hand, and nothing is promised meanwhile.

use bedrock_ops_alert::model::{outcome::NO_PLAN, time::DAY};

use super::*;

fn short(stage: &mut Stage) {
    shortage(stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
}

fn troubled(stage: &mut Stage, category: Category) {
    let on = verdict(&sonnet(), category, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
}

/// Cases that wait to be opened are refused for the plan.
fn refuse(stage: &mut Stage) {
    let cases = stage.effects("open-case").into_iter();
    let due: Vec<Intent> = cases
        .filter(|it| it.due(stage.now).is_some())
        .cloned()
        .collect();
    assert_eq!(due.len(), 1);
    let why = format!("the support case was refused: {NO_PLAN} (SubscriptionRequiredException)");
    for case in due {
        let after = case
            .begun(stage.now)
            .after(&Outcome::Never { why: why.clone() }, stage.now);
        stage.book.apply(vec![Record::Intent(after)]);
    }
}

fn count(stage: &Stage, word: &str) -> usize {
    stage.message(word).matches(word).count()
}

#[test]
fn of_a_request_it_is_told_once_that_its_case_gets_no_words() {
    let mut stage = Stage::new(Mode::File);
    short(&mut stage);
    stage.perform_all();
    short(stage.later(1));
    let polled = [
        DeskReading::Request {
            request: RequestId::new("req-1"),
            status: RequestStatus::CaseOpened,
            display: Some(DisplayId::new("171234567800001")),
        },
        DeskReading::NoPlan { scope: scope() },
    ];
    stage.later(5).step(&[], &polled);
    insta::assert_snapshot!("no_plan", stage.message("[no support plan]"));
    stage.later(5).step(&[], &polled);
    assert_eq!(count(&stage, "[no support plan]"), 1);
    assert_eq!(stage.effects("comment").len(), 0);
    troubled(&mut stage, Category::ServerError);
    assert_eq!(stage.effects("open-case").len(), 0, "it would be refused");
    let told = stage.message("[warning] server-error");
    assert!(told.contains("has no API"), "{told}");
    assert!(told.contains("To open one by hand"), "{told}");
    assert!(!told.contains("if the budget"), "no promise: {told}");
}

#[test]
fn a_case_that_the_plan_does_not_take_is_tried_once_a_day_and_told_once() {
    let mut stage = Stage::new(Mode::File);
    troubled(&mut stage, Category::ServerError);
    refuse(&mut stage);
    troubled(stage.later(1), Category::ServerError);
    insta::assert_snapshot!("case_without_plan", stage.message("[not done]"));
    troubled(stage.later(1), Category::ClientError);
    assert_eq!(stage.effects("open-case").len(), 1);
    let said = stage.decisions().join("\n");
    assert!(said.contains("no case is planned before"), "{said}");
    let told = stage.message("[warning] client-error");
    assert!(told.contains("has no API"), "{told}");
    assert!(told.contains("To open one by hand"), "{told}");
    troubled(stage.later(DAY), Category::ClientError);
    assert_eq!(
        stage.effects("open-case").len(),
        2,
        "a day later it is tried"
    );
    refuse(&mut stage);
    troubled(stage.later(1), Category::ClientError);
    assert_eq!(count(&stage, "[not done]"), 1, "told once");
}
