//! CloudWatch: listing metrics and reading datapoints, with its limits, pages, retention and silences.

mod read;

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
        time::{DAY, HOUR, Minute},
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

impl Kernel {
    /// All metrics that are listed now, sorted by target, in a stable order.
    pub(crate) fn metrics(
        &mut self,
        scope: &Scope,
        is_recent: bool,
    ) -> Result<Vec<Metric>, ApiError> {
        self.known_scope(scope)?;
        let targets = self.targets_in(scope);
        self.compute(&targets);
        let mut listed = Vec::new();
        let mut totals = [false; Name::ALL.len()];
        for target in targets {
            let id = self
                .world
                .targets
                .get(target)
                .map(|target| target.id.to_string());
            let Some(id) = id else { continue };
            let alive = self.alive(target, is_recent);
            for ((name, is_alive), total) in Name::ALL.into_iter().zip(alive).zip(&mut totals) {
                if !is_alive {
                    continue;
                }
                *total = true;
                listed.push(named(name, &[(metric::MODEL_ID, &id)]));
                if name.has_decoy() {
                    let decoy = [
                        (metric::MODEL_ID, id.as_str()),
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
        Ok(listed)
    }

    /// Mantle publishes each inference at four levels; only the token counts are listed here.
    fn mantle_metrics(&self, scope: &Scope) -> Vec<Metric> {
        let mut listed = std::collections::BTreeSet::new();
        for it in self.world.mantle.iter().filter(|it| it.scope == *scope) {
            let project = (metric::PROJECT.to_owned(), it.project.clone());
            let model = (metric::MODEL.to_owned(), it.model.to_string());
            let levels = [vec![], vec![&project], vec![&model], vec![&project, &model]];
            for (level, name) in levels
                .iter()
                .flat_map(|level| metric::MANTLE.map(|it| (level, it)))
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
    fn alive(&self, target: usize, is_recent: bool) -> [bool; Name::ALL.len()] {
        let now = Minute::of(self.now);
        let reach = if is_recent { RECENT } else { FORGOTTEN };
        let mut alive = [false; Name::ALL.len()];
        for minute in now.plus(-reach).until(now.plus(-LISTED_AFTER)).rev() {
            let Some(row) = self.row(target, minute) else {
                break;
            };
            for (slot, name) in alive.iter_mut().zip(Name::ALL) {
                if !*slot {
                    let mut bin = metric::Bin::default();
                    bin.add(name, row, 1.0, 1.0);
                    *slot = bin.value(name, metric::Statistic::Sum).is_some();
                }
            }
            if alive.iter().all(|is_alive| *is_alive) {
                break;
            }
        }
        alive
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
