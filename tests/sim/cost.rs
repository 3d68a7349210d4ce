//! What watching costs, by the meter and by the simulated AWS's own count.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "a test that meets the unexpected should stop, and tells its figures"
)]

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use bedrock_ops_alert::{
    aws::{Endpoint, Patience, READ_ATTEMPTS, SdkCloud, SdkOptions, price},
    cloud::CallCounts,
    config,
    model::{
        alert::AlertState,
        ids::Region,
        policy::Mode,
        rule::Rules,
        time::{DAY, Minute, Timestamp, after},
        units::Share,
    },
    runtime::{cycle::Cycle, shared::Shared},
    sim::{
        self, Faults, Sim, World,
        wire::{FaultKind, WireFaults},
        world::FaultRates,
    },
    store::{History as _, Ledger as _, MemoryHistory, MemoryLedger},
};

use crate::{
    support::{CONFIG, Stage, accounts, organisation},
    wire_worlds::serve,
};

/// Twenty active targets, ten models in each of two Regions. The account's free requests are those of one account.
const TARGETS: usize = 20;
/// Tokens per minute, and far more requests per minute than there are.
const QUOTA: f64 = 2_000_000.0;
/// Tokens charged for a request: input, and output at a burndown of 5.
const CHARGED: f64 = 2_000.0 + 400.0 * 5.0;
const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
const START: &str = "2026-11-01T00:00:00Z";
/// A month of one day.
const LAST_DAY: &str = "2026-11-30T00:00:00Z";

/// Model ids, labels, and the codes of their on-demand tokens and requests per minute.
const MODELS: [(&str, &str, &str); 10] = [
    (
        "anthropic.claude-sonnet-4-6",
        "Anthropic Claude Sonnet 4.6",
        "L-5F5A169C L-9B878FAE",
    ),
    (
        "amazon.nova-lite-v1:0",
        "Amazon Nova Lite",
        "L-70423BF8 L-E386A278",
    ),
    (
        "meta.llama3-8b-instruct-v1:0",
        "Meta Llama 3 8B Instruct",
        "L-03A9B835 L-320BEFEB",
    ),
    (
        "meta.llama3-70b-instruct-v1:0",
        "Meta Llama 3 70B Instruct",
        "L-609E24B0 L-46D383AF",
    ),
    (
        "meta.llama3-1-70b-instruct-v1:0",
        "Meta Llama 3.1 70B Instruct",
        "L-48E55E59 L-ECA5B974",
    ),
    (
        "meta.llama3-1-405b-instruct-v1:0",
        "Meta Llama 3.1 405B Instruct",
        "L-0F7F5E55 L-6ED467E8",
    ),
    (
        "meta.llama3-2-1b-instruct-v1:0",
        "Meta Llama 3.2 1B Instruct",
        "L-6F14193C L-20CFCD61",
    ),
    (
        "meta.llama3-3-70b-instruct-v1:0",
        "Meta Llama 3.3 70B Instruct",
        "L-372A660C L-22EF3256",
    ),
    (
        "mistral.mistral-large-2407-v1:0",
        "Mistral Large 2407",
        "L-1C28E1AB L-1402869F",
    ),
    (
        "cohere.command-r-v1:0",
        "Cohere Command R",
        "L-17F95AA4 L-A49CA90F",
    ),
];

/// The daily quotas of those that have one.
const PER_DAY: [&str; 2] = ["L-45E0AD92", "L-385F89F0"];

/// How the days of a pool go.
#[derive(Clone, Copy)]
enum Days {
    /// Near the quota for 144 minutes of each day: a tenth of the time.
    Tenth,
    /// Near the quota all the time, and now and then beyond it.
    Hot,
    /// Near the quota most of the time, and never beyond it: nothing is refused, so nothing wakes all pools.
    Busy,
    /// As busy, beside a target that has no pool and is refused in every minute: nothing that is read explains that.
    Unplaced,
    /// Hot, on the last day of a month.
    LastHot,
}

/// An application profile that may have been copied from either of two ways, so that no pool is its own.
const UNPLACED: &str = r#"
[[model]]
id = "amazon.nova-micro-v1:0"
label = "Amazon Nova Micro"
[[profile]]
id = "us.amazon.nova-micro-v1:0"
model = "amazon.nova-micro-v1:0"
destinations = ["us-east-1"]
[[application_profile]]
id = "abcdefghijkl"
name = "team-a"
account = "111122223333"
region = "us-east-1"
copied_from = "amazon.nova-micro-v1:0"
[[target]]
account = "111122223333"
region = "us-east-1"
id = "abcdefghijkl"
trace = "steady"
evened = true
requests_per_minute = 30
input_tokens = 1000
output_tokens = 100
[[quota]]
account = "111122223333"
region = "us-east-1"
code = "L-E118F160"
applied = 10
default = 2000
"#;

fn world(days: Days, length: i64) -> World {
    let start = match days {
        Days::Tenth | Days::Hot => START,
        Days::Busy | Days::Unplaced | Days::LastHot => LAST_DAY,
    };
    let mut text = format!(
        "start = \"{start}\"\nseed = 7\nlength = \"{length}d\"\nhistory = \"16d\"\n[[account]]\nid = \"111122223333\"\nname = \"production\"\nregions = [\"us-east-1\", \"eu-west-1\"]\ntopics = [\"bedrock-alerts\"]\n"
    );
    for (id, label, _) in MODELS {
        writeln!(
            text,
            "[[model]]\nid = \"{id}\"\nlabel = \"{label}\"\nburndown = 5"
        )
        .unwrap();
    }
    // Around a mean of 75 % of the quota each ten minutes have a hot one; a sixth of that is warm.
    let hot = 0.75 * QUOTA / CHARGED;
    for (index, (region, (id, _, codes))) in REGIONS
        .into_iter()
        .flat_map(|region| MODELS.map(|model| (region, model)))
        .enumerate()
    {
        let place = format!("account = \"111122223333\"\nregion = \"{region}\"");
        let bursts = match days {
            Days::Hot | Days::Busy | Days::Unplaced | Days::LastHot => String::new(),
            Days::Tenth => bursts(index, length),
        };
        let level = match days {
            // Some days of the trace are quieter than its mean.
            Days::Hot | Days::LastHot => hot * 1.1,
            Days::Busy | Days::Unplaced => hot * 0.75,
            Days::Tenth => hot / 6.0,
        };
        writeln!(
            text,
            "[[target]]\n{place}\nid = \"{id}\"\ntrace = \"steady\"\nevened = true\nshift = \"{index}h\"\nrequests_per_minute = {level:.2}\ninput_tokens = 2000\noutput_tokens = 400\n{bursts}"
        )
        .unwrap();
        for code in codes.split(' ') {
            writeln!(
                text,
                "[[quota]]\n{place}\ncode = \"{code}\"\napplied = {QUOTA}\ndefault = {QUOTA}"
            )
            .unwrap();
        }
    }
    for (region, code) in REGIONS
        .map(|region| PER_DAY.map(|code| (region, code)))
        .concat()
    {
        // As much as the minutes of a day allow, so that no day is used up.
        let value = QUOTA * 1_440.0;
        writeln!(
            text,
            "[[quota]]\naccount = \"111122223333\"\nregion = \"{region}\"\ncode = \"{code}\"\napplied = {value}\ndefault = {value}"
        )
        .unwrap();
    }
    if matches!(days, Days::Unplaced) {
        text.push_str(UNPLACED);
    }
    World::parse(&text).unwrap()
}

/// 144 minutes a day at six times the level, at another time of day for each target.
fn bursts(index: usize, length: i64) -> String {
    let bursts: Vec<String> = (0..length)
        .map(|day| {
            let from = day * DAY + i64::try_from(index).unwrap() * 60;
            format!(
                "{{ from = \"{from}m\", until = \"{}m\", factor = 6 }}",
                from + 144
            )
        })
        .collect();
    format!("bursts = [{}]\n", bursts.join(", "))
}

/// Within this time the back-fill is over: it happens once, and is not a part of a month.
const BACKFILL_MINUTES: i64 = 60;

/// What a world came to.
struct Measured {
    /// USD a target, with our share of the free requests and without any; scaled to 30 days.
    with_free: f64,
    list: f64,
    /// USD a target until the back-fill is over, the reading of that time included.
    backfill: f64,
    /// The share of all minutes in which targets were read as hot ones.
    hot: f64,
}

/// Runs the daemon for so many days, and holds its meter against the simulated AWS's count.
async fn measure(days: Days, length: i64) -> Measured {
    let sim = Sim::new(world(days, length + 1), 7);
    let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let mut settings = config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
    settings.accounts = accounts(sim.world());
    // An incident would keep its pool hot: what is measured is how pools are read by their use.
    settings.rules = Rules::default();
    let free_share = settings.cost.free_share;
    let ledger = MemoryLedger::new();
    let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
    let shared = Arc::new(shared);
    let mut cycle = Cycle::new(Arc::clone(&cloud), Arc::new(ledger), Arc::clone(&shared));
    let start = sim.now();
    let (mut first, mut hot_reads) = (CallCounts::default(), 0.0);
    for minute in -BACKFILL_MINUTES..length * DAY {
        let now = after(start, BACKFILL_MINUTES + minute);
        sim.advance_to(now);
        cycle.run(now).await.unwrap();
        if minute < 0 {
            first = cloud.calls();
            continue;
        }
        let (book, until) = (shared.book(), Minute::of(now));
        let fresh = book
            .read_through
            .values()
            .filter(|through| **through == until);
        hot_reads += fresh.count() as f64;
        assert!(1.0 <= shared.health().stretch, "the plan was made");
    }
    let (counted, state) = (cloud.calls(), sim.state());
    let billed = state.get("billed_metrics").unwrap().as_object().unwrap();
    let billed: u64 = billed.values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(counted.metrics(), billed);
    let calls = state.get("calls").unwrap().as_object().unwrap();
    for (operation, requests) in counted.by_operation() {
        assert_eq!(calls[&operation].as_u64(), Some(requests), "{operation}");
    }
    assert!(shared.health().stretch <= 1.0, "no budget made it cheap");
    let targets = TARGETS as f64;
    let rest = counted.since(&first);
    let month = rest.scaled(30, length);
    println!("{:?}", counted.by_operation());
    Measured {
        with_free: price::usd_with_free(&month, free_share) / targets,
        list: price::usd(&month) / targets,
        backfill: price::usd(&first) / targets,
        hot: hot_reads / (targets * length as f64 * DAY as f64),
    }
}

/// Days that are measured: all 30 with `--long`.
fn days() -> i64 {
    let is_long = std::env::var("BOA_TEST_LONG").is_ok_and(|long| long == "1");
    if is_long { 30 } else { 1 }
}

fn tell(name: &str, measured: &Measured) {
    let Measured {
        with_free,
        list,
        backfill,
        hot,
    } = measured;
    println!(
        "{name}: {with_free:.3} USD a target and month with half of the free requests, {list:.3} without; back-fill {backfill:.4} USD; read in {:.1} % of the minutes",
        hot * 100.0
    );
}

#[tokio::test]
async fn twenty_targets_that_are_hot_a_tenth_of_the_time() {
    let measured = measure(Days::Tenth, days()).await;
    tell("hot a tenth of the time", &measured);
    assert!(measured.with_free <= 0.50);
    assert!(measured.list <= 1.00);
    assert!(measured.backfill <= 0.05);
    // A tenth each minute and the rest every five minutes is 28 %; less would be another world.
    assert!(0.25 <= measured.hot, "{}", measured.hot);
}

#[tokio::test]
async fn twenty_targets_that_are_hot_all_the_time() {
    let measured = measure(Days::Hot, days()).await;
    tell("hot all the time", &measured);
    assert!(measured.with_free <= 1.40);
    assert!(measured.list <= 2.20);
    assert!(measured.backfill <= 0.05);
    assert!(0.9 <= measured.hot, "{}", measured.hot);
}

/// Half an hour in which CloudWatch refuses every call.
#[tokio::test]
async fn an_api_that_throttles_everything_is_asked_seldom_and_believed_at_once_when_it_answers() {
    let sim = Sim::new(world(Days::Hot, 1), 7);
    let faults = Arc::new(Faults::none());
    let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::clone(&faults));
    let mut settings = config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
    settings.accounts = accounts(sim.world());
    let ledger = MemoryLedger::new();
    let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
    let shared = Arc::new(shared);
    let mut cycle = Cycle::new(Arc::clone(&cloud), Arc::new(ledger), Arc::clone(&shared));
    let mut now = sim.now();
    let run = async |cycle: &mut Cycle, now: &mut Timestamp, minutes: i64| {
        for _ in 0..minutes {
            *now = after(*now, 1);
            sim.advance_to(*now);
            cycle.run(*now).await.unwrap();
        }
    };
    run(&mut cycle, &mut now, 60).await;
    let states = |shared: &Shared| -> Vec<_> {
        let health = shared.health();
        let verdicts = health.verdicts.values().flatten();
        verdicts
            .map(|it| (it.rule.clone(), it.pool.clone(), it.state))
            .collect()
    };
    let (before, counted) = (states(&shared), cloud.calls());
    faults.set(FaultRates {
        throttled: 1.0,
        ..FaultRates::default()
    });
    run(&mut cycle, &mut now, 30).await;
    let seconds = 30.0 * 60.0;
    for (operation, calls) in cloud.calls().since(&counted).by_operation() {
        // The SDK makes up to so many requests of one such call.
        let rate = calls as f64 * f64::from(READ_ATTEMPTS) / REGIONS.len() as f64 / seconds;
        println!("{operation}: at most {rate:.3} requests a second and Region");
        assert!(rate <= 0.2, "{operation}");
    }
    assert_eq!(states(&shared), before, "absence changes no verdict");
    // What is added up is known as far as the slowest full read.
    let last = |shared: &Shared| -> Vec<Minute> {
        let book = shared.book();
        let read = book.read_through.iter();
        let read = read.filter(|(pool, _)| pool.family.is_of_runtime());
        read.map(|(_, through)| *through).collect()
    };
    assert!(
        last(&shared)
            .iter()
            .all(|it| it.since(Minute::of(now)) <= -30)
    );
    faults.heal();
    run(&mut cycle, &mut now, 2).await;
    let through = last(&shared);
    assert_eq!(through.len(), TARGETS);
    assert!(
        through.iter().all(|it| *it == Minute::of(now)),
        "{through:?}"
    );
}

/// What a day with this budget spends, in USD.
async fn spent(days: Days, budget: f64) -> f64 {
    let sim = Sim::new(world(days, 1), 7);
    let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let mut settings = config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
    settings.accounts = accounts(sim.world());
    settings.rules = Rules::default();
    settings.cost.free_share = Share::from_basis_points(1).unwrap();
    settings.cost.monthly_budget = budget;
    let ledger = MemoryLedger::new();
    let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
    let shared = Arc::new(shared);
    let mut cycle = Cycle::new(Arc::clone(&cloud), Arc::new(ledger), Arc::clone(&shared));
    let start = sim.now();
    for minute in 0..DAY {
        let now = after(start, minute);
        sim.advance_to(now);
        cycle.run(now).await.unwrap();
    }
    let health = shared.health();
    let spent = health.month.as_ref().unwrap().so_far.usd;
    println!(
        "budget {budget} USD: {spent:.3} USD spent, stretched {:.2} times at the end",
        health.stretch
    );
    spent
}

/// A budget that pays for a third of full cadence.
#[tokio::test]
async fn a_budget_slows_the_reads_before_it_is_passed() {
    let spent = spent(Days::Busy, 0.35).await; // the day would come to 0.8
    assert!(spent <= 0.35, "{spent}");
    assert!(0.30 <= spent, "{spent}: the budget is there to be used");
}

/// Refusals wake all pools; what that reads is within the budget as well, whether a pool explains them or none does.
#[tokio::test]
async fn refusals_in_every_minute_pass_no_budget() {
    for days in [Days::Unplaced, Days::LastHot] {
        let spent = spent(days, 0.35).await;
        assert!(spent <= 0.35, "{spent}");
        assert!(0.30 <= spent, "{spent}: the budget is there to be used");
    }
}

/// What is read of the past in an hour, with this budget.
/// How much of the past was read in the first hour, and how many pools were judged by their refusals.
async fn first_hour(monthly_budget: f64) -> (usize, usize) {
    let sim = Sim::new(world(Days::Busy, 1), 7);
    let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let mut settings = config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
    settings.accounts = accounts(sim.world());
    settings.cost.free_share = Share::from_basis_points(1).unwrap();
    settings.cost.monthly_budget = monthly_budget;
    let (ledger, history) = (MemoryLedger::new(), MemoryHistory::new());
    let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
    let shared = Arc::new(shared.with_history(Arc::new(history.clone())));
    let mut cycle = Cycle::new(cloud, Arc::new(ledger), Arc::clone(&shared));
    for minute in 1..=60 {
        let now = after(sim.world().start, minute);
        sim.advance_to(now);
        cycle.run(now).await.unwrap();
    }
    let pools = history.pools();
    let read = pools.iter().map(|pool| history.held(pool).len()).sum();
    let health = shared.health();
    let verdicts = health.verdicts.values().flatten();
    let of_refusals = verdicts.filter(|it| it.rule.as_str() == "throttles");
    let judged = of_refusals.filter(|it| it.state == AlertState::Normal);
    (read, judged.count())
}

#[tokio::test]
async fn a_budget_that_is_used_up_leaves_the_past_for_later() {
    let (read, judged) = first_hour(50.0).await;
    assert!(0 < read && 0 < judged, "{read} {judged}");
    // What needs no past is judged all the same.
    assert_eq!(first_hour(0.001).await, (0, judged));
}

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
        denied: Vec::new(),
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
