//! When a quota runs out, as a distribution, and by which way people were told.

use super::time::Minute;

/// Which way led to a warning.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Way {
    /// Use is under way, and the days after the next are at risk.
    Ahead,
    /// Use is close to the limit, and the week is at risk.
    Near,
    /// Demand climbs far above what is usual at this time, and reaches the limit within hours at its pace.
    Climb,
    /// The next 24 hours are at risk.
    Soon,
}

impl Way {
    /// All ways, the most urgent last.
    pub const ALL: [Self; 4] = [Self::Ahead, Self::Near, Self::Climb, Self::Soon];

    /// The name in stored reasons and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::Near => "near",
            Self::Climb => "climb",
            Self::Soon => "soon",
        }
    }
}

/// The time to exhaustion of one quota, from `origin` on. Exhaustion is sustained throttling, not one touched minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exhaustion {
    /// Everything before this minute was known.
    pub origin: Minute,
    /// Minutes until it is exhausted with a probability of a tenth; `None` beyond 30 days.
    pub p10: Option<i64>,
    /// As `p10`, with a half.
    pub p50: Option<i64>,
    /// As `p10`, with nine tenths.
    pub p90: Option<i64>,
    /// Probability within the hour.
    pub within_hour: f64,
    /// Within 24 hours.
    pub within_day: f64,
    /// Within seven days.
    pub within_week: f64,
    /// Within 30 days.
    pub within_month: f64,
    /// Within seven days, given that the next 24 hours pass without it.
    pub after_day: f64,
    /// If it is exhausted within 24 hours: the median of the minutes until then.
    pub if_within_day: Option<i64>,
    /// If it is exhausted within seven days: the median of the minutes until then.
    pub if_within_week: Option<i64>,
    /// What the busiest minutes of the next seven days, or the fullest day where the quota counts by the day, come to with a
    /// probability of 95 %, in the unit of the quota.
    pub week_p95: f64,
}

impl Exhaustion {
    /// The chance that a warning of this way stands by.
    #[must_use]
    pub const fn chance(&self, way: Way) -> f64 {
        match way {
            Way::Ahead => self.after_day,
            Way::Near | Way::Climb => self.within_week,
            Way::Soon => self.within_day,
        }
    }
}
