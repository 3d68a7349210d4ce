//! CloudWatch: which metrics there are, and their datapoints.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{self as sdk, RecentlyActive, StatusCode},
};

use super::{
    actions,
    call::{send, token},
    clients::Clients,
    fault::{garbled, need},
    meter::Probe,
};
use crate::{
    cloud::{
        Fault, FaultClass, Metric, MetricQuery, MetricRequest, MetricResult, MetricStatus, Page,
    },
    model::{ids::AccountId, time::Minute},
};

const LIST: &str = actions::LIST_METRICS;
const READ: &str = actions::GET_METRIC_DATA;
const READ_ONE: &str = actions::GET_METRIC_STATISTICS;

impl Clients {
    /// `of` names the source account whose metrics are meant; without it they are the caller's own.
    pub(super) async fn list_metrics(
        &self,
        of: Option<&AccountId>,
        namespace: &str,
        recently_active: bool,
        page: Option<String>,
    ) -> Result<Page<Metric>, Fault> {
        let request = self
            .cloudwatch
            .list_metrics()
            .namespace(namespace)
            .set_recently_active(recently_active.then_some(RecentlyActive::Pt3H))
            .set_include_linked_accounts(of.map(|_| true))
            .set_owning_account(of.map(ToString::to_string))
            .set_next_token(page);
        let answer = send!(self.meter, read, LIST, request)?;
        let listed = answer.metrics.unwrap_or_default(); // no list is AWS's way to say: an empty one
        if let Some(of) = of {
            are_of(
                of,
                listed.len(),
                &answer.owning_accounts.unwrap_or_default(),
            )?;
        }
        let items = listed.into_iter().map(metric).collect::<Result<_, _>>()?;
        Ok(Page {
            items,
            next: token(answer.next_token),
        })
    }

    /// `of` is as in [`Clients::list_metrics`].
    pub(super) async fn metric_data(
        &self,
        of: Option<&AccountId>,
        request: MetricRequest,
    ) -> Result<Page<MetricResult>, Fault> {
        let series = request.queries.len();
        let queries = request.queries.into_iter();
        let queries = queries.map(|it| query(it, of)).collect();
        let request = self
            .cloudwatch
            .get_metric_data()
            .set_metric_data_queries(Some(queries))
            .start_time(instant(request.from))
            .end_time(instant(request.until))
            .set_next_token(request.page);
        let probe = Probe::of_metrics(&self.meter, READ, series);
        let answer = send!(probe, request)?;
        let mut items = answer
            .metric_data_results
            .unwrap_or_default() // no list is AWS's way to say: an empty one
            .into_iter()
            .map(result)
            .collect::<Result<Vec<_>, _>>()?;
        for message in answer.messages.iter().flatten() {
            tracing::warn!(
                operation = READ,
                code = message.code(),
                message = message.value(),
                "CloudWatch remarks on the whole answer"
            );
            doubt(&mut items);
        }
        Ok(Page {
            items,
            next: token(answer.next_token),
        })
    }

    pub(super) async fn metric_statistics(
        &self,
        query: &MetricQuery,
        (from, until): (Minute, Minute),
    ) -> Result<Vec<(Minute, f64)>, Fault> {
        let statistic = query.statistic.as_str();
        let request = self
            .cloudwatch
            .get_metric_statistics()
            .namespace(&query.metric.namespace)
            .metric_name(&query.metric.name)
            .set_dimensions(Some(dimensions(&query.metric)))
            .period(query.period_seconds)
            .start_time(instant(from))
            .end_time(instant(until));
        let request = match sdk::Statistic::from(statistic) {
            known if sdk::Statistic::values().contains(&known.as_str()) => {
                request.statistics(known)
            }
            _ => request.extended_statistics(statistic),
        };
        let answer = send!(self.meter, read, READ_ONE, request)?;
        // AWS may leave out an empty list, and never the label: without either this is no answer, and proves no zero.
        if answer.datapoints.is_none() {
            need(READ_ONE, "Datapoints", answer.label.as_ref())?;
        }
        let points = answer.datapoints.unwrap_or_default();
        let labelled = points.iter().map(|point| {
            let time = need(READ_ONE, "Timestamp", point.timestamp)?;
            let value = need(
                READ_ONE,
                "the statistic asked for",
                number(point, statistic),
            )?;
            Ok((Minute(time.secs().div_euclid(60)), value))
        });
        labelled.collect()
    }
}

/// The statistic's number of a datapoint.
fn number(point: &sdk::Datapoint, statistic: &str) -> Option<f64> {
    match statistic {
        "Sum" => point.sum,
        "Average" => point.average,
        "SampleCount" => point.sample_count,
        "Minimum" => point.minimum,
        "Maximum" => point.maximum,
        percentile => point.extended_statistics.as_ref()?.get(percentile).copied(),
    }
}

/// A remark on the whole answer says that CloudWatch did "as much as possible", such as when there are too many
/// metrics: then nothing in it is proof that a datapoint is missing.
fn doubt(items: &mut [MetricResult]) {
    for item in items {
        if item.status == MetricStatus::Complete {
            item.status = MetricStatus::Partial;
        }
    }
}

fn instant(minute: Minute) -> DateTime {
    DateTime::from_secs(minute.start().as_second())
}

fn dimensions(metric: &Metric) -> Vec<sdk::Dimension> {
    let named = metric.dimensions.iter();
    let built =
        named.map(|(name, value)| sdk::Dimension::builder().name(name).value(value).build());
    built.collect()
}

/// An account that is no monitoring account answers with its own metrics, and names no owner of them: they must not be
/// taken for another one's.
fn are_of(of: &AccountId, metrics: usize, owners: &[String]) -> Result<(), Fault> {
    let is_of = |owner: &String| owner == of.as_str();
    if owners.len() == metrics && owners.iter().all(is_of) {
        return Ok(());
    }
    Err(Fault {
        operation: LIST,
        code: "NotLinked".to_owned(),
        message: format!(
            "metrics of account {of} were asked for, and {metrics} came that are not all said to be its own: \
             is `metrics_through` a monitoring account in this Region, and is {of} linked to it here?"
        ),
        class: FaultClass::Denied,
    })
}

fn query(query: MetricQuery, of: Option<&AccountId>) -> sdk::MetricDataQuery {
    let dimensions = dimensions(&query.metric);
    let metric = sdk::Metric::builder()
        .namespace(query.metric.namespace)
        .metric_name(query.metric.name)
        .set_dimensions(Some(dimensions))
        .build();
    let stat = sdk::MetricStat::builder()
        .metric(metric)
        .stat(query.statistic)
        .period(query.period_seconds)
        .build();
    sdk::MetricDataQuery::builder()
        .id(query.id)
        .set_account_id(of.map(ToString::to_string))
        .metric_stat(stat)
        .return_data(true)
        .build()
}

fn metric(metric: sdk::Metric) -> Result<Metric, Fault> {
    let mut dimensions = BTreeMap::new();
    for dimension in metric.dimensions.into_iter().flatten() {
        dimensions.insert(
            need(LIST, "Dimensions.Name", dimension.name)?,
            need(LIST, "Dimensions.Value", dimension.value)?,
        );
    }
    Ok(Metric {
        namespace: need(LIST, "Namespace", metric.namespace)?,
        name: need(LIST, "MetricName", metric.metric_name)?,
        dimensions,
    })
}

fn result(result: sdk::MetricDataResult) -> Result<MetricResult, Fault> {
    let id = need(READ, "Id", result.id)?;
    let status = match result.status_code {
        Some(StatusCode::Complete) => MetricStatus::Complete,
        Some(StatusCode::PartialData) => MetricStatus::Partial,
        Some(StatusCode::Forbidden) => MetricStatus::Forbidden,
        // A status that is missing, or a word we don't know, must never pass for complete data.
        Some(_) | None => MetricStatus::InternalError,
    };
    let times = result.timestamps.unwrap_or_default(); // a series without datapoints comes without the lists
    let values = result.values.unwrap_or_default();
    if times.len() != values.len() {
        return Err(garbled(
            READ,
            format!(
                "series `{id}` has {} timestamps and {} values",
                times.len(),
                values.len()
            ),
        ));
    }
    let points = times
        .iter()
        .zip(values)
        .map(|(time, value)| (Minute(time.secs().div_euclid(60)), value))
        .collect();
    Ok(MetricResult { id, status, points })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: Option<StatusCode>) -> sdk::MetricDataResult {
        sdk::MetricDataResult::builder()
            .id("m1")
            .set_status_code(status)
            .timestamps(DateTime::from_secs(120))
            .values(7.5)
            .build()
    }

    #[test]
    fn only_the_word_complete_is_complete() {
        for (word, expected) in [
            (Some("Complete"), MetricStatus::Complete),
            (Some("PartialData"), MetricStatus::Partial),
            (Some("Forbidden"), MetricStatus::Forbidden),
            (Some("InternalError"), MetricStatus::InternalError),
            (Some("SomethingNew"), MetricStatus::InternalError),
            (None, MetricStatus::InternalError),
        ] {
            let read = result(answer(word.map(StatusCode::from))).unwrap();
            assert_eq!(read.status, expected, "{word:?}");
            assert_eq!(read.points, [(Minute(2), 7.5)]);
        }
    }

    #[test]
    fn a_value_without_its_minute_is_garbled() {
        let mut torn = answer(Some(StatusCode::Complete));
        torn.values = Some(vec![1.0, 2.0]);
        assert_eq!(result(torn).unwrap_err().class, FaultClass::Garbled);
    }

    #[test]
    fn metrics_that_are_not_said_to_be_the_accounts_own_are_nobodys() {
        let of = AccountId::new("444455556666");
        let owners = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let told = |metrics, ids: &[&str]| are_of(&of, metrics, &owners(ids));
        assert_eq!(told(0, &[]), Ok(()));
        assert_eq!(told(2, &["444455556666", "444455556666"]), Ok(()));
        for (metrics, ids) in [
            (2, [].as_slice()),
            (2, &["444455556666"]),
            (2, &["444455556666", "111122223333"]),
        ] {
            let fault = told(metrics, ids).unwrap_err();
            assert_eq!(fault.class, FaultClass::Denied, "{ids:?}");
        }
    }

    #[test]
    fn a_remark_on_the_whole_answer_leaves_nothing_complete() {
        let words = ["Complete", "Forbidden", "InternalError"];
        let mut items: Vec<_> = words
            .map(|word| result(answer(Some(StatusCode::from(word)))).unwrap())
            .into();
        doubt(&mut items);
        let told: Vec<_> = items.iter().map(|item| item.status).collect();
        let expected = [
            MetricStatus::Partial,
            MetricStatus::Forbidden,
            MetricStatus::InternalError,
        ];
        assert_eq!(told, expected);
    }
}
