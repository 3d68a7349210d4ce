//! What left: requests that ran outside of a rule, by the log of model invocations. The rest of `residency` judges what can.
//!
//! The evidence is a UTC day, since the log is added up by the day. A day is bad with one answered request that ran outside.
//! It is clean when all its hours were read, nothing ran outside, and every answered request says where it ran. One clean day
//! after the last bad one ends it; a day that is neither proves nothing, so an alert waits for the next one that is whole.
//!
//! What fools it: a log that is delivered later than it is read, or switched off, and requests that the log does not see
//! (`bedrock-mantle`). Days older than [`NEWS_DAYS`] begin nothing: who writes a rule today is not called for last month.

use std::collections::{BTreeMap, BTreeSet};

use super::{Law, MOST_NAMED, runbook};
use crate::model::{
    alert::{AlertState, Track, Verdict},
    catalog::{Family, PoolId},
    ids::{ModelId, Region, Scope, TargetId},
    incident::AlertKey,
    ran::RanDay,
    reason::Reason,
    residency::{Residency, outside},
    rule::{Category, Remedy},
    time::{DAY, HOUR, Minute},
};

/// Days, the newest included, in which something may begin. The log is read two days back, so no news is older.
const NEWS_DAYS: i64 = 3;
/// Hours of a day.
const HOURS: usize = 24;

/// What one pool's requests of a day came to.
#[derive(Clone, Default)]
struct Tally {
    /// Those that were answered.
    requests: u64,
    /// Of them, those that do not say where they ran.
    untold: u64,
    /// Those that ran outside, and where, by target.
    outside: BTreeMap<TargetId, (u64, BTreeSet<Region>)>,
}

/// Days of one pool, counted from 1970.
type Days = BTreeMap<i64, Tally>;

/// One verdict for each rule and pool of which something is to be said: requests ran outside, or the end of that.
#[must_use]
pub fn judge(law: Law<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let scopes: BTreeSet<&Scope> = law.book.ran.keys().map(|(scope, _)| scope).collect();
    for rule in law.rules {
        for scope in &scopes {
            verdicts.extend(judge_scope(law, rule, scope));
        }
    }
    verdicts
}

fn judge_scope(law: Law<'_>, rule: &Residency, scope: &Scope) -> Vec<Verdict> {
    let days: BTreeMap<i64, &RanDay> = days_of(law, scope);
    let Some(newest) = days.keys().next_back().copied() else {
        return Vec::new();
    };
    let began = began_of(law, rule, scope);
    let news = newest - (NEWS_DAYS - 1);
    let first = began.values().min().map_or(news, |day| news.min(*day));
    let mut pools: BTreeMap<PoolId, Days> = BTreeMap::new();
    for (day, known) in days.range(first..) {
        for (pool, tally) in tallies(law, rule, scope, known) {
            pools.entry(pool).or_default().insert(*day, tally);
        }
    }
    // What was bad and is not even called any more ends as well.
    for pool in began.keys() {
        pools.entry(pool.clone()).or_default();
    }
    let judged = pools.into_iter().filter_map(|(pool, tallies)| {
        let from = began.get(&pool).copied().unwrap_or(news);
        let within = days.range(from..).map(|(day, known)| (*day, *known));
        judge_pool(law, rule, &pool, within.collect(), &tallies)
    });
    judged.collect()
}

fn days_of<'a>(law: Law<'a>, scope: &Scope) -> BTreeMap<i64, &'a RanDay> {
    let all = law.book.ran.range((scope.clone(), i64::MIN)..);
    let here = all.take_while(|((at, _), _)| at == scope);
    here.map(|((_, day), known)| (*day, known)).collect()
}

/// The pools that are bad by this rule, and since which day.
fn began_of(law: Law<'_>, rule: &Residency, scope: &Scope) -> BTreeMap<PoolId, i64> {
    let name = rule.ran();
    let on =
        law.book.tracks.iter().filter(|(key, track)| {
            key.rule == name && key.pool.scope == *scope && track.state.is_on()
        });
    let began = on.filter_map(|(key, track)| {
        let day = track.began?.0.div_euclid(DAY);
        Some((key.pool.clone(), day))
    });
    began.collect()
}

/// What a day came to by pool. A target that no pool is known of has one of its own, so that it is told as well.
fn tallies(law: Law<'_>, rule: &Residency, scope: &Scope, day: &RanDay) -> BTreeMap<PoolId, Tally> {
    let mut pools: BTreeMap<PoolId, Tally> = BTreeMap::new();
    for ((target, ran_in), count) in &day.ways {
        if count.requests == 0 {
            continue;
        }
        let key = (scope.clone(), target.clone());
        let known = law.book.targets.get(&key).map(|it| &it.pool);
        let tags = law.book.tags.get(&key);
        let pool = known.cloned().unwrap_or_else(|| PoolId {
            scope: scope.clone(),
            family: Family::OnDemand,
            model: ModelId::new(target.as_str()),
        });
        let tally = pools.entry(pool).or_default();
        tally.requests = tally.requests.saturating_add(count.requests);
        let Some(region) = ran_in else {
            tally.untold = tally.untold.saturating_add(count.requests);
            continue;
        };
        let rules = std::slice::from_ref(rule);
        if !outside(scope, (target, known, tags), region, rules).is_empty() {
            let (requests, regions) = tally.outside.entry(target.clone()).or_default();
            *requests = requests.saturating_add(count.requests);
            regions.insert(region.clone());
        }
    }
    pools
}

fn judge_pool(
    law: Law<'_>,
    rule: &Residency,
    pool: &PoolId,
    days: Vec<(i64, &RanDay)>,
    tallies: &Days,
) -> Option<Verdict> {
    let mut bad: Option<(i64, i64)> = None;
    for (day, known) in &days {
        let tally = tallies.get(day);
        if tally.is_some_and(|it| !it.outside.is_empty()) {
            let (first, _) = bad.unwrap_or((*day, *day));
            bad = Some((first, *day));
        } else if known.hours.len() == HOURS && tally.is_none_or(|it| it.untold == 0) {
            bad = None;
        }
    }
    let key = AlertKey {
        rule: rule.ran(),
        pool: pool.clone(),
    };
    let before = law.book.tracks.get(&key).copied();
    let through = read_until(*days.last()?).plus(-1);
    let (state, began, last_bad, reasons) = match bad {
        Some(span) => {
            let began = before.filter(|it| it.state.is_on()).and_then(|it| it.began);
            let last = days.iter().find(|(day, _)| *day == span.1)?;
            (
                AlertState::Alerting,
                began.or(Some(Minute(span.0 * DAY))),
                Some(read_until(*last).plus(-1)),
                reasons(rule, span, &days, tallies),
            )
        }
        None => {
            before.filter(|it| it.state != AlertState::Normal)?;
            (AlertState::Normal, None, None, Vec::new())
        }
    };
    let since = before.filter(|it| it.state == state);
    Some(Verdict {
        rule: key.rule,
        rule_hash: rule.hash(),
        pool: pool.clone(),
        category: Category::ResidencyBreach,
        severity: rule.severity,
        remedy: Remedy::Notify,
        runbook: format!(
            "The page `/ran` and `ran --service` have the record to hand on. {}",
            runbook(law, pool)
        ),
        quota: None,
        track: Track {
            state,
            since: since.map_or(through, |it| it.since),
            through,
            began,
            last_bad,
        },
        state,
        is_provisional: false,
        began,
        last_bad,
        past: Vec::new(),
        reasons,
    })
}

/// The end of the last hour that was read of this day.
fn read_until((day, known): (i64, &RanDay)) -> Minute {
    let hours = known.hours.last().map_or(0, |hour| i64::from(*hour) + 1);
    Minute(day * DAY).plus(hours * HOUR)
}

/// What ran outside in these days, by target, most first.
fn reasons(
    rule: &Residency,
    (first, last): (i64, i64),
    days: &[(i64, &RanDay)],
    tallies: &Days,
) -> Vec<Reason> {
    let within = || days.iter().filter(|(day, _)| (first..=last).contains(day));
    let hours: usize = within().map(|(_, known)| known.hours.len()).sum();
    let minute = within()
        .next_back()
        .map_or(Minute(last * DAY), |it| read_until(*it).plus(-1));
    let mut answered = 0_u64;
    let mut all: BTreeMap<&TargetId, (u64, BTreeSet<Region>)> = BTreeMap::new();
    for tally in tallies.range(first..=last).map(|(_, it)| it) {
        answered = answered.saturating_add(tally.requests);
        for (target, (requests, regions)) in &tally.outside {
            let (sum, seen) = all.entry(target).or_default();
            *sum = sum.saturating_add(*requests);
            seen.extend(regions.iter().cloned());
        }
    }
    let mut said: Vec<(&TargetId, u64, BTreeSet<Region>)> = all
        .into_iter()
        .map(|(target, (requests, regions))| (target, requests, regions))
        .collect();
    said.sort_by_key(|it| std::cmp::Reverse(it.1)); // stable: by name where they are as many
    let said = said.into_iter().take(MOST_NAMED);
    let said = said.map(|(target, requests, regions)| Reason::RanOutside {
        target: target.clone(),
        first: Minute(first * DAY),
        minute,
        requests,
        of: answered,
        regions: regions.into_iter().collect(),
        hours: u32::try_from(hours).unwrap_or(u32::MAX), // of 400 days at most
        allowed: rule.written.join(", "),
    });
    said.collect()
}

#[cfg(test)]
mod tests;
