//! Answers and refusals in the protocol the request came by.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use serde_json::{Number, Value, json};

use super::{cbor, query, request::Protocol};
use crate::{
    model::time::Timestamp,
    sim::{ApiError, Service},
};

/// Members of Bedrock's answers that are instants; REST JSON writes them as text.
const REST_INSTANTS: &[&str] = &[
    "createdAt",
    "updatedAt",
    "endOfLifeTime",
    "legacyTime",
    "publicExtendedAccessTime",
    "startOfLifeTime",
];

/// What an answer belongs to.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) protocol: Protocol,
    pub(super) service: Service,
    pub(super) operation: String,
    /// Unique in the life of the server.
    pub(super) request_id: String,
}

/// The HTTP answer.
pub(super) fn answer(context: &Context, outcome: Result<Value, ApiError>) -> Response<Body> {
    match outcome {
        Ok(value) => success(context, value),
        Err(error) => refusal(context, &error),
    }
}

fn success(context: &Context, value: Value) -> Response<Body> {
    // An operation without output answers with an empty structure.
    let value = if value.is_null() { json!({}) } else { value };
    let body = match context.protocol {
        Protocol::Cbor => cbor::encode(&value),
        Protocol::Json10 | Protocol::Json11 => value.to_string().into_bytes(),
        Protocol::Rest => with_text_instants(value).to_string().into_bytes(),
        Protocol::Query => query::answer(
            context.service,
            &context.operation,
            &value,
            &context.request_id,
        )
        .into_bytes(),
    };
    response(context, 200, body)
}

fn refusal(context: &Context, error: &ApiError) -> Response<Body> {
    let body = match context.protocol {
        Protocol::Cbor => {
            let shape = format!("com.amazonaws.cloudwatch#{}", error.code);
            cbor::encode(&json!({"__type": shape, "message": error.message}))
        }
        Protocol::Json10 | Protocol::Json11 | Protocol::Rest => {
            json!({"__type": error.code, "message": error.message})
                .to_string()
                .into_bytes()
        }
        Protocol::Query => query::refusal(context.service, error, &context.request_id).into_bytes(),
    };
    let mut response = response(context, error.status, body);
    let headers = response.headers_mut();
    if context.protocol != Protocol::Query {
        put(headers, "x-amzn-errortype", &error.code);
    }
    if context.service == Service::CloudWatch {
        // CloudWatch moved away from the query protocol and still tells the old codes.
        let code = error.query_code.as_deref().unwrap_or(&error.code);
        let fault = if error.is_sender {
            "Sender"
        } else {
            "Receiver"
        };
        put(headers, "x-amzn-query-error", &format!("{code};{fault}"));
    }
    response
}

fn response(context: &Context, status: u16, body: Vec<u8>) -> Response<Body> {
    let kind = match context.protocol {
        Protocol::Cbor => "application/cbor",
        Protocol::Json10 => "application/x-amz-json-1.0",
        Protocol::Json11 => "application/x-amz-json-1.1",
        Protocol::Rest => "application/json",
        Protocol::Query => "text/xml",
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    put(headers, "x-amzn-requestid", &context.request_id);
    if context.protocol == Protocol::Cbor {
        put(headers, "smithy-protocol", "rpc-v2-cbor");
    }
    response
}

/// Adds a header; text that no header can carry is left out.
fn put(headers: &mut axum::http::HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

fn with_text_instants(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, member)| match member {
                    Value::Number(seconds) if REST_INSTANTS.contains(&name.as_str()) => {
                        (name, Value::String(rfc3339(&seconds)))
                    }
                    Value::Number(_)
                    | Value::Null
                    | Value::Bool(_)
                    | Value::String(_)
                    | Value::Array(_)
                    | Value::Object(_) => (name, with_text_instants(member)),
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(with_text_instants).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// Epoch seconds as RFC 3339 in UTC; what is no representable instant stays a number.
pub(super) fn rfc3339(seconds: &Number) -> String {
    let instant = seconds.as_i64().map_or_else(
        || {
            let float = seconds.as_f64()?;
            let span = jiff::SignedDuration::try_from_secs_f64(float).ok()?;
            Timestamp::from_duration(span).ok()
        },
        |whole| Timestamp::from_second(whole).ok(),
    );
    instant.map_or_else(|| seconds.to_string(), |instant| instant.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(protocol: Protocol, service: Service) -> Context {
        Context {
            protocol,
            service,
            operation: "Op".into(),
            request_id: "r-1".into(),
        }
    }

    #[test]
    fn a_cloudwatch_refusal_tells_both_codes() {
        let error = ApiError {
            status: 400,
            code: "InvalidParameterValueException".into(),
            message: "line\nbreak".into(),
            query_code: Some("InvalidParameterValue".into()),
            is_sender: true,
        };
        let cbor = answer(
            &context(Protocol::Cbor, Service::CloudWatch),
            Err(error.clone()),
        );
        assert_eq!(cbor.status(), 400);
        assert_eq!(
            cbor.headers()["x-amzn-query-error"],
            "InvalidParameterValue;Sender"
        );
        assert_eq!(cbor.headers()["smithy-protocol"], "rpc-v2-cbor");
        let json = answer(&context(Protocol::Json11, Service::Support), Err(error));
        assert_eq!(
            json.headers()["x-amzn-errortype"],
            "InvalidParameterValueException"
        );
        assert!(!json.headers().contains_key("x-amzn-query-error"));
    }

    #[test]
    fn rest_writes_instants_as_text() {
        let value =
            json!({"inferenceProfileSummaries": [{"createdAt": 60, "updatedAt": 60.5, "n": 60}]});
        assert_eq!(
            with_text_instants(value),
            json!({"inferenceProfileSummaries": [{"createdAt": "1970-01-01T00:01:00Z",
                "updatedAt": "1970-01-01T00:01:00.5Z", "n": 60}]})
        );
    }
}
