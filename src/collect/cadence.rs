//! When which pool is read.
//!
//! All quiet pools of a scope fall on the same minute. It costs no more, since CloudWatch bills series and not calls;
//! it makes fewer calls, since 55 targets fit into one; and it proves more, since every series of a read is evidence
//! that the Region's metrics flow. Different scopes fall on different minutes, so that they don't all call at once.

use std::collections::BTreeSet;

use crate::model::book::Book;
use crate::model::catalog::PoolId;
use crate::model::ids::Scope;
use crate::model::policy::Cadence;
use crate::model::time::{Minute, Timestamp};

/// The pools to read at `now`, sorted: never read ones, hot ones each `hot_minutes`, quiet ones at their scope's minute
/// of every `quiet_minutes`, and any whose turn was missed. Pools without a known target are never due.
#[must_use]
pub fn due(book: &Book, hot: &BTreeSet<PoolId>, cadence: &Cadence, now: Timestamp) -> Vec<PoolId> {
    let minute = Minute::of(now);
    let mut pools: BTreeSet<&PoolId> = BTreeSet::new();
    pools.extend(book.targets.values().map(|target| &target.pool));
    pools
        .into_iter()
        .filter(|pool| {
            let Some(read_through) = book.read_through.get(*pool) else {
                return true;
            };
            let age = minute.since(*read_through);
            if hot.contains(*pool) {
                return age >= cadence.hot_minutes.max(1);
            }
            let period = cadence.quiet_minutes.max(1);
            age >= period || (age >= 1 && is_turn(&pool.scope, period, minute))
        })
        .cloned()
        .collect()
}

/// Whether this minute is the one in `period` minutes at which the scope's quiet pools are read.
fn is_turn(scope: &Scope, period: i64, minute: Minute) -> bool {
    let phase = scope
        .to_string()
        .bytes()
        .fold(0_i64, |sum, byte| sum + i64::from(byte));
    (minute.0 + phase).rem_euclid(period) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::fake::scope;
    use crate::model::book::Record;
    use crate::model::catalog::{Family, Target, TargetKind};
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

    #[test]
    fn new_pools_at_once_hot_ones_each_minute_quiet_ones_together() {
        let mut book = book(&["a", "b", "c"]);
        let hot = BTreeSet::from([pool("a")]);
        let start = Minute(29_000_000);
        assert_eq!(due(&book, &hot, &CADENCE, start.start()).len(), 3);
        // `b` and `c` were first read at different minutes.
        book.apply(vec![
            Record::ReadThrough(pool("a"), start),
            Record::ReadThrough(pool("b"), start),
            Record::ReadThrough(pool("c"), start.plus(2)),
        ]);
        assert!(due(&book, &hot, &CADENCE, start.start()).is_empty());
        let mut reads: Vec<(i64, String)> = Vec::new();
        for minute in 3..33 {
            let at = start.plus(minute);
            for id in due(&book, &hot, &CADENCE, at.start()) {
                reads.push((minute, id.model.0.clone()));
                book.apply(vec![Record::ReadThrough(id, at)]);
            }
        }
        let of = |model: &str| -> Vec<i64> {
            let own = reads.iter().filter(|(_, it)| it == model);
            own.map(|(minute, _)| *minute).collect()
        };
        assert_eq!(of("a"), (3..33).collect::<Vec<i64>>());
        assert_eq!(of("b")[1..], of("c")[1..], "in step after the first turn");
        for pair in of("b").windows(2) {
            assert!(pair[1] - pair[0] <= 5, "{reads:?}");
        }
        assert!(of("b").len() <= 8);
        // A missed turn is made good at once.
        let late = start.plus(100);
        assert_eq!(due(&book, &hot, &CADENCE, late.start()).len(), 3);
    }
}
