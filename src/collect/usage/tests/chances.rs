//! What is lost of a few of many targets is asked for again at once, and nobody falls behind over it.

use super::*;

const HAIKU: &str = "anthropic.claude-haiku-4-5";

fn crowd(names: &[String]) -> Book {
    let targets: Vec<&str> = names.iter().map(String::as_str).collect();
    book(&[(SONNET, Some(5.0), &targets)], Some(5))
}

fn names() -> Vec<String> {
    (0..500).map(|n| format!("app{n:03}")).collect()
}

#[tokio::test]
async fn a_request_that_fails_among_many_costs_one_more_and_no_minute() {
    let names = names();
    let mut fake = Fake::default();
    for name in &names {
        feed(&mut fake, name, 10, 2.0);
    }
    fake.fail(GET, 4, FaultClass::Server);
    let (reading, through, faults) = read_one(&fake, &crowd(&names)).await;
    assert_eq!(
        at(&reading, Signal::Invocations, 10),
        Sample::Value(1_000.0)
    );
    assert_eq!(through, noon());
    assert_eq!(faults.len(), 1, "the failure is told all the same");
    let requests = fake.requests.lock().unwrap();
    assert_eq!(requests.len(), 10 + 1);
}

#[tokio::test]
async fn a_series_that_always_fails_is_asked_three_times_and_told_once() {
    let names = names();
    let mut fake = Fake::default();
    let key = ("Invocations", "app123".to_owned());
    fake.statuses.insert(key, MetricStatus::InternalError);
    let (_, through, faults) = read_one(&fake, &crowd(&names)).await;
    assert_eq!(through, noon().plus(-5), "what was read once stays read");
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].message.starts_with("1 series that"), "{faults:?}");
    let requests = fake.requests.lock().unwrap();
    assert_eq!(requests.len(), 10 + 2);
}

#[tokio::test]
async fn three_failures_in_a_row_leave_the_rest_for_later() {
    let names = names();
    let fake = Fake::default();
    for nth in 2..5 {
        fake.fail(GET, nth, FaultClass::Server);
    }
    let got = read_full(&fake, &[pool(SONNET)], &crowd(&names)).await;
    assert_eq!(got.faults.len(), 3, "{:?}", got.faults);
    assert_eq!(fake.requests.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn read_after_read_it_falls_no_further_behind() {
    let mut fake = Fake::default();
    let key = ("Invocations", "us.a".to_owned());
    fake.statuses.insert(key, MetricStatus::InternalError);
    let mut book = one();
    for _ in 0..5 {
        let mut got = read_full(&fake, &[pool(SONNET)], &book).await;
        let read = got.found.remove(0);
        assert_eq!(read.reading.from, noon().plus(-20));
        book.apply(read.records(&book));
    }
}

/// A pool of so many that fail now and then, read up to so many minutes ago, beside one of a target that is up to date.
fn behind(names: &[String], minutes: i64) -> Book {
    let targets: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut book = book(&[(HAIKU, Some(5.0), &["us.b"])], Some(5));
    let crowd = super::book(&[(SONNET, Some(5.0), &targets)], Some(minutes));
    book.targets.extend(crowd.targets);
    book.pools.extend(crowd.pools);
    book.read_through.extend(crowd.read_through);
    book
}

#[tokio::test]
async fn a_pool_that_is_far_behind_catches_up_and_holds_back_no_other() {
    let names = names();
    let mut fake = Fake::default();
    for ago in 1..=20 {
        feed(&mut fake, "us.b", ago, 3.0);
    }
    let mut book = behind(&names, DAY);
    let both = [pool(HAIKU), pool(SONNET)];
    let mut reads = 0;
    while book.read_through[&both[1]] < noon() {
        reads += 1;
        assert!(reads < 5, "read up to {}", book.read_through[&both[1]]);
        // One request in six fails; after ten the rest waits.
        for nth in 0..100 {
            fake.fail(GET, 6 * nth + 4, FaultClass::Server);
        }
        let got = read_full(&fake, &both, &book).await;
        for read in got.found {
            book.apply(read.records(&book));
        }
        fake.script.lock().unwrap().clear();
        assert_eq!(book.read_through[&both[0]], noon(), "after read {reads}");
    }
    assert!(1 < reads, "it was too much for one read");
}
