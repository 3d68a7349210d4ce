//! Tests of judging. A world is one pool with an RPM quota of 100, so that numbers are percent.

use proptest::prelude::*;

mod conditions;
mod planned;

use super::*;
use crate::model::{
    alert::AlertState,
    catalog::{Family, Mapping, PoolId},
    ids::{AccountId, ModelId, Region, RuleName},
    reason::Reason,
    rule::{Category, Condition, Remedy, Severity, Window},
    series::{Reading, SETTLE_MINUTES, Sample, Signal},
    time::DAY,
    units::{Amount, QuotaKind, Share},
};

pub(super) const START: Minute = Minute(20_000 * DAY);

fn share(percent: u16) -> Share {
    Share::from_basis_points(percent * 100).unwrap()
}

pub(super) fn pool_id() -> PoolId {
    PoolId {
        scope: Scope {
            account: AccountId::new("111122223333"),
            region: Region::new("us-east-1"),
        },
        family: Family::Geo,
        model: ModelId::new("anthropic.claude-sonnet-4-6"),
    }
}

fn code() -> QuotaCode {
    QuotaCode::new("L-15B8E632")
}

pub(super) fn pool() -> Pool {
    let mapped = Mapping::Mapped {
        code: code(),
        proof: "by name".to_owned(),
    };
    Pool {
        id: pool_id(),
        burndown: Some(5.0),
        worth: None,
        mappings: QuotaKind::ALL.map(|kind| (kind, mapped.clone())).into(),
    }
}

pub(super) fn quotas(applied: Option<f64>) -> BTreeMap<(Scope, QuotaCode), Quota> {
    let scope = pool_id().scope;
    let quota = Quota {
        scope: scope.clone(),
        code: code(),
        name: "requests per minute".to_owned(),
        applied: applied.and_then(Amount::new),
        default: None,
        adjustable: true,
        read_at: START.start(),
        stale: None,
    };
    BTreeMap::from([((scope, code()), quota)])
}

fn rule(condition: Condition, bad: u8, of: u8, clear_minutes: u8) -> Rule {
    Rule {
        name: RuleName::new("rule"),
        category: Category::Quota,
        severity: Severity::Warning,
        remedy: Remedy::RequestQuota,
        condition,
        window: Window::new(bad, of).unwrap(),
        clear_minutes,
        runbook: "look".to_owned(),
        hash: "0123456789ab".to_owned(),
    }
}

pub(super) fn share_rule() -> Rule {
    let condition = Condition::QuotaShare {
        kind: QuotaKind::Rpm,
        above: share(80),
        clear: share(70),
    };
    rule(condition, 3, 5, 3)
}

/// `"70x2 85x2 _ ? 70"`: two minutes at 70, two at 85, one without data, one unobserved, one at 70.
pub(super) fn samples(text: &str) -> Vec<Sample> {
    let mut samples = Vec::new();
    for word in text.split_whitespace() {
        let (what, times) = word.split_once('x').unwrap_or((word, "1"));
        let sample = match what {
            "_" => Sample::NoData,
            "?" => Sample::Unobserved,
            number => Sample::Value(number.parse().unwrap()),
        };
        samples.extend(std::iter::repeat_n(sample, times.parse().unwrap()));
    }
    samples
}

fn series_of(signals: &[(Signal, &str)]) -> PoolSeries {
    let mut series = PoolSeries::default();
    series.absorb(&Reading {
        pool: pool_id(),
        from: START,
        signals: signals
            .iter()
            .map(|(signal, text)| (*signal, samples(text)))
            .collect(),
        by_target: BTreeMap::new(),
    });
    series
}

/// Use in percent of the RPM quota, without a throttle.
pub(super) fn usage(text: &str) -> PoolSeries {
    let zeros = format!("0x{}", samples(text).len());
    series_of(&[(Signal::Invocations, text), (Signal::Throttles, &zeros)])
}

fn judge_at(
    rule: &Rule,
    series: &PoolSeries,
    track: Option<&Track>,
    known_until: Minute,
) -> Verdict {
    let quotas = quotas(Some(100.0));
    judge(
        rule,
        &pool(),
        series,
        &quotas,
        track,
        known_until,
        known_until.start(),
    )
    .unwrap()
}

/// One character a minute: the settled state after it. `.` normal, `-` pending, `!` alerting, `\` recovering, `~` no
/// data, `E` error.
fn timeline_of(rule: &Rule, series: &PoolSeries, minutes: i64) -> String {
    let mut track = Track {
        state: AlertState::NoData,
        since: START,
        through: START.plus(-1),
        began: None,
        last_bad: None,
    };
    let mut line = String::new();
    for after in 1..=minutes {
        let until = START.plus(after + SETTLE_MINUTES);
        let verdict = judge_at(rule, series, Some(&track), until);
        assert_eq!(verdict.track.through, START.plus(after - 1));
        track = verdict.track;
        line.push(letter(track.state));
    }
    line
}

fn timeline(text: &str) -> String {
    let minutes = i64::try_from(samples(text).len()).unwrap();
    timeline_of(&share_rule(), &usage(text), minutes)
}

const fn letter(state: AlertState) -> char {
    match state {
        AlertState::Normal => '.',
        AlertState::Pending => '-',
        AlertState::Alerting => '!',
        AlertState::Recovering => '\\',
        AlertState::NoData => '~',
        AlertState::Error => 'E',
    }
}

#[test]
fn m_of_n_counts_bad_minutes_wherever_they_lie_in_the_window() {
    assert_eq!(timeline("60x2 85 60 85 60 85 60"), "..----!\\");
    assert_eq!(timeline("85x2 60x5"), "------.");
    assert_eq!(timeline("80 79 80 79 80"), "----!", "80 % itself is bad");
}

#[test]
fn an_alert_ends_after_enough_good_minutes_in_a_row_and_not_between_the_lines() {
    // 75 % is neither bad (80 %) nor good (below 70 %).
    assert_eq!(timeline("85x3 60x4"), "--!\\\\--");
    assert_eq!(timeline("85x3 75x8"), "--!!!!!!!!!");
    assert_eq!(timeline("85x3 60 60 75 60 60 60 60"), "--!\\\\!\\\\..");
}

#[test]
fn a_gap_is_neither_bad_nor_good_and_holds_the_state() {
    assert_eq!(timeline("85x3 ?x4 _x4"), "--!!!!!!!!!");
    assert_eq!(timeline("85x3 60 60 ? 60 60 60"), "--!\\\\\\\\\\.");
    assert_eq!(timeline("85 ? 85 ? 85"), "----!");
    assert_eq!(timeline("60 ?x6"), ".....~~");
    assert_eq!(timeline("_ ? _"), "~~~");
}

#[test]
fn a_gap_says_how_long_and_why() {
    let verdict = judge_at(&share_rule(), &usage("60 ?x30"), None, START.plus(31));
    assert_eq!(verdict.state, AlertState::NoData);
    let [Reason::Gap { minutes: 5, why }] = verdict.reasons.as_slice() else {
        panic!("{:?}", verdict.reasons);
    };
    assert!(why.contains("requests per minute"), "{why}");
}

#[test]
fn unsettled_minutes_open_and_never_end_an_alert() {
    let (rule, series) = (share_rule(), usage("60x20 85x3 60x40"));
    let opened = judge_at(&rule, &series, None, START.plus(23));
    assert_eq!(opened.state, AlertState::Alerting);
    assert!(opened.is_provisional);
    assert_eq!(opened.track.state, AlertState::Normal);
    assert_eq!(opened.began, Some(START.plus(22)));
    // Twelve good minutes later all of them may still change.
    let held = judge_at(&rule, &series, Some(&opened.track), START.plus(35));
    assert_eq!(held.state, AlertState::Recovering);
    assert_eq!(held.began, Some(START.plus(22)));
    // The third good minute, 25, has settled when 41 begins.
    let almost = judge_at(&rule, &series, Some(&held.track), START.plus(40));
    assert_eq!(almost.state, AlertState::Recovering);
    let ended = judge_at(&rule, &series, Some(&almost.track), START.plus(41));
    assert_eq!(ended.state, AlertState::Normal);
    assert_eq!((ended.began, ended.last_bad), (None, None));
}

#[test]
fn minutes_settle_by_when_they_were_read_not_by_the_clock_alone() {
    let (rule, series, quotas) = (share_rule(), usage("85x3 60x40"), quotas(Some(100.0)));
    let late = START.plus(500).start();
    let verdict = judge(&rule, &pool(), &series, &quotas, None, START.plus(17), late).unwrap();
    assert_eq!(verdict.track.through, START.plus(1));
    assert!(verdict.state.is_on());
}

#[test]
fn late_data_of_an_unsettled_minute_is_taken_in() {
    let rule = share_rule();
    let early = judge_at(&rule, &usage("60x5 85x2 ?"), None, START.plus(8));
    assert_eq!(early.state, AlertState::Pending);
    let later = judge_at(
        &rule,
        &usage("60x5 85x3"),
        Some(&early.track),
        START.plus(8),
    );
    assert_eq!(later.state, AlertState::Alerting);
}

#[test]
fn what_came_and_went_in_a_pause_is_told_once() {
    let (rule, series) = (
        share_rule(),
        usage("60x10 85x4 60x20 90x5 60x20 95x3 60x4 60x20"),
    );
    let before = judge_at(&rule, &series, None, START.plus(5));
    let after = judge_at(&rule, &series, Some(&before.track), START.plus(86));
    let told: Vec<_> = after
        .past
        .iter()
        .map(|it| (it.began.since(START), it.ended.since(START)))
        .collect();
    assert_eq!(told, [(12, 16), (36, 41), (61, 64)]);
    assert_eq!(after.state, AlertState::Normal);
    let Some(Reason::QuotaUse { used, bad: 3, .. }) = after.past[2].reasons.first() else {
        panic!("{:?}", after.past[2].reasons);
    };
    assert_eq!(used.to_string(), "95");
    let again = judge_at(&rule, &series, Some(&after.track), START.plus(86));
    assert_eq!(again.past, []);
    assert_eq!(again.track, after.track);
}

#[test]
fn an_alert_that_was_known_before_is_not_told_as_past() {
    let (rule, series) = (share_rule(), usage("85x20 60x40"));
    let on = judge_at(&rule, &series, None, START.plus(25));
    assert_eq!(on.track.state, AlertState::Alerting);
    let off = judge_at(&rule, &series, Some(&on.track), START.plus(60));
    assert_eq!(off.state, AlertState::Normal);
    assert_eq!(off.past, []);
}

#[test]
fn all_pools_are_judged_up_to_where_they_were_read() {
    let mut book = Book::default();
    let mut other = pool();
    other.id.family = Family::Global;
    let mut never_read = pool();
    never_read.id.family = Family::OnDemand;
    book.quotas = quotas(Some(100.0));
    for (pool, until) in [(other, 30), (pool(), 23)] {
        book.read_through.insert(pool.id.clone(), START.plus(until));
        book.series
            .insert(pool.id.clone(), usage("60x20 85x3 60x20"));
        book.pools.insert(pool.id.clone(), pool);
    }
    book.pools.insert(never_read.id.clone(), never_read);
    let (mut second, first) = (share_rule(), share_rule());
    second.name = RuleName::new("a-rule");
    let verdicts = judge_all(
        &vec![first, second].into(),
        &book,
        &mut Taught::new(),
        START.plus(30).start(),
    );
    let seen: Vec<_> = verdicts
        .iter()
        .map(|it| (it.pool.family, it.rule.as_str(), it.state))
        .collect();
    assert_eq!(
        seen,
        [
            (Family::Geo, "a-rule", AlertState::Alerting),
            (Family::Geo, "rule", AlertState::Alerting),
            (Family::Global, "a-rule", AlertState::Recovering),
            (Family::Global, "rule", AlertState::Recovering),
        ]
    );
}

proptest! {
    /// However the minutes are cut into calls, and however often a call is repeated, the settled track is the same.
    #[test]
    fn one_go_and_many_steps_agree(
        levels in proptest::collection::vec(0_u8..8, 30..120),
        steps in proptest::collection::vec(0_i64..20, 1..30),
    ) {
        let words = levels.iter().map(|level| match level {
            0 => "?", 1 => "_", 2 | 3 => "60", 4 => "75", _ => "90",
        });
        let text = words.collect::<Vec<_>>().join(" ");
        let (rule, series) = (share_rule(), usage(&text));
        let end = START.plus(i64::try_from(levels.len()).unwrap());
        let whole = judge_at(&rule, &series, None, end);
        let first = judge_at(&rule, &series, None, START.plus(1));
        let mut track = None;
        let mut past = Vec::new();
        let mut at = START;
        prop_assert_eq!(first.track.through, START.plus(-1));
        for step in steps {
            at = at.plus(step).min(end);
            let verdict = judge_at(&rule, &series, track.as_ref(), at);
            past.extend(verdict.past);
            track = Some(verdict.track);
        }
        let last = judge_at(&rule, &series, track.as_ref(), end);
        prop_assert_eq!(last.track, whole.track);
        prop_assert_eq!(last.state, whole.state);
        prop_assert_eq!(last.reasons, whole.reasons);
        past.extend(last.past);
        for episode in past {
            prop_assert!(whole.past.contains(&episode));
        }
    }

    /// More evidence of trouble never makes the state milder.
    #[test]
    fn a_worse_minute_never_turns_an_alert_off(
        levels in proptest::collection::vec(0_u8..3, 20..60),
        which in 0_usize..20,
    ) {
        let text = |levels: &[u8]| {
            levels.iter().map(|it| ["60", "75", "90"][usize::from(*it)]).collect::<Vec<_>>().join(" ")
        };
        let end = START.plus(i64::try_from(levels.len()).unwrap());
        let mut worse = levels.clone();
        worse[which] = 2;
        let before = judge_at(&share_rule(), &usage(&text(&levels)), None, end);
        let after = judge_at(&share_rule(), &usage(&text(&worse)), None, end);
        prop_assert!(after.state.is_on() || !before.state.is_on());
    }
}
