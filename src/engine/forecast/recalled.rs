//! Chances that were reckoned, remembered in few bytes: a fit takes some hundred microseconds, and they are asked for each
//! minute.
//!
//! All of it follows from what is kept, so that it may be forgotten. Seven digits are remembered, and what is remembered is
//! what is judged by: an answer is the same whether it was reckoned now or before.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::{Exhaustion, Seen, history::QUARTER, rise::Rise};
use crate::{
    engine::packed::narrow,
    model::{series::Sample, time::Minute},
};

/// As of now, and as of the whole quarters of an hour that lie among the minutes that may still change.
const KEPT: usize = 3;
/// What lies beyond 30 days has no minute.
const NEVER: u16 = u16::MAX;

/// What was reckoned; no part of what makes two states equal.
#[derive(Clone, Debug, Default)]
pub(super) struct Recalled {
    pub(super) seen: Fingerprint,
    /// The newest answer first.
    known: Vec<Chances>,
}

impl PartialEq for Recalled {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Recalled {
    /// What was answered last.
    pub(super) fn last(&self) -> Option<&Chances> {
        self.known.first()
    }

    /// What was reckoned of this, if it is remembered; it is the last answer then.
    pub(super) fn find(&mut self, of: Of) -> Option<Chances> {
        let place = self.known.iter().position(|it| it.of.is(of))?;
        self.known.get_mut(..=place)?.rotate_right(1);
        self.known.first().copied()
    }

    /// Remembers an answer in the place of the oldest one.
    pub(super) fn put(&mut self, chances: Chances) {
        self.known.truncate(KEPT - 1);
        self.known.reserve_exact(KEPT - self.known.len());
        self.known.insert(0, chances);
    }

    /// Remembers beside the last answer what a copy was answered that looked further ahead.
    pub(super) fn take_over(&mut self, ahead: &Self) {
        self.known.truncate(1);
        self.known.reserve_exact(KEPT - self.known.len());
        let own = self.last().map(|it| it.of);
        let others = ahead.known.iter();
        let others = others.filter(|it| own.is_none_or(|own| !own.is(it.of)));
        let room = KEPT - self.known.len();
        self.known.extend(others.take(room).copied());
    }

    pub(super) fn forget(&mut self) {
        self.known.clear();
    }
}

/// What came since the state was taken up: two states that began as one and have the same fingerprint are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Fingerprint {
    now: u64,
    /// As of the origin of the forecast.
    pub(super) origin: u64,
    last: Option<Minute>,
}

impl Fingerprint {
    pub(super) fn push(&mut self, seen: &Seen) {
        let quarter = |minute: Minute| minute.0.div_euclid(QUARTER);
        if self.last.map(quarter) != Some(quarter(seen.minute)) {
            self.origin = self.now; // also where the last minutes of a quarter were left out
        }
        self.last = Some(seen.minute);
        let mut hash = DefaultHasher::new();
        let wanted = match seen.wanted {
            Sample::Value(value) => Some(value.to_bits()),
            Sample::NoData | Sample::Unobserved => None, // both are gaps
        };
        (self.now, seen.minute, wanted).hash(&mut hash);
        self.now = hash.finish();
        if seen.minute.plus(1).0.rem_euclid(QUARTER) == 0 {
            self.origin = self.now;
        }
    }
}

/// What chances are of, and as of when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Of {
    pub(super) origin: Option<Minute>,
    pub(super) seen: u64,
    pub(super) limit: f64,
}

impl Of {
    fn is(self, other: Self) -> bool {
        self.origin == other.origin
            && self.seen == other.seen
            && self.limit.to_bits() == other.limit.to_bits()
    }
}

/// The chances of one limit. `None` in it is an answer, too: too little is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chances {
    of: Of,
    odds: Option<Odds>,
    pub(super) rise: Option<Rise>,
}

impl Chances {
    pub(super) fn new(of: Of, exhaustion: Option<Exhaustion>, rise: Option<Rise>) -> Self {
        Self {
            of,
            odds: exhaustion.as_ref().map(Odds::of),
            rise,
        }
    }

    pub(super) fn exhaustion(&self) -> Option<Exhaustion> {
        Some(self.odds?.as_of(self.of.origin?))
    }
}

/// An [`Exhaustion`] in a quarter of the bytes.
#[derive(Clone, Copy, Debug)]
struct Odds {
    p10: u16,
    p50: u16,
    p90: u16,
    if_within_day: u16,
    if_within_week: u16,
    within_hour: f32,
    within_day: f32,
    within_week: f32,
    within_month: f32,
    after_day: f32,
    week_p95: f32,
}

impl Odds {
    fn of(it: &Exhaustion) -> Self {
        let minutes = |at: Option<i64>| at.map_or(NEVER, |at| u16::try_from(at).unwrap_or(NEVER));
        Self {
            p10: minutes(it.p10),
            p50: minutes(it.p50),
            p90: minutes(it.p90),
            if_within_day: minutes(it.if_within_day),
            if_within_week: minutes(it.if_within_week),
            within_hour: narrow(it.within_hour),
            within_day: narrow(it.within_day),
            within_week: narrow(it.within_week),
            within_month: narrow(it.within_month),
            after_day: narrow(it.after_day),
            week_p95: narrow(it.week_p95),
        }
    }

    fn as_of(&self, origin: Minute) -> Exhaustion {
        let minutes = |at: u16| (at != NEVER).then_some(i64::from(at));
        Exhaustion {
            origin,
            p10: minutes(self.p10),
            p50: minutes(self.p50),
            p90: minutes(self.p90),
            within_hour: self.within_hour.into(),
            within_day: self.within_day.into(),
            within_week: self.within_week.into(),
            within_month: self.within_month.into(),
            after_day: self.after_day.into(),
            if_within_day: minutes(self.if_within_day),
            if_within_week: minutes(self.if_within_week),
            week_p95: self.week_p95.into(),
        }
    }
}
