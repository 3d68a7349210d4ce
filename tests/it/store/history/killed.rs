//! A child process that appends, killed at random moments: nothing it acknowledged is lost, nothing else is served.
//!
//! The child is this test binary again, run with `BOA_HISTORY_CHILD` set.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use bedrock_ops_alert::{
    model::history::{Resolution, Stretch},
    store::{History, open},
};
use fastrand::Rng;

use super::{super::Folder, key, pool, stretch};

const CHILD: &str = "BOA_HISTORY_CHILD";
const ROUNDS: u64 = 30;
/// Where the child stops, so that an orphan ends by itself.
const MOST_APPENDS: i64 = 5_000;

/// What is appended as number so: each day of one pool, and each time another version of one and the same stretch.
fn appended(number: i64) -> [Stretch; 2] {
    let seed = number.unsigned_abs();
    [
        stretch(key(0, Resolution::Minute, number), seed),
        stretch(key(2, Resolution::Minute, 0), seed),
    ]
}

/// The child: goes on after the last day that is held, and prints each number once it is acknowledged.
#[test]
fn child() {
    let Some(path) = env::var_os(CHILD) else {
        return; // run as a test of its own: there is nothing to do
    };
    let ledger = open(Path::new(&path)).unwrap();
    let history = ledger.history().unwrap();
    let last = history
        .held(&pool(0))
        .last()
        .map_or(0, |(_, number)| *number);
    let mut out = std::io::stdout();
    for number in last + 1..last + MOST_APPENDS {
        history.append(&appended(number)).unwrap();
        writeln!(out, "ack {number}").unwrap();
        out.flush().unwrap();
    }
}

fn start(path: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["store::history::killed::child", "--exact", "--nocapture"])
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
        let ack = |line: String| line.trim().split("ack ").nth(1)?.parse::<i64>().ok();
        let heard = lines.by_ref().map_while(Result::ok).filter_map(ack);
        let mut last = heard.take(acks).last().unwrap_or(0);
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        // What it still said before it died counts too.
        last = lines
            .map_while(Result::ok)
            .filter_map(ack)
            .last()
            .unwrap_or(last);
        assert!(last > 0, "round {round}: the child never got going");

        let ledger = open(folder.path()).unwrap();
        let history = ledger.history().unwrap();
        let held = history.held(&pool(0));
        let newest = held.last().map_or(0, |(_, number)| *number);
        assert!(
            last <= newest,
            "round {round}: {last} was acknowledged, {newest} is held"
        );
        assert!(
            newest <= last + 1,
            "round {round}: {newest} was never begun"
        );
        assert_eq!(
            i64::try_from(held.len()).unwrap(),
            newest,
            "round {round}: a gap"
        );
        for number in total + 1..=newest {
            let [own, _] = appended(number);
            assert_eq!(
                history.stretch(&own.key).unwrap(),
                Some(own),
                "round {round}"
            );
        }
        let [_, shared] = appended(newest);
        assert_eq!(
            history.stretch(&shared.key).unwrap(),
            Some(shared),
            "round {round}"
        );
        assert!(history.audit().unwrap().damage.is_empty());
        total = newest;
    }
    assert!(total > i64::try_from(ROUNDS).unwrap(), "{total}");
}
