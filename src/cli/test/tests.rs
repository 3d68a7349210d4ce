//! What runs, by name, and the report that continuous integration reads.

use super::*;
use crate::config::Overrides;

fn settings(text: &str) -> Settings {
    config::parse(text, "config.toml", &Overrides::default()).unwrap()
}

const REFUSED: &str = r#"
[[test]]
name = "refused requests are pending first"
quotas = { rpm = 200 }
expect = [{ at = "11m", rule = "throttles", state = "pending" }]
[test.series]
invocations = "100x20"
throttles = "_x10 8x10"
[[test]]
name = "refused requests page"
quotas = { rpm = 200 }
expect = [
  { at = "11m", rule = "throttles", state = "alerting" },
  { at = "12m", rule = "throttles", state = "alerting", reason = "nothing says so" },
]
[test.series]
invocations = "100x20"
throttles = "_x10 8x10"
"#;
const CALM: &str = r#"
[[test]]
name = "a calm pool pages nobody"
quotas = { rpm = 200 }
expect = [{ at = "12m", rule = "throttles", silent = true }]
[test.series]
invocations = "100x20"
"#;

/// A folder with two files, for as long as it is used.
fn in_folder<T>(name: &str, body: impl FnOnce(&Path) -> T) -> T {
    let path = std::env::temp_dir().join(format!("boa-test-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    std::fs::write(path.join("refused.toml"), REFUSED).unwrap();
    std::fs::write(path.join("calm.toml"), CALM).unwrap();
    let result = body(&path);
    std::fs::remove_dir_all(&path).unwrap();
    result
}

#[test]
fn tests_are_run_by_name_and_none_of_that_name_is_no_success() {
    let run = |pattern: Option<&str>| {
        let pattern = pattern.map(Pattern::new);
        let settings = settings("");
        let report = in_folder("run", |path| run(Some(path), pattern.as_ref(), &settings));
        report.map(|it| {
            let names = it.ran.into_iter().map(|it| it.name);
            (it.tests, it.expectations, names.collect::<Vec<_>>())
        })
    };
    let calm = "a calm pool pages nobody".to_owned();
    let first = "refused requests are pending first".to_owned();
    let page = "refused requests page".to_owned();
    let all = vec![calm.clone(), first, page.clone()];
    assert_eq!(run(None).unwrap(), (3, 4, all));
    assert_eq!(
        run(Some("*page*")).unwrap(),
        (2, 3, vec![calm, page.clone()])
    );
    assert_eq!(
        run(Some("refused requests page")).unwrap(),
        (1, 2, vec![page])
    );
    let none = run(Some("page")).unwrap_err();
    assert_eq!(none.to_string(), "no test is called `page`, of 3");
}

/// Times differ from run to run.
fn xml(report: &mut Report) -> String {
    for (number, ran) in (1..).zip(&mut report.ran) {
        ran.took = Duration::from_millis(number);
    }
    let mut out = Vec::new();
    write_junit(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_report_says_of_each_test_how_it_went_and_of_what_failed_what_is_printed() {
    let settings = settings("");
    let (mut report, folder) = in_folder("junit", |path| {
        let report = run(Some(path), None, &settings).unwrap();
        (report, path.display().to_string())
    });
    let told = xml(&mut report).replace(&folder, "FOLDER");
    insta::assert_snapshot!("junit", told);
}

#[test]
fn nothing_in_a_name_is_markup_or_breaks_the_file() {
    let hostile = "a\"><failure/>&amp;'\u{0}\u{1b}[31m\n\u{ffff}\u{202e}";
    let miss = Miss {
        file: "dir/a&b.toml".to_owned(),
        line: 3,
        test: hostile.to_owned(),
        at_minutes: 12,
        expected: "x < y".to_owned(),
        came: vec![hostile.to_owned()],
        around: Vec::new(),
    };
    let ran = Ran {
        file: miss.file.clone(),
        name: hostile.to_owned(),
        took: Duration::ZERO,
        misses: 2,
    };
    let mut report = Report {
        tests: 1,
        expectations: 2,
        misses: vec![miss.clone(), miss],
        ran: vec![ran],
    };
    insta::assert_snapshot!("junit_hostile", xml(&mut report));
}
