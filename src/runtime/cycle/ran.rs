//! The log of model invocations: what is asked of it, and hours that came in.

use super::Cycle;
use crate::{
    collect::{Feed, ran::feed::earliest},
    model::{
        book::{Key, Record},
        ids::Scope,
        ran::{KEPT_DAYS, RanHour, place},
        time::{DAY, HOUR, Minute, Timestamp},
    },
};

impl Cycle {
    /// What is asked of the log here; nothing for a month without money left, since AWS bills what is read for an answer.
    pub(super) fn feed(&self, scope: &Scope, now: Timestamp) -> Option<Feed> {
        let group = self.settings.policy.invocation_logs.get(&scope.account)?;
        if self.is_budget_spent() {
            return None;
        }
        let (first, _) = place(earliest(now));
        let book = self.shared.book();
        let days = book.ran.range((scope.clone(), first)..);
        let days = days.take_while(|((at, _), _)| at == scope);
        let read = days.flat_map(|((_, day), it)| {
            let midnight = Minute(day * DAY);
            let hours = it.hours.iter();
            hours.map(move |hour| midnight.plus(i64::from(*hour) * HOUR))
        });
        Some(Feed {
            group: group.clone(),
            read: read.collect(),
        })
    }

    /// The day with this hour in it, and days that have grown too old; nothing where the hour was known.
    pub(super) fn ran(&self, scope: &Scope, read: &RanHour) -> Vec<Record> {
        let (day, _) = place(read.hour);
        let book = self.shared.book();
        let known = book.ran.get(&(scope.clone(), day));
        let mut sum = known.cloned().unwrap_or_default();
        if !sum.add(read) {
            return Vec::new();
        }
        let old = (scope.clone(), i64::MIN)..(scope.clone(), day - KEPT_DAYS);
        let old = book.ran.range(old);
        let old = old.map(|((scope, day), _)| Record::Remove(Key::Ran(scope.clone(), *day)));
        let mut records: Vec<Record> = old.collect();
        records.push(Record::Ran(scope.clone(), day, sum));
        records
    }
}
