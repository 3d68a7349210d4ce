//! What is watched no more: accounts and Regions that the configuration or the account has no more, and pools whose last
//! target CloudWatch has not listed for two weeks.
//!
//! What was found there leaves the book: else it would stand among what is watched, with numbers that nobody reads any more,
//! and its incidents would wait for an end that nobody can see. What was measured stays in the history, and so does what was
//! decided and asked: when they are watched again, the past is there.

use std::collections::BTreeSet;

use super::{Cycle, CycleError};
use crate::model::{
    book::{Book, Key, Record},
    catalog::{Family, PoolId},
    ids::Scope,
    time::Timestamp,
};

impl Cycle {
    /// Takes what is watched no more out of the book; whether there was anything.
    pub(super) async fn let_go(&mut self, now: Timestamp) -> Result<bool, CycleError> {
        let (records, pools) = {
            let book = self.shared.book();
            let watched: BTreeSet<&Scope> = self.rounds.scopes().collect();
            let places = found_in(&book).filter(|it| !watched.contains(it));
            let places: BTreeSet<Scope> = places.cloned().collect();
            let there = book.pools.keys().filter(|it| places.contains(&it.scope));
            let mut pools: BTreeSet<PoolId> = there.cloned().collect();
            if std::mem::take(&mut self.has_new_targets) {
                pools.extend(without_target(&book));
            }
            let mut keys = of_places(&book, &places);
            keys.extend(of_pools(&book, &pools));
            (
                keys.into_iter().map(Record::Remove).collect::<Vec<_>>(),
                pools,
            )
        };
        if records.is_empty() {
            return Ok(false);
        }
        for record in &records {
            if let Record::Remove(Key::Discovered(scope)) = record {
                self.forget_place(scope);
                tracing::warn!(event = "place.left", account = %scope.account, region = %scope.region, %now, "no longer watched: its pools and targets are taken out, its history and what was decided stay");
            }
            if let Record::Remove(Key::Pool(pool)) = record {
                tracing::info!(event = "pool.left", %pool, %now, "no longer watched");
            }
        }
        self.commit(records, now).await?;
        self.unjudged.retain(|it| !pools.contains(it));
        self.heat.retain(|it, _| !pools.contains(it));
        self.takers.retain(|it, _| !pools.contains(it));
        self.recent.retain(|it, _| !pools.contains(it));
        self.used.retain(|it, _| !pools.contains(it));
        let mut health = self.shared.health_mut();
        health.verdicts.retain(|it, _| !pools.contains(it));
        health.checks.retain(|it, _| !pools.contains(it));
        health.outlooks.retain(|(it, _), _| !pools.contains(it));
        Ok(true)
    }
}

/// Pools that nothing can be called by any more. What all models share has no targets of its own.
fn without_target(book: &Book) -> BTreeSet<PoolId> {
    let called = book.targets.values().map(|it| &it.pool);
    let called: BTreeSet<&PoolId> = called.collect();
    let own = book.pools.keys().filter(|it| it.family != Family::Account);
    own.filter(|it| !called.contains(it)).cloned().collect()
}

/// Where anything was found, a place as often as there is something.
fn found_in(book: &Book) -> impl Iterator<Item = &Scope> {
    let pools = book.pools.keys().map(|it| &it.scope);
    pools.chain(book.discovered.keys())
}

/// What is known of these pools.
fn of_pools(book: &Book, pools: &BTreeSet<PoolId>) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    keys.extend(pools.iter().cloned().map(Key::Pool));
    let read = book.read_through.keys().filter(|it| pools.contains(it));
    keys.extend(read.cloned().map(Key::ReadThrough));
    let read = book.read_in_full.keys().filter(|it| pools.contains(it));
    keys.extend(read.cloned().map(Key::ReadInFull));
    let read = book.read_in_depth.keys().filter(|it| pools.contains(it));
    keys.extend(read.cloned().map(Key::ReadInDepth));
    let tracks = book.tracks.keys().filter(|it| pools.contains(&it.pool));
    keys.extend(tracks.cloned().map(Key::Track));
    keys
}

/// What else was found in these places.
fn of_places(book: &Book, places: &BTreeSet<Scope>) -> Vec<Key> {
    let is_there = |scope: &Scope| places.contains(scope);
    let mut keys: Vec<Key> = Vec::new();
    let targets = book.targets.keys().filter(|(scope, _)| is_there(scope));
    keys.extend(targets.cloned().map(|(scope, id)| Key::Target(scope, id)));
    let tags = book.tags.keys().filter(|(scope, _)| is_there(scope));
    keys.extend(tags.cloned().map(|(scope, id)| Key::Tags(scope, id)));
    let permits = book.permits.keys().filter(|(scope, _)| is_there(scope));
    keys.extend(permits.cloned().map(|(scope, id)| Key::Permits(scope, id)));
    let catalogs = book.catalogs.keys().filter(|it| is_there(it));
    keys.extend(catalogs.cloned().map(Key::Catalog));
    let reaches = book.reaches.keys().filter(|it| is_there(it));
    keys.extend(reaches.cloned().map(Key::Reaches));
    let discovered = book.discovered.keys().filter(|it| is_there(it));
    keys.extend(discovered.cloned().map(Key::Discovered));
    keys
}
