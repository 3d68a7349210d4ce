//! CloudWatch: listing metrics and reading datapoints, with its limits, pages, retention and silences.

mod heard;
mod read;

use std::sync::Arc;

pub(crate) use heard::LastHeard;
pub(crate) use read::{GetData, Order, Query, SeriesPart, check_statistics};

use super::{
    ApiError,
    kernel::Kernel,
    metric::{self, Name},
};
use crate::{
    cloud::Metric,
    model::{
        ids::Scope,
        time::{DAY, HOUR, Minute, Timestamp},
    },
};

/// Metrics on a page of ListMetrics.
pub(crate) const METRICS_PAGE: usize = 500;
/// A metric that is silent for this long is not listed, minutes.
const FORGOTTEN: i64 = 14 * DAY;
/// `RecentlyActive=PT3H`, with the up to 50 minutes more that AWS allows itself, minutes.
const RECENT: i64 = 3 * HOUR + 50;
/// A new metric is listed after this many minutes at the latest.
const LISTED_AFTER: i64 = 15;

/// All metrics of an account and Region at one instant.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    scope: Scope,
    is_recent: bool,
    at: Timestamp,
    metrics: Arc<[Metric]>,
}

impl Kernel {
    /// All metrics that are listed now, sorted by target, in a stable order.
    pub(crate) fn metrics(
        &mut self,
        scope: &Scope,
        is_recent: bool,
    ) -> Result<Arc<[Metric]>, ApiError> {
        self.known_scope(scope)?;
        let known = self.listed.as_ref().filter(|known| {
            known.scope == *scope && known.is_recent == is_recent && known.at == self.now
        });
        if let Some(known) = known {
            return Ok(Arc::clone(&known.metrics));
        }
        let metrics: Arc<[Metric]> = self.list_metrics(scope, is_recent).into();
        self.listed = Some(Listed {
            scope: scope.clone(),
            is_recent,
            at: self.now,
            metrics: Arc::clone(&metrics),
        });
        Ok(metrics)
    }

    /// Whose metrics a listing tells, by `IncludeLinkedAccounts` and `OwningAccount`; those accounts that have the Region.
    pub(crate) fn owners(&self, scope: &Scope, is_linked: bool, only: Option<&str>) -> Vec<Scope> {
        let known = self.world.account(&scope.account);
        let linked = known.filter(|_| is_linked).into_iter();
        let linked = linked.flat_map(|account| &account.monitors);
        let owners = std::iter::once(&scope.account).chain(linked);
        let wanted = owners.filter(|id| only.is_none_or(|only| only == id.as_str()));
        let scopes = wanted.map(|account| Scope {
            account: account.clone(),
            region: scope.region.clone(),
        });
        // The caller's own Region is checked where it is listed.
        scopes
            .filter(|it| it.account == scope.account || self.known_scope(it).is_ok())
            .collect()
    }

    fn list_metrics(&mut self, scope: &Scope, is_recent: bool) -> Vec<Metric> {
        let targets = self.places.in_scope(scope).to_vec();
        self.compute(&targets);
        let mut listed = Vec::new();
        let mut totals = [false; Name::ALL.len()];
        let world = Arc::clone(&self.world);
        for index in targets {
            let Some(target) = world.targets.get(index) else {
                continue;
            };
            let id = target.id.as_str();
            let alive = self.alive(index, is_recent);
            for ((name, is_alive), total) in Name::ALL.into_iter().zip(alive).zip(&mut totals) {
                if !is_alive {
                    continue;
                }
                *total = true;
                listed.push(named(name, &[(metric::MODEL_ID, id)]));
                if name.has_decoy() {
                    let decoy = [
                        (metric::MODEL_ID, id),
                        (metric::CONTEXT_WINDOW, metric::LONG_CONTEXT),
                    ];
                    listed.push(named(name, &decoy));
                }
            }
        }
        let totals = Name::ALL
            .into_iter()
            .zip(totals)
            .filter(|(_, is_alive)| *is_alive);
        listed.extend(totals.map(|(name, _)| named(name, &[])));
        listed.extend(self.mantle_metrics(scope));
        listed
    }

    /// Mantle publishes each inference at four levels. What is called there is listed from the start.
    fn mantle_metrics(&self, scope: &Scope) -> Vec<Metric> {
        let mut listed = std::collections::BTreeSet::new();
        for it in self.world.mantle.iter().filter(|it| it.scope == *scope) {
            let project = (metric::PROJECT.to_owned(), it.project.clone());
            let model = (metric::MODEL.to_owned(), it.model.to_string());
            let levels = [vec![], vec![&project], vec![&model], vec![&project, &model]];
            for (level, name) in levels
                .iter()
                .flat_map(|level| metric::MANTLE.map(|(name, _)| (level, name)))
            {
                listed.insert(Metric {
                    namespace: metric::MANTLE_NAMESPACE.to_owned(),
                    name: name.to_owned(),
                    dimensions: level.iter().map(|pair| (*pair).clone()).collect(),
                });
            }
        }
        listed.into_iter().collect()
    }

    /// Which metrics of a target have a datapoint that is old enough to be listed and young enough not to be forgotten.
    fn alive(&mut self, target: usize, is_recent: bool) -> [bool; Name::ALL.len()] {
        let now = Minute::of(self.now);
        let mut heard = std::mem::take(&mut self.heard);
        let alive = heard.get_mut(target).zip(self.rows(target));
        let alive = alive.map(|(heard, (first, rows))| {
            heard.follow(first, rows, now.plus(-LISTED_AFTER));
            heard.alive(now.plus(if is_recent { -RECENT } else { -FORGOTTEN }))
        });
        self.heard = heard;
        alive.unwrap_or([false; Name::ALL.len()])
    }
}

fn named(name: Name, dimensions: &[(&str, &str)]) -> Metric {
    let dimensions = dimensions.iter();
    Metric {
        namespace: metric::NAMESPACE.to_owned(),
        name: name.text().to_owned(),
        dimensions: dimensions
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}
