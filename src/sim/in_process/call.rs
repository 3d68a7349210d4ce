//! How a call in process is made: counted, drawn against the faults, carried out.

use std::sync::{Arc, Mutex, PoisonError};

use super::convert::{failed, refused};
use crate::{
    cloud::{CallCounts, Fault, Page},
    model::ids::{AccountId, Scope},
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
        self.tally(operation);
        let fault = self.faults.call(operation);
        if fault == Some(Happened::Connect) {
            return Err(failed(operation, Happened::Connect));
        }
        let mut kernel = self.sim.kernel();
        kernel.count(operation);
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

    pub(super) fn tally(&self, operation: &'static str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.calls.entry(operation.to_owned()).or_insert(0) += 1;
    }
}
