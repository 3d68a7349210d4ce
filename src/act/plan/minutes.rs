//! The minutes that a plan looks at: the last days from the book, older ones where the plan was given them.

use std::collections::BTreeMap;

use crate::model::{
    book::Book,
    catalog::PoolId,
    series::{PoolSeries, Signal, Window},
    time::Minute,
};

/// Minutes of pools from before those in the book. `None` where they could not be read.
pub type Past = BTreeMap<PoolId, Option<PoolSeries>>;

/// What is known of the minutes of all pools.
#[derive(Clone, Copy, Debug)]
pub(super) struct Minutes<'a> {
    recent: &'a BTreeMap<PoolId, PoolSeries>,
    past: Option<&'a Past>,
}

impl<'a> Minutes<'a> {
    pub(super) const fn of(book: &'a Book, past: &'a Past) -> Self {
        Self {
            recent: &book.series,
            past: Some(past),
        }
    }

    /// For whoever looks at the last hours only.
    pub(super) const fn recent(book: &'a Book) -> Self {
        Self {
            recent: &book.series,
            past: None,
        }
    }

    /// Whether this pool's older minutes were read.
    pub(super) fn is_whole(&self, pool: &PoolId) -> bool {
        let past = self.past.and_then(|past| past.get(pool));
        past.is_some_and(Option::is_some)
    }

    /// The samples from `from` up to and without `until`, in order; minutes never read are `Unobserved`.
    pub(super) fn window(
        &self,
        pool: &PoolId,
        signal: Signal,
        from: Minute,
        until: Minute,
    ) -> Window<'a> {
        let recent = self.recent.get(pool);
        let past = self.past.and_then(|past| past.get(pool)?.as_ref());
        let series = [recent, past].map(|it| it.unwrap_or(PoolSeries::EMPTY));
        Window::of(series, signal, (from, until))
    }
}
