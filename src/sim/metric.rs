//! Which metrics exist and what a minute of a target contributes to each: the arithmetic of CloudWatch, no API.

use super::{bucket::TargetMinute, hash, traffic::Source, world::Publication};
use crate::model::time::{Minute, SignedDuration, Timestamp};

/// The namespace of the runtime endpoint.
pub(crate) const NAMESPACE: &str = "AWS/Bedrock";
/// The dimension of the base series.
pub(crate) const MODEL_ID: &str = "ModelId";
/// The namespace of the mantle endpoint.
pub(crate) const MANTLE_NAMESPACE: &str = "AWS/BedrockMantle";
/// Its dimensions.
pub(crate) const PROJECT: &str = "Project";
/// The model among them.
pub(crate) const MODEL: &str = "Model";
/// What it publishes, and which of a target's numbers that is: no refusals, no latency, no errors of its own making.
pub(crate) const MANTLE: [(&str, Name); 3] = [
    ("Inferences", Name::Invocations),
    ("TotalInputTokens", Name::Input),
    ("TotalOutputTokens", Name::Output),
];
/// The second dimension of the decoys.
pub(crate) const CONTEXT_WINDOW: &str = "ContextWindow";
/// Its value: invented, since no public source tells the real ones.
pub(crate) const LONG_CONTEXT: &str = "long-context";
/// The share of a target's tokens that the decoys repeat.
const DECOY_SHARE: f64 = 0.1;

/// A metric of the runtime endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Invocations,
    Throttles,
    ClientErrors,
    ServerErrors,
    Latency,
    FirstToken,
    Input,
    Output,
    CacheWrite,
    CacheRead,
    Charged,
}

impl Name {
    pub(crate) const ALL: [Self; 11] = [
        Self::Invocations,
        Self::Throttles,
        Self::ClientErrors,
        Self::ServerErrors,
        Self::Latency,
        Self::FirstToken,
        Self::Input,
        Self::Output,
        Self::CacheWrite,
        Self::CacheRead,
        Self::Charged,
    ];

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Invocations => "Invocations",
            Self::Throttles => "InvocationThrottles",
            Self::ClientErrors => "InvocationClientErrors",
            Self::ServerErrors => "InvocationServerErrors",
            Self::Latency => "InvocationLatency",
            Self::FirstToken => "TimeToFirstToken",
            Self::Input => "InputTokenCount",
            Self::Output => "OutputTokenCount",
            Self::CacheWrite => "CacheWriteInputTokenCount",
            Self::CacheRead => "CacheReadInputTokenCount",
            Self::Charged => "EstimatedTPMQuotaUsage",
        }
    }

    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.text() == text)
    }

    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Latency | Self::FirstToken => "Milliseconds",
            Self::Invocations
            | Self::Throttles
            | Self::ClientErrors
            | Self::ServerErrors
            | Self::Input
            | Self::Output
            | Self::CacheWrite
            | Self::CacheRead
            | Self::Charged => "Count",
        }
    }

    /// Whether a long-context request shows in a series of its own, too.
    pub(crate) const fn has_decoy(self) -> bool {
        matches!(self, Self::Input | Self::Output | Self::Charged)
    }

    /// Sum and number of the events of a minute.
    fn events(self, row: &TargetMinute, first_token_ms: f64) -> (f64, f64) {
        let successes = row.successes();
        match self {
            Self::Invocations => (row.invocations, row.invocations),
            Self::Throttles => (row.throttles, row.throttles),
            Self::ClientErrors => (row.client_errors, row.client_errors),
            Self::ServerErrors => (row.server_errors, row.server_errors),
            Self::Latency => (row.latency_ms * successes, successes),
            Self::FirstToken => (first_token_ms * successes, successes),
            Self::Input => (row.input, successes),
            Self::Output => (row.output, successes),
            Self::CacheWrite => counted(row.cache_write, successes),
            Self::CacheRead => counted(row.cache_read, successes),
            Self::Charged => (row.charged, successes),
        }
    }

    /// Events all count 1: every statistic but `Sum` and `SampleCount` is 1.
    const fn is_tally(self) -> bool {
        matches!(
            self,
            Self::Invocations | Self::Throttles | Self::ClientErrors | Self::ServerErrors
        )
    }
}

/// Nothing summed means that nothing was published.
fn counted(sum: f64, events: f64) -> (f64, f64) {
    if sum > 0.0 { (sum, events) } else { (0.0, 0.0) }
}

/// What a datapoint is made of; several minutes and targets add up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bin {
    sum: f64,
    events: f64,
}

impl Bin {
    /// Adds a minute's events, as much of them as is visible.
    pub(crate) fn add(&mut self, name: Name, row: &TargetMinute, first_token_ms: f64, seen: f64) {
        let (sum, events) = name.events(row, first_token_ms);
        if events <= 0.0 || seen <= 0.0 {
            return;
        }
        if seen < 1.0 {
            let part = (events * seen).floor();
            self.events += part;
            self.sum += if name.is_tally() {
                part
            } else {
                (sum * part / events).floor()
            };
        } else {
            self.events += events;
            self.sum += sum;
        }
    }

    /// The long-context share of it.
    pub(crate) fn decoy(self) -> Self {
        let events = (self.events * DECOY_SHARE).floor();
        let sum = if self.events > 0.0 {
            (self.sum * events / self.events).floor()
        } else {
            0.0
        };
        Self { sum, events }
    }

    /// The datapoint; `None` where nothing was published.
    pub(crate) fn value(self, name: Name, statistic: Statistic) -> Option<f64> {
        if self.events <= 0.0 {
            return None;
        }
        let mean = self.sum / self.events;
        Some(match statistic {
            Statistic::Sum => self.sum,
            Statistic::SampleCount => self.events,
            Statistic::Average => mean,
            Statistic::Above(least) if name.is_tally() => {
                if least < 1.0 {
                    100.0
                } else {
                    0.0
                }
            }
            Statistic::Minimum | Statistic::Maximum | Statistic::Percentile(_)
                if name.is_tally() =>
            {
                1.0
            }
            Statistic::Minimum => (mean * 0.3).floor(),
            Statistic::Maximum => (mean * spread(1.0 - 0.5 / self.events.max(1.0))).ceil(),
            Statistic::Percentile(share) => mean * spread(share),
            Statistic::Above(least) => 100.0 * above(least / mean.max(f64::MIN_POSITIVE)),
        })
    }
}

/// Percentiles of a log-normal with mean 1 and sigma 0.6: what latencies and token counts look like in the traces.
/// Invented in so far as the traces don't publish the distribution within a minute; p50 is 0.84, p90 1.8, p99 3.4.
fn spread(share: f64) -> f64 {
    let share = share.clamp(0.0001, 0.9999);
    // Tukey's lambda approximation of the normal quantile: within 0.01 up to 99.9 %.
    let z = (share.powf(0.135) - (1.0 - share).powf(0.135)) / 0.1975;
    (0.6 * z - 0.18).exp()
}

/// The share of the same distribution above so many times the mean, by halving.
fn above(times: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if spread(middle) < times {
            low = middle;
        } else {
            high = middle;
        }
    }
    1.0 - f64::midpoint(low, high)
}

/// A statistic as CloudWatch names it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Statistic {
    Sum,
    SampleCount,
    Average,
    Minimum,
    Maximum,
    /// `0.0..=1.0`.
    Percentile(f64),
    /// Percentage of the values above this.
    Above(f64),
}

impl Statistic {
    pub(crate) fn named(text: &str) -> Option<Self> {
        match text {
            "Sum" => Some(Self::Sum),
            "SampleCount" => Some(Self::SampleCount),
            "Average" => Some(Self::Average),
            "Minimum" => Some(Self::Minimum),
            "Maximum" => Some(Self::Maximum),
            rank if rank.starts_with("PR(") => {
                let least = rank.strip_prefix("PR(")?.strip_suffix(":)")?;
                least.parse().ok().map(Self::Above)
            }
            other => {
                let percent: f64 = other.strip_prefix('p')?.parse().ok()?;
                (0.0..=100.0)
                    .contains(&percent)
                    .then_some(Self::Percentile(percent / 100.0))
            }
        }
    }
}

/// How much of a target's minute is visible at `now`: nothing, a part (late datapoints make a sum grow), or all.
pub(crate) fn visible(
    publication: &Publication,
    source: &Source,
    minute: Minute,
    now: Timestamp,
) -> f64 {
    let age = now.duration_since(minute.plus(1).start()).as_secs();
    if age >= publication.late_seconds {
        return 1.0;
    }
    let timing = timing(publication, source, minute);
    if age >= timing.all_seconds {
        1.0
    } else if age >= timing.first_seconds {
        timing.first_share
    } else {
        0.0
    }
}

/// When all of a target's minute is visible.
pub(crate) fn published_at(
    publication: &Publication,
    source: &Source,
    minute: Minute,
) -> Timestamp {
    let delay = SignedDuration::from_secs(timing(publication, source, minute).all_seconds);
    minute
        .plus(1)
        .start()
        .saturating_add(delay)
        .unwrap_or(Timestamp::MAX)
}

struct Timing {
    first_seconds: i64,
    first_share: f64,
    all_seconds: i64,
}

fn timing(publication: &Publication, source: &Source, minute: Minute) -> Timing {
    let usual = hash::seconds(
        source.chance(minute, 8),
        publication.least_seconds,
        publication.most_seconds,
    );
    let late = source.chance(minute, 9);
    if hash::unit(late) >= publication.late_share {
        return Timing {
            first_seconds: usual,
            first_share: 1.0,
            all_seconds: usual,
        };
    }
    // Of the late ones, a fifth is late as a whole.
    let part = hash::unit(source.chance(minute, 10));
    Timing {
        first_seconds: usual,
        first_share: if part < 0.2 { 0.0 } else { part },
        all_seconds: hash::seconds(
            source.chance(minute, 11),
            publication.most_seconds,
            publication.late_seconds,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_agree_with_one_another() {
        let row = TargetMinute {
            invocations: 10.0,
            input: 5_000.0,
            latency_ms: 900.0,
            ..TargetMinute::default()
        };
        let bin = |name| {
            let mut bin = Bin::default();
            bin.add(name, &row, 400.0, 1.0);
            bin
        };
        let get = |name, text| bin(name).value(name, Statistic::named(text).unwrap());
        assert_eq!(get(Name::Invocations, "Sum"), Some(10.0));
        assert_eq!(get(Name::Invocations, "Average"), Some(1.0));
        assert_eq!(get(Name::Latency, "Average"), Some(900.0));
        assert_eq!(get(Name::Input, "SampleCount"), Some(10.0));
        assert_eq!(get(Name::Throttles, "Sum"), None);
        let [p50, p90, p99] = ["p50", "p90", "p99"].map(|text| get(Name::Latency, text).unwrap());
        assert!(p50 < 900.0 && 900.0 < p90 && p90 < p99, "{p50} {p90} {p99}");
        let [few, many] = ["PR(1500:)", "PR(300:)"].map(|text| get(Name::Input, text).unwrap());
        assert!(0.0 < few && few < 10.0 && 50.0 < many, "{few} {many}");
        assert!(Statistic::named("p101").is_none() && Statistic::named("tm90").is_none());
    }
}
