//! Labelled series of other systems: one score a row, by the detector for signals of which nothing is known.
//!
//! Only the times and the values are read; labels are left alone. The step is the median of the first steps.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use bedrock_ops_alert::{
    engine::detect::{Strange, Unusual},
    model::time::{DAY, Minute, Timestamp},
};
use flate2::read::GzDecoder;
use serde::Serialize;

use crate::Failure;

/// The scores of one file of the Numenta Anomaly Benchmark.
#[derive(Debug, Serialize)]
pub(crate) struct Nab {
    nab: String,
    scores: Vec<f64>,
}

/// The scores of one file of Microsoft's cloud monitoring series.
#[derive(Debug, Serialize)]
pub(crate) struct Ms {
    ms: String,
    scores: Vec<f64>,
}

/// NAB asks when to tell: one page an incident.
pub(crate) fn nab(folder: &Path) -> Result<Vec<Nab>, Failure> {
    let scored = scored(folder, |strange| strange.page)?;
    let lines = scored.into_iter();
    Ok(lines.map(|(nab, scores)| Nab { nab, scores }).collect())
}

/// Microsoft's labels say of each point whether it is strange.
pub(crate) fn ms(folder: &Path) -> Result<Vec<Ms>, Failure> {
    let scored = scored(folder, |strange| strange.strangeness)?;
    let lines = scored.into_iter();
    Ok(lines.map(|(ms, scores)| Ms { ms, scores }).collect())
}

/// Name and scores of every series below the folder, sorted by name.
fn scored(
    folder: &Path,
    score: impl Fn(Strange) -> f64,
) -> Result<Vec<(String, Vec<f64>)>, Failure> {
    let mut files = Vec::new();
    find(folder, &mut files)?;
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let name = file.strip_prefix(folder)?.with_extension("");
        let name = name.to_str().ok_or("a file name is not text")?.to_owned();
        let rows = rows(&file)?;
        let step = step(&rows);
        let mut signal = Unusual::new(u16::try_from(DAY / step)?);
        let scores = rows.iter().map(|(minute, value)| {
            let slot = minute.0.rem_euclid(DAY) / step;
            Ok(score(signal.push(usize::try_from(slot)?, *value)))
        });
        all.push((name, scores.collect::<Result<_, Failure>>()?));
    }
    Ok(all)
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.to_string_lossy().ends_with(".csv.gz") {
            files.push(path);
        }
    }
    Ok(())
}

/// Times and values; a missing value is not a number.
fn rows(file: &Path) -> Result<Vec<(Minute, f64)>, Failure> {
    let mut reader = csv::Reader::from_reader(GzDecoder::new(File::open(file)?));
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let (Some(time), Some(value)) = (record.get(0), record.get(1)) else {
            return Err(format!("{}: a row has no value", file.display()).into());
        };
        let second = time.get(..19).ok_or("a time is too short")?;
        let at: Timestamp = format!("{}Z", second.replace(' ', "T")).parse()?;
        let value = if value.is_empty() {
            f64::NAN
        } else {
            value.parse()?
        };
        rows.push((Minute::of(at), value));
    }
    Ok(rows)
}

/// Minutes between rows: at least one, at most a day.
fn step(rows: &[(Minute, f64)]) -> i64 {
    let times = rows.iter().map(|(minute, _)| *minute);
    let mut steps: Vec<i64> = times
        .clone()
        .zip(times.skip(1))
        .take(50)
        .map(|(one, next)| next.since(one))
        .filter(|step| 0 < *step)
        .collect();
    steps.sort_unstable();
    steps
        .get(steps.len() / 2)
        .map_or(1, |step| (*step).clamp(1, DAY))
}
