//! `notify test` as people run it.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use bedrock_ops_alert::sim::{
    Sim, World,
    wire::{Options, Speed},
};

use super::{
    Secrets,
    stand::{Reply, Stand},
    table,
};
use crate::support::serve;

fn run(place: &Path, aws: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bedrock-ops-alert"))
        .args(["notify", "test"])
        .args(arguments)
        .env_clear()
        .env("HOME", place)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "testing")
        .env("AWS_SECRET_ACCESS_KEY", "testing")
        .env("AWS_ENDPOINT_URL", aws)
        .env("CREDENTIALS_DIRECTORY", place)
        .current_dir(place)
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    let text = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
    format!(
        "exit {}\n{}{}",
        output.status.code().unwrap(),
        text[0],
        text[1]
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn each_receiver_gets_a_marked_message_and_each_answer_is_shown() {
    let secrets = Secrets::new("notify");
    let kinds = ["slack", "slack-bot", "pagerduty", "webhook", "alertmanager"];
    let stands = kinds.map(|kind| (kind, Stand::start()));
    let mut config = "[receiver.topic]\nkind = \"sns\"\n\
                      topic_arn = \"arn:aws:sns:us-east-1:111122223333:bedrock-alerts\"\n"
        .to_owned();
    for (kind, stand) in &stands {
        config += &format!("[receiver.by-{kind}]\n{}\n", table(kind, &stand.url));
    }
    fs::write(secrets.0.join("config.toml"), &config).unwrap();
    let sim = Sim::new(World::built_in("minute").unwrap(), 1);
    let served = serve(sim, Options::at(Speed::Max)).await;
    let (place, aws) = (secrets.0.clone(), served.url.clone());
    let all = |arguments: &'static [&'static str]| {
        let (place, aws) = (place.clone(), aws.clone());
        async move {
            let run = move || run(&place, &aws, arguments);
            tokio::task::spawn_blocking(run).await.unwrap()
        }
    };
    let fine = all(&["--config", "config.toml"]).await;
    let mut shown = told(&fine);
    // What PagerDuty and Alertmanager opened, they ended.
    for (kind, stand) in &stands {
        let requests = stand.requests();
        let expected = match *kind {
            "pagerduty" | "alertmanager" => 2,
            _ => 1,
        };
        assert_eq!(requests.len(), expected, "{kind}: {shown}");
        assert!(requests[0].body.contains("TEST"), "{kind}");
    }
    let state = served.sim.state();
    assert_eq!(state["published"].as_array().unwrap().len(), 1);
    let attributes = &state["published"][0]["attributes"];
    assert_eq!(attributes["event"]["StringValue"], r#"["opened","test"]"#);
    assert!(state["cases"].as_array().unwrap().is_empty());
    assert!(state["quota_requests"].as_array().unwrap().is_empty());
    // One that says no is told, with its reason; the others hear all the same.
    stands[3].1.script([Reply::Answer(401, "", "who are you?")]);
    shown += &told(&all(&["--config", "config.toml"]).await);
    shown += &told(&all(&["by-webhook", "--config", "config.toml"]).await);
    shown += &told(&all(&["by-mail", "--config", "config.toml"]).await);
    shown += &told(&all(&[]).await);
    let ids = without_ids(&shown);
    insta::assert_snapshot!("notify_test", ids);
}

/// Ids that are new each time are taken out.
fn without_ids(text: &str) -> String {
    let line = |line: &str| match line.find("(test-") {
        Some(at) => format!("{}(test-…)", &line[..at]),
        None => match line.rsplit_once('(') {
            Some((before, id)) if id.matches('-').count() == 4 => format!("{before}(message id)"),
            _ => line.to_owned(),
        },
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
