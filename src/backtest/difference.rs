//! What one configuration would have done otherwise than another over the same minutes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::found::{Fired, Found, FoundIncident, Said};
use crate::model::rule::Severity;

/// How it was by the one configuration, and how it is by the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair<T> {
    /// By the configuration that was compared with.
    pub before: T,
    /// By the configuration that is tried.
    pub now: T,
}

/// What became different.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// First judged minute.
    pub from: String,
    /// End, exclusive.
    pub until: String,
    /// How many pools.
    pub pools: usize,
    /// What each rule did; rules that did the same are left out.
    pub rules: BTreeMap<String, Pair<Fired>>,
    /// Incidents of which nothing is different.
    pub same: usize,
    /// Incidents that both have, with what is different of them.
    pub changed: Vec<Changed>,
    /// Incidents that only the tried configuration has.
    pub added: Vec<FoundIncident>,
    /// Incidents that it has no more.
    pub gone: Vec<FoundIncident>,
    /// All in all.
    pub totals: Pair<Totals>,
}

/// One incident that both have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changed {
    /// As it was.
    pub before: FoundIncident,
    /// As it is.
    pub now: FoundIncident,
}

/// Sums over all incidents.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Totals {
    /// Incidents.
    pub incidents: usize,
    /// Those that became critical.
    pub critical: usize,
    /// Messages to all receivers together.
    pub messages: usize,
    /// What was asked of AWS.
    pub filed: usize,
    /// Shortages that people knew of before their first refused request.
    pub foreseen: usize,
}

/// What `now` does otherwise than `before`; both are over the same minutes.
#[must_use]
pub fn difference(before: &Found, now: &Found) -> Difference {
    let names: BTreeSet<&String> = before.rules.keys().chain(now.rules.keys()).collect();
    let of = |found: &Found, name: &String| found.rules.get(name).cloned().unwrap_or_default();
    let rules = names.into_iter().map(|name| {
        let (before, now) = (of(before, name), of(now, name));
        (name.clone(), Pair { before, now })
    });
    let mut left: Vec<&FoundIncident> = now.incidents.iter().collect();
    let (mut same, mut changed, mut gone) = (0, Vec::new(), Vec::new());
    for was in &before.incidents {
        let Some(place) = left.iter().position(|it| is_same(was, it)) else {
            gone.push(was.clone());
            continue;
        };
        let is = left.remove(place);
        if is_alike(was, is) {
            same += 1;
        } else {
            changed.push(Changed {
                before: was.clone(),
                now: is.clone(),
            });
        }
    }
    Difference {
        from: now.from.clone(),
        until: now.until.clone(),
        pools: now.pools,
        rules: rules.filter(|(_, it)| it.before != it.now).collect(),
        same,
        changed,
        added: left.into_iter().cloned().collect(),
        gone,
        totals: Pair {
            before: totals(before),
            now: totals(now),
        },
    }
}

/// Whether both are about the same at a time when both were open. Ids tell nothing: they count the incidents of a cause.
fn is_same(a: &FoundIncident, b: &FoundIncident) -> bool {
    let ends_before = |a: &FoundIncident, b: &FoundIncident| {
        a.ended.as_ref().is_some_and(|ended| *ended < b.began)
    };
    let share = a.pools.iter().any(|pool| b.pools.contains(pool));
    a.about == b.about && share && !ends_before(a, b) && !ends_before(b, a)
}

/// Whether people would notice no difference.
fn is_alike(a: &FoundIncident, b: &FoundIncident) -> bool {
    a.severity == b.severity
        && (&a.opened, &a.ended) == (&b.opened, &b.ended)
        && (&a.rules, &a.pools) == (&b.rules, &b.pools)
        && (&a.told, &a.filed) == (&b.told, &b.filed)
}

/// What is said in `now` and not in `before`.
#[must_use]
pub fn fresh<'a>(before: &[Said], now: &'a [Said]) -> Vec<&'a Said> {
    let said: BTreeSet<&str> = before.iter().map(|it| it.what.as_str()).collect();
    let fresh = now.iter().filter(|it| !said.contains(it.what.as_str()));
    fresh.collect()
}

fn totals(found: &Found) -> Totals {
    let incidents = || found.incidents.iter();
    let foreseen = found.shortages.iter();
    Totals {
        incidents: found.incidents.len(),
        critical: incidents()
            .filter(|it| it.severity == Severity::Critical.name())
            .count(),
        messages: incidents().map(|it| it.told.len()).sum(),
        filed: incidents().map(|it| it.filed.len()).sum(),
        foreseen: foreseen
            .filter(|it| it.lead_minutes.is_some_and(|lead| 0 < lead))
            .count(),
    }
}
