//! The scorer's lines.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
};

use serde::Serialize;

use crate::Failure;

/// One notification.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Alert {
    pub scenario: String,
    /// The last minute that was known.
    pub minute: i64,
    pub kind: &'static str,
    /// `rpm`, `tpm` or `none`.
    pub quota: &'static str,
    /// When the quota runs out, for those that say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_minute: Option<i64>,
    /// Whether anybody is woken.
    pub page: bool,
}

/// One answered task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Forecast {
    pub task: String,
    pub quantiles: Quantiles,
}

/// One value a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Quantiles {
    #[serde(rename = "0.1")]
    pub low: Vec<f64>,
    #[serde(rename = "0.5")]
    pub median: Vec<f64>,
    #[serde(rename = "0.9")]
    pub high: Vec<f64>,
}

/// Writes one JSON object a line.
pub(crate) fn write<'a, T: Serialize + 'a>(
    path: &Path,
    lines: impl IntoIterator<Item = &'a T>,
) -> Result<(), Failure> {
    let mut file = BufWriter::new(File::create(path)?);
    for line in lines {
        serde_json::to_writer(&mut file, line)?;
        file.write_all(b"\n")?;
    }
    file.flush()?;
    Ok(())
}
