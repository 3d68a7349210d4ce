//! Alerts that came and went while nobody looked: at a first start, after a pause. Recorded as an ended incident, told once,
//! never filed.

use std::collections::BTreeSet;

use super::{
    draft::Draft,
    group::{cause_of, fresh, lost},
    hints,
    tell::REOPEN_MINUTES,
    texts,
};
use crate::model::{
    alert::{Episode, Verdict},
    ids::IncidentId,
    incident::{AlertKey, Cause, Incident, Member, Spell},
    rule::Severity,
    series::SETTLE_MINUTES,
    time::Minute,
};

/// An alert that began and ended in the minutes judged this time.
struct Was<'v> {
    key: AlertKey,
    verdict: &'v Verdict,
    episode: &'v Episode,
}

/// Takes all that was over before it was judged into the incidents of its problems; returns those in which there is news.
///
/// Two rules on one quota, and one that comes back soon, are one problem as they are while it is watched: so the episodes of
/// all rules are taken in their order in time.
pub(super) fn note(draft: &mut Draft<'_>) -> BTreeSet<IncidentId> {
    let verdicts = draft.inputs.verdicts.iter();
    let was = verdicts.flat_map(|verdict| {
        verdict.past.iter().map(|episode| Was {
            key: AlertKey::of(verdict),
            verdict,
            episode,
        })
    });
    let is_known = |it: &Was<'_>| {
        let mut incidents = draft.incidents();
        incidents
            .any(|incident| incident.members.contains_key(&it.key) && covers(incident, it.episode))
    };
    let mut new: Vec<Was<'_>> = was.filter(|it| !is_known(it)).collect();
    new.sort_by(|a, b| (a.episode.began, &a.key).cmp(&(b.episode.began, &b.key)));
    let news = new.into_iter().filter_map(|it| take(draft, &it));
    news.collect()
}

/// Takes an episode into the incident of its problem; returns the incident, where there is news in it.
fn take(draft: &mut Draft<'_>, was: &Was<'_>) -> Option<IncidentId> {
    let Was {
        key,
        verdict,
        episode,
    } = was;
    let (cause, kind) = cause_of(draft, verdict, episode.ended.plus(1));
    if let Some(incident) = draft.open(&cause) {
        let id = incident.id.clone();
        let what = format!(
            "{} was also on from {} to {}",
            key.rule, episode.began, episode.ended
        );
        draft.decide(&id, what);
        return None;
    }
    let joined = joined(draft, &cause, episode);
    let is_new = joined.is_none();
    let mut incident = joined.unwrap_or_else(|| Incident {
        // The verdict may be on again by now: that is another matter.
        last_bad: episode.began,
        ..fresh(draft, verdict, cause, kind, episode.began)
    });
    let spells = incident.spells().len();
    let last_bad = incident.last_bad;
    take_in(&mut incident, was, Minute::of(draft.now()));
    // An end that was judged before these minutes were is none.
    if is_new || last_bad < incident.last_bad {
        incident.resolved = Some(draft.now());
    }
    incident.lost = lost(draft, &incident);
    hints::look(draft, &mut incident);
    incident.decide(
        draft.now(),
        if is_new {
            "it was over before it was judged: recorded and told, nothing is filed".to_owned()
        } else {
            format!(
                "{} was on from {} to {}, over before it was judged: the same problem",
                key.rule, episode.began, episode.ended
            )
        },
    );
    let has_more = spells < incident.spells().len();
    let (id, was_told) = (incident.id.clone(), incident.told.is_some());
    draft.put(incident);
    (is_new || has_more || !was_told).then_some(id)
}

/// Tells what was over before it was judged, unless it has come back by now, of which people hear then.
pub(super) fn tell(draft: &mut Draft<'_>, id: &IncidentId) {
    let Some(incident) = draft.incident(id).filter(|it| !it.is_open()) else {
        return;
    };
    let message = texts::past(draft, incident);
    // Nobody is woken for what is over.
    let severity = incident.severity.min(Severity::Info);
    draft.tell(id, severity, &message);
}

/// Whether the incident has these minutes: what is between the spells of one that is over was not bad.
fn covers(incident: &Incident, episode: &Episode) -> bool {
    if incident.is_open() {
        return incident.began <= episode.ended;
    }
    let spells = incident.spells();
    // A spell is judged over once its minutes have settled: what is seen of these later is no news.
    let mut spells = spells.iter();
    spells.any(|it| it.first <= episode.ended && episode.began <= it.last.plus(SETTLE_MINUTES))
}

/// The incident of this cause that is over and that the episode belongs to: it overlaps, or lies so near that the problem
/// would have reopened it.
fn joined(draft: &Draft<'_>, cause: &Cause, episode: &Episode) -> Option<Incident> {
    let over = draft.incidents().filter(|it| {
        let is_near = episode.began.since(it.last_bad) <= REOPEN_MINUTES
            && it.began.since(episode.ended) <= REOPEN_MINUTES;
        it.cause == *cause && is_near && !it.is_open() && !it.is_unprompted()
    });
    over.max_by_key(|it| it.generation).cloned()
}

fn take_in(incident: &mut Incident, was: &Was<'_>, now: Minute) {
    let Was {
        key,
        verdict,
        episode,
    } = was;
    // It was judged over by minutes that had settled: the bad ones are older still.
    let settled = now.plus(-SETTLE_MINUTES);
    let last = episode.ended.min(settled).max(episode.began);
    if !incident.members.is_empty() {
        incident.note_own();
    }
    incident.began = incident.began.min(episode.began);
    incident.last_bad = incident.last_bad.max(last);
    incident.note_bad(Spell {
        first: episode.began,
        last,
    });
    incident.severity = incident.severity.max(verdict.severity);
    incident.remedy = incident.remedy.max(verdict.remedy);
    incident.pools.insert(verdict.pool.clone());
    let known = incident.members.get(key).and_then(|it| it.last_bad);
    if known.is_none_or(|known| known < last) {
        let member = Member {
            severity: verdict.severity,
            is_on: false,
            last_bad: Some(last),
            rule_hash: verdict.rule_hash.clone(),
            reasons: episode.reasons.clone(),
        };
        incident.members.insert(key.clone(), member);
    }
}
