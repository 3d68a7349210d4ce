//! What the cycle knows of single targets: who took what of a pool, hour by hour, and the tags of application profiles.

use std::{collections::BTreeMap, sync::Arc};

use super::Cycle;
use crate::{
    model::{
        book::{Key, Record},
        policy::Settings,
        series::{Reading, SETTLE_MINUTES},
        uses::{self, UseDay},
    },
    runtime::shared::Shared,
};

impl Cycle {
    /// Who took what: in memory, and each hour that is over as a record.
    pub(super) fn note_uses(&mut self, reading: &Reading) -> Vec<Record> {
        let pool = &reading.pool;
        if reading.by_target.len() < 2 {
            self.recent.remove(pool);
            return Vec::new();
        }
        let recent = self.recent.entry(pool.clone()).or_default();
        recent.take_in(reading);
        let book = self.shared.book();
        let stored = |day: i64| book.uses.get(&(pool.clone(), day));
        let until = reading.until();
        let oldest = uses::day_of(until) - uses::KEPT_DAYS;
        let mut days: BTreeMap<i64, UseDay> = BTreeMap::new();
        // A first read, and one after a long while, has whole hours that are not in memory one by one.
        let settled = until.plus(-SETTLE_MINUTES);
        for day in uses::day_of(reading.from).max(oldest)..=uses::day_of(until) {
            let whole = UseDay::of_whole_hours(reading, day, settled);
            if !whole.hours.is_empty() {
                let whole = match stored(day) {
                    Some(kept) => whole.completed(kept),
                    None => whole,
                };
                days.insert(day, whole);
            }
        }
        let known = |day: i64| days.get(&day).or_else(|| stored(day));
        let written = recent.write_down(until, known);
        days.extend(written);
        days.retain(|day, it| oldest <= *day && stored(*day) != Some(it));
        let old = book
            .uses
            .range((pool.clone(), i64::MIN)..(pool.clone(), oldest));
        let old = old.map(|(key, _)| Record::Remove(Key::UseDay(key.0.clone(), key.1)));
        let mut records: Vec<Record> = old.collect();
        let days = days.into_iter();
        records.extend(days.map(|(day, it)| Record::UseDay(pool.clone(), day, it)));
        records
    }

    /// What tags say now of the overrides that ask for them.
    pub(super) fn take_tags(&mut self) {
        let settings = with_tags(&self.settings, &self.shared);
        if settings.rules != self.settings.rules {
            self.configure(Settings::clone(&settings));
        }
    }
}

/// The configuration with the tags of today, for its overrides by tag.
pub(super) fn with_tags(settings: &Arc<Settings>, shared: &Shared) -> Arc<Settings> {
    if !settings.rules.ask_tags() {
        return Arc::clone(settings);
    }
    let mut tagged = Settings::clone(settings);
    if tagged.rules.take_tags(shared.book().tags_by_pool()) {
        Arc::new(tagged)
    } else {
        Arc::clone(settings)
    }
}

/// Whether this record changes which tags a pool has.
pub(super) fn is_of_tags(record: &Record) -> bool {
    matches!(
        record,
        Record::Tags(..) | Record::Target(_) | Record::Remove(Key::Tags(..) | Key::Target(..))
    )
}
