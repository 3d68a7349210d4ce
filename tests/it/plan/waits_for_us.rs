//! AWS waits for an answer in a case, and nobody gives one.

use bedrock_ops_alert::{
    act::plan::is_due,
    model::{
        alert::AlertState,
        desk::{DeskReading, RequestStatus},
        ids::{CaseId, DisplayId, RequestId},
        policy::Mode,
        rule::Category,
    },
};

use super::{Stage, flap::words, shortage, sonnet, verdict};

fn case(status: &str) -> DeskReading {
    DeskReading::Case {
        is_answered: true,
        case: CaseId::new("case-9"),
        display: DisplayId::new("1234567890"),
        status: status.to_owned(),
    }
}

/// A request in whose case AWS has asked something; its incident is over.
fn asked_back() -> Stage {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    stage.perform_all();
    let opened = DeskReading::Request {
        request: RequestId::new("req-1"),
        status: RequestStatus::CaseOpened,
        display: Some(DisplayId::new("1234567890")),
    };
    stage
        .later(5)
        .step(&[], &[opened, case("pending-customer-action")]);
    let over = verdict(
        &sonnet(),
        Category::Quota,
        AlertState::Normal,
        stage.later(10).now,
    );
    stage.step(&[over], &[]);
    let told = ["warning", "asked", "aws waits for you", "resolved"];
    assert_eq!(words(&stage), told);
    stage
}

fn reminders(stage: &Stage) -> usize {
    let words = words(stage).into_iter();
    words.filter(|it| it == "aws waits for you").count() - 1
}

#[test]
fn people_are_reminded_after_four_eight_and_twenty_four_hours_though_the_incident_is_over() {
    let mut stage = asked_back();
    let waits = [case("pending-customer-action")];
    let began = stage.now;
    let mut at = Vec::new();
    for minutes in (0..3 * 1_440).step_by(5) {
        stage.now = bedrock_ops_alert::model::time::after(began, minutes);
        let before = reminders(&stage);
        let is_due = is_due(stage.inputs(&[], &[]));
        // The case is polled now and then; a reminder takes no poll.
        stage.step(&[], if minutes % 60 == 0 { &waits } else { &[] });
        if before < reminders(&stage) {
            assert!(is_due, "time alone brings it");
            at.push((minutes + 10) / 60);
        }
    }
    assert_eq!(at, [4, 8, 24]);
    let told = stage.message("[aws waits for you] case 1234567890 (still)");
    insta::assert_snapshot!("reminder", told.split("---").next().unwrap().trim());
}

#[test]
fn an_answer_ends_the_reminders_and_the_next_question_begins_anew() {
    let mut stage = asked_back();
    stage.later(60).step(&[], &[case("pending-amazon-action")]);
    stage.later(600).step(&[], &[]);
    assert_eq!(reminders(&stage), 0);
    stage
        .later(60)
        .step(&[], &[case("pending-customer-action")]);
    assert_eq!(reminders(&stage), 1, "the next question");
    stage.later(239).step(&[], &[]);
    assert_eq!(reminders(&stage), 1);
    stage.later(1).step(&[], &[]);
    assert_eq!(reminders(&stage), 2);
}

#[test]
fn after_a_pause_there_is_one_reminder_for_all_that_were_missed() {
    let mut stage = asked_back();
    stage.later(2_000).step(&[], &[]);
    assert_eq!(reminders(&stage), 1);
    stage.later(2_000).step(&[], &[]);
    assert_eq!(reminders(&stage), 1);
}

#[test]
fn of_a_request_that_aws_has_closed_nobody_is_reminded() {
    let mut stage = asked_back();
    let closed = DeskReading::Request {
        request: RequestId::new("req-1"),
        status: RequestStatus::CaseClosed,
        display: Some(DisplayId::new("1234567890")),
    };
    stage.later(60).step(&[], &[closed]);
    stage.later(600).step(&[], &[]);
    assert_eq!(reminders(&stage), 0);
}
