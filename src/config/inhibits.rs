//! `[[inhibit]]`: which incidents are not told beside which, from TOML to checked inhibitions.

use std::collections::BTreeSet;

use toml::de::DeTable;

use super::{
    fault::{Fault, Wrong, nearest},
    rules::rule_name,
    sheet::{Entry, Section, Sheet, one_of},
};
use crate::model::{
    ids::RuleName,
    inhibit::{Inhibit, Part},
    selector::{Selector, Written},
};

/// The inhibitions we ship, and their only place.
const BUILTIN: (&str, &str) = (
    "alert-rules/inhibit/parts.toml",
    include_str!("../../alert-rules/inhibit/parts.toml"),
);

/// One table: an inhibition, or the name of one that is off.
#[derive(Clone, Debug)]
pub(super) enum Given {
    On(Box<Inhibit>),
    Off(String),
}

impl Given {
    fn name(&self) -> &str {
        match self {
            Self::On(inhibit) => &inhibit.name,
            Self::Off(name) => name,
        }
    }
}

/// The compiled-in inhibitions.
pub(super) fn builtin() -> (Vec<Inhibit>, Vec<Fault>) {
    let (name, text) = BUILTIN;
    let mut sheet = Sheet::new(name, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        sheet.syntax(errors);
        return (Vec::new(), sheet.faults);
    }
    let mut root = Section::root(&table);
    let given = root.take("inhibit");
    let given = given.map_or_else(Vec::new, |it| read_all(&mut sheet, &it, None, &[]));
    root.finish(&mut sheet);
    (over(Vec::new(), given), sheet.faults)
}

/// What is shipped, with what the file says: a table of the same name replaces one, or switches it off.
pub(super) fn over(mut shipped: Vec<Inhibit>, given: Vec<Given>) -> Vec<Inhibit> {
    for one in given {
        shipped.retain(|it| it.name != one.name());
        if let Given::On(inhibit) = one {
            shipped.push(*inhibit);
        }
    }
    shipped
}

/// All `[[inhibit]]` tables, in the order of the file. Rules are checked where they are known.
pub(super) fn read_all(
    sheet: &mut Sheet,
    entry: &Entry<'_>,
    book: Option<&BTreeSet<RuleName>>,
    shipped: &[Inhibit],
) -> Vec<Given> {
    let mut names = BTreeSet::new();
    let sections = sheet.tables(entry);
    let read = sections
        .into_iter()
        .filter_map(|section| read(sheet, section, book, shipped, &mut names));
    read.collect()
}

fn read(
    sheet: &mut Sheet,
    mut section: Section<'_>,
    book: Option<&BTreeSet<RuleName>>,
    shipped: &[Inhibit],
    names: &mut BTreeSet<String>,
) -> Option<Given> {
    let entry = section.take("name");
    let name = entry.as_ref().and_then(|it| sheet.parsed(it, rule_name));
    let name = sheet.require(&section, "name", "\"errors-beside-refusals\"", name)?;
    if let Some(entry) = &entry
        && !names.insert(name.to_string())
    {
        let wrong = Wrong::new(
            format!("an inhibition named \"{name}\" exists already"),
            "the second of this name",
            "give it another name: messages and `explain` tell by it why nobody was told",
        );
        sheet.wrong(entry, wrong);
    }
    let enabled = section.take("enabled");
    let is_off = enabled.is_some_and(|it| sheet.flag(&it) == Some(false));
    if is_off {
        let is_known = shipped.iter().any(|it| it.name == name.as_str());
        if let Some(entry) = entry.filter(|_| !is_known) {
            let all: Vec<&str> = shipped.iter().map(|it| it.name.as_str()).collect();
            let wrong = Wrong::new(
                "switches off an inhibition that is not shipped",
                "no such inhibition",
                format!("one of {}, or leave the table out", all.join(", ")),
            );
            sheet.wrong(&entry, wrong);
        }
        section.finish(sheet);
        return Some(Given::Off(name.to_string()));
    }
    let source = side(sheet, &mut section, "source", book);
    let target = side(sheet, &mut section, "target", book);
    let parts = Part::ALL.map(|it| (it.name(), it));
    let equal = section.take("equal");
    let equal = equal.map(|it| sheet.list(&it, |text| one_of(text, &parts)));
    let equal = sheet.require(&section, "equal", "[\"pool\"]", equal);
    section.finish(sheet);
    Some(Given::On(Box::new(Inhibit {
        name: name.to_string(),
        source: source?,
        target: target?,
        equal: equal?,
    })))
}

/// `source` or `target`: at least one list.
fn side(
    sheet: &mut Sheet,
    section: &mut Section<'_>,
    key: &'static str,
    book: Option<&BTreeSet<RuleName>>,
) -> Option<Selector> {
    let entry = section.take(key);
    let example = "{ categories = [\"throttle\"] }";
    let entry = sheet.require(section, key, example, entry)?;
    let mut table = sheet.table(&entry)?;
    let before = sheet.faults.len();
    let mut list = |key: &'static str, make: fn(String) -> Written| {
        let entry = table.take(key);
        entry.map_or_else(Vec::new, |entry| {
            sheet.list(&entry, |text| checked(text, make, book))
        })
    };
    let written = Written {
        rules: list("rules", |it| Written {
            rules: vec![it],
            ..Written::default()
        }),
        categories: list("categories", |it| Written {
            categories: vec![it],
            ..Written::default()
        }),
        accounts: list("accounts", |it| Written {
            accounts: vec![it],
            ..Written::default()
        }),
        regions: list("regions", |it| Written {
            regions: vec![it],
            ..Written::default()
        }),
        families: list("families", |it| Written {
            families: vec![it],
            ..Written::default()
        }),
        models: list("models", |it| Written {
            models: vec![it],
            ..Written::default()
        }),
        pools: list("pools", |it| Written {
            pools: vec![it],
            ..Written::default()
        }),
    };
    table.finish(sheet);
    let selector = match Selector::read(&written) {
        Ok(selector) => selector,
        Err(why) => {
            sheet.wrong(&entry, Wrong::new(why, "here", "shorten the list"));
            return None;
        }
    };
    if selector.is_open() && before == sheet.faults.len() {
        let wrong = Wrong::new(
            "says nothing of the incidents it is for",
            "would fit all of them",
            format!("such as {key} = {example}"),
        );
        sheet.wrong(&entry, wrong);
    }
    Some(selector)
}

/// One entry of one list, as it was written.
fn checked(
    text: &str,
    make: fn(String) -> Written,
    book: Option<&BTreeSet<RuleName>>,
) -> Result<String, Wrong> {
    let alone = make(text.to_owned());
    let selector = Selector::read(&alone);
    let selector = selector
        .map_err(|why| Wrong::new(why, "not one of them", "docs/incidents.md has examples"))?;
    let is_rule = !alone.rules.is_empty() && selector.rules.iter().all(|it| it.is_exact());
    if let Some(book) = book.filter(|book| is_rule && !book.contains(&RuleName::new(text))) {
        let known: Vec<&str> = book.iter().map(RuleName::as_str).collect();
        let help = nearest(text, known.iter().copied()).map_or_else(
            || format!("known rules: {}", known.join(", ")),
            |near| format!("did you mean \"{near}\"?"),
        );
        return Err(Wrong::new("no rule has this name", "unknown rule", help));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
