//! The report as JUnit XML, which continuous integration reads: a suite a file, a case a test, and in what failed the text
//! that is printed.
//!
//! No standard says what JUnit XML is. What stands here is what its readers have in common: one `failure` a case, with the
//! rest in its text, and times in seconds.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    time::Duration,
};

use super::{Ran, Report};
use crate::{backtest::cases::Miss, model::inert::inert};

/// Writes it into this file.
///
/// # Errors
/// When it can't be written, with its name.
pub fn write_file(report: &Report, path: &Path) -> io::Result<()> {
    let written = File::create(path).and_then(|file| {
        let mut out = BufWriter::new(file);
        write(report, &mut out)?;
        out.flush()
    });
    written.map_err(|error| {
        let why = format!("the report {} can't be written: {error}", path.display());
        io::Error::new(error.kind(), why)
    })
}

/// Writes it.
///
/// # Errors
/// When it can't be written.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    let counted = counts(&report.ran);
    writeln!(
        out,
        r#"<testsuites name="bedrock-ops-alert test"{counted}>"#
    )?;
    let mut misses = report.misses.as_slice();
    for suite in report.ran.chunk_by(|one, next| one.file == next.file) {
        let file = suite.first().map(|it| escaped(&it.file));
        let file = file.unwrap_or_default();
        writeln!(out, r#"  <testsuite name="{file}"{}>"#, counts(suite))?;
        for ran in suite {
            let (own, rest) = misses.split_at(ran.misses.min(misses.len()));
            misses = rest;
            let (name, took) = (escaped(&ran.name), seconds(ran.took));
            write!(
                out,
                r#"    <testcase classname="{file}" name="{name}" file="{file}" time="{took}""#
            )?;
            match own.first() {
                None => writeln!(out, "/>")?,
                Some(first) => {
                    let (message, text) = failure(first, own);
                    writeln!(out, ">")?;
                    writeln!(
                        out,
                        r#"      <failure type="expectation" message="{message}">{text}</failure>"#
                    )?;
                    writeln!(out, "    </testcase>")?;
                }
            }
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

/// What was missed first, and all that is printed of what was missed.
fn failure(first: &Miss, own: &[Miss]) -> (String, String) {
    let mut message = format!("{}:{}: expected {}", first.file, first.line, first.expected);
    if 1 < own.len() {
        let more = own.len() - 1;
        message.push_str(&format!(", and {more} more"));
    }
    let printed: Vec<String> = own.iter().map(ToString::to_string).collect();
    let printed = printed.join("\n");
    let lines: Vec<String> = printed.trim_end().lines().map(escaped).collect();
    (escaped(&message), lines.join("\n"))
}

fn counts(ran: &[Ran]) -> String {
    let tests = ran.len();
    let failures = ran.iter().filter(|it| 0 < it.misses).count();
    let took = seconds(ran.iter().map(|it| it.took).sum());
    format!(r#" tests="{tests}" failures="{failures}" errors="0" skipped="0" time="{took}""#)
}

fn seconds(took: Duration) -> String {
    format!("{:.3}", took.as_secs_f64())
}

/// For an attribute or a text. XML 1.0 has no way to write most controls, so they are shown by name.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in inert(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push(char::REPLACEMENT_CHARACTER),
            _ => out.push(c),
        }
    }
    out
}
