//! What people hear of what they were not told, and of what they said themselves.

use super::{
    super::{draft::Draft, tell::REOPEN_MINUTES},
    Lines, Message, bad, clock, headline, lasting, message, next, push_flap, push_reasons, since,
};
use crate::model::{
    handling::{Ack, Held, Hold},
    incident::Incident,
    silence::{Silence, SilenceState},
    time::Minute,
};

/// It ended, that was told, and it is back.
pub(in crate::act::plan) fn back(draft: &Draft<'_>, incident: &Incident, returns: u32) -> Message {
    let back = if returns <= 1 {
        " (back)".to_owned()
    } else {
        format!(" (back, return {returns})")
    };
    message(draft, incident, incident.severity.name(), &back, |lines| {
        lines.push(since(draft, incident));
        push_reasons(draft, incident, lines);
        push_flap(draft, incident, lines);
        lines.push(next::step(draft, incident));
    })
}

/// That it comes and goes, and when its end will be told.
pub(super) fn flap_line(draft: &Draft<'_>, incident: &Incident) -> Option<String> {
    let returns = draft.handling(&incident.id).returns;
    let hours = REOPEN_MINUTES / 60;
    let times = match returns {
        0 => return None,
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    };
    Some(format!(
        "It has come back {times}: you hear that it is over once it has been quiet for {hours} hours."
    ))
}

/// Of an end that was told late: why.
pub(super) fn quiet_line(draft: &Draft<'_>, incident: &Incident) -> Option<String> {
    let returns = draft.handling(&incident.id).returns;
    let hours = REOPEN_MINUTES / 60;
    let times = if returns == 1 { "time" } else { "times" };
    (0 < returns).then(|| {
        format!("It came back {returns} {times}, and has been quiet for {hours} hours now.")
    })
}

/// What held messages back is over, and the incident goes on.
pub(in crate::act::plan) fn released(
    draft: &Draft<'_>,
    incident: &Incident,
    held: &Held,
) -> Message {
    let over = format!(" ({})", over(&held.hold));
    message(draft, incident, incident.severity.name(), &over, |lines| {
        lines.push(format!("{}.", sentence(draft, &held.hold)));
        push_meanwhile(held, lines);
        lines.push(since(draft, incident));
        push_reasons(draft, incident, lines);
        push_flap(draft, incident, lines);
        lines.push(next::step(draft, incident));
    })
}

/// What held messages back is over, and so is the incident, which people believed to be open, or still have to act on.
pub(in crate::act::plan) fn released_over(
    draft: &Draft<'_>,
    incident: &Incident,
    held: &Held,
) -> Message {
    message(draft, incident, "resolved", "", |lines| {
        lines.push(format!("{}.", sentence(draft, &held.hold)));
        push_meanwhile(held, lines);
        lines.push(format!("Bad {}.", bad(incident)));
        lines.push(next::open_work(draft, incident));
    })
}

/// What happened while nobody was told, a line each; the older ones go where there is no room for them.
fn push_meanwhile(held: &Held, lines: &mut Lines) {
    if held.events.is_empty() {
        return lines.push("Nothing changed meanwhile.".to_owned());
    }
    let earlier = if 0 < held.dropped {
        format!(" ({} earlier ones are in explain)", held.dropped)
    } else {
        String::new()
    };
    lines.push(format!("Meanwhile{earlier}:"));
    for (age, event) in (0..held.events.len()).rev().zip(&held.events) {
        let rank = u8::try_from(age).map_or(u8::MAX, |age| age.saturating_mul(2));
        lines.may(rank, format!("- {}: {}", clock(event.at), event.what));
    }
}

const fn over(hold: &Hold) -> &'static str {
    match hold {
        Hold::Silenced { .. } => "silence over",
        Hold::Inhibited { .. } => "goes on",
    }
}

/// What held messages back, as a sentence without its final stop.
fn sentence(draft: &Draft<'_>, hold: &Hold) -> String {
    match hold {
        Hold::Silenced { by } => {
            let silences = draft.silences().filter(|it| by.contains(&it.id));
            let said: Vec<String> = silences.map(|it| ending(draft, it)).collect();
            if said.is_empty() {
                return "The silence over this is gone".to_owned();
            }
            said.join("; ")
        }
        Hold::Inhibited { by, .. } => {
            let source = draft.incident(by).map_or_else(|| by.to_string(), headline);
            format!("This was told as a part of {by} ({source}), and goes on or is worse")
        }
    }
}

fn ending(draft: &Draft<'_>, silence: &Silence) -> String {
    let Silence { by, why, until, .. } = silence;
    let why = why.trim_end_matches('.');
    if silence.state(draft.now()) != SilenceState::Ended {
        return format!("The silence of {by} ({why}) no longer covers all of it");
    }
    let word = match &silence.expired_by {
        Some(who) => format!("was ended by {who}"),
        None => "ended".to_owned(),
    };
    format!("The silence of {by} ({why}) {word} at {}", clock(*until))
}

/// What holds messages back, as a noun.
pub(in crate::act::plan) fn held_by(draft: &Draft<'_>, hold: &Hold) -> String {
    match hold {
        Hold::Silenced { by } => {
            let silences = draft.silences().filter(|it| by.contains(&it.id));
            let said: Vec<String> = silences
                .map(|it| format!("the silence {} of {}", it.id, it.by))
                .collect();
            said.join(" and ")
        }
        Hold::Inhibited { by, .. } => format!("{by}, of which it was a part,"),
    }
}

/// Somebody looks after it.
pub(in crate::act::plan) fn acknowledged(
    draft: &Draft<'_>,
    incident: &Incident,
    ack: &Ack,
) -> Message {
    let word = if ack.until.is_some() {
        "snoozed"
    } else {
        "acknowledged"
    };
    message(draft, incident, word, "", |lines| {
        let note = ack.note.as_deref().map_or(String::new(), |note| {
            format!(": {}", note.trim_end_matches('.'))
        });
        lines.push(match ack.until {
            None => format!("{} looks after it{note}.", ack.by),
            Some(until) => format!("{} looks at it again at {}{note}.", ack.by, clock(until)),
        });
        let until = ack.until.map_or("", |_| " until then");
        lines.push(format!(
            "No reminders{until}. You hear of it if it gets worse, and when it is over."
        ));
        lines.push(since(draft, incident));
    })
}

/// A snooze is over, and the incident is not.
pub(in crate::act::plan) fn snooze_over(
    draft: &Draft<'_>,
    incident: &Incident,
    ack: &Ack,
) -> Message {
    let severity = incident.severity.name();
    message(draft, incident, severity, " (snooze over)", |lines| {
        let minutes = Minute::of(draft.now()).since(Minute::of(ack.at));
        lines.push(format!(
            "{} snoozed it {minutes} minutes ago. It goes on, {}.",
            ack.by,
            lasting(incident, draft.now())
        ));
        push_reasons(draft, incident, lines);
        push_flap(draft, incident, lines);
        lines.push(next::step(draft, incident));
    })
}
