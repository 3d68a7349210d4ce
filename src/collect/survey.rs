//! What a Region's listings come to, as one answer: pools with their targets and quotas, each with its reason.
//!
//! `discover` prints it. The daemon keeps only what it needs of the same listings (see `discover`). It can also be made
//! from two lists alone, without any account: model ids, and names of quotas.

use std::collections::{BTreeMap, BTreeSet};

use super::listings::Listings;
use super::mapping::{self, QuotaNames, Variant};
use super::place::{Atlas, Placed};
use super::quotas::{QuotaListings, QuotaPages};
use crate::cloud::{Cloud, Fault, FaultClass, ListedQuota};
use crate::model::catalog::{Family, LifeCycle, Mapping, PoolId, TargetKind, Unplaced};
use crate::model::ids::{ModelId, QuotaCode, Scope, TargetId};
use crate::model::time::Timestamp;
use crate::model::units::{Amount, QuotaKind};

/// Application profiles whose tags are asked for: one call each, and somebody waits.
const MOST_TAGGED: usize = 100;

/// Everything found in one account and Region.
#[derive(Clone, Debug, PartialEq)]
pub struct Survey {
    /// Account and Region. The account is empty where the answer rests on lists alone.
    pub scope: Scope,
    /// When it was found; nothing where the answer rests on lists alone.
    pub at: Option<Timestamp>,
    /// The pools, sorted by id.
    pub pools: Vec<SurveyedPool>,
    /// Ids that could not be placed, sorted.
    pub unplaced: Vec<Unplaced>,
    /// The quota of tokens per day that all models share.
    pub account_tpd: Option<(QuotaCode, Terms)>,
    /// What could not be read, in the order in which it happened.
    pub faults: Vec<Fault>,
}

/// A pool with what limits it.
#[derive(Clone, Debug, PartialEq)]
pub struct SurveyedPool {
    /// Which.
    pub id: PoolId,
    /// What drains it, sorted by id.
    pub targets: BTreeMap<TargetId, TargetKind>,
    /// The tags of its application profiles, as far as they were asked for.
    pub tags: BTreeMap<TargetId, BTreeMap<String, String>>,
    /// How long the model will be there; nothing where no listing says so.
    pub life: Option<LifeCycle>,
    /// One finding for each kind that the family knows.
    pub quotas: BTreeMap<QuotaKind, Finding>,
    /// Quotas of requests of another sort, which standard requests never meet.
    pub variants: BTreeMap<Variant, BTreeMap<QuotaKind, Finding>>,
}

/// How one kind of quota limits a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The verdict.
    pub mapping: Mapping,
    /// Its proof or its reason, as a sentence fragment.
    pub why: String,
    /// The quota, where the mapping is certain.
    pub terms: Option<Terms>,
}

/// What a list says of a quota.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// The name, verbatim.
    pub name: String,
    /// The applied value.
    pub applied: Option<Amount>,
    /// AWS's default.
    pub default: Option<Amount>,
    /// Whether a request is possible; nothing where the list does not say.
    pub adjustable: Option<bool>,
    /// Why the value could not be told.
    pub error: Option<String>,
}

impl Terms {
    pub(super) fn of(
        listed: &ListedQuota,
        applied: Option<Amount>,
        default: Option<Amount>,
    ) -> Self {
        Self {
            name: listed.name.clone(),
            applied,
            default,
            adjustable: Some(listed.adjustable),
            error: listed.error.clone(),
        }
    }
}

/// Asks one account and Region, and changes nothing anywhere.
pub async fn survey(cloud: &dyn Cloud, scope: &Scope, now: Timestamp) -> Survey {
    let listings = Listings::read(cloud, scope).await;
    let mut pages = QuotaPages::new(now);
    let mut unread = pages.read_on(cloud, scope).await;
    let listed = QuotaListings::new(&pages, &unread);
    let ids = listings.listed();
    let (placed, unplaced) = listings.atlas(scope, &ids).place_all(&ids);
    let (terms, names) = (listed.terms(), listed.names());
    let quotas = Quotas {
        names: &names,
        terms: &terms,
    };
    let mut pools = quotas.pools(placed, |model| listings.life(model));
    if listings.is_metrics_only() {
        // No failure, but the reason of all that is unknown.
        tell_why(&mut pools, &unread);
        unread.clear();
    }
    let untold = ask_tags(cloud, scope, &mut pools).await;
    let faults = listings.faults.iter().cloned();
    Survey {
        scope: scope.clone(),
        at: Some(now),
        pools,
        unplaced,
        account_tpd: quotas.account_tpd(),
        faults: faults.chain(unread).chain(untold).collect(),
    }
}

/// Says of each quota that is not known why it could not be read.
fn tell_why(pools: &mut [SurveyedPool], unread: &[Fault]) {
    let Some(fault) = unread.first() else {
        return;
    };
    let findings = pools.iter_mut().flat_map(|pool| pool.quotas.values_mut());
    for finding in findings.filter(|it| it.mapping == Mapping::Unknown) {
        finding.why.clone_from(&fault.message);
    }
}

/// Asks for the tags of application profiles, one call each; the first fault ends it, since the next call would mostly meet
/// the same.
async fn ask_tags(cloud: &dyn Cloud, scope: &Scope, pools: &mut [SurveyedPool]) -> Option<Fault> {
    let mut left = MOST_TAGGED;
    for pool in pools {
        let is_own = |kind: &TargetKind| matches!(kind, TargetKind::ApplicationProfile { .. });
        let own = pool.targets.iter().filter(|(_, kind)| is_own(kind));
        for (id, _) in own.take(left) {
            left -= 1;
            match cloud.list_tags(scope, id).await {
                Ok(tags) => drop(pool.tags.insert(id.clone(), tags)),
                // Deleted a moment ago.
                Err(fault) if fault.class == FaultClass::NotFound => {}
                Err(fault) => return Some(fault),
            }
        }
    }
    None
}

/// One model of one family from a list of quotas alone, whether or not anything drains its pool.
#[must_use]
pub fn survey_model(
    scope: &Scope,
    family: Family,
    model: &ModelId,
    terms: &BTreeMap<QuotaCode, Terms>,
) -> Survey {
    let names = names_of(terms);
    let quotas = Quotas {
        names: &names,
        terms,
    };
    let id = PoolId {
        scope: scope.clone(),
        family,
        model: model.clone(),
    };
    Survey {
        scope: scope.clone(),
        at: None,
        pools: vec![quotas.pool(&id, None)],
        unplaced: Vec::new(),
        account_tpd: quotas.account_tpd(),
        faults: Vec::new(),
    }
}

/// The same from lists alone: ids as they stand in CloudWatch, and all quotas by code. Prefixes are told by what stands
/// behind them, since there is no account to ask.
#[must_use]
pub fn survey_lists(
    scope: &Scope,
    ids: &BTreeSet<TargetId>,
    terms: &BTreeMap<QuotaCode, Terms>,
) -> Survey {
    let names = names_of(terms);
    let quotas = Quotas {
        names: &names,
        terms,
    };
    let atlas = Atlas::of_ids(scope, ids);
    let (mut placed, unplaced) = atlas.place_all(ids);
    // A bare id may be called at both endpoints; the mantle pool is shown where the names speak of one.
    let mantle: Vec<Placed> = placed
        .iter()
        .filter(|it| it.kind == TargetKind::Base && quotas.has_mantle(&it.pool.model))
        .map(|it| Placed {
            id: it.id.clone(),
            kind: TargetKind::Mantle,
            pool: PoolId {
                family: Family::Mantle,
                ..it.pool.clone()
            },
        })
        .collect();
    placed.extend(mantle);
    Survey {
        scope: scope.clone(),
        at: None,
        pools: quotas.pools(placed, |_| None),
        unplaced,
        account_tpd: quotas.account_tpd(),
        faults: Vec::new(),
    }
}

fn names_of(terms: &BTreeMap<QuotaCode, Terms>) -> QuotaNames {
    let named = terms.iter();
    let named = named.map(|(code, terms)| (code.clone(), terms.name.clone()));
    QuotaNames::whole(&named.collect())
}

/// All quotas of one account and Region.
struct Quotas<'a> {
    names: &'a QuotaNames,
    terms: &'a BTreeMap<QuotaCode, Terms>,
}

impl Quotas<'_> {
    fn pools(
        &self,
        placed: Vec<Placed>,
        life: impl Fn(&ModelId) -> Option<LifeCycle>,
    ) -> Vec<SurveyedPool> {
        let mut pools: BTreeMap<PoolId, SurveyedPool> = BTreeMap::new();
        for Placed { id, kind, pool } in placed {
            let entry = pools
                .entry(pool)
                .or_insert_with_key(|pool| self.pool(pool, life(&pool.model)));
            entry.targets.insert(id, kind);
        }
        pools.into_values().collect()
    }

    fn pool(&self, id: &PoolId, life: Option<LifeCycle>) -> SurveyedPool {
        let found = |kinds: BTreeMap<QuotaKind, Mapping>| -> BTreeMap<QuotaKind, Finding> {
            let kinds = kinds.into_iter();
            kinds
                .map(|(kind, mapping)| (kind, self.finding(id, kind, mapping)))
                .collect()
        };
        let variants = mapping::variants(&id.model, id.family, self.names).into_iter();
        SurveyedPool {
            id: id.clone(),
            targets: BTreeMap::new(),
            tags: BTreeMap::new(),
            life,
            quotas: found(mapping::map(&id.model, id.family, self.names)),
            variants: variants.map(|(it, kinds)| (it, found(kinds))).collect(),
        }
    }

    fn finding(&self, pool: &PoolId, kind: QuotaKind, mapping: Mapping) -> Finding {
        let why = mapping::why(&mapping, kind, &pool.model, pool.family, self.names);
        let terms = mapping.code().and_then(|code| self.terms.get(code));
        Finding {
            terms: terms.cloned(),
            mapping,
            why,
        }
    }

    fn has_mantle(&self, model: &ModelId) -> bool {
        let kinds = mapping::map(model, Family::Mantle, self.names).into_values();
        kinds.into_iter().any(|mapping| mapping != Mapping::Absent)
    }

    fn account_tpd(&self) -> Option<(QuotaCode, Terms)> {
        let code = self.names.account_tpd()?;
        self.terms
            .get(code)
            .map(|terms| (code.clone(), terms.clone()))
    }
}
