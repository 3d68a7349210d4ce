//! Loss of power: what a writer did to its disk is recorded call by call, and a disk is made as a loss of power at a random
//! moment may leave it (`power/disk.rs` says what is assumed). What was acknowledged by then is there, or the store says that
//! it is damaged: it is never wrong in silence.
//!
//! `BOA_POWER_SEEDS=FROM..UNTIL` runs others than those of each build.

mod disk;

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write as _,
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use bedrock_ops_alert::{
    model::{
        book::{Book, Record},
        history::{Resolution, Stretch},
    },
    store::{History, Ledger, StoreError, open},
};
use fastrand::Rng;

use self::disk::{Call, Disk};
use super::{Folder, history, samples};

const CHILD: &str = "BOA_POWER_CHILD";
const COMMITS: &str = "BOA_POWER_COMMITS";
/// Runs of the writer one after the other, and how many commits each makes: every second one ends without closing its store.
const RUNS: [u64; 5] = [1, 90, 150, 150, 40];
/// Each so many commits a day goes into the history.
const DAYS: u64 = 10;
const SEEDS: Range<u64> = 0..200;

/// The child: goes on from the stored revision, and prints each one once it is acknowledged.
#[test]
fn child() {
    let Some(path) = env::var_os(CHILD) else {
        return; // run as a test of its own: there is nothing to do
    };
    let commits: u64 = env::var(COMMITS).unwrap().parse().unwrap();
    let ledger = open(Path::new(&path)).unwrap();
    let kept = ledger.history().unwrap();
    let from = revision(&ledger.load().unwrap());
    let mut out = std::io::stdout();
    for revision in from + 1..=from + commits {
        ledger.commit(&commit(revision)).unwrap();
        if revision % DAYS == 0 {
            kept.append(&[day(revision)]).unwrap();
            kept.keep_notes(&notes(revision)).unwrap();
        }
        writeln!(out, "ack {revision}").unwrap();
        out.flush().unwrap();
    }
    if commits % 100 == 50 {
        std::process::exit(0); // nothing is closed
    }
}

/// The records of one commit; the intent's revision numbers it.
fn commit(revision: u64) -> Vec<Record> {
    let rng = &mut Rng::with_seed(revision);
    let mut records = vec![Record::Intent(samples::intent(1, revision, rng))];
    for _ in 0..rng.usize(1..12) {
        records.push(samples::record(rng.u8(4..10), rng.u8(..20), revision));
    }
    let keys: Vec<_> = records.iter().map(Record::key).collect();
    let mut index = 0;
    records.retain(|it| {
        index += 1;
        !keys[index..].contains(&it.key()) // the last one has the word
    });
    records
}

fn revision(book: &Book) -> u64 {
    let revisions = book.intents.values().map(|it| it.revision);
    revisions.max().unwrap_or(0)
}

fn day(revision: u64) -> Stretch {
    let number = i64::try_from(revision / DAYS).unwrap();
    history::stretch(history::key(0, Resolution::Minute, number), revision)
}

fn notes(revision: u64) -> Vec<u8> {
    revision.to_be_bytes().repeat(500)
}

/// What the writer did, run by run, and the store as it left it.
fn recorded(folder: &Folder) -> Vec<Call> {
    let root = folder.path();
    fs::create_dir_all(root).unwrap();
    let (store, trace) = (root.join("store"), root.join("trace"));
    let library = built(root);
    for commits in RUNS {
        let child = Command::new(env::current_exe().unwrap())
            .args(["store::power::child", "--exact", "--nocapture"])
            .env(CHILD, &store)
            .env(COMMITS, commits.to_string())
            .env("POWER_STORE", &store)
            .env("POWER_TRACE", &trace)
            .env("LD_PRELOAD", &library)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(child.success());
    }
    disk::parse(&fs::read(&trace).unwrap(), &store)
}

/// The library, built anew: `cc` is there wherever Rust links.
fn built(folder: &Path) -> PathBuf {
    let library = folder.join("record.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/store/power/record.c");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-Wall", "-Werror", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status()
        .unwrap();
    assert!(built.success());
    library
}

fn seeds() -> Range<u64> {
    let Ok(text) = env::var("BOA_POWER_SEEDS") else {
        return SEEDS;
    };
    let (from, until) = text.split_once("..").unwrap();
    from.parse().unwrap()..until.parse().unwrap()
}

/// How a disk was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Whole,
    Damaged,
    /// Before anything was acknowledged.
    NotBegun,
}

#[expect(clippy::print_stdout, reason = "how often it is damage is a figure")]
#[test]
fn what_was_acknowledged_survives_a_loss_of_power_or_its_loss_is_told() {
    let folder = Folder::new();
    let calls = recorded(&folder);
    let acks = calls.iter().filter(|it| matches!(it, Call::Ack(_))).count();
    assert_eq!(acks as u64, RUNS.iter().sum::<u64>());
    let mut books = vec![Book::default()];
    for revision in 1..=RUNS.iter().sum() {
        let mut book = books.last().unwrap().clone();
        book.apply(commit(revision));
        books.push(book);
    }
    let mut moments: Vec<(usize, u64)> = seeds()
        .map(|seed| (Rng::with_seed(seed).usize(..=calls.len()), seed))
        .collect();
    moments.sort_unstable();
    let mut moments = moments.into_iter().peekable();
    let (mut disk, mut acked) = (Disk::default(), 0);
    let mut found: BTreeMap<Found, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for number in 0..=calls.len() {
        while let Some((_, seed)) = moments.next_if(|(moment, _)| *moment == number) {
            match after_loss(&disk, acked, &books, seed) {
                Ok(how) => *found.entry(how).or_default() += 1,
                Err(why) => wrong.push(format!(
                    "seed {seed}, call {number}, acknowledged {acked}: {why}"
                )),
            }
        }
        match calls.get(number) {
            Some(Call::Ack(revision)) => acked = *revision,
            Some(call) => disk.take(call),
            None => {}
        }
    }
    println!("{found:?}, {} calls", calls.len());
    assert!(
        wrong.is_empty(),
        "{found:?}, {} wrong: {wrong:#?}",
        wrong.len()
    );
}

#[expect(clippy::print_stdout, reason = "how often it is damage is a figure")]
fn after_loss(disk: &Disk, acked: u64, books: &[Book], seed: u64) -> Result<Found, String> {
    let folder = Folder::new();
    disk.lose_power(folder.path(), &mut Rng::with_seed(seed ^ 0x5eed));
    let opened = open(folder.path()).and_then(|ledger| {
        let book = ledger.load()?;
        let history = ledger.history()?;
        Ok((ledger, book, history))
    });
    let (ledger, book, kept) = match opened {
        Ok(opened) => opened,
        Err(StoreError::Damaged { what, .. }) => {
            println!("seed {seed}, acknowledged {acked}: damaged: {what}");
            return Ok(Found::Damaged);
        }
        Err(other) => return Err(format!("{other:?}")),
    };
    let revision = revision(&book);
    if revision < acked || acked + 1 < revision {
        return Err(format!("{revision} is the last that is there"));
    }
    if books[usize::try_from(revision).unwrap()] != book {
        return Err(format!("{revision} is not what it was"));
    }
    for number in (DAYS..=acked).step_by(usize::try_from(DAYS).unwrap()) {
        let day = day(number);
        if kept.stretch(&day.key).map_err(|it| it.to_string())? != Some(day) {
            return Err(format!("the day of {number} is gone from the history"));
        }
    }
    // It goes on from there.
    ledger
        .commit(&commit(revision + 1))
        .map_err(|it| it.to_string())?;
    Ok(if acked == 0 {
        Found::NotBegun
    } else {
        Found::Whole
    })
}
