//! Service Quotas: values over time, increase requests and their limits. What the desk decides is in `desk`.

use std::collections::BTreeMap;

use super::{
    ApiError, hash,
    kernel::Kernel,
    quota_table::{self, QuotaRow},
    world::World,
};
use crate::model::{
    desk::RequestStatus,
    ids::{DisplayId, PrincipalArn, QuotaCode, RequestId, Scope},
    time::{SignedDuration, Timestamp},
};

/// Open requests at once in one Region of an account.
const OPEN_PER_REGION: usize = 2;
/// Open requests at once in an account.
const OPEN_PER_ACCOUNT: usize = 20;
/// The only service that the simulated Service Quotas knows.
pub(crate) const SERVICE_CODE: &str = "bedrock";
/// Service Quotas tells of requests this old at most.
const HISTORY: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The highest value that can be asked for.
const HIGHEST: f64 = 1e10;

/// All quotas of all accounts and Regions, and the requests for them.
#[derive(Debug)]
pub(crate) struct QuotaBook {
    scopes: Vec<Scope>,
    special: Vec<BTreeMap<QuotaCode, Special>>,
    /// All requests ever made, oldest first.
    pub(crate) requests: Vec<Request>,
}

/// What differs from the table in one account and Region.
#[derive(Clone, Debug, Default)]
struct Special {
    default: Option<f64>,
    adjustable: Option<bool>,
    /// Applied values with the instant from which each holds, oldest first.
    applied: Vec<(Timestamp, f64)>,
}

/// The applied values of one quota in one account and Region.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values<'a> {
    special: Option<&'a Special>,
    pub(crate) row: &'static QuotaRow,
}

impl Values<'_> {
    /// The one that holds at this instant.
    pub(crate) fn at(&self, at: Timestamp) -> f64 {
        applied(self.special, self.row, at)
    }
}

/// A quota as one account sees it in one Region.
#[derive(Clone, Debug)]
pub(crate) struct QuotaView {
    pub(crate) row: &'static QuotaRow,
    pub(crate) applied: f64,
    pub(crate) default: f64,
    pub(crate) is_adjustable: bool,
}

/// An increase request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) id: RequestId,
    pub(crate) scope: Scope,
    pub(crate) code: QuotaCode,
    /// The applied value when it was made.
    pub(crate) before: f64,
    pub(crate) desired: f64,
    /// Who made it.
    pub(crate) by: PrincipalArn,
    pub(crate) status: RequestStatus,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// The number of its case, once there is one.
    pub(crate) display: Option<DisplayId>,
    /// How many requests for this quota came before.
    pub(crate) nth: usize,
}

impl QuotaBook {
    pub(crate) fn new(world: &World) -> Self {
        let scopes = world.scopes();
        let mut special = vec![BTreeMap::new(); scopes.len()];
        for ((scope, code), given) in &world.quotas {
            let index = scopes.iter().position(|known| known == scope);
            if let Some(codes) = index.and_then(|index| special.get_mut(index)) {
                let since = |value| (Timestamp::MIN, value);
                let entry = Special {
                    default: given.default,
                    adjustable: given.adjustable,
                    applied: given.applied.map(since).into_iter().collect(),
                };
                codes.insert(code.clone(), entry);
            }
        }
        Self {
            scopes,
            special,
            requests: Vec::new(),
        }
    }

    /// The index of an account and Region; out of range where the world has none, which no quota is then found in.
    pub(crate) fn scope_index(&self, scope: &Scope) -> usize {
        self.scopes
            .iter()
            .position(|known| known == scope)
            .unwrap_or(usize::MAX)
    }

    /// The applied values of a quota, to be asked for many minutes.
    pub(crate) fn values(&self, scope: usize, code: &QuotaCode) -> Option<Values<'_>> {
        Some(Values {
            special: self.special.get(scope)?.get(code),
            row: quota_table::rows().get(code)?,
        })
    }

    /// The applied value at an instant.
    fn value_at(&self, scope: usize, code: &QuotaCode, at: Timestamp) -> Option<f64> {
        Some(self.values(scope, code)?.at(at))
    }

    /// The quota as of `now`.
    pub(crate) fn view(
        &self,
        scope: &Scope,
        code: &QuotaCode,
        now: Timestamp,
    ) -> Option<QuotaView> {
        let special = self.special.get(self.scope_index(scope))?;
        let row = quota_table::rows().get(code)?;
        Some(view_of(special.get(code), row, now))
    }

    /// All quotas as of `now`, by code.
    fn views(&self, scope: &Scope, now: Timestamp) -> Vec<QuotaView> {
        let special = self.special.get(self.scope_index(scope));
        let rows = quota_table::rows().iter().filter_map(|(code, row)| {
            let special = special?.get(code);
            Some(view_of(special, row, now))
        });
        rows.collect()
    }

    /// From `at` on, this value is applied.
    pub(crate) fn apply(&mut self, scope: &Scope, code: &QuotaCode, at: Timestamp, value: f64) {
        let index = self.scope_index(scope);
        if let Some(codes) = self.special.get_mut(index) {
            codes
                .entry(code.clone())
                .or_default()
                .applied
                .push((at, value));
        }
    }

    /// The quotas that are not what the table says, or were asked for: (scope, code, applied).
    pub(crate) fn notable(&self, now: Timestamp) -> Vec<(Scope, QuotaCode, f64)> {
        let all = self.scopes.iter().zip(&self.special).enumerate();
        let mut notable: BTreeMap<(Scope, QuotaCode), f64> = BTreeMap::new();
        for (index, (scope, codes)) in all {
            let asked = self
                .requests
                .iter()
                .filter(|request| request.scope == *scope);
            for code in codes.keys().chain(asked.map(|request| &request.code)) {
                if let Some(value) = self.value_at(index, code, now) {
                    notable.insert((scope.clone(), code.clone()), value);
                }
            }
        }
        notable
            .into_iter()
            .map(|((scope, code), value)| (scope, code, value))
            .collect()
    }

    /// When each applied value of this quota came to hold, oldest first; the first is from before time.
    pub(crate) fn applied_history(&self, scope: &Scope, code: &QuotaCode) -> Vec<(Timestamp, f64)> {
        let special = self
            .special
            .get(self.scope_index(scope))
            .and_then(|codes| codes.get(code));
        special
            .map(|special| special.applied.clone())
            .unwrap_or_default()
    }
}

fn view_of(special: Option<&Special>, row: &'static QuotaRow, now: Timestamp) -> QuotaView {
    QuotaView {
        row,
        applied: applied(special, row, now),
        default: special
            .and_then(|special| special.default)
            .unwrap_or(row.default),
        is_adjustable: special
            .and_then(|special| special.adjustable)
            .unwrap_or(row.is_adjustable),
    }
}

fn applied(special: Option<&Special>, row: &QuotaRow, at: Timestamp) -> f64 {
    let special = special.and_then(|special| {
        let since = special.applied.iter().rev().find(|(from, _)| *from <= at);
        since.map(|(_, value)| *value).or(special.default)
    });
    special.unwrap_or(row.default)
}

impl Kernel {
    /// All quotas of the service, by code.
    pub(crate) fn quotas(&self, scope: &Scope) -> Result<Vec<QuotaView>, ApiError> {
        self.known_scope(scope)?;
        Ok(self.quotas.views(scope, self.now))
    }

    /// One quota.
    pub(crate) fn quota(&self, scope: &Scope, code: &QuotaCode) -> Result<QuotaView, ApiError> {
        self.known_scope(scope)?;
        self.quotas.view(scope, code, self.now).ok_or_else(|| {
            let text = "The request failed because the specified quota does not exist.";
            ApiError::client("NoSuchResourceException", text)
        })
    }

    /// Files an increase request.
    pub(crate) fn request_increase(
        &mut self,
        scope: &Scope,
        code: &QuotaCode,
        desired: f64,
        by: &PrincipalArn,
    ) -> Result<Request, ApiError> {
        let quota = self.quota(scope, code)?;
        check_desired(&quota, desired)?;
        let same = |request: &&Request| request.scope == *scope && request.code == *code;
        let earlier: Vec<&Request> = self.quotas.requests.iter().filter(same).collect();
        if earlier.iter().any(|request| request.status.is_open()) {
            let text = "Only one open service quota increase request is allowed per quota.";
            return Err(ApiError::client("ResourceAlreadyExistsException", text));
        }
        let nth = earlier.len();
        let open = |within: &dyn Fn(&Request) -> bool| {
            let requests = self.quotas.requests.iter();
            requests
                .filter(|request| request.status.is_open() && within(request))
                .count()
        };
        if open(&|request| request.scope == *scope) >= OPEN_PER_REGION
            || open(&|request| request.scope.account == scope.account) >= OPEN_PER_ACCOUNT
        {
            let text =
                "You have exceeded your service quota: too many open quota increase requests.";
            return Err(ApiError::client("QuotaExceededException", text));
        }
        let number = u64::try_from(self.quotas.requests.len()).unwrap_or(u64::MAX);
        let [high, low] = [1, 2].map(|part| hash::mix(&[self.seed, part, 0x5155_4F54, number]));
        let request = Request {
            id: RequestId::new(format!("{high:016x}{low:016x}")),
            scope: scope.clone(),
            code: code.clone(),
            before: quota.applied,
            desired,
            by: by.clone(),
            status: RequestStatus::Pending,
            created: self.now,
            updated: self.now,
            display: None,
            nth,
        };
        self.quotas.requests.push(request.clone());
        self.begin_request(self.quotas.requests.len() - 1);
        Ok(request)
    }

    /// One request of this account and Region.
    pub(crate) fn increase_request(
        &self,
        scope: &Scope,
        id: &RequestId,
    ) -> Result<Request, ApiError> {
        let found = self
            .quotas
            .requests
            .iter()
            .find(|request| request.id == *id && request.scope == *scope);
        found.cloned().ok_or_else(|| {
            let text = "The specified quota increase request does not exist.";
            ApiError::client("NoSuchResourceException", text)
        })
    }

    /// The requests of the last 90 days, newest first.
    pub(crate) fn increase_history(&self, scope: &Scope, code: Option<&QuotaCode>) -> Vec<Request> {
        let recent = self.quotas.requests.iter().rev().filter(|request| {
            request.scope == *scope
                && code.is_none_or(|code| request.code == *code)
                && self.now.duration_since(request.created) <= HISTORY
        });
        recent.cloned().collect()
    }
}

fn check_desired(quota: &QuotaView, desired: f64) -> Result<(), ApiError> {
    let refuse = |text: String| Err(ApiError::client("IllegalArgumentException", &text));
    if !(0.0..=HIGHEST).contains(&desired) {
        return refuse(format!("DesiredValue must be between 0 and {HIGHEST}"));
    }
    if !quota.is_adjustable {
        return refuse(format!("The quota {} is not adjustable.", quota.row.code));
    }
    // AWS compares with the default even where the applied value is lower.
    if desired <= quota.default {
        let default = quota.default;
        return refuse(format!(
            "You must provide a quota value greater than the default quota value of {default:?}"
        ));
    }
    if desired <= quota.applied {
        let applied = quota.applied;
        return refuse(format!(
            "You must provide a quota value greater than the current quota value of {applied:?}"
        ));
    }
    Ok(())
}
