//! The audit trail: what people ordered, what was decided, and what was written at AWS, in one row.

use std::collections::BTreeMap;

use super::{
    action::{Intent, IntentState},
    book::{Book, Key, Record},
    ids::IncidentId,
    incident::Incident,
    order::{Answer, Order},
    policy::Mode,
    time::Timestamp,
};

/// One entry. Entries are never changed; each is hashed together with all before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counts the entries, from 1.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who: the name that a person gave; `None` is the service itself.
    pub by: Option<String>,
    /// What kind of thing: the word of an order, `decision`, `write` or `configuration`.
    pub kind: String,
    /// The incident, action, silence or configuration it is about; empty for all of them.
    pub subject: String,
    /// What, as a sentence without its final stop.
    pub what: String,
    /// Why, in the words of the person.
    pub why: Option<String>,
}

/// How many entries are kept: months of decisions. The oldest go first; the chain goes on from there.
pub const KEPT_ENTRIES: usize = 10_000;

/// The entries of these records, and the removal of those that are too old: to be committed with them.
///
/// Entries that are among the records already count.
#[must_use]
pub fn entries(before: &Book, records: &[Record], now: Timestamp) -> Vec<Record> {
    let ready = records.iter().filter(|it| matches!(it, Record::Entry(_)));
    let last = before.entries.keys().next_back().copied().unwrap_or(0);
    let ready = ready.count();
    let mut number = last.saturating_add(u64::try_from(ready).unwrap_or(u64::MAX));
    let mut made = Vec::new();
    let mut add = |at: Timestamp, kind: &str, subject: String, what: String| {
        number = number.saturating_add(1);
        made.push(Record::Entry(Entry {
            number,
            at,
            by: None,
            kind: kind.to_owned(),
            subject,
            what,
            why: None,
        }));
    };
    for record in records {
        match record {
            Record::Incident(it) => {
                for (at, what) in new_decisions(&before.incidents, it) {
                    add(at, "decision", it.id.to_string(), what);
                }
            }
            Record::Intent(it) => {
                if let Some(what) = write(before, it) {
                    add(now, "write", it.id.to_string(), what);
                }
            }
            Record::Ask(_)
            | Record::Investigation(_)
            | Record::Track(..)
            | Record::Target(_)
            | Record::Pool(_)
            | Record::Quota(_)
            | Record::QuotaChange(_)
            | Record::Hour(..)
            | Record::Discovered(..)
            | Record::Catalog(..)
            | Record::Reaches(..)
            | Record::Tags(..)
            | Record::Permits(..)
            | Record::Ran(..)
            | Record::UseDay(..)
            | Record::ReadThrough(..)
            | Record::ReadInFull(..)
            | Record::ReadInDepth(..)
            | Record::Spend(_)
            | Record::Silence(_)
            | Record::Handling(_)
            | Record::Entry(_)
            | Record::Remove(_) => {}
        }
    }
    let kept = before.entries.len() + ready + made.len();
    let old = before
        .entries
        .keys()
        .take(kept.saturating_sub(KEPT_ENTRIES));
    let old: Vec<Record> = old.map(|it| Record::Remove(Key::Entry(*it))).collect();
    made.extend(old);
    made
}

/// The entry of an order that was carried out.
#[must_use]
pub fn ordered(before: &Book, order: &Order, answer: &Answer, now: Timestamp) -> Record {
    let last = before.entries.keys().next_back().copied().unwrap_or(0);
    Record::Entry(Entry {
        number: last.saturating_add(1),
        at: now,
        by: Some(order.by.clone()),
        kind: order.command.name().to_owned(),
        subject: answer.subject.clone(),
        what: answer.what.clone(),
        why: order.why.clone(),
    })
}

const CONFIGURATION: &str = "configuration";
/// Differences that one entry names; the log has all of them.
const MOST_DIFFERENCES: usize = 5;
/// Characters of one of them.
const MOST_OF_ONE: usize = 200;

/// The entry of a configuration that holds from now on: who could write at AWS, and by which rules. `id` is the same for
/// the same configuration, `differences` are those to the one before, as far as they are known.
///
/// `None` where the newest such entry is of the same one: a restart alone decides nothing.
#[must_use]
pub fn configured(
    before: &Book,
    id: &str,
    mode: Mode,
    differences: &[String],
    now: Timestamp,
) -> Option<Record> {
    let mut entries = before.entries.values().rev();
    let newest = entries.find(|it| it.kind == CONFIGURATION);
    if newest.is_some_and(|it| it.subject == id) {
        return None;
    }
    let mut what = format!(
        "the configuration with mode {} holds from now on",
        mode.name()
    );
    for (index, difference) in differences.iter().take(MOST_DIFFERENCES).enumerate() {
        what.push_str(if index == 0 { ": " } else { "; " });
        what.push_str(&cut(difference));
    }
    let untold = differences.len().saturating_sub(MOST_DIFFERENCES);
    if 0 < untold {
        what.push_str(&format!("; and {untold} more, which the log names"));
    }
    let last = before.entries.keys().next_back().copied().unwrap_or(0);
    Some(Record::Entry(Entry {
        number: last.saturating_add(1),
        at: now,
        by: None,
        kind: CONFIGURATION.to_owned(),
        subject: id.to_owned(),
        what,
        why: None,
    }))
}

fn cut(text: &str) -> String {
    if text.chars().count() <= MOST_OF_ONE {
        return text.to_owned();
    }
    let head: String = text.chars().take(MOST_OF_ONE - 1).collect();
    format!("{head}…")
}

fn new_decisions(
    before: &BTreeMap<IncidentId, Incident>,
    incident: &Incident,
) -> Vec<(Timestamp, String)> {
    let count = |it: &Incident| {
        usize::try_from(it.decisions_dropped)
            .unwrap_or(usize::MAX)
            .saturating_add(it.decisions.len())
    };
    let known = before.get(&incident.id).map_or(0, count);
    let new = count(incident).saturating_sub(known);
    let skipped = incident.decisions.len().saturating_sub(new);
    let decisions = incident.decisions.iter().skip(skipped);
    decisions.map(|it| (it.at, it.what.clone())).collect()
}

/// What became of something that AWS sees; messages to people are not among it.
fn write(before: &Book, intent: &Intent) -> Option<String> {
    let old = before.intents.get(&intent.id);
    if intent.effect.may_repeat() || old.is_some_and(|old| old.state == intent.state) {
        return None;
    }
    let effect = intent.effect.name();
    Some(match &intent.state {
        IntentState::Proposed { .. } => format!("{effect} waits for a person"),
        IntentState::Planned { .. } => format!("{effect} is planned"),
        IntentState::Sending { .. } => format!("{effect} is begun, try {}", intent.attempts),
        IntentState::Unknown { .. } => format!("{effect} may have happened"),
        IntentState::Done { reference, .. } => format!("{effect} is done: {reference}"),
        IntentState::Held { why, .. } => format!("{effect} is held: {why}"),
        IntentState::Refused { why, .. } => format!("{effect} is not done: {why}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(record: Option<Record>) -> Option<Entry> {
        let Some(Record::Entry(entry)) = record else {
            return None;
        };
        Some(entry)
    }

    #[test]
    fn a_configuration_is_noted_once_however_often_it_is_started_with() {
        let at = Timestamp::UNIX_EPOCH;
        let mut book = Book::default();
        let first = configured(&book, "cfg-a", Mode::Observe, &[], at);
        let entry = told(first.clone()).unwrap();
        assert_eq!((entry.number, entry.subject.as_str()), (1, "cfg-a"));
        book.apply(first.into_iter().collect());
        assert_eq!(configured(&book, "cfg-a", Mode::Observe, &[], at), None);
        let long = "x".repeat(300);
        let differences: Vec<String> = (0..7).map(|it| format!("key{it}: {long}")).collect();
        let second = told(configured(&book, "cfg-b", Mode::File, &differences, at)).unwrap();
        assert_eq!(second.number, 2);
        assert!(
            second
                .what
                .starts_with("the configuration with mode file holds from now on: key0: x")
        );
        assert!(
            second.what.ends_with("…; and 2 more, which the log names"),
            "{}",
            second.what
        );
        assert!(second.what.chars().count() < 1_200, "{}", second.what);
        book.apply(vec![Record::Entry(second)]);
        // Back to what it was is a change, too.
        assert!(configured(&book, "cfg-a", Mode::Observe, &[], at).is_some());
    }
}
