//! The head of the store: how many values there are, their sum, the last sequence, and the end of the intents' chain.
//!
//! It changes in the same atomic batch as the values it describes. A value that is lost, comes back in an older version
//! or stands in another's place changes the sum; a link of the chain that is lost or changed breaks the next one.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::envelope::{self, Part};

/// Key of the head.
pub(crate) const HEAD: &[u8] = b"h";
/// First byte of the keys of links.
pub(crate) const LINK: u8 = b'c';
/// First byte of the keys of record parts.
pub(crate) const RECORD: u8 = b'r';
/// How many links are kept: months of decisions; older ones are let go from the front, and the chain goes on from there.
pub(crate) const KEPT_LINKS: u64 = 10_000;

/// What the store says of itself as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    /// The format of everything else.
    pub(crate) format: u32,
    /// Counts every record ever written, removals included.
    pub(crate) sequence: u64,
    /// How many record parts are stored.
    pub(crate) parts: u64,
    /// Sum over all stored parts of [`weight`], modulo 2^64.
    pub(crate) sum: u64,
    /// Number of the oldest link that is kept.
    pub(crate) first_link: u64,
    /// Number of the next link.
    pub(crate) next_link: u64,
    /// The hash before the oldest link that is kept.
    pub(crate) chain_base: String,
    /// The hash of the newest link.
    pub(crate) chain_head: String,
}

impl Head {
    /// The head of an empty store.
    pub(crate) fn empty(format: u32) -> Self {
        let origin = hex(b"");
        Self {
            format,
            sequence: 0,
            parts: 0,
            sum: 0,
            first_link: 0,
            next_link: 0,
            chain_base: origin.clone(),
            chain_head: origin,
        }
    }

    pub(crate) fn add(&mut self, key: &[u8], part: &Part<'_>) {
        self.parts += 1;
        self.sum = self.sum.wrapping_add(weight(key, part));
    }

    pub(crate) fn subtract(&mut self, key: &[u8], part: &Part<'_>) {
        self.parts = self.parts.saturating_sub(1);
        self.sum = self.sum.wrapping_sub(weight(key, part));
    }
}

/// What one part adds to the sum: a mix of its key, its checksum and its sequence.
pub(crate) fn weight(key: &[u8], part: &Part<'_>) -> u64 {
    let content = (u64::from(envelope::crc(&[key])) << 32) | u64::from(part.crc);
    spread(content ^ spread(part.sequence))
}

/// The finaliser of SplitMix64: each bit in changes about half of the bits out.
const fn spread(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// One link of the chain: one version of one intent, hashed together with all before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Link {
    /// Counts the links from 0.
    pub(crate) number: u64,
    /// The intent.
    pub(crate) intent: String,
    /// Its revision; 0 when it was removed.
    pub(crate) revision: u64,
    /// SHA-256 of its stored bytes; of nothing when it was removed.
    pub(crate) body: String,
    /// SHA-256 of the hash before and of all of the above.
    pub(crate) hash: String,
}

impl Link {
    pub(crate) fn new(before: &str, number: u64, intent: &str, revision: u64, body: &[u8]) -> Self {
        let mut link = Self {
            number,
            intent: intent.to_owned(),
            revision,
            body: hex(body),
            hash: String::new(),
        };
        link.hash = link.expected(before);
        link
    }

    /// The hash this link must have after `before`.
    pub(crate) fn expected(&self, before: &str) -> String {
        let text = format!(
            "{before}\n{}\n{}\n{}\n{}",
            self.number, self.revision, self.body, self.intent
        );
        hex(text.as_bytes())
    }

    pub(crate) fn key(number: u64) -> Vec<u8> {
        let mut key = vec![LINK];
        key.extend(number.to_be_bytes());
        key
    }
}

/// SHA-256 in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}
