//! What the web shows of ways out of a shortage: the engine's, over what the book holds.

pub use crate::engine::siblings::Sibling;
use crate::{
    engine::{residency::Law, siblings},
    model::{book::Book, catalog::PoolId, incident::Incident, policy::Policy, time::Minute},
};

/// The pools with room for the traffic of this incident, most room first.
#[must_use]
pub fn siblings(book: &Book, policy: &Policy, incident: &Incident) -> Vec<Sibling> {
    look(book, policy, |around| {
        siblings::of_incident(around, incident)
    })
}

/// The same of a pool that need not be short, as far as it was read.
#[must_use]
pub fn siblings_of_pool(book: &Book, policy: &Policy, pool: &PoolId) -> Vec<Sibling> {
    let until: Option<&Minute> = book.read_through.get(pool);
    until.map_or_else(Vec::new, |until| {
        look(book, policy, |around| {
            siblings::of_pool(around, pool, *until)
        })
    })
}

fn look(
    book: &Book,
    policy: &Policy,
    find: impl FnOnce(siblings::Around<'_>) -> Vec<Sibling>,
) -> Vec<Sibling> {
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
    find(around)
}
