//! When which pool is read, and how deep.
//!
//! All quiet pools of a scope fall on the same minute. It costs no more, since CloudWatch bills series and not calls;
//! it makes fewer calls, since many targets fit into one; and it proves more, since every series of a read is evidence
//! that the Region's metrics flow. Different scopes fall on different minutes, so that they don't all call at once.

use std::collections::{BTreeMap, BTreeSet};

use super::endpoint::Endpoint;
use super::sum::Measure;
use crate::model::book::Book;
use crate::model::catalog::{Family, PoolId};
use crate::model::ids::Scope;
use crate::model::policy::{Cadence, Heat};
use crate::model::series::Depth;
use crate::model::time::{DAY, HOUR, Minute, Timestamp};

/// A pool of more targets than this is read in full, or deeper, less often.
const BIG_POOL: usize = 50;

/// What decides how often pools are read.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// How each pool is doing; one that is not named is warm.
    pub heat: BTreeMap<PoolId, Heat>,
    /// By how much the periods of pools are stretched for the budget; at least 1. Pools in `pinned` keep theirs.
    pub stretch: f64,
    /// Pools with an open incident.
    pub pinned: BTreeSet<PoolId>,
    /// Minutes from ring to ring where the account's throttles ring and wake all pools.
    pub woken: BTreeMap<Scope, i64>,
}

/// Minutes from read to read of one pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    /// Of what limits are judged by.
    pub quick: i64,
    /// Of what other rules are judged by.
    pub full: i64,
    /// Of everything.
    pub deep: i64,
}

impl Periods {
    /// Those of a pool of so many targets, at full cadence.
    #[must_use]
    pub fn of(heat: Heat, targets: usize, cadence: &Cadence) -> Self {
        let (quick, full, deep) = match heat {
            Heat::Hot => (cadence.hot_minutes, cadence.detail_minutes, HOUR),
            Heat::Troubled => (
                cadence.hot_minutes,
                cadence.hot_minutes,
                cadence.detail_minutes,
            ),
            Heat::Warm => (cadence.quiet_minutes, cadence.detail_minutes, HOUR),
            Heat::Idle => (cadence.idle_minutes, HOUR, HOUR),
        };
        let quick = quick.max(1);
        let size = i64::try_from(targets.div_ceil(BIG_POOL)).unwrap_or(HOUR);
        let by_size = |period: i64, most: i64| {
            if heat == Heat::Troubled {
                period
            } else {
                period.max(period.saturating_mul(size).min(most))
            }
        };
        let full = by_size(full, HOUR).max(quick);
        Self {
            quick,
            full,
            deep: by_size(deep, DAY).max(full),
        }
    }

    /// Those of a pool that is woken every so many minutes: what limits are judged by is read then.
    #[must_use]
    pub fn woken(self, every: i64) -> Self {
        Self {
            quick: self.quick.min(every),
            ..self
        }
    }

    /// Longer by this factor, up to an hour.
    #[must_use]
    pub fn stretched(self, factor: f64) -> Self {
        let longer = |period: i64| {
            let most = HOUR.max(period);
            // Counted up, since a float is no index: there are 60 steps at most.
            let wanted = whole(period) * factor;
            (period..most)
                .find(|it| wanted <= whole(*it))
                .unwrap_or(most)
        };
        Self {
            quick: longer(self.quick),
            full: longer(self.full),
            deep: longer(self.deep),
        }
    }

    /// Series a minute that so many targets of this family cost.
    #[must_use]
    pub fn series_a_minute(self, family: Family, targets: usize) -> f64 {
        let endpoint = Endpoint::of(family);
        let series = |depth| count(Measure::up_to(depth, endpoint).count());
        let [quick, full, deep] = [Depth::Quick, Depth::Full, Depth::Deep].map(series);
        let a_target = quick / whole(self.quick)
            + (full - quick) / whole(self.full)
            + (deep - full) / whole(self.deep);
        a_target * count(targets)
    }
}

impl Plan {
    /// The periods of a pool as things stand.
    #[must_use]
    pub fn periods(&self, pool: &PoolId, targets: usize, cadence: &Cadence) -> Periods {
        self.stretched(pool, self.at_full_cadence(pool, targets, cadence))
    }

    /// The periods of a pool whatever the budget says.
    #[must_use]
    pub fn at_full_cadence(&self, pool: &PoolId, targets: usize, cadence: &Cadence) -> Periods {
        let heat = self.heat.get(pool).copied().unwrap_or(Heat::Warm);
        Periods::of(heat, targets, cadence)
    }

    /// These periods as the budget allows them.
    #[must_use]
    pub fn stretched(&self, pool: &PoolId, periods: Periods) -> Periods {
        if self.pinned.contains(pool) {
            periods
        } else {
            periods.stretched(self.stretch)
        }
    }

    /// How often the wake-up has a pool read while it rings; `None` where it doesn't, or the pool is none that it counts.
    #[must_use]
    pub fn wakes_every(&self, pool: &PoolId) -> Option<i64> {
        let every = self.woken.get(&pool.scope).copied();
        every.filter(|_| pool.family.is_of_runtime())
    }

    /// Minutes between reads of the pool that is read most often in each scope.
    #[must_use]
    pub fn read_every(&self, book: &Book, cadence: &Cadence) -> BTreeMap<Scope, i64> {
        let mut shortest: BTreeMap<Scope, i64> = BTreeMap::new();
        for (pool, targets) in sizes(book) {
            let period = self.periods(pool, targets, cadence).quick;
            let known = shortest.entry(pool.scope.clone()).or_insert(period);
            *known = period.min(*known);
        }
        shortest
    }
}

/// The targets of each pool, counted.
#[must_use]
pub fn sizes(book: &Book) -> BTreeMap<&PoolId, usize> {
    let mut sizes = BTreeMap::new();
    for target in book.targets.values() {
        *sizes.entry(&target.pool).or_default() += 1;
    }
    sizes
}

/// The pools to read at `now`, sorted, and how deep: never read ones all of it, the others at their scope's minute of each
/// period, and any whose turn was missed. Pools without a known target are never due.
#[must_use]
pub fn due(book: &Book, plan: &Plan, cadence: &Cadence, now: Timestamp) -> Vec<(PoolId, Depth)> {
    let minute = Minute::of(now);
    let due = sizes(book).into_iter().filter_map(|(pool, targets)| {
        let periods = plan.periods(pool, targets, cadence);
        let is_due = |depth, period| {
            book.known_until(pool, depth).is_none_or(|known| {
                let age = minute.since(known);
                if age < 0 {
                    return true; // The clock was set back: what was read then lies in a future that is still to come.
                }
                // Falling into step costs a read more. A stretched period changes often, and there is nothing to spare.
                let is_turn = plan.stretch <= 1.0 && is_turn(&pool.scope, period, minute);
                age >= period || (age >= 1 && is_turn)
            })
        };
        let depths = [
            (Depth::Deep, periods.deep),
            (Depth::Full, periods.full),
            (Depth::Quick, periods.quick),
        ];
        let mut depths = depths.into_iter();
        let deepest = depths.find(|(depth, period)| is_due(*depth, *period));
        deepest.map(|(depth, _)| (pool.clone(), depth))
    });
    due.collect()
}

/// Whether this minute is the one in `period` minutes at which the scope's pools are read.
fn is_turn(scope: &Scope, period: i64, minute: Minute) -> bool {
    let phase = scope
        .to_string()
        .bytes()
        .fold(0_i64, |sum, byte| sum + i64::from(byte));
    (minute.0 + phase).rem_euclid(period) == 0
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from) // bounded by what a Region can hold
}

fn whole(minutes: i64) -> f64 {
    i32::try_from(minutes).map_or(f64::INFINITY, f64::from) // at most a year
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::fake::scope;
    use crate::model::book::Record;
    use crate::model::catalog::{Target, TargetKind};
    use crate::model::ids::{ModelId, TargetId};

    const CADENCE: Cadence = Cadence {
        quiet_minutes: 5,
        idle_minutes: 15,
        detail_minutes: 10,
        hot_minutes: 1,
        discovery_minutes: 15,
        desk_minutes: 5,
    };

    fn pool(model: &str) -> PoolId {
        PoolId {
            scope: scope(),
            family: Family::Geo,
            model: ModelId::new(model),
        }
    }

    fn book(models: &[&str]) -> Book {
        let mut book = Book::default();
        book.apply(
            models
                .iter()
                .map(|model| {
                    Record::Target(Target {
                        id: TargetId::new(format!("us.{model}")),
                        kind: TargetKind::SystemProfile,
                        pool: pool(model),
                        first_seen: Timestamp::UNIX_EPOCH,
                    })
                })
                .collect(),
        );
        book
    }

    fn plan(heat: &[(&str, Heat)]) -> Plan {
        Plan {
            heat: heat
                .iter()
                .map(|(model, heat)| (pool(model), *heat))
                .collect(),
            stretch: 1.0,
            ..Plan::default()
        }
    }

    /// The minutes at which a pool was read over two hours: all reads, those in full, and the deep ones.
    fn reads(book: &mut Book, plan: &Plan, model: &str) -> [Vec<i64>; 3] {
        let start = Minute(29_000_000);
        let (mut all, mut full, mut deep) = (Vec::new(), Vec::new(), Vec::new());
        for minute in 0..120 {
            let at = start.plus(minute);
            for (id, depth) in due(book, plan, &CADENCE, at.start()) {
                if id == pool(model) {
                    all.push(minute);
                    full.extend((Depth::Full <= depth).then_some(minute));
                    deep.extend((Depth::Deep == depth).then_some(minute));
                }
                let mut records = vec![Record::ReadThrough(id.clone(), at)];
                if Depth::Full <= depth {
                    records.push(Record::ReadInFull(id.clone(), at));
                }
                if Depth::Deep == depth {
                    records.push(Record::ReadInDepth(id, at));
                }
                book.apply(records);
            }
        }
        [all, full, deep]
    }

    fn longest_gap(minutes: &[i64]) -> i64 {
        minutes
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap()
    }

    #[test]
    fn a_clock_that_was_set_back_stops_no_reading() {
        let mut book = book(&["a"]);
        let start = Minute(29_000_000);
        book.apply(vec![
            Record::ReadThrough(pool("a"), start),
            Record::ReadInFull(pool("a"), start),
            Record::ReadInDepth(pool("a"), start),
        ]);
        let earlier = start.plus(-60);
        let due = due(&book, &plan(&[]), &CADENCE, earlier.start());
        assert_eq!(due, [(pool("a"), Depth::Deep)]);
    }

    #[test]
    fn each_class_has_its_three_periods() {
        for (heat, quick, full, deep) in [
            (Heat::Hot, 1, 10, 60),
            (Heat::Troubled, 1, 1, 10),
            (Heat::Warm, 5, 10, 60),
            (Heat::Idle, 15, 60, 60),
        ] {
            let [all, in_full, in_depth] = reads(&mut book(&["a"]), &plan(&[("a", heat)]), "a");
            let first = (all[0], in_full[0], in_depth[0]);
            assert_eq!(first, (0, 0, 0), "the first read is of everything");
            if 1 < in_depth.len() {
                assert_eq!(longest_gap(&in_depth), deep, "{heat:?}: {in_depth:?}");
            }
            assert_eq!(longest_gap(&all), quick, "{heat:?}: {all:?}");
            if 1 < in_full.len() {
                assert_eq!(longest_gap(&in_full), full, "{heat:?}: {in_full:?}");
            }
            let expected = usize::try_from(120 / quick).unwrap();
            assert!(all.len() <= expected + 2, "{heat:?}: {all:?}");
        }
    }

    #[test]
    fn quiet_pools_fall_into_step_and_a_missed_turn_is_made_good_at_once() {
        let mut book = book(&["a", "b"]);
        let start = Minute(29_000_000);
        book.apply(vec![
            Record::ReadThrough(pool("a"), start.plus(-3)),
            Record::ReadThrough(pool("b"), start.plus(-1)),
        ]);
        let mut other = book.clone();
        let [a, ..] = reads(&mut book, &plan(&[]), "a");
        let [b, ..] = reads(&mut other, &plan(&[]), "b");
        let later = |reads: &[i64]| -> Vec<i64> {
            reads
                .iter()
                .copied()
                .filter(|minute| 10 < *minute)
                .collect()
        };
        assert_eq!(later(&a), later(&b), "in step after the first turn");
        let late = start.plus(1_000);
        let due = due(&book, &plan(&[]), &CADENCE, late.start());
        assert_eq!(due, [(pool("a"), Depth::Deep), (pool("b"), Depth::Deep)]);
    }

    #[test]
    fn a_pool_of_a_thousand_profiles_is_read_in_full_hourly_unless_it_is_in_trouble() {
        let of = |heat, targets| {
            let Periods { full, deep, .. } = Periods::of(heat, targets, &CADENCE);
            (full, deep)
        };
        assert_eq!(of(Heat::Hot, 50), (10, 60));
        assert_eq!(of(Heat::Hot, 51), (20, 120));
        assert_eq!(of(Heat::Warm, 1_000), (60, 1_200));
        assert_eq!(of(Heat::Troubled, 1_000), (1, 10));
    }

    #[test]
    fn the_budget_stretches_all_but_pools_with_an_incident_and_at_most_to_an_hour() {
        let mut tight = plan(&[("a", Heat::Hot), ("b", Heat::Hot)]);
        tight.stretch = 3.5;
        tight.pinned.insert(pool("b"));
        let of = |plan: &Plan, model: &str| plan.periods(&pool(model), 1, &CADENCE);
        assert_eq!(
            of(&tight, "a"),
            Periods {
                quick: 4,
                full: 35,
                deep: 60
            }
        );
        assert_eq!(
            of(&tight, "b"),
            Periods {
                quick: 1,
                full: 10,
                deep: 60
            }
        );
        tight.stretch = f64::INFINITY;
        assert_eq!(
            of(&tight, "a"),
            Periods {
                quick: 60,
                full: 60,
                deep: 60
            }
        );
        assert_eq!(
            of(&tight, "b"),
            Periods {
                quick: 1,
                full: 10,
                deep: 60
            }
        );
    }

    #[test]
    fn what_a_target_costs_follows_from_its_periods() {
        let series = |heat, family| Periods::of(heat, 1, &CADENCE).series_a_minute(family, 1);
        for (heat, runtime, mantle) in [
            (Heat::Hot, 3.6 + 6.0 / 60.0, 2.1),
            (Heat::Warm, 1.2 + 6.0 / 60.0, 0.5),
            (Heat::Idle, 0.3 + 6.0 / 60.0, 0.15),
        ] {
            let got = (series(heat, Family::Geo), series(heat, Family::Mantle));
            assert!((got.0 - runtime).abs() < 1e-9, "{heat:?}: {got:?}");
            assert!((got.1 - mantle).abs() < 1e-9, "{heat:?}: {got:?}");
        }
    }
}
