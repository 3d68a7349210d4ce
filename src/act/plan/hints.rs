//! What probably lies behind an incident, as its messages tell it. Nothing is filed, and nothing is left unfiled, for a
//! hint: where one says that more quota is not the answer, a request says so in its reasons.

use super::{draft::Draft, texts::Lines};
use crate::{
    engine::{
        hints::{Evidence, hints},
        residency::Law,
        siblings,
    },
    model::{
        hint::{Clue, Hint},
        incident::{Cause, Incident},
        reason::Reason,
        rule::Category,
        series::SETTLE_MINUTES,
        time::Minute,
        units::QuotaKind,
    },
};

/// After so long without a bad minute there is nothing new to see.
const CURRENT_MINUTES: i64 = 30;
/// Hints in a message; `explain` shows all.
const MOST_TOLD: usize = 3;
/// How soon each of them goes where a message grows too long.
const HINT_RANKS: [u8; MOST_TOLD] = [3, 7, 9];
/// The same of pools with room, the one with most room first.
const ELSEWHERE_RANKS: [u8; 3] = [1, 6, 8];

/// Looks again when people are about to hear of the incident, while nothing was found, and when the last look is old:
/// what is read seldom comes in later.
pub(super) fn refresh(draft: &Draft<'_>, incident: &mut Incident) {
    let age = Minute::of(draft.now()).since(incident.last_bad);
    let is_news = incident.told.is_none_or(|told| told < incident.severity);
    let is_old = incident
        .hints
        .first()
        .is_none_or(|hint| SETTLE_MINUTES <= incident.last_bad.since(hint.until));
    if age <= CURRENT_MINUTES && (is_news || is_old) {
        look(draft, incident);
    }
}

/// Takes in what is found now; a look that finds nothing takes nothing back.
pub(super) fn look(draft: &Draft<'_>, incident: &mut Incident) {
    let minutes = draft.minutes();
    let law = Law {
        rules: &draft.policy().residency,
        book: draft.book(),
    };
    let evidence = Evidence {
        book: draft.book(),
        samples: &|pool, signal, from, until| minutes.window(pool, signal, from, until).collect(),
        takers: draft.inputs.takers,
        recent: draft.inputs.recent,
        may_move: &|from, to| law.of(from, to).next().is_none() || !law.ways(from, to).is_empty(),
        most_output: draft.inputs.most_output,
        rules: &draft.policy().hints,
    };
    let mut found = hints(&evidence, incident);
    // That the tokens of the day run short is what such an incident says itself.
    let is_daily = incident.kind.is_some_and(QuotaKind::is_daily);
    found.retain(|hint| !(is_daily && matches!(hint.clue, Clue::Daily(_))));
    if !found.is_empty() {
        incident.hints = found;
    }
}

/// The hints that speak against more quota, then the reasons.
pub(super) fn before(incident: &Incident, reasons: Vec<Reason>) -> Vec<Reason> {
    let against = incident.hints.iter().filter(|it| is_against(incident, it));
    let mut all: Vec<Reason> = against
        .map(|hint| Reason::Hint(Box::new(hint.clone())))
        .collect();
    all.extend(reasons);
    all
}

/// What is said before anything else: that more quota is not the answer, and why.
pub(super) fn warning(incident: &Incident) -> Option<String> {
    let against = incident.hints.iter().find(|it| is_against(incident, it))?;
    Some(format!("More quota is probably not the answer: {against}."))
}

/// The other hints, a line each; then where there is room, which says more than the hint of it. What is likeliest, and
/// where there is most room, stays longest.
pub(super) fn push_others(draft: &Draft<'_>, incident: &Incident, lines: &mut Lines) {
    let elsewhere = elsewhere(draft, incident);
    let is_said = |clue: &Clue| matches!(clue, Clue::Headroom(_)) && !elsewhere.is_empty();
    let first = incident
        .hints
        .iter()
        .position(|it| is_against(incident, it));
    let rest = incident.hints.iter().enumerate();
    let rest = rest.filter(move |(place, _)| Some(*place) != first);
    let room = MOST_TOLD - usize::from(first.is_some());
    let rest = rest.filter(|(_, hint)| !is_said(&hint.clue)).take(room);
    for ((_, hint), rank) in rest.zip(HINT_RANKS) {
        lines.may(rank, format!("Hint: {hint}."));
    }
    for (line, rank) in elsewhere.into_iter().zip(ELSEWHERE_RANKS) {
        lines.may(rank, line);
    }
}

/// The pools that could take some of it, a line each.
fn elsewhere(draft: &Draft<'_>, incident: &Incident) -> Vec<String> {
    let minutes = draft.minutes();
    let law = Law {
        rules: &draft.policy().residency,
        book: draft.book(),
    };
    let samples =
        |pool: &_, signal, from, until| minutes.window(pool, signal, from, until).collect();
    let around = siblings::Around {
        law,
        samples: &samples,
        known: draft.policy().hints.headroom.known,
        prices: &draft.policy().prices,
        callers: &draft.policy().callers,
    };
    let found = siblings::of_incident(around, incident);
    let Some(first) = found.first() else {
        return Vec::new();
    };
    let rule = if first.is_ruled {
        "within your rules of residency"
    } else {
        "if data may go there"
    };
    let head =
        format!("Room for this model elsewhere, {rule}, by the p95 of the last day: {first}");
    let others = found.iter().skip(1).map(|it| format!("- {it}"));
    std::iter::once(head).chain(others).collect()
}

/// Whether somebody might ask for quota here, and this hint says that it would not help.
fn is_against(incident: &Incident, hint: &Hint) -> bool {
    let asks = match &incident.cause {
        Cause::Quota { .. } => true,
        Cause::Pool { category, .. } => *category == Category::Throttle,
    };
    asks && hint.clue.is_no_lack_of_quota()
}
