//! What a rule says, as a hash: stored with each decision, so that it can be told later by which rule it was taken.

use sha2::{Digest, Sha256};

use super::{Condition, Rule};

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
        Condition::Above { of, factor, floor } => {
            format!("above_usual {} {factor} {floor}", of.name())
        }
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
