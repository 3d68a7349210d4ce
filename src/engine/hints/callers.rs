//! What callers do that makes limits bite: retries, a cache that is lost, one target, a destination they may not use.

use super::{Fit, count, median, scene::Scene};
use crate::model::{
    catalog::{Family, PoolId, TargetKind},
    hint::{
        CacheFallen, CacheRule, Carrier, CarrierRule, Clue, Denied, DeniedRule, Retries, RetryRule,
    },
    reason::Reason,
    series::{Sample, Signal},
    time::Minute,
};

/// Minutes before the first refusal whose demand is what it was before, and how many of them must be known.
const BEFORE_MINUTES: i64 = 30;
const LEAST_BEFORE: usize = 10;
/// Minutes after it in which retries show, and how many of them must be known.
const AFTER_MINUTES: i64 = 10;
const LEAST_AFTER: usize = 3;

/// Clients that try again at once.
///
/// Every retry counts as demand, so that refusals feed on themselves: demand is little above the usual when the first
/// request is refused, and a multiple of it in the minutes after, while no more gets through. Growth that is real is
/// there before the first refusal, and what gets through grows with it.
pub(super) fn retries(scene: &Scene<'_>, rule: &RetryRule) -> Option<Fit> {
    let refused = |at| scene.failures(Signal::Throttles, at);
    let since = scene
        .minutes()
        .find(|at| refused(*at).is_some_and(|it| 0.0 < it))?;
    let calm = (since.plus(-BEFORE_MINUTES), since);
    let mut earlier = calm.0.until(calm.1).filter_map(refused);
    if earlier.any(|it| 0.0 < it) {
        return None; // the window begins in the middle of it
    }
    let end = since.plus(1 + AFTER_MINUTES).min(scene.until);
    let hot = (since.plus(1), end);
    let demand = |at| scene.demand(at);
    let before = of_known(calm, demand, LEAST_BEFORE)?;
    let after = of_known(hot, demand, LEAST_AFTER)?;
    let got_through = |at| scene.value(Signal::Invocations, at);
    let through_before = of_known(calm, got_through, LEAST_BEFORE)?;
    let through = of_known(hot, got_through, LEAST_AFTER)?;
    let started = scene.demand(since)?;
    let is_storm = 0.0 < before
        && started <= rule.started * before
        && rule.after * before <= after
        && through <= rule.through * through_before;
    let total = scene.refused();
    if !is_storm || total < scene.evidence.rules.least_refused {
        return None;
    }
    let later = since.plus(1).until(scene.until);
    let beyond = later
        .filter_map(|at| scene.demand(at))
        .map(|demand| (demand - started).max(0.0));
    let fit = beyond.sum::<f64>() / total;
    let clue = Clue::Retries(Retries {
        since,
        before,
        started,
        after,
        through,
    });
    Some((clue, fit.min(1.0), rule.weight))
}

/// The median of what is known of these minutes, where that is enough.
fn of_known(
    (from, until): (Minute, Minute),
    of: impl Fn(Minute) -> Option<f64>,
    least: usize,
) -> Option<f64> {
    let known: Vec<f64> = from.until(until).filter_map(of).collect();
    (least <= known.len()).then(|| median(known)).flatten()
}

/// The share of input tokens that the cache served, before and now. What it serves is free of charge, so that a fall
/// shows as charged tokens that nobody asked more for.
pub(super) fn cache_fallen(scene: &Scene<'_>, rule: &CacheRule) -> Option<Fit> {
    let before = cached(scene, scene.from.plus(-rule.baseline_minutes), scene.from);
    let now = cached(scene, scene.bad_from, scene.until);
    let is_known = rule.least_known <= before.minutes && rule.least_now <= now.minutes;
    let (old, new) = (before.share()?, now.share()?);
    let has_fallen = rule.before.factor() <= old && new <= old * (1.0 - rule.lost.factor());
    if !(is_known && has_fallen) {
        return None;
    }
    let minutes = f64::from(now.minutes);
    let extra = (now.read + now.charged_input) * (old - new) / minutes;
    let charged = now.charged / minutes;
    let clue = Clue::CacheFallen(CacheFallen {
        before: old,
        of: before.minutes,
        now: new,
        extra,
        charged,
    });
    (0.0 < charged).then(|| (clue, (extra / charged).min(1.0), rule.weight))
}

/// Sums over the minutes in which all of it is known.
#[derive(Clone, Copy, Debug, Default)]
struct Cached {
    minutes: u32,
    read: f64,
    charged_input: f64,
    charged: f64,
}

impl Cached {
    /// `None` without input.
    fn share(&self) -> Option<f64> {
        let input = self.read + self.charged_input;
        (0.0 < input).then(|| self.read / input)
    }
}

fn cached(scene: &Scene<'_>, from: Minute, until: Minute) -> Cached {
    let of = |signal| {
        let samples = (scene.evidence.samples)(&scene.pool.id, signal, from, until);
        samples.into_iter().map(Sample::value)
    };
    let sides = of(Signal::CacheReadTokens).zip(of(Signal::CacheWriteTokens));
    let rest = of(Signal::InputTokens).zip(of(Signal::ChargedTokens));
    let mut sums = Cached::default();
    for ((read, write), (input, charged)) in sides.zip(rest) {
        // What was not written is not always published; what was read and what was charged must be known.
        if let (Some(read), Some(input), Some(charged)) = (read, input, charged) {
            sums.minutes += 1;
            sums.read += read;
            sums.charged_input += input + write.unwrap_or(0.0);
            sums.charged += charged;
        }
    }
    sums
}

/// One of several targets takes most of the pool.
pub(super) fn carrier(scene: &Scene<'_>, rule: &CarrierRule) -> Option<Fit> {
    let top = scene.evidence.takers.get(&scene.pool.id)?.first();
    let Some(Reason::TopTarget { target, share }) = top else {
        return None;
    };
    let of_pool = |it: &&crate::model::catalog::Target| it.pool == scene.pool.id;
    let targets: Vec<_> = scene
        .evidence
        .book
        .targets
        .values()
        .filter(of_pool)
        .collect();
    let own = targets.iter().find(|it| it.id == *target)?;
    let name = match &own.kind {
        TargetKind::ApplicationProfile { name } => Some(name.clone()),
        TargetKind::Base | TargetKind::SystemProfile | TargetKind::Mantle => None,
    };
    let clue = Clue::Carrier(Carrier {
        target: target.clone(),
        name,
        share: *share,
        targets: u32::try_from(targets.len()).ok()?,
    });
    let is_one_of_many = 2 <= targets.len() && rule.share <= *share;
    is_one_of_many.then(|| (clue, share.factor(), rule.weight))
}

/// A policy that denies one of the profile's destinations: calls through it fail by the caller's fault now and then, and
/// calls to the same model in the Region itself do not.
pub(super) fn denied(scene: &Scene<'_>, rule: &DeniedRule) -> Option<Fit> {
    if !matches!(scene.pool.id.family, Family::Geo | Family::Global) {
        return None;
    }
    let plain = PoolId {
        family: Family::OnDemand,
        ..scene.pool.id.clone()
    };
    scene.evidence.book.pools.get(&plain)?;
    let (errors, demand) = client_errors(scene, &scene.pool.id)?;
    let (plain_errors, plain_demand) = client_errors(scene, &plain)?;
    let is_denied = rule.least_errors <= errors && rule.share.factor() * demand <= errors;
    let is_fine =
        rule.least_plain <= plain_demand && plain_errors <= rule.fine.factor() * plain_demand;
    if !(is_denied && is_fine) {
        return None;
    }
    let clue = Clue::Denied(Denied {
        errors,
        demand,
        plain_errors,
        plain_demand,
    });
    let usual = plain_errors / plain_demand;
    Some((clue, 1.0 - usual * demand / errors, rule.weight))
}

/// Failed requests and demand over the minutes of the window in which both are known; `None` of none.
fn client_errors(scene: &Scene<'_>, pool: &PoolId) -> Option<(f64, f64)> {
    let of = |signal| (scene.evidence.samples)(pool, signal, scene.from, scene.until);
    let (mut known, mut errors, mut demand) = (Vec::new(), 0.0, 0.0);
    for (through, failed) in of(Signal::Invocations)
        .into_iter()
        .zip(of(Signal::ClientErrors))
    {
        let Some(through) = through.value() else {
            continue;
        };
        let failed = match failed {
            Sample::Value(failed) => failed,
            Sample::NoData => 0.0, // published only where there are some
            Sample::Unobserved => continue,
        };
        known.push(());
        errors += failed;
        // Editions of the metric differ on whether failed requests are among those that got through.
        demand += through.max(failed);
    }
    (0.0 < count(&known)).then_some((errors, demand))
}
