//! `drill` as people run it: the messages of an incident through the real routes, marked, and nothing written at AWS.

use std::{fs, path::Path, process::Command};

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

/// Exit code and everything that was said, without what is new each time.
fn drill(place: &Path, aws: &str, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_bedrock-ops-alert"))
        .args(["drill", "--config", "config.toml"])
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
        .unwrap();
    let text = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
    let told = format!(
        "exit {}\n{}{}",
        output.status.code().unwrap(),
        text[0],
        text[1]
    );
    let lines = told.lines().map(|line| {
        let line = line.split(" (drill-").next().unwrap();
        match line.rsplit_once(" (") {
            Some((before, id)) if id.matches('-').count() == 4 => before.to_owned(),
            _ => line.to_owned(),
        }
    });
    let words = lines.map(|line| {
        let words = line.split(' ').map(|word| match word.parse::<f64>() {
            Ok(_) if word.contains('.') => "…",
            _ => word,
        });
        words.collect::<Vec<_>>().join(" ")
    });
    words.collect::<Vec<_>>().join("\n")
}

/// Pitfall 19: a rehearsal writes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_drill_reaches_who_would_hear_and_writes_nothing_at_aws() {
    let secrets = Secrets::new("drill");
    let kinds = ["slack-bot", "pagerduty", "webhook", "slack"];
    let stands = kinds.map(|kind| (kind, Stand::start()));
    let mut config = "mode = \"file\"\n\
        [[account]]\nid = \"111122223333\"\nregions = [\"us-east-1\"]\n\
        [receiver.topic]\nkind = \"sns\"\n\
        topic_arn = \"arn:aws:sns:us-east-1:111122223333:bedrock-alerts\"\n\
        [[route]]\nreceiver = \"topic\"\nseverity = \"warning\"\n\
        [[route]]\nreceiver = \"by-pagerduty\"\nseverity = \"critical\"\n\
        [[route]]\nreceiver = \"by-slack-bot\"\nregions = [\"us-*\"]\n\
        [[route]]\nreceiver = \"by-webhook\"\nmodels = [\"meta.*\"]\n"
        .to_owned();
    for (kind, stand) in &stands {
        let fallback = match *kind {
            "pagerduty" => "fallback = \"by-slack\"\n",
            _ => "",
        };
        config += &format!(
            "[receiver.by-{kind}]\n{}\n{fallback}",
            table(kind, &stand.url)
        );
    }
    fs::write(secrets.0.join("config.toml"), &config).unwrap();
    let sim = Sim::new(World::built_in("minute").unwrap(), 1);
    let served = serve(sim, Options::at(Speed::Max)).await;
    let (place, aws) = (secrets.0.clone(), served.url.clone());
    let run = |arguments: &'static [&'static str]| {
        let (place, aws) = (place.clone(), aws.clone());
        tokio::task::spawn_blocking(move || drill(&place, &aws, arguments))
    };
    let mut shown = run(&[]).await.unwrap();
    let requests = |at: usize| stands[at].1.requests();
    // Opened and ended; the bot's second message hangs below its first.
    for at in [0, 1] {
        let bodies: Vec<String> = requests(at).into_iter().map(|it| it.body).collect();
        assert!(2 <= bodies.len(), "{bodies:#?}");
        assert!(
            bodies.iter().all(|it| it.to_lowercase().contains("drill")),
            "{bodies:#?}"
        );
    }
    assert_eq!(
        requests(1)[0].json()["dedup_key"],
        requests(1)[1].json()["dedup_key"]
    );
    assert!(requests(2).is_empty() && requests(3).is_empty());
    // Another model, a mild one: the pager is not rung, and whoever refuses has its fallback.
    let mild = ["--severity", "warning", "--category", "throttle"];
    let pool = [
        "--pool",
        "111122223333/us-east-1/geo/meta.llama3-3-70b-instruct-v1:0",
    ];
    let arguments = Box::leak(Box::new([
        mild[0], mild[1], mild[2], mild[3], pool[0], pool[1],
    ]));
    shown += "\n\n";
    shown += &run(arguments).await.unwrap();
    stands[1]
        .1
        .script([Reply::Answer(400, "", "{\"status\":\"invalid event\"}")]);
    shown += "\n\n";
    shown += &run(&[]).await.unwrap();
    insta::assert_snapshot!("drill", shown);
    let state = served.sim.state();
    let published = state["published"].as_array().unwrap();
    assert_eq!(published.len(), 6);
    for message in published {
        assert!(message["subject"].to_string().starts_with("\"[DRILL] "));
        assert!(message["attributes"]["event"].to_string().contains("drill"));
    }
    assert!(state["cases"].as_array().unwrap().is_empty());
    assert!(state["quota_requests"].as_array().unwrap().is_empty());
}
