//! How the AWS of a world weighs tokens against an account's daily quota across all models.

use std::collections::BTreeMap;

use crate::model::ids::{QuotaCode, Scope};

/// The daily quota that all models of the runtime endpoint share in one account and Region.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossModelDay {
    /// Account and Region.
    pub scope: Scope,
    /// The quota.
    pub code: QuotaCode,
    /// The pools that it counts, as indices into [`super::World::pools`], and what a token of each takes of it. Empty
    /// where nothing is called.
    pub pools: BTreeMap<usize, TokenWeights>,
}

/// What one token of a model takes of the quota, by its sort.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenWeights {
    /// An input token, not cached.
    pub input: f64,
    /// An output token.
    pub output: f64,
    /// A token read from the cache.
    pub cache_read: f64,
    /// A token written to the cache.
    pub cache_write: f64,
}
