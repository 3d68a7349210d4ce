//! The rule of forecast warnings: from TOML to a checked rule.

use toml::de::DeTable;

use super::{
    fault::Fault,
    sheet::{Section, Sheet},
    values,
};
use crate::model::{
    rule::{Chance, Climb, Standing, WarningRule},
    units::Share,
};

/// The rule we ship, and its only place.
pub(super) const BUILTIN: (&str, &str) = (
    "alert-rules/forecast/quota.toml",
    include_str!("../../alert-rules/forecast/quota.toml"),
);

/// Reads the rule; `None` with at least one fault.
pub(super) fn read(name: &str, text: &str) -> (Option<WarningRule>, Vec<Fault>) {
    let mut sheet = Sheet::new(name, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        sheet.syntax(errors);
        return (None, sheet.faults);
    }
    let mut root = Section::root(&table);
    let section = section(&mut sheet, &mut root, "forecast");
    let rule = section.and_then(|section| rule(&mut sheet, section));
    root.finish(&mut sheet);
    (rule.filter(|_| sheet.faults.is_empty()), sheet.faults)
}

fn rule(sheet: &mut Sheet, mut table: Section<'_>) -> Option<WarningRule> {
    let ahead = section(sheet, &mut table, "ahead").and_then(|it| chance(sheet, it));
    let near = section(sheet, &mut table, "near").and_then(|it| chance(sheet, it));
    let climb = section(sheet, &mut table, "climb").and_then(|it| climb(sheet, it));
    let soon = section(sheet, &mut table, "soon").and_then(|it| standing(sheet, it));
    let quiet_minutes = minutes(sheet, &mut table, "quiet");
    let again_minutes = minutes(sheet, &mut table, "again");
    table.finish(sheet);
    Some(WarningRule {
        ahead: ahead?,
        near: near?,
        climb: climb?,
        soon: soon?,
        again_minutes: again_minutes?,
        quiet_minutes: quiet_minutes?,
    })
}

fn section<'t>(
    sheet: &mut Sheet,
    from: &mut Section<'t>,
    key: &'static str,
) -> Option<Section<'t>> {
    let table = from.take(key).and_then(|it| sheet.table(&it));
    sheet.require(from, key, "a table", table)
}

fn chance(sheet: &mut Sheet, mut table: Section<'_>) -> Option<Chance> {
    let use_share = share(sheet, &mut table, "use");
    let chance = share(sheet, &mut table, "chance");
    table.finish(sheet);
    Some(Chance {
        use_share: use_share?,
        chance: chance?,
    })
}

fn climb(sheet: &mut Sheet, mut table: Section<'_>) -> Option<Climb> {
    let use_share = share(sheet, &mut table, "use");
    let usual = share(sheet, &mut table, "usual");
    let within_minutes = minutes(sheet, &mut table, "within");
    table.finish(sheet);
    Some(Climb {
        use_share: use_share?,
        usual: usual?,
        within_minutes: within_minutes?,
    })
}

fn standing(sheet: &mut Sheet, mut table: Section<'_>) -> Option<Standing> {
    let chance = share(sheet, &mut table, "chance");
    let minutes = minutes(sheet, &mut table, "lasts");
    table.finish(sheet);
    Some(Standing {
        chance: chance?,
        minutes: minutes?,
    })
}

fn share(sheet: &mut Sheet, table: &mut Section<'_>, key: &'static str) -> Option<Share> {
    let written = table.take(key);
    let share = written.and_then(|it| sheet.parsed(&it, values::share));
    sheet.require(table, key, "\"40 %\"", share)
}

fn minutes(sheet: &mut Sheet, table: &mut Section<'_>, key: &'static str) -> Option<i64> {
    let written = table.take(key);
    let minutes = written.and_then(|it| sheet.parsed(&it, values::minutes));
    sheet.require(table, key, "\"15m\"", minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_we_ship_is_whole() {
        let (rule, faults) = read(BUILTIN.0, BUILTIN.1);
        assert!(faults.is_empty(), "{faults:?}");
        let rule = rule.unwrap();
        assert_eq!(rule.quiet_minutes, 7 * 24 * 60);
        assert!(rule.again_minutes < rule.quiet_minutes);
        assert!(rule.ahead.use_share < rule.near.use_share);
    }

    #[test]
    fn what_is_wrong_is_told_all_at_once() {
        let text = "[forecast]\nquiet = \"soon\"\nsurprise = 1\n[forecast.near]\nuse = \"180 %\"\n";
        let (rule, faults) = read("rule.toml", text);
        assert!(rule.is_none());
        assert!(4 <= faults.len(), "{faults:?}");
    }
}
