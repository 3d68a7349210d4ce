//! Two services on one account by mistake, each with a ledger of its own: nothing is asked or said twice, and people hear
//! where two cases were opened all the same.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::{collections::BTreeSet, sync::Arc};

use bedrock_ops_alert::{
    cloud::{Cloud, NewCase},
    config,
    model::{action::Effect, policy::Mode, time::after},
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim, World},
    store::{Ledger as _, MemoryLedger},
};
use serde_json::Value;

use crate::{
    silences::WORLD,
    support::{CONFIG, accounts},
};

/// The world of the silences with a burst of server errors; short of tokens or not.
fn world(applied: u32) -> Arc<Sim> {
    let errors =
        "output_tokens = 200\nserver_errors = [{ from = \"30m\", until = \"2h\", factor = 0.5 }]\n";
    let text = WORLD.replace("output_tokens = 200\n", errors);
    let text = text.replace("applied = 142000", &format!("applied = {applied}"));
    Sim::new(World::parse(&text).unwrap(), 5)
}

/// Below what the target wants, and far above.
const SHORT: u32 = 142_000;
const AMPLE: u32 = 10_000_000;

struct Service {
    cycle: Cycle,
    shared: Arc<Shared>,
}

impl Service {
    fn new(sim: &Arc<Sim>, cloud: &Arc<dyn Cloud>) -> Self {
        let mut settings =
            config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
        settings.policy.mode = Mode::File;
        settings.accounts = accounts(sim.world());
        let ledger = MemoryLedger::new();
        let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
        let shared = Arc::new(shared);
        let cycle = Cycle::new(Arc::clone(cloud), Arc::new(ledger), Arc::clone(&shared));
        Self { cycle, shared }
    }

    /// What people were told of two cases.
    fn told(&self) -> Vec<(String, String)> {
        let book = self.shared.book();
        let messages = book.intents.values().filter_map(|it| match &it.effect {
            Effect::Notify { subject, body, .. } => Some((subject.clone(), body.clone())),
            Effect::RequestQuota { .. }
            | Effect::OpenCase { .. }
            | Effect::Comment { .. }
            | Effect::EndCase { .. } => None,
        });
        messages
            .filter(|(subject, _)| subject.contains("two cases"))
            .collect()
    }

    fn followed(&self) -> Vec<String> {
        let book = self.shared.book();
        let open = book.investigations.values().filter(|it| it.ended.is_none());
        open.map(|it| it.case.to_string()).collect()
    }
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    let all = value.as_array().unwrap().iter();
    all.map(|it| it.get(key).and_then(Value::as_str).unwrap().to_owned())
        .collect()
}

/// Cases that we opened, as the simulated AWS has them.
fn own_cases(sim: &Sim) -> Vec<Value> {
    let cases = sim
        .state()
        .get("cases")
        .unwrap()
        .as_array()
        .unwrap()
        .clone();
    let is_own = |it: &Value| {
        it.get("subject")
            .unwrap()
            .as_str()
            .unwrap()
            .contains("[BOA-")
    };
    cases.into_iter().filter(is_own).collect()
}

#[tokio::test]
async fn two_services_on_one_account_ask_and_say_nothing_twice() {
    let sim = world(SHORT);
    let cloud: Arc<dyn Cloud> =
        sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let mut services = [Service::new(&sim, &cloud), Service::new(&sim, &cloud)];
    let start = sim.now();
    for minute in 0..4 * 60 {
        let now = after(start, minute);
        sim.advance_to(now);
        for service in &mut services {
            service.cycle.run(now).await.unwrap();
        }
    }
    let state = sim.state();
    let requests = texts(state.get("quota_requests").unwrap(), "quota_code");
    assert_eq!(requests, ["L-15B8E632"]);
    assert_eq!(own_cases(&sim).len(), 1, "{state:#}");
    let mut comments = 0;
    for case in state.get("cases").unwrap().as_array().unwrap() {
        let bodies = texts(case.get("communications").unwrap(), "body");
        let different: BTreeSet<&String> = bodies.iter().collect();
        assert_eq!(different.len(), bodies.len(), "said twice in {case:#}");
        comments += bodies.len();
    }
    assert!(
        3 < comments,
        "context, recovery and the first words of both cases: {state:#}"
    );
    for service in &services {
        assert_eq!(service.told(), [], "there is only one case");
        let book = service.shared.book();
        assert_eq!((book.asks.len(), book.investigations.len()), (1, 1));
    }
}

/// The case of another service that counts its incidents differently, so that ours is not found by the marker.
async fn case_of_another() -> NewCase {
    let sim = world(AMPLE);
    let cloud: Arc<dyn Cloud> =
        sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let mut other = Service::new(&sim, &cloud);
    let start = sim.now();
    let mut minute = 0;
    while own_cases(&sim).is_empty() {
        let now = after(start, minute);
        sim.advance_to(now);
        other.cycle.run(now).await.unwrap();
        minute += 1;
    }
    let subject = texts(&Value::from(own_cases(&sim)), "subject").remove(0);
    let (what, _) = subject.split_once("[BOA-").unwrap();
    NewCase {
        subject: format!("{what}[BOA-ZZZZZZZZZZ]"),
        body: "what the other service knows".to_owned(),
        service_code: "service-bedrock".to_owned(),
        category_code: "general-guidance".to_owned(),
        severity_code: "normal".to_owned(),
        issue_type: "technical".to_owned(),
        cc: Vec::new(),
        attachments: None,
    }
}

/// Opened within the same seconds: neither could see the other's.
#[tokio::test]
async fn a_second_case_of_the_same_second_is_told_within_the_hour_and_the_older_one_kept() {
    for is_ours_older in [true, false] {
        let sim = world(AMPLE);
        let cloud: Arc<dyn Cloud> =
            sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
        let mut service = Service::new(&sim, &cloud);
        let start = sim.now();
        let mut minute = 0;
        let mut run = async |service: &mut Service, minutes: i64| {
            for _ in 0..minutes {
                let now = after(start, minute);
                sim.advance_to(now);
                service.cycle.run(now).await.unwrap();
                minute += 1;
            }
        };
        let twin = case_of_another().await;
        run(&mut service, 5).await;
        let scope = service
            .shared
            .book()
            .pools
            .keys()
            .next()
            .unwrap()
            .scope
            .clone();
        if !is_ours_older {
            cloud.create_case(&scope, &twin).await.unwrap();
        }
        while service.followed().is_empty() {
            run(&mut service, 1).await;
        }
        if is_ours_older {
            cloud.create_case(&scope, &twin).await.unwrap();
        }
        run(&mut service, 60).await;
        let told = service.told();
        let [(title, body)] = told.as_slice() else {
            panic!("{told:?}");
        };
        assert!(title.starts_with("[two cases] "), "{title}");
        assert!(body.contains("stop one of the two services"), "{body}");
        assert_eq!(
            service.followed().len(),
            usize::from(is_ours_older),
            "{body}"
        );
        run(&mut service, 120).await;
        assert_eq!(service.told().len(), 1, "told once");
    }
}
