//! Every text that a person reads, on call or at AWS Support: the same reasons, in two voices.
//!
//! Nothing is claimed that no number or configured sentence stands behind. Plain text only: Support shows no markup.

mod support;

pub(super) use support::{investigation, marked, recovery, request_context};

use super::{draft::Draft, group::reasons};
use crate::model::{
    action::{Effect, Intent, IntentState},
    desk::{Ask, AskEnd, Investigation},
    ids::{CaseId, RequestId},
    incident::{Cause, Incident},
    policy::Mode,
    rule::{Remedy, Severity},
    time::{Minute, Timestamp},
    units::{Amount, grouped},
};

/// What is said in one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One printable ASCII line, at most 99 characters: enough to decide whether to get up.
    pub subject: String,
    /// At most twelve lines or so.
    pub body: String,
}

/// Reasons shown in a message; the rest is in `explain`, and said so.
const MOST_REASONS: usize = 4;

/// The first message of an incident.
pub(super) fn opened(draft: &Draft<'_>, incident: &Incident) -> Message {
    message(
        incident,
        incident.severity.name(),
        &headline(incident),
        |lines| {
            lines.push(format!(
                "Since {}, {}.",
                incident.began,
                lasting(incident, draft.now())
            ));
            push_reasons(draft, incident, lines);
            if 0.0 < incident.lost {
                lines.push(format!(
                    "Throttled so far: {} requests.",
                    grouped(incident.lost)
                ));
            }
            push_runbook(draft, incident, lines);
            lines.push(next_step(draft, incident));
        },
    )
}

/// The incident became worse while open.
pub(super) fn raised(draft: &Draft<'_>, incident: &Incident, before: Severity) -> Message {
    let what = format!("{} (was {})", headline(incident), before.name());
    message(incident, incident.severity.name(), &what, |lines| {
        lines.push(format!(
            "Since {}, {}.",
            incident.began,
            lasting(incident, draft.now())
        ));
        push_reasons(draft, incident, lines);
        lines.push(format!(
            "Throttled so far: {} requests.",
            grouped(incident.lost)
        ));
        lines.push(next_step(draft, incident));
    })
}

/// The incident is over.
pub(super) fn resolved(draft: &Draft<'_>, incident: &Incident) -> Message {
    let ended = incident.resolved.unwrap_or(draft.now());
    message(incident, "resolved", &headline(incident), |lines| {
        let minutes = incident.last_bad.since(incident.began) + 1;
        lines.push(format!(
            "Bad from {} to {}, {minutes} minutes.",
            incident.began, incident.last_bad
        ));
        lines.push(format!("Throttled requests: {}.", grouped(incident.lost)));
        lines.push(format!("Judged over at {}.", clock(ended)));
        lines.push(open_work(draft, incident));
    })
}

/// The incident was over before anybody could judge it.
pub(super) fn past(draft: &Draft<'_>, incident: &Incident) -> Message {
    message(incident, "was", &headline(incident), |lines| {
        lines.push(format!(
            "From {} to {}, over by now.",
            incident.began, incident.last_bad
        ));
        push_reasons(draft, incident, lines);
        lines.push(
            "It came and went while these minutes were not being judged: nothing was filed."
                .to_owned(),
        );
    })
}

/// AWS took a quota request.
pub(super) fn asked(draft: &Draft<'_>, intent: &Intent, request: &RequestId) -> Message {
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
        lines.push(
            "It is followed until the applied value has changed; you will hear the outcome."
                .to_owned(),
        );
    })
}

/// Somebody else's request for the quota is open: theirs is followed, and what we would have said goes to people.
pub(super) fn theirs(
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
pub(super) fn case_opened(draft: &Draft<'_>, intent: &Intent, case: &CaseId) -> Message {
    about(draft, intent, "case opened", |lines| {
        lines.push(format!(
            "AWS Support opened {case}, found again by {}.",
            intent.marker()
        ));
        lines.push("It is followed until it is resolved.".to_owned());
    })
}

/// A request or case was refused or given up.
pub(super) fn not_carried_out(draft: &Draft<'_>, intent: &Intent, why: &str) -> Message {
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
pub(super) fn aws_waits(draft: &Draft<'_>, ask: &Ask) -> Message {
    let number = ask
        .display
        .as_ref()
        .map_or("the case", |display| display.as_str());
    waiting(draft, ask.incident.clone(), number)
}

/// AWS waits for an answer in a case of ours.
pub(super) fn case_waits(draft: &Draft<'_>, it: &Investigation) -> Message {
    let number = it
        .display
        .as_ref()
        .map_or(it.case.as_str(), |display| display.as_str());
    waiting(draft, it.incident.clone(), number)
}

fn waiting(draft: &Draft<'_>, incident: crate::model::ids::IncidentId, number: &str) -> Message {
    let title = draft
        .incident(&incident)
        .map_or_else(|| incident.to_string(), headline);
    Message {
        subject: subject(&format!("[aws waits for you] case {number}: {title}")),
        body: format!(
            "AWS Support asked something in case {number} and waits for an answer.\nUntil it is answered the case does not move.\nhttps://support.console.aws.amazon.com/support/home#/case/?displayId={number}\nIncident {incident}: bedrock-ops-alert explain {incident}"
        ),
    }
}

/// A quota request ended.
pub(super) fn ended(draft: &Draft<'_>, ask: &Ask, end: &AskEnd) -> Message {
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
pub(super) fn end_sentence(ask: &Ask, end: &AskEnd) -> String {
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

/// What the incident is about, in few words and ASCII.
#[must_use]
pub fn headline(incident: &Incident) -> String {
    let pool = incident.pools.iter().next();
    let model = pool.map_or("", |pool| pool.model.as_str());
    let more = incident.pools.len().saturating_sub(1);
    let more = if more == 0 {
        String::new()
    } else {
        format!(" +{more}")
    };
    match &incident.cause {
        Cause::Quota { scope, code } => {
            let kind = incident
                .kind
                .map_or("quota", |kind| kind.name())
                .to_uppercase();
            let family = pool.map_or("", |pool| pool.family.name());
            format!(
                "{kind} quota {code}, {family} {model}{more}, {} {}",
                scope.region, scope.account
            )
        }
        Cause::Pool { pool, category } => format!(
            "{}, {} {}, {} {}",
            category.name(),
            pool.family,
            pool.model,
            pool.scope.region,
            pool.scope.account
        ),
    }
}

fn message(
    incident: &Incident,
    word: &str,
    title: &str,
    write: impl FnOnce(&mut Vec<String>),
) -> Message {
    let mut lines = vec![format!("{title}.")];
    write(&mut lines);
    lines.push(format!(
        "Incident {id}: bedrock-ops-alert explain {id}",
        id = incident.id
    ));
    Message {
        subject: subject(&format!("[{word}] {title}")),
        body: lines.join("\n"),
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

fn push_reasons(draft: &Draft<'_>, incident: &Incident, lines: &mut Vec<String>) {
    let reasons = reasons(draft, incident);
    lines.extend(
        reasons
            .iter()
            .take(MOST_REASONS)
            .map(|reason| format!("- {reason}")),
    );
    if let Some(more) = reasons
        .len()
        .checked_sub(MOST_REASONS)
        .filter(|more| 0 < *more)
    {
        lines.push(format!("- and {more} more, see explain"));
    }
}

fn push_runbook(draft: &Draft<'_>, incident: &Incident, lines: &mut Vec<String>) {
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
        lines.push(verdict.runbook.clone());
    }
}

/// What happens next by itself, and what a person can do.
fn next_step(draft: &Draft<'_>, incident: &Incident) -> String {
    match (incident.remedy, draft.policy().mode) {
        (Remedy::Notify, _) => "Nothing is filed for this.".to_owned(),
        (_, Mode::Observe) => "Mode is observe: nothing is filed.".to_owned(),
        (_, Mode::Propose) => {
            "A proposal waits for your approval, see the page or `status`.".to_owned()
        }
        (Remedy::RequestQuota, Mode::File) if matches!(incident.cause, Cause::Quota { .. }) => {
            "A quota increase is asked for if demand, budget and AWS's limits allow it.".to_owned()
        }
        (Remedy::RequestQuota | Remedy::Investigate, Mode::File) => {
            "A support case is opened if the budget and the support plan allow it.".to_owned()
        }
    }
}

fn open_work(draft: &Draft<'_>, incident: &Incident) -> String {
    let open = draft
        .asks()
        .find(|ask| ask.incident == incident.id && ask.end.is_none());
    open.map_or_else(
        || "Nothing is open at AWS for it.".to_owned(),
        |ask| {
            format!(
                "Request {} for {} is still open and is followed.",
                ask.request, ask.desired
            )
        },
    )
}

fn lasting(incident: &Incident, now: Timestamp) -> String {
    match Minute::of(now).since(incident.began) {
        minutes if minutes <= 1 => "just now".to_owned(),
        minutes if minutes < 120 => format!("for {minutes} minutes"),
        minutes => format!("for {} hours", minutes / 60),
    }
}

fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Printable ASCII, one line, at most 99 characters, not ending in a space: what SNS takes as a subject.
fn subject(text: &str) -> String {
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
