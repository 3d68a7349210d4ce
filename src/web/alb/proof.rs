//! Whether a load balancer signed this: ECDSA on P-256 with SHA-256, which is the only way in which they do.

use aws_lc_rs::{
    rand,
    signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey},
};

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// The public key of a load balancer.
#[derive(Debug)]
pub(super) struct Key(ParsedPublicKey);

impl Key {
    /// Reads the one key of a PEM file. Nothing, where there is none, or one of another kind.
    pub(super) fn from_pem(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once(BEGIN)?;
        let (body, _) = rest.split_once(END)?;
        let body: String = body.split_ascii_whitespace().collect();
        let der = data_encoding::BASE64.decode(body.as_bytes()).ok()?;
        let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, der).ok()?;
        Some(Self(key))
    }

    /// Whether `signature`, 64 bytes, is of `text`.
    pub(super) fn has_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(text, signature).is_ok()
    }
}

/// A key of this process alone. Nothing, where the system has no randomness.
pub(in crate::web) fn unguessable() -> Option<[u8; 32]> {
    let mut key = [0; 32];
    rand::fill(&mut key).ok().map(|()| key)
}
