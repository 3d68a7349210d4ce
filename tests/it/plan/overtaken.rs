//! The value of a quota moves while something about it is under way: by AWS, before it closes the request, or by hand.

use bedrock_ops_alert::model::{
    action::{Effect, Intent, IntentState},
    alert::{AlertState, Verdict},
    book::Record,
    desk::{AskEnd, DeskReading, RequestStatus},
    ids::{CaseId, DisplayId, QuotaCode, RequestId},
    order::Command,
    outcome::Outcome,
    policy::Mode,
    quota::QuotaChange,
    rule::Category,
    time::Minute,
    units::Amount,
};

use super::{Stage, shortage, sonnet, verdict};

fn short(stage: &Stage) -> Verdict {
    verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now)
}

/// A shortage, for which `req-1` was filed and is followed.
fn asked() -> Stage {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    stage.step(&[short(&stage)], &[]);
    stage.perform_all();
    stage.later(1);
    stage.step(&[short(&stage)], &[]);
    stage
}

fn requests(stage: &Stage) -> Vec<Intent> {
    let requests = stage.effects("request-quota").into_iter();
    requests.cloned().collect()
}

/// Another one would only be told that this one exists: each minute, until the day's budget is gone.
#[test]
fn nothing_is_asked_while_a_request_that_was_granted_is_open_at_aws() {
    let mut stage = asked();
    let reading = |status| DeskReading::Request {
        request: RequestId::new("req-1"),
        status,
        display: None,
    };
    let opened = [reading(RequestStatus::CaseOpened)];
    stage.later(5);
    stage.step(&[short(&stage)], &opened);
    stage.set_quota(1_500_000.0);
    stage.later(30).step(&[], &[]);
    assert!(stage.book.asks.values().all(|ask| ask.end.is_some()));
    let ask_again = |stage: &mut Stage, minutes: i64, readings: &[DeskReading]| {
        stage.later(minutes);
        let from = Minute::of(stage.now).plus(-8);
        stage.feed(&sonnet(), from, &[(600.0, 90.0, 2_400_000.0); 8]);
        let on = short(stage);
        stage.step(&[on], readings);
        requests(stage).len()
    };
    assert_eq!(ask_again(&mut stage, 60, &[]), 1, "it is still open at AWS");
    assert_eq!(
        ask_again(&mut stage, 5, &opened),
        1,
        "and was looked at again"
    );
    let why = stage.decisions().join("\n");
    assert!(why.contains("AWS has not closed request req-1"), "{why}");
    let closed = [reading(RequestStatus::CaseClosed)];
    assert_eq!(
        ask_again(&mut stage, 5, &closed),
        2,
        "refused requests are new evidence"
    );
}

#[test]
fn what_the_value_has_overtaken_is_not_approved() {
    let mut stage = Stage::new(Mode::Propose);
    shortage(&mut stage);
    stage.step(&[short(&stage)], &[]);
    let action = requests(&stage)[0].id.clone();
    stage.set_quota(1_600_000.0);
    let approve = Command::Approve {
        action,
        value: None,
    };
    let why = stage.say(None, approve).unwrap_err();
    let says = "L-15B8E632 is 1,600,000 by now, and 1,500,000 is not more: reject act-";
    assert!(why.starts_with(says), "{why}");
}

#[test]
fn what_the_value_has_overtaken_is_taken_back_and_blocks_nothing() {
    for mode in [Mode::File, Mode::Propose] {
        let mut stage = Stage::new(mode);
        shortage(&mut stage);
        stage.step(&[short(&stage)], &[]);
        if mode == Mode::File {
            let full = Outcome::NotYet {
                why: "AWS takes two requests a Region".to_owned(),
                wait_minutes: 60,
            };
            let tried = requests(&stage)[0].begun(stage.now);
            let waits = tried.after(&full, stage.now);
            assert!(matches!(waits.state, IntentState::Planned { .. }));
            stage.book.apply(vec![Record::Intent(waits)]);
        }
        stage.set_quota(1_600_000.0);
        stage.later(10).step(&[], &[]);
        let state = &requests(&stage)[0].state;
        assert!(
            matches!(state, IntentState::Refused { why, .. } if why.contains("1,600,000")),
            "{state:?}"
        );
        stage.later(60);
        let from = Minute::of(stage.now).plus(-8);
        stage.feed(&sonnet(), from, &[(600.0, 90.0, 2_400_000.0); 8]);
        let on = short(&stage);
        stage.step(&[on], &[]);
        let all = requests(&stage);
        assert_eq!(all.len(), 2, "{mode:?}: {:#?}", stage.decisions());
        let above = |it: &Intent| desired(it).is_some_and(|it| 1_600_000.0 < it.get());
        assert!(all.iter().any(above), "{all:#?}");
    }
}

fn desired(intent: &Intent) -> Option<Amount> {
    match &intent.effect {
        Effect::RequestQuota { desired, .. } => Some(*desired),
        Effect::Notify { .. }
        | Effect::OpenCase { .. }
        | Effect::Comment { .. }
        | Effect::EndCase { .. } => None,
    }
}

/// A question that was answered waits for nobody, and the next one is told as the first was.
#[test]
fn each_question_of_aws_is_told_and_an_answered_one_waits_no_more() {
    let mut stage = asked();
    let display = DisplayId::new("171234567800001");
    let case = |status: &str| {
        [
            DeskReading::Request {
                request: RequestId::new("req-1"),
                status: RequestStatus::CaseOpened,
                display: Some(display.clone()),
            },
            DeskReading::Case {
                case: CaseId::new("case-9"),
                display: display.clone(),
                status: status.to_owned(),
                is_answered: true,
            },
        ]
    };
    let mut seen = Vec::new();
    for status in ["opened", WAITS, WAITS, "work-in-progress", WAITS] {
        stage.later(5);
        stage.step(&[short(&stage)], &case(status));
        let waits = stage.book.asks.values().any(|it| it.told_waiting);
        let told = super::flap::words(&stage);
        seen.push((waits, told.iter().filter(|it| it.contains("waits")).count()));
    }
    assert_eq!(
        seen,
        [(false, 0), (true, 1), (true, 1), (false, 1), (true, 2)]
    );
}

const WAITS: &str = "pending-customer-action";

/// The answer to a request got lost, and AWS granted a part before a look found it: it is no refusal.
#[test]
fn a_part_that_came_before_the_receipt_is_a_part() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let on = short(&stage);
    stage.step(&[on], &[]);
    let intent = requests(&stage)[0].clone();
    let lost = Outcome::InDoubt {
        why: "no answer".to_owned(),
    };
    // What was read in the cycle of the decision was known to it.
    let known = QuotaChange {
        scope: sonnet().scope,
        code: intent_code(&intent),
        old: Amount::new(700_000.0),
        new: Amount::new(1_000_000.0),
        at: intent.created,
    };
    stage.book.apply(vec![Record::QuotaChange(known)]);
    let begun = intent.begun(stage.now);
    let unknown = begun.after(&lost, stage.now);
    stage.book.apply(vec![Record::Intent(unknown.clone())]);
    stage.later(20);
    let key = (sonnet().scope, intent_code(&intent));
    let old = stage.book.quotas.get(&key).unwrap().applied;
    stage.set_quota(1_200_000.0);
    let change = QuotaChange {
        scope: key.0.clone(),
        code: key.1.clone(),
        old,
        new: Amount::new(1_200_000.0),
        at: stage.now,
    };
    stage.book.apply(vec![Record::QuotaChange(change)]);
    let found = Outcome::Done {
        reference: "req-1".to_owned(),
    };
    stage
        .book
        .apply(vec![Record::Intent(unknown.after(&found, stage.now))]);
    let closed = DeskReading::Request {
        request: RequestId::new("req-1"),
        status: RequestStatus::CaseClosed,
        display: None,
    };
    stage.later(1).step(&[], &[]);
    stage.later(1).step(&[], &[closed]);
    let ask = stage.book.asks.values().next().unwrap();
    let value = Amount::new(1_200_000.0).unwrap();
    assert_eq!(Some(ask.before), Amount::new(1_000_000.0));
    assert_eq!(
        ask.end.as_ref().map(|(end, _)| end),
        Some(&AskEnd::PartlyGranted { value })
    );

    // The day that was asked on is known to AWS: it is asked again once a day of its own says so.
    let ask_again = |stage: &mut Stage, minutes: i64| {
        stage.later(minutes);
        let from = Minute::of(stage.now).plus(-1_440);
        stage.feed(&sonnet(), from, &[(600.0, 0.0, 1_150_000.0); 1_440]);
        let on = short(stage);
        stage.step(&[on], &[]);
        requests(stage).len()
    };
    assert_eq!(ask_again(&mut stage, 10), 1, "{:#?}", stage.decisions());
    assert_eq!(ask_again(&mut stage, 1_440), 2, "{:#?}", stage.decisions());
}

fn intent_code(intent: &Intent) -> QuotaCode {
    let Effect::RequestQuota { code, .. } = &intent.effect else {
        return QuotaCode::new("none");
    };
    code.clone()
}
