//! What people were told of an incident and what is held back, and what they said about it. Beside the incident, since it
//! changes on other occasions.

use std::collections::BTreeSet;

use super::{
    ids::{IncidentId, SilenceId},
    rule::Severity,
    time::Timestamp,
};

/// How people are told of one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handling {
    /// Which.
    pub incident: IncidentId,
    /// How often it came back.
    pub returns: u32,
    /// Whether its end is the last that people heard.
    pub heard_end: bool,
    /// It is over, and that is told at this instant unless it comes back before.
    pub end_due: Option<Timestamp>,
    /// What people would have heard, had nothing held it back.
    pub held: Option<Held>,
    /// Who looks after it.
    pub ack: Option<Ack>,
    /// A person refused what we wanted to ask for: at this severity it is not proposed again.
    pub rejected: Option<Rejected>,
    /// When people last heard of it.
    pub last_told: Option<Timestamp>,
    /// Reminders since people last heard something new: each waits longer than the one before.
    pub reminders: u32,
}

/// What holds messages back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Silences.
    Silenced {
        /// Which.
        by: BTreeSet<SilenceId>,
    },
    /// Another incident, which people know of, of which this one is a part.
    Inhibited {
        /// Which.
        by: IncidentId,
        /// The name of the inhibition.
        rule: String,
    },
}

/// Messages that were held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// By what, as of the last of them.
    pub hold: Hold,
    /// Since when.
    pub since: Timestamp,
    /// The severity that people would know of.
    pub severity: Severity,
    /// Whether people had heard of the incident before.
    pub was_told: bool,
    /// What they would have heard, oldest first, at most [`KEPT_EVENTS`].
    pub events: Vec<Event>,
    /// Events that were let go for the bound, the oldest first.
    pub dropped: u32,
}

/// Events kept of what was held back; `explain` has all decisions.
pub const KEPT_EVENTS: usize = 10;

/// A message that was held back, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// The message's word and its first sentence.
    pub what: String,
}

/// A person looks after the incident: no reminders, unless it gets worse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Who.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
    /// What they said.
    pub note: Option<String>,
    /// The severity they know of.
    pub severity: Severity,
    /// For a snooze: until when.
    pub until: Option<Timestamp>,
}

/// A person refused a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: Option<String>,
    /// The incident's severity then.
    pub severity: Severity,
}

impl Handling {
    /// Nothing said and nothing held.
    #[must_use]
    pub const fn new(incident: IncidentId) -> Self {
        Self {
            incident,
            returns: 0,
            heard_end: false,
            end_due: None,
            held: None,
            ack: None,
            rejected: None,
            last_told: None,
            reminders: 0,
        }
    }

    /// The acknowledgement that holds now.
    #[must_use]
    pub fn acknowledged(&self, now: Timestamp) -> Option<&Ack> {
        let ack = self.ack.as_ref()?;
        ack.until.is_none_or(|until| now < until).then_some(ack)
    }
}

impl Held {
    /// Adds what people would have heard, and keeps the bound.
    pub fn add(&mut self, event: Event) {
        if self.events.len() >= KEPT_EVENTS {
            self.events.remove(0);
            self.dropped += 1;
        }
        self.events.push(event);
    }
}
