//! A person asks for more of a quota: for a launch that no figure knows of, or because they know better.
//!
//! It goes out and is followed as what a plan asks for, and is held to what AWS and the mandate allow. What a plan weighs
//! beside that, whether use calls for it and how often is asked, is theirs to judge.

use super::{
    bars,
    draft::{Draft, Wish},
    file,
    group::bare,
    price,
    prospect::{cause, place, unmapped},
    queue, situation, size, texts,
};
use crate::{
    engine::residency::Law,
    model::{
        action::{Effect, IntentState},
        catalog::PoolId,
        incident::Incident,
        order::{Answer, Order},
        policy::Mode,
        quota::Quota,
        time::Minute,
        units::{Amount, QuotaKind},
    },
};

/// Plans the request; its incident is the open one of the quota, or one of its own that nothing is wrong with.
pub(super) fn ask(
    draft: &mut Draft<'_>,
    order: &Order,
    (id, kind): (&PoolId, QuotaKind),
    value: Amount,
) -> Result<Answer, String> {
    let why = order
        .why
        .as_deref()
        .ok_or("asking needs a reason: AWS and whoever reads it later were not there")?;
    let why = why.trim_end_matches('.');
    let quota = quota_of(draft, (id, kind))?;
    may_be_asked(draft, quota, (id, kind))?;
    let (floor, ceiling) = size::bounds(quota, &draft.policy().budgets)?;
    if value <= floor || ceiling < value {
        return Err(format!(
            "{value} is not above {floor}, the applied or default value of {}, and at most {ceiling}, where [budget] ends: nothing was decided",
            quota.code
        ));
    }
    let now = quota
        .applied
        .map_or_else(|| "not recorded".to_owned(), |it| it.to_string());
    let what = format!(
        "{value} is asked for on {} ({}), which is {now} now",
        quota.code, quota.name
    );
    let drained = situation::pools_of(draft.book(), &quota.scope, &quota.code);
    let drained: Vec<&PoolId> = drained.map(|it| &it.id).collect();
    if !draft.has_past(drained) {
        let subject = String::new();
        return Ok(Answer { subject, what }); // made in vain: the next try has the minutes
    }
    let incident = incident_of(draft, quota, (id, kind));
    let wish = wish(draft, &incident, quota, (value, why));
    let step = wish.step.clone();
    let intent = draft.intend_approved(wish, Some(order.by.clone()));
    let intent = intent.ok_or_else(|| format!("{step} was decided before"))?;
    let decided = format!("{} asked for {value} on {}: {why}", order.by, quota.code);
    draft.decide(&incident.id, decided);
    let subject = intent.id.to_string();
    Ok(Answer { subject, what })
}

fn incident_of(draft: &mut Draft<'_>, quota: &Quota, (id, kind): (&PoolId, QuotaKind)) -> Incident {
    if let Some(open) = draft.open(&cause(quota)) {
        return open.clone();
    }
    let minute = Minute::of(draft.now()).plus(-1);
    let mut own = bare(draft, cause(quota), Some(kind), minute);
    own.pools.insert(id.clone());
    own.resolved = Some(draft.now()); // nothing is wrong
    draft.put(own.clone());
    own
}

fn wish(
    draft: &Draft<'_>,
    incident: &Incident,
    quota: &Quota,
    (value, why): (Amount, &str),
) -> Wish {
    let (scope, code) = (&quota.scope, &quota.code);
    let usage = situation::usage_of_code(draft.book(), draft.minutes(), scope, code, incident);
    let arithmetic = format!("a person set it: {why}");
    let context =
        texts::request_context(draft, incident, quota, usage.as_ref(), (value, &arithmetic));
    let count = bars::earlier(draft, scope, code) + 1;
    Wish {
        incident: incident.id.clone(),
        step: format!("request/{code}/{count}"),
        effect: Effect::RequestQuota {
            scope: scope.clone(),
            code: code.clone(),
            desired: value,
            context,
        },
        reasons: price::at_full_use(draft, incident, quota, value)
            .into_iter()
            .collect(),
        state: IntentState::Planned {
            not_before: draft.now(),
        },
    }
}

fn quota_of<'a>(draft: &Draft<'a>, (id, kind): (&PoolId, QuotaKind)) -> Result<&'a Quota, String> {
    let pool = place(draft, id).ok_or_else(|| {
        format!("no pool is called {id}: give account/region/family/model, as `status` shows it")
    })?;
    let mapping = pool.mapping(kind);
    let code = mapping.code();
    let quota = code.and_then(|code| draft.book().quotas.get(&(id.scope.clone(), code.clone())));
    quota.ok_or_else(|| {
        format!(
            "no {} quota of {id} can be asked for: {}",
            kind.name().to_uppercase(),
            unmapped(mapping)
        )
    })
}

/// Why nothing may be asked on it now, whoever wants it.
fn may_be_asked(
    draft: &Draft<'_>,
    quota: &Quota,
    (id, kind): (&PoolId, QuotaKind),
) -> Result<(), String> {
    let code = &quota.code;
    if let Some(stop) = draft.inputs.stop {
        return Err(format!("{stop}; resume them first"));
    }
    if draft.policy().mode == Mode::Observe {
        return Err(
            "the mode is observe, in which nothing is filed; set `mode = \"propose\"` first"
                .to_owned(),
        );
    }
    if !quota.adjustable {
        return Err(format!(
            "Service Quotas does not raise {code}: it takes a case at AWS Support, opened by hand"
        ));
    }
    let law = Law {
        rules: &draft.policy().residency,
        book: draft.book(),
    };
    let barred = law.barred(id).map(|rule| {
        format!(
            "{} does not allow {id}: no more of it is asked for",
            rule.name
        )
    });
    let why = barred
        .or_else(|| file::out_of_reach(draft, &quota.scope))
        .or_else(|| bars::stale(quota))
        .or_else(|| bars::never(draft, Some(kind), quota))
        .or_else(|| bars::under_way(draft, &quota.scope, code))
        .or_else(|| queue::no_slot(draft, quota));
    why.map_or(Ok(()), Err)
}
