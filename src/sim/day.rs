//! Daily quotas: what a UTC day has taken of one so far, and what is refused once it is used up.
//!
//! A model's own daily quota is a matter of its pool alone (`bucket`). The one that all models of an account share ties
//! their pools together: what one takes, the others no longer have. So these are computed side by side, minute by
//! minute, and are always equally far.

use super::{
    bucket::{PoolHistory, PoolView},
    quotas::Values,
    world::TokenWeights,
};
use crate::model::time::{DAY, Minute};

/// A pool that draws on a shared quota.
#[derive(Debug)]
pub(crate) struct Member<'a> {
    pub(crate) history: &'a mut PoolHistory,
    pub(crate) view: PoolView<'a>,
    pub(crate) weights: TokenWeights,
}

/// Computes all minutes before `end` of all pools that draw on this quota. The part that the quota refuses is the same
/// for each of them, of what their own quotas let through.
pub(crate) fn compute(
    count: &mut DayCount,
    members: &mut [Member<'_>],
    quota: Option<Values<'_>>,
    end: Minute,
) {
    let Some(next) = members.first().map(|member| member.history.end()) else {
        return;
    };
    let mut turns = Vec::with_capacity(members.len());
    for minute in next.until(end) {
        let limit = quota.map(|quota| quota.at(minute.start()));
        count.begin(minute, limit.unwrap_or(f64::INFINITY));
        turns.clear();
        turns.extend(
            members
                .iter_mut()
                .map(|it| it.history.ask(minute, &it.view)),
        );
        let loads = members.iter().zip(&turns);
        let load = loads.map(|(it, turn)| it.view.weigh(turn, &it.weights));
        let share = count.share(load.sum());
        if share < 1.0 {
            count.close();
        }
        for (it, turn) in members.iter_mut().zip(&mut turns) {
            if share < 1.0 {
                turn.share *= share;
                turn.uses_up = false; // with that much less, its own day has room left
            }
            it.history.settle(minute, &it.view, turn);
            count.take(it.history.weigh_last(&it.weights));
        }
    }
}

/// What has been taken of a daily quota since 00:00 UTC.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DayCount {
    /// Which day, counted from 1970.
    day: i64,
    /// Tokens, as the quota counts them.
    taken: f64,
    /// The quota's value now.
    limit: f64,
    /// The highest value that was reached on this day; 0 needs no tokens for it. It is kept, since what rounding down
    /// leaves of the quota would else let small requests through for the rest of the day.
    reached: f64,
}

impl DayCount {
    /// A minute begins, in which the quota has this value. Minutes come in order.
    pub(crate) fn begin(&mut self, minute: Minute, limit: f64) {
        let day = minute.0.div_euclid(DAY);
        if day != self.day {
            *self = Self {
                day,
                ..Self::default()
            };
        }
        self.limit = limit;
    }

    /// Of a load of this minute, the share that the day still has room for.
    pub(crate) fn share(&self, load: f64) -> f64 {
        let room = (self.limit - self.taken).max(0.0);
        if self.limit <= self.reached {
            0.0
        } else if load <= room {
            1.0
        } else {
            room / load
        }
    }

    /// The quota is used up: nothing more of this day, unless its value rises.
    pub(crate) fn close(&mut self) {
        self.reached = self.reached.max(self.limit);
    }

    /// So much was taken in this minute.
    pub(crate) fn take(&mut self, tokens: f64) {
        self.taken += tokens;
    }
}
