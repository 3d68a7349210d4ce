//! One file as it was read, and the few lines of it that are drawn around a fault.

use std::sync::Arc;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// One file as it was read. It is cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) name: String,
    text: Arc<String>,
    /// Where each line begins.
    starts: Arc<Vec<usize>>,
}

impl Source {
    pub(super) fn new(name: &str, text: String) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(breaks).collect();
        Self {
            name: name.to_owned(),
            text: Arc::new(text),
            starts: Arc::new(starts),
        }
    }

    /// The line of this byte, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// Line and column of this byte, both from 1; the column counts characters.
    pub(super) fn line_and_column(&self, at: usize) -> (usize, usize) {
        let line = self.line(at);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start..at).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    /// The lines of this span and so many before and after it, with the byte that they begin at and the number of lines
    /// before them. One line more on either side tells the drawing where the next ones begin and end.
    fn window(&self, span: &SourceSpan, before: usize, after: usize) -> Option<Window<'_>> {
        let lines_before = self.line(span.offset()).saturating_sub(before + 2);
        let from = self.starts.get(lines_before).copied()?;
        let last = self.line(span.offset() + span.len()) + after + 1;
        let until = self.starts.get(last).copied().unwrap_or(self.text.len());
        let text = self.text.get(from..until)?;
        Some(Window {
            text,
            from,
            lines_before,
        })
    }
}

/// A part of a file.
struct Window<'a> {
    text: &'a str,
    from: usize,
    lines_before: usize,
}

/// As for a whole text, which would be looked through from its beginning for each fault: with a fault in each line that is
/// the square of its length.
impl SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let window = self.window(span, before, after);
        let Window {
            text,
            from,
            lines_before,
        } = window.ok_or(MietteError::OutOfBounds)?;
        let within = SourceSpan::from((span.offset() - from, span.len()));
        let read = text.read_span(&within, before, after)?;
        let place = SourceSpan::from((read.span().offset() + from, read.span().len()));
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            read.data(),
            place,
            read.line() + lines_before,
            read.column(),
            read.line_count() + lines_before,
        )))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is drawn of a span, and where it lies.
    fn drawn(source: &dyn SourceCode, span: SourceSpan, lines: usize) -> Option<String> {
        let read = source.read_span(&span, lines, lines).ok()?;
        let text = String::from_utf8_lossy(read.data()).into_owned();
        let (line, column) = (read.line(), read.column());
        Some(format!("{:?} {line}:{column} {text:?}", read.span()))
    }

    proptest! {
        #[test]
        fn what_is_drawn_is_what_the_whole_text_would_give(
            text in "[ab=ü\n]{1,60}",
            from in 0..60_usize,
            length in 0..20_usize,
            lines in 0..3_usize,
        ) {
            let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            let (from, until) = (boundary(from), boundary(from + length));
            let span = SourceSpan::from((from, until - from));
            let source = Source::new("a.toml", text.clone());
            prop_assert_eq!(drawn(&source, span, lines), drawn(&text, span, lines));
            let before = &text[..from];
            prop_assert_eq!(source.line(from), before.matches('\n').count() + 1);
        }
    }

    /// Counted in bytes that are looked at: the same for each fault, however long its file is.
    #[test]
    fn a_fault_costs_as_much_at_the_end_of_a_long_file_as_in_a_short_one() {
        let line = "above = \"180 %\"\n";
        for faults in [10, 10_000] {
            let source = Source::new("a.toml", line.repeat(faults));
            let spans = (0..faults).map(|at| SourceSpan::from((at * line.len() + 8, 7)));
            let mut looked_at = spans.map(|span| source.window(&span, 1, 1).unwrap().text.len());
            // Its own line, one that is drawn on either side, and one more on either side.
            assert!(looked_at.all(|it| it <= 5 * line.len()), "{faults}");
        }
    }
}
