//! Where data may go: what is told of traffic that can leave, and what is neither asked nor advised for it.

use bedrock_ops_alert::{
    engine::{
        Kept, orphans,
        permits::ways_out,
        residency::{Law, Used, judge, ran},
    },
    model::{
        alert::{AlertState, Verdict},
        book::Record,
        catalog::{Family, Mapping, Pool, PoolId, Target, TargetKind},
        ids::{PrincipalArn, QuotaCode, Region, RuleName, TargetId},
        permit::{Denial, Denier, Permit, Permits, Ruling},
        policy::Mode,
        quota::Quota,
        ran::{Count, RanDay, place},
        residency::{Reach, Reaches, Residency},
        rule::{Category, Matcher, Pattern, Rules, Severity},
        tags::Wanted,
        time::{Minute, after},
        units::{Amount, QuotaKind},
    },
};
use std::collections::{BTreeMap, BTreeSet};

use super::{Stage, pool_id, scope, sonnet, verdict};

/// Data stays in the east of the United States.
pub(super) fn east() -> Residency {
    Residency {
        name: RuleName::new("residency-east"),
        matcher: Matcher::default(),
        tags: Wanted::default(),
        written: vec!["us-east-*".to_owned()],
        allowed: vec![Pattern::new("us-east-*")],
        is_anywhere: false,
        severity: Severity::Critical,
    }
}

/// The profile of the stage's pool leads to these Regions.
pub(super) fn lead(stage: &mut Stage, pool: &PoolId, regions: &[&str]) {
    let mut reaches: Reaches = stage
        .book
        .reaches
        .get(&scope())
        .cloned()
        .unwrap_or_default();
    let targets = stage.book.targets.values();
    let targets = targets.filter(|it| it.pool == *pool);
    for target in targets {
        let reach = Reach {
            regions: regions.iter().map(|it| Region::new(*it)).collect(),
            is_anywhere: false,
        };
        reaches.insert(target.id.clone(), reach);
    }
    stage.book.apply(vec![Record::Reaches(scope(), reaches)]);
}

fn judged(stage: &Stage, used: &[&str]) -> Vec<Verdict> {
    let used = used.iter().map(|it| TargetId::new(*it)).collect();
    let law = Law {
        rules: &stage.policy.residency,
        book: &stage.book,
    };
    judge(
        law,
        &Used::from([(sonnet(), used)]),
        &BTreeSet::from([sonnet()]),
    )
}

fn read_up_to_now(stage: &mut Stage) {
    let now = Minute::of(stage.now);
    stage.book.apply(vec![Record::ReadThrough(sonnet(), now)]);
}

const PROFILE: &str = "us.anthropic.claude-sonnet-4-6";

#[test]
fn traffic_that_can_leave_is_one_incident_and_nothing_is_asked_for_it() {
    let mut stage = Stage::new(Mode::File);
    stage.policy.residency = vec![east()];
    lead(
        &mut stage,
        &sonnet(),
        &["us-east-1", "us-east-2", "us-west-2"],
    );
    super::shortage(&mut stage);
    read_up_to_now(&mut stage);
    let leaving = judged(&stage, &[PROFILE]);
    let short = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    let both = |mut leaving: Vec<Verdict>| {
        leaving.push(short.clone());
        leaving
    };
    stage.step(&both(leaving), &[]);
    assert_eq!(stage.book.incidents.len(), 2);
    assert_eq!(stage.effects("notify").len(), 2);
    insta::assert_snapshot!("leaves", stage.message("[critical]"));
    assert_eq!(stage.effects("request-quota").len(), 0);
    assert_eq!(stage.effects("open-case").len(), 0);
    let decided = stage.decisions().join("; ");
    assert!(
        decided.contains("residency-east does not allow"),
        "{decided}"
    );
    // It goes on: nobody hears twice.
    read_up_to_now(stage.later(10));
    let leaving = judged(&stage, &[PROFILE]);
    stage.step(&both(leaving), &[]);
    assert_eq!(stage.effects("notify").len(), 2);
    // It ended an hour ago.
    read_up_to_now(stage.later(120));
    let over = judged(&stage, &[]);
    assert_eq!(over.len(), 1);
    stage.step(&over, &[]);
    insta::assert_snapshot!("leaves_no_more", stage.message("[resolved]"));
}

/// So many hours of the day before the stage's own were read, and so many of its requests ran in the west.
fn ran(stage: &mut Stage, days: i64, hours: u8, west: u64) {
    let way = |region: &str, requests| {
        let count = Count {
            requests,
            ..Count::default()
        };
        ((TargetId::new(PROFILE), Some(Region::new(region))), count)
    };
    let mut ways = BTreeMap::from([way("us-east-1", 100)]);
    if 0 < west {
        ways.extend([way("us-west-2", west)]);
    }
    let known = RanDay {
        hours: (0..hours).collect(),
        ways,
        bytes_scanned: 0,
    };
    let day = place(Minute::of(stage.now)).0 + days;
    stage.book.apply(vec![Record::Ran(scope(), day, known)]);
}

fn left(stage: &Stage) -> Vec<Verdict> {
    ran::judge(Law {
        rules: &stage.policy.residency,
        book: &stage.book,
    })
}

/// That a profile may leave is one incident, that its requests left is another; each is told once, and each ends by its own
/// evidence.
#[test]
fn requests_that_ran_outside_are_an_incident_of_their_own() {
    let mut stage = Stage::new(Mode::File);
    stage.policy.residency = vec![east()];
    lead(&mut stage, &sonnet(), &["us-east-1", "us-west-2"]);
    read_up_to_now(&mut stage);
    stage.step(&judged(&stage, &[PROFILE]), &[]);
    assert_eq!(stage.effects("notify").len(), 1);
    ran(&mut stage, -1, 20, 31);
    stage.step(&left(&stage), &[]);
    assert_eq!(stage.book.incidents.len(), 2);
    assert_eq!(stage.effects("notify").len(), 2);
    insta::assert_snapshot!("ran_outside", stage.message("[critical] requests ran"));
    // More of the same, an hour on: nobody hears twice.
    ran(&mut stage, -1, 24, 62);
    stage.later(60);
    stage.step(&left(&stage), &[]);
    assert_eq!(stage.effects("notify").len(), 2);
    assert_eq!(stage.effects("request-quota").len(), 0);
    assert_eq!(stage.effects("open-case").len(), 0);
    // The whole day after is clean.
    ran(&mut stage, 0, 24, 0);
    stage.later(1_440);
    stage.step(&left(&stage), &[]);
    insta::assert_snapshot!(
        "ran_outside_no_more",
        stage.message("[resolved] requests ran")
    );
    assert!(left(&stage).is_empty());
}

/// Without the log nothing can end it: it ends with that reason.
#[test]
fn an_incident_whose_log_is_no_longer_read_ends() {
    let mut stage = Stage::new(Mode::Observe);
    stage.policy.residency = vec![east()];
    ran(&mut stage, -1, 24, 31);
    stage.step(&left(&stage), &[]);
    let rules = Rules::default();
    let logs = BTreeMap::from([(scope().account, "/logs".to_owned())]);
    let kept = |logs| Kept {
        residency: &stage.policy.residency,
        logs,
        places: None,
    };
    assert_eq!(orphans(&rules, kept(Some(&logs)), &stage.book), []);
    let gone = orphans(&rules, kept(None), &stage.book);
    assert_eq!(gone.len(), 1);
    assert!(gone[0].1.contains("no longer read"), "{gone:?}");
    let places = BTreeSet::new();
    let elsewhere = Kept {
        places: Some(&places),
        ..kept(Some(&logs))
    };
    let gone = orphans(&rules, elsewhere, &stage.book);
    assert!(gone[0].1.contains("no longer watched"), "{gone:?}");
}

/// A rule that everything keeps changes nothing.
#[test]
fn what_stays_is_asked_for_as_without_a_rule() {
    let mut stage = Stage::new(Mode::File);
    stage.policy.residency = vec![east()];
    lead(&mut stage, &sonnet(), &["us-east-1", "us-east-2"]);
    super::shortage(&mut stage);
    read_up_to_now(&mut stage);
    assert_eq!(judged(&stage, &[PROFILE]), Vec::new());
    let short = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[short], &[]);
    assert_eq!(stage.effects("request-quota").len(), 1);
}

/// The same model through a `global.` profile has all the room in the world.
pub(super) fn with_room_elsewhere() -> (Stage, PoolId) {
    let mut stage = Stage::new(Mode::Observe);
    let id = "global.anthropic.claude-sonnet-4-6";
    let elsewhere = add_room(&mut stage, Family::Global, id, ("L-61080001", 5_000_000.0));
    let from = Minute::of(stage.now).plus(-8);
    stage.feed(&sonnet(), from, &[(600.0, 60.0, 990_000.0); 8]);
    (stage, elsewhere)
}

/// A pool of the same model with little traffic under this quota.
fn add_room(stage: &mut Stage, family: Family, id: &str, quota: (&str, f64)) -> PoolId {
    let elsewhere = PoolId {
        family,
        ..pool_id("anthropic.claude-sonnet-4-6")
    };
    let (code, applied) = quota;
    let code = QuotaCode::new(code);
    let proof = "name and family match".to_owned();
    let mapped = Mapping::Mapped {
        code: code.clone(),
        proof,
    };
    let pool = Pool {
        id: elsewhere.clone(),
        burndown: Some(5.0),
        worth: None,
        mappings: BTreeMap::from([(QuotaKind::Tpm, mapped), (QuotaKind::Rpm, Mapping::Absent)]),
    };
    let target = Target {
        id: TargetId::new(id),
        kind: TargetKind::SystemProfile,
        pool: elsewhere.clone(),
        first_seen: stage.now,
    };
    let quota = stage.book.quotas.values().next().unwrap().clone();
    let quota = Quota {
        code,
        applied: Amount::new(applied),
        ..quota
    };
    stage.book.apply(vec![
        Record::Pool(pool),
        Record::Target(target),
        Record::Quota(quota),
    ]);
    let now = Minute::of(stage.now);
    stage.feed(
        &elsewhere,
        now.plus(-1_440),
        &[(30.0, 0.0, 40_000.0); 1_440],
    );
    elsewhere
}

#[test]
fn no_text_names_a_way_that_leaves() {
    let told = |rule: Option<Residency>| {
        let (mut stage, _) = with_room_elsewhere();
        stage.policy.residency.extend(rule);
        let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
        stage.step(&[on], &[]);
        stage.message("[warning]")
    };
    let free = told(None);
    insta::assert_snapshot!("room_elsewhere", free);
    let bound = told(Some(east()));
    assert!(!bound.contains("global"), "{bound}");
}

/// With a rule that allows it, the profile is named, with the room that it has.
#[test]
fn a_way_out_within_the_rules_is_named_with_its_numbers() {
    let (mut stage, elsewhere) = with_room_elsewhere();
    stage.policy.residency = vec![east()];
    lead(&mut stage, &sonnet(), &["us-east-1"]);
    lead(&mut stage, &elsewhere, &["us-east-1", "us-east-2"]);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(std::slice::from_ref(&on), &[]);
    let told = stage.message("[warning]");
    let line = "global in us-east-1: 40,000 of the 5,000,000 tokens a minute (1 %), 0 requests refused there, by `global.anthropic.claude-sonnet-4-6`";
    assert!(told.lines().any(|it| it.ends_with(line)), "{told}");
    assert!(told.contains("within your rules of residency"), "{told}");
    // Half of its day is not known: nothing is said of it.
    let (mut stage, elsewhere) = with_room_elsewhere();
    let now = Minute::of(stage.now);
    stage.book.series.remove(&elsewhere);
    stage.feed(&elsewhere, now.plus(-600), &[(30.0, 0.0, 40_000.0); 600]);
    stage.step(&[on], &[]);
    let told = stage.message("[warning]");
    assert!(!told.contains("Room for this model elsewhere"), "{told}");
}

fn caller(name: &str) -> PrincipalArn {
    PrincipalArn::new(format!("arn:aws:iam::111122223333:{name}"))
}

fn permit(denied: Option<(Denier, &str)>) -> Permit {
    let ruling = denied.map_or(Ruling::Allowed, |(by, region)| {
        Ruling::Denied(Denial {
            by,
            resource: format!(
                "arn:aws:bedrock:{region}::foundation-model/anthropic.claude-sonnet-4-6"
            ),
            policy: None,
            missing: Vec::new(),
        })
    });
    Permit {
        call: ruling.clone(),
        stream: ruling,
    }
}

/// What a way is to the role `app` and to the role `batch`, and how many hours ago that was asked.
type Asked<'a> = (&'a str, [Permit; 2], i64);

/// The ways out as they are told, with two pools that have room: most of it behind the global profile.
fn told_of(asked: &[Asked<'_>], callers: &[PrincipalArn]) -> String {
    let (mut stage, _) = with_room_elsewhere();
    add_room(
        &mut stage,
        Family::OnDemand,
        HERE,
        ("L-61080002", 300_000.0),
    );
    stage.policy.callers = BTreeMap::from([(scope().account, callers.to_vec())]);
    for (way, permits, hours) in asked {
        let by_caller = both().into_iter().zip(permits.clone());
        let permits = Permits {
            by_caller: by_caller.collect(),
            asked_at: after(stage.now, -60 * hours),
        };
        let record = Record::Permits(scope(), TargetId::new(*way), permits);
        stage.book.apply(vec![record]);
    }
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    let told = stage.message("[warning]");
    let lines = told.lines().filter(|it| it.contains("refused there"));
    lines.collect::<Vec<_>>().join("\n")
}

const HERE: &str = "anthropic.claude-sonnet-4-6";
const GLOBAL: &str = "global.anthropic.claude-sonnet-4-6";

fn both() -> [PrincipalArn; 2] {
    [caller("role/app"), caller("role/batch")]
}

/// Beside each way stands whether those who are named may use it, and the most room is of no use behind a denial for all.
#[test]
fn a_way_that_callers_are_denied_is_marked_and_comes_last() {
    let unasked = told_of(&[], &both());
    let by_scp = || permit(Some((Denier::Organization, "")));
    let west = || permit(Some((Denier::Nothing, "us-west-2")));
    let here = || (HERE, [permit(None), west()], 1);
    let closed = [(GLOBAL, [by_scp(), by_scp()], 1), here()];
    let fresh = told_of(&closed, &both());
    // One of them may: the room counts again; and the answer is old.
    let open = [(GLOBAL, [permit(None), by_scp()], 72), here()];
    let old = told_of(&open, &both());
    insta::assert_snapshot!("callers", format!("{unasked}\n\n{fresh}\n\n{old}"));
    // Who is named no more is not spoken of, and closes nothing.
    let nobody = told_of(&closed, &[]);
    assert!(!nobody.contains("role"), "{nobody}");
    assert!(nobody.contains("last day: global"), "{nobody}");
}

/// Ways are asked about for the pools that are short, and not for others.
#[test]
fn ways_out_are_those_of_the_same_model_within_the_rules() {
    let (mut stage, elsewhere) = with_room_elsewhere();
    let ways = |stage: &Stage, short: &PoolId| {
        let law = Law {
            rules: &stage.policy.residency,
            book: &stage.book,
        };
        let short = BTreeSet::from([short.clone()]);
        let ways = ways_out(law, &stage.policy.callers, &short);
        let ways = ways.into_values().flatten();
        ways.map(|it| it.to_string()).collect::<Vec<_>>()
    };
    assert!(ways(&stage, &sonnet()).is_empty(), "nobody is named");
    let account = scope().account;
    stage.policy.callers = BTreeMap::from([(account, vec![caller("role/app")])]);
    assert_eq!(
        ways(&stage, &sonnet()),
        ["global.anthropic.claude-sonnet-4-6"]
    );
    assert_eq!(ways(&stage, &elsewhere), [PROFILE]);
    assert!(ways(&stage, &pool_id("amazon.nova-pro-v1:0")).is_empty());
    stage.policy.residency = vec![east()];
    lead(&mut stage, &elsewhere, &["us-east-1", "eu-west-1"]);
    assert!(ways(&stage, &sonnet()).is_empty());
}
