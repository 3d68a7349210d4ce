//! Ways out that nobody uses yet: named as room where they are, and never outside the rules.

use bedrock_ops_alert::{
    engine::{permits::ways_out, residency::Law},
    model::{
        alert::AlertState,
        book::Record,
        catalog::{Catalog, Family, Mapping, Pool, PoolId, Spare, Target, TargetKind},
        ids::{PrincipalArn, QuotaCode, Region, TargetId},
        policy::Mode,
        quota::Quota,
        residency::Reach,
        rule::Category,
        time::Minute,
        units::{Amount, QuotaKind},
    },
    runtime::elsewhere::siblings_of_pool,
};
use std::collections::{BTreeMap, BTreeSet};

use super::{
    Stage, pool_id,
    residency::{east, with_room_elsewhere},
    scope, sonnet, verdict,
};

const GLOBAL: &str = "global.anthropic.claude-sonnet-4-6";
const BARE: &str = "anthropic.claude-sonnet-4-6";

/// The quotas of a way by kind: code and value.
pub(super) type Quotas<'a> = &'a [(QuotaKind, &'a str, f64)];

/// Nobody uses this way, which leads to these Regions; `*` is any.
pub(super) fn add_spare(
    stage: &mut Stage,
    family: Family,
    id: &str,
    quotas: Quotas<'_>,
    leads: &[&str],
) {
    let pool = PoolId {
        family,
        ..pool_id(BARE)
    };
    let mut mappings = BTreeMap::from([(QuotaKind::Rpm, Mapping::Absent)]);
    let like = stage.book.quotas.values().next().unwrap().clone();
    for (kind, code, value) in quotas {
        let code = QuotaCode::new(*code);
        let proof = "name and family match".to_owned();
        mappings.insert(
            *kind,
            Mapping::Mapped {
                code: code.clone(),
                proof,
            },
        );
        let quota = Quota {
            applied: Amount::new(*value),
            code,
            ..like.clone()
        };
        stage.book.apply(vec![Record::Quota(quota)]);
    }
    let kind = match family {
        Family::OnDemand => TargetKind::Base,
        Family::Geo | Family::Global | Family::Mantle | Family::Account => {
            TargetKind::SystemProfile
        }
    };
    let target = Target {
        id: TargetId::new(id),
        kind,
        pool: pool.clone(),
        first_seen: stage.now,
    };
    let spare = Spare {
        pool: Pool {
            id: pool,
            burndown: Some(5.0),
            worth: None,
            mappings,
        },
        targets: vec![target],
    };
    let catalog = stage.book.catalogs.get(&scope()).cloned();
    let mut catalog: Catalog = catalog.unwrap_or_default();
    catalog.spares.push(spare);
    let mut reaches = stage
        .book
        .reaches
        .get(&scope())
        .cloned()
        .unwrap_or_default();
    let named = leads.iter().filter(|it| **it != "*");
    let reach = Reach {
        regions: named.map(|it| Region::new(*it)).collect(),
        is_anywhere: leads.contains(&"*"),
    };
    if !leads.is_empty() {
        reaches.insert(TargetId::new(id), reach);
    }
    stage.book.apply(vec![
        Record::Catalog(scope(), catalog),
        Record::Reaches(scope(), reaches),
    ]);
}

const TPM: (QuotaKind, &str, f64) = (QuotaKind::Tpm, "L-61080001", 5_000_000.0);

/// A pool near its limit, and nothing else of its model.
fn short() -> Stage {
    let mut stage = Stage::new(Mode::Observe);
    let from = Minute::of(stage.now).plus(-8);
    stage.feed(&sonnet(), from, &[(600.0, 60.0, 990_000.0); 8]);
    stage
}

/// The lines about room of the first message.
fn room(mut stage: Stage) -> String {
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    let told = stage.message("[warning]");
    let is_room = |it: &&str| {
        it.contains("Room for this model")
            || it.starts_with("- global in")
            || it.starts_with("- on-demand in")
    };
    told.lines().filter(is_room).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_way_that_nobody_uses_is_named_as_room_and_as_unknown() {
    let mut stage = short();
    let requests = (QuotaKind::Rpm, "L-61080003", 2_000.0);
    add_spare(&mut stage, Family::Global, GLOBAL, &[TPM, requests], &["*"]);
    let quota = (QuotaKind::Tpm, "L-61080002", 300_000.0);
    add_spare(&mut stage, Family::OnDemand, BARE, &[quota], &[]);
    insta::assert_snapshot!("unused", room(stage));
}

/// What was measured and what nobody uses stand side by side, most room first.
#[test]
fn what_nobody_uses_stands_beside_what_was_measured() {
    let (mut stage, _) = with_room_elsewhere();
    let quota = (QuotaKind::Tpm, "L-61080002", 300_000.0);
    add_spare(&mut stage, Family::OnDemand, BARE, &[quota], &[]);
    insta::assert_snapshot!("unused_beside_used", room(stage));
}

#[test]
fn no_way_is_named_that_leaves_a_rule_of_residency() {
    let told = |leads: &[&str]| {
        let mut stage = short();
        stage.policy.residency = vec![east()];
        add_spare(&mut stage, Family::Global, GLOBAL, &[TPM], leads);
        room(stage)
    };
    assert_eq!(told(&["*"]), "");
    assert_eq!(told(&["us-east-1", "us-west-2"]), "");
    // Where it leads was never listed: that proves nothing.
    assert_eq!(told(&[]), "");
    let within = told(&["us-east-1", "us-east-2"]);
    assert!(
        within.contains("within your rules of residency"),
        "{within}"
    );
    assert!(within.contains("nobody uses it yet"), "{within}");
}

/// A quota that is shared with what is in use is no room, and neither is one of 0.
#[test]
fn a_quota_that_is_drained_already_is_no_room() {
    let told = |quotas: Quotas<'_>| {
        let mut stage = short();
        add_spare(&mut stage, Family::Global, GLOBAL, quotas, &["*"]);
        room(stage)
    };
    let short = "L-15B8E632";
    assert_eq!(told(&[(QuotaKind::Tpm, short, 1_000_000.0)]), "");
    assert_eq!(told(&[TPM, (QuotaKind::Rpm, "L-61080003", 0.0)]), "");
    assert_eq!(told(&[(QuotaKind::Tpm, "L-61080001", 0.0)]), "");
    // Of the day it is shared with is what is short.
    assert_eq!(told(&[TPM, (QuotaKind::Tpd, short, 1_000_000.0)]), "");
    let other = (QuotaKind::Tpd, "L-61080004", 1_000_000.0);
    assert!(told(&[TPM, other]).contains("global in us-east-1"));
}

#[test]
fn whether_callers_may_use_it_is_asked_before_anybody_needs_it() {
    let mut stage = short();
    add_spare(&mut stage, Family::Global, GLOBAL, &[TPM], &["*"]);
    let ways = |stage: &Stage| {
        let law = Law {
            rules: &stage.policy.residency,
            book: &stage.book,
        };
        let ways = ways_out(law, &stage.policy.callers, &BTreeSet::from([sonnet()]));
        let ways = ways.into_values().flatten();
        ways.map(|it| it.to_string()).collect::<Vec<_>>()
    };
    assert!(ways(&stage).is_empty(), "nobody is named");
    let app = PrincipalArn::new("arn:aws:iam::111122223333:role/app");
    stage.policy.callers = BTreeMap::from([(scope().account, vec![app])]);
    assert_eq!(ways(&stage), [GLOBAL]);
    let told = room(stage);
    assert!(told.contains("was not asked yet"), "{told}");
}

/// The same is told of a pool that is not short, as far as it was read.
#[test]
fn room_is_found_before_a_pool_is_short() {
    let of_pool = |stage: &Stage| {
        let found = siblings_of_pool(&stage.book, &stage.policy, &sonnet());
        let found = found.iter().map(|it| it.pool.family.name());
        found.collect::<Vec<_>>()
    };
    let (mut stage, _) = with_room_elsewhere();
    let quota = (QuotaKind::Tpm, "L-61080002", 300_000.0);
    add_spare(&mut stage, Family::OnDemand, BARE, &[quota], &[]);
    assert!(of_pool(&stage).is_empty(), "never read");
    let now = Minute::of(stage.now);
    stage.book.apply(vec![Record::ReadThrough(sonnet(), now)]);
    assert_eq!(of_pool(&stage), ["global", "on-demand"]);
    stage.policy.residency = vec![east()];
    // Where the global profile leads was never listed; the bare id stays in its Region.
    assert_eq!(of_pool(&stage), ["on-demand"]);
}
