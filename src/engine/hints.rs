//! Looks at an incident for patterns that tell its cause or a way out, each with the numbers that show it. Pure.
//!
//! - `scene`: the minutes of one pool and its quotas, cut out once;
//! - `refusals`: refused far below every quota per minute: reservations, the daily limit, capacity, a quota raised in vain;
//! - `callers`: what callers do: retries, a lost cache, one target that carries the load, a policy that denies;
//! - `carried`: which targets carry a rise, or are missing: by their own past;
//! - `room`: where and when there is room: quiet hours, other pools of the model.
//!
//! The statistic is plain: sums and medians over the last hour of the incident, and *fit*, the share of what went wrong
//! that lies in minutes which show the pattern. Fit times the weight of the pattern orders the hints. No model, since
//! the person on call has to check each number against the callers' logs.
//!
//! No pattern is told from absence: a quota, a latency or a neighbour that is not known leaves out what would rest on it.
//! What fools them: a burst within the minute is refused at a low mean use, and looks like a reservation or a lack of
//! capacity; `far_below` keeps away from it. A step of real traffic in the middle of a minute looks like retries, if the
//! pool was near its quota before.
//!
//! Does not belong here: what follows from a hint. It changes no decision, it is told.

mod callers;
mod carried;
mod refusals;
mod room;
mod scene;

use std::collections::BTreeMap;

use crate::model::{
    book::Book,
    catalog::{Family, Pool, PoolId},
    hint::{Clue, Hint, HintRules},
    incident::{Cause, Incident},
    reason::Reason,
    rule::Category,
    series::{Sample, Signal},
    time::Minute,
    units::Share,
    uses::RecentUse,
};
use scene::Scene;

/// The samples of one signal of a pool from a minute up to and without another, oldest first; minutes never read are
/// `Unobserved`.
pub type Samples<'a> = dyn Fn(&PoolId, Signal, Minute, Minute) -> Vec<Sample> + 'a;

/// What hints are drawn from.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// Quotas, mappings, pools, targets, changes of quotas.
    pub book: &'a Book,
    /// What was measured: of the last days at least.
    pub samples: &'a Samples<'a>,
    /// Who takes most of each pool lately, most first.
    pub takers: &'a BTreeMap<PoolId, Vec<Reason>>,
    /// What each target of a pool took in its last minutes.
    pub recent: &'a BTreeMap<PoolId, RecentUse>,
    /// Whether traffic of the first pool may go to the second one, by the operator's rules of residency. Without a rule the
    /// hint says that it needs one.
    pub may_move: &'a dyn Fn(&PoolId, &PoolId) -> bool,
    /// The most output that one request can reserve at admission, in tokens.
    pub most_output: f64,
    /// When a pattern is told.
    pub rules: &'a HintRules,
}

impl std::fmt::Debug for Evidence<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evidence")
            .field("rules", self.rules)
            .finish_non_exhaustive()
    }
}

/// Pools of an incident that are looked at; an incident of more has one cause all the same.
const MOST_POOLS: usize = 8;
/// Minutes before the beginning that are looked at as well: the bad minutes that opened it lie there.
const LEAD_MINUTES: i64 = 15;

/// The hints of an incident, strongest first, at most as many as the rules say.
///
/// A pattern that several pools of the incident show is told once, of the pool that shows it best.
#[must_use]
pub fn hints(evidence: &Evidence<'_>, incident: &Incident) -> Vec<Hint> {
    let until = incident.last_bad.plus(1);
    let from = incident.began.plus(-LEAD_MINUTES);
    let from = from.max(until.plus(-evidence.rules.window_minutes));
    let mut found: Vec<Hint> = Vec::new();
    let pools = incident.pools.iter().take(MOST_POOLS);
    for pool in pools.filter_map(|id| evidence.book.pools.get(id)) {
        for hint in of_pool(evidence, incident, pool, (from, until)) {
            let same = found
                .iter_mut()
                .find(|old| old.clue.name() == hint.clue.name());
            match same {
                Some(old) if old.strength < hint.strength => *old = hint,
                Some(_) => {}
                None => found.push(hint),
            }
        }
    }
    // A stable sort: of equal ones that which stands first below.
    found.sort_by_key(|hint| std::cmp::Reverse(hint.strength));
    found.truncate(evidence.rules.most);
    found
}

/// A clue and the share of what went wrong that fits it, `0..=1`.
type Fit = (Clue, f64, Share);

fn of_pool(
    evidence: &Evidence<'_>,
    incident: &Incident,
    pool: &Pool,
    (from, until): (Minute, Minute),
) -> Vec<Hint> {
    if until <= from || incident.is_of_lifecycle() || incident.is_of_residency() {
        return Vec::new();
    }
    let scene = Scene::of(evidence, pool, incident, (from, until));
    let rules = evidence.rules;
    let carried = carried::carried(&scene, incident, &rules.carried);
    // Who carries the rise says more than who takes most.
    let carrier = carried
        .is_none()
        .then(|| callers::carrier(&scene, &rules.carrier));
    let mut fits: Vec<Option<Fit>> = vec![
        carried,
        callers::denied(&scene, &rules.denied),
        refusals::daily(&scene, &rules.daily),
        refusals::capacity(&scene, &rules.capacity),
        refusals::reservation(&scene, &rules.reservation),
        callers::retries(&scene, &rules.retries),
        callers::cache_fallen(&scene, &rules.cache),
        refusals::raised(&scene, &rules.raised),
        carrier.flatten(),
    ];
    if is_about_limits(incident) && pool.id.family != Family::Mantle {
        fits.push(room::headroom(&scene, &rules.headroom));
        fits.push(room::valley(&scene, &rules.valley));
    }
    let hint = |(clue, fit, weight): Fit| {
        Some(Hint {
            pool: pool.id.clone(),
            strength: strength(fit, weight)?,
            from,
            until,
            clue,
        })
    };
    fits.into_iter().flatten().filter_map(hint).collect()
}

/// Room elsewhere helps only where a limit is the trouble.
const fn is_about_limits(incident: &Incident) -> bool {
    match &incident.cause {
        Cause::Quota { .. } => true,
        Cause::Pool { category, .. } => matches!(category, Category::Throttle | Category::Quota),
    }
}

/// `None` where less than a basis point fits, or the fit is no number.
fn strength(fit: f64, weight: Share) -> Option<Share> {
    let points = fit.clamp(0.0, 1.0) * f64::from(weight.basis_points());
    // Written out and read back: the only way from a float to a small whole number that can't lie.
    format!("{points:.0}")
        .parse()
        .ok()
        .and_then(Share::from_basis_points)
}

/// The middle one of some numbers; `None` of none.
fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len().checked_sub(1)? / 2;
    numbers.get(middle).copied()
}

/// How many, as a number to divide by.
fn count<T>(items: &[T]) -> f64 {
    u32::try_from(items.len()).map_or(f64::from(u32::MAX), f64::from)
}
