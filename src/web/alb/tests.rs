//! Real signatures by a key of the test's own, forged in each way; and a server of keys on loopback.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use axum::{Router, extract::Path, http::HeaderValue, routing::get};
use data_encoding::{BASE64, BASE64URL, BASE64URL_NOPAD, Encoding};
use hmac::{KeyInit as _, Mac as _};
use serde_json::json;
use tokio::net::TcpListener;

use super::*;
use crate::model::rule::Pattern;

const KID: &str = "c2f80c8b-c05c-4068-af14-17299f7896b1";
const SIGNER: &str =
    "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/ops/50dc6c495c0c9188";
const ISSUER: &str = "https://login.example.com";
const NOW: i64 = 1_780_000_000;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

/// A load balancer's key.
struct Pair(EcdsaKeyPair);

impl Pair {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn pem(&self) -> String {
        // SubjectPublicKeyInfo of a point on P-256. (RFC 5480.)
        let mut der = data_encoding::HEXLOWER
            .decode(b"3059301306072a8648ce3d020106082a8648ce3d030107034200")
            .unwrap();
        der.extend_from_slice(self.0.public_key().as_ref());
        let body = BASE64.encode(&der);
        let (first, second) = body.split_at(64);
        format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n")
    }

    fn sign(&self, text: &str) -> Vec<u8> {
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        signature.as_ref().to_vec()
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        self.token_in(&BASE64URL, header, claims)
    }

    fn token_in(&self, encoding: &Encoding, header: &Value, claims: &Value) -> String {
        let part = |it: &Value| encoding.encode(it.to_string().as_bytes());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.sign(&signed);
        format!("{signed}.{}", encoding.encode(&signature))
    }
}

fn header() -> Value {
    json!({
        "typ": "JWT", "kid": KID, "alg": "ES256", "iss": ISSUER, "client": "4fmv", "signer": SIGNER, "exp": NOW + 120,
    })
}

fn header_with(name: &str, value: Value) -> Value {
    let mut header = header();
    header[name] = value;
    header
}

fn anna() -> Value {
    json!({"sub": "248289761001", "email": "anna@example.com", "email_verified": true, "groups": ["dev", "bedrock-ops"]})
}

/// What the server of keys answers, and how often it was asked.
struct Served {
    sign_in: SignIn,
    asked: Arc<AtomicUsize>,
}

/// Serves this text as the key `KID`, and nothing else.
async fn serving(text: String) -> Served {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let answer = async move |Path(kid): Path<String>| {
        counted.fetch_add(1, Ordering::Relaxed);
        if kid == KID {
            Ok(text)
        } else {
            Err(StatusCode::FORBIDDEN)
        }
    };
    let router = Router::new().route("/keys/{kid}", get(answer));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    tokio::spawn(async { axum::serve(listener, router).await });
    Served {
        sign_in: sign_in(format!("http://{address}/keys")),
        asked,
    }
}

fn sign_in(keys: String) -> SignIn {
    SignIn {
        signer: SIGNER.to_owned(),
        issuer: ISSUER.to_owned(),
        client: Some("4fmv".to_owned()),
        keys,
        act: vec![Claim {
            name: "groups".to_owned(),
            is: Pattern::new("bedrock-ops"),
        }],
    }
}

async fn ask(door: &Door, served: &Served, token: &str) -> Result<Person, Refused> {
    let mut headers = HeaderMap::new();
    headers.insert(HEADER, HeaderValue::from_str(token).unwrap());
    let person = door.person(&served.sign_in, &headers, now()).await;
    person.unwrap()
}

#[tokio::test]
async fn whoever_the_load_balancer_signs_in_is_known_and_its_key_is_asked_for_once() {
    let pair = Pair::new();
    let served = serving(pair.pem()).await;
    let door = Door::default();
    let expected = Ok(Person {
        name: "anna@example.com".to_owned(),
        role: Role::Actor,
    });
    let padded = pair.token(&header(), &anna());
    assert!(padded.contains('='), "AWS pads: {padded}");
    let plain = pair.token_in(&BASE64URL_NOPAD, &header(), &anna());
    let both = tokio::join!(ask(&door, &served, &padded), ask(&door, &served, &plain));
    assert_eq!(both, (expected.clone(), expected));
    // A minute is what clocks may differ by.
    let late = pair.token(&header_with("exp", json!(NOW - 60)), &anna());
    assert!(ask(&door, &served, &late).await.is_ok());
    assert_eq!(served.asked.load(Ordering::Relaxed), 1);
    let nothing = door.person(&served.sign_in, &HeaderMap::new(), now()).await;
    assert_eq!(nothing, None);
}

/// Each is refused for this, and nobody is asked for a key.
async fn refused(pair: &Pair, cases: impl IntoIterator<Item = (String, Refused)>) {
    let served = serving(pair.pem()).await;
    let door = Door::default();
    for (token, expected) in cases {
        let refused = ask(&door, &served, &token).await;
        assert_eq!(refused, Err(expected), "{token:.300}");
    }
    assert_eq!(served.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn what_says_otherwise_than_the_configuration_is_refused_and_makes_us_ask_nobody() {
    let pair = Pair::new();
    let with = |name: &str, value: Value| pair.token(&header_with(name, value), &anna());
    let otherwise = [
        ("alg", json!("none"), Refused::Algorithm),
        ("alg", json!("es256"), Refused::Algorithm),
        ("alg", json!("ES384"), Refused::Algorithm),
        ("signer", json!(SIGNER.replace("ops", "x")), Refused::Signer),
        ("signer", json!(null), Refused::Garbled),
        ("iss", json!(format!("{ISSUER}/")), Refused::Issuer),
        ("client", json!("other"), Refused::Client),
        ("client", json!(null), Refused::Client),
        ("exp", json!(NOW - 61), Refused::Expired),
        ("exp", json!(-1), Refused::Expired),
        ("exp", json!("never"), Refused::Garbled),
        ("exp", json!(null), Refused::Garbled),
        ("nbf", json!(NOW + 61), Refused::Early),
        ("iat", json!(NOW + 61), Refused::Early),
        ("crit", json!(["exp"]), Refused::Garbled),
        ("kid", json!("../../other"), Refused::KeyId),
        ("kid", json!("a%2e%2e"), Refused::KeyId),
        ("kid", json!("a?b=c"), Refused::KeyId),
        ("kid", json!("@evil.example"), Refused::KeyId),
        ("kid", json!(""), Refused::KeyId),
        ("kid", json!("a".repeat(65)), Refused::KeyId),
    ];
    let cases = otherwise.map(|(name, value, why)| (with(name, value), why));
    refused(&pair, cases).await;
    let ahead = json!({"sub": "1", "nbf": NOW + 3_600});
    refused(&pair, [(pair.token(&header(), &ahead), Refused::Early)]).await;
    // The public key as if it were a shared secret.
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(pair.pem().as_bytes()).unwrap();
    let token = with("alg", json!("HS256"));
    let (signed, _) = token.rsplit_once('.').unwrap();
    mac.update(signed.as_bytes());
    let signature = BASE64URL.encode(&mac.finalize().into_bytes());
    refused(
        &pair,
        [(format!("{signed}.{signature}"), Refused::Algorithm)],
    )
    .await;
}

#[tokio::test]
async fn what_is_no_token_is_refused_and_makes_us_ask_nobody() {
    let pair = Pair::new();
    let good = pair.token(&header(), &anna());
    let parts: Vec<&str> = good.split('.').collect();
    let (first, second, third) = (parts[0], parts[1], parts[2]);
    let twice = header().to_string();
    let twice = twice.replacen('{', "{\"alg\":\"none\",", 1);
    let twice = BASE64URL.encode(twice.as_bytes());
    let list = BASE64URL.encode(b"[1]");
    let garbled = [
        String::new(),
        "..".to_owned(),
        "*.*.*".to_owned(),
        format!("{first}.{second}"),
        format!("{good}=="),
        format!("{good}.x"),
        format!("{twice}.{second}.{third}"),
        format!("{first}.{list}.{third}"),
    ];
    let garbled = garbled.map(|it| (it, Refused::Garbled));
    let others = [
        (format!("{first}.{second}."), Refused::Signature),
        (format!("{good}{}", "A".repeat(100_000)), Refused::Long),
    ];
    refused(&pair, garbled.into_iter().chain(others)).await;
    let mut headers = HeaderMap::new();
    for _ in 0..2 {
        headers.append(HEADER, HeaderValue::from_str(&good).unwrap());
    }
    let (door, nowhere) = (Door::default(), sign_in(String::new()));
    let person = door.person(&nowhere, &headers, now()).await;
    assert_eq!(person, Some(Err(Refused::Twice)));
    headers.insert(HEADER, HeaderValue::from_bytes(b"a.\xff.c").unwrap());
    let person = door.person(&nowhere, &headers, now()).await;
    assert_eq!(person, Some(Err(Refused::Garbled)));
}

#[tokio::test]
async fn a_signature_is_of_this_key_and_of_every_byte() {
    let (pair, other) = (Pair::new(), Pair::new());
    let served = serving(pair.pem()).await;
    let door = Door::default();
    // With padding in what is signed.
    let mut claims = anna();
    while BASE64URL
        .encode(claims.to_string().as_bytes())
        .ends_with(|it| it != '=')
    {
        claims["sub"] = json!(format!("{}0", claims["sub"].as_str().unwrap()));
    }
    let good = pair.token(&header(), &claims);
    let parts: Vec<&str> = good.split('.').collect();
    let kim = json!({"sub": "1", "email": "kim@example.com", "groups": ["bedrock-ops"]});
    let kim = BASE64URL.encode(kim.to_string().as_bytes());
    let stripped = parts.iter().map(|it| it.trim_end_matches('='));
    let stripped: Vec<&str> = stripped.collect();
    let zero = BASE64URL.encode(&[0; 64]);
    for forged in [
        other.token(&header(), &anna()),
        format!("{}.{kim}.{}", parts[0], parts[2]),
        // What is signed includes the padding.
        stripped.join("."),
        format!("{}.{}.{zero}", parts[0], parts[1]),
    ] {
        let refused = ask(&door, &served, &forged).await;
        assert_eq!(refused, Err(Refused::Signature), "{forged}");
    }
    assert!(ask(&door, &served, &good).await.is_ok());
}

#[tokio::test]
async fn nobody_makes_us_ask_for_keys_without_end() {
    let pair = Pair::new();
    let served = serving(pair.pem()).await;
    let door = Door::default();
    let of = |kid: &str| pair.token(&header_with("kid", json!(kid)), &anna());
    for _ in 0..3 {
        let refused = ask(&door, &served, &of("unknown")).await;
        assert_eq!(refused, Err(Refused::UnknownKey));
    }
    assert_eq!(served.asked.load(Ordering::Relaxed), 1, "it is remembered");
    let good = pair.token(&header(), &anna());
    assert!(ask(&door, &served, &good).await.is_ok());
    let mut refused = Vec::new();
    for number in 0..50 {
        refused.push(ask(&door, &served, &of(&format!("unknown-{number}"))).await);
    }
    assert_eq!(served.asked.load(Ordering::Relaxed), 10);
    assert_eq!(refused.last(), Some(&Err(Refused::Often)));
    assert!(
        ask(&door, &served, &good).await.is_ok(),
        "a key that is known is not touched by that"
    );
}

#[tokio::test]
async fn what_is_no_key_is_none_and_is_not_asked_for_at_once_again() {
    let pair = Pair::new();
    let token = pair.token(&header(), &anna());
    let key = pair.pem();
    for wrong in [
        String::new(),
        "<html>".to_owned(),
        key.replace("PUBLIC", "PRIVATE"),
        key.replace("-----END", "----- END"),
        key.replacen('M', "*", 1),
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----".to_owned(),
        format!("{}{key}", " ".repeat(5_000)),
    ] {
        let served = serving(wrong.clone()).await;
        let door = Door::default();
        for _ in 0..2 {
            let refused = ask(&door, &served, &token).await;
            assert_eq!(refused, Err(Refused::NoKey), "{wrong}");
        }
        assert_eq!(served.asked.load(Ordering::Relaxed), 1, "{wrong}");
    }
    let nobody = Served {
        sign_in: sign_in("http://127.0.0.1:1/keys".to_owned()),
        asked: Arc::default(),
    };
    let refused = ask(&Door::default(), &nobody, &token).await;
    assert_eq!(refused, Err(Refused::NoKey));
}

fn claims_of(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn a_name_is_the_address_unless_nobody_proved_it_and_does_nothing_where_it_is_shown() {
    let of = |claims: Value| person(&claims_of(claims), &[]).map(|it| it.name);
    let named = |text: &str| Ok(text.to_owned());
    assert_eq!(of(json!({"sub": "7", "email": "a@b.c"})), named("a@b.c"));
    for unproved in [json!(false), json!("false")] {
        let claims = json!({"sub": "7", "email": "a@b.c", "email_verified": unproved});
        assert_eq!(of(claims), named("7"));
    }
    assert_eq!(of(json!({"sub": "7", "email": "  "})), named("7"));
    assert_eq!(of(json!({"sub": "7", "email": 5})), named("7"));
    assert_eq!(
        of(json!({"sub": "7", "email": "x".repeat(256)})),
        named("7")
    );
    assert_eq!(
        of(json!({"sub": "7\u{1b}[31m\nforged\u{202e}"})),
        named("7<U+001B>[31m<U+000A>forged<U+202E>")
    );
    for nobody in [
        json!({}),
        json!({"sub": ""}),
        json!({"sub": 7}),
        json!({"email": "a@b.c"}),
    ] {
        assert_eq!(of(nobody), Err(Refused::Nameless));
    }
}

#[test]
fn one_claim_lets_decide_and_an_unproved_address_is_none() {
    let may = |name: &str, is: &str, claims: Value| {
        let claim = Claim {
            name: name.to_owned(),
            is: Pattern::new(is),
        };
        person(&claims_of(claims), &[claim]).unwrap().role == Role::Actor
    };
    assert!(may("email", "*@b.c", json!({"sub": "7", "email": "a@b.c"})));
    assert!(!may(
        "email",
        "*@b.c",
        json!({"sub": "7", "email": "a@b.c.evil.example"})
    ));
    assert!(!may(
        "email",
        "*@b.c",
        json!({"sub": "7", "email": "a@b.c", "email_verified": "false"})
    ));
    assert!(may("sub", "7", json!({"sub": "7"})));
    assert!(!may("sub", "7", json!({"sub": "77"})));
    assert!(may(
        "groups",
        "ops",
        json!({"sub": "7", "groups": ["dev", "ops"]})
    ));
    assert!(may("groups", "ops", json!({"sub": "7", "groups": "ops"})));
    for groups in [
        json!("dev-ops"),
        json!([["ops"]]),
        json!({"ops": true}),
        json!(null),
        json!([]),
    ] {
        assert!(
            !may("groups", "*ops", json!({"sub": "7", "groups": groups})) || groups == "dev-ops"
        );
    }
    assert!(may("admin", "true", json!({"sub": "7", "admin": true})));
    assert!(!may("admin", "*", json!({"sub": "7", "admin": null})));
    assert!(person(&claims_of(json!({"sub": "7"})), &[]).unwrap().role == Role::Viewer);
}
