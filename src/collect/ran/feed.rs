//! The log of model invocations, asked hour by hour: one question at a time, after everything that people wait for.
//!
//! An hour is asked about two hours after its end, since AWS delivers logs late and does not say how late. A question that
//! a restart loses is asked again: nothing is known before its hour is durable.

use std::collections::{BTreeMap, BTreeSet};

use super::id_of;
use crate::{
    cloud::{Cloud, Fault, FaultClass, LogAnswer, LogQuery, LogState, MOST_ROWS},
    collect::Gathered,
    model::{
        ids::{Region, Scope, TargetId},
        ran::{Count, RanHour, Way},
        series::exact_whole,
        time::{HOUR, Minute, Timestamp, after},
    },
};

const RESULTS: &str = "logs:GetQueryResults";
/// Minutes after its end at which an hour is asked about.
const LATE_MINUTES: i64 = 2 * HOUR;
/// Hours that are made up for after a pause.
const MOST_HOURS: i64 = 48;
/// A question without an answer is given up after so many minutes; AWS ends it after an hour. (AWS, StartQuery.)
const PATIENCE_MINUTES: i64 = 65;
/// Where we may not ask, or there is no such log group, nothing is asked for so many minutes: somebody has to act.
const DENIED_MINUTES: i64 = HOUR;
/// What failed otherwise is tried again after so many.
const RETRY_MINUTES: i64 = 10;

/// What is asked in one account and Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// The log group.
    pub group: String,
    /// Hours that were read, of those that could be asked about.
    pub read: BTreeSet<Minute>,
}

/// The first minute of the earliest hour that is asked about.
#[must_use]
pub fn earliest(now: Timestamp) -> Minute {
    latest(now).plus(-(MOST_HOURS - 1) * HOUR)
}

fn latest(now: Timestamp) -> Minute {
    Minute::of(now).plus(-(HOUR + LATE_MINUTES)).hour()
}

/// What rounds remember of one another. It can be lost.
#[derive(Debug, Default)]
pub(in crate::collect) struct Asking {
    question: Option<Question>,
    rests_until: Option<Timestamp>,
    /// Hours whose question failed, and when.
    tried: BTreeMap<Minute, Timestamp>,
}

#[derive(Clone, Debug)]
struct Question {
    group: String,
    hour: Minute,
    id: String,
    asked_at: Timestamp,
}

/// Takes the answer that is there, and asks about the next hour; `None` where there is nothing to do.
pub(in crate::collect) async fn ask_logs(
    cloud: &dyn Cloud,
    scope: &Scope,
    feed: &Feed,
    asking: &mut Asking,
    now: Timestamp,
) -> Option<Gathered<Option<RanHour>>> {
    if asking.rests(now) {
        return None;
    }
    let mut gathered = Gathered {
        found: None,
        faults: Vec::new(),
    };
    let mut read = feed.read.clone();
    let question = asking.question.take();
    // Not of another group, nor of a clock that was ahead: an hour of the future would be written down as read.
    let question = question.filter(|it| it.group == feed.group && it.hour <= latest(now));
    if let Some(question) = question {
        let answer = match cloud.query_results(scope, &question.id).await {
            Ok(answer) => answer,
            Err(fault) => {
                asking.unanswered(question, fault.class, now);
                gathered.faults.push(fault);
                return Some(gathered);
            }
        };
        match told(&question, &answer, now) {
            Ok(Some(hour)) => {
                read.insert(question.hour);
                asking.tried.remove(&question.hour);
                gathered.found = Some(hour);
            }
            Ok(None) => {
                asking.question = Some(question);
                return None; // still running
            }
            Err(fault) => {
                asking.tried.insert(question.hour, now);
                gathered.faults.push(fault);
                return Some(gathered);
            }
        }
    }
    let Some(hour) = asking.due(&read, now) else {
        return gathered.found.is_some().then_some(gathered);
    };
    let query = LogQuery {
        group: feed.group.clone(),
        from: hour.start(),
        until: hour.plus(HOUR).start(),
    };
    match cloud.start_query(scope, &query).await {
        Ok(id) => {
            asking.question = Some(Question {
                group: query.group,
                hour,
                id,
                asked_at: now,
            });
        }
        Err(fault) => {
            let needs_somebody = matches!(fault.class, FaultClass::Denied | FaultClass::NotFound);
            let minutes = if needs_somebody {
                DENIED_MINUTES
            } else {
                RETRY_MINUTES
            };
            asking.rests_until = Some(after(now, minutes));
            gathered.faults.push(fault);
        }
    }
    Some(gathered)
}

impl Asking {
    /// A rest that is longer than any is of a clock that was ahead.
    fn rests(&self, now: Timestamp) -> bool {
        let longest = after(now, DENIED_MINUTES);
        self.rests_until
            .is_some_and(|until| now < until && until <= longest)
    }

    fn due(&mut self, read: &BTreeSet<Minute>, now: Timestamp) -> Option<Minute> {
        let (first, last) = (earliest(now), latest(now));
        self.tried.retain(|hour, at| first <= *hour && *at <= now);
        let hours = (0..MOST_HOURS).map(|it| first.plus(it * HOUR));
        let mut due = hours.filter(|hour| *hour <= last && !read.contains(hour));
        due.find(|hour| {
            let tried = self.tried.get(hour);
            tried.is_none_or(|at| after(*at, DENIED_MINUTES) <= now)
        })
    }

    /// What was asked is billed, so its answer is fetched again while AWS has it. An hour without one rests by itself, and
    /// does not keep others from being read.
    fn unanswered(&mut self, question: Question, class: FaultClass, now: Timestamp) {
        let is_gone = after(question.asked_at, PATIENCE_MINUTES) <= now;
        if is_gone || class == FaultClass::NotFound {
            self.tried.insert(question.hour, now);
        } else {
            self.question = Some(question);
        }
        if class == FaultClass::Denied {
            self.rests_until = Some(after(now, RETRY_MINUTES));
        }
    }
}

/// What an answer says of its hour; `None` while it is none.
fn told(question: &Question, answer: &LogAnswer, now: Timestamp) -> Result<Option<RanHour>, Fault> {
    match &answer.state {
        LogState::Complete => {}
        LogState::Running if now < after(question.asked_at, PATIENCE_MINUTES) => return Ok(None),
        LogState::Running => return Err(wrong(question, "NoAnswer", "the query never ended")),
        LogState::Ended(word) => return Err(wrong(question, word, "the query did not complete")),
    }
    if usize::try_from(MOST_ROWS).is_ok_and(|most| most <= answer.rows.len()) {
        let text = "the answer is cut, so the hour is not counted: there are more targets than an answer has rows";
        return Err(wrong(question, "AnswerCut", text));
    }
    let mut ways: BTreeMap<Way, Count> = BTreeMap::new();
    for row in &answer.rows {
        let (way, count) = way(row).map_err(|why| wrong(question, "UnreadableRow", &why))?;
        ways.entry(way).or_default().add(&count);
    }
    Ok(Some(RanHour {
        hour: question.hour,
        ways,
        bytes_scanned: answer.bytes_scanned,
    }))
}

fn wrong(question: &Question, code: &str, text: &str) -> Fault {
    Fault {
        operation: RESULTS,
        code: code.to_owned(),
        message: format!(
            "{text} (log group `{}`, the hour from {})",
            question.group,
            question.hour.start()
        ),
        class: FaultClass::Garbled,
    }
}

/// One row of an answer.
fn way(row: &BTreeMap<String, String>) -> Result<(Way, Count), String> {
    let number = |name: &str| match row.get(name) {
        None => Ok(0), // no record has the field
        Some(text) => {
            number(text).ok_or_else(|| format!("`{name}` is `{text}`, which is no count"))
        }
    };
    let text = |name: &str| row.get(name).filter(|it| !it.is_empty());
    let target = text("modelId").ok_or("a row has no `modelId`")?;
    if !row.contains_key("records") {
        return Err("a row has no `records`".to_owned());
    }
    let (records, failed) = (number("records")?, number("failed")?);
    let Some(requests) = records.checked_sub(failed) else {
        return Err(format!("{failed} of {records} records failed"));
    };
    let way = (
        TargetId::new(id_of(target)),
        text("inferenceRegion").map(Region::new),
    );
    let count = Count {
        requests,
        failed,
        input: number("tokensIn")?,
        output: number("tokensOut")?,
        cache_read: number("cacheRead")?,
        cache_write: number("cacheWrite")?,
    };
    Ok((way, count))
}

/// A sum may be written as a floating-point number.
fn number(text: &str) -> Option<u64> {
    text.parse()
        .ok()
        .or_else(|| exact_whole(text.parse().ok()?))
}

#[cfg(test)]
mod tests;
