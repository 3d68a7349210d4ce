//! Discovery: what exists in one account and Region, and what limits it.

use std::collections::{BTreeMap, BTreeSet};

use super::mapping::{QuotaNames, map};
use super::pages::{Listing, all_pages};
use super::place::{Atlas, Profiles};
use super::quotas::{QuotaListings, QuotaPages};
use super::sum::Measure;
use super::{Gathered, burndown};
use crate::cloud::{Cloud, Fault, FaultClass, FoundationModel, Metric, Profile};
use crate::model::book::{Book, Key, Record};
use crate::model::catalog::{Mapping, Pool, PoolId, Target};
use crate::model::ids::{QuotaCode, Scope, TargetId};
use crate::model::time::{DAY, Timestamp, after};

/// CloudWatch lists a metric until it was silent for two weeks.
const LISTED_DAYS: i64 = 14;

/// Unplaced targets named in the fault that tells of them.
const MAX_EXAMPLES: usize = 10;

const NAMESPACE: &str = "AWS/Bedrock";

/// What a discovery came to.
#[derive(Debug)]
pub struct Discovery {
    /// Records to commit, and what failed.
    pub gathered: Gathered<Vec<Record>>,
    /// Whether all quotas were listed, each listing to its end.
    pub has_listed_quotas: bool,
}

/// Targets, pools, mappings and quotas of one scope.
///
/// Targets and pools are given back where they are new or changed; quotas where they were listed, since the age of their
/// value changed. Quotas are listed `with_quotas`, and always when a pool is met for the first time: the two listings
/// have a dozen pages each, and their names hardly ever change. A listing that failed midway is left in `unfinished`, to
/// be gone on with.
///
/// What could not be read keeps its old records: no target is taken away, no mapping replaced, and a quota is marked
/// stale. A pool whose set of targets changed loses its `ReadThrough`, so that the next read sums its whole history anew.
/// `Discovered` comes only when every listing was read to its end. Targets without a pool are told in a fault with the
/// code `Unplaced`.
pub async fn discover(
    cloud: &dyn Cloud,
    scope: &Scope,
    book: &Book,
    with_quotas: bool,
    unfinished: &mut Option<QuotaPages>,
    now: Timestamp,
) -> Discovery {
    let metrics = all_pages("cloudwatch:ListMetrics", |page| {
        cloud.list_metrics(scope, NAMESPACE, false, page)
    });
    let metrics = metrics.await;
    let profiles = all_pages("bedrock:ListInferenceProfiles", |page| {
        cloud.list_profiles(scope, page)
    });
    let profiles = profiles.await;
    let models = cloud.list_models(scope).await;
    let mut stage = Stage {
        scope,
        book,
        now,
        found: Vec::new(),
        faults: Vec::new(),
    };
    let is_listed_whole = metrics.is_complete() && profiles.is_complete() && models.is_ok();
    let targets = stage.targets(metrics, profiles, models);
    let is_new = |target: &Target| !book.pools.contains_key(&target.pool);
    let has_new = targets.values().any(is_new);
    let mut quotas = None;
    if with_quotas || has_new {
        let mut pages = unfinished
            .take()
            .filter(|pages| !pages.is_old(now))
            .unwrap_or_else(|| QuotaPages::new(now));
        let faults = pages.read_on(cloud, scope).await;
        let is_whole = pages.is_whole();
        // Part of the names is better than none for a pool that has no mapping yet; for the others it proves nothing.
        if is_whole || has_new {
            let listings = QuotaListings::new(&pages, &faults);
            let pools = stage.pools(&targets, &listings);
            stage.quotas(&pools, &listings);
        }
        stage.faults.extend(faults);
        *unfinished = (!is_whole).then_some(pages);
        quotas = Some(is_whole);
    }
    if is_listed_whole && quotas != Some(false) {
        stage.found.push(Record::Discovered(scope.clone(), now));
    }
    Discovery {
        gathered: Gathered {
            found: stage.found,
            faults: stage.faults,
        },
        has_listed_quotas: quotas == Some(true),
    }
}

/// One discovery while it is put together.
#[derive(Debug)]
struct Stage<'a> {
    scope: &'a Scope,
    book: &'a Book,
    now: Timestamp,
    found: Vec<Record>,
    faults: Vec<Fault>,
}

impl Stage<'_> {
    /// Places what is listed; returns all targets that are known from now on.
    fn targets(
        &mut self,
        metrics: Listing<Metric>,
        profiles: Listing<Profile>,
        models: Result<Vec<FoundationModel>, Fault>,
    ) -> BTreeMap<TargetId, Target> {
        let is_whole = metrics.is_complete();
        let read = if profiles.is_complete() {
            Profiles::Whole
        } else {
            Profiles::Partial
        };
        let (models, models_fault) = match models {
            Ok(models) => (models, None),
            Err(fault) => (Vec::new(), Some(fault)),
        };
        let atlas = Atlas::new(self.scope, &profiles.items, read, &models);
        let listed: BTreeSet<TargetId> = metrics.items.iter().filter_map(target_of).collect();
        let known = self.book.targets.iter();
        let known: BTreeMap<TargetId, Target> = known
            .filter(|((scope, _), _)| scope == self.scope)
            .map(|((_, id), target)| (id.clone(), target.clone()))
            .collect();
        let mut now_known = known.clone();
        let mut unplaced = Vec::new();
        for id in &listed {
            let old = known.get(id);
            match atlas.place(id) {
                Ok((kind, pool)) => {
                    let target = Target {
                        id: id.clone(),
                        kind,
                        pool,
                        first_seen: old.map_or(self.now, |old| old.first_seen),
                    };
                    now_known.insert(id.clone(), target);
                }
                // A profile that was deleted keeps its metrics for a while, and its pool with them.
                Err(_) if old.is_some() && !atlas.lists(id) => {}
                Err(why) => unplaced.push((id, why)),
            }
        }
        if is_whole {
            let dark = |target: &Target| !listed.contains(&target.id) && self.is_dark(target);
            now_known.retain(|_, target| !dark(target));
        }
        self.faults.extend(metrics.fault);
        self.faults.extend(profiles.fault);
        self.faults.extend(models_fault);
        self.faults.extend(unplaced_fault(&unplaced));
        self.record_targets(&known, &now_known);
        now_known
    }

    /// Whether a target that is no longer listed may be forgotten: it has been silent for two weeks. One that we met less
    /// than two weeks ago stays; a listing that drops it early must not make its traffic vanish from the pool's sum.
    fn is_dark(&self, target: &Target) -> bool {
        after(target.first_seen, LISTED_DAYS * DAY) <= self.now
    }

    fn record_targets(
        &mut self,
        known: &BTreeMap<TargetId, Target>,
        now_known: &BTreeMap<TargetId, Target>,
    ) {
        let mut reshaped: BTreeSet<&PoolId> = BTreeSet::new();
        for (id, target) in now_known {
            let old = known.get(id);
            if old == Some(target) {
                continue;
            }
            if old.map(|old| &old.pool) != Some(&target.pool) {
                reshaped.insert(&target.pool);
                reshaped.extend(old.map(|old| &old.pool));
            }
            self.found.push(Record::Target(target.clone()));
        }
        let gone = known.keys().filter(|id| !now_known.contains_key(*id));
        for id in gone {
            let key = Key::Target(self.scope.clone(), id.clone());
            self.found.push(Record::Remove(key));
        }
        let reshaped = reshaped.into_iter();
        for pool in reshaped.filter(|pool| self.book.read_through.contains_key(*pool)) {
            let key = Key::ReadThrough(pool.clone());
            self.found.push(Record::Remove(key));
        }
    }

    /// Maps the pools of these targets; returns them with their mappings as they now stand.
    fn pools(
        &mut self,
        targets: &BTreeMap<TargetId, Target>,
        quotas: &QuotaListings,
    ) -> BTreeMap<PoolId, Pool> {
        let names = quotas.names();
        let names = if quotas.is_whole {
            QuotaNames::whole(&names)
        } else {
            QuotaNames::partial(&names)
        };
        let mut pools = BTreeMap::new();
        for id in targets.values().map(|target| &target.pool) {
            if pools.contains_key(id) {
                continue;
            }
            let old = self.book.pools.get(id);
            let mut mappings = map(&id.model, id.family, &names);
            if let (Some(old), false) = (old, quotas.is_whole) {
                // Part of the names proves nothing against what all of them once proved.
                let kept = old.mappings.iter();
                let kept = kept.filter(|(_, mapping)| **mapping != Mapping::Unknown);
                mappings.extend(kept.map(|(kind, mapping)| (*kind, mapping.clone())));
            }
            let pool = Pool {
                id: id.clone(),
                burndown: burndown::rate(&id.model),
                mappings,
            };
            if old != Some(&pool) {
                self.found.push(Record::Pool(pool.clone()));
            }
            pools.insert(id.clone(), pool);
        }
        pools
    }

    /// Records the quotas that the pools are mapped to, candidates included, and those that were recorded before.
    fn quotas(&mut self, pools: &BTreeMap<PoolId, Pool>, quotas: &QuotaListings) {
        let mappings = pools.values().flat_map(|pool| pool.mappings.values());
        let mut codes: BTreeSet<&QuotaCode> = mappings.flat_map(codes_of).collect();
        let known = self.book.quotas.keys();
        codes.extend(
            known
                .filter(|(scope, _)| scope == self.scope)
                .map(|(_, code)| code),
        );
        for code in codes {
            let old = self.book.quotas.get(&(self.scope.clone(), code.clone()));
            let records = quotas.records(self.scope, code, old, self.now);
            self.found.extend(records);
        }
    }
}

/// The target of a metric that we read; other dimension sets hold the same events again.
fn target_of(metric: &Metric) -> Option<TargetId> {
    let is_read = Measure::ALL.iter().any(|it| it.metric() == metric.name);
    let mut dimensions = metric.dimensions.iter();
    match (dimensions.next(), dimensions.next()) {
        (Some((name, value)), None) if is_read && name == "ModelId" => {
            Some(TargetId::new(value.clone()))
        }
        (Some(_), _) | (None, _) => None,
    }
}

fn codes_of(mapping: &Mapping) -> Vec<&QuotaCode> {
    match mapping {
        Mapping::Mapped { code, .. } => vec![code],
        Mapping::Ambiguous { candidates } => candidates.iter().collect(),
        Mapping::Absent | Mapping::Unknown => Vec::new(),
    }
}

fn unplaced_fault(unplaced: &[(&TargetId, String)]) -> Option<Fault> {
    let some = unplaced.iter().take(MAX_EXAMPLES);
    let some: Vec<String> = some.map(|(id, why)| format!("`{id}` ({why})")).collect();
    let message = format!(
        "{} targets have metrics and no pool, so they are not watched, such as {}",
        unplaced.len(),
        some.join(", ")
    );
    (!unplaced.is_empty()).then(|| Fault {
        operation: "bedrock:ListInferenceProfiles",
        code: super::UNPLACED.to_owned(),
        message,
        class: FaultClass::Invalid,
    })
}

#[cfg(test)]
mod tests;
