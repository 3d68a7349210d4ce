//! Layer 2: rules over series. Pure: the same minutes, rules, tracks and `now` give the same verdicts, byte for byte.
//!
//! - `strip`: the minutes that a call needs, copied once a pool, so that no rule searches the history again;
//! - `yardstick`: what one minute says by one rule (bad, good, in between, unclear);
//! - `observer`: looks at minutes in order;
//! - `band`: what is usual at this time of day;
//! - `hold`: from minutes to states: M of N, hysteresis, gaps, settled and provisional minutes;
//! - `explain`: the reasons of a verdict;
//! - `portrait`: what follows from a pool's minutes beside use, for people;
//! - `crosscheck`: the charged tokens of a day, by CloudWatch and by the formula;
//! - `detect`: what is wrong now, by the pool's own past; not yet wired into the rules;
//! - `forecast`: demand ahead, and when a quota runs out; not yet wired into the rules.
//!
//! Does not belong here: which incident a verdict belongs to, and what is done about it (`act/plan`).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    alert::{Track, Verdict},
    book::Book,
    catalog::{Pool, PoolId},
    ids::{QuotaCode, Scope},
    incident::AlertKey,
    quota::Quota,
    rule::{Condition, Rule, Rules},
    series::{PoolSeries, Signal},
    time::{Minute, Timestamp},
};

pub mod forecast;

mod band;
pub mod crosscheck;
pub mod detect;
mod explain;
mod hold;
mod observer;
pub mod portrait;
mod strip;
mod yardstick;

pub use band::{BAND_DAYS, LEAST_BAND_DAYS};
pub use hold::{FIRST_LOOK_MINUTES, MOST_MINUTES_AT_ONCE};

use hold::Span;
use strip::Strip;
use yardstick::{Bounds, Yardstick};

/// Judges every minute from `track.through + 1` to `known_until` (exclusive), in order. Without a track it starts at the
/// first minute that is held, at most [`FIRST_LOOK_MINUTES`] back.
///
/// `None`: the rule does not apply to this pool, because the account has no quota of the rule's kind for it. A model's end
/// stands in the book: see [`judge_all`].
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
    let span = Span::of(rule, series, track, known_until, now);
    let strip = Strip::cut(
        series,
        span.first,
        span.until,
        yardstick.signals().iter().copied(),
    );
    Some(hold::walk(
        rule, pool, &yardstick, track, &span, &strip, series,
    ))
}

/// The signals whose quarters of past days these rules look at; of all others the last days are enough.
#[must_use]
pub fn signals_with_habits(rules: &Rules) -> Vec<Signal> {
    let signals = rules
        .known()
        .iter()
        .filter_map(|rule| match rule.condition {
            Condition::Above { of, .. } => Some(of),
            Condition::QuotaShare { .. }
            | Condition::Count { .. }
            | Condition::Slow { .. }
            | Condition::Ends { .. } => None,
        });
    let signals: BTreeSet<Signal> = signals.collect();
    signals.into_iter().collect()
}

/// All rules on all pools of the book, each rule up to the minute to which its signals were read; sorted by pool, then rule.
/// A pool that was never read has no verdict.
#[must_use]
pub fn judge_all(rules: &Rules, book: &Book, now: Timestamp) -> Vec<Verdict> {
    judge_each(rules, book, book.pools.values(), now)
}

/// As [`judge_all`], for these pools: where nothing new was read, nothing new can be said.
#[must_use]
pub fn judge_some(
    rules: &Rules,
    book: &Book,
    due: &BTreeSet<PoolId>,
    now: Timestamp,
) -> Vec<Verdict> {
    let pools = due.iter().filter_map(|id| book.pools.get(id));
    judge_each(rules, book, pools, now)
}

fn judge_each<'a>(
    rules: &Rules,
    book: &Book,
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
            let Some(yardstick) = Yardstick::of(&rule.condition, pool, bounds(book, pool)) else {
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
        let strip = shared_strip(series, &due);
        verdicts.extend(due.iter().map(|(rule, yardstick, track, span)| {
            hold::walk(rule, pool, yardstick, *track, span, &strip, series)
        }));
    }
    verdicts
}

/// The alerts of open incidents that nothing can judge any more, each with the reason as a sentence fragment.
///
/// They would stay on for ever: no verdict comes that could end them.
#[must_use]
pub fn orphans(rules: &Rules, book: &Book) -> Vec<(AlertKey, String)> {
    let open = book.incidents.values().filter(|it| it.is_open());
    let on = open.flat_map(|it| it.members.iter().filter(|(_, member)| member.is_on));
    let orphans = on.filter_map(|(key, _)| {
        let of_pool = rules.of(&key.pool);
        let Some(rule) = of_pool.iter().find(|rule| rule.name == key.rule) else {
            return Some((key.clone(), "the rule is no longer configured".to_owned()));
        };
        let Some(pool) = book.pools.get(&key.pool) else {
            return Some((key.clone(), "the pool is no longer known".to_owned()));
        };
        let is_limited = Yardstick::of(&rule.condition, pool, bounds(book, pool)).is_some();
        let why = match rule.condition {
            Condition::Ends { .. } => "AWS no longer announces an end of this model",
            Condition::QuotaShare { .. }
            | Condition::Count { .. }
            | Condition::Slow { .. }
            | Condition::Above { .. } => "the account no longer lists such a quota for this model",
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
