//! One past minute of a pool, judged again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Decision, Silence};

/// What each rule says of a pool at the end of a past minute, and what people heard then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// The pool.
    pub pool: String,
    /// The minute.
    pub at: String,
    /// The daemon's time.
    pub now: Option<String>,
    /// Whether AWS is the simulated one.
    pub is_simulated: bool,
    /// What it comes to, in a sentence or two.
    pub verdict: String,
    /// The planned window that the minute lies in: it is not judged.
    pub planned: Option<String>,
    /// What was measured in the minute.
    pub measured: Vec<Measured>,
    /// Share of the hour before of which requests are known, 0 to 1.
    pub coverage: f64,
    /// By rule: those that are on first, those that are not about the pool last.
    pub rules: Vec<RuleThen>,
    /// Rules that are off for the pool, sorted.
    pub off: Vec<String>,
    /// Incidents of the pool that the minute lies in, oldest first.
    pub incidents: Vec<IncidentThen>,
    /// Silences that held then and fit the pool.
    pub silences: Vec<Silence>,
}

/// A signal of one minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// By its name in rules.
    pub signal: String,
    /// The number; `null` where there is none.
    pub value: Option<f64>,
    /// Whether CloudWatch answered for the minute. Without a number it had no datapoint then.
    pub is_observed: bool,
}

/// What one rule says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleThen {
    /// The rule.
    pub rule: String,
    /// Hash of what it says for this pool now.
    pub rule_hash: String,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// The alert state, or `not-for-it`: the rule is not about this pool.
    pub state: String,
    /// Why that state and no other.
    pub why: String,
    /// What is bad by it, in words.
    pub limit: String,
    /// While on: the first minute of the alert.
    pub began: Option<String>,
    /// Bad minutes of the window; `null` for rules by the pool's own past.
    pub bad: Option<usize>,
    /// How many it takes.
    pub needed: u8,
    /// Minutes of the window.
    pub of: u8,
    /// Good minutes in a row; `null` for rules by the pool's own past.
    pub good_run: Option<u32>,
    /// How many it takes for an alert to end.
    pub clear_after: u8,
    /// The minutes of the window, in order.
    pub minutes: Vec<SeenMinute>,
    /// The numbers behind the state, as a verdict tells them.
    pub reasons: Vec<String>,
}

/// One minute as a rule sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeenMinute {
    /// Which.
    pub at: String,
    /// `bad`, `between` (neither bad nor good enough to end an alert), `good` or `unclear`.
    pub says: String,
    /// The number; `null` where the minute is unclear.
    pub value: Option<f64>,
}

/// An incident that the minute lies in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentThen {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// Its first bad minute.
    pub began: String,
    /// When it opened.
    pub opened: String,
    /// When it ended.
    pub resolved: Option<String>,
    /// The last decisions up to the minute, oldest first.
    pub decisions: Vec<Decision>,
    /// Messages that had been planned by the minute, oldest first.
    pub messages: Vec<MessageThen>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageThen {
    /// When it was planned.
    pub at: String,
    /// To whom.
    pub receiver: String,
    /// Its first line.
    pub subject: String,
    /// What became of it so far.
    pub state: String,
}
