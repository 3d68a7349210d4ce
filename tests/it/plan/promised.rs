//! No message promises what is refused, and each says what is open at AWS: nobody asks a second time.

use bedrock_ops_alert::model::{
    action::{Effect, Intent},
    alert::AlertState,
    book::Record,
    desk::{DeskReading, RequestStatus},
    ids::{CaseId, DisplayId, RequestId},
    outcome::Outcome,
    policy::Mode,
    rule::Category,
    time::Minute,
    units::Amount,
};

use super::{Stage, flap::words, sonnet, verdict};

fn step(stage: &mut Stage, minutes: i64, desk: &[DeskReading]) {
    stage.later(minutes);
    let from = Minute::of(stage.now).plus(-8);
    stage.feed(&sonnet(), from, &[(600.0, 0.0, 900_000.0); 8]);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], desk);
}

fn no_promise(stage: &Stage) {
    for word in ["[warning]", "[nothing asked]", "[resolved]"] {
        let said = stage.message(word);
        assert!(!said.contains("AWS's limits allow it"), "{said}");
    }
}

/// What applies is below AWS's default, as in most young accounts: the mandate ends before anything may be asked.
fn young(mode: Mode) -> Stage {
    let mut stage = Stage::new(mode);
    let mut quota = stage.book.quotas.values().next().unwrap().clone();
    quota.default = Amount::new(10_000_000.0);
    stage.book.apply(vec![Record::Quota(quota)]);
    stage
}

#[test]
fn the_first_message_says_why_nothing_is_asked_and_what_changes_that() {
    for mode in [Mode::File, Mode::Propose] {
        let mut stage = young(mode);
        step(&mut stage, 0, &[]);
        assert!(stage.effects("request-quota").is_empty());
        insta::assert_snapshot!("refused", stage.message("[warning]"));
        no_promise(&stage);
        let refusal = stage.book.incidents.values().next().unwrap();
        assert!(refusal.refusal.as_ref().unwrap().is_told);
        step(&mut stage, 1, &[]);
        assert_eq!(words(&stage), ["warning"], "once");
        step(&mut stage, 240, &[]);
        let still = stage.message("[warning] ");
        assert_eq!(
            still.matches("the mandate ends at 3,000,000").count(),
            2,
            "{still}"
        );
        no_promise(&stage);
    }
}

#[test]
fn the_first_message_says_what_is_asked() {
    let mut stage = Stage::new(Mode::File);
    step(&mut stage, 0, &[]);
    let said = stage.message("[warning]");
    let asked = "AWS is asked for 1,500,000 on L-15B8E632 now.";
    assert!(said.contains(asked), "{said}");
}

/// What was held up for now will not come at all: whoever waited for it hears that, once.
#[test]
fn a_promise_that_is_not_kept_is_taken_back_in_one_message() {
    let mut stage = young(Mode::File);
    let mut quota = stage.book.quotas.values().next().unwrap().clone();
    quota.stale = Some("throttled".to_owned());
    stage.book.apply(vec![Record::Quota(quota.clone())]);
    step(&mut stage, 0, &[]);
    let said = stage.message("[warning]");
    assert!(said.contains("its last read failed (throttled)"), "{said}");
    quota.stale = None;
    stage.book.apply(vec![Record::Quota(quota)]);
    step(&mut stage, 15, &[]);
    assert_eq!(words(&stage), ["warning", "nothing asked"]);
    insta::assert_snapshot!("taken_back", stage.message("[nothing asked]"));
    step(&mut stage, 1, &[]);
    step(&mut stage, 1, &[]);
    assert_eq!(words(&stage), ["warning", "nothing asked"], "once");
    stage.policy.budgets.highest_factor = 100.0;
    step(&mut stage, 1, &[]);
    assert_eq!(stage.effects("request-quota").len(), 1);
    let incident = stage.book.incidents.values().next().unwrap();
    assert_eq!(incident.refusal, None);
}

fn reading(status: RequestStatus) -> DeskReading {
    DeskReading::Request {
        request: RequestId::new("req-1"),
        status,
        display: Some(DisplayId::new("1234567890")),
    }
}

/// What the newest message says of what comes next.
fn last_line(stage: &Stage) -> String {
    let told = stage.effects("notify").into_iter();
    let of_incident = told.filter(|it| {
        matches!(&it.effect, Effect::Notify { subject, .. } if subject.starts_with("[warning]"))
    });
    let newest = of_incident.max_by_key(|it| it.order()).unwrap();
    match &newest.effect {
        Effect::Notify { body, .. } => body.lines().rev().nth(1).unwrap().to_owned(),
        _ => String::new(),
    }
}

#[test]
fn reminders_begin_with_what_is_open_at_aws() {
    let mut stage = Stage::new(Mode::File);
    step(&mut stage, 0, &[]);
    stage.perform_all();
    step(&mut stage, 5, &[reading(RequestStatus::CaseOpened)]);
    stage.perform_all();
    step(&mut stage, 240, &[]);
    insta::assert_snapshot!("open", last_line(&stage));
    let waits = DeskReading::Case {
        is_answered: true,
        case: CaseId::new("case-9"),
        display: DisplayId::new("1234567890"),
        status: "pending-customer-action".to_owned(),
    };
    step(&mut stage, 10, &[waits]);
    step(&mut stage, 480, &[]); // a reminder that AWS waits stands for the one of the incident
    step(&mut stage, 240, &[]);
    insta::assert_snapshot!("waits_for_us", last_line(&stage));
    step(&mut stage, 10, &[reading(RequestStatus::CaseClosed)]);
    step(&mut stage, 1_440, &[]);
    insta::assert_snapshot!("closed", last_line(&stage));
    no_promise(&stage);
}

#[test]
fn reminders_say_that_aws_has_not_taken_it() {
    let mut stage = Stage::new(Mode::File);
    step(&mut stage, 0, &[]);
    let request: Intent = stage.effects("request-quota")[0].clone();
    let full = Outcome::NotYet {
        why: "two requests are open in us-east-1".to_owned(),
        wait_minutes: 600,
    };
    let waits = request.begun(stage.now).after(&full, stage.now);
    let tried = request.begun(stage.now);
    stage.book.apply(vec![Record::Intent(tried)]);
    stage.book.apply(vec![Record::Intent(waits)]);
    step(&mut stage, 240, &[]);
    step(&mut stage, 240, &[]);
    insta::assert_snapshot!("not_taken", last_line(&stage));
}
