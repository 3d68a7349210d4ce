//! What one account and Region lists of metrics, profiles and models: read in full before anything is concluded from it.

use std::collections::{BTreeMap, BTreeSet};

use super::endpoint::Endpoint;
use super::mantle;
use super::pages::{Listing, all_pages};
use super::place::{Atlas, Profiles, reach_of};
use super::sum::Measure;
use crate::cloud::{Cloud, Fault, FoundationModel, Metric, Profile};
use crate::model::catalog::LifeCycle;
use crate::model::ids::{ModelId, Scope, TargetId};
use crate::model::residency::Reach;

const RUNTIME: &str = "AWS/Bedrock";

/// The listings, as far as they could be read.
#[derive(Debug)]
pub(super) struct Listings {
    metrics: Listing<Metric>,
    mantle: Listing<Metric>,
    profiles: Listing<Profile>,
    models: Vec<FoundationModel>,
    /// Whether the models were read; they come in one page.
    has_models: bool,
    /// Nobody could be asked for profiles and models.
    is_metrics_only: bool,
    /// What failed, in the order in which it happened.
    pub faults: Vec<Fault>,
}

impl Listings {
    /// Reads them one after another: they have rates of their own, and nothing is gained by haste.
    pub(super) async fn read(cloud: &dyn Cloud, scope: &Scope) -> Self {
        const METRICS: &str = "cloudwatch:ListMetrics";
        let metrics = all_pages(METRICS, |page| {
            cloud.list_metrics(scope, RUNTIME, false, page)
        });
        let metrics = metrics.await;
        let mantle = all_pages(METRICS, |page| {
            cloud.list_metrics(scope, mantle::NAMESPACE, false, page)
        });
        let mantle = mantle.await;
        if cloud.access(scope).is_metrics_only {
            return Self::of_metrics(metrics, mantle);
        }
        let profiles = all_pages("bedrock:ListInferenceProfiles", |page| {
            cloud.list_profiles(scope, page)
        });
        let profiles = profiles.await;
        let models = cloud.list_models(scope).await;
        let mut faults = Vec::new();
        let first = [&metrics.fault, &mantle.fault, &profiles.fault];
        faults.extend(first.into_iter().flatten().cloned());
        let (models, has_models) = match models {
            Ok(models) => (models, true),
            Err(fault) => {
                faults.push(fault);
                (Vec::new(), false)
            }
        };
        Self {
            metrics,
            mantle,
            profiles,
            models,
            has_models,
            is_metrics_only: false,
            faults,
        }
    }

    fn of_metrics(metrics: Listing<Metric>, mantle: Listing<Metric>) -> Self {
        let faults = [&metrics.fault, &mantle.fault].into_iter().flatten();
        Self {
            faults: faults.cloned().collect(),
            metrics,
            mantle,
            profiles: Listing {
                items: Vec::new(),
                fault: None,
            },
            models: Vec::new(),
            has_models: false,
            is_metrics_only: true,
        }
    }

    /// Whether there is nobody to ask for more than metrics.
    pub(super) const fn is_metrics_only(&self) -> bool {
        self.is_metrics_only
    }

    /// The targets that have metrics, runtime and mantle ones.
    pub(super) fn listed(&self) -> BTreeSet<TargetId> {
        let runtime = self.metrics.items.iter().filter_map(target_of);
        let mantle = self.mantle.items.iter().filter_map(mantle::target_of);
        runtime.chain(mantle).collect()
    }

    /// Whether every metric was listed: a target that is missing then has none.
    pub(super) const fn has_all_metrics(&self) -> bool {
        self.metrics.is_complete() && self.mantle.is_complete()
    }

    /// Whether everything that targets and pools rest on was read to its end, as far as it can be.
    pub(super) const fn has_all_targets(&self) -> bool {
        let has_catalog = self.profiles.is_complete() && self.has_models;
        self.has_all_metrics() && (has_catalog || self.is_metrics_only)
    }

    /// Whether every profile was listed: one that is missing then does not exist.
    pub(super) const fn has_all_profiles(&self) -> bool {
        self.profiles.is_complete() && !self.is_metrics_only
    }

    /// Ids of all profiles that were listed.
    pub(super) fn profile_ids(&self) -> BTreeSet<&str> {
        self.profiles
            .items
            .iter()
            .map(|it| it.id.as_str())
            .collect()
    }

    /// Ids of system-defined profiles.
    pub(super) fn system_profiles(&self) -> BTreeSet<String> {
        let system = self.profiles.items.iter().filter(|it| !it.is_application);
        system.map(|it| it.id.clone()).collect()
    }

    /// Ids of the system-defined profiles that can be called.
    pub(super) fn active_system_profiles(&self) -> impl Iterator<Item = &str> {
        let profiles = self.profiles.items.iter();
        let active = profiles.filter(|it| !it.is_application && it.status == "ACTIVE");
        active.map(|it| it.id.as_str())
    }

    /// Whether this model can be called by its bare id by somebody who has not done so before: of a legacy model nobody
    /// says so.
    pub(super) fn is_open_by_id(&self, model: &ModelId) -> bool {
        let mut listed = self.models.iter().filter(|it| it.id == model.as_str());
        listed.any(|it| it.is_on_demand && it.life.status == "ACTIVE")
    }

    /// Where profiles lead, each once: all system-defined ones, and those application profiles that are `wanted`. A profile
    /// without a model ARN tells nothing.
    pub(super) fn reaches(&self, wanted: impl Fn(&TargetId) -> bool) -> BTreeMap<TargetId, Reach> {
        let profiles = self.profiles.items.iter();
        let each = profiles.filter_map(|it| Some((TargetId::new(it.id.clone()), reach_of(it)?)));
        let system: BTreeSet<String> = self.system_profiles();
        each.filter(|(id, _)| system.contains(id.as_str()) || wanted(id))
            .collect()
    }

    /// How long this model will be there.
    pub(super) fn life(&self, model: &ModelId) -> Option<LifeCycle> {
        let found = self.models.iter().find(|it| it.id == model.as_str());
        found.map(|it| it.life.clone())
    }

    /// Models and profiles, for placing the targets that are listed; without them the ids have to tell.
    pub(super) fn atlas<'a>(
        &'a self,
        scope: &'a Scope,
        listed: &'a BTreeSet<TargetId>,
    ) -> Atlas<'a> {
        if self.is_metrics_only {
            return Atlas::of_ids(scope, listed);
        }
        let read = if self.profiles.is_complete() {
            Profiles::Whole
        } else {
            Profiles::Partial
        };
        Atlas::new(scope, &self.profiles.items, read, &self.models)
    }
}

/// How many targets of a Region had traffic in the last three hours, roughly.
///
/// # Errors
/// When a page can't be read: a part of them says nothing of the rest.
pub async fn active_targets(cloud: &dyn Cloud, scope: &Scope) -> Result<usize, Fault> {
    let mut found = BTreeSet::new();
    for namespace in [RUNTIME, mantle::NAMESPACE] {
        let ask = |page| cloud.list_metrics(scope, namespace, true, page);
        let listing = all_pages("cloudwatch:ListMetrics", ask).await;
        if let Some(fault) = listing.fault {
            return Err(fault);
        }
        let metrics = listing.items.iter();
        found.extend(metrics.filter_map(|metric| {
            if namespace == RUNTIME {
                target_of(metric)
            } else {
                mantle::target_of(metric)
            }
        }));
    }
    Ok(found.len())
}

/// The target of a runtime metric that we read; other dimension sets hold the same events again.
fn target_of(metric: &Metric) -> Option<TargetId> {
    let mut read = Measure::at(Endpoint::Runtime);
    let is_read = read.any(|it| it.metric(Endpoint::Runtime) == metric.name);
    let mut dimensions = metric.dimensions.iter();
    match (dimensions.next(), dimensions.next()) {
        (Some((name, value)), None) if is_read && name == "ModelId" => {
            Some(TargetId::new(value.clone()))
        }
        (Some(_), _) | (None, _) => None,
    }
}
