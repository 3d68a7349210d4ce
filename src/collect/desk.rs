//! What AWS says of the quota requests and cases that we follow.

mod twins;

use std::collections::BTreeSet;

use super::Gathered;
use super::pages::all_pages;
use crate::cloud::{CaseFilter, Cloud, Communication, Fault, FaultClass};
use crate::model::book::Book;
use crate::model::desk::{Ask, DeskReading, NO_PLAN_MINUTES};
use crate::model::ids::{AccountId, Scope};
use crate::model::time::{Timestamp, after};

pub use twins::find_twins;

/// Polls every open request and case of this scope that was last polled at or before `due_before`, in the order of
/// their ids.
///
/// Of a request first its status, then the case behind its number, once there is one. An account whose plan has no
/// Support API is told once and not asked for cases again in this poll.
pub async fn poll_desk(
    cloud: &dyn Cloud,
    scope: &Scope,
    book: &Book,
    due_before: Timestamp,
) -> Gathered<Vec<DeskReading>> {
    let mut poll = Poll {
        cloud,
        found: Vec::new(),
        faults: Vec::new(),
        without_plan: without_plan(book, due_before),
        throttled: BTreeSet::new(),
    };
    let asks = book.asks.values().filter(|ask| ask.scope == *scope);
    for ask in asks.filter(|ask| ask.is_in_the_way(due_before) && ask.polled <= due_before) {
        poll.ask(ask).await;
    }
    let cases = book.investigations.values();
    let cases = cases.filter(|case| case.scope == *scope);
    for case in cases.filter(|case| case.ended.is_none() && case.polled <= due_before) {
        let filter = CaseFilter::Case(case.case.clone());
        poll.case(&case.scope, &filter).await;
    }
    Gathered {
        found: poll.found,
        faults: poll.faults,
    }
}

/// Accounts of which Support said lately that their plan has no API: it is not asked again so soon.
fn without_plan(book: &Book, at: Timestamp) -> BTreeSet<AccountId> {
    let asks = book.asks.values();
    let lacking = asks.filter(|it| it.no_plan.is_some_and(|no| at < after(no, NO_PLAN_MINUTES)));
    lacking.map(|it| it.scope.account.clone()).collect()
}

#[derive(Debug)]
struct Poll<'a> {
    cloud: &'a dyn Cloud,
    found: Vec<DeskReading>,
    faults: Vec<Fault>,
    without_plan: BTreeSet<AccountId>,
    /// Scopes and services that asked us to slow down: the rest waits for the next poll.
    throttled: BTreeSet<(Scope, &'static str)>,
}

impl Poll<'_> {
    async fn ask(&mut self, ask: &Ask) {
        let mut display = ask.display.clone();
        let pace = (ask.scope.clone(), "quotas");
        if !self.throttled.contains(&pace) {
            match self.cloud.get_quota_request(&ask.scope, &ask.request).await {
                Ok(request) => {
                    display = request.display.or(display);
                    self.found.push(DeskReading::Request {
                        request: ask.request.clone(),
                        status: request.status,
                        display: display.clone(),
                    });
                }
                Err(fault) => self.failed(pace, fault),
            }
        }
        if let Some(display) = display {
            self.case(&ask.scope, &CaseFilter::Display(display)).await;
        }
    }

    async fn case(&mut self, scope: &Scope, filter: &CaseFilter) {
        let pace = (scope.clone(), "cases");
        if self.without_plan.contains(&scope.account) || self.throttled.contains(&pace) {
            return;
        }
        let cloud = self.cloud;
        let cases = all_pages("support:DescribeCases", |page| {
            cloud.list_cases(scope, filter, page)
        })
        .await;
        let wanted = cases.items.into_iter().find(|case| match filter {
            CaseFilter::Display(display) => case.display == *display,
            CaseFilter::Case(id) => case.id == *id,
            CaseFilter::After(_) => false,
        });
        match (wanted, cases.fault) {
            (Some(case), _) => self.found.push(DeskReading::Case {
                case: case.id,
                display: case.display,
                status: case.status,
                is_answered: case.recent.iter().any(Communication::is_of_aws),
            }),
            (None, Some(fault)) if fault.class == FaultClass::NoPlan => {
                self.without_plan.insert(scope.account.clone());
                self.found.push(DeskReading::NoPlan {
                    scope: scope.clone(),
                });
            }
            (None, Some(fault)) => self.failed(pace, fault),
            (None, None) => self.faults.push(not_listed(filter)),
        }
    }

    fn failed(&mut self, pace: (Scope, &'static str), fault: Fault) {
        if fault.class == FaultClass::Throttled {
            self.throttled.insert(pace);
        }
        self.faults.push(fault);
    }
}

fn not_listed(filter: &CaseFilter) -> Fault {
    let which = match filter {
        CaseFilter::Display(display) => format!("case number {display}"),
        CaseFilter::Case(case) => format!("case {case}"),
        CaseFilter::After(after) => format!("a case after {after}"),
    };
    Fault {
        operation: "support:DescribeCases",
        code: "NotListed".to_owned(),
        message: format!("{which} was asked for by its id and is not in the answer"),
        class: FaultClass::NotFound,
    }
}

#[cfg(test)]
mod tests;
