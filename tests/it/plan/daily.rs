//! A quota that counts by the day: how much is asked for, and of whom.

use bedrock_ops_alert::model::{
    action::Effect,
    alert::{AlertState, Verdict},
    book::Record,
    catalog::{Mapping, Pool, PoolId},
    desk::DeskReading,
    digest::{Digest, Nothing, Often},
    ids::{CaseId, DisplayId, QuotaCode, ReceiverName, RuleName},
    outcome::Outcome,
    policy::Mode,
    quota::Quota,
    reason::Reason,
    rule::{Category, Matcher},
    series::{Sample, Signal},
    time::Minute,
    units::{Amount, QuotaKind, Share},
    worth::Worth,
};

use super::{Stage, scope, sonnet, verdict};

const CODE: &str = "L-22F701C5";
/// A code of the test's own: of the quota that all models share.
const SHARED: &str = "L-5A4ED000";

/// The pool takes 576,000,000 tokens a day of geo traffic, and its quota is 300,000,000, doubled for that.
fn stage(adjustable: bool) -> Stage {
    let mut stage = Stage::new(Mode::File);
    let mut pool = stage.book.pools.get(&sonnet()).unwrap().clone();
    let proof = "name and family match".to_owned();
    let code = QuotaCode::new(CODE);
    pool.mappings
        .insert(QuotaKind::Tpd, Mapping::Mapped { code, proof });
    let quota = Quota {
        scope: scope(),
        code: QuotaCode::new(CODE),
        name: "Model invocation max tokens per day for Anthropic Claude Sonnet 4.6 (doubled for cross-region calls)".to_owned(),
        applied: Amount::new(300_000_000.0),
        default: Amount::new(144_000_000.0),
        adjustable,
        read_at: stage.now,
        stale: None,
    };
    stage
        .book
        .apply(vec![Record::Pool(pool), Record::Quota(quota)]);
    stage
}

fn short(stage: &Stage, state: AlertState) -> Verdict {
    let code = QuotaCode::new(CODE);
    let mut on = verdict(&sonnet(), Category::Quota, state, stage.now);
    on.rule = RuleName::new("tpd-share-critical");
    on.quota = Some((QuotaKind::Tpd, code.clone()));
    on.reasons = vec![Reason::QuotaUse {
        kind: QuotaKind::Tpd,
        code,
        minute: Minute::of(stage.now),
        used: Amount::new(576_000_000.0).unwrap(),
        quota: Amount::new(600_000_000.0).unwrap(),
        is_default: false,
        above: Share::from_basis_points(9_500).unwrap(),
        bad: 3,
        of: 5,
    }];
    on
}

fn go(stage: &mut Stage, minutes: i64, state: AlertState) {
    stage.later(minutes);
    let verdict = short(stage, state);
    stage.step(&[verdict], &[]);
}

#[test]
fn what_service_quotas_raises_is_asked_there_by_whole_days() {
    let mut stage = stage(true);
    stage.step(&[short(&stage, AlertState::Alerting)], &[]);
    let [request] = stage.effects("request-quota")[..] else {
        panic!("{:?}", stage.decisions());
    };
    let Effect::RequestQuota {
        desired, context, ..
    } = &request.effect
    else {
        panic!("{:?}", request.effect);
    };
    // Half of 576,000,000, since geo traffic counts half, x 1.3 / 95 %, as people round it.
    assert_eq!(*desired, Amount::new(400_000_000.0).unwrap());
    assert!(
        context.contains("as far as observed: 288,000,000 at 2026-03-01 00:00 UTC"),
        "{context}"
    );
    assert!(
        context.contains("p50 / p90 of the days with use"),
        "{context}"
    );
}

/// What may be at AWS already, and what AWS does not take from this account, is not sent anew with the next day's incident.
#[test]
fn a_case_that_is_in_doubt_or_was_not_taken_is_not_opened_again_the_next_day() {
    for is_held in [true, false] {
        let mut stage = stage(false);
        go(&mut stage, 0, AlertState::Alerting);
        let [case] = stage.effects("open-case")[..] else {
            panic!("{:?}", stage.decisions());
        };
        let case = case.begun(stage.now);
        let why = "the desk said so".to_owned();
        let case = if is_held {
            case.held(why, stage.now)
        } else {
            case.after(&Outcome::Never { why }, stage.now)
        };
        stage.book.apply(vec![Record::Intent(case)]);
        go(&mut stage, 600, AlertState::Normal);
        go(&mut stage, 600, AlertState::Normal);
        go(&mut stage, 2 * 1_440, AlertState::Alerting);
        assert_eq!(stage.book.incidents.len(), 2, "held: {is_held}");
        assert_eq!(stage.effects("open-case").len(), 1, "held: {is_held}");
    }
}

#[test]
fn what_service_quotas_does_not_raise_is_asked_of_support_once() {
    let mut stage = stage(false);
    stage.step(&[short(&stage, AlertState::Alerting)], &[]);
    assert_eq!(stage.effects("request-quota").len(), 0);
    let [case] = stage.effects("open-case")[..] else {
        panic!("{:?}", stage.decisions());
    };
    let Effect::OpenCase { subject, body, .. } = &case.effect else {
        panic!("{:?}", case.effect);
    };
    insta::assert_snapshot!("raise_case", format!("{subject}\n\n{body}"));
    stage.perform_all();
    go(&mut stage, 1, AlertState::Alerting);
    stage.perform_all();
    go(&mut stage, 60, AlertState::Alerting);
    assert_eq!(stage.effects("open-case").len(), 1);
    // The day is over, and what was asked for is needed tomorrow all the same: nothing is taken back.
    go(&mut stage, 600, AlertState::Normal);
    go(&mut stage, 600, AlertState::Normal);
    assert_eq!(stage.effects("comment").len(), 0, "{:?}", stage.decisions());
    let closed = [DeskReading::Case {
        case: CaseId::new("case-1"),
        display: DisplayId::new("1234567890"),
        status: "resolved".to_owned(),
        is_answered: true,
    }];
    stage.later(60).step(&[], &closed);
    // Another day, another incident: what Support answered holds for a while.
    go(&mut stage, 1_440, AlertState::Alerting);
    assert_eq!(stage.book.incidents.len(), 2);
    assert_eq!(stage.effects("open-case").len(), 1);
    let decisions = stage.decisions().join("\n");
    assert!(
        decisions.contains("AWS Support closed the case about L-22F701C5"),
        "{decisions}"
    );
}

/// Of a doubled quota geo traffic takes half of what it counts; of what all models share, money is told. The day is the fuller
/// one.
#[test]
fn a_digest_tells_how_much_a_day_took_of_its_quota() {
    let mut stage = stage(true);
    share(&mut stage);
    stage.policy.digests = vec![Digest {
        receiver: ReceiverName::new("oncall"),
        at: Often::Daily(12 * 60),
        matcher: Matcher::default(),
        nothing: Nothing::Send,
    }];
    stage.step(&[], &[]);
    let [digest] = stage.effects("notify")[..] else {
        panic!("{:?}", stage.decisions());
    };
    let Effect::Notify { body, .. } = &digest.effect else {
        panic!("{:?}", digest.effect);
    };
    let daily = |line: &&str| line.contains(CODE) || line.contains(SHARED);
    let lines: Vec<&str> = body.lines().filter(daily).collect();
    insta::assert_snapshot!("digest", lines.join("\n"));
}

/// All models take 180 USD a day until now, and half of that today, of 100 million tokens that are worth 2 to 4 USD a million.
fn share(stage: &mut Stage) {
    let id = PoolId::of_account(&scope());
    let (code, proof) = (QuotaCode::new(SHARED), "name".to_owned());
    let pool = Pool {
        id: id.clone(),
        burndown: None,
        worth: Some(Worth {
            low: 2.0,
            high: 4.0,
            passed: None,
            stopped: None,
        }),
        mappings: [(QuotaKind::CrossModelTpd, Mapping::Mapped { code, proof })].into(),
    };
    let quota = Quota {
        code: QuotaCode::new(SHARED),
        name: "Cross-Model Max Tokens Per Day".to_owned(),
        applied: Amount::new(100_000_000.0),
        default: None,
        adjustable: false,
        ..stage
            .book
            .quotas
            .get(&(scope(), QuotaCode::new(CODE)))
            .unwrap()
            .clone()
    };
    let now = Minute::of(stage.now);
    let series = stage.book.series.entry(id).or_default();
    for hours in 1..=36 {
        let block = [Sample::Value(125_000.0); 60];
        series.restore(Signal::ChargedTokens, now.plus(-60 * hours).hour(), block);
    }
    stage
        .book
        .apply(vec![Record::Pool(pool), Record::Quota(quota)]);
}
