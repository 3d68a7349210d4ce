//! Where measured minutes come from: the store of the service, or tables.

use std::collections::BTreeMap;

use super::Past;
use crate::{
    model::{
        book::Book,
        history::{Resolution, StretchKey},
        incident::Incident,
        quota::Quota,
        series::PoolSeries,
        time::{DAY, Minute},
    },
    store::{History, StoreError},
};

/// Measured minutes, and from when to when there are any.
#[derive(Debug)]
pub struct Source {
    /// Pools, quotas and series.
    pub past: Past,
    /// The first minute with anything.
    pub first: Minute,
    /// The end, exclusive.
    pub end: Minute,
    /// What the service itself made of it, where it did.
    pub incidents: Vec<Incident>,
}

/// All that the store has in minutes: those of its ledger, and before them those of its history.
///
/// # Errors
/// Where the history can't be read. What is damaged in it is a gap.
pub fn of_store(
    kept: Book,
    history: &dyn History,
    from: Option<Minute>,
) -> Result<Source, StoreError> {
    let mut book = Book {
        pools: kept.pools,
        targets: kept.targets,
        quotas: kept.quotas,
        catalogs: kept.catalogs,
        series: kept.series,
        ..Book::default()
    };
    let least = from.map_or(i64::MIN, |from| {
        from.plus(-WARM_DAYS * DAY).0.div_euclid(DAY)
    });
    for pool in book.pools.keys() {
        let series = book.series.entry(pool.clone()).or_default();
        for (resolution, number) in history.held(pool) {
            if resolution != Resolution::Minute || number < least {
                continue;
            }
            let key = StretchKey {
                pool: pool.clone(),
                resolution,
                number,
            };
            if let Some(stretch) = history.stretch(&key)? {
                add(series, &stretch);
            }
        }
    }
    let first = book
        .series
        .values()
        .filter_map(PoolSeries::first_minute)
        .min();
    let ends = kept.read_through.into_values().max();
    let first = first.unwrap_or(Minute(0));
    let start = from.unwrap_or(first);
    let changes = kept.quota_changes.into_values();
    let mut later = Vec::new();
    // Back to what held at the start: the newest change is undone first.
    for change in changes.collect::<Vec<_>>().into_iter().rev() {
        let at = Minute::of(change.at);
        if let (Some(quota), true) = (
            book.quotas
                .get_mut(&(change.scope.clone(), change.code.clone())),
            start <= at,
        ) {
            let then = Quota {
                applied: change.new,
                ..quota.clone()
            };
            quota.applied = change.old;
            later.push((at, then));
        }
    }
    later.sort_by_key(|(at, _)| *at);
    for quota in book.quotas.values_mut() {
        quota.stale = None; // how the last read went says nothing of then
    }
    Ok(Source {
        past: Past {
            book,
            changes: later,
        },
        first,
        end: ends.unwrap_or(first),
        incidents: kept.incidents.into_values().collect(),
    })
}

/// Days before the first judged minute that rules and sizes look at.
const WARM_DAYS: i64 = 15;

fn add(series: &mut PoolSeries, stretch: &crate::model::history::Stretch) {
    let hours: BTreeMap<_, _> = stretch
        .hours()
        .map(|(signal, hour, block)| ((signal, hour), block))
        .collect();
    for ((signal, hour), block) in hours {
        if !series.holds(signal, hour) {
            series.restore(signal, hour, block);
        }
    }
}
