//! What is old enough to be forgotten: incidents that ended long ago, with all that was decided and said about them.
//!
//! What may not go, however old: what is open or not settled, what AWS still answers about, and the last incident of each
//! cause, since the number of the next one follows from it, and with that the marker by which its case is found.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    action::Intent,
    book::{Book, Key, Record},
    ids::IncidentId,
    time::{DAY, Timestamp, after},
};

/// As long as the record of where requests ran: a year, and what one looks back from it.
const KEPT_DAYS: i64 = 400;
/// So many intents are more than a person reads; beyond them the oldest go earlier.
const MOST_INTENTS: usize = 10_000;
/// But never these: budgets of a month, the look back at the last one, and every cool-down lie within.
const SURE_DAYS: i64 = 92;
/// Of so many records no more go at once, to bound a commit.
const MOST_AT_ONCE: usize = 1_000;

/// What goes together.
struct Old {
    /// When the last of it was over.
    over: Timestamp,
    intents: usize,
    keys: Vec<Key>,
}

/// The removal of what has outlived its use, oldest first; the rest of it next time.
#[must_use]
pub fn outlived(book: &Book, now: Timestamp) -> Vec<Record> {
    let mut all = old(book);
    all.sort_by_key(|it| it.over);
    let (kept, sure) = (after(now, -KEPT_DAYS * DAY), after(now, -SURE_DAYS * DAY));
    let mut left = book.intents.len();
    let mut gone = Vec::new();
    for it in all {
        let is_over = it.over < kept || (it.over < sure && MOST_INTENTS < left);
        if !is_over || MOST_AT_ONCE <= gone.len() {
            break;
        }
        left -= it.intents;
        gone.extend(it.keys.into_iter().map(Record::Remove));
    }
    gone
}

fn old(book: &Book) -> Vec<Old> {
    let mut about: BTreeMap<&IncidentId, Vec<&Intent>> = BTreeMap::new();
    for intent in book.intents.values() {
        about.entry(&intent.incident).or_default().push(intent);
    }
    let last = last_of_each_cause(book);
    let awaited = awaited(book);
    let of_incidents = book.incidents.values().filter_map(|incident| {
        let id = &incident.id;
        let ended = incident.resolved?;
        let intents = about.get(id).map_or(&[][..], Vec::as_slice);
        let is_done = intents.iter().all(|it| it.state.is_final());
        let may_go = is_done && !last.contains(id) && !awaited.contains(id);
        may_go.then(|| {
            let own = [Key::Incident(id.clone()), Key::Handling(id.clone())];
            let keys = own.into_iter().chain(intents.iter().map(|it| key(it)));
            Old {
                over: latest(ended, intents),
                intents: intents.len(),
                keys: keys.collect(),
            }
        })
    });
    // Digests and the like are about no incident.
    let others = about
        .iter()
        .filter(|(id, _)| !book.incidents.contains_key(**id));
    let others = others
        .flat_map(|(_, intents)| intents)
        .filter(|it| it.state.is_final());
    let others = others.map(|intent| Old {
        over: latest(intent.created, &[*intent]),
        intents: 1,
        keys: vec![key(intent)],
    });
    of_incidents.chain(others).collect()
}

fn key(intent: &Intent) -> Key {
    Key::Intent(intent.id.clone())
}

fn latest(ended: Timestamp, intents: &[&Intent]) -> Timestamp {
    let created = intents.iter().map(|it| it.created);
    created.fold(ended, Timestamp::max)
}

fn last_of_each_cause(book: &Book) -> BTreeSet<&IncidentId> {
    let mut last = BTreeMap::new();
    for incident in book.incidents.values() {
        let newest = last.entry(&incident.cause).or_insert(incident);
        if newest.generation < incident.generation {
            *newest = incident;
        }
    }
    last.values().map(|it| &it.id).collect()
}

/// The incidents of requests and cases that are not over.
fn awaited(book: &Book) -> BTreeSet<&IncidentId> {
    let asks = book.asks.values().filter(|it| it.closed.is_none());
    let cases = book.investigations.values().filter(|it| it.ended.is_none());
    let asks = asks.map(|it| &it.incident);
    asks.chain(cases.map(|it| &it.incident)).collect()
}
