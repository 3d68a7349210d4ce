//! Ways out that nobody uses yet, from the listing of a profile to the message about a shortage.

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

use crate::support::{CONFIG, accounts};

/// All traffic goes to the bare id, which runs short; `us.` and `global.` are listed, with quotas of their own, and have
/// never been called. The model of the other profile is not called here at all.
const WORLD: &str = r#"
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
[[model]]
id = "anthropic.claude-sonnet-4-20250514-v1:0"
label = "Anthropic Claude Sonnet 4 V1"
burndown = 5
[[profile]]
id = "us.anthropic.claude-sonnet-4-6"
model = "anthropic.claude-sonnet-4-6"
destinations = ["us-east-1", "us-east-2"]
[[profile]]
id = "global.anthropic.claude-sonnet-4-6"
model = "anthropic.claude-sonnet-4-6"
[[profile]]
id = "global.anthropic.claude-sonnet-4-20250514-v1:0"
model = "anthropic.claude-sonnet-4-20250514-v1:0"
[[target]]
account = "111122223333"
region = "us-east-1"
id = "anthropic.claude-sonnet-4-6"
trace = "steady"
evened = true
requests_per_minute = 60
input_tokens = 1000
output_tokens = 200
[[quota]]
account = "111122223333"
region = "us-east-1"
code = "L-5F5A169C"
applied = 142000
default = 142000
"#;

/// The lines about room of all messages, each once, and how many series CloudWatch was asked for; with a restart after so
/// many minutes.
async fn told(world: &str, rule: &str, restart: i64) -> (Vec<String>, u64, Vec<String>) {
    let sim = Sim::new(World::parse(world).unwrap(), 5);
    let cloud: Arc<dyn Cloud> =
        sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let ledger = MemoryLedger::new();
    let start = sim.now();
    let (mut lines, mut pools) = (Vec::new(), Vec::new());
    for minutes in [0..restart, restart..30] {
        let text = format!("{CONFIG}\n{rule}");
        let mut settings =
            config::parse(&text, "world.toml", &config::Overrides::default()).unwrap();
        settings.accounts = accounts(sim.world());
        let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
        let shared = Arc::new(shared);
        let own = Arc::new(ledger.clone());
        let mut cycle = Cycle::new(Arc::clone(&cloud), own, Arc::clone(&shared));
        for minute in minutes {
            let now = after(start, minute);
            sim.advance_to(now);
            cycle.run(now).await.unwrap();
        }
        let book = shared.book();
        let bodies = book.intents.values().filter_map(|it| match &it.effect {
            Effect::Notify { body, .. } => Some(body.clone()),
            Effect::RequestQuota { .. }
            | Effect::OpenCase { .. }
            | Effect::Comment { .. }
            | Effect::EndCase { .. } => None,
        });
        let bodies: Vec<String> = bodies.collect();
        let all = bodies.iter().flat_map(|it| it.lines());
        lines.extend(
            all.filter(|it| it.contains("nobody uses it yet"))
                .map(str::to_owned),
        );
        pools = book.pools.keys().map(|it| it.family.to_string()).collect();
    }
    lines.sort();
    lines.dedup();
    let calls = cloud.calls();
    let data = calls.by_site.iter();
    let data = data.filter(|(site, _)| site.operation == "cloudwatch:GetMetricData");
    let metrics = data.map(|(_, calls)| calls.metrics).sum();
    (lines, metrics, pools)
}

const GLOBAL: &str = "by `global.anthropic.claude-sonnet-4-6`";
const US: &str = "by `us.anthropic.claude-sonnet-4-6`";

#[tokio::test]
async fn a_pool_that_is_short_is_told_of_the_quotas_that_nobody_uses() {
    let (lines, _, pools) = told(WORLD, "", 8).await;
    let all = lines.join("\n");
    assert!(all.contains(GLOBAL) && all.contains(US), "{all}");
    assert!(
        !all.contains("sonnet-4-2025"),
        "nobody calls that model: {all}"
    );
    assert!(all.contains("if data may go there"), "{all}");
    // All models of the account together are a pool of their own.
    assert_eq!(pools, ["on-demand", "account"], "they are not watched");
}

/// A restart before the message: what was listed is remembered, and nothing is listed anew for it.
#[tokio::test]
async fn a_restart_forgets_none_and_nothing_is_asked_of_cloudwatch_for_them() {
    let (kept, restarted, _) = told(WORLD, "", 1).await;
    let (lines, straight, _) = told(WORLD, "", 30).await;
    assert_eq!(kept, lines);
    let elsewhere = "[[profile]]\nsources = [\"eu-west-1\"]\n";
    let without = WORLD.replace("[[profile]]\n", elsewhere);
    let (none, bare, _) = told(&without, "", 30).await;
    assert_eq!(none, Vec::<String>::new());
    assert_eq!([restarted, straight], [bare, bare]);
}

#[tokio::test]
async fn none_is_named_that_leaves_where_data_may_be() {
    let rule = |allow: &str| format!("[[residency]]\nname = \"here\"\nallow = [\"{allow}\"]\n");
    let (lines, _, _) = told(WORLD, &rule("us-east-1"), 8).await;
    assert_eq!(lines, Vec::<String>::new());
    let (lines, _, _) = told(WORLD, &rule("us"), 8).await;
    let all = lines.join("\n");
    assert!(all.contains(US) && !all.contains("global"), "{all}");
    assert!(all.contains("within your rules of residency"), "{all}");
}
