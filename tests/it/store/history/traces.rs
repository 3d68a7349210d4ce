//! Days of a pool as real clients make them: the traces of `tests/data/traces`, drawn minute by minute.

use std::{collections::BTreeMap, path::Path};

use bedrock_ops_alert::model::{
    series::{PoolSeries, Reading, Sample, Signal},
    time::{DAY, Minute},
};
use fastrand::Rng;
use flate2::read::GzDecoder;

use super::pool;

const NAMES: [&str; 8] = [
    "chat",
    "assistant",
    "agents",
    "mixed",
    "documents",
    "steady",
    "sparse",
    "batch",
];

/// One client: requests, input and output tokens of each ten minutes.
pub(super) struct Trace(BTreeMap<i64, [f64; 3]>);

/// All eight, by name.
pub(super) fn all() -> Vec<(&'static str, Trace)> {
    NAMES
        .into_iter()
        .map(|name| (name, Trace::of(name)))
        .collect()
}

impl Trace {
    fn of(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/traces");
        let file = std::fs::File::open(folder.join(format!("{name}.csv.gz"))).unwrap();
        let mut rows = csv::Reader::from_reader(GzDecoder::new(file));
        let rows = rows.deserialize::<(i64, f64, f64, f64, f64)>();
        let windows = rows.map(|row| {
            let (window, requests, input, output, _) = row.unwrap();
            (window, [requests, input, output])
        });
        Self(windows.collect())
    }

    /// A client that never calls.
    pub(super) const fn silent() -> Self {
        Self(BTreeMap::new())
    }

    /// One day of it as a pool's samples: counts scattered around the trace, latency a mean of many.
    pub(super) fn day(&self, day: i64) -> Reading {
        let mut rng = Rng::with_seed(day.unsigned_abs());
        let mut signals: BTreeMap<Signal, Vec<Sample>> = BTreeMap::new();
        for minute in 0..DAY {
            let window = day.rem_euclid(14) * 144 + minute / 10;
            let [requests, input, output] = self.0.get(&window).copied().unwrap_or_default();
            let mean = requests / 10.0;
            // The sum of twelve even draws is near to normal.
            let scatter: f64 = (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
            let count = (mean + mean.sqrt() * scatter).max(0.0).round();
            let tokens = |total: f64, rng: &mut Rng| {
                (total / requests.max(1.0) * count * (0.8 + 0.4 * rng.f64())).round()
            };
            let (input, output) = (tokens(input, &mut rng), tokens(output, &mut rng));
            let failures = if rng.u8(0..50) == 0 { 1.0 } else { 0.0 };
            let millis = |least: f64, spread: f64, rng: &mut Rng| {
                if count > 0.0 {
                    Sample::Value(least + spread * rng.f64())
                } else {
                    Sample::NoData
                }
            };
            // One request in twenty or so is long: as they are kept, hour by hour.
            let hour = f64::from(u8::try_from(minute / 60).unwrap());
            let long = match count {
                count if 0.0 < count => Sample::Value(4.0 + (hour * 7.0) % 5.0 / 2.0),
                _ => Sample::NoData,
            };
            let latency = millis(700.0, 900.0, &mut rng);
            for (signal, sample) in [
                (Signal::Invocations, Sample::Value(count)),
                (Signal::Throttles, Sample::Value(0.0)),
                (Signal::ClientErrors, Sample::Value(failures)),
                (Signal::ServerErrors, Sample::Value(0.0)),
                (Signal::InputTokens, Sample::Value(input)),
                (Signal::OutputTokens, Sample::Value(output)),
                (Signal::ChargedTokens, Sample::Value(input + 5.0 * output)),
                (Signal::Latency, latency),
                (
                    Signal::CacheWriteTokens,
                    Sample::Value((input * 0.1).round()),
                ),
                (
                    Signal::CacheReadTokens,
                    Sample::Value(tokens(input, &mut rng)),
                ),
                (Signal::LatencyP50, millis(600.0, 800.0, &mut rng)),
                (Signal::LatencyP90, millis(1_200.0, 1_600.0, &mut rng)),
                (Signal::LatencyP99, millis(2_500.0, 4_000.0, &mut rng)),
                (Signal::FirstTokenP90, millis(300.0, 500.0, &mut rng)),
                (Signal::LongInputs, long),
            ] {
                signals.entry(signal).or_default().push(sample);
            }
        }
        Reading {
            pool: pool(0),
            from: Minute(day * DAY),
            signals,
            by_target: BTreeMap::new(),
        }
    }
}

/// These days of one client in memory.
pub(super) fn series(trace: &Trace, days: impl IntoIterator<Item = i64>) -> PoolSeries {
    let mut series = PoolSeries::default();
    for day in days {
        series.absorb(&trace.day(day));
    }
    series
}
