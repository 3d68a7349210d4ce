//! Laws of forecasting: whatever the numbers are, these hold.

use super::{warning::Watch, *};
use crate::model::{
    rule::{Chance, Climb, Severity, Standing, WarningRule},
    time::DAY,
    units::Share,
};

const START: Minute = Minute(20_000 * DAY);

fn percent(percent: u16) -> Share {
    Share::from_basis_points(percent * 100).unwrap()
}

fn rule() -> WarningRule {
    WarningRule {
        ahead: Chance {
            use_share: percent(45),
            chance: percent(38),
        },
        near: Chance {
            use_share: percent(85),
            chance: percent(30),
        },
        climb: Some(Climb {
            use_share: percent(45),
            usual: percent(33),
            within_minutes: 360,
        }),
        soon: Standing {
            chance: percent(80),
            minutes: 15,
        },
        early: Severity::Info,
        again_minutes: 5 * DAY,
        quiet_minutes: 7 * DAY,
    }
}

/// A day's rhythm around 100 with a fixed wobble, growing by `growth` a day.
#[expect(clippy::cast_precision_loss, reason = "minutes of some weeks")]
fn traffic(minute: i64, growth: f64) -> f64 {
    let day = minute as f64 / DAY as f64;
    let wobble = ((minute * 7_919) % 101) as f64 / 100.0 - 0.5;
    (1.0 + growth * day) * (100.0 + 50.0 * (day * std::f64::consts::TAU).sin() + 10.0 * wobble)
}

fn fed(minutes: i64, sample: impl Fn(i64) -> Sample) -> Forecaster {
    let mut forecaster = Forecaster::default();
    for minute in 0..minutes {
        forecaster.push(START.plus(minute), sample(minute), &[]);
    }
    forecaster
}

fn steady(minutes: i64, growth: f64) -> Forecaster {
    fed(minutes, |minute| Sample::Value(traffic(minute, growth)))
}

fn day_ahead(forecaster: &Forecaster) -> Vec<Quantiles> {
    let forecast = forecaster.forecast(&[]).unwrap();
    forecast.quantiles(forecast.origin(), 60, 24)
}

#[test]
fn a_day_of_rhythm_is_forecast_within_a_few_percent() {
    let ahead = day_ahead(&steady(10 * DAY, 0.0));
    for (hour, seen) in (0..).zip(&ahead) {
        let truth: f64 = (0..60)
            .map(|it| traffic(10 * DAY + 60 * hour + it, 0.0))
            .sum();
        let truth = truth / 60.0;
        let error = (seen.p50 - truth).abs() / truth;
        assert!(error < 0.06, "hour {hour}: {} for {truth}", seen.p50);
        assert!(seen.p10 <= seen.p50 && seen.p50 <= seen.p90, "{seen:?}");
    }
}

#[test]
fn growth_is_carried_on() {
    let forecast = steady(14 * DAY, 0.05).forecast(&[]).unwrap();
    let week = forecast.quantiles(forecast.origin(), 60, 168);
    let mean = |day: usize| {
        week[24 * day..24 * day + 24]
            .iter()
            .map(|it| it.p50)
            .sum::<f64>()
            / 24.0
    };
    let truth = (1.0 + 0.05 * 20.5) / (1.0 + 0.05 * 14.5);
    let grown = mean(6) / mean(0);
    assert!((grown / truth - 1.0).abs() < 0.08, "{grown} for {truth}");
}

#[test]
fn a_thousand_times_the_traffic_is_a_thousand_times_the_forecast() {
    let small = steady(9 * DAY, 0.01);
    let large = fed(9 * DAY, |minute| {
        Sample::Value(1_000.0 * traffic(minute, 0.01))
    });
    for (small, large) in day_ahead(&small).iter().zip(day_ahead(&large)) {
        for (small, large) in [
            (small.p10, large.p10),
            (small.p50, large.p50),
            (small.p90, large.p90),
        ] {
            assert!(
                (large / (1_000.0 * small) - 1.0).abs() < 0.01,
                "{small} {large}"
            );
        }
    }
    let (small, large) = (small.forecast(&[]).unwrap(), large.forecast(&[]).unwrap());
    let (small, large) = (
        small.exhaustion(180.0).unwrap(),
        large.exhaustion(180_000.0).unwrap(),
    );
    assert!(
        (small.within_week - large.within_week).abs() < 0.02,
        "{small:?} {large:?}"
    );
}

#[test]
fn absence_is_not_zero() {
    let gap = |minute: i64| (8 * DAY + 400..8 * DAY + 1_000).contains(&minute);
    let whole = day_ahead(&steady(9 * DAY, 0.0));
    for missing in [Sample::NoData, Sample::Unobserved] {
        let holed = fed(9 * DAY, |minute| {
            if gap(minute) {
                missing
            } else {
                Sample::Value(traffic(minute, 0.0))
            }
        });
        for (whole, holed) in whole.iter().zip(day_ahead(&holed)) {
            assert!(
                (holed.p50 / whole.p50 - 1.0).abs() < 0.05,
                "{whole:?} {holed:?}"
            );
        }
    }
    let silent = fed(9 * DAY, |minute| {
        Sample::Value(if gap(minute) {
            0.0
        } else {
            traffic(minute, 0.0)
        })
    });
    let lower = whole
        .iter()
        .zip(day_ahead(&silent))
        .filter(|(whole, silent)| silent.p50 < 0.95 * whole.p50);
    assert!(
        6 <= lower.count(),
        "ten hours of nothing are something else"
    );
}

#[test]
fn minutes_left_out_are_gaps_and_minutes_of_the_past_are_passed_over() {
    let told = fed(3 * DAY, |minute| match minute % 100 {
        0..10 => Sample::Unobserved,
        _ => Sample::Value(traffic(minute, 0.0)),
    });
    let mut left_out = Forecaster::default();
    for minute in (0..3 * DAY).filter(|minute| !(0..10).contains(&(minute % 100))) {
        left_out.push(START.plus(minute), Sample::Value(traffic(minute, 0.0)), &[]);
        left_out.push(START.plus(minute), Sample::Value(1e9), &[]);
    }
    assert_eq!(day_ahead(&told).len(), day_ahead(&left_out).len());
    for (told, left_out) in day_ahead(&told).iter().zip(day_ahead(&left_out)) {
        assert!(
            (told.p50 / left_out.p50 - 1.0).abs() < 1e-9,
            "{told:?} {left_out:?}"
        );
    }
}

#[test]
fn a_restart_changes_nothing() {
    let sample = |minute: i64| Seen {
        minute: START.plus(minute),
        wanted: Sample::Value(traffic(minute, 0.06)),
        throttles: Sample::Value((traffic(minute, 0.06) - 260.0).max(0.0)),
        quota: Some(260.0),
        doubt: 0.0,
    };
    let mut running = Lookout::default();
    let mut restarted = Lookout::default();
    let mut told = 0;
    for minute in 0..13 * DAY {
        if minute % 1_009 == 0 {
            let (forecaster, watch) = restarted.kept();
            restarted = Lookout::resume(forecaster.clone(), watch.clone(), &[]);
        }
        let here = running.push(&sample(minute), &rule(), &[]);
        assert_eq!(
            here,
            restarted.push(&sample(minute), &rule(), &[]),
            "minute {minute}"
        );
        told += u32::from(here.is_some());
    }
    assert_eq!(running.forecast(), restarted.forecast());
    assert!((1..20).contains(&told), "{told} warnings");
}

#[test]
fn catching_up_leaves_the_same_behind_as_pushing() {
    let seen = |minute: i64| Seen {
        minute: START.plus(minute),
        wanted: Sample::Value(traffic(minute, 0.02)),
        throttles: Sample::Value(0.0),
        quota: Some(150.0), // what goes through above it is learned
        doubt: 0.0,
    };
    let event = [Growth {
        from: START.plus(9 * DAY),
        factor: 1.2,
    }];
    let (mut pushed, mut caught_up) = (Lookout::default(), Lookout::default());
    let mut told = 0;
    for minute in 0..9 * DAY + 7 {
        told += i32::from(pushed.push(&seen(minute), &rule(), &event).is_some());
        caught_up.catch_up(&seen(minute), &event);
    }
    assert!(0 < told);
    assert_eq!(pushed.kept().0, caught_up.kept().0);
    assert_eq!(pushed.forecast(), caught_up.forecast());
    assert!(pushed.exhaustion(200.0).is_some());
    assert_eq!(pushed.exhaustion(200.0), caught_up.exhaustion(200.0));
    assert_eq!(pushed.exhaustion(150.0), caught_up.exhaustion(150.0));
    let now = (9 * DAY + 7..9 * DAY + 40)
        .find_map(|minute| caught_up.push(&seen(minute), &rule(), &event));
    assert!(now.is_some(), "what is true now is told now");
}

#[test]
fn a_new_quota_is_answered_at_once() {
    let mut lookout = Lookout::default();
    let push = |lookout: &mut Lookout, minute: i64, quota: f64| {
        let seen = Seen {
            minute: START.plus(minute),
            wanted: Sample::Value(traffic(minute, 0.02)),
            throttles: Sample::Value(0.0),
            quota: Some(quota),
            doubt: 0.0,
        };
        lookout.push(&seen, &rule(), &[])
    };
    for minute in 0..9 * DAY {
        push(&mut lookout, minute, 1_000.0);
    }
    assert!(lookout.exhaustion(1_000.0).unwrap().within_week < 0.05);
    let tight = lookout.exhaustion(150.0).unwrap();
    assert!(0.9 < tight.within_day, "{tight:?}");
    assert!(
        tight.p10 <= tight.p50 && tight.p50 <= tight.p90,
        "{tight:?}"
    );
    // The minute it is lowered, by the fit that is there.
    let told = push(&mut lookout, 9 * DAY, 150.0);
    let later = (1..40).find_map(|by| push(&mut lookout, 9 * DAY + by, 150.0));
    assert!(
        told.or(later).is_some(),
        "nothing was told of a quota that cannot do"
    );
}

#[test]
fn chances_grow_with_time_and_shrink_with_the_quota() {
    let forecast = steady(12 * DAY, 0.03).forecast(&[]).unwrap();
    let mut last = f64::INFINITY;
    for quota in [120.0, 180.0, 220.0, 260.0, 320.0, 500.0] {
        let seen = forecast.exhaustion(quota).unwrap();
        let chances = [
            seen.within_hour,
            seen.within_day,
            seen.within_week,
            seen.within_month,
        ];
        assert!(chances.is_sorted(), "{seen:?}");
        assert!(
            chances.iter().all(|it| (0.0..=1.0).contains(it)),
            "{seen:?}"
        );
        assert!(seen.within_week <= last, "{seen:?}");
        last = seen.within_week;
    }
    assert!(forecast.exhaustion(0.0).is_none() && forecast.exhaustion(f64::NAN).is_none());
}

#[test]
fn one_touched_minute_is_no_exhaustion_and_three_of_five_are() {
    let chances = steady(9 * DAY, 0.0)
        .forecast(&[])
        .unwrap()
        .exhaustion(100.0)
        .unwrap();
    let told_after = |throttled: fn(i64) -> bool| {
        let mut watch = Watch::default();
        let mut told = 0;
        for minute in 0..60 {
            let throttles = Sample::Value(if throttled(minute) { 5.0 } else { 0.0 });
            // Use begins once the throttling is over.
            let wanted = Sample::Value(if minute < 40 { 10.0 } else { 95.0 });
            let minute = START.plus(minute);
            let seen = Seen {
                minute,
                wanted,
                throttles,
                quota: Some(100.0),
                doubt: 0.0,
            };
            let Some(used) = watch.see(&seen, 100.0, None) else {
                continue;
            };
            let warning = watch.judge(&rule(), minute, (used, 100.0), chances, None);
            told += u32::from(START.plus(40) <= minute && warning.is_some());
        }
        told
    };
    assert!(
        0 < told_after(|minute| minute < 5 && minute % 5 == 0),
        "one minute mutes nothing"
    );
    assert_eq!(
        told_after(|minute| (5..8).contains(&minute)),
        0,
        "people know by then"
    );
}

/// What is told in the four hours after nine quiet days, when traffic is so many times the usual then.
fn told_of(times: impl Fn(i64) -> f64) -> Vec<Way> {
    let mut lookout = Lookout::default();
    let begins = 9 * DAY + 600;
    let mut told = Vec::new();
    for minute in 0..begins + 240 {
        let times = if minute < begins {
            1.0
        } else {
            times(minute - begins)
        };
        let seen = Seen {
            minute: START.plus(minute),
            wanted: Sample::Value(times * traffic(minute, 0.0)),
            throttles: Sample::Value(0.0),
            quota: Some(1_000.0),
            doubt: 0.0,
        };
        told.extend(lookout.push(&seen, &rule(), &[]).map(|it| it.way));
    }
    told
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "minutes of some hours")]
fn a_launch_is_told_on_its_way_up_and_a_jump_is_not() {
    assert_eq!(told_of(|_| 1.0), []);
    assert_eq!(told_of(|_| 6.0), [], "a jump is the detectors' business");
    let launch = |after: i64| 1.0 + 12.0 * after as f64 / 240.0;
    assert_eq!(told_of(launch).first(), Some(&Way::Climb));
    let small = |after: i64| 1.0 + 0.8 * after as f64 / 240.0;
    assert_eq!(told_of(small), [], "less than three times the usual");
}

#[test]
fn what_went_through_above_the_quota_is_no_exhaustion_the_next_time() {
    let after = |throttles| {
        let mut watch = Watch::default();
        for minute in 0..20 {
            let seen = Seen {
                minute: START.plus(minute),
                wanted: Sample::Value(108.0),
                throttles,
                quota: Some(100.0),
                doubt: 0.0,
            };
            watch.see(&seen, 100.0, None);
        }
        watch
    };
    let watch = after(Sample::Value(0.0));
    assert!((watch.limit(100.0) - 108.0).abs() < 1e-9);
    assert!(
        (watch.limit(120.0) - 120.0).abs() < 1e-9,
        "another quota proves itself"
    );
    let blind = after(Sample::Unobserved);
    assert!(
        (blind.limit(100.0) - 100.0).abs() < 1e-9,
        "throttles that are not known are not none"
    );
}

#[test]
fn announced_growth_raises_what_lies_behind_it_and_is_kept_when_it_comes_true() {
    let event = Growth {
        from: START.plus(10 * DAY + 720),
        factor: 1.4,
    };
    let before = steady(10 * DAY, 0.0);
    let (plain, raised) = (
        before.forecast(&[]).unwrap(),
        before.forecast(&[event]).unwrap(),
    );
    let ratio = |at: i64| {
        let of = |it: &Forecast| it.quantiles(START.plus(at), 60, 1)[0].p50;
        of(&raised) / of(&plain)
    };
    assert!((ratio(10 * DAY + 600) - 1.0).abs() < 1e-9);
    assert!((ratio(10 * DAY + 900) - 1.4).abs() < 1e-9);
    let mut after = Forecaster::default();
    for minute in 0..11 * DAY {
        let factor = if event.from <= START.plus(minute) {
            1.4
        } else {
            1.0
        };
        after.push(
            START.plus(minute),
            Sample::Value(factor * traffic(minute, 0.0)),
            &[event],
        );
    }
    let forecast = after.forecast(&[event]).unwrap();
    let noon = forecast.quantiles(START.plus(12 * DAY + 360), 60, 1)[0].p50;
    assert!((noon / (1.4 * 150.0) - 1.0).abs() < 0.06, "{noon}");
}

#[test]
fn nothing_and_little_have_no_forecast() {
    assert!(Forecaster::default().forecast(&[]).is_none());
    assert!(steady(DAY - 1, 0.0).forecast(&[]).is_none());
    let young = steady(2 * DAY - 15, 0.0).forecast(&[]).unwrap();
    assert!(young.exhaustion(100.0).is_none(), "too young for chances");
    let older = steady(2 * DAY, 0.0).forecast(&[]).unwrap();
    assert!(older.exhaustion(100.0).is_some());
    assert!(fed(9 * DAY, |_| Sample::Value(0.0)).forecast(&[]).is_none());
    assert!(fed(9 * DAY, |_| Sample::Unobserved).forecast(&[]).is_none());
}

/// Minutes that may still change are looked at again and again, on a copy each time. What was reckoned of them is
/// remembered, and never where they came otherwise.
#[test]
#[expect(clippy::cast_precision_loss, reason = "minutes of some days")]
fn what_is_remembered_of_a_look_ahead_is_what_a_fresh_look_finds() {
    let seen = |minute: Minute, value: f64| Seen {
        minute,
        wanted: Sample::Value(value),
        throttles: Sample::Value(0.0),
        quota: Some(150.0),
        doubt: 0.0,
    };
    let demand = |at: i64| 60.0 + at as f64 / 100.0 + (at % 7) as f64;
    let mut settled = Lookout::default();
    for at in 0..3 * DAY {
        settled.catch_up(&seen(START.plus(at), demand(at)), &[]);
    }
    for look in 0..90 {
        let at = 3 * DAY + look;
        settled.push(&seen(START.plus(at), demand(at)), &rule(), &[]);
        let (mut with, mut fresh) = (settled.clone(), settled.clone());
        fresh.remember(&Lookout::default());
        for ahead in at + 1..at + 20 {
            // A late datapoint changes one minute between two looks, and every third minute is left out.
            let late = if ahead % 11 == 0 && look % 2 == 0 {
                40.0
            } else {
                0.0
            };
            let seen = seen(START.plus(ahead), demand(ahead) + late);
            if (ahead / 15 + look) % 3 == 0 && ahead % 15 == 14 {
                continue;
            }
            assert_eq!(
                with.push(&seen, &rule(), &[]),
                fresh.push(&seen, &rule(), &[]),
                "{ahead}"
            );
            assert_eq!(
                with.known_chances(),
                fresh.known_chances(),
                "{look} {ahead}"
            );
        }
        settled.remember(&with);
    }
    assert!(settled.known_chances().is_some());
}

fn daily(value: impl Fn(i64) -> f64, minutes: i64) -> Lookout {
    let mut lookout = Lookout::of(QuotaKind::Tpd);
    for at in 0..minutes {
        let seen = Seen {
            minute: START.plus(at),
            wanted: Sample::Value(value(at)),
            throttles: Sample::Value(0.0),
            quota: Some(1_000_000.0),
            doubt: 0.0,
        };
        lookout.catch_up(&seen, &[]);
    }
    lookout
}

/// 1,000 a minute are 1,440,000 a day.
#[test]
fn what_is_left_of_a_day_decides_and_a_new_day_begins_at_nothing() {
    let evening = daily(|_| 1_000.0, 5 * DAY + 20 * HOUR);
    let today = |quota: f64| evening.exhaustion(quota).unwrap();
    // 1,200,000 are used, 240,000 are to come.
    assert!(today(1_300_000.0).within_day > 0.95);
    assert!(today(1_300_000.0).p50.unwrap() < 3 * HOUR);
    assert!(today(1_190_000.0).within_hour > 0.999);
    // Four hours of the usual can't double; tomorrow may, but hardly does.
    let twice = today(2_800_000.0);
    assert!(twice.within_day < 0.02, "{twice:?}");
    // Early the same quota is less certain than late: all of the day is to come.
    let morning = daily(|_| 1_000.0, 5 * DAY + HOUR);
    let near = 1_480_000.0;
    let (early, late) = (morning.exhaustion(near).unwrap(), today(near));
    assert!(late.within_hour < 0.05, "{late:?}");
    assert!(
        early.within_day > 0.2 && early.within_day < 0.8,
        "{early:?}"
    );
    assert_eq!(morning.used(), Some(1_440_000.0), "yesterday was fuller");
}

#[test]
fn the_fan_of_a_daily_quota_begins_anew_each_day() {
    let evening = daily(|_| 1_000.0, 5 * DAY + 16 * HOUR);
    let fan = evening.forecast().unwrap().fan(4 * HOUR, 42);
    assert_eq!(fan.len(), 42);
    let p50 = |at: usize| fan[at].p50 / 1_000.0;
    // 960,000 are used at 16:00: 20:00, midnight, and then from nothing.
    for (at, expected) in [
        (0, 1_200.0),
        (1, 1_440.0),
        (2, 240.0),
        (7, 1_440.0),
        (8, 240.0),
    ] {
        assert!(
            (p50(at) / expected - 1.0_f64).abs() < 0.03,
            "{at}: {}",
            p50(at)
        );
    }
    assert!(fan.iter().all(|it| it.p10 <= it.p50 && it.p50 <= it.p90));
    assert!(fan[0].p90 - fan[0].p10 < fan[7].p90 - fan[7].p10, "{fan:?}");
}

#[test]
fn a_day_that_is_hardly_known_has_no_chances_until_the_next_one() {
    let mut lookout = daily(|_| 1_000.0, 5 * DAY);
    let seen = |at: i64, wanted| Seen {
        minute: START.plus(at),
        wanted,
        throttles: Sample::Value(0.0),
        quota: Some(1_000_000.0),
        doubt: 0.0,
    };
    for at in 0..6 * HOUR {
        let wanted = if at < 2 * HOUR {
            Sample::Unobserved
        } else {
            Sample::Value(1_000.0)
        };
        lookout.catch_up(&seen(5 * DAY + at, wanted), &[]);
    }
    assert!(lookout.exhaustion(1_500_000.0).is_none());
    assert!(lookout.used().is_none());
    for at in 6 * HOUR..DAY {
        lookout.catch_up(&seen(5 * DAY + at, Sample::Value(1_000.0)), &[]);
    }
    assert!(lookout.exhaustion(1_500_000.0).is_some());
}

/// Refusals while most of the day is left are those of a quota per minute.
#[test]
fn a_day_is_used_up_when_it_refuses_and_not_before() {
    let used_up = |value: f64, quota: f64| {
        let mut lookout = Lookout::of(QuotaKind::Tpd);
        for at in 0..12 * HOUR {
            let seen = Seen {
                minute: START.plus(at),
                wanted: Sample::Value(value),
                throttles: Sample::Value(if at < 11 * HOUR { 0.0 } else { 5.0 }),
                quota: Some(quota),
                doubt: 0.0,
            };
            lookout.catch_up(&seen, &[]);
        }
        lookout.exhausted()
    };
    assert!(used_up(1_000.0, 700_000.0).is_some());
    assert!(used_up(1_000.0, 2_000_000.0).is_none());
}

/// A state that was kept and read back says the same.
#[test]
#[expect(clippy::cast_precision_loss, reason = "minutes of an hour and a half")]
fn days_survive_a_restart() {
    let before = daily(|at| 900.0 + (at % 90) as f64, 4 * DAY + 500);
    let (forecaster, watch) = before.kept();
    let after = Lookout::resume(forecaster.clone(), watch.clone(), &[]);
    assert_eq!(
        after.exhaustion(1_500_000.0),
        before.exhaustion(1_500_000.0)
    );
    assert!(before.exhaustion(1_500_000.0).is_some());
}
