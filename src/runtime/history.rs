//! Reading history for people: the days that the book still has, over what is kept for months.

use std::sync::Arc;

use super::shared::Shared;
use crate::{
    model::{
        catalog::PoolId,
        history::{Bucket, Resolution, Stretch},
        series::Signal,
        time::Minute,
    },
    store::{StoreError, history::read_range},
};

/// A range of one signal of one pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Whose.
    pub pool: PoolId,
    /// Which signal.
    pub signal: Signal,
    /// How long the buckets are.
    pub resolution: Resolution,
    /// A minute of the first bucket.
    pub from: Minute,
    /// The first minute that is not asked for.
    pub until: Minute,
}

/// Why history could not be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The disk.
    #[error("the history could not be read")]
    Store(#[from] StoreError),
    /// The runtime ended meanwhile.
    #[error("the read was cut off")]
    Cut(#[from] tokio::task::JoinError),
}

impl Shared {
    /// The pool of this name, watched now or once.
    #[must_use]
    pub fn pool_named(&self, name: &str) -> Option<PoolId> {
        let is_named = |pool: &PoolId| pool.to_string() == name;
        let known = self.book().pools.keys().find(|it| is_named(it)).cloned();
        known.or_else(|| self.history.pools().into_iter().find(is_named))
    }

    /// The buckets of this range, in order.
    ///
    /// # Errors
    ///
    /// When the disk could not be asked. What is damaged is unobserved, and told in the log.
    pub async fn read_history(&self, asked: Asked) -> Result<Vec<Bucket>, HistoryError> {
        let recent = self.recent_days(&asked);
        let history = Arc::clone(&self.history);
        let read = move || {
            let Asked {
                pool,
                signal,
                resolution,
                from,
                until,
            } = asked;
            read_range(
                &*history,
                &recent,
                (&pool, signal),
                resolution,
                (from, until),
            )
        };
        Ok(tokio::task::spawn_blocking(read).await??)
    }

    /// The days that the book has in minutes.
    fn recent_days(&self, asked: &Asked) -> Vec<Stretch> {
        let book = self.book();
        let Some(series) = book.series.get(&asked.pool) else {
            return Vec::new();
        };
        let Some(first) = series.first_minute() else {
            return Vec::new();
        };
        let day = |minute| Resolution::Minute.stretch_of(minute);
        let days = day(first.max(asked.from))..=day(asked.until.plus(-1));
        days.filter_map(|day| Stretch::of_day(&asked.pool, series, day))
            .collect()
    }
}
