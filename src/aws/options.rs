//! How we reach AWS: whose accounts, how patiently, at which endpoint; and why it can't be tried.

use std::{fmt, num::NonZeroU32, time::Duration};

use crate::{
    cloud::{Fault, FaultClass},
    model::{
        ids::{AccountId, Region},
        policy::Account,
    },
};

/// How often a read is sent at most, the first time included.
pub const READ_ATTEMPTS: u32 = 3;

/// How long calls may take. Reads are tried [`READ_ATTEMPTS`] times at most, calls marked *once* a single time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// One attempt of a read.
    pub(super) read_attempt: Duration,
    /// All attempts of a read and the waits between them.
    pub(super) read_total: Duration,
    /// A call marked *once*.
    pub(super) once: Duration,
    /// The longest first wait between two attempts; it doubles.
    pub(super) first_wait: Duration,
    /// How much faster than ours the clock of that AWS runs, which is how much faster we may call it; `None` where it
    /// stands while we work.
    pub(super) times: Option<NonZeroU32>,
    /// For a simulated AWS: an endpoint beyond this machine is refused.
    pub(super) is_simulated: bool,
}

/// Below this a busy machine would be taken for a silent one.
const LEAST_ATTEMPT: Duration = Duration::from_millis(200);

impl Patience {
    /// As AWS needs it: reads 10 s an attempt and 30 s in all, calls marked *once* 30 s.
    #[must_use]
    pub const fn real() -> Self {
        Self {
            read_attempt: Duration::from_secs(10),
            read_total: Duration::from_secs(30),
            once: Duration::from_secs(30),
            first_wait: Duration::from_secs(1),
            times: Some(NonZeroU32::MIN),
            is_simulated: false,
        }
    }

    /// For a simulated AWS on this machine whose clock stands while we work, so that a call that hangs does not hold
    /// simulated time for long: 2 s an attempt, 3 s in all.
    #[must_use]
    pub const fn loopback() -> Self {
        Self {
            read_attempt: Duration::from_secs(2),
            read_total: Duration::from_secs(3),
            once: Duration::from_secs(2),
            // Three quick attempts have to fit into the 3 s.
            first_wait: Duration::from_millis(50),
            times: None,
            is_simulated: true,
        }
    }

    /// For a simulated AWS on this machine whose clock runs `times` as fast as real time: [`Patience::real`] in
    /// simulated time, so that a call that hangs costs as much of the story as it would at AWS. An attempt gets 200 real
    /// milliseconds at least, which is what 10 s come to at a speed of 50.
    #[must_use]
    pub fn at_speed(times: u32) -> Self {
        let real = Self::real();
        let times = times.max(1);
        let attempt = (real.read_attempt / times).max(LEAST_ATTEMPT);
        Self {
            read_attempt: attempt,
            read_total: (real.read_total / times).max(attempt * READ_ATTEMPTS),
            once: (real.once / times).max(LEAST_ATTEMPT),
            first_wait: real.first_wait / times,
            times: NonZeroU32::new(times),
            is_simulated: true,
        }
    }
}

/// An endpoint that serves every service, instead of what the environment says: the embedded simulated AWS.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Such as `http://127.0.0.1:4566`.
    pub url: String,
    /// Static access key id; replaced by the account's number where several accounts without a role are watched.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
    /// The home Region.
    pub region: Region,
}

impl Endpoint {
    /// The endpoint with throw-away credentials.
    #[must_use]
    pub fn simulated(url: impl Into<String>, region: Region) -> Self {
        Self {
            url: url.into(),
            access_key_id: "testing".to_owned(),
            secret_access_key: "testing".to_owned(),
            region,
        }
    }
}

impl fmt::Debug for Endpoint {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &self.url)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// How we reach AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdkOptions {
    /// Accounts with a role are reached through it; every other account with our own credentials.
    pub accounts: Vec<Account>,
    /// How long calls may take.
    pub patience: Patience,
    /// The embedded simulated AWS; `None` for the usual environment.
    pub endpoint: Option<Endpoint>,
}

/// Why AWS can't be reached.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A role that can't be assumed, since it is not the name of one.
    #[error(
        "account {account}: `{role_arn}` is not the ARN of a role of this account; \
         it reads like `arn:aws:iam::{account}:role/NAME`"
    )]
    Role {
        /// The account.
        account: AccountId,
        /// What was configured.
        role_arn: String,
    },
    /// The endpoint is no URL.
    #[error("the endpoint `{url}` is not a URL; it reads like http://127.0.0.1:4566")]
    Endpoint {
        /// What was given.
        url: String,
    },
    /// A simulated AWS on this machine was asked for, and calls would leave it.
    #[error(transparent)]
    NotLoopback(#[from] super::NotLoopback),
    /// Nobody says which Region to watch.
    #[error(
        "no Region is configured; list accounts with their Regions in the configuration, \
         or set AWS_REGION, or `region` in the AWS profile"
    )]
    NoRegion,
    /// STS did not say who we are.
    #[error("AWS did not say whose credentials these are")]
    Caller(#[source] Fault),
    /// The account did not say which Regions it has.
    #[error("AWS did not say which Regions the account has enabled")]
    Regions(#[source] Fault),
    /// The HTTP client for webhooks could not be made.
    #[error(
        "the HTTP client for webhooks could not be made; are the system's root certificates readable?"
    )]
    Webhook(#[source] reqwest::Error),
}

impl ConnectError {
    /// What the operator can do, where the message does not say it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Role { .. } => "correct `role_arn` of this `[[account]]` in the configuration",
            Self::Caller(fault) => match fault.class {
                FaultClass::Denied | FaultClass::NoPlan | FaultClass::Invalid => {
                    "nothing was begun; `aws sts get-caller-identity` in the same environment must work first"
                }
                FaultClass::Throttled
                | FaultClass::NotFound
                | FaultClass::Exists
                | FaultClass::Full
                | FaultClass::Server
                | FaultClass::Connect
                | FaultClass::Lost
                | FaultClass::Garbled => {
                    "nothing was begun; check the network (DNS, proxy, the way to STS) and AWS_ENDPOINT_URL if it is set, then start again"
                }
            },
            Self::Regions(_) => {
                "list the Regions in the configuration, or allow `account:ListRegions`"
            }
            Self::Endpoint { .. } | Self::NotLoopback(_) | Self::NoRegion | Self::Webhook(_) => "",
        }
    }

    /// Whether what is configured, here or in the environment, is at fault: trying again is no use.
    #[must_use]
    pub const fn is_configuration(&self) -> bool {
        match self {
            Self::Role { .. } | Self::Endpoint { .. } | Self::NotLoopback(_) | Self::NoRegion => {
                true
            }
            Self::Caller(_) | Self::Regions(_) | Self::Webhook(_) => false,
        }
    }
}

impl ConnectError {
    /// Whether it was a clear no, ours or AWS's, and not a missing answer.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        match self {
            Self::Caller(fault) | Self::Regions(fault) => matches!(fault.class, FaultClass::Denied),
            Self::Role { .. }
            | Self::Endpoint { .. }
            | Self::NotLoopback(_)
            | Self::NoRegion
            | Self::Webhook(_) => true,
        }
    }
}

impl SdkOptions {
    /// What can be known to be wrong without asking anyone.
    pub(super) fn check(&self) -> Result<(), ConnectError> {
        if let Some(endpoint) = &self.endpoint {
            let is_http = reqwest::Url::parse(&endpoint.url)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            if !is_http {
                return Err(ConnectError::Endpoint {
                    url: endpoint.url.clone(),
                });
            }
        }
        self.accounts.iter().try_for_each(check_role)
    }
}

fn check_role(account: &Account) -> Result<(), ConnectError> {
    let Some(role_arn) = &account.role_arn else {
        return Ok(());
    };
    let parts: Vec<&str> = role_arn.splitn(6, ':').collect();
    let is_role = matches!(
        parts.as_slice(),
        ["arn", partition, "iam", "", owner, name]
            if partition.starts_with("aws")
                && *owner == account.id.as_str()
                && name.strip_prefix("role/").is_some_and(|name| !name.is_empty())
    );
    if is_role {
        Ok(())
    } else {
        Err(ConnectError::Role {
            account: account.id.clone(),
            role_arn: role_arn.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::policy::Regions;

    fn with_role(role_arn: &str) -> Account {
        Account {
            id: AccountId::new("111122223333"),
            name: None,
            regions: Regions::These(vec![Region::new("us-east-1")]),
            role_arn: Some(role_arn.to_owned()),
            external_id: None,
            metrics_through: None,
        }
    }

    #[test]
    fn a_role_belongs_to_its_account() {
        for good in [
            "arn:aws:iam::111122223333:role/BedrockOpsAlert",
            "arn:aws-us-gov:iam::111122223333:role/ops/BedrockOpsAlert",
        ] {
            assert!(check_role(&with_role(good)).is_ok(), "{good}");
        }
        for bad in [
            "BedrockOpsAlert",
            "arn:aws:iam::444455556666:role/BedrockOpsAlert",
            "arn:aws:iam::111122223333:user/BedrockOpsAlert",
            "arn:aws:iam::111122223333:role/",
        ] {
            let told = check_role(&with_role(bad)).unwrap_err().to_string();
            assert!(
                told.contains(bad) && told.contains("111122223333:role/NAME"),
                "{told}"
            );
        }
    }

    #[test]
    fn patience_runs_in_simulated_time_down_to_a_floor() {
        let millis = |patience: Patience| {
            [patience.read_attempt, patience.read_total, patience.once].map(|it| it.as_millis())
        };
        assert_eq!(millis(Patience::real()), [10_000, 30_000, 30_000]);
        for (times, want) in [
            (0, [10_000, 30_000, 30_000]),
            (1, [10_000, 30_000, 30_000]),
            (20, [500, 1_500, 1_500]),
            (50, [200, 600, 600]),
            (100, [200, 600, 300]),
            (86_400, [200, 600, 200]),
        ] {
            assert_eq!(millis(Patience::at_speed(times)), want, "{times}");
        }
    }

    #[test]
    fn an_endpoint_is_a_url_and_keeps_its_secret() {
        let mut options = SdkOptions {
            accounts: Vec::new(),
            patience: Patience::loopback(),
            endpoint: Some(Endpoint::simulated(
                "http://127.0.0.1:1",
                Region::new("us-east-1"),
            )),
        };
        assert!(options.check().is_ok());
        assert!(!format!("{options:?}").contains("testing"));
        for bad in ["127.0.0.1:80", "", "ftp://127.0.0.1"] {
            options.endpoint = Some(Endpoint::simulated(bad, Region::new("us-east-1")));
            assert!(options.check().is_err(), "{bad}");
        }
    }
}
