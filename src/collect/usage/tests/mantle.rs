//! Pools of the mantle endpoint: their own namespace and dimension, two token counts, and what absence proves there.

use super::*;

const MODEL: &str = "openai.gpt-5.5";

/// One mantle pool beside [`one`], last read at 11:55.
fn both() -> (Book, PoolId) {
    let id = PoolId {
        family: Family::Mantle,
        ..pool(MODEL)
    };
    let mut book = one();
    book.apply(vec![
        Record::Pool(Pool {
            id: id.clone(),
            burndown: Some(1.0),
            worth: None,
            mappings: BTreeMap::new(),
        }),
        Record::Target(Target {
            id: TargetId::new(format!("bedrock-mantle/{MODEL}")),
            kind: TargetKind::Mantle,
            pool: id.clone(),
            first_seen: Timestamp::UNIX_EPOCH,
        }),
        Record::ReadThrough(id.clone(), noon().plus(-5)),
    ]);
    (book, id)
}

#[tokio::test]
async fn a_mantle_pool_is_read_by_the_two_counts_that_its_quotas_limit() {
    let (book, id) = both();
    let mut fake = Fake::default();
    fake.put("TotalInputTokens", MODEL, noon().plus(-4), 900.0);
    fake.put("TotalOutputTokens", MODEL, noon().plus(-4), 70.0);
    let pools = [(id.clone(), Depth::Quick)];
    let got = read(&fake, &scope(), &pools, &book, &mut 0, now()).await;
    assert!(got.faults.is_empty(), "{:?}", got.faults);
    let read = &got.found[0];
    let signals: Vec<Signal> = read.reading.signals.keys().copied().collect();
    assert_eq!(signals, [Signal::InputTokens, Signal::OutputTokens]);
    assert_eq!(
        at(&read.reading, Signal::InputTokens, 4),
        Sample::Value(900.0)
    );
    assert_eq!(
        at(&read.reading, Signal::OutputTokens, 4),
        Sample::Value(70.0)
    );
    assert_eq!((read.through, read.in_full), (noon(), None));
    let requests = fake.requests.lock().unwrap().clone();
    let asked: Vec<_> = requests[0]
        .queries
        .iter()
        .map(|query| (query.metric.namespace.as_str(), query.metric.name.as_str()))
        .collect();
    let mantle = "AWS/BedrockMantle";
    assert_eq!(
        asked,
        [(mantle, "TotalInputTokens"), (mantle, "TotalOutputTokens")]
    );
    let of_model = BTreeMap::from([("Model".to_owned(), MODEL.to_owned())]);
    assert!(
        requests[0]
            .queries
            .iter()
            .all(|it| it.metric.dimensions == of_model)
    );
}

#[tokio::test]
async fn silence_at_the_mantle_endpoint_is_zero_where_anything_of_the_region_has_data() {
    let (book, id) = both();
    let mut fake = Fake::default();
    // Minute 10 has runtime traffic, 9 mantle traffic of another kind, 8 nothing at all.
    feed(&mut fake, "us.a", 10, 1.0);
    fake.put("TotalInputTokens", "", noon().plus(-9), 5.0);
    let pools = [(pool(SONNET), Depth::Full), (id.clone(), Depth::Full)];
    let got = read(&fake, &scope(), &pools, &book, &mut 0, now()).await;
    let read = got.found.iter().find(|it| it.reading.pool == id).unwrap();
    for (ago, expected) in [
        (10, Sample::Value(0.0)),
        (9, Sample::Value(0.0)),
        (8, Sample::NoData),
        (2, Sample::Unobserved), // not published yet
    ] {
        assert_eq!(
            at(&read.reading, Signal::InputTokens, ago),
            expected,
            "{ago}"
        );
    }
    assert!(read.reading.signals.contains_key(&Signal::Invocations));
    assert!(!read.reading.signals.contains_key(&Signal::Throttles));
    assert!(!read.is_by_formula);
}
