//! The unmodified SDK for Rust against the simulated AWS.

use aws_sdk_sts::error::ProvideErrorMetadata as _;
use bedrock_ops_alert::sim::wire::{Options, Speed};

use crate::support::{sdk, serve, sim};

#[tokio::test(flavor = "multi_thread")]
async fn the_caller_is_who_signs() {
    let served = serve(sim(), Options::at(Speed::Max)).await;
    let sts = aws_sdk_sts::Client::new(&sdk(&served.url, "testing").await);
    let identity = sts.get_caller_identity().send().await.unwrap();
    assert_eq!(
        identity.account(),
        Some(served.sim.world().first_account().as_str())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_refused_by_its_modelled_code() {
    let served = serve(sim(), Options::at(Speed::Max)).await;
    let config = sdk(&served.url, "testing").await;
    let unknown = aws_sdk_cloudwatch::Client::new(&config)
        .delete_insight_rules()
        .rule_names("none")
        .send()
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Some("UnknownOperationException"));
}
