//! Messages to people: SNS and Slack. At least once, since a message too many is better than one too few.

use super::{DENIED_WAIT, failed};
use crate::{
    cloud::{Cloud, Fault},
    model::{
        action::Outcome,
        ids::{AccountId, ReceiverName, Region, Scope},
        policy::{Policy, Receiver},
    },
};

/// Most characters of an SNS subject; the API wants fewer than 100.
const MOST_SUBJECT: usize = 99;
/// Most bytes of an SNS message.
const MOST_SNS_BYTES: usize = 262_144;
/// Most characters of a Slack text, as Slack advises; 40,000 would be refused or cut.
const MOST_SLACK: usize = 4_000;
/// What stands at the end of a text that was cut.
const CUT: &str = "\n(cut)";
/// The subject where none is left.
const PLAIN_SUBJECT: &str = "Bedrock Ops Alert";

pub(super) async fn send(
    cloud: &dyn Cloud,
    policy: &Policy,
    receiver: &ReceiverName,
    subject: &str,
    body: &str,
) -> Outcome {
    let sent = match policy.receivers.get(receiver) {
        None => {
            let why = format!("receiver `{receiver}` is not in the configuration");
            return Outcome::Never { why };
        }
        Some(Receiver::Sns { topic_arn }) => {
            let Some(scope) = topic_scope(topic_arn) else {
                let why = format!(
                    "receiver `{receiver}`: `{topic_arn}` is not the ARN of a topic; \
                     it reads like `arn:aws:sns:us-east-1:111122223333:NAME`"
                );
                return Outcome::Never { why };
            };
            publish(cloud, &scope, topic_arn, subject, body).await
        }
        Some(Receiver::Slack { url }) => cloud
            .post(url, &slack_body(subject, body))
            .await
            .map(|()| format!("posted to {receiver}")), // a webhook gives no id
    };
    match sent {
        Ok(reference) => Outcome::Done { reference },
        Err(fault) => not_sent(receiver, &fault),
    }
}

/// No message is refused for good: a topic or a permission may come back, and people must hear.
fn not_sent(receiver: &ReceiverName, fault: &Fault) -> Outcome {
    match failed(&format!("the message to `{receiver}`"), fault) {
        Outcome::Never { why } => Outcome::NotYet {
            wait_minutes: DENIED_WAIT,
            why,
        },
        outcome @ (Outcome::Done { .. }
        | Outcome::Theirs { .. }
        | Outcome::NotYet { .. }
        | Outcome::InDoubt { .. }
        | Outcome::Absent
        | Outcome::CouldNotLook { .. }) => outcome,
    }
}

async fn publish(
    cloud: &dyn Cloud,
    scope: &Scope,
    topic_arn: &str,
    subject: &str,
    body: &str,
) -> Result<String, Fault> {
    let subject = sns_subject(subject);
    let message = match body.trim() {
        "" => subject.clone(), // an empty message is refused
        _ => cut_bytes(body, MOST_SNS_BYTES),
    };
    cloud.publish(scope, topic_arn, &subject, &message).await
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
fn sns_subject(subject: &str) -> String {
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

/// At most so many bytes, cut between characters, and said so.
fn cut_bytes(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut end = most.saturating_sub(CUT.len());
    while !text.is_char_boundary(end) {
        end -= 1; // 0 is a boundary
    }
    format!("{}{CUT}", text.get(..end).unwrap_or(""))
}

/// The text with what Slack reads as markup escaped; links in it are not opened up.
fn slack_body(subject: &str, body: &str) -> String {
    let text = slack_text(&format!("*{subject}*\n{body}"));
    serde_json::json!({ "text": text, "unfurl_links": false, "unfurl_media": false }).to_string()
}

/// Escaped first and cut then, never inside an entity.
fn slack_text(text: &str) -> String {
    let whole: usize = text.chars().map(|c| escaped(c).len()).sum();
    let room = if whole <= MOST_SLACK {
        MOST_SLACK
    } else {
        MOST_SLACK - CUT.len()
    };
    let mut out = String::new();
    let mut length = 0;
    for c in text.chars() {
        let piece = escaped(c);
        length += piece.len();
        if length > room {
            out.push_str(CUT);
            break;
        }
        piece.push_to(&mut out, c);
    }
    out
}

/// An entity, or the character itself.
struct Escaped(Option<&'static str>);

fn escaped(c: char) -> Escaped {
    Escaped(match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    })
}

impl Escaped {
    /// In characters: entities are ASCII.
    fn len(&self) -> usize {
        self.0.map_or(1, str::len)
    }

    fn push_to(&self, out: &mut String, c: char) {
        match self.0 {
            Some(entity) => out.push_str(entity),
            None => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_printable_line() {
        assert_eq!(
            sns_subject("Quota — 80 %\r\nBcc: x"),
            "Quota - 80 %  Bcc: x"
        );
        assert_eq!(sns_subject("größer"), "gr??er");
        assert_eq!(sns_subject(" \n "), PLAIN_SUBJECT);
        assert_eq!(sns_subject(&"x".repeat(200)).len(), MOST_SUBJECT);
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

    #[test]
    fn slack_markup_is_escaped_and_never_cut_inside_an_entity() {
        assert_eq!(slack_text("a < b & c > d"), "a &lt; b &amp; c &gt; d");
        let long = slack_text(&"<".repeat(3_000));
        assert!(long.len() <= MOST_SLACK, "{}", long.len());
        let entities = long.strip_suffix(CUT).unwrap();
        assert_eq!(entities.replace("&lt;", ""), "");
        let exact = "x".repeat(MOST_SLACK);
        assert_eq!(slack_text(&exact), exact);
    }

    #[test]
    fn bytes_are_cut_between_characters() {
        assert_eq!(cut_bytes("ä", 2), "ä");
        assert_eq!(cut_bytes("ääääää", 9), format!("ä{CUT}"));
    }
}
