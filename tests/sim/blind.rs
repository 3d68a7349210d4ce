//! Accounts that let nobody in, or don't answer: people hear that nobody watches there, once, and when it is over.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::time::Duration;

use bedrock_ops_alert::{
    model::{
        action::Effect,
        ids::{AccountId, SilenceId},
        policy::Mode,
        rule::Severity,
        selector::{Selector, Written},
        sight::STEP,
        silence::Silence,
        time::after,
    },
    sim::World,
};

use crate::support::Stage;

fn other() -> AccountId {
    AccountId::new("444455556666")
}

/// A healthy world of two accounts that both have pools, after its first minutes.
async fn stage() -> Stage {
    let has_both = |seed: &u64| {
        let world = World::random(*seed).unwrap();
        let is_in =
            |account: &AccountId| world.targets.iter().any(|it| it.scope.account == *account);
        is_in(&other()) && is_in(&world.first_account())
    };
    let mut stage = Stage::new((0..100).find(has_both).unwrap(), Mode::Observe);
    stage.heal();
    stage.run_minutes(20).await;
    stage
}

/// What people were told of places that are not seen, in order.
fn told(stage: &Stage) -> Vec<(Severity, String)> {
    let book = stage.shared().book();
    let messages = book.intents.values().filter(|it| it.step.starts_with(STEP));
    let mut messages: Vec<_> = messages.collect();
    messages.sort_by_key(|it| (it.created, it.step.clone()));
    let words = messages.into_iter().filter_map(|it| match &it.effect {
        Effect::Notify {
            severity, subject, ..
        } => Some((*severity, subject.clone())),
        Effect::RequestQuota { .. }
        | Effect::OpenCase { .. }
        | Effect::Comment { .. }
        | Effect::EndCase { .. } => None,
    });
    words.collect()
}

/// How many messages begin so.
fn count(stage: &Stage, beginning: &str) -> usize {
    let told = told(stage);
    told.iter()
        .filter(|(_, subject)| subject.starts_with(beginning))
        .count()
}

#[tokio::test]
async fn a_refused_role_is_told_once_whatever_restarts_and_once_when_it_lets_us_in_again() {
    let mut stage = stage().await;
    stage.refuse([other()]);
    stage.run_minutes(14).await;
    assert_eq!(told(&stage), [], "it may be over in a minute");
    stage.run_minutes(4).await;
    let first = told(&stage);
    let [(Severity::Warning, subject)] = first.as_slice() else {
        panic!("{first:?}");
    };
    assert!(subject.starts_with("[blind] "), "{subject}");
    assert!(
        subject.contains("not watched: AccessDenied at "),
        "{subject}"
    );
    for _ in 0..5 {
        stage.restart();
        stage.run_minutes(20).await;
    }
    assert_eq!(told(&stage), first);
    stage.refuse([]);
    stage.run_minutes(15).await;
    let all = told(&stage);
    let [_, (Severity::Info, subject)] = all.as_slice() else {
        panic!("{all:?}");
    };
    assert!(subject.contains("watched again"), "{subject}");
    stage.run_minutes(300).await;
    assert_eq!(told(&stage), all);
}

#[tokio::test]
async fn a_service_that_is_started_again_and_again_tells_it_all_the_same() {
    let mut stage = stage().await;
    stage.refuse([other()]);
    for _ in 0..6 {
        stage.restart();
        stage.run_minutes(5).await;
    }
    assert_eq!(told(&stage).len(), 1, "{:?}", told(&stage));
}

#[tokio::test]
async fn what_stays_lost_is_told_again_as_rarely_as_an_incident() {
    let mut stage = stage().await;
    stage.refuse([other()]);
    stage.run_cycles(24 * 20, 3).await;
    // After 4 and 8 hours, and 12 hours are left.
    assert_eq!(count(&stage, "[blind] reminder: "), 2, "{:?}", told(&stage));
    assert_eq!(told(&stage).len(), 3);
}

#[tokio::test]
async fn what_comes_and_goes_is_told_as_lost_and_seen_once() {
    let mut stage = stage().await;
    for _ in 0..6 {
        stage.refuse([other()]);
        stage.run_minutes(20).await;
        stage.refuse([]);
        stage.run_minutes(12).await;
    }
    let words: Vec<bool> = told(&stage)
        .iter()
        .map(|(_, subject)| subject.contains("watched again"))
        .collect();
    assert_eq!(words, [false, true, false], "{:?}", told(&stage));
    stage.run_minutes(200).await;
    assert_eq!(told(&stage).len(), 4, "{:?}", told(&stage));
}

#[tokio::test]
async fn what_fails_for_a_minute_now_and_then_is_not_lost() {
    let mut stage = stage().await;
    for _ in 0..8 {
        stage.refuse([other()]);
        stage.run_minutes(8).await;
        stage.refuse([]);
        stage.run_minutes(6).await;
    }
    assert_eq!(told(&stage), []);
}

#[tokio::test]
async fn a_hundred_accounts_by_one_cause_are_one_message() {
    let mut stage = stage().await;
    let many = (0..100).map(|number| AccountId::new(format!("7000000{number:05}")));
    let many: Vec<AccountId> = many.collect();
    stage.refuse(many.iter().cloned().chain([other()]));
    stage.add_accounts(many.clone());
    stage.run_minutes(40).await;
    let first = told(&stage);
    let [(Severity::Warning, subject)] = first.as_slice() else {
        panic!("{first:?}");
    };
    assert!(
        subject.contains(" accounts and Regions are not watched"),
        "{subject}"
    );
    stage.refuse([]);
    stage.run_minutes(40).await;
    assert_eq!(count(&stage, "[blind] "), 2, "{:?}", told(&stage));
}

#[tokio::test]
async fn an_account_that_hangs_is_told_as_well() {
    let mut stage = stage().await;
    stage.set_patience(Duration::from_millis(50));
    stage.darken(Some(other()));
    stage.run_minutes(20).await;
    let lost = told(&stage);
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert!(lost[0].1.contains("StillRunning"), "{lost:?}");
    stage.darken(None);
    stage.run_minutes(15).await;
    assert_eq!(told(&stage).len(), 2, "{:?}", told(&stage));
}

#[tokio::test]
async fn a_silence_over_all_of_it_holds_it_back_until_it_ends() {
    let mut stage = stage().await;
    let selector = Selector::read(&Written {
        accounts: vec![other().to_string()],
        ..Written::default()
    });
    stage.put_silence(Silence {
        id: SilenceId::new("sil-0123456789"),
        selector: selector.unwrap(),
        by: "lead".to_owned(),
        why: "it is closed".to_owned(),
        created: stage.now,
        from: stage.now,
        until: after(stage.now, 60),
        holds_requests: false,
        expired_by: None,
    });
    stage.refuse([other()]);
    stage.run_minutes(58).await;
    assert_eq!(told(&stage), []);
    stage.run_minutes(4).await;
    assert_eq!(told(&stage).len(), 1, "{:?}", told(&stage));
}
