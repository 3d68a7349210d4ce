//! Accounts and Regions that are not seen: people hear that nobody watches there, why, and when it is over.
//!
//! One message about all places that are lost at about the same time, whatever their number; told again as rarely as
//! anything else, and once when they are seen again. A place that comes and goes is told as lost and seen once, and its next
//! end when it has held for as long as an incident may come back. What was told is in the book, beside what is told of
//! incidents, so that no restart tells it twice. Silences over all that a place has hold it back as long as they hold.
//!
//! It goes to the receivers that hear of the disk, since it is about no single pool either.

use std::collections::{BTreeMap, BTreeSet};

use super::{disk::receivers, draft::Wish, tell::REOPEN_MINUTES, texts};
use crate::model::{
    action::{Effect, IntentState},
    book::{Book, Key, Record},
    catalog::PoolId,
    handling::Handling,
    ids::{IncidentId, ReceiverName, Scope},
    policy::Policy,
    receiver::Phase,
    rule::Severity,
    sight::{PREFIX, STEP, Sights, Unseen},
    silence::SilenceState,
    time::{Minute, Timestamp, after},
};

/// A process that has just begun tries for so many minutes before it believes that it can't see.
const SURE_MINUTES: i64 = 3;
/// What is seen for so long is seen again.
const CALM_MINUTES: i64 = 5;
/// Whoever has been lost for this part of the time is told with those that were for all of it: what breaks all places at
/// once breaks them within a few minutes, as each is read.
const JOINS_AFTER: i64 = 3;
/// Places that are named in one message, and pools of each; the rest is counted.
const MOST_PLACES: usize = 8;
const MOST_POOLS: usize = 3;

/// What people are to hear now of the places that are not seen, and the note that they did.
#[must_use]
pub fn blind(book: &Book, policy: &Policy, sights: &Sights, now: Timestamp) -> Vec<Record> {
    let told = Told::of(book, sights);
    let open: BTreeMap<&Scope, &Unseen> = sights
        .unseen
        .iter()
        .filter(|(scope, it)| !is_silenced(book, scope, &it.pools, now))
        .collect();
    let mut records = told.left(sights, now);
    let lost = lost(&told, &open, policy.blind_minutes, now);
    let back = back(book, &told, sights, now);
    let still = open.keys().filter(|it| told.is_open(it)).copied();
    let still: Vec<&Scope> = still.collect();
    let severity = if sights.is_blind() {
        Severity::Critical
    } else {
        Severity::Warning
    };
    let telling = Telling {
        book,
        policy,
        sights,
        now,
    };
    if !lost.is_empty() {
        let message = telling.lost(&lost, still.len());
        records.extend(telling.say("lost", severity, message, &BTreeSet::new()));
    } else if told.is_reminder_due(&still, policy, now) {
        let message = telling.still(&still);
        records.extend(telling.say("still", severity, message, &BTreeSet::new()));
        let reminded = still.iter().map(|scope| {
            let mut handling = told.handling(scope);
            handling.reminders += 1;
            heard(handling, now)
        });
        records.extend(reminded);
    }
    records.extend(lost.iter().map(|scope| {
        let mut handling = told.handling(scope);
        handling.returns += u32::from(handling.heard_end);
        (handling.heard_end, handling.reminders) = (false, 0);
        heard(handling, now)
    }));
    if !back.is_empty() {
        let left = sights.unseen.keys().filter(|it| told.is_open(it)).count();
        let message = telling.back(&back, left);
        records.extend(telling.say("back", Severity::Info, message, &telling.heard_of_it()));
        records.extend(back.iter().map(|scope| {
            let mut handling = told.handling(scope);
            handling.heard_end = true;
            heard(handling, now)
        }));
    }
    records
}

fn heard(handling: Handling, now: Timestamp) -> Record {
    Record::Handling(Handling {
        last_told: Some(now),
        ..handling
    })
}

/// Places that people are to hear of as lost.
fn lost<'a>(
    told: &Told<'_>,
    open: &BTreeMap<&'a Scope, &Unseen>,
    minutes: i64,
    now: Timestamp,
) -> Vec<&'a Scope> {
    let lasts = |it: &Unseen, minutes: i64| {
        after(it.since, minutes) <= now && after(it.failing, minutes.min(SURE_MINUTES)) <= now
    };
    let untold = || open.iter().filter(|(scope, _)| !told.is_open(scope));
    if !untold().any(|(_, it)| lasts(it, minutes)) {
        return Vec::new();
    }
    let with = untold().filter(|(_, it)| lasts(it, minutes / JOINS_AFTER));
    with.map(|(scope, _)| *scope).collect()
}

/// Places that people are to hear of as seen again.
fn back<'a>(book: &Book, told: &Told<'_>, sights: &'a Sights, now: Timestamp) -> Vec<&'a Scope> {
    let calm = |scope: &Scope| match told.handling(scope).returns {
        0 => CALM_MINUTES,
        _ => REOPEN_MINUTES,
    };
    let seen = || {
        let seen = sights.seen.iter();
        seen.filter(|(scope, _)| told.is_open(scope) && !is_silenced(book, scope, &[], now))
    };
    let is_due = |(scope, since): &(&Scope, &Timestamp)| after(**since, calm(scope)) <= now;
    if !seen().any(|it| is_due(&it)) {
        return Vec::new();
    }
    let with = seen().filter(|it| is_due(it) || calm(it.0) == CALM_MINUTES);
    with.map(|(scope, _)| scope).collect()
}

/// Whether a silence holds over all that is unwatched there; over the whole place, where no pool is.
fn is_silenced(book: &Book, scope: &Scope, pools: &[PoolId], now: Timestamp) -> bool {
    let active = || {
        let silences = book.silences.values();
        silences.filter(|it| {
            let selector = &it.selector;
            it.state(now) == SilenceState::Active
                && selector.rules.is_empty()
                && selector.categories.is_empty()
        })
    };
    if active().next().is_none() {
        return false;
    }
    let known: Vec<&PoolId> = if pools.is_empty() {
        book.pools_in(scope).map(|it| &it.id).collect()
    } else {
        pools.iter().collect()
    };
    if known.is_empty() {
        return active().any(|it| it.selector.fits_place(scope));
    }
    let is_covered = |pool: &&PoolId| active().any(|it| it.selector.fits_pool(pool));
    known.iter().all(is_covered)
}

/// What people were told, place by place.
struct Told<'a> {
    places: BTreeMap<&'a Scope, &'a Handling>,
    /// Of places that are watched no more.
    left: Vec<&'a IncidentId>,
}

impl<'a> Told<'a> {
    fn of(book: &'a Book, sights: &'a Sights) -> Self {
        let by_id = sights.watched.iter().map(|scope| (id(scope), scope));
        let by_id: BTreeMap<IncidentId, &Scope> = by_id.collect();
        let mut told = Self {
            places: BTreeMap::new(),
            left: Vec::new(),
        };
        let noted = book.handlings.range(IncidentId::new(PREFIX)..);
        for (id, handling) in noted.take_while(|(id, _)| id.as_str().starts_with(PREFIX)) {
            match by_id.get(id) {
                Some(scope) => drop(told.places.insert(scope, handling)),
                None => told.left.push(id),
            }
        }
        told
    }

    /// Whether people know that it is not seen, and not yet that it is again.
    fn is_open(&self, scope: &Scope) -> bool {
        self.places.get(scope).is_some_and(|it| !it.heard_end)
    }

    fn handling(&self, scope: &Scope) -> Handling {
        let known = self.places.get(scope).map(|it| (*it).clone());
        known.unwrap_or_else(|| Handling::new(id(scope)))
    }

    fn is_reminder_due(&self, still: &[&Scope], policy: &Policy, now: Timestamp) -> bool {
        let known = still.iter().filter_map(|it| self.places.get(*it));
        let known: Vec<_> = known.collect();
        let reminders = known.iter().map(|it| it.reminders).max();
        let last = known.iter().filter_map(|it| it.last_told).max();
        let (Some(reminders), Some(last)) = (reminders, last) else {
            return false;
        };
        after(last, policy.reminders.wait_minutes(reminders)) <= now
    }

    /// The notes that say nothing any more: of places that are watched no more, and of ends that are long past.
    fn left(&self, sights: &Sights, now: Timestamp) -> Vec<Record> {
        let is_past = |it: &Handling| {
            let told = it.last_told.unwrap_or(now);
            it.heard_end && after(told, REOPEN_MINUTES) < now
        };
        let places = self.places.iter();
        let past = places.filter(|(scope, it)| is_past(it) && !sights.unseen.contains_key(**scope));
        let gone = past
            .map(|(_, it)| &it.incident)
            .chain(self.left.iter().copied());
        gone.map(|id| Record::Remove(Key::Handling(id.clone())))
            .collect()
    }
}

/// What it is noted under that people were told of this place.
fn id(scope: &Scope) -> IncidentId {
    IncidentId::new(format!("{PREFIX}{}-{}", scope.account, scope.region))
}

/// Words, and whom they go to.
struct Telling<'a> {
    book: &'a Book,
    policy: &'a Policy,
    sights: &'a Sights,
    now: Timestamp,
}

impl Telling<'_> {
    fn say(
        &self,
        what: &str,
        severity: Severity,
        (subject, body): (String, String),
        beside: &BTreeSet<&ReceiverName>,
    ) -> Vec<Record> {
        let mut to = receivers(self.policy, severity);
        to.extend(beside);
        to.retain(|name| {
            let receiver = self.policy.receivers.get(*name);
            receiver.is_some_and(|it| it.hears(Phase::Note, severity))
        });
        let wish = |receiver: &ReceiverName| Wish {
            incident: IncidentId::new(format!("{PREFIX}{}", self.now)),
            step: format!("{STEP}{what}/{receiver}"),
            effect: Effect::Notify {
                receiver: receiver.clone(),
                severity,
                subject: texts::subject(&subject),
                body: body.clone(),
                notice: None,
            },
            reasons: Vec::new(),
            state: IntentState::Planned {
                not_before: self.now,
            },
        };
        let intents = to.into_iter().map(|it| wish(it).intent(self.now));
        intents.map(Record::Intent).collect()
    }

    /// Whoever heard that something was lost hears that it is seen again.
    fn heard_of_it(&self) -> BTreeSet<&ReceiverName> {
        let intents = self.book.intents.values();
        let messages = intents.filter(|it| it.step.starts_with(STEP));
        let to = messages.filter_map(|it| match &it.effect {
            Effect::Notify { receiver, .. } => Some(receiver),
            Effect::RequestQuota { .. }
            | Effect::OpenCase { .. }
            | Effect::Comment { .. }
            | Effect::EndCase { .. } => None,
        });
        to.collect()
    }

    fn lost(&self, lost: &[&Scope], known: usize) -> (String, String) {
        let unseen = self.unseen(lost);
        let mut lines = vec![format!(
            "Nobody watches {} now: no alert about it can come, and what is open there stands as it was last seen.",
            self.counted(lost.len())
        )];
        if 0 < known {
            lines.push(format!(
                "{known} more were told before and are not seen either."
            ));
        }
        lines.extend(causes(&unseen));
        lines.push(REMEDY.to_owned());
        let subject = format!(
            "[blind] {}: {}",
            self.named(lost, "not watched"),
            in_short(&unseen)
        );
        (subject, lines.join("\n"))
    }

    fn still(&self, still: &[&Scope]) -> (String, String) {
        let unseen = self.unseen(still);
        let mut lines = vec![format!(
            "Nobody watches {} still, and no alert about it can come.",
            self.counted(still.len())
        )];
        lines.extend(causes(&unseen));
        lines.push(REMEDY.to_owned());
        let subject = format!(
            "[blind] reminder: {}: {}",
            self.named(still, "not watched"),
            in_short(&unseen)
        );
        (subject, lines.join("\n"))
    }

    fn back(&self, back: &[&Scope], left: usize) -> (String, String) {
        let mut lines = vec![
            "What happened meanwhile is read now, as far as CloudWatch kept it; what was bad and is over by now is told as past."
                .to_owned(),
        ];
        let seen = back.iter().map(|scope| {
            let since = self.sights.seen.get(*scope);
            let since = since.map_or_else(String::new, |at| {
                format!(", read since {}", Minute::of(*at))
            });
            format!("- {scope}{since}")
        });
        lines.extend(seen.take(MOST_PLACES));
        lines.extend(more(back.len()));
        if 0 < left {
            lines.push(format!("Not watched still: {left}."));
        }
        let subject = format!("[blind] {}", self.named(back, "watched again"));
        (subject, lines.join("\n"))
    }

    fn unseen<'b>(&'b self, scopes: &[&'b Scope]) -> Vec<(&'b Scope, &'b Unseen)> {
        let known = scopes.iter();
        known
            .filter_map(|scope| Some((*scope, self.sights.unseen.get(*scope)?)))
            .collect()
    }

    /// Such as `3 of 120 accounts and Regions`.
    fn counted(&self, number: usize) -> String {
        match self.sights.watched.len() {
            1 => "the account and Region".to_owned(),
            all => format!("{number} of {all} accounts and Regions"),
        }
    }

    fn named(&self, scopes: &[&Scope], how: &str) -> String {
        match scopes {
            [one] => format!("{one} is {how}"),
            _ => format!("{} are {how}", self.counted(scopes.len())),
        }
    }
}

const REMEDY: &str = "Mend what AWS says there: the role, its trust policy and external id, a permission, or the network. \
     `bedrock-ops-alert doctor` asks each call and names what is missing. It goes on by itself within minutes of that. \
     If it is meant so, take the account or Region out of the configuration, or silence it: \
     `bedrock-ops-alert silence add --account ID --for 8h --reason WHY`.";

/// The most frequent cause.
fn in_short(unseen: &[(&Scope, &Unseen)]) -> String {
    let causes = by_cause(unseen);
    let first = causes
        .first()
        .map_or_else(String::new, |((code, operation), _)| {
            format!("{code} at {operation}")
        });
    match causes.len() {
        0 | 1 => first,
        number => format!("{first}, and {} more causes", number - 1),
    }
}

type Cause<'a> = (&'a str, &'a str);

/// Those with the same code at the same call together, the most frequent first.
fn by_cause<'a>(
    unseen: &[(&'a Scope, &'a Unseen)],
) -> Vec<(Cause<'a>, Vec<(&'a Scope, &'a Unseen)>)> {
    let mut causes: BTreeMap<Cause<'a>, Vec<(&Scope, &Unseen)>> = BTreeMap::new();
    for (scope, it) in unseen {
        let cause = (it.code.as_str(), it.operation.as_str());
        causes.entry(cause).or_default().push((scope, it));
    }
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|(_, all)| std::cmp::Reverse(all.len()));
    causes
}

/// Each cause in the words of its first place, with the places.
fn causes(unseen: &[(&Scope, &Unseen)]) -> Vec<String> {
    let mut lines = Vec::new();
    let causes = by_cause(unseen);
    let is_one = causes.len() == 1;
    for (_, all) in causes {
        let why = all.first().map_or("", |(_, it)| it.why.as_str());
        if is_one {
            lines.push(format!("Why: {why}"));
        } else {
            lines.push(format!("Why, in {} of them: {why}", all.len()));
        }
        lines.extend(
            all.iter()
                .take(MOST_PLACES)
                .map(|(scope, it)| line(scope, it)),
        );
        lines.extend(more(all.len()));
    }
    lines
}

fn more(all: usize) -> Option<String> {
    let more = all.saturating_sub(MOST_PLACES);
    (0 < more).then(|| format!("- and {more} more, see the page or `status`"))
}

fn line(scope: &Scope, it: &Unseen) -> String {
    let since = Minute::of(it.since);
    let named = it.pools.iter().take(MOST_POOLS);
    let named = named.map(|pool| format!("{} {}", pool.family.name(), pool.model));
    let mut named: Vec<String> = named.collect();
    let more = it.pools.len().saturating_sub(MOST_POOLS);
    if 0 < more {
        named.push(format!("{more} more"));
    }
    match it.pools.len() {
        0 => format!("- {scope}, since {since}: no pool of it is known yet"),
        1 => format!(
            "- {scope}, since {since}: 1 pool unwatched ({})",
            named.join("")
        ),
        pools => format!(
            "- {scope}, since {since}: {pools} pools unwatched ({})",
            named.join(", ")
        ),
    }
}
