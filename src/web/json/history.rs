//! The history of one signal of one pool.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::QuotaChange;

/// One signal of one pool over a range, and what limited it meanwhile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// The daemon's time.
    pub now: Option<String>,
    /// Whether AWS is the simulated one.
    pub is_simulated: bool,
    /// The pool.
    pub pool: String,
    /// The signal, by its name in rules.
    pub signal: String,
    /// `minute`, `5m` or `hour`.
    pub resolution: String,
    /// The begin of the first bucket.
    pub from: String,
    /// The end, exclusive.
    pub to: String,
    /// Share of the range's minutes that were observed, 0 to 1.
    pub coverage: f64,
    /// One after another, without gaps.
    pub buckets: Vec<Bucket>,
    /// Changes of the pool's quotas in the range, oldest first, with the thresholds that they moved.
    pub limits: Vec<LimitChange>,
}

/// What is known of some minutes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bucket {
    /// Its begin.
    pub at: String,
    /// The sum, or for latency the mean in milliseconds. `null`: nothing is known; never 0 for that.
    pub value: Option<f64>,
    /// The highest minute; `null` where only sums were ever read.
    pub peak: Option<f64>,
    /// How many of its minutes were observed. Below `of`, a sum is a lower bound.
    pub known: u8,
    /// How many minutes it has.
    pub of: u8,
    /// Whether CloudWatch answered and had no datapoint.
    pub is_silent: bool,
}

/// A change of a quota, and the thresholds of today's rules by the new value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LimitChange {
    /// The change.
    pub change: QuotaChange,
    /// `rpm`, `tpm` and so on.
    pub kind: String,
    /// By rule, sorted.
    pub thresholds: Vec<Threshold>,
}

/// From where on a rule counts a minute as bad.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Threshold {
    /// The rule.
    pub rule: String,
    /// By the quota before; `null` where that is not known.
    pub old: Option<f64>,
    /// By the quota after; `null` where that is not known.
    pub new: Option<f64>,
}
