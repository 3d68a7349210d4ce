//! `[[residency]]`: where data may go, from TOML to checked rules.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{
    by_pool::{account_of, list, model},
    fault::{Wrong, nearest},
    rules::{rule_name, severities},
    sheet::{Section, Sheet},
    tags, values,
};
use crate::model::{
    ids::RuleName,
    policy::Account,
    residency::Residency,
    rule::{Matcher, Pattern, Rules, Severity},
};

const GEOGRAPHIES: &str = include_str!("data/geographies.toml");
/// Every Region: what `global.` profiles need.
const ANYWHERE: &str = "global";
/// Alerts of these rules are called so.
const PREFIX: &str = "residency-";
/// How loudly a breach is told where the rule does not say.
pub(super) const SEVERITY: Severity = Severity::Critical;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    geography: Vec<Geography>,
}

/// A geography and its Regions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Geography {
    name: String,
    regions: Vec<String>,
}

fn geographies() -> Vec<Geography> {
    let table: Result<Table, _> = toml::from_str(GEOGRAPHIES);
    debug_assert!(table.is_ok(), "{table:?}");
    table.map_or_else(|_| Vec::new(), |it| it.geography)
}

/// What one entry of `allow` stands for.
enum Place {
    Anywhere,
    These(Vec<Pattern>),
}

/// All `[[residency]]` tables, in the order of the file.
pub(super) fn read_all(
    sheet: &mut Sheet,
    root: &mut Section<'_>,
    accounts: &[Account],
    rules: &Rules,
) -> Vec<Residency> {
    let Some(entry) = root.take("residency") else {
        return Vec::new();
    };
    let known = geographies();
    let mut names: BTreeSet<RuleName> = rules.known().iter().map(|it| it.name.clone()).collect();
    let sections = sheet.tables(&entry).into_iter();
    let read = sections.filter_map(|section| read(sheet, section, accounts, &known, &mut names));
    read.collect()
}

fn read(
    sheet: &mut Sheet,
    mut section: Section<'_>,
    accounts: &[Account],
    known: &[Geography],
    names: &mut BTreeSet<RuleName>,
) -> Option<Residency> {
    let entry = section.take("name");
    let name = entry.as_ref().and_then(|it| sheet.parsed(it, rule_name));
    let name = sheet.require(&section, "name", "\"eu-data\"", name);
    let name = name.map(|it| RuleName::new(format!("{PREFIX}{it}")));
    if let (Some(entry), Some(name)) = (&entry, &name)
        && !(names.insert(name.clone()) && names.insert(RuleName::new(format!("ran-{name}"))))
    {
        let wrong = Wrong::new(
            format!("a rule named \"{name}\" exists already"),
            "the second of this name",
            "give it another name: alerts and incidents are told apart by it",
        );
        sheet.wrong(entry, wrong);
    }
    let matcher = Matcher {
        accounts: list(sheet, &mut section, "accounts", |it| {
            account_of(it, accounts)
        }),
        models: list(sheet, &mut section, "models", model),
        ..Matcher::default()
    };
    let tags = tags::read(sheet, &mut section);
    let severity = section
        .take("severity")
        .map_or(Some(SEVERITY), |it| sheet.choice(&it, &severities()));
    let entry = section.take("allow");
    let entry = sheet.require(&section, "allow", "[\"eu\"]", entry);
    section.finish(sheet);
    let entry = entry?;
    let before = sheet.faults.len();
    let written = sheet.list(&entry, |text| {
        place(text, known).map(|place| (text.to_owned(), place))
    });
    if written.is_empty() && before == sheet.faults.len() {
        let wrong = Wrong::new(
            "must name at least one geography or Region",
            "nothing would be allowed",
            "such as [\"eu\"] or [\"eu\", \"eu-west-2\"]",
        );
        sheet.wrong(&entry, wrong);
    }
    let mut allowed = Vec::new();
    let (mut is_anywhere, mut words) = (false, Vec::new());
    for (text, place) in written {
        words.push(text);
        match place {
            Place::Anywhere => is_anywhere = true,
            Place::These(these) => allowed.extend(these),
        }
    }
    Some(Residency {
        name: name?,
        matcher,
        tags: tags?,
        written: words,
        allowed,
        is_anywhere,
        severity: severity?,
    })
}

fn place(text: &str, known: &[Geography]) -> Result<Place, Wrong> {
    if text == ANYWHERE {
        return Ok(Place::Anywhere);
    }
    if let Some(geography) = known.iter().find(|it| it.name == text) {
        let regions = geography.regions.iter();
        return Ok(Place::These(regions.map(Pattern::new).collect()));
    }
    let is_pattern = text.contains('*') && text.contains('-');
    if is_pattern || values::region(text).is_ok() {
        let pattern = super::by_pool::region(text)?;
        return Ok(Place::These(vec![pattern]));
    }
    let names = || known.iter().map(|it| it.name.as_str()).chain([ANYWHERE]);
    let all: Vec<&str> = names().collect();
    let help = nearest(text, names()).map_or_else(
        || {
            format!(
                "one of {}, a Region such as \"eu-west-2\", or a pattern such as \"eu-*\"",
                all.join(", ")
            )
        },
        |near| format!("did you mean \"{near}\"?"),
    );
    Err(Wrong::new(
        "must be a geography, a Region, or a pattern of Regions",
        "no place that is known",
        help,
    ))
}

#[cfg(test)]
mod tests;
