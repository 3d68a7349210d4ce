//! Detectors: what is wrong with a pool now, judged by the pool's own past.
//!
//! Pure: a state and one more minute give the next state and what turned. No clock, no randomness; a minute costs the same
//! after an hour and after a year; the state is plain data of some kilobytes, and one that was stored and read again
//! goes on as if nothing had been. Minutes come in order; a minute that was not measured is left out or `Unobserved`, and
//! proves nothing.
//!
//! - `throttle`: requests are refused;
//! - `failures`: they fail more often than they do;
//! - `latency`: answers are slower than their length explains;
//! - `traffic`: arrivals jump, or vanish;
//! - `tokens`: requests grow longer;
//! - `unusual`: any other signal; no rule uses it yet, and labelled series of other systems measure the ideas by it.
//!
//! They share four ideas, each a file: a window leaves out its loudest minute (`trail`), chance is excluded by a likelihood
//! ratio that knows clumps (`surprise`, `noise`), what the time of day explains is no news (`profile`), and neither is what
//! the pool's calm reaches by itself (`calm`). `latch` makes one page of one incident.
//! What each was measured to do, and what was tried instead: `docs/judging-detectors.md`.
//!
//! Does not belong here: thresholds against a quota and forecasts (`engine`), which incident a finding belongs to (`act/plan`).

use serde::{Deserialize, Serialize};

use crate::model::{
    series::Sample,
    time::{HOUR, Minute},
    unusual::{Beyond, Failing, Jump, Trouble, Unusual as Sought},
};

mod calm;
mod failures;
mod latch;
mod latency;
mod noise;
mod profile;
mod surprise;
mod throttle;
mod tokens;
mod traffic;
mod trail;
mod unusual;

use failures::Failures;
use latency::{Answers, Latency};
use throttle::Throttle;
use tokens::Tokens;
use traffic::Traffic;
pub use unusual::{Strange, Unusual};

/// What one minute of a pool was measured to be, summed over its targets.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Measured {
    /// Requests that were answered.
    pub invocations: Sample,
    /// Requests refused by a quota.
    pub throttles: Sample,
    /// Requests that failed by the caller's fault.
    pub client_errors: Sample,
    /// Requests that failed by AWS's fault.
    pub server_errors: Sample,
    /// Input tokens of the answered requests.
    pub input_tokens: Sample,
    /// Output tokens of the answered requests.
    pub output_tokens: Sample,
    /// Mean milliseconds to the last token.
    pub latency: Sample,
}

/// The numbers behind a bad minute.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What was seen over the window: a share of requests (throttles, errors), milliseconds, arrivals a minute, or tokens
    /// a request.
    pub seen: f64,
    /// What it is compared with, in the same unit.
    pub usual: f64,
    /// Minutes of the window; all but the loudest count.
    pub minutes: u16,
    /// How strong the evidence is, in the statistic of the kind.
    pub score: f64,
    /// What `score` had to reach; grows with what the pool does while nothing is wrong.
    pub limit: f64,
    /// Whether the past behind `usual` or `limit` is still short.
    pub is_young: bool,
}

/// What one detector says of one minute.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Step {
    /// An alert began (`true`) or ended (`false`) with this minute.
    pub turn: Option<bool>,
    /// Why this minute is bad, if it is.
    pub bad: Option<Evidence>,
    /// Why the next one may well be: worth a closer look.
    pub near: Option<Evidence>,
}

/// What is looked for in a pool: nothing by default.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Watched {
    throttled: bool,
    client: Option<Failing>,
    server: Option<Failing>,
    slow: Option<Beyond>,
    up: Option<Jump>,
    down: Option<Jump>,
    tokens: Option<Beyond>,
}

impl Watched {
    /// Of these rules; of two about the same the later one counts.
    #[must_use]
    pub fn of(sought: impl IntoIterator<Item = Sought>) -> Self {
        let mut watched = Self::default();
        for one in sought {
            match one {
                Sought::Throttled => watched.throttled = true,
                Sought::ClientErrors(worth) => watched.client = Some(worth),
                Sought::ServerErrors(worth) => watched.server = Some(worth),
                Sought::Slow(worth) => watched.slow = Some(worth),
                Sought::TrafficUp(worth) => watched.up = Some(worth),
                Sought::TrafficDown(worth) => watched.down = Some(worth),
                Sought::TokensUp(worth) => watched.tokens = Some(worth),
            }
        }
        watched
    }
}

/// Blocks of `calm` in so many minutes.
#[expect(clippy::cast_precision_loss, reason = "minutes of a rule")]
fn blocks(minutes: i64) -> f64 {
    minutes as f64 / (6 * HOUR) as f64
}

/// The detector of refusals, apart from the others, since refusals are read more often than what the others need.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Refusals {
    throttle: Throttle,
}

impl Refusals {
    /// One more minute; minutes come in order. `None`: not measured, or not looked for.
    pub fn push(
        &mut self,
        minute: Minute,
        answered: Sample,
        refused: Sample,
        watched: &Watched,
    ) -> Option<Step> {
        let (answered, refused) = (answered.value()?, refused.value()?);
        let wanted = answered + refused;
        watched
            .throttled
            .then(|| self.throttle.push(minute, refused, wanted))
    }
}

/// All other detectors of one pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detectors {
    client: Failures,
    server: Failures,
    latency: Latency,
    traffic: Traffic,
    tokens: Tokens,
}

impl Default for Detectors {
    fn default() -> Self {
        Self {
            client: Failures::new(),
            server: Failures::new(),
            latency: Latency::new(),
            traffic: Traffic::new(),
            tokens: Tokens::new(),
        }
    }
}

impl Detectors {
    /// One more minute: what there is to say, without those that were not measured, are not looked for, or know too little
    /// yet. Minutes come in order.
    pub fn push(
        &mut self,
        minute: Minute,
        seen: &Measured,
        watched: &Watched,
    ) -> Vec<(Trouble, Step)> {
        let mut steps = Vec::with_capacity(6);
        let mut tell = |trouble, step: Option<Step>| steps.extend(step.map(|it| (trouble, it)));
        let answered = seen.invocations.value();
        if let (Some(answered), Some(client), Some(server)) = (
            answered,
            seen.client_errors.value(),
            seen.server_errors.value(),
        ) {
            let tried = answered + client + server;
            let of_client = watched.client;
            let of_client = of_client.map(|it| self.client.push(minute, client, tried, it));
            tell(Trouble::ClientErrors, of_client);
            let of_server = watched.server;
            let of_server = of_server.map(|it| self.server.push(minute, server, tried, it));
            tell(Trouble::ServerErrors, of_server);
            if let Some(refused) = seen.throttles.value() {
                let worth = (watched.up, watched.down);
                let (up, down) = self.traffic.push(minute, tried + refused, worth);
                tell(Trouble::TrafficUp, up);
                tell(Trouble::TrafficDown, down);
            }
        }
        if let Some(requests) = answered.filter(|answered| 0.0 < *answered) {
            let (input, output) = (seen.input_tokens.value(), seen.output_tokens.value());
            if let (Some(input), Some(output)) = (input, output) {
                let each = |it| self.tokens.push(minute, requests, input + output, it);
                tell(Trouble::TokensUp, watched.tokens.and_then(each));
            }
            if let (Some(output), Some(millis)) = (output, seen.latency.value()) {
                let answers = Answers {
                    requests,
                    length: output / requests,
                    millis,
                };
                let slow = |it| self.latency.push(minute, answers, it);
                tell(Trouble::Slow, watched.slow.and_then(slow));
            }
        }
        steps
    }
}

#[cfg(test)]
mod tests;
