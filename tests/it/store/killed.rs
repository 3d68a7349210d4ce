//! A child process that commits, killed at random moments: nothing it acknowledged is lost.
//!
//! The child is this test binary again, run with `BOA_STORE_CHILD` set.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use bedrock_ops_alert::{
    model::book::Record,
    store::{Ledger, open},
};
use fastrand::Rng;

use super::{Folder, samples};

const CHILD: &str = "BOA_STORE_CHILD";
const ROUNDS: u64 = 30;
/// Where the revision stops, so that an orphan ends by itself.
const MOST_COMMITS: u64 = 5_000;

/// The child: goes on from the stored revision, and prints each one once it is acknowledged.
#[test]
fn child() {
    let Some(path) = env::var_os(CHILD) else {
        return; // run as a test of its own: there is nothing to do
    };
    let ledger = open(Path::new(&path)).unwrap();
    let stored = ledger.load().unwrap();
    let from = stored
        .intents
        .values()
        .map(|it| it.revision)
        .max()
        .unwrap_or(0);
    let mut out = std::io::stdout();
    for revision in from + 1..from + MOST_COMMITS {
        ledger.commit(&commit(revision)).unwrap();
        writeln!(out, "ack {revision}").unwrap();
        out.flush().unwrap();
    }
}

/// The records of one commit; the intent's revision numbers it.
fn commit(revision: u64) -> Vec<Record> {
    let rng = &mut Rng::with_seed(revision);
    let slot = u8::try_from(revision % 20).unwrap();
    vec![
        Record::Intent(samples::intent(1, revision, rng)),
        samples::record(4, slot, revision),
        samples::record(9, slot, revision),
    ]
}

fn start(path: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["store::killed::child", "--exact", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let folder = Folder::new();
    let mut total = 0;
    for round in 0..ROUNDS {
        let mut child = start(folder.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let acks = Rng::with_seed(round).usize(1..25);
        let mut last = 0;
        let ack = |line: String| line.trim().split("ack ").nth(1)?.parse::<u64>().ok();
        for revision in lines
            .by_ref()
            .map_while(Result::ok)
            .filter_map(ack)
            .take(acks)
        {
            last = revision;
        }
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        // What it still said before it died counts too.
        for revision in lines.map_while(Result::ok).filter_map(ack) {
            last = revision;
        }
        assert!(last > 0, "round {round}: the child never got going");

        let book = open(folder.path()).unwrap().load().unwrap();
        let revision = book
            .intents
            .values()
            .map(|it| it.revision)
            .max()
            .unwrap_or(0);
        assert!(
            last <= revision,
            "round {round}: {last} was acknowledged, {revision} is stored"
        );
        assert!(
            revision <= last + 1,
            "round {round}: {revision} was never begun"
        );
        // The last commits are there as a whole: putting them in once more changes nothing.
        let mut again = book.clone();
        for one in revision.saturating_sub(19).max(1)..=revision {
            let mut records = commit(one);
            records.retain(|it| one == revision || !matches!(it, Record::Intent(_)));
            again.apply(records);
        }
        assert_eq!(again, book, "round {round}");
        total = revision;
    }
    assert!(total > ROUNDS, "{total}");
}
