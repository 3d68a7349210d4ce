//! How wrong the own forecasts were: the spread of the next ones.
//!
//! The statistic: each hour the forecast for a quarter 1, 2, 4 and 8 hours ahead is put by, each third hour that for 24,
//! 48, 96 and 168 hours ahead, and compared with what came. Per horizon the mean absolute error is kept, an hour's weight falling by 1 %. Errors are
//! taken between square roots, in parts of the root of the usual level: that lies between "in percent" (which explodes
//! at night) and "in requests" (which hides the day). Four fifths of the errors lie within 1.6 mean absolute errors, for
//! normal and for Laplace errors alike, so no distribution has to be believed in.
//!
//! The bands are held to their word: those that were given an hour, a day and a week ahead are put by, too, and counted
//! when the time has come (`model::card`). A band that missed too often is stretched, one that never misses is shrunk,
//! a little each time, so that in the long run four fifths of what comes lies inside whatever the errors look like
//! (adaptive conformal inference).
//!
//! What fools it: the first week after a calm one. Cold start: priors with the weight of six hours, wider for longer
//! horizons.
#![expect(clippy::cast_precision_loss, reason = "hours of at most a week")]

use serde::{Deserialize, Serialize};

use super::{fit::Fit, history::QUARTER};
use crate::{
    engine::packed::{narrow, packed, unpacked},
    model::{card::Coverage, time::HOUR},
};

/// Horizons in hours, and at each how many hours: errors of days ahead resemble those of the hours beside them.
const HORIZONS: [(u8, u8); 8] = [
    (1, 1),
    (2, 1),
    (4, 1),
    (8, 1),
    (24, 3),
    (48, 3),
    (96, 3),
    (168, 3),
];
/// What an hour's error weighs an hour later.
const FADE: f32 = 0.99;
/// Weight of the prior in hours.
const PRIOR_HOURS: f64 = 6.0;
/// Mean absolute errors on each side that hold four fifths.
const FOUR_FIFTHS: f64 = 1.6;

/// The horizons whose bands are counted, and at each how many hours.
const COUNTED: [(u8, u8); 3] = [(1, 1), (24, 3), (168, 6)];
/// What a compared band weighs in the count an hour later: a half after three weeks.
const COUNT_FADE: f32 = 0.9986;
/// How far an hour's miss stretches a band, less what each hit takes back: over two weeks, by a third for a twentieth too
/// many misses.
const STRETCH: f64 = 0.01;
/// What lies outside a band that holds four fifths.
const OUTSIDE: f64 = 0.2;
/// However it went, a band stays within these of its errors.
const STRETCHES: (f64, f64) = (0.5, 3.0);

/// The errors so far.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Spread {
    horizons: [Horizon; HORIZONS.len()],
    bands: [Band; COUNTED.len()],
    /// Packed: forecasts that wait for what comes, one ring a horizon, one after the other, and behind them in the same way
    /// half the widths of the bands that are counted, between roots.
    waiting: Vec<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
struct Horizon {
    errors: f32,
    weight: f32,
}

/// How often what came lay inside.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
struct Band {
    inside: f32,
    compared: f32,
    /// The logarithm of how far it is stretched.
    stretch: f32,
}

/// A ring of what waits for so many hours, with one place for each beat.
#[derive(Clone, Copy, Debug)]
struct Ring {
    start: usize,
    hours: u8,
    beat: u8,
}

impl Ring {
    /// Those of the forecasts.
    fn forecasts() -> impl Iterator<Item = Self> {
        Self::row(&HORIZONS, 0)
    }

    /// Those of the widths.
    fn widths() -> impl Iterator<Item = Self> {
        Self::row(&COUNTED, places(&HORIZONS))
    }

    /// One after the other.
    fn row(rings: &[(u8, u8)], start: usize) -> impl Iterator<Item = Self> {
        rings.iter().scan(start, |end, &(hours, beat)| {
            let start = *end;
            *end += usize::from(hours / beat);
            Some(Self { start, hours, beat })
        })
    }

    /// Where lies what was put by so many hours before this one; `None` off the beat.
    fn place(self, hour: i64) -> Option<usize> {
        let beat = i64::from(self.beat);
        let place = (hour / beat).rem_euclid(i64::from(self.hours) / beat);
        let is_due = hour.rem_euclid(beat) == 0;
        let place = usize::try_from(place).ok().filter(|_| is_due)?;
        Some(self.start + place)
    }
}

/// What rings take.
fn places(rings: &[(u8, u8)]) -> usize {
    let places = rings.iter().map(|(hours, beat)| usize::from(hours / beat));
    places.sum()
}

impl Band {
    fn count(&mut self, is_inside: bool, beat: u8) {
        let fade = COUNT_FADE.powi(i32::from(beat));
        self.inside = self.inside * fade + f32::from(u8::from(is_inside));
        self.compared = self.compared * fade + 1.0;
        let outside = if is_inside { 0.0 } else { 1.0 };
        let (least, most) = STRETCHES;
        let step = STRETCH * f64::from(beat) * (outside - OUTSIDE);
        let stretch = f64::from(self.stretch) + step;
        self.stretch = narrow(stretch.clamp(least.ln(), most.ln()));
    }
}

impl Spread {
    /// The end of an hour: `last` is the mean of its last quarter, `fit` what is forecast from here on.
    pub(super) fn hour(&mut self, last: f64, fit: &Fit) {
        if self.waiting.is_empty() {
            self.waiting = vec![packed(f64::NAN); places(&HORIZONS) + places(&COUNTED)];
        }
        let hour = fit.origin.0.div_euclid(HOUR);
        self.count(hour, last.sqrt(), fit.level.sqrt());
        for (horizon, ring) in self.horizons.iter_mut().zip(Ring::forecasts()) {
            let place = ring.place(hour);
            let Some(waits) = place.and_then(|at| self.waiting.get_mut(at)) else {
                continue;
            };
            let error = (last.sqrt() - unpacked(*waits).sqrt()).abs() / fit.level.sqrt();
            if error.is_finite() {
                let (fade, beat) = (FADE.powi(i32::from(ring.beat)), f32::from(ring.beat));
                horizon.errors = horizon.errors * fade + beat * narrow(error);
                horizon.weight = horizon.weight * fade + beat;
            }
            let ahead = i64::from(ring.hours) * HOUR - QUARTER;
            *waits = packed(fit.median(fit.origin.plus(ahead), QUARTER));
        }
    }

    /// Holds the bands that were given for now to what came, `now`, and puts by those that are given from here on.
    fn count(&mut self, hour: i64, now: f64, scale: f64) {
        let widths = self.widths();
        for (band, ring) in self.bands.iter_mut().zip(Ring::widths()) {
            let place = ring.place(hour);
            let Some(width) = place.and_then(|at| self.waiting.get(at).copied()) else {
                continue;
            };
            let mut medians = Ring::forecasts().filter(|it| it.hours == ring.hours);
            let median = medians.next().and_then(|it| it.place(hour));
            let median = median.and_then(|at| self.waiting.get(at).copied());
            let miss = median.map_or(f64::NAN, |it| (now - unpacked(it).sqrt()).abs());
            let was = unpacked(width);
            if miss.is_finite() && was.is_finite() {
                band.count(miss <= was, ring.beat);
            }
            if let Some(width) = place.and_then(|at| self.waiting.get_mut(at)) {
                *width = packed(scale * widths.at(i64::from(ring.hours) * HOUR));
            }
        }
    }

    /// Half the width of the band that holds four fifths, between square roots, in parts of the root of the usual level.
    pub(super) fn widths(&self) -> Widths {
        let width = |(horizon, (hours, _)): (&Horizon, (u8, u8))| {
            let hours = f64::from(hours);
            let prior = 0.06 + 0.03 * hours.ln();
            let (errors, weight) = (f64::from(horizon.errors), f64::from(horizon.weight));
            let mean = (errors + PRIOR_HOURS * prior) / (weight + PRIOR_HOURS);
            (hours, FOUR_FIFTHS * mean * self.stretch(hours).exp())
        };
        Widths(self.horizons.iter().zip(HORIZONS).map(width).collect())
    }

    /// The logarithm of how far a band so many hours ahead is stretched: between those that are counted.
    fn stretch(&self, hours: f64) -> f64 {
        let mut nearer: Option<(f64, f64)> = None;
        for (band, (at, _)) in self.bands.iter().zip(COUNTED) {
            let farther = (f64::from(at), f64::from(band.stretch));
            if hours <= farther.0 {
                return nearer.map_or(farther.1, |nearer| {
                    let share = (hours / nearer.0).ln() / (farther.0 / nearer.0).ln();
                    nearer.1 + share * (farther.1 - nearer.1)
                });
            }
            nearer = Some(farther);
        }
        nearer.map_or(0.0, |it| it.1)
    }

    /// How often what came lay inside the bands that were given for it.
    pub(super) fn coverage(&self) -> impl Iterator<Item = Coverage> {
        self.bands
            .iter()
            .zip(COUNTED)
            .map(|(band, (hours, _))| Coverage {
                hours: i64::from(hours),
                inside: f64::from(band.inside),
                compared: f64::from(band.compared),
            })
    }
}

/// Widths by hours ahead.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Widths(Vec<(f64, f64)>);

impl Widths {
    /// At so many minutes ahead, between the horizons by their logarithm.
    pub(super) fn at(&self, minutes: i64) -> f64 {
        let hours = (minutes as f64 / 60.0).max(0.05);
        let mut nearer = (0.05, self.0.first().map_or(0.0, |it| NOW * it.1));
        for &farther in &self.0 {
            if hours <= farther.0 {
                let share = (hours / nearer.0).ln() / (farther.0 / nearer.0).ln();
                return nearer.1 + share * (farther.1 - nearer.1);
            }
            nearer = farther;
        }
        nearer.1
    }
}

/// The width of the next minutes, in parts of the width an hour ahead.
const NOW: f64 = 0.8;
