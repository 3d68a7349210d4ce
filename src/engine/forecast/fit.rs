//! What is to be expected: trend x shape of the day x last week x what the last hours say.
//!
//! The statistic: the slow part (`trend`) times the shape of the day (`shape`) is the base. On it come
//! - last week: the ratio to the base that the same quarter had a week ago, weighted by how much such ratios have come
//!   back so far (a regression over the last week, shrunk to none; one weight for the pattern within hours, one for
//!   the level). Where weeks repeat the forecast learns it; where they don't the weight goes to nothing;
//! - the last hours: the ratios to the base of the last quarter, hour, four hours, day and three days. Each adds what it
//!   says beyond the next longer one, and is believed for about as long as it has held: a level that has stood for an
//!   hour counts half four hours ahead, one that has stood for a day half 20 hours ahead (`t / (t + ahead)`). So a level
//!   shift is taken up within a quarter of an hour and kept the longer it lasts, and a burst is forgotten;
//! - yesterday: what the last day had at this time beyond the shape (`yesterday`);
//! - last week's moves: how demand went on a week ago from where it stood then (`moves`).
//!
//! What is forecast of the mean is the median of this, of yesterday and of last week (`seasonal`), and how far they are apart is
//! part of how wide its band is (`spread`).
//!
//! What fools it: a change of the weekly rhythm (a public holiday) until the last hours show it.
//! Cold start: one day; before that there is no fit.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "indices are counted from the length of the same vector"
)]

use super::{
    Growth,
    history::{DAY, HOUR, History, QUARTER, WEEK},
    moves::{Moves, Next, Then, Turn},
    rise::Rise,
    seasonal::{Bucket, Expected, Seasonal},
    shape::Shape,
    trend::{Level, Trend},
    yesterday::Yesterday,
};
use crate::model::time::Minute;

/// Quarters of the windows of the last hours, shortest first.
pub(super) const WINDOWS: [usize; 5] = [1, 4, 16, DAY, 3 * DAY];
/// Hours ahead at which the level of the last hour counts half; others by the square root of their length.
const HOLD: f64 = 4.0;
/// Quarters at the usual level that a window is shrunk to the next longer one by: the nightly trickle says little.
const SHRINK: f64 = 0.2;
/// Quarters of one level of the trend.
const LEVEL: i64 = 24;
/// Quarters that must be known for a level.
const LEVEL_KNOWN: f64 = 12.0;
/// Weight of the prior, that nothing of last week comes back: this much squared ratio over a day of quarters. What came back
/// is said by `seasonal`, too.
const WEEK_PRIOR: f64 = 0.02 * 96.0;
/// Half-life in days of what is learned of last week's coming back.
const COME_BACK_HALF_LIFE: f64 = 2.0;
/// Hours ahead at which the weight of the level has taken over half from the weight of the pattern.
const PATTERN_HOURS: f64 = 8.0;
/// Quarters on each side that last week's ratios are smoothed over.
const SMOOTH: usize = 1;
/// Ratios are kept within these when they are compared with last week's.
const RATIO: (f64, f64) = (0.0, 4.0);

/// Days that must be known before chances are given: a shape, and one day to compare it with.
const LEAST_DAYS: usize = 2;

/// A fit as of the end of the last whole quarter.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fit {
    /// The minute after the last whole quarter.
    pub(super) origin: Minute,
    /// Mean of the last week: the scale that errors are measured by. Positive.
    pub(super) level: f64,
    /// Quarters that are known.
    known: usize,
    /// `None` where it is too short.
    pub(super) rise: Option<Rise>,
    shape: Shape,
    pub(super) trend: Trend,
    /// Ratios to the base of the last week, smoothed; `NaN` for gaps.
    week: Vec<f64>,
    pattern: f64,
    weekly: f64,
    /// What each window says beyond the next longer one.
    steps: [f64; WINDOWS.len()],
    yesterday: Yesterday,
    seasonal: Seasonal,
    /// How it went on a week ago from now on, and how much of that counts.
    turn: Turn,
    growth: Vec<Growth>,
}

/// Sums of values and of what they are compared to, so that any stretch costs two look-ups.
#[derive(Debug)]
pub(super) struct Sums(Vec<(f64, f64)>);

impl Sums {
    pub(super) fn of(pairs: impl Iterator<Item = (f64, f64)>) -> Self {
        let mut sums = Vec::with_capacity(1 + pairs.size_hint().0); // grown by doubling it took as long as adding
        sums.push((0.0, 0.0));
        let (mut a, mut b) = (0.0, 0.0);
        for (value, base) in pairs {
            if !value.is_nan() {
                (a, b) = (a + value, b + base);
            }
            sums.push((a, b));
        }
        Self(sums)
    }

    /// Both sums over `from..until`.
    fn over(&self, from: usize, until: usize) -> (f64, f64) {
        let (from, until) = (self.0[from.min(until)], self.0[until]);
        (until.0 - from.0, until.1 - from.1)
    }

    /// Their ratio; `NaN` where nothing is known.
    fn ratio(&self, from: usize, until: usize) -> f64 {
        let (value, base) = self.over(from, until);
        if 0.0 < base { value / base } else { f64::NAN }
    }
}

/// The trend of what is kept, from levels of whole six hours.
pub(super) fn trend(history: &History, growth: &[Growth]) -> Option<Trend> {
    let (quarters, end) = (past(history, growth)?, history.end()?);
    if quarters.len() < DAY || !quarters.iter().any(|it| 0.0 < *it) {
        return None; // asked each hour of pools that are new or hardly used: soon answered
    }
    let shape = Shape::of(&quarters, end);
    let first = end - i64::try_from(quarters.len()).ok()?;
    let mut levels = Vec::new();
    let mut until = end.div_euclid(LEVEL) * LEVEL;
    while first + LEVEL <= until {
        let from = until - LEVEL;
        let own = quarters.get(usize::try_from(from - first).ok()?..)?;
        let known = own.iter().zip(from..until).filter(|(it, _)| !it.is_nan());
        let (known, value, base) = known.fold((0.0, 0.0, 0.0), |(known, value, base), (it, at)| {
            (known + 1.0, value + it, base + shape.quarter(at))
        });
        if LEVEL_KNOWN <= known && 0.0 < base && 0.0 < value {
            let day = (until as f64 - LEVEL as f64 / 2.0) / DAY as f64;
            levels.push(Level {
                day,
                log: (value / base).ln(),
            });
        }
        until -= LEVEL;
    }
    levels.reverse();
    Trend::of(&levels, end as f64 / DAY as f64)
}

/// All quarters, those before a growth event that has begun raised to what they would be after it.
fn past(history: &History, growth: &[Growth]) -> Option<Vec<f64>> {
    let mut quarters = history.quarters();
    let end = history.end()?;
    let first = end - i64::try_from(quarters.len()).ok()?;
    for event in growth.iter().filter(|it| it.from.0 <= end * QUARTER) {
        for (at, value) in (first..).zip(&mut quarters) {
            if at * QUARTER < event.from.0 {
                *value *= event.factor;
            }
        }
    }
    Some(quarters)
}

impl Fit {
    /// `None` below one day, or when all of the last week was nothing.
    pub(super) fn of(
        history: &History,
        trend: &Trend,
        moves: &Moves,
        growth: &[Growth],
    ) -> Option<Self> {
        let (quarters, end) = (past(history, growth)?, history.end()?);
        let count = quarters.len();
        if count < DAY {
            return None;
        }
        let shape = Shape::of(&quarters, end);
        let first = end - i64::try_from(count).ok()?;
        let base = base(&shape, trend, first, count);
        let sums = Sums::of(quarters.iter().copied().zip(base.iter().copied()));
        let level = mean(&quarters[count.saturating_sub(WEEK)..]);
        if level.is_nan() || level <= 0.0 {
            return None;
        }
        let smooth =
            |at: usize| sums.ratio(at.saturating_sub(SMOOTH), (at + SMOOTH + 1).min(count));
        let (pattern, weekly) = come_back(&quarters, &base, &sums, level);
        // What the base and last week's pattern lead to expect of a quarter of the past.
        let expected: Vec<f64> = (count.saturating_sub(WINDOWS[4])..count)
            .map(|at| {
                let back = at.checked_sub(WEEK).map_or(f64::NAN, smooth);
                base[at] * told(back, pattern)
            })
            .collect();
        let recent = Sums::of(
            quarters[count - expected.len()..]
                .iter()
                .copied()
                .zip(expected.iter().copied()),
        );
        let week = (0..WEEK).map(|at| (count + at).checked_sub(WEEK).map_or(f64::NAN, smooth));
        Some(Self {
            origin: Minute(end * QUARTER),
            level,
            rise: Rise::of(&quarters, expected.last().copied().unwrap_or(f64::NAN)),
            known: quarters.iter().filter(|it| !it.is_nan()).count(),
            week: week.collect(),
            shape,
            trend: trend.clone(),
            pattern,
            weekly,
            steps: steps(&recent, expected.len(), level),
            yesterday: Yesterday::of(&quarters, &base, level),
            seasonal: Seasonal::of(&quarters, level),
            turn: Turn {
                then: then(&sums, count),
                weights: moves.weights(),
            },
            growth: growth
                .iter()
                .copied()
                .filter(|it| end * QUARTER < it.from.0)
                .collect(),
        })
    }

    /// Whether enough is known for chances.
    pub(super) const fn is_old(&self) -> bool {
        LEAST_DAYS * DAY <= self.known
    }

    /// The end of an hour whose quarters are `came`: learns how much of last week's moves came back.
    pub(super) fn learn(&mut self, moves: &mut Moves, came: [f64; HOUR]) {
        let starts = [0, 1, 2, 3].map(|at| self.origin.plus(at * QUARTER));
        let next = Next {
            forecasts: starts.map(|at| self.still(&self.ahead(at, QUARTER)) * self.coming(at)),
            ratios: starts.map(|at| self.ahead(at, QUARTER).week),
            then: self.turn.then,
            level: self.level,
        };
        moves.hour(self.origin, came, &next);
        self.turn.weights = moves.weights();
    }

    /// What is expected of the mean over `step` minutes from `at` on.
    pub(super) fn expected(&self, at: Minute, step: i64) -> Expected {
        let from = at.since(self.origin);
        let ahead = self.ahead(at, step).hours;
        let bucket = Bucket { from, step, ahead };
        let Expected { median, dissent } = self.seasonal.beside(self.own(at, step), bucket);
        let coming = self.coming(at);
        Expected {
            median: median * coming,
            dissent: dissent.map(|it| it * coming.sqrt()),
        }
    }

    /// The same by the fit alone, for what a quota counts: it is smoother, and the highest of many quarters is asked for.
    pub(super) fn smooth(&self, at: Minute, step: i64) -> f64 {
        self.own(at, step) * self.coming(at)
    }

    /// The median of the fit alone, without growth to come.
    fn own(&self, at: Minute, step: i64) -> f64 {
        let ahead = self.ahead(at, step);
        self.still(&ahead) * self.turn.factor(ahead.week, ahead.hours)
    }

    /// What growth that people know of, and that has not begun yet, multiplies this minute by.
    fn coming(&self, at: Minute) -> f64 {
        let coming = self.growth.iter().filter(|it| it.from <= at);
        coming.map(|it| it.factor).product()
    }

    fn ahead(&self, at: Minute, step: i64) -> Ahead {
        let middle = at.0 as f64 + step as f64 / 2.0;
        let quarter = at.0.div_euclid(QUARTER) - self.origin.0.div_euclid(QUARTER);
        let quarter = usize::try_from(quarter).unwrap_or(0); // nothing before the origin is asked for
        Ahead {
            middle,
            hours: ((middle - self.origin.0 as f64) / 60.0).max(0.05),
            quarter,
            week: self.week[quarter % WEEK],
        }
    }

    /// The same without last week's moves.
    fn still(&self, ahead: &Ahead) -> f64 {
        let share = ahead.hours / (PATTERN_HOURS + ahead.hours);
        let weight = self.pattern + (self.weekly - self.pattern) * share;
        let mut level = 1.0;
        for (step, window) in self.steps.iter().zip(WINDOWS) {
            level += step * believed(window, ahead.hours);
        }
        let trend = self.trend.at(ahead.middle / 1_440.0).exp();
        let base = self.shape.minute(ahead.middle) * trend;
        let ratio = (told(ahead.week, weight) + self.yesterday.adds(ahead.quarter)).max(0.0);
        (base * ratio * level).max(0.0)
    }
}

/// Some minutes that are forecast.
struct Ahead {
    /// In minutes since 1970.
    middle: f64,
    /// From the origin to the middle.
    hours: f64,
    /// From the origin to the first of them.
    quarter: usize,
    /// Last week's ratio to the base.
    week: f64,
}

/// Of what is known; `NaN` where nothing is.
fn mean(quarters: &[f64]) -> f64 {
    let known = quarters.iter().filter(|it| !it.is_nan());
    let (sum, count) = known.fold((0.0, 0.0), |(sum, count), it| (sum + it, count + 1.0));
    sum / count
}

/// How much of what a window of so many quarters says is believed so many hours ahead.
pub(super) fn believed(window: usize, ahead: f64) -> f64 {
    let hold = HOLD * (window as f64 / 4.0).sqrt();
    hold / (hold + ahead)
}

/// The base of `count` quarters from quarter `first` on: the trend of its six hours times the shape.
fn base(shape: &Shape, trend: &Trend, first: i64, count: usize) -> Vec<f64> {
    let mut base = Vec::with_capacity(count);
    let mut level = (i64::MIN, 1.0);
    for at in (first..).take(count) {
        let of = at.div_euclid(LEVEL);
        if level.0 != of {
            let day = (of as f64 + 0.5) * LEVEL as f64 / DAY as f64;
            level = (of, trend.at(day).exp());
        }
        base.push(shape.quarter(at) * level.1);
    }
    base
}

/// Where demand stood a week before quarter `at` began; `None` where that is not known.
fn then(sums: &Sums, at: usize) -> Option<Then> {
    let then = at.checked_sub(WEEK)?;
    let from = |quarters: usize| then.checked_sub(quarters);
    Then::of(sums.ratio(from(1)?, then), sums.ratio(from(HOUR)?, then))
}

/// What last week's ratio makes of the base.
fn told(ratio: f64, weight: f64) -> f64 {
    if ratio.is_nan() {
        return 1.0;
    }
    1.0 + weight * (ratio.clamp(RATIO.0, RATIO.1) - 1.0)
}

/// How much of last week's ratios came back in the last week: of the pattern within four hours, and of the level.
fn come_back(quarters: &[f64], base: &[f64], sums: &Sums, level: f64) -> (f64, f64) {
    let count = quarters.len();
    let prior = WEEK_PRIOR * level;
    let (mut pattern, mut weekly) = ((0.0, prior), (0.0, prior));
    let add = |to: &mut (f64, f64), weight: f64, now: f64, then: f64| {
        let (now, then) = (now.clamp(-1.0, 2.0), then.clamp(-1.0, 2.0));
        if now.is_finite() && then.is_finite() {
            to.0 += weight * now * then;
            to.1 += weight * then * then;
        }
    };
    let hours = WINDOWS[2];
    let fade = 0.5_f64.powf((COME_BACK_HALF_LIFE * DAY as f64).recip());
    let mut age = 1.0;
    for at in ((WEEK + hours).max(count.saturating_sub(WEEK))..count).rev() {
        age *= fade;
        if base[at] <= 0.0 {
            continue;
        }
        let weight = base[at] * age;
        let back = at - WEEK;
        let then = sums.ratio(back - SMOOTH, (back + SMOOTH + 1).min(count));
        let now = quarters[at] / base[at];
        let (near, near_then) = (sums.ratio(at - hours, at), sums.ratio(back - hours, back));
        add(
            &mut pattern,
            weight,
            now / near - 1.0,
            then / near_then - 1.0,
        );
        add(&mut weekly, weight, now - 1.0, then - 1.0);
    }
    let weight = |(products, squares): (f64, f64)| (products / squares).clamp(0.0, 1.0);
    (weight(pattern), weight(weekly))
}

/// What each window says beyond the next longer one; the longest is measured against the base.
pub(super) fn steps(recent: &Sums, count: usize, level: f64) -> [f64; WINDOWS.len()] {
    let shrink = SHRINK * level;
    let mut longer: f64 = 1.0;
    let mut steps = [0.0; WINDOWS.len()];
    for (step, window) in steps.iter_mut().zip(WINDOWS).rev() {
        let (value, base) = recent.over(count.saturating_sub(window), count);
        let here = ((value + shrink * longer) / (base + shrink)).clamp(0.05, 20.0);
        *step = here - longer;
        longer = here;
    }
    steps
}
