//! AWS Support as JSON.

use serde_json::{Value, json};

use super::{Input, Paging, missing, unknown, wrong};
use crate::{
    model::{
        ids::{AccountId, CaseId, DisplayId},
        time::Timestamp,
    },
    sim::{
        ApiError, Call,
        desk::{Case, File, Said},
        kernel::Kernel,
        support::{CaseQuery, NewCase, SERVICES, SEVERITIES},
    },
};

/// Communications that come with a case.
const RECENT: usize = 5;

pub(super) fn handle(
    kernel: &mut Kernel,
    call: &Call,
    input: Input<'_>,
) -> Result<Value, ApiError> {
    let account = &call.account;
    match call.operation.as_str() {
        "CreateCase" => {
            let id = kernel.create_case(account, &call.by, new_case(input)?)?;
            Ok(json!({ "caseId": id.as_str() }))
        }
        "DescribeCases" => describe_cases(kernel, account, input),
        "DescribeCommunications" => describe_communications(kernel, account, input),
        "AddCommunicationToCase" => {
            kernel.has_plan(account)?;
            let id = CaseId::new(input.required("caseId")?);
            let body = input.required("communicationBody")?;
            let set = input.text("attachmentSetId")?;
            kernel.add_said((account, &call.by), &id, body, set)?;
            Ok(json!({ "result": true }))
        }
        "AddAttachmentsToSet" => add_attachments(kernel, account, input),
        "ResolveCase" => {
            kernel.has_plan(account)?;
            let (before, after) =
                kernel.resolve_case(account, &CaseId::new(input.required("caseId")?))?;
            Ok(json!({ "initialCaseStatus": before, "finalCaseStatus": after }))
        }
        "DescribeSeverityLevels" => {
            kernel.has_plan(account)?;
            let levels = SEVERITIES.map(|(code, name)| json!({ "code": code, "name": name }));
            Ok(json!({ "severityLevels": levels }))
        }
        "DescribeServices" => describe_services(kernel, account, input),
        other => Err(unknown(other)),
    }
}

fn add_attachments(
    kernel: &mut Kernel,
    account: &AccountId,
    input: Input<'_>,
) -> Result<Value, ApiError> {
    kernel.has_plan(account)?;
    let files = input.list("attachments")?.iter().map(|raw| {
        let raw = Input(raw);
        let data = data_encoding::BASE64.decode(raw.required("data")?.as_bytes());
        Ok(File {
            name: raw.required("fileName")?.to_owned(),
            data: data.map_err(|_| wrong("data", "base64"))?,
        })
    });
    let files = files.collect::<Result<Vec<_>, ApiError>>()?;
    if files.is_empty() {
        return Err(missing("attachments"));
    }
    let set = kernel.add_attachments(account, input.text("attachmentSetId")?, files)?;
    Ok(json!({ "attachmentSetId": set.id, "expiryTime": iso(set.expires) }))
}

fn new_case(input: Input<'_>) -> Result<NewCase, ApiError> {
    let or = |name: &str, default: &str| {
        Ok::<_, ApiError>(input.text(name)?.unwrap_or(default).to_owned())
    };
    Ok(NewCase {
        subject: input.required("subject")?.to_owned(),
        body: input.required("communicationBody")?.to_owned(),
        service_code: or("serviceCode", "service-bedrock")?,
        category_code: or("categoryCode", "other")?,
        severity_code: or("severityCode", "low")?,
        language: or("language", "en")?,
        cc: input
            .texts("ccEmailAddresses")?
            .into_iter()
            .map(ToOwned::to_owned)
            .collect(),
        attachments: input.text("attachmentSetId")?.map(ToOwned::to_owned),
    })
}

fn describe_services(
    kernel: &Kernel,
    account: &AccountId,
    input: Input<'_>,
) -> Result<Value, ApiError> {
    kernel.has_plan(account)?;
    let wanted = input.texts("serviceCodeList")?;
    let services = SERVICES
        .iter()
        .filter(|(code, ..)| wanted.is_empty() || wanted.contains(code));
    let services: Vec<Value> = services
        .map(|(code, name, categories)| {
            let categories = categories
                .iter()
                .map(|(code, name)| json!({ "code": code, "name": name }));
            json!({ "code": code, "name": name, "categories": categories.collect::<Vec<_>>() })
        })
        .collect();
    Ok(json!({ "services": services }))
}

fn paging(input: Input<'_>) -> Result<Paging<'_>, ApiError> {
    Ok(Paging {
        token: input.text("nextToken")?,
        size: input.whole("maxResults")?,
        least: 10,
        most: 100,
        bad_token: "ValidationException",
    })
}

fn describe_cases(
    kernel: &Kernel,
    account: &AccountId,
    input: Input<'_>,
) -> Result<Value, ApiError> {
    let query = CaseQuery {
        ids: input
            .texts("caseIdList")?
            .into_iter()
            .map(CaseId::new)
            .collect(),
        display: input.text("displayId")?.map(DisplayId::new),
        after: time(input, "afterTime")?,
        before: time(input, "beforeTime")?,
        with_resolved: input.flag("includeResolvedCases")?.unwrap_or(false),
    };
    let with_communications = input.flag("includeCommunications")?.unwrap_or(true);
    let (cases, next) = paging(input)?.cut(kernel.find_cases(account, &query)?)?;
    let cases: Vec<Value> = cases
        .iter()
        .map(|case| case_json(case, with_communications))
        .collect();
    Ok(with_token(json!({ "cases": cases }), next))
}

fn describe_communications(
    kernel: &Kernel,
    account: &AccountId,
    input: Input<'_>,
) -> Result<Value, ApiError> {
    kernel.has_plan(account)?;
    let id = CaseId::new(input.required("caseId")?);
    let (after, before) = (time(input, "afterTime")?, time(input, "beforeTime")?);
    let mut said = kernel.find_communications(account, &id)?;
    said.retain(|said| {
        after.is_none_or(|after| said.at >= after) && before.is_none_or(|before| said.at <= before)
    });
    let (said, next) = paging(input)?.cut(said)?;
    let said: Vec<Value> = said.iter().map(|said| said_json(&id, said)).collect();
    Ok(with_token(json!({ "communications": said }), next))
}

fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let (Some(members), Some(next)) = (answer.as_object_mut(), next) {
        members.insert("nextToken".to_owned(), Value::String(next));
    }
    answer
}

/// Times are ISO 8601 strings here.
fn time(input: Input<'_>, name: &str) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = input.text(name)? else {
        return Ok(None);
    };
    // A date and time without a zone is UTC.
    let zoned = if text.ends_with('Z') || text.contains('+') {
        text.to_owned()
    } else {
        format!("{text}Z")
    };
    zoned.parse().map(Some).map_err(|_| {
        ApiError::client(
            "ValidationException",
            &format!("'{name}' is no ISO 8601 time: {text}"),
        )
    })
}

/// As the API writes it, with milliseconds.
fn iso(at: Timestamp) -> String {
    format!("{at:.3}")
}

fn said_json(case: &CaseId, said: &Said) -> Value {
    let files = (0..).zip(&said.files);
    let files: Vec<Value> = files
        .map(|(number, file): (u32, &File)| json!({ "attachmentId": format!("a-{number}"), "fileName": file.name }))
        .collect();
    json!({
        "caseId": case.as_str(),
        "body": said.body,
        "submittedBy": said.by,
        "timeCreated": iso(said.at),
        "attachmentSet": files,
    })
}

fn case_json(case: &Case, with_communications: bool) -> Value {
    let mut answer = json!({
        "caseId": case.id.as_str(),
        "displayId": case.display.as_str(),
        "subject": case.subject,
        "status": case.status,
        "serviceCode": case.service_code,
        "categoryCode": case.category_code,
        "severityCode": case.severity_code,
        "submittedBy": case.submitted_by,
        "timeCreated": iso(case.created),
        "ccEmailAddresses": case.cc,
        "language": case.language,
    });
    if let (Some(members), true) = (answer.as_object_mut(), with_communications) {
        let all = case.communications.iter().rev();
        let recent: Vec<Value> = all
            .take(RECENT)
            .map(|said| said_json(&case.id, said))
            .collect();
        let mut recent = json!({ "communications": recent });
        if case.communications.len() > RECENT {
            // The token goes on in DescribeCommunications.
            recent = with_token(recent, Some(format!("p-{RECENT}")));
        }
        members.insert("recentCommunications".to_owned(), recent);
    }
    answer
}
