//! Who may see and decide over HTTP.

use super::{receiver::Secret, rule::Pattern};

/// What people and programs must show. Where nothing is asked for, everybody on this machine may do everything.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Access {
    /// Whoever shows it may read.
    pub view: Option<Secret>,
    /// Whoever shows it may read and decide.
    pub act: Option<Secret>,
    /// Names by which we may be asked for, beside those of this machine and addresses; in lower case, without a port.
    pub hosts: Vec<String>,
    /// The load balancer in front of us that signs people in.
    pub alb: Option<SignIn>,
}

/// An Application Load Balancer whose word we take for who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Its ARN: what other load balancers sign is worth nothing here.
    pub signer: String,
    /// The issuer that its rule names.
    pub issuer: String,
    /// The client that its rule names.
    pub client: Option<String>,
    /// Where its public keys are: the key of an id is at this, a slash and the id.
    pub keys: String,
    /// Who may decide: one of these is enough. All others may read.
    pub act: Vec<Claim>,
}

/// What is said of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Such as `email`.
    pub name: String,
    /// What it must be.
    pub is: Pattern,
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Ask whether we are well.
    Stranger,
    /// Read everything.
    Viewer,
    /// Decide, too.
    Actor,
}

impl Access {
    /// Whether anything has to be shown at all.
    #[must_use]
    pub const fn is_guarded(&self) -> bool {
        self.has_tokens() || self.alb.is_some()
    }

    /// Whether a token is worth anything.
    #[must_use]
    pub const fn has_tokens(&self) -> bool {
        self.view.is_some() || self.act.is_some()
    }

    /// What somebody may do who showed what `is_shown` says yes to.
    #[must_use]
    pub fn role(&self, is_shown: impl Fn(&Secret) -> bool) -> Role {
        if !self.is_guarded() || self.act.as_ref().is_some_and(&is_shown) {
            Role::Actor
        } else if self.view.as_ref().is_some_and(is_shown) {
            Role::Viewer
        } else {
            Role::Stranger
        }
    }
}
