//! `doctor`: is everything there that this configuration needs? Asks AWS by calls that read and cost next to nothing, and
//! writes nothing anywhere but a file that it takes away again.
//!
//! - `asking`: the calls, one for each IAM action that reads;
//! - `here`: this machine: store, page, receivers.

mod asking;
mod here;

use std::collections::BTreeMap;

use crate::{
    aws::{self, Patience, SdkCloud, SdkOptions, actions},
    cloud::{Cloud, Fault, FaultClass},
    collect::enabled_regions,
    model::{
        ids::{AccountId, Region, Scope},
        policy::{Account, Settings},
    },
    runtime::clock,
};

use super::run::accounts;

/// What an item came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Fine,
    /// Works, and is not as it should be.
    Warning,
    /// Was not tried, since trying it would have an effect.
    NotTried,
    /// Could not be told: AWS is out of reach, or throttles.
    Unknown,
    /// Does not work.
    Failed,
}

impl Verdict {
    /// The name in JSON and in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warning => "warning",
            Self::NotTried => "not tried",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where: `here`, an account, or an account and a Region.
    pub place: String,
    /// What: a word such as `clock`, or an IAM action.
    pub what: String,
    /// What it came to.
    pub verdict: Verdict,
    /// Why, or what was found.
    pub found: String,
    /// What the operator loses as it is.
    pub loss: Option<&'static str>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Item {
    fn fine(place: &str, what: &str, found: impl Into<String>) -> Self {
        Self::new(place, what, Verdict::Fine, found)
    }

    fn new(place: &str, what: &str, verdict: Verdict, found: impl Into<String>) -> Self {
        Self {
            place: place.to_owned(),
            what: what.to_owned(),
            verdict,
            found: found.into(),
            loss: None,
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What a call came to that should have been allowed.
    fn of_call<T>(place: &str, operation: &'static str, answer: Result<T, Fault>) -> Self {
        let fault = match answer {
            Ok(_) => return Self::fine(place, operation, "allowed"),
            Err(fault) => fault,
        };
        let verdict = match fault.class {
            // It was looked up, and is not there: looking is allowed.
            FaultClass::NotFound => return Self::fine(place, operation, "allowed"),
            FaultClass::Denied | FaultClass::NoPlan => Verdict::Failed,
            FaultClass::Throttled
            | FaultClass::Invalid
            | FaultClass::Exists
            | FaultClass::Full
            | FaultClass::Server
            | FaultClass::Connect
            | FaultClass::Lost
            | FaultClass::Garbled => Verdict::Unknown,
        };
        let mut item = Self::new(place, operation, verdict, told(&fault));
        item.loss = actions::loss(operation);
        item
    }
}

/// The other side's words; the operation is named beside them.
fn told(fault: &Fault) -> String {
    format!("{}: {}", fault.code, fault.message)
}

/// Everything that was looked at, in the order in which it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkup {
    /// The items.
    pub items: Vec<Item>,
}

impl Checkup {
    /// How many came to this.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        let items = self.items.iter();
        items.filter(|item| item.verdict == verdict).count()
    }
}

/// Looks at everything that these settings need.
pub async fn examine(settings: &Settings) -> Checkup {
    let mut items = here::items(settings).await;
    // A simulated AWS answers at once or never.
    let patience = if aws::endpoints_are_loopback().is_ok() {
        Patience::loopback()
    } else {
        Patience::real()
    };
    match connected(settings, patience).await {
        Ok((cloud, accounts)) => {
            let mut of_aws = Vec::new();
            for account in &accounts {
                let Some(scopes) = of_account(&cloud, account, &mut of_aws).await else {
                    continue;
                };
                for scope in scopes {
                    of_aws.extend(asking::region(&cloud, &scope, clock::wall()).await);
                    of_aws.extend(asking::logs(&cloud, &scope, settings, clock::wall()).await);
                }
                of_aws.extend(asking::account(&cloud, account, settings, clock::wall()).await);
            }
            items.extend(clock_item(cloud.answers().clock_ahead));
            items.extend(of_aws);
        }
        Err(item) => items.push(item),
    }
    Checkup { items }
}

async fn connected(
    settings: &Settings,
    patience: Patience,
) -> Result<(SdkCloud, Vec<Account>), Item> {
    let failed = |error: &dyn std::error::Error, help: &str, is_ours: bool| {
        let verdict = if is_ours {
            Verdict::Failed
        } else {
            Verdict::Unknown
        };
        let mut found = error.to_string();
        if let Some(cause) = error.source() {
            found = format!("{found}: {cause}");
        }
        Item::new("here", "credentials", verdict, found).help(help)
    };
    let accounts = accounts(settings.accounts.clone(), patience).await;
    let accounts = accounts.map_err(|error| {
        if let super::run::RunError::Connect(cause) = &error {
            return failed(cause, cause.help(), cause.is_refused());
        }
        failed(&error, "", true)
    })?;
    let options = SdkOptions {
        accounts: accounts.clone(),
        patience,
        endpoint: None,
    };
    let cloud = SdkCloud::connect(options).await;
    let cloud = cloud.map_err(|error| failed(&error, error.help(), error.is_refused()))?;
    Ok((cloud, accounts))
}

/// Who the account takes us for, and where it is watched. Without an answer to the first nothing else is asked.
async fn of_account(
    cloud: &dyn Cloud,
    account: &Account,
    items: &mut Vec<Item>,
) -> Option<Vec<Scope>> {
    let place = account.id.to_string();
    let at = |region: Region| Scope {
        account: account.id.clone(),
        region,
    };
    if let Some(through) = account.metrics_only() {
        items.push(of_linked(&place, through));
        return Some(account.regions.known().iter().cloned().map(at).collect());
    }
    let first = at(account.regions.known().first()?.clone());
    match cloud.caller(&first).await {
        Ok(caller) if caller.account == account.id => {
            let found = match &account.role_arn {
                Some(role) => format!("by the role {role}"),
                None => "by the service's own credentials".to_owned(),
            };
            items.push(Item::fine(&place, "credentials", found));
        }
        Ok(caller) => {
            let found = format!("these credentials are of account {}", caller.account);
            items.push(
                Item::new(&place, "credentials", Verdict::Failed, found).help(format!(
                    "give [[account]] {place} a `role_arn`, or start the service with its credentials"
                )),
            );
            return None;
        }
        Err(fault) => {
            let mut item = Item::of_call(&place, "sts:GetCallerIdentity", Err::<(), _>(fault));
            "credentials".clone_into(&mut item.what);
            if let Some(role) = &account.role_arn {
                item = item.help(format!(
                    "allow `sts:AssumeRole` on {role}, and let its trust policy name the service's role{}",
                    match account.external_id {
                        Some(_) => " with this external id",
                        None => "",
                    }
                ));
            }
            items.push(item);
            return None;
        }
    }
    let Some(home) = account.asked_at() else {
        return Some(account.regions.known().iter().cloned().map(at).collect());
    };
    let regions = enabled_regions(cloud, &home).await;
    let found = regions.as_ref().map(Vec::len).ok();
    let mut item = Item::of_call(
        &place,
        "account:ListRegions",
        regions.as_ref().map_err(Clone::clone),
    );
    if let Some(number) = found {
        item.found = format!("allowed; Regions enabled: {number}");
    }
    items.push(item);
    let known = |_| account.regions.known().to_vec();
    Some(regions.unwrap_or_else(known).into_iter().map(at).collect())
}

/// No role leads into the account: what that means.
fn of_linked(place: &str, through: &AccountId) -> Item {
    let found = format!("none: its metrics are read through account {through}");
    Item {
        loss: Some("its profiles and quotas are not read, and nothing is asked of AWS there"),
        ..Item::new(place, "credentials", Verdict::Warning, found)
    }
    .help(format!(
        "for more than metrics, give [[account]] {place} a `role_arn`"
    ))
}

/// AWS refuses requests whose signature is minutes off.
const MOST_AHEAD_SECONDS: f64 = 30.0;

fn clock_item(ahead: Option<f64>) -> Option<Item> {
    let ahead = ahead?;
    let way = if ahead < 0.0 { "behind" } else { "ahead of" };
    let found = format!("{:.0} s {way} AWS", ahead.abs());
    Some(if ahead.abs() < MOST_AHEAD_SECONDS {
        Item::fine("here", "clock", found)
    } else {
        Item {
            loss: Some("AWS refuses what is signed minutes off, and minutes are taken for others"),
            ..Item::new("here", "clock", Verdict::Failed, found)
        }
        .help("let systemd-timesyncd or chrony set it: `timedatectl status`")
    })
}

/// Items by place, in the order of their first one.
#[must_use]
pub fn by_place(items: &[Item]) -> Vec<(&str, Vec<&Item>)> {
    let mut order: Vec<&str> = Vec::new();
    let mut places: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    for item in items {
        let of_place = places.entry(&item.place).or_default();
        if of_place.is_empty() {
            order.push(&item.place);
        }
        of_place.push(item);
    }
    let with_items = order.into_iter();
    with_items
        .filter_map(|place| Some((place, places.remove(place)?)))
        .collect()
}

#[cfg(test)]
mod tests;
