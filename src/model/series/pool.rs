//! The minutes of one pool that are in memory: those of the last days.

use super::{HourBlock, PoolHour, Reading, Sample, Signal, Window, packed::Hour};
use crate::model::time::{DAY, HOUR, Minute};
use std::{collections::BTreeMap, sync::LazyLock};

/// The history of one pool: hours by their number since 1970, sorted. A list, since a map takes twice the room. Minutes
/// never read are `Unobserved`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PoolSeries(Vec<(i32, PoolHour)>);

impl PoolSeries {
    /// A pool of which nothing was ever read.
    pub const EMPTY: &Self = &Self(Vec::new());

    /// What is known of this minute.
    #[must_use]
    pub fn get(&self, signal: Signal, minute: Minute) -> Sample {
        let hour = self.packed(signal, minute);
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

    /// The hours that a reading changes, whole, as they will be. A minute that was known is never forgotten: `Unobserved` does
    /// not overwrite anything, and `NoData` no number.
    #[must_use]
    pub fn updates(&self, reading: &Reading) -> BTreeMap<Minute, PoolHour> {
        let mut hours: BTreeMap<Minute, BTreeMap<Signal, HourBlock>> = BTreeMap::new();
        for ((signal, hour), block) in self.changed(reading) {
            hours.entry(hour).or_default().insert(signal, block);
        }
        let hours = hours.into_iter();
        let whole = |(hour, changed): (Minute, BTreeMap<Signal, HourBlock>)| {
            let mut whole: PoolHour = changed.into_iter().collect();
            whole.fill(self.hour(hour));
            (hour, whole)
        };
        hours.map(whole).collect()
    }

    fn changed(&self, reading: &Reading) -> BTreeMap<(Signal, Minute), HourBlock> {
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
        for ((signal, hour), block) in self.changed(reading) {
            self.restore(signal, hour, block);
        }
    }

    /// What is known of the hour in which this minute lies.
    #[must_use]
    pub fn hour(&self, minute: Minute) -> &PoolHour {
        static NOTHING: LazyLock<PoolHour> = LazyLock::new(PoolHour::default);
        let place = self.place(minute).ok();
        let held = place.and_then(|place| self.0.get(place));
        held.map_or(&NOTHING, |(_, hour)| hour)
    }

    /// Puts this hour in the place of what is known of it.
    pub fn replace(&mut self, hour: Minute, whole: PoolHour) {
        match self.place(hour) {
            Ok(place) if whole.is_empty() => drop(self.0.remove(place)),
            Ok(place) => {
                if let Some((_, held)) = self.0.get_mut(place) {
                    *held = whole;
                }
            }
            Err(_) if whole.is_empty() => {}
            Err(place) => {
                make_room(&mut self.0);
                self.0.insert(place, (number(hour), whole));
            }
        }
    }

    /// Puts back one hour of one signal.
    pub fn restore(&mut self, signal: Signal, hour: Minute, block: HourBlock) {
        self.put(signal, hour, Some(&block));
    }

    /// Forgets one hour of one signal.
    pub fn forget(&mut self, signal: Signal, hour: Minute) {
        self.put(signal, hour, None);
    }

    fn put(&mut self, signal: Signal, hour: Minute, block: Option<&HourBlock>) {
        let mut whole = self.hour(hour).clone();
        whole.put(signal, block);
        self.replace(hour, whole);
    }

    /// The block of this hour, where one exists.
    #[must_use]
    pub fn block(&self, signal: Signal, hour: Minute) -> Option<HourBlock> {
        self.hour(hour).block(signal)
    }

    /// Whether this hour of this signal is held in minutes.
    #[must_use]
    pub fn holds(&self, signal: Signal, hour: Minute) -> bool {
        self.packed(signal, hour).is_some()
    }

    /// Whether any hour of this signal is held that begins in `from..until`.
    #[must_use]
    pub fn has_any(&self, signal: Signal, from: Minute, until: Minute) -> bool {
        let first = match self.place(from) {
            Ok(place) | Err(place) => place,
        };
        let mut later = self.hours().skip(first);
        later
            .by_ref()
            .skip_while(|(hour, _)| *hour < from) // it begins before
            .take_while(|(hour, _)| *hour < until)
            .any(|(_, hour)| hour.get(signal).is_some())
    }

    /// All hours of which anything is held, in order.
    pub fn hours(&self) -> impl DoubleEndedIterator<Item = (Minute, &PoolHour)> {
        let hours = self.0.iter();
        hours.map(|(number, hour)| (Minute(i64::from(*number) * HOUR), hour))
    }

    /// All hours that are held in minutes, signal by signal.
    pub fn held(&self) -> impl Iterator<Item = (Signal, Minute)> {
        let hours = self.hours();
        hours.flat_map(|(hour, held)| held.signals().map(move |signal| (signal, hour)))
    }

    /// All hours that are held in minutes, with their samples.
    pub fn hours_held(&self) -> impl Iterator<Item = (Signal, Minute, HourBlock)> {
        let hours = self.hours();
        hours.flat_map(|(hour, held)| held.blocks().map(move |(signal, it)| (signal, hour, it)))
    }

    /// The first minute of the first hour that is held.
    #[must_use]
    pub fn first_minute(&self) -> Option<Minute> {
        self.hours().next().map(|(hour, _)| hour)
    }

    /// The last minute with a number for this signal.
    #[must_use]
    pub fn last_value(&self, signal: Signal) -> Option<(Minute, f64)> {
        self.hours().rev().find_map(|(hour, held)| {
            let held = held.get(signal)?;
            let mut minutes = hour.until(hour.plus(HOUR)).rev();
            minutes.find_map(|minute| Some((minute, held.get(offset(minute)).value()?)))
        })
    }

    /// Lets the minutes of days before the day `first` go.
    pub fn forget_before(&mut self, first: i64) {
        let first = Minute(first.saturating_mul(DAY));
        let place = match self.place(first) {
            Ok(place) | Err(place) => place,
        };
        self.0.drain(..place);
    }

    /// One signal of the hour in which this minute lies.
    pub(super) fn packed(&self, signal: Signal, minute: Minute) -> Option<Hour<'_>> {
        let (_, hour) = self.0.get(self.place(minute).ok()?)?;
        hour.get(signal)
    }

    /// Where the hour of this minute is, or would be.
    fn place(&self, minute: Minute) -> Result<usize, usize> {
        self.0
            .binary_search_by_key(&number(minute), |(hour, _)| *hour)
    }
}

/// A little more room, not twice as much: there are thousands of these lists, and all are as long as they will ever be.
fn make_room<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(4);
    }
}

/// The number of the hour in which this minute lies.
fn number(minute: Minute) -> i32 {
    let hour = minute.0.div_euclid(HOUR);
    i32::try_from(hour).unwrap_or(if hour < 0 { i32::MIN } else { i32::MAX }) // 245,000 years off
}

fn offset(minute: Minute) -> usize {
    usize::try_from(minute.since(minute.hour())).unwrap_or(usize::MAX) // 0..60 by construction
}

#[cfg(test)]
mod tests;
