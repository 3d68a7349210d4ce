//! Documents, health and the guard.

use std::sync::Arc;

use bedrock_ops_alert::{model::ids::IncidentId, runtime::shared::Shared, web, web::json::Level};
use serde_json::Value;
use tokio::net::TcpListener;

use super::{Served, books, client, get, serving};

#[tokio::test]
async fn documents_keep_their_shapes() {
    serving(books::busy(), async |served: Served| {
        let (status, text) = get(&format!("{}/api/v1/status", served.url)).await;
        assert_eq!(status, 200);
        let shown = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
        insta::assert_snapshot!("status", shown);
        let document: Value = serde_json::from_str(&text).unwrap();
        let id = document["incidents"][1]["id"].as_str().unwrap();
        let (status, text) = get(&format!("{}/api/v1/explain/{id}", served.url)).await;
        assert_eq!(status, 200);
        insta::assert_snapshot!("explain_incident", text);
        let (_, text) = get(&format!("{}/api/v1/incidents", served.url)).await;
        let list: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(list["incidents"].as_array().unwrap().len(), 3);
        let (status, text) = get(&format!("{}/api/v1/incidents/{id}", served.url)).await;
        let incident: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, incident["brief"]["id"].as_str()), (200, Some(id)));
    })
    .await;
}

#[tokio::test]
async fn everything_that_has_a_name_can_be_explained() {
    serving(books::busy(), async |served: Served| {
        let incident = {
            let book = served.shared.book();
            let action = book.intents.values().next().unwrap();
            (action.incident.clone(), action.id.clone(), action.marker())
        };
        let (incident, action, marker): (IncidentId, _, _) = incident;
        for (asked, kind) in [
            (incident.as_str(), "incident"),
            (action.as_str(), "action"),
            (marker.as_str(), "action"),
            ("req-8f2c", "request"),
            ("170112233445566", "case"),
            ("case-111122223333-muen-2026-bb", "case"),
            (
                "111122223333/us-east-1/geo/anthropic.claude-sonnet-4-6",
                "pool",
            ),
            (
                "111122223333/us-east-1/on-demand/amazon.nova-pro-v1:0",
                "pool",
            ),
            ("us.anthropic.claude-sonnet-4-6", "target"),
            ("L-00FF3314", "quota"),
        ] {
            let (status, text) = get(&format!("{}/api/v1/explain/{asked}", served.url)).await;
            assert_eq!(status, 200, "{asked}: {text}");
            let document: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(document["kind"], kind, "{asked}");
            assert!(
                !document["incidents"].as_array().unwrap().is_empty(),
                "{asked}"
            );
        }
        let (status, text) = get(&format!("{}/api/v1/explain/inc-none", served.url)).await;
        assert_eq!(status, 404);
        assert!(text.contains("nothing is known by this id"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn health_says_why_not() {
    serving(books::quiet(), async |served: Served| {
        let ready = format!("{}/readyz", served.url);
        let healthy = format!("{}/healthz", served.url);
        assert_eq!((get(&ready).await.0, get(&healthy).await.0), (200, 200));

        let failing = (
            ("read", books::scope("us-east-1")),
            books::failing("cloudwatch:GetMetricData", "NoCredentials", "none came"),
        );
        served.shared.health_mut().failing.extend([failing]);
        let (status, text) = get(&ready).await;
        assert_eq!(status, 503);
        assert!(
            text.contains("read fails in prod (111122223333) us-east-1: cloudwatch:GetMetricData failed: NoCredentials"),
            "{text}"
        );
        assert_eq!(get(&healthy).await.0, 200);

        served.shared.health_mut().is_ready = false;
        assert!(get(&ready).await.1.contains("the first cycle is not done"));

        drop(served.inbox); // The loop has ended.
        let (status, text) = get(&healthy).await;
        assert_eq!(status, 503);
        assert!(text.contains("loop has ended"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn old_data_is_never_green() {
    let (book, mut health) = books::quiet();
    let limit = books::at("2026-11-24T02:57:00Z"); // Three times five minutes before the last cycle.
    let key = ("read", books::scope("us-east-1"));
    health.last_success.insert(key.clone(), limit);
    serving((book, health), async |served: Served| {
        let url = format!("{}/api/v1/status", served.url);
        let level = async || {
            let document: Value = serde_json::from_str(&get(&url).await.1).unwrap();
            document["verdict"]["level"].as_str().unwrap().to_owned()
        };
        assert_eq!(level().await, "ok");
        let older = books::at("2026-11-24T02:56:59Z");
        served.shared.health_mut().last_success.insert(key, older);
        assert_eq!(level().await, "stale");
        served.shared.health_mut().is_ready = false;
        assert_eq!(level().await, "starting");
    })
    .await;
}

#[test]
fn a_loop_that_stands_still_is_stale() {
    let (book, health) = books::quiet();
    let settings = books::settings();
    let level = |idle_seconds| {
        let view = web::View {
            stop: None,
            book: &book,
            health: &health,
            settings: &settings,
            is_simulated: false,
            idle_seconds,
            still_seconds: 0,
        };
        view.status().verdict.level
    };
    assert_eq!(level(900), Level::Ok);
    assert_eq!(level(901), Level::Stale);
}

/// Long before its data is old: whoever restarts it has to hear of it within seconds.
#[test]
fn a_loop_that_stands_still_is_not_healthy() {
    let (book, health) = books::quiet();
    let settings = books::settings();
    let reasons = |still_seconds| {
        let view = web::View {
            stop: None,
            book: &book,
            health: &health,
            settings: &settings,
            is_simulated: false,
            idle_seconds: 25,
            still_seconds,
        };
        view.healthy(true).reasons
    };
    assert_eq!(reasons(20), Vec::<String>::new());
    let still = "the daemon's loop has stood still for 21 seconds of real time";
    assert_eq!(reasons(21), [still]);
}

#[tokio::test]
async fn foreign_hosts_get_nothing_and_every_answer_carries_the_policy() {
    serving(books::busy(), async |served: Served| {
        for (host, expected) in [
            ("localhost:1", 200),
            ("127.0.0.1", 200),
            ("[::1]:8710", 200),
            ("evil.example", 421),
            ("127.0.0.1.evil.example", 421),
        ] {
            for path in ["/", "/api/v1/status", "/metrics", "/style.css"] {
                let request = client().get(format!("{}{path}", served.url));
                let response = request.header("host", host).send().await.unwrap();
                assert_eq!(response.status().as_u16(), expected, "{host}{path}");
                let headers = response.headers();
                let policy = headers["content-security-policy"].to_str().unwrap();
                assert!(
                    policy.starts_with("default-src 'none'; style-src 'self'"),
                    "{policy}"
                );
                assert_eq!(headers["x-content-type-options"], "nosniff");
                assert_eq!(headers["cache-control"], "no-store");
                assert!(!headers.contains_key("access-control-allow-origin"));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_listener_that_others_can_reach_is_refused() {
    let (book, _) = books::quiet();
    let (shared, _inbox) = Shared::new(books::settings(), false, book);
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refused = web::serve(Arc::new(shared), listener, std::future::pending()).await;
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("it asks for no token"), "{message}");
}

#[tokio::test]
async fn a_stop_ends_the_server() {
    let (book, _) = books::quiet();
    let (shared, _inbox) = Shared::new(books::settings(), false, book);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    web::serve(Arc::new(shared), listener, std::future::ready(()))
        .await
        .unwrap();
}
