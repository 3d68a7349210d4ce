//! The value of a quota, and how far it may be trusted.

use super::{
    catalog::{Family, Pool},
    ids::{QuotaCode, Scope},
    time::Timestamp,
    units::Amount,
};

/// AWS's words in the name of a daily quota of which geo traffic may take twice the value.
pub const DOUBLED_FOR_GEO: &str = "(doubled for cross-region calls)";

/// One quota of one account and Region, as last read.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    /// Account and Region.
    pub scope: Scope,
    /// The code.
    pub code: QuotaCode,
    /// The name as the API returned it.
    pub name: String,
    /// The applied value. `None`: none recorded, or unreadable.
    pub applied: Option<Amount>,
    /// AWS's default. `None`: not read or not published.
    pub default: Option<Amount>,
    /// Whether Service Quotas takes a request for it.
    pub adjustable: bool,
    /// When the values were last read successfully.
    pub read_at: Timestamp,
    /// Why the last read failed, while the values above are older ones.
    pub stale: Option<String>,
}

/// What a pool is limited to, and where that number comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// The applied value.
    Applied(Amount),
    /// No applied value recorded: AWS's default, said so wherever it is shown.
    Default(Amount),
    /// The account is blocked for this model: the applied value is 0. Nothing is ever divided by it.
    Blocked,
    /// Neither could be read.
    Unknown,
}

impl Limit {
    /// The number to measure against: positive, or `None`.
    #[must_use]
    pub const fn amount(self) -> Option<Amount> {
        match self {
            Self::Applied(value) | Self::Default(value) => Some(value),
            Self::Blocked | Self::Unknown => None,
        }
    }

    /// `applied`, `default`, `blocked` or `unknown`.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Applied(_) => "applied",
            Self::Default(_) => "default",
            Self::Blocked => "blocked",
            Self::Unknown => "unknown",
        }
    }
}

impl Quota {
    /// Applied first, then default, then unknown; zero is a state of its own.
    #[must_use]
    pub fn limit(&self) -> Limit {
        match (self.applied, self.default) {
            (Some(value), _) if value == Amount::ZERO => Limit::Blocked,
            (Some(value), _) => Limit::Applied(value),
            (None, Some(value)) if value > Amount::ZERO => Limit::Default(value),
            (None, _) => Limit::Unknown,
        }
    }

    /// The value in force: zero where the account is blocked, `None` where nobody knows.
    #[must_use]
    pub fn in_force(&self) -> Option<Amount> {
        match self.limit() {
            Limit::Applied(value) | Limit::Default(value) => Some(value),
            Limit::Blocked => Some(Amount::ZERO),
            Limit::Unknown => None,
        }
    }

    /// [`Self::limit`], for this pool: in what the pool's use is counted in.
    #[must_use]
    pub fn limit_for(&self, pool: &Pool) -> Limit {
        let of = |value| self.allowed(value, pool);
        match self.limit() {
            Limit::Applied(value) => of(value).map_or(Limit::Unknown, Limit::Applied),
            Limit::Default(value) => of(value).map_or(Limit::Unknown, Limit::Default),
            other @ (Limit::Blocked | Limit::Unknown) => other,
        }
    }

    /// What a value of this quota allows this pool; `None` where nobody can tell.
    #[must_use]
    pub fn allowed(&self, value: Amount, pool: &Pool) -> Option<Amount> {
        Amount::new(self.times(pool)? * value.get())
    }

    /// How many times its value this pool may take, in what the pool's use is counted in; `None` where nobody can tell. Of
    /// what is weighed by price it is the most that may be: what passes that has passed the quota for sure.
    #[must_use]
    pub fn times(&self, pool: &Pool) -> Option<f64> {
        match pool.id.family {
            Family::Account => pool.worth.map(|it| it.high),
            family @ (Family::OnDemand | Family::Geo | Family::Global | Family::Mantle) => {
                Some(times(&self.name, family))
            }
        }
    }
}

/// How many times the value of a quota of this name traffic of this family may take.
#[must_use]
pub fn times(name: &str, family: Family) -> f64 {
    let is_doubled = name.to_lowercase().contains(DOUBLED_FOR_GEO);
    match family {
        Family::Geo if is_doubled => 2.0,
        Family::OnDemand | Family::Geo | Family::Global | Family::Mantle | Family::Account => 1.0,
    }
}

/// A change of the value in force, applied or by default: kept for good, shown in `explain`.
#[derive(Clone, Debug, PartialEq)]
pub struct QuotaChange {
    /// Account and Region.
    pub scope: Scope,
    /// The code.
    pub code: QuotaCode,
    /// Before; `None` when it was unknown.
    pub old: Option<Amount>,
    /// After; `None` when it became unknown.
    pub new: Option<Amount>,
    /// When we saw it.
    pub at: Timestamp,
}
