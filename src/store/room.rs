//! The reserve beside the ledger, and the one place that asks the system how much room there is.
//!
//! The engine does not survive a write that finds no room: it takes nothing more until it is opened again. So free space is
//! looked at before each write, and what the write may need is given back from the reserve first. Whether is decided in
//! `model::room`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::history::FOLDER;
use crate::model::room::{FLOOR, Room, reserve_of};

/// The file that holds the reserve.
pub(crate) const RESERVE_FILE: &str = "reserve";
/// Bytes written at once, and the step in which it is given back: smaller ones would be taken by the next few writes.
const STEP: u64 = 1_048_576;

/// The reserve of one store.
#[derive(Debug)]
pub(crate) struct Reserve {
    store: PathBuf,
    wanted: u64,
    held: u64,
    /// Why it could not be made as large as it should be, as it was told last.
    trouble: Option<String>,
}

impl Reserve {
    /// What a run before this one left. None is wanted until somebody says so.
    pub(crate) fn found(store: &Path) -> Self {
        let held = fs::metadata(store.join(RESERVE_FILE)).map_or(0, |it| it.len());
        Self {
            store: store.to_owned(),
            wanted: 0,
            held,
            trouble: None,
        }
    }

    /// Holds so many bytes from now on, as soon as there is room for them.
    pub(crate) fn hold(&mut self, wanted: u64) {
        self.wanted = wanted;
        if wanted < self.held {
            self.give_back(wanted);
        }
    }

    pub(crate) const fn held(&self) -> u64 {
        self.held
    }

    /// Before a write: gives back what the disk lacks. Returns how much is free then, if the system says it.
    pub(crate) fn make_way(&mut self) -> Option<u64> {
        let free = fs2::available_space(&self.store).ok()?;
        let next = reserve_of(self.wanted, self.held, free);
        if next < self.held {
            self.give_back(next / STEP * STEP);
            return fs2::available_space(&self.store).ok();
        }
        Some(free)
    }

    /// Before the store is opened, which takes a copy of the engine's log: gives back all of it where that has no room else.
    pub(crate) fn make_way_for(&mut self, bytes: u64) {
        let free = fs2::available_space(&self.store);
        if 0 < self.held && free.is_ok_and(|free| free < bytes.saturating_add(FLOOR)) {
            self.give_back(0);
        }
    }

    /// Once a cycle: gives back, or makes anew; and how it stands then.
    pub(crate) fn tend(&mut self) -> Option<Room> {
        let free = self.make_way()?;
        if self.held < reserve_of(self.wanted, self.held, free) {
            self.refill();
        }
        let history = self.store.join(FOLDER);
        let is_elsewhere = |history: &fs::Metadata| {
            fs::metadata(&self.store).is_ok_and(|store| store.dev() != history.dev())
        };
        let elsewhere = fs::metadata(&history).ok().filter(is_elsewhere);
        Some(Room {
            free: fs2::available_space(&self.store).ok()?,
            history_free: elsewhere.and_then(|_| fs2::available_space(&history).ok()),
            reserve: self.held,
            wanted: self.wanted,
        })
    }

    /// Shrinks it to so many bytes. Where even that fails it is as it was, and the write after it will tell.
    fn give_back(&mut self, left: u64) {
        let path = self.path();
        let shrunk = if left == 0 {
            fs::remove_file(&path)
        } else {
            let file = OpenOptions::new().write(true).open(&path);
            file.and_then(|file| file.set_len(left))
        };
        match shrunk {
            Ok(()) => self.held = left,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => self.held = 0,
            Err(cause) => {
                tracing::warn!(event = "store.reserve", %cause, "the reserve could not be given back");
            }
        }
    }

    /// Makes it whole. Nothing of it need be durable: its blocks are what counts, and they are taken when it is written.
    fn refill(&mut self) {
        let made = self.write();
        self.held = fs::metadata(self.path()).map_or(0, |it| it.len());
        let trouble = made.err().map(|cause| cause.to_string());
        if let Some(cause) = trouble
            .as_ref()
            .filter(|it| self.trouble.as_ref() != Some(*it))
        {
            tracing::warn!(event = "store.reserve", %cause, "the reserve could not be made");
        }
        self.trouble = trouble;
    }

    fn write(&self) -> io::Result<()> {
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.path())?;
        let mut at = file.seek(SeekFrom::End(0))?;
        let noise = noise();
        while at < self.wanted {
            let step = usize::try_from(self.wanted - at).unwrap_or(usize::MAX);
            let part = noise.get(..step).unwrap_or(&noise);
            file.write_all(part)?;
            at = file.stream_position()?;
        }
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.store.join(RESERVE_FILE)
    }
}

/// Bytes that no file system makes smaller, as some do with zeros (xorshift, Marsaglia 2003).
fn noise() -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let words = (0..STEP / 8).flat_map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_there_with_all_its_blocks_and_goes_as_it_is_given_back() {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tmp");
        let folder = target.join(format!("reserve-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut reserve = Reserve::found(&folder);
        reserve.hold(3 * STEP + 5);
        let room = reserve.tend().unwrap();
        assert_eq!((room.reserve, room.wanted), (3 * STEP + 5, 3 * STEP + 5));
        assert_eq!(room.history_free, None);
        let file = folder.join(RESERVE_FILE);
        let found = fs::metadata(&file).unwrap();
        assert!(found.len() <= found.blocks() * 512, "not sparse");
        reserve.give_back(STEP);
        assert_eq!(fs::metadata(&file).unwrap().len(), STEP);
        assert_eq!(Reserve::found(&folder).held(), STEP);
        assert_eq!(reserve.tend().unwrap().reserve, 3 * STEP + 5, "made anew");
        reserve.make_way_for(u64::MAX);
        assert!(!file.exists());
        reserve.hold(0);
        assert_eq!(reserve.tend().unwrap().reserve, 0);
        fs::remove_dir_all(&folder).unwrap();
    }
}
