//! The ledger on disk, over the storage engine. All calls block; call them off the async threads.

use std::{
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    Ledger, Restore, StoreError, backup,
    draft::{Draft, Entries, Succession},
    engine::Engine,
    head::{HEAD, Head},
    history::DiskHistory,
    mark::Mark,
    migrate::{Release, THIS},
    place::{self, ENGINE_FOLDER, Found, Lock, failed},
    rebuild,
    room::Reserve,
    scan::{self, Counted},
    trouble::{Trouble, guarded},
};
use crate::model::{
    book::{Book, Record},
    room::Room,
};

/// Tries to open a store that another process holds, 25 ms apart: a second of patience.
const PATIENCE: u32 = 40;

/// The one thing the store asks of the disk beyond the engine; tests count it and make it fail.
pub trait Disk: Send + Sync {
    /// Makes everything written to the engine's log durable (`fsync`).
    ///
    /// # Errors
    ///
    /// When the system cannot vouch for it.
    fn sync(&self, log: &File) -> io::Result<()>;
}

/// The real disk.
#[derive(Clone, Copy, Debug)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn sync(&self, log: &File) -> io::Result<()> {
        log.sync_all()
    }
}

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// Whether a store that does not exist is created.
    pub create: bool,
    /// Tries to get a store that is in use, 25 ms apart.
    pub tries: u32,
    /// The disk.
    pub disk: Arc<dyn Disk>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            create: true,
            tries: PATIENCE,
            disk: Arc::new(RealDisk),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { create, tries, .. } = self;
        f.debug_struct("Options")
            .field("create", create)
            .field("tries", tries)
            .finish_non_exhaustive()
    }
}

/// An older store was brought to this release's format as it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// From this format.
    pub from: u32,
    /// To this one.
    pub to: u32,
    /// Where the ledger is as it was: the way back.
    pub kept: PathBuf,
}

/// The ledger on disk.
pub struct SledLedger {
    path: PathBuf,
    migrated: Option<Migrated>,
    state: Mutex<State>,
    engine: Engine,
    /// Our own handle of the engine's log: its `flush` does not sync the file each time.
    log: File,
    disk: Arc<dyn Disk>,
    /// Taken after `state`, where both are.
    reserve: Mutex<Reserve>,
    /// Given back last.
    lock: Arc<Lock>,
}

struct State {
    head: Head,
    mark: Mark,
    /// Why no more writes are taken.
    poisoned: Option<String>,
    /// What was read while all of it was checked, until it is asked for or changes: reading is most of a start.
    read: Option<Book>,
}

impl fmt::Debug for SledLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SledLedger")
            .field("path", &self.path)
            .field("head", &self.state().head)
            .finish_non_exhaustive()
    }
}

impl SledLedger {
    /// Opens the store, creates it where `options` allow it, brings it to this release's format, verifies all of it.
    ///
    /// # Errors
    ///
    /// See [`StoreError`]. A newer format and a foreign folder are refused before anything is touched.
    pub fn open(path: &Path, options: &Options) -> Result<Self, StoreError> {
        Self::open_as(path, options, &THIS)
    }

    pub(crate) fn open_as(
        path: &Path,
        options: &Options,
        release: &Release,
    ) -> Result<Self, StoreError> {
        if place::inspect(path, release.format)? == Found::Nothing {
            if !options.create {
                return Err(StoreError::Missing {
                    path: path.to_owned(),
                });
            }
            place::create_folder(path)?;
        }
        let lock = place::lock(path, options.tries)?;
        // Again, now that nobody else can change it.
        let found = place::inspect(path, release.format)?;
        if found == Found::Nothing {
            Mark::create(path)?;
            place::write_format(path, release.format)?;
        }
        let damaged = |what: &str| Trouble::damaged(what).at(path);
        let (mark, marked) = Mark::open(path)?
            .ok_or_else(|| damaged("its high-water mark (the file `mark`) is missing or broken"))?;
        let mut reserve = Reserve::found(path);
        reserve.make_way_for(place::log_bytes(path));
        rebuild::finish(path)?;
        place::keep_as_found(path)?;
        if let Found::Store(from) = found
            && from < release.format
        {
            backup::keep(path, release.format)?;
        }
        let (engine, log) = open_engine(path, options.tries)?;
        if found == Found::Nothing {
            place::sync_folder(&path.join(ENGINE_FOLDER))?;
            place::sync_folder(path)?;
        }
        let state = State {
            head: Head::empty(release.format),
            mark,
            poisoned: None,
            read: None,
        };
        let mut ledger = Self {
            path: path.to_owned(),
            migrated: None,
            state: Mutex::new(state),
            engine,
            log,
            disk: Arc::clone(&options.disk),
            reserve: Mutex::new(reserve),
            lock: Arc::new(lock),
        };
        ledger.migrated = ledger.start(marked, release, options.tries)?;
        if let Found::Store(from) = found
            && from < release.format
            && ledger.migrated.is_none()
        {
            place::write_format(path, release.format)?; // nothing was in it
        }
        place::forget_as_found(path)?;
        Ok(ledger)
    }

    /// Reads the head, compares it with the mark, migrates, verifies.
    fn start(
        &mut self,
        marked: u64,
        release: &Release,
        tries: u32,
    ) -> Result<Option<Migrated>, StoreError> {
        let stored = guarded("read", || self.stored_head()).map_err(|it| it.at(&self.path))?;
        let damaged = |what: String| Trouble::damaged(what).at(&self.path);
        let is_empty = self.engine.is_empty().map_err(|it| it.at(&self.path))?;
        let mut head = match stored {
            Some(head) => head,
            None if marked == 0 && is_empty => Head::empty(release.format),
            None => return Err(damaged("its head is missing".to_owned())),
        };
        if release.format < head.format {
            return Err(StoreError::Newer {
                path: self.path.clone(),
                found: head.format,
                supported: release.format,
            });
        }
        if head.sequence < marked {
            return Err(damaged(format!(
                "it once held {marked} changes, and its end is lost after {}",
                head.sequence
            )));
        }
        let from = head.format;
        if from < release.format {
            head = self.migrate(&head, release, tries)?;
        }
        let mut state = self.state();
        state.head = head;
        state.read = Some(self.read(&state.head)?);
        let raised = state.head.sequence;
        let place = self.path.join(place::MARK_FILE);
        state
            .mark
            .raise(raised)
            .map_err(|cause| failed("write", &place, cause))?;
        Ok((from < release.format).then(|| Migrated {
            from,
            to: release.format,
            kept: backup::folder(&self.path, release.format),
        }))
    }

    /// What was done to the format when this was opened.
    #[must_use]
    pub fn migrated(&self) -> Option<&Migrated> {
        self.migrated.as_ref()
    }

    fn migrate(&mut self, head: &Head, release: &Release, tries: u32) -> Result<Head, StoreError> {
        let path = &self.path;
        let head = rebuild::write(path, &self.engine, head, release)?;
        place::write_format(path, release.format)?;
        self.engine.close();
        rebuild::swap(path)?;
        (self.engine, self.log) = open_engine(path, tries)?;
        place::sync_folder(&path.join(ENGINE_FOLDER))?;
        Ok(head)
    }

    fn stored_head(&self) -> Result<Option<Head>, Trouble> {
        let value = self.get(HEAD)?;
        value.map(|value| scan::head(&value)).transpose()
    }

    /// Reads and checks everything.
    fn verify_all(
        &self,
        head: &Head,
        on_record: &mut dyn FnMut(Record),
    ) -> Result<Counted, Trouble> {
        guarded("read", || {
            let stored = self.stored_head()?;
            if stored.as_ref().is_some_and(|stored| stored != head)
                || (stored.is_none() && head.sequence > 0)
            {
                return Err(Trouble::damaged("its head is not the one last written"));
            }
            scan::records(self.engine.entries()?, head, on_record)
        })
    }

    /// The book, after everything was checked.
    fn read(&self, head: &Head) -> Result<Book, StoreError> {
        // Record by record: an hour takes a tenth of the room once it is in the book.
        let mut book = Book::default();
        self.verify_all(head, &mut |record| book.take_in(record))
            .map_err(|it| it.at(&self.path))?;
        Ok(book)
    }

    /// One atomic batch, durable when it returns.
    fn write(&self, draft: &Draft) -> Result<(), Trouble> {
        guarded("write to", || {
            self.engine.apply(&draft.writes)?;
            let failed = |cause: io::Error| Trouble::Engine("make durable", cause.to_string());
            self.disk.sync(&self.log).map_err(failed)
        })
    }

    fn put(&self, records: &[Record], succession: Succession) -> Result<(), StoreError> {
        let mut state = self.state();
        if let Some(why) = &state.poisoned {
            return Err(StoreError::Poisoned {
                path: self.path.clone(),
                why: why.clone(),
            });
        }
        if records.is_empty() {
            return Ok(());
        }
        state.read = None;
        let draft = guarded("read", || Draft::of(self, &state.head, records, succession))
            .map_err(|it| it.at(&self.path))?;
        self.reserve().make_way();
        if let Err(trouble) = self.write(&draft) {
            // What is on disk is unknown now. A second flush may succeed without having written what the first lost.
            let why = trouble.at(&self.path).to_string();
            state.poisoned = Some(why.clone());
            return Err(StoreError::NotDurable {
                path: self.path.clone(),
                why,
            });
        }
        state.head = draft.head;
        let sequence = state.head.sequence;
        if let Err(cause) = state.mark.raise(sequence) {
            let why = format!("the high-water mark: {cause}");
            state.poisoned = Some(why.clone());
            return Err(StoreError::NotDurable {
                path: self.path.clone(),
                why,
            });
        }
        Ok(())
    }

    /// The history beside this ledger, under the same lock.
    ///
    /// # Errors
    ///
    /// [`StoreError::Newer`] where a newer release wrote into it, [`StoreError::Io`] from the disk. Damage is no error.
    pub fn history(&self) -> Result<DiskHistory, StoreError> {
        DiskHistory::open(&self.path, Arc::clone(&self.disk), Arc::clone(&self.lock))
    }

    /// What the ledger alone holds, by kind, and how far it goes. Verifies everything.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] where something contradicts itself.
    pub fn verified(&self) -> Result<super::Verified, StoreError> {
        let state = self.state();
        let counted = self
            .verify_all(&state.head, &mut |_| ())
            .map_err(|it| it.at(&self.path))?;
        let kinds = counted.kinds.into_iter();
        Ok(super::Verified {
            format: state.head.format,
            sequence: state.head.sequence,
            counts: kinds.map(|(kind, count)| (kind.name(), count)).collect(),
            links: state.head.next_link,
            chain_head: state.head.chain_head.clone(),
            history: super::Audit::default(),
        })
    }

    /// Holds so many bytes of the disk from the next [`Ledger::tend`] on, for the time when it is full.
    pub fn hold_reserve(&self, bytes: u64) {
        self.reserve().hold(bytes);
    }

    fn reserve(&self) -> MutexGuard<'_, Reserve> {
        // What it holds is read from the disk at the next start, whatever happened.
        self.reserve.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Panics of the engine are caught within; the state changes only after success.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The engine, and our own handle of its log.
fn open_engine(path: &Path, tries: u32) -> Result<(Engine, File), StoreError> {
    let engine = Engine::open(path, tries)?;
    let log_path = place::log(path);
    let log = File::open(&log_path).map_err(|cause| failed("open", &log_path, cause))?;
    place::sync_parameters(path)?;
    Ok((engine, log))
}

impl Entries for SledLedger {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        self.engine.get(key)
    }
}

impl Ledger for SledLedger {
    fn bytes(&self) -> Option<u64> {
        let all = place::bytes(&self.path).ok()?;
        Some(all.saturating_sub(self.reserve().held())) // empty by itself
    }

    fn tend(&self) -> Option<Room> {
        self.reserve().tend()
    }

    fn commit(&self, records: &[Record]) -> Result<(), StoreError> {
        self.put(records, Succession::Next)
    }

    fn load(&self) -> Result<Book, StoreError> {
        let mut state = self.state();
        match state.read.take() {
            Some(book) => Ok(book),
            None => self.read(&state.head),
        }
    }
}

impl Restore for SledLedger {
    fn restore(&self, records: &[Record]) -> Result<(), StoreError> {
        self.put(records, Succession::Later)
    }
}
