//! The way back: the ledger as an older release left it, kept before this release brings it to its own format.
//!
//! It is a store of its own, without a history: segments of history are never rewritten, so both releases read the same.
//! It is whole under its name or not there, and it is there before the file `FORMAT` is raised: killed at any moment, the
//! ledger is still the old one, or the copy is.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{
    StoreError,
    place::{ENGINE_FOLDER, FORMAT_FILE, MARK_FILE, failed, sync_folder},
};

/// Where the copy of what came before this format is, or would be.
pub(crate) fn folder(path: &Path, format: u32) -> PathBuf {
    path.join(format!("before-format-{format}"))
}

/// Copies what lies at `path` now, while nobody has it open. An earlier copy by that name goes: this ledger lived on since.
pub(crate) fn keep(path: &Path, format: u32) -> Result<PathBuf, StoreError> {
    let kept = folder(path, format);
    let part = kept.with_extension("part");
    let copy = || {
        remove(&part)?;
        fs::create_dir(&part)?;
        for file in [FORMAT_FILE, MARK_FILE] {
            copy_file(&path.join(file), &part.join(file))?;
        }
        copy_folder(&path.join(ENGINE_FOLDER), &part.join(ENGINE_FOLDER))?;
        File::open(&part)?.sync_all()?;
        remove(&kept)?;
        fs::rename(&part, &kept)
    };
    copy().map_err(|cause| failed("keep a copy, for the way back, as", &kept, cause))?;
    sync_folder(path)?;
    Ok(kept)
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            copy_file(&entry.path(), &target)?;
        }
    }
    File::open(to)?.sync_all()
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    File::open(to)?.sync_all()
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
