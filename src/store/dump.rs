//! The way out and back in: all records as JSON lines, sorted, then the history, with a count and a hash at the end.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, Read, Write},
};

use sha2::{Digest, Sha256};

use serde::{Deserialize, Serialize};

use super::{
    History, Ledger, MemoryHistory, Restore, StoreError,
    history::StretchRow,
    key::{self, Kind},
    record::v1::Row,
};
use crate::model::{
    book::{Book, Record},
    catalog::PoolId,
    history::StretchKey,
    series::PoolHour,
    time::Minute,
};

/// The version of dumps that is written, and the only one so far.
const VERSION: u32 = 1;
/// Most bytes of one line: records are far shorter, and a file that is no dump must not fill the memory.
const MOST_LINE_BYTES: u64 = 20 * 1024 * 1024;
/// Stretches of history that are appended at a time: each is half a megabyte while it is unpacked.
const STRETCHES_AT_ONCE: usize = 64;

/// What a dump may be loaded onto.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onto {
    /// An empty store only.
    Empty,
    /// Whatever is there: records of the dump replace those under the same key; intents never go back.
    Existing,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    dump: String,
    version: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    end: End,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    records: u64,
    sha256: String,
}

/// A line of history.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Long {
    stretch: StretchRow,
}

const NAME: &str = "bedrock-ops-alert";
/// What a line of history begins with.
const LONG: &str = "{\"stretch\"";

/// Writes all records of `ledger` and all of `history` as JSON lines; returns how many. The same contents give the same
/// bytes.
///
/// # Errors
///
/// Whatever [`Ledger::load`] and [`History::stretch`] refuse, and [`StoreError::DumpIo`].
pub fn dump(
    ledger: &dyn Ledger,
    history: &dyn History,
    out: &mut dyn Write,
) -> Result<u64, StoreError> {
    write_all(&records_of(&ledger.load()?), history, out)
}

/// Writes these records as a dump without history, in the order of their keys.
pub(crate) fn write_records(records: &[Record], out: &mut dyn Write) -> Result<u64, StoreError> {
    write_all(records, &MemoryHistory::new(), out)
}

fn write_all(
    records: &[Record],
    history: &dyn History,
    out: &mut dyn Write,
) -> Result<u64, StoreError> {
    let mut lines = LinesOut {
        out,
        hash: Sha256::new(),
        count: 0,
    };
    lines.write(&First {
        dump: NAME.to_owned(),
        version: VERSION,
    })?;
    for row in sorted(records).into_iter().filter_map(Row::of) {
        lines.write(&row)?;
    }
    for pool in history.pools() {
        for (resolution, number) in history.held(&pool) {
            let key = StretchKey {
                pool: pool.clone(),
                resolution,
                number,
            };
            // What is damaged is told by `verify`; a dump holds what there is.
            if let Some(stretch) = history.stretch(&key)? {
                lines.write(&Long {
                    stretch: StretchRow::of(&stretch),
                })?;
            }
        }
    }
    lines.finish()
}

struct LinesOut<'a> {
    out: &'a mut dyn Write,
    hash: Sha256,
    /// Lines after the first.
    count: u64,
}

impl LinesOut<'_> {
    fn write<T: Serialize>(&mut self, line: &T) -> Result<(), StoreError> {
        let text = serde_json::to_string(line).map_err(|fault| unwritten(fault.into()))?;
        self.count += 1;
        for piece in [text.as_bytes(), b"\n"] {
            self.hash.update(piece);
            self.out.write_all(piece).map_err(unwritten)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<u64, StoreError> {
        let records = self.count - 1; // the first line is none
        let sha256 = data_encoding::HEXLOWER.encode(&self.hash.clone().finalize());
        self.write(&Last {
            end: End { records, sha256 },
        })?;
        self.out.flush().map_err(unwritten)?;
        Ok(records)
    }
}

const fn unwritten(cause: io::Error) -> StoreError {
    StoreError::DumpIo {
        doing: "write",
        cause,
    }
}

/// By kind, then by key, as the store itself sorts them.
fn sorted(records: &[Record]) -> Vec<&Record> {
    let mut keyed: Vec<((Kind, Vec<u8>), &Record)> = records
        .iter()
        .map(|record| (key::of_record(record), record))
        .collect();
    keyed.sort_by(|one, two| one.0.cmp(&two.0));
    keyed.into_iter().map(|(_, record)| record).collect()
}

/// Every record that makes up this book.
pub(crate) fn records_of(book: &Book) -> Vec<Record> {
    let mut records = Vec::new();
    records.extend(book.incidents.values().cloned().map(Record::Incident));
    records.extend(book.intents.values().cloned().map(Record::Intent));
    records.extend(book.asks.values().cloned().map(Record::Ask));
    let cases = book.investigations.values();
    records.extend(cases.cloned().map(Record::Investigation));
    let tracks = book.tracks.iter();
    records.extend(tracks.map(|(key, track)| Record::Track(key.clone(), *track)));
    records.extend(book.targets.values().cloned().map(Record::Target));
    records.extend(book.pools.values().cloned().map(Record::Pool));
    records.extend(book.quotas.values().cloned().map(Record::Quota));
    let changes = book.quota_changes.values();
    records.extend(changes.cloned().map(Record::QuotaChange));
    let found = book.discovered.iter();
    records.extend(found.map(|(scope, at)| Record::Discovered(scope.clone(), *at)));
    let read = book.read_through.iter();
    records.extend(read.map(|(pool, minute)| Record::ReadThrough(pool.clone(), *minute)));
    let catalogs = book.catalogs.iter();
    records.extend(catalogs.map(|(scope, it)| Record::Catalog(scope.clone(), it.clone())));
    let reaches = book.reaches.iter();
    records.extend(reaches.map(|(scope, it)| Record::Reaches(scope.clone(), it.clone())));
    let tags = book.tags.iter();
    records
        .extend(tags.map(|((scope, id), it)| Record::Tags(scope.clone(), id.clone(), it.clone())));
    for ((scope, id), it) in &book.permits {
        records.push(Record::Permits(scope.clone(), id.clone(), it.clone()));
    }
    for ((scope, day), it) in &book.ran {
        records.push(Record::Ran(scope.clone(), *day, it.clone()));
    }
    let uses = book.uses.iter();
    records.extend(uses.map(|((pool, day), it)| Record::UseDay(pool.clone(), *day, it.clone())));
    let in_full = book.read_in_full.iter();
    records.extend(in_full.map(|(pool, minute)| Record::ReadInFull(pool.clone(), *minute)));
    let in_depth = book.read_in_depth.iter();
    records.extend(in_depth.map(|(pool, minute)| Record::ReadInDepth(pool.clone(), *minute)));
    records.extend(book.spends.values().cloned().map(Record::Spend));
    records.extend(book.silences.values().cloned().map(Record::Silence));
    records.extend(book.handlings.values().cloned().map(Record::Handling));
    records.extend(book.entries.values().cloned().map(Record::Entry));
    for (pool, series) in &book.series {
        let hours = series.hours();
        records.extend(hours.map(|(hour, it)| Record::Hour(pool.clone(), hour, it.clone())));
    }
    records
}

/// Reads a whole dump and checks its count and hash; then stores its records as one commit, and after them its history.
/// Returns how many there were.
///
/// # Errors
///
/// [`StoreError::Dump`] with the line, [`StoreError::NotEmpty`] unless told otherwise, and whatever a commit refuses.
/// Nothing is stored in any of these cases. After [`StoreError::Io`] from the history it may be there in part: loading
/// the dump onto what exists completes it.
pub fn load_dump(
    input: &mut dyn BufRead,
    into: &dyn Restore,
    history: &dyn History,
    onto: Onto,
) -> Result<u64, StoreError> {
    let stored = records_of(&into.load()?).len();
    if onto == Onto::Empty && stored > 0 {
        let records = u64::try_from(stored).unwrap_or(u64::MAX);
        return Err(StoreError::NotEmpty { records });
    }
    let mut dumped = read_dump(input)?;
    let hours = std::mem::take(&mut dumped.hours).into_iter();
    let hours = hours.map(|((pool, hour), it)| Record::Hour(pool, hour, it));
    dumped.records.extend(hours);
    into.restore(&dumped.records)?;
    let mut stretches = Vec::new();
    for key in &dumped.keys {
        stretches.extend(dumped.history.stretch(key)?);
        if stretches.len() == STRETCHES_AT_ONCE {
            history.append(&stretches)?;
            stretches.clear();
        }
    }
    history.append(&stretches)?;
    Ok(dumped.count)
}

/// A dump that was read, its history packed.
#[derive(Debug, Default)]
struct Dumped {
    records: Vec<Record>,
    /// Until format 6 each signal of an hour had a line of its own.
    hours: BTreeMap<(PoolId, Minute), PoolHour>,
    keys: Vec<StretchKey>,
    history: MemoryHistory,
    /// Lines between the first and the last.
    count: u64,
}

impl Dumped {
    fn take(&mut self, number: u64, text: &str) -> Result<(), StoreError> {
        let refused = |it: &dyn std::fmt::Display| wrong(number, it.to_string());
        self.count += 1;
        if text.starts_with(LONG) {
            let Long { stretch } = parse(number, text)?;
            let stretch = stretch.back().map_err(|it| refused(&it))?;
            self.keys.push(stretch.key.clone());
            return self.history.append(&[stretch]);
        }
        let row: Row = parse(number, text)?;
        let record = row.back().map_err(|it| refused(&it))?;
        if let Record::Hour(pool, hour, it) = record {
            self.hours.entry((pool, hour)).or_default().fill(&it);
        } else {
            self.records.push(record);
        }
        Ok(())
    }
}

/// All of a dump, checked.
fn read_dump(input: &mut dyn BufRead) -> Result<Dumped, StoreError> {
    let mut lines = Lines {
        input,
        hash: Sha256::new(),
        number: 0,
    };
    let first: First = match lines.next()? {
        Some((text, _)) => parse(1, &text)?,
        None => return Err(wrong(1, "the dump is empty")),
    };
    if first.dump != NAME {
        return Err(wrong(1, format!("this is a dump of `{}`", first.dump)));
    }
    if first.version != VERSION {
        let version = first.version;
        return Err(wrong(
            1,
            format!("dump version {version}; this release reads version {VERSION}"),
        ));
    }
    let mut dumped = Dumped::default();
    while let Some((text, before)) = lines.next()? {
        let number = lines.number;
        if text.starts_with("{\"end\"") {
            check_end(number, &parse(number, &text)?, dumped.count, &before)?;
            if lines.next()?.is_some() {
                return Err(wrong(number + 1, "there is more after the end"));
            }
            return Ok(dumped);
        }
        dumped.take(number, &text)?;
    }
    let why = "the end is missing: the dump was cut short";
    Err(wrong(lines.number + 1, why))
}

fn check_end(number: u64, last: &Last, count: u64, hash: &str) -> Result<(), StoreError> {
    if last.end.records != count {
        let told = last.end.records;
        let why = format!("the dump tells of {told} records and holds {count}");
        return Err(wrong(number, why));
    }
    if last.end.sha256 != hash {
        let why = format!("the lines before were changed: their SHA-256 is {hash}");
        return Err(wrong(number, why));
    }
    Ok(())
}

fn parse<'a, T: Deserialize<'a>>(number: u64, text: &'a str) -> Result<T, StoreError> {
    // By the reader that the store itself uses: another one would be all of this code a second time.
    serde_json::from_slice(text.as_bytes()).map_err(|fault| wrong(number, fault.to_string()))
}

fn wrong(line: u64, why: impl Into<String>) -> StoreError {
    let why = why.into();
    StoreError::Dump { line, why }
}

struct Lines<'a> {
    input: &'a mut dyn BufRead,
    hash: Sha256,
    number: u64,
}

impl Lines<'_> {
    /// The next line, and the hash of all lines before it.
    fn next(&mut self) -> Result<Option<(String, String)>, StoreError> {
        let before = data_encoding::HEXLOWER.encode(&self.hash.clone().finalize());
        let mut bytes = Vec::new();
        let mut bounded = (&mut *self.input).take(MOST_LINE_BYTES);
        let read = bounded.read_until(b'\n', &mut bytes);
        read.map_err(|cause| StoreError::DumpIo {
            doing: "read",
            cause,
        })?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        self.hash.update(&bytes);
        match String::from_utf8(bytes) {
            Ok(text) if text.ends_with('\n') => Ok(Some((text, before))),
            Ok(_) => Err(wrong(self.number, "the line is cut short, or too long")),
            Err(_) => Err(wrong(self.number, "the line is not UTF-8")),
        }
    }
}
