//! Where data may go, from the listing of a profile to the message about it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::sync::Arc;

use bedrock_ops_alert::{
    cloud::Cloud,
    config,
    model::{action::Effect, policy::Settings, rule::Category, time::after},
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim, World},
    store::{Ledger as _, MemoryLedger},
};

use crate::{
    silences::WORLD,
    support::{CONFIG, accounts},
};

/// The world's profile leads to us-east-1 and us-east-2.
fn settings(sim: &Sim, allow: &str) -> Settings {
    let text = format!("{CONFIG}\n[[residency]]\nname = \"here\"\nallow = [\"{allow}\"]\n");
    let mut settings = config::parse(&text, "world.toml", &config::Overrides::default()).unwrap();
    settings.accounts = accounts(sim.world());
    settings
}

/// Titles of what was told of residency in so many minutes; with a restart in the middle.
async fn told(allow: &str) -> Vec<String> {
    let sim = Sim::new(World::parse(WORLD).unwrap(), 5);
    let cloud: Arc<dyn Cloud> =
        sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let ledger = MemoryLedger::new();
    let start = sim.now();
    let mut titles = Vec::new();
    for minutes in [0..8, 8..16] {
        let settings = settings(&sim, allow);
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
        let messages = book.intents.values().filter_map(|it| match &it.effect {
            Effect::Notify {
                subject,
                notice: Some(notice),
                ..
            } if notice.category() == Category::Residency => Some(subject.clone()),
            Effect::Notify { .. }
            | Effect::RequestQuota { .. }
            | Effect::OpenCase { .. }
            | Effect::Comment { .. }
            | Effect::EndCase { .. } => None,
        });
        titles = messages.collect();
    }
    titles
}

#[tokio::test]
async fn a_profile_that_leads_out_is_told_once_and_one_that_stays_never() {
    let title = "[critical] data may leave, geo anthropic.claude-sonnet-4-6, us-east-1 111122223333: to us-east-2";
    assert_eq!(told("us-east-1").await, [title]);
    assert_eq!(told("us").await, Vec::<String>::new());
}
