//! What a fuzzer may feed the store: bytes as they lie on a disk, and lines of a dump.

use std::io::Cursor;

use data_encoding::HEXLOWER;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use super::{
    MemoryHistory, MemoryLedger, Onto, envelope,
    history::codec,
    key::{self, Kind},
    load_dump, notes, record,
};
use crate::model::{
    catalog::{Family, PoolId},
    history::{Resolution, StretchKey},
    ids::{AccountId, ModelId, Region, Scope},
};

/// The letter of a kind and the bytes of a record: what can be read is written and read again as it was.
pub fn record(data: &[u8]) {
    let Some((letter, bytes)) = data.split_first() else {
        return;
    };
    let Some(kind) = Kind::of_bytes(&[*letter]) else {
        return;
    };
    let Ok(read) = record::from_bytes(record::shape_of(kind), kind, bytes) else {
        return;
    };
    let (kind, _) = key::of_record(&read);
    if let Ok(Some(written)) = record::to_bytes(&read) {
        let again = record::from_bytes(record::shape_of(kind), kind, &written);
        assert_eq!(Ok(format!("{read:?}")), again.map(|it| format!("{it:?}")));
    }
}

/// A value as stored, as it is and with its checksum put right: what the checksum vouches for is what was put in.
pub fn value(data: &[u8]) {
    if let Ok(part) = envelope::unseal_all(data) {
        assert_eq!(envelope::seal(&part), data);
    }
    let Some((head, body)) = data.split_at_checked(envelope::HEADER) else {
        return;
    };
    let fields = head
        .split_last_chunk::<4>()
        .map_or(head, |(fields, _)| fields);
    let crc = envelope::crc(&[fields, body]).to_be_bytes();
    let right = [fields, &crc, body].concat();
    if let Ok(part) = envelope::unseal_all(&right) {
        assert_eq!(envelope::seal(&part), right);
    }
}

/// A stretch of history.
pub fn stretch(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else {
        return;
    };
    let resolutions = [
        Resolution::Minute,
        Resolution::FiveMinutes,
        Resolution::Hour,
    ];
    let Some(resolution) = resolutions.get(usize::from(*first % 3)) else {
        return;
    };
    let key = StretchKey {
        pool: pool(),
        resolution: *resolution,
        number: 20_000,
    };
    let Ok(read) = codec::decode(key.clone(), bytes) else {
        return;
    };
    if let Ok(written) = codec::encode(&read) {
        let again = codec::decode(key, &written);
        assert_eq!(Ok(format!("{read:?}")), again.map(|it| format!("{it:?}")));
    }
}

/// The lines of a dump between its first and its last one: taken in whole, and then the same again when it is dumped and
/// loaded; or refused with nothing stored.
pub fn dump(data: &[u8]) {
    let mut text = b"{\"dump\":\"bedrock-ops-alert\",\"version\":1}\n".to_vec();
    text.extend(data);
    if !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    let records = text.iter().filter(|it| **it == b'\n').count() - 1;
    let sha256 = HEXLOWER.encode(&Sha256::digest(&text));
    let end = format!("{{\"end\":{{\"records\":{records},\"sha256\":\"{sha256}\"}}}}\n");
    text.extend(end.as_bytes());
    let (ledger, history) = (MemoryLedger::new(), MemoryHistory::new());
    match load_dump(&mut Cursor::new(&text), &ledger, &history, Onto::Empty) {
        Ok(_) => {
            let (again, its_history) = (MemoryLedger::new(), MemoryHistory::new());
            let written = written(&ledger, &history);
            let loaded = load_dump(
                &mut Cursor::new(&written),
                &again,
                &its_history,
                Onto::Empty,
            );
            assert!(loaded.is_ok(), "{loaded:?}");
            assert_eq!(written, self::written(&again, &its_history));
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            let rows = written(&ledger, &MemoryHistory::new());
            assert_eq!(2, rows.iter().filter(|it| **it == b'\n').count(), "{error}");
        }
    }
}

fn written(ledger: &MemoryLedger, history: &MemoryHistory) -> Vec<u8> {
    let mut text = Vec::new();
    let count = super::dump(ledger, history, &mut text);
    assert!(count.is_ok(), "{count:?}");
    text
}

/// The rows of notes, of whatever they are, under a checksum that is right.
pub fn notes<T: Serialize + DeserializeOwned>(shape: u16, data: &[u8]) {
    let Ok(mut body) = postcard::to_stdvec(&(notes::RELEASE, shape)) else {
        return;
    };
    body.extend(data);
    let Ok(rows) = notes::open::<T>(shape, &notes::sealed(&body)) else {
        return;
    };
    let written = notes::seal(shape, rows.iter().map(|(pool, it)| (pool, it)));
    assert!(written.is_ok_and(|it| notes::open::<T>(shape, &it).is_ok()));
}

fn pool() -> PoolId {
    PoolId {
        scope: Scope {
            account: AccountId::new("111122223333"),
            region: Region::new("us-east-1"),
        },
        family: Family::Geo,
        model: ModelId::new("anthropic.claude-sonnet-4-5-20250929-v1:0"),
    }
}
