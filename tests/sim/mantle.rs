//! The mantle endpoint: its pools are watched by the quotas of input and output tokens, and nothing tells of refusals.

use std::sync::Arc;

use bedrock_ops_alert::{
    config,
    model::{
        action::Effect,
        catalog::Family,
        incident::{Cause, Incident},
        policy::Mode,
        series::{SETTLE_MINUTES, Sample, Signal},
        time::{HOUR, Minute, after},
        units::QuotaKind,
    },
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim, World},
    store::{Ledger as _, MemoryLedger},
};

use crate::support::{CONFIG, accounts};

/// Two projects share a model whose output quota they outgrow from noon to three; the input quota has room. Another model is quiet.
const WORLD: &str = r#"
start = "2026-11-02T00:00:00Z"
seed = 3
length = "2d"
history = "4d"
retry_share = 0.5
[[account]]
id = "111122223333"
name = "production"
regions = ["us-east-1"]
topics = ["bedrock-alerts"]
[[mantle]]
account = "111122223333"
region = "us-east-1"
project = "checkout"
model = "openai.gpt-5.5"
label = "GPT-5.5"
[mantle.traffic]
trace = "steady"
evened = true
requests_per_minute = 30
input_tokens = 1000
output_tokens = 400
bursts = [{ from = "12h", until = "15h", factor = 4 }]
[[mantle]]
account = "111122223333"
region = "us-east-1"
project = "search"
model = "openai.gpt-5.5"
label = "GPT-5.5"
[mantle.traffic]
trace = "chat"
evened = true
requests_per_minute = 20
input_tokens = 1000
output_tokens = 400
[[mantle]]
account = "111122223333"
region = "us-east-1"
project = "checkout"
model = "openai.gpt-5.4"
label = "GPT-5.4"
[mantle.traffic]
trace = "steady"
evened = true
requests_per_minute = 5
input_tokens = 500
output_tokens = 100
[[quota]]
account = "111122223333"
region = "us-east-1"
code = "L-2555C05B"
applied = 2000000
default = 2000000
[[quota]]
account = "111122223333"
region = "us-east-1"
code = "L-8A643E07"
applied = 50000
default = 50000
[[desk]]
quota = "L-8A643E07"
answers = [{ outcome = "grant", after = "4h" }]
"#;
const OUTPUT: &str = "L-8A643E07";

#[tokio::test]
async fn a_shortage_of_output_tokens_is_one_incident_on_the_output_quota() {
    let sim = Sim::new(World::parse(WORLD).unwrap(), 3);
    let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let mut settings = config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
    settings.accounts = accounts(sim.world());
    settings.policy.mode = Mode::File;
    let ledger = MemoryLedger::new();
    let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
    let shared = Arc::new(shared);
    let mut cycle = Cycle::new(cloud, Arc::new(ledger), Arc::clone(&shared));
    let start = sim.now();
    for minute in 0..20 * HOUR {
        let now = after(start, minute);
        sim.advance_to(now);
        cycle.run(now).await.unwrap();
    }
    let book = shared.book();
    // One incident of a quota, of the one that was short, opened while it was.
    let is_quota = |it: &&Incident| matches!(it.cause, Cause::Quota { .. });
    let incidents: Vec<&Incident> = book.incidents.values().filter(is_quota).collect();
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    let incident = incidents[0];
    assert!(
        matches!(&incident.cause, Cause::Quota { code, .. } if code.as_str() == OUTPUT),
        "{incident:#?}"
    );
    assert_eq!(incident.kind, Some(QuotaKind::OutputTpm));
    assert!(!incident.is_open(), "it is over: {incident:#?}");
    let since_start = incident.began.since(Minute::of(start));
    let is_then = (12 * HOUR..14 * HOUR).contains(&since_start);
    assert!(is_then, "{since_start}");
    let asked: Vec<_> = book
        .intents
        .values()
        .filter_map(|it| match &it.effect {
            Effect::RequestQuota { code, desired, .. } => Some((code.as_str(), desired.get())),
            Effect::Notify { .. }
            | Effect::OpenCase { .. }
            | Effect::Comment { .. }
            | Effect::EndCase { .. } => None,
        })
        .collect();
    assert!(asked.len() == 1 && asked[0].0 == OUTPUT, "{asked:?}");
    assert!(50_000.0 < asked[0].1, "{asked:?}");
    // No rule about refusals, errors or latency waits for what the endpoint never tells.
    let health = shared.health();
    let pools = health.verdicts.iter();
    let of_mantle = pools.filter(|(pool, _)| pool.family == Family::Mantle);
    let of_mantle = of_mantle.flat_map(|(_, verdicts)| verdicts);
    let rules: std::collections::BTreeSet<_> = of_mantle.map(|it| it.rule.as_str()).collect();
    assert!(!rules.contains("throttles"), "{rules:?}");
    assert!(rules.contains("mantle-output-share-warning"), "{rules:?}");
    // To the token, for every settled minute: both projects together, each inference once.
    let now = Minute::of(sim.now());
    for pool in book.pools.keys() {
        let truth = sim.pool_minutes(pool).unwrap();
        let first = sim.world().first_minute();
        let series = &book.series[pool];
        for minute in now.plus(-18 * HOUR).until(now.plus(-SETTLE_MINUTES - 15)) {
            let row = truth[usize::try_from(minute.since(first)).unwrap()];
            for (signal, expected) in [
                (Signal::InputTokens, row.input),
                (Signal::OutputTokens, row.output),
            ] {
                let got = series.get(signal, minute);
                assert_eq!(
                    got,
                    Sample::Value(expected),
                    "{pool} {signal:?} at {minute}"
                );
            }
        }
    }
}
