//! What the web shows of a pool beside its use: the engine's portrait of it, with what the layers below know.

pub use crate::engine::portrait::{PerRequest, Pressure, coverage, per_request};
use crate::{
    collect::most_reserved_output,
    engine::portrait,
    model::{series::PoolSeries, time::Minute},
};

/// What admission may hold against TPM, see [`Pressure`].
#[must_use]
pub fn pressure(series: &PoolSeries, until: Minute) -> Option<Pressure> {
    portrait::pressure(series, until, most_reserved_output())
}

/// The most output that one request can reserve, in tokens.
#[must_use]
pub fn most_output() -> f64 {
    most_reserved_output()
}
