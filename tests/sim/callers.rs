//! Whether callers may use a way out, from the simulated IAM to the message of an incident; and what it costs those who name
//! nobody: nothing.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::sync::Arc;

use bedrock_ops_alert::{
    cloud::Cloud,
    config,
    model::{action::Effect, time::after},
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim, World},
    store::{Ledger as _, MemoryLedger},
};

use crate::{
    silences::WORLD,
    support::{CONFIG, accounts},
};

/// The same model has room by its global profile, which an SCP denies to all, and in the Region itself, where one role may
/// only call.
const ROOM: &str = r#"
[[profile]]
id = "global.anthropic.claude-sonnet-4-6"
model = "anthropic.claude-sonnet-4-6"
[[target]]
account = "111122223333"
region = "us-east-1"
id = "global.anthropic.claude-sonnet-4-6"
trace = "steady"
evened = true
requests_per_minute = 1
[[target]]
account = "111122223333"
region = "us-east-1"
id = "anthropic.claude-sonnet-4-6"
trace = "steady"
evened = true
requests_per_minute = 1
[[denial]]
account = "111122223333"
regions = "unspecified"
by = "scp"
[[denial]]
account = "111122223333"
callers = "role/batch"
resources = "*:foundation-model/*"
actions = "*Stream"
by = "policy"
policy = "no-streams"
"#;

const CALLERS: &str = r#"
[[account]]
id = "111122223333"
regions = ["us-east-1"]
callers = ["arn:aws:iam::111122223333:role/app", "arn:aws:iam::111122223333:role/batch"]
"#;

const OPERATION: &str = "iam:SimulatePrincipalPolicy";

/// The ways out as the first message names them, and how often IAM was asked.
async fn told(callers: &str) -> (String, u64) {
    let sim = Sim::new(World::parse(&format!("{WORLD}{ROOM}")).unwrap(), 5);
    let cloud: Arc<dyn Cloud> =
        sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let ledger = MemoryLedger::new();
    let start = sim.now();
    let text = format!("{CONFIG}{callers}");
    let mut settings = config::parse(&text, "world.toml", &config::Overrides::default()).unwrap();
    settings.accounts = accounts(sim.world());
    let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
    let shared = Arc::new(shared);
    let mut cycle = Cycle::new(
        Arc::clone(&cloud),
        Arc::new(ledger.clone()),
        Arc::clone(&shared),
    );
    for minute in 0..40 {
        let now = after(start, minute);
        sim.advance_to(now);
        cycle.run(now).await.unwrap();
    }
    let calls = cloud.calls();
    let asked = calls.by_site.iter();
    let asked = asked.filter(|(site, _)| site.operation == OPERATION);
    let asked = asked.map(|(_, calls)| calls.requests).sum();
    let book = shared.book();
    let mut messages: Vec<_> = book.intents.values().collect();
    messages.sort_by_key(|it| it.created);
    let bodies = messages.into_iter().filter_map(|it| match &it.effect {
        Effect::Notify { body, .. } => Some(body.clone()),
        Effect::RequestQuota { .. }
        | Effect::OpenCase { .. }
        | Effect::Comment { .. }
        | Effect::EndCase { .. } => None,
    });
    let bodies: Vec<String> = bodies.collect();
    let lines = bodies.iter().flat_map(|it| it.lines());
    let ways: Vec<&str> = lines.filter(|it| it.contains("refused there")).collect();
    (ways.join("\n"), asked)
}

#[tokio::test]
async fn messages_say_beside_a_way_out_whether_callers_may_use_it() {
    let (ways, asked) = told(CALLERS).await;
    insta::assert_snapshot!("callers", ways);
    // For two callers: the global profile, the model here and that without a Region; and the model here by itself.
    assert_eq!(asked, 2 * (3 + 1));
    let (ways, asked) = told("").await;
    assert!(ways.contains("global"), "{ways}");
    assert!(!ways.contains("role"), "{ways}");
    assert_eq!(asked, 0, "nobody is named");
}
