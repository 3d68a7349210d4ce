//! Real model ids against the real list of names. The truth was decided by reading name after name, not taken from the grammar.

use std::collections::BTreeSet;

use super::*;
use crate::collect::label::split_vendor;

fn names() -> BTreeMap<QuotaCode, String> {
    let text = include_str!("../../../tests/data/aws/quota-names.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| (QuotaCode::new(&row[0]), row[1].to_owned()))
        .collect()
}

fn mapped(model: &str, family: Family, kind: QuotaKind) -> Mapping {
    let all = map(&ModelId::new(model), family, &QuotaNames::whole(&names()));
    all[&kind].clone()
}

/// Asserts the code, or with an empty text that there is none.
fn check(model: &str, family: Family, kind: QuotaKind, code: &str) {
    let mapping = mapped(model, family, kind);
    if code.is_empty() {
        assert_eq!(mapping, Mapping::Absent, "{model} {family} {kind}");
    } else {
        let expected = Some(QuotaCode::new(code));
        assert_eq!(
            mapping.code().cloned(),
            expected,
            "{model} {family} {kind}: {mapping:?}"
        );
    }
}

use Family::{Geo, Global, OnDemand};
use QuotaKind::{Rpm, Tpd, Tpm};

#[test]
fn every_profile_of_the_survey_maps_as_its_names_read() {
    let text = include_str!("../../../tests/data/aws/mapping-truth.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut models = BTreeSet::new();
    for row in reader.records() {
        let row = row.unwrap();
        let cells = [(Geo, Rpm), (Geo, Tpm), (Global, Rpm), (Global, Tpm)];
        for (column, (family, kind)) in cells.into_iter().enumerate() {
            check(&row[0], family, kind, &row[column + 1]);
        }
        models.insert(row[0].to_owned());
    }
    let survey = include_str!("../../../tests/data/aws/inference-profiles.csv");
    let mut reader = csv::Reader::from_reader(survey.as_bytes());
    for row in reader.records() {
        let row = row.unwrap();
        let (_, model) = split_vendor(&row[0]);
        assert!(models.contains(model), "{model} has no row in the truth");
    }
}

#[test]
fn each_model_quota_of_the_survey_belongs_to_one_model_only() {
    let text = include_str!("../../../tests/data/aws/mapping-truth.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let models: Vec<String> = reader
        .records()
        .map(|row| row.unwrap()[0].to_owned())
        .collect();
    let names = QuotaNames::whole(&names());
    for family in [OnDemand, Geo, Global] {
        let mut owners: BTreeMap<QuotaCode, &str> = BTreeMap::new();
        for model in &models {
            for mapping in map(&ModelId::new(model), family, &names).values() {
                assert!(
                    !matches!(mapping, Mapping::Ambiguous { .. }),
                    "{model}: {mapping:?}"
                );
                if let Some(code) = mapping.code() {
                    let other = owners.insert(code.clone(), model);
                    assert_eq!(other, None, "{code} also serves {model}");
                }
            }
        }
    }
}

#[test]
fn versions_are_never_part_of_longer_versions() {
    let cases = [
        (
            "anthropic.claude-3-5-sonnet-20240620-v1:0",
            Rpm,
            "L-254CACF4",
        ),
        (
            "anthropic.claude-3-5-sonnet-20240620-v1:0",
            Tpm,
            "L-A50569E5",
        ),
        (
            "anthropic.claude-3-5-sonnet-20241022-v2:0",
            Rpm,
            "L-79E773B3",
        ),
        (
            "anthropic.claude-3-5-sonnet-20241022-v2:0",
            Tpm,
            "L-AD41C330",
        ),
        ("anthropic.claude-3-sonnet-20240229-v1:0", Tpm, "L-4C35BB2A"),
        ("anthropic.claude-sonnet-4-20250514-v1:0", Tpm, ""),
        ("anthropic.claude-opus-4-20250514-v1:0", Tpm, ""),
        ("anthropic.claude-v2", Tpm, "L-B0D9183E"),
        ("anthropic.claude-v2:1", Tpm, ""),
        ("zai.glm-4.7", Rpm, "L-497DDDD7"),
        ("zai.glm-4.7-flash", Rpm, "L-5E856AD9"),
        ("zai.glm-5", Tpm, "L-99316427"),
        ("amazon.nova-lite-v1:0", Tpm, "L-70423BF8"),
        ("amazon.nova-2-lite-v1:0", Tpm, ""),
        ("amazon.nova-lite-v2:0", Tpm, ""),
        ("cohere.command-r-v1:0", Rpm, "L-A49CA90F"),
        ("cohere.command-r-plus-v1:0", Rpm, "L-ADB4B3D7"),
        ("amazon.titan-embed-text-v1", Tpm, "L-74B5B793"),
        ("amazon.titan-embed-text-v2:0", Tpm, "L-DE641971"),
        ("deepseek.v3-v1:0", Rpm, "L-7A5451CB"),
        ("deepseek.v3.2", Rpm, "L-3AE31EFC"),
        ("minimax.minimax-m2", Rpm, "L-828C986E"),
        ("minimax.minimax-m2.1", Rpm, "L-2DA44933"),
        ("minimax.minimax-m2.5", Tpm, "L-359D5670"),
        ("amazon.titan-image-generator-v1", Rpm, "L-7DBB06FD"),
        ("amazon.titan-image-generator-v2:0", Rpm, "L-D6269ADB"),
        ("meta.llama3-8b-instruct-v1:0", Tpm, "L-03A9B835"),
        ("meta.llama3-1-8b-instruct-v1:0", Tpm, "L-9E79C230"),
        ("meta.llama2-13b-chat-v1", Tpm, "L-6DB35E51"),
        ("meta.llama2-13b-v1", Rpm, "L-0700C8EB"),
        ("mistral.mistral-large-2407-v1:0", Rpm, "L-1402869F"),
        ("mistral.mistral-large-2402-v1:0", Rpm, "L-3AF844DB"),
    ];
    for (model, kind, code) in cases {
        check(model, OnDemand, kind, code);
    }
}

#[test]
fn vendors_word_order_and_typing_errors_do_not_hide_a_quota() {
    let cases = [
        ("moonshotai.kimi-k2.5", Rpm, "L-C1711F26"),
        ("moonshot.kimi-k2-thinking", Rpm, "L-02572418"),
        ("openai.gpt-oss-120b-1:0", Tpm, "L-9DC5F595"),
        ("openai.gpt-oss-safeguard-20b", Rpm, "L-65833D55"),
        ("google.gemma-3-4b-it", Tpm, "L-73FB8466"),
        ("nvidia.nemotron-nano-3-30b", Rpm, "L-2DA9C9CC"),
        ("nvidia.nemotron-nano-9b-v2", Rpm, "L-AC7B3FB9"),
        ("nvidia.nemotron-nano-12b-v2", Rpm, "L-AC7B3FB9"),
        ("amazon.titan-embed-g1-text-02", Tpm, "L-74B5B793"),
        ("mistral.mistral-7b-instruct-v0:2", Rpm, "L-D9A35062"),
        ("mistral.mistral-7b-instruct-v0:2", Tpm, "L-02D831F1"),
        ("mistral.mixtral-8x7b-instruct-v0:1", Rpm, "L-FD938632"),
        ("mistral.mixtral-8x7b-instruct-v0:1", Tpm, "L-490F4D1F"),
        ("mistral.mistral-large-2402-v1:0", Tpm, "L-01447289"),
        ("mistral.devstral-2-123b", Tpm, "L-904A6762"),
        ("qwen.qwen3-coder-30b-a3b-v1:0", Rpm, "L-66EE6E0B"),
        ("qwen.qwen3-32b-v1:0", Tpm, "L-B7C52139"),
        ("qwen.qwen3-235b-a22b-2507-v1:0", Tpm, "L-3875BCCF"),
        ("ai21.jamba-1-5-mini-v1:0", Rpm, "L-0449ADC5"),
    ];
    for (model, kind, code) in cases {
        check(model, OnDemand, kind, code);
    }
}

#[test]
fn families_never_stand_in_for_one_another() {
    let sonnet = "anthropic.claude-sonnet-4-6";
    check(sonnet, OnDemand, Tpm, "L-5F5A169C");
    check(sonnet, Geo, Tpm, "L-15B8E632");
    check(sonnet, Global, Tpm, "L-7BEE40FB");
    // The text in brackets of a daily quota makes it no geo quota, and it never becomes one per minute.
    let claude = "anthropic.claude-3-7-sonnet-20250219-v1:0";
    check(claude, Geo, Tpd, "L-9EB71894");
    check(claude, OnDemand, Tpd, "L-9EB71894");
    check(claude, Global, Tpd, "");
    check(
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        Global,
        Tpd,
        "L-BC182137",
    );
    assert!(
        map(
            &ModelId::new(sonnet),
            Family::Mantle,
            &QuotaNames::whole(&names())
        )
        .is_empty()
    );
}

#[test]
fn the_wrong_pairs_of_published_tools_are_refused() {
    let wrong = [
        ("anthropic.claude-3-5-haiku-20241022-v1:0", "L-CCA5DF70"),
        ("anthropic.claude-3-5-haiku-20241022-v1:0", "L-58BE175A"),
        ("anthropic.claude-sonnet-4-20250514-v1:0", "L-F6E116D7"),
        ("anthropic.claude-sonnet-4-20250514-v1:0", "L-7BEE40FB"),
        ("anthropic.claude-sonnet-4-20250514-v1:0", "L-248E47B7"),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", "L-1D3E59A3"),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", "L-FF8B4E28"),
        ("writer.palmyra-x4-v1:0", "L-C2635A4E"),
        ("writer.palmyra-x5-v1:0", "L-C2635A4E"),
        ("amazon.nova-2-lite-v1:0", "L-70423BF8"),
        ("amazon.nova-pro-v1:0", "L-AA7FE948"),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "L-8EA73537"),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "L-4B26E44A"),
        ("anthropic.claude-opus-4-6-v1", "L-C99C7EF6"),
    ];
    let names = QuotaNames::whole(&names());
    for (model, code) in wrong {
        for family in [OnDemand, Geo, Global] {
            let all = map(&ModelId::new(model), family, &names);
            let codes: Vec<_> = all.values().filter_map(Mapping::code).collect();
            assert!(
                !codes.contains(&&QuotaCode::new(code)),
                "{model} {family} {code}"
            );
        }
    }
}

#[test]
fn other_features_and_variants_are_no_model_quotas() {
    let others = [
        "Cross-Model Max Tokens Per Day",
        "On-Demand, latency-optimized model inference tokens per minute for Amazon Nova Pro V1",
        "On-demand model inference concurrent requests for Luma Ray V2",
        "[bedrock-mantle endpoint] Input tokens per minute for Claude Opus 4.7",
        "Batch inference job size (in GB) for Claude 3.7 Sonnet",
        "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1 1M Context Length",
        "Model units per provisioned model for Cohere Command Light",
    ];
    for name in others {
        assert_eq!(classify(name), None, "{name}");
    }
}

#[test]
fn two_fits_are_ambiguous_and_none_is_unknown_until_all_names_are_read() {
    let model = ModelId::new("anthropic.claude-sonnet-4-6");
    let front = "Cross-region model inference tokens per minute for";
    let twice = BTreeMap::from([
        (
            QuotaCode::new("L-2"),
            format!("{front} Anthropic Claude Sonnet 4.6 V1"),
        ),
        (QuotaCode::new("L-1"), format!("{front} Claude 4.6 Sonnet")),
    ]);
    let all = map(&model, Geo, &QuotaNames::whole(&twice));
    let candidates = vec![QuotaCode::new("L-1"), QuotaCode::new("L-2")];
    assert_eq!(all[&Tpm], Mapping::Ambiguous { candidates });
    assert_eq!(all[&Rpm], Mapping::Absent);
    let all = map(&model, Geo, &QuotaNames::partial(&BTreeMap::new()));
    assert_eq!(all[&Rpm], Mapping::Unknown);
}

#[test]
fn a_proof_names_the_quota_and_what_was_reviewed() {
    let Mapping::Mapped { proof, .. } = mapped("mistral.mistral-7b-instruct-v0:2", OnDemand, Tpm)
    else {
        panic!("mapped");
    };
    assert!(
        proof.contains("Mistral AI Mistral 7B Instruct") && proof.contains("L-02D831F1"),
        "{proof}"
    );
}
