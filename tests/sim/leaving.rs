//! A Region that is taken out of the configuration: nothing of it looks as if it were watched, and it comes back with its past.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::{collections::BTreeMap, sync::Arc};

use bedrock_ops_alert::{
    cloud::Cloud,
    config,
    model::{
        action::Effect,
        book::Record,
        catalog::{Family, Pool, PoolId},
        ids::{AccountId, ModelId, Region, Scope},
        incident::Incident,
        policy::{Regions, Settings},
        time::{Timestamp, after},
    },
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim, World},
    store::{History, Ledger as _, MemoryHistory, MemoryLedger},
};

use crate::support::{CONFIG, accounts};

/// The same traffic in two Regions. In the first it takes most of the quota.
const WORLD: &str = r#"
start = "2026-11-02T00:00:00Z"
seed = 5
length = "3d"
history = "1d"
[[account]]
id = "111122223333"
name = "production"
regions = ["us-east-1", "us-west-2"]
topics = ["bedrock-alerts"]
[[model]]
id = "anthropic.claude-sonnet-4-6"
label = "Anthropic Claude Sonnet 4.6"
burndown = 5
[[profile]]
id = "us.anthropic.claude-sonnet-4-6"
model = "anthropic.claude-sonnet-4-6"
destinations = ["us-east-1", "us-west-2"]
[[target]]
account = "111122223333"
region = "us-east-1"
id = "us.anthropic.claude-sonnet-4-6"
trace = "steady"
evened = true
requests_per_minute = 60
input_tokens = 1000
output_tokens = 200
[[target]]
account = "111122223333"
region = "us-west-2"
id = "us.anthropic.claude-sonnet-4-6"
trace = "steady"
evened = true
requests_per_minute = 60
input_tokens = 1000
output_tokens = 200
[[quota]]
account = "111122223333"
region = "us-east-1"
code = "L-15B8E632"
applied = 142000
default = 142000
[[quota]]
account = "111122223333"
region = "us-west-2"
code = "L-15B8E632"
applied = 2000000
default = 2000000
"#;

/// What outlives a restart.
struct Kept {
    sim: Arc<Sim>,
    cloud: Arc<dyn Cloud>,
    ledger: MemoryLedger,
    history: MemoryHistory,
    now: Timestamp,
}

impl Kept {
    /// A service that watches these Regions, for so many minutes.
    async fn run(&mut self, regions: &[&str], minutes: i64) -> Arc<Shared> {
        let mut settings: Settings =
            config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
        settings.accounts = accounts(self.sim.world());
        for account in &mut settings.accounts {
            let regions = regions.iter().map(|it| Region::new(*it));
            account.regions = Regions::These(regions.collect());
        }
        let (shared, _orders) = Shared::new(settings, true, self.ledger.load().unwrap());
        let shared = Arc::new(shared.with_history(Arc::new(self.history.clone())));
        let ledger = Arc::new(self.ledger.clone());
        let mut cycle = Cycle::new(Arc::clone(&self.cloud), ledger, Arc::clone(&shared));
        for _ in 0..minutes {
            self.sim.advance_to(self.now);
            cycle.run(self.now).await.unwrap();
            self.now = after(self.now, 1);
        }
        shared
    }
}

fn in_east(shared: &Shared) -> Vec<Incident> {
    let book = shared.book();
    let incidents = book.incidents.values();
    let east = incidents.filter(|it| it.cause.scope().region.as_str() == "us-east-1");
    east.cloned().collect()
}

fn regions(shared: &Shared) -> Vec<String> {
    let book = shared.book();
    let regions = book.pools.keys().map(|it| it.scope.region.to_string());
    let mut regions: Vec<String> = regions.collect();
    regions.sort();
    regions.dedup();
    regions
}

#[tokio::test]
async fn a_region_that_is_taken_out_leaves_nothing_that_looks_watched_and_comes_back_with_its_past()
{
    let sim = Sim::new(World::parse(WORLD).unwrap(), 5);
    let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let mut kept = Kept {
        now: sim.now(),
        cloud,
        sim,
        ledger: MemoryLedger::new(),
        history: MemoryHistory::new(),
    };
    let both = ["us-east-1", "us-west-2"];
    let shared = kept.run(&both, 40).await;
    assert_eq!(regions(&shared), both);
    assert!(
        in_east(&shared).iter().any(Incident::is_open),
        "it is short"
    );

    let shared = kept.run(&["us-west-2"], 40).await;
    assert_eq!(regions(&shared), ["us-west-2"]);
    let ended = in_east(&shared);
    assert!(ended.iter().all(|it| !it.is_open()), "{ended:#?}");
    let why = ended.iter().flat_map(|it| &it.decisions);
    let mut why = why.map(|it| it.what.as_str());
    assert!(why.any(|it| it.ends_with("is over: the pool is no longer watched")));
    {
        let health = shared.health();
        let judged = health.verdicts.keys();
        let ahead = health.outlooks.keys().map(|(pool, _)| pool);
        let mut all = judged.chain(ahead);
        assert!(all.all(|it| it.scope.region.as_str() == "us-west-2"));
    }
    // What came back once is told as over when it can't come back as the same one.
    let later = kept.run(&["us-west-2"], 190).await;
    let told = later.book().intents.values().any(|it| match &it.effect {
        Effect::Notify { subject, .. } => {
            subject.starts_with("[resolved]") && subject.contains("us-east-1")
        }
        Effect::RequestQuota { .. }
        | Effect::OpenCase { .. }
        | Effect::Comment { .. }
        | Effect::EndCase { .. } => false,
    });
    assert!(told, "whoever heard of it hears its end");
    let pools = kept.history.pools();
    assert!(
        pools
            .iter()
            .any(|it| it.scope.region.as_str() == "us-east-1")
    );

    // A pool whose last target is forgotten goes the same way.
    let idle = Pool {
        id: PoolId {
            scope: Scope {
                account: AccountId::new("111122223333"),
                region: Region::new("us-west-2"),
            },
            family: Family::Geo,
            model: ModelId::new("anthropic.claude-3-haiku-20240307-v1:0"),
        },
        burndown: Some(1.0),
        worth: None,
        mappings: BTreeMap::new(),
    };
    kept.ledger.commit(&[Record::Pool(idle.clone())]).unwrap();
    let shared = kept.run(&["us-west-2"], 1).await;
    assert!(!shared.book().pools.contains_key(&idle.id));

    let shared = kept.run(&both, 40).await;
    assert_eq!(regions(&shared), both);
    let again = in_east(&shared);
    assert!(again.iter().any(Incident::is_open), "{again:#?}");
    let open = again.iter().filter(|it| it.is_open()).count();
    assert_eq!(open, 1);
}
