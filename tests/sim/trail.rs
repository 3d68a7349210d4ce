//! The audit trail where commits wait for a disk and lanes run side by side: each step of each write has its entry.

use std::{collections::BTreeMap, sync::Arc};

use bedrock_ops_alert::{
    config,
    model::{
        action::{Effect, Intent, IntentState},
        book::{Book, Record},
        ids::{ActionId, IncidentId, QuotaCode, Region, Scope},
        policy::Mode,
        units::Amount,
    },
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim, World},
    store::{Ledger, MemoryLedger, StoreError},
};

use crate::support::{CONFIG, accounts};

/// A ledger in memory that is waited for as one on a disk is.
#[derive(Debug)]
struct Waiting(MemoryLedger);

impl Ledger for Waiting {
    fn commit(&self, records: &[Record]) -> Result<(), StoreError> {
        self.0.commit(records)
    }

    fn waits_for_disk(&self) -> bool {
        true
    }

    fn load(&self) -> Result<Book, StoreError> {
        self.0.load()
    }
}

#[tokio::test]
async fn no_entry_of_one_lane_takes_the_place_of_another_ones() {
    let sim = Sim::new(World::built_in("fortnight").unwrap(), 3);
    let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let mut settings = config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
    settings.policy.mode = Mode::File;
    settings.accounts = accounts(sim.world());
    let now = sim.now();
    let ledger = MemoryLedger::new();
    // One request for each account and Region, all due at once: a lane for each.
    let scopes: Vec<Scope> = settings
        .accounts
        .iter()
        .flat_map(|account| {
            let regions = account.regions.known().iter();
            regions.map(|region: &Region| Scope {
                account: account.id.clone(),
                region: region.clone(),
            })
        })
        .collect();
    assert!(3 <= scopes.len());
    for scope in &scopes {
        let incident = IncidentId::new(format!("inc-{scope}"));
        let intent = Intent {
            id: ActionId::derive(&incident, "request/1"),
            incident,
            step: "request/1".to_owned(),
            effect: Effect::RequestQuota {
                scope: scope.clone(),
                code: QuotaCode::new("L-15B8E632"),
                desired: Amount::new(20_000_000.0).unwrap(),
                context: String::new(),
            },
            reasons: Vec::new(),
            created: now,
            state: IntentState::Planned { not_before: now },
            attempts: 0,
            approved_by: None,
            last_failure: None,
            approved_at: None,
            declined: 0,
            worded: None,
            revision: 1,
        };
        ledger.commit(&[Record::Intent(intent)]).unwrap();
    }
    let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
    let waiting = Arc::new(Waiting(ledger.clone()));
    let mut cycle = Cycle::new(cloud, waiting, Arc::new(shared));
    cycle.run(now).await.unwrap();
    let book = ledger.load().unwrap();
    let mut steps: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in book.entries.values().filter(|it| it.kind == "write") {
        *steps.entry(entry.subject.as_str()).or_default() += 1;
    }
    for intent in book.intents.values() {
        // Begun, and what came of it.
        assert_eq!(intent.revision, 3, "{intent:?}");
        assert_eq!(
            steps.get(intent.id.as_str()),
            Some(&2),
            "{:#?}",
            book.entries
        );
    }
}
