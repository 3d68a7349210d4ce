//! IAM policies: what they allow follows the calls that are made and the configuration, and the shipped files follow them.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::{collections::BTreeSet, fs, path::Path};

use bedrock_ops_alert::{
    aws::{
        actions::{ALL, Need, loss},
        iam::{Caller, policy},
    },
    config::{self, Overrides},
    model::{
        ids::AccountId,
        policy::{Mode, Settings},
    },
};
use serde_json::Value;

fn settings(text: &str, mode: Mode) -> Settings {
    let mut settings = config::parse(text, "config.toml", &Overrides::default()).unwrap();
    settings.policy.mode = mode;
    settings
}

fn actions(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|it| it["Action"].as_array().unwrap().clone());
    actions
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_shipped_policies_are_what_the_command_prints() {
    for (file, mode) in [("observe", Mode::Observe), ("file", Mode::File)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("deploy/iam/{file}.json"));
        let ours = format!("{:#}\n", policy(&settings("", mode), Caller::Service));
        if std::env::var("INSTA_UPDATE").is_ok_and(|it| it == "always") {
            fs::write(&path, &ours).unwrap();
        }
        let shipped = fs::read_to_string(&path).unwrap();
        assert!(
            shipped == ours,
            "deploy/iam/{file}.json: write there what `iam-policy --mode {file}` prints:\n{ours}"
        );
    }
}

#[test]
fn observing_writes_nothing_and_filing_adds_what_it_files_with() {
    let of = |mode| actions(&policy(&settings("", mode), Caller::Service));
    let needed = |needs: &[Need]| -> BTreeSet<String> {
        let calls = ALL.iter().filter(|(_, need)| needs.contains(need));
        calls
            .map(|(operation, _)| (*operation).to_owned())
            .collect()
    };
    assert_eq!(of(Mode::Observe), needed(&[Need::Observe]));
    let mut filing = needed(&[Need::Observe, Need::RequestQuotas, Need::Support]);
    filing.insert("iam:CreateServiceLinkedRole".to_owned());
    assert_eq!(of(Mode::File), filing);
    assert_eq!(of(Mode::Propose), filing);
    let is_inference = |action: &String| action.starts_with("bedrock:Invoke");
    assert!(!of(Mode::File).iter().any(is_inference));
}

#[test]
fn the_documentation_says_of_each_action_what_is_lost_without_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/permissions.md");
    let page = fs::read_to_string(path).unwrap();
    let told: BTreeSet<&str> = page.lines().filter(|it| it.starts_with("| `")).collect();
    let row = |operation: &str| format!("| `{operation}` | {} |", loss(operation).unwrap());
    let ours: BTreeSet<String> = ALL.iter().map(|(operation, _)| row(operation)).collect();
    assert_eq!(told, ours.iter().map(String::as_str).collect());
}

/// Closing is wanted or not, and not allowed where it is not.
#[test]
fn cases_may_be_closed_only_where_that_is_configured() {
    let of = |text: &str, mode| actions(&policy(&settings(text, mode), Caller::Service));
    let wanted = "[case]\nclose_granted = true\n";
    let close = BTreeSet::from(["support:ResolveCase".to_owned()]);
    let more = &of(wanted, Mode::File) - &of("", Mode::File);
    assert_eq!(more, close);
    assert_eq!(of(wanted, Mode::Observe), of("", Mode::Observe));
}

/// What keeps callers of models within the rules; we call none.
#[test]
fn rules_of_residency_become_policies_that_deny_all_else() {
    use bedrock_ops_alert::aws::iam::{Paper, policies};
    let settings = settings(
        r#"
[[residency]]
name = "eu-data"
accounts = ["111122223333"]
models = ["anthropic.*", "amazon.nova-*"]
allow = ["eu", "eu-west-2"]

[[residency]]
name = "rest"
allow = ["global"]

[[residency]]
name = "by-tag"
tags = { data = "personal" }
allow = ["eu"]
"#,
        Mode::Observe,
    );
    let rules = &settings.policy.residency;
    let (iam, scp) = (policies(rules, Paper::Iam), policies(rules, Paper::Scp));
    insta::assert_snapshot!("residency", format!("iam\n{iam:#}\n\nscp\n{scp:#}"));
    let effects = scp["Statement"].as_array().unwrap().iter();
    let effects: BTreeSet<&str> = effects.map(|it| it["Effect"].as_str().unwrap()).collect();
    assert_eq!(
        effects,
        BTreeSet::from(["Deny"]),
        "an SCP of ours allows nothing"
    );
}

#[test]
fn each_caller_gets_its_own_accounts_and_no_more() {
    let settings = settings(
        r#"
[[account]]
id = "111122223333"
regions = "enabled"
callers = ["arn:aws:iam::111122223333:role/app", "arn:aws:iam::111122223333:user/ci"]

[[account]]
id = "444455556666"
regions = ["cn-north-1"]
role_arn = "arn:aws-cn:iam::444455556666:role/watch"
callers = ["arn:aws-cn:iam::444455556666:role/app"]
invocation_logs = "/bedrock/invocations"

[receiver.on-call]
kind = "sns"
topic_arn = "arn:aws:sns:us-east-1:111122223333:on-call"

[receiver.china]
kind = "sns"
topic_arn = "arn:aws-cn:sns:cn-north-1:444455556666:on-call"
"#,
        Mode::File,
    );
    let service = policy(&settings, Caller::Service);
    let role = policy(&settings, Caller::RoleIn(&AccountId::new("444455556666")));
    insta::assert_snapshot!(
        "policies",
        format!("service\n{service:#}\n\nrole\n{role:#}")
    );
}
