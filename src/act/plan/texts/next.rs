//! What happens next by itself, and what a person can do. What is open at AWS comes first, and nothing is promised that the
//! planner has refused.

use super::what_for;
use crate::{
    act::plan::{again, case, draft::Draft},
    model::{
        action::{Effect, Intent, IntentState},
        desk::{APPLY_WAIT_MINUTES, Ask, Investigation},
        incident::{Cause, Incident},
        policy::Mode,
        reason::Reason,
        rule::Remedy,
        time::{Minute, after},
    },
};

/// What is said before it is known what comes of it; [`Outcome::said_in`] knows better, by the end of the plan.
const TO_BE_PROPOSED: &str =
    "What to ask AWS for is proposed to you if demand, budget and AWS's limits allow it.";
const TO_BE_ASKED: &str =
    "A quota increase is asked for if demand, budget and AWS's limits allow it.";
const TO_BE_OPENED: &str = "A support case is opened if the budget and the support plan allow it.";
/// Things at AWS that are told in full.
const MOST_OPEN: usize = 2;

/// The line about it.
pub(super) fn step(draft: &Draft<'_>, incident: &Incident) -> String {
    let open = open_at_aws(draft, incident);
    let more = if let Some(stop) = draft.inputs.stop {
        Some(format!("Nothing is filed: {stop}."))
    } else if open.is_some() {
        waiting(draft, incident)
    } else {
        Some(alone(draft, incident))
    };
    let said: Vec<String> = open.into_iter().chain(more).collect();
    said.join(" ")
}

/// What is open at AWS for what is over.
pub(super) fn open_work(draft: &Draft<'_>, incident: &Incident) -> String {
    let open = open_at_aws(draft, incident);
    open.unwrap_or_else(|| "Nothing is open at AWS for it.".to_owned())
}

/// The line where nothing is open at AWS.
fn alone(draft: &Draft<'_>, incident: &Incident) -> String {
    let files = incident.remedy > Remedy::Notify && draft.policy().mode != Mode::Observe;
    if let Some(code) = case::day_used_up(incident).filter(|_| files) {
        return format!(
            "No case is opened to ask why: the tokens of the day are used up ({code})."
        );
    }
    let text = match (incident.remedy, draft.policy().mode) {
        (Remedy::Notify, _) => "Nothing is filed for this.",
        (_, Mode::Observe) => "Mode is observe: nothing is filed.",
        (_, Mode::Propose) => {
            if let Some(waits) = waiting(draft, incident) {
                return waits;
            }
            if draft.handling(&incident.id).rejected.is_some() {
                "What was proposed was rejected: nothing more is proposed unless it gets worse."
            } else {
                TO_BE_PROPOSED
            }
        }
        (Remedy::RequestQuota, Mode::File) if matches!(incident.cause, Cause::Quota { .. }) => {
            TO_BE_ASKED
        }
        (Remedy::RequestQuota | Remedy::Investigate, Mode::File) => TO_BE_OPENED,
    };
    text.to_owned()
}

/// That something is proposed, if it is; by the end of the plan.
pub(super) fn to_be_proposed() -> String {
    TO_BE_PROPOSED.to_owned()
}

/// What waits for a person, and what that room would cost; the first of it in full, in one line.
fn waiting(draft: &Draft<'_>, incident: &Incident) -> Option<String> {
    let of_incident = draft.intents().filter(|it| it.incident == incident.id);
    let waiting = of_incident.filter(|it| matches!(it.state, IntentState::Proposed { .. }));
    let waiting: Vec<&Intent> = waiting.collect();
    let (first, others) = waiting.split_first()?;
    let what = format!("{}, `approve {}`", what_for(&first.effect), first.id);
    let more = match others.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let cost = waiting.iter().flat_map(|it| &it.reasons);
    let cost = cost.filter_map(Reason::full_use).next();
    let cost = cost.map_or_else(String::new, |(_, text)| format!(" {text}."));
    Some(format!("Waits for your approval: {what}{more}.{cost}"))
}

/// What became of an incident in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::act::plan) struct Outcome {
    text: String,
    /// Whether it is that nothing is asked.
    pub(in crate::act::plan) is_refusal: bool,
}

impl Outcome {
    /// The text of a message with this in the place of a promise; `None` where it has none.
    pub(in crate::act::plan) fn said_in(&self, body: &str) -> Option<String> {
        let promises = [TO_BE_PROPOSED, TO_BE_ASKED, TO_BE_OPENED];
        let promise = promises.into_iter().find(|it| body.contains(it))?;
        Some(body.replace(promise, &self.text))
    }
}

/// What comes of it, as far as this plan and those before it decided.
pub(in crate::act::plan) fn outcome(draft: &Draft<'_>, incident: &Incident) -> Option<Outcome> {
    let decided = || waiting(draft, incident).or_else(|| planned(draft, incident));
    if let Some(text) = decided() {
        let is_refusal = false;
        return Some(Outcome { text, is_refusal });
    }
    let text = draft.refusal(incident)?;
    let is_refusal = true;
    Some(Outcome { text, is_refusal })
}

/// What goes out now.
fn planned(draft: &Draft<'_>, incident: &Incident) -> Option<String> {
    let mut filings = draft
        .intents()
        .filter(|it| it.is_filing() && it.incident == incident.id && it.created == draft.now());
    let new = filings.find(|it| matches!(it.state, IntentState::Planned { .. }))?;
    match &new.effect {
        Effect::RequestQuota { code, desired, .. } => {
            Some(format!("AWS is asked for {desired} on {code} now."))
        }
        Effect::OpenCase { .. } => Some("A support case is opened now.".to_owned()),
        Effect::Notify { .. } | Effect::Comment { .. } | Effect::EndCase { .. } => None,
    }
}

/// Whether a message promises what may be proposed.
pub(in crate::act::plan) fn has_place_for_proposal(body: &str) -> bool {
    body.contains(TO_BE_PROPOSED)
}

/// What is open at AWS about the same: requests and cases, and what has not got there; `None` where nothing is.
fn open_at_aws(draft: &Draft<'_>, incident: &Incident) -> Option<String> {
    let asks = draft.asks().filter(|it| {
        let same_quota = matches!(&incident.cause, Cause::Quota { scope, code }
            if *scope == it.scope && *code == it.code);
        it.end.is_none() && (same_quota || it.incident == incident.id)
    });
    let cases = draft.investigations().filter(|it| {
        let other = draft.incident(&it.incident);
        let same_cause = other.is_some_and(|other| other.cause == incident.cause);
        it.ended.is_none() && (same_cause || it.incident == incident.id)
    });
    // What is decided now is told as that.
    let filings = draft
        .intents()
        .filter(|it| it.is_filing() && it.incident == incident.id && it.created < draft.now());
    let mut open: Vec<String> = asks.map(|it| of_ask(draft, it)).collect();
    open.extend(cases.map(of_case));
    open.extend(filings.filter_map(|it| of_filing(draft, it)));
    let more = match open.len().saturating_sub(MOST_OPEN) {
        0 => None,
        more => Some(format!("And {more} more, see `explain {}`.", incident.id)),
    };
    open.truncate(MOST_OPEN);
    open.extend(more);
    (!open.is_empty()).then(|| open.join(" "))
}

fn of_ask(draft: &Draft<'_>, ask: &Ask) -> String {
    let intent = draft.book().intents.get(&ask.action);
    let is_theirs = intent.is_some_and(|it| {
        matches!(
            it.state,
            IntentState::Done {
                theirs: Some(_),
                ..
            }
        )
    });
    let whose = if is_theirs {
        "Somebody else's request"
    } else {
        "Request"
    };
    let what = format!(
        "{whose} {} for {} on {}",
        ask.request, ask.desired, ask.code
    );
    let number = ask.display.as_ref().map(|it| it.as_str());
    if let Some(closed) = ask.closed {
        return format!(
            "{what} was closed by AWS at {}, and the value has not changed yet: it is awaited until {}.",
            Minute::of(closed),
            Minute::of(after(closed, APPLY_WAIT_MINUTES))
        );
    }
    let since = Minute::of(ask.filed);
    let known = number.map_or_else(String::new, |it| format!(", case {it}"));
    followed(
        &format!("{what} is open at AWS since {since}{known}"),
        ask.told_waiting,
    )
}

fn of_case(it: &Investigation) -> String {
    let known = it.display.as_ref().map(|it| it.as_str());
    let number = known.unwrap_or(it.case.as_str());
    let since = Minute::of(it.opened);
    followed(
        &format!("Support case {number} is open since {since}"),
        it.told_waiting,
    )
}

fn followed(what: &str, awaits_us: bool) -> String {
    if awaits_us {
        format!("{what}: AWS waits for your answer there, and does nothing before.")
    } else {
        format!("{what}: you hear the outcome.")
    }
}

fn of_filing(draft: &Draft<'_>, it: &Intent) -> Option<String> {
    let decided = format!(
        "Decided at {}: {}",
        Minute::of(it.created),
        what_for(&it.effect)
    );
    Some(match &it.state {
        IntentState::Planned { .. } => {
            if let Some(until) = again::rests(draft, it) {
                let until = Minute::of(until);
                return Some(format!(
                    "{decided}. It has not left, and is taken back unless this comes back before {until}."
                ));
            }
            match &it.last_failure {
                Some(why) => {
                    let why = why.trim_end_matches('.');
                    format!("{decided}. AWS has not taken it yet: {why}.")
                }
                None => format!("{decided}. It has not left yet."),
            }
        }
        IntentState::Sending { .. } | IntentState::Unknown { .. } => {
            format!("{decided}. Whether AWS has it is not known yet: it is looked for.")
        }
        IntentState::Held { .. } => format!(
            "{decided}. It was given up, and may be open at AWS: see `explain {}`.",
            it.id
        ),
        IntentState::Proposed { .. } | IntentState::Done { .. } | IntentState::Refused { .. } => {
            return None;
        }
    })
}
