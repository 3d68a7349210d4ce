//! A Region in which every model fails in the same minute: people get it as one message, each incident is in it, and no crash
//! loses one.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use bedrock_ops_alert::{
    config,
    model::{
        ids::IncidentId,
        policy::Mode,
        time::{Minute, after},
    },
    sim::{self, Faults, Sim, World},
    store::{CommitFault, MemoryLedger},
};

use crate::{
    silences::{daemon, published},
    support::{CONFIG, accounts},
};

const MODELS: [(&str, &str); 10] = [
    ("amazon.nova-lite-v1:0", "Amazon Nova Lite"),
    ("amazon.nova-micro-v1:0", "Amazon Nova Micro"),
    ("amazon.nova-pro-v1:0", "Amazon Nova Pro"),
    (
        "amazon.titan-embed-text-v2:0",
        "Amazon Titan Text Embeddings V2",
    ),
    (
        "anthropic.claude-3-haiku-20240307-v1:0",
        "Anthropic Claude 3 Haiku",
    ),
    (
        "anthropic.claude-3-5-haiku-20241022-v1:0",
        "Anthropic Claude 3.5 Haiku",
    ),
    ("anthropic.claude-sonnet-4-6", "Anthropic Claude Sonnet 4.6"),
    (
        "meta.llama3-1-8b-instruct-v1:0",
        "Meta Llama 3.1 8B Instruct",
    ),
    (
        "meta.llama3-1-70b-instruct-v1:0",
        "Meta Llama 3.1 70B Instruct",
    ),
    (
        "meta.llama3-3-70b-instruct-v1:0",
        "Meta Llama 3.3 70B Instruct",
    ),
];
const MINUTES: i64 = 150;
/// The minutes in which something is told: that it begins, and that it is over.
const TELLING: [std::ops::Range<i64>; 2] = [30..38, 74..110];

/// Ten models, of which half of the answers fail for half an hour.
fn world() -> String {
    let mut text = r#"
start = "2026-11-02T00:00:00Z"
seed = 5
length = "2d"
history = "1d"
[[account]]
id = "111122223333"
name = "production"
regions = ["us-east-1"]
topics = ["bedrock-alerts"]
"#
    .to_owned();
    for (id, label) in MODELS {
        write!(
            text,
            r#"
[[model]]
id = "{id}"
label = "{label}"
[[target]]
account = "111122223333"
region = "us-east-1"
id = "{id}"
trace = "steady"
evened = true
requests_per_minute = 60
input_tokens = 100
output_tokens = 20
server_errors = [{{ from = "30m", until = "60m", factor = 0.5 }}]
"#
        )
        .unwrap();
    }
    text
}

/// All that people heard, in its order, and the incidents there were.
async fn told(crashes: Option<CommitFault>) -> (Vec<String>, BTreeSet<IncidentId>) {
    let sim = Sim::new(World::parse(&world()).unwrap(), 5);
    let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let mut settings = config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
    settings.accounts = accounts(sim.world());
    settings.policy.mode = Mode::Observe;
    let mut ledger = MemoryLedger::new();
    let (mut cycle, mut shared) = daemon(&cloud, &ledger, &settings);
    let start = sim.now();
    for minute in 0..MINUTES {
        let now = after(start, minute);
        sim.advance_to(now);
        let is_telling = TELLING.iter().any(|it| it.contains(&minute)) && minute % 2 == 0;
        if let Some(fault) = crashes.filter(|_| is_telling) {
            ledger.fail_next(fault);
        }
        if cycle.run(now).await.is_err() {
            ledger = ledger.reopen();
            (cycle, shared) = daemon(&cloud, &ledger, &settings);
        }
    }
    let book = shared.book();
    let began = |it: &IncidentId| book.incidents.get(it).map(|it| it.began);
    let ids: BTreeSet<IncidentId> = book.incidents.keys().cloned().collect();
    assert_eq!(
        ids.len(),
        MODELS.len(),
        "{:?}",
        ids.iter().map(began).collect::<Vec<_>>()
    );
    assert!(book.incidents.values().all(|it| it.resolved.is_some()));
    assert!(Minute::of(start) < book.incidents.values().next().unwrap().began);
    (published(&sim), ids)
}

#[tokio::test]
async fn a_region_that_fails_is_one_message_and_its_end_another() {
    let (messages, ids) = told(None).await;
    let all = messages.join("\n---\n");
    for id in &ids {
        let times = all.matches(id.as_str()).count();
        assert_eq!(times, 2, "{id} opens and ends: {all}");
    }
    assert!(messages.len() <= 6, "{} messages: {all}", messages.len());
    insta::assert_snapshot!("crowd", messages.first().unwrap());
}

#[tokio::test]
async fn a_crowd_loses_none_across_crashes() {
    let (_, ids) = told(None).await;
    for fault in [CommitFault::Before, CommitFault::After] {
        let (messages, after_crashes) = told(Some(fault)).await;
        assert_eq!(after_crashes, ids);
        let all = messages.join("\n---\n");
        for id in &ids {
            assert!(
                2 <= all.matches(id.as_str()).count(),
                "{fault:?}: {id} in {all}"
            );
        }
    }
}
