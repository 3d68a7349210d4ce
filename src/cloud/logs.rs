//! What CloudWatch Logs Insights is asked of a log of model invocations, and what it answers: counts, never a prompt.

use std::collections::BTreeMap;

use crate::model::time::Timestamp;

/// Rows of one answer, the most that Logs Insights gives. (AWS, StartQuery, `limit`.)
pub const MOST_ROWS: i32 = 10_000;

/// A question to a log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogQuery {
    /// The name of the log group.
    pub group: String,
    /// The first instant, a whole second.
    pub from: Timestamp,
    /// The first instant that is not asked about, a whole second.
    pub until: Timestamp,
}

impl LogQuery {
    /// The question in the language of Logs Insights: requests, failures and tokens by target and by where they ran.
    ///
    /// AWS includes the last second of the range, without a word about its fractions; so the text itself says where the
    /// range ends, and the range may reach one second beyond. `count(errorCode)` counts the records that have one.
    #[must_use]
    pub fn text(&self) -> String {
        let (from, until) = (self.from.as_millisecond(), self.until.as_millisecond());
        format!(
            "filter schemaType = \"ModelInvocationLog\" and toMillis(@timestamp) >= {from} and toMillis(@timestamp) < {until} \
             | stats count(*) as records, count(errorCode) as failed, sum(input.inputTokenCount) as tokensIn, \
             sum(output.outputTokenCount) as tokensOut, sum(input.cacheReadInputTokenCount) as cacheRead, \
             sum(input.cacheWriteInputTokenCount) as cacheWrite by modelId, inferenceRegion"
        )
    }
}

/// How far a question is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogState {
    /// Ask again later; rows so far are a part.
    Running,
    /// All rows are here.
    Complete,
    /// There will be no answer; AWS's word, such as `Timeout`.
    Ended(String),
}

/// What is known of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogAnswer {
    /// How far it is.
    pub state: LogState,
    /// Text by field; a field without a value is absent.
    pub rows: Vec<BTreeMap<String, String>>,
    /// Bytes of log that were read so far: what AWS bills.
    pub bytes_scanned: u64,
}
