//! Who hears what; and what no message may do that others have done.

use std::collections::BTreeSet;

use bedrock_ops_alert::model::{
    action::Effect,
    alert::{AlertState, Verdict},
    book::Record,
    catalog::{Target, TargetKind},
    ids::{AccountId, ReceiverName, TargetId},
    policy::{Mode, Receiver, Route, Secret},
    receiver::{Phase, TopicFormat},
    rule::{Category, Matcher, Pattern, Remedy, Severity},
    tags::{Tags, Wanted},
    time::Minute,
};

use super::{Stage, shortage, sonnet, verdict};

fn pager() -> Receiver {
    Receiver::PagerDuty {
        routing_key: Secret::new("key"),
        url: "https://events.pagerduty.com/v2/enqueue".to_owned(),
    }
}

fn alert(stage: &Stage, severity: Severity, state: AlertState) -> Verdict {
    let mut verdict = verdict(&sonnet(), Category::Quota, state, stage.now);
    verdict.severity = severity;
    if state == AlertState::Normal {
        verdict.reasons = Vec::new();
        verdict.track.since = Minute::of(stage.now);
    }
    verdict
}

/// Phase and message severity of what this receiver was told, in order.
fn told(stage: &Stage, to: &str) -> Vec<(Phase, Severity)> {
    let mut own: Vec<_> = stage
        .book
        .intents
        .values()
        .filter_map(|it| match &it.effect {
            Effect::Notify {
                receiver,
                severity,
                notice: Some(notice),
                ..
            } if receiver.as_str() == to => Some((it.order(), (notice.phase, *severity))),
            _ => None,
        })
        .collect();
    own.sort();
    own.into_iter().map(|(_, it)| it).collect()
}

#[test]
fn a_route_hears_what_it_names_and_nobody_hears_twice() {
    let all = |name: &str| Route::all(ReceiverName::new(name), Severity::Info);
    let of = |name: &str, matcher: Matcher| Route {
        matcher,
        ..all(name)
    };
    let models = |pattern: &str| Matcher {
        models: vec![Pattern::new(pattern)],
        ..Matcher::default()
    };
    let mut stage = Stage::new(Mode::Observe);
    let scope = sonnet().scope;
    stage.policy.routes = vec![
        of("its-model", models("anthropic.*")),
        of("its-model", models("*sonnet*")),
        of("other-model", models("meta.*")),
        of(
            "its-place",
            Matcher {
                accounts: vec![scope.account],
                regions: vec![Pattern::new("us-*")],
                families: vec![sonnet().family],
                ..Matcher::default()
            },
        ),
        of(
            "other-account",
            Matcher {
                accounts: vec![AccountId::new("444455556666")],
                ..models("anthropic.*")
            },
        ),
        Route {
            categories: vec![Category::Quota, Category::Latency],
            ..all("its-category")
        },
        Route {
            categories: vec![Category::Lifecycle],
            ..all("other-category")
        },
        Route {
            least: Severity::Critical,
            ..all("worst-only")
        },
    ];
    let on = alert(&stage, Severity::Warning, AlertState::Alerting);
    stage.step(&[on], &[]);
    let mut heard: Vec<&str> = stage
        .effects("notify")
        .into_iter()
        .map(|it| it.step.trim_start_matches("message/1/"))
        .collect();
    heard.sort_unstable();
    assert_eq!(heard, ["its-category", "its-model", "its-place"]);
}

/// Whoever answers for where data may go wants to hear first of all that it went elsewhere.
#[test]
fn a_route_for_residency_hears_of_breaches_too_and_one_for_breaches_of_these_alone() {
    let heard = |category: Category| {
        let of = |name: &str, categories: &[Category]| Route {
            categories: categories.to_vec(),
            ..Route::all(ReceiverName::new(name), Severity::Info)
        };
        let mut stage = Stage::new(Mode::Observe);
        stage.policy.routes = vec![
            of("both", &[Category::Residency]),
            of("breaches", &[Category::ResidencyBreach]),
            of("neither", &[Category::Quota, Category::Lifecycle]),
        ];
        let on = verdict(&sonnet(), category, AlertState::Alerting, stage.now);
        let remedy = Remedy::Notify;
        stage.step(&[Verdict { remedy, ..on }], &[]);
        let told = stage.effects("notify").into_iter();
        let told = told.map(|it| it.step.trim_start_matches("message/1/").to_owned());
        told.collect::<BTreeSet<_>>()
    };
    let names = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect();
    assert_eq!(heard(Category::Residency), names(&["both"]));
    assert_eq!(
        heard(Category::ResidencyBreach),
        names(&["both", "breaches"])
    );
}

#[test]
fn a_route_by_tag_hears_of_the_pools_of_its_team() {
    let team = |name: &str, pattern: &str| Route {
        tags: Wanted([("team".to_owned(), Pattern::new(pattern))].into()),
        ..Route::all(ReceiverName::new(name), Severity::Info)
    };
    let mut stage = Stage::new(Mode::Observe);
    stage.policy.routes = vec![
        team("search", "search"),
        team("any-search", "se*"),
        team("chat", "chat"),
        Route {
            matcher: Matcher {
                models: vec![Pattern::new("meta.*")],
                ..Matcher::default()
            },
            ..team("search-elsewhere", "search")
        },
    ];
    let id = TargetId::new("b8t4z6n1c2v7");
    let kind = TargetKind::ApplicationProfile {
        name: "document-search".to_owned(),
    };
    let tags = Tags {
        by_key: [("team".to_owned(), "search".to_owned())].into(),
        read_at: stage.now,
    };
    stage.book.apply(vec![
        Record::Target(Target {
            id: id.clone(),
            kind,
            pool: sonnet(),
            first_seen: stage.now,
        }),
        Record::Tags(sonnet().scope, id, tags),
    ]);
    let on = alert(&stage, Severity::Warning, AlertState::Alerting);
    stage.step(&[on], &[]);
    let heard = stage.effects("notify").into_iter();
    let heard = heard.map(|it| it.step.trim_start_matches("message/1/"));
    assert_eq!(
        heard.collect::<BTreeSet<_>>(),
        BTreeSet::from(["any-search", "search"])
    );
    for intent in stage.effects("notify") {
        let Effect::Notify { notice, .. } = &intent.effect else {
            panic!("no message");
        };
        let teams = &notice.as_ref().unwrap().teams;
        assert_eq!(*teams, BTreeSet::from(["search".to_owned()]));
    }
}

#[test]
fn what_was_opened_by_the_worst_is_ended_although_it_eased_before() {
    let mut stage = Stage::new(Mode::Observe);
    let name = ReceiverName::new("pager");
    stage.policy.receivers.insert(name.clone(), pager());
    stage
        .policy
        .routes
        .push(Route::all(name, Severity::Critical));
    let on = alert(&stage, Severity::Critical, AlertState::Alerting);
    stage.step(&[on], &[]);
    stage.later(40);
    let over = alert(&stage, Severity::Critical, AlertState::Normal);
    stage.step(&[over], &[]);
    let expected = [
        (Phase::Opened, Severity::Critical),
        (Phase::Resolved, Severity::Critical),
    ];
    assert_eq!(told(&stage, "pager"), expected);
    assert_eq!(told(&stage, "oncall"), expected);
    // With the route gone it would still hear the end of what it was told.
    let mut stage = Stage::new(Mode::Observe);
    let name = ReceiverName::new("pager");
    stage.policy.receivers.insert(name.clone(), pager());
    stage
        .policy
        .routes
        .push(Route::all(name, Severity::Critical));
    let on = alert(&stage, Severity::Critical, AlertState::Alerting);
    stage.step(&[on], &[]);
    stage.policy.routes.pop();
    stage.later(40);
    let over = alert(&stage, Severity::Critical, AlertState::Normal);
    stage.step(&[over], &[]);
    assert_eq!(told(&stage, "pager"), expected);
}

#[test]
fn what_is_over_opens_nothing_where_it_would_stay_open() {
    let pager = pager();
    let alerts = Receiver::Alertmanager {
        url: "https://alertmanager.example.com".to_owned(),
        token: None,
    };
    let topic = Receiver::Sns {
        topic_arn: "arn:aws:sns:us-east-1:111122223333:a".to_owned(),
        format: TopicFormat::Text,
    };
    let hears = |receiver: &Receiver| {
        let each = Phase::ALL.into_iter();
        let heard = each.filter(|phase| receiver.hears(*phase, Severity::Info));
        heard.map(Phase::name).collect::<Vec<_>>()
    };
    assert_eq!(
        hears(&pager),
        ["opened", "updated", "acknowledged", "resolved"]
    );
    assert_eq!(hears(&alerts), ["opened", "updated", "resolved"]);
    assert_eq!(
        hears(&topic),
        [
            "opened",
            "updated",
            "acknowledged",
            "resolved",
            "past",
            "note"
        ]
    );
    // What needs a person after the end is an alert of its own.
    assert!(pager.hears(Phase::Note, Severity::Warning));
}

/// Every message of a shortage from its beginning to its end, with the request that was filed for it.
fn messages() -> Vec<(Severity, String)> {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let on = alert(&stage, Severity::Warning, AlertState::Alerting);
    stage.step(&[on], &[]);
    stage.perform_all();
    stage.later(1);
    let worse = alert(&stage, Severity::Critical, AlertState::Alerting);
    stage.step(&[worse], &[]);
    stage.later(60);
    let over = alert(&stage, Severity::Critical, AlertState::Normal);
    stage.step(&[over], &[]);
    let told = stage.effects("notify").into_iter();
    told.filter_map(|it| match &it.effect {
        Effect::Notify {
            severity,
            subject,
            body,
            ..
        } => Some((*severity, format!("{subject}\n{body}"))),
        _ => None,
    })
    .collect()
}

/// Pitfalls 40 and 41: nothing is claimed that no number stands behind, and urgency is not the same on every message.
#[test]
fn no_message_claims_what_was_not_measured_and_its_severity_is_its_own() {
    let messages = messages();
    assert!(4 <= messages.len(), "{messages:#?}");
    for (_, text) in &messages {
        for claim in [
            "verified",
            "accurate",
            "without confirmation",
            "business impact",
            "immediate action",
            "customers are affected",
        ] {
            assert!(!text.to_lowercase().contains(claim), "{claim}: {text}");
        }
    }
    let severities: std::collections::BTreeSet<Severity> =
        messages.iter().map(|(severity, _)| *severity).collect();
    assert_eq!(severities.len(), 3, "{messages:#?}");
}

/// Pitfall 42: a filing that failed is told as what it is, so that nobody asks a second time by hand.
#[test]
fn no_message_sends_people_to_file_what_is_filed_or_followed() {
    for (_, text) in messages() {
        for advice in ["automation is disabled", "request manually", "manually"] {
            assert!(!text.to_lowercase().contains(advice), "{advice}: {text}");
        }
    }
}

/// Pitfall 44: a message is of use without a search for where it happened.
#[test]
fn every_message_names_its_account_and_region_in_its_first_line() {
    for (_, text) in messages() {
        let first = text.lines().next().unwrap();
        let scope = sonnet().scope;
        assert!(first.contains(scope.account.as_str()), "{text}");
        assert!(first.contains(scope.region.as_str()), "{text}");
    }
}
