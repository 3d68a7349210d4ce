use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::model::{
    catalog::{Family, PoolId},
    ids::{AccountId, IncidentId, ModelId, Region, RuleName, Scope},
    incident::{AlertKey, Cause, Member},
    rule::{Category, Remedy, Severity},
    selector::Written,
    time::{Minute, after},
};

fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

fn pool() -> PoolId {
    PoolId {
        scope: Scope {
            account: AccountId::new("111122223333"),
            region: Region::new("us-east-1"),
        },
        family: Family::Geo,
        model: ModelId::new("anthropic.claude-sonnet-4-6"),
    }
}

/// An incident with these rules, each on or over.
fn incident(rules: &[(&str, bool)]) -> Incident {
    let members = rules.iter().map(|(rule, is_on)| {
        let key = AlertKey {
            rule: RuleName::new(*rule),
            pool: pool(),
        };
        let member = Member {
            severity: Severity::Warning,
            is_on: *is_on,
            last_bad: None,
            rule_hash: String::new(),
            reasons: Vec::new(),
        };
        (key, member)
    });
    Incident {
        id: IncidentId::new("inc-a"),
        cause: Cause::Pool {
            pool: pool(),
            category: Category::Throttle,
        },
        generation: 1,
        kind: None,
        pools: BTreeSet::from([pool()]),
        severity: Severity::Warning,
        remedy: Remedy::Notify,
        scenario: None,
        opened: noon(),
        began: Minute::of(noon()),
        last_bad: Minute::of(noon()),
        resolved: None,
        lost: 0.0,
        members: members.collect::<BTreeMap<_, _>>(),
        hints: Vec::new(),
        decisions: Vec::new(),
        decisions_dropped: 0,
        spells: Vec::new(),
        messages: 0,
        told: None,
        refusal: None,
    }
}

fn silence(rule: &str) -> Silence {
    let written = Written {
        rules: vec![rule.to_owned()],
        ..Written::default()
    };
    Silence {
        id: SilenceId::new(format!("sil-{rule}")),
        selector: Selector::read(&written).unwrap(),
        by: "Kim".to_owned(),
        why: "a load test".to_owned(),
        created: noon(),
        from: noon(),
        until: after(noon(), 60),
        holds_requests: false,
        expired_by: None,
    }
}

#[test]
fn an_incident_is_silenced_while_each_alert_that_is_on_is() {
    let both = incident(&[("throttles", true), ("tpm-share", true)]);
    let (one, other) = (silence("throttles"), silence("tpm-*"));
    let covers = |silences: &[&Silence], incident: &Incident, minutes| {
        covering(silences.iter().copied(), incident, after(noon(), minutes)).len()
    };
    assert_eq!(
        covers(&[&one], &both, 0),
        0,
        "people hear of the other alert"
    );
    assert_eq!(covers(&[&one, &other], &both, 0), 2);
    let one_on = incident(&[("throttles", true), ("tpm-share", false)]);
    assert_eq!(covers(&[&one], &one_on, 0), 1, "the other one is over");
    let over = incident(&[("throttles", false), ("tpm-share", false)]);
    assert_eq!(covers(&[&one], &over, 0), 0);
    assert_eq!(covers(&[&one, &other], &both, 59), 2);
    assert_eq!(
        covers(&[&one, &other], &both, 60),
        0,
        "the end is exclusive"
    );
    assert_eq!(covers(&[&one, &other], &both, -1), 0, "not yet");
}

#[test]
fn a_silence_is_pending_active_and_ended() {
    let it = silence("throttles");
    let states: Vec<_> = [-1, 0, 59, 60].map(|at| it.state(after(noon(), at))).into();
    use SilenceState::{Active, Ended, Pending};
    assert_eq!(states, [Pending, Active, Active, Ended]);
}
