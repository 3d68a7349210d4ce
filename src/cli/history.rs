//! `history`: what was measured, for months, and what limited it.

use std::{io, io::Write};

use super::{
    remote::{Daemon, Format, RemoteError, write_json},
    text::{Side, Text},
};
use crate::{
    model::{series::Signal, units::grouped},
    web::{
        json::{Bucket, History, LimitChange},
        words::{clock, percent},
    },
};

/// What of the history is asked for; what is not given has the daemon's default.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// `account/region/family/model`.
    pub pool: String,
    /// A signal, `tpm` or `rpm`.
    pub signal: Option<String>,
    /// `minute`, `5m` or `hour`.
    pub resolution: Option<String>,
    /// An instant, a day, or a time before `to`.
    pub from: Option<String>,
    /// An instant, a day, or a time before now.
    pub to: Option<String>,
}

/// Writes what the daemon at `base_url` knows of a signal of a pool over a range.
///
/// # Errors
///
/// When no daemon answers, when it knows no such pool or range, or the output can't be written.
pub async fn history(
    base_url: &str,
    asked: &Asked,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    let path = ["api", "v1", "history", asked.pool.as_str()];
    let given = [
        ("signal", &asked.signal),
        ("resolution", &asked.resolution),
        ("from", &asked.from),
        ("to", &asked.to),
    ];
    let given: Vec<(&str, &str)> = given
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
        .collect();
    let told: History = Daemon::at(base_url)?.get_with(&path, &given).await?;
    match format {
        Format::Json => write_json(out, &told)?,
        Format::Text => write_text(out, &told)?,
    }
    Ok(())
}

fn write_text(out: &mut dyn Write, told: &History) -> io::Result<()> {
    let mut text = Text::new(out);
    text.line(0, &format!("{} of pool {}", told.signal, told.pool))?;
    let simulated = if told.is_simulated {
        ", simulated AWS"
    } else {
        ""
    };
    let (from, to) = (clock(&told.from), clock(&told.to));
    let resolution = &told.resolution;
    let observed = percent(told.coverage);
    text.line(
        0,
        &format!(
            "({from} to {to}, by {resolution}, {observed} of the minutes observed{simulated})"
        ),
    )?;
    text.heading("USE")?;
    let head = ["FROM", "VALUE", "PEAK MINUTE", "OBSERVED"].map(str::to_owned);
    let mut rows = vec![head];
    let is_sum = Signal::named(&told.signal).is_some_and(Signal::is_count);
    rows.extend(runs(&told.buckets).into_iter().map(|it| row(it, is_sum)));
    let sides = [Side::Left, Side::Right, Side::Right, Side::Left];
    text.table(sides, &rows)?;
    text.heading("LIMITS")?;
    for limit in &told.limits {
        text.line(1, &limit_line(limit))?;
        for threshold in &limit.thresholds {
            let (old, new) = (number(threshold.old), number(threshold.new));
            text.line(
                2,
                &format!("{} bad from {old}, then from {new}", threshold.rule),
            )?;
        }
    }
    if told.limits.is_empty() {
        text.line(1, "no quota changed")?;
    }
    Ok(())
}

/// Each bucket with the number of those like it that follow: long silence is one line.
fn runs(buckets: &[Bucket]) -> Vec<(&Bucket, usize)> {
    let mut runs: Vec<(&Bucket, usize)> = Vec::new();
    for bucket in buckets {
        match runs.last_mut() {
            Some((first, count))
                if first.value.is_none()
                    && bucket.value.is_none()
                    && first.is_silent == bucket.is_silent =>
            {
                *count += 1;
            }
            Some(_) | None => runs.push((bucket, 1)),
        }
    }
    runs
}

/// A sum of fewer than all minutes is a lower bound; a mean of fewer is a mean of fewer.
fn row((bucket, count): (&Bucket, usize), is_sum: bool) -> [String; 4] {
    let at = clock(&bucket.at);
    let Some(value) = bucket.value else {
        let why = if bucket.is_silent {
            "no datapoint"
        } else {
            "not observed"
        };
        let times = if count == 1 {
            String::new()
        } else {
            format!(", {count} times")
        };
        return [at, "-".to_owned(), "-".to_owned(), format!("{why}{times}")];
    };
    let is_whole = bucket.known == bucket.of;
    let sign = if is_whole || !is_sum { "" } else { ">= " };
    let observed = if is_whole {
        String::new()
    } else {
        format!("{} of {} minutes", bucket.known, bucket.of)
    };
    let peak = bucket.peak.map_or_else(|| "-".to_owned(), grouped);
    [at, format!("{sign}{}", grouped(value)), peak, observed]
}

fn limit_line(limit: &LimitChange) -> String {
    let change = &limit.change;
    format!(
        "{}  {} ({}) changed from {} to {}",
        clock(&change.at),
        change.quota_code,
        limit.kind.to_uppercase(),
        number(change.old),
        number(change.new)
    )
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "not known".to_owned(), grouped)
}
