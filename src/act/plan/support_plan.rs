//! Accounts whose support plan has no API: remembered for a day, told once, and nothing is promised or planned meanwhile.
//!
//! What is known follows from what Support answered: in polls of the cases of requests, and to cases and comments of ours.

use super::{draft::Draft, file::day, refusal::Refused, texts};
use crate::model::{
    action::{Effect, Intent, IntentState},
    desk::{Ask, NO_PLAN_MINUTES},
    ids::AccountId,
    incident::Incident,
    outcome::NO_PLAN,
    rule::Severity,
    time::{Timestamp, after},
};

/// When Support last said so of this account, while that counts.
pub(super) fn lacking(draft: &Draft<'_>, account: &AccountId) -> Option<Timestamp> {
    let of_asks = draft.asks().filter(|it| it.scope.account == *account);
    let of_asks = of_asks.filter_map(|it| it.no_plan);
    let of_intents = draft.intents().filter_map(|it| refused(it, account));
    let last = of_asks.chain(of_intents).max()?;
    (draft.now() < after(last, NO_PLAN_MINUTES)).then_some(last)
}

/// Why no case is opened now for this incident.
pub(super) fn refusal(draft: &Draft<'_>, incident: &Incident) -> Option<Refused> {
    let account = &incident.cause.scope().account;
    let since = lacking(draft, account)?;
    let why = format!(
        "the support plan of account {account} has no API, as Support said on {}: no case is planned before {}",
        day(since),
        day(after(since, NO_PLAN_MINUTES))
    );
    let by_hand = format!(
        "To open one by hand, the numbers are in `explain {}`",
        incident.id
    );
    Some(Refused::for_now(why).but(by_hand))
}

/// When this was refused for it.
fn refused(intent: &Intent, account: &AccountId) -> Option<Timestamp> {
    let scope = match &intent.effect {
        Effect::OpenCase { scope, .. }
        | Effect::Comment { scope, .. }
        | Effect::EndCase { scope, .. } => scope,
        Effect::Notify { .. } | Effect::RequestQuota { .. } => return None,
    };
    match &intent.state {
        IntentState::Refused { why, at } if why.contains(NO_PLAN) => {
            (scope.account == *account).then_some(*at)
        }
        IntentState::Refused { .. }
        | IntentState::Proposed { .. }
        | IntentState::Planned { .. }
        | IntentState::Sending { .. }
        | IntentState::Unknown { .. }
        | IntentState::Done { .. }
        | IntentState::Held { .. } => None,
    }
}

/// Tells of a request whose case gets no words of ours for it, once an account. Theirs would get none anyway.
pub(super) fn note_of(draft: &mut Draft<'_>, ask: &Ask) {
    let Some(intent) = draft.book().intents.get(&ask.action) else {
        return;
    };
    let is_theirs = matches!(
        intent.state,
        IntentState::Done {
            theirs: Some(_),
            ..
        }
    );
    if ask.no_plan.is_none() || is_theirs {
        return;
    }
    draft.note(
        &ask.incident,
        format!("{NO_PLAN}: the numbers could not be added to the case of the request"),
    );
    if tell_now(draft, ask) {
        let message = texts::no_plan(draft, intent, ask);
        draft.call(&ask.incident, Severity::Warning, &message);
    }
}

fn tell_now(draft: &mut Draft<'_>, ask: &Ask) -> bool {
    let Some(incident) = draft.incident(&ask.incident).cloned() else {
        return false;
    };
    note_told(draft, &incident, &ask.scope.account)
}

/// Whether people are to hear that this was not carried out: of a plan that takes nothing they hear once an account.
pub(super) fn is_news(draft: &mut Draft<'_>, intent: &Intent, why: &str) -> bool {
    let Some(incident) = draft.incident(&intent.incident).cloned() else {
        return true;
    };
    !why.contains(NO_PLAN) || note_told(draft, &incident, &incident.cause.scope().account)
}

/// Writes down that people are told; whether they were not yet.
fn note_told(draft: &mut Draft<'_>, incident: &Incident, account: &AccountId) -> bool {
    let what = format!("people are told that the support plan of account {account} has no API");
    let is_told = |it: &Incident| it.decisions.iter().any(|it| it.what == what);
    let is_new = !draft.incidents().any(is_told);
    if is_new {
        draft.decide(&incident.id, what);
    }
    is_new
}
