//! Which minutes are in memory, and how they come back: at the start, with the back-fill, and for plans that look back.

use std::{collections::BTreeSet, sync::Arc};

use super::{Cycle, CycleError, day, day_of, read_whole};
use crate::{
    collect::backfill::FRESH_DAYS,
    model::{
        book::Book,
        catalog::PoolId,
        history::{Resolution, Stretch},
        incident::AlertKey,
        series::{HourBlock, KEPT_MINUTES, PoolSeries, Signal},
        time::{Minute, Timestamp},
    },
    store::{History, StoreError},
};

/// Pools whose older minutes stay in memory between plans: half a megabyte each.
const MOST_PAST: usize = 32;

/// Minutes that came back from the history.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Recalled {
    pub(in crate::runtime) minutes: PoolSeries,
    /// The end of the last day that was held, whatever was known of it.
    pub(in crate::runtime::cycle) until: Option<Minute>,
}

/// The minutes of this pool that the history holds, from the day `first` on.
pub(in crate::runtime) fn read_minutes(
    history: &dyn History,
    pool: &PoolId,
    first: i64,
) -> Result<Recalled, StoreError> {
    let mut recalled = Recalled::default();
    let held = history.held(pool);
    let days = held.range((Resolution::Minute, first)..(Resolution::FiveMinutes, i64::MIN));
    for (_, number) in days {
        let Some(stretch) = history.stretch(&day(pool.clone(), *number))? else {
            continue;
        };
        for (signal, hour, block) in stretch.hours() {
            recalled.minutes.restore(signal, hour, block);
        }
        recalled.until = recalled.until.max(Some(stretch.key.end()));
    }
    Ok(recalled)
}

impl Cycle {
    /// Once, at the start: days that are still to be judged and that the ledger has let go come back from the history.
    pub(in crate::runtime::cycle) async fn recall(
        &mut self,
        now: Timestamp,
    ) -> Result<(), CycleError> {
        if std::mem::replace(&mut self.keeping.is_recalled, true) {
            return Ok(());
        }
        let today = Minute::of(now);
        for pool in self.shared.history.pools() {
            let first = self.first_day(&self.shared.book(), &pool, today);
            match self.minutes_of(pool.clone(), first).await? {
                Ok(recalled) => self.put_back(&pool, recalled.minutes.hours_held(), first),
                Err(error) => self.tell_trouble(&error, now),
            }
        }
        Ok(())
    }

    /// The minutes of this pool that the history holds, from the day `first` on. A day as it is kept is a megabyte, and
    /// packed it is twenty kilobytes: so one day at a time.
    pub(in crate::runtime::cycle) async fn minutes_of(
        &self,
        pool: PoolId,
        first: i64,
    ) -> Result<Result<Recalled, StoreError>, CycleError> {
        let history = Arc::clone(&self.shared.history);
        let read = move || read_minutes(&*history, &pool, first);
        self.off_thread(read).await
    }

    /// All that the history holds of the minutes of these pools, for a plan that looks back further than the book does.
    pub(in crate::runtime::cycle) async fn recall_past(
        &mut self,
        pools: BTreeSet<PoolId>,
        now: Timestamp,
    ) -> Result<(), CycleError> {
        let first = day_of(Minute::of(now).plus(-KEPT_MINUTES));
        for pool in pools {
            let past = match self.minutes_of(pool.clone(), first).await? {
                Ok(recalled) => Some(recalled.minutes),
                Err(error) => {
                    self.tell_trouble(&error, now);
                    None
                }
            };
            if self.is_whole(&pool, Minute::of(now)) {
                self.keeping.filling.remove(&pool);
            } else {
                self.keeping.filling.insert(pool.clone());
            }
            self.keeping.past.insert(pool, past);
        }
        Ok(())
    }

    /// After a plan: what few incidents look at every minute stays at hand.
    pub(in crate::runtime::cycle) fn bound_past(&mut self) {
        if MOST_PAST < self.keeping.past.len() {
            self.keeping.past.clear();
        }
    }

    /// Puts a day back into what judging sees.
    pub(super) fn restore(&self, stretch: &Stretch, now: Timestamp) {
        let pool = &stretch.key.pool;
        let first = self.first_day(&self.shared.book(), pool, Minute::of(now));
        self.put_back(pool, stretch.hours(), first);
    }

    /// Puts the hours from the day `first` on back into what judging sees. What is there is newer and stays.
    fn put_back(
        &self,
        pool: &PoolId,
        hours: impl Iterator<Item = (Signal, Minute, HourBlock)>,
        first: i64,
    ) {
        let mut hours = hours
            .filter(|(_, hour, _)| first <= day_of(*hour))
            .peekable();
        if hours.peek().is_none() {
            return;
        }
        let mut book = self.shared.book_mut();
        let series = book.series.entry(pool.clone()).or_default();
        for (signal, hour, block) in hours {
            if !series.holds(signal, hour) {
                series.restore(signal, hour, block);
            }
        }
    }

    /// The first day of a pool whose minutes stay in memory: those that the ledger holds, that a read may still change,
    /// or that a rule has still to judge. A restart comes to the same, since all of it is told by what is durable.
    fn first_day(&self, book: &Book, pool: &PoolId, now: Minute) -> i64 {
        let read = read_whole(book, pool);
        let changing = day_of(read.map_or(now, |read| read.min(now))) - FRESH_DAYS;
        let rules = self.settings.rules.known().iter();
        let tracks = rules.filter_map(|rule| {
            book.tracks.get(&AlertKey {
                rule: rule.name.clone(),
                pool: pool.clone(),
            })
        });
        // Windows reach back into the day before, sums of a day to its start.
        let unjudged = tracks.map(|track| day_of(track.through) - 1).min();
        let first = unjudged.map_or(changing, |day| day.min(changing));
        let first = first.max(day_of(now.plus(-KEPT_MINUTES)));
        let in_ledger = self.keeping.in_ledger.get(pool);
        let in_ledger = in_ledger.and_then(|days| days.first().copied());
        in_ledger.map_or(first, |day| day.min(first))
    }

    /// Lets minutes go that nothing looks at any more and that the ledger does not hold.
    pub(super) fn forget(&mut self, hour: Minute) {
        self.keeping.past.clear();
        let mut book = self.shared.book_mut();
        let pools = book.series.keys();
        let first: Vec<i64> = pools
            .map(|pool| self.first_day(&book, pool, hour))
            .collect();
        for (series, first) in book.series.values_mut().zip(first) {
            series.forget_before(first);
        }
    }
}
