//! Where requests ran as comma-separated values: a record of processing, to be filed.

use std::io::{self, Write};

use super::{
    inert::inert,
    json::{Ran, RanRead, RanRow},
};

/// What went one way.
const OF_ROW: [&str; 14] = [
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
/// The period, and how much of the log of this account and Region was read: a file that is opened in a year says by itself
/// what it lacks.
const OF_PERIOD: [&str; 7] = [
    "period_from",
    "period_to",
    "hours",
    "hours_read",
    "hours_missing",
    "read_until",
    "is_simulated",
];

/// These rows under a line of names.
///
/// # Errors
/// When the output can't be written.
pub fn rows(rows: &[RanRow], out: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(OF_ROW)?;
    for row in rows {
        table.write_record(cells(row))?;
    }
    table.flush()
}

/// The record of a period. An account and Region without a row of its own has one without a target: that nothing was read
/// there is a part of the record.
///
/// # Errors
/// When the output can't be written.
pub fn whole(told: &Ran, out: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(OF_ROW.iter().chain(&OF_PERIOD))?;
    for read in &told.read {
        let period = period(told, read);
        let mut is_told = false;
        for row in &told.rows {
            if row.account == read.account && row.called_in == read.region {
                is_told = true;
                table.write_record(cells(row).iter().chain(&period))?;
            }
        }
        if !is_told {
            let mut nothing = [const { String::new() }; OF_ROW.len()];
            let [account, region, ..] = &mut nothing;
            *account = text(&read.account);
            *region = text(&read.region);
            table.write_record(nothing.iter().chain(&period))?;
        }
    }
    table.flush()
}

fn cells(row: &RanRow) -> [String; 14] {
    [
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
        text(&row.outside.join(" ")),
    ]
}

fn period(told: &Ran, read: &RanRead) -> [String; 7] {
    [
        told.from.clone(),
        told.to.clone(),
        read.of.to_string(),
        read.hours.to_string(),
        read.missing.to_string(),
        read.read_until.clone().unwrap_or_default(),
        told.is_simulated.to_string(),
    ]
}

/// What comes from a caller is no formula in whoever's spreadsheet, and acts in no terminal.
fn text(text: &str) -> String {
    let text = inert(text);
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn what_a_caller_wrote_is_no_formula() {
        assert_eq!(text("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        for sign in ['+', '-', '@'] {
            assert_eq!(text(&format!("{sign}1")), format!("'{sign}1"));
        }
        assert_eq!(text("eu.anthropic.x"), "eu.anthropic.x");
        assert_eq!(text("\t=1"), "'<U+0009>=1".trim_start_matches('\''));
    }
}
