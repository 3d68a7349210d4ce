//! What comes and goes: how often people hear of it, and whether they may believe what they heard last.

use bedrock_ops_alert::model::{
    action::Effect,
    alert::{AlertState, Verdict},
    policy::Mode,
    receiver::Flag,
    rule::{Category, Severity},
    time::{Minute, Timestamp},
};

use super::{Stage, sonnet, verdict};

fn anomaly(state: AlertState, now: Timestamp) -> Verdict {
    let mut it = verdict(&sonnet(), Category::Anomaly, state, now);
    it.severity = Severity::Critical;
    it.remedy = bedrock_ops_alert::model::rule::Remedy::Notify;
    it
}

/// The words of all messages so far, in their order.
pub(super) fn words(stage: &Stage) -> Vec<String> {
    let mut told: Vec<(Timestamp, u32, String)> = stage
        .effects("notify")
        .into_iter()
        .filter_map(|intent| match &intent.effect {
            Effect::Notify { subject, .. } => {
                let number = intent.step.split('/').nth(1)?.parse().ok()?;
                let word = subject.split(']').next()?.trim_start_matches('[');
                Some((intent.created, number, word.to_owned()))
            }
            _ => None,
        })
        .collect();
    told.sort();
    told.into_iter().map(|(_, _, word)| word).collect()
}

/// On for ten minutes, off for half an hour, as often as that.
fn flap(stage: &mut Stage, times: usize) {
    for _ in 0..times {
        stage.step(&[anomaly(AlertState::Alerting, stage.now)], &[]);
        stage.later(10);
        let mut over = anomaly(AlertState::Normal, stage.now);
        over.track.since = Minute::of(stage.now);
        stage.later(20).step(&[over], &[]);
        stage.later(10);
    }
}

/// Pitfall: 205 alarm transitions in five days.
#[test]
fn what_comes_and_goes_is_not_told_at_every_end() {
    let mut stage = Stage::new(Mode::Observe);
    flap(&mut stage, 5);
    assert_eq!(stage.book.incidents.len(), 1, "one incident");
    // "Resolved" is never the last word while it may come back as the same incident.
    assert_eq!(words(&stage), ["critical", "resolved", "critical"]);
    insta::assert_snapshot!("back", back(&stage));
    stage.later(169).step(&[], &[]);
    assert_eq!(words(&stage).len(), 3, "it may still come back");
    assert!(plan_is_due(&stage, 1), "time alone brings the end");
    stage.later(1).step(&[], &[]);
    assert_eq!(words(&stage).last().map(String::as_str), Some("resolved"));
    assert_eq!(words(&stage).len(), 4);
    insta::assert_snapshot!(
        "quiet",
        stage.message("[resolved]").split("---").last().unwrap()
    );
    stage.later(1).step(&[], &[]);
    assert!(stage.book.handlings.is_empty(), "nothing is left to tell");
    flap(&mut stage, 1);
    assert_eq!(
        stage.book.incidents.len(),
        2,
        "three hours later it is another incident"
    );
}

fn back(stage: &Stage) -> String {
    let told = stage.message("[critical]");
    let back = told.split("\n---\n").find(|it| it.contains("(back"));
    back.unwrap().to_owned()
}

fn plan_is_due(stage: &Stage, minutes: i64) -> bool {
    use bedrock_ops_alert::act::plan::{Inputs, is_due};
    let inputs = stage.inputs(&[], &[]);
    let later = bedrock_ops_alert::model::time::after(stage.now, minutes);
    !is_due(inputs)
        && is_due(Inputs {
            now: later,
            ..inputs
        })
}

/// Pitfall: no recovery, no reminder.
#[test]
fn what_goes_on_is_told_again_and_ever_more_rarely() {
    let mut stage = Stage::new(Mode::Observe);
    let mut at = Vec::new();
    for minute in 0..4_000 {
        stage.now = bedrock_ops_alert::model::time::after(super::noon(), minute);
        let before = words(&stage).len();
        if minute % 10 == 0 {
            stage.step(&[anomaly(AlertState::Alerting, stage.now)], &[]);
        }
        if before < words(&stage).len() {
            at.push(minute / 60);
        }
    }
    // After 4, 8, 16 and then always 24 hours.
    assert_eq!(at, [0, 4, 12, 28, 52]);
    assert!(stage.message("[critical]").contains("(still)"));
    let messages = stage.effects("notify").into_iter();
    let reminders = messages.filter(|it| super::flags(it).contains(&Flag::Reminder));
    assert_eq!(reminders.count(), 4);
}

/// Pitfall: once in alarm, a later and worse cause makes no message.
#[test]
fn what_comes_back_worse_is_told_as_worse() {
    let mut stage = Stage::new(Mode::Observe);
    let mild = |state, now| Verdict {
        severity: Severity::Warning,
        ..anomaly(state, now)
    };
    stage.step(&[mild(AlertState::Alerting, stage.now)], &[]);
    stage.later(40);
    stage.step(&[mild(AlertState::Normal, stage.now)], &[]);
    stage.later(10);
    stage.step(&[anomaly(AlertState::Alerting, stage.now)], &[]);
    assert_eq!(words(&stage), ["warning", "resolved", "critical"]);
    stage.later(40);
    stage.step(&[mild(AlertState::Normal, stage.now)], &[]);
    stage.later(10);
    stage.step(&[anomaly(AlertState::Alerting, stage.now)], &[]);
    assert_eq!(
        words(&stage).len(),
        3,
        "its end was not told, so nothing is new"
    );
}
