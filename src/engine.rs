//! Layer 2: rules over series. Pure: the same minutes, rules, tracks and `now` give the same verdicts, byte for byte.
//!
//! - `strip`: the minutes that a call needs, copied once a pool, so that no rule searches the history again;
//! - `yardstick`: what one minute says by one rule (bad, good, in between, unclear);
//! - `observer`: looks at minutes in order;
//! - `hold`: from minutes to states: M of N, hysteresis, gaps, settled and provisional minutes;
//! - `packed`: numbers that are kept by the thousand;
//! - `explain`: the reasons of a verdict;
//! - `portrait`: what follows from a pool's minutes beside use, for people;
//! - `moment`: one past minute again, with the looks that its verdicts were made from;
//! - `cross_model`: what all models together took of the quota that weighs them by price;
//! - `crosscheck`: the charged tokens of a day, by CloudWatch and by the formula;
//! - `hints`: what probably lies behind an incident;
//! - `residency`: whether traffic can leave where it has to stay, and whether it has;
//! - `permits`: which ways out are asked about, and what is said of those who would use them;
//! - `siblings`: where a short pool's traffic could go instead;
//! - `detect`: what is wrong now, by the pool's own past;
//! - `forecast`: demand ahead, and when a quota runs out;
//! - `learned`: the state of both for one pool, and the verdicts of the rules that ask for it.
//!
//! Does not belong here: which incident a verdict belongs to, and what is done about it (`act/plan`).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    alert::{Track, Verdict},
    book::Book,
    calendar::Calendar,
    catalog::{Pool, PoolId},
    ids::{AccountId, QuotaCode, RuleName, Scope},
    incident::AlertKey,
    quota::Quota,
    residency::Residency,
    rule::{Condition, Rule, Rules},
    series::{PoolSeries, SETTLE_MINUTES, Signal},
    time::{Minute, Timestamp},
};

pub mod forecast;

pub mod cross_model;
pub mod crosscheck;
pub mod detect;
mod explain;
pub mod hints;
mod hold;
pub mod learned;
mod median;
pub mod mix;
pub mod moment;
mod observer;
mod packed;
pub mod permits;
pub mod portrait;
pub mod residency;
pub mod shift;
pub mod siblings;
mod strip;
mod yardstick;

pub use hold::{FIRST_LOOK_MINUTES, MOST_MINUTES_AT_ONCE};

use hold::Span;
use learned::{Ground, Learned, Reach};
use strip::Strip;
use yardstick::{Bounds, Yardstick};

/// Judges every minute from `track.through + 1` to `known_until` (exclusive), in order. Without a track it starts at the
/// first minute that is held, at most [`FIRST_LOOK_MINUTES`] back.
///
/// `None`: the rule does not apply to this pool, because the account has no quota of the rule's kind for it. A model's end
/// stands in the book, and what the pool has taught in [`Taught`]: see [`judge_all`].
#[must_use]
pub fn judge(
    rule: &Rule,
    pool: &Pool,
    series: &PoolSeries,
    quotas: &BTreeMap<(Scope, QuotaCode), Quota>,
    track: Option<&Track>,
    known_until: Minute,
    now: Timestamp,
) -> Option<Verdict> {
    let life = None; // stands in the book
    let yardstick = Yardstick::of(&rule.condition, pool, Bounds { quotas, life })?;
    if rule.condition.is_learned() {
        return None;
    }
    let span = Span::of(rule, series, track, known_until, now);
    let strip = Strip::cut(
        series,
        span.first,
        span.until,
        yardstick.signals().iter().copied(),
    );
    Some(hold::walk(rule, pool, &yardstick, track, &span, &strip))
}

/// What each pool has taught. A pool that is missing is not judged by its own past.
pub type Taught = BTreeMap<PoolId, Learned>;

/// All rules on all pools of the book, each rule up to the minute to which its signals were read; sorted by pool, then rule.
/// A pool that was never read has no verdict.
#[must_use]
pub fn judge_all(rules: &Rules, book: &Book, taught: &mut Taught, now: Timestamp) -> Vec<Verdict> {
    let calendar = Calendar::default();
    judge_each(rules, &calendar, book, taught, book.pools.values(), now)
}

/// As [`judge_all`], for these pools: where nothing new was read, nothing new can be said. Minutes that lie in a window of
/// the calendar are unclear, and teach nothing of what is usual.
#[must_use]
pub fn judge_some(
    rules: &Rules,
    calendar: &Calendar,
    book: &Book,
    taught: &mut Taught,
    due: &BTreeSet<PoolId>,
    now: Timestamp,
) -> Vec<Verdict> {
    let pools = due.iter().filter_map(|id| book.pools.get(id));
    judge_each(rules, calendar, book, taught, pools, now)
}

fn judge_each<'a>(
    rules: &Rules,
    calendar: &Calendar,
    book: &Book,
    taught: &mut Taught,
    pools: impl Iterator<Item = &'a Pool>,
    now: Timestamp,
) -> Vec<Verdict> {
    let nothing = PoolSeries::default();
    let mut verdicts = Vec::new();
    for pool in pools {
        let id = &pool.id;
        if !book.read_through.contains_key(id) {
            continue;
        }
        let series = book.series.get(id).unwrap_or(&nothing);
        let rules = rules.of(id);
        let mut due = Vec::new();
        for rule in rules.iter() {
            let is_learned = rule.condition.is_learned();
            let yardstick = Yardstick::of(&rule.condition, pool, bounds(book, pool));
            let Some(yardstick) = yardstick.filter(|_| !is_learned) else {
                continue;
            };
            // Signals that are read less often hold back the rules that need them, and no others.
            let Some(known_until) = book.known_until(id, yardstick.depth(id.family)) else {
                continue;
            };
            let key = AlertKey {
                rule: rule.name.clone(),
                pool: id.clone(),
            };
            let track = book.tracks.get(&key);
            let span = Span::of(rule, series, track, known_until, now);
            due.push((rule, yardstick, track, span));
        }
        let strip = shared_strip(series, &due).within(calendar.windows_of(id));
        verdicts.extend(due.iter().map(|(rule, yardstick, track, span)| {
            hold::walk(rule, pool, yardstick, *track, span, &strip)
        }));
        if let Some(learned) = taught.get_mut(id) {
            let rules: Vec<&Rule> = rules.iter().collect();
            verdicts.extend(judge_by_past(&rules, calendar, book, pool, learned, now));
        }
    }
    verdicts
}

/// The verdicts of the rules that ask for the pool's own past.
fn judge_by_past(
    rules: &[&Rule],
    calendar: &Calendar,
    book: &Book,
    pool: &Pool,
    learned: &mut Learned,
    now: Timestamp,
) -> Vec<Verdict> {
    let nothing = PoolSeries::default();
    let id = &pool.id;
    let series = book.series.get(id).unwrap_or(&nothing);
    let ground = ground(book, calendar, pool, series);
    let track_of = |rule: &RuleName| {
        let key = AlertKey {
            rule: rule.clone(),
            pool: id.clone(),
        };
        book.tracks.get(&key).copied()
    };
    let reach = |signals: &[Signal]| {
        let depths = signals.iter().filter_map(|it| it.depth(id.family));
        let known = book.known_until(id, depths.max()?)?;
        let until = known.min(Minute::of(now));
        Some(Reach {
            settled: until.plus(-SETTLE_MINUTES),
            until,
        })
    };
    learned.judge(rules, &ground, track_of, reach)
}

/// What these minutes of a pool teach of it, up to `until`, exclusive; nothing is judged.
#[must_use]
pub fn learn(
    rules: &Rules,
    calendar: &Calendar,
    book: &Book,
    pool: &Pool,
    series: &PoolSeries,
    until: Minute,
) -> Learned {
    let mut learned = Learned::default();
    let rules = rules.of(&pool.id);
    let rules: Vec<&Rule> = rules.iter().collect();
    learned.learn(&rules, &ground(book, calendar, pool, series), until);
    learned
}

/// What the book knows of a pool, for what is learned of it. `series` may hold other minutes than the book does.
fn ground<'a>(
    book: &'a Book,
    calendar: &Calendar,
    pool: &'a Pool,
    series: &'a PoolSeries,
) -> Ground<'a> {
    Ground {
        pool,
        series,
        quotas: &book.quotas,
        changes: &book.quota_changes,
        windows: calendar.windows_of(&pool.id),
        growth: growth_of(calendar, &pool.id),
    }
}

/// The growth that people know of, for the forecast: what is over some day is taken back then.
fn growth_of(calendar: &Calendar, pool: &PoolId) -> Vec<forecast::Growth> {
    let factors = calendar.growth_of(pool).into_iter();
    factors
        .map(|(from, factor)| forecast::Growth { from, factor })
        .collect()
}

/// Of a policy, what judges beside the rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept<'a> {
    /// Where data may go.
    pub residency: &'a [Residency],
    /// The log group of each account whose log of model invocations is read.
    pub logs: Option<&'a BTreeMap<AccountId, String>>,
    /// The accounts and Regions that are watched; `None` for all that the book has.
    pub places: Option<&'a BTreeSet<Scope>>,
}

/// Why nothing is judged of a pool that the book has no more: its account or Region was taken out.
const GONE: &str = "the pool is no longer watched";

/// The alerts of open incidents that nothing can judge any more, each with the reason as a sentence fragment.
///
/// They would stay on for ever: no verdict comes that could end them.
#[must_use]
pub fn orphans(rules: &Rules, policy: Kept<'_>, book: &Book) -> Vec<(AlertKey, String)> {
    let Kept {
        residency,
        logs,
        places,
    } = policy;
    let open = book.incidents.values().filter(|it| it.is_open());
    let on = open.flat_map(|it| it.members.iter().filter(|(_, member)| member.is_on));
    let orphans = on.filter_map(|(key, _)| {
        let mut stays = residency.iter();
        if stays.any(|it| it.name == key.rule && it.fits(&key.pool)) {
            let is_gone = !book.pools.contains_key(&key.pool);
            return is_gone.then(|| (key.clone(), GONE.to_owned()));
        }
        if residency.iter().any(|it| it.ran() == key.rule) {
            let is_read = logs.is_some_and(|it| it.contains_key(&key.pool.scope.account));
            let is_watched = places.is_none_or(|it| it.contains(&key.pool.scope));
            let why = if is_watched {
                "the log of model invocations is no longer read"
            } else {
                GONE
            };
            return (!is_read || !is_watched).then(|| (key.clone(), why.to_owned()));
        }
        let of_pool = rules.of(&key.pool);
        let Some(rule) = of_pool.iter().find(|rule| rule.name == key.rule) else {
            return Some((key.clone(), "the rule is no longer configured".to_owned()));
        };
        let Some(pool) = book.pools.get(&key.pool) else {
            return Some((key.clone(), GONE.to_owned()));
        };
        let is_limited = match rule.condition {
            Condition::Unusual(sought) => learned::applies(sought.trouble(), pool),
            Condition::QuotaShare { .. }
            | Condition::RunsOut { .. }
            | Condition::Count { .. }
            | Condition::Slow { .. }
            | Condition::Ends { .. } => {
                Yardstick::of(&rule.condition, pool, bounds(book, pool)).is_some()
            }
        };
        let why = match rule.condition {
            Condition::Ends { .. } => "AWS no longer announces an end of this model",
            Condition::QuotaShare { .. }
            | Condition::RunsOut { .. }
            | Condition::Count { .. }
            | Condition::Slow { .. }
            | Condition::Unusual(_) => "the account no longer lists such a quota for this model",
        };
        (!is_limited).then(|| (key.clone(), why.to_owned()))
    });
    orphans.collect()
}

fn bounds<'a>(book: &'a Book, pool: &Pool) -> Bounds<'a> {
    let catalog = book.catalogs.get(&pool.id.scope);
    Bounds {
        quotas: &book.quotas,
        life: catalog.and_then(|catalog| catalog.lives.get(&pool.id.model)),
    }
}

/// One copy of the minutes that any of the rules needs.
fn shared_strip(
    series: &PoolSeries,
    due: &[(&Rule, Yardstick<'_>, Option<&Track>, Span)],
) -> Strip {
    let first = due.iter().map(|(_, _, _, span)| span.first).min();
    let until = due.iter().map(|(_, _, _, span)| span.until).max();
    let signals: BTreeSet<_> = due
        .iter()
        .flat_map(|(_, yardstick, _, _)| yardstick.signals().iter().copied())
        .collect();
    let start = first.unwrap_or(Minute(0));
    Strip::cut(series, start, until.unwrap_or(start), signals)
}

#[cfg(test)]
mod tests;
