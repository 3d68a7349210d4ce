//! Who could be told what: how each receiver is doing, and the messages that nobody took.

use std::collections::BTreeMap;

use super::View;
use crate::model::{
    action::{Effect, Intent, IntentState},
    ids::{IncidentId, ReceiverName},
    time::Timestamp,
};

/// Messages that are told of one by one.
const MOST_UNHEARD: usize = 3;

/// What a receiver has not taken.
#[derive(Clone, Debug, Default)]
pub(in crate::web) struct Untold {
    /// Messages that wait, whether they were tried or not.
    pub(in crate::web) waiting: usize,
    /// Messages of the last day that were given up.
    pub(in crate::web) given_up: usize,
    /// Since when the oldest of those that failed waits, and why.
    failing: Option<(Timestamp, String)>,
}

impl View<'_> {
    /// Every receiver of the configuration, and what it has not taken.
    pub(in crate::web) fn untold(&self) -> BTreeMap<ReceiverName, Untold> {
        let names = self.settings.policy.receivers.keys();
        let mut untold: BTreeMap<ReceiverName, Untold> = names
            .map(|name| (name.clone(), Untold::default()))
            .collect();
        for (intent, receiver) in self.messages() {
            let Some(own) = untold.get_mut(receiver) else {
                continue;
            };
            match &intent.state {
                IntentState::Done { .. } => {}
                IntentState::Held { at, .. } | IntentState::Refused { at, .. } => {
                    own.given_up += usize::from(self.is_recent(Some(*at)));
                }
                IntentState::Proposed { .. }
                | IntentState::Planned { .. }
                | IntentState::Sending { .. }
                | IntentState::Unknown { .. } => {
                    own.waiting += 1;
                    let why = intent.last_failure.clone();
                    let earlier = own.failing.as_ref().map(|(at, _)| *at);
                    if let Some(why) = why
                        && earlier.is_none_or(|at| intent.created < at)
                    {
                        own.failing = Some((intent.created, why));
                    }
                }
            }
        }
        untold
    }

    /// The messages that no receiver took although it was tried, one intent each, oldest first.
    pub(in crate::web) fn unheard(&self) -> Vec<&Intent> {
        let mut failed: BTreeMap<(&IncidentId, u32), Option<&Intent>> = BTreeMap::new();
        for (intent, _) in self.messages() {
            let (_, number, _) = intent.order();
            let entry = failed.entry((&intent.incident, number));
            match &intent.state {
                IntentState::Done { .. } => {
                    entry.insert_entry(None);
                }
                IntentState::Held { at, .. } | IntentState::Refused { at, .. }
                    if !self.is_recent(Some(*at)) => {}
                IntentState::Proposed { .. }
                | IntentState::Planned { .. }
                | IntentState::Sending { .. }
                | IntentState::Unknown { .. }
                | IntentState::Held { .. }
                | IntentState::Refused { .. } => {
                    if intent.last_failure.is_some() {
                        entry.or_insert(Some(intent));
                    }
                }
            }
        }
        let mut unheard: Vec<&Intent> = failed.into_values().flatten().collect();
        unheard.sort_by_key(|it| it.order());
        unheard
    }

    fn messages(&self) -> impl Iterator<Item = (&Intent, &ReceiverName)> {
        let intents = self.book.intents.values();
        // What a later message stands for is told with that.
        let intents = intents.filter(|it| !it.is_overtaken());
        intents.filter_map(|intent| match &intent.effect {
            Effect::Notify { receiver, .. } => Some((intent, receiver)),
            Effect::RequestQuota { .. }
            | Effect::OpenCase { .. }
            | Effect::Comment { .. }
            | Effect::EndCase { .. } => None,
        })
    }

    /// What people should know of it.
    pub(super) fn told_notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        let unheard = self.unheard();
        for intent in unheard.iter().take(MOST_UNHEARD) {
            let why = intent.last_failure.as_deref().unwrap_or_default();
            if let Effect::Notify { subject, .. } = &intent.effect {
                let incident = &intent.incident;
                notices.push(format!(
                    "a message has reached nobody so far: {subject} ({incident}): {why}"
                ));
            }
        }
        let more = unheard.len().saturating_sub(MOST_UNHEARD);
        if 0 < more {
            notices.push(format!("{more} more messages have reached nobody so far"));
        }
        let policy = &self.settings.policy;
        for (name, untold) in self.untold() {
            if let Some((since, why)) = &untold.failing {
                let instead = policy.fallbacks.get(&name).map(|it| &it.receiver);
                let instead =
                    instead.map_or_else(String::new, |it| format!("; {it} hears instead"));
                notices.push(format!(
                    "receiver {name} has not taken {} since {}{instead}: {why}",
                    count(untold.waiting),
                    since.strftime("%Y-%m-%d %H:%M UTC")
                ));
            }
            if let Some(why) = self.health.unheard_buttons.get(&name) {
                notices.push(format!(
                    "buttons at receiver {name} decide nothing for now: {why}"
                ));
            }
            if let Some(why) = self.health.unrepeated.get(&name) {
                notices.push(format!(
                    "receiver {name} could not be told again what is open: {why}"
                ));
            }
        }
        notices
    }
}

fn count(messages: usize) -> String {
    match messages {
        1 => "a message".to_owned(),
        more => format!("{more} messages"),
    }
}
