//! What was decided and has not left is looked at again with each plan: rules change while it waits, and troubles end.
//!
//! Only what AWS certainly does not have is taken back. What may be there is given up for a person to look at, where it may
//! not be asked again.

use super::{bars, draft::Draft, file, reword, situation, tell::REOPEN_MINUTES};
use crate::{
    engine::residency::Law,
    model::{
        action::{Effect, Intent, IntentState},
        ids::{QuotaCode, Scope},
        incident::{Cause, Incident},
        time::{HOUR, Minute, Timestamp, after},
    },
};

/// Why a filing that waits does not leave now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Objection {
    /// It may not be asked for any more, as a sentence without its final stop.
    Barred(String),
    /// Its incident is over, and did not come back for so long that it is history.
    Over {
        /// Since when.
        ended: Timestamp,
    },
    /// Its incident is over, and goes on if it comes back before this instant.
    Rests {
        /// The instant.
        until: Timestamp,
    },
}

/// Why this does not leave now; `None` for what may, and for what does not wait.
pub(super) fn objection(draft: &Draft<'_>, intent: &Intent) -> Option<Objection> {
    let is_planned = matches!(intent.state, IntentState::Planned { .. });
    let is_proposed = matches!(intent.state, IntentState::Proposed { .. });
    if !intent.is_filing() || !(is_planned || is_proposed) {
        return None;
    }
    if let Some(why) = barred(draft, intent) {
        return Some(Objection::Barred(why));
    }
    // A proposal has an end of its own, and whoever approves it in the morning knows how the night ended.
    if !is_planned || !intent.is_certainly_unsent() {
        return None;
    }
    let ended = ended_unasked(draft, intent)?;
    let until = after(ended, REOPEN_MINUTES);
    Some(if until <= draft.now() {
        Objection::Over { ended }
    } else {
        Objection::Rests { until }
    })
}

/// Why it may not be asked for, however short its quota is.
fn barred(draft: &Draft<'_>, intent: &Intent) -> Option<String> {
    let incident = draft.incident(&intent.incident);
    let (scope, code) = target(&intent.effect, incident)?;
    if let Some(why) = file::out_of_reach(draft, scope) {
        return Some(why);
    }
    let quota = draft.book().quotas.get(&(scope.clone(), code?.clone()))?;
    let kind = incident.and_then(|it| it.kind);
    bars::never(draft, kind, quota).or_else(|| {
        // Of a quota that nobody draws on yet, the pool says what it is for.
        let mut drained = situation::pools_of(draft.book(), scope, &quota.code);
        let pools = incident.filter(|_| drained.next().is_none())?.pools.iter();
        let law = Law {
            rules: &draft.policy().residency,
            book: draft.book(),
        };
        let mut rules = pools.map(|it| law.barred(it)).peekable();
        let rule = (*rules.peek()?)?;
        rules
            .all(|it| it.is_some())
            .then(|| bars::not_allowed(&quota.code, rule))
    })
}

/// Where it is filed, and for which quota, if for one.
fn target<'a>(
    effect: &'a Effect,
    incident: Option<&'a Incident>,
) -> Option<(&'a Scope, Option<&'a QuotaCode>)> {
    match effect {
        Effect::RequestQuota { scope, code, .. } => Some((scope, Some(code))),
        Effect::OpenCase { scope, .. } => {
            let code = incident.and_then(|it| match &it.cause {
                Cause::Quota { code, .. } => Some(code),
                Cause::Pool { .. } => None,
            });
            Some((scope, code))
        }
        Effect::Notify { .. } | Effect::Comment { .. } | Effect::EndCase { .. } => None,
    }
}

/// When its incident ended, unless a person asked for it, or let it go after that.
fn ended_unasked(draft: &Draft<'_>, intent: &Intent) -> Option<Timestamp> {
    let incident = draft.incident(&intent.incident)?;
    let ended = incident.resolved.filter(|_| !incident.is_unprompted())?;
    let is_wanted = intent.approved_by.is_some()
        && intent
            .approved_at
            .is_none_or(|at| ended <= at || at == intent.created);
    (!is_wanted).then_some(ended)
}

/// Takes back what may not leave any more, and words the rest anew where its numbers are old.
pub(super) fn look_again(draft: &mut Draft<'_>) {
    let found = draft.intents().filter_map(|it| {
        let why = objection(draft, it)?;
        Some((it.clone(), why))
    });
    for (intent, why) in found.collect::<Vec<_>>() {
        let is_unsent = intent.is_certainly_unsent();
        let next = match why {
            Objection::Barred(why) if is_unsent => intent.refused(why, draft.now()),
            Objection::Barred(why) => intent.held(why, draft.now()),
            Objection::Over { ended } => {
                let why = format!(
                    "its incident ended at {} and did not come back within {} hours",
                    Minute::of(ended),
                    REOPEN_MINUTES / HOUR
                );
                intent.refused(why, draft.now())
            }
            Objection::Rests { .. } => continue,
        };
        draft.put_intent(next);
    }
    reword::renew(draft);
}

/// Whether time, or another configuration, brings something to [`look_again`] at.
pub(super) fn is_due(draft: &Draft<'_>) -> bool {
    let mut waiting = draft.intents().filter(|it| it.is_filing());
    waiting.any(|it| match objection(draft, it) {
        Some(Objection::Barred(_) | Objection::Over { .. }) => true,
        Some(Objection::Rests { .. }) => false,
        None => reword::is_old(draft, it),
    })
}

/// Whether it waits for its incident to come back.
pub(super) fn rests(draft: &Draft<'_>, intent: &Intent) -> Option<Timestamp> {
    match objection(draft, intent)? {
        Objection::Rests { until } => Some(until),
        Objection::Barred(_) | Objection::Over { .. } => None,
    }
}
