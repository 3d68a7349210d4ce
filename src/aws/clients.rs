//! SDK configurations and clients, with the retries and timeouts that each kind of call may have.

use std::{sync::Arc, time::Duration};

use aws_config::{
    BehaviorVersion, SdkConfig, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, sts::AssumeRoleProvider,
    timeout::TimeoutConfig,
};
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider, retry::RetryPartition};

use super::{
    meter::{LocalMeter, Meter},
    options::{Endpoint, Patience, READ_ATTEMPTS, SdkOptions},
};
use crate::model::{
    ids::{AccountId, Region, Scope},
    policy::Account,
};

/// What our sessions are called in the account's CloudTrail.
const SESSION_NAME: &str = "bedrock-ops-alert";

/// Where roles are assumed when the account names no Region.
const FALLBACK_REGION: &str = "us-east-1";

/// One set of credentials, with the two ways to call.
#[derive(Clone, Debug)]
pub(super) struct Configs {
    reads: SdkConfig,
    once: SdkConfig,
}

impl Configs {
    fn new(base: &SdkConfig, patience: Patience) -> Self {
        // Retries and timeouts are set here and never taken from AWS_MAX_ATTEMPTS and its kin: filing at most once
        // rests on them.
        let reads = base
            .clone()
            .into_builder()
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(READ_ATTEMPTS)
                    .with_initial_backoff(patience.first_wait),
            )
            .timeout_config(timeouts(patience.read_attempt, patience.read_total))
            .build();
        let once = base
            .clone()
            .into_builder()
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(patience.once, patience.once))
            .build();
        Self { reads, once }
    }

    /// As in an environment that has none.
    #[cfg(test)]
    pub(super) fn without_credentials(patience: Patience) -> Self {
        let base = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url("http://127.0.0.1:1");
        Self::new(&base.build(), patience)
    }

    /// The endpoint in force for all services, if it is not AWS's own.
    pub(super) fn endpoint(&self) -> Option<&str> {
        self.reads.endpoint_url()
    }

    /// The Region that the environment or the endpoint names.
    pub(super) fn region(&self) -> Option<Region> {
        self.reads
            .region()
            .map(AsRef::as_ref)
            .filter(|region: &&str| !region.is_empty()) // AWS_REGION= sets none
            .map(Region::new)
    }

    fn with_credentials(&self, credentials: &SharedCredentialsProvider) -> Self {
        let with = |config: &SdkConfig| {
            config
                .clone()
                .into_builder()
                .credentials_provider(credentials.clone())
                .build()
        };
        Self {
            reads: with(&self.reads),
            once: with(&self.once),
        }
    }
}

/// Our own credentials: from the environment, or those of the endpoint.
pub(super) async fn own(options: &SdkOptions) -> Configs {
    // Slow answers are bounded by the timeouts of attempt and call, bodies included.
    let defaults = aws_config::defaults(BehaviorVersion::latest())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    let base = match &options.endpoint {
        // Set in code, so it wins over whatever the environment says of single services.
        Some(endpoint) => {
            defaults
                .endpoint_url(&endpoint.url)
                .region(aws_config::Region::new(endpoint.region.to_string()))
                .credentials_provider(static_keys(&endpoint.access_key_id, endpoint))
                .load()
                .await
        }
        None => defaults.load().await,
    };
    Configs::new(&base, options.patience)
}

/// The credentials of a role in another account. Nothing is asked of STS before the first call.
pub(super) async fn assumed(own: &Configs, account: &Account, role_arn: &str) -> Configs {
    let known = account.regions.known().first();
    let region = known.map_or(FALLBACK_REGION, Region::as_str).to_owned();
    let mut provider = AssumeRoleProvider::builder(role_arn)
        .configure(&own.reads)
        .region(aws_config::Region::new(region))
        .session_name(SESSION_NAME);
    if let Some(external_id) = &account.external_id {
        provider = provider.external_id(external_id);
    }
    // One provider for all clients of the account: the identity cache keeps its session for all of them.
    own.with_credentials(&SharedCredentialsProvider::new(provider.build().await))
}

/// An account that the endpoint tells apart by the access key id.
pub(super) fn keyed(own: &Configs, access_key_id: &str, endpoint: &Endpoint) -> Configs {
    own.with_credentials(&static_keys(access_key_id, endpoint))
}

fn static_keys(access_key_id: &str, endpoint: &Endpoint) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new(
        access_key_id,
        &endpoint.secret_access_key,
        None,
        None,
        "bedrock-ops-alert endpoint",
    ))
}

fn timeouts(attempt: Duration, total: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(attempt)
        .operation_timeout(total)
        .build()
}

/// A client of one service whose budget for retries is its account's and Region's own. The SDK's is one for all accounts
/// of a Region: where one account fails, the others' reads would not be tried again.
macro_rules! client {
    ($sdk:ident, $config:expr, $account:expr) => {{
        let (config, account): (&SdkConfig, Option<&AccountId>) = ($config, $account);
        let region = config.region().map_or("", AsRef::as_ref);
        let account = account.map_or("", AccountId::as_str);
        let partition = format!("{} {region} {account}", stringify!($sdk));
        let config = $sdk::config::Builder::from(config);
        let config = config.retry_partition(RetryPartition::new(partition));
        $sdk::Client::from_conf(config.build())
    }};
}

/// All clients of one account in one Region.
#[derive(Debug)]
pub(super) struct Clients {
    pub(super) meter: LocalMeter,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(super) account: aws_sdk_account::Client,
    pub(super) bedrock: aws_sdk_bedrock::Client,
    /// One entry a partition, which the client finds from the Region.
    pub(super) iam: aws_sdk_iam::Client,
    pub(super) logs_once: aws_sdk_cloudwatchlogs::Client,
    pub(super) quotas: aws_sdk_servicequotas::Client,
    pub(super) quotas_once: aws_sdk_servicequotas::Client,
    pub(super) sns_once: aws_sdk_sns::Client,
    /// Absent where the partition has no Support API.
    pub(super) support: Option<SupportClients>,
}

/// The Support API has one entry a partition.
#[derive(Debug)]
pub(super) struct SupportClients {
    pub(super) reads: aws_sdk_support::Client,
    pub(super) once: aws_sdk_support::Client,
}

impl Clients {
    /// `account` is unknown only while we ask who we are.
    pub(super) fn new(
        configs: &Configs,
        account: Option<&AccountId>,
        region: &Region,
        meter: &Arc<Meter>,
    ) -> Self {
        let scope = account.map(|account| Scope {
            account: account.clone(),
            region: region.clone(),
        });
        let reads = at(&configs.reads, region.as_str());
        let once = at(&configs.once, region.as_str());
        let support = support_region(region).map(|region| SupportClients {
            reads: client!(aws_sdk_support, &at(&configs.reads, region), account),
            once: client!(aws_sdk_support, &at(&configs.once, region), account),
        });
        Self {
            meter: LocalMeter::new(meter, scope),
            sts: client!(aws_sdk_sts, &reads, account),
            cloudwatch: client!(aws_sdk_cloudwatch, &reads, account),
            account: client!(aws_sdk_account, &reads, account),
            bedrock: client!(aws_sdk_bedrock, &reads, account),
            iam: client!(aws_sdk_iam, &reads, account),
            logs_once: client!(aws_sdk_cloudwatchlogs, &once, account),
            quotas: client!(aws_sdk_servicequotas, &reads, account),
            quotas_once: client!(aws_sdk_servicequotas, &once, account),
            sns_once: client!(aws_sdk_sns, &once, account),
            support,
        }
    }
}

fn at(config: &SdkConfig, region: &str) -> SdkConfig {
    let region = aws_config::Region::new(region.to_owned());
    config.clone().into_builder().region(region).build()
}

/// The Region of the partition's one Support endpoint; never the Region that is watched.
///
/// Source: AWS endpoint data, state August 2026.
fn support_region(region: &Region) -> Option<&'static str> {
    /// Prefix of the partition's Regions, and where its Support is.
    const PARTITIONS: [(&str, Option<&str>); 7] = [
        ("cn-", Some("cn-north-1")),
        ("us-gov-", Some("us-gov-west-1")),
        ("us-isob-", Some("us-isob-east-1")),
        ("us-isof-", None),
        ("us-iso-", Some("us-iso-east-1")),
        ("eu-isoe-", None),
        ("eusc-", None),
    ];
    PARTITIONS
        .iter()
        .find(|(prefix, _)| region.as_str().starts_with(prefix))
        .map_or(Some("us-east-1"), |(_, support)| *support)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn support_never_follows_the_watched_region() {
        for (watched, support) in [
            ("eu-central-1", Some("us-east-1")),
            ("us-west-2", Some("us-east-1")),
            ("cn-northwest-1", Some("cn-north-1")),
            ("us-gov-east-1", Some("us-gov-west-1")),
            ("us-iso-west-1", Some("us-iso-east-1")),
            ("us-isob-east-1", Some("us-isob-east-1")),
            ("us-isof-south-1", None),
            ("eusc-de-east-1", None),
        ] {
            assert_eq!(support_region(&Region::new(watched)), support, "{watched}");
        }
    }
}
