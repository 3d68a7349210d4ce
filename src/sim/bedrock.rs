//! The catalog of Bedrock: inference profiles, foundation models, tags.

use super::{ApiError, kernel::Kernel, world::SystemProfile};
use crate::{
    cloud::Profile,
    model::ids::{ModelId, Region, Scope},
};

/// Destinations of a global profile; the real list is every commercial Region.
const GLOBAL: [&str; 4] = ["us-east-1", "us-west-2", "eu-west-1", "ap-northeast-1"];

/// The Regions where a system profile's requests may run.
pub(crate) fn destinations(profile: &SystemProfile) -> Vec<Region> {
    if profile.is_global() {
        GLOBAL.iter().map(|it| Region::new(*it)).collect()
    } else {
        profile.destinations.clone()
    }
}

impl Kernel {
    /// Profiles of one kind, or of both.
    pub(crate) fn profiles(
        &self,
        scope: &Scope,
        kind: Option<&str>,
    ) -> Result<Vec<Profile>, ApiError> {
        self.known_scope(scope)?;
        let system = self
            .world
            .profiles
            .values()
            .filter(|profile| profile.is_listed_in(&scope.region));
        let mut listed = Vec::new();
        if kind != Some("APPLICATION") {
            listed.extend(system.map(|profile| self.system_profile(scope, profile)));
        }
        if kind != Some("SYSTEM_DEFINED") {
            let own = self
                .world
                .applications
                .iter()
                .filter(|profile| profile.scope == *scope);
            listed.extend(own.map(|profile| Profile {
                id: profile.id.clone(),
                name: profile.name.clone(),
                arn: format!(
                    "arn:aws:bedrock:{}:{}:application-inference-profile/{}",
                    scope.region, scope.account, profile.id
                ),
                is_application: true,
                status: "ACTIVE".to_owned(),
                model_arns: self.source_arns(scope, &profile.copied_from),
            }));
        }
        Ok(listed)
    }

    /// One profile by id or ARN.
    pub(crate) fn profile(&self, scope: &Scope, identifier: &str) -> Result<Profile, ApiError> {
        let all = self.profiles(scope, None)?;
        let found = all
            .into_iter()
            .find(|profile| profile.id == identifier || profile.arn == identifier);
        found.ok_or_else(|| {
            let text = "The provided inference profile identifier does not exist.";
            ApiError {
                status: 404,
                ..ApiError::client("ResourceNotFoundException", text)
            }
        })
    }

    /// Tags of an application profile; system profiles have none.
    pub(crate) fn tags(&self, scope: &Scope, arn: &str) -> Result<Vec<(String, String)>, ApiError> {
        let profile = self.profile(scope, arn)?;
        let own = self.world.applications.iter();
        let tags = own
            .filter(|known| known.id == profile.id && known.scope == *scope)
            .flat_map(|known| &known.tags);
        Ok(tags
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }

    fn system_profile(&self, scope: &Scope, profile: &SystemProfile) -> Profile {
        Profile {
            id: profile.id.clone(),
            name: self.profile_name(profile),
            arn: format!(
                "arn:aws:bedrock:{}:{}:inference-profile/{}",
                scope.region, scope.account, profile.id
            ),
            is_application: false,
            status: "ACTIVE".to_owned(),
            model_arns: self.source_arns(scope, &profile.id),
        }
    }

    fn profile_name(&self, profile: &SystemProfile) -> String {
        let prefix = profile.id.split('.').next().unwrap_or_default();
        let label = self
            .world
            .models
            .get(&profile.model)
            .map(|model| model.label.as_str());
        let prefix = if prefix == "global" {
            "Global".to_owned()
        } else {
            prefix.to_uppercase()
        };
        format!("{prefix} {}", label.unwrap_or_default())
    }

    /// The model ARNs behind a system profile or a bare model, one a destination.
    fn source_arns(&self, scope: &Scope, source: &str) -> Vec<String> {
        let arn = |region: &str, model: &ModelId| {
            format!("arn:aws:bedrock:{region}::foundation-model/{model}")
        };
        let Some(profile) = self.world.profiles.get(source) else {
            return vec![arn(scope.region.as_str(), &ModelId::new(source))];
        };
        if profile.is_global() {
            let mut arns = vec![
                arn("", &profile.model),
                arn(scope.region.as_str(), &profile.model),
            ];
            let others = GLOBAL
                .iter()
                .filter(|region| **region != scope.region.as_str());
            arns.extend(others.map(|region| arn(region, &profile.model)));
            return arns;
        }
        let regions = profile.destinations.iter().map(Region::as_str);
        regions.map(|region| arn(region, &profile.model)).collect()
    }
}
