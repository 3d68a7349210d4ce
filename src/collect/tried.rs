//! When what failed was tried last: what nobody waits for is asked of one target at a time, and a failure has it rest.

use std::collections::BTreeMap;

use crate::{
    cloud::FaultClass,
    model::{
        ids::TargetId,
        time::{HOUR, Timestamp, after},
    },
};

/// What we may not ask is tried again after so many minutes: somebody has to allow it.
const DENIED_MINUTES: i64 = HOUR;
/// What failed otherwise, after so many.
const RETRY_MINUTES: i64 = 10;

/// The failures of one kind of call in one scope. It can be lost.
#[derive(Debug, Default)]
pub(super) struct Tried {
    /// The whole scope: we may not ask.
    denied: Option<Timestamp>,
    by_target: BTreeMap<TargetId, Timestamp>,
}

impl Tried {
    /// Whether nothing is asked at all: the first refusal speaks for all.
    pub(super) fn is_denied(&self, now: Timestamp) -> bool {
        let until = self.denied.map(|at| after(at, DENIED_MINUTES));
        until.is_some_and(|until| now < until)
    }

    /// Whether this target rests.
    pub(super) fn rests(&self, target: &TargetId, now: Timestamp) -> bool {
        let tried = self.by_target.get(target);
        tried.is_some_and(|at| now < after(*at, RETRY_MINUTES))
    }

    /// It was answered.
    pub(super) fn answered(&mut self, target: &TargetId) {
        self.denied = None;
        self.by_target.remove(target);
    }

    /// It failed. Whether more of the same would only prolong it.
    pub(super) fn failed(&mut self, target: TargetId, class: FaultClass, now: Timestamp) -> bool {
        self.by_target.insert(target, now);
        if class == FaultClass::Denied {
            self.denied = Some(now);
        }
        matches!(class, FaultClass::Denied | FaultClass::Throttled)
    }
}
