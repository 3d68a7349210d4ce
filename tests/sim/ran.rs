//! The record of where requests ran, from the simulated log of invocations: the world's own numbers, whatever happens to the
//! process on the way.

#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test that meets the unexpected should stop; counts of a small world"
)]

use std::sync::Arc;

use bedrock_ops_alert::{
    cloud::Cloud,
    config,
    model::{
        action::Effect,
        book::Book,
        ids::{Region, Scope, TargetId},
        ran::RanDay,
        time::{DAY, HOUR, Minute, after},
    },
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim, World},
    store::{CommitFault, Ledger as _, MemoryLedger},
};

use crate::{
    silences::WORLD,
    support::{CONFIG, accounts},
};

const PROFILE: &str = "us.anthropic.claude-sonnet-4-6";
const LOGS: &str = r#"
[[account]]
id = "111122223333"
regions = ["us-east-1"]
invocation_logs = "/bedrock/invocations"
"#;
/// Two days are 48 questions, one a minute; a restart costs a minute.
const MINUTES: i64 = 110;

fn world() -> World {
    let account = "name = \"production\"\n";
    let profile = "destinations = [\"us-east-1\", \"us-east-2\"]\n";
    let text = WORLD
        .replace(
            account,
            &format!("{account}invocation_logs = \"/bedrock/invocations\"\n"),
        )
        .replace(profile, &format!("{profile}ran_elsewhere = 0.3\n"));
    World::parse(&text).unwrap()
}

/// The day before the start as it stands in the ledger, and how often logs were asked.
async fn recorded(config: &str, fault: Option<CommitFault>) -> (Arc<Sim>, Option<RanDay>, u64) {
    let ((sim, asked), book) = run(config, fault, MINUTES).await;
    let day = Minute::of(sim.world().start).0 / DAY - 1;
    let day = book.ran.get(&(scope(&sim), day)).cloned();
    (sim, day, asked)
}

/// The world and how often logs were asked there, and what is in the ledger in the end.
async fn run(config: &str, fault: Option<CommitFault>, minutes: i64) -> ((Arc<Sim>, u64), Book) {
    let sim = Sim::new(world(), 5);
    let cloud: Arc<dyn Cloud> =
        sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let text = format!("{CONFIG}{config}");
    let mut settings = config::parse(&text, "world.toml", &config::Overrides::default()).unwrap();
    settings.accounts = accounts(sim.world());
    let mut ledger = MemoryLedger::new();
    let daemon = |ledger: &MemoryLedger| {
        let (shared, _orders) = Shared::new(settings.clone(), true, ledger.load().unwrap());
        let shared = Arc::new(shared);
        Cycle::new(
            Arc::clone(&cloud),
            Arc::new(ledger.clone()),
            Arc::clone(&shared),
        )
    };
    let mut cycle = daemon(&ledger);
    let start = sim.now();
    for minute in 0..minutes {
        let now = after(start, minute);
        sim.advance_to(now);
        if let Some(fault) = fault
            && minute % 11 == 3
        {
            ledger.fail_next(fault);
        }
        let is_cut = cycle.run(now).await.is_err();
        if is_cut || (fault.is_some() && minute % 13 == 5) {
            ledger = ledger.reopen();
            cycle = daemon(&ledger);
        }
    }
    let calls = cloud.calls();
    let asked = calls.by_site.iter();
    let asked = asked.filter(|(site, _)| site.operation == "logs:StartQuery");
    let asked = asked.map(|(_, calls)| calls.requests).sum();
    let book = ledger.load().unwrap();
    ((sim, asked), book)
}

fn scope(sim: &Sim) -> Scope {
    Scope {
        account: sim.world().first_account(),
        region: Region::new("us-east-1"),
    }
}

/// Requests that were answered here and elsewhere, and those that failed, by the world itself.
fn truth(sim: &Sim, hours: impl Iterator<Item = u8>) -> (u64, u64, u64) {
    let midnight = Minute::of(sim.world().start).plus(-DAY);
    let (mut here, mut elsewhere, mut failed) = (0, 0, 0);
    for hour in hours {
        let first = midnight.plus(i64::from(hour) * HOUR);
        let (mut answered, mut refused) = (0.0, 0.0);
        for minute in first.until(first.plus(HOUR)) {
            let row = sim.minute(&scope(sim), &TargetId::new(PROFILE), minute);
            let row = row.unwrap();
            answered += row.successes();
            refused += row.client_errors + row.server_errors + row.throttles;
        }
        let (answered, refused) = (answered.round() as u64, refused.round() as u64);
        let away = answered * 3 / 10;
        here += answered - away;
        elsewhere += away;
        failed += refused;
    }
    (here, elsewhere, failed)
}

#[tokio::test]
async fn the_record_is_the_worlds_own_numbers_whatever_happens_to_the_process() {
    for fault in [None, Some(CommitFault::Before), Some(CommitFault::After)] {
        let (sim, day, asked) = recorded(LOGS, fault).await;
        let day = day.unwrap();
        let hours: Vec<u8> = day.hours.iter().copied().collect();
        assert_eq!(hours, (0..=22).collect::<Vec<u8>>(), "{fault:?}");
        let (here, elsewhere, failed) = truth(&sim, 0..23);
        assert!(0 < elsewhere && elsewhere < here);
        let of = |region: Option<&str>| {
            let way = (TargetId::new(PROFILE), region.map(Region::new));
            day.ways.get(&way).copied().unwrap_or_default()
        };
        assert_eq!(of(Some("us-east-1")).requests, here, "{fault:?}");
        assert_eq!(of(Some("us-east-2")).requests, elsewhere, "{fault:?}");
        assert_eq!(of(None).failed, failed, "{fault:?}");
        if fault.is_none() {
            assert_eq!(
                asked, 49,
                "each hour once, of two days and of the one since"
            );
        }
    }
}

#[tokio::test]
async fn nothing_is_asked_of_logs_that_nobody_names() {
    let (_, day, asked) = recorded("", None).await;
    assert_eq!((day, asked), (None, 0));
}

/// A day of log comes in hour by hour, some of it again after a cut: one incident, told once, with what the world did.
#[tokio::test]
async fn what_ran_outside_of_a_rule_is_one_incident_told_once() {
    let rule = "[[residency]]\nname = \"home\"\nallow = [\"us-east-1\"]\n";
    for fault in [None, Some(CommitFault::Before), Some(CommitFault::After)] {
        let (_, book) = run(&format!("{LOGS}{rule}"), fault, 40).await;
        let breaches = book.incidents.values().filter(|it| it.is_of_breach());
        let breaches: Vec<_> = breaches.collect();
        assert_eq!(breaches.len(), 1, "{fault:?}");
        assert!(breaches[0].is_open(), "no day is clean");
        let told = book.intents.values().filter(|it| match &it.effect {
            Effect::Notify { subject, .. } => subject.contains("requests ran outside of a rule"),
            Effect::RequestQuota { .. }
            | Effect::OpenCase { .. }
            | Effect::Comment { .. }
            | Effect::EndCase { .. } => false,
        });
        assert_eq!(told.count(), 1, "{fault:?}");
        let member = breaches[0].members.values().next().unwrap();
        let said = member.reasons[0].to_string();
        assert!(said.contains("ran in us-east-2"), "{said}");
    }
    // Where the log is the same and the rule allows it, there is nothing to tell.
    let rule = rule.replace("\"us-east-1\"", "\"us-east-1\", \"us-east-2\"");
    let (_, book) = run(&format!("{LOGS}{rule}"), None, 40).await;
    assert!(book.incidents.values().all(|it| !it.is_of_residency()));
}
