//! An override raises the threshold of one pool, and of no other.

use std::sync::Arc;

use bedrock_ops_alert::{
    config,
    model::{alert::Verdict, time::after},
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim, World},
    store::{Ledger as _, MemoryLedger},
};

use crate::support::{CONFIG, accounts};

/// Two models in the same Region, each at about 85 % of its quota of tokens.
const WORLD: &str = r#"
start = "2026-11-02T00:00:00Z"
seed = 5
length = "2d"
history = "1d"
[[account]]
id = "111122223333"
name = "production"
regions = ["us-east-1"]
[[model]]
id = "anthropic.claude-sonnet-4-6"
label = "Anthropic Claude Sonnet 4.6"
burndown = 5
[[model]]
id = "anthropic.claude-haiku-4-5-20251001-v1:0"
label = "Anthropic Claude Haiku 4.5"
burndown = 5
[[profile]]
id = "us.anthropic.claude-sonnet-4-6"
model = "anthropic.claude-sonnet-4-6"
destinations = ["us-east-1", "us-east-2"]
[[profile]]
id = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
model = "anthropic.claude-haiku-4-5-20251001-v1:0"
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
[[target]]
account = "111122223333"
region = "us-east-1"
id = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
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
region = "us-east-1"
code = "L-58BE175A"
applied = 142000
default = 142000
"#;

const OVERRIDE: &str = r#"
[[override]]
name = "tight-on-purpose"
models = ["*haiku*"]
[override.rule.tpm-share-warning]
above = "100 %"
clear = "99 %"
window = "60 of 60"
"#;

#[tokio::test]
async fn an_override_raises_the_threshold_of_one_pool_only() {
    let sim = Sim::new(World::parse(WORLD).unwrap(), 5);
    let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let text = format!("{CONFIG}\n{OVERRIDE}");
    let mut settings = config::parse(&text, "world.toml", &config::Overrides::default()).unwrap();
    settings.accounts = accounts(sim.world());
    let everywhere = settings.rules.everywhere().to_vec();
    let ledger = MemoryLedger::new();
    let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
    let shared = Arc::new(shared);
    let mut cycle = Cycle::new(cloud, Arc::new(ledger), Arc::clone(&shared));
    let start = sim.now();
    for minute in 0..40 {
        let now = after(start, minute);
        sim.advance_to(now);
        cycle.run(now).await.unwrap();
    }
    let health = shared.health();
    let judged = |model: &str| {
        let mut of_pools = health.verdicts.iter();
        let (_, verdicts) = of_pools
            .find(|(pool, _)| pool.model.as_str().contains(model))
            .unwrap();
        let by_rule = |it: &&Verdict| it.rule.as_str() == "tpm-share-warning";
        verdicts.iter().find(by_rule).unwrap()
    };
    let (raised, usual) = (judged("haiku"), judged("sonnet"));
    assert!(usual.state.is_on(), "{usual:?}");
    assert!(!raised.state.is_on(), "{raised:?}");
    let shipped: Vec<&str> = everywhere.iter().map(|rule| rule.hash.as_str()).collect();
    assert!(shipped.contains(&usual.rule_hash.as_str()));
    assert!(
        !shipped.contains(&raised.rule_hash.as_str()),
        "the rule as it holds there"
    );
    let book = shared.book();
    let members = book.incidents.values().flat_map(|it| it.members.keys());
    let mut of_rule = members.filter(|it| it.rule.as_str() == "tpm-share-warning");
    assert!(of_rule.all(|it| it.pool.model.as_str().contains("sonnet")));
}
