//! What is asked for, what an answer proves in coarser buckets, and that nothing is paid for twice.

use super::*;
use crate::cloud::{FaultClass, MetricStatus};
use crate::collect::Gathered;
use crate::collect::fake::{Fake, scope};
use crate::model::book::Record;
use crate::model::catalog::{Family, Target, TargetKind};
use crate::model::ids::ModelId;
use crate::model::series::Sample;

const GET: &str = "cloudwatch:GetMetricData";

fn pool(model: &str) -> PoolId {
    PoolId {
        scope: scope(),
        family: Family::Geo,
        model: ModelId::new(model),
    }
}

fn book(pools: &[(&str, usize)]) -> Book {
    let mut book = Book::default();
    for (model, targets) in pools {
        let targets = (0..*targets).map(|number| {
            Record::Target(Target {
                id: TargetId::new(format!("{model}-{number}")),
                kind: TargetKind::SystemProfile,
                pool: pool(model),
                first_seen: Timestamp::UNIX_EPOCH,
            })
        });
        book.apply(targets.collect());
    }
    book
}

type Held = BTreeSet<(Resolution, i64)>;

fn now() -> Timestamp {
    "2026-11-24T12:00:30Z".parse().unwrap()
}

fn today() -> i64 {
    day_of(Minute::of(now()))
}

fn wanted(book: &Book, held: &Held, now: Timestamp) -> Vec<StretchKey> {
    let pools: BTreeSet<&PoolId> = book.targets.values().map(|it| &it.pool).collect();
    let missing = |pool: &PoolId| missing(pool, held, |_| false, Minute::of(now));
    pools.into_iter().flat_map(missing).collect()
}

/// All of one round.
async fn backfill(
    fake: &Fake,
    wanted: &[StretchKey],
    book: &Book,
    tries: &mut Tries,
) -> Gathered<Vec<Filled>> {
    let scope = scope();
    let mut filling = Backfill::new(fake, &scope, (wanted, tries), book, now());
    let mut all = Vec::new();
    while let Some(found) = filling.next().await {
        // What is in memory at a time is of one time, and of so many pools.
        let times: BTreeSet<_> = found
            .iter()
            .map(|it| (it.stretch.key.resolution, it.stretch.key.number))
            .collect();
        assert!(times.len() <= 1 && found.len() <= MOST_POOLS, "{times:?}");
        all.extend(found);
    }
    Gathered {
        found: all,
        faults: filling.into_faults(),
    }
}

/// One round; what it found, as keys.
async fn round(fake: &Fake, book: &Book, held: &mut Held, tries: &mut Tries) -> Vec<Stretch> {
    let wanted = wanted(book, held, now());
    let got = backfill(fake, &wanted, book, tries).await;
    held.extend(
        got.found
            .iter()
            .map(|it| (it.stretch.key.resolution, it.stretch.key.number)),
    );
    got.found.into_iter().map(|it| it.stretch).collect()
}

#[test]
fn a_new_pool_lacks_what_cloudwatch_has_and_nothing_is_asked_for_that_it_forgets_meanwhile() {
    for minute in 0..DAY {
        let now = Minute(today() * DAY + minute);
        let missing = missing(&pool("a"), &Held::new(), |_| false, now);
        for key in &missing {
            let (from, until) = range(key.resolution, key.number, now);
            assert!(from < until && until <= now.plus(-2 * DAY));
            let kept = match key.resolution {
                Resolution::Minute => 15,
                Resolution::FiveMinutes => 63,
                Resolution::Hour => 455,
            };
            let margin = from.since(now.plus(-kept * DAY));
            assert!(
                LEEWAY <= margin,
                "{key:?} at {now} begins {margin} minutes too late"
            );
        }
        let days: BTreeSet<i64> = missing
            .iter()
            .flat_map(|key| {
                let (from, until) = range(key.resolution, key.number, now);
                day_of(from)..day_of(until)
            })
            .collect();
        let first = days.first().copied().unwrap_or_default();
        assert!((452..=455).contains(&(today() - first)), "back to {first}");
        let count = i64::try_from(days.len()).unwrap();
        assert_eq!(
            count,
            today() - FRESH_DAYS - first,
            "a gap between resolutions"
        );
    }
}

/// Day after day with minutes of our own: what was read once is never wanted again.
#[test]
fn nothing_is_wanted_twice() {
    let pool = pool("a");
    let mut held: Held = Held::new();
    let mut wanted = 0;
    for day in 0..500 {
        let now = Minute((today() + day) * DAY + 700);
        for key in missing(&pool, &held, |_| false, now) {
            held.insert((key.resolution, key.number));
            wanted += 1;
            assert_eq!(day, 0, "{key:?} is wanted on day {day}");
        }
        held.insert((Resolution::Minute, today() + day - FRESH_DAYS));
    }
    assert!((25..50).contains(&wanted), "{wanted}");
}

#[test]
fn what_was_lost_is_wanted_again_as_finely_as_cloudwatch_still_has_it() {
    let pool = pool("a");
    let start = Minute(today() * DAY + 700);
    let mut held: Held = missing(&pool, &Held::new(), |_| false, start)
        .into_iter()
        .map(|key| (key.resolution, key.number))
        .collect();
    for day in 0..200 {
        held.insert((Resolution::Minute, today() + day - FRESH_DAYS));
    }
    let later = Minute((today() + 199) * DAY + 700);
    let lost = |ago: i64| {
        let mut less = held.clone();
        let day = day_of(later) - ago;
        assert!(less.remove(&(Resolution::Minute, day)));
        let wanted = missing(&pool, &less, |_| false, later);
        let words = wanted.iter().map(|key| {
            let (from, until) = range(key.resolution, key.number, later);
            let is_there = (day_of(from)..day_of(until)).contains(&day);
            format!("{} {is_there}", key.resolution.name())
        });
        words.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(lost(5), "minute true");
    assert_eq!(lost(30), "5m true");
    assert_eq!(lost(100), "hour true");
    // What is held elsewhere is not wanted.
    let mut less = held.clone();
    less.remove(&(Resolution::Minute, day_of(later) - 5));
    let known = missing(&pool, &less, |day| day == day_of(later) - 5, later);
    assert!(known.is_empty(), "{known:?}");
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "tells its figures")]
async fn a_back_fill_is_read_in_few_requests_of_periods_that_fit() {
    let fake = Fake::default();
    let book = book(&[("a", 1), ("b", 1), ("c", 3)]);
    let (mut held, mut tries) = (Held::new(), Tries::new());
    let mut rounds = 0;
    while !round(&fake, &book, &mut held, &mut tries).await.is_empty() {
        rounds += 1;
    }
    assert!(wanted(&book, &held, now()).is_empty());
    let requests = fake.requests.lock().unwrap().clone();
    assert!(rounds <= 6, "{rounds} rounds");
    for request in &requests {
        assert!(request.queries.len() <= 500);
        let age = Minute::of(now()).since(request.from);
        for query in &request.queries {
            let step = i64::from(query.period_seconds / 60);
            let fits = match step {
                1 => age < 15 * DAY,
                5 => age < 63 * DAY,
                _ => age < 455 * DAY,
            };
            assert!(fits && request.from.0 % step == 0 && request.until.0 % step == 0);
            let points = request.until.since(request.from) / step;
            assert!(points * i64::try_from(request.queries.len()).unwrap() <= 100_800);
        }
    }
    let series: usize = requests.iter().map(|it| it.queries.len()).sum();
    let dollars = f64::from(u32::try_from(series).unwrap()) * 0.01 / 1_000.0;
    println!(
        "{} requests, {series} series, ${dollars:.4} for 5 targets",
        requests.len()
    );
    assert!(dollars / 5.0 < 0.01, "{dollars}");
}

#[tokio::test]
async fn a_round_asks_no_more_than_its_share_and_a_big_pool_is_read_all_the_same() {
    let fake = Fake::default();
    let book = book(&[("big", 200), ("small", 1)]);
    let (mut held, mut tries) = (Held::new(), Tries::new());
    round(&fake, &book, &mut held, &mut tries).await;
    // One day of 200 targets, four a request.
    assert_eq!(fake.requests.lock().unwrap().len(), 50);
    assert_eq!(held.len(), 1);
}

#[tokio::test]
async fn buckets_are_sums_of_all_targets_and_absence_is_a_zero_only_with_evidence() {
    let mut fake = Fake::default();
    let week = Resolution::FiveMinutes.stretch_of(Minute((today() - 30) * DAY));
    let first = Resolution::FiveMinutes.first_minute(week);
    for (target, minute, count) in [("a-0", 0, 3.0), ("a-0", 1, 4.0), ("a-1", 4, 5.0)] {
        fake.put("Invocations", target, first.plus(minute), count);
        fake.put(
            "InvocationLatency",
            target,
            first.plus(minute),
            100.0 * count,
        );
    }
    let book = book(&[("a", 2)]);
    let wanted = [StretchKey {
        pool: pool("a"),
        resolution: Resolution::FiveMinutes,
        number: week,
    }];
    let got = backfill(&fake, &wanted, &book, &mut Tries::new()).await;
    let [Filled { stretch, .. }] = got.found.as_slice() else {
        panic!("{:?}", got.faults);
    };
    let at = |signal: Signal, index: usize| stretch.signals[&signal][index];
    let through = at(Signal::Invocations, 0);
    assert_eq!(
        (through.value, through.peak, through.known),
        (Sample::Value(12.0), Sample::Unobserved, 5)
    );
    // Something flowed in these five minutes, so what is absent is zero; in the next five nothing did.
    assert_eq!(at(Signal::Throttles, 0).value, Sample::Value(0.0));
    assert_eq!(
        (
            at(Signal::Throttles, 1).value,
            at(Signal::Throttles, 1).known
        ),
        (Sample::NoData, 0)
    );
    // 7 requests at a mean of 350 ms and 5 at 500 ms, kept in tenths.
    assert_eq!(at(Signal::Latency, 0).value, Sample::Value(412.5));
    assert_eq!(at(Signal::Latency, 1).value, Sample::NoData);
}

fn failure(class: FaultClass) -> Fault {
    Fault {
        operation: GET,
        code: "Failed".to_owned(),
        message: "failed".to_owned(),
        class,
    }
}

#[tokio::test]
async fn what_was_not_answered_is_asked_again_and_what_was_is_not() {
    let fake = Fake::default();
    let outcomes = [None, None, None, Some(failure(FaultClass::Throttled))];
    fake.script.lock().unwrap().insert(GET, outcomes.into());
    let book = book(&[("a", 1)]);
    let (mut held, mut tries) = (Held::new(), Tries::new());
    let found = round(&fake, &book, &mut held, &mut tries).await;
    assert_eq!(found.len(), 3, "asking on would only add to the load");
    assert_eq!(fake.requests.lock().unwrap().len(), 4);
    while !round(&fake, &book, &mut held, &mut tries).await.is_empty() {}
    let mut requests = fake.requests.lock().unwrap().clone();
    // Without those that ask whether the account had any traffic at all.
    requests.retain(|request| !request.queries[0].metric.dimensions.is_empty());
    let mut asked: BTreeMap<(Minute, i32), u32> = BTreeMap::new();
    for request in &requests {
        let period = request.queries[0].period_seconds;
        *asked.entry((request.from, period)).or_default() += 1;
    }
    let twice = asked.values().filter(|times| **times > 1).count();
    assert_eq!((twice, requests.len()), (1, asked.len() + 1));
}

#[tokio::test]
async fn a_series_that_always_fails_is_paid_for_three_times_and_then_kept_with_its_gap() {
    let mut fake = Fake::default();
    let broken = ("InvocationThrottles", "a-0".to_owned());
    fake.statuses.insert(broken, MetricStatus::InternalError);
    let book = book(&[("a", 1)]);
    let wanted = [StretchKey {
        pool: pool("a"),
        resolution: Resolution::Minute,
        number: today() - 5,
    }];
    let mut tries = Tries::new();
    for turn in 1..=3 {
        let got = backfill(&fake, &wanted, &book, &mut tries).await;
        assert!(!got.faults.is_empty());
        assert_eq!(got.found.len(), usize::from(turn == 3), "turn {turn}");
        if let [Filled { stretch, .. }] = got.found.as_slice() {
            assert_eq!(
                stretch.signals[&Signal::Throttles][7].value,
                Sample::Unobserved
            );
            assert_eq!(
                stretch.signals[&Signal::Invocations][7].value,
                Sample::NoData
            );
        }
    }
    assert!(tries.is_empty());
}

#[tokio::test]
async fn a_day_of_the_last_week_says_who_took_what_and_an_older_one_does_not() {
    let mut fake = Fake::default();
    for days in [3, 9] {
        let ten = Minute((today() - days) * DAY + 10 * HOUR);
        for minute in 0..60 {
            fake.put("Invocations", "a-0", ten.plus(minute), 3.0);
            fake.put("EstimatedTPMQuotaUsage", "a-0", ten.plus(minute), 300.0);
        }
        fake.put("Invocations", "a-1", ten, 30.0);
        fake.put("EstimatedTPMQuotaUsage", "a-1", ten, 90.0);
    }
    let book = book(&[("a", 2), ("b", 1)]);
    for (model, days, is_told) in [("a", 3, true), ("a", 9, false), ("b", 3, false)] {
        let wanted = [StretchKey {
            pool: pool(model),
            resolution: Resolution::Minute,
            number: today() - days,
        }];
        let got = backfill(&fake, &wanted, &book, &mut Tries::new()).await;
        let [Filled { uses, .. }] = got.found.as_slice() else {
            panic!("{:?}", got.faults);
        };
        assert_eq!(uses.is_some(), is_told, "{model} {days}");
        let Some(uses) = uses else { continue };
        // No other hour has evidence that an absence is a zero.
        assert_eq!(uses.hours.keys().collect::<Vec<_>>(), [&10]);
        let taken = uses.taken(10).unwrap();
        let of = |target: &str| taken.named[&TargetId::new(target)];
        assert_eq!((of("a-0").demand, of("a-0").charged), (3.0, 300.0));
        assert_eq!((of("a-1").demand, of("a-1").charged), (0.5, 1.5));
    }
}
