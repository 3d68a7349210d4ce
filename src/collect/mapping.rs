//! Which quota limits which pool, told by the names of the quotas. Pure.
//!
//! AWS documents no codes; the only link between a model id and its quota is the quota's name. A name has a family and a
//! kind in its front part and a label behind `for` (see `name`). The family decides first (geo and global names differ
//! by one word, and none of them may fall back on another family); then the label must say the same model as the id,
//! token by token (see `label`), unless a reviewed override says what a label of this model is. What fits twice is
//! ambiguous: it is shown and never acted upon.

mod name;
mod why;

use std::collections::BTreeMap;

use super::data::{Tables, tables};
use super::label::{Fit, Label};
use crate::model::catalog::{Family, Mapping};
use crate::model::ids::{ModelId, QuotaCode};
use crate::model::units::QuotaKind;
use name::{Meaning, ModelQuota};

pub use name::Variant;

/// The quota names of one account and Region that speak of models and minutes or days.
#[derive(Clone, Debug)]
pub struct QuotaNames {
    rows: Vec<Row>,
    /// The quota of tokens per day that all models of the account share.
    account_tpd: Option<(QuotaCode, String)>,
    is_whole: bool,
}

/// A quota of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    code: QuotaCode,
    name: String,
    means: ModelQuota,
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

    /// The quota of tokens per day that all models of the account share, where the account has one.
    #[must_use]
    pub fn account_tpd(&self) -> Option<&QuotaCode> {
        self.account_tpd.as_ref().map(|(code, _)| code)
    }

    /// How the account as a whole is limited by the day.
    #[must_use]
    pub fn account_mapping(&self) -> Mapping {
        match &self.account_tpd {
            Some((code, name)) => Mapping::Mapped {
                code: code.clone(),
                proof: format!(
                    "`{name}` counts all models of the runtime endpoint in this account and Region together, by price"
                ),
            },
            None if self.is_whole => Mapping::Absent,
            None => Mapping::Unknown,
        }
    }

    fn new(names: &BTreeMap<QuotaCode, String>, is_whole: bool) -> Self {
        let mut all = Self {
            rows: Vec::new(),
            account_tpd: None,
            is_whole,
        };
        for (code, name) in names {
            match name::meaning(name) {
                Some(Meaning::Model(means)) => all.rows.push(Row {
                    code: code.clone(),
                    name: name.clone(),
                    means,
                }),
                Some(Meaning::AccountPerDay) => {
                    all.account_tpd = Some((code.clone(), name.clone()));
                }
                None => {}
            }
        }
        all
    }
}

/// Whether this is the name of the quota of tokens per day that all models of an account share.
#[must_use]
pub fn is_account_tpd(name: &str) -> bool {
    name::meaning(name) == Some(Meaning::AccountPerDay)
}

/// How each kind of quota that the family knows limits this model's standard requests.
#[must_use]
pub fn map(model: &ModelId, family: Family, names: &QuotaNames) -> BTreeMap<QuotaKind, Mapping> {
    Mapper::new(model, family, names, tables()).standard()
}

/// The quotas that this model has for requests of another sort, such as those with a long context: kept apart, since
/// standard requests never meet them. Only what is mapped or ambiguous; most models have none.
#[must_use]
pub fn variants(
    model: &ModelId,
    family: Family,
    names: &QuotaNames,
) -> BTreeMap<Variant, BTreeMap<QuotaKind, Mapping>> {
    Mapper::new(model, family, names, tables()).variants()
}

/// Why this is how this kind of quota limits the model: the proof, or the reason of the refusal, as a sentence fragment.
#[must_use]
pub fn why(
    mapping: &Mapping,
    kind: QuotaKind,
    model: &ModelId,
    family: Family,
    names: &QuotaNames,
) -> String {
    Mapper::new(model, family, names, tables()).why(mapping, kind)
}

/// One model of one family against all names.
#[derive(Debug)]
struct Mapper<'a> {
    model: &'a ModelId,
    family: Family,
    names: &'a QuotaNames,
    tables: &'a Tables,
    label: Label,
}

impl<'a> Mapper<'a> {
    fn new(model: &'a ModelId, family: Family, names: &'a QuotaNames, tables: &'a Tables) -> Self {
        Self {
            model,
            family,
            names,
            tables,
            label: Label::of_model(model, tables),
        }
    }

    fn standard(&self) -> BTreeMap<QuotaKind, Mapping> {
        let kinds = self.family.kinds().iter();
        let mapped = kinds.map(|kind| (*kind, self.mapping(*kind, &Variant::Standard)));
        mapped.collect()
    }

    fn variants(&self) -> BTreeMap<Variant, BTreeMap<QuotaKind, Mapping>> {
        let mut found: BTreeMap<Variant, BTreeMap<QuotaKind, Mapping>> = BTreeMap::new();
        for row in &self.names.rows {
            let ModelQuota { kind, variant, .. } = &row.means;
            let is_other = *variant != Variant::Standard && self.fit(row).is_some();
            if is_other && self.family.kinds().contains(kind) {
                let mapping = self.mapping(*kind, variant);
                found
                    .entry(variant.clone())
                    .or_default()
                    .insert(*kind, mapping);
            }
        }
        found
    }

    fn mapping(&self, kind: QuotaKind, variant: &Variant) -> Mapping {
        let rows = self.names.rows.iter();
        let rows = rows.filter(|row| row.means.kind == kind && row.means.variant == *variant);
        let fitting: Vec<(Fit, &Row)> =
            rows.filter_map(|row| Some((self.fit(row)?, row))).collect();
        let best = fitting.iter().map(|(fit, _)| *fit).max();
        let mut best = fitting.iter().filter(|(fit, _)| Some(*fit) == best);
        match (best.next(), best.next()) {
            (None, _) if self.names.is_whole => Mapping::Absent,
            (None, _) => Mapping::Unknown,
            (Some((_, row)), None) => Mapping::Mapped {
                code: row.code.clone(),
                proof: self.proof(row),
            },
            (Some(_), Some(_)) => Mapping::Ambiguous {
                // All that fit, since the closer of two is not proven to be the right one. Sorted: the rows are.
                candidates: fitting.iter().map(|(_, row)| row.code.clone()).collect(),
            },
        }
    }

    /// Whether this row is of this family and model, and how well its label says so.
    fn fit(&self, row: &Row) -> Option<Fit> {
        if !row.means.families.contains(&self.family) {
            return None;
        }
        let reviewed = self.tables.overrides_of(self.model);
        if reviewed.iter().any(|it| it.label == row.means.label) {
            return Some(Fit::Exact);
        }
        Label::of_quota(&row.means.label, self.model, self.tables).names(&self.label)
    }
}

#[cfg(test)]
mod tests;
