//! What is told once a day to those who are not on call.

use bedrock_ops_alert::{
    act::plan::{Spent, is_due},
    model::{
        action::{Effect, IntentState},
        alert::AlertState,
        book::Record,
        card::{Card, Warnings},
        catalog::{Catalog, Unwatched},
        desk::{Ask, AskEnd, DeskReading, RequestStatus},
        digest::{Digest, Nothing, Often},
        ids::{ActionId, IncidentId, QuotaCode, ReceiverName, RequestId, TargetId},
        outcome::Outcome,
        outlook::Exhaustion,
        policy::Mode,
        rule::{Category, Matcher, Pattern},
        time::{DAY, Minute, after},
        units::{Amount, QuotaKind},
    },
};

use super::{CODE, Stage, scope, shortage, sonnet, verdict};

fn digest(at: Often) -> Digest {
    Digest {
        receiver: ReceiverName::new("oncall"),
        at,
        matcher: Matcher::default(),
        nothing: Nothing::Send,
    }
}

/// Subject and text of each digest that was planned.
fn digests(stage: &Stage) -> Vec<String> {
    let mut all: Vec<_> = stage.effects("notify");
    all.retain(|it| it.incident.as_str().starts_with("digest-"));
    all.sort_by_key(|it| it.order());
    let text = all.into_iter().filter_map(|it| match &it.effect {
        Effect::Notify { subject, body, .. } => Some(format!("{subject}\n\n{body}")),
        _ => None,
    });
    text.collect()
}

#[test]
fn a_day_is_told_with_all_that_stands() {
    let mut stage = Stage::new(Mode::File);
    stage.policy.digests = vec![digest(Often::Daily(14 * 60))];
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(std::slice::from_ref(&on), &[]);
    stage.perform_all();
    let opened = [DeskReading::Request {
        request: RequestId::new("req-1"),
        status: RequestStatus::CaseOpened,
        display: None,
    }];
    stage.later(1).step(std::slice::from_ref(&on), &[]);
    stage.later(4).step(&[on], &opened);
    assert_eq!(digests(&stage), Vec::<String>::new(), "it is noon");
    let p50 = |minutes| Exhaustion {
        origin: Minute::of(stage.now),
        p10: Some(900),
        p50: minutes,
        p90: None,
        within_hour: 0.0,
        within_day: 0.1,
        within_week: 0.6,
        within_month: 0.9,
        after_day: 0.5,
        if_within_day: None,
        if_within_week: Some(3_000),
        week_p95: 1_200_000.0,
    };
    let key = (sonnet(), QuotaKind::Tpm);
    stage.beside.outlooks.insert(key, p50(Some(4 * DAY)));
    stage.beside.cost = Some(Spent {
        so_far: 3.2,
        projected: Some(8.45),
        budget: 50.0,
    });
    stage.later(115).step(&[], &[]);
    let all = digests(&stage);
    assert_eq!(all.len(), 1);
    insta::assert_snapshot!("digest", all[0]);
}

#[test]
fn an_empty_week_and_a_proposal() {
    let mut stage = Stage::new(Mode::Propose);
    stage.policy.digests = vec![digest(Often::Weekly(12 * 60))];
    // 2026-03-02 is a Monday.
    stage.step(&[], &[]);
    let quiet = digests(&stage);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    assert_eq!(digests(&stage).len(), 1, "once a week");
    stage.policy.digests = vec![digest(Often::Daily(13 * 60))];
    stage.later(60).step(&[], &[]);
    let all = digests(&stage);
    insta::assert_snapshot!(
        "digests",
        [quiet, all[1..].to_vec()].concat().join("\n---\n")
    );
}

/// Whatever becomes of it, a digest is decided once; one that failed is sent again, as any message.
#[test]
fn a_digest_is_sent_once_and_one_that_failed_again() {
    let mut stage = Stage::new(Mode::Observe);
    stage.policy.digests = vec![digest(Often::Daily(12 * 60))];
    stage.step(&[], &[]);
    let planned = stage.effects("notify")[0].clone();
    let lost = Outcome::InDoubt {
        why: "the answer was lost".to_owned(),
    };
    let next = planned.begun(stage.now).after(&lost, stage.now);
    assert!(matches!(next.state, IntentState::Planned { .. }), "again");
    stage.book.apply(vec![Record::Intent(next)]);
    for _ in 0..5 {
        assert_eq!(stage.later(60).step(&[], &[]), Vec::new());
    }
    stage.perform_all();
    assert_eq!(stage.later(1).step(&[], &[]), Vec::new());
    stage.later(DAY - 301).step(&[], &[]);
    assert_eq!(digests(&stage).len(), 2, "the next day");
}

#[test]
fn a_digest_tells_of_its_own_pools() {
    let mut stage = Stage::new(Mode::File);
    let mut others = digest(Often::Daily(12 * 60));
    others.matcher.models = vec![Pattern::new("meta.*")];
    stage.policy.digests = vec![others];
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    let told = digests(&stage).join("");
    assert!(told.contains("Open incidents: none."), "{told}");
    assert!(!told.contains("sonnet"), "{told}");
}

/// Yesterday a target came that has no pool, and a profile: both are told, to those who hear of all pools there.
#[test]
fn what_nothing_watches_and_what_is_new_is_told() {
    let mut stage = Stage::new(Mode::Observe);
    let mut quiet = digest(Often::Daily(12 * 60));
    quiet.nothing = Nothing::Silent;
    let mut others = quiet.clone();
    others.receiver = ReceiverName::new("tickets");
    others.matcher.models = vec![Pattern::new("meta.*")];
    stage.policy.digests = vec![quiet, others];
    let since = after(stage.now, -DAY / 2);
    let unwatched = Unwatched {
        why: "no model and no inference profile of this Region has this id".to_owned(),
        since,
    };
    let catalog = Catalog {
        new_profiles: [("kr.anthropic.claude-sonnet-4-6".to_owned(), since)].into(),
        unwatched: [(TargetId::new("abcd1234efgh"), unwatched)].into(),
        ..Catalog::default()
    };
    stage.book.apply(vec![Record::Catalog(scope(), catalog)]);
    stage.step(&[], &[]);
    stage.later(DAY).step(&[], &[]);
    let all = digests(&stage);
    assert_eq!(all.len(), 1, "the next day it is no news: {all:?}");
    insta::assert_snapshot!("digest_of_the_catalogue", all[0]);
}

/// A stage in which this much was granted three days ago instead of `before`.
fn granted(at: Often, before: f64) -> Stage {
    let mut stage = Stage::new(Mode::Observe);
    stage.policy.digests = vec![digest(at)];
    let granted = after(stage.now, -3 * 1_440);
    stage.book.apply(vec![Record::Ask(Ask {
        request: RequestId::new("req-1"),
        action: ActionId::new("act-1"),
        incident: IncidentId::new("inc-1"),
        scope: scope(),
        code: QuotaCode::new(CODE),
        kind: QuotaKind::Tpm,
        before: Amount::new(before).unwrap(),
        desired: Amount::new(1_000_000.0).unwrap(),
        filed: after(granted, -1_440),
        status: RequestStatus::Approved,
        closed: Some(granted),
        display: None,
        case: None,
        case_seen: None,
        no_plan: None,
        told_waiting: false,
        waiting: None,
        polled: granted,
        end: Some((
            AskEnd::Granted {
                value: Amount::new(1_000_000.0).unwrap(),
            },
            granted,
        )),
    })]);
    stage
}

/// The stage's pool takes 400,000 tokens a minute by 300 requests: under 300,000, a quarter of them would be refused.
#[test]
fn the_first_of_a_month_says_what_the_last_one_came_to() {
    let told = |at: Often| {
        let mut stage = granted(at, 300_000.0);
        let card = Card {
            coverage: Vec::new(),
            warnings: Warnings {
                right: 3,
                wrong: 1,
                moot: 0,
                missed: 1,
                leads: [1_800, 1_500, 4_000, 0, 0, 0, 0, 0],
            },
        };
        let cards = &mut stage.beside.cards;
        cards.insert((sonnet(), QuotaKind::Tpm), card);
        stage.step(&[], &[]);
        digests(&stage).join("\n---\n")
    };
    let weekly = told(Often::Weekly(11 * 60));
    insta::assert_snapshot!("month", weekly);
    assert!(
        !told(Often::Daily(11 * 60)).contains("The month"),
        "it was told on the 1st"
    );
}

#[test]
fn room_that_was_asked_for_and_not_needed_is_named() {
    let mut stage = granted(Often::Weekly(11 * 60), 500_000.0);
    stage.step(&[], &[]);
    let told = digests(&stage).join("");
    let line = told.lines().find(|it| it.contains("not needed"));
    insta::assert_snapshot!("not_needed", line.unwrap());
}

/// Quiet days: nobody reads what says each morning that there is nothing to read.
#[test]
fn a_digest_that_has_nothing_to_say_is_left_out() {
    let sent = |nothing: Nothing| {
        let mut stage = Stage::new(Mode::Observe);
        stage.policy.digests = vec![Digest {
            nothing,
            ..digest(Often::Daily(12 * 60))
        }];
        // From Monday noon on, a fortnight.
        for _ in 0..14 {
            stage.step(&[], &[]);
            stage.later(DAY);
        }
        digests(&stage).len()
    };
    assert_eq!(Nothing::ALL.map(sent), [0, 2, 14]);
}

#[test]
fn what_stood_or_ended_within_the_day_is_told_and_what_came_later_waits_for_the_next_one() {
    let mut stage = Stage::new(Mode::Observe);
    stage.policy.digests = vec![Digest {
        nothing: Nothing::Silent,
        ..digest(Often::Daily(12 * 60))
    }];
    stage.step(&[], &[]);
    assert!(
        !is_due(stage.inputs(&[], &[])),
        "not each minute until it is too late"
    );
    shortage(stage.later(60));
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    assert_eq!(
        digests(&stage).len(),
        0,
        "that of noon is not sent an hour late"
    );
    stage.later(40);
    let over = verdict(&sonnet(), Category::Quota, AlertState::Normal, stage.now);
    stage.step(&[over], &[]);
    stage.later(DAY - 100);
    assert!(is_due(stage.inputs(&[], &[])));
    stage.step(&[], &[]);
    assert_eq!(digests(&stage).len(), 1, "it ended within the day");
    stage.later(DAY).step(&[], &[]);
    assert_eq!(digests(&stage).len(), 1, "and no more since");
}

#[test]
fn a_request_or_a_proposal_is_something_to_say() {
    for mode in [Mode::File, Mode::Propose] {
        let mut stage = Stage::new(mode);
        shortage(&mut stage);
        let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
        stage.step(std::slice::from_ref(&on), &[]);
        stage.perform_all();
        stage.later(1).step(&[on], &[]);
        stage.later(40);
        let over = verdict(&sonnet(), Category::Quota, AlertState::Normal, stage.now);
        stage.step(&[over], &[]);
        stage.policy.digests = vec![Digest {
            nothing: Nothing::Silent,
            ..digest(Often::Daily(12 * 60))
        }];
        // The incident ended two days ago.
        stage.later(2 * DAY - 41).step(&[], &[]);
        assert_eq!(digests(&stage).len(), 1, "{mode:?}");
    }
}
