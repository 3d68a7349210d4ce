//! What a world says of its desk, and the truth that its labels tell.

use crate::model::{
    ids::{AccountId, QuotaCode, Region, Scope, TargetId},
    time::{Minute, SignedDuration},
};

/// What the desk does with the requests for one quota, one answer a request; the last one repeats.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// The quota.
    pub code: QuotaCode,
    /// Only in this account, where given.
    pub account: Option<AccountId>,
    /// Only in this Region, where given.
    pub region: Option<Region>,
    /// In order. Never empty.
    pub answers: Vec<Answer>,
}

/// One decision of the desk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// What it decides.
    pub outcome: Outcome,
    /// How long after the request (or after the customer's reply).
    pub after: SignedDuration,
    /// How long after the case closes a granted value applies.
    pub apply_after: SignedDuration,
}

/// What the desk decides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// The whole raise.
    Grant,
    /// The whole raise, and nobody closes the case.
    GrantOpen,
    /// A share of the raise, above 0 and below 1.
    Partial(f64),
    /// A question; after a reply the next answer of the script follows (a grant where there is none), without a reply the case closes after `after` again.
    AskBack,
    /// A refusal.
    Deny,
    /// The case closes without a word and without a change.
    Close,
}

/// How Support treats cases that callers open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Support {
    /// After this long a person answers.
    pub reply_after: SignedDuration,
    /// After this long the case is resolved.
    pub resolve_after: SignedDuration,
    /// So many cases may be open at once in an account.
    pub open_cases: usize,
}

/// What really was, for those who score.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Whether anyone should be woken.
    pub kind: LabelKind,
    /// Account and Region.
    pub scope: Scope,
    /// The target.
    pub target: TargetId,
    /// First minute.
    pub from: Minute,
    /// First minute after it.
    pub until: Minute,
    /// For people.
    pub name: String,
}

/// Whether a label is about trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelKind {
    /// Looks odd and is harmless: nobody may be paged.
    Benign,
    /// Real trouble.
    Incident,
}
