//! The store is gone, history and all: what is open at AWS is found again, nothing is filed or said there twice, and people
//! hear of each incident once more at most.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::collections::BTreeMap;

use bedrock_ops_alert::model::policy::Mode;
use serde_json::Value;

use crate::support::Stage;

const SEEDS: std::ops::Range<u64> = 0..6;
/// Half a day until it is lost, and two hours after it.
const BEFORE: i64 = 12 * 60;
const AFTER: i64 = 2 * 60;

fn list<'a>(state: &'a Value, name: &str) -> &'a Vec<Value> {
    state[name].as_array().unwrap()
}

/// The open requests by account, Region and quota.
fn open_requests(state: &Value) -> Vec<String> {
    let is_open = |it: &&Value| matches!(it["status"].as_str(), Some("PENDING" | "CASE_OPENED"));
    let requests = list(state, "quota_requests").iter().filter(is_open);
    let names =
        requests.map(|it| format!("{} {} {}", it["account"], it["region"], it["quota_code"]));
    names.collect()
}

/// How often each incident was opened to people, by the subject without its figures.
fn openings(published: &[Value]) -> BTreeMap<String, usize> {
    let mut openings = BTreeMap::new();
    for message in published {
        let subject = message["subject"].as_str().unwrap();
        let is_opening = ["[critical] ", "[warning] ", "[info] "]
            .iter()
            .any(|it| subject.starts_with(it));
        if is_opening {
            let about = subject.split(':').next().unwrap().to_owned();
            *openings.entry(about).or_default() += 1;
        }
    }
    openings
}

#[tokio::test]
async fn a_store_that_is_gone_is_made_anew_from_what_aws_knows() {
    let (mut found_again, mut told_again) = (0, 0);
    for seed in SEEDS {
        let mut stage = Stage::new(seed, Mode::File);
        stage.heal();
        stage.run_minutes(BEFORE).await;
        let before = stage.state();
        let open = open_requests(&before);
        stage.lose_store();
        // The promises are checked after each minute, against what AWS holds.
        stage.run_minutes(AFTER).await;
        let after = stage.state();
        let book = stage.shared().book();
        for name in &open {
            let is_it = |it: &&Value| {
                let made = format!("{} {} {}", it["account"], it["region"], it["quota_code"]);
                made == *name
            };
            let count = |state: &Value| list(state, "quota_requests").iter().filter(is_it).count();
            let is_open = open_requests(&after).contains(name);
            assert!(
                !is_open || count(&before) == count(&after),
                "seed {seed}: {name} is asked again"
            );
            found_again += usize::from(is_open);
        }
        let followed = book.asks.values().filter(|it| it.closed.is_none()).count();
        assert!(
            open_requests(&after).len() <= followed,
            "seed {seed}: an open request is followed by nobody"
        );
        let seen = list(&before, "published").len();
        let again = openings(list(&after, "published").get(seen..).unwrap());
        for (about, times) in &again {
            assert_eq!(*times, 1, "seed {seed}: {about}");
        }
        told_again += again.len();
    }
    assert!(
        0 < found_again && 0 < told_again,
        "{found_again} requests, {told_again} incidents"
    );
}
