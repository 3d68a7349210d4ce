//! The simulated AWS against boto3, whose service models and parsers nobody here wrote.

use std::{fmt::Write as _, fs, path::PathBuf};

use bedrock_ops_alert::{
    model::{
        ids::{AccountId, Region, Scope, TargetId},
        time::{DAY, Minute},
    },
    sim::{
        Sim, World,
        wire::{Options, Speed},
    },
};

use crate::support::{root, run, serve};

/// Application profiles with traffic that are added to the fortnight, so that its metrics fill more than one page.
const MORE_PROFILES: usize = 60;

/// Minutes after which every datapoint is published.
const SETTLED: i64 = 20;

/// The world with its first account as the monitoring account of its second.
pub(crate) fn monitoring(text: &str) -> String {
    let production = "name = \"production\"\n";
    assert!(text.contains(production));
    text.replacen(
        production,
        &format!("{production}monitors = [\"444455556666\"]\n"),
        1,
    )
}

/// What callers are denied, by whom: as many ways as IAM tells apart.
pub(crate) const DENIALS: &str = r#"
[[denial]]
account = "111122223333"
callers = "role/batch"
regions = "us-west-2"
by = "scp"
[[denial]]
account = "111122223333"
callers = "role/batch"
resources = "*:foundation-model/*"
actions = "*Stream"
by = "policy"
policy = "no-streams"
[[denial]]
account = "111122223333"
callers = "user/*"
by = "boundary"
[[denial]]
account = "111122223333"
callers = "group/*"
regions = "unspecified"
by = "nothing"
"#;

/// The world with its first account's invocations logged, and a part of them run elsewhere.
pub(crate) fn logged(text: &str) -> String {
    let account = "[[account]]\nid = \"111122223333\"\n";
    let profile = "[[profile]]\nid = \"us.anthropic.claude-sonnet-4-6\"\n";
    assert!(text.contains(account) && text.contains(profile));
    text.replace(
        account,
        &format!("{account}invocation_logs = \"/bedrock/invocations\"\n"),
    )
    .replace(profile, &format!("{profile}ran_elsewhere = 0.5\n"))
}

/// The fortnight with more application profiles: its file, and the world in it.
fn busy_world() -> (PathBuf, World) {
    let text = fs::read_to_string(root().join("tests/data/worlds/fortnight.toml")).unwrap();
    let mut text = logged(&monitoring(&text));
    for n in 0..MORE_PROFILES {
        write!(
            text,
            "\n[[application_profile]]\nid = \"app{n:09}\"\nname = \"app-{n}\"\naccount = \"111122223333\"\n\
             region = \"us-east-1\"\ncopied_from = \"us.anthropic.claude-opus-4-7\"\n\
             \n[[target]]\naccount = \"111122223333\"\nregion = \"us-east-1\"\nid = \"app{n:09}\"\n\
             trace = \"steady\"\nevened = true\nrequests_per_minute = 1\n"
        )
        .unwrap();
    }
    text.push_str(DENIALS);
    let world = World::parse(&text).unwrap();
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("busy-world.toml");
    fs::write(&path, text).unwrap();
    (path, world)
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_finds_what_the_world_holds() {
    let (path, world) = busy_world();
    let served = serve(Sim::new(world, 1), Options::at(Speed::Max)).await;
    let url = served.url.clone();
    let printed = tokio::task::spawn_blocking(move || {
        run("boto3_client.py", &[&path.to_string_lossy()], &url)
    })
    .await
    .unwrap();
    let report: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let calls = report["calls"].as_u64().unwrap();
    assert!(40 <= calls, "only {calls} calls");

    // What boto3 read of 15 days is what happened, minute by minute.
    let scope = Scope {
        account: AccountId::new("111122223333"),
        region: Region::new("us-east-1"),
    };
    let target = TargetId::new(report["target"].as_str().unwrap());
    let minutes = report["minutes"].as_object().unwrap();
    let end = Minute(report["end"].as_i64().unwrap() / 60);
    let mut silent = 0;
    for minute in end.plus(-15 * DAY).until(end.plus(-SETTLED)) {
        let truth = served.sim.minute(&scope, &target, minute).unwrap();
        let Some(told) = minutes.get(&(minute.0 * 60).to_string()) else {
            assert!(truth.invocations < 1e-6, "{minute} is missing: {truth:?}");
            silent += 1;
            continue;
        };
        let told = told.as_f64().unwrap();
        assert!(
            (told - truth.invocations).abs() < 1e-6,
            "{minute}: boto3 read {told}, {} happened",
            truth.invocations
        );
    }
    assert!(silent < 1_000, "{silent} minutes without a call");
}
