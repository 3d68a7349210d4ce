//! Many messages as one, for people: when a Region fails, everything in it alerts in the same minute.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use crate::model::{
    action::{Effect, Intent, IntentState},
    ids::Scope,
    receiver::{Notice, Phase},
    rule::Severity,
    time::after,
};

/// Messages that are named; the others are counted.
const MOST_NAMED: usize = 40;
/// From so many minutes on it is told that they have waited.
const LATE_MINUTES: i64 = 60;

/// One of the messages.
struct Line<'a> {
    severity: Severity,
    subject: &'a str,
    body: &'a str,
    notice: &'a Notice,
    intent: &'a Intent,
}

impl Line<'_> {
    fn is_over(&self) -> bool {
        matches!(self.notice.phase, Phase::Resolved | Phase::Past)
    }

    /// What it says first. The subject says the same and cuts names, which here stand side by side.
    /// Days later nobody knows by how long it was when it was.
    fn text(&self, is_late: bool) -> String {
        let first = self.body.lines().next().unwrap_or_default();
        let first = first.trim_end_matches('.');
        let from = if is_late {
            self.notice
                .began
                .start()
                .strftime(" from %Y-%m-%d %H:%M UTC")
                .to_string()
        } else {
            String::new()
        };
        format!(
            "[{}] {first}{from} ({})",
            word(self.subject),
            self.intent.incident
        )
    }
}

/// One message that says what these say, to the receiver of the first, with the address of our page if people reach it;
/// nothing where one of them is no message about an incident.
#[must_use]
pub fn together(intents: &[Intent], page: Option<&str>) -> Option<Intent> {
    let lines = intents.iter().map(|intent| match &intent.effect {
        Effect::Notify {
            severity,
            subject,
            body,
            notice: Some(notice),
            receiver: _,
        } => Some(Line {
            severity: *severity,
            subject,
            body,
            notice,
            intent,
        }),
        Effect::Notify { .. }
        | Effect::RequestQuota { .. }
        | Effect::OpenCase { .. }
        | Effect::Comment { .. }
        | Effect::EndCase { .. } => None,
    });
    let mut lines: Vec<Line<'_>> = lines.collect::<Option<_>>()?;
    let first = intents.first()?;
    let Effect::Notify { receiver, .. } = &first.effect else {
        return None;
    };
    lines.sort_by_key(|it| (it.is_over(), Reverse(it.severity), it.intent.order()));
    let first_line = lines.first()?;
    let worst = first_line.severity;
    let loudest = if first_line.is_over() {
        "resolved"
    } else {
        worst.name()
    };
    let head = head(&lines);
    let named = lines.iter().take(MOST_NAMED);
    let waited = waited(intents);
    let named = named.map(|it| it.text(waited.is_some()));
    let mut body: Vec<String> = std::iter::once(format!("{head}.")).chain(named).collect();
    body.extend(waited.map(|it| format!("Nobody could be told since {it}.")));
    if let Some(more @ 1..) = lines.len().checked_sub(MOST_NAMED) {
        body.push(format!("… and {more} more, see `bedrock-ops-alert status`"));
    }
    body.push("Each in whole: bedrock-ops-alert explain INCIDENT".to_owned());
    body.extend(page.map(|page| format!("All: {page}")));
    Some(Intent {
        effect: Effect::Notify {
            receiver: receiver.clone(),
            severity: worst,
            subject: format!("[{loudest}] {head}"),
            body: body.join("\n"),
            notice: None,
        },
        // A bot looks for what an earlier try of the first one posted, and would take that for all of these.
        attempts: 1,
        ..first.clone()
    })
}

/// Since when the oldest waits, where that is so long that it is no news.
fn waited(intents: &[Intent]) -> Option<String> {
    let oldest = intents.iter().map(|it| it.created).min()?;
    let newest = intents.iter().filter_map(|it| match it.state {
        IntentState::Sending { at } => Some(at),
        IntentState::Proposed { .. }
        | IntentState::Planned { .. }
        | IntentState::Unknown { .. }
        | IntentState::Done { .. }
        | IntentState::Held { .. }
        | IntentState::Refused { .. } => None,
    });
    let is_late = after(oldest, LATE_MINUTES) <= newest.max()?;
    is_late.then(|| oldest.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// `14 messages at once: 9 critical, 3 warning, 2 resolved; us-east-1 111122223333`.
fn head(lines: &[Line<'_>]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    for line in lines {
        let word = word(line.subject);
        if counts
            .insert(word, counts.get(word).copied().unwrap_or(0) + 1)
            .is_none()
        {
            order.push(word);
        }
    }
    let counted = order.iter().filter_map(|word| {
        let count = counts.get(word)?;
        Some(format!("{count} {word}"))
    });
    let counted: Vec<String> = counted.collect();
    let scopes: BTreeSet<&Scope> = lines.iter().map(|it| it.notice.cause.scope()).collect();
    let mut scopes = scopes.into_iter();
    let place = match (scopes.next(), scopes.next()) {
        (Some(one), None) => format!("{} {}", one.region, one.account),
        (Some(_), Some(_)) => format!("{} accounts and Regions", 2 + scopes.count()),
        (None, _) => "nowhere".to_owned(),
    };
    format!(
        "{} messages at once: {}; {place}",
        lines.len(),
        counted.join(", ")
    )
}

/// The word in the brackets that a subject begins with.
fn word(subject: &str) -> &str {
    let inner = subject.strip_prefix('[').and_then(|it| it.split_once(']'));
    inner.map_or("others", |(word, _)| word)
}

#[cfg(test)]
mod tests;
