//! The minutes that a plan looks at: the last days from the book, older ones where the plan was given them.

use std::collections::BTreeMap;

use crate::model::{
    book::Book,
    catalog::PoolId,
    series::{PoolSeries, Sample, Signal},
    time::{HOUR, Minute},
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
    ) -> impl Iterator<Item = Sample> + use<'a> {
        let recent = self.recent.get(pool);
        let past = self.past.and_then(|past| past.get(pool)?.as_ref());
        let hours = std::iter::successors(Some(from.hour()), |hour| Some(hour.plus(HOUR)));
        let hours = hours.take_while(move |hour| *hour < until);
        hours.flat_map(move |hour| {
            let recent = recent.filter(|it| it.holds(signal, hour));
            let series = recent.or(past).unwrap_or(PoolSeries::EMPTY);
            series.part_of_hour(signal, hour, from, until)
        })
    }
}
