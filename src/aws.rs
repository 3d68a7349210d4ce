//! The AWS SDK behind the port [`crate::cloud::Cloud`]. No other module names an SDK type.
//!
//! What belongs here: clients and their timeouts, turning SDK answers into our types and SDK errors into
//! [`Fault`](crate::cloud::Fault)s. What does not: paging loops, retries of our own, decisions.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    cloud::{Access, Caller, Fault},
    model::ids::{AccountId, PrincipalArn, Scope},
};

pub mod actions;
mod call;
mod catalog;
mod clients;
mod fault;
pub mod iam;
mod logs;
mod loopback;
mod meter;
mod metrics;
mod options;
pub(crate) mod outward;
mod pace;
mod permits;
mod port;
pub mod price;
mod publish;
mod quotas;
mod regions;
mod support;
mod webhook;

pub use loopback::{NotLoopback, endpoints_are_loopback};
pub use options::{ConnectError, Endpoint, Patience, READ_ATTEMPTS, SdkOptions};

use call::send;
use clients::{Clients, Configs};
use meter::Meter;
use pace::Pace;
use webhook::Webhooks;

/// The real AWS, or whatever answers at the configured endpoints.
pub struct SdkCloud {
    own: Configs,
    /// Accounts that are not reached with our own credentials.
    others: BTreeMap<AccountId, Configs>,
    /// How accounts are reached, as they are configured.
    access: BTreeMap<AccountId, Access>,
    clients: Mutex<BTreeMap<Scope, Arc<Clients>>>,
    meter: Arc<Meter>,
    webhooks: Webhooks,
}

impl fmt::Debug for SdkCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SdkCloud")
            .field("others", &self.others.keys())
            .finish_non_exhaustive()
    }
}

impl SdkCloud {
    /// Reads credentials and endpoints from the environment or the options. Asks AWS nothing.
    ///
    /// Credentials that are missing or refused show at the first call, as [`Denied`](crate::cloud::FaultClass::Denied).
    ///
    /// # Errors
    /// A role that is no role of its account, an endpoint that is no URL, an endpoint beyond this machine where
    /// the patience is that for a simulated AWS, no HTTP client for webhooks.
    pub async fn connect(options: SdkOptions) -> Result<Self, ConnectError> {
        options.check()?;
        let pace = options.patience.times.map_or_else(Pace::default, Pace::new);
        let webhooks = Webhooks::new(options.patience).map_err(ConnectError::Webhook)?;
        let own = clients::own(&options).await;
        if options.patience.is_simulated {
            // The AWS profile may turn endpoints off, which the environment's variables don't show.
            loopback::effective(own.endpoint())?;
        }
        let keyed = options
            .accounts
            .iter()
            .filter(|a| a.role_arn.is_none() && a.metrics_only().is_none())
            .count();
        let mut others = BTreeMap::new();
        for account in &options.accounts {
            if let Some(role_arn) = &account.role_arn {
                let configs = clients::assumed(&own, account, role_arn).await;
                others.insert(account.id.clone(), configs);
            } else if let Some(endpoint) = &options.endpoint
                && account.metrics_only().is_none()
                && keyed > 1
            {
                // The simulated AWS reads the account from the access key id.
                let configs = clients::keyed(&own, account.id.as_str(), endpoint);
                others.insert(account.id.clone(), configs);
            }
        }
        let access = options.accounts.iter();
        let access = access.map(|account| (account.id.clone(), Access::of(account)));
        Ok(Self {
            own,
            others,
            access: access.collect(),
            clients: Mutex::default(),
            meter: Arc::new(Meter::new(pace)),
            webhooks,
        })
    }

    /// Account and Region of the environment's credentials, for a configuration without accounts. Calls STS.
    ///
    /// # Errors
    /// As [`SdkCloud::connect`]; also when the environment names no Region, or STS does not say who we are.
    pub async fn home(options: &SdkOptions) -> Result<Scope, ConnectError> {
        options.check()?;
        let own = clients::own(options).await;
        let region = own.region().ok_or(ConnectError::NoRegion)?;
        let clients = Clients::new(&own, None, &region, &Arc::default());
        let caller = clients.caller().await.map_err(ConnectError::Caller)?;
        Ok(Scope {
            account: caller.account,
            region,
        })
    }

    /// The clients that ask for everything but metrics.
    ///
    /// # Errors
    /// Where no role leads into the account: nothing is sent with another one's credentials.
    fn own(&self, scope: &Scope, operation: &'static str) -> Result<Arc<Clients>, Fault> {
        let access = self.access.get(&scope.account);
        if access.is_some_and(|it| it.is_metrics_only) {
            return Err(Fault::no_way(operation, scope));
        }
        Ok(self.at(scope))
    }

    /// The clients that ask for metrics, and whose metrics where these are not the callers' own.
    fn metrics_of<'s>(&self, scope: &'s Scope) -> (Arc<Clients>, Option<&'s AccountId>) {
        let access = self.access.get(&scope.account);
        let Some(through) = access.and_then(|it| it.metrics_through.clone()) else {
            return (self.at(scope), None);
        };
        let monitoring = Scope {
            account: through,
            region: scope.region.clone(),
        };
        (self.at(&monitoring), Some(&scope.account))
    }

    /// The clients of a scope: made at the first call, kept for the life of the process.
    fn at(&self, scope: &Scope) -> Arc<Clients> {
        let mut all = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let clients = all.entry(scope.clone()).or_insert_with(|| {
            let configs = self.others.get(&scope.account).unwrap_or(&self.own);
            let Scope { account, region } = scope;
            Arc::new(Clients::new(configs, Some(account), region, &self.meter))
        });
        Arc::clone(clients)
    }
}

impl Clients {
    /// Who the credentials are.
    async fn caller(&self) -> Result<Caller, Fault> {
        let request = self.sts.get_caller_identity();
        let answer = send!(self.meter, read, actions::CALLER, request)?;
        let account = fault::need(actions::CALLER, "Account", answer.account)?;
        let arn = answer.arn.filter(|arn| !arn.is_empty());
        Ok(Caller {
            account: AccountId::new(account),
            arn: arn.map(PrincipalArn::new),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cloud::FaultClass, model::ids::Region};

    #[tokio::test]
    async fn without_credentials_nothing_is_sent_and_nothing_counted() {
        let meter = Arc::default();
        let configs = Configs::without_credentials(Patience::loopback());
        let clients = Clients::new(&configs, None, &Region::new("us-east-1"), &meter);
        let fault = clients.caller().await.unwrap_err();
        assert_eq!(fault.class, FaultClass::Denied, "{fault}");
        assert!(fault.message.contains("AWS_PROFILE"), "{fault}");
        assert!(meter.snapshot().by_site.is_empty());
    }
}
