//! Reading a TOML file key by key: every fault is noted at its place and reading goes on, so that all come at once.
//!
//! A derived deserialiser stops at the first fault; that is why the document is walked by hand.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    fault::{Fault, Wrong, nearest},
    secret,
    source::Source,
};

/// A file and what was found wrong with it so far.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) source: Source,
    pub(super) faults: Vec<Fault>,
}

/// A key that was written, with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry<'t> {
    pub(super) path: String,
    pub(super) value: &'t Spanned<DeValue<'t>>,
}

impl Entry<'_> {
    /// Whether a text stands here, and nothing that is made of several.
    pub(super) fn is_text(&self) -> bool {
        self.value.get_ref().as_str().is_some()
    }
}

/// A table, and which of its keys were asked for.
#[derive(Debug)]
pub(super) struct Section<'t> {
    table: &'t DeTable<'t>,
    path: String,
    /// Where to point when something is missing here.
    pub(super) span: Range<usize>,
    known: Vec<&'static str>,
}

impl<'t> Entry<'t> {
    pub(super) fn span(&self) -> Range<usize> {
        self.value.span()
    }
}

impl<'t> Section<'t> {
    pub(super) fn root(table: &'t Spanned<DeTable<'t>>) -> Self {
        Self {
            table: table.get_ref(),
            path: String::new(),
            span: 0..0,
            known: Vec::new(),
        }
    }

    /// The value of this key; from now on the key is known here.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Entry<'t>> {
        self.known.push(key);
        let value = self.table.get(key)?;
        Some(Entry {
            path: self.path_of(key),
            value,
        })
    }

    /// All keys, for tables whose keys are names that the operator chose.
    pub(super) fn names(self) -> Vec<(String, Range<usize>, Entry<'t>)> {
        let entries = self.table.iter().map(|(key, value)| {
            let name = key.get_ref().to_string();
            let path = self.path_of(&name);
            (name, key.span(), Entry { path, value })
        });
        entries.collect()
    }

    /// Whether this key is written here.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The keys that are written here, sorted.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.table.keys().map(|key| key.get_ref().as_ref())
    }

    /// Ends the reading of this table: every key that nobody asked for is a fault.
    pub(super) fn finish(self, sheet: &mut Sheet) {
        for key in self.table.keys() {
            let written: &str = key.get_ref();
            if self.known.contains(&written) {
                continue;
            }
            let here = if self.path.is_empty() {
                "at the top level".to_owned()
            } else {
                format!("in [{}]", self.path)
            };
            let keys = self.known.join(", ");
            let help = match nearest(written, self.known.iter().copied()) {
                Some(name) => format!("did you mean `{name}`? known {here}: {keys}"),
                None => format!("known {here}: {keys}"),
            };
            let wrong = Wrong::new(format!("unknown key {here}"), "no such key", help);
            sheet.fault(key.span(), &self.path_of(written), wrong);
        }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

impl Sheet {
    pub(super) fn new(name: &str, text: &str) -> Self {
        Self {
            source: Source::new(name, without_secrets(text)),
            faults: Vec::new(),
        }
    }

    /// Notes a fault of this key.
    pub(super) fn fault(&mut self, span: Range<usize>, path: &str, wrong: Wrong) {
        let mut fault = Fault::at(&self.source, span, wrong);
        if !path.is_empty() {
            fault = fault.of_key(path);
        }
        self.faults.push(fault);
    }

    /// A fault of no place, at this one.
    pub(super) fn placed(&self, fault: Fault, span: &Range<usize>, path: &str) -> Fault {
        fault.placed(&self.source, span, path)
    }

    /// Notes what is wrong with the value of this entry.
    pub(super) fn wrong(&mut self, entry: &Entry<'_>, wrong: Wrong) {
        self.fault(entry.span(), &entry.path, wrong);
    }

    /// Notes every violation of TOML itself.
    pub(super) fn syntax(&mut self, errors: Vec<toml::de::Error>) {
        for error in errors {
            let wrong = Wrong::new(
                format!("this is not TOML: {}", error.message().replace('\n', ", ")),
                "here",
                "texts stand in quotes, tables in [brackets]; see https://toml.io",
            );
            let span = error.span().unwrap_or(0..0);
            self.fault(span, "", wrong);
        }
    }

    /// A missing key is a fault of its table.
    pub(super) fn require<T>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        example: &str,
        value: Option<T>,
    ) -> Option<T> {
        let is_written = section.has(key);
        if value.is_none() && !is_written {
            let wrong = Wrong::new(
                format!("`{key}` is missing"),
                "in this table",
                format!("add `{key} = {example}`"),
            );
            self.fault(section.span.clone(), &section.path_of(key), wrong);
        }
        value
    }

    pub(super) fn table<'t>(&mut self, entry: &Entry<'t>) -> Option<Section<'t>> {
        let Some(table) = entry.value.get_ref().as_table() else {
            self.wrong_type(entry, "a table", &format!("write it as [{}]", entry.path));
            return None;
        };
        Some(Section {
            table,
            path: entry.path.clone(),
            span: entry.span(),
            known: Vec::new(),
        })
    }

    /// An array of tables, `[[like]]` this.
    pub(super) fn tables<'t>(&mut self, entry: &Entry<'t>) -> Vec<Section<'t>> {
        let help = format!("write each as [[{}]]", entry.path);
        let Some(items) = entry.value.get_ref().as_array() else {
            self.wrong_type(entry, "a list of tables", &help);
            return Vec::new();
        };
        let entries = items.iter().enumerate().map(|(index, value)| Entry {
            path: format!("{}[{index}]", entry.path),
            value,
        });
        entries.filter_map(|entry| self.table(&entry)).collect()
    }

    pub(super) fn text<'t>(&mut self, entry: &Entry<'t>) -> Option<&'t str> {
        let text = entry.value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(
                entry,
                "text",
                "write it in quotes, with its unit if it has one",
            );
        }
        text
    }

    /// Text that a function checks.
    pub(super) fn parsed<T>(
        &mut self,
        entry: &Entry<'_>,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        match parse(self.text(entry)?) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.wrong(entry, wrong);
                None
            }
        }
    }

    /// A list of texts, each of which a function checks.
    pub(super) fn list<T>(
        &mut self,
        entry: &Entry<'_>,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Vec<T> {
        let Some(items) = entry.value.get_ref().as_array() else {
            self.wrong_type(
                entry,
                "a list of texts",
                "write it in brackets: [\"…\", \"…\"]",
            );
            return Vec::new();
        };
        let entries = items.iter().enumerate().map(|(index, value)| Entry {
            path: format!("{}[{index}]", entry.path),
            value,
        });
        entries
            .filter_map(|entry| self.parsed(&entry, &parse))
            .collect()
    }

    /// One of some names.
    pub(super) fn choice<T: Copy>(
        &mut self,
        entry: &Entry<'_>,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        self.parsed(entry, |text| one_of(text, choices))
    }

    pub(super) fn flag(&mut self, entry: &Entry<'_>) -> Option<bool> {
        let flag = entry.value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(entry, "true or false", "write it without quotes");
        }
        flag
    }

    /// A whole number within a range.
    pub(super) fn whole(&mut self, entry: &Entry<'_>, range: Range<u32>) -> Option<u32> {
        let number = entry.value.get_ref().as_integer();
        let parsed = number.and_then(|number| {
            let digits = number.as_str().replace('_', "");
            u32::from_str_radix(&digits, number.radix()).ok()
        });
        match (number, parsed) {
            (None, _) => {
                self.wrong_type(entry, "a whole number", "write it without quotes");
                None
            }
            (Some(_), Some(value)) if range.contains(&value) => Some(value),
            (Some(_), _) => {
                let (least, most) = (range.start, range.end.saturating_sub(1));
                let wrong = Wrong::new(
                    format!("must be a whole number from {least} to {most}"),
                    "out of range",
                    format!("write a number from {least} to {most}"),
                );
                self.wrong(entry, wrong);
                None
            }
        }
    }

    /// A number above or at `least`; NaN and infinities are refused.
    pub(super) fn number(&mut self, entry: &Entry<'_>, least: f64) -> Option<f64> {
        let written = match entry.value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str()),
            DeValue::Float(number) => Some(number.as_str()),
            DeValue::Integer(_)
            | DeValue::String(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        let Some(written) = written else {
            self.wrong_type(entry, "a number", "write it without quotes");
            return None;
        };
        let number = written.replace('_', "").parse::<f64>().ok();
        let number = number.filter(|number| (least..f64::INFINITY).contains(number));
        if number.is_none() {
            let wrong = Wrong::new(
                format!("must be a number of at least {least}"),
                "out of range",
                format!("write a number of at least {least}"),
            );
            self.wrong(entry, wrong);
        }
        number
    }

    fn wrong_type(&mut self, entry: &Entry<'_>, wanted: &str, help: &str) {
        let found = match entry.value.get_ref() {
            DeValue::String(_) => "this is text",
            DeValue::Integer(_) | DeValue::Float(_) => "this is a number",
            DeValue::Boolean(_) => "this is true or false",
            DeValue::Datetime(_) => "this is a date",
            DeValue::Array(_) => "this is a list",
            DeValue::Table(_) => "this is a table",
        };
        self.wrong(entry, Wrong::new(format!("must be {wanted}"), found, help));
    }
}

/// The text as faults may quote it: of every URL only scheme and host are kept, whatever key it stands under, since a
/// webhook's path is its password and a report ends up in logs. Places stay right: see [`masked`].
fn without_secrets(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        let is_end = |c: char| c.is_whitespace() || c == '"' || c == '\'';
        let (url, tail) = after.split_at(after.find(is_end).unwrap_or(after.len()));
        let (host, path) = url.split_at(url.find('/').unwrap_or(url.len()));
        // What stands before an @ is a password, too.
        let (hidden, host) = host.split_at(host.find('@').unwrap_or(0));
        shown.push_str(before);
        shown.push_str("://");
        shown.push_str(&masked(hidden));
        shown.push_str(host);
        shown.push_str(&masked(path));
        rest = tail;
    }
    shown.push_str(rest);
    without_keys(shown)
}

/// What stands under the keys of secrets, or begins like one, is hidden; a reference to a credential is none.
fn without_keys(mut text: String) -> String {
    const KEYS: [&str; 3] = ["token", "secret", "routing_key"];
    const BEGINNINGS: [&str; 3] = ["xoxb-", "xoxp-", "whsec_"];
    let mut hidden: Vec<Range<usize>> = Vec::new();
    let is_end = |c: char| c == '"' || c == '\'' || c == '\n';
    let value_from = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        at..at + rest.find(is_end).unwrap_or(rest.len())
    };
    for key in KEYS {
        for (at, _) in text.match_indices(key) {
            let rest = text.get(at + key.len()..).unwrap_or_default();
            let value = rest.trim_start_matches(['"', '\'', ' ', '\t']);
            let Some(value) = value.strip_prefix('=') else {
                continue;
            };
            let value = value.trim_start_matches([' ', '\t']);
            let value = value.trim_start_matches(['"', '\'']);
            if !secret::is_reference(value) {
                hidden.push(value_from(text.len() - value.len()));
            }
        }
    }
    for beginning in BEGINNINGS {
        let places = text.match_indices(beginning);
        hidden.extend(places.map(|(at, _)| value_from(at)));
    }
    for range in hidden {
        let stars = masked(text.get(range.clone()).unwrap_or_default());
        text.replace_range(range, &stars);
    }
    text
}

/// As many characters, of as many bytes each: lines, columns and spans are those of what is hidden.
fn masked(text: &str) -> String {
    let star = |char: char| match char.len_utf8() {
        1 => '*',
        2 => '\u{b7}',
        3 => '\u{2022}',
        _ => '\u{1f784}',
    };
    text.chars().map(star).collect()
}

/// The choice of this name, or what is wrong with it.
pub(super) fn one_of<T: Copy>(text: &str, choices: &[(&'static str, T)]) -> Result<T, Wrong> {
    if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
        return Ok(*value);
    }
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let all = names
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect::<Vec<_>>()
        .join(", ");
    let help = nearest(text, names).map_or_else(
        || format!("write one of {all}"),
        |name| format!("did you mean \"{name}\"? one of {all}"),
    );
    Err(Wrong::new(
        format!("must be one of {all}"),
        "none of them",
        help,
    ))
}
