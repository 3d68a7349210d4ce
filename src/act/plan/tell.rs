//! Whether people hear of something now, later or not at all. Every message about an incident goes through here.
//!
//! What holds a message back is looked at anew in each plan. What was held is kept with the incident's [`Handling`], in the
//! same commit as the change that it is about, so that a crash between the two can lose neither.

mod time;

use std::collections::BTreeSet;

use super::{
    draft::{Draft, Told},
    inhibit, links,
    texts::{self, Message},
};
use crate::model::{
    action::Effect,
    book::Book,
    handling::{Event, Handling, Held, Hold},
    ids::{IncidentId, ReceiverName},
    incident::Incident,
    policy::Policy,
    receiver::{Flag, Notice, Phase},
    rule::Severity,
    silence::covering,
    time::{Minute, after},
};

pub(super) use time::{is_due, sweep};

/// Within so many minutes of its end, the same cause reopens its incident instead of making another one.
pub(super) const REOPEN_MINUTES: i64 = 180;

impl Draft<'_> {
    /// Plans one message to everybody whose route lets this severity through, unless something holds it back. Returns
    /// whether it goes out.
    pub(super) fn tell(&mut self, id: &IncidentId, severity: Severity, message: &Message) -> bool {
        let phase = self.phase(id);
        self.tell_as(id, severity, phase, message)
    }

    /// As [`Self::tell`], of what waits for a person. That the incident is a part of another one does not hold it back, nor
    /// any longer what was held back for that: whoever is called reads first what it is about. A silence is a person's word.
    pub(super) fn call(&mut self, id: &IncidentId, severity: Severity, message: &Message) {
        if let Some(Hold::Inhibited { .. }) = hold(self, id) {
            let handling = self.handling(id);
            time::release(self, handling);
            let phase = self.phase_of_call(id);
            return self.send(id, severity, phase, message);
        }
        let phase = self.phase_of_call(id);
        self.tell_as(id, severity, phase, message);
    }

    /// Pagers don't hear what is past, and what waits for a person is not.
    fn phase_of_call(&self, id: &IncidentId) -> Phase {
        let phase = self.phase(id);
        if phase == Phase::Past {
            Phase::Note
        } else {
            phase
        }
    }

    /// As [`Self::tell`], where the phase does not follow from how the incident is.
    fn tell_as(
        &mut self,
        id: &IncidentId,
        severity: Severity,
        phase: Phase,
        message: &Message,
    ) -> bool {
        let hold = hold(self, id);
        let handling = self.handling(id);
        if hold.is_none() && handling.held.is_none() {
            self.send(id, severity, phase, message);
            return true;
        }
        self.keep(handling, hold, severity, message);
        false
    }

    /// Notes a message that is held back. What holds it may be over by now: then it is released in this very plan.
    fn keep(
        &mut self,
        mut handling: Handling,
        hold: Option<Hold>,
        severity: Severity,
        message: &Message,
    ) {
        let id = handling.incident.clone();
        let was_told = self.incident(&id).is_some_and(|it| it.told.is_some());
        let event = Event {
            at: self.now(),
            what: message.in_short(),
        };
        let new = |hold| Held {
            hold,
            since: event.at,
            severity,
            was_told: was_told && !handling.heard_end,
            events: Vec::new(),
            dropped: 0,
        };
        let held = match (handling.held.take(), hold) {
            (Some(held), Some(hold)) => Some(Held { hold, ..held }),
            (Some(held), None) => Some(held),
            (None, hold) => hold.map(new),
        };
        handling.heard_end = false;
        handling.held = held.map(|mut held| {
            held.severity = held.severity.max(severity);
            held.add(event);
            held
        });
        self.put_handling(handling);
    }

    /// Plans the message to everybody whose route lets it through. Whoever was told of what stays open there, and whoever was
    /// told in somebody's place, hears the end as well.
    fn send(&mut self, id: &IncidentId, severity: Severity, phase: Phase, message: &Message) {
        self.send_to(id, severity, phase, message, |_| true);
    }

    /// As [`Self::send`], to some of them.
    fn send_to(
        &mut self,
        id: &IncidentId,
        severity: Severity,
        phase: Phase,
        message: &Message,
        is_meant: impl Fn(&ReceiverName) -> bool,
    ) {
        let Some(incident) = self.incident(id) else {
            return;
        };
        let mut incident = incident.clone();
        incident.messages += 1;
        incident.told = Some(incident.told.map_or(severity, |told| told.max(severity)));
        self.put(incident.clone());
        let handling = self.handling(id);
        self.put_handling(Handling {
            last_told: Some(self.now()),
            reminders: 0,
            ..handling
        });
        let policy = self.policy();
        let routes = policy.routes.iter();
        let fitting = routes.filter(|it| it.fits(self.book(), &incident, severity));
        let mut to: Vec<&ReceiverName> = fitting.map(|it| &it.receiver).collect();
        if phase == Phase::Resolved {
            to.extend(told_before(self.book(), policy, id));
        }
        let notice = Notice {
            links: links::of(self, &incident),
            flags: message
                .is_reminder
                .then_some(Flag::Reminder)
                .into_iter()
                .collect(),
            teams: self.book().teams(&incident.pools, incident.last_bad),
            ..Notice::of(&incident, phase, texts::headline(&incident))
        };
        let told = Told {
            severity,
            message,
            notice: &notice,
        };
        for name in to.into_iter().filter(|it| is_meant(it)) {
            let receiver = policy.receivers.get(name);
            if receiver.is_none_or(|it| it.hears(phase, severity)) {
                self.intend(told.to(id, name, self.now()));
            }
        }
    }

    /// Where in the life of its incident a message of now stands.
    fn phase(&self, id: &IncidentId) -> Phase {
        let incident = self.incident(id);
        incident.map_or(Phase::Note, |it| Phase::of(it, it.told, self.now()))
    }
}

/// Receivers that were told of this incident and that no route may lead to any more: those where it stays open until they
/// hear its end, and those that hear in somebody's place only.
fn told_before<'b>(book: &'b Book, policy: &Policy, id: &IncidentId) -> BTreeSet<&'b ReceiverName> {
    let of_incident = book.intents.values().filter(|it| it.incident == *id);
    let told = of_incident.filter_map(|it| match &it.effect {
        Effect::Notify { receiver, .. } => Some(receiver),
        Effect::RequestQuota { .. }
        | Effect::OpenCase { .. }
        | Effect::Comment { .. }
        | Effect::EndCase { .. } => None,
    });
    told.filter(|receiver| {
        let kept = policy
            .receivers
            .get(*receiver)
            .is_some_and(|it| it.keeps_state());
        let mut routes = policy.routes.iter();
        let is_known = policy.receivers.contains_key(*receiver);
        is_known && (kept || routes.all(|it| it.receiver != **receiver))
    })
    .collect()
}

/// What holds messages about this incident back now.
fn hold(draft: &Draft<'_>, id: &IncidentId) -> Option<Hold> {
    let incident = draft.incident(id)?;
    let silences = covering(draft.silences(), incident, draft.now());
    if !silences.is_empty() {
        let by = silences.into_iter().map(|it| it.id.clone()).collect();
        return Some(Hold::Silenced { by });
    }
    // Whoever has heard of it hears how it goes on.
    if incident.told.is_some() {
        return None;
    }
    inhibit::source(draft, incident)
}

/// The severity that people know of, or would know of if nothing had been held back.
pub(super) fn known(draft: &Draft<'_>, incident: &Incident) -> Option<Severity> {
    let held = draft.handling(&incident.id).held;
    incident.told.max(held.map(|held| held.severity))
}

/// Tells what people don't know of this incident yet.
pub(super) fn settled(draft: &mut Draft<'_>, id: &IncidentId, is_forecast_again: bool) {
    let Some(incident) = draft.incident(id).cloned() else {
        return;
    };
    if !incident.is_open() {
        return ended(draft, &incident);
    }
    let severity = incident.severity;
    let handling = draft.handling(id);
    match known(draft, &incident) {
        None => {
            draft.tell(id, severity, &texts::opened(draft, &incident));
        }
        Some(known) if known < severity => {
            forget_end(draft, id);
            draft.tell(id, severity, &texts::raised(draft, &incident, known));
            outgrow(draft, id, severity);
        }
        Some(known) if handling.heard_end => {
            let message = texts::back(draft, &incident, handling.returns);
            if draft.tell(id, known, &message) {
                forget_end(draft, id);
            }
        }
        Some(known) if is_forecast_again && handling.acknowledged(draft.now()).is_none() => {
            draft.tell(id, known, &texts::reminded(draft, &incident));
        }
        Some(_) => {}
    }
}

/// What is held back is no worse than this any more.
pub(super) fn ease(draft: &mut Draft<'_>, id: &IncidentId, still: Severity) {
    let mut handling = draft.handling(id);
    if let Some(held) = &mut handling.held {
        held.severity = still;
        draft.put_handling(handling);
    }
}

/// That it ended is not the last that people heard any more.
fn forget_end(draft: &mut Draft<'_>, id: &IncidentId) {
    let mut handling = draft.handling(id);
    handling.heard_end = false;
    draft.put_handling(handling);
}

/// Whoever acknowledged it did so when it was milder: that no longer holds.
fn outgrow(draft: &mut Draft<'_>, id: &IncidentId, severity: Severity) {
    let mut handling = draft.handling(id);
    if let Some(ack) = handling.ack.take_if(|ack| ack.severity < severity) {
        draft.put_handling(handling);
        draft.decide(
            id,
            format!(
                "the acknowledgement by {} ended: it is {} now",
                ack.by,
                severity.name()
            ),
        );
    }
}

/// The first end is told at once. After it came back once, its end is told only when it can no longer come back as the
/// same incident: whoever hears that it is over may believe it.
fn ended(draft: &mut Draft<'_>, incident: &Incident) {
    let mut handling = draft.handling(&incident.id);
    if handling.returns == 0 {
        return tell_end(draft, incident);
    }
    let due = after(incident.resolved.unwrap_or(draft.now()), REOPEN_MINUTES);
    handling.end_due = Some(due);
    let returns = handling.returns;
    draft.put_handling(handling);
    // In words that differ each time: the same words are written down once.
    let what = format!(
        "over again after return {returns}: told at {} unless it comes back before",
        Minute::of(due)
    );
    draft.decide(&incident.id, what);
}

fn tell_end(draft: &mut Draft<'_>, incident: &Incident) {
    let severity = incident.told.unwrap_or(incident.severity);
    // It may have ended hours ago: whoever keeps it open hears of the end now.
    let phase = incident.told.map_or(Phase::Past, |_| Phase::Resolved);
    let message = texts::resolved(draft, incident);
    let is_told = draft.tell_as(&incident.id, severity, phase, &message);
    let handling = draft.handling(&incident.id);
    draft.put_handling(Handling {
        heard_end: is_told,
        end_due: None,
        ack: None,
        ..handling
    });
}

/// An incident that comes back soon after its end is the same incident.
pub(super) fn returned(draft: &mut Draft<'_>, id: &IncidentId) {
    let handling = draft.handling(id);
    draft.put_handling(Handling {
        returns: handling.returns + 1,
        end_due: None,
        ..handling
    });
}

/// Tells those who know of the incident that somebody looks after it; nobody else.
pub(super) fn acknowledged(draft: &mut Draft<'_>, incident: &Incident, message: &Message) {
    if let Some(told) = incident.told
        && draft.handling(&incident.id).held.is_none()
    {
        draft.tell_as(&incident.id, told, Phase::Acknowledged, message);
    }
}

/// A decision about what was proposed for it is a taking up, too: receivers that ring until somebody comes stop ringing, and
/// buttons go that are of no use any more. All others hear of what follows.
pub(super) fn decided(draft: &mut Draft<'_>, id: &IncidentId, what: &str) {
    let Some(incident) = draft.incident(id).filter(|it| it.is_open()).cloned() else {
        return;
    };
    let Some(told) = incident.told.filter(|_| draft.handling(id).held.is_none()) else {
        return;
    };
    let policy = draft.policy();
    let rings = |name: &ReceiverName| {
        let receiver = policy.receivers.get(name);
        receiver.is_some_and(|it| it.shows_decisions() && it.hears(Phase::Acknowledged, told))
    };
    let mut routes = policy.routes.iter();
    if routes.any(|it| it.fits(draft.book(), &incident, told) && rings(&it.receiver)) {
        let message = texts::taken_up(draft, &incident, what);
        draft.send_to(id, told, Phase::Acknowledged, &message, rings);
    }
}
