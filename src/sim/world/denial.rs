//! What callers of models are denied in a world, and by what.

use crate::model::{ids::AccountId, rule::Pattern};

/// What denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// No policy allows it.
    Nothing,
    /// A policy of the caller, with its id.
    Policy,
    /// A service control policy.
    Scp,
    /// The caller's permissions boundary.
    Boundary,
}

/// What is denied to whom. All that is not denied is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Whose callers.
    pub account: AccountId,
    /// As their ARN ends, such as `role/app`.
    pub callers: Pattern,
    /// ARNs of profiles and models.
    pub resources: Pattern,
    /// By `aws:RequestedRegion`.
    pub regions: Pattern,
    /// Actions.
    pub actions: Pattern,
    /// By what.
    pub by: By,
    /// The policy that IAM names.
    pub policy: Option<String>,
}
