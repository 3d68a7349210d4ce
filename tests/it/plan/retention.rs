//! What is forgotten after long, and what never is.

use bedrock_ops_alert::{
    act::plan::outlived,
    model::{
        action::{Effect, Intent, IntentState},
        book::{Book, Key, Record},
        desk::{Ask, RequestStatus},
        ids::{ActionId, IncidentId, QuotaCode, ReceiverName, RequestId},
        incident::{Cause, Incident},
        rule::{Remedy, Severity},
        time::{DAY, Minute, Timestamp, after},
        units::{Amount, QuotaKind},
    },
};
use std::collections::{BTreeMap, BTreeSet};

use super::{CODE, scope};

fn day(number: i64) -> Timestamp {
    after(Timestamp::UNIX_EPOCH, number * DAY)
}

/// An incident of this cause that ended on this day.
fn incident(code: &str, generation: u32, ended: i64) -> Incident {
    let cause = Cause::Quota {
        scope: scope(),
        code: QuotaCode::new(code),
    };
    Incident {
        id: IncidentId::new(format!("inc-{code}-{generation}")),
        cause,
        generation,
        kind: Some(QuotaKind::Tpm),
        pools: BTreeSet::new(),
        severity: Severity::Warning,
        remedy: Remedy::Notify,
        scenario: None,
        opened: day(ended - 1),
        began: Minute::of(day(ended - 1)),
        last_bad: Minute::of(day(ended)),
        resolved: Some(day(ended)),
        lost: 0.0,
        members: BTreeMap::new(),
        hints: Vec::new(),
        decisions: Vec::new(),
        decisions_dropped: 0,
        spells: Vec::new(),
        messages: 1,
        told: Some(Severity::Warning),
        refusal: None,
    }
}

fn message(incident: &IncidentId, step: u32, created: Timestamp, is_done: bool) -> Intent {
    Intent {
        id: ActionId::new(format!("act-{incident}-{step}")),
        incident: incident.clone(),
        step: format!("notify/{step}"),
        effect: Effect::Notify {
            receiver: ReceiverName::new("on-call"),
            severity: Severity::Info,
            subject: "s".to_owned(),
            body: "b".to_owned(),
            notice: None,
        },
        reasons: Vec::new(),
        created,
        state: if is_done {
            IntentState::Refused {
                at: created,
                why: "no such channel".to_owned(),
            }
        } else {
            IntentState::Sending { at: created }
        },
        attempts: 1,
        approved_by: None,
        last_failure: None,
        approved_at: None,
        declined: 0,
        worded: None,
        revision: 1,
    }
}

fn gone(book: &Book, now: i64) -> Vec<String> {
    let mut names = Vec::new();
    for it in outlived(book, day(now)) {
        match it {
            Record::Remove(Key::Incident(id)) => names.push(id.to_string()),
            Record::Remove(Key::Intent(id)) => names.push(id.to_string()),
            other => assert!(
                matches!(other, Record::Remove(Key::Handling(_))),
                "{other:?}"
            ),
        }
    }
    names
}

#[test]
fn what_ended_more_than_a_year_ago_goes_with_all_that_was_said_about_it() {
    let (old, new) = (incident(CODE, 1, 10), incident(CODE, 2, 300));
    let said = message(&old.id, 1, day(10), true);
    let digest = message(&IncidentId::new("digest-monday"), 1, day(12), true);
    let mut book = Book::default();
    book.apply(vec![
        Record::Incident(old.clone()),
        Record::Incident(new.clone()),
        Record::Intent(said.clone()),
        Record::Intent(message(&new.id, 1, day(300), true)),
        Record::Intent(digest.clone()),
    ]);
    assert_eq!(gone(&book, 409), Vec::<String>::new());
    let first = [old.id.as_str(), said.id.as_str()];
    assert_eq!(gone(&book, 411), first);
    // The other one is the last of its cause: the next one's number follows from it.
    assert_eq!(gone(&book, 5_000), [first[0], first[1], digest.id.as_str()]);
    let removed = outlived(&book, day(5_000));
    book.apply(removed);
    assert_eq!(book.incidents.len(), 1);
    assert_eq!(gone(&book, 5_000), Vec::<String>::new());
}

#[test]
fn what_is_not_settled_stays_however_old_it_is() {
    let mut open = incident("L-OPEN", 1, 10);
    open.resolved = None;
    let (unsent, asked) = (incident("L-UNSENT", 1, 10), incident("L-ASKED", 1, 10));
    let ask = Ask {
        request: RequestId::new("r"),
        action: ActionId::new("act-r"),
        incident: asked.id.clone(),
        scope: scope(),
        code: QuotaCode::new("L-ASKED"),
        kind: QuotaKind::Tpm,
        before: Amount::new(1.0).unwrap(),
        desired: Amount::new(2.0).unwrap(),
        filed: day(9),
        status: RequestStatus::Pending,
        closed: None,
        end: None,
        display: None,
        case: None,
        case_seen: None,
        no_plan: None,
        told_waiting: false,
        waiting: None,
        polled: day(9),
    };
    let mut book = Book::default();
    book.apply(vec![
        Record::Intent(message(&unsent.id, 1, day(10), false)),
        Record::Ask(ask.clone()),
    ]);
    for it in [open, unsent, asked] {
        let later = Incident {
            id: IncidentId::new(format!("{}-later", it.id)),
            generation: 2,
            resolved: Some(day(4_999)),
            ..it.clone()
        };
        book.apply(vec![Record::Incident(it), Record::Incident(later)]);
    }
    assert_eq!(gone(&book, 5_000), Vec::<String>::new());
    let closed = Some(day(11));
    book.apply(vec![Record::Ask(Ask { closed, ..ask })]);
    assert_eq!(gone(&book, 5_000), ["inc-L-ASKED-1"]);
}

/// A noisy year: the oldest go earlier, but nothing of the last quarter.
#[test]
fn of_more_than_ten_thousand_the_oldest_go_first() {
    let mut book = Book::default();
    for number in 0..10_200_u32 {
        let digest = IncidentId::new(format!("digest-{number}"));
        book.apply(vec![Record::Intent(message(
            &digest,
            1,
            day(i64::from(number / 100)),
            true,
        ))]);
    }
    let removed = gone(&book, 150);
    assert_eq!(removed.len(), 200);
    assert!(removed.iter().all(|it| {
        let number: u32 = it.split('-').nth(2).unwrap().parse().unwrap();
        number < 200
    }));
    // All of them are of the last 92 days by then.
    assert_eq!(gone(&book, 92), Vec::<String>::new());
}
