//! What people work on: one incident per problem.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    alert::Verdict,
    catalog::PoolId,
    hint::Hint,
    ids::{Fingerprint, IncidentId, QuotaCode, RuleName, Scope},
    reason::Reason,
    rule::{Category, Remedy, Severity},
    time::{Minute, Timestamp},
    units::QuotaKind,
};

/// What an incident is about. Two alerts with the same cause belong to one incident.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A quota runs short. Several models may share a code, so no pool is named.
    Quota {
        /// Account and Region.
        scope: Scope,
        /// The quota.
        code: QuotaCode,
    },
    /// Something else is wrong with a pool.
    Pool {
        /// The pool.
        pool: PoolId,
        /// In what way.
        category: Category,
    },
}

impl Cause {
    /// Stable text of the cause: `quota/<account>/<region>/<code>` or `<category>/<pool>`.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Quota { scope, code } => Fingerprint::new(format!("quota/{scope}/{code}")),
            Self::Pool { pool, category } => {
                Fingerprint::new(format!("{}/{pool}", category.name()))
            }
        }
    }

    /// Account and Region it happens in.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        match self {
            Self::Quota { scope, .. } => scope,
            Self::Pool { pool, .. } => &pool.scope,
        }
    }
}

/// Which of the four situations we are in when an incident is about more than a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// No quota is meant: errors, latency, throttling far below every quota.
    NonQuota,
    /// The first datapoint is younger than three days: there is no habit to argue with.
    NewModel,
    /// The 14-day peak reaches the rule's share of the quota.
    HighUsage,
    /// It does not, and by the forecast it will.
    Growth,
    /// It does not.
    LowUsage,
    /// History could not be read: said as that, never as "new" or "low".
    Unreadable,
}

impl Scenario {
    /// The name in JSON and texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NonQuota => "non-quota",
            Self::NewModel => "new-model",
            Self::HighUsage => "high-usage",
            Self::Growth => "growth",
            Self::LowUsage => "low-usage",
            Self::Unreadable => "unreadable",
        }
    }
}

/// One alert that belongs to an incident.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlertKey {
    /// The rule.
    pub rule: RuleName,
    /// The pool.
    pub pool: PoolId,
}

impl AlertKey {
    /// The alert that a verdict is about.
    #[must_use]
    pub fn of(verdict: &Verdict) -> Self {
        Self {
            rule: verdict.rule.clone(),
            pool: verdict.pool.clone(),
        }
    }
}

/// What an alert contributes while it belongs to an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its severity.
    pub severity: Severity,
    /// Whether it is on now.
    pub is_on: bool,
    /// Its last bad minute, settled or not; `None` in incidents of older releases.
    pub last_bad: Option<Minute>,
    /// Hash of the rule that judged.
    pub rule_hash: String,
    /// Its latest reasons.
    pub reasons: Vec<Reason>,
}

/// What was decided about an incident, and when; includes what was considered and refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// When.
    pub at: Timestamp,
    /// A whole sentence without its final stop.
    pub what: String,
}

/// Why nothing is asked of AWS for an incident, as of the last plan that looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Since when it is so.
    pub at: Timestamp,
    /// Why, as a sentence without its final stop.
    pub why: String,
    /// What a person can do about it, likewise.
    pub change: Option<String>,
    /// Whether it stays so unless a person does something.
    pub is_lasting: bool,
    /// Whether people were told.
    pub is_told: bool,
}

/// How many decisions an incident keeps; the oldest go first, and the count of what went is kept.
pub const KEPT_DECISIONS: usize = 100;

/// A stretch of minutes in which something was wrong, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    /// Its first bad minute.
    pub first: Minute,
    /// Its last bad minute.
    pub last: Minute,
}

impl Spell {
    /// How long it is.
    #[must_use]
    pub const fn minutes(&self) -> i64 {
        self.last.since(self.first) + 1
    }

    /// From the first minute of both to the last one.
    fn and(&self, other: &Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }
}

/// How many spells an incident keeps; beyond that the two that lie nearest to each other become one.
pub const KEPT_SPELLS: usize = 50;
/// Spells that lie no further apart are one, in minutes: what an alert takes to be over.
const TOUCHING: i64 = 5;

/// One problem, from its first alert to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Derived from fingerprint and generation.
    pub id: IncidentId,
    /// What it is about.
    pub cause: Cause,
    /// Counts the incidents of this cause, from 1.
    pub generation: u32,
    /// For a quota: which kind.
    pub kind: Option<QuotaKind>,
    /// All pools that joined.
    pub pools: BTreeSet<PoolId>,
    /// The highest severity so far.
    pub severity: Severity,
    /// The strongest remedy that a member allows.
    pub remedy: Remedy,
    /// Our situation, once it was assessed.
    pub scenario: Option<Scenario>,
    /// When it was opened.
    pub opened: Timestamp,
    /// The first bad minute.
    pub began: Minute,
    /// The last bad minute.
    pub last_bad: Minute,
    /// When it was bad, oldest first; quiet times between are none of it. Empty in incidents of older releases, and in those
    /// that nothing is wrong with: see [`Incident::spells`].
    pub spells: Vec<Spell>,
    /// When it ended.
    pub resolved: Option<Timestamp>,
    /// Throttled requests from `began` on, as far as observed.
    pub lost: f64,
    /// The alerts that belong to it, also those that are over.
    pub members: BTreeMap<AlertKey, Member>,
    /// What probably lies behind it, strongest first, as of the last look; a look that finds nothing leaves them.
    pub hints: Vec<Hint>,
    /// What was decided, oldest first, at most [`KEPT_DECISIONS`].
    pub decisions: Vec<Decision>,
    /// Decisions that were let go for the bound.
    pub decisions_dropped: u32,
    /// How many messages about it were planned; numbers the steps of its actions.
    pub messages: u32,
    /// The highest severity that people were told.
    pub told: Option<Severity>,
    /// Why nothing is asked of AWS for it, where that was considered and refused last.
    pub refusal: Option<Refusal>,
}

impl Incident {
    /// Whether it still goes on.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.resolved.is_none()
    }

    /// Whether no alert led to it: a person asked for more of a quota, and what comes of that belongs somewhere.
    #[must_use]
    pub fn is_unprompted(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether it is about a day to come: no minute of it is bad, no request is lost, and no reading brings it nearer.
    #[must_use]
    pub fn is_of_lifecycle(&self) -> bool {
        matches!(&self.cause, Cause::Pool { category, .. } if *category == Category::Lifecycle)
    }

    /// Whether it is about where data goes: nothing fails, and no quota is the trouble.
    #[must_use]
    pub fn is_of_residency(&self) -> bool {
        matches!(
            &self.cause,
            Cause::Pool {
                category: Category::Residency | Category::ResidencyBreach,
                ..
            }
        )
    }

    /// Whether it is about requests that ran where they may not: its evidence is whole days of a log.
    #[must_use]
    pub fn is_of_breach(&self) -> bool {
        matches!(&self.cause, Cause::Pool { category, .. } if *category == Category::ResidencyBreach)
    }

    /// The alerts that count: those that are on; of an incident without any, all.
    pub fn counting(&self) -> impl Iterator<Item = &AlertKey> {
        let is_any_on = self.members.values().any(|it| it.is_on);
        let members = self.members.iter();
        let counting = members.filter(move |(_, it)| it.is_on || !is_any_on);
        counting.map(|(key, _)| key)
    }

    /// When it was bad, oldest first: at least one spell.
    #[must_use]
    pub fn spells(&self) -> Cow<'_, [Spell]> {
        if self.spells.is_empty() {
            Cow::Owned(vec![self.whole()])
        } else {
            Cow::Borrowed(&self.spells)
        }
    }

    /// For how many minutes it was bad, quiet times between left out.
    #[must_use]
    pub fn bad_minutes(&self) -> i64 {
        self.spells().iter().map(Spell::minutes).sum()
    }

    /// Notes what an incident of an older release was: all of it counted.
    pub fn note_own(&mut self) {
        if self.spells.is_empty() {
            self.spells.push(self.whole());
        }
    }

    /// Adds bad minutes, and keeps spells apart and the bound.
    pub fn note_bad(&mut self, more: Spell) {
        let touches = |it: &Spell| {
            it.first.since(more.last) <= TOUCHING && more.first.since(it.last) <= TOUCHING
        };
        let joined = self.spells.iter().filter(|it| touches(it));
        let joined = joined.fold(more, |all, it| all.and(it));
        self.spells.retain(|it| !touches(it));
        self.spells.push(joined);
        self.spells.sort_by_key(|it| it.first);
        while KEPT_SPELLS < self.spells.len() {
            let gaps = self.spells.windows(2).enumerate();
            let gaps = gaps.filter_map(|(at, two)| match two {
                [a, b] => Some((b.first.since(a.last), at)),
                _ => None,
            });
            let Some((_, at)) = gaps.min() else {
                return;
            };
            let next = self.spells.remove(at + 1);
            if let Some(it) = self.spells.get_mut(at) {
                *it = it.and(&next);
            }
        }
    }

    fn whole(&self) -> Spell {
        Spell {
            first: self.began,
            last: self.last_bad,
        }
    }

    /// Adds a decision, and keeps the bound.
    pub fn decide(&mut self, at: Timestamp, what: impl Into<String>) {
        if self.decisions.len() >= KEPT_DECISIONS {
            self.decisions.remove(0);
            self.decisions_dropped += 1;
        }
        self.decisions.push(Decision {
            at,
            what: what.into(),
        });
    }
}
