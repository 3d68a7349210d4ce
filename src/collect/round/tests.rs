//! What rounds remember of one another.

use std::collections::BTreeMap;

use super::*;
use crate::{
    collect::fake::{Fake, scope},
    model::{
        catalog::Family,
        ids::ModelId,
        series::{Reading, Sample, Signal},
    },
};

fn start(now: Timestamp) -> Start {
    Start {
        scope: scope(),
        book: Book::default(),
        plan: Arc::new(Plan::default()),
        free: 0,
        cadence: Cadence {
            quiet_minutes: 5,
            idle_minutes: 15,
            detail_minutes: 10,
            hot_minutes: 1,
            discovery_minutes: 15,
            desk_minutes: 5,
        },
        missing: Vec::new(),
        is_home: false,
        turns: Arc::new(Semaphore::new(1)),
        wanted: Wanted::default(),
        feed: None,
        now,
    }
}

/// Most accounts have no throttles, and some no pool that sleeps: neither may remember every minute it ever read.
#[tokio::test]
async fn what_pools_were_seen_to_have_is_not_kept_for_ever() {
    let now = Minute(29_000_000);
    let mut watch = Watch::default();
    watch.alarm.explain(&Reading {
        pool: PoolId {
            scope: scope(),
            family: Family::Geo,
            model: ModelId::new("hot"),
        },
        from: now.plus(-120),
        signals: BTreeMap::from([(Signal::Throttles, vec![Sample::Value(0.0); 15])]),
        by_target: BTreeMap::new(),
    });
    assert!(!watch.alarm.is_empty());
    let (sender, _finds) = mpsc::channel(100);
    let watch = round(watch, start(now.start()), Arc::new(Fake::default()), sender).await;
    assert!(watch.alarm.is_empty());
}
