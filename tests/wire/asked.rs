//! A person looks what would be asked, and asks: by the real program, to the grant at the simulated AWS.

#![cfg(test)] // helpers count as tests, too

use std::{thread, time::Duration};

use serde_json::Value;

use crate::{
    install::{ask, started, stopped, world},
    run::Place,
    support::free_port,
};

const CONFIG: &str = r#"
mode = "propose"

[[account]]
id = "111122223333"
regions = ["us-east-1"]

[rules]
folder = "rules"
"#;

/// Nothing is wrong by this rule.
const NEVER: &str = r#"
[[rule]]
name = "never"
category = "throttle"
severity = "critical"
remedy = "notify"
window = "2 of 3"
clear_for = "5m"
runbook = "Look."
count = { of = "throttles", at_least = 1000000, share = "1 %", min_demand = 0 }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_asks_for_reaches_aws_once_and_is_followed() {
    let served = world(&[]).await;
    let place = Place::new("asked")
        .with("config.toml", CONFIG)
        .with("rules/own.toml", NEVER);
    let listen = format!("127.0.0.1:{}", free_port());
    let service = started(&place, &served, &listen);
    let url = format!("http://{listen}");
    let json = |arguments: &[&str]| -> Value {
        let (code, text) = ask(&place, &url, arguments);
        let json = text.split_once('\n').map(|(_, json)| json);
        assert_eq!(code, 0, "{text}");
        serde_json::from_str(json.unwrap()).unwrap()
    };
    let pool = (0..300).find_map(|_| {
        let status = json(&["status", "--json"]);
        let rows = status["headroom"].as_array().unwrap().iter();
        let mut tokens = rows
            .filter(|it| it["kind"] == "tpm" && it["source"] == "applied")
            .filter(|_| status["is_ready"] == true);
        let found = tokens
            .next()
            .map(|it| it["pool"].as_str().unwrap().to_owned());
        thread::sleep(Duration::from_millis(100));
        found
    });
    let pool = &pool.expect("a quota that was read");
    let plan = json(&["plan", pool, "--json"]);
    let quotas = plan["quotas"].as_array().unwrap().iter();
    let quota = quotas.into_iter().find(|it| it["kind"] == "tpm").unwrap();
    let most = quota["at_most"].as_f64().unwrap();
    let value = format!("{most:.0}");
    let order = ["ask", pool, &value, "--by", "Kim", "--reason"];
    let order = [&order[..], &["launch on 1 December", "--json"]].concat();
    let said = json(&order);
    let action = said["id"].as_str().unwrap();
    let (code, again) = ask(&place, &url, &order);
    assert_eq!(code, 1, "{again}");
    let mut granted = None;
    for _ in 0..300 {
        let told = json(&["explain", pool, "--json"]);
        let quotas = told["quotas"].as_array().unwrap().iter();
        let mut values = quotas.filter(|it| it["quota_code"] == quota["quota_code"]);
        granted = values.next().and_then(|it| it["applied"].as_f64());
        if granted == Some(most) {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(granted, Some(most), "{}", served.sim.state());
    let state = served.sim.state();
    let requests = state["quota_requests"].as_array().unwrap();
    assert_eq!(requests.len(), 1, "{state}");
    assert_eq!(requests[0]["desired"].as_f64(), Some(most));
    let words = state["cases"].to_string();
    assert!(
        words.contains("a person set it: launch on 1 December"),
        "{words}"
    );
    let (_, why) = ask(&place, &url, &["explain", action]);
    assert!(why.contains("Kim asked for"), "{why}");
    let (_, trail) = ask(&place, &url, &["audit"]);
    assert!(trail.contains("Kim"), "{trail}");
    stopped(service);
}
