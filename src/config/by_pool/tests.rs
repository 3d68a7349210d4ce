//! Tests of overrides: what holds for which pool, and what is told of faulty ones.

use std::collections::BTreeMap;

use crate::{
    config::{
        self, Overrides,
        tests::{Folder, faults_of},
    },
    model::{
        catalog::{Family, PoolId},
        ids::{AccountId, ModelId, Region, RuleName, Scope},
        rule::{Condition, Rule, Rules, Severity},
    },
};

fn pool(account: &str, region: &str, family: Family, model: &str) -> PoolId {
    PoolId {
        scope: Scope {
            account: AccountId::new(account),
            region: Region::new(region),
        },
        family,
        model: ModelId::new(model),
    }
}

fn rules(text: &str) -> Rules {
    let settings = config::parse(text, "config.toml", &Overrides::default());
    settings.unwrap().rules
}

fn find(rules: &Rules, pool: &PoolId, name: &str) -> Option<Rule> {
    let of = rules.of(pool);
    of.iter().find(|it| it.name.as_str() == name).cloned()
}

const LAYERS: &str = r#"
[rule.latency]
enabled = false

[[override]]
name = "batch"
accounts = ["111122223333"]
[override.rule.tpm-share-warning]
above = "90 %"
clear = "60 %"
severity = "info"
[override.rule.throttles]
enabled = false

[[override]]
name = "europe"
regions = ["eu-*"]
[override.rule.tpm-share-warning]
above = "85 %"

[[override]]
name = "frankfurt"
regions = ["eu-central-1"]
[override.rule.tpm-share-warning]
above = "84 %"

[[override]]
name = "claude"
models = ["anthropic.*"]
families = ["geo", "global"]
[override.rule.tpm-share-warning]
above = "75 %"
[override.rule.latency]
enabled = true
factor = 3

[[override]]
name = "sonnet"
models = ["anthropic.claude-sonnet-4-6"]
[override.rule.throttles]
enabled = true
"#;

/// `above`, `clear` and severity of the rule of token shares.
fn share_rule(rules: &Rules, pool: &PoolId) -> (String, String, Severity) {
    let rule = find(rules, pool, "tpm-share-warning").unwrap();
    let Condition::QuotaShare { above, clear, .. } = rule.condition else {
        panic!("{rule:?}");
    };
    (above.to_string(), clear.to_string(), rule.severity)
}

#[test]
fn the_narrowest_has_the_last_word_value_by_value() {
    let rules = rules(LAYERS);
    let is = |account, region, model, above: &str, clear: &str, severity| {
        let pool = pool(account, region, Family::Geo, model);
        let expected = (above.to_owned(), clear.to_owned(), severity);
        assert_eq!(share_rule(&rules, &pool), expected, "{pool}");
    };
    let (batch, other) = ("111122223333", "444455556666");
    let (nova, sonnet) = ("amazon.nova-pro-v1:0", "anthropic.claude-sonnet-4-6");
    is(other, "us-east-1", nova, "80 %", "70 %", Severity::Warning);
    is(batch, "us-east-1", nova, "90 %", "60 %", Severity::Info);
    is(batch, "eu-west-1", nova, "85 %", "60 %", Severity::Info);
    is(batch, "eu-central-1", nova, "84 %", "60 %", Severity::Info);
    is(
        batch,
        "eu-central-1",
        sonnet,
        "75 %",
        "60 %",
        Severity::Info,
    );
    is(
        other,
        "us-east-1",
        sonnet,
        "75 %",
        "70 %",
        Severity::Warning,
    );
}

#[test]
fn rules_are_switched_off_and_on_where_it_says_so() {
    let rules = rules(LAYERS);
    let has = |account, model, rule| {
        find(
            &rules,
            &pool(account, "us-east-1", Family::Geo, model),
            rule,
        )
        .is_some()
    };
    let nova = "amazon.nova-pro-v1:0";
    assert!(!has("111122223333", nova, "throttles"));
    assert!(has("444455556666", nova, "throttles"));
    assert!(has(
        "111122223333",
        "anthropic.claude-sonnet-4-6",
        "throttles"
    ));
    assert!(!has("444455556666", nova, "latency"));
    assert!(has("444455556666", "anthropic.claude-haiku", "latency"));
    let on_demand = pool(
        "444455556666",
        "us-east-1",
        Family::OnDemand,
        "anthropic.claude-haiku",
    );
    assert!(find(&rules, &on_demand, "latency").is_none());
}

#[test]
fn the_hash_is_that_of_the_rule_as_it_holds_there() {
    let by_override = rules(LAYERS);
    let nova = |region| pool("444455556666", region, Family::Geo, "amazon.nova-pro-v1:0");
    let here = find(&by_override, &nova("eu-west-1"), "tpm-share-warning").unwrap();
    let everywhere = rules("[rule.tpm-share-warning]\nabove = \"85 %\"\n");
    let same = find(&everywhere, &nova("us-east-1"), "tpm-share-warning").unwrap();
    assert_eq!(here.hash, same.hash, "the same rule has the same hash");
    let usual = find(&by_override, &nova("us-east-1"), "tpm-share-warning").unwrap();
    assert_ne!(here.hash, usual.hash);
}

#[test]
fn it_is_told_which_override_gave_each_value() {
    let mut rules = rules(LAYERS);
    let pool = pool(
        "111122223333",
        "eu-west-1",
        Family::Geo,
        "amazon.nova-pro-v1:0",
    );
    let told: Vec<String> = rules
        .given(&pool, &RuleName::new("tpm-share-warning"))
        .iter()
        .map(|it| format!("{} = {} {} {}", it.key, it.value, it.by.name, it.by.place))
        .collect();
    assert_eq!(
        told,
        [
            "above = 85 % europe config.toml:15",
            "clear = 60 % batch config.toml:5",
            "severity = info batch config.toml:5",
        ]
    );
    let before = rules.of(&pool).into_owned();
    rules.prepare(&pool);
    assert_eq!(*rules.of(&pool), before);
    let loaded = config::parse_traced(LAYERS, "config.toml", &Overrides::default()).unwrap();
    let shown = loaded.show();
    let start = shown.find("rule.latency = not enabled").unwrap();
    insta::assert_snapshot!("show", &shown[start..]);
}

#[test]
fn faults_of_overrides_come_at_once() {
    insta::assert_snapshot!(
        "faults",
        faults_of(
            r#"
[[account]]
id = "111122223333"
regions = ["us-east-1"]

[[override]]
name = "no pools"
[override.rule.throttles]
enabled = false

[[override]]
name = "everything"
[override.rule.throttles]
enabled = false

[[override]]
name = "nothing"
models = ["anthropic.*"]

[[override]]
name = "wrong"
accounts = ["999988887777"]
regions = ["Frankfurt", "EU-*"]
families = ["geographic"]
models = []
tags = { team = "search" }
[override.rule.throttle]
enabled = false
[override.rule.tpm-share-warning]
above = "60 %"
[override.rule.latency]
floor = 7

[[override]]
name = "wrong"
models = ["*sonnet*"]
[override.rule.client-errors]
ratio = 7
"#
        )
    );
}

#[test]
fn two_that_fit_equally_or_cross_their_lines_are_faults() {
    insta::assert_snapshot!(
        "ties",
        faults_of(
            r#"
[[override]]
name = "one"
models = ["anthropic.*"]
[override.rule.client-errors]
ratio = 7
severity = "warning"

[[override]]
name = "two"
models = ["*.claude-x"]
[override.rule.client-errors]
ratio = 8

[[override]]
name = "three"
models = ["amazon.no*"]
[override.rule.client-errors]
ratio = 9

[[override]]
name = "early"
regions = ["eu-central-1"]
[override.rule.tpm-share-warning]
above = "72 %"

[[override]]
name = "long"
accounts = ["111122223333"]
[override.rule.tpm-share-warning]
clear = "75 %"
"#
        )
    );
}

#[test]
fn values_of_detectors_and_forecasts_are_changed_by_pool_as_well() {
    let rules = rules(
        r#"
[rule.tpm-forecast]
soon = { chance = "60 %", lasts = "30m" }

[[override]]
name = "haste"
models = ["amazon.*"]
[override.rule.tpm-forecast]
early = "warning"
near = { use = "90 %", chance = "50 %" }
again = "2d"
[override.rule.traffic-up]
jump = 5
rare = "10d"
"#,
    );
    let nova = pool(
        "111122223333",
        "us-east-1",
        Family::Geo,
        "amazon.nova-pro-v1:0",
    );
    let told = |rule: &str| {
        let given = rules.given(&nova, &RuleName::new(rule)).into_iter();
        let told = given.map(|it| format!("{} = {}", it.key, it.value));
        told.collect::<Vec<String>>()
    };
    assert_eq!(
        told("tpm-forecast"),
        [
            "again = 2880m",
            "early = warning",
            "near = { use = \"90 %\", chance = \"50 %\" }",
        ]
    );
    assert_eq!(told("traffic-up"), ["jump = 5", "rare = 14400m"]);
    let rule = find(&rules, &nova, "tpm-forecast").unwrap();
    let Condition::RunsOut { warning, .. } = rule.condition else {
        panic!("{rule:?}");
    };
    assert_eq!(
        (warning.again_minutes, warning.early),
        (2_880, Severity::Warning)
    );
    assert_eq!(warning.near.chance.to_string(), "50 %");
    assert_eq!(warning.soon.minutes, 30, "as it is everywhere");
}

#[test]
fn two_rules_on_one_detector_are_a_fault() {
    let folder = Folder::new("doubled");
    let rule = |name: &str, condition: &str| {
        format!(
            "[[rule]]\nname = \"{name}\"\ncategory = \"anomaly\"\nseverity = \"info\"\nremedy = \"notify\"\nrunbook = \"Look.\"\n{condition}\n"
        )
    };
    let text = [
        rule("mild", "unusual = { of = \"throttles\" }"),
        rule("stern", "unusual = { of = \"throttles\" }"),
        rule(
            "slow",
            "unusual = { of = \"latency\", factor = 2, rare = \"9d\" }",
        ),
    ];
    folder.put("mine.toml", text.concat().as_bytes());
    let overrides = Overrides {
        rules: Some(folder.0.clone()),
        ..Overrides::default()
    };
    let told = |text: &str| {
        let settings = config::parse(text, "config.toml", &overrides);
        let faults = settings.err();
        let faults = faults.iter().flat_map(|it| it.faults());
        faults.map(ToString::to_string).collect::<Vec<String>>()
    };
    assert_eq!(
        told(""),
        ["`rule`: \"mild\" and \"stern\" look for the same trouble"]
    );
    assert_eq!(told("[rule.mild]\nenabled = false\n"), [""; 0]);
    let by_pool = r#"
[rule.mild]
enabled = false
[[override]]
name = "careful"
models = ["amazon.*"]
[override.rule.mild]
enabled = true
"#;
    assert_eq!(
        told(by_pool),
        [
            "`override[0]`: \"mild\" and \"stern\" look for the same trouble where override \"careful\" fits"
        ]
    );
    let instead = by_pool.to_owned() + "[override.rule.stern]\nenabled = false\n";
    assert_eq!(told(&instead), [""; 0]);
}

const BY_TAG: &str = r#"
[[override]]
name = "chat"
tags = { team = "chat" }
[override.rule.tpm-share-warning]
above = "90 %"
severity = "info"

[[override]]
name = "sonnet"
models = ["anthropic.claude-sonnet-4-6"]
[override.rule.tpm-share-warning]
above = "75 %"

[[override]]
name = "search"
tags = { team = "search" }
[override.rule.tpm-share-warning]
above = "85 %"

[[override]]
name = "search-live"
tags = { team = "search", stage = "l*" }
[override.rule.tpm-share-warning]
above = "80 %"
"#;

#[test]
fn an_override_by_tag_is_narrower_than_any_other_and_of_two_the_first_holds() {
    let sonnet = pool(
        "111122223333",
        "us-east-1",
        Family::Geo,
        "anthropic.claude-sonnet-4-6",
    );
    let team = |team: &str| BTreeMap::from([("team".to_owned(), team.to_owned())]);
    let mut live = team("search");
    live.insert("stage".to_owned(), "live".to_owned());
    let given = |targets: Vec<BTreeMap<String, String>>| {
        let mut rules = rules(BY_TAG);
        rules.prepare(&sonnet);
        assert!(rules.ask_tags());
        rules.take_tags([(sonnet.clone(), targets)].into());
        rules.prepare(&sonnet);
        let name = RuleName::new("tpm-share-warning");
        let given = rules.given(&sonnet, &name).into_iter();
        let told = given.map(|it| format!("{} = {} by {}", it.key, it.value, it.by.name));
        told.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(given(vec![]), "above = 75 % by sonnet");
    assert_eq!(given(vec![team("batch")]), "above = 75 % by sonnet");
    assert_eq!(given(vec![team("search")]), "above = 85 % by search");
    assert_eq!(given(vec![live.clone()]), "above = 80 % by search-live");
    let both = "above = 90 % by chat, severity = info by chat";
    assert_eq!(given(vec![team("search"), team("chat")]), both, "the first");
    let both = "above = 80 % by search-live, severity = info by chat";
    assert_eq!(given(vec![live, team("chat")]), both, "the narrower");
    let other = pool(
        "111122223333",
        "us-east-1",
        Family::Geo,
        "amazon.nova-pro-v1:0",
    );
    let mut rules = rules(BY_TAG);
    rules.take_tags([(sonnet.clone(), vec![team("search")])].into());
    assert!(
        rules
            .given(&other, &RuleName::new("tpm-share-warning"))
            .is_empty()
    );
    let again = [(sonnet, vec![team("search")])].into();
    assert!(!rules.take_tags(again), "the same as before");
}

#[test]
fn tags_that_can_fit_nothing_are_faults_and_so_are_two_overrides_of_the_same_ones() {
    let text = r#"
[[override]]
name = "empty"
tags = {}
[override.rule.tpm-share-warning]
above = "90 %"
[[override]]
name = "list"
tags = ["team"]
[override.rule.tpm-share-warning]
above = "90 %"
[[override]]
name = "values"
tags = { team = 7, "" = "x", stage = "", "a\u202Eb" = "x" }
[override.rule.tpm-share-warning]
above = "90 %"
[[override]]
name = "one"
tags = { team = "search" }
[override.rule.tpm-share-warning]
above = "90 %"
[[override]]
name = "two"
tags = { team = "search" }
[override.rule.tpm-share-warning]
above = "85 %"
"#;
    insta::assert_snapshot!("tag_faults", faults_of(text));
}
