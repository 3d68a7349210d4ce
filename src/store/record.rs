//! Records as bytes: which shape version they have, and the checks that every version needs.
//!
//! Belongs here: record <-> bytes. Does not belong here: where the bytes lie and how they are protected (`envelope`).

mod hours;
pub(crate) mod v1;

use self::v1::{Row, Wrong};
use super::key::Kind;
use crate::model::book::Record;

/// The shape version of text that is written today.
pub(crate) const SHAPE: u8 = 1;
/// The shape version of hours that is written today; the one before had one signal.
const HOURS: u8 = 2;

/// The shape version that is written today of this kind.
pub(crate) fn shape_of(kind: Kind) -> u8 {
    if kind == Kind::Hour { HOURS } else { SHAPE }
}

#[cfg(test)]
mod tests;

/// The bytes of a record that holds something; nothing for `Remove`.
pub(crate) fn to_bytes(record: &Record) -> Result<Option<Vec<u8>>, Wrong> {
    if let Record::Hour(pool, hour, it) = record {
        return hours::encode(pool, *hour, it).map(Some);
    }
    let Some(row) = Row::of(record) else {
        return Ok(None);
    };
    let bytes = serde_json::to_vec(&row).map_err(|fault| Wrong::new(fault.to_string()))?;
    Ok(Some(bytes))
}

/// The record that these bytes are.
pub(crate) fn from_bytes(shape: u8, kind: Kind, bytes: &[u8]) -> Result<Record, Wrong> {
    match (kind, shape) {
        (Kind::Hour, HOURS) => return hours::decode(bytes),
        (Kind::Hour, SHAPE) => return v1::hour_from_bytes(bytes),
        (_, SHAPE) => {}
        (_, unknown) => {
            let why = format!("shape version {unknown} is not one we know");
            return Err(Wrong::new(why));
        }
    }
    let row: Row = serde_json::from_slice(bytes).map_err(|fault| Wrong::new(fault.to_string()))?;
    row.back()
}
