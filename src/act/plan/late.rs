//! Messages that nobody could be told for a long time: of each incident the newest says how it stands, and the ones before it
//! are taken back. Whoever is told at last reads what is open and what came and went, and no alarm that is over.
//!
//! It also bounds what waits: a row or two an incident and receiver, and so many in all.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    action::{Effect, Intent, IntentState, OVERTAKEN, TOO_MANY},
    book::Book,
    ids::{IncidentId, ReceiverName},
    policy::Policy,
    receiver::{Flag, Notice, Phase},
    time::{Timestamp, after},
};

/// A message that waits for so long is late. The one that stands for it has waited for a while, too: until it is late by the
/// measure of the heartbeat, the older one is what withholds that.
const LATE_MINUTES: i64 = 60;
const STANDS_MINUTES: i64 = 30;
/// Messages that wait for one receiver; of more, the oldest about what is over are given up.
const MOST_WAITING: usize = 1_000;

/// What is taken back now; nothing that a fallback may still be told in its place.
#[must_use]
pub fn overtaken(book: &Book, policy: &Policy, now: Timestamp) -> Vec<Intent> {
    let stands = after(now, -STANDS_MINUTES);
    let mut waiting: BTreeMap<&ReceiverName, BTreeMap<&IncidentId, Vec<Waiting<'_>>>> =
        BTreeMap::new();
    for intent in book.intents.values() {
        let Some(it) = Waiting::of(intent) else {
            continue;
        };
        let of_receiver = waiting.entry(it.receiver).or_default();
        of_receiver.entry(&intent.incident).or_default().push(it);
    }
    let mut gone = Vec::new();
    for (receiver, of_receiver) in waiting {
        let fallback = policy.fallbacks.get(receiver);
        let patience = fallback.map_or(0, |it| it.after_minutes);
        let late = after(now, -LATE_MINUTES.max(patience));
        let mut left = Vec::new();
        for mut all in of_receiver.into_values() {
            all.sort_by_key(|it| it.intent.order());
            let newest = all
                .iter()
                .rposition(|it| it.says_all() && it.intent.created <= stands);
            let newest = newest.unwrap_or(0); // none stands for any other
            for (number, it) in all.into_iter().enumerate() {
                if number < newest && it.intent.created <= late && it.may_go() {
                    gone.push(it.intent.refused(OVERTAKEN, now));
                } else {
                    left.push(it);
                }
            }
        }
        let more = left.len().saturating_sub(MOST_WAITING);
        if 0 < more {
            let is_open = |it: &Waiting<'_>| {
                let incident = book.incidents.get(&it.intent.incident);
                incident.is_some_and(|it| it.is_open())
            };
            left.sort_by_key(|it| (is_open(it), it.intent.order()));
            let oldest = left.iter().filter(|it| it.may_go()).take(more);
            gone.extend(oldest.map(|it| it.intent.refused(TOO_MANY, now)));
        }
    }
    gone
}

/// A message about an incident that waits for its receiver.
struct Waiting<'a> {
    intent: &'a Intent,
    receiver: &'a ReceiverName,
    notice: &'a Notice,
}

impl<'a> Waiting<'a> {
    fn of(intent: &'a Intent) -> Option<Self> {
        match (&intent.effect, intent.state.is_final()) {
            (
                Effect::Notify {
                    receiver,
                    notice: Some(notice),
                    ..
                },
                false,
            ) => Some(Self {
                intent,
                receiver,
                notice,
            }),
            _ => None,
        }
    }

    /// Whether whoever reads it knows how the incident stands.
    fn says_all(&self) -> bool {
        match self.notice.phase {
            Phase::Opened | Phase::Updated | Phase::Resolved | Phase::Past => true,
            Phase::Acknowledged | Phase::Note => false,
        }
    }

    /// Whether nothing is lost with it: what is being sent, and what asks for a word, stays.
    fn may_go(&self) -> bool {
        let asks: BTreeSet<Flag> = [Flag::Proposal, Flag::Test, Flag::Drill].into();
        matches!(self.intent.state, IntentState::Planned { .. })
            && self.notice.phase != Phase::Note
            && self.notice.flags.is_disjoint(&asks)
    }
}
