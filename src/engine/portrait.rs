//! What follows from a pool's minutes beside use: how its requests look, and what admission holds back for them. Pure.

use crate::model::{
    series::{PoolSeries, Sample, Signal},
    time::{DAY, HOUR, Minute},
};

/// Means of a request over a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerRequest {
    /// Requests that got through.
    pub requests: f64,
    /// Input tokens a request, cache tokens excluded.
    pub input: f64,
    /// Output tokens a request.
    pub output: f64,
    /// Tokens a request read from the cache; `None` where that is not known of any of the minutes.
    pub cache_read: Option<f64>,
    /// Tokens a request wrote to the cache; `None` where that is not known of any of the minutes.
    pub cache_write: Option<f64>,
    /// Share of the requests whose input is long, in percent; `None` where that is not known of any of the minutes.
    pub long_inputs: Option<f64>,
    /// Share of the day's minutes in which requests, input and output were observed, in basis points.
    pub coverage: u16,
}

/// What admission may hold against a TPM quota in one minute, in tokens.
///
/// A request is admitted by its input and its `max_tokens`, and what it did not use is given back at its end. No metric
/// shows that. At least what was settled was held; at most the requests in flight held the most output that a request
/// can reserve on top. By Little's law so many are in flight as come in a minute times the minutes that one takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pressure {
    /// The minute.
    pub at: Minute,
    /// Tokens charged: the lower bound.
    pub least: f64,
    /// With every request in flight reserving the most there is: the upper bound.
    pub most: f64,
    /// Requests in flight, on average.
    pub in_flight: f64,
}

/// The means of the day that ends with `until`; `None` without a request in a minute that is known.
#[must_use]
pub fn per_request(series: &PoolSeries, until: Minute) -> Option<PerRequest> {
    let from = until.plus(-DAY);
    let of = |signal| series.window(signal, from, until).map(Sample::value);
    let counts = of(Signal::Invocations)
        .zip(of(Signal::InputTokens))
        .zip(of(Signal::OutputTokens));
    let (mut known, mut sums) = (0_u16, [0.0; 3]);
    for ((requests, input), output) in counts {
        if let (Some(requests), Some(input), Some(output)) = (requests, input, output) {
            known += 1;
            for (sum, value) in sums.iter_mut().zip([requests, input, output]) {
                *sum += value;
            }
        }
    }
    let [requests, input, output] = sums;
    (0.0 < requests).then(|| PerRequest {
        requests,
        input: input / requests,
        output: output / requests,
        cache_read: mean(series, Signal::CacheReadTokens, from, until),
        cache_write: mean(series, Signal::CacheWriteTokens, from, until),
        long_inputs: weighed(series, Signal::LongInputs, from, until),
        coverage: basis_points(known, from, until),
    })
}

/// A count per request, over the minutes in which both are known: the deeper signals are read later than requests.
fn mean(series: &PoolSeries, signal: Signal, from: Minute, until: Minute) -> Option<f64> {
    let requests = series.window(Signal::Invocations, from, until);
    let (mut requests_known, mut sum) = (0.0, 0.0);
    for (requests, count) in requests.zip(series.window(signal, from, until)) {
        if let (Some(requests), Some(count)) = (requests.value(), count.value()) {
            requests_known += requests;
            sum += count;
        }
    }
    (0.0 < requests_known).then(|| sum / requests_known)
}

/// What is no count, weighted by requests, over the minutes in which both are known.
fn weighed(series: &PoolSeries, signal: Signal, from: Minute, until: Minute) -> Option<f64> {
    let requests = series.window(Signal::Invocations, from, until);
    let (mut weight, mut sum) = (0.0, 0.0);
    for (requests, value) in requests.zip(series.window(signal, from, until)) {
        if let (Some(requests), Some(value)) = (requests.value(), value.value()) {
            weight += requests;
            sum += requests * value;
        }
    }
    (0.0 < weight).then(|| sum / weight)
}

/// The pressure in the newest minute before `until` of which all is known, an hour back at most. `most_output` is what
/// one request can reserve at most, in tokens.
#[must_use]
pub fn pressure(series: &PoolSeries, until: Minute, most_output: f64) -> Option<Pressure> {
    let minutes = until.plus(-HOUR).until(until).rev();
    let of = |signal, at| series.get(signal, at).value();
    minutes
        .filter_map(|at| {
            let requests = of(Signal::Invocations, at)?;
            let charged = of(Signal::ChargedTokens, at)?;
            let millis = of(Signal::Latency, at)?;
            let in_flight = requests * millis / 60_000.0;
            Some(Pressure {
                at,
                least: charged,
                most: charged + in_flight * most_output,
                in_flight,
            })
        })
        .next()
}

/// The share of the minutes from `from` up to `until` in which all of these signals were observed, in basis points.
/// A complete answer without a datapoint is an observation, too.
#[must_use]
pub fn coverage(series: &PoolSeries, signals: &[Signal], from: Minute, until: Minute) -> u16 {
    let known = from.until(until).filter(|minute| {
        let mut all = signals.iter();
        all.all(|signal| series.get(*signal, *minute) != Sample::Unobserved)
    });
    let known = u16::try_from(known.count()).unwrap_or(u16::MAX); // a day at most
    basis_points(known, from, until)
}

fn basis_points(known: u16, from: Minute, until: Minute) -> u16 {
    let all = until.since(from).max(1);
    u16::try_from(i64::from(known) * 10_000 / all).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::engine::tests::pool_id;
    use crate::model::series::Reading;

    const END: Minute = Minute(20_000 * DAY);

    fn series(signals: &[(Signal, f64)], minutes: usize) -> PoolSeries {
        let mut series = PoolSeries::default();
        let samples = |value: f64| vec![Sample::Value(value); minutes];
        series.absorb(&Reading {
            pool: pool_id(),
            from: END.plus(-i64::try_from(minutes).unwrap()),
            signals: signals
                .iter()
                .map(|(signal, value)| (*signal, samples(*value)))
                .collect(),
            by_target: BTreeMap::new(),
        });
        series
    }

    #[test]
    fn means_are_over_the_minutes_that_are_known_and_say_how_many() {
        let half = series(
            &[
                (Signal::Invocations, 10.0),
                (Signal::InputTokens, 5_000.0),
                (Signal::OutputTokens, 800.0),
                (Signal::CacheWriteTokens, 0.0),
            ],
            720,
        );
        let means = per_request(&half, END).unwrap();
        assert!((means.input - 500.0).abs() < 1e-9 && (means.output - 80.0).abs() < 1e-9);
        assert_eq!(means.coverage, 5_000);
        assert_eq!((means.cache_write, means.cache_read), (Some(0.0), None));
        assert_eq!(means.long_inputs, None);
        assert_eq!(per_request(&PoolSeries::default(), END), None);
        // Busy minutes weigh more: 2 % of 10 requests and 8 % of 30.
        let mut grown = series(&[(Signal::Invocations, 10.0), (Signal::LongInputs, 2.0)], 2);
        let busy = [(Signal::Invocations, 30.0), (Signal::LongInputs, 8.0)];
        let signals = busy.map(|(signal, value)| (signal, vec![Sample::Value(value)]));
        grown.absorb(&Reading {
            pool: pool_id(),
            from: END.plus(-1),
            signals: BTreeMap::from(signals),
            by_target: BTreeMap::new(),
        });
        let from = END.plus(-2);
        assert_eq!(weighed(&grown, Signal::LongInputs, from, END), Some(6.5));
        assert_eq!(
            coverage(&half, &[Signal::Invocations], END.plus(-DAY), END),
            5_000
        );
        let both = [Signal::Invocations, Signal::Throttles];
        assert_eq!(coverage(&half, &both, END.plus(-HOUR), END), 0);
    }

    #[test]
    fn reservations_lie_between_what_was_settled_and_the_most_that_is_in_flight() {
        // 60 requests a minute of 30 s each: 30 in flight.
        let busy = series(
            &[
                (Signal::Invocations, 60.0),
                (Signal::ChargedTokens, 100_000.0),
                (Signal::Latency, 30_000.0),
            ],
            30,
        );
        let held = pressure(&busy, END, 64_000.0).unwrap();
        assert_eq!(held.at, END.plus(-1));
        assert!((held.in_flight - 30.0).abs() < 1e-9);
        assert!((held.least - 100_000.0).abs() < 1e-9);
        assert!((held.most - (100_000.0 + 30.0 * 64_000.0)).abs() < 1e-6);
        // Without a known latency there is no bound, and what is older than an hour is none of now.
        let unknown = series(
            &[(Signal::Invocations, 60.0), (Signal::ChargedTokens, 1.0)],
            30,
        );
        assert_eq!(pressure(&unknown, END, 64_000.0), None);
        assert_eq!(pressure(&busy, END.plus(61), 64_000.0), None);
    }
}
