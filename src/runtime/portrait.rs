//! What the web shows of a pool beside its use: the engine's portrait of it, with what the layers below know.

pub use crate::engine::portrait::{PerRequest, Pressure, coverage, per_request};
use crate::{
    collect::{long_input_tokens, most_reserved_output},
    engine::{cross_model::Rates, portrait},
    model::{
        book::Book,
        ids::{ModelId, Scope},
        price::Prices,
        series::PoolSeries,
        time::Minute,
    },
};

/// The models of an account that are weighed like the dearest one, since nobody said what they cost; none where no price is
/// known at all.
#[must_use]
pub fn without_price(book: &Book, prices: &Prices, scope: &Scope, at: Minute) -> Vec<ModelId> {
    Rates::of(book, prices, scope, at).map_or_else(Vec::new, |it| it.unpriced)
}

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
