//! What subscriptions of a topic can filter by.
//!
//! Source: "Amazon SNS message attributes", Amazon SNS Developer Guide, read 2026-11: names of `A-Z a-z 0-9 _ - .`, up to 256
//! characters, not beginning with `AWS.` or `Amazon.`; names, types and values are never empty and count to the size of the
//! message; a queue with raw delivery is given no message that has more than ten.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Letter, text};
use crate::{
    cloud::Attribute,
    model::{
        action::{Effect, Intent},
        digest,
        receiver::Notice,
        room,
        rule::Severity,
        sight,
    },
};

/// Attributes of one message: what a queue with raw delivery takes.
#[cfg(test)]
const MOST: usize = 10;
/// Bytes of one value.
const MOST_VALUE: usize = 256;
/// Bytes of all values together, as they are written: a quarter of a message, and those of many hundreds of incidents.
pub(super) const MOST_BYTES: usize = 65_536;

/// All of one message; of several in one, the values of each of them, so that a filter that fits one of them fits it.
pub(super) fn of(letter: &Letter<'_>) -> BTreeMap<&'static str, Attribute> {
    let mut found = Found::default();
    found.put("id", letter.intent.id.as_str());
    if letter.crowd.is_empty() {
        found.put("severity", letter.severity.name());
        match letter.notice {
            Some(notice) => found.notice(letter.intent, notice),
            None if letter.intent.step.starts_with(digest::STEP) => found.put("event", "digest"),
            None if letter.intent.step.starts_with(room::STEP) => found.put("event", "disk"),
            None if letter.intent.step.starts_with(sight::STEP) => found.put("event", "blind"),
            None => {} // of an older release
        }
    }
    for intent in letter.crowd {
        if let Effect::Notify {
            severity, notice, ..
        } = &intent.effect
        {
            found.severity(*severity);
            if let Some(notice) = notice {
                found.notice(intent, notice);
            }
        }
    }
    if 0 < found.dropped {
        let (receiver, dropped) = (letter.receiver, found.dropped);
        tracing::warn!(event = "topic.attributes-full", %receiver, dropped, "some values of attributes found no room");
    }
    found.attributes()
}

/// The values of each attribute.
#[derive(Default)]
struct Found {
    values: BTreeMap<&'static str, BTreeSet<String>>,
    bytes: usize,
    dropped: usize,
}

impl Found {
    fn put(&mut self, name: &'static str, value: &str) {
        let mut value = text::line(value, MOST_VALUE);
        if MOST_VALUE < value.len() {
            value = text::line(&value, MOST_VALUE / 4); // four bytes a character at most
        }
        let values = self.values.entry(name).or_default();
        if value.is_empty() || values.contains(&value) {
            return;
        }
        let written = serde_json::Value::from(value.as_str()).to_string().len() + 1;
        if MOST_BYTES < self.bytes + written {
            self.dropped += 1;
            return;
        }
        self.bytes += written;
        values.insert(value);
    }

    fn severity(&mut self, severity: Severity) {
        self.put("severity", severity.name());
    }

    fn notice(&mut self, intent: &Intent, notice: &Notice) {
        self.put("event", notice.phase.name());
        for flag in &notice.flags {
            self.put("event", flag.name());
        }
        let scope = notice.cause.scope();
        self.put("category", notice.category().name());
        self.put("account", scope.account.as_str());
        self.put("region", scope.region.as_str());
        self.put("incident", intent.incident.as_str());
        for pool in &notice.pools {
            self.put("model", pool.model.as_str());
        }
        for team in &notice.teams {
            self.put("team", team);
        }
    }

    fn attributes(self) -> BTreeMap<&'static str, Attribute> {
        let each = self.values.into_iter().filter_map(|(name, values)| {
            let may_be_several = matches!(name, "event" | "model" | "team");
            let mut values: Vec<String> = values.into_iter().collect();
            values.first()?; // one that is empty is refused
            let attribute = if 1 < values.len() || may_be_several {
                Attribute::Texts(values)
            } else {
                Attribute::Text(values.pop()?)
            };
            Some((name, attribute))
        });
        each.collect()
    }
}

#[cfg(test)]
mod tests;
