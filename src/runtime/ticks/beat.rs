//! Real minutes, from the scheduler as long as it speaks and from a watchdog when it is silent.
//!
//! The scheduler waits for wall time, which people and NTP set back; the watchdog waits for monotonic time, which
//! nobody does. Which minute a tick carries is the wall clock's affair in both cases.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::clock;
use crate::model::time::{Minute, Timestamp};

/// Two minutes without a tick, and the scheduler's own slack of some seconds.
const PATIENCE: Duration = Duration::from_secs(125);
/// How often the watchdog ticks once it had to.
const MINUTE: Duration = Duration::from_secs(60);

/// One tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tick {
    pub(super) minute: Minute,
    pub(super) source: Source,
}

/// Who ticked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Scheduler,
    Watchdog,
}

/// The ticks of both, as one row.
#[derive(Debug)]
pub(super) struct Beat {
    /// The latest scheduled minute. Minutes that pass unheard are replaced, so missed ticks come as one.
    pub(super) scheduled: watch::Sender<Minute>,
    heard: watch::Receiver<Minute>,
    watchdog: Watchdog,
    wall: fn() -> Timestamp,
}

impl Beat {
    /// Nobody has ticked yet.
    pub(super) fn new(wall: fn() -> Timestamp, now: Instant) -> Self {
        let (scheduled, heard) = watch::channel(Minute::of(wall()));
        Self {
            scheduled,
            heard,
            watchdog: Watchdog::new(now),
            wall,
        }
    }

    /// The next tick. Dropping the future loses none, and does not begin the watchdog's wait anew.
    pub(super) async fn next(&mut self) -> Tick {
        let deadline = tokio::time::Instant::from_std(self.watchdog.deadline());
        let source = tokio::select! {
            biased;
            // It can't be closed: we hold the other end.
            Ok(()) = self.heard.changed() => Source::Scheduler,
            () = tokio::time::sleep_until(deadline) => Source::Watchdog,
        };
        self.watchdog.ticked(source, clock::monotonic());
        let minute = match source {
            Source::Scheduler => *self.heard.borrow_and_update(),
            Source::Watchdog => Minute::of((self.wall)()),
        };
        Tick { minute, source }
    }
}

/// Decides when to tick in the scheduler's place. It knows monotonic time alone.
#[derive(Clone, Copy, Debug)]
struct Watchdog {
    /// Who ticked last, and when.
    last: (Source, Instant),
}

impl Watchdog {
    const fn new(now: Instant) -> Self {
        Self {
            last: (Source::Scheduler, now),
        }
    }

    /// When the watchdog ticks, unless the scheduler does before. A scheduler that was silent is not waited for again:
    /// minutes stay minutes until it speaks.
    fn deadline(&self) -> Instant {
        let (source, at) = self.last;
        at + match source {
            Source::Scheduler => PATIENCE,
            Source::Watchdog => MINUTE,
        }
    }

    fn ticked(&mut self, source: Source, now: Instant) {
        self.last = (source, now);
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Poll};

    use super::*;

    /// 2026-11-02T00:00:20Z, and an hour before.
    const WALL: Timestamp = Timestamp::constant(1_793_577_620, 0);
    const SET_BACK: Timestamp = Timestamp::constant(1_793_574_020, 0);

    fn long_ago() -> Instant {
        clock::monotonic().checked_sub(2 * PATIENCE).unwrap()
    }

    /// What a tick comes to without waiting; `None` where it would wait.
    async fn at_once(beat: &mut Beat) -> Option<Tick> {
        let mut next = pin!(beat.next());
        std::future::poll_fn(|context| {
            Poll::Ready(match next.as_mut().poll(context) {
                Poll::Ready(tick) => Some(tick),
                Poll::Pending => None,
            })
        })
        .await
    }

    #[tokio::test]
    async fn each_scheduled_minute_is_one_tick_that_carries_it() {
        let mut beat = Beat::new(|| WALL, clock::monotonic());
        assert_eq!(at_once(&mut beat).await, None, "nothing was scheduled yet");
        for later in 1..=3 {
            let minute = Minute::of(WALL).plus(later);
            beat.scheduled.send_replace(minute);
            let tick = Tick {
                minute,
                source: Source::Scheduler,
            };
            assert_eq!(at_once(&mut beat).await, Some(tick));
            assert_eq!(at_once(&mut beat).await, None, "one minute, one tick");
        }
    }

    #[tokio::test]
    async fn minutes_missed_during_a_long_cycle_come_as_one() {
        let mut beat = Beat::new(|| WALL, clock::monotonic());
        let last = Minute::of(WALL).plus(7);
        for later in 1..=7 {
            beat.scheduled.send_replace(Minute::of(WALL).plus(later));
        }
        assert_eq!(at_once(&mut beat).await.map(|it| it.minute), Some(last));
        assert_eq!(at_once(&mut beat).await, None);
    }

    #[tokio::test]
    async fn a_silent_scheduler_is_replaced_though_the_wall_clock_was_set_back() {
        let mut beat = Beat::new(|| SET_BACK, long_ago());
        let tick = at_once(&mut beat).await;
        let want = Tick {
            minute: Minute::of(SET_BACK),
            source: Source::Watchdog,
        };
        assert_eq!(tick, Some(want));
        assert_eq!(
            at_once(&mut beat).await,
            None,
            "the next one is a minute away"
        );
    }

    #[tokio::test]
    async fn a_scheduler_that_speaks_late_goes_first() {
        let mut beat = Beat::new(|| WALL, long_ago());
        beat.scheduled.send_replace(Minute::of(WALL));
        let tick = at_once(&mut beat).await;
        assert_eq!(tick.map(|it| it.source), Some(Source::Scheduler));
    }

    #[test]
    fn the_watchdog_waits_two_minutes_once_and_then_keeps_the_minutes() {
        let start = clock::monotonic();
        let mut watchdog = Watchdog::new(start);
        let due = |watchdog: &Watchdog| watchdog.deadline().duration_since(start).as_secs();
        assert_eq!(due(&watchdog), 125);
        watchdog.ticked(Source::Scheduler, start + MINUTE);
        assert_eq!(due(&watchdog), 60 + 125);
        // Silence for an hour: a tick a minute after the first two.
        let mut ticks = 0;
        while due(&watchdog) <= 3_600 {
            ticks += 1;
            let now = watchdog.deadline();
            watchdog.ticked(Source::Watchdog, now);
        }
        assert_eq!(ticks, 57);
        watchdog.ticked(Source::Scheduler, start + 61 * MINUTE);
        assert_eq!(due(&watchdog), 61 * 60 + 125, "it speaks again");
    }
}
