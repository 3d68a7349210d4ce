//! A quota that counts tokens over a UTC day: how much of today's is used, and how far the sums of hours and days were from
//! what was forecast.
//!
//! What was charged since 00:00 UTC is known, so that only the rest of the day is uncertain: late in the day little can
//! change, however restless demand is. The day is exhausted when what comes exceeds what is left; each later day begins at
//! nothing. The statistic: each hour the sum that is forecast for the next hour and for the next 24 is put by and compared
//! with what came, in logarithms, as `busy` does it with peaks.
//!
//! What fools it: a day that is known to less than 95 % has no sum, so nothing is said until the next one. Cold start:
//! priors with the weight of two days.

use serde::{Deserialize, Serialize};

use super::{
    busy::{Ahead, Error, Errors, Hours},
    history::QUARTER,
};
use crate::{
    engine::yardstick::{DayUse, Use},
    model::time::{DAY, HOUR, Minute},
};

/// Hours of a day.
const HOURS: usize = 24;
/// Known minutes that make an hour's sum count.
const LEAST_KNOWN: u8 = 30;
/// Minutes of an hour.
const MINUTES: f64 = 60.0;
/// Prior mean and deviation of the error of the sum of the next hour, and of the next day.
const HOUR_PRIOR: Error = Error {
    bias: 0.0,
    deviation: 0.15,
};
const DAY_PRIOR: Error = Error {
    bias: 0.0,
    deviation: 0.25,
};

/// What is kept of the days.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Daily {
    today: DayUse,
    /// `None` while too little of the day is known.
    so_far: Option<f64>,
    /// As of the end of the last whole quarter of an hour, the origin of every forecast.
    at_origin: Option<f64>,
    yesterday: Option<f64>,
    /// Of the hour so far.
    sum: f64,
    known: u8,
    /// Logarithms of the sums of the last 24 hours; `NaN` for a gap.
    hours: Hours,
    errors: Errors,
}

impl Daily {
    /// Takes in a minute; `true` at the end of an hour, when [`Self::forecast`] is due.
    pub(super) fn push(&mut self, minute: Minute, value: Option<f64>) -> bool {
        let days = minute.0.div_euclid(DAY) - self.today.day;
        if 0 < days {
            self.yesterday = self.so_far.filter(|_| days == 1);
        }
        self.so_far = match self.today.add(minute, value) {
            Use::Exactly(sum) => Some(sum),
            Use::AtLeast(_) | Use::Unknown => None,
        };
        if minute.plus(1).0.rem_euclid(QUARTER) == 0 {
            let is_over = minute.plus(1).0.rem_euclid(DAY) == 0;
            self.at_origin = if is_over { Some(0.0) } else { self.so_far };
        }
        if let Some(value) = value {
            self.sum += value;
            self.known += 1;
        }
        let is_end = minute.0.rem_euclid(HOUR) == HOUR - 1;
        if is_end {
            self.close();
        }
        is_end
    }

    fn close(&mut self) {
        let mean = if LEAST_KNOWN <= self.known {
            self.sum / f64::from(self.known)
        } else {
            f64::NAN
        };
        self.hours.push((mean * MINUTES).ln());
        (self.sum, self.known) = (0.0, 0);
    }

    /// Puts by what is forecast from here on (logarithms of the sums of hours, a day at least), and compares what was put
    /// by earlier with what came.
    pub(super) fn forecast(&mut self, sums: &[f64]) {
        let came = Ahead {
            hour: self.hours.newest(),
            day: total(Some(&self.hours.all())),
        };
        let forecast = Ahead {
            hour: total(sums.get(..1)),
            day: total(sums.get(..HOURS)),
        };
        self.errors.hour(came, forecast);
    }

    /// Charged since 00:00 UTC, where enough of the day is known.
    pub(super) const fn so_far(&self) -> Option<f64> {
        self.so_far
    }

    /// As [`Self::so_far`], at the origin of the forecasts.
    pub(super) const fn at_origin(&self) -> Option<f64> {
        self.at_origin
    }

    /// What a whole day takes: today's use so far, or yesterday's where that was more.
    pub(super) fn level(&self) -> Option<f64> {
        let so_far = self.so_far?;
        Some(self.yesterday.map_or(so_far, |it| it.max(so_far)))
    }

    /// Errors of the sum of the next hour and of the next day.
    pub(super) fn errors(&self) -> (Error, Error) {
        self.errors.known(HOUR_PRIOR, DAY_PRIOR)
    }
}

/// The logarithm of the sum of what these are logarithms of; `NaN` where one is not known.
pub(super) fn total(logs: Option<&[f64]>) -> f64 {
    let logs = logs.unwrap_or(&[f64::NAN]);
    logs.iter().map(|it| it.exp()).sum::<f64>().ln()
}
