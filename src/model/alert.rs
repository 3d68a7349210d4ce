//! What a rule says of a pool: the state that is carried from minute to minute, and the verdict of a cycle.

use super::{
    catalog::PoolId,
    ids::{QuotaCode, RuleName},
    reason::Reason,
    rule::{Category, Remedy, Severity},
    time::Minute,
    units::QuotaKind,
};

/// The state of one rule on one pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertState {
    /// Judged, and fine.
    Normal,
    /// Some bad minutes, not enough yet.
    Pending,
    /// Enough bad minutes.
    Alerting,
    /// Was alerting, and has begun to be good; not yet for long enough.
    Recovering,
    /// No minute with evidence in the window.
    NoData,
    /// The rule can't be judged on this pool (its quota is unknown, say). A state of its own: never green.
    Error,
}

impl AlertState {
    /// The name in JSON and texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Pending => "pending",
            Self::Alerting => "alerting",
            Self::Recovering => "recovering",
            Self::NoData => "no-data",
            Self::Error => "error",
        }
    }

    /// Alerting, or on its way back from it: the incident stays open.
    #[must_use]
    pub const fn is_on(self) -> bool {
        matches!(self, Self::Alerting | Self::Recovering)
    }
}

/// Where the judging of one rule on one pool stands. Small, stored, and advanced over settled minutes only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Track {
    /// The state after `through`.
    pub state: AlertState,
    /// The minute this state was entered.
    pub since: Minute,
    /// The last settled minute that was judged. Every minute up to it has been judged once, in order.
    pub through: Minute,
    /// While on: the minute the alert began. Kept while recovering.
    pub began: Option<Minute>,
    /// While on: the last bad minute.
    pub last_bad: Option<Minute>,
}

/// An alert that began and ended in the minutes judged this time: told once, never filed.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// First minute of the alert.
    pub began: Minute,
    /// The minute it was over.
    pub ended: Minute,
    /// Why it was one.
    pub reasons: Vec<Reason>,
}

/// What one rule says of one pool at the end of a cycle.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The rule.
    pub rule: RuleName,
    /// Its hash, stored with each decision that follows.
    pub rule_hash: String,
    /// The pool.
    pub pool: PoolId,
    /// From the rule.
    pub category: Category,
    /// From the rule.
    pub severity: Severity,
    /// From the rule.
    pub remedy: Remedy,
    /// From the rule.
    pub runbook: String,
    /// For quota conditions: which quota was judged against.
    pub quota: Option<(QuotaKind, QuotaCode)>,
    /// The state to carry on with: everything up to the last settled minute.
    pub track: Track,
    /// The state including minutes that may still change. It may be on where `track` is not yet.
    pub state: AlertState,
    /// Whether `state` rests on minutes that may still change.
    pub is_provisional: bool,
    /// While `state` is on: the minute it began, settled or not.
    pub began: Option<Minute>,
    /// While `state` is on: the last bad minute, settled or not.
    pub last_bad: Option<Minute>,
    /// Alerts that came and went within the minutes judged now, oldest first.
    pub past: Vec<Episode>,
    /// Why, newest evidence first. Never empty unless `Normal`.
    pub reasons: Vec<Reason>,
}
