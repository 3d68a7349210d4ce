//! Who carries a change of a pool's traffic: each target now against its own usual for this time. Pure.
//!
//! *Usual* is the median of this hour of the last days of the same kind, Monday to Friday or the weekend, read off between
//! the middles of two hours: a morning climbs by the minute, and its whole hour would be ahead of it. The median, since one
//! of these days may have had the same trouble. What the whole pool usually takes is the sum of what its targets do, so
//! that shares add up.
//!
//! A day names the largest targets of each hour only. A target that no day names may have been anything up to what all
//! unnamed ones took together: it is charged with all of that, so that what is said of it is a lower bound.
//!
//! Nothing is told from absence: minutes in which a target is not accounted for are in neither side, and with too few of
//! them, or too few days, nothing is told. What fools it: a target that always comes on the first of the month is unusual.
//! A holiday is held against working days.

use std::collections::BTreeMap;

use super::median::median;
use crate::model::{
    book::Book,
    catalog::PoolId,
    hint::Counted,
    ids::TargetId,
    series::TargetUse,
    time::{DAY, HOUR, Minute},
    uses::{KEPT_DAYS, RecentUse, Taken, day_of, hour_of},
};

/// Fewer known minutes of now prove nothing.
const LEAST_MINUTES: usize = 3;

/// What became of a pool's traffic, a minute.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// All of it now; of tokens a request, that is their number.
    pub now: f64,
    /// What is usual at this time.
    pub usual: f64,
    /// Days behind that.
    pub days: u8,
    /// What each target takes more than usual, less where it is negative; the most first. Of tokens a request, the tokens
    /// beyond what its requests would usually take.
    pub parts: Vec<(TargetId, f64)>,
    /// The same for those that have no name in the past and are gone now, together; at most zero.
    pub unnamed: f64,
}

/// What became of the traffic of a pool in these minutes; `None` where they, or the days before, are not known well
/// enough.
#[must_use]
pub fn shift(
    book: &Book,
    recent: &RecentUse,
    pool: &PoolId,
    counted: Counted,
    (from, until): (Minute, Minute),
    least_days: u32,
) -> Option<Shift> {
    let minutes = recent.known_in(from, until);
    let known = u32::try_from(minutes)
        .ok()
        .filter(|_| LEAST_MINUTES <= minutes)?;
    let now: BTreeMap<&TargetId, TargetUse> = recent
        .sums(from, until)
        .into_iter()
        .map(|(target, sum)| (target, sum.times(1.0 / f64::from(known))))
        .collect();
    let middle = from.plus(until.since(from) / 2);
    let days = usual_days(book, pool, middle);
    let count = u32::try_from(days.len()).ok()?;
    if count < least_days {
        return None;
    }
    let (usual, unnamed) = usual(&days, &now);
    let parts = Parts {
        now,
        usual,
        unnamed,
    };
    let (now, usual) = (
        parts.measure(counted, true)?,
        parts.measure(counted, false)?,
    );
    let (parts, unnamed) = parts.changes(counted)?;
    Some(Shift {
        now,
        usual,
        days: u8::try_from(count).ok()?,
        parts,
        unnamed,
    })
}

/// What was taken at this time on each of the last days of the same kind.
fn usual_days(book: &Book, pool: &PoolId, at: Minute) -> Vec<Taken> {
    let today = day_of(at);
    let earlier = (1..=KEPT_DAYS).filter(|back| is_weekend(today - back) == is_weekend(today));
    earlier
        .filter_map(|back| between_hours(book, pool, at.plus(-back * DAY)))
        .collect()
}

/// 1970-01-01 was a Thursday.
const fn is_weekend(day: i64) -> bool {
    matches!(day.rem_euclid(7), 2 | 3)
}

/// Read off between the middles of two hours; where the other one is not known, the hour itself.
fn between_hours(book: &Book, pool: &PoolId, at: Minute) -> Option<Taken> {
    let of_hour = |at: Minute| {
        let day = book.uses.get(&(pool.clone(), day_of(at)))?;
        day.taken(hour_of(at))
    };
    let own = of_hour(at)?;
    let offset = at.since(at.hour()) - HOUR / 2;
    let Some(other) = of_hour(at.plus(HOUR * offset.signum())) else {
        return Some(own);
    };
    let weight = i32::try_from(offset.abs()).map_or(0.0, f64::from) / 60.0; // half an hour at most
    let mut mixed = Taken {
        others: own
            .others
            .times(1.0 - weight)
            .plus(other.others.times(weight)),
        ..Taken::default()
    };
    for (taken, weight) in [(own, 1.0 - weight), (other, weight)] {
        for (target, it) in taken.named {
            let sum = mixed.named.entry(target).or_default();
            *sum = sum.plus(it.times(weight));
        }
    }
    Some(mixed)
}

/// The usual of each target, and of those that no day names: charged to the targets that are new among the named, the
/// largest first, as far as they take that much.
fn usual(
    days: &[Taken],
    now: &BTreeMap<&TargetId, TargetUse>,
) -> (BTreeMap<TargetId, TargetUse>, TargetUse) {
    let mut usual: BTreeMap<TargetId, TargetUse> = BTreeMap::new();
    for target in days.iter().flat_map(|day| day.named.keys()) {
        if !usual.contains_key(target) {
            let each = days.iter().map(|day| day.named.get(target).copied());
            let median = median_use(each.map(|it| it.unwrap_or(NOTHING)));
            usual.insert(target.clone(), median);
        }
    }
    let mut left = median_use(days.iter().map(|day| day.others));
    let mut unnamed: Vec<(&TargetId, TargetUse)> = now
        .iter()
        .filter(|(target, _)| !usual.contains_key(**target))
        .map(|(target, it)| (*target, *it))
        .collect();
    unnamed.sort_by(|a, b| b.1.charged.total_cmp(&a.1.charged));
    for (target, taken) in unnamed {
        let claimed = TargetUse {
            demand: taken.demand.min(left.demand),
            charged: taken.charged.min(left.charged),
            ..NOTHING
        };
        left = left.plus(claimed.times(-1.0));
        usual.insert(target.clone(), claimed);
    }
    (usual, left)
}

const NOTHING: TargetUse = TargetUse {
    demand: 0.0,
    charged: 0.0,
    throttled: 0.0,
};

fn median_use(each: impl Iterator<Item = TargetUse>) -> TargetUse {
    let (mut demand, mut charged): (Vec<f64>, Vec<f64>) =
        each.map(|it| (it.demand, it.charged)).unzip();
    // Of no day at all nothing is usual.
    TargetUse {
        demand: median(&mut demand).unwrap_or(0.0),
        charged: median(&mut charged).unwrap_or(0.0),
        ..NOTHING
    }
}

/// Both sides, a minute.
#[derive(Debug)]
struct Parts<'a> {
    now: BTreeMap<&'a TargetId, TargetUse>,
    usual: BTreeMap<TargetId, TargetUse>,
    unnamed: TargetUse,
}

impl Parts<'_> {
    fn total(&self, is_now: bool) -> TargetUse {
        if is_now {
            self.now.values().fold(NOTHING, |sum, it| sum.plus(*it))
        } else {
            self.usual
                .values()
                .fold(self.unnamed, |sum, it| sum.plus(*it))
        }
    }

    fn measure(&self, counted: Counted, is_now: bool) -> Option<f64> {
        let total = self.total(is_now);
        match counted {
            Counted::Requests => Some(total.demand),
            Counted::Tokens => Some(total.charged),
            Counted::TokensARequest => (0.0 < total.demand).then(|| total.charged / total.demand),
        }
    }

    /// By target, the most first, and of those without a name.
    fn changes(&self, counted: Counted) -> Option<(Vec<(TargetId, f64)>, f64)> {
        let (total_now, total_usual) = (self.total(true), self.total(false));
        let change = |now: TargetUse, usual: TargetUse| match counted {
            Counted::Requests => Some(now.demand - usual.demand),
            Counted::Tokens => Some(now.charged - usual.charged),
            // Tokens beyond the pool's usual number a request, less what was usual beyond it at as many requests: a
            // target with longer requests than others counts only where there is more of it than usual.
            Counted::TokensARequest => {
                let is_known = 0.0 < total_usual.demand;
                let a_request = is_known.then(|| total_usual.charged / total_usual.demand)?;
                let scale = total_now.demand / total_usual.demand;
                let beyond = |it: TargetUse| it.charged - a_request * it.demand;
                Some(beyond(now) - scale * beyond(usual))
            }
        };
        let targets = self.usual.keys().chain(self.now.keys().copied());
        let targets: std::collections::BTreeSet<&TargetId> = targets.collect();
        let mut parts = Vec::with_capacity(targets.len());
        for target in targets {
            let now = self.now.get(target).copied().unwrap_or(NOTHING);
            let usual = self.usual.get(target).copied().unwrap_or(NOTHING);
            parts.push((target.clone(), change(now, usual)?));
        }
        parts.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Some((parts, change(NOTHING, self.unnamed)?))
    }
}
