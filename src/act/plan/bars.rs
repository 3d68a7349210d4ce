//! Why a quota is not asked for now: what is known of it, what AWS answered before, and what is under way.

use super::{
    case,
    draft::Draft,
    file::day,
    queue,
    refusal::{ASK, Refused},
    situation::{self, Usage},
    support_plan,
};
use crate::{
    engine::residency::Law,
    model::{
        action::{Effect, Intent, IntentState},
        desk::{Ask, AskEnd},
        ids::{QuotaCode, Scope},
        incident::{Incident, Scenario},
        quota::Quota,
        residency::Residency,
        time::{Minute, after},
        units::QuotaKind,
    },
};

/// Why this quota is not asked for now; `None` when it may be.
pub(super) fn refusal(
    draft: &Draft<'_>,
    incident: &Incident,
    quota: &Quota,
    usage: &Usage,
) -> Option<Refused> {
    if let Some(why) = stale(quota) {
        return Some(Refused::for_now(why));
    }
    if let Some(why) = never(draft, incident.kind, quota) {
        return Some(Refused::for_good(why));
    }
    let code = &quota.code;
    let is_weighted = matches!(incident.kind, Some(QuotaKind::Tpm | QuotaKind::Tpd));
    if is_weighted && !usage.is_burndown_known {
        let why = "the burndown rate of this model is not known: good for a warning, never for a request by itself";
        return Some(Refused::for_good(why).but(ASK));
    }
    match usage.scenario {
        Scenario::HighUsage | Scenario::Growth | Scenario::NewModel => {}
        Scenario::LowUsage | Scenario::NonQuota | Scenario::Unreadable => {
            let why = format!(
                "the 14-day peak does not reach the rule's share of {code}: nothing is asked"
            );
            return Some(Refused::for_now(why).but(ASK));
        }
    }
    if !quota.adjustable {
        return support_plan::refusal(draft, incident)
            .or_else(|| case::refusal(draft, incident, quota).map(Refused::for_now))
            .or_else(|| case::over_budget(draft));
    }
    let cooling = cooling(draft, incident, quota, usage).or_else(|| not_taken(draft, quota));
    let cooling = cooling.map(|why| Refused::for_now(why).but(ASK));
    cooling
        .or_else(|| queue::over_budget(draft, quota))
        .or_else(|| queue::no_slot(draft, quota).map(Refused::for_now))
}

/// Why nothing is decided on the value of this quota now; the next read may succeed.
pub(super) fn stale(quota: &Quota) -> Option<String> {
    let why = quota.stale.as_ref()?;
    Some(format!(
        "the value of {} is old, its last read failed ({why}): nothing is asked on it",
        quota.code
    ))
}

/// Why nothing is asked on this quota, whoever wants it and however much of it is used.
pub(super) fn never(draft: &Draft<'_>, kind: Option<QuotaKind>, quota: &Quota) -> Option<String> {
    let code = &quota.code;
    let law = Law {
        rules: &draft.policy().residency,
        book: draft.book(),
    };
    let drained = situation::pools_of(draft.book(), &quota.scope, code);
    let mut barred = drained.map(|pool| law.barred(&pool.id)).peekable();
    if let Some(Some(rule)) = barred.peek().copied()
        && barred.all(|it| it.is_some())
    {
        return Some(not_allowed(code, rule));
    }
    if situation::is_legacy(draft.book(), &quota.scope, code) {
        return Some(format!(
            "AWS calls the model behind {code} LEGACY and raises no quota of it: move to a newer model"
        ));
    }
    (kind == Some(QuotaKind::CrossModelTpd)).then(|| {
        "AWS does not publish how it weighs the models, so that the use is an estimate: good for a warning, never for a request; raising it takes a support case with the tokens of each model"
            .to_owned()
    })
}

/// That a rule of residency bars what this quota limits.
pub(super) fn not_allowed(code: &QuotaCode, rule: &Residency) -> String {
    format!(
        "{code} limits traffic that {} does not allow: no more of it is asked for",
        rule.name
    )
}

/// What AWS did not even take would not be taken a minute later: people were told, and have to do something about it.
fn not_taken(draft: &Draft<'_>, quota: &Quota) -> Option<String> {
    let refused = draft
        .intents()
        .filter(|intent| intent.was_refused_there())
        .filter_map(|intent| match (&intent.effect, &intent.state) {
            // What the value has overtaken, AWS did not refuse for good.
            (
                Effect::RequestQuota {
                    scope,
                    code,
                    desired,
                    ..
                },
                IntentState::Refused { at, .. },
            ) if *scope == quota.scope
                && *code == quota.code
                && quota.applied.is_none_or(|it| it < *desired) =>
            {
                Some(*at)
            }
            _ => None,
        });
    let at = refused.max()?;
    let until = after(at, draft.policy().cooldown_minutes);
    (draft.now() < until).then(|| {
        format!(
            "AWS did not take the request for {} on {}: not asked again before {}",
            quota.code,
            day(at),
            day(until)
        )
    })
}

/// After an answer, the same quota is asked again only on new evidence, and after a refusal not before a while.
fn cooling(draft: &Draft<'_>, incident: &Incident, quota: &Quota, usage: &Usage) -> Option<String> {
    let ended = draft
        .asks()
        .filter(|ask| ask.scope == quota.scope && ask.code == quota.code);
    let ended = ended.filter_map(|ask| ask.end.as_ref());
    let (end, at) = ended.max_by_key(|(_, at)| *at)?;
    match end {
        AskEnd::Denied => {
            let until = after(*at, draft.policy().cooldown_minutes);
            (draft.now() < until).then(|| {
                format!(
                    "{} was refused on {}: not asked again before {}",
                    quota.code,
                    day(*at),
                    day(until)
                )
            })
        }
        answer @ (AskEnd::Granted { value } | AskEnd::PartlyGranted { value }) => {
            let warn_at = situation::share_of(incident);
            let threshold = value.at(warn_at);
            let is_throttled =
                situation::throttled_since(draft.minutes(), incident, Minute::of(*at));
            // After a part AWS knows the day that it was asked on: only a day that begins with the answer is news.
            let is_whole = matches!(answer, AskEnd::Granted { .. });
            let is_day_new = is_whole || after(*at, 1_440) <= draft.now();
            let is_near = is_day_new && threshold <= usage.p95_day;
            // A forecast against the new value is evidence once people had time to look at the answer.
            let is_settled = after(*at, draft.policy().cooldown_minutes) <= draft.now();
            let is_ahead = is_settled && usage.ahead.is_some_and(|ahead| *value < ahead);
            (!is_near && !is_throttled && !is_ahead).then(|| {
                format!(
                    "{} became {value} on {}: {}, and nothing was throttled since, so there is no new evidence",
                    quota.code,
                    day(*at),
                    if is_day_new {
                        format!("the p95 of the last 24 hours, {}, is below {threshold}", usage.p95_day)
                    } else {
                        "a day has not passed since".to_owned()
                    },
                )
            })
        }
    }
}

/// Whether something is under way for this quota already: ours, open, in doubt, or held for a person.
pub(super) fn is_asked(draft: &Draft<'_>, scope: &Scope, code: &QuotaCode) -> bool {
    let on_desk = draft
        .asks()
        .any(|ask| ask.is_in_the_way(draft.now()) && ask.scope == *scope && ask.code == *code);
    let asks = |effect: &Effect| matches!(effect, Effect::RequestQuota { scope: s, code: c, .. } if s == scope && c == code);
    let planned = draft.intents().any(|intent| {
        asks(&intent.effect)
            && (!intent.state.is_final()
                || matches!(intent.state, IntentState::Held { .. })
                // Done, and not yet taken over into an ask.
                // What adopted a request that is followed already has been taken over, too.
                || matches!(&intent.state, IntentState::Done { reference, .. }
                    if !draft.asks().any(|ask| {
                        ask.action == intent.id || ask.request.as_str() == reference
                    })))
    });
    on_desk || planned
}

/// Why nothing is asked on a quota of which nothing seems to be under way.
pub(super) fn stands_in_the_way(
    draft: &Draft<'_>,
    scope: &Scope,
    code: &QuotaCode,
) -> Option<String> {
    let on_code = |it: &&Ask| it.scope == *scope && it.code == *code;
    let asks = draft.asks().filter(on_code);
    let asks: Vec<&Ask> = asks.filter(|it| it.is_in_the_way(draft.now())).collect();
    if asks.iter().any(|it| it.end.is_none()) {
        return None; // people know that it is followed
    }
    if let Some(ask) = asks.first() {
        return Some(format!(
            "AWS has not closed request {}, whose value is there: it takes no other one on {code} before that",
            ask.request
        ));
    }
    let is_held = |it: &&Intent| {
        matches!(&it.effect, Effect::RequestQuota { scope: s, code: c, .. } if s == scope && c == code)
            && matches!(it.state, IntentState::Held { .. })
    };
    let held = draft.intents().find(is_held)?;
    Some(format!(
        "{} was given up and may be open at AWS: nothing more is asked on {code} by itself until `approve {}` tries once more, or `reject {}` settles it",
        held.id, held.id, held.id
    ))
}

/// How many requests for this quota were decided so far: numbers the steps.
pub(super) fn earlier(draft: &Draft<'_>, scope: &Scope, code: &QuotaCode) -> usize {
    let asks = draft.intents().filter(|intent| {
        matches!(&intent.effect, Effect::RequestQuota { scope: s, code: c, .. } if s == scope && c == code)
    });
    asks.count()
}

/// What is under way for this quota, whoever began it; `None` where nothing is.
pub(super) fn under_way(draft: &Draft<'_>, scope: &Scope, code: &QuotaCode) -> Option<String> {
    if !is_asked(draft, scope, code) {
        return None;
    }
    if let Some(why) = stands_in_the_way(draft, scope, code) {
        return Some(why);
    }
    let mut asks = draft.asks();
    let open = asks.find(|it| it.scope == *scope && it.code == *code && it.end.is_none());
    if let Some(ask) = open {
        return Some(format!(
            "request {} for {} on {code} is open at AWS and is followed",
            ask.request, ask.desired
        ));
    }
    let asks = |it: &&Intent| matches!(&it.effect, Effect::RequestQuota { scope: s, code: c, .. } if s == scope && c == code);
    let mut under_way = draft.intents().filter(asks);
    let intent = under_way.find(|it| !it.state.is_final())?;
    let what = match &intent.state {
        IntentState::Proposed { .. } => "waits for approval",
        IntentState::Planned { .. } => "is about to be filed",
        IntentState::Sending { .. } | IntentState::Unknown { .. } => "may have been filed",
        IntentState::Done { .. } | IntentState::Held { .. } | IntentState::Refused { .. } => {
            return None;
        }
    };
    Some(format!("{} asks for more of {code} and {what}", intent.id))
}
