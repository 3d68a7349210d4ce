//! Our SDK clients against two emulators that others wrote: moto behind a CBOR front, and ministack.
//!
//! Asserted is only what these emulators are known to do as AWS does; `docs/` of neither promises the rest.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{
        Dimension, DimensionFilter, Metric, MetricDataQuery, MetricDatum, MetricStat, StandardUnit,
    },
};
use aws_sdk_sns::types::MessageAttributeValue;
use aws_sdk_sts::config::Credentials;

use crate::support::{Helper, free_port, run, script, sdk, sdk_as, start, wait_for_port};

const OTHER_ACCOUNT: &str = "222233334444";

/// A whole minute of the last quarter of an hour: an emulator forgets what is old by the real clock.
#[expect(clippy::disallowed_methods, reason = "the emulators live in real time")]
pub(crate) fn minute() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() / 60 * 60 - 600
}

/// A running emulator.
pub(crate) struct Emulator {
    url: String,
    pub(crate) port: u16,
    _helper: Helper,
}

pub(crate) fn moto() -> Emulator {
    let port = free_port();
    let mut helper = start(&[&script("moto_front.py"), &port.to_string()], &[]);
    wait_for_port(port, &mut helper, "moto");
    Emulator {
        url: format!("http://127.0.0.1:{port}"),
        port,
        _helper: helper,
    }
}

pub(crate) fn ministack() -> Emulator {
    let port = free_port();
    let mut helper = start(
        &["-m", "ministack"],
        &[
            ("BIND_HOST", "127.0.0.1"),
            ("GATEWAY_PORT", &port.to_string()),
            ("SERVICES", "cloudwatch,sns,sqs,sts"),
        ],
    );
    wait_for_port(port, &mut helper, "ministack");
    Emulator {
        url: format!("http://127.0.0.1:{port}"),
        port,
        _helper: helper,
    }
}

fn model(id: &str) -> Dimension {
    Dimension::builder().name("ModelId").value(id).build()
}

fn datum(model_id: &str, second: i64, value: f64) -> MetricDatum {
    MetricDatum::builder()
        .metric_name("InputTokenCount")
        .dimensions(model(model_id))
        .timestamp(DateTime::from_secs(second))
        .value(value)
        .unit(StandardUnit::Count)
        .build()
}

/// Two minutes of `m-1`, one of `m-2`.
async fn put(cloudwatch: &aws_sdk_cloudwatch::Client, minute: i64) {
    let data = [
        datum("m-1", minute, 100.0),
        datum("m-1", minute + 30, 300.0),
        datum("m-1", minute + 60, 7.0),
        datum("m-2", minute, 1.0),
    ];
    cloudwatch
        .put_metric_data()
        .namespace("AWS/Bedrock")
        .set_metric_data(Some(data.into()))
        .send()
        .await
        .unwrap();
}

fn query(id: &str, statistic: &str) -> MetricDataQuery {
    let metric = Metric::builder()
        .namespace("AWS/Bedrock")
        .metric_name("InputTokenCount")
        .dimensions(model("m-1"))
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(60)
        .stat(statistic)
        .build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

async fn cloudwatch_keeps_what_is_put(config: &SdkConfig) {
    let cloudwatch = aws_sdk_cloudwatch::Client::new(config);
    let minute = minute();
    put(&cloudwatch, minute).await;
    let answer = cloudwatch
        .get_metric_data()
        .start_time(DateTime::from_secs(minute))
        .end_time(DateTime::from_secs(minute + 120))
        .metric_data_queries(query("sum", "Sum"))
        .metric_data_queries(query("mean", "Average"))
        .metric_data_queries(query("count", "SampleCount"))
        .send()
        .await
        .unwrap();
    let mut read = Vec::new();
    for result in answer.metric_data_results() {
        // One emulator ignores ScanBy, so the order is ours.
        let mut points: Vec<(i64, f64)> = result
            .timestamps()
            .iter()
            .map(DateTime::secs)
            .zip(result.values().iter().copied())
            .collect();
        points.sort_by_key(|(second, _)| *second);
        read.push((result.id().unwrap().to_owned(), points));
    }
    read.sort_by(|one, other| one.0.cmp(&other.0));
    let points = |first, second| vec![(minute, first), (minute + 60, second)];
    assert_eq!(
        read,
        [
            ("count".to_owned(), points(2.0, 1.0)),
            ("mean".to_owned(), points(200.0, 7.0)),
            ("sum".to_owned(), points(400.0, 7.0)),
        ]
    );
}

async fn metrics_are_listed(config: &SdkConfig) {
    let cloudwatch = aws_sdk_cloudwatch::Client::new(config);
    put(&cloudwatch, minute()).await;
    let listed = |filter: Option<DimensionFilter>| {
        let request = cloudwatch.list_metrics().namespace("AWS/Bedrock");
        async move {
            let answer = request
                .set_dimensions(filter.map(|filter| vec![filter]))
                .send()
                .await
                .unwrap();
            let mut models: Vec<String> = answer
                .metrics()
                .iter()
                .map(|metric| metric.dimensions()[0].value().unwrap().to_owned())
                .collect();
            models.sort();
            models
        }
    };
    assert_eq!(listed(None).await, ["m-1", "m-2"]);
    let only_second = DimensionFilter::builder()
        .name("ModelId")
        .value("m-2")
        .build();
    assert_eq!(listed(Some(only_second)).await, ["m-2"]);
    let elsewhere = cloudwatch.list_metrics().namespace("AWS/Lambda");
    assert!(elsewhere.send().await.unwrap().metrics().is_empty());
}

async fn a_notice_arrives_in_a_queue(url: &str, config: &SdkConfig) {
    let made = run("topic_queue.py", &["make"], url);
    let (topic, queue) = made.trim().split_once(' ').unwrap();
    let message = "Tokens per minute at 91 % of the quota — \u{1f514}\nsecond line & <tag>";
    let sns = aws_sdk_sns::Client::new(config);
    let attribute = |kind: &str, value: &str| {
        let value = MessageAttributeValue::builder()
            .data_type(kind)
            .string_value(value);
        value.build().unwrap()
    };
    // Not for this queue, which filters by what we say beside our words.
    let unheard = sns.publish().topic_arn(topic).message("unheard");
    let unheard = unheard.message_attributes("severity", attribute("String", "info"));
    unheard.send().await.unwrap();
    let published = sns
        .publish()
        .topic_arn(topic)
        .message_attributes("severity", attribute("String", "critical"))
        .message_attributes(
            "model",
            attribute("String.Array", r#"["model-a","model-b"]"#),
        )
        .subject("quota is filling up")
        .message(message)
        .send()
        .await
        .unwrap();
    let received: serde_json::Value =
        serde_json::from_str(&run("topic_queue.py", &["receive", queue], url)).unwrap();
    assert_eq!(received["Subject"], "quota is filling up");
    assert_eq!(
        received["MessageAttributes"]["severity"]["Value"],
        "critical"
    );
    assert_eq!(received["Message"], message);
    assert_eq!(
        received["MessageId"].as_str(),
        published.message_id(),
        "the receipt names what arrived"
    );
}

async fn a_role_leads_into_its_account(url: &str, config: &SdkConfig) {
    let assumed = aws_sdk_sts::Client::new(config)
        .assume_role()
        .role_arn(format!(
            "arn:aws:iam::{OTHER_ACCOUNT}:role/bedrock-ops-alert"
        ))
        .role_session_name("bedrock-ops-alert")
        .send()
        .await
        .unwrap();
    let handed = assumed.credentials().unwrap();
    let credentials = Credentials::new(
        handed.access_key_id(),
        handed.secret_access_key(),
        Some(handed.session_token().to_owned()),
        None,
        "test",
    );
    let there = sdk_as(url, credentials).await;
    let identity = aws_sdk_sts::Client::new(&there)
        .get_caller_identity()
        .send()
        .await
        .unwrap();
    assert_eq!(identity.account(), Some(OTHER_ACCOUNT));
    let here = aws_sdk_sts::Client::new(config);
    let here = here.get_caller_identity().send().await.unwrap();
    assert_ne!(here.account(), Some(OTHER_ACCOUNT));
    let topic = aws_sdk_sns::Client::new(&there)
        .create_topic()
        .name("notices")
        .send()
        .await
        .unwrap();
    assert!(topic.topic_arn().unwrap().contains(OTHER_ACCOUNT));
}

#[tokio::test]
async fn moto_keeps_lists_and_returns_datapoints() {
    let moto = moto();
    let config = sdk(&moto.url, "testing").await;
    cloudwatch_keeps_what_is_put(&config).await;
    metrics_are_listed(&config).await;
}

#[tokio::test]
async fn ministack_keeps_lists_and_returns_datapoints() {
    let ministack = ministack();
    let config = sdk(&ministack.url, "testing").await;
    cloudwatch_keeps_what_is_put(&config).await;
    let fresh = self::ministack();
    metrics_are_listed(&sdk(&fresh.url, "testing").await).await;
}

#[tokio::test]
async fn moto_delivers_notices_and_refuses_long_subjects() {
    let moto = moto();
    let config = sdk(&moto.url, "testing").await;
    a_notice_arrives_in_a_queue(&moto.url, &config).await;
    let sns = aws_sdk_sns::Client::new(&config);
    let topic = sns.create_topic().name("other").send().await.unwrap();
    let long = sns
        .publish()
        .topic_arn(topic.topic_arn().unwrap())
        .subject("x".repeat(101))
        .message("text")
        .send()
        .await;
    let refused = long.unwrap_err().into_service_error();
    assert_eq!(refused.meta().code(), Some("InvalidParameter"));
    let nowhere = sns
        .publish()
        .topic_arn("arn:aws:sns:us-east-1:123456789012:none")
        .message("text")
        .send()
        .await;
    assert!(
        nowhere
            .unwrap_err()
            .into_service_error()
            .is_not_found_exception()
    );
}

#[tokio::test]
async fn ministack_delivers_notices() {
    let ministack = ministack();
    let config = sdk(&ministack.url, "testing").await;
    a_notice_arrives_in_a_queue(&ministack.url, &config).await;
}

#[tokio::test]
async fn roles_lead_into_their_accounts() {
    for emulator in [moto(), ministack()] {
        let config = sdk(&emulator.url, "testing").await;
        a_role_leads_into_its_account(&emulator.url, &config).await;
    }
}

#[tokio::test]
async fn moto_opens_and_resolves_a_case() {
    let moto = moto();
    let support = aws_sdk_support::Client::new(&sdk(&moto.url, "testing").await);
    let created = support
        .create_case()
        .subject("Bedrock: server errors")
        .service_code("service-bedrock")
        .category_code("general-guidance")
        .severity_code("normal")
        .communication_body("details")
        .send()
        .await
        .unwrap();
    let id = created.case_id().unwrap();
    let resolved = support.resolve_case().case_id(id).send().await.unwrap();
    assert_eq!(resolved.final_case_status(), Some("resolved"));
}
