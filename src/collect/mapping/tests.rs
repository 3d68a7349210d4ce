//! The mapping against the frozen corpus, and the laws that hold beyond it.

mod corpus;
mod laws;

use super::*;

/// All kinds of one model and family.
fn mapped(
    model: &str,
    family: Family,
    names: &QuotaNames,
    tables: &Tables,
) -> BTreeMap<QuotaKind, Mapping> {
    Mapper::new(&ModelId::new(model), family, names, tables).standard()
}

/// Names with the codes `L-1`, `L-2` and so on, in this order.
fn numbered(names: &[&str]) -> QuotaNames {
    let numbered = (1..).zip(names);
    let named = numbered.map(|(n, name)| (QuotaCode::new(format!("L-{n}")), (*name).to_owned()));
    QuotaNames::whole(&named.collect())
}
