//! The last words to AWS Support about what is over. They wait until it can't come back as the same incident: whoever hears
//! that it is over may believe it.

use super::{
    context,
    draft::{Draft, Wish},
    file::mandate,
    tell::REOPEN_MINUTES,
    texts,
};
use crate::model::{
    action::{Effect, IntentState},
    desk::{Ask, AskEnd, Investigation},
    ids::{ActionId, CaseId, IncidentId, Marker, QuotaCode, RequestId, Scope},
    incident::{Cause, Incident},
    policy::Mode,
    rule::Severity,
    time::{Minute, Timestamp, after},
    units::Amount,
};

/// Says in each open case of ours, once, that its problem is over; and ends those whose value is there, where that is wanted.
pub(super) fn close(draft: &mut Draft<'_>) {
    let over: Vec<Investigation> = recovered(draft).cloned().collect();
    for it in over {
        report_recovery(draft, &it);
    }
    for granted in granted(draft) {
        end(draft, granted);
    }
}

/// Whether time alone brings something to say.
pub(super) fn is_due(draft: &Draft<'_>) -> bool {
    let may_write = draft.inputs.stop.is_none() && draft.policy().mode != Mode::Observe;
    recovered(draft).next().is_some()
        || may_write && granted(draft).iter().any(|it| it.next(draft).is_some())
}

/// An open case of ours whose value is there.
struct Granted {
    incident: IncidentId,
    scope: Scope,
    case: CaseId,
    /// Which Service Quotas opened it for, if it did.
    request: Option<RequestId>,
    /// What we said in it before.
    ours: Marker,
    code: QuotaCode,
    value: Amount,
    /// When that was seen.
    since: Timestamp,
}

/// What is to be done to it next.
enum Next {
    Thank,
    /// Let go by whoever let the thanks go.
    Close {
        approved_by: Option<String>,
    },
}

impl Granted {
    fn thanks(&self) -> String {
        format!("thanks/{}", self.case)
    }

    fn close(&self) -> String {
        format!("close/{}", self.case)
    }

    /// Nothing while the thanks are on their way, and nothing after them where a person did not want them.
    fn next(&self, draft: &Draft<'_>) -> Option<Next> {
        let id = ActionId::derive(&self.incident, &self.thanks());
        let Some(thanks) = draft.intents().find(|it| it.id == id) else {
            return Some(Next::Thank);
        };
        let is_said = matches!(thanks.state, IntentState::Done { .. });
        let is_new = !draft.is_intended(&self.incident, &self.close());
        (is_said && is_new).then(|| Next::Close {
            approved_by: thanks.approved_by.clone(),
        })
    }
}

/// Cases that Service Quotas opened for a request of ours and that AWS leaves open although the value is there, and our own
/// about a value. None of a request that somebody else made, and none in which we said nothing yet.
fn granted(draft: &Draft<'_>) -> Vec<Granted> {
    if !draft.policy().case_codes.closes_granted {
        return Vec::new();
    }
    let asked = draft.asks().filter_map(|ask| of_request(draft, ask));
    let own = draft.investigations().filter_map(|it| of_case(draft, it));
    asked.chain(own).collect()
}

fn of_request(draft: &Draft<'_>, ask: &Ask) -> Option<Granted> {
    let is_granted = matches!(ask.end, Some((AskEnd::Granted { .. }, _)));
    let case = ask.case.as_ref()?;
    // Once AWS has closed the request, its case is closed as well.
    if !is_granted || !ask.status.is_open() {
        return None;
    }
    let context = ActionId::derive(&ask.incident, &context::step(&ask.request));
    let context = draft.book().intents.get(&context)?;
    matches!(context.state, IntentState::Done { .. }).then_some(())?;
    let (value, since) = held(draft, &ask.incident, (&ask.scope, &ask.code), ask.desired)?;
    Some(Granted {
        incident: ask.incident.clone(),
        scope: ask.scope.clone(),
        case: case.clone(),
        request: Some(ask.request.clone()),
        ours: context.marker(),
        code: ask.code.clone(),
        value,
        since,
    })
}

fn of_case(draft: &Draft<'_>, it: &Investigation) -> Option<Granted> {
    let intent = draft.book().intents.get(&it.action)?;
    let Effect::OpenCase {
        desired: Some(desired),
        ..
    } = &intent.effect
    else {
        return None;
    };
    let incident = draft.incident(&it.incident)?;
    let Cause::Quota { scope, code } = &incident.cause else {
        return None;
    };
    if it.ended.is_some() {
        return None;
    }
    let (value, since) = held(draft, &it.incident, (scope, code), *desired)?;
    Some(Granted {
        incident: it.incident.clone(),
        scope: scope.clone(),
        case: it.case.clone(),
        request: None,
        ours: it.marker.clone(),
        code: code.clone(),
        value,
        since,
    })
}

/// The applied value and since when it is what was asked for, or more: once it has held for as long as an incident may come
/// back, and the incident is over for good.
fn held(
    draft: &Draft<'_>,
    id: &IncidentId,
    (scope, code): (&Scope, &QuotaCode),
    desired: Amount,
) -> Option<(Amount, Timestamp)> {
    let incident = draft.incident(id).filter(|it| is_past(draft, it))?;
    let mut again = draft.incidents();
    if again.any(|it| it.is_open() && it.cause == incident.cause) {
        return None;
    }
    let book = draft.book();
    let quota = book.quotas.get(&(scope.clone(), code.clone()))?;
    let value = quota.applied.filter(|_| quota.stale.is_none())?;
    let changes = book.quota_changes.values();
    let changes = changes.filter(|it| it.scope == *scope && it.code == *code);
    let reached = changes.filter(|it| {
        it.new.is_some_and(|new| desired <= new) && it.old.is_none_or(|old| old < desired)
    });
    let since = reached.map(|it| it.at).max()?;
    let has_held = after(since, REOPEN_MINUTES) <= draft.now();
    (desired <= value && has_held).then_some((value, since))
}

/// Thanks first; once they are said, the case is closed. In mode `propose` a person lets both go by letting the thanks go.
fn end(draft: &mut Draft<'_>, granted: Granted) {
    let Some(next) = granted.next(draft) else {
        return;
    };
    let what = format!(
        "thank AWS in case {} and close it, since {} is {}",
        granted.case, granted.code, granted.value
    );
    let (step, approved_by) = match next {
        Next::Thank => (granted.thanks(), None),
        Next::Close { approved_by } => (granted.close(), approved_by),
    };
    let state = if approved_by.is_some() && draft.policy().mode != Mode::Observe {
        IntentState::Planned {
            not_before: draft.now(),
        }
    } else {
        let Some(state) = mandate(draft, &granted.incident, &what) else {
            return;
        };
        state
    };
    let is_thanks = step == granted.thanks();
    let since = Minute::of(granted.since);
    let words = is_thanks.then(|| {
        let about = (&granted.scope, &granted.code);
        texts::thanks(
            draft,
            about,
            (granted.value, since),
            (&granted.incident, &step),
        )
    });
    let is_proposed = matches!(state, IntentState::Proposed { .. });
    let id = granted.incident.clone();
    let wish = Wish {
        incident: id.clone(),
        step,
        effect: Effect::EndCase {
            scope: granted.scope,
            case: granted.case,
            ours: granted.ours,
            request: granted.request,
            thanks: words,
        },
        reasons: Vec::new(),
        state,
    };
    let Some(intent) = draft.intend_approved(wish, approved_by) else {
        return;
    };
    draft.decide(&id, what);
    if is_proposed {
        let message = texts::may_end(draft, &intent);
        draft.tell(&id, Severity::Info, &message);
    }
}

/// Open cases whose problem is over, and where that was not said.
fn recovered<'d>(draft: &'d Draft<'_>) -> impl Iterator<Item = &'d Investigation> {
    draft.investigations().filter(|it| {
        let incident = draft.incident(&it.incident);
        let is_over = |incident: &Incident| {
            // A quota that was asked for is needed tomorrow as well.
            !matches!(incident.cause, Cause::Quota { .. }) && is_past(draft, incident)
        };
        it.ended.is_none()
            && incident.is_some_and(is_over)
            && !draft.is_intended(&it.incident, &step_of(it))
    })
}

/// Whether it is over, and can't come back as the same incident.
fn is_past(draft: &Draft<'_>, incident: &Incident) -> bool {
    let end = incident.resolved;
    end.is_some_and(|at| after(at, REOPEN_MINUTES) <= draft.now())
}

fn step_of(it: &Investigation) -> String {
    format!("recovery/{}", it.case)
}

fn report_recovery(draft: &mut Draft<'_>, it: &Investigation) {
    let Some(incident) = draft.incident(&it.incident) else {
        return;
    };
    let step = step_of(it);
    let body = texts::recovery(incident, &step);
    draft.intend(Wish {
        incident: it.incident.clone(),
        step,
        effect: Effect::Comment {
            scope: it.scope.clone(),
            case: it.case.clone(),
            body,
            evidence: None,
        },
        reasons: Vec::new(),
        state: IntentState::Planned {
            not_before: draft.now(),
        },
    });
}
