//! Turns the book and the daemon's health into the documents of [`json`](super::json).
//!
//! Pure: the same book and health give the same document. No clock is read: ages are counted from the start of the
//! last cycle, in the daemon's own time, so that simulated time shows as it is.

use std::collections::BTreeMap;

use super::json::{AwsUse, Status};
use crate::{
    model::{
        action::IntentState,
        book::Book,
        ids::{AccountId, Scope},
        order::Stop,
        policy::Settings,
        time::Timestamp,
    },
    runtime::shared::Health,
};

mod audit;
mod cost;
pub(super) mod decide;
mod desk;
mod explain;
pub(super) mod freshness;
pub(super) mod headroom;
mod history;
mod incident;
mod moment;
mod portrait;
mod prospect;
pub(super) mod ran;
mod record;
mod reload;
mod silence;
mod summary;
mod told;

pub(super) use told::Untold;

/// Rows of one list in one answer. More are counted in `left_out`; the API's `explain` still finds each of them.
const MOST_ROWS: usize = 200;
/// Ended incidents on the status page.
const MOST_ENDED: usize = 10;
/// How long an ended request or case stays on the status page, in seconds.
const ENDED_SHOWN_SECONDS: i64 = 86_400;

/// What a document is made from.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The book as of the last commit.
    pub book: &'a Book,
    /// How the daemon is.
    pub health: &'a Health,
    /// The configuration in force.
    pub settings: &'a Settings,
    /// Whether AWS is the simulated one.
    pub is_simulated: bool,
    /// Writes at AWS's desks are stopped.
    pub stop: Option<&'a Stop>,
    /// Real seconds since the daemon last began a cycle, counted by the web itself.
    pub idle_seconds: u64,
    /// Real seconds since the daemon's loop last beat, as it does every five in the middle of a cycle as well.
    pub still_seconds: u64,
}

/// Lists cut to their bounds, and how much of each was cut.
#[derive(Debug, Default)]
struct Cut(BTreeMap<String, usize>);

impl Cut {
    fn rows<T>(&mut self, name: &str, mut rows: Vec<T>, most: usize) -> Vec<T> {
        let over = rows.len().saturating_sub(most);
        if over > 0 {
            self.0.insert(name.to_owned(), over);
            rows.truncate(most);
        }
        rows
    }
}

impl View<'_> {
    /// The start of the last cycle.
    #[must_use]
    pub const fn now(&self) -> Option<Timestamp> {
        self.health.last_cycle
    }

    /// The whole status document.
    #[must_use]
    pub fn status(&self) -> Status {
        let mut cut = Cut::default();
        let headroom = self.headroom();
        let (mut open, ended) = self.incident_briefs();
        self.add_room(&mut open);
        let actions = self.waiting_actions();
        let stale = self.stale();
        Status {
            verdict: self.summary(&headroom, &open, &actions, &stale),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            is_simulated: self.is_simulated,
            mode: self.settings.policy.mode.name().to_owned(),
            now: self.now().map(text),
            started: self.health.started.map(text),
            is_ready: self.health.is_ready,
            cycles: self.health.cycles,
            stale,
            writes_stopped: self.stop.map(ToString::to_string),
            notices: [self.reload_notices(), self.told_notices(), self.notices()].concat(),
            freshness: cut.rows("freshness", self.freshness(), MOST_ROWS),
            headroom: cut.rows("headroom", headroom, MOST_ROWS),
            incidents: cut.rows("incidents", open, MOST_ROWS),
            asks: cut.rows("asks", self.recent_asks(), MOST_ROWS),
            cases: cut.rows("cases", self.recent_cases(), MOST_ROWS),
            proposals: cut.rows("proposals", actions.proposals, MOST_ROWS),
            held: cut.rows("held", actions.held, MOST_ROWS),
            silences: cut.rows("silences", self.standing_silences(), MOST_ROWS),
            ended: cut.rows("ended", ended, MOST_ENDED),
            record: self.record(),
            intents: self.intents_by_state(),
            left_out: cut.0,
            aws: AwsUse {
                calls: self.health.calls.by_operation(),
                metrics: self.health.calls.metrics(),
                cost_usd: self.health.cost_usd,
                month: self.month(),
            },
        }
    }

    /// Every state by name, also those that no intent is in: a vanished series must not look like a zero.
    pub(super) fn intents_by_state(&self) -> BTreeMap<String, u64> {
        const STATES: [&str; 7] = [
            "proposed", "planned", "sending", "unknown", "done", "held", "refused",
        ];
        let mut counts: BTreeMap<String, u64> =
            STATES.iter().map(|name| ((*name).to_owned(), 0)).collect();
        for intent in self.book.intents.values() {
            *counts.entry(intent.state.name().to_owned()).or_default() += 1;
        }
        counts
    }

    /// Whole seconds from `at` to the last cycle; never negative, since clocks may step.
    fn age(&self, at: Timestamp) -> Option<i64> {
        self.now()
            .map(|now| now.as_second().saturating_sub(at.as_second()).max(0))
    }

    /// Ended within the last day, or not ended.
    fn is_recent(&self, ended: Option<Timestamp>) -> bool {
        ended.is_none_or(|at| {
            self.age(at)
                .is_none_or(|seconds| seconds <= ENDED_SHOWN_SECONDS)
        })
    }

    fn account_name(&self, account: &AccountId) -> Option<String> {
        let named = self.settings.accounts.iter().find(|it| it.id == *account);
        named.and_then(|it| it.name.clone())
    }

    /// `prod (111122223333) us-east-1`, or without a name the account alone.
    fn place(&self, scope: &Scope) -> String {
        let Scope { account, region } = scope;
        self.account_name(account).map_or_else(
            || format!("{account} {region}"),
            |name| format!("{name} ({account}) {region}"),
        )
    }
}

/// RFC 3339 in UTC.
fn text(at: Timestamp) -> String {
    at.to_string()
}

/// When a proposal expires.
const fn expiry(state: &IntentState) -> Option<Timestamp> {
    match state {
        IntentState::Proposed { expires } => Some(*expires),
        IntentState::Planned { .. }
        | IntentState::Sending { .. }
        | IntentState::Unknown { .. }
        | IntentState::Done { .. }
        | IntentState::Held { .. }
        | IntentState::Refused { .. } => None,
    }
}
