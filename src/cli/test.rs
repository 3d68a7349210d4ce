//! `test`: unit tests of rules.

mod junit;

use std::{io, io::Write, path::Path, time::Duration};

use serde::Serialize;

use super::remote::Format;
use crate::{
    backtest::cases::{self, Miss},
    config::{self, ConfigError},
    model::{ids::RuleName, policy::Settings, rule::Pattern},
    runtime::clock,
};

pub use junit::{write as write_junit, write_file as write_junit_file};

/// What the tests came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Tests that were run.
    pub tests: usize,
    /// What was expected in them.
    pub expectations: usize,
    /// What did not come as expected, in the order of the files.
    pub misses: Vec<Miss>,
    /// Each test that was run, in the order of the files.
    #[serde(skip)]
    pub ran: Vec<Ran>,
}

/// A test that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The file.
    pub file: String,
    /// Its name.
    pub name: String,
    /// How long it took.
    pub took: Duration,
    /// How many of the misses are its own.
    pub misses: usize,
}

/// Why no test was run.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// What the files say.
    #[error(transparent)]
    Files(#[from] ConfigError),
    /// None has such a name.
    #[error("no test is called `{pattern}`, of {known}")]
    NoneCalled {
        /// As it was given.
        pattern: String,
        /// Tests that are there.
        known: usize,
    },
}

/// Runs the tests of a folder, or those that are built in, by the rules of this configuration; of them those whose names
/// fit the pattern, where there is one.
///
/// # Errors
/// All faults of the test files; or that no test is called so: nothing would be tested, and look as if all were well.
pub fn run(
    folder: Option<&Path>,
    called: Option<&Pattern>,
    settings: &Settings,
) -> Result<Report, TestError> {
    let known: Vec<RuleName> = settings
        .rules
        .known()
        .iter()
        .map(|it| it.name.clone())
        .collect();
    let mut cases = config::cases(folder, &known)?;
    if let Some(pattern) = called {
        let known = cases.len();
        cases.retain(|it| pattern.fits(&it.name));
        if cases.is_empty() {
            let pattern = pattern.as_str().to_owned();
            return Err(TestError::NoneCalled { pattern, known });
        }
    }
    let mut report = Report {
        tests: cases.len(),
        expectations: cases.iter().map(|it| it.expectations.len()).sum(),
        misses: Vec::new(),
        ran: Vec::new(),
    };
    for case in cases {
        let begun = clock::monotonic();
        let misses = cases::run(&case, &settings.rules, &settings.policy);
        report.ran.push(Ran {
            took: begun.elapsed(),
            misses: misses.len(),
            file: case.file,
            name: case.name,
        });
        report.misses.extend(misses);
    }
    Ok(report)
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
        ran: _,
    } = report;
    match misses.len() {
        0 => writeln!(out, "ok: {tests} tests, {expectations} expectations"),
        missed => writeln!(
            out,
            "FAILED: {missed} of {expectations} expectations in {tests} tests did not come"
        ),
    }
}

#[cfg(test)]
mod tests;
