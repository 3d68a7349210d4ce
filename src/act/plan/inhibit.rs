//! Which incident is a part of another one that people know of, so that one trouble is not told twice.

use super::draft::Draft;
use crate::model::{
    catalog::PoolId,
    handling::Hold,
    incident::Incident,
    inhibit::{Inhibit, Part},
    series::SETTLE_MINUTES,
};

/// The incident of which this one is a part: open, known to people as at least as severe, bad at the same time, and
/// itself no part of another one.
pub(super) fn source(draft: &Draft<'_>, target: &Incident) -> Option<Hold> {
    let inhibits = draft.policy().inhibits.iter();
    let mut fitting = inhibits.filter(|it| it.target.fits_all(target));
    fitting.find_map(|inhibit| {
        let mut sources = draft.incidents().filter(|source| {
            source.is_open()
                && source.id != target.id
                && inhibit.source.fits_some(source)
                && is_together(source, target)
                && has_equal(inhibit, source, target)
                && is_known_as_severe(draft, source, target)
        });
        let source = sources.next()?;
        Some(Hold::Inhibited {
            by: source.id.clone(),
            rule: inhibit.name.clone(),
        })
    })
}

/// Whether any inhibition may hold this incident back: what may hold it is told first.
pub(super) fn is_target(draft: &Draft<'_>, incident: &Incident) -> bool {
    let mut inhibits = draft.policy().inhibits.iter();
    inhibits.any(|it| it.target.fits_all(incident))
}

fn is_known_as_severe(draft: &Draft<'_>, source: &Incident, target: &Incident) -> bool {
    let held = draft.handling(&source.id).held;
    let is_part = held
        .as_ref()
        .is_some_and(|held| matches!(held.hold, Hold::Inhibited { .. }));
    // A silenced source counts: somebody knows of it.
    let known = source.told.max(held.map(|held| held.severity));
    !is_part && Some(target.severity) <= known
}

/// Whether both were bad within the same minutes, as far as minutes that may still come tell.
fn is_together(source: &Incident, target: &Incident) -> bool {
    source.began <= target.last_bad.plus(SETTLE_MINUTES)
        && target.began <= source.last_bad.plus(SETTLE_MINUTES)
}

fn has_equal(inhibit: &Inhibit, source: &Incident, target: &Incident) -> bool {
    target.pools.iter().all(|own| {
        let mut others = source.pools.iter();
        others.any(|other| inhibit.equal.iter().all(|part| is_equal(*part, own, other)))
    })
}

fn is_equal(part: Part, a: &PoolId, b: &PoolId) -> bool {
    match part {
        Part::Account => a.scope.account == b.scope.account,
        Part::Region => a.scope.region == b.scope.region,
        Part::Family => a.family == b.family,
        Part::Model => a.model == b.model,
        Part::Pool => a == b,
    }
}
