//! What people and scripts see over HTTP: the status page, the JSON API, metrics and health.
//!
//! Reads the view that the daemon shares and writes nothing: what people decide goes to the daemon as an order. Without a
//! token to ask for, only a loopback listener is served.

use std::{
    future::Future,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::DefaultBodyLimit, middleware};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, oneshot},
    time,
};

use crate::runtime::shared::Shared;

mod access;
mod alb;
mod api;
mod connections;
mod decide;
pub mod filed;
mod guard;
mod history;
pub mod inert;
pub mod json;
mod live;
mod metrics;
mod moment;
mod openapi;
mod orders;
mod page;
mod prospect;
mod ran;
mod routes;
mod view;
pub mod words;

pub use alb::keys_answer;
pub use view::View;

/// The longest body that is read, in bytes: what people say is far smaller.
const MOST_BODY: usize = 4_096;
/// How long open connections may go on after the stop.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// How often the web looks whether the daemon still begins cycles.
const PULSE: Duration = Duration::from_secs(1);

/// Looks between two lines of the log about requests that were refused.
const TOLD_PULSES: u64 = 60;

/// What every handler sees.
#[derive(Debug)]
struct Web {
    shared: Arc<Shared>,
    /// The number of cycles at the last look.
    cycles: AtomicU64,
    /// Looks in a row, one a second, at which the number of cycles was the same.
    idle_seconds: AtomicU64,
    /// The number of beats of the loop at the last look.
    beats: AtomicU64,
    /// Looks in a row at which that was the same, once it had begun to beat.
    still_seconds: AtomicU64,
    /// Requests of nobody who may ask since that was last told.
    strangers: AtomicU64,
    /// Why the load balancer's word was last not taken since then.
    refused: Mutex<Option<alb::Refused>>,
    /// Who is signed in by the load balancer.
    door: alb::Door,
    /// What proves that a form is ours, and is decided once.
    seals: decide::Seals,
    pulses: AtomicU64,
    /// Places for pages that are told of each cycle.
    listeners: Arc<Semaphore>,
}

impl Web {
    fn new(shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self {
            shared,
            cycles: AtomicU64::new(0),
            idle_seconds: AtomicU64::new(0),
            beats: AtomicU64::new(0),
            still_seconds: AtomicU64::new(0),
            strangers: AtomicU64::new(0),
            refused: Mutex::new(None),
            door: alb::Door::default(),
            seals: decide::Seals::new(),
            pulses: AtomicU64::new(0),
            listeners: Arc::new(Semaphore::new(live::MOST_LISTENERS)),
        })
    }

    /// One look at the daemon, to be taken once a second of real time: the daemon's own time may stand still.
    fn pulse(&self) {
        let cycles = self.shared.health().cycles;
        look(&self.cycles, cycles, &self.idle_seconds);
        let beats = self.shared.beats();
        if 0 < beats {
            look(&self.beats, beats, &self.still_seconds);
        }
        let pulse = self.pulses.fetch_add(1, Ordering::Relaxed);
        if pulse.is_multiple_of(TOLD_PULSES) {
            self.tell_strangers();
        }
    }

    /// Counts a request of nobody who may ask. Guesses would fill the log otherwise.
    fn note_stranger(&self, why: Option<alb::Refused>) {
        self.strangers.fetch_add(1, Ordering::Relaxed);
        if why.is_some() {
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = why;
        }
    }

    fn tell_strangers(&self) {
        let requests = self.strangers.swap(0, Ordering::Relaxed);
        let why = self
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if 0 < requests {
            let sign_in = why.map(|it| it.to_string());
            tracing::warn!(
                event = "web.denied",
                requests,
                sign_in,
                "requests without a right token or sign-in were refused in the last minute"
            );
        }
    }

    /// Makes a document under the locks, which are held for that long and never across an await.
    fn with_view<T>(&self, make: impl FnOnce(&View<'_>) -> T) -> T {
        let stop = self.shared.stop();
        let settings = self.shared.settings();
        let book = self.shared.book();
        let health = self.shared.health();
        make(&View {
            book: &book,
            health: &health,
            settings: &settings,
            is_simulated: self.shared.is_simulated,
            stop: stop.as_ref(),
            idle_seconds: self.idle_seconds.load(Ordering::Relaxed),
            still_seconds: self.still_seconds.load(Ordering::Relaxed),
        })
    }

    /// Whether somebody is there to take orders.
    fn takes_orders(&self) -> bool {
        !self.shared.orders.is_closed()
    }
}

/// Counts the looks at which this number was what it had been.
fn look(last: &AtomicU64, number: u64, looks: &AtomicU64) {
    if last.swap(number, Ordering::Relaxed) == number {
        looks.fetch_add(1, Ordering::Relaxed);
    } else {
        looks.store(0, Ordering::Relaxed);
    }
}

/// The router over the shared view.
pub fn router(shared: Arc<Shared>) -> Router {
    served(Web::new(shared))
}

fn served(web: Arc<Web>) -> Router {
    let all = routes::all().into_iter();
    let router = all.fold(Router::new(), |router, it| {
        router.route(it.path, it.handler)
    });
    let (path, forms) = decide::route();
    router
        .route(path, forms)
        .fallback(api::nothing_here)
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&web),
            guard::guard,
        ))
        .with_state(web)
}

/// Serves until `stop` resolves, then lets open connections finish for a few seconds.
///
/// # Errors
///
/// Refuses a listener that is not on loopback where no token is asked for; else what the socket says.
pub async fn serve(
    shared: Arc<Shared>,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() && !shared.settings().access.is_guarded() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "refused to serve the status page on {address}: others could reach it, and it asks for no token; set `[listen] token_file` or `[listen.alb]`, or use 127.0.0.1:{} and a tunnel",
                address.port()
            ),
        ));
    }
    let web = Web::new(shared);
    let (stopping, stopped) = oneshot::channel::<()>();
    let stop = async move {
        stop.await;
        drop(stopping); // Its other end resolves, and the grace begins to run.
    };
    let listener = connections::Limited::new(listener);
    let router = served(Arc::clone(&web));
    let served = connections::serve(listener, router, connections::MOST_HEADERS, stop);
    let grace = async {
        stopped.await.unwrap_or(()); // Only ever dropped: that is the signal.
        time::sleep(STOP_GRACE).await;
    };
    tokio::select! {
        () = served => Ok(()),
        () = grace => Ok(()),
        () = beat(&web) => Ok(()),
    }
}

/// Looks at the daemon once a second; never ends.
async fn beat(web: &Web) {
    let mut seconds = time::interval(PULSE);
    seconds.set_missed_tick_behavior(time::MissedTickBehavior::Skip);
    loop {
        seconds.tick().await;
        web.pulse();
    }
}
