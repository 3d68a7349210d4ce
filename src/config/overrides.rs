//! Single values of a rule, changed without copying its file: `[rule.NAME]` tables, and those of `[[override]]`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    fault::{Wrong, nearest},
    learned,
    rules::{RuleBook, clear_below_above, clear_minutes, only_told, remedies, severities},
    sheet::{Entry, Section, Sheet},
    values,
};
use crate::model::{
    ids::RuleName,
    rule::{Rule, Slot, Value, lines},
};

/// Values by their key.
pub(super) type Changes = BTreeMap<&'static str, Value>;

/// Applies the tables to the rules, and says which rules are off.
pub(super) fn apply(
    sheet: &mut Sheet,
    section: Section<'_>,
    book: &mut RuleBook,
) -> BTreeSet<RuleName> {
    let mut off = BTreeSet::new();
    for (name, changes) in read_all(sheet, section, book) {
        let Some((rule, place)) = book.remove(&name) else {
            continue;
        };
        if changes.get("enabled") == Some(&Value::Enabled(false)) {
            off.insert(name.clone());
        }
        book.insert(name, (with(rule, &changes).hashed(), place));
    }
    off
}

/// The changes by rule. Rules that don't exist are faults.
pub(super) fn read_all(
    sheet: &mut Sheet,
    section: Section<'_>,
    book: &RuleBook,
) -> BTreeMap<RuleName, Changes> {
    let mut all = BTreeMap::new();
    for (name, span, entry) in section.names() {
        let key = RuleName::new(&name);
        let Some(table) = sheet.table(&entry) else {
            continue;
        };
        if let Some((rule, _)) = book.get(&key) {
            all.insert(key, read(sheet, table, rule));
            continue;
        }
        let known: Vec<String> = book.keys().map(ToString::to_string).collect();
        let help = nearest(&name, known.iter().map(String::as_str)).map_or_else(
            || format!("known rules: {}", known.join(", ")),
            |near| format!("did you mean {}?", named_like(&entry.path, near)),
        );
        let wrong = Wrong::new("no rule has this name", "unknown rule", help);
        sheet.fault(span, &entry.path, wrong);
    }
    all
}

/// `[rule.NAME]`, or `[override.rule.NAME]`, as it is to be written.
fn named_like(path: &str, name: &str) -> String {
    if path.starts_with("override") {
        format!("[override.rule.{name}]")
    } else {
        format!("[rule.{name}]")
    }
}

/// What the table changes of this rule.
fn read(sheet: &mut Sheet, mut table: Section<'_>, rule: &Rule) -> Changes {
    let before = sheet.faults.len();
    let mut changes = Changes::new();
    if let Some(entry) = table.take("enabled") {
        let enabled = sheet.flag(&entry);
        changes.extend(enabled.map(|it| ("enabled", Value::Enabled(it))));
    }
    let (mut upper, mut lower) = (None, None);
    for (key, slot) in rule.clone().slots() {
        let Some(entry) = table.take(key) else {
            continue;
        };
        changes.extend(value(sheet, &entry, &slot).map(|it| (key, it)));
        match key {
            "above" => upper = Some(entry),
            "clear" => lower = Some(entry),
            "remedy" => {
                if let Some(Value::Remedy(remedy)) = changes.get(key) {
                    only_told(sheet, &entry, rule.category, *remedy);
                }
            }
            _ => {}
        }
    }
    if before == sheet.faults.len() {
        keep_apart(sheet, with(rule.clone(), &changes), upper, lower);
    }
    table.finish(sheet);
    changes
}

/// What is written here, if it may stand in this slot.
fn value(sheet: &mut Sheet, entry: &Entry<'_>, slot: &Slot<'_>) -> Option<Value> {
    match slot {
        Slot::Severity(_) => sheet.choice(entry, &severities()).map(Value::Severity),
        Slot::Remedy(_) => sheet.choice(entry, &remedies()).map(Value::Remedy),
        Slot::Window(_) => sheet.parsed(entry, values::window).map(Value::Window),
        Slot::ClearFor(_) => {
            let minutes = sheet.parsed(entry, clear_minutes)?;
            Some(Value::Minutes(i64::from(minutes)))
        }
        Slot::Minutes(_) => sheet.parsed(entry, values::minutes).map(Value::Minutes),
        Slot::Share(_) => sheet.parsed(entry, values::share).map(Value::Share),
        Slot::Number(_, least) => sheet.number(entry, *least).map(Value::Number),
        Slot::Millis(_) => sheet.parsed(entry, values::millis).map(Value::Millis),
        Slot::Chance(_) => learned::chance(sheet, entry).map(Value::Chance),
        Slot::Climb(_) => learned::climb_of(sheet, entry).map(Value::Climb),
        Slot::Standing(_) => learned::standing(sheet, entry).map(Value::Standing),
    }
}

/// The rule with these values instead of its own.
fn with(mut rule: Rule, changes: &Changes) -> Rule {
    for (key, value) in changes {
        rule.set(key, *value); // `enabled` is none of the rule's own
    }
    rule
}

/// An alert must not end while it would begin.
fn keep_apart(
    sheet: &mut Sheet,
    mut changed: Rule,
    upper: Option<Entry<'_>>,
    lower: Option<Entry<'_>>,
) {
    let Some((above, clear)) = lines(&mut changed) else {
        return;
    };
    match (lower, upper) {
        (Some(entry), _) => {
            clear_below_above(sheet, &entry, above, clear);
        }
        (None, Some(entry)) if above < clear => {
            let wrong = Wrong::new(
                format!("is below the rule's `clear`, which is {clear}"),
                "an alert would end while use is still too high",
                "write `clear` as well, a tenth below `above`",
            );
            sheet.wrong(&entry, wrong);
        }
        (None, _) => {}
    }
}
