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

use crate::model::{series::Sample, time::Minute};

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

/// What a detector looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Requests are refused.
    Throttled,
    /// More requests than usual fail by the caller's fault.
    ClientErrors,
    /// More requests than usual fail by AWS's fault.
    ServerErrors,
    /// Answers are slower than their length explains.
    Slow,
    /// Far more arrivals than before and than usual at this time of day.
    TrafficUp,
    /// Traffic vanished.
    TrafficDown,
    /// Requests carry far more tokens than before.
    TokensUp,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Throttled,
        Self::ClientErrors,
        Self::ServerErrors,
        Self::Slow,
        Self::TrafficUp,
        Self::TrafficDown,
        Self::TokensUp,
    ];
}

/// The numbers behind a bad minute.
#[derive(Clone, Copy, Debug, PartialEq)]
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

/// An alert that began or ended with this minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// Of which kind.
    pub kind: Kind,
    /// Began, or ended.
    pub began: bool,
    /// Why; where it ended, `None`.
    pub evidence: Option<Evidence>,
}

/// What is worth a page. Everything else is learned from the pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sensitivity {
    /// Failures: times the base rate.
    pub failure_ratio: f64,
    /// Failures: share of the attempts above the base rate.
    pub failure_excess: f64,
    /// Latency: times what the length explains.
    pub slow_factor: f64,
    /// Traffic: times the half hour before, or its inverse.
    pub jump_factor: f64,
    /// Traffic: times the usual high of this time of day.
    pub up_factor: f64,
    /// Traffic: the usual low of this time of day over what is seen.
    pub down_factor: f64,
    /// Tokens a request: times the usual high of this hour of day, and the hour before.
    pub tokens_factor: f64,
    /// A statistic must reach what the pool's calm reaches once in so many blocks of six hours.
    pub rare: f64,
}

impl Default for Sensitivity {
    /// One request in a hundred and half as many again, half as slow again, three times the traffic, twice the tokens; once a month.
    fn default() -> Self {
        Self {
            failure_ratio: 1.5,
            failure_excess: 0.01,
            slow_factor: 1.5,
            jump_factor: 3.0,
            up_factor: 2.0,
            down_factor: 2.5,
            tokens_factor: 2.0,
            rare: 120.0,
        }
    }
}

/// All detectors of one pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Detectors {
    through: Option<Minute>,
    throttle: Throttle,
    client: Failures,
    server: Failures,
    latency: Latency,
    traffic: Traffic,
    tokens: Tokens,
}

impl Default for Detectors {
    fn default() -> Self {
        Self {
            through: None,
            throttle: Throttle::default(),
            client: Failures::new(),
            server: Failures::new(),
            latency: Latency::new(),
            traffic: Traffic::new(),
            tokens: Tokens::new(),
        }
    }
}

impl Detectors {
    /// Judges one more minute, and says what turned. A minute that is not later than the last one was judged already and
    /// changes nothing.
    pub fn push(
        &mut self,
        minute: Minute,
        seen: &Measured,
        sensitivity: &Sensitivity,
    ) -> Vec<Finding> {
        if self.through.is_some_and(|through| minute <= through) {
            return Vec::new();
        }
        self.through = Some(minute);
        let mut findings = Vec::new();
        let mut tell = |kind, (turn, evidence): (Option<bool>, Option<Evidence>)| {
            findings.extend(turn.map(|began| Finding {
                kind,
                began,
                evidence,
            }));
        };
        let answered = seen.invocations.value();
        let refused = seen.throttles.value();
        if let (Some(answered), Some(refused)) = (answered, refused) {
            let wanted = answered + refused;
            tell(Kind::Throttled, self.throttle.push(minute, refused, wanted));
        }
        if let (Some(answered), Some(client), Some(server)) = (
            answered,
            seen.client_errors.value(),
            seen.server_errors.value(),
        ) {
            let tried = answered + client + server;
            let client = self.client.push(minute, client, tried, sensitivity);
            tell(Kind::ClientErrors, client);
            let server = self.server.push(minute, server, tried, sensitivity);
            tell(Kind::ServerErrors, server);
            if let Some(refused) = refused {
                let (up, down) = self.traffic.push(minute, tried + refused, sensitivity);
                tell(Kind::TrafficUp, up);
                tell(Kind::TrafficDown, down);
            }
        }
        if let Some(requests) = answered.filter(|answered| 0.0 < *answered) {
            let (input, output) = (seen.input_tokens.value(), seen.output_tokens.value());
            if let (Some(input), Some(output)) = (input, output) {
                let tokens = self
                    .tokens
                    .push(minute, requests, input + output, sensitivity);
                tell(Kind::TokensUp, tokens);
            }
            if let (Some(output), Some(millis)) = (output, seen.latency.value()) {
                let answers = Answers {
                    requests,
                    length: output / requests,
                    millis,
                };
                tell(Kind::Slow, self.latency.push(minute, answers, sensitivity));
            }
        }
        findings
    }

    /// Since when an alert of this kind is on.
    #[must_use]
    pub const fn since(&self, kind: Kind) -> Option<Minute> {
        match kind {
            Kind::Throttled => self.throttle.since(),
            Kind::ClientErrors => self.client.latch().since(),
            Kind::ServerErrors => self.server.latch().since(),
            Kind::Slow => self.latency.latch().since(),
            Kind::TrafficUp => self.traffic.up().latch().since(),
            Kind::TrafficDown => self.traffic.down().latch().since(),
            Kind::TokensUp => self.tokens.latch().since(),
        }
    }

    /// The last minute that was judged.
    #[must_use]
    pub const fn through(&self) -> Option<Minute> {
        self.through
    }
}

#[cfg(test)]
mod tests;
