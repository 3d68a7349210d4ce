//! A profile that carries a rise has its name in the message: from the series of each target, a week of them read back from
//! the simulated CloudWatch, to the text; and the past of targets is there again after a restart.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::{collections::BTreeSet, sync::Arc};

use bedrock_ops_alert::{
    cloud::Cloud,
    config,
    model::{
        action::Effect,
        book::Book,
        time::{Minute, after},
        uses::day_of,
    },
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim, World},
    store::{Ledger as _, MemoryLedger},
};

use crate::support::{CONFIG, accounts};

/// Three targets drain one pool. On a Wednesday, at 12:30, one of them asks for eight times as much.
pub(crate) const WORLD: &str = r#"
start = "2026-11-11T12:00:00Z"
seed = 5
length = "2d"
history = "9d"
[[account]]
id = "111122223333"
name = "production"
regions = ["us-east-1"]
[[model]]
id = "anthropic.claude-sonnet-4-6"
label = "Anthropic Claude Sonnet 4.6"
burndown = 5
[[profile]]
id = "us.anthropic.claude-sonnet-4-6"
model = "anthropic.claude-sonnet-4-6"
destinations = ["us-east-1", "us-east-2"]
[[application_profile]]
id = "k3m9x7q2w5r1"
name = "checkout-assistant"
account = "111122223333"
region = "us-east-1"
copied_from = "us.anthropic.claude-sonnet-4-6"
tags = { team = "checkout" }
[[application_profile]]
id = "b8t4z6n1c2v7"
name = "document-search"
account = "111122223333"
region = "us-east-1"
copied_from = "us.anthropic.claude-sonnet-4-6"
tags = { team = "search" }
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
id = "k3m9x7q2w5r1"
trace = "steady"
evened = true
requests_per_minute = 60
input_tokens = 1000
output_tokens = 200
[[target]]
account = "111122223333"
region = "us-east-1"
id = "b8t4z6n1c2v7"
trace = "steady"
evened = true
requests_per_minute = 60
input_tokens = 1000
output_tokens = 200
bursts = [{ from = "30m", until = "5h", factor = 8 }]
[[quota]]
account = "111122223333"
region = "us-east-1"
code = "L-15B8E632"
applied = 1300000
default = 1300000
"#;

struct Run {
    sim: Arc<Sim>,
    ledger: MemoryLedger,
}

impl Run {
    /// So many minutes from this one on, by a process that begins then.
    async fn minutes(&self, from: i64, minutes: i64) -> Book {
        let sim = &self.sim;
        let cloud: Arc<dyn Cloud> =
            sim::cloud(sim, sim.world().first_account(), Arc::new(Faults::none()));
        let mut settings =
            config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
        settings.accounts = accounts(sim.world());
        let (shared, _orders) = Shared::new(settings, true, self.ledger.load().unwrap());
        let shared = Arc::new(shared);
        let own = Arc::new(self.ledger.clone());
        let mut cycle = Cycle::new(cloud, own, Arc::clone(&shared));
        let start = sim.world().first_minute().start();
        for minute in from..from + minutes {
            let now = after(start, minute);
            sim.advance_to(now);
            cycle.run(now).await.unwrap();
        }
        let book = shared.book();
        book.clone()
    }
}

#[tokio::test]
async fn the_profile_that_carries_a_rise_is_named_in_the_message() {
    let sim = Sim::new(World::parse(WORLD).unwrap(), 5);
    let start = sim.now();
    let from = Minute::of(start).since(sim.world().first_minute());
    let ledger = MemoryLedger::new();
    let run = Run { sim, ledger };
    let before = run.minutes(from, 20).await;
    let today = day_of(Minute::of(start));
    let days: BTreeSet<i64> = before.uses.keys().map(|(_, day)| *day).collect();
    assert_eq!(
        days,
        (today - 7..=today).collect(),
        "a week, and today so far"
    );
    let book = run.minutes(from + 20, 50).await;
    let told = book.intents.values().filter_map(|it| match &it.effect {
        Effect::Notify { body, .. } => Some(body.as_str()),
        Effect::RequestQuota { .. }
        | Effect::OpenCase { .. }
        | Effect::Comment { .. }
        | Effect::EndCase { .. } => None,
    });
    let told: Vec<&str> = told.collect();
    let name = "carried by application profile `document-search` (b8t4z6n1c2v7): ";
    let mut lines = told.iter().flat_map(|body| body.lines());
    let line = lines.rfind(|line| line.contains(name));
    let line = line.unwrap_or_else(|| unreachable!("nobody is named in {told:#?}"));
    let share = line.split_once(name).unwrap().1.split_once(" %").unwrap().0;
    // Noise of all three is in it: the other two have some of it by chance.
    assert!(
        (80.0..=100.0).contains(&share.parse::<f64>().unwrap()),
        "{line}"
    );
    assert!(line.contains("(by 5 days)"), "{line}");
    // The hour from 12:00 on is over and settled at 13:15; the restart at 12:20 took nothing of it.
    let book = run.minutes(from + 70, 20).await;
    let row = book.uses.iter().find(|((_, day), _)| *day == today);
    let hour = row.and_then(|(_, day)| day.hours.get(&12)).unwrap();
    assert!(45 <= hour.minutes, "{hour:?}");
}
