//! The loop: tick, cycle, tick; orders from people in between; a stop that lets the running cycle end.

use std::{future::Future, sync::Arc};

use tokio::sync::mpsc;

use super::{
    cycle::{Cycle, CycleError},
    heartbeat::Heartbeat,
    reload::Reload,
    service,
    shared::{Posted, Shared},
    ticks::{TickError, Ticks},
};
use crate::{cloud::Cloud, model::time::Timestamp, store::Ledger};

/// What a daemon is made of.
#[derive(Debug)]
pub struct Parts {
    /// The world outside.
    pub cloud: Arc<dyn Cloud>,
    /// Where decisions are durable.
    pub ledger: Arc<dyn Ledger>,
    /// What the web sees.
    pub shared: Arc<Shared>,
    /// What people ask.
    pub orders: mpsc::Receiver<Posted>,
    /// Takes in a changed configuration; without it, the first one holds to the end.
    pub reload: Option<Reload>,
}

/// Why the daemon ended without being asked to.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// A cycle could not go on.
    #[error("the cycle at {at} could not go on")]
    Cycle {
        /// When.
        at: Timestamp,
        /// Why.
        #[source]
        source: CycleError,
    },
    /// No ticks any more.
    #[error("no ticks any more")]
    Ticks(#[from] TickError),
}

/// Runs cycles until `stop` resolves or `until` is reached. A cycle that runs is always finished.
pub async fn run(
    parts: Parts,
    ticks: &mut dyn Ticks,
    until: Option<Timestamp>,
    stop: impl Future<Output = ()>,
) -> Result<(), DaemonError> {
    let Parts {
        cloud,
        ledger,
        shared,
        mut orders,
        mut reload,
    } = parts;
    let mut cycle = Cycle::new(cloud, ledger, Arc::clone(&shared));
    let mut heartbeat = Heartbeat::of(&shared.settings().heartbeat);
    let mut is_other = false;
    let mut now = ticks.now().await?;
    if let Some(reload) = &reload {
        let begun = reload.begin(&cycle, now).await;
        begun.map_err(|source| DaemonError::Cycle { at: now, source })?;
    }
    tokio::pin!(stop);
    loop {
        cycle
            .run(now)
            .await
            .map_err(|source| DaemonError::Cycle { at: now, source })?;
        service::alive(&verdict(&shared));
        if until.is_some_and(|until| until <= now) {
            break;
        }
        if std::mem::take(&mut is_other) {
            heartbeat = Heartbeat::of(&shared.settings().heartbeat);
        }
        let beat = heartbeat.beat(&shared, now);
        tokio::pin!(beat);
        let mut is_beating = true;
        if shared.is_simulated {
            // Simulated minutes are too short for a heartbeat beside them.
            (&mut beat).await;
            is_beating = false;
        }
        let next = loop {
            tokio::select! {
                biased;
                () = &mut stop => break None,
                () = &mut beat, if is_beating => is_beating = false,
                Some(posted) = orders.recv() => {
                    cycle.obey(posted, now).await.map_err(|source| DaemonError::Cycle { at: now, source })?;
                }
                () = asked(&mut reload) => {
                    if let Some(reload) = &mut reload {
                        let taken = reload.take_in(&mut cycle, &shared, now).await;
                        is_other |= taken.map_err(|source| DaemonError::Cycle { at: now, source })?;
                    }
                }
                tick = ticks.next() => break Some(tick?),
            }
        };
        match next {
            Some(at) => now = at,
            None => break,
        }
    }
    let closed = cycle.close(now).await;
    ticks.leave().await;
    closed.map_err(|source| DaemonError::Cycle { at: now, source })
}

/// Resolves when the configuration is to be read again.
async fn asked(reload: &mut Option<Reload>) {
    match reload {
        Some(reload) => reload.asked().await,
        None => std::future::pending().await,
    }
}

/// One line on how things stand, for `systemctl status`.
fn verdict(shared: &Shared) -> String {
    let book = shared.book();
    let open = book
        .incidents
        .values()
        .filter(|incident| incident.is_open())
        .count();
    let failing = shared.health().failing.len();
    format!(
        "{} pools watched, {open} incidents open, {failing} readings failing",
        book.pools.len()
    )
}
