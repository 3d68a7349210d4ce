use super::*;
use crate::model::{
    action::IntentState,
    catalog::{Family, PoolId},
    ids::{AccountId, ActionId, IncidentId, ModelId, ReceiverName, Region},
    incident::Cause,
    receiver::Phase,
    rule::Category,
    time::{Minute, Timestamp},
};

fn message(number: u16, severity: Severity, word: &str, region: &str) -> Intent {
    let pool = PoolId {
        scope: Scope {
            account: AccountId::new("111122223333"),
            region: Region::new(region),
        },
        family: Family::Geo,
        model: ModelId::new(format!("example.model-{number}")),
    };
    let incident = IncidentId::new(format!("inc-{number:010}"));
    let step = "notify/oncall/1".to_owned();
    let now = Timestamp::UNIX_EPOCH;
    Intent {
        id: ActionId::derive(&incident, &step),
        incident,
        step,
        effect: Effect::Notify {
            receiver: ReceiverName::new("oncall"),
            severity,
            subject: format!(
                "[{word}] server-error, geo example.model-{number}, {region} 111122223333"
            ),
            body: format!(
                "server-error, geo example.model-{number}, {region} 111122223333: 14 % server errors.\nThe whole story."
            ),
            notice: Some(Box::new(Notice {
                phase: if word == "resolved" {
                    Phase::Resolved
                } else {
                    Phase::Opened
                },
                number: 1,
                severity,
                title: "server-error".to_owned(),
                cause: Cause::Pool {
                    pool: pool.clone(),
                    category: Category::ServerError,
                },
                kind: None,
                pools: [pool].into(),
                began: Minute::of(now),
                resolved: None,
                links: Vec::new(),
                flags: BTreeSet::new(),
                teams: BTreeSet::new(),
            })),
        },
        reasons: Vec::new(),
        created: now,
        state: IntentState::Planned { not_before: now },
        approved_by: None,
        attempts: 0,
        last_failure: None,
        approved_at: None,
        declined: 0,
        worded: None,
        revision: 1,
    }
}

fn said(intents: &[Intent]) -> String {
    let Effect::Notify { subject, body, .. } = together(intents, None).unwrap().effect else {
        panic!("a message");
    };
    format!("{subject}\n\n{body}")
}

#[test]
fn the_worst_come_first_and_all_are_named_or_counted() {
    let mut few = vec![
        message(1, Severity::Warning, "warning", "us-east-1"),
        message(2, Severity::Critical, "critical", "us-east-1"),
        message(3, Severity::Critical, "resolved", "us-east-1"),
        message(4, Severity::Critical, "critical", "us-east-1"),
    ];
    insta::assert_snapshot!("few", said(&few));
    few.push(message(5, Severity::Info, "info", "eu-west-1"));
    assert!(said(&few).starts_with("[critical] 5 messages at once: 2 critical, 1 warning, 1 info, 1 resolved; 2 accounts and Regions"));
    let page = together(&few, Some("https://monitor.internal.example")).unwrap();
    assert!(
        matches!(page.effect, Effect::Notify { body, .. } if body.ends_with("\nAll: https://monitor.internal.example"))
    );
    let over = [7, 8].map(|it| message(it, Severity::Critical, "resolved", "us-east-1"));
    assert!(said(&over).starts_with("[resolved] 2 messages at once: 2 resolved; us-east-1"));
    let many: Vec<Intent> = (0..1_000)
        .map(|it| message(it, Severity::Warning, "warning", "us-east-1"))
        .collect();
    let said = said(&many);
    assert!(said.contains("… and 960 more"), "{said}");
    assert_eq!(said.lines().count(), 2 + 1 + 40 + 1 + 1);
}

/// A repetition too many is better than a message that only seems told: what an earlier try posted did not name the others.
#[test]
fn an_earlier_try_of_one_is_not_taken_for_all() {
    let tried = Intent {
        attempts: 3,
        ..message(1, Severity::Warning, "warning", "us-east-1")
    };
    let fresh = message(2, Severity::Warning, "warning", "us-east-1");
    assert_eq!(together(&[tried, fresh], None).unwrap().attempts, 1);
}

#[test]
fn what_is_about_no_incident_goes_alone() {
    let mut digest = message(1, Severity::Info, "digest", "us-east-1");
    if let Effect::Notify { notice, .. } = &mut digest.effect {
        *notice = None;
    }
    assert!(together(&[digest], None).is_none());
    assert!(together(&[], None).is_none());
}
