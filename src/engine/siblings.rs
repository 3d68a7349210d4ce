//! Where a short pool's traffic could go instead: the other pools of its model in the account, and the ways that nobody uses
//! yet, with the room each of them has, as far as the rules of residency allow them.
//!
//! The statistic is the charged minute of everything that drains the other quota: its 95th percentile over the last day
//! against the live quota, since a peak of one minute is no reason against a way out, and a mean hides the busy hours. A pool
//! of which less than the hint's share of that day is known, or whose quota is not, is left out: no room from absence.
//! Beside it stands what the short pool's own tokens would cost there, by its mix of the last day, and the median latency of
//! both: the weighted median of the minutes' medians, not made equal for answers of other lengths, which are told instead.
//! Each is left out where it is not known of both.
//! A way that nobody uses has no metric: its room is its quota, and that nothing is known of its latency and throttles is
//! said. It is no room where a pool that is in use drains the same quota, nor by the quota that is short itself.
//! Nothing is moved: whoever calls decides. A way that all named callers are denied comes after the others.

mod unused;

use std::slice;

use crate::model::{
    book::Book,
    catalog::{Pool, PoolId},
    ids::{QuotaCode, Scope, TargetId},
    incident::{Cause, Incident},
    permit::Callers,
    price::{Prices, TokenPrice},
    quota::{Limit, Quota},
    rule::Category,
    series::{Sample, Signal},
    time::{DAY, Minute},
    units::{Amount, QuotaKind, Share, grouped},
};

use super::{
    hints::Samples,
    mix::{Mix, mix, price_of},
    permits::Way,
    residency::Law,
};

/// Pools that are named.
const MOST: usize = 3;
/// Targets of a pool that are named.
const MOST_WAYS: usize = 3;
/// A latency is told from this many minutes on.
const LEAST_MINUTES: usize = 60;
/// Lengths of answers that differ by no more, as a share of the longer ones, make no difference worth a word.
const SAME_ANSWERS: f64 = 0.2;
/// Prices that differ by no more are the same.
const SAME_PRICE: f64 = 0.005;

/// Another pool of the model, and its room.
#[derive(Clone, Debug, PartialEq)]
pub struct Sibling {
    /// Which.
    pub pool: PoolId,
    /// Its targets that stay within the rules of residency, sorted; a few at most.
    pub ways: Vec<TargetId>,
    /// Whether a rule of residency says so: without one, nobody said where data may go.
    pub is_ruled: bool,
    /// Its TPM quota.
    pub quota: Amount,
    /// Whether that is AWS's default.
    pub is_default: bool,
    /// Its RPM quota; told of ways that nobody uses, where nothing else says how much of it is of use.
    pub requests: Option<Amount>,
    /// Whether nobody uses it yet.
    pub is_unused: bool,
    /// 95th percentile of the charged tokens a minute over the last day; 0 where nobody uses it.
    pub p95: f64,
    /// Requests that were refused there in that day.
    pub refused: f64,
    /// What the named callers may do by these ways, as a fragment; `None` where nobody is named.
    pub callers: Option<String>,
    /// Whether they are denied all of them.
    pub is_closed: bool,
    /// What the short pool's tokens would cost there, as a multiple of what they cost now.
    pub price_factor: Option<f64>,
    /// How fast both answer.
    pub pace: Option<Pace>,
}

/// How fast two pools answered in the last day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Median latency in milliseconds there.
    pub there: f64,
    /// And of the short pool.
    pub here: f64,
    /// Tokens of output a request there and here, where both are known.
    pub answers: Option<(f64, f64)>,
}

impl std::fmt::Display for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = |value: f64| grouped(value.round());
        write!(
            f,
            "median latency {} ms (here {} ms",
            millis(self.there),
            millis(self.here)
        )?;
        if let Some((there, here)) = self.answers
            && SAME_ANSWERS * there.max(here) < (there - here).abs()
        {
            let (there, here) = (millis(there), millis(here));
            write!(f, ", with answers of {there} and here {here} tokens")?;
        }
        f.write_str(")")
    }
}

impl Sibling {
    /// Tokens a minute that are left of its quota.
    #[must_use]
    pub fn free(&self) -> f64 {
        (self.quota.get() - self.p95).max(0.0)
    }

    /// The same with what callers may do: ways that they are denied come last.
    fn with(mut self, who: Way<'_>, (law, own): (Law<'_>, &PoolId), until: Minute) -> Self {
        if who.callers.is_empty() {
            return self;
        }
        let mut ways = law.ways(own, &self.pool);
        ways.sort_by_key(|way| who.is_closed(way));
        self.is_closed = !ways.is_empty() && ways.iter().all(|way| who.is_closed(way));
        self.ways = ways.into_iter().take(MOST_WAYS).cloned().collect();
        self.callers = who.said_of(&self.ways, until);
        self
    }
}

impl std::fmt::Display for Sibling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let source = if self.is_default { "default " } else { "" };
        let (family, region) = (self.pool.family, &self.pool.scope.region);
        let quota = self.quota;
        if self.is_unused {
            write!(f, "{family} in {region}: nobody uses it yet, ")?;
            write!(f, "0 of the {source}{quota} tokens")?;
            if let Some(requests) = self.requests {
                write!(f, " and {requests} requests")?;
            }
            f.write_str(" a minute (its latency and throttles are not known)")?;
        } else {
            write!(
                f,
                "{family} in {region}: {p95} of the {source}{quota} tokens a minute ({share:.0} %), {refused} requests refused there",
                p95 = grouped(self.p95.round()),
                share = 100.0 * self.p95 / quota.get(),
                refused = grouped(self.refused),
            )?;
        }
        if let Some(factor) = self.price_factor {
            write!(f, ", {}", against(factor))?;
        }
        if let Some(pace) = self.pace {
            write!(f, ", {pace}")?;
        }
        let ways: Vec<String> = self.ways.iter().map(|it| format!("`{it}`")).collect();
        if !ways.is_empty() {
            write!(f, ", by {}", ways.join(" or "))?;
        }
        if let Some(callers) = &self.callers {
            write!(f, "; {callers}")?;
        }
        Ok(())
    }
}

/// A price beside the own one.
fn against(factor: f64) -> String {
    let percent = (100.0 * (factor - 1.0).abs()).round().max(1.0);
    match factor {
        more if 1.0 + SAME_PRICE < more => format!("about {percent:.0} % more expensive"),
        less if less < 1.0 - SAME_PRICE => format!("about {percent:.0} % cheaper"),
        _ => "at the same price".to_owned(),
    }
}

/// Whose traffic is to go elsewhere.
#[derive(Clone, Copy)]
struct Asked<'a> {
    own: &'a PoolId,
    /// The pools that are no way out, the own one among them.
    besides: &'a [&'a PoolId],
    /// The quota that is short, if that is the trouble.
    short: Option<(&'a Scope, &'a QuotaCode)>,
    until: Minute,
}

/// What siblings are looked for by.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// Where data may go, and all pools.
    pub law: Law<'a>,
    /// What was measured.
    pub samples: &'a Samples<'a>,
    /// The share of a day that must be known.
    pub known: Share,
    /// What tokens cost.
    pub prices: &'a Prices,
    /// Who calls, where somebody named them.
    pub callers: &'a Callers,
}

impl std::fmt::Debug for Around<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Around")
            .field("law", &self.law)
            .field("known", &self.known)
            .finish_non_exhaustive()
    }
}

/// What the short pool is compared by.
struct Own {
    mix: Option<Mix>,
    price: Option<TokenPrice>,
    p50: Option<f64>,
}

impl Around<'_> {
    fn own(&self, id: &PoolId, until: Minute) -> Own {
        Own {
            mix: self.mix(id, until),
            price: self.price(id, until),
            p50: self.p50(id, until),
        }
    }

    fn mix(&self, pool: &PoolId, until: Minute) -> Option<Mix> {
        mix(
            self.samples,
            pool,
            Signal::Invocations,
            (until.plus(-DAY), until),
        )
    }

    fn price(&self, pool: &PoolId, until: Minute) -> Option<TokenPrice> {
        price_of(self.law.book, self.prices, pool, until).map(|(usd, _)| usd)
    }

    /// Median latency of the last day: of the minutes' medians, each as often as it had requests.
    fn p50(&self, pool: &PoolId, until: Minute) -> Option<f64> {
        let of = |signal| (self.samples)(pool, signal, until.plus(-DAY), until);
        let both = of(Signal::LatencyP50)
            .into_iter()
            .zip(of(Signal::Invocations));
        let both = both.filter_map(|(millis, requests)| Some((millis.value()?, requests.value()?)));
        let mut minutes: Vec<(f64, f64)> = both.filter(|(_, requests)| 0.0 < *requests).collect();
        if minutes.len() < LEAST_MINUTES {
            return None;
        }
        minutes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let half = minutes.iter().map(|(_, requests)| requests).sum::<f64>() / 2.0;
        let mut seen = 0.0;
        let median = minutes.iter().find(|(_, requests)| {
            seen += requests;
            half <= seen
        });
        median.map(|(millis, _)| *millis)
    }

    fn pace(&self, own: &Own, pool: &PoolId, until: Minute) -> Option<Pace> {
        let answer = |mix: Mix| (0.0 < mix.units).then(|| mix.output / mix.units);
        let there = self.mix(pool, until).and_then(answer);
        Some(Pace {
            there: self.p50(pool, until)?,
            here: own.p50?,
            answers: there.zip(own.mix.and_then(answer)),
        })
    }
}

/// What tokens of this mix cost by one price, as a multiple of what they cost by another. Without a mix, only where it
/// does not matter.
fn price_factor(mix: Option<Mix>, there: &TokenPrice, here: &TokenPrice) -> Option<f64> {
    let (input, output) = (there.input / here.input, there.output / here.output);
    let Some(mix) = mix.filter(|it| 0.0 < it.tokens()) else {
        let is_same = (input - output).abs() <= SAME_PRICE;
        return is_same.then_some(input);
    };
    // A kind that has no price on one side is compared on neither.
    let only = |own: Option<f64>, other: Option<f64>| own.filter(|_| other.is_some());
    let with = |own: &TokenPrice, other: &TokenPrice| TokenPrice {
        cache_read: only(own.cache_read, other.cache_read),
        cache_write: only(own.cache_write, other.cache_write),
        ..*own
    };
    let here_usd = mix.usd(&with(here, there));
    (0.0 < here_usd).then(|| mix.usd(&with(there, here)) / here_usd)
}

/// The pools with room for the traffic of this incident, most room first, and those that callers are denied last: none where
/// a limit is not the trouble.
#[must_use]
pub fn of_incident(around: Around<'_>, incident: &Incident) -> Vec<Sibling> {
    let (is_short, short) = match &incident.cause {
        Cause::Quota { scope, code } => (true, Some((scope, code))),
        Cause::Pool { category, .. } => (*category == Category::Throttle, None),
    };
    let Some(own) = incident.pools.first().filter(|_| is_short) else {
        return Vec::new();
    };
    let besides: Vec<&PoolId> = incident.pools.iter().collect();
    let asked = Asked {
        own,
        besides: &besides,
        short,
        until: incident.last_bad.plus(1),
    };
    look(around, asked)
}

/// The same of a pool that need not be short: where there would be room for its traffic now.
#[must_use]
pub fn of_pool(around: Around<'_>, own: &PoolId, until: Minute) -> Vec<Sibling> {
    let asked = Asked {
        own,
        besides: slice::from_ref(&own),
        short: None,
        until,
    };
    look(around, asked)
}

fn look(around: Around<'_>, asked: Asked<'_>) -> Vec<Sibling> {
    let Asked {
        own,
        besides,
        until,
        ..
    } = asked;
    let pools = around.law.book.pools.values();
    let is_other = |pool: &PoolId| {
        pool.model == own.model
            && pool.scope.account == own.scope.account
            && pool.family.is_of_runtime()
            && own.family.is_of_runtime()
            && !besides.contains(&pool)
    };
    let others = pools.filter(|pool| is_other(&pool.id));
    let callers = around.callers.get(&own.scope.account);
    let callers = callers.map_or(&[][..], Vec::as_slice);
    let measured = others.filter_map(|pool| sibling(around, (own, pool), until));
    let found = measured.chain(unused::unused(around.law, asked, is_other));
    let found = found.map(|it| {
        let scope = it.pool.scope.clone();
        let who = Way {
            book: around.law.book,
            callers,
            scope: &scope,
        };
        it.with(who, (around.law, own), until)
    });
    let mut found: Vec<Sibling> = found.filter(|it| 0.0 < it.free()).collect();
    found.sort_by(|a, b| b.free().total_cmp(&a.free()));
    // Every Region has quotas that nobody uses there: they must not crowd out what was measured.
    found.sort_by_key(|it| (it.is_closed, it.is_unused && it.pool.scope != own.scope));
    found.truncate(MOST);
    compare(around, own, until, &mut found);
    found
}

/// Price and pace of those that are told.
fn compare(around: Around<'_>, own: &PoolId, until: Minute, found: &mut [Sibling]) {
    if found.is_empty() {
        return;
    }
    let own = around.own(own, until);
    for it in found {
        let prices = around.price(&it.pool, until).zip(own.price);
        it.price_factor = prices.and_then(|(there, here)| price_factor(own.mix, &there, &here));
        it.pace = around.pace(&own, &it.pool, until);
    }
}

fn sibling(around: Around<'_>, (own, pool): (&PoolId, &Pool), until: Minute) -> Option<Sibling> {
    let Around {
        law,
        samples,
        known,
        ..
    } = around;
    let is_ruled = law.of(own, &pool.id).next().is_some();
    let ways = law.ways(own, &pool.id);
    if is_ruled && ways.is_empty() {
        return None;
    }
    let code = pool.mapping(QuotaKind::Tpm).code()?;
    let drains_same = own.scope == pool.id.scope && drains(law.book, own, code);
    if drains_same {
        return None;
    }
    let quota = law
        .book
        .quotas
        .get(&(pool.id.scope.clone(), code.clone()))?;
    let (quota, is_default) = match Quota::limit(quota) {
        Limit::Applied(quota) => (quota, false),
        Limit::Default(quota) => (quota, true),
        Limit::Blocked | Limit::Unknown => return None,
    };
    let from = until.plus(-DAY);
    let day = usize::try_from(DAY).ok()?;
    let (mut total, mut refused) = (vec![Some(0.0); day], 0.0);
    let draining = law.book.pools_in(&pool.id.scope);
    for id in draining
        .map(|it| &it.id)
        .filter(|id| drains(law.book, id, code))
    {
        let charged = samples(id, Signal::ChargedTokens, from, until);
        for (sum, sample) in total.iter_mut().zip(charged) {
            *sum = sum.zip(sample.value()).map(|(sum, value)| sum + value);
        }
        let throttles = samples(id, Signal::Throttles, from, until).into_iter();
        refused += throttles.filter_map(Sample::value).sum::<f64>();
    }
    let mut seen: Vec<f64> = total.into_iter().flatten().collect();
    let least = usize::from(known.basis_points()) * day / 10_000;
    if seen.len() < least.max(1) {
        return None;
    }
    seen.sort_by(f64::total_cmp);
    let rank = (seen.len() * 95).div_ceil(100).max(1) - 1;
    Some(Sibling {
        pool: pool.id.clone(),
        ways: ways.into_iter().take(MOST_WAYS).cloned().collect(),
        is_ruled,
        quota,
        is_default,
        requests: None,
        is_unused: false,
        p95: *seen.get(rank)?,
        refused,
        callers: None,
        is_closed: false,
        price_factor: None,
        pace: None,
    })
}

fn drains(book: &Book, pool: &PoolId, code: &QuotaCode) -> bool {
    let known = book.pools.get(pool);
    known.is_some_and(|it| it.mapping(QuotaKind::Tpm).code() == Some(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn price(input: f64, output: f64, cache_read: Option<f64>) -> TokenPrice {
        TokenPrice {
            input,
            output,
            cache_read,
            cache_write: None,
        }
    }

    /// Half of what it pays is for input, and half for output.
    fn mix() -> Mix {
        Mix {
            units: 1.0,
            input: 5_000.0,
            output: 1_000.0,
            cache_writes: 0.0,
            cache_reads: Some(50_000.0),
        }
    }

    #[test]
    fn prices_are_compared_by_the_mix_and_without_one_only_where_it_does_not_matter() {
        let here = price(3.0, 15.0, None);
        let factor = |mix, there| {
            let factor = price_factor(mix, &there, &here)?;
            Some((factor * 1_000.0).round() / 1_000.0)
        };
        let dearer_output = price(3.0, 18.0, Some(0.3));
        assert_eq!(factor(Some(mix()), dearer_output), Some(1.1));
        assert_eq!(factor(None, dearer_output), None);
        assert_eq!(factor(None, price(2.7, 13.5, None)), Some(0.9));
        let nothing = price_factor(None, &here, &price(0.0, 0.0, None));
        assert_eq!(nothing, None, "a multiple of nothing");
    }

    #[test]
    fn what_is_read_from_the_cache_counts_where_both_have_a_price_of_it() {
        let (here, there) = (price(3.0, 15.0, Some(0.6)), price(3.0, 15.0, Some(0.3)));
        let factor = price_factor(Some(mix()), &there, &here).unwrap();
        assert!((factor - 0.75).abs() < 1e-9, "{factor}");
        let factor = price_factor(Some(mix()), &price(3.0, 15.0, None), &here).unwrap();
        assert!((factor - 1.0).abs() < 1e-9, "{factor}");
    }

    #[test]
    fn a_price_reads_beside_the_own_one() {
        let said = [0.5, 0.909, 0.996, 1.0, 1.004, 1.1].map(against);
        assert_eq!(
            said.join("; "),
            "about 50 % cheaper; about 9 % cheaper; at the same price; at the same price; \
             at the same price; about 10 % more expensive"
        );
    }
}
