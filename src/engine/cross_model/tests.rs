use super::*;
use crate::model::{
    catalog::{Family, Pool, Target, TargetKind},
    ids::{AccountId, Region},
    price::{Price, PriceSource},
    rule::{Matcher, Pattern},
    series::HourBlock,
    time::{HOUR, Timestamp},
};

const DEAR: &str = "anthropic.claude-sonnet-4-6";
const CHEAP: &str = "amazon.titan-embed-text-v2:0";
/// 700 million tokens, as AWS publishes it.
const QUOTA: f64 = 7e8;
/// A midnight.
const DAY_BEGINS: Minute = Minute(20_000 * DAY);

fn scope() -> Scope {
    Scope {
        account: AccountId::new("111122223333"),
        region: Region::new("us-east-1"),
    }
}

fn pool(model: &str, family: Family) -> PoolId {
    PoolId {
        scope: scope(),
        family,
        model: ModelId::new(model),
    }
}

fn price(model: &str, input: f64, output: f64) -> Price {
    Price {
        matcher: Matcher {
            models: vec![Pattern::new(model)],
            ..Matcher::default()
        },
        usd: TokenPrice {
            input,
            output,
            cache_read: None,
            cache_write: Some(1.25 * input),
        },
        source: PriceSource::Configured,
    }
}

fn prices() -> Prices {
    Prices {
        rows: vec![price(DEAR, 3.0, 15.0), price(CHEAP, 0.02, 0.02)],
        factors: Vec::new(),
    }
}

/// Both models, each with a target and read until the end of the day.
fn book() -> Book {
    let mut book = Book::default();
    for (model, family) in [(DEAR, Family::Geo), (CHEAP, Family::OnDemand)] {
        add(&mut book, model, family);
    }
    book
}

fn add(book: &mut Book, model: &str, family: Family) {
    let id = pool(model, family);
    book.pools.insert(
        id.clone(),
        Pool {
            id: id.clone(),
            burndown: None,
            worth: None,
            mappings: BTreeMap::new(),
        },
    );
    let target = Target {
        id: TargetId::new(model),
        kind: TargetKind::Base,
        pool: id.clone(),
        first_seen: Timestamp::MIN,
    };
    book.targets.insert((scope(), target.id.clone()), target);
    book.read_through.insert(id, DAY_BEGINS.plus(DAY));
}

fn rates(book: &Book) -> Rates {
    Rates::of(book, &prices(), &scope(), DAY_BEGINS).unwrap()
}

/// What a pool takes in each of three minutes.
fn minute_of(rates: &Rates, pool: &PoolId, tokens: &[(Signal, Sample)]) -> Sample {
    let samples = |_: &PoolId, signal: Signal, _: Minute, _: Minute| {
        let told = tokens.iter().find(|(it, _)| *it == signal);
        vec![told.map_or(Sample::NoData, |(_, sample)| *sample); 3]
    };
    let mut taken = [Sample::Value(0.0); 3];
    rates.add(&mut taken, &samples, pool, (DAY_BEGINS, DAY_BEGINS.plus(3)));
    taken[1]
}

#[test]
fn tokens_count_by_the_price_of_their_model_and_of_their_kind() {
    let rates = rates(&book());
    let million = Sample::Value(1e6);
    let dear = pool(DEAR, Family::Geo);
    let all = [
        (Signal::InputTokens, million),
        (Signal::OutputTokens, million),
        (Signal::CacheWriteTokens, million),
    ];
    // 3 + 15 + 3.75 USD, in units of a millionth.
    assert_eq!(minute_of(&rates, &dear, &all), Sample::Value(21.75e6));
    let cheap = pool(CHEAP, Family::OnDemand);
    assert_eq!(
        minute_of(&rates, &cheap, &all[..1]),
        Sample::Value(20_000.0)
    );
    let other = pool(DEAR, Family::Mantle);
    assert_eq!(
        minute_of(&rates, &other, &all),
        Sample::Value(0.0),
        "an endpoint of its own"
    );
}

#[test]
fn a_minute_of_which_a_part_is_not_known_is_not_known() {
    let rates = rates(&book());
    let tokens = [
        (Signal::InputTokens, Sample::Value(10.0)),
        (Signal::OutputTokens, Sample::Unobserved),
    ];
    let dear = pool(DEAR, Family::Geo);
    assert_eq!(minute_of(&rates, &dear, &tokens), Sample::Unobserved);
}

#[test]
fn a_model_without_a_price_counts_as_the_dearest_and_is_named() {
    let mut book = book();
    add(&mut book, "some.new-model-v1:0", Family::OnDemand);
    let rates = rates(&book);
    assert_eq!(rates.unpriced, [ModelId::new("some.new-model-v1:0")]);
    let new = pool("some.new-model-v1:0", Family::OnDemand);
    let tokens = [(Signal::OutputTokens, Sample::Value(1e6))];
    assert_eq!(minute_of(&rates, &new, &tokens), Sample::Value(15e6));
    let none = Prices::default();
    assert!(Rates::of(&book, &none, &scope(), DAY_BEGINS).is_none());
}

/// What the account took each minute from midnight on, and what its models did with requests.
struct Seen {
    book: Book,
    taken: PoolSeries,
}

impl Seen {
    /// `usd` a minute, until the models refuse nearly all from `stopped` on.
    fn of(usd: f64, stopped: Option<Minute>) -> Self {
        let mut seen = Self {
            book: book(),
            taken: PoolSeries::default(),
        };
        let is_stopped = |at: Minute| stopped.is_some_and(|stopped| stopped <= at);
        for hour in (0..24).map(|hour| DAY_BEGINS.plus(hour * HOUR)) {
            let block = |value: &dyn Fn(Minute) -> f64| -> HourBlock {
                let minutes: Vec<Minute> = hour.until(hour.plus(HOUR)).collect();
                std::array::from_fn(|at| Sample::Value(value(minutes[at])))
            };
            let taken = block(&|at| if is_stopped(at) { 0.0 } else { usd * 1e6 });
            seen.taken.restore(Signal::ChargedTokens, hour, taken);
            for (model, family) in [(DEAR, Family::Geo), (CHEAP, Family::OnDemand)] {
                let series = seen.book.series.entry(pool(model, family)).or_default();
                let through = block(&|at| if is_stopped(at) { 0.0 } else { 30.0 });
                series.restore(Signal::Invocations, hour, through);
                let refused = block(&|at| if is_stopped(at) { 30.0 } else { 0.0 });
                series.restore(Signal::Throttles, hour, refused);
            }
        }
        seen
    }

    fn worth(&self, old: Option<Worth>, until: Minute) -> Worth {
        let day = Day {
            book: &self.book,
            taken: &self.taken,
            until,
            quota: QUOTA,
        };
        worth(old, &rates(&self.book), &day).unwrap()
    }
}

fn assert_range(worth: Worth, (low, high): (f64, f64)) {
    let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-6;
    assert!(
        near(worth.low, low) && near(worth.high, high),
        "{worth:?} instead of {low} to {high}"
    );
}

#[test]
fn at_first_only_prices_say_what_the_quota_comes_to() {
    let little = Seen::of(0.001, None);
    assert_range(
        little.worth(None, DAY_BEGINS.plus(10)),
        (0.02, 15.0), // from the cheapest input to the dearest output
    );
}

/// At noon 720 USD are taken and requests get through: so 700 million tokens are more than what was counted a quarter of an
/// hour before.
#[test]
fn what_went_through_is_the_least_that_the_quota_comes_to() {
    let busy = Seen::of(1.0, None);
    let noon = busy.worth(None, DAY_BEGINS.plus(DAY / 2));
    assert_range(noon, (705.0 / 700.0, 15.0));
    let later = busy.worth(Some(noon), DAY_BEGINS.plus(DAY));
    assert_range(later, (1_425.0 / 700.0, 15.0));
    // A quiet day takes nothing back, for a month.
    let quiet = Seen::of(0.001, None);
    let held = quiet.worth(Some(later), DAY_BEGINS.plus(HOUR));
    assert_eq!((held.low, held.passed), (later.low, later.passed));
    let long_ago = later.passed.map(|it| Mark {
        at: it.at.plus(-31 * DAY),
        ..it
    });
    let old = Worth {
        passed: long_ago,
        ..later
    };
    let forgotten = quiet.worth(Some(old), DAY_BEGINS.plus(HOUR));
    assert!(forgotten.low < 0.1, "{forgotten:?}");
}

#[test]
fn a_day_that_is_used_up_tells_what_the_quota_comes_to() {
    let noon = DAY_BEGINS.plus(DAY / 2);
    let stopped = Seen::of(1.0, Some(noon));
    let before = stopped.worth(None, noon);
    let soon = stopped.worth(Some(before), noon.plus(10));
    assert_eq!(soon.stopped, None, "ten minutes are not enough");
    let told = stopped.worth(Some(before), noon.plus(15));
    let is = 720.0 / 700.0;
    assert_range(told, (before.low.max(0.9 * is), 1.05 * is));
    let evening = stopped.worth(Some(told), noon.plus(5 * HOUR));
    assert_eq!(
        evening.stopped, told.stopped,
        "the first look of a day stays"
    );
    // On the next day more gets through: it was not that, or it was raised.
    let free = Seen::of(2.0, None);
    let more = free.worth(Some(told), DAY_BEGINS.plus(DAY));
    assert_eq!(more.stopped, None);
    assert_range(more, (2_850.0 / 700.0, 15.0));
}

/// Refusals beside answers that are not known prove nothing: something may have got through.
#[test]
fn refusals_alone_are_no_used_up_day() {
    let noon = DAY_BEGINS.plus(DAY / 2);
    let mut stopped = Seen::of(1.0, Some(noon));
    let series = stopped.book.series.get_mut(&pool(DEAR, Family::Geo));
    series
        .unwrap()
        .restore(Signal::Invocations, noon, [Sample::Unobserved; 60]);
    assert_eq!(stopped.worth(None, noon.plus(15)).stopped, None);
}

#[test]
fn more_than_any_price_explains_is_believed_all_the_same() {
    let rich = Seen::of(20.0, None);
    let worth = rich.worth(None, DAY_BEGINS.plus(DAY));
    let low = 20.0 * 1_425.0 / 700.0;
    assert_range(worth, (low, 2.0 * low));
}

/// What a day before the start let through counts as well: until it was used up, where it was.
#[test]
fn days_before_the_start_narrow_it_too() {
    let noon = DAY_BEGINS.plus(DAY / 2);
    let past = Seen::of(1.0, Some(noon));
    let taken: Vec<Sample> = past
        .taken
        .window(Signal::ChargedTokens, DAY_BEGINS, DAY_BEGINS.plus(DAY))
        .collect();
    let mark = passed(DAY_BEGINS, &taken, QUOTA);
    assert_eq!(mark.map(|it| it.used), Some(705e6));
    let rates = rates(&past.book);
    let later = DAY_BEGINS.plus(5 * DAY);
    let known = worth_after(None, &rates, mark, later).unwrap();
    assert_range(known, (705.0 / 700.0, 15.0));
    let long_after = worth_after(None, &rates, mark, DAY_BEGINS.plus(40 * DAY)).unwrap();
    assert_range(long_after, (0.02, 15.0));
    let unknown = vec![Sample::Unobserved; taken.len()];
    assert_eq!(passed(DAY_BEGINS, &unknown, QUOTA), None);
}

#[test]
fn half_a_day_that_was_not_read_proves_nothing() {
    let mut busy = Seen::of(1.0, None);
    for hour in (0..6).map(|hour| DAY_BEGINS.plus(hour * HOUR)) {
        busy.taken
            .restore(Signal::ChargedTokens, hour, [Sample::Unobserved; 60]);
    }
    let worth = busy.worth(None, DAY_BEGINS.plus(DAY / 2));
    assert_eq!((worth.passed, worth.stopped), (None, None));
}
