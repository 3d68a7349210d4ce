//! The simulated AWS over HTTP: the real wire protocols, the simulated clock's protocol, webhooks, wire faults.
//!
//! What AWS would say is the kernel's ([`Sim::handle`]); here is only how it is said. Nothing in here decides what a
//! call does.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, DefaultBodyLimit, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::Notify};

use self::{
    answer::Context,
    clock_http::Clock,
    cut::{CutListener, Scissors},
    faults::Tally,
    request::Raw,
    unpack::MAX_BODY_BYTES,
};
use super::{ApiError, Call, Service, Sim};
use crate::model::ids::AccountId;

mod answer;
mod cbor;
pub mod clock;
mod clock_http;
mod cut;
mod faults;
mod pages;
mod query;
mod request;
mod rest;
mod unpack;

pub use clock_http::{Speed, SpeedError};
pub use faults::{FaultKind, WireFaults};
pub use pages::PageFault;

/// The grace of a client that is not heard, unless told otherwise.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(120);
/// How long open connections get to end once the server is told to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

/// How the simulator is served.
#[derive(Clone, Debug)]
pub struct Options {
    /// How fast its clock runs.
    pub speed: Speed,
    /// What goes wrong on the wire.
    pub faults: WireFaults,
    /// Real time for which a client that is not heard holds the clock.
    pub grace: Duration,
}

impl Options {
    /// A server without faults at this speed.
    #[must_use]
    pub fn at(speed: Speed) -> Self {
        Self {
            speed,
            faults: WireFaults::default(),
            grace: DEFAULT_GRACE,
        }
    }
}

/// Shared by all handlers.
#[derive(Debug)]
struct Front {
    sim: Arc<Sim>,
    faults: WireFaults,
    tally: Mutex<Tally>,
    requests: AtomicU64,
    anyone: AccountId,
}

impl Front {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        // Plain counters: a panic elsewhere leaves them whole.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves the simulator on `listener` until `stop` is done; waits and hanging answers are then ended.
///
/// # Errors
///
/// The listener fails for good.
pub async fn serve(
    sim: Arc<Sim>,
    listener: TcpListener,
    options: Options,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let clock = Clock::new(Arc::clone(&sim), options.speed, options.grace);
    let front = Arc::new(Front {
        anyone: sim.world().first_account(),
        sim,
        faults: options.faults,
        tally: Mutex::default(),
        requests: AtomicU64::new(0),
    });
    let clock_routes = Router::new()
        .route("/_sim/clock", get(clock_http::show))
        .route("/_sim/clock/wait", post(clock_http::wait))
        .route("/_sim/clock/leave", post(clock_http::leave))
        .with_state(Arc::clone(&clock));
    let app = Router::new()
        .route("/_sim/state", get(state))
        .route("/_sim/slack/{*path}", post(webhook))
        .fallback(aws)
        .with_state(front)
        .merge(clock_routes)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .into_make_service_with_connect_info::<Scissors>();
    let stopping = Arc::new(Notify::new());
    let stopped = Arc::clone(&stopping);
    let closing = Arc::clone(&clock);
    let stop = async move {
        stop.await;
        closing.close();
        stopping.notify_one();
    };
    let late = async move {
        stopped.notified().await;
        tokio::time::sleep(STOP_PATIENCE).await;
    };
    let server = axum::serve(CutListener(listener), app).with_graceful_shutdown(stop);
    tokio::select! {
        served = server => served,
        () = late => Ok(()),
        () = clock.drive() => Ok(()),
    }
}

/// `GET /_sim/state`: the kernel's state, and the faults of the wire.
async fn state(State(front): State<Arc<Front>>) -> Response {
    let mut state = front.sim.state();
    if let Some(state) = state.as_object_mut() {
        state.insert("faults".to_owned(), front.tally().to_json());
    }
    axum::Json(state).into_response()
}

/// What the server does with one request besides answering it.
struct Fate {
    fault: Option<FaultKind>,
    nth: u64,
}

impl Fate {
    fn of(front: &Front, who: &str, operation: &str) -> Self {
        let mut tally = front.tally();
        let nth = tally.call(who, operation);
        let fault = front.faults.pick(who, operation, nth, front.sim.now());
        if let Some(kind) = fault {
            tally.fault(kind.name(), operation);
        }
        Self { fault, nth }
    }

    /// The refusal that comes instead of the effect.
    fn before(&self, service: Option<Service>, scissors: &Scissors) -> Option<ApiError> {
        match self.fault? {
            FaultKind::Throttled => Some(faults::throttled(service)),
            FaultKind::ErrorBefore => Some(faults::broken(service, self.nth)),
            FaultKind::DroppedBefore => {
                scissors.drop_answer();
                Some(faults::broken(service, self.nth)) // nobody will read it
            }
            FaultKind::ErrorAfter
            | FaultKind::DroppedAfter
            | FaultKind::Hang
            | FaultKind::Truncated => None,
        }
    }

    /// The refusal that comes after the effect; waits, cuts the connection.
    async fn after(
        &self,
        service: Option<Service>,
        front: &Front,
        scissors: &Scissors,
    ) -> Option<ApiError> {
        match self.fault? {
            FaultKind::ErrorAfter => return Some(faults::broken(service, self.nth)),
            FaultKind::DroppedAfter => scissors.drop_answer(),
            FaultKind::Truncated => scissors.cut_answer(),
            FaultKind::Hang => {
                tokio::time::sleep(Duration::from_secs(front.faults.hang_seconds)).await;
            }
            FaultKind::Throttled | FaultKind::ErrorBefore | FaultKind::DroppedBefore => {}
        }
        None
    }
}

/// `POST /_sim/slack/…`: a webhook as Slack answers it.
async fn webhook(
    State(front): State<Arc<Front>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    uri: Uri,
    body: Bytes,
) -> Response {
    let fate = Fate::of(&front, uri.path(), "slack:Post");
    let refusal = match fate.before(None, &scissors) {
        Some(refusal) => Some(refusal),
        None => {
            front
                .sim
                .receive_webhook(uri.path(), &String::from_utf8_lossy(&body));
            fate.after(None, &front, &scissors).await
        }
    };
    match refusal {
        None => "ok".into_response(),
        Some(error) => {
            let status = StatusCode::from_u16(error.status);
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, "internal_error").into_response()
        }
    }
}

/// Everything else is AWS.
async fn aws(
    State(front): State<Arc<Front>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let number = front.requests.fetch_add(1, Ordering::Relaxed);
    let request_id = format!("00000000-0000-4000-8000-{number:012x}");
    let raw = Raw {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or(""),
        headers: &headers,
        body: &body,
    };
    let (protocol, call) = match request::read(&raw, &front.anyone) {
        Ok(read) => read,
        Err(unreadable) => {
            let context = Context {
                protocol: unreadable.protocol,
                service: unreadable.service,
                operation: String::new(),
                request_id,
            };
            return answer::answer(&context, Err(unreadable.error));
        }
    };
    let context = Context {
        protocol,
        service: call.service,
        operation: call.operation.clone(),
        request_id,
    };
    let outcome = performed(&front, call, &scissors).await;
    answer::answer(&context, outcome)
}

/// The call's outcome as its caller is told, with what the wire does to it.
async fn performed(
    front: &Arc<Front>,
    mut call: Call,
    scissors: &Scissors,
) -> Result<Value, ApiError> {
    let service = call.service;
    let operation = format!("{}:{}", service.prefix(), call.operation);
    if front.faults.is_denied(&operation) {
        front.tally().fault("denied", &operation);
        front.sim.count(&call);
        return Err(faults::denied(service, &operation, &call.account));
    }
    let who = format!("{}/{}", call.account, call.region);
    let fate = Fate::of(front, &who, &operation);
    if let Some(refusal) = fate.before(Some(service), scissors) {
        front.sim.count(&call);
        return Err(refusal);
    }
    let page = front
        .faults
        .pick_page(&who, &operation, fate.nth, front.sim.now());
    let is_short = page == Some(PageFault::Partial) && PageFault::shorten(&mut call);
    let token = PageFault::token(&call);
    let sim = Arc::clone(&front.sim);
    // A fortnight of minutes takes a while to compute; the clock's waits go on meanwhile.
    let handled = tokio::task::spawn_blocking(move || sim.handle(&call)).await;
    let mut outcome = handled.unwrap_or_else(|cause| {
        tracing::error!(%cause, operation, "the simulated AWS could not handle a call");
        Err(faults::broken(Some(service), 0))
    });
    let is_repeated = page == Some(PageFault::Repeated)
        && outcome
            .as_mut()
            .is_ok_and(|answer| PageFault::repeat(token.as_ref(), answer));
    if let Some(page) = page.filter(|_| is_short || is_repeated) {
        front.tally().fault(page.name(), &operation);
    }
    match fate.after(Some(service), front, scissors).await {
        Some(refusal) => Err(refusal),
        None => outcome,
    }
}
