//! When it is withheld, and what the line says.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::{
    cloud::{Fault, FaultClass},
    model::{
        ids::{AccountId, Region, Scope},
        sight::{Sights, Unseen},
    },
    runtime::shared::Failing,
};

const NOW: Timestamp = Timestamp::constant(1_793_577_620, 0);

fn scope(region: &str) -> Scope {
    Scope {
        account: AccountId::new("111122223333"),
        region: Region::new(region),
    }
}

fn denied() -> Failing {
    let fault = Fault {
        operation: "cloudwatch:GetMetricData",
        code: "AccessDenied".to_owned(),
        message: "denied".to_owned(),
        class: FaultClass::Denied,
    };
    Failing::of(&[fault], NOW).unwrap()
}

/// Where no role leads in from the first day on, no pool is found and so none is read.
#[test]
fn it_is_withheld_while_nothing_can_be_seen_of_any_place() {
    let unseen = Unseen {
        failing: NOW,
        since: NOW,
        operation: "cloudwatch:ListMetrics".to_owned(),
        code: "NoCredentials".to_owned(),
        why: "the role is refused".to_owned(),
        pools: Vec::new(),
    };
    let (one, other) = (scope("us-east-1"), scope("eu-west-1"));
    let mut health = Health {
        sights: Sights {
            watched: BTreeSet::from([one.clone(), other.clone()]),
            unseen: BTreeMap::from([(one, unseen.clone())]),
            seen: BTreeMap::new(),
        },
        ..Health::default()
    };
    assert_eq!(withheld(&Book::default(), &health, NOW), None);
    health.sights.unseen.insert(other, unseen);
    assert!(withheld(&Book::default(), &health, NOW).is_some());
}

#[test]
fn it_is_withheld_while_nothing_at_all_can_be_read() {
    let book = Book::default();
    let mut health = Health::default();
    assert_eq!(withheld(&book, &health, NOW), None, "nothing was tried yet");
    let (one, other) = (("read", scope("us-east-1")), ("read", scope("eu-west-1")));
    health.failing.insert(one.clone(), denied());
    assert!(withheld(&book, &health, NOW).is_some());
    health.last_success.insert(other.clone(), NOW);
    assert_eq!(withheld(&book, &health, NOW), None, "one Region is read");
    health.failing.insert(other, denied());
    assert!(
        withheld(&book, &health, NOW).is_some(),
        "it was read once, and no longer is"
    );
    health.failing.remove(&one);
    health.last_success.insert(one, NOW);
    let desk = ("desk", scope("us-east-1"));
    health.failing.insert(desk, denied());
    assert_eq!(
        withheld(&book, &health, NOW),
        None,
        "the desk is another matter"
    );
}

#[test]
fn the_line_has_a_value_for_each_metric_that_it_announces() {
    let health = Health {
        cycle_seconds: 2.5,
        ..Health::default()
    };
    let line = metrics(&Book::default(), &health, NOW);
    assert_eq!(line.matches('\n').count(), 1, "one event is one line");
    let document: serde_json::Value = serde_json::from_str(&line).unwrap();
    let directive = &document["_aws"]["CloudWatchMetrics"][0];
    for metric in directive["Metrics"].as_array().unwrap() {
        let name = metric["Name"].as_str().unwrap();
        assert!(document[name].is_number(), "{name}");
    }
    insta::assert_snapshot!("line", line);
}
