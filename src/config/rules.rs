//! Rule files: from TOML to checked rules. Overrides of single values are in `overrides`.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::{
    fault::{Fault, Wrong},
    learned,
    sheet::{Entry, Section, Sheet},
    values,
};
use crate::model::{
    ids::RuleName,
    rule::{Category, Condition, Remedy, Rule, Severity, Window},
    series::Signal,
    units::{QuotaKind, Share},
};

/// The rules we ship. They are the only place with default thresholds.
pub(super) const BUILTIN: &[(&str, &str)] = &[
    (
        "alert-rules/client-errors.toml",
        include_str!("../../alert-rules/client-errors.toml"),
    ),
    (
        "alert-rules/latency.toml",
        include_str!("../../alert-rules/latency.toml"),
    ),
    (
        "alert-rules/lifecycle.toml",
        include_str!("../../alert-rules/lifecycle.toml"),
    ),
    (
        "alert-rules/mantle-share.toml",
        include_str!("../../alert-rules/mantle-share.toml"),
    ),
    (
        "alert-rules/quota-forecast.toml",
        include_str!("../../alert-rules/quota-forecast.toml"),
    ),
    (
        "alert-rules/rpm-share.toml",
        include_str!("../../alert-rules/rpm-share.toml"),
    ),
    (
        "alert-rules/server-errors.toml",
        include_str!("../../alert-rules/server-errors.toml"),
    ),
    (
        "alert-rules/throttles.toml",
        include_str!("../../alert-rules/throttles.toml"),
    ),
    (
        "alert-rules/tpd.toml",
        include_str!("../../alert-rules/tpd.toml"),
    ),
    (
        "alert-rules/cross-model-tpd.toml",
        include_str!("../../alert-rules/cross-model-tpd.toml"),
    ),
    (
        "alert-rules/tpm-share.toml",
        include_str!("../../alert-rules/tpm-share.toml"),
    ),
    (
        "alert-rules/traffic.toml",
        include_str!("../../alert-rules/traffic.toml"),
    ),
];

/// Rules by name, and where each was written.
pub(super) type RuleBook = BTreeMap<RuleName, (Rule, String)>;

/// Reads one rule file into the book. What is wrong with it is returned, and the good rules are taken all the same, so
/// that a second file's faults are found in the same run.
pub(super) fn read(name: &str, text: &str, book: &mut RuleBook) -> Vec<Fault> {
    let mut sheet = Sheet::new(name, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        sheet.syntax(errors);
        return sheet.faults;
    }
    let mut root = Section::root(&table);
    match root.take("rule") {
        None => {
            let wrong = Wrong::new(
                "there is no rule in this file",
                "",
                "write each rule as [[rule]]; see docs/rules.md",
            );
            sheet.fault(0..0, "rule", wrong);
        }
        Some(entry) => {
            for section in sheet.tables(&entry) {
                read_rule(&mut sheet, section, book);
            }
        }
    }
    root.finish(&mut sheet);
    sheet.faults
}

fn read_rule(sheet: &mut Sheet, mut section: Section<'_>, book: &mut RuleBook) {
    let before = sheet.faults.len();
    let name = section.take("name");
    let parsed = name.as_ref().and_then(|name| sheet.parsed(name, rule_name));
    let parsed = sheet.require(&section, "name", "\"tpm-share\"", parsed);
    let category = section
        .take("category")
        .and_then(|it| sheet.choice(&it, &categories()));
    let category = sheet.require(&section, "category", "\"quota\"", category);
    let severity = section
        .take("severity")
        .and_then(|it| sheet.choice(&it, &severities()));
    let severity = sheet.require(&section, "severity", "\"warning\"", severity);
    let written = section.take("remedy");
    let remedy = written
        .as_ref()
        .and_then(|it| sheet.choice(it, &remedies()));
    let remedy = sheet.require(&section, "remedy", "\"notify\"", remedy);
    if let (Some(entry), Some(category), Some(remedy)) = (&written, category, remedy) {
        only_told(sheet, entry, category, remedy);
    }
    let runbook = section
        .take("runbook")
        .and_then(|it| sheet.parsed(&it, one_line));
    let runbook = sheet.require(&section, "runbook", "\"…\"", runbook);
    let condition = read_condition(sheet, &mut section);
    let (window, clear) = read_patience(sheet, &mut section, condition.as_ref());
    section.finish(sheet);
    let (Some(name), Some(entry)) = (parsed, name) else {
        return;
    };
    if let Some((_, place)) = book.get(&name) {
        let wrong = Wrong::new(
            format!("a rule named \"{name}\" exists already, in {place}"),
            "the second of this name",
            "give it another name; to change a shipped rule, use [rule.NAME] in the configuration",
        );
        return sheet.wrong(&entry, wrong);
    }
    let (Some(category), Some(severity), Some(remedy)) = (category, severity, remedy) else {
        return;
    };
    let (Some(window), Some(clear_minutes), Some(runbook)) = (window, clear, runbook) else {
        return;
    };
    let Some(condition) = condition else { return };
    if before < sheet.faults.len() {
        return;
    }
    let rule = Rule {
        name: name.clone(),
        category,
        severity,
        remedy,
        condition,
        window,
        clear_minutes,
        runbook,
        hash: String::new(),
    };
    book.insert(name, (rule.hashed(), sheet.source.name.clone()));
}

/// How many bad minutes it takes, and how many good ones to end. What is judged by the pool's own past has its own
/// idea of the first, and detectors of the second as well.
fn read_patience(
    sheet: &mut Sheet,
    section: &mut Section<'_>,
    condition: Option<&Condition>,
) -> (Option<Window>, Option<u8>) {
    let (has_window, has_clear) = match condition {
        Some(Condition::Unusual(_)) => (false, false),
        Some(Condition::RunsOut { .. }) => (false, true),
        Some(_) | None => (true, true),
    };
    let window = if has_window {
        let written = section.take("window");
        let window = written.and_then(|it| sheet.parsed(&it, values::window));
        sheet.require(section, "window", "\"3 of 5\"", window)
    } else {
        Window::new(1, 1)
    };
    let clear = if has_clear {
        let written = section.take("clear_for");
        let clear = written.and_then(|it| sheet.parsed(&it, clear_minutes));
        sheet.require(section, "clear_for", "\"5m\"", clear)
    } else {
        Some(0)
    };
    (window, clear)
}

const CONDITIONS: &str = "quota_share, count, slow, unusual, runs_out or ends";

fn read_condition(sheet: &mut Sheet, section: &mut Section<'_>) -> Option<Condition> {
    let written: Vec<(Shape, Entry<'_>)> = [
        ("quota_share", Shape::QuotaShare),
        ("count", Shape::Count),
        ("slow", Shape::Slow),
        ("unusual", Shape::Unusual),
        ("runs_out", Shape::RunsOut),
        ("ends", Shape::Ends),
    ]
    .into_iter()
    .filter_map(|(key, shape)| Some((shape, section.take(key)?)))
    .collect();
    let mut written = written.into_iter();
    let Some((shape, entry)) = written.next() else {
        let wrong = Wrong::new(
            "the rule has no condition",
            "in this rule",
            format!("add one of {CONDITIONS}; see docs/rules.md"),
        );
        sheet.fault(section.span.clone(), "rule", wrong);
        return None;
    };
    for (_, second) in written {
        let wrong = Wrong::new(
            "a rule has one condition only",
            "the second condition",
            format!("write two rules, each with one of {CONDITIONS}"),
        );
        sheet.wrong(&second, wrong);
    }
    let table = sheet.table(&entry)?;
    match shape {
        Shape::QuotaShare => quota_share(sheet, table),
        Shape::Count => count(sheet, table),
        Shape::Slow => slow(sheet, table),
        Shape::Unusual => learned::unusual(sheet, table).map(Condition::Unusual),
        Shape::RunsOut => learned::runs_out(sheet, table),
        Shape::Ends => ends(sheet, table),
    }
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    QuotaShare,
    Count,
    Slow,
    Unusual,
    RunsOut,
    Ends,
}

fn quota_share(sheet: &mut Sheet, mut table: Section<'_>) -> Option<Condition> {
    let kinds = QuotaKind::ALL.map(|kind| (kind.name(), kind));
    let kind = table.take("kind").and_then(|it| sheet.choice(&it, &kinds));
    let kind = sheet.require(&table, "kind", "\"tpm\"", kind);
    let above = table
        .take("above")
        .and_then(|it| sheet.parsed(&it, values::share));
    let above = sheet.require(&table, "above", "\"80 %\"", above);
    let written = table.take("clear");
    let clear = written
        .as_ref()
        .and_then(|it| sheet.parsed(it, values::share));
    let clear = sheet.require(&table, "clear", "\"70 %\"", clear);
    table.finish(sheet);
    let (above, clear) = (above?, clear?);
    clear_below_above(sheet, &written?, above, clear)?;
    Some(Condition::QuotaShare {
        kind: kind?,
        above,
        clear,
    })
}

pub(super) fn clear_below_above(
    sheet: &mut Sheet,
    entry: &Entry<'_>,
    above: Share,
    clear: Share,
) -> Option<()> {
    if clear <= above {
        return Some(());
    }
    let wrong = Wrong::new(
        format!("must be at most `above`, which is {above}"),
        "an alert would end while use is still too high",
        "a tenth below `above` keeps an alert from coming and going",
    );
    sheet.wrong(entry, wrong);
    None
}

fn count(sheet: &mut Sheet, mut table: Section<'_>) -> Option<Condition> {
    let counts: Vec<_> = signals(Signal::is_count);
    let of = table.take("of").and_then(|it| sheet.choice(&it, &counts));
    let of = sheet.require(&table, "of", "\"throttles\"", of);
    let at_least = table.take("at_least").and_then(|it| sheet.number(&it, 1.0));
    let at_least = sheet.require(&table, "at_least", "5", at_least);
    let share = table
        .take("share")
        .and_then(|it| sheet.parsed(&it, values::share));
    let share = sheet.require(&table, "share", "\"1 %\"", share);
    let min_demand = table
        .take("min_demand")
        .and_then(|it| sheet.number(&it, 0.0));
    let min_demand = sheet.require(&table, "min_demand", "20", min_demand);
    table.finish(sheet);
    Some(Condition::Count {
        of: of?,
        at_least: at_least?,
        share: share?,
        min_demand: min_demand?,
    })
}

fn slow(sheet: &mut Sheet, mut table: Section<'_>) -> Option<Condition> {
    let millis = table
        .take("above")
        .and_then(|it| sheet.parsed(&it, values::millis));
    let millis = sheet.require(&table, "above", "\"30 s\"", millis);
    let min_demand = table
        .take("min_demand")
        .and_then(|it| sheet.number(&it, 0.0));
    let min_demand = sheet.require(&table, "min_demand", "5", min_demand);
    table.finish(sheet);
    Some(Condition::Slow {
        millis: millis?,
        min_demand: min_demand?,
    })
}

fn ends(sheet: &mut Sheet, mut table: Section<'_>) -> Option<Condition> {
    let within = table
        .take("within")
        .and_then(|it| sheet.parsed(&it, values::minutes));
    let within = sheet.require(&table, "within", "\"30d\"", within);
    table.finish(sheet);
    Some(Condition::Ends { within: within? })
}

pub(super) fn rule_name(text: &str) -> Result<RuleName, Wrong> {
    let is_fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=60).contains(&text.len()) && text.bytes().all(is_fine) {
        return Ok(RuleName::new(text));
    }
    Err(Wrong::new(
        "must be 1 to 60 lower-case letters, digits and dashes",
        "not a name",
        "such as \"tpm-share-warning\"",
    ))
}

fn one_line(text: &str) -> Result<String, Wrong> {
    if !text.trim().is_empty() && !text.contains('\n') && text.chars().count() <= 400 {
        return Ok(text.trim().to_owned());
    }
    Err(Wrong::new(
        "must be one line of 1 to 400 characters",
        "empty, too long, or several lines",
        "say what this usually means and what to look at first",
    ))
}

pub(super) fn clear_minutes(text: &str) -> Result<u8, Wrong> {
    let minutes = values::minutes(text)?;
    u8::try_from(minutes)
        .ok()
        .filter(|minutes| *minutes <= 60)
        .ok_or_else(|| Wrong::new("must be at most 60 minutes", "too long", "\"5m\" is usual"))
}

fn signals(want: impl Fn(Signal) -> bool) -> Vec<(&'static str, Signal)> {
    let wanted = Signal::ALL.into_iter().filter(|signal| want(*signal));
    wanted.map(|signal| (signal.name(), signal)).collect()
}

/// Of rule files: where data may go is said by `[[residency]]`.
pub(super) fn categories() -> Vec<(&'static str, Category)> {
    let all = Category::ALL.into_iter();
    let is_of_residency =
        |it: &Category| matches!(it, Category::Residency | Category::ResidencyBreach);
    all.filter(|it| !is_of_residency(it))
        .map(|it| (it.name(), it))
        .collect()
}

pub(super) fn severities() -> [(&'static str, Severity); 3] {
    Severity::ALL.map(|it| (it.name(), it))
}

/// What is merely unusual, or announced, is no reason to ask AWS for anything.
pub(super) const fn is_only_told(category: Category) -> bool {
    matches!(category, Category::Anomaly | Category::Lifecycle)
}

pub(super) fn only_told(sheet: &mut Sheet, entry: &Entry<'_>, category: Category, remedy: Remedy) {
    if is_only_told(category) && Remedy::Notify < remedy {
        let wrong = Wrong::new(
            format!(
                "asks AWS for something, which a rule of category \"{}\" never does",
                category.name()
            ),
            "people are told, nothing is filed",
            "write \"notify\"; what shall be filed needs a rule on a quota, refusals, errors or latency",
        );
        sheet.wrong(entry, wrong);
    }
}

pub(super) fn remedies() -> [(&'static str, Remedy); 3] {
    Remedy::ALL.map(|it| (it.name(), it))
}
