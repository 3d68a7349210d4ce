//! What one try of an effect, or one look for it, came to.

use super::units::Amount;

/// Why Support takes nothing from an account, as it stands in what was refused for it.
pub const NO_PLAN: &str = "the account's support plan has no API";

/// What an attempt, or a look, came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It happened (also: it had happened before, and was found or adopted).
    Done {
        /// The other side's name for it.
        reference: String,
    },
    /// Somebody else's quota request is open: ours is not needed, theirs is followed and left as it is.
    Theirs {
        /// Its id.
        reference: String,
        /// The value that it asks for.
        desired: Amount,
    },
    /// It certainly did not happen, and may be tried again after so many minutes at the earliest.
    NotYet {
        /// Minutes to wait at least; the protocol adds its own backoff.
        wait_minutes: i64,
        /// Why, as a sentence fragment.
        why: String,
    },
    /// It certainly did not happen, and the other side takes nothing at all until a person has acted there: a key, a
    /// permission, a channel is gone. It may be tried again after so many minutes at the earliest.
    Refused {
        /// Minutes to wait at least; the protocol adds its own backoff.
        wait_minutes: i64,
        /// Why, as a sentence fragment.
        why: String,
    },
    /// It certainly did not happen, and trying again as it is would be no use.
    Never {
        /// Why, as a sentence fragment.
        why: String,
    },
    /// It may have happened.
    InDoubt {
        /// Why, as a sentence fragment.
        why: String,
    },
    /// A complete look found nothing.
    Absent,
    /// The look itself failed; it proves nothing.
    CouldNotLook {
        /// Why, as a sentence fragment.
        why: String,
    },
}

impl Outcome {
    /// The name in metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Theirs { .. } => "theirs",
            Self::NotYet { .. } => "not-yet",
            Self::Refused { .. } => "refused",
            Self::Never { .. } => "never",
            Self::InDoubt { .. } => "in-doubt",
            Self::Absent => "absent",
            Self::CouldNotLook { .. } => "could-not-look",
        }
    }

    /// Whether the other side said yes or no; else it may be in trouble, and so may be what else is meant for it.
    #[must_use]
    pub const fn is_clear(&self) -> bool {
        match self {
            Self::Done { .. } | Self::Theirs { .. } | Self::Never { .. } | Self::Absent => true,
            Self::NotYet { .. }
            | Self::Refused { .. }
            | Self::InDoubt { .. }
            | Self::CouldNotLook { .. } => false,
        }
    }
}
