//! Walking a listing to its end: all of it, or an error. A part of a listing proves no absence.

use std::collections::BTreeSet;

use crate::cloud::{Fault, FaultClass, Page};

/// Most pages of one listing: 10,000 entries at 100 a page, far more than a desk holds in 90 days.
pub(super) const MOST_PAGES: usize = 100;

/// Why a listing could not be read to its end.
#[derive(Debug)]
pub(super) enum Cut {
    /// What was to be listed does not exist, so it holds nothing.
    NotFound,
    /// The account's support plan has no API.
    NoPlan,
    /// Read in part, or not at all.
    Failed(String),
}

/// All entries of a listing, in the order they came. `what` names it, such as `the cases`.
pub(super) async fn all<T, F, Answer>(what: &str, mut fetch: F) -> Result<Vec<T>, Cut>
where
    F: FnMut(Option<String>) -> Answer,
    Answer: Future<Output = Result<Page<T>, Fault>>,
{
    let mut found = Vec::new();
    let mut tokens = BTreeSet::new();
    let mut token = None;
    for number in 1..=MOST_PAGES {
        let page = fetch(token).await.map_err(|fault| match fault.class {
            FaultClass::NotFound if number == 1 => Cut::NotFound,
            FaultClass::NoPlan if number == 1 => Cut::NoPlan,
            FaultClass::NotFound
            | FaultClass::Throttled
            | FaultClass::Denied
            | FaultClass::Invalid
            | FaultClass::Exists
            | FaultClass::Full
            | FaultClass::NoPlan
            | FaultClass::Server
            | FaultClass::Connect
            | FaultClass::Lost
            | FaultClass::Garbled => Cut::Failed(format!(
                "page {number} of {what} could not be read: {fault}"
            )),
        })?;
        found.extend(page.items);
        let Some(next) = page.next else {
            return Ok(found);
        };
        if !tokens.insert(next.clone()) {
            let why = format!("page {number} of {what} leads back to an earlier page");
            return Err(Cut::Failed(why));
        }
        token = Some(next);
    }
    let why = format!("{what} have more than {MOST_PAGES} pages; the end was not reached");
    Err(Cut::Failed(why))
}
