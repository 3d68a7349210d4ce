//! CloudWatch as JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Input, missing, page, quotas::with_token, unknown};
use crate::{
    cloud::{Metric, MetricStatus},
    model::ids::{AccountId, Scope},
    sim::{
        ApiError,
        cloudwatch::{GetData, METRICS_PAGE, Order, Query, SeriesPart, check_statistics},
        kernel::Kernel,
        metric::Name,
    },
};

pub(super) fn handle(
    kernel: &mut Kernel,
    scope: &Scope,
    operation: &str,
    input: Input<'_>,
) -> Result<Value, ApiError> {
    match operation {
        "ListMetrics" => list_metrics(kernel, scope, input),
        "GetMetricData" => get_data(kernel, scope, input),
        "GetMetricStatistics" => get_statistics(kernel, scope, input),
        other => Err(unknown(other)),
    }
}

fn refuse(text: &str) -> ApiError {
    ApiError::client("InvalidParameterValueException", text).query("InvalidParameterValue")
}

fn list_metrics(kernel: &mut Kernel, scope: &Scope, input: Input<'_>) -> Result<Value, ApiError> {
    let is_recent = match input.text("RecentlyActive")? {
        None => false,
        Some("PT3H") => true,
        Some(_) => return Err(refuse("RecentlyActive must be PT3H")),
    };
    let is_linked = input.flag("IncludeLinkedAccounts")?.unwrap_or(false);
    let owners = kernel.owners(scope, is_linked, input.text("OwningAccount")?);
    let mut listed = Vec::new();
    for owner in owners {
        let metrics = kernel.metrics(&owner, is_recent)?;
        listed.push((owner.account, metrics));
    }
    let of_each = listed.iter();
    let mut metrics: Vec<(&AccountId, &Metric)> = of_each
        .flat_map(|(owner, metrics)| metrics.iter().map(move |metric| (owner, metric)))
        .collect();
    if let Some(namespace) = input.text("Namespace")? {
        metrics.retain(|(_, metric)| metric.namespace == namespace);
    }
    if let Some(name) = input.text("MetricName")? {
        metrics.retain(|(_, metric)| metric.name == name);
    }
    let filters = input.list("Dimensions")?;
    if filters.len() > 10 {
        return Err(refuse(
            "The collection Dimensions must not have a size greater than 10.",
        ));
    }
    for filter in filters {
        let filter = Input(filter);
        let (name, value) = (filter.required("Name")?, filter.text("Value")?);
        metrics.retain(|(_, metric)| {
            let own = metric.dimensions.get(name);
            own.is_some_and(|own| value.is_none_or(|value| own == value))
        });
    }
    let (metrics, next) = page(
        metrics,
        input.text("NextToken")?,
        METRICS_PAGE,
        "InvalidNextToken",
    )?;
    let told: Vec<Value> = metrics.iter().map(|(_, it)| metric_json(it)).collect();
    // Only a monitoring account is told whose they are, one owner a metric.
    let monitors = kernel.world.account(&scope.account);
    if is_linked && monitors.is_some_and(|it| !it.monitors.is_empty()) {
        let owners: Vec<&str> = metrics.iter().map(|(owner, _)| owner.as_str()).collect();
        let answer = json!({ "Metrics": told, "OwningAccounts": owners });
        return Ok(with_token(answer, next));
    }
    Ok(with_token(json!({ "Metrics": told }), next))
}

fn metric_json(metric: &Metric) -> Value {
    let dimensions = metric
        .dimensions
        .iter()
        .map(|(name, value)| json!({ "Name": name, "Value": value }));
    json!({
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": dimensions.collect::<Vec<_>>(),
    })
}

fn metric(input: Input<'_>) -> Result<Metric, ApiError> {
    let mut dimensions = BTreeMap::new();
    for dimension in input.list("Dimensions")? {
        let dimension = Input(dimension);
        dimensions.insert(
            dimension.required("Name")?.to_owned(),
            dimension.required("Value")?.to_owned(),
        );
    }
    Ok(Metric {
        namespace: input.required("Namespace")?.to_owned(),
        name: input.required("MetricName")?.to_owned(),
        dimensions,
    })
}

/// Epoch seconds, rounded down.
fn seconds(input: Input<'_>, name: &str) -> Result<i64, ApiError> {
    if let Some(whole) = input.member(name).and_then(Value::as_i64) {
        return Ok(whole);
    }
    let given = input.number(name)?.ok_or_else(|| missing(name))?;
    let at = jiff::SignedDuration::try_from_secs_f64(given);
    at.map(|at| at.as_secs())
        .map_err(|_| refuse(&format!("The parameter {name} is no time.")))
}

fn query(raw: &Value) -> Result<Query, ApiError> {
    let raw = Input(raw);
    if raw.member("Expression").is_some() {
        return Err(refuse(
            "the simulated AWS evaluates no expressions; ask for the metric itself",
        ));
    }
    let stat = Input(
        raw.member("MetricStat")
            .ok_or_else(|| missing("MetricStat"))?,
    );
    Ok(Query {
        id: raw.required("Id")?.to_owned(),
        owner: raw.text("AccountId")?.map(AccountId::new),
        metric: metric(Input(
            stat.member("Metric").ok_or_else(|| missing("Metric"))?,
        ))?,
        statistic: stat.required("Stat")?.to_owned(),
        period_seconds: stat.whole("Period")?.ok_or_else(|| missing("Period"))?,
        unit: stat.text("Unit")?.map(ToOwned::to_owned),
    })
}

fn get_data(kernel: &mut Kernel, scope: &Scope, input: Input<'_>) -> Result<Value, ApiError> {
    let raw = input.list("MetricDataQueries")?;
    let queries = raw.iter().map(query).collect::<Result<Vec<_>, _>>()?;
    let call = GetData {
        start: seconds(input, "StartTime")?,
        end: seconds(input, "EndTime")?,
        order: match input.text("ScanBy")? {
            None | Some("TimestampDescending") => Order::NewestFirst,
            Some("TimestampAscending") => Order::OldestFirst,
            Some(_) => {
                return Err(refuse(
                    "ScanBy must be TimestampDescending or TimestampAscending",
                ));
            }
        },
        page: input.text("NextToken")?.map(ToOwned::to_owned),
        datapoints: input
            .whole("MaxDatapoints")?
            .map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(1)),
        queries,
    };
    let (parts, next) = kernel.metric_data(scope, &call)?;
    let results: Vec<Value> = parts
        .iter()
        .filter_map(|part| {
            let label = raw
                .get(part.query)
                .and_then(|raw| raw.get("Label"))
                .and_then(Value::as_str);
            call.queries
                .get(part.query)
                .map(|query| part_json(query, label, part))
        })
        .collect();
    Ok(with_token(
        json!({ "MetricDataResults": results, "Messages": [] }),
        next,
    ))
}

fn part_json(query: &Query, label: Option<&str>, part: &SeriesPart) -> Value {
    let times: Vec<i64> = part
        .points
        .iter()
        .map(|(minute, _)| minute.0 * 60)
        .collect();
    let values: Vec<f64> = part.points.iter().map(|(_, value)| *value).collect();
    json!({
        "Id": query.id,
        "Label": label.unwrap_or(&query.metric.name),
        "Timestamps": times,
        "Values": values,
        "StatusCode": status(part.status),
    })
}

const fn status(status: MetricStatus) -> &'static str {
    match status {
        MetricStatus::Complete => "Complete",
        MetricStatus::Partial => "PartialData",
        MetricStatus::InternalError => "InternalError",
        MetricStatus::Forbidden => "Forbidden",
    }
}

fn get_statistics(kernel: &mut Kernel, scope: &Scope, input: Input<'_>) -> Result<Value, ApiError> {
    let metric = metric(input)?;
    let mut statistics = input.texts("Statistics")?;
    let percentiles = input.texts("ExtendedStatistics")?;
    if statistics.is_empty() && percentiles.is_empty() {
        return Err(refuse(
            "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
        ));
    }
    statistics.extend(percentiles.iter().copied());
    let period_seconds = input.whole("Period")?.ok_or_else(|| missing("Period"))?;
    let (start, end) = (seconds(input, "StartTime")?, seconds(input, "EndTime")?);
    check_statistics(period_seconds, (start, end))?;
    let unit = Name::named(&metric.name).map_or("None", Name::unit);
    let mut points: BTreeMap<i64, serde_json::Map<String, Value>> = BTreeMap::new();
    for statistic in statistics {
        let query = Query {
            id: "q".to_owned(),
            owner: None,
            metric: metric.clone(),
            statistic: statistic.to_owned(),
            period_seconds,
            unit: input.text("Unit")?.map(ToOwned::to_owned),
        };
        let call = GetData {
            queries: Vec::new(),
            start,
            end,
            order: Order::OldestFirst,
            page: None,
            datapoints: 0,
        };
        for (minute, value) in kernel.series_points(scope, &call, &query)? {
            let point = points.entry(minute.0 * 60).or_default();
            if percentiles.contains(&statistic) {
                let extended = point
                    .entry("ExtendedStatistics")
                    .or_insert_with(|| json!({}));
                if let Some(extended) = extended.as_object_mut() {
                    extended.insert(statistic.to_owned(), json!(value));
                }
            } else {
                point.insert(statistic.to_owned(), json!(value));
            }
        }
    }
    // In no order, as AWS says: here, as good as any other, those of even minutes first.
    let mut points: Vec<_> = points.into_iter().collect();
    points.sort_by_key(|(at, _)| at.div_euclid(60).rem_euclid(2));
    let points: Vec<Value> = points
        .into_iter()
        .map(|(at, mut point)| {
            point.insert("Timestamp".to_owned(), json!(at));
            point.insert("Unit".to_owned(), json!(unit));
            Value::Object(point)
        })
        .collect();
    Ok(json!({ "Label": metric.name, "Datapoints": points }))
}
