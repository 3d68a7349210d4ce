//! The last words to AWS Support about what is over. They wait until it can't come back as the same incident: whoever hears
//! that it is over may believe it.

use super::{
    draft::{Draft, Wish},
    tell::REOPEN_MINUTES,
    texts,
};
use crate::model::{
    action::{Effect, IntentState},
    desk::Investigation,
    incident::{Cause, Incident},
    time::after,
};

/// Says in each open case of ours, once, that its problem is over.
pub(super) fn close(draft: &mut Draft<'_>) {
    let over: Vec<Investigation> = recovered(draft).cloned().collect();
    for it in over {
        report_recovery(draft, &it);
    }
}

/// Whether time alone brings something to say.
pub(super) fn is_due(draft: &Draft<'_>) -> bool {
    recovered(draft).next().is_some()
}

/// Open cases whose problem is over, and where that was not said.
fn recovered<'d>(draft: &'d Draft<'_>) -> impl Iterator<Item = &'d Investigation> {
    draft.investigations().filter(|it| {
        let incident = draft.incident(&it.incident);
        let is_over = |incident: &Incident| {
            // A quota that was asked for is needed tomorrow as well.
            !matches!(incident.cause, Cause::Quota { .. }) && is_past(draft, incident)
        };
        it.ended.is_none()
            && incident.is_some_and(is_over)
            && !draft.is_intended(&it.incident, &step_of(it))
    })
}

/// Whether it is over, and can't come back as the same incident.
fn is_past(draft: &Draft<'_>, incident: &Incident) -> bool {
    let end = incident.resolved;
    end.is_some_and(|at| after(at, REOPEN_MINUTES) <= draft.now())
}

fn step_of(it: &Investigation) -> String {
    format!("recovery/{}", it.case)
}

fn report_recovery(draft: &mut Draft<'_>, it: &Investigation) {
    let Some(incident) = draft.incident(&it.incident) else {
        return;
    };
    let step = step_of(it);
    let body = texts::recovery(incident, &step);
    draft.intend(Wish {
        incident: it.incident.clone(),
        step,
        effect: Effect::Comment {
            scope: it.scope.clone(),
            case: it.case.clone(),
            body,
            evidence: None,
        },
        reasons: Vec::new(),
        state: IntentState::Planned {
            not_before: draft.now(),
        },
    });
}
