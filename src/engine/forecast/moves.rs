//! Last week's moves: how demand went on a week ago from where it stood then, and how much of that comes back.
//!
//! The statistic: for each quarter of the next hour, the logarithm of last week's ratio to the base then, less that of
//! the last quarter before the same moment, and the latter less that of the last hour. What came is compared with what
//! was forecast without these two (each hour, four quarters), and the relative error regressed on them: weighted by what
//! was forecast, an older hour less (half after three days), and shrunk to none.
//! Why beside last week's ratios themselves (`fit`): those say where demand stood, and the last hours know that better;
//! what a scheduled job does *next* shows in the step from then to then, which comes back even where the levels differ.
//! It is learned from errors as they came, not from the past by today's fit, which has seen what it is to be tested on
//! (tried: half of the gain).
//!
//! What fools it: an incident a week ago that ended when this hour began. Cold start: nothing in the first week, and
//! then the prior.

use serde::{Deserialize, Serialize};

use super::history::{HOUR, QUARTER};
use crate::{
    engine::packed::{narrow, packed, unpacked},
    model::time::{self, Minute},
};

/// Hours ahead at which a move counts half.
const HOLD: f64 = 1.0;
/// Weight of the prior, that nothing comes back: this much squared logarithm over quarters at the usual level.
const PRIOR: f64 = 1.0;
/// What an hour weighs an hour later: half after three days.
const FADE: f32 = 0.990_419;
/// Ratios are kept within these.
const RATIO: (f64, f64) = (0.2, 5.0);
/// Of the usual level; below it a relative error says nothing.
const LEAST: f64 = 0.01;
/// Errors are cut at so many times what was forecast.
const MOST: f64 = 3.0;
/// What a forecast is changed by at most.
const FACTOR: (f64, f64) = (0.2, 4.0);

/// Where demand stood a week before some moment: logarithms of ratios to the base, of the last quarter and the last hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Then {
    quarter: f64,
    hour: f64,
}

impl Then {
    /// From the two ratios; `None` where one is not known.
    pub(super) fn of(quarter: f64, hour: f64) -> Option<Self> {
        let [quarter, hour] = [quarter, hour].map(log);
        let is_known = !quarter.is_nan() && !hour.is_nan();
        is_known.then_some(Self { quarter, hour })
    }

    /// How it went on to this ratio, so many hours later.
    fn moves(self, ratio: f64, ahead: f64) -> Option<[f64; 2]> {
        let moves = [log(ratio) - self.quarter, self.quarter - self.hour];
        let counts = HOLD / (HOLD + ahead);
        (!ratio.is_nan()).then(|| moves.map(|it| it * counts))
    }
}

fn log(ratio: f64) -> f64 {
    ratio.clamp(RATIO.0, RATIO.1).ln()
}

/// What is expected of the next hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Next {
    /// Of each quarter, without moves.
    pub(super) forecasts: [f64; HOUR],
    /// What each was to the base a week before.
    pub(super) ratios: [f64; HOUR],
    /// Where demand stood a week before.
    pub(super) then: Option<Then>,
    /// The usual level, which is positive.
    pub(super) level: f64,
}

/// How it went on a week ago from now on, and how much of that counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Turn {
    pub(super) then: Option<Then>,
    pub(super) weights: [f64; 2],
}

impl Turn {
    /// What the forecast is multiplied by where last week's ratio is this one.
    pub(super) fn factor(&self, ratio: f64, ahead: f64) -> f64 {
        let moves = self.then.and_then(|then| then.moves(ratio, ahead));
        let [onward, before] = self.weights;
        moves.map_or(1.0, |[on, back]| {
            (1.0 + onward * on + before * back).clamp(FACTOR.0, FACTOR.1)
        })
    }
}

/// What is learned of moves. Small: it is kept for each quota of each pool.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Moves {
    /// Weighted sums of the squares of both moves and of their product.
    squares: [f32; 3],
    /// Weighted sums of their products with the relative error.
    products: [f32; 2],
    /// Packed: of the next hour the forecasts without them, and last week's ratios. As they were then: today's shape has
    /// the hour in it, and with it the base of a week ago.
    waiting: [u16; HOUR],
    ratios: [u16; HOUR],
    /// Where demand stood a week before.
    then: [f32; 2],
    /// Hours since 1970 at which those were made.
    hour: u32,
}

impl Moves {
    /// How much of each move counts.
    pub(super) fn weights(&self) -> [f64; 2] {
        let [on, back, both] = self.squares.map(f64::from);
        let [to_on, to_back] = self.products.map(f64::from);
        let (on, back) = (on + PRIOR, back + PRIOR);
        let determinant = on * back - both * both; // at least that of the prior
        [
            (back * to_on - both * to_back) / determinant,
            (on * to_back - both * to_on) / determinant,
        ]
    }

    /// The end of an hour at `origin`: `came` are its quarters.
    pub(super) fn hour(&mut self, origin: Minute, came: [f64; HOUR], next: &Next) {
        let hour = u32::try_from(origin.0.div_euclid(time::HOUR)).unwrap_or(u32::MAX); // of this age
        if self.hour.checked_add(1) == Some(hour) {
            self.squares = self.squares.map(|it| it * FADE);
            self.products = self.products.map(|it| it * FADE);
            self.learn(came, next.level);
        }
        // Where last week is not known there are no ratios, and what stands beside them is not looked at.
        let (then, ratios) = next.then.map_or(([0.0; 2], [f64::NAN; HOUR]), |it| {
            ([it.quarter, it.hour], next.ratios)
        });
        self.waiting = next.forecasts.map(packed);
        self.ratios = ratios.map(packed);
        (self.then, self.hour) = (then.map(narrow), hour);
    }

    fn learn(&mut self, came: [f64; HOUR], level: f64) {
        let [quarter, hour] = self.then.map(f64::from);
        let then = Then { quarter, hour };
        let quarters = came.into_iter().zip(self.waiting).zip(self.ratios);
        for (ahead, ((came, waited), ratio)) in hours_ahead().zip(quarters) {
            let forecast = unpacked(waited);
            let Some([on, back]) = then.moves(unpacked(ratio), ahead) else {
                continue;
            };
            if came.is_nan() || forecast.is_nan() || forecast <= LEAST * level {
                continue;
            }
            let weight = forecast / level;
            let error = (came / forecast - 1.0).min(MOST);
            let squares = [on * on, back * back, on * back];
            for (sum, square) in self.squares.iter_mut().zip(squares) {
                *sum += narrow(weight * square);
            }
            for (sum, moved) in self.products.iter_mut().zip([on, back]) {
                *sum += narrow(weight * moved * error);
            }
        }
    }
}

/// To the middles of the quarters of an hour.
#[expect(clippy::cast_precision_loss, reason = "minutes of an hour")]
fn hours_ahead() -> impl Iterator<Item = f64> {
    (0_i64..).map(|at| (at as f64 + 0.5) * QUARTER as f64 / time::HOUR as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 480_000;

    /// A forecast of ten for an hour in which last week doubled.
    fn next() -> Next {
        Next {
            forecasts: [10.0; HOUR],
            ratios: [2.0; HOUR],
            then: Then::of(1.0, 1.0),
            level: 10.0,
        }
    }

    /// After so many hours of that kind, when what came was `came` times the forecast.
    fn learned(hours: i64, came: f64) -> Moves {
        let mut moves = Moves::default();
        for hour in START..START + hours {
            moves.hour(Minute(hour * time::HOUR), [10.0 * came; HOUR], &next());
        }
        moves
    }

    fn factor(moves: &Moves) -> f64 {
        let turn = Turn {
            then: Then::of(1.0, 1.0),
            weights: moves.weights(),
        };
        turn.factor(2.0, 0.5)
    }

    #[test]
    fn moves_that_come_back_are_believed_and_others_are_not() {
        let believed = factor(&learned(48, 1.5));
        assert!((1.4..1.6).contains(&believed), "{believed}");
        let unmoved = factor(&learned(48, 1.0));
        assert!((unmoved - 1.0).abs() < 1e-6, "{unmoved}");
        let young = factor(&learned(2, 1.5));
        assert!(1.0 < young && young < believed, "{young}");
    }

    #[test]
    fn a_week_that_is_not_known_changes_nothing() {
        let turn = Turn {
            then: Then::of(f64::NAN, 1.0),
            weights: learned(48, 1.5).weights(),
        };
        assert!((turn.factor(2.0, 0.5) - 1.0).abs() < 1e-9);
        let turn = Turn {
            then: Then::of(1.0, 1.0),
            ..turn
        };
        assert!((turn.factor(f64::NAN, 0.5) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_waited_longer_than_an_hour_is_not_compared() {
        let mut moves = learned(48, 1.0);
        let before = moves.weights().map(f64::to_bits);
        let late = Minute((START + 60) * time::HOUR);
        moves.hour(late, [90.0; HOUR], &next());
        assert_eq!(before, moves.weights().map(f64::to_bits));
    }
}
