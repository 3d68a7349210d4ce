//! What was measured, minute by minute, and what was not.

mod hour;
mod packed;
mod pool;
mod taken;
mod window;

use std::collections::BTreeMap;

pub use self::hour::PoolHour;
pub(crate) use self::packed::{exact_whole, whole_as_f64};
pub use self::pool::PoolSeries;
pub use self::taken::{TargetReading, TargetUse};
pub use self::window::Window;
use super::{
    catalog::{Family, PoolId},
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
    /// Tokens written to the prompt cache (Sum). They count against TPM like input tokens.
    CacheWriteTokens,
    /// Tokens read from the prompt cache (Sum). They are free of charge against TPM.
    CacheReadTokens,
    /// Median latency in milliseconds.
    ///
    /// Percentiles of several targets have no sum. Over the targets of a pool they are weighted by invocations: like the
    /// percentile of all requests together that lies between the smallest and the largest, and for one target, or for
    /// targets that are alike, it is exact. The largest would be an upper bound, and one profile with a request a minute
    /// would carry a pool of a thousand.
    LatencyP50,
    /// 90th percentile of latency in milliseconds, over the targets as [`Signal::LatencyP50`].
    LatencyP90,
    /// 99th percentile of latency in milliseconds, over the targets as [`Signal::LatencyP50`].
    LatencyP99,
    /// 90th percentile of the time to the first token in milliseconds, of requests that stream; over the targets that
    /// have one as [`Signal::LatencyP50`].
    FirstTokenP90,
    /// Share of the requests whose input is long, in percent: above a number of input tokens that AWS Support asks about.
    ///
    /// Over the targets it is weighted by invocations, which makes it the share of all requests together. A minute has that
    /// of its hour, as far as the hour was read at once.
    LongInputs,
}

impl Signal {
    /// All signals, in the order of their index. The store keeps the index: new ones come at the end.
    pub const ALL: [Self; 15] = [
        Self::Invocations,
        Self::Throttles,
        Self::ClientErrors,
        Self::ServerErrors,
        Self::InputTokens,
        Self::OutputTokens,
        Self::ChargedTokens,
        Self::Latency,
        Self::CacheWriteTokens,
        Self::CacheReadTokens,
        Self::LatencyP50,
        Self::LatencyP90,
        Self::LatencyP99,
        Self::FirstTokenP90,
        Self::LongInputs,
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
            Self::CacheWriteTokens => "cache_write_tokens",
            Self::CacheReadTokens => "cache_read_tokens",
            Self::LatencyP50 => "latency_p50",
            Self::LatencyP90 => "latency_p90",
            Self::LatencyP99 => "latency_p99",
            Self::FirstTokenP90 => "first_token_p90",
            Self::LongInputs => "long_input_percent",
        }
    }

    /// The signal of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.name() == name)
    }

    /// A sample as it is kept. Mean latency to a tenth of a millisecond, percentiles to six significant bits, a share to five
    /// and a tenth of a percent: the noise below would take most of the room.
    #[must_use]
    pub fn rounded(self, sample: Sample) -> Sample {
        match sample {
            Sample::Value(millis) if self == Self::Latency => {
                Sample::Value((millis * 10.0).round() / 10.0)
            }
            Sample::Value(percent) if self == Self::LongInputs => {
                Sample::Value(coarse(percent * 10.0, 32.0) / 10.0)
            }
            Sample::Value(millis) if !self.is_count() => Sample::Value(coarse(millis, 64.0)),
            Sample::Value(_) | Sample::NoData | Sample::Unobserved => sample,
        }
    }

    /// Whether an absent datapoint can ever mean zero (promise P5): it can for counts, never for milliseconds and shares. What is no
    /// count has no sum either, and is weighted by invocations.
    #[must_use]
    pub const fn is_count(self) -> bool {
        match self {
            Self::Invocations
            | Self::Throttles
            | Self::ClientErrors
            | Self::ServerErrors
            | Self::InputTokens
            | Self::OutputTokens
            | Self::ChargedTokens
            | Self::CacheWriteTokens
            | Self::CacheReadTokens => true,
            Self::Latency
            | Self::LatencyP50
            | Self::LatencyP90
            | Self::LatencyP99
            | Self::FirstTokenP90
            | Self::LongInputs => false,
        }
    }
}

/// As many significant bits as tell so many numbers apart: with 64, six, within 1.6 %, and from 64 down within a half.
///
/// What the requests of a minute tell is never as exact as that, and the noise below would take most of the room.
fn coarse(value: f64, numbers: f64) -> f64 {
    const MOST_STEP: f64 = 1e15; // beyond it whole numbers have gaps anyway
    let mut step = 1.0;
    while step * numbers <= value && step < MOST_STEP {
        step *= 2.0;
    }
    (value / step).round() * step
}

/// How much of a pool one read reads. Limits are judged by what a quick one reads; the rest costs as much and can wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// What limits are judged by.
    Quick,
    /// What rules on errors, latency and single token counts are judged by, as well.
    Full,
    /// Everything: what people look at, and no shipped rule waits for.
    Deep,
}

impl Depth {
    /// All depths, the shallowest first.
    pub const ALL: [Self; 3] = [Self::Quick, Self::Full, Self::Deep];
}

impl Signal {
    /// The shallowest read that reads this signal of a pool of this family; `None` where its endpoint publishes no such
    /// thing. Quotas of the mantle endpoint count input and output tokens, so there these are what limits are judged by.
    #[must_use]
    pub const fn depth(self, family: Family) -> Option<Depth> {
        match (family, self) {
            (Family::Mantle, Self::InputTokens | Self::OutputTokens) => Some(Depth::Quick),
            (Family::Mantle, Self::Invocations) => Some(Depth::Full),
            // Not read but added up: what the models took, weighed by their prices.
            (Family::Account, Self::ChargedTokens) => Some(Depth::Quick),
            (Family::Account, _) => None,
            (
                Family::Mantle,
                Self::Throttles
                | Self::ClientErrors
                | Self::ServerErrors
                | Self::ChargedTokens
                | Self::Latency
                | Self::CacheWriteTokens
                | Self::CacheReadTokens
                | Self::LatencyP50
                | Self::LatencyP90
                | Self::LatencyP99
                | Self::FirstTokenP90
                | Self::LongInputs,
            ) => None,
            (_, Self::Invocations | Self::Throttles | Self::ChargedTokens) => Some(Depth::Quick),
            (
                _,
                Self::ClientErrors
                | Self::ServerErrors
                | Self::InputTokens
                | Self::OutputTokens
                | Self::Latency
                | Self::CacheWriteTokens,
            ) => Some(Depth::Full),
            (
                _,
                Self::CacheReadTokens
                | Self::LatencyP50
                | Self::LatencyP90
                | Self::LatencyP99
                | Self::FirstTokenP90
                | Self::LongInputs,
            ) => Some(Depth::Deep),
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
    pub by_target: BTreeMap<TargetId, TargetReading>,
}

impl Reading {
    /// The end of what was read, exclusive.
    #[must_use]
    pub fn until(&self) -> Minute {
        let minutes = self.signals.values().map(Vec::len).max();
        let minutes = i64::try_from(minutes.unwrap_or(0)).unwrap_or(0); // days of minutes
        self.from.plus(minutes)
    }
}

/// One hour of one signal.
pub type HourBlock = [Sample; 60];

/// How much history is kept in minutes: CloudWatch's own 15 days, and one more for the edge.
pub const KEPT_MINUTES: i64 = 16 * DAY;

/// Minutes after which a datapoint is final: late ones have been seen for up to 15 minutes.
pub const SETTLE_MINUTES: i64 = 15;
