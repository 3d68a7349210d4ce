//! What an HTTP request asks for: protocol, service, operation, caller, Region, members.

use axum::http::HeaderMap;
use jiff::{fmt::strtime, tz::TimeZone};
use serde_json::{Map, Value};

use super::{cbor, query, rest, unpack};
use crate::{
    model::{
        ids::{AccountId, Region},
        time::Timestamp,
    },
    sim::{ApiError, Call, Service, account_of_key, principal_of_key},
};

const CBOR_PATH: &str = "/service/GraniteServiceVersion20100801/operation/";
const TARGETS: &[(&str, Service)] = &[
    ("GraniteServiceVersion20100801", Service::CloudWatch),
    ("ServiceQuotasV20190624", Service::ServiceQuotas),
    ("AWSSupport_20130415", Service::Support),
    ("Logs_20140328", Service::Logs),
];
/// Signing names, as they stand in a credential scope.
const SIGNING_NAMES: &[(&str, Service)] = &[
    ("monitoring", Service::CloudWatch),
    ("servicequotas", Service::ServiceQuotas),
    ("support", Service::Support),
    ("sns", Service::Sns),
    ("account", Service::Account),
    ("bedrock", Service::Bedrock),
    ("sts", Service::Sts),
    ("iam", Service::Iam),
    ("logs", Service::Logs),
];

/// How an answer to a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Smithy RPC v2 CBOR.
    Cbor,
    /// AWS JSON 1.0.
    Json10,
    /// AWS JSON 1.1.
    Json11,
    /// Form in, XML out.
    Query,
    /// REST JSON.
    Rest,
}

/// A request as it came.
#[derive(Debug)]
pub(super) struct Raw<'a> {
    pub(super) method: &'a str,
    /// As sent, percent escapes included.
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// A refusal before the call could be made, and how to write it.
#[derive(Debug, PartialEq)]
pub(super) struct Unreadable {
    pub(super) protocol: Protocol,
    pub(super) service: Service,
    pub(super) error: ApiError,
}

/// The call a request makes. Requests without a usable signature are made as `anyone`, in us-east-1.
pub(super) fn read(raw: &Raw<'_>, anyone: &AccountId) -> Result<(Protocol, Call), Unreadable> {
    let signer = signer(raw.headers);
    let signed_for = signer.as_ref().and_then(|signer| {
        let (_, service) = SIGNING_NAMES
            .iter()
            .find(|(name, _)| *name == signer.service)?;
        Some(*service)
    });
    let (protocol, service, operation, input) = members(raw, signed_for)?;
    let account = signer
        .as_ref()
        .and_then(|signer| account_of_key(signer.key))
        .unwrap_or_else(|| anyone.clone());
    let key = signer.as_ref().map_or("", |signer| signer.key);
    let by = principal_of_key(key, &account);
    let region = Region::new(signer.as_ref().map_or("us-east-1", |signer| signer.region));
    let call = Call {
        service,
        operation,
        account,
        by,
        region,
        signed_at: signed_at(raw.headers),
        input,
    };
    Ok((protocol, call))
}

/// Who signed, for what.
struct Signer<'a> {
    key: &'a str,
    region: &'a str,
    service: &'a str,
}

/// From `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
fn signer(headers: &HeaderMap) -> Option<Signer<'_>> {
    let text = headers.get("authorization")?.to_str().ok()?;
    let (_, scope) = text.split_once("Credential=")?;
    let mut parts = scope.split([',', ' ']).next()?.split('/');
    let key = parts.next()?;
    let _date = parts.next()?;
    Some(Signer {
        key,
        region: parts.next()?,
        service: parts.next()?,
    })
}

/// From `X-Amz-Date: 20261105T132900Z`.
fn signed_at(headers: &HeaderMap) -> Option<Timestamp> {
    let text = header(headers, "x-amz-date")?;
    let at = strtime::parse("%Y%m%dT%H%M%SZ", text).ok()?;
    let at = at.to_datetime().ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(at.timestamp())
}

type Members = (Protocol, Service, String, Value);

fn members(raw: &Raw<'_>, signed_for: Option<Service>) -> Result<Members, Unreadable> {
    let body =
        unpack::body(raw.body, header(raw.headers, "content-encoding")).map_err(|cause| {
            let status = cause.status();
            refuse(
                Protocol::Cbor,
                Service::CloudWatch,
                status,
                "SerializationException",
                cause.to_string(),
            )
        })?;
    if let Some(operation) = raw.path.strip_prefix(CBOR_PATH) {
        let input = cbor::decode(&body).map_err(|cause| {
            serialization(Protocol::Cbor, Service::CloudWatch, &cause.to_string())
        })?;
        return Ok((
            Protocol::Cbor,
            Service::CloudWatch,
            operation.to_owned(),
            input,
        ));
    }
    if let Some(target) = header(raw.headers, "x-amz-target") {
        return json_members(target, &body);
    }
    if header(raw.headers, "content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    {
        return form_members(&body, signed_for);
    }
    let Some(call) = rest::route(raw.method, raw.path, raw.query) else {
        let message = format!(
            "the simulator knows no operation at {} {}",
            raw.method, raw.path
        );
        return Err(refuse(
            Protocol::Rest,
            Service::Bedrock,
            404,
            "UnknownOperationException",
            message,
        ));
    };
    let mut input = call.members;
    input.extend(object(Protocol::Rest, call.service, &body)?);
    Ok((
        Protocol::Rest,
        call.service,
        call.operation.to_owned(),
        Value::Object(input),
    ))
}

fn json_members(target: &str, body: &[u8]) -> Result<Members, Unreadable> {
    let (prefix, operation) = target.split_once('.').unwrap_or((target, ""));
    let Some((_, service)) = TARGETS.iter().find(|(name, _)| *name == prefix) else {
        let message = format!("the simulator knows no target `{target}`");
        return Err(refuse(
            Protocol::Json11,
            Service::Support,
            400,
            "UnknownOperationException",
            message,
        ));
    };
    let protocol = if *service == Service::CloudWatch {
        Protocol::Json10
    } else {
        Protocol::Json11
    };
    let input = object(protocol, *service, body)?;
    Ok((
        protocol,
        *service,
        operation.to_owned(),
        Value::Object(input),
    ))
}

fn form_members(body: &[u8], signed_for: Option<Service>) -> Result<Members, Unreadable> {
    let form = query::pairs(&String::from_utf8_lossy(body));
    let value = |wanted: &str| {
        form.iter()
            .find(|(name, _)| name == wanted)
            .map_or("", |(_, value)| value.as_str())
    };
    let service = match (signed_for, value("Version")) {
        (Some(service @ (Service::Sns | Service::Sts | Service::Iam)), _) => service,
        (None, "2010-03-31") => Service::Sns,
        (None, "2011-06-15") => Service::Sts,
        (None, "2010-05-08") => Service::Iam,
        (Some(_) | None, version) => {
            let message = format!(
                "the simulator speaks the query protocol for SNS, STS and IAM alone, not for version `{version}`"
            );
            return Err(refuse(
                Protocol::Query,
                Service::Sts,
                400,
                "InvalidAction",
                message,
            ));
        }
    };
    let operation = value("Action").to_owned();
    Ok((Protocol::Query, service, operation, query::members(&form)))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn object(
    protocol: Protocol,
    service: Service,
    body: &[u8],
) -> Result<Map<String, Value>, Unreadable> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        // A null member is an absent one.
        Ok(Value::Object(members)) => Ok(members
            .into_iter()
            .filter(|(_, member)| !member.is_null())
            .collect()),
        Ok(_) => Err(serialization(
            protocol,
            service,
            "the body is not a JSON object",
        )),
        Err(cause) => Err(serialization(
            protocol,
            service,
            &format!("the body is not JSON: {cause}"),
        )),
    }
}

fn serialization(protocol: Protocol, service: Service, message: &str) -> Unreadable {
    refuse(
        protocol,
        service,
        400,
        "SerializationException",
        message.to_owned(),
    )
}

fn refuse(
    protocol: Protocol,
    service: Service,
    status: u16,
    code: &str,
    message: String,
) -> Unreadable {
    let error = ApiError {
        status,
        code: code.to_owned(),
        message,
        query_code: None,
        is_sender: true,
    };
    Unreadable {
        protocol,
        service,
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::io::Write as _;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn signed(key: &str, region: &str, service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential={key}/20261101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }

    fn post(path: &str, headers: &HeaderMap, body: &[u8]) -> Result<(Protocol, Call), Unreadable> {
        let raw = Raw {
            method: "POST",
            path,
            query: "",
            headers,
            body,
        };
        read(&raw, &AccountId::new("111122223333"))
    }

    #[test]
    fn the_caller_is_the_twelve_digits_of_the_key_or_anyone() {
        for (key, account) in [
            ("444455556666", "444455556666"),
            ("ASIA444455556666", "444455556666"),
            ("testing", "111122223333"),
            ("AKIAIOSFODNN7EXAMPLE", "111122223333"),
        ] {
            let headers = headers(&[
                ("authorization", &signed(key, "eu-west-1", "servicequotas")),
                ("x-amz-date", "20261105T132900Z"),
                ("x-amz-target", "ServiceQuotasV20190624.GetServiceQuota"),
            ]);
            let (protocol, call) =
                post("/", &headers, br#"{"QuotaCode":"L-1","No":null}"#).unwrap();
            assert_eq!(protocol, Protocol::Json11);
            assert_eq!(call.account, AccountId::new(account), "{key}");
            assert_eq!(call.region, Region::new("eu-west-1"));
            assert_eq!(call.signed_at, "2026-11-05T13:29:00Z".parse().ok());
            assert_eq!(call.operation, "GetServiceQuota");
            assert_eq!(call.input, json!({"QuotaCode": "L-1"}));
        }
    }

    #[test]
    fn cloudwatch_comes_as_cbor_packed_or_not_and_as_json() {
        let body = cbor::encode(&json!({"Namespace": "AWS/Bedrock"}));
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&body).unwrap();
        let packed = packer.finish().unwrap();
        let path = format!("{CBOR_PATH}ListMetrics");
        let zipped = headers(&[("content-encoding", "gzip")]);
        let target = headers(&[("x-amz-target", "GraniteServiceVersion20100801.ListMetrics")]);
        for (protocol, answer) in [
            (Protocol::Cbor, post(&path, &HeaderMap::new(), &body)),
            (Protocol::Cbor, post(&path, &zipped, &packed)),
            (
                Protocol::Json10,
                post("/", &target, br#"{"Namespace":"AWS/Bedrock"}"#),
            ),
        ] {
            let (spoken, call) = answer.unwrap();
            assert_eq!(spoken, protocol);
            assert_eq!(call.service, Service::CloudWatch);
            assert_eq!(call.operation, "ListMetrics");
            assert_eq!(call.input, json!({"Namespace": "AWS/Bedrock"}));
        }
        assert_eq!(post(&path, &zipped, b"x").unwrap_err().error.status, 400);
    }

    #[test]
    fn forms_go_to_the_signed_service_and_unsigned_ones_by_version() {
        let form = (
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
        );
        let unsigned = headers(&[form]);
        let (protocol, call) = post(
            "/",
            &unsigned,
            b"Action=GetCallerIdentity&Version=2011-06-15",
        )
        .unwrap();
        assert_eq!((protocol, call.service), (Protocol::Query, Service::Sts));
        let sns = headers(&[
            form,
            ("authorization", &signed("testing", "us-west-2", "sns")),
        ]);
        let (_, call) = post("/", &sns, b"Action=Publish&Version=2010-03-31&Message=a").unwrap();
        assert_eq!(call.service, Service::Sns);
        assert_eq!(call.input, json!({"Message": "a"}));
        let refused = post("/", &unsigned, b"Action=X&Version=1999-01-01").unwrap_err();
        assert_eq!(refused.error.code, "InvalidAction");
    }

    #[test]
    fn what_nobody_knows_is_refused_with_a_reason() {
        let unknown = headers(&[("x-amz-target", "DynamoDB_20120810.GetItem")]);
        let error = post("/", &unknown, b"{}").unwrap_err().error;
        assert!(error.message.contains("DynamoDB"));
        let broken = headers(&[("x-amz-target", "AWSSupport_20130415.CreateCase")]);
        assert_eq!(
            post("/", &broken, b"[").unwrap_err().error.code,
            "SerializationException"
        );
        assert_eq!(
            post("/nowhere", &HeaderMap::new(), b"")
                .unwrap_err()
                .error
                .status,
            404
        );
    }
}
