//! Tags of application inference profiles: what their owners say of them, such as a team or a cost center.
//!
//! System-defined profiles and bare model ids have none. A tag is a claim of whoever may tag the profile: it decides who is
//! told and by which values a pool is judged, and so when AWS is asked for more; never how much may be asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    book::Book,
    catalog::PoolId,
    ids::TargetId,
    rule::{Pattern, TagsByPool},
    time::{Minute, Timestamp},
    uses::{KEPT_DAYS, day_of},
};

/// The key of the tag that says whose a profile is.
const TEAM: &str = "team";
/// Teams that a message names as data.
const MOST_TEAMS: usize = 10;

/// The tags of one target, as they were last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    /// Value by key.
    pub by_key: BTreeMap<String, String>,
    /// When.
    pub read_at: Timestamp,
}

/// Tags that are asked for: all of them, on the same target. Without any it fits everything.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Wanted(pub BTreeMap<String, Pattern>);

impl Wanted {
    /// Whether no tag is asked for.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether these tags have all that are asked for.
    #[must_use]
    pub fn fits(&self, tags: &BTreeMap<String, String>) -> bool {
        let mut wanted = self.0.iter();
        wanted.all(|(key, pattern)| tags.get(key).is_some_and(|value| pattern.fits(value)))
    }

    /// How narrow it is; the greater wins: more tags, then whole values before patterns, 0 of none.
    #[must_use]
    pub fn narrowness(&self) -> (usize, usize) {
        let widest = self.0.values().map(Pattern::narrowness).min();
        (self.0.len(), widest.unwrap_or(0))
    }
}

impl fmt::Display for Wanted {
    /// `cost-center = 42*, team = search`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.0.iter();
        let each = each.map(|(key, value)| format!("{key} = {}", value.as_str()));
        f.write_str(&each.collect::<Vec<_>>().join(", "))
    }
}

impl Book {
    /// The tags of a target, where they are known.
    #[must_use]
    pub fn tags_of(&self, pool: &PoolId, target: &TargetId) -> Option<&Tags> {
        self.tags.get(&(pool.scope.clone(), target.clone()))
    }

    /// Whether one of the pool's targets has these tags.
    #[must_use]
    pub fn is_tagged(&self, pool: &PoolId, wanted: &Wanted) -> bool {
        wanted.is_open() || self.tagged(pool, wanted).next().is_some()
    }

    /// Whether one of the pool's targets has these tags and carries traffic: it is among the largest of an hour of the
    /// last week. Of a pool whose targets were not told apart yet each one counts.
    #[must_use]
    pub fn carries(&self, pool: &PoolId, wanted: &Wanted, at: Minute) -> bool {
        wanted.is_open() || self.carrying(pool, wanted, at).next().is_some()
    }

    /// The values of the tag `team`, in whatever case its key is written, of targets that carry traffic of these pools. Where
    /// there are more than [`MOST_TEAMS`], those that come first.
    #[must_use]
    pub fn teams(&self, pools: &BTreeSet<PoolId>, at: Minute) -> BTreeSet<String> {
        let everybody = Wanted::default();
        let tags = pools.iter().flat_map(|pool| {
            let targets = self.carrying(pool, &everybody, at);
            targets.filter_map(|target| self.tags_of(pool, target))
        });
        let own = tags.flat_map(|it| &it.by_key);
        let teams = own.filter(|(key, value)| key.eq_ignore_ascii_case(TEAM) && !value.is_empty());
        let all: BTreeSet<&String> = teams.map(|(_, value)| value).collect();
        all.into_iter().take(MOST_TEAMS).cloned().collect()
    }

    /// Targets of the pool that have these tags and carry traffic.
    fn carrying<'a>(
        &'a self,
        pool: &'a PoolId,
        wanted: &'a Wanted,
        at: Minute,
    ) -> impl Iterator<Item = &'a TargetId> {
        let first = day_of(at) - KEPT_DAYS;
        let days = self
            .uses
            .range((pool.clone(), first)..=(pool.clone(), day_of(at)));
        let days: Vec<_> = days.map(|(_, day)| day).collect();
        self.tagged(pool, wanted).filter(move |target| {
            days.is_empty() || days.iter().any(|day| day.targets.contains(*target))
        })
    }

    /// The tags of the targets of each pool, target by target.
    #[must_use]
    pub fn tags_by_pool(&self) -> TagsByPool {
        let mut by_pool = TagsByPool::new();
        for (key, tags) in &self.tags {
            if let Some(target) = self.targets.get(key).filter(|_| !tags.by_key.is_empty()) {
                let own = by_pool.entry(target.pool.clone()).or_default();
                own.push(tags.by_key.clone());
            }
        }
        by_pool
    }

    fn tagged<'a>(
        &'a self,
        pool: &'a PoolId,
        wanted: &'a Wanted,
    ) -> impl Iterator<Item = &'a TargetId> {
        let own = self.tags.range((pool.scope.clone(), TargetId::new(""))..);
        let own = own.take_while(|((scope, _), _)| *scope == pool.scope);
        own.filter(|(key, tags)| {
            let target = self.targets.get(*key);
            target.is_some_and(|it| it.pool == *pool) && wanted.fits(&tags.by_key)
        })
        .map(|((_, target), _)| target)
    }
}

#[cfg(test)]
mod tests;
