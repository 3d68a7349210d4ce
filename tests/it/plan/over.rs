//! What was over before it was judged: one problem is one incident and one message, and quiet times are not bad ones.

use bedrock_ops_alert::model::alert::Episode;

use super::*;

/// An alert of this rule, on so many minutes ago for so long, over and over, and quiet by now.
fn was(rule: &str, ago: &[(i64, i64)], now: Timestamp) -> Verdict {
    let quiet = verdict(&sonnet(), Category::Quota, AlertState::Normal, now);
    let past = ago.iter().map(|(ago, minutes)| Episode {
        began: Minute::of(now).plus(-ago),
        ended: Minute::of(now).plus(minutes - ago - 1),
        reasons: quiet.reasons.clone(),
    });
    Verdict {
        rule: RuleName::new(rule),
        past: past.collect(),
        ..quiet
    }
}

#[test]
fn two_rules_of_one_quota_are_one_problem_that_was() {
    let mut stage = Stage::new(Mode::File);
    let both = [
        was("tpm-near", &[(620, 590)], stage.now),
        was("tpm-full", &[(610, 541)], stage.now),
    ];
    stage.step(&both, &[]);
    assert_eq!(stage.book.incidents.len(), 1);
    let incident = stage.book.incidents.values().next().unwrap();
    assert_eq!(incident.members.len(), 2);
    assert_eq!(incident.bad_minutes(), 590);
    let told = stage.message("[was]");
    assert_eq!(told.matches("[was]").count(), 1, "{told}");
    assert_eq!(stage.effects("request-quota").len(), 0);
    assert_eq!(stage.later(1).step(&both, &[]), Vec::new(), "told once");
}

/// The milder rule goes on where the graver one comes and goes: what it bridges is one.
#[test]
fn what_one_rule_holds_together_is_one_problem() {
    let mut stage = Stage::new(Mode::File);
    let both = [
        was("tpm-full", &[(1_300, 100), (600, 40), (120, 30)], stage.now),
        was("tpm-near", &[(1_310, 130), (640, 570)], stage.now),
    ];
    stage.step(&both, &[]);
    assert_eq!(stage.book.incidents.len(), 2, "more than three hours apart");
    let bad = stage.book.incidents.values().map(|it| it.bad_minutes());
    let mut bad: Vec<i64> = bad.collect();
    bad.sort_unstable();
    assert_eq!(bad, [130, 570]);
    assert_eq!(stage.message("[was]").matches("[was]").count(), 2);
}

#[test]
fn what_came_back_soon_is_one_incident_whose_quiet_hours_do_not_count() {
    let mut stage = Stage::new(Mode::File);
    let twice = was("tpm-near", &[(400, 27), (278, 44)], stage.now);
    stage.step(&[twice], &[]);
    assert_eq!(stage.book.incidents.len(), 1);
    let incident = stage.book.incidents.values().next().unwrap();
    assert_eq!((incident.bad_minutes(), incident.spells().len()), (71, 2));
    insta::assert_snapshot!("was_twice", stage.message("[was]"));
    let mut stage = Stage::new(Mode::File);
    let apart = was("tpm-near", &[(800, 27), (278, 44)], stage.now);
    stage.step(&[apart], &[]);
    assert_eq!(
        stage.book.incidents.len(),
        2,
        "three hours lie between them"
    );
}

/// A pause of the service in the middle of a problem: what was is not told as over while it is back.
#[test]
fn what_is_back_by_now_is_told_as_one_problem_that_goes_on() {
    let mut stage = Stage::new(Mode::Observe);
    let mut on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    on.past = was("tpm-near", &[(100, 30)], stage.now).past;
    let full = Verdict {
        severity: Severity::Critical,
        ..was("tpm-full", &[(95, 20)], stage.now)
    };
    stage.step(&[on, full], &[]);
    assert_eq!(stage.book.incidents.len(), 1);
    assert_eq!(stage.message("[was]"), "");
    assert_eq!(stage.message("[critical]"), "", "that is over");
    insta::assert_snapshot!("was_and_is", stage.message("[warning]"));
    let mut over = verdict(&sonnet(), Category::Quota, AlertState::Normal, stage.now);
    over.track.since = Minute::of(stage.now);
    stage.later(40).step(&[over], &[]);
    insta::assert_snapshot!("was_and_is_over", stage.message("[resolved]"));
}
