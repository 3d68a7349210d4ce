//! Residency: whether traffic can leave where the operator's rules keep it.
//!
//! A request counts as one that can leave as soon as its profile may send it on to a Region that is not allowed: where it
//! was answered is not in the metrics. Where a profile leads is what the account lists for it in the Region that is called:
//! one id leads elsewhere from elsewhere, and a prefix promises nothing (`eu.` from London may be answered in London).
//!
//! The statistic is plain: a target that was used, and is not within a rule, is bad; an hour without such use ends it. A
//! target whose profile was never listed proves nothing either way, and is told as that; so is, by a rule that goes by tags,
//! an application profile whose tags were never read.

pub mod ran;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    alert::{AlertState, Track, Verdict},
    book::Book,
    catalog::{PoolId, Target, TargetKind},
    ids::{RuleName, TargetId},
    incident::AlertKey,
    reason::Reason,
    residency::{Reach, Residency},
    rule::{Category, Remedy},
    series::{Sample, Signal},
    time::{HOUR, Minute},
};

/// The targets of each pool that were used in its newest reading.
pub type Used = BTreeMap<PoolId, BTreeSet<TargetId>>;

/// So long without a request that can leave, and it is over.
const CALM_MINUTES: i64 = HOUR;
/// How far back the last minute of traffic is looked for.
const LOOK_MINUTES: i64 = HOUR;
/// Targets that a verdict names.
const MOST_NAMED: usize = 5;

/// What the rules say of targets and pools.
#[derive(Clone, Copy, Debug)]
pub struct Law<'a> {
    /// The rules; all that fit a pool hold for it.
    pub rules: &'a [Residency],
    /// Targets, and where they lead.
    pub book: &'a Book,
}

impl<'a> Law<'a> {
    /// The rules that may hold for data of `own` once it goes through this pool, or for some of what goes through it now.
    /// Which request would move, nobody knows: the tags of one target of `own` bind all of them.
    pub fn of(self, own: &PoolId, pool: &PoolId) -> impl Iterator<Item = &'a Residency> {
        let (own, pool, through) = (own.clone(), pool.clone(), pool.clone());
        let fits = self.rules.iter().filter(move |it| it.fits(&pool));
        fits.filter(move |rule| self.is_under(rule, &own) || self.is_under(rule, &through))
    }

    /// Whether the rule is, or may be, about some target of this pool.
    fn is_under(self, rule: &Residency, pool: &PoolId) -> bool {
        rule.tags.is_open()
            || self
                .targets(pool)
                .any(|it| self.binds(rule, it) || self.is_untold(rule, it))
    }

    /// Whether the rule is about data of this target.
    fn binds(self, rule: &Residency, target: &Target) -> bool {
        rule.fits_tags(self.book.tags_of(&target.pool, &target.id))
    }

    /// Whether the rule goes by tags, and those of this target were never read. Only application profiles have any.
    fn is_untold(self, rule: &Residency, target: &Target) -> bool {
        let has_tags = matches!(target.kind, TargetKind::ApplicationProfile { .. });
        let is_read = || self.book.tags_of(&target.pool, &target.id).is_some();
        !rule.tags.is_open() && has_tags && !is_read()
    }

    /// Where requests to this target may be answered; `None` where its profile was never listed.
    #[must_use]
    pub fn reach(self, target: &Target) -> Option<Reach> {
        let scope = &target.pool.scope;
        match target.kind {
            TargetKind::Base | TargetKind::Mantle => Some(Reach::here(scope.region.clone())),
            TargetKind::SystemProfile | TargetKind::ApplicationProfile { .. } => {
                self.book.reaches.get(scope)?.of(&target.id).cloned()
            }
        }
    }

    /// The first rule that traffic through any target of this pool would break, and none of them keep. A pool with one
    /// target that no rule is about, or that stays within all that are, is not barred; nor is one of which nothing is known.
    #[must_use]
    pub fn barred(self, pool: &PoolId) -> Option<&'a Residency> {
        let mut first = None;
        for target in self.targets(pool) {
            let reach = self.reach(target)?;
            let fits = self.rules.iter().filter(|rule| rule.fits(pool));
            let mut binding = fits.filter(|rule| self.binds(rule, target));
            let broken = binding.find(|rule| !rule.allows(&reach))?;
            first.get_or_insert(broken);
        }
        first
    }

    /// The targets of this pool through which data of `own` would stay within all rules that hold for it, and those that
    /// the target itself is under. Without a rule all of them.
    #[must_use]
    pub fn ways(self, own: &PoolId, pool: &PoolId) -> Vec<&'a TargetId> {
        let rules: Vec<&Residency> = self.of(own, pool).collect();
        let moving: BTreeSet<&RuleName> = rules
            .iter()
            .filter(|rule| self.is_under(rule, own))
            .map(|rule| &rule.name)
            .collect();
        let stays = |target: &&Target| {
            let holds = |rule: &&&Residency| {
                moving.contains(&rule.name)
                    || self.binds(rule, target)
                    || self.is_untold(rule, target)
            };
            let mut holding = rules.iter().filter(holds).peekable();
            if holding.peek().is_none() {
                return true;
            }
            let reach = self.reach(target);
            reach.is_some_and(|reach| holding.all(|rule| rule.allows(&reach)))
        };
        let staying = self.targets(pool).filter(stays);
        staying.map(|it| &it.id).collect()
    }

    /// Also those that nobody uses.
    fn targets(self, pool: &PoolId) -> impl Iterator<Item = &'a Target> {
        let first = (pool.scope.clone(), TargetId::new(""));
        let scope = pool.scope.clone();
        let here = self.book.targets.range(first..);
        let here = here.take_while(move |((at, _), _)| *at == scope);
        let spare = self.book.spares_in(&pool.scope);
        let spare = spare.flat_map(|it| &it.targets);
        let pool = pool.clone();
        here.map(|(_, target)| target)
            .chain(spare)
            .filter(move |target| target.pool == pool)
    }
}

/// One verdict for each rule and pool of `due` where something is to be said: traffic that can leave, or the end of it.
#[must_use]
pub fn judge(law: Law<'_>, used: &Used, due: &BTreeSet<PoolId>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for id in due {
        let (Some(targets), Some(until)) = (used.get(id), law.book.read_through.get(id)) else {
            continue;
        };
        // Also where no target has its tags any more: what it said ends then.
        for rule in law.rules.iter().filter(|rule| rule.fits(id)) {
            verdicts.extend(judge_pool(law, rule, id, targets, until.plus(-1)));
        }
    }
    verdicts
}

fn judge_pool(
    law: Law<'_>,
    rule: &Residency,
    pool: &PoolId,
    used: &BTreeSet<TargetId>,
    last: Minute,
) -> Option<Verdict> {
    let key = AlertKey {
        rule: rule.name.clone(),
        pool: pool.clone(),
    };
    let before = law.book.tracks.get(&key).copied();
    let minute = last_use(law.book, pool, last);
    let reasons = reasons(law, (rule, pool), used, minute);
    let is_bad = reasons.iter().any(|it| matches!(it, Reason::Leaves { .. }));
    let was_on = before.filter(|it| it.state.is_on());
    let last_bad = was_on.and_then(|it| it.last_bad);
    let (state, began, last_bad) = match (is_bad, last_bad) {
        (true, _) => (
            AlertState::Alerting,
            was_on.and_then(|it| it.began).or(Some(minute)),
            Some(last_bad.map_or(minute, |bad| bad.max(minute))),
        ),
        // Not for long enough yet: nothing new is said.
        (false, Some(bad)) if last.since(bad) < CALM_MINUTES => return None,
        (false, Some(_)) => (AlertState::Normal, None, None),
        (false, None) if reasons.is_empty() => {
            before.filter(|it| it.state != AlertState::Normal)?;
            (AlertState::Normal, None, None)
        }
        (false, None) => (AlertState::NoData, None, None),
    };
    let since = before.filter(|it| it.state == state);
    Some(Verdict {
        rule: rule.name.clone(),
        rule_hash: rule.hash(),
        pool: pool.clone(),
        category: Category::Residency,
        severity: rule.severity,
        remedy: Remedy::Notify,
        runbook: runbook(law, pool),
        quota: None,
        track: Track {
            state,
            since: since.map_or(last, |it| it.since),
            through: last,
            began,
            last_bad,
        },
        state,
        is_provisional: false,
        began,
        last_bad,
        past: Vec::new(),
        reasons,
    })
}

/// What leaves, and else what is not known; nothing where all that was used stays.
fn reasons(
    law: Law<'_>,
    (rule, pool): (&Residency, &PoolId),
    used: &BTreeSet<TargetId>,
    minute: Minute,
) -> Vec<Reason> {
    let (mut leaving, mut unknown) = (Vec::new(), Vec::new());
    for id in used {
        let key = (pool.scope.clone(), id.clone());
        let Some(target) = law.book.targets.get(&key) else {
            continue;
        };
        if law.is_untold(rule, target) {
            unknown.push(Reason::Gap {
                minutes: 0,
                why: format!("whether it holds for `{id}` is not known, the tags of that profile were never read"),
            });
        }
        if !law.binds(rule, target) {
            continue;
        }
        match law.reach(target) {
            Some(reach) if rule.allows(&reach) => {}
            Some(reach) => leaving.push(Reason::Leaves {
                target: id.clone(),
                minute,
                outside: rule.outside(&reach),
                is_anywhere: reach.is_anywhere,
                allowed: rule.written.join(", "),
            }),
            None => unknown.push(Reason::Gap {
                minutes: 0,
                why: format!("where `{id}` leads is not known, its profile was never listed here"),
            }),
        }
    }
    let said = if leaving.is_empty() { unknown } else { leaving };
    said.into_iter().take(MOST_NAMED).collect()
}

/// The last minute with a request, as far as the pool was read.
fn last_use(book: &Book, pool: &PoolId, last: Minute) -> Minute {
    let until = last.plus(1);
    let from = until.plus(-LOOK_MINUTES);
    let found = book.series.get(pool).and_then(|series| {
        let signals = [
            Signal::Invocations,
            Signal::Throttles,
            Signal::InputTokens,
            Signal::OutputTokens,
        ];
        let latest = signals.into_iter().filter_map(|signal| {
            let samples = from.until(until).zip(series.window(signal, from, until));
            let used = samples.filter(|(_, sample)| 0.0 < Sample::value(*sample).unwrap_or(0.0));
            used.map(|(minute, _)| minute).last()
        });
        latest.max()
    });
    found.unwrap_or(last)
}

/// What to do, with the profiles of the model that stay within all rules where some are listed.
fn runbook(law: Law<'_>, pool: &PoolId) -> String {
    let rules: Vec<&Residency> = law.of(pool, pool).collect();
    let listed = law.book.reaches.get(&pool.scope);
    let listed = listed.into_iter().flat_map(|it| &it.by_reach);
    let staying = listed.filter(|(reach, _)| rules.iter().all(|rule| rule.allows(reach)));
    let of_model = |id: &&TargetId| {
        let suffix = format!(".{}", pool.model);
        id.as_str().ends_with(&suffix)
    };
    let names: Vec<String> = staying
        .flat_map(|(_, targets)| targets.iter().filter(of_model))
        .take(MOST_NAMED)
        .map(|id| format!("`{id}`"))
        .collect();
    let instead = match names.as_slice() {
        [] => "No profile of this model that is listed here stays within the rule.".to_owned(),
        names => format!("Within the rule: {}.", names.join(", ")),
    };
    format!("{instead} `iam-policy --residency scp` prints a policy that denies the others.")
}

#[cfg(test)]
mod tests;
