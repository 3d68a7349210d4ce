//! One hour of one signal, twice: compact bytes for the store, a readable row for the dump.
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

/// The bytes of one hour.
pub(crate) fn encode(
    pool: &catalog::PoolId,
    signal: Signal,
    hour: Minute,
    block: &HourBlock,
) -> Result<Vec<u8>, Wrong> {
    let mut out = Vec::with_capacity(256);
    for text in [
        pool.scope.account.as_str(),
        pool.scope.region.as_str(),
        pool.family.name(),
        pool.model.as_str(),
    ] {
        samples::put_text(text, &mut out)?;
    }
    let place = Signal::ALL
        .into_iter()
        .zip(0_u8..)
        .find(|(it, _)| *it == signal);
    out.push(place.map_or(u8::MAX, |(_, place)| place)); // every signal is in `ALL`
    out.extend(hour.0.to_be_bytes());
    samples::put(block, &mut out);
    Ok(out)
}

/// The record that these bytes are.
pub(crate) fn decode(bytes: &[u8]) -> Result<Record, Wrong> {
    let mut rest = bytes;
    let scope = super::Scope {
        account: samples::take_text(&mut rest)?,
        region: samples::take_text(&mut rest)?,
    };
    let pool = PoolId {
        scope,
        family: samples::take_text(&mut rest)?,
        model: samples::take_text(&mut rest)?,
    };
    let [place] = samples::take(&mut rest)?;
    let signal = Signal::ALL
        .get(usize::from(place))
        .ok_or_else(|| Wrong::new(format!("there is no signal {place}")))?;
    let hour = Minute(i64::from_be_bytes(samples::take(&mut rest)?));
    let mut read = samples::take_samples(&mut rest, 60)?.into_iter();
    let block: HourBlock = std::array::from_fn(|_| read.next().unwrap_or_default()); // 60 of 60
    if !rest.is_empty() {
        return Err(Wrong::new(format!("{} bytes too many", rest.len())));
    }
    hour_record(pool.back()?, *signal, hour, block)
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
    pub(super) fn of(
        pool: &catalog::PoolId,
        signal: Signal,
        hour: Minute,
        block: &HourBlock,
    ) -> Self {
        Self {
            pool: Shape::of(pool),
            signal: Shape::of(&signal),
            hour: hour.0,
            samples: block.iter().map(|it| SampleRow::of(*it)).collect(),
        }
    }

    pub(super) fn back(self) -> Result<Record, Wrong> {
        let count = self.samples.len();
        let mut samples = self.samples.into_iter().map(SampleRow::back);
        if count != 60 {
            let why = format!("{count} samples instead of 60");
            return Err(Wrong::new(why).within("samples"));
        }
        let block: HourBlock = std::array::from_fn(|_| samples.next().unwrap_or_default());
        let pool = self.pool.back().map_err(|wrong| wrong.within("pool"))?;
        let signal: Result<Signal, Wrong> = self.signal.back();
        let signal = signal.map_err(|wrong| wrong.within("signal"))?;
        hour_record(pool, signal, Minute(self.hour), block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        catalog::Family,
        ids::{AccountId, ModelId, Region, Scope},
    };

    fn pool() -> catalog::PoolId {
        catalog::PoolId {
            scope: Scope {
                account: AccountId::new("111122223333"),
                region: Region::new("us-east-1"),
            },
            family: Family::Geo,
            model: ModelId::new("anthropic.claude-sonnet-4-6"),
        }
    }

    #[test]
    fn every_kind_of_number_comes_back_bit_for_bit() {
        let odd = [
            0.0,
            -0.0,
            1.0,
            127.0,
            128.0,
            1e15,
            9.1e15,
            1e300,
            0.1,
            -3.0,
            f64::INFINITY,
            f64::NAN,
        ];
        let mut block = [Sample::Unobserved; 60];
        for (slot, value) in block.iter_mut().zip(odd) {
            *slot = Sample::Value(value);
        }
        block[59] = Sample::NoData;
        let hour = Minute(-120);
        let bytes = encode(&pool(), Signal::Latency, hour, &block).unwrap();
        let row = HourRow::of(&pool(), Signal::Latency, hour, &block);
        let text = serde_json::to_string(&row).unwrap();
        let row: HourRow = serde_json::from_str(&text).unwrap();
        for record in [decode(&bytes).unwrap(), row.back().unwrap()] {
            let Record::Hour(its_pool, signal, its_hour, back) = record else {
                panic!("not an hour");
            };
            assert_eq!(
                (its_pool, signal, its_hour),
                (pool(), Signal::Latency, hour)
            );
            for (was, is) in block.iter().zip(back.iter()) {
                assert_eq!(
                    was.value().map(f64::to_bits),
                    is.value().map(f64::to_bits),
                    "{was:?}"
                );
            }
            assert_eq!(back[59], Sample::NoData);
            assert_eq!(back[58], Sample::Unobserved);
        }
    }

    #[test]
    fn bytes_that_are_cut_or_too_long_are_refused() {
        let block = [Sample::Value(300.0); 60];
        let bytes = encode(&pool(), Signal::Throttles, Minute(60), &block).unwrap();
        assert!(bytes.len() < 220, "{}", bytes.len());
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "{length}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(decode(&longer).is_err());
    }

    #[test]
    fn an_hour_begins_at_its_first_minute() {
        let block = [Sample::NoData; 60];
        let bytes = encode(&pool(), Signal::Throttles, Minute(61), &block).unwrap();
        assert!(decode(&bytes).is_err());
        let bytes = encode(&pool(), Signal::Throttles, Minute(i64::MIN), &block).unwrap();
        assert!(decode(&bytes).is_err());
    }
}
