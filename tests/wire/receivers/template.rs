//! Messages in people's own words: the whole body of a webhook, the text of a chat, and what happens when it fails.

use std::{fs, path::PathBuf};

use bedrock_ops_alert::model::rule::Severity;
use serde_json::{Value, json};

use super::{Desk, incident, stand::Stand, table};

/// A file that is gone with the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("{}-{name}", std::process::id());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&path, text).unwrap();
        Self(path)
    }

    fn key(&self) -> String {
        format!("template_file = {:?}\n", self.0.display().to_string())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_template_makes_the_message_and_one_that_fails_loses_none() {
    let body = File::new(
        "body.j2",
        "{ \"title\": {{ subject }}, \"n\": {{ number }} {% if number == 2 %}{{ oops }}{% endif %} }",
    );
    let text = File::new(
        "text.j2",
        "{{ severity }}!{% if number == 2 %}{{ oops }}{% endif %}",
    );
    let (hook, chat) = (Stand::start(), Stand::start());
    let configuration = format!(
        "[receiver.hook]\n{}{}\n[receiver.chat]\n{}{}",
        table("webhook", &hook.url),
        body.key(),
        table("slack", &chat.url),
        text.key(),
    );
    let mut desk = Desk::new("template", &configuration).await;
    let mut incident = incident("L-1");
    for _ in 0..2 {
        desk.tell(&mut incident, Severity::Critical, &["hook", "chat"]);
        desk.minute().await;
    }
    assert_eq!(desk.states("hook"), ["done", "done"]);
    let posted: Vec<Value> = hook.requests().iter().map(|it| it.json()).collect();
    assert_eq!(
        posted[0],
        json!({ "title": "[opened] TPM quota L-1", "n": 1 })
    );
    // Nobody tried it with a second message; it goes out all the same, signed as ever.
    assert_eq!(posted[1]["schema"], "bedrock-ops-alert/message/1");
    assert_eq!(posted[1]["number"], 2);
    let why = "these are the service's own words: line 1: undefined value: `oops` is undefined";
    assert!(posted[1]["text"].as_str().unwrap().contains(why));
    let signatures = hook.requests();
    assert!(
        signatures
            .iter()
            .all(|it| it.headers.contains_key("webhook-signature"))
    );

    let said: Vec<String> = chat
        .requests()
        .iter()
        .map(|it| it.json()["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(said[0], "*[opened] TPM quota L-1*\ncritical!");
    assert!(
        said[1].contains("A line &lt;with&gt; markup") && said[1].contains(why),
        "{}",
        said[1]
    );
}
