//! What the daemon costs by the number of its targets: `cargo bench --bench targets [-- 100 1000 10000]`.
//!
//! The real cycle, with the real ledger, over a generated organisation whose pools are all read each minute, by a daemon
//! that has watched them for weeks and was just started again. One process writes the ledger, another one is measured: the
//! memory that writing three days at once takes is no daemon's. Both have the environment of the systemd unit, since what
//! it says of the allocator decides how much of what was freed is given back. What the simulated AWS takes to answer is
//! counted apart; so is its memory as it begins, and what it takes later is in the daemon's share. Linux only: the figures
//! come from /proc.

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
    /// Of the rest what the ledger takes once it is open and all of it was read.
    loaded_mib: f64,
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
    match arguments.as_slice() {
        [task, targets, path] if task == "--fill" => fill(targets.parse().unwrap(), path.as_ref()),
        [task, targets, path] if task == "--run" => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let figures = run(targets.parse().unwrap(), path.as_ref());
            let figures = runtime.unwrap().block_on(figures);
            println!("{}", serde_json::to_string(&figures).unwrap());
        }
        _ => table(&arguments),
    }
}

fn table(arguments: &[String]) {
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
        "loaded",
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
    let path = std::env::temp_dir().join(format!("bench-{}-{targets}", std::process::id()));
    let task = |name: &str| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args([name, &targets.to_string()]).arg(&path);
        let output = child
            .envs(unit_environment())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{name} of {targets} targets failed"
        );
        output.stdout
    };
    task("--fill");
    let figures = serde_json::from_slice(&task("--run")).unwrap();
    fs::remove_dir_all(&path).unwrap();
    figures
}

/// What the systemd unit sets.
fn unit_environment() -> Vec<(&'static str, &'static str)> {
    let unit = include_str!("../../deploy/bedrock-ops-alert.service");
    let lines = unit
        .lines()
        .filter_map(|line| line.strip_prefix("Environment="));
    let all = lines.flat_map(str::split_whitespace);
    all.map(|it| it.split_once('=').unwrap()).collect()
}

fn print_row(row: &Figures, first: &Figures) {
    let times = |of: fn(&Figures) -> f64| match of(first) {
        nothing if nothing <= 0.0 => String::new(),
        first => format!("(x{:.1})", of(row) / first),
    };
    println!(
        "{:>8} {:>7} {:>8.4} {:>7} {:>6.2} % {:>8.1} {:>7} {:>8.1} {:>8.1} {:>10.0} {:>7} {:>12.4} {:>10.1}",
        row.targets,
        row.pools,
        row.cpu_seconds,
        times(|it| it.cpu_seconds),
        row.cpu_seconds / 60.0 * 100.0,
        row.daemon_mib(),
        times(Figures::daemon_mib),
        row.loaded_mib,
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

/// Writes the ledger of a daemon that has watched for days.
fn fill(targets: usize, path: &Path) {
    let sim = Sim::new(organisation(size(targets)), 1);
    let began = Minute::of(sim.now());
    let past = Past::of(sim.world(), began);
    let ledger = store::open(path).unwrap();
    ledger
        .commit(&Past::targets(sim.world(), sim.now()))
        .unwrap();
    let mut days = past.records(began).peekable();
    while days.peek().is_some() {
        let some: Vec<_> = days.by_ref().take(POOLS_AT_ONCE).flatten().collect();
        ledger.commit(&some).unwrap();
    }
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
    let before_start = process::cpu_seconds();
    let ledger = store::open(path).unwrap();
    let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
    let loaded_mib = process::resident_mib() - sim_mib;
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
        loaded_mib,
        store_bytes: grown / counts[0] * (24.0 * 60.0 / cycles),
    }
}
