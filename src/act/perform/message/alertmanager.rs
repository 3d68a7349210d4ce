//! Alertmanager, API v2. It has alerts and no messages: their labels are their identity, and one that is not sent again
//! ends by itself.

#![expect(clippy::indexing_slicing, reason = "what is written to is an object")]

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Letter, answer::Said, text};
use crate::{
    cloud::{Answer, Cloud, Post},
    model::{
        incident::Cause,
        links::LinkKind,
        receiver::{Notice, Phase, Secret},
        rule::{Category, Severity},
        time::{Timestamp, after},
    },
};

/// Minutes that an alert lasts unless it is sent again, which happens in each cycle: long enough for a restart of ours and
/// an hour's short trouble on the way, and short enough that nobody hunts what a dead daemon left behind.
const LASTS_MINUTES: i64 = 15;
/// Characters of a label value.
const MOST_LABEL: usize = 200;
/// Characters of an annotation.
const MOST_ANNOTATION: usize = 10_000;
/// Model ids that are listed.
const MOST_MODELS: usize = 20;
/// Alerts in one request.
const MOST_ALERTS: usize = 200;

/// Tells a beginning, a change or an end.
pub(super) async fn send(
    cloud: &dyn Cloud,
    url: &str,
    token: Option<&Secret>,
    letter: &Letter<'_>,
) -> Said {
    let Some(notice) = letter.notice else {
        return Said::NotThis("a message of an older release has no labels".to_owned());
    };
    post(cloud, url, token, &alerts(letter, notice, letter.sent_at())).await
}

/// Sends again what is open: all of it, or what the first refusal was.
pub(super) async fn repeat(
    cloud: &dyn Cloud,
    url: &str,
    token: Option<&Secret>,
    open: &[Letter<'_>],
    now: Timestamp,
) -> Said {
    let current = open.iter().filter_map(|letter| {
        let notice = letter.notice?;
        let until = after(now, LASTS_MINUTES);
        Some(alert(letter, notice, notice.severity, until))
    });
    let current: Vec<Value> = current.collect();
    for part in current.chunks(MOST_ALERTS) {
        let said = post(cloud, url, token, part).await;
        if !matches!(said, Said::Taken(_)) {
            return said;
        }
    }
    Said::Taken(format!("{} alerts", current.len()))
}

async fn post(cloud: &dyn Cloud, url: &str, token: Option<&Secret>, alerts: &[Value]) -> Said {
    let mut headers = vec![("content-type", "application/json".to_owned())];
    if let Some(token) = token {
        headers.push(("authorization", format!("Bearer {}", token.expose())));
    }
    let post = Post {
        operation: "alertmanager:PostAlerts",
        url: format!("{url}/api/v2/alerts"),
        headers,
        body: Value::from(alerts.to_vec()).to_string(),
    };
    match cloud.post(&post).await {
        Ok(answer) => judge(&answer, alerts.len()),
        Err(fault) => Said::None(fault),
    }
}

/// The alert as it is now, and the ends of those under its other severities: the severity is a label, so that another one
/// is another alert. An end that Alertmanager knows no beginning of tells nobody anything.
pub(super) fn alerts(letter: &Letter<'_>, notice: &Notice, now: Timestamp) -> Vec<Value> {
    let end = notice.resolved.unwrap_or(now).min(now);
    let mut alerts = Vec::new();
    for severity in Severity::ALL {
        let is_on = severity == notice.severity && notice.phase != Phase::Resolved;
        if is_on {
            alerts.push(alert(letter, notice, severity, after(now, LASTS_MINUTES)));
        } else if notice.phase != Phase::Opened {
            alerts.push(alert(letter, notice, severity, end));
        }
    }
    alerts
}

fn alert(letter: &Letter<'_>, notice: &Notice, severity: Severity, ends: Timestamp) -> Value {
    let starts = notice.began.start();
    let links = letter.links();
    let mut alert = json!({
        "labels": labels(notice, severity),
        "annotations": {
            "summary": text::line(letter.subject, MOST_LABEL),
            "description": text::clean(letter.body, MOST_ANNOTATION),
            "incident": letter.intent.incident.as_str(),
            "models": super::models(notice, MOST_MODELS, MOST_LABEL).join(", "),
        },
        "startsAt": starts.to_string(),
        "endsAt": ends.max(starts).to_string(),
    });
    // What it was made of: our page of it, or its graph where nobody said how people reach that page.
    let source = |kind| links.iter().find(|it| it.kind == kind);
    if let Some(source) = source(LinkKind::Incident).or_else(|| source(LinkKind::Metric)) {
        alert["generatorURL"] = json!(source.url);
    }
    for link in &links {
        let name = format!("{}_url", link.kind.name());
        alert["annotations"][name] = json!(link.url);
    }
    alert
}

/// What stays the same while the incident lasts, its severity aside.
fn labels(notice: &Notice, severity: Severity) -> Value {
    let scope = notice.cause.scope();
    let mut labels = Map::new();
    let mut put = |name: &str, value: &str| {
        let value = label(value);
        if !value.is_empty() {
            labels.insert(name.to_owned(), json!(value)); // an empty one would be dropped there
        }
    };
    put("alertname", alert_name(notice.category()));
    put("severity", severity.name());
    put("category", notice.category().name());
    put("account", scope.account.as_str());
    put("region", scope.region.as_str());
    match &notice.cause {
        Cause::Quota { code, .. } => put("quota_code", code.as_str()),
        Cause::Pool { pool, .. } => {
            put("family", pool.family.name());
            put("model", pool.model.as_str());
        }
    }
    Value::Object(labels)
}

const fn alert_name(category: Category) -> &'static str {
    match category {
        Category::Quota => "BedrockQuota",
        Category::Throttle => "BedrockThrottling",
        Category::ClientError => "BedrockClientErrors",
        Category::ServerError => "BedrockServerErrors",
        Category::Latency => "BedrockLatency",
        Category::Anomaly => "BedrockAnomaly",
        Category::Lifecycle => "BedrockLifecycle",
        Category::Residency => "BedrockResidency",
        Category::ResidencyBreach => "BedrockResidencyBreach",
    }
}

/// A value that is cut keeps a hash of the whole, so that two that begin alike stay two.
fn label(value: &str) -> String {
    let short = text::line(value, MOST_LABEL);
    if !short.ends_with('…') {
        return short;
    }
    let hash = Sha256::digest(value.as_bytes());
    let hash = data_encoding::HEXLOWER.encode(&hash);
    format!("{short}{}", hash.get(..8).unwrap_or_default())
}

fn judge(answer: &Answer, alerts: usize) -> Said {
    Said::by_status(answer).unwrap_or_else(|| Said::Taken(format!("{alerts} alerts")))
}
