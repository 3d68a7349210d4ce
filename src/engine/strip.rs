//! The minutes that a call needs, copied once out of the hour blocks, so that looking at a minute costs an index.

use std::collections::BTreeMap;

use crate::model::{
    series::{PoolSeries, Sample, Signal},
    time::{HOUR, Minute},
};

/// Samples of some signals over one stretch of minutes. What lies outside is `Unobserved`.
#[derive(Debug)]
pub(super) struct Strip {
    first: Minute,
    signals: BTreeMap<Signal, Vec<Sample>>,
}

impl Strip {
    /// Copies `first..until` of these signals.
    pub(super) fn cut(
        series: &PoolSeries,
        first: Minute,
        until: Minute,
        signals: impl IntoIterator<Item = Signal>,
    ) -> Self {
        let signals = signals
            .into_iter()
            .map(|signal| (signal, stretch(series, signal, first, until)))
            .collect();
        Self { first, signals }
    }

    /// What is known of this minute.
    pub(super) fn get(&self, signal: Signal, minute: Minute) -> Sample {
        let Ok(index) = usize::try_from(minute.since(self.first)) else {
            return Sample::Unobserved;
        };
        let samples = self.signals.get(&signal);
        samples
            .and_then(|samples| samples.get(index))
            .copied()
            .unwrap_or_default()
    }

    /// The number, where there is one.
    pub(super) fn value(&self, signal: Signal, minute: Minute) -> Option<f64> {
        self.get(signal, minute).value()
    }

    /// How many requests failed or were refused. CloudWatch publishes these only where there are some: a complete answer
    /// without a datapoint, in a minute for which the pool's own invocations are known, is a proven zero. Otherwise a
    /// pool that never failed would never be judged.
    pub(super) fn failures(&self, signal: Signal, minute: Minute) -> Option<f64> {
        match self.get(signal, minute) {
            Sample::Value(count) => Some(count),
            Sample::NoData => self.value(Signal::Invocations, minute).map(|_| 0.0),
            Sample::Unobserved => None,
        }
    }

    /// Invocations and throttles together; unknown if either is.
    pub(super) fn demand(&self, minute: Minute) -> Option<f64> {
        let through = self.value(Signal::Invocations, minute)?;
        Some(through + self.failures(Signal::Throttles, minute)?)
    }
}

/// One signal over `first..until`, hour block by hour block.
pub(super) fn stretch(
    series: &PoolSeries,
    signal: Signal,
    first: Minute,
    until: Minute,
) -> Vec<Sample> {
    let mut samples = Vec::with_capacity(usize::try_from(until.since(first)).unwrap_or(0));
    let mut at = first;
    while at < until {
        let hour = at.hour();
        let end = until.min(hour.plus(HOUR));
        let range = index_in_hour(at, hour)..index_in_hour(end, hour);
        let length = range.len();
        match series
            .block(signal, hour)
            .and_then(|block| block.get(range))
        {
            Some(part) => samples.extend_from_slice(part),
            None => samples.extend(std::iter::repeat_n(Sample::Unobserved, length)),
        }
        at = end;
    }
    samples
}

/// The held parts of one signal over `first..until`, without copying; minutes that were never read are left out.
pub(super) fn parts(
    series: &PoolSeries,
    signal: Signal,
    first: Minute,
    until: Minute,
) -> impl Iterator<Item = &[Sample]> {
    let hours = std::iter::successors(Some(first.hour()), |hour| Some(hour.plus(HOUR)));
    let hours = hours.take_while(move |hour| *hour < until);
    hours.filter_map(move |hour| {
        let range =
            index_in_hour(first.max(hour), hour)..index_in_hour(until.min(hour.plus(HOUR)), hour);
        series.block(signal, hour)?.get(range)
    })
}

/// `0..=60`, since `at` lies in the hour or at its end.
fn index_in_hour(at: Minute, hour: Minute) -> usize {
    usize::try_from(at.since(hour)).unwrap_or(0)
}
