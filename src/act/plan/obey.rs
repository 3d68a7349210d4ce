//! What a person asked, as records: the same pure way as a plan.

use super::{Inputs, Wanted, again, asking, draft::Draft, price, reword, size, tell, texts};
use crate::model::{
    action::{Effect, Intent},
    book::Record,
    handling::{Ack, Handling, Rejected},
    ids::{ActionId, IncidentId, SilenceId},
    order::{Answer, Command, End, Order},
    policy::Mode,
    selector::Selector,
    silence::{KEPT_MINUTES, LONGEST_MINUTES, MOST_SILENCES, Silence, SilenceState, covering},
    time::{Timestamp, after},
    units::Amount,
};

/// Why nothing becomes of an order. Nothing is to be committed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disobeyed {
    /// It can't be done, as a sentence fragment.
    #[error("{0}")]
    Refused(String),
    /// It is to be obeyed again with older minutes.
    #[error(transparent)]
    Wanted(#[from] Wanted),
}

impl From<String> for Disobeyed {
    fn from(why: String) -> Self {
        Self::Refused(why)
    }
}

/// What becomes of an order: the records to commit, and the answer once they are durable.
///
/// # Errors
///
/// Why nothing becomes of it, or [`Wanted`] where minutes are needed that were not given: few orders need any.
pub fn obey(inputs: Inputs<'_>, order: &Order) -> Result<(Vec<Record>, Answer), Disobeyed> {
    let mut draft = Draft::new(inputs);
    let answer = match &order.command {
        Command::Approve { action, value } => approve(&mut draft, order, action, *value),
        Command::Reject { action } => reject(&mut draft, order, action),
        Command::Silence {
            selector,
            from,
            end,
            holds_requests,
        } => silence(&mut draft, order, selector, (*from, *end), *holds_requests),
        Command::StopWrites => stop_writes(&draft, order),
        Command::ResumeWrites => resume_writes(&draft, order),
        Command::Expire { silence } => expire(&mut draft, order, silence),
        Command::Acknowledge { incident, minutes } => {
            acknowledge(&mut draft, order, incident, *minutes)
        }
        Command::Ask { pool, kind, value } => asking::ask(&mut draft, order, (pool, *kind), *value),
    }?;
    Ok((draft.finish()?, answer))
}

/// `, because …`, or nothing.
fn because(order: &Order) -> String {
    let why = order.why.as_deref().map(|why| why.trim_end_matches('.'));
    why.map_or_else(String::new, |why| format!(": {why}"))
}

fn reason(order: &Order, what: &str) -> Result<String, String> {
    let why = order.why.clone();
    why.ok_or_else(|| format!("{what} needs a reason: whoever reads it later was not there"))
}

/// A proposal, or what was given up; and what it is once it is approved.
fn waiting(
    draft: &Draft<'_>,
    order: &Order,
    action: &ActionId,
) -> Result<(Intent, Intent), String> {
    let intent = draft.book().intents.get(action);
    let intent = intent.ok_or_else(|| format!("no action is called {action}"))?;
    let approved = intent.approved(&order.by, draft.now()).ok_or_else(|| {
        format!(
            "{action} does not wait for approval: it is {}",
            intent.state.name()
        )
    })?;
    Ok((intent.clone(), approved))
}

fn approve(
    draft: &mut Draft<'_>,
    order: &Order,
    action: &ActionId,
    value: Option<Amount>,
) -> Result<Answer, String> {
    let (_, mut approved) = waiting(draft, order, action)?;
    let is_message = approved.effect.may_repeat();
    if let Some(stop) = draft.inputs.stop.filter(|_| !is_message) {
        return Err(format!("{stop}; resume them first, or reject {action}"));
    }
    if draft.policy().mode == Mode::Observe && !is_message {
        return Err(format!(
            "the mode is observe, in which nothing is filed; set `mode = \"propose\"` first, or reject {action}"
        ));
    }
    if let Some(again::Objection::Barred(why)) = again::objection(draft, &approved) {
        return Err(format!("{why}; reject {action}"));
    }
    // AWS is to read the numbers of now, and not those of when it was proposed.
    if reword::has_old_words(draft, &approved)
        && let Some(effect) = reword::fresh(draft, &approved)
    {
        approved.effect = effect;
        approved.worded = Some(draft.now());
    }
    let with = match value {
        None => {
            still_more(draft, &approved)?;
            String::new()
        }
        Some(value) => {
            set_value(draft, &mut approved, value)?;
            format!(" with {value}")
        }
    };
    let what = format!(
        "{} ({action}) approved by {}{with}{}",
        approved.effect.name(),
        order.by,
        because(order)
    );
    if !is_message {
        tell::decided(draft, &approved.incident, &what);
    }
    draft.decide(&approved.incident, what);
    draft.put_intent(approved);
    let what = format!("approved by {}{with}", order.by);
    Ok(Answer {
        subject: action.to_string(),
        what,
    })
}

/// What was worked out a while ago may be no more than the quota has by now.
fn still_more(draft: &Draft<'_>, intent: &Intent) -> Result<(), String> {
    let Effect::RequestQuota {
        scope,
        code,
        desired,
        ..
    } = &intent.effect
    else {
        return Ok(());
    };
    let quota = draft.book().quotas.get(&(scope.clone(), code.clone()));
    match quota.and_then(|it| it.applied).filter(|it| desired <= it) {
        None => Ok(()),
        Some(value) => Err(format!(
            "{code} is {value} by now, and {desired} is not more: reject {}, or approve it with another value",
            intent.id
        )),
    }
}

/// Another value than was worked out, within the same bounds.
fn set_value(draft: &Draft<'_>, intent: &mut Intent, value: Amount) -> Result<(), String> {
    let action = intent.id.clone();
    let Effect::RequestQuota {
        scope,
        code,
        desired,
        context,
    } = &mut intent.effect
    else {
        return Err(format!("{action} asks for no value: approve it as it is"));
    };
    let quota = draft.book().quotas.get(&(scope.clone(), code.clone()));
    let quota = quota.ok_or_else(|| format!("the value of {code} is not known"))?;
    let (floor, ceiling) = size::bounds(quota, &draft.policy().budgets)?;
    if value <= floor || ceiling < value {
        return Err(format!(
            "{value} is not above {floor}, the applied or default value, and at most {ceiling}, where [budget] ends: nothing was decided"
        ));
    }
    *context = texts::changed_by_hand(context, (*desired, value))
        .ok_or_else(|| format!("the text of {action} names no value that could be changed"))?;
    *desired = value;
    // What the other value would cost is no reason for this one.
    let of_incident = draft.incident(&intent.incident);
    let cost = of_incident.and_then(|it| price::at_full_use(draft, it, quota, value));
    let place = intent.reasons.iter().position(|it| it.full_use().is_some());
    intent.reasons.retain(|it| it.full_use().is_none());
    if let Some(cost) = cost {
        intent.reasons.insert(place.unwrap_or(0), cost);
    }
    Ok(())
}

fn reject(draft: &mut Draft<'_>, order: &Order, action: &ActionId) -> Result<Answer, String> {
    let (intent, _) = waiting(draft, order, action)?;
    let (by, because) = (&order.by, because(order));
    let refused = intent.refused(format!("rejected by {by}{because}"), draft.now());
    let what = format!(
        "{} ({action}) rejected by {by}{because}",
        intent.effect.name()
    );
    draft.put_intent(refused);
    let answer = Answer {
        subject: action.to_string(),
        what: format!("rejected by {by}"),
    };
    if intent.effect.may_repeat() {
        draft.decide(&intent.incident, what);
        return Ok(answer);
    }
    tell::decided(draft, &intent.incident, &what);
    draft.decide(&intent.incident, what);
    if let Some(severity) = draft.incident(&intent.incident).map(|it| it.severity) {
        let handling = draft.handling(&intent.incident);
        draft.put_handling(Handling {
            rejected: Some(Rejected {
                by: by.clone(),
                at: draft.now(),
                why: order.why.clone(),
                severity,
            }),
            ..handling
        });
    }
    Ok(answer)
}

fn silence(
    draft: &mut Draft<'_>,
    order: &Order,
    selector: &Selector,
    (from, end): (Option<Timestamp>, End),
    holds_requests: bool,
) -> Result<Answer, String> {
    let why = reason(order, "a silence")?;
    if selector.is_open() {
        return Err(
            "a silence must say what it is for: a rule, category, account, region, family, model or pool; `*` as the pool means all".to_owned(),
        );
    }
    let now = draft.now();
    let standing = draft.silences();
    let standing = standing.filter(|it| it.state(now) != SilenceState::Ended);
    if MOST_SILENCES <= standing.count() {
        return Err(format!(
            "{MOST_SILENCES} silences have not ended yet, and no more are taken: end some, or change the rules instead"
        ));
    }
    let from = from.map_or(now, |from| from.max(now));
    let until = match end {
        End::After(minutes) if (1..=LONGEST_MINUTES).contains(&minutes) => after(from, minutes),
        End::At(until) if from < until && until <= after(from, LONGEST_MINUTES) => until,
        End::After(_) | End::At(_) => {
            return Err(
                "a silence lasts from a minute to 366 days, and ends after it begins".to_owned(),
            );
        }
    };
    let says = format!("{selector}|{from}|{until}|{}|{why}|{now}", order.by);
    let silence = Silence {
        id: SilenceId::derive(&says),
        selector: selector.clone(),
        by: order.by.clone(),
        why,
        created: now,
        from,
        until,
        holds_requests,
        expired_by: None,
    };
    let pools = draft.book().pools.keys();
    let pools = pools.filter(|id| selector.fits_pool(id)).count();
    let at_begin = [&silence];
    let open = draft.incidents().filter(|it| it.is_open());
    let open = open.filter(|it| !covering(at_begin, it, from).is_empty());
    let answer = Answer {
        subject: silence.id.to_string(),
        what: format!(
            "silence by {} on {selector} until {until}: it fits {pools} of {} pools and {} of {} open incidents",
            order.by,
            draft.book().pools.len(),
            open.count(),
            draft.incidents().filter(|it| it.is_open()).count()
        ),
    };
    draft.put_silence(silence);
    Ok(answer)
}

/// The file itself is the runtime's: here is what is said of it.
fn stop_writes(draft: &Draft<'_>, order: &Order) -> Result<Answer, String> {
    let why = reason(order, "a stop of all writes")?;
    if let Some(stop) = draft.inputs.stop {
        return Err(format!("{stop}, already"));
    }
    Ok(Answer {
        subject: String::new(),
        what: format!("writes at AWS are stopped by {}: {why}", order.by),
    })
}

fn resume_writes(draft: &Draft<'_>, order: &Order) -> Result<Answer, String> {
    if draft.inputs.stop.is_none() {
        return Err("writes at AWS are not stopped".to_owned());
    }
    Ok(Answer {
        subject: String::new(),
        what: format!("writes at AWS go on, resumed by {}", order.by),
    })
}

fn expire(draft: &mut Draft<'_>, order: &Order, id: &SilenceId) -> Result<Answer, String> {
    let now = draft.now();
    let silence = draft.book().silences.get(id);
    let silence = silence.ok_or_else(|| format!("no silence is called {id}"))?;
    if silence.state(now) == SilenceState::Ended {
        return Err(format!("{id} ended at {}", silence.until));
    }
    let expired = Silence {
        until: now,
        expired_by: Some(order.by.clone()),
        ..silence.clone()
    };
    draft.put_silence(expired);
    Ok(Answer {
        subject: id.to_string(),
        what: format!("ended by {}", order.by),
    })
}

fn acknowledge(
    draft: &mut Draft<'_>,
    order: &Order,
    id: &IncidentId,
    minutes: Option<i64>,
) -> Result<Answer, String> {
    let now = draft.now();
    let incident = draft.incident(id).cloned();
    let incident = incident.ok_or_else(|| format!("no incident is called {id}"))?;
    if let Some(resolved) = incident.resolved {
        return Err(format!(
            "{id} ended at {resolved}: there is nothing to look after"
        ));
    }
    let until = match minutes {
        None => None,
        Some(minutes) if (1..=LONGEST_MINUTES).contains(&minutes) => Some(after(now, minutes)),
        Some(_) => return Err("a snooze lasts from a minute to 366 days".to_owned()),
    };
    let ack = Ack {
        by: order.by.clone(),
        at: now,
        note: order.why.clone(),
        severity: incident.severity,
        until,
    };
    let (by, because) = (&order.by, because(order));
    let what = match until {
        None => format!("acknowledged by {by}"),
        Some(until) => format!("snoozed by {by} until {until}"),
    };
    draft.decide(id, format!("{what}{because}"));
    let handling = draft.handling(id);
    draft.put_handling(Handling {
        ack: Some(ack.clone()),
        ..handling
    });
    tell::acknowledged(
        draft,
        &incident,
        &texts::acknowledged(draft, &incident, &ack),
    );
    Ok(Answer {
        subject: id.to_string(),
        what,
    })
}

/// Silences that ended long ago are let go: what they said stands in the audit trail.
pub(super) fn forget_old(draft: &mut Draft<'_>) {
    let since = after(draft.now(), -KEPT_MINUTES);
    let old = draft.silences().filter(|it| it.until < since);
    let old: Vec<SilenceId> = old.map(|it| it.id.clone()).collect();
    for id in old {
        draft.remove_silence(id);
    }
}
