//! SNS: publishing to the world's topics, with the checks of the real one.

use serde_json::{Map, Value};

use super::{
    ApiError, hash,
    kernel::{Kernel, Published},
};
use crate::model::ids::{AccountId, Region, Scope};

/// Bytes of a message at most.
const MESSAGE: usize = 262_144;
/// A subject has fewer characters than this.
const SUBJECT: usize = 100;

impl Kernel {
    /// Takes a message; returns its id.
    pub(crate) fn publish(
        &mut self,
        scope: &Scope,
        topic_arn: &str,
        subject: Option<&str>,
        message: &str,
        attributes: Map<String, Value>,
    ) -> Result<String, ApiError> {
        let topic = self.topic(scope, topic_arn)?;
        let refuse = |reason: &str| {
            Err(ApiError::client(
                "InvalidParameter",
                &format!("Invalid parameter: {reason}"),
            ))
        };
        if message.is_empty() {
            return refuse("Empty message");
        }
        let beside: usize = attributes.iter().map(size).sum();
        if message.len() + beside > MESSAGE {
            return refuse("Message too long");
        }
        for (name, attribute) in &attributes {
            if let Err(why) = check(name, attribute) {
                return Err(ApiError::client("ParameterValueInvalid", &why));
            }
        }
        if let Some(subject) = subject {
            let is_good = subject.chars().all(|c| c == ' ' || c.is_ascii_graphic())
                && subject.starts_with(|c: char| c.is_ascii_graphic())
                && subject.len() < SUBJECT;
            if !is_good {
                return refuse("Subject");
            }
        }
        let number = u64::try_from(self.published.len()).unwrap_or(u64::MAX);
        self.published.push(Published {
            account: topic,
            topic_arn: topic_arn.to_owned(),
            subject: subject.map(ToOwned::to_owned),
            message: message.to_owned(),
            attributes,
            at: self.now,
        });
        Ok(uuid(
            hash::mix(&[self.seed, 0x535E, number]),
            hash::mix(&[self.seed, 0x535F, number]),
        ))
    }

    /// The account of an existing topic of the caller's Region.
    fn topic(&self, scope: &Scope, arn: &str) -> Result<AccountId, ApiError> {
        let fields: Vec<&str> = arn.split(':').collect();
        let [_, _, "sns", region, account, name] = fields.as_slice() else {
            return Err(ApiError::client(
                "InvalidParameter",
                "Invalid parameter: TopicArn",
            ));
        };
        if *region != scope.region.as_str() {
            return Err(ApiError::client(
                "InvalidParameter",
                "Invalid parameter: TopicArn",
            ));
        }
        let known = self
            .world
            .account(&AccountId::new(*account))
            .filter(|known| {
                known
                    .topics
                    .contains(&(Region::new(*region), (*name).to_owned()))
            });
        known.map(|known| known.id.clone()).ok_or_else(|| ApiError {
            status: 404,
            ..ApiError::client("NotFound", "Topic does not exist")
        })
    }
}

/// What an attribute takes of a message's room: its name, its type and its value.
fn size((name, attribute): (&String, &Value)) -> usize {
    let parts = attribute.as_object().into_iter().flatten();
    let parts = parts.filter_map(|(_, part)| part.as_str());
    name.len() + parts.map(str::len).sum::<usize>()
}

/// As the developer guide has it, "Amazon SNS message attributes".
fn check(name: &str, attribute: &Value) -> Result<(), String> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let lower = name.to_ascii_lowercase();
    let is_name = (1..=256).contains(&name.len())
        && name.chars().all(is_fine)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && !lower.starts_with("aws.")
        && !lower.starts_with("amazon.");
    if !is_name {
        return Err(format!("The message attribute name '{name}' is invalid."));
    }
    let part = |key: &str| attribute.get(key).and_then(Value::as_str);
    let kind = part("DataType").unwrap_or_default();
    let value = if kind == "Binary" {
        part("BinaryValue")
    } else {
        part("StringValue")
    };
    let Some(value) = value.filter(|it| !it.is_empty()) else {
        return Err(format!(
            "The message attribute '{name}' must contain non-empty message attribute value."
        ));
    };
    let is_value = match kind {
        "String" | "Binary" => true,
        "Number" => value.parse::<f64>().is_ok_and(f64::is_finite),
        "String.Array" => serde_json::from_str::<Vec<Value>>(value).is_ok(),
        _ => {
            return Err(format!(
                "The message attribute '{name}' has an invalid message attribute type, the set of supported type \
                 prefixes is Binary, Number, and String."
            ));
        }
    };
    if is_value {
        return Ok(());
    }
    Err(format!(
        "Could not cast message attribute '{name}' value to {kind}."
    ))
}

/// A number in the shape of a UUID.
pub(crate) fn uuid(high: u64, low: u64) -> String {
    let hex = format!("{high:016x}{low:016x}");
    let part = |from: usize, until: usize| hex.get(from..until).unwrap_or_default().to_owned();
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}
