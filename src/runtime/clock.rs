//! The one place that reads a clock.

use crate::model::time::Timestamp;

/// The wall clock, UTC: it labels data. Waits are measured by tokio's monotonic timer.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that reads the clock"
)]
pub fn wall() -> Timestamp {
    Timestamp::now()
}

/// A monotonic instant, for how long something took in this process.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that reads the clock"
)]
pub fn monotonic() -> std::time::Instant {
    std::time::Instant::now()
}
