//! What a monitor may know of a scenario, read from its files.

use std::{collections::BTreeMap, fs::File, path::Path};

use bedrock_ops_alert::model::time::{Minute, Timestamp};
use flate2::read::GzDecoder;
use serde::Deserialize;

use crate::Failure;

/// One scenario without its traffic.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub name: String,
    /// Length.
    pub minutes: i64,
    /// The UTC minute of the scenario's minute 0.
    pub start: Minute,
    /// Output tokens are charged this many times.
    pub burndown: f64,
    /// The quotas, each from its minute on, in order.
    pub quotas: Vec<Era>,
}

/// The quotas from one minute on.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Era {
    pub from_minute: i64,
    pub rpm: f64,
    pub tpm: f64,
}

/// One minute of metrics.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Row {
    pub minute: i64,
    /// Successful requests only.
    pub invocations: f64,
    pub input_tokens: f64,
    pub output_tokens: f64,
    pub estimated_tpm: f64,
    pub throttles: f64,
    pub client_errors: f64,
    pub server_errors: f64,
    /// Milliseconds; absent in minutes without a success.
    pub latency_ms_avg: Option<f64>,
    /// Milliseconds; absent in minutes without a success.
    #[expect(dead_code, reason = "the engine reads no percentiles yet")]
    pub latency_ms_p90: Option<f64>,
}

/// A window to forecast, from data before `origin` only.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Task {
    pub task: String,
    pub scenario: String,
    /// `invocations` or `estimated_tpm`.
    pub metric: String,
    /// The first minute to forecast.
    pub origin: i64,
    /// Minutes a bucket; its value is the mean per minute.
    pub step: i64,
    pub steps: usize,
}

#[derive(Debug, Deserialize)]
struct Meta {
    minutes: i64,
    start: String,
    burndown: f64,
    quotas: Vec<Era>,
}

/// All scenarios of `scenarios.json`, sorted by name.
pub(crate) fn list(truth: &Path) -> Result<Vec<Scenario>, Failure> {
    let file = File::open(truth.join("scenarios.json"))?;
    let metas: BTreeMap<String, Meta> = serde_json::from_reader(std::io::BufReader::new(file))?;
    metas
        .into_iter()
        .map(|(name, meta)| {
            let start: Timestamp = meta.start.parse()?;
            let mut quotas = meta.quotas;
            quotas.sort_by_key(|era| era.from_minute);
            Ok(Scenario {
                name,
                minutes: meta.minutes,
                start: Minute::of(start),
                burndown: meta.burndown,
                quotas,
            })
        })
        .collect()
}

/// All tasks of `forecast_tasks.json`; none where there is no such file.
pub(crate) fn tasks(truth: &Path) -> Result<Vec<Task>, Failure> {
    let path = truth.join("forecast_tasks.json");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let file = std::io::BufReader::new(File::open(path)?);
    Ok(serde_json::from_reader(file)?)
}

/// The minutes that have a row, in order.
pub(crate) fn rows(truth: &Path, scenario: &Scenario) -> Result<Vec<Row>, Failure> {
    let path = truth.join(format!("{}.csv.gz", scenario.name));
    let mut reader = csv::Reader::from_reader(GzDecoder::new(File::open(&path)?));
    let mut rows: Vec<Row> = reader.deserialize().collect::<Result<_, _>>()?;
    rows.sort_by_key(|row| row.minute);
    Ok(rows)
}
