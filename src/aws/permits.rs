//! IAM's policy simulator: what a caller may do, asked of the policies that it has.

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult};

use super::{
    actions,
    call::{send, token},
    clients::Clients,
};
use crate::cloud::{Decision, Fault, Page, Simulated, Simulation};

impl Clients {
    pub(super) async fn simulate(
        &self,
        about: &Simulation,
        page: Option<String>,
    ) -> Result<Page<Simulated>, Fault> {
        let context = about.context.iter().map(|(key, value)| {
            ContextEntry::builder()
                .context_key_name(*key)
                .context_key_type(ContextKeyTypeEnum::String)
                .context_key_values(value)
                .build()
        });
        // An empty list would be sent as an empty text.
        let context = (!about.context.is_empty()).then(|| context.collect());
        let request = self
            .iam
            .simulate_principal_policy()
            .policy_source_arn(about.caller.as_str())
            .set_action_names(Some(
                about.actions.iter().map(|it| (*it).to_owned()).collect(),
            ))
            .resource_arns(&about.resource)
            .set_context_entries(context)
            .set_marker(token(page));
        let answer = send!(self.meter, read, actions::SIMULATE, request)?;
        let results = answer.evaluation_results.unwrap_or_default(); // no list is AWS's way to say: an empty one
        Ok(Page {
            items: results.into_iter().map(simulated).collect(),
            next: token(answer.marker).filter(|_| answer.is_truncated),
        })
    }
}

/// One resource is asked about, so what is said of all is said of it. The keys that were not given stand beside the
/// resource.
fn simulated(result: EvaluationResult) -> Simulated {
    let of_resource = result.resource_specific_results.unwrap_or_default();
    let mut boundary = result.permissions_boundary_decision_detail;
    let mut statements = result.matched_statements.unwrap_or_default();
    let mut missing = result.missing_context_values.unwrap_or_default();
    for it in of_resource {
        boundary = boundary.or(it.permissions_boundary_decision_detail);
        statements.extend(it.matched_statements.unwrap_or_default());
        missing.extend(it.missing_context_values.unwrap_or_default());
    }
    missing.sort();
    missing.dedup();
    let policies = statements.into_iter().filter_map(|it| it.source_policy_id);
    let mut policies: Vec<String> = policies.collect();
    policies.dedup();
    Simulated {
        action: result.eval_action_name,
        decision: match result.eval_decision.as_str() {
            "allowed" => Decision::Allowed,
            "implicitDeny" => Decision::ImplicitDeny,
            "explicitDeny" => Decision::ExplicitDeny,
            other => Decision::Other(other.to_owned()),
        },
        by_organization: result
            .organizations_decision_detail
            .map(|it| it.allowed_by_organizations),
        by_boundary: boundary.map(|it| it.allowed_by_permissions_boundary),
        policies,
        missing,
    }
}
