//! From SDK errors to the few classes that decide what to do next.

use std::error::Error;

use aws_smithy_runtime_api::{
    client::{orchestrator::HttpResponse, result::SdkError},
    http::StatusCode,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::meter::Probe;
use crate::cloud::{Fault, FaultClass};

mod codes;

/// Longest message taken over from the other side, in characters.
const MOST_MESSAGE: usize = 500;

/// The fault that an SDK error amounts to.
pub(super) fn of<E>(probe: &Probe, error: &SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let operation = probe.operation();
    match error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status();
            let meta = service.err().meta();
            answered(operation, status, meta.code(), meta.message())
        }
        SdkError::ResponseError(_) => fault(
            operation,
            "UnreadableAnswer",
            &chain(error),
            FaultClass::Garbled,
        ),
        SdkError::ConstructionFailure(_) => {
            fault(operation, "NotSent", &chain(error), FaultClass::Invalid)
        }
        SdkError::TimeoutError(_) if probe.was_sent() => {
            fault(operation, "Timeout", "no answer in time", FaultClass::Lost)
        }
        SdkError::TimeoutError(_) => fault(
            operation,
            "CredentialsTimeout",
            "the credentials did not come in time, so nothing was sent; is their source (IMDS, STS, SSO) reachable?",
            FaultClass::Connect,
        ),
        SdkError::DispatchFailure(_) if !probe.was_sent() => not_sent(operation, error),
        SdkError::DispatchFailure(_) if never_connected(error) => {
            fault(operation, "Connect", &chain(error), FaultClass::Connect)
        }
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            fault(operation, "Timeout", &chain(error), FaultClass::Lost)
        }
        SdkError::DispatchFailure(_) => {
            fault(operation, "ConnectionLost", &chain(error), FaultClass::Lost)
        }
        // The SDK may grow variants; what we don't know may have happened.
        _ => fault(operation, "Unknown", &chain(error), FaultClass::Garbled),
    }
}

/// An answer that lacks what it must have: the call may have had its effect all the same.
pub(super) fn garbled(operation: &'static str, what: impl Into<String>) -> Fault {
    fault(
        operation,
        "IncompleteAnswer",
        &what.into(),
        FaultClass::Garbled,
    )
}

/// The field of an answer that has to be there.
pub(super) fn need<T>(
    operation: &'static str,
    field: &'static str,
    value: Option<T>,
) -> Result<T, Fault> {
    value.ok_or_else(|| garbled(operation, format!("the answer has no `{field}`")))
}

/// Nothing was sent: no credentials, or no way to them.
fn not_sent(operation: &'static str, error: &(dyn Error + 'static)) -> Fault {
    let why = chain(error);
    if never_connected(error) {
        let told = format!(
            "where the credentials come from could not be reached, so nothing was sent ({why})"
        );
        return fault(operation, "CredentialsConnect", &told, FaultClass::Connect);
    }
    // The client's own filler before each source that it looked at.
    let why = why.replace("the credential provider was not enabled: ", "");
    let told = format!(
        "no usable credentials, so nothing was sent; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY, or check the role, its trust policy and external id ({why})"
    );
    fault(operation, "NoCredentials", &told, FaultClass::Denied)
}

/// The fault that an error answer amounts to.
fn answered(
    operation: &'static str,
    status: StatusCode,
    code: Option<&str>,
    message: Option<&str>,
) -> Fault {
    let code = code.map(codes::bare).filter(|code| !code.is_empty());
    let class = codes::class(code, status);
    let in_words = format!("Http{}", status.as_u16());
    let code = code.unwrap_or(&in_words);
    let mut fault = fault(operation, code, message.unwrap_or_default(), class);
    fault.message.push_str(&advice(operation, class, code));
    fault
}

/// What a person does about a refusal, added to the other side's words.
fn advice(operation: &str, class: FaultClass, code: &str) -> String {
    let short = code.strip_suffix("Exception").unwrap_or(code);
    let known = match (class, short) {
        (FaultClass::Denied, "ExpiredToken" | "RequestExpired") => {
            "; renew the credentials (for example `aws sso login`), or check the clock"
        }
        (
            FaultClass::Denied,
            "InvalidClientTokenId"
            | "UnrecognizedClient"
            | "InvalidAccessKeyId"
            | "MissingAuthenticationToken",
        ) => {
            "; these credentials are not known to AWS: check AWS_PROFILE or AWS_ACCESS_KEY_ID, and that the Region is enabled"
        }
        (
            FaultClass::Denied,
            "RequestTimeTooSkewed" | "SignatureDoesNotMatch" | "InvalidSignature" | "AuthFailure",
        ) => "; check the secret key, and this machine's clock",
        (FaultClass::Denied, _) => {
            return format!("; allow `{operation}` in the IAM policy of these credentials");
        }
        (FaultClass::NoPlan, _) => {
            "; the Support API needs a Business Support+, Enterprise or Unified Operations plan: use the console"
        }
        _ => "",
    };
    known.to_owned()
}

/// Whether the connection was never made, so that nothing can have been sent over it.
fn never_connected(error: &(dyn Error + 'static)) -> bool {
    use std::io::ErrorKind;
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<std::io::Error>()
            && matches!(
                io.kind(),
                ErrorKind::ConnectionRefused
                    | ErrorKind::HostUnreachable
                    | ErrorKind::NetworkUnreachable
                    | ErrorKind::NetworkDown
            )
        {
            return true;
        }
        let text = error.to_string();
        // The client's own words for a failed or slow connect, a failed name look-up and a failed handshake.
        if text.starts_with("client error (Connect)")
            || text.starts_with("HTTP connect timeout")
            || text.starts_with("dns error")
        {
            return true;
        }
        next = error.source();
    }
    false
}

/// The error and its causes in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

pub(super) fn fault(
    operation: &'static str,
    code: &str,
    message: &str,
    class: FaultClass,
) -> Fault {
    let plain = message.replace(char::is_control, " ");
    let mut words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = words.char_indices().nth(MOST_MESSAGE) {
        words.truncate(end);
        words.push('…');
    }
    Fault {
        operation,
        code: code.to_owned(),
        message: words,
        class,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_to_do_and_stays_short() {
        let forbidden = StatusCode::try_from(403).unwrap();
        let long = "x\u{1b}[31m".repeat(1_000);
        for (code, told) in [
            (
                "AccessDeniedException",
                "allow `sns:Publish` in the IAM policy",
            ),
            ("ExpiredTokenException", "renew"),
            ("InvalidClientTokenId", "AWS_PROFILE"),
            ("RequestTimeTooSkewed", "clock"),
        ] {
            let fault = answered("sns:Publish", forbidden, Some(code), Some(&long));
            assert!(fault.message.contains(told), "{fault}");
            assert!(fault.message.chars().count() < MOST_MESSAGE + 200, "{code}");
            assert!(!fault.message.contains('\u{1b}'), "{code}");
        }
    }
}
