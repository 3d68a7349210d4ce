//! What became of the warnings about one quota: each is right, wrong, or moot in the end (`model::card`).
//!
//! A warning is right when the quota is exhausted within a day, where it said so, and else within a week. Of several that
//! are open the earliest counts: that is the lead people had. An exhaustion that nobody warned of is missed, unless the
//! quota was exhausted in the week before, too: then people know.

use serde::{Deserialize, Serialize};

use super::warning::Warning;
use crate::model::{
    card::Warnings,
    outlook::Way,
    time::{DAY, Minute},
};

/// How long a notice may take to come true, and how long an exhaustion is remembered.
const WEEK: i64 = 7 * DAY;

/// What was told of one quota, and what came of it.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Tally {
    warnings: Warnings,
    open: Option<Open>,
}

/// A warning that may still come true.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    told: Minute,
    until: Minute,
    quota: f64,
}

impl Tally {
    /// Takes in a minute: what was told in it, the quota, and when that was exhausted last, as of the minute before and
    /// now.
    pub fn step(
        &mut self,
        (minute, told): (Minute, Option<&Warning>),
        quota: Option<f64>,
        exhausted: (Option<Minute>, Option<Minute>),
    ) {
        if let Some(open) = self.open {
            if quota.is_some_and(|quota| quota.to_bits() != open.quota.to_bits()) {
                self.warnings.moot = self.warnings.moot.saturating_add(1);
                self.open = None;
            } else if open.until < minute {
                self.warnings.wrong = self.warnings.wrong.saturating_add(1);
                self.open = None;
            }
        }
        let (before, now) = exhausted;
        if now == Some(minute) {
            match self.open.take() {
                Some(open) => self.came_true(minute.since(open.told)),
                None if before.is_none_or(|at| WEEK <= minute.since(at)) => {
                    self.warnings.missed = self.warnings.missed.saturating_add(1);
                }
                None => {}
            }
        }
        if let Some(warning) = told {
            let lasts = match warning.way {
                Way::Soon => DAY,
                Way::Ahead | Way::Near | Way::Climb => WEEK,
            };
            let until = minute.plus(lasts);
            let open = self.open.get_or_insert(Open {
                told: minute,
                until,
                quota: warning.quota,
            });
            open.until = open.until.max(until);
        }
    }

    fn came_true(&mut self, lead: i64) {
        let warnings = &mut self.warnings;
        warnings.right = warnings.right.saturating_add(1);
        warnings.leads.rotate_right(1);
        if let Some(first) = warnings.leads.first_mut() {
            *first = u16::try_from(lead.max(1)).unwrap_or(u16::MAX); // a week of minutes fits six times
        }
    }

    /// What came of all warnings so far.
    #[must_use]
    pub const fn warnings(&self) -> Warnings {
        self.warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::outlook::Exhaustion;

    const QUOTA: f64 = 100.0;

    fn warning(minute: i64, way: Way) -> Warning {
        Warning {
            minute: Minute(minute),
            way,
            used: 70.0,
            quota: QUOTA,
            exhaustion: Exhaustion {
                origin: Minute(minute),
                p10: None,
                p50: None,
                p90: None,
                within_hour: 0.0,
                within_day: 0.5,
                within_week: 0.5,
                within_month: 0.5,
                after_day: 0.0,
                if_within_day: None,
                if_within_week: None,
                week_p95: 90.0,
            },
        }
    }

    /// Steps through `minutes`, with what is told and when the quota is exhausted.
    fn run(
        minutes: i64,
        told: &[(i64, Way)],
        exhausted: &[i64],
        quota: impl Fn(i64) -> f64,
    ) -> Warnings {
        let mut tally = Tally::default();
        let mut last = None;
        for minute in 0..minutes {
            let now = exhausted
                .contains(&minute)
                .then_some(Minute(minute))
                .or(last);
            let told = told.iter().find(|it| it.0 == minute);
            let told = told.map(|(at, way)| warning(*at, *way));
            tally.step(
                (Minute(minute), told.as_ref()),
                Some(quota(minute)),
                (last, now),
            );
            last = now;
        }
        tally.warnings()
    }

    #[test]
    fn the_earliest_of_several_warnings_is_the_lead() {
        let told = [(10, Way::Ahead), (4_000, Way::Soon)];
        let came = run(5_000, &told, &[4_400, 4_401], |_| QUOTA);
        assert_eq!((came.right, came.wrong, came.missed), (1, 0, 0));
        assert_eq!(came.leads, [4_390, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_warning_that_nothing_follows_is_wrong_when_its_time_is_over() {
        let soon = [(10, Way::Soon)];
        assert_eq!(run(10 + DAY, &soon, &[], |_| QUOTA).wrong, 0);
        assert_eq!(run(12 + DAY, &soon, &[], |_| QUOTA).wrong, 1);
        let near = [(10, Way::Near)];
        assert_eq!(run(12 + DAY, &near, &[], |_| QUOTA).wrong, 0);
        assert_eq!(run(12 + WEEK, &near, &[], |_| QUOTA).wrong, 1);
    }

    #[test]
    fn a_quota_that_is_raised_makes_a_warning_moot() {
        let told = [(10, Way::Soon)];
        let came = run(3 * DAY, &told, &[], |minute| {
            if minute < 100 { QUOTA } else { 200.0 }
        });
        assert_eq!((came.right, came.wrong, came.moot), (0, 0, 1));
    }

    #[test]
    fn what_nobody_warned_of_is_missed_once_a_week() {
        let came = run(20 * DAY, &[], &[100, 5_000, 9_000, 25_000], |_| QUOTA);
        assert_eq!(came.missed, 2);
    }
}
