//! What all models of an account and Region take together, for the quota of tokens per day that they share: added up from the
//! minutes of their pools as these become durable, and kept as the minutes of a pool of its own.
//!
//! Nothing is asked of AWS for it. It is known as far as the slowest pool is read in full, which is soon enough for a day.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Cycle, CycleError};
use crate::{
    collect::PoolReading,
    engine::{
        cross_model::{Day, Rates, known_until, passed, worth, worth_after},
        learned::LEARNED_DAYS,
    },
    model::{
        book::{Book, Record},
        catalog::{Pool, PoolId},
        history::{Bucket, Resolution, Stretch, StretchKey},
        ids::{Scope, TargetId},
        policy::Settings,
        series::{Reading, SETTLE_MINUTES, Sample, Signal, TargetReading},
        time::{DAY, Minute, Timestamp},
        units::QuotaKind,
        worth::Worth,
    },
    store::{History, StoreError},
};

/// Days of pools that are read from the history in one cycle, to bound its length.
const MOST_POOL_DAYS: usize = 60;

/// What adding up remembers. All of it can be lost.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    /// Where older days may be there to be added up.
    pub(super) older: BTreeSet<Scope>,
    /// Prices of this hour, for so many pools.
    rates: BTreeMap<Scope, (Minute, usize, Arc<Rates>)>,
    is_begun: bool,
}

impl Accounts {
    /// Prices are another configuration's from now on.
    pub(super) fn configure(&mut self) {
        self.rates.clear();
    }

    /// The prices of an account and Region that has a quota which counts by them.
    fn rates(
        &mut self,
        book: &Book,
        settings: &Settings,
        scope: &Scope,
        now: Minute,
    ) -> Option<Arc<Rates>> {
        book.pools.get(&PoolId::of_account(scope))?;
        let pools = book.pools_in(scope).count();
        let known = self.rates.get(scope);
        let known = known.filter(|(hour, count, _)| *hour == now.hour() && *count == pools);
        if let Some((_, _, rates)) = known {
            return Some(Arc::clone(rates));
        }
        let rates = Arc::new(Rates::of(book, &settings.policy.prices, scope, now)?);
        let cached = (now.hour(), pools, Arc::clone(&rates));
        self.rates.insert(scope.clone(), cached);
        Some(rates)
    }
}

impl Cycle {
    /// After minutes of models became durable: the same minutes of their accounts.
    pub(super) async fn add_up(
        &mut self,
        read: &[PoolReading],
        now: Timestamp,
    ) -> Result<(), CycleError> {
        let mut changed: BTreeMap<&Scope, Minute> = BTreeMap::new();
        // A quick read reads nothing that prices are for.
        let read = read.iter().filter(|it| it.in_full.is_some());
        for it in read.map(|it| &it.reading) {
            let first = changed.entry(&it.pool.scope).or_insert(it.from);
            *first = it.from.min(*first);
        }
        let minute = Minute::of(now);
        let rates: Vec<(Minute, Arc<Rates>)> = {
            let (book, settings) = (self.shared.book(), &self.settings);
            let accounts = &mut self.accounts;
            let rates = changed.into_iter().filter_map(|(scope, from)| {
                Some((from, accounts.rates(&book, settings, scope, minute)?))
            });
            rates.collect()
        };
        let sums: Vec<PoolReading> = {
            let book = self.shared.book();
            let sums = rates.iter();
            sums.filter_map(|(from, rates)| added_up(&book, rates, *from))
                .collect()
        };
        self.keep_minutes(&sums, now).await?;
        let weighed: Vec<Record> = {
            let book = self.shared.book();
            let weighed = rates.iter().filter_map(|(_, rates)| weighed(&book, rates));
            weighed.map(Record::Pool).collect()
        };
        self.commit(weighed, now).await?;
        Ok(())
    }

    /// Days before the start, once all pools of an account and Region hold them: a few a cycle, the newest first.
    pub(super) async fn add_up_older(&mut self, now: Timestamp) -> Result<(), CycleError> {
        if !std::mem::replace(&mut self.accounts.is_begun, true) {
            let book = self.shared.book();
            let pools = book.pools.keys().filter(|it| is_account(it));
            self.accounts.older = pools.map(|it| it.scope.clone()).collect();
        }
        let mut left = MOST_POOL_DAYS;
        while let Some(scope) = self.accounts.older.first().cloned() {
            let Some((rates, day)) = self.older_day(&scope, now) else {
                self.accounts.older.remove(&scope);
                continue;
            };
            let pools: Vec<PoolId> = {
                let book = self.shared.book();
                let read = |it: &&PoolId| book.read_through.contains_key(*it);
                rates.pools().filter(read).cloned().collect()
            };
            let count = pools.len();
            let history = Arc::clone(&self.shared.history);
            let of = Arc::clone(&rates);
            let add = move || add_day(&*history, &of, &pools, day);
            let taken = match self.off_thread(add).await? {
                Ok(taken) => taken,
                Err(error) => {
                    self.tell_trouble(&error, now);
                    break;
                }
            };
            let weighed = taken.and_then(|taken| {
                let book = self.shared.book();
                weighed_after(&book, &rates, (day, &taken), Minute::of(now))
            });
            self.commit(weighed.into_iter().map(Record::Pool).collect(), now)
                .await?;
            let Some(rest) = left.checked_sub(count) else {
                break;
            };
            left = rest;
        }
        Ok(())
    }

    /// Whether its past is added up, as far as there is any.
    pub(super) fn is_account_whole(&self, scope: &Scope, now: Minute) -> bool {
        let pools: Vec<PoolId> = {
            let book = self.shared.book();
            let read = book.reads_in(scope).map(|(pool, _)| pool);
            read.filter(|it| it.family.is_of_runtime())
                .cloned()
                .collect()
        };
        !self.accounts.older.contains(scope) && pools.iter().all(|it| self.is_whole(it, now))
    }

    /// The newest day that all pools hold and their account does not, and the prices it is weighed by.
    fn older_day(&mut self, scope: &Scope, now: Timestamp) -> Option<(Arc<Rates>, i64)> {
        let book = self.shared.book();
        let minute = Minute::of(now);
        let rates = self.accounts.rates(&book, &self.settings, scope, minute)?;
        let account = PoolId::of_account(scope);
        let history = &self.shared.history;
        let held = |pool: &PoolId| -> BTreeSet<i64> {
            let held = history.held(pool).into_iter();
            let days = held.filter(|(resolution, _)| *resolution == Resolution::Minute);
            days.map(|(_, day)| day).collect()
        };
        let own = held(&account);
        let read = rates
            .pools()
            .filter(|it| book.read_through.contains_key(*it));
        let of_pools: Vec<BTreeSet<i64>> = read.map(held).collect();
        let first = Resolution::Minute.stretch_of(minute) - LEARNED_DAYS;
        let days = of_pools.first()?.range(first..).rev();
        let mut days = days.filter(|day| !own.contains(day));
        let day = days.find(|day| of_pools.iter().all(|it| it.contains(day)))?;
        Some((rates, *day))
    }
}

fn is_account(pool: &PoolId) -> bool {
    *pool == PoolId::of_account(&pool.scope)
}

/// The minutes of an account from `from` on, or from where they end, as far as all of its pools are known.
fn added_up(book: &Book, rates: &Rates, from: Minute) -> Option<PoolReading> {
    let pool = rates.account();
    let until = known_until(book, rates)?;
    // At first as far back as a first read goes.
    let begin = Minute((until.plus(-2 * DAY).0).div_euclid(DAY) * DAY);
    let before = book.read_through.get(&pool).copied();
    // Late minutes of a sum that was cut off come with the next one.
    let from = before.map_or(begin, |before| {
        before.plus(-SETTLE_MINUTES).min(from).max(begin)
    });
    let mut taken = vec![Sample::Value(0.0); usize::try_from(until.since(from)).ok()?];
    let mut by_target: BTreeMap<TargetId, TargetReading> = BTreeMap::new();
    let samples = |pool: &PoolId, signal: Signal, from, until| -> Vec<Sample> {
        let series = book.series.get(pool);
        series.map_or_else(Vec::new, |it| it.window(signal, from, until).collect())
    };
    for id in rates.pools() {
        if !book.read_through.contains_key(id) {
            continue; // a pool that was never read takes part from its first read on
        }
        let took = rates.add(&mut taken, &samples, id, (from, until));
        let model = TargetId::new(id.model.as_str());
        by_target.entry(model).or_default().total.charged += took;
    }
    (from < until).then(|| PoolReading {
        reading: Reading {
            pool,
            from,
            signals: BTreeMap::from([(Signal::ChargedTokens, taken)]),
            by_target,
        },
        through: until,
        in_full: Some(until),
        in_depth: Some(until),
        is_by_formula: false,
    })
}

/// The pool of an account, where more is known of what its quota comes to.
fn weighed(book: &Book, rates: &Rates) -> Option<Pool> {
    let (pool, quota) = account_of(book, rates)?;
    let day = Day {
        book,
        taken: book.series.get(&pool.id)?,
        until: *book.read_through.get(&pool.id)?,
        quota,
    };
    changed(pool, worth(pool.worth, rates, &day))
}

/// The same after a day before the start was added up.
fn weighed_after(
    book: &Book,
    rates: &Rates,
    (day, taken): (i64, &[Sample]),
    now: Minute,
) -> Option<Pool> {
    let (pool, quota) = account_of(book, rates)?;
    let passed = passed(Resolution::Minute.first_minute(day), taken, quota);
    changed(pool, worth_after(pool.worth, rates, passed, now))
}

/// The pool of an account, and its quota in tokens.
fn account_of<'a>(book: &'a Book, rates: &Rates) -> Option<(&'a Pool, f64)> {
    let pool = book.pools.get(&rates.account())?;
    let code = pool.mapping(QuotaKind::CrossModelTpd).code()?;
    let quota = book.quotas.get(&(pool.id.scope.clone(), code.clone()))?;
    Some((pool, quota.limit().amount()?.get()))
}

fn changed(pool: &Pool, worth: Option<Worth>) -> Option<Pool> {
    (worth != pool.worth).then(|| Pool {
        worth,
        ..pool.clone()
    })
}

/// Adds one day of these pools up and returns it, a pool at a time: a day as it is kept is a megabyte. `None` where one of
/// them was found damaged: it is missing from then on, and is read again.
fn add_day(
    history: &dyn History,
    rates: &Rates,
    pools: &[PoolId],
    number: i64,
) -> Result<Option<Vec<Sample>>, StoreError> {
    let key = |pool: &PoolId| StretchKey {
        pool: pool.clone(),
        resolution: Resolution::Minute,
        number,
    };
    let account = key(&rates.account());
    let span = (account.first_minute(), account.end());
    let mut taken: Vec<Sample> = span.0.until(span.1).map(|_| Sample::Value(0.0)).collect();
    for pool in pools {
        let Some(day) = history.stretch(&key(pool))? else {
            return Ok(None);
        };
        let samples = |_: &PoolId, signal: Signal, _: Minute, _: Minute| -> Vec<Sample> {
            match day.buckets(signal) {
                Some(buckets) => buckets.iter().map(|it| it.value).collect(),
                // Most models publish nothing of a cache.
                None if signal == Signal::CacheWriteTokens => Vec::new(),
                None => span.0.until(span.1).map(|_| Sample::Unobserved).collect(),
            }
        };
        rates.add(&mut taken, &samples, pool, span);
    }
    let buckets = taken.iter();
    let buckets = buckets.map(|it| Bucket::of_minute(Signal::ChargedTokens.rounded(*it)));
    let day = Stretch {
        key: account,
        signals: BTreeMap::from([(Signal::ChargedTokens, buckets.collect())]),
    };
    history.append(&[day])?;
    Ok(Some(taken))
}
