//! HTTP to receivers of messages. Their URLs, headers and bodies hold secrets: none of it ever appears in an error.

use super::{
    fault::fault,
    meter::{MOST_ONCE_BYTES, Meter},
    options::Patience,
    outward::{self, Outward},
};
use crate::cloud::{Answer, Fault, FaultClass, Post};

/// One message may take three requests: a look, an update, a post. Together they take no longer than one call to AWS.
const CALLS_A_MESSAGE: u32 = 3;

/// The HTTP client for receivers of messages.
#[derive(Debug)]
pub(super) struct Webhooks {
    client: reqwest::Client,
}

impl Webhooks {
    pub(super) fn new(patience: Patience) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .dns_resolver(Outward)
            // A redirect would carry the message to a place that nobody configured.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(patience.once / CALLS_A_MESSAGE)
            .user_agent(concat!("bedrock-ops-alert/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client })
    }

    /// Sends the request once.
    pub(super) async fn post(&self, meter: &Meter, post: &Post) -> Result<Answer, Fault> {
        let operation = post.operation;
        if outward::is_refused(&post.url) {
            let class = FaultClass::Invalid;
            return Err(fault(operation, "BadRequest", outward::REFUSED, class));
        }
        let mut request = self.client.post(&post.url).body(post.body.clone());
        for (name, value) in &post.headers {
            request = request.header(*name, value);
        }
        let request = request.build().map_err(|_| {
            // The error would quote the URL.
            let told = "its URL or its key cannot be sent; check the receiver in the configuration";
            fault(operation, "BadRequest", told, FaultClass::Invalid)
        })?;
        meter.count(None, operation, 0);
        let lost = |error| not_answered(operation, error);
        let mut response = self.client.execute(request).await.map_err(lost)?;
        let status = response.status().as_u16();
        let header = response.headers().get("retry-after");
        let retry_after_seconds = header
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.trim().parse().ok());
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            answer.extend_from_slice(&chunk);
            if u64::try_from(answer.len()).unwrap_or(u64::MAX) > MOST_ONCE_BYTES {
                let told = format!("the answer is longer than {MOST_ONCE_BYTES} bytes");
                return Err(fault(operation, "LongAnswer", &told, FaultClass::Garbled));
            }
        }
        Ok(Answer {
            status,
            retry_after_seconds,
            body: String::from_utf8_lossy(&answer).into_owned(),
        })
    }
}

fn not_answered(operation: &'static str, error: reqwest::Error) -> Fault {
    let error = error.without_url();
    if outward::was_refused(&error) {
        return fault(
            operation,
            "BadRequest",
            outward::REFUSED,
            FaultClass::Invalid,
        );
    }
    let (code, told, class) = if error.is_connect() {
        (
            "Connect",
            "the host could not be reached",
            FaultClass::Connect,
        )
    } else if error.is_timeout() {
        ("Timeout", "no answer came in time", FaultClass::Lost)
    } else {
        ("ConnectionLost", "the connection broke", FaultClass::Lost)
    };
    // The causes below may name the host's address, never the path: that is the secret part.
    fault(operation, code, told, class)
}
