//! `history` as people and scripts read it.

use std::{collections::BTreeMap, sync::Arc};

use bedrock_ops_alert::{
    cli::{
        history::{Asked, history},
        remote::Format,
    },
    config,
    model::{
        book::{Book, Record},
        history::{Bucket, Resolution, Stretch, StretchKey},
        ids::QuotaCode,
        quota::QuotaChange,
        series::{Reading, Sample, Signal},
        time::{DAY, Minute},
        units::Amount,
    },
    runtime::shared::{Health, Shared},
    store::{History, MemoryHistory},
    web,
};
use tokio::net::TcpListener;

use super::{books, get};

/// The busiest pool of the busy book, with months behind it: hours of CloudWatch, days of minutes, and what the book has.
fn months() -> (Book, Health, MemoryHistory, String) {
    let (mut book, health) = books::busy();
    let pool = book
        .pools
        .keys()
        .find(|it| it.model.as_str().contains("sonnet-4-6"))
        .unwrap()
        .clone();
    let today = Resolution::Minute.stretch_of(Minute::of(books::now()));
    let history = MemoryHistory::new();
    let stretch = |resolution: Resolution, day: i64, of: &dyn Fn(i64) -> Bucket| {
        let number = day.div_euclid(resolution.stretch_days());
        let buckets = (0..resolution.buckets()).map(of);
        Stretch {
            key: StretchKey {
                pool: pool.clone(),
                resolution,
                number,
            },
            signals: BTreeMap::from([(Signal::ChargedTokens, buckets.collect())]),
        }
    };
    let hours = stretch(Resolution::Hour, today - 100, &|hour| {
        Bucket::added_up(
            Signal::ChargedTokens,
            Sample::Value(f64::from(i32::try_from(1_000 * hour).unwrap())),
            Resolution::Hour,
        )
    });
    let minutes = stretch(Resolution::Minute, today - 30, &|minute| {
        Bucket::of_minute(match minute {
            0..60 => Sample::Value(1_500.0),
            60..65 => Sample::Unobserved,
            65..120 => Sample::Value(2_000.0),
            120..300 => Sample::NoData,
            300..301 => Sample::Value(90_000.0),
            _ => Sample::Unobserved,
        })
    });
    history.append(&[hours, minutes]).unwrap();
    let code = book.pools[&pool]
        .mappings
        .values()
        .find_map(|it| it.code())
        .unwrap()
        .clone();
    let change = |code: QuotaCode, old: Option<f64>, new: f64| {
        Record::QuotaChange(QuotaChange {
            scope: pool.scope.clone(),
            code,
            old: old.map(|it| Amount::new(it).unwrap()),
            new: Some(Amount::new(new).unwrap()),
            at: Minute((today - 30) * DAY + 100).start(),
        })
    };
    book.apply(vec![change(code, Some(200_000.0), 400_000.0)]);
    (book, health, history, pool.to_string())
}

async fn asked(given: &[(&str, &str)], format: Format) -> Result<String, String> {
    let (book, health, kept, pool) = months();
    let mut settings = books::settings();
    settings.rules = config::parse("", "none.toml", &config::Overrides::default())
        .unwrap()
        .rules;
    let (shared, _inbox) = Shared::new(settings, true, book);
    let shared = Arc::new(shared.with_history(Arc::new(kept)));
    *shared.health_mut() = health;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let of = |name: &str| {
        let found = given.iter().find(|(it, _)| *it == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let asked = Asked {
        pool: of("pool").unwrap_or(pool),
        signal: of("signal"),
        resolution: of("by"),
        from: of("from"),
        to: of("to"),
    };
    let mut out = Vec::new();
    tokio::select! {
        ended = web::serve(Arc::clone(&shared), listener, std::future::pending()) => panic!("the server ended: {ended:?}"),
        result = history(&url, &asked, format, &mut out) => match result {
            Ok(()) => Ok(String::from_utf8(out).unwrap()),
            Err(error) => Err(error.to_string().replace(&url, "URL")),
        },
    }
}

#[tokio::test]
async fn months_read_well_and_say_what_is_not_known() {
    let day = [("from", "2026-10-25"), ("to", "2026-10-25T08:00:00Z")];
    insta::assert_snapshot!("history_by_hour", asked(&day, Format::Text).await.unwrap());
    let hour = [
        ("from", "2026-10-25T00:55:00Z"),
        ("to", "2026-10-25T01:10:00Z"),
    ];
    insta::assert_snapshot!(
        "history_by_minute",
        asked(&hour, Format::Text).await.unwrap()
    );
    insta::assert_snapshot!(
        "history_json",
        asked(&hour[..], Format::Json).await.unwrap()
    );
    let long_ago = [("from", "8h"), ("to", "2026-08-16")];
    insta::assert_snapshot!(
        "history_of_cloudwatch",
        asked(&long_ago, Format::Text).await.unwrap()
    );
}

/// The last days are those of the book, without a step in between.
#[tokio::test]
async fn what_the_book_has_is_there_without_history() {
    let (book, health) = books::busy();
    let reading_of = |book: &Book| {
        let pool = book.series.keys().next().unwrap().clone();
        let until = Minute::of(books::now());
        Reading {
            pool,
            from: until.plus(-2),
            signals: BTreeMap::from([(Signal::Throttles, vec![Sample::Value(4.0); 2])]),
            by_target: BTreeMap::new(),
        }
    };
    let reading = reading_of(&book);
    super::serving((book, health), async |served| {
        {
            let mut book = served.shared.book_mut();
            book.series.get_mut(&reading.pool).unwrap().absorb(&reading);
        }
        let url = format!(
            "{}/api/v1/history/{}?signal=throttles&from=2m",
            served.url, reading.pool
        );
        let (status, document) = get(&url).await;
        assert_eq!(status, 200, "{document}");
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        let values: Vec<_> = document["buckets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["value"].clone())
            .collect();
        assert_eq!(values, [4.0, 4.0]);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_a_remedy() {
    let refusals = [
        vec![("pool", "nobody")],
        vec![("signal", "token")],
        vec![("from", "yesterday")],
        vec![("by", "day")],
        vec![("from", "2026-11-30")],
        vec![("from", "90d"), ("by", "minute")],
    ];
    let mut told = Vec::new();
    for given in refusals {
        let why = asked(&given, Format::Text).await.unwrap_err();
        told.push(format!("{given:?}: {why}"));
    }
    insta::assert_snapshot!("history_refused", told.join("\n"));
}
