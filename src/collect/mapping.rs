//! Which quota limits which pool, told by the names of the quotas. Pure.
//!
//! AWS documents no codes; the only link between a model id and its quota is the quota's name. A name has a family and a
//! kind in its front part and a label behind `for`. The family decides first (geo and global names differ by one word,
//! and none of them may fall back on another family); then the label must say the same model as the id, token by token
//! (see `label`), unless a reviewed override says what the label of this model is. What fits twice is ambiguous: it is
//! shown and never acted upon.

use std::collections::BTreeMap;

use super::data::tables;
use super::label::Label;
use crate::model::catalog::{Family, Mapping};
use crate::model::ids::{ModelId, QuotaCode};
use crate::model::units::QuotaKind;

/// The quota names of one account and Region that speak of models and minutes or days.
#[derive(Clone, Debug)]
pub struct QuotaNames {
    rows: Vec<Row>,
    is_whole: bool,
}

/// What a quota's name says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    code: QuotaCode,
    name: String,
    families: &'static [Family],
    kind: QuotaKind,
    label: String,
}

impl QuotaNames {
    /// All names there are: what is not among them does not exist.
    #[must_use]
    pub fn whole(names: &BTreeMap<QuotaCode, String>) -> Self {
        Self::new(names, true)
    }

    /// Some of the names: what is not among them is unknown.
    #[must_use]
    pub fn partial(names: &BTreeMap<QuotaCode, String>) -> Self {
        Self::new(names, false)
    }

    fn new(names: &BTreeMap<QuotaCode, String>, is_whole: bool) -> Self {
        let rows = names.iter().filter_map(|(code, name)| {
            let (families, kind, label) = classify(name)?;
            Some(Row {
                code: code.clone(),
                name: name.clone(),
                families,
                kind,
                label,
            })
        });
        Self {
            rows: rows.collect(),
            is_whole,
        }
    }
}

/// How each kind of quota limits this model in this family. Mantle pools are limited by quotas of another kind and
/// have no entry.
#[must_use]
pub fn map(model: &ModelId, family: Family, quotas: &QuotaNames) -> BTreeMap<QuotaKind, Mapping> {
    if family == Family::Mantle {
        return BTreeMap::new();
    }
    let label = Label::of_model(model);
    let fits = |row: &&Row| row.families.contains(&family) && names(row, model, &label);
    let kinds = QuotaKind::ALL.into_iter().map(|kind| {
        let of_kind = quotas.rows.iter().filter(|row| row.kind == kind);
        let found: Vec<&Row> = of_kind.filter(fits).collect();
        let mapping = match found.as_slice() {
            [] if quotas.is_whole => Mapping::Absent,
            [] => Mapping::Unknown,
            [row] => Mapping::Mapped {
                code: row.code.clone(),
                proof: proof(row, model, family),
            },
            several => Mapping::Ambiguous {
                candidates: several.iter().map(|row| row.code.clone()).collect(), // sorted: the rows are
            },
        };
        (kind, mapping)
    });
    kinds.collect()
}

/// Families, kind and label of a quota name; `None` for every other quota (batch, concurrency, guardrails, mantle,
/// latency-optimised, the account's cross-model one) and for the 1M-context variants, which standard traffic never meets.
fn classify(name: &str) -> Option<(&'static [Family], QuotaKind, String)> {
    const PER_DAY: &str = "model invocation max tokens per day for ";
    // The text in brackets is no family: it says that geo traffic has twice this value.
    const DOUBLED: &str = "(doubled for cross-region calls)";
    // Global first, since the geo front is part of the global one.
    const FRONTS: [(&str, &[Family]); 3] = [
        ("global cross-region model inference ", &[Family::Global]),
        ("cross-region model inference ", &[Family::Geo]),
        ("on-demand model inference ", &[Family::OnDemand]),
    ];
    const KINDS: [(&str, QuotaKind); 3] = [
        ("requests per minute for ", QuotaKind::Rpm),
        ("tokens per minute for ", QuotaKind::Tpm),
        ("tokens per day for ", QuotaKind::Tpd),
    ];
    let name = Label::normal(name);
    let (families, kind, label): (&'static [Family], _, _) = if let Some(rest) =
        name.strip_prefix(PER_DAY)
    {
        let label = rest.strip_suffix(DOUBLED).unwrap_or(rest);
        (&[Family::OnDemand, Family::Geo], QuotaKind::Tpd, label)
    } else {
        let mut fronts = FRONTS.into_iter();
        let (families, rest) =
            fronts.find_map(|(front, it)| Some((it, name.strip_prefix(front)?)))?;
        let mut kinds = KINDS.into_iter();
        let (kind, label) = kinds.find_map(|(text, it)| Some((it, rest.strip_prefix(text)?)))?;
        (families, kind, label)
    };
    let is_variant = label.contains("context length");
    (!is_variant).then(|| (families, kind, label.trim().to_owned()))
}

fn names(row: &Row, model: &ModelId, label: &Label) -> bool {
    match tables().overrides_of(model) {
        Some(reviewed) => reviewed.iter().any(|it| it.label == row.label),
        None => Label::of_quota(&row.label, model) == *label,
    }
}

fn proof(row: &Row, model: &ModelId, family: Family) -> String {
    let reviewed = tables().overrides_of(model);
    let reviewed = reviewed.and_then(|rows| rows.iter().find(|it| it.label == row.label));
    let label = match reviewed {
        None => "its label has the words and the version of the model id".to_owned(),
        Some(it) => format!("its label was reviewed ({}; {})", it.why, it.source),
    };
    let doubled = match (row.kind, family) {
        (QuotaKind::Tpd, Family::Geo) => ", and geo traffic is allowed twice its value",
        (QuotaKind::Tpd | QuotaKind::Tpm | QuotaKind::Rpm, _) => "",
    };
    format!("`{}` is for {family}, {label}{doubled}", row.name)
}

#[cfg(test)]
mod tests;
