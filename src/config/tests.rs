//! Tests of reading configurations. The messages are snapshots: each is what a person reads at three in the morning.

use std::fs;

use miette::{GraphicalReportHandler, GraphicalTheme};

mod broken;
mod variables;

use super::*;
use crate::model::{
    ids::{AccountId, ReceiverName, Region},
    policy::{Receiver, Regions},
    rule::{Category, Condition, Remedy, Severity},
    unusual::Unusual,
};

/// The report as a terminal without colours shows it.
fn report(error: &ConfigError) -> String {
    report_in(error, 110)
}

pub(super) fn report_in(error: &ConfigError, width: usize) -> String {
    let mut text = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(width)
        .with_links(false)
        .render_report(&mut text, error)
        .unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

pub(super) fn faults_of(text: &str) -> String {
    report(&parse(text, "config.toml", &Overrides::default()).unwrap_err())
}

/// A folder of its own for each test, gone before and after.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("boa-config-{name}-{}", std::process::id()));
        if path.exists() {
            fs::remove_dir_all(&path).unwrap();
        }
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn put(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// The report of this error with the folder's name taken out; so wide that its length moves no line break.
    fn report(&self, error: &ConfigError) -> String {
        report_in(error, 1_000).replace(&self.0.display().to_string(), "DIR")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn the_shipped_rules_are_right_and_sorted() {
    let rules = builtin_rules().unwrap();
    let lines: Vec<String> = rules
        .iter()
        .map(|rule| {
            format!(
                "{} {} {} {} {} of {} clear {} {:?}",
                rule.hash,
                rule.name,
                rule.severity.name(),
                rule.remedy.name(),
                rule.window.bad(),
                rule.window.of(),
                rule.clear_minutes,
                rule.condition,
            )
        })
        .collect();
    insta::assert_snapshot!("shipped_rules", lines.join("\n"));
    // What is merely unusual, or a chance, is never asked of AWS by itself: only refusals, failures and quotas are.
    let anomalies = rules.iter().filter(|it| it.category == Category::Anomaly);
    assert!(anomalies.into_iter().all(|it| it.remedy == Remedy::Notify));
}

#[test]
fn every_shipped_rule_file_is_compiled_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("alert-rules");
    let (book, faults) = files::rules_in(&folder);
    assert!(faults.is_empty());
    let on_disk: Vec<Rule> = book.into_values().map(|(rule, _)| rule).collect();
    assert_eq!(on_disk, builtin_rules().unwrap());
}

#[test]
fn without_a_file_everything_has_its_default() {
    let loaded = load_traced(None, &Overrides::default()).unwrap();
    assert_eq!(loaded.settings.policy.mode, Mode::Observe);
    assert_eq!(loaded.settings.rules.everywhere(), builtin_rules().unwrap());
    insta::assert_snapshot!("show_defaults", loaded.show());
}

#[test]
fn the_example_is_right_and_shows_where_values_come_from() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/example-config.toml");
    let overrides = Overrides {
        listen: Some("127.0.0.1:8080".parse().unwrap()),
        mode: Some(Mode::Propose),
        from_environment: BTreeSet::from(["mode".to_owned()]),
        ..Overrides::default()
    };
    let loaded = load_traced(Some(&path), &overrides).unwrap();
    let rules = loaded.settings.rules.everywhere();
    assert!(!rules.iter().any(|it| it.name.as_str() == "tokens-up"));
    assert_eq!(rules.len() + 1, builtin_rules().unwrap().len());
    insta::assert_snapshot!("show_example", loaded.show());
}

#[test]
fn all_faults_of_a_file_come_at_once_in_the_order_of_its_lines() {
    insta::assert_snapshot!(
        "many_faults",
        faults_of(
            r#"mode = "obsreve"

[stor]
path = "/var/lib/boa"

[[account]]
id = "11112222333"
regions = ["us-east-1a", "eu-central-1"]

[[account]]
id = "111122223333"
regions = []
role_arn = "arn:aws:iam::444455556666:role/watch"

[receiver.on-call]
kind = "sns"
topic_arn = "arn:aws:sns:us-east-1:999988887777:on-call"

[[route]]
receiver = "oncall"
severity = "loud"

[budget]
request_per_day = 5
highest_factor = 0.5
cooldown = "5 parsecs"

[cadence]
quiet = 5
hot = "90s"
"#
        )
    );
}

#[test]
fn others_may_reach_it_where_a_token_is_asked_for() {
    let folder = Folder::new("access");
    folder.put("view", format!("{}\n", "v".repeat(32)).as_bytes());
    folder.put("short", b"secret");
    let file = folder.put(
        "config.toml",
        b"[listen]\naddress = \"0.0.0.0:9464\"\ntoken_file = \"view\"\nhosts = [\"Monitor.internal.example\"]\nurl = \"https://ops.example/bedrock/\"\n",
    );
    let loaded = load_traced(Some(&file), &Overrides::default()).unwrap();
    let access = &loaded.settings.access;
    assert!(access.view.is_some() && access.act.is_none());
    assert_eq!(
        access.hosts,
        ["monitor.internal.example", "ops.example"],
        "whoever follows a message asks by the name in it"
    );
    let page = &loaded.settings.policy.places.page;
    assert_eq!(page.as_deref(), Some("https://ops.example/bedrock"));
    let shown = loaded.show();
    let lines = shown.lines().filter(|it| it.starts_with("listen."));
    insta::assert_snapshot!("listen_shown", lines.collect::<Vec<_>>().join("\n"));
    let file = folder.put(
        "config.toml",
        b"[listen]\naddress = \"nowhere\"\ntoken_file = \"short\"\nact_token = \"in-the-file\"\nhosts = [\"http://x\", \"a.b:80\", \"-\"]\nurl = \"monitor\"\n",
    );
    let faults = load_traced(Some(&file), &Overrides::default()).unwrap_err();
    insta::assert_snapshot!("listen_faults", folder.report(&faults));
}

/// A load balancer that signs people in asks for something, too.
#[test]
fn a_load_balancer_signs_people_in() {
    let text = r#"
[listen]
address = "0.0.0.0:9464"
[listen.alb]
signer = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/ops/50dc6c495c0c9188"
issuer = "https://login.example.com/"
act = ["anna@example.com", "email=*@ops.example.com", "248289761001", "https://example.com/roles=on=call"]
"#;
    let loaded = parse_traced(text, "config.toml", &Overrides::default()).unwrap();
    let shown = loaded.show();
    let lines = shown.lines().filter(|it| it.starts_with("listen."));
    insta::assert_snapshot!("listen_alb", lines.collect::<Vec<_>>().join("\n"));
    let keys = |text: String| {
        let loaded = parse(&text, "config.toml", &Overrides::default());
        loaded.map(|it| it.access.alb.unwrap().keys)
    };
    let of = |partition: &str, region: &str| {
        text.replace("arn:aws:", &format!("arn:{partition}:"))
            .replace("eu-west-1", region)
    };
    assert_eq!(
        keys(of("aws-us-gov", "us-gov-east-1")).unwrap(),
        "https://s3-us-gov-east-1.amazonaws.com/aws-elb-public-keys-prod-us-gov-east-1"
    );
    let china = of("aws-cn", "cn-north-1");
    insta::assert_snapshot!("listen_alb_partition", faults_of(&china));
    let told = china.replace("act =", "keys = \"https://keys.example/\"\nact =");
    assert_eq!(keys(told).unwrap(), "https://keys.example");
}

#[test]
fn what_is_wrong_with_a_load_balancer_is_told_at_its_place() {
    insta::assert_snapshot!(
        "listen_alb_faults",
        faults_of(
            r#"
[listen]
address = "0.0.0.0:9464"
[listen.alb]
signer = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/ops/50dc6c495c0c9188"
issuer = "login.example.com"
client = "two words"
keys = "http://keys.example"
act = ["", "groups=", "=x"]
region = "eu-west-1"
"#
        )
    );
    insta::assert_snapshot!(
        "listen_alb_missing",
        faults_of("[listen.alb]\nact = [\"*\"]\n")
    );
}

#[test]
fn a_listener_that_others_could_reach_is_refused() {
    insta::assert_snapshot!(
        "listen",
        faults_of("[listen]\naddress = \"0.0.0.0:9464\"\n")
    );
    let overrides = Overrides {
        listen: Some("10.0.0.1:80".parse().unwrap()),
        ..Overrides::default()
    };
    insta::assert_snapshot!(
        "listen_flag",
        report(&parse("", "config.toml", &overrides).unwrap_err())
    );
}

#[test]
fn a_secret_in_the_file_is_refused_and_one_on_loopback_is_none() {
    let text = r#"
[receiver.chat]
kind = "slack"
url = "https://hooks.slack.example/services/T000/B000/secret"

[receiver.other]
kind = "slack"
url = "credential:slack"

[receiver.third]
kind = "slack"

[receiver.sly]
kind = "slack"
url = "http://127.0.0.1:1@evil.example/"
"#;
    let shown = faults_of(text);
    assert!(!shown.contains("T000"), "{shown}");
    insta::assert_snapshot!("secret", shown);
    let local = "[receiver.chat]\nkind = \"slack\"\nurl = \"http://127.0.0.1:4566/_sim/slack\"\n";
    let settings = parse(local, "config.toml", &Overrides::default()).unwrap();
    assert_eq!(settings.policy.receivers.len(), 1);
}

#[test]
fn a_secret_under_a_wrong_key_or_near_a_fault_is_not_quoted() {
    let text =
        "wrong = 1\nwebhook = \"https://hooks.slack.example/services/T000/sécret\"\nalso = 2\n";
    let shown = faults_of(text);
    assert!(shown.contains("https://hooks.slack.example***"), "{shown}");
    assert!(!shown.contains("T000"), "{shown}");
    let broken = faults_of("url = \"https://me:T000@hooks.slack.example/T000\" x\n");
    assert!(!broken.contains("T000"), "{broken}");
}

#[test]
fn an_address_in_other_letters_is_refused_before_it_is_needed() {
    let folder = Folder::new("letters");
    folder.put("url", "https://h\u{e4}user.example/T000\n".as_bytes());
    let text = "[receiver.a]\nkind = \"slack\"\nurl_file = \"url\"\n\
        [receiver.b]\nkind = \"alertmanager\"\nurl = \"https://h\u{e4}user.example\"\n";
    let config = folder.put("config.toml", text.as_bytes());
    let error = load(Some(&config), &Overrides::default()).unwrap_err();
    let shown = folder.report(&error);
    assert_eq!(shown.matches("xn--").count(), 2, "{shown}");
    assert!(!shown.contains("T000"), "{shown}");
}

#[test]
fn secrets_are_read_from_files_and_never_shown() {
    let folder = Folder::new("secret");
    folder.put("slack-url", b"https://hooks.slack.example/secret\n");
    folder.put("empty", b"\n");
    let config = folder.put(
        "config.toml",
        b"[receiver.a]\nkind = \"slack\"\nurl_file = \"slack-url\"\n\
          [receiver.b]\nkind = \"slack\"\nurl = \"credential:slack-url\"\n",
    );
    let overrides = Overrides {
        credentials: Some(folder.0.clone()),
        ..Overrides::default()
    };
    let loaded = load_traced(Some(&config), &overrides).unwrap();
    for receiver in loaded.settings.policy.receivers.values() {
        let Receiver::Slack { url } = receiver else {
            panic!("not Slack");
        };
        assert_eq!(url.expose(), "https://hooks.slack.example/secret");
    }
    assert!(!loaded.show().contains("secret\""), "{}", loaded.show());
    assert!(!loaded.show().contains("hooks.slack"), "{}", loaded.show());
    let config = folder.put(
        "config.toml",
        b"[receiver.a]\nkind = \"slack\"\nurl_file = \"missing\"\n\
          [receiver.b]\nkind = \"slack\"\nurl_file = \"empty\"\n",
    );
    let error = load(Some(&config), &overrides).unwrap_err();
    insta::assert_snapshot!("secret_files", folder.report(&error));
}

#[test]
fn overrides_of_rules_are_checked_against_the_rule() {
    insta::assert_snapshot!(
        "rule_overrides",
        faults_of(
            r#"
[rule.tpm-share-warnin]
enabled = false

[rule.tpm-share-warning]
above = "180 %"

[rule.rpm-share-warning]
clear = "90 %"

[rule.rpm-share-critical]
above = "50 %"

[rule.throttles]
window = "5 of 3"
above = "80 %"

[rule.latency]
above = "5 parsecs"
clear_for = "2h"
"#
        )
    );
}

#[test]
fn cases_are_addressed_by_cause_and_severity() {
    let text = r#"
[case]
severity = "low"
cc = ["team@example.com"]
[[case.when]]
categories = ["server-error", "latency"]
severities = ["critical"]
severity = "urgent"
cc = ["oncall@example.com", "boss@example.com"]
[[case.when]]
severities = ["critical"]
service = "service-other"
"#;
    let settings = parse(text, "config.toml", &Overrides::default()).unwrap();
    let told = |category, severity| {
        let codes = settings.policy.case_codes.of(category, severity);
        format!(
            "{} {} {}",
            codes.service,
            codes.severity,
            codes.cc.join(",")
        )
    };
    assert_eq!(
        told(Category::ServerError, Severity::Critical),
        "service-bedrock urgent oncall@example.com,boss@example.com"
    );
    assert_eq!(
        told(Category::Quota, Severity::Critical),
        "service-other low team@example.com"
    );
    assert_eq!(
        told(Category::ServerError, Severity::Warning),
        "service-bedrock low team@example.com"
    );
}

#[test]
fn an_address_that_says_nothing_new_is_a_fault() {
    let many: Vec<String> = (0..11).map(|it| format!("\"a{it}@example.com\"")).collect();
    let text = format!(
        "[case]\ncc = [{}]\n[[case.when]]\ncc = [\"on call\"]\n[[case.when]]\nseverities = [\"loud\"]\n",
        many.join(", ")
    );
    insta::assert_snapshot!(faults_of(&text));
}

#[test]
fn an_override_changes_the_rule_and_its_hash() {
    let text = "[rule.latency]\nfactor = 3\nseverity = \"info\"\n";
    let settings = parse(text, "config.toml", &Overrides::default()).unwrap();
    let find = |rules: &[Rule]| {
        let found = rules.iter().find(|it| it.name.as_str() == "latency");
        found.unwrap().clone()
    };
    let (changed, shipped) = (
        find(settings.rules.everywhere()),
        find(&builtin_rules().unwrap()),
    );
    assert_eq!(changed.severity, Severity::Info);
    assert!(matches!(
        changed.condition,
        Condition::Unusual(Unusual::Slow(it)) if it.factor > 2.9
    ));
    assert_ne!(changed.hash, shipped.hash);
}

const RULE: &str = r#"
[[rule]]
name = "mine"
category = "throttle"
severity = "critical"
remedy = "notify"
window = "2 of 3"
clear_for = "5m"
runbook = "look"
count = { of = "throttles", at_least = 5, share = "1 %", min_demand = 0 }
"#;

#[test]
fn faulty_rule_files_are_told_together() {
    let folder = Folder::new("rule-files");
    folder.put("10-first.toml", RULE.as_bytes());
    folder.put("20-again.toml", RULE.as_bytes());
    let two = "slow = { above = \"5 s\", min_demand = 1 }\n";
    let faulty = RULE.replace("mine", "other").replace("1 %", "180 %") + two;
    folder.put("30-faulty.toml", faulty.as_bytes());
    let thin = "[[rule]]\nname = \"Thin Rule\"\ncategory = \"throttel\"\n\
                [[rule]]\nname = \"share\"\nquota_share = { kind = \"tpm\", above = \"70 %\", clear = \"80 %\" }\n";
    folder.put("40-thin.toml", thin.as_bytes());
    folder.put("50-empty.toml", b"# nothing\n");
    folder.put("60-broken.toml", b"[[rule]\nname = mine\n");
    folder.put("README.md", b"not a rule file");
    let overrides = Overrides {
        rules: Some(folder.0.clone()),
        ..Overrides::default()
    };
    let error = load(None, &overrides).unwrap_err();
    insta::assert_snapshot!("rule_files", folder.report(&error));
}

#[test]
fn what_is_merely_unusual_may_ask_aws_for_nothing() {
    let by_table = "[rule.traffic-up]\nremedy = \"investigate\"\n";
    let error = parse(by_table, "config.toml", &Overrides::default()).unwrap_err();
    let faults = error.faults().iter().map(ToString::to_string);
    let faults: Vec<String> = faults.collect();
    assert!(
        faults.iter().any(|it| it.contains("never does")),
        "{faults:?}"
    );
    let folder = Folder::new("unusual");
    let rule = RULE
        .replace("throttle\"", "anomaly\"")
        .replace("\"notify\"", "\"request-quota\"");
    folder.put("mine.toml", rule.as_bytes());
    let overrides = Overrides {
        rules: Some(folder.0.clone()),
        ..Overrides::default()
    };
    let error = load(None, &overrides).unwrap_err();
    let report = folder.report(&error);
    assert!(report.contains("never does"), "{report}");
}

#[test]
fn a_rule_folder_replaces_the_built_in_rules() {
    let folder = Folder::new("replace");
    folder.put("mine.toml", RULE.as_bytes());
    let overrides = Overrides {
        rules: Some(folder.0.clone()),
        ..Overrides::default()
    };
    let loaded = load_traced(None, &overrides).unwrap();
    assert_eq!(loaded.settings.rules.known().len(), 1);
    let shown = loaded.show();
    let line = shown.lines().find(|line| line.starts_with("rules.folder"));
    let path = folder.0.display().to_string();
    assert!(
        line.is_some_and(|it| it.contains(&path) && it.ends_with("# flag")),
        "{shown}"
    );
}

#[test]
fn files_that_cannot_be_read_say_which_and_why() {
    let folder = Folder::new("unreadable");
    let missing = folder.0.join("missing.toml");
    let of = |path: &Path| folder.report(&load(Some(path), &Overrides::default()).unwrap_err());
    insta::assert_snapshot!("missing_file", of(&missing));
    insta::assert_snapshot!("folder_for_file", of(&folder.0));
    let mut large = b"# ".to_vec();
    large.resize(1024 * 1024 + 1, b'x');
    insta::assert_snapshot!("too_large", of(&folder.put("large.toml", &large)));
    insta::assert_snapshot!(
        "not_text",
        of(&folder.put("bytes.toml", b"mode = \"\xff\""))
    );
    let no_folder = Overrides {
        rules: Some(folder.0.join("rules")),
        ..Overrides::default()
    };
    let error = load(None, &no_folder).unwrap_err();
    insta::assert_snapshot!("missing_rule_folder", folder.report(&error));
    fs::create_dir(folder.0.join("rules")).unwrap();
    let error = load(None, &no_folder).unwrap_err();
    insta::assert_snapshot!("empty_rule_folder", folder.report(&error));
}

#[test]
fn places_are_told_as_numbers_too() {
    let error = parse(
        "\n[budget]\n  grün = 1\n",
        "config.toml",
        &Overrides::default(),
    )
    .unwrap_err();
    let [fault] = error.faults() else {
        panic!("{error:?}");
    };
    assert_eq!(fault.file(), Some("config.toml"));
    assert!(fault.message().contains("TOML"), "{fault}");
    assert_eq!(fault.line_and_column(), Some((3, 5)));
}

/// What is hidden takes no other place than what it hides, whatever its letters.
#[test]
fn a_place_behind_a_secret_is_its_own() {
    for secret in [
        "xoxb-\u{2026}\u{e9}\u{1f511}",
        "https://hooks.example/\u{e9}\u{2026}",
    ] {
        let text = format!("[budget]\nx = \"{secret}\" y");
        let error = parse(&text, "config.toml", &Overrides::default()).unwrap_err();
        let fault = error.faults().first().unwrap();
        let column = secret.chars().count() + "x = \"\" y".chars().count();
        assert_eq!(fault.line_and_column(), Some((2, column)), "{fault}");
        let report = error.lines().join("\n");
        assert!(!report.contains('\u{1f511}'), "{report}");
    }
}

#[test]
fn metrics_come_through_a_configured_account_of_the_same_partition_that_is_not_linked_itself() {
    let linked = |more: &str| {
        format!(
            "[[account]]\nid = \"111122223333\"\nregions = [\"us-east-1\"]\n\n\
             [[account]]\nid = \"444455556666\"\nregions = [\"us-east-1\"]\n\
             metrics_through = \"111122223333\"\n\n{more}"
        )
    };
    let settings = parse(&linked(""), "accounts.toml", &Overrides::default()).unwrap();
    let (own, other) = (
        AccountId::new("111122223333"),
        AccountId::new("444455556666"),
    );
    assert_eq!(settings.accounts[1].metrics_through.as_ref(), Some(&own));
    assert_eq!(settings.policy.metrics_only, [(other, own)].into());
    // A role leads there: all but the metrics is asked of the account itself.
    let role = "role_arn = \"arn:aws:iam::444455556666:role/watch\"";
    let settings = parse(&linked(role), "accounts.toml", &Overrides::default()).unwrap();
    assert!(settings.policy.metrics_only.is_empty());
    let third = |regions: &str, through: &str| {
        let text = format!(
            "[[account]]\nid = \"777788889999\"\nregions = {regions}\nmetrics_through = \"{through}\""
        );
        faults_of(&linked(&text))
    };
    insta::assert_snapshot!(
        "metrics_through",
        [
            third("[\"us-east-1\"]", "123412341234"),
            third("[\"us-east-1\"]", "777788889999"),
            third("[\"us-east-1\"]", "444455556666"),
            third("[\"us-gov-west-1\"]", "111122223333"),
            third("\"enabled\"", "111122223333"),
            third("[\"us-east-1\"]", "monitoring"),
        ]
        .join("\n")
    );
}

#[test]
fn callers_are_of_their_account_and_iam_can_be_asked_there() {
    let table = |callers: &[&str], more: &str| {
        let callers: Vec<String> = callers
            .iter()
            .map(|it| format!("\"arn:aws:{it}\""))
            .collect();
        format!(
            "[[account]]\nid = \"111122223333\"\nregions = [\"us-east-1\"]\ncallers = [{}]\n{more}\n\n\
             [[account]]\nid = \"444455556666\"\nregions = [\"us-east-1\"]\n",
            callers.join(", ")
        )
    };
    let app = "iam::111122223333:role/app";
    let settings = parse(&table(&[app], ""), "config.toml", &Overrides::default()).unwrap();
    let callers = settings.policy.callers.iter();
    let callers: Vec<String> = callers.map(|(id, it)| format!("{id} {it:?}")).collect();
    assert_eq!(
        callers,
        ["111122223333 [PrincipalArn(\"arn:aws:iam::111122223333:role/app\")]"]
    );
    let six: Vec<String> = (0..6).map(|it| format!("{app}-{it}")).collect();
    let six: Vec<&str> = six.iter().map(String::as_str).collect();
    insta::assert_snapshot!(
        "callers",
        [
            faults_of(&table(&["iam::444455556666:role/app"], "")),
            faults_of(&table(&[app, app], "")),
            faults_of(&table(&["sts::111122223333:assumed-role/app/x"], "")),
            faults_of(&table(&["iam::111122223333:root"], "")),
            faults_of(&table(&[app], "metrics_through = \"444455556666\"")),
            faults_of(&table(&six, "")),
        ]
        .join("\n")
    );
}

#[test]
fn all_regions_are_asked_for_where_the_partition_begins() {
    let regions = |text: &str| {
        let text = format!("[[account]]\nid = \"111122223333\"\n{text}");
        let settings = parse(&text, "accounts.toml", &Overrides::default());
        settings.map(|it| it.accounts[0].regions.clone())
    };
    let asked_at = |home: &str| Regions::Enabled {
        home: Region::new(home),
    };
    for (text, home) in [
        ("regions = \"enabled\"", "us-east-1"),
        (
            "regions = \"enabled\"\nrole_arn = \"arn:aws-us-gov:iam::111122223333:role/watch\"",
            "us-gov-west-1",
        ),
        (
            "regions = \"enabled\"\nhome_region = \"eu-west-1\"",
            "eu-west-1",
        ),
    ] {
        assert_eq!(regions(text).unwrap(), asked_at(home), "{text}");
    }
    let faults = |text: &str| faults_of(&format!("[[account]]\nid = \"111122223333\"\n{text}"));
    insta::assert_snapshot!(
        "regions",
        [
            faults("regions = \"all\""),
            faults("regions = [\"us-east-1\"]\nhome_region = \"us-east-1\""),
            faults("regions = 7"),
        ]
        .join("\n")
    );
}

#[test]
fn a_log_group_is_named_where_the_account_can_be_asked() {
    let table = |group: &str, more: &str| {
        format!(
            "[[account]]\nid = \"111122223333\"\nregions = [\"us-east-1\"]\n\n\
             [[account]]\nid = \"444455556666\"\nregions = [\"us-east-1\"]\n\
             invocation_logs = \"{group}\"\n{more}\n"
        )
    };
    let settings = parse(
        &table("/bedrock/logs", ""),
        "config.toml",
        &Overrides::default(),
    )
    .unwrap();
    let groups: Vec<_> = settings.policy.invocation_logs.into_iter().collect();
    let expected = (AccountId::new("444455556666"), "/bedrock/logs".to_owned());
    assert_eq!(groups, [expected]);
    let arn = faults_of(&table(
        "arn:aws:logs:us-east-1:444455556666:log-group:x",
        "",
    ));
    assert!(arn.contains("not the ARN"), "{arn}");
    let linked = "metrics_through = \"111122223333\"\n";
    let linked = faults_of(&table("/bedrock/logs", linked));
    assert!(linked.contains("give the account a `role_arn`"), "{linked}");
}
