//! `run` as an operator meets it when something is wrong: what stands on standard error, and the exit code.

#![cfg(test)] // helpers count as tests, too

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use bedrock_ops_alert::{
    model::time::after,
    sim::{
        Sim, World,
        wire::{Options, Speed, WireFaults},
    },
    store,
};
use serde_json::Value;

use crate::{
    sdk_faults::{Reaction, Server},
    support::{Served, root, serve},
};

pub(crate) const CONFIG: &str = r#"
mode = "file"

[[account]]
id = "111122223333"
regions = ["us-east-1"]

[receiver.oncall]
kind = "sns"
topic_arn = "arn:aws:sns:us-east-1:111122223333:bedrock-alerts"

[[route]]
receiver = "oncall"
severity = "info"
"#;

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

/// A folder in which the program runs, taken away at the end.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("run-{name}-{}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _gone = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn with(self, file: &str, text: &str) -> Self {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Everything that lies in it, so that a test can tell whether anything was touched.
    pub(crate) fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = fs::read(&path).unwrap();
                    found.insert(path, bytes);
                }
            }
        }
        found
    }

    /// The program, to be run here; without credentials, profile or instance metadata unless `environment` has them.
    pub(crate) fn command(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-ops-alert"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", &self.0)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_REGION", "us-east-1")
            .env("BOA_HOST_CONFIG", "") // whatever is installed on this machine
            .envs(environment.iter().copied())
            .current_dir(&self.0)
            .stdin(Stdio::null());
        command
    }

    fn program(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Ended {
        let output = self.command(environment, arguments).output().unwrap();
        Ended {
            code: output.status.code().unwrap(),
            told: readable(&String::from_utf8(output.stderr).unwrap()),
        }
    }

    /// `run` with credentials, against this endpoint.
    fn run(&self, url: &str, arguments: &[&str]) -> Ended {
        let mut all = vec!["run", "--listen", "127.0.0.1:0"];
        all.extend(arguments);
        self.program(
            &[
                ("AWS_ENDPOINT_URL", url),
                ("AWS_ACCESS_KEY_ID", "testing"),
                ("AWS_SECRET_ACCESS_KEY", "testing"),
            ],
            &all,
        )
    }

    /// `run` with the configuration of this file, in the time of the simulated AWS.
    fn serve_for(&self, served: &Served, time: &str) -> Ended {
        let clock = ["--sim-clock", &served.url, "--for", time];
        let mut arguments = vec!["--config", "config.toml", "--store", "store"];
        arguments.extend(clock);
        self.run(&served.url, &arguments)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// What became of the program.
struct Ended {
    code: i32,
    told: Vec<String>,
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "exit {}", self.code)?;
        self.told.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Log lines as level, event and text, the rest as it is.
pub(crate) fn readable(stderr: &str) -> Vec<String> {
    let line = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(event) => {
            let field = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            // Of what is about an incident the sentence says where.
            let is_placed = event["region"].is_string() && event["subject"].is_null();
            let place = format!("{}/{}", field("account"), field("region"));
            let place = if is_placed { place } else { String::new() };
            let [level, name, stage] = ["level", "event", "stage"].map(field);
            let parts = [level, name, stage, place, field("message"), field("error")];
            let parts: Vec<String> = parts.into_iter().filter(|it| !it.is_empty()).collect();
            parts.join(" ")
        }
        Err(_) => line.to_owned(),
    };
    // The check of the history runs beside the service: its line stands wherever it ends.
    let steady = |it: &&str| !it.contains("history.checked");
    stderr.lines().filter(steady).map(line).collect()
}

/// The smallest world an hour into its shortage, to whose callers these actions are not allowed.
pub(crate) async fn short_of(denied: &[&str]) -> Served {
    short_of_in(World::built_in("minute").unwrap(), denied).await
}

async fn short_of_in(world: World, denied: &[&str]) -> Served {
    let sim = Sim::new(world, 1);
    sim.advance_to(after(sim.now(), 5 * 60));
    let mut options = Options::at(Speed::Max);
    options.faults = WireFaults {
        denied: denied.iter().map(|action| (*action).to_owned()).collect(),
        ..WireFaults::default()
    };
    serve(sim, options).await
}

#[test]
fn without_credentials_nothing_starts() {
    let place = Place::new("no-credentials");
    let ended = place.program(
        &[("AWS_ENDPOINT_URL", NOWHERE)],
        &["run", "--listen", "127.0.0.1:0"],
    );
    insta::assert_snapshot!("no_credentials", ended);
}

#[test]
fn without_a_region_nothing_starts() {
    let place = Place::new("no-region");
    let ended = place.program(&[("AWS_REGION", "")], &["run"]);
    insta::assert_snapshot!("no_region", ended);
}

#[test]
fn a_role_that_is_none_is_told_with_its_account() {
    let config = CONFIG.replace("regions", "role_arn = \"BedrockOpsAlert\"\nregions");
    let place = Place::new("role").with("config.toml", &config);
    let ended = place.run(NOWHERE, &["--config", "config.toml"]);
    insta::assert_snapshot!("role", ended);
}

#[test]
fn expired_credentials_are_told_as_such() {
    let expired = "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error></ErrorResponse>";
    let server = Server::start(Reaction::Answer(403, expired));
    let ended = Place::new("expired").run(&server.url, &[]);
    insta::assert_snapshot!("expired", ended);
}

#[test]
fn an_aws_out_of_reach_is_told_as_such() {
    let ended = Place::new("unreachable").run(NOWHERE, &[]);
    insta::assert_snapshot!("unreachable", ended);
}

#[test]
fn simulated_time_is_for_a_simulated_aws_that_is_there() {
    let place = Place::new("sim-clock");
    let mut told = String::new();
    for (url, clock) in [
        ("https://monitoring.us-east-1.amazonaws.com", NOWHERE),
        (NOWHERE, "http://192.0.2.1:4566"),
        (NOWHERE, NOWHERE),
    ] {
        told += &place.run(url, &["--sim-clock", clock]).to_string();
    }
    insta::assert_snapshot!("sim_clock", told);
}

#[test]
fn a_taken_port_is_told_with_the_way_out() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let place = Place::new("taken").with("config.toml", CONFIG);
    let ended = place.program(
        &[("AWS_ENDPOINT_URL", NOWHERE)],
        &["run", "--config", "config.toml", "--listen", &address],
    );
    let told = ended.to_string().replace(&address, "127.0.0.1:PORT");
    insta::assert_snapshot!("taken_port", told);
}

#[test]
fn all_faults_of_a_configuration_are_told_at_once() {
    let config = r#"
mode = "fille"
mood = "observe"
[cadence]
quiet = "5 parsecs"
[rule.tpm-share-warning]
above = "180 %"
"#;
    let rule = r#"
[[rule]]
name = "twice"
category = "throttle"
severity = "critical"
remedy = "notify"
window = "2 of 3"
clear_for = "5m"
runbook = "Look."
count = { of = "throttles", at_least = 5, share = "1 %", min_demand = 0 }
"#;
    let place = Place::new("faults")
        .with("config.toml", config)
        .with("rules/one.toml", rule)
        .with("rules/two.toml", rule)
        .with("rules.toml", "[rules]\nfolder = \"rules\"\n");
    let mut told = String::new();
    for file in ["config.toml", "rules.toml", "missing.toml"] {
        told += &place.run(NOWHERE, &["--config", file]).to_string();
    }
    insta::assert_snapshot!("faults", told);
    assert!(!place.0.join("bedrock-ops-alert-store").exists());
}

/// As `| true` does: standard output is a pipe that nobody reads. Whether a command sees that or is done before is no
/// matter of luck here.
#[test]
fn output_that_nobody_reads_ends_every_command_quietly() {
    let dump = fs::read(root().join("migrations/0001_initial/after.jsonl")).unwrap();
    let place = Place::new("unread").with("config.toml", CONFIG);
    fs::write(place.path().join("dump.jsonl"), dump).unwrap();
    let loaded = place
        .command(&[], &["store", "load", "store"])
        .stdin(fs::File::open(place.path().join("dump.jsonl")).unwrap())
        .output()
        .unwrap();
    assert!(loaded.status.success(), "{loaded:?}");
    let with_config = ["--config", "config.toml"];
    let commands: [(&[&str], bool); 13] = [
        (&["check"], true),
        (&["check", "--show"], true),
        (&["iam-policy"], true),
        (&["cost", "--plan", "--targets", "5"], true),
        (&["test"], true),
        (&["schema", "config"], false),
        (&["man"], false),
        (&["completions", "bash"], false),
        (&["--help"], false),
        (&["check", "--help"], false),
        (&["store", "dump", "store"], false),
        (&["store", "verify", "store"], false),
        (&["store", "salvage", "store"], false),
    ];
    for (arguments, takes_config) in commands {
        let mut arguments = arguments.to_vec();
        if takes_config {
            arguments.extend(with_config);
        }
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = place.command(&[], &arguments).stdout(writer).output();
        let ended = ended.unwrap();
        let told = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {told}");
        for word in ["panicked", "error", "Broken pipe"] {
            assert!(!told.contains(word), "{arguments:?}: {told}");
        }
    }
    // What is wrong is told on standard error, which may be closed as well: the code says it still.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut unheard = place.command(&[], &["check", "--config", "missing.toml"]);
    let ended = unheard.stderr(writer).output().unwrap();
    assert_eq!(ended.status.code(), Some(78));
}

#[test]
fn a_store_that_cannot_be_opened_is_left_as_it_is() {
    let place = Place::new("stores")
        .with("config.toml", CONFIG)
        .with("file", "a file")
        .with("thesis/thesis.tex", "no store")
        .with("newer/FORMAT", "bedrock-ops-alert store, format 99\n")
        .with("damaged/FORMAT", "bedrock-ops");
    let before = place.contents();
    let mut told = String::new();
    for store in ["file", "file/below", "thesis", "newer", "damaged"] {
        let ended = place.run(NOWHERE, &["--config", "config.toml", "--store", store]);
        told += &format!("--store {store}: {ended}");
    }
    insta::assert_snapshot!("stores", told);
    assert_eq!(place.contents(), before);
}

#[test]
fn a_second_service_on_a_store_ends_and_leaves_the_first_alone() {
    let place = Place::new("second").with("config.toml", CONFIG);
    let first = store::open(&place.0.join("store")).unwrap();
    let before = place.contents();
    let ended = place.run(NOWHERE, &["--config", "config.toml", "--store", "store"]);
    insta::assert_snapshot!("second", ended);
    assert_eq!(place.contents(), before);
    drop(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_may_do_nothing_says_what_it_needs_and_keeps_what_it_knows() {
    let place = Place::new("denied").with("config.toml", CONFIG);
    let served = short_of(&[]).await;
    assert_eq!(place.serve_for(&served, "20m").code, 0);
    let known = keys(&place);
    for kind in ["target", "pool", "quota", "incident", "intent", "ask"] {
        let is_known = known.iter().any(|it| it.starts_with(kind));
        assert!(is_known, "no {kind} in {known:?}");
    }
    let served = short_of(&["*"]).await;
    let ended = place.serve_for(&served, "40m");
    insta::assert_snapshot!("all_denied", ended);
    let lost: Vec<_> = known.difference(&keys(&place)).cloned().collect();
    assert!(lost.is_empty(), "{lost:?}");
}

/// Kind and name of what the store knows, minutes aside.
pub(crate) fn keys(place: &Place) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_bedrock-ops-alert"))
        .args(["store", "dump", "store"])
        .current_dir(&place.0)
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let named = |line: Value| {
        let (kind, record) = line.as_object()?.iter().next()?;
        let name = ["id", "request", "case", "code"].map(|field| record.get(field).cloned());
        let name = name.into_iter().flatten().next()?;
        Some(format!("{kind} {name}"))
    };
    lines.filter_map(named).collect()
}

/// Actions of the policy, in the order in which a shortage needs them.
const ACTIONS: [&str; 9] = [
    "cloudwatch:ListMetrics",
    "bedrock:ListInferenceProfiles",
    "bedrock:ListFoundationModels",
    "servicequotas:ListServiceQuotas",
    "servicequotas:ListAWSDefaultServiceQuotas",
    "cloudwatch:GetMetricData",
    "sns:Publish",
    "sts:GetCallerIdentity",
    "servicequotas:RequestServiceQuotaIncrease",
];

#[tokio::test(flavor = "multi_thread")]
async fn one_action_that_is_not_allowed_is_named_and_the_rest_works() {
    let mut told = String::new();
    for action in ACTIONS {
        let served = short_of(&[action]).await;
        let place = Place::new("one-denied").with("config.toml", CONFIG);
        let ended = place.serve_for(&served, "20m");
        let state = served.sim.state();
        let count = |key: &str| state[key].as_array().unwrap().len();
        told += &format!(
            "without {action}: exit {}, {} messages arrived, {} quota requests\n",
            ended.code,
            count("published"),
            count("quota_requests"),
        );
        let named = ended.told.iter().filter(|line| line.contains(action));
        for line in named {
            told += &format!("  {line}\n");
        }
        served.stop().await;
    }
    insta::assert_snapshot!("one_denied", told);
}

/// A second target of the smallest world's pool, which somebody tagged.
const TAGGED: &str = r#"
[[application_profile]]
id = "b8t4z6n1c2v7"
name = "document-search"
account = "111122223333"
region = "us-east-1"
copied_from = "us.anthropic.claude-sonnet-4-6"
tags = { team = "search" }
[[target]]
account = "111122223333"
region = "us-east-1"
id = "b8t4z6n1c2v7"
trace = "steady"
evened = true
requests_per_minute = 5
input_tokens = 1000
output_tokens = 200
"#;

#[tokio::test(flavor = "multi_thread")]
async fn tags_that_may_not_be_read_are_named_once_and_only_routes_by_tag_miss_them() {
    let action = "bedrock:ListTagsForResource";
    let by_tag = "\n[[route]]\nreceiver = \"search\"\nseverity = \"info\"\ntags = { team = \"search\" }\n\
        [receiver.search]\nkind = \"sns\"\n\
        topic_arn = \"arn:aws:sns:us-east-1:111122223333:bedrock-alerts\"\n";
    let world = include_str!("../data/worlds/minute.toml");
    let mut told = Vec::new();
    for denied in [&[][..], &[action]] {
        let world = World::parse(&format!("{world}\n{TAGGED}")).unwrap();
        let served = short_of_in(world, denied).await;
        let place = Place::new("tags").with("config.toml", &format!("{CONFIG}{by_tag}"));
        let ended = place.serve_for(&served, "20m");
        let state = served.sim.state();
        let count = |key: &str| state[key].as_array().unwrap().len();
        let named = ended.told.iter().filter(|line| line.contains(action));
        let named = named.count();
        told.push((
            ended.code,
            named,
            count("published"),
            count("quota_requests"),
        ));
        served.stop().await;
    }
    let [(_, _, with, _), (_, _, without, _)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(*with, 2 * *without, "the team hears the same");
    assert!(0 < *without);
    assert_eq!(told, [(0, 0, *with, 1), (0, 1, *without, 1)]);
}
