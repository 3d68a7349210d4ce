//! Slack: an incoming webhook, which can do no more than post (`hook`); or a bot, with one message an incident that is
//! kept up to date, and what happened in the thread below it. Below the message stand `buttons`, where presses can be
//! heard (`press`).

#![expect(
    clippy::indexing_slicing,
    reason = "a JSON value that lacks a key reads as null, and what is written to is an object"
)]

mod buttons;
mod hook;
mod press;

pub use buttons::Offer;
pub(super) use hook::by_webhook;
#[cfg(test)]
pub(super) use hook::webhook_body;
pub use press::{Envelope, Press, Pressed, acknowledged, answer, open, read};

use serde_json::{Value, json};

use super::{
    Letter,
    answer::{Said, told},
    text,
};
use crate::{
    cloud::{Answer, Cloud, Post},
    model::{receiver::Secret, time::after},
};

/// Most characters of a text, as Slack advises; 40,000 would be refused or cut.
const MOST_TEXT: usize = 4_000;
/// Most characters of what a notification shows.
const MOST_SUMMARY: usize = 150;
/// Most characters of one block; Slack takes 3,000.
const MOST_BLOCK: usize = 2_900;
/// Blocks of text in a message; Slack takes 50, and some 13,200 characters in all of them together.
const MOST_BLOCKS: usize = 3;
/// Most characters of the links; a graph's address alone may have 1,500.
const MOST_LINKS: usize = 2_600;
/// The kind of what we attach to a message, by which it is found again.
const EVENT_TYPE: &str = "bedrock_ops_alert_message";

/// A bot's way to a channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bot<'a> {
    pub(super) cloud: &'a dyn Cloud,
    pub(super) token: &'a Secret,
    pub(super) channel: &'a str,
    pub(super) api: &'a str,
}

/// The message that an incident has in a channel: `CHANNEL/TS`, and `/TS` of the reply for later ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parent<'a> {
    channel: &'a str,
    ts: &'a str,
}

impl<'a> Parent<'a> {
    fn of(reference: &'a str) -> Option<Self> {
        let mut parts = reference.split('/');
        let (channel, ts) = (parts.next()?, parts.next()?);
        let is_ts = ts.contains('.') && ts.bytes().all(|it| it.is_ascii_digit() || it == b'.');
        (!channel.is_empty() && is_ts).then_some(Self { channel, ts })
    }
}

impl Bot<'_> {
    /// Posts the incident's message; or brings it up to date, and says in its thread what happened.
    ///
    /// The update comes first, since it may be repeated and a reply may not: whatever fails, the next try begins anew. Where
    /// an earlier try may have posted, that is looked for.
    pub(super) async fn send(&self, letter: &Letter<'_>) -> Said {
        let parent = letter.earlier.and_then(Parent::of);
        if 1 < letter.intent.attempts
            && let Some(found) = self.find(letter, parent).await
        {
            return Said::Taken(found);
        }
        let Some(parent) = parent else {
            return self.post(letter, None).await;
        };
        match self.update(letter, parent).await {
            Ok(()) => self.post(letter, Some(parent)).await,
            // Somebody deleted it: the incident gets a new one.
            Err(Said::Nothing(why)) if is_gone(&why) => self.post(letter, None).await,
            Err(said) => said,
        }
    }

    async fn post(&self, letter: &Letter<'_>, parent: Option<Parent<'_>>) -> Said {
        let mut message = match parent {
            None => with_buttons(letter),
            Some(_) => message(letter),
        };
        message["channel"] = json!(parent.map_or(self.channel, |it| it.channel));
        message["unfurl_links"] = json!(false);
        message["unfurl_media"] = json!(false);
        message["metadata"] = json!({
            "event_type": EVENT_TYPE,
            "event_payload": { "id": letter.intent.id.as_str() },
        });
        if let Some(parent) = parent {
            message["thread_ts"] = json!(parent.ts);
        }
        let answer = self.call("slack:chat.postMessage", &message).await;
        match answer {
            Ok(said) => match reference(&said, self.channel, parent) {
                Some(reference) => Said::Taken(reference),
                None => Said::Unclear("the answer has no `ts`".to_owned()),
            },
            Err(said) => said,
        }
    }

    async fn update(&self, letter: &Letter<'_>, parent: Parent<'_>) -> Result<(), Said> {
        let mut message = with_buttons(letter);
        message["channel"] = json!(parent.channel);
        message["ts"] = json!(parent.ts);
        match self.call("slack:chat.update", &message).await {
            Ok(_) => Ok(()),
            // A workspace may forbid edits, or late ones: the thread tells it all the same.
            Err(Said::Nothing(why)) if is_not_editable(&why) => Ok(()),
            Err(said) => Err(said),
        }
    }

    /// What an earlier try posted, if it is there. A look that fails, such as for lack of a scope, finds nothing: a message
    /// too many is better than one too few.
    async fn find(&self, letter: &Letter<'_>, parent: Option<Parent<'_>>) -> Option<String> {
        let since = after(letter.intent.created, -1).as_second();
        let (operation, form) = match parent {
            None => (
                "slack:conversations.history",
                format!(
                    "channel={}&oldest={since}&limit=200&include_all_metadata=true",
                    self.channel
                ),
            ),
            Some(Parent { channel, ts }) => (
                "slack:conversations.replies",
                format!(
                    "channel={channel}&ts={ts}&oldest={since}&limit=200&include_all_metadata=true"
                ),
            ),
        };
        let post = self.request(operation, FORM, form);
        let answer = self.cloud.post(&post).await.ok()?;
        let said = parsed(&answer)?.ok()?;
        let messages = said["messages"].as_array()?;
        let is_ours = |message: &&Value| {
            message["metadata"]["event_type"] == EVENT_TYPE
                && message["metadata"]["event_payload"]["id"] == letter.intent.id.as_str()
        };
        let found = messages.iter().find(is_ours)?;
        reference(found, self.channel, parent)
    }

    async fn call(&self, operation: &'static str, body: &Value) -> Result<Value, Said> {
        let post = self.request(operation, JSON, body.to_string());
        let answer = self.cloud.post(&post).await.map_err(Said::None)?;
        if let Some(said) = Said::by_status(&answer) {
            return Err(said);
        }
        match parsed(&answer) {
            Some(Ok(said)) => Ok(said),
            Some(Err(error)) if is_busy(&error) => {
                Err(Said::Busy(answer.retry_after_seconds, error))
            }
            Some(Err(error)) => Err(of_error(&error)),
            None => Err(Said::Unclear(told(&answer))),
        }
    }

    fn request(&self, operation: &'static str, kind: &str, body: String) -> Post {
        let method = operation.trim_start_matches("slack:");
        Post {
            operation,
            url: format!("{}/{method}", self.api),
            headers: vec![
                ("content-type", kind.to_owned()),
                ("authorization", format!("Bearer {}", self.token.expose())),
            ],
            body,
        }
    }
}

const JSON: &str = "application/json; charset=utf-8";
const FORM: &str = "application/x-www-form-urlencoded";

/// `CHANNEL/TS`, or `CHANNEL/TS/TS` of a reply.
fn reference(said: &Value, channel: &str, parent: Option<Parent<'_>>) -> Option<String> {
    let ts = said["ts"].as_str()?;
    let channel = said["channel"].as_str().unwrap_or(channel);
    Some(match parent {
        None => format!("{channel}/{ts}"),
        Some(parent) => format!("{}/{}/{ts}", parent.channel, parent.ts),
    })
}

/// Text and blocks. Slack shows the text where blocks can't be shown: in a notification, in a watch.
pub(super) fn message(letter: &Letter<'_>) -> Value {
    let summary = text::line(letter.subject, MOST_SUMMARY);
    let head = format!("*{}*", text::for_slack(&summary, MOST_BLOCK));
    let body = text::clean(letter.body, MOST_BLOCK * MOST_BLOCKS);
    let mut blocks = vec![section(&head)];
    blocks.extend(chunks(&body).iter().map(|it| section(it)));
    let links = links(letter, MOST_LINKS);
    if !links.is_empty() {
        blocks.push(section(&links));
    }
    let foot = format!(
        "{} · {}",
        letter
            .notice
            .map_or(letter.severity, |it| it.severity)
            .name(),
        letter.intent.incident
    );
    blocks.push(json!({
        "type": "context",
        "elements": [{ "type": "plain_text", "text": text::line(&foot, MOST_SUMMARY), "emoji": false }],
    }));
    json!({ "text": text::for_slack(&summary, MOST_TEXT), "blocks": blocks })
}

/// The message with what can be decided below it.
fn with_buttons(letter: &Letter<'_>) -> Value {
    let mut message = message(letter);
    let buttons = letter.offer.map(Offer::blocks).unwrap_or_default();
    if let Some(blocks) = message["blocks"].as_array_mut() {
        blocks.extend(buttons);
    }
    message
}

/// Where to look, side by side, as many as fit.
fn links(letter: &Letter<'_>, most: usize) -> String {
    let mut line = String::new();
    for link in letter.links() {
        // Slack reads `|` and `>` as the end of an address, which has neither.
        let url = text::for_slack(link.url, most);
        let shown = format!("<{url}|{}>", text::for_slack(&link.text, most));
        let gap = if line.is_empty() { "" } else { " · " };
        let length = line.chars().count() + gap.chars().count() + shown.chars().count();
        if length <= most && !url.ends_with(text::CUT) {
            line.push_str(gap);
            line.push_str(&shown);
        }
    }
    line
}

/// Without `verbatim`, Slack would make links of what looks like one.
fn section(mrkdwn: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": mrkdwn, "verbatim": true } })
}

/// The text escaped, in pieces that fit a block, parted between characters and where it can be between lines.
fn chunks(body: &str) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut length = 0;
    for line in body.split_inclusive('\n') {
        let mut rest = line;
        while !rest.is_empty() {
            // An entity has five characters at most.
            let end = rest.char_indices().nth(MOST_BLOCK / 5);
            let (piece, more) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
            let escaped = text::for_slack(piece, MOST_BLOCK);
            let added = escaped.chars().count();
            if MOST_BLOCK < length + added {
                chunks.push(std::mem::take(&mut current));
                length = 0;
            }
            current.push_str(&escaped);
            length += added;
            rest = more;
        }
    }
    chunks.push(current);
    chunks.retain(|it| !it.trim().is_empty()); // Slack refuses an empty one
    let over = MOST_BLOCKS < chunks.len();
    chunks.truncate(MOST_BLOCKS);
    if let Some(last) = chunks.last_mut().filter(|_| over) {
        last.push_str(text::CUT);
    }
    chunks
}

/// `None` where it is not an answer of Slack's; else the answer, or the word for what is wrong.
fn parsed(answer: &Answer) -> Option<Result<Value, String>> {
    let json: Value = serde_json::from_str(answer.body.trim()).ok()?;
    Some(if json.get("ok")?.as_bool()? {
        Ok(json)
    } else {
        Err(text::line(
            json["error"].as_str().unwrap_or("no reason"),
            100,
        ))
    })
}

fn is_busy(error: &str) -> bool {
    matches!(error, "ratelimited" | "rate_limited")
}

fn is_gone(why: &str) -> bool {
    matches!(why, "message_not_found" | "thread_not_found")
}

fn is_not_editable(why: &str) -> bool {
    matches!(why, "cant_update_message" | "edit_window_closed")
}

/// What one of Slack's words means for the message; unknown ones are the channel's or the token's trouble.
fn of_error(error: &str) -> Said {
    let why = error.to_owned();
    match error {
        "msg_too_long"
        | "msg_blocks_too_long"
        | "no_text"
        | "invalid_blocks"
        | "invalid_blocks_format"
        | "invalid_arguments"
        | "invalid_json"
        | "json_not_object"
        | "invalid_metadata_format"
        | "metadata_too_large" => Said::NotThis(why),
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => {
            Said::Unclear(why)
        }
        _ if is_busy(error) => Said::Busy(None, why),
        _ => Said::Nothing(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_of_an_incident_is_read_from_any_reference() {
        let parent = Parent {
            channel: "C1",
            ts: "1700000000.000100",
        };
        assert_eq!(Parent::of("C1/1700000000.000100"), Some(parent));
        assert_eq!(
            Parent::of("C1/1700000000.000100/1700000001.5"),
            Some(parent)
        );
        for other in ["posted to chat", "", "a/b", "HTTP 200", "/1.2"] {
            assert_eq!(Parent::of(other), None, "{other}");
        }
    }
}
