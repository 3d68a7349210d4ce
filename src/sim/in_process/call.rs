//! How a call in process is made: counted, drawn against the faults, carried out.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::convert::{failed, refused};
use crate::{
    cloud::{Access, CallCounts, Fault, Page},
    model::{
        ids::{AccountId, Scope},
        spend::{Calls, Site},
    },
    sim::{
        ApiError, Sim,
        api::page,
        faults::{Faults, Happened},
        kernel::Kernel,
    },
};

#[derive(Debug)]
pub(super) struct InProcess {
    pub(super) sim: Arc<Sim>,
    pub(super) caller: AccountId,
    pub(super) access: BTreeMap<AccountId, Access>,
    pub(super) faults: Arc<Faults>,
    pub(super) counts: Mutex<CallCounts>,
}

impl InProcess {
    /// Carries out one call, or what a fault leaves of it.
    pub(super) fn call<T>(
        &self,
        operation: &'static str,
        scope: &Scope,
        act: impl FnOnce(&mut Kernel) -> Result<T, ApiError>,
    ) -> Result<T, Fault> {
        self.billed_call(operation, scope, 0, act)
    }

    /// As [`InProcess::call`], for one that asks for so many series. What arrives is counted, whatever the answer.
    pub(super) fn billed_call<T>(
        &self,
        operation: &'static str,
        scope: &Scope,
        series: usize,
        act: impl FnOnce(&mut Kernel) -> Result<T, ApiError>,
    ) -> Result<T, Fault> {
        let access = self.access.get(&scope.account);
        if access.is_some_and(|it| it.is_metrics_only) {
            return Err(Fault::no_way(operation, scope));
        }
        let fault = self.faults.call(operation);
        if fault == Some(Happened::Connect) {
            return Err(failed(operation, Happened::Connect));
        }
        self.tally(Some(scope), operation, series);
        let mut kernel = self.sim.kernel();
        kernel.count(operation, series);
        if let Some(fault) = fault.filter(|fault| !fault.has_effect()) {
            return Err(failed(operation, fault));
        }
        let answer = self
            .may_enter(&kernel, scope)
            .and_then(|()| act(&mut kernel));
        match fault {
            Some(fault) => Err(failed(operation, fault)),
            None => answer.map_err(|error| refused(operation, error)),
        }
    }

    /// One page of a listing, with the odd pages that faults make.
    pub(super) fn list<T>(
        &self,
        operation: &'static str,
        scope: &Scope,
        token: Option<&str>,
        size: usize,
        all: impl FnOnce(&mut Kernel) -> Result<Vec<T>, ApiError>,
    ) -> Result<Page<T>, Fault> {
        let odd = self.faults.page(operation, false);
        let size = if odd == Some(Happened::PartialPage) {
            size.div_ceil(7)
        } else {
            size
        };
        self.call(operation, scope, |kernel| {
            let (items, next) = page(all(kernel)?, token, size, "InvalidNextToken")?;
            let again = || Some(token.unwrap_or("p-0").to_owned());
            Ok(Page {
                items,
                next: if odd == Some(Happened::RepeatedPage) {
                    again()
                } else {
                    next
                },
            })
        })
    }

    /// Whom the metrics of this scope are asked of.
    pub(super) fn asked_for_metrics(&self, scope: &Scope) -> Scope {
        let access = self.access.get(&scope.account);
        let through = access.and_then(|it| it.metrics_through.clone());
        Scope {
            account: through.unwrap_or_else(|| scope.account.clone()),
            region: scope.region.clone(),
        }
    }

    fn may_enter(&self, kernel: &Kernel, scope: &Scope) -> Result<(), ApiError> {
        let account = kernel.world.account(&scope.account);
        if account.is_some_and(|known| known.is_assumable || known.id == self.caller) {
            return Ok(());
        }
        let text = format!(
            "{} may not assume a role in account {}",
            self.caller, scope.account
        );
        Err(ApiError::client("AccessDenied", &text))
    }

    pub(super) fn tally(&self, scope: Option<&Scope>, operation: &'static str, series: usize) {
        let site = Site {
            scope: scope.cloned(),
            operation: operation.to_owned(),
        };
        let made = Calls {
            requests: 1,
            metrics: u64::try_from(series).unwrap_or(u64::MAX),
        };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.add(site, made);
    }
}
