//! Presses of buttons, as they come by Slack's Socket Mode: envelopes of JSON over a WebSocket that we open, so that a service
//! without an address of its own hears them. Each envelope is acknowledged; what was pressed is an order of a person.
//!
//! Source: Slack's pages on Socket Mode and on `block_actions` payloads.

#![expect(
    clippy::indexing_slicing,
    reason = "a JSON value that lacks a key reads as null"
)]

use serde_json::{Value, json};

use super::{
    Bot, MOST_SUMMARY, MOST_TEXT,
    buttons::{ACKNOWLEDGE, APPROVE, REJECT, SNOOZE, SNOOZE_MINUTES, STOP},
    parsed, text,
};
use crate::{
    act::perform::message::answer::{Said, told},
    cloud::{Cloud, Post},
    model::{
        ids::{ActionId, IncidentId},
        order::Command,
        receiver::Secret,
    },
};

/// Most characters of a person's name.
const MOST_NAME: usize = 60;

/// What came over the socket.
#[derive(Clone, Debug, PartialEq)]
pub enum Envelope {
    /// Slack listens: presses come from now on.
    Hello,
    /// Slack is about to close this socket: another one is to be opened.
    Goodbye,
    /// Something was pressed.
    Press(Box<Press>),
    /// What we have no use for; to be acknowledged where it has an id.
    Other(Option<String>),
}

/// A press of one of our buttons.
#[derive(Clone, Debug, PartialEq)]
pub struct Press {
    /// The envelope's id, for the acknowledgement.
    pub envelope: String,
    /// The id of whoever pressed it, such as `U0123ABCD`.
    pub user: String,
    /// Their name, as it may be shown.
    pub name: String,
    /// The channel's id.
    pub channel: String,
    /// Where whoever pressed can be answered; good for half an hour.
    pub answer_to: Option<Secret>,
    /// What was pressed.
    pub pressed: Pressed,
}

/// What a button asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Pressed {
    /// What everybody in the channel may.
    Ours(Command),
    /// What only some may: it asks AWS for something, or decides that it is not asked.
    Decision(Command),
    /// A button of a release that is not this one.
    Unknown(String),
}

/// The envelope.
///
/// # Errors
/// What is wrong with it, as a sentence fragment.
pub fn read(text: &str) -> Result<Envelope, String> {
    let json: Value =
        serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let id = json["envelope_id"].as_str().map(str::to_owned);
    match (json["type"].as_str(), id) {
        (None, _) => Err("it has no `type`".to_owned()),
        (Some("hello"), _) => Ok(Envelope::Hello),
        (Some("disconnect"), _) => Ok(Envelope::Goodbye),
        (Some("interactive"), Some(id)) if json["payload"]["type"] == "block_actions" => {
            press(id, &json["payload"])
        }
        (Some(_), id) => Ok(Envelope::Other(id)),
    }
}

fn press(envelope: String, payload: &Value) -> Result<Envelope, String> {
    let action = &payload["actions"][0];
    let text_of = |value: &Value, what: &str| {
        let text = value.as_str().filter(|it| !it.is_empty());
        text.map(str::to_owned)
            .ok_or_else(|| format!("a press without {what}"))
    };
    let (name, value) = (action["action_id"].as_str(), action["value"].as_str());
    let pressed = match (name, value) {
        (Some(ACKNOWLEDGE), Some(incident)) => {
            Pressed::Ours(look_after(IncidentId::new(incident), None))
        }
        (Some(SNOOZE), Some(incident)) => {
            Pressed::Ours(look_after(IncidentId::new(incident), Some(SNOOZE_MINUTES)))
        }
        (Some(APPROVE), Some(action)) => Pressed::Decision(Command::Approve {
            action: ActionId::new(action),
            value: None,
        }),
        (Some(REJECT), Some(action)) => Pressed::Decision(Command::Reject {
            action: ActionId::new(action),
        }),
        (Some(STOP), Some(_)) => Pressed::Decision(Command::StopWrites),
        (other, _) => Pressed::Unknown(text::line(other.unwrap_or("a button"), MOST_NAME)),
    };
    let user = &payload["user"];
    let id = text_of(&user["id"], "the id of a user")?;
    let name = [&user["username"], &user["name"]];
    let name = name
        .into_iter()
        .find_map(|it| it.as_str())
        .unwrap_or_default();
    Ok(Envelope::Press(Box::new(Press {
        envelope,
        name: text::line(name, MOST_NAME),
        user: text::line(&id, MOST_NAME),
        channel: text_of(&payload["channel"]["id"], "the id of a channel")?,
        answer_to: payload["response_url"].as_str().map(Secret::new),
        pressed,
    })))
}

const fn look_after(incident: IncidentId, minutes: Option<i64>) -> Command {
    Command::Acknowledge { incident, minutes }
}

impl Press {
    /// Why, where an order needs a reason and a button has no field for one.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        let stops = matches!(&self.pressed, Pressed::Decision(Command::StopWrites));
        stops.then(|| "pressed below a message in Slack".to_owned())
    }

    /// Who, as people read it in the thread and in the audit trail.
    #[must_use]
    pub fn by(&self) -> String {
        match self.name.as_str() {
            "" => format!("{} in Slack", self.user),
            name => format!("{name} ({} in Slack)", self.user),
        }
    }
}

/// What goes back for an envelope, within three seconds; else Slack shows a warning beside the button.
#[must_use]
pub fn acknowledged(envelope: &str) -> String {
    json!({ "envelope_id": envelope }).to_string()
}

/// Asks Slack for the address of a socket, good for one connection within half a minute.
///
/// # Errors
/// Why there is none, and the seconds that Slack wants us to wait.
pub async fn open(
    cloud: &dyn Cloud,
    app_token: &Secret,
    api: &str,
) -> Result<Secret, (String, Option<u64>)> {
    let bot = Bot {
        cloud,
        token: app_token,
        channel: "",
        api,
    };
    let said = match bot.call("slack:apps.connections.open", &json!({})).await {
        Ok(said) => said,
        Err(said) => return Err(refused(said)),
    };
    let url = said["url"].as_str().unwrap_or_default();
    // What is pressed decides for us: the address must be as safe as the one that named it.
    if url.starts_with("wss://") || (is_here(api) && url.starts_with("ws://")) {
        return Ok(Secret::new(url));
    }
    Err((
        "Slack named no wss:// address for the socket".to_owned(),
        None,
    ))
}

/// Whether it is a stand-in: the configuration takes an `http://` address on loopback only.
fn is_here(url: &str) -> bool {
    url.starts_with("http://127.0.0.1:")
}

fn refused(said: Said) -> (String, Option<u64>) {
    match said {
        Said::Busy(seconds, why) => (why, seconds),
        Said::Taken(why) | Said::NotThis(why) | Said::Nothing(why) | Said::Unclear(why) => {
            (why, None)
        }
        Said::None(fault) => (fault.to_string(), None),
    }
}

/// Tells whoever pressed, and nobody else, what it came to.
///
/// # Errors
/// Why they could not be told.
pub async fn answer(cloud: &dyn Cloud, url: &Secret, said: &str) -> Result<(), String> {
    if !url.expose().starts_with("https://hooks.slack.com/") && !is_here(url.expose()) {
        return Err("the press names an address that is not Slack's".to_owned());
    }
    let said = text::for_slack(&text::clean(said, MOST_SUMMARY * 4), MOST_TEXT);
    let body = json!({ "response_type": "ephemeral", "replace_original": false, "text": said });
    let post = Post {
        operation: "slack:response",
        url: url.expose().to_owned(),
        headers: vec![("content-type", "application/json".to_owned())],
        body: body.to_string(),
    };
    let answer = cloud.post(&post).await.map_err(|it| it.to_string())?;
    match (Said::by_status(&answer), parsed(&answer)) {
        (None, None | Some(Ok(_))) => Ok(()),
        (None, Some(Err(error))) => Err(error),
        (Some(_), _) => Err(told(&answer)),
    }
}

#[cfg(test)]
mod tests;
