//! The document of `discover --json`. Its shape is promised in docs/discover.md.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    collect::survey::{Finding, Survey, SurveyedPool, Terms},
    model::{
        catalog::{Mapping, TargetKind},
        ids::QuotaCode,
        units::{Amount, QuotaKind},
    },
    web::json::Life,
};

/// Everything that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Document {
    /// Sorted by account, Region, family and model.
    pub pools: Vec<Pool>,
    /// Quotas that belong to no pool, one entry an account and Region.
    pub accounts: Vec<Account>,
    /// Ids without a pool.
    pub unplaced: Vec<Unplaced>,
    /// What could not be read.
    pub faults: Vec<Fault>,
}

/// A pool.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pool {
    /// `null` where no account was asked.
    pub account: Option<String>,
    /// The source Region.
    pub region: String,
    /// The base model.
    pub model: String,
    /// `on-demand`, `geo`, `global` or `mantle`.
    pub family: String,
    /// `null` where no list says so.
    pub life: Option<Life>,
    /// Sorted by id.
    pub targets: Vec<Target>,
    /// By kind.
    pub quotas: BTreeMap<&'static str, Quota>,
    /// Quotas of other sorts of requests, by sort and kind; most pools have none.
    pub variants: BTreeMap<String, BTreeMap<&'static str, Quota>>,
}

/// What drains a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// As CloudWatch names it.
    pub id: String,
    /// `base`, `system-profile`, `application-profile` or `mantle`.
    pub kind: &'static str,
    /// The owner's name of an application profile.
    pub name: Option<String>,
    /// The tags of an application profile; `null` where they were not read, and of everything else.
    pub tags: Option<BTreeMap<String, String>>,
}

/// How one kind of quota limits a pool.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quota {
    /// `mapped`, `absent`, `ambiguous` or `unknown`.
    pub state: &'static str,
    /// The code, where it is certain.
    pub code: Option<String>,
    /// Its name, verbatim.
    pub name: Option<String>,
    /// The applied value.
    pub applied: Option<f64>,
    /// AWS's default.
    pub default: Option<f64>,
    /// Whether a request is possible.
    pub adjustable: Option<bool>,
    /// All codes that fit, where several do.
    pub candidates: Vec<String>,
    /// The proof, or the reason of the refusal.
    pub why: String,
}

/// The quotas of an account in a Region that belong to no pool.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Account {
    /// `null` where no account was asked.
    pub account: Option<String>,
    /// The Region.
    pub region: String,
    /// When it was asked.
    pub at: Option<String>,
    /// By kind: `cross_model_tpd` where there is one.
    pub quotas: BTreeMap<&'static str, Quota>,
}

/// An id without a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unplaced {
    /// `null` where no account was asked.
    pub account: Option<String>,
    /// The Region.
    pub region: String,
    /// As it was found.
    pub id: String,
    /// Why it has no pool.
    pub why: String,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The account.
    pub account: Option<String>,
    /// The Region.
    pub region: String,
    /// Such as `servicequotas:ListServiceQuotas`.
    pub operation: &'static str,
    /// What happened.
    pub why: String,
}

impl Document {
    pub(super) fn of(surveys: &[Survey]) -> Self {
        let each = || {
            surveys
                .iter()
                .map(|it| (it, account(it), it.scope.region.to_string()))
        };
        Self {
            pools: surveys
                .iter()
                .flat_map(|it| &it.pools)
                .map(Pool::of)
                .collect(),
            accounts: each()
                .map(|(it, account, region)| Account {
                    account,
                    region,
                    at: it.at.map(|at| at.to_string()),
                    quotas: it.account_tpd.iter().map(account_tpd).collect(),
                })
                .collect(),
            unplaced: each()
                .flat_map(|(it, account, region)| {
                    it.unplaced.iter().map(move |odd| Unplaced {
                        account: account.clone(),
                        region: region.clone(),
                        id: odd.id.to_string(),
                        why: odd.why.clone(),
                    })
                })
                .collect(),
            faults: each()
                .flat_map(|(it, account, region)| {
                    it.faults.iter().map(move |fault| Fault {
                        account: account.clone(),
                        region: region.clone(),
                        operation: fault.operation,
                        why: fault.to_string(),
                    })
                })
                .collect(),
        }
    }
}

fn account(survey: &Survey) -> Option<String> {
    let id = survey.scope.account.as_str();
    (!id.is_empty()).then(|| id.to_owned())
}

fn account_tpd((code, terms): &(QuotaCode, Terms)) -> (&'static str, Quota) {
    let quota = Quota {
        state: "mapped",
        code: Some(code.to_string()),
        candidates: Vec::new(),
        why: "it counts all models of the account together and weighs them by price, so what they take together is a pool of its own, account/all-models, in USD"
            .to_owned(),
        ..Quota::of_terms(Some(terms))
    };
    ("cross_model_tpd", quota)
}

impl Pool {
    fn of(pool: &SurveyedPool) -> Self {
        let id = &pool.id;
        let account = id.scope.account.as_str();
        let quotas = |found: &BTreeMap<_, Finding>| {
            let found = found.iter();
            found
                .map(|(kind, finding): (&QuotaKind, _)| (kind.name(), Quota::of(finding)))
                .collect()
        };
        let variants = pool.variants.iter();
        Self {
            account: (!account.is_empty()).then(|| account.to_owned()),
            region: id.scope.region.to_string(),
            model: id.model.to_string(),
            family: id.family.name().to_owned(),
            life: pool.life.as_ref().map(Into::into),
            targets: pool
                .targets
                .iter()
                .map(|(id, kind)| Target {
                    tags: pool.tags.get(id).cloned(),
                    id: id.to_string(),
                    kind: kind.name(),
                    name: match kind {
                        TargetKind::ApplicationProfile { name } => Some(name.clone()),
                        TargetKind::Base | TargetKind::SystemProfile | TargetKind::Mantle => None,
                    },
                })
                .collect(),
            quotas: quotas(&pool.quotas),
            variants: variants
                .map(|(variant, found)| (variant.name(), quotas(found)))
                .collect(),
        }
    }
}

impl Quota {
    fn of(finding: &Finding) -> Self {
        let (state, candidates) = match &finding.mapping {
            Mapping::Mapped { .. } => ("mapped", Vec::new()),
            Mapping::Absent => ("absent", Vec::new()),
            Mapping::Unknown => ("unknown", Vec::new()),
            Mapping::Ambiguous { candidates } => {
                let candidates = candidates.iter().map(ToString::to_string);
                ("ambiguous", candidates.collect())
            }
        };
        Self {
            state,
            candidates,
            code: finding.mapping.code().map(ToString::to_string),
            why: finding.why.clone(),
            ..Self::of_terms(finding.terms.as_ref())
        }
    }

    /// Only what the list says of the quota; the verdict is the caller's.
    fn of_terms(terms: Option<&Terms>) -> Self {
        Self {
            state: "unknown",
            code: None,
            name: terms.map(|it| it.name.clone()),
            applied: terms.and_then(|it| it.applied).map(Amount::get),
            default: terms.and_then(|it| it.default).map(Amount::get),
            adjustable: terms.and_then(|it| it.adjustable),
            candidates: Vec::new(),
            why: String::new(),
        }
    }
}
