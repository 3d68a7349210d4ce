//! Twenty models of one account and Region run short in the same hour, and AWS keeps two requests open a Region: each of them
//! ends in more quota or in a refusal that people heard, one after the other, and none is asked for twice.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use bedrock_ops_alert::{
    cloud::Cloud,
    config,
    model::{
        action::Effect,
        desk::{Ask, AskEnd},
        ids::QuotaCode,
        policy::Mode,
        time::after,
    },
    sim::{self, Faults, Sim, World, world::FaultRates},
    store::MemoryLedger,
};
use serde_json::Value;

use crate::{
    silences::{daemon, published},
    support::{CONFIG, accounts},
};

/// Models whose geographic profile has a quota of tokens a minute of its own.
const MODELS: [(&str, &str, &str); 20] = [
    ("amazon.nova-lite-v1:0", "Amazon Nova Lite", "L-7C42E72A"),
    ("amazon.nova-micro-v1:0", "Amazon Nova Micro", "L-DC7FF66C"),
    ("amazon.nova-pro-v1:0", "Amazon Nova Pro", "L-C0326783"),
    (
        "amazon.nova-premier-v1:0",
        "Amazon Nova Premier V1",
        "L-AA7FE948",
    ),
    (
        "amazon.nova-2-lite-v1:0",
        "Amazon Nova 2 Lite",
        "L-C6F5908D",
    ),
    (
        "anthropic.claude-sonnet-4-6",
        "Anthropic Claude Sonnet 4.6",
        "L-15B8E632",
    ),
    (
        "anthropic.claude-haiku-4-5-20251001-v1:0",
        "Anthropic Claude Haiku 4.5",
        "L-58BE175A",
    ),
    (
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "Anthropic Claude Sonnet 4.5 V1",
        "L-F4DDD3EB",
    ),
    (
        "anthropic.claude-opus-4-5-20251101-v1:0",
        "Anthropic Claude Opus 4.5",
        "L-7007E9C9",
    ),
    (
        "anthropic.claude-opus-4-1-20250805-v1:0",
        "Anthropic Claude Opus 4.1",
        "L-BD85BFCD",
    ),
    (
        "anthropic.claude-sonnet-4-20250514-v1:0",
        "Anthropic Claude Sonnet 4 V1",
        "L-59759B4A",
    ),
    (
        "anthropic.claude-3-7-sonnet-20250219-v1:0",
        "Anthropic Claude 3.7 Sonnet V1",
        "L-6E888CC2",
    ),
    (
        "anthropic.claude-3-haiku-20240307-v1:0",
        "Anthropic Claude 3 Haiku",
        "L-DCADBC78",
    ),
    ("deepseek.r1-v1:0", "DeepSeek R1 V1", "L-06B03968"),
    (
        "meta.llama3-1-8b-instruct-v1:0",
        "Meta Llama 3.1 8B Instruct",
        "L-9782749C",
    ),
    (
        "meta.llama3-1-70b-instruct-v1:0",
        "Meta Llama 3.1 70B Instruct",
        "L-92E68994",
    ),
    (
        "meta.llama3-3-70b-instruct-v1:0",
        "Meta Llama 3.3 70B Instruct",
        "L-0E7AA8B7",
    ),
    (
        "meta.llama4-scout-17b-instruct-v1:0",
        "Meta Llama 4 Scout V1",
        "L-532E6630",
    ),
    (
        "meta.llama4-maverick-17b-instruct-v1:0",
        "Meta Llama 4 Maverick V1",
        "L-DE3FBBF4",
    ),
    (
        "mistral.pixtral-large-2502-v1:0",
        "Mistral Pixtral Large 25.02 V1",
        "L-4B9F76B0",
    ),
];
/// The one that is refused, by its place.
const REFUSED: usize = 4;
/// The one that is more than twice over its quota, where the others are half over theirs at most.
const WORST: usize = 11;
/// Each answer takes a quarter of an hour, and there are two at a time: three hours, and some for what is lost.
const HOURS: i64 = 6;

fn world() -> String {
    let mut text = r#"
start = "2026-11-02T00:00:00Z"
seed = 5
length = "3d"
history = "1d"
[[account]]
id = "111122223333"
name = "production"
regions = ["us-east-1"]
topics = ["bedrock-alerts"]
"#
    .to_owned();
    for (place, (model, label, code)) in MODELS.into_iter().enumerate() {
        // 120 requests of 1,000 tokens in and 100 out: below 200,000 at the highest burndown rate.
        let quota = if place == WORST { 80_000 } else { 120_000 };
        let outcome = if place == REFUSED { "deny" } else { "grant" };
        write!(
            text,
            r#"
[[model]]
id = "{model}"
label = "{label}"
[[profile]]
id = "us.{model}"
model = "{model}"
destinations = ["us-east-1", "us-east-2"]
[[target]]
account = "111122223333"
region = "us-east-1"
id = "us.{model}"
trace = "steady"
evened = true
requests_per_minute = 120
input_tokens = 1000
output_tokens = 100
[[quota]]
account = "111122223333"
region = "us-east-1"
code = "{code}"
applied = {quota}
default = {quota}
[[desk]]
quota = "{code}"
answers = [{{ outcome = "{outcome}", after = "15m" }}]
"#
        )
        .unwrap();
    }
    text
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap()
}

fn requests(sim: &Sim) -> Vec<Value> {
    let state = sim.state();
    let asked = state.get("quota_requests").and_then(Value::as_array);
    asked.unwrap().clone()
}

/// Answers that are lost after the effect, and calls that fail before it.
const LOST: FaultRates = FaultRates {
    throttled: 0.02,
    server_before: 0.02,
    server_after: 0.1,
    lost_after: 0.1,
    connect: 0.02,
    garbled: 0.0,
    partial_page: 0.0,
    repeated_page: 0.0,
    hang: 0.0,
    truncate: 0.0,
};

#[tokio::test]
async fn each_of_twenty_short_quotas_ends_and_none_is_asked_for_twice() {
    for (seed, rates) in [(5, None), (6, Some(LOST))] {
        let sim = Sim::new(World::parse(&world()).unwrap(), seed);
        let faults = rates.map_or_else(Faults::none, |rates| Faults::new(rates, seed));
        let cloud: Arc<dyn Cloud> = sim::cloud(&sim, sim.world().first_account(), Arc::new(faults));
        let mut settings =
            config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
        settings.accounts = accounts(sim.world());
        settings.policy.mode = Mode::File;
        settings.policy.budgets.requests_per_day = 40;
        let (mut cycle, shared) = daemon(&cloud, &MemoryLedger::new(), &settings);
        let start = sim.now();
        for minute in 1..=HOURS * 60 {
            let now = after(start, minute);
            sim.advance_to(now);
            cycle.run(now).await.unwrap();
        }
        let (book, asked, messages) = (shared.book(), requests(&sim), published(&sim));
        let codes: BTreeSet<&str> = asked.iter().map(|it| text(it, "quota_code")).collect();
        assert_eq!(codes.len(), MODELS.len(), "seed {seed}: each was asked for");
        assert_eq!(asked.len(), MODELS.len(), "seed {seed}: and none twice");
        let first: Vec<&str> = asked
            .iter()
            .take(2)
            .map(|it| text(it, "quota_code"))
            .collect();
        let worst = MODELS[WORST].2;
        assert!(
            first.contains(&worst),
            "seed {seed}: the worst first: {first:?}"
        );
        let asks = book.asks.values().map(|ask| (&ask.code, ask));
        let asks: BTreeMap<&QuotaCode, &Ask> = asks.collect();
        for (place, (model, _, code)) in MODELS.iter().enumerate() {
            let ask = asks.get(&QuotaCode::new(*code)).unwrap();
            let end = ask.end.as_ref().map(|(end, _)| end);
            let is_right = match end {
                Some(AskEnd::Granted { .. }) => place != REFUSED,
                // A closed one may still be granted for days: it is followed that long.
                Some(AskEnd::Denied) | None => place == REFUSED && ask.closed.is_some(),
                Some(AskEnd::PartlyGranted { .. }) => false,
            };
            assert!(is_right, "seed {seed}: {model}: {end:?}");
            let heard = messages.iter().filter(|it| it.contains(code));
            assert!(
                2 <= heard.count(),
                "seed {seed}: {model}: asked, and how it ended"
            );
        }
        let tries: u32 = book
            .intents
            .values()
            .filter(|it| matches!(it.effect, Effect::RequestQuota { .. }))
            .map(|it| it.attempts)
            .sum();
        assert!(tries < 100, "seed {seed}: {tries} tries at a full desk");
    }
}
