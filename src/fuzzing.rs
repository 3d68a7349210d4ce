//! Every parser of ours, as a fuzzer calls it: bytes in, and a law that must hold of what comes out.
//!
//! Compiled for fuzzers (`tests/fuzz`) and for the tests, which go through what fuzzers have found worth keeping
//! (`tests/data/fuzz`).

mod answers;

use std::str;

use crate::{
    act::perform::slack::{self, Envelope},
    collect, config,
    engine::learned::{Learned, SHAPE},
    model::{
        inert::acts,
        receiver::{Form, Template},
    },
    store, template,
};

/// Takes bytes, and panics where a law is broken.
pub type Parser = fn(&[u8]);

/// Parsers by name.
pub const TARGETS: [(&str, Parser); 11] = [
    ("answers", answers::answer),
    ("config", config),
    ("dump", store::fuzzing::dump),
    ("names", |data| text(data, collect::fuzzing::names)),
    ("notes", |data| {
        store::fuzzing::notes::<Learned>(SHAPE, data)
    }),
    ("presses", |data| text(data, presses)),
    ("record", store::fuzzing::record),
    ("stretch", store::fuzzing::stretch),
    ("targets", |data| text(data, collect::fuzzing::targets)),
    ("templates", |data| text(data, templates)),
    ("value", store::fuzzing::value),
];

fn text(data: &[u8], parser: fn(&str)) {
    if let Ok(text) = str::from_utf8(data) {
        parser(text);
    }
}

/// A configuration with its rules: taken, or each fault has a message, what to do, and a place in the text.
fn config(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let Err(error) = config::parse(text, "fuzz.toml", &config::Overrides::default()) else {
        return;
    };
    assert!(!error.faults().is_empty() && !error.lines().is_empty());
    let lines = text.split('\n').count();
    for fault in error.faults() {
        assert!(!fault.message().is_empty());
        if let Some((line, column)) = fault.line_and_column() {
            assert!((1..=lines).contains(&line), "line {line} of {lines}");
            let length = text
                .split('\n')
                .nth(line - 1)
                .map_or(0, |it| it.chars().count());
            assert!(
                (1..=length + 1).contains(&column),
                "column {column} of {length}"
            );
        }
    }
}

/// What comes from Slack: whoever pressed is shown with nothing that acts.
fn presses(text: &str) {
    if let Ok(Envelope::Press(press)) = slack::read(text) {
        let by = press.by();
        assert!(!by.chars().any(acts) && by.chars().count() <= 150, "{by}");
    }
}

/// A template: what it makes of a webhook's body is JSON, and one that is refused says why.
fn templates(text: &str) {
    for form in [Form::Text, Form::Json] {
        let template = Template {
            name: "fuzz.j2".to_owned(),
            source: text.to_owned(),
            form,
        };
        for sample in template::samples().iter().flatten() {
            match template::render(&template, sample) {
                Ok(made) if form == Form::Json => {
                    let read = serde_json::from_str::<serde_json::Value>(&made);
                    assert!(read.is_ok(), "{made}");
                }
                Ok(made) => assert!(!made.is_empty()),
                Err(why) => assert!(!why.is_empty()),
            }
        }
    }
}

#[cfg(test)]
mod tests;
