//! Time as a label: instants and whole minutes, both UTC. No clock is read here.

use std::fmt;

pub use jiff::{SignedDuration, Timestamp};

/// A whole UTC minute: the number of minutes since 1970. CloudWatch labels a datapoint with the minute it begins in.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Minute(pub i64);

/// Minutes in a day.
pub const DAY: i64 = 1_440;
/// Minutes in an hour.
pub const HOUR: i64 = 60;

impl Minute {
    /// The minute that `at` lies in.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self(at.as_second().div_euclid(60))
    }

    /// The instant at which this minute begins.
    ///
    /// Minutes outside the years -9999 to 9999 become the nearest instant that exists.
    #[must_use]
    pub fn start(self) -> Timestamp {
        let seconds = self
            .0
            .saturating_mul(60)
            .clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH) // clamped, so it exists
    }

    /// The minute `minutes` later, or earlier when negative.
    #[must_use]
    pub const fn plus(self, minutes: i64) -> Self {
        Self(self.0.saturating_add(minutes))
    }

    /// How many minutes lie from `earlier` to here; negative when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// All minutes from here up to and without `end`.
    pub fn until(self, end: Self) -> impl DoubleEndedIterator<Item = Self> {
        (self.0..end.0).map(Self)
    }

    /// The first minute of this minute's hour.
    #[must_use]
    pub const fn hour(self) -> Self {
        Self(self.0.div_euclid(HOUR) * HOUR)
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.start().strftime("%Y-%m-%d %H:%M UTC"))
    }
}

/// `at` plus whole minutes, saturating at the end of representable time.
#[must_use]
pub fn after(at: Timestamp, minutes: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_mins(minutes))
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_round_down_on_both_sides_of_1970() {
        let before = Timestamp::from_second(-1).unwrap();
        assert_eq!(Minute::of(before), Minute(-1));
        assert_eq!(Minute::of(Timestamp::UNIX_EPOCH), Minute(0));
        assert_eq!(Minute(-61).hour(), Minute(-120));
        assert_eq!(
            Minute(i64::MAX).start().as_second() / 86_400,
            Timestamp::MAX.as_second() / 86_400
        );
    }
}
