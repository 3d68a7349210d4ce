//! Where and when there is room: other pools of the model, and the quiet hours of this one.

use super::{Fit, count, scene::Scene};
use crate::model::{
    catalog::{Mapping, Pool},
    hint::{Clue, Headroom, HeadroomRule, Valley, ValleyRule},
    series::{Sample, Signal},
    time::{DAY, HOUR, Minute},
    units::QuotaKind,
};

/// Known minutes that make an hour known.
const LEAST_OF_HOUR: usize = 50;

/// The pool of the same model with the most room, by its busiest minute of the last day.
///
/// A pool that is not known to have been quiet is none: its quotas must be known, and most of its day.
pub(super) fn headroom(scene: &Scene<'_>, rule: &HeadroomRule) -> Option<Fit> {
    let own = &scene.pool.id;
    let siblings = scene.evidence.book.pools.values().filter(|pool| {
        pool.id.model == own.model
            && pool.id.scope.account == own.scope.account
            && pool.id != *own
            && pool.id.family.is_of_runtime()
            && (scene.evidence.may_move)(own, &pool.id)
    });
    let lacking = lacking(scene);
    let fits = siblings.filter_map(|pool| room_of(scene, pool, rule, lacking));
    let best = fits.max_by(|a, b| a.1.total_cmp(&b.1));
    best.map(|(clue, fit)| (clue, fit, rule.weight))
}

fn room_of(
    scene: &Scene<'_>,
    pool: &Pool,
    rule: &HeadroomRule,
    lacking: Option<f64>,
) -> Option<(Clue, f64)> {
    let line = scene.line(pool, QuotaKind::Tpm)?;
    let drains_same = scene
        .tpm()
        .is_some_and(|own| own.code == line.code && scene.pool.id.scope == pool.id.scope);
    if drains_same {
        return None;
    }
    let peak = peak(scene, pool, Signal::ChargedTokens, rule)?;
    let quota = line.quota.get();
    let is_free = |peak: f64, quota: f64| peak <= (1.0 - rule.free.factor()) * quota;
    let has_requests = match scene.line(pool, QuotaKind::Rpm) {
        Some(line) => is_free(peak_of_requests(scene, pool, rule)?, line.quota.get()),
        None => *pool.mapping(QuotaKind::Rpm) == Mapping::Absent,
    };
    if !(has_requests && is_free(peak, quota)) {
        return None;
    }
    let free = quota - peak;
    let fit = lacking.map_or(free / quota, |lacking| free / lacking);
    let clue = Clue::Headroom(Headroom {
        pool: pool.id.clone(),
        quota: line.quota,
        is_default: line.is_default,
        peak,
        lacking,
    });
    Some((clue, fit.min(1.0)))
}

fn peak_of_requests(scene: &Scene<'_>, pool: &Pool, rule: &HeadroomRule) -> Option<f64> {
    peak(scene, pool, Signal::Invocations, rule)
}

/// The busiest minute of the last day; `None` unless enough of its minutes are known.
fn peak(scene: &Scene<'_>, pool: &Pool, signal: Signal, rule: &HeadroomRule) -> Option<f64> {
    let from = scene.until.plus(-DAY);
    let samples = (scene.evidence.samples)(&pool.id, signal, from, scene.until);
    let all = count(&samples);
    let known: Vec<f64> = samples.into_iter().filter_map(Sample::value).collect();
    let is_known = rule.known.factor() * all <= count(&known);
    is_known.then(|| known.into_iter().fold(0.0, f64::max))
}

/// Tokens that were refused in the worst minute, at the mean size of what got through.
fn lacking(scene: &Scene<'_>) -> Option<f64> {
    let lacking = scene.minutes().filter_map(|at| {
        let refused = scene.failures(Signal::Throttles, at)?;
        let through = scene.value(Signal::Invocations, at)?;
        let charged = scene.value(Signal::ChargedTokens, at)?;
        (0.0 < refused && 0.0 < through && 0.0 < charged).then(|| refused * charged / through)
    });
    lacking.reduce(f64::max)
}

/// The quietest hours in a row of the last day, where the busiest one is near the quota and these are far from it.
pub(super) fn valley(scene: &Scene<'_>, rule: &ValleyRule) -> Option<Fit> {
    let line = scene.tpm()?;
    let quota = line.quota.get();
    let end = scene.until.hour();
    let begin = end.plus(-DAY);
    let used = scene.drained(line.code, Signal::ChargedTokens, begin, end);
    let hours: Vec<(Minute, Option<f64>)> = (0..)
        .map(|hour| begin.plus(hour * HOUR))
        .zip(used.chunks(60))
        .map(|(hour, minutes)| {
            let known: Vec<f64> = minutes.iter().copied().flatten().collect();
            let mean = known.iter().sum::<f64>() / count(&known);
            (hour, (LEAST_OF_HOUR <= known.len()).then_some(mean))
        })
        .collect();
    let known: Vec<f64> = hours.iter().filter_map(|(_, mean)| *mean).collect();
    let peak = known.iter().copied().reduce(f64::max)? / quota;
    let length = usize::try_from(rule.hours).ok()?.max(1);
    let stretches = hours.windows(length).filter_map(|stretch| {
        let means: Option<Vec<f64>> = stretch.iter().map(|(_, mean)| *mean).collect();
        let means = means?;
        let (first, _) = stretch.first()?;
        Some((*first, means.iter().sum::<f64>() / count(&means)))
    });
    let (from, mean) = stretches.min_by(|a, b| a.1.total_cmp(&b.1))?;
    let quiet = mean / quota;
    let is_known = usize::try_from(rule.least_known).is_ok_and(|least| least <= known.len());
    let is_valley = rule.peak.factor() <= peak && quiet <= rule.quiet.factor();
    let minutes = f64::from(rule.hours) * 60.0;
    let clue = Clue::Valley(Valley {
        peak,
        quiet,
        from,
        hours: rule.hours,
        free: (1.0 - quiet) * quota * minutes,
    });
    (is_known && is_valley).then(|| (clue, 1.0 - quiet / peak, rule.weight))
}
