//! SNS as JSON.

use serde_json::{Value, json};

use super::{Input, unknown};
use crate::{
    model::ids::Scope,
    sim::{ApiError, kernel::Kernel},
};

pub(super) fn handle(
    kernel: &mut Kernel,
    scope: &Scope,
    operation: &str,
    input: Input<'_>,
) -> Result<Value, ApiError> {
    match operation {
        "Publish" => {
            let topic = input.text("TopicArn")?.or(input.text("TargetArn")?);
            let Some(topic) = topic else {
                return Err(ApiError::client(
                    "InvalidParameter",
                    "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter",
                ));
            };
            let message = input.text("Message")?.unwrap_or_default();
            let attributes = input.0.get("MessageAttributes").and_then(Value::as_object);
            let attributes = attributes.cloned().unwrap_or_default();
            let subject = input.text("Subject")?;
            let id = kernel.publish(scope, topic, subject, message, attributes)?;
            Ok(json!({ "MessageId": id }))
        }
        "ListTopics" => {
            let account = kernel.world.account(&scope.account);
            let topics = account.into_iter().flat_map(|account| &account.topics);
            let here = topics.filter(|(region, _)| *region == scope.region);
            let topics: Vec<Value> = here
                .map(|(region, name)| json!({ "TopicArn": format!("arn:aws:sns:{region}:{}:{name}", scope.account) }))
                .collect();
            Ok(json!({ "Topics": topics }))
        }
        other => Err(unknown(other)),
    }
}
