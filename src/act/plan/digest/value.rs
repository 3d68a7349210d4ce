//! What the last month came to, in the first digest of the next one: from the ledger and the minutes alone.
//!
//! What more quota was good for is an estimate, and is called that: in each minute since a grant in which demand was above
//! the old value, the share of demand that lay above it, of the requests of that minute. It takes for granted that callers
//! would have done the same under the old value. Minutes are at hand for two weeks, so it looks back no further.

use super::{MOST_NAMED, Ours};
use crate::{
    act::plan::{draft::Draft, situation},
    model::{
        card::Card,
        catalog::PoolId,
        desk::{Ask, AskEnd},
        digest::Digest,
        incident::Incident,
        series::Signal,
        spend::Month,
        time::{DAY, HOUR, Minute, Timestamp},
        units::{Amount, grouped},
    },
};

/// How far back minutes are looked at.
const WINDOW_DAYS: i64 = 14;

/// The month that is over, where this digest is the first of the next one.
pub(super) fn month(digest: &Digest, at: Minute) -> Option<Month> {
    let before = Month::of(at.plus(-digest.at.period()).start());
    (before != Month::of(at.start())).then_some(before)
}

/// The pools whose older minutes are looked at.
pub(super) fn pools(draft: &Draft<'_>, at: Minute) -> Vec<PoolId> {
    let granted = draft.asks().filter(|ask| granted(ask, at).is_some());
    let pools = granted.flat_map(|ask| situation::pools_of(draft.book(), &ask.scope, &ask.code));
    pools.map(|it| it.id.clone()).collect()
}

/// A line each.
pub(super) fn lines(draft: &Draft<'_>, ours: Ours<'_>, month: Month, at: Minute) -> Vec<String> {
    let is_in = |instant: Timestamp| month.start() <= instant && instant < month.end();
    let began = draft
        .incidents()
        .filter(|it| is_in(it.began.start()) && ours.has(it));
    let began: Vec<&Incident> = began.collect();
    let asks = || {
        draft.asks().filter(|ask| {
            let incident = draft.incident(&ask.incident);
            incident.is_none_or(|it| ours.has(it))
        })
    };
    let asked = asks().filter(|ask| is_in(ask.filed)).count();
    let got = asks().filter(|ask| {
        let end = ask.end.as_ref();
        end.is_some_and(|(end, at)| *end != AskEnd::Denied && is_in(*at))
    });
    let mut lines = vec![
        format!("The month {}:", month.name()),
        format!("- incidents that began: {}{}", began.len(), lost(&began)),
        format!(
            "- quota increases: {asked} asked for, {} granted",
            got.count()
        ),
    ];
    lines.extend(warned(draft, ours));
    let used = asks().filter_map(|ask| used(draft, ask, at));
    lines.extend(used.take(MOST_NAMED));
    lines
}

/// `, with 12,300 refused requests, 9,000 of them in inc-a4sqddam7a`.
fn lost(began: &[&Incident]) -> String {
    let all: f64 = began.iter().map(|it| it.lost).sum();
    let worst = began.iter().max_by(|a, b| a.lost.total_cmp(&b.lost));
    match worst.filter(|it| 0.0 < it.lost) {
        Some(worst) => format!(
            ", with {} refused requests, {} of them in {}",
            grouped(all),
            grouped(worst.lost),
            worst.id
        ),
        None => String::new(),
    }
}

/// How far ahead it was known that a quota runs out. Warnings are counted for as long as a quota is watched, not by month.
fn warned(draft: &Draft<'_>, ours: Ours<'_>) -> Option<String> {
    let cards = draft.inputs.beside.cards.iter();
    let cards = cards.filter(|((pool, _), _)| ours.matcher.fits(pool));
    let (_, outcomes) = Card::sum(cards.map(|(_, card)| card));
    if outcomes.right + outcomes.wrong + outcomes.missed == 0 {
        return None;
    }
    let ahead = outcomes.lead().map_or_else(String::new, |minutes| {
        format!(", in the median {} hours ahead", minutes / HOUR)
    });
    Some(format!(
        "- warnings that a quota runs out, since these are watched: {} right{ahead}; {} wrong, {} missed",
        outcomes.right, outcomes.wrong, outcomes.missed
    ))
}

/// When it was granted and what is applied since, where minutes since then are at hand.
fn granted(ask: &Ask, at: Minute) -> Option<(Amount, Minute)> {
    let (end, when) = ask.end.as_ref()?;
    let (AskEnd::Granted { value } | AskEnd::PartlyGranted { value }) = end else {
        return None;
    };
    let when = Minute::of(*when);
    let is_recent = at.plus(-2 * WINDOW_DAYS * DAY) <= when && when < at;
    (is_recent && !ask.kind.is_daily()).then_some((*value, when))
}

/// What was used of a grant that the old value would not have given.
fn used(draft: &Draft<'_>, ask: &Ask, at: Minute) -> Option<String> {
    let (value, when) = granted(ask, at)?;
    let from = when.plus(1).max(at.plus(-WINDOW_DAYS * DAY));
    let above = above(draft, ask, (from, at))?;
    if above.minutes <= 0.0 {
        return Some(format!(
            "- since {code} became {value} instead of {before} ({when}): not needed so far; the highest demand was {peak}, {share:.0} % of {value} (from {from} on)",
            code = ask.code,
            before = ask.before,
            peak = grouped(above.peak),
            share = 100.0 * above.peak / value.get(),
        ));
    }
    Some(format!(
        "- since {code} became {value} instead of {before} ({when}): in {minutes} minutes demand was above {before}; by the share above it, about {requests} requests would have been refused under the old value (estimate, from {from} on)",
        code = ask.code,
        before = ask.before,
        minutes = grouped(above.minutes),
        requests = grouped(three_digits(above.requests)),
    ))
}

/// An estimate has no more of them.
fn three_digits(value: f64) -> f64 {
    if value < 1_000.0 {
        return value.round();
    }
    let step = 10_f64.powf(value.log10().floor() - 2.0);
    (value / step).round() * step
}

/// Demand above a value.
#[derive(Default)]
struct Above {
    /// The highest, whatever it was above.
    peak: f64,
    minutes: f64,
    requests: f64,
}

/// `None` where no minute of it is known.
fn above(draft: &Draft<'_>, ask: &Ask, (from, until): (Minute, Minute)) -> Option<Above> {
    let book = draft.book();
    let past = draft.minutes();
    let pools: Vec<_> = situation::pools_of(book, &ask.scope, &ask.code).collect();
    let quota = book.quotas.get(&(ask.scope.clone(), ask.code.clone()));
    let demand = situation::drained(past, &pools, quota, ask.kind, (from, until))?;
    let mut requests = vec![0.0; demand.len()];
    for pool in &pools {
        for signal in [Signal::Invocations, Signal::Throttles] {
            let window = past.window(&pool.id, signal, from, until);
            for (sum, sample) in requests.iter_mut().zip(window) {
                *sum += sample.value().unwrap_or(0.0); // what is not known adds nothing to a lower bound
            }
        }
    }
    let known = demand.iter().zip(&requests);
    let known = known.filter_map(|(demand, requests)| Some((demand.value()?, *requests)));
    let (mut found, mut is_known) = (Above::default(), false);
    for (demand, requests) in known {
        is_known = true;
        found.peak = found.peak.max(demand);
        if ask.before.get() < demand {
            found.minutes += 1.0;
            found.requests += requests * (demand - ask.before.get()) / demand;
        }
    }
    is_known.then_some(found)
}
