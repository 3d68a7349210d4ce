//! A silence over a world that goes wrong: nothing is told while it holds, and nothing is lost across crashes.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::{collections::BTreeSet, sync::Arc};

use bedrock_ops_alert::{
    cloud::Cloud,
    config,
    model::{
        handling::Hold,
        order::{Command, End, Order},
        policy::Settings,
        selector::{Selector, Written},
        time::{Timestamp, after},
    },
    runtime::{
        cycle::Cycle,
        shared::{Posted, Shared},
    },
    sim::{self, Faults, Sim, World},
    store::{CommitFault, Ledger as _, MemoryLedger},
};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::support::{CONFIG, accounts};

/// One model at more than its quota of tokens.
pub(crate) const WORLD: &str = r#"
start = "2026-11-02T00:00:00Z"
seed = 5
length = "2d"
history = "1d"
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
destinations = ["us-east-1", "us-east-2"]
[[target]]
account = "111122223333"
region = "us-east-1"
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
"#;

/// The silence holds so long from the start, and the world goes on a little longer.
const SILENT: i64 = 24;
const MINUTES: i64 = 27;

/// When the process ends: never, between some cycles, or in commits.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ends {
    Never,
    BetweenCycles,
    InCommits(CommitFault),
}

pub(crate) fn daemon(
    cloud: &Arc<dyn Cloud>,
    ledger: &MemoryLedger,
    settings: &Settings,
) -> (Cycle, Arc<Shared>) {
    let (shared, _orders) = Shared::new(settings.clone(), true, ledger.load().unwrap());
    let shared = Arc::new(shared);
    let ledger = Arc::new(ledger.clone());
    (
        Cycle::new(Arc::clone(cloud), ledger, Arc::clone(&shared)),
        shared,
    )
}

async fn silence(cycle: &mut Cycle, now: Timestamp) {
    let (reply, answer) = oneshot::channel();
    let selector = Selector::read(&Written {
        models: vec!["*sonnet*".to_owned()],
        ..Written::default()
    });
    let order = Order {
        by: "Kim".to_owned(),
        why: Some("a load test".to_owned()),
        command: Command::Silence {
            selector: selector.unwrap(),
            from: None,
            end: End::After(SILENT),
            holds_requests: false,
        },
    };
    cycle.obey(Posted { order, reply }, now).await.unwrap();
    answer.await.unwrap().unwrap();
}

pub(crate) fn published(sim: &Sim) -> Vec<String> {
    published_by(&sim.state())
}

pub(crate) fn published_by(state: &Value) -> Vec<String> {
    let messages = state.get("published").and_then(Value::as_array).unwrap();
    let text = |it: &Value| {
        it.get("message")
            .and_then(Value::as_str)
            .unwrap()
            .to_owned()
    };
    messages.iter().map(text).collect()
}

/// What people heard, each message once: one that is sent twice in doubt is the same one.
async fn world(ends: Ends) -> BTreeSet<String> {
    let sim = Sim::new(World::parse(WORLD).unwrap(), 5);
    let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let mut settings = config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
    settings.accounts = accounts(sim.world());
    let mut ledger = MemoryLedger::new();
    let (mut cycle, mut shared) = daemon(&cloud, &ledger, &settings);
    let start = sim.now();
    silence(&mut cycle, start).await;
    for minute in 0..MINUTES {
        let now = after(start, minute);
        sim.advance_to(now);
        if let Ends::InCommits(fault) = ends
            && minute % 6 == 1
        {
            ledger.fail_next(fault);
        }
        let is_cut = cycle.run(now).await.is_err();
        if is_cut || (ends == Ends::BetweenCycles && minute % 5 == 4) {
            ledger = ledger.reopen();
            (cycle, shared) = daemon(&cloud, &ledger, &settings);
        }
        let book = shared.book();
        assert_eq!(book.silences.len(), 1, "{ends:?}");
        if minute < SILENT {
            assert_eq!(published(&sim), Vec::<String>::new(), "{ends:?} {minute}");
        }
        if minute == SILENT - 1 {
            let mut open = book.incidents.values().filter(|it| it.is_open());
            let incident = open.next().unwrap();
            assert_eq!(incident.told, None, "{ends:?}");
            let held = book
                .handlings
                .get(&incident.id)
                .unwrap()
                .held
                .clone()
                .unwrap();
            assert!(matches!(held.hold, Hold::Silenced { .. }), "{held:?}");
        }
    }
    published(&sim).into_iter().collect()
}

#[tokio::test]
async fn a_silence_loses_nothing_across_crashes() {
    let told = world(Ends::Never).await;
    let [message] = &Vec::from_iter(told.clone())[..] else {
        panic!("told once: {told:?}");
    };
    assert!(message.contains("The silence of Kim (a load test) ended at 2026-11-02 00:24 UTC"));
    assert!(message.contains("Meanwhile:"), "{message}");
    assert_eq!(world(Ends::BetweenCycles).await, told);
    for fault in [CommitFault::Before, CommitFault::After] {
        let heard = world(Ends::InCommits(fault)).await;
        assert_eq!(heard.len(), 1, "{fault:?}: {heard:?}");
        let message = heard.first().unwrap();
        assert!(message.contains("Meanwhile:"), "{fault:?}: {message}");
    }
}
