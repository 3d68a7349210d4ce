//! The service's own disk: people hear when there is little room on it, when the ledger lives on its reserve, and when there
//! is room again. One message a receiver and change, whatever restarts in between: what was told last is in the book.
//!
//! It is about no pool, so it goes to the routes that hear of all pools; where there are none, to all routes.

use std::collections::BTreeSet;

use super::{draft::Wish, texts};
use crate::model::{
    action::{Effect, Intent, IntentState},
    book::Book,
    ids::{IncidentId, ReceiverName},
    policy::Policy,
    receiver::Phase,
    room::{Bytes, FLOOR, RoomBounds, RoomSeen, RoomState, STEP},
    rule::Severity,
    time::Timestamp,
};

/// What people were told of last; nothing told is as good as enough room.
#[must_use]
pub fn disk_told(book: &Book, now: Timestamp) -> RoomState {
    told(book, now).0
}

/// What was told last, and to whom. What a clock dated ahead that has been set back since is not the last for ever: else the
/// same would be told each minute until then.
fn told(book: &Book, now: Timestamp) -> (RoomState, BTreeSet<&ReceiverName>) {
    let past = book.intents.values().filter(|it| it.created <= now);
    let told = past.filter_map(|it| {
        let (state, _) = it.step.strip_prefix(STEP)?.split_once('/')?;
        let mut states = RoomState::ALL.into_iter();
        let state = states.find(|it| it.name() == state)?;
        match &it.effect {
            Effect::Notify { receiver, .. } => Some((it.created, state, receiver)),
            Effect::RequestQuota { .. }
            | Effect::OpenCase { .. }
            | Effect::Comment { .. }
            | Effect::EndCase { .. } => None,
        }
    });
    let told: BTreeSet<_> = told.collect();
    let Some((last, state, _)) = told.last() else {
        return (RoomState::Ample, BTreeSet::new());
    };
    let to = told.iter().filter(|(at, _, _)| at == last);
    (*state, to.map(|(_, _, receiver)| *receiver).collect())
}

/// The messages about a change that was not told yet.
#[must_use]
pub fn disk(
    book: &Book,
    policy: &Policy,
    seen: &RoomSeen,
    bounds: RoomBounds,
    place: &str,
    now: Timestamp,
) -> Vec<Intent> {
    let state = seen.state;
    let (before, heard) = told(book, now);
    if state == before {
        return Vec::new();
    }
    let severity = match state {
        RoomState::Ample => Severity::Info,
        RoomState::Low => Severity::Warning,
        RoomState::Short => Severity::Critical,
    };
    let (subject, body) = words(seen, before, bounds, place);
    let wish = |receiver: &ReceiverName| Wish {
        incident: IncidentId::new(format!("disk-{now}")),
        step: format!("{STEP}{}/{receiver}", state.name()),
        effect: Effect::Notify {
            receiver: receiver.clone(),
            severity,
            subject: texts::subject(&subject),
            body: body.clone(),
            notice: None,
        },
        reasons: Vec::new(),
        state: IntentState::Planned { not_before: now },
    };
    let mut to = receivers(policy, severity);
    if state < before {
        to.extend(heard); // whoever heard the worst hears that it is over
    }
    let hears = |name: &&ReceiverName| {
        let receiver = policy.receivers.get(*name);
        receiver.is_some_and(|it| it.hears(Phase::Note, severity))
    };
    to.retain(hears);
    to.into_iter().map(|it| wish(it).intent(now)).collect()
}

/// Who hears of what is about no single pool: the routes that hear of all of them; where there are none, all routes.
pub(super) fn receivers(policy: &Policy, severity: Severity) -> BTreeSet<&ReceiverName> {
    let all = policy.routes.iter();
    let of_all: Vec<_> = all.clone().filter(|it| it.is_of_everything()).collect();
    let routes = if of_all.is_empty() {
        all.collect()
    } else {
        of_all
    };
    let to = routes.into_iter().filter(|it| it.least <= severity);
    to.map(|it| &it.receiver).collect()
}

fn words(seen: &RoomSeen, before: RoomState, bounds: RoomBounds, place: &str) -> (String, String) {
    let (figures, warn) = (seen.words(), Bytes(bounds.warn_below));
    let least = seen.room.history_free.unwrap_or(u64::MAX);
    let free = Bytes(seen.room.free.min(least));
    let so_far = if before == RoomState::Short {
        "The reserve is whole again, and what waited to be filed at AWS goes out now."
    } else {
        "All goes on as ever so far."
    };
    match seen.state {
        RoomState::Ample => (
            format!("[disk] room again: {free} free, all goes on"),
            format!(
                "There is room again on the disk of {place}: {figures}. Whatever waited to be filed at AWS goes out now."
            ),
        ),
        RoomState::Low => (
            format!("[disk] {free} free on the disk of Bedrock Ops Alert"),
            format!(
                "The disk of {place} has less than {warn} left (`store.warn_below`): {figures}.\n\
                 {so_far} Below {} the reserve is given back and nothing is filed at AWS any more; when that \
                 is used up, too, the service ends with exit code 74.\n\
                 Free space there or make the disk larger.",
                Bytes(FLOOR)
            ),
        ),
        RoomState::Short => (
            "[disk] full: alerts go on from a reserve, nothing is filed at AWS".to_owned(),
            format!(
                "The disk of {place} is full: {figures}.\n\
                 Messages go on as long as the reserve lasts; nothing is filed at AWS meanwhile, and after that the service \
                 ends with exit code 74. Nothing that was decided is lost.\n\
                 Free space there or make the disk larger: all goes on by itself within a minute of that. A disk that is too \
                 small for the reserve takes a smaller `store.reserve`."
            ),
        ),
    }
}
