//! Who goes first where AWS and the budget take only some: its limits are 2 open requests in a Region and 20 in an account.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{again, draft::Draft, refusal::Refused};
use crate::model::{
    action::{Effect, IntentState},
    catalog::PoolId,
    ids::Scope,
    incident::Incident,
    quota::Quota,
    reason::Reason,
    rule::{Remedy, Severity},
    time::{Minute, after},
    units::QuotaKind,
};

/// Service Quotas takes this many open requests in a Region, and in an account.
const OPEN_PER_REGION: usize = 2;
const OPEN_PER_ACCOUNT: usize = 20;

/// How urgent an incident is; the least goes first.
type Urgency = (Reverse<bool>, Reverse<Severity>, i64, Reverse<u64>);

/// The open incidents that may ask AWS for something, the most urgent first. Of one pool, tokens before requests.
pub(super) fn by_urgency(draft: &Draft<'_>) -> Vec<Incident> {
    let open = draft.incidents();
    let open = open.filter(|it| it.is_open() && it.remedy > Remedy::Notify);
    let mut open: Vec<Incident> = open.cloned().collect();
    // What is short of two kinds is as urgent as the worse of both: room for one alone would not help it.
    let mut of_pool: BTreeMap<PoolId, Urgency> = BTreeMap::new();
    for incident in &open {
        let own = urgency(incident, Minute::of(draft.now()));
        for pool in &incident.pools {
            let worst = of_pool.entry(pool.clone()).or_insert(own);
            *worst = own.min(*worst);
        }
    }
    open.sort_by_cached_key(|incident| {
        let pools = incident.pools.iter();
        let worst = pools.filter_map(|pool| of_pool.get(pool)).min().copied();
        (worst, kind(incident), incident.began, incident.id.clone())
    });
    open
}

/// Those that lose requests go first, then the gravest; among those the one with the least time left by its forecast (none
/// for one that is short by now), and then the one that is fullest.
fn urgency(incident: &Incident, now: Minute) -> Urgency {
    let on = incident.members.values().filter(|it| it.is_on);
    let reasons = || on.clone().flat_map(|it| &it.reasons);
    let is_losing = 0.0 < incident.lost;
    let left = reasons().filter_map(Reason::ahead).map(|(_, runs_out, _)| {
        let gone = now.since(runs_out.origin);
        runs_out.p50.map_or(i64::MAX, |p50| (p50 - gone).max(0))
    });
    let is_short = reasons().any(|it| matches!(it, Reason::QuotaUse { .. } | Reason::Count { .. }));
    let left = if is_short { Some(0) } else { left.min() };
    let fullest = reasons().filter_map(share).max();
    (
        Reverse(is_losing),
        Reverse(incident.severity),
        left.unwrap_or(i64::MAX),
        Reverse(fullest.unwrap_or(0)),
    )
}

/// How full a quota was, in hundredths of a percent.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates: amounts are above nothing"
)]
fn share(reason: &Reason) -> Option<u64> {
    let (Reason::QuotaUse { used, quota, .. } | Reason::RunsOut { used, quota, .. }) = reason
    else {
        return None;
    };
    Some((used.get() / quota.get() * 10_000.0) as u64)
}

const fn kind(incident: &Incident) -> u8 {
    match incident.kind {
        Some(QuotaKind::Tpm) => 0,
        Some(QuotaKind::Rpm) => 1,
        Some(QuotaKind::Tpd | QuotaKind::CrossModelTpd) => 2,
        Some(QuotaKind::InputTpm | QuotaKind::OutputTpm) => 3,
        None => 4,
    }
}

/// Why no more is asked today by itself; `None` where the budget has room.
pub(super) fn over_budget(draft: &Draft<'_>, quota: &Quota) -> Option<Refused> {
    let day_ago = after(draft.now(), -1_440);
    let asked = draft.intents().filter(|intent| {
        matches!(intent.effect, Effect::RequestQuota { .. })
            && day_ago < intent.created
            // What AWS was not asked for, since somebody else had, costs nothing.
            && !matches!(
                intent.state,
                IntentState::Refused { .. } | IntentState::Done { theirs: Some(_), .. }
            )
    });
    let most = draft.policy().budgets.requests_per_day;
    let is_used_up = usize::try_from(most).is_ok_and(|most| most <= asked.count());
    is_used_up.then(|| {
        let why = format!(
            "the budget of {most} requests in 24 hours is used up: {} waits",
            quota.code
        );
        let change = "`[budget] requests_per_day` in the configuration allows more";
        // Where it is nothing, no day brings room.
        Refused::for_now(why).but(change).lasting(most == 0)
    })
}

/// Why a request on this quota has to wait; `None` where AWS has room for it.
///
/// A proposal takes no room: what nobody approves must not keep what comes after it from being seen.
pub(super) fn no_slot(draft: &Draft<'_>, quota: &Quota) -> Option<String> {
    let waiting = |scope: &Scope| scope.account == quota.scope.account;
    let open: Vec<&Scope> = draft
        .asks()
        .filter(|ask| ask.is_in_the_way(draft.now()) && ask.status.is_open())
        .map(|ask| &ask.scope)
        .chain(
            draft
                .intents()
                // What waits for its incident to come back keeps nobody else waiting.
                .filter(|it| it.state.is_under_way() && again::rests(draft, it).is_none())
                .filter_map(|intent| match &intent.effect {
                    Effect::RequestQuota { scope, .. } => Some(scope),
                    Effect::Notify { .. }
                    | Effect::OpenCase { .. }
                    | Effect::Comment { .. }
                    | Effect::EndCase { .. } => None,
                }),
        )
        .filter(|scope| waiting(scope))
        .collect();
    let in_region = open.iter().filter(|scope| **scope == &quota.scope).count();
    (OPEN_PER_REGION <= in_region || OPEN_PER_ACCOUNT <= open.len()).then(|| {
        format!(
            "{} is waiting for a free slot: {in_region} requests are open in {} and {} in the account, and AWS takes {OPEN_PER_REGION} and {OPEN_PER_ACCOUNT}",
            quota.code,
            quota.scope.region,
            open.len()
        )
    })
}
