//! Slack's incoming webhooks. Their URL is a secret: it never appears in an error.

use super::{
    fault::fault,
    meter::{MOST_ONCE_BYTES, Meter},
    options::Patience,
};
use crate::cloud::{Fault, FaultClass};

const OPERATION: &str = "slack:Post";

/// The HTTP client for webhooks.
#[derive(Debug)]
pub(super) struct Webhooks {
    client: reqwest::Client,
}

impl Webhooks {
    pub(super) fn new(patience: Patience) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            // A redirect would carry the message to a place that nobody configured.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(patience.once)
            .build()?;
        Ok(Self { client })
    }

    /// Sends the body once.
    pub(super) async fn post(&self, meter: &Meter, url: &str, body: &str) -> Result<(), Fault> {
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .body(body.to_owned())
            .build()
            .map_err(|_| {
                // The error would quote the URL.
                let told =
                    "the webhook's URL is not a URL; check the receiver in the configuration";
                fault(OPERATION, "BadUrl", told, FaultClass::Invalid)
            })?;
        meter.count(None, OPERATION, 0);
        let mut response = self.client.execute(request).await.map_err(not_answered)?;
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(not_answered)? {
            answer.extend_from_slice(&chunk);
            if u64::try_from(answer.len()).unwrap_or(u64::MAX) > MOST_ONCE_BYTES {
                let told = format!("the answer is longer than {MOST_ONCE_BYTES} bytes");
                return Err(fault(OPERATION, "LongAnswer", &told, FaultClass::Garbled));
            }
        }
        judge(
            status,
            &String::from_utf8_lossy(&answer),
            retry_after.as_deref(),
        )
    }
}

fn not_answered(error: reqwest::Error) -> Fault {
    let error = error.without_url();
    let (code, told, class) = if error.is_connect() {
        (
            "Connect",
            "the webhook's host could not be reached",
            FaultClass::Connect,
        )
    } else if error.is_timeout() {
        (
            "Timeout",
            "the webhook did not answer in time",
            FaultClass::Lost,
        )
    } else {
        (
            "ConnectionLost",
            "the connection to the webhook broke",
            FaultClass::Lost,
        )
    };
    // The causes below may name the host's address, never the path: that is the secret part.
    fault(OPERATION, code, told, class)
}

/// Slack answers 200 and `ok`; its other interfaces 200 and `{"ok":false,"error":…}`.
fn judge(status: u16, answer: &str, retry_after: Option<&str>) -> Result<(), Fault> {
    let said = answer.trim();
    let fail = |class| Err(fault(OPERATION, &format!("Http{status}"), said, class));
    match status {
        200..=299 if said == "ok" => Ok(()),
        200..=299 => match serde_json::from_str::<serde_json::Value>(said) {
            Ok(json) => match json.get("ok").and_then(serde_json::Value::as_bool) {
                Some(true) => Ok(()),
                Some(false) => fail(FaultClass::Invalid),
                None => fail(FaultClass::Garbled),
            },
            Err(_) => fail(FaultClass::Garbled),
        },
        300..=399 => {
            let told =
                "the webhook redirects, which is not followed; check its URL in the configuration";
            Err(fault(
                OPERATION,
                &format!("Http{status}"),
                told,
                FaultClass::Invalid,
            ))
        }
        401 | 403 => fail(FaultClass::Denied),
        404 | 410 => fail(FaultClass::NotFound),
        429 => {
            let wait =
                retry_after.map_or_else(String::new, |wait| format!("retry after {wait} s; "));
            Err(fault(
                OPERATION,
                "Http429",
                &format!("{wait}{said}"),
                FaultClass::Throttled,
            ))
        }
        400..=499 => fail(FaultClass::Invalid),
        500..=599 => fail(FaultClass::Server),
        _ => fail(FaultClass::Garbled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ok_is_delivered() {
        assert_eq!(judge(200, "ok\n", None), Ok(()));
        assert_eq!(judge(200, r#"{"ok":true}"#, None), Ok(()));
        for (status, said, class) in [
            (200, r#"{"ok":false,"error":"x"}"#, FaultClass::Invalid),
            (200, "<html>sign in</html>", FaultClass::Garbled),
            (200, "", FaultClass::Garbled),
            (302, "", FaultClass::Invalid),
            (400, "invalid_payload", FaultClass::Invalid),
            (403, "action_prohibited", FaultClass::Denied),
            (404, "no_service", FaultClass::NotFound),
            (410, "channel_is_archived", FaultClass::NotFound),
            (500, "rollup_error", FaultClass::Server),
            (429, "", FaultClass::Throttled),
        ] {
            assert_eq!(
                judge(status, said, None).unwrap_err().class,
                class,
                "{status} {said}"
            );
        }
    }

    #[test]
    fn slack_says_how_long_to_wait() {
        let fault = judge(429, "rate_limited", Some("30")).unwrap_err();
        assert_eq!(fault.message, "retry after 30 s; rate_limited");
    }
}
