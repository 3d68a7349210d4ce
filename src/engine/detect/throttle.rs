//! Refused requests.
//!
//! The statistic: two minutes with refusals among the last five, in which they were `share` of what was wanted; or a tenth
//! of that in those and over the last hour. A refusal needs no base rate: the quota is used up. One minute alone is a burst
//! that a retry heals, and waiting for a second costs a minute. Two refusals of a hundred thousand requests are nobody's
//! business; a tenth of a percent for an hour is. Both windows have to show it, the long one that it lasts and the short
//! one that it still does (Google's Site Reliability Workbook, "Alerting on SLOs", has the same of error budgets). The hour
//! is a mean that forgets: eight bytes instead of sixty minutes.
//!
//! Where nothing gets through at all (an applied quota of 0, say), three refusals in two minutes or more are enough,
//! however far apart: a pool that is asked twice an hour is as blocked as one that is asked twice a second.
//!
//! A stretch ends after a quarter of an hour without refusals, and while nothing gets through after three hours. Of
//! stretches that begin within the hour of a page, people are told when the hour is over and requests are still refused.
//!
//! What fools it: clients that retry at once multiply refusals, so that the share is an upper bound.

use serde::{Deserialize, Serialize};

use super::{Evidence, Step};
use crate::{
    engine::packed::narrow,
    model::{
        time::{HOUR, Minute},
        unusual::Refused,
    },
};

const WINDOW: i64 = 5;
/// Minutes without refusals that end a stretch: where requests are answered, and where none is.
const CALM_MINUTES: i64 = 15;
const SILENT_MINUTES: i64 = 3 * HOUR;
/// What lasts an hour is worth telling from so much of the share on.
const LASTING: f64 = 0.1;
/// A part of this of what the hour knows is forgotten each minute.
const FORGOTTEN: f32 = 1.0 / 60.0;
/// The hour says nothing before so many minutes.
const LEAST_MINUTES: u8 = 60;
/// Refusals without any answer between them that say that nothing gets through, and in how many minutes.
const LEAST_BLOCKED: f32 = 3.0;
const BLOCKED_MINUTES: u8 = 2;

/// Refusals of one pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Throttle {
    /// The last minute with refusals.
    last: Option<Minute>,
    /// Refused and wanted in it.
    then: (f32, f32),
    /// Refused and wanted over the last hour, and how many minutes of it were seen.
    hour: (f32, f32),
    seen: u8,
    /// Refused since anything was answered, and in how many minutes.
    blocked: (f32, u8),
    since: Option<Minute>,
    /// A stretch nobody was told of yet.
    is_owed: bool,
    told: Option<Minute>,
}

impl Throttle {
    /// `refused` of `wanted` requests in this minute.
    pub(super) fn push(
        &mut self,
        minute: Minute,
        refused: f64,
        wanted: f64,
        worth: Refused,
    ) -> Step {
        let is_within = |at: Option<Minute>, length| at.is_some_and(|at| minute.since(at) < length);
        let is_refused = 0.0 < refused;
        let now = (narrow(refused), narrow(wanted));
        self.remember(now);
        // The older of two lies within the window: so do both.
        let is_second = is_refused && is_within(self.last, WINDOW);
        let is_bad = is_refused && (is_second && self.is_worth(now, worth) || self.is_blocked());
        if is_refused {
            (self.last, self.then) = (Some(minute), now);
        }
        let calm = if 0.0 < self.blocked.0 {
            SILENT_MINUTES
        } else {
            CALM_MINUTES
        };
        let mut turn = None;
        if self.since.is_some() && !is_within(self.last, calm) {
            turn = (!self.is_owed).then_some(false);
            (self.since, self.is_owed) = (None, false);
        }
        if is_bad && self.since.is_none() {
            (self.since, self.is_owed) = (Some(minute), true);
        }
        if is_bad && self.is_owed && !is_within(self.told, HOUR + 1) {
            (self.is_owed, self.told, turn) = (false, Some(minute), Some(true));
        }
        let evidence = Evidence {
            seen: refused / wanted,
            usual: 0.0,
            minutes: 5,
            score: 2.0,
            limit: 2.0,
            is_young: false,
        };
        Step {
            turn,
            // A minute without refusals says nothing that could be told.
            bad: is_bad.then_some(evidence),
            near: (is_refused && !is_bad).then_some(evidence),
        }
    }

    fn remember(&mut self, (refused, wanted): (f32, f32)) {
        self.hour.0 += refused - FORGOTTEN * self.hour.0;
        self.hour.1 += wanted - FORGOTTEN * self.hour.1;
        self.seen = self.seen.saturating_add(1).min(LEAST_MINUTES);
        if refused < wanted {
            self.blocked = (0.0, 0);
        } else if 0.0 < refused {
            let minutes = self.blocked.1.saturating_add(1);
            self.blocked = (self.blocked.0 + refused, minutes);
        }
    }

    /// Whether this minute and the one before with refusals are worth telling, by themselves or with the hour.
    fn is_worth(&self, now: (f32, f32), worth: Refused) -> bool {
        let share = |(refused, wanted): (f32, f32)| f64::from(refused) / f64::from(wanted);
        let short = share((now.0 + self.then.0, now.1 + self.then.1));
        let least = worth.share.factor();
        let lasting = LASTING * least;
        let is_long = LEAST_MINUTES <= self.seen && lasting <= share(self.hour);
        least <= short || (is_long && lasting <= short)
    }

    fn is_blocked(&self) -> bool {
        let (refused, minutes) = self.blocked;
        LEAST_BLOCKED <= refused && BLOCKED_MINUTES <= minutes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::units::Share;

    fn worth() -> Refused {
        Refused {
            share: Share::from_basis_points(100).unwrap(),
        }
    }

    /// The minutes in which people are told.
    fn told(refusals: &[i64], until: i64) -> Vec<i64> {
        let mut throttle = Throttle::default();
        (0..until)
            .filter(|minute| {
                let refused = if refusals.contains(minute) { 9.0 } else { 0.0 };
                throttle.push(Minute(*minute), refused, 100.0, worth()).turn == Some(true)
            })
            .collect()
    }

    #[test]
    fn one_minute_is_not_yet_a_page_and_the_second_is() {
        assert_eq!(told(&[10], 60), [0; 0]);
        assert_eq!(told(&[10, 15], 60), [0; 0], "five minutes apart");
        assert_eq!(told(&[10, 14], 60), [14]);
    }

    #[test]
    fn a_second_stretch_within_the_hour_is_told_when_the_hour_is_over() {
        let short: Vec<i64> = (10..13).chain(50..55).collect();
        assert_eq!(told(&short, 200), [11]);
        let long: Vec<i64> = (10..13).chain(50..90).collect();
        assert_eq!(told(&long, 200), [11, 72]);
    }

    #[test]
    fn a_minute_without_refusals_is_no_evidence_even_if_nothing_was_wanted() {
        let mut throttle = Throttle::default();
        let steps = [9.0, 9.0, 0.0].map(|refused| (refused, refused));
        let steps = steps.into_iter().zip(0..);
        let bad = steps
            .map(|((refused, wanted), at)| throttle.push(Minute(at), refused, wanted, worth()));
        let bad: Vec<Option<f64>> = bad.map(|it| it.bad.map(|why| why.seen)).collect();
        assert_eq!(bad, [None, Some(1.0), None]);
    }

    #[test]
    fn what_goes_on_is_told_once() {
        let refusals: Vec<i64> = (10..400).collect();
        assert_eq!(told(&refusals, 500), [11]);
    }

    /// The first minute in which people are told, of so many refused of so many wanted in each minute.
    fn first(minutes: i64, each: impl Fn(i64) -> (f64, f64)) -> Option<i64> {
        let mut throttle = Throttle::default();
        (0..minutes).find(|minute| {
            let (refused, wanted) = each(*minute);
            let step = throttle.push(Minute(*minute), refused, wanted, worth());
            step.turn == Some(true)
        })
    }

    #[test]
    fn two_of_a_hundred_thousand_are_nobodys_business() {
        let two = |minute| if (70..72).contains(&minute) { 1.0 } else { 0.0 };
        assert_eq!(first(300, |minute| (two(minute), 50_000.0)), None);
        let always = first(3_000, |_| (5.0, 50_000.0));
        assert_eq!(always, None, "one in ten thousand, for two days");
    }

    #[test]
    fn a_little_that_lasts_is_told_and_a_little_that_passes_is_not() {
        let for_minutes = |lasts: i64| {
            move |minute: i64| {
                let is_on = (100..100 + lasts).contains(&minute);
                (if is_on { 250.0 } else { 0.0 }, 100_000.0)
            }
        };
        assert_eq!(first(400, for_minutes(20)), None);
        let told = first(400, for_minutes(200)).unwrap();
        assert!((125..145).contains(&told), "a quarter of a percent: {told}");
        assert_eq!(
            first(400, |minute| (
                if minute < 100 { 0.0 } else { 1_000.0 },
                100_000.0
            )),
            Some(101)
        );
    }

    #[test]
    fn a_pool_that_is_wholly_blocked_is_told_however_little_it_is_asked() {
        let asked_every = |minutes: i64| {
            move |minute: i64| {
                if minute % minutes == 0 {
                    (1.0, 1.0)
                } else {
                    (0.0, 0.0)
                }
            }
        };
        assert_eq!(first(100, asked_every(1)), Some(1));
        assert_eq!(first(100, asked_every(10)), Some(20));
        // Three tries of one call in one minute, and those of the next call.
        assert_eq!(
            first(100, |minute| if minute % 30 == 0 {
                (3.0, 3.0)
            } else {
                (0.0, 0.0)
            }),
            Some(30)
        );
        // Answered in between: single refusals that a retry healed.
        let healed = |minute: i64| match minute % 10 {
            0 => (1.0, 1.0),
            5 => (0.0, 1.0),
            _ => (0.0, 0.0),
        };
        assert_eq!(first(1_000, healed), None);
    }

    #[test]
    fn what_blocks_a_pool_is_not_over_because_nobody_asks() {
        let mut throttle = Throttle::default();
        let turns = (0..400).filter_map(|minute| {
            let asked = if minute % 40 == 0 && minute < 200 {
                2.0
            } else {
                0.0
            };
            let step = throttle.push(Minute(minute), asked, asked, worth());
            step.turn.map(|is_on| (minute, is_on))
        });
        assert_eq!(turns.collect::<Vec<_>>(), [(40, true), (340, false)]);
    }
}
