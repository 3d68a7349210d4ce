//! `ran`: where requests really ran, by logs or by the service's own record, as a table, as JSON, or as a record of
//! processing to be filed.

use std::io::{self, Write};

use serde::Serialize;

use super::{
    remote::{Daemon, RemoteError, write_json},
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
    web::{
        filed,
        json::{Ran, RanRow},
        words::{age, clock, place},
    },
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
    /// Rules that go by tags, which logs don't have: nothing was held against them.
    not_held: Vec<String>,
    /// One for each account, Region, target and place.
    rows: Vec<RanRow>,
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
            RanRow {
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
            not_held: by_tags(rules).map(|it| it.name.to_string()).collect(),
            rows,
        }
    }

    /// Whether all was read, and all that ran did so where it may.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.unread.is_empty() && self.rows.iter().all(|it| it.outside.is_empty())
    }
}

fn by_tags(rules: &[Residency]) -> impl Iterator<Item = &Residency> {
    rules.iter().filter(|it| !it.tags.is_open())
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
        Form::Csv => Ok(filed::rows(&record.rows, out)?),
        Form::Text => Ok(write_text(record, out)?),
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
    write_rows(&mut text, &record.rows)?;
    text.line(
        1,
        &format!(
            "files: {}; records about something else: {}, there twice: {}",
            record.files, record.other, record.repeated
        ),
    )?;
    if !record.not_held.is_empty() {
        let names = record.not_held.join(", ");
        text.line(
            1,
            &format!("not held against {names}: logs have no tags, `ran --service` knows them"),
        )?;
    }
    for why in record.unread.iter().take(MOST_NAMED) {
        text.painted(Paint::Bad, 1, &format!("not read: {why}"))?;
    }
    let more = record.unread.len().saturating_sub(MOST_NAMED);
    if 0 < more {
        text.painted(Paint::Bad, 1, &format!("not read: {more} more"))?;
    }
    Ok(())
}

/// What is asked of the service: days, each with a default there.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The first.
    pub from: Option<String>,
    /// The last.
    pub to: Option<String>,
}

/// Writes the record of the daemon at `base_url`. Whether all of it was read, and ran where it may.
///
/// # Errors
/// When no daemon answers, when it refuses the days, or the output can't be written.
pub async fn service(
    base_url: &str,
    asked: &Asked,
    form: Form,
    out: &mut dyn Write,
) -> Result<bool, RemoteError> {
    let given = [("from", &asked.from), ("to", &asked.to)];
    let given: Vec<(&str, &str)> = given
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
        .collect();
    let path = ["api", "v1", "ran"];
    let told: Ran = Daemon::at(base_url)?.get_with(&path, &given).await?;
    match form {
        Form::Json => write_json(out, &told)?,
        Form::Csv => filed::whole(&told, out)?,
        Form::Text => write_service(&told, out)?,
    }
    let is_whole = !told.read.is_empty() && told.read.iter().all(|it| it.missing == 0);
    Ok(is_whole && told.rows.iter().all(|it| it.outside.is_empty()))
}

fn write_service(told: &Ran, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Text::new(out);
    let simulated = if told.is_simulated {
        ", simulated AWS"
    } else {
        ""
    };
    let (from, to) = (&told.from, &told.to);
    text.line(0, &format!("WHERE REQUESTS RAN, {from} to {to}{simulated}"))?;
    write_rows(&mut text, &told.rows)?;
    let rules = match told.rules.as_slice() {
        [] => "no [[residency]] rule: nothing says where requests may run".to_owned(),
        rules => format!("held against {}", rules.join(", ")),
    };
    text.line(1, &rules)?;
    text.heading("HOW MUCH OF THE LOG WAS READ")?;
    for read in &told.read {
        let place = place(None, &read.account, &read.region);
        let until = match (&read.read_until, read.age_seconds) {
            (Some(until), Some(seconds)) => format!("until {}, {} ago", clock(until), age(seconds)),
            (Some(until), None) => format!("until {}", clock(until)),
            (None, _) => "nothing yet".to_owned(),
        };
        let line = format!("{place}: {} of {} hours, {until}", read.hours, read.of);
        match read.missing {
            0 => text.line(1, &line)?,
            missing => text.painted(Paint::Bad, 1, &format!("{line}; {missing} missing"))?,
        }
    }
    if told.read.is_empty() {
        text.painted(
            Paint::Bad,
            1,
            "none: no [[account]] names its invocation_logs",
        )?;
    }
    text.heading("NOT COVERED")?;
    for what in &told.not_covered {
        text.line(1, &inert(what))?;
    }
    Ok(())
}

fn write_rows(text: &mut Text<'_>, rows: &[RanRow]) -> io::Result<()> {
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
    table.extend(rows.iter().map(|row| {
        [
            inert(&row.account),
            inert(&row.called_in),
            inert(&row.target),
            row.ran_in
                .as_deref()
                .map_or_else(|| "(not told)".to_owned(), inert),
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
    text.table(sides, &table)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
const fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
