//! Who hears instead, and what is told of messages that nobody took.

use std::sync::Arc;

use bedrock_ops_alert::{
    model::{receiver::Phase, rule::Severity},
    web::{self, View, json::Level},
};

use super::{
    Desk, incident,
    stand::{Reply, Stand},
    table,
};

/// `first` falls back to `second`, and `second` to `third`.
fn chain(stands: [&Stand; 3]) -> String {
    let [first, second, third] = stands.map(|it| it.url.clone());
    format!(
        "[receiver.first]\nfallback = \"second\"\n{}\n\
         [receiver.second]\nfallback = \"third\"\nfallback_after = \"10m\"\n{}\n\
         [receiver.third]\n{}\n\
         [[route]]\nreceiver = \"first\"\n",
        table("pagerduty", &first),
        table("webhook", &second),
        table("slack", &third)
    )
}

fn stands() -> [Stand; 3] {
    [(); 3].map(|()| Stand::start())
}

#[tokio::test]
async fn a_refusal_is_told_elsewhere_at_once_and_only_once() {
    let [first, second, third] = stands();
    let mut desk = Desk::new("refusal", &chain([&first, &second, &third])).await;
    first.script([Reply::Answer(403, "", "no"), Reply::Answer(403, "", "no")]);
    desk.tell(&mut incident("L-1"), Severity::Critical, &["first"]);
    desk.minute().await;
    assert_eq!(desk.states("second"), ["done"], "in the same cycle");
    let told = second.requests()[0].json();
    assert_eq!(told["subject"], "[opened] TPM quota L-1");
    let text = told["text"].as_str().unwrap();
    let last = text.lines().last().unwrap();
    assert_eq!(
        last,
        "You hear this in the place of first, which could not be told: the message to `first` was refused: HTTP 403: no."
    );
    for _ in 0..40 {
        desk.minute().await;
    }
    assert_eq!(
        desk.states("first"),
        ["done"],
        "it hears as well once it can"
    );
    assert_eq!(second.requests().len(), 1);
    assert!(third.requests().is_empty());
}

#[tokio::test]
async fn a_failure_is_told_elsewhere_after_its_time_and_down_the_chain() {
    let [first, second, third] = stands();
    let mut desk = Desk::new("failure", &chain([&first, &second, &third])).await;
    first.script(vec![Reply::Close; 20]);
    second.script(vec![Reply::Answer(500, "", ""); 20]);
    desk.tell(&mut incident("L-1"), Severity::Critical, &["first"]);
    for minute in 0..15 {
        desk.minute().await;
        assert_eq!(
            !second.requests().is_empty(),
            5 <= minute,
            "minute {minute}"
        );
        let is_told = !third.requests().is_empty();
        assert_eq!(is_told, 15 <= minute, "minute {minute}");
    }
    desk.minute().await;
    assert_eq!(desk.states("third"), ["done"]);
}

#[tokio::test]
async fn what_is_refused_as_it_is_goes_elsewhere_and_does_not_block_what_follows() {
    let [first, second, third] = stands();
    let mut desk = Desk::new("as-it-is", &chain([&first, &second, &third])).await;
    first.script([Reply::Answer(400, "", "Event object is invalid")]);
    let mut incident = incident("L-1");
    desk.tell(&mut incident, Severity::Critical, &["first"]);
    desk.minute().await;
    desk.tell(&mut incident, Severity::Critical, &["first"]);
    desk.minute().await;
    assert_eq!(desk.states("first"), ["refused", "done"]);
    assert_eq!(desk.states("second"), ["done"]);
}

#[tokio::test]
async fn a_fallback_is_told_nothing_that_it_has_heard_by_its_own_route() {
    let [first, second, third] = stands();
    let mut desk = Desk::new("own-route", &chain([&first, &second, &third])).await;
    first.script([Reply::Answer(403, "", "no")]);
    desk.tell(
        &mut incident("L-1"),
        Severity::Critical,
        &["first", "second"],
    );
    desk.minute().await;
    assert_eq!(desk.states("second"), ["done"]);
    assert_eq!(second.requests().len(), 1);
    assert_eq!(second.requests()[0].json()["phase"], Phase::Opened.name());
}

#[tokio::test]
async fn what_nobody_took_is_told_on_the_page_in_status_and_in_the_metrics() {
    let [first, second, third] = stands();
    let mut desk = Desk::new("nobody", &chain([&first, &second, &third])).await;
    for stand in [&first, &second, &third] {
        stand.script(vec![Reply::Answer(404, "", "gone"); 3]);
    }
    desk.tell(&mut incident("L-1"), Severity::Critical, &["first"]);
    desk.minute().await;
    let status = {
        let (book, health) = (desk.shared.book(), desk.shared.health());
        let settings = desk.shared.settings();
        let view = View {
            book: &book,
            health: &health,
            settings: &settings,
            stop: None,
            is_simulated: false,
            idle_seconds: 0,
            still_seconds: 0,
        };
        view.status()
    };
    assert!(
        Level::Warning <= status.verdict.level,
        "{:?}",
        status.verdict
    );
    insta::assert_snapshot!("nobody", status.notices.join("\n"));
    let metrics = scraped(&desk, "/metrics").await;
    for line in [
        "boa_messages_unheard 1.0",
        r#"boa_receiver_waiting{receiver="first",kind="pagerduty"} 1.0"#,
        r#"boa_receiver_waiting{receiver="third",kind="slack"} 1.0"#,
        r#"boa_receiver_given_up{receiver="first",kind="pagerduty"} 0.0"#,
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert!(scraped(&desk, "/").await.contains("reached nobody so far"));
    // Once somebody took it, nothing is left to say of the message.
    for _ in 0..50 {
        desk.minute().await;
    }
    let metrics = scraped(&desk, "/metrics").await;
    assert!(metrics.contains("boa_messages_unheard 0.0"), "{metrics}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's server ends with the test's runtime"
)]
async fn scraped(desk: &Desk, path: &str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{path}", listener.local_addr().unwrap());
    let shared = Arc::clone(&desk.shared);
    let serving = tokio::spawn(web::serve(shared, listener, std::future::pending::<()>()));
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    serving.abort();
    text
}
