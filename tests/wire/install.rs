//! Installing it, as somebody does who sees it for the first time: `init`, `doctor`, the unit's own command line, the
//! first page. The program is the real one, and AWS the simulated one over HTTP.

#![cfg(test)] // helpers count as tests, too

use std::{
    collections::BTreeSet,
    fs,
    io::Read as _,
    net::{Ipv4Addr, TcpStream},
    os::unix::net::UnixDatagram,
    process::{Child, Command, Output, Stdio},
    thread,
    time::Duration,
};

use bedrock_ops_alert::{
    aws::actions::ALL,
    model::time::after,
    sim::{
        Sim, World,
        wire::{Options, Speed, WireFaults},
    },
};
use serde_json::Value;

use crate::{
    deploy::{metrics_asked_for, metrics_served},
    run::Place,
    sdk_faults::{Reaction, Server},
    support::{Served, free_port, root, serve},
};

/// The smallest world, hours after it began: Bedrock has traffic in one Region.
pub(crate) async fn world(denied: &[&str]) -> Served {
    let mut world = World::built_in("minute").unwrap();
    for account in &mut world.accounts {
        account.invocation_logs = Some("/bedrock/invocations".to_owned());
    }
    let sim = Sim::new(world, 1);
    sim.advance_to(after(sim.now(), 5 * 60));
    let mut options = Options::at(Speed::Max);
    options.faults = WireFaults {
        denied: denied.iter().map(|action| (*action).to_owned()).collect(),
        ..WireFaults::default()
    };
    serve(sim, options).await
}

pub(crate) fn credentials(url: &str) -> [(&str, &str); 3] {
    [
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
    ]
}

/// What the program printed, and how it ended.
fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let code = output.status.code().unwrap();
    format!(
        "exit {code}\n{}{}",
        text(&output.stderr),
        text(&output.stdout)
    )
}

/// With what differs from run to run left out: a free port, and by how many seconds the clocks differ.
fn steady(text: &str, port: u16) -> String {
    let text = text.replace(&format!(":{port}"), ":PORT");
    let lines = text.lines().map(|line| match line.split_once(" clock ") {
        Some((before, _)) => format!("{before} clock …"),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

const FILING: &str = r#"
mode = "file"

[[account]]
id = "111122223333"
regions = "enabled"
home_region = "us-east-1"
callers = ["arn:aws:iam::111122223333:role/app"]
invocation_logs = "/bedrock/invocations"

[case]
close_granted = true

[receiver.on-call]
kind = "sns"
topic_arn = "arn:aws:sns:us-east-1:111122223333:bedrock-alerts"

[[route]]
receiver = "on-call"

[receiver.chat]
kind = "slack"
url = "http://127.0.0.1:1/hook"
"#;

fn doctor(place: &Place, url: &str, port: u16, more: &[&str]) -> Output {
    let listen = format!("127.0.0.1:{port}");
    let mut arguments = vec![
        "doctor",
        "--config",
        "config.toml",
        "--store",
        "store",
        "--listen",
        &listen,
    ];
    arguments.extend(more);
    place
        .command(&credentials(url), &arguments)
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_asks_for_all_that_is_needed_and_writes_nothing() {
    let place = Place::new("doctor").with("config.toml", FILING);
    let served = world(&[]).await;
    let before = place.contents();
    let port = free_port();
    let output = doctor(&place, &served.url, port, &[]);
    insta::assert_snapshot!("doctor", steady(&told(&output), port));
    assert_eq!(place.contents(), before, "a file was left behind");
    let state = served.sim.state();
    let called: BTreeSet<&str> = state["calls"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let not_tried: BTreeSet<&str> = BTreeSet::from([
        "servicequotas:RequestServiceQuotaIncrease",
        "sns:Publish",
        "support:AddAttachmentsToSet",
        "support:AddCommunicationToCase",
        "support:CreateCase",
        "support:ResolveCase",
    ]);
    let all: BTreeSet<&str> = ALL.iter().map(|(operation, _)| *operation).collect();
    let expected: BTreeSet<&str> = all.difference(&not_tried).copied().collect();
    assert_eq!(called, expected);
    for kind in ["published", "quota_requests", "cases"] {
        assert!(state[kind].as_array().unwrap().is_empty(), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_each_action_that_is_not_allowed_and_what_is_lost() {
    let reads = ALL.iter().map(|(operation, _)| *operation).filter(|it| {
        ![
            "sns:Publish",
            "support:CreateCase",
            "support:AddAttachmentsToSet",
            "support:AddCommunicationToCase",
            "support:ResolveCase",
            "servicequotas:RequestServiceQuotaIncrease",
        ]
        .contains(it)
    });
    let mut all = String::new();
    for action in reads {
        let place = Place::new("doctor-denied").with("config.toml", FILING);
        let served = world(&[action]).await;
        let output = doctor(&place, &served.url, free_port(), &["--json"]);
        assert_eq!(output.status.code(), Some(1), "{action}");
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["ok"], false);
        let items = document["items"].as_array().unwrap();
        let failed: Vec<&Value> = items
            .iter()
            .filter(|it| it["verdict"] == "failed")
            .collect();
        assert!(!failed.is_empty(), "{action}");
        for item in failed {
            let text = |key: &str| item[key].as_str().unwrap_or_default();
            assert!(text("found").contains(action), "{action}: {item}");
            all += &format!("{}: {}: {}\n", text("place"), text("what"), text("loss"));
        }
        served.stop().await;
    }
    insta::assert_snapshot!("doctor_denied", all);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tells_a_wrong_account_no_answer_and_a_store_of_something_else_apart() {
    let served = world(&[]).await;
    let other = FILING.replace("111122223333", "444455556666");
    let place = Place::new("doctor-other")
        .with("config.toml", &other)
        .with("store/thesis.tex", "no store");
    let port = free_port();
    let mut all = steady(&told(&doctor(&place, &served.url, port, &[])), port);
    let nowhere = Place::new("doctor-nowhere").with("config.toml", FILING);
    let output = doctor(&nowhere, "http://127.0.0.1:1", port, &[]);
    assert_eq!(output.status.code(), Some(69));
    all += &format!("\n=====\n{}", steady(&told(&output), port));
    insta::assert_snapshot!("doctor_troubles", all);
}

/// A child that is killed with its test, if it did not end before.
pub(crate) struct Service(pub(crate) Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// The values of a directive of the shipped unit, in their order.
pub(crate) fn directives(name: &str) -> Vec<String> {
    let unit = fs::read_to_string(root().join("deploy/bedrock-ops-alert.service")).unwrap();
    let prefix = format!("{name}=");
    let values = unit.lines().filter_map(|line| line.strip_prefix(&prefix));
    values.map(str::to_owned).collect()
}

/// The unit's first command of this directive and its environment, with this machine's places instead of the unit's.
fn as_the_unit(place: &Place, directive: &str, extra: &[(&str, &str)], more: &[&str]) -> Command {
    let here = |text: &str| {
        text.replace(
            "/etc/bedrock-ops-alert",
            &place.path().display().to_string(),
        )
        .replace(
            "/var/lib/bedrock-ops-alert",
            &place.path().display().to_string(),
        )
    };
    let command = directives(directive).remove(0);
    let mut words: Vec<&str> = command.split(' ').collect();
    assert_eq!(words.remove(0), "/usr/bin/bedrock-ops-alert");
    words.extend(more);
    let mut program = place.command(extra, &words);
    for variable in directives("Environment") {
        let (name, value) = variable.split_once('=').unwrap();
        program.env(name, here(value));
    }
    program
}

/// The service as the unit starts it, once it has told the unit that it is ready.
pub(crate) fn started(place: &Place, served: &Served, listen: &str) -> Service {
    let with_keys = credentials(&served.url);
    let check = as_the_unit(place, "ExecReload", &[], &[]).output().unwrap();
    assert!(check.status.success(), "{}", told(&check));
    let socket = place.path().join("notify");
    let heard = UnixDatagram::bind(&socket).unwrap();
    let patience = Some(Duration::from_secs(60));
    heard.set_read_timeout(patience).unwrap();
    let more = ["--sim-clock", &served.url, "--listen", listen];
    let mut command = as_the_unit(place, "ExecStart", &with_keys, &more);
    let child = command
        .env("NOTIFY_SOCKET", &socket)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let service = Service(child);
    let mut buffer = [0; 4_096];
    let length = heard.recv(&mut buffer).unwrap();
    assert_eq!(String::from_utf8_lossy(&buffer[..length]).trim(), "READY=1");
    service
}

/// SIGTERM lets it finish.
pub(crate) fn stopped(mut service: Service) -> String {
    let id = service.0.id().to_string();
    let mut kill = Command::new("kill");
    assert!(kill.args(["-TERM", &id]).status().unwrap().success());
    let status = service.0.wait().unwrap();
    let mut log = String::new();
    let mut stderr = service.0.stderr.take().unwrap();
    stderr.read_to_string(&mut log).unwrap();
    assert!(status.success(), "{status}\n{log}");
    log
}

/// Exit code and output of a command that asks this service.
pub(crate) fn ask(place: &Place, url: &str, arguments: &[&str]) -> (i32, String) {
    let output = place
        .command(&[("BOA_URL", url)], arguments)
        .output()
        .unwrap();
    (output.status.code().unwrap(), told(&output))
}

pub(crate) async fn fetched(url: &str) -> String {
    reqwest::get(url).await.unwrap().text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_the_first_page_in_three_steps() {
    let served = world(&[]).await;
    let place = Place::new("first");
    let with_keys = credentials(&served.url);
    // 1. A configuration from what is there, and never over one that is.
    let init = place.command(&with_keys, &["init"]).output().unwrap();
    let again = place.command(&with_keys, &["init"]).output().unwrap();
    let config = fs::read_to_string(place.path().join("config.toml")).unwrap();
    insta::assert_snapshot!("init", format!("{}{}\n{config}", told(&init), told(&again)));
    // 2. Everything is there that it needs.
    let port = free_port();
    let output = doctor(&place, &served.url, port, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    // 3. The service.
    let listen = format!("127.0.0.1:{port}");
    let service = started(&place, &served, &listen);
    let url = format!("http://{listen}");
    // Ready once the first cycle is done; that is a matter of seconds.
    let mut ready = (1, String::new());
    for _ in 0..300 {
        ready = ask(&place, &url, &["health", "--ready"]);
        if ready.0 == 0 {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(ready, (0, "exit 0\nok\n".to_owned()));
    assert_eq!(ask(&place, &url, &["health"]).0, 0);
    let (code, status) = ask(&place, &url, &["status"]);
    assert_eq!(code, 0, "{status}");
    assert!(
        status.contains("anthropic.claude"),
        "no pool is shown:\n{status}"
    );
    let page = fetched(&url).await;
    assert!(page.contains("anthropic.claude"), "the page shows no pool");
    // What alerts and dashboard ask for is there to be asked.
    let metrics = fetched(&format!("{url}/metrics")).await;
    let served_here = metrics_served(&metrics);
    let missing: Vec<String> = metrics_asked_for()
        .difference(&served_here)
        .cloned()
        .collect();
    assert!(missing.is_empty(), "{missing:?} in\n{metrics}");
    // What is packed for somebody else to help with has the service's answers.
    let (code, packed) = ask(&place, &url, &["bundle", "--config", "config.toml"]);
    assert_eq!(code, 0, "{packed}");
    let bundle = unpacked(&place);
    assert_eq!(bundle["service"]["ready"]["ok"], true);
    assert_eq!(bundle["service"]["status"]["is_simulated"], true);
    assert!(bundle["service"]["cost"]["month"].is_string(), "{bundle:#}");
    // The doctor of a running service: its address is taken, which is no failure.
    let beside = doctor(&place, &served.url, port, &[]);
    assert_eq!(beside.status.code(), Some(0), "{}", told(&beside));
    stopped(service);
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
    assert_eq!(ask(&place, &url, &["health"]).0, 69);
}

/// Whole cycles before the one at which it ends.
const CYCLES: usize = 4;

/// The bundle in this folder.
fn unpacked(place: &Place) -> Value {
    let file = fs::File::open(place.path().join("bundle.json.gz")).unwrap();
    serde_json::from_reader(flate2::read::GzDecoder::new(file)).unwrap()
}

#[test]
fn a_bundle_has_no_secret_and_goes_over_no_file() {
    let config = FILING
        .replace("url = \"http://127.0.0.1:1/hook\"", "url_file = \"slack-url\"")
        .replace(
            "home_region",
            "role_arn = \"arn:aws:iam::111122223333:role/x\"\nexternal_id = \"planted-external-id\"\nhome_region",
        );
    let place = Place::new("bundle")
        .with("config.toml", &config)
        .with("slack-url", "https://hooks.example.com/planted-webhook");
    let secrets = [
        ("AWS_ACCESS_KEY_ID", "planted-key-id"),
        ("AWS_SECRET_ACCESS_KEY", "planted-secret-key"),
        ("AWS_SESSION_TOKEN", "planted-token"),
    ];
    let arguments = [
        "bundle",
        "--config",
        "config.toml",
        "--url",
        "http://127.0.0.1:1",
    ];
    let output = place.command(&secrets, &arguments).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let bundle = unpacked(&place);
    assert!(!format!("{bundle}").contains("planted"), "{bundle:#}");
    let shown = bundle["configuration"].as_array().unwrap();
    assert!(
        shown
            .iter()
            .any(|line| line.as_str().unwrap().contains("(hidden)"))
    );
    assert!(
        bundle["service"]["status"]["not_had"].is_string(),
        "nobody answers there"
    );
    let again = place.command(&secrets, &arguments).output().unwrap();
    assert_eq!(again.status.code(), Some(74), "{}", told(&again));
}

/// Runs the service for so many simulated minutes, with the heartbeat of its configuration.
fn beating(place: &Place, served: &Served) -> Output {
    let arguments = [
        "run",
        "--config",
        "config.toml",
        "--store",
        "store",
        "--listen",
        "127.0.0.1:0",
        "--sim-clock",
        &served.url,
        "--for",
        "4m",
    ];
    let mut command = place.command(&credentials(&served.url), &arguments);
    command.output().unwrap()
}

fn beats(output: &Output) -> usize {
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    let lines = printed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    // One of the model, and one of the account.
    lines
        .filter(|line| line["Heartbeat"] == 1 && line["PoolsWatched"] == 2)
        .count()
}

fn events(output: &Output, event: &str) -> usize {
    let log = String::from_utf8(output.stderr.clone()).unwrap();
    log.lines()
        .filter(|line| line.contains(&format!("\"{event}\"")))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_whole_cycle_is_a_heartbeat_and_one_that_fails_stops_nothing() {
    let config = |url: &str| {
        format!(
            "[[account]]\nid = \"111122223333\"\nregions = [\"us-east-1\"]\n\n[heartbeat]\nurl = \"{url}/beat?key=secret\"\nmetrics = true\n"
        )
    };
    let served = world(&[]).await;
    let server = Server::start(Reaction::Answer(200, "ok"));
    let place = Place::new("heartbeat").with("config.toml", &config(&server.url));
    let output = beating(&place, &served);
    assert!(output.status.success(), "{}", told(&output));
    let pings = server.requests();
    assert!(
        pings
            .iter()
            .all(|it| it.starts_with("GET /beat?key=secret ")),
        "{pings:?}"
    );
    assert_eq!(
        (pings.len(), beats(&output)),
        (CYCLES, CYCLES),
        "one a cycle: {}",
        told(&output)
    );
    // Nobody answers: told without the secret, and the cycles go on.
    let place = Place::new("heartbeat-unheard").with("config.toml", &config("http://127.0.0.1:1"));
    let output = beating(&place, &served);
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(
        (beats(&output), events(&output, "heartbeat.failed")),
        (CYCLES, CYCLES)
    );
    assert!(!told(&output).contains("key=secret"), "{}", told(&output));
    // Nothing can be read: alive, and of no use to anybody.
    let denied = world(&["cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics"]).await;
    let server = Server::start(Reaction::Answer(200, "ok"));
    let place = Place::new("heartbeat-withheld").with("config.toml", &config(&server.url));
    let output = beating(&place, &denied);
    assert!(output.status.success(), "{}", told(&output));
    let withheld = events(&output, "heartbeat.withheld");
    assert!(0 < withheld, "{withheld}: {}", told(&output));
    assert_eq!(server.requests().len() + withheld, CYCLES);
}
