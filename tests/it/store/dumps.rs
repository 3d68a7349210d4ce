//! The way out and back in.

use std::{collections::BTreeMap, path::Path};

use bedrock_ops_alert::{
    model::{book::Record, history::Resolution},
    store::{
        History, Ledger, MemoryHistory, MemoryLedger, Onto, StoreError, dump, load_dump, open,
        verify,
    },
};
use fastrand::Rng;

use super::{
    Folder,
    history::{key, stretch},
    samples::{self, KINDS},
};

fn filled() -> MemoryLedger {
    let ledger = MemoryLedger::new();
    for seed in 0..6_u64 {
        let slot = u8::try_from(seed).unwrap();
        let records: Vec<Record> = (0..KINDS)
            .map(|kind| samples::record(kind, slot, seed))
            .collect();
        ledger.commit(&records).unwrap();
    }
    // An intent that has gone on: a dump may hold any revision.
    for revision in 2..5 {
        let intent = samples::intent(1, revision, &mut Rng::with_seed(revision));
        ledger.commit(&[Record::Intent(intent)]).unwrap();
    }
    ledger
}

fn dumped(ledger: &dyn Ledger) -> String {
    let mut out = Vec::new();
    dump(ledger, &MemoryHistory::new(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn refusal(text: &str, into: &MemoryLedger) -> String {
    let before = into.load().unwrap();
    let error = load_dump(
        &mut text.as_bytes(),
        into,
        &MemoryHistory::new(),
        Onto::Existing,
    )
    .unwrap_err();
    assert_eq!(
        into.load().unwrap(),
        before,
        "a refused dump left something behind"
    );
    error.to_string()
}

#[test]
fn what_is_dumped_loads_and_dumps_the_same_bytes() {
    let memory = filled();
    let text = dumped(&memory);
    let folder = Folder::new();
    let disk = open(folder.path()).unwrap();
    let count = load_dump(
        &mut text.as_bytes(),
        &disk,
        &MemoryHistory::new(),
        Onto::Empty,
    )
    .unwrap();
    assert_eq!(count + 2, u64::try_from(text.lines().count()).unwrap());
    assert_eq!(disk.load().unwrap(), memory.load().unwrap());
    assert_eq!(dumped(&disk), text);
    drop(disk);
    assert_eq!(dumped(&open(folder.path()).unwrap()), text);
}

#[test]
fn history_is_dumped_and_loaded_with_the_rest() {
    let (ledger, history) = (filled(), MemoryHistory::new());
    let all: Vec<_> = Resolution::ALL
        .into_iter()
        .zip(0..)
        .map(|(resolution, seed)| stretch(key(1, resolution, 7), seed))
        .collect();
    history.append(&all).unwrap();
    let mut text = Vec::new();
    let count = dump(&ledger, &history, &mut text).unwrap();
    let folder = Folder::new();
    let disk = open(folder.path()).unwrap();
    let on_disk = disk.history().unwrap();
    let loaded = load_dump(&mut text.as_slice(), &disk, &on_disk, Onto::Empty).unwrap();
    assert_eq!(loaded, count);
    for one in &all {
        assert_eq!(on_disk.stretch(&one.key).unwrap().as_ref(), Some(one));
    }
    let mut again = Vec::new();
    dump(&disk, &on_disk, &mut again).unwrap();
    assert!(again == text, "another dump of the same contents");
    drop((disk, on_disk));
    let verified = verify(folder.path()).unwrap();
    assert_eq!(verified.history.stretches.values().sum::<u64>(), 3);
    // A day that is cut short is refused with its place, and nothing of it is stored.
    let text = String::from_utf8(text).unwrap();
    let (line, _) = text
        .lines()
        .zip(1..)
        .find(|(_, number)| *number > count)
        .unwrap();
    let shorter = text.replace(line, &line.replacen("\"values\":[", "\"values\":[5,", 1));
    let why = refusal(&shorter, &MemoryLedger::new());
    assert!(why.contains("buckets instead of"), "{why}");
}

#[test]
fn a_store_that_holds_something_is_left_alone_unless_told() {
    let memory = filled();
    let text = dumped(&memory);
    let other = MemoryLedger::new();
    other.commit(&[samples::record(7, 9, 9)]).unwrap();
    let refused = load_dump(
        &mut text.as_bytes(),
        &other,
        &MemoryHistory::new(),
        Onto::Empty,
    );
    assert!(
        matches!(refused, Err(StoreError::NotEmpty { records: 1 })),
        "{refused:?}"
    );
    load_dump(
        &mut text.as_bytes(),
        &other,
        &MemoryHistory::new(),
        Onto::Existing,
    )
    .unwrap();
    assert_eq!(other.load().unwrap().quotas.len(), 7);
    // Intents never go back, not even to the revision that is there.
    assert!(
        refusal(&text, &memory).contains("refused to write revision"),
        "an intent went back"
    );
}

#[test]
fn a_dump_that_was_cut_or_changed_is_refused_with_its_line() {
    let text = dumped(&filled());
    let lines: Vec<&str> = text.lines().collect();
    let into = MemoryLedger::new();
    for length in [0, 10, text.len() / 2, text.len() - 2] {
        let end = (0..=length)
            .rev()
            .find(|end| text.is_char_boundary(*end))
            .unwrap();
        let why = refusal(&text[..end], &into);
        assert!(why.starts_with("line "), "{why}");
    }
    let without_last = format!("{}\n", lines[..lines.len() - 1].join("\n"));
    assert!(refusal(&without_last, &into).contains("the end is missing"));
    let changed = text.replacen("us-east-1", "us-east-2", 1);
    assert!(refusal(&changed, &into).contains("were changed"));
    let without_second = [&lines[..1], &lines[2..]].concat().join("\n") + "\n";
    assert!(refusal(&without_second, &into).contains("records and holds"));
    let twice = format!("{text}{}\n", lines[1]);
    assert!(refusal(&twice, &into).contains("more after the end"));
    let newer = text.replacen("\"version\":1", "\"version\":2", 1);
    insta::assert_snapshot!(refusal(&newer, &into), @"line 1 of the dump: dump version 2; this release reads version 1");
    let foreign = "{\"dump\":\"something else\",\"version\":1}\n";
    insta::assert_snapshot!(refusal(foreign, &into), @"line 1 of the dump: this is a dump of `something else`");
}

#[test]
fn a_value_that_the_program_does_not_know_is_named_with_its_place() {
    let text = "{\"dump\":\"bedrock-ops-alert\",\"version\":1}\n\
        {\"track\":[{\"rule\":\"r\",\"pool\":{\"scope\":{\"account\":\"1\",\"region\":\"r\"},\"family\":\"regional\",\"model\":\"m\"}},\
        {\"state\":\"normal\",\"since\":1,\"through\":1,\"began\":null,\"last_bad\":null}]}\n";
    let why = refusal(text, &MemoryLedger::new());
    insta::assert_snapshot!(why, @"line 2 of the dump: `pool.family`: `regional` is not a Family we know");
}

/// The dumps of all formats. What a release wrote is read for ever; a new format adds a fixture and keeps the old ones.
#[test]
fn the_dumps_of_all_formats_still_load() {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let newest = migrations.join("0007_hours_of_pools/after.jsonl");
    if std::env::var_os("BOA_WRITE_FIXTURE").is_some() {
        std::fs::write(&newest, dumped(&filled())).unwrap();
    }
    let older = [
        "0001_initial",
        "0002_catalog_and_spend",
        "0003_deeper_signals",
        "0004_causes_and_forecasts",
        "0005_messages_and_silences",
        "0006_long_inputs_and_evidence",
    ];
    let older = older.map(|it| migrations.join(it).join("after.jsonl"));
    for place in older.into_iter().chain([newest]) {
        let text = std::fs::read_to_string(&place).unwrap();
        let ledger = MemoryLedger::new();
        load_dump(
            &mut text.as_bytes(),
            &ledger,
            &MemoryHistory::new(),
            Onto::Empty,
        )
        .unwrap();
        assert_same(&dumped(&ledger), &text, &place.display().to_string());
    }
}

/// Line by line, but for hours: until format 6 each signal had a line of its own.
fn assert_same(now: &str, then: &str, place: &str) {
    let others = |text: &str| -> Vec<String> {
        let kinds = ["{\"hour\"", "{\"pool-hour\"", "{\"end\""];
        let others = text
            .lines()
            .filter(|line| !kinds.iter().any(|kind| line.starts_with(kind)));
        others.map(str::to_owned).collect()
    };
    assert_eq!(others(now), others(then), "{place}");
    let (now, then) = (hours(now), hours(then));
    assert!(!then.is_empty(), "{place}");
    assert_eq!(now, then, "{place}");
}

/// The samples of all hours, by pool, hour and signal.
fn hours(text: &str) -> BTreeMap<(String, i64, String), serde_json::Value> {
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        let place = |row: &serde_json::Value, signal: &str| {
            let hour = row["hour"].as_i64().unwrap();
            (row["pool"].to_string(), hour, signal.to_owned())
        };
        if let Some(row) = line.get_mut("hour") {
            let place = place(row, row["signal"].as_str().unwrap());
            found.insert(place, row["samples"].take());
        }
        if let Some(row) = line.get("pool-hour") {
            for (signal, samples) in row["signals"].as_object().unwrap() {
                found.insert(place(row, signal), samples.clone());
            }
        }
    }
    found
}
