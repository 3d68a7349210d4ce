//! `ran`: where requests really ran, as a table, as JSON, or as a record of processing to be filed.

use std::io::{self, Write};

use serde::Serialize;

use super::{
    remote::{RemoteError, write_json},
    text::{
        Paint,
        Side::{Left, Right},
        Text,
    },
};
use crate::{
    app::ran::Found,
    collect::ran::outside,
    model::{inert::inert, residency::Residency, units::grouped},
};

/// What could not be read and is named; more of it is counted.
const MOST_NAMED: usize = 20;

/// What is printed.
#[derive(Debug, Serialize)]
pub struct Record {
    /// Files that were read.
    files: usize,
    /// Records about something else.
    other: u64,
    /// Records that were there twice.
    repeated: u64,
    /// What could not be read, with its place.
    unread: Vec<String>,
    /// One for each account, Region, target and place.
    rows: Vec<Row>,
}

/// What went one way.
#[derive(Debug, Serialize)]
struct Row {
    account: String,
    called_in: String,
    target: String,
    /// Null where no record says so.
    ran_in: Option<String>,
    requests: u64,
    /// Of the requests from there to this target that were answered.
    share: Option<f64>,
    failed: u64,
    input_tokens: u64,
    output_tokens: u64,
    cache_read_tokens: u64,
    cache_write_tokens: u64,
    first: String,
    last: String,
    /// The rules that don't allow it.
    outside: Vec<String>,
}

impl Record {
    /// What was found, held against these rules.
    #[must_use]
    pub fn of(found: Found, rules: &[Residency]) -> Self {
        let ways = &found.tally.ways;
        let rows = ways.iter().map(|(way, volume)| {
            let of_target = ways
                .iter()
                .filter(|(it, _)| it.scope == way.scope && it.target == way.target);
            let all: u64 = of_target.map(|(_, it)| it.requests).sum();
            Row {
                account: inert(way.scope.account.as_str()),
                called_in: inert(way.scope.region.as_str()),
                target: inert(way.target.as_str()),
                ran_in: way.ran_in.as_ref().map(|it| inert(it.as_str())),
                requests: volume.requests,
                share: (0 < all).then(|| number(volume.requests) / number(all)),
                failed: volume.failed,
                input_tokens: volume.input,
                output_tokens: volume.output,
                cache_read_tokens: volume.cache_read,
                cache_write_tokens: volume.cache_write,
                first: volume.first.to_string(),
                last: volume.last.to_string(),
                outside: outside(way, rules).into_iter().map(str::to_owned).collect(),
            }
        });
        let rows = rows.collect();
        Self {
            files: found.files,
            other: found.tally.other,
            repeated: found.tally.repeated,
            unread: found.unread,
            rows,
        }
    }

    /// Whether all was read, and all that ran did so where it may.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.unread.is_empty() && self.rows.iter().all(|it| it.outside.is_empty())
    }
}

/// In what form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// One document.
    Json,
    /// Comma-separated values, a line of names first.
    Csv,
}

/// Writes the record.
///
/// # Errors
/// When the output can't be written.
pub fn write(record: &Record, form: Form, out: &mut dyn Write) -> Result<(), RemoteError> {
    match form {
        Form::Json => write_json(out, record),
        Form::Csv => Ok(write_csv(record, out)?),
        Form::Text => Ok(write_text(record, out)?),
    }
}

const NAMES: [&str; 14] = [
    "account",
    "called_in",
    "target",
    "ran_in",
    "requests",
    "share",
    "failed",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "first",
    "last",
    "outside",
];

fn write_csv(record: &Record, out: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(NAMES)?;
    for row in &record.rows {
        let text = |it: &str| no_formula(it);
        table.write_record([
            text(&row.account),
            text(&row.called_in),
            text(&row.target),
            text(row.ran_in.as_deref().unwrap_or_default()),
            row.requests.to_string(),
            row.share.map_or_else(String::new, |it| format!("{it:.4}")),
            row.failed.to_string(),
            row.input_tokens.to_string(),
            row.output_tokens.to_string(),
            row.cache_read_tokens.to_string(),
            row.cache_write_tokens.to_string(),
            row.first.clone(),
            row.last.clone(),
            row.outside.join(" "),
        ])?;
    }
    table.flush()
}

/// What comes from a caller is no formula in whoever's spreadsheet.
fn no_formula(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn write_text(record: &Record, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Text::new(out);
    let first = record.rows.iter().map(|it| it.first.as_str()).min();
    let last = record.rows.iter().map(|it| it.last.as_str()).max();
    let period = match (first, last) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        (None, _) | (_, None) => ": no request to a model is in these logs".to_owned(),
    };
    text.line(0, &format!("WHERE REQUESTS RAN{period}"))?;
    let head = [
        "ACCOUNT",
        "CALLED IN",
        "TARGET",
        "RAN IN",
        "REQUESTS",
        "SHARE",
        "INPUT",
        "OUTPUT",
        "FAILED",
        "OUTSIDE OF",
    ];
    let mut table = vec![head.map(str::to_owned)];
    table.extend(record.rows.iter().map(|row| {
        [
            row.account.clone(),
            row.called_in.clone(),
            row.target.clone(),
            row.ran_in
                .clone()
                .unwrap_or_else(|| "(not told)".to_owned()),
            grouped(number(row.requests)),
            row.share
                .map_or_else(|| "-".to_owned(), |it| format!("{:.1} %", it * 100.0)),
            grouped(number(row.input_tokens)),
            grouped(number(row.output_tokens)),
            grouped(number(row.failed)),
            row.outside.join(", "),
        ]
    }));
    let sides = [
        Left, Left, Left, Left, Right, Right, Right, Right, Right, Left,
    ];
    text.table(sides, &table)?;
    text.line(
        1,
        &format!(
            "files: {}; records about something else: {}, there twice: {}",
            record.files, record.other, record.repeated
        ),
    )?;
    for why in record.unread.iter().take(MOST_NAMED) {
        text.painted(Paint::Bad, 1, &format!("not read: {why}"))?;
    }
    let more = record.unread.len().saturating_sub(MOST_NAMED);
    if 0 < more {
        text.painted(Paint::Bad, 1, &format!("not read: {more} more"))?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
const fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
