//! One hour of a pool, since format 7: compact bytes for the store, a readable row for the dump.
//!
//! Bytes: four texts (account, Region, family, model) each with a length of two bytes, the hour as eight bytes, how many
//! signals there are, then each as its place in [`Signal::ALL`] and its minutes as a run of samples (`store/samples.rs`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::v1::{
    PoolId, SampleRow, Shape, Wrong, block_of, check_hour, place_of, take_pool, take_signal,
};
use crate::{
    model::{
        book::Record,
        catalog,
        series::{PoolHour, Signal},
        time::Minute,
    },
    store::samples,
};

/// The bytes of one hour.
pub(super) fn encode(
    pool: &catalog::PoolId,
    hour: Minute,
    whole: &PoolHour,
) -> Result<Vec<u8>, Wrong> {
    check_hour(hour)?;
    let mut out = Vec::with_capacity(1_024);
    for text in [
        pool.scope.account.as_str(),
        pool.scope.region.as_str(),
        pool.family.name(),
        pool.model.as_str(),
    ] {
        samples::put_text(text, &mut out)?;
    }
    out.extend(hour.0.to_be_bytes());
    let count = out.len();
    out.push(0);
    for (signal, block) in whole.blocks() {
        out.push(place_of(signal));
        samples::put(&block, &mut out);
        if let Some(count) = out.get_mut(count) {
            *count += 1; // there are fewer signals than numbers in a byte
        }
    }
    Ok(out)
}

/// The record that these bytes are.
pub(super) fn decode(bytes: &[u8]) -> Result<Record, Wrong> {
    let mut rest = bytes;
    let pool = take_pool(&mut rest)?;
    let hour = Minute(i64::from_be_bytes(samples::take(&mut rest)?));
    check_hour(hour)?;
    let [count] = samples::take(&mut rest)?;
    let mut blocks = BTreeMap::new();
    for _ in 0..count {
        let signal = take_signal(&mut rest)?;
        let block = block_of(samples::take_samples(&mut rest, 60)?)?;
        if blocks.insert(signal, block).is_some() {
            return Err(Wrong::new(format!("{} stands there twice", signal.name())));
        }
    }
    if !rest.is_empty() {
        return Err(Wrong::new(format!("{} bytes too many", rest.len())));
    }
    Ok(Record::Hour(pool, hour, blocks.into_iter().collect()))
}

/// One hour as a dump shows it, signal by signal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PoolHourRow {
    pool: PoolId,
    hour: i64,
    signals: BTreeMap<String, Vec<SampleRow>>,
}

impl PoolHourRow {
    pub(super) fn of(pool: &catalog::PoolId, hour: Minute, whole: &PoolHour) -> Self {
        let signals = whole.blocks().map(|(signal, block)| {
            let samples = block.iter().map(|it| SampleRow::of(*it)).collect();
            (Shape::of(&signal), samples)
        });
        Self {
            pool: Shape::of(pool),
            hour: hour.0,
            signals: signals.collect(),
        }
    }

    pub(super) fn back(self) -> Result<Record, Wrong> {
        let pool = self.pool.back().map_err(|wrong| wrong.within("pool"))?;
        let hour = Minute(self.hour);
        check_hour(hour)?;
        let mut blocks = BTreeMap::new();
        for (name, samples) in self.signals {
            let within = |wrong: Wrong| wrong.within("signals");
            let signal: Signal = name.back().map_err(within)?;
            let samples = samples.into_iter().map(SampleRow::back).collect();
            blocks.insert(signal, block_of(samples).map_err(within)?);
        }
        Ok(Record::Hour(pool, hour, blocks.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        catalog::Family,
        ids::{self, AccountId, ModelId, Region},
        series::Sample,
    };

    fn pool() -> catalog::PoolId {
        catalog::PoolId {
            scope: ids::Scope {
                account: AccountId::new("111122223333"),
                region: Region::new("us-east-1"),
            },
            family: Family::Geo,
            model: ModelId::new("anthropic.claude-sonnet-4-6"),
        }
    }

    #[test]
    fn every_kind_of_number_of_every_signal_comes_back_bit_for_bit() {
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
        let blocks = Signal::ALL
            .into_iter()
            .zip(0_usize..)
            .map(|(signal, turn)| {
                let mut block = block;
                block.rotate_left(turn);
                (signal, block)
            });
        let whole: PoolHour = blocks.clone().collect();
        let hour = Minute(-120);
        let bytes = encode(&pool(), hour, &whole).unwrap();
        let row = PoolHourRow::of(&pool(), hour, &whole);
        let text = serde_json::to_string(&row).unwrap();
        let row: PoolHourRow = serde_json::from_str(&text).unwrap();
        for record in [decode(&bytes).unwrap(), row.back().unwrap()] {
            let Record::Hour(its_pool, its_hour, back) = record else {
                panic!("not an hour");
            };
            assert_eq!((its_pool, its_hour), (pool(), hour));
            for (signal, block) in blocks.clone() {
                let back = back.block(signal).unwrap();
                for (was, is) in block.iter().zip(&back) {
                    let bits = |it: &Sample| it.value().map(f64::to_bits);
                    assert_eq!(bits(was), bits(is), "{was:?}");
                    let is_silent = |it: &Sample| *it == Sample::NoData;
                    assert_eq!(is_silent(was), is_silent(is));
                }
            }
        }
    }

    #[test]
    fn bytes_that_are_cut_or_too_long_are_refused() {
        let block = [Sample::Value(300.0); 60];
        let whole = [Signal::Invocations, Signal::Throttles].map(|it| (it, block));
        let bytes = encode(&pool(), Minute(60), &whole.into_iter().collect()).unwrap();
        assert!(bytes.len() < 360, "{}", bytes.len());
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "{length}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(decode(&longer).is_err());
        let [first, second] = [Signal::Invocations, Signal::Throttles].map(place_of);
        let twice: Vec<u8> = bytes
            .iter()
            .rev()
            .scan(false, |done, byte| {
                let is_second = !*done && *byte == second;
                *done |= is_second;
                Some(if is_second { first } else { *byte })
            })
            .collect();
        let twice: Vec<u8> = twice.into_iter().rev().collect();
        assert!(decode(&twice).is_err(), "a signal twice");
    }

    #[test]
    fn an_hour_begins_at_its_first_minute() {
        for minute in [61, i64::MIN] {
            assert!(encode(&pool(), Minute(minute), &PoolHour::default()).is_err());
        }
    }
}
