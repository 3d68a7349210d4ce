//! From the value of the dimension `ModelId` to the pool it drains. Pure.
//!
//! Families come from the profiles that the Region lists, not from a list of prefixes: `apac.`, `us-gov.` and whatever
//! comes next are geo because a system profile has that id. An application profile does not name what it was copied from;
//! its full set of model ARNs does, if it fits one pool only.

use std::collections::{BTreeMap, BTreeSet};

use super::data::tables;
use super::label::split_vendor;
use crate::cloud::{FoundationModel, Profile};
use crate::model::catalog::{Family, PoolId, TargetKind};
use crate::model::ids::{ModelId, Scope, TargetId};

/// What the Region says of its models and profiles.
#[derive(Debug)]
pub(super) struct Atlas<'a> {
    scope: &'a Scope,
    profiles: BTreeMap<&'a str, &'a Profile>,
    models: BTreeSet<&'a str>,
    /// Vendors seen in the listings.
    vendors: BTreeSet<String>,
    /// First labels of system profile ids, with the family they stand for.
    prefixes: BTreeMap<&'a str, Family>,
    /// Pools by the exact set of model ARNs of the system profiles that reach them.
    by_arns: BTreeMap<BTreeSet<&'a str>, BTreeSet<PoolId>>,
    is_whole: bool,
}

/// Whether the list of profiles was read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profiles {
    Whole,
    Partial,
}

impl<'a> Atlas<'a> {
    /// Over the listings of one scope. Items may repeat.
    pub(super) fn new(
        scope: &'a Scope,
        profiles: &'a [Profile],
        read: Profiles,
        models: &'a [FoundationModel],
    ) -> Self {
        let mut atlas = Self {
            scope,
            profiles: profiles.iter().map(|it| (it.id.as_str(), it)).collect(),
            models: models.iter().map(|it| it.id.as_str()).collect(),
            vendors: BTreeSet::new(),
            prefixes: BTreeMap::new(),
            by_arns: BTreeMap::new(),
            is_whole: read == Profiles::Whole,
        };
        let arns = profiles.iter().flat_map(|it| &it.model_arns);
        let ids = arns.filter_map(|arn| base_model(arn));
        let ids = ids.chain(models.iter().map(|it| it.id.as_str()));
        atlas.vendors = ids
            .map(|id| split_vendor(id).0)
            .filter(|vendor| !vendor.is_empty())
            .map(str::to_owned)
            .collect();
        for profile in profiles.iter().filter(|it| !it.is_application) {
            let (prefix, _) = split_vendor(&profile.id);
            atlas.prefixes.insert(prefix, family_of(prefix));
            if let Ok(pool) = atlas.system_pool(profile) {
                let pools = atlas.by_arns.entry(arns_of(profile)).or_default();
                pools.insert(pool);
            }
        }
        atlas
    }

    /// Whether a profile of this id is listed.
    pub(super) fn lists(&self, target: &TargetId) -> bool {
        self.profiles.contains_key(target.as_str())
    }

    /// The pool of a target, or why it can't be told, as a sentence fragment.
    pub(super) fn place(&self, target: &TargetId) -> Result<(TargetKind, PoolId), String> {
        let id = target.as_str();
        if let Some(profile) = self.profiles.get(id) {
            return if profile.is_application {
                let name = profile.name.clone();
                let pool = self.application_pool(profile)?;
                Ok((TargetKind::ApplicationProfile { name }, pool))
            } else {
                Ok((TargetKind::SystemProfile, self.system_pool(profile)?))
            };
        }
        if self.models.contains(id) {
            return Ok((TargetKind::Base, self.pool(Family::OnDemand, id)));
        }
        if !self.is_whole {
            return Err("the list of inference profiles could not be read whole".to_owned());
        }
        self.guess(id)
    }

    /// Ids that no listing names any more: retired models and profiles keep their metrics for two weeks.
    fn guess(&self, id: &str) -> Result<(TargetKind, PoolId), String> {
        if id.starts_with("arn:") {
            return Err(
                "it is an ARN: provisioned, custom and imported models have no such quotas"
                    .to_owned(),
            );
        }
        let (first, rest) = split_vendor(id);
        let has_context_suffix = id.rsplit_once(':').is_some_and(|(_, tail)| {
            tail.strip_suffix('k')
                .is_some_and(|digits| digits.parse::<u32>().is_ok())
        });
        if has_context_suffix {
            return Err("an id with a context suffix is provisioned throughput".to_owned());
        }
        if tables().knows_vendor(first, &self.vendors) {
            return Ok((TargetKind::Base, self.pool(Family::OnDemand, id)));
        }
        let (vendor, _) = split_vendor(rest);
        match self.prefixes.get(first) {
            Some(family) if tables().knows_vendor(vendor, &self.vendors) => {
                Ok((TargetKind::SystemProfile, self.pool(*family, rest)))
            }
            Some(_) | None => {
                Err("no model and no inference profile of this Region has this id".to_owned())
            }
        }
    }

    fn system_pool(&self, profile: &Profile) -> Result<PoolId, String> {
        let (prefix, stripped) = split_vendor(&profile.id);
        let family = family_of(prefix);
        let models: BTreeSet<&str> = profile
            .model_arns
            .iter()
            .filter_map(|arn| base_model(arn))
            .collect();
        let mut models = models.into_iter();
        match (models.next(), models.next()) {
            (Some(model), None) => Ok(self.pool(family, model)),
            (None, _) => Ok(self.pool(family, stripped)),
            (Some(_), Some(_)) => Err("its profile names several models".to_owned()),
        }
    }

    fn application_pool(&self, profile: &Profile) -> Result<PoolId, String> {
        if !self.is_whole {
            return Err("the list of inference profiles could not be read whole".to_owned());
        }
        let arns = arns_of(profile);
        let mut pools = self.by_arns.get(&arns).cloned().unwrap_or_default();
        let mut single = arns.iter();
        if let (Some(arn), None) = (single.next(), single.next()) {
            let here = region_of(arn) == Some(self.scope.region.as_str());
            let model = base_model(arn).filter(|_| here);
            pools.extend(model.map(|model| self.pool(Family::OnDemand, model)));
        }
        let count = pools.len();
        let mut fitting = pools.into_iter();
        match (fitting.next(), fitting.next()) {
            (Some(pool), None) => Ok(pool),
            (None, _) => Err(format!(
                "no system profile and no model of this Region has the same {} model ARNs",
                arns.len()
            )),
            (Some(_), Some(_)) => Err(format!("its model ARNs fit {count} pools alike")),
        }
    }

    fn pool(&self, family: Family, model: &str) -> PoolId {
        PoolId {
            scope: self.scope.clone(),
            family,
            model: ModelId::new(model),
        }
    }
}

fn family_of(prefix: &str) -> Family {
    match prefix {
        "global" => Family::Global,
        _ => Family::Geo,
    }
}

fn arns_of(profile: &Profile) -> BTreeSet<&str> {
    profile.model_arns.iter().map(String::as_str).collect()
}

/// The model id of `arn:<partition>:bedrock:<Region or nothing>::foundation-model/<id>`.
fn base_model(arn: &str) -> Option<&str> {
    let resource = arn.splitn(6, ':').nth(5)?;
    let id = resource.strip_prefix("foundation-model/")?;
    (!id.is_empty()).then_some(id)
}

fn region_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(3)
}
