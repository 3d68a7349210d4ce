//! How well incidents fit what was really wrong.

use std::io::Read;

use serde::Serialize;

use super::table::{minute, pool_id};
use crate::model::{
    catalog::PoolId,
    incident::Incident,
    rule::Severity,
    series::SETTLE_MINUTES,
    time::{Minute, Timestamp},
};

/// A stretch of which somebody knows what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where; everywhere without one.
    pub pool: Option<PoolId>,
    /// First minute.
    pub from: Minute,
    /// End, exclusive.
    pub until: Minute,
    /// Whether something was wrong. Else the stretch is left out of the score.
    pub is_incident: bool,
}

/// Pages (`warning` and `critical`) against labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// Labelled incidents.
    pub labelled: usize,
    /// Of these, how many a page fell into, or began before and lasted into.
    pub found: usize,
    /// Pages, without those in stretches that are left out.
    pub pages: usize,
    /// Of these, how many fell on no labelled incident.
    pub false_pages: usize,
    /// `found / labelled`.
    pub recall: Option<f64>,
    /// Pages on incidents by all pages.
    pub precision: Option<f64>,
    /// Median minutes from the start of a labelled incident to its page; negative: before it.
    pub median_delay_minutes: Option<i64>,
}

/// CSV with the columns `pool,from,until,what`: `what` is `incident` or `ignore`, `pool` may be empty.
///
/// # Errors
/// What is wrong, with its line.
pub fn labels(input: impl Read, start: Timestamp) -> Result<Vec<Label>, String> {
    let mut table = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(input);
    let head = table.headers().map_err(|error| error.to_string())?;
    let wanted = ["pool", "from", "until", "what"];
    if !head.iter().eq(wanted) {
        return Err("line 1: the columns are pool,from,until,what".to_owned());
    }
    let rows = table.records().map(|row| {
        let row = row.map_err(|error| error.to_string())?;
        let line = row.position().map_or(0, csv::Position::line);
        label(&row, start).map_err(|what| format!("line {line}: {what}"))
    });
    rows.collect()
}

fn label(row: &csv::StringRecord, start: Timestamp) -> Result<Label, String> {
    let field = |index: usize| row.get(index).unwrap_or_default();
    let pool = match field(0) {
        "" => None,
        name => Some(pool_id(name)?),
    };
    let is_incident = match field(3) {
        "incident" => true,
        "ignore" => false,
        other => return Err(format!("`{other}` is neither `incident` nor `ignore`")),
    };
    Ok(Label {
        pool,
        from: minute(field(1), start)?,
        until: minute(field(2), start)?,
        is_incident,
    })
}

/// A page may come until the last minute of its incident has settled.
#[must_use]
pub fn score(labels: &[Label], incidents: &[&Incident]) -> Score {
    let fits = |label: &Label, it: &Incident| {
        let ended = it.resolved.map_or(Minute(i64::MAX), Minute::of);
        let is_here = label
            .pool
            .as_ref()
            .is_none_or(|pool| it.pools.contains(pool));
        is_here && Minute::of(it.opened) <= label.until.plus(SETTLE_MINUTES) && label.from <= ended
    };
    let (wrong, left_out): (Vec<&Label>, Vec<&Label>) =
        labels.iter().partition(|label| label.is_incident);
    let pages = incidents
        .iter()
        .filter(|it| Severity::Warning <= it.severity);
    let hits = |it: &Incident| wrong.iter().any(|label| fits(label, it));
    let pages: Vec<&&Incident> = pages
        .filter(|it| hits(it) || !left_out.iter().any(|label| fits(label, it)))
        .collect();
    let mut delays: Vec<i64> = wrong
        .iter()
        .filter_map(|label| {
            let own = pages.iter().filter(|it| fits(label, it));
            own.map(|it| Minute::of(it.opened).since(label.from)).min()
        })
        .collect();
    delays.sort_unstable();
    let good = pages.iter().filter(|it| hits(it)).count();
    Score {
        labelled: wrong.len(),
        found: delays.len(),
        pages: pages.len(),
        false_pages: pages.len() - good,
        recall: share(delays.len(), wrong.len()),
        precision: share(good, pages.len()),
        median_delay_minutes: delays.get(delays.len() / 2).copied(),
    }
}

/// `None` of nothing.
fn share(part: usize, of: usize) -> Option<f64> {
    let number = |it: usize| u32::try_from(it).ok().map(f64::from);
    (0 < of)
        .then(|| Some(number(part)? / number(of)?))
        .flatten()
}
