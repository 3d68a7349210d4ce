//! Wire faults as a client meets them.

use std::collections::BTreeMap;

use aws_sdk_sns::error::{ProvideErrorMetadata as _, SdkError};
use bedrock_ops_alert::sim::wire::{FaultKind, Options, Speed, WireFaults};

use crate::support::{Served, get, sdk, serve, sim};

async fn always(kind: FaultKind) -> Served {
    let mut options = Options::at(Speed::Max);
    options.faults = WireFaults {
        per_mille: BTreeMap::from([(kind, 1_000)]),
        hang_seconds: 1,
        operations: vec!["sns:Publish".to_owned()],
        ..WireFaults::default()
    };
    serve(sim(), options).await
}

/// A topic of the demo's world.
const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:bedrock-alerts";

/// What the SDK makes of a call that meets this fault.
async fn met(kind: FaultKind) -> String {
    let served = always(kind).await;
    let sns = aws_sdk_sns::Client::new(&sdk(&served.url, "testing").await);
    let message = sns.publish().topic_arn(TOPIC).message("a message");
    let told = match message.send().await {
        Ok(_) => "answered".to_owned(),
        Err(SdkError::DispatchFailure(_)) => "dispatch failure".to_owned(),
        Err(SdkError::ResponseError(_)) => "unreadable answer".to_owned(),
        Err(SdkError::ServiceError(error)) => format!(
            "{} {}",
            error.raw().status().as_u16(),
            error.err().code().unwrap_or("without a code")
        ),
        Err(other) => format!("{other:?}"),
    };
    let state = get(&served, "/_sim/state").await;
    assert_eq!(
        state["faults"][kind.name()]["sns:Publish"],
        1,
        "{kind:?}: {state}"
    );
    let happened = state["published"].as_array().unwrap().len();
    format!("{told}, effects: {happened}")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_looks_as_it_should() {
    let mut seen = String::new();
    for kind in FaultKind::ALL {
        seen += &format!("{}: {}\n", kind.name(), met(kind).await);
    }
    insta::assert_snapshot!(seen, @r"
    throttled: 429 Throttled, effects: 0
    error_before: 500 InternalError, effects: 0
    dropped_before: dispatch failure, effects: 0
    error_after: 500 InternalError, effects: 1
    dropped_after: dispatch failure, effects: 1
    hang: answered, effects: 1
    truncated: unreadable answer, effects: 1
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_that_are_not_named_are_spared() {
    let served = always(FaultKind::Throttled).await;
    let cloudwatch = aws_sdk_cloudwatch::Client::new(&sdk(&served.url, "testing").await);
    cloudwatch
        .list_metrics()
        .namespace("AWS/Bedrock")
        .send()
        .await
        .unwrap();
}
