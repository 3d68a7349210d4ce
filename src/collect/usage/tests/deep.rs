//! What only a deep read reads: percentiles, the time to the first token, cache reads.

use super::*;
use crate::collect::{fake::RANK, sum::share_by_the_hour};

/// Two targets that drain one pool, read through to 11:55 at all depths.
fn two() -> Book {
    let mut book = book(&[(SONNET, Some(5.0), &["us.a", "us.b"])], Some(5));
    let read = noon().plus(-5);
    book.apply(vec![
        Record::ReadInFull(pool(SONNET), read),
        Record::ReadInDepth(pool(SONNET), read),
    ]);
    book
}

async fn read_deep(fake: &Fake, book: &Book) -> PoolReading {
    let pools = [(pool(SONNET), Depth::Deep)];
    let mut got = read(fake, &scope(), &pools, book, &mut 0, now()).await;
    assert!(got.faults.is_empty(), "{:?}", got.faults);
    got.found.remove(0)
}

#[tokio::test]
async fn percentiles_are_weighted_by_invocations_and_only_who_streams_has_a_first_token() {
    let mut fake = Fake::default();
    feed(&mut fake, "us.a", 10, 30.0);
    feed(&mut fake, "us.b", 10, 10.0);
    let minute = noon().plus(-10);
    fake.put("InvocationLatency", "us.b", minute, 2_000.0);
    fake.put("TimeToFirstToken", "us.b", minute, 400.0);
    let read = read_deep(&fake, &two()).await;
    let of = |signal| at(&read.reading, signal, 10);
    for signal in [
        Signal::Latency,
        Signal::LatencyP50,
        Signal::LatencyP90,
        Signal::LatencyP99,
    ] {
        let mean = signal.rounded(Sample::Value(1_250.0));
        assert_eq!(of(signal), mean, "{signal:?}");
    }
    assert_eq!(of(Signal::FirstTokenP90), Sample::Value(400.0));
    // Milliseconds have no zero: a silent minute of a Region whose metrics flow has none.
    assert_eq!(at(&read.reading, Signal::LatencyP90, 9), Sample::NoData);
    let asked = fake.requests.lock().unwrap()[0].queries.clone();
    let mut of_latency: Vec<&str> = asked
        .iter()
        .filter(|it| it.metric.name == "InvocationLatency")
        .map(|it| it.statistic.as_str())
        .collect();
    of_latency.sort_unstable();
    of_latency.dedup();
    assert_eq!(of_latency, ["Average", "p50", "p90", "p99"]);
}

/// A share of each target's requests, weighted by their number, is the share of all of them.
#[tokio::test]
async fn the_share_of_long_inputs_is_that_of_all_requests_together_and_no_single_request_asks_for_it()
 {
    let mut fake = Fake::default();
    feed(&mut fake, "us.a", 10, 30.0);
    feed(&mut fake, "us.b", 10, 10.0);
    let minute = noon().plus(-10);
    fake.put(RANK, "us.a", minute, 1.0);
    fake.put(RANK, "us.b", minute, 50.0);
    let pools = [(pool(SONNET), Depth::Deep)];
    let mut free = 60;
    let got = read(&fake, &scope(), &pools, &two(), &mut free, now()).await;
    assert!(got.faults.is_empty(), "{:?}", got.faults);
    let reading = &got.found[0].reading;
    let of_all = Signal::LongInputs.rounded(Sample::Value(100.0 * 5.3 / 40.0));
    assert_eq!(at(reading, Signal::LongInputs, 10), of_all);
    // All that may be asked for free is, and lands where it belongs.
    assert_eq!(at(reading, Signal::InputTokens, 10), Sample::Value(4_000.0));
    assert_eq!(at(reading, Signal::Latency, 10), Sample::Value(1_000.0));
    assert_eq!(
        at(reading, Signal::LongInputs, 9),
        Sample::NoData,
        "no request, no share"
    );
    let single = fake.statistics.lock().unwrap();
    assert!(
        single.iter().all(|it| !it.statistic.starts_with("PR")),
        "{single:?}"
    );
    let together: Vec<String> = fake.requests.lock().unwrap()[0]
        .queries
        .iter()
        .map(|it| format!("{} {}", it.metric.name, it.statistic))
        .collect();
    assert_eq!(together, ["InputTokenCount PR(25000:)"; 2]);
}

/// Read from 11:40 to noon and, in the next hour, beyond it: what each hour has is its own.
#[test]
fn minutes_tell_the_share_of_their_hour() {
    let from = noon().plus(-2);
    let of = |values: [Option<f64>; 5]| -> Vec<Sample> {
        values
            .map(|it| it.map_or(Sample::NoData, Sample::Value))
            .into()
    };
    let mut signals = BTreeMap::from([
        (
            Signal::Invocations,
            of([Some(10.0), Some(30.0), Some(5.0), Some(0.0), Some(5.0)]),
        ),
        (
            Signal::LongInputs,
            of([Some(2.0), Some(1.0), Some(8.0), None, Some(0.0)]),
        ),
    ]);
    share_by_the_hour(&mut signals, from);
    let told = of([Some(1.3), Some(1.3), Some(4.0), None, Some(4.0)]);
    assert_eq!(signals[&Signal::LongInputs], told);
}

#[tokio::test]
async fn cache_writes_are_charged_and_cache_reads_are_not() {
    let mut fake = Fake::default();
    let minute = noon().plus(-10);
    // The measured rows of public field tests, of a model that publishes no charge of its own.
    for (name, value) in [
        ("Invocations", 1.0),
        ("InputTokenCount", 33.0),
        ("CacheWriteInputTokenCount", 8_814.0),
    ] {
        fake.put(name, "us.a", minute, value);
        fake.put(name, "us.a", minute.plus(1), value);
    }
    fake.put("CacheWriteInputTokenCount", "us.a", minute.plus(1), 0.0);
    fake.put("CacheReadInputTokenCount", "us.a", minute.plus(1), 8_814.0);
    let read = read_deep(&fake, &two()).await;
    let of = |signal, ago| at(&read.reading, signal, ago);
    assert_eq!(of(Signal::ChargedTokens, 10), Sample::Value(8_847.0));
    assert_eq!(of(Signal::ChargedTokens, 9), Sample::Value(33.0));
    assert_eq!(of(Signal::CacheWriteTokens, 10), Sample::Value(8_814.0));
    assert_eq!(of(Signal::CacheReadTokens, 9), Sample::Value(8_814.0));
    assert_eq!(of(Signal::CacheReadTokens, 10), Sample::Value(0.0));
}

#[tokio::test]
async fn series_that_only_a_deep_read_reads_hold_back_nothing_else() {
    let mut fake = Fake::default();
    feed(&mut fake, "us.a", 10, 1.0);
    feed(&mut fake, "us.b", 10, 1.0);
    fake.drops = Some("TimeToFirstToken");
    let pools = [(pool(SONNET), Depth::Deep)];
    let book = two();
    let got = read(&fake, &scope(), &pools, &book, &mut 0, now()).await;
    let read = &got.found[0];
    assert_eq!((read.through, read.in_full), (noon(), Some(noon())));
    assert_eq!(
        read.in_depth,
        Some(noon().plus(-5)),
        "the next deep read asks again"
    );
    // A pool of a release that read less is read in depth at once, and what is known of it stays known.
    let mut older = book.clone();
    older.read_in_depth.clear();
    let got = super::read(&fake, &scope(), &pools, &older, &mut 0, now()).await;
    let read = &got.found[0];
    assert_eq!(read.reading.from, noon().plus(-2 * DAY - DAY / 2));
    assert_eq!((read.through, read.in_full), (noon(), Some(noon())));
    assert_eq!(read.in_depth, Some(noon().plus(-DAY)));
}
