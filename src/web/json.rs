//! The documents that the JSON API, the page and the commands share. Their shapes are promised in `docs/api.md`.
//!
//! Domain types don't derive serde: these mirrors do. Times are RFC 3339 in UTC, ages whole seconds, lists sorted as
//! their field says. Texts are as AWS and the operators wrote them; whoever shows them makes them inert first.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod cost;
mod explanation;
mod history;
mod moment;
mod prospect;
mod ran;
mod record;
mod said;

pub use cost::{Bill, BillRow, Money, MonthBrief};
pub use explanation::{
    Alert, ChargeCheck, Decision, Elsewhere, Explanation, Incident, Judgement, Life, PerRequest,
    Quota, QuotaChange, Target, TargetDay,
};
pub use history::{Bucket, History, LimitChange, Threshold};
pub use moment::{IncidentThen, Measured, MessageThen, Moment, RuleThen, SeenMinute};
pub use prospect::{Asking, Plan, Prospect, Used, Wanted};
pub use ran::{Ran, RanRead, RanRow};
pub use record::{BandRecord, Record, RuleRecord, WarningRecord};
pub use said::{
    AckBrief, Acknowledging, HeldBrief, Ordered, Ruled, Ruling, Silence, SilenceBrief, Silences,
    Silencing, Trail, TrailEntry,
};

/// How it is, worst last that still rests on knowledge; the last two say that we do not know.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing to do.
    Ok,
    /// Something to read, nobody has to get up.
    Attention,
    /// A person should look.
    Warning,
    /// Users are hurt now.
    Critical,
    /// What we know is old. Never green.
    Stale,
    /// The first cycle is not done. Never green.
    Starting,
}

impl Level {
    /// The word in JSON and texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Attention => "attention",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Stale => "stale",
            Self::Starting => "starting",
        }
    }

    /// Whether a script that asks should stop: a person has to look, or nobody knows.
    #[must_use]
    pub const fn is_at_risk(self) -> bool {
        match self {
            Self::Ok | Self::Attention => false,
            Self::Warning | Self::Critical | Self::Stale | Self::Starting => true,
        }
    }
}

/// The one line that answers "how is it?".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// In one word.
    pub level: Level,
    /// In one sentence without its final stop.
    pub text: String,
}

/// All of the status page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The one line.
    pub verdict: Summary,
    /// The version of the daemon.
    pub version: String,
    /// Whether AWS is the simulated one.
    pub is_simulated: bool,
    /// `observe`, `propose` or `file`.
    pub mode: String,
    /// The start of the last cycle, in the daemon's time; every age is counted from here.
    pub now: Option<String>,
    /// When the process started, in the daemon's time.
    pub started: Option<String>,
    /// Whether the first cycle is done.
    pub is_ready: bool,
    /// Cycles since the start.
    pub cycles: u64,
    /// Why the data counts as old; empty when it does not.
    pub stale: Vec<String>,
    /// That writes at AWS are stopped, by whom and why; `null` while they are not.
    #[serde(default)]
    pub writes_stopped: Option<String>,
    /// What a person should know and no incident tells; empty when there is nothing.
    pub notices: Vec<String>,
    /// Each stage in each account and Region, failing ones first.
    pub freshness: Vec<Freshness>,
    /// Each kind of quota of each pool, least headroom first, then what has no number.
    pub headroom: Vec<Headroom>,
    /// Open incidents, most severe first, then oldest first.
    pub incidents: Vec<IncidentBrief>,
    /// Quota requests that are followed, newest first; ended ones for a day.
    pub asks: Vec<Ask>,
    /// Support cases of our own, newest first; ended ones for a day.
    pub cases: Vec<Case>,
    /// Proposals that wait for a person, first to expire first.
    pub proposals: Vec<Action>,
    /// What was given up and waits for a person, newest first.
    pub held: Vec<Action>,
    /// Silences that have not ended: those that hold now first, then first to end first.
    #[serde(default)]
    pub silences: Vec<Silence>,
    /// Incidents that ended last, newest first.
    pub ended: Vec<IncidentBrief>,
    /// How well forecasts, warnings and rules did so far.
    pub record: Record,
    /// Intents by state.
    pub intents: BTreeMap<String, u64>,
    /// Rows that were left out of each list above for its bound; empty when none were.
    pub left_out: BTreeMap<String, usize>,
    /// What AWS was asked.
    pub aws: AwsUse,
}

/// What AWS was asked since the start, and what that costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AwsUse {
    /// `service:Operation` to calls.
    pub calls: BTreeMap<String, u64>,
    /// Metrics requested in `cloudwatch:GetMetricData`: what AWS bills.
    pub metrics: u64,
    /// At list price.
    pub cost_usd: f64,
    /// What this month comes to; `null` before the first cycle.
    pub month: Option<MonthBrief>,
}

/// How old the data of one stage in one account and Region is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Freshness {
    /// Such as `read` or `discover`.
    pub stage: String,
    /// The account.
    pub account: String,
    /// Its name, where the configuration gives one.
    pub account_name: Option<String>,
    /// The Region.
    pub region: String,
    /// The last success; `null` when there was none since the start.
    pub last_success: Option<String>,
    /// How long ago that was.
    pub age_seconds: Option<i64>,
    /// The last failure that no success followed.
    pub failing: Option<String>,
}

/// One kind of quota of one pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Headroom {
    /// The pool as people type it.
    pub pool: String,
    /// The account.
    pub account: String,
    /// Its name, where the configuration gives one.
    pub account_name: Option<String>,
    /// The source Region.
    pub region: String,
    /// `on-demand`, `geo`, `global` or `mantle`; `account` for all models of the runtime endpoint together.
    pub family: String,
    /// The base model.
    pub model: String,
    /// `rpm`, `tpm`, `tpd`, `cross_model_tpd`, `input_tpm` or `output_tpm`.
    pub kind: String,
    /// The code, where the mapping is certain.
    pub quota_code: Option<String>,
    /// Use in the newest minute that is known (for `tpd`: so far in that minute's UTC day).
    pub used: Option<f64>,
    /// The minute that `used` is from.
    pub used_at: Option<String>,
    /// Whether minutes are missing, so that the true use may be higher.
    pub used_is_lower_bound: bool,
    /// Share of the last hour's minutes (for `tpd`: of its UTC day's) of which all that use needs was observed, 0 to 1;
    /// `null` before the first read.
    pub coverage: Option<f64>,
    /// For `tpm`: what admission may hold in reserve; `null` where not all of it is known.
    pub reserved: Option<Reserved>,
    /// When demand exhausts the quota, by the forecast; `null` while too little is known to say.
    pub ahead: Option<Ahead>,
    /// What `used`, `limit` and what is forecast are counted in: `requests`, `tokens`, or `usd` where tokens are weighed by
    /// price.
    pub unit: String,
    /// The quota; of one that is weighed by price, the most that it may come to (see `note`).
    pub limit: Option<f64>,
    /// `used / limit`; above 1 when demand exceeds the quota.
    pub share: Option<f64>,
    /// Where `limit` comes from: `applied`, `default`, `blocked`, `unknown`, `absent` or `ambiguous`.
    pub source: String,
    /// The worst alert state of the rules on this quota, or `unjudged`.
    pub state: String,
    /// What one should know of it: the proof of the mapping, the candidates, the age of the value.
    pub note: String,
}

/// Tokens that admission held against a TPM quota in one minute, within bounds: requests reserve their `max_tokens`, and
/// no metric shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reserved {
    /// The minute.
    pub at: String,
    /// At least: what was charged in the end.
    pub least: f64,
    /// At most: with the most output reserved by every request in flight.
    pub most: f64,
    /// Requests in flight, by their number and latency.
    pub in_flight: f64,
}

/// A forecast of demand against a quota. Exhaustion is sustained throttling, not one touched minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ahead {
    /// The minute from which on nothing was known.
    pub as_of: String,
    /// Minutes from then until the quota is exhausted, with a probability of a tenth; `null` beyond 30 days.
    pub p10_minutes: Option<i64>,
    /// As `p10_minutes`, with a half.
    pub p50_minutes: Option<i64>,
    /// As `p10_minutes`, with nine tenths.
    pub p90_minutes: Option<i64>,
    /// Probability of exhaustion within the hour, 0 to 1.
    pub within_hour: f64,
    /// Within 24 hours.
    pub within_day: f64,
    /// Within seven days.
    pub within_week: f64,
    /// Within 30 days.
    pub within_month: f64,
    /// What the busiest minutes of the next seven days (for `tpd`: the fullest day) come to, with a probability of 95 %.
    pub week_p95: f64,
    /// Mean demand a minute of the next seven days, four hours each; for `tpd` what the UTC day comes to by their end.
    pub fan: Vec<FanPoint>,
    /// How such forecasts did so far, by how many hours ahead they were.
    pub bands: Vec<BandRecord>,
    /// What the warnings about this quota came to so far.
    pub warnings: WarningRecord,
}

/// Demand a minute over one stretch of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FanPoint {
    /// Where the stretch begins.
    pub from: String,
    /// One in ten lies below.
    pub p10: f64,
    /// Half lie below.
    pub p50: f64,
    /// Nine in ten lie below.
    pub p90: f64,
}

/// An incident on one screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentBrief {
    /// Its id.
    pub id: String,
    /// What it is about, for people.
    pub title: String,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// `quota`, or the category.
    pub category: String,
    /// Stable text of its cause.
    pub fingerprint: String,
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The quota, for a quota incident.
    pub quota_code: Option<String>,
    /// When it was opened.
    pub opened: String,
    /// Open: how long it is open. Ended: how long ago it ended.
    pub age_seconds: Option<i64>,
    /// When it ended.
    pub resolved: Option<String>,
    /// The first bad minute.
    pub began: String,
    /// The last bad minute.
    pub last_bad: String,
    /// For how many minutes it was bad; quiet times before it came back don't count.
    pub bad_minutes: i64,
    /// In how many stretches.
    pub stretches: usize,
    /// Throttled requests since it began, as far as observed.
    pub lost: f64,
    /// Our situation, once assessed: `high-usage` and so on.
    pub scenario: Option<String>,
    /// Why, newest evidence first.
    pub reasons: Vec<String>,
    /// What probably lies behind it and what to do about it, strongest first.
    pub hints: Vec<String>,
    /// While it goes on and a limit is the trouble: where its traffic could go, most room first. Listings of many incidents
    /// leave it out, and so does the explanation, which has it beside this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<Elsewhere>,
    /// What was done, a phrase each, oldest first.
    pub done: Vec<String>,
    /// The silences under which nobody hears of it now.
    #[serde(default)]
    pub silences: Vec<SilenceBrief>,
    /// Messages that are held back; `null` when none are.
    #[serde(default)]
    pub held_back: Option<HeldBrief>,
    /// Who looks after it.
    #[serde(default)]
    pub acknowledged: Option<AckBrief>,
    /// How often it came back.
    #[serde(default)]
    pub returns: u32,
    /// It is over, and that is told then unless it comes back before.
    #[serde(default)]
    pub end_told_at: Option<String>,
}

/// An action that was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    /// Its id.
    pub id: String,
    /// The incident it serves.
    pub incident: String,
    /// The step within the incident.
    pub step: String,
    /// `notify`, `request-quota`, `open-case`, `comment`, `thank` or `close-case`.
    pub effect: String,
    /// What it does, as a phrase.
    pub what: String,
    /// `proposed`, `planned`, `sending`, `unknown`, `done`, `held` or `refused`.
    pub state: String,
    /// What the state means here, as a phrase.
    pub detail: String,
    /// When it was decided.
    pub created: String,
    /// How long ago that was.
    pub age_seconds: Option<i64>,
    /// When a proposal expires.
    pub expires: Option<String>,
    /// How often it was begun.
    pub attempts: u32,
    /// The other side's name for it, once done.
    pub reference: Option<String>,
    /// The last failure.
    pub last_failure: Option<String>,
    /// Why it was decided.
    pub reasons: Vec<String>,
    /// What AWS reads of it, word for word, for approving it or sending it by hand; none of a message to people.
    #[serde(default)]
    pub text: Option<String>,
}

/// A quota request that we follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ask {
    /// Its id at Service Quotas.
    pub request: String,
    /// The action that made it.
    pub action: String,
    /// The incident it serves.
    pub incident: String,
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The quota.
    pub quota_code: String,
    /// Its kind.
    pub kind: String,
    /// The applied value when we asked.
    pub before: f64,
    /// What we asked for.
    pub desired: f64,
    /// When it was filed.
    pub filed: String,
    /// How long ago that was.
    pub age_seconds: Option<i64>,
    /// Service Quotas' word.
    pub status: String,
    /// The number of its case.
    pub display_id: Option<String>,
    /// Whether AWS waits for an answer of ours.
    pub awaits_us: bool,
    /// When it was last polled.
    pub polled: String,
    /// `granted`, `partly-granted` or `denied`, once it ended.
    pub end: Option<String>,
    /// The value that was applied at the end.
    pub granted: Option<f64>,
    /// When it ended.
    pub ended: Option<String>,
}

/// A support case of our own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Case {
    /// Its internal id.
    pub case: String,
    /// The number that people see.
    pub display_id: Option<String>,
    /// The action that made it.
    pub action: String,
    /// The incident it serves.
    pub incident: String,
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// What finds it again.
    pub marker: String,
    /// When it was opened.
    pub opened: String,
    /// How long ago that was.
    pub age_seconds: Option<i64>,
    /// Support's word.
    pub status: String,
    /// Whether AWS waits for an answer of ours.
    pub awaits_us: bool,
    /// When it was last polled.
    pub polled: String,
    /// When we saw it resolved.
    pub ended: Option<String>,
}

/// `/api/v1/incidents`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Incidents {
    /// The start of the last cycle.
    pub now: Option<String>,
    /// Open ones first, most severe first; then ended ones, newest first.
    pub incidents: Vec<IncidentBrief>,
    /// Rows that were left out for the bound.
    pub left_out: BTreeMap<String, usize>,
}

/// The answer when something could not be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// What was tried and why it did not work; a sentence without its final stop.
    pub error: String,
}

/// `/readyz` and `/healthz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// Whether all is well.
    pub ok: bool,
    /// Why not.
    pub reasons: Vec<String>,
}
