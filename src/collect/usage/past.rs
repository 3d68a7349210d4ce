//! Since when a target was called: whether what was filled without it lacks something.

use super::{Asker, Measure, backfill};
use crate::{
    cloud::Cloud,
    collect::{Gathered, endpoint::Endpoint},
    model::{
        ids::{Scope, TargetId},
        time::{DAY, Timestamp},
    },
};

/// The first day, counted from 1970, on which CloudWatch knows of requests to this target; `None` where it knows of none
/// before the days that are read as they go by. By one request for a day a datapoint.
pub(in crate::collect) async fn first_day(
    cloud: &dyn Cloud,
    scope: &Scope,
    target: &TargetId,
    now: Timestamp,
) -> Gathered<Option<i64>> {
    let mut asker = Asker::new(cloud, scope, 0);
    asker.every(DAY);
    let (endpoint, _) = Endpoint::of_target(target);
    let traffic = Measure::of_traffic(endpoint);
    let points = asker.of_target(traffic, target, backfill::known(now)).await;
    let days = points.iter().filter(|(_, requests)| 0.0 < *requests);
    Gathered {
        found: days.map(|(minute, _)| minute.0.div_euclid(DAY)).min(),
        faults: asker.into_faults(),
    }
}
