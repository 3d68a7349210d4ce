//! What the operator allows and wants: the configuration after it was checked.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

pub use super::receiver::{Fallback, Receiver, Route, Secret, Template};
use super::{
    access::Access,
    calendar::Calendar,
    digest::Digest,
    hint::HintRules,
    ids::{AccountId, ReceiverName, Region, Scope},
    inhibit::Inhibit,
    links::Places,
    permit::Callers,
    price::Prices,
    residency::Residency,
    room::RoomBounds,
    rule::{Category, Rules, Severity},
    units::{Amount, Share},
};

/// How far we go by ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// File nothing.
    Observe,
    /// File what a person approves.
    Propose,
    /// File within the budgets.
    File,
}

impl Mode {
    /// The name in TOML and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Propose => "propose",
            Self::File => "file",
        }
    }
}

/// An account to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Twelve digits; compared with what STS says before anything is filed.
    pub id: AccountId,
    /// A name for people.
    pub name: Option<String>,
    /// Where it is watched.
    pub regions: Regions,
    /// The role to assume; without one, our own credentials are the account's.
    pub role_arn: Option<String>,
    /// For that role.
    pub external_id: Option<String>,
    /// The monitoring account through which its metrics are read, by cross-account observability; without one they are
    /// read as everything else is.
    pub metrics_through: Option<AccountId>,
}

impl Account {
    /// Where it is watched, as far as that is known without asking.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> {
        self.regions.known().iter().map(|region| Scope {
            account: self.id.clone(),
            region: region.clone(),
        })
    }
}

/// The Regions of an account to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Regions {
    /// These, at least one.
    These(Vec<Region>),
    /// All that the account has enabled, asked for each day.
    Enabled {
        /// Where the account is asked; watched as well.
        home: Region,
    },
}

impl Regions {
    /// Those that are known without asking.
    #[must_use]
    pub const fn known(&self) -> &[Region] {
        match self {
            Self::These(these) => these.as_slice(),
            Self::Enabled { home } => std::slice::from_ref(home),
        }
    }

    /// Whether the account is asked for them.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        matches!(self, Self::Enabled { .. })
    }
}

impl Account {
    /// The account through which its metrics are read, where nothing else of it can be asked: no role leads into it.
    #[must_use]
    pub const fn metrics_only(&self) -> Option<&AccountId> {
        match (&self.role_arn, &self.metrics_through) {
            (None, Some(through)) => Some(through),
            (Some(_), _) | (None, None) => None,
        }
    }

    /// Its partition: the role says it, or the Regions do.
    #[must_use]
    pub fn partition(&self) -> &str {
        let of_role = self.role_arn.as_deref();
        if let Some(partition) = of_role.and_then(|arn| arn.split(':').nth(1)) {
            return partition;
        }
        match self.regions.known().first().map(Region::as_str) {
            Some(region) if region.starts_with("cn-") => "aws-cn",
            Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
            Some(_) | None => "aws",
        }
    }

    /// Where the account is asked for its Regions, if it is.
    #[must_use]
    pub fn asked_at(&self) -> Option<Scope> {
        match &self.regions {
            Regions::These(_) => None,
            Regions::Enabled { home } => Some(Scope {
                account: self.id.clone(),
                region: home.clone(),
            }),
        }
    }
}

/// The bounds of what we file by ourselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Budgets {
    /// Quota requests in 24 hours, over all accounts.
    pub requests_per_day: u32,
    /// Cases of our own in an hour, over all accounts.
    pub cases_per_hour: u32,
    /// Cases of our own in 24 hours, over all accounts.
    pub cases_per_day: u32,
    /// Never ask for more than this many times the applied value.
    pub highest_factor: f64,
    /// Never ask for more than this, whatever the demand.
    pub highest_value: Option<Amount>,
}

/// What AWS Support is told about us, word for word. Nothing is claimed that the operator did not write.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Organisation {
    /// What the workload does and whom it serves.
    pub use_case: Option<String>,
    /// Whom AWS may ask.
    pub contact: Option<String>,
}

/// How cases of our own are addressed. Support's codes change, so they are configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseCodes {
    /// Such as `service-bedrock`.
    pub service: String,
    /// Such as `general-guidance`.
    pub category: String,
    /// Such as `normal`.
    pub severity: String,
    /// `technical` or `customer-service`.
    pub issue_type: String,
    /// E-mail addresses that hear what is said in the case; at most ten.
    pub cc: Vec<String>,
}

/// How cases of our own are addressed, by what they are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseAddresses {
    /// Where no exception fits.
    pub usual: CaseCodes,
    /// The first that fits holds.
    pub exceptions: Vec<CaseException>,
    /// Whether cases of ours are thanked for and closed once their value is there.
    pub closes_granted: bool,
}

/// Some cases are addressed otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseException {
    /// About these; empty for all.
    pub categories: Vec<Category>,
    /// Of incidents as severe as this; empty for all.
    pub severities: Vec<Severity>,
    /// How; what the exception leaves out is as usual.
    pub codes: CaseCodes,
}

impl From<CaseCodes> for CaseAddresses {
    /// All alike.
    fn from(usual: CaseCodes) -> Self {
        Self {
            usual,
            exceptions: Vec::new(),
            closes_granted: false,
        }
    }
}

impl CaseAddresses {
    /// For a case of an incident of this category and severity.
    #[must_use]
    pub fn of(&self, category: Category, severity: Severity) -> &CaseCodes {
        let mut fitting = self.exceptions.iter().filter(|it| {
            (it.categories.is_empty() || it.categories.contains(&category))
                && (it.severities.is_empty() || it.severities.contains(&severity))
        });
        fitting.next().map_or(&self.usual, |it| &it.codes)
    }
}

/// What the planner needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// How far we go.
    pub mode: Mode,
    /// Bounds of what we file.
    pub budgets: Budgets,
    /// Who hears what, in the order of the file.
    pub routes: Vec<Route>,
    /// Receivers by name.
    pub receivers: BTreeMap<ReceiverName, Receiver>,
    /// Who hears instead of a receiver that can't be told.
    pub fallbacks: BTreeMap<ReceiverName, Fallback>,
    /// Receivers that hear in other words than ours.
    pub templates: BTreeMap<ReceiverName, Template>,
    /// What Support is told about us.
    pub organisation: Organisation,
    /// How our own cases are addressed.
    pub case_codes: CaseAddresses,
    /// When a cause is told as a hint.
    pub hints: HintRules,
    /// Minutes until a proposal expires.
    pub approval_minutes: i64,
    /// Minutes of silence after a refusal before the same quota may be asked again.
    pub cooldown_minutes: i64,
    /// Which incidents are not told beside which.
    pub inhibits: Vec<Inhibit>,
    /// When people are reminded.
    pub reminders: Reminders,
    /// Minutes for which an account and Region can't be read before people hear of it.
    pub blind_minutes: i64,
    /// Who hears once a day or week how things stand.
    pub digests: Vec<Digest>,
    /// Where data may go.
    pub residency: Vec<Residency>,
    /// What tokens cost.
    pub prices: Prices,
    /// Accounts of which nothing but metrics can be asked, each with the one through which they are read: nothing is filed
    /// there.
    pub metrics_only: BTreeMap<AccountId, AccountId>,
    /// Whose rights to ways out are asked about.
    pub callers: Callers,
    /// The log group of model invocations, where it is asked where requests ran.
    pub invocation_logs: BTreeMap<AccountId, String>,
    /// Where messages lead.
    pub places: Places,
}

/// When people are reminded of what goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reminders {
    /// Minutes from what people heard to the first reminder. Each later one waits twice as long as the one before.
    pub first_minutes: i64,
    /// And at most so long, in minutes.
    pub longest_minutes: i64,
}

impl Reminders {
    /// Minutes until the next reminder, after so many of them.
    #[must_use]
    pub fn wait_minutes(self, reminders: u32) -> i64 {
        let doublings = reminders.min(20);
        let wait = self.first_minutes.saturating_mul(1 << doublings);
        wait.min(self.longest_minutes)
    }
}

/// How often a pool is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// Minutes between reads of a pool in no danger.
    pub quiet_minutes: i64,
    /// Minutes between reads of a pool that nobody has used for hours.
    pub idle_minutes: i64,
    /// Minutes between reads of what limits are not judged by: errors, single token counts, latency.
    pub detail_minutes: i64,
    /// Minutes between reads of a pool near a limit, or with an alert that is on.
    pub hot_minutes: i64,
    /// Minutes between discoveries of targets, profiles and quotas.
    pub discovery_minutes: i64,
    /// Minutes between polls of the desk while something is open there.
    pub desk_minutes: i64,
}

/// How a pool is doing, as far as it decides how often it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heat {
    /// Nobody has used it for hours.
    Idle,
    /// In use, and in no danger.
    Warm,
    /// Near a limit, or refusing requests.
    Hot,
    /// Something is wrong that is no limit: errors or latency.
    Troubled,
}

/// What watching may cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CostBounds {
    /// USD a calendar month, over all accounts.
    pub monthly_budget: f64,
    /// How much of each account's free CloudWatch requests is ours.
    pub free_share: Share,
}

/// How others notice that we are alive.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Heartbeat {
    /// Pinged after each whole cycle.
    pub url: Option<Secret>,
    /// Whether a line of metrics for CloudWatch is printed after each whole cycle.
    pub has_metrics: bool,
}

/// The whole configuration, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Accounts to watch; empty means: the account of our credentials in the Region of the environment.
    pub accounts: Vec<Account>,
    /// What the planner needs.
    pub policy: Policy,
    /// How often we read.
    pub cadence: Cadence,
    /// What that may cost.
    pub cost: CostBounds,
    /// Where the ledger lies.
    pub store_path: PathBuf,
    /// How much room it shall have.
    pub room: RoomBounds,
    /// Where health, metrics and the page are served.
    pub listen: SocketAddr,
    /// To whom.
    pub access: Access,
    /// How others notice that we are alive.
    pub heartbeat: Heartbeat,
    /// Planned events.
    pub calendar: Calendar,
    /// The rules, and for which pools they differ.
    pub rules: Rules,
}
