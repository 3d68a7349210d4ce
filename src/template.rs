//! Messages in other words than ours: Jinja templates that people write, checked where they are read and rendered where
//! messages are sent. What a template may use is the document that a webhook gets (`docs/receivers.md`).
//!
//! A template is tried with a sample of each kind of message before the service takes it, so that a misspelt name is a fault
//! of the configuration and not of the night. What fails later all the same is told in our own words.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, value::Serde};

use crate::model::receiver::{Form, Template};

/// Steps that one message may take: a template that runs away fails.
const MOST_STEPS: u64 = 200_000;
/// Bytes of one message.
const MOST_BYTES: usize = 200_000;
/// One document of each kind: an incident's beginning and its end, one that is about no quota, and what is about no incident.
const SAMPLES: &str = include_str!("template/samples.json");

/// The documents that a template is tried with.
///
/// # Errors
/// Never: they are compiled in, and a test reads them.
pub fn samples() -> Result<Vec<serde_json::Value>, serde_json::Error> {
    serde_json::from_str(SAMPLES)
}

/// Tries the template with each kind of message.
///
/// # Errors
/// What is wrong with it and where, as a sentence fragment.
pub fn check(template: &Template) -> Result<(), String> {
    let samples = samples().map_err(|error| format!("there is no sample to try it with: {error}"));
    for sample in samples? {
        let phase = sample.get("phase").and_then(serde_json::Value::as_str);
        let phase = phase.unwrap_or("digest");
        render(template, &sample).map_err(|why| format!("{why} (in a message `{phase}`)"))?;
    }
    Ok(())
}

/// The message.
///
/// # Errors
/// What is wrong with it and where, as a sentence fragment.
pub fn render(template: &Template, document: &serde_json::Value) -> Result<String, String> {
    let Template { name, source, form } = template;
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(MOST_STEPS));
    match form {
        Form::Text => environment.set_auto_escape_callback(|_| AutoEscape::None),
        Form::Json => environment.set_auto_escape_callback(|_| AutoEscape::Json),
    }
    let document = Value::from(Serde(document));
    let rendered = environment.render_named_str(name, source, document);
    let text = rendered.map_err(|error| told(&error))?;
    if MOST_BYTES < text.len() {
        return Err(format!("it makes a message of {} bytes", text.len()));
    }
    match form {
        Form::Text if text.trim().is_empty() => Err("it makes an empty message".to_owned()),
        Form::Text => Ok(text.trim().to_owned()),
        Form::Json => {
            let checked = serde_json::from_str::<serde_json::Value>(&text);
            checked.map(|_| text.trim().to_owned()).map_err(|error| {
                format!("what it makes is not JSON: {error}; {{{{ … }}}} brings its own quotes")
            })
        }
    }
}

/// `line 3: undefined value: …`.
fn told(error: &minijinja::Error) -> String {
    let what = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    match error.line() {
        Some(line) => format!("line {line}: {what}"),
        None => what,
    }
}

#[cfg(test)]
mod tests;
