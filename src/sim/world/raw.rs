//! World files as written. Meaning and bounds are checked in `check`.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct World {
    pub(super) start: String,
    #[serde(default)]
    pub(super) seed: u64,
    pub(super) length: String,
    #[serde(default = "history")]
    pub(super) history: String,
    #[serde(default)]
    pub(super) retry_share: f64,
    #[serde(default)]
    pub(super) publication: Publication,
    #[serde(default)]
    pub(super) account: Vec<Account>,
    #[serde(default)]
    pub(super) model: Vec<Model>,
    #[serde(default)]
    pub(super) profile: Vec<Profile>,
    #[serde(default)]
    pub(super) application_profile: Vec<Application>,
    #[serde(default)]
    pub(super) target: Vec<Target>,
    #[serde(default)]
    pub(super) mantle: Vec<Mantle>,
    #[serde(default)]
    pub(super) quota: Vec<Quota>,
    #[serde(default)]
    pub(super) cross_model_day: Vec<CrossModelDay>,
    #[serde(default)]
    pub(super) denial: Vec<Denial>,
    #[serde(default)]
    pub(super) desk: Vec<Desk>,
    #[serde(default)]
    pub(super) support: Support,
    #[serde(default)]
    pub(super) label: Vec<Label>,
    #[serde(default)]
    pub(super) faults: Faults,
}

fn history() -> String {
    "16d".to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Publication {
    pub(super) least: String,
    pub(super) most: String,
    pub(super) late_share: f64,
    pub(super) late: String,
}

impl Default for Publication {
    /// One to two minutes, some points up to 15: `AWS/Bedrock` as observed in public.
    fn default() -> Self {
        Self {
            least: "60s".to_owned(),
            most: "120s".to_owned(),
            late_share: 0.02,
            late: "15m".to_owned(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default = "yes")]
    pub(super) support_plan: bool,
    #[serde(default = "yes")]
    pub(super) assumable: bool,
    #[serde(default)]
    pub(super) monitors: Vec<String>,
    #[serde(default)]
    pub(super) principals: Vec<String>,
    pub(super) invocation_logs: Option<String>,
    pub(super) regions: Vec<String>,
    #[serde(default)]
    pub(super) topics: Vec<String>,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    pub(super) id: String,
    pub(super) label: String,
    #[serde(default = "active")]
    pub(super) life_cycle: String,
    pub(super) legacy: Option<String>,
    pub(super) extended_access: Option<String>,
    pub(super) end_of_life: Option<String>,
    #[serde(default = "yes")]
    pub(super) on_demand: bool,
    #[serde(default = "one")]
    pub(super) burndown: f64,
}

fn active() -> String {
    "ACTIVE".to_owned()
}

const fn one() -> f64 {
    1.0
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    pub(super) id: String,
    pub(super) model: String,
    #[serde(default)]
    pub(super) destinations: Vec<String>,
    #[serde(default)]
    pub(super) sources: Vec<String>,
    #[serde(default)]
    pub(super) ran_elsewhere: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Application {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) copied_from: String,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mantle {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) model: String,
    pub(super) project: String,
    pub(super) label: Option<String>,
    pub(super) traffic: Option<MantleTraffic>,
}

/// The part of a target's traffic that the mantle endpoint's metrics can show.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MantleTraffic {
    pub(super) trace: String,
    #[serde(default)]
    pub(super) evened: bool,
    pub(super) shift: Option<String>,
    pub(super) requests_per_minute: f64,
    pub(super) input_tokens: Option<f64>,
    pub(super) output_tokens: Option<f64>,
    #[serde(default)]
    pub(super) growth_per_day: f64,
    pub(super) from: Option<String>,
    pub(super) until: Option<String>,
    #[serde(default)]
    pub(super) ramps: Vec<Span>,
    #[serde(default)]
    pub(super) steps: Vec<Step>,
    #[serde(default)]
    pub(super) bursts: Vec<Span>,
}

impl MantleTraffic {
    /// As a target that never fails.
    pub(super) fn target(self, account: String, region: String, id: String) -> Target {
        Target {
            account,
            region,
            id,
            trace: self.trace,
            evened: self.evened,
            shift: self.shift,
            requests_per_minute: self.requests_per_minute,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cache_read_share: 0.0,
            cache_write_share: 0.0,
            growth_per_day: self.growth_per_day,
            from: self.from,
            until: self.until,
            ramps: self.ramps,
            steps: self.steps,
            bursts: self.bursts,
            client_error_share: 0.0,
            server_error_share: 0.0,
            client_errors: Vec::new(),
            server_errors: Vec::new(),
            slow: Vec::new(),
            first_token_ms: first_token(),
            token_ms: per_token(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) id: String,
    pub(super) trace: String,
    #[serde(default)]
    pub(super) evened: bool,
    pub(super) shift: Option<String>,
    pub(super) requests_per_minute: f64,
    pub(super) input_tokens: Option<f64>,
    pub(super) output_tokens: Option<f64>,
    #[serde(default)]
    pub(super) cache_read_share: f64,
    #[serde(default)]
    pub(super) cache_write_share: f64,
    #[serde(default)]
    pub(super) growth_per_day: f64,
    pub(super) from: Option<String>,
    pub(super) until: Option<String>,
    #[serde(default)]
    pub(super) ramps: Vec<Span>,
    #[serde(default)]
    pub(super) steps: Vec<Step>,
    #[serde(default)]
    pub(super) bursts: Vec<Span>,
    #[serde(default)]
    pub(super) client_error_share: f64,
    #[serde(default)]
    pub(super) server_error_share: f64,
    #[serde(default)]
    pub(super) client_errors: Vec<Span>,
    #[serde(default)]
    pub(super) server_errors: Vec<Span>,
    #[serde(default)]
    pub(super) slow: Vec<Span>,
    #[serde(default = "first_token")]
    pub(super) first_token_ms: f64,
    #[serde(default = "per_token")]
    pub(super) token_ms: f64,
}

const fn first_token() -> f64 {
    450.0
}

const fn per_token() -> f64 {
    12.0
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    pub(super) from: String,
    pub(super) until: String,
    pub(super) factor: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) at: String,
    pub(super) factor: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Quota {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) code: String,
    pub(super) applied: Option<f64>,
    pub(super) default: Option<f64>,
    pub(super) adjustable: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CrossModelDay {
    pub(super) account: String,
    pub(super) region: Option<String>,
    pub(super) usd_per_million: f64,
    pub(super) prices: Vec<Price>,
}

/// USD per million tokens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Price {
    pub(super) model: String,
    pub(super) input: f64,
    pub(super) output: f64,
    pub(super) cache_read: Option<f64>,
    pub(super) cache_write: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Denial {
    pub(super) account: String,
    #[serde(default = "anything")]
    pub(super) callers: String,
    #[serde(default = "anything")]
    pub(super) resources: String,
    #[serde(default = "anything")]
    pub(super) regions: String,
    #[serde(default = "anything")]
    pub(super) actions: String,
    pub(super) by: String,
    pub(super) policy: Option<String>,
}

fn anything() -> String {
    "*".to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Desk {
    pub(super) quota: String,
    pub(super) account: Option<String>,
    pub(super) region: Option<String>,
    pub(super) answers: Vec<Answer>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) outcome: String,
    pub(super) share: Option<f64>,
    pub(super) after: String,
    pub(super) apply_after: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Support {
    pub(super) reply_after: String,
    pub(super) resolve_after: String,
    pub(super) open_cases: usize,
}

impl Default for Support {
    /// Invented: AWS publishes neither its answering times nor its limit of open cases.
    fn default() -> Self {
        Self {
            reply_after: "2h".to_owned(),
            resolve_after: "20h".to_owned(),
            open_cases: 50,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Label {
    pub(super) kind: String,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) target: String,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Faults {
    pub(super) throttled: f64,
    pub(super) server_before: f64,
    pub(super) server_after: f64,
    pub(super) lost_after: f64,
    pub(super) connect: f64,
    pub(super) garbled: f64,
    pub(super) partial_page: f64,
    pub(super) repeated_page: f64,
    pub(super) hang: f64,
    pub(super) truncate: f64,
}
