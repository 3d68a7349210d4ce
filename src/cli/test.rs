//! `test`: unit tests of rules.

use std::{io, io::Write, path::Path};

use serde::Serialize;

use super::remote::Format;
use crate::{
    backtest::cases::{self, Miss},
    config::{self, ConfigError},
    model::{ids::RuleName, policy::Settings},
};

/// What the tests came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Tests that were run.
    pub tests: usize,
    /// What was expected in them.
    pub expectations: usize,
    /// What did not come as expected, in the order of the files.
    pub misses: Vec<Miss>,
}

/// Runs the tests of a folder, or those that are built in, by the rules of this configuration.
///
/// # Errors
/// All faults of the test files.
pub fn run(folder: Option<&Path>, settings: &Settings) -> Result<Report, ConfigError> {
    let known: Vec<RuleName> = settings
        .rules
        .known()
        .iter()
        .map(|it| it.name.clone())
        .collect();
    let cases = config::cases(folder, &known)?;
    let misses = cases
        .iter()
        .flat_map(|it| cases::run(it, &settings.rules, &settings.policy));
    Ok(Report {
        tests: cases.len(),
        expectations: cases.iter().map(|it| it.expectations.len()).sum(),
        misses: misses.collect(),
    })
}

/// Writes all misses, each with its place, what was expected, what came, and the minutes around it.
///
/// # Errors
/// When the output can't be written.
pub fn write(report: &Report, format: Format, out: &mut dyn Write) -> io::Result<()> {
    if format == Format::Json {
        serde_json::to_writer_pretty(&mut *out, report)?;
        return writeln!(out);
    }
    for miss in &report.misses {
        writeln!(out, "{miss}")?;
    }
    let Report {
        tests,
        expectations,
        misses,
    } = report;
    match misses.len() {
        0 => writeln!(out, "ok: {tests} tests, {expectations} expectations"),
        missed => writeln!(
            out,
            "FAILED: {missed} of {expectations} expectations in {tests} tests did not come"
        ),
    }
}
