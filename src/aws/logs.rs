//! CloudWatch Logs Insights: a question is asked, and its answer fetched later.

use aws_sdk_cloudwatchlogs::types::QueryStatus;

use super::{actions, call::send, clients::Clients, fault};
use crate::cloud::{Fault, LogAnswer, LogQuery, LogState, MOST_ROWS};

impl Clients {
    /// Each question is billed by what it reads, so none is asked twice inside.
    pub(super) async fn start_query(&self, query: &LogQuery) -> Result<String, Fault> {
        let request = self
            .logs_once
            .start_query()
            .log_group_name(&query.group)
            .start_time(query.from.as_second())
            .end_time(query.until.as_second())
            .query_string(query.text())
            .limit(MOST_ROWS);
        let answer = send!(self.meter, once, actions::START_QUERY, request)?;
        fault::need(actions::START_QUERY, "queryId", answer.query_id)
    }

    pub(super) async fn query_results(&self, id: &str) -> Result<LogAnswer, Fault> {
        let request = self.logs_once.get_query_results().query_id(id);
        let answer = send!(self.meter, read, actions::QUERY_RESULTS, request)?;
        let status = fault::need(actions::QUERY_RESULTS, "status", answer.status)?;
        let state = if status == QueryStatus::Complete {
            LogState::Complete
        } else if [QueryStatus::Running, QueryStatus::Scheduled].contains(&status) {
            LogState::Running
        } else {
            LogState::Ended(status.as_str().to_owned())
        };
        let rows = answer.results.unwrap_or_default().into_iter(); // no list is AWS's way to say: an empty one
        let rows = rows.map(|row| {
            let fields = row.into_iter();
            let told = fields.filter_map(|it| it.field.zip(it.value));
            told.collect()
        });
        let scanned = answer.statistics.map_or(0.0, |it| it.bytes_scanned);
        Ok(LogAnswer {
            state,
            rows: rows.collect(),
            bytes_scanned: whole(scanned),
        })
    }
}

/// AWS tells bytes as a floating-point number.
fn whole(bytes: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast saturates, and what is no number becomes 0"
    )]
    let whole = bytes.ceil() as u64;
    whole
}
