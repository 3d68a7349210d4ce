//! Records as bytes: which shape version they have, and the checks that every version needs.
//!
//! Belongs here: record <-> bytes. Does not belong here: where the bytes lie and how they are protected (`envelope`).

pub(crate) mod v1;

use self::v1::{Row, Wrong};
use super::key::Kind;
use crate::model::book::Record;

/// The shape version that is written today.
pub(crate) const SHAPE: u8 = 1;

#[cfg(test)]
mod tests;

/// The bytes of a record that holds something; nothing for `Remove`.
pub(crate) fn to_bytes(record: &Record) -> Result<Option<Vec<u8>>, Wrong> {
    if let Record::Hour(pool, signal, hour, block) = record {
        let bytes = v1::hour_to_bytes(pool, *signal, *hour, block)?;
        v1::hour_from_bytes(&bytes)?; // an hour that could not be read again must not be written
        return Ok(Some(bytes));
    }
    let Some(row) = Row::of(record) else {
        return Ok(None);
    };
    let bytes = serde_json::to_vec(&row).map_err(|fault| Wrong::new(fault.to_string()))?;
    Ok(Some(bytes))
}

/// The record that these bytes are.
pub(crate) fn from_bytes(shape: u8, kind: Kind, bytes: &[u8]) -> Result<Record, Wrong> {
    if shape != SHAPE {
        return Err(Wrong::new(format!(
            "shape version {shape} is not one we know"
        )));
    }
    if kind == Kind::Hour {
        return v1::hour_from_bytes(bytes);
    }
    let row: Row = serde_json::from_slice(bytes).map_err(|fault| Wrong::new(fault.to_string()))?;
    row.back()
}
