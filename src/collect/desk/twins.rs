//! Cases that say what a case of ours says: two services watch the account by mistake, each with a ledger of its own.
//!
//! Nothing at Support refuses a second case. A service looks for one with its marker before it opens its own
//! (`act/perform`); what this finds were opened within the same seconds, or by a service that counts its incidents
//! differently.

use super::super::{Gathered, pages::all_pages};
use crate::{
    cloud::{Case, CaseFilter, Cloud, FaultClass},
    model::{
        book::Book,
        desk::{DeskReading, Investigation},
        ids::Scope,
        time::{DAY, after},
    },
};

/// What markers begin with.
const MARK: &str = "[BOA-";
/// The API's word for a case that is over.
const RESOLVED: &str = "resolved";

/// Lists the cases of this scope since our oldest open one began, and tells of each of ours the oldest other one that is
/// about the same. Asks nothing where no case of ours is open.
pub async fn find_twins(
    cloud: &dyn Cloud,
    scope: &Scope,
    book: &Book,
) -> Gathered<Vec<DeskReading>> {
    let own = book.investigations.values();
    let own: Vec<_> = own
        .filter(|it| it.scope == *scope && it.ended.is_none() && it.twin.is_none())
        .collect();
    let mut found = Vec::new();
    let Some(oldest) = own.iter().map(|it| it.opened).min() else {
        let faults = Vec::new();
        return Gathered { found, faults };
    };
    let filter = CaseFilter::After(after(oldest, -DAY));
    let fetch = |page| cloud.list_cases(scope, &filter, page);
    let listed = all_pages("support:DescribeCases", fetch).await;
    for it in own {
        let Some(case) = listed.items.iter().find(|case| case.id == it.case) else {
            continue;
        };
        // What we opened ourselves is no twin: an earlier incident of the same cause, whose case is not closed yet.
        let others = listed.items.iter();
        let others = others.filter(|other| !book.investigations.contains_key(&other.id));
        let twins = others.filter(|other| is_twin(it, case, other));
        if let Some(twin) = twins.min_by_key(|it| age(it)) {
            found.push(DeskReading::Twin {
                case: it.case.clone(),
                twin: twin.id.clone(),
                number: twin.display.clone(),
                is_older: age(twin) < age(case),
            });
        }
    }
    let faults = listed.fault.into_iter();
    let faults = faults.filter(|it| it.class != FaultClass::NoPlan).collect();
    Gathered { found, faults }
}

/// What sorts the oldest case first; times that can't be read go last, and the ids decide between equals.
fn age(case: &Case) -> impl Ord {
    (case.created.is_none(), case.created, case.id.clone())
}

fn is_twin(it: &Investigation, case: &Case, other: &Case) -> bool {
    let (what, mark) = (
        case.subject.split_once(MARK),
        other.subject.split_once(MARK),
    );
    let says_the_same = what.map(|(what, _)| what) == mark.map(|(what, _)| what);
    other.subject.contains(it.marker.as_str())
        || (mark.is_some() && says_the_same && other.status != RESOLVED)
}
