//! What every detector must hold, whatever its statistic.

use super::*;
use crate::model::unusual::Trouble as Kind;
use crate::model::{time::DAY, units::Share};

/// A pool of a few hundred requests a minute with a rhythm of days, and noise that is the same in every run.
fn usual(minute: i64) -> Measured {
    scaled(minute, 1.0)
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn scaled(minute: i64, volume: f64) -> Measured {
    let noise = |salt: i64| ((minute * 7_919 + salt * 104_729) % 1_009) as f64 / 1_009.0 - 0.5;
    let day = (minute % DAY) as f64 / DAY as f64 * std::f64::consts::TAU;
    let requests = (volume * (300.0 + 120.0 * day.sin() + 60.0 * noise(1))).round();
    let length = 200.0 + 40.0 * noise(2);
    Measured {
        invocations: Sample::Value(requests),
        throttles: Sample::Value(0.0),
        client_errors: Sample::Value((requests * 0.004 * (1.0 + noise(3))).round()),
        server_errors: Sample::Value((requests * 0.002 * (1.0 + noise(4))).round()),
        input_tokens: Sample::Value(requests * (800.0 + 80.0 * noise(5))),
        output_tokens: Sample::Value(requests * length),
        latency: Sample::Value((500.0 + 10.0 * length) * (1.0 + 0.1 * noise(6))),
    }
}

fn value(sample: Sample) -> f64 {
    sample.value().unwrap()
}

/// What is shipped.
fn watched() -> Watched {
    let rare = 30 * DAY;
    let worth = Failing {
        ratio: 1.5,
        excess: Share::from_basis_points(100).unwrap(),
        rare,
    };
    let beyond = |factor| Beyond { factor, rare };
    let jump = |factor| Jump {
        jump: 3.0,
        factor,
        rare,
    };
    Watched::of([
        Sought::Throttled,
        Sought::ClientErrors(worth),
        Sought::ServerErrors(worth),
        Sought::Slow(beyond(1.5)),
        Sought::TrafficUp(jump(2.0)),
        Sought::TrafficDown(jump(2.5)),
        Sought::TokensUp(beyond(2.0)),
    ])
}

type All = (Refusals, Detectors);

/// What turned in this minute.
fn push((refusals, detectors): &mut All, minute: i64, seen: &Measured) -> Vec<(Kind, bool)> {
    let (minute, watched) = (Minute(minute), watched());
    let refused = refusals.push(minute, seen.invocations, seen.throttles, &watched);
    let refused = refused.map(|step| (Kind::Throttled, step));
    let steps = refused
        .into_iter()
        .chain(detectors.push(minute, seen, &watched));
    steps
        .filter_map(|(kind, step)| Some((kind, step.turn?)))
        .collect()
}

/// Everything that began, from day 3 on, where `change` makes of the usual minute what happens.
fn begun(days: i64, mut change: impl FnMut(i64, Measured) -> Option<Measured>) -> Vec<(i64, Kind)> {
    let mut detectors = All::default();
    let mut begun = Vec::new();
    for minute in 0..days * DAY {
        let Some(seen) = change(minute, usual(minute)) else {
            continue;
        };
        let turned = push(&mut detectors, minute, &seen);
        let new = turned
            .iter()
            .filter(|(_, began)| *began && 3 * DAY <= minute);
        begun.extend(new.map(|(kind, _)| (minute, *kind)));
    }
    begun
}

const START: i64 = 9 * DAY + 700;
const DURING: std::ops::Range<i64> = START..START + 60;

#[test]
fn a_usual_fortnight_pages_nobody() {
    assert_eq!(begun(14, |_, seen| Some(seen)), []);
}

/// What it is, within how many minutes it is found, and what it does to a minute.
type Happening = (Kind, i64, fn(&mut Measured));

#[test]
fn each_trouble_is_found_within_minutes_and_told_once() {
    let troubles: [Happening; 7] = [
        (Kind::Throttled, 2, |seen| {
            seen.throttles = Sample::Value(9.0)
        }),
        (Kind::ClientErrors, 4, |seen| {
            seen.client_errors = Sample::Value(0.05 * value(seen.invocations));
        }),
        (Kind::ServerErrors, 4, |seen| {
            seen.server_errors = Sample::Value(0.05 * value(seen.invocations));
        }),
        (Kind::Slow, 3, |seen| {
            seen.latency = Sample::Value(2.0 * value(seen.latency));
        }),
        (Kind::TrafficUp, 5, |seen| {
            *seen = scaled(START, 4.5);
        }),
        (Kind::TrafficDown, 5, |seen| {
            *seen = scaled(START, 0.1);
        }),
        (Kind::TokensUp, 4, |seen| {
            seen.input_tokens = Sample::Value(3.0 * value(seen.input_tokens));
        }),
    ];
    for (kind, minutes, happen) in troubles {
        let found = begun(10, |minute, mut seen| {
            if DURING.contains(&minute) {
                happen(&mut seen);
            }
            Some(seen)
        });
        let [(minute, found_kind)] = found[..] else {
            panic!("{kind:?}: {found:?}");
        };
        assert_eq!(found_kind, kind);
        assert!(
            (START..START + minutes).contains(&minute),
            "{kind:?} at {minute}"
        );
    }
}

#[test]
fn two_failures_of_three_requests_at_night_page_nobody() {
    for apart in [0, 1, 2] {
        let found = begun(10, |minute, mut seen| {
            let is_quiet = (START - 60..START + 60).contains(&minute);
            if is_quiet {
                let failures = [START, START + apart];
                let failed = failures.iter().filter(|at| **at == minute);
                seen = Measured {
                    invocations: Sample::Value(f64::from(u8::from(minute == START))),
                    server_errors: Sample::Value(failed.map(|_| 1.0).sum()),
                    client_errors: Sample::Value(0.0),
                    ..seen
                };
            }
            Some(seen)
        });
        let errors: Vec<_> = found
            .iter()
            .filter(|(_, kind)| *kind == Kind::ServerErrors)
            .collect();
        assert!(errors.is_empty(), "{apart} minutes apart: {errors:?}");
    }
}

#[test]
fn a_doubling_at_high_volume_pages() {
    let failing = |share: f64| {
        begun(10, move |minute, seen| {
            let times = if DURING.contains(&minute) { 2.0 } else { 1.0 };
            let requests = 40.0 * value(seen.invocations);
            Some(Measured {
                invocations: Sample::Value(requests),
                server_errors: Sample::Value(times * share * requests),
                ..seen
            })
        })
    };
    assert!(matches!(failing(0.015)[..], [(_, Kind::ServerErrors)]));
    // A thousandth that becomes two thousandths is certain, and worth nobody's night.
    assert_eq!(failing(0.001), []);
}

#[test]
fn longer_answers_are_not_slower_ones() {
    let found = begun(10, |minute, mut seen| {
        if DURING.contains(&minute) {
            let requests = value(seen.invocations);
            seen.output_tokens = Sample::Value(1.8 * value(seen.output_tokens));
            let length = value(seen.output_tokens) / requests;
            seen.latency = Sample::Value(500.0 + 10.0 * length);
        }
        Some(seen)
    });
    assert_eq!(found, []);
}

/// Four, so that no digit changes.
#[test]
fn the_unit_of_latency_and_of_tokens_does_not_matter() {
    let happen = |times: f64| {
        begun(10, move |minute, mut seen| {
            let more = if DURING.contains(&minute) { 2.5 } else { 1.0 };
            seen.latency = Sample::Value(times * more * value(seen.latency));
            for tokens in [&mut seen.input_tokens, &mut seen.output_tokens] {
                *tokens = Sample::Value(times * value(*tokens));
            }
            if (START + 200..START + 230).contains(&minute) {
                seen.input_tokens = Sample::Value(3.0 * value(seen.input_tokens));
            }
            Some(seen)
        })
    };
    let found = happen(1.0);
    assert!(
        matches!(found[..], [(_, Kind::Slow), (_, Kind::TokensUp)]),
        "{found:?}"
    );
    assert_eq!(found, happen(4.0));
}

#[test]
fn silence_is_not_zero() {
    let gap = |minute: i64| DURING.contains(&minute);
    assert_eq!(begun(11, |minute, seen| (!gap(minute)).then_some(seen)), []);
    let unobserved = begun(11, |minute, seen| {
        Some(if gap(minute) {
            Measured::default()
        } else {
            seen
        })
    });
    assert_eq!(unobserved, []);
    let zero = begun(11, |minute, seen| {
        let nothing = scaled(minute, 0.0);
        Some(if gap(minute) {
            Measured {
                latency: Sample::NoData,
                ..nothing
            }
        } else {
            seen
        })
    });
    assert!(matches!(zero[..], [(_, Kind::TrafficDown)]), "{zero:?}");
}

#[test]
fn a_nightly_batch_is_learned_and_a_jump_at_noon_is_not_a_batch() {
    let found = begun(12, |minute, seen| {
        let is_batch = (120..170).contains(&((minute - 3 * (minute / DAY)) % DAY));
        Some(if is_batch { scaled(minute, 4.0) } else { seen })
    });
    assert_eq!(found, []);
}

#[test]
fn a_copy_goes_on_where_the_original_does() {
    let happen = |minute: i64| {
        let mut seen = usual(minute);
        if DURING.contains(&minute) {
            seen.server_errors = Sample::Value(0.2 * value(seen.invocations));
        }
        seen
    };
    let mut whole = All::default();
    for minute in 0..START {
        push(&mut whole, minute, &happen(minute));
    }
    let mut stored = whole.clone();
    for minute in START..START + 200 {
        let seen = happen(minute);
        assert_eq!(
            push(&mut whole, minute, &seen),
            push(&mut stored, minute, &seen)
        );
    }
    assert_eq!(whole, stored);
}

#[test]
fn nonsense_is_survived() {
    let mut detectors = All::default();
    for (minute, value) in (0..).zip([f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300].repeat(400)) {
        let sample = Sample::Value(value);
        let seen = Measured {
            invocations: sample,
            throttles: sample,
            client_errors: sample,
            server_errors: sample,
            input_tokens: sample,
            output_tokens: sample,
            latency: sample,
        };
        push(&mut detectors, minute, &seen);
    }
    // What comes hours after it is seen as before.
    let found = (2_200..2_300).flat_map(|minute| {
        let mut seen = usual(minute);
        if 2_290 <= minute {
            seen.throttles = Sample::Value(9.0);
        }
        push(&mut detectors, minute, &seen)
    });
    assert!(found.into_iter().any(|it| it == (Kind::Throttled, true)));
}
