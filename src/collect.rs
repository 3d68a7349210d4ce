//! Layer 1: what exists, what limits it, how much it is used, and what lies on the desk.
//!
//! Belongs here: asking the port for these four things, following pages to their end, judging whether an answer is
//! whole, placing targets into pools, mapping quotas by name, summing targets to pools.
//! Does not belong here: opinions about the numbers (`engine`), writing anything down (`store`), SDK types (`aws`).
//!
//! Every function gives back what it found *and* what failed: a failed read is a fact to be shown, and it leaves the
//! old records as they are.

mod alarm;
pub mod budget;
mod burndown;
pub mod cadence;
mod data;
mod desk;
mod discover;
mod endpoint;
#[cfg(test)]
mod fake;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod label;
mod listings;
mod mantle;
pub mod mapping;
mod measure;
mod pages;
mod permits;
mod place;
mod quotas;
pub mod ran;
mod regions;
mod reread;
pub mod round;
mod sum;
pub mod survey;
mod tags;
mod tried;
mod usage;

pub use burndown::{highest, long_input_tokens, most_reserved_output};
pub use desk::{find_twins, poll_desk};
pub use discover::{Discovery, News, discover};
pub use listings::active_targets;
pub use permits::Wanted;
pub use quotas::{QuotaPages, Reread, reread_quotas};
pub use ran::feed::Feed;
pub use regions::enabled_regions;
use usage::throttles_of_account;
pub use usage::{PoolReading, backfill, read};

use crate::cloud::Fault;

/// What a stage of collecting came to: records to commit, and what failed (shown, never swallowed).
#[derive(Clone, Debug, PartialEq)]
pub struct Gathered<T> {
    /// What was found; may be less than there is when `faults` is not empty.
    pub found: T,
    /// What failed on the way, in the order in which it happened.
    pub faults: Vec<Fault>,
}
