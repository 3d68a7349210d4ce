//! The book: all that must survive a restart, and the records it is written in.

use std::collections::BTreeMap;

use super::{
    action::Intent,
    alert::Track,
    audit::Entry,
    catalog::{Catalog, Family, Pool, PoolId, Spare, Target},
    desk::{Ask, Investigation},
    handling::Handling,
    ids::{
        ActionId, CaseId, IncidentId, ModelId, QuotaCode, RequestId, Scope, SilenceId, TargetId,
    },
    incident::{AlertKey, Cause, Incident},
    permit::Permits,
    quota::{Quota, QuotaChange},
    ran::RanDay,
    residency::Reaches,
    series::{Depth, PoolHour, PoolSeries},
    silence::Silence,
    spend::{Month, Spend},
    tags::Tags,
    time::{Minute, Timestamp},
    uses::UseDay,
};

/// One change of the book. Each record replaces the record with the same [`Key`] as a whole.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// An incident.
    Incident(Incident),
    /// An intent; its revision must be one more than the stored one.
    Intent(Intent),
    /// A quota request we follow.
    Ask(Ask),
    /// A case we follow.
    Investigation(Investigation),
    /// Where the judging of a rule on a pool stands.
    Track(AlertKey, Track),
    /// A discovered target.
    Target(Target),
    /// A discovered pool with its mappings.
    Pool(Pool),
    /// A quota as last read.
    Quota(Quota),
    /// A change of an applied value.
    QuotaChange(QuotaChange),
    /// One hour of one signal of one pool.
    Hour(PoolId, Minute, PoolHour),
    /// When discovery of an account and Region last succeeded as a whole.
    Discovered(Scope, Timestamp),
    /// What the listings of an account and Region say beside targets and pools.
    Catalog(Scope, Catalog),
    /// Where the profiles of an account and Region lead.
    Reaches(Scope, Reaches),
    /// The tags of an application profile, as last read.
    Tags(Scope, TargetId, Tags),
    /// Who may call a target, as last asked.
    Permits(Scope, TargetId, Permits),
    /// Where requests ran on a UTC day, counted from 1970.
    Ran(Scope, i64, RanDay),
    /// Who took what of a pool on a UTC day, counted from 1970.
    UseDay(PoolId, i64, UseDay),
    /// The minute up to which a pool was read last, exclusive.
    ReadThrough(PoolId, Minute),
    /// The minute up to which a pool was last read in full, exclusive; at most its `ReadThrough`.
    ReadInFull(PoolId, Minute),
    /// As `ReadInFull`, for everything that is ever read of a pool.
    ReadInDepth(PoolId, Minute),
    /// What was asked of AWS in a month.
    Spend(Spend),
    /// What nobody wants to hear of for a while.
    Silence(Silence),
    /// What people were told of an incident, and what they said.
    Handling(Handling),
    /// An entry of the audit trail.
    Entry(Entry),
    /// Takes a record away, such as an hour that grew too old.
    Remove(Key),
}

/// What a record is stored under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// See [`Record::Incident`].
    Incident(IncidentId),
    /// See [`Record::Intent`].
    Intent(ActionId),
    /// See [`Record::Ask`].
    Ask(RequestId),
    /// See [`Record::Investigation`].
    Investigation(CaseId),
    /// See [`Record::Track`].
    Track(AlertKey),
    /// See [`Record::Target`]; a target id is unique within its scope only.
    Target(Scope, TargetId),
    /// See [`Record::Pool`].
    Pool(PoolId),
    /// See [`Record::Quota`].
    Quota(Scope, QuotaCode),
    /// See [`Record::QuotaChange`].
    QuotaChange(Scope, QuotaCode, Timestamp),
    /// See [`Record::Hour`].
    Hour(PoolId, Minute),
    /// See [`Record::Discovered`].
    Discovered(Scope),
    /// See [`Record::Catalog`].
    Catalog(Scope),
    /// See [`Record::Reaches`].
    Reaches(Scope),
    /// See [`Record::Tags`].
    Tags(Scope, TargetId),
    /// See [`Record::Permits`].
    Permits(Scope, TargetId),
    /// See [`Record::Ran`].
    Ran(Scope, i64),
    /// See [`Record::UseDay`].
    UseDay(PoolId, i64),
    /// See [`Record::ReadThrough`].
    ReadThrough(PoolId),
    /// See [`Record::ReadInFull`].
    ReadInFull(PoolId),
    /// See [`Record::ReadInDepth`].
    ReadInDepth(PoolId),
    /// See [`Record::Spend`].
    Spend(Month),
    /// See [`Record::Silence`].
    Silence(SilenceId),
    /// See [`Record::Handling`].
    Handling(IncidentId),
    /// See [`Record::Entry`]; entries sort by their number.
    Entry(u64),
}

impl Record {
    /// What this record is stored under.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Incident(it) => Key::Incident(it.id.clone()),
            Self::Intent(it) => Key::Intent(it.id.clone()),
            Self::Ask(it) => Key::Ask(it.request.clone()),
            Self::Investigation(it) => Key::Investigation(it.case.clone()),
            Self::Track(key, _) => Key::Track(key.clone()),
            Self::Target(it) => Key::Target(it.pool.scope.clone(), it.id.clone()),
            Self::Pool(it) => Key::Pool(it.id.clone()),
            Self::Quota(it) => Key::Quota(it.scope.clone(), it.code.clone()),
            Self::QuotaChange(it) => Key::QuotaChange(it.scope.clone(), it.code.clone(), it.at),
            Self::Hour(pool, hour, _) => Key::Hour(pool.clone(), *hour),
            Self::Discovered(scope, _) => Key::Discovered(scope.clone()),
            Self::Catalog(scope, _) => Key::Catalog(scope.clone()),
            Self::Reaches(scope, _) => Key::Reaches(scope.clone()),
            Self::Tags(scope, target, _) => Key::Tags(scope.clone(), target.clone()),
            Self::Permits(scope, target, _) => Key::Permits(scope.clone(), target.clone()),
            Self::Ran(scope, day, _) => Key::Ran(scope.clone(), *day),
            Self::UseDay(pool, day, _) => Key::UseDay(pool.clone(), *day),
            Self::ReadThrough(pool, _) => Key::ReadThrough(pool.clone()),
            Self::ReadInFull(pool, _) => Key::ReadInFull(pool.clone()),
            Self::ReadInDepth(pool, _) => Key::ReadInDepth(pool.clone()),
            Self::Spend(it) => Key::Spend(it.month),
            Self::Silence(it) => Key::Silence(it.id.clone()),
            Self::Handling(it) => Key::Handling(it.incident.clone()),
            Self::Entry(it) => Key::Entry(it.number),
            Self::Remove(key) => key.clone(),
        }
    }
}

/// Everything we know and have decided, in memory. It changes only by [`Book::apply`], after the records are durable.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Book {
    /// Incidents by id, open and ended.
    pub incidents: BTreeMap<IncidentId, Incident>,
    /// Intents by id.
    pub intents: BTreeMap<ActionId, Intent>,
    /// Quota requests by id.
    pub asks: BTreeMap<RequestId, Ask>,
    /// Cases of our own by id.
    pub investigations: BTreeMap<CaseId, Investigation>,
    /// Where judging stands.
    pub tracks: BTreeMap<AlertKey, Track>,
    /// Targets by scope and id.
    pub targets: BTreeMap<(Scope, TargetId), Target>,
    /// Pools by id.
    pub pools: BTreeMap<PoolId, Pool>,
    /// Quotas by scope and code.
    pub quotas: BTreeMap<(Scope, QuotaCode), Quota>,
    /// Changes of applied values, oldest first within a code.
    pub quota_changes: BTreeMap<(Scope, QuotaCode, Timestamp), QuotaChange>,
    /// What was measured of each pool: the hours that the ledger holds, and what judging needs of older ones.
    pub series: BTreeMap<PoolId, PoolSeries>,
    /// When each scope was last discovered.
    pub discovered: BTreeMap<Scope, Timestamp>,
    /// What each scope's listings say beside targets and pools.
    pub catalogs: BTreeMap<Scope, Catalog>,
    /// Where the profiles of each scope lead.
    pub reaches: BTreeMap<Scope, Reaches>,
    /// The tags of application profiles, by scope and id.
    pub tags: BTreeMap<(Scope, TargetId), Tags>,
    /// Who may call targets, by scope and id.
    pub permits: BTreeMap<(Scope, TargetId), Permits>,
    /// Where requests ran, by the UTC day counted from 1970.
    pub ran: BTreeMap<(Scope, i64), RanDay>,
    /// Who took what of each pool, by the UTC day counted from 1970.
    pub uses: BTreeMap<(PoolId, i64), UseDay>,
    /// The minute up to which each pool was read, exclusive.
    pub read_through: BTreeMap<PoolId, Minute>,
    /// The minute up to which each pool was read in full, exclusive; see [`Book::known_until`].
    pub read_in_full: BTreeMap<PoolId, Minute>,
    /// The minute up to which all signals of each pool were read, exclusive; see [`Book::known_until`].
    pub read_in_depth: BTreeMap<PoolId, Minute>,
    /// What was asked of AWS, by month.
    pub spends: BTreeMap<Month, Spend>,
    /// Silences by id, those that are over as well for a while.
    pub silences: BTreeMap<SilenceId, Silence>,
    /// How people are told, by incident.
    pub handlings: BTreeMap<IncidentId, Handling>,
    /// The audit trail, by number.
    pub entries: BTreeMap<u64, Entry>,
}

impl Book {
    /// The open incident of this cause, if there is one.
    #[must_use]
    pub fn open_incident(&self, cause: &Cause) -> Option<&Incident> {
        self.incidents
            .values()
            .find(|incident| incident.is_open() && incident.cause == *cause)
    }

    /// How many incidents of this cause there were so far.
    #[must_use]
    pub fn generations(&self, cause: &Cause) -> u32 {
        self.incidents
            .values()
            .filter(|incident| incident.cause == *cause)
            .map(|incident| incident.generation)
            .max()
            .unwrap_or(0)
    }

    /// The pools of one account and Region, found without a look at all the others.
    pub fn pools_in<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = &'a Pool> {
        let from_first = self.pools.range(first_pool(scope)..);
        let own = from_first.take_while(move |(id, _)| id.scope == *scope);
        own.map(|(_, pool)| pool)
    }

    /// The ways out of one account and Region that nobody uses.
    pub fn spares_in(&self, scope: &Scope) -> impl Iterator<Item = &Spare> {
        self.catalogs
            .get(scope)
            .into_iter()
            .flat_map(|it| &it.spares)
    }

    /// What can be called under this id in an account and Region, whether anybody does or not.
    #[must_use]
    pub fn way(&self, scope: &Scope, id: &TargetId) -> Option<&Target> {
        let used = self.targets.get(&(scope.clone(), id.clone()));
        let mut spare = self.spares_in(scope).flat_map(|it| &it.targets);
        used.or_else(|| spare.find(|it| it.id == *id))
    }

    /// How far the pools of one account and Region were read, as in [`Book::read_through`].
    pub fn reads_in<'a>(
        &'a self,
        scope: &'a Scope,
    ) -> impl Iterator<Item = (&'a PoolId, &'a Minute)> {
        let from_first = self.read_through.range(first_pool(scope)..);
        from_first.take_while(move |(id, _)| id.scope == *scope)
    }

    /// The minute up to which a pool was read this deep, exclusive; `None` if it was never read.
    ///
    /// Without a `ReadInFull` of its own a pool was always read in full: records of older releases say it that way.
    #[must_use]
    pub fn known_until(&self, pool: &PoolId, depth: Depth) -> Option<Minute> {
        let read_through = *self.read_through.get(pool)?;
        match depth {
            Depth::Quick => Some(read_through),
            Depth::Full => {
                let in_full = self.read_in_full.get(pool);
                Some(in_full.map_or(read_through, |in_full| read_through.min(*in_full)))
            }
            Depth::Deep => {
                let in_depth = self.read_in_depth.get(pool)?;
                Some(read_through.min(*in_depth))
            }
        }
    }

    /// What collecting in one account and Region needs to know, cheap enough to take along over an await: all but the
    /// history, of this scope alone where it is kept by scope.
    #[must_use]
    pub fn catalog_of(&self, scope: &Scope) -> Self {
        let first_target = (scope.clone(), TargetId::new(""));
        let first_quota = (scope.clone(), QuotaCode::new(""));
        let first_pool = first_pool(scope);
        Self {
            asks: self.asks.clone(),
            investigations: self.investigations.clone(),
            targets: run(&self.targets, &first_target, |(at, _)| at == scope),
            pools: run(&self.pools, &first_pool, |pool| pool.scope == *scope),
            tags: run(&self.tags, &first_target, |(at, _)| at == scope),
            permits: run(&self.permits, &first_target, |(at, _)| at == scope),
            quotas: run(&self.quotas, &first_quota, |(at, _)| at == scope),
            discovered: self.discovered.clone(),
            catalogs: run(&self.catalogs, scope, |at| at == scope),
            reaches: run(&self.reaches, scope, |at| at == scope),
            read_through: run(&self.read_through, &first_pool, |pool| pool.scope == *scope),
            read_in_full: run(&self.read_in_full, &first_pool, |pool| pool.scope == *scope),
            read_in_depth: run(&self.read_in_depth, &first_pool, |pool| {
                pool.scope == *scope
            }),
            ..Self::default()
        }
    }

    /// Takes in records that are durable.
    pub fn apply(&mut self, records: Vec<Record>) {
        for record in records {
            self.take_in(record);
        }
    }

    /// Takes in one record that is durable.
    pub fn take_in(&mut self, record: Record) {
        match record {
            Record::Incident(it) => drop(self.incidents.insert(it.id.clone(), it)),
            Record::Intent(it) => drop(self.intents.insert(it.id.clone(), it)),
            Record::Ask(it) => drop(self.asks.insert(it.request.clone(), it)),
            Record::Investigation(it) => drop(self.investigations.insert(it.case.clone(), it)),
            Record::Track(key, track) => drop(self.tracks.insert(key, track)),
            Record::Target(it) => {
                let key = (it.pool.scope.clone(), it.id.clone());
                self.targets.insert(key, it);
            }
            Record::Pool(it) => drop(self.pools.insert(it.id.clone(), it)),
            Record::Quota(it) => {
                let key = (it.scope.clone(), it.code.clone());
                self.quotas.insert(key, it);
            }
            Record::QuotaChange(it) => {
                let key = (it.scope.clone(), it.code.clone(), it.at);
                self.quota_changes.insert(key, it);
            }
            Record::Hour(pool, hour, it) => {
                let series = self.series.entry(pool).or_default();
                series.replace(hour, it);
            }
            Record::Discovered(scope, at) => drop(self.discovered.insert(scope, at)),
            Record::Catalog(scope, it) => drop(self.catalogs.insert(scope, it)),
            Record::Reaches(scope, it) => drop(self.reaches.insert(scope, it)),
            Record::Tags(scope, target, it) => drop(self.tags.insert((scope, target), it)),
            Record::Permits(scope, target, it) => {
                self.permits.insert((scope, target), it);
            }
            Record::Ran(scope, day, it) => drop(self.ran.insert((scope, day), it)),
            Record::UseDay(pool, day, it) => drop(self.uses.insert((pool, day), it)),
            Record::ReadThrough(pool, minute) => drop(self.read_through.insert(pool, minute)),
            Record::ReadInFull(pool, minute) => drop(self.read_in_full.insert(pool, minute)),
            Record::ReadInDepth(pool, minute) => drop(self.read_in_depth.insert(pool, minute)),
            Record::Spend(it) => drop(self.spends.insert(it.month, it)),
            Record::Silence(it) => drop(self.silences.insert(it.id.clone(), it)),
            Record::Handling(it) => drop(self.handlings.insert(it.incident.clone(), it)),
            Record::Entry(it) => drop(self.entries.insert(it.number, it)),
            Record::Remove(key) => self.remove(&key),
        }
    }

    fn remove(&mut self, key: &Key) {
        match key {
            Key::Incident(id) => drop(self.incidents.remove(id)),
            Key::Intent(id) => drop(self.intents.remove(id)),
            Key::Ask(id) => drop(self.asks.remove(id)),
            Key::Investigation(id) => drop(self.investigations.remove(id)),
            Key::Track(key) => drop(self.tracks.remove(key)),
            Key::Target(scope, id) => {
                self.targets.remove(&(scope.clone(), id.clone()));
            }
            Key::Pool(id) => drop(self.pools.remove(id)),
            Key::Quota(scope, code) => {
                self.quotas.remove(&(scope.clone(), code.clone()));
            }
            Key::QuotaChange(scope, code, at) => {
                self.quota_changes
                    .remove(&(scope.clone(), code.clone(), *at));
            }
            Key::Hour(pool, hour) => {
                if let Some(series) = self.series.get_mut(pool) {
                    series.replace(*hour, PoolHour::default());
                }
            }
            Key::Discovered(scope) => drop(self.discovered.remove(scope)),
            Key::Catalog(scope) => drop(self.catalogs.remove(scope)),
            Key::Reaches(scope) => drop(self.reaches.remove(scope)),
            Key::Tags(scope, id) => drop(self.tags.remove(&(scope.clone(), id.clone()))),
            Key::Permits(scope, id) => drop(self.permits.remove(&(scope.clone(), id.clone()))),
            Key::Ran(scope, day) => drop(self.ran.remove(&(scope.clone(), *day))),
            Key::UseDay(pool, day) => drop(self.uses.remove(&(pool.clone(), *day))),
            Key::ReadThrough(pool) => drop(self.read_through.remove(pool)),
            Key::ReadInFull(pool) => drop(self.read_in_full.remove(pool)),
            Key::ReadInDepth(pool) => drop(self.read_in_depth.remove(pool)),
            Key::Spend(month) => drop(self.spends.remove(month)),
            Key::Silence(id) => drop(self.silences.remove(id)),
            Key::Handling(id) => drop(self.handlings.remove(id)),
            Key::Entry(number) => drop(self.entries.remove(number)),
        }
    }
}

/// What sorts before every pool of this account and Region.
fn first_pool(scope: &Scope) -> PoolId {
    PoolId {
        scope: scope.clone(),
        family: Family::OnDemand,
        model: ModelId::new(""),
    }
}

/// A copy of the entries from `first` on for as long as their key belongs.
fn run<K: Ord + Clone, V: Clone>(
    all: &BTreeMap<K, V>,
    first: &K,
    belongs: impl Fn(&K) -> bool,
) -> BTreeMap<K, V> {
    let from_first = all.range(first..);
    let own = from_first.take_while(|(key, _)| belongs(key));
    own.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
