//! Ticks whose instants are AWS's where this machine's clock is off: minutes, ages and waits are counted by them, and a
//! clock that jumps by a year for one cycle would have histories forgotten and quotas left alone for as long.
//!
//! The wall clock is believed while it goes as fast as monotonic time does and agrees with the dates of AWS's answers.
//! When it doesn't, AWS is asked. Off by minutes, ticks are dated by AWS's clock, in whole minutes. While AWS can't be
//! asked no tick comes: without AWS a cycle could read nothing, and would forget by a clock that may be wrong.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use jiff::SignedDuration;

use super::{TickError, Ticks, clock};
use crate::{
    cloud::{Answers, Cloud},
    model::{
        ids::Scope,
        time::{Timestamp, after},
    },
    runtime::service,
};

/// Clocks that are so many seconds apart agree: an answer may hang for half a minute after it was dated.
const APART_SECONDS: i64 = 90;
/// A store that was last written so many minutes before the start is likely; a longer pause is asked about.
const LIKELY_PAUSE_MINUTES: i64 = 1_440;
/// A Region that hangs is given up after half a minute, and all that time no tick comes.
const MOST_ASKED: usize = 3;
/// The namespace in the call that asks for the time. Whoever may read metrics may make it, and a refusal is dated, too.
const NAMESPACE: &str = "AWS/Bedrock";

/// Who knows how far this machine's clock is ahead of AWS's.
#[async_trait]
pub trait Witness: Send + Sync + std::fmt::Debug {
    /// By the last answer to anything.
    fn heard(&self) -> Option<SignedDuration>;

    /// By an answer that comes now.
    async fn ask(&self) -> Told;
}

/// What an answer that was asked for says of the clock.
#[derive(Clone, Copy, Debug)]
pub enum Told {
    /// Ours is so far ahead.
    Ahead(SignedDuration),
    /// Nothing: answers have no date, as those of some emulators.
    Undated,
    /// None came.
    Silent,
}

/// AWS, by the dates of its answers.
#[derive(Debug)]
pub struct Aws {
    cloud: Arc<dyn Cloud>,
    /// Where it is asked, one after the other until one answers.
    scopes: Vec<Scope>,
}

impl Aws {
    /// Over the clients that the cycle uses.
    #[must_use]
    pub const fn new(cloud: Arc<dyn Cloud>, scopes: Vec<Scope>) -> Self {
        Self { cloud, scopes }
    }
}

#[async_trait]
impl Witness for Aws {
    fn heard(&self) -> Option<SignedDuration> {
        ahead(&self.cloud.answers())
    }

    async fn ask(&self) -> Told {
        for scope in self.scopes.iter().take(MOST_ASKED) {
            let before = answered(&self.cloud.answers());
            // What it answers does not matter, only when.
            let listed = self.cloud.list_metrics(scope, NAMESPACE, true, None).await;
            let answers = self.cloud.answers();
            if before < answered(&answers) {
                return ahead(&answers).map_or(Told::Undated, Told::Ahead);
            }
            if let Err(fault) = listed {
                tracing::warn!(event = "clock.unasked", account = %scope.account, region = %scope.region, %fault, "could not ask AWS what time it is");
            }
        }
        Told::Silent
    }
}

fn ahead(answers: &Answers) -> Option<SignedDuration> {
    SignedDuration::try_from_secs_f64(answers.clock_ahead?).ok()
}

fn answered(answers: &Answers) -> u64 {
    answers.waits.values().map(|(count, _)| count).sum()
}

/// The ticks of another source, dated by AWS where that source is off.
#[derive(Debug)]
pub struct Trued<Source, Other> {
    source: Source,
    other: Other,
    trust: Trust,
    /// A tick of the source that is not handed on yet: whoever waits for us may stop waiting at any time.
    pending: Option<Timestamp>,
}

impl<Source: Ticks, Other: Witness> Trued<Source, Other> {
    /// Nothing is known of the clock yet: the first thing is to ask.
    #[must_use]
    pub fn new(source: Source, other: Other) -> Self {
        Self {
            source,
            other,
            trust: Trust::default(),
            pending: None,
        }
    }

    /// The instant by AWS at which the wall clock shows this, or nothing while that is not known.
    async fn dated(&mut self, wall: Timestamp) -> Option<Timestamp> {
        let at = clock::monotonic();
        if self.trust.agrees(wall, at, self.other.heard()) {
            return Some(self.trust.accept(wall, at));
        }
        let before = self.trust.minutes_ahead;
        let told = self.other.ask().await;
        match self.trust.settle(wall, at, told) {
            Ok(now) => {
                let ahead = self.trust.minutes_ahead;
                if ahead != before {
                    tracing::warn!(event = "clock.off", %wall, %now, minutes_ahead = ahead, "{}", said(ahead));
                }
                Some(now)
            }
            Err(doubt) => {
                tracing::error!(event = "clock.doubted", %wall, "{doubt}; nothing is judged, filed or forgotten until AWS says what time it is");
                service::status("the clock jumped, and AWS can't be asked what time it is");
                None
            }
        }
    }
}

fn said(minutes_ahead: i64) -> String {
    if minutes_ahead == 0 {
        return "this machine's clock agrees with AWS's".to_owned();
    }
    let way = if minutes_ahead < 0 {
        "behind"
    } else {
        "ahead of"
    };
    let off = match minutes_ahead.abs() {
        minutes if minutes < 3 * 60 => format!("{minutes} min"),
        minutes if minutes < 3 * 1_440 => format!("{} h", minutes / 60),
        minutes => format!("{} d", minutes / 1_440),
    };
    format!(
        "this machine's clock is {off} {way} AWS's: minutes are dated by AWS's; set it, since AWS refuses what is signed minutes off"
    )
}

#[async_trait]
impl<Source: Ticks, Other: Witness> Ticks for Trued<Source, Other> {
    async fn now(&mut self) -> Result<Timestamp, TickError> {
        loop {
            let wall = self.source.now().await?;
            if let Some(now) = self.dated(wall).await {
                return Ok(now);
            }
            self.source.next().await?;
        }
    }

    async fn next(&mut self) -> Result<Timestamp, TickError> {
        loop {
            let wall = match self.pending {
                Some(wall) => wall,
                None => *self.pending.insert(self.source.next().await?),
            };
            let now = self.dated(wall).await;
            self.pending = None;
            if let Some(now) = now {
                return Ok(now);
            }
        }
    }

    fn known_until(&mut self, newest: Timestamp) {
        self.trust.newest = Some(newest);
    }

    async fn leave(&mut self) {
        self.source.leave().await;
    }
}

/// What is known of the wall clock. Pure: it is told what the clocks say.
#[derive(Debug, Default)]
struct Trust {
    /// Whole minutes that it is ahead of AWS's, where that is more than clocks that agree may be.
    minutes_ahead: i64,
    /// The last reading that was believed.
    last: Option<(Timestamp, Instant)>,
    /// The newest minute in the store at the start.
    newest: Option<Timestamp>,
}

impl Trust {
    /// Whether the wall clock goes on as it did, `ahead` of AWS as it was.
    fn agrees(&self, wall: Timestamp, at: Instant, heard: Option<SignedDuration>) -> bool {
        let Some((last, since)) = self.last else {
            return false; // at the start AWS is asked in any case
        };
        let Ok(passed) = SignedDuration::try_from(at.saturating_duration_since(since)) else {
            return false;
        };
        let stepped = wall.duration_since(last).saturating_sub(passed);
        is_about(stepped, 0) && heard.is_none_or(|ahead| is_about(ahead, self.minutes_ahead))
    }

    /// Believes a reading as it is, with the correction that holds.
    fn accept(&mut self, wall: Timestamp, at: Instant) -> Timestamp {
        self.last = Some((wall, at));
        after(wall, -self.minutes_ahead)
    }

    /// What AWS said, or could not be asked.
    fn settle(&mut self, wall: Timestamp, at: Instant, told: Told) -> Result<Timestamp, String> {
        match told {
            Told::Ahead(ahead) if is_about(ahead, self.minutes_ahead) => {}
            Told::Ahead(ahead) if is_about(ahead, 0) => self.minutes_ahead = 0,
            Told::Ahead(ahead) => self.minutes_ahead = whole_minutes(ahead),
            Told::Undated => {}
            Told::Silent => self.likely(wall)?,
        }
        Ok(self.accept(wall, at))
    }

    /// At the start, without AWS: a store that was written not long ago says that the clock is about right.
    fn likely(&self, wall: Timestamp) -> Result<(), String> {
        if let Some((last, _)) = self.last {
            return Err(format!("this machine's clock was {last}, and is {wall}"));
        }
        let Some(newest) = self.newest else {
            return Ok(()); // there is nothing yet that a wrong clock could spoil
        };
        if after(newest, -LIKELY_PAUSE_MINUTES) <= wall
            && wall <= after(newest, LIKELY_PAUSE_MINUTES)
        {
            return Ok(());
        }
        Err(format!(
            "this machine's clock is {wall}, and the store's newest minute {newest}"
        ))
    }
}

fn is_about(ahead: SignedDuration, minutes: i64) -> bool {
    let apart = ahead.as_secs().saturating_sub(minutes.saturating_mul(60));
    apart.saturating_abs() < APART_SECONDS
}

/// To the nearest.
const fn whole_minutes(ahead: SignedDuration) -> i64 {
    let half = if ahead.is_negative() { -30 } else { 30 };
    ahead.as_secs().saturating_add(half) / 60
}

#[cfg(test)]
mod tests;
