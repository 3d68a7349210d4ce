//! A past minute of a pool, judged again from what is kept: the book as it was then, and the rules as they are now.

use std::sync::Arc;

use super::{history::HistoryError, shared::Shared};
pub use crate::engine::moment::{Line, Moment, Says, Seen};
use crate::{
    engine::{learned::LEARNED_DAYS, moment},
    model::{
        book::{Book, Record},
        catalog::{Pool, PoolId},
        history::{Resolution, StretchKey},
        series::{PoolSeries, Sample, Signal},
        time::{DAY, HOUR, Minute},
    },
    store::{History, StoreError},
};

/// What was known of a pool at the end of a minute.
#[derive(Clone, Debug)]
pub struct Then {
    /// The pool.
    pub pool: Pool,
    /// The book as of that minute: this pool's series, and the quotas with their values of then.
    pub book: Book,
    /// What each of its rules says.
    pub moments: Vec<Moment>,
}

impl Shared {
    /// Judges this minute of a watched pool again; `None` where the pool is not watched.
    ///
    /// # Errors
    ///
    /// When the disk could not be asked. What is damaged is unobserved.
    pub async fn judge_again(
        &self,
        pool: &PoolId,
        minute: Minute,
    ) -> Result<Option<Then>, HistoryError> {
        let Some((pool, mut book)) = self.known_of(pool) else {
            return Ok(None);
        };
        let settings = self.settings();
        let history = Arc::clone(&self.history);
        let judge = move || -> Result<Then, StoreError> {
            rewind(&mut book, &pool, &*history, minute)?;
            let (rules, calendar) = (&settings.rules, &settings.calendar);
            let moments = moment::at(rules, calendar, &book, &pool, minute);
            Ok(Then {
                pool,
                book,
                moments,
            })
        };
        Ok(Some(tokio::task::spawn_blocking(judge).await??))
    }

    /// The pool with its quotas and the minutes that are in memory.
    fn known_of(&self, id: &PoolId) -> Option<(Pool, Book)> {
        let book = self.book();
        let pool = book.pools.get(id)?.clone();
        let mut own = book.catalog_of(&id.scope);
        let series = book.series.get(id).cloned();
        own.series.extend(series.map(|series| (id.clone(), series)));
        let changes = book.quota_changes.iter();
        let changes = changes.filter(|((scope, _, _), _)| *scope == id.scope);
        let changes = changes.map(|(key, change)| (key.clone(), change.clone()));
        own.quota_changes = changes.collect();
        Some((pool, own))
    }
}

/// Makes it the book of then: nothing after the minute, what the history has before it, and the quotas of then.
fn rewind(
    book: &mut Book,
    pool: &Pool,
    history: &dyn History,
    minute: Minute,
) -> Result<(), StoreError> {
    let end = minute.plus(1);
    let known = book.series.remove(&pool.id).unwrap_or_default();
    let mut series = PoolSeries::default();
    for (signal, hour) in known.held().collect::<Vec<_>>() {
        put(&mut series, signal, hour, known.block(signal, hour), end);
    }
    let last = Resolution::Minute.stretch_of(minute);
    let first = last - LEARNED_DAYS;
    let held = history.held(&pool.id).into_iter();
    let held = held.filter(|(resolution, number)| {
        *resolution == Resolution::Minute && (first..=last).contains(number)
    });
    for (resolution, number) in held {
        let key = StretchKey {
            pool: pool.id.clone(),
            resolution,
            number,
        };
        let stretch = history.stretch(&key)?;
        for (signal, hour, block) in stretch.iter().flat_map(|it| it.hours()) {
            if !series.holds(signal, hour) {
                put(&mut series, signal, hour, Some(block), end);
            }
        }
    }
    series.forget_before(first.min(minute.0.div_euclid(DAY)));
    book.series.insert(pool.id.clone(), series);
    for read in [
        Record::ReadThrough(pool.id.clone(), end),
        Record::ReadInFull(pool.id.clone(), end),
        Record::ReadInDepth(pool.id.clone(), end),
    ] {
        book.take_in(read);
    }
    // Back to what held then: the newest change is undone first.
    let later = |at| end <= Minute::of(at);
    let changes = std::mem::take(&mut book.quota_changes);
    for ((scope, code, at), change) in changes.into_iter().rev() {
        if !later(at) {
            book.quota_changes.insert((scope, code, at), change);
        } else if let Some(quota) = book.quotas.get_mut(&(scope, code)) {
            quota.applied = change.old;
            quota.stale = None;
        }
    }
    Ok(())
}

/// The minutes of this hour before `end`.
fn put(
    into: &mut PoolSeries,
    signal: Signal,
    hour: Minute,
    block: Option<crate::model::series::HourBlock>,
    end: Minute,
) {
    let Some(mut block) = block.filter(|_| hour < end) else {
        return;
    };
    for (minute, slot) in hour.until(hour.plus(HOUR)).zip(&mut block) {
        if end <= minute {
            *slot = Sample::Unobserved;
        }
    }
    into.restore(signal, hour, block);
}
