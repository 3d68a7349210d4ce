//! When each metric of a target last had a datapoint: what decides whether it is listed.

use crate::{
    model::time::Minute,
    sim::{
        bucket::TargetMinute,
        metric::{Bin, Name, Statistic},
    },
};

/// One target's metrics, followed up to a minute that only moves on: a listing looks at each minute once.
#[derive(Clone, Debug)]
pub(crate) struct LastHeard {
    /// The first minute that was not looked at yet.
    until: Minute,
    last: [Option<Minute>; Name::ALL.len()],
}

impl LastHeard {
    /// Nothing looked at before `first`.
    pub(crate) const fn new(first: Minute) -> Self {
        Self {
            until: first,
            last: [None; Name::ALL.len()],
        }
    }

    /// Looks at the minutes before `until`, which `rows` holds from the minute `first` on.
    pub(crate) fn follow(&mut self, first: Minute, rows: &[TargetMinute], until: Minute) {
        for minute in self.until.until(until) {
            let row = usize::try_from(minute.since(first)).ok();
            let Some(row) = row.and_then(|index| rows.get(index)) else {
                return;
            };
            for (last, name) in self.last.iter_mut().zip(Name::ALL) {
                if has_datapoint(name, row) {
                    *last = Some(minute);
                }
            }
            self.until = minute.plus(1);
        }
    }

    /// The metrics with a datapoint at `since` or later.
    pub(crate) fn alive(&self, since: Minute) -> [bool; Name::ALL.len()] {
        self.last
            .map(|last| last.is_some_and(|minute| since <= minute))
    }
}

fn has_datapoint(name: Name, row: &TargetMinute) -> bool {
    let mut bin = Bin::default();
    bin.add(name, row, 1.0, 1.0);
    bin.value(name, Statistic::Sum).is_some()
}
