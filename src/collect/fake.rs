//! A scripted cloud for the tests of this layer: it serves what a test puts in, page by page, and fails when told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use crate::cloud::*;
use crate::model::ids::*;
use crate::model::time::Minute;
use crate::model::units::Amount;

/// What the cloud holds, and how it misbehaves.
#[derive(Debug)]
pub(super) struct Fake {
    /// What can be asked of every account.
    pub access: Access,
    pub metrics: Vec<Metric>,
    pub profiles: Vec<Profile>,
    pub models: Vec<FoundationModel>,
    pub regions: Vec<Region>,
    pub quotas: Vec<ListedQuota>,
    pub defaults: Vec<ListedQuota>,
    pub asks: BTreeMap<RequestId, QuotaRequest>,
    pub cases: Vec<Case>,
    /// By metric name and the value of its dimension (empty: the whole account).
    pub points: BTreeMap<(&'static str, String), BTreeMap<Minute, f64>>,
    /// The status of a series where it is not `Complete`.
    pub statuses: BTreeMap<(&'static str, String), MetricStatus>,
    /// Items on a page of a listing.
    pub page_size: usize,
    /// Pages over which each series' datapoints are dealt out, one by one.
    pub data_pages: usize,
    /// Serve the same token for ever.
    pub is_circular: bool,
    /// Serve no result at all for series of this metric.
    pub drops: Option<&'static str>,
    /// Outcomes of coming calls by operation; an empty queue means success.
    pub script: Mutex<BTreeMap<&'static str, VecDeque<Option<Fault>>>>,
    /// All requests for datapoints.
    pub requests: Mutex<Vec<MetricRequest>>,
    /// All requests for single series.
    pub statistics: Mutex<Vec<MetricQuery>>,
    /// How many of those were on their way when each began, itself included.
    pub abreast: Mutex<Vec<usize>>,
    pub on_their_way: AtomicUsize,
    pub calls: Mutex<Vec<String>>,
    pub tags: BTreeMap<TargetId, BTreeMap<String, String>>,
    /// Whose tags were asked for and told.
    pub asked_tags: Mutex<Vec<TargetId>>,
    /// What IAM says of resources: of those that are not here, that all is allowed.
    pub simulated: BTreeMap<String, Vec<Simulated>>,
    /// What logs were asked.
    pub asked_logs: Mutex<Vec<(Scope, LogQuery)>>,
    /// What they answer, in order; then that nothing was logged.
    pub log_answers: Mutex<VecDeque<LogAnswer>>,
    /// What IAM was asked and told.
    pub asked_iam: Mutex<Vec<Simulation>>,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            access: Access::default(),
            metrics: Vec::new(),
            profiles: Vec::new(),
            models: Vec::new(),
            regions: Vec::new(),
            quotas: Vec::new(),
            defaults: Vec::new(),
            asks: BTreeMap::new(),
            cases: Vec::new(),
            points: BTreeMap::new(),
            statuses: BTreeMap::new(),
            page_size: 500,
            data_pages: 1,
            is_circular: false,
            drops: None,
            script: Mutex::default(),
            requests: Mutex::default(),
            statistics: Mutex::default(),
            abreast: Mutex::default(),
            on_their_way: AtomicUsize::new(0),
            tags: BTreeMap::new(),
            asked_tags: Mutex::default(),
            simulated: BTreeMap::new(),
            asked_logs: Mutex::default(),
            log_answers: Mutex::default(),
            asked_iam: Mutex::default(),
            calls: Mutex::default(),
        }
    }
}

/// Percentile ranks are put in under this name, whatever the metric.
pub(super) const RANK: &str = "PR";

pub(super) fn scope() -> Scope {
    Scope {
        account: AccountId::new("111122223333"),
        region: Region::new("us-east-1"),
    }
}

pub(super) fn fault(operation: &'static str, class: FaultClass) -> Fault {
    Fault {
        operation,
        code: format!("{class:?}"),
        message: String::new(),
        class,
    }
}

pub(super) fn metric(name: &str, target: &str) -> Metric {
    Metric {
        namespace: "AWS/Bedrock".to_owned(),
        name: name.to_owned(),
        dimensions: [("ModelId".to_owned(), target.to_owned())].into(),
    }
}

pub(super) fn listed(code: &str, name: &str, value: f64) -> ListedQuota {
    ListedQuota {
        code: QuotaCode::new(code),
        name: name.to_owned(),
        value: Amount::new(value),
        adjustable: true,
        error: None,
    }
}

impl Fake {
    /// Puts one value into a series.
    pub(super) fn put(&mut self, name: &'static str, target: &str, minute: Minute, value: f64) {
        let series = self.points.entry((name, target.to_owned())).or_default();
        series.insert(minute, value);
    }

    /// Fails the `index`-th coming call of an operation.
    pub(super) fn fail(&self, operation: &'static str, index: usize, class: FaultClass) {
        let mut script = self.script.lock().unwrap();
        let queue = script.entry(operation).or_default();
        queue.resize(queue.len().max(index + 1), None);
        queue[index] = Some(fault(operation, class));
    }

    fn outcome(&self, operation: &'static str) -> Result<(), Fault> {
        self.calls.lock().unwrap().push(operation.to_owned());
        let mut script = self.script.lock().unwrap();
        let queue = script.get_mut(operation);
        match queue.and_then(VecDeque::pop_front).flatten() {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }

    fn page<T: Clone>(
        &self,
        operation: &'static str,
        items: &[T],
        page: Option<String>,
    ) -> Result<Page<T>, Fault> {
        self.outcome(operation)?;
        if self.is_circular {
            let next = Some("again".to_owned());
            let items = items.to_vec();
            return Ok(Page { items, next });
        }
        let start: usize = page.map_or(0, |token| token.parse().unwrap());
        let end = items.len().min(start + self.page_size);
        Ok(Page {
            items: items[start..end].to_vec(),
            next: (end < items.len()).then(|| end.to_string()),
        })
    }

    fn serve(
        &self,
        query: &MetricQuery,
        request: &MetricRequest,
        page: usize,
    ) -> Vec<(Minute, f64)> {
        let target = query.metric.dimensions.values().next().cloned();
        let is_rank = query.statistic.starts_with("PR(");
        let of = if is_rank {
            RANK
        } else {
            query.metric.name.as_str()
        };
        let key = self
            .points
            .keys()
            .find(|(name, id)| *name == of && *id == target.clone().unwrap_or_default());
        let Some(series) = key.and_then(|key| self.points.get(key)) else {
            return Vec::new();
        };
        let step = i64::from(query.period_seconds / 60);
        let mut slots: BTreeMap<Minute, Vec<f64>> = BTreeMap::new();
        for (minute, value) in series.range(request.from..request.until) {
            let slot = Minute(minute.0.div_euclid(step) * step);
            slots.entry(slot).or_default().push(*value);
        }
        let dealt = slots
            .into_iter()
            .enumerate()
            .filter(|(n, _)| n % self.data_pages == page);
        dealt
            .map(|(_, (minute, values))| {
                let sum: f64 = values.iter().sum();
                let count = f64::from(u32::try_from(values.len()).unwrap());
                let is_mean = query.statistic != "Sum";
                (minute, if is_mean { sum / count } else { sum })
            })
            .collect()
    }
}

#[async_trait]
impl Cloud for Fake {
    fn access(&self, _: &Scope) -> Access {
        self.access.clone()
    }

    async fn caller(&self, scope: &Scope) -> Result<Caller, Fault> {
        Ok(Caller {
            account: scope.account.clone(),
            arn: None,
        })
    }

    async fn list_metrics(
        &self,
        _: &Scope,
        namespace: &str,
        _: bool,
        page: Option<String>,
    ) -> Result<Page<Metric>, Fault> {
        let mut metrics = self.metrics.clone();
        metrics.retain(|metric| metric.namespace == namespace);
        self.page("cloudwatch:ListMetrics", &metrics, page)
    }

    async fn metric_data(
        &self,
        _: &Scope,
        request: MetricRequest,
    ) -> Result<Page<MetricResult>, Fault> {
        self.requests.lock().unwrap().push(request.clone());
        self.outcome("cloudwatch:GetMetricData")?;
        if self.is_circular {
            let next = Some("again".to_owned());
            return Ok(Page {
                items: Vec::new(),
                next,
            });
        }
        let page: usize = request.page.as_ref().map_or(0, |it| it.parse().unwrap());
        let is_last = page + 1 == self.data_pages;
        let kept = request.queries.iter();
        let kept = kept.filter(|query| Some(query.metric.name.as_str()) != self.drops);
        let items = kept.map(|query| {
            let id = query.metric.dimensions.values().next();
            let id = id.cloned().unwrap_or_default();
            let own = self.statuses.iter();
            let mut own = own.filter(|((name, at), _)| *name == query.metric.name && *at == id);
            let status = match (own.next(), is_last) {
                (Some((_, status)), _) => *status,
                (None, true) => MetricStatus::Complete,
                (None, false) => MetricStatus::Partial,
            };
            let mut points = self.serve(query, &request, page);
            points.reverse(); // no promised order
            MetricResult {
                id: query.id.clone(),
                status,
                points,
            }
        });
        Ok(Page {
            items: items.collect(),
            next: (!is_last).then(|| (page + 1).to_string()),
        })
    }

    async fn metric_statistics(
        &self,
        _: &Scope,
        query: &MetricQuery,
        (from, until): (Minute, Minute),
    ) -> Result<Vec<(Minute, f64)>, Fault> {
        let before = self.on_their_way.fetch_add(1, Ordering::Relaxed);
        self.abreast.lock().unwrap().push(before + 1);
        tokio::task::yield_now().await;
        self.on_their_way.fetch_sub(1, Ordering::Relaxed);
        self.statistics.lock().unwrap().push(query.clone());
        self.outcome("cloudwatch:GetMetricStatistics")?;
        let request = MetricRequest {
            queries: Vec::new(),
            from,
            until,
            page: None,
        };
        let mut points = self.serve(query, &request, 0);
        points.reverse(); // no promised order
        Ok(points)
    }

    async fn list_profiles(&self, _: &Scope, page: Option<String>) -> Result<Page<Profile>, Fault> {
        self.page("bedrock:ListInferenceProfiles", &self.profiles, page)
    }

    async fn list_tags(
        &self,
        _: &Scope,
        profile: &TargetId,
    ) -> Result<BTreeMap<String, String>, Fault> {
        self.outcome("bedrock:ListTagsForResource")?;
        self.asked_tags.lock().unwrap().push(profile.clone());
        Ok(self.tags.get(profile).cloned().unwrap_or_default())
    }

    async fn simulate(
        &self,
        _: &Scope,
        about: &Simulation,
        page: Option<String>,
    ) -> Result<Page<Simulated>, Fault> {
        self.outcome("iam:SimulatePrincipalPolicy")?;
        if page.is_none() {
            self.asked_iam.lock().unwrap().push(about.clone());
        }
        let allowed = about.actions.iter().map(|action| Simulated {
            action: (*action).to_owned(),
            decision: Decision::Allowed,
            by_organization: None,
            by_boundary: None,
            policies: Vec::new(),
            missing: Vec::new(),
        });
        let said = self.simulated.get(&about.resource).cloned();
        let said = said.unwrap_or_else(|| allowed.collect());
        // One a page.
        let at = page.map_or(0, |page| page.parse().unwrap());
        let next = (at + 1 < said.len()).then(|| (at + 1).to_string());
        Ok(Page {
            items: said.get(at).cloned().into_iter().collect(),
            next,
        })
    }

    async fn start_query(&self, scope: &Scope, query: &LogQuery) -> Result<String, Fault> {
        self.outcome("logs:StartQuery")?;
        let mut asked = self.asked_logs.lock().unwrap();
        asked.push((scope.clone(), query.clone()));
        Ok(format!("question-{}", asked.len()))
    }

    async fn query_results(&self, _: &Scope, _: &str) -> Result<LogAnswer, Fault> {
        self.outcome("logs:GetQueryResults")?;
        let mut answers = self.log_answers.lock().unwrap();
        Ok(answers.pop_front().unwrap_or(LogAnswer {
            state: LogState::Complete,
            rows: Vec::new(),
            bytes_scanned: 0,
        }))
    }

    async fn list_regions(&self, _: &Scope, page: Option<String>) -> Result<Page<Region>, Fault> {
        self.outcome("account:ListRegions")?;
        // One a page.
        let at = page.map_or(0, |page| page.parse().unwrap());
        let next = (at + 1 < self.regions.len()).then(|| (at + 1).to_string());
        Ok(Page {
            items: self.regions.get(at).cloned().into_iter().collect(),
            next,
        })
    }

    async fn list_models(&self, _: &Scope) -> Result<Vec<FoundationModel>, Fault> {
        self.outcome("bedrock:ListFoundationModels")?;
        Ok(self.models.clone())
    }

    async fn list_quotas(
        &self,
        _: &Scope,
        page: Option<String>,
    ) -> Result<Page<ListedQuota>, Fault> {
        self.page("servicequotas:ListServiceQuotas", &self.quotas, page)
    }

    async fn list_default_quotas(
        &self,
        _: &Scope,
        page: Option<String>,
    ) -> Result<Page<ListedQuota>, Fault> {
        self.page(
            "servicequotas:ListAWSDefaultServiceQuotas",
            &self.defaults,
            page,
        )
    }

    async fn get_quota(&self, _: &Scope, code: &QuotaCode) -> Result<ListedQuota, Fault> {
        self.outcome("servicequotas:GetServiceQuota")?;
        let found = self.quotas.iter().find(|it| it.code == *code);
        let missing = || fault("servicequotas:GetServiceQuota", FaultClass::NotFound);
        found.cloned().ok_or_else(missing)
    }

    async fn request_quota(
        &self,
        _: &Scope,
        _: &QuotaCode,
        _: Amount,
    ) -> Result<QuotaRequest, Fault> {
        unimplemented!("collecting files nothing")
    }

    async fn get_quota_request(&self, _: &Scope, id: &RequestId) -> Result<QuotaRequest, Fault> {
        self.outcome("servicequotas:GetRequestedServiceQuotaChange")?;
        let missing = || {
            fault(
                "servicequotas:GetRequestedServiceQuotaChange",
                FaultClass::NotFound,
            )
        };
        self.asks.get(id).cloned().ok_or_else(missing)
    }

    async fn quota_request_history(
        &self,
        _: &Scope,
        _: &QuotaCode,
        _: Option<String>,
    ) -> Result<Page<QuotaRequest>, Fault> {
        unimplemented!("collecting does not look for lost effects")
    }

    async fn attach(&self, _: &Scope, _: &[(String, &str)]) -> Result<String, Fault> {
        unimplemented!("collecting files nothing")
    }

    async fn create_case(&self, _: &Scope, _: &NewCase) -> Result<CaseId, Fault> {
        unimplemented!("collecting files nothing")
    }

    async fn list_cases(
        &self,
        _: &Scope,
        _: &CaseFilter,
        page: Option<String>,
    ) -> Result<Page<Case>, Fault> {
        self.page("support:DescribeCases", &self.cases, page)
    }

    async fn list_communications(
        &self,
        _: &Scope,
        _: &CaseId,
        _: Option<String>,
    ) -> Result<Page<Communication>, Fault> {
        unimplemented!("collecting does not look for lost effects")
    }

    async fn add_communication(
        &self,
        _: &Scope,
        _: &CaseId,
        _: &str,
        _: Option<&str>,
    ) -> Result<(), Fault> {
        unimplemented!("collecting files nothing")
    }

    async fn resolve_case(&self, _: &Scope, _: &CaseId) -> Result<(), Fault> {
        unimplemented!("collecting files nothing")
    }

    async fn publish(&self, _: &Scope, _: &str, _: &Publication) -> Result<String, Fault> {
        unimplemented!("collecting tells nobody")
    }

    async fn post(&self, _: &Post) -> Result<Answer, Fault> {
        unimplemented!("collecting tells nobody")
    }

    fn calls(&self) -> CallCounts {
        CallCounts::default()
    }
}
