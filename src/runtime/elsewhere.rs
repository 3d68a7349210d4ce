//! What the web shows of ways out of a shortage: the engine's, over what the book holds.

pub use crate::engine::siblings::Sibling;
use crate::{
    engine::{residency::Law, siblings},
    model::{book::Book, incident::Incident, policy::Policy},
};

/// The pools with room for the traffic of this incident, most room first.
#[must_use]
pub fn siblings(book: &Book, policy: &Policy, incident: &Incident) -> Vec<Sibling> {
    let law = Law {
        rules: &policy.residency,
        book,
    };
    let samples = |pool: &_, signal, from, until| {
        let series = book.series.get(pool);
        let samples = series.map(|it| it.window(signal, from, until).collect());
        samples.unwrap_or_default()
    };
    let around = siblings::Around {
        law,
        samples: &samples,
        known: policy.hints.headroom.known,
        prices: &policy.prices,
        callers: &policy.callers,
    };
    siblings::of_incident(around, incident)
}
