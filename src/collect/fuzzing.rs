//! What a fuzzer may feed discovery: ids of targets and names of quotas.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    mapping::{self, QuotaNames},
    place::Atlas,
};
use crate::model::{
    catalog::{Family, Mapping},
    ids::{AccountId, ModelId, QuotaCode, Region, Scope, TargetId},
};

/// An id a line: each has a pool, or a reason why it has none.
pub fn targets(text: &str) {
    let scope = Scope {
        account: AccountId::new("111122223333"),
        region: Region::new("us-east-1"),
    };
    let ids: BTreeSet<TargetId> = text.lines().map(TargetId::new).collect();
    let (placed, unplaced) = Atlas::of_ids(&scope, &ids).place_all(&ids);
    assert_eq!(ids.len(), placed.len() + unplaced.len());
    assert!(unplaced.iter().all(|it| !it.why.is_empty()));
    assert!(placed.iter().all(|it| !it.pool.model.as_str().is_empty()));
}

/// A model's id, then a quota's name a line: what is mapped is on the list and says why, with the names in any order.
pub fn names(text: &str) {
    let (model, names) = text.split_once('\n').unwrap_or((text, ""));
    let model = ModelId::new(model);
    let numbered = |names: &mut dyn Iterator<Item = &str>| -> BTreeMap<QuotaCode, String> {
        let codes = names.map(|name| (QuotaCode::new(format!("L-{name}")), name.to_owned()));
        codes.collect()
    };
    let listed = numbered(&mut names.lines());
    let quotas = QuotaNames::whole(&listed);
    for family in Family::ALL {
        let found = mapping::map(&model, family, &quotas);
        for (kind, mapping) in &found {
            assert!(!mapping::why(mapping, *kind, &model, family, &quotas).is_empty());
            match mapping {
                Mapping::Mapped { code, proof } => {
                    assert!(listed.contains_key(code) && !proof.is_empty());
                }
                Mapping::Ambiguous { candidates } => {
                    assert!(1 < candidates.len());
                    assert!(candidates.iter().all(|it| listed.contains_key(it)));
                }
                Mapping::Absent | Mapping::Unknown => {}
            }
        }
        let variants = mapping::variants(&model, family, &quotas);
        let mut found = variants.values().flat_map(|it| it.values());
        assert!(found.all(|it| !matches!(it, Mapping::Absent | Mapping::Unknown)));
    }
}
