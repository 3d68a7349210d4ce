//! One account goes dark: its calls hang, or whoever makes them panics. Nobody else's data may grow old by that, and it must
//! catch up by itself.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::time::Duration;

use bedrock_ops_alert::{
    model::{ids::AccountId, policy::Mode, time::Minute},
    sim::World,
};

use crate::support::Stage;

/// Ages of the data in minutes, by whether the account is this one: the oldest of each.
fn oldest(stage: &Stage, account: &AccountId) -> (i64, i64) {
    let now = Minute::of(stage.now);
    let book = stage.shared().book();
    let oldest = |is_it: bool| {
        let pools = book.read_through.iter();
        let ages = pools
            .filter(|(pool, _)| (pool.scope.account == *account) == is_it)
            .filter(|(pool, _)| pool.family.is_of_runtime())
            .map(|(_, through)| now.since(*through));
        ages.max().unwrap()
    };
    (oldest(true), oldest(false))
}

/// A world in which this account and another one have pools.
fn seed_with(account: &AccountId) -> u64 {
    let has_both = |seed: &u64| {
        let world = World::random(*seed).unwrap();
        let is_in =
            |account: &AccountId| world.targets.iter().any(|it| it.scope.account == *account);
        is_in(account) && is_in(&world.first_account())
    };
    (0..100).find(has_both).unwrap()
}

#[tokio::test]
async fn an_account_that_hangs_delays_nobody_and_catches_up() {
    let dark = AccountId::new("444455556666");
    let seed = seed_with(&dark);
    let mut stage = Stage::new(seed, Mode::File);
    stage.heal();
    stage.run_minutes(20).await;
    stage.set_patience(Duration::from_secs(1));
    stage.darken(Some(dark.clone()));
    for minute in 1..=6 {
        stage.run_minutes(1).await;
        let (_, others) = oldest(&stage, &dark);
        assert!(
            others <= 5,
            "{others} minutes old in minute {minute} of the dark"
        );
    }
    let (its, _) = oldest(&stage, &dark);
    assert!(5 <= its, "it was not dark at all: {its}");
    let round_of = |stage: &Stage| {
        let health = stage.shared().health();
        let mut failing = health.failing.iter();
        failing
            .find(|((stage, scope), _)| *stage == "round" && scope.account == dark)
            .map(|(_, it)| it.why.clone())
    };
    let told = round_of(&stage).unwrap();
    assert!(told.contains("has not been answered yet"), "{told}");
    stage.darken(None);
    stage.run_minutes(6).await;
    let (its, others) = oldest(&stage, &dark);
    assert!(
        its <= 5 && others <= 5,
        "{its} and {others} minutes old in the light"
    );
    assert_eq!(round_of(&stage), None);
}

/// A fault of ours in what one account answers takes nobody else's data, and is told.
#[tokio::test]
async fn a_round_that_panics_begins_afresh_and_nobody_else_notices() {
    let broken = AccountId::new("444455556666");
    let mut stage = Stage::new(seed_with(&broken), Mode::File);
    stage.heal();
    stage.run_minutes(20).await;
    stage.break_off(Some(broken.clone()));
    for minute in 1..=6 {
        stage.run_minutes(1).await;
        let (_, others) = oldest(&stage, &broken);
        assert!(others <= 5, "{others} minutes old in minute {minute} of it");
    }
    let (its, _) = oldest(&stage, &broken);
    assert!(5 <= its, "nothing was broken: {its}");
    let is_told = |stage: &Stage| {
        let health = stage.shared().health();
        let mut failing = health.failing.keys();
        failing.any(|(stage, scope)| *stage == "round" && scope.account == broken)
    };
    assert!(is_told(&stage));
    stage.break_off(None);
    stage.run_minutes(6).await;
    let (its, others) = oldest(&stage, &broken);
    assert!(
        its <= 5 && others <= 5,
        "{its} and {others} minutes old afterwards"
    );
    assert!(!is_told(&stage));
}
