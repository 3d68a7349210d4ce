//! The end of a case: its last words, and its close.

use super::{
    super::{BUSY_WAIT, failed, pages},
    is_by_others, is_marked, none_if_missing,
};
use crate::{
    cloud::{Caller, Case, CaseFilter, Cloud, Communication, FaultClass},
    model::{
        ids::{CaseId, Marker, RequestId, Scope},
        outcome::Outcome,
    },
};

/// The status of a case that is over.
const CLOSED: &str = "resolved";
/// The status of a case in which AWS waits for an answer.
const WAITS: &str = "pending-customer-action";
/// Minutes until a case in which AWS asks something is looked at again: a person has to answer.
const ANSWER_WAIT: i64 = 60;

/// What makes a case ours.
#[derive(Clone, Copy, Debug)]
pub(in crate::act::perform) struct Ours<'a> {
    /// It stands in the case.
    marker: &'a Marker,
    /// What Service Quotas opened it for, if it did.
    request: Option<&'a RequestId>,
    /// Who made that.
    us: &'a Caller,
}

impl<'a> Ours<'a> {
    pub(in crate::act::perform) const fn of(
        marker: &'a Marker,
        request: Option<&'a RequestId>,
        us: &'a Caller,
    ) -> Self {
        Self {
            marker,
            request,
            us,
        }
    }
}

/// Says the last words in a case, or closes it: only one that is ours, and in which nobody but AWS and we have spoken.
pub(in crate::act::perform) async fn end_case(
    cloud: &dyn Cloud,
    scope: &Scope,
    case: &CaseId,
    ours: Ours<'_>,
    thanks: Option<(&str, Marker)>,
) -> Outcome {
    let done = || Outcome::Done {
        reference: case.to_string(),
    };
    let found = match of_id(cloud, scope, case).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            let why = format!("case {case} is not among the cases of the account");
            return Outcome::Never { why };
        }
        Err(why) => return not_looked(&why),
    };
    // What is closed needs no thanks any more, which would open it again.
    if found.status == CLOSED {
        return done();
    }
    let said = match communications(cloud, scope, case).await {
        Ok(said) => said,
        Err(why) => return not_looked(&why),
    };
    if let Some(why) = not_ours(&found, &said, ours.marker) {
        return Outcome::Never { why };
    }
    match asked_by_others(cloud, scope, ours).await {
        Ok(None) => {}
        Ok(Some(why)) => return Outcome::Never { why },
        Err(why) => return not_looked(&why),
    }
    if let Some((words, marker)) = thanks {
        if said.iter().any(|it| is_marked(it, &marker)) {
            return done();
        }
        return match cloud.add_communication(scope, case, words, None).await {
            Ok(()) => done(),
            Err(fault) => failed("the thanks", &fault),
        };
    }
    if found.status == WAITS {
        return Outcome::NotYet {
            wait_minutes: ANSWER_WAIT,
            why: format!("AWS asks something in case {case}: answer it, or close it by hand"),
        };
    }
    match cloud.resolve_case(scope, case).await {
        Ok(()) => done(),
        Err(fault) => failed("the end of the case", &fault),
    }
}

fn not_looked(why: &str) -> Outcome {
    Outcome::NotYet {
        wait_minutes: BUSY_WAIT,
        why: format!("whose case it is could not be looked up: {why}"),
    }
}

/// Why the request behind it is not ours, where that is known. What the history has no more says nothing.
async fn asked_by_others(
    cloud: &dyn Cloud,
    scope: &Scope,
    ours: Ours<'_>,
) -> Result<Option<String>, String> {
    let Some(id) = ours.request else {
        return Ok(None);
    };
    let request = match cloud.get_quota_request(scope, id).await {
        Ok(request) => request,
        Err(fault) if fault.class == FaultClass::NotFound => return Ok(None),
        Err(fault) => return Err(fault.to_string()),
    };
    let by = request
        .requester
        .as_ref()
        .filter(|_| is_by_others(&request, ours.us));
    Ok(by.map(|by| format!("{by} made request {id}: its case is theirs to close")))
}

/// Why it is not for us to end it. The words that opened a case are those of whoever asked, and in one of Service Quotas
/// not ours; all that was said later is AWS's or begins with a marker.
fn not_ours(case: &Case, said: &[Communication], ours: &Marker) -> Option<String> {
    let is_marked_there =
        case.subject.contains(ours.as_str()) || said.iter().any(|it| is_marked(it, ours));
    if !is_marked_there {
        return Some(format!("nothing in case {} carries {ours}", case.id));
    }
    let first = said
        .iter()
        .enumerate()
        .min_by_key(|(_, it)| (it.created.is_none(), it.created));
    let first = first.map(|(index, _)| index);
    let by_others = said.iter().enumerate().any(|(index, it)| {
        let is_service = it.body.trim_start().starts_with(Marker::BEGINS);
        Some(index) != first && !it.is_of_aws() && !is_service
    });
    by_others.then(|| {
        format!(
            "somebody else has written in case {}: it is theirs to close",
            case.id
        )
    })
}

/// The id of the case, if it is closed.
pub(in crate::act::perform) async fn find_closed(
    cloud: &dyn Cloud,
    scope: &Scope,
    case: &CaseId,
) -> Result<Option<String>, String> {
    let found = of_id(cloud, scope, case).await?;
    let closed = found.filter(|it| it.status == CLOSED);
    Ok(closed.map(|it| it.id.to_string()))
}

async fn of_id(cloud: &dyn Cloud, scope: &Scope, case: &CaseId) -> Result<Option<Case>, String> {
    let filter = CaseFilter::Case(case.clone());
    let what = format!("case {case}");
    let fetch = |page| cloud.list_cases(scope, &filter, page);
    let cases = none_if_missing(pages::all(&what, fetch).await)?;
    Ok(cases.into_iter().find(|it| it.id == *case))
}

async fn communications(
    cloud: &dyn Cloud,
    scope: &Scope,
    case: &CaseId,
) -> Result<Vec<Communication>, String> {
    let what = format!("the communications of {case}");
    let fetch = |page| cloud.list_communications(scope, case, page);
    none_if_missing(pages::all(&what, fetch).await)
}
