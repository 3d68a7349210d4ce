//! History as it is kept for long: stretches of one pool at one resolution, coarser the older they are.
//!
//! Minutes are the truth. Coarser buckets are made of minutes that are settled, or come from CloudWatch, which keeps
//! minutes for 15 days, five minutes for 63 and hours for 455. Promise P5 holds for them too: a bucket knows how many of
//! its minutes were observed, and a sum of fewer than all is a lower bound.

use std::collections::BTreeMap;

use super::{
    catalog::PoolId,
    series::{HourBlock, PoolSeries, Sample, Signal},
    time::{DAY, HOUR, Minute},
};

/// So many days of minutes are kept.
pub const MINUTE_DAYS: i64 = 90;
/// So many days of hours are kept: two years.
pub const HOUR_DAYS: i64 = 730;

/// How long the buckets of a stretch are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// One minute.
    Minute,
    /// Five minutes, as CloudWatch keeps them for 63 days.
    FiveMinutes,
    /// An hour.
    Hour,
}

impl Resolution {
    /// All, finest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::FiveMinutes, Self::Hour];

    /// The name on command lines and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::FiveMinutes => "5m",
            Self::Hour => "hour",
        }
    }

    /// The resolution of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Minutes in a bucket.
    #[must_use]
    pub const fn minutes(self) -> i64 {
        match self {
            Self::Minute => 1,
            Self::FiveMinutes => 5,
            Self::Hour => HOUR,
        }
    }

    /// Days in a stretch. Each is a multiple of the one before, so that stretches of minutes fill whole stretches of hours.
    #[must_use]
    pub const fn stretch_days(self) -> i64 {
        match self {
            Self::Minute => 1,
            Self::FiveMinutes => 7,
            Self::Hour => 28,
        }
    }

    /// Buckets in a stretch: 1,440, 2,016 or 672.
    #[must_use]
    pub const fn buckets(self) -> i64 {
        self.stretch_days() * DAY / self.minutes()
    }

    /// The stretch that this minute lies in, by its number since 1970.
    #[must_use]
    pub const fn stretch_of(self, minute: Minute) -> i64 {
        minute.0.div_euclid(self.stretch_days() * DAY)
    }

    /// The first minute of a stretch.
    #[must_use]
    pub const fn first_minute(self, number: i64) -> Minute {
        Minute(number.saturating_mul(self.stretch_days() * DAY))
    }
}

/// What is known of one signal over some minutes.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Bucket {
    /// The sum over the minutes that are known; for latency their mean, weighted by invocations.
    pub value: Sample,
    /// The highest single minute. Unobserved where only sums of several minutes were ever read.
    pub peak: Sample,
    /// How many of the minutes are known.
    pub known: u8,
}

impl Bucket {
    /// One minute as a bucket.
    #[must_use]
    pub fn of_minute(sample: Sample) -> Self {
        Self {
            value: sample,
            peak: sample,
            known: u8::from(sample.value().is_some()),
        }
    }

    /// A bucket that CloudWatch added up: whole, and without a peak.
    #[must_use]
    pub fn added_up(signal: Signal, value: Sample, resolution: Resolution) -> Self {
        let value = signal.rounded(value);
        if resolution == Resolution::Minute {
            return Self::of_minute(value);
        }
        let all = u8::try_from(resolution.minutes()).unwrap_or(u8::MAX); // at most 60
        Self {
            value,
            peak: Sample::Unobserved,
            known: if value.value().is_some() { all } else { 0 },
        }
    }
}

/// What names a stretch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StretchKey {
    /// Whose.
    pub pool: PoolId,
    /// How long its buckets are.
    pub resolution: Resolution,
    /// Its number since 1970.
    pub number: i64,
}

impl StretchKey {
    /// Its first minute.
    #[must_use]
    pub const fn first_minute(&self) -> Minute {
        self.resolution.first_minute(self.number)
    }

    /// The first minute after it.
    #[must_use]
    pub const fn end(&self) -> Minute {
        self.resolution.first_minute(self.number.saturating_add(1))
    }
}

/// A stretch of history of one pool: per signal [`Resolution::buckets`] buckets.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// Which.
    pub key: StretchKey,
    /// Its buckets by signal; a signal that is missing is unobserved.
    pub signals: BTreeMap<Signal, Vec<Bucket>>,
}

impl Stretch {
    /// One day of minutes, as the series knows it. `None` where nothing of the day is held.
    #[must_use]
    pub fn of_day(pool: &PoolId, series: &PoolSeries, day: i64) -> Option<Self> {
        let key = StretchKey {
            pool: pool.clone(),
            resolution: Resolution::Minute,
            number: day,
        };
        let (first, end) = (key.first_minute(), key.end());
        let held = Signal::ALL
            .into_iter()
            .filter(|signal| series.has_any(*signal, first, end));
        let signals: BTreeMap<_, _> = held
            .map(|signal| {
                let samples = series.window(signal, first, end);
                let buckets = samples.map(|sample| Bucket::of_minute(signal.rounded(sample)));
                (signal, buckets.collect())
            })
            .collect();
        (!signals.is_empty()).then_some(Self { key, signals })
    }

    /// The hours of a day of minutes, as the series keeps them; those of which nothing is known are left out.
    pub fn hours(&self) -> impl Iterator<Item = (Signal, Minute, HourBlock)> {
        let is_fine = self.key.resolution == Resolution::Minute;
        let signals = self.signals.iter().filter(move |_| is_fine);
        let first = self.key.first_minute();
        signals.flat_map(move |(signal, buckets)| {
            let hours = buckets.chunks(60).zip(0_i64..);
            hours.filter_map(move |(hour, index)| {
                let mut samples = hour.iter().map(|it| it.value);
                let block: HourBlock = std::array::from_fn(|_| samples.next().unwrap_or_default());
                let is_known = block.iter().any(|it| *it != Sample::Unobserved);
                is_known.then(|| (*signal, first.plus(index * HOUR), block))
            })
        })
    }

    /// The buckets of one signal.
    #[must_use]
    pub fn buckets(&self, signal: Signal) -> Option<&[Bucket]> {
        self.signals.get(&signal).map(Vec::as_slice)
    }

    /// Lays what `finer` knows over this stretch: hours of minutes are better than hours that CloudWatch added up.
    /// Buckets of `finer` that lie outside, or of which nothing is known, change nothing.
    pub fn overlay(&mut self, finer: &Self) {
        let resolution = self.key.resolution;
        let skipped = finer.key.first_minute().since(self.key.first_minute());
        let Ok(skipped) = usize::try_from(skipped / resolution.minutes()) else {
            return;
        };
        let length = usize::try_from(resolution.buckets()).unwrap_or(0);
        for signal in finer.signals.keys() {
            let coarse = finer.coarser(*signal, resolution);
            let own = self.signals.entry(*signal);
            let own = own.or_insert_with(|| vec![Bucket::default(); length]);
            for (own, new) in own.iter_mut().skip(skipped).zip(coarse) {
                if new.value != Sample::Unobserved && own.known <= new.known {
                    *own = new;
                }
            }
        }
    }

    /// One signal of this stretch in buckets of `resolution`, which must not be finer than its own.
    #[must_use]
    pub fn coarser(&self, signal: Signal, resolution: Resolution) -> Vec<Bucket> {
        let Some(own) = self.buckets(signal) else {
            return Vec::new();
        };
        let factor = resolution.minutes() / self.key.resolution.minutes();
        let factor = usize::try_from(factor).unwrap_or(1).max(1);
        if signal.is_count() {
            return own.chunks(factor).map(added).collect();
        }
        let weighed = |parts| weighed(signal, parts);
        let weights = self.buckets(Signal::Invocations).unwrap_or_default();
        let weights = weights.chunks(factor).chain(std::iter::repeat(&[][..]));
        own.chunks(factor).zip(weights).map(weighed).collect()
    }
}

/// Counts of neighbouring buckets as one.
fn added(parts: &[Bucket]) -> Bucket {
    let mut sum = None;
    let mut known = 0_u8;
    for part in parts {
        if let Sample::Value(value) = part.value {
            sum = Some(sum.unwrap_or(0.0) + value);
            known = known.saturating_add(part.known);
        }
    }
    Bucket {
        value: sum.map_or_else(|| silence(parts), Sample::Value),
        peak: highest(parts),
        known,
    }
}

/// Latencies of neighbouring buckets as one: weighted by the invocations of the same minutes, where those are known.
fn weighed(signal: Signal, (parts, invocations): (&[Bucket], &[Bucket])) -> Bucket {
    let weights = invocations.iter().map(|it| it.value.value());
    let (mut sum, mut weight, mut known) = (0.0, 0.0, 0_u8);
    for (part, invocations) in parts.iter().zip(weights) {
        if let (Some(millis), Some(invocations)) = (part.value.value(), invocations) {
            sum += millis * invocations;
            weight += invocations;
            known = known.saturating_add(part.known);
        }
    }
    if parts.len() == 1 || 0.0 < weight {
        let alone = parts.first().filter(|_| parts.len() == 1);
        return alone.copied().unwrap_or(Bucket {
            value: signal.rounded(Sample::Value(sum / weight)),
            peak: highest(parts),
            known,
        });
    }
    Bucket {
        value: silence(parts),
        peak: Sample::Unobserved,
        known: 0,
    }
}

/// What the absence of every number amounts to: an answer without data, if there was any answer.
fn silence(parts: &[Bucket]) -> Sample {
    let is_answered = parts.iter().any(|part| part.value == Sample::NoData);
    if is_answered {
        Sample::NoData
    } else {
        Sample::Unobserved
    }
}

/// The highest minute of all; unobserved where one part knows only its sum.
fn highest(parts: &[Bucket]) -> Sample {
    let valued = parts.iter().filter(|part| part.value.value().is_some());
    let peaks: Option<Vec<f64>> = valued.map(|part| part.peak.value()).collect();
    let highest = peaks.and_then(|peaks| peaks.into_iter().reduce(f64::max));
    highest.map_or(Sample::Unobserved, Sample::Value)
}

#[cfg(test)]
mod tests;
