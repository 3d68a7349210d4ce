//! Names that try to be something else: whatever they hold, each receiver gets a body that it can take, within its limits, in
//! which nothing acts.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::{shown::Shown, *};
use crate::cloud::{Attribute, Publication};
use crate::model::{
    catalog::{Family, PoolId},
    ids::{AccountId, ActionId, IncidentId, ModelId, QuotaCode, Region, Scope},
    inert::acts,
    links::{Link, LinkKind},
    receiver::{Flag, Phase, Secret, TopicFormat},
    rule::Category,
    time::Minute,
};

fn name() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(vec![
        "<script>alert(1)</script>",
        "<!channel> <@U1> <https://x.example|click>",
        "*bold* _it_ ~no~ `code` ```",
        "\u{1b}[31mred\u{1b}[0m\u{9b}2J",
        "a\r\nBcc: everybody\r\n\r\nb\n\n\n",
        "\u{202e}gpj.exe\u{2066}\u{200b}\u{feff}",
        "\0\u{1}\u{7f}\u{85}\u{2028}",
        "&lt;&amp;&&&",
        "\"},{\"x\":\"",
        "{{ template }} ${env} %s",
        "",
        " ",
        "🙂日本é",
    ]);
    let long = nasty
        .clone()
        .prop_map(|it| it.repeat(100_000 / it.len().max(1)));
    prop_oneof![
        3 => nasty.prop_map(str::to_owned),
        1 => long,
        1 => Just("x".repeat(100_000)),
        1 => Just("<".repeat(100_000)),
        1 => Just("\u{202e}".repeat(40_000)),
        3 => any::<String>(),
    ]
}

fn phase() -> impl Strategy<Value = Phase> {
    prop::sample::select(Phase::ALL.to_vec())
}

fn severity() -> impl Strategy<Value = Severity> {
    prop::sample::select(Severity::ALL.to_vec())
}

fn intent(
    (model, code, subject, body): &(String, String, String, String),
    phase: Phase,
    severity: Severity,
    is_of_quota: bool,
) -> Intent {
    let scope = Scope {
        account: AccountId::new("111122223333"),
        region: Region::new("us-east-1"),
    };
    let pool = PoolId {
        scope: scope.clone(),
        family: Family::Global,
        model: ModelId::new(model),
    };
    let cause = if is_of_quota {
        Cause::Quota {
            scope,
            code: QuotaCode::new(code),
        }
    } else {
        Cause::Pool {
            pool: pool.clone(),
            category: Category::Latency,
        }
    };
    let at = Timestamp::UNIX_EPOCH;
    let incident = IncidentId::derive(&cause.fingerprint(), 1);
    Intent {
        id: ActionId::derive(&incident, "message/1/x"),
        incident,
        step: "message/1/x".to_owned(),
        effect: Effect::Notify {
            receiver: ReceiverName::new("x"),
            severity,
            subject: subject.clone(),
            body: body.clone(),
            notice: Some(Box::new(Notice {
                phase,
                number: 1,
                severity,
                title: format!("{model} {code}"),
                cause,
                kind: None,
                pools: BTreeSet::from([pool]),
                began: Minute::of(at),
                resolved: (phase == Phase::Resolved).then_some(at),
                links: LinkKind::ALL
                    .map(|kind| Link {
                        kind,
                        text: format!("{model}, {code}"),
                        url: format!("https://a.example/{}", address(subject)),
                    })
                    .to_vec(),
                flags: BTreeSet::from(Flag::ALL),
                teams: BTreeSet::from([body.clone(), code.clone()]),
            })),
        },
        reasons: Vec::new(),
        created: at,
        state: IntentState::Sending { at },
        attempts: 1,
        approved_by: None,
        last_failure: None,
        approved_at: None,
        declined: 0,
        worded: None,
        revision: 1,
    }
}

/// As it is where it is an address, and long; or whatever it is, which is none.
fn address(name: &str) -> String {
    if name.starts_with('x') {
        "x'*()~&=".repeat(180)
    } else {
        name.to_owned()
    }
}

/// Every text in a JSON value.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|it| texts(it, found)),
        Value::Object(fields) => fields.values().for_each(|it| texts(it, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// It is JSON of at most so many bytes, and nothing in it acts but line breaks.
fn assert_inert(value: &Value, most_bytes: usize) {
    let text = value.to_string();
    assert!(text.len() <= most_bytes, "{} bytes", text.len());
    assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), value);
    let mut all = Vec::new();
    texts(value, &mut all);
    for text in all {
        let acting = text.chars().find(|c| acts(*c) && *c != '\n');
        assert_eq!(acting, None, "{text:?}");
    }
}

/// Slack reads nothing in it as a link, a mention or a command; `links` are ours, and end in the addresses that they begin
/// with.
fn assert_escaped_but(links: &[Shown<'_>], text: &str) {
    let mut rest = text.to_owned();
    for link in links {
        let address = text::for_slack(link.url, 10_000);
        rest = rest
            .replace(&format!("<{address}|"), "")
            .replacen('>', "", 1);
        assert!(!link.url.contains(['<', '>', '|']), "{link:?}");
    }
    assert_escaped(&rest);
}

/// Slack reads nothing in it as a link, a mention or a command.
fn assert_escaped(text: &str) {
    assert!(!text.contains(['<', '>']), "{text}");
    for (at, _) in text.match_indices('&') {
        let rest = &text[at..];
        let is_entity = ["&amp;", "&lt;", "&gt;"]
            .iter()
            .any(|it| rest.starts_with(it));
        assert!(is_entity, "{rest}");
    }
}

fn characters(value: &Value) -> usize {
    value.as_str().unwrap().chars().count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_body_stays_valid_and_within_its_limits(
        names in (name(), name(), name(), name()),
        phase in phase(),
        severity in severity(),
        is_of_quota in any::<bool>(),
    ) {
        let intent = intent(&names, phase, severity, is_of_quota);
        let letter = Letter::of(&intent, None, None).unwrap();
        let notice = letter.notice.unwrap();

        let event = pagerduty::event(&Secret::new("key"), &letter);
        assert_inert(&event, 512_000);
        prop_assert!(characters(&event["dedup_key"]) <= 255);
        if event["event_action"] == "trigger" {
            prop_assert!(characters(&event["payload"]["summary"]) <= 1_024);
            prop_assert!(!event["payload"]["source"].as_str().unwrap().is_empty());
        }

        assert_inert(&webhook::message(&letter), 512_000);

        for alert in alertmanager::alerts(&letter, notice, Timestamp::UNIX_EPOCH) {
            assert_inert(&alert, 100_000);
            for (name, value) in alert["labels"].as_object().unwrap() {
                prop_assert!(!value.as_str().unwrap().is_empty(), "{name}");
                prop_assert!(characters(value) <= 220, "{name}");
            }
        }

        let text = slack::webhook_body(&letter);
        assert_inert(&text, 64_000);
        prop_assert!(characters(&text["text"]) <= 4_000);
        let links = letter.links();
        assert_escaped_but(&links, text["text"].as_str().unwrap());

        let message = slack::message(&letter);
        assert_inert(&message, 128_000);
        prop_assert!(characters(&message["text"]) <= 4_000);
        assert_escaped(message["text"].as_str().unwrap());
        let blocks = message["blocks"].as_array().unwrap();
        prop_assert!(blocks.len() <= 50);
        let mut whole = 0;
        for block in blocks.iter().filter(|it| it["type"] == "section") {
            let text = &block["text"]["text"];
            prop_assert!((1..=3_000).contains(&characters(text)));
            assert_escaped_but(&links, text.as_str().unwrap());
            whole += characters(text);
        }
        prop_assert!(whole <= 13_000, "{whole} characters");

    }

    #[test]
    fn every_message_to_a_topic_is_one_that_sns_takes(
        names in (name(), name(), name(), name()),
        others in prop::collection::vec((name(), name(), name(), name()), 0..4),
        phase in phase(),
        severity in severity(),
        is_of_quota in any::<bool>(),
    ) {
        let intent = intent(&names, phase, severity, is_of_quota);
        let crowd = others.iter().map(|it| super::hostile::intent(it, phase, severity, false));
        let crowd: Vec<Intent> = crowd.collect();
        let letter = Letter::of(&intent, None, None).unwrap().of_all(&crowd);
        for format in TopicFormat::ALL {
            let Publication { subject, message, attributes } = sns::publication(format, &letter);
            prop_assert!((1..=99).contains(&subject.len()) && subject.is_ascii());
            prop_assert!(!subject.contains(['\r', '\n']));
            prop_assert!(!message.trim().is_empty());
            prop_assert!(attributes.len() <= 10, "a queue with raw delivery takes no more");
            let mut bytes = message.len();
            for (name, attribute) in &attributes {
                let (kind, value) = match attribute {
                    Attribute::Text(text) => ("String", text.clone()),
                    Attribute::Texts(texts) => {
                        prop_assert!(!texts.is_empty() && texts.iter().all(|it| !it.is_empty()));
                        ("String.Array", serde_json::json!(texts).to_string())
                    }
                };
                prop_assert!(!value.is_empty());
                prop_assert!(!value.chars().any(acts), "{value:?}");
                bytes += name.len() + kind.len() + value.len();
            }
            prop_assert!(bytes <= 262_144, "{bytes} bytes");
            if format == TopicFormat::Text {
                continue;
            }
            let document: Value = serde_json::from_str(&message).unwrap();
            assert_inert(&document, 262_144);
            if format == TopicFormat::AmazonQ {
                let content = &document["content"];
                prop_assert!((1..=2_900).contains(&characters(&content["description"])));
                let mut all = Vec::new();
                texts(&document, &mut all);
                all.iter().for_each(|it| assert_escaped(it));
            }
        }
    }

    /// Labels are the identity: those of two models that begin alike differ, and a changed text changes none.
    #[test]
    fn labels_tell_apart_what_is_apart(model in name(), other in name(), text in name()) {
        let labels = |model: &str, text: &str| {
            let names = (model.to_owned(), "L-1".to_owned(), text.to_owned(), text.to_owned());
            let intent = intent(&names, Phase::Opened, Severity::Info, false);
            let letter = Letter::of(&intent, None, None).unwrap();
            let alerts = alertmanager::alerts(&letter, letter.notice.unwrap(), Timestamp::UNIX_EPOCH);
            alerts[0]["labels"].clone()
        };
        let long = |end: &str| format!("{}{end}", "m".repeat(300));
        prop_assert_eq!(labels(&model, &text), labels(&model, "another text"));
        if model != other {
            prop_assert_ne!(labels(&long(&model), &text), labels(&long(&other), &text));
        }
    }
}
