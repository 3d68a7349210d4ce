//! Where requests ran, by the log of model invocations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A record of processing for some UTC days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ran {
    /// The daemon's time.
    pub now: Option<String>,
    /// Whether AWS is the simulated one.
    pub is_simulated: bool,
    /// The first day.
    pub from: String,
    /// The last day.
    pub to: String,
    /// The rules that it was held against, by their names.
    pub rules: Vec<String>,
    /// How much of it was read, by account and Region; sorted.
    pub read: Vec<RanRead>,
    /// What went which way; sorted by account, Region, target and where it ran.
    pub rows: Vec<RanRow>,
    /// What such a record does not say, in sentences.
    pub not_covered: Vec<String>,
}

/// How much was read of the log of one account and Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RanRead {
    /// The account.
    pub account: String,
    /// The Region whose log it is.
    pub region: String,
    /// Hours that were read; of the others nothing is known.
    pub hours: u64,
    /// Hours of the days that are over.
    pub of: u64,
    /// Hours that could be read by now and were not.
    pub missing: u64,
    /// The end of the last hour that was read; `null` where none was.
    pub read_until: Option<String>,
    /// How long ago that was.
    pub age_seconds: Option<i64>,
    /// Bytes of log that were read for it.
    pub bytes_scanned: u64,
}

/// What went one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RanRow {
    /// The account.
    pub account: String,
    /// The Region that was called.
    pub called_in: String,
    /// The model or profile; `(others)` stands for those that a day does not name.
    pub target: String,
    /// Where it ran; `null` where the log does not say it.
    pub ran_in: Option<String>,
    /// Requests that were answered.
    pub requests: u64,
    /// Their share of the target's answered requests; `null` where there are none.
    pub share: Option<f64>,
    /// Requests that failed.
    pub failed: u64,
    /// Input tokens, without those from or to a cache.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Input tokens read from a cache.
    pub cache_read_tokens: u64,
    /// Input tokens written to a cache.
    pub cache_write_tokens: u64,
    /// The first day with any.
    pub first: String,
    /// The last day with any.
    pub last: String,
    /// Rules that it is outside of.
    pub outside: Vec<String>,
}
