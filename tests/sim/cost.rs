//! What watching costs, by the meter and by the simulated AWS's own count.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that meets the unexpected should stop, and tells its figures"
)]

use std::{collections::BTreeMap, sync::Arc};

use bedrock_ops_alert::{
    aws::{Endpoint, Patience, SdkCloud, SdkOptions},
    model::{ids::Region, policy::Mode},
    sim::{
        Faults,
        wire::{FaultKind, WireFaults},
    },
};

use crate::{
    support::{Stage, accounts, organisation},
    wire_worlds::serve,
};

/// The SDK tries reads again by itself; each try is a request that AWS may bill.
#[tokio::test]
async fn the_meter_counts_what_arrives_over_the_wire_retries_included() {
    let seed = 1_100;
    let sim = organisation(seed);
    let faults = WireFaults {
        seed,
        per_mille: BTreeMap::from([
            (FaultKind::Throttled, 80),
            (FaultKind::ErrorBefore, 40),
            (FaultKind::DroppedBefore, 40),
            (FaultKind::ErrorAfter, 40),
            (FaultKind::DroppedAfter, 40),
            (FaultKind::Truncated, 40),
        ]),
        hang_seconds: 1,
        partial_page: 80,
        repeated_page: 40,
        until: None,
        operations: Vec::new(),
    };
    let url = serve(Arc::clone(&sim), faults).await;
    let cloud = SdkCloud::connect(SdkOptions {
        accounts: accounts(sim.world()),
        patience: Patience::loopback(),
        endpoint: Some(Endpoint::simulated(&url, Region::new("us-east-1"))),
    });
    let cloud = Arc::new(cloud.await.unwrap());
    let mut stage = Stage::over(seed, Mode::File, sim, cloud, Arc::new(Faults::none()));
    stage.heal(); // no crashes: what a crash cuts off may be counted and never arrive
    stage.run_minutes(60).await;
    stage.meter_is_right();
    println!("counted alike: {:?}", stage.calls());
}
