//! Demand: what the callers of a target want in a minute, replayed from a real trace.
//!
//! Order-free: the same (seed, target, minute) is always the same number. Within the trace's windows of ten minutes,
//! requests are spread with the published variability of arrivals: the count of a minute deviates by cv x sqrt(mean),
//! as a renewal process with that cv does.

use super::{
    hash,
    trace::{self, Trace},
    world::{Span, Traffic, World},
};
use crate::model::{
    ids::Scope,
    time::{DAY, Minute},
};

/// What callers wanted in one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Demand {
    /// Requests, whole.
    pub(crate) requests: f64,
    /// Mean input tokens a request.
    pub(crate) input: f64,
    /// Mean output tokens a request.
    pub(crate) output: f64,
}

/// What a target's demand is made from.
#[derive(Debug)]
pub(crate) struct Source {
    trace: Option<&'static Trace>,
    /// The seed of all chance about this target.
    pub(crate) key: u64,
    /// Midnight before the world's start: the trace's first minute.
    zero: Minute,
    start: Minute,
    first: Minute,
}

impl Source {
    /// Of what is called `id` in this account and Region.
    pub(crate) fn new(
        world: &World,
        seed: u64,
        (scope, id): (&Scope, &str),
        traffic: &Traffic,
    ) -> Self {
        let start = Minute::of(world.start);
        Self {
            trace: trace::named(&traffic.trace),
            key: hash::mix(&[seed, hash::of_text(&format!("{scope}/{id}"))]),
            zero: Minute(start.0.div_euclid(DAY) * DAY),
            start,
            first: world.first_minute(),
        }
    }

    /// A number of chance for this minute and purpose.
    pub(crate) fn chance(&self, minute: Minute, purpose: u64) -> u64 {
        hash::mix(&[self.key, minute.0.cast_unsigned(), purpose])
    }

    /// The demand of a minute, without retries.
    pub(crate) fn demand(&self, traffic: &Traffic, minute: Minute) -> Demand {
        let Some(trace) = self.trace else {
            return Demand::default();
        };
        if minute < traffic.from.max(self.first) || minute >= traffic.until {
            return Demand::default();
        }
        let window = trace.at(
            minute.since(self.zero).saturating_add(traffic.shift),
            traffic.is_evened,
        );
        let days = f64::from(i32::try_from(minute.since(self.start)).unwrap_or(0)) / 1_440.0;
        let growth = if traffic.growth_per_day.abs() > 0.0 {
            (1.0 + traffic.growth_per_day).powf(days)
        } else {
            1.0
        };
        let mean = traffic.requests_per_minute * growth * level(traffic, minute) * window.requests;
        if mean <= 0.0 {
            return Demand::default();
        }
        let spread = mean.sqrt() * window.arrival_cv * hash::normal(self.chance(minute, 1));
        let requests = hash::round((mean + spread).max(0.0), self.chance(minute, 2));
        let tokens = |own: f64, here: f64, usual: f64, purpose: u64| {
            // An evened trace keeps a hint of how its requests change in length; others keep all of it.
            let (least, most) = if traffic.is_evened {
                (0.85, 1.2)
            } else {
                (0.25, 4.0)
            };
            let drift = if usual > 0.0 {
                (here / usual).clamp(least, most)
            } else {
                1.0
            };
            let noise = 1.0 + hash::normal(self.chance(minute, purpose)) / requests.max(1.0).sqrt();
            (own * drift * noise.clamp(0.2, 3.0)).max(0.0)
        };
        Demand {
            requests,
            input: tokens(traffic.input_tokens, window.input, trace.input_mean, 3),
            output: tokens(traffic.output_tokens, window.output, trace.output_mean, 4),
        }
    }
}

/// Ramps, steps and bursts together.
fn level(traffic: &Traffic, minute: Minute) -> f64 {
    let ramps = traffic.ramps.iter().map(|span| {
        let whole = span.until.since(span.from);
        let done = minute.since(span.from).clamp(0, whole);
        let share = f64::from(i32::try_from(done).unwrap_or(i32::MAX))
            / f64::from(i32::try_from(whole.max(1)).unwrap_or(i32::MAX));
        1.0 + (span.factor - 1.0) * share
    });
    ramps.product::<f64>() * product(&traffic.bursts, minute)
}

/// The factors of all spans that hold at this minute, multiplied; 1 where none does.
pub(crate) fn product(spans: &[Span], minute: Minute) -> f64 {
    let here = spans
        .iter()
        .filter(|span| span.from <= minute && minute < span.until);
    here.map(|span| span.factor).product()
}

/// The highest factor of the spans that hold at this minute, at least `least`.
pub(crate) fn highest(spans: &[Span], minute: Minute, least: f64) -> f64 {
    let here = spans
        .iter()
        .filter(|span| span.from <= minute && minute < span.until);
    here.map(|span| span.factor).fold(least, f64::max)
}
