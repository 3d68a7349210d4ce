//! Requests refused far below every quota per minute: what else refuses them.

use super::{
    Fit, count,
    scene::{Refusal, Scene, highest_of, refused_in},
};
use crate::engine::cross_model::shared_day;
use crate::model::{
    catalog::{Pool, PoolId},
    hint::{
        Capacity, CapacityRule, Clue, Daily, DailyRule, RaisedElsewhere, RaisedHere, RaisedRule,
        Reservation, ReservationRule,
    },
    quota::QuotaChange,
    series::{Sample, Signal},
    time::{DAY, HOUR, Minute},
    units::{Amount, QuotaKind},
};

/// A day's tokens are known while at least this share of its minutes is.
const LEAST_DAY_COVERAGE: f64 = 0.95;

/// `max_tokens` held in reserve.
///
/// A request is admitted while what was charged and what the requests in flight reserve fits the quota. No metric shows
/// the reservations; where requests are refused, charged tokens and reservations together are the quota. So the
/// reservation of a request follows from what lacks to the quota and from the requests in flight (Little's law). It can
/// be no more than a request can reserve: where even that does not fill the quota, something else refuses.
pub(super) fn reservation(scene: &Scene<'_>, rule: &ReservationRule) -> Option<Fit> {
    let line = scene.tpm()?;
    let quota = line.quota.get();
    let (mut far, fit) = scene.unexplained()?;
    far.retain(|it| 0.0 < it.through);
    // Both are read less often than what limits are judged by: the hour before is second best.
    let newest = request(scene, scene.bad_from);
    let (output, millis) = newest.or_else(|| request(scene, scene.until.plus(-HOUR)))?;
    let charged = scene.drained(line.code, Signal::ChargedTokens, scene.from, scene.until);
    let at = |minute: Minute| {
        let index = usize::try_from(minute.since(scene.from)).ok()?;
        charged.get(index).copied().flatten()
    };
    let mean = |of: &dyn Fn(&Refusal) -> Option<f64>| {
        let known: Vec<f64> = far.iter().filter_map(of).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / count(&known))
    };
    let charged = mean(&|it| at(it.at))?;
    let in_flight = mean(&|it| Some(it.through))? * millis / 60_000.0;
    let held = (quota - charged) / in_flight;
    let enough = rule.room * output;
    let freed = in_flight * (held - enough);
    let is_possible = held <= scene.evidence.most_output;
    if !(is_possible && rule.freed.factor() * quota <= freed) {
        return None;
    }
    let clue = Clue::Reservation(Reservation {
        refused: refused_in(&far),
        code: line.code.clone(),
        quota: line.quota,
        charged,
        in_flight,
        held,
        output,
        enough,
        freed,
    });
    Some((clue, fit, rule.weight))
}

/// Mean output tokens and milliseconds of a request over the minutes from here on in which they are known.
fn request(scene: &Scene<'_>, from: Minute) -> Option<(f64, f64)> {
    let (mut requests, mut output, mut millis) = (0.0, 0.0, 0.0);
    for at in from.until(scene.until) {
        let of = |signal| scene.value(signal, at);
        if let (Some(through), Some(tokens), Some(latency)) = (
            of(Signal::Invocations),
            of(Signal::OutputTokens),
            of(Signal::Latency),
        ) {
            requests += through;
            output += tokens;
            millis += latency * through;
        }
    }
    (0.0 < requests && 0.0 < millis).then(|| (output / requests, millis / requests))
}

/// The daily limit: used up, or unknown while nearly everything is refused.
///
/// A day that is used up refuses every request until midnight; a minute that is used up lets some through. That is what
/// points to the day where its quota can't be read, as the account's cross-model one.
pub(super) fn daily(scene: &Scene<'_>, rule: &DailyRule) -> Option<Fit> {
    let (far, fit) = scene.unexplained()?;
    let last = scene.until.plus(-1);
    let midnight = Minute(last.0.div_euclid(DAY) * DAY);
    let line = scene.line(scene.pool, QuotaKind::Tpd);
    let charged = match line {
        Some(line) => scene.drained(line.code, Signal::ChargedTokens, midnight, scene.until),
        None => own_charged(scene, midnight),
    };
    let known: Vec<f64> = charged.iter().copied().flatten().collect();
    let is_known = LEAST_DAY_COVERAGE * count(&charged) <= count(&known);
    let today: f64 = known.iter().sum();
    let is_near = |quota: Amount| rule.near.factor() * quota.get() <= today;
    // A sum with gaps is a lower bound: it can prove that the day is used up, never that it is not.
    let is_own = line.is_some_and(|line| is_near(line.quota));
    let (book, scope) = (scene.evidence.book, &scene.pool.id.scope);
    let shared = shared_day(book, scene.evidence.samples, scope, scene.until);
    let shared = shared.filter(|it| !is_own && it.may_be_used_up(rule.near));
    let weight = match line {
        _ if is_own => rule.weight,
        Some(_) if shared.is_none() => return None,
        Some(_) | None => {
            let through: f64 = far.iter().map(|it| it.through).sum();
            let refused = refused_in(&far);
            let is_total = rule.refused.factor() * (through + refused) <= refused;
            let weight = if shared.is_some() {
                rule.weight
            } else {
                rule.weight_unread
            };
            (is_known && is_total && 0.0 < today).then_some(weight)?
        }
    };
    let clue = Clue::Daily(Daily {
        refused: refused_in(&far),
        highest: highest_of(&far),
        today,
        quota: line.map(|line| (line.code.clone(), line.quota)),
        shared,
        left: u16::try_from(midnight.plus(DAY).since(scene.until)).ok()?,
    });
    Some((clue, fit, weight))
}

fn own_charged(scene: &Scene<'_>, from: Minute) -> Vec<Option<f64>> {
    let id = &scene.pool.id;
    let samples = (scene.evidence.samples)(id, Signal::ChargedTokens, from, scene.until);
    samples.into_iter().map(Sample::value).collect()
}

/// Capacity: failures by AWS's fault beside the refusals.
pub(super) fn capacity(scene: &Scene<'_>, rule: &CapacityRule) -> Option<Fit> {
    let (far, _) = scene.unexplained()?;
    let is_far = |at: Minute| {
        let highest = scene.highest(at);
        highest.is_some_and(|it| it < scene.evidence.rules.far_below.factor())
    };
    let errors = |at| scene.failures(Signal::ServerErrors, at);
    let all: f64 = scene.minutes().filter_map(errors).sum();
    let there = scene.minutes().filter(|at| is_far(*at));
    let there: f64 = there.filter_map(errors).sum();
    let refused = refused_in(&far);
    let enough = rule.least_errors <= there && rule.share.factor() * (there + refused) <= there;
    let clue = Clue::Capacity(Capacity {
        errors: there,
        refused,
        highest: highest_of(&far),
    });
    let fit = (there + refused) / (all + scene.refused());
    enough.then_some((clue, fit, rule.weight))
}

/// A quota that was raised lately while requests are still refused: it is not what refuses them, or it limits others.
pub(super) fn raised(scene: &Scene<'_>, rule: &RaisedRule) -> Option<Fit> {
    let book = scene.evidence.book;
    let lately = scene.until.plus(-rule.within_minutes).start();
    let changes = book.quota_changes.values().filter(|change| {
        change.scope.account == scene.pool.id.scope.account
            && lately <= change.at
            && Minute::of(change.at) < scene.until
            && matches!((change.old, change.new), (Some(old), Some(new)) if old < new)
    });
    let fits = changes.filter_map(|change| {
        let drains = |pool: &&Pool| {
            let mut mappings = pool.mappings.values();
            pool.id.scope == change.scope
                && mappings.any(|mapping| mapping.code() == Some(&change.code))
        };
        if drains(&scene.pool) {
            return raised_here(scene, change);
        }
        let same_model = |pool: &&Pool| pool.id.model == scene.pool.id.model;
        let mut pools = book.pools_in(&change.scope);
        let other = pools.find(|pool| drains(pool) && same_model(pool))?;
        raised_elsewhere(scene, change, &other.id, rule)
    });
    let best = fits.max_by(|a, b| a.1.total_cmp(&b.1));
    best.map(|(clue, fit)| (clue, fit, rule.weight))
}

fn raised_here(scene: &Scene<'_>, change: &QuotaChange) -> Option<(Clue, f64)> {
    let (mut far, _) = scene.unexplained()?;
    far.retain(|it| Minute::of(change.at) < it.at);
    let refused = refused_in(&far);
    let clue = Clue::RaisedHere(RaisedHere {
        code: change.code.clone(),
        old: change.old?,
        new: change.new?,
        at: change.at,
        refused,
        highest: highest_of(&far),
    });
    let is_enough = scene.evidence.rules.least_refused <= refused;
    is_enough.then(|| (clue, refused / scene.refused()))
}

fn raised_elsewhere(
    scene: &Scene<'_>,
    change: &QuotaChange,
    raised: &PoolId,
    rule: &RaisedRule,
) -> Option<(Clue, f64)> {
    let from = scene.from.max(Minute::of(change.at).plus(1));
    let wanted = |pool: &PoolId| -> Option<f64> {
        let sum = |signal| -> (f64, bool) {
            let samples = (scene.evidence.samples)(pool, signal, from, scene.until);
            let is_known = samples.iter().any(|it| *it != Sample::Unobserved);
            (
                samples.into_iter().filter_map(Sample::value).sum(),
                is_known,
            )
        };
        let (through, is_known) = sum(Signal::Invocations);
        is_known.then(|| through + sum(Signal::Throttles).0)
    };
    let pools = scene.evidence.book.pools.values();
    let of_model = pools.filter(|pool| {
        pool.id.model == scene.pool.id.model && pool.id.scope.account == scene.pool.id.scope.account
    });
    let all: f64 = of_model.filter_map(|pool| wanted(&pool.id)).sum();
    wanted(raised)?; // that it carries little is told only where it was seen
    let here = wanted(&scene.pool.id)? / all;
    let since = from.until(scene.until);
    let refused: f64 = since
        .filter_map(|at| scene.failures(Signal::Throttles, at))
        .sum();
    let is_enough = scene.evidence.rules.least_refused <= refused;
    let clue = Clue::RaisedElsewhere(RaisedElsewhere {
        code: change.code.clone(),
        old: change.old?,
        new: change.new?,
        at: change.at,
        raised: raised.clone(),
        refused,
        here,
    });
    (is_enough && rule.share.factor() <= here).then_some((clue, here))
}
