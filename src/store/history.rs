//! History: what was measured and nobody judges any more, for months and years, outside the ledger.
//!
//! Belongs here: keeping stretches, reading ranges of them, letting minutes grow into hours and hours grow too old.
//! Does not belong here: decisions (the ledger), and the last days of minutes, which still change (the ledger, too).
//!
//! Segment files of our own instead of more records in the ledger, because it was measured
//! (`tests/it/history/size.rs`): a day of one pool takes a tenth of the room here, and the ledger opens, commits and
//! dumps no slower however long the history is.

mod age;
pub(super) mod codec;
mod disk;
mod memory;
mod range;
mod row;
mod segment;

use std::collections::{BTreeMap, BTreeSet};

pub use self::{age::roll_up, disk::DiskHistory, memory::MemoryHistory, range::read_range};
pub(super) use self::{disk::FOLDER, row::StretchRow};
use super::StoreError;
use crate::model::{
    catalog::PoolId,
    history::{Resolution, Stretch, StretchKey},
};

/// Where stretches are kept. All calls block.
pub trait History: Send + Sync + std::fmt::Debug {
    /// Keeps these; durable when it returns. A stretch replaces the one of the same key. When it fails, some may be kept
    /// and none is half kept: the same may be appended again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unstorable`] for a stretch with too few or too many buckets, [`StoreError::Io`] from the disk.
    fn append(&self, stretches: &[Stretch]) -> Result<(), StoreError>;

    /// Whether a call may take long, so that it must not run on an async thread.
    fn waits_for_disk(&self) -> bool {
        true
    }

    /// One stretch. `None` where it is not held, and where it was found damaged: it is not served, and is a gap from then.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] where the disk could not be asked.
    fn stretch(&self, key: &StretchKey) -> Result<Option<Stretch>, StoreError>;

    /// The pools of which anything is held.
    fn pools(&self) -> Vec<PoolId>;

    /// What is held of a pool: resolution and number of each stretch.
    fn held(&self, pool: &PoolId) -> BTreeSet<(Resolution, i64)>;

    /// Lets these go. They may be there again at the next start; who forgets by age forgets them again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] from the disk.
    fn forget(&self, keys: &[StretchKey]) -> Result<(), StoreError>;

    /// Keeps what was learned from it ([`super::notes`]) instead of what was kept before: as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] from the disk; what was kept before is kept then.
    fn keep_notes(&self, notes: &[u8]) -> Result<(), StoreError>;

    /// What was kept last; `None` where nothing was.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] where the disk could not be asked.
    fn notes(&self) -> Result<Option<Vec<u8>>, StoreError>;

    /// Reads and checks all of it. Damage is found, told in [`Audit::damage`] and not served; it is no error.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] where the disk could not be asked.
    fn audit(&self) -> Result<Audit, StoreError>;
}

/// What an audit found.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Audit {
    /// Whole stretches by resolution.
    pub stretches: BTreeMap<Resolution, u64>,
    /// Bytes they take on disk.
    pub bytes: u64,
    /// What was found damaged since the start, each with its place; none of it is served.
    pub damage: Vec<String>,
}
