//! What the daemon says of itself: one line for each change of the book, for logs and for the demo alike.

mod place;

pub use place::Place;

use crate::model::{
    action::{Effect, Intent, IntentState},
    book::{Book, Record},
    desk::{Ask, AskEnd},
    handling::{Handling, Hold},
    incident::Incident,
    silence::Silence,
    time::Timestamp,
    units::grouped,
};

/// How much a line matters to whoever reads the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something changed state.
    Info,
    /// Degraded, and handled.
    Warn,
    /// Somebody must act.
    Error,
}

/// One event: its stable name, what it is about, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How much it matters.
    pub level: Level,
    /// Stable name, such as `incident.opened`.
    pub event: &'static str,
    /// The incident, action or request it is about.
    pub subject: String,
    /// For people.
    pub text: String,
    /// Where.
    pub place: Place,
}

/// The lines that these records make, compared with the book before them.
#[must_use]
pub fn narrate(before: &Book, records: &[Record]) -> Vec<Line> {
    let lines = records.iter().filter_map(|record| {
        let line = line(before, record)?;
        let place = Place::of(before, records, record);
        Some(Line { place, ..line })
    });
    lines.collect()
}

/// One event of the log at this level; what is not known of its place is left out.
macro_rules! say {
    ($level:ident, $line:expr, $now:expr) => {{
        let Line {
            event,
            subject,
            text,
            place,
            ..
        } = $line;
        tracing::$level!(
            event,
            subject,
            account = place.account.as_deref(),
            region = place.region.as_deref(),
            model = place.model.as_deref(),
            quota_code = place.quota_code.as_deref(),
            incident = place.incident.as_deref(),
            now = %$now,
            "{text}"
        )
    }};
}

/// Writes lines to the log, each with the instant it speaks of.
pub fn log(lines: &[Line], now: Timestamp) {
    for line in lines {
        match line.level {
            Level::Info => say!(info, line, now),
            Level::Warn => say!(warn, line, now),
            Level::Error => say!(error, line, now),
        }
    }
}

fn line(before: &Book, record: &Record) -> Option<Line> {
    match record {
        Record::Incident(incident) => of_incident(before, incident),
        Record::Intent(intent) => of_intent(before, intent),
        Record::Ask(ask) => of_ask(before, ask),
        Record::Investigation(it) => {
            let old = before.investigations.get(&it.case);
            let text = match (old, it.ended) {
                (None, _) => format!("case {} is open at AWS Support", it.case),
                (Some(old), Some(_)) if old.ended.is_none() => {
                    format!("case {} is resolved", it.case)
                }
                (Some(_), _) => return None,
            };
            Some(info("case", it.case.as_str(), text))
        }
        Record::Silence(it) => of_silence(before, it),
        Record::Handling(it) => of_handling(before, it),
        Record::Pool(pool) if !before.pools.contains_key(&pool.id) => Some(info(
            "pool.found",
            &pool.id.to_string(),
            format!("found pool {}", pool.id),
        )),
        Record::QuotaChange(change) => {
            let value = |amount: Option<crate::model::units::Amount>| {
                amount.map_or("unknown".to_owned(), |amount| amount.to_string())
            };
            let text = format!(
                "quota {} in {} changed from {} to {}",
                change.code,
                change.scope,
                value(change.old),
                value(change.new)
            );
            change
                .old
                .map(|_| info("quota.changed", change.code.as_str(), text))
        }
        Record::Track(..)
        | Record::Target(_)
        | Record::Pool(_)
        | Record::Quota(_)
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
        | Record::Entry(_)
        | Record::Remove(_) => None,
    }
}

fn of_silence(before: &Book, it: &Silence) -> Option<Line> {
    let (by, why) = (&it.by, &it.why);
    let text = match (before.silences.get(&it.id), &it.expired_by) {
        (None, _) => format!(
            "silence by {by} on {} until {}: {why}",
            it.selector, it.until
        ),
        (Some(old), Some(who)) if old.expired_by.is_none() => {
            format!("the silence of {by} on {} was ended by {who}", it.selector)
        }
        (Some(_), _) => return None,
    };
    Some(info("silence", it.id.as_str(), text))
}

/// What is held back, and who looks after an incident.
fn of_handling(before: &Book, it: &Handling) -> Option<Line> {
    let old = before.handlings.get(&it.incident);
    let id = it.incident.as_str();
    let ack = it.ack.as_ref();
    if let Some(ack) = ack.filter(|ack| old.and_then(|old| old.ack.as_ref()) != Some(*ack)) {
        let until = ack
            .until
            .map_or_else(String::new, |at| format!(" until {at}"));
        let text = format!("{} looks after it{until}", ack.by);
        return Some(info("incident.acknowledged", id, text));
    }
    match (old.and_then(|old| old.held.as_ref()), &it.held) {
        (None, Some(held)) => {
            let by = match &held.hold {
                Hold::Silenced { by } => {
                    let by: Vec<&str> = by.iter().map(|it| it.as_str()).collect();
                    format!("silenced by {}", by.join(", "))
                }
                Hold::Inhibited { by, rule } => format!("told as a part of {by} ({rule})"),
            };
            Some(info(
                "incident.held-back",
                id,
                format!("messages are held back: {by}"),
            ))
        }
        (Some(_), None) => Some(info(
            "incident.released",
            id,
            "messages are held back no longer".to_owned(),
        )),
        (Some(_), Some(_)) | (None, None) => None,
    }
}

fn of_incident(before: &Book, incident: &Incident) -> Option<Line> {
    let old = before.incidents.get(&incident.id);
    let title = crate::act::plan::texts::headline(incident);
    let (event, text) = match (old, incident.resolved) {
        (None, None) => (
            "incident.opened",
            format!("{}: {title}", incident.severity.name()),
        ),
        (None, Some(_)) => (
            "incident.past",
            format!("was over before it was judged: {title}"),
        ),
        (Some(old), Some(_)) if old.is_open() => {
            let lost = grouped(incident.lost);
            (
                "incident.resolved",
                format!("resolved: {title}; {lost} requests throttled"),
            )
        }
        (Some(old), None) if old.severity < incident.severity => (
            "incident.raised",
            format!("now {}: {title}", incident.severity.name()),
        ),
        (Some(_), _) => return None,
    };
    Some(info(event, incident.id.as_str(), text))
}

fn of_intent(before: &Book, intent: &Intent) -> Option<Line> {
    let old = before.intents.get(&intent.id).map(|old| old.state.name());
    if old == Some(intent.state.name()) {
        return None;
    }
    let what = match &intent.effect {
        Effect::Notify {
            receiver, subject, ..
        } => format!("message to {receiver}: {subject}"),
        Effect::RequestQuota {
            scope,
            code,
            desired,
            ..
        } => format!("request {desired} on {code} in {scope}"),
        Effect::OpenCase { subject, .. } => format!("case: {subject}"),
        Effect::Comment { case, .. } => format!("comment on {case}"),
        Effect::EndCase { case, .. } => format!("{} {case}", intent.effect.name()),
    };
    let failure = intent
        .last_failure
        .as_deref()
        .map_or(String::new(), |why| format!(" ({why})"));
    let (level, event, text) = match &intent.state {
        IntentState::Proposed { .. } => (
            Level::Info,
            "action.proposed",
            format!("waits for approval: {what}"),
        ),
        IntentState::Planned { .. } if old.is_some() && old != Some("proposed") => (
            Level::Warn,
            "action.again",
            format!("to be tried again: {what}{failure}"),
        ),
        IntentState::Planned { .. } | IntentState::Sending { .. } => return None,
        IntentState::Unknown { .. } => (
            Level::Warn,
            "action.in-doubt",
            format!("may have happened: {what}{failure}"),
        ),
        IntentState::Done { reference, .. } => (
            Level::Info,
            "action.done",
            format!("done: {what} -> {reference}"),
        ),
        IntentState::Held { why, .. } => {
            (Level::Error, "action.held", format!("held: {what}: {why}"))
        }
        IntentState::Refused { why, .. } => (
            Level::Warn,
            "action.refused",
            format!("not done: {what}: {why}"),
        ),
    };
    Some(Line {
        level,
        event,
        subject: intent.id.to_string(),
        text,
        place: Place::default(),
    })
}

fn of_ask(before: &Book, ask: &Ask) -> Option<Line> {
    let old = before.asks.get(&ask.request);
    let text = match (old, &ask.end) {
        (None, _) => format!(
            "request {} for {} on {} is on AWS's desk",
            ask.request, ask.desired, ask.code
        ),
        (Some(old), Some((end, _))) if old.end.is_none() => {
            let outcome = match end {
                AskEnd::Granted { value } => format!("granted: the value is now {value}"),
                AskEnd::PartlyGranted { value } => {
                    format!("granted in part: the value is now {value}")
                }
                AskEnd::Denied => "not granted: the value did not change".to_owned(),
            };
            format!("request {} for {} is {outcome}", ask.request, ask.code)
        }
        (Some(old), None) if old.status != ask.status => {
            format!(
                "request {} for {} is {}",
                ask.request,
                ask.code,
                ask.status.as_str()
            )
        }
        (Some(_), _) => return None,
    };
    Some(info("request", ask.request.as_str(), text))
}

fn info(event: &'static str, subject: &str, text: String) -> Line {
    Line {
        level: Level::Info,
        event,
        subject: subject.to_owned(),
        text,
        place: Place::default(),
    }
}
