//! Where data may go: what the operator allows, and where requests to a target may be answered.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::{
    catalog::{Family, PoolId},
    ids::{ModelId, Region, RuleName, Scope, TargetId},
    rule::{Matcher, Pattern, Severity},
    tags::{Tags, Wanted},
};

/// The Regions in which requests to a target may be answered: where they are sent to, and where they may be sent on to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Reach {
    /// These.
    pub regions: BTreeSet<Region>,
    /// And any other commercial Region: so it is with `global.` profiles.
    pub is_anywhere: bool,
}

impl Reach {
    /// Answered where it is asked.
    #[must_use]
    pub fn here(region: Region) -> Self {
        Self {
            regions: BTreeSet::from([region]),
            is_anywhere: false,
        }
    }
}

/// The profiles of an account and Region by where requests to them may be answered, as the account lists it there. Few
/// sets of Regions hold many profiles: application profiles have those of what they were copied from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Reaches {
    /// Targets by their reach; a target is in one of them.
    pub by_reach: BTreeMap<Reach, BTreeSet<TargetId>>,
}

impl Reaches {
    /// Where requests to this profile may be answered; `None` where it was never listed.
    #[must_use]
    pub fn of(&self, target: &TargetId) -> Option<&Reach> {
        let mut all = self.by_reach.iter();
        let found = all.find(|(_, targets)| targets.contains(target));
        found.map(|(reach, _)| reach)
    }

    /// Notes where requests to a profile may be answered.
    pub fn insert(&mut self, target: TargetId, reach: Reach) {
        self.by_reach.entry(reach).or_default().insert(target);
    }
}

/// One rule: data of these pools, or of these targets of them, stays in these Regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Residency {
    /// Its name, as alerts have it.
    pub name: RuleName,
    /// Whose data: accounts and models.
    pub matcher: Matcher,
    /// Of these the application profiles with these tags.
    pub tags: Wanted,
    /// What is allowed, as written: geographies and Regions.
    pub written: Vec<String>,
    /// The Regions that are.
    pub allowed: Vec<Pattern>,
    /// Whether every Region is.
    pub is_anywhere: bool,
    /// How loudly a breach is told.
    pub severity: Severity,
}

impl Residency {
    /// Whether data of this pool is meant, as far as tags do not narrow it.
    #[must_use]
    pub fn fits(&self, pool: &PoolId) -> bool {
        self.matcher.fits(pool)
    }

    /// Whether data of a target with these tags is meant, in a pool that fits. Tags that were never read have none.
    #[must_use]
    pub fn fits_tags(&self, tags: Option<&Tags>) -> bool {
        self.tags.is_open() || tags.is_some_and(|it| self.tags.fits(&it.by_key))
    }

    /// Whether requests of this reach stay where they may be.
    #[must_use]
    pub fn allows(&self, reach: &Reach) -> bool {
        self.is_anywhere || (!reach.is_anywhere && self.outside(reach).is_empty())
    }

    /// The Regions of this reach that are not allowed, as far as they are named.
    #[must_use]
    pub fn outside(&self, reach: &Reach) -> Vec<Region> {
        let is_in = |region: &Region| {
            self.is_anywhere || self.allowed.iter().any(|it| it.fits(region.as_str()))
        };
        let outside = reach.regions.iter().filter(|region| !is_in(region));
        outside.cloned().collect()
    }

    /// What alerts are called about requests that ran outside of it, by the log; those of its own name are about requests that
    /// can.
    #[must_use]
    pub fn ran(&self) -> RuleName {
        RuleName::new(format!("ran-{}", self.name))
    }

    /// What it says, as a hash of 12 hex digits: stored with what is decided by it.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut said = format!("{:?} {:?} {}", self.matcher, self.allowed, self.is_anywhere);
        if !self.tags.is_open() {
            said.push_str(&format!(" {}", self.tags));
        }
        let mut hex = data_encoding::HEXLOWER.encode(&Sha256::digest(said.as_bytes()));
        hex.truncate(12);
        hex
    }
}

/// The rules that do not allow that a request to this target ran there, by their names. Which model an application profile
/// is of, and which tags it has, its id does not say: where its pool or tags are not known, rules that name models or tags
/// are not held against it.
#[must_use]
pub fn outside<'a>(
    scope: &Scope,
    (target, pool, tags): (&TargetId, Option<&PoolId>, Option<&Tags>),
    ran_in: &Region,
    rules: &'a [Residency],
) -> Vec<&'a str> {
    let target = target.as_str();
    // `eu.anthropic.…` is of `anthropic.…`.
    let models = [Some(target), target.split_once('.').map(|(_, model)| model)];
    let reach = Reach::here(ran_in.clone());
    let fits = |rule: &Residency| match pool {
        Some(pool) => rule.fits(pool),
        None => models.iter().flatten().any(|model| {
            rule.fits(&PoolId {
                scope: scope.clone(),
                family: Family::OnDemand,
                model: ModelId::new(*model),
            })
        }),
    };
    let broken = rules
        .iter()
        .filter(|it| it.fits_tags(tags) && fits(it) && !it.allows(&reach));
    broken.map(|rule| rule.name.as_str()).collect()
}
