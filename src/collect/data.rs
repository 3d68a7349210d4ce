//! What we know of names and rates beside what AWS tells: reviewed tables, each row with source and date, compiled in.
//!
//! The tables lie in `data/`. They hold no quota code and no value: those come from the account.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::label::{Label, tokens};
use crate::model::ids::ModelId;

/// All tables.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    /// By the vendor part of model ids.
    pub vendors: BTreeMap<String, Vendor>,
    /// Per model id (without `:0`) the labels that a person found to be its own, beside those that the grammar finds.
    pub overrides: BTreeMap<String, Vec<Override>>,
    /// Burndown rates; the first row that fits decides.
    pub rates: Vec<Rate>,
    /// What a request can reserve at admission.
    pub reservation: Reservation,
    /// From when on a request is long.
    pub long_requests: LongRequests,
}

/// How quota names write a vendor and some words of its models.
#[derive(Clone, Debug, Default)]
pub(super) struct Vendor {
    /// Token sequences by which labels may begin, longest first.
    names: Vec<Vec<String>>,
    /// Token sequences that either side may leave out.
    left_out: Vec<Vec<String>>,
    /// Words of ids that labels write otherwise.
    spelling: BTreeMap<String, String>,
}

impl Vendor {
    /// Takes the vendor's own words from the front, as often as they stand there (`Mistral AI Mistral Large`), and never all.
    pub(super) fn strip(&self, mut parts: Vec<String>) -> Vec<String> {
        loop {
            let mut names = self.names.iter();
            let found = names.find(|name| parts.len() > name.len() && parts.starts_with(name));
            let Some(name) = found else { return parts };
            parts.drain(..name.len());
        }
    }

    /// A word of an id as labels write it.
    pub(super) fn spelled(&self, part: String) -> String {
        self.spelling.get(&part).cloned().unwrap_or(part)
    }

    /// Takes out what either side may leave out, and returns it.
    pub(super) fn take_left_out(&self, parts: &mut Vec<String>) -> Vec<String> {
        let mut taken = Vec::new();
        for phrase in &self.left_out {
            let at = parts.windows(phrase.len()).position(|it| it == phrase);
            if let Some(at) = at
                && phrase.len() < parts.len()
            {
                parts.drain(at..at + phrase.len());
                taken.push(phrase.concat());
            }
        }
        taken
    }
}

/// A reviewed label of a model whose quota name does not follow from its id.
#[derive(Clone, Debug)]
pub(super) struct Override {
    /// The label as a whole, in lower case.
    pub label: String,
    /// What makes it irregular.
    pub why: String,
    /// Who says so.
    pub source: String,
    /// When that was read.
    pub date: String,
}

/// One row of `burndown.toml`.
#[derive(Clone, Debug, Deserialize)]
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

/// The table of `reservation.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reservation {
    /// Output tokens at most.
    pub most_output: f64,
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

/// The table of `long_requests.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LongRequests {
    /// Input tokens above which a request is a long one.
    pub input_tokens: u32,
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
struct RawLongRequests {
    long_requests: LongRequests,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReservation {
    reservation: Reservation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVendor {
    names: Vec<String>,
    #[serde(default)]
    left_out: Vec<String>,
    #[serde(default)]
    spelling: BTreeMap<String, String>,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the row must carry it; nothing prints it yet")
    )]
    source: String,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the row must carry it; nothing prints it yet")
    )]
    date: String,
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

    /// How this vendor is written; one that no table knows begins its labels with its own words.
    pub(super) fn vendor(&self, id: &str) -> Vendor {
        let own = || Vendor {
            names: vec![tokens(id)]
                .into_iter()
                .filter(|it| !it.is_empty())
                .collect(),
            ..Vendor::default()
        };
        self.vendors.get(id).cloned().unwrap_or_else(own)
    }

    /// The reviewed labels of a model.
    pub(super) fn overrides_of(&self, model: &ModelId) -> &[Override] {
        let id = model.as_str();
        let id = id.strip_suffix(":0").unwrap_or(id);
        self.overrides.get(id).map_or(&[], Vec::as_slice)
    }
}

#[expect(
    clippy::expect_used,
    reason = "the tables are part of the binary; a test parses them, so a binary with a broken one is never built"
)]
fn parse() -> Tables {
    let vendors: BTreeMap<String, RawVendor> =
        toml::from_str(include_str!("data/vendors.toml")).expect("vendors.toml parses");
    let vendors = vendors.into_iter().map(|(id, raw)| (id, vendor(raw)));
    let rates: RawRates =
        toml::from_str(include_str!("data/burndown.toml")).expect("burndown.toml parses");
    let reserved: RawReservation =
        toml::from_str(include_str!("data/reservation.toml")).expect("reservation.toml parses");
    let long: RawLongRequests =
        toml::from_str(include_str!("data/long_requests.toml")).expect("long_requests.toml parses");
    let mut reader = csv::Reader::from_reader(include_bytes!("data/overrides.csv").as_slice());
    let mut overrides: BTreeMap<String, Vec<Override>> = BTreeMap::new();
    for row in reader.deserialize::<RawOverride>() {
        let row = row.expect("overrides.csv parses");
        overrides.entry(row.model_id).or_default().push(Override {
            label: Label::normal(&row.label),
            why: row.why,
            source: row.source,
            date: row.date,
        });
    }
    Tables {
        vendors: vendors.collect(),
        overrides,
        rates: rates.rate,
        reservation: reserved.reservation,
        long_requests: long.long_requests,
    }
}

fn vendor(raw: RawVendor) -> Vendor {
    let phrases = |texts: &[String]| texts.iter().map(|text| tokens(text)).collect::<Vec<_>>();
    let mut names = phrases(&raw.names);
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    Vendor {
        names,
        left_out: phrases(&raw.left_out),
        spelling: raw.spelling,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_date(text: &str) -> bool {
        let mut parts = text.split('-');
        let year: Option<u16> = parts.next().and_then(|it| it.parse().ok());
        let month: Option<u8> = parts.next().and_then(|it| it.parse().ok());
        year.is_some_and(|it| it > 2022) && month.is_some_and(|it| (1..=12).contains(&it))
    }

    #[test]
    fn every_table_parses_and_every_row_says_where_it_is_from_and_when() {
        let tables = tables();
        assert!(tables.vendors.len() > 10);
        for rate in &tables.rates {
            assert!(0.0 < rate.rate && rate.rate <= 100.0, "{rate:?}");
            assert!(!rate.source.is_empty() && is_date(&rate.date), "{rate:?}");
        }
        let reserved = &tables.reservation;
        assert!(1_000.0 <= reserved.most_output, "{reserved:?}");
        assert!(!reserved.source.is_empty() && is_date(&reserved.date));
        let long = &tables.long_requests;
        assert!(1_000 <= long.input_tokens, "{long:?}");
        assert!(!long.source.is_empty() && is_date(&long.date));
        for (model, rows) in &tables.overrides {
            let is_key = !model.ends_with(":0");
            assert!(is_key, "`{model}` is looked up without `:0`");
            for row in rows {
                let is_sourced = !row.why.is_empty() && !row.source.is_empty();
                assert!(is_sourced && is_date(&row.date), "{row:?}");
            }
        }
        let raw: BTreeMap<String, RawVendor> =
            toml::from_str(include_str!("data/vendors.toml")).unwrap();
        for (id, row) in raw {
            assert!(!row.source.is_empty() && is_date(&row.date), "{id}");
        }
    }
}
