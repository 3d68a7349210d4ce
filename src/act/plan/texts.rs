//! Every text that a person reads, on call or at AWS Support: the same reasons, in two voices.
//!
//! Nothing is claimed that no number or configured sentence stands behind. Plain text only: Support shows no markup.

mod carriers;
mod desk;
mod figures;
mod lead;
mod lines;
mod next;
mod support;
mod title;
mod told;

pub(super) use desk::{
    asked, aws_waits, case_opened, case_waits, delayed, end_sentence, ended, may_end, no_plan,
    not_carried_out, proposed_later, second_case, theirs, waits_for_word,
};
pub(super) use lines::Lines;
pub(super) use next::{Outcome, has_place_for_proposal, outcome};
pub(super) use support::{
    changed_by_hand, investigation, marked, raise, raised_by, recovery, renewed, request_context,
    request_context_now, thanks,
};
pub use title::headline;
pub(super) use told::{acknowledged, back, held_by, released, released_over, snooze_over};

use super::{draft::Draft, group::reasons, hints};
use crate::model::{
    action::Effect,
    incident::Incident,
    rule::Severity,
    time::{Minute, Timestamp},
    units::grouped,
};

/// What is said in one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One printable ASCII line, at most 99 characters: enough to decide whether to get up.
    pub subject: String,
    /// At most twelve lines or so.
    pub body: String,
    /// Nothing changed since the last one.
    pub is_reminder: bool,
}

impl Message {
    /// Its word and its first sentence after the headline.
    pub(super) fn in_short(&self) -> String {
        let word = self.subject.split(']').next().unwrap_or_default();
        let word = word.trim_start_matches('[');
        let sentence = self.body.lines().nth(1).unwrap_or_default();
        format!("{word}: {}", sentence.trim_end_matches('.'))
    }
}

/// How soon reasons go, of each one that is shown; the rest is in `explain`.
const REASON_RANKS: [u8; 4] = [0, 2, 6, 8];
/// How soon goes who takes most.
const CARRIERS_RANK: u8 = 1;
/// How soon the runbook goes.
const RUNBOOK_RANK: u8 = 5;
/// How soon goes how long increases take, and that it comes and goes.
const LEAD_RANK: u8 = 4;

/// The first message of an incident.
pub(super) fn opened(draft: &Draft<'_>, incident: &Incident) -> Message {
    message(draft, incident, incident.severity.name(), "", |lines| {
        lines.extend(hints::warning(incident));
        if !incident.is_of_lifecycle() {
            lines.push(since(draft, incident));
        }
        push_reasons(draft, incident, lines);
        hints::push_others(draft, incident, lines);
        push_runbook(draft, incident, lines);
        lines.push(next::step(draft, incident));
        push_lead(draft, incident, lines);
    })
}

/// The incident became worse while open.
pub(super) fn raised(draft: &Draft<'_>, incident: &Incident, before: Severity) -> Message {
    let was = format!(" (was {})", before.name());
    message(draft, incident, incident.severity.name(), &was, |lines| {
        if incident.is_of_lifecycle() {
            push_reasons(draft, incident, lines);
            push_runbook(draft, incident, lines);
        } else {
            lines.extend(hints::warning(incident));
            lines.push(since(draft, incident));
            push_reasons(draft, incident, lines);
            hints::push_others(draft, incident, lines);
        }
        push_flap(draft, incident, lines);
        lines.push(next::step(draft, incident));
        push_lead(draft, incident, lines);
    })
}

/// The worst of the incident is over, and something milder goes on.
pub(super) fn eased(draft: &Draft<'_>, incident: &Incident, still: Severity) -> Message {
    let word = format!("eased to {}", still.name());
    message(draft, incident, &word, "", |lines| {
        lines.push(format!("What was {} is over.", incident.severity.name()));
        if !incident.is_of_residency() {
            lines.push(format!(
                "Throttled since {}: {} requests.",
                incident.began,
                grouped(incident.lost)
            ));
        }
        push_reasons(draft, incident, lines);
        lines.push(next::step(draft, incident));
    })
}

/// What people know of is so still.
pub(super) fn reminded(draft: &Draft<'_>, incident: &Incident) -> Message {
    let word = incident.severity.name();
    let message = message(draft, incident, word, " (still)", |lines| {
        lines.push(since(draft, incident));
        push_reasons(draft, incident, lines);
        push_flap(draft, incident, lines);
        lines.push(next::step(draft, incident));
    });
    Message {
        is_reminder: true,
        ..message
    }
}

/// The incident is over.
pub(super) fn resolved(draft: &Draft<'_>, incident: &Incident) -> Message {
    let ended = incident.resolved.unwrap_or(draft.now());
    message(draft, incident, "resolved", "", |lines| {
        if incident.is_of_lifecycle() {
            // Nothing was bad: AWS moved the day, or nobody calls the model any more.
            lines.push(format!("No longer so on {}.", clock(ended)));
            lines.extend(incident.decisions.last().map(|it| format!("{}.", it.what)));
            return;
        }
        if incident.is_of_breach() {
            // Its evidence is whole days, so minutes would say more than is known.
            lines.push(format!(
                "Requests ran outside from {} to {}, by the log of model invocations; none did in what was read since.",
                day(incident.began),
                day(incident.last_bad)
            ));
            lines.push(format!("Judged over at {}.", clock(ended)));
            lines.extend(told::quiet_line(draft, incident));
            return;
        }
        lines.push(format!("Bad {}.", bad(incident)));
        if !incident.is_of_residency() {
            lines.push(format!("Throttled requests: {}.", grouped(incident.lost)));
        }
        lines.push(format!("Judged over at {}.", clock(ended)));
        lines.extend(told::quiet_line(draft, incident));
        if !incident.is_of_residency() {
            lines.push(next::open_work(draft, incident));
        }
    })
}

/// People had read of a request, and nothing will come of it.
pub(super) fn nothing_asked(draft: &Draft<'_>, incident: &Incident) -> Message {
    message(draft, incident, "nothing asked", "", |lines| {
        lines.extend(draft.refusal(incident));
        lines.push(since(draft, incident));
        push_reasons(draft, incident, lines);
        push_flap(draft, incident, lines);
    })
}

/// A person has decided something about it. `what` is a sentence without its final stop.
pub(super) fn taken_up(draft: &Draft<'_>, incident: &Incident, what: &str) -> Message {
    message(draft, incident, "taken up", "", |lines| {
        lines.push(format!("{what}."));
    })
}

/// The incident was over before anybody could judge it.
pub(super) fn past(draft: &Draft<'_>, incident: &Incident) -> Message {
    message(draft, incident, "was", "", |lines| {
        lines.push(match incident.spells().len() {
            1 => {
                let (from, until) = (incident.began, incident.last_bad);
                format!("From {from} to {until}, over by now.")
            }
            _ => format!("Bad {}; over by now.", bad(incident)),
        });
        push_reasons(draft, incident, lines);
        let told = incident.hints.iter().take(1);
        lines.extend(told.map(|hint| format!("Hint: {hint}.")));
        lines.push(
            "It came and went while these minutes were not being judged: nothing was filed."
                .to_owned(),
        );
    })
}

/// `beside` is said beside the headline, such as ` (still)`.
fn message(
    draft: &Draft<'_>,
    incident: &Incident,
    word: &str,
    beside: &str,
    write: impl FnOnce(&mut Lines),
) -> Message {
    let figures = title::figures(incident, draft.now());
    let mut lines = Lines::default();
    write(&mut lines);
    Message {
        subject: title::subject_of(&format!("[{word}] "), incident, beside, &figures),
        body: lines.text(title::first_line(incident, beside, &figures), &incident.id),
        is_reminder: false,
    }
}

/// The first reason stays, and nearly always who takes most; the others go where there is no room for them.
fn push_reasons(draft: &Draft<'_>, incident: &Incident, lines: &mut Lines) {
    let carriers = carriers::line(draft, incident);
    let mut reasons = reasons(draft, incident);
    reasons.retain(|it| carriers.is_none() || !carriers::is_said(it));
    for (reason, rank) in reasons.iter().zip(REASON_RANKS) {
        lines.may(rank, format!("- {reason}"));
    }
    if let Some(line) = carriers {
        lines.may(CARRIERS_RANK, line);
    }
}

/// That it comes and goes, and when its end will be told.
fn push_flap(draft: &Draft<'_>, incident: &Incident, lines: &mut Lines) {
    if let Some(line) = told::flap_line(draft, incident) {
        lines.may(LEAD_RANK, line);
    }
}

fn push_lead(draft: &Draft<'_>, incident: &Incident, lines: &mut Lines) {
    if let Some(line) = lead::line(draft, incident) {
        lines.may(LEAD_RANK, line);
    }
}

fn push_runbook(draft: &Draft<'_>, incident: &Incident, lines: &mut Lines) {
    let of_incident = |rule: &str| {
        incident
            .members
            .iter()
            .any(|(key, member)| member.is_on && key.rule.as_str() == rule)
    };
    let mut on = draft
        .inputs
        .verdicts
        .iter()
        .filter(|verdict| of_incident(verdict.rule.as_str()));
    if let Some(verdict) = on.find(|verdict| verdict.severity == incident.severity) {
        lines.may(RUNBOOK_RANK, verdict.runbook.clone());
    }
}

/// What an effect does at AWS, in few words.
pub(super) fn what_for(effect: &Effect) -> String {
    match effect {
        Effect::RequestQuota { code, desired, .. } => format!("ask for {desired} on {code}"),
        Effect::OpenCase { .. } => "open a support case".to_owned(),
        Effect::EndCase { case, .. } => format!("thank AWS in case {case} and close it"),
        Effect::Notify { .. } | Effect::Comment { .. } => effect.name().to_owned(),
    }
}

/// What an effect is, at the beginning of a sentence, and what is done to it.
pub(super) fn called(effect: &Effect) -> (String, &'static str) {
    match effect {
        Effect::RequestQuota { code, desired, .. } => {
            (format!("The request for {desired} on {code}"), "made")
        }
        Effect::OpenCase { .. } => ("The support case".to_owned(), "opened"),
        Effect::Comment { case, .. } => (format!("The comment in case {case}"), "written"),
        Effect::EndCase { case, .. } => (format!("The end of case {case}"), "written"),
        Effect::Notify { .. } => ("The message".to_owned(), "sent"),
    }
}

fn since(draft: &Draft<'_>, incident: &Incident) -> String {
    if incident.is_of_breach() {
        return format!(
            "First on {}, by the log of model invocations.",
            day(incident.began)
        );
    }
    let lost = if 0.0 < incident.lost {
        format!("; throttled so far: {} requests", grouped(incident.lost))
    } else {
        String::new()
    };
    let spells = incident.spells();
    match spells.last().filter(|_| 1 < spells.len()) {
        Some(last) => format!(
            "It came back at {}; bad for {} minutes in {} stretches since {}{lost}.",
            last.first,
            incident.bad_minutes(),
            spells.len(),
            incident.began
        ),
        None => {
            let lasting = lasting(incident, draft.now());
            format!("Since {}, {lasting}{lost}.", incident.began)
        }
    }
}

/// From when to when it was bad, and for how long: quiet times between its returns don't count.
pub(super) fn bad(incident: &Incident) -> String {
    let minutes = match incident.bad_minutes() {
        1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    };
    let (from, until) = (incident.began, incident.last_bad);
    match incident.spells().len() {
        1 => format!("from {from} to {until}, {minutes}"),
        spells => format!("for {minutes} in {spells} stretches from {from} to {until}"),
    }
}

fn lasting(incident: &Incident, now: Timestamp) -> String {
    match Minute::of(now).since(incident.began) {
        minutes if minutes <= 1 => "just now".to_owned(),
        minutes if minutes < 120 => format!("for {minutes} minutes"),
        minutes => format!("for {} hours", minutes / 60),
    }
}

fn day(minute: Minute) -> String {
    minute.start().strftime("%Y-%m-%d").to_string()
}

fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Printable ASCII, one line, at most 99 characters, not ending in a space: what SNS takes as a subject.
pub(super) fn subject(text: &str) -> String {
    let mut line: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_graphic() || c == ' ' {
                c
            } else {
                '?'
            }
        })
        .take(99)
        .collect();
    line.truncate(line.trim_end().len());
    line
}
