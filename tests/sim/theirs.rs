//! A person files by hand what a proposal names, and then the proposal is approved: the request stays theirs.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::sync::Arc;

use bedrock_ops_alert::{
    config,
    model::{
        action::{Effect, IntentState},
        ids::{ActionId, Region},
        order::{Command, Order},
        policy::Mode,
        time::after,
    },
    runtime::{cycle::Cycle, shared::Posted},
    sim::{self, Call, Faults, Service, Sim, World},
    store::MemoryLedger,
};
use serde_json::json;
use tokio::sync::oneshot;

use crate::{
    silences::{WORLD, daemon},
    support::{CONFIG, accounts},
};

/// As with any client of AWS, signed by a person.
fn file_by_hand(sim: &Sim, code: &str, value: f64) {
    let account = sim.world().first_account();
    let input = json!({ "ServiceCode": "bedrock", "QuotaCode": code, "DesiredValue": value });
    let call = Call {
        service: Service::ServiceQuotas,
        operation: "RequestServiceQuotaIncrease".to_owned(),
        by: sim::person(&account, "kim"),
        account,
        region: Region::new("us-east-1"),
        signed_at: None,
        input,
    };
    sim.handle(&call).unwrap();
}

async fn approve(cycle: &mut Cycle, action: ActionId, sim: &Sim) {
    let (reply, answer) = oneshot::channel();
    let order = Order {
        by: "Kim".to_owned(),
        why: None,
        command: Command::Approve {
            action,
            value: None,
        },
    };
    let posted = Posted { order, reply };
    cycle.obey(posted, sim.now()).await.unwrap();
    answer.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_a_person_filed_before_the_proposal_was_approved_keeps_its_own_words() {
    let sim = Sim::new(World::parse(WORLD).unwrap(), 5);
    let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let mut settings = config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
    settings.policy.mode = Mode::Propose;
    settings.accounts = accounts(sim.world());
    let (mut cycle, shared) = daemon(&cloud, &MemoryLedger::new(), &settings);
    let start = sim.now();
    let mut approved = None;
    for minute in 1..=180 {
        let now = after(start, minute);
        sim.advance_to(now);
        cycle.run(now).await.unwrap();
        let proposed = shared.book().intents.values().find_map(|it| {
            let Effect::RequestQuota { code, desired, .. } = &it.effect else {
                return None;
            };
            let waits = matches!(it.state, IntentState::Proposed { .. });
            waits.then(|| (it.id.clone(), code.clone(), desired.get()))
        });
        if let Some((action, code, value)) = proposed {
            file_by_hand(&sim, code.as_str(), value);
            approve(&mut cycle, action, &sim).await;
            approved = Some(minute);
        }
    }
    assert!(approved.is_some_and(|it| it < 120), "{approved:?}");
    let state = sim.state();
    assert_eq!(state["quota_requests"].as_array().unwrap().len(), 1);
    let cases = state["cases"].to_string();
    assert!(
        !cases.contains("[BOA-"),
        "a word of ours in their case: {cases}"
    );
    let published = state["published"].to_string();
    assert!(published.contains("[asked by others]"), "{published}");
    assert!(!published.contains("[asked] "), "{published}");
}
