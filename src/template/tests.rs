use std::{fs, path::Path};

use super::*;

fn template(form: Form, source: &str) -> Template {
    Template {
        name: "t.j2".to_owned(),
        source: source.to_owned(),
        form,
    }
}

fn fault(form: Form, source: &str) -> String {
    check(&template(form, source)).unwrap_err()
}

#[test]
fn there_is_a_sample_of_each_kind() {
    let samples = samples().unwrap();
    let phases: Vec<Option<&str>> = samples.iter().map(|it| it["phase"].as_str()).collect();
    assert_eq!(phases, [Some("opened"), Some("resolved"), None]);
}

#[test]
fn what_is_shipped_is_taken_and_reads_well() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/templates");
    let mut shown = String::new();
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let form = if name == "short.j2" {
            Form::Text
        } else {
            Form::Json
        };
        let template = template(form, &fs::read_to_string(&file).unwrap());
        check(&template).unwrap_or_else(|why| panic!("{name}: {why}"));
        for sample in &samples().unwrap()[..2] {
            let text = render(&template, sample).unwrap();
            shown += &format!("{name}:\n{text}\n");
        }
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn what_is_wrong_is_named_with_its_line_before_any_message_fails() {
    let faults = [
        fault(Form::Text, "a\n{{ subjct }}"),
        fault(Form::Text, "{% if phase %}"),
        fault(Form::Text, "{# nothing #}"),
        fault(Form::Text, "{{ quota_code.foo.bar }}"),
        fault(
            Form::Text,
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
        ),
        fault(
            Form::Text,
            "{{ \"x\" * 1 }}{% for a in range(9999) %}{{ text ~ text ~ text }}{% endfor %}",
        ),
        fault(Form::Json, "{ \"text\": \"{{ subject }}\" }"),
        fault(Form::Json, "{ \"text\": {{ title.upper() }} }"),
    ];
    insta::assert_snapshot!(faults.join("\n"));
}

/// Whatever a name from outside holds, it stays a text.
#[test]
fn a_value_can_not_leave_its_place() {
    let json = template(Form::Json, "{ \"text\": {{ subject }} }");
    let nasty = "\"},{\"x\":\"\u{202e}\n{{ secrets }}</script>";
    let document = serde_json::json!({ "subject": nasty });
    let text = render(&json, &document).unwrap();
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read, serde_json::json!({ "text": nasty }));
}
