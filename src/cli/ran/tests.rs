use std::path::PathBuf;

use super::*;
use crate::app::ran;

fn record() -> Record {
    let logs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/logs");
    let mut found = ran::read(&[logs]);
    for why in &mut found.unread {
        *why = why.rsplit('/').next().unwrap().to_owned();
    }
    let text = "[[residency]]\nname = \"eu-data\"\nmodels = [\"anthropic.*\"]\nallow = [\"eu\"]\n";
    let settings = crate::config::parse(text, "c.toml", &crate::config::Overrides::default());
    Record::of(found, &settings.unwrap().policy.residency)
}

/// A log of lines, packed; a trail over many lines; an export with a time before each record; and a torn file.
#[test]
fn a_folder_of_logs_is_a_record_that_can_be_filed() {
    let record = record();
    assert!(!record.is_good());
    let mut out = String::new();
    for form in [Form::Text, Form::Csv, Form::Json] {
        let mut bytes = Vec::new();
        write(&record, form, &mut bytes).unwrap();
        out += &format!("{form:?}\n{}\n", String::from_utf8(bytes).unwrap());
    }
    insta::assert_snapshot!(out);
}
