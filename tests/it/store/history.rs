//! History for months: what it promises, on disk and in memory, and what it weighs.

mod age;
mod contract;
mod damage;
mod killed;
mod size;
mod traces;

use std::collections::BTreeMap;

use bedrock_ops_alert::model::{
    catalog::{Family, PoolId},
    history::{Bucket, Resolution, Stretch, StretchKey},
    ids::{AccountId, ModelId, Region, Scope},
    series::{Sample, Signal},
};
use fastrand::Rng;

fn pool(slot: u8) -> PoolId {
    PoolId {
        scope: Scope {
            account: AccountId::new("111122223333"),
            region: Region::new(if slot.is_multiple_of(2) {
                "us-east-1"
            } else {
                "eu-west-1"
            }),
        },
        family: Family::Geo,
        model: ModelId::new(format!("anthropic.claude-sonnet-{slot}")),
    }
}

pub(super) fn key(slot: u8, resolution: Resolution, number: i64) -> StretchKey {
    StretchKey {
        pool: pool(slot),
        resolution,
        number,
    }
}

/// Any stretch: every kind of sample, in some of the signals.
pub(super) fn stretch(key: StretchKey, seed: u64) -> Stretch {
    let mut rng = Rng::with_seed(seed);
    let mut signals = BTreeMap::new();
    for signal in Signal::ALL {
        if rng.u8(0..4) == 0 {
            continue;
        }
        let buckets = (0..key.resolution.buckets()).map(|_| match key.resolution {
            Resolution::Minute => Bucket::of_minute(sample(&mut rng)),
            Resolution::FiveMinutes | Resolution::Hour => Bucket {
                value: sample(&mut rng),
                peak: sample(&mut rng),
                known: rng.u8(0..=60),
            },
        });
        signals.insert(signal, buckets.collect());
    }
    Stretch { key, signals }
}

fn sample(rng: &mut Rng) -> Sample {
    match rng.u8(0..6) {
        0 => Sample::Unobserved,
        1 => Sample::NoData,
        2 => Sample::Value(0.0),
        3 => Sample::Value(f64::from(rng.u32(..))),
        4 => Sample::Value(f64::from(rng.u16(..)) / 10.0),
        _ => Sample::Value(rng.f64() * 1e9),
    }
}
