//! The weeks before: what a daemon holds that has watched these pools for long, so that the measuring begins with it.
//!
//! Every pool is busy in every minute, so no hour is the kind that takes no room. Days are made when they are asked for,
//! and nothing is kept: neither the history on disk nor the making of it is what is measured.

use std::collections::{BTreeMap, BTreeSet};

use bedrock_ops_alert::{
    model::{
        book::Record,
        catalog::{PoolId, Target, TargetKind},
        history::{Bucket, Resolution, Stretch, StretchKey},
        series::{HourBlock, Sample, Signal},
        time::{DAY, HOUR, Minute, Timestamp},
    },
    sim::World,
    store::{Audit, History, StoreError},
};

use crate::process::float;

/// The days that are held as minutes in the history: from where CloudWatch forgets to the ledger's.
const DAYS: std::ops::Range<i64> = -15..-2;

/// A history that holds the weeks before.
#[derive(Debug)]
pub(crate) struct Past {
    pools: Vec<PoolId>,
    today: i64,
}

impl Past {
    pub(crate) fn of(world: &World, now: Minute) -> Self {
        let pools = world.pools.iter().map(|pool| pool.id.clone());
        Self {
            pools: pools.collect(),
            today: now.0.div_euclid(DAY),
        }
    }

    /// The targets as discovery once found them: a pool whose targets change is read anew.
    pub(crate) fn targets(world: &World, now: Timestamp) -> Vec<Record> {
        let targets = world.targets.iter().filter_map(|target| {
            let pool = world.pools.get(target.pool)?.id.clone();
            Some(Record::Target(Target {
                id: target.id.clone(),
                kind: TargetKind::Base,
                pool,
                first_seen: now,
            }))
        });
        targets.collect()
    }

    /// What the ledger of such a daemon holds: the hours since the midnight two days ago, and how far the pools are read.
    pub(crate) fn records(&self, now: Minute) -> impl Iterator<Item = Vec<Record>> {
        self.pools.iter().map(move |pool| {
            let first = Minute((self.today - 2) * DAY);
            let hours = (first.0..now.0).step_by(60).map(Minute);
            let blocks = hours.map(move |hour| {
                let signals = Signal::ALL.into_iter().map(|signal| {
                    let mut block = hour_of(pool, signal, hour);
                    for (minute, sample) in hour.until(hour.plus(HOUR)).zip(&mut block) {
                        if now <= minute {
                            *sample = Sample::Unobserved;
                        }
                    }
                    (signal, block)
                });
                Record::Hour(pool.clone(), hour, signals.collect())
            });
            let read = [
                Record::ReadThrough(pool.clone(), now),
                Record::ReadInFull(pool.clone(), now),
                Record::ReadInDepth(pool.clone(), now),
            ];
            blocks.chain(read).collect()
        })
    }
}

/// An hour of a busy pool: counts that differ from minute to minute, and means with a tenth.
fn hour_of(pool: &PoolId, signal: Signal, hour: Minute) -> HourBlock {
    let name = format!("{pool} {hour}");
    let seed = name.bytes().fold(0_u64, |seed, byte| {
        seed.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
    });
    let mut draws = fastrand::Rng::with_seed(seed);
    let level = 2.0 + float(pool.to_string().len() % 7) * 15.0;
    std::array::from_fn(|_| {
        let requests = (level * (0.5 + draws.f64())).round();
        let (input, output) = (
            (requests * 900.0 * draws.f64()).round(),
            (requests * 150.0 * draws.f64()).round(),
        );
        let failed = f64::from(u8::from(draws.f64() < 0.02));
        Sample::Value(match signal {
            Signal::Invocations => requests,
            Signal::Throttles => 0.0,
            Signal::ClientErrors | Signal::ServerErrors => failed,
            Signal::InputTokens => input,
            Signal::OutputTokens => output,
            Signal::ChargedTokens => input + 5.0 * output,
            Signal::Latency => (8_000.0 + 40_000.0 * draws.f64()).round() / 10.0,
            Signal::CacheWriteTokens => (input * 0.1).round(),
            Signal::CacheReadTokens => (input * 0.6).round(),
            Signal::LongInputs => (40.0 * draws.f64()).round() / 10.0,
            // As they are kept: six significant bits.
            Signal::LatencyP50
            | Signal::LatencyP90
            | Signal::LatencyP99
            | Signal::FirstTokenP90 => (32.0 + 31.0 * draws.f64()).round() * 64.0,
        })
    })
}

impl History for Past {
    fn append(&self, _stretches: &[Stretch]) -> Result<(), StoreError> {
        Ok(())
    }

    fn stretch(&self, key: &StretchKey) -> Result<Option<Stretch>, StoreError> {
        let signals = Signal::ALL.into_iter().map(|signal| {
            let (first, end) = (key.first_minute(), key.end());
            let hours = (first.0..end.0).step_by(60).map(Minute);
            let samples = hours.flat_map(|hour| hour_of(&key.pool, signal, hour));
            (signal, samples.map(Bucket::of_minute).collect())
        });
        let is_held = self.held(&key.pool).contains(&(key.resolution, key.number));
        Ok(
            (is_held && key.resolution == Resolution::Minute).then(|| Stretch {
                key: key.clone(),
                signals: signals.collect::<BTreeMap<_, _>>(),
            }),
        )
    }

    fn keep_notes(&self, _notes: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }

    fn notes(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn pools(&self) -> Vec<PoolId> {
        self.pools.clone()
    }

    /// Everything that CloudWatch could be asked for, so that nothing is.
    fn held(&self, _pool: &PoolId) -> BTreeSet<(Resolution, i64)> {
        let days = DAYS.map(|day| (Resolution::Minute, self.today + day));
        let coarse = [(Resolution::FiveMinutes, 70), (Resolution::Hour, 480)];
        let coarse = coarse.into_iter().flat_map(|(resolution, days)| {
            let numbers = (self.today - days)..self.today;
            numbers.map(move |day| (resolution, day.div_euclid(resolution.stretch_days())))
        });
        days.chain(coarse).collect()
    }

    fn forget(&self, _keys: &[StretchKey]) -> Result<(), StoreError> {
        Ok(())
    }

    fn audit(&self) -> Result<Audit, StoreError> {
        Ok(Audit::default())
    }
}
