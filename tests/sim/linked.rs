//! An account that is read through its monitoring account, and nothing else of it can be asked.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop"
)]

use std::{collections::BTreeMap, sync::Arc};

use bedrock_ops_alert::{
    cloud::Cloud,
    config,
    model::{
        action::Effect,
        catalog::Mapping,
        ids::{AccountId, Scope, TargetId},
        policy::Settings,
        series::{SETTLE_MINUTES, Sample, Signal},
        time::{Minute, after},
    },
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim, TargetMinute, World},
    store::{Ledger as _, MemoryLedger},
};
use serde_json::Value;

/// The account that is linked, into which no role leads.
const LINKED: &str = "444455556666";

/// Two models in each account; in the linked one a quota is short, and a project calls through a profile of its own.
const WORLD: &str = r#"
start = "2026-11-02T00:00:00Z"
seed = 5
length = "2d"
history = "1d"
[[account]]
id = "111122223333"
regions = ["us-east-1"]
topics = ["bedrock-alerts"]
monitors = ["444455556666"]
[[account]]
id = "444455556666"
regions = ["us-east-1"]
assumable = false
[[model]]
id = "anthropic.claude-sonnet-4-6"
label = "Anthropic Claude Sonnet 4.6"
burndown = 5
[[model]]
id = "amazon.nova-lite-v1:0"
label = "Amazon Nova Lite"
[[profile]]
id = "us.anthropic.claude-sonnet-4-6"
model = "anthropic.claude-sonnet-4-6"
destinations = ["us-east-1", "us-east-2"]
[[application_profile]]
id = "app000000001"
name = "team"
account = "444455556666"
region = "us-east-1"
copied_from = "amazon.nova-lite-v1:0"
[[quota]]
account = "444455556666"
region = "us-east-1"
code = "L-15B8E632"
applied = 100_000
"#;

fn world() -> World {
    let target = |account: &str, id: &str, rpm: u32| {
        format!(
            "[[target]]\naccount = \"{account}\"\nregion = \"us-east-1\"\nid = \"{id}\"\ntrace = \"steady\"\n\
             evened = true\nrequests_per_minute = {rpm}\ninput_tokens = 1000\noutput_tokens = 200\n"
        )
    };
    let geo = "us.anthropic.claude-sonnet-4-6";
    let mut text = WORLD.to_owned();
    text += &target("111122223333", geo, 3);
    text += &target(LINKED, geo, 120);
    text += &target(LINKED, "anthropic.claude-sonnet-4-6", 7);
    text += &target(LINKED, "app000000001", 5);
    World::parse(&text).unwrap()
}

fn settings() -> Settings {
    let text = format!(
        "mode = \"file\"\n[receiver.topic]\nkind = \"sns\"\n\
         topic_arn = \"arn:aws:sns:us-east-1:111122223333:bedrock-alerts\"\n\
         [[account]]\nid = \"111122223333\"\nregions = [\"us-east-1\"]\n\
         [[account]]\nid = \"{LINKED}\"\nregions = [\"us-east-1\"]\nmetrics_through = \"111122223333\"\n"
    );
    config::parse(&text, "linked.toml", &config::Overrides::default()).unwrap()
}

/// Runs so many minutes; what the daemon knows then.
async fn run(minutes: i64) -> (Arc<Sim>, Arc<dyn Cloud>, Arc<Shared>) {
    let sim = Sim::new(world(), 5);
    let settings = settings();
    let first = sim.world().first_account();
    let cloud = sim::linked_cloud(&sim, first, Arc::new(Faults::none()), &settings.accounts);
    let ledger = MemoryLedger::new();
    let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
    let shared = Arc::new(shared);
    let mut cycle = Cycle::new(Arc::clone(&cloud), Arc::new(ledger), Arc::clone(&shared));
    for minute in 0..minutes {
        let now = after(sim.world().start, minute);
        sim.advance_to(now);
        cycle.run(now).await.unwrap();
    }
    (sim, cloud, shared)
}

/// A sum of what really happened.
type Sum = fn(&TargetMinute) -> f64;

/// Values that were compared with what happened, over the pools of the linked account.
fn compared(sim: &Sim, shared: &Shared) -> usize {
    let sums: [(Signal, Sum); 3] = [
        (Signal::Invocations, |it| it.invocations),
        (Signal::Throttles, |it| it.throttles),
        (Signal::ChargedTokens, |it| it.charged),
    ];
    let book = shared.book();
    let first = sim.world().first_minute();
    let linked = book.pools.keys();
    let linked = linked.filter(|pool| pool.scope.account.as_str() == LINKED);
    let mut compared = 0;
    for pool in linked {
        let truth = sim.pool_minutes(pool).unwrap();
        let read = book.read_through[pool].plus(-SETTLE_MINUTES);
        for (minute, row) in first.until(read).zip(&truth) {
            for (signal, of) in sums {
                if let Sample::Value(known) = book.series[pool].get(signal, minute) {
                    assert_eq!(known.to_bits(), of(row).to_bits(), "{pool} {minute}");
                    compared += 1;
                }
            }
        }
    }
    compared
}

#[tokio::test]
async fn the_totals_of_a_linked_account_are_what_happened_and_the_meter_counts_each_request() {
    let (sim, cloud, shared) = run(60).await;
    assert!(
        5_000 < compared(&sim, &shared),
        "{}",
        compared(&sim, &shared)
    );
    let (counted, state) = (cloud.calls(), sim.state());
    let of = |key: &str| -> BTreeMap<String, u64> {
        let counts = state[key].as_object().unwrap().iter();
        let number = |count: &Value| count.as_u64().unwrap();
        counts
            .map(|(name, count)| (name.clone(), number(count)))
            .collect()
    };
    assert_eq!(counted.by_operation(), of("calls"));
    let billed: u64 = of("billed_metrics").values().sum();
    assert_eq!(counted.metrics(), billed);
    // The monitoring account asks, and pays.
    let mut sites = counted.by_site.keys().filter_map(|it| it.scope.as_ref());
    assert!(sites.all(|scope| scope.account.as_str() != LINKED));
}

#[tokio::test]
async fn of_a_linked_account_nothing_is_guessed_and_nothing_is_filed_there() {
    let (sim, _, shared) = run(60).await;
    let scope = Scope {
        account: AccountId::new(LINKED),
        region: sim.world().accounts[1].regions[0].clone(),
    };
    let book = shared.book();
    let profile = TargetId::new("app000000001");
    assert!(!book.targets.contains_key(&(scope.clone(), profile)));
    let pools: Vec<_> = book.pools_in(&scope).collect();
    assert_eq!(pools.len(), 2);
    let mut mappings = pools.iter().flat_map(|pool| pool.mappings.values());
    assert!(mappings.all(|it| *it == Mapping::Unknown));
    // Requests are refused there, which people hear, and AWS does not.
    let of_linked = book.incidents.values();
    let of_linked = of_linked.filter(|it| it.cause.scope() == &scope);
    let notes = of_linked.flat_map(|it| it.decisions.clone());
    let notes: Vec<String> = notes.map(|it| it.what).collect();
    let why = "no role leads into account 444455556666, whose metrics come through 111122223333";
    assert!(notes.iter().any(|it| it.contains(why)), "{notes:?}");
    let filed = book
        .intents
        .values()
        .filter(|it| !matches!(it.effect, Effect::Notify { .. }));
    assert_eq!(filed.count(), 0);
    // None of it is a failure: nobody is told each round of what was meant.
    let health = shared.health();
    assert!(health.failing.is_empty(), "{:?}", health.failing);
    let now = Minute::of(sim.now());
    let read = pools.iter().map(|pool| book.read_through[&pool.id]);
    assert!(read.into_iter().all(|it| now.since(it) <= 5));
}
