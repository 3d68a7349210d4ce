//! Smithy RPC v2 CBOR: requests into JSON values, JSON values into answers.
//!
//! The encoder is our own: the general one shortens floats to half precision, which the SDK's decoder refuses, and
//! knows nothing of tag 1. What is a timestamp or a double is told by the member's name, since the answers carry
//! none but CloudWatch's.

use ciborium::Value as Cbor;
use serde_json::{Map, Number, Value};

/// Members whose numbers are instants: tag 1 on the wire.
const TIMESTAMPS: &[&str] = &["Timestamp", "Timestamps", "StartTime", "EndTime"];
/// Members whose numbers are doubles: the SDK refuses an integer there.
const DOUBLES: &[&str] = &[
    "Average",
    "Counts",
    "ExtendedStatistics",
    "Maximum",
    "Minimum",
    "SampleCount",
    "Sum",
    "Value",
    "Values",
];

/// How numbers below a member are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbers {
    Plain,
    Instants,
    Doubles,
}

impl Numbers {
    fn below(member: &str) -> Self {
        if TIMESTAMPS.contains(&member) {
            Self::Instants
        } else if DOUBLES.contains(&member) {
            Self::Doubles
        } else {
            Self::Plain
        }
    }
}

/// Why a request's CBOR is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum CborError {
    #[error("the body is not CBOR: {0}")]
    Syntax(String),
    #[error("the body holds {0}, which no CloudWatch member is made of")]
    Kind(&'static str),
    #[error("the body holds a number that is not finite or too large")]
    Number,
}

/// A request body as JSON; timestamps become epoch seconds, absent members stay absent.
pub(super) fn decode(body: &[u8]) -> Result<Value, CborError> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let value: Cbor =
        ciborium::from_reader(body).map_err(|cause| CborError::Syntax(cause.to_string()))?;
    to_json(value)
}

fn to_json(value: Cbor) -> Result<Value, CborError> {
    match value {
        Cbor::Integer(n) => i64::try_from(n)
            .map(Value::from)
            .map_err(|_cause| CborError::Number),
        Cbor::Float(n) => Number::from_f64(n)
            .map(Value::Number)
            .ok_or(CborError::Number),
        Cbor::Text(text) => Ok(Value::String(text)),
        Cbor::Bool(yes) => Ok(Value::Bool(yes)),
        Cbor::Null => Ok(Value::Null),
        Cbor::Tag(1, inner) => to_json(*inner),
        Cbor::Tag(..) => Err(CborError::Kind("a tag other than 1")),
        Cbor::Array(items) => items
            .into_iter()
            .map(to_json)
            .collect::<Result<_, _>>()
            .map(Value::Array),
        Cbor::Map(members) => {
            let mut object = Map::new();
            for (name, member) in members {
                let Cbor::Text(name) = name else {
                    return Err(CborError::Kind("a member whose name is not text"));
                };
                // A null member is an absent one.
                if member != Cbor::Null {
                    object.insert(name, to_json(member)?);
                }
            }
            Ok(Value::Object(object))
        }
        Cbor::Bytes(_) => Err(CborError::Kind("bytes")),
        _ => Err(CborError::Kind("an unknown kind of value")), // the enum is open
    }
}

/// An answer as CBOR.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_024);
    write(&mut out, value, Numbers::Plain);
    out
}

fn write(out: &mut Vec<u8>, value: &Value, numbers: Numbers) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(false) => out.push(0xf4),
        Value::Bool(true) => out.push(0xf5),
        Value::Number(number) => write_number(out, number, numbers),
        Value::String(text) => write_text(out, text),
        Value::Array(items) => {
            head(out, 4, items.len() as u64);
            for item in items {
                write(out, item, numbers);
            }
        }
        Value::Object(members) => {
            let present = || members.iter().filter(|(_, member)| !member.is_null());
            head(out, 5, present().count() as u64);
            for (name, member) in present() {
                write_text(out, name);
                // A map such as ExtendedStatistics hands its kind down to whatever its keys are called.
                let below = match Numbers::below(name) {
                    Numbers::Plain => numbers,
                    named @ (Numbers::Instants | Numbers::Doubles) => named,
                };
                write(out, member, below);
            }
        }
    }
}

fn write_number(out: &mut Vec<u8>, number: &Number, numbers: Numbers) {
    if numbers == Numbers::Instants {
        out.push(0xc1); // tag 1: seconds since 1970
    }
    let whole = if numbers == Numbers::Doubles {
        None
    } else {
        number.as_i64()
    };
    match (whole, number.as_f64()) {
        (Some(n), _) if n < 0 => head(out, 1, n.unsigned_abs() - 1),
        (Some(n), _) => head(out, 0, n.unsigned_abs()),
        (None, Some(float)) => {
            out.push(0xfb);
            out.extend_from_slice(&float.to_be_bytes());
        }
        (None, None) => out.push(0xf6), // no JSON number without arbitrary precision comes here
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    head(out, 3, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Major type and length or value, in the shortest form.
fn head(out: &mut Vec<u8>, major: u8, n: u64) {
    let major = major << 5;
    if let Ok(n) = u8::try_from(n) {
        if n < 24 {
            out.push(major | n);
        } else {
            out.extend_from_slice(&[major | 24, n]);
        }
    } else if let Ok(n) = u16::try_from(n) {
        out.push(major | 25);
        out.extend_from_slice(&n.to_be_bytes());
    } else if let Ok(n) = u32::try_from(n) {
        out.push(major | 26);
        out.extend_from_slice(&n.to_be_bytes());
    } else {
        out.push(major | 27);
        out.extend_from_slice(&n.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parsed(value: &Value) -> Cbor {
        ciborium::from_reader(encode(value).as_slice()).unwrap()
    }

    #[test]
    fn instants_are_tagged_and_doubles_stay_floats() {
        let encoded = encode(&json!({"Timestamps": [60], "Values": [5]}));
        let mut want = vec![0xa2, 0x6a];
        want.extend_from_slice(b"Timestamps");
        want.extend_from_slice(&[0x81, 0xc1, 0x18, 60, 0x66]);
        want.extend_from_slice(b"Values");
        want.extend_from_slice(&[0x81, 0xfb]);
        want.extend_from_slice(&5.0_f64.to_be_bytes());
        assert_eq!(encoded, want);
        let inner = parsed(&json!({"ExtendedStatistics": {"p90": 3}}));
        let map = inner.as_map().unwrap()[0].1.as_map().unwrap();
        assert_eq!(map[0].1, Cbor::Float(3.0));
    }

    #[test]
    fn what_is_encoded_reads_back() {
        for value in [
            json!({"a": -1, "b": [i64::MIN, i64::MAX, 23, 24, 255, 256, 65_536, 4_294_967_296_i64]}),
            json!({"text": "x".repeat(70_000), "yes": true, "no": false, "f": 0.1}),
        ] {
            assert_eq!(decode(&encode(&value)).unwrap(), value);
        }
        assert_eq!(
            parsed(&json!({"gone": null, "here": 1})),
            parsed(&json!({"here": 1}))
        );
    }

    #[test]
    fn a_request_loses_its_tags_and_bad_ones_are_named() {
        let mut bytes = Vec::new();
        let tagged = Cbor::Tag(1, Box::new(Cbor::Float(1.5)));
        let request = Cbor::Map(vec![
            (Cbor::Text("StartTime".into()), tagged),
            (Cbor::Text("NextToken".into()), Cbor::Null),
        ]);
        ciborium::into_writer(&request, &mut bytes).unwrap();
        assert_eq!(decode(&bytes).unwrap(), json!({"StartTime": 1.5}));
        assert_eq!(decode(b"").unwrap(), json!({}));
        assert!(
            decode(&[0xa1])
                .unwrap_err()
                .to_string()
                .contains("not CBOR")
        );
        assert!(
            decode(&[0x41, 0])
                .unwrap_err()
                .to_string()
                .contains("bytes")
        );
    }
}
