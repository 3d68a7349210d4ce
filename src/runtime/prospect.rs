//! What would be asked for a pool's quotas now, by the planner itself over the book as it is and the history on disk.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::task::JoinError;

use super::{cycle::read_minutes, shared::Shared};
pub use crate::act::plan::{Prospect, Would, situation::Usage};
use crate::{
    act::plan::{self, Past, Wanted},
    collect::{long_input_tokens, most_reserved_output},
    model::{
        book::Book,
        catalog::PoolId,
        history::Resolution,
        ids::{QuotaCode, Scope},
        policy::Policy,
        series::KEPT_MINUTES,
        time::{Minute, Timestamp},
        units::Amount,
    },
};

/// Above what and up to what a quota may be asked for: a value of a person's own is held to the same.
///
/// # Errors
///
/// Why nothing can be asked on it, as a sentence fragment.
pub fn bounds_of(
    book: &Book,
    policy: &Policy,
    (scope, code): (&Scope, &QuotaCode),
) -> Result<(Amount, Amount), String> {
    let quota = book.quotas.get(&(scope.clone(), code.clone()));
    let quota = quota.ok_or_else(|| format!("the value of {code} is not known"))?;
    plan::bounds(quota, &policy.budgets)
}

impl Shared {
    /// The pool, or way out that nobody uses, of this name.
    pub fn place_named(&self, name: &str) -> Option<PoolId> {
        let book = self.book();
        let spares = book.catalogs.values().flat_map(|it| &it.spares);
        let mut known = book.pools.keys().chain(spares.map(|it| &it.pool.id));
        known.find(|it| it.to_string() == name).cloned()
    }

    /// What would be asked for each of its quotas; `None` where nothing is called so. Of single targets nothing is said in the
    /// words: who takes most is known to the daemon's loop alone.
    ///
    /// # Errors
    ///
    /// When the runtime ends meanwhile. What can't be read of the past is said in the answer.
    pub async fn prospects(
        &self,
        pool: &PoolId,
        now: Timestamp,
    ) -> Result<Option<Vec<Prospect>>, JoinError> {
        let mut past = Past::new();
        loop {
            match self.look_ahead_of(pool, &past, now) {
                Ok(found) => return Ok(found),
                Err(Wanted(pools)) => past.extend(self.past_of(pools, now).await?),
            }
        }
    }

    fn look_ahead_of(
        &self,
        pool: &PoolId,
        past: &Past,
        now: Timestamp,
    ) -> Result<Option<Vec<Prospect>>, Wanted> {
        let settings = self.settings();
        let stop = self.stop();
        let book = self.book();
        let inputs = plan::Inputs {
            book: &book,
            verdicts: &[],
            orphans: &[],
            desk: &[],
            takers: &BTreeMap::new(),
            recent: &BTreeMap::new(),
            most_output: most_reserved_output(),
            long_input: long_input_tokens(),
            past,
            filling: &BTreeSet::new(),
            policy: &settings.policy,
            beside: plan::nothing_beside(),
            stop: stop.as_ref(),
            now,
        };
        plan::prospects(inputs, pool, &settings.rules.of(pool))
    }

    async fn past_of(&self, pools: BTreeSet<PoolId>, now: Timestamp) -> Result<Past, JoinError> {
        let history = Arc::clone(&self.history);
        let first = Resolution::Minute.stretch_of(Minute::of(now).plus(-KEPT_MINUTES));
        let read = move || -> Past {
            let read = pools.into_iter().map(|pool| {
                // Said as that in the answer; the loop tells the trouble, which it meets as well.
                let minutes = read_minutes(&*history, &pool, first);
                (pool, minutes.ok().map(|it| it.minutes))
            });
            read.collect()
        };
        tokio::task::spawn_blocking(read).await
    }
}
