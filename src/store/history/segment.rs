//! A segment: one file of stretches, written once and never changed.
//!
//! ```text
//! preamble   "BOAh", version 1, three zero bytes, length of the directory (4), length of the rest (8),
//!            CRC-32 (4) of the preamble before it and the directory; all big-endian
//! directory  per stretch: account, Region, family, model (each with a length of two bytes), resolution (1),
//!            number (8), length (4), CRC-32 (4)
//! rest       the stretches, one after another (`codec`)
//! ```
//!
//! Every byte is covered by one of the checksums or compared with what it must be, and the file is as long as it says.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

use crate::{
    model::{
        catalog::{Family, PoolId},
        history::{Resolution, StretchKey},
        ids::{AccountId, ModelId, Region, Scope},
    },
    store::{
        envelope::crc,
        record::v1::{Shape, Wrong},
        samples::{put_text, take, take_text},
    },
};

const MAGIC: [u8; 4] = *b"BOAh";
/// The version that is written, and the newest that is read.
pub(super) const VERSION: u8 = 1;
const PREAMBLE: usize = 24;

/// Where one stretch lies in its segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: StretchKey,
    pub(super) offset: u64,
    pub(super) length: u32,
    pub(super) crc: u32,
}

/// Why a segment could not be read.
#[derive(Debug)]
pub(super) enum Fault {
    /// The system.
    Io(io::Error),
    /// Its bytes contradict themselves.
    Damaged(String),
    /// Written by a newer release.
    Newer(u8),
}

impl From<Wrong> for Fault {
    fn from(wrong: Wrong) -> Self {
        Self::Damaged(wrong.to_string())
    }
}

impl From<io::Error> for Fault {
    fn from(cause: io::Error) -> Self {
        if cause.kind() == io::ErrorKind::UnexpectedEof {
            return Self::Damaged("it is cut short".to_owned());
        }
        Self::Io(cause)
    }
}

/// The bytes of a segment that holds these, and where each lies.
pub(super) fn seal(stretches: Vec<(StretchKey, Vec<u8>)>) -> Result<(Vec<u8>, Vec<Entry>), Wrong> {
    let too_long = |_| Wrong::new("more than a segment can hold");
    let mut directory = Vec::new();
    let mut entries = Vec::new();
    let mut rest = Vec::new();
    for (key, body) in stretches {
        let entry = Entry {
            offset: u64::try_from(rest.len()).map_err(too_long)?,
            length: u32::try_from(body.len()).map_err(too_long)?,
            crc: crc(&[&body]),
            key,
        };
        put_entry(&entry, &mut directory)?;
        entries.push(entry);
        rest.extend(body);
    }
    let mut out = Vec::with_capacity(PREAMBLE + directory.len() + rest.len());
    out.extend(MAGIC);
    out.extend([VERSION, 0, 0, 0]);
    let length = u32::try_from(directory.len()).map_err(too_long)?;
    out.extend(length.to_be_bytes());
    let length = u64::try_from(rest.len()).map_err(too_long)?;
    out.extend(length.to_be_bytes());
    out.extend(crc(&[&out, &directory]).to_be_bytes());
    out.extend(directory);
    let begin = u64::try_from(out.len()).map_err(too_long)?;
    for entry in &mut entries {
        entry.offset += begin;
    }
    out.extend(rest);
    Ok((out, entries))
}

/// Reads and checks the directory.
pub(super) fn directory(file: &mut File) -> Result<Vec<Entry>, Fault> {
    let size = file.metadata()?.len();
    let mut preamble = [0; PREAMBLE];
    file.read_exact(&mut preamble)?;
    let mut rest = preamble.as_slice();
    let magic: [u8; 4] = take(&mut rest)?;
    let [version, zeros @ ..]: [u8; 4] = take(&mut rest)?;
    let directory_length = u32::from_be_bytes(take(&mut rest)?);
    let body_length = u64::from_be_bytes(take(&mut rest)?);
    let stored = u32::from_be_bytes(take(&mut rest)?);
    if magic != MAGIC {
        return Err(Fault::Damaged("it does not begin as a segment".to_owned()));
    }
    let begin = u64::from(directory_length) + PREAMBLE as u64;
    if size != begin.saturating_add(body_length) {
        let why = format!("it has {size} bytes and should have another number of them");
        return Err(Fault::Damaged(why));
    }
    let mut directory = vec![0; usize::try_from(directory_length).unwrap_or(usize::MAX)];
    file.read_exact(&mut directory)?;
    let covered = preamble.get(..PREAMBLE - 4).unwrap_or_default();
    if crc(&[covered, &directory]) != stored {
        let why = "the checksum of its directory does not match";
        return Err(Fault::Damaged(why.to_owned()));
    }
    if version != VERSION || zeros != [0; 3] {
        return Err(Fault::Newer(version));
    }
    let mut rest = directory.as_slice();
    let mut entries = Vec::new();
    let mut offset = begin;
    while !rest.is_empty() {
        let entry = take_entry(&mut rest, offset)?;
        offset += u64::from(entry.length);
        entries.push(entry);
    }
    if offset != size {
        let why = "its directory tells of more or less than there is";
        return Err(Fault::Damaged(why.to_owned()));
    }
    Ok(entries)
}

/// Reads and checks the bytes of one stretch.
pub(super) fn body(
    file: &mut File,
    offset: u64,
    length: u32,
    stored: u32,
) -> Result<Vec<u8>, Fault> {
    file.seek(SeekFrom::Start(offset))?;
    let mut body = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    file.read_exact(&mut body)?;
    if crc(&[&body]) != stored {
        return Err(Fault::Damaged("its checksum does not match".to_owned()));
    }
    Ok(body)
}

fn put_entry(entry: &Entry, out: &mut Vec<u8>) -> Result<(), Wrong> {
    let pool = &entry.key.pool;
    put_text(pool.scope.account.as_str(), out)?;
    put_text(pool.scope.region.as_str(), out)?;
    put_text(pool.family.name(), out)?;
    put_text(pool.model.as_str(), out)?;
    let place = Resolution::ALL.into_iter().zip(0_u8..);
    let place = place
        .into_iter()
        .find(|(it, _)| *it == entry.key.resolution);
    out.push(place.map_or(u8::MAX, |(_, place)| place)); // every resolution is in `ALL`
    out.extend(entry.key.number.to_be_bytes());
    out.extend(entry.length.to_be_bytes());
    out.extend(entry.crc.to_be_bytes());
    Ok(())
}

fn take_entry(rest: &mut &[u8], offset: u64) -> Result<Entry, Wrong> {
    let scope = Scope {
        account: AccountId::new(take_text(rest)?),
        region: Region::new(take_text(rest)?),
    };
    let family: Family = take_text(rest)?.back()?;
    let model = ModelId::new(take_text(rest)?);
    let [place] = take(rest)?;
    let resolution = Resolution::ALL.get(usize::from(place));
    let resolution = *resolution.ok_or_else(|| Wrong::new("there is no such resolution"))?;
    let pool = PoolId {
        scope,
        family,
        model,
    };
    Ok(Entry {
        key: StretchKey {
            pool,
            resolution,
            number: i64::from_be_bytes(take(rest)?),
        },
        offset,
        length: u32::from_be_bytes(take(rest)?),
        crc: u32::from_be_bytes(take(rest)?),
    })
}
