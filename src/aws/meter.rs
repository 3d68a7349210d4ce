//! Counting what is sent, and noticing whether anything was sent at all.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{
                BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
            },
        },
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;

use crate::cloud::CallCounts;

/// Largest answer to a read, in bytes.
pub(super) const MOST_READ_BYTES: u64 = 8 << 20;
/// Largest answer to a call that is sent once, in bytes.
pub(super) const MOST_ONCE_BYTES: u64 = 1 << 20;

/// The counts since the start.
#[derive(Debug, Default)]
pub(super) struct Meter {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    calls: BTreeMap<&'static str, u64>,
    metrics: u64,
}

impl Meter {
    /// One request left, or was about to.
    pub(super) fn count(&self, operation: &'static str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.calls.entry(operation).or_default() += 1;
    }

    /// So many series were asked for in one call.
    pub(super) fn count_metrics(&self, series: usize) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let series = u64::try_from(series).unwrap_or(u64::MAX);
        counts.metrics = counts.metrics.saturating_add(series);
    }

    /// The counts as of now.
    pub(super) fn snapshot(&self) -> CallCounts {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        CallCounts {
            calls: counts
                .calls
                .iter()
                .map(|(operation, calls)| ((*operation).to_owned(), *calls))
                .collect(),
            metrics: counts.metrics,
        }
    }
}

/// Rides along with one call: counts each attempt, bounds the answer, and knows whether anything was sent.
///
/// A failure before anything was sent (no credentials, no endpoint) is certain to have had no effect; the SDK's own
/// error types do not tell it apart from a connection that broke.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    meter: Arc<Meter>,
    operation: &'static str,
    most_bytes: u64,
    sent: Arc<AtomicBool>,
}

impl Probe {
    pub(super) fn read(meter: &Arc<Meter>, operation: &'static str) -> Self {
        Self::new(meter, operation, MOST_READ_BYTES)
    }

    pub(super) fn once(meter: &Arc<Meter>, operation: &'static str) -> Self {
        Self::new(meter, operation, MOST_ONCE_BYTES)
    }

    fn new(meter: &Arc<Meter>, operation: &'static str, most_bytes: u64) -> Self {
        Self {
            meter: Arc::clone(meter),
            operation,
            most_bytes,
            sent: Arc::default(),
        }
    }

    /// `service:Operation`.
    pub(super) const fn operation(&self) -> &'static str {
        self.operation
    }

    /// Whether any attempt got as far as the connection.
    pub(super) fn was_sent(&self) -> bool {
        self.sent.load(Ordering::SeqCst)
    }
}

impl Intercept for Probe {
    fn name(&self) -> &'static str {
        "Probe"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.sent.store(true, Ordering::SeqCst);
        self.meter.count(self.operation);
        Ok(())
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // Answers without a length are bounded by the timeout of the attempt alone.
        let length = context
            .response()
            .headers()
            .get("content-length")
            .and_then(|length| length.parse::<u64>().ok());
        match length {
            Some(length) if self.most_bytes < length => Err(format!(
                "the answer has {length} bytes, more than {}",
                self.most_bytes
            )
            .into()),
            Some(_) | None => Ok(()),
        }
    }
}
