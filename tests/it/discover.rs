//! `discover` from two lists and from a scripted account, as people and scripts read it.

use std::{collections::BTreeMap, fs, path::PathBuf};

use bedrock_ops_alert::{
    app::discover::{ListError, compare, read_quotas},
    cli::{
        discover::{Style, write},
        mapping::explain_list,
        remote::Format,
    },
    collect::survey::{Survey, survey},
    model::ids::{AccountId, Region, Scope},
    sim::{Faults, Sim, World, cloud},
};
use serde_json::Value;

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// A file of its own for a test; gone with the target folder.
fn file(name: &str, text: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/tmp");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("discover-{}-{name}", std::process::id()));
    fs::write(&path, text).unwrap();
    path
}

fn printed(surveys: &[Survey], style: Style) -> String {
    let mut out = Vec::new();
    write(surveys, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const IDS: &str = "model_id,region\n\
    us.anthropic.claude-sonnet-4-6,us-east-1\n\
    global.anthropic.claude-sonnet-4-6,us-east-1\n\
    anthropic.claude-sonnet-4-6,us-east-1\n\
    apac.anthropic.claude-3-5-sonnet-20240620-v1:0,ap-south-1\n\
    us-gov.anthropic.claude-3-haiku-20240307-v1:0,us-gov-west-1\n\
    zz.anthropic.claude-opus-4-7,us-east-1\n\
    us.anthropic.claude-sonnet-4-5-20250929-v1:0,us-east-1\n\
    amazon.nova-pro-v1:0:300k,us-east-1\n\
    abcdef123456,us-east-1\n";

#[test]
fn two_lists_make_the_document_that_is_promised() {
    let surveys = compare(&file("ids.csv", IDS), &data("aws/quota-names.csv")).unwrap();
    let text = printed(&surveys, Style::Json);
    insta::assert_snapshot!("discover_lists_json", text);
    let document: Value = serde_json::from_str(&text).unwrap();
    let pools = document["pools"].as_array().unwrap();
    let of = |target: &str| {
        let has = |pool: &&Value| pool["targets"][0]["id"] == target;
        pools.iter().find(has).unwrap()
    };
    let us = of("us.anthropic.claude-sonnet-4-6");
    assert_eq!(us["family"], "geo");
    assert_eq!(us["quotas"]["tpm"]["state"], "mapped");
    assert_eq!(us["quotas"]["tpm"]["code"], "L-15B8E632");
    assert_eq!(us["quotas"]["tpm"]["default"], 6_000_000.0);
    assert_eq!(us["quotas"]["tpm"]["adjustable"], true);
    assert_eq!(us["quotas"]["tpm"]["applied"], Value::Null);
    let any = of("zz.anthropic.claude-opus-4-7");
    assert_eq!(any["family"], "geo", "no list of prefixes is closed");
    assert_eq!(any["quotas"]["rpm"]["state"], "absent");
    let long = of("us.anthropic.claude-sonnet-4-5-20250929-v1:0");
    assert_eq!(long["quotas"]["tpm"]["code"], "L-F4DDD3EB");
    assert_eq!(long["variants"]["1m-context"]["tpm"]["code"], "L-8EA73537");
    assert_eq!(document["unplaced"].as_array().unwrap().len(), 2);
}

#[test]
fn two_lists_read_well() {
    let surveys = compare(&file("read.csv", IDS), &data("aws/quota-names.csv")).unwrap();
    insta::assert_snapshot!("discover_lists", printed(&surveys, Style::Plain));
    let coloured = printed(&surveys, Style::Coloured);
    assert!(coloured.contains("\u{1b}[2m") && coloured.contains("\u{1b}[0m"));
    // Colour says nothing that the words don't.
    let bare = ["\u{1b}[2m", "\u{1b}[33m", "\u{1b}[31m", "\u{1b}[0m"];
    let bare = bare
        .iter()
        .fold(coloured, |text, code| text.replace(code, ""));
    assert_eq!(bare, printed(&surveys, Style::Plain));
}

/// The whole corpus through the command: every id of every row, by the prefix of its family.
#[test]
fn the_corpus_through_the_command_finds_all_and_nothing_wrong() {
    let mut truth: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut ids = String::from("model_id,region\n");
    let mut reader = csv::Reader::from_path(data("quota-corpus.csv")).unwrap();
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        let is_told = ["rpm", "tpm", "tpd"].contains(&row["kind"].as_str());
        if !is_told || !row["context"].is_empty() {
            continue;
        }
        for family in row["family"].split('+') {
            for model in row["model_ids"].split(' ') {
                let prefix = match family {
                    "geo" => "apac.",
                    "global" => "global.",
                    _ => "",
                };
                let id = format!("{prefix}{model}");
                ids.push_str(&format!("{id},us-east-1\n"));
                truth.insert((id, row["kind"].clone()), row["quota_code"].clone());
            }
        }
    }
    let surveys = compare(&file("corpus.csv", &ids), &data("aws/quota-names.csv")).unwrap();
    let document: Value = serde_json::from_str(&printed(&surveys, Style::Json)).unwrap();
    let mut found = 0;
    for pool in document["pools"].as_array().unwrap() {
        let id = pool["targets"][0]["id"].as_str().unwrap();
        for (kind, quota) in pool["quotas"].as_object().unwrap() {
            let right = truth.get(&(id.to_owned(), kind.clone()));
            assert!(quota["why"].as_str().unwrap().len() > 20);
            assert_eq!(
                quota["code"].as_str(),
                right.map(String::as_str),
                "{id} {kind}"
            );
            found += usize::from(right.is_some());
        }
    }
    assert_eq!(found, truth.len());
    assert_eq!(document["unplaced"], serde_json::json!([]));
}

#[test]
fn mantle_pools_stand_beside_runtime_ones_where_the_names_speak_of_them() {
    let quotas = "quota_code,quota_name,default_value,adjustable\n\
        L-IN,[bedrock-mantle endpoint] Input tokens per minute for GPT-5.6 Luna,10000000,Yes\n\
        L-OUT,[bedrock-mantle endpoint] Output tokens per minute for GPT-5.6 Luna,,\n";
    let ids = "model_id,region\nopenai.gpt-5.6-luna,us-east-1\nopenai.gpt-5.5,us-east-1\n";
    let surveys = compare(&file("m.csv", ids), &file("mq.csv", quotas)).unwrap();
    let document: Value = serde_json::from_str(&printed(&surveys, Style::Json)).unwrap();
    let pools = document["pools"].as_array().unwrap();
    let told: Vec<String> = pools
        .iter()
        .map(|pool| format!("{} {}", pool["model"], pool["family"]).replace('"', ""))
        .collect();
    let expected = [
        "openai.gpt-5.5 on-demand",
        "openai.gpt-5.6-luna on-demand",
        "openai.gpt-5.6-luna mantle",
    ];
    assert_eq!(told, expected);
    assert_eq!(pools[2]["quotas"]["input_tpm"]["code"], "L-IN");
    assert_eq!(pools[2]["quotas"]["output_tpm"]["code"], "L-OUT");
    assert_eq!(pools[2]["targets"][0]["kind"], "mantle");
}

#[test]
fn a_list_that_cannot_be_used_says_which_and_why() {
    let quotas = data("aws/quota-names.csv");
    let ids = file("ok.csv", IDS);
    let refused = |result: Result<Vec<Survey>, ListError>| {
        let error = result.unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error}: {}", source.unwrap_or_default())
    };
    let wrong = refused(compare(&file("h.csv", "id,where\na,b\n"), &quotas));
    assert!(
        wrong.contains("model_id,region") && wrong.contains("missing field"),
        "{wrong}"
    );
    let empty = refused(compare(&file("e.csv", "model_id,region\n"), &quotas));
    assert!(empty.contains("has no rows"), "{empty}");
    let none = refused(compare(&ids, &data("none.csv")));
    assert!(
        none.contains("could not read") && none.contains("none.csv"),
        "{none}"
    );
    let amount = "quota_code,quota_name,default_value\nL-1,x,many\n";
    let amount = refused(compare(&ids, &file("a.csv", amount)));
    assert!(amount.contains("`many` is no amount"), "{amount}");
}

#[test]
fn explain_mapping_tells_why_from_a_list() {
    let quotas = read_quotas(&data("aws/quota-names.csv")).unwrap();
    let mut out = Vec::new();
    for pool in [
        "111122223333/us-east-1/geo/anthropic.claude-3-5-sonnet-20240620-v1:0",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "mistral.mixtral-8x7b-instruct-v0:1",
        "somewhere/unheard-of",
    ] {
        explain_list(pool, &quotas, Format::Text, &mut out).unwrap();
    }
    insta::assert_snapshot!("explain_mapping_lists", String::from_utf8(out).unwrap());
}

const WORLD: &str = r#"
start = "2026-11-02T00:00:00Z"
length = "1d"
history = "1d"
[[account]]
id = "111122223333"
regions = ["us-east-1"]
[[model]]
id = "anthropic.claude-sonnet-4-6"
label = "Anthropic Claude Sonnet 4.6"
burndown = 5
[[model]]
id = "amazon.nova-pro-v1:0"
label = "Amazon Nova Pro"
life_cycle = "LEGACY"
legacy = "2026-09-01T00:00:00Z"
extended_access = "2026-12-01T00:00:00Z"
end_of_life = "2027-03-01T00:00:00Z"
[[profile]]
id = "us.anthropic.claude-sonnet-4-6"
model = "anthropic.claude-sonnet-4-6"
destinations = ["us-east-1", "us-west-2"]
[[application_profile]]
id = "abcdef123456"
name = "checkout"
account = "111122223333"
region = "us-east-1"
copied_from = "us.anthropic.claude-sonnet-4-6"
[[mantle]]
account = "111122223333"
region = "us-east-1"
project = "default"
model = "openai.gpt-5.5"
[[quota]]
account = "111122223333"
region = "us-east-1"
code = "L-00FF3314"
applied = 0
[[target]]
account = "111122223333"
region = "us-east-1"
id = "us.anthropic.claude-sonnet-4-6"
trace = "steady"
requests_per_minute = 20
[[target]]
account = "111122223333"
region = "us-east-1"
id = "abcdef123456"
trace = "steady"
requests_per_minute = 5
[[target]]
account = "111122223333"
region = "us-east-1"
id = "amazon.nova-pro-v1:0"
trace = "steady"
requests_per_minute = 5
"#;

/// Everything at once, from an account: application profile, mantle, a blocked quota, a model that ends.
#[tokio::test]
async fn an_account_reads_well() {
    let world = World::parse(WORLD).unwrap();
    let account = AccountId::new("111122223333");
    let scope = Scope {
        account: account.clone(),
        region: Region::new("us-east-1"),
    };
    let start = world.start;
    let sim = Sim::new(world, 1);
    let faults = std::sync::Arc::new(Faults::none());
    let cloud = cloud(&sim, account, faults);
    let found = survey(&*cloud, &scope, start).await;
    assert_eq!(found.faults, []);
    insta::assert_snapshot!("discover_account", printed(&[found], Style::Plain));
}
