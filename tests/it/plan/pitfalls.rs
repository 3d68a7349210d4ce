//! Faults that tools for this job had, and that ours must not have. `docs/pitfalls.md` lists all of them with their tests;
//! here are those that no test of a behaviour covers by itself.

use bedrock_ops_alert::model::{
    action::{Effect, Intent, IntentState},
    alert::{AlertState, Verdict},
    book::Record,
    catalog::{Mapping, PoolId},
    desk::{AskEnd, DeskReading, RequestStatus},
    ids::{QuotaCode, RequestId, RuleName},
    incident::Scenario,
    outcome::Outcome,
    policy::Mode,
    quota::Quota,
    rule::{Category, Remedy, Severity},
    series::PoolSeries,
    time::{DAY, Minute},
    units::{Amount, QuotaKind},
};

use super::{CODE, Stage, pool_id, shortage, sonnet, verdict};

const RPM_CODE: &str = "L-RPM00001";

/// The same pool, short of requests as well as of tokens.
fn short_of_both() -> (Stage, [Verdict; 2]) {
    let mut stage = Stage::new(Mode::File);
    let mut pool = stage.book.pools.get(&sonnet()).unwrap().clone();
    let code = QuotaCode::new(RPM_CODE);
    let proof = "name and family match".to_owned();
    pool.mappings
        .insert(QuotaKind::Rpm, Mapping::Mapped { code, proof });
    let tokens = stage.book.quotas.values().next().unwrap().clone();
    let requests = Quota {
        code: QuotaCode::new(RPM_CODE),
        applied: Amount::new(640.0),
        default: Amount::new(500.0),
        ..tokens
    };
    stage
        .book
        .apply(vec![Record::Pool(pool), Record::Quota(requests)]);
    shortage(&mut stage);
    let of_tokens = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    let of_requests = Verdict {
        rule: RuleName::new("rpm-share"),
        quota: Some((QuotaKind::Rpm, QuotaCode::new(RPM_CODE))),
        ..of_tokens.clone()
    };
    (stage, [of_tokens, of_requests])
}

/// Codes of what is asked, sorted.
fn asked(stage: &Stage) -> Vec<&str> {
    let requests = stage.effects("request-quota").into_iter();
    let codes = requests.filter_map(|it| match &it.effect {
        Effect::RequestQuota { code, .. } => Some(code.as_str()),
        _ => None,
    });
    let mut codes: Vec<&str> = codes.collect();
    codes.sort_unstable();
    codes
}

fn only(stage: &Stage, effect: &str) -> Intent {
    let all = stage.effects(effect);
    assert_eq!(all.len(), 1, "{effect}: {:#?}", stage.decisions());
    all.first().copied().unwrap().clone()
}

/// Row 9.
#[test]
fn each_quota_that_runs_short_is_asked_for_whatever_becomes_of_the_others() {
    let (mut stage, on) = short_of_both();
    stage.step(&on, &[]);
    assert_eq!(asked(&stage), [CODE, RPM_CODE]);
    // The first one can't be raised: the second is asked for all the same.
    let (mut stage, on) = short_of_both();
    let key = (sonnet().scope, QuotaCode::new(CODE));
    let fixed = Quota {
        adjustable: false,
        ..stage.book.quotas[&key].clone()
    };
    stage.book.apply(vec![Record::Quota(fixed)]);
    stage.step(&on, &[]);
    assert_eq!(asked(&stage), [RPM_CODE]);
    // AWS refuses the first one: the second goes out all the same.
    let (mut stage, on) = short_of_both();
    stage.step(&on, &[]);
    let mut requests = stage.effects("request-quota").into_iter();
    let first = requests.find(|it| it.step.contains(CODE)).unwrap().clone();
    let refused = Outcome::Never {
        why: "refused".to_owned(),
    };
    let first = first.begun(stage.now).after(&refused, stage.now);
    stage.book.apply(vec![Record::Intent(first)]);
    stage.later(1).step(&on, &[]);
    let due = stage.effects("request-quota").into_iter();
    let due: Vec<&str> = due
        .filter(|it| it.due(stage.now).is_some())
        .map(|it| it.step.as_str())
        .collect();
    assert_eq!(due, [format!("request/{RPM_CODE}/1")]);
    // And what AWS does not take is not sent again every minute.
    for (days, requests) in [(6, 2), (1, 3)] {
        stage.later(days * DAY);
        stage.set_quota(1_000_000.0);
        shortage(&mut stage);
        let again = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
        stage.step(&[again], &[]);
        assert_eq!(asked(&stage).len(), requests, "{:#?}", stage.decisions());
    }
}

/// Row 10.
#[test]
fn what_can_not_be_raised_is_not_asked_and_a_full_desk_opens_no_case() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let key = (sonnet().scope, QuotaCode::new(CODE));
    let quota = stage.book.quotas[&key].clone();
    let fixed = Quota {
        adjustable: false,
        ..quota.clone()
    };
    stage.book.apply(vec![Record::Quota(fixed)]);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(std::slice::from_ref(&on), &[]);
    assert_eq!(asked(&stage), Vec::<&str>::new());
    assert_eq!(
        stage.effects("open-case").len(),
        1,
        "Support can do it, and is asked once"
    );

    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    stage.step(std::slice::from_ref(&on), &[]);
    let full = Outcome::NotYet {
        wait_minutes: 60,
        why: "QuotaExceededException".to_owned(),
    };
    let request = only(&stage, "request-quota");
    let waits = request.begun(stage.now).after(&full, stage.now);
    stage.book.apply(vec![Record::Intent(waits)]);
    stage.later(30).step(&[on], &[]);
    assert!(
        stage.effects("open-case").is_empty(),
        "a case raises no limit"
    );
    let request = only(&stage, "request-quota");
    assert!(
        matches!(request.state, IntentState::Planned { .. }),
        "it waits for room: {:?}",
        request.state
    );
}

/// Row 11: throttling at the quota asks for more of it, throttling far below it is looked into, and what is merely
/// unusual asks nobody for anything, whatever its rule says.
#[test]
fn what_is_merely_unusual_asks_aws_for_nothing() {
    for remedy in Remedy::ALL {
        for category in [Category::Anomaly, Category::Lifecycle] {
            let mut stage = Stage::new(Mode::File);
            shortage(&mut stage);
            let on = verdict(&sonnet(), category, AlertState::Alerting, stage.now);
            stage.step(&[Verdict { remedy, ..on }], &[]);
            assert_eq!(stage.book.incidents.len(), 1, "people hear of it");
            assert_eq!(asked(&stage), Vec::<&str>::new());
            let name = category.name();
            assert!(stage.effects("open-case").is_empty(), "{remedy:?} {name}");
        }
    }
}

/// Row 12: bodies that are invalid and Regions that a policy denies are no lack of quota, even with the quota used up.
#[test]
fn client_errors_ask_for_no_quota() {
    let mut stage = Stage::new(Mode::File);
    let from = Minute::of(stage.now).plus(-8);
    stage.feed(&sonnet(), from, &[(600.0, 0.0, 1_100_000.0); 8]);
    for category in [Category::ClientError, Category::ServerError] {
        let on = verdict(&sonnet(), category, AlertState::Alerting, stage.now);
        stage.step(&[on], &[]);
    }
    assert_eq!(stage.book.incidents.len(), 2);
    assert_eq!(asked(&stage), Vec::<&str>::new());
}

/// A pool that was first used so many minutes ago, zeros before that for so many days, and is short now.
fn used_since(minutes: i64, days: i64) -> Stage {
    let mut stage = Stage::new(Mode::File);
    stage.book.series.insert(sonnet(), PoolSeries::default());
    let now = Minute::of(stage.now);
    let quiet = usize::try_from(days * DAY - minutes).unwrap();
    let used = usize::try_from(minutes).unwrap();
    stage.feed(
        &sonnet(),
        now.plus(-days * DAY),
        &vec![(0.0, 0.0, 0.0); quiet],
    );
    stage.feed(
        &sonnet(),
        now.plus(-minutes),
        &vec![(600.0, 0.0, 900_000.0); used],
    );
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    stage
}

fn scenario(stage: &Stage) -> Option<Scenario> {
    stage.book.incidents.values().next().unwrap().scenario
}

/// Row 16: a high peak makes no old model, and zeros before the first request are no history of use.
#[test]
fn a_model_is_new_by_the_age_of_its_first_use() {
    let new = used_since(2 * DAY, 14);
    assert_eq!(scenario(&new), Some(Scenario::NewModel));
    let old = used_since(4 * DAY, 14);
    assert_eq!(scenario(&old), Some(Scenario::HighUsage));
}

/// Row 16: minutes that never were read are no time without use.
#[test]
fn a_model_is_not_called_new_for_a_past_that_was_not_read() {
    let stage = used_since(2 * DAY, 2);
    assert_eq!(scenario(&stage), Some(Scenario::HighUsage));
    let [request] = stage.effects("request-quota")[..] else {
        panic!("{:#?}", stage.decisions());
    };
    let Effect::RequestQuota { context, .. } = &request.effect else {
        panic!("another effect");
    };
    assert!(!context.contains("new-model"), "{context}");
    let said = "since when the model is used is not known";
    assert!(context.contains(said), "{context}");
}

/// Row 17.
#[test]
fn a_refusal_is_told_and_asked_again_only_after_a_while() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(std::slice::from_ref(&on), &[]);
    stage.perform_all();
    stage.later(1).step(std::slice::from_ref(&on), &[]);
    let denied = [DeskReading::Request {
        request: RequestId::new("req-1"),
        status: RequestStatus::Denied,
        display: None,
    }];
    stage.later(60).step(&[], &denied);
    let ends = stage.book.asks.values().filter_map(|it| it.end.as_ref());
    assert_eq!(
        ends.map(|(end, _)| end).collect::<Vec<_>>(),
        [&AskEnd::Denied]
    );
    let told = stage.message("[not granted]");
    assert!(told.contains("the value did not change"), "{told}");
    for (days, requests) in [(6, 1), (1, 2)] {
        stage.later(days * DAY);
        stage.set_quota(1_000_000.0);
        shortage(&mut stage);
        let again = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
        stage.step(&[again], &[]);
        assert_eq!(asked(&stage).len(), requests, "{:#?}", stage.decisions());
    }
}

/// Row 22: `…opus-4` stands at the beginning of `…opus-4-6`.
#[test]
fn names_that_begin_alike_are_kept_apart() {
    let mut stage = Stage::new(Mode::File);
    let [short, long] = ["anthropic.claude-opus-4", "anthropic.claude-opus-4-6"].map(pool_id);
    for (pool, code) in [(&short, "L-0000000A"), (&long, "L-0000000B")] {
        stage.add_pool(pool);
        let code = QuotaCode::new(code);
        let mut known = stage.book.pools[pool].clone();
        let proof = "name and family match".to_owned();
        let mapped = Mapping::Mapped {
            code: code.clone(),
            proof,
        };
        known.mappings.insert(QuotaKind::Tpm, mapped);
        let quota = stage.book.quotas.values().next().unwrap().clone();
        let quota = Quota { code, ..quota };
        stage
            .book
            .apply(vec![Record::Pool(known), Record::Quota(quota)]);
        let from = Minute::of(stage.now).plus(-8);
        stage.feed(pool, from, &[(600.0, 0.0, 900_000.0); 8]);
    }
    let of = |pool: &PoolId, code: &str, category: Category, stage: &Stage| {
        let on = verdict(pool, category, AlertState::Alerting, stage.now);
        let quota = on
            .quota
            .as_ref()
            .map(|(kind, _)| (*kind, QuotaCode::new(code)));
        Verdict { quota, ..on }
    };
    let of_long = of(&long, "L-0000000B", Category::Quota, &stage);
    stage.step(&[of_long], &[]);
    stage.perform_all();
    let of_short = of(&short, "L-0000000A", Category::Quota, &stage);
    stage.later(1).step(&[of_short], &[]);
    assert_eq!(asked(&stage), ["L-0000000A", "L-0000000B"]);
    for pool in [&long, &short] {
        let on = of(pool, "", Category::ServerError, &stage);
        let remedy = Remedy::Investigate;
        stage.later(1).step(&[Verdict { remedy, ..on }], &[]);
    }
    assert_eq!(stage.book.incidents.len(), 4);
    assert_eq!(stage.effects("open-case").len(), 2);
}

/// Row 26: what was to be added to a case and was refused is told as not added.
#[test]
fn an_addition_to_a_case_that_failed_is_told_as_failed() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let on = verdict(
        &sonnet(),
        Category::ServerError,
        AlertState::Alerting,
        stage.now,
    );
    let remedy = Remedy::Investigate;
    stage.step(&[Verdict { remedy, ..on }], &[]);
    stage.perform_all();
    stage.later(1).step(&[], &[]);
    let over = verdict(
        &sonnet(),
        Category::ServerError,
        AlertState::Normal,
        stage.now,
    );
    stage.later(40).step(&[over], &[]);
    stage.later(180).step(&[], &[]);
    let refused = Outcome::Never {
        why: "the comment was refused: the case is closed".to_owned(),
    };
    let comment = only(&stage, "comment");
    let comment = comment.begun(stage.now).after(&refused, stage.now);
    stage.book.apply(vec![Record::Intent(comment)]);
    stage.later(1).step(&[], &[]);
    let told = stage.message("[not done]");
    assert!(told.contains("the case is closed"), "{told}");
}

/// Row 21: what is in doubt is not done again, and people hear of it once where no look settles it.
#[test]
fn a_case_that_no_look_finds_or_rules_out_is_told_once() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let on = verdict(
        &sonnet(),
        Category::ServerError,
        AlertState::Alerting,
        stage.now,
    );
    let remedy = Remedy::Investigate;
    stage.step(&[Verdict { remedy, ..on }], &[]);
    let lost = |why: &str| Outcome::InDoubt {
        why: why.to_owned(),
    };
    let case = only(&stage, "open-case").begun(stage.now);
    let case = case.after(&lost("AWS answered 500"), stage.now);
    stage.book.apply(vec![Record::Intent(case)]);
    stage.later(59).step(&[], &[]);
    let told = |stage: &Stage| {
        let words = super::flap::words(stage);
        words.iter().filter(|it| *it == "in doubt").count()
    };
    assert_eq!(told(&stage), 0, "two looks settle most of it");
    for minutes in [1, 1, 600] {
        stage.later(minutes).step(&[], &[]);
        assert_eq!(told(&stage), 1);
    }
    insta::assert_snapshot!("in_doubt", stage.message("[in doubt]"));
}

/// Row 30: what people are to hear waits for no desk. Message and request are decided in one go, and the message is due
/// while AWS has not answered yet.
#[test]
fn people_hear_before_aws_answers() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(std::slice::from_ref(&on), &[]);
    let request = only(&stage, "request-quota");
    assert_eq!(request.created, only(&stage, "notify").created);
    stage
        .book
        .apply(vec![Record::Intent(request.begun(stage.now))]);
    stage.later(1).step(&[on], &[]);
    assert!(only(&stage, "notify").due(stage.now).is_some());
}

/// Row 34: of two alerts of one incident, the worse one takes neither the other's numbers nor its own category away.
#[test]
fn what_is_worst_hides_no_other_reason() {
    let mut stage = Stage::new(Mode::File);
    let from = Minute::of(stage.now).plus(-8);
    stage.feed(&sonnet(), from, &[(600.0, 60.0, 990_000.0); 8]);
    let refused = Verdict {
        severity: Severity::Critical,
        ..verdict(
            &sonnet(),
            Category::Throttle,
            AlertState::Alerting,
            stage.now,
        )
    };
    let used = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[refused.clone(), used.clone()], &[]);
    let told = stage.message("[critical]");
    for reason in refused.reasons.iter().chain(&used.reasons) {
        assert!(told.contains(&reason.to_string()), "{reason}\n{told}");
    }
    let Effect::RequestQuota { context, .. } = only(&stage, "request-quota").effect else {
        panic!("a request");
    };
    for reason in refused.reasons.iter().chain(&used.reasons) {
        assert!(context.contains(&reason.to_string()), "{reason}\n{context}");
    }
}

/// What may be explained by a quota that was not read yet is no question for Support; that its list can't be read says nothing.
#[test]
fn refusals_are_not_investigated_before_the_quotas_are_known() {
    let mut stage = Stage::new(Mode::File);
    let known = stage.book.pools[&sonnet()].clone();
    let mut unread = known.clone();
    unread.mappings.insert(QuotaKind::Tpm, Mapping::Unknown);
    stage.book.apply(vec![Record::Pool(unread)]);
    let on = |stage: &mut Stage, minutes: i64| {
        stage.later(minutes);
        let from = Minute::of(stage.now).plus(-8);
        stage.feed(&sonnet(), from, &[(100.0, 40.0, 100_000.0); 8]);
        let alert = AlertState::Alerting;
        let on = verdict(&sonnet(), Category::Throttle, alert, stage.now);
        stage.step(&[on], &[]);
        stage.effects("open-case").len()
    };
    assert_eq!(on(&mut stage, 0), 0);
    assert_eq!(on(&mut stage, 60), 0, "however long it takes");
    let incident = stage.book.incidents.values().next().unwrap();
    let why = incident.refusal.as_ref().map(|it| it.why.clone());
    assert!(
        why.as_ref()
            .is_some_and(|it| it.contains("are not read yet")),
        "{why:?}"
    );
    stage.book.apply(vec![Record::Pool(known)]);
    assert_eq!(
        on(&mut stage, 1),
        1,
        "far below the only quota that there is"
    );
}

/// Row 32.
#[test]
fn a_level_is_the_least_that_is_heard() {
    let heard = |least: Severity| {
        let mut stage = Stage::new(Mode::Observe);
        for route in &mut stage.policy.routes {
            route.least = least;
        }
        shortage(&mut stage);
        let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
        let severity = Severity::Critical;
        stage.step(&[Verdict { severity, ..on }], &[]);
        stage.effects("notify").len()
    };
    for least in [Severity::Info, Severity::Warning, Severity::Critical] {
        assert_eq!(heard(least), 1, "{}", least.name());
    }
}
