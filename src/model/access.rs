//! Who may see and decide over HTTP.

use super::receiver::Secret;

/// What people and programs must show. Without any token, everybody on this machine may do everything.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Access {
    /// Whoever shows it may read.
    pub view: Option<Secret>,
    /// Whoever shows it may read and decide.
    pub act: Option<Secret>,
    /// Names by which we may be asked for, beside those of this machine and addresses; in lower case, without a port.
    pub hosts: Vec<String>,
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
    /// Whether a token has to be shown at all.
    #[must_use]
    pub const fn is_guarded(&self) -> bool {
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
