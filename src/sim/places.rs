//! Where the targets of a world stand: asked for every series of every call, so it is not looked for each time.

use std::collections::BTreeMap;

use super::world::World;
use crate::model::{
    catalog::Family,
    ids::{Scope, TargetId},
};

/// Indices into [`World::targets`] by what calls name.
#[derive(Debug)]
pub(crate) struct Places {
    /// Those of the runtime endpoint.
    by_scope: BTreeMap<Scope, Vec<usize>>,
    by_id: BTreeMap<Scope, BTreeMap<TargetId, usize>>,
    /// Per target, its place in its pool's list.
    slots: Vec<usize>,
}

impl Places {
    pub(crate) fn new(world: &World) -> Self {
        let mut places = Self {
            by_scope: BTreeMap::new(),
            by_id: BTreeMap::new(),
            slots: vec![0; world.targets.len()],
        };
        for (index, target) in world.targets.iter().enumerate() {
            let scope = target.scope.clone();
            let ids = places.by_id.entry(scope.clone()).or_default();
            ids.insert(target.id.clone(), index);
            let pool = world.pools.get(target.pool);
            if pool.is_some_and(|pool| pool.id.family != Family::Mantle) {
                places.by_scope.entry(scope).or_default().push(index);
            }
        }
        for pool in &world.pools {
            for (slot, index) in pool.targets.iter().enumerate() {
                if let Some(known) = places.slots.get_mut(*index) {
                    *known = slot;
                }
            }
        }
        places
    }

    /// The targets of the runtime endpoint of an account and Region, in the order of the world.
    pub(crate) fn in_scope(&self, scope: &Scope) -> &[usize] {
        self.by_scope.get(scope).map_or(&[], Vec::as_slice)
    }

    /// The target of this id there.
    pub(crate) fn named(&self, scope: &Scope, id: &TargetId) -> Option<usize> {
        self.by_id.get(scope)?.get(id).copied()
    }

    /// Its place in its pool's list.
    pub(crate) fn slot(&self, target: usize) -> Option<usize> {
        self.slots.get(target).copied()
    }
}
