//! The port of a process that ends at a call, or hangs in an account that is dark.

#![expect(
    clippy::expect_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bedrock_ops_alert::{
    cloud::{
        Access, Answer, CallCounts, Caller, Case, CaseFilter, Cloud, Communication, Fault,
        FaultClass, FoundationModel, ListedQuota, LogAnswer, LogQuery, Metric, MetricQuery,
        MetricRequest, MetricResult, NewCase, Page, Post, Profile, Publication, QuotaRequest,
        Simulated, Simulation,
    },
    model::{
        ids::{AccountId, CaseId, QuotaCode, Region, RequestId, Scope, TargetId},
        time::Minute,
        units::Amount,
    },
};
use tokio::sync::{Notify, watch};

/// Ends the process at a call: the call never returns, and whoever runs the cycle drops it.
#[derive(Debug, Default)]
pub(crate) struct Crash {
    is_armed: AtomicBool,
    is_after: AtomicBool,
    calls_left: AtomicU64,
    pub(super) told: Notify,
    /// An account in which calls hang until the light comes back.
    pub(super) dark: watch::Sender<Option<AccountId>>,
    /// Accounts whose role lets nobody in.
    pub(super) refused: watch::Sender<BTreeSet<AccountId>>,
    /// An account in which calls panic.
    pub(super) broken: watch::Sender<Option<AccountId>>,
    /// Nobody who is to be told answers.
    pub(super) is_deaf: AtomicBool,
}

impl Crash {
    /// Waits where the account is dark.
    async fn find_light(&self, scope: Option<&Scope>) {
        let mut dark = self.dark.subscribe();
        let is_light = |dark: &Option<AccountId>| {
            scope.is_none_or(|scope| *dark != Some(scope.account.clone()))
        };
        dark.wait_for(is_light)
            .await
            .expect("the switch outlives its watchers");
    }

    fn break_off(&self, scope: Option<&Scope>) {
        let broken = self.broken.borrow();
        let is_it = scope.is_some_and(|scope| *broken == Some(scope.account.clone()));
        assert!(!is_it, "planted: a call panics");
    }

    fn refusal(&self, operation: &'static str, scope: Option<&Scope>) -> Option<Fault> {
        let account = &scope?.account;
        self.refused.borrow().contains(account).then(|| Fault {
            operation,
            code: "AccessDenied".to_owned(),
            message: format!("the role of {account} may not be assumed (simulated)"),
            class: FaultClass::Denied,
        })
    }

    fn deaf(&self, operation: &'static str) -> Option<Fault> {
        self.is_deaf.load(Ordering::SeqCst).then(|| Fault {
            operation,
            code: "connect".to_owned(),
            message: "nobody answers (simulated)".to_owned(),
            class: FaultClass::Connect,
        })
    }

    pub(super) fn arm(&self, calls: u64, is_after: bool) {
        self.calls_left.store(calls, Ordering::SeqCst);
        self.is_after.store(is_after, Ordering::SeqCst);
        self.is_armed.store(true, Ordering::SeqCst);
    }

    pub(super) fn disarm(&self) {
        self.is_armed.store(false, Ordering::SeqCst);
    }

    fn is_now(&self) -> bool {
        self.is_armed.load(Ordering::SeqCst)
            && self
                .calls_left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                    left.checked_sub(1)
                })
                .is_err()
    }

    async fn end(&self) -> ! {
        self.told.notify_one();
        std::future::pending().await
    }
}

#[derive(Debug)]
pub(super) struct Crashing {
    pub(super) inner: Arc<dyn Cloud>,
    pub(super) crash: Arc<Crash>,
}

/// Every call may be the last: before its effect, or after it with the answer lost.
macro_rules! crashing {
    ($self:ident, $scope:expr, $call:expr) => {
        crashing!($self, "sts:AssumeRole", $scope, $call)
    };
    ($self:ident, $operation:literal, $scope:expr, $call:expr) => {{
        $self.crash.find_light($scope).await;
        $self.crash.break_off($scope);
        if let Some(fault) = $self.crash.refusal($operation, $scope) {
            return Err(fault);
        }
        let is_now = $self.crash.is_now();
        if is_now && !$self.crash.is_after.load(Ordering::SeqCst) {
            $self.crash.end().await
        }
        let answer = $call.await;
        if is_now {
            $self.crash.end().await
        }
        answer
    }};
}

#[async_trait]
impl Cloud for Crashing {
    fn access(&self, scope: &Scope) -> Access {
        self.inner.access(scope)
    }
    async fn caller(&self, scope: &Scope) -> Result<Caller, Fault> {
        crashing!(self, Some(scope), self.inner.caller(scope))
    }
    async fn list_metrics(
        &self,
        scope: &Scope,
        namespace: &str,
        recently_active: bool,
        page: Option<String>,
    ) -> Result<Page<Metric>, Fault> {
        crashing!(
            self,
            "cloudwatch:ListMetrics",
            Some(scope),
            self.inner
                .list_metrics(scope, namespace, recently_active, page)
        )
    }
    async fn metric_data(
        &self,
        scope: &Scope,
        request: MetricRequest,
    ) -> Result<Page<MetricResult>, Fault> {
        crashing!(self, Some(scope), self.inner.metric_data(scope, request))
    }
    async fn metric_statistics(
        &self,
        scope: &Scope,
        query: &MetricQuery,
        stretch: (Minute, Minute),
    ) -> Result<Vec<(Minute, f64)>, Fault> {
        let call = self.inner.metric_statistics(scope, query, stretch);
        crashing!(self, Some(scope), call)
    }
    async fn list_profiles(
        &self,
        scope: &Scope,
        page: Option<String>,
    ) -> Result<Page<Profile>, Fault> {
        crashing!(self, Some(scope), self.inner.list_profiles(scope, page))
    }
    async fn list_tags(
        &self,
        scope: &Scope,
        profile: &TargetId,
    ) -> Result<BTreeMap<String, String>, Fault> {
        crashing!(self, Some(scope), self.inner.list_tags(scope, profile))
    }
    async fn simulate(
        &self,
        scope: &Scope,
        about: &Simulation,
        page: Option<String>,
    ) -> Result<Page<Simulated>, Fault> {
        crashing!(self, Some(scope), self.inner.simulate(scope, about, page))
    }
    async fn start_query(&self, scope: &Scope, query: &LogQuery) -> Result<String, Fault> {
        crashing!(self, Some(scope), self.inner.start_query(scope, query))
    }
    async fn query_results(&self, scope: &Scope, id: &str) -> Result<LogAnswer, Fault> {
        crashing!(self, Some(scope), self.inner.query_results(scope, id))
    }
    async fn list_regions(
        &self,
        scope: &Scope,
        page: Option<String>,
    ) -> Result<Page<Region>, Fault> {
        crashing!(self, Some(scope), self.inner.list_regions(scope, page))
    }
    async fn list_models(&self, scope: &Scope) -> Result<Vec<FoundationModel>, Fault> {
        crashing!(self, Some(scope), self.inner.list_models(scope))
    }
    async fn list_quotas(
        &self,
        scope: &Scope,
        page: Option<String>,
    ) -> Result<Page<ListedQuota>, Fault> {
        crashing!(self, Some(scope), self.inner.list_quotas(scope, page))
    }
    async fn list_default_quotas(
        &self,
        scope: &Scope,
        page: Option<String>,
    ) -> Result<Page<ListedQuota>, Fault> {
        crashing!(
            self,
            Some(scope),
            self.inner.list_default_quotas(scope, page)
        )
    }
    async fn get_quota(&self, scope: &Scope, code: &QuotaCode) -> Result<ListedQuota, Fault> {
        crashing!(self, Some(scope), self.inner.get_quota(scope, code))
    }
    async fn request_quota(
        &self,
        scope: &Scope,
        code: &QuotaCode,
        desired: Amount,
    ) -> Result<QuotaRequest, Fault> {
        crashing!(
            self,
            Some(scope),
            self.inner.request_quota(scope, code, desired)
        )
    }
    async fn get_quota_request(
        &self,
        scope: &Scope,
        id: &RequestId,
    ) -> Result<QuotaRequest, Fault> {
        crashing!(self, Some(scope), self.inner.get_quota_request(scope, id))
    }
    async fn quota_request_history(
        &self,
        scope: &Scope,
        code: &QuotaCode,
        page: Option<String>,
    ) -> Result<Page<QuotaRequest>, Fault> {
        crashing!(
            self,
            Some(scope),
            self.inner.quota_request_history(scope, code, page)
        )
    }
    async fn attach(&self, scope: &Scope, files: &[(String, &str)]) -> Result<String, Fault> {
        crashing!(self, Some(scope), self.inner.attach(scope, files))
    }
    async fn create_case(&self, scope: &Scope, case: &NewCase) -> Result<CaseId, Fault> {
        crashing!(self, Some(scope), self.inner.create_case(scope, case))
    }
    async fn list_cases(
        &self,
        scope: &Scope,
        filter: &CaseFilter,
        page: Option<String>,
    ) -> Result<Page<Case>, Fault> {
        crashing!(
            self,
            Some(scope),
            self.inner.list_cases(scope, filter, page)
        )
    }
    async fn list_communications(
        &self,
        scope: &Scope,
        case: &CaseId,
        page: Option<String>,
    ) -> Result<Page<Communication>, Fault> {
        crashing!(
            self,
            Some(scope),
            self.inner.list_communications(scope, case, page)
        )
    }
    async fn add_communication(
        &self,
        scope: &Scope,
        case: &CaseId,
        body: &str,
        attachments: Option<&str>,
    ) -> Result<(), Fault> {
        crashing!(
            self,
            Some(scope),
            self.inner.add_communication(scope, case, body, attachments)
        )
    }
    async fn resolve_case(&self, scope: &Scope, case: &CaseId) -> Result<(), Fault> {
        crashing!(self, Some(scope), self.inner.resolve_case(scope, case))
    }
    async fn publish(
        &self,
        scope: &Scope,
        topic_arn: &str,
        publication: &Publication,
    ) -> Result<String, Fault> {
        if let Some(fault) = self.crash.deaf("sns:Publish") {
            return Err(fault);
        }
        crashing!(
            self,
            Some(scope),
            self.inner.publish(scope, topic_arn, publication)
        )
    }
    async fn post(&self, post: &Post) -> Result<Answer, Fault> {
        if let Some(fault) = self.crash.deaf("https:Post") {
            return Err(fault);
        }
        crashing!(self, None, self.inner.post(post))
    }
    fn calls(&self) -> CallCounts {
        self.inner.calls()
    }
}
