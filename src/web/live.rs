//! `GET /live`: tells a page that is open of each new cycle, by server-sent events. What is new it asks for itself.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use futures_util::stream;
use tokio::{sync::OwnedSemaphorePermit, time};

use super::{PULSE, Web, api};

/// Pages that are told at a time. Connections are bounded, and others need some.
pub(super) const MOST_LISTENERS: usize = 64;
/// A comment after so many silent seconds: a connection that says nothing is closed.
const SIGN_SECONDS: u32 = 15;

/// What one page has been told.
struct Listening {
    web: Arc<Web>,
    seconds: time::Interval,
    /// The cycle of the last event; `None` before the first look.
    told: Option<u64>,
    silent: u32,
    _place: OwnedSemaphorePermit,
}

/// `GET /live`.
pub(super) async fn live(State(web): State<Arc<Web>>) -> Response {
    let Ok(place) = Arc::clone(&web.listeners).try_acquire_owned() else {
        let why = "as many pages are open as are told of each cycle: this one renews itself every 30 seconds";
        return api::problem(StatusCode::SERVICE_UNAVAILABLE, why);
    };
    let mut seconds = time::interval(PULSE);
    seconds.set_missed_tick_behavior(time::MissedTickBehavior::Skip);
    let listening = Listening {
        web,
        seconds,
        told: None,
        silent: 0,
        _place: place,
    };
    Sse::new(stream::unfold(listening, next)).into_response()
}

/// `GET /live.js`.
pub(super) async fn script() -> Response {
    let kind = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    ([kind], include_str!("live.js")).into_response()
}

/// The next event; `None` once the daemon has ended, so that an open page does not hold up its stop.
async fn next(mut it: Listening) -> Option<(Result<Event, Infallible>, Listening)> {
    loop {
        it.seconds.tick().await;
        if !it.web.takes_orders() {
            return None;
        }
        let cycles = it.web.shared.health().cycles;
        let is_first = it.told.is_none();
        if it.told.replace(cycles) != Some(cycles) && !is_first {
            it.silent = 0;
            let event = Event::default().event("cycle").data(cycles.to_string());
            return Some((Ok(event), it));
        }
        it.silent += 1;
        if is_first || SIGN_SECONDS <= it.silent {
            it.silent = 0;
            return Some((Ok(Event::default().comment("here")), it));
        }
    }
}
