//! A stretch of history as bytes, one column after another, and deflated as a whole.
//!
//! Per signal: its place in [`Signal::ALL`], the scale of its numbers (1, or 10 where tenths make them whole), the values
//! as a run of samples, and for buckets of several minutes the known minutes, a byte each, and the peaks.
//! The key is not in here: it stands in the directory of the segment, under the same checksum.

use std::{collections::BTreeMap, io::Read as _};

use flate2::{Compression, bufread::DeflateDecoder, write::DeflateEncoder};

use crate::{
    model::{
        history::{Bucket, Resolution, Stretch, StretchKey},
        series::{Sample, Signal},
    },
    store::{
        record::v1::Wrong,
        samples::{put, take, take_samples},
    },
};

/// Most bytes of a stretch before it was deflated; what is longer is no stretch of ours.
const MOST_BYTES: u64 = 1024 * 1024;
/// Latency is a mean and kept in tenths.
const TENTHS: f64 = 10.0;

/// The bytes of a stretch.
pub(crate) fn encode(stretch: &Stretch) -> Result<Vec<u8>, Wrong> {
    let resolution = stretch.key.resolution;
    let mut plain = Vec::with_capacity(16 * 1024);
    for (signal, buckets) in &stretch.signals {
        if i64::try_from(buckets.len()) != Ok(resolution.buckets()) {
            let why = format!("{} buckets of {}", buckets.len(), signal.name());
            return Err(Wrong::new(why));
        }
        let place = Signal::ALL.into_iter().zip(0_u8..);
        let place = place.into_iter().find(|(it, _)| it == signal);
        plain.push(place.map_or(u8::MAX, |(_, place)| place)); // every signal is in `ALL`
        let values: Vec<Sample> = buckets.iter().map(|it| it.value).collect();
        put_scaled(&values, &mut plain);
        if resolution == Resolution::Minute {
            continue;
        }
        plain.extend(buckets.iter().map(|it| it.known));
        let peaks: Vec<Sample> = buckets.iter().map(|it| it.peak).collect();
        put_scaled(&peaks, &mut plain);
    }
    deflated(&plain).map_err(|fault| Wrong::new(fault.to_string()))
}

/// The stretch that these bytes are.
pub(crate) fn decode(key: StretchKey, bytes: &[u8]) -> Result<Stretch, Wrong> {
    let mut plain = Vec::new();
    let read = DeflateDecoder::new(bytes)
        .take(MOST_BYTES)
        .read_to_end(&mut plain);
    read.map_err(|fault| Wrong::new(fault.to_string()))?;
    let count = usize::try_from(key.resolution.buckets()).unwrap_or(0);
    let mut rest = plain.as_slice();
    let mut signals = BTreeMap::new();
    while !rest.is_empty() {
        let [place] = take(&mut rest)?;
        let signal = Signal::ALL.get(usize::from(place));
        let signal = signal.ok_or_else(|| Wrong::new(format!("there is no signal {place}")))?;
        let values = take_scaled(&mut rest, count)?;
        let buckets: Vec<Bucket> = if key.resolution == Resolution::Minute {
            values.into_iter().map(Bucket::of_minute).collect()
        } else {
            let known = rest.split_at_checked(count);
            let (known, after) = known.ok_or_else(|| Wrong::new("the bytes end too early"))?;
            rest = after;
            let peaks = take_scaled(&mut rest, count)?;
            let columns = values.into_iter().zip(peaks).zip(known);
            columns
                .map(|((value, peak), known)| Bucket {
                    value,
                    peak,
                    known: *known,
                })
                .collect()
        };
        signals.insert(*signal, buckets);
    }
    Ok(Stretch { key, signals })
}

fn put_scaled(samples: &[Sample], out: &mut Vec<u8>) {
    let in_tenths: Option<Vec<Sample>> = samples.iter().map(|it| tenths(*it)).collect();
    let has_fractions = samples
        .iter()
        .filter_map(|it| it.value())
        .any(|value| value.fract() != 0.0);
    match in_tenths {
        Some(in_tenths) if has_fractions => {
            out.push(10);
            put(&in_tenths, out);
        }
        Some(_) | None => {
            out.push(1);
            put(samples, out);
        }
    }
}

/// The sample times ten, if that is whole and leads back to the same bits.
fn tenths(sample: Sample) -> Option<Sample> {
    let Sample::Value(value) = sample else {
        return Some(sample);
    };
    let scaled = (value * TENTHS).round();
    ((scaled / TENTHS).to_bits() == value.to_bits()).then_some(Sample::Value(scaled))
}

fn take_scaled(rest: &mut &[u8], count: usize) -> Result<Vec<Sample>, Wrong> {
    let [scale] = take(rest)?;
    let samples = take_samples(rest, count)?;
    match scale {
        1 => Ok(samples),
        10 => {
            let whole = samples.into_iter().map(|sample| match sample {
                Sample::Value(scaled) => Sample::Value(scaled / TENTHS),
                Sample::NoData | Sample::Unobserved => sample,
            });
            Ok(whole.collect())
        }
        _other => Err(Wrong::new(format!("there is no scale {scale}"))),
    }
}

fn deflated(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    std::io::Write::write_all(&mut encoder, plain)?;
    encoder.finish()
}
