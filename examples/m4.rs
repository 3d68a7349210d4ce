//! The forecaster on the hourly series of the M4 competition: sMAPE and MASE over 48 hours.
//!
//! `cargo run --release --example m4 -- DIR`, where DIR holds `m4_hourly_train.csv.gz` and `m4_hourly_test.csv.gz`, each line a
//! series' name and its values. The series are not in this repository: their origin has no licence file.
//! An hour is fed as sixty equal minutes; nothing else is adapted.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a tool for the command line"
)]

use std::{collections::BTreeMap, error::Error, fs::File, path::Path, process::ExitCode};

use bedrock_ops_alert::{
    engine::forecast::Forecaster,
    model::{
        series::Sample,
        time::{DAY, Minute},
    },
};
use flate2::read::GzDecoder;

type Failure = Box<dyn Error + Send + Sync>;

/// Hours ahead, as in the competition.
const AHEAD: usize = 48;
/// Hours of the season of the scale of MASE.
const SEASON: usize = 24;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("m4: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let folder = std::env::args().nth(1).ok_or("the folder is missing")?;
    let train = series(&Path::new(&folder).join("m4_hourly_train.csv.gz"))?;
    let test = series(&Path::new(&folder).join("m4_hourly_test.csv.gz"))?;
    let (mut smape, mut mase, mut count) = (0.0, 0.0, 0.0);
    for (name, past) in &train {
        let truth = test
            .get(name)
            .ok_or_else(|| format!("{name} has no test part"))?;
        let ahead = ahead(past).ok_or_else(|| format!("{name} has no forecast"))?;
        smape += mean(
            truth
                .iter()
                .zip(&ahead)
                .map(|(y, f)| 200.0 * (y - f).abs() / (y.abs() + f.abs())),
        );
        let scale = mean(
            past.iter()
                .zip(past.iter().skip(SEASON))
                .map(|(a, b)| (a - b).abs()),
        );
        mase += mean(truth.iter().zip(&ahead).map(|(y, f)| (y - f).abs())) / scale;
        count += 1.0;
    }
    println!(
        "{count} series: sMAPE {:.2}, MASE {:.3}",
        smape / count,
        mase / count
    );
    Ok(())
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), it| (sum + it, count + 1.0));
    sum / count
}

/// Medians of the hours after the past.
fn ahead(past: &[f64]) -> Option<Vec<f64>> {
    let mut forecaster = Forecaster::default();
    let start = Minute(20_000 * DAY);
    for (hour, &value) in (0_i64..).zip(past) {
        for minute in 60 * hour..60 * hour + 60 {
            forecaster.push(start.plus(minute), Sample::Value(value), &[]);
        }
    }
    let forecast = forecaster.forecast(&[])?;
    let hours = forecast.quantiles(forecast.origin(), 60, AHEAD);
    Some(hours.into_iter().map(|it| it.p50).collect())
}

fn series(path: &Path) -> Result<BTreeMap<String, Vec<f64>>, Failure> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(GzDecoder::new(File::open(path)?));
    let mut all = BTreeMap::new();
    for record in reader.records() {
        let record = record?;
        let mut fields = record.iter();
        let name = fields.next().ok_or("an empty line")?.to_owned();
        let values: Result<Vec<f64>, _> =
            fields.filter(|it| !it.is_empty()).map(str::parse).collect();
        all.insert(name, values?);
    }
    Ok(all)
}
