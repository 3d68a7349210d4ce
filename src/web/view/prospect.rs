//! What would be asked for a pool's quotas.

use super::{View, text};
use crate::{
    model::{catalog::PoolId, order::Stop, units::Share},
    runtime::prospect::{Prospect, Usage, Would},
    web::json,
};

impl View<'_> {
    /// The document of `plan`.
    pub(in crate::web) fn plan(
        &self,
        pool: &PoolId,
        prospects: &[Prospect],
        stop: Option<&Stop>,
    ) -> json::Plan {
        json::Plan {
            pool: pool.to_string(),
            now: self.now().map(text),
            is_simulated: self.is_simulated,
            mode: self.settings.policy.mode.name().to_owned(),
            stopped: stop.map(ToString::to_string),
            quotas: prospects.iter().map(prospect).collect(),
        }
    }
}

fn prospect(it: &Prospect) -> json::Prospect {
    let quota = it.quota.as_ref();
    let (ask, why_not) = match &it.would {
        Would::Ask {
            desired,
            arithmetic,
            cost,
            words,
        } => {
            let wanted = json::Wanted {
                value: desired.get(),
                arithmetic: arithmetic.clone(),
                cost: cost.clone(),
                words: words.clone(),
            };
            (Some(wanted), None)
        }
        Would::Nothing(why) => (None, Some(why.clone())),
    };
    json::Prospect {
        kind: it.kind.name().to_owned(),
        quota_code: it.mapping.code().map(ToString::to_string),
        name: quota.map(|it| it.name.clone()),
        applied: quota.and_then(|it| it.applied).map(|it| it.get()),
        default: quota.and_then(|it| it.default).map(|it| it.get()),
        adjustable: quota.map(|it| it.adjustable),
        warn_at_percent: it.warn_at.map(|it| 100.0 * Share::factor(it)),
        used: it.usage.as_ref().map(used),
        ask,
        why_not,
        above: it.bounds.map(|(above, _)| above.get()),
        at_most: it.bounds.map(|(_, most)| most.get()),
    }
}

fn used(it: &Usage) -> json::Used {
    json::Used {
        situation: it.scenario.name().to_owned(),
        peak: it.peak.get(),
        peak_at: text(it.peak_at.start()),
        lately: it.p95_day.get(),
        ahead: it.ahead.map(|it| it.get()),
        throttled: it.throttled,
        coverage_percent: f64::from(it.coverage) / 100.0,
    }
}
