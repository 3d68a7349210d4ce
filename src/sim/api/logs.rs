//! CloudWatch Logs as JSON: questions of Logs Insights, and nothing else.

use serde_json::{Value, json};

use super::{Input, missing, unknown};
use crate::{
    cloud::{LogQuery, LogState},
    model::{ids::Scope, time::Timestamp},
    sim::{ApiError, kernel::Kernel},
};

pub(super) fn handle(
    kernel: &mut Kernel,
    scope: &Scope,
    operation: &str,
    input: Input<'_>,
) -> Result<Value, ApiError> {
    match operation {
        "StartQuery" => start(kernel, scope, input),
        "GetQueryResults" => results(kernel, scope, input),
        other => Err(unknown(other)),
    }
}

fn start(kernel: &mut Kernel, scope: &Scope, input: Input<'_>) -> Result<Value, ApiError> {
    let query = LogQuery {
        group: input.required("logGroupName")?.to_owned(),
        from: instant(input, "startTime")?,
        until: instant(input, "endTime")?,
    };
    if query.until <= query.from {
        let text = "End time should not be before the start time";
        return Err(ApiError::client("InvalidParameterException", text));
    }
    if input.required("queryString")? != query.text() {
        let text = "the simulated AWS understands one query, see docs/worlds.md";
        return Err(ApiError::client("MalformedQueryException", text));
    }
    let id = kernel.start_query(scope, &query)?;
    Ok(json!({ "queryId": id }))
}

fn instant(input: Input<'_>, name: &str) -> Result<Timestamp, ApiError> {
    let second = input.whole(name)?.ok_or_else(|| missing(name))?;
    Timestamp::from_second(second).map_err(|_| {
        let text = format!("'{name}' is no time");
        ApiError::client("InvalidParameterException", &text)
    })
}

fn results(kernel: &mut Kernel, scope: &Scope, input: Input<'_>) -> Result<Value, ApiError> {
    let answer = kernel.query_results(scope, input.required("queryId")?)?;
    let rows = answer.rows.iter().map(|row| {
        let fields = row.iter();
        fields
            .map(|(field, value)| json!({ "field": field, "value": value }))
            .collect::<Vec<_>>()
    });
    let status = match &answer.state {
        LogState::Running => "Running",
        LogState::Complete => "Complete",
        LogState::Ended(word) => word,
    };
    let records = answer.rows.iter().filter_map(|row| row.get("records"));
    let records: u64 = records.filter_map(|it| it.parse::<u64>().ok()).sum();
    Ok(json!({
        "results": rows.collect::<Vec<_>>(),
        "statistics": {
            "bytesScanned": answer.bytes_scanned,
            "recordsMatched": records,
            "recordsScanned": records,
        },
        "status": status,
    }))
}
