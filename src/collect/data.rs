//! What we know of names and rates beside what AWS tells: reviewed tables, each row with source and date, compiled in.
//!
//! The tables lie in `data/`. They hold no quota code and no value: those come from the account.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::label::{Label, tokens};
use crate::model::ids::ModelId;

/// All tables.
#[derive(Debug)]
pub(super) struct Tables {
    /// Per vendor the token sequences by which quota names may begin, longest first.
    pub vendors: BTreeMap<String, Vec<Vec<String>>>,
    /// Per model id (without `:0`) the labels that a person found to be its own. They replace the grammar.
    pub overrides: BTreeMap<String, Vec<Override>>,
    /// Burndown rates; the first row that fits decides.
    pub rates: Vec<Rate>,
}

/// A reviewed label of a model whose quota name does not follow from its id.
#[derive(Debug)]
pub(super) struct Override {
    /// The label as a whole, in lower case.
    pub label: String,
    /// What makes it irregular.
    pub why: String,
    /// Who says so.
    pub source: String,
}

/// One row of `burndown.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rate {
    /// The vendor part of the ids it holds for; none means every vendor without a row of its own.
    pub vendor: Option<String>,
    /// A word that the id must contain.
    pub word: Option<String>,
    /// The exact version.
    pub version: Option<String>,
    /// This version and all before it.
    pub up_to: Option<String>,
    /// What an output token costs.
    pub rate: f64,
    /// Who says so.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the row must carry it; nothing prints it yet")
    )]
    pub source: String,
    /// When that was read.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the row must carry it; nothing prints it yet")
    )]
    pub date: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVendors {
    vendors: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRates {
    rate: Vec<Rate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOverride {
    model_id: String,
    label: String,
    why: String,
    source: String,
    #[expect(dead_code, reason = "the row must carry it; nothing prints it yet")]
    date: String,
}

/// The compiled-in tables.
pub(super) fn tables() -> &'static Tables {
    static TABLES: LazyLock<Tables> = LazyLock::new(parse);
    &TABLES
}

impl Tables {
    /// Whether a model id may begin with this label: a vendor is known, or the listings of the account name it.
    pub(super) fn knows_vendor(&self, vendor: &str, listed: &BTreeSet<String>) -> bool {
        self.vendors.contains_key(vendor) || listed.contains(vendor)
    }

    /// The reviewed labels of a model, where there are any.
    pub(super) fn overrides_of(&self, model: &ModelId) -> Option<&[Override]> {
        let id = model.as_str();
        let id = id.strip_suffix(":0").unwrap_or(id);
        self.overrides.get(id).map(Vec::as_slice)
    }
}

#[expect(
    clippy::expect_used,
    reason = "the tables are part of the binary; a test parses them, so a binary with a broken one is never built"
)]
fn parse() -> Tables {
    let vendors: RawVendors =
        toml::from_str(include_str!("data/vendors.toml")).expect("vendors.toml parses");
    let vendors = vendors.vendors.into_iter().map(|(id, names)| {
        let mut phrases: Vec<Vec<String>> = names.iter().map(|name| tokens(name)).collect();
        phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
        (id, phrases)
    });
    let rates: RawRates =
        toml::from_str(include_str!("data/burndown.toml")).expect("burndown.toml parses");
    let mut reader = csv::Reader::from_reader(include_bytes!("data/overrides.csv").as_slice());
    let mut overrides: BTreeMap<String, Vec<Override>> = BTreeMap::new();
    for row in reader.deserialize::<RawOverride>() {
        let row = row.expect("overrides.csv parses");
        overrides.entry(row.model_id).or_default().push(Override {
            label: Label::normal(&row.label),
            why: row.why,
            source: row.source,
        });
    }
    Tables {
        vendors: vendors.collect(),
        overrides,
        rates: rates.rate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_parses_and_every_row_says_where_it_is_from() {
        let tables = tables();
        assert!(tables.vendors.len() > 10);
        assert!(tables.overrides.len() > 30);
        for rate in &tables.rates {
            assert!(0.0 < rate.rate && rate.rate <= 100.0, "{rate:?}");
            assert!(!rate.source.is_empty() && !rate.date.is_empty(), "{rate:?}");
        }
        for (model, rows) in &tables.overrides {
            assert!(
                !model.ends_with(":0"),
                "`{model}` is looked up without `:0`"
            );
            for row in rows {
                assert!(!row.why.is_empty() && !row.source.is_empty(), "{row:?}");
            }
        }
    }
}
