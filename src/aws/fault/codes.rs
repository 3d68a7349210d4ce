//! The table from error codes and HTTP statuses to classes.

use aws_smithy_runtime_api::http::StatusCode;

use crate::cloud::FaultClass;

/// What a code means, where the status does not tell enough. Matched without a trailing `Exception`, since query
/// services leave it out.
///
/// Source: the SDKs' shared list of throttle codes; the modelled errors of Service Quotas, Support and SNS.
const CODES: &[(FaultClass, &[&str])] = &[
    (
        FaultClass::Throttled,
        &[
            "Throttling",
            "Throttled",
            "RequestThrottled",
            "TooManyRequests",
            "ProvisionedThroughputExceeded",
            "TransactionInProgress",
            "RequestLimitExceeded",
            "BandwidthLimitExceeded",
            "LimitExceeded",
            "SlowDown",
            "PriorRequestNotComplete",
            "EC2Throttled",
            "KMSThrottling",
        ],
    ),
    (
        FaultClass::Denied,
        &[
            "AccessDenied",
            "AuthFailure",
            "AuthorizationError",
            "DependencyAccessDenied",
            "ExpiredToken",
            "IncompleteSignature",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSecurity",
            "InvalidSignature",
            "KMSAccessDenied",
            "MissingAuthenticationToken",
            "NotAuthorized",
            "OptInRequired",
            "RegionDisabled",
            "RequestExpired",
            "RequestTimeTooSkewed",
            "SignatureDoesNotMatch",
            "UnauthorizedOperation",
            "UnrecognizedClient",
        ],
    ),
    (FaultClass::NoPlan, &["SubscriptionRequired"]),
    (FaultClass::Exists, &["ResourceAlreadyExists"]),
    (
        FaultClass::Full,
        &["QuotaExceeded", "CaseCreationLimitExceeded"],
    ),
    (
        FaultClass::NotFound,
        &[
            "NoSuchResource",
            "ResourceNotFound",
            "CaseIdNotFound",
            "NotFound",
        ],
    ),
    // These may come with a 400 although nobody refused anything.
    (
        FaultClass::Server,
        &[
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "InternalServer",
            "InternalServiceError",
            "InternalServiceFault",
            "Service", // Service Quotas' ServiceException
            "ServiceUnavailable",
        ],
    ),
    (FaultClass::Lost, &["RequestTimeout"]),
];

/// `com.amazonaws.support#CaseIdNotFound:http://…` is `CaseIdNotFound`.
pub(super) fn bare(code: &str) -> &str {
    let code = code.rsplit_once('#').map_or(code, |(_, code)| code);
    code.split_once(':').map_or(code, |(code, _)| code)
}

/// The class of an error answer.
pub(super) fn class(code: Option<&str>, status: StatusCode) -> FaultClass {
    code.map_or_else(|| by_status(status), |code| by_code(code, status))
}

fn by_code(code: &str, status: StatusCode) -> FaultClass {
    let short = code.strip_suffix("Exception").unwrap_or(code);
    let listed = CODES
        .iter()
        .find(|(_, codes)| codes.contains(&short))
        .map(|(class, _)| *class);
    match listed {
        Some(FaultClass::Throttled) => FaultClass::Throttled,
        // Behind a 5xx even a refusal may have come after the effect.
        Some(class) if !status.is_server_error() => class,
        Some(_) | None => by_status(status),
    }
}

/// The class of an error answer by its status: often not AWS at all, but something in between.
fn by_status(status: StatusCode) -> FaultClass {
    match status.as_u16() {
        429 => FaultClass::Throttled,
        401 | 403 | 407 => FaultClass::Denied,
        404 => FaultClass::NotFound,
        408 => FaultClass::Lost,
        400..=499 => FaultClass::Invalid,
        500..=599 => FaultClass::Server,
        _ => FaultClass::Garbled, // an error under a status of success or redirection
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(status: u16, code: &str) -> FaultClass {
        let status = StatusCode::try_from(status).unwrap();
        let code = Some(bare(code)).filter(|code| !code.is_empty());
        super::class(code, status)
    }

    #[test]
    fn every_code_has_the_class_that_decides_what_is_next() {
        for (status, code, expected) in [
            // The SDKs' fourteen throttle codes, and those that they don't know.
            (400, "Throttling", FaultClass::Throttled),
            (400, "ThrottlingException", FaultClass::Throttled),
            (400, "ThrottledException", FaultClass::Throttled),
            (400, "RequestThrottledException", FaultClass::Throttled),
            (400, "TooManyRequestsException", FaultClass::Throttled),
            (
                400,
                "ProvisionedThroughputExceededException",
                FaultClass::Throttled,
            ),
            (400, "TransactionInProgressException", FaultClass::Throttled),
            (400, "RequestLimitExceeded", FaultClass::Throttled),
            (400, "BandwidthLimitExceeded", FaultClass::Throttled),
            (400, "LimitExceededException", FaultClass::Throttled),
            (400, "RequestThrottled", FaultClass::Throttled),
            (503, "SlowDown", FaultClass::Throttled),
            (400, "PriorRequestNotComplete", FaultClass::Throttled),
            (503, "EC2ThrottledException", FaultClass::Throttled),
            (429, "Throttled", FaultClass::Throttled),
            (400, "KMSThrottling", FaultClass::Throttled),
            (429, "", FaultClass::Throttled),
            (429, "SomethingNew", FaultClass::Throttled),
            (400, "AccessDeniedException", FaultClass::Denied),
            (403, "AccessDenied", FaultClass::Denied),
            (403, "AuthorizationError", FaultClass::Denied),
            (400, "UnrecognizedClientException", FaultClass::Denied),
            (400, "ExpiredTokenException", FaultClass::Denied),
            (403, "ExpiredToken", FaultClass::Denied),
            (403, "InvalidClientTokenId", FaultClass::Denied),
            (400, "DependencyAccessDeniedException", FaultClass::Denied),
            (403, "", FaultClass::Denied),
            (400, "SubscriptionRequiredException", FaultClass::NoPlan),
            (400, "ResourceAlreadyExistsException", FaultClass::Exists),
            (400, "QuotaExceededException", FaultClass::Full),
            (400, "CaseCreationLimitExceeded", FaultClass::Full),
            (400, "NoSuchResourceException", FaultClass::NotFound),
            (400, "ResourceNotFoundException", FaultClass::NotFound),
            (400, "CaseIdNotFound", FaultClass::NotFound),
            (404, "NotFound", FaultClass::NotFound),
            (
                400,
                "com.amazonaws.support#CaseIdNotFound:http://x/",
                FaultClass::NotFound,
            ),
            (400, "IllegalArgumentException", FaultClass::Invalid),
            (400, "InvalidParameter", FaultClass::Invalid),
            (400, "", FaultClass::Invalid),
            (500, "InternalServerError", FaultClass::Server),
            (400, "ServiceException", FaultClass::Server),
            (500, "", FaultClass::Server),
            (503, "SomethingNew", FaultClass::Server),
            (502, "", FaultClass::Server),
            (400, "RequestTimeout", FaultClass::Lost),
            (200, "", FaultClass::Garbled),
            (200, "SomethingNew", FaultClass::Garbled),
            (302, "", FaultClass::Garbled),
        ] {
            assert_eq!(class(status, code), expected, "{status} {code}");
        }
    }

    #[test]
    fn behind_a_server_error_a_refusal_is_not_believed() {
        for code in [
            "AccessDenied",
            "CaseCreationLimitExceeded",
            "ResourceNotFoundException",
        ] {
            assert_eq!(class(500, code), FaultClass::Server, "{code}");
        }
    }
}
