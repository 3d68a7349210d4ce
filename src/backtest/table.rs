//! Measured minutes in CSV.

use std::{collections::BTreeMap, io::Read};

use super::{Past, source::Source};
use crate::model::{
    book::Book,
    catalog::{Family, Mapping, Pool, PoolId},
    ids::{AccountId, ModelId, QuotaCode, Region, Scope},
    quota::Quota,
    series::{HourBlock, PoolSeries, Sample, Signal},
    time::{HOUR, Minute, Timestamp},
    units::{Amount, QuotaKind},
};

/// What is wrong with a table: the line, what, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {what}")]
pub struct TableError {
    file: String,
    line: u64,
    what: String,
}

/// How a table is read where it does not say it itself.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// For messages.
    pub file: &'a str,
    /// The pool of rows without one.
    pub pool: PoolId,
    /// The instant that the column `minute` counts from.
    pub start: Timestamp,
    /// Quotas that hold from the first row on.
    pub quotas: &'a [(QuotaKind, Amount)],
}

/// Names of other systems for our signals.
const ALIASES: [(&str, Signal); 4] = [
    ("estimated_tpm", Signal::ChargedTokens),
    ("latency_ms_avg", Signal::Latency),
    ("latency_ms_p90", Signal::LatencyP90),
    ("cache_read_input_tokens", Signal::CacheReadTokens),
];

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Minute,
    Time,
    Pool,
    Signal(Signal),
    Quota(QuotaKind),
}

#[derive(Debug, Default)]
struct Rows {
    /// By hour, one block a signal in their order.
    hours: BTreeMap<Minute, Box<[HourBlock; Signal::ALL.len()]>>,
    quotas: BTreeMap<QuotaKind, Amount>,
    changes: Vec<(Minute, QuotaKind, Amount)>,
    first: Option<Minute>,
    last: Option<Minute>,
}

/// Reads a table into what is known so far. A minute without a row was not observed; a field that is empty, and a signal
/// without a column, had no datapoint.
///
/// # Errors
/// The first line that can't be understood.
pub fn read(input: impl Read, how: &Reading<'_>, into: &mut Source) -> Result<(), TableError> {
    let mut table = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(input);
    let wrong = |line: u64, what: String| TableError {
        file: how.file.to_owned(),
        line,
        what,
    };
    let head = table
        .headers()
        .map_err(|error| wrong(1, error.to_string()))?;
    let columns: Result<Vec<Column>, String> = head.iter().map(column).collect();
    let columns = columns.map_err(|what| wrong(1, what))?;
    if !columns
        .iter()
        .any(|it| matches!(it, Column::Minute | Column::Time))
    {
        return Err(wrong(1, "there is no column `time` or `minute`".to_owned()));
    }
    let mut pools: BTreeMap<PoolId, Rows> = BTreeMap::new();
    for row in table.records() {
        let row = row.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            wrong(line, error.to_string())
        })?;
        let line = row.position().map_or(0, csv::Position::line);
        take(&row, &columns, how, &mut pools).map_err(|what| wrong(line, what))?;
    }
    for (id, rows) in pools {
        add(id, rows, how, into);
    }
    into.past.changes.sort_by_key(|(at, _)| *at);
    Ok(())
}

/// Nothing yet, to be read into.
#[must_use]
pub fn empty() -> Source {
    Source {
        past: Past {
            book: Book::default(),
            changes: Vec::new(),
        },
        first: Minute(i64::MAX),
        end: Minute(i64::MIN),
        incidents: Vec::new(),
    }
}

fn column(name: &str) -> Result<Column, String> {
    let signals = Signal::ALL.into_iter().map(|it| (it.name(), it));
    let mut signals = signals.chain(ALIASES);
    let quotas = QuotaKind::ALL.into_iter();
    let mut quotas = quotas.map(|it| (format!("quota_{}", it.name()), it));
    match name {
        "minute" => Ok(Column::Minute),
        "time" => Ok(Column::Time),
        "pool" => Ok(Column::Pool),
        _ => {
            let signal = signals.find(|(own, _)| *own == name);
            let signal = signal.map(|(_, it)| Column::Signal(it));
            let quota = quotas.find(|(own, _)| own == name);
            let quota = quota.map(|(_, it)| Column::Quota(it));
            signal.or(quota).ok_or_else(|| {
                let known: Vec<&str> = Signal::ALL.iter().map(|it| it.name()).collect();
                format!("no column is named `{name}`: known are time, minute, pool, quota_rpm, quota_tpm, {}", known.join(", "))
            })
        }
    }
}

fn take(
    row: &csv::StringRecord,
    columns: &[Column],
    how: &Reading<'_>,
    pools: &mut BTreeMap<PoolId, Rows>,
) -> Result<(), String> {
    let mut pool = how.pool.clone();
    let mut at = None;
    for (column, field) in columns.iter().zip(row) {
        match column {
            Column::Pool => pool = pool_id(field)?,
            Column::Minute | Column::Time => at = Some(minute(field, how.start)?),
            Column::Signal(_) | Column::Quota(_) => {}
        }
    }
    let at = at.ok_or_else(|| "the row has no time".to_owned())?;
    let family = pool.family;
    let rows = pools.entry(pool).or_default();
    rows.first = Some(rows.first.map_or(at, |first| first.min(at)));
    rows.last = Some(rows.last.map_or(at, |last| last.max(at)));
    let mut samples = Signal::ALL.map(|signal| match signal.depth(family) {
        Some(_) => Sample::NoData,
        None => Sample::Unobserved,
    });
    for (column, field) in columns.iter().zip(row) {
        match column {
            Column::Signal(_) | Column::Quota(_) if field.is_empty() => {}
            Column::Signal(signal) => {
                if let Some(sample) = samples.get_mut(*signal as usize) {
                    *sample = Sample::Value(number(field)?.get());
                }
            }
            Column::Quota(kind) => {
                let value = number(field)?;
                if rows.quotas.insert(*kind, value) != Some(value) {
                    rows.changes.push((at, *kind, value));
                }
            }
            Column::Pool | Column::Minute | Column::Time => {}
        }
    }
    let hour = rows
        .hours
        .entry(at.hour())
        .or_insert_with(|| Box::new([[Sample::Unobserved; 60]; Signal::ALL.len()]));
    if let Ok(place) = usize::try_from(at.since(at.hour())) {
        for (block, sample) in hour.iter_mut().zip(samples) {
            if let Some(slot) = block.get_mut(place) {
                *slot = sample;
            }
        }
    }
    Ok(())
}

fn number(field: &str) -> Result<Amount, String> {
    let number = field.parse::<f64>().ok().and_then(Amount::new);
    number.ok_or_else(|| format!("`{field}` is no number of at least 0"))
}

/// A whole number of minutes from `start` on, or an instant.
///
/// # Errors
/// What is wrong with it.
pub fn minute(field: &str, start: Timestamp) -> Result<Minute, String> {
    if let Ok(minutes) = field.parse::<i64>() {
        return Ok(Minute::of(start).plus(minutes));
    }
    let at: Result<Timestamp, _> = field.parse();
    let wrong =
        |_| format!("`{field}` is no time: write 2026-01-05T00:00:00Z, or minutes from --start on");
    at.map(Minute::of).map_err(wrong)
}

/// `account/region/family/model`.
///
/// # Errors
/// What is wrong with it.
pub fn pool_id(text: &str) -> Result<PoolId, String> {
    let mut parts = text.splitn(4, '/');
    let mut part = || parts.next().filter(|it| !it.is_empty());
    let (account, region, family, model) = (part(), part(), part(), part());
    let family = family.and_then(|it| Family::ALL.into_iter().find(|own| own.name() == it));
    match (account, region, family, model) {
        (Some(account), Some(region), Some(family), Some(model)) => Ok(PoolId {
            scope: Scope {
                account: AccountId::new(account),
                region: Region::new(region),
            },
            family,
            model: ModelId::new(model),
        }),
        (_, _, _, _) => Err(format!(
            "`{text}` is no pool: write account/region/family/model, the family one of on-demand, geo, global, mantle"
        )),
    }
}

fn add(id: PoolId, rows: Rows, how: &Reading<'_>, into: &mut Source) {
    let book = &mut into.past.book;
    let start = rows.first.unwrap_or(Minute::of(how.start));
    let code = |kind: QuotaKind| QuotaCode::new(format!("{}-of-{}", kind.name(), id.model));
    let quota = |kind: QuotaKind, value: Amount| Quota {
        scope: id.scope.clone(),
        code: code(kind),
        name: format!("{} of the table", kind.unit()),
        applied: Some(value),
        default: None,
        adjustable: true,
        read_at: start.start(),
        stale: None,
    };
    let given = how
        .quotas
        .iter()
        .map(|(kind, value)| (start, *kind, *value));
    let values: Vec<_> = given.chain(rows.changes.iter().copied()).collect();
    let mut mappings = BTreeMap::from(QuotaKind::ALL.map(|kind| (kind, Mapping::Absent)));
    for (at, kind, value) in values {
        let proof = "given with the table".to_owned();
        let code = code(kind);
        mappings.insert(
            kind,
            Mapping::Mapped {
                code: code.clone(),
                proof,
            },
        );
        if at == start {
            book.quotas
                .insert((id.scope.clone(), code), quota(kind, value));
        } else {
            into.past.changes.push((at, quota(kind, value)));
        }
    }
    let pool = Pool {
        id: id.clone(),
        burndown: Some(1.0), // the table has charged tokens, whatever the rate was
        worth: None,
        mappings,
    };
    book.pools.insert(id.clone(), pool);
    let series: &mut PoolSeries = book.series.entry(id).or_default();
    for (hour, blocks) in rows.hours {
        for (signal, block) in Signal::ALL.into_iter().zip(*blocks) {
            if block.iter().any(|it| *it != Sample::Unobserved) {
                series.restore(signal, hour, block);
            }
        }
    }
    into.first = into.first.min(start);
    into.end = into.end.max(rows.last.map_or(start, |last| last.plus(1)));
    debug_assert!(
        into.end.since(into.first) < i64::MAX / HOUR,
        "minutes of people's time"
    );
}
