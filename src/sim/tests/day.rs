//! Daily quotas, reached: those of one model here, the one of all models in `cross_model`.

mod cross_model;

use super::*;

const MODEL: &str = "amazon.nova-pro-v1:0";
const GEO: &str = "us.amazon.nova-pro-v1:0";
const PER_DAY: &str = "L-D690997B";

/// Nova Pro on demand and by its geo profile, 72,000 tokens a minute (104 million a day) each, three days.
const NOVA: &str = r#"
start = "2026-11-02T00:00:00Z"
seed = 1
length = "3d"
history = "6h"
retry_share = 0.5
[[account]]
id = "111122223333"
regions = ["us-east-1"]
[[model]]
id = "amazon.nova-pro-v1:0"
label = "Amazon Nova Pro"
[[profile]]
id = "us.amazon.nova-pro-v1:0"
model = "amazon.nova-pro-v1:0"
destinations = ["us-east-1"]
[[target]]
account = "111122223333"
region = "us-east-1"
id = "amazon.nova-pro-v1:0"
trace = "steady"
evened = true
requests_per_minute = 60
input_tokens = 1000
output_tokens = 200
[[target]]
account = "111122223333"
region = "us-east-1"
id = "us.amazon.nova-pro-v1:0"
trace = "steady"
evened = true
requests_per_minute = 60
input_tokens = 1000
output_tokens = 200
[[quota]]
account = "111122223333"
region = "us-east-1"
code = "L-D690997B"
applied = 45000000
"#;

fn parsed(text: &str) -> World {
    World::parse(text).unwrap()
}

/// What a target got on a day of its world: its past minutes from 00:00 UTC to 00:00 UTC.
fn day(sim: &Sim, target: &str, number: i64) -> Vec<TargetMinute> {
    day_in(sim, &scope(), target, number)
}

fn day_in(sim: &Sim, scope: &Scope, target: &str, number: i64) -> Vec<TargetMinute> {
    let first = Minute::of(sim.world().start).plus(number * 1_440);
    let minutes = first.until(first.plus(1_440));
    let target = TargetId::new(target);
    minutes
        .filter_map(|minute| sim.minute(scope, &target, minute))
        .collect()
}

/// The minute of a day in which the first request is refused, and what is charged up to the end of that day. From
/// the minute after it on nothing may get through.
fn reached(day: &[TargetMinute]) -> Option<(usize, f64)> {
    let first = day.iter().position(|minute| 0.0 < minute.throttles)?;
    nothing_of(&day[first + 1..]);
    Some((first, day.iter().map(|minute| minute.charged).sum()))
}

/// Nothing gets through in these minutes, though much is wanted; some single minutes of the trace are empty.
fn nothing_of(minutes: &[TargetMinute]) {
    let through: f64 = minutes.iter().map(|minute| minute.invocations).sum();
    let refused = minutes.iter().filter(|minute| 0.0 < minute.throttles);
    assert!(
        through <= 0.0 && minutes.len() <= 2 * refused.count(),
        "{through}"
    );
}

/// How many of these minutes let something through.
fn open(minutes: &[TargetMinute]) -> usize {
    minutes.iter().filter(|it| 0.0 < it.invocations).count()
}

/// From now on, this value is applied.
fn apply(sim: &Sim, code: &str, value: f64) {
    let mut kernel = sim.kernel();
    let at = kernel.now;
    kernel
        .quotas
        .apply(&scope(), &QuotaCode::new(code), at, value);
}

#[test]
fn a_day_whose_tokens_are_used_up_lets_nothing_through_until_the_next() {
    let sim = Sim::new(parsed(NOVA), 1);
    hours(&sim, 72);
    for number in 0..2 {
        let minutes = day(&sim, MODEL, number);
        let (first, charged) = reached(&minutes).unwrap();
        assert!((560..700).contains(&first), "{number}: {first}");
        // Less than a minute's whole requests is left, and the minute that reached it got its part.
        assert!(
            (44_995_000.0..=45_000_000.0).contains(&charged),
            "{charged}"
        );
        assert!(0.0 < minutes[first].invocations, "{:?}", minutes[first]);
    }
    // Those refused at the end of a day come again in the first minute of the next.
    let (eve, morning) = (day(&sim, MODEL, 0), day(&sim, MODEL, 1));
    let again = (eve.last().unwrap().throttles * 0.5).floor();
    assert!(0.0 < again && again <= morning[0].invocations);
}

#[test]
fn a_history_that_begins_within_a_day_counts_from_there() {
    let sim = Sim::new(parsed(&NOVA.replace("45000000", "20000000")), 1);
    hours(&sim, 1);
    let eve = day(&sim, MODEL, -1);
    assert_eq!(eve.len(), 360);
    let (first, charged) = reached(&eve).unwrap();
    assert!((240..330).contains(&first), "{first}");
    assert!((19_995_000.0..=20_000_000.0).contains(&charged));
}

#[test]
fn geo_traffic_takes_twice_a_quota_that_says_so_and_counts_alone() {
    let sim = Sim::new(parsed(NOVA), 1);
    hours(&sim, 48);
    let (own, charged) = reached(&day(&sim, MODEL, 0)).unwrap();
    let (geo, twice) = reached(&day(&sim, GEO, 0)).unwrap();
    assert!(charged <= 45e6 && (89_995_000.0..=90e6).contains(&twice));
    assert!(own + 500 < geo, "{own} {geo}");
}

#[test]
fn what_other_quotas_refuse_is_not_taken_from_the_day() {
    // 60,000 tokens a minute of 72,000 wanted: the day lasts a sixth longer, to the last minute's last token.
    let tight = format!(
        "{NOVA}[[quota]]\naccount = \"111122223333\"\nregion = \"us-east-1\"\ncode = \"L-CE33604C\"\napplied = 60000\n"
    );
    let sim = Sim::new(parsed(&tight), 1);
    hours(&sim, 48);
    let minutes = day(&sim, MODEL, 0);
    let last = minutes.iter().rposition(|it| 0.0 < it.invocations).unwrap();
    let charged: f64 = minutes.iter().map(|minute| minute.charged).sum();
    assert!(
        (44_995_000.0..=45_000_000.0).contains(&charged),
        "{charged}"
    );
    assert!((750..800).contains(&last), "{last}");
    assert!(700 < open(&minutes[..last]));
    nothing_of(&minutes[last + 1..]);
}

#[test]
fn a_raise_within_the_day_lets_through_again() {
    let sim = Sim::new(parsed(NOVA), 1);
    hours(&sim, 16);
    apply(&sim, PER_DAY, 50_000_000.0);
    hours(&sim, 24);
    let minutes = day(&sim, MODEL, 0);
    nothing_of(&minutes[900..960]);
    assert!(30 < open(&minutes[960..1_000]));
    nothing_of(&minutes[1_100..]);
    let charged: f64 = minutes.iter().map(|minute| minute.charged).sum();
    assert!(
        (49_995_000.0..=50_000_000.0).contains(&charged),
        "{charged}"
    );
}
