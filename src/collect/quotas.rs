//! The values of quotas: what to record of a fresh reading, and what to keep when there is none.

use std::collections::BTreeMap;

use super::mapping::QuotaNames;
use super::pages::Pages;
use super::survey::Terms;
use crate::cloud::{Cloud, Fault, FaultClass, ListedQuota};
use crate::model::book::{Book, Record};
use crate::model::ids::{QuotaCode, Scope};
use crate::model::quota::{Quota, QuotaChange};
use crate::model::time::{HOUR, Timestamp, after};
use crate::model::units::Amount;

/// What reading quotas again came to.
#[derive(Debug)]
pub struct Reread {
    /// Records to commit.
    pub found: Vec<Record>,
    /// What failed.
    pub faults: Vec<Fault>,
    /// How many of the codes, from the first on, got an answer of their own; the others wait for another time.
    pub reached: usize,
}

/// Reads these quotas of one scope again, singly and in this order, without their defaults: a default does not change with
/// a request.
///
/// A quota that can't be read keeps its values and is marked stale. When the API asks us to slow down, the rest is left
/// as it is.
pub async fn reread_quotas(
    cloud: &dyn Cloud,
    scope: &Scope,
    codes: &[QuotaCode],
    book: &Book,
    now: Timestamp,
) -> Reread {
    let mut found = Vec::new();
    let mut faults = Vec::new();
    let mut reached = 0;
    for code in codes {
        let old = book.quotas.get(&(scope.clone(), code.clone()));
        let (applied, fault) = match cloud.get_quota(scope, code).await {
            Ok(listed) => (Applied::of(&listed), None),
            Err(fault) if fault.class == FaultClass::NotFound && old.is_some() => {
                (Applied::NotRecorded, None)
            }
            Err(fault) => (Applied::Unreadable(fault.to_string()), Some(fault)),
        };
        let is_throttled = fault
            .as_ref()
            .is_some_and(|fault| fault.class == FaultClass::Throttled);
        faults.extend(fault);
        let fresh = Fresh {
            applied,
            name: None,
            adjustable: None,
            default: None,
        };
        found.extend(fresh.records(scope, code, old, now));
        if is_throttled {
            break;
        }
        reached += 1;
    }
    Reread {
        found,
        faults,
        reached,
    }
}

/// The listing of all quotas of one scope, as far as it has come. It is a dozen pages twice; what fails is gone on with.
#[derive(Debug)]
pub struct QuotaPages {
    applied: Pages<ListedQuota>,
    defaults: Pages<ListedQuota>,
    begun: Timestamp,
}

/// Values are not kept longer than this while the listing is unfinished.
const UNFINISHED_MINUTES: i64 = HOUR;

impl QuotaPages {
    /// Nothing read yet.
    pub(super) const fn new(now: Timestamp) -> Self {
        Self {
            applied: Pages::new("servicequotas:ListServiceQuotas"),
            defaults: Pages::new("servicequotas:ListAWSDefaultServiceQuotas"),
            begun: now,
        }
    }

    /// Whether what was read is too old to be gone on with.
    pub(super) fn is_old(&self, now: Timestamp) -> bool {
        after(self.begun, UNFINISHED_MINUTES) <= now
    }

    /// Whether both listings were read to their end.
    pub(super) fn is_whole(&self) -> bool {
        self.applied.is_whole() && self.defaults.is_whole()
    }

    /// Reads both on, the second also where the first fails; returns what failed.
    pub(super) async fn read_on(&mut self, cloud: &dyn Cloud, scope: &Scope) -> Vec<Fault> {
        let applied = self.applied.read_on(|page| cloud.list_quotas(scope, page));
        let applied = applied.await.err();
        let defaults = self
            .defaults
            .read_on(|page| cloud.list_default_quotas(scope, page));
        applied.into_iter().chain(defaults.await.err()).collect()
    }
}

/// The two listings of quotas of one scope, joined by code.
#[derive(Debug)]
pub(super) struct QuotaListings {
    applied: BTreeMap<QuotaCode, ListedQuota>,
    defaults: BTreeMap<QuotaCode, ListedQuota>,
    applied_fault: Option<String>,
    /// When the first page was asked for: what they say is no newer.
    begun: Timestamp,
    /// Whether both listings were read to their end.
    pub is_whole: bool,
}

impl QuotaListings {
    /// Joins the listings; a code that comes twice is the later one.
    pub(super) fn new(pages: &QuotaPages, faults: &[Fault]) -> Self {
        let by_code = |items: &[ListedQuota]| {
            let keyed = items.iter().map(|it| (it.code.clone(), it.clone()));
            keyed.collect::<BTreeMap<_, _>>()
        };
        let failed = faults.first().filter(|_| !pages.applied.is_whole());
        Self {
            applied_fault: failed.map(ToString::to_string),
            begun: pages.begun,
            applied: by_code(&pages.applied.items),
            defaults: by_code(&pages.defaults.items),
            is_whole: pages.is_whole(),
        }
    }

    /// The names of all codes in either listing.
    pub(super) fn names(&self) -> QuotaNames {
        let both = self.defaults.iter().chain(&self.applied);
        let names = both.map(|(code, quota)| (code.clone(), quota.name.clone()));
        let names = names.collect();
        if self.is_whole {
            QuotaNames::whole(&names)
        } else {
            QuotaNames::partial(&names)
        }
    }

    /// What the listings say of each quota.
    pub(super) fn terms(&self) -> BTreeMap<QuotaCode, Terms> {
        let mut terms: BTreeMap<QuotaCode, Terms> = BTreeMap::new();
        for (code, listed) in &self.defaults {
            terms.insert(code.clone(), Terms::of(listed, None, listed.value));
        }
        for (code, listed) in &self.applied {
            let default = self.defaults.get(code).and_then(|it| it.value);
            terms.insert(code.clone(), Terms::of(listed, listed.value, default));
        }
        terms
    }

    /// What to record of one quota.
    pub(super) fn records(
        &self,
        scope: &Scope,
        code: &QuotaCode,
        old: Option<&Quota>,
        now: Timestamp,
    ) -> Vec<Record> {
        let applied = match (self.applied.get(code), &self.applied_fault) {
            (Some(listed), _) => Applied::of(listed),
            (None, Some(fault)) => Applied::Unreadable(fault.clone()),
            (None, None) => Applied::NotRecorded,
        };
        let default = self.defaults.get(code);
        // It was gone on with, and this one was read singly meanwhile.
        if let Some(newer) = old.filter(|old| self.begun < old.read_at && old.stale.is_none()) {
            let default = default.and_then(|it| it.value).or(newer.default);
            let quota = Quota {
                default,
                ..newer.clone()
            };
            return recorded(quota, old, now);
        }
        let any = self.applied.get(code).or(default);
        let fresh = Fresh {
            applied,
            name: any.map(|it| it.name.clone()),
            adjustable: any.map(|it| it.adjustable),
            default: default.and_then(|it| it.value),
        };
        fresh.records(scope, code, old, now)
    }
}

/// What a reading says of the applied value.
#[derive(Clone, Debug)]
enum Applied {
    Value {
        value: Amount,
        name: String,
        adjustable: bool,
    },
    /// The account has no applied value of its own: the default holds.
    NotRecorded,
    Unreadable(String),
}

impl Applied {
    fn of(listed: &ListedQuota) -> Self {
        match (listed.value, &listed.error) {
            (Some(value), _) => Self::Value {
                value,
                name: listed.name.clone(),
                adjustable: listed.adjustable,
            },
            (None, Some(error)) => Self::Unreadable(error.clone()),
            (None, None) => Self::Unreadable("the answer carried no value".to_owned()),
        }
    }
}

/// What was just read of a quota; `None` where it was not read.
#[derive(Debug)]
struct Fresh {
    applied: Applied,
    name: Option<String>,
    adjustable: Option<bool>,
    default: Option<Amount>,
}

impl Fresh {
    /// The quota as it now stands, and its change. Nothing when nothing is known.
    fn records(
        self,
        scope: &Scope,
        code: &QuotaCode,
        old: Option<&Quota>,
        now: Timestamp,
    ) -> Vec<Record> {
        let default = self.default.or(old.and_then(|old| old.default));
        let adjustable = self.adjustable.or(old.map(|old| old.adjustable));
        let name = self.name.or(old.map(|old| old.name.clone()));
        let (applied, name, adjustable, stale) = match self.applied {
            Applied::Value {
                value,
                name,
                adjustable,
            } => (Some(value), Some(name), Some(adjustable), None),
            Applied::NotRecorded => (None, name, adjustable, None),
            Applied::Unreadable(why) => {
                (old.and_then(|old| old.applied), name, adjustable, Some(why))
            }
        };
        let (Some(name), Some(adjustable)) = (name, adjustable) else {
            return Vec::new();
        };
        let read_at = match (&stale, old) {
            (Some(_), Some(old)) => old.read_at,
            (Some(_), None) | (None, _) => now,
        };
        let quota = Quota {
            scope: scope.clone(),
            code: code.clone(),
            name,
            applied,
            default,
            adjustable,
            read_at,
            stale,
        };
        recorded(quota, old, now)
    }
}

/// The quota as it now stands, and its change if another value is in force. The first sight of a quota is no change of it.
fn recorded(quota: Quota, old: Option<&Quota>, now: Timestamp) -> Vec<Record> {
    let new = quota.in_force();
    let change = old.filter(|old| old.in_force() != new).map(|old| {
        Record::QuotaChange(QuotaChange {
            scope: quota.scope.clone(),
            code: quota.code.clone(),
            old: old.in_force(),
            new,
            at: now,
        })
    });
    let quota = Record::Quota(quota);
    std::iter::once(quota).chain(change).collect()
}
