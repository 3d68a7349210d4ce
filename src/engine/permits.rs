//! Whether callers may use a way out: which ways are asked about before anybody needs them, and what is said of those who
//! would use them.

use std::collections::{BTreeMap, BTreeSet};

use super::residency::Law;
use crate::model::{
    book::Book,
    catalog::PoolId,
    ids::{AccountId, ModelId, PrincipalArn, Scope, TargetId},
    permit::{Callers, Permit, not_asked},
    time::{DAY, Minute},
};

/// Ways of a pool that are asked about: twice as many as a message names, so that an open one is found behind closed ones.
const MOST_ASKED: usize = 6;
/// An answer older than this is told with its day: it is asked for daily.
const OLD_MINUTES: i64 = 2 * DAY;

/// The ways out of these pools, by the account and Region to ask in, within the rules of residency: other pools of the same
/// model in the same account, and what nobody uses yet, where callers are named.
#[must_use]
pub fn ways_out(
    law: Law<'_>,
    callers: &Callers,
    short: &BTreeSet<PoolId>,
) -> BTreeMap<Scope, Vec<TargetId>> {
    let mut by_model: BTreeMap<(&AccountId, &ModelId), Vec<&PoolId>> = BTreeMap::new();
    let named = |pool: &&PoolId| callers.contains_key(&pool.scope.account);
    for pool in short.iter().filter(named).filter(|it| is_way(it)) {
        let key = (&pool.scope.account, &pool.model);
        by_model.entry(key).or_default().push(pool);
    }
    let mut ways: BTreeMap<Scope, Vec<TargetId>> = BTreeMap::new();
    if by_model.is_empty() {
        return ways;
    }
    let spare = law.book.catalogs.values().flat_map(|it| &it.spares);
    let spare = spare.map(|it| &it.pool.id);
    for id in law.book.pools.keys().chain(spare).filter(|it| is_way(it)) {
        let short = by_model.get(&(&id.scope.account, &id.model));
        let short = short.into_iter().flatten().filter(|it| **it != id);
        let found: BTreeSet<&TargetId> = short.flat_map(|own| law.ways(own, id)).collect();
        if !found.is_empty() {
            let found = found.into_iter().take(MOST_ASKED).cloned();
            ways.entry(id.scope.clone()).or_default().extend(found);
        }
    }
    ways
}

/// The mantle endpoint has actions of its own, and no profiles.
fn is_way(pool: &PoolId) -> bool {
    pool.family.is_of_runtime()
}

/// What is known of one way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way<'a> {
    /// What was asked.
    pub book: &'a Book,
    /// Who would use it.
    pub callers: &'a [PrincipalArn],
    /// Where.
    pub scope: &'a Scope,
}

impl Way<'_> {
    /// Whether nobody who is named may use it.
    pub(super) fn is_closed(self, way: &TargetId) -> bool {
        let key = (self.scope.clone(), way.clone());
        let known = self.book.permits.get(&key);
        let closed = |it| {
            let permit = known.and_then(|known| known.by_caller.get(it));
            permit.is_some_and(Permit::is_closed)
        };
        !self.callers.is_empty() && self.callers.iter().all(closed)
    }

    /// What those who are named may do by these ways, as a fragment: way by way where it is not the same of all.
    pub(super) fn said_of(self, ways: &[TargetId], at: Minute) -> Option<String> {
        let each = ways
            .iter()
            .filter_map(|way| Some((way, self.said(way, at)?)));
        let each: Vec<(&TargetId, String)> = each.collect();
        let (_, first) = each.first()?;
        if each.iter().all(|(_, said)| said == first) {
            return Some(first.clone());
        }
        let each = each.iter().map(|(way, said)| format!("`{way}`: {said}"));
        Some(each.collect::<Vec<_>>().join("; "))
    }

    /// What they may do by one way; nothing where nobody is named.
    fn said(self, way: &TargetId, at: Minute) -> Option<String> {
        let key = (self.scope.clone(), way.clone());
        let known = self.book.permits.get(&key);
        let mut alike: Vec<(Option<&Permit>, Vec<&PrincipalArn>)> = Vec::new();
        for caller in self.callers {
            let permit = known.and_then(|known| known.by_caller.get(caller));
            // What is said alike is said once, whatever else differs.
            let words = |it: Option<&Permit>| it.map(|it| it.said_of(&[]));
            match alike.iter_mut().find(|(it, _)| words(*it) == words(permit)) {
                Some((_, callers)) => callers.push(caller),
                None => alike.push((permit, vec![caller])),
            }
        }
        let each = alike.iter().map(|(permit, callers)| match permit {
            Some(permit) => permit.said_of(callers),
            None => not_asked(callers),
        });
        let mut said = each.collect::<Vec<_>>().join(", ");
        let asked = known.map(|it| Minute::of(it.asked_at));
        if let Some(asked) = asked.filter(|it| OLD_MINUTES < at.since(*it)) {
            said = format!("{said} (asked on {})", day(asked));
        }
        (!said.is_empty()).then_some(said)
    }
}

/// `2026-03-02`.
fn day(minute: Minute) -> String {
    let text = minute.start().to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}
