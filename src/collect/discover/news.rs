//! Findings of a discovery that are no failures, told once.

use std::fmt;

use crate::model::catalog::Unplaced;
use crate::model::ids::{AccountId, TargetId};

/// Ids that are named; the rest is counted.
const MAX_EXAMPLES: usize = 10;

/// Something that a person should know of, once. Prints as a sentence without its final stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Targets with metrics and without a pool: nothing rests on them.
    Unplaced(Vec<Unplaced>),
    /// System-defined profiles that no earlier discovery listed.
    NewProfiles(Vec<String>),
    /// Targets that CloudWatch lists no more.
    Vanished(Vec<TargetId>),
    /// Nothing but metrics can be asked here; they come through this account.
    MetricsOnly(AccountId),
}

impl News {
    /// The name of the event in logs.
    #[must_use]
    pub const fn event(&self) -> &'static str {
        match self {
            Self::Unplaced(_) => "discover.unplaced",
            Self::NewProfiles(_) => "discover.new-profiles",
            Self::Vanished(_) => "discover.vanished",
            Self::MetricsOnly(_) => "discover.metrics-only",
        }
    }
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unplaced(all) => {
                let some: Vec<String> = all
                    .iter()
                    .take(MAX_EXAMPLES)
                    .map(|it| format!("`{}` ({})", it.id, it.why))
                    .collect();
                let (count, some) = (all.len(), some.join(", "));
                write!(
                    f,
                    "{count} targets have metrics and no pool, so they are not watched, such as {some}"
                )
            }
            Self::NewProfiles(ids) => {
                let some: Vec<&str> = ids.iter().map(String::as_str).collect();
                let (count, some) = (ids.len(), listed(&some));
                write!(
                    f,
                    "{count} inference profiles are new here: {some}; a profile never gains a Region, new ones come this way"
                )
            }
            Self::Vanished(ids) => {
                let some: Vec<&str> = ids.iter().map(TargetId::as_str).collect();
                let (count, some) = (ids.len(), listed(&some));
                write!(
                    f,
                    "{count} targets have had no traffic for two weeks and are forgotten in two more: {some}"
                )
            }
            Self::MetricsOnly(through) => write!(
                f,
                "metrics are read through account {through} and no role leads into this one: its profiles and quotas can't be read, so an application profile has no pool here, no limit is known, and nothing is asked of AWS; give its [[account]] a `role_arn` for that"
            ),
        }
    }
}

fn listed(ids: &[&str]) -> String {
    let some = ids.iter().take(MAX_EXAMPLES);
    let some: Vec<String> = some.map(|id| format!("`{id}`")).collect();
    match ids.len().saturating_sub(MAX_EXAMPLES) {
        0 => some.join(", "),
        more => format!("{} and {more} more", some.join(", ")),
    }
}
