//! The words that go into the case of a quota request: the numbers that AWS Support asks for, once.

use super::{
    draft::{Draft, Wish},
    evidence, file, situation, texts,
};
use crate::model::{
    action::{Effect, IntentState},
    desk::Ask,
    ids::RequestId,
    incident::Incident,
    quota::Quota,
    time::after,
};

/// AWS's automated first reply comes within a minute or two, and what stands above it is read less: it is waited for so
/// long at most, in minutes.
const REPLY_MINUTES: i64 = 15;

/// The step that adds them.
pub(super) fn step(request: &RequestId) -> String {
    format!("context/{request}")
}

/// Once the case is known and AWS has spoken in it, the context goes into it: one comment for each request, ever. A request
/// that somebody else made keeps its own words.
pub(super) fn add(draft: &mut Draft<'_>, ask: &Ask, is_answered: bool) {
    let (Some(case), Some(intent)) = (&ask.case, draft.book().intents.get(&ask.action)) else {
        return;
    };
    let Effect::RequestQuota { scope, context, .. } = &intent.effect else {
        return;
    };
    if let IntentState::Done {
        theirs: Some(_), ..
    } = intent.state
    {
        return;
    }
    let is_reply_due = |seen| draft.now() < after(seen, REPLY_MINUTES);
    if !is_answered && ask.case_seen.is_some_and(is_reply_due) {
        return;
    }
    let step = step(&ask.request);
    if draft.is_intended(&ask.incident, &step) {
        return;
    }
    let quota = draft.book().quotas.get(&(scope.clone(), ask.code.clone()));
    let (context, evidence) = match draft.incident(&ask.incident).cloned() {
        // Of a quota that nobody draws on there is nothing to show.
        Some(incident) if is_drained(draft, ask) => {
            let Some(evidence) = evidence::of(draft, &incident) else {
                return; // the next plan has what it is made of
            };
            if quota.is_some_and(|quota| file::is_past_awaited(draft, quota, ask.filed)) {
                return;
            }
            let context = of_now(draft, &incident, quota, context);
            (context, Some(Box::new(evidence)))
        }
        Some(_) | None => (context.clone(), None),
    };
    draft.intend(Wish {
        incident: ask.incident.clone(),
        effect: Effect::Comment {
            scope: scope.clone(),
            case: case.clone(),
            body: texts::marked(&ask.incident, &step, &context),
            evidence,
        },
        step,
        reasons: intent.reasons.clone(),
        state: IntentState::Planned {
            not_before: draft.now(),
        },
    });
}

/// What the request says, with the use as it is known by now: more minutes were read since it was decided, and others came.
fn of_now(draft: &Draft<'_>, incident: &Incident, quota: Option<&Quota>, context: &str) -> String {
    let now = quota.and_then(|quota| {
        let (minutes, scope, code) = (draft.minutes(), &quota.scope, &quota.code);
        let usage = situation::usage_of_code(draft.book(), minutes, scope, code, incident)?;
        texts::request_context_now(draft, incident, (quota, &usage), context)
    });
    now.unwrap_or_else(|| context.to_owned())
}

fn is_drained(draft: &Draft<'_>, ask: &Ask) -> bool {
    let mut pools = situation::pools_of(draft.book(), &ask.scope, &ask.code);
    pools.next().is_some()
}
