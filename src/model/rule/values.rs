//! The single values of a rule that an operator may change, by the key they are written under.

use std::fmt;

use super::{Chance, Climb, Condition, Remedy, Rule, Severity, Standing, WarningRule, Window};
use crate::model::{units::Share, unusual::Unusual};

/// One value of a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Whether the rule is judged at all.
    Enabled(bool),
    /// How loudly it is told.
    Severity(Severity),
    /// What may be done.
    Remedy(Remedy),
    /// Bad minutes it takes.
    Window(Window),
    /// Whole minutes.
    Minutes(i64),
    /// A share of a quota or of demand.
    Share(Share),
    /// A plain number.
    Number(f64),
    /// Milliseconds.
    Millis(f64),
    /// Use and chance of a forecast.
    Chance(Chance),
    /// A rise.
    Climb(Climb),
    /// A chance that stands.
    Standing(Standing),
}

/// The place of one value in a rule: what may be written there is told by its kind.
#[derive(Debug)]
pub enum Slot<'r> {
    /// See [`Value::Severity`].
    Severity(&'r mut Severity),
    /// See [`Value::Remedy`].
    Remedy(&'r mut Remedy),
    /// See [`Value::Window`].
    Window(&'r mut Window),
    /// Whole minutes, at most 60.
    ClearFor(&'r mut u8),
    /// Whole minutes.
    Minutes(&'r mut i64),
    /// See [`Value::Share`].
    Share(&'r mut Share),
    /// A number of at least so much.
    Number(&'r mut f64, f64),
    /// See [`Value::Millis`].
    Millis(&'r mut f64),
    /// See [`Value::Chance`].
    Chance(&'r mut Chance),
    /// See [`Value::Climb`].
    Climb(&'r mut Climb),
    /// See [`Value::Standing`].
    Standing(&'r mut Standing),
}

impl Slot<'_> {
    /// What stands here.
    #[must_use]
    pub fn value(&self) -> Value {
        match self {
            Self::Severity(it) => Value::Severity(**it),
            Self::Remedy(it) => Value::Remedy(**it),
            Self::Window(it) => Value::Window(**it),
            Self::ClearFor(it) => Value::Minutes(i64::from(**it)),
            Self::Minutes(it) => Value::Minutes(**it),
            Self::Share(it) => Value::Share(**it),
            Self::Number(it, _) => Value::Number(**it),
            Self::Millis(it) => Value::Millis(**it),
            Self::Chance(it) => Value::Chance(**it),
            Self::Climb(it) => Value::Climb(**it),
            Self::Standing(it) => Value::Standing(**it),
        }
    }

    /// Puts a value here. `false`: it is of another kind, and nothing changed.
    fn put(self, value: Value) -> bool {
        match (self, value) {
            (Self::Severity(place), Value::Severity(it)) => *place = it,
            (Self::Remedy(place), Value::Remedy(it)) => *place = it,
            (Self::Window(place), Value::Window(it)) => *place = it,
            (Self::ClearFor(place), Value::Minutes(it)) => match u8::try_from(it) {
                Ok(it) => *place = it,
                Err(_) => return false,
            },
            (Self::Minutes(place), Value::Minutes(it)) => *place = it,
            (Self::Share(place), Value::Share(it)) => *place = it,
            (Self::Number(place, _), Value::Number(it)) => *place = it,
            (Self::Millis(place), Value::Millis(it)) => *place = it,
            (Self::Chance(place), Value::Chance(it)) => *place = it,
            (Self::Climb(place), Value::Climb(it)) => *place = it,
            (Self::Standing(place), Value::Standing(it)) => *place = it,
            (_, _) => return false,
        }
        true
    }
}

impl Rule {
    /// The values that may be changed, each under its key. A condition's own come last.
    pub fn slots(&mut self) -> Vec<(&'static str, Slot<'_>)> {
        let mut slots = vec![
            ("severity", Slot::Severity(&mut self.severity)),
            ("remedy", Slot::Remedy(&mut self.remedy)),
        ];
        // What is judged by the pool's own past has its own idea of how many minutes it takes, and detectors also of how
        // many it takes to end.
        if !self.condition.is_learned() {
            slots.push(("window", Slot::Window(&mut self.window)));
        }
        if !matches!(self.condition, Condition::Unusual(_)) {
            slots.push(("clear_for", Slot::ClearFor(&mut self.clear_minutes)));
        }
        match &mut self.condition {
            Condition::QuotaShare { above, clear, .. } => {
                slots.push(("above", Slot::Share(above)));
                slots.push(("clear", Slot::Share(clear)));
            }
            Condition::Count {
                at_least,
                share,
                min_demand,
                ..
            } => {
                slots.push(("at_least", Slot::Number(at_least, 1.0)));
                slots.push(("share", Slot::Share(share)));
                slots.push(("min_demand", Slot::Number(min_demand, 0.0)));
            }
            Condition::Slow { millis, min_demand } => {
                slots.push(("above", Slot::Millis(millis)));
                slots.push(("min_demand", Slot::Number(min_demand, 0.0)));
            }
            Condition::Unusual(sought) => slots.extend(of_unusual(sought)),
            Condition::RunsOut { warning, .. } => slots.extend(of_warning(warning)),
            Condition::Ends { within } => slots.push(("within", Slot::Minutes(within))),
        }
        slots
    }

    /// Writes one value. `false`: the rule has no such key, or another kind of value under it.
    pub fn set(&mut self, key: &str, value: Value) -> bool {
        let mut slots = self.slots().into_iter();
        let slot = slots.find(|(own, _)| *own == key);
        slot.is_some_and(|(_, slot)| slot.put(value))
    }
}

fn of_unusual(sought: &mut Unusual) -> Vec<(&'static str, Slot<'_>)> {
    match sought {
        Unusual::Throttled => Vec::new(),
        Unusual::ClientErrors(worth) | Unusual::ServerErrors(worth) => vec![
            ("ratio", Slot::Number(&mut worth.ratio, 1.0)),
            ("excess", Slot::Share(&mut worth.excess)),
            ("rare", Slot::Minutes(&mut worth.rare)),
        ],
        Unusual::Slow(worth) | Unusual::TokensUp(worth) => vec![
            ("factor", Slot::Number(&mut worth.factor, 1.0)),
            ("rare", Slot::Minutes(&mut worth.rare)),
        ],
        Unusual::TrafficUp(worth) | Unusual::TrafficDown(worth) => vec![
            ("jump", Slot::Number(&mut worth.jump, 1.0)),
            ("factor", Slot::Number(&mut worth.factor, 1.0)),
            ("rare", Slot::Minutes(&mut worth.rare)),
        ],
    }
}

fn of_warning(warning: &mut WarningRule) -> Vec<(&'static str, Slot<'_>)> {
    let climb = warning.climb.as_mut();
    let climb = climb.map(|climb| ("climb", Slot::Climb(climb)));
    let own = [
        ("early", Slot::Severity(&mut warning.early)),
        ("quiet", Slot::Minutes(&mut warning.quiet_minutes)),
        ("again", Slot::Minutes(&mut warning.again_minutes)),
        ("ahead", Slot::Chance(&mut warning.ahead)),
        ("near", Slot::Chance(&mut warning.near)),
    ];
    let soon = ("soon", Slot::Standing(&mut warning.soon));
    own.into_iter().chain(climb).chain([soon]).collect()
}

impl fmt::Display for Value {
    /// As a configuration writes it, without quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enabled(it) => write!(f, "{it}"),
            Self::Severity(it) => f.write_str(it.name()),
            Self::Remedy(it) => f.write_str(it.name()),
            Self::Window(it) => write!(f, "{} of {}", it.bad(), it.of()),
            Self::Minutes(it) => write!(f, "{it}m"),
            Self::Share(it) => write!(f, "{it}"),
            Self::Number(it) => write!(f, "{it}"),
            Self::Millis(it) => write!(f, "{it} ms"),
            Self::Chance(it) => {
                write!(
                    f,
                    "{{ use = \"{}\", chance = \"{}\" }}",
                    it.use_share, it.chance
                )
            }
            Self::Climb(it) => write!(
                f,
                "{{ use = \"{}\", usual = \"{}\", within = \"{}m\" }}",
                it.use_share, it.usual, it.within_minutes
            ),
            Self::Standing(it) => write!(
                f,
                "{{ chance = \"{}\", lasts = \"{}m\" }}",
                it.chance, it.minutes
            ),
        }
    }
}
