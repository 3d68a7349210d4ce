//! Plain text for people: headings, indented lines and aligned tables. Every line is made inert; colour comes after that,
//! only where it is asked for, and never says what the words don't.

use std::io::{self, Write};

use crate::web::inert::inert;

/// Writes one line after another.
pub(super) struct Text<'a> {
    out: &'a mut dyn Write,
    is_coloured: bool,
}

/// How a line stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Dim,
    Doubtful,
    Bad,
}

impl Paint {
    const fn begin(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dim => "\u{1b}[2m",
            Self::Doubtful => "\u{1b}[33m",
            Self::Bad => "\u{1b}[31m",
        }
    }

    const fn end(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dim | Self::Doubtful | Self::Bad => "\u{1b}[0m",
        }
    }
}

/// On which side a column is flush.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

impl<'a> Text<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            is_coloured: false,
        }
    }

    /// The same with colours.
    pub(super) fn coloured(self) -> Self {
        Self {
            is_coloured: true,
            ..self
        }
    }

    /// One line, indented by so many steps.
    pub(super) fn line(&mut self, steps: usize, text: &str) -> io::Result<()> {
        self.painted(Paint::Plain, steps, text)
    }

    /// One line that stands out, where colours are on.
    pub(super) fn painted(&mut self, paint: Paint, steps: usize, text: &str) -> io::Result<()> {
        let paint = if self.is_coloured {
            paint
        } else {
            Paint::Plain
        };
        let (begin, end) = (paint.begin(), paint.end());
        writeln!(self.out, "{:1$}{begin}{2}{end}", "", 2 * steps, inert(text))
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
        self.painted_table(sides, rows, &[])
    }

    /// The same, with a paint for each row; rows beyond the paints are plain.
    pub(super) fn painted_table<const N: usize>(
        &mut self,
        sides: [Side; N],
        rows: &[[String; N]],
        paints: &[Paint],
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
        let paints = paints
            .iter()
            .copied()
            .chain(std::iter::repeat(Paint::Plain));
        for (row, paint) in rows.iter().zip(paints) {
            let mut line = String::new();
            for ((cell, width), side) in row.iter().zip(widths).zip(sides) {
                let cell = match side {
                    Side::Left => format!("{cell:<width$}"),
                    Side::Right => format!("{cell:>width$}"),
                };
                line.push_str(&cell);
                line.push_str("  ");
            }
            self.painted(paint, 1, line.trim_end())?;
        }
        Ok(())
    }
}
