//! The pulse of the loop: whoever watches over us (systemd, health checks) hears every few seconds that its task still runs,
//! in the middle of a long cycle as well as between two.
//!
//! A thread that stands still beats no more, and is noticed within seconds. What only waits (for AWS, for the disk) beats on,
//! since a long cycle is no hang; but not for ever: after [`Pulse::LONGEST`] in which no cycle ended, and nothing was said of
//! why there is none, it falls silent.

use std::{
    future::Future,
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{clock, service, shared::Shared};

/// Beats while what the loop does goes on.
#[derive(Debug)]
pub(super) struct Pulse<'a> {
    /// Counted there, for the web.
    count: &'a AtomicU64,
    beats: Interval,
    longest: Duration,
    /// How often it was said how things stand, and when the last of it was seen.
    steps: (u64, Instant),
}

impl<'a> Pulse<'a> {
    /// From beat to beat: nine fit into the `WatchdogSec` of the unit.
    const EVERY: Duration = Duration::from_secs(5);
    /// Longer than any cycle takes, and than ticks are apart.
    const LONGEST: Duration = Duration::from_secs(300);

    pub(super) fn new(shared: &'a Shared) -> Self {
        // Simulated minutes take as long as the clock of the sim lets them.
        let longest = if shared.is_simulated {
            Duration::MAX
        } else {
            Self::LONGEST
        };
        Self::of(&shared.beats, Self::EVERY, longest)
    }

    fn of(count: &'a AtomicU64, every: Duration, longest: Duration) -> Self {
        let mut beats = interval(every);
        beats.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Self {
            count,
            beats,
            longest,
            steps: (service::steps(), clock::monotonic()),
        }
    }

    /// What this work comes to, beating until then. Both run in this very task: work that holds its thread holds the beats.
    pub(super) async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                _ = self.beats.tick() => self.beat(),
            }
        }
    }

    fn beat(&mut self) {
        let (now, steps) = (clock::monotonic(), service::steps());
        if steps != self.steps.0 {
            self.steps = (steps, now);
        }
        if now.duration_since(self.steps.1) < self.longest {
            service::alive();
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(1);

    async fn three(beats: &AtomicU64) {
        while beats.load(Ordering::Relaxed) < 3 {
            tokio::time::sleep(SOON).await;
        }
    }

    #[tokio::test]
    async fn a_long_cycle_beats_while_it_waits() {
        let beats = AtomicU64::new(0);
        let mut pulse = Pulse::of(&beats, SOON, Duration::from_secs(3_600));
        pulse.during(three(&beats)).await;
    }

    #[tokio::test]
    async fn what_holds_the_thread_does_not_beat() {
        let beats = AtomicU64::new(0);
        let mut pulse = Pulse::of(&beats, SOON, Duration::from_secs(3_600));
        pulse.during(async { std::thread::sleep(20 * SOON) }).await;
        assert_eq!(beats.into_inner(), 0);
    }

    #[tokio::test]
    async fn what_waits_for_ever_falls_silent() {
        let beats = AtomicU64::new(0);
        let mut pulse = Pulse::of(&beats, SOON, Duration::ZERO);
        pulse.during(tokio::time::sleep(20 * SOON)).await;
        assert_eq!(beats.load(Ordering::Relaxed), 0);
        pulse.longest = Duration::from_secs(3_600);
        pulse.during(three(&beats)).await;
    }
}
