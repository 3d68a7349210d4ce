//! What is seen of the accounts and Regions that are watched: of which nothing can be read, since when, and why.

use std::collections::{BTreeMap, BTreeSet};

use super::{catalog::PoolId, ids::Scope, time::Timestamp};

/// How the ids begin under which it is kept, and told, that a place is not seen.
pub const PREFIX: &str = "blind-";
/// The first part of the step of each message about it; what it says follows.
pub const STEP: &str = "blind/";

/// All places that are watched, and how well.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Sights {
    /// All of them.
    pub watched: BTreeSet<Scope>,
    /// Those of which something is not read.
    pub unseen: BTreeMap<Scope, Unseen>,
    /// Since when the others are read without a failure, as far as this process knows. Of a place in neither nothing was
    /// tried yet.
    pub seen: BTreeMap<Scope, Timestamp>,
}

impl Sights {
    /// Whether nothing is seen at all.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        let mut watched = self.watched.iter();
        !self.watched.is_empty() && watched.all(|it| self.unseen.contains_key(it))
    }
}

/// What of a place is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// Since when reads fail, as far as this process knows.
    pub failing: Timestamp,
    /// Since when nobody watches it: that, or what was read last where nothing was read since this process began.
    pub since: Timestamp,
    /// What was tried, such as `cloudwatch:GetMetricData`.
    pub operation: String,
    /// The other side's code, such as `AccessDenied`.
    pub code: String,
    /// All of it in the other side's words.
    pub why: String,
    /// Pools that nobody reads, sorted; empty where none is known.
    pub pools: Vec<PoolId>,
}
