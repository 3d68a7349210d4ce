//! The busy minutes: how high the third busiest of five minutes rises above the mean of its quarter, and how far the
//! busiest ones of an hour and of a day were from what was forecast.
//!
//! A quota is exhausted when three of five minutes are throttled. So it is not the mean that counts, nor the highest
//! minute, but the level that three minutes of five reach: the third largest of the last five. The statistic: per hour
//! the largest such level (its *peak*), as a ratio to the busiest quarter of the hour, averaged in logarithms over some
//! days. And each hour the forecast of the highest peak of the next hour and of the next 24 is put by and compared with
//! what came: mean error (peaks beyond the median path are the rule: the highest of 24 noisy hours) and mean absolute
//! error around it, robust by cutting errors at a factor of two.
//!
//! What fools it: bursts come when they come; they are in the errors, not in the path. Cold start: priors with the
//! weight of two days.

use serde::{Deserialize, Serialize};

use super::history::QUARTER;
use crate::{
    engine::packed::narrow,
    model::time::{HOUR, Minute},
};

/// Minutes looked at together, and the rank of the level they reach.
const MINUTES: usize = 5;
const RANK: u8 = 2;
/// Known minutes that make a quarter count.
const LEAST_KNOWN: u8 = 5;
/// What an hour weighs an hour later, for the ratio and for the errors.
const RATIO_FADE: f64 = 0.985;
const FADE: f64 = 0.99;
/// Weight of the priors in hours.
const PRIOR_HOURS: f64 = 48.0;
/// Errors are cut at a factor of two either way.
const CUT: f64 = 0.7;
/// The logarithm of the ratio of peak and quarter before anything is known.
const RATIO_PRIOR: f64 = 0.1;
/// Prior mean and deviation of the error an hour and a day ahead.
const HOUR_PRIOR: Error = Error {
    bias: 0.03,
    deviation: 0.125,
};
const DAY_PRIOR: Error = Error {
    bias: 0.15,
    deviation: 0.31,
};
/// The deviation of a normal distribution in mean absolute errors.
const NORMAL: f64 = 1.2533;

/// The third largest of five minutes, as they come.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Sustained {
    newest: [f64; MINUTES],
    seen: u8,
}

impl Sustained {
    /// Takes in a minute; a minute that is not known counts as nothing: it proves no level. `None` until three are known.
    pub(super) fn push(&mut self, value: Option<f64>) -> Option<f64> {
        self.newest.rotate_right(1);
        self.newest[0] = value.unwrap_or(0.0);
        self.seen = (self.seen + 1).min(RANK + 1);
        let mut sorted = self.newest;
        sorted.sort_by(|a, b| b.total_cmp(a));
        let level = sorted.get(usize::from(RANK)).copied();
        level.filter(|_| RANK < self.seen)
    }
}

/// How the errors of one window are distributed, in logarithms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Error {
    /// Mean of what came less what was forecast.
    pub(super) bias: f64,
    /// Standard deviation around it.
    pub(super) deviation: f64,
}

/// One number an hour over a day, oldest first, as logarithms of what there was: before the first one there was nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Hours([f32; 24]);

impl Default for Hours {
    fn default() -> Self {
        Self([f32::NEG_INFINITY; 24])
    }
}

impl Hours {
    /// Adds the newest number; what is a day older falls off.
    pub(super) fn push(&mut self, log: f64) -> f64 {
        self.0.rotate_left(1);
        let [.., newest] = &mut self.0;
        let oldest = std::mem::replace(newest, narrow(log));
        oldest.into()
    }

    pub(super) fn all(&self) -> [f64; 24] {
        self.0.map(f64::from)
    }

    pub(super) fn newest(&self) -> f64 {
        let [.., newest] = self.0;
        newest.into()
    }
}

/// How far what came was from what was put by, an hour and a day ahead.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Errors {
    hour: Window,
    day: Window,
    /// Logarithms of what was put by, for the hour and for the day from then on.
    next: Next,
    days: Hours,
}

/// What was put by for the next hour; nothing before the first one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Next(f32);

impl Default for Next {
    fn default() -> Self {
        Self(f32::NEG_INFINITY)
    }
}

/// The errors over one window so far.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
struct Window {
    sum: f64,
    absolute: f64,
    weight: f64,
}

/// A logarithm each: of the next or last hour, and of the next or last 24.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead {
    pub(super) hour: f64,
    pub(super) day: f64,
}

impl Errors {
    /// The end of an hour: what came in the last ones, and what is forecast for the next.
    pub(super) fn hour(&mut self, came: Ahead, forecast: Ahead) {
        let next = std::mem::replace(&mut self.next, Next(narrow(forecast.hour)));
        self.hour.add(came.hour - f64::from(next.0));
        let day = self.days.push(forecast.day);
        self.day.add(came.day - day);
    }

    /// Errors an hour and a day ahead.
    pub(super) fn known(&self, hour: Error, day: Error) -> (Error, Error) {
        (self.hour.known(hour), self.day.known(day))
    }
}

impl Window {
    fn add(&mut self, error: f64) {
        if !error.is_finite() {
            return;
        }
        let error = error.clamp(-CUT, CUT);
        let mean = if 0.0 < self.weight {
            self.sum / self.weight
        } else {
            0.0
        };
        self.sum = self.sum * FADE + error;
        self.absolute = self.absolute * FADE + (error - mean).abs();
        self.weight = self.weight * FADE + 1.0;
    }

    fn known(&self, prior: Error) -> Error {
        let weight = self.weight + PRIOR_HOURS;
        Error {
            bias: (self.sum + PRIOR_HOURS * prior.bias) / weight,
            deviation: (NORMAL * self.absolute + PRIOR_HOURS * prior.deviation) / weight,
        }
    }
}

/// What is kept of the busy minutes.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Busy {
    sustained: Sustained,
    /// Of the hour so far.
    peak: f64,
    busiest: f64,
    /// Of the quarter so far.
    sum: f64,
    known: u8,
    /// Sum and weight of the logarithms of peak over busiest quarter.
    ratio: f64,
    ratio_weight: f64,
    /// Logarithms of the peaks of the last 24 hours.
    peaks: Hours,
    errors: Errors,
}

impl Busy {
    /// Takes in a minute; `true` at the end of an hour, when [`Self::forecast`] is due.
    pub(super) fn push(&mut self, minute: Minute, value: Option<f64>) -> bool {
        if let Some(level) = self.sustained.push(value) {
            self.peak = self.peak.max(level);
        }
        if let Some(value) = value {
            self.sum += value;
            self.known += 1;
        }
        if minute.0.rem_euclid(QUARTER) == QUARTER - 1 {
            if LEAST_KNOWN <= self.known {
                self.busiest = self.busiest.max(self.sum / f64::from(self.known));
            }
            (self.sum, self.known) = (0.0, 0);
        }
        let is_end = minute.0.rem_euclid(HOUR) == HOUR - 1;
        if is_end {
            self.close();
        }
        is_end
    }

    fn close(&mut self) {
        if 0.0 < self.peak && 0.0 < self.busiest {
            let ratio = (self.peak / self.busiest).ln().min(1.0);
            self.ratio = self.ratio * RATIO_FADE + ratio;
            self.ratio_weight = self.ratio_weight * RATIO_FADE + 1.0;
        }
        self.peaks.push(self.peak.ln());
        (self.peak, self.busiest) = (0.0, 0.0);
    }

    /// Puts by what is forecast from here on (logarithms of the peaks, one an hour, a day at least), and compares what
    /// was put by earlier with what came.
    pub(super) fn forecast(&mut self, peaks: &[f64]) {
        let highest = |peaks: &[f64]| peaks.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let came = Ahead {
            hour: self.peaks.newest(),
            day: highest(&self.peaks.all()),
        };
        let forecast = Ahead {
            hour: highest(peaks.get(..1).unwrap_or(&[])),
            day: highest(peaks.get(..24).unwrap_or(peaks)),
        };
        self.errors.hour(came, forecast);
    }

    /// The logarithm of the ratio of an hour's peak to its busiest quarter.
    pub(super) fn ratio(&self) -> f64 {
        if 0.0 < self.ratio_weight {
            self.ratio / self.ratio_weight
        } else {
            RATIO_PRIOR
        }
    }

    /// Errors of the highest peak, one hour and one day ahead.
    pub(super) fn errors(&self) -> (Error, Error) {
        self.errors.known(HOUR_PRIOR, DAY_PRIOR)
    }
}
