//! What can still be read of a damaged store, as a dump.
//!
//! The engine is not asked: where it gives up, the bytes are still there. Values are found in its log by the magic of
//! their envelope and proved by their CRC; of several versions of a record the newest whole one is taken.
//! What was removed lately may come back, and the newest version of a record may be the lost one. So an intent that was
//! not over is not believed: it *may have happened*, and is looked for at AWS before anything is done.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::Path,
};

use super::{
    StoreError,
    dump::write_records,
    envelope::{self, MAGIC},
    head::RECORD,
    key::Kind,
    migrate::THIS,
    place::{self, AS_FOUND, Found, failed},
    record,
};
use crate::model::{
    action::{Intent, IntentState},
    book::{Key, Record},
};

/// What [`salvage`] brought out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salvaged {
    /// Records written, by kind.
    pub counts: BTreeMap<&'static str, u64>,
    /// Records of which parts were found, and never all parts of one version.
    pub broken: u64,
    /// Values that were found with a broken checksum; some are remains that the engine itself no longer uses.
    pub bad_values: u64,
    /// Intents that were not over, and are now in doubt or held.
    pub doubtful: u64,
}

/// Writes what can be read of the store at `path` as a dump. The store itself is not changed.
///
/// # Errors
///
/// [`StoreError::Missing`], [`StoreError::InUse`], [`StoreError::Newer`], [`StoreError::Io`], [`StoreError::DumpIo`].
/// Damage is not an error here.
pub fn salvage(path: &Path, out: &mut dyn Write) -> Result<Salvaged, StoreError> {
    match place::inspect(path, THIS.format) {
        Ok(Found::Store(_)) | Err(StoreError::Damaged { .. }) => {}
        Ok(Found::Nothing) => {
            return Err(StoreError::Missing {
                path: path.to_owned(),
            });
        }
        Err(other) => return Err(other),
    }
    let _lock = place::lock(path, 1)?;
    let (mut versions, mut bad_values) = (BTreeMap::new(), 0);
    // What was put aside before the engine touched its log, where there is such a thing, and the log as it is now.
    for log in [path.join(AS_FOUND), place::log(path)] {
        match fs::read(&log) {
            Ok(bytes) => bad_values += carve(&bytes, &mut versions),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(failed("read", &log, cause)),
        }
    }
    let mut newest: BTreeMap<Key, (u64, Record)> = BTreeMap::new();
    let mut broken = 0;
    for (version, parts) in versions {
        let Some(mut record) = assemble(&version, &parts) else {
            broken += 1;
            continue;
        };
        let known = newest.remove(&record.key());
        match known {
            Some(newer) if version.sequence < newer.0 => {
                newest.insert(record.key(), newer);
                continue;
            }
            // Until format 6 each signal was a record of its own.
            Some((_, Record::Hour(_, _, others))) if version.shape == record::SHAPE => {
                if let Record::Hour(_, _, it) = &mut record {
                    it.fill(&others);
                }
            }
            Some(_) | None => {}
        }
        newest.insert(record.key(), (version.sequence, record));
    }
    let mut salvaged = Salvaged {
        counts: BTreeMap::new(),
        broken,
        bad_values,
        doubtful: 0,
    };
    let mut records = Vec::new();
    for (key, (_, record)) in newest {
        *salvaged.counts.entry(Kind::of(&key).name()).or_insert(0) += 1;
        let (record, is_doubtful) = doubted(record);
        salvaged.doubtful += u64::from(is_doubtful);
        records.push(record);
    }
    write_records(&records, out)?;
    Ok(salvaged)
}

/// One version of one record: its place in the sequence and how many parts it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    sequence: u64,
    shape: u8,
    count: u16,
}

type Parts = BTreeMap<u16, Vec<u8>>;

/// Collects all whole values of a log, and counts the broken ones. A sequence belongs to one record: it groups its parts.
fn carve(bytes: &[u8], versions: &mut BTreeMap<Version, Parts>) -> u64 {
    let mut bad = 0;
    let mut at = 0;
    while let Some(rest) = bytes.get(at..) {
        let Some(skip) = rest.windows(MAGIC.len()).position(|it| it == MAGIC) else {
            break;
        };
        at += skip + 1;
        let Some(rest) = rest.get(skip..) else {
            break;
        };
        match envelope::unseal(rest) {
            Ok((part, _)) if part.realm == RECORD => {
                let version = Version {
                    sequence: part.sequence,
                    shape: part.shape,
                    count: part.count,
                };
                let parts = versions.entry(version).or_default();
                parts.insert(part.index, part.body.to_vec());
            }
            Ok(_) => {}
            Err(_) => bad += 1,
        }
    }
    bad
}

/// The record, if all of its parts are there and it can be read. Its kind is told by the record itself.
fn assemble(version: &Version, parts: &Parts) -> Option<Record> {
    if parts.len() != usize::from(version.count) {
        return None;
    }
    let body: Vec<u8> = parts.values().flatten().copied().collect();
    let is_text = body.first() == Some(&b'{');
    let kind = if is_text { Kind::Incident } else { Kind::Hour };
    record::from_bytes(version.shape, kind, &body).ok()
}

/// What was not over may have gone on after this version.
fn doubted(record: Record) -> (Record, bool) {
    let Record::Intent(intent) = record else {
        return (record, false);
    };
    if intent.effect.may_repeat() {
        return (Record::Intent(intent), false);
    }
    let state = match &intent.state {
        // Approved or not, nobody knows: a person has to look.
        IntentState::Proposed { .. } => IntentState::Held {
            why: "it was a proposal in a damaged store; whether it was approved and filed since is not known"
                .to_owned(),
            at: intent.created,
        },
        IntentState::Planned { .. } | IntentState::Sending { .. } | IntentState::Unknown { .. } => {
            IntentState::Unknown {
                since: intent.created,
                absent: 0,
                look_at: intent.created,
            }
        }
        IntentState::Done { .. } | IntentState::Held { .. } | IntentState::Refused { .. } => {
            return (Record::Intent(intent), false);
        }
    };
    let revision = intent.revision + 1;
    let intent = Intent {
        state,
        revision,
        ..intent
    };
    (Record::Intent(intent), true)
}
