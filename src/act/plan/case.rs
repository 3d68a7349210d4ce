//! Cases of our own: for what no quota explains, and for quotas that only Support raises.

use super::{
    draft::{Draft, Wish},
    evidence,
    file::{day, mandate, remember, with_cost},
    group::reasons,
    price,
    refusal::Refused,
    situation::{self, Usage},
    support_plan, texts,
};
use crate::{
    engine::cross_model::shared_day,
    model::{
        action::{Effect, Intent, IntentState},
        catalog::PoolId,
        ids::{IncidentId, QuotaCode},
        incident::{Cause, Incident, Scenario},
        quota::Quota,
        reason::Reason,
        rule::Category,
        series::Signal,
        time::{DAY, Minute, after},
        units::Amount,
    },
};

/// After so many minutes it is known whether a day is used up.
const WAIT_MINUTES: i64 = 10;

/// Opens a case of our own for what no quota explains, or writes down why not.
pub(super) fn investigate(draft: &mut Draft<'_>, incident: &Incident, category: Category) {
    if is_under_way(draft, incident) {
        return draft.unrefuse(&incident.id);
    }
    remember(draft, &incident.id, Scenario::NonQuota);
    if let Some(code) = day_used_up(incident) {
        let why = format!(
            "the tokens of the day are used up ({code}), which is why requests are refused: a case that asks why would not say more"
        );
        return draft.refuse(&incident.id, Refused::for_now(why));
    }
    let unknown = || unknown_quota(draft, incident, category);
    if let Some(why) = too_early(draft, incident, category).or_else(unknown) {
        return draft.refuse(&incident.id, Refused::for_now(why));
    }
    let refused = support_plan::refusal(draft, incident).or_else(|| over_budget(draft));
    if let Some(refused) = refused {
        return draft.refuse(&incident.id, refused);
    }
    draft.unrefuse(&incident.id);
    let what = format!("open a case about {}", category.name());
    let step = "case/1".to_owned();
    let text = texts::investigation(draft, incident, &step);
    open(draft, incident, step, text, (what, None), None);
}

/// The daily quota that refuses the incident's requests, where that is known. Whatever else goes wrong beside it is not
/// explained by it, nor is what is refused on another day.
pub(super) fn day_used_up(incident: &Incident) -> Option<&QuotaCode> {
    let Cause::Pool {
        category: Category::Throttle,
        ..
    } = &incident.cause
    else {
        return None;
    };
    let day = |minute: Minute| minute.0.div_euclid(DAY);
    let hints = incident.hints.iter();
    let mut today = hints.filter(|it| day(it.until.plus(-1)) == day(incident.last_bad));
    today.find_map(|it| it.clue.daily_quota())
}

/// Whether the day of all models is used up shows after some minutes in which all is refused: until then, where it may be,
/// nobody at AWS is asked why.
fn too_early(draft: &Draft<'_>, incident: &Incident, category: Category) -> Option<String> {
    let age = Minute::of(draft.now()).since(incident.began);
    if category != Category::Throttle || !(0..WAIT_MINUTES).contains(&age) {
        return None;
    }
    let minutes = draft.minutes();
    let samples = |pool: &PoolId, signal: Signal, from: Minute, until: Minute| {
        minutes.window(pool, signal, from, until).collect()
    };
    let until = incident.last_bad.plus(1);
    let day = shared_day(draft.book(), &samples, incident.cause.scope(), until)?;
    let near = draft.policy().hints.daily.near;
    day.may_be_used_up(near).then(|| {
        format!(
            "the day of all models may be used up ({}), which shows within {WAIT_MINUTES} minutes: no case before",
            day.code
        )
    })
}

/// Refusals that a quota explains are no question for Support: while one of a pool's quotas is not known, nobody can tell.
fn unknown_quota(draft: &Draft<'_>, incident: &Incident, category: Category) -> Option<String> {
    if category != Category::Throttle {
        return None;
    }
    let book = draft.book();
    let unknown = incident.pools.iter().find(|pool| {
        let known = book.pools.get(*pool);
        known.is_none_or(|it| situation::has_unknown_limit(book, it))
    })?;
    Some(format!(
        "the quotas of {unknown} are not read yet, so whether one of them refuses the requests is not known"
    ))
}

/// Asks Support for more of a quota that Service Quotas doesn't raise.
pub(super) fn raise(
    draft: &mut Draft<'_>,
    incident: &Incident,
    quota: &Quota,
    usage: &Usage,
    (desired, arithmetic): (Amount, &str),
) {
    let step = format!("raise/{}/1", quota.code);
    let cost = price::at_full_use(draft, incident, quota, desired);
    let what = format!(
        "open a case for {desired} on {}, which Service Quotas doesn't raise ({arithmetic})",
        quota.code
    );
    let what = with_cost(what, cost.as_ref());
    let context =
        texts::request_context(draft, incident, quota, Some(usage), (desired, arithmetic));
    let text = texts::raise(incident, quota, desired, &context, &step);
    open(draft, incident, step, text, (what, cost), Some(desired));
}

fn open(
    draft: &mut Draft<'_>,
    incident: &Incident,
    step: String,
    (subject, body): (String, String),
    (what, cost): (String, Option<Reason>),
    desired: Option<Amount>,
) {
    let Some(state) = mandate(draft, &incident.id, &what) else {
        return;
    };
    let Some(evidence) = evidence::of(draft, incident) else {
        return;
    };
    let is_new = draft.intend(Wish {
        incident: incident.id.clone(),
        step,
        effect: Effect::OpenCase {
            scope: incident.cause.scope().clone(),
            subject,
            body,
            evidence: Some(Box::new(evidence)),
            desired,
        },
        reasons: cost.into_iter().chain(reasons(draft, incident)).collect(),
        state,
    });
    if is_new {
        draft.decide(&incident.id, what);
    }
}

/// Whether a case about the same cause is open or may be, or one of this incident was meant to be. What is held for a
/// person may be at AWS already.
pub(super) fn is_under_way(draft: &Draft<'_>, incident: &Incident) -> bool {
    let is_open = draft
        .investigations()
        .any(|it| it.ended.is_none() && is_about(draft, &it.incident, incident));
    let mut own = meant(draft, incident);
    is_open
        || own.any(|intent| {
            let may_be_open =
                !intent.state.is_final() || matches!(intent.state, IntentState::Held { .. });
            may_be_open || intent.incident == incident.id
        })
}

/// The cases that were meant to be opened about the same cause, by any incident.
fn meant<'a>(draft: &'a Draft<'_>, incident: &'a Incident) -> impl Iterator<Item = &'a Intent> {
    let cases = draft
        .intents()
        .filter(|it| matches!(it.effect, Effect::OpenCase { .. }));
    cases.filter(move |it| is_about(draft, &it.incident, incident))
}

fn is_about(draft: &Draft<'_>, id: &IncidentId, incident: &Incident) -> bool {
    draft
        .incident(id)
        .is_some_and(|other| other.cause == incident.cause)
}

/// Why no case is opened now for more of this quota; `None` when it may be. What Support answered, or did not take, holds
/// for a while.
pub(super) fn refusal(draft: &Draft<'_>, incident: &Incident, quota: &Quota) -> Option<String> {
    let answered = draft
        .investigations()
        .filter(|it| is_about(draft, &it.incident, incident))
        .filter_map(|it| Some((it.ended?, "closed")));
    let not_taken = meant(draft, incident).filter(|it| it.was_refused_there());
    let not_taken = not_taken.filter_map(|intent| {
        let IntentState::Refused { at, .. } = intent.state else {
            return None;
        };
        Some((at, "did not take"))
    });
    let (at, what) = answered.chain(not_taken).max()?;
    let until = after(at, draft.policy().cooldown_minutes);
    let holds = draft.now() < until;
    holds.then(|| {
        format!(
            "AWS Support {what} the case about {} on {}: not asked again before {}",
            quota.code,
            day(at),
            day(until)
        )
    })
}

/// Why the mandate allows no further case now, if it doesn't.
pub(super) fn over_budget(draft: &Draft<'_>) -> Option<Refused> {
    let since = |minutes: i64| {
        let from = after(draft.now(), -minutes);
        let cases = draft.intents().filter(|intent| {
            matches!(intent.effect, Effect::OpenCase { .. })
                && from < intent.created
                && !matches!(intent.state, IntentState::Refused { .. })
        });
        u32::try_from(cases.count()).unwrap_or(u32::MAX) // more than fits is over any budget
    };
    let budgets = &draft.policy().budgets;
    let is_over = budgets.cases_per_hour <= since(60) || budgets.cases_per_day <= since(1_440);
    is_over.then(|| {
        let why = format!(
            "the budget of {} cases an hour and {} a day is used up: no case is opened",
            budgets.cases_per_hour, budgets.cases_per_day
        );
        let change =
            "`[budget] cases_per_hour` and `cases_per_day` in the configuration allow more";
        let is_nothing = budgets.cases_per_hour == 0 || budgets.cases_per_day == 0;
        Refused::for_now(why).but(change).lasting(is_nothing)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        catalog::Family,
        hint::{Clue, Daily, Hint},
        ids::{AccountId, ModelId, Region, Scope},
        rule::{Remedy, Severity},
        units::Share,
    };

    fn hint(until: Minute) -> Hint {
        Hint {
            pool: pool(),
            strength: Share::FULL,
            from: until.plus(-5),
            until,
            clue: Clue::Daily(Daily {
                refused: 100.0,
                highest: 0.01,
                today: 1e6,
                quota: Amount::new(1e6).map(|it| (QuotaCode::new("L-DAY"), it)),
                shared: None,
                left: 60,
            }),
        }
    }

    fn pool() -> PoolId {
        let scope = Scope {
            account: AccountId::new("111122223333"),
            region: Region::new("us-east-1"),
        };
        PoolId {
            scope,
            family: Family::Geo,
            model: ModelId::new("anthropic.claude-sonnet-4-6"),
        }
    }

    /// Of this category, last bad a minute before noon; its hint looked until then, or until that hour of the day before.
    fn incident(category: Category, days_old: i64) -> Incident {
        let noon = Minute(20_000 * DAY + DAY / 2);
        let pool = pool();
        Incident {
            id: IncidentId::new("inc-1"),
            cause: Cause::Pool {
                pool: pool.clone(),
                category,
            },
            generation: 1,
            kind: None,
            pools: [pool].into(),
            severity: Severity::Critical,
            remedy: Remedy::Investigate,
            scenario: None,
            opened: noon.start(),
            began: noon.plus(-60),
            last_bad: noon.plus(-1),
            resolved: None,
            lost: 0.0,
            members: std::collections::BTreeMap::new(),
            hints: vec![hint(noon.plus(-days_old * DAY))],
            decisions: Vec::new(),
            decisions_dropped: 0,
            spells: Vec::new(),
            messages: 0,
            told: None,
            refusal: None,
        }
    }

    #[test]
    fn a_day_that_is_used_up_explains_its_own_refusals_and_nothing_else() {
        let code = QuotaCode::new("L-DAY");
        assert_eq!(day_used_up(&incident(Category::Throttle, 0)), Some(&code));
        assert_eq!(day_used_up(&incident(Category::ServerError, 0)), None);
        assert_eq!(
            day_used_up(&incident(Category::Throttle, 1)),
            None,
            "the day after, something else refuses"
        );
    }
}
