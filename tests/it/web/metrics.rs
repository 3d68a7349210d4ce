//! `/metrics`, read back by the rules of the format.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use bedrock_ops_alert::{
    cloud::FaultClass,
    model::{
        book::{Book, Record},
        catalog::{Mapping, Pool},
        ids::{AccountId, ModelId, Region, Scope},
        quota::Quota,
        room::{Room, RoomSeen, RoomState},
        units::QuotaKind,
    },
    runtime::shared::Health,
};

use super::{Served, books, get, serving};

/// One sample: name, labels, value.
type Sample = (String, BTreeMap<String, String>, f64);

/// Reads the exposition strictly: anything that is not a comment or a whole sample is a failure.
fn parse(text: &str) -> Vec<Sample> {
    assert!(text.ends_with("# EOF\n"), "the end mark is missing");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(sample).collect()
}

fn sample(line: &str) -> Sample {
    let name: String = line
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    let mut rest = &line[name.len()..];
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (key, after) = rest.split_once("=\"").unwrap();
            let (value, after) = quoted(after);
            labels.insert(key.to_owned(), value);
            if let Some(end) = after.strip_prefix('}') {
                rest = end;
                break;
            }
            rest = after.strip_prefix(',').unwrap();
        }
    }
    let value = rest.strip_prefix(' ').unwrap().parse().unwrap();
    (name, labels, value)
}

/// The unescaped text up to the closing quote, and what follows it.
fn quoted(text: &str) -> (String, &str) {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' => return (out, &text[index + 1..]),
            '\\' => match chars.next().unwrap().1 {
                'n' => out.push('\n'),
                c @ ('\\' | '"') => out.push(c),
                c => panic!("an escape that the format does not know: {c}"),
            },
            c => out.push(c),
        }
    }
    panic!("a label value without an end: {text}");
}

fn value(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> f64 {
    let matches = |it: &&Sample| {
        it.0 == name
            && labels
                .iter()
                .all(|(key, value)| it.1.get(*key).is_some_and(|it| it == value))
    };
    let mut found = samples.iter().filter(matches);
    let first = found
        .next()
        .unwrap_or_else(|| panic!("no {name} {labels:?}"));
    assert!(found.next().is_none(), "several {name} {labels:?}");
    first.2
}

#[tokio::test]
async fn metrics_carry_the_numbers_of_the_book() {
    serving(books::busy(), async |served: Served| {
        let (status, text) = get(&format!("{}/metrics", served.url)).await;
        assert_eq!(status, 200);
        let shown = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
        insta::assert_snapshot!("metrics", shown);
        let samples = parse(&text);
        assert!(
            samples
                .iter()
                .all(|(name, labels, _)| name.starts_with("boa_") && labels.len() <= 6)
        );
        let distinct: BTreeSet<String> = samples
            .iter()
            .map(|(name, labels, _)| format!("{name}{labels:?}"))
            .collect();
        assert_eq!(distinct.len(), samples.len(), "a series is there twice");
        let sonnet = [("model", "anthropic.claude-sonnet-4-6"), ("kind", "tpm")];
        assert!((value(&samples, "boa_quota_used_ratio", &sonnet) - 0.9315).abs() < 1e-9);
        assert!((value(&samples, "boa_quota_value", &sonnet) - 1_000_000.0).abs() < 1e-9);
        let open = [("state", "open"), ("severity", "critical")];
        assert!((value(&samples, "boa_incidents", &open) - 1.0).abs() < 1e-9);
        assert!((value(&samples, "boa_intents", &[("state", "held")]) - 1.0).abs() < 1e-9);
        let api = [("api", "cloudwatch:GetMetricData")];
        assert!((value(&samples, "boa_aws_requests_total", &api) - 1_152.0).abs() < 1e-9);
        assert!((value(&samples, "boa_aws_estimated_cost_usd_total", &[]) - 0.092_16).abs() < 1e-9);
        assert!(value(&samples, "boa_series_dropped", &[]).abs() < 1e-9);
    })
    .await;
}

#[tokio::test]
async fn the_daemon_tells_of_itself() {
    let (book, mut health) = books::busy();
    health.is_ready = true;
    health.cycle_seconds = 2.5;
    health.events.insert("incident.opened", 3);
    for (outcome, count) in [("done", 7), ("in-doubt", 2), ("never", 1)] {
        health.tries.insert(("notify", "sns", outcome), count);
        health.tries.insert(("open-case", "", outcome), count);
    }
    health.commits = (10, 0.5);
    health.store_bytes = Some(4_096);
    health.heartbeats.failed = 4;
    health.answers.clock_ahead = Some(-301.0);
    let denied = ("sns:Publish", Some(FaultClass::Denied));
    health
        .answers
        .calls
        .extend([(denied, 2), (("sns:Publish", None), 5)]);
    health.answers.waits.insert("sns:Publish", (7, 1.4));
    serving((book, health), async |served: Served| {
        let samples = parse(&get(&format!("{}/metrics", served.url)).await.1);
        for (name, labels, expected) in [
            ("boa_cycle_duration_seconds", vec![], 2.5),
            ("boa_events_total", vec![("event", "incident.opened")], 3.0),
            ("boa_notifications_total", vec![("channel", "sns")], 7.0),
            (
                "boa_notifications_failed_total",
                vec![("channel", "sns")],
                3.0,
            ),
            ("boa_cases_created_total", vec![], 7.0),
            ("boa_store_commits_total", vec![], 10.0),
            ("boa_store_commit_seconds_total", vec![], 0.5),
            ("boa_store_bytes", vec![], 4_096.0),
            ("boa_heartbeats_failed_total", vec![], 4.0),
            ("boa_clock_offset_seconds", vec![], -301.0),
            ("boa_aws_answers_total", vec![("outcome", "denied")], 2.0),
            ("boa_aws_answers_total", vec![("outcome", "ok")], 5.0),
            ("boa_aws_answered_total", vec![("api", "sns:Publish")], 7.0),
            (
                "boa_aws_request_seconds_total",
                vec![("api", "sns:Publish")],
                1.4,
            ),
        ] {
            let found = value(&samples, name, &labels);
            assert!(
                (found - expected).abs() < 1e-9,
                "{name} {labels:?}: {found}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn hostile_names_stay_inside_their_labels() {
    let (mut book, health) = books::busy();
    let mut pool = book.pools.values().next().unwrap().clone();
    pool.id.model = ModelId::new(format!("{}\\", books::HOSTILE));
    let with_number = Pool {
        mappings: BTreeMap::from([(QuotaKind::Tpm, pool.mapping(QuotaKind::Tpm).clone())]),
        ..pool
    };
    assert!(matches!(
        with_number.mapping(QuotaKind::Tpm),
        Mapping::Mapped { .. }
    ));
    book.apply(vec![Record::Pool(with_number)]);
    serving((book, health), async |served: Served| {
        let samples = parse(&get(&format!("{}/metrics", served.url)).await.1);
        let hostile = |it: &&Sample| {
            it.1.get("model")
                .is_some_and(|it| it.starts_with("<script>"))
        };
        let (name, labels, _) = samples.iter().find(hostile).unwrap();
        assert_eq!(name, "boa_quota_value");
        assert!(labels["model"].ends_with("<U+202E>txt.exe\\"), "{labels:?}");
    })
    .await;
}

/// Metrics that the shipped alerts and the dashboard read.
fn asked_for() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/monitoring");
    let texts =
        ["alerts.yml", "dashboard.json"].map(|file| fs::read_to_string(root.join(file)).unwrap());
    let texts = texts.concat();
    let words = texts.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let names = words.filter(|it| it.starts_with("boa_"));
    names.map(str::to_owned).collect()
}

/// A daemon of 200 accounts and Regions with ten pools each, in which everything happened that a metric counts.
fn large() -> (Book, Health) {
    let (mut book, mut health) = books::busy();
    health.is_ready = true;
    let pool = book.pools[&books::sonnet()].clone();
    let series = book.series[&books::sonnet()].clone();
    let quotas: Vec<Quota> = book.quotas.values().cloned().collect();
    let outlook = health.outlooks.values().next().unwrap().clone();
    let check = health.checks.values().next().unwrap().clone();
    let now = health.last_cycle.unwrap();
    for place in 0..200 {
        let scope = Scope {
            account: AccountId::new(format!("{:012}", 100_000_000_000_u64 + place)),
            region: Region::new("eu-central-1"),
        };
        for stage in [
            "read", "discover", "quotas", "alarm", "desk", "round", "tags", "backfill",
        ] {
            health.last_success.insert((stage, scope.clone()), now);
        }
        let refused = books::failing("bedrock:ListInferenceProfiles", "AccessDenied", "no");
        health.failing.insert(("discover", scope.clone()), refused);
        for quota in &quotas {
            let mut more = quota.clone();
            more.scope = scope.clone();
            book.apply(vec![Record::Quota(more)]);
        }
        for number in 0..10 {
            let mut more = pool.clone();
            more.id.scope = scope.clone();
            more.id.model = ModelId::new(format!("model-{number}"));
            book.series.insert(more.id.clone(), series.clone());
            health
                .outlooks
                .insert((more.id.clone(), QuotaKind::Tpm), outlook.clone());
            health.checks.insert(more.id.clone(), check.clone());
            book.apply(vec![Record::Pool(more)]);
        }
    }
    for outcome in ["done", "never"] {
        health.tries.insert(("notify", "sns", outcome), 1);
    }
    health.events.insert("incident.opened", 3);
    health.store_bytes = Some(4_096);
    let room = Room {
        free: 1,
        history_free: None,
        reserve: 1,
        wanted: 1,
    };
    health.room = Some(RoomSeen::first(room, RoomState::Ample, 0, now));
    health.answers.clock_ahead = Some(0.0);
    health.answers.calls.insert(("sns:Publish", None), 5);
    health.answers.waits.insert("sns:Publish", (7, 1.4));
    (book, health)
}

/// However many accounts are watched, no alert about the service itself goes blind for it.
#[tokio::test]
async fn two_hundred_places_and_two_thousand_pools_drop_nothing_that_alerts_read() {
    serving(large(), async |served: Served| {
        let samples = parse(&get(&format!("{}/metrics", served.url)).await.1);
        let there: BTreeSet<&str> = samples.iter().map(|it| it.0.as_str()).collect();
        let asked = asked_for();
        let missing: Vec<_> = asked
            .iter()
            .filter(|it| !there.contains(it.as_str()))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
        for name in ["boa_data_age_seconds", "boa_stage_failing"] {
            let places = samples.iter().filter(|it| it.0 == name);
            assert!(200 <= places.count(), "{name} lacks places");
        }
        let of_pools = samples.iter().filter(|it| it.1.contains_key("model"));
        assert_eq!(of_pools.count(), 500);
        assert!(1_500.0 < value(&samples, "boa_series_dropped", &[]));
    })
    .await;
}

#[tokio::test]
async fn many_pools_make_a_bounded_scrape_that_says_so() {
    let (mut book, health) = books::quiet();
    let pool = book.pools.values().next().unwrap().clone();
    let series = book.series.values().next().unwrap().clone();
    for number in 0..400 {
        let mut more = pool.clone();
        more.id.model = ModelId::new(format!("model-{number}"));
        book.series.insert(more.id.clone(), series.clone());
        book.apply(vec![Record::Pool(more)]);
    }
    serving((book, health), async |served: Served| {
        let samples = parse(&get(&format!("{}/metrics", served.url)).await.1);
        let dropped = value(&samples, "boa_series_dropped", &[]);
        let pools = samples.iter().filter(|it| it.1.contains_key("model"));
        assert_eq!(pools.count(), 500);
        // Two kinds have a number, each as ratio and as value; and one pool two quantiles.
        let expected = 401 * 2 * 2 + 2 - 500;
        assert!(
            (dropped - f64::from(expected)).abs() < 1e-9,
            "{dropped} {expected}"
        );
    })
    .await;
}
