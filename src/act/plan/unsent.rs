//! What was decided and has not left yet: taken back, or laid before a person, when it is not what it was decided as.

use super::{desk::loudness, draft::Draft, texts};
use crate::model::{
    action::{Effect, Intent, IntentState},
    ids::IncidentId,
    policy::Mode,
    time::after,
};

/// While writes are stopped, or the mode is observe by now, what was planned and never begun is taken back once its incident
/// is over: nobody wants to see it leave hours later.
pub(super) fn withdraw(draft: &mut Draft<'_>) {
    if draft.inputs.stop.is_none() && draft.policy().mode != Mode::Observe {
        return;
    }
    // What a person asked for has no trouble that could be over.
    let is_over = |id: &IncidentId| {
        let incident = draft.incident(id);
        incident.is_none_or(|it| !it.is_open() && !it.is_unprompted())
    };
    let waiting = draft.intents().filter(|it| {
        it.is_filing()
            && it.attempts == 0
            && matches!(it.state, IntentState::Planned { .. })
            && is_over(&it.incident)
    });
    let why = "its incident was over before writes at AWS went on";
    let refused: Vec<Intent> = waiting.map(|it| it.refused(why, draft.now())).collect();
    for intent in refused {
        draft.put_intent(intent);
    }
}

/// What was planned in mode `file` and has not left yet waits for a person once the mode is `propose`.
pub(super) fn propose_planned(draft: &mut Draft<'_>) {
    let mode = draft.policy().mode;
    let planned = draft
        .intents()
        .filter(|it| matches!(it.state, IntentState::Planned { .. }) && it.lacks_word(mode));
    let expires = after(draft.now(), draft.policy().approval_minutes);
    let proposed: Vec<Intent> = planned.map(|it| it.proposed(expires)).collect();
    for intent in proposed {
        draft.put_intent(intent.clone());
        let what = format!(
            "{} ({}) waits for approval: the mode is propose by now",
            intent.effect.name(),
            intent.id
        );
        draft.decide(&intent.incident, what);
        let message = texts::waits_for_word(draft, &intent, expires);
        draft.call(&intent.incident, loudness(&intent.effect), &message);
    }
}

/// What is proposed now is in the message of this very plan that says that it may be; where there is none, it gets one.
pub(super) fn tell_proposed(draft: &mut Draft<'_>) {
    let is_new = |it: &&Intent| !draft.book().intents.contains_key(&it.id);
    let new: Vec<&Intent> = draft.intents().filter(is_new).collect();
    let is_told = |id: &IncidentId| {
        let mut own = new.iter().filter(|it| it.incident == *id);
        own.any(|it| match &it.effect {
            Effect::Notify { body, .. } => texts::has_place_for_proposal(body),
            Effect::RequestQuota { .. }
            | Effect::OpenCase { .. }
            | Effect::Comment { .. }
            | Effect::EndCase { .. } => false,
        })
    };
    let untold = new.iter().filter_map(|it| {
        let IntentState::Proposed { expires } = it.state else {
            return None;
        };
        // That a case may be ended has a message of its own.
        (it.is_filing() && !is_told(&it.incident)).then(|| ((*it).clone(), expires))
    });
    for (intent, expires) in untold.collect::<Vec<_>>() {
        let message = texts::proposed_later(draft, &intent, expires);
        draft.call(&intent.incident, loudness(&intent.effect), &message);
    }
}

/// What waits to be sent or approved, and is not more than the quota has by now, is taken back: AWS would take it for wrong.
pub(super) fn take_back_overtaken(draft: &mut Draft<'_>) {
    let waiting = draft.intents().filter(|it| {
        matches!(
            it.state,
            IntentState::Planned { .. } | IntentState::Proposed { .. }
        )
    });
    let overtaken = waiting.filter_map(|it| {
        let Effect::RequestQuota {
            scope,
            code,
            desired,
            ..
        } = &it.effect
        else {
            return None;
        };
        let quota = draft.book().quotas.get(&(scope.clone(), code.clone()))?;
        let value = quota.applied.filter(|value| desired <= value)?;
        let why = format!("{code} is {value} by now, which is what was to be asked for or more");
        Some(it.refused(why, draft.now()))
    });
    let overtaken: Vec<Intent> = overtaken.collect();
    for intent in overtaken {
        draft.put_intent(intent);
    }
}
