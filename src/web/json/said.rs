//! What people say: bodies of orders, their answers, and what stands of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of an approval or a rejection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ruling {
    /// Who says so: 1 to 100 printable characters. Whoever is signed in by a load balancer needs none, and is known by that.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(min = 1, max = 100))]
    pub by: String,
    /// Why: 1 to 500 printable characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub reason: Option<String>,
    /// For an approval: ask for this value instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

/// The answer to a ruling that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ruled {
    /// The action.
    pub action: String,
    /// `approved` or `rejected`.
    pub ruling: String,
    /// Who said so.
    pub by: String,
}

/// The body of a new silence. Lists that are left out leave their part open; one at least is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Silencing {
    /// Who; needless where a load balancer signs people in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(min = 1, max = 100))]
    pub by: String,
    /// Why.
    #[schemars(length(min = 1, max = 500))]
    pub reason: String,
    /// For how many minutes; or `until`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<i64>,
    /// Until when, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// From when, RFC 3339; at once without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Names of rules, with `*`.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Categories of incidents.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Account ids.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// Regions, with `*`.
    #[serde(default)]
    pub regions: Vec<String>,
    /// Families.
    #[serde(default)]
    pub families: Vec<String>,
    /// Base models, with `*`.
    #[serde(default)]
    pub models: Vec<String>,
    /// Whole names of pools, with `*`.
    #[serde(default)]
    pub pools: Vec<String>,
    /// Whether nothing is asked of AWS either.
    #[serde(default)]
    pub hold_requests: bool,
}

/// The body of what is said about an incident or a silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledging {
    /// Who; needless where a load balancer signs people in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(min = 1, max = 100))]
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub reason: Option<String>,
    /// For a snooze: for how many minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<i64>,
}

/// The answer to an order that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ordered {
    /// What it is about: a silence or an incident.
    pub id: String,
    /// What it came to, as a sentence without its final stop.
    pub what: String,
    /// Who asked.
    pub by: String,
}

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// `active`, `pending` or `ended`.
    pub state: String,
    /// What it is for, in words.
    pub matches: String,
    /// Who made it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it was made.
    pub created: String,
    /// From when it holds.
    pub from: String,
    /// Until when, exclusive.
    pub until: String,
    /// Whether nothing is asked of AWS either.
    pub hold_requests: bool,
    /// Who ended it early.
    pub expired_by: Option<String>,
    /// Open incidents that nobody hears of because of it.
    pub incidents: Vec<String>,
}

/// A silence over an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SilenceBrief {
    /// Its id.
    pub id: String,
    /// Who made it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Until when, exclusive.
    pub until: String,
}

/// `/api/v1/silences`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Silences {
    /// The start of the last cycle.
    pub now: Option<String>,
    /// Those that hold now, then those to come, then those that ended, each first to end first; ended ones for 30 days.
    pub silences: Vec<Silence>,
    /// Rows that were left out for the bound.
    pub left_out: BTreeMap<String, usize>,
}

/// Messages about an incident that are held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldBrief {
    /// `silenced` or `inhibited`.
    pub why: String,
    /// By what: ids of silences, or of the incident that it is a part of.
    pub by: Vec<String>,
    /// Since when.
    pub since: String,
    /// What people would have heard, oldest first, the last ten.
    pub events: Vec<String>,
}

/// Who looks after an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AckBrief {
    /// Who.
    pub by: String,
    /// Since when.
    pub at: String,
    /// What they said.
    pub note: Option<String>,
    /// For a snooze: until when.
    pub until: Option<String>,
}

/// `/api/v1/audit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trail {
    /// The start of the last cycle.
    pub now: Option<String>,
    /// Newest first, at most 200.
    pub entries: Vec<TrailEntry>,
    /// Earlier ones that fit and are not here.
    pub left_out: usize,
}

/// What was ordered, decided or written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrailEntry {
    /// Counts the entries, from 1.
    pub number: u64,
    /// When.
    pub at: String,
    /// Who; `null` is the service itself.
    pub by: Option<String>,
    /// The word of an order, `decision` or `write`.
    pub kind: String,
    /// The incident, action or silence; empty for all of them.
    pub subject: String,
    /// What, as a sentence without its final stop.
    pub what: String,
    /// Why, in the words of the person.
    pub reason: Option<String>,
}
