//! What the demo came to, computed from the simulated AWS's own record and the world's labels.
//!
//! The daemon is never asked: what it says of itself would prove nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::model::{
    spend::{CallCounts, Calls, Site},
    time::{Minute, Timestamp},
};

/// A stretch of the world in which nobody should be woken for this target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Benign {
    /// The base model that the messages would name.
    pub model: String,
    /// First minute.
    pub from: Minute,
    /// Last minute.
    pub until: Minute,
}

/// Minutes around a benign stretch that still belong to it.
const AROUND_MINUTES: i64 = 15;

/// Pages (messages to one of `pager_topics`) about a benign target within its benign stretch. That something is over is no
/// page: it may be told hours after what came back is over at last.
#[must_use]
pub fn pages_on_benign(state: &Value, pager_topics: &BTreeSet<String>, benign: &[Benign]) -> usize {
    let pages = items(state, "published").filter(|it| pager_topics.contains(text(it, "topic_arn")));
    let is_benign = |page: &&Value| {
        let at = text(page, "at").parse::<Timestamp>().ok().map(Minute::of);
        benign.iter().any(|stretch| {
            let is_then = at.is_some_and(|at| {
                stretch.from.plus(-AROUND_MINUTES) <= at && at <= stretch.until.plus(AROUND_MINUTES)
            });
            let is_end = text(page, "subject").starts_with("[resolved]");
            is_then && !is_end && text(page, "message").contains(&stretch.model)
        })
    };
    pages.filter(is_benign).count()
}

/// What arrived twice at AWS: cases with one marker, communications with one body, requests open side by side.
#[must_use]
pub fn duplicates(state: &Value) -> usize {
    let mut seen = BTreeSet::new();
    let mut twice = 0;
    for case in items(state, "cases") {
        // A case that Service Quotas opened has AWS's own fixed subject: only ours carry a marker.
        if let Some(marker) = marker(text(case, "subject")) {
            twice += usize::from(!seen.insert(("case", text(case, "account"), marker.to_owned())));
        }
        let mut bodies = BTreeSet::new();
        for communication in items(case, "communications") {
            let body = text(communication, "body");
            let is_ours = text(communication, "submitted_by") != "Amazon Web Services";
            twice += usize::from(is_ours && !bodies.insert(body));
        }
    }
    let mut open = BTreeMap::new();
    for request in items(state, "quota_requests") {
        if matches!(text(request, "status"), "PENDING" | "CASE_OPENED") {
            let key = (
                text(request, "account"),
                text(request, "region"),
                text(request, "quota_code"),
            );
            *open.entry(key).or_insert(0_usize) += 1;
        }
    }
    twice + open.values().map(|count| count - 1).sum::<usize>()
}

/// Cases that we opened, told by the marker in their subject.
#[must_use]
pub fn investigations(state: &Value) -> usize {
    items(state, "cases")
        .filter(|case| marker(text(case, "subject")).is_some())
        .count()
}

/// Messages that left: published to topics, and posted to webhooks.
#[must_use]
pub fn messages(state: &Value) -> usize {
    items(state, "published").count() + items(state, "slack").count()
}

/// How the quota requests fared, told by the values that were applied between a request and the next one.
///
/// `values` gives the applied values of a quota (account, Region, code), each with the instant from which it held.
#[must_use]
pub fn quota_requests(
    state: &Value,
    values: impl Fn(&str, &str, &str) -> Vec<(Timestamp, f64)>,
) -> Value {
    let mut by_quota: BTreeMap<[&str; 3], Vec<&Value>> = BTreeMap::new();
    for request in items(state, "quota_requests") {
        let key = [
            text(request, "account"),
            text(request, "region"),
            text(request, "quota_code"),
        ];
        by_quota.entry(key).or_default().push(request);
    }
    let mut counts = BTreeMap::from([
        ("filed", 0),
        ("granted", 0),
        ("partly_granted", 0),
        ("denied", 0),
    ]);
    for ([account, region, code], mut requests) in by_quota {
        requests.sort_by_key(|request| created(request));
        let values = values(account, region, code);
        for (index, request) in requests.iter().enumerate() {
            let until = requests.get(index + 1).and_then(|next| created(next));
            *counts.entry("filed").or_insert(0) += 1;
            if let Some(outcome) = outcome(request, until, &values) {
                *counts.entry(outcome).or_insert(0) += 1;
            }
        }
    }
    json!(counts)
}

fn created(request: &Value) -> Option<Timestamp> {
    text(request, "created").parse().ok()
}

/// `None` while a request is open and nothing has changed.
fn outcome(
    request: &Value,
    until: Option<Timestamp>,
    values: &[(Timestamp, f64)],
) -> Option<&'static str> {
    let from = created(request)?;
    let desired = request.get("desired").and_then(Value::as_f64)?;
    let before = values
        .iter()
        .rfind(|(at, _)| *at <= from)
        .map(|(_, value)| *value);
    let later = values
        .iter()
        .filter(|(at, _)| from < *at && until.is_none_or(|until| *at <= until));
    let reached = later.map(|(_, value)| *value).fold(f64::MIN, f64::max);
    if desired <= reached {
        Some("granted")
    } else if before.is_some_and(|before| before < reached) {
        Some("partly_granted")
    } else if matches!(text(request, "status"), "PENDING" | "CASE_OPENED") {
        None
    } else {
        Some("denied")
    }
}

/// Incidents that people heard of: the distinct ids that the messages name.
#[must_use]
pub fn incidents(state: &Value) -> usize {
    let published = items(state, "published").map(|it| text(it, "message"));
    let posted = items(state, "slack").map(|it| text(it, "body"));
    let ids: BTreeSet<&str> = published.chain(posted).filter_map(incident).collect();
    ids.len()
}

fn incident(message: &str) -> Option<&str> {
    let from = message.find("inc-")?;
    message.get(from..from + "inc-".len() + 10)
}

/// All calls that arrived, and the metrics asked for in them.
#[must_use]
pub fn calls(state: &Value) -> CallCounts {
    let count = |key: &str| -> BTreeMap<String, u64> {
        let counts = state
            .get(key)
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        counts
            .filter_map(|(name, count)| Some((name.clone(), count.as_u64()?)))
            .collect()
    };
    let billed = count("billed_metrics");
    let mut counts = CallCounts::default();
    for (operation, requests) in count("calls") {
        let metrics = billed.get(&operation).copied().unwrap_or(0); // billed by the request
        let scope = None;
        counts.add(Site { scope, operation }, Calls { requests, metrics });
    }
    counts
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

/// `[BOA-…]` in a text.
fn marker(text: &str) -> Option<&str> {
    let from = text.find("[BOA-")?;
    let rest = text.get(from..)?;
    let until = rest.find(']')?;
    rest.get(..=until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_sent_twice() {
        let comment = |body: &str| json!({"submitted_by": "us", "body": body});
        let case = |subject: &str, bodies: &[&str]| {
            let communications: Vec<Value> = bodies.iter().map(|body| comment(body)).collect();
            json!({"account": "1", "subject": subject, "communications": communications})
        };
        let request =
            json!({"account": "1", "region": "r", "quota_code": "L-1", "status": "CASE_OPENED"});
        let clean = json!({"cases": [case("a [BOA-1]", &["x"]), case("b [BOA-2]", &["x"])], "quota_requests": [request]});
        assert_eq!(duplicates(&clean), 0);
        let double = json!({
            "cases": [case("a [BOA-1]", &["x", "x"]), case("b [BOA-1]", &[])],
            "quota_requests": [request, request],
        });
        assert_eq!(duplicates(&double), 3);
    }

    #[test]
    fn a_grant_is_told_by_the_value() {
        let at =
            |hour: u8| -> Timestamp { format!("2026-03-02T{hour:02}:00:00Z").parse().unwrap() };
        let request = |hour: u8, desired: f64, status: &str| json!({"account": "1", "region": "r", "quota_code": "L-1", "desired": desired, "status": status, "created": at(hour).to_string()});
        let state = json!({"quota_requests": [
            request(1, 200.0, "CASE_CLOSED"),
            request(5, 300.0, "CASE_CLOSED"),
            request(9, 400.0, "CASE_CLOSED"),
            request(12, 400.0, "CASE_OPENED"),
        ]});
        let values =
            |_: &str, _: &str, _: &str| vec![(at(0), 100.0), (at(3), 150.0), (at(6), 300.0)];
        let counts = quota_requests(&state, values);
        assert_eq!(
            counts,
            json!({"filed": 4, "granted": 1, "partly_granted": 1, "denied": 1})
        );
    }

    #[test]
    fn a_page_counts_against_us_only_on_a_benign_target_in_its_time() {
        let page =
            |message: &str, at: &str| json!({"topic_arn": "pager", "message": message, "at": at});
        let state = json!({"published": [
            page("model-a is at 90 %", "2026-03-02T12:00:00Z"),
            page("model-a is at 90 %", "2026-03-02T18:00:00Z"),
            page("model-b is at 90 %", "2026-03-02T12:00:00Z"),
            {"topic_arn": "notices", "message": "model-a", "at": "2026-03-02T12:00:00Z"},
            {"topic_arn": "pager", "subject": "[resolved] model-a", "message": "model-a", "at": "2026-03-02T12:00:00Z"},
        ]});
        let noon = Minute::of("2026-03-02T12:00:00Z".parse().unwrap());
        let benign = [Benign {
            model: "model-a".to_owned(),
            from: noon.plus(-10),
            until: noon.plus(10),
        }];
        let topics = BTreeSet::from(["pager".to_owned()]);
        assert_eq!(pages_on_benign(&state, &topics, &benign), 1);
    }
}
