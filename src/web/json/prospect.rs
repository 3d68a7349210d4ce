//! The documents of `plan` and `ask`: what would be asked for a pool's quotas, and what a person asks for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What would be asked for the quotas of a pool now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The pool, or a way out that nobody uses.
    pub pool: String,
    /// The time of the last cycle; `null` before the first one.
    pub now: Option<String>,
    /// Whether AWS is the simulated one.
    pub is_simulated: bool,
    /// `observe`, `propose` or `file`.
    pub mode: String,
    /// Why nothing is written at AWS now, while that is stopped.
    pub stopped: Option<String>,
    /// One for each kind that its family knows: tokens first.
    pub quotas: Vec<Prospect>,
}

/// What would be asked for one quota.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Prospect {
    /// `tpm`, `rpm`, `tpd`, `input_tpm`, `output_tpm` or `cross_model_tpd`.
    pub kind: String,
    /// The code, where the mapping is certain.
    pub quota_code: Option<String>,
    /// The name as the API returned it.
    pub name: Option<String>,
    /// The applied value; `null`: none recorded, or unreadable.
    pub applied: Option<f64>,
    /// AWS's default; `null`: not read or not published.
    pub default: Option<f64>,
    /// Whether Service Quotas takes a request for it.
    pub adjustable: Option<bool>,
    /// The lowest share of it at which a rule speaks, in percent.
    pub warn_at_percent: Option<f64>,
    /// What was wanted of it in 14 days, refused requests included; `null` where that could not be read.
    #[serde(rename = "use")]
    pub used: Option<Used>,
    /// What would be asked for; `null` where nothing would.
    pub ask: Option<Wanted>,
    /// Why nothing would be, as a sentence without its final stop.
    pub why_not: Option<String>,
    /// A person may ask for more than this …
    pub above: Option<f64>,
    /// … and at most for this, where `[budget]` ends.
    pub at_most: Option<f64>,
}

/// The use of a quota over 14 days, in its own unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Used {
    /// `high-usage`, `low-usage`, `growth` or `new-model`.
    pub situation: String,
    /// The highest minute, or UTC day of a daily quota.
    pub peak: f64,
    /// When that began.
    pub peak_at: String,
    /// 95th percentile of the minutes of the last 24 hours; of days, the fuller one of yesterday and today so far.
    pub lately: f64,
    /// What the busiest minutes of the next week come to with a probability of 95 %, while a forecast says that it runs out.
    pub ahead: Option<f64>,
    /// Refused requests.
    pub throttled: f64,
    /// Minutes observed, in percent of 14 days.
    pub coverage_percent: f64,
}

/// What would be asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Wanted {
    /// The value.
    pub value: f64,
    /// How it came about.
    pub arithmetic: String,
    /// What the room would cost if it were used, where prices are known.
    pub cost: Option<String>,
    /// What AWS would read.
    pub words: String,
}

/// The body of a request by hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Asking {
    /// Who; needless where a load balancer signs people in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(min = 1, max = 100))]
    pub by: String,
    /// Why. AWS reads it.
    #[schemars(length(min = 1, max = 500))]
    pub reason: String,
    /// The pool, or a way out that nobody uses.
    #[schemars(length(min = 1))]
    pub pool: String,
    /// `tpm`, `rpm`, `tpd`, `input_tpm` or `output_tpm`.
    pub quota: String,
    /// For how much.
    pub value: f64,
}
