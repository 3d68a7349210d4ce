//! What would enforce rules of residency, for those who call models. We call none, and need none of it.
//!
//! A request through a profile is authorised for the profile, and for the model in each Region where it may be answered;
//! one that is denied fails the whole request. A `global.` profile needs the model without a Region, and the Region that is
//! asked for is then `unspecified`, which is in no list. So one statement is enough: deny the models wherever the Region
//! is not allowed. (AWS, Geographic and Global cross-Region inference; the word `unspecified` is as documented in 2026.)

use serde_json::{Value, json};

use crate::model::residency::Residency;

/// Which document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    /// For a role that calls models.
    Iam,
    /// For an organisation.
    Scp,
}

/// What calls a model; `Converse` is authorised as these.
const INVOKE: [&str; 2] = [
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
];

/// The document that enforces these rules: of an SCP the denials, of a role's policy also what it may call. Rules that go by
/// tags are left out: the model in another Region, for which a request is authorised, has none of its profile's tags.
#[must_use]
pub fn policies(rules: &[Residency], paper: Paper) -> Value {
    let rules: Vec<&Residency> = rules.iter().filter(|it| it.tags.is_open()).collect();
    let mut statements = Vec::new();
    if paper == Paper::Iam {
        let allowed = rules.iter().copied().flat_map(models);
        let mut allowed: Vec<String> = allowed.collect();
        allowed.push("arn:*:bedrock:*:*:inference-profile/*".to_owned());
        allowed.push("arn:*:bedrock:*:*:application-inference-profile/*".to_owned());
        allowed.dedup();
        statements.push(json!({
            "Sid": "CallModels",
            "Effect": "Allow",
            "Action": INVOKE,
            "Resource": allowed,
        }));
    }
    let closed = rules.into_iter().filter(|rule| !rule.is_anywhere);
    statements.extend(closed.map(|rule| denial(rule, paper)));
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn denial(rule: &Residency, paper: Paper) -> Value {
    let regions: Vec<&str> = rule.allowed.iter().map(|it| it.as_str()).collect();
    let mut condition = json!({ "StringNotLike": { "aws:RequestedRegion": regions } });
    let accounts: Vec<&str> = rule.matcher.accounts.iter().map(|it| it.as_str()).collect();
    if let (Paper::Scp, false, Some(all)) = (paper, accounts.is_empty(), condition.as_object_mut())
    {
        let ours = json!({ "aws:PrincipalAccount": accounts });
        all.insert("StringEquals".to_owned(), ours);
    }
    json!({
        "Sid": sid(rule.name.as_str()),
        "Effect": "Deny",
        "Action": INVOKE,
        "Resource": models(rule),
        "Condition": condition,
    })
}

/// The models that the rule is for, in any Region and in none.
fn models(rule: &Residency) -> Vec<String> {
    let models = &rule.matcher.models;
    let arn = |model: &str| format!("arn:*:bedrock:*::foundation-model/{model}");
    if models.is_empty() {
        return vec![arn("*")];
    }
    models.iter().map(|it| arn(it.as_str())).collect()
}

/// Letters and digits only: `residency-eu-data` becomes `ResidencyEuData`.
fn sid(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|it| it.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}
