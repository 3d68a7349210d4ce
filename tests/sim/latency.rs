//! How long a shortage goes unnoticed: from the publication of its first throttled minute, by the simulated AWS's own
//! record, to the verdict on it and to the first message that people get.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that meets the unexpected should stop, and tells its figures"
)]

use std::{collections::BTreeSet, sync::Arc};

use bedrock_ops_alert::{
    config,
    model::{
        alert::AlertState,
        rule::Category,
        time::{DAY, Minute, Timestamp, after},
        units::Share,
    },
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim, World},
    store::{Ledger as _, MemoryLedger},
};
use serde_json::Value;

use crate::support::{CONFIG, accounts};

/// A pool before its shortage, by how often it is read.
struct Class {
    name: &'static str,
    /// Minutes between reads of quiet pools.
    quiet_minutes: i64,
    /// The most that is used before the shortage, as a share of the quota. From 60 % on a pool is hot.
    level: f64,
    /// The last half hour's mean is at least this share of the most: a hot pool is hot until its shortage.
    evenness: f64,
}

const HOT: Class = Class {
    name: "hot",
    quiet_minutes: 5,
    level: 0.76,
    evenness: 0.86,
};
const WARM: Class = Class {
    name: "warm",
    quiet_minutes: 5,
    level: 0.2,
    evenness: 0.0,
};
const IDLE: Class = Class {
    name: "idle",
    quiet_minutes: 15,
    level: 0.05,
    evenness: 0.0,
};

/// Minutes from publication.
#[derive(Debug)]
struct Episode {
    judged: f64,
    told: f64,
}

/// Demand during the shortage, as a share of the quota.
const SHORTAGE: f64 = 2.5;
const HISTORY_MINUTES: i64 = 60;
/// Until then nothing may be told.
const CALM_MINUTES: i64 = 45;
/// After this long without a message the episode has failed.
const PATIENCE_MINUTES: i64 = 60;

/// Episodes of each class.
const EPISODES: u64 = 200;

/// Tokens per minute.
const QUOTA: f64 = 3_000_000.0;
/// Tokens charged for a request: input, and output at a burndown of 5.
const CHARGED: f64 = 1_000.0 + 200.0 * 5.0;

/// The world of an episode: an hour of the trace that is even enough to stay in its class, its demand scaled so that
/// the calm is really at the class's level.
fn world(class: &Class, seed: u64, step: i64) -> World {
    let mut draws = fastrand::Rng::with_seed(seed ^ 0x1A7E);
    let requests = class.level * QUOTA / CHARGED;
    for _ in 0..500 {
        let story = Story {
            seed,
            step,
            factor: SHORTAGE / class.level,
            start: draws.i64(0..8 * DAY),
            retry_share: draws.f64() * 0.7,
        };
        let (most, late) = calm_use(&story.with(requests / 2.0), seed, step);
        if class.evenness * most <= late {
            return story.with(requests / 2.0 * class.level * QUOTA / most);
        }
    }
    panic!("{} {seed}: the trace has no even hour", class.name);
}

/// Charged tokens a minute before the shortage: the most in all of it, and the mean of its last half hour.
fn calm_use(world: &World, seed: u64, step: i64) -> (f64, f64) {
    let sim = Sim::new(world.clone(), seed);
    let until = Minute::of(sim.now()).plus(step);
    sim.advance_to(until.start());
    let target = sim.world().targets.first().unwrap();
    let charged = |from: Minute| -> Vec<f64> {
        let rows = from
            .until(until)
            .map(|minute| sim.minute(&target.scope, &target.id, minute));
        rows.map(|row| row.unwrap().charged).collect()
    };
    let all = charged(until.plus(-step - HISTORY_MINUTES));
    let last = charged(until.plus(-30));
    (
        all.into_iter().fold(0.0, f64::max),
        last.into_iter().sum::<f64>() / 30.0,
    )
}

/// What is drawn for an episode.
struct Story {
    seed: u64,
    /// Minutes until the shortage.
    step: i64,
    /// Demand in the shortage over demand before.
    factor: f64,
    /// Minutes from the trace's origin.
    start: i64,
    retry_share: f64,
}

impl Story {
    /// One account, one pool, and demand far beyond its quota from one minute to the next.
    fn with(&self, requests: f64) -> World {
        let text = format!(
            r#"
start = "2026-11-02T00:00:00Z"
seed = {seed}
length = "6h"
history = "{HISTORY_MINUTES}m"
retry_share = {retries:.2}
[[account]]
id = "111122223333"
name = "production"
regions = ["us-east-1"]
topics = ["bedrock-alerts"]
[[model]]
id = "anthropic.claude-sonnet-4-6"
label = "Anthropic Claude Sonnet 4.6"
burndown = 5
[[profile]]
id = "us.anthropic.claude-sonnet-4-6"
model = "anthropic.claude-sonnet-4-6"
destinations = ["us-east-1", "us-east-2", "us-west-2"]
[[target]]
account = "111122223333"
region = "us-east-1"
id = "us.anthropic.claude-sonnet-4-6"
trace = "steady"
evened = true
shift = "{shift}m"
requests_per_minute = {requests:.2}
input_tokens = 1000
output_tokens = 200
steps = [{{ at = "{step}m", factor = {factor:.2} }}]
[[quota]]
account = "111122223333"
region = "us-east-1"
code = "L-15B8E632"
applied = {QUOTA}
default = {QUOTA}
"#,
            seed = self.seed,
            shift = self.start,
            step = self.step,
            factor = self.factor,
            retries = self.retry_share,
        );
        World::parse(&text).unwrap()
    }
}

/// Tells one episode, minute by minute.
async fn tell(class: &Class, seed: u64) -> Episode {
    let step = CALM_MINUTES + i64::try_from(seed % 15).unwrap();
    let sim = Sim::new(world(class, seed, step), seed);
    let (mut cycle, shared) = daemon(class, &sim);
    let start = sim.now();
    let (mut judged, mut read_through) = (None, BTreeSet::new());
    for minute in 0..step + PATIENCE_MINUTES {
        let now = after(start, minute);
        sim.advance_to(now);
        cycle.run(now).await.unwrap();
        if step - 15 <= minute && minute < step {
            read_through.extend(shared.book().read_through.values().copied());
        }
        if judged.is_none() && is_judged(&shared) {
            judged = Some(now);
        }
        let Some(told) = first_message(&sim.state()) else {
            continue;
        };
        assert!(
            step <= minute,
            "{} {seed}: told before anything happened",
            class.name
        );
        is_read_as_its_class(class, seed, read_through.len());
        let first = sim.throttled().into_iter().next().unwrap();
        assert!(
            step <= first.minute.since(Minute::of(start)),
            "{} {seed}: no calm",
            class.name
        );
        return Episode {
            judged: minutes_after(first.published, judged.unwrap()),
            told: minutes_after(first.published, told),
        };
    }
    panic!("{} {seed}: nobody was told in an hour", class.name)
}

fn daemon(class: &Class, sim: &Arc<Sim>) -> (Cycle, Arc<Shared>) {
    let mut settings = config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
    settings.cadence.quiet_minutes = class.quiet_minutes;
    // Read by the paid call alone, which is what is counted.
    settings.cost.free_share = Share::from_basis_points(1).unwrap();
    settings.accounts = accounts(sim.world());
    let cloud = sim::cloud(sim, sim.world().first_account(), Arc::new(Faults::none()));
    let ledger = MemoryLedger::new();
    let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
    let shared = Arc::new(shared);
    let cycle = Cycle::new(cloud, Arc::new(ledger), Arc::clone(&shared));
    (cycle, shared)
}

/// Whether a rule on refused requests has seen a bad minute.
fn is_judged(shared: &Shared) -> bool {
    let health = shared.health();
    health.verdicts.values().flatten().any(|verdict| {
        verdict.category == Category::Throttle
            && matches!(verdict.state, AlertState::Pending | AlertState::Alerting)
    })
}

/// A pool that is read more often than its class says would flatter the figures.
fn is_read_as_its_class(class: &Class, seed: u64, reads: usize) {
    let is_hot = 10 <= reads;
    assert_eq!(
        is_hot,
        class.name == HOT.name,
        "{} {seed}: read {reads} times in 15 minutes",
        class.name
    );
}

fn first_message(state: &Value) -> Option<Timestamp> {
    let published = state.get("published").and_then(Value::as_array).unwrap();
    let at = published
        .first()?
        .get("at")
        .and_then(Value::as_str)
        .unwrap();
    Some(at.parse().unwrap())
}

fn minutes_after(published: Timestamp, at: Timestamp) -> f64 {
    (at.duration_since(published).as_secs_f64() / 60.0).max(0.0)
}

/// Runs all episodes of a class and prints how long they took.
fn tell_all(class: &Class) -> Vec<Episode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let told: Vec<Episode> = (0..EPISODES)
        .map(|seed| runtime.block_on(tell(class, seed)))
        .collect();
    for (what, of) in [
        ("judged", (|it| it.judged) as fn(&Episode) -> f64),
        ("told", |it| it.told),
    ] {
        let [p50, p95, most] = [50, 95, 100].map(|percent| quantile(&told, percent, of));
        println!(
            "{}, read every {} minutes when quiet, {} episodes: {what} p50 {p50:.1}, p95 {p95:.1}, max {most:.1} minutes after publication",
            class.name,
            class.quiet_minutes,
            told.len(),
        );
    }
    told
}

/// The least value that `percent` of the episodes do not exceed.
fn quantile(episodes: &[Episode], percent: usize, of: fn(&Episode) -> f64) -> f64 {
    let mut values: Vec<f64> = episodes.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    let rank = (values.len() * percent).div_ceil(100).max(1);
    *values.get(rank - 1).unwrap()
}

/// All are told within `told` minutes, and 95 % of them judged within `judged`.
fn in_time(class: &Class, judged: f64, told: f64) {
    let episodes = tell_all(class);
    let late: Vec<(usize, &Episode)> = episodes
        .iter()
        .enumerate()
        .filter(|(_, it)| told < it.told)
        .collect();
    assert!(late.is_empty(), "{}: told too late: {late:?}", class.name);
    let p95 = quantile(&episodes, 95, |it| it.judged);
    assert!(p95 <= judged, "{}: judged after {p95} minutes", class.name);
}

#[test]
fn a_hot_pool_is_told_within_three_minutes() {
    in_time(&HOT, 1.0, 3.0);
}

#[test]
fn a_pool_read_every_five_minutes_is_told_within_seven() {
    in_time(&WARM, 5.0, 7.0);
}

#[test]
fn an_idle_pool_is_told_within_seventeen_minutes() {
    in_time(&IDLE, 16.0, 17.0);
}
