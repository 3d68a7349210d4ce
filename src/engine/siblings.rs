//! Where a short pool's traffic could go instead: the other pools of its model in the account, with the room each of them
//! has, as far as the rules of residency allow them.
//!
//! The statistic is the charged minute of everything that drains the other quota: its 95th percentile over the last day
//! against the live quota, since a peak of one minute is no reason against a way out, and a mean hides the busy hours. A pool
//! of which less than the hint's share of that day is known, or whose quota is not, is left out: no room from absence.
//! Nothing is moved: whoever calls decides. A way that all named callers are denied comes after the others.

use crate::model::{
    book::Book,
    catalog::{Family, Pool, PoolId},
    ids::{QuotaCode, TargetId},
    incident::{Cause, Incident},
    permit::Callers,
    quota::{Limit, Quota},
    rule::Category,
    series::{Sample, Signal},
    time::{DAY, Minute},
    units::{Amount, QuotaKind, Share, grouped},
};

use super::{hints::Samples, permits::Way, residency::Law};

/// Pools that are named.
const MOST: usize = 3;
/// Targets of a pool that are named.
const MOST_WAYS: usize = 3;

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
    /// 95th percentile of the charged tokens a minute over the last day.
    pub p95: f64,
    /// Requests that were refused there in that day.
    pub refused: f64,
    /// What the named callers may do by these ways, as a fragment; `None` where nobody is named.
    pub callers: Option<String>,
    /// Whether they are denied all of them.
    pub is_closed: bool,
}

impl Sibling {
    /// Tokens a minute that are left of its quota.
    #[must_use]
    pub fn free(&self) -> f64 {
        (self.quota.get() - self.p95).max(0.0)
    }

    /// The same with what callers may do: ways that they are denied come last.
    fn with(mut self, who: Way<'_>, law: Law<'_>, until: Minute) -> Self {
        if who.callers.is_empty() {
            return self;
        }
        let mut ways = law.ways(&self.pool);
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
        write!(
            f,
            "{family} in {region}: {p95} of the {source}{quota} tokens a minute ({share:.0} %), {refused} requests refused there",
            family = self.pool.family,
            region = self.pool.scope.region,
            p95 = grouped(self.p95.round()),
            quota = self.quota,
            share = 100.0 * self.p95 / self.quota.get(),
            refused = grouped(self.refused),
        )?;
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

/// The pools with room for the traffic of this incident, most room first, and those that callers are denied last: none where
/// a limit is not the trouble.
#[must_use]
pub fn of_incident(
    law: Law<'_>,
    samples: &Samples<'_>,
    known: Share,
    callers: &Callers,
    incident: &Incident,
) -> Vec<Sibling> {
    let is_short = match &incident.cause {
        Cause::Quota { .. } => true,
        Cause::Pool { category, .. } => *category == Category::Throttle,
    };
    let Some(own) = incident.pools.first().filter(|_| is_short) else {
        return Vec::new();
    };
    let until = incident.last_bad.plus(1);
    let others = law.book.pools.values().filter(|pool| {
        pool.id.model == own.model
            && pool.id.scope.account == own.scope.account
            && pool.id.family != Family::Mantle
            && own.family != Family::Mantle
            && !incident.pools.contains(&pool.id)
    });
    let callers = callers
        .get(&own.scope.account)
        .map_or(&[][..], Vec::as_slice);
    let found = others.filter_map(|pool| {
        let who = Way {
            book: law.book,
            callers,
            scope: &pool.id.scope,
        };
        sibling(law, samples, known, (own, pool), until).map(|it| it.with(who, law, until))
    });
    let mut found: Vec<Sibling> = found.filter(|it| 0.0 < it.free()).collect();
    found.sort_by(|a, b| b.free().total_cmp(&a.free()));
    found.sort_by_key(|it| it.is_closed);
    found.truncate(MOST);
    found
}

fn sibling(
    law: Law<'_>,
    samples: &Samples<'_>,
    known: Share,
    (own, pool): (&PoolId, &Pool),
    until: Minute,
) -> Option<Sibling> {
    let is_ruled = law.of(&pool.id).next().is_some();
    let ways = law.ways(&pool.id);
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
        p95: *seen.get(rank)?,
        refused,
        callers: None,
        is_closed: false,
    })
}

fn drains(book: &Book, pool: &PoolId, code: &QuotaCode) -> bool {
    let known = book.pools.get(pool);
    known.is_some_and(|it| it.mapping(QuotaKind::Tpm).code() == Some(code))
}
