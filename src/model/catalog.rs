//! Which targets exist and which pool each of them drains.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    ids::{ModelId, Scope, TargetId},
    time::Timestamp,
    units::QuotaKind,
    worth::Worth,
};
use crate::model::ids::QuotaCode;

/// The bucket that Bedrock counts a request into. Families don't draw on one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Bare model ids, answered in the Region that is called.
    OnDemand,
    /// Geographic profiles such as `us.` or `eu.`, one bucket for all of them.
    Geo,
    /// `global.` profiles.
    Global,
    /// The `bedrock-mantle` endpoint.
    Mantle,
    /// All models of the `bedrock-runtime` endpoint together: no request is counted here alone, each is here as well.
    Account,
}

impl Family {
    /// All families.
    pub const ALL: [Self; 5] = [
        Self::OnDemand,
        Self::Geo,
        Self::Global,
        Self::Mantle,
        Self::Account,
    ];

    /// The kinds of quota that limit pools of this family, tokens first: that is the order in which increases are asked.
    #[must_use]
    pub const fn kinds(self) -> &'static [QuotaKind] {
        match self {
            Self::OnDemand | Self::Geo | Self::Global => {
                &[QuotaKind::Tpm, QuotaKind::Rpm, QuotaKind::Tpd]
            }
            Self::Mantle => &[QuotaKind::InputTpm, QuotaKind::OutputTpm],
            Self::Account => &[QuotaKind::CrossModelTpd],
        }
    }

    /// Whether its requests go to the `bedrock-runtime` endpoint, each to one model.
    #[must_use]
    pub const fn is_of_runtime(self) -> bool {
        match self {
            Self::OnDemand | Self::Geo | Self::Global => true,
            Self::Mantle | Self::Account => false,
        }
    }

    /// The name in ids, TOML and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Geo => "geo",
            Self::Global => "global",
            Self::Mantle => "mantle",
            Self::Account => "account",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What one set of quotas limits: account x source Region x base model x family.
///
/// Prints as `account/region/family/model`, which is also how people type it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId {
    /// Account and source Region.
    pub scope: Scope,
    /// The bucket.
    pub family: Family,
    /// The base model.
    pub model: ModelId,
}

impl PoolId {
    /// What the models of the runtime endpoint drain together.
    #[must_use]
    pub fn of_account(scope: &Scope) -> Self {
        Self {
            scope: scope.clone(),
            family: Family::Account,
            model: ModelId::new("all-models"),
        }
    }
}

impl fmt::Display for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.scope, self.family, self.model)
    }
}

/// How a target reaches its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// The bare model id.
    Base,
    /// A system-defined inference profile.
    SystemProfile,
    /// An application inference profile; the name is the one its owner gave it.
    ApplicationProfile {
        /// The owner's name for it.
        name: String,
    },
    /// A model behind the `bedrock-mantle` endpoint.
    Mantle,
}

impl TargetKind {
    /// The name in JSON and texts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::SystemProfile => "system-profile",
            Self::ApplicationProfile { .. } => "application-profile",
            Self::Mantle => "mantle",
        }
    }
}

/// One `ModelId` value in one account and Region, or one `Model` value of the mantle endpoint, and the pool it drains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The dimension value.
    pub id: TargetId,
    /// How it reaches its model.
    pub kind: TargetKind,
    /// What it drains.
    pub pool: PoolId,
    /// When we first saw it.
    pub first_seen: Timestamp,
}

/// A target whose pool we could not tell. It is shown, and nothing rests on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplaced {
    /// The dimension value.
    pub id: TargetId,
    /// Why it has no pool, as a sentence fragment.
    pub why: String,
    /// Whether a quota may limit it all the same: provisioned, custom and imported models have none that we know.
    pub may_be_limited: bool,
}

/// A target with metrics that a quota may limit, and that nothing watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwatched {
    /// Why it has no pool, as a sentence fragment.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
}

/// Whether and how a pool is limited by one kind of quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mapping {
    /// This quota, and the proof as a sentence fragment.
    Mapped {
        /// Its code.
        code: QuotaCode,
        /// Why it is this one.
        proof: String,
    },
    /// The account lists no such quota for this model: it is not limited this way.
    Absent,
    /// Several fit. Shown, never acted upon.
    Ambiguous {
        /// All that fit, sorted.
        candidates: Vec<QuotaCode>,
    },
    /// The list of quotas could not be read (yet).
    Unknown,
}

impl Mapping {
    /// The code, where the mapping is certain.
    #[must_use]
    pub const fn code(&self) -> Option<&QuotaCode> {
        match self {
            Self::Mapped { code, .. } => Some(code),
            Self::Absent | Self::Ambiguous { .. } | Self::Unknown => None,
        }
    }
}

/// One pool as the catalog knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Which.
    pub id: PoolId,
    /// Output tokens are charged this many times; `None` where no source states a rate for this model.
    pub burndown: Option<f64>,
    /// What its quota's tokens are worth, where they are weighed by price; `None` for every other pool, and while no price is
    /// known.
    pub worth: Option<Worth>,
    /// One mapping per kind.
    pub mappings: BTreeMap<QuotaKind, Mapping>,
}

impl Pool {
    /// How this kind limits the pool. A kind that its family does not know never does; another one without an entry was
    /// never read.
    #[must_use]
    pub fn mapping(&self, kind: QuotaKind) -> &Mapping {
        let unmapped = if self.id.family.kinds().contains(&kind) {
            &Mapping::Unknown
        } else {
            &Mapping::Absent
        };
        self.mappings.get(&kind).unwrap_or(unmapped)
    }
}

/// How long a model will be there. Times are as AWS announces them, each absent where it does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LifeCycle {
    /// AWS's word: `ACTIVE`, `LEGACY`, or another one.
    pub status: String,
    /// When it becomes legacy: from then on new customers are refused.
    pub legacy: Option<Timestamp>,
    /// When public extended access begins, at a higher price.
    pub extended: Option<Timestamp>,
    /// When it can no longer be called.
    pub end: Option<Timestamp>,
}

/// A way out that nobody uses: a bucket of a model that has pools here, with a quota of its own, and without a metric. It is
/// no pool: nothing of it is read or judged, and it is in no list of what is watched.
#[derive(Clone, Debug, PartialEq)]
pub struct Spare {
    /// The pool that it would be, with its mappings; that of its tokens a minute is certain.
    pub pool: Pool,
    /// What could be called: the profiles, or the bare id. Sorted, and never empty.
    pub targets: Vec<Target>,
}

/// What the listings of one account and Region say beside targets and pools.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Catalog {
    /// Ids of all system-defined profiles that were ever listed: a new one is told once. Geographic profiles never gain a
    /// Region, so a new id is how one comes.
    pub profiles: BTreeSet<String>,
    /// How long the models of the pools will be there.
    pub lives: BTreeMap<ModelId, LifeCycle>,
    /// Targets that CloudWatch lists no more, and since when. They are forgotten two weeks later.
    pub vanished: BTreeMap<TargetId, Timestamp>,
    /// Ways out that nobody uses, of the models of the pools; sorted by pool.
    pub spares: Vec<Spare>,
    /// System-defined profiles that came lately, and when: they are news for a week.
    pub new_profiles: BTreeMap<String, Timestamp>,
    /// Targets with metrics of which no pool could be told.
    pub unwatched: BTreeMap<TargetId, Unwatched>,
}

impl Catalog {
    /// A profile is new for so many days.
    pub const NEW_DAYS: i64 = 7;
}
