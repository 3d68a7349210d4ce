//! Why nothing is asked of AWS for an incident: kept with it, so that people hear it wherever they would read of a request.

use std::collections::BTreeSet;

use super::{
    draft::{Draft, essence},
    texts,
};
use crate::model::{
    ids::IncidentId,
    incident::{Incident, Refusal},
    policy::Mode,
    rule::{Remedy, Severity},
};

/// What the planner says instead of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// Why, as a sentence without its final stop.
    pub(super) why: String,
    /// What a person can do about it, likewise.
    change: Option<String>,
    /// Whether nothing changes it but a person.
    is_lasting: bool,
}

impl Refused {
    /// Time changes it, or AWS.
    pub(super) fn for_now(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            change: None,
            is_lasting: false,
        }
    }

    /// Nothing changes it but a person.
    pub(super) fn for_good(why: impl Into<String>) -> Self {
        Self {
            is_lasting: true,
            ..Self::for_now(why)
        }
    }

    /// For good where that is so, else for now.
    pub(super) fn lasting(self, is_lasting: bool) -> Self {
        Self { is_lasting, ..self }
    }

    /// With what a person can do.
    pub(super) fn but(self, change: impl Into<String>) -> Self {
        Self {
            change: Some(change.into()),
            ..self
        }
    }
}

/// How reasons end where they stand alone.
const SAID: [&str; 5] = [
    ": nothing is asked on it",
    ": nothing is asked of AWS there",
    ": nothing is asked",
    ": no case is opened",
    ": no more of it is asked for",
];

/// What a person can do where nobody forbids it and our own judgement is against it.
pub(super) const ASK: &str = "`ask POOL NUMBER --reason TEXT` asks for it all the same";

impl Draft<'_> {
    /// Notes that nothing is asked for this incident, and keeps why.
    pub(super) fn refuse(&mut self, id: &IncidentId, refused: Refused) {
        self.note(id, refused.why.clone());
        if let Some(incident) = self.incident(id) {
            let old = incident.refusal.as_ref();
            let is_known = old.is_some_and(|it| {
                essence(&it.why) == essence(&refused.why)
                    && it.change == refused.change
                    && it.is_lasting == refused.is_lasting
            });
            if !is_known {
                // Whoever knows that nothing is asked hears of another reason with the next message.
                let is_told = old.is_some_and(|it| it.is_told && it.is_lasting);
                let refusal = Refusal {
                    at: self.now(),
                    why: refused.why.clone(),
                    change: refused.change.clone(),
                    is_lasting: refused.is_lasting,
                    is_told: is_told && refused.is_lasting,
                };
                let mut incident = incident.clone();
                incident.refusal = Some(refusal);
                self.put(incident);
            }
        }
        self.refused.insert(id.clone(), refused);
    }

    /// Something is asked for by now, or would be.
    pub(super) fn unrefuse(&mut self, id: &IncidentId) {
        self.refused.remove(id);
        if let Some(incident) = self.incident(id).filter(|it| it.refusal.is_some()) {
            let mut incident = incident.clone();
            incident.refusal = None;
            self.put(incident);
        }
    }

    /// Why nothing is asked, with the numbers of now where this plan has looked, and what changes that; whole sentences.
    pub(super) fn refusal(&self, incident: &Incident) -> Option<String> {
        let fresh = self.refused.get(&incident.id);
        let fresh = fresh.map(|it| (&it.why, &it.change));
        let kept = incident.refusal.as_ref().map(|it| (&it.why, &it.change));
        let (why, change) = fresh.or(kept)?;
        // What is said before it need not be said after it.
        let mut ends = SAID.iter().filter_map(|it| why.strip_suffix(it));
        let why = ends.next().unwrap_or(why);
        let change = change.as_ref().map(|it| format!(" {it}."));
        Some(format!(
            "Nothing is asked of AWS for it: {why}.{}",
            change.unwrap_or_default()
        ))
    }
}

/// Once, where people had read of a request and nothing will come of it: that, and why.
pub(super) fn tell(draft: &mut Draft<'_>) {
    if draft.inputs.stop.is_some() || draft.policy().mode == Mode::Observe {
        return; // nobody was promised anything
    }
    let told: BTreeSet<IncidentId> = draft.told_now().collect();
    let refused = draft.incidents().filter(|it| {
        let is_news = it
            .refusal
            .as_ref()
            .is_some_and(|it| it.is_lasting && !it.is_told);
        let is_known = it.told.is_some() && !told.contains(&it.id);
        is_news && is_known && it.is_open() && Remedy::Notify < it.remedy
    });
    for incident in refused.cloned().collect::<Vec<_>>() {
        let message = texts::nothing_asked(draft, &incident);
        draft.tell(&incident.id, Severity::Warning, &message);
        mark_told(draft, &incident.id);
    }
}

/// People know now that nothing is asked, and why.
pub(super) fn mark_told(draft: &mut Draft<'_>, id: &IncidentId) {
    let Some(mut incident) = draft.incident(id).cloned() else {
        return;
    };
    if let Some(refusal) = &mut incident.refusal {
        refusal.is_told = true;
        draft.put(incident);
    }
}
