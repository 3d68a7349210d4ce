//! Bedrock's catalogue: inference profiles and foundation models.

use std::collections::BTreeMap;

use aws_sdk_bedrock::{
    primitives::DateTime,
    types::{
        FoundationModelLifecycle, FoundationModelSummary, InferenceProfileSummary,
        InferenceProfileType, InferenceType,
    },
};

use super::{
    actions,
    call::{send, token},
    clients::Clients,
};
use crate::{
    cloud::{Fault, FoundationModel, Page, Profile},
    model::{
        catalog::LifeCycle,
        ids::{Scope, TargetId},
        time::Timestamp,
    },
};

/// Profiles a page; the API takes 1 to 1,000.
const PROFILES_PER_PAGE: i32 = 1_000;
/// Marks our tokens that lead into the customer's own profiles: without a type the API may leave those out, so
/// system-defined ones are listed first, then these.
const APPLICATION: &str = "application:";

impl Clients {
    pub(super) async fn list_profiles(&self, page: Option<String>) -> Result<Page<Profile>, Fault> {
        let own = page
            .as_deref()
            .and_then(|page| page.strip_prefix(APPLICATION));
        let kind = match own {
            Some(_) => InferenceProfileType::Application,
            None => InferenceProfileType::SystemDefined,
        };
        let request = self
            .bedrock
            .list_inference_profiles()
            .max_results(PROFILES_PER_PAGE)
            .type_equals(kind)
            .set_next_token(token(own.map(str::to_owned).or(page.clone())));
        let answer = send!(self.meter, read, actions::LIST_PROFILES, request)?;
        let next = match (own, token(answer.next_token)) {
            (None, None) => Some(APPLICATION.to_owned()),
            (None, next) => next,
            (Some(_), next) => next.map(|next| format!("{APPLICATION}{next}")),
        };
        let items = answer
            .inference_profile_summaries
            .unwrap_or_default() // no list is AWS's way to say: an empty one
            .into_iter()
            .map(profile)
            .collect();
        Ok(Page { items, next })
    }

    pub(super) async fn list_tags(
        &self,
        scope: &Scope,
        profile: &TargetId,
    ) -> Result<BTreeMap<String, String>, Fault> {
        let request = self.bedrock.list_tags_for_resource();
        let request = request.resource_arn(profile_arn(scope, profile));
        let answer = send!(self.meter, read, actions::LIST_TAGS, request)?;
        let tags = answer.tags.unwrap_or_default(); // no list is AWS's way to say: an empty one
        Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }

    pub(super) async fn list_models(&self) -> Result<Vec<FoundationModel>, Fault> {
        let request = self.bedrock.list_foundation_models();
        let answer = send!(self.meter, read, actions::LIST_MODELS, request)?;
        let mut models: Vec<_> = answer
            .model_summaries
            .unwrap_or_default() // no list is AWS's way to say: an empty one
            .into_iter()
            .map(model)
            .collect();
        // Variants of one model that differ in their context only; those with a context suffix are provisioned.
        models.sort_by(|a, b| (&a.id, &a.life).cmp(&(&b.id, &b.life)));
        models.dedup_by(|variant, kept| {
            let is_same = (&variant.id, &variant.life) == (&kept.id, &kept.life);
            kept.is_on_demand |= is_same && variant.is_on_demand;
            is_same
        });
        Ok(models)
    }
}

fn profile(profile: InferenceProfileSummary) -> Profile {
    Profile {
        id: profile.inference_profile_id,
        name: profile.inference_profile_name,
        arn: profile.inference_profile_arn,
        is_application: profile.r#type == InferenceProfileType::Application,
        status: profile.status.as_str().to_owned(),
        model_arns: profile
            .models
            .into_iter()
            .filter_map(|model| model.model_arn)
            .collect(),
    }
}

fn model(model: FoundationModelSummary) -> FoundationModel {
    let types = model.inference_types_supported.as_deref();
    FoundationModel {
        is_on_demand: types.is_some_and(|types| types.contains(&InferenceType::OnDemand)),
        id: without_context(model.model_id),
        life: model.model_lifecycle.map_or_else(unknown, life),
    }
}

fn life(life: FoundationModelLifecycle) -> LifeCycle {
    LifeCycle {
        status: life.status.as_str().to_owned(),
        legacy: life.legacy_time.and_then(instant),
        extended: life.public_extended_access_time.and_then(instant),
        end: life.end_of_life_time.and_then(instant),
    }
}

/// The call takes no id, as that of metrics is.
fn profile_arn(Scope { account, region }: &Scope, profile: &TargetId) -> String {
    let partition = match region.as_str() {
        china if china.starts_with("cn-") => "aws-cn",
        gov if gov.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    format!("arn:{partition}:bedrock:{region}:{account}:application-inference-profile/{profile}")
}

/// Neither active nor legacy, as far as anyone says.
fn unknown() -> LifeCycle {
    LifeCycle {
        status: "UNKNOWN".to_owned(),
        legacy: None,
        extended: None,
        end: None,
    }
}

/// To the second. A time beyond the calendar is none.
fn instant(time: DateTime) -> Option<Timestamp> {
    Timestamp::from_second(time.secs()).ok()
}

/// `anthropic.claude-3-haiku-20240307-v1:0:48k` is a variant of `anthropic.claude-3-haiku-20240307-v1:0`.
fn without_context(id: String) -> String {
    let mut parts = id.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(version), Some(_)) => format!("{name}:{version}"),
        _ => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_suffix_is_cut_and_a_version_is_not() {
        for (listed, id) in [
            ("amazon.nova-pro-v1:0:300k", "amazon.nova-pro-v1:0"),
            ("amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"),
            ("anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-4-6"),
            ("x.y-v1:0:8k:extra", "x.y-v1:0"),
        ] {
            assert_eq!(without_context(listed.to_owned()), id);
        }
    }
}
