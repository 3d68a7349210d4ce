//! What the web shows of a pool beside its use: the engine's portrait of it, with what the layers below know.

pub use crate::engine::portrait::{PerRequest, Pressure, coverage, per_request};
use crate::{
    collect::{long_input_tokens, most_reserved_output},
    engine::portrait,
    model::{series::PoolSeries, time::Minute},
};

/// What admission may hold against TPM, see [`Pressure`].
#[must_use]
pub fn pressure(series: &PoolSeries, until: Minute) -> Option<Pressure> {
    portrait::pressure(series, until, most_reserved_output())
}

/// From how many input tokens on a request is a long one.
#[must_use]
pub fn long_input() -> u32 {
    long_input_tokens()
}

/// The most output that one request can reserve, in tokens.
#[must_use]
pub fn most_output() -> f64 {
    most_reserved_output()
}
