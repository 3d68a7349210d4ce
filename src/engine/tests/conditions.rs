//! What makes a minute bad, condition by condition, and the profile.

use super::*;

#[test]
fn throttled_requests_count_as_use() {
    let series = series_of(&[
        (Signal::Invocations, "60x3"),
        (Signal::Throttles, "40x3"),
        (Signal::ChargedTokens, "60x3"),
    ]);
    let mut rule = share_rule();
    for kind in [QuotaKind::Rpm, QuotaKind::Tpm] {
        rule.condition = Condition::QuotaShare {
            kind,
            above: share(100),
            clear: share(70),
        };
        let verdict = judge_at(&rule, &series, None, START.plus(3));
        assert_eq!(verdict.state, AlertState::Alerting, "{kind}");
        let Some(Reason::QuotaUse { used, bad: 3, .. }) = verdict.reasons.first() else {
            panic!("{:?}", verdict.reasons);
        };
        assert_eq!(used.to_string(), "100", "{kind}");
    }
}

#[test]
fn unknown_throttles_can_prove_a_breach_and_never_its_absence() {
    let at = |level: &str| {
        let series = series_of(&[(Signal::Invocations, level), (Signal::Throttles, "?x5")]);
        judge_at(&share_rule(), &series, None, START.plus(5)).state
    };
    assert_eq!(at("85x5"), AlertState::Alerting);
    assert_eq!(at("60x5"), AlertState::NoData);
    let tokens = |charged: &str, through: &str, refused: &str| {
        let mut rule = share_rule();
        rule.condition = Condition::QuotaShare {
            kind: QuotaKind::Tpm,
            above: share(80),
            clear: share(70),
        };
        let series = series_of(&[
            (Signal::Invocations, through),
            (Signal::Throttles, refused),
            (Signal::ChargedTokens, charged),
        ]);
        judge_at(&rule, &series, None, START.plus(5)).state
    };
    assert_eq!(tokens("85x5", "9x5", "?x5"), AlertState::Alerting);
    assert_eq!(tokens("60x5", "9x5", "?x5"), AlertState::NoData);
    assert_eq!(
        tokens("0x5", "0x5", "9x5"),
        AlertState::NoData,
        "all refused"
    );
    assert_eq!(tokens("60x5", "9x5", "0x5"), AlertState::Normal);
    let never_throttled = series_of(&[(Signal::Invocations, "60x5"), (Signal::Throttles, "_x5")]);
    let verdict = judge_at(&share_rule(), &never_throttled, None, START.plus(5));
    assert_eq!(verdict.state, AlertState::Normal);
}

#[test]
fn errors_need_a_number_a_share_and_a_demand() {
    let condition = Condition::Count {
        of: Signal::ServerErrors,
        at_least: 5.0,
        share: share(5),
        min_demand: 20.0,
    };
    let state = |demand: &str, errors: &str| {
        let series = series_of(&[
            (Signal::Invocations, demand),
            (Signal::Throttles, "0x5"),
            (Signal::ServerErrors, errors),
        ]);
        let rule = rule(condition, 3, 5, 3);
        judge_at(&rule, &series, None, START.plus(5)).state
    };
    assert_eq!(state("100x5", "5x5"), AlertState::Alerting);
    assert_eq!(state("100x5", "4x5"), AlertState::Normal, "too few");
    assert_eq!(state("1000x5", "49x5"), AlertState::Normal, "below 5 %");
    assert_eq!(state("19x5", "19x5"), AlertState::Normal, "too small");
    assert_eq!(state("0x5", "50x5"), AlertState::Alerting, "all fail");
    assert_eq!(state("100x5", "_x5"), AlertState::Normal, "none failed");
    assert_eq!(state("_x5", "_x5"), AlertState::NoData);
    assert_eq!(state("100x5", "?x5"), AlertState::NoData);
    assert_eq!(state("?x5", "9x5"), AlertState::NoData);
}

#[test]
fn latency_without_requests_is_no_latency() {
    let condition = Condition::Slow {
        millis: 1_000.0,
        min_demand: 5.0,
    };
    let state = |demand: &str, latency: &str| {
        let series = series_of(&[
            (Signal::Invocations, demand),
            (Signal::Throttles, "0x5"),
            (Signal::Latency, latency),
        ]);
        let rule = rule(condition, 3, 5, 3);
        judge_at(&rule, &series, None, START.plus(5)).state
    };
    assert_eq!(state("10x5", "1000x5"), AlertState::Alerting);
    assert_eq!(state("4x5", "9000x5"), AlertState::Normal);
    assert_eq!(state("0x5", "_x5"), AlertState::Normal);
    assert_eq!(state("10x5", "_x5"), AlertState::NoData);
}

#[test]
fn a_quota_that_cannot_be_told_is_an_error_and_never_green() {
    let (rule, series, until) = (share_rule(), usage("60x40"), START.plus(40));
    let at = |pool: &Pool, quotas: &BTreeMap<_, _>| {
        judge(&rule, pool, &series, quotas, None, until, until.start())
    };
    for (applied, word) in [(Some(0.0), "blocked"), (None, "neither")] {
        let verdict = at(&pool(), &quotas(applied)).unwrap();
        assert_eq!(verdict.state, AlertState::Error);
        assert_eq!(verdict.track.state, AlertState::Error);
        assert!(verdict.reasons[0].to_string().contains(word));
    }
    let with = |mapping: Mapping| Pool {
        mappings: BTreeMap::from([(QuotaKind::Rpm, mapping)]),
        ..pool()
    };
    let candidates = vec![code(), QuotaCode::new("L-2")];
    let ambiguous = at(
        &with(Mapping::Ambiguous { candidates }),
        &quotas(Some(100.0)),
    )
    .unwrap();
    assert_eq!(ambiguous.state, AlertState::Error);
    assert_eq!(ambiguous.quota, None);
    let unknown = at(&with(Mapping::Unknown), &quotas(Some(100.0))).unwrap();
    assert_eq!(unknown.state, AlertState::Error);
    assert_eq!(at(&with(Mapping::Absent), &quotas(Some(100.0))), None);
}

#[test]
fn an_unreadable_quota_holds_an_alert() {
    let (rule, series) = (share_rule(), usage("85x20 60x40"));
    let on = judge_at(&rule, &series, None, START.plus(25));
    let until = START.plus(60);
    let unread = judge(
        &rule,
        &pool(),
        &series,
        &quotas(None),
        Some(&on.track),
        until,
        until.start(),
    )
    .unwrap();
    assert_eq!(unread.state, AlertState::Alerting);
    assert_eq!(unread.began, on.began);
}

#[test]
fn the_line_follows_the_quota_at_once() {
    let (rule, series, until) = (share_rule(), usage("85x60"), START.plus(60));
    let on = judge_at(&rule, &series, None, START.plus(50));
    let granted = judge(
        &rule,
        &pool(),
        &series,
        &quotas(Some(200.0)),
        Some(&on.track),
        until,
        until.start(),
    )
    .unwrap();
    assert_eq!(granted.state, AlertState::Normal);
}

#[test]
fn a_day_counts_from_midnight_and_only_when_known() {
    let mut rule = share_rule();
    rule.condition = Condition::QuotaShare {
        kind: QuotaKind::Tpd,
        above: share(80),
        clear: share(70),
    };
    let state = |text: &str| {
        let series = series_of(&[(Signal::ChargedTokens, text)]);
        let until = START.plus(i64::try_from(samples(text).len()).unwrap());
        judge_at(&rule, &series, None, until).state
    };
    assert_eq!(state("1x82"), AlertState::Alerting);
    assert_eq!(state("1x75"), AlertState::Normal);
    assert_eq!(
        state("1x40 ?x10 1x42"),
        AlertState::NoData,
        "10 of 92 unknown"
    );
    assert_eq!(state("1x40 ?x2 1x44"), AlertState::Alerting);
    assert_eq!(state(&format!("1x{DAY} 1x10")), AlertState::Recovering);
    assert_eq!(state(&format!("1x{DAY} 1x30")), AlertState::Normal);
}
