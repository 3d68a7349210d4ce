//! Daily quotas: what a UTC day has taken of one so far, and what is refused once it is used up.

use crate::model::time::{DAY, Minute};

/// What has been taken of a daily quota since 00:00 UTC.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DayCount {
    /// Which day, counted from 1970.
    day: i64,
    /// Tokens, as the quota counts them.
    taken: f64,
    /// The quota's value now.
    limit: f64,
    /// The value that was reached on this day. It is kept, since what rounding down leaves of the quota would else let
    /// small requests through for the rest of the day.
    reached: Option<f64>,
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
    pub(crate) fn share(&mut self, load: f64) -> f64 {
        if self.reached.is_some_and(|reached| self.limit <= reached) {
            return 0.0;
        }
        let room = (self.limit - self.taken).max(0.0);
        if load <= room {
            return 1.0;
        }
        self.reached = Some(self.limit);
        room / load
    }

    /// So much was taken in this minute.
    pub(crate) fn take(&mut self, tokens: f64) {
        self.taken += tokens;
    }
}
