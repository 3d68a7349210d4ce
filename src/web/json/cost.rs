//! What watching costs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// This month in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MonthBrief {
    /// So far.
    pub so_far: Money,
    /// If it goes on like this; `null` before an hour of it was counted.
    pub projected: Option<Money>,
    /// The budget, USD.
    pub budget_usd: f64,
    /// By how much the budget stretches the reads; 1 when it does not.
    pub stretch: f64,
}

/// Money, in USD.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// With our share of the free requests.
    pub usd: f64,
    /// At list price, as if no request were free.
    pub list_usd: f64,
}

/// What this month costs: `GET /api/v1/cost`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bill {
    /// Such as `2026-11`, UTC.
    pub month: String,
    /// Since when it is counted.
    pub since: String,
    /// So far.
    pub so_far: Money,
    /// If it goes on like this; `null` before an hour of it was counted.
    pub projected: Option<Money>,
    /// The budget, USD.
    pub budget_usd: f64,
    /// How much of each account's free requests is ours, such as `50 %`.
    pub free_share: String,
    /// By how much the budget stretches the reads; 1 when it does not.
    pub stretch: f64,
    /// By account, Region and operation.
    pub rows: Vec<BillRow>,
    /// Where the prices are from.
    pub prices: String,
}

/// One operation in one account and Region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BillRow {
    /// `service:Operation`.
    pub operation: String,
    /// The account; `null` for webhooks.
    pub account: Option<String>,
    /// The Region; `null` for webhooks.
    pub region: Option<String>,
    /// Requests, retries included.
    pub requests: u64,
    /// Series asked for, where those are billed.
    pub metrics: u64,
    /// At list price, as if no request were free.
    pub list_usd: f64,
}
