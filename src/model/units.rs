//! Units: a number that may be compared only with its own kind, checked once where it enters.

use std::fmt;

use super::worth::UNIT_USD;

/// A share of a quota in basis points: 8 000 is 80 %. Invariant: `1..=10_000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u16);

impl Share {
    /// All of it.
    pub const FULL: Self = Self(10_000);

    /// Half of it.
    pub const HALF: Self = Self(5_000);

    /// `None` outside `1..=10_000` basis points.
    #[must_use]
    pub fn from_basis_points(points: u16) -> Option<Self> {
        (1..=10_000).contains(&points).then_some(Self(points))
    }

    /// Basis points, `1..=10_000`.
    #[must_use]
    pub const fn basis_points(self) -> u16 {
        self.0
    }

    /// As a factor, `0.0 < x <= 1.0`.
    #[must_use]
    pub fn factor(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match rest {
            0 => write!(f, "{whole} %"),
            rest => write!(f, "{whole}.{rest:02} %"),
        }
    }
}

/// A count of requests or tokens, or the value of a quota. Invariant: finite and not negative.
///
/// Which unit it counts (requests or tokens, per minute or per day) is told by the [`QuotaKind`] or
/// [`Signal`](crate::model::series::Signal) beside it.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Amount(f64);

impl Amount {
    /// Nothing at all.
    pub const ZERO: Self = Self(0.0);

    /// `None` for NaN, infinities and negative numbers.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        (0.0..f64::INFINITY).contains(&value).then_some(Self(value))
    }

    /// The bare number, finite and not negative.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// This amount times a share.
    #[must_use]
    pub fn at(self, share: Share) -> Self {
        Self(self.0 * share.factor())
    }

    /// Both together, capped at the largest finite number.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self((self.0 + other.0).min(f64::MAX))
    }
}

impl fmt::Display for Amount {
    /// Whole number with thousands separated: `1,250,000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&grouped(self.0))
    }
}

/// A number for people: rounded to a whole, thousands separated by commas.
#[must_use]
pub fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value + 0.0); // the sum of nothing is -0
    let (sign, digits) = digits
        .strip_prefix('-')
        .map_or(("", digits.as_str()), |rest| ("-", rest));
    let mut out = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{sign}{out}")
}

/// What a quota limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuotaKind {
    /// Requests per minute.
    Rpm,
    /// Tokens per minute, burndown-weighted.
    Tpm,
    /// Tokens per day, burndown-weighted.
    Tpd,
    /// Tokens per day of all models of the `bedrock-runtime` endpoint together, each weighed by its price.
    CrossModelTpd,
    /// Input tokens per minute of the `bedrock-mantle` endpoint.
    InputTpm,
    /// Output tokens per minute of the `bedrock-mantle` endpoint, each counted once.
    OutputTpm,
}

impl QuotaKind {
    /// All kinds. Which of them a pool knows is told by its [`Family`](crate::model::catalog::Family).
    pub const ALL: [Self; 6] = [
        Self::Tpm,
        Self::Rpm,
        Self::Tpd,
        Self::InputTpm,
        Self::OutputTpm,
        Self::CrossModelTpd,
    ];

    /// `rpm`, `tpm`, `tpd`, `cross_model_tpd`, `input_tpm` or `output_tpm`, as in TOML and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rpm => "rpm",
            Self::Tpm => "tpm",
            Self::Tpd => "tpd",
            Self::CrossModelTpd => "cross_model_tpd",
            Self::InputTpm => "input_tpm",
            Self::OutputTpm => "output_tpm",
        }
    }

    /// The unit as a person reads it.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Rpm => "requests per minute",
            Self::Tpm => "tokens per minute",
            Self::Tpd => "tokens per day",
            Self::CrossModelTpd => "worth of tokens per day, all models together",
            Self::InputTpm => "input tokens per minute",
            Self::OutputTpm => "output tokens per minute",
        }
    }

    /// An amount of it as a person reads it: a number, or USD where prices are what is counted.
    #[must_use]
    pub fn said(self, amount: Amount) -> String {
        match self {
            Self::CrossModelTpd => format!("{} USD", grouped(amount.get() * UNIT_USD)),
            Self::Rpm | Self::Tpm | Self::Tpd | Self::InputTpm | Self::OutputTpm => {
                amount.to_string()
            }
        }
    }

    /// Whether it counts by the UTC day.
    #[must_use]
    pub const fn is_daily(self) -> bool {
        match self {
            Self::Tpd | Self::CrossModelTpd => true,
            Self::Rpm | Self::Tpm | Self::InputTpm | Self::OutputTpm => false,
        }
    }
}

impl fmt::Display for QuotaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_refuse_what_is_not_a_count() {
        for bad in [f64::NAN, f64::INFINITY, -1.0, f64::NEG_INFINITY] {
            assert!(Amount::new(bad).is_none(), "{bad}");
        }
        assert_eq!(Amount::new(1_250_000.0).unwrap().to_string(), "1,250,000");
        assert_eq!(Amount::ZERO.to_string(), "0");
        assert_eq!(grouped(-1_000.4), "-1,000");
    }

    #[test]
    fn a_share_prints_as_people_write_it() {
        assert_eq!(Share::from_basis_points(8_000).unwrap().to_string(), "80 %");
        assert_eq!(
            Share::from_basis_points(1_205).unwrap().to_string(),
            "12.05 %"
        );
        assert!(Share::from_basis_points(0).is_none());
        assert!(Share::from_basis_points(10_001).is_none());
    }
}
