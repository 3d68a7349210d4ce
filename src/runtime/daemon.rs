//! The loop: tick, cycle, tick; orders from people in between; a stop that lets the running cycle end.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::{
    cycle::{Cycle, CycleError},
    heartbeat::Heartbeat,
    pulse::Pulse,
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

/// How long a stop waits for the running cycle. A call to AWS that hangs takes half a minute, and whoever stops us has to
/// wait no longer than 20 seconds.
const STOP_PATIENCE: Duration = Duration::from_secs(12);

/// Runs cycles until `stop` resolves or `until` is reached. A cycle that runs is finished, unless something in it hangs:
/// then it is left as a crash would leave it, and the next start looks for what was begun.
pub async fn run(
    parts: Parts,
    ticks: &mut dyn Ticks,
    until: Option<Timestamp>,
    stop: impl Future<Output = ()>,
) -> Result<(), DaemonError> {
    tokio::pin!(stop);
    // AWS may be asked for the time, and hang.
    let shared = Arc::clone(&parts.shared);
    let mut pulse = Pulse::new(&shared);
    let first = async {
        tokio::select! {
            biased;
            () = &mut stop => None,
            now = ticks.now() => Some(now),
        }
    };
    let Some(now) = pulse.during(first).await else {
        ticks.leave().await;
        return Ok(());
    };
    let mut now = now?;
    let mut daemon = Daemon::of(parts);
    if let Some(reload) = &daemon.reload {
        let begun = pulse.during(reload.begin(&daemon.cycle, now)).await;
        begun.map_err(at(now))?;
    }
    let mut is_stopping = false;
    let is_left = loop {
        let cycle = daemon.cycle.run(now);
        let run = finished(cycle, stop.as_mut(), &mut is_stopping, STOP_PATIENCE);
        let Some(run) = pulse.during(run).await else {
            tracing::warn!(event = "cycle.left", %now, "a call hangs and the stop does not wait for it: what was begun is looked for at the next start");
            break true;
        };
        run.map_err(at(now))?;
        service::status(&verdict(&shared));
        if is_stopping || until.is_some_and(|until| until <= now) {
            break false;
        }
        let tick = daemon.wait(ticks, stop.as_mut(), now);
        match pulse.during(tick).await? {
            Some(at) => now = at,
            None => break false,
        }
    };
    let closed = if is_left {
        Ok(())
    } else {
        daemon.cycle.close(now).await
    };
    ticks.leave().await;
    closed.map_err(at(now))
}

fn at(at: Timestamp) -> impl FnOnce(CycleError) -> DaemonError {
    move |source| DaemonError::Cycle { at, source }
}

/// What runs, and what it hears between two cycles.
struct Daemon {
    cycle: Cycle,
    shared: Arc<Shared>,
    orders: mpsc::Receiver<Posted>,
    reload: Option<Reload>,
    heartbeat: Heartbeat,
    /// Whether another configuration holds, so that the heartbeat may go elsewhere.
    is_other: bool,
}

impl Daemon {
    fn of(parts: Parts) -> Self {
        let Parts {
            cloud,
            ledger,
            shared,
            orders,
            reload,
        } = parts;
        Self {
            cycle: Cycle::new(cloud, ledger, Arc::clone(&shared)),
            heartbeat: Heartbeat::of(&shared.settings().heartbeat),
            shared,
            orders,
            reload,
            is_other: false,
        }
    }

    /// Beats, and obeys people, until the next tick; nothing when it is told to stop.
    async fn wait(
        &mut self,
        ticks: &mut dyn Ticks,
        mut stop: Pin<&mut impl Future<Output = ()>>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, DaemonError> {
        if std::mem::take(&mut self.is_other) {
            self.heartbeat = Heartbeat::of(&self.shared.settings().heartbeat);
        }
        let beat = self.heartbeat.beat(&self.shared, now);
        tokio::pin!(beat);
        let mut is_beating = true;
        if self.shared.is_simulated {
            // Simulated minutes are too short for a heartbeat beside them.
            (&mut beat).await;
            is_beating = false;
        }
        loop {
            tokio::select! {
                biased;
                () = &mut stop => return Ok(None),
                () = &mut beat, if is_beating => is_beating = false,
                Some(posted) = self.orders.recv() => {
                    self.cycle.obey(posted, now).await.map_err(at(now))?;
                }
                () = asked(&mut self.reload) => {
                    if let Some(reload) = &mut self.reload {
                        let taken = reload.take_in(&mut self.cycle, &self.shared, now).await;
                        self.is_other |= taken.map_err(at(now))?;
                    }
                }
                tick = ticks.next() => return Ok(Some(tick?)),
            }
        }
    }
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

/// What the work comes to, or nothing where it does not end within `patience` after a stop.
async fn finished<T>(
    work: impl Future<Output = T>,
    stop: Pin<&mut impl Future<Output = ()>>,
    is_stopping: &mut bool,
    patience: Duration,
) -> Option<T> {
    let late = async {
        stop.await;
        *is_stopping = true;
        tokio::time::sleep(patience).await;
    };
    tokio::select! {
        biased;
        done = work => Some(done),
        () = late => None,
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const SHORT: Duration = Duration::from_millis(5);

    #[tokio::test]
    async fn a_stop_waits_for_the_cycle_and_not_for_what_hangs() {
        let mut is_stopping = false;
        let mut never = Box::pin(pending());
        let done = finished(ready(1), never.as_mut(), &mut is_stopping, SHORT);
        assert_eq!(done.await, Some(1));
        assert!(!is_stopping);

        let slow = async {
            tokio::time::sleep(SHORT).await;
            2
        };
        let mut at_once = Box::pin(ready(()));
        let patience = Duration::from_secs(600);
        let done = finished(slow, at_once.as_mut(), &mut is_stopping, patience);
        assert_eq!(done.await, Some(2));
        assert!(is_stopping, "and nothing is begun after it");

        let mut at_once = Box::pin(ready(()));
        let hangs = pending::<u8>();
        let done = finished(hangs, at_once.as_mut(), &mut is_stopping, SHORT);
        assert_eq!(done.await, None);
    }
}
