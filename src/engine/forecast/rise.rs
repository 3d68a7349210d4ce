//! How demand rose in the last hour and a half, for a warning that a ramp gives before any chance does.

use crate::engine::packed::narrow;

/// How demand rose in the last hour and a half.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rise {
    /// Mean of the last quarter.
    now: f32,
    /// What its time of day and of the week let expect, without the last hours.
    usual: f32,
    /// Means of the quarter before, of the half hour before that, and of the half hour before that one.
    before: [f32; 3],
}

impl Rise {
    /// Hours from the middle of the oldest half hour to the middle of the last quarter.
    const HOURS: f64 = 1.125;
    /// The least part of the rise from each stretch to the next. A jump has it all in one, a rise that is over none in
    /// the last.
    const LEAST: [f64; 3] = [0.05, 0.1, 0.1];

    /// `None` within the first hour and a half.
    pub(super) fn of(quarters: &[f64], usual: f64) -> Option<Self> {
        let [.., a, b, c, d, near, now] = *quarters else {
            return None;
        };
        Some(Self {
            now: narrow(now),
            usual: narrow(usual),
            before: [near, f64::midpoint(c, d), f64::midpoint(a, b)].map(narrow),
        })
    }

    /// Whether it climbed all the time, to so much that what is usual is at most `usual` of it, and reaches `limit`
    /// within `hours` at this pace. Not where a quarter is a gap.
    pub(super) fn climbs(&self, limit: f64, usual: f64, hours: f64) -> bool {
        let [near, far, farther] = self.before.map(f64::from);
        let (now, wont) = (f64::from(self.now), f64::from(self.usual));
        let rise = now - farther;
        let parts = [now - near, near - far, far - farther];
        let is_steady = parts
            .iter()
            .zip(Self::LEAST)
            .all(|(part, least)| least * rise <= *part);
        0.0 < rise && is_steady && wont <= usual * now && limit <= now + rise / Self::HOURS * hours
    }
}
