//! Service Quotas as JSON.

use serde_json::{Value, json};

use super::{Input, Paging, unknown};
use crate::{
    model::{
        ids::{QuotaCode, RequestId, Scope},
        time::Timestamp,
    },
    sim::{
        ApiError, Call,
        kernel::Kernel,
        quotas::{QuotaView, Request, SERVICE_CODE},
    },
};

pub(super) fn handle(
    kernel: &mut Kernel,
    scope: &Scope,
    call: &Call,
    input: Input<'_>,
) -> Result<Value, ApiError> {
    match call.operation.as_str() {
        "ListServiceQuotas" => list(kernel, scope, input, Which::Applied),
        "ListAWSDefaultServiceQuotas" => list(kernel, scope, input, Which::Default),
        "GetServiceQuota" => get(kernel, scope, input, Which::Applied),
        "GetAWSDefaultServiceQuota" => get(kernel, scope, input, Which::Default),
        "ListServices" => Ok(
            json!({ "Services": [{ "ServiceCode": SERVICE_CODE, "ServiceName": SERVICE_NAME }] }),
        ),
        "RequestServiceQuotaIncrease" => {
            service(input)?;
            let code = QuotaCode::new(input.required("QuotaCode")?);
            let desired = input
                .number("DesiredValue")?
                .ok_or_else(|| super::missing("DesiredValue"))?;
            let request = kernel.request_increase(scope, &code, desired, &call.by)?;
            Ok(json!({ "RequestedQuota": request_json(kernel, &request) }))
        }
        "GetRequestedServiceQuotaChange" => {
            let id = RequestId::new(input.required("RequestId")?);
            let request = kernel.increase_request(scope, &id)?;
            Ok(json!({ "RequestedQuota": request_json(kernel, &request) }))
        }
        "ListRequestedServiceQuotaChangeHistoryByQuota" => {
            service(input)?;
            let code = QuotaCode::new(input.required("QuotaCode")?);
            history(kernel, scope, input, Some(&code))
        }
        "ListRequestedServiceQuotaChangeHistory" => history(kernel, scope, input, None),
        other => Err(unknown(other)),
    }
}

const SERVICE_NAME: &str = "Amazon Bedrock";

#[derive(Clone, Copy)]
enum Which {
    Applied,
    Default,
}

fn service(input: Input<'_>) -> Result<(), ApiError> {
    if input.required("ServiceCode")? == SERVICE_CODE {
        return Ok(());
    }
    Err(ApiError::client(
        "NoSuchResourceException",
        "The request failed because the specified service does not exist.",
    ))
}

fn paging(input: Input<'_>) -> Result<Paging<'_>, ApiError> {
    Ok(Paging {
        token: input.text("NextToken")?,
        size: input.whole("MaxResults")?,
        least: 1,
        most: 100,
        bad_token: "InvalidPaginationTokenException",
    })
}

fn list(kernel: &Kernel, scope: &Scope, input: Input<'_>, which: Which) -> Result<Value, ApiError> {
    service(input)?;
    let mut quotas = kernel.quotas(scope)?;
    if let Some(code) = input.text("QuotaCode")? {
        quotas.retain(|quota| quota.row.code.as_str() == code);
    }
    let (quotas, next) = paging(input)?.cut(quotas)?;
    let quotas: Vec<Value> = quotas
        .iter()
        .map(|quota| quota_json(scope, quota, which))
        .collect();
    Ok(with_token(json!({ "Quotas": quotas }), next))
}

fn get(kernel: &Kernel, scope: &Scope, input: Input<'_>, which: Which) -> Result<Value, ApiError> {
    service(input)?;
    let quota = kernel.quota(scope, &QuotaCode::new(input.required("QuotaCode")?))?;
    Ok(json!({ "Quota": quota_json(scope, &quota, which) }))
}

fn history(
    kernel: &Kernel,
    scope: &Scope,
    input: Input<'_>,
    code: Option<&QuotaCode>,
) -> Result<Value, ApiError> {
    kernel.known_scope(scope)?;
    let mut requests = kernel.increase_history(scope, code);
    if let Some(status) = input.text("Status")? {
        requests.retain(|request| request.status.as_str() == status);
    }
    let (requests, next) = paging(input)?.cut(requests)?;
    let requests: Vec<Value> = requests
        .iter()
        .map(|request| request_json(kernel, request))
        .collect();
    Ok(with_token(json!({ "RequestedQuotas": requests }), next))
}

/// Adds `NextToken` where there is one; absent members are better than null ones.
pub(super) fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let (Some(members), Some(next)) = (answer.as_object_mut(), next) {
        members.insert("NextToken".to_owned(), Value::String(next));
    }
    answer
}

fn arn(scope: &Scope, code: &QuotaCode) -> String {
    format!(
        "arn:aws:servicequotas:{}:{}:{SERVICE_CODE}/{code}",
        scope.region, scope.account
    )
}

fn quota_json(scope: &Scope, quota: &QuotaView, which: Which) -> Value {
    json!({
        "ServiceCode": SERVICE_CODE,
        "ServiceName": SERVICE_NAME,
        "QuotaArn": arn(scope, &quota.row.code),
        "QuotaCode": quota.row.code.as_str(),
        "QuotaName": quota.row.name,
        "Value": match which { Which::Applied => quota.applied, Which::Default => quota.default },
        "Unit": "None",
        "Adjustable": quota.is_adjustable,
        "GlobalQuota": false,
        "QuotaAppliedAtLevel": "ACCOUNT",
    })
}

fn request_json(kernel: &Kernel, request: &Request) -> Value {
    let name = kernel
        .quotas
        .view(&request.scope, &request.code, kernel.now)
        .map(|quota| quota.row.name.as_str());
    let mut answer = json!({
        "Id": request.id.as_str(),
        "ServiceCode": SERVICE_CODE,
        "ServiceName": SERVICE_NAME,
        "QuotaCode": request.code.as_str(),
        "QuotaName": name.unwrap_or_default(),
        "DesiredValue": request.desired,
        "Status": request.status.as_str(),
        "Created": epoch(request.created),
        "LastUpdated": epoch(request.updated),
        "Requester": requester(request),
        "QuotaArn": arn(&request.scope, &request.code),
        "GlobalQuota": false,
        "Unit": "None",
        "QuotaRequestedAtLevel": "ACCOUNT",
    });
    if let (Some(members), Some(display)) = (answer.as_object_mut(), &request.display) {
        members.insert("CaseId".to_owned(), Value::String(display.to_string()));
    }
    answer
}

/// As AWS writes it: JSON in a text.
fn requester(request: &Request) -> String {
    let account = request.scope.account.as_str();
    json!({ "accountId": account, "callerArn": request.by.as_str() }).to_string()
}

/// Epoch seconds; a fraction only where there is one.
fn epoch(at: Timestamp) -> Value {
    match at.subsec_millisecond() {
        0 => json!(at.as_second()),
        _ => json!(at.as_duration().as_secs_f64()),
    }
}
