//! What is asked of AWS: quota requests and cases, within the mandate, the budgets and AWS's own limits.

use super::{
    case,
    draft::{Draft, Wish},
    group::reasons,
    hints, price, queue,
    situation::{self, Usage},
    size::{Size, size},
    texts,
};
use crate::{
    engine::residency::Law,
    model::{
        action::{Effect, Intent, IntentState},
        desk::{Ask, AskEnd},
        ids::{IncidentId, QuotaCode, Scope},
        incident::{Cause, Incident, Scenario},
        policy::Mode,
        quota::Quota,
        reason::Reason,
        rule::Category,
        silence::covering,
        time::{Minute, Timestamp, after},
        units::{Amount, QuotaKind},
    },
};

/// Nothing is filed for an incident whose last bad minute is older than this: it may be history by now.
const CURRENT_MINUTES: i64 = 30;

/// Decides for each open incident whether AWS is asked for something now, the most urgent first.
pub(super) fn file(draft: &mut Draft<'_>) {
    for incident in queue::by_urgency(draft) {
        let age = Minute::of(draft.now()).since(incident.last_bad);
        if CURRENT_MINUTES < age {
            continue;
        }
        let account = &incident.cause.scope().account;
        if let Some(through) = draft.policy().metrics_only.get(account) {
            let why = format!(
                "no role leads into account {account}, whose metrics come through {through}: nothing is asked of AWS there"
            );
            draft.note(&incident.id, why);
            continue;
        }
        if let Some(why) = told_not_to(draft, &incident) {
            draft.note(&incident.id, why);
            continue;
        }
        match &incident.cause {
            Cause::Quota { scope, code } => request(draft, &incident, scope, code),
            Cause::Pool {
                category:
                    Category::Anomaly
                    | Category::Lifecycle
                    | Category::Residency
                    | Category::ResidencyBreach,
                ..
            } => {
                let why =
                    "what is merely unusual, or announced, is no reason to ask AWS for anything";
                draft.note(&incident.id, why);
            }
            Cause::Pool { category, .. } => case::investigate(draft, &incident, *category),
        }
    }
}

/// What a person said against asking for anything now: a silence that holds requests, or a refusal of what was proposed
/// when it was no milder.
fn told_not_to(draft: &Draft<'_>, incident: &Incident) -> Option<String> {
    let silences = covering(draft.silences(), incident, draft.now());
    if let Some(silence) = silences.into_iter().find(|it| it.holds_requests) {
        return Some(format!(
            "silence {} of {} says that nothing is asked until {}",
            silence.id,
            silence.by,
            day(silence.until)
        ));
    }
    let rejected = draft.handling(&incident.id).rejected?;
    (incident.severity <= rejected.severity).then(|| {
        format!(
            "{} rejected the proposal on {}: nothing is proposed for this incident unless it gets worse",
            rejected.by,
            day(rejected.at)
        )
    })
}

/// Asks for more of one quota, or writes down why not.
fn request(draft: &mut Draft<'_>, incident: &Incident, scope: &Scope, code: &QuotaCode) {
    if is_asked(draft, scope, code) || case::is_under_way(draft, incident) {
        if let Some(why) = stands_in_the_way(draft, scope, code) {
            draft.note(&incident.id, why);
        }
        return;
    }
    let Some(quota) = draft.book().quotas.get(&(scope.clone(), code.clone())) else {
        return draft.note(
            &incident.id,
            format!("{code} could not be read: nothing is asked"),
        );
    };
    let drained = situation::pools_of(draft.book(), scope, code).map(|pool| &pool.id);
    if !draft.has_past(drained.chain(&incident.pools)) {
        return;
    }
    let usage = situation::usage_of_code(draft.book(), draft.minutes(), scope, code, incident);
    let Some(usage) = usage else {
        remember(draft, &incident.id, Scenario::Unreadable);
        return draft.note(
            &incident.id,
            "the history of use could not be read: nothing is asked",
        );
    };
    remember(draft, &incident.id, usage.scenario);
    let why_not = refusal(draft, incident, quota, &usage);
    if let Some(why) = why_not {
        return draft.note(&incident.id, why);
    }
    let warn_at = situation::share_of(incident);
    let demand = (usage.peak, usage.ahead);
    match size(quota, demand, warn_at, &draft.policy().budgets) {
        Size::Nothing(why) => draft.note(&incident.id, why),
        Size::Ask {
            desired,
            arithmetic,
        } => {
            if quota.adjustable {
                intend_request(draft, incident, quota, &usage, desired, &arithmetic);
            } else {
                case::raise(draft, incident, quota, &usage, (desired, &arithmetic));
            }
        }
    }
}

fn intend_request(
    draft: &mut Draft<'_>,
    incident: &Incident,
    quota: &Quota,
    usage: &Usage,
    desired: Amount,
    arithmetic: &str,
) {
    let cost = price::at_full_use(draft, incident, quota, desired);
    let what = format!("ask for {desired} on {} ({arithmetic})", quota.code);
    let Some(state) = mandate(draft, &incident.id, &with_cost(what, cost.as_ref())) else {
        return;
    };
    let count = earlier(draft, &quota.scope, &quota.code) + 1;
    let context = texts::request_context(draft, incident, quota, usage, desired, arithmetic);
    let is_new = draft.intend(Wish {
        incident: incident.id.clone(),
        step: format!("request/{}/{count}", quota.code),
        effect: Effect::RequestQuota {
            scope: quota.scope.clone(),
            code: quota.code.clone(),
            desired,
            context,
        },
        reasons: hints::before(
            incident,
            cost.into_iter().chain(reasons(draft, incident)).collect(),
        ),
        state,
    });
    if is_new {
        draft.decide(
            &incident.id,
            format!("request {count} for {}: {arithmetic}", quota.code),
        );
    }
}

/// What would be done, and what that may come to cost.
pub(super) fn with_cost(what: String, cost: Option<&Reason>) -> String {
    let cost = cost.and_then(Reason::full_use);
    match cost {
        Some((_, cost)) => format!("{what}. {cost}"),
        None => what,
    }
}

/// Why this quota is not asked for now; `None` when it may be.
fn refusal(draft: &Draft<'_>, incident: &Incident, quota: &Quota, usage: &Usage) -> Option<String> {
    let code = &quota.code;
    if let Some(why) = &quota.stale {
        return Some(format!(
            "the value of {code} is old, its last read failed ({why}): nothing is asked on it"
        ));
    }
    let law = Law {
        rules: &draft.policy().residency,
        book: draft.book(),
    };
    let drained = situation::pools_of(draft.book(), &quota.scope, code);
    let mut barred = drained.map(|pool| law.barred(&pool.id)).peekable();
    if let Some(Some(rule)) = barred.peek().copied()
        && barred.all(|it| it.is_some())
    {
        return Some(format!(
            "{code} limits traffic that {} does not allow: no more of it is asked for",
            rule.name
        ));
    }
    if situation::is_legacy(draft.book(), &quota.scope, code) {
        return Some(format!(
            "AWS calls the model behind {code} LEGACY and raises no quota of it: move to a newer model"
        ));
    }
    if incident.kind == Some(QuotaKind::CrossModelTpd) {
        return Some(
            "AWS does not publish how it weighs the models, so that the use is an estimate: good for a warning, never for a request; raising it takes a support case with the tokens of each model"
                .to_owned(),
        );
    }
    let is_weighted = matches!(incident.kind, Some(QuotaKind::Tpm | QuotaKind::Tpd));
    if is_weighted && !usage.is_burndown_known {
        return Some(
            "the burndown rate of this model is not known: good for a warning, never for a request"
                .to_owned(),
        );
    }
    match usage.scenario {
        Scenario::HighUsage | Scenario::Growth | Scenario::NewModel => {}
        Scenario::LowUsage | Scenario::NonQuota | Scenario::Unreadable => {
            return Some(format!(
                "the 14-day peak does not reach the rule's share of {code}: nothing is asked"
            ));
        }
    }
    if !quota.adjustable {
        return case::refusal(draft, incident, quota).or_else(|| case::over_budget(draft));
    }
    cooling(draft, incident, quota, usage)
        .or_else(|| not_taken(draft, quota))
        .or_else(|| queue::no_room(draft, quota))
}

/// What AWS did not even take would not be taken a minute later: people were told, and have to do something about it.
fn not_taken(draft: &Draft<'_>, quota: &Quota) -> Option<String> {
    let refused = draft
        .intents()
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
            ) if 0 < intent.attempts
                && *scope == quota.scope
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
fn is_asked(draft: &Draft<'_>, scope: &Scope, code: &QuotaCode) -> bool {
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
fn stands_in_the_way(draft: &Draft<'_>, scope: &Scope, code: &QuotaCode) -> Option<String> {
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
fn earlier(draft: &Draft<'_>, scope: &Scope, code: &QuotaCode) -> usize {
    let asks = draft.intents().filter(|intent| {
        matches!(&intent.effect, Effect::RequestQuota { scope: s, code: c, .. } if s == scope && c == code)
    });
    asks.count()
}

/// What the mode makes of a wish: nothing (and a note), a proposal, or an intent.
pub(super) fn mandate(draft: &mut Draft<'_>, id: &IncidentId, what: &str) -> Option<IntentState> {
    if let Some(stop) = draft
        .inputs
        .stop
        .filter(|_| draft.policy().mode != Mode::Observe)
    {
        draft.note(
            id,
            format!("{stop}; nothing is filed, else this would {what}"),
        );
        return None;
    }
    match draft.policy().mode {
        Mode::Observe => {
            draft.note(
                id,
                format!("mode is observe: nothing is filed; in mode file this would {what}"),
            );
            None
        }
        Mode::Propose => Some(IntentState::Proposed {
            expires: after(draft.now(), draft.policy().approval_minutes),
        }),
        Mode::File => Some(IntentState::Planned {
            not_before: draft.now(),
        }),
    }
}

pub(super) fn remember(draft: &mut Draft<'_>, id: &IncidentId, scenario: Scenario) {
    if let Some(incident) = draft.incident(id)
        && incident.scenario != Some(scenario)
    {
        let mut incident = incident.clone();
        incident.scenario = Some(scenario);
        draft.put(incident);
    }
}

pub(super) fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
