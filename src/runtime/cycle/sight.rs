//! What is seen of each account and Region: looked at when the rounds have come in, and told by `act/plan`.

use super::{Cycle, CycleError};
use crate::{
    act::plan,
    model::{
        book::Book,
        catalog::{Family, PoolId},
        ids::Scope,
        sight::{Sights, Unseen},
        time::{Minute, Timestamp},
    },
    runtime::shared::{Failing, Health},
};

/// Stages that read what pools are judged by, and the one in which all others hang.
const READS: [&str; 3] = ["read", "alarm", "round"];
/// The stage without which no pool is found. A first round may run for long, since it reads days.
const LISTINGS: [&str; 1] = ["discover"];
/// The call that finds pools.
const LISTING: &str = "cloudwatch:ListMetrics";
/// Where others of the same place are read, a pool counts as unread once it has missed so many of its turns.
const TURNS: i64 = 3;

impl Cycle {
    /// Tells people where nobody watches, once that has lasted.
    pub(super) async fn tell_blind(&mut self, now: Timestamp) -> Result<(), CycleError> {
        let sights = self.look(now);
        let policy = &self.settings.policy;
        let records = plan::blind(&self.shared.book(), policy, &sights, now);
        self.shared.health_mut().sights = sights;
        self.commit(records, now).await?;
        Ok(())
    }

    fn look(&self, now: Timestamp) -> Sights {
        let (book, health) = (self.shared.book(), self.shared.health());
        let missed = self.settings.policy.blind_minutes;
        let missed = missed.saturating_add(TURNS * self.settings.cadence.idle_minutes);
        let mut sights = Sights::default();
        for scope in self.rounds.scopes() {
            let unseen = unseen(&book, &health, scope, Minute::of(now).plus(-missed));
            if let Some(unseen) = unseen {
                sights.unseen.insert(scope.clone(), unseen);
            } else if was_read(&health, scope) {
                let before = health.sights.seen.get(scope);
                let since = before.copied().unwrap_or(now);
                sights.seen.insert(scope.clone(), since);
            }
            sights.watched.insert(scope.clone());
        }
        sights
    }
}

/// Whether anything was read there since this process began.
fn was_read(health: &Health, scope: &Scope) -> bool {
    let mut stages = READS.iter().chain(&LISTINGS).filter(|it| **it != "round");
    stages.any(|stage| succeeded(health, stage, scope).is_some())
}

fn succeeded(health: &Health, stage: &'static str, scope: &Scope) -> Option<Timestamp> {
    health.last_success.get(&(stage, scope.clone())).copied()
}

/// What of this place is not read, where reads fail. `missed` is so long ago that a pool that is read then and no more has
/// missed its turns.
fn unseen(book: &Book, health: &Health, scope: &Scope, missed: Minute) -> Option<Unseen> {
    // What all models share is added up of what is read of each.
    let reads = book.reads_in(scope);
    let reads: Vec<(&PoolId, Minute)> = reads
        .filter(|(pool, _)| pool.family != Family::Account)
        .map(|(pool, through)| (pool, *through))
        .collect();
    let stages = if reads.is_empty() {
        &LISTINGS[..]
    } else {
        &READS
    };
    let failing = stages.iter().filter_map(|stage| {
        let failing = health.failing.get(&(*stage, scope.clone()))?;
        let is_listed = *stage != "discover" || failing.operations.contains(LISTING);
        is_listed.then_some((*stage, failing))
    });
    let (stage, failing): (_, &Failing) = failing.min_by_key(|(_, it)| it.since)?;
    let began = Minute::of(failing.since);
    let is_whole = reads.iter().all(|(_, through)| *through < began);
    let unread = |through: Minute| through < began && (is_whole || through < missed);
    let pools = reads.iter().filter(|(_, through)| unread(*through));
    let pools: Vec<PoolId> = pools.map(|(pool, _)| (*pool).clone()).collect();
    if pools.is_empty() && !reads.is_empty() {
        return None; // what fails is tried again, and something of it has come in since
    }
    let last = reads.iter().map(|(_, through)| through.start()).max();
    let is_first = succeeded(health, stage, scope).is_none();
    let since = match last {
        Some(last) if is_first => last.min(failing.since),
        Some(_) | None => failing.since,
    };
    Some(Unseen {
        failing: failing.since,
        since,
        operation: failing.first.operation.to_owned(),
        code: failing.first.code.clone(),
        why: failing.why.clone(),
        pools,
    })
}
