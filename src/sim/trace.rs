//! The real traces that demand is replayed from; compiled in. Origin and licence: `tests/data/traces/README.md`.

use std::{io::Read, sync::OnceLock};

use super::hash;

/// Minutes of one window of a trace.
const WINDOW: i64 = 10;
/// Windows of a week, and of the whole trace of two weeks.
const WEEK: i64 = 1_008;
const WINDOWS: i64 = 2 * WEEK;
/// Windows of a day.
const DAY: usize = 144;

/// What happened in ten minutes, relative to the trace's own mean.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    /// Requests as a multiple of the trace's mean.
    pub(crate) requests: f64,
    /// The same with each day brought to the trace's mean: the shape of the day without the drift between days.
    pub(crate) evened: f64,
    /// Mean input tokens a request.
    pub(crate) input: f64,
    /// Mean output tokens a request.
    pub(crate) output: f64,
    /// Coefficient of variation of the times between arrivals.
    pub(crate) arrival_cv: f64,
}

/// One client application's two weeks.
#[derive(Debug)]
pub(crate) struct Trace {
    windows: Vec<Window>,
    /// Mean input tokens a request over all.
    pub(crate) input_mean: f64,
    /// Mean output tokens a request over all.
    pub(crate) output_mean: f64,
}

macro_rules! traces {
    ($($name:literal),*) => {
        /// The names a world may use.
        pub(crate) const NAMES: &[&str] = &[$($name),*];

        /// The trace of this name, unpacked at its first use.
        pub(crate) fn named(name: &str) -> Option<&'static Trace> {
            match name {
                $($name => {
                    static TRACE: OnceLock<Trace> = OnceLock::new();
                    Some(TRACE.get_or_init(|| unpack(include_bytes!(concat!(
                        env!("CARGO_MANIFEST_DIR"), "/tests/data/traces/", $name, ".csv.gz"
                    )))))
                })*
                _ => None,
            }
        }
    };
}

traces!(
    "agents",
    "assistant",
    "batch",
    "chat",
    "documents",
    "mixed",
    "sparse",
    "steady"
);

impl Trace {
    /// Requests (relative), tokens and burstiness around this minute of the trace: the counts of neighbouring windows
    /// are joined by a line, so that the load has no steps of ten minutes. Before its start and after its end it tiles
    /// by week.
    pub(crate) fn at(&self, minute: i64, is_evened: bool) -> Window {
        let middle = minute.saturating_sub(WINDOW / 2);
        let index = middle.div_euclid(WINDOW);
        let share = f64::from(i32::try_from(middle.rem_euclid(WINDOW)).unwrap_or(0)) / 10.0;
        let (left, right) = (self.window(index), self.window(index.saturating_add(1)));
        let mut here = self.window(minute.div_euclid(WINDOW));
        here.requests = if is_evened {
            left.evened + (right.evened - left.evened) * share
        } else {
            left.requests + (right.requests - left.requests) * share
        };
        here
    }

    fn window(&self, index: i64) -> Window {
        let tiled = match index {
            i64::MIN..0 => index.rem_euclid(WEEK),
            0..WINDOWS => index,
            WINDOWS.. => WEEK + index.rem_euclid(WEEK),
        };
        let slot = usize::try_from(tiled).unwrap_or(0);
        self.windows.get(slot).copied().unwrap_or_default()
    }
}

/// The files are part of the program; what does not parse would be seen by the test below, so it becomes silence here.
fn unpack(packed: &[u8]) -> Trace {
    let mut text = String::new();
    let read = flate2::read::GzDecoder::new(packed).read_to_string(&mut text);
    let mut windows = vec![Window::default(); usize::try_from(WINDOWS).unwrap_or(0)];
    if read.is_ok() {
        for line in text.lines().skip(1) {
            let mut fields = line
                .split(',')
                .map(|field| field.parse::<f64>().unwrap_or(0.0));
            let mut next = || fields.next().unwrap_or(0.0);
            let index = line
                .split(',')
                .next()
                .and_then(|field| field.parse::<usize>().ok());
            let (_, requests, input, output, arrival_cv) = (next(), next(), next(), next(), next());
            if let Some(slot) = index.and_then(|index| windows.get_mut(index))
                && requests > 0.0
            {
                *slot = Window {
                    requests,
                    evened: requests,
                    input: input / requests,
                    output: output / requests,
                    arrival_cv: arrival_cv.clamp(0.5, 3.0),
                };
            }
        }
    }
    relative(windows)
}

/// Divides by the means.
fn relative(mut windows: Vec<Window>) -> Trace {
    let total: f64 = windows.iter().map(|w| w.requests).sum();
    let per_request = |tokens: fn(&Window) -> f64| {
        let all: f64 = windows.iter().map(|w| tokens(w) * w.requests).sum();
        if total > 0.0 { all / total } else { 0.0 }
    };
    let (input_mean, output_mean) = (per_request(|w| w.input), per_request(|w| w.output));
    let mean = total / hash::float(windows.len());
    for day in windows.chunks_mut(DAY) {
        let day_mean = day.iter().map(|w| w.requests).sum::<f64>() / hash::float(day.len());
        for window in day {
            window.requests = share(window.requests, mean);
            window.evened = share(window.evened, day_mean);
            if window.input <= 0.0 {
                (window.input, window.output, window.arrival_cv) = (input_mean, output_mean, 1.0);
            }
        }
    }
    Trace {
        windows,
        input_mean,
        output_mean,
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trace_unpacks_to_two_weeks_of_real_load() {
        for name in NAMES {
            let trace = named(name).unwrap();
            let busy = trace.windows.iter().filter(|w| w.requests > 0.0).count();
            assert!(busy > 1_500, "{name}: {busy}");
            assert!(trace.input_mean > 10.0 && trace.output_mean > 1.0, "{name}");
            let mean = trace.windows.iter().map(|w| w.requests).sum::<f64>() / 2_016.0;
            assert!((mean - 1.0).abs() < 1e-9, "{name}: {mean}");
        }
        assert!(named("nonsense").is_none());
    }

    #[test]
    fn time_outside_the_trace_tiles_by_week() {
        let trace = named("agents").unwrap();
        let week = 7 * 1_440;
        for minute in [3_000, 9_999] {
            let inside = trace.at(minute, false).requests;
            assert!((trace.at(minute - week, false).requests - inside).abs() < 1e-12);
            let second = trace.at(minute + week, false).requests;
            assert!((trace.at(minute + 3 * week, false).requests - second).abs() < 1e-12);
        }
    }
}
