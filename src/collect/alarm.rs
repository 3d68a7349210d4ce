//! The wake-up: throttled requests of the whole account that no pool we know of accounts for.

use std::collections::BTreeMap;

use crate::model::{
    catalog::PoolId,
    series::{Reading, Sample, Signal},
    time::Minute,
};

/// Minutes that are remembered: as many as the account-wide series is read back.
const MINUTES: i64 = 15;

/// Compares the account's throttles, minute by minute, with those that the pools were seen to have.
///
/// A pool that is being throttled and is read each minute must not keep every quiet pool awake; so only what is not
/// explained yet rings, and the same number rings once.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    explained: BTreeMap<Minute, BTreeMap<PoolId, f64>>,
    answered: BTreeMap<Minute, f64>,
}

impl Alarm {
    /// Takes in what a pool was seen to have.
    pub(super) fn explain(&mut self, reading: &Reading) {
        let throttles = reading.signals.get(&Signal::Throttles);
        let minutes = (0_i64..).map(|offset| reading.from.plus(offset));
        let newest = throttles.map_or(0, Vec::len).saturating_sub(1);
        let oldest = i64::try_from(newest).unwrap_or(i64::MAX) - MINUTES;
        for (minute, sample) in minutes.zip(throttles.into_iter().flatten()) {
            if let Sample::Value(count) = sample
                && oldest <= minute.since(reading.from)
            {
                let pools = self.explained.entry(minute).or_default();
                pools.insert(reading.pool.clone(), *count);
            }
        }
    }

    /// Whether any of these minutes has throttles that nobody accounts for yet.
    pub(super) fn rings(&mut self, of_account: &[(Minute, f64)]) -> bool {
        let mut rings = false;
        for (minute, count) in of_account {
            let pools = self.explained.get(minute);
            let explained: f64 = pools.into_iter().flat_map(BTreeMap::values).sum();
            let answered = self.answered.get(minute).copied();
            if explained < *count && answered.is_none_or(|answered| answered < *count) {
                self.answered.insert(*minute, *count);
                rings = true;
            }
        }
        rings
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.explained.is_empty() && self.answered.is_empty()
    }

    /// Lets go of what is never compared again. By the clock, since most accounts have no throttles to tell the time by;
    /// minutes to come were seen by a clock that has been set back.
    pub(super) fn forget(&mut self, now: Minute) {
        let compared = now.plus(-2 * MINUTES)..=now;
        self.explained.retain(|minute, _| compared.contains(minute));
        self.answered.retain(|minute, _| compared.contains(minute));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::fake::scope;
    use crate::model::{catalog::Family, ids::ModelId};

    fn reading(model: &str, from: Minute, throttles: &[f64]) -> Reading {
        let samples = throttles.iter().copied().map(Sample::Value).collect();
        Reading {
            pool: PoolId {
                scope: scope(),
                family: Family::Geo,
                model: ModelId::new(model),
            },
            from,
            signals: BTreeMap::from([(Signal::Throttles, samples)]),
            by_target: BTreeMap::new(),
        }
    }

    #[test]
    fn only_what_nobody_accounts_for_rings_and_only_once() {
        let mut alarm = Alarm::default();
        let minute = Minute(29_000_000);
        assert!(!alarm.rings(&[(minute, 0.0)]), "no throttles, no alarm");
        alarm.explain(&reading("hot", minute, &[7.0, 9.0]));
        let account = [(minute, 7.0), (minute.plus(1), 9.0)];
        assert!(
            !alarm.rings(&account),
            "the hot pool accounts for all of it"
        );
        let more = [(minute, 7.0), (minute.plus(1), 12.0)];
        assert!(alarm.rings(&more), "three are somebody else's");
        assert!(!alarm.rings(&more), "that was answered");
        alarm.explain(&reading("woken", minute, &[0.0, 3.0]));
        assert!(!alarm.rings(&more));
        let late = [(minute, 8.0), (minute.plus(1), 12.0)];
        assert!(alarm.rings(&late), "late data of somebody else");
    }

    #[test]
    fn a_clock_that_was_set_back_leaves_nothing_behind() {
        let mut alarm = Alarm::default();
        let now = Minute(29_000_000);
        alarm.explain(&reading("hot", now.plus(9_000), &[1.0]));
        alarm.explain(&reading("hot", now, &[1.0]));
        alarm.forget(now);
        assert_eq!(alarm.explained.keys().collect::<Vec<_>>(), [&now]);
    }

    #[test]
    fn a_back_fill_is_not_remembered_for_ever() {
        let mut alarm = Alarm::default();
        let first = Minute(29_000_000);
        alarm.explain(&reading("new", first, &[1.0; 5_000]));
        assert!(alarm.explained.len() <= 17, "{}", alarm.explained.len());
        alarm.forget(first.plus(9_000));
        assert!(alarm.is_empty());
    }
}
