//! Worlds over HTTP: the real clients on the real protocols, with all that a network does to them, under the same
//! promises as in process.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that meets the unexpected should stop, and tells its figures"
)]

use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc};

use bedrock_ops_alert::{
    aws::{Endpoint, Patience, SdkCloud, SdkOptions, actions},
    model::{
        ids::Region,
        policy::Mode,
        time::{Timestamp, after},
    },
    sim::{
        Faults, Sim,
        wire::{self, FaultKind, Options, Speed, WireFaults},
    },
};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::support::{Stage, Tale, accounts, organisation};

/// Seeds of its own, so that no world is told twice.
const SEEDS: std::ops::Range<u64> = 1_000..1_020;
/// The daemon begins shortly before the shortages do.
const SKIPPED_MINUTES: i64 = 6 * 60;
const FAULTY_MINUTES: i64 = 5 * 60;
const HEALED_MINUTES: i64 = 2 * 60;
/// That of a clock of this speed: half a second an attempt, since a hang costs real time.
const PATIENCE_SPEED: u32 = 20;

/// All faults of the wire, together about one call in five.
fn faults(seed: u64, until: Timestamp) -> WireFaults {
    WireFaults {
        seed,
        per_mille: BTreeMap::from([
            (FaultKind::Throttled, 40),
            (FaultKind::ErrorBefore, 20),
            (FaultKind::DroppedBefore, 20),
            (FaultKind::ErrorAfter, 40),
            (FaultKind::DroppedAfter, 40),
            (FaultKind::Truncated, 20),
            (FaultKind::Hang, 4),
        ]),
        hang_seconds: 60, // longer than any patience
        partial_page: 80,
        repeated_page: 40,
        until: Some(until),
        ..WireFaults::default()
    }
}

/// Serves the simulated AWS until the runtime ends, and returns its URL.
#[expect(
    clippy::disallowed_methods,
    reason = "a test's server ends with the test's runtime"
)]
pub(crate) async fn serve(sim: Arc<Sim>, faults: WireFaults) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let options = Options {
        faults,
        ..Options::at(Speed::Max)
    };
    tokio::spawn(wire::serve(sim, listener, options, std::future::pending()));
    url
}

/// How often each kind of fault happened, by the server's record.
async fn happened(url: &str) -> BTreeMap<String, u64> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(format!("{url}/_sim/state")).send().await;
    let state: Value = answer.unwrap().json().await.unwrap();
    let kinds = state.get("faults").and_then(Value::as_object).unwrap();
    let sum = |operations: &Value| {
        let counts = operations.as_object().unwrap().values();
        counts.filter_map(Value::as_u64).sum()
    };
    kinds
        .iter()
        .map(|(kind, operations)| (kind.clone(), sum(operations)))
        .collect()
}

/// What became of a seed, and how often each kind of fault happened.
async fn tell(seed: u64) -> (Tale, BTreeMap<String, u64>) {
    let sim = organisation(seed);
    sim.advance_to(after(sim.now(), SKIPPED_MINUTES));
    let healed = after(sim.now(), FAULTY_MINUTES);
    let url = serve(Arc::clone(&sim), faults(seed, healed)).await;
    let cloud = SdkCloud::connect(SdkOptions {
        accounts: accounts(sim.world()),
        patience: Patience::at_speed(PATIENCE_SPEED),
        endpoint: Some(Endpoint::simulated(&url, Region::new("us-east-1"))),
    });
    let cloud = Arc::new(cloud.await.unwrap());
    let none = Arc::new(Faults::none());
    let mut stage = Stage::over(seed, Mode::File, sim, cloud, none);
    stage.run_minutes(FAULTY_MINUTES).await;
    stage.heal();
    stage.run_minutes(HEALED_MINUTES).await;
    stage.converged();
    let known = |made: &String| {
        let mut all = actions::ALL.iter();
        *made == "slack:Post" || all.any(|(operation, _)| operation == made)
    };
    let unknown: Vec<String> = stage.calls().into_keys().filter(|it| !known(it)).collect();
    assert!(unknown.is_empty(), "no policy would allow {unknown:?}");
    let happened = happened(&url).await;
    let of = |kind: FaultKind| happened.get(kind.name()).copied().unwrap_or(0);
    let after_effect = [
        FaultKind::ErrorAfter,
        FaultKind::DroppedAfter,
        FaultKind::Truncated,
    ];
    stage.tale.lost_answers = after_effect.map(of).iter().sum();
    (stage.tale, happened)
}

/// In a quarter of the seeds; each has its crash, its lost answer and its hang, or it proves nothing.
fn promises_hold(part: u64) {
    let mut filed = 0;
    for seed in SEEDS.filter(|seed| seed % 4 == part) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (tale, happened) = runtime.block_on(tell(seed));
        println!("seed {seed}: {tale:?}, {happened:?}");
        let of = |kind: FaultKind| happened.get(kind.name()).copied().unwrap_or(0);
        for kind in FaultKind::ALL {
            assert!(
                0 < of(kind),
                "seed {seed} proves nothing: no {}",
                kind.name()
            );
        }
        assert!(0 < tale.crashes, "seed {seed} proves nothing: no crash");
        filed += tale.requests + tale.cases;
    }
    assert!(0 < filed, "nothing was filed: part {part} proves nothing");
}

#[test]
fn promises_hold_over_the_wire_in_the_first_quarter_of_the_seeds() {
    promises_hold(0);
}

#[test]
fn promises_hold_over_the_wire_in_the_second_quarter_of_the_seeds() {
    promises_hold(1);
}

#[test]
fn promises_hold_over_the_wire_in_the_third_quarter_of_the_seeds() {
    promises_hold(2);
}

#[test]
fn promises_hold_over_the_wire_in_the_fourth_quarter_of_the_seeds() {
    promises_hold(3);
}
