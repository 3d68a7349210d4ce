//! A disk that is full, was mounted for reading, or can't vouch for a write: the real program over a library that is
//! preloaded and answers so. And a process that may open too few files.

#![cfg(test)] // helpers count as tests, too

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;

use crate::{
    install::credentials,
    run::{CONFIG, Place, keys, readable, short_of},
    support::{Served, root},
};

/// What the system calls these faults: no space, mounted for reading, no word that it is durable; each from the start, and
/// from the middle of the work on.
const FAULTS: [&str; 6] = [
    "write 28 0",
    "write 30 0",
    "fsync 5 0",
    "write 28 60",
    "write 30 90",
    "fsync 5 20",
];

/// The library, built anew: `cc` is there wherever Rust links.
fn preloaded() -> PathBuf {
    let library =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("disk-{}.so", std::process::id()));
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-Wall", "-Werror", "-O1", "-o"])
        .arg(&library)
        .arg(root().join("tests/wire/disk.c"))
        .arg("-ldl")
        .status()
        .unwrap();
    assert!(built.success());
    library
}

/// The service until this time after its start, over the library.
fn run(place: &Place, served: &Served, library: &str, time: &str) -> Output {
    let control = place.path().join("fault").display().to_string();
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
        time,
    ];
    let mut command = place.command(&credentials(&served.url), &arguments);
    command
        .env("LD_PRELOAD", library)
        .env("DISK_FAULT", control);
    command.output().unwrap()
}

/// All that AWS and people have got.
fn arrived(served: &Served) -> Vec<String> {
    let state = served.sim.state();
    let list = |name: &str, fields: &[&str]| {
        let all = state[name].as_array().unwrap().iter();
        let each = all.map(|it| fields.iter().map(|field| it[*field].to_string()).collect());
        each.map(|it: Vec<String>| format!("{name} {}", it.join(" ")))
            .collect::<Vec<_>>()
    };
    let requests = list("quota_requests", &["quota_code", "desired"]);
    let cases = state["cases"].as_array().unwrap().iter();
    let said = cases.flat_map(|it| it["communications"].as_array().unwrap());
    let ours = said.filter(|it| it["body"].as_str().unwrap().starts_with("[BOA-"));
    let ours = ours.map(|it| it["body"].to_string()).collect();
    let messages = list("published", &["topic_arn", "subject", "message"]);
    [requests, ours, messages].concat()
}

fn assert_no_doubles(all: &[String]) {
    let apart: BTreeSet<&String> = all.iter().collect();
    assert_eq!(apart.len(), all.len(), "{all:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_ends_the_service_and_nothing_is_lost_or_sent_twice() {
    let library = preloaded();
    let library = library.to_str().unwrap();
    let mut told = String::new();
    for fault in FAULTS {
        let served = short_of(&[]).await;
        let place = Place::new("disk").with("config.toml", CONFIG);
        let first = run(&place, &served, library, "20m");
        assert!(first.status.success(), "{fault}: {first:?}");
        let (known, before) = (keys(&place), arrived(&served));
        assert!(2 <= before.len(), "a request and a message: {before:#?}");

        fs::write(place.path().join("fault"), fault).unwrap();
        let second = run(&place, &served, library, "20m");
        assert_eq!(
            second.status.code(),
            Some(74),
            "{fault}: {}",
            String::from_utf8_lossy(&second.stderr)
        );
        let left = arrived(&served);
        assert!(before.iter().all(|it| left.contains(it)));
        let is_at_once = fault.ends_with(" 0");
        assert!(
            !is_at_once || left == before,
            "{fault}: what was not written down left"
        );
        let stderr = String::from_utf8(second.stderr).unwrap();
        let (lines, remedy) = (readable(&stderr), "Check the disk and the free space");
        assert!(lines.iter().any(|it| it.contains(remedy)), "{lines:#?}");
        if is_at_once {
            let wrong = lines.iter().skip_while(|it| !it.starts_with("error"));
            told += &format!("{fault}\n");
            wrong.for_each(|line| told += &format!("  {line}\n"));
        }

        fs::remove_file(place.path().join("fault")).unwrap();
        let third = run(&place, &served, library, "10m");
        assert!(third.status.success(), "{fault}: {third:?}");
        let lost: Vec<_> = known.difference(&keys(&place)).cloned().collect();
        assert!(lost.is_empty(), "{fault}: {lost:?}");
        let after = arrived(&served);
        assert!(before.iter().all(|it| after.contains(it)));
        assert_no_doubles(&after);
        let verified = place
            .command(&[], &["store", "verify", "store"])
            .output()
            .unwrap();
        assert!(verified.status.success(), "{verified:?}");
    }
    insta::assert_snapshot!("disk", told);
}

const ROOM: &str = r#"
[store]
reserve = "40 MB"
warn_below = "200 MB"
"#;

/// What was published and asked for, in the order of the simulated time.
fn story(served: &Served) -> Vec<String> {
    let state = served.sim.state();
    let published = state["published"].as_array().unwrap().iter();
    let said = published.map(|it| (it["at"].clone(), it["subject"].clone()));
    let requests = state["quota_requests"].as_array().unwrap().iter();
    let asked = requests.map(|it| (it["created"].clone(), it["quota_code"].clone()));
    let said = said.map(|(at, what)| format!("{at} {what}"));
    let asked = asked.map(|(at, what)| format!("{at} request {what}"));
    let mut all: Vec<String> = said.chain(asked).collect();
    all.sort();
    all
}

fn place_of(story: &[String], what: &str) -> usize {
    let place = story.iter().position(|it| it.contains(what));
    place.unwrap_or_else(|| panic!("no {what}: {story:#?}"))
}

/// A disk that others have filled before the start, and one that they fill in the middle of the work and clear again.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_alerts_go_on_and_filing_waits_for_room() {
    let library = preloaded();
    let library = library.to_str().unwrap();
    let config = format!("{CONFIG}{ROOM}");
    let full = "[disk] full";

    // Full from the start, as after an end with 74: no reserve can be made, and what is left is below the floor.
    let served = short_of(&[]).await;
    let place = Place::new("full").with("config.toml", &config);
    fs::write(place.path().join("fault"), "room 12000000 0 1000000000").unwrap();
    let first = run(&place, &served, library, "20m");
    assert!(first.status.success(), "{first:?}");
    let told = story(&served);
    place_of(&told, full);
    place_of(&told, "[critical]");
    assert!(!told.iter().any(|it| it.contains(" request ")), "{told:#?}");
    let said = arrived(&served).join("\n");
    let why = "Nothing is filed: writes at AWS are stopped by the service itself";
    assert!(said.contains(why), "{said}");
    assert!(!place.path().join("store/reserve").exists());
    fs::remove_file(place.path().join("fault")).unwrap();
    let second = run(&place, &served, library, "3m");
    assert!(second.status.success(), "{second:?}");
    let told = story(&served);
    assert!(place_of(&told, full) < place_of(&told, "[disk] room again"));
    assert!(place_of(&told, "[disk] room again") < place_of(&told, " request "));
    assert_no_doubles(&arrived(&served));
    let reserve = fs::metadata(place.path().join("store/reserve")).unwrap();
    assert_eq!(reserve.len(), 40_000_000);

    // In one run: half a megabyte is left once the reserve is there, and later there is room again.
    let served = short_of(&[]).await;
    let place = Place::new("filling").with("config.toml", &config);
    fs::write(place.path().join("fault"), "room 500000 4 120").unwrap();
    let only = run(&place, &served, library, "40m");
    assert!(only.status.success(), "{only:?}");
    let told = story(&served);
    assert!(place_of(&told, full) < place_of(&told, "[disk] room again"));
    assert!(place_of(&told, "[critical]") < place_of(&told, "[disk] room again"));
    assert!(place_of(&told, "[disk] room again") < place_of(&told, " request "));
    assert_no_doubles(&arrived(&served));
    let verified = place
        .command(&[], &["store", "verify", "store"])
        .output()
        .unwrap();
    assert!(verified.status.success(), "{verified:?}");
}

/// Whatever can't be opened, it says so and ends, or goes on; it never panics, and its store is whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_may_open_few_files_never_panics() {
    let mut codes = BTreeSet::new();
    let place = Place::new("descriptors").with("config.toml", CONFIG);
    let served = short_of(&[]).await;
    for most in [10, 14, 18, 22, 26, 30, 1_024] {
        let arguments = format!(
            "run --config config.toml --store store --listen 127.0.0.1:0 --sim-clock {} --for 3m",
            served.url
        );
        let words: Vec<&str> = arguments.split(' ').collect();
        let program = place.command(&credentials(&served.url), &words);
        let mut limited = Command::new("prlimit");
        limited
            .arg(format!("--nofile={most}:{most}"))
            .arg(program.get_program());
        limited.args(program.get_args()).env_clear();
        for (name, value) in program.get_envs() {
            limited.env(name, value.unwrap_or_default());
        }
        limited
            .env("PATH", "/usr/bin:/bin")
            .current_dir(place.path());
        let output = limited.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code();
        assert!(!stderr.contains("panicked"), "{most} files: {stderr}");
        assert!(
            matches!(code, Some(0 | 69 | 74 | 75 | 77 | 78)),
            "{most} files: {code:?} {stderr}"
        );
        codes.insert(code);
    }
    assert!(codes.contains(&Some(0)) && 1 < codes.len(), "{codes:?}");
    let verified = place
        .command(&[], &["store", "verify", "store"])
        .output()
        .unwrap();
    assert!(verified.status.success(), "{verified:?}");
    let state: Value = served.sim.state();
    assert!(!state["published"].as_array().unwrap().is_empty());
    assert_no_doubles(&arrived(&served));
}
