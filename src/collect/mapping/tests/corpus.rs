//! Row by row against `tests/data/quota-corpus.csv`, whose truth was decided by reading (see the page beside it).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
struct Row {
    quota_code: String,
    quota_name: String,
    family: String,
    kind: String,
    context: String,
    model_ids: String,
    decided: String,
}

#[derive(Debug, Deserialize)]
struct Wrong {
    model_id: String,
    family: String,
    kind: String,
    quota_code: String,
    source: String,
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Vec<T> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().collect::<Result<_, _>>().unwrap()
}

fn corpus() -> Vec<Row> {
    read(include_str!("../../../../tests/data/quota-corpus.csv"))
}

fn names(rows: &[Row]) -> QuotaNames {
    let named = rows.iter();
    let named = named.map(|row| (QuotaCode::new(&*row.quota_code), row.quota_name.clone()));
    QuotaNames::whole(&named.collect())
}

impl Row {
    fn models(&self) -> impl Iterator<Item = &str> {
        self.model_ids.split(' ').filter(|id| !id.is_empty())
    }

    fn families(&self) -> Vec<Family> {
        let named = self.family.split('+');
        let families = Family::ALL.into_iter();
        let families = families.filter(|it| named.clone().any(|name| name == it.name()));
        families.collect()
    }

    /// Nothing for rows that limit neither requests nor tokens over time.
    fn kind(&self) -> Option<QuotaKind> {
        QuotaKind::ALL
            .into_iter()
            .find(|kind| kind.name() == self.kind)
    }

    fn variant(&self) -> Variant {
        match self.context.as_str() {
            "" => Variant::Standard,
            tokens => Variant::LongContext(tokens.to_owned()),
        }
    }
}

/// Every triple of the truth: model, family, variant and kind to the codes that are right.
type Truth = BTreeMap<(String, Family, Variant, QuotaKind), BTreeSet<QuotaCode>>;

fn truth(rows: &[Row]) -> Truth {
    let mut truth = Truth::new();
    for row in rows {
        let Some(kind) = row.kind() else { continue };
        for (model, family) in row
            .models()
            .flat_map(|model| row.families().into_iter().map(move |it| (model, it)))
        {
            let key = (model.to_owned(), family, row.variant(), kind);
            let code = QuotaCode::new(&*row.quota_code);
            truth.entry(key).or_default().insert(code);
        }
    }
    truth
}

/// All models that are known: of the corpus and of the survey of profiles.
fn models(rows: &[Row]) -> BTreeSet<String> {
    let survey: Vec<BTreeMap<String, String>> = read(include_str!(
        "../../../../tests/data/aws/inference-profiles.csv"
    ));
    let survey = survey.into_iter().map(|row| {
        let (_, model) = crate::collect::label::split_vendor(&row["profile_id"]);
        model.to_owned()
    });
    let named = rows.iter().flat_map(Row::models).map(str::to_owned);
    survey.chain(named).collect()
}

/// All that the mapping says of a model: variant and kind to what it is mapped to.
fn all_of(
    model: &str,
    family: Family,
    names: &QuotaNames,
    tables: &Tables,
) -> Vec<(Variant, QuotaKind, Mapping)> {
    let model = ModelId::new(model);
    let mapper = Mapper::new(&model, family, names, tables);
    let mut all = mapper.variants();
    all.insert(Variant::Standard, mapper.standard());
    let flat = all.into_iter().flat_map(|(variant, kinds)| {
        let kinds = kinds.into_iter();
        kinds.map(move |(kind, mapping)| (variant.clone(), kind, mapping))
    });
    flat.collect()
}

#[test]
fn the_corpus_is_decided_row_by_row_and_is_the_list_of_names() {
    let rows = corpus();
    let listed: Vec<BTreeMap<String, String>> =
        read(include_str!("../../../../tests/data/aws/quota-names.csv"));
    let listed: BTreeMap<&str, &str> = listed
        .iter()
        .map(|row| (row["quota_code"].as_str(), row["quota_name"].as_str()))
        .collect();
    let decided: BTreeMap<&str, &str> = rows
        .iter()
        .map(|row| (row.quota_code.as_str(), row.quota_name.as_str()))
        .collect();
    assert_eq!(listed, decided);
    assert_eq!(rows.len(), 362, "a code comes twice");
    for row in &rows {
        let how = ["reading: ", "model name: ", "public index: "];
        let is_decided = how.iter().any(|how| row.decided.starts_with(how));
        assert!(is_decided, "{} is {}", row.quota_code, row.decided);
        let needs_models = row.kind().is_some();
        assert!(!needs_models || row.models().next().is_some(), "{row:?}");
        assert_eq!(
            needs_models,
            row.families().iter().any(|it| *it != Family::Account) && row.kind != "concurrency",
            "{row:?}"
        );
    }
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "the figures are read, not only their being good enough"
)]
fn every_true_pair_is_found_and_nothing_else() {
    let rows = corpus();
    let (names, truth) = (names(&rows), truth(&rows));
    let (mut found, mut wrong, mut missed) = (0, Vec::new(), Vec::new());
    for model in models(&rows) {
        for family in Family::ALL {
            for (variant, kind, mapping) in all_of(&model, family, &names, tables()) {
                let why = why(&mapping, kind, &ModelId::new(&*model), family, &names);
                assert!(why.len() > 20, "{model} {family} {kind}: no reason");
                let key = (model.clone(), family, variant, kind);
                match (truth.get(&key), mapping.code()) {
                    (Some(codes), Some(code)) if codes.contains(code) => found += 1,
                    (_, Some(code)) => wrong.push((key, code.clone())),
                    (Some(codes), None) => missed.push((key, codes.clone(), mapping)),
                    (None, None) => {}
                }
            }
        }
    }
    println!(
        "corpus: {} true pairs, {found} found, {} missed, {} wrong",
        truth.len(),
        missed.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(missed.is_empty(), "{missed:#?}");
    assert_eq!(found, truth.len());
}

#[test]
fn rows_that_limit_no_model_are_never_mapped() {
    let rows = corpus();
    let names = names(&rows);
    let others: BTreeSet<QuotaCode> = rows
        .iter()
        .filter(|row| row.kind().is_none())
        .map(|row| QuotaCode::new(&*row.quota_code))
        .collect();
    assert!(names.rows.iter().all(|row| !others.contains(&row.code)));
    let account: Vec<&Row> = rows
        .iter()
        .filter(|row| row.kind == "cross-model-tpd")
        .collect();
    assert_eq!(account.len(), 1);
    assert_eq!(
        names.account_tpd(),
        Some(&QuotaCode::new(&*account[0].quota_code))
    );
}

#[test]
fn every_known_wrong_pair_is_refused() {
    let rows = corpus();
    let names = names(&rows);
    let pairs: Vec<Wrong> = read(include_str!(
        "../../../../tests/data/quota-corpus-wrong.csv"
    ));
    assert!(pairs.len() > 300);
    for pair in pairs {
        // A profile id stands for itself; its family is decided by its prefix, see `place`.
        let geo = ["apac.", "us-gov."];
        let stripped = geo.iter().find_map(|it| pair.model_id.strip_prefix(it));
        let families: Vec<Family> = match stripped {
            Some(_) => vec![Family::Geo],
            None => Family::ALL.into(),
        };
        let model = stripped.unwrap_or(&pair.model_id);
        for family in families {
            let is_meant = pair.family.is_empty() || pair.family == family.name();
            if !is_meant {
                continue;
            }
            for (variant, kind, mapping) in all_of(model, family, &names, tables()) {
                let is_meant = pair.kind.is_empty() || pair.kind == kind.name();
                if variant != Variant::Standard || !is_meant {
                    continue;
                }
                let code = mapping.code().map(QuotaCode::as_str);
                assert_ne!(
                    code,
                    Some(&*pair.quota_code),
                    "{model} {family} {kind}: {}",
                    pair.source
                );
                if let Mapping::Ambiguous { candidates } = mapping {
                    panic!("{model} {family} {kind} is ambiguous: {candidates:?}");
                }
            }
        }
    }
}

/// Overrides are for irregular names. Without one of them the answer may be missing; it is never another model's quota.
#[test]
fn without_any_one_override_nothing_becomes_wrong() {
    let rows = corpus();
    let (names, truth) = (names(&rows), truth(&rows));
    let all = tables();
    let mut dropped = 0;
    for (model, labels) in &all.overrides {
        for (index, label) in labels.iter().enumerate() {
            let mut tables = all.clone();
            tables.overrides.get_mut(model).unwrap().remove(index);
            dropped += 1;
            let mut lost = 0;
            for id in [model.clone(), format!("{model}:0")] {
                for family in Family::ALL {
                    for (variant, kind, mapping) in all_of(&id, family, &names, &tables) {
                        let right = truth.get(&(id.clone(), family, variant, kind));
                        match (right, mapping.code()) {
                            (Some(right), Some(code)) => assert!(right.contains(code), "{id}"),
                            (None, Some(code)) => {
                                // `x` and `x:0` are one model; the corpus names it in one of the two ways.
                                let other = id
                                    .strip_suffix(":0")
                                    .map_or(format!("{id}:0"), str::to_owned);
                                let owners =
                                    rows.iter().filter(|row| row.quota_code == code.as_str());
                                let mut owners = owners.flat_map(Row::models);
                                assert!(
                                    owners.any(|it| it == other),
                                    "{id} {family} {kind} took {code}"
                                );
                            }
                            (Some(_), None) => lost += 1,
                            (None, None) => {}
                        }
                    }
                }
            }
            assert!(
                lost > 0,
                "the override `{}` of {model} changes nothing",
                label.label
            );
        }
    }
    assert!(
        dropped * 5 < truth.len(),
        "the grammar does the bulk, not {dropped} overrides"
    );
}
