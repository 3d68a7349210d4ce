//! What a load balancer says of a person: a JSON Web Token, read and held to the configuration before its signature is
//! looked at, so that a forged one makes us ask nobody for anything.
//!
//! Its form is AWS's (User Guide for Application Load Balancers, "User claims encoding and signature verification"): what
//! counts stands in the header beside `alg` and `kid` (`signer`, `iss`, `client`, `exp`), the payload is what the identity
//! provider said, and the parts are padded. Crates for such tokens refuse the padding, as RFC 7515 wants it, and look for
//! `exp` and `iss` in the payload; that is why the few lines are ours.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Refused;
use crate::model::access::SignIn;

/// Bytes of a token. The load balancer refuses a sign-in with more than 11 KB of claims (same guide, "Authentication
/// flow"); base64 makes 15 KB of that.
const MOST_BYTES: usize = 16_384;
/// Seconds by which this clock may differ from the load balancer's.
const LEEWAY: i64 = 60;
/// Characters of the id of a key; those that are known are UUIDs.
const MOST_KEY_ID: usize = 64;
/// Of the signature: two numbers of 32 bytes.
const SIGNATURE_BYTES: usize = 64;

/// What we need of the header. What else stands there says nothing to us.
#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: String,
    signer: String,
    iss: String,
    client: Option<String>,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    /// Whoever sends this says that not to understand it is to refuse it. (RFC 7515, 4.1.11.)
    crit: Option<Value>,
}

/// A token that says what it should, if its signature is right.
#[derive(Debug)]
pub(super) struct Token<'t> {
    /// The id of the key that is said to have signed it: letters, digits and `-`.
    pub(super) key_id: String,
    /// What is signed.
    pub(super) signed: &'t [u8],
    pub(super) signature: Vec<u8>,
    pub(super) claims: Map<String, Value>,
}

impl<'t> Token<'t> {
    /// Reads it. `now` is in seconds since 1970.
    pub(super) fn read(text: &'t str, sign_in: &SignIn, now: i64) -> Result<Self, Refused> {
        if MOST_BYTES < text.len() {
            return Err(Refused::Long);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Refused::Garbled)?;
        let (header, claims) = signed.split_once('.').ok_or(Refused::Garbled)?;
        let header: Header = document(header)?;
        if header.alg != "ES256" {
            return Err(Refused::Algorithm);
        }
        if header.crit.is_some() {
            return Err(Refused::Garbled);
        }
        if header.signer != sign_in.signer {
            return Err(Refused::Signer);
        }
        if header.iss != sign_in.issuer {
            return Err(Refused::Issuer);
        }
        if sign_in.client.is_some() && header.client != sign_in.client {
            return Err(Refused::Client);
        }
        let claims: Map<String, Value> = document(claims)?;
        let said = ["nbf", "iat"].map(|name| claims.get(name).and_then(Value::as_i64));
        let begins = [header.nbf, header.iat].into_iter().chain(said).flatten();
        if header.exp < now.saturating_sub(LEEWAY) {
            return Err(Refused::Expired);
        }
        if begins
            .max()
            .is_some_and(|it| now.saturating_add(LEEWAY) < it)
        {
            return Err(Refused::Early);
        }
        // It becomes a part of an address.
        let is_plain = |it: u8| it.is_ascii_alphanumeric() || it == b'-';
        if !(1..=MOST_KEY_ID).contains(&header.kid.len()) || !header.kid.bytes().all(is_plain) {
            return Err(Refused::KeyId);
        }
        let signature = bytes(signature)?;
        if signature.len() != SIGNATURE_BYTES {
            return Err(Refused::Signature);
        }
        Ok(Self {
            key_id: header.kid,
            signed: signed.as_bytes(),
            signature,
            claims,
        })
    }
}

fn document<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, Refused> {
    serde_json::from_slice(&bytes(part)?).map_err(|_| Refused::Garbled)
}

/// What a part says, with or without its padding.
fn bytes(part: &str) -> Result<Vec<u8>, Refused> {
    let plain = part.trim_end_matches('=');
    if 2 < part.len() - plain.len() {
        return Err(Refused::Garbled);
    }
    let decoded = data_encoding::BASE64URL_NOPAD.decode(plain.as_bytes());
    decoded.map_err(|_| Refused::Garbled)
}
