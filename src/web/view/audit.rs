//! The audit trail, newest first.

use super::{View, text};
use crate::{
    model::{audit::Entry, ids::ActionId},
    web::json,
};

/// Entries in one answer; earlier ones are asked for by `before`.
const MOST_ENTRIES: usize = 200;

impl View<'_> {
    /// The newest entries before this number, of one subject or of all. An incident's are also those of its actions.
    pub(in crate::web) fn audit(&self, subject: Option<&str>, before: Option<u64>) -> json::Trail {
        let before = before.unwrap_or(u64::MAX);
        let is_about = |entry: &Entry| {
            let Some(subject) = subject else { return true };
            let action = self
                .book
                .intents
                .get(&ActionId::new(entry.subject.as_str()));
            entry.subject == subject || action.is_some_and(|it| it.incident.as_str() == subject)
        };
        let earlier = self.book.entries.range(..before).rev();
        let mut wanted = earlier.map(|(_, it)| it).filter(|it| is_about(it));
        let entries = wanted.by_ref().take(MOST_ENTRIES).map(entry).collect();
        json::Trail {
            now: self.now().map(text),
            entries,
            left_out: wanted.count(),
        }
    }
}

fn entry(it: &Entry) -> json::TrailEntry {
    json::TrailEntry {
        number: it.number,
        at: text(it.at),
        by: it.by.clone(),
        kind: it.kind.clone(),
        subject: it.subject.clone(),
        what: it.what.clone(),
        reason: it.why.clone(),
    }
}
