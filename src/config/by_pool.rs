//! `[[override]]`: values of rules that differ for some accounts, Regions, families or models.

use std::{collections::BTreeSet, ops::Range};

use super::{
    fault::Wrong,
    overrides,
    rules::{RuleBook, rule_name},
    sheet::{Entry, Section, Sheet, one_of},
    tags, values,
};
use crate::model::{
    catalog::Family,
    ids::AccountId,
    policy::Account,
    rule::{Matcher, Override, Pattern, Rules},
    tags::Wanted,
};

/// What an override is checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    pub(super) accounts: &'a [Account],
    pub(super) book: &'a RuleBook,
}

/// An override, and where it is written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) given: Override,
    span: Range<usize>,
    path: String,
}

/// All overrides, in the order of the file.
pub(super) fn read_all(sheet: &mut Sheet, entry: &Entry<'_>, around: Around<'_>) -> Vec<Written> {
    let mut names = BTreeSet::new();
    let sections = sheet.tables(entry).into_iter().enumerate();
    let read = sections.filter_map(|(index, section)| {
        let path = format!("{}[{index}]", entry.path);
        read(sheet, section, path, around, &mut names)
    });
    read.collect()
}

fn read(
    sheet: &mut Sheet,
    mut section: Section<'_>,
    path: String,
    around: Around<'_>,
    names: &mut BTreeSet<String>,
) -> Option<Written> {
    let span = section.span.clone();
    let entry = section.take("name");
    let name = entry.as_ref().and_then(|it| sheet.parsed(it, rule_name));
    let name = sheet.require(&section, "name", "\"batch-accounts\"", name);
    if let (Some(entry), Some(name)) = (&entry, &name)
        && !names.insert(name.to_string())
    {
        let wrong = Wrong::new(
            format!("an override named \"{name}\" exists already"),
            "the second of this name",
            "give it another name: `explain` tells by it where a value is from",
        );
        sheet.wrong(entry, wrong);
    }
    let before = sheet.faults.len();
    let matcher = matcher(sheet, &mut section, around.accounts);
    let tags = tags::read(sheet, &mut section);
    let is_of_all = matcher == Matcher::default() && tags == Some(Wanted::default());
    if is_of_all && before == sheet.faults.len() {
        let wrong = Wrong::new(
            "it says nothing of the pools it is for",
            "in this override",
            "name some by `accounts`, `regions`, `families`, `models` or `tags`; what holds for all pools stands in [rule.NAME]",
        );
        sheet.fault(span.clone(), &path, wrong);
    }
    let rules = section.take("rule").and_then(|it| sheet.table(&it));
    let changes = rules.map(|table| overrides::read_all(sheet, table, around.book));
    if changes.as_ref().is_none_or(|it| it.is_empty()) && before == sheet.faults.len() {
        let wrong = Wrong::new(
            "it changes no rule",
            "in this override",
            "write below it what changes, such as [override.rule.tpm-share-warning] and above = \"90 %\"",
        );
        sheet.fault(span.clone(), &path, wrong);
    }
    section.finish(sheet);
    let line = sheet.source.line(span.start);
    let given = Override {
        name: name?.to_string(),
        place: format!("{}:{line}", sheet.source.name),
        matcher,
        tags: tags?,
        changes: changes?,
    };
    Some(Written { given, span, path })
}

/// Which pools are meant, by the four keys that name them.
pub(super) fn matcher(
    sheet: &mut Sheet,
    section: &mut Section<'_>,
    accounts: &[Account],
) -> Matcher {
    let families = Family::ALL.map(|it| (it.name(), it));
    Matcher {
        accounts: list(sheet, section, "accounts", |it| account_of(it, accounts)),
        regions: list(sheet, section, "regions", region),
        families: list(sheet, section, "families", |it| one_of(it, &families)),
        models: list(sheet, section, "models", model),
    }
}

/// An account that is watched.
pub(super) fn account_of(text: &str, accounts: &[Account]) -> Result<AccountId, Wrong> {
    is_watched(values::account(text)?, accounts)
}

/// An empty list would fit every pool, where it looks like none.
pub(super) fn list<T>(
    sheet: &mut Sheet,
    section: &mut Section<'_>,
    key: &'static str,
    parse: impl Fn(&str) -> Result<T, Wrong>,
) -> Vec<T> {
    let Some(entry) = section.take(key) else {
        return Vec::new();
    };
    let before = sheet.faults.len();
    let list = sheet.list(&entry, parse);
    if list.is_empty() && before == sheet.faults.len() {
        let wrong = Wrong::new(
            "must have at least one entry",
            "empty",
            "leave the key out where all are meant",
        );
        sheet.wrong(&entry, wrong);
    }
    list
}

/// With accounts in the file, another one is a misspelt one.
fn is_watched(id: AccountId, accounts: &[Account]) -> Result<AccountId, Wrong> {
    if accounts.is_empty() || accounts.iter().any(|it| it.id == id) {
        return Ok(id);
    }
    let known: Vec<&str> = accounts.iter().map(|it| it.id.as_str()).collect();
    Err(Wrong::new(
        "must be an account that is watched",
        "no [[account]] has this id",
        format!("one of {}", known.join(", ")),
    ))
}

pub(super) fn region(text: &str) -> Result<Pattern, Wrong> {
    if !text.contains('*') {
        return values::region(text).map(|it| Pattern::new(it.as_str()));
    }
    let is_fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'*';
    if text.bytes().all(is_fine) {
        return Ok(Pattern::new(text));
    }
    Err(Wrong::new(
        "must be an AWS Region, or a pattern of such",
        "no Region has these characters",
        "such as \"eu-central-1\" or \"eu-*\"",
    ))
}

pub(super) fn model(text: &str) -> Result<Pattern, Wrong> {
    let is_fine = |b: u8| b.is_ascii_graphic() && !b.is_ascii_uppercase() && b != b'/';
    if !text.is_empty() && text.bytes().all(is_fine) {
        return Ok(Pattern::new(text));
    }
    Err(Wrong::new(
        "must be the id of a base model, or a pattern of such",
        "no model has these characters",
        "such as \"anthropic.claude-sonnet-4-6\" or \"anthropic.*\": the last part of a pool's name",
    ))
}

/// Faults between overrides: two that fit equally narrowly and give one value, and lines that cross where both fit.
pub(super) fn check(sheet: &mut Sheet, written: &[Written], rules: &Rules) {
    for (index, later) in written.iter().enumerate() {
        for earlier in written.iter().take(index) {
            tie(sheet, &earlier.given, later);
        }
    }
    let of = |given: &Override| written.iter().find(|it| it.given == *given);
    for (rule, wide, narrow) in rules.crossed() {
        let Some(Written { span, path, .. }) = of(narrow) else {
            continue;
        };
        let wrong = Wrong::new(
            format!(
                "together with override \"{}\" it puts `clear` of {rule} above its `above`",
                wide.name
            ),
            "an alert would end while use is still too high",
            "write both, `above` and `clear`, in this override",
        );
        sheet.fault(span.clone(), path, wrong);
    }
}

/// Two rules that ask the same of a pool.
pub(super) fn keep_single(sheet: &mut Sheet, written: &[Written], rules: &Rules) {
    for (first, second, by) in rules.doubled() {
        let at = by.and_then(|by| written.iter().find(|it| it.given == *by));
        let what = match by {
            None => String::new(),
            Some(by) => format!(" where override \"{}\" fits", by.name),
        };
        let wrong = Wrong::new(
            format!("\"{first}\" and \"{second}\" look for the same trouble{what}"),
            "which one holds?",
            format!(
                "switch one off, such as by [rule.{first}] and `enabled = false`: a pool has one detector of each trouble, and one forecast of each quota"
            ),
        );
        match at {
            Some(Written { span, path, .. }) => sheet.fault(span.clone(), path, wrong),
            None => sheet.fault(0..0, "rule", wrong),
        }
    }
}

fn tie(sheet: &mut Sheet, earlier: &Override, later: &Written) {
    if !earlier.ties(&later.given) {
        return;
    }
    for (rule, changes) in &later.given.changes {
        let Some(others) = earlier.changes.get(rule) else {
            continue;
        };
        let both = changes.keys().filter(|key| others.contains_key(*key));
        for key in both {
            let wrong = Wrong::new(
                format!(
                    "gives `{key}` of {rule}, and so does override \"{}\" ({}), and both fit some pools equally well",
                    earlier.name, earlier.place
                ),
                "which one holds?",
                "make one of them narrower: tags before model before family before Region before account, whole names before patterns",
            );
            let path = format!("{}.rule.{rule}.{key}", later.path);
            sheet.fault(later.span.clone(), &path, wrong);
        }
    }
}

#[cfg(test)]
mod tests;
