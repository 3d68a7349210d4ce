//! What AWS Support hears once it is over, and when.

use bedrock_ops_alert::{
    act::plan::is_due,
    model::{
        action::{Effect, Intent, IntentState},
        alert::AlertState,
        book::Record,
        desk::{DeskReading, RequestStatus},
        ids::{CaseId, DisplayId, QuotaCode, RequestId},
        outcome::Outcome,
        policy::Mode,
        quota::QuotaChange,
        rule::{Category, Severity},
        time::Minute,
        units::Amount,
    },
};

use super::{CODE, Stage, scope, shortage, sonnet, verdict};

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
        is_due(stage.inputs(&[], &[])),
        "nothing else would bring it"
    );
    stage.step(&[], &[]);
    assert_eq!(stage.effects("comment").len(), 1);
    assert!(!is_due(stage.inputs(&[], &[])));
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

const DISPLAY: &str = "171234567800001";

fn reading(status: RequestStatus) -> [DeskReading; 2] {
    let display = DisplayId::new(DISPLAY);
    [
        DeskReading::Request {
            request: RequestId::new("req-1"),
            status,
            display: Some(display.clone()),
        },
        DeskReading::Case {
            case: CaseId::new("case-9"),
            display,
            status: "work-in-progress".to_owned(),
            is_answered: true,
        },
    ]
}

fn quota_is(stage: &mut Stage, value: f64) {
    let code = QuotaCode::new(CODE);
    let old = stage.book.quotas.get(&(scope(), code.clone()));
    let change = QuotaChange {
        scope: scope(),
        code,
        old: old.and_then(|it| it.applied),
        new: Amount::new(value),
        at: stage.now,
    };
    stage.set_quota(value);
    stage.book.apply(vec![Record::QuotaChange(change)]);
}

fn short(stage: &mut Stage, state: AlertState) {
    let now = verdict(&sonnet(), Category::Quota, state, stage.now);
    stage.step(&[now], &[]);
}

/// A request of ours that AWS granted and left open, with our words in its case; and it is over.
fn granted(mode: Mode, is_wanted: bool) -> Stage {
    let mut stage = Stage::new(Mode::File);
    stage.policy.case_codes.closes_granted = is_wanted;
    shortage(&mut stage);
    short(&mut stage, AlertState::Alerting);
    stage.perform_all();
    short(stage.later(1), AlertState::Alerting);
    stage
        .later(5)
        .step(&[], &reading(RequestStatus::CaseOpened));
    stage.perform_all();
    assert_eq!(stage.effects("comment").len(), 1, "the context");
    quota_is(stage.later(30), 5_000_000.0);
    stage.step(&[], &reading(RequestStatus::CaseOpened));
    assert!(stage.book.asks.values().all(|ask| ask.end.is_some()));
    short(stage.later(40), AlertState::Normal);
    stage.policy.mode = mode;
    stage
}

fn endings(stage: &Stage) -> Vec<Intent> {
    let ends = |it: &&Intent| matches!(it.effect, Effect::EndCase { .. });
    let mut all: Vec<Intent> = stage.book.intents.values().filter(ends).cloned().collect();
    all.sort_by_key(|it| it.effect.name() == "close-case");
    all
}

/// How each of them stands.
fn stands(stage: &Stage) -> Vec<String> {
    let each = endings(stage);
    each.iter()
        .map(|it| format!("{} {}", it.effect.name(), it.state.name()))
        .collect()
}

#[test]
fn what_was_granted_and_left_open_is_thanked_for_and_closed() {
    let mut stage = granted(Mode::File, true);
    stage.later(179).step(&[], &[]);
    assert_eq!(stands(&stage), [""; 0], "it may come back");
    stage.later(1);
    assert!(
        is_due(stage.inputs(&[], &[])),
        "nothing else would bring it"
    );
    stage.step(&[], &[]);
    assert_eq!(stands(&stage), ["thank planned"]);
    stage.later(1).step(&[], &[]);
    assert_eq!(stands(&stage), ["thank planned"], "thanks come first");
    stage.perform_all();
    assert!(is_due(stage.inputs(&[], &[])));
    stage.step(&[], &[]);
    assert_eq!(stands(&stage), ["thank done", "close-case planned"]);
    stage.perform_all();
    assert!(!is_due(stage.inputs(&[], &[])));
    stage
        .later(5)
        .step(&[], &reading(RequestStatus::CaseClosed)[..1]);
    for _ in 0..3 {
        stage.later(1_440).step(&[], &[]);
    }
    assert_eq!(stands(&stage), ["thank done", "close-case done"]);
    let [thanks, close] = &endings(&stage)[..] else {
        panic!("two endings");
    };
    let (
        Effect::EndCase {
            case,
            ours,
            thanks: Some(words),
            ..
        },
        Effect::EndCase { case: closed, .. },
    ) = (&thanks.effect, &close.effect)
    else {
        panic!("thanks, and then the end");
    };
    assert_eq!((case.as_str(), closed), ("case-9", case));
    assert_eq!(*ours, stage.effects("comment")[0].marker());
    assert!(words.starts_with(thanks.marker().as_str()));
    insta::assert_snapshot!("thanks", words);
    assert_eq!(stage.message("[not done]"), "");
}

#[test]
fn nothing_is_closed_unless_it_is_wanted_and_may_be() {
    for (mode, is_wanted) in [(Mode::File, false), (Mode::Observe, true)] {
        let mut stage = granted(mode, is_wanted);
        stage.later(600).step(&[], &[]);
        assert_eq!(stands(&stage), [""; 0], "{mode:?}");
        assert!(!is_due(stage.inputs(&[], &[])));
    }
    let mut stage = granted(Mode::File, true);
    stage.stop = Some(super::stopped::stop());
    stage.later(600).step(&[], &[]);
    assert_eq!(stands(&stage), [""; 0], "writes are stopped");
    stage.stop = None;
    stage.later(1).step(&[], &[]);
    assert_eq!(stands(&stage), ["thank planned"]);
}

#[test]
fn a_person_lets_both_go_or_none() {
    let mut stage = granted(Mode::Propose, true);
    stage.later(180).step(&[], &[]);
    assert_eq!(stands(&stage), ["thank proposed"]);
    insta::assert_snapshot!("may_be_closed", stage.message("[may be closed]"));
    let thanks = endings(&stage)[0].approved("Kim", stage.now).unwrap();
    stage.book.apply(vec![Record::Intent(thanks)]);
    stage.perform_all();
    stage.later(1).step(&[], &[]);
    assert_eq!(stands(&stage), ["thank done", "close-case planned"]);
    assert!(!endings(&stage)[1].lacks_word(Mode::Propose));
    // Nobody says anything.
    let mut stage = granted(Mode::Propose, true);
    stage.later(180).step(&[], &[]);
    let expired = endings(&stage)[0].refused("nobody approved it in time", stage.now);
    stage.book.apply(vec![Record::Intent(expired)]);
    stage.later(1).step(&[], &[]);
    stage.later(1_440).step(&[], &[]);
    assert_eq!(stands(&stage), ["thank refused"]);
    assert_eq!(stage.message("[not done]"), "", "an open case does no harm");
}

#[test]
fn a_case_that_stays_open_is_told_and_wakes_nobody() {
    let mut stage = granted(Mode::File, true);
    stage.later(180).step(&[], &[]);
    let why = "somebody else has written in case case-9: it is theirs to close".to_owned();
    let refused = Outcome::Never { why };
    let thanks = endings(&stage)[0].begun(stage.now);
    let thanks = thanks.after(&refused, stage.now);
    stage.book.apply(vec![Record::Intent(thanks)]);
    stage.later(1).step(&[], &[]);
    stage.later(1_440).step(&[], &[]);
    let told = stage.message("[not done]");
    assert!(told.contains("it is theirs to close"), "{told}");
    assert_eq!(
        stands(&stage),
        ["thank refused"],
        "nor closed without thanks"
    );
    let loud = stage
        .effects("notify")
        .into_iter()
        .filter(|it| match &it.effect {
            Effect::Notify {
                subject, severity, ..
            } => subject.starts_with("[not done]") && Severity::Info < *severity,
            _ => false,
        });
    assert_eq!(loud.count(), 0);
}

#[test]
fn a_request_of_others_and_one_that_aws_has_closed_are_left_alone() {
    let mut closed = granted(Mode::File, true);
    closed.step(&[], &reading(RequestStatus::CaseClosed));
    closed.later(600).step(&[], &[]);
    assert_eq!(stands(&closed), [""; 0]);
    let mut theirs = Stage::new(Mode::File);
    theirs.policy.case_codes.closes_granted = true;
    shortage(&mut theirs);
    short(&mut theirs, AlertState::Alerting);
    let request = theirs.effects("request-quota")[0].begun(theirs.now);
    let adopted = Outcome::Theirs {
        reference: "req-1".to_owned(),
        desired: Amount::new(1_100_000.0).unwrap(),
    };
    let adopted = request.after(&adopted, theirs.now);
    theirs.book.apply(vec![Record::Intent(adopted)]);
    theirs
        .later(5)
        .step(&[], &reading(RequestStatus::CaseOpened));
    quota_is(theirs.later(30), 5_000_000.0);
    theirs.step(&[], &reading(RequestStatus::CaseOpened));
    short(theirs.later(40), AlertState::Normal);
    theirs.later(600).step(&[], &[]);
    assert_eq!(stands(&theirs), [""; 0]);
}

#[test]
fn a_value_that_does_not_hold_or_is_short_again_closes_nothing() {
    let mut taken_back = granted(Mode::File, true);
    quota_is(taken_back.later(100), 1_000_000.0);
    taken_back.later(200).step(&[], &[]);
    assert_eq!(stands(&taken_back), [""; 0]);
    quota_is(&mut taken_back, 5_000_000.0);
    taken_back.later(179).step(&[], &[]);
    assert_eq!(stands(&taken_back), [""; 0], "it has to hold anew");
    taken_back.later(1).step(&[], &[]);
    assert_eq!(stands(&taken_back), ["thank planned"]);
    let mut again = granted(Mode::File, true);
    again.later(181);
    let now = Minute::of(again.now);
    again.feed(&sonnet(), now.plus(-8), &[(600.0, 60.0, 4_900_000.0); 8]);
    short(&mut again, AlertState::Alerting);
    assert!(again.book.incidents.values().any(|it| it.is_open()));
    assert_eq!(
        stands(&again).len(),
        1,
        "both in one plan: the thanks were decided first"
    );
    again.perform_all();
    again.later(1).step(&[], &[]);
    assert_eq!(
        stands(&again),
        ["thank done"],
        "it is short again: the case stays open"
    );
}

/// A quota that Service Quotas doesn't raise: the case is of our own, and its value is known from what we asked.
#[test]
fn a_case_of_our_own_about_a_value_is_closed_once_it_is_there() {
    let mut stage = Stage::new(Mode::File);
    stage.policy.case_codes.closes_granted = true;
    shortage(&mut stage);
    let key = (scope(), QuotaCode::new(CODE));
    let set_fixed = |stage: &mut Stage| {
        let mut quota = stage.book.quotas[&key].clone();
        quota.adjustable = false;
        stage.book.apply(vec![Record::Quota(quota)]);
    };
    set_fixed(&mut stage);
    short(&mut stage, AlertState::Alerting);
    let Effect::OpenCase {
        desired: Some(desired),
        ..
    } = stage.effects("open-case")[0].effect
    else {
        panic!("a case about a value");
    };
    stage.perform_all();
    short(stage.later(1), AlertState::Alerting);
    short(stage.later(40), AlertState::Normal);
    quota_is(stage.later(30), desired.get() - 1.0);
    stage.later(600).step(&[], &[]);
    assert_eq!(stands(&stage), [""; 0], "not what we asked for");
    quota_is(&mut stage, desired.get());
    stage.later(180).step(&[], &[]);
    assert_eq!(stands(&stage), ["thank planned"]);
    let Effect::EndCase { case, ours, .. } = &endings(&stage)[0].effect else {
        panic!("an ending");
    };
    assert_eq!(case.as_str(), "case-1");
    assert_eq!(*ours, stage.effects("open-case")[0].marker());
    let is_done = |it: &Intent| matches!(it.state, IntentState::Done { .. });
    stage.perform_all();
    stage.later(1).step(&[], &[]);
    assert!(endings(&stage).iter().any(is_done));
}
