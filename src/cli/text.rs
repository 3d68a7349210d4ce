//! Plain text for people: headings, indented lines and aligned tables, without colour. Every line is made inert.

use std::io::{self, Write};

use crate::web::inert::inert;

/// Writes one line after another.
pub(super) struct Text<'a> {
    out: &'a mut dyn Write,
}

/// On which side a column is flush.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

impl<'a> Text<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out }
    }

    /// One line, indented by so many steps.
    pub(super) fn line(&mut self, steps: usize, text: &str) -> io::Result<()> {
        writeln!(self.out, "{:1$}{2}", "", 2 * steps, inert(text))
    }

    /// An empty line and a heading.
    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out)?;
        self.line(0, text)
    }

    /// `label` and then one line each, the label only once.
    pub(super) fn labelled<I>(&mut self, steps: usize, label: &str, lines: I) -> io::Result<()>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut shown = label;
        for line in lines {
            self.line(steps, &format!("{shown:<6} {}", line.as_ref()))?;
            shown = "";
        }
        Ok(())
    }

    /// Columns aligned over all rows; the first row is the head.
    pub(super) fn table<const N: usize>(
        &mut self,
        sides: [Side; N],
        rows: &[[String; N]],
    ) -> io::Result<()> {
        let rows: Vec<[String; N]> = rows
            .iter()
            .map(|row| row.clone().map(|cell| inert(&cell)))
            .collect();
        let mut widths = [0; N];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in &rows {
            let mut line = String::new();
            for ((cell, width), side) in row.iter().zip(widths).zip(sides) {
                let cell = match side {
                    Side::Left => format!("{cell:<width$}"),
                    Side::Right => format!("{cell:>width$}"),
                };
                line.push_str(&cell);
                line.push_str("  ");
            }
            self.line(1, line.trim_end())?;
        }
        Ok(())
    }
}
