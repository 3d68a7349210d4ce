//! The storage engine: `sled`, kept narrow. Nobody else names it. Its calls block, and it may panic over a broken file: see
//! `trouble::guarded`.

use std::{collections::BTreeMap, io, path::Path};

use super::{
    StoreError,
    place::{ENGINE_FOLDER, pause},
    trouble::{Trouble, guarded},
};

/// Resident memory is about three times this.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// A key and its value.
pub(crate) type Entry = (Vec<u8>, Vec<u8>);

/// The engine until it is dropped, which is its last write: where the disk refuses that, it panics. What was acknowledged is
/// durable by then, and whoever drops it has an error of its own to tell.
pub(crate) struct Engine(Option<sled::Db>);

impl Engine {
    /// Opens the engine, with patience: it gives its own lock back late.
    pub(crate) fn open(path: &Path, tries: u32) -> Result<Self, StoreError> {
        let config = sled::Config::new()
            .path(path.join(ENGINE_FOLDER))
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None); // each commit flushes itself
        let in_use = || StoreError::InUse {
            path: path.to_owned(),
        };
        for left in (0..tries.max(1)).rev() {
            let opened = guarded("open", || {
                config.open().map_err(|fault| match fault {
                    sled::Error::Io(cause) if is_lock(&cause) => Trouble::Refused(in_use()),
                    sled::Error::Corruption { at, .. } => {
                        Trouble::damaged(format!("the storage engine found it corrupted ({at:?})"))
                    }
                    other @ (sled::Error::Io(_)
                    | sled::Error::CollectionNotFound(_)
                    | sled::Error::Unsupported(_)
                    | sled::Error::ReportableBug(_)) => engine("open", &other),
                })
            });
            match opened {
                Err(Trouble::Refused(StoreError::InUse { .. })) if left > 0 => pause(),
                other => return other.map(|db| Self(Some(db))).map_err(|it| it.at(path)),
            }
        }
        Err(in_use())
    }

    pub(crate) fn is_empty(&self) -> Result<bool, Trouble> {
        Ok(self.db()?.is_empty())
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        let value = self.db()?.get(key);
        let value = value.map_err(|fault| engine("read", &fault))?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// All keys and values, by key.
    pub(crate) fn entries(&self) -> Result<impl Iterator<Item = Result<Entry, Trouble>>, Trouble> {
        Ok(self.db()?.iter().map(|entry| {
            let (key, value) = entry.map_err(|fault| engine("read", &fault))?;
            Ok((key.to_vec(), value.to_vec()))
        }))
    }

    /// One atomic batch, handed to the system when it returns: durable once the log was synced.
    pub(crate) fn apply(&self, writes: &BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Result<(), Trouble> {
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        let db = self.db()?;
        db.apply_batch(batch)
            .map_err(|fault| engine("write to", &fault))?;
        db.flush().map_err(|fault| engine("flush", &fault))?;
        Ok(())
    }

    fn db(&self) -> Result<&sled::Db, Trouble> {
        let closed = || Trouble::Engine("use", "it is closed".to_owned());
        self.0.as_ref().ok_or_else(closed)
    }
}

impl Engine {
    /// Closes it before it is dropped; it is of no use from then on.
    pub(crate) fn close(&mut self) {
        let db = self.0.take();
        let closed = guarded("close", || {
            drop(db);
            Ok(())
        });
        if let Err(trouble) = closed {
            tracing::warn!(
                event = "store.unclosed",
                ?trouble,
                "the storage engine could not be closed"
            );
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

/// The engine reports a held lock as an error of kind `Other` with these words.
fn is_lock(cause: &io::Error) -> bool {
    cause.kind() == io::ErrorKind::WouldBlock
        || cause.to_string().contains("could not acquire lock")
}

fn engine(doing: &'static str, fault: &sled::Error) -> Trouble {
    Trouble::Engine(doing, fault.to_string())
}
