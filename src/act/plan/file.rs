//! What is asked of AWS: quota requests and cases, within the mandate, the budgets and AWS's own limits.

use super::{
    bars, case,
    draft::{Draft, Wish},
    group::reasons,
    hints, price, queue,
    refusal::{ASK, Refused},
    situation::{self, Usage},
    size::{Size, size},
    texts,
};
use crate::model::{
    action::{Effect, IntentState},
    ids::{IncidentId, QuotaCode, Scope},
    incident::{Cause, Incident, Scenario},
    policy::Mode,
    quota::Quota,
    reason::Reason,
    rule::Category,
    silence::covering,
    time::{Minute, Timestamp, after},
    units::Amount,
};

/// Nothing is filed for an incident whose last bad minute is older than this: it may be history by now.
const CURRENT_MINUTES: i64 = 30;

/// How long a request, and its words, wait at most for the minutes before the start.
const PAST_MINUTES: i64 = 30;
/// Requests that were refused so long ago are being lost now.
const LOSING_MINUTES: i64 = 10;

/// Decides for each open incident whether AWS is asked for something now, the most urgent first.
pub(super) fn file(draft: &mut Draft<'_>) {
    for incident in queue::by_urgency(draft) {
        let age = Minute::of(draft.now()).since(incident.last_bad);
        if CURRENT_MINUTES < age {
            continue;
        }
        let out_of_reach = out_of_reach(draft, incident.cause.scope());
        let out_of_reach = out_of_reach.map(|why| {
            Refused::for_good(why).but("A `role_arn` in its `[[account]]` changes that")
        });
        let told_not_to = || told_not_to(draft, &incident).map(Refused::for_now);
        if let Some(refused) = out_of_reach.or_else(told_not_to) {
            draft.refuse(&incident.id, refused);
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
                draft.refuse(&incident.id, Refused::for_good(why));
            }
            Cause::Pool { category, .. } => case::investigate(draft, &incident, *category),
        }
    }
}

/// Why nothing can be asked in this account.
pub(super) fn out_of_reach(draft: &Draft<'_>, scope: &Scope) -> Option<String> {
    let account = &scope.account;
    let through = draft.policy().metrics_only.get(account)?;
    Some(format!(
        "no role leads into account {account}, whose metrics come through {through}: nothing is asked of AWS there"
    ))
}

/// What a person said against asking for anything now: a silence that holds requests, or a refusal of what was proposed
/// when it was no milder.
pub(super) fn told_not_to(draft: &Draft<'_>, incident: &Incident) -> Option<String> {
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
    if bars::is_asked(draft, scope, code) || case::is_under_way(draft, incident) {
        match bars::stands_in_the_way(draft, scope, code) {
            Some(why) => draft.refuse(&incident.id, Refused::for_now(why)),
            None => draft.unrefuse(&incident.id),
        }
        return;
    }
    let Some(quota) = draft.book().quotas.get(&(scope.clone(), code.clone())) else {
        let why = format!("{code} could not be read: nothing is asked");
        return draft.refuse(&incident.id, Refused::for_now(why));
    };
    let Some(Worked { usage, size }) = work_out(draft, incident, quota) else {
        return; // the next plan has the minutes it lacks
    };
    let scenario = usage.as_ref().map(|it| it.scenario);
    remember(
        draft,
        &incident.id,
        scenario.unwrap_or(Scenario::Unreadable),
    );
    match (size, usage) {
        (Size::Nothing(refused), _) => draft.refuse(&incident.id, refused),
        (Size::Ask { .. }, _) if waits_for_past(draft, incident, quota) => {
            draft.note(&incident.id, PAST_IS_READ);
        }
        (
            Size::Ask {
                desired,
                arithmetic,
            },
            Some(usage),
        ) => {
            draft.unrefuse(&incident.id);
            if quota.adjustable {
                intend_request(draft, incident, quota, &usage, desired, &arithmetic);
            } else {
                case::raise(draft, incident, quota, &usage, (desired, &arithmetic));
            }
        }
        (Size::Ask { .. }, None) => {}
    }
}

/// Said of a request that waits for the minutes before the start.
const PAST_IS_READ: &str = "what CloudWatch has of the two weeks before is being read: nothing is asked before it is there, for half an hour at most, unless requests are refused meanwhile";

/// Whether a request is better made, and put into words, once the past is read. What loses requests now is not held up by it:
/// its size follows from the minutes that are known.
fn waits_for_past(draft: &Draft<'_>, incident: &Incident, quota: &Quota) -> bool {
    let losing = Minute::of(draft.now()).plus(-LOSING_MINUTES);
    is_past_awaited(draft, quota, incident.opened)
        && !situation::throttled_since(draft.minutes(), incident, losing)
}

/// Whether the minutes of the pools behind a quota are still being read, and it is not long since then.
pub(super) fn is_past_awaited(draft: &Draft<'_>, quota: &Quota, since: Timestamp) -> bool {
    let mut drained = situation::pools_of(draft.book(), &quota.scope, &quota.code);
    draft.now() < after(since, PAST_MINUTES) && drained.any(|it| draft.is_filling([&it.id]))
}

/// What an incident comes to on its quota.
pub(super) struct Worked {
    /// `None` where the history could not be read.
    pub(super) usage: Option<Usage>,
    pub(super) size: Size,
}

/// How much an incident asks for, or why it asks for nothing, whatever else is under way; `None` while older minutes are
/// wanted.
pub(super) fn work_out(
    draft: &mut Draft<'_>,
    incident: &Incident,
    quota: &Quota,
) -> Option<Worked> {
    let (scope, code) = (&quota.scope, &quota.code);
    let drained = situation::pools_of(draft.book(), scope, code).map(|pool| &pool.id);
    if !draft.has_past(drained.chain(&incident.pools)) {
        return None;
    }
    let usage = situation::usage_of_code(draft.book(), draft.minutes(), scope, code, incident);
    let size = match &usage {
        None => {
            let why = "the history of use could not be read: nothing is asked";
            Size::Nothing(Refused::for_now(why).but(ASK))
        }
        Some(usage) => match bars::refusal(draft, incident, quota, usage) {
            Some(refused) => Size::Nothing(refused),
            None => size(
                quota,
                (usage.peak, usage.ahead),
                situation::share_of(incident),
                &draft.policy().budgets,
            ),
        },
    };
    Some(Worked { usage, size })
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
    let count = bars::earlier(draft, &quota.scope, &quota.code) + 1;
    let context =
        texts::request_context(draft, incident, quota, Some(usage), (desired, arithmetic));
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
