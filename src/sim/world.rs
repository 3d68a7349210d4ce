//! A world: what exists in the simulated AWS, what its callers want, and how its desk decides. Checked plain data.
//!
//! The file format is in `docs/worlds.md`; [`World::parse`] reports every fault of a file at once.

mod check;
mod day;
pub mod denial;
mod random;
mod raw;
mod script;
pub mod when;

use std::collections::BTreeMap;

use crate::model::{
    catalog::{Family, LifeCycle, PoolId},
    ids::{AccountId, ModelId, QuotaCode, Region, Scope, TargetId},
    time::{Minute, SignedDuration, Timestamp},
    units::QuotaKind,
};

pub use day::{CrossModelDay, TokenWeights};
use denial::Denial;
pub use script::{Answer, Label, LabelKind, Outcome, Script, Support};

/// A whole simulated organisation. Made by [`World::parse`], [`World::random`] or a built-in name; its parts agree.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// The instant at which the simulated clock starts.
    pub start: Timestamp,
    /// Decides everything that the file leaves to chance; [`super::Sim::new`] may override it.
    pub seed: u64,
    /// How long the story of this world is. The clock may run on after it.
    pub length: SignedDuration,
    /// Traffic exists from this long before the start, for back-filling.
    pub history: SignedDuration,
    /// The share of throttled requests that come again in the next minute, `0.0..=1.0`.
    pub retry_share: f64,
    /// When datapoints become visible.
    pub publication: Publication,
    /// The accounts, in the order of the file. Never empty.
    pub accounts: Vec<Account>,
    /// The models by id.
    pub models: BTreeMap<ModelId, Model>,
    /// System-defined profiles by id.
    pub profiles: BTreeMap<String, SystemProfile>,
    /// Application profiles.
    pub applications: Vec<ApplicationProfile>,
    /// What is called, with its traffic.
    pub targets: Vec<Target>,
    /// What is called at the mantle endpoint.
    pub mantle: Vec<MantleModel>,
    /// The pools that the targets drain.
    pub pools: Vec<Pool>,
    /// Values that differ from the published or invented defaults.
    pub quotas: BTreeMap<(Scope, QuotaCode), QuotaOverride>,
    /// The daily quotas across all models that refuse, and how they weigh; at most one for an account and Region.
    pub cross_model_days: Vec<CrossModelDay>,
    /// The desk's script.
    pub desk: Vec<Script>,
    /// How Support treats cases that callers open themselves.
    pub support: Support,
    /// The truth about stretches of time. The daemon never sees it.
    pub labels: Vec<Label>,
    /// What callers of models are denied.
    pub denials: Vec<Denial>,
    /// How often the AWS of this world fails; for the wire and as a start for in-process faults.
    pub faults: FaultRates,
}

/// When the datapoint of a minute becomes visible, counted from the minute's end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Publication {
    /// At the earliest, seconds.
    pub least_seconds: i64,
    /// At the latest, seconds, unless it is late.
    pub most_seconds: i64,
    /// The share of minutes of a target of which a part, or all, is late. `0.0..=1.0`.
    pub late_share: f64,
    /// The latest late part, seconds.
    pub late_seconds: i64,
}

/// An AWS account.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Twelve digits.
    pub id: AccountId,
    /// For people.
    pub name: String,
    /// Whether its support plan has the Support API.
    pub has_support_plan: bool,
    /// Whether other accounts may assume a role in it.
    pub is_assumable: bool,
    /// The accounts that are linked to it, in every Region that both have: it is their monitoring account.
    pub monitors: Vec<AccountId>,
    /// Its Regions. Never empty.
    pub regions: Vec<Region>,
    /// SNS topics as (Region, name).
    pub topics: Vec<(Region, String)>,
    /// The callers that IAM knows, as their ARNs end; empty means whoever is named.
    pub principals: Vec<String>,
    /// The log group that model invocations are logged to, in each of its Regions; `None` where they are not.
    pub invocation_logs: Option<String>,
}

/// A foundation model.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The base id.
    pub id: ModelId,
    /// The label in its quotas' names, verbatim, such as `Anthropic Claude Sonnet 4.6`.
    pub label: String,
    /// How long it will be there; the status is `ACTIVE` or `LEGACY`.
    pub life: LifeCycle,
    /// Whether ListFoundationModels says that its id alone can be called.
    pub is_on_demand: bool,
    /// Output tokens count this many times against TPM.
    pub burndown: f64,
}

/// A model that a project calls at the mantle endpoint. What it is called for is a target of its own, see
/// [`MantleModel::target`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MantleModel {
    /// Account and Region.
    pub scope: Scope,
    /// The project.
    pub project: String,
    /// The model, as CloudWatch names it.
    pub model: ModelId,
    /// The index of its traffic in [`World::targets`]; `None` where it is listed and not called.
    pub target: Option<usize>,
}

/// A system-defined inference profile.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemProfile {
    /// Prefix, dot, model id.
    pub id: String,
    /// The model it runs.
    pub model: ModelId,
    /// The Regions it may run in; empty for a global profile, whose list is every Region and a region-less ARN.
    pub destinations: Vec<Region>,
    /// The source Regions that list it; empty means all of the world's.
    pub sources: Vec<Region>,
    /// The share of answered requests that ran in other destinations than the Region that was called, `0.0..=1.0`; the
    /// same in each of them.
    pub ran_elsewhere: f64,
}

impl SystemProfile {
    /// Whether the profile is global.
    #[must_use]
    pub fn is_global(&self) -> bool {
        self.id.starts_with("global.")
    }

    /// Whether this source Region lists it.
    #[must_use]
    pub fn is_listed_in(&self, region: &Region) -> bool {
        self.sources.is_empty() || self.sources.contains(region)
    }
}

/// An application inference profile.
#[derive(Clone, Debug, PartialEq)]
pub struct ApplicationProfile {
    /// Twelve characters.
    pub id: String,
    /// The owner's name for it.
    pub name: String,
    /// Account and Region it lives in.
    pub scope: Scope,
    /// A system profile or a model id.
    pub copied_from: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// One `ModelId` value in one account and Region, or what one project calls of a model at the mantle endpoint, and what
/// its callers want.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Account and Region.
    pub scope: Scope,
    /// The dimension value.
    pub id: TargetId,
    /// The index of its pool in [`World::pools`].
    pub pool: usize,
    /// Its demand.
    pub traffic: Traffic,
}

/// What the callers of a target want, and how it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    /// The name of the trace.
    pub trace: String,
    /// Whether each day of the trace is brought to the same mean.
    pub is_evened: bool,
    /// Minutes by which the trace is shifted.
    pub shift: i64,
    /// Mean requests a minute at the start of the world, before ramps, steps and bursts.
    pub requests_per_minute: f64,
    /// Mean input tokens a request.
    pub input_tokens: f64,
    /// Mean output tokens a request.
    pub output_tokens: f64,
    /// Cache reads as a share of the input tokens, on top of them.
    pub cache_read_share: f64,
    /// Cache writes as a share of the input tokens, on top of them.
    pub cache_write_share: f64,
    /// Compound growth a day: `0.02` is 2 %.
    pub growth_per_day: f64,
    /// First minute of any traffic.
    pub from: Minute,
    /// First minute without traffic again.
    pub until: Minute,
    /// Linear change of level that stays.
    pub ramps: Vec<Span>,
    /// Level multiplied for a while; also steps, whose end is the end of time.
    pub bursts: Vec<Span>,
    /// Share of accepted requests that fail by the caller's fault, always.
    pub client_error_share: f64,
    /// Share of accepted requests that fail by AWS's fault, always.
    pub server_error_share: f64,
    /// Stretches of client errors; the factor is the share of requests that fail.
    pub client_errors: Vec<Span>,
    /// Stretches of server errors; the factor is the share of requests that fail.
    pub server_errors: Vec<Span>,
    /// Stretches of slowness; the factor multiplies the latency.
    pub slow: Vec<Span>,
    /// Time to the first token, milliseconds.
    pub first_token_ms: f64,
    /// Time for each output token, milliseconds.
    pub token_ms: f64,
}

/// A stretch of time with a factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// First minute.
    pub from: Minute,
    /// First minute after it.
    pub until: Minute,
    /// What it means is said where it is used.
    pub factor: f64,
}

/// What one set of quotas limits, in this world.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Which.
    pub id: PoolId,
    /// The quotas that refuse what goes above them in a minute, as far as the model has them.
    pub limits: Vec<(QuotaKind, QuotaCode)>,
    /// The model's own quota of tokens per day.
    pub per_day: Option<QuotaCode>,
    /// The model's burndown.
    pub burndown: f64,
    /// Indices into [`World::targets`].
    pub targets: Vec<usize>,
}

/// What a world says of one quota in one account and Region.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct QuotaOverride {
    /// The applied value; 0 is a blocked account.
    pub applied: Option<f64>,
    /// The default value.
    pub default: Option<f64>,
    /// Whether it can be asked for.
    pub adjustable: Option<bool>,
}

/// How often calls fail, as shares of all calls, `0.0..=1.0`. What `hang` and `truncate` mean is the wire's business.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct FaultRates {
    /// Refused with a throttle code, before any effect.
    pub throttled: f64,
    /// 5xx before the effect.
    pub server_before: f64,
    /// 5xx after the effect.
    pub server_after: f64,
    /// The answer is lost after the effect.
    pub lost_after: f64,
    /// The connection fails before anything is sent.
    pub connect: f64,
    /// The answer can't be understood; the effect happened.
    pub garbled: f64,
    /// A page is shorter than need be, with a token for the rest.
    pub partial_page: f64,
    /// A page comes twice.
    pub repeated_page: f64,
    /// The answer never comes (wire only).
    pub hang: f64,
    /// The body ends early (wire only).
    pub truncate: f64,
}

/// A world file's faults, all of them: each says where it is and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the world has {} fault(s):\n{}", .0.len(), .0.join("\n"))]
pub struct WorldFaults(pub Vec<String>);

/// The worlds that are compiled in, as name and file text.
const BUILT_IN: &[(&str, &str)] = &[
    (
        "fortnight",
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/data/worlds/fortnight.toml"
        )),
    ),
    (
        "minute",
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/data/worlds/minute.toml"
        )),
    ),
];

impl World {
    /// Reads a world file.
    ///
    /// # Errors
    /// Every fault of the text: syntax, unknown keys, wrong values, references to what does not exist.
    pub fn parse(text: &str) -> Result<Self, WorldFaults> {
        let raw: raw::World =
            toml::from_str(text).map_err(|fault| WorldFaults(vec![fault.to_string()]))?;
        check::world(raw)
    }

    /// A compiled-in world: `fortnight` or `minute`.
    ///
    /// # Errors
    /// The names that exist, when this one does not.
    pub fn built_in(name: &str) -> Result<Self, WorldFaults> {
        let text = BUILT_IN.iter().find(|(known, _)| *known == name);
        let Some((_, text)) = text else {
            let known: Vec<&str> = BUILT_IN.iter().map(|(known, _)| *known).collect();
            let fault = format!(
                "no built-in world `{name}`; there are: {}",
                known.join(", ")
            );
            return Err(WorldFaults(vec![fault]));
        };
        Self::parse(text)
    }

    /// A small organisation by seed, for tests: three to five pools, 30 hours, mostly with a shortage.
    ///
    /// # Errors
    /// None for any seed, as a test proves; the type is that of the parser it goes through.
    pub fn random(seed: u64) -> Result<Self, WorldFaults> {
        random::world(seed)
    }

    /// First minute of any traffic.
    #[must_use]
    pub fn first_minute(&self) -> Minute {
        Minute::of(
            self.start
                .saturating_sub(self.history)
                .unwrap_or(Timestamp::MIN),
        )
    }

    /// The account of this id.
    #[must_use]
    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == *id)
    }

    /// The account that a plain access key belongs to.
    #[must_use]
    pub fn first_account(&self) -> AccountId {
        let first = self.accounts.first();
        first.map_or_else(
            || AccountId::new("000000000000"),
            |account| account.id.clone(),
        )
    }

    /// All accounts in all their Regions, sorted.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        let mut scopes: Vec<Scope> = self
            .accounts
            .iter()
            .flat_map(|account| {
                account.regions.iter().map(|region| Scope {
                    account: account.id.clone(),
                    region: region.clone(),
                })
            })
            .collect();
        scopes.sort();
        scopes
    }

    /// The family and model that a `ModelId` value leads to in this scope.
    #[must_use]
    pub fn resolve(&self, scope: &Scope, target: &str) -> Option<(Family, ModelId)> {
        let application = self
            .applications
            .iter()
            .find(|profile| profile.id == target && profile.scope == *scope);
        let source = application.map_or(target, |profile| profile.copied_from.as_str());
        if let Some(profile) = self.profiles.get(source) {
            let family = if profile.is_global() {
                Family::Global
            } else {
                Family::Geo
            };
            return Some((family, profile.model.clone()));
        }
        let model = self.models.get(&ModelId::new(source))?;
        Some((Family::OnDemand, model.id.clone()))
    }
}
