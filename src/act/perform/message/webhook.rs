//! A webhook: a JSON body of a promised shape (`docs/receivers.md`), signed as Standard Webhooks 1.0 wants it.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Letter, answer::Said, text};
use crate::{
    cloud::{Answer, Cloud, Post},
    model::{receiver::Secret, time::Timestamp},
};

/// The shape of the body. A changed meaning gets a new number; new keys don't.
const SCHEMA: &str = "bedrock-ops-alert/message/1";
/// Characters of the message.
const MOST_BODY: usize = 50_000;
/// Characters of one line.
const MOST_LINE: usize = 1_024;
/// Model ids that are listed.
const MOST_MODELS: usize = 50;
/// Characters of one id.
const MOST_ID: usize = 256;

pub(super) async fn send(
    cloud: &dyn Cloud,
    url: &Secret,
    secret: Option<&Secret>,
    letter: &Letter<'_>,
) -> Said {
    let id = letter.intent.id.as_str();
    let at = letter.sent_at();
    let own = letter.document.map(str::to_owned);
    let body = own.unwrap_or_else(|| message(letter).to_string());
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", at.as_second().to_string()),
    ];
    if let Some(secret) = secret {
        match signature(secret, id, at, &body) {
            Some(signature) => headers.push(("webhook-signature", signature)),
            None => return Said::Nothing("its secret is not a key".to_owned()),
        }
    }
    let post = Post {
        operation: "webhook:Post",
        url: url.expose().to_owned(),
        headers,
        body,
    };
    match cloud.post(&post).await {
        Ok(answer) => judge(&answer),
        Err(fault) => Said::None(fault),
    }
}

/// The body: the same in every try, so that a receiver that has seen the id may drop it.
pub(super) fn message(letter: &Letter<'_>) -> Value {
    let intent = letter.intent;
    let notice = letter.notice;
    let scope = notice.map(|it| it.cause.scope());
    let line = |it: &str| text::line(it, MOST_LINE);
    json!({
        "schema": SCHEMA,
        "id": intent.id.as_str(),
        "incident": intent.incident.as_str(),
        "number": notice.map(|it| it.number),
        "phase": notice.map(|it| it.phase.name()),
        "severity": notice.map_or(letter.severity, |it| it.severity).name(),
        "subject": line(letter.subject),
        "title": notice.map(|it| line(&it.title)),
        "text": text::clean(letter.body, MOST_BODY),
        "category": notice.map(|it| it.category().name()),
        "account": scope.map(|it| it.account.as_str()),
        "region": scope.map(|it| it.region.as_str()),
        "quota_code": notice.and_then(super::quota_code),
        "quota_kind": notice.and_then(|it| it.kind).map(|it| it.name()),
        "models": notice.map(|it| super::models(it, MOST_MODELS, MOST_ID)),
        "fingerprint": notice.map(|it| line(it.cause.fingerprint().as_str())),
        "began": notice.map(|it| it.began.start().to_string()),
        "resolved": notice.and_then(|it| it.resolved).map(|it| it.to_string()),
        "links": links(letter),
        "flags": notice.map(|it| it.flags.iter().map(|it| it.name()).collect::<Vec<_>>()),
        "teams": notice.map(|it| it.teams.iter().map(|it| line(it)).collect::<Vec<_>>()),
        "planned": intent.created.to_string(),
    })
}

/// Where to look; none of a message that is about no incident.
fn links(letter: &Letter<'_>) -> Vec<Value> {
    let each = letter.links().into_iter();
    each.map(|it| json!({ "kind": it.kind.name(), "text": it.text, "url": it.url }))
        .collect()
}

/// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. A secret that begins with `whsec_` is base64 after that,
/// any other one is its own bytes.
pub(super) fn signature(secret: &Secret, id: &str, at: Timestamp, body: &str) -> Option<String> {
    let key = match secret.expose().strip_prefix("whsec_") {
        Some(encoded) => BASE64.decode(encoded.as_bytes()).ok()?,
        None => secret.expose().as_bytes().to_vec(),
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{}.{body}", at.as_second()).as_bytes());
    Some(format!(
        "v1,{}",
        BASE64.encode(&mac.finalize().into_bytes())
    ))
}

fn judge(answer: &Answer) -> Said {
    Said::by_status(answer).unwrap_or_else(|| Said::Taken(format!("HTTP {}", answer.status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What templates are tried with has the shape of what they get.
    #[test]
    fn the_samples_have_the_keys_of_the_document() {
        let intent = crate::act::perform::tests::notice("hook");
        let letter = Letter::of(&intent, None, None).unwrap();
        let Value::Object(document) = message(&letter) else {
            panic!("no document");
        };
        for sample in crate::template::samples().unwrap() {
            let keys: Vec<&String> = sample.as_object().unwrap().keys().collect();
            assert_eq!(keys, document.keys().collect::<Vec<_>>());
            assert_eq!(sample["schema"], SCHEMA);
        }
    }

    /// The example of the Standard Webhooks specification and its libraries.
    #[test]
    fn the_signature_is_that_of_the_standard() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let signed = signature(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            r#"{"test": 2432232314}"#,
        );
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed.as_deref(), Some(expected));
    }
}
