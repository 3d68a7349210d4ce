//! Whether callers may use a way: what IAM says of the roles, users and groups that the operator names.
//!
//! A request is authorised for the profile and for each model that it may lead to, so one denial is a denial of the whole
//! (AWS, Geographic and Global cross-Region inference).

use std::{collections::BTreeMap, fmt};

use super::{
    ids::{AccountId, PrincipalArn},
    time::Timestamp,
};

/// Who calls models, by account, in the order of the file; nobody is asked about in an account that is not here.
pub type Callers = BTreeMap<AccountId, Vec<PrincipalArn>>;

/// What is known of one way, by who would call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permits {
    /// Caller by caller.
    pub by_caller: BTreeMap<PrincipalArn, Permit>,
    /// When IAM was asked.
    pub asked_at: Timestamp,
}

/// What one caller may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// `bedrock:InvokeModel`.
    pub call: Ruling,
    /// `bedrock:InvokeModelWithResponseStream`.
    pub stream: Ruling,
}

/// Whether an action is allowed on all that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// On all of it.
    Allowed,
    /// Not on this.
    Denied(Denial),
    /// Nobody could say.
    Unknown {
        /// Why, as a sentence fragment.
        why: String,
    },
}

/// Why an action is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// By what.
    pub by: Denier,
    /// The ARN of what may not be called: the profile, or the model in one Region.
    pub resource: String,
    /// The policy that matched, where IAM names one.
    pub policy: Option<String>,
    /// Context keys that policies ask for and that only a real request has, sorted; a few at most. They need not be those
    /// that decide.
    pub missing: Vec<String>,
}

/// What denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Denier {
    /// No policy allows it.
    Nothing,
    /// A policy of the caller denies it.
    Policy,
    /// A service control policy of the organisation.
    Organization,
    /// The caller's permissions boundary.
    Boundary,
}

impl Denier {
    /// The name in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Policy => "policy",
            Self::Organization => "organization",
            Self::Boundary => "boundary",
        }
    }
}

impl Ruling {
    /// Both at once: a denial of one is a denial of both, and what is not known of one is not known of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Denied(it), _) | (_, Self::Denied(it)) => Self::Denied(it),
            (Self::Unknown { why }, _) | (_, Self::Unknown { why }) => Self::Unknown { why },
            (Self::Allowed, Self::Allowed) => Self::Allowed,
        }
    }

    /// Whether it is denied.
    #[must_use]
    pub const fn is_denied(&self) -> bool {
        matches!(self, Self::Denied(_))
    }
}

impl Permit {
    /// The same of both actions.
    #[must_use]
    pub fn unknown(why: &str) -> Self {
        let ruling = Ruling::Unknown {
            why: why.to_owned(),
        };
        Self {
            call: ruling.clone(),
            stream: ruling,
        }
    }

    /// Whether the way is closed: neither action is allowed.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.call.is_denied() && self.stream.is_denied()
    }

    /// What these callers may do, as a fragment: `the role `app` may call it`.
    #[must_use]
    pub fn said_of(&self, callers: &[&PrincipalArn]) -> String {
        let who = who(callers);
        match (&self.call, &self.stream) {
            (Ruling::Allowed, Ruling::Allowed) => format!("{who} may call it"),
            (Ruling::Denied(it), Ruling::Denied(_)) => format!("{who} may not: {it}"),
            (Ruling::Allowed, Ruling::Denied(it)) => {
                format!("{who} may call it, but not stream its answers: {it}")
            }
            (Ruling::Denied(it), Ruling::Allowed) => {
                format!("{who} may only stream its answers: {it}")
            }
            (Ruling::Unknown { why }, _) | (_, Ruling::Unknown { why }) => {
                format!("whether {who} may call it is not known: {why}")
            }
        }
    }
}

impl fmt::Display for Denial {
    /// `an SCP denies it in us-east-2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = place(&self.resource);
        match (self.by, &self.policy) {
            (Denier::Nothing, _) => write!(f, "no policy allows it {place}")?,
            (Denier::Policy, Some(policy)) => write!(f, "the policy `{policy}` denies it {place}")?,
            (Denier::Policy, None) => write!(f, "a policy denies it {place}")?,
            (Denier::Organization, _) => write!(f, "an SCP denies it {place}")?,
            (Denier::Boundary, _) => {
                write!(f, "its permissions boundary does not allow it {place}")?;
            }
        }
        if self.missing.is_empty() {
            return Ok(());
        }
        let keys: Vec<String> = self.missing.iter().map(|it| format!("`{it}`")).collect();
        write!(f, " (asked without {})", keys.join(", "))
    }
}

/// Where a resource is, as people think of it.
fn place(resource: &str) -> String {
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    let (region, name) = (
        parts.get(3).copied().unwrap_or_default(),
        parts.get(5).copied().unwrap_or_default(),
    );
    if name.contains("inference-profile/") {
        return "for the profile itself".to_owned();
    }
    match region {
        "" => "for the model without a Region (`unspecified`)".to_owned(),
        region => format!("in {region}"),
    }
}

/// Callers as people know them: `the role `app` and the user `ci``.
fn who(callers: &[&PrincipalArn]) -> String {
    let each = callers.iter();
    let each = each.map(|it| format!("the {} `{}`", it.kind(), it.name()));
    each.collect::<Vec<_>>().join(" and ")
}

/// Callers about whom IAM was not asked yet, as a fragment.
#[must_use]
pub fn not_asked(callers: &[&PrincipalArn]) -> String {
    format!("whether {} may call it was not asked yet", who(callers))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(by: Denier, resource: &str) -> Ruling {
        Ruling::Denied(Denial {
            by,
            resource: resource.to_owned(),
            policy: None,
            missing: Vec::new(),
        })
    }

    fn unknown() -> Ruling {
        Ruling::Unknown {
            why: "IAM knows no such role".to_owned(),
        }
    }

    const EAST: &str = "arn:aws:bedrock:us-east-2::foundation-model/m";
    const NOWHERE: &str = "arn:aws:bedrock:::foundation-model/m";
    const PROFILE: &str = "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.m";

    #[test]
    fn all_that_is_needed_must_be_allowed() {
        let no = || denied(Denier::Organization, EAST);
        assert_eq!(Ruling::Allowed.and(Ruling::Allowed), Ruling::Allowed);
        assert_eq!(Ruling::Allowed.and(no()), no());
        assert_eq!(no().and(Ruling::Allowed), no());
        // What is denied somewhere is denied, whatever else is not known.
        assert_eq!(unknown().and(no()), no());
        assert_eq!(no().and(unknown()), no());
        assert_eq!(Ruling::Allowed.and(unknown()), unknown());
        // The first one is told.
        let first = denied(Denier::Nothing, PROFILE);
        assert_eq!(first.clone().and(no()), first);
    }

    #[test]
    fn what_a_caller_may_do_reads_as_a_sentence() {
        let app = PrincipalArn::new("arn:aws:iam::111122223333:role/service/app");
        let both = |ruling: Ruling| Permit {
            call: ruling.clone(),
            stream: ruling,
        };
        let by_name = Ruling::Denied(Denial {
            by: Denier::Policy,
            resource: NOWHERE.to_owned(),
            policy: Some("no-global".to_owned()),
            missing: Vec::new(),
        });
        let without = Ruling::Denied(Denial {
            by: Denier::Nothing,
            resource: EAST.to_owned(),
            policy: None,
            missing: vec!["aws:SourceVpce".to_owned()],
        });
        let permits = [
            both(Ruling::Allowed),
            both(denied(Denier::Organization, EAST)),
            both(denied(Denier::Boundary, PROFILE)),
            both(by_name),
            both(without),
            Permit {
                call: Ruling::Allowed,
                stream: denied(Denier::Nothing, EAST),
            },
            Permit {
                call: denied(Denier::Policy, EAST),
                stream: Ruling::Allowed,
            },
            both(unknown()),
        ];
        let mut said: Vec<String> = permits.iter().map(|it| it.said_of(&[&app])).collect();
        let ci = PrincipalArn::new("arn:aws:iam::111122223333:user/ci");
        said.push(not_asked(&[&app, &ci]));
        insta::assert_snapshot!(said.join("\n"), @"
        the role `app` may call it
        the role `app` may not: an SCP denies it in us-east-2
        the role `app` may not: its permissions boundary does not allow it for the profile itself
        the role `app` may not: the policy `no-global` denies it for the model without a Region (`unspecified`)
        the role `app` may not: no policy allows it in us-east-2 (asked without `aws:SourceVpce`)
        the role `app` may call it, but not stream its answers: no policy allows it in us-east-2
        the role `app` may only stream its answers: a policy denies it in us-east-2
        whether the role `app` may call it is not known: IAM knows no such role
        whether the role `app` and the user `ci` may call it was not asked yet
        ");
        let closed: Vec<bool> = permits.iter().map(Permit::is_closed).collect();
        assert_eq!(closed, [false, true, true, true, true, false, false, false]);
    }
}
