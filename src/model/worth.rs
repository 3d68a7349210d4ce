//! What a token of a quota is worth that weighs all models by price. AWS publishes the quota and not the weights, so that it is
//! a range: what prices leave open, narrowed by what went through.

use super::time::Minute;

/// One unit of what is counted, in USD: a token of a price of one USD a million.
pub const UNIT_USD: f64 = 1e-6;

/// USD for a million tokens of the quota: at least and at most. `0 < low <= high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worth {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The fullest day of which more was let through.
    pub passed: Option<Mark>,
    /// The newest day that was used up.
    pub stopped: Option<Mark>,
}

/// What a day had taken when that was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// When.
    pub at: Minute,
    /// Since 00:00 UTC, in units.
    pub used: f64,
    /// The quota then, in its own tokens.
    pub quota: f64,
}

impl Mark {
    /// What a token of the quota would be worth if this day was just used up.
    #[must_use]
    pub fn worth(self) -> f64 {
        self.used / self.quota
    }
}

impl Worth {
    /// How much is left open: the logarithm of the highest over the lowest.
    #[must_use]
    pub fn doubt(self) -> f64 {
        (self.high / self.low).ln()
    }
}
