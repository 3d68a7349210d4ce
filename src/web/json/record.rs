//! How well it does: forecasts, warnings and rules, held to what came.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All quotas and rules together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// The bands of the forecasts, those of the nearest hours first; empty while nothing was compared.
    pub bands: Vec<BandRecord>,
    /// The warnings that a quota runs out.
    pub warnings: WarningRecord,
    /// Each rule that opened an incident, the most frequent first.
    pub rules: Vec<RuleRecord>,
}

/// How often what came lay inside the band that was to hold four fifths of it. Older forecasts count less: half after
/// three weeks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BandRecord {
    /// So many hours before the forecasts were made.
    pub hours_ahead: i64,
    /// The share inside, 0 to 1; `null` while hardly any were compared.
    pub inside: Option<f64>,
    /// How many were compared.
    pub compared: f64,
}

/// What became of the warnings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WarningRecord {
    /// The quota was exhausted in time.
    pub right: u64,
    /// It was not.
    pub wrong: u64,
    /// The quota was changed first.
    pub moot: u64,
    /// Exhaustions without a warning in the week before.
    pub missed: u64,
    /// Minutes from warning to exhaustion, by the median of the latest; `null` while none came true.
    pub lead_minutes: Option<i64>,
}

/// What one rule came to, over the incidents that are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleRecord {
    /// The rule.
    pub rule: String,
    /// Incidents that it opened or joined.
    pub incidents: u64,
    /// Those that are open.
    pub open: u64,
    /// Those in which requests were refused.
    pub refused: u64,
    /// How long they lasted, in minutes by the median of those that ended; `null` while none did.
    pub median_minutes: Option<i64>,
}
