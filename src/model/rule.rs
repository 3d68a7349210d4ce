//! Rules as the engine wants them: checked, resolved, without TOML.

mod hash;
mod pattern;
mod rules;
mod values;

pub use self::{
    pattern::Pattern,
    rules::{Given, Matcher, Override, Rules, TagsByPool, lines},
    values::{Slot, Value},
};
use super::{
    ids::RuleName,
    series::Signal,
    units::{QuotaKind, Share},
    unusual::{Trouble, Unusual},
};

/// What a rule is about; it decides how incidents are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Use comes near a quota.
    Quota,
    /// Requests are refused.
    Throttle,
    /// Requests fail by the caller's fault.
    ClientError,
    /// Requests fail by AWS's fault.
    ServerError,
    /// Answers are slow.
    Latency,
    /// Unusual, without being wrong yet.
    Anomaly,
    /// The model will be gone.
    Lifecycle,
    /// Requests can leave where the operator keeps them.
    Residency,
    /// Requests have left it, by the log of model invocations.
    ResidencyBreach,
}

impl Category {
    /// All categories.
    pub const ALL: [Self; 9] = [
        Self::Quota,
        Self::Throttle,
        Self::ClientError,
        Self::ServerError,
        Self::Latency,
        Self::Anomaly,
        Self::Lifecycle,
        Self::Residency,
        Self::ResidencyBreach,
    ];

    /// The name in TOML, JSON and fingerprints.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quota => "quota",
            Self::Throttle => "throttle",
            Self::ClientError => "client-error",
            Self::ServerError => "server-error",
            Self::Latency => "latency",
            Self::Anomaly => "anomaly",
            Self::Lifecycle => "lifecycle",
            Self::Residency => "residency",
            Self::ResidencyBreach => "residency-breach",
        }
    }
}

/// How loudly people are told. `Warning` and `Critical` page; `Info` wakes nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth getting up for.
    Warning,
    /// Users are hurt now.
    Critical,
}

impl Severity {
    /// All severities, mildest first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// The name in TOML, JSON and texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What may be done about an incident of this rule, beyond telling people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Remedy {
    /// Tell people, file nothing.
    Notify,
    /// Ask AWS Support to look: a case of our own.
    Investigate,
    /// Ask for more quota.
    RequestQuota,
}

impl Remedy {
    /// All remedies.
    pub const ALL: [Self; 3] = [Self::Notify, Self::Investigate, Self::RequestQuota];

    /// The name in TOML.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notify => "notify",
            Self::Investigate => "investigate",
            Self::RequestQuota => "request-quota",
        }
    }
}

/// What makes one minute bad, and what makes it clearly good again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// Use at or above `above` of the live quota; good again below `clear`.
    /// TPM is judged on charged tokens, RPM on invocations plus throttles.
    QuotaShare {
        /// Which quota.
        kind: QuotaKind,
        /// Bad from here.
        above: Share,
        /// Good below here; at most `above`.
        clear: Share,
    },
    /// At least `at_least` of a count in the minute, which are at least `share` of demand.
    Count {
        /// A count: throttles or errors.
        of: Signal,
        /// Bad from here, per minute.
        at_least: f64,
        /// And only if this share of demand (requests through + throttled) is met.
        share: Share,
        /// Minutes with less demand than this prove nothing bad (too few to judge), and count as good.
        min_demand: f64,
    },
    /// Mean latency at or above `millis`, in minutes with at least `min_demand` requests.
    Slow {
        /// Milliseconds.
        millis: f64,
        /// Requests in the minute.
        min_demand: f64,
    },
    /// The pool does what it never did (see `engine::detect`).
    Unusual(Unusual),
    /// By the forecast a quota will not do (see `engine::forecast`).
    RunsOut {
        /// Which quota.
        kind: QuotaKind,
        /// When that is told.
        warning: WarningRule,
    },
    /// The model can no longer be called from an announced instant, which is at most so far away.
    Ends {
        /// Minutes.
        within: i64,
    },
}

impl Condition {
    /// What it asks of a pool that can answer one rule only: a detector, or the forecast of a quota.
    #[must_use]
    pub const fn asks_alone(&self) -> Option<Asked> {
        match self {
            Self::Unusual(sought) => Some(Asked::Detector(sought.trouble())),
            Self::RunsOut { kind, .. } => Some(Asked::Forecast(*kind)),
            Self::QuotaShare { .. }
            | Self::Count { .. }
            | Self::Slow { .. }
            | Self::Ends { .. } => None,
        }
    }

    /// Whether it is judged by what the pool has taught, rather than by the minutes at hand.
    #[must_use]
    pub const fn is_learned(&self) -> bool {
        match self {
            Self::Unusual(_) | Self::RunsOut { .. } => true,
            Self::QuotaShare { .. }
            | Self::Count { .. }
            | Self::Slow { .. }
            | Self::Ends { .. } => false,
        }
    }
}

/// What a pool has one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A detector.
    Detector(Trouble),
    /// A forecast of demand against a quota.
    Forecast(QuotaKind),
}

/// M bad minutes out of the last N. Invariant: `1 <= bad <= of <= 60`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    bad: u8,
    of: u8,
}

impl Window {
    /// `None` unless `1 <= bad <= of <= 60`.
    #[must_use]
    pub fn new(bad: u8, of: u8) -> Option<Self> {
        (1 <= bad && bad <= of && of <= 60).then_some(Self { bad, of })
    }

    /// Bad minutes needed.
    #[must_use]
    pub const fn bad(self) -> u8 {
        self.bad
    }

    /// Length of the window in minutes.
    #[must_use]
    pub const fn of(self) -> u8 {
        self.of
    }
}

/// A rule, judged for each pool it matches.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Unique name.
    pub name: RuleName,
    /// What it is about.
    pub category: Category,
    /// How loudly it is told.
    pub severity: Severity,
    /// What may be done.
    pub remedy: Remedy,
    /// What makes a minute bad.
    pub condition: Condition,
    /// How many bad minutes it takes.
    pub window: Window,
    /// Good minutes in a row, without a bad one or a gap in the evidence, until the alert ends.
    pub clear_minutes: u8,
    /// One line for the person on call: what this usually means and what to look at first.
    pub runbook: String,
    /// SHA-256 (hex, 12 characters) of what the rule says: stored with each decision.
    pub hash: String,
}

/// When a forecast against a quota becomes a warning; the same for all pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarningRule {
    /// The days after the next: a notice.
    pub ahead: Chance,
    /// Close to the limit: a notice.
    pub near: Chance,
    /// A rise that no time of day explains: a notice.
    pub climb: Option<Climb>,
    /// The next 24 hours: told with the severity of the rule.
    pub soon: Standing,
    /// How loudly the others are told.
    pub early: Severity,
    /// Minutes until a notice is told again.
    pub again_minutes: i64,
    /// Minutes until a page is told again, and in which nothing is told after the quota was exhausted.
    pub quiet_minutes: i64,
}

/// Use and chance that together make a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance {
    /// Share of the limit that three of five minutes reach.
    pub use_share: Share,
    /// Least probability of exhaustion.
    pub chance: Share,
}

/// A rise of an hour and more that makes a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Climb {
    /// Share of the limit that three of five minutes reach.
    pub use_share: Share,
    /// What is usual at this time is at most this share of what is seen.
    pub usual: Share,
    /// At its pace the rise is at the limit within so many minutes.
    pub within_minutes: i64,
}

/// A chance that has to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Least probability of exhaustion.
    pub chance: Share,
    /// For so many minutes.
    pub minutes: i64,
}
