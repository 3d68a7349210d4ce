//! What is kept of the past of one quantity: the means of its quarters of an hour over fifteen days.
//!
//! A quarter takes two bytes (see `packed`). It counts when at least a third of its minutes are known; otherwise it is a gap, never a zero.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{
    engine::packed::{packed, unpacked},
    model::{series::Sample, time::Minute},
};

/// Minutes of a quarter.
pub(super) const QUARTER: i64 = 15;
/// Quarters of an hour.
pub(super) const HOUR: usize = 4;
/// Quarters of a day.
pub(super) const DAY: usize = 96;
/// Quarters of a week.
pub(super) const WEEK: usize = 7 * DAY;
/// Quarters kept: two weeks to compare with each other, and a day for the edge.
const KEPT: usize = 15 * DAY;
/// As [`KEPT`], in minutes.
const KEPT_MINUTES: i64 = 15 * crate::model::time::DAY;
/// Known minutes that make a quarter count.
const LEAST_KNOWN: u8 = 5;

/// The past of one quantity.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct History {
    quarters: VecDeque<u16>,
    sum: f64,
    known: u8,
    next: Option<Minute>,
}

impl History {
    /// Takes in one minute. Minutes that were left out since the last one are gaps; a minute of the past is passed over,
    /// and the answer is `false`.
    pub(super) fn push(&mut self, minute: Minute, sample: Sample) -> bool {
        let next = *self.next.get_or_insert(minute);
        if minute < next {
            return false;
        }
        if KEPT_MINUTES < minute.since(next) {
            *self = Self::default(); // nothing that was kept is near enough to mean anything
        } else {
            for missing in next.until(minute) {
                self.put(missing, None);
            }
        }
        self.put(minute, sample.value());
        true
    }

    fn put(&mut self, minute: Minute, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value.max(0.0);
            self.known += 1;
        }
        if minute.0.rem_euclid(QUARTER) == QUARTER - 1 {
            if self.quarters.len() == KEPT {
                self.quarters.pop_front();
            }
            let is_known = LEAST_KNOWN <= self.known;
            let mean = self.sum / f64::from(self.known);
            if self.quarters.is_empty() {
                self.quarters.reserve_exact(KEPT); // what doubles as it grows ends with a third unused
            }
            self.quarters
                .push_back(packed(if is_known { mean } else { f64::NAN }));
            (self.sum, self.known) = (0.0, 0);
        }
        self.next = Some(minute.plus(1));
    }

    /// The number of quarters since 1970 up to the end of the last whole one.
    pub(super) fn end(&self) -> Option<i64> {
        self.next.map(|next| next.0.div_euclid(QUARTER))
    }

    /// The means of all quarters, oldest first; `NaN` for a gap.
    pub(super) fn quarters(&self) -> Vec<f64> {
        self.quarters.iter().map(|&it| unpacked(it)).collect()
    }

    /// The means of the last four whole quarters, oldest first; `NaN` for a gap.
    pub(super) fn hour(&self) -> [f64; HOUR] {
        let at = |it: usize| (self.quarters.len() + it).checked_sub(HOUR);
        let code = |it| at(it).and_then(|at| self.quarters.get(at));
        std::array::from_fn(|it| code(it).map_or(f64::NAN, |&it| unpacked(it)))
    }

    /// The mean of the last whole quarter; `NaN` for a gap.
    pub(super) fn last(&self) -> f64 {
        self.quarters.back().map_or(f64::NAN, |&it| unpacked(it))
    }
}
