//! Digests: what stands, once a day or a week, for those who are not on call.

use super::{
    ids::ReceiverName,
    rule::Matcher,
    time::{DAY, Minute, Timestamp},
};

/// Minutes of a week.
const WEEK: i64 = 7 * DAY;
/// 1970 began on a Thursday; weeks are counted from Monday.
const EPOCH_SHIFT: i64 = 3 * DAY;
/// A digest that is later than this is left out: the next one tells the same.
const LATE_MINUTES: i64 = 6 * 60;

/// When a digest is sent, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Often {
    /// Each day, so many minutes after midnight.
    Daily(i64),
    /// Each week, so many minutes after Monday 00:00.
    Weekly(i64),
}

impl Often {
    /// Minutes from one to the next.
    #[must_use]
    pub const fn period(self) -> i64 {
        match self {
            Self::Daily(_) => DAY,
            Self::Weekly(_) => WEEK,
        }
    }

    /// The last time at or before `now`; `None` where that is too long ago to be worth telling.
    #[must_use]
    pub fn due(self, now: Timestamp) -> Option<Minute> {
        let (shift, at) = match self {
            Self::Daily(at) => (0, at),
            Self::Weekly(at) => (EPOCH_SHIFT, at),
        };
        let now = Minute::of(now).0;
        let since = (now + shift - at).rem_euclid(self.period());
        (since <= LATE_MINUTES).then(|| Minute(now - since))
    }
}

/// How the step of the intent that sends one begins.
pub const STEP: &str = "digest/";

/// A digest for one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Who.
    pub receiver: ReceiverName,
    /// When.
    pub at: Often,
    /// Of which pools.
    pub matcher: Matcher,
    /// What becomes of one that has nothing to say.
    pub nothing: Nothing,
}

/// What becomes of a digest that has nothing to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nothing {
    /// It is left out.
    Silent,
    /// It is left out but for one a week, as a sign of life: that of Monday, and each one that comes once a week.
    Weekly,
    /// It goes out.
    Send,
}

impl Nothing {
    /// All of them, the usual one first.
    pub const ALL: [Self; 3] = [Self::Silent, Self::Weekly, Self::Send];

    /// The name in TOML.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Weekly => "weekly",
            Self::Send => "send",
        }
    }
}

impl Digest {
    /// Whether the one of this minute goes out although it has nothing to say.
    #[must_use]
    pub const fn is_sent_empty(&self, at: Minute) -> bool {
        match self.nothing {
            Nothing::Silent => false,
            Nothing::Weekly => match self.at {
                Often::Daily(_) => (at.0 + EPOCH_SHIFT).rem_euclid(WEEK) < DAY,
                Often::Weekly(_) => true,
            },
            Nothing::Send => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_of_life_comes_once_a_week() {
        let sent = |at: Often, nothing: Nothing| {
            let digest = Digest {
                receiver: ReceiverName::new("team"),
                at,
                matcher: Matcher::default(),
                nothing,
            };
            let sunday: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
            let days = (0..14).map(|day| Minute::of(sunday).plus(day * DAY));
            days.filter(|it| digest.is_sent_empty(*it)).count()
        };
        let daily = Often::Daily(8 * 60);
        let each = Nothing::ALL.map(|it| sent(daily, it));
        assert_eq!(each, [0, 2, 14]);
        assert_eq!(sent(Often::Weekly(8 * 60), Nothing::Weekly), 14);
        assert_eq!(sent(Often::Weekly(8 * 60), Nothing::Silent), 0);
    }

    #[test]
    fn a_day_and_a_week_come_round_and_what_is_late_is_left_out() {
        let due = |often: Often, now: &str| {
            let due = often.due(now.parse().unwrap());
            due.map(|it| it.start().to_string())
        };
        let daily = Often::Daily(8 * 60);
        let weekly = Often::Weekly(8 * 60);
        assert_eq!(
            due(daily, "2026-03-02T08:00:30Z").as_deref(),
            Some("2026-03-02T08:00:00Z")
        );
        assert_eq!(
            due(daily, "2026-03-02T14:00:00Z").as_deref(),
            Some("2026-03-02T08:00:00Z")
        );
        assert_eq!(due(daily, "2026-03-02T14:01:00Z"), None);
        assert_eq!(due(daily, "2026-03-02T07:59:00Z"), None);
        // 2026-03-02 is a Monday.
        assert_eq!(
            due(weekly, "2026-03-02T09:00:00Z").as_deref(),
            Some("2026-03-02T08:00:00Z")
        );
        assert_eq!(due(weekly, "2026-03-03T08:00:00Z"), None);
    }
}
