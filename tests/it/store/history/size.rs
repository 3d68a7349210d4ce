//! What history weighs: hours in the ledger against segments, and the bar of 60 MB for 90 days of 20 targets.

use std::{fs, path::Path};

use bedrock_ops_alert::{
    model::{
        book::Record,
        history::Stretch,
        series::PoolSeries,
        time::{DAY, Minute},
    },
    store::{History, Ledger, open},
};

use super::{
    super::Folder,
    pool,
    traces::{self, Trace, series},
};

/// A day of one of 20 targets in 60 MB for 90 days.
const BAR: u64 = 60_000_000 / 20 / 90;
/// The days that are written; the first is a Monday of the trace.
const FIRST: i64 = 20_440;
const DAYS: i64 = 14;

/// What a folder takes, in blocks as `du` counts them, since small files take whole ones.
fn bytes_in(path: &Path) -> u64 {
    let mut sum = 0;
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        sum += if path.is_dir() {
            bytes_in(&path)
        } else {
            fs::metadata(&path).unwrap().len().next_multiple_of(4_096)
        };
    }
    sum
}

/// All clients as pools of one store, each day appended when it is over, as the daemon does.
fn in_segments(clients: &[(&str, Trace)]) -> u64 {
    let folder = Folder::new();
    let ledger = open(folder.path()).unwrap();
    let history = ledger.history().unwrap();
    for day in FIRST..FIRST + DAYS {
        let stretches: Vec<Stretch> = (0_u8..)
            .zip(clients)
            .map(|(slot, (_, trace))| {
                Stretch::of_day(&pool(2 * slot), &series(trace, [day]), day).unwrap()
            })
            .collect();
        history.append(&stretches).unwrap();
    }
    bytes_in(&folder.path().join("history"))
}

/// The same as hours in the ledger, each hour written once: the daemon writes it anew each minute.
fn in_the_ledger(clients: &[(&str, Trace)], days: i64) -> u64 {
    let folder = Folder::new();
    let ledger = open(folder.path()).unwrap();
    let before = bytes_in(folder.path());
    for day in FIRST..FIRST + days {
        for (slot, (_, trace)) in (0_u8..).zip(clients) {
            let known = PoolSeries::default().updates(&trace.day(day));
            let hours = known.into_iter();
            let hours = hours.map(|(hour, it)| Record::Hour(pool(2 * slot), hour, it));
            let hours: Vec<Record> = hours.collect();
            ledger.commit(&hours).unwrap();
        }
    }
    bytes_in(folder.path()) - before
}

#[test]
#[expect(clippy::print_stdout, reason = "tells its figures")]
fn ninety_days_of_twenty_targets_fit_into_sixty_megabytes() {
    let clients = traces::all();
    let count = u64::try_from(clients.len()).unwrap();
    let per_day = |bytes: u64, days: i64| bytes / count / days.unsigned_abs();
    let ledger = per_day(in_the_ledger(&clients, 3), 3);
    let segments = per_day(in_segments(&clients), DAYS);
    println!(
        "a target and day: {ledger} bytes in the ledger, {segments} in segments; the bar is {BAR}"
    );
    assert!(segments <= BAR, "{segments}");
    assert!(
        segments < ledger,
        "{segments} in segments, {ledger} in the ledger"
    );
}

#[test]
#[expect(clippy::print_stdout, reason = "tells its figures")]
fn every_client_takes_less_than_the_bar_alone() {
    for client in traces::all() {
        let name = client.0;
        let bytes = in_segments(&[client]) / DAYS.unsigned_abs();
        println!("{name:<10} {bytes} bytes a day");
        assert!(bytes <= BAR, "{name}: {bytes}");
    }
}

#[test]
fn a_year_of_silence_takes_next_to_nothing() {
    let folder = Folder::new();
    let ledger = open(folder.path()).unwrap();
    let history = ledger.history().unwrap();
    let idle = Trace::silent();
    let days = FIRST..FIRST + 365;
    let stretches: Vec<Stretch> = days
        .map(|day| Stretch::of_day(&pool(0), &series(&idle, [day]), day).unwrap())
        .collect();
    history.append(&stretches).unwrap();
    let bytes = history.audit().unwrap().bytes / 365;
    assert!(bytes < 250, "{bytes} bytes a day");
    let back = history.stretch(&stretches[7].key).unwrap();
    assert_eq!(back.as_ref(), Some(&stretches[7]));
    assert_eq!(stretches[7].key.first_minute(), Minute((FIRST + 7) * DAY));
}
