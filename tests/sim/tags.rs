//! Tags of application profiles, from the simulated AWS to what holds for a pool: read once, durable, and taken in by the
//! rules without a restart.

use std::sync::Arc;

use bedrock_ops_alert::{
    config,
    model::{alert::Verdict, ids::RuleName, time::after},
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim, World},
    store::{Ledger as _, MemoryLedger},
};

use crate::{
    carried::WORLD,
    support::{CONFIG, accounts},
};

const BY_TAG: &str = r#"
[[override]]
name = "search"
tags = { team = "search" }
[override.rule.tpm-share-warning]
above = "95 %"
[[override]]
name = "nobody"
tags = { team = "accounting" }
[override.rule.tpm-share-warning]
above = "100 %"
"#;

#[tokio::test]
async fn an_override_by_tag_holds_once_the_tags_are_read_and_after_a_restart_at_once() {
    let sim = Sim::new(World::parse(WORLD).unwrap(), 5);
    let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::new(Faults::none()));
    let ledger = MemoryLedger::new();
    let start = sim.now();
    let rule = RuleName::new("tpm-share-warning");
    let mut hashes = Vec::new();
    for minutes in [0..4, 4..6] {
        let text = format!("{CONFIG}\n{BY_TAG}");
        let mut settings =
            config::parse(&text, "world.toml", &config::Overrides::default()).unwrap();
        settings.accounts = accounts(sim.world());
        let everywhere = settings.rules.everywhere().iter();
        let everywhere = everywhere
            .clone()
            .find(|it| it.name == rule)
            .unwrap()
            .hash
            .clone();
        let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
        let shared = Arc::new(shared);
        let own = Arc::new(ledger.clone());
        let mut cycle = Cycle::new(Arc::clone(&cloud) as _, own, Arc::clone(&shared));
        for minute in minutes {
            let now = after(start, minute);
            sim.advance_to(now);
            cycle.run(now).await.unwrap();
        }
        let book = shared.book();
        let teams = book.tags.values().map(|it| it.by_key["team"].as_str());
        assert_eq!(teams.collect::<Vec<_>>(), ["search", "checkout"]);
        let pool = book.pools.keys().next().unwrap();
        // What people see is what is judged by.
        let settings = shared.settings();
        let given = settings.rules.given(pool, &rule).into_iter();
        let given = given.map(|it| format!("{} = {} by {}", it.key, it.value, it.by.name));
        assert_eq!(given.collect::<Vec<_>>(), ["above = 95 % by search"]);
        let health = shared.health();
        let by_rule = |it: &&Verdict| it.rule == rule;
        let verdict = health.verdicts[pool].iter().find(by_rule).unwrap();
        assert_ne!(verdict.rule_hash, everywhere);
        hashes.push(verdict.rule_hash.clone());
    }
    assert_eq!(hashes[0], hashes[1]);
    let calls = cloud.calls();
    let asked = calls
        .by_site
        .iter()
        .filter(|(site, _)| site.operation == "bedrock:ListTagsForResource");
    let asked: u64 = asked.map(|(_, calls)| calls.requests).sum();
    assert_eq!(asked, 2, "each once, and the restart asks nobody again");
}
