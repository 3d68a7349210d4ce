//! Approvals and rejections, and what keeps foreign pages from making them.

use bedrock_ops_alert::{
    cli::{
        remote::{Format, RemoteError},
        rule,
    },
    model::{
        action::IntentState,
        order::{Answer, Command},
        units::Amount,
    },
    runtime::shared::Posted,
    web::json::Ruling,
};
use tokio::sync::oneshot;

use super::{Served, books, client, serving};

fn proposal(served: &Served) -> String {
    let book = served.shared.book();
    let proposed = |state: &IntentState| matches!(state, IntentState::Proposed { .. });
    let intent = book.intents.values().find(|it| proposed(&it.state));
    intent.unwrap().id.to_string()
}

/// Verb, action, person and reply channel of an order.
fn parts(
    posted: Posted,
) -> (
    &'static str,
    String,
    String,
    oneshot::Sender<Result<Answer, String>>,
) {
    let Posted { order, reply } = posted;
    let verb = order.command.name();
    let (Command::Approve { action, .. } | Command::Reject { action }) = order.command.clone()
    else {
        panic!("{order:?}");
    };
    (verb, action.to_string(), order.by, reply)
}

fn by(name: &str) -> Ruling {
    Ruling {
        by: name.to_owned(),
        reason: None,
        value: None,
    }
}

fn done(subject: &str) -> Answer {
    Answer {
        subject: subject.to_owned(),
        what: "done".to_owned(),
    }
}

#[tokio::test]
async fn a_ruling_reaches_the_daemon_and_its_answer_comes_back() {
    serving(books::busy(), async |mut served: Served| {
        let (id, ruling) = (proposal(&served), by("Kim"));
        let url = served.url.clone();
        let mut out = Vec::new();
        let asking = rule::approve(&url, &id, &ruling, Format::Text, &mut out);
        let deciding = async {
            let (verb, action, by, reply) = parts(served.inbox.recv().await.unwrap());
            assert_eq!(
                (verb, action.as_str(), by.as_str()),
                ("approve", id.as_str(), "Kim")
            );
            reply.send(Ok(done(&id))).unwrap();
        };
        let (asked, ()) = tokio::join!(asking, deciding);
        asked.unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with(&format!("{id} approved by Kim\n")),
            "{text}"
        );

        let mut out = Vec::new();
        let asking = rule::reject(&url, &id, &ruling, Format::Json, &mut out);
        let deciding = async {
            let (verb, _, _, reply) = parts(served.inbox.recv().await.unwrap());
            assert_eq!(verb, "reject");
            reply
                .send(Err("it no longer waits for a person".to_owned()))
                .unwrap();
        };
        let (asked, ()) = tokio::join!(asking, deciding);
        let error = asked.unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert!(
            error
                .to_string()
                .ends_with("refused: it no longer waits for a person"),
            "{error}"
        );
        assert!(out.is_empty());
    })
    .await;
}

#[tokio::test]
async fn forged_and_malformed_orders_reach_nobody() {
    serving(books::busy(), async |mut served: Served| {
        let url = format!(
            "{}/api/v1/actions/{}/approve",
            served.url,
            proposal(&served)
        );
        let good = r#"{"by": "Kim"}"#;
        let json = Some("application/json");
        let long = format!(r#"{{"by": "{}"}}"#, "x".repeat(101));
        for (header, kind, body, expected) in [
            (None, json, good, 403),
            (Some("yes"), json, good, 403),
            (Some("1"), None, good, 415),
            (Some("1"), Some("text/plain"), good, 415),
            (Some("1"), json, "", 422),
            (Some("1"), json, r#"{"by": ""}"#, 422),
            (Some("1"), json, r#"{"by": "Kim", "force": true}"#, 422),
            (Some("1"), json, "{\"by\": \"Kim\\u202e\"}", 422),
            (Some("1"), json, long.as_str(), 422),
        ] {
            let mut request = client().post(&url).body(body.to_owned());
            if let Some(value) = header {
                request = request.header("X-BOA-Request", value);
            }
            if let Some(kind) = kind {
                request = request.header("Content-Type", kind);
            }
            let response = request.send().await.unwrap();
            assert_eq!(
                response.status().as_u16(),
                expected,
                "{header:?} {kind:?} {body}"
            );
        }
        let request = client().post(&url).header("X-BOA-Request", "1");
        let request = request.header("Content-Type", "application/json");
        let too_long = request.body("x".repeat(5_000)).send().await.unwrap();
        assert_eq!(too_long.status().as_u16(), 413);
        assert_eq!(
            client().get(&url).send().await.unwrap().status().as_u16(),
            405
        );
        assert!(served.inbox.try_recv().is_err(), "an order got through");
    })
    .await;
}

#[tokio::test]
async fn a_daemon_that_is_gone_decides_nothing() {
    serving(books::busy(), async |served: Served| {
        let (id, ruling) = (proposal(&served), by("Kim"));
        let url = served.url.clone();
        let mut out = Vec::new();
        let unknown = rule::approve(&url, "act-none", &ruling, Format::Text, &mut out).await;
        let error = unknown.unwrap_err();
        assert!(matches!(&error, RemoteError::Refused { .. }), "{error}");
        drop(served.inbox);
        let refused = rule::approve(&url, &id, &ruling, Format::Text, &mut out).await;
        let text = refused.unwrap_err().to_string();
        assert!(text.contains("nothing was decided"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn another_value_and_a_reason_reach_the_daemon() {
    serving(books::busy(), async |mut served: Served| {
        let (id, url) = (proposal(&served), served.url.clone());
        let ruling = Ruling {
            by: "Kim".to_owned(),
            reason: Some("the launch is smaller".to_owned()),
            value: Some(1_200_000.0),
        };
        let mut out = Vec::new();
        let asking = rule::approve(&url, &id, &ruling, Format::Text, &mut out);
        let deciding = async {
            let Posted { order, reply } = served.inbox.recv().await.unwrap();
            assert_eq!(order.why.as_deref(), Some("the launch is smaller"));
            let Command::Approve { value, .. } = order.command else {
                panic!("{order:?}");
            };
            assert_eq!(value, Amount::new(1_200_000.0));
            reply.send(Ok(done(&id))).unwrap();
        };
        let (asked, ()) = tokio::join!(asking, deciding);
        asked.unwrap();
        // A rejection has no value.
        let mut out = Vec::new();
        let refused = rule::reject(&url, &id, &ruling, Format::Text, &mut out).await;
        let why = refused.unwrap_err().to_string();
        assert!(why.contains("approve with it"), "{why}");
        assert!(served.inbox.try_recv().is_err(), "an order got through");
    })
    .await;
}
