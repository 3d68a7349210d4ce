//! Unit tests of rules: files in TOML beside the rules, each case a pool with its series and what is expected of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use toml::de::DeTable;

use super::{
    ConfigError,
    fault::{Fault, Wrong, nearest},
    files,
    sheet::{Section, Sheet},
    values,
};
use crate::model::{
    alert::AlertState,
    catalog::{Family, PoolId},
    ids::{AccountId, ModelId, Region, RuleName, Scope},
    series::{Sample, Signal},
    time::{DAY, Minute},
    units::{Amount, QuotaKind},
};

mod builtin;
mod shorthand;

/// A pool with its series, and what the rules are to say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What it shows, in words.
    pub name: String,
    /// The file it stands in.
    pub file: String,
    /// The pool.
    pub pool: PoolId,
    /// Output tokens are charged this many times.
    pub burndown: Option<f64>,
    /// Applied values; kinds without one do not limit the pool.
    pub quotas: BTreeMap<QuotaKind, Amount>,
    /// From the start to the model's announced end, in minutes.
    pub ends_in: Option<i64>,
    /// The first minute.
    pub start: Minute,
    /// How many minutes were measured: the longest series, or up to the last expectation.
    pub minutes: i64,
    /// One sample a minute from the start.
    pub series: BTreeMap<Signal, Vec<Sample>>,
    /// What was measured before the start: learned from, and not judged.
    pub past: CasePast,
    /// Judged alone; all rules where it is empty.
    pub rules: BTreeSet<RuleName>,
    /// What is expected.
    pub expectations: Vec<Expectation>,
}

/// Minutes before the start of a case.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CasePast {
    /// How many.
    pub minutes: i64,
    /// One sample a minute, so many of each signal.
    pub series: BTreeMap<Signal, Vec<Sample>>,
}

/// What is expected at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Its line in the file, from 1.
    pub line: usize,
    /// So many minutes have been read.
    pub at: i64,
    /// Of which rule; of all rules of the case without one.
    pub rule: Option<RuleName>,
    /// Its state.
    pub state: Option<AlertState>,
    /// That nothing is on.
    pub is_silent: bool,
    /// A reason has this text in it.
    pub reason: Option<String>,
}

const STATES: [(&str, AlertState); 6] = [
    ("normal", AlertState::Normal),
    ("pending", AlertState::Pending),
    ("alerting", AlertState::Alerting),
    ("recovering", AlertState::Recovering),
    ("no-data", AlertState::NoData),
    ("error", AlertState::Error),
];
/// As much as any rule looks back.
const MOST_PAST_MINUTES: i64 = 15 * DAY;
/// A Monday.
const START: Minute = Minute(20_458 * DAY);
const ACCOUNT: &str = "111122223333";
const REGION: &str = "us-east-1";
const MODEL: &str = "anthropic.claude-sonnet-4-6";

/// The cases of this folder, or those that are compiled in; `known` are the rules that there are.
///
/// # Errors
/// All faults of the files, together.
pub fn cases(folder: Option<&Path>, known: &[RuleName]) -> Result<Vec<Case>, ConfigError> {
    let mut cases = Vec::new();
    let mut faults = Vec::new();
    let texts: Vec<(String, Result<String, Box<Fault>>)> = match folder {
        None => {
            let texts = builtin::BUILTIN.iter();
            texts
                .map(|(name, text)| ((*name).to_owned(), Ok((*text).to_owned())))
                .collect()
        }
        Some(folder) => {
            let help = "put test files there, or leave the folder out to run the built-in tests";
            let what = ("test folder", "nothing would be tested");
            let paths = files::toml_files(folder, what, help);
            let paths = paths.map_err(|fault| ConfigError::one(*fault))?;
            let read = |path: &std::path::PathBuf| files::read(path, "test file");
            paths
                .iter()
                .map(|path| (path.display().to_string(), read(path)))
                .collect()
        }
    };
    for (name, text) in texts {
        match text {
            Ok(text) => faults.extend(read(&name, &text, known, &mut cases)),
            Err(fault) => faults.push(*fault),
        }
    }
    ConfigError::of(faults).map_or(Ok(cases), Err)
}

fn read(name: &str, text: &str, known: &[RuleName], cases: &mut Vec<Case>) -> Vec<Fault> {
    let mut sheet = Sheet::new(name, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        sheet.syntax(errors);
        return sheet.faults;
    }
    let mut root = Section::root(&table);
    match root.take("test") {
        None => {
            let wrong = Wrong::new(
                "there is no test in this file",
                "",
                "write each test as [[test]]; see docs/rules.md",
            );
            sheet.fault(0..0, "test", wrong);
        }
        Some(entry) => {
            for section in sheet.tables(&entry) {
                cases.extend(case(&mut sheet, section, known));
            }
        }
    }
    root.finish(&mut sheet);
    sheet.faults
}

fn case(sheet: &mut Sheet, mut section: Section<'_>, known: &[RuleName]) -> Option<Case> {
    let name = section.take("name");
    let name = name.and_then(|it| sheet.parsed(&it, values::words));
    let name = sheet.require(&section, "name", "\"what this shows\"", name);
    let rule = |text: &str| known_rule(text, known);
    let rules = section.take("rules").map(|it| sheet.list(&it, rule));
    let pool = pool(sheet, &mut section);
    let burndown = section
        .take("burndown")
        .and_then(|it| sheet.number(&it, 1.0));
    let ends_in = section.take("ends_in");
    let ends_in = ends_in.and_then(|it| sheet.parsed(&it, values::minutes));
    let start = section
        .take("start")
        .and_then(|it| sheet.parsed(&it, instant));
    let quotas = section.take("quotas").and_then(|it| sheet.table(&it));
    let quotas = quotas.map(|it| quotas_of(sheet, it)).unwrap_or_default();
    let series = section.take("series").and_then(|it| sheet.table(&it));
    let series = series.map(|it| series_of(sheet, it)).unwrap_or_default();
    let past = section.take("past").and_then(|it| sheet.table(&it));
    let past = past.map_or(Some(CasePast::default()), |it| past_of(sheet, it));
    let expect = section.take("expect");
    let expect = expect.map(|it| {
        if it
            .value
            .get_ref()
            .as_array()
            .is_some_and(|it| it.is_empty())
        {
            let wrong = Wrong::new(
                "nothing is expected, so the test could not fail",
                "empty",
                "say what is expected and when, such as [{ at = \"5m\", silent = true }]",
            );
            sheet.wrong(&it, wrong);
        }
        sheet.tables(&it)
    });
    let expect = sheet.require(
        &section,
        "expect",
        "[{ at = \"5m\", silent = true }]",
        expect,
    );
    let expectations = expect.into_iter().flatten();
    let expectations: Vec<_> = expectations
        .filter_map(|it| expectation(sheet, it, known))
        .collect();
    section.finish(sheet);
    let longest = series.values().map(Vec::len).max().unwrap_or(0);
    let last = expectations.iter().map(|it| it.at).max().unwrap_or(0);
    Some(Case {
        name: name?,
        file: sheet.source.name.clone(),
        pool,
        burndown,
        quotas,
        ends_in,
        start: start.unwrap_or(START),
        minutes: last.max(i64::try_from(longest).ok()?),
        series,
        past: past?,
        rules: rules.unwrap_or_default().into_iter().collect(),
        expectations,
    })
}

fn pool(sheet: &mut Sheet, section: &mut Section<'_>) -> PoolId {
    let account = section.take("account");
    let account = account.and_then(|it| sheet.parsed(&it, values::account));
    let region = section.take("region");
    let region = region.and_then(|it| sheet.parsed(&it, values::region));
    let families = Family::ALL.map(|it| (it.name(), it));
    let family = section
        .take("family")
        .and_then(|it| sheet.choice(&it, &families));
    let model = section
        .take("model")
        .and_then(|it| sheet.parsed(&it, values::words));
    PoolId {
        scope: Scope {
            account: account.unwrap_or_else(|| AccountId::new(ACCOUNT)),
            region: region.unwrap_or_else(|| Region::new(REGION)),
        },
        family: family.unwrap_or(Family::Geo),
        model: model.map_or_else(|| ModelId::new(MODEL), ModelId::new),
    }
}

fn quotas_of(sheet: &mut Sheet, mut table: Section<'_>) -> BTreeMap<QuotaKind, Amount> {
    let mut quotas = BTreeMap::new();
    for kind in QuotaKind::ALL {
        let value = table
            .take(kind.name())
            .and_then(|it| sheet.number(&it, 0.0));
        quotas.extend(value.and_then(Amount::new).map(|it| (kind, it)));
    }
    table.finish(sheet);
    quotas
}

fn series_of(sheet: &mut Sheet, mut table: Section<'_>) -> BTreeMap<Signal, Vec<Sample>> {
    let series = signals_of(sheet, &mut table);
    table.finish(sheet);
    series
}

fn signals_of(sheet: &mut Sheet, table: &mut Section<'_>) -> BTreeMap<Signal, Vec<Sample>> {
    let mut series = BTreeMap::new();
    for signal in Signal::ALL {
        let samples = table.take(signal.name());
        let samples = samples.and_then(|it| sheet.parsed(&it, shorthand::samples));
        series.extend(samples.map(|it| (signal, it)));
    }
    series
}

/// `lasts = "3d"`, and series that are repeated for so long.
fn past_of(sheet: &mut Sheet, mut table: Section<'_>) -> Option<CasePast> {
    let lasts = table.take("lasts");
    let lasts = lasts.and_then(|it| sheet.parsed(&it, past_minutes));
    let lasts = sheet.require(&table, "lasts", "\"3d\"", lasts);
    let series = signals_of(sheet, &mut table);
    table.finish(sheet);
    let minutes = lasts?;
    let length = usize::try_from(minutes).ok()?;
    let repeated = |samples: Vec<Sample>| samples.into_iter().cycle().take(length).collect();
    let series = series.into_iter();
    Some(CasePast {
        minutes,
        series: series.map(|(signal, it)| (signal, repeated(it))).collect(),
    })
}

fn past_minutes(text: &str) -> Result<i64, Wrong> {
    let minutes = values::minutes(text)?;
    if minutes <= MOST_PAST_MINUTES {
        return Ok(minutes);
    }
    Err(Wrong::new(
        "must be at most 15d",
        "more than any rule looks back",
        "such as \"3d\"",
    ))
}

fn expectation(
    sheet: &mut Sheet,
    mut table: Section<'_>,
    known: &[RuleName],
) -> Option<Expectation> {
    let span = table.span.clone();
    let line = sheet.source.line(span.start);
    let at = table
        .take("at")
        .and_then(|it| sheet.parsed(&it, values::minutes));
    let at = sheet.require(&table, "at", "\"12m\"", at);
    let rule = table.take("rule");
    let rule = rule.and_then(|it| sheet.parsed(&it, |text| known_rule(text, known)));
    let state = table
        .take("state")
        .and_then(|it| sheet.choice(&it, &STATES));
    let silent = table.take("silent");
    let silent = silent.and_then(|it| {
        let is_silent = sheet.flag(&it)?;
        if !is_silent {
            let wrong = Wrong::new(
                "this expects nothing, so it could not fail",
                "neither silence nor anything that is on",
                "name what is on: `rule = \"…\", state = \"alerting\"`",
            );
            sheet.wrong(&it, wrong);
        }
        Some(is_silent)
    });
    let reason = table
        .take("reason")
        .and_then(|it| sheet.parsed(&it, values::words));
    let is_said = ["state", "silent", "reason"].iter().any(|it| table.has(it));
    if !is_said {
        let wrong = Wrong::new(
            "it does not say what is expected",
            "in this expectation",
            "add `state = \"alerting\"`, `silent = true` or `reason = \"…\"`",
        );
        sheet.fault(span.clone(), "expect", wrong);
    }
    if table.has("state") && !table.has("rule") {
        let wrong = Wrong::new(
            "a state is that of one rule",
            "of which rule?",
            "add `rule = \"…\"`",
        );
        sheet.fault(span, "expect", wrong);
    }
    table.finish(sheet);
    Some(Expectation {
        line,
        at: at?,
        rule,
        state,
        is_silent: silent.unwrap_or(false),
        reason,
    })
}

fn known_rule(text: &str, known: &[RuleName]) -> Result<RuleName, Wrong> {
    if let Some(rule) = known.iter().find(|it| it.as_str() == text) {
        return Ok(rule.clone());
    }
    let names: Vec<&str> = known.iter().map(RuleName::as_str).collect();
    let help = nearest(text, names.iter().copied()).map_or_else(
        || format!("known rules: {}", names.join(", ")),
        |near| format!("did you mean \"{near}\"?"),
    );
    Err(Wrong::new("no rule has this name", "unknown rule", help))
}

fn instant(text: &str) -> Result<Minute, Wrong> {
    text.parse().map(Minute::of).map_err(|_| {
        Wrong::new(
            "must be an instant",
            "no instant",
            "such as \"2026-01-05T00:00:00Z\"",
        )
    })
}

#[cfg(test)]
mod tests;
