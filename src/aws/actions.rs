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
    /// Telling people.
    Notify,
    /// Asking for quotas.
    RequestQuotas,
    /// Writing to AWS Support, and reading what it answers.
    Support,
}

macro_rules! actions {
    ($($name:ident = $operation:literal for $need:ident;)*) => {
        $(pub(super) const $name: &str = $operation;)*

        /// All calls, by service.
        pub const ALL: &[(&str, Need)] = &[$(($operation, Need::$need)),*];
    };
}

actions! {
    LIST_REGIONS = "account:ListRegions" for Regions;
    LIST_MODELS = "bedrock:ListFoundationModels" for Observe;
    LIST_PROFILES = "bedrock:ListInferenceProfiles" for Observe;
    GET_METRIC_DATA = "cloudwatch:GetMetricData" for Observe;
    GET_METRIC_STATISTICS = "cloudwatch:GetMetricStatistics" for Observe;
    LIST_METRICS = "cloudwatch:ListMetrics" for Observe;
    GET_QUOTA_REQUEST = "servicequotas:GetRequestedServiceQuotaChange" for Observe;
    GET_QUOTA = "servicequotas:GetServiceQuota" for Observe;
    LIST_DEFAULT_QUOTAS = "servicequotas:ListAWSDefaultServiceQuotas" for Observe;
    QUOTA_REQUEST_HISTORY = "servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota" for Observe;
    LIST_QUOTAS = "servicequotas:ListServiceQuotas" for Observe;
    REQUEST_QUOTA = "servicequotas:RequestServiceQuotaIncrease" for RequestQuotas;
    PUBLISH = "sns:Publish" for Notify;
    CALLER = "sts:GetCallerIdentity" for Nothing;
    ADD_COMMUNICATION = "support:AddCommunicationToCase" for Support;
    CREATE_CASE = "support:CreateCase" for Support;
    LIST_CASES = "support:DescribeCases" for Support;
    LIST_COMMUNICATIONS = "support:DescribeCommunications" for Support;
}
