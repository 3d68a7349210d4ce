//! Every call we make, once: its name in counts, messages and IAM policies, and what it is for.

/// What a call is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// IAM lets everybody make it.
    Nothing,
    /// Watching.
    Observe,
    /// Asking an account which Regions it has.
    Regions,
    /// Asking whether callers may use a way out.
    Callers,
    /// Asking the log of model invocations where requests ran.
    Logs,
    /// Fetching what it answers.
    LogAnswers,
    /// Telling people.
    Notify,
    /// Asking for quotas.
    RequestQuotas,
    /// Writing to AWS Support, and reading what it answers.
    Support,
    /// Closing cases of ours.
    CloseCases,
}

macro_rules! actions {
    ($($name:ident = $operation:literal for $need:ident, without $loss:literal;)*) => {
        $(pub(super) const $name: &str = $operation;)*

        /// All calls, by service.
        pub const ALL: &[(&str, Need)] = &[$(($operation, Need::$need)),*];

        /// What an operator loses without being allowed this call; `None` for a call that we don't make.
        #[must_use]
        pub fn loss(operation: &str) -> Option<&'static str> {
            match operation {
                $($operation => Some($loss),)*
                _ => None,
            }
        }
    };
}

actions! {
    LIST_REGIONS = "account:ListRegions" for Regions, without "the Regions of the account stay those that are known, and `regions = \"enabled\"` does not start";
    LIST_MODELS = "bedrock:ListFoundationModels" for Observe, without "no ends of life are told, and a quota may be asked for a model that is about to go";
    LIST_PROFILES = "bedrock:ListInferenceProfiles" for Observe, without "traffic of inference profiles belongs to no pool and is not judged";
    LIST_TAGS = "bedrock:ListTagsForResource" for Observe, without "tags of application profiles are not known: routes, overrides and rules of residency by tag fit nothing";
    GET_METRIC_DATA = "cloudwatch:GetMetricData" for Observe, without "nothing is measured: no alert, no forecast";
    GET_METRIC_STATISTICS = "cloudwatch:GetMetricStatistics" for Observe, without "the free requests are not used: watching costs more, and reads slow down sooner";
    LIST_METRICS = "cloudwatch:ListMetrics" for Observe, without "nothing is found to watch";
    SIMULATE = "iam:SimulatePrincipalPolicy" for Callers, without "whether your `callers` may use a way out is not told beside it";
    QUERY_RESULTS = "logs:GetQueryResults" for LogAnswers, without "where requests ran is not known from the log of model invocations";
    START_QUERY = "logs:StartQuery" for Logs, without "where requests ran is not known from the log of model invocations";
    GET_QUOTA_REQUEST = "servicequotas:GetRequestedServiceQuotaChange" for Observe, without "what became of quota requests is not known, and nothing new is asked for these quotas";
    GET_QUOTA = "servicequotas:GetServiceQuota" for Observe, without "a raised quota is noticed after a day instead of within minutes";
    LIST_DEFAULT_QUOTAS = "servicequotas:ListAWSDefaultServiceQuotas" for Observe, without "quotas without a value of their own stay unknown: no share of them, no forecast";
    QUOTA_REQUEST_HISTORY = "servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota" for Observe, without "a request in doubt is not looked for, and those that other people made are not noticed";
    LIST_QUOTAS = "servicequotas:ListServiceQuotas" for Observe, without "quotas are not known: no share of them, no forecast";
    REQUEST_QUOTA = "servicequotas:RequestServiceQuotaIncrease" for RequestQuotas, without "no quota is asked for";
    PUBLISH = "sns:Publish" for Notify, without "people hear nothing over this topic";
    CALLER = "sts:GetCallerIdentity" for Nothing, without "nothing is filed, since the account could be another one";
    ATTACH = "support:AddAttachmentsToSet" for Support, without "cases go out without the files of numbers by the hour and minute";
    ADD_COMMUNICATION = "support:AddCommunicationToCase" for Support, without "nothing is added to cases that are open";
    CREATE_CASE = "support:CreateCase" for Support, without "no support case is opened";
    LIST_CASES = "support:DescribeCases" for Support, without "cases are not followed, and none is opened that would have to be looked for after a crash";
    LIST_COMMUNICATIONS = "support:DescribeCommunications" for Support, without "what AWS answers in a case is not read";
    RESOLVE_CASE = "support:ResolveCase" for CloseCases, without "cases whose value is there stay open, although `[case] close_granted` is on";
}
