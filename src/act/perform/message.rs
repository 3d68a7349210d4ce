//! Messages to people, one file a kind of receiver. At least once, since a message too many is better than one too few;
//! and once, where the receiver can tell a repetition.

mod alertmanager;
mod answer;
mod pagerduty;
mod shown;
pub mod slack;
mod text;
mod together;
mod webhook;

use std::collections::BTreeSet;

pub use together::together;

use answer::Said;
use slack::{Bot, Offer};
use text::cut_bytes;

use crate::{
    cloud::{Cloud, Fault},
    model::{
        action::{Effect, Intent, IntentState},
        ids::{AccountId, ReceiverName, Region, Scope},
        incident::Cause,
        outcome::Outcome,
        policy::{Policy, Receiver, Template},
        receiver::{Form, Notice},
        rule::Severity,
        time::Timestamp,
    },
    template,
};

/// Most characters of an SNS subject; the API wants fewer than 100.
const MOST_SUBJECT: usize = 99;
/// Most bytes of an SNS message.
const MOST_SNS_BYTES: usize = 262_144;
/// Most characters of a quota's code; AWS's have ten.
const MOST_CODE: usize = 128;
/// The subject where none is left.
const PLAIN_SUBJECT: &str = "Bedrock Ops Alert";

/// A message on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letter<'a> {
    intent: &'a Intent,
    receiver: &'a ReceiverName,
    severity: Severity,
    subject: &'a str,
    body: &'a str,
    notice: Option<&'a Notice>,
    /// What the receiver called the last message of this incident that it took.
    earlier: Option<&'a str>,
    /// What may be decided below it, where the receiver has buttons.
    offer: Option<&'a Offer>,
    /// The JSON body of a webhook, where people have one of their own.
    document: Option<&'a str>,
    /// The text is of people's own, links included.
    has_own_text: bool,
}

/// What a template makes of a message.
struct Words {
    text: String,
    document: Option<String>,
    /// The text is what the template made.
    is_own: bool,
}

/// A template that fails, though it was tried before, loses no message: our own words go out, and say so.
fn words(template: &Template, letter: &Letter<'_>) -> Words {
    let rendered = template::render(template, &webhook::message(letter));
    match (rendered, template.form) {
        (Ok(text), Form::Text) => Words {
            text,
            document: None,
            is_own: true,
        },
        (Ok(document), Form::Json) => Words {
            text: letter.body.to_owned(),
            document: Some(document),
            is_own: false,
        },
        (Err(why), _) => {
            let (receiver, name) = (letter.receiver, &template.name);
            tracing::warn!(event = "template.failed", %receiver, template = name, "the message goes out in our own words: {why}");
            let text = format!(
                "{}\n(The template {name} failed, so these are the service's own words: {why}.)",
                letter.body
            );
            Words {
                text,
                document: None,
                is_own: false,
            }
        }
    }
}

impl<'a> Letter<'a> {
    /// The message of this intent, if it is one.
    pub(super) fn of(
        intent: &'a Intent,
        earlier: Option<&'a str>,
        offer: Option<&'a Offer>,
    ) -> Option<Self> {
        let Effect::Notify {
            receiver,
            severity,
            subject,
            body,
            notice,
        } = &intent.effect
        else {
            return None;
        };
        Some(Self {
            intent,
            receiver,
            severity: *severity,
            subject,
            body,
            notice: notice.as_deref(),
            earlier,
            offer,
            document: None,
            has_own_text: false,
        })
    }

    /// When this try was begun.
    fn sent_at(&self) -> Timestamp {
        match self.intent.state {
            IntentState::Sending { at } => at,
            IntentState::Proposed { .. }
            | IntentState::Planned { .. }
            | IntentState::Unknown { .. }
            | IntentState::Done { .. }
            | IntentState::Held { .. }
            | IntentState::Refused { .. } => self.intent.created,
        }
    }
}

pub(super) async fn send(cloud: &dyn Cloud, policy: &Policy, letter: &Letter<'_>) -> Outcome {
    let receiver = letter.receiver;
    let words = policy.templates.get(receiver).map(|it| words(it, letter));
    let letter = &Letter {
        body: words.as_ref().map_or(letter.body, |it| &it.text),
        document: words.as_ref().and_then(|it| it.document.as_deref()),
        has_own_text: words.as_ref().is_some_and(|it| it.is_own),
        ..*letter
    };
    match policy.receivers.get(receiver) {
        None => Outcome::Never {
            why: format!("receiver `{receiver}` is not in the configuration"),
        },
        Some(Receiver::Sns { topic_arn }) => by_sns(cloud, topic_arn, letter).await,
        Some(Receiver::Slack { url }) => {
            let said = slack::by_webhook(cloud, url, letter).await;
            said.outcome(receiver, &[url])
        }
        Some(Receiver::SlackBot {
            token,
            channel,
            api,
            buttons: _, // presses come in by another way
        }) => {
            let bot = Bot {
                cloud,
                token,
                channel,
                api,
            };
            bot.send(letter).await.outcome(receiver, &[token])
        }
        Some(Receiver::PagerDuty { routing_key, url }) => {
            let said = pagerduty::send(cloud, url, routing_key, letter).await;
            said.outcome(receiver, &[routing_key])
        }
        Some(Receiver::Webhook { url, secret }) => {
            let said = webhook::send(cloud, url, secret.as_ref(), letter).await;
            let secrets: Vec<_> = secret.iter().chain([url]).collect();
            said.outcome(receiver, &secrets)
        }
        Some(Receiver::Alertmanager { url, token }) => {
            let said = alertmanager::send(cloud, url, token.as_ref(), letter).await;
            let secrets: Vec<_> = token.iter().collect();
            said.outcome(receiver, &secrets)
        }
    }
}

/// Tells a receiver again what is open, where it would forget it otherwise.
pub(super) async fn repeat(
    cloud: &dyn Cloud,
    name: &ReceiverName,
    receiver: &Receiver,
    open: &[Letter<'_>],
    now: Timestamp,
) -> Option<Outcome> {
    match receiver {
        Receiver::Alertmanager { url, token } => {
            let said = alertmanager::repeat(cloud, url, token.as_ref(), open, now).await;
            let secrets: Vec<_> = token.iter().collect();
            Some(said.outcome(name, &secrets))
        }
        Receiver::Sns { .. }
        | Receiver::Slack { .. }
        | Receiver::SlackBot { .. }
        | Receiver::PagerDuty { .. }
        | Receiver::Webhook { .. } => None,
    }
}

async fn by_sns(cloud: &dyn Cloud, topic_arn: &str, letter: &Letter<'_>) -> Outcome {
    let receiver = letter.receiver;
    let Some(scope) = topic_scope(topic_arn) else {
        let why = format!(
            "receiver `{receiver}`: `{topic_arn}` is not the ARN of a topic; \
             it reads like `arn:aws:sns:us-east-1:111122223333:NAME`"
        );
        return Outcome::Never { why };
    };
    let body = sns_body(letter);
    match publish(cloud, &scope, topic_arn, letter.subject, &body).await {
        Ok(reference) => Outcome::Done { reference },
        // A topic or a permission may come back, and people must hear: what is refused is tried again.
        Err(fault) => Said::None(fault).outcome(receiver, &[]),
    }
}

/// The ids of the models it is about, each once.
fn models(notice: &Notice, most: usize, most_characters: usize) -> Vec<String> {
    let models: BTreeSet<&str> = notice.pools.iter().map(|it| it.model.as_str()).collect();
    let listed = models.into_iter().take(most);
    listed.map(|it| text::line(it, most_characters)).collect()
}

fn quota_code(notice: &Notice) -> Option<String> {
    match &notice.cause {
        Cause::Quota { code, .. } => Some(text::line(code.as_str(), MOST_CODE)),
        Cause::Pool { .. } => None,
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
        "" => &subject, // an empty message is refused
        _ => body,
    };
    cloud.publish(scope, topic_arn, &subject, message).await
}

/// The text, and where to look below it; whoever has words of their own has the links in them.
fn sns_body(letter: &Letter<'_>) -> String {
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
    let room = MOST_SNS_BYTES.saturating_sub(foot.len());
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

#[cfg(test)]
mod hostile;

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
}
