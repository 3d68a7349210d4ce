//! Messages to people, one file a kind of receiver. At least once, since a message too many is better than one too few;
//! and once, where the receiver can tell a repetition.

mod alertmanager;
mod answer;
mod pagerduty;
mod shown;
pub mod slack;
mod sns;
mod text;
mod together;
mod webhook;

use std::collections::BTreeSet;

pub use together::together;

use slack::{Bot, Offer};

use crate::{
    cloud::Cloud,
    model::{
        action::{Effect, Intent, IntentState},
        ids::ReceiverName,
        incident::Cause,
        outcome::Outcome,
        policy::{Policy, Receiver, Template},
        receiver::{Form, Notice},
        rule::Severity,
        time::Timestamp,
    },
    template,
};

/// Most characters of a quota's code; AWS's have ten.
const MOST_CODE: usize = 128;

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
    /// The messages that go in this one, if it is several.
    crowd: &'a [Intent],
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
            crowd: &[],
        })
    }

    /// The same, of these in one.
    pub(super) const fn of_all(self, crowd: &'a [Intent]) -> Self {
        Self { crowd, ..self }
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
        Some(Receiver::Sns { topic_arn, format }) => {
            sns::send(cloud, topic_arn, *format, letter).await
        }
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

#[cfg(test)]
mod hostile;
