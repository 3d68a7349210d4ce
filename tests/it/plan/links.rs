//! Where messages lead: each link is there as soon as what it leads to is known, and in the right console.

use bedrock_ops_alert::model::{
    action::Effect,
    alert::AlertState,
    book::Record,
    catalog::{Target, TargetKind},
    desk::{DeskReading, RequestStatus},
    ids::{CaseId, DisplayId, Region, RequestId, Scope, TargetId},
    links::{Link, LinkKind},
    order::Command,
    policy::Mode,
    rule::Category,
};

use super::{Stage, scope, shortage, sonnet, verdict};

/// The links of the newest message.
fn links(stage: &Stage) -> Vec<Link> {
    let told = stage.book.intents.values();
    let told = told.filter_map(|it| match &it.effect {
        Effect::Notify { notice, .. } => notice.as_deref(),
        _ => None,
    });
    let newest = told.max_by_key(|it| it.number).unwrap();
    newest.links.clone()
}

fn shown(stage: &Stage) -> String {
    let links = links(stage);
    let lines = links
        .iter()
        .map(|it| format!("{} | {}\n  {}", it.kind.name(), it.text, it.url));
    lines.collect::<Vec<_>>().join("\n")
}

fn told(mode: Mode, page: Option<&str>) -> Stage {
    let mut stage = Stage::new(mode);
    stage.policy.places.page = page.map(str::to_owned);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    stage
}

#[test]
fn a_message_leads_to_the_page_the_graph_the_quota_the_request_and_the_case() {
    let mut stage = told(Mode::File, Some("https://monitor.internal.example"));
    assert_eq!(stage.effects("notify").len(), 1);
    insta::assert_snapshot!("links_opened", shown(&stage));
    stage.perform_all();
    stage.later(1).step(&[], &[]);
    insta::assert_snapshot!("links_asked", shown(&stage));
    stage.perform_all();
    let display = DisplayId::new("171700000000001");
    let waiting = [
        DeskReading::Request {
            request: RequestId::new("req-1"),
            status: RequestStatus::CaseOpened,
            display: Some(display.clone()),
        },
        DeskReading::Case {
            case: CaseId::new("case-9"),
            display,
            status: "pending-customer-action".to_owned(),
            is_answered: true,
        },
    ];
    stage.later(1).step(&[], &waiting);
    insta::assert_snapshot!("links_case", shown(&stage));
}

/// Whoever reads of a proposal gets to the words and the forms from the message, the first one and those after it.
#[test]
fn a_proposal_leads_to_where_it_is_decided() {
    let mut stage = told(Mode::Propose, Some("https://monitor.internal.example"));
    let action = stage.effects("request-quota")[0].id.clone();
    let decide = |stage: &Stage| {
        let links = links(stage).into_iter();
        let decide = links.filter(|it| it.kind == LinkKind::Decide);
        decide.map(|it| it.url).collect::<Vec<_>>()
    };
    let here = format!("https://monitor.internal.example/decide/{action}");
    assert_eq!(decide(&stage), std::slice::from_ref(&here));
    let kinds: Vec<LinkKind> = links(&stage).iter().map(|it| it.kind).collect();
    assert!(kinds.is_sorted(), "{kinds:?}");
    let first = stage.now;
    stage.later(240);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    assert!(first < stage.now);
    assert_eq!(decide(&stage), [here], "in reminders as well");
    let approve = Command::Approve {
        action,
        value: None,
    };
    stage.say(None, approve).unwrap();
    stage.later(480);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    assert_eq!(decide(&stage), [] as [String; 0], "decided");
    let nowhere = told(Mode::Propose, None);
    assert_eq!(decide(&nowhere), [] as [String; 0]);
}

#[test]
fn without_an_address_of_its_own_the_page_is_no_link() {
    let stage = told(Mode::Observe, None);
    let kinds: Vec<LinkKind> = links(&stage).iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [LinkKind::Metric, LinkKind::Quota]);
}

#[test]
fn a_graph_shows_the_five_targets_that_come_first_and_never_grows_too_long() {
    let mut stage = Stage::new(Mode::Observe);
    for number in 0..9 {
        let target = Target {
            id: TargetId::new(format!("profile{number:05}")),
            kind: TargetKind::SystemProfile,
            pool: sonnet(),
            first_seen: stage.now,
        };
        stage.book.apply(vec![Record::Target(target)]);
    }
    let long = Target {
        id: TargetId::new(format!("arn:aws:bedrock:{}", "/".repeat(1_000))),
        kind: TargetKind::SystemProfile,
        pool: sonnet(),
        first_seen: stage.now,
    };
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    let graph = |stage: &mut Stage| {
        stage.step(std::slice::from_ref(&on), &[]);
        links(stage)
            .into_iter()
            .find(|it| it.kind == LinkKind::Metric)
    };
    let five = graph(&mut stage).unwrap().url;
    assert_eq!(five.matches("'ModelId~'").count(), 10, "{five}");
    let mut stage = Stage::new(Mode::Observe);
    stage.book.apply(vec![Record::Target(long)]);
    shortage(&mut stage);
    assert_eq!(graph(&mut stage), None, "the first one alone is too long");
}

#[test]
fn other_partitions_have_consoles_of_their_own_or_no_link() {
    let hosts = |region: &str| {
        let mut stage = Stage::new(Mode::Observe);
        let there = Scope {
            region: Region::new(region),
            ..scope()
        };
        let mut pool = sonnet();
        pool.scope = there;
        stage.add_pool(&pool);
        let on = verdict(&pool, Category::Throttle, AlertState::Alerting, stage.now);
        stage.step(&[on], &[]);
        let links = links(&stage).into_iter();
        let hosts = links.map(|it| it.url.split('/').nth(2).unwrap().to_owned());
        hosts.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        hosts("us-gov-west-1"),
        "us-gov-west-1.console.amazonaws-us-gov.com"
    );
    assert_eq!(hosts("cn-north-1"), "cn-north-1.console.amazonaws.cn");
    assert_eq!(hosts("us-iso-east-1"), "");
}
