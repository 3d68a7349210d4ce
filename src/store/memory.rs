//! The ledger in memory: the same contract without a disk, for worlds and tests, and for `demo` where nothing is kept.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Ledger, Restore, StoreError, draft::Succession, record};
use crate::model::book::{Book, Key, Record};

/// Clones share their contents, so a clone is what survives the crash of a simulated process.
#[derive(Clone, Debug, Default)]
pub struct MemoryLedger {
    contents: Arc<Mutex<Contents>>,
}

#[derive(Debug, Default)]
struct Contents {
    records: BTreeMap<Key, Record>,
    commits: u64,
    next_fault: Option<CommitFault>,
    poisoned: bool,
}

/// How a commit fails when told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitFault {
    /// Nothing took effect.
    Before,
    /// All of it took effect, and the caller is told that it failed.
    After,
}

impl MemoryLedger {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next commit fails like this. As on disk, nothing more is taken after it until [`MemoryLedger::reopen`].
    pub fn fail_next(&self, fault: CommitFault) {
        self.contents().next_fault = Some(fault);
    }

    /// What a new process finds: the same contents, taking commits again.
    #[must_use]
    pub fn reopen(&self) -> Self {
        self.contents().poisoned = false;
        self.clone()
    }

    /// How many commits took effect.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.contents().commits
    }

    fn put(&self, records: &[Record], succession: Succession) -> Result<(), StoreError> {
        let mut contents = self.contents();
        let path = PathBuf::from("(memory)");
        if contents.poisoned {
            let why = "a commit was told to fail".to_owned();
            return Err(StoreError::Poisoned { path, why });
        }
        if records.is_empty() {
            return Ok(());
        }
        contents.check(records, succession)?;
        let fault = contents.next_fault.take();
        if fault != Some(CommitFault::Before) {
            contents.take_in(records);
        }
        if fault.is_some() {
            contents.poisoned = true;
            let why = "a commit was told to fail".to_owned();
            return Err(StoreError::NotDurable { path, why });
        }
        Ok(())
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    /// Refuses what the disk would refuse.
    fn check(&self, records: &[Record], succession: Succession) -> Result<(), StoreError> {
        let mut revisions: BTreeMap<Key, Option<u64>> = BTreeMap::new();
        for record in records {
            if let Record::Hour(_, hour, _) = record
                && let Err(wrong) = record::v1::check_hour(*hour)
            {
                return Err(StoreError::Unstorable {
                    what: "hour".to_owned(),
                    why: wrong.to_string(),
                });
            }
            let key = record.key();
            match record {
                Record::Intent(intent) => {
                    let stored = match revisions.get(&key) {
                        Some(revision) => *revision,
                        None => self.revision(&key),
                    };
                    succession.check(stored, intent)?;
                    revisions.insert(key, Some(intent.revision));
                }
                Record::Remove(_) => drop(revisions.insert(key, None)),
                Record::Incident(_)
                | Record::Ask(_)
                | Record::Investigation(_)
                | Record::Track(..)
                | Record::Target(_)
                | Record::Pool(_)
                | Record::Quota(_)
                | Record::QuotaChange(_)
                | Record::Hour(..)
                | Record::Discovered(..)
                | Record::Catalog(..)
                | Record::Reaches(..)
                | Record::Tags(..)
                | Record::Permits(..)
                | Record::Ran(..)
                | Record::UseDay(..)
                | Record::ReadThrough(..)
                | Record::ReadInFull(..)
                | Record::ReadInDepth(..)
                | Record::Spend(_)
                | Record::Silence(_)
                | Record::Handling(_)
                | Record::Entry(_) => {}
            }
        }
        Ok(())
    }

    fn revision(&self, key: &Key) -> Option<u64> {
        match self.records.get(key) {
            Some(Record::Intent(stored)) => Some(stored.revision),
            Some(_) | None => None,
        }
    }

    fn take_in(&mut self, records: &[Record]) {
        for record in records {
            let key = record.key();
            if matches!(record, Record::Remove(_)) {
                self.records.remove(&key);
            } else {
                self.records.insert(key, record.clone());
            }
        }
        self.commits += 1;
    }
}

impl Ledger for MemoryLedger {
    fn commit(&self, records: &[Record]) -> Result<(), StoreError> {
        self.put(records, Succession::Next)
    }

    fn waits_for_disk(&self) -> bool {
        false
    }

    fn load(&self) -> Result<Book, StoreError> {
        let mut book = Book::default();
        book.apply(self.contents().records.values().cloned().collect());
        Ok(book)
    }
}

impl Restore for MemoryLedger {
    fn restore(&self, records: &[Record]) -> Result<(), StoreError> {
        self.put(records, Succession::Later)
    }
}
