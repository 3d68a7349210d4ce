//! SNS: publishing to a topic.

use aws_sdk_sns::{error::BuildError, types::MessageAttributeValue};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::{
    actions,
    call::send,
    clients::Clients,
    fault::{fault, need},
};
use crate::{
    cloud::{Attribute, Fault, FaultClass, Publication},
    model::ids::Region,
};

const OPERATION: &str = actions::PUBLISH;
/// The one group of all our messages to a first-in-first-out topic: they arrive in order.
const FIFO_GROUP: &str = "bedrock-ops-alert";

impl Clients {
    pub(super) async fn publish(
        &self,
        topic_arn: &str,
        publication: &Publication,
    ) -> Result<String, Fault> {
        let Publication {
            subject,
            message,
            attributes,
        } = publication;
        // An empty subject is refused as invalid; none at all is fine.
        let subject = Some(subject).filter(|text| !text.is_empty()).cloned();
        let mut request = self
            .sns_once
            .publish()
            .topic_arn(topic_arn)
            .set_subject(subject)
            .message(message);
        for (name, attribute) in attributes {
            request = request.message_attributes(*name, value(attribute)?);
        }
        if topic_arn.ends_with(".fifo") {
            // Such a topic refuses messages without a group. The same text within five minutes is delivered once.
            let digest = Sha256::digest(format!("{topic_arn}\n{message}").as_bytes());
            request = request
                .message_group_id(FIFO_GROUP)
                .message_deduplication_id(HEXLOWER.encode(&digest));
        }
        let answer = send!(self.meter, once, OPERATION, request)?;
        need(OPERATION, "MessageId", answer.message_id)
    }
}

/// Several texts are a JSON array in one.
fn value(attribute: &Attribute) -> Result<MessageAttributeValue, Fault> {
    let (kind, text) = match attribute {
        Attribute::Text(text) => ("String", text.clone()),
        Attribute::Texts(texts) => ("String.Array", serde_json::json!(texts).to_string()),
    };
    let value = MessageAttributeValue::builder()
        .data_type(kind)
        .string_value(text);
    let unbuilt = |error: BuildError| {
        let message = error.to_string();
        fault(OPERATION, "NoAttribute", &message, FaultClass::Invalid)
    };
    value.build().map_err(unbuilt)
}

/// The Region of a topic: SNS refuses clients of any other.
pub(super) fn region_of(topic_arn: &str) -> Result<Region, Fault> {
    let parts: Vec<&str> = topic_arn.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "sns", region, account, name]
            if !region.is_empty() && !account.is_empty() && !name.is_empty() =>
        {
            Ok(Region::new(*region))
        }
        _ => Err(fault(
            OPERATION,
            "NoTopic",
            &format!(
                "`{topic_arn}` is not the ARN of a topic; it reads like arn:aws:sns:REGION:ACCOUNT:NAME"
            ),
            FaultClass::Invalid,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topic_says_where_it_is() {
        let region = region_of("arn:aws-us-gov:sns:us-gov-west-1:111122223333:alerts").unwrap();
        assert_eq!(region.as_str(), "us-gov-west-1");
        for bad in [
            "alerts",
            "arn:aws:sqs:us-east-1:111122223333:q",
            "arn:aws:sns::111122223333:t",
            "arn:aws:sns:us-east-1:111122223333:t:subscription",
        ] {
            assert_eq!(
                region_of(bad).unwrap_err().class,
                FaultClass::Invalid,
                "{bad}"
            );
        }
    }
}
