//! The minutes that a call needs, copied once out of the hour blocks, so that looking at a minute costs an index.

use std::collections::BTreeMap;

use crate::model::{
    calendar::Windows,
    series::{PoolSeries, Sample, Signal},
    time::Minute,
};

/// Samples of some signals over one stretch of minutes. What lies outside is `Unobserved`.
#[derive(Debug)]
pub(super) struct Strip {
    first: Minute,
    signals: BTreeMap<Signal, Vec<Sample>>,
    windows: Windows,
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
            .map(|signal| (signal, series.window(signal, first, until).collect()))
            .collect();
        Self::of(first, signals)
    }

    /// With the windows of the pool, whose minutes are neither judged nor learned.
    pub(super) fn within(self, windows: Windows) -> Self {
        Self { windows, ..self }
    }

    /// The windows of the pool.
    pub(super) const fn windows(&self) -> &Windows {
        &self.windows
    }

    /// Samples from `first` on, where they are at hand already.
    pub(super) fn of(first: Minute, signals: BTreeMap<Signal, Vec<Sample>>) -> Self {
        Self {
            first,
            signals,
            windows: Windows::default(),
        }
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
