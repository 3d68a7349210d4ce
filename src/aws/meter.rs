//! Counting what is sent, and noticing whether anything was sent at all.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{
                BeforeDeserializationInterceptorContextMut,
                BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
            },
        },
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{
    body::SdkBody,
    config_bag::ConfigBag,
    date_time::{DateTime, Format},
};
use http_body_util::Limited;

use super::pace::Pace;
use crate::{
    cloud::{Answers, FaultClass},
    model::{
        ids::Scope,
        spend::{CallCounts, Calls, Site},
    },
};

/// Largest answer to a read, in bytes.
pub(super) const MOST_READ_BYTES: u64 = 8 << 20;
/// Largest answer to a call that is sent once, in bytes.
pub(super) const MOST_ONCE_BYTES: u64 = 1 << 20;

/// The counts since the start, and how fast calls go out.
#[derive(Debug, Default)]
pub(super) struct Meter {
    counts: Mutex<CallCounts>,
    answers: Mutex<Answers>,
    pace: Pace,
}

impl Meter {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            ..Self::default()
        }
    }

    /// One request left, or was about to, and asked for so many series.
    pub(super) fn count(&self, scope: Option<&Scope>, operation: &'static str, metrics: u64) {
        let site = Site {
            scope: scope.cloned(),
            operation: operation.to_owned(),
        };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let requests = 1;
        counts.add(site, Calls { requests, metrics });
    }

    fn note(&self, how: impl FnOnce(&mut Answers)) {
        how(&mut self.answers.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// How AWS answered so far.
    pub(super) fn answers(&self) -> Answers {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.clone()
    }

    /// The counts as of now.
    pub(super) fn snapshot(&self) -> CallCounts {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.clone()
    }
}

/// The counts of one account and Region.
#[derive(Clone, Debug)]
pub(super) struct LocalMeter {
    meter: Arc<Meter>,
    scope: Option<Scope>,
}

impl LocalMeter {
    /// `scope` is unknown only while we ask who we are.
    pub(super) fn new(meter: &Arc<Meter>, scope: Option<Scope>) -> Self {
        let meter = Arc::clone(meter);
        Self { meter, scope }
    }
}

/// Rides along with one call: counts each attempt, bounds the answer, and knows whether anything was sent.
///
/// A failure before anything was sent (no credentials, no endpoint) is certain to have had no effect; the SDK's own
/// error types do not tell it apart from a connection that broke.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    meter: LocalMeter,
    operation: &'static str,
    /// Series that each attempt asks for, where they are billed.
    metrics: u64,
    most_bytes: u64,
    sent: Arc<AtomicBool>,
    /// When the last attempt left.
    left: Arc<Mutex<Option<SystemTime>>>,
}

impl Probe {
    pub(super) fn read(meter: &LocalMeter, operation: &'static str) -> Self {
        Self::new(meter, operation, MOST_READ_BYTES)
    }

    pub(super) fn once(meter: &LocalMeter, operation: &'static str) -> Self {
        Self::new(meter, operation, MOST_ONCE_BYTES)
    }

    /// A read that is billed by the series it asks for: each attempt anew.
    pub(super) fn of_metrics(meter: &LocalMeter, operation: &'static str, metrics: usize) -> Self {
        Self {
            metrics: u64::try_from(metrics).unwrap_or(u64::MAX),
            ..Self::read(meter, operation)
        }
    }

    fn new(meter: &LocalMeter, operation: &'static str, most_bytes: u64) -> Self {
        Self {
            meter: meter.clone(),
            operation,
            metrics: 0,
            most_bytes,
            sent: Arc::default(),
            left: Arc::default(),
        }
    }

    /// `service:Operation`.
    pub(super) const fn operation(&self) -> &'static str {
        self.operation
    }

    /// Waits until the call may be made, by its rate.
    pub(super) async fn turn(&self) {
        let LocalMeter { meter, scope } = &self.meter;
        meter.pace.turn(scope.as_ref(), self.operation).await;
    }

    /// Notes what the call came to; `None` for a yes.
    pub(super) fn note(&self, class: Option<FaultClass>) {
        self.meter.meter.note(|answers| {
            *answers.calls.entry((self.operation, class)).or_default() += 1;
        });
    }

    /// Notes an answer of `now`: how long it took, and how far the clocks are apart.
    fn answered(&self, now: SystemTime, date: Option<&str>) {
        let left = *self.left.lock().unwrap_or_else(PoisonError::into_inner);
        // By the wall clock, which may be set while we wait.
        let took = left.and_then(|left| now.duration_since(left).ok());
        // The clock that signs is the one that has to be right.
        let theirs = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        self.meter.meter.note(|answers| {
            if let Some(theirs) = theirs {
                let ours = DateTime::from(now);
                answers.clock_ahead = Some(ours.as_secs_f64() - theirs.as_secs_f64());
            }
            if let Some(took) = took {
                let (count, seconds) = answers.waits.entry(self.operation).or_default();
                *count += 1;
                *seconds += took.as_secs_f64();
            }
        });
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
        components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.sent.store(true, Ordering::SeqCst);
        let now = components.time_source().map(|clock| clock.now());
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = now;
        let LocalMeter { meter, scope } = &self.meter;
        meter.count(scope.as_ref(), self.operation, self.metrics);
        Ok(())
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.response().headers();
        if let Some(clock) = components.time_source() {
            self.answered(clock.now(), headers.get("date"));
        }
        // An answer that announces too much is not read at all.
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

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // One that comes in chunks says nothing of its length: it is read up to the bound, and refused there.
        let most_bytes = usize::try_from(self.most_bytes).unwrap_or(usize::MAX);
        let body = context.response_mut().body_mut();
        let whole = std::mem::replace(body, SdkBody::taken());
        *body = SdkBody::from_body_1_x(Limited::new(whole, most_bytes));
        Ok(())
    }
}
