//! `[[price]]`: what tokens cost, from TOML to checked prices; before those that were published, which are data.

use serde::Deserialize;

use super::{
    by_pool,
    fault::Wrong,
    sheet::{Section, Sheet, one_of},
};
use crate::model::{
    catalog::Family,
    policy::Account,
    price::{FamilyFactor, Price, PriceSource, Prices, TokenPrice},
    rule::{Matcher, Pattern},
};

const PUBLISHED: &str = include_str!("data/token_prices.toml");

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    factor: Vec<Factor>,
    price: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Factor {
    family: String,
    models: Vec<String>,
    times: f64,
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the file"))]
    source: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the file"))]
    checked: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    models: Vec<String>,
    families: Vec<String>,
    #[serde(default)]
    regions: Vec<String>,
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the file"))]
    source: String,
    checked: String,
}

/// Prices that were published, and what families differ by.
#[must_use]
pub fn builtin_prices() -> Prices {
    let table: Result<Table, _> = toml::from_str(PUBLISHED);
    debug_assert!(table.is_ok(), "{table:?}");
    let table = table.unwrap_or_default();
    Prices {
        rows: table.price.into_iter().map(listed).collect(),
        factors: table.factor.into_iter().filter_map(factor).collect(),
    }
}

fn patterns(texts: Vec<String>) -> Vec<Pattern> {
    texts.into_iter().map(Pattern::new).collect()
}

fn family(name: &str) -> Option<Family> {
    Family::ALL.into_iter().find(|it| it.name() == name)
}

fn factor(it: Factor) -> Option<FamilyFactor> {
    Some(FamilyFactor {
        family: family(&it.family)?,
        models: patterns(it.models),
        times: it.times,
    })
}

fn listed(row: Row) -> Price {
    Price {
        matcher: Matcher {
            accounts: Vec::new(),
            regions: patterns(row.regions),
            families: row.families.iter().filter_map(|it| family(it)).collect(),
            models: patterns(row.models),
        },
        usd: TokenPrice {
            input: row.input,
            output: row.output,
            cache_read: row.cache_read,
            cache_write: row.cache_write,
        },
        source: PriceSource::Listed {
            checked: row.checked,
        },
    }
}

/// All `[[price]]` tables, in the order of the file, then what was published.
pub(super) fn read_all(sheet: &mut Sheet, root: &mut Section<'_>, accounts: &[Account]) -> Prices {
    let entry = root.take("price");
    let sections = entry.map(|it| sheet.tables(&it)).unwrap_or_default();
    let mut rows: Vec<Price> = Vec::new();
    for (index, section) in sections.into_iter().enumerate() {
        let span = section.span.clone();
        let Some(price) = read(sheet, section, accounts) else {
            continue;
        };
        if rows.iter().any(|it| it.matcher == price.matcher) {
            let wrong = Wrong::new(
                "another [[price]] is for the same pools",
                "which one holds?",
                "keep one of them, or make one narrower by `families`, `regions` or `accounts`",
            );
            sheet.fault(span, &format!("price[{index}]"), wrong);
        }
        rows.push(price);
    }
    let published = builtin_prices();
    rows.extend(published.rows);
    Prices {
        rows,
        factors: published.factors,
    }
}

fn read(sheet: &mut Sheet, mut section: Section<'_>, accounts: &[Account]) -> Option<Price> {
    let models = section.take("models");
    let models = sheet.require(&section, "models", "[\"anthropic.claude-*\"]", models);
    let before = sheet.faults.len();
    let models = models.map(|it| {
        let models = sheet.list(&it, by_pool::model);
        if models.is_empty() && before == sheet.faults.len() {
            let wrong = Wrong::new(
                "must name at least one model",
                "a price of nothing",
                "such as [\"anthropic.claude-sonnet-4-6\"] or [\"anthropic.*\"]",
            );
            sheet.wrong(&it, wrong);
        }
        models
    });
    let families = Family::ALL.map(|it| (it.name(), it));
    let families = by_pool::list(sheet, &mut section, "families", |it| one_of(it, &families));
    let regions = by_pool::list(sheet, &mut section, "regions", by_pool::region);
    let accounts = by_pool::list(sheet, &mut section, "accounts", |it| {
        by_pool::account_of(it, accounts)
    });
    let [input, output, cache_read, cache_write] = ["input", "output", "cache_read", "cache_write"]
        .map(|key| {
            let written = section.take(key);
            written.and_then(|it| sheet.parsed(&it, token_price))
        });
    let input = sheet.require(&section, "input", "\"3 USD\"", input);
    let output = sheet.require(&section, "output", "\"15 USD\"", output);
    section.finish(sheet);
    Some(Price {
        matcher: Matcher {
            accounts,
            regions,
            families,
            models: models?,
        },
        usd: TokenPrice {
            input: input?,
            output: output?,
            cache_read,
            cache_write,
        },
        source: PriceSource::Configured,
    })
}

/// `"3 USD"`, `"$0.25"`: USD for a million tokens, up to a thousand. Nothing is a price, too: some models have no output.
fn token_price(text: &str) -> Result<f64, Wrong> {
    let help = "write USD for a million tokens, such as \"3 USD\"; a list with prices for 1,000 tokens has a thousandth of it";
    let text = text.trim();
    let number = text.strip_suffix("USD").or_else(|| text.strip_prefix('$'));
    let Some(number) = number else {
        return Err(Wrong::new(
            "must be USD for a million tokens",
            "which currency?",
            help,
        ));
    };
    match number.trim().parse::<f64>() {
        Ok(usd) if (0.0..=1_000.0).contains(&usd) => Ok(usd),
        Ok(_) => Err(Wrong::new(
            "must be from 0 USD to 1000 USD for a million tokens",
            "out of range",
            help,
        )),
        Err(_) => Err(Wrong::new(
            "must be USD for a million tokens",
            "no number",
            help,
        )),
    }
}

#[cfg(test)]
mod tests;
