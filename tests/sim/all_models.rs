//! The daily quota that all models of an account share, from the simulated AWS that refuses by it to what people are told: it
//! is named when it refuses for the first time, and known ahead from then on.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::sync::Arc;

use bedrock_ops_alert::{
    cloud::Cloud,
    config,
    model::{
        action::{Effect, Intent},
        book::Book,
        catalog::PoolId,
        hint::Clue,
        incident::Incident,
        policy::Mode,
        time::{Timestamp, after},
        units::QuotaKind,
        worth::{UNIT_USD, Worth},
    },
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim, World},
    store::{Ledger as _, MemoryHistory, MemoryLedger},
};

use crate::support::{CONFIG, accounts};

const WORLD: &str = include_str!("../data/worlds/daily.toml");
/// What no list says; all others are as published, which is not quite what the world's AWS weighs by.
const PRICES: &str = r#"
[[price]]
models = ["amazon.titan-embed-*"]
input = "0.02 USD"
output = "0 USD"
"#;
const CODE: &str = "L-E3F10727";
const TOKENS: f64 = 150e6;
const DAY: i64 = 1_440;

/// A daemon over the world, restarted from what is durable whenever it is told to.
struct Watch {
    sim: Arc<Sim>,
    ledger: MemoryLedger,
    history: MemoryHistory,
    cycle: Cycle,
    shared: Arc<Shared>,
    start: Timestamp,
}

impl Watch {
    fn new() -> Self {
        let sim = Sim::new(World::parse(WORLD).unwrap(), 4);
        let (ledger, history) = (MemoryLedger::new(), MemoryHistory::new());
        let (cycle, shared) = daemon(&sim, &ledger, &history);
        Self {
            start: sim.now(),
            sim,
            ledger,
            history,
            cycle,
            shared,
        }
    }

    fn restart(&mut self) {
        (self.cycle, self.shared) = daemon(&self.sim, &self.ledger, &self.history);
    }

    async fn run(&mut self, minutes: std::ops::Range<i64>) {
        for minute in minutes {
            let now = after(self.start, minute);
            self.sim.advance_to(now);
            self.cycle.run(now).await.unwrap();
        }
    }

    fn worth(&self) -> Worth {
        let book = self.shared.book();
        book.pools.values().find_map(|it| it.worth).unwrap()
    }
}

fn daemon(sim: &Arc<Sim>, ledger: &MemoryLedger, history: &MemoryHistory) -> (Cycle, Arc<Shared>) {
    let cloud: Arc<dyn Cloud> =
        sim::cloud(sim, sim.world().first_account(), Arc::new(Faults::none()));
    let text = format!("{CONFIG}{PRICES}");
    let mut settings = config::parse(&text, "world.toml", &config::Overrides::default()).unwrap();
    settings.accounts = accounts(sim.world());
    settings.policy.mode = Mode::File;
    let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
    let shared = Arc::new(shared.with_history(Arc::new(history.clone())));
    let cycle = Cycle::new(cloud, Arc::new(ledger.clone()), Arc::clone(&shared));
    (cycle, shared)
}

/// The incident about the day of all models, if there is one that is open.
fn incident_of(book: &Book) -> Option<&Incident> {
    let mut open = book.incidents.values().filter(|it| it.is_open());
    open.find(|it| it.kind == Some(QuotaKind::CrossModelTpd))
}

#[tokio::test]
async fn the_day_of_all_models_is_named_when_it_refuses_and_then_known_ahead() {
    let mut watch = Watch::new();
    // Three days go through, the third with 95 % of the quota: it may be anything above that.
    watch.run(1..3 * DAY).await;
    let before = watch.worth();
    let least = before.low * TOKENS * UNIT_USD;
    assert!((400.0..470.0).contains(&least), "{before:?}");
    assert!(1.0 < before.doubt(), "{before:?}");
    assert!(incident_of(&watch.shared.book()).is_none());
    watch.restart();
    // On the fourth it is used up between 17:00 and 18:00 UTC, and everything is refused until midnight.
    watch.run(3 * DAY..3 * DAY + 18 * 60 + 30).await;
    let told = watch.worth();
    let really = 3.0;
    assert!(told.doubt() < 0.2, "{told:?}");
    assert!(
        told.low < 1.1 * really && really < 1.1 * told.high,
        "{told:?}"
    );
    {
        let book = watch.shared.book();
        let hints = book.incidents.values().flat_map(|it| &it.hints);
        let named: Vec<String> = hints
            .filter(|it| matches!(&it.clue, Clue::Daily(it) if it.shared.is_some()))
            .map(|it| it.clue.what())
            .collect();
        assert!(!named.is_empty(), "no incident names what refuses");
        assert!(named.iter().all(|it| it.contains(CODE)), "{named:?}");
        let own = incident_of(&book).unwrap();
        assert_eq!(own.pools, [PoolId::of_account(own.cause.scope())].into());
    }
    watch.restart();
    // On the fifth it is used up at about 16:00; people hear of it hours before.
    watch.run(3 * DAY + 18 * 60 + 30..4 * DAY + 13 * 60).await;
    let book = watch.shared.book();
    assert!(
        incident_of(&book).is_some(),
        "nothing is told three hours before"
    );
    // Neither is asked on an estimate, nor is AWS asked why all is refused when that is known.
    let filed = book.intents.values().filter(|it| match &it.effect {
        Effect::RequestQuota { .. } | Effect::OpenCase { .. } => true,
        Effect::Notify { .. } | Effect::Comment { .. } | Effect::EndCase { .. } => false,
    });
    let filed: Vec<&Intent> = filed.collect();
    assert!(filed.is_empty(), "{filed:?}");
}
