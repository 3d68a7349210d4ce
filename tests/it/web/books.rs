//! Hand-made books: a quiet one, and one in which everything happens at once.

use std::{collections::BTreeMap, path::PathBuf};

use bedrock_ops_alert::{
    cloud::{Fault, FaultClass},
    model::{
        access::Access,
        alert::{AlertState, Track, Verdict},
        book::{Book, Record},
        calendar::Calendar,
        card::{Card, Coverage, Warnings},
        catalog::{Family, Mapping, Pool, PoolId},
        ids::{AccountId, ModelId, QuotaCode, Region, RuleName, Scope},
        outlook::Exhaustion,
        policy::{
            Account, Budgets, Cadence, CaseCodes, CostBounds, Heartbeat, Mode, Organisation,
            Policy, Regions, Reminders, Settings,
        },
        quota::Quota,
        reason::Reason,
        rule::{Category, Remedy, Rules, Severity},
        series::{Reading, Sample, Signal},
        spend::{CallCounts, Calls, Month, Site},
        time::{Minute, Timestamp},
        units::{Amount, QuotaKind, Share},
    },
    runtime::shared::{Cost, Failing, Health, MonthCost, Outlook, Quantiles},
};

mod busy;

pub(super) use busy::busy;

/// Markup, quotes, an escape sequence, a line break and a bidi mark in one name.
pub(super) const HOSTILE: &str =
    "<script>alert('x')</script>\" onload=\"y\u{1b}[31m\nforged line\u{202e}txt.exe";

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The start of the last cycle in every book.
pub(super) fn now() -> Timestamp {
    at("2026-11-24T03:12:00Z")
}

fn minute(text: &str) -> Minute {
    Minute::of(at(text))
}

fn amount(value: f64) -> Amount {
    Amount::new(value).unwrap()
}

pub(super) fn scope(region: &str) -> Scope {
    Scope {
        account: AccountId::new("111122223333"),
        region: Region::new(region),
    }
}

const REMINDERS: Reminders = Reminders {
    first_minutes: 240,
    longest_minutes: 1_440,
};

pub(super) fn settings() -> Settings {
    Settings {
        accounts: vec![Account {
            id: AccountId::new("111122223333"),
            name: Some("prod".to_owned()),
            regions: Regions::These(vec![Region::new("us-east-1"), Region::new("eu-west-1")]),
            role_arn: None,
            external_id: None,
            metrics_through: None,
        }],
        policy: Policy {
            mode: Mode::Propose,
            budgets: Budgets {
                requests_per_day: 3,
                cases_per_hour: 3,
                cases_per_day: 10,
                highest_factor: 4.0,
                highest_value: None,
            },
            routes: Vec::new(),
            receivers: BTreeMap::new(),
            fallbacks: BTreeMap::new(),
            templates: BTreeMap::new(),
            organisation: Organisation::default(),
            case_codes: CaseCodes {
                service: "service-bedrock".to_owned(),
                category: "general-guidance".to_owned(),
                severity: "normal".to_owned(),
                issue_type: "technical".to_owned(),
                cc: Vec::new(),
            }
            .into(),
            hints: bedrock_ops_alert::config::builtin_hints().unwrap(),
            approval_minutes: 240,
            cooldown_minutes: 7 * 1_440,
            inhibits: Vec::new(),
            digests: Vec::new(),
            residency: Vec::new(),
            prices: bedrock_ops_alert::model::price::Prices::default(),
            metrics_only: BTreeMap::new(),
            callers: BTreeMap::new(),
            invocation_logs: BTreeMap::new(),
            places: bedrock_ops_alert::model::links::Places::default(),
            reminders: REMINDERS,
            blind_minutes: 15,
        },
        cadence: Cadence {
            quiet_minutes: 5,
            idle_minutes: 15,
            detail_minutes: 10,
            hot_minutes: 1,
            discovery_minutes: 60,
            desk_minutes: 5,
        },
        cost: CostBounds {
            monthly_budget: 50.0,
            free_share: Share::HALF,
        },
        store_path: PathBuf::from("/var/lib/bedrock-ops-alert"),
        room: bedrock_ops_alert::model::room::RoomBounds {
            reserve: 64_000_000,
            warn_below: 500_000_000,
        },
        listen: "127.0.0.1:8710".parse().unwrap(),
        access: Access::default(),
        heartbeat: Heartbeat::default(),
        calendar: Calendar::default(),
        rules: Rules::default(),
    }
}

/// A stage that fails with this answer.
pub(super) fn failing(operation: &'static str, code: &str, message: &str) -> Failing {
    let fault = Fault {
        operation,
        code: code.to_owned(),
        message: message.to_owned(),
        class: FaultClass::Denied,
    };
    Failing::of(&[fault], at("2026-11-24T03:00:00Z")).unwrap()
}

fn pool_id(region: &str, family: Family, model: &str) -> PoolId {
    PoolId {
        scope: scope(region),
        family,
        model: ModelId::new(model),
    }
}

pub(super) fn sonnet() -> PoolId {
    pool_id("us-east-1", Family::Geo, "anthropic.claude-sonnet-4-6")
}

fn mapped(code: &str) -> Mapping {
    Mapping::Mapped {
        code: QuotaCode::new(code),
        proof: "its name fits this model and family alone".to_owned(),
    }
}

fn pool(id: &PoolId, mappings: [(QuotaKind, Mapping); 3]) -> Record {
    Record::Pool(Pool {
        id: id.clone(),
        burndown: Some(5.0),
        worth: None,
        mappings: mappings.into(),
    })
}

fn quota(region: &str, code: &str, applied: Option<f64>, default: Option<f64>) -> Record {
    Record::Quota(Quota {
        scope: scope(region),
        code: QuotaCode::new(code),
        name: format!("the quota {code} as the API names it"),
        applied: applied.map(amount),
        default: default.map(amount),
        adjustable: true,
        read_at: at("2026-11-24T02:50:00Z"),
        stale: None,
    })
}

/// Three hours of the same traffic up to two minutes ago.
fn traffic(book: &mut Book, pool: &PoolId, requests: f64, tokens: f64) {
    let from = minute("2026-11-24T00:10:00Z");
    let signals = [
        (Signal::Invocations, requests),
        (Signal::Throttles, 0.0),
        (Signal::ChargedTokens, tokens),
        (Signal::InputTokens, tokens / 2.0),
        (Signal::OutputTokens, tokens / 10.0),
        (Signal::Latency, 1_000.0),
    ];
    let reading = Reading {
        pool: pool.clone(),
        from,
        signals: signals
            .map(|(signal, value)| (signal, vec![Sample::Value(value); 180]))
            .into(),
        by_target: BTreeMap::new(),
    };
    book.series
        .entry(pool.clone())
        .or_default()
        .absorb(&reading);
    let read = Minute::of(now());
    book.apply(vec![Record::ReadThrough(pool.clone(), read)]);
}

/// One pool far from its limits; nothing open.
pub(super) fn quiet() -> (Book, Health) {
    let mut book = Book::default();
    let id = sonnet();
    book.apply(vec![
        pool(
            &id,
            [
                (QuotaKind::Tpm, mapped("L-00FF3314")),
                (QuotaKind::Rpm, mapped("L-4A6BFAB1")),
                (QuotaKind::Tpd, Mapping::Absent),
            ],
        ),
        quota("us-east-1", "L-00FF3314", Some(1_000_000.0), None),
        quota("us-east-1", "L-4A6BFAB1", None, Some(1_000.0)),
    ]);
    traffic(&mut book, &id, 120.0, 340_000.0);
    let normal = verdict(&id, QuotaKind::Tpm, "L-00FF3314", AlertState::Normal);
    let health = Health {
        started: Some(at("2026-11-23T08:00:00Z")),
        last_cycle: Some(now()),
        is_ready: true,
        cycles: 1_152,
        last_success: BTreeMap::from([
            (("read", scope("us-east-1")), at("2026-11-24T03:11:00Z")),
            (("discover", scope("us-east-1")), at("2026-11-24T02:50:00Z")),
        ]),
        failing: BTreeMap::new(),
        verdicts: BTreeMap::from([(id.clone(), vec![normal])]),
        calls: calls(),
        cost_usd: 0.092_16,
        stretch: 1.0,
        read_every: BTreeMap::new(),
        month: None,
        checks: BTreeMap::new(),
        outlooks: BTreeMap::from([((id, QuotaKind::Tpm), outlook())]),
        ..Health::default()
    };
    (book, health)
}

/// Use that grows by a tenth a day and passes a million in some days.
fn outlook() -> Outlook {
    let fan = (0..42_u32).map(|step| {
        let p50 = 400_000.0 * (1.0 + 0.1 * f64::from(step) / 6.0);
        let width = 10_000.0 * f64::from(step + 1);
        Quantiles {
            p10: p50 - width,
            p50,
            p90: p50 + width,
        }
    });
    Outlook {
        exhaustion: Exhaustion {
            origin: minute("2026-11-24T03:00:00Z"),
            p10: Some(5_970),
            p50: Some(17_310),
            p90: None,
            within_hour: 0.0,
            within_day: 0.002,
            within_week: 0.18,
            within_month: 0.83,
            after_day: 0.18,
            if_within_day: Some(1_230),
            if_within_week: Some(8_610),
            week_p95: 1_090_000.0,
        },
        fan: fan.collect(),
        card: Card {
            coverage: vec![
                Coverage {
                    hours: 1,
                    inside: 402.0,
                    compared: 500.0,
                },
                Coverage {
                    hours: 24,
                    inside: 130.0,
                    compared: 166.0,
                },
                Coverage {
                    hours: 168,
                    inside: 3.0,
                    compared: 4.0,
                },
            ],
            warnings: Warnings {
                right: 3,
                wrong: 1,
                moot: 2,
                missed: 1,
                leads: [2_940, 5_100, 1_300, 0, 0, 0, 0, 0],
            },
        },
    }
}

fn verdict(pool: &PoolId, kind: QuotaKind, code: &str, state: AlertState) -> Verdict {
    let since = minute("2026-11-24T02:30:00Z");
    let is_on = state.is_on();
    Verdict {
        rule: RuleName::new(format!("{kind}-high")),
        rule_hash: "0123456789ab".to_owned(),
        pool: pool.clone(),
        category: Category::Quota,
        severity: Severity::Warning,
        remedy: Remedy::RequestQuota,
        runbook: String::new(),
        quota: Some((kind, QuotaCode::new(code))),
        track: Track {
            state,
            since,
            through: minute("2026-11-24T02:57:00Z"),
            began: is_on.then_some(since),
            last_bad: is_on.then_some(since),
        },
        state,
        is_provisional: is_on,
        began: is_on.then_some(since),
        last_bad: is_on.then_some(since),
        past: Vec::new(),
        reasons: if is_on {
            vec![use_reason()]
        } else {
            Vec::new()
        },
    }
}

fn use_reason() -> Reason {
    Reason::QuotaUse {
        kind: QuotaKind::Tpm,
        code: QuotaCode::new("L-00FF3314"),
        minute: minute("2026-11-24T03:09:00Z"),
        used: amount(931_500.0),
        quota: amount(1_000_000.0),
        is_default: false,
        above: Share::from_basis_points(8_000).unwrap(),
        bad: 5,
        of: 5,
    }
}

fn calls() -> CallCounts {
    let mut calls = CallCounts::default();
    for (operation, requests, metrics) in [
        ("cloudwatch:GetMetricData", 1_152, 9_216),
        ("servicequotas:ListServiceQuotas", 190, 0),
    ] {
        let site = Site {
            scope: Some(scope("us-east-1")),
            operation: operation.to_owned(),
        };
        calls.add(site, Calls { requests, metrics });
    }
    calls
}

/// A month that would pass its budget at full cadence.
fn month() -> MonthCost {
    let site = |scope, operation: &str| Site {
        scope,
        operation: operation.to_owned(),
    };
    let made = |requests, metrics| Calls { requests, metrics };
    let home = Some(scope("us-east-1"));
    MonthCost {
        month: Month::named("2026-11").unwrap(),
        since: at("2026-11-01T00:00:00Z"),
        sites: vec![
            (site(None, "webhook:Post"), made(12, 0), 0.0),
            (
                site(home.clone(), "cloudwatch:GetMetricData"),
                made(33_120, 4_200_000),
                42.0,
            ),
            (
                site(home, "cloudwatch:GetMetricStatistics"),
                made(385_000, 0),
                3.85,
            ),
        ],
        so_far: Cost {
            list_usd: 45.85,
            usd: 42.0,
        },
        projected: Some(Cost {
            list_usd: 54.2,
            usd: 49.9,
        }),
        prices: "a price list, looked up 2026-11".to_owned(),
    }
}
