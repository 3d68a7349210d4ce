//! What must hold for models and names that nobody has seen yet.

use super::*;
use Family::{Geo, Global, Mantle, OnDemand};
use QuotaKind::{InputTpm, OutputTpm, Rpm, Tpd, Tpm};

const FRONTS: [(&str, Family, QuotaKind); 7] = [
    (
        "On-demand model inference requests per minute for",
        OnDemand,
        Rpm,
    ),
    (
        "On-demand model inference tokens per minute for",
        OnDemand,
        Tpm,
    ),
    (
        "Cross-region model inference requests per minute for",
        Geo,
        Rpm,
    ),
    (
        "Cross-Region model inference tokens per minute for",
        Geo,
        Tpm,
    ),
    (
        "Global cross-region model inference requests per minute for",
        Global,
        Rpm,
    ),
    (
        "Global cross-region model inference tokens per minute for",
        Global,
        Tpm,
    ),
    (
        "Global cross-region model inference tokens per day for",
        Global,
        Tpd,
    ),
];

/// Made-up models with regular names, several a vendor, and their labels as AWS would write them.
const REGULAR: [(&str, &str); 34] = [
    ("ai21.jamba-2-large-v1:0", "AI21 Labs Jamba 2 Large"),
    ("ai21.jamba-2-5-mini-v1:0", "AI21 Labs Jamba 2.5 Mini"),
    ("amazon.nova-3-pro-v1:0", "Amazon Nova 3 Pro"),
    ("amazon.nova-3-lite-v1:0", "Amazon Nova 3 Lite V1"),
    (
        "amazon.titan-embed-text-v3:0",
        "Amazon Titan Text Embeddings V3",
    ),
    (
        "anthropic.claude-sonnet-6-20270101-v1:0",
        "Anthropic Claude Sonnet 6",
    ),
    (
        "anthropic.claude-sonnet-6-5",
        "Anthropic Claude Sonnet 6.5 V1",
    ),
    (
        "anthropic.claude-opus-6-20270301-v2:0",
        "Anthropic Claude Opus 6 V2",
    ),
    (
        "anthropic.claude-opus-6-20270301-v1:0",
        "Anthropic Claude Opus 6 V1",
    ),
    ("anthropic.claude-fable-7-12", "Anthropic Claude Fable 7.12"),
    ("cohere.command-s-v1:0", "Cohere Command S"),
    ("cohere.embed-v5:0", "Cohere Embed V5"),
    ("cohere.rerank-v4-0:0", "Cohere Rerank 4.0"),
    ("deepseek.v4", "DeepSeek V4"),
    ("deepseek.v4.1", "DeepSeek V4.1"),
    ("deepseek.r2-v1:0", "DeepSeek R2 V1"),
    ("google.gemma-4-31b-it", "Gemma 4 31B"),
    ("google.gemma-4-26b-a4b", "Google Gemma 4 26B A4B"),
    ("meta.llama5-70b-instruct-v1:0", "Meta Llama 5 70B Instruct"),
    (
        "meta.llama5-1-8b-instruct-v1:0",
        "Meta Llama 5.1 8B Instruct",
    ),
    ("minimax.minimax-m3", "MiniMax M3"),
    ("mistral.ministral-4-8b-instruct", "Ministral 8B 4.0"),
    ("mistral.mistral-large-2612-v1:0", "Mistral Large (26.12)"),
    ("mistral.devstral-3-70b", "Mistral Devstral 3 70b"),
    ("moonshotai.kimi-k3", "Moonshot AI Kimi K3"),
    ("moonshotai.kimi-k3.1-thinking", "Kimi K3.1 Thinking"),
    ("nvidia.nemotron-nano-4-30b", "Nemotron Nano 4 30B A3B"),
    ("openai.gpt-7-sol", "GPT-7 Sol"),
    ("openai.gpt-oss-200b-1:0", "OpenAI GPT OSS 200B"),
    ("qwen.qwen4-coder-90b-a7b-v1:0", "Qwen4 Coder 90B a7b V1"),
    (
        "stability.stable-fast-upscale-v2:0",
        "Stable Image Fast Upscale V2",
    ),
    (
        "twelvelabs.marengo-embed-4-0-v1:0",
        "TwelveLabs Marengo Embed 4.0",
    ),
    ("zai.glm-6", "Z.ai GLM 6"),
    ("newcomer.wonder-2-mini-v1:0", "Newcomer Wonder 2 Mini"),
];

#[test]
fn a_new_model_with_a_regular_name_maps_without_new_data() {
    for (model, label) in REGULAR {
        for (front, family, kind) in FRONTS {
            let names = numbered(&[&format!("{front} {label}")]);
            for other in [OnDemand, Geo, Global] {
                let all = mapped(model, other, &names, tables());
                for (each, mapping) in all {
                    let expected = other == family && each == kind;
                    assert_eq!(
                        mapping.code().is_some(),
                        expected,
                        "{model}: {front} {label}"
                    );
                }
            }
        }
    }
}

/// All labels at once: each model takes its own and no other one's.
#[test]
fn regular_names_are_never_taken_for_one_another() {
    let front = "Cross-region model inference tokens per minute for";
    let all: Vec<String> = REGULAR
        .iter()
        .map(|(_, label)| format!("{front} {label}"))
        .collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let names = numbered(&all);
    for (index, (model, label)) in (1..).zip(REGULAR) {
        let mapping = mapped(model, Geo, &names, tables()).remove(&Tpm).unwrap();
        let own = QuotaCode::new(format!("L-{index}"));
        assert_eq!(mapping.code(), Some(&own), "{model}, {label}: {mapping:?}");
    }
    // Held out: without its own label a model has none.
    for (index, (model, _)) in REGULAR.iter().enumerate() {
        let mut rest = all.clone();
        rest.remove(index);
        let mapping = mapped(model, Geo, &numbered(&rest), tables()).remove(&Tpm);
        assert_eq!(mapping, Some(Mapping::Absent), "{model}");
    }
}

/// One step of a version, a size, a word or a revision makes another model.
#[test]
fn a_neighbour_is_never_the_model() {
    let near = [
        ("anthropic.claude-sonnet-6", "Anthropic Claude Sonnet 6.1"),
        ("anthropic.claude-sonnet-6-1", "Anthropic Claude Sonnet 6"),
        ("anthropic.claude-sonnet-6", "Anthropic Claude Sonnet 6 V2"),
        ("anthropic.claude-sonnet-6", "Anthropic Claude Opus 6"),
        ("anthropic.claude-sonnet-6-5", "Anthropic Claude Sonnet 5.6"),
        ("anthropic.claude-v2:1", "Anthropic Claude V2"),
        ("anthropic.claude-v2", "Anthropic Claude V2.1"),
        ("amazon.nova-lite-v1:0", "Amazon Nova 2 Lite"),
        ("amazon.nova-lite-v2:0", "Amazon Nova Lite"),
        ("cohere.command-r-v1:0", "Cohere Command R Plus"),
        ("cohere.command-r-plus-v1:0", "Cohere Command R"),
        ("deepseek.v3-v1:0", "DeepSeek V3.2"),
        ("deepseek.v3.2", "DeepSeek V3 V1"),
        ("minimax.minimax-m2", "MiniMax M2.5"),
        ("minimax.minimax-m2.1", "Minimax M2"),
        ("meta.llama3-8b-instruct-v1:0", "Meta Llama 3 8B"),
        ("meta.llama3-8b-instruct-v1:0", "Meta Llama 3 80B Instruct"),
        ("meta.llama2-13b-v1", "Meta Llama 2 Chat 13B"),
        ("nvidia.nemotron-nano-4-30b", "Nemotron Nano 4 31B A3B"),
        ("qwen.qwen3-coder-30b-a3b-v1:0", "Qwen3 Coder 30B a4b V1"),
        ("zai.glm-4.7", "Z.ai GLM-4.7 Flash"),
        ("zai.glm-4.7-flash", "Z.ai GLM-4.7"),
        ("google.gemma-4-31b-pt", "Gemma 4 31B"),
        ("openai.gpt-6-sol", "GPT-6 Luna"),
        ("mistral.mistral-large-2411-v1:0", "Mistral Large"),
        ("mistral.mistral-large-2411-v1:0", "Mistral Large 2407"),
        ("twelvelabs.pegasus-1-5-v1:0", "Twelve Labs Pegasus"),
        ("cohere.embed-english-v4", "Cohere Embed English"),
    ];
    for (model, label) in near {
        let names = numbered(&[&format!(
            "On-demand model inference tokens per minute for {label}"
        )]);
        let mapping = mapped(model, OnDemand, &names, tables()).remove(&Tpm);
        assert_eq!(mapping, Some(Mapping::Absent), "{model}, {label}");
    }
}

#[test]
fn other_sorts_of_requests_and_other_features_are_kept_apart() {
    let names = numbered(&[
        "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1 1M Context Length",
        "On-Demand, latency-optimized model inference tokens per minute for Amazon Nova Pro V1",
        "On-demand model inference concurrent requests for Amazon Nova Pro",
        "Batch inference job size (in GB) for Amazon Nova Pro",
        "Model units per provisioned model for Amazon Nova Pro",
        "(Guardrails) On-demand ApplyGuardrail requests per second",
    ]);
    assert_eq!(names.rows.len(), 2);
    let sonnet = ModelId::new("anthropic.claude-sonnet-4-5-20250929-v1:0");
    assert_eq!(map(&sonnet, Geo, &names)[&Tpm], Mapping::Absent);
    let long = variants(&sonnet, Geo, &names);
    let name = Variant::LongContext("1m".to_owned());
    assert_eq!(long[&name][&Tpm].code(), Some(&QuotaCode::new("L-1")));
    let nova = ModelId::new("amazon.nova-pro-v1:0");
    assert_eq!(map(&nova, OnDemand, &names)[&Tpm], Mapping::Absent);
    let fast = variants(&nova, OnDemand, &names);
    assert_eq!(
        fast[&Variant::LatencyOptimized][&Tpm].code(),
        Some(&QuotaCode::new("L-2"))
    );
    assert!(variants(&nova, Geo, &names).is_empty());
}

#[test]
fn mantle_has_input_and_output_and_nothing_else() {
    let names = numbered(&[
        "[bedrock-mantle endpoint] Input tokens per minute for GPT-5.6 Luna",
        "[bedrock-mantle endpoint] Output tokens per minute for GPT-5.6 Luna",
        "[bedrock-mantle endpoint] Input tokens per minute for GPT-5.6 Sol",
        "[bedrock-mantle endpoint] Input tokens per minute for Claude Opus 4.7",
        "On-demand model inference tokens per minute for GPT-5.6 Luna",
    ]);
    let luna = mapped("openai.gpt-5.6-luna", Mantle, &names, tables());
    let code = |kind: QuotaKind| luna[&kind].code().map(QuotaCode::as_str);
    assert_eq!(
        (code(InputTpm), code(OutputTpm)),
        (Some("L-1"), Some("L-2"))
    );
    assert_eq!(luna.len(), 2);
    let opus = mapped("anthropic.claude-opus-4-7", Mantle, &names, tables());
    assert_eq!(opus[&InputTpm].code(), Some(&QuotaCode::new("L-4")));
    assert_eq!(opus[&OutputTpm], Mapping::Absent);
    let runtime = mapped("openai.gpt-5.6-luna", OnDemand, &names, tables());
    assert_eq!(runtime[&Tpm].code(), Some(&QuotaCode::new("L-5")));
}

#[test]
fn documents_and_the_api_write_the_same_quota_in_two_ways() {
    let names =
        numbered(&["Cross-Region InvokeModel tokens per minute for Anthropic Claude Opus 5.5"]);
    let opus = mapped("anthropic.claude-opus-5-5", Geo, &names, tables());
    assert_eq!(opus[&Tpm].code(), Some(&QuotaCode::new("L-1")));
}

#[test]
fn two_fits_are_ambiguous_and_none_is_unknown_until_all_names_are_read() {
    let front = "Cross-region model inference tokens per minute for";
    let model = ModelId::new("anthropic.claude-sonnet-4-6");
    let names = numbered(&[
        &format!("{front} Claude 4.6 Sonnet"),
        &format!("{front} Anthropic Claude Sonnet 4.6 V1"),
    ]);
    let all = map(&model, Geo, &names);
    let candidates = vec![QuotaCode::new("L-1"), QuotaCode::new("L-2")];
    assert_eq!(all[&Tpm], Mapping::Ambiguous { candidates });
    assert_eq!(all[&Rpm], Mapping::Absent);
    let partial = QuotaNames::partial(&BTreeMap::new());
    assert_eq!(map(&model, Geo, &partial)[&Rpm], Mapping::Unknown);
}

#[test]
fn of_two_labels_that_differ_in_a_word_left_out_the_closer_one_counts() {
    let front = "On-demand model inference tokens per minute for";
    let names = numbered(&[
        &format!("{front} Gemma 4 31B"),
        &format!("{front} Gemma 4 31B IT"),
    ]);
    let tuned = mapped("google.gemma-4-31b-it", OnDemand, &names, tables());
    assert_eq!(tuned[&Tpm].code(), Some(&QuotaCode::new("L-2")));
    let plain = mapped("google.gemma-4-31b", OnDemand, &names, tables());
    assert_eq!(plain[&Tpm].code(), Some(&QuotaCode::new("L-1")));
}

#[test]
fn reasons_name_the_quota_the_review_the_candidates_and_what_was_refused() {
    let front = "On-demand model inference tokens per minute for";
    let names = numbered(&[
        &format!("{front} Mistral AI Mistral 7B Instruct"),
        &format!("{front} Anthropic Claude 3.5 Sonnet V2"),
        &format!("{front} Claude 4.6 Sonnet"),
        &format!("{front} Anthropic Claude Sonnet 4.6"),
        "Cross-Model Max Tokens Per Day",
    ]);
    let told = |model: &str, kind: QuotaKind| {
        let model = ModelId::new(model);
        let all = map(&model, OnDemand, &names);
        why(&all[&kind], kind, &model, OnDemand, &names)
    };
    let told = [
        told("mistral.mistral-7b-instruct-v0:2", Tpm),
        told("anthropic.claude-3-5-sonnet-20240620-v1:0", Tpm),
        told("anthropic.claude-sonnet-4-6", Tpm),
        told("anthropic.claude-sonnet-4-6", Tpd),
    ];
    insta::assert_snapshot!(told.join("\n"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Whatever AWS writes, it is mapped by a proof or not at all, and the same each time.
    #[test]
    fn strange_names_are_mapped_the_same_each_time_or_not_at_all(
        model in "\\PC{0,30}|[a-z0-9]{1,8}\\.[a-z0-9.-]{0,24}(-v[0-9]{1,3}(:[0-9])?)?",
        label in "\\PC{0,40}|[A-Z][a-zA-Z0-9 .-]{0,30}",
        front in 0..FRONTS.len(),
    ) {
        let (front, family, kind) = FRONTS[front];
        let name = format!("{front} {label}");
        let names = numbered(&[&name]);
        let id = ModelId::new(model.as_str());
        let once = map(&id, family, &names);
        proptest::prop_assert_eq!(&once, &map(&id, family, &names));
        let mapped: Vec<_> = once.iter().filter(|(_, it)| it.code().is_some()).collect();
        // One name gives one kind a code at most, and no other kind than its own.
        proptest::prop_assert!(mapped.len() <= 1, "{:?}", mapped);
        proptest::prop_assert!(mapped.iter().all(|(it, _)| **it == kind), "{:?}", mapped);
    }
}
