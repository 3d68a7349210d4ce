//! IAM as JSON: its policy simulator, and nothing else.

use serde_json::{Map, Value, json};

use super::{Input, Paging, unknown};
use crate::{
    cloud::{Decision, Simulated},
    model::ids::AccountId,
    sim::{ApiError, iam::Question, kernel::Kernel},
};

pub(super) fn handle(
    kernel: &Kernel,
    account: &AccountId,
    operation: &str,
    input: Input<'_>,
) -> Result<Value, ApiError> {
    match operation {
        "SimulatePrincipalPolicy" => simulate(kernel, account, input),
        other => Err(unknown(other)),
    }
}

/// One result an action, as since July 2026: what holds of all resources together, and then of each. (AWS, EvaluationResult.)
/// The name above is that of a kind of resource, which is left out here.
fn simulate(kernel: &Kernel, account: &AccountId, input: Input<'_>) -> Result<Value, ApiError> {
    let caller = kernel.caller(account, input.required("PolicySourceArn")?)?;
    let actions = input.texts("ActionNames")?;
    let mut resources = input.texts("ResourceArns")?;
    if resources.is_empty() {
        resources.push("*");
    }
    let context = input.list("ContextEntries")?.iter();
    let mut regions = context.filter(|it| it["ContextKeyName"] == "aws:RequestedRegion");
    let region = regions
        .next()
        .and_then(|it| it["ContextKeyValues"].get(0)?.as_str());
    let results = actions.into_iter().map(|action| {
        let each = resources.iter().map(|resource| {
            let question = Question {
                action,
                resource,
                region,
            };
            (*resource, kernel.simulated(account, caller, question))
        });
        result(action, &each.collect::<Vec<_>>())
    });
    let paging = Paging {
        token: input.text("Marker")?,
        size: input.whole("MaxItems")?,
        least: 1,
        most: 1_000,
        bad_token: "InvalidInput",
    };
    let (results, next) = paging.cut(results.collect())?;
    let mut answer = json!({ "IsTruncated": next.is_some(), "EvaluationResults": results });
    if let (Some(members), Some(next)) = (answer.as_object_mut(), next) {
        members.insert("Marker".to_owned(), Value::String(next));
    }
    Ok(answer)
}

fn result(action: &str, each: &[(&str, Simulated)]) -> Value {
    let strictest = each.iter().map(|(_, it)| it).max_by_key(|it| rank(it));
    let specific = each.iter().map(|(resource, it)| {
        let mut members = Map::from_iter([
            ("EvalResourceName".to_owned(), json!(resource)),
            ("EvalResourceDecision".to_owned(), json!(word(it))),
            ("MatchedStatements".to_owned(), statements(it)),
            ("MissingContextValues".to_owned(), json!(it.missing)),
        ]);
        put_boundary(&mut members, it);
        Value::Object(members)
    });
    let specific: Vec<Value> = specific.collect();
    let mut members = Map::from_iter([
        ("EvalActionName".to_owned(), json!(action)),
        ("ResourceSpecificResults".to_owned(), Value::Array(specific)),
    ]);
    if let Some(it) = strictest {
        members.insert("EvalDecision".to_owned(), json!(word(it)));
        members.insert("MatchedStatements".to_owned(), statements(it));
        members.insert("MissingContextValues".to_owned(), json!(it.missing));
        let detail = it
            .by_organization
            .map(|by| json!({ "AllowedByOrganizations": by }));
        members.insert("OrganizationsDecisionDetail".to_owned(), json!(detail));
        put_boundary(&mut members, it);
    }
    Value::Object(members)
}

fn put_boundary(members: &mut Map<String, Value>, it: &Simulated) {
    let detail = it
        .by_boundary
        .map(|by| json!({ "AllowedByPermissionsBoundary": by }));
    members.insert(
        "PermissionsBoundaryDecisionDetail".to_owned(),
        json!(detail),
    );
}

fn statements(it: &Simulated) -> Value {
    let place = json!({ "Line": 1, "Column": 1 });
    let each = it.policies.iter().map(|policy| {
        json!({
            "SourcePolicyId": policy, "SourcePolicyType": "IAM Policy",
            "StartPosition": place, "EndPosition": place,
        })
    });
    Value::Array(each.collect())
}

fn word(it: &Simulated) -> &str {
    match &it.decision {
        Decision::Allowed => "allowed",
        Decision::ImplicitDeny => "implicitDeny",
        Decision::ExplicitDeny => "explicitDeny",
        Decision::Other(word) => word,
    }
}

fn rank(it: &Simulated) -> u8 {
    match it.decision {
        Decision::Allowed | Decision::Other(_) => 0,
        Decision::ImplicitDeny => 1,
        Decision::ExplicitDeny => 2,
    }
}
