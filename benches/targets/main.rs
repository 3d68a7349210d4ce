//! What the daemon costs by the number of its targets: `cargo bench --bench targets [-- 100 1000 10000]`.
//!
//! The real cycle, with the real ledger, over a generated organisation whose pools are all read each minute, by a daemon
//! that has watched them for weeks and was just started again. Each size runs in a process of its own, since memory that
//! was once used is never given back. What the simulated AWS takes to answer is counted apart. Of the memory it is known
//! what was taken before anything else was there, by the world with its traffic, and how much there was when the ledger
//! was written and nothing was loaded yet; what the simulated AWS takes later is in the daemon's share. Linux only: the
//! figures come from /proc.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops at what it did not expect"
)]

#[path = "../../tests/sim/organisation.rs"]
#[expect(dead_code, reason = "the tests look at more of it")]
mod organisation;
mod past;
mod process;
mod watched;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use bedrock_ops_alert::{
    config,
    model::time::{Minute, after},
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim},
    store::{self, Ledger as _},
};
use organisation::{Size, organisation};
use past::Past;
use serde::{Deserialize, Serialize};
use watched::Watched;

/// The sizes that are run where none are named; the first one is the baseline of all ratios.
const SIZES: [usize; 3] = [100, 1_000, 10_000];
/// The hour of the day at which the daemon starts: its ledger holds nearly three days then.
const START_HOUR: u8 = 20;
/// Pools whose days go into one commit before the start.
const POOLS_AT_ONCE: usize = 16;
/// Cycles before the measuring: discovery and the start are behind then.
const WARM_UP: i64 = 20;
/// Cycles that are measured, one a simulated minute.
const MEASURED: i64 = 60;
/// Targets of one account and Region.
const A_SCOPE: usize = 100;

/// What one size came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Figures {
    targets: f64,
    pools: f64,
    /// Of the daemon, a cycle.
    cpu_seconds: f64,
    /// Of the simulated AWS, a cycle.
    sim_seconds: f64,
    /// From the load of the ledger to the end of the warm-up, of both.
    start_seconds: f64,
    resident_mib: f64,
    /// Of it the simulated AWS as it began.
    sim_mib: f64,
    /// Of the rest the engine of the ledger, before a start.
    ledger_mib: f64,
    store_bytes: f64,
}

impl Figures {
    /// What is not the simulated AWS's, as it began.
    fn daemon_mib(&self) -> f64 {
        self.resident_mib - self.sim_mib
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [one, targets] = arguments.as_slice()
        && one == "--one"
    {
        let figures = measure(targets.parse().unwrap());
        println!("{}", serde_json::to_string(&figures).unwrap());
        return;
    }
    // Cargo passes `--bench` along.
    let named: Vec<usize> = arguments.iter().flat_map(|it| it.parse()).collect();
    let sizes = if named.is_empty() {
        SIZES.to_vec()
    } else {
        named
    };
    println!(
        "every pool read each minute, {MEASURED} cycles after {WARM_UP} to warm up; x: times the first row's"
    );
    println!(
        "{:>8} {:>7} {:>16} {:>8} {:>16} {:>8} {:>8} {:>18} {:>12} {:>10}",
        "targets",
        "pools",
        "CPU s/cycle",
        "of core",
        "daemon MiB",
        "ledger",
        "sim MiB",
        "store B/target/day",
        "sim s/cycle",
        "start s"
    );
    let mut baseline = None;
    for size in sizes {
        let row = run_apart(size);
        let first = baseline.get_or_insert_with(|| row.clone());
        print_row(&row, first);
    }
}

fn run_apart(targets: usize) -> Figures {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--one", &targets.to_string()]);
    let output = child.stderr(Stdio::inherit()).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn print_row(row: &Figures, first: &Figures) {
    let times = |of: fn(&Figures) -> f64| format!("(x{:.1})", of(row) / of(first));
    println!(
        "{:>8} {:>7} {:>8.4} {:>7} {:>6.2} % {:>8.1} {:>7} {:>8.1} {:>8.1} {:>10.0} {:>7} {:>12.4} {:>10.1}",
        row.targets,
        row.pools,
        row.cpu_seconds,
        times(|it| it.cpu_seconds),
        row.cpu_seconds / 60.0 * 100.0,
        row.daemon_mib(),
        times(Figures::daemon_mib),
        row.ledger_mib,
        row.sim_mib,
        row.store_bytes,
        times(|it| it.store_bytes),
        row.sim_seconds,
        row.start_seconds,
    );
}

/// Accounts and Regions of a hundred targets each.
fn size(targets: usize) -> Size {
    let scopes = targets.div_ceil(A_SCOPE);
    let regions = scopes.min(4);
    Size {
        accounts: scopes.div_ceil(regions),
        regions,
        models: 20,
        crowd: 0,
        copies: 65,
        start_hour: START_HOUR,
        hours: 24,
        late_share: 0.02,
        seed: 1,
    }
}

fn measure(targets: usize) -> Figures {
    let path = std::env::temp_dir().join(format!("bench-{}-{targets}", std::process::id()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let figures = runtime.unwrap().block_on(run(targets, &path));
    fs::remove_dir_all(&path).unwrap();
    figures
}

async fn run(targets: usize, path: &Path) -> Figures {
    let sim = Sim::new(organisation(size(targets)), 1);
    let world = sim.world();
    let counts = [world.targets.len(), world.pools.len()].map(process::float);
    let text = organisation::config(world);
    let mut settings =
        config::parse(&text, "accounts.toml", &config::Overrides::default()).unwrap();
    settings.cadence.quiet_minutes = 1;
    let cloud = sim::cloud(&sim, world.first_account(), Arc::new(Faults::none()));
    let cloud = Arc::new(Watched::new(cloud));
    let began = Minute::of(sim.now());
    let past = Past::of(world, began);
    let sim_mib = process::resident_mib();
    let ledger = store::open(path).unwrap();
    ledger.commit(&Past::targets(world, sim.now())).unwrap();
    let mut days = past.records(began).peekable();
    while days.peek().is_some() {
        let some: Vec<_> = days.by_ref().take(POOLS_AT_ONCE).flatten().collect();
        ledger.commit(&some).unwrap();
    }
    drop(days);
    let ledger_mib = process::resident_mib() - sim_mib;
    let before_start = process::cpu_seconds();
    let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
    let shared = Arc::new(shared.with_history(Arc::new(past)));
    let mut cycle = Cycle::new(Arc::clone(&cloud) as _, Arc::new(ledger), shared);
    let mut minutes = async |minutes: i64| {
        for _ in 0..minutes {
            let now = after(sim.now(), 1);
            cloud.spend(|| sim.advance_to(now));
            cycle.run(now).await.unwrap();
        }
    };
    minutes(WARM_UP).await;
    let warm = process::cpu_seconds();
    let (sim_before, bytes_before) = (cloud.seconds(), process::bytes_below(path));
    minutes(MEASURED).await;
    let cycles = process::float(usize::try_from(MEASURED).unwrap());
    let sim_seconds = cloud.seconds() - sim_before;
    let both = process::cpu_seconds() - warm;
    let grown = process::bytes_below(path) - bytes_before;
    Figures {
        targets: counts[0],
        pools: counts[1],
        cpu_seconds: (both - sim_seconds) / cycles,
        sim_seconds: sim_seconds / cycles,
        start_seconds: warm - before_start,
        resident_mib: process::resident_mib(),
        sim_mib,
        ledger_mib,
        store_bytes: grown / counts[0] * (24.0 * 60.0 / cycles),
    }
}
