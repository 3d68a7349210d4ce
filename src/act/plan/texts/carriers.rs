//! Who takes most of what an incident is about and who is refused, in one line.
//!
//! Shares are of the last hour up to the last bad minute, over the minutes in which every target is accounted for; of all
//! pools that drain the quota together. Who carries a *rise* is a hint, and another question.

use std::collections::BTreeMap;

use super::super::draft::Draft;
use crate::model::{
    catalog::TargetKind,
    ids::TargetId,
    incident::{Cause, Incident},
    inert::inert,
    reason::Reason,
    series::TargetUse,
    time::HOUR,
    units::{QuotaKind, grouped},
};

/// Targets that are named.
const MOST: usize = 5;

/// The line; `None` where there is one target, or it is not known who took what.
pub(super) fn line(draft: &Draft<'_>, incident: &Incident) -> Option<String> {
    let until = incident.last_bad.plus(1);
    let mut taken: BTreeMap<&TargetId, TargetUse> = BTreeMap::new();
    for pool in &incident.pools {
        let recent = draft.inputs.recent.get(pool)?; // of a part, shares would be wrong
        for (target, it) in recent.sums(until.plus(-HOUR), until) {
            let sum = taken.entry(target).or_default();
            *sum = sum.plus(it);
        }
    }
    let is_of_tokens = matches!(incident.cause, Cause::Quota { .. })
        && incident.kind.is_some_and(|it| it != QuotaKind::Rpm);
    let (what, of): (_, fn(&TargetUse) -> f64) = if is_of_tokens {
        ("tokens", |it| it.charged)
    } else {
        ("requests", |it| it.demand)
    };
    let mut shares: Vec<(f64, &TargetId)> = taken.iter().map(|(id, it)| (of(it), *id)).collect();
    shares.retain(|(took, _)| 0.0 < *took);
    let total: f64 = shares.iter().map(|(took, _)| took).sum();
    if shares.len() < 2 {
        return None;
    }
    shares.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let named = shares.iter().take(MOST);
    let mut said: Vec<String> = named
        .map(|(took, id)| format!("{} {}", called(draft, incident, id), share(*took, total)))
        .collect();
    let others = shares.get(MOST..).unwrap_or_default();
    if !others.is_empty() {
        let took: f64 = others.iter().map(|(took, _)| took).sum();
        said.push(format!("{} others {}", others.len(), share(took, total)));
    }
    let mut line = format!("Who took the {what} of the last hour: {}.", said.join(", "));
    let mut refused: Vec<(&TargetId, TargetUse)> = taken.into_iter().collect();
    refused.retain(|(_, it)| 0.0 < it.throttled);
    refused.sort_by(|a, b| b.1.throttled.total_cmp(&a.1.throttled).then(a.0.cmp(b.0)));
    let named = refused.iter().take(MOST).map(|(id, it)| {
        let (count, share) = (grouped(it.throttled), share(it.throttled, it.demand));
        format!(
            "{} {count} times ({share} of its requests)",
            called(draft, incident, id)
        )
    });
    let named: Vec<String> = named.collect();
    if !named.is_empty() {
        line.push_str(&format!(" Throttled were: {}.", named.join(", ")));
    }
    Some(line)
}

/// Whether the reason is said by the line.
pub(super) const fn is_said(reason: &Reason) -> bool {
    matches!(reason, Reason::TopTarget { .. })
}

fn share(took: f64, total: f64) -> String {
    let percent = 100.0 * took / total;
    if percent < 1.0 {
        "below 1 %".to_owned()
    } else {
        format!("{percent:.0} %")
    }
}

/// The name that its owner gave it first.
fn called(draft: &Draft<'_>, incident: &Incident, id: &TargetId) -> String {
    let key = (incident.cause.scope().clone(), id.clone());
    let known = draft.book().targets.get(&key).map(|it| &it.kind);
    let id = inert(id.as_str());
    match known {
        Some(TargetKind::ApplicationProfile { name }) => format!("`{}` ({id})", inert(name)),
        Some(TargetKind::SystemProfile | TargetKind::Base | TargetKind::Mantle) | None => {
            format!("`{id}`")
        }
    }
}
