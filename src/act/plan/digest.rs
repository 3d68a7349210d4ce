//! Digests: one message a receiver and day, or week, about all that stands. An intent like any other message, so it is sent
//! once: its id follows from receiver and time.

mod catalog;
mod quotas;
mod value;

use std::collections::BTreeMap;

use super::{
    draft::{Draft, Wish},
    texts::{self, Message},
};
use crate::model::{
    action::{Effect, IntentState},
    card::Card,
    catalog::PoolId,
    digest::{Digest, STEP},
    ids::{ActionId, IncidentId},
    incident::Incident,
    outlook::Exhaustion,
    price::about,
    reason::Reason,
    rule::{Matcher, Severity},
    time::{DAY, Minute, Timestamp, after},
    units::{QuotaKind, grouped},
};

/// Incidents, proposals and requests that are named, each; the rest is counted.
const MOST_NAMED: usize = 8;
/// Quotas that are named.
const MOST_QUOTAS: usize = 5;

/// What a digest tells beside the book.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Beside {
    /// When each quota runs out, by the forecasts.
    pub outlooks: BTreeMap<(PoolId, QuotaKind), Exhaustion>,
    /// What watching costs.
    pub cost: Option<Spent>,
    /// What came of the warnings about each quota.
    pub cards: BTreeMap<(PoolId, QuotaKind), Card>,
}

/// What watching costs this month, in USD.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spent {
    /// So far.
    pub so_far: f64,
    /// By the end of the month.
    pub projected: Option<f64>,
    /// What it may cost.
    pub budget: f64,
}

/// Plans the digests that are due and were not planned yet.
pub(super) fn digest(draft: &mut Draft<'_>) {
    for (digest, at) in due(draft) {
        let looks_back = value::month(digest, at).is_some();
        if looks_back && !draft.has_past(&value::pools(draft, at)) {
            continue; // this plan is made again
        }
        let message = message(draft, digest, at);
        let (incident, step) = name(digest, at);
        draft.intend(Wish {
            incident,
            step,
            effect: Effect::Notify {
                receiver: digest.receiver.clone(),
                severity: Severity::Info,
                subject: message.subject,
                body: message.body,
                notice: None,
            },
            reasons: Vec::new(),
            state: IntentState::Planned {
                not_before: draft.now(),
            },
        });
    }
}

/// Whether one is due.
pub(super) fn is_due(draft: &Draft<'_>) -> bool {
    !due(draft).is_empty()
}

fn due<'a>(draft: &Draft<'a>) -> Vec<(&'a Digest, Minute)> {
    let digests = draft.inputs.policy.digests.iter();
    let due = digests.filter_map(|it| Some((it, it.at.due(draft.now())?)));
    let is_new = |(digest, at): &(&Digest, Minute)| {
        let (incident, step) = name(digest, *at);
        let id = ActionId::derive(&incident, &step);
        !draft.book().intents.contains_key(&id)
    };
    let is_sent = |(digest, at): &(&Digest, Minute)| {
        digest.is_sent_empty(*at) || has_news(draft, digest, *at)
    };
    due.filter(|it| is_new(it) && is_sent(it)).collect()
}

/// Whether there was anything to say at that minute. What came later waits for the next one: else the first incident of the
/// day would bring the digest of the morning, hours late. The first of a month always looks back.
fn has_news(draft: &Draft<'_>, digest: &Digest, at: Minute) -> bool {
    let ours = Ours {
        matcher: &digest.matcher,
    };
    let (from, until) = (at.plus(-digest.at.period()).start(), at.start());
    // One that was under way within the day, over by now or not.
    let stood = |began: Timestamp, ended: Option<Timestamp>| {
        began <= until && ended.is_none_or(|it| from < it)
    };
    let is_ours = |id: &IncidentId| draft.incident(id).is_none_or(|it| ours.has(it));
    let mut incidents = draft.incidents();
    let mut asks = draft.asks();
    let mut intents = draft.intents();
    value::month(digest, at).is_some()
        || catalog::has_news(draft, ours.matcher, (from, until))
        || incidents.any(|it| ours.has(it) && stood(it.opened, it.resolved))
        || asks.any(|it| {
            let end = it.end.as_ref().map(|(_, at)| *at);
            is_ours(&it.incident) && stood(it.filed, end)
        })
        || intents.any(|it| {
            let waits = matches!(it.state, IntentState::Proposed { .. });
            waits && it.created <= until && is_ours(&it.incident)
        })
}

/// What a digest is filed under: no incident, and another one each time, so that none is taken for an answer to another.
fn name(digest: &Digest, at: Minute) -> (IncidentId, String) {
    let receiver = &digest.receiver;
    let id = format!("digest-{}-{receiver}", at.start());
    (IncidentId::new(id), format!("{STEP}{receiver}"))
}

fn message(draft: &Draft<'_>, digest: &Digest, at: Minute) -> Message {
    let ours = Ours {
        matcher: &digest.matcher,
    };
    let span = digest.at.period();
    let open = open(draft, ours);
    let proposals = proposals(draft, ours);
    let asks = asks(draft, ours);
    let quotas = quotas::fullest(draft, ours.matcher, at);
    let nearest = quotas.first().map_or_else(String::new, |it| {
        format!(", nearest quota at {:.0} %", 100.0 * it.share())
    });
    let title = format!(
        "[digest] {} open, {} for you to decide, {} at AWS{nearest}",
        open.len(),
        proposals.len(),
        asks.len()
    );
    let unit = if span == DAY { "day" } else { "week" };
    let mut lines = vec![format!("Digest of {at}, of the last {unit}.")];
    section(&mut lines, "Open incidents", open);
    lines.push(ended(draft, ours, span));
    section(&mut lines, "Waiting for a person", proposals);
    section(&mut lines, "Requests under way at AWS", asks);
    let nearest = quotas.iter().take(MOST_QUOTAS).map(|it| it.line(draft));
    section(
        &mut lines,
        "Nearest to their quota, by the p95 of the last day, daily quotas by the fuller day",
        nearest.collect(),
    );
    catalog::sections(&mut lines, draft, ours.matcher);
    if let Some(month) = value::month(digest, at) {
        lines.extend(value::lines(draft, ours, month, at));
    }
    lines.extend(draft.inputs.beside.cost.map(cost));
    Message {
        subject: texts::subject(&title),
        body: lines.join("\n"),
        is_reminder: false,
    }
}

/// Whose digest it is.
#[derive(Clone, Copy)]
struct Ours<'a> {
    matcher: &'a Matcher,
}

impl Ours<'_> {
    fn has(self, incident: &Incident) -> bool {
        let mut pools = incident.pools.iter();
        *self.matcher == Matcher::default() || pools.any(|it| self.matcher.fits(it))
    }
}

fn section(lines: &mut Vec<String>, title: &str, all: Vec<String>) {
    if all.is_empty() {
        return lines.push(format!("{title}: none."));
    }
    lines.push(format!("{title}: {}.", all.len()));
    let more = all.len().saturating_sub(MOST_NAMED);
    lines.extend(all.into_iter().take(MOST_NAMED).map(|it| format!("- {it}")));
    if 0 < more {
        lines.push(format!("- and {more} more, see the page or `status`"));
    }
}

/// The worst first, and of those the oldest.
fn open(draft: &Draft<'_>, ours: Ours<'_>) -> Vec<String> {
    let mut open: Vec<&Incident> = draft
        .incidents()
        .filter(|it| it.is_open() && ours.has(it))
        .collect();
    open.sort_by_key(|it| (std::cmp::Reverse(it.severity), it.began, it.id.clone()));
    let line = |it: &&Incident| {
        let handling = draft.handling(&it.id);
        let ack = handling.acknowledged(draft.now());
        let who = ack.map_or_else(
            || "nobody has taken it up".to_owned(),
            |ack| format!("{} looks after it", ack.by),
        );
        format!(
            "[{}] {}, since {}; {who}; {}",
            it.severity.name(),
            texts::headline(it),
            it.began,
            it.id
        )
    };
    open.iter().map(line).collect()
}

fn ended(draft: &Draft<'_>, ours: Ours<'_>, span: i64) -> String {
    let since = after(draft.now(), -span);
    let ended = draft.incidents().filter(|it| {
        let is_new = it.resolved.is_some_and(|at| since < at);
        is_new && ours.has(it) && !it.is_unprompted()
    });
    let lost: Vec<f64> = ended.map(|it| it.lost).collect();
    format!(
        "Ended since: {}, with {} throttled requests.",
        lost.len(),
        grouped(lost.iter().fold(0.0, |sum, it| sum + it)) // a sum of none is -0
    )
}

fn proposals(draft: &Draft<'_>, ours: Ours<'_>) -> Vec<String> {
    let waiting = draft.intents().filter_map(|it| {
        let IntentState::Proposed { expires } = it.state else {
            return None;
        };
        let incident = draft.incident(&it.incident)?;
        let what = texts::what_for(&it.effect);
        let cost = it.reasons.iter().find_map(Reason::full_use);
        let cost = cost.map(|(usd, _)| format!("at full use {} a day", about(usd)));
        let line = format!(
            "{what} ({}){}, until {}: bedrock-ops-alert approve {}",
            texts::headline(incident),
            cost.map_or_else(String::new, |it| format!(", {it}")),
            Minute::of(expires),
            it.id
        );
        ours.has(incident).then_some(line)
    });
    waiting.collect()
}

fn asks(draft: &Draft<'_>, ours: Ours<'_>) -> Vec<String> {
    let open = draft.asks().filter(|ask| {
        let incident = draft.incident(&ask.incident);
        ask.end.is_none() && incident.is_none_or(|it| ours.has(it))
    });
    let line = |ask: &crate::model::desk::Ask| {
        let days = Minute::of(draft.now()).since(Minute::of(ask.filed)) / DAY;
        let waits = if ask.told_waiting {
            "; AWS waits for an answer of yours"
        } else {
            ""
        };
        format!(
            "{} for {} in {} {}, {}, for {days} days{waits}",
            ask.desired,
            ask.code,
            ask.scope.region,
            ask.scope.account,
            ask.status.as_str()
        )
    };
    open.map(line).collect()
}

fn cost(spent: Spent) -> String {
    let projected = spent.projected.map_or_else(String::new, |usd| {
        format!(", {usd:.2} USD by the end of the month at this pace")
    });
    format!(
        "Watching cost {:.2} USD this month{projected}; the budget is {:.2} USD.",
        spent.so_far, spent.budget
    )
}

/// Whether a digest is due, so that what it tells beside the book is gathered.
#[must_use]
pub fn is_digest_due(inputs: super::Inputs<'_>) -> bool {
    is_due(&Draft::new(inputs))
}

/// See [`Beside`]; without anything.
#[must_use]
pub fn nothing_beside() -> &'static Beside {
    static NOTHING: Beside = Beside {
        outlooks: BTreeMap::new(),
        cost: None,
        cards: BTreeMap::new(),
    };
    &NOTHING
}
