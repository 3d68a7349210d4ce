//! Minutes that grow old become hours that say the same, and hours that grow too old go.

use std::{collections::BTreeSet, fs};

use bedrock_ops_alert::{
    model::{
        history::{HOUR_DAYS, MINUTE_DAYS, Resolution, Stretch},
        series::Signal,
        time::{DAY, Minute},
    },
    store::{
        History, MemoryHistory,
        history::{read_range, roll_up},
        open,
    },
};

use super::{
    super::Folder,
    key, pool, stretch,
    traces::{self, series},
};

const FIRST: i64 = 28 * 730;

fn at(day: i64) -> Minute {
    Minute(day * DAY + 600)
}

#[test]
fn hours_say_what_their_minutes_said() {
    let folder = Folder::new();
    let ledger = open(folder.path()).unwrap();
    let both: [&dyn History; 2] = [&MemoryHistory::new(), &ledger.history().unwrap()];
    let (_, trace) = traces::all().remove(2);
    // A third of the days was never read as minutes, and some of those as five minutes.
    let days = (FIRST..FIRST + 28).filter(|day| day % 3 != 0);
    let minutes: Vec<Stretch> = days
        .map(|day| Stretch::of_day(&pool(0), &series(&trace, [day]), day).unwrap())
        .collect();
    let week = stretch(key(0, Resolution::FiveMinutes, FIRST / 7 + 1), 5);
    for history in both {
        history.append(&minutes).unwrap();
        history.append(std::slice::from_ref(&week)).unwrap();
        let read = |signal| {
            let range = (Minute(FIRST * DAY), Minute((FIRST + 28) * DAY));
            read_range(history, &[], (&pool(0), signal), Resolution::Hour, range).unwrap()
        };
        let before = Signal::ALL.map(read);
        // Nothing happens before the whole period of 28 days is old enough.
        roll_up(history, at(FIRST + 27 + MINUTE_DAYS)).unwrap();
        assert_eq!(history.held(&pool(0)).len(), minutes.len() + 1);
        roll_up(history, at(FIRST + 28 + MINUTE_DAYS)).unwrap();
        let held = history.held(&pool(0));
        assert_eq!(held, BTreeSet::from([(Resolution::Hour, FIRST / 28)]));
        assert_eq!(Signal::ALL.map(read), before);
        // Again, it changes nothing.
        roll_up(history, at(FIRST + 29 + MINUTE_DAYS)).unwrap();
        assert_eq!(Signal::ALL.map(read), before);
        roll_up(history, at(FIRST + 28 + HOUR_DAYS)).unwrap();
        assert!(history.pools().is_empty());
    }
    let left = fs::read_dir(folder.path().join("history")).unwrap();
    assert_eq!(left.count(), 0, "files stay of which nothing is served");
}

/// Killed between the hours and the end of the minutes: both are there, and the next time comes to the same.
#[test]
fn rolling_up_twice_comes_to_the_same() {
    let history = MemoryHistory::new();
    let minutes: Vec<Stretch> = (FIRST..FIRST + 28)
        .map(|day| stretch(key(0, Resolution::Minute, day), day.unsigned_abs()))
        .collect();
    history.append(&minutes).unwrap();
    let hours = key(0, Resolution::Hour, FIRST / 28);
    roll_up(&history, at(FIRST + 28 + MINUTE_DAYS)).unwrap();
    let once = history.stretch(&hours).unwrap();
    assert!(once.is_some());
    history.append(&minutes).unwrap();
    roll_up(&history, at(FIRST + 28 + MINUTE_DAYS)).unwrap();
    assert_eq!(history.stretch(&hours).unwrap(), once);
}
