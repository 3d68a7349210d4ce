//! PagerDuty, Events API v2. Every event of an incident carries its id as `dedup_key`: sent twice, it is one alert.

#![expect(
    clippy::indexing_slicing,
    reason = "a JSON value that lacks a key reads as null, and what is written to is an object"
)]

use serde_json::{Value, json};

use super::{Letter, answer::Said, text};
use crate::{
    cloud::{Answer, Cloud, Post},
    model::{
        links::LinkKind,
        receiver::{Notice, Phase, Secret},
        rule::Severity,
    },
};

/// PagerDuty refuses longer ones.
const MOST_SUMMARY: usize = 1_024;
/// Characters of the message. An event may have 512,000 bytes; a character takes four at most, and quotes are escaped.
const MOST_BODY: usize = 50_000;
/// Model ids that are listed.
const MOST_MODELS: usize = 20;
/// Characters of one id.
const MOST_ID: usize = 256;

pub(super) async fn send(
    cloud: &dyn Cloud,
    url: &str,
    routing_key: &Secret,
    letter: &Letter<'_>,
) -> Said {
    let post = Post {
        operation: "pagerduty:Enqueue",
        url: url.to_owned(),
        headers: vec![("content-type", "application/json".to_owned())],
        body: event(routing_key, letter).to_string(),
    };
    match cloud.post(&post).await {
        Ok(answer) => judge(&answer, &dedup_key(letter)),
        Err(fault) => Said::None(fault),
    }
}

/// The event of this message.
pub(super) fn event(routing_key: &Secret, letter: &Letter<'_>) -> Value {
    let action = match letter.notice.map(|it| it.phase) {
        None | Some(Phase::Opened | Phase::Updated | Phase::Note) => "trigger",
        Some(Phase::Acknowledged) => "acknowledge",
        // What is over opens nothing: an end that PagerDuty knows no beginning of has no effect there.
        Some(Phase::Resolved | Phase::Past) => "resolve",
    };
    let mut event = json!({
        "routing_key": routing_key.expose(),
        "event_action": action,
        "dedup_key": dedup_key(letter),
    });
    if action == "trigger" {
        event["client"] = json!("Bedrock Ops Alert");
        event["payload"] = payload(letter);
        let links = letter.links();
        let page = links.iter().find(|it| it.kind == LinkKind::Incident);
        if let Some(page) = page {
            event["client_url"] = json!(page.url);
        }
        let links = links
            .iter()
            .map(|it| json!({ "href": it.url, "text": it.text }));
        event["links"] = Value::Array(links.collect());
    }
    event
}

/// Stable over all messages of an incident. What is said after its end would open it anew: that has a key of its own.
fn dedup_key(letter: &Letter<'_>) -> String {
    let incident = &letter.intent.incident;
    match letter.notice {
        Some(notice) if notice.phase == Phase::Note => format!("{incident}/{}", notice.number),
        Some(_) | None => incident.to_string(),
    }
}

fn payload(letter: &Letter<'_>) -> Value {
    let severity = letter.notice.map_or(letter.severity, |it| it.severity);
    let mut payload = json!({
        "summary": text::line(letter.subject, MOST_SUMMARY),
        "source": "bedrock-ops-alert",
        "severity": severity_name(severity),
        "custom_details": {
            "incident": letter.intent.incident.as_str(),
            "action": letter.intent.id.as_str(),
            "message": text::clean(letter.body, MOST_BODY),
        },
    });
    if let Some(notice) = letter.notice {
        describe(&mut payload, notice);
    }
    payload
}

fn describe(payload: &mut Value, notice: &Notice) {
    let scope = notice.cause.scope();
    let models = super::models(notice, MOST_MODELS, MOST_ID);
    payload["source"] = json!(format!("{}/{}", scope.account, scope.region));
    payload["timestamp"] = json!(notice.began.start().to_string());
    payload["class"] = json!(notice.category().name());
    if let Some(first) = models.first() {
        payload["component"] = json!(first);
    }
    let details = &mut payload["custom_details"];
    details["number"] = json!(notice.number);
    details["phase"] = json!(notice.phase.name());
    details["account"] = json!(scope.account.as_str());
    details["region"] = json!(scope.region.as_str());
    details["models"] = json!(models);
    details["quota_code"] = json!(super::quota_code(notice));
}

const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

fn judge(answer: &Answer, key: &str) -> Said {
    let is_about_key = answer.body.contains("routing_key") || answer.body.contains("outing key");
    match (answer.status, Said::by_status(answer)) {
        // A key that PagerDuty does not know is answered like a faulty event.
        (400, Some(Said::NotThis(why))) if is_about_key => Said::Nothing(why),
        (_, Some(said)) => said,
        (202, None) => Said::Taken(key.to_owned()),
        // 202 is the answer; a proxy's page would have another status.
        (_, None) => Said::Unclear(super::answer::told(answer)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_202_is_taken_and_a_wrong_key_is_not_the_events_fault() {
        let said = |status, body: &str| {
            judge(
                &Answer {
                    status,
                    retry_after_seconds: Some(30),
                    body: body.to_owned(),
                },
                "inc-1",
            )
        };
        assert_eq!(said(202, "{}"), Said::Taken("inc-1".to_owned()));
        assert!(matches!(said(200, "<html>"), Said::Unclear(_)));
        assert!(matches!(
            said(400, "Event object is invalid"),
            Said::NotThis(_)
        ));
        assert!(matches!(
            said(400, r#"{"errors":["'routing_key' is invalid"]}"#),
            Said::Nothing(_)
        ));
        assert!(matches!(said(429, ""), Said::Busy(Some(30), _)));
        assert!(matches!(said(500, ""), Said::Unclear(_)));
    }
}
