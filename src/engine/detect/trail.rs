//! The newest minutes of one detector, and sums over the newest few of them.
//!
//! Each sum leaves out one minute: the one that speaks most for an alarm. So a single minute never decides, whatever
//! its size: a hiccup of publishing, one burst of failures, one stray caller. The price is one minute of delay.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{engine::packed::narrow, model::time::Minute};

/// Two rows with more minutes between them are no neighbours: three weeks, half of what two bytes tell apart.
const MOST_APART: i32 = 32_767;

/// One minute of `N` numbers.
pub(super) type Row<const N: usize> = [f64; N];

/// Rows newest first, at most `kept`. Minutes that were not measured have no row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Flat", into = "Flat")]
pub(super) struct Trail<const N: usize> {
    rows: VecDeque<Kept<N>>,
    kept: u16,
    /// The minute of the newest row.
    newest: i32,
}

/// A row as it is kept: the hundreds of them are a third of what a pool's detectors take.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Kept<const N: usize> {
    /// The lower half of it: neighbours lie within [`MOST_APART`] minutes.
    minute: u16,
    /// Bytes, which lie side by side whatever their number.
    values: [[u8; 4]; N],
}

impl<const N: usize> Kept<N> {
    fn new(minute: i32, values: [f32; N]) -> Self {
        Self {
            minute: lower_half(minute),
            values: values.map(f32::to_ne_bytes),
        }
    }

    fn values(&self) -> [f32; N] {
        self.values.map(f32::from_ne_bytes)
    }

    fn row(&self) -> Row<N> {
        self.values().map(f64::from)
    }

    /// Minutes from this row to `later`, which is at most 45 days later.
    fn age(&self, later: i32) -> u16 {
        lower_half(later).wrapping_sub(self.minute)
    }
}

/// A trail as it is kept: serde knows no arrays of any length.
#[derive(Serialize, Deserialize)]
struct Flat {
    kept: u16,
    minutes: Vec<i32>,
    values: Vec<f32>,
}

impl<const N: usize> From<Trail<N>> for Flat {
    fn from(trail: Trail<N>) -> Self {
        Self {
            kept: trail.kept,
            minutes: trail.minutes().collect(),
            values: trail.rows.iter().flat_map(Kept::values).collect(),
        }
    }
}

impl<const N: usize> TryFrom<Flat> for Trail<N> {
    type Error = String;

    fn try_from(flat: Flat) -> Result<Self, String> {
        let (rows, rest) = flat.values.as_chunks::<N>();
        if rows.len() != flat.minutes.len() || !rest.is_empty() {
            return Err(format!("{} minutes of {} values", flat.minutes.len(), N));
        }
        let mut trail = Self::new(flat.kept);
        let rows = flat.minutes.iter().zip(rows);
        trail
            .rows
            .extend(rows.map(|(minute, row)| Kept::new(*minute, *row)));
        trail.newest = flat.minutes.first().copied().unwrap_or(0);
        Ok(trail)
    }
}

/// Sums over the newest `length` rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window<const N: usize> {
    /// Rows, the one left out included.
    pub(super) length: u16,
    /// Sums over all rows but the one left out.
    pub(super) rest: Row<N>,
}

impl<const N: usize> Window<N> {
    /// Rows that `rest` sums.
    pub(super) fn minutes(&self) -> f64 {
        f64::from(self.length) - 1.0
    }
}

impl<const N: usize> Trail<N> {
    pub(super) fn new(kept: u16) -> Self {
        Self {
            rows: VecDeque::with_capacity(usize::from(kept)),
            kept,
            newest: 0,
        }
    }

    /// Adds the newest row, and gives back the one that is no longer kept.
    pub(super) fn push(&mut self, minute: Minute, row: Row<N>) -> Option<Row<N>> {
        let minute = short(minute);
        if MOST_APART < minute.saturating_sub(self.newest) {
            self.rows.clear(); // nothing from before so long a gap is a neighbour
        }
        let is_full = usize::from(self.kept) <= self.rows.len();
        let oldest = is_full.then(|| self.rows.pop_back()).flatten();
        self.rows.push_front(Kept::new(minute, row.map(narrow)));
        self.newest = minute;
        oldest.map(|row| row.row())
    }

    /// Newest first.
    fn minutes(&self) -> impl Iterator<Item = i32> {
        let rows = self.rows.iter();
        rows.scan(self.newest, |later, row| {
            *later -= i32::from(row.age(*later));
            Some(*later)
        })
    }

    /// Rows that are at most `minutes` older than `now`, newest first. What lies behind a long gap is no neighbour.
    fn recent(&self, now: Minute, minutes: u16) -> impl Iterator<Item = Row<N>> {
        let now = short(now);
        let rows = self.rows.iter();
        rows.take_while(move |row| row.age(now) < minutes)
            .map(Kept::row)
    }

    /// The windows of these `lengths` (ascending, each at least 2) that are filled by rows of the last `within` minutes,
    /// shortest first. `alarm` says how much a row speaks for an alarm.
    pub(super) fn windows(
        &self,
        now: Minute,
        within: u16,
        lengths: &[u16],
        alarm: impl Fn(&Row<N>) -> f64,
    ) -> impl Iterator<Item = Window<N>> {
        let mut sums = [0.0; N];
        let mut loudest = (f64::NEG_INFINITY, [0.0; N]);
        let mut rows = self.recent(now, within);
        let mut summed = 0;
        lengths.iter().map_while(move |&length| {
            while summed < length {
                let row = rows.next()?;
                sums = added(sums, row);
                let alarm = alarm(&row);
                if summed == 0 || loudest.0 < alarm {
                    loudest = (alarm, row);
                }
                summed += 1;
            }
            let rest = added(sums, loudest.1.map(|value| -value));
            Some(Window { length, rest })
        })
    }

    /// Running sums of what `of` makes of the rows of the last `within` minutes.
    pub(super) fn sums<const M: usize>(
        &self,
        now: Minute,
        within: u16,
        of: impl Fn(Row<N>) -> Row<M>,
    ) -> Sums<M> {
        let mut sums = Vec::with_capacity(self.rows.len() + 1);
        let mut sum = [0.0; M];
        sums.push(sum);
        sums.extend(self.recent(now, within).map(|row| {
            sum = added(sum, of(row));
            sum
        }));
        Sums { sums }
    }
}

/// Sums over the newest 0, 1, 2 … rows: what any stretch of rows comes to, without adding it up again.
#[derive(Clone, Debug)]
pub(super) struct Sums<const N: usize> {
    sums: Vec<Row<N>>,
}

impl<const N: usize> Sums<N> {
    /// Sums over the rows number `from` (0 is the newest) up to and without `to`, and how many there were.
    pub(super) fn of(&self, from: u16, to: u16) -> (Row<N>, f64) {
        let last = self.sums.len().saturating_sub(1);
        let (from, to) = (usize::from(from).min(last), usize::from(to).min(last));
        match (self.sums.get(from), self.sums.get(to)) {
            (Some(less), Some(more)) => (added(*more, less.map(|value| -value)), rows(from, to)),
            _ => ([0.0; N], 0.0),
        }
    }
}

fn rows(from: usize, to: usize) -> f64 {
    u32::try_from(to.saturating_sub(from)).map_or(0.0, f64::from)
}

fn added<const N: usize>(mut sums: Row<N>, row: Row<N>) -> Row<N> {
    for (sum, value) in sums.iter_mut().zip(row) {
        *sum += value;
    }
    sums
}

/// A minute in half the bytes; what lies four thousand years from 1970 is not told apart.
pub(super) fn short(minute: Minute) -> i32 {
    i32::try_from(minute.0).unwrap_or(i32::MAX)
}

/// Two bytes tell minutes apart that lie within 45 days.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the upper half is left out"
)]
const fn lower_half(minute: i32) -> u16 {
    minute as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_leaves_out_the_loudest_minute() {
        let mut trail = Trail::new(5);
        for (minute, value) in (0..).zip([1.0, 9.0, 2.0, 3.0]) {
            trail.push(Minute(minute), [value]);
        }
        let rest = |within: u16| -> Vec<(u16, f64)> {
            let windows = trail.windows(Minute(3), within, &[2, 4], |row| row[0]);
            windows
                .map(|window| (window.length, window.rest[0]))
                .collect()
        };
        assert_eq!(rest(10), [(2, 2.0), (4, 6.0)]);
        assert_eq!(rest(3), [(2, 2.0)], "the fourth row is too old");
    }

    #[test]
    fn a_trail_comes_back_as_it_was_however_far_its_rows_lie_apart() {
        let mut trail = Trail::new(5);
        for (at, value) in [(-3, 1.0), (30_000, 2.0), (60_000, 3.0), (90_000, 4.0)] {
            trail.push(Minute(at), [value]);
        }
        let again = Trail::try_from(Flat::from(trail.clone())).unwrap();
        assert_eq!(trail, again);
        let minutes: Vec<i32> = trail.minutes().collect();
        assert_eq!(minutes, [90_000, 60_000, 30_000, -3]);
        let recent = |trail: &Trail<1>, now| trail.recent(Minute(now), 105).count();
        assert_eq!(recent(&trail, 90_000), 1);
        trail.push(Minute(90_000 + 65_536), [5.0]);
        assert_eq!(
            recent(&trail, 90_000 + 65_536),
            1,
            "not told apart by two bytes"
        );
    }

    #[test]
    fn what_falls_off_the_end_comes_back() {
        let mut trail = Trail::new(2);
        assert_eq!(trail.push(Minute(0), [1.0]), None);
        assert_eq!(trail.push(Minute(1), [2.0]), None);
        assert_eq!(trail.push(Minute(2), [3.0]), Some([1.0]));
        let sums = trail.sums(Minute(2), 9, |row| row);
        assert_eq!(sums.of(1, 5), ([2.0], 1.0));
        assert_eq!(sums.of(7, 9), ([0.0], 0.0));
    }
}
