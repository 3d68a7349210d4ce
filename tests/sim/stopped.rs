//! The switch that stops writes: at once, without a restart, for AWS's desks alone.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::{path::PathBuf, sync::Arc};

use bedrock_ops_alert::{
    config,
    model::{
        action::{Effect, Intent, IntentState},
        book::Record,
        ids::{ActionId, IncidentId, Region, Scope},
        order::{Command, Order},
        policy::Mode,
        time::after,
    },
    runtime::{
        cycle::Cycle,
        shared::{Posted, Shared},
        switch::Switch,
    },
    sim::{self, Faults, Sim, World},
    store::{Ledger as _, MemoryLedger},
};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::{
    silences::WORLD,
    support::{CONFIG, accounts},
};

fn count(sim: &Sim, key: &str) -> usize {
    let state = sim.state();
    state.get(key).and_then(Value::as_array).unwrap().len()
}

#[tokio::test]
async fn no_request_leaves_while_writes_are_stopped_and_people_hear_why() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let switch = Switch::beside(&folder.join(format!("stopped-{}", std::process::id())));
    let sim = Sim::new(World::parse(WORLD).unwrap(), 5);
    let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let mut settings = config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
    settings.policy.mode = Mode::File;
    settings.accounts = accounts(sim.world());
    let ledger = MemoryLedger::new();
    let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
    let shared = Arc::new(shared.with_switch(switch.clone()));
    let mut cycle = Cycle::new(cloud, Arc::new(ledger.clone()), Arc::clone(&shared));
    let start = sim.now();
    let say = async |cycle: &mut Cycle, command: Command| {
        let (reply, answer) = oneshot::channel();
        let order = Order {
            by: "Kim".to_owned(),
            why: Some("a wrong quota table".to_owned()),
            command,
        };
        cycle.obey(Posted { order, reply }, start).await.unwrap();
        answer.await.unwrap().unwrap();
    };
    say(&mut cycle, Command::StopWrites).await;
    assert!(switch.stop().is_some());
    let mut minute = 0;
    let is_told = |sim: &Sim| {
        let state = sim.state().to_string();
        state.contains("writes at AWS are stopped by Kim")
    };
    while !is_told(&sim) {
        assert!(minute < 45, "nobody heard why nothing is filed");
        let now = after(start, minute);
        sim.advance_to(now);
        cycle.run(now).await.unwrap();
        minute += 1;
    }
    assert_eq!(count(&sim, "quota_requests"), 0);
    say(&mut cycle, Command::ResumeWrites).await;
    assert_eq!(switch.stop(), None);
    let latest = minute + 10;
    while count(&sim, "quota_requests") == 0 {
        assert!(minute < latest, "nothing is filed after the stop");
        let now = after(start, minute);
        sim.advance_to(now);
        cycle.run(now).await.unwrap();
        minute += 1;
    }
    let book = ledger.load().unwrap();
    let mut intents = book.intents.values();
    assert!(
        intents.any(|it| matches!(it.effect, Effect::RequestQuota { .. })
            && matches!(it.state, IntentState::Done { .. }))
    );
    let kinds: Vec<&str> = book.entries.values().map(|it| it.kind.as_str()).collect();
    for kind in ["stop-writes", "resume-writes", "decision", "write"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let numbers: Vec<u64> = book.entries.keys().copied().collect();
    let whole: Vec<u64> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, whole, "no entry is missing");
}

/// What was decided in another mode waits: the mode is what people set to be sure that nothing is filed.
#[tokio::test]
async fn what_was_planned_to_be_filed_stays_here_once_the_mode_is_observe() {
    let sim = Sim::new(World::parse(WORLD).unwrap(), 5);
    let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let start = sim.now();
    let scope = Scope {
        account: sim.world().first_account(),
        region: Region::new("us-east-1"),
    };
    let incident = IncidentId::new("inc-of-before");
    let step = "request/L-15B8E632/1".to_owned();
    let planned = Intent {
        id: ActionId::derive(&incident, &step),
        incident,
        step,
        effect: Effect::OpenCase {
            scope,
            subject: "about refusals".to_owned(),
            body: "as it was planned".to_owned(),
            evidence: None,
            desired: None,
        },
        reasons: Vec::new(),
        created: start,
        state: IntentState::Planned { not_before: start },
        attempts: 1,
        approved_by: None,
        last_failure: Some("the desk was full".to_owned()),
        approved_at: None,
        declined: 0,
        worded: None,
        revision: 1,
    };
    let ledger = MemoryLedger::new();
    ledger.commit(&[Record::Intent(planned)]).unwrap();
    for (mode, cases) in [(Mode::Observe, 0), (Mode::File, 1)] {
        let mut settings =
            config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
        settings.policy.mode = mode;
        settings.accounts = accounts(sim.world());
        let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
        let kept = Arc::new(ledger.clone());
        let mut cycle = Cycle::new(Arc::clone(&cloud), kept, Arc::new(shared));
        cycle.run(start).await.unwrap();
        assert_eq!(count(&sim, "cases"), cases, "{mode:?}");
    }
}
