//! Judges labelled traffic by the shipped defaults and writes the lines that a scorer compares with the truth.
//!
//! `cargo run --release --example judge -- --truth DIR --out DIR [--nab DIR] [--ms DIR] [--shares] [--only NAME]`
//!
//! Reads `scenarios.json`, `forecast_tasks.json` and `SNNN.csv.gz` from the folder of the truth, and times and values of the
//! labelled series, and nothing else: the labels are not looked at. Everything that judges is the library's; this file reads,
//! feeds minute by minute, and writes.
//! A minute's data is taken as there at its end, and an alert's `minute` is the last one that was known.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a tool for the command line"
)]

#[path = "judge/feed.rs"]
mod feed;
#[path = "judge/labelled.rs"]
mod labelled;
#[path = "judge/lines.rs"]
mod lines;
#[path = "judge/scenario.rs"]
mod scenario;
#[cfg(test)]
#[path = "judge/tests.rs"]
mod tests;

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
};

use feed::Judged;
use scenario::{Scenario, Task};

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Debug, Default)]
struct Args {
    truth: Option<PathBuf>,
    out: Option<PathBuf>,
    /// Labelled series of the Numenta Anomaly Benchmark.
    nab: Option<PathBuf>,
    /// Labelled series of Microsoft's cloud monitoring.
    ms: Option<PathBuf>,
    /// Only scenarios whose name contains this.
    only: Option<String>,
    /// The share rules (80 % and 95 % of the quota) as well.
    has_shares: bool,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("judge: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let args = args()?;
    let out = args.out.ok_or("--out is missing")?;
    std::fs::create_dir_all(&out)?;
    if let Some(truth) = args.truth {
        let judged = judge_all(&truth, args.only.as_deref(), args.has_shares)?;
        write_all(&out, &judged)?;
        println!("{} scenarios judged", judged.len());
    }
    if let Some(folder) = args.nab {
        lines::write(&out.join("nab.jsonl"), &labelled::nab(&folder)?)?;
    }
    if let Some(folder) = args.ms {
        lines::write(&out.join("ms.jsonl"), &labelled::ms(&folder)?)?;
    }
    Ok(())
}

fn args() -> Result<Args, Failure> {
    let mut args = Args::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--truth" => args.truth = Some(value()?.into()),
            "--out" => args.out = Some(value()?.into()),
            "--shares" => args.has_shares = true,
            "--nab" => args.nab = Some(value()?.into()),
            "--ms" => args.ms = Some(value()?.into()),
            "--only" => args.only = Some(value()?),
            _ => return Err(format!("{word} is not known").into()),
        }
    }
    Ok(args)
}

/// Every scenario of the folder, judged, in the order of their names; side by side, since none knows of another.
fn judge_all(truth: &Path, only: Option<&str>, has_shares: bool) -> Result<Vec<Judged>, Failure> {
    let scenarios: Vec<Scenario> = scenario::list(truth)?
        .into_iter()
        .filter(|it| only.is_none_or(|only| it.name.contains(only)))
        .collect();
    let tasks = scenario::tasks(truth)?;
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism()?.get();
    let mut judged = std::thread::scope(|scope| {
        let work = || worker(truth, &scenarios, &tasks, has_shares, &next);
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let mut judged = Vec::new();
        for handle in handles {
            judged.extend(handle.join().map_err(|_| "a worker panicked")??);
        }
        Ok::<_, Failure>(judged)
    })?;
    judged.sort_by(|a, b| a.scenario.cmp(&b.scenario));
    Ok(judged)
}

fn worker(
    truth: &Path,
    scenarios: &[Scenario],
    tasks: &[Task],
    has_shares: bool,
    next: &AtomicUsize,
) -> Result<Vec<Judged>, Failure> {
    let mut judged = Vec::new();
    while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
        let rows = scenario::rows(truth, scenario)?;
        let mine = tasks.iter().filter(|task| task.scenario == scenario.name);
        judged.push(feed::feed(
            scenario,
            &rows,
            &mine.collect::<Vec<_>>(),
            has_shares,
        )?);
    }
    Ok(judged)
}

fn write_all(out: &Path, judged: &[Judged]) -> Result<(), Failure> {
    let alerts = judged.iter().flat_map(|it| &it.alerts);
    lines::write(&out.join("alerts.jsonl"), alerts)?;
    let forecasts = judged.iter().flat_map(|it| &it.forecasts);
    lines::write(&out.join("forecasts.jsonl"), forecasts)?;
    Ok(())
}
