//! Arrivals that jump or vanish. Arrivals are all that callers sent: answered, failed and refused, so that errors and
//! throttles are not taken for vanished traffic.
//!
//! The statistic: the newest 2 to 30 minutes but one against the half hour before and against the usual range of this
//! time of day (`profile`). The surprise of the count (`surprise`) takes the clumps of the last hour into account: an
//! arrival process of a few clients sends a thousand requests in one minute and none in the next. A move counts when
//! - it is a jump: three times the half hour before (or a third);
//! - it is unusual: beyond a factor of what this time of day knows, so that nightly batches and weekly peaks are not;
//! - chance does not explain it, and the pool's own calm (`calm`) hardly ever reaches it.
//!
//! Down is confirmed for at least four minutes, and only while it lasts: the dips of a few minutes that every busy service
//! knows are over by then. Up needs two minutes: a retry storm does not wait. Windows grow only while the shorter ones hold too
//! little to tell: a long window over a busy pool would take every slow ramp for a jump.
//!
//! Both silences are told apart: a minute without a row is not zero, and is not looked at (promise P5).
//! What fools it: a ramp that takes hours (the forecast's business), and the first weekend. Cold start: one day.

use serde::{Deserialize, Serialize};

use super::{
    Evidence, Step, blocks,
    calm::Calm,
    latch::{Latch, Say},
    profile::Profile,
    surprise::surprise,
    trail::{Row, Sums, Trail},
};
use crate::model::{time::Minute, unusual::Jump};

const LENGTHS: [u16; 7] = [2, 3, 4, 6, 8, 15, 30];
const LONGEST: u16 = 30;
/// The minutes before a window that it is compared with.
const BEFORE: u16 = 30;
/// The minutes before a window that say how clumped arrivals are.
const CLUMPS: u16 = 60;
/// So many rows must lie before a window.
const LEAST_BEFORE: f64 = 10.0;
/// Rows may lie this far apart in all.
const WITHIN: u16 = LONGEST + CLUMPS + 15;
const SLOT_MINUTES: i64 = 15;
/// Below this rate a minute nothing is expected.
const LEAST_RATE: f64 = 0.2;
/// The most and the least regular arrivals: a deviation of a ninth, and of twice the mean.
const SHAPES: (f64, f64) = (0.25, 80.0);
/// Root of twice the nats: deviations, were counts normal.
const LEAST_UP: f64 = 4.0;
const LEAST_DOWN: f64 = 7.5;
/// Moves below this are chance and teach nothing.
const LEAST_NOTED: f64 = 3.0;
/// A window that could tell this much needs no longer one.
const ENOUGH: f64 = 200.0;
const ALWAYS_UP: u16 = 5;
const ALWAYS_DOWN: u16 = 8;
const FIRST_DOWN: u16 = 4;
/// Down is compared with what was before this many minutes at least: being sure takes some.
const LAG_DOWN: u16 = 15;

/// Arrivals of one pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Traffic {
    trail: Trail<1>,
    profile: Profile,
    up: Side,
    down: Side,
}

/// One direction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Side {
    calm: Calm,
    latch: Latch,
}

impl Side {
    fn step(&mut self, minute: Minute, seen: &Strongest, is_calm: bool, is_back: bool) -> Step {
        if is_calm {
            self.calm.note(minute, seen.highest);
        }
        let say = match (seen.bad.is_some(), is_back) {
            (true, _) => Say::Bad,
            (false, true) => Say::Calm,
            (false, false) => Say::Between,
        };
        Step {
            turn: self.latch.step(minute, say),
            bad: seen.bad,
            near: None,
        }
    }
}

impl Traffic {
    pub(super) fn new() -> Self {
        Self {
            trail: Trail::new(LONGEST + CLUMPS),
            profile: Profile::new(SLOT_MINUTES),
            up: Side::default(),
            down: Side::default(),
        }
    }

    /// Up and down; `None` for a direction that nobody looks for, and for both while no day is known.
    pub(super) fn push(
        &mut self,
        minute: Minute,
        arrivals: f64,
        worth: (Option<Jump>, Option<Jump>),
    ) -> (Option<Step>, Option<Step>) {
        self.trail.push(minute, [arrivals]);
        let Some(range) = self.profile.push(minute, arrivals, 1.0) else {
            return (None, None);
        };
        let usual_high = range.high.max(LEAST_RATE);
        let sums = self
            .trail
            .sums(minute, WITHIN, |[arrivals]| [arrivals, arrivals * arrivals]);
        let strongest = |direction, side, usual, worth: Option<Jump>| {
            let look = Look {
                minute,
                sums: &sums,
                direction,
                usual,
                worth: worth?,
            };
            Some(self.strongest(side, &look))
        };
        let up = strongest(Direction::Up, &self.up, usual_high, worth.0);
        let down = strongest(Direction::Down, &self.down, range.low, worth.1);
        let is_calm = self.up.latch.since().is_none() && self.down.latch.since().is_none();
        let is_low = arrivals < 1.5 * usual_high;
        let is_high = range.low < 1.5 * arrivals;
        let up = up.map(|it| self.up.step(minute, &it, is_calm, is_low));
        let down = down.map(|it| self.down.step(minute, &it, is_calm, is_high));
        (up, down)
    }

    /// The strongest window of this direction.
    fn strongest(&self, side: &Side, look: &Look<'_>) -> Strongest {
        let direction = look.direction;
        let least = direction.least_score();
        let limit = side.calm.limit(blocks(look.worth.rare));
        let limit = limit.map_or(least, |limit| limit.max(least));
        let mut strongest = Strongest::default();
        let alarm = |[arrivals]: &Row<1>| match direction {
            Direction::Up => *arrivals,
            Direction::Down => -*arrivals,
        };
        for window in self.trail.windows(look.minute, WITHIN, &LENGTHS, alarm) {
            let (length, minutes) = (window.length, window.minutes());
            let [arrivals] = window.rest;
            let rate = arrivals / minutes;
            let Some(expected) = look.expected(length) else {
                break; // longer windows have even less before them
            };
            let knowledge = minutes / (1.0 / expected.rate + 1.0 / expected.shape);
            if !direction.is_beyond(rate, expected.rate) || !direction.is_worth(length, knowledge) {
                continue;
            }
            let nats = surprise(arrivals, expected.rate * minutes, expected.shape * minutes);
            let score = (2.0 * nats).sqrt();
            if LEAST_NOTED <= score {
                strongest.highest = strongest.highest.max(score);
            }
            let edge = direction.factor(look.worth) * expected.rate;
            let is_stronger = strongest.bad.is_none_or(|bad| bad.score < score);
            if direction.is_beyond(rate, edge)
                && limit <= score
                && is_stronger
                && look.lasts(expected.rate)
            {
                strongest.bad = Some(Evidence {
                    seen: rate,
                    usual: expected.rate,
                    minutes: length,
                    score,
                    limit,
                    is_young: self.profile.is_young() || side.calm.is_young(),
                });
            }
        }
        strongest
    }
}

/// One look at one minute in one direction.
#[derive(Clone, Copy, Debug)]
struct Look<'a> {
    minute: Minute,
    /// Arrivals and their squares.
    sums: &'a Sums<2>,
    direction: Direction,
    /// The edge of what is usual at this time of day.
    usual: f64,
    worth: Jump,
}

impl Look<'_> {
    /// What the rows before a window of this length, and the time of day, let expect.
    fn expected(&self, length: u16) -> Option<Expected> {
        let from = self.direction.from(length);
        let ([before, _], rows) = self.sums.of(from, from + BEFORE);
        if rows < LEAST_BEFORE {
            return None;
        }
        let ([sum, squares], all) = self.sums.of(length, length + CLUMPS);
        let mean = sum / all;
        let variance = squares / all - mean * mean;
        let (least, most) = SHAPES;
        let shape = if mean < variance {
            (mean * mean / (variance - mean)).clamp(least, most)
        } else {
            most
        };
        let before = before / rows;
        // So scaled that the factor of the time of day makes a jump of it.
        let Jump { jump, factor, .. } = self.worth;
        let rate = match self.direction {
            Direction::Up => self.usual.max(before * jump / factor),
            Direction::Down => self.usual.min(before * factor / jump),
        };
        Some(Expected { rate, shape })
    }

    /// Up does not wait. Down counts only while the newest two minutes are as low as the factor asks.
    fn lasts(&self, rate: f64) -> bool {
        match self.direction {
            Direction::Up => true,
            Direction::Down => {
                let ([arrivals, _], rows) = self.sums.of(0, 2);
                self.worth.factor * arrivals < rate * rows
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Strongest {
    /// The highest score, unusual or not.
    highest: f64,
    bad: Option<Evidence>,
}

#[derive(Clone, Copy, Debug)]
struct Expected {
    /// Arrivals a minute.
    rate: f64,
    /// Of the negative binomial of one minute.
    shape: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Direction {
    fn is_beyond(self, rate: f64, edge: f64) -> bool {
        match self {
            Self::Up => edge < rate,
            Self::Down => rate < edge,
        }
    }

    /// Whether windows of this length are looked at. `knowledge` is what the window can tell at most.
    fn is_worth(self, length: u16, knowledge: f64) -> bool {
        let (first, always) = match self {
            Self::Up => (0, ALWAYS_UP),
            Self::Down => (FIRST_DOWN, ALWAYS_DOWN),
        };
        first <= length && (length <= always || knowledge < ENOUGH)
    }

    /// The first row that counts as before a window.
    fn from(self, length: u16) -> u16 {
        match self {
            Self::Up => length,
            Self::Down => length.max(LAG_DOWN),
        }
    }

    const fn least_score(self) -> f64 {
        match self {
            Self::Up => LEAST_UP,
            Self::Down => LEAST_DOWN,
        }
    }

    /// Times what is expected.
    fn factor(self, worth: Jump) -> f64 {
        match self {
            Self::Up => worth.factor,
            Self::Down => 1.0 / worth.factor,
        }
    }
}
