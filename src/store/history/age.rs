//! What age does to history: minutes of more than 90 days become hours, hours of more than two years go.

use std::collections::BTreeSet;

use super::History;
use crate::{
    model::{
        catalog::PoolId,
        history::{HOUR_DAYS, MINUTE_DAYS, Resolution, Stretch, StretchKey},
        time::{DAY, Minute},
    },
    store::StoreError,
};

/// Pools whose hours go into one segment.
const POOLS_AT_ONCE: usize = 64;

/// Turns everything finer than an hour that is older than [`MINUTE_DAYS`] into hours, and lets go of hours older than
/// [`HOUR_DAYS`]. Works on whole stretches of hours, 28 days each, so minutes live up to 28 days longer than they must.
/// Hours are durable before their minutes go; cut short anywhere, it begins anew and comes to the same.
///
/// # Errors
///
/// As [`History`]; what was done by then stays done.
pub fn roll_up(history: &dyn History, now: Minute) -> Result<(), StoreError> {
    let first_of_minutes = Resolution::Hour.stretch_of(now.plus(-MINUTE_DAYS * DAY));
    let first_of_hours = Resolution::Hour.stretch_of(now.plus(-HOUR_DAYS * DAY));
    for pools in history.pools().chunks(POOLS_AT_ONCE) {
        let (mut hours, mut over) = (Vec::new(), Vec::new());
        for pool in pools {
            let held = history.held(pool);
            let (fine, coarse): (Vec<_>, Vec<_>) =
                keys(pool, &held).partition(|key| key.resolution != Resolution::Hour);
            let old = coarse.into_iter().filter(|it| it.number < first_of_hours);
            over.extend(old);
            let fine = fine.into_iter();
            let fine: Vec<_> = fine.filter(|it| period(it) < first_of_minutes).collect();
            let periods: BTreeSet<i64> = fine.iter().map(period).collect();
            for number in periods.into_iter().filter(|it| first_of_hours <= *it) {
                hours.push(hours_of(history, pool, number, &fine)?);
            }
            over.extend(fine);
        }
        history.append(&hours)?;
        history.forget(&over)?;
    }
    Ok(())
}

/// The hours of one period: what is held of them, overlaid with five minutes and then with minutes.
fn hours_of(
    history: &dyn History,
    pool: &PoolId,
    number: i64,
    fine: &[StretchKey],
) -> Result<Stretch, StoreError> {
    let key = StretchKey {
        pool: pool.clone(),
        resolution: Resolution::Hour,
        number,
    };
    let held = history.stretch(&key)?;
    let mut hours = held.unwrap_or(Stretch {
        key,
        signals: std::collections::BTreeMap::new(),
    });
    for resolution in [Resolution::FiveMinutes, Resolution::Minute] {
        let own = fine.iter().filter(|it| it.resolution == resolution);
        for key in own.filter(|it| period(it) == number) {
            if let Some(finer) = history.stretch(key)? {
                hours.overlay(&finer);
            }
        }
    }
    Ok(hours)
}

/// The stretch of hours that this one lies in.
fn period(key: &StretchKey) -> i64 {
    Resolution::Hour.stretch_of(key.first_minute())
}

fn keys(pool: &PoolId, held: &BTreeSet<(Resolution, i64)>) -> impl Iterator<Item = StretchKey> {
    held.iter().map(|(resolution, number)| StretchKey {
        pool: pool.clone(),
        resolution: *resolution,
        number: *number,
    })
}
