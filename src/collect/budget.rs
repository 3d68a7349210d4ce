//! What the plan of reads costs, and by how much it is stretched so that the month's budget lasts. Pure.

use std::collections::BTreeSet;

use super::cadence::{Periods, Plan, sizes};
use crate::model::{
    book::Book,
    policy::{Cadence, Heat},
    time::HOUR,
};

/// Longer than an hour no period gets, so that more than this has no effect.
const MOST_STRETCH: f64 = 60.0;
const _: () = assert!(HOUR == 60);

/// Series a minute at full cadence.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Load {
    /// Of pools with an open incident, and of the account-wide series: never stretched.
    pub pinned: f64,
    /// Of all others.
    pub elastic: f64,
}

impl Load {
    /// What this plan comes to.
    #[must_use]
    pub fn of(plan: &Plan, book: &Book, cadence: &Cadence) -> Self {
        let mut load = Self::default();
        let mut scopes = BTreeSet::new();
        for (pool, targets) in sizes(book) {
            scopes.insert(&pool.scope);
            let heat = plan.heat.get(pool).copied().unwrap_or(Heat::Warm);
            let series = Periods::of(heat, targets, cadence).series_a_minute(pool.family, targets);
            if plan.pinned.contains(pool) {
                load.pinned += series;
            } else {
                load.elastic += series;
            }
        }
        for _scope in scopes {
            load.pinned += 1.0; // the account's throttles, each minute
        }
        load
    }

    /// By how much periods have to be stretched where only so many series a minute can be paid for; at least 1.
    #[must_use]
    pub fn stretch(self, affordable: f64) -> f64 {
        let left = affordable - self.pinned;
        if self.elastic <= left {
            1.0
        } else if 0.0 < left {
            (self.elastic / left).min(MOST_STRETCH)
        } else {
            MOST_STRETCH
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_paid_for_is_not_stretched_and_what_can_not_is_just_enough() {
        let load = Load {
            pinned: 10.0,
            elastic: 60.0,
        };
        for (affordable, expected) in [
            (100.0, 1.0),
            (70.0, 1.0),
            (40.0, 2.0),
            (16.0, 10.0),
            (10.5, MOST_STRETCH),
            (10.0, MOST_STRETCH),
            (-3.0, MOST_STRETCH),
        ] {
            let got = load.stretch(affordable);
            assert!((got - expected).abs() < 1e-9, "{affordable}: {got}");
        }
        assert!(
            (Load::default().stretch(0.0) - 1.0).abs() < 1e-9,
            "nothing to read"
        );
    }
}
