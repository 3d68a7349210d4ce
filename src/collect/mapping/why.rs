//! Why a quota is the one of a model, or why none is: sentence fragments for people.

use std::collections::BTreeSet;

use super::{Mapper, Row, Variant};
use crate::collect::label::Label;
use crate::model::catalog::{Family, Mapping};
use crate::model::units::QuotaKind;

/// Labels that are named as considered and refused.
const MOST_NEAR: usize = 3;

impl Mapper<'_> {
    /// Why this row is the model's.
    pub(super) fn proof(&self, row: &Row) -> String {
        let reviewed = self.tables.overrides_of(self.model);
        let reviewed = reviewed.iter().find(|it| it.label == row.means.label);
        let label = match reviewed {
            None => "its label has the words and the version of the model id".to_owned(),
            Some(it) => format!(
                "its label was reviewed ({}; {}, {})",
                it.why, it.source, it.date
            ),
        };
        let doubled = match (row.means.kind, self.family) {
            (QuotaKind::Tpd, Family::Geo) => ", and geo traffic is allowed twice its value",
            _ => "",
        };
        let family = self.family;
        format!("`{}` is for {family}, {label}{doubled}", row.name)
    }

    /// The proof, or the reason why nothing is mapped.
    pub(super) fn why(&self, mapping: &Mapping, kind: QuotaKind) -> String {
        match mapping {
            Mapping::Mapped { proof, .. } => proof.clone(),
            Mapping::Ambiguous { candidates } => {
                let names: Vec<String> = candidates
                    .iter()
                    .map(|code| {
                        let rows = self.names.rows.iter();
                        let name = rows.filter(|row| row.code == *code).map(|row| &row.name);
                        let name = name.map(|name| format!("`{name}` ({code})")).next();
                        name.unwrap_or_else(|| code.to_string())
                    })
                    .collect();
                let count = names.len();
                let names = names.join(", ");
                format!("{count} quotas fit alike: {names}; none of them is acted upon")
            }
            Mapping::Unknown => {
                "the list of quotas was not read to its end, so a quota that is missing in it may exist"
                    .to_owned()
            }
            Mapping::Absent => self.why_absent(kind),
        }
    }

    fn why_absent(&self, kind: QuotaKind) -> String {
        let unit = kind.unit();
        let mut text = format!(
            "no quota of {unit} for {} has a label with the words and the version of `{}`",
            self.family, self.model
        );
        let near = self.near(kind);
        if !near.is_empty() {
            let near: Vec<String> = near.iter().map(|label| format!("`{label}`")).collect();
            text.push_str(&format!("; refused as other models: {}", near.join(", ")));
        }
        if let (QuotaKind::Tpd, Some((code, name))) = (kind, &self.names.account_tpd) {
            text.push_str(&format!(
                "; the account's `{name}` ({code}) counts all models together, by price"
            ));
        }
        text
    }

    /// Labels of the same family and kind that a careless match would take, sorted.
    fn near(&self, kind: QuotaKind) -> Vec<&str> {
        let rows = self.names.rows.iter().filter(|row| {
            let is_asked = row.means.kind == kind && row.means.families.contains(&self.family);
            is_asked && row.means.variant == Variant::Standard
        });
        let kin = rows.filter(|row| {
            let label = Label::of_quota(&row.means.label, self.model, self.tables);
            label.is_kin_of(&self.label)
        });
        let labels = kin.filter_map(|row| row.name.split_once(" for "));
        let labels: BTreeSet<&str> = labels
            .map(|(_, label)| label.split(" (doubled ").next().unwrap_or(label))
            .collect();
        labels.into_iter().take(MOST_NEAR).collect()
    }
}
