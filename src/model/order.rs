//! What a person asks of the running service, and the entry that is kept of it.

use super::{
    catalog::PoolId,
    ids::{ActionId, IncidentId, SilenceId},
    selector::Selector,
    time::Timestamp,
    units::{Amount, QuotaKind},
};

/// What a person asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Who, as they name themselves.
    pub by: String,
    /// Why, in their words.
    pub why: Option<String>,
    /// What.
    pub command: Command,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Carry out a proposal.
    Approve {
        /// Which.
        action: ActionId,
        /// Ask for this instead of what was worked out.
        value: Option<Amount>,
    },
    /// Refuse a proposal.
    Reject {
        /// Which.
        action: ActionId,
    },
    /// Hold messages back.
    Silence {
        /// Which alerts nobody is to hear of.
        selector: Selector,
        /// From when; at once where it is not said.
        from: Option<Timestamp>,
        /// For how long.
        end: End,
        /// Whether nothing is asked of AWS either.
        holds_requests: bool,
    },
    /// End a silence now.
    Expire {
        /// Which.
        silence: SilenceId,
    },
    /// Let no write leave for AWS's desks.
    StopWrites,
    /// Let them leave again.
    ResumeWrites,
    /// Say that somebody looks after an incident.
    Acknowledge {
        /// Which.
        incident: IncidentId,
        /// For a snooze: for how many minutes.
        minutes: Option<i64>,
    },
    /// Ask AWS for more of a quota, though no rule calls for it.
    Ask {
        /// A pool, or a way out that nobody uses.
        pool: PoolId,
        /// Which of its quotas.
        kind: QuotaKind,
        /// For how much.
        value: Amount,
    },
}

/// When something ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// So many minutes after it began.
    After(i64),
    /// Then.
    At(Timestamp),
}

impl Command {
    /// The word in the audit trail.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Approve { .. } => "approve",
            Self::Reject { .. } => "reject",
            Self::Silence { .. } => "silence",
            Self::Expire { .. } => "expire",
            Self::StopWrites => "stop-writes",
            Self::ResumeWrites => "resume-writes",
            Self::Acknowledge { minutes: None, .. } => "ack",
            Self::Acknowledge {
                minutes: Some(_), ..
            } => "snooze",
            Self::Ask { .. } => "ask",
        }
    }
}

/// Writes at AWS's desks are stopped: quota requests, cases and comments. Messages go on, and say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// By whom; `None` where a person made the file.
    pub by: Option<String>,
    /// Since when, RFC 3339.
    pub since: Option<String>,
    /// Why.
    pub why: Option<String>,
    /// The file that stops them.
    pub place: String,
}

impl std::fmt::Display for Stop {
    /// A sentence without its final stop.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.by {
            Some(by) => write!(f, "writes at AWS are stopped by {by}")?,
            None => write!(f, "writes at AWS are stopped by the file {}", self.place)?,
        }
        if let Some(since) = &self.since {
            write!(f, " since {since}")?;
        }
        match self.why.as_deref().map(|why| why.trim_end_matches('.')) {
            Some(why) => write!(f, ": {why}"),
            None => Ok(()),
        }
    }
}

/// The answer to an order that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The id of what it is about.
    pub subject: String,
    /// What it came to, as a sentence without its final stop.
    pub what: String,
}
