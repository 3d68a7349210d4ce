//! A scripted port for the tests of this folder: it answers what it was told to and notes what it was asked.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
};

use async_trait::async_trait;

use crate::{
    cloud::{
        Answer, CallCounts, Caller, Case, CaseFilter, Cloud, Communication, Fault, FaultClass,
        FoundationModel, ListedQuota, LogAnswer, LogQuery, Metric, MetricQuery, MetricRequest,
        MetricResult, NewCase, Page, Post, Profile, Publication, QuotaRequest, Simulated,
        Simulation,
    },
    model::{
        ids::{AccountId, CaseId, PrincipalArn, QuotaCode, Region, RequestId, Scope, TargetId},
        time::Minute,
        units::Amount,
    },
};

pub(super) const ACCOUNT: &str = "111122223333";

/// Pages are found by their token, which is their number; a token that names no page repeats the last one.
#[derive(Debug)]
pub(super) struct Fake {
    pub(super) caller: Result<Caller, Fault>,
    /// The answer to every effect; the text is the id.
    pub(super) effect: Result<String, Fault>,
    /// The set that a file comes into.
    pub(super) attached: Result<String, Fault>,
    /// Why words with a file are refused, if they are.
    pub(super) refuses_files: Option<Fault>,
    pub(super) history: Vec<Result<Page<QuotaRequest>, Fault>>,
    pub(super) cases: Vec<Result<Page<Case>, Fault>>,
    pub(super) communications: Vec<Result<Page<Communication>, Fault>>,
    /// What receivers of messages answer, one after the other; then as Slack's webhooks do.
    pub(super) answers: Mutex<VecDeque<Result<Answer, Fault>>>,
    pub(super) asked: Mutex<Vec<String>>,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            caller: Ok(caller_of(ACCOUNT)),
            effect: Ok("id-1".to_owned()),
            attached: Ok("set-1".to_owned()),
            refuses_files: None,
            history: Vec::new(),
            cases: pages(vec![vec![]]),
            communications: pages(vec![vec![]]),
            answers: Mutex::default(),
            asked: Mutex::default(),
        }
    }
}

/// The service in an account.
pub(super) fn caller_of(account: &str) -> Caller {
    let arn = format!("arn:aws:sts::{account}:assumed-role/bedrock-ops-alert/x");
    Caller {
        account: AccountId::new(account),
        arn: Some(PrincipalArn::new(arn)),
    }
}

pub(super) fn fault(class: FaultClass) -> Fault {
    Fault {
        operation: "test:Call",
        code: format!("{class:?}"),
        message: "as scripted".to_owned(),
        class,
    }
}

/// Pages that lead from one to the next.
pub(super) fn pages<T>(pages: Vec<Vec<T>>) -> Vec<Result<Page<T>, Fault>> {
    let last = pages.len();
    pages
        .into_iter()
        .enumerate()
        .map(|(number, items)| {
            let next = (number + 1 < last).then(|| (number + 1).to_string());
            Ok(Page { items, next })
        })
        .collect()
}

impl Fake {
    fn note(&self, call: impl Into<String>) {
        self.asked.lock().unwrap().push(call.into());
    }

    /// What comes of words, with or without a set of files.
    fn written(&self, attachments: Option<&str>) -> Result<String, Fault> {
        match (&self.refuses_files, attachments) {
            (Some(fault), Some(_)) => Err(fault.clone()),
            (Some(_) | None, _) => self.effect.clone(),
        }
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn page<T: Clone>(
    pages: &[Result<Page<T>, Fault>],
    token: Option<String>,
) -> Result<Page<T>, Fault> {
    let number: usize = token.map_or(0, |token| token.parse().unwrap());
    match pages.get(number).or_else(|| pages.last()) {
        Some(page) => page.clone(),
        None => Err(fault(FaultClass::Invalid)),
    }
}

/// What this folder never asks for.
fn unscripted<T>() -> Result<T, Fault> {
    Err(fault(FaultClass::Invalid))
}

#[async_trait]
impl Cloud for Fake {
    async fn caller(&self, scope: &Scope) -> Result<Caller, Fault> {
        self.note(format!("caller {scope}"));
        self.caller.clone()
    }

    async fn list_metrics(
        &self,
        _: &Scope,
        _: &str,
        _: bool,
        _: Option<String>,
    ) -> Result<Page<Metric>, Fault> {
        unscripted()
    }

    async fn metric_data(&self, _: &Scope, _: MetricRequest) -> Result<Page<MetricResult>, Fault> {
        unscripted()
    }

    async fn metric_statistics(
        &self,
        _: &Scope,
        _: &MetricQuery,
        _: (Minute, Minute),
    ) -> Result<Vec<(Minute, f64)>, Fault> {
        unscripted()
    }

    async fn list_profiles(&self, _: &Scope, _: Option<String>) -> Result<Page<Profile>, Fault> {
        unscripted()
    }

    async fn list_tags(&self, _: &Scope, _: &TargetId) -> Result<BTreeMap<String, String>, Fault> {
        unscripted()
    }

    async fn simulate(
        &self,
        _: &Scope,
        _: &Simulation,
        _: Option<String>,
    ) -> Result<Page<Simulated>, Fault> {
        unscripted()
    }

    async fn start_query(&self, _: &Scope, _: &LogQuery) -> Result<String, Fault> {
        unscripted()
    }

    async fn query_results(&self, _: &Scope, _: &str) -> Result<LogAnswer, Fault> {
        unscripted()
    }

    async fn list_regions(&self, _: &Scope, _: Option<String>) -> Result<Page<Region>, Fault> {
        unscripted()
    }

    async fn list_models(&self, _: &Scope) -> Result<Vec<FoundationModel>, Fault> {
        unscripted()
    }

    async fn list_quotas(&self, _: &Scope, _: Option<String>) -> Result<Page<ListedQuota>, Fault> {
        unscripted()
    }

    async fn list_default_quotas(
        &self,
        _: &Scope,
        _: Option<String>,
    ) -> Result<Page<ListedQuota>, Fault> {
        unscripted()
    }

    async fn get_quota(&self, _: &Scope, _: &QuotaCode) -> Result<ListedQuota, Fault> {
        unscripted()
    }

    async fn request_quota(
        &self,
        scope: &Scope,
        code: &QuotaCode,
        desired: Amount,
    ) -> Result<QuotaRequest, Fault> {
        self.note(format!("request {scope} {code} {desired}"));
        self.effect
            .clone()
            .map(|id| super::tests::request(&id, "PENDING", desired, 0))
    }

    async fn get_quota_request(&self, _: &Scope, id: &RequestId) -> Result<QuotaRequest, Fault> {
        self.note(format!("request {id}"));
        let mut requests = self.history.iter().flatten().flat_map(|page| &page.items);
        let found = requests.find(|it| it.id == *id);
        found.cloned().ok_or_else(|| fault(FaultClass::NotFound))
    }

    async fn quota_request_history(
        &self,
        _: &Scope,
        code: &QuotaCode,
        token: Option<String>,
    ) -> Result<Page<QuotaRequest>, Fault> {
        self.note(format!("history {code}"));
        page(&self.history, token)
    }

    async fn attach(&self, scope: &Scope, files: &[(String, &str)]) -> Result<String, Fault> {
        let files = files.iter();
        let files = files.map(|(name, text)| format!("{name} {}", text.lines().count()));
        let files: Vec<String> = files.collect();
        self.note(format!("attach {scope} {}", files.join(", ")));
        self.attached.clone()
    }

    async fn create_case(&self, scope: &Scope, case: &NewCase) -> Result<CaseId, Fault> {
        let (service, severity) = (&case.service_code, &case.severity_code);
        let set = case
            .attachments
            .as_deref()
            .map_or(String::new(), |set| format!(" with {set}"));
        self.note(format!(
            "case {scope} {service} {severity} {}{set}",
            case.subject
        ));
        self.written(case.attachments.as_deref()).map(CaseId::new)
    }

    async fn list_cases(
        &self,
        _: &Scope,
        filter: &CaseFilter,
        token: Option<String>,
    ) -> Result<Page<Case>, Fault> {
        self.note(format!("cases {filter:?}"));
        page(&self.cases, token)
    }

    async fn list_communications(
        &self,
        _: &Scope,
        case: &CaseId,
        token: Option<String>,
    ) -> Result<Page<Communication>, Fault> {
        self.note(format!("communications {case}"));
        page(&self.communications, token)
    }

    async fn add_communication(
        &self,
        _: &Scope,
        case: &CaseId,
        body: &str,
        attachments: Option<&str>,
    ) -> Result<(), Fault> {
        let set = attachments.map_or(String::new(), |set| format!(" with {set}"));
        self.note(format!("comment {case} {body}{set}"));
        self.written(attachments).map(|_| ())
    }

    async fn resolve_case(&self, _: &Scope, case: &CaseId) -> Result<(), Fault> {
        self.note(format!("resolve {case}"));
        self.effect.clone().map(|_| ())
    }

    async fn publish(
        &self,
        scope: &Scope,
        topic: &str,
        publication: &Publication,
    ) -> Result<String, Fault> {
        let Publication {
            subject, message, ..
        } = publication;
        self.note(format!("publish {scope} {topic} {subject} {message}"));
        self.effect.clone()
    }

    async fn post(&self, post: &Post) -> Result<Answer, Fault> {
        self.note(format!("post {} {}", post.url, post.body));
        let answers = self.answers.lock().unwrap().pop_front();
        match answers {
            Some(answer) => answer,
            None => self.effect.clone().map(|_| Answer {
                status: 200,
                retry_after_seconds: None,
                body: "ok".to_owned(),
            }),
        }
    }

    fn calls(&self) -> CallCounts {
        CallCounts::default()
    }
}
