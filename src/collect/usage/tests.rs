//! What an answer proves, minute by minute, against a scripted cloud.

mod chances;
mod charge;
mod deep;
mod mantle;

use std::collections::BTreeSet;

use super::*;
use crate::cloud::{FaultClass, MetricStatus};
use crate::collect::fake::{Fake, scope};
use crate::model::catalog::{Family, Pool, Target, TargetKind};
use crate::model::ids::ModelId;
use crate::model::series::{Signal, TargetUse};

const GET: &str = "cloudwatch:GetMetricData";
const SONNET: &str = "anthropic.claude-sonnet-4-6";

/// 2026-11-24 12:00:30: half a minute after noon, so that the last whole minute is 11:59.
fn now() -> Timestamp {
    "2026-11-24T12:00:30Z".parse().unwrap()
}

fn noon() -> Minute {
    Minute::of(now())
}

fn pool(model: &str) -> PoolId {
    PoolId {
        scope: scope(),
        family: Family::Geo,
        model: ModelId::new(model),
    }
}

/// A book with one pool for each model, of the targets named, read through to `minutes` before noon.
fn book(pools: &[(&str, Option<f64>, &[&str])], read_before: Option<i64>) -> Book {
    let mut book = Book::default();
    for (model, burndown, targets) in pools {
        let id = pool(model);
        let mappings = BTreeMap::new();
        let known = Pool {
            id: id.clone(),
            burndown: *burndown,
            worth: None,
            mappings,
        };
        book.apply(vec![Record::Pool(known)]);
        for target in *targets {
            book.apply(vec![Record::Target(Target {
                id: TargetId::new(*target),
                kind: TargetKind::SystemProfile,
                pool: id.clone(),
                first_seen: Timestamp::UNIX_EPOCH,
            })]);
        }
        if let Some(minutes) = read_before {
            book.apply(vec![Record::ReadThrough(id, noon().plus(-minutes))]);
        }
    }
    book
}

/// One pool of one target, `us.a`, last read at 11:55.
fn one() -> Book {
    book(&[(SONNET, Some(5.0), &["us.a"])], Some(5))
}

async fn read_full(fake: &Fake, pools: &[PoolId], book: &Book) -> Gathered<Vec<PoolReading>> {
    let pools: Vec<_> = pools
        .iter()
        .map(|pool| (pool.clone(), Depth::Full))
        .collect();
    read(fake, &scope(), &pools, book, &mut 0, now()).await
}

async fn read_one(fake: &Fake, book: &Book) -> (Reading, Minute, Vec<crate::cloud::Fault>) {
    let mut got = read_full(fake, &[pool(SONNET)], book).await;
    assert_eq!(got.found.len(), 1, "{:?}", got.faults);
    let read = got.found.remove(0);
    assert!(read.in_full.is_some_and(|full| full <= read.through));
    (read.reading, read.through, got.faults)
}

async fn read_quick(fake: &Fake, book: &Book, free: &mut u32) -> PoolReading {
    let pools = [(pool(SONNET), Depth::Quick)];
    let mut got = read(fake, &scope(), &pools, book, free, now()).await;
    assert!(got.faults.is_empty(), "{:?}", got.faults);
    got.found.remove(0)
}

/// The sample `ago` minutes before noon; the last whole minute is 1.
fn at(reading: &Reading, signal: Signal, ago: i64) -> Sample {
    let index = usize::try_from(noon().plus(-ago).since(reading.from)).unwrap();
    reading.signals[&signal][index]
}

/// Full data of one target in one minute.
fn feed(fake: &mut Fake, target: &str, ago: i64, invocations: f64) {
    let minute = noon().plus(-ago);
    let each = [
        ("Invocations", 1.0),
        ("InvocationThrottles", 0.0),
        ("InvocationClientErrors", 0.0),
        ("InvocationServerErrors", 0.0),
        ("InputTokenCount", 100.0),
        ("OutputTokenCount", 10.0),
        ("CacheWriteInputTokenCount", 0.0),
        ("EstimatedTPMQuotaUsage", 150.0),
    ];
    for (name, times) in each {
        fake.put(name, target, minute, invocations * times);
    }
    fake.put("InvocationLatency", target, minute, 1_000.0);
}

#[tokio::test]
async fn a_first_read_goes_back_to_a_midnight_and_a_later_one_15_minutes() {
    let fake = Fake::default();
    let first = book(&[(SONNET, Some(5.0), &["us.a"])], None);
    let (reading, through, faults) = read_one(&fake, &first).await;
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(through, noon());
    assert_eq!(reading.from, noon().plus(-2 * DAY - DAY / 2));
    let requests = fake.requests.lock().unwrap().clone();
    assert_eq!(requests.len(), 3);
    for pair in requests.windows(2) {
        assert_eq!(pair[0].until, pair[1].from);
    }
    for request in &requests {
        let points =
            request.until.since(request.from) * i64::try_from(request.queries.len()).unwrap();
        assert!(points <= MAX_POINTS, "{points}");
    }
    let (later, ..) = read_one(&fake, &one()).await;
    assert_eq!(later.from, noon().plus(-20));
    // Clocks that were set back don't read the future.
    let (ahead, ..) = read_one(&fake, &book(&[(SONNET, None, &["us.a"])], Some(-60))).await;
    assert_eq!(ahead.from, noon().plus(-15));
    // A month of absence is not asked for beyond what CloudWatch keeps.
    let (month, ..) = read_one(&fake, &book(&[(SONNET, None, &["us.a"])], Some(30 * DAY))).await;
    let fifteen_days = jiff::SignedDuration::from_hours(15 * 24);
    assert!(now().duration_since(month.from.start()) < fifteen_days);
    assert!(noon().since(month.from) > 15 * DAY - 60);
}

#[tokio::test]
async fn targets_are_summed_to_the_minute_over_the_exact_dimension_set() {
    let mut fake = Fake::default();
    feed(&mut fake, "us.a", 10, 3.0);
    feed(&mut fake, "app1", 10, 4.0);
    fake.put("InvocationLatency", "app1", noon().plus(-10), 3_000.0);
    fake.put("InvocationThrottles", "app1", noon().plus(-10), 2.0);
    let book = book(&[(SONNET, Some(5.0), &["us.a", "app1"])], Some(5));
    let (reading, _, faults) = read_one(&fake, &book).await;
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(at(&reading, Signal::Invocations, 10), Sample::Value(7.0));
    assert_eq!(at(&reading, Signal::Throttles, 10), Sample::Value(2.0));
    assert_eq!(
        at(&reading, Signal::ChargedTokens, 10),
        Sample::Value(1_050.0)
    );
    // (3 x 1,000 + 4 x 3,000) / 7, to the tenth.
    let mean = Sample::Value(2_142.9);
    assert_eq!(at(&reading, Signal::Latency, 10), mean);
    let of_app = TargetUse {
        demand: 6.0,
        charged: 600.0,
        throttled: 2.0,
    };
    assert_eq!(reading.by_target[&TargetId::new("app1")].total, of_app);
    let requests = fake.requests.lock().unwrap().clone();
    assert_eq!(requests.len(), 1);
    for query in &requests[0].queries {
        assert_eq!(query.metric.namespace, "AWS/Bedrock");
        assert_eq!(query.period_seconds, 60);
        let keys: Vec<&String> = query.metric.dimensions.keys().collect();
        assert_eq!(keys, ["ModelId"]);
        assert_eq!(
            query.statistic == "Average",
            query.metric.name == "InvocationLatency"
        );
    }
    assert_eq!(requests[0].queries.len(), 18);
}

#[tokio::test]
async fn a_zero_needs_every_clause_of_its_proof() {
    let mut fake = Fake::default();
    feed(&mut fake, "us.a", 10, 1.0);
    // Another series has data: proven zero for counts, no number for latency.
    fake.put("Invocations", "", noon().plus(-9), 5.0);
    fake.put("Invocations", "", noon().plus(-2), 5.0);
    let (reading, ..) = read_one(&fake, &one()).await;
    let counts = signals_up_to(Depth::Full, Family::Geo).filter(|signal| signal.is_count());
    for signal in counts {
        assert_eq!(at(&reading, signal, 9), Sample::Value(0.0), "{signal:?}");
        // No series at all has data: nothing is proven.
        assert_eq!(at(&reading, signal, 8), Sample::NoData, "{signal:?}");
        // Not past the delay: 11:58 ends at 11:59, and 12:02 is to come.
        assert_eq!(at(&reading, signal, 2), Sample::Unobserved, "{signal:?}");
    }
    assert_eq!(at(&reading, Signal::Latency, 9), Sample::NoData);
    assert_eq!(at(&reading, Signal::Latency, 8), Sample::NoData);
    assert_eq!(at(&reading, Signal::Latency, 2), Sample::Unobserved);
    // The delay is over to the second: 11:56 ends at 11:57, plus three minutes is 12:00:00.
    assert_eq!(at(&reading, Signal::Invocations, 4), Sample::NoData);
    assert_eq!(at(&reading, Signal::Invocations, 3), Sample::Unobserved);
    // The answer is not complete.
    let key = ("InvocationThrottles", "us.a".to_owned());
    fake.statuses.insert(key, MetricStatus::Partial);
    let (reading, ..) = read_one(&fake, &one()).await;
    assert_eq!(at(&reading, Signal::Throttles, 9), Sample::Unobserved);
    assert_eq!(
        at(&reading, Signal::Throttles, 10),
        Sample::Value(0.0),
        "it was delivered"
    );
    assert_eq!(at(&reading, Signal::Invocations, 9), Sample::Value(0.0));
    // The target is no longer known: its pool is not read at all.
    let mut without = one();
    without.targets.clear();
    let got = read_full(&fake, &[pool(SONNET)], &without).await;
    assert!(got.found.is_empty() && got.faults.is_empty());
}

#[tokio::test]
async fn another_pool_of_the_same_read_is_evidence() {
    let mut fake = Fake::default();
    feed(&mut fake, "us.b", 9, 1.0);
    let book = book(
        &[
            (SONNET, None, &["us.a"]),
            ("amazon.nova-pro-v1:0", None, &["us.b"]),
        ],
        Some(5),
    );
    let pools = [pool(SONNET), pool("amazon.nova-pro-v1:0")];
    let got = read_full(&fake, &pools, &book).await;
    let quiet = got
        .found
        .iter()
        .find(|it| it.reading.pool == pools[0])
        .unwrap();
    assert_eq!(
        at(&quiet.reading, Signal::Invocations, 9),
        Sample::Value(0.0)
    );
    assert_eq!(at(&quiet.reading, Signal::Invocations, 8), Sample::NoData);
}

#[tokio::test]
async fn one_unproven_target_leaves_the_pool_without_a_number() {
    let book = book(&[(SONNET, None, &["us.a", "us.b"])], Some(5));
    for (status, code) in [
        (MetricStatus::Partial, "PartialData"),
        (MetricStatus::InternalError, "InternalError"),
        (MetricStatus::Forbidden, "Forbidden"),
    ] {
        let mut fake = Fake::default();
        feed(&mut fake, "us.a", 10, 3.0);
        fake.statuses
            .insert(("Invocations", "us.b".to_owned()), status);
        let (reading, through, faults) = read_one(&fake, &book).await;
        assert_eq!(
            at(&reading, Signal::Invocations, 10),
            Sample::Unobserved,
            "{code}"
        );
        assert_eq!(
            at(&reading, Signal::Throttles, 10),
            Sample::Value(0.0),
            "{code}"
        );
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].code, code);
        assert!(
            faults[0].message.contains("Invocations of us.b"),
            "{}",
            faults[0].message
        );
        // What may still come is asked for again; what we may not read is not waited for.
        let is_waited_for = status != MetricStatus::Forbidden;
        assert_eq!(
            through,
            noon().plus(if is_waited_for { -5 } else { 0 }),
            "{code}"
        );
    }
    let mut fake = Fake {
        drops: Some("Invocations"),
        ..Fake::default()
    };
    feed(&mut fake, "us.a", 10, 3.0);
    let (reading, _, faults) = read_one(&fake, &book).await;
    assert_eq!(at(&reading, Signal::Invocations, 10), Sample::Unobserved);
    assert_eq!(faults[0].code, "MissingResult");
}

#[tokio::test]
async fn series_split_over_pages_are_one_series() {
    let mut fake = Fake {
        data_pages: 3,
        ..Fake::default()
    };
    for ago in 5..=18 {
        feed(
            &mut fake,
            "us.a",
            ago,
            f64::from(u8::try_from(ago).unwrap()),
        );
    }
    let (reading, through, faults) = read_one(&fake, &one()).await;
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(through, noon());
    for ago in 5..=18_u8 {
        let expected = Sample::Value(f64::from(ago));
        assert_eq!(at(&reading, Signal::Invocations, i64::from(ago)), expected);
    }
    assert_eq!(fake.requests.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_failed_page_takes_the_proof_and_not_the_datapoints() {
    let mut fake = Fake {
        data_pages: 2,
        ..Fake::default()
    };
    feed(&mut fake, "us.a", 10, 3.0);
    fake.put("Invocations", "", noon().plus(-9), 5.0);
    fake.fail(GET, 1, FaultClass::Server);
    let (reading, through, faults) = read_one(&fake, &one()).await;
    assert_eq!(at(&reading, Signal::Invocations, 10), Sample::Value(3.0));
    assert_eq!(at(&reading, Signal::Invocations, 9), Sample::Unobserved);
    assert_eq!(through, noon().plus(-5));
    assert_eq!(faults.len(), 1, "{faults:?}");
}

#[tokio::test]
async fn a_series_complete_so_far_is_not_complete_when_a_later_page_fails() {
    let mut fake = Fake {
        data_pages: 2,
        ..Fake::default()
    };
    feed(&mut fake, "us.a", 10, 3.0);
    fake.put("Invocations", "", noon().plus(-9), 5.0);
    let key = ("InvocationThrottles", "us.a".to_owned());
    fake.statuses.insert(key, MetricStatus::Complete);
    fake.fail(GET, 1, FaultClass::Server);
    let (reading, ..) = read_one(&fake, &one()).await;
    assert_eq!(at(&reading, Signal::Throttles, 9), Sample::Unobserved);
}

#[tokio::test]
async fn a_token_that_comes_twice_ends_the_listing_as_a_failure() {
    let fake = Fake {
        is_circular: true,
        ..Fake::default()
    };
    let (reading, through, faults) = read_one(&fake, &one()).await;
    assert!(
        reading
            .signals
            .values()
            .flatten()
            .all(|sample| *sample == Sample::Unobserved)
    );
    assert_eq!(through, noon().plus(-5));
    assert_eq!(faults[0].code, "RepeatedToken");
    assert_eq!(fake.requests.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn values_that_are_no_counts_are_named_and_unobserved() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
        let mut fake = Fake::default();
        feed(&mut fake, "us.a", 10, 3.0);
        feed(&mut fake, "us.a", 9, 3.0);
        fake.put("OutputTokenCount", "us.a", noon().plus(-10), bad);
        let (reading, through, faults) = read_one(&fake, &one()).await;
        assert_eq!(
            at(&reading, Signal::OutputTokens, 10),
            Sample::Unobserved,
            "{bad}"
        );
        assert_eq!(at(&reading, Signal::OutputTokens, 9), Sample::Value(30.0));
        assert_eq!(at(&reading, Signal::Invocations, 10), Sample::Value(3.0));
        assert_eq!(through, noon());
        assert_eq!(faults[0].code, "NotACount");
        assert!(
            faults[0].message.contains("OutputTokenCount of us.a"),
            "{}",
            faults[0].message
        );
    }
}

#[tokio::test]
async fn tokens_are_charged_by_cloudwatch_else_by_the_formula() {
    let mut fake = Fake::default();
    let minute = noon().plus(-10);
    fake.put("Invocations", "us.a", minute, 1.0);
    fake.put("InputTokenCount", "us.a", minute, 26.0);
    fake.put("OutputTokenCount", "us.a", minute, 1_203.0);
    let (reading, ..) = read_one(&fake, &one()).await;
    assert_eq!(
        at(&reading, Signal::ChargedTokens, 10),
        Sample::Value(6_041.0)
    );
    fake.put("CacheWriteInputTokenCount", "us.a", minute, 8_814.0);
    let (reading, ..) = read_one(&fake, &one()).await;
    assert_eq!(
        at(&reading, Signal::ChargedTokens, 10),
        Sample::Value(14_855.0)
    );
    // An unknown rate is the highest known one.
    let unknown = book(&[(SONNET, None, &["us.a"])], Some(5));
    let (reading, ..) = read_one(&fake, &unknown).await;
    let highest = 26.0 + 8_814.0 + 15.0 * 1_203.0;
    assert_eq!(
        at(&reading, Signal::ChargedTokens, 10),
        Sample::Value(highest)
    );
    // Before the delay is over, CloudWatch's own figure may still come.
    fake.put("InputTokenCount", "us.a", noon().plus(-2), 26.0);
    let (reading, ..) = read_one(&fake, &one()).await;
    assert_eq!(at(&reading, Signal::ChargedTokens, 2), Sample::Unobserved);
    assert_eq!(at(&reading, Signal::InputTokens, 2), Sample::Value(26.0));
    fake.put("EstimatedTPMQuotaUsage", "us.a", minute, 6_042.0);
    let (reading, ..) = read_one(&fake, &one()).await;
    assert_eq!(
        at(&reading, Signal::ChargedTokens, 10),
        Sample::Value(6_042.0)
    );
}

#[tokio::test]
async fn late_datapoints_are_seen_by_the_next_read() {
    let mut fake = Fake::default();
    feed(&mut fake, "us.a", 12, 3.0);
    fake.put("Invocations", "", noon().plus(-10), 1.0);
    let (before, ..) = read_one(&fake, &one()).await;
    assert_eq!(at(&before, Signal::Invocations, 10), Sample::Value(0.0));
    feed(&mut fake, "us.a", 10, 7.0);
    let (after, ..) = read_one(&fake, &one()).await;
    assert_eq!(at(&after, Signal::Invocations, 10), Sample::Value(7.0));
    let mut series = crate::model::series::PoolSeries::default();
    series.absorb(&before);
    series.absorb(&after);
    let late = series.get(Signal::Invocations, noon().plus(-10));
    assert_eq!(late, Sample::Value(7.0));
}

#[tokio::test]
async fn a_throttled_or_denied_api_is_not_asked_again_in_the_same_read() {
    for class in [FaultClass::Throttled, FaultClass::Denied] {
        let fake = Fake::default();
        fake.fail(GET, 0, class);
        let first = book(&[(SONNET, None, &["us.a"])], None);
        let got = read_full(&fake, &[pool(SONNET)], &first).await;
        assert!(got.found.is_empty());
        assert_eq!(got.faults.len(), 1);
        assert_eq!(fake.requests.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_interrupted_first_read_goes_on_where_it_stopped() {
    let fake = Fake::default();
    fake.fail(GET, 1, FaultClass::Throttled);
    let first = book(&[(SONNET, None, &["us.a"])], None);
    let (reading, through, _) = read_one(&fake, &first).await;
    assert_eq!(through, reading.from.plus(DAY));
    assert_eq!(fake.requests.lock().unwrap().len(), 2);
    // One lost request in the middle does not stop the rest, and is asked for again.
    let fake = Fake::default();
    fake.fail(GET, 1, FaultClass::Lost);
    let (reading, through, _) = read_one(&fake, &first).await;
    assert_eq!(through, reading.from.plus(DAY));
    assert_eq!(fake.requests.lock().unwrap().len(), 3);
    let counts = reading.signals.values().map(Vec::len);
    assert_eq!(
        counts.collect::<BTreeSet<_>>().len(),
        1,
        "all signals are of one length"
    );
}

#[tokio::test]
async fn a_series_that_keeps_failing_holds_a_pool_back_by_a_day_at_most() {
    let mut fake = Fake::default();
    fake.statuses.insert(
        ("Invocations", "us.a".to_owned()),
        MetricStatus::InternalError,
    );
    let book = book(&[(SONNET, None, &["us.a"])], Some(9 * DAY));
    let (_, through, _) = read_one(&fake, &book).await;
    assert_eq!(through, noon().plus(-DAY));
}

#[tokio::test]
async fn targets_that_need_several_requests_are_one_sum() {
    let names: Vec<String> = (0..120).map(|n| format!("app{n:03}")).collect();
    let targets: Vec<&str> = names.iter().map(String::as_str).collect();
    let book = book(&[(SONNET, Some(5.0), &targets)], Some(5));
    let mut fake = Fake::default();
    for (n, name) in (1_u8..).zip(&names) {
        feed(&mut fake, name, 10, f64::from(n));
    }
    let (reading, ..) = read_one(&fake, &book).await;
    assert_eq!(
        at(&reading, Signal::Invocations, 10),
        Sample::Value(7_260.0)
    );
    let requests = fake.requests.lock().unwrap().clone();
    let sizes: Vec<usize> = requests.iter().map(|it| it.queries.len()).collect();
    assert_eq!(sizes, [55 * 9, 55 * 9, 10 * 9]);
    // The second request fails: the sum would have a hole.
    fake.fail(GET, 1, FaultClass::Server);
    let (reading, through, _) = read_one(&fake, &book).await;
    assert_eq!(at(&reading, Signal::Invocations, 10), Sample::Unobserved);
    assert_eq!(through, noon().plus(-5));
}

#[tokio::test]
async fn the_account_wide_throttles_are_one_cheap_series() {
    let mut fake = Fake::default();
    let quiet = throttles_of_account(&fake, &scope(), now()).await;
    assert!(quiet.found.is_empty() && quiet.faults.is_empty());
    fake.put("InvocationThrottles", "", noon().plus(-3), 2.0);
    let seen = throttles_of_account(&fake, &scope(), now()).await;
    assert_eq!(seen.found, [(noon().plus(-3), 2.0)]);
    assert!(fake.requests.lock().unwrap().is_empty());
    let asked = fake.statistics.lock().unwrap().clone();
    assert!(asked[0].metric.dimensions.is_empty());
    fake.fail("cloudwatch:GetMetricStatistics", 0, FaultClass::Denied);
    fake.fail(GET, 0, FaultClass::Denied);
    let blind = throttles_of_account(&fake, &scope(), now()).await;
    assert!(blind.found.is_empty() && blind.faults.len() == 2);
}

#[tokio::test]
async fn a_quick_read_asks_for_three_series_and_leaves_the_other_signals_alone() {
    let mut fake = Fake::default();
    feed(&mut fake, "us.a", 10, 3.0);
    let read = read_quick(&fake, &one(), &mut 0).await;
    let known: Vec<Signal> = read.reading.signals.keys().copied().collect();
    let quick = [
        Signal::Invocations,
        Signal::Throttles,
        Signal::ChargedTokens,
    ];
    assert_eq!(known, quick);
    assert_eq!(
        at(&read.reading, Signal::ChargedTokens, 10),
        Sample::Value(450.0)
    );
    assert_eq!((read.through, read.in_full), (noon(), None));
    assert_eq!(fake.requests.lock().unwrap()[0].queries.len(), 3);
    // An older release read everything: how far, is written down before it is forgotten.
    let in_full = Record::ReadInFull(pool(SONNET), noon().plus(-5));
    let through = Record::ReadThrough(pool(SONNET), noon());
    assert_eq!(read.records(&one()), [in_full.clone(), through.clone()]);
    let mut later = one();
    later.apply(vec![in_full]);
    assert_eq!(read.records(&later), [through]);
}

#[tokio::test]
async fn a_read_in_full_goes_back_to_the_last_one_so_no_minute_of_a_signal_is_skipped() {
    let fake = Fake::default();
    let mut book = one();
    book.apply(vec![Record::ReadInFull(pool(SONNET), noon().plus(-40))]);
    let (reading, ..) = read_one(&fake, &book).await;
    assert_eq!(reading.from, noon().plus(-55));
    let quick = read_quick(&fake, &book, &mut 0).await;
    assert_eq!(quick.reading.from, noon().plus(-20));
}

#[tokio::test]
async fn a_quick_read_can_not_tell_the_tokens_of_a_model_without_an_estimate() {
    let mut fake = Fake::default();
    let minute = noon().plus(-18);
    fake.put("Invocations", "us.a", minute, 1.0);
    fake.put("InputTokenCount", "us.a", minute, 26.0);
    let read = read_quick(&fake, &one(), &mut 0).await;
    assert_eq!(
        at(&read.reading, Signal::ChargedTokens, 18),
        Sample::Unobserved
    );
    assert!(!read.is_by_formula, "it may have failed");
    let got = read_full(&fake, &[pool(SONNET)], &one()).await;
    assert!(got.found[0].is_by_formula);
    // Where nobody asked, nothing was charged.
    fake.put("Invocations", "", noon().plus(-10), 1.0);
    let read = read_quick(&fake, &one(), &mut 0).await;
    assert_eq!(
        at(&read.reading, Signal::ChargedTokens, 10),
        Sample::Value(0.0)
    );
}

#[tokio::test]
async fn what_only_a_read_in_full_lacks_does_not_hold_back_what_limits_are_judged_by() {
    let mut fake = Fake::default();
    let key = ("InvocationLatency", "us.a".to_owned());
    fake.statuses.insert(key, MetricStatus::InternalError);
    let got = read_full(&fake, &[pool(SONNET)], &one()).await;
    assert_eq!(got.found[0].through, noon());
    assert_eq!(got.found[0].in_full, Some(noon().plus(-5)));
}

#[tokio::test]
async fn free_requests_come_first_and_say_the_same() {
    let mut fake = Fake::default();
    for ago in 1..=20 {
        feed(&mut fake, "us.a", ago, 3.0);
    }
    let paid = read_quick(&fake, &one(), &mut 0).await;
    let mut free = 2;
    let mixed = read_quick(&fake, &one(), &mut free).await;
    assert_eq!(mixed, paid);
    assert_eq!(free, 0);
    let sizes = |fake: &Fake| -> Vec<usize> {
        let requests = fake.requests.lock().unwrap();
        requests.iter().map(|it| it.queries.len()).collect()
    };
    assert_eq!(sizes(&fake), [3, 1]);
    assert_eq!(fake.statistics.lock().unwrap().len(), 2);
    let mut free = 10;
    assert_eq!(read_quick(&fake, &one(), &mut free).await, paid);
    assert_eq!(free, 7);
    assert_eq!(sizes(&fake), [3, 1], "no paid request at all");
    // One of them fails: its series is lost, the others are not.
    fake.fail("cloudwatch:GetMetricStatistics", 1, FaultClass::Server);
    let pools = [(pool(SONNET), Depth::Quick)];
    let got = read(&fake, &scope(), &pools, &one(), &mut 10, now()).await;
    let reading = &got.found[0].reading;
    assert_eq!(at(reading, Signal::Invocations, 10), Sample::Value(3.0));
    assert_eq!(at(reading, Signal::Throttles, 10), Sample::Unobserved);
    assert_eq!(got.found[0].through, noon().plus(-5));
}

#[tokio::test]
async fn free_requests_go_side_by_side_once_the_first_is_answered() {
    const SINGLE: &str = "cloudwatch:GetMetricStatistics";
    let fake = Fake::default();
    let targets = ["us.a", "us.b", "us.c", "us.d"];
    let book = book(&[(SONNET, Some(5.0), &targets)], Some(5));
    let mut free = 60;
    read_quick(&fake, &book, &mut free).await;
    assert_eq!(free, 48);
    let abreast = std::mem::take(&mut *fake.abreast.lock().unwrap());
    // The last one is the total of the account.
    assert_eq!(abreast, [1, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 1]);
    // An API that throttles is asked once.
    fake.fail(SINGLE, 0, FaultClass::Throttled);
    let pools = [(pool(SONNET), Depth::Quick)];
    read(&fake, &scope(), &pools, &book, &mut free, now()).await;
    assert_eq!(free, 47);
    assert_eq!(*fake.abreast.lock().unwrap(), [1]);
}

#[tokio::test]
async fn without_the_permission_for_free_requests_everything_is_read_by_the_paid_one_and_told() {
    const SINGLE: &str = "cloudwatch:GetMetricStatistics";
    let mut fake = Fake::default();
    for ago in 1..=20 {
        feed(&mut fake, "us.a", ago, 3.0);
    }
    fake.put("InvocationThrottles", "", noon().plus(-3), 2.0);
    let paid = read_quick(&fake, &one(), &mut 0).await;
    fake.fail(SINGLE, 0, FaultClass::Denied);
    let pools = [(pool(SONNET), Depth::Quick)];
    let got = read(&fake, &scope(), &pools, &one(), &mut 10, now()).await;
    assert_eq!(got.found, [paid]);
    assert_eq!(got.faults.len(), 1);
    assert_eq!(got.faults[0].operation, SINGLE);
    fake.fail(SINGLE, 0, FaultClass::Denied);
    let seen = throttles_of_account(&fake, &scope(), now()).await;
    assert_eq!(seen.found, [(noon().plus(-3), 2.0)]);
    assert_eq!(seen.faults.len(), 1);
}
