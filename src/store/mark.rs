//! The high-water mark: the sequence that was last durable, kept outside the engine.
//!
//! The engine drops a damaged end of its log without a word, and what is left looks whole. The mark remembers how far
//! it once went. It is written after each commit has become durable and is itself not synced (that would cost a second
//! fsync): it survives the death of the process, and after a loss of power it may be behind, never ahead.
//! Two slots take turns, so that a torn write spoils one of them only.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use super::{
    StoreError, envelope,
    place::{MARK_FILE, failed},
};

/// A slot has its own disk sector.
const SLOT: usize = 512;
const WORDS: [u8; 8] = *b"BOAMARK1";

/// The open mark.
#[derive(Debug)]
pub(crate) struct Mark {
    file: File,
    turn: u64,
}

impl Mark {
    /// Creates a mark at 0, durably, unless there is one.
    pub(crate) fn create(path: &Path) -> Result<(), StoreError> {
        let place = path.join(MARK_FILE);
        let create = || {
            let mut file = File::create(&place)?;
            file.write_all(&slot(0, 0))?;
            file.write_all(&slot(0, 1))?;
            file.sync_all()
        };
        create().map_err(|cause| failed("create", &place, cause))
    }

    /// Opens the mark and tells the sequence it holds; nothing where both slots are broken or the file is gone.
    pub(crate) fn open(path: &Path) -> Result<Option<(Self, u64)>, StoreError> {
        let place = path.join(MARK_FILE);
        let file = OpenOptions::new().read(true).write(true).open(&place);
        let mut file = match file {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(failed("open", &place, cause)),
        };
        let mut bytes = Vec::new();
        (&mut file)
            .take(2 * SLOT as u64)
            .read_to_end(&mut bytes)
            .map_err(|cause| failed("read", &place, cause))?;
        let newest = bytes
            .chunks(SLOT)
            .filter_map(read_slot)
            .max_by_key(|(_, turn)| *turn);
        Ok(newest.map(|(sequence, turn)| (Self { file, turn }, sequence)))
    }

    /// Raises the mark. Not synced.
    pub(crate) fn raise(&mut self, sequence: u64) -> io::Result<()> {
        self.turn += 1;
        let place = (self.turn % 2) * SLOT as u64;
        self.file.seek(SeekFrom::Start(place))?;
        self.file.write_all(&slot(sequence, self.turn))
    }
}

fn slot(sequence: u64, turn: u64) -> [u8; SLOT] {
    let mut content = Vec::with_capacity(SLOT);
    content.extend(WORDS);
    content.extend(sequence.to_be_bytes());
    content.extend(turn.to_be_bytes());
    content.extend(envelope::crc(&[&content]).to_be_bytes());
    let mut slot = [0; SLOT];
    for (to, from) in slot.iter_mut().zip(content) {
        *to = from;
    }
    slot
}

fn read_slot(bytes: &[u8]) -> Option<(u64, u64)> {
    let (content, rest) = bytes.split_at_checked(24)?;
    let crc = u32::from_be_bytes(*rest.first_chunk()?);
    let (words, numbers) = content.split_first_chunk::<8>()?;
    let (sequence, turn) = numbers.split_first_chunk::<8>()?;
    let is_whole = *words == WORDS && envelope::crc(&[content]) == crc;
    is_whole.then_some((
        u64::from_be_bytes(*sequence),
        u64::from_be_bytes(*turn.first_chunk()?),
    ))
}
