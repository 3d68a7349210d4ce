//! One hour of one signal, twice: compact bytes for the store, a readable row for the dump.
//!
//! Bytes: four texts (account, Region, family, model) each with a length of two bytes, the signal's place in
//! [`Signal::ALL`], the hour as eight bytes, 15 bytes with two bits a minute, then the numbers in their order.
//! The bits: 0 unobserved, 1 no data, 2 a whole number (seven bits a byte, the highest bit says "more follows"),
//! 3 the eight bytes of the `f64`. Counts are small whole numbers, so an hour takes about 200 bytes instead of 600.

use serde::{Deserialize, Serialize};

use super::{Number, PoolId, Shape, Wrong, hour_record};
use crate::model::{
    book::Record,
    catalog,
    series::{HourBlock, Sample, Signal},
    time::Minute,
};

/// Whole numbers below this are exact in an `f64`.
const EXACT: u64 = 1 << 53;

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
        let length = u16::try_from(text.len())
            .map_err(|_| Wrong::new("a name of more than 65,535 bytes"))?;
        out.extend(length.to_be_bytes());
        out.extend(text.as_bytes());
    }
    let place = Signal::ALL
        .into_iter()
        .zip(0_u8..)
        .find(|(it, _)| *it == signal);
    out.push(place.map_or(u8::MAX, |(_, place)| place)); // every signal is in `ALL`
    out.extend(hour.0.to_be_bytes());
    let mut numbers = Vec::with_capacity(128);
    for four in block.chunks(4) {
        let mut bits = 0_u8;
        for (sample, shift) in four.iter().zip([0, 2, 4, 6]) {
            bits |= tag(*sample, &mut numbers) << shift;
        }
        out.push(bits);
    }
    out.extend(numbers);
    Ok(out)
}

fn tag(sample: Sample, numbers: &mut Vec<u8>) -> u8 {
    let value = match sample {
        Sample::Unobserved => return 0,
        Sample::NoData => return 1,
        Sample::Value(value) => value,
    };
    if let Some(mut whole) = exact_whole(value) {
        while whole >= 0x80 {
            numbers.push(u8::try_from(whole & 0x7f).unwrap_or(0) | 0x80); // seven bits always fit
            whole >>= 7;
        }
        numbers.push(u8::try_from(whole).unwrap_or(0)); // below 0x80 here
        return 2;
    }
    numbers.extend(value.to_bits().to_be_bytes());
    3
}

/// The whole number that is this value bit for bit.
fn exact_whole(value: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and is compared bit for bit below"
    )]
    let whole = value as u64;
    (whole < EXACT && as_f64(whole).to_bits() == value.to_bits()).then_some(whole)
}

fn as_f64(whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    let value = whole as f64;
    value
}

/// The record that these bytes are.
pub(crate) fn decode(bytes: &[u8]) -> Result<Record, Wrong> {
    let mut rest = bytes;
    let scope = super::Scope {
        account: take_text(&mut rest)?,
        region: take_text(&mut rest)?,
    };
    let pool = PoolId {
        scope,
        family: take_text(&mut rest)?,
        model: take_text(&mut rest)?,
    };
    let [place] = take(&mut rest)?;
    let signal = Signal::ALL
        .get(usize::from(place))
        .ok_or_else(|| Wrong::new(format!("there is no signal {place}")))?;
    let hour = Minute(i64::from_be_bytes(take(&mut rest)?));
    let tags: [u8; 15] = take(&mut rest)?;
    let mut block = [Sample::Unobserved; 60];
    for (index, slot) in block.iter_mut().enumerate() {
        let bits = tags.get(index / 4).copied().unwrap_or_default(); // 60 / 4 = 15
        *slot = match (bits >> (index % 4 * 2)) & 3 {
            0 => Sample::Unobserved,
            1 => Sample::NoData,
            2 => Sample::Value(take_whole(&mut rest)?),
            _three => Sample::Value(f64::from_bits(u64::from_be_bytes(take(&mut rest)?))),
        };
    }
    if !rest.is_empty() {
        return Err(Wrong::new(format!("{} bytes too many", rest.len())));
    }
    hour_record(pool.back()?, *signal, hour, block)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Wrong> {
    let (head, tail) = rest
        .split_first_chunk()
        .ok_or_else(|| Wrong::new("the bytes of the hour end too early"))?;
    *rest = tail;
    Ok(*head)
}

fn take_text(rest: &mut &[u8]) -> Result<String, Wrong> {
    let length = usize::from(u16::from_be_bytes(take(rest)?));
    let (head, tail) = rest
        .split_at_checked(length)
        .ok_or_else(|| Wrong::new("the bytes of the hour end too early"))?;
    *rest = tail;
    String::from_utf8(head.to_vec()).map_err(|_| Wrong::new("a name is not UTF-8"))
}

fn take_whole(rest: &mut &[u8]) -> Result<f64, Wrong> {
    let mut whole = 0_u64;
    for shift in (0..56).step_by(7) {
        let [byte] = take(rest)?;
        whole |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(as_f64(whole));
        }
    }
    Err(Wrong::new("a whole number of more than eight bytes"))
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
struct SampleRow(Option<Either>);

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
        let row = |sample: &Sample| {
            SampleRow(match sample {
                Sample::Unobserved => None,
                Sample::NoData => Some(Either::NoData),
                Sample::Value(value) => Some(Either::Value(Number(*value))),
            })
        };
        Self {
            pool: Shape::of(pool),
            signal: Shape::of(&signal),
            hour: hour.0,
            samples: block.iter().map(row).collect(),
        }
    }

    pub(super) fn back(self) -> Result<Record, Wrong> {
        let count = self.samples.len();
        let mut samples = self.samples.into_iter().map(|row| match row.0 {
            None => Sample::Unobserved,
            Some(Either::NoData) => Sample::NoData,
            Some(Either::Value(number)) => Sample::Value(number.0),
        });
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
