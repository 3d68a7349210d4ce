//! Tests of reading rule tests.

use super::*;
use crate::config::builtin_rules;

fn known() -> Vec<RuleName> {
    builtin_rules()
        .unwrap()
        .into_iter()
        .map(|it| it.name)
        .collect()
}

#[test]
fn every_shipped_rule_has_a_test_in_which_it_alerts() {
    let cases = cases(None, &known()).unwrap();
    let expectations = cases.iter().flat_map(|it| &it.expectations);
    let alerting = expectations.filter(|it| it.state == Some(AlertState::Alerting));
    let tested: BTreeSet<RuleName> = alerting.filter_map(|it| it.rule.clone()).collect();
    let untested: Vec<RuleName> = known()
        .into_iter()
        .filter(|it| !tested.contains(it))
        .collect();
    assert!(untested.is_empty(), "{untested:?}");
}

#[test]
fn every_shipped_test_file_is_compiled_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("alert-rules/tests");
    let on_disk = cases(Some(&folder), &known()).unwrap().len();
    assert_eq!(on_disk, cases(None, &known()).unwrap().len());
}

#[test]
fn faults_of_tests_come_at_once() {
    let text = r#"
[[test]]
rules = ["throtles"]
[test.quotas]
tpm = "many"
[test.series]
invocation = "1"
throttles = "1 y"
[[test.expect]]
state = "alerting"
[[test.expect]]
at = "5m"
[[test.expect]]
at = "6m"
silent = false

[[test]]
name = "nothing"

[[test]]
name = "nothing is expected"
expect = []
"#;
    let mut found = Vec::new();
    let faults = read("mine.toml", text, &known(), &mut found);
    let told: Vec<String> = faults
        .iter()
        .map(|it| {
            let (line, column) = it.line_and_column().unwrap();
            format!("{line}:{column} {it}")
        })
        .collect();
    insta::assert_snapshot!("faults", told.join("\n"));
}
