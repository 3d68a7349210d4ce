//! The files of numbers that go with words to AWS Support: once, whole, and what really happened.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop"
)]

use std::sync::Arc;

use bedrock_ops_alert::{
    config,
    model::{
        policy::Mode,
        time::{HOUR, Minute, after},
    },
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim, World, world::FaultRates},
    store::{Ledger as _, MemoryLedger},
};
use serde_json::Value;

use crate::{
    silences::WORLD,
    support::{CONFIG, accounts},
};

/// So many minutes of one model near its quota, with a desk that opens its case and never answers.
async fn told(faults: Arc<Faults>, minutes: i64) -> (Arc<Sim>, Vec<Value>) {
    let sim = Sim::new(World::parse(WORLD).unwrap(), 5);
    let cloud = sim::cloud(&sim, sim.world().first_account(), faults);
    let mut settings = config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
    settings.policy.mode = Mode::File;
    settings.accounts = accounts(sim.world());
    let ledger = MemoryLedger::new();
    let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
    let mut cycle = Cycle::new(cloud, Arc::new(ledger), Arc::new(shared));
    for minute in 0..minutes {
        let now = after(sim.world().start, minute);
        sim.advance_to(now);
        cycle.run(now).await.unwrap();
    }
    let cases = sim.state()["cases"].clone();
    let said = cases.as_array().unwrap().iter();
    let said = said.flat_map(|case| case["communications"].as_array().unwrap().clone());
    let ours = said.filter(|it| it["body"].as_str().unwrap().starts_with("[BOA-"));
    let ours = ours.collect();
    (sim, ours)
}

#[tokio::test]
async fn the_case_of_a_request_gets_the_numbers_that_happened_once() {
    let (sim, ours) = told(Arc::new(Faults::none()), 60).await;
    assert_eq!(ours.len(), 1, "{ours:#?}");
    let files = ours[0]["attachments"].as_array().unwrap();
    assert_eq!(files.len(), 2);
    for file in files {
        let name = file["file_name"].as_str().unwrap();
        assert!(ours[0]["body"].as_str().unwrap().contains(name));
    }
    let csv = files[0]["text"].as_str().unwrap();
    let pool = sim.world().pools[0].id.clone();
    let truth = sim.pool_minutes(&pool).unwrap();
    let first = sim.world().first_minute();
    let mut compared = 0;
    for line in csv.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        if fields[1] != "60" {
            continue; // not known whole
        }
        let hour = Minute::of(fields[0].replace(":00Z", ":00:00Z").parse().unwrap());
        let from = usize::try_from(hour.since(first)).unwrap();
        let hour = &truth[from..from + usize::try_from(HOUR).unwrap()];
        let sum = |of: fn(&sim::TargetMinute) -> f64| hour.iter().map(of).sum::<f64>();
        assert_eq!(
            fields[3],
            format!("{:.0}", sum(|it| it.invocations)),
            "{line}"
        );
        assert_eq!(
            fields[4],
            format!("{:.0}", sum(|it| it.throttles)),
            "{line}"
        );
        assert_eq!(fields[5], format!("{:.0}", sum(|it| it.charged)), "{line}");
        assert_eq!(fields[8], "142000");
        compared += 1;
    }
    assert!(12 <= compared, "{compared} hours:\n{csv}");

    let (mut compared, csv) = (0, files[1]["text"].as_str().unwrap());
    for line in csv.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let minute = Minute::of(fields[0].replace('Z', ":00Z").parse().unwrap());
        let Some(real) = usize::try_from(minute.since(first))
            .ok()
            .and_then(|at| truth.get(at))
        else {
            continue; // after the last minute that was simulated
        };
        if fields[2].is_empty() {
            continue; // not published yet
        }
        let told = [
            real.invocations + real.throttles,
            real.invocations,
            real.throttles,
            real.charged,
        ];
        let told: Vec<String> = told.iter().map(|it| format!("{it:.0}")).collect();
        assert_eq!(fields[1..5], told, "{line}");
        assert_eq!(fields[5], "142000");
        compared += 1;
    }
    assert!(23 * 60 <= compared, "{compared} minutes:\n{csv}");
}

/// Two calls in five fail, at the desk and elsewhere: what was said is said once, with its file or a word on it.
#[tokio::test]
async fn whatever_fails_the_words_are_said_once() {
    let (mut with, mut without) = (0, 0);
    for seed in 0..64 {
        if 16 <= seed && 0 < with && 0 < without {
            break; // both were seen
        }
        let rates = FaultRates {
            throttled: 0.1,
            server_before: 0.1,
            server_after: 0.1,
            lost_after: 0.1,
            ..FaultRates::default()
        };
        // The past is read first, and the case is looked at each five minutes: each takes longer where calls fail.
        let (_, ours) = told(Arc::new(Faults::new(rates, seed)), 120).await;
        assert!(ours.len() <= 1, "seed {seed}: {ours:#?}");
        for said in ours {
            let has_file = said["attachments"].as_array().unwrap().len() == 2;
            let body = said["body"].as_str().unwrap();
            assert_eq!(has_file, body.contains("Attached, the numbers"), "{body}");
            assert_eq!(!has_file, body.contains("could not be attached"), "{body}");
            with += u32::from(has_file);
            without += u32::from(!has_file);
        }
    }
    assert!(0 < with && 0 < without, "{with} with, {without} without");
}
