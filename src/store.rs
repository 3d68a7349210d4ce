//! The ledger: what was decided is durable here before it is done, and all of it or nothing.
//!
//! Belongs here: commits, loading, checks of what is stored, formats and their migrations, dumps; and beside the ledger the
//! history (`history`), which is measured and not decided. The only place that lays out bytes. Does not belong here: what the records mean (`model`) and when they are written (`runtime`).
//! `docs/store.md` describes files, formats and dumps for operators.

mod backup;
mod disk;
mod draft;
mod dump;
mod engine;
mod envelope;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod head;
pub mod history;
mod key;
mod mark;
mod memory;
mod migrate;
pub mod notes;
mod place;
mod rebuild;
mod record;
mod room;
mod salvage;
mod samples;
mod scan;
mod trouble;

use std::{collections::BTreeMap, path::Path};

pub use self::{
    disk::{Disk, Migrated, Options, RealDisk, SledLedger},
    dump::{Onto, dump, load_dump},
    error::StoreError,
    history::{Audit, DiskHistory, History, MemoryHistory},
    memory::{CommitFault, MemoryLedger},
    salvage::{Salvaged, salvage},
};
use crate::model::{
    book::{Book, Record},
    room::Room,
};

/// Where the book is kept. One writer at a time; all calls block.
///
/// A ledger shared by several processes needs no more than this: a commit is a conditional write.
pub trait Ledger: Send + Sync + std::fmt::Debug {
    /// Writes all records or none; durable when it returns. Records of one commit take effect in their order.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] where the revision of an intent is not the stored one + 1 (or 1 when new); nothing is
    /// written then. After [`StoreError::NotDurable`] the ledger takes no more commits: what is on disk is unknown.
    fn commit(&self, records: &[Record]) -> Result<(), StoreError>;

    /// Whether a commit may take long, so that it must not run on an async thread.
    fn waits_for_disk(&self) -> bool {
        true
    }

    /// What it takes on disk, the history beside it included; `None` where it lies on none, or can't be looked through.
    fn bytes(&self) -> Option<u64> {
        None
    }

    /// How much room there is for it, where it lies on a disk that can be asked; its reserve is looked after first.
    fn tend(&self) -> Option<Room> {
        None
    }

    /// Everything stored, checked record by record and as a whole.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] where anything is missing, changed, doubled or in the wrong place.
    fn load(&self) -> Result<Book, StoreError>;
}

/// A ledger that a dump can be loaded into.
pub trait Restore: Ledger {
    /// As [`Ledger::commit`], and an intent may skip revisions; it never goes back.
    ///
    /// # Errors
    ///
    /// As [`Ledger::commit`].
    fn restore(&self, records: &[Record]) -> Result<(), StoreError>;
}

/// What [`verify`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The stored format.
    pub format: u32,
    /// How many records were ever written, removals included.
    pub sequence: u64,
    /// Stored records by kind, such as `intent`; kinds without any are absent.
    pub counts: BTreeMap<&'static str, u64>,
    /// How many links the chain of intents ever had.
    pub links: u64,
    /// The hash of its newest link, in hex.
    pub chain_head: String,
    /// The history beside the ledger. Damage there is no error: what is damaged is not served.
    pub history: Audit,
}

/// Opens the store at `path` for this process alone, and creates it if there is none. Waits up to a second for a
/// process that is just closing it.
///
/// # Errors
///
/// See [`StoreError`]; a newer format is refused before anything is touched.
pub fn open(path: &Path) -> Result<SledLedger, StoreError> {
    SledLedger::open(path, &Options::default())
}

/// As [`open`], and a missing store is an error: for commands that read.
///
/// # Errors
///
/// As [`open`], and [`StoreError::Missing`].
pub fn open_existing(path: &Path) -> Result<SledLedger, StoreError> {
    let options = Options {
        create: false,
        ..Options::default()
    };
    SledLedger::open(path, &options)
}

/// The format that this release writes.
pub const FORMAT: u32 = migrate::THIS.format;

/// The format of the store at `path`, `None` where there is none yet. Touches nothing, and waits for nobody.
///
/// # Errors
///
/// A newer format, a folder that holds something else, and what the system says.
pub fn look(path: &Path) -> Result<Option<u32>, StoreError> {
    Ok(match place::inspect(path, FORMAT)? {
        place::Found::Nothing => None,
        place::Found::Store(format) => Some(format),
    })
}

/// Checks every record of a store and all of its history, and tells what it holds.
///
/// # Errors
///
/// As [`open_existing`].
pub fn verify(path: &Path) -> Result<Verified, StoreError> {
    let ledger = open_existing(path)?;
    Ok(Verified {
        history: ledger.history()?.audit()?,
        ..ledger.verified()?
    })
}
