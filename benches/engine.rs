//! What judging a pool costs: `cargo bench --bench engine`.
//!
//! Generated traffic of one pool: a day's rhythm, weekends, noise, an incident now and then. Each figure stands beside that
//! of a baseline that does the least the job can be done with, in the same run, so that a slow machine changes both:
//! - a minute of all detectors: beside a running mean and deviation of each of the seven signals;
//! - an hour of two quotas: beside the forecast "as a week ago", with the quantiles of its errors, made anew each quarter.
//!
//! `--series FILE` writes the hourly means that the forecast is made of, for `benches/beside_statsforecast.py`.
//! Linux only: memory is read from /proc.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods,
    reason = "a benchmark prints, and stops at what it did not expect"
)]

use std::{collections::BTreeMap, fs, hint::black_box, time::Instant};

use bedrock_ops_alert::{
    config,
    engine::{
        detect::{Detectors, Measured, Refusals, Watched},
        forecast::{Lookout, Seen},
        learned::{Ground, Learned, Reach},
    },
    model::{
        calendar::Windows,
        catalog::{Family, Mapping, Pool as CatalogPool, PoolId},
        ids::{AccountId, ModelId, QuotaCode, Region, Scope},
        quota::Quota,
        rule::{Condition, Rule, WarningRule},
        series::{PoolSeries, Reading, Sample, Signal},
        time::{DAY, HOUR, Minute},
        units::{Amount, QuotaKind},
    },
};

const START: Minute = Minute(20_000 * DAY);
/// What CloudWatch gives at the first start.
const PAST: i64 = 15 * DAY;
/// Pools that are held at once to see what memory they take.
const HELD: usize = 128;

/// All that is kept of one pool.
#[derive(Clone, Debug, Default)]
struct Pool {
    watched: Watched,
    refusals: Refusals,
    detectors: Detectors,
    lookouts: [Lookout; 2],
}

impl Pool {
    fn of_shipped_rules() -> Self {
        let rules = config::builtin_rules().unwrap();
        let sought = rules.iter().filter_map(|rule| match rule.condition {
            Condition::Unusual(sought) => Some(sought),
            _ => None,
        });
        Self {
            watched: Watched::of(sought),
            ..Self::default()
        }
    }
}

fn warning() -> WarningRule {
    let rules = config::builtin_rules().unwrap();
    let warning = rules.iter().find_map(|rule| match rule.condition {
        Condition::RunsOut { warning, .. } => Some(warning),
        _ => None,
    });
    warning.unwrap()
}

/// Requests, tokens charged, and all signals of a minute.
#[derive(Clone, Copy, Debug)]
struct Row {
    measured: Measured,
    wanted: [f64; 2],
}

fn main() {
    let rule = warning();
    let rows: Vec<Row> = traffic(PAST + 2 * DAY);
    println!("one pool: all detectors, and the forecasts of two quotas; x: times the baseline's");
    state(&rows[..usize::try_from(PAST + 2 * HOUR).unwrap()]);
    learning(&rows, &rule);
    let mut pool = caught_up(&rows);
    let detectors = per(DAY, || {
        for minute in PAST..PAST + DAY {
            black_box(detect(&mut pool, &rows, minute));
        }
    });
    let plain = per(DAY, || {
        plain_deviations(&rows[..usize::try_from(DAY).unwrap()])
    });
    line(
        "a minute of all detectors",
        detectors,
        "mean and deviation of 7 signals",
        plain,
    );
    let lookouts = per(DAY / HOUR, || {
        for minute in PAST..PAST + DAY {
            look_out(&mut pool, &rows, minute, &rule);
        }
    });
    let naive = per(1, || {
        for _ in 0..2 * 4 {
            black_box(as_a_week_ago(&rows));
        }
    });
    line(
        "an hour of two quotas, fits each quarter",
        lookouts,
        "as a week ago",
        naive,
    );
    let quantiles = per(20, || {
        for _ in 0..20 {
            let forecast = pool.lookouts[1].forecast().unwrap();
            black_box(forecast.quantiles(forecast.origin(), HOUR, 168));
        }
    });
    write_series(&rows);
    let naive = per(1, || _ = black_box(as_a_week_ago(&rows)));
    line(
        "one fit and a week of hourly quantiles",
        quantiles,
        "as a week ago",
        naive,
    );
}

/// The first fifteen days, as they are read at the first start, beside pushing each minute.
fn learning(rows: &[Row], rule: &WarningRule) {
    let pushed = per(1, || {
        let mut pool = Pool::of_shipped_rules();
        for minute in 0..PAST {
            detect(&mut pool, rows, minute);
            look_out(&mut pool, rows, minute, rule);
        }
        black_box(&pool);
    });
    let caught_up = per(1, || _ = black_box(caught_up(rows)));
    line(
        "15 days caught up with",
        caught_up,
        "each minute pushed",
        pushed,
    );
}

/// All that the daemon holds of what a pool has taught, an hour after the first start: chances are remembered then.
fn state(rows: &[Row]) {
    let rules = config::builtin_rules().unwrap();
    let rules: Vec<&Rule> = rules
        .iter()
        .filter(|it| it.condition.is_learned())
        .collect();
    let (pool, quotas, series) = (catalog_pool(), quotas(), series(rows));
    let changes = BTreeMap::new();
    let ground = Ground {
        pool: &pool,
        series: &series,
        quotas: &quotas,
        changes: &changes,
        windows: Windows::default(),
        growth: Vec::new(),
    };
    let taught = || {
        let (mut learned, start) = (Learned::default(), START.plus(PAST));
        learned.learn(&rules, &ground, start);
        for minute in 1..=HOUR {
            let reach = Reach {
                settled: start.plus(minute),
                until: start.plus(minute + 20),
            };
            learned.judge(&rules, &ground, |_| None, |_| Some(reach));
        }
        assert!(
            learned
                .outlooks()
                .filter(|it| it.exhaustion.is_some())
                .count()
                == 2
        );
        learned
    };
    let first: Vec<Learned> = (0..HELD).map(|_| taught()).collect(); // they fill what was freed before
    let before = resident();
    let held: Vec<Learned> = (0..HELD).map(|_| taught()).collect();
    let each = (resident() - before) / held.len() as f64;
    drop(first);
    println!(
        "{:<42} {each:>10.0} B   of which inline {} B",
        "state after 15 days",
        size_of::<Learned>()
    );
}

const RPM_AND_TPM: [(QuotaKind, f64); 2] = [(QuotaKind::Rpm, 400.0), (QuotaKind::Tpm, 800_000.0)];

fn code(kind: QuotaKind) -> QuotaCode {
    QuotaCode::new(kind.name())
}

fn catalog_pool() -> CatalogPool {
    let mapping = |kind| match RPM_AND_TPM.iter().find(|it| it.0 == kind) {
        Some(_) => Mapping::Mapped {
            code: code(kind),
            proof: "given".to_owned(),
        },
        None => Mapping::Absent,
    };
    CatalogPool {
        id: PoolId {
            scope: Scope {
                account: AccountId::new("111122223333"),
                region: Region::new("us-east-1"),
            },
            family: Family::Geo,
            model: ModelId::new("model"),
        },
        burndown: Some(5.0),
        worth: None,
        mappings: QuotaKind::ALL.map(|kind| (kind, mapping(kind))).into(),
    }
}

fn quotas() -> BTreeMap<(Scope, QuotaCode), Quota> {
    let scope = catalog_pool().id.scope;
    let quota = |(kind, value)| Quota {
        scope: scope.clone(),
        code: code(kind),
        name: kind.unit().to_owned(),
        applied: Amount::new(value),
        default: None,
        adjustable: true,
        read_at: START.start(),
        stale: None,
    };
    RPM_AND_TPM
        .map(|it| ((scope.clone(), code(it.0)), quota(it)))
        .into()
}

/// A signal, and where a row has it.
type Column = (Signal, fn(&Row) -> Sample);

fn series(rows: &[Row]) -> PoolSeries {
    let signals: [Column; 8] = [
        (Signal::Invocations, |row| row.measured.invocations),
        (Signal::Throttles, |row| row.measured.throttles),
        (Signal::ClientErrors, |row| row.measured.client_errors),
        (Signal::ServerErrors, |row| row.measured.server_errors),
        (Signal::InputTokens, |row| row.measured.input_tokens),
        (Signal::OutputTokens, |row| row.measured.output_tokens),
        (Signal::ChargedTokens, |row| Sample::Value(row.wanted[1])),
        (Signal::Latency, |row| row.measured.latency),
    ];
    let mut series = PoolSeries::default();
    for (from, rows) in (0_i64..).zip(rows.chunks(60)) {
        let of = |of: fn(&Row) -> Sample| rows.iter().map(of).collect();
        series.absorb(&Reading {
            pool: catalog_pool().id,
            from: START.plus(from * HOUR),
            signals: signals.map(|(signal, value)| (signal, of(value))).into(),
            by_target: BTreeMap::new(),
        });
    }
    series
}

fn line(what: &str, seconds: f64, baseline: &str, other: f64) {
    println!(
        "{what:<42} {:>10.2} us   {baseline}: {:.2} us (x{:.2})",
        seconds * 1e6,
        other * 1e6,
        seconds / other
    );
}

/// Seconds of one of `times` things that `run` does.
fn per(times: i64, run: impl FnOnce()) -> f64 {
    let began = Instant::now();
    run();
    began.elapsed().as_secs_f64() / times as f64
}

fn caught_up(rows: &[Row]) -> Pool {
    let mut pool = Pool::of_shipped_rules();
    for minute in 0..PAST {
        detect(&mut pool, rows, minute);
        for (kind, lookout) in pool.lookouts.iter_mut().enumerate() {
            lookout.catch_up(&seen(rows, minute, kind), &[]);
        }
    }
    pool
}

fn detect(pool: &mut Pool, rows: &[Row], minute: i64) -> usize {
    let seen = &rows[usize::try_from(minute).unwrap()].measured;
    let (at, watched) = (START.plus(minute), &pool.watched);
    let refused = pool
        .refusals
        .push(at, seen.invocations, seen.throttles, watched);
    pool.detectors.push(at, seen, watched).len() + usize::from(refused.is_some())
}

fn look_out(pool: &mut Pool, rows: &[Row], minute: i64, rule: &WarningRule) {
    for (kind, lookout) in pool.lookouts.iter_mut().enumerate() {
        black_box(lookout.push(&seen(rows, minute, kind), rule, &[]));
    }
}

fn seen(rows: &[Row], minute: i64, kind: usize) -> Seen {
    let row = &rows[usize::try_from(minute).unwrap()];
    Seen {
        minute: START.plus(minute),
        wanted: Sample::Value(row.wanted[kind]),
        throttles: row.measured.throttles,
        quota: Some([400.0, 800_000.0][kind]),
        doubt: 0.0,
    }
}

fn traffic(minutes: i64) -> Vec<Row> {
    let mut random = fastrand::Rng::with_seed(1);
    let row = |minute: i64| {
        let day = minute as f64 / DAY as f64;
        let rhythm = 1.0 + 0.5 * (day * std::f64::consts::TAU).sin();
        let weekend = if 5 <= (minute / DAY) % 7 { 0.6 } else { 1.0 };
        let requests = (200.0 * rhythm * weekend * (0.8 + 0.4 * random.f64())).round();
        let input = requests * (1_000.0 + 100.0 * random.f64());
        let output = requests * (250.0 + 50.0 * random.f64());
        let is_bad = minute % (3 * DAY) < 40;
        let errors = if is_bad { 0.1 * requests } else { 0.0 }.round();
        Row {
            measured: Measured {
                invocations: Sample::Value(requests),
                throttles: Sample::Value(0.0),
                client_errors: Sample::Value((random.f64() * 1.2).floor()),
                server_errors: Sample::Value(errors),
                input_tokens: Sample::Value(input),
                output_tokens: Sample::Value(output),
                latency: Sample::Value(900.0 + 12.0 * output / requests.max(1.0)),
            },
            wanted: [requests, input + 5.0 * output],
        }
    };
    (0..minutes).map(row).collect()
}

/// The baseline of the detectors.
fn plain_deviations(rows: &[Row]) {
    let mut state = [(0.0, 1.0); 7];
    for row in rows {
        let it = &row.measured;
        let signals = [
            it.invocations,
            it.throttles,
            it.client_errors,
            it.server_errors,
            it.input_tokens,
            it.output_tokens,
            it.latency,
        ];
        for ((mean, variance), sample) in state.iter_mut().zip(signals) {
            let Some(value) = sample.value() else {
                continue;
            };
            let away = value - *mean;
            black_box(away / f64::sqrt(*variance));
            *mean += 0.01 * away;
            *variance += 0.01 * (away * away - *variance);
        }
    }
}

/// One number a line, where `--series FILE` asks for it.
fn write_series(rows: &[Row]) {
    let mut words = std::env::args().skip_while(|it| it != "--series").skip(1);
    if let Some(file) = words.next() {
        let lines: String = hours(rows).iter().map(|it| format!("{it}\n")).collect();
        fs::write(file, lines).unwrap();
    }
}

/// The hourly means of what is charged, over the fifteen days that are known when the forecast is made.
fn hours(rows: &[Row]) -> Vec<f64> {
    let [from, until] = [DAY, DAY + PAST].map(|it| usize::try_from(it).unwrap());
    rows[from..until]
        .chunks_exact(60)
        .map(|hour| hour.iter().map(|row| row.wanted[1]).sum::<f64>() / 60.0)
        .collect()
}

/// The baseline of the forecast: each hour as a week ago, between the tenths of how wrong that was.
fn as_a_week_ago(rows: &[Row]) -> Vec<[f64; 3]> {
    let hours = hours(rows);
    let mut errors: Vec<f64> = hours
        .iter()
        .zip(&hours[168..])
        .map(|(a, b)| b - a)
        .collect();
    errors.sort_by(f64::total_cmp);
    let tenth = |part: usize| errors[part * (errors.len() - 1) / 10];
    let week = &hours[hours.len() - 168..];
    week.iter()
        .map(|it| [it + tenth(1), *it, it + tenth(9)])
        .collect()
}

/// Bytes.
fn resident() -> f64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: f64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096.0
}
