//! IAM's policy simulator, over what the world says that callers are denied: no policies are held or read.

use super::{
    ApiError,
    kernel::Kernel,
    world::denial::{By, Denial},
};
use crate::{
    cloud::{Decision, Simulated},
    model::ids::AccountId,
};

/// One action on one resource, as it is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    /// `aws:RequestedRegion`, where it is given.
    pub(crate) region: Option<&'a str>,
}

impl Kernel {
    /// A caller by its ARN, without what all ARNs of the account share: `role/app`.
    pub(crate) fn caller<'a>(
        &self,
        account: &AccountId,
        arn: &'a str,
    ) -> Result<&'a str, ApiError> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", _, "iam", "", owner, name] = parts.as_slice() else {
            return Err(ApiError::client(
                "ValidationError",
                &format!("{arn} is invalid"),
            ));
        };
        let world = self.world.account(account);
        let world = world.filter(|it| it.id.as_str() == *owner);
        let is_known = |known: &Vec<String>| known.is_empty() || known.iter().any(|it| it == name);
        if world.is_none_or(|it| !is_known(&it.principals)) {
            return Err(ApiError {
                status: 404,
                ..ApiError::client("NoSuchEntity", &format!("{arn} cannot be found."))
            });
        }
        Ok(name)
    }

    /// What the world says of this: an SCP ends the evaluation, a statement that denies wins over what merely does not
    /// allow.
    pub(crate) fn simulated(
        &self,
        account: &AccountId,
        caller: &str,
        question: Question<'_>,
    ) -> Simulated {
        let denials = self.world.denials.iter().filter(|denial| {
            denial.account == *account
                && denial.callers.fits(caller)
                && denial.resources.fits(question.resource)
                && denial.actions.fits(question.action)
                && denial.regions.fits(question.region.unwrap_or_default())
        });
        let denials: Vec<&Denial> = denials.collect();
        let by = |wanted: By| denials.iter().find(|it| it.by == wanted).copied();
        let order = [By::Scp, By::Policy, By::Boundary, By::Nothing];
        let first = order.into_iter().find_map(by);
        Simulated {
            action: question.action.to_owned(),
            decision: match first.map(|it| it.by) {
                None => Decision::Allowed,
                Some(By::Scp | By::Policy) => Decision::ExplicitDeny,
                Some(By::Boundary | By::Nothing) => Decision::ImplicitDeny,
            },
            by_organization: Some(by(By::Scp).is_none()),
            by_boundary: by(By::Boundary).map(|_| false),
            // IAM names no SCP.
            policies: first
                .filter(|it| it.by != By::Scp)
                .and_then(|it| it.policy.clone())
                .into_iter()
                .collect(),
            missing: Vec::new(),
        }
    }
}
