//! What `doctor` found: for people by place, trouble with its remedy; for scripts as a document.

use std::io::{self, Write};

use serde::Serialize;

use super::{exit, remote::Format};
use crate::{
    app::doctor::{Checkup, Item, Verdict, by_place},
    web::inert::{self, inert},
};

/// Writes it.
///
/// # Errors
/// What the output says.
pub fn write(checkup: &Checkup, format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => {
            let text = inert::json(&Document::of(checkup)).map_err(io::Error::from)?;
            out.write_all(text.as_bytes())
        }
        Format::Text => text(checkup, out),
    }
}

/// 1 with something that does not work, 69 where AWS gave no answer to tell by, else 0.
#[must_use]
pub fn exit_code(checkup: &Checkup) -> u8 {
    if 0 < checkup.count(Verdict::Failed) {
        exit::FAILED
    } else if 0 < checkup.count(Verdict::Unknown) {
        exit::UNREACHABLE
    } else {
        0
    }
}

fn text(checkup: &Checkup, out: &mut dyn Write) -> io::Result<()> {
    let items = checkup.items.iter();
    let width = items.map(|item| item.what.chars().count()).max();
    let width = width.unwrap_or(0);
    for (place, items) in by_place(&checkup.items) {
        writeln!(out, "{}", inert(place))?;
        for item in items {
            let (verdict, what) = (item.verdict.name(), inert(&item.what));
            writeln!(out, "  {verdict:9}  {what:width$}  {}", inert(&item.found))?;
            if item.verdict != Verdict::Fine
                && let Some(loss) = item.loss
            {
                writeln!(out, "  {:9}  {:width$}  without it: {loss}", "", "")?;
            }
            if let Some(help) = &item.help {
                writeln!(out, "  {:9}  {:width$}  help: {}", "", "", inert(help))?;
            }
        }
        writeln!(out)?;
    }
    let count = |verdict| checkup.count(verdict);
    write!(out, "{} fine", count(Verdict::Fine))?;
    for verdict in [
        Verdict::Warning,
        Verdict::NotTried,
        Verdict::Unknown,
        Verdict::Failed,
    ] {
        if 0 < count(verdict) {
            write!(out, ", {} {}", count(verdict), verdict.name())?;
        }
    }
    writeln!(out)
}

#[derive(Serialize)]
struct Document<'a> {
    ok: bool,
    items: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    place: &'a str,
    what: &'a str,
    verdict: &'static str,
    found: &'a str,
    loss: Option<&'static str>,
    help: Option<&'a str>,
}

impl<'a> Document<'a> {
    fn of(checkup: &'a Checkup) -> Self {
        Self {
            ok: exit_code(checkup) == 0,
            items: checkup.items.iter().map(Row::of).collect(),
        }
    }
}

impl<'a> Row<'a> {
    fn of(item: &'a Item) -> Self {
        Self {
            place: &item.place,
            what: &item.what,
            verdict: item.verdict.name(),
            found: &item.found,
            loss: item.loss.filter(|_| item.verdict != Verdict::Fine),
            help: item.help.as_deref(),
        }
    }
}
