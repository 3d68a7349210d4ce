//! The `[rule.NAME]` tables of the configuration: single values of a rule, changed without copying its file.

use super::{
    fault::{Wrong, nearest},
    learned,
    rules::{RuleBook, clear_below_above, clear_minutes, hash, remedies, severities},
    sheet::{Entry, Section, Sheet},
    values,
};
use crate::model::{
    ids::RuleName,
    rule::{Condition, Rule, WarningRule},
    units::Share,
    unusual::Unusual,
};

/// Applies the tables to the rules. A rule that is not enabled leaves the book.
pub(super) fn apply(sheet: &mut Sheet, section: Section<'_>, book: &mut RuleBook) {
    for (name, span, entry) in section.names() {
        let key = RuleName::new(&name);
        let Some(table) = sheet.table(&entry) else {
            continue;
        };
        let Some((rule, _)) = book.get_mut(&key) else {
            let known: Vec<String> = book.keys().map(ToString::to_string).collect();
            let help = nearest(&name, known.iter().map(String::as_str)).map_or_else(
                || format!("known rules: {}", known.join(", ")),
                |near| format!("did you mean [rule.{near}]?"),
            );
            let wrong = Wrong::new("no rule has this name", "unknown rule", help);
            sheet.fault(span, &entry.path, wrong);
            continue;
        };
        if one(sheet, table, rule) {
            rule.hash = hash(rule);
        } else {
            book.remove(&key);
        }
    }
}

/// Whether the rule stays enabled.
fn one(sheet: &mut Sheet, mut table: Section<'_>, rule: &mut Rule) -> bool {
    let mut enabled = true;
    let mut change = Change {
        sheet,
        table: &mut table,
    };
    change.of("enabled", &mut enabled, |sheet, it| sheet.flag(it));
    change.of("severity", &mut rule.severity, |sheet, it| {
        sheet.choice(it, &severities())
    });
    change.of("remedy", &mut rule.remedy, |sheet, it| {
        sheet.choice(it, &remedies())
    });
    let (has_window, has_clear) = match rule.condition {
        Condition::Unusual(_) => (false, false),
        Condition::RunsOut { .. } => (false, true),
        Condition::QuotaShare { .. }
        | Condition::Count { .. }
        | Condition::Slow { .. }
        | Condition::Ends { .. } => (true, true),
    };
    if has_window {
        change.of("window", &mut rule.window, |sheet, it| {
            sheet.parsed(it, values::window)
        });
    }
    if has_clear {
        change.of("clear_for", &mut rule.clear_minutes, |sheet, it| {
            sheet.parsed(it, clear_minutes)
        });
    }
    match &mut rule.condition {
        Condition::QuotaShare { above, clear, .. } => change.quota_share(above, clear),
        Condition::Count {
            at_least,
            share,
            min_demand,
            ..
        } => {
            change.number("at_least", at_least, 1.0);
            change.share("share", share);
            change.number("min_demand", min_demand, 0.0);
        }
        Condition::Slow { millis, min_demand } => {
            change.of("above", millis, |sheet, it| {
                sheet.parsed(it, values::millis)
            });
            change.number("min_demand", min_demand, 0.0);
        }
        Condition::Unusual(sought) => change.unusual(sought),
        Condition::RunsOut { warning, .. } => change.warning(warning),
        Condition::Ends { within } => {
            change.of("within", within, |sheet, it| {
                sheet.parsed(it, values::minutes)
            });
        }
    }
    table.finish(sheet);
    enabled
}

/// Values that are written replace those of the rule.
struct Change<'s, 't, 'd> {
    sheet: &'s mut Sheet,
    table: &'t mut Section<'d>,
}

impl<'d> Change<'_, '_, 'd> {
    fn of<T>(
        &mut self,
        key: &'static str,
        place: &mut T,
        read: impl FnOnce(&mut Sheet, &Entry<'d>) -> Option<T>,
    ) -> Option<Entry<'d>> {
        let entry = self.table.take(key)?;
        if let Some(value) = read(self.sheet, &entry) {
            *place = value;
        }
        Some(entry)
    }

    fn number(&mut self, key: &'static str, place: &mut f64, least: f64) {
        self.of(key, place, |sheet, it| sheet.number(it, least));
    }

    fn share(&mut self, key: &'static str, place: &mut Share) -> Option<Entry<'d>> {
        self.of(key, place, |sheet, it| sheet.parsed(it, values::share))
    }

    fn minutes(&mut self, key: &'static str, place: &mut i64) {
        self.of(key, place, |sheet, it| sheet.parsed(it, values::minutes));
    }

    fn unusual(&mut self, sought: &mut Unusual) {
        match sought {
            Unusual::Throttled => {}
            Unusual::ClientErrors(worth) | Unusual::ServerErrors(worth) => {
                self.number("ratio", &mut worth.ratio, 1.0);
                self.share("excess", &mut worth.excess);
                self.minutes("rare", &mut worth.rare);
            }
            Unusual::Slow(worth) | Unusual::TokensUp(worth) => {
                self.number("factor", &mut worth.factor, 1.0);
                self.minutes("rare", &mut worth.rare);
            }
            Unusual::TrafficUp(worth) | Unusual::TrafficDown(worth) => {
                self.number("jump", &mut worth.jump, 1.0);
                self.number("factor", &mut worth.factor, 1.0);
                self.minutes("rare", &mut worth.rare);
            }
        }
    }

    fn warning(&mut self, warning: &mut WarningRule) {
        self.of("early", &mut warning.early, |sheet, it| {
            sheet.choice(it, &severities())
        });
        self.minutes("quiet", &mut warning.quiet_minutes);
        self.minutes("again", &mut warning.again_minutes);
        for (key, way) in [("ahead", &mut warning.ahead), ("near", &mut warning.near)] {
            self.of(key, way, learned::chance);
        }
        self.of("climb", &mut warning.climb, learned::climb_of);
        self.of("soon", &mut warning.soon, learned::standing);
    }

    fn quota_share(&mut self, above: &mut Share, clear: &mut Share) {
        let before = self.sheet.faults.len();
        let upper = self.share("above", above);
        let lower = self.share("clear", clear);
        if before < self.sheet.faults.len() {
            return;
        }
        match (lower, upper) {
            (Some(entry), _) => {
                clear_below_above(self.sheet, &entry, *above, *clear);
            }
            (None, Some(entry)) if above < clear => {
                let wrong = Wrong::new(
                    format!("is below the rule's `clear`, which is {clear}"),
                    "an alert would end while use is still too high",
                    "write `clear` as well, a tenth below `above`",
                );
                self.sheet.wrong(&entry, wrong);
            }
            (None, _) => {}
        }
    }
}
