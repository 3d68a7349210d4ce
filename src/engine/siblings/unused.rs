//! Ways that nobody uses: no metric says anything of them, so that all that is known is what limits them.

use std::collections::BTreeSet;

use super::{Asked, Law, MOST_WAYS, Sibling};
use crate::model::{
    catalog::{Pool, PoolId},
    ids::{QuotaCode, Scope},
    quota::Limit,
    units::QuotaKind,
};

/// The ways that nobody uses, of pools that are asked for.
pub(super) fn unused(
    law: Law<'_>,
    asked: Asked<'_>,
    is_other: impl Fn(&PoolId) -> bool,
) -> Vec<Sibling> {
    let mut found: Vec<Sibling> = Vec::new();
    let mut taken: BTreeSet<(&Scope, &QuotaCode)> = BTreeSet::new();
    let spares = law.book.catalogs.values().flat_map(|it| &it.spares);
    for spare in spares.filter(|it| is_other(&it.pool.id)) {
        let sibling = sibling(law, asked, &spare.pool);
        // Two of them that share a quota are one room.
        let code = spare.pool.mapping(QuotaKind::Tpm).code();
        if let (Some(sibling), Some(code)) = (sibling, code)
            && taken.insert((&spare.pool.id.scope, code))
        {
            found.push(sibling);
        }
    }
    found
}

fn sibling(law: Law<'_>, asked: Asked<'_>, pool: &Pool) -> Option<Sibling> {
    let own = asked.own;
    let scope = &pool.id.scope;
    let code = |kind| pool.mapping(kind).code();
    // A quota for each minute that is shared is in use; one for the day matters where it is what is short.
    let each_minute = [QuotaKind::Tpm, QuotaKind::Rpm].into_iter();
    let mut each_minute = each_minute.filter_map(|kind| Some((kind, code(kind)?)));
    let is_short = |code: &QuotaCode| asked.short == Some((scope, code));
    let is_shared = each_minute.any(|(kind, code)| {
        let mut others = law.book.pools_in(scope).filter(|it| it.id != pool.id);
        others.any(|it| it.mapping(kind).code() == Some(code))
    });
    if is_shared || code(QuotaKind::Tpd).is_some_and(is_short) {
        return None;
    }
    let is_ruled = law.of(own, &pool.id).next().is_some();
    let ways = law.ways(own, &pool.id);
    if ways.is_empty() {
        return None;
    }
    let limit = |kind| {
        let quota = law.book.quotas.get(&(scope.clone(), code(kind)?.clone()))?;
        Some(quota.limit_for(pool))
    };
    let (quota, is_default) = match limit(QuotaKind::Tpm)? {
        Limit::Applied(quota) => (quota, false),
        Limit::Default(quota) => (quota, true),
        Limit::Blocked | Limit::Unknown => return None,
    };
    let requests = match limit(QuotaKind::Rpm) {
        Some(Limit::Applied(requests) | Limit::Default(requests)) => Some(requests),
        Some(Limit::Blocked) => return None,
        Some(Limit::Unknown) | None => None,
    };
    Some(Sibling {
        pool: pool.id.clone(),
        ways: ways.into_iter().take(MOST_WAYS).cloned().collect(),
        is_ruled,
        quota,
        is_default,
        requests,
        is_unused: true,
        p95: 0.0,
        refused: 0.0,
        callers: None,
        is_closed: false,
        price_factor: None,
        pace: None,
    })
}
