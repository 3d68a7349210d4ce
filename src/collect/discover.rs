//! Discovery: what exists in one account and Region, and what limits it.

use std::collections::{BTreeMap, BTreeSet};

use super::listings::Listings;
use super::mapping::map;
use super::quotas::{QuotaListings, QuotaPages};
use super::{Gathered, burndown};
use crate::cloud::Cloud;
use crate::model::book::{Book, Key, Record};
use crate::model::catalog::{Catalog, Family, Mapping, Pool, PoolId, Target, Unplaced, Unwatched};
use crate::model::ids::{QuotaCode, Scope, TargetId};
use crate::model::residency::Reaches;
use crate::model::time::{DAY, Timestamp, after};
use crate::model::units::QuotaKind;

pub use news::News;

mod news;
mod spares;

/// A target that CloudWatch lists no more is shown for so long, and then forgotten.
const SHOWN_DAYS: i64 = 14;

/// What a discovery came to.
#[derive(Debug)]
pub struct Discovery {
    /// Records to commit, and what failed.
    pub gathered: Gathered<Vec<Record>>,
    /// Findings that are no failures.
    pub news: Vec<News>,
    /// Whether all quotas were listed, each listing to its end, or nobody can be asked for them.
    pub has_listed_quotas: bool,
    /// Whether every target was listed, and everything that says which pool is its own.
    pub has_all_targets: bool,
    /// Targets that came to a pool that was known before, and to which.
    pub late: BTreeMap<TargetId, PoolId>,
}

/// Targets, pools, mappings and quotas of one scope.
///
/// Targets and pools are given back where they are new or changed; quotas where they were listed, since the age of their
/// value changed. Quotas are listed `with_quotas`, and always when a pool is met for the first time: the two listings
/// have a dozen pages each, and their names hardly ever change. A listing that failed midway is left in `unfinished`, to
/// be gone on with.
///
/// Ways out that nobody uses (`spares`) come from the same listings, for models that have a pool here.
///
/// What could not be read keeps its old records: no target is taken away, no mapping replaced, and a quota is marked
/// stale. A pool whose set of targets changed loses its `ReadThrough`, so that the next read sums its whole history anew.
/// `Discovered` comes only when every listing was read to its end.
pub async fn discover(
    cloud: &dyn Cloud,
    scope: &Scope,
    book: &Book,
    with_quotas: bool,
    unfinished: &mut Option<QuotaPages>,
    now: Timestamp,
) -> Discovery {
    let listings = Listings::read(cloud, scope).await;
    let mut faults = listings.faults.clone();
    let mut stage = Stage {
        scope,
        book,
        now,
        listings: &listings,
        found: Vec::new(),
        news: Vec::new(),
        late: BTreeMap::new(),
    };
    let (targets, mut catalog) = stage.targets();
    let is_new = |target: &Target| !book.pools.contains_key(&target.pool);
    let has_new = targets.values().any(is_new);
    let (mut quotas, mut has_names) = (None, false);
    if with_quotas || has_new {
        let mut pages = unfinished
            .take()
            .filter(|pages| !pages.is_old(now))
            .unwrap_or_else(|| QuotaPages::new(now));
        let mut unread = pages.read_on(cloud, scope).await;
        let is_whole = pages.is_whole();
        // Part of the names is better than none for a pool that has no mapping yet; for the others it proves nothing.
        if is_whole || has_new {
            let listed = QuotaListings::new(&pages, &unread);
            let pools = stage.pools(&targets, &listed);
            stage.spares(&mut catalog, &targets, Some(&listed));
            stage.quotas(&pools, &catalog, &listed);
            has_names = true;
        }
        if listings.is_metrics_only() {
            // Told once, and no failure: whoever configured the account meant it.
            unread.clear();
        }
        let is_done = is_whole || listings.is_metrics_only();
        faults.extend(unread);
        *unfinished = (!is_done).then_some(pages);
        quotas = Some(is_done);
    }
    if !has_names {
        stage.spares(&mut catalog, &targets, None);
    }
    stage.keep_catalog(&targets, catalog);
    if let Some(through) = cloud.access(scope).metrics_through
        && listings.is_metrics_only()
    {
        stage.news.push(News::MetricsOnly(through));
    }
    if listings.has_all_targets() && quotas != Some(false) {
        stage.found.push(Record::Discovered(scope.clone(), now));
    }
    Discovery {
        gathered: Gathered {
            found: stage.found,
            faults,
        },
        news: stage.news,
        has_listed_quotas: quotas == Some(true),
        has_all_targets: listings.has_all_targets(),
        late: stage.late,
    }
}

/// One discovery while it is put together.
#[derive(Debug)]
struct Stage<'a> {
    scope: &'a Scope,
    book: &'a Book,
    now: Timestamp,
    listings: &'a Listings,
    found: Vec<Record>,
    news: Vec<News>,
    late: BTreeMap<TargetId, PoolId>,
}

impl Stage<'_> {
    /// Places what is listed; returns all targets that are known from now on, and what the listings say beside them.
    fn targets(&mut self) -> (BTreeMap<TargetId, Target>, Catalog) {
        let listed = self.listings.listed();
        let atlas = self.listings.atlas(self.scope, &listed);
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
                Err(nowhere) => unplaced.push(nowhere.of(id.clone())),
            }
        }
        let mut catalog = self.catalog(&mut now_known, &listed);
        self.note_unwatched(&mut catalog, &unplaced);
        if !unplaced.is_empty() {
            self.news.push(News::Unplaced(unplaced));
        }
        self.reaches(&now_known);
        self.forget_tags(&now_known);
        self.record_targets(&known, &now_known);
        (now_known, catalog)
    }

    /// Brings the catalog up to date, and lets go of the targets that vanished long ago.
    fn catalog(
        &mut self,
        known: &mut BTreeMap<TargetId, Target>,
        listed: &BTreeSet<TargetId>,
    ) -> Catalog {
        let old = self.book.catalogs.get(self.scope);
        let mut catalog = old.cloned().unwrap_or_default(); // the first discovery of this scope
        if self.listings.has_all_metrics() {
            self.note_vanished(&mut catalog, known, listed);
        }
        if self.listings.has_all_profiles() {
            let profiles = self.listings.system_profiles();
            let new: Vec<String> = profiles.difference(&catalog.profiles).cloned().collect();
            // At first sight all are new, which is no news.
            if !catalog.profiles.is_empty() && !new.is_empty() {
                let since = new.iter().map(|id| (id.clone(), self.now));
                catalog.new_profiles.extend(since);
                self.news.push(News::NewProfiles(new));
            }
            catalog.profiles.extend(profiles);
        }
        let is_news = |since: Timestamp| self.now < after(since, Catalog::NEW_DAYS * DAY);
        catalog.new_profiles.retain(|_, since| is_news(*since));
        let models: BTreeSet<_> = known.values().map(|target| &target.pool.model).collect();
        catalog.lives.retain(|model, _| models.contains(model));
        for model in models {
            // A model that is listed no more keeps what was last announced of it.
            if let Some(life) = self.listings.life(model) {
                catalog.lives.insert(model.clone(), life);
            }
        }
        catalog
    }

    fn keep_catalog(&mut self, known: &BTreeMap<TargetId, Target>, catalog: Catalog) {
        self.forget_permits(known, &catalog);
        let old = self.book.catalogs.get(self.scope);
        if old != Some(&catalog) && catalog != Catalog::default() {
            let record = Record::Catalog(self.scope.clone(), catalog);
            self.found.push(record);
        }
    }

    /// Where the profiles lead, once all of them were listed. What is known of a target that has no profile any more is kept:
    /// its metrics, and so its pool, live on for a while.
    fn reaches(&mut self, known: &BTreeMap<TargetId, Target>) {
        if !self.listings.has_all_profiles() {
            return;
        }
        let old = self.book.reaches.get(self.scope);
        let mut reaches = Reaches::default();
        for (target, reach) in self.listings.reaches(|id| known.contains_key(id)) {
            reaches.insert(target, reach);
        }
        let kept = old.into_iter().flat_map(|it| &it.by_reach);
        let kept = kept.flat_map(|(reach, ids)| ids.iter().map(move |id| (id, reach)));
        for (id, reach) in kept.filter(|(id, _)| known.contains_key(*id)) {
            if reaches.of(id).is_none() {
                reaches.insert(id.clone(), reach.clone());
            }
        }
        if old != Some(&reaches) && reaches != Reaches::default() {
            self.found
                .push(Record::Reaches(self.scope.clone(), reaches));
        }
    }

    /// A profile that does not exist any more has no tags, though its metrics live on for a while.
    fn forget_tags(&mut self, known: &BTreeMap<TargetId, Target>) {
        let first = (self.scope.clone(), TargetId::new(""));
        let own = self.book.tags.range(first..);
        let own = own.take_while(|((scope, _), _)| scope == self.scope);
        let has_all = self.listings.has_all_profiles();
        let listed = self.listings.profile_ids();
        let is_gone =
            |id: &TargetId| !known.contains_key(id) || (has_all && !listed.contains(id.as_str()));
        let gone = own.filter(|((_, id), _)| is_gone(id));
        let gone =
            gone.map(|((scope, id), _)| Record::Remove(Key::Tags(scope.clone(), id.clone())));
        self.found.extend(gone);
    }

    /// What could not be placed for want of a listing is not told: the next one may place it.
    fn note_unwatched(&self, catalog: &mut Catalog, unplaced: &[Unplaced]) {
        if !self.listings.has_all_targets() {
            return;
        }
        let before = std::mem::take(&mut catalog.unwatched);
        let odd = unplaced.iter().filter(|it| it.may_be_limited);
        catalog.unwatched = odd
            .map(|it| {
                let since = before.get(&it.id).map_or(self.now, |old| old.since);
                let why = it.why.clone();
                (it.id.clone(), Unwatched { why, since })
            })
            .collect();
    }

    fn note_vanished(
        &mut self,
        catalog: &mut Catalog,
        known: &mut BTreeMap<TargetId, Target>,
        listed: &BTreeSet<TargetId>,
    ) {
        let vanished = &mut catalog.vanished;
        vanished.retain(|id, _| known.contains_key(id) && !listed.contains(id));
        let is_new = |id: &&TargetId| !listed.contains(*id) && !vanished.contains_key(*id);
        let new: Vec<TargetId> = known.keys().filter(is_new).cloned().collect();
        vanished.extend(new.iter().map(|id| (id.clone(), self.now)));
        let is_over = |since: Timestamp| after(since, SHOWN_DAYS * DAY) <= self.now;
        known.retain(|id, _| !vanished.get(id).is_some_and(|since| is_over(*since)));
        vanished.retain(|id, _| known.contains_key(id));
        if !new.is_empty() {
            self.news.push(News::Vanished(new));
        }
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
                if self.book.pools.contains_key(&target.pool) {
                    self.late.insert(id.clone(), target.pool.clone());
                }
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
                burndown: match id.family {
                    Family::Mantle => Some(1.0), // input and output have quotas of their own
                    Family::OnDemand | Family::Geo | Family::Global => burndown::rate(&id.model),
                    Family::Account => None, // of no single model
                },
                worth: None,
                mappings,
            };
            if old != Some(&pool) {
                self.found.push(Record::Pool(pool.clone()));
            }
            pools.insert(id.clone(), pool);
        }
        let account = self.account(&pools, quotas);
        pools.extend(account.map(|pool| (pool.id.clone(), pool)));
        pools
    }

    /// What the models of the runtime endpoint drain together, where the account has a quota of all of them.
    fn account(&mut self, pools: &BTreeMap<PoolId, Pool>, quotas: &QuotaListings) -> Option<Pool> {
        let names = quotas.names();
        let id = PoolId::of_account(self.scope);
        let old = self.book.pools.get(&id);
        let kind = QuotaKind::CrossModelTpd;
        let mapping = match (names.account_mapping(), old) {
            // Part of the names proves nothing.
            (Mapping::Unknown, Some(old)) => old.mapping(kind).clone(),
            (mapping, _) => mapping,
        };
        let is_called = pools.keys().any(|it| it.family.is_of_runtime());
        let is_there = is_called && matches!(mapping, Mapping::Mapped { .. });
        if old.is_none() && !is_there {
            return None;
        }
        let pool = Pool {
            id,
            burndown: None,
            worth: old.and_then(|it| it.worth),
            mappings: BTreeMap::from([(kind, mapping)]),
        };
        if old != Some(&pool) {
            self.found.push(Record::Pool(pool.clone()));
        }
        Some(pool)
    }

    /// Records the quotas that the pools are mapped to, candidates included, those of the ways that nobody uses, the one that
    /// all models share, and those that were recorded before.
    fn quotas(
        &mut self,
        pools: &BTreeMap<PoolId, Pool>,
        catalog: &Catalog,
        quotas: &QuotaListings,
    ) {
        let names = quotas.names();
        let mappings = pools.values().flat_map(|pool| pool.mappings.values());
        let mut codes: BTreeSet<&QuotaCode> = mappings.flat_map(codes_of).collect();
        codes.extend(names.account_tpd());
        codes.extend(spares::codes_of(catalog));
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

fn codes_of(mapping: &Mapping) -> Vec<&QuotaCode> {
    match mapping {
        Mapping::Mapped { code, .. } => vec![code],
        Mapping::Ambiguous { candidates } => candidates.iter().collect(),
        Mapping::Absent | Mapping::Unknown => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
