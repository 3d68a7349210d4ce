//! Who carries the rise, or whose requests are missing.

use super::{Fit, scene::Scene};
use crate::{
    engine::shift::{Shift, shift},
    model::{
        catalog::{Family, TargetKind},
        hint::{Carried, CarriedRule, Clue, Counted, Part},
        ids::TargetId,
        incident::{Cause, Incident},
        reason::Reason,
        rule::Category,
        time::{HOUR, Minute},
        units::{QuotaKind, Share},
        unusual::Trouble,
    },
};

/// Minutes of now: so many, but at most an hour, up to the last bad one.
const LEAST_WINDOW: i64 = 5;
/// Targets that are named together.
const MOST_NAMED: usize = 3;

/// What an incident is about that targets can carry, and whether there is less of it than usual.
fn question(incident: &Incident) -> Option<(Counted, bool)> {
    let of_kind = |kind: QuotaKind| match kind {
        QuotaKind::Rpm => Some((Counted::Requests, false)),
        QuotaKind::Tpm | QuotaKind::Tpd => Some((Counted::Tokens, false)),
        QuotaKind::InputTpm | QuotaKind::OutputTpm | QuotaKind::CrossModelTpd => None, // of pools whose targets are not told apart
    };
    match &incident.cause {
        Cause::Quota { .. } => of_kind(incident.kind?),
        Cause::Pool { category, .. } => match category {
            Category::Quota | Category::Throttle => Some((Counted::Requests, false)),
            Category::Anomaly => troubles(incident).find_map(|trouble| match trouble {
                Trouble::TrafficUp => Some((Counted::Requests, false)),
                Trouble::TrafficDown => Some((Counted::Requests, true)),
                Trouble::TokensUp => Some((Counted::TokensARequest, false)),
                Trouble::Throttled
                | Trouble::ClientErrors
                | Trouble::ServerErrors
                | Trouble::Slow => None,
            }),
            Category::ClientError
            | Category::ServerError
            | Category::Latency
            | Category::Lifecycle
            | Category::Residency
            | Category::ResidencyBreach => None,
        },
    }
}

/// Those of alerts that are on first.
fn troubles(incident: &Incident) -> impl Iterator<Item = Trouble> {
    let (on, off): (Vec<_>, Vec<_>) = incident.members.values().partition(|it| it.is_on);
    let reasons = on.into_iter().chain(off).flat_map(|it| &it.reasons);
    let troubles: Vec<Trouble> = reasons
        .filter_map(|reason| {
            let Reason::Trouble { trouble, .. } = reason else {
                return None;
            };
            Some(*trouble)
        })
        .collect();
    troubles.into_iter()
}

/// The targets that carry the rise, or the fall, where the change is worth a word; how much of it they carry tells how well
/// it fits.
pub(super) fn carried(scene: &Scene<'_>, incident: &Incident, rule: &CarriedRule) -> Option<Fit> {
    let pool = &scene.pool.id;
    let recent = scene.evidence.recent.get(pool)?;
    if pool.family == Family::Mantle || targets_of(scene) < 2 {
        return None;
    }
    let (counted, is_fall) = question(incident)?;
    let found = shift(
        scene.evidence.book,
        recent,
        pool,
        counted,
        window(incident),
        rule.least_days,
    )?;
    let sign = if is_fall { -1.0 } else { 1.0 };
    let change = sign * (found.now - found.usual);
    if !(0.0 < change && rule.least.factor() * found.usual <= change) {
        return None;
    }
    let carried = parts(scene, &found, (counted, is_fall), rule)?;
    let share = carried.parts.iter().map(|it| it.share.factor()).sum();
    Some((Clue::Carried(carried), share, rule.weight))
}

fn window(incident: &Incident) -> (Minute, Minute) {
    let until = incident.last_bad.plus(1);
    let began = incident.began.min(until.plus(-LEAST_WINDOW));
    (began.max(until.plus(-HOUR)), until)
}

fn targets_of(scene: &Scene<'_>) -> usize {
    let targets = scene.evidence.book.targets.values();
    targets.filter(|it| it.pool == scene.pool.id).count()
}

/// The fewest that carry the rule's share, at most half of those that carry any of it; else the largest alone.
fn parts(
    scene: &Scene<'_>,
    found: &Shift,
    (counted, is_fall): (Counted, bool),
    rule: &CarriedRule,
) -> Option<Carried> {
    let sign = if is_fall { -1.0 } else { 1.0 };
    let mut own: Vec<(&TargetId, f64)> = found
        .parts
        .iter()
        .map(|(target, change)| (target, sign * change))
        .filter(|(_, change)| 0.0 < *change)
        .collect();
    own.sort_by(|a, b| b.1.total_cmp(&a.1));
    let unnamed = (sign * found.unnamed).max(0.0);
    let named: f64 = own.iter().map(|(_, change)| change).sum();
    let total = named + unnamed;
    let against: f64 = found
        .parts
        .iter()
        .map(|(_, change)| sign * change)
        .sum::<f64>()
        - named;
    let all = own.len() + usize::from(0.0 < unnamed);
    let most = MOST_NAMED.min((all / 2).max(1));
    let mut sum = 0.0;
    let fewest = own.iter().take(most).position(|(_, change)| {
        sum += change;
        rule.share.factor() * total <= sum
    });
    let part = |(target, change): &(&TargetId, f64)| {
        Some(Part {
            target: (*target).clone(),
            kind: kind(scene, target),
            share: share(*change, total)?,
            by: *change,
        })
    };
    let told = own.iter().take(fewest.map_or(1, |last| last + 1));
    let parts: Vec<Part> = told.map(part).collect::<Option<_>>()?;
    if parts.is_empty() {
        return None;
    }
    Some(Carried {
        counted,
        is_fall,
        is_spread: fewest.is_none(),
        now: found.now,
        usual: found.usual,
        days: found.days,
        by: total,
        others: u32::try_from(all - parts.len()).ok()?,
        against: (-against).max(0.0),
        parts,
    })
}

/// `None` of a target that is gone.
fn kind(scene: &Scene<'_>, target: &TargetId) -> Option<TargetKind> {
    let key = (scene.pool.id.scope.clone(), target.clone());
    let known = scene.evidence.book.targets.get(&key)?;
    Some(known.kind.clone())
}

fn share(part: f64, total: f64) -> Option<Share> {
    let points = (10_000.0 * part / total).clamp(1.0, 10_000.0);
    let points: u16 = format!("{points:.0}").parse().ok()?; // as `super::strength`
    Share::from_basis_points(points)
}
