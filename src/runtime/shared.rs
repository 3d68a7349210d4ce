//! What the daemon shows to the web, and what people may ask of it. The daemon is the only writer of the book.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc, oneshot},
    time,
};

use super::{switch::Switch, telemetry::Line};
pub use crate::engine::{crosscheck::CrossCheck, forecast::Quantiles};
use crate::{
    cloud::{Answers, CallCounts, Fault},
    model::{
        alert::Verdict,
        book::Book,
        card::Card,
        catalog::PoolId,
        ids::{ReceiverName, Scope},
        order::{Answer, Order, Stop},
        outcome::Outcome,
        outlook::Exhaustion,
        policy::Settings,
        room::{RoomSeen, RoomState},
        sight::Sights,
        spend::{Calls, Month, Site},
        time::Timestamp,
        units::QuotaKind,
    },
    store::{History, MemoryHistory},
};

/// Shared between the daemon and the web.
pub struct Shared {
    settings: RwLock<Arc<Settings>>,
    /// Whether AWS is the simulated one; said on every page.
    pub is_simulated: bool,
    book: RwLock<Book>,
    health: RwLock<Health>,
    listener: Option<Listener>,
    /// What was measured, for months.
    pub history: Arc<dyn History>,
    /// Stops writes at AWS's desks.
    pub switch: Switch,
    /// Orders from people; the daemon takes them at the start of a cycle and at once while it waits.
    pub orders: mpsc::Sender<Posted>,
    /// Another configuration came into force.
    configured: Notify,
    /// Beats of the daemon's loop so far.
    pub(super) beats: AtomicU64,
}

/// How long the daemon may take to answer an order: a cycle may have to end first.
const MOST_WAIT: Duration = Duration::from_secs(30);

/// Why an order has no good answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// The daemon can't do it, or not now.
    #[error("{0}")]
    Refused(String),
    /// It never got the order.
    #[error(
        "the daemon takes no orders now: its queue is full or its loop has ended; nothing was decided"
    )]
    NotTaken,
    /// It ended with the order in its hands.
    #[error(
        "the daemon stopped before it answered: ask `explain` or `status` how it stands once it is back"
    )]
    Stopped,
    /// It has the order and is slow.
    #[error(
        "the daemon took the order and has not answered in 30 s: it may still be carried out; ask `explain` or `status` how it stands"
    )]
    Late,
}

/// Hears every line the daemon says of itself, after it is true.
pub type Listener = Box<dyn Fn(&[Line], Timestamp) + Send + Sync>;

/// How the daemon itself is.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// When the process started, in the daemon's time.
    pub started: Option<Timestamp>,
    /// The time of the last cycle's start, in the daemon's time.
    pub last_cycle: Option<Timestamp>,
    /// Whether the first cycle is done: store open, credentials proved, targets discovered.
    pub is_ready: bool,
    /// Cycles since the start.
    pub cycles: u64,
    /// The last success of each stage in each scope, such as `read` or `discover`.
    pub last_success: BTreeMap<(&'static str, Scope), Timestamp>,
    /// The last failure of each stage in each scope that no success followed.
    pub failing: BTreeMap<(&'static str, Scope), Failing>,
    /// The latest verdicts of each pool, by rule.
    pub verdicts: BTreeMap<PoolId, Vec<Verdict>>,
    /// Real seconds that the last cycle took.
    pub cycle_seconds: f64,
    /// What the log said since the start, by its event.
    pub events: BTreeMap<&'static str, u64>,
    /// Tries of effects since the start: what, over what it was told where it is a message, and what they came to.
    pub tries: BTreeMap<(&'static str, &'static str, &'static str), u64>,
    /// Commits since the start, and the real seconds they took together.
    pub commits: (u64, f64),
    /// Bytes of the store, once they were counted.
    pub store_bytes: Option<u64>,
    /// What became of heartbeats.
    pub heartbeats: Heartbeats,
    /// How AWS answered since the start.
    pub answers: Answers,
    /// AWS calls since the start.
    pub calls: CallCounts,
    /// What those calls cost at list price, in USD.
    pub cost_usd: f64,
    /// By how much the budget stretches the reads; 1 when it does not.
    pub stretch: f64,
    /// Minutes between reads of the pool that is read most often in each scope.
    pub read_every: BTreeMap<Scope, i64>,
    /// What this month costs, once the first cycle is done.
    pub month: Option<MonthCost>,
    /// The charged tokens of each pool's last whole day, by CloudWatch and by the formula.
    pub checks: BTreeMap<PoolId, CrossCheck>,
    /// What is to come against the quotas of each pool, where enough is known.
    pub outlooks: BTreeMap<(PoolId, QuotaKind), Outlook>,
    /// What became of the last changed configuration that this process was asked to take in.
    pub reload: Option<Reload>,
    /// Receivers that could not be told again what is open there, and why.
    pub unrepeated: BTreeMap<ReceiverName, String>,
    /// The room on the disk of the store, where there is one.
    pub room: Option<RoomSeen>,
    /// Of which accounts and Regions something is not read.
    pub sights: Sights,
    /// Receivers whose buttons nobody hears, and why.
    pub unheard_buttons: BTreeMap<ReceiverName, String>,
}

/// A stage that fails in one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Since when, without a success between.
    pub since: Timestamp,
    /// What failed first in the last try.
    pub first: Fault,
    /// All that failed in it, by `service:Operation`.
    pub operations: BTreeSet<&'static str>,
    /// All of it as one line.
    pub why: String,
}

impl Failing {
    /// As of a try that met these faults; `None` when it met none.
    #[must_use]
    pub fn of(faults: &[Fault], since: Timestamp) -> Option<Self> {
        let first = faults.first()?;
        let others: BTreeSet<String> = faults
            .iter()
            .filter(|fault| fault.operation != first.operation)
            .map(|fault| format!("{} ({})", fault.operation, fault.code))
            .collect();
        let mut why = first.to_string();
        if !others.is_empty() {
            let others: Vec<String> = others.into_iter().collect();
            why = format!("{why}; also {}", others.join(", "));
        }
        Some(Self {
            since,
            first: first.clone(),
            operations: faults.iter().map(|it| it.operation).collect(),
            why,
        })
    }
}

/// What became of a changed configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// When, in the daemon's time.
    pub at: Timestamp,
    /// What is wrong with it, each with its place and remedy. Not empty: nothing of it was taken in.
    pub faults: Vec<String>,
    /// What it says otherwise and only a restart can change, by its key.
    pub after_restart: Vec<&'static str>,
    /// When a configuration was last taken in since the start.
    pub succeeded: Option<Timestamp>,
}

/// What became of heartbeats since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Heartbeats {
    /// The cycle of the last one that got out.
    pub last: Option<Timestamp>,
    /// Those that did not get out.
    pub failed: u64,
    /// Those that would not have been the whole truth.
    pub withheld: u64,
}

/// What is to come against one quota of one pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// When the quota runs out.
    pub exhaustion: Exhaustion,
    /// The demand of the next seven days, in the unit of the quota: the mean a minute of [`FAN_STEP`] minutes each, or what
    /// the UTC day comes to by their end.
    pub fan: Vec<Quantiles>,
    /// How such forecasts did so far.
    pub card: Card,
}

/// Minutes of one bucket of [`Outlook::fan`].
pub const FAN_STEP: i64 = 4 * 60;
/// Buckets of [`Outlook::fan`].
pub const FAN_STEPS: usize = 42;

/// What a calendar month costs.
#[derive(Clone, Debug, PartialEq)]
pub struct MonthCost {
    /// Which.
    pub month: Month,
    /// Since when it is counted.
    pub since: Timestamp,
    /// What was asked, by operation and place, and what that costs in USD at list price.
    pub sites: Vec<(Site, Calls, f64)>,
    /// What all of it costs.
    pub so_far: Cost,
    /// What the month comes to if it goes on like this; `None` before an hour of it was counted.
    pub projected: Option<Cost>,
    /// Where the prices are from.
    pub prices: String,
}

/// Money, in USD.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// At list price, as if no request were free.
    pub list_usd: f64,
    /// With our share of the free requests.
    pub usd: f64,
}

/// The answer to an order that the daemon has.
pub type Awaited = oneshot::Receiver<Result<Answer, String>>;

/// An order on its way to the daemon.
#[derive(Debug)]
pub struct Posted {
    /// What is asked, and by whom.
    pub order: Order,
    /// The answer: what it came to, or why nothing was done.
    pub reply: oneshot::Sender<Result<Answer, String>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("is_simulated", &self.is_simulated)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// A view over a loaded book, and the receiving end of its orders.
    #[must_use]
    pub fn new(
        settings: Settings,
        is_simulated: bool,
        book: Book,
    ) -> (Self, mpsc::Receiver<Posted>) {
        let (orders, inbox) = mpsc::channel(16);
        let shared = Self {
            settings: RwLock::new(Arc::new(settings)),
            is_simulated,
            book: RwLock::new(book),
            health: RwLock::default(),
            listener: None,
            history: Arc::new(MemoryHistory::new()),
            switch: Switch::default(),
            orders,
            configured: Notify::new(),
            beats: AtomicU64::new(0),
        };
        (shared, inbox)
    }

    /// Keeps the history there instead of in memory.
    #[must_use]
    pub fn with_history(mut self, history: Arc<dyn History>) -> Self {
        self.history = history;
        self
    }

    /// Looks there for the file that stops writes.
    #[must_use]
    pub fn with_switch(mut self, switch: Switch) -> Self {
        self.switch = switch;
        self
    }

    /// Adds a listener, such as the demo's running log.
    #[must_use]
    pub fn heard_by(mut self, listener: Listener) -> Self {
        self.listener = Some(listener);
        self
    }

    /// For the daemon alone: hands lines to the listener.
    pub fn heard(&self, lines: &[Line], now: Timestamp) {
        if let Some(listener) = &self.listener {
            listener(lines, now);
        }
    }

    /// For the daemon alone: what came of telling a receiver again what is open; `None` when nothing was.
    pub fn note_repeat(&self, name: &ReceiverName, outcome: Option<&Outcome>, now: Timestamp) {
        let why = match outcome {
            None | Some(Outcome::Done { .. }) => None,
            Some(
                Outcome::NotYet { why, .. }
                | Outcome::Refused { why, .. }
                | Outcome::Never { why }
                | Outcome::InDoubt { why }
                | Outcome::CouldNotLook { why },
            ) => Some(why.clone()),
            Some(Outcome::Theirs { .. } | Outcome::Absent) => Some("no answer".to_owned()),
        };
        let mut health = self.health_mut();
        let Some(why) = why else {
            health.unrepeated.remove(name);
            return;
        };
        if health
            .unrepeated
            .insert(name.clone(), why.clone())
            .is_none()
        {
            tracing::warn!(event = "receiver.unrepeated", receiver = %name, %now, "what is open could not be told again: {why}");
        }
    }

    /// Whether writes at AWS are stopped now, by people or for want of room on the disk.
    pub fn stop(&self) -> Option<Stop> {
        self.switch.stop().or_else(|| self.stop_by_room())
    }

    /// What is filed leaves notes that must not be lost, and takes room that messages need more.
    fn stop_by_room(&self) -> Option<Stop> {
        let health = self.health();
        let seen = health.room.as_ref()?;
        (seen.state == RoomState::Short).then(|| Stop {
            by: Some("the service itself".to_owned()),
            since: Some(seen.since.to_string()),
            why: Some(format!(
                "its disk is full: {}; all goes on by itself once there is room",
                seen.words()
            )),
            place: self.settings().store_path.display().to_string(),
        })
    }

    /// How often its loop has beaten; nothing before it began.
    pub fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// The configuration in force.
    pub fn settings(&self) -> Arc<Settings> {
        let settings = self.settings.read();
        Arc::clone(&settings.unwrap_or_else(PoisonError::into_inner))
    }

    /// For the daemon alone: another configuration is in force.
    pub fn configure(&self, settings: Arc<Settings>) {
        let mut known = self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *known = settings;
        drop(known);
        self.configured.notify_one();
    }

    /// Returns once another configuration has come into force since it was last asked; one task may ask.
    pub(super) async fn configured(&self) {
        self.configured.notified().await;
    }

    /// What the daemon answers to the order.
    ///
    /// # Errors
    /// Why it was not carried out, or why that is not known.
    pub async fn order(&self, order: Order) -> Result<Answer, Unanswered> {
        Self::answered(&mut self.post(order)?).await
    }

    /// Puts the order into the daemon's hands; whether anybody waits for the answer changes nothing of it.
    ///
    /// # Errors
    /// When the daemon does not take it.
    pub fn post(&self, order: Order) -> Result<Awaited, Unanswered> {
        let (reply, answer) = oneshot::channel();
        let posted = self.orders.try_send(Posted { order, reply });
        posted.map(|()| answer).map_err(|_| Unanswered::NotTaken)
    }

    /// The answer to what was posted; after a late one it can be waited for again.
    ///
    /// # Errors
    /// As [`Self::order`].
    pub async fn answered(answer: &mut Awaited) -> Result<Answer, Unanswered> {
        match time::timeout(MOST_WAIT, answer).await {
            Ok(Ok(answer)) => answer.map_err(Unanswered::Refused),
            Ok(Err(_)) => Err(Unanswered::Stopped),
            Err(_) => Err(Unanswered::Late),
        }
    }

    /// The book as of the last commit. Hold the guard briefly and never across an await.
    pub fn book(&self) -> RwLockReadGuard<'_, Book> {
        // A panic while the lock was held stops the daemon elsewhere; readers may still look.
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the daemon alone.
    pub fn book_mut(&self) -> RwLockWriteGuard<'_, Book> {
        self.book.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the daemon is.
    pub fn health(&self) -> RwLockReadGuard<'_, Health> {
        self.health.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the daemon alone.
    pub fn health_mut(&self) -> RwLockWriteGuard<'_, Health> {
        self.health.write().unwrap_or_else(PoisonError::into_inner)
    }
}
