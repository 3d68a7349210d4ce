use serde_json::{Map, Value, json};

use super::*;
use crate::model::{
    catalog::{Family, PoolId},
    ids::{AccountId, IncidentId, ModelId, QuotaCode, Region, Scope},
    incident::Cause,
    receiver::{Flag, Phase},
    time::Minute,
};

fn message(account: &str, incident: &str, severity: Severity) -> Intent {
    let mut intent = crate::act::perform::tests::notice("topic");
    intent.incident = IncidentId::new(incident);
    let scope = Scope {
        account: AccountId::new(account),
        region: Region::new("us-east-1"),
    };
    let pool = |model| PoolId {
        scope: scope.clone(),
        family: Family::Geo,
        model: ModelId::new(model),
    };
    let Effect::Notify {
        severity: told,
        notice,
        ..
    } = &mut intent.effect
    else {
        panic!("no message");
    };
    *told = severity;
    *notice = Some(Box::new(Notice {
        phase: Phase::Opened,
        number: 1,
        severity: Severity::Info, // the incident may be milder than the message
        title: "TPM".to_owned(),
        cause: Cause::Quota {
            scope: scope.clone(),
            code: QuotaCode::new("L-1"),
        },
        kind: None,
        pools: [pool("model-a"), pool("model-b")].into(),
        began: Minute(0),
        resolved: None,
        links: Vec::new(),
        flags: [Flag::Proposal].into(),
        teams: ["search".to_owned(), String::new()].into(),
    }));
    intent
}

fn shown(letter: &Letter<'_>) -> Value {
    let each = of(letter).into_iter().map(|(name, attribute)| {
        let value = match attribute {
            Attribute::Text(text) => json!(text),
            Attribute::Texts(texts) => json!(texts),
        };
        (name.to_owned(), value)
    });
    Value::Object(each.collect::<Map<_, _>>())
}

#[test]
fn a_message_says_what_it_is_about() {
    let intent = message("111122223333", "inc-1", Severity::Critical);
    let letter = Letter::of(&intent, None, None).unwrap();
    let expected = json!({
        "id": intent.id.as_str(),
        "severity": "critical",
        "event": ["opened", "proposal"],
        "category": "quota",
        "account": "111122223333",
        "region": "us-east-1",
        "model": ["model-a", "model-b"],
        "team": ["search"],
        "incident": "inc-1",
    });
    assert_eq!(shown(&letter), expected);
    assert!(expected.as_object().unwrap().len() <= MOST);
}

/// A subscription that filters by its own account must hear of its incident in the crowd, too.
#[test]
fn several_in_one_are_heard_by_whoever_would_hear_one_of_them() {
    let crowd = [
        message("111122223333", "inc-1", Severity::Critical),
        message("444455556666", "inc-2", Severity::Warning),
    ];
    let mut one = crowd[0].clone();
    let Effect::Notify { notice, .. } = &mut one.effect else {
        panic!("no message");
    };
    *notice = None;
    let found = shown(&Letter::of(&one, None, None).unwrap().of_all(&crowd));
    assert_eq!(found["account"], json!(["111122223333", "444455556666"]));
    assert_eq!(found["severity"], json!(["critical", "warning"]));
    assert_eq!(found["incident"], json!(["inc-1", "inc-2"]));
    assert_eq!(found["region"], "us-east-1");
}

#[test]
fn a_digest_is_about_no_incident() {
    let mut intent = crate::act::perform::tests::notice("topic");
    intent.step = format!("{}topic", digest::STEP);
    let found = shown(&Letter::of(&intent, None, None).unwrap());
    let names: Vec<&String> = found.as_object().unwrap().keys().collect();
    assert_eq!(names, ["event", "id", "severity"]);
    assert_eq!(found["event"], json!(["digest"]));
}
