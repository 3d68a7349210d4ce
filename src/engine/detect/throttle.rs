//! Refused requests.
//!
//! The statistic: two minutes with refusals among the last five. A refusal needs no base rate: the quota is used up.
//! One minute alone is a burst that a retry heals, and waiting for a second costs a minute.
//! A stretch ends after a quarter of an hour without refusals. Of stretches that begin within the hour of a page, people
//! are told when the hour is over and requests are still refused.

use serde::{Deserialize, Serialize};

use super::{Evidence, Step};
use crate::model::time::{HOUR, Minute};

const WINDOW: i64 = 5;
/// Minutes without refusals that end a stretch.
const CALM_MINUTES: i64 = 15;

/// Refusals of one pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Throttle {
    /// The last minute with refusals, and the one before.
    last: Option<Minute>,
    before: Option<Minute>,
    since: Option<Minute>,
    /// A stretch nobody was told of yet.
    is_owed: bool,
    told: Option<Minute>,
}

impl Throttle {
    /// `refused` of `wanted` requests in this minute.
    pub(super) fn push(&mut self, minute: Minute, refused: f64, wanted: f64) -> Step {
        if 0.0 < refused {
            (self.before, self.last) = (self.last, Some(minute));
        }
        let is_within = |at: Option<Minute>, length| at.is_some_and(|at| minute.since(at) < length);
        let mut turn = None;
        if self.since.is_some() && !is_within(self.last, CALM_MINUTES) {
            turn = (!self.is_owed).then_some(false);
            (self.since, self.is_owed) = (None, false);
        }
        // The older of two lies within the window: so do both. A minute without refusals says nothing that could be told.
        let is_bad = 0.0 < refused && is_within(self.before, WINDOW);
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
            bad: is_bad.then_some(evidence),
            near: (0.0 < refused && !is_bad).then_some(evidence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The minutes in which people are told.
    fn told(refusals: &[i64], until: i64) -> Vec<i64> {
        let mut throttle = Throttle::default();
        (0..until)
            .filter(|minute| {
                let refused = if refusals.contains(minute) { 9.0 } else { 0.0 };
                throttle.push(Minute(*minute), refused, 100.0).turn == Some(true)
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
        let bad = steps.map(|((refused, wanted), at)| throttle.push(Minute(at), refused, wanted));
        let bad: Vec<Option<f64>> = bad.map(|it| it.bad.map(|why| why.seen)).collect();
        assert_eq!(bad, [None, Some(1.0), None]);
    }

    #[test]
    fn what_goes_on_is_told_once() {
        let refusals: Vec<i64> = (10..400).collect();
        assert_eq!(told(&refusals, 500), [11]);
    }
}
