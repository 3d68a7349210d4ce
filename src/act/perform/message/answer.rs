//! What receivers that speak HTTP answer, and what that means for the message.

use super::text;
use crate::{
    act::perform::{BUSY_WAIT, DENIED_WAIT, MOST_RETRY_AFTER, failed},
    cloud::{Answer, Fault, FaultClass},
    model::{ids::ReceiverName, outcome::Outcome, receiver::Secret},
};

/// Characters of an answer that are told.
const MOST_ANSWER: usize = 200;

/// What a receiver says to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It took it; its name for it.
    Taken(String),
    /// Not now. Seconds to wait, where it says them.
    Busy(Option<u64>, String),
    /// It does not take this message, whatever comes.
    NotThis(String),
    /// It takes nothing until a person has acted.
    Nothing(String),
    /// It may have taken it.
    Unclear(String),
    /// There was no answer, or none that could be read.
    None(Fault),
}

impl Said {
    /// The meaning of a status that says all there is to say; of 2xx only the receiver's own words tell.
    pub(super) fn by_status(answer: &Answer) -> Option<Self> {
        let told = told(answer);
        Some(match answer.status {
            200..=299 => return None,
            300..=399 => Self::Nothing(format!(
                "{told}: it redirects, which is not followed; check its URL in the configuration"
            )),
            408 | 429 => Self::Busy(answer.retry_after_seconds, told),
            503 if answer.retry_after_seconds.is_some() => {
                Self::Busy(answer.retry_after_seconds, told)
            }
            400 | 413 | 422 => Self::NotThis(told),
            401..=499 => Self::Nothing(told),
            _ => Self::Unclear(told),
        })
    }

    /// What it comes to for the message to this receiver; secrets that the answer repeats are taken out.
    pub(super) fn outcome(self, receiver: &ReceiverName, secrets: &[&Secret]) -> Outcome {
        let what = format!("the message to `{receiver}`");
        let hidden = |why: String| {
            let each = secrets.iter().filter(|it| !it.expose().is_empty());
            each.fold(why, |why, it| why.replace(it.expose(), "(hidden)"))
        };
        match self {
            Self::Taken(reference) => Outcome::Done { reference },
            Self::Busy(seconds, why) => {
                let wait = seconds.map(|it| format!(", retry after {it} s"));
                let wait_minutes = seconds.map_or(BUSY_WAIT, minutes);
                let why = format!("{what} was not taken{}: {why}", wait.unwrap_or_default());
                Outcome::NotYet {
                    wait_minutes,
                    why: hidden(why),
                }
            }
            Self::NotThis(why) => Outcome::Never {
                why: hidden(format!("{what} was refused: {why}")),
            },
            Self::Nothing(why) => Outcome::Refused {
                wait_minutes: DENIED_WAIT,
                why: hidden(format!("{what} was refused: {why}")),
            },
            Self::Unclear(why) => Outcome::InDoubt {
                why: hidden(format!("{what} may have arrived: {why}")),
            },
            Self::None(fault) => match failed(&what, &fault) {
                Outcome::Never { why } => Outcome::Refused {
                    wait_minutes: DENIED_WAIT,
                    why: hidden(why),
                },
                // Credentials that are missing or don't suffice let nothing through.
                Outcome::NotYet { wait_minutes, why } if fault.class == FaultClass::Denied => {
                    Outcome::Refused { wait_minutes, why }
                }
                outcome @ (Outcome::Done { .. }
                | Outcome::Theirs { .. }
                | Outcome::NotYet { .. }
                | Outcome::Refused { .. }
                | Outcome::InDoubt { .. }
                | Outcome::Absent
                | Outcome::CouldNotLook { .. }) => outcome,
            },
        }
    }
}

/// `HTTP 400: invalid_payload`.
pub(super) fn told(answer: &Answer) -> String {
    match text::line(&answer.body, MOST_ANSWER).as_str() {
        "" => format!("HTTP {}", answer.status),
        said => format!("HTTP {}: {said}", answer.status),
    }
}

/// Whole minutes, rounded up.
fn minutes(seconds: u64) -> i64 {
    let minutes = i64::try_from(seconds.div_ceil(60)).unwrap_or(i64::MAX);
    minutes.clamp(BUSY_WAIT, MOST_RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            retry_after_seconds: None,
            body: body.to_owned(),
        }
    }

    #[test]
    fn a_wait_is_kept_in_whole_minutes_and_within_a_day() {
        for (seconds, expected) in [(0, 1), (60, 1), (61, 2), (u64::MAX, MOST_RETRY_AFTER)] {
            let said = Said::Busy(Some(seconds), "HTTP 429".to_owned());
            let outcome = said.outcome(&ReceiverName::new("chat"), &[]);
            let Outcome::NotYet { wait_minutes, why } = outcome else {
                panic!("{outcome:?}");
            };
            assert_eq!(wait_minutes, expected);
            assert!(why.contains(&format!("retry after {seconds} s")), "{why}");
        }
    }

    #[test]
    fn an_answer_that_repeats_a_secret_is_told_without_it() {
        let said = Said::by_status(&answer(403, "bad token xoxb-1\u{1b}[31m")).unwrap();
        let outcome = said.outcome(&ReceiverName::new("chat"), &[&Secret::new("xoxb-1")]);
        let Outcome::Refused { why, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(
            why,
            "the message to `chat` was refused: HTTP 403: bad token (hidden)<U+001B>[31m"
        );
    }
}
