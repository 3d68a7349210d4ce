//! The query protocol of SNS, STS and IAM: a form comes in, XML goes out.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::sim::{ApiError, Service};

/// Members that are numbers in the service models; a form knows only text.
const INTEGERS: &[&str] = &["DurationSeconds", "MaxItems"];
/// Members that are instants in the service models.
const INSTANTS: &[&str] = &["Expiration"];
/// Members that are maps in the service models; all other objects are structures.
const MAPS: &[&str] = &["Attributes"];

/// The pairs of a form or of a query string, decoded.
pub(super) fn pairs(form: &str) -> Vec<(String, String)> {
    form.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name, Plus::Space), decoded(value, Plus::Space))
        })
        .collect()
}

/// What a plus sign stands for: a space in a form, itself in a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Plus {
    Space,
    Itself,
}

/// Percent-decoded text; a broken escape stays as it is, bytes that are not UTF-8 become replacement characters.
pub(super) fn decoded(text: &str, plus: Plus) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' if plus == Plus::Space => out.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                match (ahead.next().and_then(hex), ahead.next().and_then(hex)) {
                    (Some(high), Some(low)) => {
                        out.push(high << 4 | low);
                        rest = ahead;
                    }
                    _ => out.push(byte),
                }
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// A form's members as one JSON object: `A.member.1` becomes a list, `A.entry.1.key` a map. `Action` and `Version`
/// are left out.
pub(super) fn members(form: &[(String, String)]) -> Value {
    let mut root = Map::new();
    for (name, value) in form {
        if name != "Action" && name != "Version" {
            let path: Vec<&str> = name.split('.').collect();
            put(&mut root, &path, value);
        }
    }
    folded(Value::Object(root))
}

fn put(object: &mut Map<String, Value>, path: &[&str], value: &str) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        let value = match value.parse::<i64>() {
            Ok(number) if INTEGERS.contains(first) => Value::from(number),
            _ => Value::from(value),
        };
        object.insert((*first).to_owned(), value);
        return;
    }
    let below = object
        .entry((*first).to_owned())
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(below) = below {
        put(below, rest, value);
    }
}

/// Turns `{"member": {"1": …}}` into lists and `{"entry": {"1": {"key", "value"}}}` into maps.
fn folded(value: Value) -> Value {
    let Value::Object(object) = value else {
        return value;
    };
    if object.len() == 1 {
        if let Some(Value::Object(items)) = object.get("member") {
            return Value::Array(numbered(items).into_iter().map(folded).collect());
        }
        if let Some(Value::Object(items)) = object.get("entry") {
            return Value::Object(numbered(items).into_iter().filter_map(entry).collect());
        }
    }
    Value::Object(
        object
            .into_iter()
            .map(|(name, member)| (name, folded(member)))
            .collect(),
    )
}

/// A map's entry; the name of its parts differs by shape.
fn entry(item: Value) -> Option<(String, Value)> {
    let Value::Object(mut item) = item else {
        return None;
    };
    let key = item.remove("key").or_else(|| item.remove("Name"))?;
    let value = item.remove("value").or_else(|| item.remove("Value"))?;
    Some((key.as_str()?.to_owned(), folded(value)))
}

fn numbered(items: &Map<String, Value>) -> Vec<Value> {
    let mut items: Vec<(u64, Value)> = items
        .iter()
        .filter_map(|(number, item)| Some((number.parse().ok()?, item.clone())))
        .collect();
    items.sort_by_key(|(number, _)| *number);
    items.into_iter().map(|(_, item)| item).collect()
}

fn namespace(service: Service) -> &'static str {
    match service {
        Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
        Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
        Service::Sns
        | Service::CloudWatch
        | Service::ServiceQuotas
        | Service::Support
        | Service::Account
        | Service::Bedrock
        | Service::Logs => "http://sns.amazonaws.com/doc/2010-03-31/",
    }
}

/// An answer as XML.
pub(super) fn answer(service: Service, operation: &str, value: &Value, request: &str) -> String {
    let mut out = format!(
        "<{operation}Response xmlns=\"{}\"><{operation}Result>",
        namespace(service)
    );
    element(&mut out, value, "");
    let _infallible = write!(
        out,
        "</{operation}Result><ResponseMetadata><RequestId>{request}</RequestId></ResponseMetadata></{operation}Response>"
    );
    out
}

/// A refusal as XML.
pub(super) fn refusal(service: Service, error: &ApiError, request: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"{}\"><Error><Type>{}</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{request}</RequestId></ErrorResponse>",
        namespace(service),
        if error.is_sender {
            "Sender"
        } else {
            "Receiver"
        },
        escaped(error.query_code.as_deref().unwrap_or(&error.code)),
        escaped(&error.message),
    )
}

fn element(out: &mut String, value: &Value, member: &str) {
    match value {
        Value::Null => {}
        Value::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Value::Number(number) if INSTANTS.contains(&member) => {
            out.push_str(&super::answer::rfc3339(number));
        }
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => out.push_str(&escaped(text)),
        Value::Array(items) => {
            for item in items {
                out.push_str("<member>");
                element(out, item, member);
                out.push_str("</member>");
            }
        }
        Value::Object(members) if MAPS.contains(&member) => {
            for (key, value) in members {
                out.push_str("<entry><key>");
                out.push_str(&escaped(key));
                out.push_str("</key><value>");
                element(out, value, key);
                out.push_str("</value></entry>");
            }
        }
        Value::Object(members) => {
            for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
                out.push('<');
                out.push_str(name);
                out.push('>');
                element(out, value, name);
                out.push_str("</");
                out.push_str(name);
                out.push('>');
            }
        }
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"), // a parser would make it a line feed
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_form_becomes_members() {
        let form = pairs(
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam&DurationSeconds=900&Note=a+b%2Bc%25%zz\
             &Keys.member.2=b&Keys.member.1=a&Tags.member.1.Key=k&Tags.member.1.Value=v\
             &MessageAttributes.entry.1.Name=n&MessageAttributes.entry.1.Value.DataType=String",
        );
        assert_eq!(
            members(&form),
            json!({"RoleArn": "arn:aws:iam", "DurationSeconds": 900, "Note": "a b+c%%zz", "Keys": ["a", "b"],
                "Tags": [{"Key": "k", "Value": "v"}], "MessageAttributes": {"n": {"DataType": "String"}}})
        );
        assert_eq!(decoded("a+b%2F", Plus::Itself), "a+b/");
    }

    #[test]
    fn answers_and_refusals_are_xml() {
        let value = json!({"Credentials": {"Expiration": 60, "AccessKeyId": "<&\">"}, "Topics": [{"TopicArn": "t"}],
            "Attributes": {"Owner": "1"}, "Absent": null});
        insta::assert_snapshot!(answer(Service::Sts, "Op", &value, "r-1"), @r#"<OpResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><OpResult><Attributes><entry><key>Owner</key><value>1</value></entry></Attributes><Credentials><AccessKeyId>&lt;&amp;&quot;&gt;</AccessKeyId><Expiration>1970-01-01T00:01:00Z</Expiration></Credentials><Topics><member><TopicArn>t</TopicArn></member></Topics></OpResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></OpResponse>"#);
        let error = ApiError {
            status: 404,
            code: "NotFoundException".into(),
            message: "no <topic>".into(),
            query_code: Some("NotFound".into()),
            is_sender: true,
        };
        insta::assert_snapshot!(refusal(Service::Sns, &error, "r-1"), @r#"<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>NotFound</Code><Message>no &lt;topic&gt;</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"#);
    }
}
