//! Accounts and Regions that are watched no more, since the configuration or the account has them no more.
//!
//! What was found there leaves the book: else it would stand among what is watched, with numbers that nobody reads any more,
//! and its incidents would wait for an end that nobody can see. What was measured stays in the history, and so does what was
//! decided and asked: when they are watched again, the past is there.

use std::collections::BTreeSet;

use super::{Cycle, CycleError};
use crate::model::{
    book::{Book, Key, Record},
    catalog::PoolId,
    ids::Scope,
    time::Timestamp,
};

impl Cycle {
    /// Takes what was found in places that are watched no more out of the book; whether there was anything.
    pub(super) async fn leave_places(&mut self, now: Timestamp) -> Result<bool, CycleError> {
        let (records, pools, places) = {
            let book = self.shared.book();
            let watched: BTreeSet<&Scope> = self.rounds.scopes().collect();
            let places = found_in(&book).filter(|it| !watched.contains(it));
            let places: BTreeSet<Scope> = places.cloned().collect();
            let pools = book.pools.keys().filter(|it| places.contains(&it.scope));
            let pools: BTreeSet<PoolId> = pools.cloned().collect();
            (found(&book, &places), pools, places)
        };
        if places.is_empty() {
            return Ok(false);
        }
        self.commit(records, now).await?;
        for place in &places {
            self.forget_place(place);
            tracing::warn!(event = "place.left", scope = %place, %now, "no longer watched: its pools and targets are taken out, its history and what was decided stay");
        }
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

/// Where anything was found, a place as often as there is something.
fn found_in(book: &Book) -> impl Iterator<Item = &Scope> {
    let pools = book.pools.keys().map(|it| &it.scope);
    pools.chain(book.discovered.keys())
}

/// All that was found in these places.
fn found(book: &Book, places: &BTreeSet<Scope>) -> Vec<Record> {
    let is_there = |scope: &Scope| places.contains(scope);
    let mut keys: Vec<Key> = Vec::new();
    let pools = book.pools.keys().filter(|it| is_there(&it.scope));
    keys.extend(pools.cloned().map(Key::Pool));
    let read = book.read_through.keys().filter(|it| is_there(&it.scope));
    keys.extend(read.cloned().map(Key::ReadThrough));
    let read = book.read_in_full.keys().filter(|it| is_there(&it.scope));
    keys.extend(read.cloned().map(Key::ReadInFull));
    let read = book.read_in_depth.keys().filter(|it| is_there(&it.scope));
    keys.extend(read.cloned().map(Key::ReadInDepth));
    let tracks = book.tracks.keys().filter(|it| is_there(&it.pool.scope));
    keys.extend(tracks.cloned().map(Key::Track));
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
    keys.into_iter().map(Record::Remove).collect()
}
