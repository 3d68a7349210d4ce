//! `explain POOL --at TIME`: why something fired at a past minute, or nothing did.

use std::{collections::BTreeMap, sync::Arc};

use bedrock_ops_alert::{
    cli::{moment::moment, remote::Format},
    config,
    model::{
        book::{Book, Record},
        ids::SilenceId,
        selector::Selector,
        series::{Reading, Sample, Signal},
        silence::Silence,
        time::Minute,
    },
    runtime::shared::{Health, Shared},
    web,
};
use tokio::net::TcpListener;

use super::books;

const POOL: &str = "111122223333/us-east-1/geo/anthropic.claude-sonnet-4-6";

const EVENTS: &str = r#"
[[event]]
name = "Load test"
kind = "maintenance"
from = "2026-11-24T01:00:00Z"
until = "2026-11-24T01:30:00Z"

[rule.rpm-share-critical]
enabled = false
"#;

async fn asked(
    (book, health): (Book, Health),
    pool: &str,
    at: &str,
    format: Format,
) -> Result<String, String> {
    let mut settings = books::settings();
    let read = config::parse(EVENTS, "config.toml", &config::Overrides::default()).unwrap();
    (settings.rules, settings.calendar) = (read.rules, read.calendar);
    let (shared, _inbox) = Shared::new(settings, true, book);
    let shared = Arc::new(shared);
    *shared.health_mut() = health;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut out = Vec::new();
    tokio::select! {
        ended = web::serve(Arc::clone(&shared), listener, std::future::pending()) => panic!("the server ended: {ended:?}"),
        result = moment(&url, pool, at, format, &mut out) => match result {
            Ok(()) => Ok(String::from_utf8(out).unwrap()),
            Err(error) => Err(error.to_string().replace(&url, "URL")),
        },
    }
}

/// The quiet book, with two minutes near the limit at 02:00: one too few.
fn near_miss() -> (Book, Health) {
    let (mut book, health) = books::quiet();
    let pool = book.pools.keys().next().unwrap().clone();
    let reading = Reading {
        pool: pool.clone(),
        from: Minute::of(books::at("2026-11-24T02:00:00Z")),
        signals: BTreeMap::from([(Signal::ChargedTokens, vec![Sample::Value(870_000.0); 2])]),
        by_target: BTreeMap::new(),
    };
    book.series.get_mut(&pool).unwrap().absorb(&reading);
    let until = Minute::of(books::now());
    book.apply(vec![
        Record::ReadInFull(pool.clone(), until),
        Record::ReadInDepth(pool, until),
        Record::Silence(Silence {
            id: SilenceId::new("sil-0123456789"),
            selector: Selector::default(),
            by: "ana".to_owned(),
            why: "load test of the week".to_owned(),
            created: books::at("2026-11-24T00:55:00Z"),
            from: books::at("2026-11-24T00:55:00Z"),
            until: books::at("2026-11-24T01:45:00Z"),
            holds_requests: false,
            expired_by: None,
        }),
    ]);
    (book, health)
}

#[tokio::test]
async fn why_nothing_fired_is_told_by_rule() {
    let told = asked(near_miss(), POOL, "02:01", Format::Text)
        .await
        .unwrap();
    insta::assert_snapshot!("moment_near_miss", told);
    let planned = asked(near_miss(), POOL, "2026-11-24T01:10:00Z", Format::Text);
    insta::assert_snapshot!("moment_planned", planned.await.unwrap());
}

#[tokio::test]
async fn what_fired_is_told_with_what_people_heard() {
    let told = asked(books::busy(), POOL, "5m", Format::Text)
        .await
        .unwrap();
    insta::assert_snapshot!("moment_alerting", told);
}

#[tokio::test]
async fn scripts_get_the_same() {
    let told = asked(near_miss(), POOL, "02:01", Format::Json)
        .await
        .unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&told).unwrap();
    let rules = document["rules"].as_array_mut().unwrap();
    assert!(20 < rules.len(), "all rules are there");
    rules.retain(|it| it["rule"] == "tpm-share-warning");
    insta::assert_snapshot!("moment_json", format!("{document:#}"));
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_a_remedy() {
    let mut told = String::new();
    for (pool, at) in [
        ("nobody", "02:01"),
        (POOL, "24:00"),
        (POOL, "yesterday"),
        (POOL, "2026-11-24T05:00:00Z"),
    ] {
        let why = asked(near_miss(), pool, at, Format::Text)
            .await
            .unwrap_err();
        told += &format!("{at}: {why}\n");
    }
    let old = asked(near_miss(), POOL, "2026-06-01", Format::Text).await;
    assert!(old.unwrap().contains("no longer kept in minutes"));
    insta::assert_snapshot!("moment_refused", told);
}
