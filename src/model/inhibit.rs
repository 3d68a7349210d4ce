//! Inhibitions: which incident is a part of which other one.

use super::selector::Selector;

/// While an incident that `source` fits is open, one that `target` fits is not told, where both agree in `equal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inhibit {
    /// Its name, unique.
    pub name: String,
    /// The cause.
    pub source: Selector,
    /// What follows from it.
    pub target: Selector,
    /// In what both agree: each pool of the target with one of the source's.
    pub equal: Vec<Part>,
}

/// A part of a pool's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The account.
    Account,
    /// The Region.
    Region,
    /// The family.
    Family,
    /// The base model.
    Model,
    /// All of it.
    Pool,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Account,
        Self::Region,
        Self::Family,
        Self::Model,
        Self::Pool,
    ];

    /// The name in TOML.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Region => "region",
            Self::Family => "family",
            Self::Model => "model",
            Self::Pool => "pool",
        }
    }
}
