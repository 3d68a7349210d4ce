//! What the last seven days were like at this time of day, scaled to the level of today.
//!
//! The statistic: of each past day the highest and the lowest slot within one slot of the same time of day, times today's
//! level over that day's level (the median ratio of the last six hours' slots, at most threefold); of these the median
//! over the days, widened to what the same weekday was. Why this one:
//! - a nightly batch may begin a slot early or late;
//! - growth and weekends move a whole day, and the last six hours show by how much;
//! - an incident last week moves one of seven values, and the median ignores up to three. Only the same weekday is
//!   believed alone, since a weekly peak has no other witness: an incident makes the same quarter hour of the next week
//!   less strict, and nothing else.
//!
//! What fools it: the first weekend, and a clock change (all is UTC): both last until the level of six hours has followed.
//! Cold start: one day is enough for a range; [`Profile::is_young`] holds for the first week, in which the range is wider.

use serde::{Deserialize, Serialize};

use crate::{
    engine::{
        median::median,
        packed::{packed, unpacked},
    },
    model::time::{DAY, Minute},
};

const DAYS: i64 = 7;
/// No day is scaled by more than this, or by less than its inverse.
const MOST_SCALE: f64 = 3.0;
/// In the first week a quiet day lowers the high no more than this, and a busy one does not raise the low: the days to come
/// were never seen.
const LEAST_YOUNG_SCALE: f64 = 0.7;
/// Slots of today that must be comparable before a day is scaled.
const LEAST_RATIOS: usize = 4;

/// What is usual at one time of day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Range {
    pub(super) high: f64,
    pub(super) low: f64,
}

/// The means of a week of slots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Profile {
    slot: i64,
    /// By number of the slot since 1970, modulo the length; packed, and a gap where too little was known.
    cells: Vec<u16>,
    now: Option<Slot>,
    range: Option<Range>,
    days: u8,
}

/// The slot under way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Slot {
    number: i64,
    sum: f64,
    weight: f64,
    minutes: i64,
}

impl Profile {
    /// `slot` minutes share a cell; it divides six hours.
    pub(super) fn new(slot: i64) -> Self {
        let length = (DAYS * DAY + DAY / 4) / slot + 2; // the oldest that is asked for lies a week and six hours back
        Self {
            slot,
            cells: vec![packed(f64::NAN); usize::try_from(length).unwrap_or(0)],
            now: None,
            range: None,
            days: 0,
        }
    }

    /// Learns `sum / weight` of this minute, and gives the range that was known before its slot began.
    pub(super) fn push(&mut self, minute: Minute, sum: f64, weight: f64) -> Option<Range> {
        let number = minute.0.div_euclid(self.slot);
        let begun = Slot {
            number,
            sum: 0.0,
            weight: 0.0,
            minutes: 0,
        };
        if self.now.is_none_or(|slot| slot.number != number) {
            if let Some(past) = self.now {
                self.close(past, number);
            }
            self.now = Some(begun);
            self.range = self.compare(number);
        }
        if let Some(slot) = &mut self.now {
            slot.sum += sum;
            slot.weight += weight;
            slot.minutes += 1;
        }
        self.range
    }

    /// Whether less than a week is known.
    pub(super) const fn is_young(&self) -> bool {
        self.days < 7
    }

    fn close(&mut self, past: Slot, next: i64) {
        let is_known = self.slot <= 3 * past.minutes && 0.0 < past.weight;
        let mean = if is_known {
            past.sum / past.weight
        } else {
            f64::NAN
        };
        self.set(past.number, mean);
        let oldest = next.saturating_sub(i64::try_from(self.cells.len()).unwrap_or(i64::MAX));
        for skipped in (past.number + 1).max(oldest)..next {
            self.set(skipped, f64::NAN);
        }
    }

    fn place(&self, number: i64) -> Option<usize> {
        let length = i64::try_from(self.cells.len()).ok()?;
        usize::try_from(number.checked_rem_euclid(length)?).ok()
    }

    fn set(&mut self, number: i64, mean: f64) {
        let place = self.place(number);
        if let Some(cell) = place.and_then(|place| self.cells.get_mut(place)) {
            *cell = packed(mean);
        }
    }

    fn cell(&self, number: i64) -> Option<f64> {
        let cell = unpacked(*self.cells.get(self.place(number)?)?);
        cell.is_finite().then_some(cell)
    }

    fn compare(&mut self, number: i64) -> Option<Range> {
        let a_day = DAY / self.slot;
        let (mut highs, mut lows) = (Vec::new(), Vec::new());
        let mut week = None;
        let is_young = self.cell(number - DAYS * a_day).is_none();
        for day in 1..=DAYS {
            let then = number - day * a_day;
            let near = (then - 1..=then + 1).filter_map(|number| self.cell(number));
            let Some(range) = Range::of(near) else {
                continue;
            };
            let scale = self.scale(number, day * a_day);
            let (low_scale, high_scale) = if is_young {
                (scale.min(1.0), scale.max(LEAST_YOUNG_SCALE))
            } else {
                (scale, scale)
            };
            let (high, low) = (high_scale * range.high, low_scale * range.low);
            highs.push(high);
            lows.push(low);
            if day == DAYS {
                week = Some(Range { high, low });
            }
        }
        self.days = u8::try_from(highs.len()).unwrap_or(u8::MAX);
        let usual = Range {
            high: median(&mut highs)?,
            low: median(&mut lows)?,
        };
        Some(week.map_or(usual, |week| Range {
            high: usual.high.max(week.high),
            low: usual.low.min(week.low),
        }))
    }

    /// Today's level over that of the day `back` slots ago.
    fn scale(&self, number: i64, back: i64) -> f64 {
        let slots = 1..=DAY / 4 / self.slot;
        let ratio = |slot| Some(self.cell(number - slot)? / self.cell(number - slot - back)?);
        let mut ratios: Vec<f64> = slots
            .filter_map(ratio)
            .filter(|it| it.is_finite())
            .collect();
        if ratios.len() < LEAST_RATIOS {
            return 1.0;
        }
        let middle = median(&mut ratios).unwrap_or(1.0); // not empty
        middle.clamp(1.0 / MOST_SCALE, MOST_SCALE)
    }
}

impl Range {
    /// Of one value and more; `None` of none.
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        values
            .map(|value| Self {
                high: value,
                low: value,
            })
            .reduce(|range, next| Self {
                high: range.high.max(next.high),
                low: range.low.min(next.low),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The range at the end of so many days of this shape, at 100 a minute but 300 in the hour from 02:00.
    fn range_after(days: i64, level: impl Fn(i64) -> f64) -> Option<Range> {
        let mut profile = Profile::new(15);
        let mut range = None;
        for minute in 0..days * DAY + 130 {
            let base = if (120..180).contains(&(minute % DAY)) {
                300.0
            } else {
                100.0
            };
            range = profile.push(Minute(minute), base * level(minute / DAY), 1.0);
        }
        range
    }

    #[test]
    fn a_nightly_batch_is_usual_and_an_incident_is_not() {
        let plain = range_after(8, |_| 1.0).unwrap();
        assert!((plain.high - 300.0).abs() < 1.0, "{plain:?}");
        let shaken = range_after(8, |day| if day == 5 { 9.0 } else { 1.0 }).unwrap();
        assert!((shaken.high - 300.0).abs() < 1.0, "{shaken:?}");
    }

    #[test]
    fn growth_is_followed() {
        let grown = range_after(8, |day| if day < 7 { 1.0 } else { 2.0 }).unwrap();
        assert!(600.0 <= grown.high, "{grown:?}");
    }

    #[test]
    fn the_first_day_has_no_range() {
        assert_eq!(range_after(0, |_| 1.0), None);
        assert!(range_after(1, |_| 1.0).is_some());
    }

    #[test]
    fn a_gap_is_not_zero() {
        let mut profile = Profile::new(15);
        let mut range = None;
        for minute in (0..3 * DAY).filter(|minute| !(1_500..1_700).contains(minute)) {
            range = profile.push(Minute(minute), 100.0, 1.0);
        }
        assert_eq!(
            range,
            Some(Range {
                high: 100.0,
                low: 100.0
            })
        );
    }
}
