//! What people hear of the desk: requests and cases taken, refused, waiting, ended.

use super::{Message, headline, subject};
use crate::{
    act::plan::draft::Draft,
    model::{
        action::{Effect, Intent, IntentState},
        desk::{Ask, AskEnd, Investigation},
        ids::{CaseId, DisplayId, IncidentId, RequestId, Scope},
        reason::Reason,
        time::Minute,
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
        lines.extend(cost(intent));
        lines.push(
            "It is followed until the applied value has changed; you will hear the outcome."
                .to_owned(),
        );
    })
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

/// A request or case was tried and not taken so far.
pub(in crate::act::plan) fn delayed(draft: &Draft<'_>, intent: &Intent, why: &str) -> Message {
    let what = intent.effect.name();
    if let IntentState::Unknown { since, .. } = intent.state {
        return about(draft, intent, "in doubt", |lines| {
            lines.push(format!(
                "Whether {what} was carried out at {} is not known: {why}.",
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
            "{what} has not been carried out since {}: {why}.",
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
    about(draft, intent, "not done", |lines| {
        lines.push(format!(
            "{} was not carried out: {why}.",
            intent.effect.name()
        ));
        match (&intent.effect, &intent.state) {
            (_, IntentState::Held { .. }) => {
                lines.push(
                    "It may have happened: look in the AWS console before you do it by hand."
                        .to_owned(),
                );
            }
            (Effect::OpenCase { subject, .. }, _) => {
                lines.push(format!(
                    "To file it by hand, the text is in `explain {}`: {subject}",
                    intent.id
                ));
            }
            (Effect::Notify { .. } | Effect::RequestQuota { .. } | Effect::Comment { .. }, _) => {
                lines.push(format!(
                    "The text that was to be sent is in `explain {}`.",
                    intent.id
                ));
            }
        }
    })
}

/// AWS waits for an answer in the case of a quota request.
pub(in crate::act::plan) fn aws_waits(draft: &Draft<'_>, ask: &Ask) -> Message {
    let number = ask
        .display
        .as_ref()
        .map_or("the case", |display| display.as_str());
    waiting(draft, ask.incident.clone(), &ask.scope, number)
}

/// AWS waits for an answer in a case of ours.
pub(in crate::act::plan) fn case_waits(draft: &Draft<'_>, it: &Investigation) -> Message {
    let number = it
        .display
        .as_ref()
        .map_or(it.case.as_str(), |display| display.as_str());
    waiting(draft, it.incident.clone(), &it.scope, number)
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
    let address = address(draft, &it.scope, second);
    let title = draft.incident(id).map_or_else(|| id.to_string(), headline);
    let follows = if is_older {
        format!("This service follows case {own} no more.")
    } else {
        "This service goes on with it.".to_owned()
    };
    Message {
        subject: subject(&format!("[two cases] {kept} and {second}: {title}")),
        body: format!(
            "Cases {kept} and {second} are about the same problem, and Bedrock Ops Alert opened both: two of its services watch account {account}, each with a ledger of its own.\nCase {kept} is the older one and is kept. {follows}\nClose case {second}, and stop one of the two services: `status` on each host tells which ledger it has.{address}\nIncident {id}: bedrock-ops-alert explain {id}"
        ),
    }
}

/// A line with the address of a case, where there is one.
fn address(draft: &Draft<'_>, scope: &Scope, number: &str) -> String {
    let places = &draft.policy().places;
    let known = places.case(&scope.region, number);
    known.map_or_else(String::new, |url| format!("\n{url}"))
}

fn waiting(draft: &Draft<'_>, incident: IncidentId, scope: &Scope, number: &str) -> Message {
    let address = address(draft, scope, number);
    let title = draft
        .incident(&incident)
        .map_or_else(|| incident.to_string(), headline);
    Message {
        subject: subject(&format!("[aws waits for you] case {number}: {title}")),
        body: format!(
            "AWS Support asked something in case {number} and waits for an answer.\nUntil it is answered the case does not move.{address}\nIncident {incident}: bedrock-ops-alert explain {incident}"
        ),
    }
}

/// A quota request ended.
pub(in crate::act::plan) fn ended(draft: &Draft<'_>, ask: &Ask, end: &AskEnd) -> Message {
    let word = match end {
        AskEnd::Granted { .. } => "granted",
        AskEnd::PartlyGranted { .. } => "granted in part",
        AskEnd::Denied => "not granted",
    };
    let title = draft
        .incident(&ask.incident)
        .map_or_else(|| ask.code.to_string(), headline);
    let mut lines = vec![format!("{}.", end_sentence(ask, end))];
    lines.push(match end {
        AskEnd::Granted { .. } => "Thresholds follow the new value from now on.".to_owned(),
        AskEnd::PartlyGranted { .. } => {
            "Thresholds follow the new value from now on. It is asked again only on new evidence.".to_owned()
        }
        AskEnd::Denied => {
            "It is not asked again before the cool-down is over. Your account team can see the request.".to_owned()
        }
    });
    lines.push(format!(
        "Incident {id}: bedrock-ops-alert explain {id}",
        id = ask.incident
    ));
    Message {
        subject: subject(&format!("[{word}] {title}")),
        body: lines.join("\n"),
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
    write: impl FnOnce(&mut Vec<String>),
) -> Message {
    let incident = draft.incident(&intent.incident);
    let title = incident.map_or_else(|| intent.incident.to_string(), headline);
    let mut lines = vec![format!("{title}.")];
    write(&mut lines);
    lines.push(format!(
        "Incident {id}: bedrock-ops-alert explain {id}",
        id = intent.incident
    ));
    Message {
        subject: subject(&format!("[{word}] {title}")),
        body: lines.join("\n"),
    }
}
