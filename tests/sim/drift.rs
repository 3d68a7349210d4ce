//! A burndown rate that AWS changed shows in the daily cross-check of charged tokens.

use std::sync::Arc;

use bedrock_ops_alert::{
    config,
    model::{
        time::{DAY, Minute, after},
        units::QuotaKind,
    },
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim, World},
    store::{Ledger as _, MemoryLedger},
};

use crate::support::{CONFIG, accounts};

/// One model is charged at twice the rate that our table states, one at the stated rate.
const WORLD: &str = r#"
start = "2026-11-02T00:00:00Z"
seed = 5
length = "2d"
history = "5d"
[[account]]
id = "111122223333"
name = "production"
regions = ["us-east-1"]
[[model]]
id = "anthropic.claude-sonnet-4-6"
label = "Anthropic Claude Sonnet 4.6"
burndown = 10
[[model]]
id = "amazon.nova-pro-v1:0"
label = "Amazon Nova Pro"
[[target]]
account = "111122223333"
region = "us-east-1"
id = "anthropic.claude-sonnet-4-6"
trace = "steady"
requests_per_minute = 20
input_tokens = 1000
output_tokens = 300
cache_write_share = 0.1
cache_read_share = 0.5
[[target]]
account = "111122223333"
region = "us-east-1"
id = "amazon.nova-pro-v1:0"
trace = "steady"
requests_per_minute = 20
input_tokens = 1000
output_tokens = 300
cache_read_share = 0.5
"#;

#[tokio::test]
async fn a_rate_that_aws_changed_is_named_the_next_day() {
    let sim = Sim::new(World::parse(WORLD).unwrap(), 5);
    let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let mut settings = config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
    settings.accounts = accounts(sim.world());
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
    let of = |model: &str| {
        let mut checks = health.checks.iter();
        let (_, check) = checks
            .find(|(pool, _)| pool.model.as_str() == model)
            .unwrap();
        check.clone()
    };
    let (changed, stated) = (
        of("anthropic.claude-sonnet-4-6"),
        of("amazon.nova-pro-v1:0"),
    );
    // The day before the start, since it settled a quarter of an hour after midnight.
    assert_eq!(changed.day, Minute::of(start).plus(-DAY));
    assert!(
        changed.is_off() && changed.likely == Some(10),
        "{changed:?}"
    );
    assert!((changed.rate - 5.0).abs() < 1e-9);
    assert!(
        !stated.is_off() && stated.drift().abs() < 1e-9,
        "{stated:?}"
    );
    // The charge itself is CloudWatch's own figure, whatever our table says.
    let book = shared.book();
    let mut models = book
        .pools
        .values()
        .filter(|it| it.id.family.is_of_runtime());
    assert!(models.all(|it| it.mapping(QuotaKind::Tpm).code().is_some()));
}
