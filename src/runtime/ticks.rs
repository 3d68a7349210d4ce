//! Where minutes come from: the cron scheduler in real time, the simulated AWS's clock in simulated time.
//!
//! The scheduler emits ticks and does nothing else. Its known faults (silence after the wall clock was set back, dead
//! jobs after a panic) are why a watchdog on the monotonic clock emits the tick itself when none came.

use async_trait::async_trait;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

mod beat;
mod trued;

use beat::{Beat, Source};
pub use trued::{Aws, Trued};

use super::{
    clock,
    sim_clock::{SimClock, SimClockError},
};
use crate::model::time::{Minute, Timestamp};

/// Emits the instant at which the next cycle begins.
#[async_trait]
pub trait Ticks: Send + std::fmt::Debug {
    /// The present instant.
    async fn now(&mut self) -> Result<Timestamp, TickError>;

    /// Waits for the next minute. Minutes that passed during a long cycle are not made up for: back-fill does that.
    async fn next(&mut self) -> Result<Timestamp, TickError>;

    /// Told at the start what the store holds: it was written before now.
    fn known_until(&mut self, _newest: Timestamp) {}

    /// Says goodbye, where somebody waits for us.
    async fn leave(&mut self);
}

/// Why no tick comes any more.
#[derive(Debug, thiserror::Error)]
pub enum TickError {
    /// The scheduler could not be started.
    #[error("could not start the scheduler")]
    Scheduler(#[from] JobSchedulerError),
    /// The simulated clock is gone.
    #[error("the simulated clock does not answer")]
    Sim(#[from] SimClockError),
}

/// One tick a minute, UTC, from tokio-cron-scheduler.
pub struct CronTicks {
    scheduler: JobScheduler,
    beat: Beat,
}

impl std::fmt::Debug for CronTicks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CronTicks")
            .field("beat", &self.beat)
            .finish_non_exhaustive()
    }
}

impl CronTicks {
    /// Starts the scheduler.
    pub async fn start() -> Result<Self, TickError> {
        let scheduler = JobScheduler::new().await?;
        let beat = Beat::new(clock::wall, clock::monotonic());
        let scheduled = beat.scheduled.clone();
        // A cron string, in UTC: repeated jobs die after a pause.
        let job = Job::new("0 * * * * *", move |_, _| {
            scheduled.send_replace(Minute::of(clock::wall()));
        })?;
        scheduler.add(job).await?;
        scheduler.start().await?;
        Ok(Self { scheduler, beat })
    }
}

#[async_trait]
impl Ticks for CronTicks {
    async fn now(&mut self) -> Result<Timestamp, TickError> {
        Ok(clock::wall())
    }

    async fn next(&mut self) -> Result<Timestamp, TickError> {
        let tick = self.beat.next().await;
        if tick.source == Source::Watchdog {
            tracing::warn!(
                event = "tick.watchdog",
                now = %tick.minute.start(),
                "the scheduler is silent, as it is after the wall clock was set back; the watchdog ticks in its place"
            );
        }
        Ok(tick.minute.start())
    }

    async fn leave(&mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::warn!(event = "tick.shutdown", %error, "the scheduler did not stop cleanly");
        }
    }
}

/// One tick a minute of the simulated AWS's clock.
#[derive(Debug)]
pub struct SimTicks {
    clock: SimClock,
}

impl SimTicks {
    /// Over a connected clock.
    #[must_use]
    pub const fn new(clock: SimClock) -> Self {
        Self { clock }
    }
}

#[async_trait]
impl Ticks for SimTicks {
    async fn now(&mut self) -> Result<Timestamp, TickError> {
        Ok(self.clock.now().await?)
    }

    async fn next(&mut self) -> Result<Timestamp, TickError> {
        let next = Minute::of(self.clock.now().await?).plus(1).start();
        Ok(self.clock.sleep_until(next).await?)
    }

    async fn leave(&mut self) {
        if let Err(error) = self.clock.leave().await {
            tracing::debug!(event = "tick.leave", %error, "the simulated clock was gone already");
        }
    }
}
