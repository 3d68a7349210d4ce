//! Tests of planned events.

use super::*;
use crate::config::{Overrides, parse};

fn faults(text: &str) -> Vec<String> {
    let error = parse(text, "config.toml", &Overrides::default()).unwrap_err();
    let shown = error.faults().iter().map(|it| {
        let (line, column) = it.line_and_column().unwrap();
        format!(
            "{line}:{column} {}: {}",
            it.key().unwrap_or("-"),
            it.message()
        )
    });
    shown.collect()
}

#[test]
fn windows_and_growth_are_read() {
    let text = r#"
            [[event]]
            name = "Patching"
            kind = "maintenance"
            every = "Sun 02:00"
            lasts = "2h"
            regions = ["eu-central-1"]

            [[event]]
            name = "Load test"
            kind = "expected-traffic"
            from = "2026-12-01T09:00:00+01:00"
            until = "2026-12-01T17:00:00+01:00"
            models = ["anthropic.claude-*"]

            [[event]]
            name = "Launch"
            growth = "+40 %"
            from = "2026-12-01"
        "#;
    let calendar = parse(text, "config.toml", &Overrides::default())
        .unwrap()
        .calendar;
    let [patching, test] = &calendar.windows[..] else {
        panic!("{calendar:?}");
    };
    assert_eq!(
        patching.when,
        When::Weekly {
            start: 6 * DAY + 120,
            lasts: 120
        }
    );
    let from = Minute::of("2026-12-01T08:00:00Z".parse().unwrap());
    let until = from.plus(8 * 60);
    assert_eq!(test.when, When::Once { from, until });
    let [launch] = &calendar.growths[..] else {
        panic!("{calendar:?}");
    };
    assert!((launch.factor - 1.4).abs() < 1e-12);
    assert_eq!(launch.from, from.plus(-8 * 60));
    let shown: Vec<String> = shown(&calendar)
        .into_iter()
        .map(|(name, what)| format!("{name}: {what}"))
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    Patching: maintenance, each Sun 02:00 UTC for 120 minutes, eu-central-1
    Load test: expected-traffic, 2026-12-01 08:00 UTC to 2026-12-01 16:00 UTC, anthropic.claude-*
    Launch: growth x 1.40, from 2026-12-01 00:00 UTC, all pools
    ");
}

#[test]
fn all_faults_come_at_once_each_at_its_place() {
    let text = r#"[[account]]
id = "111122223333"
regions = ["us-east-1"]

[[event]]
name = "A"
kind = "maintenence"
from = "tomorrow"

[[event]]
name = "A"
kind = "maintenance"
every = "Sunday 2:00"
lasts = "8d"
accounts = ["999999999999"]

[[event]]
name = "B"
growth = "40 %"
from = "2026-12-01"
until = "2026-11-30"
regions = []

[[event]]
name = "C"

[[event]]
kind = "maintenance"
growth = "+9000 %"
colour = "red"
"#;
    insta::assert_snapshot!(faults(text).join("\n"));
}
