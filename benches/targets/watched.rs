//! The simulated AWS with a meter on the CPU time that it takes itself: that is not the daemon's.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bedrock_ops_alert::{
    cloud::{
        Access, Answer, CallCounts, Caller, Case, CaseFilter, Cloud, Communication, Fault,
        FoundationModel, ListedQuota, LogAnswer, LogQuery, Metric, MetricQuery, MetricRequest,
        MetricResult, NewCase, Page, Post, Profile, Publication, QuotaRequest, Simulated,
        Simulation,
    },
    model::{
        ids::{CaseId, QuotaCode, Region, RequestId, Scope, TargetId},
        time::Minute,
        units::Amount,
    },
};

use crate::process::thread_seconds;

#[derive(Debug)]
pub(crate) struct Watched {
    inner: Arc<dyn Cloud>,
    seconds: Mutex<f64>,
}

impl Watched {
    pub(crate) fn new(inner: Arc<dyn Cloud>) -> Self {
        Self {
            inner,
            seconds: Mutex::new(0.0),
        }
    }

    /// What the simulated AWS took so far.
    pub(crate) fn seconds(&self) -> f64 {
        *self.seconds.lock().unwrap()
    }

    /// Does something at the expense of the simulated AWS.
    pub(crate) fn spend<T>(&self, act: impl FnOnce() -> T) -> T {
        let from = thread_seconds();
        let done = act();
        *self.seconds.lock().unwrap() += thread_seconds() - from;
        done
    }

    /// Awaits an answer, which in process never has to wait.
    async fn watch<T>(&self, answer: impl Future<Output = T>) -> T {
        let from = thread_seconds();
        let answer = answer.await;
        *self.seconds.lock().unwrap() += thread_seconds() - from;
        answer
    }
}

/// Hands methods on to the inner cloud.
macro_rules! handed_on {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Cloud for Watched {
            $(async fn $name(&self, $($argument: $kind),*) -> Result<$answer, Fault> {
                self.watch(self.inner.$name($($argument),*)).await
            })*

            fn access(&self, scope: &Scope) -> Access {
                self.inner.access(scope)
            }

            fn calls(&self) -> CallCounts {
                self.inner.calls()
            }
        }
    };
}

handed_on! {
    caller(scope: &Scope) -> Caller;
    start_query(scope: &Scope, query: &LogQuery) -> String;
    query_results(scope: &Scope, id: &str) -> LogAnswer;
    list_metrics(scope: &Scope, namespace: &str, recent: bool, page: Option<String>) -> Page<Metric>;
    metric_data(scope: &Scope, request: MetricRequest) -> Page<MetricResult>;
    metric_statistics(scope: &Scope, query: &MetricQuery, stretch: (Minute, Minute)) -> Vec<(Minute, f64)>;
    list_profiles(scope: &Scope, page: Option<String>) -> Page<Profile>;
    list_tags(scope: &Scope, profile: &TargetId) -> BTreeMap<String, String>;
    simulate(scope: &Scope, about: &Simulation, page: Option<String>) -> Page<Simulated>;
    list_regions(scope: &Scope, page: Option<String>) -> Page<Region>;
    list_models(scope: &Scope) -> Vec<FoundationModel>;
    list_quotas(scope: &Scope, page: Option<String>) -> Page<ListedQuota>;
    list_default_quotas(scope: &Scope, page: Option<String>) -> Page<ListedQuota>;
    get_quota(scope: &Scope, code: &QuotaCode) -> ListedQuota;
    request_quota(scope: &Scope, code: &QuotaCode, desired: Amount) -> QuotaRequest;
    get_quota_request(scope: &Scope, id: &RequestId) -> QuotaRequest;
    quota_request_history(scope: &Scope, code: &QuotaCode, page: Option<String>) -> Page<QuotaRequest>;
    attach(scope: &Scope, files: &[(String, &str)]) -> String;
    create_case(scope: &Scope, case: &NewCase) -> CaseId;
    list_cases(scope: &Scope, filter: &CaseFilter, page: Option<String>) -> Page<Case>;
    list_communications(scope: &Scope, case: &CaseId, page: Option<String>) -> Page<Communication>;
    add_communication(scope: &Scope, case: &CaseId, body: &str, attachments: Option<&str>) -> ();
    resolve_case(scope: &Scope, case: &CaseId) -> ();
    publish(scope: &Scope, topic_arn: &str, publication: &Publication) -> String;
    post(post: &Post) -> Answer;
}
