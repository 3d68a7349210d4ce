//! Identifiers, one newtype each, so that a Region can't be passed where a model is meant. They go into thousands of keys
//! and are copied all the time: a copy shares the text.

use std::{fmt, sync::Arc};

use sha2::{Digest, Sha256};

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it is; whoever reads it from outside has checked it.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            /// The text as AWS or the operator wrote it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text_ids! {
    /// Twelve digits.
    AccountId;
    /// An AWS Region, such as `us-east-1`.
    Region;
    /// A base model id without any profile prefix, such as `anthropic.claude-sonnet-4-6`.
    ModelId;
    /// One value of the CloudWatch dimension `ModelId`: a base model, a system profile, or the short id of an application profile.
    TargetId;
    /// A Service Quotas code, such as `L-15B8E632`. The same in every account and Region.
    QuotaCode;
    /// The id of a quota increase request, as Service Quotas gave it.
    RequestId;
    /// The internal id of a support case, `case-…`; what the Support API wants.
    CaseId;
    /// The numeric id of a support case that people see; what Service Quotas hands out.
    DisplayId;
    /// The name of a rule, unique among the loaded rules.
    RuleName;
    /// The name of a receiver in the configuration.
    ReceiverName;
    /// The ARN of an IAM role, user or group, such as `arn:aws:iam::111122223333:role/app`, or of a session of one as STS
    /// names it, `arn:aws:sts::111122223333:assumed-role/app/SESSION`.
    PrincipalArn;
    /// What makes two problems the same problem; see [`crate::model::incident::Cause`].
    Fingerprint;
    /// `inc-` and ten characters of a hash over fingerprint and generation.
    IncidentId;
    /// `act-` and ten characters of a hash over incident and step: a restart computes the same id again.
    ActionId;
    /// `sil-` and ten characters of a hash over what the silence says and when it was made.
    SilenceId;
    /// `[BOA-XXXXXXXXXX]`: planted in what we file, so that it is found again.
    Marker;
}

impl PrincipalArn {
    /// `role`, `user` or `group`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.resource().split('/').next().unwrap_or_default()
    }

    /// The name without its path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.resource().rsplit('/').next().unwrap_or_default()
    }

    /// `aws`, `aws-cn` or `aws-us-gov`.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.0.split(':').nth(1).unwrap_or("aws")
    }

    /// Whether they are certainly not the same: another account, role or user. Two sessions of one role may be the same
    /// caller before and after a restart, and so are none.
    #[must_use]
    pub fn is_another_than(&self, other: &Self) -> bool {
        self.identity() != other.identity()
    }

    /// The account, and what is left of the resource without path and session.
    fn identity(&self) -> (Option<&str>, &str, &str) {
        let account = self.0.split(':').nth(4);
        let mut parts = self.resource().split('/');
        match (self.kind(), parts.nth(1)) {
            ("assumed-role", Some(role)) => (account, "role", role),
            ("role", _) => (account, "role", self.name()),
            (_, _) => (account, "", self.resource()),
        }
    }

    fn resource(&self) -> &str {
        self.0.splitn(6, ':').nth(5).unwrap_or_default()
    }
}

impl IncidentId {
    /// The id of the `generation`-th incident of this fingerprint.
    #[must_use]
    pub fn derive(fingerprint: &Fingerprint, generation: u32) -> Self {
        let hash = short_hash(&format!("{fingerprint}|{generation}"));
        Self::new(format!("inc-{hash}"))
    }
}

impl ActionId {
    /// The id of one step of an incident, such as `request/L-15B8E632/1`.
    #[must_use]
    pub fn derive(incident: &IncidentId, step: &str) -> Self {
        Self::new(format!("act-{}", short_hash(&format!("{incident}|{step}"))))
    }
}

impl SilenceId {
    /// The id of a silence that says this.
    #[must_use]
    pub fn derive(says: &str) -> Self {
        Self::new(format!("sil-{}", short_hash(says)))
    }
}

impl Marker {
    /// How each of them begins, whoever of us planted it.
    pub const BEGINS: &str = "[BOA-";

    /// The marker of an action: the same in every try, different for any two actions.
    #[must_use]
    pub fn of(action: &ActionId) -> Self {
        let tail = action.as_str().trim_start_matches("act-").to_uppercase();
        Self::new(format!("{}{tail}]", Self::BEGINS))
    }
}

/// Ten characters of base32 over SHA-256: 50 bits, no two alike among the few thousand we ever make.
fn short_hash(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let mut encoded = data_encoding::BASE32_NOPAD.encode(&hash).to_lowercase();
    encoded.truncate(10);
    encoded
}

/// One account in one Region: the reach of a quota, of a metric and of an API client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// The account.
    pub account: AccountId,
    /// The source Region, the one that callers call.
    pub region: Region,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_stable_and_apart() {
        let fingerprint = Fingerprint::new("quota/111122223333/us-east-1/L-15B8E632");
        let first = IncidentId::derive(&fingerprint, 1);
        assert_eq!(first, IncidentId::derive(&fingerprint, 1));
        assert_ne!(first, IncidentId::derive(&fingerprint, 2));
        let action = ActionId::derive(&first, "request");
        assert_ne!(action, ActionId::derive(&first, "case"));
        let marker = Marker::of(&action);
        assert_eq!(marker.as_str().len(), "[BOA-XXXXXXXXXX]".len());
    }
}
