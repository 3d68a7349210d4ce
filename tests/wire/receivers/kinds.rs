//! Each kind of receiver through the same troubles, and what is its own.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use bedrock_ops_alert::model::{rule::Severity, time::after};

use super::{
    Desk, ROUTING_KEY, SECRET, incident,
    stand::{Reply, Request, Stand},
    start, table,
};

const KINDS: [&str; 5] = ["slack", "slack-bot", "pagerduty", "webhook", "alertmanager"];

fn two(kind: &str, first: &Stand, other: &Stand) -> String {
    format!(
        "[receiver.first]\n{}\n[receiver.other]\n{}",
        table(kind, &first.url),
        table("webhook", &other.url)
    )
}

#[tokio::test]
async fn whatever_a_receiver_does_nothing_is_lost_and_nobody_else_waits() {
    let troubles = [
        (Reply::Answer(429, "retry-after: 150\r\n", "slow down"), 3),
        (Reply::Answer(500, "", "<html>oops</html>"), 2),
        (Reply::Answer(503, "retry-after: 1\r\n", ""), 2),
        (Reply::Answer(403, "", "forbidden"), 15),
        (
            Reply::Answer(302, "location: http://127.0.0.1:1/\r\n", ""),
            15,
        ),
        (Reply::Close, 2),
        (Reply::Hang, 2),
    ];
    for kind in KINDS {
        for (trouble, least_minutes) in &troubles {
            let (first, other) = (Stand::start(), Stand::start());
            let mut desk = Desk::new("troubles", &two(kind, &first, &other)).await;
            first.script([trouble.clone()]);
            desk.tell(
                &mut incident("L-1"),
                Severity::Critical,
                &["first", "other"],
            );
            desk.minute().await;
            let what = format!("{kind} {trouble:?}: {}", desk.last_failure("first"));
            assert_eq!(desk.states("other"), ["done"], "{what}");
            assert_eq!(desk.states("first"), ["planned"], "{what}");
            for secret in [ROUTING_KEY, SECRET, "xoxb-", "/services/", "/hook"] {
                assert!(!what.contains(secret), "{what}");
            }
            for minute in 1..*least_minutes {
                desk.minute().await;
                assert_eq!(first.requests().len(), 1, "minute {minute} of {what}");
            }
            for _ in 0..2 {
                desk.minute().await;
            }
            assert_eq!(desk.states("first"), ["done"], "{what}");
        }
    }
}

#[tokio::test]
async fn one_that_asks_to_be_left_alone_is_and_hears_all_afterwards() {
    for kind in KINDS {
        let (first, other) = (Stand::start(), Stand::start());
        let mut desk = Desk::new("alone", &two(kind, &first, &other)).await;
        first.script([Reply::Answer(429, "retry-after: 300\r\n", "")]);
        for code in ["L-1", "L-2", "L-3"] {
            desk.tell(&mut incident(code), Severity::Warning, &["first", "other"]);
            desk.minute().await;
        }
        desk.minute().await;
        desk.minute().await;
        assert_eq!(first.requests().len(), 1, "{kind}");
        desk.minute().await; // five minutes after the answer
        assert_eq!(desk.states("first"), ["done"; 3], "{kind}");
        assert_eq!(desk.states("other"), ["done"; 3], "{kind}");
    }
}

#[tokio::test]
async fn messages_of_an_incident_keep_their_order_whatever_fails() {
    for kind in KINDS {
        let (first, other) = (Stand::start(), Stand::start());
        let mut desk = Desk::new("order", &two(kind, &first, &other)).await;
        first.script([Reply::Close, Reply::Close, Reply::Close]); // a bot looks before its second try
        let mut incident = incident("L-1");
        desk.tell(&mut incident, Severity::Warning, &["first"]);
        desk.minute().await;
        incident.resolved = Some(desk.now);
        desk.tell(&mut incident, Severity::Warning, &["first"]);
        desk.minute().await;
        // The end is not told before the beginning, and waits for nothing once that went through.
        assert_eq!(desk.states("first"), ["planned", "planned"], "{kind}");
        for _ in 0..15 {
            desk.minute().await;
        }
        assert_eq!(desk.states("first"), ["done", "done"], "{kind}");
    }
}

#[tokio::test]
async fn what_is_new_does_not_wait_for_the_next_try_of_what_came_before() {
    let (first, other) = (Stand::start(), Stand::start());
    let mut desk = Desk::new("new", &two("pagerduty", &first, &other)).await;
    first.script(vec![Reply::Close; 4]);
    let mut incident = incident("L-1");
    desk.tell(&mut incident, Severity::Warning, &["first"]);
    for _ in 0..20 {
        desk.minute().await; // the next try would be at 30
    }
    desk.tell(&mut incident, Severity::Critical, &["first"]);
    desk.minute().await;
    assert_eq!(desk.states("first"), ["done", "done"]);
    let events: Vec<Value> = first.requests().iter().map(Request::json).collect();
    assert_eq!(events[4]["payload"]["severity"], "warning");
    assert_eq!(events[5]["payload"]["severity"], "critical");
}

#[tokio::test]
async fn a_receiver_that_is_back_gets_what_waits_for_its_next_try() {
    let (first, other) = (Stand::start(), Stand::start());
    let mut desk = Desk::new("back", &two("webhook", &first, &other)).await;
    first.script(vec![Reply::Close; 4]);
    desk.tell(&mut incident("L-1"), Severity::Warning, &["first"]);
    for _ in 0..20 {
        desk.minute().await; // tried at 0, 2, 6 and 14; next at 30
    }
    assert_eq!(desk.states("first"), ["planned"]);
    desk.tell(&mut incident("L-2"), Severity::Warning, &["first"]);
    desk.minute().await;
    assert_eq!(desk.states("first"), ["done", "done"]);
}

#[tokio::test]
async fn pagerduty_opens_and_resolves_one_alert_an_incident() {
    let (first, other) = (Stand::start(), Stand::start());
    let mut desk = Desk::new("pagerduty", &two("pagerduty", &first, &other)).await;
    first.script([Reply::DoneAndClose]);
    let mut incident = incident("L-1");
    desk.tell(&mut incident, Severity::Warning, &["first"]);
    for _ in 0..4 {
        desk.minute().await;
    }
    desk.tell(&mut incident, Severity::Critical, &["first"]);
    desk.minute().await;
    incident.resolved = Some(desk.now);
    desk.tell(&mut incident, Severity::Critical, &["first"]);
    desk.minute().await;
    let events: Vec<Value> = first.requests().iter().map(Request::json).collect();
    let told: Vec<_> = events
        .iter()
        .map(|it| {
            (
                it["event_action"].as_str(),
                it["payload"]["severity"].as_str(),
            )
        })
        .collect();
    // The first answer was lost: the repetition has the same key, and so is the same alert.
    assert_eq!(
        told,
        [
            (Some("trigger"), Some("warning")),
            (Some("trigger"), Some("warning")),
            (Some("trigger"), Some("critical")),
            (Some("resolve"), None),
        ]
    );
    for event in &events {
        assert_eq!(event["dedup_key"], incident.id.as_str());
        assert_eq!(event["routing_key"], ROUTING_KEY);
    }
    let payload = &events[0]["payload"];
    assert_eq!(payload["source"], "111122223333/eu-central-1");
    assert_eq!(payload["class"], "quota");
    assert_eq!(payload["custom_details"]["quota_code"], "L-1");
    assert_eq!(payload["timestamp"], "2026-11-26T02:55:00Z");
}

#[tokio::test]
async fn a_webhook_is_signed_and_its_id_stays_over_retries() {
    let (first, other) = (Stand::start(), Stand::start());
    let mut desk = Desk::new("webhook", &two("webhook", &first, &other)).await;
    first.script([Reply::DoneAndClose]);
    desk.tell(&mut incident("L-1"), Severity::Warning, &["first"]);
    for _ in 0..4 {
        desk.minute().await;
    }
    let requests = first.requests();
    assert_eq!(requests.len(), 2);
    let key = BASE64.decode(SECRET.trim_start_matches("whsec_").as_bytes());
    let key = key.unwrap();
    for request in &requests {
        let header = |name: &str| request.headers[name].as_str();
        let signed = format!(
            "{}.{}.{}",
            header("webhook-id"),
            header("webhook-timestamp"),
            request.body
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(signed.as_bytes());
        let signature = header("webhook-signature").strip_prefix("v1,").unwrap();
        let signature = BASE64.decode(signature.as_bytes()).unwrap();
        mac.verify_slice(&signature).unwrap();
        assert_eq!(header("webhook-id"), request.json()["id"]);
    }
    assert_eq!(requests[0].body, requests[1].body);
    let times = requests.iter().map(|it| &it.headers["webhook-timestamp"]);
    let times: Vec<_> = times.collect();
    assert_ne!(times[0], times[1], "the time is that of the try");
    assert_eq!(*times[0], start().as_second().to_string());
    insta::assert_snapshot!(
        "webhook_body",
        serde_json::to_string_pretty(&requests[0].json()).unwrap()
    );
}

#[tokio::test]
async fn slack_has_one_message_an_incident_and_its_thread_has_the_rest() {
    let (first, other) = (Stand::start(), Stand::start());
    let mut desk = Desk::new("slack", &two("slack-bot", &first, &other)).await;
    let mut incident = incident("L-1");
    desk.tell(&mut incident, Severity::Warning, &["first"]);
    desk.minute().await;
    desk.tell(&mut incident, Severity::Critical, &["first"]);
    desk.minute().await;
    incident.resolved = Some(desk.now);
    desk.tell(&mut incident, Severity::Critical, &["first"]);
    desk.minute().await;
    let channel = first.channel();
    let shown: Vec<_> = channel
        .iter()
        .map(|it| (it["text"].as_str().unwrap(), it["thread_ts"].as_str()))
        .collect();
    let parent = channel[0]["ts"].as_str();
    assert_eq!(
        shown,
        [
            ("[resolved] TPM quota L-1", None),
            ("[updated] TPM quota L-1", parent),
            ("[resolved] TPM quota L-1", parent),
        ]
    );
    assert_eq!(channel[0]["unfurl_links"], false);
    let text = channel[0]["blocks"][1]["text"]["text"].as_str().unwrap();
    assert!(
        text.contains("A line &lt;with&gt; markup &amp; more."),
        "{text}"
    );
    assert!(
        first
            .requests()
            .iter()
            .all(|it| it.headers["authorization"] == "Bearer xoxb-1-2-abc")
    );
}

#[tokio::test]
async fn a_slack_message_whose_answer_was_lost_is_looked_for_and_not_posted_twice() {
    let (first, other) = (Stand::start(), Stand::start());
    let mut desk = Desk::new("lost", &two("slack-bot", &first, &other)).await;
    let mut incident = incident("L-1");
    first.script([Reply::DoneAndClose]);
    desk.tell(&mut incident, Severity::Warning, &["first"]);
    for _ in 0..4 {
        desk.minute().await;
    }
    assert_eq!(desk.states("first"), ["done"]);
    assert_eq!(first.channel().len(), 1);
    // The same in the thread: the update goes through, and the reply's answer is lost.
    desk.tell(&mut incident, Severity::Critical, &["first"]);
    first.script([
        Reply::Answer(200, "", r#"{"ok":true}"#),
        Reply::DoneAndClose,
    ]);
    for _ in 0..4 {
        desk.minute().await;
    }
    assert_eq!(desk.states("first"), ["done", "done"]);
    assert_eq!(first.channel().len(), 2);
    // Without the right to look it is posted again: one too many is better than one too few.
    incident.resolved = Some(desk.now);
    desk.tell(&mut incident, Severity::Critical, &["first"]);
    first.script([
        Reply::Answer(200, "", r#"{"ok":true}"#),
        Reply::DoneAndClose,
        Reply::Answer(200, "", r#"{"ok":false,"error":"missing_scope"}"#),
    ]);
    for _ in 0..4 {
        desk.minute().await;
    }
    assert_eq!(desk.states("first"), ["done"; 3]);
    assert_eq!(first.channel().len(), 4);
}

#[tokio::test]
async fn slack_says_no_with_200_and_that_is_no_delivery() {
    for (error, state) in [
        ("invalid_auth", "planned"),
        ("channel_not_found", "planned"),
        ("ratelimited", "planned"),
        ("a_word_of_tomorrow", "planned"),
        ("invalid_blocks", "refused"),
    ] {
        let (first, other) = (Stand::start(), Stand::start());
        let mut desk = Desk::new("says-no", &two("slack-bot", &first, &other)).await;
        let body: &'static str = Box::leak(format!(r#"{{"ok":false,"error":"{error}"}}"#).into());
        first.script([Reply::Answer(200, "", body)]);
        desk.tell(&mut incident("L-1"), Severity::Warning, &["first"]);
        desk.minute().await;
        assert_eq!(desk.states("first"), [state], "{error}");
        assert!(desk.last_failure("first").contains(error), "{error}");
    }
}

#[tokio::test]
async fn a_deleted_slack_message_is_replaced() {
    let (first, other) = (Stand::start(), Stand::start());
    let mut desk = Desk::new("deleted", &two("slack-bot", &first, &other)).await;
    let mut incident = incident("L-1");
    desk.tell(&mut incident, Severity::Warning, &["first"]);
    desk.minute().await;
    first.script([Reply::Answer(
        200,
        "",
        r#"{"ok":false,"error":"message_not_found"}"#,
    )]);
    for _ in 0..2 {
        desk.tell(&mut incident, Severity::Critical, &["first"]);
        desk.minute().await;
    }
    let channel = first.channel();
    assert!(
        channel[1]["thread_ts"].is_null(),
        "a new message of its own"
    );
    assert_eq!(channel[2]["thread_ts"], channel[1]["ts"]);
}

#[tokio::test]
async fn alertmanager_hears_what_is_open_each_minute_and_the_end_once() {
    let (first, other) = (Stand::start(), Stand::start());
    let mut desk = Desk::new("repeated", &two("alertmanager", &first, &other)).await;
    let mut incident = incident("L-1");
    desk.tell(&mut incident, Severity::Warning, &["first"]);
    for _ in 0..3 {
        desk.minute().await;
    }
    let sent = first.requests();
    assert_eq!(sent.len(), 4, "told once, and said again in each cycle");
    let labels = sent[0].json()[0]["labels"].clone();
    for request in &sent {
        assert_eq!(request.json()[0]["labels"], labels);
    }
    let ends = sent[3].json()[0]["endsAt"].clone();
    assert_eq!(ends, after(desk.now, 14).to_string());
    incident.resolved = Some(desk.now);
    desk.tell(&mut incident, Severity::Warning, &["first"]);
    let over = desk.now.to_string();
    for _ in 0..3 {
        desk.minute().await;
    }
    let sent = first.requests();
    assert_eq!(sent.len(), 5, "what is over is not said again");
    let last = sent[4].json();
    let ended: Vec<_> = last.as_array().unwrap().iter().collect();
    assert!(
        ended.iter().all(|it| it["endsAt"] == over.as_str()),
        "{last}"
    );
    assert!(ended.iter().any(|it| it["labels"] == labels), "{last}");
    // An Alertmanager that is away is told of on the page, and the next cycle says it again.
    first.script([Reply::Close]);
    let mut again = super::incident("L-2");
    desk.tell(&mut again, Severity::Warning, &["first"]);
    desk.minute().await;
    desk.minute().await;
    desk.minute().await;
    first.script([Reply::Close]);
    desk.minute().await;
    assert_eq!(desk.shared.health().unrepeated.len(), 1);
    desk.minute().await;
    assert!(desk.shared.health().unrepeated.is_empty());
}

#[tokio::test]
async fn what_a_person_decides_acknowledges_the_alert_and_only_there() {
    let (first, other) = (Stand::start(), Stand::start());
    let routes = "[[route]]\nreceiver = \"first\"\n[[route]]\nreceiver = \"other\"\n";
    let configuration = two("pagerduty", &first, &other) + routes;
    let mut desk = Desk::new("acknowledged", &configuration).await;
    let mut incident = incident("L-1");
    desk.tell(&mut incident, Severity::Critical, &["first", "other"]);
    let action = desk.propose(&incident);
    desk.minute().await;
    desk.reject(&action, "alice").await;
    let events: Vec<Value> = first.requests().iter().map(Request::json).collect();
    assert_eq!(events.len(), 2);
    assert_eq!(events[1]["event_action"], "acknowledge");
    assert_eq!(events[1]["dedup_key"], events[0]["dedup_key"]);
    assert_eq!(other.requests().len(), 1, "nobody else is told");
}
