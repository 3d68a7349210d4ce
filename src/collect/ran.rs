//! Where requests really ran, as Bedrock's invocation logs and CloudTrail tell it: counts by target and Region, and nothing
//! of what was asked or answered. Pure; files are read elsewhere.
//!
//! Source: AWS's pages on model invocation logging and CloudTrail. They leave open whether a request that was not sent on has
//! the Region where it ran; so a record without it proves nothing.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use serde::Deserialize;

use crate::model::{
    ids::{AccountId, Region, Scope, TargetId},
    residency::{self, Residency},
    time::Timestamp,
};

pub mod feed;

/// What CloudTrail calls a request to a model.
const CALLS: [&str; 4] = [
    "InvokeModel",
    "InvokeModelWithResponseStream",
    "Converse",
    "ConverseStream",
];
const SOURCE: &str = "bedrock.amazonaws.com";
const SCHEMA: &str = "ModelInvocationLog";

/// A record as it is written: a request in an invocation log, an event or a file of CloudTrail, or what
/// `aws logs filter-log-events` prints. Prompts and answers are never taken in.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    #[serde(rename = "Records")]
    records: Option<Vec<Entry>>,
    events: Option<Vec<Event>>,

    schema_type: Option<String>,
    timestamp: Option<String>,
    account_id: Option<String>,
    region: Option<String>,
    request_id: Option<String>,
    model_id: Option<String>,
    inference_region: Option<String>,
    error_code: Option<String>,
    input: Option<Input>,
    output: Option<Output>,

    event_time: Option<String>,
    event_source: Option<String>,
    event_name: Option<String>,
    aws_region: Option<String>,
    recipient_account_id: Option<String>,
    #[serde(rename = "requestID")]
    trail_request_id: Option<String>,
    request_parameters: Option<Parameters>,
    additional_event_data: Option<Additional>,
}

#[derive(Debug, Deserialize)]
struct Event {
    message: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    input_token_count: Option<u64>,
    cache_read_input_token_count: Option<u64>,
    cache_write_input_token_count: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    output_token_count: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    model_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Additional {
    inference_region: Option<String>,
}

/// Who asked what from where, and where it ran; `None` where no record says so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way {
    /// The account and the Region that was called.
    pub scope: Scope,
    /// The model or profile, as the last part of its ARN.
    pub target: TargetId,
    /// Where it ran.
    pub ran_in: Option<Region>,
}

/// What went one way.
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// Requests that were answered.
    pub requests: u64,
    /// Requests that failed; whether anything was processed is not known.
    pub failed: u64,
    /// Input tokens of requests that were answered, without those from or to a cache. CloudTrail has none.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// Input tokens read from a cache.
    pub cache_read: u64,
    /// Input tokens written to a cache.
    pub cache_write: u64,
    /// The first of them.
    pub first: Timestamp,
    /// The last of them.
    pub last: Timestamp,
}

/// All that was read.
#[derive(Debug, Default)]
pub struct Tally {
    /// By way.
    pub ways: BTreeMap<Way, Volume>,
    /// Records about something else.
    pub other: u64,
    /// Records that were read before: logs are delivered at least once.
    pub repeated: u64,
    seen: HashSet<u64>,
}

impl Tally {
    /// Takes a record in, with those in it. Returns what could not be counted, each as a sentence fragment: it takes no
    /// other record with it.
    #[must_use]
    pub fn take(&mut self, entry: Entry) -> Vec<String> {
        if let Some(records) = entry.records {
            return records.into_iter().flat_map(|it| self.take(it)).collect();
        }
        if let Some(events) = entry.events {
            let faults =
                events
                    .iter()
                    .flat_map(|it| match serde_json::from_slice(it.message.as_bytes()) {
                        Ok(inner) => self.take(inner),
                        Err(error) => vec![format!("an event's message: {error}")],
                    });
            return faults.collect();
        }
        let is_log = entry.schema_type.as_deref() == Some(SCHEMA);
        let is_trail = entry.event_source.as_deref() == Some(SOURCE)
            && entry
                .event_name
                .as_deref()
                .is_some_and(|it| CALLS.contains(&it));
        if !is_log && !is_trail {
            self.other += 1;
            return Vec::new();
        }
        self.count(&entry).err().into_iter().collect()
    }

    fn count(&mut self, entry: &Entry) -> Result<(), String> {
        let (at, way) = (entry.at()?, entry.way()?);
        let id = entry
            .request_id
            .as_ref()
            .or(entry.trail_request_id.as_ref());
        if let Some(id) = id {
            let mut hasher = DefaultHasher::new();
            id.hash(&mut hasher);
            if !self.seen.insert(hasher.finish()) {
                self.repeated += 1;
                return Ok(());
            }
        }
        let volume = self.ways.entry(way).or_insert_with(|| Volume::none(at));
        volume.add(entry, at);
        Ok(())
    }
}

impl Entry {
    fn at(&self) -> Result<Timestamp, String> {
        let at = told(&[&self.timestamp, &self.event_time], "its time")?;
        at.parse().map_err(|_| format!("`{at}` is no time"))
    }

    fn way(&self) -> Result<Way, String> {
        let account = told(
            &[&self.account_id, &self.recipient_account_id],
            "its account",
        )?;
        let region = told(
            &[&self.region, &self.aws_region],
            "the Region that was called",
        )?;
        let parameters = self.request_parameters.as_ref();
        let named = parameters.and_then(|it| it.model_id.clone());
        let target = told(&[&self.model_id, &named], "its model")?;
        let additional = self.additional_event_data.as_ref();
        let sent_on = additional.and_then(|it| it.inference_region.clone());
        let ran_in = self.inference_region.clone().or(sent_on);
        Ok(Way {
            scope: Scope {
                account: AccountId::new(account),
                region: Region::new(region),
            },
            target: TargetId::new(id_of(&target)),
            ran_in: ran_in.filter(|it| !it.is_empty()).map(Region::new),
        })
    }
}

/// The last part of an ARN; any other text as it is.
fn id_of(target: &str) -> &str {
    match target.rsplit_once('/') {
        Some((arn, id)) if arn.starts_with("arn:") => id,
        Some(_) | None => target,
    }
}

/// What one of these says.
fn told(places: &[&Option<String>], what: &str) -> Result<String, String> {
    let mut said = places.iter().filter_map(|it| it.as_ref());
    let text = said.find(|it| !it.is_empty()).cloned();
    text.ok_or_else(|| format!("a request without {what}"))
}

impl Volume {
    const fn none(at: Timestamp) -> Self {
        Self {
            requests: 0,
            failed: 0,
            input: 0,
            output: 0,
            cache_read: 0,
            cache_write: 0,
            first: at,
            last: at,
        }
    }

    fn add(&mut self, entry: &Entry, at: Timestamp) {
        self.first = self.first.min(at);
        self.last = self.last.max(at);
        if entry.error_code.is_some() {
            self.failed += 1;
            return;
        }
        self.requests += 1;
        // A count that is not told is none: CloudTrail has no tokens.
        if let Some(input) = &entry.input {
            self.input += input.input_token_count.unwrap_or(0);
            self.cache_read += input.cache_read_input_token_count.unwrap_or(0);
            self.cache_write += input.cache_write_input_token_count.unwrap_or(0);
        }
        let output = entry.output.as_ref();
        self.output += output.and_then(|it| it.output_token_count).unwrap_or(0);
    }
}

/// The rules that do not allow what went this way, by their names.
#[must_use]
pub fn outside<'a>(way: &Way, rules: &'a [Residency]) -> Vec<&'a str> {
    match &way.ran_in {
        Some(ran_in) => residency::outside(&way.scope, (&way.target, None, None), ran_in, rules),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
