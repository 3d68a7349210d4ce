//! `notify test`: what each receiver answered, a line each.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::text::Text;
use crate::{
    app::notify::Tried,
    model::{ids::ReceiverName, outcome::Outcome, policy::Settings, receiver::Phase},
};

/// Why there is nobody to tell.
#[derive(Debug, thiserror::Error)]
pub enum NobodyError {
    /// No receiver at all.
    #[error("no receiver is configured")]
    None,
    /// None of this name.
    #[error("no receiver is called `{name}`")]
    Unknown {
        /// As typed.
        name: ReceiverName,
    },
}

impl NobodyError {
    /// What to do.
    #[must_use]
    pub fn help(&self, settings: &Settings) -> String {
        match self {
            Self::None => "add a [receiver.NAME] to the configuration and name that by --config; docs/receivers.md shows each kind".to_owned(),
            Self::Unknown { .. } => {
                let known = settings.policy.receivers.keys().map(ReceiverName::as_str);
                format!("one of {}", known.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Whether there is somebody to tell.
///
/// # Errors
/// When there is not.
pub fn check(settings: &Settings, only: Option<&ReceiverName>) -> Result<(), NobodyError> {
    let receivers = &settings.policy.receivers;
    if receivers.is_empty() {
        return Err(NobodyError::None);
    }
    match only {
        Some(name) if !receivers.contains_key(name) => {
            Err(NobodyError::Unknown { name: name.clone() })
        }
        Some(_) | None => Ok(()),
    }
}

/// Writes the answers; whether all were taken.
///
/// # Errors
/// When the output can't be written.
pub fn write(tried: &[Tried], out: &mut dyn Write) -> io::Result<bool> {
    let mut text = Text::new(out);
    for it in tried {
        text.line(0, &format!("{} ({}) {}", it.receiver, it.kind, said(it)))?;
    }
    Ok(took_all(tried))
}

/// Whether all were taken.
#[must_use]
pub fn took_all(tried: &[Tried]) -> bool {
    tried.iter().all(is_taken)
}

/// The answers, for programs.
#[must_use]
pub fn document(tried: &[Tried]) -> Value {
    let rows = tried.iter().map(|it| {
        json!({
            "receiver": it.receiver.as_str(),
            "kind": it.kind,
            "phase": it.phase.name(),
            "is_taken": is_taken(it),
            "said": said(it),
        })
    });
    Value::Array(rows.collect())
}

const fn is_taken(it: &Tried) -> bool {
    matches!(it.outcome, Outcome::Done { .. })
}

fn said(it: &Tried) -> String {
    let what = match it.phase {
        Phase::Resolved => "its end",
        Phase::Opened | Phase::Updated | Phase::Acknowledged | Phase::Past | Phase::Note => {
            "the test message"
        }
    };
    match &it.outcome {
        Outcome::Done { reference } => format!("took {what} ({reference})"),
        Outcome::NotYet { why, .. } | Outcome::Refused { why, .. } | Outcome::Never { why } => {
            format!("did not take {what}: {why}")
        }
        Outcome::InDoubt { why } | Outcome::CouldNotLook { why } => {
            format!("gave no clear answer to {what}: {why}")
        }
        Outcome::Theirs { .. } | Outcome::Absent => format!("gave no answer to {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_is_a_line_and_one_that_is_none_is_told() {
        let tried = |kind, phase, outcome| Tried {
            receiver: ReceiverName::new("on-call"),
            kind,
            phase,
            outcome,
        };
        let done = Outcome::Done {
            reference: "C1/1.2".to_owned(),
        };
        let refused = Outcome::Refused {
            wait_minutes: 15,
            why: "HTTP 403:\u{1b}[31m no".to_owned(),
        };
        let lost = Outcome::InDoubt {
            why: "no answer came in time".to_owned(),
        };
        let all = [
            tried("slack-bot", Phase::Opened, done.clone()),
            tried("pagerduty", Phase::Opened, done.clone()),
            tried("pagerduty", Phase::Resolved, done),
            tried("webhook", Phase::Opened, refused),
            tried("alertmanager", Phase::Opened, lost),
        ];
        let mut out = Vec::new();
        assert_eq!(document(&all)[3]["phase"], "opened");
        assert_eq!(document(&all)[3]["is_taken"], false);
        assert!(!write(&all, &mut out).unwrap());
        let told = String::from_utf8(out).unwrap();
        assert_eq!(
            told.lines().collect::<Vec<_>>(),
            [
                "on-call (slack-bot) took the test message (C1/1.2)",
                "on-call (pagerduty) took the test message (C1/1.2)",
                "on-call (pagerduty) took its end (C1/1.2)",
                "on-call (webhook) did not take the test message: HTTP 403:<U+001B>[31m no",
                "on-call (alertmanager) gave no clear answer to the test message: no answer came in time",
            ]
        );
        let mut out = Vec::new();
        assert!(write(&all[..3], &mut out).unwrap());
    }
}
