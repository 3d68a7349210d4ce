//! What a quota counts: the busy minutes, or the tokens of a day.

use serde::{Deserialize, Serialize};

use super::{
    busy::{Busy, Error},
    daily::Daily,
    exhaustion::{Outlook, PATH_HOURS},
    fit::Fit,
    history::QUARTER,
    peaks::Peaks,
    sums::Sums,
};
use crate::model::{
    outlook::Exhaustion,
    time::{DAY, HOUR, Minute},
    units::QuotaKind,
};

/// Hours that are put by.
const DAY_HOURS: usize = 24;

/// What is counted so far, and how wrong its own forecasts were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Gauge {
    /// The level that three of five minutes reach.
    Minute(Busy),
    /// The sum since 00:00 UTC.
    Day(Daily),
}

/// What it is forecast to come to, and the errors of such forecasts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Path {
    /// `None` while too little is known of today.
    course: Option<Course>,
    errors: (Error, Error),
}

#[derive(Clone, Debug, PartialEq)]
enum Course {
    Peaks(Peaks),
    Sums(Sums),
}

impl Default for Gauge {
    fn default() -> Self {
        Self::Minute(Busy::default())
    }
}

impl Gauge {
    pub(super) fn of(kind: QuotaKind) -> Self {
        if kind.is_daily() {
            Self::Day(Daily::default())
        } else {
            Self::Minute(Busy::default())
        }
    }

    /// Takes in a minute; `true` at the end of an hour, when [`Self::put_by`] is due.
    pub(super) fn push(&mut self, minute: Minute, value: Option<f64>) -> bool {
        match self {
            Self::Minute(busy) => busy.push(minute, value),
            Self::Day(daily) => daily.push(minute, value),
        }
    }

    /// Puts by what is forecast from here on, and compares what was put by earlier with what came.
    pub(super) fn put_by(&mut self, fit: &Fit) {
        match self {
            Self::Minute(busy) => {
                busy.forecast(&peaks(busy, fit, DAY_HOURS, Fit::smooth));
            }
            Self::Day(daily) => {
                let sums: Vec<f64> = sums(fit, DAY_HOURS).into_iter().map(|it| it.1).collect();
                daily.forecast(&sums);
            }
        }
    }

    pub(super) fn path(&self, fit: &Fit) -> Path {
        match self {
            Self::Minute(busy) => Path {
                course: Some(Course::Peaks(Peaks {
                    hours: peaks(busy, fit, PATH_HOURS, Fit::smooth),
                    day: peaks(busy, fit, DAY_HOURS, |fit, at, step| {
                        fit.expected(at, step).median
                    }),
                })),
                errors: busy.errors(),
            },
            Self::Day(daily) => {
                let sums = |so_far| Sums {
                    so_far,
                    hours: sums(fit, PATH_HOURS),
                    today: hours_of_day(fit.origin),
                };
                Path {
                    course: daily.at_origin().map(sums).map(Course::Sums),
                    errors: daily.errors(),
                }
            }
        }
    }
}

impl Path {
    const fn outlook<'f>(&self, fit: &'f Fit) -> Outlook<'f> {
        Outlook {
            origin: fit.origin,
            trend: &fit.trend,
            errors: self.errors,
        }
    }

    /// What a day that is counted comes to by the end of each step; `None` for a quota that counts by the minute.
    pub(super) fn fan(&self, fit: &Fit, step: i64, steps: usize) -> Option<Vec<[f64; 3]>> {
        let Some(Course::Sums(sums)) = &self.course else {
            return None;
        };
        let hours = usize::try_from(step / HOUR).ok()?;
        Some(sums.fan(&self.outlook(fit), hours, steps))
    }

    /// In the unit of the quota, which is positive, and of which `doubt` is in question: see [`Sums::exhaustion`].
    pub(super) fn exhaustion(&self, fit: &Fit, quota: f64, doubt: f64) -> Option<Exhaustion> {
        let outlook = self.outlook(fit);
        Some(match self.course.as_ref()? {
            Course::Peaks(peaks) => peaks.exhaustion(&outlook, quota),
            Course::Sums(sums) => sums.exhaustion(&outlook, quota, doubt),
        })
    }
}

/// Logarithms of the sustained level of the busiest minutes of the next hours.
fn peaks(
    busy: &Busy,
    fit: &Fit,
    hours: usize,
    mean: impl Fn(&Fit, Minute, i64) -> f64,
) -> Vec<f64> {
    let ratio = busy.ratio();
    let hours = (0_i64..).take(hours).map(|hour| {
        let means = (0..4).map(|at| {
            let at = fit.origin.plus(hour * HOUR + at * QUARTER);
            mean(fit, at, QUARTER)
        });
        means.fold(0.0, f64::max).ln() + ratio
    });
    hours.collect()
}

/// Minutes until the end of each UTC hour from now on, and the logarithms of the sums until then from the end before it.
#[expect(clippy::cast_precision_loss, reason = "fifteen")]
fn sums(fit: &Fit, hours: usize) -> Vec<(i64, f64)> {
    let first = HOUR - fit.origin.0.rem_euclid(HOUR);
    let ends = (0_i64..).take(hours).map(|hour| first + hour * HOUR);
    ends.map(|end| {
        let from = (end - HOUR).max(0);
        let quarters = (from / QUARTER..end / QUARTER).map(|at| at * QUARTER);
        let sum: f64 = quarters
            .map(|at| fit.smooth(fit.origin.plus(at), QUARTER) * QUARTER as f64)
            .sum();
        (end, sum.ln())
    })
    .collect()
}

/// UTC hours of today that are not over.
fn hours_of_day(origin: Minute) -> usize {
    let left = DAY - origin.0.rem_euclid(DAY);
    usize::try_from(left.div_euclid(HOUR) + i64::from(left.rem_euclid(HOUR) != 0)).unwrap_or(0)
}
