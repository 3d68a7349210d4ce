//! A person approves by the form of the page, and clicks twice: by the real program, to the request at the simulated AWS.

#![cfg(test)] // helpers count as tests, too

use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use serde_json::Value;

use crate::{
    install::{started, stopped},
    run::{Place, short_of},
    support::free_port,
};

const CONFIG: &str = r#"
mode = "propose"

[[account]]
id = "111122223333"
regions = ["us-east-1"]

[listen]
act_token_file = "act-token"
"#;

const TOKEN: &str = "act-0123456789abcdef0123456789abc";

async fn text(request: RequestBuilder) -> String {
    let request = request.basic_auth("Kim", Some(TOKEN));
    request.send().await.unwrap().text().await.unwrap()
}

/// What stands in this hidden field of the form to approve; ours needs no decoding.
fn hidden<'a>(html: &'a str, name: &str) -> &'a str {
    let (_, rest) = html
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap();
    rest.split('"').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_approved_by_a_form_reaches_aws_once_under_the_persons_name() {
    let served = short_of(&[]).await;
    let place = Place::new("decided")
        .with("config.toml", CONFIG)
        .with("act-token", TOKEN);
    let listen = format!("127.0.0.1:{}", free_port());
    let service = started(&place, &served, &listen);
    let url = format!("http://{listen}");
    let client = Client::builder().no_proxy().build().unwrap();
    let status = async || -> Value {
        let status = text(client.get(format!("{url}/api/v1/status"))).await;
        serde_json::from_str(&status).unwrap()
    };
    let mut action = None;
    for _ in 0..600 {
        let status = status().await;
        let proposed = status["proposals"].as_array().unwrap().iter();
        let mut requests = proposed.filter(|it| it["effect"] == "request-quota");
        action = requests
            .next()
            .map(|it| it["id"].as_str().unwrap().to_owned());
        if action.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let action = action.expect("a proposal");
    assert_eq!(served.sim.state()["quota_requests"], serde_json::json!([]));
    let page = format!("{url}/decide/{action}");
    let html = text(client.get(&page)).await;
    let body = format!(
        "verb=approve&by=Kim&reason=the+launch&seal={}&seen={}&value={}",
        hidden(&html, "seal"),
        hidden(&html, "seen"),
        hidden(&html, "value"),
    );
    let send = || {
        let request = client.post(&page).header("origin", &url);
        let kind = "application/x-www-form-urlencoded";
        text(request.header("content-type", kind).body(body.clone()))
    };
    for said in <[String; 3]>::from(tokio::join!(send(), send(), send())) {
        assert!(said.contains("Done: </strong>approved by Kim."), "{said}");
    }
    for _ in 0..300 {
        let status = status().await;
        let asks = status["asks"].as_array().unwrap();
        if !asks.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(send().await.contains("approved by Kim"));
    let state = served.sim.state();
    let requests = state["quota_requests"].as_array().unwrap();
    assert_eq!(requests.len(), 1, "{state}");
    let trail = text(client.get(format!("{url}/api/v1/audit?subject={action}"))).await;
    let trail: Value = serde_json::from_str(&trail).unwrap();
    let entries = trail["entries"].as_array().unwrap().iter();
    let mut approvals = entries.filter(|it| it["kind"] == "approve");
    let approval = approvals.next().unwrap();
    assert_eq!(approval["by"], "Kim", "{trail:#}");
    assert_eq!(approval["reason"], "the launch");
    assert!(approvals.next().is_none(), "{trail:#}");
    stopped(service);
}
