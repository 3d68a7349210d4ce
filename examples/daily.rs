//! How well the forecast of a daily quota holds: chances by what came of them, over the days of labelled traffic.
//!
//! `cargo run --release --example daily -- DIR`
//!
//! Reads `SNNN.csv.gz` and `scenarios.json` from the folder, and no labels. Each six hours from the fifth day on five quotas
//! are asked about: shares of what the day before came to, so that nothing is known of the day to come. A quota is
//! exhausted when the tokens of a UTC day reach it.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a tool for the command line"
)]

#[expect(dead_code, reason = "what a judge reads beside it")]
#[path = "judge/scenario.rs"]
mod scenario;

use std::{error::Error, path::Path, process::ExitCode};

use bedrock_ops_alert::{
    engine::forecast::{Lookout, Seen},
    model::{
        series::Sample,
        time::{DAY, Minute},
        units::QuotaKind,
    },
};

type Failure = Box<dyn Error + Send + Sync>;

/// Quotas as shares of the day before.
const SHARES: [f64; 5] = [0.8, 1.0, 1.15, 1.3, 1.6];
const BINS: usize = 10;

/// Chances, and what came.
#[derive(Debug, Default)]
struct Score {
    bins: [(f64, f64, f64); BINS],
    squares: f64,
    count: f64,
    came: f64,
}

impl Score {
    fn add(&mut self, chance: f64, came: bool) {
        let outcome = f64::from(u8::from(came));
        let bin = self
            .bins
            .iter_mut()
            .zip(1_u8..)
            .find(|(_, at)| chance * BINS as f64 <= f64::from(*at));
        if let Some((bin, _)) = bin {
            *bin = (bin.0 + chance, bin.1 + outcome, bin.2 + 1.0);
        }
        self.squares += (chance - outcome).powi(2);
        self.count += 1.0;
        self.came += outcome;
    }

    fn print(&self, name: &str) {
        let base = self.came / self.count;
        println!(
            "{name}: {} asked, {:.3} came, Brier {:.4} (by the base rate {:.4})",
            self.count,
            base,
            self.squares / self.count,
            base * (1.0 - base)
        );
        for (chance, came, count) in self.bins.iter().filter(|it| 0.0 < it.2) {
            println!(
                "  said {:.2}  came {:.2}  {count}",
                chance / count,
                came / count
            );
        }
    }
}

fn main() -> ExitCode {
    let Some(dir) = std::env::args().nth(1) else {
        eprintln!("daily: name the folder of the scenarios");
        return ExitCode::FAILURE;
    };
    match run(Path::new(&dir)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("daily: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(dir: &Path) -> Result<(), Failure> {
    let (mut day, mut week) = (Score::default(), Score::default());
    for scenario in scenario::list(dir)? {
        let mut tokens = vec![0.0; usize::try_from(scenario.minutes)?];
        for row in scenario::rows(dir, &scenario)? {
            let at = usize::try_from(row.minute)?;
            if let Some(minute) = tokens.get_mut(at) {
                *minute = row.estimated_tpm;
            }
        }
        ask(scenario.start, &tokens, &mut day, &mut week);
    }
    day.print("within 24 hours");
    week.print("within 7 days");
    Ok(())
}

fn ask(start: Minute, tokens: &[f64], day: &mut Score, week: &mut Score) {
    // The sum of its UTC day up to and with each minute.
    let mut sum = 0.0;
    let sums: Vec<f64> = (start.0..)
        .zip(tokens)
        .map(|(at, value)| {
            sum = if at.rem_euclid(DAY) == 0 { 0.0 } else { sum } + value;
            sum
        })
        .collect();
    let highest = |from: usize, until: usize| {
        let ahead = sums.get(from..until.min(sums.len())).unwrap_or(&[]);
        ahead.iter().copied().fold(0.0, f64::max)
    };
    let mut lookout = Lookout::of(QuotaKind::Tpd);
    for (at, value) in tokens.iter().enumerate() {
        let Ok(minutes) = i64::try_from(at) else {
            return;
        };
        let minute = start.plus(minutes);
        let seen = Seen {
            minute,
            wanted: Sample::Value(*value),
            throttles: Sample::Value(0.0),
            quota: None,
            doubt: 0.0,
        };
        lookout.catch_up(&seen, &[]);
        let next = minute.plus(1);
        let (a_day, a_week) = (1_440, 7 * 1_440);
        if next.0.rem_euclid(360) != 0 || minutes < 5 * DAY || sums.len() < at + 1 + a_week {
            continue;
        }
        let yesterday = usize::try_from(next.0.rem_euclid(DAY)).unwrap_or(0) + 1;
        let Some(usual) = (at + 1).checked_sub(yesterday).and_then(|it| sums.get(it)) else {
            continue;
        };
        for share in SHARES {
            let quota = share * usual;
            let is_new_day = next.0.rem_euclid(DAY) == 0;
            let so_far = sums.get(at).filter(|_| !is_new_day).copied().unwrap_or(0.0);
            if quota <= so_far {
                continue; // nothing is left to forecast
            }
            if let Some(chances) = lookout.exhaustion(quota) {
                day.add(chances.within_day, quota <= highest(at + 1, at + 1 + a_day));
                week.add(
                    chances.within_week,
                    quota <= highest(at + 1, at + 1 + a_week),
                );
            }
        }
    }
}
