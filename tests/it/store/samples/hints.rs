//! A hint of every kind.

use bedrock_ops_alert::model::hint::{
    CacheFallen, Capacity, Carried, Carrier, Clue, Counted, Daily, Denied, Headroom, Hint, Part,
    RaisedElsewhere, RaisedHere, Reservation, Retries, SharedDay, Valley,
};
use fastrand::Rng;

use super::{
    TargetId, amount, code, instant, maybe, minute, number, pool_id, share, target_kind, text,
};

pub(in crate::store) fn hint(rng: &mut Rng) -> Hint {
    Hint {
        pool: pool_id(rng.u8(0..4)),
        strength: share(rng),
        from: minute(rng),
        until: minute(rng),
        clue: match rng.u8(0..12) {
            0..4 => of_refusals(rng),
            4..9 => of_callers(rng),
            _ => of_room(rng),
        },
    }
}

fn of_refusals(rng: &mut Rng) -> Clue {
    match rng.u8(0..4) {
        0 => Clue::Reservation(Reservation {
            refused: number(rng),
            code: code(rng.u8(..)),
            quota: amount(rng),
            charged: number(rng),
            in_flight: number(rng),
            held: number(rng),
            output: number(rng),
            enough: number(rng),
            freed: number(rng),
        }),
        1 => Clue::Daily(Daily {
            refused: number(rng),
            highest: number(rng),
            today: number(rng),
            quota: maybe(rng, |rng| (code(rng.u8(..)), amount(rng))),
            shared: maybe(rng, |rng| SharedDay {
                code: code(rng.u8(..)),
                today: number(rng),
                low: number(rng),
                high: number(rng),
            }),
            left: rng.u16(..),
        }),
        2 => Clue::Capacity(Capacity {
            errors: number(rng),
            refused: number(rng),
            highest: number(rng),
        }),
        _ => Clue::RaisedHere(RaisedHere {
            code: code(rng.u8(..)),
            old: amount(rng),
            new: amount(rng),
            at: instant(rng),
            refused: number(rng),
            highest: number(rng),
        }),
    }
}

fn of_callers(rng: &mut Rng) -> Clue {
    match rng.u8(0..5) {
        0 => Clue::Retries(Retries {
            since: minute(rng),
            before: number(rng),
            started: number(rng),
            after: number(rng),
            through: number(rng),
        }),
        1 => Clue::CacheFallen(CacheFallen {
            before: number(rng),
            of: rng.u32(..),
            now: number(rng),
            extra: number(rng),
            charged: number(rng),
        }),
        2 => Clue::Carrier(Carrier {
            target: TargetId::new(text(rng)),
            name: maybe(rng, text),
            share: share(rng),
            targets: rng.u32(..),
        }),
        3 => Clue::Carried(Carried {
            counted: rng.choice(Counted::ALL).unwrap(),
            is_fall: rng.bool(),
            is_spread: rng.bool(),
            now: number(rng),
            usual: number(rng),
            days: rng.u8(..),
            by: number(rng),
            parts: (0..rng.u8(1..4))
                .map(|_| Part {
                    target: TargetId::new(text(rng)),
                    kind: maybe(rng, target_kind),
                    share: share(rng),
                    by: number(rng),
                })
                .collect(),
            others: rng.u32(..),
            against: number(rng),
        }),
        _ => Clue::Denied(Denied {
            errors: number(rng),
            demand: number(rng),
            plain_errors: number(rng),
            plain_demand: number(rng),
        }),
    }
}

fn of_room(rng: &mut Rng) -> Clue {
    match rng.u8(0..3) {
        0 => Clue::RaisedElsewhere(RaisedElsewhere {
            code: code(rng.u8(..)),
            old: amount(rng),
            new: amount(rng),
            at: instant(rng),
            raised: pool_id(rng.u8(0..4)),
            refused: number(rng),
            here: number(rng),
        }),
        1 => Clue::Valley(Valley {
            peak: number(rng),
            quiet: number(rng),
            from: minute(rng),
            hours: rng.u32(..),
            free: number(rng),
        }),
        _ => Clue::Headroom(Headroom {
            pool: pool_id(rng.u8(0..4)),
            quota: amount(rng),
            is_default: rng.bool(),
            peak: number(rng),
            lacking: maybe(rng, number),
        }),
    }
}
