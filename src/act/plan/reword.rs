//! Words for AWS that waited: before they leave, they are made anew with the numbers of now.

use super::{again::objection, draft::Draft, evidence, situation, texts};
use crate::model::{
    action::{Due, Effect, Intent},
    catalog::PoolId,
    ids::{QuotaCode, Scope},
    incident::{Cause, Incident},
    policy::Mode,
    quota::Quota,
    time::after,
    units::Amount,
};

/// Older words are made anew, minutes.
const FRESH_MINUTES: i64 = 60;

/// Makes the words anew of all that is about to leave and waited for long.
pub(super) fn renew(draft: &mut Draft<'_>) {
    let old = draft.intents().filter(|it| is_old(draft, it));
    let old = old.filter(|it| objection(draft, it).is_none());
    for intent in old.cloned().collect::<Vec<_>>() {
        let effect = fresh(draft, &intent).unwrap_or_else(|| intent.effect.clone());
        draft.put_intent(intent.reworded(effect, draft.now()));
    }
}

/// Whether it is about to leave with words of a while ago.
pub(super) fn is_old(draft: &Draft<'_>, intent: &Intent) -> bool {
    let may_write = draft.inputs.stop.is_none() && draft.policy().mode != Mode::Observe;
    may_write && intent.due(draft.now()) == Some(Due::Send) && has_old_words(draft, intent)
}

/// Whether AWS certainly has nothing of it, and its words are old.
pub(super) fn has_old_words(draft: &Draft<'_>, intent: &Intent) -> bool {
    let worded = intent.worded.unwrap_or(intent.created);
    intent.is_filing()
        && intent.is_certainly_unsent()
        && after(worded, FRESH_MINUTES) <= draft.now()
}

/// The same effect with the numbers of now; `None` where there are none, or older minutes are wanted.
pub(super) fn fresh(draft: &mut Draft<'_>, intent: &Intent) -> Option<Effect> {
    let incident = draft.incident(&intent.incident)?.clone();
    match &intent.effect {
        Effect::RequestQuota {
            scope,
            code,
            desired,
            context,
        } => {
            let quota = quota(draft, (scope, code))?;
            let context = words(draft, (intent, &incident), quota, (*desired, context))?;
            Some(Effect::RequestQuota {
                scope: scope.clone(),
                code: code.clone(),
                desired: *desired,
                context,
            })
        }
        Effect::OpenCase {
            scope,
            subject,
            body,
            desired,
            ..
        } => {
            let evidence = evidence::of(draft, &incident)?;
            let body = match (desired, &incident.cause) {
                (Some(desired), Cause::Quota { scope, code }) => {
                    let quota = quota(draft, (scope, code))?;
                    let (_, context) = texts::raised_by(body)?;
                    let about = (intent, &incident);
                    let context = words(draft, about, quota, (*desired, context))?;
                    texts::raise(&incident, quota, *desired, &context, &intent.step).1
                }
                (Some(_), Cause::Pool { .. }) => return None,
                (None, _) => texts::investigation(draft, &incident, &intent.step).1,
            };
            Some(Effect::OpenCase {
                scope: scope.clone(),
                subject: subject.clone(),
                body,
                evidence: Some(Box::new(evidence)),
                desired: *desired,
            })
        }
        Effect::Notify { .. } | Effect::Comment { .. } | Effect::EndCase { .. } => None,
    }
}

fn quota<'a>(draft: &Draft<'a>, (scope, code): (&Scope, &QuotaCode)) -> Option<&'a Quota> {
    draft.book().quotas.get(&(scope.clone(), code.clone()))
}

/// The context of a request for this value: what it was decided on stays, what is said of use is of now.
fn words(
    draft: &mut Draft<'_>,
    (intent, incident): (&Intent, &Incident),
    quota: &Quota,
    (desired, old): (Amount, &str),
) -> Option<String> {
    let (scope, code) = (&quota.scope, &quota.code);
    let drained = situation::pools_of(draft.book(), scope, code);
    let mut pools: Vec<PoolId> = drained.map(|it| it.id.clone()).collect();
    if !incident.is_unprompted() {
        pools.extend(incident.pools.iter().cloned());
    }
    if !draft.has_past(&pools) {
        return None;
    }
    let usage = situation::usage_of_code(draft.book(), draft.minutes(), scope, code, incident)?;
    let new = texts::request_context(draft, incident, quota, Some(&usage), (desired, ""));
    texts::renewed(old, &new, intent.created)
}
