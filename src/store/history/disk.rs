//! History on disk: a folder of segments, and in memory only where each stretch lies.
//!
//! A segment is written under another name, synced, renamed, and the folder synced: it is there as a whole or not at all.
//! The newest segment with a stretch has the word. A segment whose directory is damaged is put aside into `damaged/`; a
//! stretch whose bytes are damaged stays where it is and is not served. Both are gaps then, which the back-fill closes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    Audit, History, codec,
    memory::sealed,
    segment::{self, Entry, Fault},
};
use crate::{
    model::{
        catalog::PoolId,
        history::{Resolution, Stretch, StretchKey},
        ids::Scope,
    },
    store::{
        Disk, StoreError,
        place::{self, Lock, failed},
    },
};

/// The folder within the store's.
pub(crate) const FOLDER: &str = "history";
const DAMAGED_FOLDER: &str = "damaged";
const SEGMENT: &str = "segment";
const PART: &str = "part";
/// What was learned from the history.
const NOTES: &str = "learned";
/// Most pieces of damage that are remembered one by one.
const MOST_DAMAGE: usize = 100;

/// The history on disk; see [`crate::store::SledLedger::history`].
pub struct DiskHistory {
    folder: PathBuf,
    disk: Arc<dyn Disk>,
    state: Mutex<State>,
    /// Shared with the ledger: nobody else has the store open.
    _lock: Arc<Lock>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// How many stretches of each segment are still the newest of their key.
    live: BTreeMap<u64, usize>,
    places: BTreeMap<PoolId, BTreeMap<(Resolution, i64), Place>>,
    damage: Vec<String>,
}

/// Where a stretch lies.
#[derive(Clone, Copy, Debug)]
struct Place {
    segment: u64,
    offset: u64,
    length: u32,
    crc: u32,
}

impl fmt::Debug for DiskHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskHistory")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl DiskHistory {
    /// Opens the folder below the store's, and reads the directories of its segments.
    pub(crate) fn open(
        store: &Path,
        disk: Arc<dyn Disk>,
        lock: Arc<Lock>,
    ) -> Result<Self, StoreError> {
        let folder = store.join(FOLDER);
        let mut state = State::default();
        for (number, path) in segments(&folder)? {
            state.next = number + 1;
            let read = File::open(&path)
                .map_err(Fault::from)
                .and_then(|mut file| segment::directory(&mut file));
            match read {
                Ok(entries) => {
                    state.live.insert(number, 0);
                    for entry in entries {
                        state.place(number, entry);
                    }
                }
                Err(Fault::Damaged(why)) => {
                    put_aside(&folder, &path)?;
                    state.note(format!("{}: {why}", name(number)));
                }
                Err(Fault::Newer(found)) => {
                    return Err(StoreError::Newer {
                        path,
                        found: u32::from(found),
                        supported: u32::from(segment::VERSION),
                    });
                }
                Err(Fault::Io(cause)) => return Err(failed("read", &path, cause)),
            }
        }
        let history = Self {
            folder,
            disk,
            state: Mutex::new(state),
            _lock: lock,
        };
        history.sweep(&mut history.state())?;
        Ok(history)
    }

    /// Writes one segment; it is there as a whole or not at all.
    fn write(
        &self,
        state: &mut State,
        stretches: Vec<(StretchKey, Vec<u8>)>,
    ) -> Result<(), StoreError> {
        let number = state.next;
        let (bytes, entries) =
            segment::seal(stretches).map_err(|wrong| StoreError::Unstorable {
                what: "a segment of history".to_owned(),
                why: wrong.to_string(),
            })?;
        self.put(&format!("{number:010}.{PART}"), &bytes, &name(number))?;
        // From here on it may be there after a crash, so its number is used up.
        state.next = number + 1;
        place::sync_folder(&self.folder)?;
        state.live.insert(number, 0);
        for entry in entries {
            state.place(number, entry);
        }
        Ok(())
    }

    /// Writes a file under the name `part`, and gives it its own name once it is there as a whole.
    fn put(&self, part: &str, bytes: &[u8], name: &str) -> Result<(), StoreError> {
        place::create_folder(&self.folder)?;
        let part = self.folder.join(part);
        let write = || {
            let mut file = File::create(&part)?;
            file.write_all(bytes)?;
            self.disk.sync(&file)?;
            fs::rename(&part, self.folder.join(name))
        };
        write().map_err(|cause| {
            // Best effort: what is left over is taken away at the next start.
            drop(fs::remove_file(&part));
            failed("write", &part, cause)
        })
    }

    /// Takes away segments of which nothing is served any more.
    fn sweep(&self, state: &mut State) -> Result<(), StoreError> {
        let idle = state.live.iter().filter(|(_, live)| **live == 0);
        let idle: Vec<u64> = idle.map(|(number, _)| *number).collect();
        for number in idle {
            let path = self.path(number);
            match fs::remove_file(&path) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                    return Err(failed("remove", &path, cause));
                }
                Ok(()) | Err(_) => drop(state.live.remove(&number)),
            }
        }
        Ok(())
    }

    /// Reads one stretch. Damage is noted, and the stretch is not served from then on.
    fn read(&self, key: &StretchKey, place: Place) -> Result<Option<Stretch>, StoreError> {
        let path = self.path(place.segment);
        let read = File::open(&path).map_err(Fault::from);
        let read = read
            .and_then(|mut file| segment::body(&mut file, place.offset, place.length, place.crc))
            .and_then(|body| Ok(codec::decode(key.clone(), &body)?));
        let why = match read {
            Ok(stretch) => return Ok(Some(stretch)),
            Err(Fault::Io(cause)) if cause.kind() == io::ErrorKind::NotFound => {
                "it is gone".to_owned()
            }
            Err(Fault::Io(cause)) => return Err(failed("read", &path, cause)),
            Err(Fault::Damaged(why)) => why,
            Err(Fault::Newer(version)) => format!("it has version {version}"),
        };
        let mut state = self.state();
        if state.is_at(key, place) {
            state.drop_place(key);
            // The file stays for whoever wants to look: what is still served of it is as good as before.
            state.note(format!(
                "{}: {} {} of {}: {why}",
                name(place.segment),
                key.resolution.name(),
                key.first_minute(),
                key.pool
            ));
        }
        Ok(None)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(name(number))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; and if it did, each field is whole by itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn place(&mut self, segment: u64, entry: Entry) {
        self.drop_place(&entry.key);
        let place = Place {
            segment,
            offset: entry.offset,
            length: entry.length,
            crc: entry.crc,
        };
        let StretchKey {
            pool,
            resolution,
            number,
        } = entry.key;
        let places = self.places.entry(pool).or_default();
        places.insert((resolution, number), place);
        *self.live.entry(segment).or_insert(0) += 1;
    }

    fn drop_place(&mut self, key: &StretchKey) {
        let Some(places) = self.places.get_mut(&key.pool) else {
            return;
        };
        let gone = places.remove(&(key.resolution, key.number));
        let live = gone.and_then(|gone| self.live.get_mut(&gone.segment));
        if let Some(live) = live {
            *live = live.saturating_sub(1);
        }
        if places.is_empty() {
            self.places.remove(&key.pool);
        }
    }

    fn find(&self, key: &StretchKey) -> Option<Place> {
        let places = self.places.get(&key.pool)?;
        places.get(&(key.resolution, key.number)).copied()
    }

    fn is_at(&self, key: &StretchKey, place: Place) -> bool {
        let found = self.find(key);
        found.is_some_and(|it| (it.segment, it.offset) == (place.segment, place.offset))
    }

    /// Damage is told here and nowhere else: whoever reads sees a gap.
    fn note(&mut self, what: String) {
        tracing::error!(event = "history.damaged", "{what}: it is not used any more");
        if self.damage.len() < MOST_DAMAGE {
            self.damage.push(what);
        }
    }
}

impl History for DiskHistory {
    fn append(&self, stretches: &[Stretch]) -> Result<(), StoreError> {
        // Apart by account, Region and resolution, since what is together grows old together.
        let mut groups: BTreeMap<(Scope, Resolution), BTreeMap<StretchKey, Vec<u8>>> =
            BTreeMap::new();
        for stretch in stretches {
            let group = (stretch.key.pool.scope.clone(), stretch.key.resolution);
            let group = groups.entry(group).or_default();
            group.insert(stretch.key.clone(), sealed(stretch)?);
        }
        let mut state = self.state();
        for group in groups.into_values() {
            self.write(&mut state, group.into_iter().collect())?;
        }
        self.sweep(&mut state)
    }

    fn stretch(&self, key: &StretchKey) -> Result<Option<Stretch>, StoreError> {
        let found = self.state().find(key);
        match found {
            Some(place) => self.read(key, place),
            None => Ok(None),
        }
    }

    fn pools(&self) -> Vec<PoolId> {
        self.state().places.keys().cloned().collect()
    }

    fn held(&self, pool: &PoolId) -> BTreeSet<(Resolution, i64)> {
        let state = self.state();
        let places = state.places.get(pool);
        places
            .into_iter()
            .flat_map(BTreeMap::keys)
            .copied()
            .collect()
    }

    fn forget(&self, keys: &[StretchKey]) -> Result<(), StoreError> {
        let mut state = self.state();
        for key in keys {
            state.drop_place(key);
        }
        self.sweep(&mut state)
    }

    fn keep_notes(&self, notes: &[u8]) -> Result<(), StoreError> {
        self.put(&format!("{NOTES}.{PART}"), notes, NOTES)?;
        place::sync_folder(&self.folder)
    }

    fn notes(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.folder.join(NOTES);
        match fs::read(&path) {
            Ok(notes) => Ok(Some(notes)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(failed("read", &path, cause)),
        }
    }

    fn audit(&self) -> Result<Audit, StoreError> {
        let mut audit = Audit::default();
        for pool in self.pools() {
            for (resolution, number) in self.held(&pool) {
                let pool = pool.clone();
                let key = StretchKey {
                    pool,
                    resolution,
                    number,
                };
                let length = self.state().find(&key).map_or(0, |place| place.length);
                if self.stretch(&key)?.is_some() {
                    *audit.stretches.entry(resolution).or_insert(0) += 1;
                    audit.bytes += u64::from(length);
                }
            }
        }
        audit.damage.clone_from(&self.state().damage);
        Ok(audit)
    }
}

fn name(number: u64) -> String {
    format!("{number:010}.{SEGMENT}")
}

/// All segments, oldest first. What a write left behind that was cut short was never acknowledged, and is taken away.
fn segments(folder: &Path) -> Result<BTreeMap<u64, PathBuf>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(cause) => return Err(failed("read the folder", folder, cause)),
    };
    let mut found = BTreeMap::new();
    for entry in entries {
        let path = entry
            .map_err(|cause| failed("read the folder", folder, cause))?
            .path();
        let number = path
            .file_stem()
            .and_then(|stem| stem.to_str()?.parse().ok());
        let kind = path.extension().and_then(|kind| kind.to_str());
        match (kind, number) {
            (Some(SEGMENT), Some(number)) => drop(found.insert(number, path)),
            (Some(PART), _) => {
                fs::remove_file(&path).map_err(|cause| failed("remove", &path, cause))?;
            }
            _other => {} // `damaged`, and what people put there
        }
    }
    Ok(found)
}

fn put_aside(folder: &Path, path: &Path) -> Result<(), StoreError> {
    let aside = folder.join(DAMAGED_FOLDER);
    fs::create_dir_all(&aside).map_err(|cause| failed("create the folder", &aside, cause))?;
    let to = aside.join(path.file_name().unwrap_or_default());
    fs::rename(path, &to).map_err(|cause| failed("put aside", path, cause))
}
