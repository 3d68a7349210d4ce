//! One hour of one signal, as it was kept until format 6: compact bytes in the store, a readable row in the dump.
//!
//! Bytes: four texts (account, Region, family, model) each with a length of two bytes, the signal's place in
//! [`Signal::ALL`], the hour as eight bytes, then the minutes as a run of samples (`store/samples.rs`).

use serde::{Deserialize, Serialize};

use super::{Number, PoolId, Shape, Wrong, hour_record};
use crate::{
    model::{
        book::Record,
        catalog,
        series::{HourBlock, Sample, Signal},
        time::Minute,
    },
    store::samples,
};

/// The record that these bytes are.
pub(crate) fn decode(bytes: &[u8]) -> Result<Record, Wrong> {
    let mut rest = bytes;
    let pool = take_pool(&mut rest)?;
    let signal = take_signal(&mut rest)?;
    let hour = Minute(i64::from_be_bytes(samples::take(&mut rest)?));
    let block = block_of(samples::take_samples(&mut rest, 60)?)?;
    if !rest.is_empty() {
        return Err(Wrong::new(format!("{} bytes too many", rest.len())));
    }
    hour_record(pool, signal, hour, &block)
}

/// Takes the four texts of a pool off the front.
pub(crate) fn take_pool(rest: &mut &[u8]) -> Result<catalog::PoolId, Wrong> {
    let scope = super::Scope {
        account: samples::take_text(rest)?,
        region: samples::take_text(rest)?,
    };
    let pool = PoolId {
        scope,
        family: samples::take_text(rest)?,
        model: samples::take_text(rest)?,
    };
    pool.back()
}

/// Takes a signal's place off the front.
pub(crate) fn take_signal(rest: &mut &[u8]) -> Result<Signal, Wrong> {
    let [place] = samples::take(rest)?;
    let signal = Signal::ALL.get(usize::from(place)).copied();
    signal.ok_or_else(|| Wrong::new(format!("there is no signal {place}")))
}

/// The place of a signal in [`Signal::ALL`].
pub(crate) fn place_of(signal: Signal) -> u8 {
    let mut places = Signal::ALL.into_iter().zip(0_u8..);
    let place = places.find(|(it, _)| *it == signal);
    place.map_or(u8::MAX, |(_, place)| place) // every signal is in `ALL`
}

/// Sixty samples.
pub(crate) fn block_of(samples: Vec<Sample>) -> Result<HourBlock, Wrong> {
    let count = samples.len();
    let block = HourBlock::try_from(samples);
    block.map_err(|_| Wrong::new(format!("{count} samples instead of 60")).within("samples"))
}

/// One hour as a dump shows it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HourRow {
    pool: PoolId,
    signal: String,
    hour: i64,
    samples: Vec<SampleRow>,
}

/// A number, `"-"` for no data, `null` for unobserved.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SampleRow(Option<Either>);

impl SampleRow {
    pub(crate) const fn of(sample: Sample) -> Self {
        Self(match sample {
            Sample::Unobserved => None,
            Sample::NoData => Some(Either::NoData),
            Sample::Value(value) => Some(Either::Value(Number(value))),
        })
    }

    pub(crate) fn back(self) -> Sample {
        match self.0 {
            None => Sample::Unobserved,
            Some(Either::NoData) => Sample::NoData,
            Some(Either::Value(number)) => Sample::Value(number.0),
        }
    }
}

#[derive(Debug)]
enum Either {
    Value(Number),
    NoData,
}

const NO_DATA: &str = "-";

impl Serialize for Either {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(number) => number.serialize(serializer),
            Self::NoData => serializer.serialize_str(NO_DATA),
        }
    }
}

impl<'de> Deserialize<'de> for Either {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        if value == NO_DATA {
            return Ok(Self::NoData);
        }
        let number = Number::deserialize(value).map_err(serde::de::Error::custom)?;
        Ok(Self::Value(number))
    }
}

impl HourRow {
    pub(super) fn back(self) -> Result<Record, Wrong> {
        let block = block_of(self.samples.into_iter().map(SampleRow::back).collect())?;
        let pool = self.pool.back().map_err(|wrong| wrong.within("pool"))?;
        let signal: Result<Signal, Wrong> = self.signal.back();
        let signal = signal.map_err(|wrong| wrong.within("signal"))?;
        hour_record(pool, signal, Minute(self.hour), &block)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The bytes of one hour, as they were written until format 6.
    pub(crate) fn encode(
        pool: &catalog::PoolId,
        signal: Signal,
        hour: Minute,
        block: &HourBlock,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        for text in [
            pool.scope.account.as_str(),
            pool.scope.region.as_str(),
            pool.family.name(),
            pool.model.as_str(),
        ] {
            samples::put_text(text, &mut out).unwrap();
        }
        out.push(place_of(signal));
        out.extend(hour.0.to_be_bytes());
        samples::put(block, &mut out);
        out
    }
}
