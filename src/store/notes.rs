//! What pools have taught, as it is kept beside the history it was learned from.
//!
//! It can be learned again, so a copy that this release can't read is as good as none: it names the release that wrote it,
//! and there is no migration.

use crc32fast::hash as crc;
use serde::{Serialize, de::DeserializeOwned};

use super::{StoreError, record::v1};
use crate::model::catalog::PoolId;

/// The release, and whatever else says that bytes mean the same.
pub(super) const RELEASE: &str = env!("CARGO_PKG_VERSION");
const MAGIC: &[u8; 8] = b"BOANOTES";

/// The bytes of these notes. `version` is that of the notes' own shape.
///
/// # Errors
/// [`StoreError::Unstorable`] for what has no such form; nothing that is plain data.
pub fn seal<'a, T: Serialize + 'a>(
    version: u16,
    notes: impl IntoIterator<Item = (&'a PoolId, &'a T)>,
) -> Result<Vec<u8>, StoreError> {
    let rows: Vec<(v1::PoolId, &T)> = notes
        .into_iter()
        .map(|(pool, note)| (v1::Shape::of(pool), note))
        .collect();
    let body = postcard::to_stdvec(&(RELEASE, version, rows));
    let body = body.map_err(|fault| StoreError::Unstorable {
        what: "what pools have taught".to_owned(),
        why: fault.to_string(),
    })?;
    Ok(sealed(&body))
}

/// These bytes under a checksum.
pub(super) fn sealed(body: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(crc(body).to_be_bytes());
    bytes.extend(body);
    bytes
}

/// The notes that these bytes are.
///
/// # Errors
/// Why they are of no use, as a sentence fragment: they are damaged, or of another release.
pub fn open<T: DeserializeOwned>(version: u16, bytes: &[u8]) -> Result<Vec<(PoolId, T)>, String> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("they are no notes")?;
    let (sum, body) = rest.split_first_chunk::<4>().ok_or("they are cut short")?;
    if crc(body) != u32::from_be_bytes(*sum) {
        return Err("their checksum is another one".to_owned());
    }
    let read = postcard::take_from_bytes::<(String, u16)>(body);
    let ((release, shape), rows) = read.map_err(|fault| fault.to_string())?;
    if (release.as_str(), shape) != (RELEASE, version) {
        return Err(format!("release {release} wrote them, with shape {shape}"));
    }
    let rows: Vec<(v1::PoolId, T)> =
        postcard::from_bytes(rows).map_err(|fault| fault.to_string())?;
    let back = rows.into_iter().map(|(pool, note)| {
        let pool = v1::Shape::back(pool).map_err(|wrong: v1::Wrong| wrong.to_string())?;
        Ok((pool, note))
    });
    back.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        catalog::Family,
        ids::{AccountId, ModelId, Region, Scope},
    };

    fn pool(model: &str) -> PoolId {
        PoolId {
            scope: Scope {
                account: AccountId::new("111122223333"),
                region: Region::new("us-east-1"),
            },
            family: Family::Geo,
            model: ModelId::new(model),
        }
    }

    #[test]
    fn notes_come_back_and_damaged_or_foreign_ones_do_not() {
        let notes = [(pool("a"), vec![1.5, f64::NAN]), (pool("b"), vec![])];
        let bytes = seal(3, notes.iter().map(|(pool, note)| (pool, note))).unwrap();
        let back: Vec<(PoolId, Vec<f64>)> = open(3, &bytes).unwrap();
        assert_eq!(format!("{back:?}"), format!("{notes:?}"));
        let other = open::<Vec<f64>>(4, &bytes).unwrap_err();
        assert!(other.contains("shape 3"), "{other}");
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 0x10;
            assert!(open::<Vec<f64>>(3, &damaged).is_err(), "byte {place}");
            assert!(
                open::<Vec<f64>>(3, &bytes[..place]).is_err(),
                "cut at {place}"
            );
        }
    }
}
