//! The public keys of load balancers, as AWS gives them out: asked for once, kept for a while, and never without end.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use reqwest::{Client, StatusCode, redirect};
use tokio::time;

use super::{Refused, proof::Key};
use crate::runtime::clock;

/// How long a key is believed without asking again: should AWS ever withdraw one, it is worth nothing a day later.
const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// How long it is remembered that there is no such key.
const UNKNOWN_KEPT: Duration = Duration::from_secs(60);
/// How long nobody is asked again who did not answer.
const FAILED_KEPT: Duration = Duration::from_secs(10);
/// Keys and refusals that are kept; the one that was not used for longest makes room.
const MOST_KEPT: usize = 64;
/// How often keys are asked for in a minute. Whoever reaches the port without the load balancer can name as many as they
/// like, and AWS should not hear of each of them from us.
const MOST_A_MINUTE: usize = 10;
const MINUTE: Duration = Duration::from_secs(60);
/// How long an answer may take, and how long a request waits for its turn and the answer together.
const ONE_ANSWER: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer; a key has about 180.
const MOST_BYTES: usize = 4_096;

/// The id of no key.
const NO_KEY: &str = "00000000-0000-0000-0000-000000000000";

/// What is known of a key.
#[derive(Debug)]
struct Known {
    url: String,
    found: Result<Arc<Key>, Refused>,
    asked: Instant,
    used: Instant,
}

impl Known {
    fn is_old(&self, now: Instant) -> bool {
        let kept = match self.found {
            Ok(_) => KEPT,
            Err(Refused::UnknownKey) => UNKNOWN_KEPT,
            Err(_) => FAILED_KEPT,
        };
        kept <= now.saturating_duration_since(self.asked)
    }
}

/// Whoever holds it asks; so that one key is never asked for twice at a time, and no two at once.
#[derive(Debug, Default)]
struct Turn {
    client: Option<Client>,
    /// When was asked in the last minute.
    asked: Vec<Instant>,
}

/// Those that are known.
#[derive(Debug, Default)]
pub(super) struct Keys {
    known: Mutex<Vec<Known>>,
    turn: tokio::sync::Mutex<Turn>,
}

impl Keys {
    /// The key at this address, from memory where it is there.
    pub(super) async fn key(&self, url: &str) -> Result<Arc<Key>, Refused> {
        if let Some(found) = self.kept(url, clock::monotonic()) {
            return found;
        }
        let asking = time::timeout(PATIENCE, self.ask(url)).await;
        asking.unwrap_or(Err(Refused::NoKey))
    }

    fn known(&self) -> MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self, url: &str, now: Instant) -> Option<Result<Arc<Key>, Refused>> {
        let mut known = self.known();
        known.retain(|it| !it.is_old(now));
        let found = known.iter_mut().find(|it| it.url == url)?;
        found.used = now;
        Some(found.found.clone())
    }

    fn keep(&self, url: &str, found: Result<Arc<Key>, Refused>, now: Instant) {
        let mut known = self.known();
        if MOST_KEPT <= known.len() {
            let oldest = known.iter().enumerate().min_by_key(|(_, it)| it.used);
            if let Some(at) = oldest.map(|(at, _)| at) {
                known.swap_remove(at);
            }
        }
        known.push(Known {
            url: url.to_owned(),
            found,
            asked: now,
            used: now,
        });
    }

    async fn ask(&self, url: &str) -> Result<Arc<Key>, Refused> {
        let mut turn = self.turn.lock().await;
        let now = clock::monotonic();
        if let Some(found) = self.kept(url, now) {
            return found; // Whoever had the turn before asked for the same.
        }
        let is_recent = |at: &Instant| now.saturating_duration_since(*at) < MINUTE;
        turn.asked.retain(is_recent);
        if MOST_A_MINUTE <= turn.asked.len() {
            return Err(Refused::Often);
        }
        turn.asked.push(now);
        let found = match fetched(&mut turn.client, url).await {
            Ok(found) => found.map(Arc::new).ok_or(Refused::UnknownKey),
            Err(why) => {
                tracing::warn!(
                    event = "web.key_unread",
                    why,
                    "the public key of a load balancer could not be read"
                );
                Err(Refused::NoKey)
            }
        };
        self.keep(url, found.clone(), now);
        found
    }
}

/// Whether keys can be asked for at this address, or why not: a key that cannot be there is.
pub(super) async fn answer(keys: &str) -> Result<(), String> {
    let url = format!("{keys}/{NO_KEY}");
    fetched(&mut None, &url).await.map(drop)
}

/// The key at this address; nothing, where there is none. What comes from the other side stands in no error.
async fn fetched(client: &mut Option<Client>, url: &str) -> Result<Option<Key>, String> {
    let client = match client {
        Some(client) => client,
        None => client.insert(made().map_err(|error| error.to_string())?),
    };
    let lost = |error: reqwest::Error| chain(&error.without_url());
    let mut response = client.get(url).send().await.map_err(lost)?;
    let status = response.status();
    // A bucket that may not be listed says 403 of what is not there.
    if status == StatusCode::NOT_FOUND || status == StatusCode::FORBIDDEN {
        return Ok(None);
    }
    if status != StatusCode::OK {
        return Err(format!("the answer was {}", status.as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        body.extend_from_slice(&chunk);
        if MOST_BYTES < body.len() {
            return Err(format!("the answer was longer than {MOST_BYTES} bytes"));
        }
    }
    let key = std::str::from_utf8(&body).ok().and_then(Key::from_pem);
    let key = key.ok_or("the answer was no public key on P-256 in PEM")?;
    Ok(Some(key))
}

fn made() -> Result<Client, reqwest::Error> {
    Client::builder()
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .timeout(ONE_ANSWER)
        .user_agent(concat!("bedrock-ops-alert/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// The error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(it) = cause {
        text = format!("{text}: {it}");
        cause = it.source();
    }
    text
}
