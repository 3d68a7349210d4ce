//! The clock over HTTP: long polls in, jumps of the simulator out. The rules are [`super::clock`]'s.

use std::{
    collections::BTreeMap,
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot};

use super::{
    clock::{Arbiter, Client, Posted, Ticket},
    query,
};
use crate::{
    model::time::{SignedDuration, Timestamp},
    sim::Sim,
};

/// How fast simulated time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// So many simulated seconds in a real one, at least 1.
    Times(u32),
    /// As fast as the clients let it.
    Max,
}

impl FromStr for Speed {
    type Err = SpeedError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "max" {
            return Ok(Self::Max);
        }
        match text.parse() {
            Ok(times) if (1..=MAX_TIMES).contains(&times) => Ok(Self::Times(times)),
            Ok(_) | Err(_) => Err(SpeedError(text.to_owned())),
        }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Times(times) => write!(f, "{times}"),
            Self::Max => f.write_str("max"),
        }
    }
}

/// A day of simulated time in a second; beyond it no client keeps up.
const MAX_TIMES: u32 = 86_400;

/// A speed nobody can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no speed: a whole number from 1 (real time) to {MAX_TIMES}, or `max`")]
pub struct SpeedError(String);

/// How often a clock that follows real time is moved, and dead clients are looked for.
const TICK: Duration = Duration::from_millis(20);

/// The clock of one server.
#[derive(Debug)]
pub(super) struct Clock {
    sim: Arc<Sim>,
    speed: Speed,
    state: Mutex<ClockState>,
    changed: Notify,
}

#[derive(Debug)]
struct ClockState {
    arbiter: Arbiter,
    wakers: BTreeMap<Ticket, oneshot::Sender<Timestamp>>,
    /// Since the server's start.
    real: Duration,
    is_closed: bool,
}

/// Tells the clock when the request that waits is dropped, be it by its client's death.
struct Guard {
    clock: Arc<Clock>,
    ticket: Ticket,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut state = self.clock.lock();
        let real = state.real;
        // Absent when the wait was answered; then this changes nothing.
        state.wakers.remove(&self.ticket);
        state.arbiter.hung_up(self.ticket, real);
    }
}

impl Clock {
    pub(super) fn new(sim: Arc<Sim>, speed: Speed, grace: Duration) -> Arc<Self> {
        let state = ClockState {
            arbiter: Arbiter::new(grace),
            wakers: BTreeMap::new(),
            real: Duration::ZERO,
            is_closed: false,
        };
        Arc::new(Self {
            sim,
            speed,
            state: Mutex::new(state),
            changed: Notify::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, ClockState> {
        // Each event is one call on a plain state machine; a panic elsewhere leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all waits; later ones are refused.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.wakers.clear();
    }

    /// Moves the simulator's clock; never returns.
    pub(super) async fn drive(self: Arc<Self>) {
        let origin = self.sim.now();
        let mut ticks = tokio::time::interval(TICK);
        let first = ticks.tick().await;
        loop {
            tokio::select! {
                tick = ticks.tick() => self.tick(tick.saturating_duration_since(first)),
                () = self.changed.notified() => {}
            }
            while let Some(target) = self.target(origin) {
                let sim = Arc::clone(&self.sim);
                // A jump over days computes days of traffic.
                let moved = tokio::task::spawn_blocking(move || sim.advance_to(target)).await;
                if let Err(cause) = moved {
                    tracing::error!(%cause, %target, "the simulated world could not be moved on");
                    return std::future::pending().await;
                }
                self.wake();
                if self.sim.now() < target {
                    tracing::error!(%target, "the simulated world stands still");
                    break; // it is tried again at the next tick
                }
            }
        }
    }

    fn tick(&self, real: Duration) {
        let mut state = self.lock();
        state.real = real;
        for client in state.arbiter.expire(real) {
            tracing::warn!(
                client,
                "a client of the simulated clock was not heard for its grace and is forgotten"
            );
        }
    }

    /// Where the clock should stand, if that is ahead.
    fn target(&self, origin: Timestamp) -> Option<Timestamp> {
        let state = self.lock();
        let target = match self.speed {
            Speed::Max => state.arbiter.target()?,
            Speed::Times(times) => {
                let passed = SignedDuration::try_from(state.real.saturating_mul(times)).ok()?;
                origin.checked_add(passed).ok()?
            }
        };
        drop(state);
        (self.sim.now() < target).then_some(target)
    }

    fn wake(&self) {
        let now = self.sim.now();
        let mut state = self.lock();
        let real = state.real;
        for ticket in state.arbiter.reached(now, real) {
            if let Some(waker) = state.wakers.remove(&ticket) {
                // The client may have hung up this moment; its guard tells the arbiter.
                let _gone = waker.send(now);
            }
        }
    }

    /// Registers a wait; `None` when its time has come already.
    fn post(
        &self,
        client: &str,
        until: Timestamp,
        waker: oneshot::Sender<Timestamp>,
    ) -> Result<Option<Ticket>, Box<Response>> {
        let mut state = self.lock();
        if state.is_closed {
            let message = "the simulator is stopping";
            return Err(Box::new(refused(StatusCode::SERVICE_UNAVAILABLE, message)));
        }
        let (now, real) = (self.sim.now(), state.real);
        match state.arbiter.wait(client, until, now, real) {
            Ok(Posted::Reached) => Ok(None),
            Ok(Posted::Waiting { ticket, replaced }) => {
                if let Some(old) = replaced {
                    state.wakers.remove(&old);
                }
                state.wakers.insert(ticket, waker);
                Ok(Some(ticket))
            }
            Err(cause) => {
                let response = refused(StatusCode::BAD_REQUEST, &cause.to_string());
                Err(Box::new(response))
            }
        }
    }
}

/// `GET /_sim/clock`, with `?client=NAME` a sign of life.
pub(super) async fn show(State(clock): State<Arc<Clock>>, RawQuery(text): RawQuery) -> Response {
    let mut state = clock.lock();
    let real = state.real;
    for (name, value) in query::pairs(text.as_deref().unwrap_or("")) {
        if name == "client" {
            state.arbiter.heard(&value, real);
        }
    }
    let clients: BTreeMap<&str, Value> = state
        .arbiter
        .clients()
        .iter()
        .map(|(name, client)| {
            let shown = match client {
                Client::Busy { heard } => {
                    json!({"busy_seconds": real.saturating_sub(*heard).as_secs()})
                }
                Client::Waiting { until, .. } => json!({"until": until.to_string()}),
            };
            (name.as_str(), shown)
        })
        .collect();
    let speed = match clock.speed {
        Speed::Times(times) => Value::from(times),
        Speed::Max => Value::from("max"),
    };
    let body = json!({"now": clock.sim.now().to_string(), "speed": speed, "clients": clients});
    said(StatusCode::OK, &body)
}

/// `POST /_sim/clock/wait` with `{"client", "until"}`: answers once the clock is there.
pub(super) async fn wait(State(clock): State<Arc<Clock>>, body: Bytes) -> Response {
    let asked = client_of(&body).and_then(|(client, order)| {
        let until = order.get("until").and_then(Value::as_str).unwrap_or("");
        let until: Timestamp = until.parse().map_err(|cause| {
            format!("`until` must be an RFC 3339 instant such as 2026-11-01T00:05:00Z: {cause}")
        })?;
        Ok((client, until))
    });
    let (client, until) = match asked {
        Ok(asked) => asked,
        Err(message) => return refused(StatusCode::BAD_REQUEST, &message),
    };
    let (waker, woken) = oneshot::channel();
    let guard = match clock.post(&client, until, waker) {
        Ok(Some(ticket)) => Guard {
            clock: Arc::clone(&clock),
            ticket,
        },
        Ok(None) => return said(StatusCode::OK, &json!({"now": clock.sim.now().to_string()})),
        Err(response) => return *response,
    };
    clock.changed.notify_one();
    let answer = woken.await;
    drop(guard);
    match answer {
        Ok(now) => said(StatusCode::OK, &json!({"now": now.to_string()})),
        Err(_closed) => refused(
            StatusCode::CONFLICT,
            "this wait is over before its time: the client left, posted another wait, or the simulator stops",
        ),
    }
}

/// `POST /_sim/clock/leave` with `{"client"}`.
pub(super) async fn leave(State(clock): State<Arc<Clock>>, body: Bytes) -> Response {
    let client = match client_of(&body) {
        Ok((client, _)) => client,
        Err(message) => return refused(StatusCode::BAD_REQUEST, &message),
    };
    let mut state = clock.lock();
    if let Some(ticket) = state.arbiter.leave(&client) {
        state.wakers.remove(&ticket);
    }
    drop(state);
    clock.changed.notify_one(); // the others may be free now
    said(StatusCode::OK, &json!({"now": clock.sim.now().to_string()}))
}

/// The client's name and the whole order.
fn client_of(body: &[u8]) -> Result<(String, Value), String> {
    let order: Value =
        serde_json::from_slice(body).map_err(|cause| format!("the body is not JSON: {cause}"))?;
    let client = order
        .get("client")
        .and_then(Value::as_str)
        .ok_or("the body has no `client`")?
        .to_owned();
    Ok((client, order))
}

fn said(status: StatusCode, body: &Value) -> Response {
    (status, axum::Json(body)).into_response()
}

fn refused(status: StatusCode, message: &str) -> Response {
    said(status, &json!({"error": message}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_read_and_written() {
        for (text, speed) in [
            ("1", Speed::Times(1)),
            ("3600", Speed::Times(3_600)),
            ("max", Speed::Max),
        ] {
            assert_eq!(text.parse(), Ok(speed));
            assert_eq!(speed.to_string(), text);
        }
        for text in ["0", "-1", "fast", "86401", ""] {
            assert!(text.parse::<Speed>().is_err(), "{text}");
        }
    }
}
