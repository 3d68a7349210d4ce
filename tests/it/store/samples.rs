//! Records of every kind and variant, the same for the same seed.

mod hints;
mod said;

use std::collections::{BTreeMap, BTreeSet};

use bedrock_ops_alert::model::{
    action::{Effect, Evidence, Intent, IntentState},
    alert::{AlertState, Track},
    book::{Key, Record},
    catalog::{
        Catalog, Family, LifeCycle, Mapping, Pool, PoolId, Spare, Target, TargetKind, Unwatched,
    },
    desk::{Ask, AskEnd, Investigation, RequestStatus, Waiting},
    ids::{
        AccountId, ActionId, CaseId, DisplayId, IncidentId, Marker, ModelId, PrincipalArn,
        QuotaCode, ReceiverName, Region, RequestId, RuleName, Scope, TargetId,
    },
    incident::{AlertKey, Cause, Decision, Incident, Member, Refusal, Scenario, Spell},
    links::{Link, LinkKind},
    outlook::{Exhaustion, Way},
    permit::{Denial, Denier, Permit, Permits, Ruling},
    quota::{Quota, QuotaChange},
    ran::{Count, RanDay},
    reason::Reason,
    receiver::{Flag, Notice, Phase},
    residency::{Reach, Reaches},
    rule::{Category, Remedy, Severity},
    series::{Sample, Signal, TargetUse},
    spend::{CallCounts, Calls, Month, Site, Spend},
    tags::Tags,
    time::{Minute, Timestamp},
    units::{Amount, QuotaKind, Share},
    unusual::Trouble,
    uses::{UseDay, UseHour},
    worth::{Mark, Worth},
};
use fastrand::Rng;

/// How many kinds of record [`record`] makes.
pub(super) const KINDS: u8 = 24;

/// A record of this kind, under one of few keys; the same arguments make the same record.
pub(super) fn record(kind: u8, slot: u8, seed: u64) -> Record {
    let rng = &mut Rng::with_seed(seed);
    match kind % KINDS {
        0 => Record::Incident(incident(slot, rng)),
        1 => Record::Intent(intent(slot, 1, rng)),
        2 => Record::Ask(ask(slot, rng)),
        3 => Record::Investigation(investigation(slot, rng)),
        4 => Record::Track(alert_key(slot), track(rng)),
        5 => Record::Target(target(slot, rng)),
        6 => Record::Pool(pool(slot, rng)),
        7 => Record::Quota(quota(slot, rng)),
        8 => Record::QuotaChange(quota_change(slot, rng)),
        9 => {
            let first = usize::from(slot) % Signal::ALL.len();
            let signals = Signal::ALL.into_iter().skip(first).step_by(4);
            let hour = signals.map(|it| (it, std::array::from_fn(|_| sample(rng))));
            let hour = hour.collect();
            Record::Hour(pool_id(slot), Minute(60 * i64::from(slot)), hour)
        }
        10 => Record::Discovered(scope(slot), instant(rng)),
        11 => Record::ReadThrough(pool_id(slot), minute(rng)),
        12 => Record::ReadInFull(pool_id(slot), minute(rng)),
        13 => Record::ReadInDepth(pool_id(slot), minute(rng)),
        14 => Record::Catalog(scope(slot), catalog(slot, rng)),
        15 => Record::Spend(spend(slot, rng)),
        16 => Record::Silence(said::silence(slot, rng)),
        17 => Record::Handling(said::handling(slot, rng)),
        18 => Record::Entry(said::entry(slot, rng)),
        19 => Record::Reaches(scope(slot), reaches(rng)),
        20 => Record::Tags(
            scope(slot),
            TargetId::new(format!("profile-{slot}")),
            tags(rng),
        ),
        21 => Record::Permits(
            scope(slot),
            TargetId::new(format!("us.model-{slot}")),
            permits(rng),
        ),
        22 => Record::Ran(scope(slot), i64::from(slot), ran_day(rng)),
        _ => Record::UseDay(pool_id(slot), i64::from(slot), use_day(rng)),
    }
}

fn tags(rng: &mut Rng) -> Tags {
    let by_key = (0..rng.u8(0..4)).map(|it| (format!("key {it}"), text(rng)));
    Tags {
        by_key: by_key.collect(),
        read_at: instant(rng),
    }
}

fn permits(rng: &mut Rng) -> Permits {
    let by_caller = (0..rng.u8(1..4)).map(|it| {
        let arn = format!("arn:aws:iam::111122223333:role/caller-{it}");
        let permit = Permit {
            call: ruling(rng),
            stream: ruling(rng),
        };
        (PrincipalArn::new(arn), permit)
    });
    Permits {
        by_caller: by_caller.collect(),
        asked_at: instant(rng),
    }
}

fn ruling(rng: &mut Rng) -> Ruling {
    let by = match rng.u8(0..6) {
        0 => Denier::Nothing,
        1 => Denier::Policy,
        2 => Denier::Organization,
        3 => Denier::Boundary,
        4 => return Ruling::Unknown { why: text(rng) },
        _ => return Ruling::Allowed,
    };
    Ruling::Denied(Denial {
        by,
        resource: text(rng),
        policy: rng.bool().then(|| text(rng)),
        missing: (0..rng.u8(0..3)).map(|it| format!("key-{it}")).collect(),
    })
}

fn ran_day(rng: &mut Rng) -> RanDay {
    let way = |rng: &mut Rng| {
        let ran_in = rng.bool().then(|| Region::new(text(rng)));
        (TargetId::new(text(rng)), ran_in)
    };
    let count = |rng: &mut Rng| Count {
        requests: rng.u64(0..1_000),
        failed: rng.u64(0..9),
        input: rng.u64(..),
        output: rng.u64(0..1_000_000),
        cache_read: 0,
        cache_write: rng.u64(0..9),
    };
    let ways = (0..rng.u8(0..4)).map(|_| (way(rng), count(rng)));
    RanDay {
        ways: ways.collect(),
        hours: (0..rng.u8(0..24)).collect(),
        bytes_scanned: rng.u64(0..1_000_000),
    }
}

fn use_day(rng: &mut Rng) -> UseDay {
    let took = |rng: &mut Rng| TargetUse {
        demand: number(rng),
        charged: number(rng),
        throttled: number(rng),
    };
    let hours = (0..rng.u8(0..24)).map(|hour| {
        let row = UseHour {
            minutes: rng.u8(1..61),
            named: (0..rng.u16(0..4)).map(|it| (it, took(rng))).collect(),
            others: took(rng),
        };
        (hour, row)
    });
    UseDay {
        hours: hours.collect(),
        targets: (0..4)
            .map(|it| TargetId::new(format!("profile-{it}")))
            .collect(),
    }
}

fn reaches(rng: &mut Rng) -> Reaches {
    let mut reaches = Reaches::default();
    for number in 0..rng.u8(0..4) {
        let reach = Reach {
            regions: (0..rng.u8(0..3))
                .map(|it| Region::new(format!("eu-west-{it}")))
                .collect(),
            is_anywhere: rng.bool(),
        };
        reaches.insert(TargetId::new(format!("eu.model-{number}")), reach);
    }
    reaches
}

fn spend(slot: u8, rng: &mut Rng) -> Spend {
    let mut calls = CallCounts::default();
    for place in [None, Some(scope(slot))] {
        let site = Site {
            scope: place,
            operation: format!("cloudwatch:Operation{slot}"),
        };
        let made = Calls {
            requests: rng.u64(..),
            metrics: rng.u64(..1_000),
        };
        calls.add(site, made);
    }
    Spend {
        month: Month::named(&format!("2026-{:02}", slot % 12 + 1)).unwrap(),
        since: instant(rng),
        calls,
    }
}

/// The key of what [`record`] makes.
pub(super) fn key(kind: u8, slot: u8) -> Key {
    record(kind, slot, 0).key()
}

pub(super) fn intent(slot: u8, revision: u64, rng: &mut Rng) -> Intent {
    Intent {
        id: ActionId::new(format!("act-{slot}")),
        incident: IncidentId::new(format!("inc-{slot}")),
        step: format!("request/L-1234567{slot}/1"),
        effect: effect(rng),
        reasons: (0..rng.u8(0..10)).map(|_| reason(rng)).collect(),
        created: instant(rng),
        state: intent_state(rng),
        attempts: rng.u32(..),
        approved_by: maybe(rng, text),
        last_failure: maybe(rng, text),
        approved_at: maybe(rng, instant),
        declined: rng.u32(..),
        worded: maybe(rng, instant),
        revision,
    }
}

fn incident(slot: u8, rng: &mut Rng) -> Incident {
    let cause = if rng.bool() {
        Cause::Quota {
            scope: scope(slot),
            code: code(slot),
        }
    } else {
        Cause::Pool {
            pool: pool_id(slot),
            category: Category::ALL[rng.usize(0..Category::ALL.len())],
        }
    };
    let members = (0..rng.u8(0..4)).map(|slot| (alert_key(slot), member(rng)));
    let members: BTreeMap<_, _> = members.collect();
    let decisions = (0..rng.u8(0..100)).map(|_| Decision {
        at: instant(rng),
        what: text(rng),
    });
    Incident {
        decisions: decisions.collect(),
        members,
        id: IncidentId::new(format!("inc-{slot}")),
        cause,
        generation: rng.u32(..),
        kind: maybe(rng, |rng| QuotaKind::ALL[rng.usize(0..5)]),
        pools: (0..rng.u8(0..4)).map(pool_id).collect::<BTreeSet<_>>(),
        severity: Severity::ALL[rng.usize(0..3)],
        remedy: Remedy::ALL[rng.usize(0..3)],
        scenario: maybe(rng, |rng| {
            let all = [
                Scenario::NonQuota,
                Scenario::NewModel,
                Scenario::HighUsage,
                Scenario::LowUsage,
                Scenario::Unreadable,
            ];
            all[rng.usize(0..5)]
        }),
        opened: instant(rng),
        began: minute(rng),
        last_bad: minute(rng),
        resolved: maybe(rng, instant),
        lost: number(rng),
        decisions_dropped: rng.u32(..),
        spells: spells(rng),
        messages: rng.u32(..),
        told: maybe(rng, |rng| Severity::ALL[rng.usize(0..3)]),
        hints: (0..rng.u8(0..3)).map(|_| hints::hint(rng)).collect(),
        refusal: maybe(rng, |rng| Refusal {
            at: instant(rng),
            why: text(rng),
            change: maybe(rng, text),
            is_lasting: rng.bool(),
            is_told: rng.bool(),
        }),
    }
}

fn member(rng: &mut Rng) -> Member {
    Member {
        severity: Severity::ALL[rng.usize(0..3)],
        is_on: rng.bool(),
        last_bad: maybe(rng, minute),
        rule_hash: text(rng),
        reasons: (0..rng.u8(0..4)).map(|_| reason(rng)).collect(),
    }
}

fn effect(rng: &mut Rng) -> Effect {
    match rng.u8(0..5) {
        0 => Effect::Notify {
            receiver: ReceiverName::new("on-call"),
            severity: Severity::ALL[rng.usize(0..3)],
            subject: text(rng),
            body: text(rng),
            notice: maybe(rng, |rng| Box::new(notice(rng))),
        },
        1 => Effect::RequestQuota {
            scope: scope(rng.u8(..)),
            code: code(rng.u8(..)),
            desired: amount(rng),
            context: long_text(rng),
        },
        2 => Effect::OpenCase {
            scope: scope(rng.u8(..)),
            subject: text(rng),
            body: long_text(rng),
            evidence: maybe(rng, |rng| Box::new(evidence(rng))),
            desired: maybe(rng, amount),
        },
        3 => Effect::EndCase {
            scope: scope(rng.u8(..)),
            case: CaseId::new("case-1"),
            ours: Marker::of(&ActionId::new("act-abcdefghij")),
            request: maybe(rng, |_| RequestId::new("r-1")),
            thanks: maybe(rng, long_text),
        },
        _ => Effect::Comment {
            scope: scope(rng.u8(..)),
            case: CaseId::new("case-1"),
            body: long_text(rng),
            evidence: maybe(rng, |rng| Box::new(evidence(rng))),
        },
    }
}

fn spells(rng: &mut Rng) -> Vec<Spell> {
    let spells = (0..rng.i64(0..3)).map(|at| Spell {
        first: Minute(at * 100),
        last: Minute(at * 100 + rng.i64(0..50)),
    });
    spells.collect()
}

fn notice(rng: &mut Rng) -> Notice {
    let incident = incident(rng.u8(..), rng);
    let phase = Phase::ALL[rng.usize(0..Phase::ALL.len())];
    let links = LinkKind::ALL
        .into_iter()
        .take(rng.usize(0..=LinkKind::ALL.len()));
    let links = links.map(|kind| Link {
        kind,
        text: text(rng),
        url: text(rng),
    });
    Notice {
        links: links.collect(),
        flags: Flag::ALL.into_iter().take(rng.usize(0..5)).collect(),
        teams: (0..rng.u8(0..3)).map(|_| text(rng)).collect(),
        ..Notice::of(&incident, phase, text(rng))
    }
}

fn intent_state(rng: &mut Rng) -> IntentState {
    match rng.u8(0..7) {
        0 => IntentState::Proposed {
            expires: instant(rng),
        },
        1 => IntentState::Planned {
            not_before: instant(rng),
        },
        2 => IntentState::Sending { at: instant(rng) },
        3 => IntentState::Unknown {
            since: instant(rng),
            absent: rng.u8(..),
            look_at: instant(rng),
        },
        4 => IntentState::Done {
            reference: text(rng),
            at: instant(rng),
            theirs: rng.bool().then(|| amount(rng)),
        },
        5 => IntentState::Held {
            why: text(rng),
            at: instant(rng),
        },
        _ => IntentState::Refused {
            why: text(rng),
            at: instant(rng),
        },
    }
}

fn leaves(rng: &mut Rng) -> Reason {
    Reason::Leaves {
        target: TargetId::new(text(rng)),
        minute: minute(rng),
        outside: (0..rng.u8(0..3))
            .map(|it| Region::new(format!("us-east-{it}")))
            .collect(),
        is_anywhere: rng.bool(),
        allowed: text(rng),
    }
}

fn ran_outside(rng: &mut Rng) -> Reason {
    Reason::RanOutside {
        target: TargetId::new(text(rng)),
        first: minute(rng),
        minute: minute(rng),
        requests: rng.u64(..),
        of: rng.u64(..),
        regions: (0..rng.u8(0..3))
            .map(|it| Region::new(format!("us-east-{it}")))
            .collect(),
        hours: rng.u32(..),
        allowed: text(rng),
    }
}

fn reason(rng: &mut Rng) -> Reason {
    let signal = Signal::ALL[rng.usize(0..Signal::ALL.len())];
    let kind = QuotaKind::ALL[rng.usize(0..5)];
    let (bad, of) = (rng.u8(..), rng.u8(..));
    match rng.u8(0..15) {
        13 => ran_outside(rng),
        12 => leaves(rng),
        11 => runs_out(kind, rng),
        10 => trouble(rng),
        9 => Reason::Hint(Box::new(hints::hint(rng))),
        0 => Reason::QuotaUse {
            kind,
            code: code(bad),
            minute: minute(rng),
            used: amount(rng),
            quota: amount(rng),
            is_default: rng.bool(),
            above: share(rng),
            bad,
            of,
        },
        1 => Reason::Count {
            signal,
            minute: minute(rng),
            count: number(rng),
            demand: number(rng),
            bad,
            of,
        },
        2 => Reason::Slow {
            minute: minute(rng),
            millis: number(rng),
            limit: number(rng),
            bad,
            of,
        },
        3 => Reason::Unusual {
            signal,
            minute: minute(rng),
            value: number(rng),
            usual: number(rng),
            days: bad,
        },
        4 => Reason::Peak {
            kind,
            minute: minute(rng),
            used: amount(rng),
            coverage: rng.u16(..),
        },
        5 => Reason::TopTarget {
            target: TargetId::new(text(rng)),
            share: share(rng),
        },
        6 => Reason::Gap {
            minutes: rng.u32(..),
            why: text(rng),
        },
        7 => Reason::Ends {
            end: instant(rng),
            minute: minute(rng),
        },
        8 => Reason::FullUse {
            usd: number(rng),
            text: text(rng),
        },
        _ => Reason::Considered(text(rng)),
    }
}

fn trouble(rng: &mut Rng) -> Reason {
    Reason::Trouble {
        trouble: Trouble::ALL[rng.usize(0..7)],
        minute: minute(rng),
        seen: number(rng),
        usual: number(rng),
        minutes: rng.u16(..),
        is_young: rng.bool(),
    }
}

fn runs_out(kind: QuotaKind, rng: &mut Rng) -> Reason {
    let minutes = |rng: &mut Rng| maybe(rng, |rng| rng.i64(..));
    Reason::RunsOut {
        kind,
        code: code(rng.u8(..)),
        minute: minute(rng),
        used: amount(rng),
        quota: amount(rng),
        way: Way::ALL[rng.usize(0..4)],
        exhaustion: Exhaustion {
            origin: minute(rng),
            p10: minutes(rng),
            p50: minutes(rng),
            p90: minutes(rng),
            within_hour: number(rng),
            within_day: number(rng),
            within_week: number(rng),
            within_month: number(rng),
            after_day: number(rng),
            if_within_day: minutes(rng),
            if_within_week: minutes(rng),
            week_p95: number(rng),
        },
        told: minute(rng),
    }
}

fn ask(slot: u8, rng: &mut Rng) -> Ask {
    let status = [
        "PENDING",
        "CASE_OPENED",
        "APPROVED",
        "DENIED",
        "NOT_APPROVED",
        "CASE_CLOSED",
        "INVALID_REQUEST",
        "SOMETHING_NEW",
    ];
    Ask {
        request: RequestId::new(format!("request-{slot}")),
        action: ActionId::new(text(rng)),
        incident: IncidentId::new(text(rng)),
        scope: scope(slot),
        code: code(slot),
        kind: QuotaKind::ALL[rng.usize(0..5)],
        before: amount(rng),
        desired: amount(rng),
        filed: instant(rng),
        status: RequestStatus::parse(status[rng.usize(0..8)]),
        closed: maybe(rng, instant),
        display: maybe(rng, |rng| DisplayId::new(text(rng))),
        case: maybe(rng, |rng| CaseId::new(text(rng))),
        case_seen: maybe(rng, instant),
        no_plan: maybe(rng, instant),
        told_waiting: rng.bool(),
        waiting: maybe(rng, |rng| Waiting {
            since: instant(rng),
            reminders: rng.u8(..),
        }),
        polled: instant(rng),
        end: maybe(rng, |rng| {
            let end = match rng.u8(0..3) {
                0 => AskEnd::Granted { value: amount(rng) },
                1 => AskEnd::PartlyGranted { value: amount(rng) },
                _ => AskEnd::Denied,
            };
            (end, instant(rng))
        }),
    }
}

fn investigation(slot: u8, rng: &mut Rng) -> Investigation {
    Investigation {
        case: CaseId::new(format!("case-{slot}")),
        action: ActionId::new(text(rng)),
        incident: IncidentId::new(text(rng)),
        scope: scope(slot),
        display: maybe(rng, |rng| DisplayId::new(text(rng))),
        marker: Marker::new("[BOA-ABCDEFGHIJ]"),
        opened: instant(rng),
        status: text(rng),
        told_waiting: rng.bool(),
        waiting: maybe(rng, |rng| Waiting {
            since: instant(rng),
            reminders: rng.u8(..),
        }),
        polled: instant(rng),
        ended: maybe(rng, instant),
        twin: maybe(rng, |rng| CaseId::new(text(rng))),
    }
}

fn track(rng: &mut Rng) -> Track {
    let states = [
        AlertState::Normal,
        AlertState::Pending,
        AlertState::Alerting,
        AlertState::Recovering,
        AlertState::NoData,
        AlertState::Error,
    ];
    Track {
        state: states[rng.usize(0..6)],
        since: minute(rng),
        through: minute(rng),
        began: maybe(rng, minute),
        last_bad: maybe(rng, minute),
    }
}

fn catalog(slot: u8, rng: &mut Rng) -> Catalog {
    let life = LifeCycle {
        status: text(rng),
        legacy: maybe(rng, instant),
        extended: maybe(rng, instant),
        end: maybe(rng, instant),
    };
    Catalog {
        profiles: (0..rng.u8(0..4)).map(|_| text(rng)).collect(),
        lives: [(pool_id(slot).model, life)].into(),
        vanished: [(TargetId::new(format!("target-{slot}")), instant(rng))].into(),
        spares: (0..rng.u8(0..3))
            .map(|_| Spare {
                pool: pool(slot, rng),
                targets: vec![target(slot, rng)],
            })
            .collect(),
        new_profiles: (0..rng.u8(0..3))
            .map(|_| (text(rng), instant(rng)))
            .collect(),
        unwatched: (0..rng.u8(0..3))
            .map(|_| {
                let it = Unwatched {
                    why: text(rng),
                    since: instant(rng),
                };
                (TargetId::new(text(rng)), it)
            })
            .collect(),
    }
}

fn target_kind(rng: &mut Rng) -> TargetKind {
    match rng.u8(0..4) {
        0 => TargetKind::Base,
        1 => TargetKind::SystemProfile,
        2 => TargetKind::Mantle,
        _ => TargetKind::ApplicationProfile { name: text(rng) },
    }
}

fn target(slot: u8, rng: &mut Rng) -> Target {
    Target {
        id: TargetId::new(format!("target-{slot}")),
        kind: target_kind(rng),
        pool: pool_id(slot),
        first_seen: instant(rng),
    }
}

fn pool(slot: u8, rng: &mut Rng) -> Pool {
    let mut mappings = BTreeMap::new();
    for kind in QuotaKind::ALL {
        let mapping = match rng.u8(0..5) {
            0 => Mapping::Mapped {
                code: code(slot),
                proof: text(rng),
            },
            1 => Mapping::Absent,
            2 => Mapping::Ambiguous {
                candidates: vec![code(slot), code(1)],
            },
            3 => Mapping::Unknown,
            _ => continue,
        };
        mappings.insert(kind, mapping);
    }
    Pool {
        id: pool_id(slot),
        burndown: maybe(rng, number),
        worth: maybe(rng, worth),
        mappings,
    }
}

fn worth(rng: &mut Rng) -> Worth {
    let mark = |rng: &mut Rng| Mark {
        at: minute(rng),
        used: number(rng),
        quota: number(rng),
    };
    Worth {
        low: number(rng),
        high: number(rng),
        passed: maybe(rng, mark),
        stopped: maybe(rng, mark),
    }
}

fn quota(slot: u8, rng: &mut Rng) -> Quota {
    Quota {
        scope: scope(slot),
        code: code(slot),
        name: text(rng),
        applied: maybe(rng, amount),
        default: maybe(rng, amount),
        adjustable: rng.bool(),
        read_at: instant(rng),
        stale: maybe(rng, text),
    }
}

fn quota_change(slot: u8, rng: &mut Rng) -> QuotaChange {
    QuotaChange {
        scope: scope(slot),
        code: code(slot),
        old: maybe(rng, amount),
        new: maybe(rng, amount),
        at: Timestamp::from_second(i64::from(slot) - 2).unwrap(),
    }
}

fn scope(slot: u8) -> Scope {
    let region = if slot.is_multiple_of(2) {
        "us-east-1"
    } else {
        "eu-west-1"
    };
    Scope {
        account: AccountId::new(format!("11112222333{}", slot % 10)),
        region: Region::new(region),
    }
}

fn pool_id(slot: u8) -> PoolId {
    PoolId {
        scope: scope(slot),
        family: Family::ALL[usize::from(slot) % 4],
        model: ModelId::new("anthropic.claude-sonnet-4-6"),
    }
}

fn alert_key(slot: u8) -> AlertKey {
    AlertKey {
        rule: RuleName::new("tpm-high"),
        pool: pool_id(slot),
    }
}

fn code(slot: u8) -> QuotaCode {
    QuotaCode::new(format!("L-{slot:08X}"))
}

fn share(rng: &mut Rng) -> Share {
    Share::from_basis_points(rng.u16(1..=10_000)).unwrap()
}

fn amount(rng: &mut Rng) -> Amount {
    let value = if rng.bool() {
        f64::from(rng.u32(..))
    } else {
        rng.f64() * 1e9
    };
    Amount::new(value).unwrap()
}

/// Any finite number: NaN would not equal itself; the unit tests compare its bits.
fn number(rng: &mut Rng) -> f64 {
    let odd = [0.0, -0.0, 0.1, 1e308, 5e-324, 9_007_199_254_740_993.0, -7.0];
    match rng.u8(0..4) {
        0 => odd[rng.usize(0..odd.len())],
        1 => f64::INFINITY,
        2 => f64::from(rng.u32(..)),
        _ => rng.f64() * 1e6,
    }
}

fn sample(rng: &mut Rng) -> Sample {
    match rng.u8(0..4) {
        0 => Sample::Unobserved,
        1 => Sample::NoData,
        _ => Sample::Value(number(rng)),
    }
}

fn minute(rng: &mut Rng) -> Minute {
    Minute(rng.i64(..))
}

fn instant(rng: &mut Rng) -> Timestamp {
    let nanos = if rng.bool() {
        rng.i32(0..1_000_000_000)
    } else {
        0
    };
    Timestamp::new(rng.i64(-4_000_000_000..40_000_000_000), nanos).unwrap_or_default()
}

fn text(rng: &mut Rng) -> String {
    let pieces = [
        "",
        "a",
        "throttled",
        "ü",
        "\u{1f600}",
        "\"",
        "\\",
        "\n",
        "\0",
        "{",
        "–",
        " ",
    ];
    (0..rng.u8(0..12))
        .map(|_| pieces[rng.usize(0..pieces.len())])
        .collect()
}

/// Up to 8,000 characters, many of them of more than one byte.
fn long_text(rng: &mut Rng) -> String {
    let pieces = ["throttled requests ", "ü", "\u{1f600}", "\0"];
    let piece = pieces[rng.usize(0..pieces.len())];
    let length = rng.usize(0..=8_000);
    piece.chars().cycle().take(length).collect()
}

fn maybe<T>(rng: &mut Rng, make: impl FnOnce(&mut Rng) -> T) -> Option<T> {
    rng.bool().then(|| make(rng))
}

fn evidence(rng: &mut Rng) -> Evidence {
    Evidence {
        name: text(rng),
        csv: long_text(rng),
        minutes: text(rng),
    }
}
