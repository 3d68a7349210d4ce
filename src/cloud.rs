//! The port to the world outside: what we ask of AWS and of receivers of messages, in our own types.
//!
//! Two implementations: `aws` (the SDK) and `sim` (the simulated AWS, in process). Nobody else knows which one runs.
//! Paging is the caller's: each list call returns one page, since partial answers are what the caller must judge.

use std::collections::BTreeMap;

use async_trait::async_trait;

pub use crate::model::spend::CallCounts;
pub use logs::{LogAnswer, LogQuery, LogState, MOST_ROWS};

mod logs;

use crate::model::{
    catalog::LifeCycle,
    desk::RequestStatus,
    ids::{
        AccountId, CaseId, DisplayId, PrincipalArn, QuotaCode, Region, RequestId, Scope, TargetId,
    },
    policy::Account,
    time::{Minute, Timestamp},
    units::Amount,
};

/// What can be asked of an account.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Access {
    /// The monitoring account that its metrics are asked of. There is no way for single series then: `metric_statistics`
    /// knows no other account than the caller's.
    pub metrics_through: Option<AccountId>,
    /// Whether nothing but its metrics can be asked, since no role leads into it.
    pub is_metrics_only: bool,
}

impl Access {
    /// As this account is configured.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        Self {
            metrics_through: account.metrics_through.clone(),
            is_metrics_only: account.metrics_only().is_some(),
        }
    }
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// What the page holds; may be empty while `next` is not.
    pub items: Vec<T>,
    /// The token of the next page.
    pub next: Option<String>,
}

/// A metric that CloudWatch knows: its name and the exact dimension set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// Such as `AWS/Bedrock`.
    pub namespace: String,
    /// Such as `Invocations`.
    pub name: String,
    /// Name to value.
    pub dimensions: BTreeMap<String, String>,
}

/// One series to read.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricQuery {
    /// Unique in the request; starts with a lowercase letter.
    pub id: String,
    /// Which metric.
    pub metric: Metric,
    /// `Sum`, `Average`, `SampleCount`, `Maximum`, `p90` …
    pub statistic: String,
    /// Seconds, a multiple of 60.
    pub period_seconds: i32,
}

/// A read of up to 500 series.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricRequest {
    /// What to read.
    pub queries: Vec<MetricQuery>,
    /// First minute.
    pub from: Minute,
    /// First minute that is not read.
    pub until: Minute,
    /// The token of a later page.
    pub page: Option<String>,
}

/// Whether a result is all there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricStatus {
    /// All datapoints that exist in the range, over the pages so far.
    Complete,
    /// More may exist: follow the token.
    Partial,
    /// CloudWatch failed on this series.
    InternalError,
    /// We may not read it.
    Forbidden,
}

/// One series' share of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricResult {
    /// The id of the query.
    pub id: String,
    /// Whether it is complete.
    pub status: MetricStatus,
    /// Minute and value, in no promised order. Values may be anything a double can be.
    pub points: Vec<(Minute, f64)>,
}

/// An inference profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `us.anthropic…`, `global.…`, or the 12 characters of an application profile.
    pub id: String,
    /// The owner's or AWS's name.
    pub name: String,
    /// Whole ARN.
    pub arn: String,
    /// Whether the customer made it.
    pub is_application: bool,
    /// `ACTIVE`, or another word.
    pub status: String,
    /// ARNs of the models it may run, one a Region.
    pub model_arns: Vec<String>,
}

/// A foundation model in one Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundationModel {
    /// The id, without context suffix.
    pub id: String,
    /// How long it will be there.
    pub life: LifeCycle,
    /// Whether its id alone can be called; some models answer through profiles only.
    pub is_on_demand: bool,
}

/// What IAM is asked about one caller and one resource. Nothing is done by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// Who would call.
    pub caller: PrincipalArn,
    /// The actions, such as `bedrock:InvokeModel`.
    pub actions: Vec<&'static str>,
    /// The ARN of what would be called: one, so that each decision is about it alone.
    pub resource: String,
    /// What a real request would bring along: one text by context key.
    pub context: BTreeMap<&'static str, String>,
}

/// How IAM decides on an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is allowed.
    Allowed,
    /// No statement allows it.
    ImplicitDeny,
    /// A statement denies it.
    ExplicitDeny,
    /// Another word of AWS.
    Other(String),
}

/// What IAM says of one action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulated {
    /// The action.
    pub action: String,
    /// All policies together.
    pub decision: Decision,
    /// Whether the organisation's service control policies allow it; `None` where none had a say.
    pub by_organization: Option<bool>,
    /// Whether the caller's permissions boundary allows it; `None` without one.
    pub by_boundary: Option<bool>,
    /// Ids of the policies whose statements matched.
    pub policies: Vec<String>,
    /// Context keys that policies ask for and that were not given. AWS lists those of other statements as well.
    pub missing: Vec<String>,
}

/// A quota as listed.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedQuota {
    /// The code.
    pub code: QuotaCode,
    /// The name, verbatim.
    pub name: String,
    /// The value; `None` when the entry carries an error reason instead.
    pub value: Option<Amount>,
    /// Whether a request is possible.
    pub adjustable: bool,
    /// The error reason, if any.
    pub error: Option<String>,
}

/// Who our calls are made as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account of the credentials.
    pub account: AccountId,
    /// The identity itself, such as `arn:aws:sts::111122223333:assumed-role/ROLE/SESSION`, where it was told.
    pub arn: Option<PrincipalArn>,
}

/// A quota increase request.
#[derive(Clone, Debug, PartialEq)]
pub struct QuotaRequest {
    /// Its id.
    pub id: RequestId,
    /// The quota.
    pub code: QuotaCode,
    /// The value asked for.
    pub desired: Amount,
    /// Its status.
    pub status: RequestStatus,
    /// The number of its case, once there is one.
    pub display: Option<DisplayId>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Who made it, where Service Quotas says so.
    pub requester: Option<PrincipalArn>,
}

/// A support case to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCase {
    /// Subject, under 200 characters.
    pub subject: String,
    /// Body, at most 8,000 characters.
    pub body: String,
    /// Such as `service-bedrock`.
    pub service_code: String,
    /// Such as `general-guidance`.
    pub category_code: String,
    /// Such as `normal`.
    pub severity_code: String,
    /// `technical` or `customer-service`.
    pub issue_type: String,
    /// E-mail addresses in copy, at most ten.
    pub cc: Vec<String>,
    /// The set of files that goes with it, see [`Cloud::attach`].
    pub attachments: Option<String>,
}

/// Which cases to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseFilter {
    /// The one with this number, resolved or not.
    Display(DisplayId),
    /// The one with this id, resolved or not.
    Case(CaseId),
    /// All created after this instant, resolved ones included.
    After(Timestamp),
}

/// A support case, with its newest communications.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Internal id.
    pub id: CaseId,
    /// Number.
    pub display: DisplayId,
    /// Subject.
    pub subject: String,
    /// The API's word.
    pub status: String,
    /// When it was opened, as far as the text could be read.
    pub created: Option<Timestamp>,
    /// The five newest at most: never proof that an older one is absent.
    pub recent: Vec<Communication>,
}

/// One communication of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Communication {
    /// `Amazon Web Services`, or the caller's role and address.
    pub submitted_by: String,
    /// The text.
    pub body: String,
    /// When, as far as the text could be read.
    pub created: Option<Timestamp>,
}

/// Who answers for AWS in a case.
const AWS: &str = "Amazon Web Services";

impl Communication {
    /// Whether AWS said it.
    #[must_use]
    pub fn is_of_aws(&self) -> bool {
        self.submitted_by.trim() == AWS
    }
}

/// A message for a topic.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Publication {
    /// Printable ASCII in one line, under 100 characters; empty for none.
    pub subject: String,
    /// The message; never empty.
    pub message: String,
    /// What subscriptions can filter by, by its name.
    pub attributes: BTreeMap<&'static str, Attribute>,
}

/// One attribute of a message. Its parts are never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// A text.
    Text(String),
    /// Several; a filter fits if one of them does.
    Texts(Vec<String>),
}

/// One request to a receiver of messages.
#[derive(Clone, PartialEq, Eq)]
pub struct Post {
    /// `receiver:Operation`, such as `pagerduty:Enqueue`.
    pub operation: &'static str,
    /// Where to. Its path may be a secret.
    pub url: String,
    /// Headers, in lower case; those for authentication are secrets.
    pub headers: Vec<(&'static str, String)>,
    /// What is sent. It may hold a key.
    pub body: String,
}

impl std::fmt::Debug for Post {
    /// Without what may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post")
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

/// What a receiver of messages answered, whatever it means.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// How long we are asked to wait, where the header `Retry-After` is there and says it in seconds.
    pub retry_after_seconds: Option<u64>,
    /// The text.
    pub body: String,
}

/// Why a call failed, in the few classes that decide what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultClass {
    /// Too many calls: nothing happened, later it will.
    Throttled,
    /// Credentials are missing, expired, or don't suffice: nothing happened.
    Denied,
    /// The request itself is refused: nothing happened.
    Invalid,
    /// What it names does not exist: nothing happened.
    NotFound,
    /// It exists already (an open quota request): nothing new happened.
    Exists,
    /// A limit of open requests or cases: nothing happened.
    Full,
    /// The account's support plan has no API: nothing happened.
    NoPlan,
    /// The other side failed: it may have happened.
    Server,
    /// The connection failed before anything was sent: nothing happened.
    Connect,
    /// The connection failed, or time ran out, after the request may have left: it may have happened.
    Lost,
    /// The answer could not be understood: it may have happened.
    Garbled,
}

/// A failed call: what was tried, and what it means for the next step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operation} failed: {code}: {message}")]
pub struct Fault {
    /// `service:Operation`, such as `support:CreateCase`.
    pub operation: &'static str,
    /// The other side's code, or our word where there was no answer.
    pub code: String,
    /// The other side's message; may be empty.
    pub message: String,
    /// What it means.
    pub class: FaultClass,
}

impl FaultClass {
    /// The name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Denied => "denied",
            Self::Invalid => "invalid",
            Self::NotFound => "not-found",
            Self::Exists => "exists",
            Self::Full => "full",
            Self::NoPlan => "no-plan",
            Self::Server => "server",
            Self::Connect => "connect",
            Self::Lost => "lost",
            Self::Garbled => "garbled",
        }
    }
}

/// How the other side answered, since the start.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Answers {
    /// Seconds that our clock is ahead of theirs, by the last answer that was dated; whole ones at best.
    pub clock_ahead: Option<f64>,
    /// Calls by operation and what they came to, `None` for a yes; retries are part of their call.
    pub calls: BTreeMap<(&'static str, Option<FaultClass>), u64>,
    /// Requests by operation that were answered, whatever the answer was, and the seconds they took together.
    pub waits: BTreeMap<&'static str, (u64, f64)>,
}

impl Fault {
    /// For a call that can't be made: the account is read through its monitoring account, which answers for metrics alone.
    #[must_use]
    pub fn no_way(operation: &'static str, scope: &Scope) -> Self {
        Self {
            operation,
            code: "NoWay".to_owned(),
            message: format!(
                "account {} is read through its monitoring account, which tells metrics and nothing else; \
                 give its [[account]] a `role_arn` to ask for more",
                scope.account
            ),
            class: FaultClass::Denied,
        }
    }

    /// Whether the call may have had its effect although it failed.
    #[must_use]
    pub const fn may_have_happened(&self) -> bool {
        matches!(
            self.class,
            FaultClass::Server | FaultClass::Lost | FaultClass::Garbled
        )
    }
}

/// What we ask of AWS. Reads may be retried inside; the calls marked *once* are sent once and never retried inside.
#[async_trait]
pub trait Cloud: Send + Sync + std::fmt::Debug {
    /// What can be asked in this scope: all, where nothing else is said. The one place that knows whose clients a call goes
    /// through.
    fn access(&self, _scope: &Scope) -> Access {
        Access::default()
    }

    /// Who our calls in this scope are made as.
    async fn caller(&self, scope: &Scope) -> Result<Caller, Fault>;

    /// Metrics of a namespace; `recently_active` narrows to the last three hours, roughly.
    async fn list_metrics(
        &self,
        scope: &Scope,
        namespace: &str,
        recently_active: bool,
        page: Option<String>,
    ) -> Result<Page<Metric>, Fault>;

    /// Datapoints, one page.
    async fn metric_data(
        &self,
        scope: &Scope,
        request: MetricRequest,
    ) -> Result<Page<MetricResult>, Fault>;

    /// Datapoints of one series from the first minute up to and without the second, at most 1,440, in no promised order;
    /// all that exist, since this call has no pages. One request costs what a series of `metric_data` costs, and a million
    /// a month and account are free.
    async fn metric_statistics(
        &self,
        scope: &Scope,
        query: &MetricQuery,
        stretch: (Minute, Minute),
    ) -> Result<Vec<(Minute, f64)>, Fault>;

    /// Inference profiles, system-defined and application ones.
    async fn list_profiles(
        &self,
        scope: &Scope,
        page: Option<String>,
    ) -> Result<Page<Profile>, Fault>;

    /// The tags of an application profile, value by key; all of them, since this call has no pages. One that was deleted is
    /// [`FaultClass::NotFound`].
    async fn list_tags(
        &self,
        scope: &Scope,
        profile: &TargetId,
    ) -> Result<BTreeMap<String, String>, Fault>;

    /// What IAM says of one caller and one resource, an item an action. A caller that IAM does not know is
    /// [`FaultClass::NotFound`].
    async fn simulate(
        &self,
        scope: &Scope,
        about: &Simulation,
        page: Option<String>,
    ) -> Result<Page<Simulated>, Fault>;

    /// *Once.* Asks a log of model invocations; the answer comes later, under the id. A log group that is not there is
    /// [`FaultClass::NotFound`].
    async fn start_query(&self, scope: &Scope, query: &LogQuery) -> Result<String, Fault>;

    /// What has become of a question; AWS forgets them after a while, which is [`FaultClass::NotFound`].
    async fn query_results(&self, scope: &Scope, id: &str) -> Result<LogAnswer, Fault>;

    /// The Regions that the account has enabled.
    async fn list_regions(
        &self,
        scope: &Scope,
        page: Option<String>,
    ) -> Result<Page<Region>, Fault>;

    /// Foundation models of the Region.
    async fn list_models(&self, scope: &Scope) -> Result<Vec<FoundationModel>, Fault>;

    /// Applied values of the service `bedrock`.
    async fn list_quotas(
        &self,
        scope: &Scope,
        page: Option<String>,
    ) -> Result<Page<ListedQuota>, Fault>;

    /// Default values of the service `bedrock`.
    async fn list_default_quotas(
        &self,
        scope: &Scope,
        page: Option<String>,
    ) -> Result<Page<ListedQuota>, Fault>;

    /// One applied value; a quota without one is [`FaultClass::NotFound`].
    async fn get_quota(&self, scope: &Scope, code: &QuotaCode) -> Result<ListedQuota, Fault>;

    /// *Once.* Asks for a higher value.
    async fn request_quota(
        &self,
        scope: &Scope,
        code: &QuotaCode,
        desired: Amount,
    ) -> Result<QuotaRequest, Fault>;

    /// One request by its id.
    async fn get_quota_request(&self, scope: &Scope, id: &RequestId)
    -> Result<QuotaRequest, Fault>;

    /// The requests for one quota in the last 90 days.
    async fn quota_request_history(
        &self,
        scope: &Scope,
        code: &QuotaCode,
        page: Option<String>,
    ) -> Result<Page<QuotaRequest>, Fault>;

    /// *Once.* Lays files aside for the words that follow, each by its name, three at most and 5 MB each, and returns the id
    /// of the set that they are in. AWS keeps it for an hour; one that no words follow is seen by nobody.
    async fn attach(&self, scope: &Scope, files: &[(String, &str)]) -> Result<String, Fault>;

    /// *Once.* Opens a case.
    async fn create_case(&self, scope: &Scope, case: &NewCase) -> Result<CaseId, Fault>;

    /// Cases of the account.
    async fn list_cases(
        &self,
        scope: &Scope,
        filter: &CaseFilter,
        page: Option<String>,
    ) -> Result<Page<Case>, Fault>;

    /// All communications of a case.
    async fn list_communications(
        &self,
        scope: &Scope,
        case: &CaseId,
        page: Option<String>,
    ) -> Result<Page<Communication>, Fault>;

    /// *Once.* Adds to a case, with a set of files.
    async fn add_communication(
        &self,
        scope: &Scope,
        case: &CaseId,
        body: &str,
        attachments: Option<&str>,
    ) -> Result<(), Fault>;

    /// *Once.* Closes a case; one that is closed already stays so.
    async fn resolve_case(&self, scope: &Scope, case: &CaseId) -> Result<(), Fault>;

    /// *Once.* Publishes to a topic of this scope; returns the message id.
    async fn publish(
        &self,
        scope: &Scope,
        topic_arn: &str,
        publication: &Publication,
    ) -> Result<String, Fault>;

    /// *Once.* Posts to a receiver of messages. What the answer means is for who asked: only where there was none, or none
    /// that could be read, is it a fault.
    async fn post(&self, post: &Post) -> Result<Answer, Fault>;

    /// What was called since the start, retries included.
    fn calls(&self) -> CallCounts;

    /// How the other side answered since the start; nothing is known of one in process.
    fn answers(&self) -> Answers {
        Answers::default()
    }
}
