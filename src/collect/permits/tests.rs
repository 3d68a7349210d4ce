//! What a way needs, what the answers come to, and how often IAM is asked.

use super::*;
use crate::{
    collect::fake::{Fake, scope},
    model::{
        catalog::{Family, PoolId},
        ids::{ModelId, Region},
        residency::Reaches,
    },
};

const APP: &str = "arn:aws:iam::111122223333:role/app";

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn target(id: &str, kind: TargetKind, family: Family) -> Target {
    Target {
        id: TargetId::new(id),
        kind,
        pool: PoolId {
            scope: scope(),
            family,
            model: ModelId::new("a.m"),
        },
        first_seen: now(),
    }
}

fn reach(regions: &[&str], is_anywhere: bool) -> Reach {
    Reach {
        regions: regions.iter().map(|it| Region::new(*it)).collect(),
        is_anywhere,
    }
}

/// What is asked, one line a need: the resource, and the context.
fn needed(target: &Target, reach: Option<&Reach>) -> String {
    let needs = needs("aws", target, reach).unwrap();
    let lines = needs.iter().map(|it| {
        let context = it
            .context
            .iter()
            .map(|(key, value)| format!("{key}={value}"));
        let context: Vec<String> = context.collect();
        format!("{}\n  {}", it.resource, context.join("\n  "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_request_needs_the_profile_and_the_model_wherever_it_may_be_answered() {
    let base = target("a.m", TargetKind::Base, Family::OnDemand);
    let geo = target("us.a.m", TargetKind::SystemProfile, Family::Geo);
    let global = target("global.a.m", TargetKind::SystemProfile, Family::Global);
    let name = "search".to_owned();
    let own = target(
        "abc123def456",
        TargetKind::ApplicationProfile { name },
        Family::Geo,
    );
    let us = reach(&["us-east-1", "us-west-2"], false);
    let all = [
        needed(&base, None),
        needed(&geo, Some(&us)),
        // The Region that is called is authorised, though nothing may be answered there.
        needed(&geo, Some(&reach(&["us-west-2"], false))),
        needed(&global, Some(&reach(&["us-east-1", "eu-west-1"], true))),
        needed(&own, Some(&us)),
    ];
    insta::assert_snapshot!("needs", all.join("\n\n"));
    assert_eq!(needs("aws", &geo, None), None);
    let china = needs("aws-cn", &base, None).unwrap();
    assert!(china[0].resource.starts_with("arn:aws-cn:bedrock:"));
}

fn said(action: &str, decision: Decision) -> Simulated {
    Simulated {
        action: action.to_owned(),
        decision,
        by_organization: Some(true),
        by_boundary: None,
        policies: Vec::new(),
        missing: Vec::new(),
    }
}

#[test]
fn who_denies_is_told_from_the_answer() {
    let of = |it: Simulated| match ruling(&it.action, "r", std::slice::from_ref(&it)) {
        Ruling::Allowed => "allowed".to_owned(),
        Ruling::Denied(it) => format!("{:?} {:?} {:?}", it.by, it.policy, it.missing),
        Ruling::Unknown { why } => why,
    };
    let action = ACTIONS[0];
    let deny = |decision| said(action, decision);
    let implicit = Simulated {
        missing: ["aws:RequestedRegion", "aws:SourceVpce", "b", "c", "d"]
            .map(str::to_owned)
            .to_vec(),
        ..deny(Decision::ImplicitDeny)
    };
    let explicit = Simulated {
        policies: vec!["guard".to_owned()],
        missing: implicit.missing.clone(),
        ..deny(Decision::ExplicitDeny)
    };
    let by_scp = Simulated {
        by_organization: Some(false),
        by_boundary: Some(false),
        ..explicit.clone()
    };
    let by_boundary = Simulated {
        by_boundary: Some(false),
        ..implicit.clone()
    };
    let kept_out = Simulated {
        by_organization: Some(false),
        ..deny(Decision::Allowed)
    };
    let told = [
        deny(Decision::Allowed),
        kept_out,
        implicit,
        explicit,
        by_scp,
        by_boundary,
        deny(Decision::Other("maybe".to_owned())),
    ]
    .map(of);
    assert_eq!(
        told,
        [
            "allowed",
            "Organization None []",
            "Nothing None [\"aws:SourceVpce\", \"b\", \"c\"]",
            "Policy Some(\"guard\") []",
            "Organization Some(\"guard\") []",
            "Boundary None []",
            "IAM says `maybe`",
        ]
    );
    let lacking = ruling(ACTIONS[1], "r", &[deny(Decision::Allowed)]);
    assert!(matches!(lacking, Ruling::Unknown { .. }));
}

/// Two profiles in one Region, both of which lead to two.
struct Run {
    fake: Fake,
    book: Book,
    wanted: Wanted,
    tried: Tried,
}

impl Run {
    fn new(ways: usize) -> Self {
        let mut book = Book::default();
        let mut reaches = Reaches::default();
        let ids: Vec<TargetId> = (0..ways)
            .map(|it| TargetId::new(format!("us{it}.a.m")))
            .collect();
        for id in &ids {
            reaches.insert(id.clone(), reach(&["us-east-1", "us-west-2"], false));
            let target = target(id.as_str(), TargetKind::SystemProfile, Family::Geo);
            book.apply(vec![Record::Target(target)]);
        }
        book.apply(vec![Record::Reaches(scope(), reaches)]);
        Self {
            fake: Fake::default(),
            book,
            wanted: Wanted {
                ways: ids,
                callers: vec![PrincipalArn::new(APP)],
            },
            tried: Tried::default(),
        }
    }

    /// One round, so many minutes later: requests that were made, pages included, and faults.
    async fn round(&mut self, minutes: i64) -> (usize, usize) {
        let calls = self.fake.calls.lock().unwrap().len();
        let (scope, at) = (scope(), after(now(), minutes));
        let asked = ask_permits(
            &self.fake,
            &scope,
            &self.wanted,
            &self.book,
            &mut self.tried,
            at,
        )
        .await;
        let faults = asked.as_ref().map_or(0, |it| it.faults.len());
        self.book.apply(asked.map_or_else(Vec::new, |it| it.found));
        (self.fake.calls.lock().unwrap().len() - calls, faults)
    }

    fn permit(&self) -> &Permit {
        let permits = self.book.permits.values().next().unwrap();
        &permits.by_caller[&PrincipalArn::new(APP)]
    }
}

/// Three needs of two pages each.
const A_WAY: usize = 6;

#[tokio::test]
async fn an_open_way_is_asked_about_daily_and_a_closed_one_hourly() {
    let mut run = Run::new(1);
    assert_eq!(run.round(0).await, (A_WAY, 0));
    assert_eq!(run.permit().call, Ruling::Allowed);
    assert_eq!(run.round(DAY - 1).await, (0, 0));
    // The second Region is denied for one of the actions, and the first denial is the one that is kept.
    let west = "arn:aws:bedrock:us-west-2::foundation-model/a.m";
    let [call, stream] = ACTIONS;
    let answer = vec![
        said(call, Decision::Allowed),
        said(stream, Decision::ImplicitDeny),
    ];
    run.fake.simulated.insert(west.to_owned(), answer);
    assert_eq!(run.round(DAY).await, (A_WAY, 0));
    assert_eq!(run.permit().call, Ruling::Allowed);
    assert!(matches!(&run.permit().stream, Ruling::Denied(it) if it.resource == west));
    assert_eq!(run.round(DAY + 59).await, (0, 0));
    run.fake.simulated.clear();
    assert_eq!(run.round(DAY + 60).await, (A_WAY, 0));
    assert!(!run.permit().stream.is_denied());
    // A new caller is asked about at once, beside the known one.
    let other = PrincipalArn::new("arn:aws:iam::111122223333:user/ci");
    run.wanted.callers.push(other);
    assert_eq!(run.round(DAY + 61).await, (2 * A_WAY, 0));
    // Nobody is short any more: nothing is asked.
    run.wanted.ways.clear();
    assert_eq!(run.round(3 * DAY).await, (0, 0));
}

#[tokio::test]
async fn once_all_is_denied_nothing_more_is_asked() {
    let mut run = Run::new(1);
    let profile = "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us0.a.m";
    let answer = ACTIONS.map(|it| said(it, Decision::ImplicitDeny)).to_vec();
    run.fake.simulated.insert(profile.to_owned(), answer);
    assert_eq!(run.round(0).await, (2, 0));
    assert!(run.permit().is_closed());
}

#[tokio::test]
async fn many_ways_are_dealt_out_over_rounds() {
    let mut run = Run::new(12);
    let mut rounds = Vec::new();
    for minute in 0..3 {
        rounds.push(run.round(minute).await.0);
        assert!(run.book.permits.len() <= 7 * rounds.len());
    }
    assert_eq!(rounds, [7 * A_WAY, 5 * A_WAY, 0]);
}

#[tokio::test]
async fn a_refusal_is_told_once_an_hour_and_what_was_known_stays() {
    let mut run = Run::new(2);
    assert_eq!(run.round(0).await, (2 * A_WAY, 0));
    let known = run.book.permits.clone();
    run.fake.fail(OPERATION, 0, FaultClass::Denied);
    assert_eq!(run.round(DAY).await, (1, 1));
    assert_eq!(run.book.permits, known);
    assert_eq!(run.round(DAY + 59).await, (0, 0));
    assert_eq!(run.round(DAY + 60).await, (2 * A_WAY, 0));
}

#[tokio::test]
async fn a_caller_that_iam_does_not_know_is_told_as_that() {
    let mut run = Run::new(1);
    run.fake.fail(OPERATION, 0, FaultClass::NotFound);
    assert_eq!(run.round(0).await, (1, 0));
    let why = "IAM knows no such role".to_owned();
    assert_eq!(run.permit().call, Ruling::Unknown { why });
    // What failed otherwise is tried again, and holds up no other way.
    let mut run = Run::new(2);
    run.fake.fail(OPERATION, 0, FaultClass::Server);
    assert_eq!(run.round(0).await, (1 + A_WAY, 1));
    assert_eq!(run.round(1).await, (0, 0));
    assert_eq!(run.round(10).await, (A_WAY, 0));
}
