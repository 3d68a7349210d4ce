//! The folder of a store: what it may hold, which format it says it has, and who has it open.
//!
//! ```text
//! FORMAT   "bedrock-ops-alert store, format 1": read before anything else is touched
//! lock     locked for as long as a process has the store open
//! mark     the high-water mark (see `mark`)
//! sled/    the engine's own files
//! as-found only while a store is opened, and after it was found damaged: the engine's log before the engine touched it
//! reserve  room that is given back before the disk is full (see `room`)
//! next/    the ledger in another format, while it is written (see `rebuild`)
//! before-format-N/ the ledger as an older release left it (see `backup`)
//! ```

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::{StoreError, history::FOLDER};

/// Which format it has.
pub(crate) const FORMAT_FILE: &str = "FORMAT";
const FORMAT_NEW: &str = "FORMAT.new";
const LOCK_FILE: &str = "lock";
/// The high-water mark.
pub(crate) const MARK_FILE: &str = "mark";
/// The engine's folder.
pub(crate) const ENGINE_FOLDER: &str = "sled";
/// The engine's log as it was found.
pub(crate) const AS_FOUND: &str = "as-found";
const AS_FOUND_PART: &str = "as-found.part";
const FORMAT_WORDS: &str = "bedrock-ops-alert store, format ";
/// Most bytes of the format file that are read.
const MOST_FORMAT_BYTES: u64 = 200;
/// How long one waits between two tries to get the lock.
const BETWEEN_TRIES: Duration = Duration::from_millis(25);

/// What lies at a store's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing, or an empty folder, or one whose creation was cut short.
    Nothing,
    /// A store of this format.
    Store(u32),
}

/// Looks without touching anything. A newer format, a foreign folder and a lost format file are refused.
pub(crate) fn inspect(path: &Path, supported: u32) -> Result<Found, StoreError> {
    let format = path.join(FORMAT_FILE);
    let text = match File::open(&format) {
        Ok(file) => {
            let mut text = String::new();
            file.take(MOST_FORMAT_BYTES)
                .read_to_string(&mut text)
                .map_err(|cause| failed("read", &format, cause))?;
            text
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return without_format(path),
        Err(cause) if cause.kind() == io::ErrorKind::NotADirectory => {
            let file = path.ancestors().find(|above| above.is_file());
            return Err(StoreError::NotAFolder {
                path: path.to_owned(),
                file: file.unwrap_or(path).to_owned(),
            });
        }
        Err(cause) => return Err(failed("read", &format, cause)),
    };
    let number = text.strip_prefix(FORMAT_WORDS).map(str::trim_end);
    let Some(found) = number.and_then(|number| number.parse().ok()) else {
        let what = format!("its file `{FORMAT_FILE}` does not say which format it has");
        return Err(StoreError::Damaged {
            path: path.to_owned(),
            what,
        });
    };
    if supported < found {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            supported,
        });
    }
    Ok(Found::Store(found))
}

fn without_format(path: &Path) -> Result<Found, StoreError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(cause) => return Err(failed("read the folder", path, cause)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|cause| failed("read the folder", path, cause))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    if names.iter().any(|name| name == ENGINE_FOLDER) {
        let what = format!("its file `{FORMAT_FILE}` is missing");
        return Err(StoreError::Damaged {
            path: path.to_owned(),
            what,
        });
    }
    // What a creation leaves behind that was cut short, and a history that was brought over from another store.
    let ours = [LOCK_FILE, MARK_FILE, FORMAT_NEW, FOLDER];
    match names
        .into_iter()
        .find(|name| !ours.contains(&name.as_str()))
    {
        None => Ok(Found::Nothing),
        Some(found) => Err(StoreError::NotAStore {
            path: path.to_owned(),
            found,
        }),
    }
}

/// Makes the folder say which format it has, durably.
pub(crate) fn write_format(path: &Path, format: u32) -> Result<(), StoreError> {
    let fresh = path.join(FORMAT_NEW);
    let write = || {
        let mut file = File::create(&fresh)?;
        file.write_all(format!("{FORMAT_WORDS}{format}\n").as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path.join(FORMAT_FILE))
    };
    write().map_err(|cause| failed("write", &fresh, cause))?;
    sync_folder(path)
}

/// The engine's log.
pub(crate) fn log(path: &Path) -> PathBuf {
    path.join(ENGINE_FOLDER).join("db")
}

/// How long that is; nothing where there is none.
pub(crate) fn log_bytes(path: &Path) -> u64 {
    fs::metadata(log(path)).map_or(0, |it| it.len())
}

/// Puts the engine's log aside before the engine opens it: opening a damaged log, it throws away what it cannot follow.
/// What an earlier opening put aside, and did not find whole, is the better evidence and stays.
pub(crate) fn keep_as_found(path: &Path) -> Result<(), StoreError> {
    let log = log(path);
    let kept = path.join(AS_FOUND);
    if kept.exists() || !log.exists() {
        return Ok(());
    }
    let part = path.join(AS_FOUND_PART);
    let keep = || {
        fs::copy(&log, &part)?;
        fs::rename(&part, &kept)
    };
    match keep() {
        // A full disk must not keep people from hearing of it: what the copy is for, damage, is noticed without it.
        Err(cause) if cause.kind() == io::ErrorKind::StorageFull => {
            drop(fs::remove_file(&part));
            tracing::warn!(
                event = "store.uncopied",
                "no room for a copy of the engine's log while it is opened: `store salvage` would have less to go by"
            );
            Ok(())
        }
        kept => kept.map_err(|cause| failed("put aside a copy of", &log, cause)),
    }
}

/// Takes that copy away, once everything is proved whole.
pub(crate) fn forget_as_found(path: &Path) -> Result<(), StoreError> {
    let kept = path.join(AS_FOUND);
    match fs::remove_file(&kept) {
        Ok(()) => Ok(()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(failed("remove", &kept, cause)),
    }
}

/// Makes the engine's own parameters durable: it writes them once and does not, and without them it opens nothing.
pub(crate) fn sync_parameters(path: &Path) -> Result<(), StoreError> {
    let place = path.join(ENGINE_FOLDER).join("conf");
    let sync = || File::open(&place)?.sync_all();
    sync().map_err(|cause| failed("make durable", &place, cause))
}

/// Creates a folder where there is none, and makes its name durable, and those of all that had to be created above it.
pub(crate) fn create_folder(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    let above = path.parent().filter(|it| !it.as_os_str().is_empty());
    if let Some(above) = above {
        create_folder(above)?;
    }
    match fs::create_dir(path) {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed("create the folder", path, cause));
        }
        Ok(()) | Err(_) => {}
    }
    match sync_folder(above.unwrap_or(Path::new("."))) {
        // One that may not be read can't be asked to be durable either; what is in it was made before anything relied on it.
        Err(StoreError::Io { cause, .. }) if cause.kind() == io::ErrorKind::PermissionDenied => {
            Ok(())
        }
        synced => synced,
    }
}

/// Makes the names within a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let sync = || File::open(path)?.sync_all();
    sync().map_err(|cause| failed("make durable the folder", path, cause))
}

/// The exclusive right to use the store; given back when dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Takes the lock, trying again for a while: a process that was just stopped may still be closing.
pub(crate) fn lock(path: &Path, tries: u32) -> Result<Lock, StoreError> {
    let place = path.join(LOCK_FILE);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&place)
        .map_err(|cause| failed("open", &place, cause))?;
    for left in (0..tries.max(1)).rev() {
        match file.try_lock() {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) if left > 0 => pause(),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(cause)) => return Err(failed("lock", &place, cause)),
        }
    }
    Err(StoreError::InUse {
        path: path.to_owned(),
    })
}

/// Bytes of all files below a folder. One that goes away meanwhile, as the engine's do, counts for nothing.
pub(crate) fn bytes(folder: &Path) -> io::Result<u64> {
    let mut sum = 0_u64;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let below = match entry.metadata() {
            Ok(found) if found.is_dir() => bytes(&entry.path())?,
            Ok(found) => found.len(),
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        sum = sum.saturating_add(below);
    }
    Ok(sum)
}

/// The pause between two tries.
pub(crate) fn pause() {
    thread::sleep(BETWEEN_TRIES);
}

/// An operation that the system refused.
pub(crate) fn failed(doing: &'static str, path: &Path, cause: io::Error) -> StoreError {
    StoreError::Io {
        doing,
        path: PathBuf::from(path),
        cause,
    }
}
