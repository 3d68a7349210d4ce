//! The documents of `explain`: an incident, a pool or a quota with all that belongs to it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, Ask, Case, Headroom, IncidentBrief, Silence};
use crate::{
    model::{catalog::LifeCycle, time::Timestamp},
    web::words::clock,
};

/// An incident with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    /// What the status page shows.
    pub brief: IncidentBrief,
    /// Counts the incidents of this cause, from 1.
    pub generation: u32,
    /// The strongest remedy that its rules allow.
    pub remedy: String,
    /// The pools that joined, sorted.
    pub pools: Vec<String>,
    /// Its alerts, by rule and pool.
    pub alerts: Vec<Alert>,
    /// What was decided, oldest first.
    pub decisions: Vec<Decision>,
    /// Decisions that were let go for the bound.
    pub decisions_dropped: u32,
    /// Its actions, oldest first.
    pub actions: Vec<Action>,
    /// Its quota requests, newest first.
    pub asks: Vec<Ask>,
    /// Its support cases, newest first.
    pub cases: Vec<Case>,
    /// Changes of its quota's applied value since it began, oldest first.
    pub quota_changes: Vec<QuotaChange>,
    /// While it goes on and a limit is the trouble: pools of the same model with room, most of it first.
    pub elsewhere: Vec<Elsewhere>,
}

/// Another pool of the model, or a way that nobody uses yet, within the rules of residency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Elsewhere {
    /// All of it in words.
    pub text: String,
    /// Which.
    pub pool: String,
    /// Its targets that stay within the rules; a few at most.
    pub targets: Vec<String>,
    /// Whether a rule says where its data may go.
    pub is_ruled: bool,
    /// Its TPM quota.
    pub quota: f64,
    /// Whether nobody uses it yet: then nothing is known of its latency and throttles.
    #[serde(default)]
    pub is_unused: bool,
    /// Its RPM quota, where nobody uses it and the quota is known.
    #[serde(default)]
    pub requests_quota: Option<f64>,
    /// 95th percentile of the charged tokens a minute over the last day, of all that drains that quota; 0 where nobody does.
    pub p95: f64,
    /// Requests refused there in that day.
    pub refused: f64,
    /// What the named callers may do by these ways, as a fragment; absent where nobody is named.
    #[serde(default)]
    pub callers: Option<String>,
    /// What this pool's tokens would cost there, as a multiple of what they cost now; absent where a price is not known.
    pub price_factor: Option<f64>,
    /// Median latency there over the last day, in milliseconds; absent where it is not known of both.
    pub latency_p50: Option<f64>,
    /// And of the pool that is short.
    pub latency_p50_here: Option<f64>,
}

/// A rule on a pool, as part of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// The rule.
    pub rule: String,
    /// Hash of the rule that judged.
    pub rule_hash: String,
    /// The pool.
    pub pool: String,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// Whether it is on now.
    pub is_on: bool,
    /// Why.
    pub reasons: Vec<String>,
}

/// Something decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// When.
    pub at: String,
    /// A sentence without its final stop.
    pub what: String,
}

/// A change of an applied value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuotaChange {
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The quota.
    pub quota_code: String,
    /// Before.
    pub old: Option<f64>,
    /// After.
    pub new: Option<f64>,
    /// When we saw it.
    pub at: String,
}

/// A quota as last read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quota {
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The code.
    pub quota_code: String,
    /// The name as the API returned it.
    pub name: String,
    /// The applied value; `null`: none recorded, or unreadable.
    pub applied: Option<f64>,
    /// AWS's default; `null`: not read or not published.
    pub default: Option<f64>,
    /// Whether Service Quotas takes a request for it.
    pub adjustable: bool,
    /// When it was last read successfully.
    pub read_at: String,
    /// How long ago that was.
    pub age_seconds: Option<i64>,
    /// Why the last read failed, while the values are older ones.
    pub stale: Option<String>,
}

/// A target of a pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// The dimension value.
    pub id: String,
    /// `base`, `system-profile`, `application-profile` or `mantle`.
    pub kind: String,
    /// The owner's name for an application profile.
    pub name: Option<String>,
    /// The tags of an application profile; `null` where they were never read, and of everything else.
    pub tags: Option<BTreeMap<String, String>>,
    /// When its tags were read.
    pub tags_read: Option<String>,
    /// When we first saw it.
    pub first_seen: String,
    /// Since when CloudWatch lists it no more; it is forgotten two weeks later.
    pub vanished: Option<String>,
    /// What it took in the last day; `null` where no hour of that is known.
    #[serde(default)]
    pub lately: Option<TargetDay>,
}

/// What one target took in the last 24 whole hours, in those hours in which it was among the eight largest of its pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetDay {
    /// How many of the hours are known.
    pub hours: u8,
    /// Requests, throttled ones included.
    pub requests: f64,
    /// Of these, how many were throttled.
    pub throttled: f64,
    /// Charged tokens.
    pub tokens: f64,
}

/// How long a model will be there; what AWS has not announced is `null`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Life {
    /// AWS's word: `ACTIVE`, `LEGACY`, or another one.
    pub status: String,
    /// When it becomes legacy: from then on new customers are refused.
    pub legacy: Option<String>,
    /// When public extended access begins, at a higher price.
    pub extended: Option<String>,
    /// When it can no longer be called.
    pub end: Option<String>,
}

impl From<&LifeCycle> for Life {
    fn from(life: &LifeCycle) -> Self {
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Self {
            status: life.status.clone(),
            legacy: text(life.legacy),
            extended: text(life.extended),
            end: text(life.end),
        }
    }
}

impl Life {
    /// One line for people; nothing where there is nothing to know: an active model without an announced end.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let date = |word: &str, at: &Option<String>| {
            let at = at.as_deref().map(|at| format!(", {word} {}", clock(at)));
            at.unwrap_or_default()
        };
        let dates = [
            date("legacy from", &self.legacy),
            date("extended access from", &self.extended),
            date("end of life", &self.end),
        ]
        .concat();
        let is_quiet = self.status == "ACTIVE" && dates.is_empty();
        (!is_quiet).then(|| format!("{}{dates}", self.status.to_lowercase()))
    }
}

/// What a request of a pool was like, on average of the last 24 hours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PerRequest {
    /// Requests that got through.
    pub requests: f64,
    /// Input tokens a request, cache tokens excluded.
    pub input_tokens: f64,
    /// Output tokens a request.
    pub output_tokens: f64,
    /// Tokens a request read from the cache; `null` where not known.
    pub cache_read_tokens: Option<f64>,
    /// Tokens a request wrote to the cache; `null` where not known.
    pub cache_write_tokens: Option<f64>,
    /// Share of the requests with more input tokens than `long_input_tokens`, 0 to 1; `null` where not known.
    pub long_input_share: Option<f64>,
    /// From how many input tokens on a request counts as long: AWS Support asks for their share.
    pub long_input_tokens: u32,
    /// Share of the day's minutes that were observed, 0 to 1.
    pub coverage: f64,
}

/// The charged tokens of a pool's last whole day, twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChargeCheck {
    /// The day, `2026-11-24`, UTC.
    pub day: String,
    /// As CloudWatch says.
    pub estimated: f64,
    /// As the formula says.
    pub own: f64,
    /// The burndown rate that it took.
    pub rate: f64,
    /// `estimated / own - 1`.
    pub drift: f64,
    /// Whether that is more than rounding explains.
    pub is_off: bool,
    /// The whole rate that would explain CloudWatch's sum.
    pub likely_rate: Option<u8>,
    /// Share of the day's minutes that were compared, 0 to 1.
    pub coverage: f64,
    /// All of it as a sentence without its final stop.
    pub text: String,
}

/// What a rule says of a pool now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Judgement {
    /// The rule.
    pub rule: String,
    /// The pool.
    pub pool: String,
    /// The alert state.
    pub state: String,
    /// Whether it rests on minutes that may still change.
    pub is_provisional: bool,
    /// Why.
    pub reasons: Vec<String>,
    /// Values that an override gave the rule on this pool, each with the override and its place.
    #[serde(default)]
    pub overridden: Vec<String>,
}

/// The answer to "why?": what was asked about, and all that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// The id as it was asked.
    pub asked: String,
    /// `incident`, `action`, `pool`, `target`, `quota`, `request`, `case` or `silence`.
    pub kind: String,
    /// The start of the last cycle; every age is counted from here.
    pub now: Option<String>,
    /// Whether AWS is the simulated one.
    pub is_simulated: bool,
    /// The incidents it is about, open ones first, then newest first.
    pub incidents: Vec<Incident>,
    /// For an action about no incident, such as a digest or a word about the disk: that action.
    #[serde(default)]
    pub actions: Vec<Action>,
    /// For a silence: that silence; the incidents are those it holds back.
    #[serde(default)]
    pub silences: Vec<Silence>,
    /// For a pool, target or quota: the use of each pool.
    pub headroom: Vec<Headroom>,
    /// For a pool or quota: the quotas behind it, sorted.
    pub quotas: Vec<Quota>,
    /// For a pool or quota: changes of their applied values, oldest first.
    pub quota_changes: Vec<QuotaChange>,
    /// For a pool: its targets, sorted.
    pub targets: Vec<Target>,
    /// For a pool: where there would be room for its traffic now, whether it is short or not; most of it first.
    #[serde(default)]
    pub elsewhere: Vec<Elsewhere>,
    /// For a pool: how long its model will be there.
    pub life: Option<Life>,
    /// For a pool: what a request was like; `null` where no minute of a day is known.
    pub per_request: Option<PerRequest>,
    /// For a pool: its charged tokens by CloudWatch and by the formula; `null` before a day was compared.
    pub charge_check: Option<ChargeCheck>,
    /// For a pool or quota: what the rules say now.
    pub judgements: Vec<Judgement>,
    /// Rows that were left out of each list for its bound.
    pub left_out: BTreeMap<String, usize>,
}
