//! Where a pool stands: its use over two weeks, how near its quotas are, and which of the four situations that is.
//!
//! The statistic is the charged minute: all targets and all pools that drain the quota are added up within the minute,
//! then peaks and quantiles are taken. A peak of sums is not the sum of peaks. Throttled demand counts: a pool that is
//! cut off at its quota would otherwise never show that it needs more. Of a quota that counts by the day it is the sum of
//! the UTC day, as it was charged: what is refused is tried again within the day and charged then.

use super::minutes::Minutes;
use crate::model::{
    book::Book,
    catalog::{Mapping, Pool, PoolId},
    ids::{QuotaCode, Scope},
    incident::{Incident, Scenario},
    quota::{Limit, Quota},
    reason::Reason,
    series::{KEPT_MINUTES, Sample, Signal},
    time::{DAY, Minute},
    units::{Amount, QuotaKind, Share},
};

/// Days of history that AWS is told about.
pub(super) const WINDOW_DAYS: i64 = 14;
/// A pool whose first datapoint is younger has no habit yet.
const NEW_DAYS: i64 = 3;
/// In percent of the minutes before its first use: what must be known of them for calling a model new.
const LEAST_KNOWN_BEFORE: usize = 90;
/// Throttling belongs to a quota that was used to this share or more around it.
const NEAR: f64 = 0.7;
/// AWS's word for a model that will be gone.
const LEGACY: &str = "LEGACY";
/// In percent of its minutes: what must be known of a day for its sum.
const LEAST_DAY_COVERAGE: usize = 95;
/// How far around the throttling that is looked for, in minutes.
const AROUND_MINUTES: i64 = 10;

/// The use of one quota over the last two weeks.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage {
    /// Which situation this is.
    pub scenario: Scenario,
    /// The highest minute, or day where the quota counts by the day.
    pub peak: Amount,
    /// When that was, or began.
    pub peak_at: Minute,
    /// Median of the minutes (days) with use.
    pub p50: Amount,
    /// 90th percentile of the minutes (days) with use.
    pub p90: Amount,
    /// 95th percentile of all observed minutes of the last 24 hours; of days, the fuller one of yesterday and today so far.
    pub p95_day: Amount,
    /// What the busiest minutes of the next week come to with a probability of 95 %, while a forecast says that the quota
    /// will not do.
    pub ahead: Option<Amount>,
    /// Throttled requests.
    pub throttled: f64,
    /// Minutes observed.
    pub minutes: usize,
    /// Share of the window's minutes that were observed, in basis points.
    pub coverage: u16,
    /// Mean input and output tokens per request.
    pub tokens_per_request: Option<(f64, f64)>,
    /// Share of the requests whose input is long, in percent, over the minutes of which that is known.
    pub long_inputs: Option<f64>,
    /// Whether the first use that was observed may not have been the first: too few minutes before it are known.
    pub is_age_unknown: bool,
    /// Whether every pool behind it has a known burndown rate.
    pub is_burndown_known: bool,
}

/// The use of a quota by all pools that drain it. `None` when no minute of it is known, or the older ones could not be
/// read.
#[must_use]
pub(super) fn usage_of_code(
    book: &Book,
    past: Minutes<'_>,
    scope: &Scope,
    code: &QuotaCode,
    incident: &Incident,
) -> Option<Usage> {
    let kind = incident.kind?;
    let pools: Vec<&Pool> = pools_of(book, scope, code).collect();
    let until = Minute(incident.last_bad.0.saturating_add(1));
    let mut from = until.plus(-WINDOW_DAYS * DAY);
    if kind.is_daily() {
        from = Minute(from.0.div_euclid(DAY) * DAY); // whole days
    }
    let quota = book.quotas.get(&(scope.clone(), code.clone()));
    if !pools.iter().all(|pool| past.is_whole(&pool.id)) {
        return None;
    }
    let minutes = drained(past, &pools, quota, kind, (from, until))?;
    let observed: Vec<(Minute, f64)> = from
        .until(until)
        .zip(&minutes)
        .filter_map(|(minute, sample)| sample.value().map(|value| (minute, value)))
        .collect();
    let known = if kind.is_daily() {
        days(from, &minutes)
    } else {
        observed.clone()
    };
    let &(peak_at, peak) = known.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    // Minutes before a model's first request are zeros like any other: its age counts from the first use.
    let first = observed
        .iter()
        .find(|(_, value)| 0.0 < *value)
        .map(|(minute, _)| *minute)?;
    let mut busy: Vec<f64> = known
        .iter()
        .map(|(_, value)| *value)
        .filter(|value| 0.0 < *value)
        .collect();
    let day = if kind.is_daily() {
        Minute((until.plus(-1).0.div_euclid(DAY) - 1) * DAY)
    } else {
        until.plus(-DAY)
    };
    let mut last_day: Vec<f64> = known
        .iter()
        .filter(|(at, _)| day <= *at)
        .map(|(_, value)| *value)
        .collect();
    let limit = quota.and_then(|quota| quota.limit().amount());
    let is_high = limit.is_some_and(|limit| limit.at(share_of(incident)).get() <= peak);
    let (throttled, tokens_per_request) = totals(past, &pools, from, until);
    let is_young = until.since(first) < NEW_DAYS * DAY;
    let is_new = is_young && was_unused(past, &pools, kind, (from, first));
    Some(Usage {
        is_age_unknown: is_young && !is_new,
        scenario: match (is_high, is_new) {
            (_, true) => Scenario::NewModel,
            (true, false) => Scenario::HighUsage,
            (false, false) if ahead(incident).is_some() => Scenario::Growth,
            (false, false) => Scenario::LowUsage,
        },
        ahead: ahead(incident),
        peak: Amount::new(peak)?,
        peak_at,
        p50: quantile(&mut busy, 50),
        p90: quantile(&mut busy, 90),
        p95_day: quantile(&mut last_day, 95),
        throttled,
        minutes: observed.len(),
        coverage: u16::try_from(observed.len() * 10_000 / minutes.len()).ok()?,
        tokens_per_request,
        long_inputs: long_inputs(past, &pools, from, until),
        is_burndown_known: pools.iter().all(|pool| pool.burndown.is_some()),
    })
}

/// Whether nothing was used in this stretch, by minutes that were observed: those that never were read prove nothing.
fn was_unused(
    past: Minutes<'_>,
    pools: &[&Pool],
    kind: QuotaKind,
    (from, until): (Minute, Minute),
) -> bool {
    let minutes = usize::try_from(until.since(from)).unwrap_or(0);
    0 < minutes
        && pools.iter().all(|pool| {
            let used = used(past, &pool.id, kind, from, until);
            let known = used.filter(|it| *it != Sample::Unobserved).count();
            minutes * LEAST_KNOWN_BEFORE <= known * 100
        })
}

/// What all pools together take of a quota, minute by minute.
pub(super) fn drained(
    past: Minutes<'_>,
    pools: &[&Pool],
    quota: Option<&Quota>,
    kind: QuotaKind,
    (from, until): (Minute, Minute),
) -> Option<Vec<Sample>> {
    let mut minutes = vec![Sample::Unobserved; usize::try_from(until.since(from)).ok()?];
    for pool in pools {
        // Of what is doubled for some traffic, that traffic takes half.
        let weight = quota.map_or(Some(1.0), |it| it.times(pool))?.recip();
        let used = used(past, &pool.id, kind, from, until);
        for (total, used) in minutes.iter_mut().zip(used) {
            *total = plus(*total, times(used, weight));
        }
    }
    Some(minutes)
}

/// The highest forecast of the alerts that are on.
fn ahead(incident: &Incident) -> Option<Amount> {
    let on = incident.members.values().filter(|member| member.is_on);
    let reasons = on.flat_map(|member| &member.reasons);
    let ahead = reasons.filter_map(Reason::ahead);
    let ahead = ahead.filter_map(|(_, exhaustion, _)| Amount::new(exhaustion.week_p95));
    ahead.max_by(|a, b| a.get().total_cmp(&b.get()))
}

/// The quota that this pool had nearly used up in the minutes before `until`, the most used one first.
#[must_use]
pub fn nearest_quota(book: &Book, pool: &PoolId, until: Minute) -> Option<(QuotaKind, QuotaCode)> {
    let known = book.pools.get(pool)?;
    let mut best: Option<(f64, QuotaKind, QuotaCode)> = None;
    for kind in kinds_a_minute(known) {
        let Some(code) = known.mapping(kind).code() else {
            continue;
        };
        let quota = book.quotas.get(&(pool.scope.clone(), code.clone()));
        let Some(limit) = quota.and_then(|quota| quota.limit().amount()) else {
            continue;
        };
        let share = peak_of_code(book, &pool.scope, code, kind, until) / limit.get();
        if NEAR <= share && best.as_ref().is_none_or(|(most, ..)| *most < share) {
            best = Some((share, kind, code.clone()));
        }
    }
    best.map(|(_, kind, code)| (kind, code))
}

/// Whether one of the quotas that may refuse its requests within the minute was not read so far.
pub(super) fn has_unknown_limit(book: &Book, pool: &Pool) -> bool {
    kinds_a_minute(pool).any(|kind| match pool.mapping(kind) {
        Mapping::Unknown => true,
        Mapping::Mapped { code, .. } => {
            let quota = book.quotas.get(&(pool.id.scope.clone(), code.clone()));
            quota.is_none_or(|it| it.limit() == Limit::Unknown)
        }
        Mapping::Absent | Mapping::Ambiguous { .. } => false,
    })
}

/// How much of its quotas the pool used at most in the last few minutes before `until`; for the cadence.
#[must_use]
pub fn highest_share(book: &Book, pool: &Pool, until: Minute) -> f64 {
    let shares = kinds_a_minute(pool).filter_map(|kind| {
        let code = pool.mapping(kind).code()?;
        let quota = book.quotas.get(&(pool.id.scope.clone(), code.clone()))?;
        let limit = quota.limit().amount()?;
        Some(peak_of_code(book, &pool.id.scope, code, kind, until) / limit.get())
    });
    shares.fold(0.0, f64::max)
}

/// The quotas that can refuse a request within the minute.
fn kinds_a_minute(pool: &Pool) -> impl Iterator<Item = QuotaKind> {
    let kinds = pool.id.family.kinds().iter().copied();
    kinds.filter(|kind| !kind.is_daily())
}

/// Whether anything was throttled in the incident's pools after `since`.
#[must_use]
pub(super) fn throttled_since(past: Minutes<'_>, incident: &Incident, since: Minute) -> bool {
    let until = incident.last_bad.plus(1);
    let from = since.plus(1).max(until.plus(-KEPT_MINUTES));
    incident.pools.iter().any(|pool| {
        let mut minutes = past.window(pool, Signal::Throttles, from, until);
        minutes.any(|sample| sample.value().is_some_and(|value| 0.0 < value))
    })
}

/// The lowest share that a rule of this incident judges at; all of the quota where no rule names a share.
#[must_use]
pub fn share_of(incident: &Incident) -> Share {
    let reasons = incident.members.values().flat_map(|member| &member.reasons);
    let shares = reasons.filter_map(|reason| match reason {
        Reason::QuotaUse { above, .. } => Some(*above),
        Reason::Count { .. }
        | Reason::Slow { .. }
        | Reason::Unusual { .. }
        | Reason::Trouble { .. }
        | Reason::RunsOut { .. }
        | Reason::Ends { .. }
        | Reason::Leaves { .. }
        | Reason::RanOutside { .. }
        | Reason::Peak { .. }
        | Reason::TopTarget { .. }
        | Reason::Gap { .. }
        | Reason::Hint(_)
        | Reason::Considered(_)
        | Reason::FullUse { .. } => None,
    });
    shares.min().unwrap_or(Share::FULL)
}

/// Whether all models that drain this quota are on their way out. One that stays is worth asking for.
#[must_use]
pub fn is_legacy(book: &Book, scope: &Scope, code: &QuotaCode) -> bool {
    let lives = book.catalogs.get(scope).map(|catalog| &catalog.lives);
    let is_leaving = |pool: &Pool| {
        let life = lives.and_then(|lives| lives.get(&pool.id.model));
        life.is_some_and(|life| life.status == LEGACY)
    };
    let mut pools = pools_of(book, scope, code).peekable();
    pools.peek().is_some() && pools.all(is_leaving)
}

/// The pools that drain this quota.
pub(super) fn pools_of<'a>(
    book: &'a Book,
    scope: &'a Scope,
    code: &'a QuotaCode,
) -> impl Iterator<Item = &'a Pool> {
    book.pools_in(scope).filter(move |pool| {
        let mut mappings = pool.mappings.values();
        mappings.any(|mapping| mapping.code() == Some(code))
    })
}

fn peak_of_code(
    book: &Book,
    scope: &Scope,
    code: &QuotaCode,
    kind: QuotaKind,
    until: Minute,
) -> f64 {
    let from = until.plus(-AROUND_MINUTES);
    let pools: Vec<&Pool> = pools_of(book, scope, code).collect();
    let quota = book.quotas.get(&(scope.clone(), code.clone()));
    let minutes = drained(Minutes::recent(book), &pools, quota, kind, (from, until));
    let known = minutes.into_iter().flatten().filter_map(Sample::value);
    known.fold(0.0, f64::max) // what is not known adds nothing to a lower bound
}

/// What callers wanted of this quota, minute by minute: throttled demand counts at the mean size of what got through.
fn used(
    minutes: Minutes<'_>,
    pool: &PoolId,
    kind: QuotaKind,
    from: Minute,
    until: Minute,
) -> impl Iterator<Item = Sample> {
    let through = minutes.window(pool, Signal::Invocations, from, until);
    let refused = minutes.window(pool, Signal::Throttles, from, until);
    let tokens = match kind {
        QuotaKind::Rpm | QuotaKind::Tpm | QuotaKind::Tpd | QuotaKind::CrossModelTpd => {
            Signal::ChargedTokens
        }
        QuotaKind::InputTpm => Signal::InputTokens,
        QuotaKind::OutputTpm => Signal::OutputTokens,
    };
    let charged = minutes.window(pool, tokens, from, until);
    through
        .zip(refused)
        .zip(charged)
        .map(move |((through, refused), charged)| match kind {
            QuotaKind::Rpm => both(through, refused, |through, refused| through + refused),
            QuotaKind::Tpm => match (through.value(), refused.value()) {
                (Some(through), Some(refused)) if 0.0 < through && 0.0 < refused => {
                    charged.value().map_or(charged, |charged| {
                        Sample::Value(charged * (through + refused) / through)
                    })
                }
                _ => charged,
            },
            QuotaKind::Tpd
            | QuotaKind::CrossModelTpd
            | QuotaKind::InputTpm
            | QuotaKind::OutputTpm => charged,
        })
}

fn both(a: Sample, b: Sample, add: impl Fn(f64, f64) -> f64) -> Sample {
    match (a, b) {
        (Sample::Value(a), Sample::Value(b)) => Sample::Value(add(a, b)),
        (Sample::Unobserved, _) | (_, Sample::Unobserved) => Sample::Unobserved,
        (Sample::NoData, _) | (_, Sample::NoData) => Sample::NoData,
    }
}

fn times(sample: Sample, weight: f64) -> Sample {
    match sample {
        Sample::Value(value) => Sample::Value(value * weight),
        other @ (Sample::NoData | Sample::Unobserved) => other,
    }
}

/// The sums of the UTC days of which enough is known, by their first minutes; `from` is one. The last day may not be over:
/// its sum is a lower bound.
pub(super) fn days(from: Minute, minutes: &[Sample]) -> Vec<(Minute, f64)> {
    let day = usize::try_from(DAY).unwrap_or(usize::MAX);
    let days = (0_i64..).zip(minutes.chunks(day));
    days.filter_map(|(at, minutes)| {
        let known = minutes.iter().filter(|it| **it != Sample::Unobserved);
        let sum: f64 = minutes.iter().filter_map(|it| it.value()).sum();
        let is_known = minutes.len() * LEAST_DAY_COVERAGE <= known.count() * 100;
        is_known.then(|| (from.plus(at * DAY), sum))
    })
    .collect()
}

/// Adds pools up: a pool that is silent in a minute adds nothing to it.
fn plus(total: Sample, more: Sample) -> Sample {
    match (total, more) {
        (Sample::Value(a), Sample::Value(b)) => Sample::Value(a + b),
        (Sample::Value(a), _) => Sample::Value(a),
        (_, more) => more,
    }
}

fn totals(
    past: Minutes<'_>,
    pools: &[&Pool],
    from: Minute,
    until: Minute,
) -> (f64, Option<(f64, f64)>) {
    let sum = |signal: Signal| -> f64 {
        let minutes = pools
            .iter()
            .flat_map(|pool| past.window(&pool.id, signal, from, until));
        minutes.filter_map(Sample::value).sum()
    };
    let requests = sum(Signal::Invocations);
    let means = (0.0 < requests).then(|| {
        (
            sum(Signal::InputTokens) / requests,
            sum(Signal::OutputTokens) / requests,
        )
    });
    (sum(Signal::Throttles), means)
}

fn long_inputs(past: Minutes<'_>, pools: &[&Pool], from: Minute, until: Minute) -> Option<f64> {
    let (mut requests, mut long) = (0.0, 0.0);
    for pool in pools {
        let all = past.window(&pool.id, Signal::Invocations, from, until);
        let shares = past.window(&pool.id, Signal::LongInputs, from, until);
        for (all, share) in all.into_iter().zip(shares) {
            if let (Some(all), Some(share)) = (all.value(), share.value()) {
                requests += all;
                long += all * share;
            }
        }
    }
    (0.0 < requests).then(|| long / requests)
}

/// The nearest-rank percentile; zero when there are no values. It is selected, not sorted for: these are two weeks of
/// minutes, for each open incident, each minute. The values are left in another order.
pub(super) fn quantile(values: &mut [f64], percent: usize) -> Amount {
    let rank = (values.len() * percent).div_ceil(100).max(1);
    if values.len() < rank {
        return Amount::ZERO;
    }
    let (_, value, _) = values.select_nth_unstable_by(rank - 1, f64::total_cmp);
    Amount::new(*value).unwrap_or(Amount::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_nearest_rank() {
        let mut values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(Some(quantile(&mut values, 50)), Amount::new(2.0));
        assert_eq!(Some(quantile(&mut values, 95)), Amount::new(4.0));
        assert_eq!(quantile(&mut [], 50), Amount::ZERO);
    }
}
