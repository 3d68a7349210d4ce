//! What was measured, minute by minute, and what was not.

mod packed;
mod pool;

use std::collections::BTreeMap;

pub(crate) use self::packed::{exact_whole, whole_as_f64};
pub use self::pool::{PoolSeries, Quarter};
use super::{
    catalog::PoolId,
    ids::TargetId,
    time::{DAY, Minute},
};

/// What a source said about one minute. Silence is never zero by accident.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub enum Sample {
    /// A number, or a zero that the evidence of promise P5 proves.
    Value(f64),
    /// The source answered and had no datapoint; latency has no zero.
    NoData,
    /// We have no answer (throttled, denied, partial, minute not yet published). It proves nothing.
    #[default]
    Unobserved,
}

impl Sample {
    /// The number, where there is one.
    #[must_use]
    pub const fn value(self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(value),
            Self::NoData | Self::Unobserved => None,
        }
    }
}

/// What is known of a pool per minute, summed over all its targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// Requests that got through (`Invocations`, Sum).
    Invocations,
    /// Requests refused by a quota (`InvocationThrottles`, Sum), retries included.
    Throttles,
    /// Requests that failed by the caller's fault (Sum).
    ClientErrors,
    /// Requests that failed by AWS's fault (Sum).
    ServerErrors,
    /// Input tokens without cache tokens (Sum).
    InputTokens,
    /// Output tokens, unweighted (Sum).
    OutputTokens,
    /// Tokens charged to the TPM quota: `EstimatedTPMQuotaUsage`, else input + cache writes + output x burndown.
    ChargedTokens,
    /// Mean latency in milliseconds, weighted by invocations over the targets.
    Latency,
}

impl Signal {
    /// All signals, in the order of their index.
    pub const ALL: [Self; 8] = [
        Self::Invocations,
        Self::Throttles,
        Self::ClientErrors,
        Self::ServerErrors,
        Self::InputTokens,
        Self::OutputTokens,
        Self::ChargedTokens,
        Self::Latency,
    ];

    /// The name in TOML, in JSON and in texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invocations => "invocations",
            Self::Throttles => "throttles",
            Self::ClientErrors => "client_errors",
            Self::ServerErrors => "server_errors",
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::ChargedTokens => "charged_tokens",
            Self::Latency => "latency",
        }
    }

    /// The signal of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.name() == name)
    }

    /// A sample as it is kept. Latency is a mean, and kept to a tenth of a millisecond: the noise below it would take
    /// most of the room.
    #[must_use]
    pub fn rounded(self, sample: Sample) -> Sample {
        match sample {
            Sample::Value(millis) if self == Self::Latency => {
                Sample::Value((millis * 10.0).round() / 10.0)
            }
            Sample::Value(_) | Sample::NoData | Sample::Unobserved => sample,
        }
    }

    /// Whether an absent datapoint can ever mean zero (promise P5): it can for counts, never for latency.
    #[must_use]
    pub const fn is_count(self) -> bool {
        !matches!(self, Self::Latency)
    }
}

/// How much of a pool one read reads. Limits are judged by what a quick one reads; the rest costs as much and can wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// What limits are judged by.
    Quick,
    /// Everything.
    Full,
}

impl Signal {
    /// The shallowest read that reads this signal.
    #[must_use]
    pub const fn depth(self) -> Depth {
        match self {
            Self::Invocations | Self::Throttles | Self::ChargedTokens => Depth::Quick,
            Self::ClientErrors
            | Self::ServerErrors
            | Self::InputTokens
            | Self::OutputTokens
            | Self::Latency => Depth::Full,
        }
    }
}

/// One read of one pool: all its targets over the same stretch, already summed.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Whose.
    pub pool: PoolId,
    /// First minute of every vector in `signals`.
    pub from: Minute,
    /// Per signal one sample a minute, all of the same length. Signals that were not read are left out.
    pub signals: BTreeMap<Signal, Vec<Sample>>,
    /// What each target took in this stretch, for attribution.
    pub by_target: BTreeMap<TargetId, TargetUse>,
}

/// What one target took of its pool over the stretch of a reading. Both are lower bounds when minutes are missing.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct TargetUse {
    /// Requests that got through plus throttled ones.
    pub demand: f64,
    /// Charged tokens.
    pub charged: f64,
}

/// One hour of one signal: the unit in which history is kept and stored.
pub type HourBlock = [Sample; 60];

/// How much history is kept in minutes: CloudWatch's own 15 days, and one more for the edge.
pub const KEPT_MINUTES: i64 = 16 * DAY;

/// Minutes after which a datapoint is final: late ones have been seen for up to 15 minutes.
pub const SETTLE_MINUTES: i64 = 15;
