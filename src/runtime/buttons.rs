//! Buttons in Slack: a socket for each app, by which presses come in while the loop goes on.
//!
//! We open the socket, since nobody can reach us from outside (Socket Mode). Slack closes it every few hours, and says so
//! before; each envelope is acknowledged at once, and what was pressed becomes an order as from any other place. A socket
//! that can't be had is told with its receivers, and tried again for as long as it is configured.

use std::{sync::Arc, time::Duration};

use futures_util::{
    SinkExt as _, StreamExt as _,
    future::{join_all, pending},
    stream::FuturesUnordered,
};
use reqwest::{Client, redirect};
use reqwest_websocket::{Message, Upgrade as _, WebSocket};
use tokio::time::{sleep, timeout};

use super::shared::{Awaited, Shared, Unanswered};
use crate::{
    act::perform::slack::{self, Envelope, Press, Pressed},
    cloud::Cloud,
    model::{
        ids::ReceiverName,
        order::{Answer, Order},
        policy::{Policy, Receiver, Secret},
        receiver::Buttons,
    },
};

/// A socket that does not open within this time does not open.
const PATIENCE: Duration = Duration::from_secs(10);
/// After so long without a word we ask whether anybody is there, and after as long again nobody is. Slack pings more often.
const QUIET: Duration = Duration::from_secs(60);
/// The first wait after a failure; each one after it is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest wait. Slack lets an app open about one socket a minute.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);

/// Hears what is pressed, with the configuration that is in force, for as long as it is polled.
pub async fn serve(cloud: Arc<dyn Cloud>, shared: Arc<Shared>) {
    loop {
        let apps = apps(&shared.settings().policy);
        let listening = async {
            join_all(apps.iter().map(|app| app.listen(&*cloud, &shared))).await;
            pending::<()>().await; // no app has buttons
        };
        let changed = async {
            while self::apps(&shared.settings().policy) == apps {
                shared.configured().await;
            }
        };
        tokio::select! {
            () = listening => {}
            () = changed => shared.health_mut().unheard_buttons.clear(),
        }
    }
}

/// An app of Slack's: all receivers with its token share one socket, since Slack gives each press to one of them only.
#[derive(Clone, Debug, PartialEq, Eq)]
struct App {
    token: Secret,
    api: String,
    receivers: Vec<ReceiverName>,
}

fn apps(policy: &Policy) -> Vec<App> {
    let mut apps: Vec<App> = Vec::new();
    for (name, receiver) in &policy.receivers {
        let Receiver::SlackBot {
            api,
            buttons: Some(Buttons { app_token, .. }),
            ..
        } = receiver
        else {
            continue;
        };
        match apps
            .iter_mut()
            .find(|it| it.token == *app_token && it.api == *api)
        {
            Some(app) => app.receivers.push(name.clone()),
            None => apps.push(App {
                token: app_token.clone(),
                api: api.clone(),
                receivers: vec![name.clone()],
            }),
        }
    }
    apps
}

/// Why a socket is no more.
enum End {
    /// Slack wants us to open another one, or this one broke after it had served.
    Again,
    /// It never served.
    Failed(String, Option<u64>),
}

impl App {
    async fn listen(&self, cloud: &dyn Cloud, shared: &Shared) {
        let mut wait = FIRST_WAIT;
        loop {
            let asked = match self.serve(cloud, shared).await {
                End::Again => {
                    wait = FIRST_WAIT;
                    None
                }
                End::Failed(why, asked) => {
                    self.note(shared, Some(&why.replace(self.token.expose(), "(hidden)")));
                    asked.map(Duration::from_secs)
                }
            };
            sleep(asked.unwrap_or(wait).max(wait).min(LONGEST_WAIT)).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// One socket, from its opening to its end.
    async fn serve(&self, cloud: &dyn Cloud, shared: &Shared) -> End {
        let url = match slack::open(cloud, &self.token, &self.api).await {
            Ok(url) => url,
            Err((why, wait)) => return End::Failed(why, wait),
        };
        let mut socket = match connect(&url).await {
            Ok(socket) => socket,
            Err(why) => return End::Failed(why, None),
        };
        let mut has_served = false;
        let mut is_asked = false;
        let mut orders = FuturesUnordered::new();
        loop {
            let word = tokio::select! {
                Some(()) = orders.next() => continue,
                word = timeout(QUIET, socket.next()) => word,
            };
            let why = match word {
                Ok(Some(Ok(Message::Text(text)))) => match slack::read(&text) {
                    Ok(Envelope::Hello) => {
                        has_served = true;
                        self.note(shared, None);
                        None
                    }
                    Ok(Envelope::Goodbye) => Some("Slack closes the socket".to_owned()),
                    Ok(Envelope::Press(press)) => {
                        // First the order: a press that Slack believes to have arrived does not come again. One that
                        // comes twice is refused as any order that is late.
                        let posted = self.order(shared, &press).map(|it| shared.post(it));
                        let acknowledged = say(&mut socket, &press.envelope).await;
                        orders.push(tell(cloud, *press, posted));
                        acknowledged.err()
                    }
                    Ok(Envelope::Other(Some(envelope))) => say(&mut socket, &envelope).await.err(),
                    Ok(Envelope::Other(None)) => None,
                    Err(why) => {
                        tracing::warn!(event = "buttons.unread", "an envelope of Slack's: {why}");
                        None
                    }
                },
                Ok(Some(Ok(Message::Close { .. })) | None) => {
                    Some("the socket was closed".to_owned())
                }
                Ok(Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_)))) => None,
                Ok(Some(Err(error))) => Some(format!("the socket broke: {}", causes(&error))),
                Err(_) if is_asked => Some("nobody answers at the other end".to_owned()),
                Err(_) => {
                    is_asked = true;
                    let asked = socket.send(Message::Ping(Vec::new().into())).await;
                    match asked {
                        Ok(()) => continue,
                        Err(error) => Some(causes(&error)),
                    }
                }
            };
            is_asked = false;
            let Some(why) = why else { continue };
            // What was pressed is decided all the same.
            while let Some(()) = orders.next().await {}
            if has_served {
                tracing::debug!(event = "buttons.reopened", "{why}");
                return End::Again;
            }
            return End::Failed(why, None);
        }
    }

    /// The order that a press is, if this person may give it; else what they are told.
    fn order(&self, shared: &Shared, press: &Press) -> Result<Order, String> {
        let settings = shared.settings();
        let ours =
            self.receivers
                .iter()
                .find_map(|name| match settings.policy.receivers.get(name) {
                    Some(Receiver::SlackBot {
                        channel,
                        buttons: Some(buttons),
                        ..
                    }) if *channel == press.channel => Some((name, buttons)),
                    Some(_) | None => None,
                });
        let Some((name, buttons)) = ours else {
            return Err(format!(
                "Nothing was decided: no receiver of the service has the channel {}.",
                press.channel
            ));
        };
        let command = match &press.pressed {
            Pressed::Unknown(button) => {
                return Err(format!(
                    "Nothing was decided: this service has no button {button}."
                ));
            }
            Pressed::Decision(command) if buttons.approvers.contains(&press.user) => command,
            Pressed::Decision(_) => {
                return Err(format!(
                    "Nothing was decided: {} is not among the `approvers` of receiver {name}.",
                    press.user
                ));
            }
            Pressed::Ours(command) => command,
        };
        Ok(Order {
            by: press.by(),
            why: press.why(),
            command: command.clone(),
        })
    }

    /// Whether presses are heard, for the page; a change is logged.
    fn note(&self, shared: &Shared, why: Option<&str>) {
        let mut health = shared.health_mut();
        for name in &self.receivers {
            let before = match why {
                None => health.unheard_buttons.remove(name),
                Some(why) => health.unheard_buttons.insert(name.clone(), why.to_owned()),
            };
            match (why, before) {
                (Some(why), None) => {
                    tracing::warn!(event = "buttons.unheard", receiver = %name, "presses are not heard: {why}");
                }
                (None, Some(_)) => {
                    tracing::info!(event = "buttons.heard", receiver = %name, "presses are heard again");
                }
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
    }
}

/// Tells whoever pressed what it came to: the order in the daemon's hands, or why it is not there; or why it is none.
async fn tell(
    cloud: &dyn Cloud,
    press: Press,
    posted: Result<Result<Awaited, Unanswered>, String>,
) {
    let by = press.by();
    let said = match posted {
        Err(why) => why,
        Ok(Err(why)) => format!("{why}."),
        Ok(Ok(mut answer)) => match Shared::answered(&mut answer).await {
            Ok(Answer { subject, what }) if subject.is_empty() => format!("{what}."),
            Ok(Answer { subject, what }) => format!("{subject}: {what}."),
            Err(Unanswered::Refused(why)) => format!("Nothing was decided: {why}."),
            Err(other) => format!("{other}."),
        },
    };
    tracing::info!(event = "buttons.pressed", by, "{said}");
    let Some(url) = &press.answer_to else { return };
    if let Err(why) = slack::answer(cloud, url, &said).await {
        tracing::warn!(
            event = "buttons.unanswered",
            by,
            "whoever pressed was not told: {why}"
        );
    }
}

async fn connect(url: &Secret) -> Result<WebSocket, String> {
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .http1_only(); // a WebSocket begins as an HTTP/1.1 request
    let client = client.build().map_err(|error| causes(&error))?;
    let opened = async {
        let answer = client.get(url.expose()).upgrade().send().await?;
        answer.into_websocket().await
    };
    let hidden = |error: reqwest_websocket::Error| causes(&error).replace(url.expose(), "(hidden)");
    match timeout(PATIENCE, opened).await {
        Ok(opened) => opened.map_err(hidden),
        Err(_) => Err("the socket did not open in 10 s".to_owned()),
    }
}

async fn say(socket: &mut WebSocket, envelope: &str) -> Result<(), String> {
    let said = Message::Text(slack::acknowledged(envelope));
    let said = socket.send(said).await;
    said.map_err(|error| format!("the socket broke: {}", causes(&error)))
}

/// The error with what caused it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
