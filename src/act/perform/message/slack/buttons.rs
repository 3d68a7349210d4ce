//! What can be pressed below an incident's message: who looks after it, and what becomes of its proposals.
//!
//! Buttons follow the book as it is when the message is sent or brought up to date. One that is pressed later than it holds
//! decides nothing: the order it becomes is checked as any other is.

use serde_json::{Value, json};

use super::{MOST_BLOCK, section, text};
use crate::model::{
    action::{Effect, Intent, IntentState},
    book::Book,
    ids::{ActionId, IncidentId},
    time::Timestamp,
};

/// Proposals below a message; more wait on the page.
const MOST_PROPOSALS: usize = 5;
/// Most characters of a button; Slack takes 75.
const MOST_LABEL: usize = 75;
/// Most characters of the question before a press counts; Slack takes 300, with entities.
const MOST_QUESTION: usize = 280;
/// How long a press snoozes.
pub(super) const SNOOZE_MINUTES: i64 = 4 * 60;

/// What a button does, by the first part of its `action_id`.
pub(super) const ACKNOWLEDGE: &str = "boa-ack";
pub(super) const SNOOZE: &str = "boa-snooze";
pub(super) const APPROVE: &str = "boa-approve";
pub(super) const REJECT: &str = "boa-reject";
pub(super) const STOP: &str = "boa-stop-writes";

/// What people may decide about an incident by pressing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    incident: IncidentId,
    /// Whether it goes on and nobody looks after it.
    is_unclaimed: bool,
    /// Whether AWS was, or is about to be, asked for something by itself: somebody may want to stop that.
    is_filed: bool,
    proposals: Vec<Proposal>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Proposal {
    action: ActionId,
    /// What would be done, as a sentence.
    what: String,
    /// What the room that is asked for would cost, where that is known.
    cost: Option<String>,
}

impl Offer {
    /// What stands to be decided about this incident.
    #[must_use]
    pub fn of(book: &Book, incident: &IncidentId, now: Timestamp) -> Self {
        let handling = book.handlings.get(incident);
        let is_claimed = handling.is_some_and(|it| it.acknowledged(now).is_some());
        let is_open = book.incidents.get(incident).is_some_and(|it| it.is_open());
        let mut waiting: Vec<&Intent> = book
            .intents
            .values()
            .filter(|it| it.incident == *incident)
            .filter(|it| matches!(it.state, IntentState::Proposed { .. }))
            .collect();
        waiting.sort_by_key(|it| it.order());
        let proposals = waiting.into_iter().take(MOST_PROPOSALS).map(|it| Proposal {
            action: it.id.clone(),
            what: what(book, it),
            cost: it
                .reasons
                .iter()
                .find_map(|it| it.full_use())
                .map(|(_, text)| text.to_owned()),
        });
        let mut own = book.intents.values().filter(|it| it.incident == *incident);
        Self {
            incident: incident.clone(),
            is_filed: is_open && own.any(|it| it.is_filing() && leaves(&it.state)),
            is_unclaimed: is_open && !is_claimed,
            proposals: proposals.collect(),
        }
    }

    /// The blocks, none where there is nothing to decide. An `action_id` is unique within its block.
    pub(super) fn blocks(&self) -> Vec<Value> {
        let mut blocks = Vec::new();
        for Proposal { action, what, cost } in &self.proposals {
            let what = text::line(what, MOST_QUESTION);
            let shown = match cost {
                Some(cost) => format!("{}. {cost}.", what.trim_end_matches(['.', ' '])),
                None => what.clone(),
            };
            let shown = text::for_slack(&shown, MOST_BLOCK);
            blocks.push(section(&format!("*Waits for approval:* {shown}")));
            let mut approve = button(APPROVE, action.as_str(), "Approve");
            ask_again(&mut approve, &what);
            let reject = button(REJECT, action.as_str(), "Reject");
            blocks.push(json!({ "type": "actions", "elements": [approve, reject] }));
        }
        let incident = self.incident.as_str();
        let mut elements = Vec::new();
        if self.is_unclaimed {
            let hours = SNOOZE_MINUTES / 60;
            elements.push(button(ACKNOWLEDGE, incident, "I look after it"));
            elements.push(button(SNOOZE, incident, &format!("Snooze {hours} h")));
        }
        if self.is_filed {
            elements.push(stop(incident));
        }
        if !elements.is_empty() {
            blocks.push(json!({ "type": "actions", "elements": elements }));
        }
        blocks
    }
}

/// Whether it left, or leaves without anybody's word.
const fn leaves(state: &IntentState) -> bool {
    match state {
        IntentState::Planned { .. }
        | IntentState::Sending { .. }
        | IntentState::Unknown { .. }
        | IntentState::Done { .. }
        | IntentState::Held { .. } => true,
        IntentState::Proposed { .. } | IntentState::Refused { .. } => false,
    }
}

/// Stops all writes at AWS, of every account: asked about once more.
fn stop(incident: &str) -> Value {
    let mut stop = button(STOP, incident, "Stop all writes");
    let question = "No quota request, case or comment leaves for AWS any more, whatever the account, until somebody says `resume-writes`. Messages go on.";
    confirm(
        &mut stop,
        ["Stop all writes at AWS?", question, "Stop them"],
    );
    stop["style"] = json!("danger");
    stop
}

fn button(action: &str, value: &str, label: &str) -> Value {
    json!({
        "type": "button",
        "action_id": action,
        "value": value,
        "text": { "type": "plain_text", "text": text::line(label, MOST_LABEL), "emoji": false },
    })
}

/// A press of it is asked about once more: what it does takes time of people at AWS, and may come to cost.
fn ask_again(button: &mut Value, question: &str) {
    confirm(button, ["Ask AWS for this?", question, "Approve"]);
    button["style"] = json!("primary");
}

fn confirm(button: &mut Value, [title, question, yes]: [&str; 3]) {
    let plain = |text: &str| json!({ "type": "plain_text", "text": text, "emoji": false });
    button["confirm"] = json!({
        "title": plain(title),
        "text": plain(question),
        "confirm": plain(yes),
        "deny": plain("Not now"),
    });
}

/// What would be done, as a sentence with its final stop.
fn what(book: &Book, intent: &Intent) -> String {
    match &intent.effect {
        Effect::RequestQuota {
            scope,
            code,
            desired,
            ..
        } => {
            let quota = book.quotas.get(&(scope.clone(), code.clone()));
            let from = quota
                .and_then(|it| it.applied.or(it.default))
                .map_or_else(String::new, |it| format!(" from {it}"));
            let name = quota.map_or("", |it| it.name.as_str());
            format!("raise {code}{from} to {desired} in {scope}. {name}")
        }
        Effect::OpenCase { scope, subject, .. } => {
            format!("open a support case in {}: {subject}.", scope.account)
        }
        Effect::Comment { scope, case, .. } => {
            format!("add to support case {case} in {}.", scope.account)
        }
        Effect::EndCase { scope, case, .. } => {
            format!(
                "say thanks in support case {case} in {}, and close it.",
                scope.account
            )
        }
        Effect::Notify { receiver, .. } => format!("tell {receiver}."),
    }
}

#[cfg(test)]
mod tests;
