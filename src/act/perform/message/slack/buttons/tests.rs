use proptest::prelude::*;

use super::*;
use crate::model::{
    action::Evidence,
    book::Record,
    ids::{AccountId, QuotaCode, Region, Scope},
    inert::acts,
    quota::Quota,
    units::Amount,
};

fn now() -> Timestamp {
    "2026-11-26T03:00:00Z".parse().unwrap()
}

fn scope() -> Scope {
    Scope {
        account: AccountId::new("111122223333"),
        region: Region::new("us-east-1"),
    }
}

fn proposed(incident: &IncidentId, step: &str, effect: Effect) -> Record {
    Record::Intent(Intent {
        id: ActionId::derive(incident, step),
        incident: incident.clone(),
        step: step.to_owned(),
        effect,
        reasons: Vec::new(),
        created: now(),
        state: IntentState::Proposed { expires: now() },
        attempts: 0,
        approved_by: None,
        last_failure: None,
        approved_at: None,
        declined: 0,
        worded: None,
        revision: 1,
    })
}

/// A book with a request and a case that wait; `name` is what comes from outside.
fn book(incident: &IncidentId, name: &str) -> Book {
    let mut book = Book::default();
    let quota = Quota {
        scope: scope(),
        code: QuotaCode::new("L-1"),
        name: name.to_owned(),
        applied: Amount::new(200_000.0),
        default: None,
        adjustable: true,
        read_at: now(),
        stale: None,
    };
    let request = Effect::RequestQuota {
        scope: scope(),
        code: QuotaCode::new("L-1"),
        desired: Amount::new(400_000.0).unwrap(),
        context: String::new(),
    };
    let case = Effect::OpenCase {
        scope: scope(),
        subject: name.to_owned(),
        body: String::new(),
        evidence: Some(Box::new(Evidence {
            name: "x.csv".to_owned(),
            csv: String::new(),
            minutes: String::new(),
        })),
        desired: None,
    };
    book.apply(vec![
        Record::Quota(quota),
        proposed(incident, "request", request),
        proposed(incident, "case", case),
    ]);
    book
}

fn offer(name: &str) -> Offer {
    let incident = IncidentId::new("inc-1");
    let mut offer = Offer::of(&book(&incident, name), &incident, now());
    offer.is_unclaimed = true;
    offer.is_filed = true;
    offer
}

#[test]
fn what_waits_has_its_buttons_and_says_what_they_do() {
    let name = "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4";
    let blocks = json!(offer(name).blocks());
    insta::assert_snapshot!(serde_json::to_string_pretty(&blocks).unwrap());
}

#[test]
fn nothing_to_decide_has_no_buttons() {
    let incident = IncidentId::new("inc-1");
    assert_eq!(
        Offer::of(&Book::default(), &incident, now()).blocks(),
        Vec::<Value>::new()
    );
}

proptest! {
    #[test]
    fn whatever_a_name_holds_slack_takes_the_blocks(name in prop_oneof![
        any::<String>(),
        Just("<&>\u{202e}".repeat(20_000)),
        Just(String::new()),
    ]) {
        for block in offer(&name).blocks() {
            if block["type"] == "section" {
                let text = block["text"]["text"].as_str().unwrap();
                prop_assert!((1..=3_000).contains(&text.chars().count()));
                prop_assert!(!text.chars().any(acts) && !text.contains("<&"));
                continue;
            }
            let elements = block["elements"].as_array().unwrap();
            let mut ids: Vec<&str> = elements.iter().map(|it| it["action_id"].as_str().unwrap()).collect();
            ids.dedup();
            prop_assert_eq!(ids.len(), elements.len());
            for it in elements {
                prop_assert!(it["text"]["text"].as_str().unwrap().chars().count() <= 75);
                prop_assert!(it["value"].as_str().unwrap().len() <= 2_000);
                if let Some(question) = it["confirm"]["text"]["text"].as_str() {
                    prop_assert!((1..=300).contains(&question.chars().count()), "{}", question);
                    prop_assert!(!question.chars().any(acts));
                }
            }
        }
    }
}
