//! Messages that nobody could be told for long: which of them are taken back.

use std::collections::BTreeSet;

use bedrock_ops_alert::{
    act::plan::overtaken,
    model::{
        action::{Effect, Intent, IntentState},
        book::{Book, Record},
        ids::{AccountId, ActionId, IncidentId, QuotaCode, ReceiverName, Region, Scope},
        incident::Cause,
        policy::{Mode, Policy},
        receiver::{Fallback, Flag, Notice, Phase},
        rule::Severity,
        time::{Minute, Timestamp, after},
    },
};

use super::policy;

/// A message that waits: the incident, its number, the minute it was decided, what it is.
fn message(incident: u32, number: u32, minute: i64, phase: Phase, flags: &[Flag]) -> Intent {
    let cause = Cause::Quota {
        scope: Scope {
            account: AccountId::new("111122223333"),
            region: Region::new("us-east-1"),
        },
        code: QuotaCode::new("L-15B8E632"),
    };
    let notice = Notice {
        phase,
        number,
        severity: Severity::Critical,
        title: "a quota".to_owned(),
        cause,
        kind: None,
        pools: BTreeSet::new(),
        began: Minute(0),
        resolved: None,
        links: Vec::new(),
        flags: flags.iter().copied().collect(),
        teams: BTreeSet::new(),
    };
    let incident = IncidentId::new(format!("inc-{incident:05}"));
    let step = format!("message/{number}/oncall");
    let created = after(start(), minute);
    Intent {
        id: ActionId::derive(&incident, &step),
        incident,
        step,
        effect: Effect::Notify {
            receiver: ReceiverName::new("oncall"),
            severity: Severity::Critical,
            subject: "[critical] a quota".to_owned(),
            body: "A quota.".to_owned(),
            notice: Some(Box::new(notice)),
        },
        reasons: Vec::new(),
        created,
        state: IntentState::Planned {
            not_before: created,
        },
        attempts: 3,
        approved_by: None,
        last_failure: None,
        approved_at: None,
        declined: 0,
        worded: None,
        revision: 1,
    }
}

fn start() -> Timestamp {
    "2026-01-05T00:00:00Z".parse().unwrap()
}

/// The steps that are taken back at this minute.
fn gone(intents: &[Intent], minute: i64) -> Vec<String> {
    gone_by(&policy(Mode::Observe), intents, minute)
}

fn gone_by(policy: &Policy, intents: &[Intent], minute: i64) -> Vec<String> {
    let mut book = Book::default();
    book.apply(intents.iter().cloned().map(Record::Intent).collect());
    let gone = overtaken(&book, policy, after(start(), minute));
    let mut steps: Vec<String> = gone
        .iter()
        .map(|it| format!("{} {}", it.incident, it.step))
        .collect();
    steps.sort();
    steps
}

/// What a fallback is to be told in its place does not go before that.
#[test]
fn a_patient_fallback_is_told_before_anything_is_taken_back() {
    let opened = message(1, 1, 0, Phase::Opened, &[]);
    let updated = message(1, 2, 50, Phase::Updated, &[]);
    let all = [opened, updated];
    let mut policy = policy(Mode::Observe);
    let fallback = Fallback {
        receiver: ReceiverName::new("team"),
        after_minutes: 180,
    };
    policy
        .fallbacks
        .insert(ReceiverName::new("oncall"), fallback);
    assert!(gone_by(&policy, &all, 179).is_empty());
    assert_eq!(gone_by(&policy, &all, 180).len(), 1);
}

#[test]
fn the_newest_stands_for_those_before_it_once_both_are_late() {
    let opened = message(1, 1, 0, Phase::Opened, &[]);
    let updated = message(1, 2, 50, Phase::Updated, &[Flag::Reminder]);
    let resolved = message(1, 3, 100, Phase::Resolved, &[]);
    let all = [opened.clone(), updated, resolved];
    let first = "inc-00001 message/1/oncall".to_owned();
    assert!(gone(&all[..1], 10_000).is_empty(), "nothing stands for it");
    assert!(gone(&all[..2], 59).is_empty());
    assert!(gone(&all[..2], 79).is_empty(), "the newer one is not late");
    assert_eq!(gone(&all[..2], 80), std::slice::from_ref(&first));
    let both = [first, "inc-00001 message/2/oncall".to_owned()];
    assert_eq!(gone(&all, 130), both);
    let other = message(2, 2, 100, Phase::Resolved, &[]);
    assert!(
        gone(&[opened, other], 10_000).is_empty(),
        "another incident"
    );
}

#[test]
fn what_asks_for_a_word_is_sent_and_what_is_no_whole_story_stands_for_nothing() {
    let all = [
        message(1, 1, 0, Phase::Opened, &[]),
        message(1, 2, 1, Phase::Updated, &[Flag::Proposal]),
        message(1, 3, 2, Phase::Note, &[]),
        Intent {
            state: IntentState::Sending { at: start() },
            ..message(1, 4, 3, Phase::Updated, &[])
        },
        message(1, 5, 4, Phase::Resolved, &[]),
    ];
    assert_eq!(gone(&all, 10_000), ["inc-00001 message/1/oncall"]);
    let note = message(1, 6, 5, Phase::Note, &[]);
    let resolved = all[4].clone();
    assert!(gone(&[resolved, note], 10_000).is_empty());
}

#[test]
fn no_more_than_a_thousand_wait_for_one_receiver() {
    let all: Vec<Intent> = (0..1_003)
        .map(|number| message(number, 1, i64::from(number), Phase::Resolved, &[]))
        .collect();
    let oldest = [0, 1, 2].map(|number| format!("inc-{number:05} message/1/oncall"));
    assert_eq!(gone(&all, 2_000), oldest);
}
