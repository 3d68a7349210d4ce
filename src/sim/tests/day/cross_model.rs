//! The daily quota that all models of an account share, weighed by price.

use super::*;

const DEAR: &str = "us.anthropic.claude-sonnet-4-6";
const MIDDLING: &str = "amazon.nova-pro-v1:0";
const CHEAP: &str = "amazon.titan-embed-text-v2:0";
const MANTLE: &str = "bedrock-mantle/default/openai.gpt-5.5";
const CROSS_MODEL: &str = "L-E3F10727";

/// What is there to be called.
const CATALOG: &str = r#"
start = "2026-11-02T00:00:00Z"
seed = 1
length = "3d"
history = "1d"
retry_share = 0.4
[[account]]
id = "111122223333"
regions = ["us-east-1", "eu-west-1"]
[[account]]
id = "444455556666"
regions = ["us-east-1"]
[[model]]
id = "anthropic.claude-sonnet-4-6"
label = "Anthropic Claude Sonnet 4.6"
burndown = 5
[[model]]
id = "amazon.nova-pro-v1:0"
label = "Amazon Nova Pro"
[[model]]
id = "amazon.titan-embed-text-v2:0"
label = "Amazon Titan Text Embeddings V2"
[[profile]]
id = "us.anthropic.claude-sonnet-4-6"
model = "anthropic.claude-sonnet-4-6"
destinations = ["us-east-1"]
"#;

/// A token of the quota is one of 3 USD a million.
const PRICES: &str = r#"
[[cross_model_day]]
account = "111122223333"
region = "us-east-1"
usd_per_million = 3.0
prices = [
    { model = "anthropic.claude-sonnet-4-6", input = 3.0, output = 15.0, cache_read = 0.3, cache_write = 3.75 },
    { model = "amazon.nova-pro-v1:0", input = 0.8, output = 3.2 },
    { model = "amazon.titan-embed-text-v2:0", input = 0.02, output = 0.0 },
]
"#;

fn called(account: &str, region: &str, id: &str) -> String {
    let traffic = match id {
        // 4,000 tokens of the quota a request, and 760 for the cache: 137 million a day.
        DEAR => {
            "requests_per_minute = 20\ninput_tokens = 2000\noutput_tokens = 400\ncache_read_share = 0.8\ncache_write_share = 0.24\n"
        }
        // 720 a request: 62 million a day.
        MIDDLING => "requests_per_minute = 60\ninput_tokens = 1500\noutput_tokens = 300\n",
        // 10 a request: 14 million a day, of 2 billion tokens.
        _ => "requests_per_minute = 1000\ninput_tokens = 1500\noutput_tokens = 0\n",
    };
    format!(
        "[[target]]\naccount = \"{account}\"\nregion = \"{region}\"\nid = \"{id}\"\ntrace = \"chat\"\nevened = true\n{traffic}"
    )
}

fn quota(code: &str, value: f64) -> String {
    format!(
        "[[quota]]\naccount = \"111122223333\"\nregion = \"us-east-1\"\ncode = \"{code}\"\napplied = {value:?}\n"
    )
}

/// A world in which these are called, with a quota of so many million tokens a day.
fn world(ids: &[&str], millions: f64) -> String {
    let targets: String = ids
        .iter()
        .map(|id| called(ACCOUNT, "us-east-1", id))
        .collect();
    let room = quota("L-26C560CE", 1e5) + &quota("L-DE641971", 1e9);
    format!(
        "{CATALOG}{targets}{room}{}",
        quota(CROSS_MODEL, millions * 1e6)
    )
}

fn run(text: &str, until: i64) -> Arc<Sim> {
    let sim = Sim::new(parsed(text), 1);
    hours(&sim, until);
    sim
}

/// What minutes of a target took of the quota, by the prices above.
fn taken(id: &str, minutes: &[TargetMinute]) -> f64 {
    let [input, output, read, write] = match id {
        DEAR => [3.0, 15.0, 0.3, 3.75],
        MIDDLING => [0.8, 3.2, 0.8, 0.8],
        _ => [0.02, 0.0, 0.0, 0.0],
    };
    let tokens = minutes.iter().map(|it| {
        it.input * input + it.output * output + it.cache_read * read + it.cache_write * write
    });
    tokens.sum::<f64>() / 3.0
}

/// All that these took of the quota on a day, and the minute that used it up; from then on all of them are refused.
fn used_up(sim: &Sim, ids: &[&str], number: i64) -> Option<(usize, f64)> {
    let days: Vec<_> = ids.iter().map(|id| (*id, day(sim, id, number))).collect();
    let first = |(_, minutes): &(&str, Vec<TargetMinute>)| {
        minutes.iter().position(|minute| 0.0 < minute.throttles)
    };
    let reached = days.iter().filter_map(first).min()?;
    for (_, minutes) in &days {
        nothing_of(&minutes[reached + 1..]);
    }
    Some((reached, days.iter().map(|(id, day)| taken(id, day)).sum()))
}

#[test]
fn models_use_up_together_what_none_would_alone_and_are_refused_until_midnight() {
    let both = [DEAR, MIDDLING];
    for alone in both {
        let sim = run(&(world(&[alone], 160.0) + PRICES), 48);
        assert!(sim.throttled().is_empty(), "{alone}");
    }
    let sim = run(&(world(&both, 160.0) + PRICES), 72);
    for number in 0..2 {
        let (reached, taken) = used_up(&sim, &both, number).unwrap();
        assert!((1_000..1_300).contains(&reached), "{number}: {reached}");
        assert!((159.99e6..=160e6).contains(&taken), "{number}: {taken}");
        assert!(
            day(&sim, DEAR, number + 1)[..9]
                .iter()
                .any(|it| 0.0 < it.invocations)
        );
    }
}

#[test]
fn the_minute_that_uses_it_up_lets_the_same_part_of_each_through() {
    let all = [DEAR, MIDDLING, CHEAP];
    let parts = (60..160).filter_map(|millions| {
        let sim = run(&(world(&all, f64::from(millions)) + PRICES), 24);
        let (reached, _) = used_up(&sim, &all, 0)?;
        let part = |id| {
            let minute = day(&sim, id, 0)[reached];
            let wanted = minute.invocations + minute.throttles;
            (20.0 < wanted).then(|| minute.invocations / wanted)
        };
        Some((part(MIDDLING)?, part(CHEAP)?))
    });
    let (middling, cheap) = parts
        .into_iter()
        .find(|(_, cheap)| (0.3..0.7).contains(cheap))
        .unwrap();
    assert!(
        middling <= cheap && cheap - middling < 0.05,
        "{middling} {cheap}"
    );
}

#[test]
fn a_mass_of_cheap_tokens_takes_little_of_it() {
    let sim = run(&(world(&[CHEAP], 20.0) + PRICES), 48);
    let minutes = day(&sim, CHEAP, 0);
    let tokens: f64 = minutes.iter().map(|minute| minute.input).sum();
    assert!(1.9e9 < tokens, "{tokens}");
    let weighed = taken(CHEAP, &minutes);
    assert!((12e6..17e6).contains(&weighed), "{weighed}");
    assert!(sim.throttled().is_empty());
    // It is refused with the others all the same.
    let all = [DEAR, MIDDLING, CHEAP];
    let sim = run(&(world(&all, 100.0) + PRICES), 24);
    let (reached, _) = used_up(&sim, &all, 0).unwrap();
    assert!((540..900).contains(&reached), "{reached}");
}

#[test]
fn a_raise_in_the_middle_of_the_day_lets_through_again() {
    let both = [DEAR, MIDDLING];
    let sim = run(&(world(&both, 100.0) + PRICES), 18);
    apply(&sim, CROSS_MODEL, 130e6);
    hours(&sim, 48);
    let total: f64 = both
        .iter()
        .map(|id| {
            let minutes = day(&sim, id, 0);
            nothing_of(&minutes[960..1_080]);
            assert!(10 < open(&minutes[1_080..1_100]), "{id}");
            nothing_of(&minutes[1_400..]);
            taken(id, &minutes)
        })
        .sum();
    assert!((129.99e6..=130e6).contains(&total), "{total}");
}

#[test]
fn a_model_s_own_day_ends_only_by_what_was_let_through() {
    let charged = |sim: &Sim| -> f64 {
        let minutes = day(sim, MIDDLING, 0);
        minutes.iter().map(|minute| minute.charged).sum()
    };
    let text = world(&[DEAR, MIDDLING], 60.0) + PRICES;
    // So that less than a minute of it is left while all models are refused.
    let left = charged(&run(&text, 12)) + 60_000.0;
    let sim = run(&(text + &quota(PER_DAY, left)), 12);
    nothing_of(&day(&sim, MIDDLING, 0)[600..720]);
    apply(&sim, CROSS_MODEL, 1e9);
    hours(&sim, 24);
    nothing_of(&day(&sim, MIDDLING, 0)[730..]);
    let charged = charged(&sim);
    assert!(
        (left - 5_000.0..=left).contains(&charged),
        "{charged} {left}"
    );
}

#[test]
fn what_other_quotas_refuse_takes_nothing_of_it() {
    let both = [DEAR, MIDDLING];
    let tight = quota("L-15B8E632", 40_000.0);
    let sim = run(&(world(&both, 90.0) + &tight + PRICES), 24);
    let days = both.map(|id| day(&sim, id, 0));
    let last = |minutes: &Vec<TargetMinute>| minutes.iter().rposition(|it| 0.0 < it.invocations);
    let last = days.iter().filter_map(last).max().unwrap();
    for minutes in &days {
        nothing_of(&minutes[last + 1..]);
    }
    let total = taken(DEAR, &days[0]) + taken(MIDDLING, &days[1]);
    assert!((89.99e6..=90e6).contains(&total), "{total}");
}

#[test]
fn nobody_else_is_refused_and_nobody_at_all_without_prices() {
    let mantle = r#"
[[mantle]]
account = "111122223333"
region = "us-east-1"
project = "default"
model = "openai.gpt-5.5"
label = "GPT-5.5"
traffic = { trace = "chat", evened = true, requests_per_minute = 60, input_tokens = 1500, output_tokens = 300 }
"#;
    let others = [(ACCOUNT, "eu-west-1"), ("444455556666", "us-east-1")];
    let elsewhere: String = others
        .iter()
        .map(|(account, region)| called(account, region, MIDDLING))
        .collect();
    let without = world(&[DEAR, MIDDLING], 60.0) + &elsewhere + mantle;
    let (without, with) = (run(&without, 24), run(&(without.clone() + PRICES), 24));
    assert!(without.throttled().is_empty());
    let refused = with.throttled();
    assert!(!refused.is_empty());
    assert!(
        refused.iter().all(|it| it.scope == scope()
            && (it.target.as_str() == DEAR || it.target.as_str() == MIDDLING))
    );
    for (account, region) in others {
        let scope = Scope {
            account: AccountId::new(account),
            region: Region::new(region),
        };
        let minutes = day_in(&with, &scope, MIDDLING, 0);
        assert_eq!(minutes.len(), 1_440);
        assert_eq!(minutes, day_in(&without, &scope, MIDDLING, 0));
    }
    assert_eq!(day(&with, MANTLE, 0), day(&without, MANTLE, 0));
}

#[test]
fn without_a_region_each_region_has_a_count_of_its_own() {
    let everywhere = PRICES.replace("region = \"us-east-1\"\n", "");
    let elsewhere = called(ACCOUNT, "eu-west-1", MIDDLING);
    let europe = quota(CROSS_MODEL, 30e6).replace("us-east-1", "eu-west-1");
    let text = world(&[MIDDLING], 45.0) + &elsewhere + &europe + &everywhere;
    let sim = run(&text, 24);
    let (here, _) = used_up(&sim, &[MIDDLING], 0).unwrap();
    let scope = Scope {
        account: AccountId::new(ACCOUNT),
        region: Region::new("eu-west-1"),
    };
    let (there, _) = reached(&day_in(&sim, &scope, MIDDLING, 0)).unwrap();
    assert!(there + 200 < here, "{there} {here}");
}

#[test]
fn it_is_the_same_whoever_asks_first_and_however_far() {
    let all = [DEAR, MIDDLING, CHEAP];
    let text = world(&all, 110.0) + PRICES;
    let (often, once) = (Sim::new(parsed(&text), 1), Sim::new(parsed(&text), 1));
    for (step, id) in all.iter().cycle().take(47).enumerate() {
        often.advance_to(after(
            often.world().start,
            7 + 60 * i64::try_from(step).unwrap(),
        ));
        drop(day(&often, id, 0));
    }
    for sim in [&often, &once] {
        hours(sim, 48);
    }
    for number in -1..2 {
        for id in all {
            assert_eq!(day(&once, id, number), day(&often, id, number), "{id}");
        }
        assert!(used_up(&once, &all, number).is_some());
    }
}

#[test]
fn faults_say_where_they_are() {
    let text = world(&[DEAR, MIDDLING], 100.0);
    for (wrong, expected) in [
        (
            PRICES.replace("usd_per_million = 3.0", "usd_per_million = 0.0"),
            "cross_model_day of 111122223333/us-east-1: `usd_per_million` is a price above 0",
        ),
        (
            PRICES.replace("usd_per_million = 3.0", "usd_per_million = nan"),
            "`usd_per_million` is a price above 0",
        ),
        (
            PRICES.replace("input = 0.8", "input = -0.8"),
            "cross_model_day of 111122223333/us-east-1, price of `amazon.nova-pro-v1:0`: -0.8 is out of range",
        ),
        (
            PRICES.replace(
                "{ model = \"amazon.nova-pro-v1:0\", input = 0.8, output = 3.2 },",
                "",
            ),
            "cross_model_day of 111122223333/us-east-1: `prices` has no `amazon.nova-pro-v1:0`, which is called in 111122223333/us-east-1",
        ),
        (
            PRICES.replace("amazon.titan-embed-text-v2:0", "amazon.titan"),
            "no [[model]] has the id `amazon.titan`",
        ),
        (
            PRICES.replace("amazon.titan-embed-text-v2:0", "amazon.nova-pro-v1:0"),
            "price of `amazon.nova-pro-v1:0`: is there twice",
        ),
        (
            PRICES.replace("111122223333", "111122224444"),
            "cross_model_day of 111122224444/us-east-1: no [[account]] has the id `111122224444`",
        ),
        (
            PRICES.replace("us-east-1", "us-west-2"),
            "account 111122223333 has no Region `us-west-2` in this world",
        ),
        (
            PRICES.to_owned() + &PRICES.replace("region = \"us-east-1\"\n", ""),
            "cross_model_day of 111122223333: 111122223333/us-east-1 is there twice",
        ),
        (
            PRICES.replace("usd_per_million", "dollars"),
            "unknown field `dollars`",
        ),
        (
            PRICES.replace("output = 3.2", "outputs = 3.2"),
            "unknown field `outputs`",
        ),
    ] {
        let faults = World::parse(&(text.clone() + &wrong)).unwrap_err();
        assert!(
            faults.to_string().contains(expected),
            "{expected}: {faults}"
        );
    }
}

#[test]
fn the_world_of_daily_quotas_goes_as_it_says() {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/worlds/daily.toml"
    ));
    let world = parsed(text);
    let seed = world.seed;
    let sim = Sim::new(world, seed);
    hours(&sim, 6 * 24);
    let all = [DEAR, MIDDLING, CHEAP];
    let of_day = |number| -> f64 {
        let taken = all.iter().map(|id| taken(id, &day(&sim, id, number)));
        taken.sum()
    };
    for number in -15..2 {
        let total = of_day(number);
        assert!((85e6..95e6).contains(&total), "{number}: {total}");
    }
    let eve = of_day(2);
    assert!((140e6..147e6).contains(&eve), "{eve}");
    let start = Minute::of(sim.world().start);
    let first = sim.throttled().first().unwrap().minute.since(start);
    for number in 3..6 {
        let (reached, taken) = used_up(&sim, &all, number).unwrap();
        let hour = if number == 3 { 17 } else { 16 };
        assert!((reached / 60).abs_diff(hour) <= 1, "{number}: {reached}");
        assert!((149.99e6..=150e6).contains(&taken), "{number}: {taken}");
    }
    assert_eq!((first / 1_440, first % 1_440 / 60), (3, 17), "{first}");
}
