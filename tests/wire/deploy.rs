//! What is deployed: unit, package, templates, alerts, dashboard, schemas and the snippets of the documentation, each
//! checked by a tool that somebody else wrote, and against what the program itself says.

#![cfg(test)] // helpers count as tests, too

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::PathBuf,
    process::Command,
};

use bedrock_ops_alert::{
    config::{self, Overrides},
    model::policy::Mode,
};
use serde_json::Value;

use crate::{
    install::directives,
    run::Place,
    snippets::snippets,
    support::{python, root},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_bedrock-ops-alert");

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Runs a tool; what it says and whether it was content.
fn tool(command: &mut Command, missing: &str) -> (bool, String) {
    let output = command
        .current_dir(root())
        .output()
        .unwrap_or_else(|error| panic!("{error}: {missing}"));
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.success(), said)
}

fn check(arguments: &[&str]) -> String {
    let mut command = Command::new(python());
    command
        .arg(root().join("tests/wire/check_deploy.py"))
        .args(arguments);
    let (is_well, said) = tool(&mut command, "run tests/setup.sh");
    assert!(is_well, "{arguments:?}:\n{said}");
    said
}

/// Of the tools' own folder, or of the system.
fn promtool() -> PathBuf {
    let own = root().join("target/promtool/usr/bin/promtool");
    if own.exists() {
        own
    } else {
        PathBuf::from("promtool")
    }
}

#[test]
fn the_unit_is_whole_and_its_sandbox_stays_tight() {
    let place = Place::new("unit");
    let unit = read("deploy/bedrock-ops-alert.service");
    let here = unit.replace("/usr/bin/bedrock-ops-alert", PROGRAM);
    let path = place.path().join("bedrock-ops-alert.service");
    fs::write(&path, here).unwrap();
    let missing = "run tests/setup-deploy.sh once: it installs systemd's tools";
    let mut verify = Command::new("systemd-analyze");
    let (is_well, said) = tool(verify.args(["verify", "--man=no"]).arg(&path), missing);
    assert!(is_well && said.trim().is_empty(), "{said}");
    let mut security = Command::new("systemd-analyze");
    security.args(["security", "--offline=true", "--threshold=12", "--no-pager"]);
    let (is_tight, said) = tool(security.arg(&path), missing);
    assert!(is_tight, "{said}");
    // A unit that starts without a configuration would watch what nobody asked for.
    assert!(unit.contains("ConditionPathExists=/etc/bedrock-ops-alert/config.toml"));
}

/// What the service reads as its user has to be readable by its group, however it is made.
#[test]
fn tokens_are_made_readable_for_the_service_and_for_nobody_else() {
    let text = read("docs/install.md");
    let made = text.lines().filter(|it| it.contains("openssl rand"));
    let made: Vec<&str> = made.collect();
    assert_eq!(made.len(), 2, "{made:?}");
    for line in made {
        assert!(
            line.contains("install -m 0440 -g bedrock-ops-alert "),
            "{line}"
        );
    }
    assert_eq!(directives("Group"), ["bedrock-ops-alert"]);
    let postinst = read("deploy/debian/postinst");
    assert!(
        postinst.contains("install -d -m 0750 -o root -g bedrock-ops-alert /etc/bedrock-ops-alert")
    );
}

/// Nobody else would start it again: neither when the network comes up late nor when a disk failed for a minute.
#[test]
fn the_unit_never_gives_up_but_over_what_a_person_has_to_change() {
    assert_eq!(directives("StartLimitIntervalSec"), ["0"]);
    assert_eq!(directives("Restart"), ["on-failure"]);
    assert_eq!(directives("RestartSec"), ["30"]);
    assert_eq!(directives("RestartPreventExitStatus"), ["64 78"]);
    // What fails before the main process is tried again whatever its exit code: a broken configuration would be, for ever.
    assert!(directives("ExecStartPre").is_empty());
    assert!(directives("ExecCondition").is_empty());
}

/// Noticed within a minute; a few beats of five seconds may be late.
#[test]
fn a_loop_that_stands_still_is_noticed_within_a_minute() {
    let seconds = |name: &str| directives(name)[0].parse::<u32>().unwrap();
    assert!(4 * 5 < seconds("WatchdogSec"));
    assert!(seconds("WatchdogSec") < 60);
    let task: Value = serde_json::from_str(&read("deploy/ecs/task-definition.json")).unwrap();
    let check = &task["containerDefinitions"][0]["healthCheck"];
    let (every, tries) = (
        check["interval"].as_u64().unwrap(),
        check["retries"].as_u64().unwrap(),
    );
    assert!(20 + every * tries < 60, "{check}");
}

#[test]
fn templates_pass_the_linter_of_cloudformation() {
    let linter = root().join("target/venv/bin/cfn-lint");
    let mut command = Command::new(linter);
    let files = ["stack", "member-role", "stackset"]
        .map(|name| format!("deploy/cloudformation/{name}.yaml"));
    let (is_well, said) = tool(command.args(files), "run tests/setup.sh");
    assert!(is_well, "{said}");
}

/// What `iam-policy` prints for this configuration.
fn printed(place: &Place, arguments: &[&str]) -> BTreeMap<String, Value> {
    let output = place.command(&[], arguments).output().unwrap();
    let policy: Value = serde_json::from_slice(&output.stdout).unwrap();
    by_sid(policy["Statement"].as_array().unwrap())
}

fn by_sid(statements: &[Value]) -> BTreeMap<String, Value> {
    let sid = |it: &Value| it["Sid"].as_str().unwrap().to_owned();
    let named: BTreeMap<String, Value> =
        statements.iter().map(|it| (sid(it), it.clone())).collect();
    assert_eq!(named.len(), statements.len(), "a statement is there twice");
    named
}

#[test]
fn templates_allow_what_the_program_calls_and_nothing_else() {
    let member = r#"
[[account]]
id = "444455556666"
regions = ["us-east-1"]
role_arn = "arn:aws:iam::444455556666:role/bedrock-ops-alert-member"
"#;
    let stack = "deploy/cloudformation/stack.yaml";
    let config = check(&["config", stack]) + member;
    let place = Place::new("policies").with("config.toml", &config);
    let mut ours = printed(
        &place,
        &["iam-policy", "--mode", "file", "--config", "config.toml"],
    );
    let theirs: Vec<Value> = serde_json::from_str(&check(&["statements", stack])).unwrap();
    let mut theirs = by_sid(&theirs);
    // The template does not know the accounts yet: any that has a role of this name.
    let any = serde_json::json!(["arn:aws:iam::*:role/bedrock-ops-alert-member"]);
    let roles = theirs.remove("AssumeRoles").unwrap();
    assert_eq!(roles["Resource"], any);
    assert_eq!(
        roles["Action"],
        ours.remove("AssumeRoles").unwrap()["Action"]
    );
    // What ECS reads before the program starts is its own role's, and no call of ours: the secret that is named.
    let secrets = theirs.remove("ReadSecrets").unwrap();
    let actions = serde_json::json!(["secretsmanager:GetSecretValue", "ssm:GetParameters"]);
    assert_eq!(secrets["Action"], actions);
    let named: Value = serde_json::from_str(&check(&["task", stack])).unwrap();
    let named = &named["containerDefinitions"][0]["secrets"];
    assert_eq!(named[0]["name"], "SLACK_URL");
    assert_eq!(
        secrets["Resource"],
        serde_json::json!([named[0]["valueFrom"]])
    );
    assert_eq!(theirs, ours);
    // The role of a further account.
    let of_member = member
        .replace("[\"us-east-1\"]", "\"enabled\"")
        .replace("444455556666", "111122223333");
    let place = place.with("member.toml", &of_member);
    let arguments = [
        "iam-policy",
        "--mode",
        "file",
        "--config",
        "member.toml",
        "--account",
        "111122223333",
    ];
    let ours = printed(&place, &arguments);
    let theirs = check(&["statements", "deploy/cloudformation/member-role.yaml"]);
    let theirs: Vec<Value> = serde_json::from_str(&theirs).unwrap();
    assert_eq!(by_sid(&theirs), ours);
}

#[test]
fn what_files_is_a_policy_of_its_own() {
    for file in ["stack", "member-role"] {
        let template = read(&format!("deploy/cloudformation/{file}.yaml"));
        let (before, after) = template.split_once("\n  FilePolicy:").unwrap();
        for action in [
            "servicequotas:RequestServiceQuotaIncrease",
            "support:CreateCase",
        ] {
            assert!(
                !before.contains(action) && after.contains(action),
                "{file}: {action}"
            );
        }
        let condition = after.lines().nth(2).unwrap();
        assert!(
            condition.trim().starts_with("Condition: "),
            "{file}: {condition}"
        );
    }
}

#[test]
fn templates_give_a_configuration_that_is_one() {
    let of_stack = check(&["config", "deploy/cloudformation/stack.yaml"]);
    let of_terraform = read("deploy/terraform/config.toml.tftpl")
        .replace("${mode}", "observe")
        .replace("${account}", "111122223333")
        .replace("${jsonencode(regions)}", "[\"us-east-1\",\"eu-central-1\"]")
        .replace(
            "${topic}",
            "arn:aws:sns:us-east-1:111122223333:bedrock-ops-alert",
        )
        .replace("${heartbeat}", "")
        .replace("${extra}", "");
    let read = |text: &str| config::parse(text, "template", &Overrides::default()).unwrap();
    let settings = read(&of_stack);
    assert_eq!(settings.policy.mode, Mode::Observe);
    assert!(settings.heartbeat.has_metrics, "the alarm waits for it");
    assert_eq!(read(&of_terraform), settings, "both templates say the same");
    let place = Place::new("config-text");
    let output = place
        .command(&[("BOA_CONFIG_TEXT", &of_stack)], &["check"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let both = [
        ("BOA_CONFIG_TEXT", of_stack.as_str()),
        ("BOA_CONFIG", "config.toml"),
    ];
    assert_eq!(
        place
            .command(&both, &["check"])
            .output()
            .unwrap()
            .status
            .code(),
        Some(78)
    );
}

/// Nothing of the task can be reached, so in mode propose a person has to be able to approve from Slack; and where cases are
/// closed, the role may close them.
#[test]
fn a_stack_that_proposes_has_somebody_who_approves() {
    let stack = "deploy/cloudformation/stack.yaml";
    let secret = |name: &str| format!("arn:aws:ssm:us-east-1:111122223333:parameter/boa/{name}");
    let [bot, app] = ["bot", "app"].map(secret);
    let (bot, app) = (
        format!("SlackBotTokenArn={bot}"),
        format!("SlackAppTokenArn={app}"),
    );
    let broken = |more: &[&str]| {
        check(&[&["broken", stack], more].concat())
            .trim()
            .to_owned()
    };
    assert_eq!(broken(&[]), "");
    assert!(broken(&["Mode=propose"]).contains("until somebody approves it"));
    assert!(broken(&["Mode=propose", &app]).contains("needs SlackBotTokenArn"));
    let whole = [
        "Mode=propose",
        &bot,
        &app,
        "SlackChannel=C0123456789",
        "SlackApprovers=U0123ABCDEF,U0456ABCDEF",
        "CloseGranted=true",
    ];
    assert_eq!(broken(&whole), "");
    let config = check(&[&["config", stack], &whole[..]].concat());
    let task = check(&[&["task", stack], &whole[..]].concat());
    let task: Value = serde_json::from_str(&task).unwrap();
    let secrets = task["containerDefinitions"][0]["secrets"]
        .as_array()
        .unwrap();
    let names: Vec<&str> = secrets
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["SLACK_URL", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]);
    let place = Place::new("proposing").with("config.toml", &config);
    let with = [("SLACK_BOT_TOKEN", "xoxb-1"), ("SLACK_APP_TOKEN", "xapp-1")];
    let shown = place.command(&with, &["check", "--show", "--config", "config.toml"]);
    let shown = { shown }.output().unwrap();
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    let shown = text(&shown.stdout);
    for line in [
        "mode = \"propose\"",
        "U0456ABCDEF",
        "case.close_granted = true",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let output = place
        .command(
            &with,
            &["iam-policy", "--mode", "file", "--config", "config.toml"],
        )
        .output()
        .unwrap();
    let policy: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ours = by_sid(policy["Statement"].as_array().unwrap());
    let theirs = check(&[&["statements", stack], &whole[..]].concat());
    let theirs: Vec<Value> = serde_json::from_str(&theirs).unwrap();
    assert_eq!(by_sid(&theirs)["CloseCases"], ours["CloseCases"]);
}

/// Whoever types a command on the machine of the service, and names nothing, means that service; `run` and `demo` do not.
#[test]
fn a_command_on_the_machine_of_the_service_means_that_service() {
    let host = "mode = \"propose\"\n[listen]\naddress = \"127.0.0.1:9\"\n";
    let own = "mode = \"file\"\n";
    let place = Place::new("host")
        .with("etc/config.toml", host)
        .with("own.toml", own);
    let told = |with: &[(&str, &str)], arguments: &[&str]| {
        let output = place.command(with, arguments).output().unwrap();
        (
            output.status.code(),
            text(&output.stdout) + &text(&output.stderr),
        )
    };
    let there = [("BOA_HOST_CONFIG", "etc/config.toml")];
    let (code, said) = told(&there, &["check"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("mode propose") && said.contains("with etc/config.toml"),
        "{said}"
    );
    let (_, said) = told(&there, &["check", "--config", "own.toml"]);
    assert!(
        said.contains("mode file") && !said.contains("etc/config.toml"),
        "{said}"
    );
    let (_, said) = told(&[], &["check"]);
    assert!(said.contains("mode observe"), "{said}");
    let (code, said) = told(&there, &["status"]);
    assert_eq!(code, Some(69), "{said}");
    assert!(said.contains("127.0.0.1:9"), "{said}");
    let (code, said) = told(&[there[0], ("BOA_URL", "http://127.0.0.1:1")], &["status"]);
    assert_eq!(code, Some(69), "{said}");
    assert!(!said.contains("127.0.0.1:9"), "{said}");
}

#[test]
fn check_says_what_is_hardly_meant_and_can_refuse_it() {
    let place = Place::new("warned")
        .with("config.toml", "mode = \"observe\"\n")
        .with("bad.toml", "moode = 1\n");
    let told = |arguments: &[&str]| place.command(&[], arguments).output().unwrap();
    let usual = told(&["check", "--config", "config.toml"]);
    assert!(usual.status.success());
    assert!(text(&usual.stderr).contains("warning: nobody hears of anything"));
    let denied = told(&[
        "check",
        "--config",
        "config.toml",
        "--deny-warnings",
        "--json",
    ]);
    assert_eq!(denied.status.code(), Some(3));
    let document: Value = serde_json::from_slice(&denied.stdout).unwrap();
    assert_eq!(
        (&document["ok"], &document["mode"]),
        (&Value::Bool(true), &"observe".into())
    );
    assert_eq!(document["warnings"].as_array().unwrap().len(), 1);
    let bad = told(&["check", "--config", "bad.toml", "--json"]);
    assert_eq!(bad.status.code(), Some(78));
    let document: Value = serde_json::from_slice(&bad.stdout).unwrap();
    assert!(
        document["faults"][0]
            .as_str()
            .unwrap()
            .contains("bad.toml:1:1"),
        "{document}"
    );
}

/// As a task on Fargate has them: no file and no systemd, the configuration and the secrets in variables.
#[test]
fn secrets_in_variables_are_read_and_never_printed() {
    let config = check(&["config", "deploy/cloudformation/stack.yaml"])
        + "[receiver.chat]\nkind = \"slack\"\nurl = \"env:SLACK_URL\"\n";
    let place = Place::new("variables");
    let text_of = |url: &str| {
        let with = [("BOA_CONFIG_TEXT", config.as_str()), ("SLACK_URL", url)];
        let output = place.command(&with, &["check", "--show"]).output().unwrap();
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(!said.contains("planted"), "{said}");
        (output.status.code(), said)
    };
    let (code, said) = text_of("https://hooks.slack.example/planted");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("(hidden, env:SLACK_URL)"), "{said}");
    let (code, said) = text_of("");
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("the variable SLACK_URL is empty"), "{said}");
    let (code, said) = text_of("planted");
    assert_eq!(code, Some(78), "{said}");
}

#[test]
fn task_and_service_are_those_of_the_template_and_what_ecs_takes() {
    for (what, file, operation) in [
        (
            "task",
            "deploy/ecs/task-definition.json",
            "RegisterTaskDefinition",
        ),
        ("service", "deploy/ecs/service.json", "CreateService"),
    ] {
        let made = check(&[what, "deploy/cloudformation/stack.yaml"]);
        if env::var("INSTA_UPDATE").is_ok_and(|it| it == "always") {
            fs::write(root().join(file), &made).unwrap();
        }
        assert!(read(file) == made, "{file}: write there\n{made}");
        check(&["ecs", operation, file]);
    }
}

/// Names of our metrics in a text.
fn named(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let words = text.split(|c| !is_name(c));
    words
        .filter(|it| it.starts_with("boa_"))
        .map(str::to_owned)
        .collect()
}

/// What alerts, their tests and the dashboard ask for.
pub(crate) fn metrics_asked_for() -> BTreeSet<String> {
    let files = ["alerts.yml", "alerts.test.yml", "dashboard.json"];
    let texts = files.map(|file| read(&format!("deploy/monitoring/{file}")));
    named(&texts.concat())
}

/// What an exposition has, as queries name it.
pub(crate) fn metrics_served(exposition: &str) -> BTreeSet<String> {
    let types = exposition
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    let names = types.filter_map(|line| line.split_once(' '));
    names
        .map(|(name, kind)| {
            if kind == "counter" {
                format!("{name}_total")
            } else {
                name.to_owned()
            }
        })
        .collect()
}

#[test]
fn alerts_fire_when_they_should_and_each_has_its_runbook() {
    let missing = "run tests/setup-deploy.sh once: it fetches promtool";
    for arguments in [
        ["check", "rules", "deploy/monitoring/alerts.yml"],
        ["test", "rules", "deploy/monitoring/alerts.test.yml"],
    ] {
        let (is_well, said) = tool(Command::new(promtool()).args(arguments), missing);
        assert!(is_well, "{said}");
    }
    let after = |text: &str, key: &str| -> BTreeSet<String> {
        let lines = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(key).map(str::to_owned));
        lines.collect()
    };
    let alerts = after(&read("deploy/monitoring/alerts.yml"), "- alert: ");
    assert!(10 < alerts.len());
    let runbooks = read("docs/runbooks.md");
    assert_eq!(after(&runbooks, "## "), alerts, "runbooks, then alerts");
    let tests = read("deploy/monitoring/alerts.test.yml");
    for alert in &alerts {
        let (_, runbook) = runbooks.split_once(&format!("## {alert}\n")).unwrap();
        let runbook = runbook.split("\n## ").next().unwrap();
        for part in ["Meaning", "Impact", "Diagnosis", "Mitigation"] {
            assert!(runbook.contains(&format!("**{part}**")), "{alert}: {part}");
        }
        let fires = format!("alertname: {alert}\n        exp_alerts:\n          - exp_labels");
        let is_silent = format!("alertname: {alert}\n        exp_alerts: []");
        assert!(
            tests.contains(&fires) && tests.contains(&is_silent),
            "{alert}"
        );
    }
}

#[test]
fn the_dashboard_is_one_and_asks_for_its_data_source() {
    let dashboard: Value = serde_json::from_str(&read("deploy/monitoring/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|it| it["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    for panel in panels {
        assert_eq!(panel["datasource"]["uid"], "${datasource}");
        for target in panel["targets"].as_array().unwrap() {
            let asked = named(target["expr"].as_str().unwrap());
            assert!(!asked.is_empty(), "{target}");
        }
    }
}

#[test]
fn schemas_accept_what_is_right_and_refuse_what_is_not() {
    let place = Place::new("schemas");
    let schema = |of: &str| {
        let output = place.command(&[], &["schema", of]).output().unwrap();
        let path = place.path().join(format!("{of}.json"));
        fs::write(&path, &output.stdout).unwrap();
        let shipped = root().join(format!("deploy/schema/{of}.json"));
        if env::var("INSTA_UPDATE").is_ok_and(|it| it == "always") {
            fs::write(&shipped, &output.stdout).unwrap();
        }
        let same = fs::read(&shipped).is_ok_and(|it| it == output.stdout);
        assert!(
            same,
            "deploy/schema/{of}.json: write there what `schema {of}` prints"
        );
        path.display().to_string()
    };
    let (config, rules) = (schema("config"), schema("rules"));
    for schema in [&config, &rules] {
        check(&["forms", schema]);
    }
    let mut right = vec!["deploy/example-config.toml".to_owned()];
    for (number, snippet) in snippets("toml").into_iter().enumerate() {
        if snippet.text.contains("[[rule]]") || snippet.text.contains("[[test]]") {
            continue;
        }
        let path = place.path().join(format!("snippet-{number}.toml"));
        fs::write(&path, &snippet.text).unwrap();
        right.push(path.display().to_string());
    }
    assert!(4 < right.len(), "{right:?}");
    let arguments: Vec<&str> = ["schema", &config]
        .into_iter()
        .chain(right.iter().map(String::as_str))
        .collect();
    check(&arguments);
    let files = fs::read_dir(root().join("alert-rules")).unwrap();
    let files = files.map(|it| it.unwrap().path().display().to_string());
    let files: Vec<String> = files.filter(|it| it.ends_with(".toml")).collect();
    let arguments: Vec<&str> = ["schema", &rules]
        .into_iter()
        .chain(files.iter().map(String::as_str))
        .collect();
    check(&arguments);
    refuses_what_is_not(&place, &config);
}

fn refuses_what_is_not(place: &Place, schema: &str) {
    let wrong = [
        "mode = \"fille\"",
        "mood = \"observe\"",
        "[cadence]\nquiet = \"5 parsecs\"",
        "[cadence]\nquiet = 5",
        "[budget]\nrequests_per_day = -1",
        "[[account]]\nid = \"1111\"\nregions = [\"us-east-1\"]",
        "[[account]]\nid = \"111122223333\"\nregions = []",
        "[[account]]\nid = \"111122223333\"\nregions = \"all\"",
        "[receiver.chat]\nkind = \"slack\"\nurl = \"https://hooks.example.com/secret\"",
        "[receiver.chat]\nkind = \"slack\"\ntopic_arn = \"x\"",
        "[rule.latency]\nfactor = \"2\"",
        "[listen]\naddress = \"0.0.0.0:9464\"",
    ];
    let wrong = wrong.into_iter().enumerate().map(|(number, text)| {
        let path = place.path().join(format!("wrong-{number}.toml"));
        fs::write(&path, text).unwrap();
        assert!(
            config::parse(text, "wrong", &Overrides::default()).is_err(),
            "{text}"
        );
        path.display().to_string()
    });
    let wrong: Vec<String> = wrong.collect();
    let arguments: Vec<&str> = ["refused", schema]
        .into_iter()
        .chain(wrong.iter().map(String::as_str))
        .collect();
    check(&arguments);
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let place = Place::new("papers");
    let help = text(&place.command(&[], &["--help"]).output().unwrap().stdout);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.split("\n\n").next().unwrap().lines();
    let names = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names: Vec<&str> = names.filter(|it| !it.is_empty() && *it != "help").collect();
    assert!(20 < names.len(), "{names:?}");
    for shell in ["bash", "zsh", "fish"] {
        let script = place
            .command(&[], &["completions", shell])
            .output()
            .unwrap()
            .stdout;
        let script = text(&script);
        for name in &names {
            assert!(script.contains(name), "{shell}: {name}");
        }
        if shell == "bash" {
            fs::write(place.path().join("completions.bash"), &script).unwrap();
            let (is_well, said) = tool(
                Command::new("bash")
                    .arg("-n")
                    .arg(place.path().join("completions.bash")),
                "bash",
            );
            assert!(is_well, "{said}");
        }
    }
    let output = place
        .command(&[], &["man", "--folder", "man"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    for name in &names {
        let page = place.path().join(format!("man/bedrock-ops-alert-{name}.1"));
        assert!(page.exists(), "{}", page.display());
    }
    let page = text(
        &place
            .command(&[], &["man", "doctor"])
            .output()
            .unwrap()
            .stdout,
    );
    assert!(
        page.contains(".TH") && page.contains("IAM action"),
        "{page}"
    );
    assert_eq!(
        place
            .command(&[], &["man", "docter"])
            .output()
            .unwrap()
            .status
            .code(),
        Some(64)
    );
}

#[test]
fn scripts_of_the_package_are_sound_and_find_what_they_pack() {
    for script in ["deploy/debian/postinst", "deploy/debian/postrm"] {
        let (is_well, said) = tool(Command::new("sh").args(["-n", script]), "sh");
        assert!(is_well, "{script}: {said}");
        assert!(read(script).contains("#DEBHELPER#"), "{script}");
    }
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let deb = &manifest["package"]["metadata"]["deb"];
    let package = read("deploy/package.sh");
    for asset in deb["assets"].as_array().unwrap() {
        let source = asset[0].as_str().unwrap();
        let is_made = source.strip_prefix("target/package/").is_some_and(|made| {
            let name = made.rsplit('/').next().unwrap();
            name == "*.1.gz" || package.contains(name)
        });
        assert!(is_made || exists(source), "{source} is packed by nobody");
    }
}

/// Whether a file is there, or one that fits `*.md`.
fn exists(path: &str) -> bool {
    match path.split_once("/*.") {
        None => root().join(path).exists(),
        Some((folder, extension)) => {
            let mut files = fs::read_dir(root().join(folder)).unwrap();
            files.any(|it| {
                it.unwrap()
                    .path()
                    .extension()
                    .is_some_and(|it| it == extension)
            })
        }
    }
}
