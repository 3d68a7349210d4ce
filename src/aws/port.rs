//! The port itself: finds the clients of the scope and hands the call on.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{SdkCloud, actions, publish::region_of};
use crate::{
    cloud::{
        Access, Answer, Answers, CallCounts, Caller, Case, CaseFilter, Cloud, Communication, Fault,
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

#[async_trait]
impl Cloud for SdkCloud {
    fn access(&self, scope: &Scope) -> Access {
        self.access.get(&scope.account).cloned().unwrap_or_default()
    }

    async fn caller(&self, scope: &Scope) -> Result<Caller, Fault> {
        self.own(scope, actions::CALLER)?.caller().await
    }

    async fn list_metrics(
        &self,
        scope: &Scope,
        namespace: &str,
        recently_active: bool,
        page: Option<String>,
    ) -> Result<Page<Metric>, Fault> {
        let (clients, of) = self.metrics_of(scope);
        clients
            .list_metrics(of, namespace, recently_active, page)
            .await
    }

    async fn metric_data(
        &self,
        scope: &Scope,
        request: MetricRequest,
    ) -> Result<Page<MetricResult>, Fault> {
        let (clients, of) = self.metrics_of(scope);
        clients.metric_data(of, request).await
    }

    async fn metric_statistics(
        &self,
        scope: &Scope,
        query: &MetricQuery,
        stretch: (Minute, Minute),
    ) -> Result<Vec<(Minute, f64)>, Fault> {
        let (clients, of) = self.metrics_of(scope);
        match of {
            None => clients.metric_statistics(query, stretch).await,
            Some(_) => Err(Fault::no_way(actions::GET_METRIC_STATISTICS, scope)),
        }
    }

    async fn list_profiles(
        &self,
        scope: &Scope,
        page: Option<String>,
    ) -> Result<Page<Profile>, Fault> {
        self.own(scope, actions::LIST_PROFILES)?
            .list_profiles(page)
            .await
    }

    async fn list_tags(
        &self,
        scope: &Scope,
        profile: &TargetId,
    ) -> Result<BTreeMap<String, String>, Fault> {
        self.own(scope, actions::LIST_TAGS)?
            .list_tags(scope, profile)
            .await
    }

    async fn simulate(
        &self,
        scope: &Scope,
        about: &Simulation,
        page: Option<String>,
    ) -> Result<Page<Simulated>, Fault> {
        self.own(scope, actions::SIMULATE)?
            .simulate(about, page)
            .await
    }

    async fn start_query(&self, scope: &Scope, query: &LogQuery) -> Result<String, Fault> {
        self.own(scope, actions::START_QUERY)?
            .start_query(query)
            .await
    }

    async fn query_results(&self, scope: &Scope, id: &str) -> Result<LogAnswer, Fault> {
        self.own(scope, actions::QUERY_RESULTS)?
            .query_results(id)
            .await
    }

    async fn list_regions(
        &self,
        scope: &Scope,
        page: Option<String>,
    ) -> Result<Page<Region>, Fault> {
        self.own(scope, actions::LIST_REGIONS)?
            .list_regions(page)
            .await
    }

    async fn list_models(&self, scope: &Scope) -> Result<Vec<FoundationModel>, Fault> {
        self.own(scope, actions::LIST_MODELS)?.list_models().await
    }

    async fn list_quotas(
        &self,
        scope: &Scope,
        page: Option<String>,
    ) -> Result<Page<ListedQuota>, Fault> {
        self.own(scope, actions::LIST_QUOTAS)?
            .list_quotas(page)
            .await
    }

    async fn list_default_quotas(
        &self,
        scope: &Scope,
        page: Option<String>,
    ) -> Result<Page<ListedQuota>, Fault> {
        self.own(scope, actions::LIST_DEFAULT_QUOTAS)?
            .list_default_quotas(page)
            .await
    }

    async fn get_quota(&self, scope: &Scope, code: &QuotaCode) -> Result<ListedQuota, Fault> {
        self.own(scope, actions::GET_QUOTA)?.get_quota(code).await
    }

    async fn request_quota(
        &self,
        scope: &Scope,
        code: &QuotaCode,
        desired: Amount,
    ) -> Result<QuotaRequest, Fault> {
        self.own(scope, actions::REQUEST_QUOTA)?
            .request_quota(code, desired)
            .await
    }

    async fn get_quota_request(
        &self,
        scope: &Scope,
        id: &RequestId,
    ) -> Result<QuotaRequest, Fault> {
        self.own(scope, actions::GET_QUOTA_REQUEST)?
            .get_quota_request(id)
            .await
    }

    async fn quota_request_history(
        &self,
        scope: &Scope,
        code: &QuotaCode,
        page: Option<String>,
    ) -> Result<Page<QuotaRequest>, Fault> {
        self.own(scope, actions::QUOTA_REQUEST_HISTORY)?
            .quota_request_history(code, page)
            .await
    }

    async fn attach(&self, scope: &Scope, files: &[(String, &str)]) -> Result<String, Fault> {
        self.own(scope, actions::ATTACH)?.attach(files).await
    }

    async fn create_case(&self, scope: &Scope, case: &NewCase) -> Result<CaseId, Fault> {
        self.own(scope, actions::CREATE_CASE)?
            .create_case(case)
            .await
    }

    async fn list_cases(
        &self,
        scope: &Scope,
        filter: &CaseFilter,
        page: Option<String>,
    ) -> Result<Page<Case>, Fault> {
        self.own(scope, actions::LIST_CASES)?
            .list_cases(filter, page)
            .await
    }

    async fn list_communications(
        &self,
        scope: &Scope,
        case: &CaseId,
        page: Option<String>,
    ) -> Result<Page<Communication>, Fault> {
        self.own(scope, actions::LIST_COMMUNICATIONS)?
            .list_communications(case, page)
            .await
    }

    async fn add_communication(
        &self,
        scope: &Scope,
        case: &CaseId,
        body: &str,
        attachments: Option<&str>,
    ) -> Result<(), Fault> {
        self.own(scope, actions::ADD_COMMUNICATION)?
            .add_communication(case, body, attachments)
            .await
    }

    async fn resolve_case(&self, scope: &Scope, case: &CaseId) -> Result<(), Fault> {
        self.own(scope, actions::RESOLVE_CASE)?
            .resolve_case(case)
            .await
    }

    async fn publish(
        &self,
        scope: &Scope,
        topic_arn: &str,
        publication: &Publication,
    ) -> Result<String, Fault> {
        let home = Scope {
            account: scope.account.clone(),
            region: region_of(topic_arn)?,
        };
        self.at(&home).publish(topic_arn, publication).await
    }

    async fn post(&self, post: &Post) -> Result<Answer, Fault> {
        self.webhooks.post(&self.meter, post).await
    }

    fn calls(&self) -> CallCounts {
        self.meter.snapshot()
    }

    fn answers(&self) -> Answers {
        self.meter.answers()
    }
}
