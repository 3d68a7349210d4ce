//! `discover`: what exists, what limits it, and why we think so.

use std::io::{self, IsTerminal, Write};

use crate::{collect::survey::Survey, web::inert};

mod document;
mod table;

pub use document::Document;

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As docs/discover.md describes it.
    Json,
    /// For people.
    Plain,
    /// For people at a terminal.
    Coloured,
}

impl Style {
    /// Colours only on a terminal, and only where nobody forbids them.
    #[must_use]
    pub fn for_standard_output(is_json: bool) -> Self {
        let may_colour = std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
        match (is_json, may_colour && io::stdout().is_terminal()) {
            (true, _) => Self::Json,
            (false, true) => Self::Coloured,
            (false, false) => Self::Plain,
        }
    }
}

/// Writes what was found.
///
/// # Errors
/// When the output can't be written.
pub fn write(surveys: &[Survey], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let document = Document::of(surveys);
    match style {
        Style::Json => out.write_all(inert::json(&document)?.as_bytes()),
        Style::Plain => table::write(&document, false, out),
        Style::Coloured => table::write(&document, true, out),
    }
}
