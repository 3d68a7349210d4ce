//! The heartbeat: after each whole cycle somebody outside hears that we are alive, and so can miss us when we are not.
//!
//! It is withheld while we are alive and of no use: nothing can be read anywhere, or a message has waited for people for
//! a quarter of an hour. Its own failure is told and counted, and stops nothing.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use reqwest::{Client, redirect};
use serde_json::json;

use super::shared::{Health, Shared};
use crate::{
    aws::outward::{self, Outward},
    model::{
        action::{Effect, Intent},
        book::Book,
        policy::{self, Secret},
        time::{Timestamp, after},
    },
};

/// A heartbeat that takes longer is late for the next one.
const PATIENCE: Duration = Duration::from_secs(10);
/// A message that waits longer than this does not get through.
const MESSAGE_MINUTES: i64 = 15;
/// Metrics of our own in CloudWatch.
const NAMESPACE: &str = "BedrockOpsAlert";

/// Where it goes.
#[derive(Debug)]
pub struct Heartbeat {
    client: Option<(Client, Secret)>,
    has_metrics: bool,
}

impl Heartbeat {
    /// As configured. A client that can't be made is told, and its URL is not pinged.
    #[must_use]
    pub fn of(settings: &policy::Heartbeat) -> Self {
        let client = settings.url.clone().and_then(|url| {
            if outward::is_refused(url.expose()) {
                tracing::error!(event = "heartbeat.failed", "{}", outward::REFUSED);
                return None;
            }
            let client = Client::builder()
                .dns_resolver(Outward)
                .redirect(redirect::Policy::none())
                .timeout(PATIENCE)
                .build();
            match client {
                Ok(client) => Some((client, url)),
                Err(error) => {
                    tracing::error!(event = "heartbeat.failed", %error, "no HTTP client for the heartbeat");
                    None
                }
            }
        });
        Self {
            client,
            has_metrics: settings.has_metrics,
        }
    }

    /// Says that the cycle of `now` is done, unless that would not be the whole truth.
    pub async fn beat(&self, shared: &Shared, now: Timestamp) {
        if self.client.is_none() && !self.has_metrics {
            return;
        }
        let withheld = withheld(&shared.book(), &shared.health(), now);
        if let Some(why) = withheld {
            tracing::warn!(event = "heartbeat.withheld", %now, "{why}");
            shared.health_mut().heartbeats.withheld += 1;
            return;
        }
        let mut is_out = true;
        if self.has_metrics {
            let line = metrics(&shared.book(), &shared.health(), now);
            if let Err(error) = print(&line) {
                tracing::warn!(event = "heartbeat.failed", %now, %error, "standard output is gone");
                is_out = false;
            }
        }
        if let Some((client, url)) = &self.client {
            is_out &= ping(client, url, now).await;
        }
        let mut health = shared.health_mut();
        if is_out {
            health.heartbeats.last = Some(now);
        } else {
            health.heartbeats.failed += 1;
        }
    }
}

/// Whether it was heard. The URL is a secret: whoever has it can beat in our place.
async fn ping(client: &Client, url: &Secret, now: Timestamp) -> bool {
    let answer = client.get(url.expose()).send().await;
    let why = match answer.and_then(reqwest::Response::error_for_status) {
        Ok(_) => return true,
        Err(error) => error.without_url(),
    };
    tracing::warn!(event = "heartbeat.failed", %now, error = %why, "the heartbeat was not heard");
    false
}

/// Why we are no use to anybody, if so.
fn withheld(book: &Book, health: &Health, now: Timestamp) -> Option<String> {
    let reads = || {
        let all = health.last_success.keys().chain(health.failing.keys());
        all.filter(|(stage, _)| *stage == "read")
    };
    let is_failing = |key| health.failing.contains_key(key);
    let sights = &health.sights;
    if sights.is_blind() || (reads().next().is_some() && reads().all(is_failing)) {
        return Some("no metrics can be read in any account and Region".to_owned());
    }
    let before = after(now, -MESSAGE_MINUTES);
    let is_late = |intent: &&Intent| {
        matches!(intent.effect, Effect::Notify { .. })
            && !intent.state.is_final()
            && intent.created < before
    };
    let late = book.intents.values().find(is_late)?;
    Some(format!(
        "a message has not got through for {MESSAGE_MINUTES} minutes: {}",
        late.id
    ))
}

/// One line in CloudWatch's embedded metric format, which makes metrics of log lines.
fn metrics(book: &Book, health: &Health, now: Timestamp) -> String {
    let open = book.incidents.values().filter(|it| it.is_open()).count();
    let metric = |name: &str, unit: &str| json!({ "Name": name, "Unit": unit });
    let mut metrics = vec![
        metric("Heartbeat", "Count"),
        metric("CycleSeconds", "Seconds"),
        metric("PoolsWatched", "Count"),
        metric("IncidentsOpen", "Count"),
        metric("ReadingsFailing", "Count"),
    ];
    // Not everywhere is there a disk to look at.
    let free = health.room.as_ref().map(|it| it.room.free);
    metrics.extend(free.map(|_| metric("StoreFreeBytes", "Bytes")));
    let mut document = json!({
        "_aws": {
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [[]],
                "Metrics": metrics,
            }],
        },
        "event": "heartbeat",
        "Heartbeat": 1,
        "CycleSeconds": health.cycle_seconds,
        "PoolsWatched": book.pools.len(),
        "IncidentsOpen": open,
        "ReadingsFailing": health.failing.len(),
    });
    if let (Some(free), Some(fields)) = (free, document.as_object_mut()) {
        fields.insert("StoreFreeBytes".to_owned(), json!(free));
    }
    format!("{document}\n")
}

fn print(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests;
