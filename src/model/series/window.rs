//! Minutes of one signal in a row, over the ends of hours.

use super::{PoolSeries, Sample, Signal};
use crate::model::time::{HOUR, Minute};

/// The minutes of a stretch, in order; those never read are `Unobserved`. An hour is found and unpacked once, into the
/// same place, and how many are left is known: fortnights of every signal are read this way, each minute.
#[derive(Clone, Debug)]
pub struct Window<'a> {
    /// Where an hour is looked for; the first that holds it has the word.
    held: [&'a PoolSeries; 2],
    signal: Signal,
    /// The first minute that is not unpacked yet.
    next: Minute,
    until: Minute,
    hour: [Sample; 60],
    /// Of `hour`, what is still to come.
    place: usize,
    end: usize,
}

impl<'a> Window<'a> {
    /// From `from` up to and without `until`. Hours that the first series does not hold come from the second.
    #[must_use]
    pub fn of(
        series: [&'a PoolSeries; 2],
        signal: Signal,
        (from, until): (Minute, Minute),
    ) -> Self {
        Self {
            held: series,
            signal,
            next: from,
            until,
            hour: [Sample::Unobserved; 60],
            place: 0,
            end: 0,
        }
    }

    fn unpack(&mut self) {
        let hour = self.next.hour();
        let after = hour.plus(HOUR);
        let held = self.held.iter().find_map(|it| it.packed(self.signal, hour));
        (self.place, self.end) = (within(hour, self.next), within(hour, self.until));
        self.hour = held.map_or([Sample::Unobserved; 60], |it| {
            it.samples(self.place..self.end)
        });
        self.next = after;
    }
}

impl Iterator for Window<'_> {
    type Item = Sample;

    #[inline]
    fn next(&mut self) -> Option<Sample> {
        if self.place == self.end {
            if self.until <= self.next {
                return None;
            }
            self.unpack();
        }
        let sample = self.hour.get(self.place).copied();
        self.place += 1;
        sample
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let packed = usize::try_from(self.until.since(self.next)).unwrap_or(0); // negative once all is unpacked
        let left = self.end - self.place + packed;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Window<'_> {}

/// Where this minute lies in the hour: 0 before it, 60 after it.
fn within(hour: Minute, minute: Minute) -> usize {
    usize::try_from(minute.since(hour).clamp(0, HOUR)).unwrap_or(0) // clamped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_the_minutes_that_one_by_one_has_and_says_how_many() {
        let midnight = Minute(20_000 * 1_440);
        let mut recent = PoolSeries::default();
        let mut past = PoolSeries::default();
        let count = |hour: i32| {
            let mut next = f64::from(100 * hour);
            [(); 60].map(|()| {
                next += 1.0;
                Sample::Value(next)
            })
        };
        for hour in [1, 2, 5] {
            recent.restore(
                Signal::Invocations,
                midnight.plus(i64::from(hour) * HOUR),
                count(hour),
            );
        }
        for hour in [0, 1, 4] {
            past.restore(
                Signal::Invocations,
                midnight.plus(i64::from(hour) * HOUR),
                count(10 + hour),
            );
        }
        let one = |minute: Minute| {
            if recent.holds(Signal::Invocations, minute.hour()) {
                recent.get(Signal::Invocations, minute)
            } else {
                past.get(Signal::Invocations, minute)
            }
        };
        for (from, until) in [
            (0, 360),
            (-70, 420),
            (59, 61),
            (61, 62),
            (130, 130),
            (200, 100),
            (7, 301),
        ] {
            let (from, until) = (midnight.plus(from), midnight.plus(until));
            let window = Window::of([&recent, &past], Signal::Invocations, (from, until));
            let left = window.len();
            let got: Vec<Sample> = window.collect();
            let expected: Vec<Sample> = from.until(until).map(one).collect();
            assert_eq!((left, got), (expected.len(), expected), "{from} to {until}");
        }
        let window = recent.window(Signal::Throttles, midnight, midnight.plus(90));
        assert_eq!(window.filter(|it| *it == Sample::Unobserved).count(), 90);
    }
}
