//! Cases whose value is there: thanked for once and closed, whatever answers are lost, and none that is not ours.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::{collections::BTreeSet, sync::Arc};

use bedrock_ops_alert::{
    cloud::{Cloud, NewCase},
    config,
    model::{
        action::{Effect, IntentState},
        ids::{ActionId, Region, Scope},
        order::{Command, Order},
        policy::Mode,
        time::{Timestamp, after},
    },
    runtime::{
        cycle::Cycle,
        shared::{Posted, Shared},
    },
    sim::{self, Faults, Happened, Sim, World, world::FaultRates},
    store::MemoryLedger,
};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::{
    silences::{WORLD, daemon},
    support::{CONFIG, accounts},
};

/// The desk grants after an hour, and nobody there closes anything.
const DESK: &str = r#"
[support]
resolve_after = "60d"
[[desk]]
quota = "L-15B8E632"
answers = [{ outcome = "grant_open", after = "1h" }]
"#;

/// From this minute on nothing goes wrong.
const HEALED: i64 = 40 * 60;

/// Answers that are lost after the effect, and calls that fail before it.
const LOST: FaultRates = FaultRates {
    throttled: 0.0,
    server_before: 0.0,
    server_after: 0.15,
    lost_after: 0.15,
    connect: 0.0,
    garbled: 0.0,
    partial_page: 0.0,
    repeated_page: 0.0,
    hang: 0.0,
    truncate: 0.0,
};

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap()
}

fn all<'v>(value: &'v Value, key: &str) -> &'v Vec<Value> {
    value.get(key).and_then(Value::as_array).unwrap()
}

fn of_others() -> NewCase {
    NewCase {
        subject: "Quota Increase: Bedrock".to_owned(),
        body: "What a person asked for, about the same quota.".to_owned(),
        service_code: "service-bedrock".to_owned(),
        category_code: "general-guidance".to_owned(),
        severity_code: "normal".to_owned(),
        issue_type: "technical".to_owned(),
        cc: Vec::new(),
        attachments: None,
    }
}

/// Ends that were given up: a person hears of them, and says that they are tried again.
fn held(shared: &Shared) -> Vec<ActionId> {
    let book = shared.book();
    let held = book.intents.values().filter(|it| {
        let is_end = matches!(it.effect, Effect::EndCase { .. });
        is_end && matches!(it.state, IntentState::Held { .. })
    });
    held.map(|it| it.id.clone()).collect()
}

async fn approve(cycle: &mut Cycle, action: ActionId, now: Timestamp) {
    let (reply, answer) = oneshot::channel();
    let order = Order {
        by: "Kim".to_owned(),
        why: None,
        command: Command::Approve {
            action,
            value: None,
        },
    };
    cycle.obey(Posted { order, reply }, now).await.unwrap();
    answer.await.unwrap().unwrap();
}

/// Two days, by the minute until the value is there, then every five; the process ends now and then.
async fn two_days(seed: u64) -> (Arc<Sim>, BTreeSet<String>, u64) {
    let sim = Sim::new(World::parse(&format!("{WORLD}{DESK}")).unwrap(), seed);
    let faults = Arc::new(Faults::new(FaultRates::default(), seed));
    let cloud: Arc<dyn Cloud> = sim::cloud(&sim, sim.world().first_account(), Arc::clone(&faults));
    let mut settings = config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
    settings.policy.mode = Mode::File;
    settings.policy.case_codes.closes_granted = true;
    settings.accounts = accounts(sim.world());
    let scope = Scope {
        account: sim.world().first_account(),
        region: Region::new("us-east-1"),
    };
    cloud.create_case(&scope, &of_others()).await.unwrap();
    let ledger = MemoryLedger::new();
    let (mut cycle, mut shared): (Cycle, _) = daemon(&cloud, &ledger, &settings);
    let start = sim.now();
    let mut minute = 0;
    while minute < 2 * 1_440 - 60 {
        let is_granted = shared.book().asks.values().any(|it| it.end.is_some());
        minute += if is_granted { 5 } else { 1 };
        match minute {
            HEALED.. => faults.heal(),
            _ if is_granted => faults.set(LOST),
            _ => {}
        }
        let now = after(start, minute);
        sim.advance_to(now);
        cycle.run(now).await.unwrap();
        for action in held(&shared).into_iter().filter(|_| HEALED <= minute) {
            approve(&mut cycle, action, now).await;
        }
        if minute % 45 == 0 {
            (cycle, shared) = daemon(&cloud, &ledger, &settings);
        }
    }
    let lost = ["support:AddCommunicationToCase", "support:ResolveCase"].into_iter();
    let lost = lost.map(|it| {
        [
            Happened::LostAfter,
            Happened::ServerAfter,
            Happened::Garbled,
        ]
        .map(|kind| faults.count(kind, it))
    });
    let lost = lost.flatten().sum();
    let book = shared.book();
    let endings = book.intents.values().filter_map(|it| match &it.effect {
        Effect::EndCase { .. } => {
            let is_done = matches!(it.state, IntentState::Done { .. });
            Some(format!("{} {is_done}", it.effect.name()))
        }
        Effect::Notify { .. }
        | Effect::RequestQuota { .. }
        | Effect::OpenCase { .. }
        | Effect::Comment { .. } => None,
    });
    let endings = endings.collect();
    drop(book);
    (sim, endings, lost)
}

#[tokio::test]
async fn the_case_is_thanked_for_once_and_closed_whatever_answers_are_lost() {
    let mut all_lost = 0;
    for seed in 2..=4 {
        let (sim, endings, lost) = two_days(seed).await;
        let state = sim.state();
        let [request] = &all(&state, "quota_requests")[..] else {
            panic!("seed {seed}: one request: {state:#}");
        };
        assert_eq!(text(request, "status"), "CASE_CLOSED", "seed {seed}");
        let (mut thanked, mut untouched) = (0, 0);
        for case in all(&state, "cases") {
            let said = all(case, "communications");
            let bodies: Vec<&str> = said.iter().map(|it| text(it, "body")).collect();
            let different: BTreeSet<&str> = bodies.iter().copied().collect();
            assert_eq!(
                different.len(),
                bodies.len(),
                "seed {seed}: said twice in {case:#}"
            );
            let is_ours = bodies.iter().any(|it| it.starts_with("[BOA-"));
            if is_ours {
                let thanks = bodies.iter().filter(|it| it.contains("\nThank you. "));
                thanked += thanks.count();
                assert_eq!(text(case, "status"), "resolved", "seed {seed}: {case:#}");
            } else {
                untouched += 1;
                assert_eq!(text(case, "status"), "work-in-progress", "seed {seed}");
                assert_eq!(bodies.len(), 3, "seed {seed}: theirs and AWS's: {case:#}");
            }
        }
        assert_eq!((thanked, untouched), (1, 1), "seed {seed}");
        let both = ["close-case true", "thank true"].map(str::to_owned);
        assert_eq!(endings, BTreeSet::from(both), "seed {seed}");
        all_lost += lost;
    }
    assert!(0 < all_lost, "no answer about a case was lost");
}
