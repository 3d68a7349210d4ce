//! What was measured, minute by minute, and what was not.

use std::collections::BTreeMap;

use super::{
    catalog::{Family, PoolId},
    ids::TargetId,
    time::{DAY, HOUR, Minute},
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
}

impl Signal {
    /// All signals, in the order of their index. The store keeps the index: new ones come at the end.
    pub const ALL: [Self; 14] = [
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
        }
    }

    /// The signal of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.name() == name)
    }

    /// Whether an absent datapoint can ever mean zero (promise P5): it can for counts, never for milliseconds. What is no
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
            | Self::FirstTokenP90 => false,
        }
    }
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

impl Signal {
    /// The shallowest read that reads this signal of a pool of this family; `None` where its endpoint publishes no such
    /// thing. Quotas of the mantle endpoint count input and output tokens, so there these are what limits are judged by.
    #[must_use]
    pub const fn depth(self, family: Family) -> Option<Depth> {
        match (family, self) {
            (Family::Mantle, Self::InputTokens | Self::OutputTokens) => Some(Depth::Quick),
            (Family::Mantle, Self::Invocations) => Some(Depth::Full),
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
                | Self::FirstTokenP90,
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
                | Self::FirstTokenP90,
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

/// The history of one pool: hours of samples per signal. Minutes never read are `Unobserved`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PoolSeries {
    blocks: BTreeMap<(Signal, Minute), Held>,
}

/// One hour in memory. Most hours of most pools are nothing but zeros or nothing but silence: those take no room.
#[derive(Clone, Debug, PartialEq)]
enum Held {
    Zeros,
    Silence,
    Block(Box<HourBlock>),
}

static ZEROS: HourBlock = [Sample::Value(0.0); 60];
static SILENCE: HourBlock = [Sample::NoData; 60];

impl Held {
    fn of(block: HourBlock) -> Self {
        let is_zero = |sample: &Sample| sample.value().is_some_and(|it| it.to_bits() == 0);
        if block.iter().all(is_zero) {
            Self::Zeros
        } else if block == SILENCE {
            Self::Silence
        } else {
            Self::Block(Box::new(block))
        }
    }

    fn block(&self) -> &HourBlock {
        match self {
            Self::Zeros => &ZEROS,
            Self::Silence => &SILENCE,
            Self::Block(block) => block,
        }
    }
}

impl PoolSeries {
    /// What is known of this minute.
    #[must_use]
    pub fn get(&self, signal: Signal, minute: Minute) -> Sample {
        self.blocks
            .get(&(signal, minute.hour()))
            .and_then(|held| held.block().get(offset(minute)))
            .copied()
            .unwrap_or_default()
    }

    /// Requests that callers wanted in this minute: invocations and throttles together. Unknown if either is.
    #[must_use]
    pub fn demand(&self, minute: Minute) -> Sample {
        match (
            self.get(Signal::Invocations, minute),
            self.get(Signal::Throttles, minute),
        ) {
            (Sample::Value(through), Sample::Value(refused)) => Sample::Value(through + refused),
            (Sample::Unobserved, _) | (_, Sample::Unobserved) => Sample::Unobserved,
            (Sample::NoData, _) | (_, Sample::NoData) => Sample::NoData,
        }
    }

    /// The samples from `from` up to and without `until`, in order; minutes never read are `Unobserved`.
    pub fn window(
        &self,
        signal: Signal,
        from: Minute,
        until: Minute,
    ) -> impl Iterator<Item = Sample> {
        let hours = (from.hour().0..until.0).step_by(60).map(Minute);
        hours.flat_map(move |hour| {
            let block = self.block(signal, hour);
            let (first, last) = (from.0.max(hour.0), until.0.min(hour.0 + HOUR));
            (first..last).map(move |minute| {
                let sample = block.and_then(|block| block.get(offset(Minute(minute))));
                sample.copied().unwrap_or_default()
            })
        })
    }

    /// The hours that a reading changes, as they will be. A minute that was known is never forgotten: `Unobserved` does
    /// not overwrite anything, and `NoData` no number.
    #[must_use]
    pub fn updates(&self, reading: &Reading) -> BTreeMap<(Signal, Minute), HourBlock> {
        let mut changed: BTreeMap<(Signal, Minute), HourBlock> = BTreeMap::new();
        for (&signal, samples) in &reading.signals {
            for (index, &sample) in (0_i64..).zip(samples) {
                let minute = reading.from.plus(index);
                let known = self.get(signal, minute);
                // Datapoints don't vanish: what was a number once, or proved to be zero, was only not proved this time.
                let says_less = match sample {
                    Sample::Unobserved => true,
                    Sample::NoData => known.value().is_some(),
                    Sample::Value(_) => false,
                };
                if says_less || known == sample {
                    continue;
                }
                let hour = minute.hour();
                let block = changed.entry((signal, hour)).or_insert_with(|| {
                    self.block(signal, hour)
                        .copied()
                        .unwrap_or([Sample::Unobserved; 60])
                });
                if let Some(slot) = block.get_mut(offset(minute)) {
                    *slot = sample;
                }
            }
        }
        changed
    }

    /// Takes in a reading as a whole; for series that are not stored.
    pub fn absorb(&mut self, reading: &Reading) {
        for ((signal, hour), block) in self.updates(reading) {
            self.restore(signal, hour, block);
        }
    }

    /// Puts back one stored hour.
    pub fn restore(&mut self, signal: Signal, hour: Minute, block: HourBlock) {
        self.blocks.insert((signal, hour.hour()), Held::of(block));
    }

    /// The block of this hour, where one exists.
    #[must_use]
    pub fn block(&self, signal: Signal, hour: Minute) -> Option<&HourBlock> {
        self.blocks.get(&(signal, hour.hour())).map(Held::block)
    }

    /// Whether any hour of this signal is held that begins in `from..until`.
    #[must_use]
    pub fn has_any(&self, signal: Signal, from: Minute, until: Minute) -> bool {
        from < until
            && self
                .blocks
                .range((signal, from)..(signal, until))
                .next()
                .is_some()
    }

    /// Forgets one hour of one signal.
    pub fn forget(&mut self, signal: Signal, hour: Minute) {
        self.blocks.remove(&(signal, hour.hour()));
    }

    /// The hours that lie wholly before `first`.
    #[must_use]
    pub fn hours_before(&self, first: Minute) -> Vec<(Signal, Minute)> {
        let old = self.blocks.keys().filter(|(_, hour)| *hour < first.hour());
        old.copied().collect()
    }

    /// The first minute of the first hour that is held.
    #[must_use]
    pub fn first_minute(&self) -> Option<Minute> {
        self.blocks.keys().map(|(_, hour)| *hour).min()
    }

    /// The last minute with a number for this signal.
    #[must_use]
    pub fn last_value(&self, signal: Signal) -> Option<(Minute, f64)> {
        let hours = self
            .blocks
            .range((signal, Minute(i64::MIN))..=(signal, Minute(i64::MAX)));
        hours.rev().find_map(|((_, hour), held)| {
            let minutes = hour.until(hour.plus(HOUR)).rev();
            minutes
                .zip(held.block().iter().rev())
                .find_map(|(minute, sample)| sample.value().map(|value| (minute, value)))
        })
    }
}

/// How much history is kept in minutes: CloudWatch's own 15 days, and one more for the edge.
pub const KEPT_MINUTES: i64 = 16 * DAY;

/// Minutes after which a datapoint is final: late ones have been seen for up to 15 minutes.
pub const SETTLE_MINUTES: i64 = 15;

fn offset(minute: Minute) -> usize {
    usize::try_from(minute.since(minute.hour())).unwrap_or(usize::MAX) // 0..60 by construction
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        catalog::Family,
        ids::{AccountId, ModelId, Region, Scope},
    };

    fn reading(from: i64, samples: &[Sample]) -> Reading {
        let scope = Scope {
            account: AccountId::new("111122223333"),
            region: Region::new("us-east-1"),
        };
        let model = ModelId::new("amazon.nova-pro-v1:0");
        Reading {
            pool: PoolId {
                scope,
                family: Family::OnDemand,
                model,
            },
            from: Minute(from),
            signals: BTreeMap::from([(Signal::Throttles, samples.to_vec())]),
            by_target: BTreeMap::new(),
        }
    }

    fn absorb(series: &mut PoolSeries, reading: &Reading) -> usize {
        let updates = series.updates(reading);
        let count = updates.len();
        for ((signal, hour), block) in updates {
            series.restore(signal, hour, block);
        }
        count
    }

    #[test]
    fn hours_that_take_no_room_come_back_bit_for_bit() {
        let mixed = {
            let mut block = [Sample::Value(0.0); 60];
            block[59] = Sample::NoData;
            block
        };
        for block in [ZEROS, SILENCE, [Sample::Value(-0.0); 60], mixed] {
            let mut series = PoolSeries::default();
            series.restore(Signal::Throttles, Minute(60), block);
            let back = series.block(Signal::Throttles, Minute(60)).unwrap();
            for (was, is) in block.iter().zip(back) {
                assert_eq!(was, is);
                assert_eq!(was.value().map(f64::to_bits), is.value().map(f64::to_bits));
            }
        }
    }

    #[test]
    fn late_data_replaces_and_silence_does_not() {
        let mut series = PoolSeries::default();
        let first = [Sample::Value(1.0), Sample::NoData, Sample::Unobserved];
        assert_eq!(
            absorb(&mut series, &reading(58, &first)),
            1,
            "the third minute, of the next hour, says nothing"
        );
        let second = [Sample::Unobserved, Sample::Value(2.0), Sample::Value(3.0)];
        assert_eq!(absorb(&mut series, &reading(58, &second)), 2);
        let third = [Sample::NoData, Sample::NoData];
        assert_eq!(
            absorb(&mut series, &reading(58, &third)),
            0,
            "nor does less evidence"
        );
        let window: Vec<Sample> = series
            .window(Signal::Throttles, Minute(57), Minute(62))
            .collect();
        let value = Sample::Value;
        assert_eq!(
            window,
            [
                Sample::Unobserved,
                value(1.0),
                value(2.0),
                value(3.0),
                Sample::Unobserved
            ]
        );
        assert_eq!(
            absorb(&mut series, &reading(58, &second)),
            0,
            "the same again changes nothing"
        );
    }
}
