use super::super::{Overrides, builtin_inhibits, parse};

fn inhibits(text: &str) -> Vec<String> {
    let settings = parse(text, "config.toml", &Overrides::default()).unwrap();
    let all = settings.policy.inhibits.iter();
    all.map(|it| format!("{}: {} beside {}", it.name, it.target, it.source))
        .collect()
}

#[test]
fn what_is_shipped_is_replaced_and_switched_off_by_name() {
    let shipped = builtin_inhibits().unwrap();
    let names: Vec<&str> = shipped.iter().map(|it| it.name.as_str()).collect();
    insta::assert_snapshot!(names.join(", "), @"errors-beside-refusals, refusals-beside-quota, traffic-beside-trouble");
    assert_eq!(inhibits("").len(), 3);
    let own = r#"
[[inhibit]]
name = "traffic-beside-trouble"
enabled = false
[[inhibit]]
name = "errors-beside-refusals"
source = { rules = ["throttles"], regions = ["eu-*"] }
target = { categories = ["latency"] }
equal = ["model", "region"]
"#;
    insta::assert_snapshot!(inhibits(own).join("\n"), @r"
    refusals-beside-quota: category throttle beside rule *-share-critical
    errors-beside-refusals: category latency beside rule throttles, region eu-*
    ");
}

#[test]
fn all_faults_come_at_once_each_at_its_place() {
    let text = r#"
[[inhibit]]
name = "a"
source = { rules = ["throtles"] }
target = { categories = ["slow"] }
equal = ["pools"]
[[inhibit]]
name = "a"
source = {}
equal = ["pool"]
[[inhibit]]
name = "not-shipped"
enabled = false
"#;
    let error = parse(text, "config.toml", &Overrides::default()).unwrap_err();
    let shown = error.faults().iter().map(|it| {
        let (line, column) = it.line_and_column().unwrap();
        let key = it.key().unwrap_or("-");
        format!("{line}:{column} {key}: {}", it.message())
    });
    insta::assert_snapshot!("faults", shown.collect::<Vec<_>>().join("\n"));
}
