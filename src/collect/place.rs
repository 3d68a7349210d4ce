//! From the value of the dimension `ModelId` to the pool it drains. Pure.
//!
//! Families come from the profiles that the Region lists, not from a list of prefixes: `apac.`, `us-gov.` and whatever
//! comes next are geo because a system profile has that id. An application profile does not name what it was copied from;
//! its full set of model ARNs does, if it fits one pool only.

use std::collections::{BTreeMap, BTreeSet};

use super::data::tables;
use super::label::split_vendor;
use super::mantle;
use crate::cloud::{FoundationModel, Profile};
use crate::model::catalog::{Family, PoolId, TargetKind, Unplaced};
use crate::model::ids::{ModelId, Region, Scope, TargetId};
use crate::model::residency::Reach;

/// A target and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub id: TargetId,
    pub kind: TargetKind,
    pub pool: PoolId,
}

/// Why a target has no pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Nowhere {
    /// As a sentence fragment.
    why: String,
    /// See [`Unplaced::may_be_limited`].
    may_be_limited: bool,
}

const PARTIAL: &str = "the list of inference profiles could not be read whole";

impl Nowhere {
    fn limited(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            may_be_limited: true,
        }
    }

    fn unlimited(why: &str) -> Self {
        Self {
            why: why.to_owned(),
            may_be_limited: false,
        }
    }

    pub(super) fn of(self, id: TargetId) -> Unplaced {
        Unplaced {
            id,
            why: self.why,
            may_be_limited: self.may_be_limited,
        }
    }
}

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
    listed: Profiles,
}

/// Whether the list of profiles was read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profiles {
    Whole,
    Partial,
    /// Nobody was asked.
    None,
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
            listed: read,
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

    /// Over the ids alone. What stands before a known vendor is a prefix; a vendor that nobody knows is one where nothing
    /// else can be.
    pub(super) fn of_ids(scope: &'a Scope, ids: &'a BTreeSet<TargetId>) -> Self {
        let mut atlas = Self::new(scope, &[], Profiles::None, &[]);
        for id in ids {
            let (first, rest) = split_vendor(id.as_str());
            if !first.is_empty() && !is_model_id(rest) {
                atlas.vendors.insert(first.to_owned());
            }
        }
        for id in ids {
            let (first, rest) = split_vendor(id.as_str());
            let is_vendor = tables().knows_vendor(first, &BTreeSet::new());
            let knows = |vendor| tables().knows_vendor(vendor, &atlas.vendors);
            if !is_vendor && is_model_id(rest) && knows(split_vendor(rest).0) {
                atlas.prefixes.insert(first, family_of(first));
            }
        }
        atlas
    }

    /// Places all of them; what has no place is told with its reason. Both sorted by id.
    pub(super) fn place_all(&self, ids: &BTreeSet<TargetId>) -> (Vec<Placed>, Vec<Unplaced>) {
        let (mut placed, mut unplaced) = (Vec::new(), Vec::new());
        for id in ids {
            let id = id.clone();
            match self.place(&id) {
                Ok((kind, pool)) => placed.push(Placed { id, kind, pool }),
                Err(nowhere) => unplaced.push(nowhere.of(id)),
            }
        }
        (placed, unplaced)
    }

    /// Whether a profile of this id is listed.
    pub(super) fn lists(&self, target: &TargetId) -> bool {
        self.profiles.contains_key(target.as_str())
    }

    /// The pool of a target, or why it can't be told.
    pub(super) fn place(&self, target: &TargetId) -> Result<(TargetKind, PoolId), Nowhere> {
        if let Some(model) = mantle::model_of(target) {
            if model.is_empty() {
                return Err(Nowhere::limited(
                    "it names the mantle endpoint and no model",
                ));
            }
            return Ok((TargetKind::Mantle, self.pool(Family::Mantle, model)));
        }
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
        if self.listed == Profiles::Partial {
            return Err(Nowhere::limited(PARTIAL));
        }
        self.guess(id)
    }

    /// Ids that no listing names any more: retired models and profiles keep their metrics for two weeks.
    fn guess(&self, id: &str) -> Result<(TargetKind, PoolId), Nowhere> {
        if id.starts_with("arn:") {
            return Err(Nowhere::unlimited(
                "it is an ARN: provisioned, custom and imported models have no such quotas",
            ));
        }
        let (first, rest) = split_vendor(id);
        if id.split(':').count() > 2 {
            return Err(Nowhere::unlimited(
                "an id with a context suffix is provisioned throughput",
            ));
        }
        match self.prefixes.get(first) {
            Some(family) if is_model_id(rest) => {
                Ok((TargetKind::SystemProfile, self.pool(*family, rest)))
            }
            Some(_) | None if tables().knows_vendor(first, &self.vendors) => {
                Ok((TargetKind::Base, self.pool(Family::OnDemand, id)))
            }
            Some(_) | None => Err(Nowhere::limited(self.why_nowhere(id))),
        }
    }

    fn why_nowhere(&self, id: &str) -> &'static str {
        match (self.listed, id.contains('.')) {
            (Profiles::Whole | Profiles::Partial, _) => {
                "no model and no inference profile of this Region has this id"
            }
            (Profiles::None, false) => {
                "an application profile names no model: only its account can tell what it was copied from"
            }
            (Profiles::None, true) => {
                "neither its first part nor its second is a vendor that is known"
            }
        }
    }

    fn system_pool(&self, profile: &Profile) -> Result<PoolId, Nowhere> {
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
            (Some(_), Some(_)) => Err(Nowhere::limited("its profile names several models")),
        }
    }

    fn application_pool(&self, profile: &Profile) -> Result<PoolId, Nowhere> {
        if self.listed != Profiles::Whole {
            return Err(Nowhere::limited(PARTIAL));
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
            (None, _) => Err(Nowhere::limited(format!(
                "no system profile and no model of this Region has the same {} model ARNs",
                arns.len()
            ))),
            (Some(_), Some(_)) => Err(Nowhere::limited(format!(
                "its model ARNs fit {count} pools alike"
            ))),
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

/// Whether this has a vendor and a model behind it: not so `5-flash` of `zai.glm-4.5-flash`.
fn is_model_id(id: &str) -> bool {
    let (vendor, model) = split_vendor(id);
    let begins_with_letter = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic());
    begins_with_letter(vendor) && begins_with_letter(model)
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

/// The Regions of a profile's models: one ARN a destination, and one without a Region where it may be any. `None` without
/// an ARN.
pub(super) fn reach_of(profile: &Profile) -> Option<Reach> {
    let mut reach = Reach {
        is_anywhere: !profile.is_application
            && family_of(split_vendor(&profile.id).0) == Family::Global,
        ..Reach::default()
    };
    for region in profile.model_arns.iter().filter_map(|arn| region_of(arn)) {
        if region.is_empty() {
            reach.is_anywhere = true;
        } else {
            reach.regions.insert(Region::new(region));
        }
    }
    (reach.is_anywhere || !reach.regions.is_empty()).then_some(reach)
}

fn region_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(3)
}
