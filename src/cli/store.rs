//! `store`: dump, load, verify and salvage. They need the store for themselves.

use std::{
    io::{self, BufWriter, Write as _},
    path::Path,
    process::ExitCode,
};

use super::{
    exit::Exit,
    output::{self, Output, is_unread, say},
};
use crate::store::{self, Onto, StoreError};

/// Writes all records as JSON lines to standard output.
pub(super) fn dump(path: &Path) -> Result<ExitCode, Exit> {
    let ledger = store::open_existing(path).map_err(|error| refused(&error))?;
    let history = ledger.history().map_err(|error| refused(&error))?;
    let mut out = BufWriter::new(output::long());
    let written = store::dump(&ledger, &history, &mut out);
    if let Some(count) = heard(written)? {
        say(&format!("{count} records"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a dump from standard input into a new store.
pub(super) fn load(path: &Path, is_onto_existing: bool) -> Result<ExitCode, Exit> {
    let onto = if is_onto_existing {
        Onto::Existing
    } else {
        Onto::Empty
    };
    let ledger = store::open(path).map_err(|error| refused(&error))?;
    let history = ledger.history().map_err(|error| refused(&error))?;
    let mut input = io::stdin().lock();
    let count =
        store::load_dump(&mut input, &ledger, &history, onto).map_err(|error| refused(&error))?;
    say(&format!("{count} records loaded into {}", path.display()));
    Ok(ExitCode::SUCCESS)
}

/// Checks everything and tells what the store holds.
pub(super) fn verify(path: &Path) -> Result<ExitCode, Exit> {
    let found = store::verify(path).map_err(|error| refused(&error))?;
    let mut out = Output::new();
    let mut lines = vec![
        format!("format    {}", found.format),
        format!("sequence  {}", found.sequence),
        format!("links     {}", found.links),
        format!("head      {}", found.chain_head),
    ];
    lines.extend(
        found
            .counts
            .iter()
            .map(|(kind, count)| format!("{kind:<16} {count}")),
    );
    let history = &found.history;
    let stretches = history.stretches.iter();
    lines.extend(stretches.map(|(resolution, count)| {
        let kind = format!("history {}", resolution.name());
        format!("{kind:<16} {count}")
    }));
    lines.push(format!("{:<16} {}", "history bytes", history.bytes));
    let damage = history.damage.iter();
    lines.extend(damage.map(|what| format!("damaged history  {what}")));
    writeln!(out, "{}", lines.join("\n")).map_err(|error| unwritable(&error))?;
    // The ledger is whole, and nothing damaged is served: worth a look, and no reason to stop.
    Ok(if history.damage.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(super::exit::FAILED)
    })
}

/// Writes what can be read of a damaged store as a dump to standard output.
pub(super) fn salvage(path: &Path) -> Result<ExitCode, Exit> {
    let mut out = BufWriter::new(output::long());
    let written = store::salvage(path, &mut out);
    if let Some(found) = heard(written)? {
        say(&format!("{found:?}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// What a dump came to; `None` where nobody reads it to its end.
fn heard<T>(written: Result<T, StoreError>) -> Result<Option<T>, Exit> {
    match written {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::DumpIo { cause, .. }) if is_unread(&cause) => Ok(None),
        Err(error) => Err(refused(&error)),
    }
}

/// A store error as the command line tells it.
pub(super) fn refused(error: &StoreError) -> Exit {
    Exit::new(error.exit_code(), error, error.help())
}

fn unwritable(error: &io::Error) -> Exit {
    Exit::new(
        super::exit::STORE,
        error,
        "the output could not be written: check where it goes to",
    )
}
