//! What rounds remember of one another.

use std::{collections::BTreeMap, ops::Range};

use super::*;
use crate::{
    collect::fake::{Fake, listed, scope},
    model::{
        catalog::{Family, Mapping, Pool},
        history::Resolution,
        ids::{ModelId, QuotaCode},
        quota::Quota,
        series::{Reading, Sample, Signal},
        units::{Amount, QuotaKind},
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
        may_fill: true,
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

/// While the profiles are not all listed, a pool may lack some of its own; what is filled then would stay so.
#[tokio::test]
async fn no_history_is_filled_before_all_targets_were_listed_once() {
    let fake = Arc::new(Fake::default());
    let profiles = "bedrock:ListInferenceProfiles";
    fake.fail(profiles, 0, FaultClass::Throttled);
    let mut watch = Watch::default();
    let mut filled = Vec::new();
    for minute in [0, 5, 10] {
        let mut start = start(after(Timestamp::UNIX_EPOCH, 10_000_000 + minute));
        start.missing = vec![StretchKey {
            pool: PoolId {
                scope: scope(),
                family: Family::Geo,
                model: ModelId::new("model"),
            },
            resolution: Resolution::Minute,
            number: 6_900,
        }];
        if minute == 10 {
            fake.fail(profiles, 0, FaultClass::Throttled); // no matter any more
        }
        let (sender, mut finds) = mpsc::channel(1_000);
        let cloud: Arc<dyn Cloud> = Arc::<Fake>::clone(&fake);
        watch = round(watch, start, cloud, sender).await;
        let mut is_filling = false;
        while let Some((_, find)) = finds.recv().await {
            is_filling |= matches!(
                find,
                Find::Stage {
                    name: "backfill",
                    ..
                }
            );
        }
        filled.push(is_filling);
    }
    assert_eq!(filled, [false, true, true]);
}

/// So many pools, each with one quota, all read at `read_at`.
fn mapped(pools: usize, read_at: Timestamp) -> (Fake, Book) {
    let (mut fake, mut book) = (Fake::default(), Book::default());
    for number in 0..pools {
        let code = QuotaCode::new(format!("L-{number:03}"));
        let name = format!("Requests per minute for model {number}");
        fake.quotas.push(listed(code.as_str(), &name, 100.0));
        let mapping = Mapping::Mapped {
            code: code.clone(),
            proof: String::new(),
        };
        book.apply(vec![
            Record::Pool(Pool {
                id: PoolId {
                    scope: scope(),
                    family: Family::Geo,
                    model: ModelId::new(format!("model-{number}")),
                },
                burndown: None,
                worth: None,
                mappings: BTreeMap::from([(QuotaKind::Rpm, mapping)]),
            }),
            Record::Quota(Quota {
                scope: scope(),
                code,
                name,
                applied: Amount::new(100.0),
                default: None,
                adjustable: true,
                read_at,
                stale: None,
            }),
        ]);
    }
    (fake, book)
}

/// Runs a round in each of these minutes, Service Quotas taking `calls` each; returns when each quota was last read.
async fn last_read(
    (fake, calls): (&Arc<Fake>, Option<usize>),
    book: &mut Book,
    watch: &mut Watch,
    minutes: Range<i64>,
) -> Vec<i64> {
    let begin = Timestamp::UNIX_EPOCH;
    for minute in minutes {
        let mut start = start(after(begin, minute));
        book.apply(vec![Record::Discovered(scope(), start.now)]);
        start.book = book.clone();
        fake.script.lock().unwrap().clear();
        if let Some(calls) = calls {
            fake.fail(
                "servicequotas:GetServiceQuota",
                calls,
                FaultClass::Throttled,
            );
        }
        let (sender, mut finds) = mpsc::channel(1_000);
        let cloud: Arc<dyn Cloud> = Arc::<Fake>::clone(fake);
        *watch = round(mem::take(watch), start, cloud, sender).await;
        while let Some((_, find)) = finds.recv().await {
            if let Find::Records(records) = find {
                book.apply(records);
            }
        }
    }
    let read_at = book.quotas.values().map(|quota| quota.read_at);
    read_at
        .map(|at| (at.as_second() - begin.as_second()) / 60)
        .collect()
}

/// Two calls a minute go through: those that are late in the order of their codes have their turn as well.
#[tokio::test]
async fn quotas_are_all_read_again_though_service_quotas_slows_us_down() {
    let (fake, mut book) = mapped(10, after(Timestamp::UNIX_EPOCH, -60));
    let (fake, mut watch) = (Arc::new(fake), Watch::default());
    let read = last_read((&fake, Some(2)), &mut book, &mut watch, 0..1).await;
    let untouched = [-60; 8];
    assert_eq!(read, [&[0, 0][..], &untouched].concat());
    let stale = book.quotas.values().filter(|quota| quota.stale.is_some());
    assert_eq!(stale.count(), 1, "only what was refused");
    let read = last_read((&fake, Some(2)), &mut book, &mut watch, 1..15).await;
    assert_eq!(read, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    assert!(book.quotas.values().all(|quota| quota.stale.is_none()));
    // The next turn begins a quarter of an hour after the last one was whole, and with the oldest.
    let read = last_read((&fake, None), &mut book, &mut watch, 15..19).await;
    assert_eq!(read, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    let read = last_read((&fake, None), &mut book, &mut watch, 19..30).await;
    assert_eq!(read, [19; 10]);
}

#[tokio::test]
async fn one_round_reads_sixty_quotas_again_at_most() {
    let (fake, mut book) = mapped(70, after(Timestamp::UNIX_EPOCH, -60));
    let (fake, mut watch) = (Arc::new(fake), Watch::default());
    let read = last_read((&fake, None), &mut book, &mut watch, 0..2).await;
    assert_eq!(read, [&[0; 60][..], &[1; 10]].concat());
}
