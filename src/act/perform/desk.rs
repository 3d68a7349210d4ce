//! AWS's desk: quota requests, cases, comments; each tried once, or looked for.

mod ending;

pub(super) use ending::{Ours, end_case, find_closed};

use super::{
    failed,
    pages::{self, Cut},
    wait,
};
use crate::{
    cloud::{
        Caller, Case, CaseFilter, Cloud, Communication, Fault, FaultClass, NewCase, QuotaRequest,
    },
    model::{
        action::Evidence,
        ids::{CaseId, Marker, QuotaCode, Scope},
        outcome::Outcome,
        policy::CaseCodes,
        time::{DAY, Timestamp, after},
        units::Amount,
    },
};

/// How far AWS's clock may be behind ours, in minutes: beyond that AWS takes no signature of ours.
const CLOCK_SLACK: i64 = 15;
/// How long before the intent cases are listed, in minutes.
const CASES_BEFORE: i64 = DAY;
/// Minutes until a request that AWS says is open may be found in the history.
const HISTORY_WAIT: i64 = 15;
/// How many communications come with a case at most.
const MOST_RECENT: usize = 5;

pub(super) async fn request(
    cloud: &dyn Cloud,
    scope: &Scope,
    code: &QuotaCode,
    wanted: &Wanted<'_>,
    may_be_there: bool,
) -> Outcome {
    const WHAT: &str = "the quota request";
    match cloud.request_quota(scope, code, wanted.desired).await {
        Ok(request) => Outcome::Done {
            reference: request.id.to_string(),
        },
        Err(fault) if fault.class == FaultClass::Exists => {
            adopt(cloud, scope, code, (wanted, may_be_there), &fault).await
        }
        Err(fault) => failed(WHAT, &fault),
    }
}

/// What tells our request from others: its value, that it is not older than the intent, and that nobody else is known to
/// have made it.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    desired: Amount,
    since: Timestamp,
    us: &'a Caller,
}

impl<'a> Wanted<'a> {
    pub(super) const fn of(desired: Amount, since: Timestamp, us: &'a Caller) -> Self {
        Self { desired, since, us }
    }

    fn is(&self, request: &QuotaRequest) -> bool {
        let earliest = after(self.since, -CLOCK_SLACK);
        // A time that can't be read does not prove the request older than the intent.
        request.desired == self.desired
            && request.created.is_none_or(|created| earliest <= created)
            && !is_by_others(request, self.us)
    }

    /// Ours if it is among them, else the newest.
    fn pick(&self, requests: impl Iterator<Item = QuotaRequest>) -> Option<Outcome> {
        let found = requests.max_by_key(|it| (self.is(it), it.status.is_open(), it.created))?;
        Some(if self.is(&found) {
            let reference = found.id.to_string();
            Outcome::Done { reference }
        } else {
            theirs(&found)
        })
    }
}

fn theirs(request: &QuotaRequest) -> Outcome {
    Outcome::Theirs {
        reference: request.id.to_string(),
        desired: request.desired,
    }
}

/// Whether somebody else is known to have made it.
fn is_by_others(request: &QuotaRequest, us: &Caller) -> bool {
    let both = request.requester.as_ref().zip(us.arn.as_ref());
    both.is_some_and(|(requester, us)| requester.is_another_than(us))
}

/// AWS says that a request for this quota is open: it is followed, whoever made it. Where AWS plainly took nothing of ours
/// before, none of it can be there, whatever its value: people file by hand what a proposal names.
async fn adopt(
    cloud: &dyn Cloud,
    scope: &Scope,
    code: &QuotaCode,
    (wanted, may_be_there): (&Wanted<'_>, bool),
    fault: &Fault,
) -> Outcome {
    let not_found = match history(cloud, scope, code).await {
        Ok(requests) => {
            let open = requests.into_iter().filter(|it| it.status.is_open());
            let found = if may_be_there {
                wanted.pick(open)
            } else {
                open.max_by_key(|it| it.created).as_ref().map(theirs)
            };
            if let Some(outcome) = found {
                return outcome;
            }
            "the history shows none".to_owned()
        }
        Err(why) => why,
    };
    // Nothing of ours happened, so this is no doubt: the same answer comes again until the history shows it.
    Outcome::NotYet {
        wait_minutes: HISTORY_WAIT.max(wait(fault)),
        why: format!("a request for {code} is open already, but {not_found}"),
    }
}

/// The request that an attempt after `since` made, or any that is open for this quota: a second one would be refused.
pub(super) async fn find_request(
    cloud: &dyn Cloud,
    scope: &Scope,
    code: &QuotaCode,
    wanted: &Wanted<'_>,
) -> Outcome {
    match history(cloud, scope, code).await {
        Ok(requests) => {
            let standing = requests.into_iter();
            let standing = standing.filter(|it| wanted.is(it) || it.status.is_open());
            wanted.pick(standing).unwrap_or(Outcome::Absent)
        }
        Err(why) => Outcome::CouldNotLook { why },
    }
}

async fn history(
    cloud: &dyn Cloud,
    scope: &Scope,
    code: &QuotaCode,
) -> Result<Vec<QuotaRequest>, String> {
    let what = format!("the requests for {code}");
    let fetch = |page| cloud.quota_request_history(scope, code, page);
    none_if_missing(pages::all(&what, fetch).await)
}

/// What is written to Support, and the files that go with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    body: &'a str,
    evidence: Option<&'a Evidence>,
}

/// The words as they leave, with the set that their files are in.
struct Ready {
    body: String,
    attachments: Option<String>,
}

impl<'a> Words<'a> {
    pub(super) const fn of(body: &'a str, evidence: Option<&'a Evidence>) -> Self {
        Self { body, evidence }
    }

    /// Lays the files aside, and says in the words whether they come with them. Without them the words go all the same: they
    /// are what matters, and nothing that is in the files is not kept here.
    async fn ready(self, cloud: &dyn Cloud, scope: &Scope) -> Ready {
        let Some(files) = self.evidence.map(Evidence::files) else {
            let (body, attachments) = (self.body.to_owned(), None);
            return Ready { body, attachments };
        };
        let names = files.iter().map(|(name, _)| name.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        match cloud.attach(scope, &files).await {
            Ok(set) => Ready {
                body: format!("{}\n{ATTACHED}: {names}.", self.body),
                attachments: Some(set),
            },
            Err(fault) => {
                tracing::warn!(event = "case.unattached", account = %scope.account, region = %scope.region, names, %fault, "the words go without their files");
                self.bare()
            }
        }
    }

    fn bare(self) -> Ready {
        Ready {
            body: format!("{}\n{NOT_ATTACHED}", self.body),
            attachments: None,
        }
    }
}

/// What the words say of their file. Texts leave room for these lines.
const ATTACHED: &str =
    "Attached, the numbers of two weeks by the hour and of the last day by the minute";
const NOT_ATTACHED: &str =
    "The numbers by the hour and minute could not be attached; ask for them.";

/// Whether the words were refused for their file alone, so that they may go without it: nothing has happened.
fn is_about_file(fault: &Fault) -> bool {
    !fault.may_have_happened() && fault.code.starts_with("Attachment")
}

pub(super) async fn open_case(
    cloud: &dyn Cloud,
    scope: &Scope,
    codes: &CaseCodes,
    subject: &str,
    words: Words<'_>,
) -> Outcome {
    let case = |ready: Ready| NewCase {
        subject: subject.to_owned(),
        body: ready.body,
        service_code: codes.service.clone(),
        category_code: codes.category.clone(),
        severity_code: codes.severity.clone(),
        issue_type: codes.issue_type.clone(),
        cc: codes.cc.clone(),
        attachments: ready.attachments,
    };
    let ready = case(words.ready(cloud, scope).await);
    let mut answer = cloud.create_case(scope, &ready).await;
    if answer.as_ref().is_err_and(is_about_file) {
        answer = cloud.create_case(scope, &case(words.bare())).await;
    }
    match answer {
        Ok(case) => Outcome::Done {
            reference: case.to_string(),
        },
        Err(fault) => failed("the support case", &fault),
    }
}

/// The case with this marker, opened around or after `since`: the oldest, should there be several.
pub(super) async fn find_case(
    cloud: &dyn Cloud,
    scope: &Scope,
    marker: &Marker,
    since: Timestamp,
) -> Result<Option<String>, String> {
    let filter = CaseFilter::After(after(since, -CASES_BEFORE));
    let fetch = |page| cloud.list_cases(scope, &filter, page);
    let cases = match pages::all("the cases", fetch).await {
        Ok(cases) => cases,
        Err(Cut::NotFound) => return Err("the cases could not be listed".to_owned()),
        // Without the API no attempt of ours can have opened a case: it was refused like this look, and the answer lost.
        Err(Cut::NoPlan) => return Ok(None),
        Err(Cut::Failed(why)) => return Err(why),
    };
    let mut found: Vec<Case> = Vec::new();
    for case in cases {
        if carries(cloud, scope, &case, marker).await? {
            found.push(case);
        }
    }
    // `None` sorts first and says nothing, so known times go before it.
    let oldest = found
        .into_iter()
        .min_by_key(|case| (case.created.is_none(), case.created));
    Ok(oldest.map(|case| case.id.to_string()))
}

/// Whether the marker is in the subject, or begins a communication of ours.
async fn carries(
    cloud: &dyn Cloud,
    scope: &Scope,
    case: &Case,
    marker: &Marker,
) -> Result<bool, String> {
    if case.subject.contains(marker.as_str()) || case.recent.iter().any(|it| is_marked(it, marker))
    {
        return Ok(true);
    }
    if case.recent.len() < MOST_RECENT {
        return Ok(false);
    }
    // Only the newest come with the case; ours would be the oldest.
    Ok(find_comment(cloud, scope, &case.id, marker)
        .await?
        .is_some())
}

pub(super) async fn comment(
    cloud: &dyn Cloud,
    scope: &Scope,
    case: &CaseId,
    words: Words<'_>,
) -> Outcome {
    let Ready { body, attachments } = words.ready(cloud, scope).await;
    let set = attachments.as_deref();
    let mut answer = cloud.add_communication(scope, case, &body, set).await;
    if answer.as_ref().is_err_and(is_about_file) {
        let Ready { body, .. } = words.bare();
        answer = cloud.add_communication(scope, case, &body, None).await;
    }
    match answer {
        Ok(()) => Outcome::Done {
            reference: case.to_string(), // communications have no id of their own
        },
        Err(fault) => failed("the comment", &fault),
    }
}

/// The id of the case, if a communication of ours in it begins with this marker.
pub(super) async fn find_comment(
    cloud: &dyn Cloud,
    scope: &Scope,
    case: &CaseId,
    marker: &Marker,
) -> Result<Option<String>, String> {
    let what = format!("the communications of {case}");
    let fetch = |page| cloud.list_communications(scope, case, page);
    let communications = match pages::all(&what, fetch).await {
        // Nor can anything have been added; trying it gets the same answer, which ends it.
        Err(Cut::NoPlan) => return Ok(None),
        listing => none_if_missing(listing)?,
    };
    let is_there = communications.iter().any(|it| is_marked(it, marker));
    Ok(is_there.then(|| case.to_string()))
}

/// Whether this is ours: AWS's replies may quote the marker, ours begin with it.
fn is_marked(communication: &Communication, marker: &Marker) -> bool {
    !communication.is_of_aws() && communication.body.trim_start().starts_with(marker.as_str())
}

/// A quota or case that does not exist has no requests and no communications.
fn none_if_missing<T>(listing: Result<Vec<T>, Cut>) -> Result<Vec<T>, String> {
    match listing {
        Ok(items) => Ok(items),
        Err(Cut::NotFound) => Ok(Vec::new()),
        Err(Cut::NoPlan) => Err("the account's support plan has no API any more".to_owned()),
        Err(Cut::Failed(why)) => Err(why),
    }
}
