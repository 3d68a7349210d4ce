//! Secrets in variables, for where there are neither files nor systemd, as on ECS.

use super::*;
use crate::{
    config::{Overrides, parse, parse_traced},
    model::policy::Secret,
};

fn environment() -> Overrides {
    let variable = |(name, text): (&str, &str)| (name.to_owned(), Secret::new(text));
    Overrides {
        environment: [
            ("SLACK_URL", "https://hooks.slack.example/T000\n"),
            ("BOT", "xoxb-1-T000"),
            ("APP", "xapp-1-T000"),
            ("PAGERDUTY", "T00023456789abcdef0123456789abcd"),
            ("WEBHOOK", "https://automation.example/T000"),
            ("SIGN", "whsec_T000AAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            ("PAGE", "T0003456789abcdef0123456789abcdef"),
            ("ACT", "T0013456789abcdef0123456789abcdef"),
            ("EMPTY", " "),
            ("STRANGE", "T000\u{fffd}T000T000T000T000T000T000T000T000"),
        ]
        .map(variable)
        .into(),
        ..Overrides::default()
    }
}

#[test]
fn secrets_are_read_from_variables_and_never_shown() {
    let overrides = environment();
    let text = r#"
[listen]
token = "env:PAGE"
act_token = "env:ACT"
[heartbeat]
url = "env:SLACK_URL"
[receiver.chat]
kind = "slack"
url = "env:SLACK_URL"
[receiver.bot]
kind = "slack-bot"
token = "env:BOT"
app_token = "env:APP"
approvers = ["U0123ABCDEF"]
channel = "C0123456789"
[receiver.pager]
kind = "pagerduty"
routing_key_file = "env:PAGERDUTY"
[receiver.hook]
kind = "webhook"
url = "env:WEBHOOK"
secret = "env:SIGN"
[receiver.alerts]
kind = "alertmanager"
url = "https://alertmanager.example.com"
token = "env:PAGE"
"#;
    let loaded = parse_traced(text, "config.toml", &overrides).unwrap();
    let receivers = &loaded.settings.policy.receivers;
    let Some(Receiver::Slack { url }) = receivers.get(&ReceiverName::new("chat")) else {
        panic!("not Slack");
    };
    assert_eq!(url.expose(), "https://hooks.slack.example/T000");
    let shown: Vec<String> = loaded.show().lines().map(str::to_owned).collect();
    let hidden: Vec<&str> = shown
        .iter()
        .map(|line| line.trim_end())
        .filter(|line| line.contains("hidden"))
        .collect();
    insta::assert_snapshot!("secrets_of_variables", hidden.join("\n"));
    let debug = format!("{:?} {overrides:?}", loaded.settings);
    let all = shown.join("\n") + &debug;
    assert!(!all.contains("T000") && !all.contains("T001"), "{all}");
}

#[test]
fn a_variable_without_the_secret_is_a_fault_that_says_which() {
    let overrides = environment();
    let faulty = r#"
[listen]
token = "env:STRANGE"
[receiver.a]
kind = "slack"
url = "env:NOWHERE"
[receiver.b]
kind = "slack"
url = "env:EMPTY"
[receiver.c]
kind = "slack"
url = "env:BOT"
[receiver.d]
kind = "slack-bot"
token = "env:not-a-name"
channel = "C0123456789"
"#;
    let error = parse(faulty, "config.toml", &overrides).unwrap_err();
    let shown = report(&error);
    assert!(!shown.contains("T000"), "{shown}");
    insta::assert_snapshot!("faults_of_variables", shown);
}
