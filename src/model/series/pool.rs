//! The minutes of one pool that are in memory: those of the last days.

use super::{HourBlock, Reading, Sample, Signal, Window, packed::Packed};
use crate::model::time::{DAY, HOUR, Minute};
use std::collections::BTreeMap;

/// The history of one pool: hours of samples per signal. Minutes never read are `Unobserved`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PoolSeries {
    minutes: [Hours; Signal::ALL.len()],
}

/// Hours of one signal by their first minute, sorted. A list, since a map takes twice the room.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Hours(Vec<(Minute, Packed<60>)>);

impl PoolSeries {
    /// A pool of which nothing was ever read.
    pub const EMPTY: &Self = &Self {
        minutes: [const { Hours(Vec::new()) }; Signal::ALL.len()],
    };

    /// What is known of this minute.
    #[must_use]
    pub fn get(&self, signal: Signal, minute: Minute) -> Sample {
        let hour = self.hours(signal).get(minute.hour());
        hour.map_or(Sample::Unobserved, |hour| hour.get(offset(minute)))
    }

    /// Requests that callers wanted in this minute: invocations and throttles together. Unknown if either is.
    #[must_use]
    pub fn demand(&self, minute: Minute) -> Sample {
        match (
            self.get(Signal::Invocations, minute),
            self.get(Signal::Throttles, minute),
        ) {
            (Sample::Value(through), Sample::Value(refused)) => Sample::Value(through + refused),
            (Sample::Unobserved, _) | (_, Sample::Unobserved) => Sample::Unobserved,
            (Sample::NoData, _) | (_, Sample::NoData) => Sample::NoData,
        }
    }

    /// The samples from `from` up to and without `until`, in order; minutes never read are `Unobserved`.
    #[must_use]
    pub fn window(&self, signal: Signal, from: Minute, until: Minute) -> Window<'_> {
        Window::of([self, Self::EMPTY], signal, (from, until))
    }

    /// The hours that a reading changes, as they will be. A minute that was known is never forgotten: `Unobserved` does
    /// not overwrite anything, and `NoData` no number.
    #[must_use]
    pub fn updates(&self, reading: &Reading) -> BTreeMap<(Signal, Minute), HourBlock> {
        let mut changed: BTreeMap<(Signal, Minute), HourBlock> = BTreeMap::new();
        for (&signal, samples) in &reading.signals {
            for (index, &sample) in (0_i64..).zip(samples) {
                let minute = reading.from.plus(index);
                let known = self.get(signal, minute);
                // Datapoints don't vanish: what was a number once, or proved to be zero, was only not proved this time.
                let says_less = match sample {
                    Sample::Unobserved => true,
                    Sample::NoData => known.value().is_some(),
                    Sample::Value(_) => false,
                };
                if says_less || known == sample {
                    continue;
                }
                let hour = minute.hour();
                let block = changed.entry((signal, hour)).or_insert_with(|| {
                    let held = self.block(signal, hour);
                    held.unwrap_or([Sample::Unobserved; 60])
                });
                if let Some(slot) = block.get_mut(offset(minute)) {
                    *slot = sample;
                }
            }
        }
        changed
    }

    /// Takes in a reading as a whole; for series that are not stored.
    pub fn absorb(&mut self, reading: &Reading) {
        for ((signal, hour), block) in self.updates(reading) {
            self.restore(signal, hour, block);
        }
    }

    /// Puts back one stored hour.
    pub fn restore(&mut self, signal: Signal, hour: Minute, block: HourBlock) {
        if let Some(hours) = self.minutes.get_mut(signal as usize) {
            hours.put(hour.hour(), Packed::of(&block));
        }
    }

    /// The block of this hour, where one exists.
    #[must_use]
    pub fn block(&self, signal: Signal, hour: Minute) -> Option<HourBlock> {
        let held = self.hours(signal).get(hour.hour());
        held.map(|it| it.samples(0..60))
    }

    /// Whether this hour of this signal is held in minutes.
    #[must_use]
    pub fn holds(&self, signal: Signal, hour: Minute) -> bool {
        self.hours(signal).get(hour.hour()).is_some()
    }

    /// Whether any hour of this signal is held that begins in `from..until`.
    #[must_use]
    pub fn has_any(&self, signal: Signal, from: Minute, until: Minute) -> bool {
        let hours = &self.hours(signal).0;
        let next = hours.get(hours.partition_point(|(hour, _)| *hour < from));
        next.is_some_and(|(hour, _)| *hour < until)
    }

    /// Forgets one hour of one signal.
    pub fn forget(&mut self, signal: Signal, hour: Minute) {
        if let Some(Hours(hours)) = self.minutes.get_mut(signal as usize)
            && let Ok(place) = hours.binary_search_by_key(&hour.hour(), |(hour, _)| *hour)
        {
            hours.remove(place);
        }
    }

    /// All hours that are held in minutes, by signal.
    pub fn held(&self) -> impl Iterator<Item = (Signal, Minute)> {
        let signals = Signal::ALL.into_iter().zip(&self.minutes);
        signals.flat_map(|(signal, hours)| hours.0.iter().map(move |(hour, _)| (signal, *hour)))
    }

    /// All hours that are held in minutes, with their samples.
    pub fn hours_held(&self) -> impl Iterator<Item = (Signal, Minute, HourBlock)> {
        self.held()
            .filter_map(|(signal, hour)| Some((signal, hour, self.block(signal, hour)?)))
    }

    /// The first minute of the first hour that is held.
    #[must_use]
    pub fn first_minute(&self) -> Option<Minute> {
        let firsts = self.minutes.iter().filter_map(|hours| hours.0.first());
        firsts.map(|(hour, _)| *hour).min()
    }

    /// The last minute with a number for this signal.
    #[must_use]
    pub fn last_value(&self, signal: Signal) -> Option<(Minute, f64)> {
        let hours = self.hours(signal).0.iter().rev();
        hours.into_iter().find_map(|(hour, held)| {
            let mut minutes = hour.until(hour.plus(HOUR)).rev();
            minutes.find_map(|minute| Some((minute, held.get(offset(minute)).value()?)))
        })
    }

    /// Lets the minutes of days before the day `first` go.
    pub fn forget_before(&mut self, first: i64) {
        let first = Minute(first.saturating_mul(DAY));
        for Hours(hours) in &mut self.minutes {
            hours.drain(..hours.partition_point(|(hour, _)| *hour < first));
        }
    }

    pub(super) fn hours(&self, signal: Signal) -> &Hours {
        static NOTHING: Hours = Hours(Vec::new());
        self.minutes.get(signal as usize).unwrap_or(&NOTHING) // as many as there are signals
    }
}

impl Hours {
    pub(super) fn get(&self, hour: Minute) -> Option<&Packed<60>> {
        let place = self.0.binary_search_by_key(&hour, |(hour, _)| *hour);
        self.0.get(place.ok()?).map(|(_, held)| held)
    }

    fn put(&mut self, hour: Minute, held: Packed<60>) {
        let Self(hours) = self;
        match hours.binary_search_by_key(&hour, |(hour, _)| *hour) {
            Ok(place) => {
                if let Some(slot) = hours.get_mut(place) {
                    slot.1 = held;
                }
            }
            Err(place) => {
                make_room(hours);
                hours.insert(place, (hour, held));
            }
        }
    }
}

/// A little more room, not twice as much: there are thousands of these lists, and all are as long as they will ever be.
fn make_room<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(4);
    }
}

fn offset(minute: Minute) -> usize {
    usize::try_from(minute.since(minute.hour())).unwrap_or(usize::MAX) // 0..60 by construction
}

#[cfg(test)]
mod tests;
