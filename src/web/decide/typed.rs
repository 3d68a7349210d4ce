//! What a form says, checked, as an order. Each fault stands at its field and says what would be right.

use serde::Deserialize;

use crate::{
    model::{
        ids::{ActionId, IncidentId, SilenceId},
        order::{Command, End, Order},
        units::Amount,
    },
    web::{
        orders::{MOST_NAME, MOST_REASON, is_said},
        view::decide::{Bounds, Choice, Matter},
    },
};

/// For how long, in minutes, and how that is said.
pub(in crate::web) const PERIODS: [(i64, &str); 7] = [
    (30, "30 minutes"),
    (60, "1 hour"),
    (240, "4 hours"),
    (480, "8 hours"),
    (1_440, "1 day"),
    (4_320, "3 days"),
    (10_080, "1 week"),
];

/// A form as it comes. What one of them does not have is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Typed {
    pub(in crate::web) verb: String,
    pub(in crate::web) seal: String,
    pub(in crate::web) seen: String,
    pub(in crate::web) by: String,
    pub(in crate::web) reason: String,
    pub(in crate::web) value: String,
    pub(in crate::web) minutes: String,
    pub(in crate::web) hold: String,
}

/// A field, or nothing for all of the form, and what is wrong with it.
pub(in crate::web) type Fault = (&'static str, String);

impl Typed {
    /// What is ordered.
    pub(super) fn order(&self, matter: &Matter, proved: Option<&str>) -> Result<Order, Vec<Fault>> {
        let mut faults = Vec::new();
        let by = proved.unwrap_or_else(|| self.by.trim());
        if proved.is_none() && !is_said(by, MOST_NAME) {
            let why = format!("give a name of 1 to {MOST_NAME} printable characters");
            faults.push(("by", why));
        }
        let why = Some(self.reason.trim()).filter(|it| !it.is_empty());
        if why.is_some_and(|why| !is_said(why, MOST_REASON)) {
            let why = format!("give 1 to {MOST_REASON} printable characters in one line");
            faults.push(("reason", why));
        }
        if why.is_none() && matches!(self.verb.as_str(), "reject" | "silence" | "stop") {
            let why = "say why: whoever reads it later was not there".to_owned();
            faults.push(("reason", why));
        }
        let command = self.command(matter, &mut faults);
        match command {
            Some(command) if faults.is_empty() => Ok(Order {
                by: by.to_owned(),
                why: why.map(str::to_owned),
                command,
            }),
            _ => Err(faults),
        }
    }

    fn command(&self, matter: &Matter, faults: &mut Vec<Fault>) -> Option<Command> {
        match (matter, self.verb.as_str()) {
            (Matter::Action(choice), "approve") => Some(self.approval(choice, faults)),
            (Matter::Action(choice), "reject") => Some(Command::Reject {
                action: ActionId::new(&choice.action.id),
            }),
            (Matter::Incident(brief, _), verb @ ("ack" | "snooze")) => {
                let minutes = (verb == "snooze").then(|| self.minutes(faults));
                Some(Command::Acknowledge {
                    incident: IncidentId::new(&brief.id),
                    minutes,
                })
            }
            (Matter::Incident(_, Some(selector)), "silence") => Some(Command::Silence {
                selector: selector.clone(),
                from: None,
                end: End::After(self.minutes(faults)),
                holds_requests: self.hold == "yes",
            }),
            (Matter::Silence(silence), "expire") => Some(Command::Expire {
                silence: SilenceId::new(&silence.id),
            }),
            (Matter::Writes, "stop") => Some(Command::StopWrites),
            (Matter::Writes, "resume") => Some(Command::ResumeWrites),
            _ => {
                let why = "nothing of that kind can be decided here".to_owned();
                faults.push(("", why));
                None
            }
        }
    }

    fn approval(&self, choice: &Choice, faults: &mut Vec<Fault>) -> Command {
        if choice.seen != self.seen {
            let why = "what would be done has changed since this form was made: read it as it is now, and decide again".to_owned();
            faults.push(("", why));
        }
        let value = match &choice.asks {
            Some((desired, bounds)) if !self.value.trim().is_empty() => {
                match another(&self.value, *desired, bounds) {
                    Ok(value) => value,
                    Err(why) => {
                        faults.push(("value", why));
                        None
                    }
                }
            }
            Some(_) | None => None,
        };
        Command::Approve {
            action: ActionId::new(&choice.action.id),
            value,
        }
    }

    fn minutes(&self, faults: &mut Vec<Fault>) -> i64 {
        let typed = self.minutes.parse::<i64>().ok();
        let known = typed.filter(|it| PERIODS.iter().any(|(minutes, _)| minutes == it));
        known.unwrap_or_else(|| {
            faults.push(("minutes", "choose one of these".to_owned()));
            0
        })
    }
}

/// A value of a person's own, where it is another than was worked out.
fn another(text: &str, desired: Amount, bounds: &Bounds) -> Result<Option<Amount>, String> {
    let value = whole(text)
        .ok_or_else(|| "give a whole number, such as 1200000 or 1,200,000".to_owned())?;
    if value == desired {
        return Ok(None);
    }
    let (floor, ceiling) = bounds.clone()?;
    if value <= floor {
        return Err(format!(
            "{value} is no more than {floor}, the applied or default value: give more"
        ));
    }
    if ceiling < value {
        return Err(format!(
            "{value} is above {ceiling}, where [budget] ends: give that or less"
        ));
    }
    Ok(Some(value))
}

/// A whole number, in one piece or in groups of three. A comma or stop for the fraction is none.
fn whole(text: &str) -> Option<Amount> {
    let parts: Vec<&str> = text
        .trim()
        .split([',', ' ', '_', '\u{a0}', '\u{202f}'])
        .collect();
    let is_number = parts
        .iter()
        .all(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()));
    let is_grouped = parts.len() == 1
        || (parts.first().is_some_and(|it| it.len() <= 3)
            && parts.iter().skip(1).all(|it| it.len() == 3));
    let digits = parts.concat();
    let is_whole = is_number && is_grouped && digits.len() <= 15; // a double holds all of these
    digits
        .parse()
        .ok()
        .and_then(Amount::new)
        .filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_people_write_it_and_never_as_something_else() {
        let is = |text: &str, value| assert_eq!(whole(text), Amount::new(value), "{text}");
        is("1200000", 1_200_000.0);
        is(" 1,200,000 ", 1_200_000.0);
        is("1 200\u{a0}000", 1_200_000.0);
        is("0", 0.0);
        for strange in [
            "",
            " ",
            "1,2",
            "1.200.000",
            "1.5",
            "1e6",
            "-1",
            "+1",
            "NaN",
            "inf",
            "1200,000",
            ",100",
            "1,,000",
            "0x10",
            "1,200,00",
            "1234567890123456",
            "1 Mio",
        ] {
            assert_eq!(whole(strange), None, "{strange}");
        }
    }

    #[test]
    fn another_value_is_above_what_there_is_and_within_the_budget() {
        let of = |value| Amount::new(value).unwrap();
        let bounds = Ok((of(800.0), of(3_200.0)));
        let read = |text: &str| another(text, of(1_500.0), &bounds);
        assert_eq!(read("1,500"), Ok(None), "what was worked out");
        assert_eq!(read("3200"), Ok(Some(of(3_200.0))));
        assert_eq!(read("801"), Ok(Some(of(801.0))));
        insta::assert_snapshot!(read("800").unwrap_err(), @"800 is no more than 800, the applied or default value: give more");
        insta::assert_snapshot!(read("3201").unwrap_err(), @"3,201 is above 3,200, where [budget] ends: give that or less");
        insta::assert_snapshot!(read("much").unwrap_err(), @"give a whole number, such as 1200000 or 1,200,000");
    }
}
