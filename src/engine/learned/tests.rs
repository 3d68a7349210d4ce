//! What must hold of any pool: pieces come to the whole, a restart repeats nothing, and what may change ends nothing.

use super::*;
use crate::{
    config,
    model::{
        alert::AlertState,
        calendar::{Calendar, When, Whose, Window, WindowKind},
        catalog::{Family, Mapping, PoolId},
        ids::{AccountId, ModelId, Region},
        reason::Reason,
        series::Reading,
        time::DAY,
    },
};

const START: Minute = Minute(20_000 * DAY);
const DAYS: i64 = 6;
/// Errors for half an hour on the sixth day.
const TROUBLE: std::ops::Range<i64> = 5 * DAY + 600..5 * DAY + 630;
/// Of which failures are published late, but for the first ten minutes.
const END: Minute = START.plus(DAYS * DAY);

fn pool() -> Pool {
    let mapped = |kind: QuotaKind| {
        let code = QuotaCode::new(kind.name());
        let proof = "given".to_owned();
        (kind, Mapping::Mapped { code, proof })
    };
    Pool {
        id: PoolId {
            scope: Scope {
                account: AccountId::new("111122223333"),
                region: Region::new("us-east-1"),
            },
            family: Family::Geo,
            model: ModelId::new("anthropic.claude-sonnet-4-6"),
        },
        burndown: Some(5.0),
        worth: None,
        mappings: [QuotaKind::Rpm, QuotaKind::Tpm].map(mapped).into(),
    }
}

fn quota(kind: QuotaKind, value: f64) -> ((Scope, QuotaCode), Quota) {
    let (scope, code) = (pool().id.scope, QuotaCode::new(kind.name()));
    let quota = Quota {
        scope: scope.clone(),
        code: code.clone(),
        name: kind.unit().to_owned(),
        applied: Amount::new(value),
        default: None,
        adjustable: true,
        read_at: START.start(),
        stale: None,
    };
    ((scope, code), quota)
}

/// A day's rhythm with a fixed wobble and steady growth, and errors in `TROUBLE`.
#[expect(clippy::cast_precision_loss, reason = "minutes of some days")]
fn reading(growth: f64) -> Reading {
    let mut signals: BTreeMap<Signal, Vec<Sample>> = BTreeMap::new();
    for minute in 0..DAYS * DAY {
        let day = minute as f64 / DAY as f64;
        let wobble = ((minute * 7_919) % 101) as f64 / 100.0 - 0.5;
        let rhythm = 1.0 + 0.4 * (day * std::f64::consts::TAU).sin() + 0.1 * wobble;
        let requests = (200.0 * (1.0 + growth * day) * rhythm).round();
        let failed = if TROUBLE.contains(&minute) {
            0.2 * requests
        } else {
            0.0
        };
        for (signal, value) in [
            (Signal::Invocations, requests),
            (Signal::Throttles, 0.0),
            (Signal::ClientErrors, 0.0),
            (Signal::ServerErrors, failed.round()),
            (Signal::InputTokens, 1_000.0 * requests),
            (Signal::OutputTokens, 200.0 * requests),
            (Signal::ChargedTokens, 2_000.0 * requests),
            (Signal::Latency, 2_000.0 + 200.0 * wobble),
        ] {
            signals
                .entry(signal)
                .or_default()
                .push(Sample::Value(value));
        }
    }
    Reading {
        pool: pool().id,
        from: START,
        signals,
        by_target: BTreeMap::new(),
    }
}

fn series(growth: f64) -> PoolSeries {
    let mut series = PoolSeries::default();
    series.absorb(&reading(growth));
    series
}

/// A pool that is judged: what it has taught and where its rules stand.
struct Stand {
    pool: Pool,
    series: PoolSeries,
    quotas: BTreeMap<(Scope, QuotaCode), Quota>,
    rules: Vec<Rule>,
    windows: Windows,
    learned: Learned,
    tracks: BTreeMap<RuleName, Track>,
    /// Rule, whether it is on, and since when: each change once.
    told: Vec<(RuleName, bool, Minute)>,
    latest: Vec<Verdict>,
}

impl Stand {
    fn new(growth: f64) -> Self {
        Self {
            pool: pool(),
            series: series(growth),
            quotas: [quota(QuotaKind::Rpm, 5_000.0), quota(QuotaKind::Tpm, 1e9)].into(),
            rules: config::builtin_rules().unwrap(),
            windows: Windows::default(),
            learned: Learned::default(),
            tracks: BTreeMap::new(),
            told: Vec::new(),
            latest: Vec::new(),
        }
    }

    fn judge(&mut self, settled: Minute, until: Minute) {
        let rules: Vec<&Rule> = self.rules.iter().collect();
        let changes = BTreeMap::new();
        let ground = Ground {
            pool: &self.pool,
            series: &self.series,
            quotas: &self.quotas,
            changes: &changes,
            windows: self.windows.clone(),
            growth: Vec::new(),
        };
        let tracks = &self.tracks;
        let reach = Some(Reach { settled, until });
        self.latest =
            self.learned
                .judge(&rules, &ground, |rule| tracks.get(rule).copied(), |_| reach);
        for verdict in &self.latest {
            let old = self.tracks.insert(verdict.rule.clone(), verdict.track);
            for past in &verdict.past {
                self.told.push((verdict.rule.clone(), true, past.began));
                self.told.push((verdict.rule.clone(), false, past.ended));
            }
            let (was, is) = (
                old.is_some_and(|it| it.state.is_on()),
                verdict.track.state.is_on(),
            );
            if was != is {
                let at = verdict.track.began.unwrap_or(verdict.track.since);
                self.told.push((verdict.rule.clone(), is, at));
            }
        }
    }

    fn verdict(&self, rule: &str) -> &Verdict {
        let mut all = self.latest.iter();
        all.find(|it| it.rule.as_str() == rule).unwrap()
    }
}

#[test]
fn pieces_come_to_the_whole_and_each_change_is_told_once() {
    let (mut whole, mut pieces) = (Stand::new(0.0), Stand::new(0.0));
    whole.judge(END, END);
    let mut at = START;
    for step in [1, 7, 90, 15, 1_441].into_iter().cycle() {
        if END <= at {
            break;
        }
        at = at.plus(step).min(END);
        pieces.judge(at.plus(-20).max(START), at);
    }
    pieces.judge(END, END);
    assert_eq!(whole.learned, pieces.learned);
    assert_eq!(whole.tracks.len(), pieces.tracks.len());
    for (rule, track) in &whole.tracks {
        let other = pieces.tracks.get(rule).unwrap();
        assert_eq!(
            (track.state, track.through),
            (other.state, other.through),
            "{rule}"
        );
    }
    let errors: Vec<_> = pieces.told.iter().map(|it| (it.0.as_str(), it.1)).collect();
    assert_eq!(errors, [("server-errors", true), ("server-errors", false)]);
}

#[test]
fn an_older_copy_catches_up_without_telling_anything_again() {
    let mut stand = Stand::new(0.0);
    let middle = START.plus(TROUBLE.start + 12);
    stand.judge(middle.plus(-300), middle.plus(-300));
    let kept = postcard::to_stdvec(&stand.learned).unwrap();
    stand.judge(middle, middle);
    assert!(stand.verdict("server-errors").state.is_on());
    let told = stand.told.clone();

    let mut again = Stand::new(0.0);
    again.learned = postcard::from_bytes(&kept).unwrap();
    again.tracks.clone_from(&stand.tracks);
    again.judge(middle, middle);
    assert_eq!(again.told, []);
    assert_eq!(again.tracks, stand.tracks);
    let reasons = &again.verdict("server-errors").reasons;
    assert_eq!(*reasons, stand.verdict("server-errors").reasons);

    for stand in [&mut stand, &mut again] {
        stand.judge(END, END);
    }
    assert_eq!(stand.told[told.len()..], again.told);
    assert_eq!(stand.learned, again.learned);
}

#[test]
fn minutes_that_may_change_begin_an_alert_and_end_none() {
    let mut stand = Stand::new(0.0);
    let begun = START.plus(TROUBLE.start);
    stand.judge(begun, begun.plus(5));
    let verdict = stand.verdict("server-errors");
    assert_eq!(verdict.state, AlertState::Alerting);
    assert!(verdict.is_provisional && !verdict.track.state.is_on());
    let [Reason::Trouble { seen, usual, .. }] = verdict.reasons[..] else {
        panic!("{:?}", verdict.reasons);
    };
    assert!(0.15 < seen && usual < 0.01, "{seen} {usual}");
    let over = START.plus(TROUBLE.end);
    stand.judge(over, over.plus(60));
    assert_eq!(stand.verdict("server-errors").state, AlertState::Recovering);
    stand.judge(over.plus(60), over.plus(75));
    assert_eq!(stand.verdict("server-errors").state, AlertState::Normal);
}

#[test]
fn the_first_refused_request_is_worth_a_closer_look() {
    let mut stand = Stand::new(0.0);
    let at = START.plus(5 * DAY);
    let mut refused = reading(0.0);
    refused.from = at;
    refused.signals = BTreeMap::from([(Signal::Throttles, vec![Sample::Value(9.0)])]);
    stand.series.absorb(&refused);
    stand.judge(at, at.plus(1));
    let verdict = stand.verdict("throttles");
    assert_eq!(verdict.state, AlertState::Pending);
    assert!(
        matches!(verdict.reasons[..], [Reason::Trouble { .. }]),
        "{:?}",
        verdict.reasons
    );
    stand.judge(at, at.plus(5));
    assert_eq!(stand.verdict("throttles").state, AlertState::Pending);
    stand.judge(at, at.plus(6));
    assert_eq!(stand.verdict("throttles").state, AlertState::Normal);
}

#[test]
fn a_planned_window_is_neither_judged_nor_learned() {
    let mut stand = Stand::new(0.0);
    let (from, until) = (START.plus(TROUBLE.start), START.plus(TROUBLE.end));
    let calendar = Calendar {
        windows: vec![Window {
            name: "patching".to_owned(),
            kind: WindowKind::Maintenance,
            when: When::Once { from, until },
            whose: Whose::default(),
        }],
        growths: Vec::new(),
    };
    stand.windows = calendar.windows_of(&stand.pool.id);
    stand.judge(END, END);
    assert_eq!(stand.told, []);
    let mut other = Stand::new(0.0);
    other.series = PoolSeries::default();
    let mut reading = reading(0.0);
    for samples in reading.signals.values_mut() {
        for (minute, sample) in (0..).zip(samples) {
            if TROUBLE.contains(&minute) {
                *sample = Sample::Unobserved;
            }
        }
    }
    other.series.absorb(&reading);
    other.judge(END, END);
    assert_eq!(stand.learned, other.learned);
}

#[test]
fn a_day_without_an_answer_holds_the_alert_and_is_said_to_be_silent() {
    let mut stand = Stand::new(0.0);
    let middle = START.plus(TROUBLE.start + 12);
    stand.judge(middle, middle);
    let through = Minute::of(middle.start()).hour();
    stand.series = PoolSeries::default();
    stand.judge(through.plus(DAY), through.plus(DAY));
    assert_eq!(stand.verdict("server-errors").state, AlertState::Alerting);
    assert_eq!(stand.verdict("traffic-down").state, AlertState::NoData);
    assert!(!stand.verdict("traffic-down").reasons.is_empty());
}

#[test]
fn growth_is_warned_of_until_the_quota_is_another() {
    let mut stand = Stand::new(0.12);
    // Its peak passes a day or two after the last one that is known.
    stand.quotas.extend([quota(QuotaKind::Rpm, 490.0)]);
    stand.judge(END, END);
    let verdict = stand.verdict("rpm-forecast");
    assert!(verdict.state.is_on(), "{verdict:?}");
    let [
        Reason::RunsOut {
            exhaustion,
            used,
            quota: told,
            ..
        },
    ] = &verdict.reasons[..]
    else {
        panic!("{:?}", verdict.reasons);
    };
    assert!(0.3 < exhaustion.within_week, "{exhaustion:?}");
    assert!(used.get() < told.get());
    assert!(490.0 < exhaustion.week_p95, "{exhaustion:?}");
    assert!(!stand.verdict("tpm-forecast").state.is_on());

    let mut longer = series(0.12);
    let mut reading = Reading {
        pool: pool().id,
        from: END,
        signals: BTreeMap::new(),
        by_target: BTreeMap::new(),
    };
    for signal in [Signal::Invocations, Signal::Throttles] {
        let last = longer.window(signal, END.plus(-DAY), END.plus(-DAY + 30));
        reading.signals.insert(signal, last.collect());
    }
    longer.absorb(&reading);
    stand.series = longer;
    stand.quotas.extend([quota(QuotaKind::Rpm, 5_000.0)]);
    stand.judge(END.plus(30), END.plus(30));
    assert_eq!(stand.verdict("rpm-forecast").state, AlertState::Normal);
}

#[test]
fn a_quota_that_is_not_known_is_an_error_and_never_green() {
    let mut stand = Stand::new(0.0);
    stand.quotas.clear();
    stand.judge(END, END);
    assert_eq!(stand.verdict("rpm-forecast").state, AlertState::Error);
}

/// An account without a value of its own may take the default: its past is held to that, and not to nothing.
#[test]
fn before_the_first_value_of_its_own_the_default_held() {
    let (key, mut its) = quota(QuotaKind::Tpm, 4e6);
    its.default = Amount::new(1e6);
    let quotas = [(key.clone(), its)].into();
    let granted = START.plus(DAY);
    let change = QuotaChange {
        scope: key.0.clone(),
        code: key.1.clone(),
        old: None,
        new: Amount::new(4e6),
        at: granted.start(),
    };
    let changes = [((key.0, key.1.clone(), change.at), change)].into();
    let (pool, series) = (pool(), PoolSeries::default());
    let ground = Ground {
        pool: &pool,
        series: &series,
        quotas: &quotas,
        changes: &changes,
        windows: Windows::default(),
        growth: Vec::new(),
    };
    let yardstick = Yardstick::Broken {
        quota: Some((QuotaKind::Tpm, &key.1)),
        why: String::new(),
    };
    let limits = Limits::of(&ground, &yardstick);
    assert_eq!(limits.at(granted.plus(-1)), Some(1e6));
    assert_eq!(limits.at(granted), Some(4e6));
}
