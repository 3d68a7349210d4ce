//! The calls: each IAM action that reads, asked once where it is needed. What writes is not tried.

use super::{Item, Verdict};
use crate::{
    aws::actions::{ALL, Need, loss},
    cloud::{
        Access, CaseFilter, Cloud, Fault, FaultClass, LogQuery, Metric, MetricQuery, MetricRequest,
        MetricResult, MetricStatus, Simulation,
    },
    model::{
        ids::{CaseId, PrincipalArn, QuotaCode, RequestId, Scope, TargetId},
        policy::{Account, Mode, Receiver, Settings},
        time::{Minute, SignedDuration, Timestamp, after},
    },
};

/// Ids that nobody has: to be told that they are not found is to be allowed to look.
const NO_REQUEST: &str = "doctor00000000000000000000000000";
const NO_PROFILE: &str = "doctor000000";
const NO_QUERY: &str = "00000000-0000-0000-0000-000000000000";
const NO_CASE: &str = "case-000000000000-doctor-2000-0000000000000000";
/// Used where no quota could be listed.
const SOME_CODE: &str = "L-00000000";
/// Datapoints of so many minutes are asked for.
const MINUTES: i64 = 15;

/// What is needed in each Region.
pub(super) async fn region(cloud: &dyn Cloud, scope: &Scope, now: Timestamp) -> Vec<Item> {
    let place = format!("{} {}", scope.account, scope.region);
    let metrics = cloud.list_metrics(scope, "AWS/Bedrock", true, None).await;
    let found = metrics.as_ref().map(|page| page.items.len());
    let mut listed = ask(&place, "cloudwatch:ListMetrics", as_unit(&metrics));
    let access = cloud.access(scope);
    if let (Ok(number), Verdict::Fine) = (found, listed.verdict) {
        listed = seen(listed, number, &access);
    }
    let query = query();
    let until = Minute::of(now);
    let from = until.plus(-MINUTES);
    let request = MetricRequest {
        queries: vec![query.clone()],
        from,
        until,
        page: None,
    };
    let data = cloud.metric_data(scope, request).await;
    let data = data.and_then(|page| not_forbidden(&page.items));
    let mut items = vec![listed, ask(&place, "cloudwatch:GetMetricData", data)];
    if access.metrics_through.is_none() {
        let statistics = cloud.metric_statistics(scope, &query, (from, until)).await;
        items.push(ask(
            &place,
            "cloudwatch:GetMetricStatistics",
            as_unit(&statistics),
        ));
    }
    if !access.is_metrics_only {
        items.extend(catalog(cloud, scope, &place).await);
    }
    items
}

/// Whether the log of model invocations may be asked, and is there: about one second of it, since AWS bills what is read.
pub(super) async fn logs(
    cloud: &dyn Cloud,
    scope: &Scope,
    settings: &Settings,
    now: Timestamp,
) -> Vec<Item> {
    let Some(group) = settings.policy.invocation_logs.get(&scope.account) else {
        return Vec::new();
    };
    let place = format!("{} {}", scope.account, scope.region);
    let minute = Minute::of(now).start();
    let query = LogQuery {
        group: group.clone(),
        from: minute,
        until: minute
            .checked_add(SignedDuration::from_secs(1))
            .unwrap_or(minute),
    };
    let started = cloud.start_query(scope, &query).await;
    let is_there = !matches!(&started, Err(fault) if fault.class == FaultClass::NotFound);
    let mut item = ask(&place, "logs:StartQuery", as_unit(&started));
    if let (Verdict::Fine, false) = (item.verdict, is_there) {
        item = Item {
            verdict: Verdict::Warning,
            found: format!("allowed; there is no log group `{group}` here"),
            ..item
        }
        .help("correct `invocation_logs`, or let Bedrock's model invocation logging of this Region write to it");
    }
    let id = started.unwrap_or_else(|_| NO_QUERY.to_owned());
    let answer = cloud.query_results(scope, &id).await;
    vec![item, ask(&place, "logs:GetQueryResults", as_unit(&answer))]
}

/// A call that is allowed may still hold back single series.
fn not_forbidden(results: &[MetricResult]) -> Result<(), Fault> {
    let mut statuses = results.iter().map(|it| it.status);
    if statuses.all(|it| it != MetricStatus::Forbidden) {
        return Ok(());
    }
    Err(Fault {
        operation: "cloudwatch:GetMetricData",
        code: "Forbidden".to_owned(),
        message: "the call is answered, and the metrics of this account are not".to_owned(),
        class: FaultClass::Denied,
    })
}

/// Profiles, models and quotas.
async fn catalog(cloud: &dyn Cloud, scope: &Scope, place: &str) -> Vec<Item> {
    let profiles = cloud.list_profiles(scope, None).await;
    let tags = cloud.list_tags(scope, &TargetId::new(NO_PROFILE)).await;
    let models = cloud.list_models(scope).await;
    let quotas = cloud.list_quotas(scope, None).await;
    let code = quotas.as_ref().ok().and_then(|page| page.items.first());
    let code = code.map_or_else(|| QuotaCode::new(SOME_CODE), |quota| quota.code.clone());
    let defaults = cloud.list_default_quotas(scope, None).await;
    let quota = cloud.get_quota(scope, &code).await;
    let request = cloud
        .get_quota_request(scope, &RequestId::new(NO_REQUEST))
        .await;
    let requests = cloud.quota_request_history(scope, &code, None).await;
    vec![
        ask(place, "bedrock:ListInferenceProfiles", as_unit(&profiles)),
        ask(place, "bedrock:ListTagsForResource", as_unit(&tags)),
        ask(place, "bedrock:ListFoundationModels", as_unit(&models)),
        ask(place, "servicequotas:ListServiceQuotas", as_unit(&quotas)),
        ask(
            place,
            "servicequotas:ListAWSDefaultServiceQuotas",
            as_unit(&defaults),
        ),
        ask(place, "servicequotas:GetServiceQuota", as_unit(&quota)),
        ask(
            place,
            "servicequotas:GetRequestedServiceQuotaChange",
            as_unit(&request),
        ),
        ask(
            place,
            "servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota",
            as_unit(&requests),
        ),
    ]
}

/// Whether there is anything to watch.
fn seen(item: Item, metrics: usize, access: &Access) -> Item {
    if metrics == 0 {
        let found = "allowed; no traffic of Bedrock in the last three hours";
        let help = match &access.metrics_through {
            None => "nothing to watch here yet: check that this is the Region that callers use"
                .to_owned(),
            Some(through) => format!(
                "nothing to watch here yet: check that callers use this Region, and that the account is linked to a sink of {through} in it, metrics included"
            ),
        };
        return Item {
            verdict: Verdict::Warning,
            found: found.to_owned(),
            ..item
        }
        .help(help);
    }
    Item {
        found: "allowed; Bedrock has traffic".to_owned(),
        ..item
    }
}

/// What is needed once an account.
pub(super) async fn account(
    cloud: &dyn Cloud,
    account: &Account,
    settings: &Settings,
    now: Timestamp,
) -> Vec<Item> {
    let Some(region) = account.regions.known().first() else {
        return Vec::new();
    };
    let scope = Scope {
        account: account.id.clone(),
        region: region.clone(),
    };
    let place = account.id.to_string();
    let mut items = Vec::new();
    let files = settings.policy.mode != Mode::Observe && account.metrics_only().is_none();
    if files {
        let day = CaseFilter::After(after(now, -24 * 60));
        let cases = cloud.list_cases(&scope, &day, None).await;
        let words = cloud
            .list_communications(&scope, &CaseId::new(NO_CASE), None)
            .await;
        items.push(ask(&place, "support:DescribeCases", as_unit(&cases)));
        items.push(ask(
            &place,
            "support:DescribeCommunications",
            as_unit(&words),
        ));
    }
    for caller in settings
        .policy
        .callers
        .get(&account.id)
        .into_iter()
        .flatten()
    {
        items.push(may_ask(cloud, &scope, caller).await);
    }
    let has_topic = settings.policy.receivers.values().any(|it| match it {
        Receiver::Sns { topic_arn, .. } => topic_arn.split(':').nth(4) == Some(account.id.as_str()),
        Receiver::Slack { .. }
        | Receiver::SlackBot { .. }
        | Receiver::PagerDuty { .. }
        | Receiver::Webhook { .. }
        | Receiver::Alertmanager { .. } => false,
    });
    for (operation, need) in ALL {
        let is_needed = match need {
            Need::Notify => has_topic,
            Need::RequestQuotas | Need::Support => files,
            Need::CloseCases => files && settings.policy.case_codes.closes_granted,
            Need::Nothing
            | Need::Observe
            | Need::Regions
            | Need::Callers
            | Need::Logs
            | Need::LogAnswers => false,
        };
        if is_needed && writes(operation) {
            items.push(Item {
                loss: loss(operation),
                ..Item::new(
                    &place,
                    operation,
                    Verdict::NotTried,
                    "trying it would have its effect",
                )
            });
        }
    }
    items
}

/// Whether IAM may be asked about a caller, and knows it.
async fn may_ask(cloud: &dyn Cloud, scope: &Scope, caller: &PrincipalArn) -> Item {
    let about = Simulation {
        caller: caller.clone(),
        actions: vec!["bedrock:InvokeModel"],
        resource: "*".to_owned(),
        context: std::collections::BTreeMap::new(),
    };
    let answer = cloud.simulate(scope, &about, None).await;
    let is_known = !matches!(&answer, Err(fault) if fault.class == FaultClass::NotFound);
    let place = scope.account.to_string();
    let item = ask(&place, "iam:SimulatePrincipalPolicy", as_unit(&answer));
    match item.verdict {
        Verdict::Fine if is_known => Item {
            found: format!("allowed for {caller}"),
            ..item
        },
        Verdict::Fine => Item {
            verdict: Verdict::Warning,
            found: format!("allowed; IAM does not know {caller}"),
            ..item
        }
        .help("correct `callers`: the whole ARN, with the path of the role"),
        Verdict::Warning | Verdict::NotTried | Verdict::Unknown | Verdict::Failed => item,
    }
}

/// Whether the call changes something, or tells somebody.
pub(super) fn writes(operation: &str) -> bool {
    [
        "servicequotas:RequestServiceQuotaIncrease",
        "sns:Publish",
        "support:AddAttachmentsToSet",
        "support:AddCommunicationToCase",
        "support:CreateCase",
        "support:ResolveCase",
    ]
    .contains(&operation)
}

fn ask(place: &str, operation: &'static str, answer: Result<(), Fault>) -> Item {
    Item::of_call(place, operation, answer)
}

fn as_unit<T>(answer: &Result<T, Fault>) -> Result<(), Fault> {
    match answer {
        Ok(_) => Ok(()),
        Err(fault) => Err(fault.clone()),
    }
}

/// One series that every account has or lacks at the same price.
fn query() -> MetricQuery {
    MetricQuery {
        id: "doctor".to_owned(),
        metric: Metric {
            namespace: "AWS/Bedrock".to_owned(),
            name: "InvocationThrottles".to_owned(),
            dimensions: std::collections::BTreeMap::new(),
        },
        statistic: "Sum".to_owned(),
        period_seconds: 60,
    }
}
