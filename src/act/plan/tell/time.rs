//! What time alone brings: ends that may be told by now, holds that are over, snoozes and reminders.

use std::collections::BTreeSet;

use super::{REOPEN_MINUTES, hold, tell_end};
use crate::{
    act::plan::{draft::Draft, texts},
    model::{
        action::IntentState,
        handling::{Handling, Held},
        ids::IncidentId,
        incident::Incident,
        policy::Reminders,
        reason::Reason,
        receiver::Phase,
        rule::Severity,
        time::{Minute, Timestamp, after},
    },
};

/// What has not been bad for so long is no reason to remind anybody.
const CURRENT_MINUTES: i64 = 30;

/// Tells of all that is due by now.
pub(in crate::act::plan) fn sweep(draft: &mut Draft<'_>) {
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
pub(super) fn release(draft: &mut Draft<'_>, mut handling: Handling) {
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
pub(in crate::act::plan) fn is_due(draft: &Draft<'_>) -> bool {
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
