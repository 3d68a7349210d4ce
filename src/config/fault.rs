//! What is wrong with a configuration: all of it at once, each fault at its place.

use std::{fmt, ops::Range};

use miette::{Diagnostic, LabeledSpan, SourceCode};

use super::source::Source;

/// So many faults are drawn at their place; more are a line each.
const MOST_DRAWN: usize = 50;

/// One thing that is wrong, and what to do about it.
#[derive(Debug)]
pub struct Fault {
    message: String,
    label: String,
    help: Option<String>,
    key: Option<String>,
    file: Option<String>,
    place: Option<Place>,
    source: Option<Source>,
}

/// Where in a file.
#[derive(Clone, Debug)]
struct Place {
    span: Range<usize>,
    line: usize,
    column: usize,
}

impl Fault {
    /// A fault of no place in a file: a file that is missing, say.
    pub(super) fn nowhere(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            label: String::new(),
            help: Some(help.into()),
            key: None,
            file: None,
            place: None,
            source: None,
        }
    }

    /// As [`Fault::nowhere`], for results.
    pub(super) fn boxed(message: impl Into<String>, help: impl Into<String>) -> Box<Self> {
        Box::new(Self::nowhere(message, help))
    }

    /// A fault at this place of this file.
    pub(super) fn at(source: &Source, span: Range<usize>, wrong: Wrong) -> Self {
        let (line, column) = source.line_and_column(span.start);
        let place = Place { span, line, column };
        Self {
            message: wrong.message,
            label: wrong.label,
            help: wrong.help,
            key: None,
            file: Some(source.name.clone()),
            place: Some(place),
            source: Some(source.clone()),
        }
    }

    /// The same fault at this place, where it has none of its own.
    pub(super) fn placed(self, source: &Source, span: &Range<usize>, path: &str) -> Self {
        if self.file.is_some() {
            return self;
        }
        let wrong = Wrong {
            message: self.message,
            label: self.label,
            help: self.help,
        };
        Self::at(source, span.clone(), wrong).of_key(path)
    }

    /// Names the key path.
    pub(super) fn of_key(mut self, path: &str) -> Self {
        self.key = Some(path.to_owned());
        self
    }

    /// What is wrong, without its place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do.
    #[must_use]
    pub fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The key path, such as `account[0].regions`, where the fault has one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The file, where the fault lies in one.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// Line and column, both from 1; the column counts characters.
    #[must_use]
    pub fn line_and_column(&self) -> Option<(usize, usize)> {
        self.place.as_ref().map(|place| (place.line, place.column))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "`{key}`: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Fault {}

impl Diagnostic for Fault {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.place.as_ref()?;
        let label = (!self.label.is_empty()).then(|| self.label.clone());
        let span = LabeledSpan::new(label, place.span.start, place.span.len());
        Some(Box::new(std::iter::once(span)))
    }
}

/// Everything that is wrong with a configuration. Nothing of it took effect.
#[derive(Debug)]
pub struct ConfigError {
    /// Never empty; in the order of the files and of the lines in them.
    pub(super) faults: Vec<Fault>,
}

impl ConfigError {
    /// `None` for no faults.
    pub(super) fn of(mut faults: Vec<Fault>) -> Option<Self> {
        // Faults of one file come in the order of its lines, whatever order the checks ran in.
        faults.sort_by_key(|fault| fault.place.as_ref().map(|place| place.span.start));
        faults.sort_by(|a, b| a.file.cmp(&b.file));
        (!faults.is_empty()).then_some(Self { faults })
    }

    /// A single fault.
    pub(super) fn one(fault: Fault) -> Self {
        Self {
            faults: vec![fault],
        }
    }

    /// Each fault in one line, with its place and what to do, for a log: `config.toml:4:9: …; …`.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        Self::in_lines(&self.faults)
    }

    /// The faults that a report does not draw, as in [`Self::lines`]; empty where it draws them all.
    #[must_use]
    pub fn undrawn(&self) -> Vec<String> {
        Self::in_lines(self.faults.get(MOST_DRAWN..).unwrap_or_default())
    }

    fn in_lines(faults: &[Fault]) -> Vec<String> {
        let line = |fault: &Fault| {
            let place = fault.place.as_ref().map(|it| (it.line, it.column));
            let place = match (&fault.file, place) {
                (Some(file), Some((line, column))) => format!("{file}:{line}:{column}: "),
                (Some(file), None) => format!("{file}: "),
                (None, _) => String::new(),
            };
            let help = fault.help.as_ref().map(|help| format!("; {help}"));
            format!("{place}{fault}{}", help.unwrap_or_default())
        };
        faults.iter().map(line).collect()
    }

    /// The faults, at least one.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.faults.len() {
            1 => f.write_str("the configuration has 1 fault, nothing was changed"),
            many => write!(
                f,
                "the configuration has {many} faults, nothing was changed"
            ),
        }
    }
}

impl std::error::Error for ConfigError {}

impl Diagnostic for ConfigError {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        let drawn = self.faults.iter().take(MOST_DRAWN);
        Some(Box::new(drawn.map(|fault| fault as &dyn Diagnostic)))
    }
}

/// What is wrong with a value, before its place is known.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    pub(super) message: String,
    /// Stands under the value; may be empty.
    pub(super) label: String,
    pub(super) help: Option<String>,
}

impl Wrong {
    pub(super) fn new(
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            message: message.into(),
            label: label.into(),
            help: Some(help.into()),
        }
    }
}

/// The known name nearest to what was written, if it is near enough to be meant.
pub(super) fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let most = 1 + written.chars().count() / 4;
    let ranked = known
        .into_iter()
        .map(|name| (edit_distance(written, name), name));
    ranked
        .min()
        .filter(|(distance, _)| *distance <= most)
        .map(|(_, name)| name)
}

/// Levenshtein distance: insertions, deletions and substitutions.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, a) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        let mut next = vec![before];
        for (b, above) in right.iter().zip(row.iter().skip(1)) {
            let cost = diagonal + usize::from(a != *b);
            before = cost.min(above + 1).min(before + 1);
            diagonal = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_far_ones_are_not() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        let known = ["requests_per_day", "cases_per_day", "cases_per_hour"];
        assert_eq!(nearest("request_per_day", known), Some("requests_per_day"));
        assert_eq!(nearest("colour", known), None);
    }
}
