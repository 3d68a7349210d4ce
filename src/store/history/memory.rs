//! History in memory: the same contract without a disk, for worlds and tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Audit, History, codec};
use crate::{
    model::{
        catalog::PoolId,
        history::{Resolution, Stretch, StretchKey},
    },
    store::StoreError,
};

/// Clones share their contents, so a clone is what survives the crash of a simulated process.
#[derive(Clone, Debug, Default)]
pub struct MemoryHistory {
    contents: Arc<Mutex<BTreeMap<StretchKey, Vec<u8>>>>,
    notes: Arc<Mutex<Option<Vec<u8>>>>,
}

impl MemoryHistory {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn contents(&self) -> MutexGuard<'_, BTreeMap<StretchKey, Vec<u8>>> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an encoded stretch is, or why not.
pub(super) fn sealed(stretch: &Stretch) -> Result<Vec<u8>, StoreError> {
    let unstorable = |why: String| StoreError::Unstorable {
        what: "a stretch of history".to_owned(),
        why,
    };
    let bytes = codec::encode(stretch).map_err(|wrong| unstorable(wrong.to_string()))?;
    // What could not be read again must not be written.
    codec::decode(stretch.key.clone(), &bytes).map_err(|wrong| unstorable(wrong.to_string()))?;
    Ok(bytes)
}

impl History for MemoryHistory {
    fn append(&self, stretches: &[Stretch]) -> Result<(), StoreError> {
        let sealed: Result<Vec<_>, StoreError> = stretches
            .iter()
            .map(|it| Ok((it.key.clone(), sealed(it)?)))
            .collect();
        self.contents().extend(sealed?);
        Ok(())
    }

    fn waits_for_disk(&self) -> bool {
        false
    }

    fn stretch(&self, key: &StretchKey) -> Result<Option<Stretch>, StoreError> {
        let bytes = self.contents().get(key).cloned();
        let decoded = bytes.map(|bytes| codec::decode(key.clone(), &bytes));
        decoded.transpose().map_err(|wrong| StoreError::Unstorable {
            what: "a stretch of history".to_owned(),
            why: wrong.to_string(),
        })
    }

    fn pools(&self) -> Vec<PoolId> {
        let mut pools: Vec<PoolId> = self.contents().keys().map(|it| it.pool.clone()).collect();
        pools.dedup();
        pools
    }

    fn held(&self, pool: &PoolId) -> BTreeSet<(Resolution, i64)> {
        let contents = self.contents();
        let first = StretchKey {
            pool: pool.clone(),
            resolution: Resolution::Minute,
            number: i64::MIN,
        };
        let own = contents.range(first..).map(|(key, _)| key);
        let own = own.take_while(|it| it.pool == *pool);
        own.map(|it| (it.resolution, it.number)).collect()
    }

    fn forget(&self, keys: &[StretchKey]) -> Result<(), StoreError> {
        let mut contents = self.contents();
        for key in keys {
            contents.remove(key);
        }
        Ok(())
    }

    fn keep_notes(&self, notes: &[u8]) -> Result<(), StoreError> {
        let mut kept = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(notes.to_vec());
        Ok(())
    }

    fn notes(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let kept = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(kept.clone())
    }

    fn audit(&self) -> Result<Audit, StoreError> {
        let mut audit = Audit::default();
        for (key, bytes) in &*self.contents() {
            *audit.stretches.entry(key.resolution).or_insert(0) += 1;
            audit.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        }
        Ok(audit)
    }
}
