//! Many are short at once, and AWS takes two requests a Region: the most urgent go first, the others wait for a slot.

use bedrock_ops_alert::model::{
    action::{Effect, Intent, IntentState},
    alert::{AlertState, Verdict},
    book::Record,
    catalog::{Mapping, PoolId},
    desk::{DeskReading, RequestStatus},
    ids::{QuotaCode, RequestId},
    outcome::Outcome,
    policy::Mode,
    quota::Quota,
    reason::Reason,
    rule::{Category, Severity},
    time::{Minute, after},
    units::{Amount, QuotaKind},
};

use super::{Stage, pool_id, verdict};

/// A climb as it stands: each pool a little fuller than the one before it, each on a quota of its own.
const POOLS: u8 = 20;

fn code(number: u8) -> QuotaCode {
    QuotaCode::new(format!("L-000000{number:02}"))
}

pub(super) fn pool(number: u8) -> PoolId {
    pool_id(&format!("example.model-{number:02}-v1:0"))
}

/// Tokens a minute: 81 % of the quota for the first pool, 100 % for the last one.
fn used(number: u8) -> f64 {
    800_000.0 + 10_000.0 * f64::from(number)
}

/// A pool on a quota of its own, of a million tokens a minute.
pub(super) fn add_with_own_quota(stage: &mut Stage, number: u8) {
    let id = pool(number);
    stage.add_pool(&id);
    let mut known = stage.book.pools.get(&id).unwrap().clone();
    let proof = "name and family match".to_owned();
    let mapped = Mapping::Mapped {
        code: code(number),
        proof,
    };
    known.mappings.insert(QuotaKind::Tpm, mapped);
    let like = stage.book.quotas.values().next().unwrap().clone();
    let quota = Quota {
        code: code(number),
        ..like
    };
    let records = vec![Record::Pool(known), Record::Quota(quota)];
    stage.book.apply(records);
}

fn climb(mode: Mode) -> Stage {
    let mut stage = Stage::new(mode);
    stage.policy.budgets.requests_per_day = 100;
    for number in 1..=POOLS {
        add_with_own_quota(&mut stage, number);
        let from = Minute::of(stage.now).plus(-8);
        stage.feed(&pool(number), from, &[(600.0, 0.0, used(number)); 8]);
    }
    stage
}

/// All of them alert, in the order of their names, which is that of the least urgent first.
fn alerts(stage: &Stage) -> Vec<Verdict> {
    let alert = |number| {
        let on = verdict(
            &pool(number),
            Category::Quota,
            AlertState::Alerting,
            stage.now,
        );
        let reasons = on.reasons.iter().cloned().map(|reason| match reason {
            Reason::QuotaUse {
                kind,
                minute,
                quota,
                is_default,
                above,
                bad,
                of,
                ..
            } => Reason::QuotaUse {
                kind,
                code: code(number),
                minute,
                used: Amount::new(used(number)).unwrap(),
                quota,
                is_default,
                above,
                bad,
                of,
            },
            other => other,
        });
        Verdict {
            quota: Some((QuotaKind::Tpm, code(number))),
            reasons: reasons.collect(),
            ..on
        }
    };
    (1..=POOLS).map(alert).collect()
}

/// Codes of what was decided, in the order of their decision.
fn asked(stage: &Stage) -> Vec<String> {
    let mut requests: Vec<&Intent> = stage.effects("request-quota");
    requests.sort_by_key(|it| it.created);
    let code = |it: &&Intent| match &it.effect {
        Effect::RequestQuota { code, .. } => Some(code.to_string()),
        _ => None,
    };
    requests.iter().filter_map(code).collect()
}

fn waiting(stage: &Stage) -> usize {
    let decisions = stage.decisions().into_iter();
    decisions
        .filter(|it| it.contains("is waiting for a free slot"))
        .count()
}

/// AWS takes what is planned, each as a request of its own.
fn take(stage: &mut Stage) {
    let planned: Vec<Intent> = stage
        .effects("request-quota")
        .into_iter()
        .filter(|it| it.due(stage.now).is_some())
        .cloned()
        .collect();
    for intent in planned {
        let done = Outcome::Done {
            reference: format!("req-{}", intent.id),
        };
        let done = intent.begun(stage.now).after(&done, stage.now);
        stage.book.apply(vec![Record::Intent(done)]);
    }
}

#[test]
fn of_twenty_pools_that_climb_the_two_most_urgent_are_asked_for_and_the_others_wait() {
    let mut stage = climb(Mode::File);
    let on = alerts(&stage);
    stage.step(&on, &[]);
    let mut first = asked(&stage);
    first.sort();
    assert_eq!(first, [code(19).to_string(), code(20).to_string()]);
    assert_eq!(waiting(&stage), 18);
    take(&mut stage);
    stage.later(1);
    let on = alerts(&stage);
    stage.step(&on, &[]);
    assert_eq!(asked(&stage).len(), 2, "AWS has both on its desk");

    // One is granted, and closed: the next one in the row gets its slot, and only that one.
    let key = (pool(20).scope, code(20));
    let granted = Quota {
        applied: Amount::new(2_000_000.0),
        ..stage.book.quotas.get(&key).unwrap().clone()
    };
    stage.book.apply(vec![Record::Quota(granted)]);
    let request = stage.book.asks.values().find(|it| it.code == code(20));
    let closed = DeskReading::Request {
        request: RequestId::new(request.unwrap().request.as_str()),
        status: RequestStatus::CaseClosed,
        display: None,
    };
    stage.later(5);
    let on = alerts(&stage);
    stage.step(&on, &[closed]);
    stage.later(1);
    let on = alerts(&stage);
    stage.step(&on, &[]);
    let mut now = asked(&stage);
    now.sort();
    assert_eq!(now, [18, 19, 20].map(|it| code(it).to_string()));
}

/// What loses requests goes before what is only full, however full; and what is graver before what is milder.
#[test]
fn who_loses_requests_goes_first_and_then_the_gravest() {
    let mut stage = climb(Mode::File);
    let from = Minute::of(stage.now).plus(-8);
    stage.feed(&pool(3), from, &[(600.0, 20.0, used(3)); 8]);
    let mut on = alerts(&stage);
    for verdict in &mut on {
        if verdict.pool == pool(5) {
            verdict.severity = Severity::Critical;
        }
    }
    stage.step(&on, &[]);
    let mut first = asked(&stage);
    first.sort();
    assert_eq!(first, [code(3).to_string(), code(5).to_string()]);
}

/// What nobody approves must not keep what comes after it from being seen.
#[test]
fn proposals_take_no_slots() {
    let mut stage = climb(Mode::Propose);
    stage.policy.budgets.requests_per_day = 5;
    let on = alerts(&stage);
    stage.step(&on, &[]);
    let mut proposed = asked(&stage);
    proposed.sort();
    let most_urgent = [16, 17, 18, 19, 20].map(|it| code(it).to_string());
    assert_eq!(proposed, most_urgent, "as many as the budget of a day");
    let all = stage.effects("request-quota");
    let until = after(stage.now, 1_440);
    assert!(
        all.iter()
            .all(|it| matches!(it.state, IntentState::Proposed { expires } if expires == until))
    );
}
