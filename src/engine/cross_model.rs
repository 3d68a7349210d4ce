//! The one quota of tokens per day that all models of the runtime endpoint share: what was taken of it, and how much it may be.
//!
//! AWS counts each token there by the price of its model, and publishes neither the weights nor what was used. So use is
//! counted in money, which needs no weights: the tokens of each model times its price. How much money the quota comes to
//! is what is not known: a token of the quota may be worth as little as the cheapest input and as much as the dearest
//! output of the account's models. What happens narrows that: while requests still get through, the quota is more than
//! the day has taken; when all of them are refused at once, it is just that.
//!
//! What fools it: prices that are not AWS's (a discount is none: weights follow list prices), tokens of models that AWS does
//! not count, and reads from the prompt cache, which are left out as they are free in every other quota. Each of them shifts
//! all days alike, so that what went through before still says what will. Cold start: the range is as wide as the prices.

use std::collections::{BTreeMap, BTreeSet};

use super::{hints::Samples, mix::price_of};
use crate::model::{
    book::Book,
    catalog::PoolId,
    hint::SharedDay,
    ids::{ModelId, Scope, TargetId},
    price::{Prices, TokenPrice},
    series::{Depth, PoolSeries, Sample, Signal},
    time::{DAY, Minute},
    units::QuotaKind,
    worth::{Mark, UNIT_USD, Worth},
};

/// Requests that get through prove something about the tokens that were counted until so many minutes before.
const COUNTED_AFTER: usize = 15;
/// A day is used up when so many minutes in a row hardly anything gets through.
const STOPPED_MINUTES: i64 = 15;
/// So many of them are known, of each model.
const LEAST_STOPPED: usize = 8;
/// Of what is wanted then, this share is refused at least.
const STOPPED_SHARE: f64 = 0.95;
/// Fewer refused requests in these minutes prove nothing.
const LEAST_REFUSED: f64 = 20.0;
/// How exactly a day that was used up tells what the quota comes to: requests under way are counted late.
const STOPPED_WITHIN: (f64, f64) = (0.9, 1.05);
/// What went through is believed for so long: AWS may weigh anew, or prices were wrong.
const BELIEVED_DAYS: i64 = 30;
/// A mark that says less than this more is not worth writing down.
const NEWS: f64 = 1.01;
/// What must be known of the day so far, in percent of its minutes.
const LEAST_DAY_COVERAGE: usize = 95;

/// The prices of the pools of one account and Region that the quota counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    scope: Scope,
    by_pool: BTreeMap<PoolId, TokenPrice>,
    /// Models without a price, which count as the dearest.
    pub unpriced: Vec<ModelId>,
}

impl Rates {
    /// The prices as of this minute; `None` where no model has one.
    #[must_use]
    pub fn of(book: &Book, prices: &Prices, scope: &Scope, at: Minute) -> Option<Self> {
        let pools = book.pools_in(scope).map(|it| &it.id);
        // One without a target is read no more.
        let first = (scope.clone(), TargetId::new(""));
        let targets = book.targets.range(first..);
        let targets = targets.take_while(|((at, _), _)| at == scope);
        let called: BTreeSet<&PoolId> = targets.map(|(_, target)| &target.pool).collect();
        let pools = pools.filter(|it| it.family.is_of_runtime() && called.contains(*it));
        let priced = pools.map(|pool| {
            let price = price_of(book, prices, pool, at).map(|(usd, _)| usd);
            (pool, price)
        });
        let priced: Vec<(&PoolId, Option<TokenPrice>)> = priced.collect();
        let known = priced.iter().filter_map(|(_, price)| *price);
        let dearest = known.max_by(|a, b| a.output.total_cmp(&b.output))?;
        let unpriced = priced.iter().filter(|(_, price)| price.is_none());
        let mut unpriced: Vec<ModelId> = unpriced.map(|(pool, _)| pool.model.clone()).collect();
        unpriced.sort();
        unpriced.dedup();
        let by_pool = priced.into_iter();
        let by_pool = by_pool.map(|(pool, price)| (pool.clone(), price.unwrap_or(dearest)));
        Some(Self {
            scope: scope.clone(),
            by_pool: by_pool.collect(),
            unpriced,
        })
    }

    /// What the pools drain together.
    #[must_use]
    pub fn account(&self) -> PoolId {
        PoolId::of_account(&self.scope)
    }

    /// The pools that are counted.
    pub fn pools(&self) -> impl Iterator<Item = &PoolId> {
        self.by_pool.keys()
    }

    /// What a token of the quota may be worth by the prices alone, in USD a million.
    fn range(&self) -> Option<(f64, f64)> {
        let of_input = self.by_pool.values().map(|it| it.input);
        let of_output = self.by_pool.values().map(|it| it.output.max(it.input));
        let low = of_input.filter(|it| 0.0 < *it).min_by(f64::total_cmp)?;
        Some((low, of_output.fold(low, f64::max)))
    }

    /// Adds what a pool took in these minutes. A minute of which a part is not known is not known at all.
    pub fn add(
        &self,
        taken: &mut [Sample],
        samples: &Samples<'_>,
        pool: &PoolId,
        (from, until): (Minute, Minute),
    ) -> f64 {
        let Some(price) = self.by_pool.get(pool) else {
            return 0.0;
        };
        let write = price.cache_write.unwrap_or(price.input);
        let kinds = [
            (Signal::InputTokens, price.input),
            (Signal::OutputTokens, price.output),
            (Signal::CacheWriteTokens, write),
        ];
        let mut all = 0.0;
        for (signal, usd) in kinds {
            let minutes = samples(pool, signal, from, until);
            for (sum, sample) in taken.iter_mut().zip(minutes) {
                *sum = match (*sum, sample) {
                    (Sample::Value(sum), Sample::Value(tokens)) => {
                        all += tokens * usd;
                        Sample::Value(sum + tokens * usd)
                    }
                    // A complete answer without a datapoint: nothing was taken.
                    (sum, Sample::NoData) => sum,
                    _ => Sample::Unobserved,
                };
            }
        }
        all
    }
}

/// The minute up to which all pools that are counted are read as deep as it takes, exclusive; `None` before any was read.
#[must_use]
pub fn known_until(book: &Book, rates: &Rates) -> Option<Minute> {
    let known = rates
        .pools()
        .filter_map(|it| book.known_until(it, Depth::Full));
    known.min()
}

/// What was taken of the quota since 00:00 UTC, and what it comes to; with gaps a lower bound. `None` where the account has no
/// such quota, or nothing is known of it.
#[must_use]
pub fn shared_day(
    book: &Book,
    samples: &Samples<'_>,
    scope: &Scope,
    until: Minute,
) -> Option<SharedDay> {
    let id = PoolId::of_account(scope);
    let pool = book.pools.get(&id)?;
    let code = pool.mapping(QuotaKind::CrossModelTpd).code()?;
    let quota = book.quotas.get(&(scope.clone(), code.clone()))?;
    let (tokens, worth) = (quota.limit().amount()?.get(), pool.worth?);
    let midnight = Minute(until.plus(-1).0.div_euclid(DAY) * DAY);
    let taken = samples(&id, Signal::ChargedTokens, midnight, until);
    let taken: f64 = taken.into_iter().filter_map(Sample::value).sum();
    Some(SharedDay {
        code: code.clone(),
        today: taken * UNIT_USD,
        low: worth.low * tokens * UNIT_USD,
        high: worth.high * tokens * UNIT_USD,
    })
}

/// What is known of a day on which the account's models were called.
#[derive(Clone, Copy, Debug)]
pub struct Day<'a> {
    /// Of all of it.
    pub book: &'a Book,
    /// What was taken, of the account's pool.
    pub taken: &'a PoolSeries,
    /// Up to here, exclusive.
    pub until: Minute,
    /// The quota, in its own tokens; above 0.
    pub quota: f64,
}

impl Day<'_> {
    fn midnight(&self) -> Minute {
        Minute(self.until.plus(-1).0.div_euclid(DAY) * DAY)
    }

    /// What was taken from 00:00 UTC until `end`; `None` where too little of that is known.
    fn used(&self, end: Minute) -> Option<f64> {
        let from = self.midnight();
        let known = self.taken.window(Signal::ChargedTokens, from, end);
        let known = known.filter_map(|it| it.value());
        let (minutes, sum) = known.fold((0, 0.0), |(minutes, sum), it| (minutes + 1, sum + it));
        let all = usize::try_from(end.since(from)).ok()?;
        (LEAST_DAY_COVERAGE * all <= 100 * minutes).then_some(sum)
    }

    fn passed(&self) -> Option<Mark> {
        let from = self.midnight();
        let taken = self.taken.window(Signal::ChargedTokens, from, self.until);
        passed(from, &taken.collect::<Vec<_>>(), self.quota)
    }

    /// Nearly everything is refused, whatever the model.
    fn stopped(&self, rates: &Rates) -> Option<Mark> {
        let from = self.until.plus(-STOPPED_MINUTES).max(self.midnight());
        let (mut through, mut refused, mut is_each_refused) = (0.0, 0.0, true);
        for pool in rates.pools() {
            let Some(series) = self.book.series.get(pool) else {
                continue;
            };
            // What is not known may have got through; the newest minutes are not published yet.
            let minutes = series.window(Signal::Invocations, from, self.until);
            let minutes = minutes.zip(series.window(Signal::Throttles, from, self.until));
            let known = minutes.filter(|(a, b)| [a, b].iter().all(|it| **it != Sample::Unobserved));
            let count = |it: Sample| it.value().map_or(0.0, |it| it);
            let (known, own) = known.fold((0, (0.0, 0.0)), |(known, own), (a, b)| {
                (known + 1, (own.0 + count(a), own.1 + count(b)))
            });
            if known < LEAST_STOPPED {
                return None;
            }
            through += own.0;
            refused += own.1;
            is_each_refused &= own.0 <= 0.0 || 0.0 < own.1;
        }
        let is_all = STOPPED_SHARE * (through + refused) <= refused && is_each_refused;
        let used = self.used(self.until).filter(|it| 0.0 < *it)?;
        let is_whole = self.until.since(from) == STOPPED_MINUTES;
        (is_all && is_whole && LEAST_REFUSED <= refused).then_some(Mark {
            at: self.until,
            used,
            quota: self.quota,
        })
    }
}

/// What was let through of a day whose minutes these are, from 00:00 UTC on: its last tokens prove that the quota is more than
/// what was counted a while before them. `None` where too little of that is known.
#[must_use]
pub fn passed(midnight: Minute, taken: &[Sample], quota: f64) -> Option<Mark> {
    let is_served = |it: &Sample| it.value().is_some_and(|it| 0.0 < it);
    let last = taken.iter().rposition(is_served)?;
    let end = (last + 1).checked_sub(COUNTED_AFTER)?;
    let known = taken.get(..end)?.iter().filter_map(|it| it.value());
    let (minutes, used) = known.fold((0, 0.0), |(minutes, sum), it| (minutes + 1, sum + it));
    let is_known = LEAST_DAY_COVERAGE * end <= 100 * minutes;
    (is_known && 0.0 < used).then_some(Mark {
        at: midnight.plus(i64::try_from(end).ok()?),
        used,
        quota,
    })
}

/// What a token of the quota is worth by now; `None` where prices say nothing.
#[must_use]
pub fn worth(old: Option<Worth>, rates: &Rates, day: &Day<'_>) -> Option<Worth> {
    let is_of_day = |it: &Mark| day.midnight() < it.at;
    let known = old.and_then(|it| it.stopped);
    // Nothing is taken any more on a day that is used up.
    let known = known.filter(is_of_day);
    let stopped = known.or_else(|| day.stopped(rates));
    narrowed(old, rates, (day.passed(), stopped), day.until)
}

/// As [`worth`], after a look at what an earlier day let through.
#[must_use]
pub fn worth_after(
    old: Option<Worth>,
    rates: &Rates,
    passed: Option<Mark>,
    now: Minute,
) -> Option<Worth> {
    narrowed(old, rates, (passed, None), now)
}

/// What prices leave open, narrowed by what was seen before and now.
fn narrowed(
    old: Option<Worth>,
    rates: &Rates,
    (passed, stopped): (Option<Mark>, Option<Mark>),
    now: Minute,
) -> Option<Worth> {
    let (low, high) = rates.range()?;
    let is_recent = |it: &Mark| now.since(it.at) <= BELIEVED_DAYS * DAY;
    let known = old.and_then(|it| it.passed).filter(is_recent);
    let passed = match (known, passed.filter(is_recent)) {
        (Some(old), Some(new)) if new.worth() < NEWS * old.worth() => Some(old),
        (old, new) => new.or(old),
    };
    let known = old.and_then(|it| it.stopped).filter(is_recent);
    // More went through than was taken for all of it: it was not that, or it was raised.
    let stopped = stopped.or(known).filter(|stopped| {
        passed.is_none_or(|passed| passed.worth() <= STOPPED_WITHIN.1 * stopped.worth())
    });
    let (mut low, mut high) = match stopped {
        Some(it) => (STOPPED_WITHIN.0 * it.worth(), STOPPED_WITHIN.1 * it.worth()),
        None => (low, high),
    };
    low = passed.map_or(low, |it| low.max(it.worth()));
    if high < low {
        high = 2.0 * low; // more went through than any price of the account explains
    }
    Some(Worth {
        low,
        high,
        passed,
        stopped,
    })
}

#[cfg(test)]
mod tests;
