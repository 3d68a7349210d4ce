//! The product's own port, answered in process: the same operations as behind the wire, without HTTP and JSON.

mod call;
mod convert;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use call::InProcess;
use convert::{attributes, case, communication, failed, get_data, listed, requested};

use super::{
    Sim,
    cloudwatch::METRICS_PAGE,
    desk::File,
    faults::{Faults, Happened},
    iam::Question,
    sts::service,
    support::{CaseQuery, NewCase as DeskNewCase},
};
use crate::{
    cloud::{
        Access, Answer, CallCounts, Caller, Case, CaseFilter, Cloud, Communication, Fault,
        FoundationModel, ListedQuota, LogAnswer, LogQuery, Metric, MetricQuery, MetricRequest,
        MetricResult, MetricStatus, NewCase, Page, Post, Profile, Publication, QuotaRequest,
        Simulated, Simulation,
    },
    model::{
        ids::{AccountId, CaseId, QuotaCode, Region, RequestId, Scope, TargetId},
        policy::Account,
        time::Minute,
        units::Amount,
    },
};

/// Items on a page of the other lists.
const LIST_PAGE: usize = 100;
/// Datapoints of a page that a fault cut short.
const SHORT_PAGE: usize = 200;

/// The port in process, as seen by a caller in `account_of_caller`. Calls in other accounts go through a role there,
/// where the world allows one.
#[must_use]
pub fn cloud(sim: &Arc<Sim>, account_of_caller: AccountId, faults: Arc<Faults>) -> Arc<dyn Cloud> {
    linked_cloud(sim, account_of_caller, faults, &[])
}

/// The same, for accounts that are configured: some may be read through others.
#[must_use]
pub fn linked_cloud(
    sim: &Arc<Sim>,
    account_of_caller: AccountId,
    faults: Arc<Faults>,
    accounts: &[Account],
) -> Arc<dyn Cloud> {
    let access = accounts.iter();
    let access = access.map(|account| (account.id.clone(), Access::of(account)));
    Arc::new(InProcess {
        sim: Arc::clone(sim),
        caller: account_of_caller,
        access: access.collect(),
        faults,
        counts: Mutex::default(),
    })
}

#[async_trait]
impl Cloud for InProcess {
    fn access(&self, scope: &Scope) -> Access {
        self.access.get(&scope.account).cloned().unwrap_or_default()
    }

    async fn caller(&self, scope: &Scope) -> Result<Caller, Fault> {
        self.call("sts:GetCallerIdentity", scope, |_| {
            Ok(Caller {
                account: scope.account.clone(),
                arn: Some(service(&scope.account)),
            })
        })
    }

    async fn list_metrics(
        &self,
        scope: &Scope,
        namespace: &str,
        recently_active: bool,
        page: Option<String>,
    ) -> Result<Page<Metric>, Fault> {
        let operation = "cloudwatch:ListMetrics";
        let mut all: Arc<[Metric]> = Arc::default();
        let asked = self.asked_for_metrics(scope);
        // Only the page is copied: a listing may have hundreds of them.
        let places = self.list(operation, &asked, page.as_deref(), METRICS_PAGE, |kernel| {
            if !kernel.sees(&asked.account, &scope.account) {
                return Ok(Vec::new());
            }
            all = kernel.metrics(scope, recently_active)?;
            let own = all.iter().enumerate();
            let own = own.filter(|(_, metric)| metric.namespace == namespace);
            Ok(own.map(|(place, _)| place).collect::<Vec<usize>>())
        })?;
        let items = places.items.into_iter();
        Ok(Page {
            items: items.filter_map(|place| all.get(place).cloned()).collect(),
            next: places.next,
        })
    }

    async fn metric_data(
        &self,
        scope: &Scope,
        request: MetricRequest,
    ) -> Result<Page<MetricResult>, Fault> {
        const OPERATION: &str = "cloudwatch:GetMetricData";
        let series = request.queries.len();
        let odd = self.faults.page(OPERATION, true);
        let datapoints = if odd == Some(Happened::PartialPage) {
            SHORT_PAGE
        } else {
            usize::MAX
        };
        let again = request.page.clone().unwrap_or_else(|| "d-0-0".to_owned());
        let asked = self.asked_for_metrics(scope);
        let call = get_data(request, Some(&scope.account), datapoints);
        let (parts, next) = self.billed_call(OPERATION, &asked, series, |kernel| {
            kernel.metric_data(&asked, &call)
        })?;
        let results = parts.into_iter().filter_map(|part| {
            let query = call.queries.get(part.query)?;
            Some(MetricResult {
                id: query.id.clone(),
                status: part.status,
                points: part.points,
            })
        });
        let mut results: Vec<MetricResult> = results.collect();
        if odd == Some(Happened::InternalError) {
            let victim = self.faults.pick(results.len());
            if let Some(victim) = results.get_mut(victim) {
                victim.status = MetricStatus::InternalError;
                victim.points.clear();
            }
        }
        let next = if odd == Some(Happened::RepeatedPage) {
            Some(again)
        } else {
            next
        };
        Ok(Page {
            items: results,
            next,
        })
    }

    async fn metric_statistics(
        &self,
        scope: &Scope,
        query: &MetricQuery,
        (from, until): (Minute, Minute),
    ) -> Result<Vec<(Minute, f64)>, Fault> {
        const OPERATION: &str = "cloudwatch:GetMetricStatistics";
        if self.access(scope).metrics_through.is_some() {
            return Err(Fault::no_way(OPERATION, scope));
        }
        let request = MetricRequest {
            queries: vec![query.clone()],
            from,
            until,
            page: None,
        };
        let call = get_data(request, None, usize::MAX);
        self.call(OPERATION, scope, |kernel| {
            kernel.metric_statistics(scope, &call)
        })
    }

    async fn list_profiles(
        &self,
        scope: &Scope,
        page: Option<String>,
    ) -> Result<Page<Profile>, Fault> {
        self.list(
            "bedrock:ListInferenceProfiles",
            scope,
            page.as_deref(),
            LIST_PAGE,
            |kernel| kernel.profiles(scope, None),
        )
    }

    async fn list_tags(
        &self,
        scope: &Scope,
        profile: &TargetId,
    ) -> Result<BTreeMap<String, String>, Fault> {
        self.call("bedrock:ListTagsForResource", scope, |kernel| {
            let tags = kernel.tags(scope, profile.as_str())?;
            Ok(tags.into_iter().collect())
        })
    }

    async fn simulate(
        &self,
        scope: &Scope,
        about: &Simulation,
        page: Option<String>,
    ) -> Result<Page<Simulated>, Fault> {
        let operation = "iam:SimulatePrincipalPolicy";
        self.list(operation, scope, page.as_deref(), LIST_PAGE, |kernel| {
            let caller = kernel.caller(&scope.account, about.caller.as_str())?;
            let region = about.context.get("aws:RequestedRegion");
            let each = about.actions.iter().map(|action| {
                let question = Question {
                    action,
                    resource: &about.resource,
                    region: region.map(String::as_str),
                };
                kernel.simulated(&scope.account, caller, question)
            });
            Ok(each.collect())
        })
    }

    async fn start_query(&self, scope: &Scope, query: &LogQuery) -> Result<String, Fault> {
        self.call("logs:StartQuery", scope, |kernel| {
            kernel.start_query(scope, query)
        })
    }

    async fn query_results(&self, scope: &Scope, id: &str) -> Result<LogAnswer, Fault> {
        self.call("logs:GetQueryResults", scope, |kernel| {
            kernel.query_results(scope, id)
        })
    }

    async fn list_regions(
        &self,
        scope: &Scope,
        page: Option<String>,
    ) -> Result<Page<Region>, Fault> {
        self.list(
            "account:ListRegions",
            scope,
            page.as_deref(),
            LIST_PAGE,
            |kernel| kernel.enabled_regions(&scope.account),
        )
    }

    async fn list_models(&self, scope: &Scope) -> Result<Vec<FoundationModel>, Fault> {
        self.call("bedrock:ListFoundationModels", scope, |kernel| {
            kernel.known_scope(scope)?;
            let models = kernel.world.models.values();
            let listed = models.map(|model| FoundationModel {
                id: model.id.to_string(),
                life: model.life.clone(),
                is_on_demand: model.is_on_demand,
            });
            Ok(listed.collect())
        })
    }

    async fn list_quotas(
        &self,
        scope: &Scope,
        page: Option<String>,
    ) -> Result<Page<ListedQuota>, Fault> {
        let operation = "servicequotas:ListServiceQuotas";
        let views = self.list(operation, scope, page.as_deref(), LIST_PAGE, |kernel| {
            kernel.quotas(scope)
        })?;
        Ok(Page {
            items: views
                .items
                .iter()
                .map(|it| listed(it, it.applied))
                .collect(),
            next: views.next,
        })
    }

    async fn list_default_quotas(
        &self,
        scope: &Scope,
        page: Option<String>,
    ) -> Result<Page<ListedQuota>, Fault> {
        let operation = "servicequotas:ListAWSDefaultServiceQuotas";
        let views = self.list(operation, scope, page.as_deref(), LIST_PAGE, |kernel| {
            kernel.quotas(scope)
        })?;
        Ok(Page {
            items: views
                .items
                .iter()
                .map(|it| listed(it, it.default))
                .collect(),
            next: views.next,
        })
    }

    async fn get_quota(&self, scope: &Scope, code: &QuotaCode) -> Result<ListedQuota, Fault> {
        self.call("servicequotas:GetServiceQuota", scope, |kernel| {
            kernel
                .quota(scope, code)
                .map(|quota| listed(&quota, quota.applied))
        })
    }

    async fn request_quota(
        &self,
        scope: &Scope,
        code: &QuotaCode,
        desired: Amount,
    ) -> Result<QuotaRequest, Fault> {
        self.call(
            "servicequotas:RequestServiceQuotaIncrease",
            scope,
            |kernel| {
                kernel
                    .request_increase(scope, code, desired.get(), &service(&scope.account))
                    .map(requested)
            },
        )
    }

    async fn get_quota_request(
        &self,
        scope: &Scope,
        id: &RequestId,
    ) -> Result<QuotaRequest, Fault> {
        self.call(
            "servicequotas:GetRequestedServiceQuotaChange",
            scope,
            |kernel| kernel.increase_request(scope, id).map(requested),
        )
    }

    async fn quota_request_history(
        &self,
        scope: &Scope,
        code: &QuotaCode,
        page: Option<String>,
    ) -> Result<Page<QuotaRequest>, Fault> {
        let operation = "servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota";
        self.list(operation, scope, page.as_deref(), LIST_PAGE, |kernel| {
            let history = kernel.increase_history(scope, Some(code));
            Ok(history.into_iter().map(requested).collect())
        })
    }

    async fn attach(&self, scope: &Scope, files: &[(String, &str)]) -> Result<String, Fault> {
        let files = files.iter().map(|(name, text)| File {
            name: name.clone(),
            data: text.as_bytes().to_vec(),
        });
        let files: Vec<File> = files.collect();
        self.call("support:AddAttachmentsToSet", scope, |kernel| {
            let set = kernel.add_attachments(&scope.account, None, files.clone())?;
            Ok(set.id)
        })
    }

    async fn create_case(&self, scope: &Scope, case: &NewCase) -> Result<CaseId, Fault> {
        let new = DeskNewCase {
            subject: case.subject.clone(),
            body: case.body.clone(),
            service_code: case.service_code.clone(),
            category_code: case.category_code.clone(),
            severity_code: case.severity_code.clone(),
            language: "en".to_owned(),
            cc: case.cc.clone(),
            attachments: case.attachments.clone(),
        };
        self.call("support:CreateCase", scope, |kernel| {
            kernel.create_case(&scope.account, &service(&scope.account), new)
        })
    }

    async fn list_cases(
        &self,
        scope: &Scope,
        filter: &CaseFilter,
        page: Option<String>,
    ) -> Result<Page<Case>, Fault> {
        let mut query = CaseQuery {
            with_resolved: true,
            ..CaseQuery::default()
        };
        match filter {
            CaseFilter::Display(display) => query.display = Some(display.clone()),
            CaseFilter::Case(id) => query.ids.push(id.clone()),
            CaseFilter::After(after) => query.after = Some(*after),
        }
        self.list(
            "support:DescribeCases",
            scope,
            page.as_deref(),
            LIST_PAGE,
            |kernel| {
                let found = kernel.find_cases(&scope.account, &query)?;
                Ok(found.into_iter().map(case).collect())
            },
        )
    }

    async fn list_communications(
        &self,
        scope: &Scope,
        case: &CaseId,
        page: Option<String>,
    ) -> Result<Page<Communication>, Fault> {
        self.list(
            "support:DescribeCommunications",
            scope,
            page.as_deref(),
            LIST_PAGE,
            |kernel| {
                let said = kernel.find_communications(&scope.account, case)?;
                Ok(said.iter().map(communication).collect())
            },
        )
    }

    async fn add_communication(
        &self,
        scope: &Scope,
        case: &CaseId,
        body: &str,
        attachments: Option<&str>,
    ) -> Result<(), Fault> {
        self.call("support:AddCommunicationToCase", scope, |kernel| {
            let by = service(&scope.account);
            kernel.add_said((&scope.account, &by), case, body, attachments)
        })
    }

    async fn resolve_case(&self, scope: &Scope, case: &CaseId) -> Result<(), Fault> {
        self.call("support:ResolveCase", scope, |kernel| {
            kernel.resolve_case(&scope.account, case).map(drop)
        })
    }

    async fn publish(
        &self,
        scope: &Scope,
        topic_arn: &str,
        publication: &Publication,
    ) -> Result<String, Fault> {
        self.call("sns:Publish", scope, |kernel| {
            let subject = Some(publication.subject.as_str()).filter(|it| !it.is_empty());
            let attributes = attributes(&publication.attributes);
            kernel.publish(scope, topic_arn, subject, &publication.message, attributes)
        })
    }

    /// As Slack's webhooks answer; there are no other receivers here.
    async fn post(&self, post: &Post) -> Result<Answer, Fault> {
        const OPERATION: &str = "webhook:Post";
        self.tally(None, OPERATION, 0);
        let fault = self.faults.call(OPERATION);
        if fault.is_none_or(Happened::has_effect) {
            self.sim.receive_webhook(&post.url, &post.body);
        }
        let answer = Answer {
            status: 200,
            retry_after_seconds: None,
            body: "ok".to_owned(),
        };
        fault.map_or(Ok(answer), |fault| Err(failed(OPERATION, fault)))
    }

    fn calls(&self) -> CallCounts {
        self.counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
