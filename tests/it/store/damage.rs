//! Damage on disk: refused or harmless, never a different book without a word.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bedrock_ops_alert::{
    model::book::{Book, Record},
    store::{
        Ledger, MemoryHistory, MemoryLedger, Onto, Options, SledLedger, StoreError, load_dump,
        open, salvage,
    },
};
use fastrand::Rng;

use super::{
    Folder,
    samples::{self, KINDS},
};

/// A closed store with some history, and what it holds.
fn filled(folder: &Folder) -> Book {
    let ledger = open(folder.path()).unwrap();
    for commit in 0..12_u8 {
        let mut records: Vec<Record> = (0..KINDS)
            .filter(|kind| *kind != 1)
            .map(|kind| samples::record(kind, commit % 5, u64::from(commit)))
            .collect();
        let rng = &mut Rng::with_seed(u64::from(commit));
        let (slot, revision) = (commit % 3, u64::from(commit / 3) + 1);
        records.push(Record::Intent(samples::intent(slot, revision, rng)));
        ledger.commit(&records).unwrap();
    }
    ledger.load().unwrap()
}

/// Opens without patience, since nobody else has it.
fn reopened(path: &Path) -> Result<Book, StoreError> {
    SledLedger::open(path, &Options::default())?.load()
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copied(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Spoils copies of one store in `rounds` ways; returns how many were refused.
fn spoiled(rounds: u64, spoil: impl Fn(&Path, &mut Rng)) -> u64 {
    let original = Folder::new();
    let book = filled(&original);
    let mut refused = 0;
    for seed in 0..rounds {
        let copy = Folder::new();
        copied(original.path(), copy.path());
        spoil(copy.path(), &mut Rng::with_seed(seed));
        match reopened(copy.path()) {
            Ok(back) => assert_eq!(back, book, "seed {seed} changed the book silently"),
            Err(error) => {
                refused += 1;
                assert!(!error.help().is_empty());
            }
        }
    }
    refused
}

#[test]
fn a_flipped_bit_in_the_log_is_refused_or_harmless() {
    // The log is preallocated: flips are aimed at the part that holds something.
    let refused = spoiled(120, |path, rng| {
        let log = path.join("sled/db");
        let mut bytes = fs::read(&log).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        bytes[rng.usize(0..=used)] ^= 1 << rng.u8(0..8);
        fs::write(&log, bytes).unwrap();
    });
    assert!(refused > 60, "only {refused} of 120 were noticed at all");
}

#[test]
fn a_flipped_bit_in_any_file_is_refused_or_harmless() {
    let refused = spoiled(60, |path, rng| {
        let files = files(path);
        let file = &files[rng.usize(0..files.len())];
        let mut bytes = fs::read(file).unwrap();
        if !bytes.is_empty() {
            let at = rng.usize(0..bytes.len());
            bytes[at] ^= 1 << rng.u8(0..8);
            fs::write(file, bytes).unwrap();
        }
    });
    assert!(refused > 0);
}

#[test]
fn a_zeroed_block_is_refused_or_harmless() {
    let refused = spoiled(40, |path, rng| {
        let log = path.join("sled/db");
        let mut bytes = fs::read(&log).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        let from = rng.usize(0..=used) / 512 * 512;
        let until = (from + 4096).min(bytes.len());
        bytes[from..until].fill(0);
        fs::write(&log, bytes).unwrap();
    });
    // How much of the log is still of use depends on whether the engine's own flush, twice a second, came in between.
    assert!(refused > 15, "only {refused} of 40 were noticed at all");
}

#[test]
fn a_truncated_file_is_refused_or_harmless() {
    let refused = spoiled(60, |path, rng| {
        let mut files = files(path);
        files.retain(|file| !file.ends_with("lock"));
        let file = &files[rng.usize(0..files.len())];
        let bytes = fs::read(file).unwrap();
        let used = bytes
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |at| at + 1);
        fs::write(file, &bytes[..rng.usize(0..used.max(1))]).unwrap();
    });
    assert!(refused > 30, "only {refused} of 60 were noticed at all");
}

#[test]
fn a_file_that_is_gone_is_refused_or_harmless() {
    let original = Folder::new();
    filled(&original);
    let count = files(original.path()).len();
    let refused = spoiled(u64::try_from(count).unwrap(), |path, rng| {
        let files = files(path);
        fs::remove_file(&files[usize::try_from(rng.get_seed()).unwrap() % files.len()]).unwrap();
    });
    assert!(refused > 0);
}

/// The engine finds nothing wrong with an older state of its own: only the mark outside knows.
#[test]
fn an_older_copy_of_the_engines_files_is_refused() {
    let folder = Folder::new();
    let older = Folder::new();
    filled(&folder);
    copied(folder.path(), older.path());
    let ledger = open(folder.path()).unwrap();
    ledger.commit(&[samples::record(7, 9, 1)]).unwrap();
    drop(ledger);
    fs::remove_dir_all(folder.path().join("sled")).unwrap();
    copied(&older.path().join("sled"), &folder.path().join("sled"));
    let refused = reopened(folder.path()).unwrap_err();
    assert!(refused.to_string().contains("its end is lost"), "{refused}");
}

#[test]
fn salvage_writes_what_a_new_store_takes() {
    let folder = Folder::new();
    let book = filled(&folder);
    let log = folder.path().join("sled/db");
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.iter().rposition(|byte| *byte != 0).unwrap() / 2;
    bytes[middle..middle + 64].fill(0xff);
    fs::write(&log, &bytes).unwrap();
    assert!(reopened(folder.path()).is_err());

    let mut dump = Vec::new();
    let salvaged = salvage(folder.path(), &mut dump).unwrap();
    let fresh = MemoryLedger::new();
    load_dump(
        &mut dump.as_slice(),
        &fresh,
        &MemoryHistory::new(),
        Onto::Empty,
    )
    .unwrap();
    let back = fresh.load().unwrap();
    let kept = back
        .quotas
        .iter()
        .filter(|(key, it)| book.quotas.get(key) == Some(it))
        .count();
    assert!(
        kept + 1 >= book.quotas.len(),
        "{kept} of {}",
        book.quotas.len()
    );
    assert!(back.intents.len() + 1 >= book.intents.len());
    assert!(salvaged.counts.contains_key("hour"), "{salvaged:?}");
    // Nothing that may have been filed is left as something to file.
    for intent in back.intents.values().filter(|it| !it.effect.may_repeat()) {
        assert!(
            !matches!(intent.state.name(), "planned" | "sending" | "proposed"),
            "{:?}",
            intent.state
        );
    }
    // The engine threw away what it could not follow; the log as it was found is kept, also by the next opening.
    assert!(reopened(folder.path()).is_err());
    assert_eq!(fs::read(folder.path().join("as-found")).unwrap(), bytes);
}

#[test]
fn salvage_of_a_whole_store_is_its_dump_but_for_what_was_not_over() {
    let folder = Folder::new();
    let mut book = filled(&folder);
    let mut dump = Vec::new();
    let salvaged = salvage(folder.path(), &mut dump).unwrap();
    assert_eq!(salvaged.broken, 0, "{salvaged:?}");
    let fresh = MemoryLedger::new();
    load_dump(
        &mut dump.as_slice(),
        &fresh,
        &MemoryHistory::new(),
        Onto::Empty,
    )
    .unwrap();
    let mut back = fresh.load().unwrap();
    let doubtful: Vec<_> = book
        .intents
        .iter()
        .filter(|(id, it)| back.intents.get(id) != Some(it))
        .map(|(id, _)| id.clone())
        .collect();
    assert_eq!(u64::try_from(doubtful.len()).unwrap(), salvaged.doubtful);
    for id in doubtful {
        book.intents.remove(&id);
        back.intents.remove(&id);
    }
    assert_eq!(back, book);
}
