//! How old what we know is, and whether that makes it stale or the daemon unready.

use std::collections::BTreeSet;

use super::{View, text};
use crate::{
    model::ids::Scope,
    web::json::{Condition, Freshness},
};

/// Data is stale once it is older than so many quiet cadences.
const STALE_CADENCES: i64 = 3;

/// Seconds without a beat of the loop, which beats every five, after which it counts as standing still.
const MOST_STILL: u64 = 20;

impl View<'_> {
    /// Each stage in each scope, failing ones first.
    pub(super) fn freshness(&self) -> Vec<Freshness> {
        let health = self.health;
        let keys: BTreeSet<&(&'static str, Scope)> = health
            .last_success
            .keys()
            .chain(health.failing.keys())
            .collect();
        let mut rows: Vec<Freshness> = keys.into_iter().map(|key| self.stage(key)).collect();
        rows.sort_by_key(|row| row.failing.is_none()); // Stable: within each half as the keys are sorted.
        rows
    }

    fn stage(&self, key: &(&'static str, Scope)) -> Freshness {
        let (stage, scope) = key;
        let last = self.health.last_success.get(key).copied();
        Freshness {
            stage: (*stage).to_owned(),
            account: scope.account.to_string(),
            account_name: self.account_name(&scope.account),
            region: scope.region.to_string(),
            last_success: last.map(text),
            age_seconds: last.and_then(|at| self.age(at)),
            failing: self.health.failing.get(key).map(|it| it.why.clone()),
        }
    }

    /// Seconds after which the metrics of a scope count as stale: what is idle, or stretched for the budget, is read
    /// less often on purpose.
    fn reads_stale_seconds(&self, scope: &Scope) -> i64 {
        let every = self.health.read_every.get(scope).copied().unwrap_or(1);
        let every = every.saturating_mul(STALE_CADENCES).saturating_mul(60);
        every.max(self.stale_seconds())
    }

    /// Seconds after which data counts as stale.
    pub(in crate::web) fn stale_seconds(&self) -> i64 {
        let quiet = self.settings.cadence.quiet_minutes.max(1);
        quiet.saturating_mul(STALE_CADENCES).saturating_mul(60)
    }

    /// Why what we know counts as old; empty when it does not. Nothing is said before the first cycle is done.
    pub(in crate::web) fn stale(&self) -> Vec<String> {
        if !self.health.is_ready {
            return Vec::new();
        }
        let mut why: Vec<String> = self.is_frozen().into_iter().collect();
        let reads = self.health.last_success.iter();
        for ((_, scope), at) in reads.filter(|((stage, _), _)| *stage == "read") {
            if let Some(age) = self
                .age(*at)
                .filter(|age| *age > self.reads_stale_seconds(scope))
            {
                let place = self.place(scope);
                why.push(format!(
                    "metrics of {place} were last read {} minutes before the last cycle",
                    age / 60
                ));
            }
        }
        why
    }

    /// Why the daemon's loop counts as standing still, if it does.
    fn is_frozen(&self) -> Option<String> {
        let most = u64::try_from(self.stale_seconds()).unwrap_or(u64::MAX);
        (self.idle_seconds > most).then(|| {
            format!(
                "the daemon has begun no cycle for {} minutes of real time",
                self.idle_seconds / 60
            )
        })
    }

    /// Whether the daemon's loop is alive.
    #[must_use]
    pub fn healthy(&self, takes_orders: bool) -> Condition {
        let mut reasons: Vec<String> = self.is_frozen().into_iter().collect();
        if MOST_STILL < self.still_seconds {
            reasons.push(format!(
                "the daemon's loop has stood still for {} seconds of real time",
                self.still_seconds
            ));
        }
        if !takes_orders {
            reasons.push("the daemon's loop has ended; only the page is left".to_owned());
        }
        Condition {
            ok: reasons.is_empty(),
            reasons,
        }
    }

    /// Whether the daemon does its work everywhere.
    pub(in crate::web) fn ready(&self, takes_orders: bool) -> Condition {
        let mut reasons = self.healthy(takes_orders).reasons;
        if !self.health.is_ready {
            reasons.push(
                "the first cycle is not done: store, credentials and targets are not proved yet"
                    .to_owned(),
            );
        }
        // Tags decide whom to tell, permits and the log of invocations what is said: not whether anything is watched.
        let failing = self.health.failing.iter();
        let is_beside = |stage: &str| ["tags", "permits", "ran"].contains(&stage);
        for ((stage, scope), why) in failing.filter(|((stage, _), _)| !is_beside(stage)) {
            let (place, why) = (self.place(scope), &why.why);
            reasons.push(format!("{stage} fails in {place}: {why}"));
        }
        Condition {
            ok: reasons.is_empty(),
            reasons,
        }
    }
}
