//! What is asked for: the metrics of each target with their statistics, where they are published, and how often they are read.

use std::sync::LazyLock;

use super::data::tables;
use super::endpoint::Endpoint;
use crate::model::series::Depth;

/// What is read of each target: the metric and its statistic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Measure {
    Invocations,
    Throttles,
    ClientErrors,
    ServerErrors,
    Input,
    Output,
    CacheWrites,
    Estimated,
    Latency,
    CacheReads,
    LatencyP50,
    LatencyP90,
    LatencyP99,
    FirstTokenP90,
    LongInputs,
}

impl Measure {
    /// All measures, in the order of their queries.
    pub(super) const ALL: [Self; 15] = [
        Self::Invocations,
        Self::Throttles,
        Self::ClientErrors,
        Self::ServerErrors,
        Self::Input,
        Self::Output,
        Self::CacheWrites,
        Self::Estimated,
        Self::Latency,
        Self::CacheReads,
        Self::LatencyP50,
        Self::LatencyP90,
        Self::LatencyP99,
        Self::FirstTokenP90,
        Self::LongInputs,
    ];

    /// All that the endpoint publishes.
    pub(super) fn at(endpoint: Endpoint) -> impl Iterator<Item = Self> {
        let measures = Self::ALL.into_iter();
        measures.filter(move |it| it.depth(endpoint).is_some())
    }

    /// What a read of this depth asks for at this endpoint, in the order of the queries.
    pub(super) fn up_to(depth: Depth, endpoint: Endpoint) -> impl Iterator<Item = Self> + Clone {
        let measures = Self::ALL.into_iter();
        measures.filter(move |it| it.depth(endpoint).is_some_and(|own| own <= depth))
    }

    /// The shallowest read that asks for it; `None` where the endpoint does not publish it.
    pub(super) const fn depth(self, endpoint: Endpoint) -> Option<Depth> {
        match (endpoint, self) {
            (Endpoint::Mantle, Self::Input | Self::Output)
            | (Endpoint::Runtime, Self::Invocations | Self::Throttles | Self::Estimated) => {
                Some(Depth::Quick)
            }
            (Endpoint::Mantle, Self::Invocations)
            | (
                Endpoint::Runtime,
                Self::ClientErrors
                | Self::ServerErrors
                | Self::Input
                | Self::Output
                | Self::CacheWrites
                | Self::Latency,
            ) => Some(Depth::Full),
            (
                Endpoint::Runtime,
                Self::CacheReads
                | Self::LatencyP50
                | Self::LatencyP90
                | Self::LatencyP99
                | Self::FirstTokenP90
                | Self::LongInputs,
            ) => Some(Depth::Deep),
            (
                Endpoint::Mantle,
                Self::Throttles
                | Self::ClientErrors
                | Self::ServerErrors
                | Self::CacheWrites
                | Self::Estimated
                | Self::Latency
                | Self::CacheReads
                | Self::LatencyP50
                | Self::LatencyP90
                | Self::LatencyP99
                | Self::FirstTokenP90
                | Self::LongInputs,
            ) => None,
        }
    }

    /// What tells, over a whole account, that there was traffic at this endpoint.
    pub(super) const fn of_traffic(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::Runtime => Self::Invocations,
            Endpoint::Mantle => Self::Input,
        }
    }

    /// The CloudWatch metric.
    pub(super) const fn metric(self, endpoint: Endpoint) -> &'static str {
        match (endpoint, self) {
            (Endpoint::Runtime, Self::Invocations) => "Invocations",
            (Endpoint::Mantle, Self::Invocations) => "Inferences",
            (_, Self::Throttles) => "InvocationThrottles",
            (_, Self::ClientErrors) => "InvocationClientErrors",
            (_, Self::ServerErrors) => "InvocationServerErrors",
            (Endpoint::Runtime, Self::Input) | (_, Self::LongInputs) => "InputTokenCount",
            (Endpoint::Mantle, Self::Input) => "TotalInputTokens",
            (Endpoint::Runtime, Self::Output) => "OutputTokenCount",
            (Endpoint::Mantle, Self::Output) => "TotalOutputTokens",
            (_, Self::CacheWrites) => "CacheWriteInputTokenCount",
            (_, Self::Estimated) => "EstimatedTPMQuotaUsage",
            (_, Self::Latency | Self::LatencyP50 | Self::LatencyP90 | Self::LatencyP99) => {
                "InvocationLatency"
            }
            (_, Self::CacheReads) => "CacheReadInputTokenCount",
            (_, Self::FirstTokenP90) => "TimeToFirstToken",
        }
    }

    /// Whether a request for a single series may ask for it: those are promised percentiles, and no percentile ranks.
    pub(super) const fn may_be_single(self) -> bool {
        !matches!(self, Self::LongInputs)
    }

    /// The CloudWatch statistic. `Maximum` of `EstimatedTPMQuotaUsage` would be the largest request, not the minute.
    pub(super) fn statistic(self) -> &'static str {
        match self {
            Self::Latency => "Average",
            Self::LatencyP50 => "p50",
            Self::LatencyP90 | Self::FirstTokenP90 => "p90",
            Self::LatencyP99 => "p99",
            Self::LongInputs => long_inputs(),
            Self::Invocations
            | Self::Throttles
            | Self::ClientErrors
            | Self::ServerErrors
            | Self::Input
            | Self::Output
            | Self::CacheWrites
            | Self::CacheReads
            | Self::Estimated => "Sum",
        }
    }
}

/// CloudWatch's percentile rank: the percentage of the values above a bound.
fn long_inputs() -> &'static str {
    static STATISTIC: LazyLock<String> =
        LazyLock::new(|| format!("PR({}:)", tables().long_requests.input_tokens));
    &STATISTIC
}
