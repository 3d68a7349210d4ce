//! Bedrock as JSON. Path and query parameters are members of the input: `inferenceProfileIdentifier`, `type` (the
//! model's member is `typeEquals`, either is taken), `maxResults`, `nextToken`, `resourceARN`.

use serde_json::{Value, json};

use super::{Input, Paging, unknown};
use crate::{
    cloud::Profile,
    model::{catalog::LifeCycle, ids::Scope},
    sim::{ApiError, kernel::Kernel},
};

pub(super) fn handle(
    kernel: &mut Kernel,
    scope: &Scope,
    operation: &str,
    input: Input<'_>,
) -> Result<Value, ApiError> {
    match operation {
        "ListInferenceProfiles" => list_profiles(kernel, scope, input),
        "GetInferenceProfile" => {
            let profile = kernel.profile(scope, input.required("inferenceProfileIdentifier")?)?;
            Ok(profile_json(kernel, &profile))
        }
        "ListFoundationModels" => list_models(kernel, scope),
        "ListTagsForResource" => {
            let arn = input
                .text("resourceARN")?
                .map_or_else(|| input.required("resourceArn"), Ok)?;
            let tags = kernel.tags(scope, arn)?;
            let tags: Vec<Value> = tags
                .iter()
                .map(|(key, value)| json!({ "key": key, "value": value }))
                .collect();
            Ok(json!({ "tags": tags }))
        }
        other => Err(unknown(other)),
    }
}

fn list_profiles(kernel: &Kernel, scope: &Scope, input: Input<'_>) -> Result<Value, ApiError> {
    // Without a type AWS tells the system-defined ones.
    let kind = input
        .text("typeEquals")?
        .or(input.text("type")?)
        .unwrap_or("SYSTEM_DEFINED");
    let paging = Paging {
        token: input.text("nextToken")?,
        size: input.member("maxResults").and_then(|value| {
            value
                .as_i64()
                .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
        }),
        least: 1,
        most: 1_000,
        bad_token: "ValidationException",
    };
    let (profiles, next) = paging.cut(kernel.profiles(scope, Some(kind))?)?;
    let profiles: Vec<Value> = profiles
        .iter()
        .map(|profile| profile_json(kernel, profile))
        .collect();
    let mut answer = json!({ "inferenceProfileSummaries": profiles });
    if let (Some(members), Some(next)) = (answer.as_object_mut(), next) {
        members.insert("nextToken".to_owned(), Value::String(next));
    }
    Ok(answer)
}

fn profile_json(kernel: &Kernel, profile: &Profile) -> Value {
    let created = kernel.world.first_minute().start();
    let models: Vec<Value> = profile
        .model_arns
        .iter()
        .map(|arn| json!({ "modelArn": arn }))
        .collect();
    json!({
        "inferenceProfileName": profile.name,
        "createdAt": created.to_string(),
        "updatedAt": created.to_string(),
        "inferenceProfileArn": profile.arn,
        "inferenceProfileId": profile.id,
        "models": models,
        "status": profile.status,
        "type": if profile.is_application { "APPLICATION" } else { "SYSTEM_DEFINED" },
    })
}

fn list_models(kernel: &Kernel, scope: &Scope) -> Result<Value, ApiError> {
    kernel.known_scope(scope)?;
    let models: Vec<Value> = kernel
        .world
        .models
        .values()
        .map(|model| {
            json!({
                "modelArn": format!("arn:aws:bedrock:{}::foundation-model/{}", scope.region, model.id),
                "modelId": model.id.as_str(),
                "modelName": model.label,
                "providerName": model.label.split(' ').next().unwrap_or_default(),
                "inputModalities": ["TEXT"],
                "outputModalities": ["TEXT"],
                "responseStreamingSupported": true,
                "customizationsSupported": [],
                "inferenceTypesSupported": inference_types(model.is_on_demand),
                "modelLifecycle": life_cycle(&model.life),
            })
        })
        .collect();
    Ok(json!({ "modelSummaries": models }))
}

/// How a model can be called.
const fn inference_types(is_on_demand: bool) -> &'static [&'static str] {
    if is_on_demand {
        &["ON_DEMAND", "INFERENCE_PROFILE"]
    } else {
        &["INFERENCE_PROFILE"]
    }
}

/// Times that are not announced are left out, as AWS does.
fn life_cycle(life: &LifeCycle) -> Value {
    let mut told = serde_json::Map::new();
    told.insert("status".to_owned(), json!(life.status));
    let times = [
        ("legacyTime", life.legacy),
        ("publicExtendedAccessTime", life.extended),
        ("endOfLifeTime", life.end),
    ];
    for (name, time) in times {
        told.extend(time.map(|time| (name.to_owned(), json!(time.to_string()))));
    }
    Value::Object(told)
}
