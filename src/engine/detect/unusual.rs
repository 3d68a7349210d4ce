//! One signal of any unit and any sign: how strange its newest value is, and whether it is worth a page.
//!
//! For signals of which nothing is known but their past: what is not a count, has no volume behind it, or comes every five
//! minutes or every hour. The same four ideas as in the other detectors, without their knowledge of requests.
//!
//! - *Strangeness*, for each value: the value against the long run, or the mean of three values against the running mean of a
//!   day, whichever is more, in deviations of that difference (a running mean absolute deviation, clipped at four, so
//!   that an incident widens it little). Three values: one is noise, and ten come too late.
//! - *Page*: the same deviations of a jump (the value against the mean of the ten before) and of the season (the value beyond what
//!   this time of day and its neighbours were), each against the records of the past: on a logarithmic scale, by a
//!   Gumbel distribution through the quartiles of the maxima of blocks of 48 values, and never below the fifth largest.
//!   A page is told once: within 150 values only one that is stranger still is told again.
//!
//! Why logarithms of deviations: heavy tails. On counts of messages the plain maxima promise a limit that is passed
//! every day. What fools it: a slow drift, which the running mean follows; a series shorter than three blocks has no page.

use std::collections::VecDeque;

use crate::engine::packed::narrow;

/// Values that fade out of the running deviations.
const MEMORY: f64 = 3_000.0;
/// Values until a deviation is known.
const YOUNG: f64 = 30.0;
const CLIP: f64 = 4.0;
/// Standard deviation of a normal distribution by its mean absolute deviation.
const NORMAL: f64 = 1.2533;
/// Values that a jump is compared with fade by this.
const JUMP: f64 = 10.0;
/// How much of a slot is replaced by its newest value.
const RENEWED: f64 = 0.3;
/// Values of the mean that strangeness is about.
const FEW: usize = 3;

const BLOCK: u16 = 48;
const KEPT: usize = 200;
const LEAST_BLOCKS: usize = 3;
const RECORD: usize = 5;
/// The least scale of the logarithms: by chance a record is beaten by half.
const LEAST_SCALE: f64 = 0.5;
const HOLD: u32 = 150;

/// What one value is.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Strange {
    /// Deviations by which the value is away from the long run, or the newest three from the mean of a day.
    pub strangeness: f64,
    /// How far the value is beyond the records of the past, in scales of those records; 0 where it is not, or was told.
    pub page: f64,
}

/// The state of one signal.
#[derive(Clone, Debug, PartialEq)]
pub struct Unusual {
    /// Per slot of the day what its values were; not a number before the first.
    slots: Vec<f32>,
    near: Option<f64>,
    day: Option<f64>,
    newest: VecDeque<f64>,
    level: Scatter,
    shift: Scatter,
    jump: (Scatter, Records),
    season: (Scatter, Records),
    /// The strongest page within the hold, and the values since.
    told: f64,
    since_told: u32,
}

impl Unusual {
    /// For a signal with so many values a day, at least one.
    #[must_use]
    pub fn new(values_a_day: u16) -> Self {
        Self {
            slots: vec![f32::NAN; usize::from(values_a_day.max(1))],
            near: None,
            day: None,
            newest: VecDeque::with_capacity(FEW + 1),
            level: Scatter::default(),
            shift: Scatter::default(),
            jump: Default::default(),
            season: Default::default(),
            told: 0.0,
            since_told: 0,
        }
    }

    /// The next value. `slot` says which of the day's values it is; beyond the last it wraps. A value that is not a number
    /// is a missing one: it proves nothing and teaches nothing.
    pub fn push(&mut self, slot: usize, value: f64) -> Strange {
        self.since_told = self.since_told.saturating_add(1);
        if !value.is_finite() {
            return Strange::default();
        }
        let level = self.level.push(value);
        let strangeness = self.away_from_the_day(value).max(level);
        let jump = self.near.map_or(0.0, |near| self.jump.0.push(value - near));
        self.near = Some(self.near.map_or(value, |near| near + (value - near) / JUMP));
        let season = match self.beyond_the_season(slot, value) {
            Some(beyond) => self.season.0.push(beyond),
            None => 0.0,
        };
        let page = self.jump.1.push(jump).max(self.season.1.push(season));
        Strange {
            strangeness,
            page: self.once(page),
        }
    }

    fn away_from_the_day(&mut self, value: f64) -> f64 {
        self.newest.push_back(value);
        if FEW < self.newest.len() {
            self.newest.pop_front();
        }
        let count = u32::try_from(self.newest.len()).unwrap_or(1); // at most three
        let mean = self.newest.iter().sum::<f64>() / f64::from(count);
        let strangeness = self.day.map_or(0.0, |day| self.shift.push(mean - day));
        let a_day = u32::try_from(self.slots.len()).map_or(1.0, f64::from);
        self.day = Some(self.day.map_or(value, |day| day + (value - day) / a_day));
        strangeness
    }

    /// By how much the value is outside of what its slot and the slots beside it were, and learns it.
    fn beyond_the_season(&mut self, slot: usize, value: f64) -> Option<f64> {
        let length = self.slots.len();
        let slot = slot % length;
        let near = [slot, (slot + 1) % length, (slot + length - 1) % length];
        let known = near.iter().filter_map(|slot| self.slots.get(*slot));
        let known = known.filter(|it| it.is_finite()).map(|it| f64::from(*it));
        let range = known
            .map(|known| (known, known))
            .reduce(|(low, high), (next, _)| (low.min(next), high.max(next)));
        if let Some(own) = self.slots.get_mut(slot) {
            *own = if own.is_finite() {
                let most = self.season.0.most();
                let step = (value - f64::from(*own)).clamp(-most, most);
                narrow(RENEWED.mul_add(step, f64::from(*own)))
            } else {
                narrow(value)
            };
        }
        range.map(|(low, high)| value - value.clamp(low, high))
    }

    fn once(&mut self, page: f64) -> f64 {
        if HOLD < self.since_told {
            self.told = 0.0;
        }
        if page <= self.told {
            return 0.0;
        }
        (self.told, self.since_told) = (page, 0);
        page
    }
}

/// Running mean and mean absolute deviation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Scatter {
    mean: f64,
    deviation: f64,
    seen: f64,
}

impl Scatter {
    /// What teaches at most: an incident is not what its time of day is like.
    fn most(&self) -> f64 {
        if self.seen <= YOUNG {
            f64::INFINITY
        } else {
            CLIP * NORMAL * self.deviation
        }
    }

    /// Deviations by which the value is away, by what was known before it; 0 while young.
    fn push(&mut self, value: f64) -> f64 {
        self.seen = (self.seen + 1.0).min(MEMORY);
        let deviation = NORMAL * self.deviation;
        let away = value - self.mean;
        let is_young = self.seen <= YOUNG;
        // A thousandth of the mean: a signal that never moved has no deviation, and its first ripple is no news.
        let scale = deviation + 0.001 * self.mean.abs();
        let score = if is_young || scale <= 0.0 {
            0.0
        } else {
            (away / scale).abs()
        };
        let taught = if is_young {
            away
        } else {
            away.clamp(-CLIP * deviation, CLIP * deviation)
        };
        self.mean += taught / self.seen;
        self.deviation += (taught.abs() - self.deviation) / self.seen;
        score
    }
}

/// The largest scores of past blocks, as logarithms.
#[derive(Clone, Debug, Default, PartialEq)]
struct Records {
    maxima: VecDeque<f32>,
    highest: f64,
    seen: u16,
    /// Mode and scale.
    known: Option<(f64, f64)>,
}

impl Records {
    /// How far the score is beyond the records, in their scales; learns it.
    fn push(&mut self, score: f64) -> f64 {
        let score = score.ln_1p();
        let beyond = self
            .known
            .map_or(0.0, |(mode, scale)| ((score - mode) / scale).max(0.0));
        self.highest = self.highest.max(score);
        self.seen += 1;
        if self.seen == BLOCK {
            self.maxima.push_back(narrow(self.highest));
            if KEPT < self.maxima.len() {
                self.maxima.pop_front();
            }
            (self.highest, self.seen) = (0.0, 0);
            self.known = self.fit().or(self.known);
        }
        beyond
    }

    fn fit(&self) -> Option<(f64, f64)> {
        if self.maxima.len() < LEAST_BLOCKS {
            return None;
        }
        let mut sorted: Vec<f64> = self.maxima.iter().copied().map(f64::from).collect();
        sorted.sort_by(f64::total_cmp);
        let quartiles = super::calm::Quartiles::of(&sorted)?;
        let scale = quartiles.gumbel_scale().max(LEAST_SCALE);
        let mode = quartiles.gumbel_mode(scale);
        let record = sorted.iter().rev().nth(RECORD - 1);
        Some((record.map_or(mode, |record| record.max(mode)), scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wave of 288 values a day with some noise; what was told, and the strangest value.
    fn told(days: i32, change: impl Fn(i32, f64) -> f64) -> (Vec<i32>, i32) {
        let mut signal = Unusual::new(288);
        let (mut told, mut strangest) = (Vec::new(), (0, 0.0));
        for at in 0..days * 288 {
            let noise = f64::from((at * 7_919) % 1_009) / 1_009.0;
            let wave = (f64::from(at % 288) / 288.0 * std::f64::consts::TAU).sin();
            let value = change(at, 50.0 + 10.0 * wave + 4.0 * noise);
            let seen = signal.push(usize::try_from(at % 288).unwrap(), value);
            if 1.0 < seen.page {
                told.push(at);
            }
            if strangest.1 < seen.strangeness {
                strangest = (at, seen.strangeness);
            }
        }
        (told, strangest.0)
    }

    #[test]
    fn a_spike_is_told_once_and_is_the_strangest() {
        let spike = |at, value| {
            if (3_000..3_010).contains(&at) {
                value * 4.0
            } else {
                value
            }
        };
        let (told, strangest) = told(14, spike);
        assert_eq!(told.first(), Some(&3_000), "{told:?}");
        assert!(
            told.iter().all(|at| (3_000..3_020).contains(at)),
            "{told:?}"
        );
        assert!((3_000..3_013).contains(&strangest), "{strangest}");
    }

    #[test]
    fn a_wave_and_a_missing_value_are_usual() {
        let missing = |at, value| if at % 97 == 0 { f64::NAN } else { value };
        assert_eq!(told(14, missing).0, [0; 0]);
    }

    #[test]
    fn a_signal_that_never_moves_is_not_strange() {
        assert_eq!(told(4, |_, _| 7.0).0, [0; 0]);
    }
}
