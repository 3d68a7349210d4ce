//! The daily cross-check of charged tokens: once a pool's UTC day is over and settled.
//!
//! A finding is told on the first day that shows it; while it stays the same, status and metrics go on showing it. What
//! the day before said is computed from its minutes, so that a restart needs no note of it. After a restart within the
//! same day it is logged once more.

use super::Cycle;
use crate::{
    collect::highest,
    engine::crosscheck::CrossCheck,
    model::{
        catalog::PoolId,
        series::{Depth, SETTLE_MINUTES},
        time::{DAY, Minute, Timestamp},
    },
};

impl Cycle {
    /// Checks the pools whose last whole day was not checked yet.
    pub(super) fn cross_check(&mut self, now: Timestamp) {
        let book = self.shared.book();
        let mut checked: Vec<(PoolId, CrossCheck, bool)> = Vec::new();
        for (id, pool) in &book.pools {
            let Some(known) = book.known_until(id, Depth::Full) else {
                continue;
            };
            let settled = known.min(Minute::of(now)).plus(-SETTLE_MINUTES);
            let day = settled.0.div_euclid(DAY) - 1;
            if !id.family.is_of_runtime() || self.days_checked.get(id) == Some(&day) {
                continue;
            }
            let Some(series) = book.series.get(id) else {
                continue;
            };
            self.days_checked.insert(id.clone(), day);
            let rate = pool.burndown.unwrap_or_else(highest);
            let of = |day: i64| CrossCheck::of(series, rate, Minute(day * DAY));
            if let Some(check) = of(day) {
                let is_news = of(day - 1).is_none_or(|before| !before.says_the_same_as(&check));
                checked.push((id.clone(), check, is_news));
            }
        }
        drop(book);
        let mut health = self.shared.health_mut();
        for (pool, check, is_news) in checked {
            if check.is_off() && is_news {
                let (drift, likely) = (check.drift(), check.likely);
                tracing::warn!(event = "burndown.drift", %pool, %now, drift, likely, "{}", check.told());
            }
            health.checks.insert(pool, check);
        }
    }
}
