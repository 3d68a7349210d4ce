//! Tags of application profiles: each once when it is new, and again daily, a few a round.

use std::collections::BTreeMap;

use super::Gathered;
use crate::{
    cloud::{Cloud, FaultClass},
    model::{
        book::{Book, Record},
        catalog::TargetKind,
        ids::{Scope, TargetId},
        tags::Tags,
        time::{DAY, HOUR, Timestamp, after},
    },
};

/// Calls of one round: a thousand profiles take most of an hour, and nobody waits for them.
const MOST_CALLS: usize = 20;
/// Tags are read again after so many minutes.
const AGAIN_MINUTES: i64 = DAY;
/// What we may not ask is tried again after so many minutes: somebody has to allow it.
const DENIED_MINUTES: i64 = HOUR;
/// What failed otherwise, after so many.
const RETRY_MINUTES: i64 = 10;

/// When what failed was tried last. It can be lost.
#[derive(Debug, Default)]
pub(super) struct Tried {
    /// The whole scope: we may not ask.
    denied: Option<Timestamp>,
    by_target: BTreeMap<TargetId, Timestamp>,
}

/// The profiles whose tags are due: those never read first, then the oldest; at most as many as a round may ask for.
fn due(scope: &Scope, book: &Book, tried: &Tried, now: Timestamp) -> Vec<TargetId> {
    let is_within = |last: Timestamp, minutes| now < after(last, minutes);
    if tried.denied.is_some_and(|at| is_within(at, DENIED_MINUTES)) {
        return Vec::new();
    }
    let first = (scope.clone(), TargetId::new(""));
    let own = book.targets.range(first..);
    let own = own.take_while(|((at, _), _)| at == scope);
    let mut due: Vec<(Option<Timestamp>, &TargetId)> = own
        .filter(|(_, target)| matches!(target.kind, TargetKind::ApplicationProfile { .. }))
        .filter(|(_, target)| {
            let tried = tried.by_target.get(&target.id);
            !tried.is_some_and(|at| is_within(*at, RETRY_MINUTES))
        })
        .map(|(key, target)| (book.tags.get(key).map(|it| it.read_at), &target.id))
        .filter(|(read, _)| read.is_none_or(|read| after(read, AGAIN_MINUTES) <= now))
        .collect();
    due.sort_unstable();
    let due = due.into_iter().take(MOST_CALLS);
    due.map(|(_, target)| target.clone()).collect()
}

/// Reads the tags that are due; `None` where none are. What can't be read keeps what was last known. Where we may not ask,
/// the first refusal speaks for all, and nothing is asked for an hour.
pub(super) async fn read_tags(
    cloud: &dyn Cloud,
    scope: &Scope,
    book: &Book,
    tried: &mut Tried,
    now: Timestamp,
) -> Option<Gathered<Vec<Record>>> {
    let due = due(scope, book, tried, now);
    if due.is_empty() {
        return None;
    }
    let mut gathered = Gathered {
        found: Vec::new(),
        faults: Vec::new(),
    };
    for target in due {
        match cloud.list_tags(scope, &target).await {
            Ok(by_key) => {
                tried.denied = None;
                tried.by_target.remove(&target);
                let tags = Tags {
                    by_key,
                    read_at: now,
                };
                gathered
                    .found
                    .push(Record::Tags(scope.clone(), target, tags));
            }
            // Deleted a moment ago: the next discovery takes it away.
            Err(fault) if fault.class == FaultClass::NotFound => {
                tried.by_target.insert(target, now);
            }
            Err(fault) => {
                let class = fault.class;
                tried.by_target.insert(target, now);
                gathered.faults.push(fault);
                if class == FaultClass::Denied {
                    tried.denied = Some(now);
                }
                // More of the same would only prolong it.
                if matches!(class, FaultClass::Denied | FaultClass::Throttled) {
                    break;
                }
            }
        }
    }
    Some(gathered)
}

#[cfg(test)]
mod tests;
