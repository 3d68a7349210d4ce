//! How wrong the own forecasts were: the spread of the next ones.
//!
//! The statistic: each hour the forecast for a quarter 1, 2, 4 and 8 hours ahead is put by, each third hour that for 24,
//! 48, 96 and 168 hours ahead, and compared with what came. Per horizon the mean absolute error is kept, an hour's weight falling by 1 %. Errors are
//! taken between square roots, in parts of the root of the usual level: that lies between "in percent" (which explodes
//! at night) and "in requests" (which hides the day). Four fifths of the errors lie within 1.6 mean absolute errors, for
//! normal and for Laplace errors alike, so no distribution has to be believed in; 1.45 are taken, since incidents are among the
//! errors that are learned from.
//!
//! Where a band is wider than elsewhere: near ahead errors are of one size between roots, day and night; the farther ahead,
//! the more it is the level that is wrong, which is a factor, so that the night's band is as much narrower as its root is
//! smaller. And where the forecasts that the median is taken of are far apart (`seasonal`), so may the truth be.
//!
//! The bands are held to their word: those that were given an hour, a day and a week ahead are put by, too, and counted
//! when the time has come (`model::card`). A band that missed too often is stretched, one that never misses is shrunk,
//! very little each time, so that in the long run four fifths of what comes lies inside whatever the errors look like
//! (adaptive conformal inference). In faster steps the bands ran after each week's luck.
//!
//! What fools it: the first week after a calm one. Cold start: priors with the weight of a day, wider for longer
//! horizons.
#![expect(clippy::cast_precision_loss, reason = "hours of at most a week")]

use serde::{Deserialize, Serialize};

use super::{fit::Fit, history::QUARTER, seasonal::Expected};
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
const PRIOR_HOURS: f64 = 24.0;
/// The mean absolute error an hour ahead before anything is known, and what each logarithm of the hours adds.
const PRIOR: f64 = 0.08;
const PRIOR_GROWS: f64 = 0.03;
/// Mean absolute errors on each side that hold four fifths.
const FOUR_FIFTHS: f64 = 1.45;

/// Hours ahead at which half of an error is the level's.
const LEVEL_HOURS: f64 = 6.0;
/// Far ahead, how much of a band goes by the errors so far, and how many deviations of the forecasts it holds beside.
const BY_ERRORS: f64 = 0.7;
const BY_DISSENT: f64 = 0.4;

/// The horizons whose bands are counted, and at each how many hours.
const COUNTED: [(u8, u8); 3] = [(1, 1), (24, 3), (168, 6)];
/// What a compared band weighs in the count an hour later: a half after three weeks.
const COUNT_FADE: f32 = 0.9986;
/// How far an hour's miss stretches a band, less what each hit takes back: over two weeks, by a twentieth for a twentieth
/// too many misses.
const STRETCH: f64 = 0.003;
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

/// Absolute errors, and what they are measured by ([`local`]): their ratio, so that a night of small errors counts as little as
/// it is to be wide.
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

    /// What is forecast for the time at which it will be compared.
    fn expected(self, fit: &Fit) -> Expected {
        let ahead = i64::from(self.hours) * HOUR - QUARTER;
        fit.expected(fit.origin.plus(ahead), QUARTER)
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
        self.count(hour, last.sqrt(), fit);
        for (horizon, ring) in self.horizons.iter_mut().zip(Ring::forecasts()) {
            let place = ring.place(hour);
            let Some(waits) = place.and_then(|at| self.waiting.get_mut(at)) else {
                continue;
            };
            let error = (last.sqrt() - unpacked(*waits).sqrt()).abs() / fit.level.sqrt();
            if error.is_finite() {
                let (fade, beat) = (FADE.powi(i32::from(ring.beat)), f32::from(ring.beat));
                let local = local(f64::from(ring.hours), unpacked(*waits) / fit.level);
                horizon.errors = horizon.errors * fade + beat * narrow(error);
                horizon.weight = horizon.weight * fade + beat * narrow(local);
            }
            *waits = packed(ring.expected(fit).median);
        }
    }

    /// Holds the bands that were given for now to what came, `now`, and puts by those that are given from here on.
    fn count(&mut self, hour: i64, now: f64, fit: &Fit) {
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
                let ahead = i64::from(ring.hours) * HOUR;
                *width = packed(widths.half(ahead, ring.expected(fit), fit.level));
            }
        }
    }

    /// Half the width of the band that holds four fifths, between square roots, in parts of the root of the usual level, where
    /// what is forecast is the usual level.
    pub(super) fn widths(&self) -> Widths {
        let width = |(horizon, (hours, _)): (&Horizon, (u8, u8))| {
            let hours = f64::from(hours);
            let prior = PRIOR + PRIOR_GROWS * hours.ln();
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
    /// Half the width of the band around what is expected so many minutes ahead, between square roots. `level`, the usual
    /// one, is positive.
    pub(super) fn half(&self, minutes: i64, expected: Expected, level: f64) -> f64 {
        let hours = (minutes as f64 / 60.0).max(LEAST_HOURS);
        let by_errors = level.sqrt() * self.at(hours) * local(hours, expected.median / level);
        let by_all = |dissent: f64| BY_ERRORS * by_errors + BY_DISSENT * dissent;
        let far = expected.dissent.map_or(by_errors, by_all);
        by_errors + (far - by_errors) * far_share(hours)
    }

    /// At so many hours ahead, between the horizons by their logarithm.
    fn at(&self, hours: f64) -> f64 {
        let mut nearer = (LEAST_HOURS, self.0.first().map_or(0.0, |it| NOW * it.1));
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

/// How wide a band so many hours ahead is where `ratio` of the usual level is forecast, in parts of what it is at that level.
fn local(hours: f64, ratio: f64) -> f64 {
    let far = far_share(hours);
    1.0 - far + far * ratio.sqrt()
}

/// The part of an error so many hours ahead that is the level's.
fn far_share(hours: f64) -> f64 {
    hours / (LEVEL_HOURS + hours)
}

/// What is nearer than this many hours is as far.
const LEAST_HOURS: f64 = 0.05;
/// The width of the next minutes, in parts of the width an hour ahead.
const NOW: f64 = 0.8;

#[cfg(test)]
mod tests {
    use super::*;

    const LEVEL: f64 = 100.0;

    /// Of a day and a week ahead.
    const FAR: [i64; 2] = [24 * HOUR, 168 * HOUR];

    fn half(minutes: i64, median: f64, dissent: Option<f64>) -> f64 {
        let expected = Expected { median, dissent };
        Spread::default().widths().half(minutes, expected, LEVEL)
    }

    #[test]
    fn a_quiet_hour_has_a_narrower_band_the_farther_ahead_the_more() {
        let quiet = |minutes| half(minutes, LEVEL / 16.0, None) / half(minutes, LEVEL, None);
        let [day, week] = FAR.map(quiet);
        assert!(0.85 < quiet(HOUR / 4), "{}", quiet(HOUR / 4));
        assert!(day < 0.5 && week < day, "{day} {week}");
        assert!(0.25 < week, "{week}");
    }

    #[test]
    fn forecasts_that_disagree_widen_the_band_far_ahead() {
        for minutes in FAR {
            let agreed = half(minutes, LEVEL, Some(0.0));
            assert!(agreed < half(minutes, LEVEL, None));
            assert!(agreed < half(minutes, LEVEL, Some(1.0)));
            assert!(half(minutes, LEVEL, None) < half(minutes, LEVEL, Some(5.0)));
        }
        let near = half(HOUR / 4, LEVEL, Some(1.0)) / half(HOUR / 4, LEVEL, Some(0.0));
        assert!(near < 1.05, "{near}");
    }

    #[test]
    fn what_is_expected_to_be_nothing_has_a_band() {
        for minutes in [0, HOUR, 24 * HOUR, 168 * HOUR] {
            let nothing = half(minutes, 0.0, Some(0.0));
            assert!(0.0 < nothing && nothing.is_finite(), "{minutes} {nothing}");
        }
    }
}
