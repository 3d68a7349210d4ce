//! Silences, and what they and others hold back.

use super::{Cut, MOST_ROWS, View, text};
use crate::{
    model::{
        handling::{Handling, Hold},
        incident::Incident,
        silence::{Silence, SilenceState, covering},
    },
    web::json,
};

impl View<'_> {
    /// All silences, and where each stands.
    pub(in crate::web) fn silences(&self) -> json::Silences {
        let mut cut = Cut::default();
        let silences = self.sorted_silences(|_| true);
        json::Silences {
            now: self.now().map(text),
            silences: cut.rows("silences", silences, MOST_ROWS),
            left_out: cut.0,
        }
    }

    /// Silences that have not ended.
    pub(super) fn standing_silences(&self) -> Vec<json::Silence> {
        self.sorted_silences(|state| state != SilenceState::Ended)
    }

    fn sorted_silences(&self, is_wanted: impl Fn(SilenceState) -> bool) -> Vec<json::Silence> {
        let Some(now) = self.now() else {
            return Vec::new(); // nothing is known yet of what holds
        };
        let all = self.book.silences.values();
        let mut rows: Vec<(SilenceState, &Silence)> = all
            .map(|it| (it.state(now), it))
            .filter(|(state, _)| is_wanted(*state))
            .collect();
        rows.sort_by_key(|(state, it)| (*state, it.until, &it.id));
        rows.into_iter().map(|(_, it)| self.silence(it)).collect()
    }

    /// One silence.
    pub(super) fn silence(&self, it: &Silence) -> json::Silence {
        let state = self
            .now()
            .map_or(SilenceState::Pending, |now| it.state(now));
        let open = self.book.incidents.values().filter(|it| it.is_open());
        let under = open.filter(|incident| {
            let mut silences = self.silences_over(incident).into_iter();
            silences.any(|other| other.id == it.id)
        });
        json::Silence {
            id: it.id.to_string(),
            state: state.name().to_owned(),
            matches: it.selector.to_string(),
            by: it.by.clone(),
            reason: it.why.clone(),
            created: text(it.created),
            from: text(it.from),
            until: text(it.until),
            hold_requests: it.holds_requests,
            expired_by: it.expired_by.clone(),
            incidents: under.map(|it| it.id.to_string()).collect(),
        }
    }

    /// The silences under which nobody hears of this incident.
    pub(in crate::web) fn silences_over(&self, incident: &Incident) -> Vec<&Silence> {
        let now = self.now().filter(|_| incident.is_open());
        let covering = now.map(|now| covering(self.book.silences.values(), incident, now));
        covering.into_iter().flatten().collect()
    }

    /// How people are told of this incident.
    pub(super) fn handling(&self, incident: &Incident) -> Option<&Handling> {
        self.book.handlings.get(&incident.id)
    }
}

/// A silence over an incident.
pub(super) fn silence_brief(it: &Silence) -> json::SilenceBrief {
    json::SilenceBrief {
        id: it.id.to_string(),
        by: it.by.clone(),
        reason: it.why.clone(),
        until: text(it.until),
    }
}

/// What is held back of an incident.
pub(super) fn held_back(handling: &Handling) -> Option<json::HeldBrief> {
    let held = handling.held.as_ref()?;
    let (why, by) = match &held.hold {
        Hold::Silenced { by } => ("silenced", by.iter().map(ToString::to_string).collect()),
        Hold::Inhibited { by, .. } => ("inhibited", vec![by.to_string()]),
    };
    let events = held.events.iter();
    Some(json::HeldBrief {
        why: why.to_owned(),
        by,
        since: text(held.since),
        events: events
            .map(|it| format!("{}: {}", text(it.at), it.what))
            .collect(),
    })
}

/// Who looks after an incident.
pub(super) fn acknowledged(handling: &Handling) -> Option<json::AckBrief> {
    let ack = handling.ack.as_ref()?;
    Some(json::AckBrief {
        by: ack.by.clone(),
        at: text(ack.at),
        note: ack.note.clone(),
        until: ack.until.map(text),
    })
}
