//! Verdicts to incidents: one for each cause, across rules, pools and targets.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    draft::Draft,
    hints, inhibit, past, situation,
    tell::{self, REOPEN_MINUTES},
    texts,
};
use crate::model::{
    alert::{AlertState, Verdict},
    catalog::{Family, PoolId},
    ids::IncidentId,
    incident::{AlertKey, Cause, Incident, Member, Spell},
    reason::Reason,
    rule::{Category, Remedy, Severity},
    series::{KEPT_MINUTES, PoolSeries, SETTLE_MINUTES, Sample, Signal},
    time::{Minute, after},
    units::QuotaKind,
};

/// Opens, updates and ends incidents, and plans what people hear of it: one message a change of facts.
pub(super) fn group(draft: &mut Draft<'_>) {
    // What was comes before what is: it may be back.
    let over = past::note(draft);
    let mut touched = BTreeMap::new();
    for verdict in draft.inputs.verdicts {
        let key = AlertKey::of(verdict);
        draft.put_track(key.clone(), verdict.track);
        let is_reminder = draft
            .open_with(&key)
            .is_some_and(|it| is_told_again(it, &key, verdict));
        if let Some(id) = join(draft, verdict, &key) {
            *touched.entry(id).or_insert(false) |= is_reminder;
        }
    }
    for (key, why) in draft.inputs.orphans {
        if let Some(id) = retire(draft, key, why) {
            touched.entry(id).or_insert(false);
        }
    }
    for id in over {
        past::tell(draft, &id);
    }
    // What may be a part of another incident comes after it: by then people know of the other one.
    let (parts, wholes): (Vec<_>, Vec<_>) = touched.into_iter().partition(|(id, _)| {
        let incident = draft.incident(id);
        incident.is_some_and(|it| inhibit::is_target(draft, it))
    });
    for (id, is_again) in wholes.into_iter().chain(parts) {
        settle(draft, &id, is_again);
    }
}

/// A minute that may still change may tell a forecast and take that back: people heard of it all the same.
fn keep_told(reasons: &mut [Reason], before: &[Reason]) {
    let Some((_, _, heard)) = before.iter().find_map(Reason::ahead) else {
        return;
    };
    for reason in reasons {
        if let Reason::RunsOut { told, .. } = reason {
            *told = heard.max(*told);
        }
    }
}

/// Whether a forecast that people know of is to be told once more.
fn is_told_again(incident: &Incident, key: &AlertKey, verdict: &Verdict) -> bool {
    let told = |reasons: &[Reason]| {
        let mut ahead = reasons.iter().filter_map(Reason::ahead);
        ahead.next().map(|(_, _, told)| told)
    };
    let member = incident.members.get(key).filter(|member| member.is_on);
    let before = member.and_then(|member| told(&member.reasons));
    before
        .zip(told(&verdict.reasons))
        .is_some_and(|(before, now)| before < now)
}

/// Takes an alert that nothing judges any more out of its incident, once its last bad minute has settled.
fn retire(draft: &mut Draft<'_>, key: &AlertKey, why: &str) -> Option<IncidentId> {
    let mut incident = draft.open_with(key)?.clone();
    incident.members.get(key).filter(|member| member.is_on)?;
    if Minute::of(draft.now()).since(incident.last_bad) < SETTLE_MINUTES {
        return None;
    }
    let member = incident.members.get_mut(key)?;
    member.is_on = false;
    incident.decide(
        draft.now(),
        format!("{} on {} is over: {why}", key.rule, key.pool),
    );
    let id = incident.id.clone();
    draft.put(incident);
    Some(id)
}

/// Brings one alert into its incident; returns the incident that changed.
fn join(draft: &mut Draft<'_>, verdict: &Verdict, key: &AlertKey) -> Option<IncidentId> {
    let member_of = draft.open_with(key).map(|incident| incident.id.clone());
    match (member_of, verdict.state.is_on()) {
        (Some(id), is_on) => {
            let mut incident = draft.incident(&id)?.clone();
            // Late data may take back what opened it; only minutes that can't change any more may end it.
            let member = incident.members.get(key);
            let last_bad = member.and_then(|member| member.last_bad);
            let is_settled = last_bad.unwrap_or(incident.last_bad) <= verdict.track.through;
            let was_on = member.is_some_and(|member| member.is_on);
            refresh(
                &mut incident,
                verdict,
                key,
                is_on || (was_on && !is_settled),
            );
            draft.put(incident);
            Some(id)
        }
        // What is merely recovering has no incident any more: it was told and ended, or came and went unseen.
        (None, true) if verdict.state == AlertState::Alerting => Some(open(draft, verdict, key)),
        (None, _) => None,
    }
}

/// Opens an incident for the alert, or joins the open one of its cause.
fn open(draft: &mut Draft<'_>, verdict: &Verdict, key: &AlertKey) -> IncidentId {
    let until = verdict
        .last_bad
        .map_or(verdict.track.through, |bad| bad.plus(1));
    let (cause, kind) = cause_of(draft, verdict, until);
    let began = verdict.began.unwrap_or(verdict.track.since);
    let open = draft.open(&cause).cloned();
    let mut back = open.is_none().then(|| reopened(draft, &cause)).flatten();
    if let Some(incident) = &mut back {
        // Nobody is woken for what is over, and what nobody heard of has not come back for anybody.
        let known = tell::known(draft, incident);
        incident.severity = known.map_or(Severity::Info, |it| it.min(incident.severity));
        if known.is_some() {
            tell::returned(draft, &incident.id);
        }
    }
    let mut incident = open
        .or(back)
        .unwrap_or_else(|| fresh(draft, verdict, cause, kind, began));
    refresh(&mut incident, verdict, key, true);
    let id = incident.id.clone();
    draft.put(incident);
    id
}

/// A problem that comes back soon is the same problem.
fn reopened(draft: &Draft<'_>, cause: &Cause) -> Option<Incident> {
    let since = after(draft.now(), -REOPEN_MINUTES);
    let ended = draft
        .incidents()
        .filter(|incident| incident.cause == *cause);
    let last = ended.max_by_key(|incident| incident.generation)?;
    let is_recent = last.resolved.is_some_and(|resolved| since < resolved);
    let is_recent = is_recent && !last.is_unprompted(); // nothing was wrong that could come back
    let mut incident = is_recent.then(|| last.clone())?;
    incident.resolved = None;
    incident.decide(
        draft.now(),
        format!("came back at {}", Minute::of(draft.now())),
    );
    Some(incident)
}

pub(super) fn fresh(
    draft: &Draft<'_>,
    verdict: &Verdict,
    cause: Cause,
    kind: Option<QuotaKind>,
    began: Minute,
) -> Incident {
    Incident {
        severity: verdict.severity,
        remedy: verdict.remedy,
        last_bad: verdict.last_bad.unwrap_or(began),
        ..bare(draft, cause, kind, began)
    }
}

/// The next incident of this cause, before anything is known of it.
pub(super) fn bare(
    draft: &Draft<'_>,
    cause: Cause,
    kind: Option<QuotaKind>,
    began: Minute,
) -> Incident {
    let generation = draft.generations(&cause) + 1;
    Incident {
        id: IncidentId::derive(&cause.fingerprint(), generation),
        cause,
        generation,
        kind,
        pools: BTreeSet::new(),
        severity: Severity::Info,
        remedy: Remedy::RequestQuota,
        scenario: None,
        opened: draft.now(),
        began,
        last_bad: began,
        spells: Vec::new(),
        resolved: None,
        lost: 0.0,
        members: BTreeMap::new(),
        hints: Vec::new(),
        decisions: Vec::new(),
        decisions_dropped: 0,
        messages: 0,
        told: None,
        refusal: None,
    }
}

/// Takes the latest of a verdict into its member and its incident. Severity and remedy only rise while it is open.
fn refresh(incident: &mut Incident, verdict: &Verdict, key: &AlertKey, is_on: bool) {
    if !incident.members.is_empty() {
        incident.note_own();
    }
    let known = incident.members.get(key);
    // What opened it stays while nothing speaks for it now: late data took that back, or it is over.
    let (severity, mut reasons) = match known {
        Some(member) if !verdict.state.is_on() => (member.severity, member.reasons.clone()),
        Some(_) | None => (verdict.severity, verdict.reasons.clone()),
    };
    // What stays on is one spell, wherever its minutes are said to begin by now.
    let on_since = known.filter(|it| it.is_on).and_then(|it| it.last_bad);
    keep_told(&mut reasons, known.map_or(&[], |member| &member.reasons));
    let member = Member {
        severity,
        is_on,
        last_bad: verdict
            .last_bad
            .max(known.and_then(|member| member.last_bad)),
        rule_hash: verdict.rule_hash.clone(),
        reasons,
    };
    incident.members.insert(key.clone(), member);
    if is_on {
        incident.pools.insert(verdict.pool.clone());
        incident.severity = incident.severity.max(severity);
        incident.remedy = incident.remedy.max(verdict.remedy);
        incident.began = verdict
            .began
            .map_or(incident.began, |began| incident.began.min(began));
        incident.last_bad = verdict
            .last_bad
            .map_or(incident.last_bad, |bad| incident.last_bad.max(bad));
        if let Some(began) = verdict.began {
            incident.note_bad(Spell {
                first: on_since.map_or(began, |bad| bad.min(began)),
                last: verdict.last_bad.unwrap_or(began),
            });
        }
    }
}

/// Ends the incident when no alert is on any more, and tells people what they don't know yet.
fn settle(draft: &mut Draft<'_>, id: &IncidentId, is_reminder: bool) {
    ease(draft, id);
    let Some(incident) = draft.incident(id) else {
        return;
    };
    let mut incident = incident.clone();
    incident.lost = lost(draft, &incident);
    let is_over = incident.members.values().all(|member| !member.is_on);
    if is_over {
        incident.resolved = Some(draft.now());
    } else {
        hints::refresh(draft, &mut incident);
    }
    draft.put(incident);
    tell::settled(draft, id, is_reminder);
}

/// What was worst and has been over for so long that its coming back would be news is known no more: an incident that a
/// forecast keeps open for days may get worse a second time.
fn ease(draft: &mut Draft<'_>, id: &IncidentId) {
    let Some(mut incident) = draft.incident(id).cloned() else {
        return;
    };
    let Some(told) = tell::known(draft, &incident) else {
        return;
    };
    let now = Minute::of(draft.now());
    let mut members = incident.members.values();
    let goes_on = members.any(|member| member.is_on);
    let recent = incident.members.iter().filter(|(key, member)| {
        let since = draft.since(key);
        member.is_on || since.is_none_or(|since| now.since(since) < REOPEN_MINUTES)
    });
    let still = recent.map(|(_, member)| member.severity).max();
    let Some(still) = still.filter(|still| goes_on && *still < told) else {
        return;
    };
    let message = texts::eased(draft, &incident, still);
    incident.severity = still;
    draft.put(incident.clone());
    // Whoever heard the worst hears that it is over.
    draft.tell(id, told, &message);
    incident = draft.incident(id).cloned().unwrap_or(incident);
    incident.told = incident.told.map(|_| still);
    tell::ease(draft, id, still);
    let what = format!("eased from {} to {}", told.name(), still.name());
    incident.decide(draft.now(), what);
    draft.put(incident);
}

/// What the alert is about, in the minutes before `until`. Throttling with a quota nearly used up belongs to that quota; else to the pool.
pub(super) fn cause_of(
    draft: &Draft<'_>,
    verdict: &Verdict,
    until: Minute,
) -> (Cause, Option<QuotaKind>) {
    let quota = match verdict.category {
        Category::Quota => verdict.quota.clone(),
        Category::Throttle => situation::nearest_quota(draft.book(), &verdict.pool, until),
        Category::ClientError
        | Category::ServerError
        | Category::Latency
        | Category::Anomaly
        | Category::Lifecycle
        | Category::Residency
        | Category::ResidencyBreach => None,
    };
    if let Some((kind, code)) = quota {
        let scope = verdict.pool.scope.clone();
        return (Cause::Quota { scope, code }, Some(kind));
    }
    let (pool, category) = (verdict.pool.clone(), verdict.category);
    (Cause::Pool { pool, category }, None)
}

/// Throttled requests of the incident's pools from its beginning to its last bad minute, as far as observed.
///
/// Never less than was counted before: older minutes that can't be read now, or are kept no more, took nothing back.
pub(super) fn lost(draft: &mut Draft<'_>, incident: &Incident) -> f64 {
    if incident.is_of_lifecycle() || incident.is_of_residency() {
        return 0.0; // a day to come refuses nothing, nor does a profile that leads too far; both may last for months
    }
    let end = incident.last_bad.plus(1);
    let from = incident.began.max(end.plus(-KEPT_MINUTES));
    let series = &draft.book().series;
    let is_older = |pool: &&PoolId| {
        let first = series.get(*pool).and_then(PoolSeries::first_minute);
        first.is_none_or(|first| from < first)
    };
    if !draft.has_past(incident.pools.iter().filter(is_older)) {
        return incident.lost;
    }
    let minutes = draft.minutes();
    // A quota of all models refuses requests to each of them.
    let book = draft.book();
    let all = incident
        .pools
        .iter()
        .filter(|it| it.family == Family::Account);
    let of_models = all.flat_map(|it| book.pools_in(&it.scope)).map(|it| &it.id);
    let of_models = of_models.filter(|it| it.family.is_of_runtime());
    let refused = incident.pools.iter().chain(of_models);
    let refused = refused.flat_map(|pool| minutes.window(pool, Signal::Throttles, from, end));
    let counted: f64 = refused.filter_map(Sample::value).sum();
    counted.max(incident.lost)
}

/// The reasons of all alerts that are on, newest evidence first, then who takes most.
pub(super) fn reasons(draft: &Draft<'_>, incident: &Incident) -> Vec<Reason> {
    let on = incident
        .members
        .values()
        .filter(|member| member.is_on || !incident.is_open());
    let mut reasons: Vec<Reason> = on.flat_map(|member| member.reasons.clone()).collect();
    let takers = incident
        .pools
        .iter()
        .filter_map(|pool| draft.inputs.takers.get(pool));
    reasons.extend(takers.flatten().cloned());
    reasons.dedup();
    reasons
}
