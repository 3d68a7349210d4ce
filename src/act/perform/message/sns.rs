//! SNS: a text, or a document, with attributes that subscriptions can filter by.

mod amazon_q;
mod attributes;

use super::{
    Letter,
    answer::Said,
    text::{self, cut_bytes},
    webhook,
};
use crate::{
    cloud::{Cloud, Publication},
    model::{
        ids::{AccountId, Region, Scope},
        outcome::Outcome,
        receiver::TopicFormat,
    },
};

/// Most characters of a subject; the API wants fewer than 100.
const MOST_SUBJECT: usize = 99;
/// Most bytes of a message, its attributes included: their names and types have some hundreds.
const MOST_BYTES: usize = 262_144 - attributes::MOST_BYTES - 1_024;
/// The subject where none is left.
const PLAIN_SUBJECT: &str = "Bedrock Ops Alert";

pub(super) async fn send(
    cloud: &dyn Cloud,
    topic_arn: &str,
    format: TopicFormat,
    letter: &Letter<'_>,
) -> Outcome {
    let receiver = letter.receiver;
    let Some(scope) = topic_scope(topic_arn) else {
        let why = format!(
            "receiver `{receiver}`: `{topic_arn}` is not the ARN of a topic; \
             it reads like `arn:aws:sns:us-east-1:111122223333:NAME`"
        );
        return Outcome::Never { why };
    };
    let publication = publication(format, letter);
    match cloud.publish(&scope, topic_arn, &publication).await {
        Ok(reference) => Outcome::Done { reference },
        // A topic or a permission may come back, and people must hear: what is refused is tried again.
        Err(fault) => Said::None(fault).outcome(receiver, &[]),
    }
}

pub(super) fn publication(format: TopicFormat, letter: &Letter<'_>) -> Publication {
    let attributes = attributes::of(letter);
    let subject = subject(letter.subject);
    let message = match format {
        TopicFormat::Text => body(letter),
        TopicFormat::Json => document(letter),
        TopicFormat::AmazonQ => amazon_q::notification(letter).to_string(),
    };
    let message = if message.trim().is_empty() {
        subject.clone() // an empty message is refused
    } else {
        message
    };
    Publication {
        subject,
        message,
        attributes,
    }
}

/// What a webhook gets. Its limits are in characters, which may have four bytes each: then the text in it is shorter.
fn document(letter: &Letter<'_>) -> String {
    let mut most = letter.body.len();
    loop {
        let body = cut_bytes(letter.body, most);
        let document = webhook::message(&Letter {
            body: &body,
            ..*letter
        });
        let written = document.to_string();
        if written.len() <= MOST_BYTES || most == 0 {
            return written;
        }
        most /= 2;
    }
}

/// The text, and where to look below it; whoever has words of their own has the links in them.
fn body(letter: &Letter<'_>) -> String {
    let links = if letter.has_own_text {
        Vec::new()
    } else {
        letter.links()
    };
    let lines = links.iter().map(|it| format!("\n{}: {}", it.text, it.url));
    let mut foot: String = lines.collect();
    if !foot.is_empty() {
        foot.insert(0, '\n');
    }
    // A character has four bytes at most, so that nothing short is cut here.
    let room = MOST_BYTES.saturating_sub(foot.len());
    let text = cut_bytes(&text::clean(letter.body, room), room);
    format!("{text}{foot}")
}

/// Account and Region of `arn:PARTITION:sns:REGION:ACCOUNT:NAME`: they decide which client publishes.
fn topic_scope(arn: &str) -> Option<Scope> {
    let mut parts = arn.split(':');
    let is_topic = parts.next() == Some("arn")
        && parts
            .next()
            .is_some_and(|partition| partition.starts_with("aws"))
        && parts.next() == Some("sns");
    let region = parts.next().filter(|region| !region.is_empty())?;
    let account = parts.next()?;
    let name = parts.next().filter(|name| !name.is_empty());
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (is_topic && is_account && name.is_some() && parts.next().is_none()).then(|| Scope {
        account: AccountId::new(account),
        region: Region::new(region),
    })
}

/// Printable ASCII in one line, 1 to 99 characters.
fn subject(subject: &str) -> String {
    let ascii: String = subject
        .chars()
        .map(|c| match c {
            ' '..='~' => c,
            '–' | '—' => '-',
            c if c.is_whitespace() => ' ',
            _ => '?',
        })
        .collect();
    let kept: String = ascii.trim().chars().take(MOST_SUBJECT).collect();
    match kept.trim_end() {
        "" => PLAIN_SUBJECT.to_owned(),
        kept => kept.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_printable_line() {
        assert_eq!(subject("Quota — 80 %\r\nBcc: x"), "Quota - 80 %  Bcc: x");
        assert_eq!(subject("größer"), "gr??er");
        assert_eq!(subject(" \n "), PLAIN_SUBJECT);
        assert_eq!(subject(&"x".repeat(200)).len(), MOST_SUBJECT);
    }

    #[test]
    fn a_topic_names_its_account_and_region() {
        let scope = topic_scope("arn:aws-cn:sns:cn-north-1:111122223333:ops").unwrap();
        assert_eq!(scope.to_string(), "111122223333/cn-north-1");
        for bad in [
            "ops",
            "arn:aws:sqs:us-east-1:111122223333:ops",
            "arn:aws:sns::111122223333:ops",
            "arn:aws:sns:us-east-1:1111:ops",
            "arn:aws:sns:us-east-1:111122223333:",
            "arn:aws:sns:us-east-1:111122223333:ops:subscription",
        ] {
            assert_eq!(topic_scope(bad), None, "{bad}");
        }
    }
}
