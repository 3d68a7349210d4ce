//! Who may read and decide, where a token is asked for.

use std::sync::Arc;

use bedrock_ops_alert::{
    cli::{
        remote::{Format, RemoteError},
        status::status,
    },
    model::{access::Access, policy::Secret},
    runtime::shared::Shared,
    web,
};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;

use super::{Served, books, client, serving};

const VIEW: &str = "view-0123456789abcdef0123456789ab";
const ACT: &str = "act-0123456789abcdef0123456789abc";

fn guarded(view: &str) -> Access {
    Access {
        view: Some(Secret::new(view)),
        act: Some(Secret::new(ACT)),
        hosts: vec!["monitor.internal".to_owned()],
        alb: None,
    }
}

fn set(shared: &Shared, access: Access) {
    let settings = bedrock_ops_alert::model::policy::Settings {
        access,
        ..(*shared.settings()).clone()
    };
    shared.configure(Arc::new(settings));
}

/// What is answered to this, and the document.
async fn ask(
    served: &Served,
    (method, path): (Method, &str),
    shown: Option<&str>,
) -> (StatusCode, String) {
    let mut request = client().request(method, format!("{}{path}", served.url));
    if let Some(shown) = shown {
        request = request.header("authorization", shown);
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    if status == StatusCode::UNAUTHORIZED {
        assert_eq!(
            response
                .headers()
                .get_all("www-authenticate")
                .iter()
                .count(),
            2
        );
        assert!(response.headers().contains_key("content-security-policy"));
    }
    (status, response.text().await.unwrap())
}

#[tokio::test]
async fn nothing_is_read_without_a_token_and_nothing_decided_with_one_for_reading() {
    serving(books::busy(), async |served: Served| {
        set(&served.shared, guarded(VIEW));
        let (view, act) = (format!("Bearer {VIEW}"), format!("Bearer {ACT}"));
        let reads = ["/", "/style.css", "/live.js", "/metrics", "/nowhere"];
        let documents = ["status", "incidents", "cost", "openapi.json", "silences"];
        let documents = documents.map(|it| format!("/api/v1/{it}"));
        let reads = reads
            .into_iter()
            .chain(documents.iter().map(String::as_str));
        for path in reads {
            for shown in [None, Some("Bearer wrong"), Some("Basic Og==")] {
                let (status, text) = ask(&served, (Method::GET, path), shown).await;
                assert_eq!(status, 401, "{path}");
                let document: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(document.as_object().unwrap().len(), 1, "{path}: {text}");
                assert!(!text.contains("111122223333"), "{text}");
            }
            for shown in [&view, &act] {
                let (status, _) = ask(&served, (Method::GET, path), Some(shown)).await;
                assert_ne!(status, 401, "{path}");
            }
        }
        let orders = ["/api/v1/writes/stop", "/api/v1/silences", "/nowhere"];
        for path in orders {
            for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
                let of = |shown| ask(&served, (method.clone(), path), shown);
                assert_eq!(of(None).await.0, 401, "{method} {path}");
                assert_eq!(of(Some(&view)).await.0, 403, "{method} {path}");
                let (status, _) = of(Some(&act)).await;
                // Without the header that no form can send, and for lack of such a method.
                assert!(
                    [403, 404, 405].contains(&status.as_u16()),
                    "{method} {path} {status}"
                );
            }
        }
        assert!(served.shared.orders.capacity() == served.shared.orders.max_capacity());
    })
    .await;
}

#[tokio::test]
async fn load_balancers_hear_whether_all_is_well_and_not_why_not() {
    serving(books::busy(), async |served: Served| {
        let open = ask(&served, (Method::GET, "/readyz"), None).await;
        let reasons: Value = serde_json::from_str(&open.1).unwrap();
        assert!(!reasons["reasons"].as_array().unwrap().is_empty());
        set(&served.shared, guarded(VIEW));
        let (status, text) = ask(&served, (Method::GET, "/readyz"), None).await;
        assert_eq!(status, open.0);
        insta::assert_snapshot!(text, @r#"
        {
          "ok": false,
          "reasons": [
            "said to those who show a token"
          ]
        }
        "#);
        let (status, text) = ask(&served, (Method::GET, "/healthz"), None).await;
        assert_eq!(status, 200, "{text}");
        let shown = format!("Bearer {VIEW}");
        let told = ask(&served, (Method::GET, "/readyz"), Some(&shown)).await;
        assert_eq!(told, open, "whoever may read hears all of it");
    })
    .await;
}

/// A changed configuration holds for the next request.
#[tokio::test]
async fn a_token_that_was_changed_holds_at_once_and_the_old_one_no_more() {
    serving(books::quiet(), async |served: Served| {
        let other = "x".repeat(40);
        let shown = [VIEW, &other].map(|it| format!("Bearer {it}"));
        set(&served.shared, guarded(VIEW));
        let of = |at: usize| ask(&served, (Method::GET, "/api/v1/status"), Some(&shown[at]));
        assert_eq!((of(0).await.0.as_u16(), of(1).await.0.as_u16()), (200, 401));
        set(&served.shared, guarded(&other));
        assert_eq!((of(0).await.0.as_u16(), of(1).await.0.as_u16()), (401, 200));
    })
    .await;
}

#[tokio::test]
async fn names_are_answered_that_are_configured() {
    serving(books::quiet(), async |served: Served| {
        set(&served.shared, guarded(VIEW));
        let of = async |host: &str| {
            let request = client().get(format!("{}/healthz", served.url));
            let response = request.header("host", host).send().await.unwrap();
            response.status().as_u16()
        };
        assert_eq!(of("monitor.internal").await, 200);
        assert_eq!(of("10.1.2.3:9464").await, 200);
        assert_eq!(of("evil.example").await, 421);
    })
    .await;
}

#[tokio::test]
async fn commands_show_the_token_and_never_print_it() {
    serving(books::quiet(), async |served: Served| {
        set(&served.shared, guarded(VIEW));
        let mut out = Vec::new();
        let refused = status(&served.url, Format::Text, &mut out)
            .await
            .unwrap_err();
        assert!(matches!(refused, RemoteError::Refused { .. }), "{refused}");
        let text = refused
            .to_string()
            .replace(&served.address.to_string(), "127.0.0.1:PORT");
        insta::assert_snapshot!(text, @"the daemon at http://127.0.0.1:PORT refused: a token is needed: commands take it by --token-file or BOA_TOKEN_FILE, programs send it as `Authorization: Bearer TOKEN`, and in a browser it is the password, with any name");
        let with = |token: &str| served.url.replace("://", &format!("://:{token}@"));
        status(&with(VIEW), Format::Text, &mut out).await.unwrap();
        assert!(!out.is_empty());
        let with_wrong = with("not-the-token");
        let wrong = status(&with_wrong, Format::Text, &mut out).await;
        let wrong = wrong.unwrap_err().to_string();
        assert!(!wrong.contains("not-the-token"), "{wrong}");
    })
    .await;
}

/// Without a token that is refused: `api::a_listener_that_others_can_reach_is_refused`.
#[tokio::test]
async fn with_a_token_others_may_reach_it() {
    let (book, _) = books::quiet();
    let (shared, _inbox) = Shared::new(books::settings(), false, book);
    set(&shared, guarded(VIEW));
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    web::serve(Arc::new(shared), listener, std::future::ready(()))
        .await
        .unwrap();
}
