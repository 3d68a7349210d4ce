//! `backtest` over a table and over a store, as people read it.

use std::{fmt::Write as _, path::PathBuf};

use clap::Parser as _;

use super::*;
use crate::{
    cli::{
        args::{Cli, Command},
        remote::Format,
    },
    config,
    model::{book::Record, history::Stretch, time::DAY},
    store::{History as _, Ledger as _},
};

const START: &str = "2026-01-05T00:00:00Z";

/// A folder of its own for each test, gone before and after.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("boa-backtest-{name}-{}", std::process::id()));
        if path.exists() {
            fs::remove_dir_all(&path).unwrap();
        }
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Four hours at a third of 100,000 tokens a minute, one at 85 %, half an hour over the quota, four hours calm, and an
/// hour in which a tenth of the requests fails.
fn table() -> String {
    let mut text = String::from("minute,invocations,throttles,server_errors,charged_tokens\n");
    for minute in 0..780 {
        let (through, refused, failed, tokens) = match minute {
            240..300 => (85, 0, 0, 85_000),
            300..330 => (100, 40, 0, 100_000),
            600..660 => (30, 0, 5, 30_000),
            _ => (33, 0, 0, 33_000),
        };
        writeln!(text, "{minute},{through},{refused},{failed},{tokens}").unwrap();
    }
    text
}

fn run_with(args: &[&str]) -> Result<Found, Exit> {
    let line = ["bedrock-ops-alert", "backtest"].iter().chain(args);
    let Command::Backtest(args) = Cli::try_parse_from(line).unwrap().command else {
        panic!("not a backtest");
    };
    let settings = config::parse("", "none.toml", &config::Overrides::default()).unwrap();
    run(&args, &settings)
}

fn settings(toml: &str) -> Settings {
    config::parse(toml, "given.toml", &config::Overrides::default()).unwrap()
}

/// What the one configuration does otherwise than the other, as people read it.
fn otherwise(args: &[&str], before: &str, now: &str) -> (Difference, String) {
    let line = ["bedrock-ops-alert", "backtest"].iter().chain(args);
    let Command::Backtest(args) = Cli::try_parse_from(line).unwrap().command else {
        panic!("not a backtest");
    };
    let found = against(&args, &settings(before), &settings(now)).unwrap();
    let mut out = Vec::new();
    write_difference(&found, Format::Text, &mut out).unwrap();
    (found, String::from_utf8(out).unwrap())
}

#[test]
fn two_configurations_are_held_against_each_other() {
    let folder = Folder::new("against");
    let csv = folder.put("claude.csv", &table());
    let given = ["--csv", &csv, "--quota", "tpm=100_000", "--start", START];
    let later =
        "[rule.tpm-share-warning]\nabove = \"90 %\"\n[rule.server-errors]\nenabled = false\n";
    let (found, told) = otherwise(&given, "", later);
    assert_eq!(
        (found.changed.len(), found.gone.len(), found.added.len()),
        (1, 1, 0)
    );
    insta::assert_snapshot!("against", told);
    let (back, _) = otherwise(&given, later, "");
    assert_eq!(back.added, found.gone, "the same, seen from the other side");
    assert_eq!(back.totals.before, found.totals.now);
    let (none, told) = otherwise(&given, later, later);
    assert_eq!(none.same, 1);
    assert!(told.contains("nothing becomes different"), "{told}");
}

fn text(found: &Found) -> String {
    let mut out = Vec::new();
    write(found, Format::Text, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_table_is_replayed_and_scored() {
    let folder = Folder::new("table");
    let csv = folder.put("claude.csv", &table());
    let labels = folder.put(
        "known.csv",
        "pool,from,until,what\n,300,330,incident\n,400,410,incident\n,600,660,ignore\n",
    );
    let given = ["--csv", &csv, "--quota", "tpm=100_000", "--start", START];
    let found = run_with(&[&given[..], &["--labels", &labels]].concat()).unwrap();
    insta::assert_snapshot!("table", text(&found));
    let id = found.incidents[0].id.clone();
    let close = run_with(&[&given[..], &["--incident", &id]].concat()).unwrap();
    assert_eq!(close.incidents, found.incidents);
    let told = text(&close);
    let minutes = told.split("RULES THAT FIRED").next().unwrap();
    let minutes = minutes
        .lines()
        .skip_while(|line| !line.contains("04:00 UTC"));
    let head: Vec<&str> = minutes.take(24).collect();
    insta::assert_snapshot!("minutes", head.join("\n"));
    let observed = run_with(&[&given[..], &["--mode", "observe"]].concat()).unwrap();
    assert!(observed.incidents.iter().all(|it| it.filed.is_empty()));
}

#[test]
fn the_store_is_replayed_as_the_table_and_not_changed() {
    let folder = Folder::new("store");
    let csv = folder.put("claude.csv", &table());
    let quota = ["--quota", "tpm=100000"];
    let of_table = run_with(&[&["--csv", &csv, "--start", START][..], &quota].concat()).unwrap();
    // What the table says, as the service would have kept it: a day of it in its history, the rest in its ledger.
    let mut source = table::empty();
    let how = table::Reading {
        file: "claude.csv",
        pool: pool_of(Path::new("claude.csv")),
        start: START.parse().unwrap(),
        quotas: &[quota_of("tpm=100000")],
    };
    table::read(super::fs::File::open(&csv).unwrap(), &how, &mut source).unwrap();
    let path = folder.0.join("store");
    {
        let ledger = store::open(&path).unwrap();
        let book = source.past.book;
        let mut records = Vec::new();
        for (pool, series) in &book.series {
            let day = source.first.0.div_euclid(DAY);
            let kept = Stretch::of_day(pool, series, day).unwrap();
            ledger.history().unwrap().append(&[kept]).unwrap();
            records.push(Record::ReadThrough(pool.clone(), source.end));
        }
        records.extend(book.pools.into_values().map(Record::Pool));
        records.extend(book.quotas.into_values().map(Record::Quota));
        ledger.commit(&records).unwrap();
    }
    let state = path.display().to_string();
    let of_store = run_with(&["--state", &state]).unwrap();
    assert_eq!(of_store.incidents, of_table.incidents);
    assert_eq!(of_store.rules, of_table.rules);
    let held = store::open(&path).unwrap();
    assert!(held.load().unwrap().incidents.is_empty());
    let refused = run_with(&["--state", &state]).unwrap_err();
    assert!(format!("{refused:?}").contains("cp -r"), "{refused:?}");
}

fn quota_of(text: &str) -> (QuotaKind, Amount) {
    quota(text).unwrap()
}

#[test]
fn faults_name_the_line() {
    let folder = Folder::new("faults");
    let told = |text: &str| {
        let csv = folder.put("t.csv", text);
        format!("{:?}", run_with(&["--csv", &csv]).unwrap_err())
    };
    assert!(told("minute,invocation\n").contains("t.csv:1: no column is named `invocation`"));
    assert!(told("invocations\n1\n").contains("no column `time` or `minute`"));
    assert!(told("minute,invocations\n0,1\n1,-1\n").contains("t.csv:3: `-1` is no number"));
    assert!(told("minute,pool\n0,claude\n").contains("t.csv:2: `claude` is no pool"));
    assert!(told("minute,invocations\n").contains("nothing to judge"));
    assert!(quota("tpm").is_err() && quota("tps=1").is_err());
}
