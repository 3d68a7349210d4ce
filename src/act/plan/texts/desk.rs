//! What people hear of the desk: requests and cases taken, refused, waiting, ended.

use super::{
    Lines, Message, called, next, subject,
    title::{figures, first_line, subject_of},
    what_for,
};
use crate::{
    act::plan::draft::Draft,
    model::{
        action::{Effect, Intent, IntentState, UNANSWERED},
        desk::{Ask, AskEnd, Investigation},
        ids::{CaseId, DisplayId, IncidentId, RequestId, Scope},
        incident::Incident,
        outcome::NO_PLAN,
        reason::Reason,
        time::{HOUR, Minute, Timestamp},
        units::Amount,
    },
};

/// AWS took a quota request.
pub(in crate::act::plan) fn asked(
    draft: &Draft<'_>,
    intent: &Intent,
    request: &RequestId,
) -> Message {
    about(draft, intent, "asked", |lines| {
        if let Effect::RequestQuota {
            scope,
            code,
            desired,
            ..
        } = &intent.effect
        {
            lines.push(format!(
                "Asked for {desired} on {code} in {scope}: request {request}."
            ));
        }
        lines.extend(by_hand(draft, intent));
        lines.extend(cost(intent));
        lines.push(
            "It is followed until the applied value has changed; you will hear the outcome."
                .to_owned(),
        );
    })
}

/// The account's support plan takes nothing of what we would say in the case of a request.
pub(in crate::act::plan) fn no_plan(draft: &Draft<'_>, intent: &Intent, ask: &Ask) -> Message {
    about(draft, intent, "no support plan", |lines| {
        let account = &ask.scope.account;
        lines.push(format!(
            "Request {} for {} on {} is filed and followed. AWS decides on it without our numbers: the support plan of account {account} has no API.",
            ask.request, ask.desired, ask.code
        ));
        let case = ask.display.as_ref();
        let case = case.map_or_else(|| "its case".to_owned(), |it| format!("case {it}"));
        lines.push(format!(
            "To add them by hand, open {case} in the AWS console and paste what `explain {}` prints.",
            intent.id
        ));
        lines.push(
            "You hear this once. No case of ours is opened in this account; its plan is tried again once a day."
                .to_owned(),
        );
    })
}

/// Of what no alert led to: who wanted it, and why.
fn by_hand(draft: &Draft<'_>, intent: &Intent) -> Option<String> {
    let incident = draft.incident(&intent.incident)?;
    let Effect::RequestQuota { code, desired, .. } = &intent.effect else {
        return None;
    };
    let by = intent.approved_by.as_deref()?;
    let begins = format!("{by} asked for {desired} on {code}: ");
    let mut decisions = incident.decisions.iter().map(|it| &it.what);
    let decided = decisions.find(|it| it.starts_with(&begins))?;
    Some(format!("{decided}."))
}

/// What the room that is asked for would cost, where that is known.
fn cost(intent: &Intent) -> Option<String> {
    let (_, cost) = intent.reasons.iter().find_map(Reason::full_use)?;
    Some(format!("{cost}."))
}

/// Somebody else's request for the quota is open: theirs is followed, and what we would have said goes to people.
pub(in crate::act::plan) fn theirs(
    draft: &Draft<'_>,
    intent: &Intent,
    request: &RequestId,
    asked: Amount,
) -> Message {
    about(draft, intent, "asked by others", |lines| {
        if let Effect::RequestQuota {
            scope,
            code,
            desired,
            ..
        } = &intent.effect
        {
            lines.push(format!(
                "Somebody has asked for {asked} on {code} in {scope} already: request {request}."
            ));
            lines.push(format!(
                "We would ask for {desired}. Nothing was filed, and nothing is added to their case."
            ));
        }
        lines.extend(cost(intent));
        lines.push(
            "It is followed until the applied value has changed; you will hear the outcome."
                .to_owned(),
        );
        lines.push(format!(
            "For their case, the numbers are in `explain {}`.",
            intent.id
        ));
    })
}

/// AWS Support opened a case of ours.
pub(in crate::act::plan) fn case_opened(
    draft: &Draft<'_>,
    intent: &Intent,
    case: &CaseId,
) -> Message {
    about(draft, intent, "case opened", |lines| {
        lines.push(format!(
            "AWS Support opened {case}, found again by {}.",
            intent.marker()
        ));
        lines.extend(cost(intent));
        lines.push("It is followed until it is resolved.".to_owned());
    })
}

/// What an incident that people know of asks for by now.
pub(in crate::act::plan) fn proposed_later(
    draft: &Draft<'_>,
    intent: &Intent,
    expires: Timestamp,
) -> Message {
    about(draft, intent, "waits for you", |lines| {
        lines.push(format!("Proposed now: {}.", what_for(&intent.effect)));
        lines.extend(cost(intent));
        lines.push(format!(
            "`approve {}` lets it go, `reject {}` ends it; it expires at {}.",
            intent.id,
            intent.id,
            Minute::of(expires)
        ));
    })
}

/// What was to be filed by itself waits for a person now.
pub(in crate::act::plan) fn waits_for_word(
    draft: &Draft<'_>,
    intent: &Intent,
    expires: Timestamp,
) -> Message {
    about(draft, intent, "waits for you", |lines| {
        lines.push(format!(
            "{} was planned, and has not left: the mode is propose by now.",
            called(&intent.effect).0
        ));
        lines.push(format!(
            "`approve {}` lets it go, `reject {}` ends it; it expires at {}.",
            intent.id,
            intent.id,
            Minute::of(expires)
        ));
    })
}

/// A case whose value is there may be thanked for and closed, if a person says so.
pub(in crate::act::plan) fn may_end(draft: &Draft<'_>, intent: &Intent) -> Message {
    about(draft, intent, "may be closed", |lines| {
        if let Effect::EndCase { case, .. } = &intent.effect {
            lines.push(format!(
                "What case {case} asked for is there, and holds. It can be thanked for and closed."
            ));
        }
        lines.push(format!(
            "`approve {}` does both, `reject {}` leaves it as it is.",
            intent.id, intent.id
        ));
    })
}

/// A request or case was tried and not taken so far.
pub(in crate::act::plan) fn delayed(draft: &Draft<'_>, intent: &Intent, why: &str) -> Message {
    let (what, done) = called(&intent.effect);
    if let IntentState::Unknown { since, .. } = intent.state {
        return about(draft, intent, "in doubt", |lines| {
            lines.push(format!(
                "{what}: whether it was {done} at {} is not known: {why}.",
                Minute::of(since)
            ));
            lines.push(
                "It is looked for every few minutes, and not done again before a look says that it is not there. Look in the AWS console, too."
                    .to_owned(),
            );
        });
    }
    about(draft, intent, "not done yet", |lines| {
        lines.push(format!(
            "{what} has not been {done} since {}: {why}.",
            Minute::of(intent.created)
        ));
        lines.push("It is tried again by itself until it is taken or refused for good.".to_owned());
    })
}

/// A request or case was refused or given up.
pub(in crate::act::plan) fn not_carried_out(
    draft: &Draft<'_>,
    intent: &Intent,
    why: &str,
) -> Message {
    let (what, done) = called(&intent.effect);
    about(draft, intent, "not done", |lines| {
        lines.push(format!("{what} was not {done}: {why}."));
        match (&intent.effect, &intent.state) {
            (_, IntentState::Held { .. }) => {
                lines.push("It may have happened: look in the AWS console.".to_owned());
                lines.push(format!(
                    "Then `approve {}` tries once more, and `reject {}` settles it.",
                    intent.id, intent.id
                ));
            }
            (Effect::OpenCase { subject, .. }, _) => {
                lines.push(format!(
                    "To file it by hand, the text is in `explain {}`: {subject}",
                    intent.id
                ));
                if why.contains(NO_PLAN) {
                    lines.push(
                        "You hear this once. No other case is opened in this account; its plan is tried again once a day."
                            .to_owned(),
                    );
                }
            }
            (
                Effect::Notify { .. }
                | Effect::RequestQuota { .. }
                | Effect::Comment { .. }
                | Effect::EndCase { .. },
                _,
            ) => {
                lines.push(format!(
                    "The text that was to be sent is in `explain {}`.",
                    intent.id
                ));
            }
        }
        // As long as it is short, it is proposed again.
        let is_open = draft
            .incident(&intent.incident)
            .is_some_and(Incident::is_open);
        if why == UNANSWERED && intent.is_filing() && is_open {
            lines.push(next::to_be_proposed());
        }
    })
}

/// AWS waits for an answer in the case of a quota request.
pub(in crate::act::plan) fn aws_waits(draft: &Draft<'_>, ask: &Ask, since: Timestamp) -> Message {
    let number = ask
        .display
        .as_ref()
        .map_or("the case", |display| display.as_str());
    waiting(draft, &ask.incident, (&ask.scope, number), since)
}

/// AWS waits for an answer in a case of ours.
pub(in crate::act::plan) fn case_waits(
    draft: &Draft<'_>,
    it: &Investigation,
    since: Timestamp,
) -> Message {
    let number = it
        .display
        .as_ref()
        .map_or(it.case.as_str(), |display| display.as_str());
    waiting(draft, &it.incident, (&it.scope, number), since)
}

/// Another service of ours opened a case about the same: two watch the account.
pub(in crate::act::plan) fn second_case(
    draft: &Draft<'_>,
    it: &Investigation,
    other: &DisplayId,
    is_older: bool,
) -> Message {
    let own = it
        .display
        .as_ref()
        .map_or(it.case.as_str(), |it| it.as_str());
    let (kept, second) = if is_older {
        (other.as_str(), own)
    } else {
        (own, other.as_str())
    };
    let (account, id) = (&it.scope.account, &it.incident);
    let follows = if is_older {
        format!("This service follows case {own} no more.")
    } else {
        "This service goes on with it.".to_owned()
    };
    let mut lines = Lines::default();
    lines.push(format!(
        "Cases {kept} and {second} are about the same problem, and Bedrock Ops Alert opened both: two of its services watch account {account}, each with a ledger of its own."
    ));
    lines.push(format!(
        "Case {kept} is the older one and is kept. {follows}"
    ));
    lines.push(format!(
        "Close case {second}, and stop one of the two services: `status` on each host tells which ledger it has."
    ));
    lines.extend(address(draft, &it.scope, second));
    let lead = format!("[two cases] {kept} and {second}: ");
    told(draft, id, &lead, id.to_string(), lines)
}

/// A line with the address of a case, where there is one.
fn address(draft: &Draft<'_>, scope: &Scope, number: &str) -> Option<String> {
    draft.policy().places.case(&scope.region, number)
}

fn waiting(
    draft: &Draft<'_>,
    incident: &IncidentId,
    (scope, number): (&Scope, &str),
    since: Timestamp,
) -> Message {
    let hours = Minute::of(draft.now()).since(Minute::of(since)) / HOUR;
    let is_reminder = 0 < hours;
    let mut lines = Lines::default();
    let still = if is_reminder {
        let waits = format!(
            "AWS Support asked something in case {number} and has waited for an answer for {hours} hours, since {}.",
            Minute::of(since)
        );
        lines.push(waits);
        " (still)"
    } else {
        lines.push(format!(
            "AWS Support asked something in case {number} and waits for an answer."
        ));
        ""
    };
    lines.push("Until it is answered the case does not move.".to_owned());
    if is_reminder {
        lines.push(
            "AWS closes a case that nobody answers, and what it asks for with it.".to_owned(),
        );
    }
    lines.extend(address(draft, scope, number));
    let lead = format!("[aws waits for you] case {number}{still}: ");
    let message = told(draft, incident, &lead, incident.to_string(), lines);
    Message {
        is_reminder,
        ..message
    }
}

/// A quota request ended.
pub(in crate::act::plan) fn ended(draft: &Draft<'_>, ask: &Ask, end: &AskEnd) -> Message {
    let word = match end {
        AskEnd::Granted { .. } => "granted",
        AskEnd::PartlyGranted { .. } => "granted in part",
        AskEnd::Denied => "not granted",
    };
    let mut lines = Lines::default();
    lines.push(format!("{}.", end_sentence(ask, end)));
    lines.push(match end {
        AskEnd::Granted { .. } => "Thresholds follow the new value from now on.".to_owned(),
        AskEnd::PartlyGranted { .. } => {
            "Thresholds follow the new value from now on. It is asked again only on new evidence.".to_owned()
        }
        AskEnd::Denied => {
            "It is not asked again before the cool-down is over. Your account team can see the request.".to_owned()
        }
    });
    let lead = format!("[{word}] ");
    let without = ask.code.to_string();
    match end {
        // What was used of the old value says nothing any more.
        AskEnd::Granted { value } | AskEnd::PartlyGranted { value } => {
            let now = [format!("now {value}")];
            told_with(draft, &ask.incident, &lead, without, &now, lines)
        }
        AskEnd::Denied => told(draft, &ask.incident, &lead, without, lines),
    }
}

/// How a request ended, with the numbers; a sentence without its final stop.
pub(in crate::act::plan) fn end_sentence(ask: &Ask, end: &AskEnd) -> String {
    let asked = format!(
        "request {} for {} (asked {}, was {})",
        ask.request, ask.code, ask.desired, ask.before
    );
    match end {
        AskEnd::Granted { value } => format!("{asked}: the applied value is now {value}"),
        AskEnd::PartlyGranted { value } => {
            format!("{asked}: granted in part, the applied value is now {value}")
        }
        AskEnd::Denied => format!(
            "{asked}: {}, and the value did not change",
            ask.status.as_str()
        ),
    }
}

fn about(
    draft: &Draft<'_>,
    intent: &Intent,
    word: &str,
    write: impl FnOnce(&mut Lines),
) -> Message {
    let id = &intent.incident;
    let mut lines = Lines::default();
    write(&mut lines);
    told(draft, id, &format!("[{word}] "), id.to_string(), lines)
}

/// A message about an incident, which may be forgotten by now: then `without` stands for what it was about.
fn told(draft: &Draft<'_>, id: &IncidentId, lead: &str, without: String, lines: Lines) -> Message {
    let incident = draft.incident(id);
    let figures = incident.map_or_else(Vec::new, |it| figures(it, draft.now()));
    told_with(draft, id, lead, without, &figures, lines)
}

fn told_with(
    draft: &Draft<'_>,
    id: &IncidentId,
    lead: &str,
    without: String,
    figures: &[String],
    lines: Lines,
) -> Message {
    let (subject, first) = match draft.incident(id) {
        Some(incident) => (
            subject_of(lead, incident, "", figures),
            first_line(incident, "", figures),
        ),
        None => (subject(&format!("{lead}{without}")), format!("{without}.")),
    };
    Message {
        subject,
        body: lines.text(first, id),
        is_reminder: false,
    }
}
