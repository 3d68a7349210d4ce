//! Many small organisations, each with all faults: what must hold in every one of them, and what must happen in some.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that meets the unexpected should stop, and tells its figures"
)]

use bedrock_ops_alert::model::policy::Mode;

use crate::support::{Stage, Tale};

/// Seeds in CI. `BOA_SEEDS=FROM..UNTIL` runs others: `BOA_SEEDS=0..10000` once a release.
const SEEDS: std::ops::Range<u64> = 0..300;

fn seeds() -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("BOA_SEEDS") else {
        return SEEDS;
    };
    let parsed = text
        .split_once("..")
        .and_then(|(from, until)| Some(from.parse().ok()?..until.parse().ok()?));
    parsed.unwrap_or_else(|| panic!("BOA_SEEDS reads like 0..10000, not {text}"))
}

async fn tell(seed: u64, mode: Mode) -> Tale {
    let mut stage = Stage::new(seed, mode);
    stage.run_minutes(24 * 60).await;
    stage.heal();
    stage.run_minutes(3 * 60).await;
    stage.converged();
    stage.meter_is_right();
    stage.tale
}

/// One seed in ten watches only, one in ten proposes: nothing may be filed there.
const fn mode(seed: u64) -> Mode {
    match seed % 10 {
        8 => Mode::Propose,
        9 => Mode::Observe,
        _ => Mode::File,
    }
}

/// A quarter of the seeds. A seed in which nothing crashed, no answer was lost, or nothing was granted proves nothing;
/// where nothing may be filed, there must at least have been something to file. The port may swallow all that is sent of
/// a request: then it waits for a person, which is right, and rare.
fn promises_hold(part: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut whole = Tale::default();
    let mut vacuous = Vec::new();
    let mut worlds = 0;
    for seed in seeds().filter(|seed| seed % 4 == part) {
        let tale = runtime.block_on(tell(seed, mode(seed)));
        let has_acted = match mode(seed) {
            Mode::File => tale.grants + tale.held > 0,
            Mode::Propose | Mode::Observe => tale.incidents > 0,
        };
        if tale.crashes == 0 || tale.lost_answers == 0 || !has_acted {
            vacuous.push((seed, tale));
        }
        whole += tale;
        worlds += 1;
    }
    println!("{worlds} worlds: {whole:?}");
    assert!(vacuous.is_empty(), "these prove nothing: {vacuous:#?}");
    assert!(
        whole.held * 10 <= whole.grants,
        "too much is left to people"
    );
}

#[test]
fn promises_hold_in_the_first_quarter_of_the_seeds() {
    promises_hold(0);
}

#[test]
fn promises_hold_in_the_second_quarter_of_the_seeds() {
    promises_hold(1);
}

#[test]
fn promises_hold_in_the_third_quarter_of_the_seeds() {
    promises_hold(2);
}

#[test]
fn promises_hold_in_the_fourth_quarter_of_the_seeds() {
    promises_hold(3);
}

/// P7, and what makes a seed worth printing.
#[test]
fn the_same_seed_is_the_same_story() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let story = || {
        let mut stage = Stage::new(3, Mode::File);
        runtime.block_on(stage.run_minutes(12 * 60));
        stage.story()
    };
    let (first, second) = (story(), story());
    assert!(first.contains("quota_requests") && first.contains("incident"));
    assert!(first == second, "two runs of one seed differ");
}
