//! SIGHUP as an operator uses it: the real program, its real files, and the status that tells what became of them.

#![cfg(test)] // helpers count as tests, too

use std::{fs, process::Command, thread, time::Duration};

use serde_json::Value;

use crate::{
    install::{Service, ask, directives, fetched, started, stopped, world},
    run::Place,
    support::{Served, free_port},
};

const CONFIG: &str = r#"
mode = "observe"

[[account]]
id = "111122223333"
regions = ["us-east-1"]

[rules]
folder = "rules"
"#;

fn rule(name: &str, at_least: u32) -> String {
    format!(
        r#"
[[rule]]
name = "{name}"
category = "throttle"
severity = "critical"
remedy = "notify"
window = "2 of 3"
clear_for = "5m"
runbook = "Look."
count = {{ of = "throttles", at_least = {at_least}, share = "1 %", min_demand = 0 }}
"#
    )
}

/// A running service, its files, and where it answers.
struct Running {
    place: Place,
    service: Service,
    url: String,
}

impl Running {
    fn over(served: &Served) -> Self {
        let place = Place::new("reload")
            .with("config.toml", CONFIG)
            .with("rules/own.toml", &rule("never", 1_000_000));
        let listen = format!("127.0.0.1:{}", free_port());
        Self {
            service: started(&place, served, &listen),
            place,
            url: format!("http://{listen}"),
        }
    }

    fn hang_up(&self) {
        let mut kill = Command::new("kill");
        let id = self.service.0.id().to_string();
        assert!(kill.args(["-HUP", &id]).status().unwrap().success());
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.place.path().join(file), text).unwrap();
    }

    /// The first status of which this is true.
    fn status_when(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut last = String::new();
        for _ in 0..300 {
            let (code, text) = ask(&self.place, &self.url, &["status", "--json"]);
            if code == 0 {
                let json = text.split_once('\n').unwrap().1;
                let status: Value = serde_json::from_str(json).unwrap();
                if is_so(&status) {
                    return status;
                }
            }
            last = text;
            thread::sleep(Duration::from_millis(100));
        }
        panic!("{what} never came:\n{last}");
    }

    /// The audit trail, after observe, a refused file with mode file, and propose.
    fn trail_names_what_held(&self) {
        let (_, trail) = ask(&self.place, &self.url, &["audit"]);
        for said in [
            "with mode observe holds",
            "with mode propose holds from now on: mode: \"propose\" (was \"observe\")",
        ] {
            assert!(trail.contains(said), "no {said:?} in\n{trail}");
        }
        assert!(
            !trail.contains("with mode file holds"),
            "what was refused never held:\n{trail}"
        );
    }

    async fn metric(&self, name: &str) -> f64 {
        let metrics = fetched(&format!("{}/metrics", self.url)).await;
        let mut lines = metrics.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in\n{metrics}"))
            .parse()
            .unwrap()
    }
}

fn titles(status: &Value, list: &str) -> Vec<String> {
    let rows = status[list].as_array().unwrap().iter();
    rows.map(|it| it["title"].as_str().unwrap().to_owned())
        .collect()
}

fn notices(status: &Value) -> String {
    let notices = status["notices"].as_array().unwrap().iter();
    let notices: Vec<&str> = notices.map(|it| it.as_str().unwrap()).collect();
    notices.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_configuration_is_taken_in_whole_or_told_and_left() {
    let served = world(&[]).await;
    let running = Running::over(&served);
    let status = running.status_when("the first cycle", |it| it["is_ready"] == true);
    assert_eq!(titles(&status, "incidents"), [""; 0]);

    // With faults: all are told, and nothing of it holds, neither mode nor rule.
    running.write(
        "config.toml",
        &CONFIG
            .replace("observe", "file")
            .replace("regions", "regoins"),
    );
    running.write(
        "rules/own.toml",
        &rule("refusals", 1).replace("5m", "5 parsecs"),
    );
    running.hang_up();
    let told = |it: &Value| notices(it).contains("not taken in");
    let status = running.status_when("the refusal", told);
    assert_eq!(status["mode"], "observe");
    assert_eq!(status["verdict"]["level"], "warning");
    let text = format!(
        "{}\n{}",
        status["verdict"]["text"].as_str().unwrap(),
        notices(&status)
    );
    let text = text.replace(&running.place.path().display().to_string(), "/etc");
    let lines = text.lines().map(|line| match line.split_once(" UTC, ") {
        Some((_, rest)) => format!("configuration of …, {rest}"),
        None => line.to_owned(),
    });
    insta::assert_snapshot!("refused", lines.collect::<Vec<_>>().join("\n"));
    assert!(running.metric("boa_config_last_reload_successful").await < 0.5);

    // Corrected: the new rule finds what has been there all along. The address of the flag wins over that of the file.
    let config = format!("{CONFIG}[listen]\naddress = \"127.0.0.1:1\"\n");
    running.write("config.toml", &config.replace("observe", "propose"));
    running.write("rules/own.toml", &rule("refusals", 1));
    running.hang_up();
    let status = running.status_when("an incident", |it| !titles(it, "incidents").is_empty());
    assert_eq!(status["mode"], "propose");
    assert!(notices(&status).is_empty(), "{}", notices(&status));
    assert!(0.5 < running.metric("boa_config_last_reload_successful").await);

    running.trail_names_what_held();

    // Taken out again: what nothing judges any more ends, with that as its reason.
    running.write("rules/own.toml", &rule("never", 1_000_000));
    running.hang_up();
    let status = running.status_when("the end", |it| titles(it, "incidents").is_empty());
    let id = status["ended"][0]["id"].as_str().unwrap();
    let (_, why) = ask(&running.place, &running.url, &["explain", id]);
    assert!(why.contains("the rule is no longer configured"), "{why}");

    // Another account is for a restart, and said.
    running.write(
        "config.toml",
        &CONFIG.replace("111122223333", "444455556666"),
    );
    running.hang_up();
    let told = |it: &Value| notices(it).contains("[[account]]");
    let status = running.status_when("what waits for a restart", told);
    assert_eq!(status["mode"], "observe", "the rest holds");
    assert!(0.5 < running.metric("boa_config_restart_needed").await);
    let log = stopped(running.service);
    for event in [
        "config.fault",
        "config.refused",
        "config.changed",
        "config.reloaded",
        "config.after-restart",
    ] {
        assert!(log.contains(event), "no {event} in\n{log}");
    }
}

#[test]
fn the_unit_checks_before_it_asks_the_service() {
    let expected = [
        "/usr/bin/bedrock-ops-alert check",
        "/bin/kill -HUP $MAINPID",
    ];
    assert_eq!(directives("ExecReload"), expected);
}
