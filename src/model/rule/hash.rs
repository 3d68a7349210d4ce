//! What a rule says, as a hash: stored with each decision, so that it can be told later by which rule it was taken.

use sha2::{Digest, Sha256};

use super::{Chance, Condition, Rule, WarningRule};
use crate::model::{units::QuotaKind, unusual::Unusual};

impl Rule {
    /// The rule with the hash of what it says: the first 12 hex digits of SHA-256. The same rule has the same hash however
    /// it is written.
    #[must_use]
    pub fn hashed(mut self) -> Self {
        let digest = Sha256::digest(canonical(&self).as_bytes());
        let mut hex = data_encoding::HEXLOWER.encode(&digest);
        hex.truncate(12);
        self.hash = hex;
        self
    }
}

/// One line a field, in this order. Changing it changes every hash that was ever stored.
fn canonical(rule: &Rule) -> String {
    let condition = match &rule.condition {
        Condition::QuotaShare { kind, above, clear } => format!(
            "quota_share {kind} {} {}",
            above.basis_points(),
            clear.basis_points()
        ),
        Condition::Count {
            of,
            at_least,
            share,
            min_demand,
        } => format!(
            "count {} {at_least} {} {min_demand}",
            of.name(),
            share.basis_points()
        ),
        Condition::Slow { millis, min_demand } => format!("slow {millis} {min_demand}"),
        Condition::Unusual(sought) => canonical_unusual(sought),
        Condition::RunsOut { kind, warning } => canonical_runs_out(*kind, warning),
        Condition::Ends { within } => format!("ends {within}"),
    };
    format!(
        "{}\n{}\n{}\n{}\n{condition}\n{} of {}\n{}\n{}\n",
        rule.name,
        rule.category.name(),
        rule.severity.name(),
        rule.remedy.name(),
        rule.window.bad(),
        rule.window.of(),
        rule.clear_minutes,
        rule.runbook,
    )
}

/// One line of what the condition says.
fn canonical_unusual(sought: &Unusual) -> String {
    let of = sought.trouble().name();
    match sought {
        Unusual::Throttled => format!("unusual {of}"),
        Unusual::ClientErrors(it) | Unusual::ServerErrors(it) => format!(
            "unusual {of} {} {} {}",
            it.ratio,
            it.excess.basis_points(),
            it.rare
        ),
        Unusual::Slow(it) | Unusual::TokensUp(it) => {
            format!("unusual {of} {} {}", it.factor, it.rare)
        }
        Unusual::TrafficUp(it) | Unusual::TrafficDown(it) => {
            format!("unusual {of} {} {} {}", it.jump, it.factor, it.rare)
        }
    }
}

/// As [`canonical_unusual`], of a forecast.
fn canonical_runs_out(kind: QuotaKind, warning: &WarningRule) -> String {
    let of = |it: Chance| {
        format!(
            "{} {}",
            it.use_share.basis_points(),
            it.chance.basis_points()
        )
    };
    let climb = warning.climb.map_or(String::new(), |climb| {
        format!(
            " {} {} {}",
            climb.use_share.basis_points(),
            climb.usual.basis_points(),
            climb.within_minutes,
        )
    });
    format!(
        "runs_out {kind} {} {}{climb} {} {} {} {} {}",
        of(warning.ahead),
        of(warning.near),
        warning.soon.chance.basis_points(),
        warning.soon.minutes,
        warning.early.name(),
        warning.again_minutes,
        warning.quiet_minutes,
    )
}
