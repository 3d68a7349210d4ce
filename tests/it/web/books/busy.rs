//! A book in which everything happens at once, hostile names included.

use std::collections::{BTreeMap, BTreeSet};

use bedrock_ops_alert::{
    model::{
        action::{Effect, Intent, IntentState},
        alert::AlertState,
        book::{Book, Record},
        catalog::{Family, Mapping, PoolId, Target, TargetKind},
        desk::{Ask, AskEnd, Investigation, RequestStatus},
        hint::{Carrier, Clue, Hint, Retries},
        ids::{
            ActionId, CaseId, DisplayId, IncidentId, Marker, QuotaCode, ReceiverName, RequestId,
            RuleName, TargetId,
        },
        incident::{AlertKey, Cause, Incident, Member, Scenario},
        quota::QuotaChange,
        reason::Reason,
        rule::{Category, Remedy, Severity},
        series::Signal,
        spend::{Calls, Site},
        tags::Tags,
        time::Minute,
        units::{QuotaKind, Share},
    },
    runtime::shared::{CrossCheck, Health},
};

use super::{
    HOSTILE, amount, at, failing, mapped, minute, month, pool, pool_id, quiet, quota, scope,
    sonnet, traffic, use_reason, verdict,
};

/// Everything at once.
pub(in crate::web) fn busy() -> (Book, Health) {
    let (mut book, mut health) = quiet();
    add_pools(&mut book);
    add_targets(&mut book);
    let short = add_shortage(&mut book);
    add_errors(&mut book);
    add_ended(&mut book);
    add_held(&mut book, &short);
    let alerting = verdict(
        &sonnet(),
        QuotaKind::Tpm,
        "L-00FF3314",
        AlertState::Alerting,
    );
    health.verdicts = BTreeMap::from([(sonnet(), vec![alerting])]);
    let check = CrossCheck {
        day: minute("2026-11-23T00:00:00Z"),
        minutes: 1_420,
        estimated: 410_000_000.0,
        own: 275_000_000.0,
        rate: 5.0,
        likely: Some(10),
    };
    health.checks.insert(sonnet(), check);
    health
        .last_success
        .insert(("read", scope("eu-west-1")), at("2026-11-24T03:08:00Z"));
    health.failing.insert(
        ("quotas", scope("eu-west-1")),
        failing(
            "servicequotas:ListServiceQuotas",
            "AccessDeniedException",
            "allow it in the role",
        ),
    );
    let site = Site {
        scope: Some(scope("us-east-1")),
        operation: "support:CreateCase".to_owned(),
    };
    let made = Calls {
        requests: 1,
        metrics: 0,
    };
    health.calls.add(site, made);
    health.month = Some(month());
    health.stretch = 2.5;
    (book, health)
}

fn add_pools(book: &mut Book) {
    traffic(book, &sonnet(), 400.0, 931_500.0);
    let nova = pool_id("us-east-1", Family::OnDemand, "amazon.nova-pro-v1:0");
    let opus = pool_id("eu-west-1", Family::Global, "anthropic.claude-opus-4-7");
    let blocked = pool_id(
        "eu-west-1",
        Family::OnDemand,
        "meta.llama4-scout-17b-instruct-v1:0",
    );
    let hostile = pool_id("eu-west-1", Family::Geo, HOSTILE);
    book.apply(vec![
        pool(
            &nova,
            [
                (QuotaKind::Tpm, mapped("L-CFA4FA8D")),
                (QuotaKind::Rpm, mapped("L-152CEE1A")),
                (QuotaKind::Tpd, mapped("L-D690997B")),
            ],
        ),
        pool(
            &opus,
            [
                (
                    QuotaKind::Tpm,
                    Mapping::Ambiguous {
                        candidates: vec![
                            QuotaCode::new("L-AAAA1111"),
                            QuotaCode::new("L-BBBB2222"),
                        ],
                    },
                ),
                (QuotaKind::Rpm, Mapping::Unknown),
                (QuotaKind::Tpd, Mapping::Absent),
            ],
        ),
        pool(
            &blocked,
            [
                (QuotaKind::Tpm, mapped("L-0B10C4ED")),
                (QuotaKind::Rpm, Mapping::Absent),
                (QuotaKind::Tpd, Mapping::Absent),
            ],
        ),
        pool(
            &hostile,
            [
                (QuotaKind::Tpm, Mapping::Unknown),
                (QuotaKind::Rpm, Mapping::Absent),
                (QuotaKind::Tpd, Mapping::Absent),
            ],
        ),
        quota("us-east-1", "L-CFA4FA8D", None, Some(800_000.0)),
        quota("us-east-1", "L-152CEE1A", Some(200.0), Some(100.0)),
        quota("us-east-1", "L-D690997B", Some(1_440_000_000.0), None),
        quota("eu-west-1", "L-0B10C4ED", Some(0.0), Some(600_000.0)),
    ]);
    traffic(book, &nova, 171.0, 52_000.0);
    traffic(book, &opus, 3.0, 9_000.0);
}

fn add_targets(book: &mut Book) {
    book.apply(vec![
        Record::Target(Target {
            id: TargetId::new("us.anthropic.claude-sonnet-4-6"),
            kind: TargetKind::SystemProfile,
            pool: sonnet(),
            first_seen: at("2026-11-01T00:00:00Z"),
        }),
        Record::Target(Target {
            id: TargetId::new("a1b2c3d4e5f6"),
            kind: TargetKind::ApplicationProfile {
                name: HOSTILE.to_owned(),
            },
            pool: sonnet(),
            first_seen: at("2026-11-02T00:00:00Z"),
        }),
        Record::Tags(
            sonnet().scope,
            TargetId::new("a1b2c3d4e5f6"),
            Tags {
                by_key: [
                    ("team".to_owned(), "search".to_owned()),
                    ("note".to_owned(), HOSTILE.to_owned()),
                ]
                .into(),
                read_at: at("2026-11-24T01:00:00Z"),
            },
        ),
    ]);
}

fn incident(cause: Cause, severity: Severity, pool: &PoolId, opened: &str) -> Incident {
    let id = IncidentId::derive(&cause.fingerprint(), 1);
    let kind = matches!(cause, Cause::Quota { .. }).then_some(QuotaKind::Tpm);
    Incident {
        id,
        cause,
        generation: 1,
        kind,
        pools: BTreeSet::from([pool.clone()]),
        severity,
        remedy: Remedy::Notify,
        scenario: None,
        opened: at(opened),
        began: Minute::of(at(opened)).plus(-4),
        last_bad: minute("2026-11-24T03:09:00Z"),
        resolved: None,
        lost: 0.0,
        members: BTreeMap::new(),
        hints: Vec::new(),
        decisions: Vec::new(),
        decisions_dropped: 0,
        spells: Vec::new(),
        messages: 1,
        told: Some(severity),
        refusal: None,
    }
}

fn member(rule: &str, pool: &PoolId, reasons: Vec<Reason>) -> (AlertKey, Member) {
    let key = AlertKey {
        rule: RuleName::new(rule),
        pool: pool.clone(),
    };
    let member = Member {
        severity: Severity::Warning,
        is_on: true,
        last_bad: None,
        rule_hash: "0123456789ab".to_owned(),
        reasons,
    };
    (key, member)
}

fn intent(incident: &IncidentId, step: &str, effect: Effect, state: IntentState) -> Intent {
    Intent {
        id: ActionId::derive(incident, step),
        incident: incident.clone(),
        step: step.to_owned(),
        effect,
        reasons: vec![use_reason()],
        created: at("2026-11-24T02:35:00Z"),
        state,
        attempts: 1,
        approved_by: None,
        last_failure: None,
        approved_at: None,
        declined: 0,
        worded: None,
        revision: 1,
    }
}

fn notify(subject: &str) -> Effect {
    Effect::Notify {
        receiver: ReceiverName::new("slack-ops"),
        severity: Severity::Warning,
        subject: subject.to_owned(),
        body: String::new(),
        notice: None,
    }
}

fn request(desired: f64) -> Effect {
    Effect::RequestQuota {
        scope: scope("us-east-1"),
        code: QuotaCode::new("L-00FF3314"),
        desired: amount(desired),
        context: String::new(),
    }
}

fn done(reference: &str) -> IntentState {
    IntentState::Done {
        reference: reference.to_owned(),
        at: at("2026-11-24T02:36:00Z"),
        theirs: None,
    }
}

fn ask(by: &Intent) -> Ask {
    Ask {
        request: RequestId::new("req-8f2c"),
        action: by.id.clone(),
        incident: by.incident.clone(),
        scope: scope("us-east-1"),
        code: QuotaCode::new("L-00FF3314"),
        kind: QuotaKind::Tpm,
        before: amount(800_000.0),
        desired: amount(1_500_000.0),
        filed: at("2026-11-24T02:36:00Z"),
        status: RequestStatus::CaseOpened,
        closed: None,
        display: Some(DisplayId::new("170112233445566")),
        case: Some(CaseId::new("case-111122223333-muen-2026-aa")),
        case_seen: None,
        no_plan: None,
        told_waiting: true,
        waiting: None,
        polled: at("2026-11-24T03:10:00Z"),
        end: None,
    }
}

fn hints() -> Vec<Hint> {
    let hint = |points, clue| Hint {
        pool: sonnet(),
        strength: Share::from_basis_points(points).unwrap(),
        from: minute("2026-11-24T02:15:00Z"),
        until: minute("2026-11-24T03:10:00Z"),
        clue,
    };
    vec![
        hint(
            7_800,
            Clue::Retries(Retries {
                since: minute("2026-11-24T02:31:00Z"),
                before: 310.0,
                started: 350.0,
                after: 810.0,
                through: 310.0,
            }),
        ),
        hint(
            2_900,
            Clue::Carrier(Carrier {
                target: TargetId::new("a1b2c3d4e5f6"),
                name: Some(HOSTILE.to_owned()),
                share: Share::from_basis_points(7_300).unwrap(),
                targets: 3,
            }),
        ),
    ]
}

fn add_shortage(book: &mut Book) -> IncidentId {
    let cause = Cause::Quota {
        scope: scope("us-east-1"),
        code: QuotaCode::new("L-00FF3314"),
    };
    let mut short = incident(cause, Severity::Warning, &sonnet(), "2026-11-24T02:34:00Z");
    short.scenario = Some(Scenario::HighUsage);
    short.remedy = Remedy::RequestQuota;
    let top = Reason::TopTarget {
        target: TargetId::new("a1b2c3d4e5f6"),
        share: Share::from_basis_points(7_300).unwrap(),
    };
    let peak = Reason::Peak {
        kind: QuotaKind::Tpm,
        minute: minute("2026-11-23T15:04:00Z"),
        used: amount(964_200.0),
        coverage: 9_971,
    };
    let reasons = vec![
        use_reason(),
        top,
        peak,
        Reason::Considered(HOSTILE.to_owned()),
    ];
    short.members = BTreeMap::from([member("tpm-high", &sonnet(), reasons)]);
    short.hints = hints();
    let decided = at("2026-11-24T02:35:00Z");
    short.decide(decided, "asked for 1,500,000: the 14-day peak times 1.5");
    short.decide(
        decided,
        "no case of our own: Service Quotas takes this quota",
    );
    let id = short.id.clone();
    let first = intent(
        &id,
        "request/L-00FF3314/1",
        request(1_500_000.0),
        done("req-8f2c"),
    );
    let expires = at("2026-11-24T07:05:00Z");
    let second = intent(
        &id,
        "request/L-00FF3314/2",
        request(2_250_000.0),
        IntentState::Proposed { expires },
    );
    let told = intent(&id, "notify/slack-ops/1", notify("TPM short"), done("ok"));
    let ask = ask(&first);
    book.apply(vec![
        Record::Ask(ask),
        Record::QuotaChange(QuotaChange {
            scope: scope("us-east-1"),
            code: QuotaCode::new("L-00FF3314"),
            old: Some(amount(800_000.0)),
            new: Some(amount(1_000_000.0)),
            at: at("2026-11-24T02:50:00Z"),
        }),
        Record::Incident(short),
        Record::Intent(first),
        Record::Intent(second),
        Record::Intent(told),
    ]);
    id
}

fn add_errors(book: &mut Book) {
    let pool = pool_id("us-east-1", Family::OnDemand, "amazon.nova-pro-v1:0");
    let cause = Cause::Pool {
        pool: pool.clone(),
        category: Category::ServerError,
    };
    let mut errors = incident(cause, Severity::Critical, &pool, "2026-11-24T03:01:00Z");
    errors.remedy = Remedy::Investigate;
    errors.scenario = Some(Scenario::NonQuota);
    errors.lost = 1_240.0;
    let reason = Reason::Count {
        signal: Signal::ServerErrors,
        minute: minute("2026-11-24T03:07:00Z"),
        count: 88.0,
        demand: 171.0,
        bad: 4,
        of: 5,
    };
    errors.members = BTreeMap::from([member("server-errors", &pool, vec![reason])]);
    errors.decide(
        at("2026-11-24T03:02:00Z"),
        "AWS Support is asked to look: no quota is near",
    );
    let effect = Effect::OpenCase {
        scope: pool.scope.clone(),
        subject: "Server errors on amazon.nova-pro-v1:0".to_owned(),
        body: String::new(),
        evidence: None,
        desired: None,
    };
    let mut opened = intent(
        &errors.id,
        "case/1",
        effect,
        done("case-111122223333-muen-2026-bb"),
    );
    opened.created = at("2026-11-24T03:02:00Z");
    let told = intent(
        &errors.id,
        "notify/slack-ops/1",
        notify("Server errors"),
        done("ok"),
    );
    book.apply(vec![
        Record::Investigation(Investigation {
            case: CaseId::new("case-111122223333-muen-2026-bb"),
            action: opened.id.clone(),
            incident: errors.id.clone(),
            scope: pool.scope.clone(),
            display: None,
            marker: Marker::of(&opened.id),
            opened: at("2026-11-24T03:02:00Z"),
            status: "work-in-progress".to_owned(),
            told_waiting: false,
            waiting: None,
            polled: at("2026-11-24T03:10:00Z"),
            ended: None,
            twin: None,
        }),
        Record::Incident(errors),
        Record::Intent(opened),
        Record::Intent(told),
    ]);
}

fn add_ended(book: &mut Book) {
    let pool = pool_id("eu-west-1", Family::Global, "anthropic.claude-opus-4-7");
    let cause = Cause::Pool {
        pool: pool.clone(),
        category: Category::Latency,
    };
    let mut slow = incident(cause, Severity::Info, &pool, "2026-11-23T20:15:00Z");
    slow.last_bad = minute("2026-11-23T20:40:00Z");
    slow.resolved = Some(at("2026-11-23T20:58:00Z"));
    book.apply(vec![
        Record::Ask(Ask {
            request: RequestId::new("req-1111"),
            action: ActionId::new("act-aaaaaaaaaa"),
            incident: slow.id.clone(),
            scope: scope("eu-west-1"),
            code: QuotaCode::new("L-0B10C4ED"),
            kind: QuotaKind::Rpm,
            before: amount(50.0),
            desired: amount(200.0),
            filed: at("2026-11-22T09:00:00Z"),
            status: RequestStatus::Approved,
            closed: Some(at("2026-11-23T19:00:00Z")),
            display: None,
            case: None,
            case_seen: None,
            no_plan: None,
            told_waiting: false,
            waiting: None,
            polled: at("2026-11-23T20:00:00Z"),
            end: Some((
                AskEnd::PartlyGranted {
                    value: amount(100.0),
                },
                at("2026-11-23T20:00:00Z"),
            )),
        }),
        Record::Incident(slow),
    ]);
}

fn add_held(book: &mut Book, incident: &IncidentId) {
    let state = IntentState::Held {
        why: "given up after 40 tries: the topic is gone".to_owned(),
        at: at("2026-11-24T03:00:00Z"),
    };
    let mut held = intent(incident, "notify/sns-ops/1", notify("TPM short"), state);
    held.attempts = 40;
    held.last_failure = Some(format!("sns:Publish failed: NotFound: {HOSTILE}"));
    book.apply(vec![Record::Intent(held)]);
}
