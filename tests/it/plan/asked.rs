//! What would be asked, and what a person asks for: with no alert, and beside one.

use std::collections::BTreeMap;

use bedrock_ops_alert::{
    act::plan::{Disobeyed, Prospect, Wanted, Would, obey, prospects},
    config::builtin_rules,
    model::{
        action::{Effect, IntentState},
        alert::AlertState,
        book::Record,
        catalog::{Catalog, Family, LifeCycle, PoolId},
        desk::{AskEnd, DeskReading, RequestStatus},
        ids::{AccountId, CaseId, DisplayId, Region, RequestId},
        order::{Command, Order},
        policy::Mode,
        quota::Quota,
        rule::Category,
        units::{Amount, QuotaKind},
    },
};

use super::{
    Stage,
    queue::{add_with_own_quota, pool},
    scope, shortage, sonnet,
    spare::add_spare,
    stopped::stop,
    verdict,
};

const WHY: &str = "launch on 1 December";

fn ask(pool: &PoolId, kind: QuotaKind, value: f64) -> Command {
    Command::Ask {
        pool: pool.clone(),
        kind,
        value: Amount::new(value).unwrap(),
    }
}

fn tokens(value: f64) -> Command {
    ask(&sonnet(), QuotaKind::Tpm, value)
}

fn looked(stage: &Stage, pool: &PoolId) -> BTreeMap<QuotaKind, Prospect> {
    let rules = builtin_rules().unwrap();
    let found = prospects(stage.inputs(&[], &[]), pool, &rules);
    let found = found.unwrap().unwrap();
    found.into_iter().map(|it| (it.kind, it)).collect()
}

fn tokens_of(stage: &Stage) -> Prospect {
    looked(stage, &sonnet()).remove(&QuotaKind::Tpm).unwrap()
}

/// AWS has opened a case for the request.
fn opened() -> [DeskReading; 2] {
    let number = DisplayId::new("1234");
    [
        DeskReading::Request {
            request: RequestId::new("req-1"),
            status: RequestStatus::CaseOpened,
            display: Some(number.clone()),
        },
        DeskReading::Case {
            case: CaseId::new("case-9"),
            display: number,
            status: "opened".to_owned(),
            is_answered: true,
        },
    ]
}

#[test]
fn a_person_asks_and_it_is_followed_to_the_new_value() {
    for mode in [Mode::File, Mode::Propose] {
        let mut stage = Stage::new(mode);
        let answer = stage.say(Some(WHY), tokens(2_000_000.0)).unwrap();
        let request = stage.effects("request-quota")[0].clone();
        assert_eq!(answer.subject, request.id.as_str());
        assert!(matches!(request.state, IntentState::Planned { .. }));
        assert_eq!(request.approved_by.as_deref(), Some("Kim"));
        let incident = stage.book.incidents.values().next().unwrap();
        assert!(!incident.is_open(), "nothing is wrong");
        let Effect::RequestQuota { context, .. } = &request.effect else {
            panic!("a request");
        };
        insta::assert_snapshot!("asked_by_hand_context", context);
        assert_eq!(stage.step(&[], &[]), Vec::new(), "the mode lets it go");
        stage.perform_all();
        stage.later(1).step(&[], &[]);
        insta::assert_snapshot!("asked_by_hand", stage.message("[asked]"));
        stage.later(5).step(&[], &opened());
        assert_eq!(
            stage.effects("comment").len(),
            1,
            "its words go into the case"
        );
        stage.set_quota(2_000_000.0);
        stage.later(30).step(&[], &[]);
        let ask = stage.book.asks.values().next().unwrap();
        assert!(matches!(ask.end, Some((AskEnd::Granted { .. }, _))));
        insta::assert_snapshot!("asked_by_hand_granted", stage.message("[granted]"));
        let heard: Vec<_> = stage.effects("notify");
        assert_eq!(heard.len(), 2, "that it was asked, and what came of it");
    }
}

/// What is said to whoever asks of this stage; nothing is decided.
fn refused(change: impl FnOnce(&mut Stage), why: Option<&str>, command: Command) -> String {
    let mut stage = Stage::new(Mode::File);
    change(&mut stage);
    let before = stage.book.clone();
    let refused = stage.say(why, command).unwrap_err();
    assert_eq!(stage.book, before);
    refused
}

#[test]
fn what_no_quota_or_number_stands_behind_is_refused() {
    let nobody = PoolId {
        family: Family::Global,
        ..sonnet()
    };
    let none = "no RPM quota of 111122223333/us-east-1/geo/anthropic.claude-sonnet-4-6 can be asked for: the account lists no such quota for this model";
    let cases = [
        (None, tokens(2e6), "asking needs a reason"),
        (Some(WHY), tokens(1e6), "1,000,000 is not above 1,000,000"),
        (
            Some(WHY),
            tokens(3_000_001.0),
            "at most 3,000,000, where [budget] ends",
        ),
        (
            Some(WHY),
            ask(&nobody, QuotaKind::Tpm, 2e6),
            "no pool is called 111122223333/us-east-1/global/",
        ),
        (Some(WHY), ask(&sonnet(), QuotaKind::Rpm, 2e6), none),
        (
            Some(WHY),
            ask(&sonnet(), QuotaKind::Tpd, 2e6),
            "the list of quotas could not be read yet",
        ),
    ];
    for (why, command, says) in cases {
        let said = refused(|_| {}, why, command);
        assert!(said.contains(says), "{said}");
    }
}

fn change_quota(stage: &mut Stage, change: impl FnOnce(&mut Quota)) {
    let mut quota = stage.book.quotas.values().next().unwrap().clone();
    change(&mut quota);
    stage.book.apply(vec![Record::Quota(quota)]);
}

fn retire(stage: &mut Stage) {
    let life = LifeCycle {
        status: "LEGACY".to_owned(),
        legacy: None,
        extended: None,
        end: None,
    };
    let lives = BTreeMap::from([(sonnet().model, life)]);
    let catalog = Catalog {
        lives,
        ..Catalog::default()
    };
    stage.book.apply(vec![Record::Catalog(scope(), catalog)]);
}

fn read_through_another(stage: &mut Stage) {
    let through = AccountId::new("444455556666");
    stage.policy.metrics_only.insert(scope().account, through);
}

#[test]
fn what_can_not_be_asked_now_is_refused_with_the_reason() {
    type Change = fn(&mut Stage);
    let cases: [(Change, &str); 7] = [
        (|it| it.policy.mode = Mode::Observe, "the mode is observe"),
        (
            |it| it.stop = Some(stop()),
            "writes at AWS are stopped by Kim",
        ),
        (
            |it| change_quota(it, |quota| quota.adjustable = false),
            "Service Quotas does not raise L-15B8E632: it takes a case",
        ),
        (
            |it| change_quota(it, |quota| quota.stale = Some("503".to_owned())),
            "the value of L-15B8E632 is old",
        ),
        (
            read_through_another,
            "no role leads into account 111122223333",
        ),
        (retire, "AWS calls the model behind L-15B8E632 LEGACY"),
        (
            |it| drop(it.say(Some(WHY), tokens(1.5e6)).unwrap()),
            "asks for more of L-15B8E632 and is about to be filed",
        ),
    ];
    for (change, says) in cases {
        let said = refused(change, Some(WHY), tokens(2e6));
        assert!(said.contains(says), "{said}");
    }
}

/// AWS takes two in a Region. How often is asked in a day is for what goes out by itself.
#[test]
fn a_person_is_held_to_the_slots_of_aws_and_not_to_the_budget_of_the_day() {
    let mut stage = Stage::new(Mode::File);
    stage.policy.budgets.requests_per_day = 0;
    for number in 1..=2 {
        add_with_own_quota(&mut stage, number);
        let order = ask(&pool(number), QuotaKind::Tpm, 2e6);
        stage.say(Some(WHY), order).unwrap();
    }
    let why = stage.say(Some(WHY), tokens(2e6)).unwrap_err();
    assert!(
        why.contains("is waiting for a free slot: 2 requests are open"),
        "{why}"
    );
}

#[test]
fn what_a_person_asks_for_while_it_is_short_belongs_to_that_incident() {
    let mut stage = Stage::new(Mode::Propose);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(std::slice::from_ref(&on), &[]);
    let why = stage.say(Some(WHY), tokens(2e6)).unwrap_err();
    assert!(
        why.ends_with("asks for more of L-15B8E632 and waits for approval"),
        "{why}"
    );
    let action = stage.effects("request-quota")[0].id.clone();
    stage
        .say(Some("too little"), Command::Reject { action })
        .unwrap();
    stage.say(Some(WHY), tokens(2e6)).unwrap();
    assert_eq!(stage.book.incidents.len(), 1);
    let incident = stage.book.incidents.values().next().unwrap();
    assert!(incident.is_open());
    let asked = stage.effects("request-quota").into_iter();
    let asked: Vec<_> = asked.filter(|it| it.approved_by.is_some()).collect();
    assert_eq!(asked.len(), 1);
    let Effect::RequestQuota { context, .. } = &asked[0].effect else {
        panic!("a request");
    };
    assert!(context.contains("900,000"), "with the evidence: {context}");
    stage.later(1).step(&[on], &[]);
    assert_eq!(
        stage.effects("request-quota").len(),
        2,
        "the rejected one, and Kim's"
    );
}

#[test]
fn a_shortage_after_it_is_an_incident_of_its_own_and_asks_for_nothing_more() {
    let mut stage = Stage::new(Mode::File);
    stage.say(Some(WHY), tokens(2e6)).unwrap();
    stage.perform_all();
    stage.later(1).step(&[], &[]);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    let open: Vec<_> = stage
        .book
        .incidents
        .values()
        .filter(|it| it.is_open())
        .collect();
    assert_eq!((open.len(), stage.book.incidents.len()), (1, 2));
    assert_eq!(open[0].generation, 2);
    assert_eq!(stage.effects("request-quota").len(), 1);
}

#[test]
fn older_minutes_are_asked_for_first() {
    let mut stage = Stage::new(Mode::File);
    stage.past.clear();
    let order = Order {
        by: "Kim".to_owned(),
        why: Some(WHY.to_owned()),
        command: tokens(2e6),
    };
    let wanted = Wanted([sonnet()].into());
    let obeyed = obey(stage.inputs(&[], &[]), &order);
    assert_eq!(obeyed, Err(Disobeyed::Wanted(wanted.clone())));
    let looked = prospects(stage.inputs(&[], &[]), &sonnet(), &[]);
    assert_eq!(looked, Err(wanted));
}

/// Before a launch there is no use that anything could be worked out from.
#[test]
fn a_way_out_that_nobody_uses_can_be_asked_for() {
    let mut stage = Stage::new(Mode::File);
    let global = PoolId {
        family: Family::Global,
        ..sonnet()
    };
    let id = "global.anthropic.claude-sonnet-4-6";
    let quotas = [(QuotaKind::Tpm, "L-00000042", 2_000_000.0)];
    add_spare(&mut stage, Family::Global, id, &quotas, &["*"]);
    stage.past.insert(global.clone(), None);
    stage
        .say(Some(WHY), ask(&global, QuotaKind::Tpm, 4e6))
        .unwrap();
    let Effect::RequestQuota { context, .. } = &stage.effects("request-quota")[0].effect else {
        panic!("a request");
    };
    insta::assert_snapshot!("asked_of_a_spare_context", context);
    stage.perform_all();
    stage.later(1).step(&[], &[]);
    stage.later(5).step(&[], &opened());
    let comment = stage.effects("comment");
    let Effect::Comment { evidence, .. } = &comment[0].effect else {
        panic!("a comment");
    };
    assert!(evidence.is_none(), "of nothing there is no evidence");
}

#[test]
fn a_quiet_pool_is_asked_nothing_for_and_says_how_it_stands() {
    let stage = Stage::new(Mode::Observe);
    let it = tokens_of(&stage);
    assert_eq!(it.warn_at.map(|it| it.basis_points()), Some(8_000));
    let usage = it.usage.unwrap();
    assert!((usage.peak.get() - 400_000.0).abs() < 1.0);
    let Would::Nothing(why) = it.would else {
        panic!("nothing");
    };
    assert!(
        why.contains("the 14-day peak does not reach the rule's share"),
        "{why}"
    );
    let bounds = it.bounds.map(|(above, most)| (above.get(), most.get()));
    assert_eq!(bounds, Some((1_000_000.0, 3_000_000.0)));
    let rpm = looked(&stage, &sonnet()).remove(&QuotaKind::Rpm).unwrap();
    assert_eq!(rpm.quota, None);
    let Would::Nothing(why) = rpm.would else {
        panic!("nothing");
    };
    assert_eq!(why, "the account lists no such quota for this model");
}

/// What is shown is what a plan does, to the word.
#[test]
fn what_would_be_asked_is_what_a_plan_asks() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let before = tokens_of(&stage);
    let Would::Ask { desired, .. } = before.would else {
        panic!("{:?}", before.would);
    };
    stage.policy.mode = Mode::Observe;
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(std::slice::from_ref(&on), &[]);
    let shown = tokens_of(&stage);
    let Would::Ask { words, .. } = shown.would else {
        panic!("{:?}", shown.would);
    };
    stage.policy.mode = Mode::File;
    stage.step(&[on], &[]);
    let Effect::RequestQuota {
        context,
        desired: asked,
        ..
    } = &stage.effects("request-quota")[0].effect
    else {
        panic!("a request");
    };
    assert_eq!((&words, desired), (context, *asked));
    let Would::Nothing(why) = tokens_of(&stage).would else {
        panic!("it is under way");
    };
    assert!(
        why.ends_with("asks for more of L-15B8E632 and is about to be filed"),
        "{why}"
    );
}

#[test]
fn nothing_is_known_of_a_name_that_nothing_has() {
    let stage = Stage::new(Mode::File);
    let mut elsewhere = sonnet();
    elsewhere.scope.region = Region::new("eu-west-1");
    assert_eq!(prospects(stage.inputs(&[], &[]), &elsewhere, &[]), Ok(None));
}
