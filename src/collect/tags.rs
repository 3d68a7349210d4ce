//! Tags of application profiles: each once when it is new, and again daily, a few a round.

use super::{Gathered, tried::Tried};
use crate::{
    cloud::{Cloud, FaultClass},
    model::{
        book::{Book, Record},
        catalog::TargetKind,
        ids::{Scope, TargetId},
        tags::Tags,
        time::{DAY, Timestamp, after},
    },
};

/// Calls of one round: a thousand profiles take most of an hour, and nobody waits for them.
const MOST_CALLS: usize = 20;
/// Tags are read again after so many minutes.
const AGAIN_MINUTES: i64 = DAY;

/// The profiles whose tags are due: those never read first, then the oldest; at most as many as a round may ask for.
fn due(scope: &Scope, book: &Book, tried: &Tried, now: Timestamp) -> Vec<TargetId> {
    if tried.is_denied(now) {
        return Vec::new();
    }
    let first = (scope.clone(), TargetId::new(""));
    let own = book.targets.range(first..);
    let own = own.take_while(|((at, _), _)| at == scope);
    let mut due: Vec<(Option<Timestamp>, &TargetId)> = own
        .filter(|(_, target)| matches!(target.kind, TargetKind::ApplicationProfile { .. }))
        .filter(|(_, target)| !tried.rests(&target.id, now))
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
                tried.answered(&target);
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
                tried.failed(target, fault.class, now);
            }
            Err(fault) => {
                let ends = tried.failed(target, fault.class, now);
                gathered.faults.push(fault);
                if ends {
                    break;
                }
            }
        }
    }
    Some(gathered)
}

#[cfg(test)]
mod tests;
