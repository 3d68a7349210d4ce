//! The service: store, AWS, page and loop, wired and stopped together.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use tokio::net::TcpListener;

use crate::{
    aws::{self, ConnectError, NotLoopback, Patience, SdkCloud, SdkOptions},
    cloud::Cloud,
    model::{
        policy::{Account, Regions, Settings},
        time::after,
    },
    runtime::{
        buttons,
        daemon::{self, DaemonError, Parts},
        reload::{Reload, Source},
        service,
        shared::{Listener, Shared},
        sim_clock::{Pace, SimClock, SimClockError},
        switch::Switch,
        ticks::{Aws, CronTicks, SimTicks, TickError, Ticks, Trued},
    },
    store::{self, History, Ledger, StoreError},
    web,
};

/// What `run` needs beside its configuration.
#[derive(Debug, Default)]
pub struct RunOptions {
    /// Take the time from the simulated AWS at this URL, under this name.
    pub sim_clock: Option<(String, String)>,
    /// Stop after so many minutes of the service's own time.
    pub lasting_minutes: Option<i64>,
}

/// Why the service could not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store.
    #[error("could not open the store")]
    Store(#[from] StoreError),
    /// AWS.
    #[error("could not reach AWS")]
    Connect(#[from] ConnectError),
    /// `--sim-clock` with a real AWS.
    #[error("the simulated clock is for a simulated AWS only")]
    NotLoopback(#[from] NotLoopback),
    /// The simulated clock.
    #[error("could not reach the simulated clock")]
    SimClock(#[from] SimClockError),
    /// The scheduler.
    #[error("could not start the clock")]
    Ticks(#[from] TickError),
    /// The page's address.
    #[error("could not listen on {address} for the page and the metrics")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The service ended.
    #[error("the service had to stop")]
    Daemon(#[from] DaemonError),
    /// A signal handler could not be installed.
    #[error("could not listen for signals")]
    Signals(#[source] std::io::Error),
    /// Another part failed to open what it needs.
    #[error("could not open {what}")]
    Open {
        /// What.
        what: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Runs the service until it is told to stop.
pub async fn run(source: Source, options: RunOptions) -> Result<(), RunError> {
    // First of all: a signal that comes early must not end the process.
    let mut settings = source.known.settings.clone();
    let reload = Reload::new(source).map_err(RunError::Signals)?;
    let is_simulated = options.sim_clock.is_some();
    if is_simulated {
        aws::endpoints_are_loopback()?;
    }
    // Before the clock: a second service on this store must not take the first one's place there.
    let (ledger, history) = open_store(settings.store_path.clone(), settings.room.reserve).await?;
    let clock = match &options.sim_clock {
        Some((url, name)) => Some(SimClock::new(url, name)?),
        None => None,
    };
    let patience = match &clock {
        Some(clock) => patience_of(clock).await?,
        None => Patience::real(),
    };
    settings.accounts = accounts(settings.accounts, patience).await?;
    let cloud = SdkCloud::connect(SdkOptions {
        accounts: settings.accounts.clone(),
        patience,
        endpoint: None,
    })
    .await?;
    let cloud: Arc<dyn Cloud> = Arc::new(cloud);
    let mut ticks: Box<dyn Ticks> = match clock {
        Some(clock) => {
            clock.register().await?;
            Box::new(SimTicks::new(clock))
        }
        None => {
            let scopes = settings.accounts.iter().flat_map(Account::scopes);
            let aws = Aws::new(Arc::clone(&cloud), scopes.collect());
            Box::new(Trued::new(CronTicks::start().await?, aws))
        }
    };
    let stop = stop_signal()?;
    let address = settings.listen;
    let page = TcpListener::bind(address)
        .await
        .map_err(|source| RunError::Listen { address, source })?;
    let service = Service {
        settings,
        is_simulated,
        cloud,
        ledger,
        history,
        page,
        listener: None,
        reload: Some(reload),
    };
    service
        .serve(&mut *ticks, options.lasting_minutes, stop)
        .await
}

/// How long calls to a simulated AWS may take: in its time, where that passes while we wait.
pub(super) async fn patience_of(clock: &SimClock) -> Result<Patience, RunError> {
    Ok(match clock.pace().await? {
        Pace::Times(times) => Patience::at_speed(times),
        Pace::AsClientsLetIt => Patience::loopback(),
    })
}

/// All parts of a running service; the demo makes its own.
pub(super) struct Service {
    pub(super) settings: Settings,
    pub(super) is_simulated: bool,
    pub(super) cloud: Arc<dyn Cloud>,
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) history: Arc<dyn History>,
    pub(super) page: TcpListener,
    pub(super) listener: Option<Listener>,
    pub(super) reload: Option<Reload>,
}

impl Service {
    /// Serves until `stop` or until the time is over.
    pub(super) async fn serve(
        self,
        ticks: &mut dyn Ticks,
        lasting_minutes: Option<i64>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), RunError> {
        let ledger = Arc::clone(&self.ledger);
        let book = blocking(move || ledger.load()).await?;
        if let Some(newest) = book.read_through.values().max() {
            ticks.known_until(newest.start());
        }
        let switch = Switch::beside(&self.settings.store_path);
        let (shared, orders) = Shared::new(self.settings, self.is_simulated, book);
        let mut shared = shared.with_history(self.history).with_switch(switch);
        if let Some(listener) = self.listener {
            shared = shared.heard_by(listener);
        }
        let shared = Arc::new(shared);
        let (closing, closed) = tokio::sync::oneshot::channel::<()>();
        let page = spawn_page(Arc::clone(&shared), self.page, closed);
        let buttons = spawn_buttons(Arc::clone(&self.cloud), Arc::clone(&shared));
        let until = match lasting_minutes {
            Some(minutes) => Some(after(ticks.now().await?, minutes)),
            None => None,
        };
        service::ready();
        let parts = Parts {
            cloud: self.cloud,
            ledger: self.ledger,
            shared,
            orders,
            reload: self.reload,
        };
        let result = daemon::run(parts, ticks, until, stop).await;
        service::stopping();
        buttons.abort();
        if let Some(error) = buttons.await.err().filter(|it| !it.is_cancelled()) {
            tracing::error!(event = "buttons.ended", %error, "presses were not heard to the end");
        }
        drop(closing);
        if let Err(error) = page.await {
            tracing::warn!(event = "web.ended", %error, "the page did not end cleanly");
        }
        Ok(result?)
    }
}

/// The page runs beside the loop. Its failure is told, and does not stop the watching.
#[expect(
    clippy::disallowed_methods,
    reason = "a task beside the loop; its end is awaited and reported"
)]
fn spawn_page(
    shared: Arc<Shared>,
    listener: TcpListener,
    closed: tokio::sync::oneshot::Receiver<()>,
) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let stop = async move {
            // An error is the sender's end, which is the signal.
            drop(closed.await);
        };
        if let Err(error) = web::serve(shared, listener, stop).await {
            tracing::error!(event = "web.failed", %error, "the page is gone; watching goes on");
        }
    })
}

/// Presses are heard while a cycle runs, too: Slack waits three seconds for a word.
#[expect(
    clippy::disallowed_methods,
    reason = "a task beside the loop; it is ended with it, and a panic is reported"
)]
fn spawn_buttons(cloud: Arc<dyn Cloud>, shared: Arc<Shared>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(buttons::serve(cloud, shared))
}

async fn open_store(
    path: PathBuf,
    reserve: u64,
) -> Result<(Arc<dyn Ledger>, Arc<dyn History>), RunError> {
    let opened = blocking(move || {
        let ledger = store::open(&path)?;
        ledger.hold_reserve(reserve);
        if let Some(store::Migrated { from, to, kept }) = ledger.migrated() {
            tracing::warn!(
                event = "store.migrated",
                from,
                to,
                "the store was of format {from} and is of format {to} now; the ledger as it was is kept in {}, \
                 for the way back (docs/upgrade.md): remove it once you are sure",
                kept.display()
            );
        }
        let history = ledger.history()?;
        Ok((ledger, history))
    });
    let (ledger, history) = opened.await?;
    Ok((Arc::new(ledger), Arc::new(history)))
}

/// Disk work belongs on a blocking thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, RunError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(cut) => Err(RunError::Open {
            what: "the store".to_owned(),
            source: std::io::Error::other(cut),
        }),
    }
}

/// Without accounts in the configuration: the one that the credentials belong to, in the environment's Region.
pub(super) async fn accounts(
    configured: Vec<Account>,
    patience: Patience,
) -> Result<Vec<Account>, RunError> {
    if !configured.is_empty() {
        return Ok(configured);
    }
    let options = SdkOptions {
        accounts: Vec::new(),
        patience,
        endpoint: None,
    };
    let home = SdkCloud::home(&options).await?;
    tracing::info!(event = "home", scope = %home, "no account is configured: watching the one of the credentials");
    Ok(vec![Account {
        id: home.account,
        name: None,
        regions: Regions::These(vec![home.region]),
        role_arn: None,
        external_id: None,
        metrics_through: None,
    }])
}

/// Resolves at SIGTERM or SIGINT.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()>, RunError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Signals)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!(
            event = "stopping",
            "told to stop: the running cycle is finished first, unless a call in it hangs"
        );
    })
}
