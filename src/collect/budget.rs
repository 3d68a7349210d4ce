//! What the plan of reads costs, and by how much it is stretched so that the month's budget lasts. Pure.

use std::collections::BTreeSet;

use super::cadence::{Plan, sizes};
use crate::model::{book::Book, ids::AccountId, policy::Cadence, time::HOUR};

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
    /// What this plan comes to in the accounts that are `counted`.
    #[must_use]
    pub fn of(
        plan: &Plan,
        book: &Book,
        cadence: &Cadence,
        counted: impl Fn(&AccountId) -> bool,
    ) -> Self {
        let mut load = Self::default();
        let mut scopes = BTreeSet::new();
        for (pool, targets) in sizes(book) {
            if !counted(&pool.scope.account) {
                continue;
            }
            scopes.insert(&pool.scope);
            let mut periods = plan.at_full_cadence(pool, targets, cadence);
            if let Some(every) = plan.wakes_every(pool) {
                periods = periods.woken(every);
            }
            let series = periods.series_a_minute(pool.family, targets);
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

/// What can be read in a minute, in series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Means {
    /// What the budget pays for.
    pub paid: f64,
    /// What costs nothing, in accounts that are read with their own rights.
    pub free: f64,
}

/// By how much the periods of this plan have to be stretched. Free requests read no `linked` account, one that is read
/// through another: what they save must not pay for it.
#[must_use]
pub fn stretch(
    plan: &Plan,
    book: &Book,
    cadence: &Cadence,
    means: Means,
    linked: &BTreeSet<&AccountId>,
) -> f64 {
    let all = Load::of(plan, book, cadence, |_| true);
    let of_linked = Load::of(plan, book, cadence, |account| linked.contains(account));
    let of_all = all.stretch(means.paid + means.free);
    of_all.max(of_linked.stretch(means.paid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        collect::fake::scope,
        model::{
            book::Record,
            catalog::{Family, PoolId, Target, TargetKind},
            ids::{ModelId, Scope, TargetId},
            time::Timestamp,
        },
    };

    /// An account of its own and a linked one, with so many warm targets each: 1.3 series a minute for a target.
    fn two_accounts(linked: &AccountId, targets: usize) -> Book {
        let mut book = Book::default();
        let linked = Scope {
            account: linked.clone(),
            ..scope()
        };
        for place in [scope(), linked] {
            for number in 0..targets {
                let pool = PoolId {
                    scope: place.clone(),
                    family: Family::OnDemand,
                    model: ModelId::new(format!("a.model-{number}")),
                };
                book.apply(vec![Record::Target(Target {
                    id: TargetId::new(pool.model.as_str()),
                    kind: TargetKind::Base,
                    pool,
                    first_seen: Timestamp::UNIX_EPOCH,
                })]);
            }
        }
        book
    }

    #[test]
    fn free_requests_pay_for_no_linked_account() {
        let cadence = Cadence {
            quiet_minutes: 5,
            idle_minutes: 15,
            detail_minutes: 10,
            hot_minutes: 1,
            discovery_minutes: 15,
            desk_minutes: 5,
        };
        let account = AccountId::new("444455556666");
        let book = two_accounts(&account, 20);
        let plan = Plan::default();
        let none = BTreeSet::new();
        let linked = BTreeSet::from([&account]);
        let of = |paid, free, linked: &BTreeSet<&AccountId>| {
            stretch(&plan, &book, &cadence, Means { paid, free }, linked)
        };
        // Each account comes to 20 x (1.2 + 6/60) and a series of its own: 27.
        let elastic = 20.0 * (1.2 + 6.0 / 60.0);
        for (got, expected) in [
            (of(1.0 + elastic, 1_000.0, &none), 1.0),
            (of(1.0 + elastic, 1_000.0, &linked), 1.0),
            (of(1.0 + elastic / 4.0, 1_000.0, &none), 1.0),
            (of(1.0 + elastic / 4.0, 1_000.0, &linked), 4.0),
            // What is left of the free ones is not enough for the other account either.
            (of(1.0 + elastic, 1.0, &linked), 2.0),
        ] {
            assert!((got - expected).abs() < 1e-9, "{got} instead of {expected}");
        }
    }

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
