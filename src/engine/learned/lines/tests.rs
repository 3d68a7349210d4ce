//! What is news, and what is not.

use super::*;
use crate::model::time::DAY;

const QUOTA: f64 = 1_000.0;

fn share(percent: u16) -> Share {
    Share::from_basis_points(100 * percent).unwrap()
}

fn sought(chance: Option<u16>) -> Sought {
    Sought {
        above: share(80),
        clear: share(70),
        news: News {
            known_minutes: 7 * DAY,
            chance: chance.map(share),
        },
        window: Window::new(3, 5).unwrap(),
        clear_minutes: 10,
    }
}

/// The minutes in which an alert begins. `each` says what is used, and of which quota.
fn told(
    sought: &Sought,
    minutes: i64,
    each: impl Fn(i64) -> (f64, f64),
    seen: impl Fn(i64) -> (Option<f64>, Option<i64>),
) -> Vec<i64> {
    let mut lines = Lines::default();
    let mut was_on = false;
    (0..minutes)
        .filter(|minute| {
            let (used, quota) = each(*minute);
            let (chance, exhausted) = seen(*minute);
            let scene = Scene {
                minute: Minute(*minute),
                quota: Amount::new(quota),
                level: used / quota,
                chance,
                exhausted: exhausted.map(Minute),
            };
            lines.step(&[*sought], Use::Exactly(used), &scene, false);
            let is_on = lines.get(sought).unwrap().is_on;
            let is_begun = is_on && !was_on;
            was_on = is_on;
            is_begun
        })
        .collect()
}

/// This level from 14:00 to 14:30, and half of the quota else.
fn at_two(level: impl Fn(i64) -> f64) -> impl Fn(i64) -> (f64, f64) {
    move |minute| {
        let is_two = (840..870).contains(&(minute % DAY));
        let used = if is_two { level(minute / DAY) } else { 500.0 };
        (used, QUOTA)
    }
}

const UNKNOWN: (Option<f64>, Option<i64>) = (None, None);

#[test]
fn a_rhythm_is_told_once_and_again_when_it_gets_worse() {
    let weeks = at_two(|_| 820.0);
    assert_eq!(told(&sought(None), 21 * DAY, weeks, |_| UNKNOWN), [842]);
    // From 82 to 90 % is less than half of what was left, to 92 % it is more.
    let worse = at_two(|day| match day {
        ..8 => 820.0,
        8..10 => 900.0,
        _ => 920.0,
    });
    let begun = told(&sought(None), 21 * DAY, worse, |_| UNKNOWN);
    assert_eq!(begun, [842, 10 * DAY + 842]);
}

#[test]
fn what_stayed_away_for_a_week_is_news_again_and_so_is_another_quota() {
    let away = at_two(|day| if (3..9).contains(&day) { 500.0 } else { 820.0 });
    assert_eq!(told(&sought(None), 14 * DAY, away, |_| UNKNOWN), [842]);
    let longer = at_two(|day| if (3..11).contains(&day) { 500.0 } else { 820.0 });
    let begun = told(&sought(None), 14 * DAY, longer, |_| UNKNOWN);
    assert_eq!(begun, [842, 11 * DAY + 842]);
    let lowered = |minute| {
        let (used, quota) = at_two(|_| 820.0)(minute);
        (used, if minute < 4 * DAY { quota } else { 990.0 })
    };
    let begun = told(&sought(None), 8 * DAY, lowered, |_| UNKNOWN);
    assert_eq!(begun, [842, 4 * DAY + 842]);
}

#[test]
fn a_forecast_has_to_agree_where_there_is_one() {
    let by = |chance: Option<f64>| {
        let high = |minute| {
            if 100 <= minute {
                (850.0, QUOTA)
            } else {
                (500.0, QUOTA)
            }
        };
        told(&sought(Some(50)), 300, high, |_| (chance, None))
    };
    assert_eq!(by(None), [102], "a young pool");
    assert_eq!(by(Some(0.6)), [102]);
    assert_eq!(by(Some(0.4)), [0; 0]);
    // Told as soon as the forecast comes round to it.
    let high = |_| (850.0, QUOTA);
    let later = told(&sought(Some(50)), 300, high, |minute| {
        (Some(if minute < 150 { 0.1 } else { 0.7 }), None)
    });
    assert_eq!(later, [150]);
}

#[test]
fn an_exhausted_quota_is_known() {
    let high = at_two(|_| 850.0);
    let begun = told(&sought(None), 9 * DAY, high, |minute| {
        (None, (100 <= minute).then_some(100))
    });
    assert_eq!(begun, [7 * DAY + 842]);
}

#[test]
fn what_was_so_in_the_past_is_told_in_the_present() {
    let sought = sought(None);
    let mut lines = Lines::default();
    let step = |lines: &mut Lines, minute, is_past| {
        let scene = Scene {
            minute: Minute(minute),
            quota: Amount::new(QUOTA),
            level: 0.85,
            chance: None,
            exhausted: None,
        };
        lines.step(&[sought], Use::Exactly(850.0), &scene, is_past);
        *lines.get(&sought).unwrap()
    };
    for minute in 0..60 {
        step(&mut lines, minute, true);
    }
    assert_eq!(
        lines.get(&sought).unwrap().told.to_bits(),
        0.0_f32.to_bits()
    );
    let now = step(&mut lines, 60, false);
    assert!(now.is_on && now.is_bad(Minute(60)), "{now:?}");
    assert!((now.told - 0.85).abs() < 1e-6);
}

#[test]
fn a_lower_bound_proves_a_breach_and_never_its_end() {
    let sought = sought(None);
    let mut lines = Lines::default();
    let mut is_on = |minutes: std::ops::Range<i64>, used: Use| {
        for minute in minutes {
            let scene = Scene {
                minute: Minute(minute),
                quota: Amount::new(QUOTA),
                level: 0.0,
                chance: None,
                exhausted: None,
            };
            lines.step(&[sought], used, &scene, false);
        }
        lines.get(&sought).unwrap().is_on
    };
    assert!(is_on(0..5, Use::AtLeast(850.0)));
    assert!(is_on(5..40, Use::AtLeast(10.0)), "it may be more");
    assert!(is_on(40..80, Use::Unknown));
    assert!(is_on(80..120, Use::Exactly(750.0)), "between the lines");
    assert!(!is_on(120..130, Use::Exactly(600.0)));
}
