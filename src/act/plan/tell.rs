//! Whether people hear of something now, later or not at all. Every message about an incident goes through here.
//!
//! What holds a message back is looked at anew in each plan. What was held is kept with the incident's [`Handling`], in the
//! same commit as the change that it is about, so that a crash between the two can lose neither.

use std::collections::BTreeSet;

use super::{
    draft::{Draft, Told},
    inhibit,
    texts::{self, Message},
};
use crate::model::{
    action::{Effect, IntentState},
    book::Book,
    handling::{Event, Handling, Held, Hold},
    ids::{IncidentId, ReceiverName},
    incident::Incident,
    policy::{Policy, Reminders},
    reason::Reason,
    receiver::{Notice, Phase},
    rule::Severity,
    silence::covering,
    time::{Minute, Timestamp, after},
};

/// Within so many minutes of its end, the same cause reopens its incident instead of making another one.
pub(super) const REOPEN_MINUTES: i64 = 180;
/// What has not been bad for so long is no reason to remind anybody.
const CURRENT_MINUTES: i64 = 30;

impl Draft<'_> {
    /// Plans one message to everybody whose route lets this severity through, unless something holds it back. Returns
    /// whether it goes out.
    pub(super) fn tell(&mut self, id: &IncidentId, severity: Severity, message: &Message) -> bool {
        let phase = self.phase(id);
        self.tell_as(id, severity, phase, message)
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
        let notice = Notice::of(&incident, phase, texts::headline(&incident));
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
        Effect::RequestQuota { .. } | Effect::OpenCase { .. } | Effect::Comment { .. } => None,
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

/// What time alone brings: ends that may be told by now, holds that are over, snoozes and reminders.
pub(super) fn sweep(draft: &mut Draft<'_>) {
    let open = draft.incidents().filter(|it| it.is_open());
    let mut ids: BTreeSet<IncidentId> = open.map(|it| it.id.clone()).collect();
    ids.extend(draft.handled());
    for id in ids {
        let Some(incident) = draft.incident(&id).cloned() else {
            continue;
        };
        if incident.is_open() {
            mark(draft, &incident);
        }
        let is_end_due = |it: &Handling| it.end_due.is_some_and(|due| due <= draft.inputs.now);
        if !incident.is_open() && is_end_due(&draft.handling(&id)) {
            tell_end(draft, &incident);
        }
        let handling = draft.handling(&id);
        if handling.held.is_some() && handling.end_due.is_none() && hold(draft, &id).is_none() {
            release(draft, handling);
        }
        if incident.is_open() {
            wake(draft, &incident);
        } else {
            let_go(draft, &incident);
        }
    }
}

/// Notes a silence that began while people knew of the incident: when it ends they hear how things stand.
fn mark(draft: &mut Draft<'_>, incident: &Incident) {
    let (Some(severity), Some(hold)) = (incident.told, hold(draft, &incident.id)) else {
        return;
    };
    let mut handling = draft.handling(&incident.id);
    if handling.held.is_none() {
        handling.held = Some(Held {
            hold,
            since: draft.now(),
            severity,
            was_told: !handling.heard_end,
            events: Vec::new(),
            dropped: 0,
        });
        draft.put_handling(handling);
    }
}

/// What was held back is told now, once, if it still matters to anybody.
fn release(draft: &mut Draft<'_>, mut handling: Handling) {
    let id = handling.incident.clone();
    let (Some(held), Some(incident)) = (handling.held.take(), draft.incident(&id).cloned()) else {
        return;
    };
    let is_open = incident.is_open();
    handling.heard_end = !is_open && held.was_told;
    draft.put_handling(handling);
    let severity = incident.told.unwrap_or(incident.severity);
    if is_open {
        let message = texts::released(draft, &incident, &held);
        let phase = draft.phase(&id);
        draft.send(&id, incident.severity, phase, &message);
    } else if held.was_told || is_awaited(draft, &id) {
        let message = texts::released_over(draft, &incident, &held);
        let phase = incident.told.map_or(Phase::Past, |_| Phase::Resolved);
        draft.send(&id, severity, phase, &message);
    } else {
        let why = texts::held_by(draft, &held.hold);
        draft.decide(
            &id,
            format!("it was over before {why} was: nobody was told"),
        );
    }
}

/// Whether people have to do something about what was asked of AWS for it.
fn is_awaited(draft: &Draft<'_>, id: &IncidentId) -> bool {
    let mut asks = draft.asks();
    let mut cases = draft.investigations();
    let mut intents = draft.intents();
    asks.any(|it| it.incident == *id && it.end.is_none() && it.told_waiting)
        || cases.any(|it| {
            let is_waiting = it.ended.is_none() && it.told_waiting;
            it.incident == *id && (is_waiting || it.twin.is_some())
        })
        || intents.any(|it| it.incident == *id && matches!(it.state, IntentState::Held { .. }))
}

/// Reminds of an open incident, and of one that was snoozed until now.
fn wake(draft: &mut Draft<'_>, incident: &Incident) {
    let now = draft.now();
    let mut handling = draft.handling(&incident.id);
    let is_over = |until: Timestamp| until <= now;
    let snooze = handling.ack.take_if(|ack| ack.until.is_some_and(is_over));
    let Some(told) = incident.told else {
        return;
    };
    if let Some(snooze) = snooze {
        draft.put_handling(handling);
        let message = texts::snooze_over(draft, incident, &snooze);
        draft.tell(&incident.id, told, &message);
    } else if is_reminder_due(&draft.policy().reminders, incident, &handling, now) {
        let reminders = handling.reminders + 1;
        if draft.tell(&incident.id, told, &texts::reminded(draft, incident)) {
            let handling = draft.handling(&incident.id);
            draft.put_handling(Handling {
                reminders,
                ..handling
            });
        }
    }
}

/// Tells those who know of the incident that somebody looks after it; nobody else.
pub(super) fn acknowledged(draft: &mut Draft<'_>, incident: &Incident, message: &Message) {
    if let Some(told) = incident.told
        && draft.handling(&incident.id).held.is_none()
    {
        draft.tell_as(&incident.id, told, Phase::Acknowledged, message);
    }
}

/// A decision about what was proposed for it is a taking up, too: receivers that ring until somebody comes stop ringing. All
/// others hear of what follows.
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
        receiver.is_some_and(|it| it.keeps_state() && it.hears(Phase::Acknowledged, told))
    };
    let mut routes = policy.routes.iter();
    if routes.any(|it| it.fits(draft.book(), &incident, told) && rings(&it.receiver)) {
        let message = texts::taken_up(&incident, what);
        draft.send_to(id, told, Phase::Acknowledged, &message, rings);
    }
}

/// Whether people are to be reminded: each reminder waits twice as long as the one before.
fn is_reminder_due(
    reminders: &Reminders,
    incident: &Incident,
    handling: &Handling,
    now: Timestamp,
) -> bool {
    // A forecast is told again when the engine says so, and a date comes no sooner for being told.
    let is_bad = incident.members.values().any(|member| {
        let is_ahead = member.reasons.iter().any(|it| Reason::ahead(it).is_some());
        let age = |bad| Minute::of(now).since(bad);
        member.is_on
            && !is_ahead
            && member
                .last_bad
                .map(age)
                .is_none_or(|it| it <= CURRENT_MINUTES)
    });
    let is_due = handling.last_told.is_some_and(|last| {
        let wait = reminders.wait_minutes(handling.reminders);
        after(last, wait) <= now
    });
    is_due
        && is_bad
        && handling.held.is_none()
        && Severity::Warning <= incident.severity
        && !incident.is_of_lifecycle()
        && handling.acknowledged(now).is_none()
}

/// What is over and told, and can't come back as the same incident, needs no handling any more.
fn let_go(draft: &mut Draft<'_>, incident: &Incident) {
    let handling = draft.handling(&incident.id);
    let since = incident.resolved.unwrap_or(draft.now());
    let is_past = after(since, REOPEN_MINUTES) < draft.now();
    if is_past && handling.held.is_none() && handling.end_due.is_none() {
        draft.remove_handling(&incident.id);
    }
}

/// Whether time alone brings something to tell: what [`sweep`] would find. Cheap, and may say yes in vain.
pub(super) fn is_due(draft: &Draft<'_>) -> bool {
    let now = draft.now();
    draft.book().handlings.values().any(|it| {
        let is_over = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        let incident = draft.incident(&it.incident).filter(|it| it.is_open());
        it.held.is_some()
            || is_over(it.end_due)
            || is_over(it.ack.as_ref().and_then(|ack| ack.until))
            || incident.is_some_and(|incident| {
                is_reminder_due(&draft.policy().reminders, incident, it, now)
            })
    })
}
