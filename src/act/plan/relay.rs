//! Messages beyond those that a plan makes: who hears in the place of a receiver that can't be told.

use std::collections::BTreeSet;

use super::{
    draft::{Told, Wish},
    texts::Message,
};
use crate::model::{
    action::{Effect, Intent, IntentState},
    book::Book,
    ids::ActionId,
    policy::Policy,
    time::{DAY, Timestamp, after},
};

/// A message that is older tells nothing that is still new: a fallback that was configured since stays silent about it.
const MOST_AGE_MINUTES: i64 = DAY;

/// Messages to fallbacks that are due: the first receiver was not told for the configured time, has just refused (these
/// are in `refused`), or was given up.
#[must_use]
pub fn fallbacks(
    book: &Book,
    policy: &Policy,
    refused: &BTreeSet<ActionId>,
    now: Timestamp,
) -> Vec<Intent> {
    if policy.fallbacks.is_empty() {
        return Vec::new();
    }
    let mut planned: BTreeSet<ActionId> = BTreeSet::new();
    let untold = book.intents.values();
    let wishes = untold.filter_map(|intent| instead(policy, intent, refused, now));
    let fresh = wishes.filter_map(|wish| {
        let intent = wish.intent(now);
        let is_new = !book.intents.contains_key(&intent.id) && planned.insert(intent.id.clone());
        is_new.then_some(intent)
    });
    fresh.collect()
}

/// What the fallback of this message's receiver is to hear, once it is due.
fn instead(
    policy: &Policy,
    intent: &Intent,
    refused: &BTreeSet<ActionId>,
    now: Timestamp,
) -> Option<Wish> {
    let Effect::Notify {
        receiver,
        severity,
        subject,
        body,
        notice,
    } = &intent.effect
    else {
        return None;
    };
    let fallback = policy.fallbacks.get(receiver)?;
    let is_late = after(intent.created, fallback.after_minutes) <= now;
    let is_due = match &intent.state {
        IntentState::Done { .. } | IntentState::Proposed { .. } => false,
        // The one that stands for it has its own fallback.
        IntentState::Refused { .. } if intent.is_overtaken() => false,
        IntentState::Held { .. } | IntentState::Refused { .. } => true,
        IntentState::Planned { .. } | IntentState::Sending { .. } | IntentState::Unknown { .. } => {
            is_late || refused.contains(&intent.id)
        }
    };
    let notice = notice.as_deref()?; // one of an older release is older than any fallback
    let to = policy.receivers.get(&fallback.receiver)?;
    let is_new = now < after(intent.created, MOST_AGE_MINUTES);
    if !is_due || !is_new || !to.hears(notice.phase, *severity) {
        return None;
    }
    let why = intent.last_failure.as_deref().unwrap_or("no answer yet");
    let message = Message {
        subject: subject.clone(),
        body: format!(
            "{body}\nYou hear this in the place of {receiver}, which could not be told: {why}."
        ),
        is_reminder: false, // the notice says what it is
    };
    let told = Told {
        severity: *severity,
        message: &message,
        notice,
    };
    Some(told.to(&intent.incident, &fallback.receiver, now))
}
