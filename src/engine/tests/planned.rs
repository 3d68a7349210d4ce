//! Minutes of a planned event: neither judged nor learned, and an alert that is on is held.

use super::*;
use crate::model::calendar::{When, Whose, Window as Planned, WindowKind};

/// A maintenance window from minute `from` up to minute `until` of the test.
fn calendar(from: i64, until: i64, whose: Whose) -> Calendar {
    Calendar {
        windows: vec![Planned {
            name: "patching".to_owned(),
            kind: WindowKind::Maintenance,
            when: When::Once {
                from: START.plus(from),
                until: START.plus(until),
            },
            whose,
        }],
        growths: Vec::new(),
    }
}

fn book(series: PoolSeries, read_through: Minute) -> Book {
    Book {
        pools: BTreeMap::from([(pool_id(), pool())]),
        quotas: quotas(Some(100.0)),
        series: BTreeMap::from([(pool_id(), series)]),
        read_through: BTreeMap::from([(pool_id(), read_through)]),
        ..Book::default()
    }
}

/// The verdict once everything before minute `after` has settled; a quarter of an hour more has been read.
fn verdict_at(calendar: &Calendar, rule: &Rule, series: &PoolSeries, after: i64) -> Verdict {
    let until = START.plus(after + SETTLE_MINUTES);
    let book = book(series.clone(), until);
    let due = BTreeSet::from([pool_id()]);
    let mut verdicts = judge_some(
        &vec![rule.clone()].into(),
        calendar,
        &book,
        &mut Taught::new(),
        &due,
        until.start(),
    );
    assert_eq!(verdicts.len(), 1);
    verdicts.remove(0)
}

#[test]
fn nothing_begins_in_a_window_and_the_reason_names_it() {
    let series = usage("60x10 95x20 60x60");
    let planned = calendar(10, 30, Whose::default());
    let during = verdict_at(&planned, &share_rule(), &series, 14);
    assert_eq!(during.state, AlertState::NoData);
    let [Reason::Gap { why, .. }] = &during.reasons[..] else {
        panic!("{:?}", during.reasons);
    };
    assert_eq!(why, "maintenance window \"patching\"");
    let later = verdict_at(&planned, &share_rule(), &series, 60);
    assert_eq!(later.state, AlertState::Normal);
    assert!(later.past.is_empty(), "{:?}", later.past);
    // Without the window it is an alert that came and went.
    let judged = verdict_at(&Calendar::default(), &share_rule(), &series, 60);
    assert_eq!(judged.past.len(), 1);
    // Neither does a window of other pools count.
    let other = Whose {
        models: vec!["amazon.*".to_owned()],
        ..Whose::default()
    };
    let judged = verdict_at(&calendar(10, 30, other), &share_rule(), &series, 60);
    assert_eq!(judged.past.len(), 1);
}

#[test]
fn an_alert_that_is_on_is_held_through_a_window() {
    let series = usage("60x10 95x10 60x70");
    let planned = calendar(20, 50, Whose::default());
    let held = verdict_at(&planned, &share_rule(), &series, 34);
    assert_eq!(held.state, AlertState::Alerting);
    assert_eq!(held.last_bad, Some(START.plus(19)));
    let over = verdict_at(&planned, &share_rule(), &series, 60);
    assert_eq!(over.state, AlertState::Normal);
}

#[test]
fn what_goes_on_after_a_window_is_told() {
    let planned = calendar(10, 30, Whose::default());
    let verdict = verdict_at(&planned, &share_rule(), &usage("60x10 95x60"), 40);
    assert_eq!(verdict.state, AlertState::Alerting);
    assert_eq!(verdict.began, Some(START.plus(32)));
}

#[test]
fn the_tokens_of_the_day_are_summed_through_a_window() {
    // 1 token a minute against 100 a day: 80 % are reached in minute 79, in the middle of the window.
    let condition = Condition::QuotaShare {
        kind: QuotaKind::Tpd,
        above: share(80),
        clear: share(70),
    };
    let rule = rule(condition, 3, 5, 3);
    let series = series_of(&[(Signal::ChargedTokens, "1x120")]);
    let verdict = verdict_at(&calendar(60, 90, Whose::default()), &rule, &series, 100);
    assert_eq!(verdict.state, AlertState::Alerting);
    assert_eq!(verdict.began, Some(START.plus(92)));
}
