//! What must hold in every world after every step.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::collections::{BTreeMap, BTreeSet};

use bedrock_ops_alert::model::{
    book::Book, incident::Incident, series::SETTLE_MINUTES, time::Minute,
};
use serde_json::Value;

/// P1: one open request a quota, one open case of ours a cause, no marker and no communication twice.
pub(super) fn never_twice(seed: u64, state: &Value, book: &Book) {
    let mut open = BTreeMap::new();
    for request in array(state, "quota_requests") {
        if matches!(text(request, "status"), "PENDING" | "CASE_OPENED") {
            *open
                .entry((
                    text(request, "account"),
                    text(request, "region"),
                    text(request, "quota_code"),
                ))
                .or_insert(0) += 1;
        }
    }
    assert!(
        open.values().all(|count| *count <= 1),
        "seed {seed}: two open requests: {open:?}"
    );
    let (mut markers, mut causes) = (BTreeSet::new(), BTreeSet::new());
    for case in own_cases(state) {
        let subject = text(case, "subject");
        let (cause, marker) = subject.split_at(subject.find("[BOA-").unwrap());
        assert!(
            markers.insert(marker),
            "seed {seed}: {marker} stands in two cases"
        );
        if text(case, "status") != "resolved" {
            assert!(
                causes.insert(cause),
                "seed {seed}: two open cases about {cause}"
            );
        }
    }
    for case in array(state, "cases") {
        let mut bodies = BTreeSet::new();
        for said in array(case, "communications") {
            if text(said, "submitted_by") != "Amazon Web Services" {
                assert!(
                    bodies.insert(text(said, "body")),
                    "seed {seed}: said twice in {}",
                    text(case, "case_id")
                );
            }
        }
    }
    let mut incidents = BTreeSet::new();
    for incident in book.incidents.values().filter(|it| it.is_open()) {
        assert!(
            incidents.insert(&incident.cause),
            "seed {seed}: two open incidents of one cause"
        );
    }
}

/// P5: an incident ends on settled minutes only, so never sooner than a settle time after its last bad minute.
pub(super) fn absence_resolves_nothing(seed: u64, book: &Book) {
    for incident in book.incidents.values() {
        if let Some(resolved) = incident.resolved {
            let quiet = Minute::of(resolved).since(incident.last_bad);
            assert!(
                quiet >= SETTLE_MINUTES,
                "seed {seed}: {} ended {quiet} minutes after it was bad",
                incident.id
            );
        }
    }
}

/// Each incident was told, or with another one that it was a part of.
pub(super) fn everybody_heard(seed: u64, book: &Book) {
    let is_heard = |it: &Incident| {
        let held = book.handlings.get(&it.id).and_then(|it| it.held.as_ref());
        let mut decisions = it.decisions.iter();
        let is_part = decisions.any(|it| it.what.contains("nobody was told"));
        it.told.is_some() || held.is_some() || is_part
    };
    assert!(
        book.incidents.values().all(is_heard),
        "seed {seed}: an incident was never told"
    );
}

pub(super) fn own_cases(state: &Value) -> Vec<&Value> {
    array(state, "cases")
        .into_iter()
        .filter(|case| text(case, "subject").contains("[BOA-"))
        .collect()
}

pub(super) fn array<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .expect(key)
        .iter()
        .collect()
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).expect(key)
}
