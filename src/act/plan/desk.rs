//! What came back from AWS: receipts become things we follow, and what we follow ends when the value has changed.

use std::ops::Bound;

use super::{again, context, draft::Draft, support_plan, texts};
use crate::model::{
    action::{Effect, Intent, IntentState},
    desk::{APPLY_WAIT_MINUTES, Ask, AskEnd, DeskReading, Investigation, RequestStatus, Waiting},
    ids::{CaseId, QuotaCode, RequestId, Scope},
    rule::Severity,
    time::{Timestamp, after},
    units::{Amount, QuotaKind},
};

/// The status of a case in which AWS waits for an answer of ours.
const WAITS: &str = "pending-customer-action";
/// A filing that was not taken for so long is told to people.
const DELAY_MINUTES: i64 = 20;
/// What is in doubt is mostly found, or proved absent, by two looks; after so long people hear that it is neither.
const DOUBT_MINUTES: i64 = 60;

/// Takes over what was carried out since: a request becomes an [`Ask`], a case an [`Investigation`].
///
/// The receipt is durable before this runs, and this runs again after a crash: nothing done is forgotten.
pub(super) fn adopt(draft: &mut Draft<'_>) {
    let done: Vec<(&Intent, Receipt<'_>)> = draft
        .book()
        .intents
        .values()
        .filter_map(|intent| match &intent.state {
            IntentState::Done {
                reference,
                at,
                theirs,
            } => Some((
                intent,
                Receipt {
                    reference,
                    at: *at,
                    theirs: *theirs,
                },
            )),
            IntentState::Proposed { .. }
            | IntentState::Planned { .. }
            | IntentState::Sending { .. }
            | IntentState::Unknown { .. }
            | IntentState::Held { .. }
            | IntentState::Refused { .. } => None,
        })
        .collect();
    for (intent, receipt) in done {
        match &intent.effect {
            Effect::RequestQuota { .. } => adopt_ask(draft, intent, &receipt),
            Effect::OpenCase { .. } => {
                adopt_case(draft, intent, &CaseId::new(receipt.reference), receipt.at);
            }
            Effect::Notify { .. } | Effect::Comment { .. } | Effect::EndCase { .. } => {}
        }
    }
    report_refusals(draft);
    report_delays(draft);
}

/// What came back for an effect that is done.
struct Receipt<'a> {
    reference: &'a str,
    at: Timestamp,
    /// What somebody else's request asks for, where it stands in for ours.
    theirs: Option<Amount>,
}

fn adopt_ask(draft: &mut Draft<'_>, intent: &Intent, receipt: &Receipt<'_>) {
    let request = RequestId::new(receipt.reference);
    let Effect::RequestQuota {
        scope,
        code,
        desired,
        ..
    } = &intent.effect
    else {
        return;
    };
    if draft
        .asks()
        .any(|ask| ask.request == request || ask.action == intent.id)
    {
        return;
    }
    // Without the value before, no outcome could be told: it stays done, and is taken over once the value is read.
    let Some(before) = value_before(draft, scope, code, intent.created) else {
        return;
    };
    let kind = draft
        .incident(&intent.incident)
        .and_then(|incident| incident.kind);
    draft.put_ask(Ask {
        request: request.clone(),
        action: intent.id.clone(),
        incident: intent.incident.clone(),
        scope: scope.clone(),
        code: code.clone(),
        kind: kind.unwrap_or(QuotaKind::Tpm),
        before,
        desired: receipt.theirs.unwrap_or(*desired),
        filed: receipt.at,
        status: RequestStatus::Pending,
        closed: None,
        display: None,
        case: None,
        case_seen: None,
        no_plan: None,
        told_waiting: false,
        waiting: None,
        polled: receipt.at,
        end: None,
    });
    let what = match receipt.theirs {
        None => format!("AWS took the request for {code} as {request}"),
        Some(theirs) => format!(
            "request {request} for {theirs} on {code} is open and not ours: it is followed, nothing is added to its case"
        ),
    };
    draft.decide(&intent.incident, what);
    let message = match receipt.theirs {
        None => texts::asked(draft, intent, &request),
        Some(theirs) => texts::theirs(draft, intent, &request, theirs),
    };
    draft.tell(&intent.incident, Severity::Info, &message);
}

/// The value that the quota had then. AWS may have answered before the receipt was known: what it is by now would make a
/// partial grant look like a refusal.
fn value_before(
    draft: &Draft<'_>,
    scope: &Scope,
    code: &QuotaCode,
    then: Timestamp,
) -> Option<Amount> {
    let book = draft.book();
    let quota = book.quotas.get(&(scope.clone(), code.clone()))?;
    let then = (scope.clone(), code.clone(), then);
    // A change that was read in the same cycle was known when it was decided.
    let later = (Bound::Excluded(then), Bound::Unbounded);
    let mut changes = book.quota_changes.range(later);
    let change = changes.next().map(|(_, it)| it);
    match change.filter(|it| it.scope == *scope && it.code == *code) {
        Some(change) => change.old.or(quota.default),
        None => quota.applied,
    }
}

fn adopt_case(draft: &mut Draft<'_>, intent: &Intent, case: &CaseId, at: Timestamp) {
    let Effect::OpenCase { scope, .. } = &intent.effect else {
        return;
    };
    if draft.investigations().any(|it| it.case == *case) {
        return;
    }
    draft.put_investigation(Investigation {
        case: case.clone(),
        action: intent.id.clone(),
        incident: intent.incident.clone(),
        scope: scope.clone(),
        display: None,
        marker: intent.marker(),
        opened: at,
        status: "opened".to_owned(),
        told_waiting: false,
        waiting: None,
        polled: at,
        ended: None,
        twin: None,
    });
    draft.decide(&intent.incident, format!("AWS Support opened {case}"));
    let message = texts::case_opened(draft, intent, case);
    draft.tell(&intent.incident, Severity::Info, &message);
}

/// How loudly it is told that an effect was not carried out. A case that stays open wakes nobody.
pub(super) const fn loudness(effect: &Effect) -> Severity {
    match effect {
        Effect::EndCase { .. } => Severity::Info,
        Effect::Notify { .. }
        | Effect::RequestQuota { .. }
        | Effect::OpenCase { .. }
        | Effect::Comment { .. } => Severity::Warning,
    }
}

/// People hear once of each filing that was refused or given up, with the text to send by hand.
fn report_refusals(draft: &mut Draft<'_>) {
    let ended: Vec<(&Intent, &str)> = draft
        .book()
        .intents
        .values()
        .filter(|intent| !matches!(intent.effect, Effect::Notify { .. }))
        .filter_map(|intent| match &intent.state {
            IntentState::Held { why, .. } | IntentState::Refused { why, .. } => {
                Some((intent, why.as_str()))
            }
            IntentState::Proposed { .. }
            | IntentState::Planned { .. }
            | IntentState::Sending { .. }
            | IntentState::Unknown { .. }
            | IntentState::Done { .. } => None,
        })
        .collect();
    for (intent, why) in ended {
        let what = format!(
            "{} ({}) was not carried out: {why}",
            intent.effect.name(),
            intent.id
        );
        let is_told = draft.incident(&intent.incident).is_none_or(|incident| {
            incident
                .decisions
                .iter()
                .any(|decision| decision.what == what)
        });
        if !is_told {
            draft.decide(&intent.incident, what);
            // A case that nobody wanted closed stays open, which does no harm.
            if matches!(intent.effect, Effect::EndCase { .. }) && intent.attempts == 0 {
                continue;
            }
            if !support_plan::is_news(draft, intent, why) {
                continue;
            }
            let message = texts::not_carried_out(draft, intent, why);
            draft.call(&intent.incident, loudness(&intent.effect), &message);
        }
    }
}

/// A filing that was tried and not taken is tried again for as long as it takes, and one in doubt is looked for as long; people
/// hear once that it waits, and for what: often only they can help, with a permission or a plan.
fn report_delays(draft: &mut Draft<'_>) {
    let filings = draft.book().intents.values();
    let filings = filings.filter(|intent| !intent.effect.may_repeat());
    // What is taken back in this plan, or waits for its incident to come back, is not tried.
    let tried = filings.filter(|it| again::objection(draft, it).is_none());
    let waiting = tried.filter(|intent| {
        let since = match intent.state {
            IntentState::Planned { .. } => after(intent.created, DELAY_MINUTES),
            IntentState::Unknown { since, .. } => after(since, DOUBT_MINUTES),
            IntentState::Proposed { .. }
            | IntentState::Sending { .. }
            | IntentState::Done { .. }
            | IntentState::Held { .. }
            | IntentState::Refused { .. } => return false,
        };
        since <= draft.now()
    });
    let waiting: Vec<(&Intent, &str)> = waiting
        .filter_map(|intent| Some((intent, intent.last_failure.as_deref()?)))
        .collect();
    for (intent, why) in waiting {
        let waits = if matches!(intent.state, IntentState::Unknown { .. }) {
            "is still in doubt"
        } else {
            "still waits"
        };
        let begins = format!("{} ({}) {waits}", intent.effect.name(), intent.id);
        let is_told = draft.incident(&intent.incident).is_none_or(|incident| {
            let mut decisions = incident.decisions.iter();
            decisions.any(|decision| decision.what.starts_with(&begins))
        });
        if !is_told {
            draft.decide(&intent.incident, format!("{begins}: {why}"));
            let message = texts::delayed(draft, intent, why);
            draft.call(&intent.incident, loudness(&intent.effect), &message);
        }
    }
}

/// Whether people are to hear now that AWS waits for them, and since when it does: at first, and after hours without an
/// answer. Once it is answered, what AWS asks next is told again.
fn turn(
    told: &mut bool,
    waiting: &mut Option<Waiting>,
    is_waiting: bool,
    now: Timestamp,
) -> Option<Timestamp> {
    if !is_waiting {
        (*told, *waiting) = (false, None);
        return None;
    }
    let was_told = std::mem::replace(told, true);
    let known = waiting.get_or_insert(Waiting::from(now));
    if !was_told {
        return Some(known.since);
    }
    *known = known.reminded(now)?;
    Some(known.since)
}

/// Whether time alone brings a reminder that AWS waits.
pub(super) fn is_due(draft: &Draft<'_>) -> bool {
    let asks = draft.asks().filter(|it| it.end.is_none());
    let asks = asks.filter_map(|it| it.waiting);
    let cases = draft.investigations().filter(|it| it.ended.is_none());
    let mut waiting = asks.chain(cases.filter_map(|it| it.waiting));
    waiting.any(|it| it.reminded(draft.now()).is_some())
}

/// Brings what we follow up to date with the desk's readings and with the quotas as they are applied now.
pub(super) fn follow(draft: &mut Draft<'_>) {
    let asks: Vec<Ask> = draft
        .asks()
        .filter(|ask| ask.end.is_none())
        .cloned()
        .collect();
    for ask in asks {
        follow_ask(draft, ask);
    }
    let now = draft.now();
    let ended = draft.asks().filter(|ask| ask.end.is_some());
    let left: Vec<Ask> = ended.filter(|it| it.is_in_the_way(now)).cloned().collect();
    for mut ask in left {
        if note_status(&mut ask, draft.inputs.desk, now) {
            draft.put_ask(ask);
        }
    }
    let cases: Vec<Investigation> = draft
        .investigations()
        .filter(|it| it.ended.is_none())
        .cloned()
        .collect();
    for case in cases {
        follow_case(draft, case);
    }
}

/// What Service Quotas says of it by now; whether it was asked.
fn note_status(ask: &mut Ask, readings: &[DeskReading], now: Timestamp) -> bool {
    let mut is_read = false;
    for reading in readings {
        if let DeskReading::Request {
            request,
            status,
            display,
        } = reading
            && *request == ask.request
        {
            ask.status = status.clone();
            ask.polled = now;
            ask.display = display.clone().or(ask.display.take());
            if !status.is_open() && ask.closed.is_none() {
                ask.closed = Some(now);
            }
            is_read = true;
        }
    }
    is_read
}

fn follow_ask(draft: &mut Draft<'_>, mut ask: Ask) {
    let now = draft.now();
    let (mut case_status, mut is_answered) = (None, false);
    note_status(&mut ask, draft.inputs.desk, now);
    for reading in draft.inputs.desk {
        match reading {
            DeskReading::Case {
                case,
                display,
                status,
                is_answered: answered,
            } if ask.display.as_ref() == Some(display) => {
                if ask.case.is_none() {
                    ask.case_seen = Some(now);
                }
                ask.case = Some(case.clone());
                is_answered = *answered;
                case_status = Some(status.as_str());
            }
            DeskReading::NoPlan { scope } if *scope == ask.scope => ask.no_plan = Some(now),
            DeskReading::Request { .. }
            | DeskReading::Case { .. }
            | DeskReading::Twin { .. }
            | DeskReading::NoPlan { .. } => {}
        }
    }
    context::add(draft, &ask, is_answered);
    support_plan::note_of(draft, &ask);
    let is_waiting = case_status.map_or(ask.told_waiting, |it| it == WAITS);
    let was_told = ask.told_waiting;
    let told = turn(&mut ask.told_waiting, &mut ask.waiting, is_waiting, now);
    // Of what AWS has closed there is nothing to remind of.
    let told = told.filter(|_| ask.status.is_open() || !was_told);
    if let Some(since) = told {
        draft.put_ask(ask.clone()); // messages lead to its case
        let message = texts::aws_waits(draft, &ask, since);
        draft.call(&ask.incident, Severity::Warning, &message);
    }
    if let Some(end) = end_of(draft, &ask) {
        ask.end = Some((end.clone(), now));
        draft.put_ask(ask.clone());
        draft.decide(&ask.incident, texts::end_sentence(&ask, &end));
        let message = texts::ended(draft, &ask, &end);
        draft.tell(&ask.incident, Severity::Info, &message);
    }
    draft.put_ask(ask);
}

/// Told by the applied value, not by the status: a closed case says nothing of the decision.
fn end_of(draft: &Draft<'_>, ask: &Ask) -> Option<AskEnd> {
    let quota = draft
        .book()
        .quotas
        .get(&(ask.scope.clone(), ask.code.clone()))?;
    let value = quota.applied.filter(|_| quota.stale.is_none())?;
    if ask.desired <= value {
        return Some(AskEnd::Granted { value });
    }
    if ask.status.is_open() {
        return None;
    }
    if ask.before < value {
        return Some(AskEnd::PartlyGranted { value });
    }
    let is_final = match &ask.status {
        RequestStatus::Denied | RequestStatus::NotApproved | RequestStatus::InvalidRequest => true,
        // The value may still change: it was seen hours after the case was closed.
        RequestStatus::Approved | RequestStatus::CaseClosed => ask
            .closed
            .is_some_and(|closed| after(closed, APPLY_WAIT_MINUTES) <= draft.now()),
        RequestStatus::Pending | RequestStatus::CaseOpened | RequestStatus::Other(_) => false,
    };
    is_final.then_some(AskEnd::Denied)
}

fn follow_case(draft: &mut Draft<'_>, mut it: Investigation) {
    let now = draft.now();
    for reading in draft.inputs.desk {
        match reading {
            DeskReading::Case {
                case,
                display,
                status,
                is_answered: _,
            } if *case == it.case => {
                it.display = Some(display.clone());
                it.status.clone_from(status);
                it.polled = now;
            }
            DeskReading::Twin {
                case,
                twin,
                number,
                is_older,
            } if *case == it.case && it.twin.is_none() => {
                it.twin = Some(twin.clone());
                let message = texts::second_case(draft, &it, number, *is_older);
                draft.call(&it.incident, Severity::Warning, &message);
                let what = if *is_older {
                    it.ended = Some(now);
                    format!(
                        "case {number} is about the same and older: {} is followed no more",
                        it.case
                    )
                } else {
                    format!(
                        "case {number} is about the same: a second service of ours opened it after {}",
                        it.case
                    )
                };
                draft.decide(&it.incident, what);
            }
            DeskReading::Case { .. }
            | DeskReading::Request { .. }
            | DeskReading::Twin { .. }
            | DeskReading::NoPlan { .. } => {}
        }
    }
    let is_waiting = it.status == WAITS;
    let told = turn(&mut it.told_waiting, &mut it.waiting, is_waiting, now);
    if let Some(since) = told {
        draft.put_investigation(it.clone());
        let message = texts::case_waits(draft, &it, since);
        draft.call(&it.incident, Severity::Warning, &message);
    }
    if it.status == "resolved" {
        it.ended = Some(now);
        draft.decide(&it.incident, format!("case {} is resolved", it.case));
    }
    draft.put_investigation(it);
}
