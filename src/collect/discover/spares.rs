//! Ways out that nobody uses: profiles, and models by their bare id, that drain a quota of their own.
//!
//! A pool is where traffic is. When one runs short, the quota that would help is often one that nobody draws on, and a
//! quota without traffic has no metric that could lead to it. So these come from the listings that are read anyway, for
//! models that are called here, and nothing is asked of CloudWatch for them.
//!
//! What is listed and has no metric is unused only where every metric was listed; and what a quota limits is known only
//! where every name was. Until then what was found before stands, less what has a target by now.

use std::collections::{BTreeMap, BTreeSet};

use super::Stage;
use crate::{
    collect::{burndown, mapping::map, quotas::QuotaListings},
    model::{
        book::{Key, Record},
        catalog::{Catalog, Family, Mapping, Pool, PoolId, Spare, Target, TargetKind},
        ids::{ModelId, QuotaCode, TargetId},
        time::Timestamp,
        units::QuotaKind,
    },
};

impl Stage<'_> {
    /// Brings the spare ways of a catalog up to date. Without a listing of quotas, those of before are what is known.
    pub(super) fn spares(
        &self,
        catalog: &mut Catalog,
        targets: &BTreeMap<TargetId, Target>,
        quotas: Option<&QuotaListings>,
    ) {
        let used: BTreeSet<&PoolId> = targets.values().map(|it| &it.pool).collect();
        let old = std::mem::take(&mut catalog.spares);
        let (whole, names) = match quotas {
            Some(quotas) => (quotas.is_whole, Some(quotas.names())),
            None => (false, None),
        };
        if !self.listings.has_all_targets() || self.listings.is_metrics_only() {
            catalog.spares = old;
            catalog.spares.retain(|it| !used.contains(&it.pool.id));
            return;
        }
        let before: BTreeMap<&PoolId, &Spare> = old.iter().map(|it| (&it.pool.id, it)).collect();
        for (id, ways) in self.unused(&used, &before) {
            let known = before.get(&id).map(|it| &it.pool.mappings);
            let mappings = match &names {
                Some(names) if whole => map(&id.model, id.family, names),
                // Part of the names proves nothing.
                Some(_) | None => known.cloned().unwrap_or_default(),
            };
            // What is ambiguous, or not known, is no room.
            if mappings
                .get(&QuotaKind::Tpm)
                .and_then(Mapping::code)
                .is_none()
            {
                continue;
            }
            let pool = Pool {
                burndown: burndown::rate(&id.model),
                worth: None,
                mappings,
                id,
            };
            let targets = ways;
            catalog.spares.push(Spare { pool, targets });
        }
    }

    /// What could be called of the models that are, by the pool that it would be, where that has no target.
    fn unused(
        &self,
        used: &BTreeSet<&PoolId>,
        before: &BTreeMap<&PoolId, &Spare>,
    ) -> BTreeMap<PoolId, Vec<Target>> {
        let of_runtime = used.iter().filter(|it| it.family.is_of_runtime());
        let models: BTreeSet<&ModelId> = of_runtime.map(|it| &it.model).collect();
        let listed = BTreeSet::new();
        let atlas = self.listings.atlas(self.scope, &listed);
        let profiles = self.listings.active_system_profiles();
        let profiles = profiles.filter_map(|id| {
            let id = TargetId::new(id);
            let (kind, pool) = atlas.place(&id).ok()?;
            Some((id, kind, pool))
        });
        let models_by_id = models.iter().filter(|it| self.listings.is_open_by_id(it));
        let bare = models_by_id.map(|model| {
            let pool = PoolId {
                scope: self.scope.clone(),
                family: Family::OnDemand,
                model: (*model).clone(),
            };
            (TargetId::new(model.as_str()), TargetKind::Base, pool)
        });
        let mut found: BTreeMap<PoolId, Vec<Target>> = BTreeMap::new();
        for (id, kind, pool) in profiles.chain(bare) {
            let is_over = self.listings.life(&pool.model).and_then(|it| it.end);
            let is_over = is_over.is_some_and(|end| end <= self.now);
            if used.contains(&pool) || !models.contains(&pool.model) || is_over {
                continue;
            }
            let known = before.get(&pool).into_iter().flat_map(|it| &it.targets);
            let first_seen = known.clone().find(|it| it.id == id);
            let first_seen: Timestamp = first_seen.map_or(self.now, |it| it.first_seen);
            found.entry(pool.clone()).or_default().push(Target {
                id,
                kind,
                pool,
                first_seen,
            });
        }
        for ways in found.values_mut() {
            ways.sort_by(|a, b| a.id.cmp(&b.id));
            ways.dedup_by(|a, b| a.id == b.id);
        }
        found
    }

    /// Who may call a way is forgotten with it.
    pub(super) fn forget_permits(&mut self, targets: &BTreeMap<TargetId, Target>, now: &Catalog) {
        let spare = now.spares.iter().flat_map(|it| &it.targets);
        let spare: BTreeSet<&TargetId> = spare.map(|it| &it.id).collect();
        let is_gone = |id: &TargetId| !targets.contains_key(id) && !spare.contains(id);
        let permits = self.book.permits.keys();
        let gone = permits.filter(|(scope, id)| scope == self.scope && is_gone(id));
        let gone = gone.map(|(scope, id)| Record::Remove(Key::Permits(scope.clone(), id.clone())));
        self.found.extend(gone);
    }
}

/// The quotas of ways that nobody uses.
pub(super) fn codes_of(catalog: &Catalog) -> impl Iterator<Item = &QuotaCode> {
    let mappings = catalog
        .spares
        .iter()
        .flat_map(|it| it.pool.mappings.values());
    mappings.filter_map(Mapping::code)
}
