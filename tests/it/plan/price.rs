//! What more quota would cost: told beside what is asked for, and never guessed.

use std::collections::BTreeMap;

use bedrock_ops_alert::{
    config::builtin_prices,
    model::{
        action::Effect,
        alert::AlertState,
        book::Record,
        catalog::{Catalog, LifeCycle, Mapping, PoolId},
        digest::{Digest, Nothing, Often},
        ids::{QuotaCode, ReceiverName},
        order::Command,
        policy::Mode,
        price::{Price, PriceSource, Prices, TokenPrice},
        reason::Reason,
        rule::{Category, Matcher, Pattern},
        series::{Reading, Sample, Signal},
        time::{Minute, after},
        units::{Amount, QuotaKind},
    },
};

use super::residency::with_room_elsewhere;
use super::{CODE, Stage, pool_id, scope, sonnet, verdict};

fn own(models: &str, input: f64) -> Price {
    Price {
        matcher: Matcher {
            models: vec![Pattern::new(models)],
            ..Matcher::default()
        },
        usd: TokenPrice {
            input,
            output: 5.0 * input,
            cache_read: Some(input / 10.0),
            cache_write: Some(input * 1.25),
        },
        source: PriceSource::Configured,
    }
}

/// A shortage of tokens, with prices and what the prompt cache takes (writes, reads) in each minute of the last day.
fn stage(mode: Mode, prices: Prices, cache: (f64, f64)) -> Stage {
    let mut stage = Stage::new(mode);
    stage.policy.prices = prices;
    super::shortage(&mut stage);
    feed_cache(&mut stage, &sonnet(), cache);
    stage
}

pub(super) fn short_with_prices(mode: Mode) -> Stage {
    stage(mode, builtin_prices(), (0.0, 0.0))
}

fn feed_cache(stage: &mut Stage, pool: &PoolId, (writes, reads): (f64, f64)) {
    let cache = [
        (Signal::CacheWriteTokens, writes),
        (Signal::CacheReadTokens, reads),
    ];
    feed(stage, pool, &cache);
}

/// The same in each minute of the last day.
fn feed(stage: &mut Stage, pool: &PoolId, signals: &[(Signal, f64)]) {
    let from = Minute::of(stage.now).plus(-1_440);
    let all = |value| vec![Sample::Value(value); 1_440];
    let signals = signals.iter().map(|(signal, value)| (*signal, all(*value)));
    let reading = Reading {
        pool: pool.clone(),
        from,
        signals: signals.collect(),
        by_target: BTreeMap::new(),
    };
    let mut series = stage.book.series.remove(pool).unwrap_or_default();
    series.absorb(&reading);
    stage.book.series.insert(pool.clone(), series);
}

fn step(stage: &mut Stage) {
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
}

/// What the one thing that is asked for says of its cost.
fn cost(stage: &mut Stage) -> Option<String> {
    step(stage);
    let asked = stage.effects("request-quota");
    let asked = asked.into_iter().chain(stage.effects("open-case"));
    let reasons: Vec<&Reason> = asked.flat_map(|it| &it.reasons).collect();
    assert!(!reasons.is_empty(), "nothing was asked");
    let cost = reasons.iter().find_map(|it| it.full_use());
    cost.map(|(_, text)| text.to_owned())
}

/// 1,000,000 charged tokens are 500,000 in and 100,000 out, each of which counts five times: 1.65 + 1.65 USD of them, and
/// 500,000 a minute make 720 times that a day.
#[test]
fn charged_tokens_are_turned_into_billed_ones() {
    let mut stage = stage(Mode::File, builtin_prices(), (0.0, 0.0));
    insta::assert_snapshot!("charged", cost(&mut stage).unwrap());
}

#[test]
fn the_receipt_of_a_request_says_what_it_may_cost() {
    let prices = Prices {
        rows: vec![own("anthropic.*", 3.0)],
        factors: Vec::new(),
    };
    let mut stage = stage(Mode::File, prices, (50_000.0, 800_000.0));
    step(&mut stage);
    stage.perform_all();
    stage.later(1);
    step(&mut stage);
    insta::assert_snapshot!("asked", stage.message("[asked]"));
    let texts = stage.effects("request-quota").into_iter();
    let texts = texts.map(|it| match &it.effect {
        Effect::RequestQuota { context, .. } => context.clone(),
        _ => String::new(),
    });
    assert!(
        !texts.collect::<String>().contains("USD"),
        "AWS is told nothing of it"
    );
}

#[test]
fn what_waits_for_a_person_says_what_it_may_cost() {
    let mut stage = stage(Mode::Propose, builtin_prices(), (0.0, 0.0));
    stage.policy.digests = vec![Digest {
        receiver: ReceiverName::new("oncall"),
        at: Often::Daily(12 * 60 + 2),
        matcher: Matcher::default(),
        nothing: Nothing::Send,
    }];
    step(&mut stage);
    let waiting = |stage: &Stage| {
        let asked = stage.effects("request-quota");
        let action = asked.first().unwrap();
        let reasons: Vec<String> = action.reasons.iter().map(ToString::to_string).collect();
        (action.id.clone(), reasons.join("\n"))
    };
    let (action, reasons) = waiting(&stage);
    insta::assert_snapshot!("proposed", reasons);
    stage.later(3);
    step(&mut stage);
    let digest = stage.message("[digest]");
    let digest = digest
        .lines()
        .find(|it| it.starts_with("- ask for"))
        .unwrap();
    insta::assert_snapshot!("in_the_digest", digest);
    let value = Amount::new(1_200_000.0);
    let approve = Command::Approve { action, value };
    stage.say(None, approve).unwrap();
    let (_, reasons) = waiting(&stage);
    insta::assert_snapshot!("approved_with_another_value", reasons);
}

/// Minute after minute it would ask for the same; that the mix changes is no news.
#[test]
fn where_nothing_is_filed_the_cost_of_it_is_noted_once() {
    let mut stage = stage(Mode::Observe, builtin_prices(), (0.0, 0.0));
    step(&mut stage);
    feed_cache(&mut stage, &sonnet(), (90_000.0, 0.0));
    stage.later(1);
    step(&mut stage);
    insta::assert_snapshot!("noted", stage.decisions().join("\n"));
}

#[test]
fn without_a_price_or_a_mix_nothing_is_said() {
    let unknown = Prices {
        rows: vec![own("amazon.*", 3.0)],
        factors: Vec::new(),
    };
    assert_eq!(cost(&mut stage(Mode::File, unknown, (0.0, 0.0))), None);
    let mut unread = Stage::new(Mode::File);
    unread.policy.prices = builtin_prices();
    super::shortage(&mut unread);
    assert_eq!(
        cost(&mut unread),
        None,
        "what the cache takes was never read"
    );
}

/// A list says nothing of what an old model costs in extended access; the operator may.
#[test]
fn in_extended_access_no_list_holds() {
    let extended = |prices| {
        let mut stage = stage(Mode::File, prices, (0.0, 0.0));
        let life = LifeCycle {
            status: "ACTIVE".to_owned(),
            legacy: None,
            extended: Some(after(stage.now, -1)),
            end: None,
        };
        let lives = BTreeMap::from([(sonnet().model, life)]);
        let catalog = Catalog {
            lives,
            ..Catalog::default()
        };
        stage.book.apply(vec![Record::Catalog(scope(), catalog)]);
        cost(&mut stage)
    };
    assert_eq!(extended(builtin_prices()), None);
    let prices = Prices {
        rows: vec![own("anthropic.*", 6.0)],
        factors: Vec::new(),
    };
    assert!(
        extended(prices)
            .unwrap()
            .contains("6.00 USD in and 30.00 USD out")
    );
}

/// Two models behind one quota: what the one has no price for can't be told for both.
#[test]
fn all_that_drains_the_quota_counts() {
    let two = |models: &str| {
        let prices = Prices {
            rows: vec![own(models, 3.0), own("anthropic.claude-opus-4-6", 5.0)],
            factors: Vec::new(),
        };
        let mut stage = stage(Mode::File, prices, (0.0, 0.0));
        let other = pool_id("anthropic.claude-opus-4-6");
        stage.add_pool(&other);
        feed_cache(&mut stage, &other, (0.0, 0.0));
        stage.set_quota(1_400_000.0);
        cost(&mut stage)
    };
    assert_eq!(two("amazon.*"), None);
    insta::assert_snapshot!("two_pools", two("anthropic.claude-sonnet-*").unwrap());
}

/// Each pool by its own price: what one takes from the cache is priced or not, whatever the other's price lacks.
#[test]
fn what_is_not_in_the_sum_is_told_pool_by_pool() {
    let two = |sonnet_writes: f64, opus_writes: f64| {
        let mut opus = own("anthropic.claude-opus-4-6", 5.0);
        opus.usd.cache_write = None;
        let prices = Prices {
            rows: vec![own("anthropic.claude-sonnet-*", 3.0), opus],
            factors: Vec::new(),
        };
        let mut stage = stage(Mode::File, prices, (sonnet_writes, 0.0));
        let other = pool_id("anthropic.claude-opus-4-6");
        stage.add_pool(&other);
        feed_cache(&mut stage, &other, (opus_writes, 0.0));
        stage.set_quota(1_400_000.0);
        cost(&mut stage).unwrap()
    };
    let lacks = "writes to the prompt cache are not in it";
    assert!(!two(50_000.0, 0.0).contains(lacks));
    assert!(two(0.0, 50_000.0).contains(lacks));
}

/// Where the fortnight is not at hand, as when a person approves another value, three days of it are not called one.
#[test]
fn a_few_days_are_no_fortnight() {
    let mut stage = Stage::new(Mode::Propose);
    stage.policy.prices = builtin_prices();
    super::shortage(&mut stage);
    let now = stage.now;
    stage.now = after(now, -2_880);
    let took = [
        (Signal::ChargedTokens, 1_000_000.0),
        (Signal::InputTokens, 500_000.0),
        (Signal::OutputTokens, 100_000.0),
    ];
    feed(&mut stage, &sonnet(), &took);
    feed_cache(&mut stage, &sonnet(), (0.0, 0.0));
    stage.now = now;
    let said = cost(&mut stage).unwrap();
    assert!(said.contains("the last 14 days"), "{said}");
    stage.past.clear();
    let action = stage.effects("request-quota").first().unwrap().id.clone();
    let value = Amount::new(1_600_000.0);
    stage.say(None, Command::Approve { action, value }).unwrap();
    let asked = stage.effects("request-quota");
    let mut reasons = asked.iter().flat_map(|it| &it.reasons);
    assert_eq!(reasons.find_map(|it| it.full_use()), None);
}

#[test]
fn requests_cost_what_their_tokens_do() {
    let mut stage = stage(Mode::File, builtin_prices(), (0.0, 100_000.0));
    let code = QuotaCode::new("L-00000001");
    let proof = "name and family match".to_owned();
    let mut pool = stage.book.pools.get(&sonnet()).unwrap().clone();
    let mapped = Mapping::Mapped {
        code: code.clone(),
        proof,
    };
    pool.mappings.insert(QuotaKind::Rpm, mapped);
    let tokens = (scope(), QuotaCode::new(CODE));
    let mut quota = stage.book.quotas.get(&tokens).unwrap().clone();
    quota.code = code.clone();
    quota.applied = Amount::new(700.0);
    quota.default = None;
    stage
        .book
        .apply(vec![Record::Pool(pool), Record::Quota(quota)]);
    let mut on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    on.quota = Some((QuotaKind::Rpm, code));
    stage.step(&[on], &[]);
    let asked = stage.effects("request-quota");
    let reasons = &asked.first().unwrap().reasons;
    let cost = reasons.iter().find_map(Reason::full_use);
    insta::assert_snapshot!("requests", cost.unwrap().1);
}

/// Support is asked for what Service Quotas does not raise: people hear the cost, Support does not.
#[test]
fn a_case_for_more_says_what_it_may_cost() {
    let mut stage = stage(Mode::File, builtin_prices(), (0.0, 0.0));
    let key = (scope(), QuotaCode::new(CODE));
    let mut quota = stage.book.quotas.get(&key).unwrap().clone();
    quota.adjustable = false;
    stage.book.apply(vec![Record::Quota(quota)]);
    let said = cost(&mut stage).unwrap();
    assert!(
        said.starts_with("At full use, the 500,000 tokens per minute"),
        "{said}"
    );
    let cases = stage.effects("open-case");
    let Effect::OpenCase { body, .. } = &cases.first().unwrap().effect else {
        panic!("no case");
    };
    assert!(!body.contains("USD"), "{body}");
    stage.perform_all();
    stage.later(1);
    step(&mut stage);
    insta::assert_snapshot!("case_opened", stage.message("[case opened]"));
}

/// Where the traffic could go, people read what that costs and how fast it is, beside what they have.
#[test]
fn room_elsewhere_is_told_with_its_price_and_pace() {
    let told = |here: &[(Signal, f64)], there: &[(Signal, f64)]| {
        let (mut stage, elsewhere) = with_room_elsewhere();
        stage.policy.prices = builtin_prices();
        feed(&mut stage, &sonnet(), here);
        feed(&mut stage, &elsewhere, there);
        step(&mut stage);
        let told = stage.message("[warning]");
        let mut lines = told.lines();
        let line = lines.find_map(|it| it.split_once("last day: global in"));
        format!("- global in{}", line.unwrap().1)
    };
    let writes = (Signal::CacheWriteTokens, 0.0);
    let lines = [
        told(&[], &[]),
        told(
            &[writes, (Signal::LatencyP50, 2_310.4)],
            &[writes, (Signal::LatencyP50, 1_200.0)],
        ),
        told(
            &[writes, (Signal::LatencyP50, 2_310.4)],
            &[
                writes,
                (Signal::LatencyP50, 1_200.0),
                (Signal::OutputTokens, 1_200.0),
            ],
        ),
        told(&[writes, (Signal::LatencyP50, 2_310.4)], &[]),
    ];
    insta::assert_snapshot!("beside", lines.join("\n"));
}
