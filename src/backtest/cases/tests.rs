//! The shipped tests of the shipped rules hold, and what does not hold is told.

use super::*;
use crate::config::{self, Overrides, cases};

fn settings(text: &str) -> crate::model::policy::Settings {
    config::parse(text, "config.toml", &Overrides::default()).unwrap()
}

fn missed(settings: &crate::model::policy::Settings, file: &str) -> Vec<Miss> {
    let known = settings.rules.known().iter().map(|it| it.name.clone());
    let cases = cases(None, &known.collect::<Vec<_>>()).unwrap();
    let cases = cases.iter().filter(|it| it.file.contains(file));
    let misses = cases.flat_map(|it| run(it, &settings.rules, &settings.policy));
    misses.collect()
}

#[test]
fn the_shipped_rules_do_what_their_tests_say() {
    assert_eq!(missed(&settings(""), ""), []);
}

#[test]
fn a_changed_rule_fails_its_test_and_is_told_with_the_minutes_around() {
    let misses = missed(
        &settings("[rule.tpm-share-warning]\nwindow = \"4 of 5\"\n"),
        "tpm-share",
    );
    let told: Vec<String> = misses.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("misses", told.join("\n"));
}

#[test]
fn overrides_hold_in_tests_as_well() {
    let text = r#"
[[override]]
name = "patient"
models = ["anthropic.*"]
[override.rule.throttles]
enabled = false
"#;
    let misses = missed(&settings(text), "throttles");
    assert!(!misses.is_empty());
    assert!(
        misses.iter().all(|it| it.file.ends_with("throttles.toml")),
        "{misses:#?}"
    );
}
