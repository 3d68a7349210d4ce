//! Between the kernel's words and the port's.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    cloud::{
        Attribute, Case, Communication, Fault, FaultClass, ListedQuota, MetricRequest, QuotaRequest,
    },
    model::{ids::AccountId, units::Amount},
    sim::{
        ApiError,
        cloudwatch::{GetData, Order, Query},
        desk::{Case as DeskCase, Said},
        faults::Happened,
        quotas::{QuotaView, Request},
    },
};

/// Communications that come with a case.
const RECENT: usize = 5;

/// As the API takes them.
pub(super) fn attributes(ours: &BTreeMap<&'static str, Attribute>) -> Map<String, Value> {
    let each = ours.iter().map(|(name, attribute)| {
        let (kind, value) = match attribute {
            Attribute::Text(text) => ("String", text.clone()),
            Attribute::Texts(texts) => ("String.Array", json!(texts).to_string()),
        };
        let value = json!({ "DataType": kind, "StringValue": value });
        ((*name).to_owned(), value)
    });
    each.collect()
}

pub(super) fn failed(operation: &'static str, happened: Happened) -> Fault {
    let (code, message) = happened.words();
    Fault {
        operation,
        code: code.to_owned(),
        message: message.to_owned(),
        class: happened.class().unwrap_or(FaultClass::Server),
    }
}

pub(super) fn refused(operation: &'static str, error: ApiError) -> Fault {
    let class = match error.code.as_str() {
        "Throttling" | "ThrottlingException" | "TooManyRequestsException" | "Throttled" => {
            FaultClass::Throttled
        }
        "AccessDenied"
        | "AccessDeniedException"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "AuthorizationError" => FaultClass::Denied,
        "NoSuchResourceException"
        | "ResourceNotFoundException"
        | "NotFound"
        | "CaseIdNotFound"
        | "NoSuchEntity" => FaultClass::NotFound,
        "ResourceAlreadyExistsException" => FaultClass::Exists,
        "QuotaExceededException" | "CaseCreationLimitExceeded" => FaultClass::Full,
        "SubscriptionRequiredException" => FaultClass::NoPlan,
        _ if error.status >= 500 => FaultClass::Server,
        _ => FaultClass::Invalid,
    };
    Fault {
        operation,
        code: error.code,
        message: error.message,
        class,
    }
}

pub(super) fn listed(quota: &QuotaView, value: f64) -> ListedQuota {
    ListedQuota {
        code: quota.row.code.clone(),
        name: quota.row.name.clone(),
        value: Amount::new(value),
        adjustable: quota.is_adjustable,
        error: None,
    }
}

pub(super) fn requested(request: Request) -> QuotaRequest {
    QuotaRequest {
        id: request.id,
        code: request.code,
        desired: Amount::new(request.desired).unwrap_or(Amount::ZERO), // checked when it was filed
        status: request.status,
        display: request.display,
        created: Some(request.created),
        requester: Some(request.by),
    }
}

pub(super) fn communication(said: &Said) -> Communication {
    Communication {
        submitted_by: said.by.clone(),
        body: said.body.clone(),
        created: Some(said.at),
    }
}

pub(super) fn case(case: DeskCase) -> Case {
    Case {
        recent: case
            .communications
            .iter()
            .rev()
            .take(RECENT)
            .map(communication)
            .collect(),
        id: case.id,
        display: case.display,
        subject: case.subject,
        status: case.status.to_owned(),
        created: Some(case.created),
    }
}

/// The metrics are those of `owner`; without it, the caller's.
pub(super) fn get_data(
    request: MetricRequest,
    owner: Option<&AccountId>,
    datapoints: usize,
) -> GetData {
    let queries = request.queries.into_iter().map(|query| Query {
        id: query.id,
        owner: owner.cloned(),
        metric: query.metric,
        statistic: query.statistic,
        period_seconds: i64::from(query.period_seconds),
        unit: None,
    });
    GetData {
        queries: queries.collect(),
        start: request.from.0.saturating_mul(60),
        end: request.until.0.saturating_mul(60),
        order: Order::NewestFirst,
        page: request.page,
        datapoints,
    }
}
