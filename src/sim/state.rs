//! `GET /_sim/state`: the shape is a contract that checks outside the repository rely on.

use serde_json::{Value, json};

use super::{desk::Case, kernel::Kernel};

/// Everything that arrived and holds.
pub(crate) fn json(kernel: &Kernel) -> Value {
    let requests: Vec<Value> = kernel
        .quotas
        .requests
        .iter()
        .map(|request| {
            json!({
                "id": request.id.as_str(),
                "account": request.scope.account.as_str(),
                "region": request.scope.region.as_str(),
                "quota_code": request.code.as_str(),
                "desired": request.desired,
                "status": request.status.as_str(),
                "created": request.created.to_string(),
            })
        })
        .collect();
    let published: Vec<Value> = kernel
        .published
        .iter()
        .map(|message| {
            json!({
                "account": message.account.as_str(),
                "topic_arn": message.topic_arn,
                "subject": message.subject,
                "message": message.message,
                "attributes": message.attributes,
                "at": message.at.to_string(),
            })
        })
        .collect();
    let slack: Vec<Value> = kernel
        .slack
        .iter()
        .map(
            |hooked| json!({ "url": hooked.url, "body": hooked.body, "at": hooked.at.to_string() }),
        )
        .collect();
    let quotas: Vec<Value> = kernel
        .quotas
        .notable(kernel.now)
        .into_iter()
        .map(|(scope, code, applied)| {
            json!({
                "account": scope.account.as_str(),
                "region": scope.region.as_str(),
                "quota_code": code.as_str(),
                "applied": applied,
            })
        })
        .collect();
    json!({
        "now": kernel.now.to_string(),
        "quota_requests": requests,
        "cases": kernel.cases.iter().map(case).collect::<Vec<_>>(),
        "published": published,
        "slack": slack,
        "quotas": quotas,
        "calls": kernel.calls,
        "billed_metrics": kernel.billed,
    })
}

fn case(case: &Case) -> Value {
    let communications: Vec<Value> = case
        .communications
        .iter()
        .map(|said| {
            let files = said.files.iter();
            let files = files.map(|file| {
                json!({ "file_name": file.name, "text": String::from_utf8_lossy(&file.data) })
            });
            json!({
                "submitted_by": said.by,
                "body": said.body,
                "created": said.at.to_string(),
                "attachments": files.collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "account": case.account.as_str(),
        "cc": case.cc,
        "case_id": case.id.as_str(),
        "display_id": case.display.as_str(),
        "subject": case.subject,
        "status": case.status,
        "service_code": case.service_code,
        "created": case.created.to_string(),
        "communications": communications,
    })
}
